//! The held connections on one axis of time, with products' known defaults marked and the
//! limit between two silences; and when each began and ended, since one moment, one age and
//! one silence are three pictures.

use crate::part::limited;
use crate::{Case, View, words};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use wss_bundle::observation::Hold;
use wss_bundle::transcript::ended;
use wss_bundle::{Observation, Outcome, Step};
use wss_diagnosis::evidence::holding::Holding;
use wss_diagnosis::evidence::holding::{between, words as seconds};
use wss_diagnosis::signature::Signatures;

/// Connections drawn.
const COUNT: usize = 60;
/// Products named at one mark.
const NAMES: usize = 3;
/// An axis that is longer than this (seconds) is drawn by ratios: beside an hour, a minute
/// would be a pixel.
const LINEAR: f64 = 200.0;
/// Where the labels of such an axis may stand.
const TICKS: [f64; 9] = [10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0];
/// Pixels from one to the next in the picture of moments.
const LINE: usize = 11;

#[derive(Debug, Serialize)]
pub(super) struct Holds {
    holds: Vec<Row>,
    more: usize,
    ticks: Vec<Tick>,
    marks: Vec<Mark>,
    conclusion: Option<String>,
    /// Said where the axis is drawn by ratios.
    ratios: bool,
    moments: Option<Moments>,
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
    /// Between which silences the limit lies, on the route of this one: from where, and how
    /// far.
    between_from: Option<String>,
    between_width: Option<String>,
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

/// When each began and ended.
#[derive(Debug, Serialize)]
struct Moments {
    /// What it shows, for whoever cannot see it.
    label: String,
    said: &'static str,
    height: usize,
    lines: Vec<Line>,
    ticks: Vec<Tick>,
}

#[derive(Debug, Serialize)]
struct Line {
    y: usize,
    from: String,
    to: String,
    tone: &'static str,
    /// Whether it ended there.
    ended: bool,
}

struct Seen<'a> {
    title: String,
    anchor: Option<String>,
    o: &'a Observation,
    hold: &'a Hold,
    /// Bundle and route.
    of: (usize, &'a str),
}

/// Places on the axis.
#[derive(Clone, Copy)]
struct Axis {
    longest: f64,
    ratios: bool,
}

impl Axis {
    fn new(longest: f64) -> Self {
        Self { longest, ratios: longest > LINEAR }
    }

    fn place(self, s: f64) -> f64 {
        let s = if s.is_finite() { s.clamp(0.0, self.longest) } else { 0.0 };
        if self.ratios { (1.0 + s / 10.0).ln() / (1.0 + self.longest / 10.0).ln() } else { s / self.longest }
    }

    fn percent(self, s: f64) -> String {
        words::percent(self.place(s), 1.0)
    }

    fn ticks(self) -> Vec<Tick> {
        let digits = usize::from(self.longest < 40.0);
        let anchors = ["start", "middle", "middle", "middle", "end"];
        let at: Vec<(f64, &'static str)> = match self.ratios {
            false => (0..=4_u32)
                .map(|at| (self.longest * f64::from(at) / 4.0, anchors[at as usize]))
                .collect(),
            true => {
                let inner = TICKS.iter().copied().filter(|s| self.place(*s) < 0.93);
                let inner = inner.map(|s| (s, "middle"));
                [(0.0, "start")].into_iter().chain(inner).chain([(self.longest, "end")]).collect()
            }
        };
        let tick = |(s, anchor): (f64, &'static str)| Tick {
            x: self.percent(s),
            label: format!("{s:.digits$} s"),
            anchor,
        };
        at.into_iter().map(tick).collect()
    }
}

impl Holds {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let found = case.views.iter().enumerate().flat_map(|(bundle, view)| {
            let all = view.observations();
            all.filter_map(move |(o, _)| seen(bundle, view, o))
        });
        let mut found: Vec<Seen<'_>> = found.collect();
        // The shortest of a route first, as rungs stand on each other.
        found.sort_by(|a, b| {
            let key = |one: &Seen<'_>| (one.of.0, one.of.1.to_owned());
            key(a).cmp(&key(b)).then(a.hold.planned_ms.total_cmp(&b.hold.planned_ms))
        });
        let (found, more) = limited(found, COUNT);
        let length = |one: &Seen<'_>| {
            let held = Holding::of(one.o).map_or(0.0, |held| held.age_s());
            (one.hold.planned_ms / 1e3).max(held).clamp(0.0, 1e6)
        };
        let axis = Axis::new(found.iter().map(length).fold(1.0, f64::max));
        let marks = marks(case, axis.longest);
        let lines: Vec<String> =
            marks.iter().map(|mark| axis.percent(f64::from(mark.seconds))).collect();
        let holds = found
            .iter()
            .map(|one| {
                let between: Option<[String; 2]> = bracket(&found, one.of)
                    .map(|(low, high)| {
                        let width = axis.place(high) - axis.place(low);
                        [axis.percent(low), words::percent(width, 1.0)]
                    })
                    .filter(|_| Holding::of(one.o).is_some_and(|held| held.silent()));
                row(case.signatures, one, axis, &lines, between)
            })
            .collect();
        let (ticks, ratios) = (axis.ticks(), axis.ratios);
        let moments = moments(case, &found);
        Self { holds, more, ticks, marks, conclusion: conclusion(case), ratios, moments }
    }
}

fn seen<'a>(bundle: usize, view: &View<'a>, o: &'a Observation) -> Option<Seen<'a>> {
    let Step::Hold(hold) = &o.step else { return None };
    let kind = match (hold.ping_interval_ms, hold.keepalive_ms) {
        (Some(every), _) => format!("pings every {}", words::ms(every)),
        (_, Some(every)) => format!("silent but for TCP keepalive every {}", words::ms(every)),
        _ if o.probe == wss_bundle::observation::probe::HOLD_SERVER_DATA => {
            "the server sends data".to_owned()
        }
        _ => format!("silent for up to {}", seconds(hold.planned_ms.clamp(0.0, 1e9) / 1e3)),
    };
    let title = format!("{}, {}, {kind}", view.name, o.route);
    Some(Seen {
        title: words::cut(&title, 120),
        anchor: view.anchor(&o.id).map(str::to_owned),
        o,
        hold,
        of: (bundle, &o.route.0),
    })
}

/// Between which silences the limit of a route lies, where nobody was seen to end what was
/// silent.
fn bracket(all: &[Seen<'_>], of: (usize, &str)) -> Option<(f64, f64)> {
    let own = || all.iter().filter(|one| one.of == of).filter_map(|one| Holding::of(one.o));
    let dead = own()
        .filter(|one| one.silent() && one.ended())
        .min_by(|a, b| a.age_s().total_cmp(&b.age_s()))
        .filter(Holding::unseen)?;
    let alive = own().filter_map(|one| one.survived_s()).filter(|s| *s < dead.age_s());
    Some((alive.fold(0.0, f64::max), dead.age_s()))
}

fn row(
    known: &Signatures,
    one: &Seen<'_>,
    axis: Axis,
    marks: &[String],
    between: Option<[String; 2]>,
) -> Row {
    let row = |symbol, tone, outcome: String, detail: String, held_s: f64| Row {
        title: one.title.clone(),
        anchor: one.anchor.clone(),
        symbol,
        tone,
        outcome,
        detail: words::cut(&detail, 300),
        near: Vec::new(),
        width: axis.percent(held_s),
        cut: None,
        planned: axis.percent(one.hold.planned_ms / 1e3),
        marks: marks.to_vec(),
        between_from: between.as_ref().map(|[from, _]| from.clone()),
        between_width: between.as_ref().map(|[_, width]| width.clone()),
    };
    let Some(held) = Holding::of(one.o) else {
        let why = match &one.hold.result {
            Outcome::Failed(failure) => failure.to_string(),
            Outcome::Ok(_) => String::new(),
        };
        return row("?", "warn", "could not be held".to_owned(), why, 0.0);
    };
    let age = held.age_s();
    if !held.ended() {
        let outcome = format!("still open after {}", seconds(age));
        let above = match between.is_some() {
            true => String::new(),
            false => "a limit above that is unknown".to_owned(),
        };
        return row("✓", "good", outcome, above, age);
    }
    let outcome = match (held.unseen(), held.forgotten()) {
        (true, true) => format!("no answer after {age:.1} s"),
        (true, false) => format!("ended when it was asked, after {age:.1} s"),
        _ => format!("cut after {age:.1} s"),
    };
    Row {
        near: near(known, &held),
        cut: Some(axis.percent(age)),
        ..row("✗", "bad", outcome, ended(&held.held.ending), age)
    }
}

/// Products that cut about then by default.
fn near(known: &Signatures, one: &Holding<'_>) -> Vec<String> {
    // Of one that nobody was seen to end, the time is the collector's own.
    if one.unseen() {
        return Vec::new();
    }
    let known = match one.pings() {
        true => known.lifetime_limits(one.age_s()),
        false => known.idle_defaults(one.age_s()),
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

/// When each of the deciding route's began and ended; nothing where none ended.
fn moments(case: &Case<'_>, found: &[Seen<'_>]) -> Option<Moments> {
    let said = match case.diagnosis.idle.as_ref()?.picture? {
        "event" => "They end in one moment, whatever their age: that is one event.",
        "age" => "Each ends at the same age, pings or not: that is a limit of age.",
        "silence" if case.diagnosis.idle.as_ref()?.cut_by == Some("silence") => {
            "Those that were silent for longer are gone when they are asked: that is a limit of silence."
        }
        "silence" => {
            "The silent ones end after the same silence, and pings keep one up: that is a limit of silence."
        }
        "age-or-event" => "By age or by one event: from these the two cannot be told apart.",
        "unlike" => "Some end and others do not: no limit that holds for all of them does that.",
        _ => return None,
    };
    let route = case.diagnosis.findings.iter().find_map(|finding| {
        let cited = &finding.evidence.first;
        let own = |one: &&Seen<'_>| {
            one.o.id == cited.observation
                && case.views[one.of.0].bundle.manifest.id == cited.bundle
        };
        found.iter().find(own).map(|one| one.of)
    });
    let of = route.or_else(|| found.first().map(|one| one.of))?;
    let all: Vec<Holding<'_>> =
        found.iter().filter(|one| one.of == of).filter_map(|one| Holding::of(one.o)).collect();
    let first = all.iter().map(Holding::began_s).fold(f64::MAX, f64::min);
    let last = all.iter().map(Holding::moment_s).fold(first + 1.0, f64::max);
    let axis = Axis { longest: (last - first).clamp(1.0, 1e6), ratios: false };
    let mut lines: Vec<&Holding<'_>> = all.iter().collect();
    lines.sort_by(|a, b| a.began_s().total_cmp(&b.began_s()));
    let label: Vec<String> = lines
        .iter()
        .map(|one| {
            let what = if one.pings() { "pinging" } else { "silent" };
            let end = if one.ended() { "ended" } else { "was closed" };
            let at = |s: f64| format!("{:.1}", s - first);
            format!("{what}, from {} to {} s, {end}", at(one.began_s()), at(one.moment_s()))
        })
        .collect();
    let lines = (0..).zip(&lines).map(|(at, one)| Line {
        y: LINE / 2 + at * LINE,
        from: axis.percent(one.began_s() - first),
        to: axis.percent(one.moment_s() - first),
        tone: match (one.ended(), one.pings()) {
            (true, _) => "bad",
            (false, true) => "accent",
            (false, false) => "good",
        },
        ended: one.ended(),
    });
    let lines: Vec<Line> = lines.collect();
    Some(Moments {
        label: words::cut(&format!("From when to when each was open: {}", label.join("; ")), 2000),
        said,
        height: lines.len() * LINE,
        lines,
        ticks: axis.ticks(),
    })
}

/// What the holds say together.
fn conclusion(case: &Case<'_>) -> Option<String> {
    let idle = case.diagnosis.idle.as_ref()?;
    let cut = idle.cut_after_s?;
    let text = match (idle.picture, idle.cut_by, idle.keepalive_survives) {
        (Some("event"), ..) => {
            "Several were ended in the same moment, at different ages: by one event, not by a limit."
                .to_owned()
        }
        (Some("unlike"), ..) => {
            "Some ended, and others that were as silent for longer did not.".to_owned()
        }
        (Some("age-or-event"), _, Some(false)) => {
            format!("Both ended after about {cut:.1} s, pings or not: by their age, or by one event.")
        }
        (_, Some("silence"), _) => {
            let alive = idle.alive_s.map_or(String::new(), |s| {
                format!("after {} of silence a connection still answered, ", seconds(s))
            });
            format!(
                "Nobody was seen to end anything: {alive}after {} one did not. The limit is {}.",
                seconds(cut),
                between(idle.alive_s, cut)
            )
        }
        (_, _, Some(true)) => format!(
            "The silent connection was cut after {cut:.1} s and the pinging one outlived it: \
             something on the path has an idle timeout."
        ),
        (_, _, Some(false)) => format!(
            "Both were cut after about {cut:.1} s, pings or not: something on the path limits \
             how long a connection may live."
        ),
        _ => format!("The silent connection was cut after {cut:.1} s."),
    };
    let below = match idle.tcp_keepalive_survives.filter(|_| idle.picture == Some("silence")) {
        Some(true) => " One that was silent but for TCP keepalive stayed up.",
        Some(false) => " TCP keepalive did not keep one up: bytes of the connection's own are needed.",
        None => "",
    };
    Some(format!("{text}{below}"))
}
