//! What was collected: checklist items, abstentions, collectors, bad bundles.

use super::{Built, ROWS, month, span};
use crate::store::query::Answers;
use crate::trends::chart::{self, Lying};
use crate::trends::counts::{Counts, Dims};
use crate::trends::model::records;
use crate::trends::part::{Behind, Cell, Section, Table};
use crate::trends::time::percent;
use std::collections::BTreeMap;
use wss_report::words;

pub(in crate::trends) fn checklist(
    answers: &Answers,
    dims: &mut Dims,
    behind: &mut Behind,
) -> Built {
    let (mut sums, mut counts) = (BTreeMap::<String, u64>::new(), Counts::default());
    for row in records(answers, "checklist", &["period", "to_blame", "item", "state", "n"])? {
        let slot = format!("{} {}", row.text("item"), row.text("state"));
        counts.add(&slot, dims.at(&row), row.count("n"));
        *sums.entry(slot).or_default() += row.count("n");
    }
    let items = ["upgrade-test", "proxy-or-load-balancer", "failed-handshake", "network-path"];
    let slots = |item: &str| ["complete", "partial", "missing"].map(|s| format!("{item} {s}"));
    let of = |slot: &String| sums.get(slot).copied().unwrap_or_default();
    let drawn: Vec<Lying> = items
        .iter()
        .map(|item| {
            let [complete, partial, missing] = slots(item);
            let parts = [of(&partial) + of(&missing), of(&complete)];
            let figures = [counts.sum(&[partial, missing]), counts.sum(&[complete])];
            Lying { name: words::item_title(item).to_owned(), parts, figures }
        })
        .collect();
    let chart = chart::lying("Checklist items".to_owned(), &drawn, ["incomplete", "complete"]);
    let cells = items.iter().map(|item| {
        let all = slots(item);
        let link = behind.link("item", &[item]);
        let left = of(&all[1]) + of(&all[2]);
        let mut cells = vec![Cell::head(words::item_title(item))];
        cells.extend(all.iter().enumerate().map(|(state, slot)| {
            let cell = Cell::number(of(slot)).figure(counts.sum(std::slice::from_ref(slot)));
            // What is complete needs no look.
            cell.link(link.clone().filter(|_| state > 0))
        }));
        let share = counts.figure("share", &all[1..], &all);
        cells.push(Cell::number(percent(left, all.iter().map(of).sum())).link(link).figure(share));
        cells
    });
    let columns = ["item", "#complete", "#partial", "#missing", "#incomplete"];
    let table = Table::new("How often each item was incomplete", &columns).fill(cells, 10);
    Ok(Section {
        id: "checklist",
        title: "Checklist",
        lead: "How complete each bundle was, alone. The upgrade test is complete with a bundle from each \
               side only."
            .to_owned(),
        chart: Some(chart),
        tables: vec![table],
        filtered: "all",
        counts: counts.pieces(),
    })
}

pub(in crate::trends) fn abstentions(
    answers: &Answers,
    dims: &mut Dims,
    behind: &mut Behind,
) -> Built {
    let (mut sums, mut counts) = (BTreeMap::<[String; 3], u64>::new(), Counts::default());
    for row in
        records(answers, "unsettled", &["period", "to_blame", "unsettled", "status", "cause", "n"])?
    {
        let key = ["unsettled", "status", "cause"].map(|name| row.text(name).to_owned());
        counts.add(&key.join(" "), dims.at(&row), row.count("n"));
        *sums.entry(key).or_default() += row.count("n");
    }
    let mut rows: Vec<_> = sums.into_iter().collect();
    rows.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
    let cells = rows.iter().map(|(key, n)| {
        let link = behind.link("unsettled", &key.each_ref().map(String::as_str));
        vec![
            Cell::head(&key[0]),
            Cell::new(&key[1]),
            Cell::new(&key[2]),
            Cell::number(n).link(link).figure(counts.sum(&[key.join(" ")])),
        ]
    });
    let columns = ["what would settle it", "status", "cause", "#bundles"];
    let table = Table::new("Unsettled verdicts", &columns).fill(cells, ROWS);
    Ok(Section {
        id: "unsettled",
        title: "Abstentions",
        lead: "Verdicts that are unknown or of low confidence, and what would have settled them first."
            .to_owned(),
        tables: vec![table],
        filtered: "all",
        counts: counts.pieces(),
        ..Section::default()
    })
}

/// Of one kind of collector: bundles, interrupted ones, those with defects; months.
#[derive(Default)]
struct Collected {
    n: [u64; 3],
    first: String,
    last: String,
}

pub(in crate::trends) fn collectors(
    answers: &Answers,
    dims: &mut Dims,
    behind: &mut Behind,
) -> Built {
    let measures = ["n", "interrupted", "defective"];
    let names = ["collector_version", "collector_os", "rules_version"];
    let columns = [&["period", "to_blame"][..], &names, &measures].concat();
    let (mut sums, mut counts) = (BTreeMap::<[String; 3], Collected>::new(), Counts::default());
    for row in records(answers, "collectors", &columns)? {
        let key = names.map(|name| row.text(name).to_owned());
        let (at, month) = (dims.at(&row), month(row.text("period")));
        let name = key.join(" ");
        let one = sums.entry(key).or_default();
        for (sum, measure) in one.n.iter_mut().zip(measures) {
            let n = row.count(measure);
            *sum += n;
            if n > 0 {
                counts.add(&format!("{name} {measure}"), at, n);
            }
        }
        if one.first.is_empty() || month < one.first.as_str() {
            one.first = month.to_owned();
        }
        one.last = one.last.clone().max(month.to_owned());
    }
    let cells = sums.iter().map(|(key, one)| {
        let link = behind.link("collector", &key.each_ref().map(String::as_str));
        let slots = measures.map(|measure| [format!("{} {measure}", key.join(" "))]);
        let number =
            |at: usize| Cell::number(one.n[at]).link(link.clone()).figure(counts.sum(&slots[at]));
        vec![
            Cell::head(&key[0]),
            Cell::new(&key[1]),
            number(0),
            number(1),
            number(2),
            Cell::new(&key[2]),
            Cell::new(span(&one.first, &one.last)).figure(counts.figure("seen", &slots[0], &[])),
        ]
    });
    let columns = [
        "collector",
        "system",
        "#bundles",
        "#interrupted",
        "#with defects",
        "judged by rules",
        "seen",
    ];
    let table = Table::new("Versions", &columns).fill(cells, ROWS);
    Ok(Section {
        id: "collectors",
        title: "Collectors",
        lead: format!(
            "The rules of this program are {}; bundles judged by others are judged again by --rejudge.",
            wss_diagnosis::rules_version()
        ),
        tables: vec![table],
        filtered: "all",
        counts: counts.pieces(),
        ..Section::default()
    })
}

pub(in crate::trends) fn bad(answers: &Answers, behind: &mut Behind) -> Built {
    let rows = records(answers, "bad", &["reason", "n", "one_source"])?;
    let cells = rows.iter().map(|row| {
        let link = behind.link("bad", &[row.text("reason")]);
        vec![
            Cell::head(row.text("reason")),
            Cell::number(row.count("n")).link(link),
            Cell::new(row.text("one_source")),
        ]
    });
    let columns = ["reason", "#inputs", "one of them"];
    Ok(Section {
        id: "bad",
        title: "Bad bundles",
        lead:
            "Inputs that could not be read. One that is replaced by a good bundle leaves this list."
                .to_owned(),
        tables: vec![Table::new("Bad inputs by reason", &columns).fill(cells, ROWS)],
        ..Section::default()
    })
}
