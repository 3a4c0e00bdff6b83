//! DNS answers, by name, resolver and vantage.

use crate::part::limited;
use crate::{Case, View, words};
use serde::Serialize;
use std::collections::BTreeSet;
use std::net::IpAddr;
use wss_bundle::observation::{Peer, Resolve, Resolver};
use wss_bundle::{Outcome, Step};

/// Lookups shown.
const COUNT: usize = 60;
/// Records shown of one answer.
const RECORDS: usize = 16;

#[derive(Debug, Serialize)]
pub(super) struct Lookups {
    rows: Vec<Row>,
    more: usize,
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    vantage: String,
    anchor: String,
    name: String,
    resolver: String,
    answer: String,
    records: Vec<String>,
    symbol: &'static str,
    tone: &'static str,
}

impl Lookups {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let rows = case.views.iter().flat_map(|view| {
            view.observations().filter_map(|(o, anchor)| match &o.step {
                Step::Resolve(step) => Some(row(view, anchor, step)),
                _ => None,
            })
        });
        let (rows, more) = limited(rows, COUNT);
        Self { rows, more, note: note(case) }
    }
}

fn row(view: &View<'_>, anchor: &str, step: &Resolve) -> Row {
    let (answer, records, symbol, tone) = match &step.result {
        Outcome::Ok(found) => {
            let records = found.records.iter().take(RECORDS);
            let records = records
                .map(|r| words::cut(&format!("{} {} {} {}", r.name, r.ttl, r.kind, r.data), 300));
            (words::found(found), records.collect(), "✓", "good")
        }
        Outcome::Failed(failure) => (failure.to_string(), Vec::new(), "✗", "bad"),
    };
    Row {
        vantage: view.name.clone(),
        anchor: anchor.to_owned(),
        name: words::cut(&step.name, 200),
        resolver: match &step.resolver {
            Resolver::System => "the system".into(),
            Resolver::NameServer(server) => format!("name server {server}"),
            Resolver::Override => "nobody: --resolve said so".into(),
            Resolver::Literal => "nobody: it is an address".into(),
        },
        answer: words::cut(&answer, 400),
        records,
        symbol,
        tone,
    }
}

/// Whether the vantages got the same addresses of the target.
fn note(case: &Case<'_>) -> Option<String> {
    let seen: Vec<(&str, BTreeSet<IpAddr>)> = case
        .views
        .iter()
        .map(|view| {
            let steps = view.observations().filter_map(|(o, _)| match &o.step {
                Step::Resolve(step) if step.peer == Peer::Target => step.result.ok(),
                _ => None,
            });
            (view.name.as_str(), steps.flat_map(|found| found.addresses.clone()).collect())
        })
        .filter(|(_, addresses): &(_, BTreeSet<IpAddr>)| !addresses.is_empty())
        .collect();
    let (first, addresses) = seen.first()?;
    let (other, _) = seen.iter().skip(1).find(|(_, others)| others.is_disjoint(addresses))?;
    Some(format!("{first} and {other} have no address of the target in common."))
}
