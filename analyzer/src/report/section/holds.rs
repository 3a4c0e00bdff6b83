//! The held connections on one time axis, with products' known defaults marked.

use crate::report::part::limited;
use crate::report::{Case, View, words};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use wss_bundle::observation::{EndedBy, Held, Hold};
use wss_bundle::transcript::ended;
use wss_bundle::{Observation, Outcome, Step};
use wss_diagnosis::signature::Signatures;

/// Connections drawn.
const COUNT: usize = 24;
/// Products named at one mark.
const NAMES: usize = 3;

#[derive(Debug, Serialize)]
pub(super) struct Holds {
    holds: Vec<Row>,
    more: usize,
    ticks: Vec<Tick>,
    marks: Vec<Mark>,
    conclusion: Option<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    title: String,
    anchor: Option<String>,
    symbol: &'static str,
    tone: &'static str,
    outcome: String,
    detail: String,
    near: Vec<String>,
    width: String,
    /// Where the mark of the cut stands.
    cut: Option<String>,
    /// How long it was meant to last.
    planned: String,
    marks: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Tick {
    x: String,
    label: String,
    anchor: &'static str,
}

#[derive(Debug, Serialize)]
struct Mark {
    seconds: u32,
    /// Products seen on this path.
    here: String,
    others: String,
}

struct Seen<'a> {
    title: String,
    anchor: Option<String>,
    hold: &'a Hold,
}

impl Holds {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let found = case.views.iter().flat_map(|view| {
            let all = view.observations();
            all.filter_map(|(o, _)| seen(view, o))
        });
        let (found, more) = limited(found, COUNT);
        let length = |one: &Seen<'_>| {
            let held = one.hold.result.ok().map_or(0.0, |held| held.held_ms);
            one.hold.planned_ms.max(held).clamp(0.0, 1e9) / 1e3
        };
        let longest = found.iter().map(length).fold(1.0, f64::max);
        let marks = marks(case, longest);
        let lines: Vec<String> =
            marks.iter().map(|mark| words::percent(f64::from(mark.seconds), longest)).collect();
        let holds = found.iter().map(|one| row(case.signatures, one, longest, &lines)).collect();
        let ticks = (0..=4)
            .map(|at| {
                let seconds = longest * f64::from(at) / 4.0;
                let digits = usize::from(longest < 10.0);
                Tick {
                    x: words::percent(f64::from(at), 4.0),
                    label: format!("{seconds:.digits$} s"),
                    anchor: ["start", "middle", "middle", "middle", "end"][at as usize],
                }
            })
            .collect();
        Self { holds, more, ticks, marks, conclusion: conclusion(case) }
    }
}

fn seen<'a>(view: &View<'a>, o: &'a Observation) -> Option<Seen<'a>> {
    let Step::Hold(hold) = &o.step else { return None };
    let kind = match hold.ping_interval_ms {
        Some(every) => format!("pings every {}", words::ms(every)),
        None => "silent".to_owned(),
    };
    let title = format!("{}, {}, {kind}", view.name, o.route);
    Some(Seen {
        title: words::cut(&title, 120),
        anchor: view.anchor(&o.id).map(str::to_owned),
        hold,
    })
}

fn row(known: &Signatures, one: &Seen<'_>, longest: f64, marks: &[String]) -> Row {
    let planned = one.hold.planned_ms / 1e3;
    let row = |symbol, tone, outcome: String, detail: String, held_s: f64| Row {
        title: one.title.clone(),
        anchor: one.anchor.clone(),
        symbol,
        tone,
        outcome,
        detail: words::cut(&detail, 300),
        near: Vec::new(),
        width: words::percent(held_s, longest),
        cut: None,
        planned: words::percent(planned, longest),
        marks: marks.to_vec(),
    };
    match &one.hold.result {
        Outcome::Ok(held) if held.ending.how == EndedBy::StillOpen => {
            let outcome = format!("still open after {planned:.0} s");
            let detail = "a limit above that is unknown".to_owned();
            row("✓", "good", outcome, detail, held.held_ms / 1e3)
        }
        Outcome::Ok(held) if held.ending.how == EndedBy::Silence => {
            // Nobody cut it: what is known is when a sign of life was asked for in vain.
            let seconds = match one.hold.ping_interval_ms {
                Some(_) => held.held_ms / 1e3,
                None => held.held_ms.min(one.hold.planned_ms) / 1e3,
            };
            let outcome = format!("no answer after {seconds:.1} s");
            Row {
                cut: Some(words::percent(seconds, longest)),
                ..row("✗", "bad", outcome, ended(&held.ending), seconds)
            }
        }
        Outcome::Ok(held) => {
            let seconds = held.held_ms / 1e3;
            let outcome = format!("cut after {seconds:.1} s");
            Row {
                near: near(known, one.hold, held),
                cut: Some(words::percent(seconds, longest)),
                ..row("✗", "bad", outcome, ended(&held.ending), seconds)
            }
        }
        Outcome::Failed(failure) => {
            row("?", "warn", "could not be held".to_owned(), failure.to_string(), 0.0)
        }
    }
}

/// Products that cut about then by default.
fn near(known: &Signatures, hold: &Hold, held: &Held) -> Vec<String> {
    let seconds = held.held_ms / 1e3;
    let known = match hold.ping_interval_ms {
        Some(_) => known.lifetime_limits(seconds),
        None => known.idle_defaults(seconds),
    };
    let near = known.iter().take(6);
    near.map(|(product, limit, setting)| format!("{product}: {limit} s ({setting})")).collect()
}

/// Known idle defaults that the axis reaches; those of devices on this path apart.
fn marks(case: &Case<'_>, longest: f64) -> Vec<Mark> {
    let mut by_time: BTreeMap<u32, [BTreeSet<&str>; 2]> = BTreeMap::new();
    for signature in case.signatures.iter() {
        let Some(limit) = signature.idle_default_s.filter(|s| f64::from(*s) <= longest) else {
            continue;
        };
        let devices = &case.diagnosis.devices;
        let here = devices.iter().any(|d| d.product.as_deref() == Some(&signature.name));
        by_time.entry(limit).or_default()[usize::from(here)].insert(&signature.name);
    }
    by_time
        .into_iter()
        .map(|(seconds, [others, here])| {
            let (others, more) = limited(others, NAMES);
            let mut others = others.join(", ");
            if more > 0 {
                others.push_str(&format!(" and {more} more"));
            }
            Mark { seconds, here: here.into_iter().collect::<Vec<_>>().join(", "), others }
        })
        .collect()
}

/// What the two holds say together.
fn conclusion(case: &Case<'_>) -> Option<String> {
    let idle = case.diagnosis.idle.as_ref()?;
    let cut = idle.cut_after_s?;
    if idle.cut_by == Some("silence") {
        let alive = idle.alive_s.map_or(String::new(), |s| format!("after {s:.1} s of silence a connection still answered, "));
        return Some(format!(
            "Nobody ended anything: {alive}after {cut:.1} s none did. The limit lies in between."
        ));
    }
    Some(match idle.keepalive_survives {
        Some(true) => format!(
            "The silent connection was cut after {cut:.1} s and the pinging one outlived it: \
             something on the path has an idle timeout."
        ),
        Some(false) => format!(
            "Both were cut after about {cut:.1} s, pings or not: something on the path limits \
             how long a connection may live."
        ),
        None => format!("The silent connection was cut after {cut:.1} s."),
    })
}
