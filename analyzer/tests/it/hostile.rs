//! Bundles that want to be more than text: the payload in every string of
//! every part, wherever the part is still read with it.

use crate::fixture::{self, Judged};
use crate::page::{check, render};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wss_bundle::{Bundle, Defect, Redaction};
use wss_diagnosis::diagnose;

const MARKUP: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{{x}}}{{verdict}}--></style></script></title></pre><a href='javascript:alert(1)'>\u{202e}\u{2066}\0\u{1b}[31m\u{7f}\u{2028}&lt;&#0;";

/// How a payload is put into a string.
#[derive(Clone, Copy)]
enum Manner {
    Instead,
    After,
}

fn infect(value: &str, payload: &str, manner: Manner) -> String {
    match manner {
        Manner::Instead => payload.to_owned(),
        // A head stays a head: the payload is its last header.
        Manner::After => match value.strip_suffix("\r\n\r\n") {
            Some(head) => format!("{head}\r\nX-Payload: {payload}\r\n\r\n"),
            None => format!("{value}{payload}"),
        },
    }
}

/// Puts the payload into every string of a part that still reads with it.
fn infected<T: Serialize + DeserializeOwned>(part: &T, payload: &str, manner: Manner) -> T {
    let mut value = serde_json::to_value(part).unwrap();
    let mut places = Vec::new();
    strings(&value, String::new(), &mut places);
    for place in places {
        let slot = value.pointer_mut(&place).unwrap();
        let before = slot.as_str().unwrap_or_default().to_owned();
        *slot = Value::String(infect(&before, payload, manner));
        if T::deserialize(&value).is_err() {
            *value.pointer_mut(&place).unwrap() = Value::String(before);
        }
    }
    serde_json::from_value(value).unwrap()
}

fn strings(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::String(_) => places.push(at),
        Value::Array(all) => {
            for (index, one) in all.iter().enumerate() {
                strings(one, format!("{at}/{index}"), places);
            }
        }
        Value::Object(all) => {
            for (key, one) in all {
                strings(one, format!("{at}/{key}"), places);
            }
        }
        _ => {}
    }
}

fn infected_bundle(bundle: &Bundle, payload: &str, manner: Manner) -> Bundle {
    let mut out = bundle.clone();
    let id = out.manifest.id.clone();
    out.manifest = infected(&out.manifest, payload, manner);
    if matches!(manner, Manner::After) {
        // Two bundles of one case keep ids of their own.
        out.manifest.id = format!("{id}{payload}");
    }
    out.manifest.answers.load_balancer = Some(payload.to_owned());
    out.manifest.answers.network_path = Some(payload.to_owned());
    out.manifest.answers.browser_message = Some(payload.to_owned());
    out.environment = infected(&out.environment, payload, manner);
    let o = &mut out.observations;
    o.target = infected(&o.target, payload, manner);
    o.routes = o.routes.iter().map(|route| infected(route, payload, manner)).collect();
    o.observations = o.observations.iter().map(|one| infected(one, payload, manner)).collect();
    out.redactions = vec![Redaction {
        entry: payload.to_owned(),
        place: payload.to_owned(),
        kind: payload.to_owned(),
        count: u64::MAX,
    }];
    out.redactions.extend(out.redactions.clone());
    out.defects = vec![Defect {
        entry: Some(payload.to_owned()),
        kind: payload.to_owned(),
        detail: payload.to_owned(),
        offset: None,
    }];
    out
}

pub(crate) fn cases() -> Vec<Judged> {
    let long = format!("{MARKUP}{}", "A\u{301}字".repeat(5_000));
    let mut out = Vec::new();
    for case in fixture::cases() {
        for (payload, manner) in
            [(MARKUP, Manner::After), (MARKUP, Manner::Instead), (&long, Manner::After)]
        {
            let bundles: Vec<Bundle> =
                case.bundles.iter().map(|b| infected_bundle(b, payload, manner)).collect();
            let diagnosis = diagnose(&bundles);
            let name = match (manner, payload.len() > 10_000) {
                (Manner::Instead, _) => format!("{}-instead", case.name),
                (Manner::After, false) => format!("{}-after", case.name),
                (Manner::After, true) => format!("{}-long", case.name),
            };
            out.push(Judged { name: name.leak(), bundles, diagnosis });
        }
    }
    out
}

#[test]
fn hostile_text_stays_text() {
    for case in cases() {
        let html = render(&case.diagnosis, &case.bundles);
        // The parser refuses every element and attribute that is no template's.
        let page = check(&html);
        if !case.bundles.is_empty() {
            assert!(page.text.contains("<script>alert(1)</script>"), "{}: shown", case.name);
            assert!(page.text.contains("{{{x}}}"), "{}: shown", case.name);
        }
        assert!(html.len() < 1_500_000, "{}: {} bytes", case.name, html.len());
    }
}

#[test]
fn a_megabyte_in_every_string_still_opens() {
    let case = fixture::cases().into_iter().find(|case| case.name == "inside-alone").unwrap();
    let megabyte = "<b>".repeat(350_000);
    let mut bundle = case.bundles[0].clone();
    bundle.manifest.case = megabyte.clone();
    bundle.manifest.target.host = megabyte.clone();
    bundle.observations.target.host = megabyte.clone();
    bundle.environment = infected_bundle(&bundle, &megabyte, Manner::After).environment;
    let bundles = [bundle];
    let diagnosis = diagnose(&bundles);
    let html = render(&diagnosis, &bundles);
    check(&html);
    assert!(html.len() < 1_500_000, "{} bytes", html.len());
}

#[test]
fn ids_that_repeat_give_anchors_that_do_not() {
    let case = fixture::cases().into_iter().find(|case| case.name == "proxy-strips").unwrap();
    let mut bundles = case.bundles.clone();
    for bundle in &mut bundles {
        bundle.manifest.id = format!("abcdefgh{}", bundle.manifest.vantage.as_str());
        for o in &mut bundle.observations.observations {
            o.id = "o1".into();
        }
    }
    check(&render(&diagnose(&bundles), &bundles));
}

#[test]
fn numbers_beyond_sense_do_no_harm() {
    let case = fixture::cases().into_iter().find(|case| case.name == "idle").unwrap();
    let mut bundles = case.bundles.clone();
    let manifest = &mut bundles[0].manifest;
    manifest.started_at = chrono::DateTime::<chrono::Utc>::MAX_UTC;
    manifest.finished_at = chrono::DateTime::<chrono::Utc>::MIN_UTC;
    bundles[0].environment.clock.utc_offset_minutes = i32::MIN;
    bundles[0].environment.clock.skew_s = Some(-1e308);
    for (at, o) in bundles[0].observations.observations.iter_mut().enumerate() {
        (o.start_ms, o.duration_ms) = if at % 2 == 0 { (1e308, 1e308) } else { (-5.0, -1e9) };
        if let wss_bundle::Step::Hold(hold) = &mut o.step {
            hold.planned_ms = 1e300;
            hold.ping_interval_ms = Some(-1.0);
        }
    }
    check(&render(&diagnose(&bundles), &bundles));
    bundles[0].environment.clock.utc_offset_minutes = 840;
    check(&render(&diagnose(&bundles), &bundles));
}
