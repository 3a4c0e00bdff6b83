//! The machines that collected, and what is known of the network around them.

use crate::{Case, words};
use serde::Serialize;

/// Lines shown of one list.
const LINES: usize = 30;
/// Longest line.
const LINE: usize = 400;

#[derive(Debug, Serialize)]
pub(super) struct Machines {
    machines: Vec<Machine>,
}

#[derive(Debug, Serialize)]
struct Machine {
    name: String,
    facts: Vec<Fact>,
    hints: Vec<String>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Fact {
    what: &'static str,
    lines: Vec<String>,
}

fn lines<'a>(all: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    all.into_iter().take(LINES).map(|line| words::cut(line, LINE)).collect()
}

impl Machines {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let machines = case.views.iter().map(|view| {
            let (e, answers) = (&view.bundle.environment, &view.bundle.manifest.answers);
            let os = [&e.os.family, &e.os.version, &e.os.arch];
            let os: Vec<&str> =
                os.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            let interfaces: Vec<String> = e
                .interfaces
                .iter()
                .map(|i| {
                    let mtu = i.mtu.map(|mtu| format!(", MTU {mtu}")).unwrap_or_default();
                    let way = match (i.default_route, i.default_v4, i.default_v6) {
                        (_, true, true) => ", default route of IPv4 and IPv6",
                        (_, true, false) => ", default route of IPv4",
                        (_, false, true) => ", default route of IPv6",
                        (true, false, false) => ", default route",
                        (false, false, false) => "",
                    };
                    format!("{}: {}{mtu}{way}", i.name, i.addresses.join(", "))
                })
                .collect();
            let mut servers = e.dns.name_servers.clone();
            if !e.dns.source.is_empty() {
                servers.push(format!("from {}", e.dns.source));
            }
            let search: Vec<String> = e.dns.search.iter().map(|s| format!("search {s}")).collect();
            let trust = [Some(&e.trust.source).filter(|s| !s.is_empty()), e.trust.problem.as_ref()];
            let skew = match e.clock.skew_s {
                Some(skew) if skew.abs() < 1.0 => "agrees with the server's".to_owned(),
                Some(skew) => format!("{skew:+.0} s against the server's"),
                None => "not compared with a server's".to_owned(),
            };
            let offset = e.clock.utc_offset_minutes;
            let zone = format!("UTC{:+03}:{:02}", offset / 60, (offset % 60).abs());
            let facts = [
                ("Path, in words", lines(&answers.network_path)),
                ("Load balancer, in words", lines(&answers.load_balancer)),
                ("Browser's console", lines(&answers.browser_message)),
                ("System", lines([&os.join(", ")])),
                ("Name servers", lines(servers.iter().chain(&search))),
                ("Interfaces", lines(&interfaces)),
                ("Clock", vec![skew, zone]),
                ("Trusted roots", lines(trust.into_iter().flatten().chain(&e.trust.extra))),
            ];
            Machine {
                name: view.name.clone(),
                facts: facts
                    .into_iter()
                    .filter(|(_, lines)| lines.iter().any(|line| !line.is_empty()))
                    .map(|(what, lines)| Fact { what, lines })
                    .collect(),
                hints: lines(&e.hints),
                notes: lines(&e.notes),
            }
        });
        Self { machines: machines.collect() }
    }
}
