//! The way of an upgrade through Traefik: entry point, router, middlewares, service.

use super::flat::{Entry, Flat, bare};
use super::rule::holds;
use crate::configuration::caddy::seconds;
use crate::configuration::chain::Hop;
use crate::configuration::source::File;
use crate::configuration::{
    Issue, Kind, NEEDED_S, Place, Program, Provided, Reading, Request, part,
};

/// Deepest chain of middlewares.
const DEPTH: usize = 8;

struct Check<'f, 'n> {
    flat: &'f Flat<'n>,
    request: &'f Request<'f>,
    reading: Reading,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let documents = part::of(files);
    let flat = Flat::of(&documents);
    let reading = Reading::new(Program(&super::DIALECT));
    let mut check = Check { flat: &flat, request, reading };
    check.run();
    check.reading
}

impl<'f, 'n> Check<'f, 'n> {
    fn follow(&mut self, entry: Option<&Entry<'n>>) {
        if let Some((place, line)) = entry.map(Entry::at) {
            self.reading.follow(place, line);
        }
    }

    fn untold(&mut self, entry: Option<&Entry<'n>>, why: impl Into<String>) {
        self.reading.untold(entry.map(|entry| entry.at().0), why.into(), None);
    }

    fn issue(&mut self, kind: Kind, at: (Place, String), says: impl Into<String>) {
        self.reading.issues.push(Issue::new(kind, at.0, at.1, says.into()));
    }

    fn maybe(&mut self, kind: Kind, at: (Place, String), says: impl Into<String>) {
        let issue = Issue::new(kind, at.0, at.1, says.into());
        self.reading.issues.push(Issue { provided: Some(Provided::Condition), ..issue });
    }

    fn run(&mut self) {
        let flat = self.flat;
        let points = flat.names(&["entrypoints"]);
        let on_port = |name: &&&str| {
            let address = flat.text(&["entrypoints", name, "address"]);
            let port = address.split('/').next().and_then(|a| a.rsplit_once(':')).map(|(_, p)| p);
            port.and_then(|p| p.parse().ok()) == Some(self.request.port)
        };
        let point = points.iter().find(on_port).copied();
        if let Some(point) = point {
            self.follow(flat.get(&["entrypoints", point, "address"]));
            self.times(point);
            let to = ["entrypoints", point, "http", "redirections", "entrypoint", "to"];
            if let Some(to) = flat.get(&to).filter(|_| !self.request.tls) {
                let says = "sends everything that comes here elsewhere (301), which a WebSocket does not follow";
                return self.issue(Kind::PathRule(Some(301)), to.at(), says);
            }
        }
        if let Some(router) = self.router(point) {
            self.routed(router);
        }
    }

    /// The router: of those whose rule holds the one of the greatest priority, which is
    /// the length of its rule unless it is set.
    fn router(&mut self, point: Option<&str>) -> Option<&'f str> {
        let flat = self.flat;
        let mut all: Vec<(i64, &str)> = Vec::new();
        for name in flat.names(&["http", "routers"]) {
            let of = |key: &'static str| ["http", "routers", name, key];
            let points = flat.below(&["http", "routers", name, "entrypoints"]);
            let elsewhere = !points.is_empty()
                && point
                    .is_some_and(|own| !points.iter().any(|p| p.value.eq_ignore_ascii_case(own)));
            if elsewhere {
                continue;
            }
            let rule = flat.text(&of("rule"));
            let length = i64::try_from(rule.len()).unwrap_or(i64::MAX);
            let own = flat.text(&of("priority")).parse().ok().filter(|own| *own != 0);
            all.push((own.unwrap_or(length), name));
        }
        if all.is_empty() {
            self.untold(None, "no router is in the files: give the dynamic configuration, too");
            return None;
        }
        all.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
        for (_, name) in &all {
            let rule = flat.get(&["http", "routers", name, "rule"]);
            let text = rule.map_or("", |rule| rule.value.as_str());
            match holds(text, self.request) {
                Ok(true) => {
                    self.follow(rule);
                    return Some(name);
                }
                Ok(false) => {}
                Err(why) => {
                    let why = format!("whether this router is taken depends on {why}");
                    self.untold(rule, why);
                    return None;
                }
            }
        }
        let rule = all.first().and_then(|(_, name)| flat.get(&["http", "routers", name, "rule"]));
        let says = format!(
            "is no rule that takes {} of {}, as is none of these files: Traefik answers 404",
            self.request.path, self.request.host
        );
        if let Some(at) = rule.map(Entry::at) {
            self.maybe(Kind::PathRule(Some(404)), at, says);
        }
        None
    }

    fn routed(&mut self, router: &str) {
        let flat = self.flat;
        let mut path = self.request.path.split('?').next().unwrap_or_default().to_owned();
        let names: Vec<String> = flat
            .below(&["http", "routers", router, "middlewares"])
            .iter()
            .map(|entry| bare(&entry.value))
            .collect();
        for name in names {
            if !self.middleware(&name, &mut path, 0) {
                return;
            }
        }
        let service = flat.get(&["http", "routers", router, "service"]);
        let name = service.map(|s| bare(&s.value));
        self.follow(service);
        // A container's labels name one service, which needs no naming.
        let only = flat.names(&["http", "services"]);
        let name = name.or_else(|| (only.len() == 1).then(|| only[0].to_owned()));
        match name {
            Some(name) => self.service(&name),
            None => self.untold(service, "which service takes the request was not given"),
        }
    }

    /// False where it ends the request.
    fn middleware(&mut self, name: &str, path: &mut String, depth: usize) -> bool {
        let flat = self.flat;
        let all: Vec<&Entry<'n>> = flat.below(&["http", "middlewares", name]).iter().collect();
        let Some(first) = all.first().copied() else {
            self.untold(None, format!("the middleware {name} was not given"));
            return true;
        };
        let kind = first.key.get(3).cloned().unwrap_or_default();
        let value =
            |key: &str| all.iter().find(|e| e.key.last().is_some_and(|k| k == key)).copied();
        match kind.as_str() {
            "headers" => self.headers(&all),
            "chain" if depth < DEPTH => {
                let names: Vec<String> = all.iter().map(|e| bare(&e.value)).collect();
                return names.iter().all(|name| self.middleware(name, path, depth + 1));
            }
            "basicauth" | "digestauth" => {
                let says = "asks for a password of its own";
                self.issue(Kind::PathRule(Some(401)), (first.at().0, kind), says);
                return false;
            }
            "forwardauth" | "ipallowlist" | "ipwhitelist" | "plugin" | "chain" => {
                self.untold(Some(first), format!("who may pass is decided by {kind}"));
            }
            "ratelimit" | "inflightreq" => {
                let says = "refuses requests above this (429)";
                self.maybe(Kind::Limit(429), first.at(), says);
            }
            "buffering" => {
                let says = "keeps whole requests and answers back before it sends them on, and an \
                            upgrade has no end";
                self.maybe(Kind::UpgradeHeaders, first.at(), says);
            }
            "redirectscheme" if !self.request.tls => {
                let code =
                    if value("permanent").is_some_and(|p| p.value == "true") { 301 } else { 302 };
                let says = "redirects to https, which a WebSocket does not follow";
                self.issue(Kind::PathRule(Some(code)), first.at(), says);
                return false;
            }
            "stripprefix" => {
                let cut = all.iter().find_map(|e| Some((*e, path.strip_prefix(e.value.as_str())?)));
                if let Some((by, rest)) = cut {
                    let rest =
                        if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
                    self.moved(by, rest, path);
                }
            }
            "addprefix" => {
                let to = format!("{}{path}", first.value);
                self.moved(first, to, path);
            }
            "replacepath" => self.moved(first, first.value.clone(), path),
            "redirectregex" | "replacepathregex" | "stripprefixregex" => {
                self.untold(Some(first), "this middleware may redirect, or change the path");
            }
            _ => {}
        }
        true
    }

    fn moved(&mut self, by: &Entry<'n>, to: String, path: &mut String) {
        let says = format!("asks Bindplane for {to} instead of {}", self.request.path);
        self.issue(Kind::PathChanged, by.at(), says);
        *path = to;
    }

    fn headers(&mut self, all: &[&Entry<'n>]) {
        let set = |e: &&&Entry<'n>| e.key.get(4).is_some_and(|key| key == "customrequestheaders");
        for entry in all.iter().filter(set) {
            let name = entry.key.get(5).map_or("", String::as_str);
            let value = entry.value.to_ascii_lowercase();
            let wanted = match name {
                "upgrade" => "websocket",
                "connection" => "upgrade",
                "host" => {
                    let says = "sets another Host than the browser used: browsers name theirs in Origin, \
                                and a server that compares the two refuses";
                    self.issue(Kind::Host, entry.at(), says);
                    continue;
                }
                _ => continue,
            };
            if !value.contains(wanted) {
                let says = "takes from the upgrade a header that makes it one: Traefik sends both on by \
                            itself";
                self.issue(Kind::UpgradeHeaders, entry.at(), says);
            }
        }
    }

    fn service(&mut self, name: &str) {
        let flat = self.flat;
        let own = flat.below(&["http", "services", name]);
        if own.is_empty() {
            return self.untold(None, format!("the service {name} was not given"));
        }
        let h2c = |e: &&Entry<'n>| match e.key.last().map(String::as_str) {
            Some("url") => e.value.starts_with("h2c://"),
            Some("scheme") => e.value == "h2c",
            _ => false,
        };
        if let Some(by) = own.iter().find(h2c) {
            let says = "speaks HTTP/2 to the backend, which an upgrade cannot cross";
            self.issue(Kind::Http2, by.at(), says);
        }
        let hides = |e: &&Entry<'n>| {
            e.key.last().is_some_and(|key| key == "passhostheader") && e.value == "false"
        };
        if let Some(by) = own.iter().find(hides) {
            let says = "sends the backend's own name as Host: browsers name theirs in Origin, and a \
                        server that compares the two refuses";
            self.issue(Kind::Host, by.at(), says);
        }
        let other = |e: &&Entry<'n>| {
            e.key
                .get(3)
                .is_some_and(|k| matches!(k.as_str(), "weighted" | "mirroring" | "failover"))
        };
        if let Some(by) = own.iter().find(other) {
            self.untold(
                Some(by),
                "which of its services takes the request is decided while it runs",
            );
        }
    }

    /// What its documents say of an entry point's times is of requests and of idle
    /// connections; people report both of sockets (traefik#8668, #10992).
    fn times(&mut self, point: &str) {
        let flat = self.flat;
        for (key, default) in [("readtimeout", 60.0), ("idletimeout", 180.0)] {
            let way = ["entrypoints", point, "transport", "respondingtimeouts", key];
            let (s, at) = match flat.get(&way) {
                Some(entry) => {
                    let number = entry.value.parse().ok();
                    (number.or_else(|| seconds(&entry.value)).unwrap_or(0.0), entry.at())
                }
                None => match flat.get(&["entrypoints", point, "address"]) {
                    Some(entry) => (default, entry.at()),
                    None => continue,
                },
            };
            if s > 0.0 && s < NEEDED_S {
                let name = if key == "readtimeout" { "readTimeout" } else { "idleTimeout" };
                let says = format!("has a {name} of {s:.0} s: some versions end sockets by it");
                self.maybe(Kind::Timeout(s), at, says);
            }
        }
    }
}
