//! The sections that count bundles and outcomes, one after another.

use super::chart::{self, Lying};
use super::counts::{Counts, Dims};
use super::model::{device, largest, records};
use super::part::{Behind, Cell, Section, Table};
use super::statistics::share;
use super::time::percent;
use crate::report::words;
use crate::store::query::Answers;
use std::collections::{BTreeMap, BTreeSet};
use wss_diagnosis::signature::idle_defaults;

/// Rows of a table that are shown.
const ROWS: usize = 40;
/// Bars of a drawing.
const BARS: usize = 15;

type Built = Result<Section, String>;

/// Of one device: bundles in all, those that work, and the rest by cause.
#[derive(Default)]
struct Seen {
    all: u64,
    working: u64,
    unsure: u64,
    causes: BTreeMap<String, u64>,
    first: String,
    last: String,
}

type Devices = BTreeMap<(String, String), Seen>;

fn seen(answers: &Answers, dims: &mut Dims, roles: &[&str]) -> Result<(Devices, Counts), String> {
    let columns =
        ["period", "to_blame", "role", "product", "version", "cause", "status", "confidence", "n"];
    let (mut out, mut counts) = (Devices::new(), Counts::default());
    for row in records(answers, "devices", &columns)? {
        let (role, name) = (row.text("role"), device(row.text("product"), row.text("version")));
        if !roles.contains(&role) {
            continue;
        }
        let (n, at) = (row.count("n"), dims.at(&row));
        let working = row.text("status") == "working";
        counts.add(&format!("{role} {name} {}", if working { "works" } else { "fails" }), at, n);
        if row.text("confidence") == "low" {
            counts.add(&format!("{role} {name} unsure"), at, n);
        }
        let one = out.entry((role.to_owned(), name)).or_default();
        one.all += n;
        if working {
            one.working += n;
        } else {
            *one.causes.entry(row.text("cause").to_owned()).or_default() += n;
        }
        if row.text("confidence") == "low" {
            one.unsure += n;
        }
        let month = month(row.text("period"));
        if one.first.is_empty() || month < one.first.as_str() {
            one.first = month.to_owned();
        }
        one.last = one.last.clone().max(month.to_owned());
    }
    Ok((out, counts))
}

fn month(period: &str) -> &str {
    period.get(..7).unwrap_or(period)
}

fn device_section(
    answers: &Answers,
    dims: &mut Dims,
    behind: &mut Behind,
    roles: &[&str],
    caption: &str,
) -> Built {
    let (found, counts) = seen(answers, dims, roles)?;
    let mut rows: Vec<((String, String), Seen)> = found.into_iter().collect();
    rows.sort_by(|(a, x), (b, y)| y.all.cmp(&x.all).then_with(|| a.cmp(b)));
    let slots = |(role, name): &(String, String)| {
        ["fails", "works", "unsure"].map(|state| format!("{role} {name} {state}"))
    };
    let drawn: Vec<Lying> = rows
        .iter()
        .take(BARS)
        .map(|(key, one)| {
            let [fails, works, _] = slots(key);
            let figures = [counts.sum(&[fails]), counts.sum(&[works])];
            Lying { name: shown(&key.1), parts: [one.all - one.working, one.working], figures }
        })
        .collect();
    let label = format!("{caption}: bundles that do not work, and that work");
    let chart = chart::lying(label, &drawn, ["does not work", "works"]);
    let columns = [
        "device",
        "role",
        "#bundles",
        "#not working",
        "#low confidence",
        "most frequent causes",
        "seen",
    ];
    let cells = rows.iter().map(|(key, one)| {
        let link = behind.link("product", &[&key.0, &key.1]);
        let causes: Vec<String> = largest(one.causes.clone())
            .into_iter()
            .take(3)
            .map(|(cause, n)| format!("{cause} ({n})"))
            .collect();
        let [fails, works, unsure] = slots(key);
        let (failing, both) = ([fails.clone()], [fails, works]);
        vec![
            Cell::head(shown(&key.1)),
            Cell::new(&key.0),
            Cell::number(one.all).link(link.clone()).figure(counts.sum(&both)),
            Cell::number(percent(one.all - one.working, one.all))
                .figure(counts.figure("share", &failing, &both)),
            Cell::number(one.unsure).link(link).figure(counts.sum(&[unsure])),
            Cell::new(causes.join(", ")).figure(counts.figure("causes", &failing, &[])),
            Cell::new(span(&one.first, &one.last)).figure(counts.figure("seen", &both, &[])),
        ]
    });
    let table = Table::new(caption, &columns).fill(cells, ROWS);
    Ok(Section {
        chart: Some(chart),
        tables: vec![table],
        filtered: "all",
        counts: counts.pieces(),
        ..Section::default()
    })
}

fn shown(name: &str) -> String {
    if name.is_empty() { "does not show itself".to_owned() } else { name.to_owned() }
}

fn span(first: &str, last: &str) -> String {
    if first == last { first.to_owned() } else { format!("{first} to {last}") }
}

pub(super) fn devices(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
    let roles = ["load-balancer", "waf", "cdn"];
    let caption = "Load balancers, firewalls and networks before the server";
    Ok(Section {
        id: "devices",
        title: "Devices before the server",
        lead:
            "Devices that left a mark, by version, and what the bundles that show them fail of. A \
               device that is seen is not a device to blame."
                .to_owned(),
        ..device_section(answers, dims, behind, &roles, caption)?
    })
}

pub(super) fn proxies(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
    let roles = ["forward-proxy", "tls-interceptor"];
    Ok(Section {
        id: "proxies",
        title: "Proxies and interceptors",
        lead: "On the customers' side: who is set as proxy, and who opens TLS.".to_owned(),
        ..device_section(answers, dims, behind, &roles, "Proxies and interceptors by product")?
    })
}

/// What is known of cuts after one number of seconds.
#[derive(Default)]
struct Cut {
    all: u64,
    survived: u64,
    by: BTreeMap<String, u64>,
    devices: BTreeSet<String>,
}

pub(super) fn idle(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
    let columns = ["period", "to_blame", "cut_after_s", "cut_by", "keepalive_survives", "n"];
    let (mut cuts, mut counts) = (BTreeMap::<i64, Cut>::new(), Counts::default());
    let mut held = 0;
    for row in records(answers, "holds", &columns)? {
        let n = row.count("n");
        let seconds = row.number("cut_after_s");
        if seconds < 0 {
            held += n;
            continue;
        }
        let at = dims.at(&row);
        let one = cuts.entry(seconds).or_default();
        one.all += n;
        if row.number("keepalive_survives") == 1 {
            one.survived += n;
            counts.add(&format!("{seconds} survived"), at, n);
        }
        let by = row.text("cut_by");
        counts.add(&format!("{seconds} {by}"), at, n);
        *one.by.entry(by.to_owned()).or_default() += n;
        let blamed = dims.device_of(at);
        if !row.text("to_blame").is_empty() {
            one.devices.insert(blamed.to_owned());
        }
    }
    let slots = |seconds: i64, one: &Cut| -> Vec<String> {
        one.by.keys().map(|by| format!("{seconds} {by}")).collect()
    };
    let drawn: Vec<(f64, u64, String, String)> = cuts
        .iter()
        .map(|(s, one)| {
            (*s as f64, one.all, format!("{s} s, bundles"), counts.sum(&slots(*s, one)))
        })
        .collect();
    let longest = cuts.keys().last().copied().unwrap_or_default().clamp(10, 7_200);
    let defaults: BTreeSet<u32> =
        (1..=longest).flat_map(|s| idle_defaults(s as f64)).map(|(_, s, _)| s).collect();
    let marks: Vec<f64> = defaults.into_iter().map(f64::from).collect();
    let label =
        "Seconds of silence after which connections were cut; dashed lines are known defaults";
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
    let rows = cuts.iter().map(|(seconds, one)| {
        let link = behind.link("cut", &[&seconds.to_string()]);
        let by = largest(one.by.clone());
        let names: Vec<(String, String)> =
            by.iter().map(|(name, _)| (format!("{seconds} {name}"), name.clone())).collect();
        let by: Vec<String> = by.into_iter().map(|(name, _)| name).collect();
        let near: Vec<String> = idle_defaults(*seconds as f64)
            .into_iter()
            .take(4)
            .map(|(name, s, _)| format!("{name} {s} s"))
            .collect();
        let devices: Vec<&str> = one.devices.iter().map(String::as_str).take(5).collect();
        let all = slots(*seconds, one);
        vec![
            Cell::head(seconds.to_string()),
            Cell::number(one.all).link(link.clone()).figure(counts.sum(&all)),
            Cell::new(by.join(", ")).figure(counts.names(&names)),
            Cell::number(one.survived)
                .link(link)
                .figure(counts.sum(&[format!("{seconds} survived")])),
            Cell::new(near.join(", ")),
            Cell::new(devices.join(", ")).figure(counts.figure("devices", &all, &[])),
        ]
    });
    let table = Table::new("Idle limits", &columns).fill(rows, 100);
    Ok(Section {
        id: "idle",
        title: "Idle limits seen",
        lead: format!(
            "After how many seconds of silence connections were cut. Of all holds, {held} were still open \
             when they ended."
        ),
        chart,
        tables: vec![table],
        filtered: "all",
        counts: counts.pieces(),
    })
}

pub(super) fn layers(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
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

pub(super) fn fingerprints(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
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

pub(super) fn remedies(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
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

pub(super) fn mending(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
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

pub(super) fn checklist(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
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

pub(super) fn abstentions(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
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

pub(super) fn collectors(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
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

pub(super) fn bad(answers: &Answers, behind: &mut Behind) -> Built {
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
