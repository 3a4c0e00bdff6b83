//! The servers of a backend: version, checks, PROXY header; and what arrives there.

use super::check::{Check, status_of};
use super::condition::holds;
use super::fetch::{Client, format};
use super::parse::{Line, Section};
use crate::configuration::{Kind, Place, Provided};
use std::collections::BTreeMap;

/// A `server` line.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// Its port.
    pub(crate) port: Option<u16>,
    /// Whether it is spoken to by TLS.
    pub(crate) tls: bool,
    /// Whether a PROXY header is sent to it.
    pub(crate) sends_proxy: bool,
    /// Where.
    pub(crate) place: Place,
    /// The line.
    pub(crate) line: String,
}

/// What arrives behind HAProxy.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// Whether HAProxy reads HTTP; else it passes bytes on.
    pub(crate) http: bool,
    /// Headers that it sets: the value, where it can be told.
    pub(crate) headers: BTreeMap<String, Option<String>>,
    /// The servers.
    pub(crate) servers: Vec<Server>,
}

/// The `server` lines of a section.
pub(super) fn servers(back: &Section) -> impl Iterator<Item = &Line> {
    back.lines.iter().filter(|l| matches!(l.word(0), "server" | "server-template"))
}

impl<'t> Check<'t> {
    /// What arrives at the servers.
    pub(super) fn arrives(
        &self,
        front: &'t Section,
        back: &'t Section,
        client: &Client<'_>,
    ) -> Way {
        let default = self.setting(back, &["default-server"]);
        let http = self.mode(front) != "tcp";
        let all = servers(back)
            .map(|line| {
                let says = |word: &str| {
                    line.from(3).iter().any(|w| w == word)
                        || default.is_some_and(|d| d.from(1).iter().any(|w| w == word))
                };
                let address = if line.word(0) == "server" { line.word(2) } else { line.word(3) };
                Server {
                    port: address.rsplit(':').next().and_then(|port| port.parse().ok()),
                    tls: if http { says("ssl") } else { self.request.tls },
                    sends_proxy: [
                        "send-proxy",
                        "send-proxy-v2",
                        "send-proxy-v2-ssl",
                        "send-proxy-v2-ssl-cn",
                    ]
                    .iter()
                    .any(|word| says(word)),
                    place: self.place(line),
                    line: line.shown(),
                }
            })
            .collect();
        let mut headers = BTreeMap::new();
        if self
            .setting(front, &["option", "forwardfor"])
            .or(self.setting(back, &["option", "forwardfor"]))
            .is_some()
        {
            headers.insert("x-forwarded-for".to_owned(), None);
        }
        let inherited = self.defaults(front);
        let sections = inherited.iter().rev().copied().chain([front, back]);
        for (section, line) in sections.flat_map(|s| s.lines.iter().map(move |l| (s, l))) {
            let sets = line.word(0) == "http-request"
                && matches!(line.word(1), "set-header" | "add-header");
            let deletes = line.is(&["http-request", "del-header"]);
            if !(sets || deletes) {
                continue;
            }
            let name = line.word(2).to_ascii_lowercase();
            match holds(line, section, client) {
                Ok(false) => {}
                Ok(true) if sets => {
                    headers.insert(name, format(line.word(3), client).ok());
                }
                Ok(true) => {
                    headers.insert(name, Some(String::new()));
                }
                Err(_) => {
                    headers.insert(name, None);
                }
            }
        }
        Way { http, headers, servers: all }
    }

    /// HTTP/2 to the servers, and what nobody checks.
    pub(super) fn servers(&mut self, back: &'t Section) {
        let default = self.setting(back, &["default-server"]);
        let all: Vec<&'t Line> = servers(back).collect();
        let option = |server: &Line, name: &str| {
            let of = |line: &Line| {
                let at = line.words.iter().rposition(|w| w == name)?;
                Some(line.word(at + 1).to_owned())
            };
            of(server).or_else(|| of(default?))
        };
        for server in &all {
            let ws = option(server, "ws");
            let proto = option(server, "proto").is_some_and(|p| p == "h2");
            let alpn = option(server, "alpn");
            let offers = alpn.as_deref().is_some_and(|a| a.split(',').any(|p| p == "h2"));
            // `ws auto` chooses HTTP/1.1 where ALPN leaves the choice.
            if (proto && ws.as_deref() != Some("h1"))
                || (offers && ws.as_deref() == Some("h2"))
                || (alpn.as_deref() == Some("h2") && ws.as_deref() != Some("h1"))
            {
                self.issue(
                    Kind::Http2,
                    server,
                    "speaks HTTP/2 to the backend, which an upgrade cannot cross unless the \
                     backend knows RFC 8441",
                );
                break;
            }
        }
        self.checks(back, &all);
        if let Some(server) = all.iter().find(|s| option(s, "maxconn").is_some()) {
            let many = option(server, "maxconn").unwrap_or_default();
            self.issue_if(
                Kind::Limit(503),
                server,
                format!(
                    "takes {many} connections at a time (maxconn), and each WebSocket is one for as \
                     long as it lasts: what is more waits in a queue, and gets 503"
                ),
            );
        }
        let sends = |line: &Line| line.words.iter().any(|w| w.starts_with("send-proxy"));
        if let Some(server) =
            all.iter().find(|s| sends(s)).copied().or(default.filter(|d| sends(d)))
        {
            self.issue_if(
                Kind::ProxyHeaderSent,
                server,
                "sends a PROXY header before anything else: a server that does not expect one \
                 (`proxy_protocol` in nginx' listen, `accept-proxy` in HAProxy's bind) refuses it",
            );
        }
    }

    fn checks(&mut self, back: &'t Section, all: &[&'t Line]) {
        let default = self.setting(back, &["default-server"]);
        let used = |l: &&&Line| !l.words.iter().any(|w| w == "backup" || w == "disabled");
        let in_turn: Vec<&&Line> = all.iter().filter(used).collect();
        if in_turn.len() < 2 {
            return;
        }
        let says = |line: &Line, word: &str| line.words.iter().any(|w| w == word);
        let checked = |l: &Line| {
            says(l, "check") || default.is_some_and(|d| says(d, "check")) && !says(l, "no-check")
        };
        let count = in_turn.len();
        if let Some(server) = in_turn.iter().find(|l| !checked(l)) {
            return self.issue(
                Kind::NotChecked,
                server,
                format!(
                    "has no `check`: of the {count} servers one that fails stays in the rotation, \
                     and every request that lands on it fails"
                ),
            );
        }
        let http = self
            .setting(back, &["option", "httpchk"])
            .or_else(|| back.lines.iter().find(|l| l.word(0) == "http-check"));
        let how = match http {
            Some(line) => format!("by `{}`", line.shown()),
            None => "only whether its port opens (`check` without `option httpchk`)".to_owned(),
        };
        self.issue_if(
            Kind::NotChecked,
            in_turn[0],
            format!(
                "is one of {count} servers, checked {how}: that it carries WebSocket is not asked"
            ),
        );
    }

    /// A rule that refuses what is above a rate.
    pub(super) fn limit(&mut self, line: &'t Line, action: &str, why: &str) {
        let Some(status) = status_of(line, action) else { return };
        let condition = line.words.iter().position(|w| w == "if" || w == "unless");
        let condition = condition.map(|at| line.from(at).join(" ")).unwrap_or_default();
        self.issue(
            Kind::Limit(status),
            line,
            format!("refuses with {status} what is above a rate ({condition}; {why} counts it)"),
        );
    }

    /// An issue that counts only where the probe saw what it foretells.
    pub(super) fn issue_if(&mut self, kind: Kind, at: &Line, says: impl Into<String>) {
        self.issue(kind, at, says);
        if let Some(last) = self.reading.issues.last_mut() {
            last.provided = Some(Provided::Condition);
        }
    }
}
