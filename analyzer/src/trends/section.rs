//! The sections that count everything, whatever the filters say.

use super::chart;
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

fn seen(answers: &Answers) -> Result<BTreeMap<(String, String), Seen>, String> {
    let columns = ["role", "product", "version", "cause", "status", "confidence", "n"];
    let mut out: BTreeMap<(String, String), Seen> = BTreeMap::new();
    for row in records(answers, "devices", &columns)? {
        let name = device(row.text("product"), row.text("version"));
        let one = out.entry((row.text("role").to_owned(), name)).or_default();
        let n = row.count("n");
        one.all += n;
        if row.text("status") == "working" {
            one.working += n;
        } else {
            *one.causes.entry(row.text("cause").to_owned()).or_default() += n;
        }
        if row.text("confidence") == "low" {
            one.unsure += n;
        }
        let first = row.text("first_month");
        if one.first.is_empty() || first < one.first.as_str() {
            one.first = first.to_owned();
        }
        one.last = one.last.clone().max(row.text("last_month").to_owned());
    }
    Ok(out)
}

fn device_table(
    answers: &Answers,
    behind: &mut Behind,
    roles: &[&str],
    caption: &str,
) -> Result<(Table, chart::Chart), String> {
    let mut rows: Vec<((String, String), Seen)> = seen(answers)?
        .into_iter()
        .filter(|((role, _), _)| roles.contains(&role.as_str()))
        .collect();
    rows.sort_by(|(a, x), (b, y)| y.all.cmp(&x.all).then_with(|| a.cmp(b)));
    let drawn: Vec<(String, u64, u64)> = rows
        .iter()
        .take(15)
        .map(|((_, name), one)| (shown(name), one.all - one.working, one.working))
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
    let cells = rows.iter().map(|((role, name), one)| {
        let link = if name.is_empty() { None } else { behind.link("product", name) };
        let causes: Vec<String> = largest(one.causes.clone())
            .into_iter()
            .take(3)
            .map(|(cause, n)| format!("{cause} ({n})"))
            .collect();
        vec![
            Cell::head(shown(name)),
            Cell::new(role),
            Cell::number(one.all).link(link),
            Cell::number(percent(one.all - one.working, one.all)),
            Cell::number(one.unsure),
            Cell::new(causes.join(", ")),
            Cell::new(span(&one.first, &one.last)),
        ]
    });
    Ok((Table::new(caption, &columns).fill(cells, ROWS), chart))
}

fn shown(name: &str) -> String {
    if name.is_empty() { "does not show itself".to_owned() } else { name.to_owned() }
}

fn span(first: &str, last: &str) -> String {
    if first == last { first.to_owned() } else { format!("{first} to {last}") }
}

pub(super) fn devices(answers: &Answers, behind: &mut Behind) -> Built {
    let roles = ["load-balancer", "waf", "cdn"];
    let caption = "Load balancers, firewalls and networks before the server";
    let (table, chart) = device_table(answers, behind, &roles, caption)?;
    Ok(Section {
        id: "devices",
        title: "Devices before the server",
        lead:
            "Devices that left a mark, by version, and what the bundles that show them fail of. A \
               device that is seen is not a device to blame."
                .to_owned(),
        chart: Some(chart),
        tables: vec![table],
        ..Section::default()
    })
}

pub(super) fn proxies(answers: &Answers, behind: &mut Behind) -> Built {
    let roles = ["forward-proxy", "tls-interceptor"];
    let (table, chart) =
        device_table(answers, behind, &roles, "Proxies and interceptors by product")?;
    Ok(Section {
        id: "proxies",
        title: "Proxies and interceptors",
        lead: "On the customers' side: who is set as proxy, and who opens TLS.".to_owned(),
        chart: Some(chart),
        tables: vec![table],
        ..Section::default()
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

pub(super) fn idle(answers: &Answers, behind: &mut Behind) -> Built {
    let columns = ["cut_after_s", "cut_by", "keepalive_survives", "device", "n"];
    let mut cuts: BTreeMap<i64, Cut> = BTreeMap::new();
    let mut held = 0;
    for row in records(answers, "holds", &columns)? {
        let n = row.count("n");
        let seconds = row.number("cut_after_s");
        if seconds < 0 {
            held += n;
            continue;
        }
        let one = cuts.entry(seconds).or_default();
        one.all += n;
        if row.number("keepalive_survives") == 1 {
            one.survived += n;
        }
        *one.by.entry(row.text("cut_by").to_owned()).or_default() += n;
        if !row.text("device").is_empty() {
            one.devices.insert(row.text("device").to_owned());
        }
    }
    let drawn: Vec<(f64, u64, String)> = cuts
        .iter()
        .map(|(s, Cut { all, .. })| (*s as f64, *all, format!("{s} s: {all} bundles")))
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
        "#seconds",
        "#bundles",
        "cut by",
        "#pings outlived it",
        "known defaults near it",
        "devices to blame",
    ];
    let rows = cuts.iter().map(|(seconds, Cut { all, survived, by, devices })| {
        let link = behind.link("cut", &seconds.to_string());
        let by: Vec<String> = largest(by.clone()).into_iter().map(|(name, _)| name).collect();
        let near: Vec<String> = idle_defaults(*seconds as f64)
            .into_iter()
            .take(4)
            .map(|(name, s, _)| format!("{name} {s} s"))
            .collect();
        let devices: Vec<&str> = devices.iter().map(String::as_str).take(5).collect();
        vec![
            Cell::number(seconds),
            Cell::number(all).link(link),
            Cell::new(by.join(", ")),
            Cell::number(survived),
            Cell::new(near.join(", ")),
            Cell::new(devices.join(", ")),
        ]
    });
    let table = Table::new("Idle limits", &columns).fill(rows, 100);
    Ok(Section {
        id: "idle",
        title: "Idle limits seen",
        lead: format!(
            "After how many seconds of silence connections were cut. {held} were still open when their \
             hold ended."
        ),
        chart,
        tables: vec![table],
        ..Section::default()
    })
}

pub(super) fn layers(answers: &Answers, behind: &mut Behind) -> Built {
    let order = ["dns", "tcp", "proxy", "tls", "http", "upgrade", "frames", "hold"];
    let columns = ["vantage", "layer", "status", "failure", "n"];
    let mut totals: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    let mut failures: BTreeMap<(usize, String), (u64, u64)> = BTreeMap::new();
    for row in records(answers, "layers", &columns)? {
        let Some(layer) = order.iter().position(|known| *known == row.text("layer")) else {
            continue;
        };
        let (n, failed) = (row.count("n"), row.text("status") == "fail");
        let total = totals.entry(layer).or_default();
        *(if failed { &mut total.0 } else { &mut total.1 }) += n;
        if failed {
            let one = failures.entry((layer, row.text("failure").to_owned())).or_default();
            *(if row.text("vantage") == "inside" { &mut one.0 } else { &mut one.1 }) += n;
        }
    }
    let drawn: Vec<(String, u64, u64)> = totals
        .iter()
        .map(|(layer, (fail, pass))| (order[*layer].to_owned(), *fail, *pass))
        .collect();
    let chart = chart::lying(
        "Layers of the route that decides: bundles in which they fail, and pass".to_owned(),
        &drawn,
        ["fails", "passes"],
    );
    let mut sorted: Vec<_> = failures.into_iter().collect();
    sorted
        .sort_by(|(a, x), (b, y)| a.0.cmp(&b.0).then((y.0 + y.1).cmp(&(x.0 + x.1))).then(a.cmp(b)));
    let rows = sorted.into_iter().map(|((layer, failure), (inside, outside))| {
        let link = behind.link("layer", order[layer]);
        vec![
            Cell::head(order[layer]),
            Cell::new(if failure.is_empty() { "–" } else { &failure }),
            Cell::number(inside).link(link),
            Cell::number(outside),
        ]
    });
    let columns = ["layer", "failure", "#inside", "#outside"];
    Ok(Section {
        id: "layers",
        title: "Layers and how they fail",
        lead:
            "Of the route that each machine's settings choose, bundle by bundle. What lies above a \
               layer that fails was mostly not reached."
                .to_owned(),
        chart: Some(chart),
        tables: vec![Table::new("Failures by layer", &columns).fill(rows, ROWS)],
        ..Section::default()
    })
}

pub(super) fn fingerprints(answers: &Answers, behind: &mut Behind) -> Built {
    let columns = ["fingerprint", "cause", "hosts", "n", "one_host", "first_month", "last_month"];
    let rows = records(answers, "fingerprints", &columns)?;
    let cells = rows.iter().map(|row| {
        let name = row.text("fingerprint");
        let link = behind.link("fingerprint", name);
        vec![
            Cell::head(name),
            Cell::number(row.count("hosts")),
            Cell::number(row.count("n")).link(link),
            Cell::new(row.text("one_host")),
            Cell::new(span(row.text("first_month"), row.text("last_month"))),
        ]
    });
    let columns = ["way of failing", "#targets", "#bundles", "one of them", "seen"];
    Ok(Section {
        id: "fingerprints",
        title: "Targets that fail in the same way",
        lead: "The same cause, at the same layer, with the same failure and device, at several targets: \
               likely one remedy for all."
            .to_owned(),
        tables: vec![Table::new("Ways of failing that several targets share", &columns).fill(cells, ROWS)],
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

fn by_cause(answers: &Answers) -> Result<Vec<(String, Outcome)>, String> {
    let columns = ["cause", "status", "last_cause", "last_status", "took_hours", "n"];
    let mut out: BTreeMap<String, Outcome> = BTreeMap::new();
    for row in records(answers, "outcomes", &columns)? {
        if row.text("status") == "working" {
            continue;
        }
        let one = out.entry(row.text("cause").to_owned()).or_default();
        let n = row.count("n");
        one.all += n;
        *(if row.text("last_status") == "working" {
            &mut one.works
        } else if row.text("last_cause") == row.text("cause") {
            &mut one.same
        } else {
            &mut one.other
        }) += n;
        if row.number("took_hours") > 0 {
            *one.took.entry(row.number("took_hours")).or_default() += n;
        }
    }
    let mut out: Vec<_> = out.into_iter().collect();
    out.sort_by(|(a, x), (b, y)| y.all.cmp(&x.all).then_with(|| a.cmp(b)));
    Ok(out)
}

pub(super) fn remedies(answers: &Answers, behind: &mut Behind) -> Built {
    let rows = by_cause(answers)?;
    let drawn: Vec<(String, u64, u64)> = rows
        .iter()
        .take(15)
        .map(|(cause, one)| (cause.clone(), one.all - one.works, one.works))
        .collect();
    let chart = chart::lying(
        "Cases with a later bundle: still failing, and working".to_owned(),
        &drawn,
        ["still fails", "works now"],
    );
    let cells = rows.iter().map(|(cause, one)| {
        let (low, high) = share(one.works, one.all);
        let link = behind.link("mended", cause);
        vec![
            Cell::head(cause),
            Cell::number(one.all).link(link),
            Cell::number(one.works),
            Cell::number(percent(one.works, one.all)),
            Cell::number(format!("{:.0} to {:.0} %", low * 100.0, high * 100.0)),
            Cell::number(one.same),
            Cell::number(one.other),
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
    Ok(Section {
        id: "remedies",
        title: "Before and after",
        lead: "Cases that sent another bundle from the same side later: did the remedy help?"
            .to_owned(),
        chart: Some(chart),
        tables: vec![
            Table::new("What became of cases, by the cause at first", &columns).fill(cells, ROWS),
        ],
        ..Section::default()
    })
}

pub(super) fn mending(answers: &Answers, behind: &mut Behind) -> Built {
    let mut columns = vec!["cause at first", "#mended"];
    let heads: Vec<String> = TOOK.iter().map(|(_, name)| format!("#{name}")).collect();
    columns.extend(heads.iter().map(String::as_str));
    let rows = by_cause(answers)?;
    let mended = rows.iter().filter(|(_, one)| !one.took.is_empty());
    let cells = mended.map(|(cause, one)| {
        let link = behind.link("mended", cause);
        let all: u64 = one.took.values().sum();
        let mut cells = vec![Cell::head(cause), Cell::number(all).link(link)];
        let count = |hours: i64| one.took.get(&hours).copied().unwrap_or_default();
        cells.extend(TOOK.iter().map(|(hours, _)| Cell::number(count(*hours))));
        cells
    });
    Ok(Section {
        id: "mending",
        title: "Time to a working bundle",
        lead: "From a case's first bundle to its first that works, from the same side; each column up to \
               the time that it names."
            .to_owned(),
        tables: vec![Table::new("How long it took", &columns).fill(cells, ROWS)],
        ..Section::default()
    })
}

pub(super) fn checklist(answers: &Answers, behind: &mut Behind) -> Built {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for row in records(answers, "checklist", &["vantage", "item", "state", "n"])? {
        let key = (row.text("item").to_owned(), row.text("state").to_owned());
        *counts.entry(key).or_default() += row.count("n");
    }
    let items = ["upgrade-test", "proxy-or-load-balancer", "failed-handshake", "network-path"];
    let of = |item: &str, state: &str| {
        counts.get(&(item.to_owned(), state.to_owned())).copied().unwrap_or_default()
    };
    let states = ["complete", "partial", "missing"];
    let drawn: Vec<(String, u64, u64)> = items
        .iter()
        .map(|item| {
            let left = of(item, "partial") + of(item, "missing");
            (words::item_title(item).to_owned(), left, of(item, "complete"))
        })
        .collect();
    let chart = chart::lying("Checklist items".to_owned(), &drawn, ["incomplete", "complete"]);
    let cells = items.iter().map(|item| {
        let all: u64 = states.iter().map(|state| of(item, state)).sum();
        let left = of(item, "partial") + of(item, "missing");
        let link = behind.link("item", item);
        vec![
            Cell::head(words::item_title(item)),
            Cell::number(of(item, "complete")),
            Cell::number(of(item, "partial")),
            Cell::number(of(item, "missing")),
            Cell::number(percent(left, all)).link(link),
        ]
    });
    let columns = ["item", "#complete", "#partial", "#missing", "#incomplete"];
    Ok(Section {
        id: "checklist",
        title: "Checklist",
        lead: "How complete each bundle was, alone. The upgrade test is complete with a bundle from each \
               side only."
            .to_owned(),
        chart: Some(chart),
        tables: vec![Table::new("How often each item was incomplete", &columns).fill(cells, 10)],
        ..Section::default()
    })
}

pub(super) fn abstentions(answers: &Answers, behind: &mut Behind) -> Built {
    let rows = records(answers, "unsettled", &["unsettled", "status", "cause", "n"])?;
    let cells = rows.iter().map(|row| {
        let link = behind.link("unsettled", row.text("unsettled"));
        vec![
            Cell::head(row.text("unsettled")),
            Cell::new(row.text("status")),
            Cell::new(row.text("cause")),
            Cell::number(row.count("n")).link(link),
        ]
    });
    let columns = ["what would settle it", "status", "cause", "#bundles"];
    Ok(Section {
        id: "unsettled",
        title: "Abstentions",
        lead: "Verdicts that are unknown or of low confidence, and what would have settled them first."
            .to_owned(),
        tables: vec![Table::new("Unsettled verdicts", &columns).fill(cells, ROWS)],
        ..Section::default()
    })
}

pub(super) fn collectors(answers: &Answers, behind: &mut Behind) -> Built {
    let columns =
        ["collector_version", "collector_os", "rules_version", "n", "interrupted", "defective"];
    let rows = records(answers, "collectors", &columns)?;
    let cells = rows.iter().map(|row| {
        let link = behind.link("collector", row.text("collector_version"));
        vec![
            Cell::head(row.text("collector_version")),
            Cell::new(row.text("collector_os")),
            Cell::number(row.count("n")).link(link),
            Cell::number(row.count("interrupted")),
            Cell::number(row.count("defective")),
            Cell::new(row.text("rules_version")),
            Cell::new(span(row.text("first_month"), row.text("last_month"))),
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
    Ok(Section {
        id: "collectors",
        title: "Collectors",
        lead: format!(
            "The rules of this program are {}; bundles judged by others are judged again by --rejudge.",
            wss_diagnosis::rules_version()
        ),
        tables: vec![Table::new("Versions", &columns).fill(cells, ROWS)],
        ..Section::default()
    })
}

pub(super) fn bad(answers: &Answers, behind: &mut Behind) -> Built {
    let rows = records(answers, "bad", &["reason", "n", "one_source"])?;
    let cells = rows.iter().map(|row| {
        let link = behind.link("bad", row.text("reason"));
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
