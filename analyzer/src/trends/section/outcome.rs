//! What became of cases: whether a remedy helped, and how long it took.

use super::{BARS, Built, ROWS};
use crate::store::query::Answers;
use crate::trends::chart::{self, Lying};
use crate::trends::counts::{Counts, Dims};
use crate::trends::model::records;
use crate::trends::part::{Behind, Cell, Section, Table};
use crate::trends::statistics::share;
use crate::trends::time::percent;
use std::collections::BTreeMap;

#[derive(Default)]
struct Outcome {
    all: u64,
    works: u64,
    same: u64,
    other: u64,
    took: BTreeMap<i64, u64>,
}

const TOOK: [(i64, &str); 6] = [
    (1, "1 hour"),
    (4, "4 hours"),
    (24, "1 day"),
    (72, "3 days"),
    (168, "1 week"),
    (1_000_000, "longer"),
];

fn by_cause(
    answers: &Answers,
    dims: &mut Dims,
) -> Result<(Vec<(String, Outcome)>, Counts), String> {
    let columns =
        ["period", "to_blame", "cause", "status", "last_cause", "last_status", "took_hours", "n"];
    let (mut out, mut counts) = (BTreeMap::<String, Outcome>::new(), Counts::default());
    for row in records(answers, "outcomes", &columns)? {
        if row.text("status") == "working" {
            continue;
        }
        let (cause, n, at) = (row.text("cause"), row.count("n"), dims.at(&row));
        let one = out.entry(cause.to_owned()).or_default();
        one.all += n;
        let (state, count) = if row.text("last_status") == "working" {
            ("works", &mut one.works)
        } else if row.text("last_cause") == cause {
            ("same", &mut one.same)
        } else {
            ("other", &mut one.other)
        };
        *count += n;
        counts.add(&format!("{cause} {state}"), at, n);
        let hours = row.number("took_hours");
        if hours > 0 {
            *one.took.entry(hours).or_default() += n;
            counts.add(&format!("{cause} {hours}"), at, n);
        }
    }
    let mut out: Vec<_> = out.into_iter().collect();
    out.sort_by(|(a, x), (b, y)| y.all.cmp(&x.all).then_with(|| a.cmp(b)));
    Ok((out, counts))
}

pub(in crate::trends) fn remedies(
    answers: &Answers,
    dims: &mut Dims,
    behind: &mut Behind,
) -> Built {
    let (rows, counts) = by_cause(answers, dims)?;
    let slots = |cause: &str| ["works", "same", "other"].map(|state| format!("{cause} {state}"));
    let drawn: Vec<Lying> = rows
        .iter()
        .take(BARS)
        .map(|(cause, one)| {
            let [works, same, other] = slots(cause);
            let figures = [counts.sum(&[same, other]), counts.sum(&[works])];
            Lying { name: cause.clone(), parts: [one.all - one.works, one.works], figures }
        })
        .collect();
    let chart = chart::lying(
        "Cases with a later bundle: still failing, and working".to_owned(),
        &drawn,
        ["still fails", "works now"],
    );
    let cells = rows.iter().map(|(cause, one)| {
        let (low, high) = share(one.works, one.all);
        let link = behind.link("mended", &[cause]);
        let all = slots(cause);
        let [works, same, other] = all.each_ref().map(std::slice::from_ref);
        let number =
            |n: u64, slot: &[String]| Cell::number(n).link(link.clone()).figure(counts.sum(slot));
        vec![
            Cell::head(cause),
            number(one.all, &all),
            number(one.works, works),
            Cell::number(percent(one.works, one.all)).figure(counts.figure("share", works, &all)),
            Cell::number(format!("{:.0} to {:.0} %", low * 100.0, high * 100.0))
                .figure("none".to_owned()),
            number(one.same, same),
            number(one.other, other),
        ]
    });
    let columns = [
        "cause at first",
        "#cases with a later bundle",
        "#works now",
        "#share",
        "#95 % interval",
        "#same cause",
        "#another cause",
    ];
    let table =
        Table::new("What became of cases, by the cause at first", &columns).fill(cells, ROWS);
    Ok(Section {
        id: "remedies",
        title: "Before and after",
        lead: "Cases that sent another bundle from the same side later: did the remedy help?"
            .to_owned(),
        chart: Some(chart),
        tables: vec![table],
        filtered: "all",
        counts: counts.pieces(),
    })
}

pub(in crate::trends) fn mending(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
    let mut columns = vec!["cause at first", "#mended"];
    let heads: Vec<String> = TOOK.iter().map(|(_, name)| format!("#{name}")).collect();
    columns.extend(heads.iter().map(String::as_str));
    let (rows, counts) = by_cause(answers, dims)?;
    let mended: Vec<_> = rows.iter().filter(|(_, one)| !one.took.is_empty()).collect();
    let cells = mended.iter().map(|(cause, one)| {
        let link = behind.link("mended", &[cause]);
        let all: u64 = one.took.values().sum();
        let slots = TOOK.map(|(hours, _)| format!("{cause} {hours}"));
        let number =
            |n: u64, slot: &[String]| Cell::number(n).link(link.clone()).figure(counts.sum(slot));
        let mut cells = vec![Cell::head(cause), number(all, &slots)];
        let count = |hours: i64| one.took.get(&hours).copied().unwrap_or_default();
        let by_time = TOOK.iter().zip(&slots);
        cells.extend(
            by_time.map(|((hours, _), slot)| number(count(*hours), std::slice::from_ref(slot))),
        );
        cells
    });
    let table = Table::new("How long it took", &columns).fill(cells, ROWS);
    Ok(Section {
        id: "mending",
        title: "Time to a working bundle",
        lead: "From a case's first bundle to its first that works, from the same side; each column up to \
               the time that it names."
            .to_owned(),
        tables: vec![table],
        filtered: "all",
        counts: counts.pieces(),
        ..Section::default()
    })
}
