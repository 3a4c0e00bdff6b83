//! DNS answers, by resolver and vantage.

use crate::report::{Case, words};
use serde::Serialize;
use wss_bundle::observation::Resolver;
use wss_bundle::{Outcome, Step};

#[derive(Debug, Serialize)]
pub(super) struct Lookups {
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    vantage: String,
    anchor: String,
    name: String,
    resolver: String,
    answer: String,
    records: Vec<String>,
    tone: &'static str,
}

impl Lookups {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all: Vec<_> = case.in_order().collect();
        let mut rows = Vec::new();
        for bundle in &all {
            for o in &bundle.observations.observations {
                let Step::Resolve(step) = &o.step else { continue };
                let (answer, records, tone) = match &step.result {
                    Outcome::Ok(found) => (
                        found
                            .addresses
                            .iter()
                            .map(ToString::to_string)
                            .collect::<Vec<_>>()
                            .join(", "),
                        found
                            .records
                            .iter()
                            .take(16)
                            .map(|r| format!("{} {} {} {}", r.name, r.ttl, r.kind, r.data))
                            .collect(),
                        "good",
                    ),
                    Outcome::Failed(failure) => (failure.to_string(), Vec::new(), "bad"),
                };
                rows.push(Row {
                    vantage: words::name(bundle, &all),
                    anchor: words::anchor(&bundle.manifest.id, &o.id),
                    name: step.name.clone(),
                    resolver: match &step.resolver {
                        Resolver::System => "the system".into(),
                        Resolver::NameServer(server) => format!("name server {server}"),
                        Resolver::Override => "option --resolve".into(),
                        Resolver::Literal => "none: it is an address".into(),
                    },
                    answer,
                    records,
                    tone,
                });
            }
        }
        Self { rows }
    }
}
