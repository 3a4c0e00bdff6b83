//! What stands before the backend: limits, and who is asked whether the request
//! may pass.

use super::check::{Check, Scope};
use super::location::{Located, locate};
use super::parse::Directive;
use super::proxied::{Headers, has_token};
use super::value::{State, Value};
use crate::configuration::Kind;

impl<'t> Check<'t> {
    /// Says what may refuse the request before it is handed on.
    pub(super) fn access(&mut self, scope: &Scope<'t>, state: &State<'t>) {
        self.limits(scope, state);
        for one in scope.levels.iter().skip(1).flat_map(|level| level.iter()) {
            match one.name.as_str() {
                "deny" | "limit_except" => {
                    let why = "whether this lets the request pass depends on the client's address \
                               or method";
                    self.untold(Some(one), why, None);
                }
                "modsecurity" if one.arg(0) != "off" => {
                    let why = "whether this lets the request pass depends on ModSecurity's rules";
                    self.untold(Some(one), why, None);
                }
                _ => {}
            }
        }
        let level = scope.levels.iter().rev().find(|l| l.iter().any(|d| d.name == "auth_request"));
        let asked = level.and_then(|level| level.iter().find(|d| d.name == "auth_request"));
        if let Some(asked) = asked.filter(|d| d.arg(0) != "off") {
            self.asks(asked, state);
        }
    }

    fn limits(&mut self, scope: &Scope<'t>, state: &State<'t>) {
        for (name, zones, status) in [
            ("limit_req", "limit_req_zone", "limit_req_status"),
            ("limit_conn", "limit_conn_zone", "limit_conn_status"),
        ] {
            let of = |name: &str| {
                let level = scope.levels.iter().rev().find(|l| l.iter().any(|d| d.name == name))?;
                level.iter().find(|d| d.name == name)
            };
            let Some(limit) = of(name) else { continue };
            let code = of(status).and_then(|d| d.arg(0).parse().ok()).unwrap_or(503);
            let zone =
                limit.args.iter().find_map(|a| a.strip_prefix("zone=")).unwrap_or(limit.arg(0));
            let given = state.http.iter().find(|d| {
                d.name == zones
                    && d.args
                        .iter()
                        .filter_map(|a| a.strip_prefix("zone="))
                        .any(|z| z.split(':').next() == Some(zone))
            });
            let rate = given.and_then(|d| d.args.iter().find_map(|a| a.strip_prefix("rate=")));
            let much = match (name, rate) {
                ("limit_req", Some(rate)) => format!("requests to {rate}"),
                ("limit_req", None) => "the rate of requests".to_owned(),
                _ => format!("connections at a time to {}", limit.arg(1)),
            };
            let key = given.map_or(String::new(), |d| format!(" for each {}", d.arg(0)));
            let says = format!("limits {much}{key} ({name}): what is more gets {code}");
            self.issue(Kind::Limit(code), limit, says, true);
        }
    }

    /// `auth_request`: the subrequest has the client's headers, or those that the
    /// location sets; a service that is no WebSocket server refuses an upgrade.
    fn asks(&mut self, asked: &'t Directive, state: &State<'t>) {
        let server = state.server.block.as_deref().unwrap_or_default();
        let chain = match locate(server, asked.arg(0)) {
            Located::Here(chain) => chain,
            _ => Vec::new(),
        };
        let mut levels = vec![state.http, server];
        levels.extend(chain.iter().filter_map(|d| d.block.as_deref()));
        let headers = Headers::of(&levels);
        let upgrade =
            headers.named("Upgrade").filter(|set| match self.eval(state).value(set.arg(1)) {
                Value::Known(value) => has_token(&value, "websocket"),
                Value::Unknown(_) => false,
            });
        match upgrade.filter(|_| !chain.is_empty()) {
            Some(set) => {
                let inherited =
                    !levels.last().is_some_and(|l| l.iter().any(|d| std::ptr::eq(d, set)));
                let says = format!(
                    "is sent to {} as well, which auth_request asks before the backend ({}){}: what \
                     answers there gets an upgrade in place of a plain request, and an answer of its \
                     own other than 2xx, 401 or 403 becomes 500",
                    asked.arg(0),
                    self.place(asked),
                    if inherited { ", by inheritance" } else { "" }
                );
                self.issue(Kind::Subrequest, set, says, true);
            }
            None => {
                let why = format!("whether this lets the request pass depends on {}", asked.arg(0));
                self.untold(Some(asked), why, None);
            }
        }
    }
}
