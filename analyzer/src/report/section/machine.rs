//! The machines that collected: proxy settings by source, name servers, network.

use crate::report::{Case, words};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Machines {
    machines: Vec<Machine>,
}

#[derive(Debug, Serialize)]
struct Machine {
    name: String,
    os: String,
    settings: Vec<Setting>,
    choices: Vec<Choice>,
    dns: String,
    interfaces: Vec<String>,
    hints: Vec<String>,
    clock: String,
    trust: String,
    notes: Vec<String>,
    said: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Setting {
    source: String,
    key: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Choice {
    client: String,
    route: String,
    because: String,
}

impl Machines {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all: Vec<_> = case.in_order().collect();
        let machines = all
            .iter()
            .map(|bundle| {
                let e = &bundle.environment;
                let answers = &bundle.manifest.answers;
                let said = [
                    ("load balancer", &answers.load_balancer),
                    ("network path", &answers.network_path),
                    ("browser", &answers.browser_message),
                ];
                Machine {
                    name: words::name(bundle, &all),
                    os: format!("{} {} {}", e.os.family, e.os.version, e.os.arch),
                    settings: e
                        .proxy_settings
                        .iter()
                        .map(|s| Setting {
                            source: s.source.clone(),
                            key: s.key.clone(),
                            value: s.value.clone(),
                        })
                        .collect(),
                    choices: e
                        .proxy_choices
                        .iter()
                        .map(|c| Choice {
                            client: c.client.clone(),
                            route: c.route.clone(),
                            because: c.because.clone(),
                        })
                        .collect(),
                    dns: format!("{} ({})", e.dns.name_servers.join(", "), e.dns.source),
                    interfaces: e
                        .interfaces
                        .iter()
                        .map(|i| {
                            let mtu = i.mtu.map(|m| format!(", MTU {m}")).unwrap_or_default();
                            let way = if i.default_route { ", default route" } else { "" };
                            format!("{}: {}{mtu}{way}", i.name, i.addresses.join(", "))
                        })
                        .collect(),
                    hints: e.hints.clone(),
                    clock: match e.clock.skew_s {
                        Some(skew) => format!("{skew:+.0} s against the server's"),
                        None => "not compared".into(),
                    },
                    trust: match (&e.trust.problem, e.trust.extra.is_empty()) {
                        (Some(problem), _) => format!("{}: {problem}", e.trust.source),
                        (None, true) => e.trust.source.clone(),
                        (None, false) => {
                            format!("{}, and {}", e.trust.source, e.trust.extra.join(", "))
                        }
                    },
                    notes: e.notes.clone(),
                    said: said
                        .iter()
                        .filter_map(|(what, text)| Some(format!("{what}: {}", text.as_ref()?)))
                        .collect(),
                }
            })
            .collect();
        Self { machines }
    }
}
