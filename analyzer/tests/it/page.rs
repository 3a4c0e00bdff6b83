//! The page of every case: whole, linked, pinned, and the same each time.

use crate::fixture::{Judged, cases};
use crate::parse::{Page, parse};
use base64::Engine as _;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use wss_bundle::Bundle;
use wss_diagnosis::{Diagnosis, diagnose};
use wss_report::{self as report, Case};

pub(crate) fn render(diagnosis: &Diagnosis, bundles: &[Bundle]) -> String {
    report::html::render(&Case::new(diagnosis, bundles)).unwrap()
}

fn page(case: &Judged) -> Page {
    check(&render(&case.diagnosis, &case.bundles))
}

/// What holds for every page.
pub(crate) fn check(html: &str) -> Page {
    let page = parse(html);
    let ids: BTreeSet<&str> = page.ids.iter().map(String::as_str).collect();
    assert_eq!(ids.len(), page.ids.len(), "an id stands twice: {:?}", page.ids);
    for href in &page.hrefs {
        let known = href == "data:," || href.strip_prefix('#').is_some_and(|id| ids.contains(id));
        assert!(known, "the link {href} leads nowhere");
    }
    for id in &page.named {
        assert!(ids.contains(id.as_str()), "{id} is named and is not there");
    }
    let hash = |text: &str| {
        let digest = Sha256::digest(text.as_bytes());
        format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
    };
    assert_eq!(
        page.csp,
        format!(
            "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; \
             form-action 'none'",
            hash(&page.style),
            hash(&page.script)
        )
    );
    for c in html.chars() {
        assert!(
            c == '\n' || c == '\t' || (!c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c)),
            "{c:?} is in the page"
        );
    }
    // What was given in vain has a section where there is some.
    for section in report::section::NAMES.iter().filter(|name| **name != "not_used") {
        assert!(ids.contains(section), "the section {section} is missing");
    }
    page
}

#[test]
fn every_case_has_a_whole_page() {
    for case in cases() {
        let html = render(&case.diagnosis, &case.bundles);
        let page = check(&html);
        assert!(html.len() < 300_000, "{}: {} bytes", case.name, html.len());
        let in_vain = page.ids.iter().any(|id| id == "not_used");
        assert_eq!(in_vain, !case.bundles.is_empty(), "{}", case.name);
        let verdict = &case.diagnosis.verdict;
        assert!(words(&page.text).contains(&words(&verdict.summary)), "{}", case.name);
        for command in verdict.missing.iter().map(|next| &next.command) {
            assert!(page.text.contains(command), "{}: {command}", case.name);
        }
        for finding in &case.diagnosis.findings {
            let anchor = format!("finding-{}", finding.rule);
            assert!(page.ids.contains(&anchor), "{}: {anchor}", case.name);
        }
    }
}

/// Without blanks, and without backticks, which the page shows as code.
fn words(text: &str) -> String {
    text.chars().filter(|c| *c != '`' && !c.is_whitespace()).collect()
}

/// A class that no rule styles is a slip of the pen, in one place or the other;
/// but for those that the script looks for, and that only name a part.
#[test]
fn every_class_is_styled() {
    let unstyled = ["all", "copy", "folds", "info", "run", "what"];
    for case in cases() {
        let page = page(&case);
        for class in &page.classes {
            let styled = page.style.contains(&format!(".{class}"));
            assert!(styled || unstyled.contains(&class.as_str()), "{}: .{class}", case.name);
        }
    }
}

#[test]
fn the_same_case_gives_the_same_bytes() {
    for case in cases() {
        let mut turned = case.bundles.clone();
        turned.reverse();
        let again = render(&diagnose(&turned), &turned);
        assert_eq!(render(&case.diagnosis, &case.bundles), again, "{}", case.name);
    }
}

#[test]
fn the_first_screen_answers_first() {
    let case = cases().into_iter().find(|case| case.name == "proxy-strips").unwrap();
    let page = page(&case);
    let position = |what: &str| page.text.find(what).unwrap_or_else(|| panic!("no {what:?}"));
    let order = [
        position("Broken"),
        position("the client's network"),
        position("breaks here"),
        position("Do this next"),
        position("Getting Help checklist"),
        position("Evidence for the verdict"),
    ];
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn the_row_that_applies_is_lit() {
    for (name, lit) in [("proxy-strips", true), ("inside-alone", false), ("healthy", false)] {
        let case = cases().into_iter().find(|case| case.name == name).unwrap();
        let page = page(&case);
        assert_eq!(page.text.contains("◀ applies"), lit, "{name}");
        assert_eq!(page.text.contains("nobody has run it outside yet"), !lit, "{name}");
    }
}

#[test]
fn holds_are_drawn_with_the_defaults_that_they_reach() {
    let case = cases().into_iter().find(|case| case.name == "idle").unwrap();
    let page = page(&case);
    assert!(page.text.contains("cut after 60.0 s"));
    assert!(page.text.contains("something on the path has an idle timeout"));
    assert!(
        words(&page.text).contains(&words("60 s: nginx, on this path, AWS")),
        "the device on the path comes first"
    );
}

#[test]
fn what_a_verdict_rests_on_is_linked() {
    for case in cases() {
        let page = page(&case);
        let Some(finding) = case.diagnosis.findings.first() else { continue };
        for citation in finding.evidence.iter() {
            let short: String = citation.bundle.chars().take(8).collect();
            let anchor = match citation.observation.strip_prefix('b') {
                Some(number) => format!("#b-{short}_{}", number.parse::<usize>().unwrap() - 1),
                None => format!("#o-{short}-{}", citation.observation),
            };
            assert!(page.hrefs.contains(&anchor), "{}: {anchor}", case.name);
        }
    }
}

#[test]
fn observations_are_there_in_full() {
    let case = cases().into_iter().find(|case| case.name == "inside-alone").unwrap();
    let text = page(&case).text;
    assert!(text.contains("\"chain\": \"as in o4\""), "a chain stands there once");
    let mut tls = 0;
    for o in &case.bundles[0].observations.observations {
        if matches!(o.step, wss_bundle::Step::Tls(_)) {
            tls += 1;
            if tls > 1 {
                continue;
            }
        }
        let json = serde_json::to_string_pretty(&o.step).unwrap();
        let beginning: String = json.chars().take(300).collect();
        assert!(text.contains(&beginning), "{}", o.id);
    }
}

#[test]
fn json_is_the_diagnosis() {
    for case in cases() {
        let text = report::json(&case.diagnosis).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, serde_json::to_value(&case.diagnosis).unwrap());
        assert_eq!(value["format"]["name"], "wss-report");
    }
}

/// Not a test: writes the pages, to be looked at.
#[test]
#[ignore = "writes pages to look at: cargo test -p wss-analyzer --test it -- --ignored"]
fn pages_to_look_at() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    for case in cases().into_iter().chain(crate::hostile::cases()) {
        let html = render(&case.diagnosis, &case.bundles);
        std::fs::write(folder.join(format!("{}.html", case.name)), html).unwrap();
        let reply = report::markdown::render(&Case::new(&case.diagnosis, &case.bundles));
        std::fs::write(folder.join(format!("{}.md", case.name)), reply).unwrap();
    }
    println!("{}", folder.display());
}

#[test]
fn a_ticket_stands_on_the_page_and_in_the_reply() {
    let mut case = cases().into_iter().next().unwrap();
    for bundle in &mut case.bundles {
        bundle.manifest.ticket = Some("CS-12 <b>".into());
    }
    let html = render(&case.diagnosis, &case.bundles);
    assert!(html.contains("ticket CS-12 &lt;b&gt;"), "not on the page");
    let reply = report::markdown::render(&Case::new(&case.diagnosis, &case.bundles));
    assert!(reply.contains(", ticket `CS-12 <b>`"), "{reply}");
}
