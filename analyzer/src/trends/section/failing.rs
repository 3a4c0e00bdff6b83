//! How connections fail: idle limits, layers, and ways that several targets share.

use super::{Built, ROWS, span};
use crate::store::query::Answers;
use crate::trends::chart::{self, Column, Lying};
use crate::trends::counts::{Counts, Dims};
use crate::trends::model::{largest, records};
use crate::trends::part::{Behind, Cell, Section, Table};
use std::collections::{BTreeMap, BTreeSet};
use wss_diagnosis::signature::idle_defaults;

/// What is known of cuts after one number of seconds, or between two.
#[derive(Default)]
struct Cut {
    all: u64,
    survived: u64,
    by: BTreeMap<String, u64>,
    devices: BTreeSet<String>,
}

/// The limit as people say it: a number, or from one to another where nobody was seen to cut.
fn limit((cut, above): (i64, i64)) -> String {
    if above < cut { format!("{above} to {cut}") } else { cut.to_string() }
}

pub(in crate::trends) fn idle(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
    let columns =
        ["period", "to_blame", "above_s", "cut_after_s", "cut_by", "keepalive_survives", "n"];
    let (mut cuts, mut counts) = (BTreeMap::<(i64, i64), Cut>::new(), Counts::default());
    let mut held = 0;
    for row in records(answers, "holds", &columns)? {
        let n = row.count("n");
        let seconds = row.number("cut_after_s");
        if seconds < 0 {
            held += n;
            continue;
        }
        let at = dims.at(&row);
        let key = (seconds, row.number("above_s").min(seconds));
        let name = limit(key);
        let one = cuts.entry(key).or_default();
        one.all += n;
        if row.number("keepalive_survives") == 1 {
            one.survived += n;
            counts.add(&format!("{name} survived"), at, n);
        }
        let by = row.text("cut_by");
        counts.add(&format!("{name} {by}"), at, n);
        *one.by.entry(by.to_owned()).or_default() += n;
        let blamed = dims.device_of(at);
        if !row.text("to_blame").is_empty() {
            one.devices.insert(blamed.to_owned());
        }
    }
    let slots = |name: &str, one: &Cut| -> Vec<String> {
        one.by.keys().map(|by| format!("{name} {by}")).collect()
    };
    let drawn: Vec<Column> = cuts
        .iter()
        .map(|(key, one)| Column {
            from: key.1.min(key.0) as f64,
            to: key.0 as f64,
            count: one.all,
            name: format!("{} s, bundles", limit(*key)),
            figure: counts.sum(&slots(&limit(*key), one)),
        })
        .collect();
    let longest = cuts.keys().map(|(cut, _)| *cut).max().unwrap_or_default().clamp(10, 7_200);
    let defaults: BTreeSet<u32> =
        (1..=longest).flat_map(|s| idle_defaults(s as f64)).map(|(_, s, _)| s).collect();
    let marks: Vec<f64> = defaults.into_iter().map(f64::from).collect();
    let label = "Seconds of silence after which connections were cut; a broad bar is as broad as what \
                 is known of the limit; dashed lines are known defaults";
    let chart =
        (!drawn.is_empty()).then(|| chart::histogram(label.to_owned(), &drawn, &marks, "s"));
    let columns = [
        "seconds",
        "#bundles",
        "cut by",
        "#pings outlived it",
        "known defaults near it",
        "devices to blame",
    ];
    let rows = cuts.iter().map(|(key, one)| {
        let name = limit(*key);
        let link = behind.link("cut", &[&key.0.to_string()]);
        let by = largest(one.by.clone());
        let names: Vec<(String, String)> =
            by.iter().map(|(by, _)| (format!("{name} {by}"), by.clone())).collect();
        let by: Vec<String> = by.into_iter().map(|(name, _)| name).collect();
        // Of a limit that nobody was seen to keep, the number is the collector's own.
        let near = if key.1 < key.0 { Vec::new() } else { idle_defaults(key.0 as f64) };
        let near: Vec<String> =
            near.into_iter().take(4).map(|(name, s, _)| format!("{name} {s} s")).collect();
        let devices: Vec<&str> = one.devices.iter().map(String::as_str).take(5).collect();
        let all = slots(&name, one);
        vec![
            Cell::head(name.clone()),
            Cell::number(one.all).link(link.clone()).figure(counts.sum(&all)),
            Cell::new(by.join(", ")).figure(counts.names(&names)),
            Cell::number(one.survived).link(link).figure(counts.sum(&[format!("{name} survived")])),
            Cell::new(near.join(", ")),
            Cell::new(devices.join(", ")).figure(counts.figure("devices", &all, &[])),
        ]
    });
    let table = Table::new("Idle limits", &columns).fill(rows, 100);
    Ok(Section {
        id: "idle",
        title: "Idle limits seen",
        lead: format!(
            "After how many seconds of silence connections were cut; where nobody was seen to cut them, \
             between which two silences the limit lies. Of all holds, {held} were still open when they \
             ended."
        ),
        chart,
        tables: vec![table],
        filtered: "all",
        counts: counts.pieces(),
    })
}

pub(in crate::trends) fn layers(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
    let order = ["dns", "tcp", "proxy", "tls", "http", "upgrade", "frames", "hold"];
    let columns = ["period", "to_blame", "vantage", "layer", "status", "failure", "n"];
    let mut counts = Counts::default();
    let mut totals: BTreeMap<usize, [u64; 2]> = BTreeMap::new();
    let mut failures: BTreeMap<(usize, String), [u64; 2]> = BTreeMap::new();
    for row in records(answers, "layers", &columns)? {
        let Some(layer) = order.iter().position(|known| *known == row.text("layer")) else {
            continue;
        };
        let (n, at, failed) = (row.count("n"), dims.at(&row), row.text("status") == "fail");
        totals.entry(layer).or_default()[usize::from(!failed)] += n;
        counts.add(&format!("{layer} {}", row.text("status")), at, n);
        if failed {
            let (failure, side) =
                (row.text("failure"), usize::from(row.text("vantage") != "inside"));
            failures.entry((layer, failure.to_owned())).or_default()[side] += n;
            counts.add(&format!("{layer} {side} {failure}"), at, n);
        }
    }
    let drawn: Vec<Lying> = totals
        .iter()
        .map(|(layer, parts)| {
            let figures = ["fail", "pass"].map(|status| counts.sum(&[format!("{layer} {status}")]));
            Lying { name: order[*layer].to_owned(), parts: *parts, figures }
        })
        .collect();
    let chart = chart::lying(
        "Layers of the route that decides: bundles in which they fail, and pass".to_owned(),
        &drawn,
        ["fails", "passes"],
    );
    let mut sorted: Vec<_> = failures.into_iter().collect();
    let sum = |sides: &[u64; 2]| sides.iter().sum::<u64>();
    sorted.sort_by(|(a, x), (b, y)| a.0.cmp(&b.0).then(sum(y).cmp(&sum(x))).then(a.cmp(b)));
    let rows = sorted.into_iter().map(|((layer, failure), [inside, outside])| {
        let link = behind.link("layer", &[order[layer], &failure]);
        let slot = |side: usize| [format!("{layer} {side} {failure}")];
        vec![
            Cell::head(order[layer]),
            Cell::new(if failure.is_empty() { "–" } else { &failure }),
            Cell::number(inside).link(link.clone()).figure(counts.sum(&slot(0))),
            Cell::number(outside).link(link).figure(counts.sum(&slot(1))),
        ]
    });
    let columns = ["layer", "failure", "#inside", "#outside"];
    let table = Table::new("Failures by layer", &columns).fill(rows, ROWS);
    Ok(Section {
        id: "layers",
        title: "Layers and how they fail",
        lead:
            "Of the route that each machine's settings choose, bundle by bundle. What lies above a \
               layer that fails was mostly not reached."
                .to_owned(),
        chart: Some(chart),
        tables: vec![table],
        filtered: "all",
        counts: counts.pieces(),
    })
}

pub(in crate::trends) fn fingerprints(
    answers: &Answers,
    dims: &mut Dims,
    behind: &mut Behind,
) -> Built {
    let columns = ["fingerprint", "cause", "hosts", "n", "one_host", "first_month", "last_month"];
    let rows = records(answers, "fingerprints", &columns)?;
    let mut counts = Counts::default();
    let columns = ["fingerprint", "period", "vantage", "cause", "to_blame", "n"];
    for row in records(answers, "fingerprint_counts", &columns)? {
        counts.add(row.text("fingerprint"), dims.at(&row), row.count("n"));
    }
    let cells =
        rows.iter().map(|row| {
            let name = row.text("fingerprint");
            let link = behind.link("fingerprint", &[name]);
            vec![
                Cell::head(name),
                Cell::number(row.count("hosts")).link(link.clone()).whole(),
                Cell::number(row.count("n")).link(link).figure(counts.sum(&[name])),
                Cell::new(row.text("one_host")).whole(),
                Cell::new(span(row.text("first_month"), row.text("last_month")))
                    .figure(counts.figure("seen", &[name], &[])),
            ]
        });
    let columns = ["way of failing", "#targets", "#bundles", "one of them", "seen"];
    let table =
        Table::new("Ways of failing that several targets share", &columns).fill(cells, ROWS);
    Ok(Section {
        id: "fingerprints",
        title: "Targets that fail in the same way",
        lead: "The same cause, at the same layer, with the same failure and device, at several targets: \
               likely one remedy for all."
            .to_owned(),
        tables: vec![table],
        filtered: "all",
        counts: counts.pieces(),
        ..Section::default()
    })
}
