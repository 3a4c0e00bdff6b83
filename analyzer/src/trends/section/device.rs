//! Devices that left a mark: before the server, and on the customers' side.

use super::{BARS, Built, ROWS, month, span};
use crate::store::query::Answers;
use crate::trends::chart::{self, Lying};
use crate::trends::counts::{Counts, Dims};
use crate::trends::model::{device, largest, records};
use crate::trends::part::{Behind, Cell, Section, Table};
use crate::trends::time::percent;
use std::collections::BTreeMap;

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

/// Devices by role and name, those that were seen most often.
#[derive(Default)]
struct Devices {
    found: BTreeMap<(String, String), Seen>,
    /// How many there are, with those that are not among them.
    known: usize,
}

fn seen(answers: &Answers, dims: &mut Dims, roles: &[&str]) -> Result<(Devices, Counts), String> {
    let columns = [
        "role",
        "product",
        "version",
        "devices",
        "period",
        "to_blame",
        "cause",
        "status",
        "confidence",
        "n",
    ];
    let (mut out, mut counts) = (Devices::default(), Counts::default());
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
        out.known = usize::try_from(row.count("devices")).unwrap_or_default();
        let one = out.found.entry((role.to_owned(), name)).or_default();
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

fn device_section(
    answers: &Answers,
    dims: &mut Dims,
    behind: &mut Behind,
    roles: &[&str],
    caption: &str,
) -> Built {
    let (Devices { found, known }, counts) = seen(answers, dims, roles)?;
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
            Lying { name: named(key, &rows), parts: [one.all - one.working, one.working], figures }
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
    let mut table = Table::new(caption, &columns).fill(cells, ROWS);
    table.more += known.saturating_sub(rows.len());
    Ok(Section {
        chart: Some(chart),
        tables: vec![table],
        filtered: "all",
        counts: counts.pieces(),
        ..Section::default()
    })
}

/// A bar's name: with its role where another bar has the same.
fn named((role, name): &(String, String), rows: &[((String, String), Seen)]) -> String {
    let alone = rows.iter().filter(|((_, other), _)| other == name).count() == 1;
    if alone { shown(name) } else { format!("{} ({role})", shown(name)) }
}

fn shown(name: &str) -> String {
    if name.is_empty() { "does not show itself".to_owned() } else { name.to_owned() }
}

pub(in crate::trends) fn devices(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
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

pub(in crate::trends) fn proxies(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Built {
    let roles = ["forward-proxy", "tls-interceptor"];
    Ok(Section {
        id: "proxies",
        title: "Proxies and interceptors",
        lead: "On the customers' side: who is set as proxy, and who opens TLS.".to_owned(),
        ..device_section(answers, dims, behind, &roles, "Proxies and interceptors by product")?
    })
}
