//! The way of an upgrade through Envoy: listener, filter chain, connection manager,
//! virtual host, route, cluster.

use super::gathered::{Gathered, kind};
use super::route::Asked;
use crate::configuration::chain::Hop;
use crate::configuration::part::{self, Part};
use crate::configuration::source::File;
use crate::configuration::{Issue, Kind, Place, Program, Provided, Reading, Request};
use wss_bundle::structured::Node;

pub(super) struct Check<'n> {
    pub(super) given: &'n Gathered<'n>,
    pub(super) request: &'n Request<'n>,
    pub(super) reading: Reading,
    pub(super) sure: bool,
    pub(super) provided: Option<Provided>,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let documents = part::of(files);
    let given = Gathered::of(&documents);
    let reading = Reading::new(Program(&super::DIALECT));
    let mut check = Check { given: &given, request, reading, sure: true, provided: None };
    check.run();
    check.reading
}

/// How to get what is in effect.
const DUMP: &str = "give what the admin port prints (/config_dump)";

impl<'n> Check<'n> {
    pub(super) fn follow(&mut self, part: Part<'n>, key: &str) {
        let (place, line) = at(part, key);
        self.reading.follow(place, line);
    }

    pub(super) fn untold(&mut self, part: Option<Part<'n>>, why: impl Into<String>) {
        self.reading.untold(part.map(Part::place), why.into(), None);
    }

    pub(super) fn issue(&mut self, kind: Kind, at: (Place, String), says: impl Into<String>) {
        let issue = Issue::new(kind, at.0, at.1, says.into());
        self.reading.issues.push(Issue { sure: self.sure, provided: self.provided, ..issue });
    }

    /// The same, of what counts only where the probe saw it.
    pub(super) fn maybe(&mut self, kind: Kind, at: (Place, String), says: impl Into<String>) {
        let before = self.provided.replace(Provided::Condition);
        self.issue(kind, at, says);
        self.provided = before;
    }

    fn run(&mut self) {
        let Some(listener) = self.listener() else { return };
        self.follow(listener, "name");
        let Some(chain) = self.chain(listener) else { return };
        for filter in chain.items("filters") {
            let Some(config) = filter.get("typed_config").or_else(|| filter.get("config")) else {
                continue;
            };
            match kind(config) {
                "HttpConnectionManager" => return self.manager(config),
                "TcpProxy" => {
                    self.follow(config, "cluster");
                    let why = "this listener passes bytes on and reads no HTTP: what becomes of an \
                               upgrade is for the next hop to say";
                    return self.untold(Some(config), why);
                }
                _ => {}
            }
        }
        self.untold(Some(chain), "no filter of it is one that is known here to read HTTP");
    }

    /// The listener of the port; the only one where the port is translated on the way.
    fn listener(&mut self) -> Option<Part<'n>> {
        let all = &self.given.listeners;
        let port = |l: &&Part<'n>| {
            let port = l.deep(&["address", "socket_address", "port_value"]);
            port.and_then(|p| p.node.number()) == Some(f64::from(self.request.port))
        };
        let on_port: Vec<Part<'n>> = all.iter().filter(port).copied().collect();
        match (on_port.as_slice(), all.as_slice()) {
            ([one], _) => Some(*one),
            ([], [one]) => {
                self.sure = false;
                let why = format!(
                    "this listener is not for port {}: what it does counts only if the request comes \
                     to it all the same",
                    self.request.port
                );
                self.untold(Some(*one), why);
                Some(*one)
            }
            ([first, ..], _) => {
                let why = format!("several listeners are for port {}", self.request.port);
                self.untold(Some(*first), why);
                None
            }
            ([], all) => {
                let why = match self.given.elsewhere.first() {
                    Some(_) => format!("listeners come from a server that is named here: {DUMP}"),
                    None if all.is_empty() => format!("no listener is in the files: {DUMP}"),
                    None => format!("no listener is for port {}", self.request.port),
                };
                let at = self.given.elsewhere.first().or(all.first()).copied();
                self.untold(at, why);
                None
            }
        }
    }

    /// The filter chain: by the name that TLS asked for, then by TLS or not, then by
    /// protocol, each time the nearest.
    fn chain(&mut self, listener: Part<'n>) -> Option<Part<'n>> {
        let mut left: Vec<Part<'n>> = listener.items("filter_chains").collect();
        let default = listener.get("default_filter_chain");
        let other = ["prefix_ranges", "address_suffix", "source_prefix_ranges", "source_ports"];
        for chain in &left {
            let own = chain.get("filter_chain_match");
            let by = own.and_then(|own| other.iter().find_map(|key| own.get(key)));
            if let Some(by) = by.filter(|_| left.len() > 1) {
                self.untold(Some(by), "which filter chain is taken depends on addresses");
                return None;
            }
        }
        for rank in RANKS {
            let best = left.iter().filter_map(|chain| rank(*chain, self.request)).min();
            left.retain(|chain| best.is_some() && rank(*chain, self.request) == best);
        }
        if let Some(chain) = left.first().copied().or(default) {
            return Some(chain);
        }
        let how = if self.request.tls { "TLS" } else { "no TLS" };
        let says = format!(
            "has no filter chain for {} by {how}: Envoy ends the connection before it reads a request",
            self.request.host
        );
        self.maybe(Kind::PathRule(None), at(listener, "filter_chains"), says);
        None
    }

    fn manager(&mut self, manager: Part<'n>) {
        let routes = match manager.get("route_config") {
            Some(own) => own,
            None => {
                let name = manager.get("rds").map_or("", |rds| rds.text("route_config_name"));
                match self.given.route(name) {
                    Some(own) => own,
                    None => {
                        let at = manager.get("rds").or_else(|| manager.get("scoped_routes"));
                        let why = format!("the routes {name} come from elsewhere: {DUMP}");
                        return self.untold(at.or(Some(manager)), why);
                    }
                }
            }
        };
        let asked = match Asked::of(manager, self.request) {
            Ok(asked) => asked,
            Err((at, why)) => return self.untold(Some(at), why),
        };
        match asked.host(routes) {
            Ok(Some(host)) => {
                self.follow(host, "domains");
                self.routes(manager, routes, host, &asked);
            }
            Ok(None) => {
                let says = format!(
                    "has no virtual host whose domains take {}: Envoy answers 404",
                    asked.authority
                );
                self.issue(Kind::PathRule(Some(404)), at(routes, "virtual_hosts"), says);
            }
            Err((part, why)) => self.untold(Some(part), why),
        }
    }

    fn routes(&mut self, manager: Part<'n>, routes: Part<'n>, host: Part<'n>, asked: &Asked<'n>) {
        match asked.route(host) {
            Ok(Some(route)) => {
                self.follow(route, "match");
                self.taken(manager, &[route, host, routes], asked);
            }
            Ok(None) => {
                let says = format!(
                    "has no route that takes {}: Envoy answers 404, and Bindplane is not asked",
                    self.request.path
                );
                self.issue(Kind::PathRule(Some(404)), at(host, "routes"), says);
            }
            Err((part, why)) => {
                self.untold(Some(part), format!("whether this route applies depends on {why}"));
            }
        }
    }
}

/// How near a filter chain is to a request in one regard; `None` where it is not for it.
type Rank = fn(Part<'_>, &Request<'_>) -> Option<usize>;

/// In the order that Envoy asks.
const RANKS: [Rank; 4] = [by_port, by_name, by_transport, by_protocol];

fn by_port(chain: Part<'_>, request: &Request<'_>) -> Option<usize> {
    match chain.deep(&["filter_chain_match", "destination_port"]) {
        None => Some(1),
        Some(own) => (own.node.number() == Some(f64::from(request.port))).then_some(0),
    }
}

fn by_name(chain: Part<'_>, request: &Request<'_>) -> Option<usize> {
    let own = list(chain, "server_names");
    if own.is_empty() {
        return Some(usize::MAX);
    }
    let host = request.host.to_ascii_lowercase();
    own.iter().filter_map(|name| nearness(name.node.text(), &host, request.tls)).min()
}

fn by_transport(chain: Part<'_>, request: &Request<'_>) -> Option<usize> {
    let own = chain.deep(&["filter_chain_match", "transport_protocol"]);
    match own.map_or("", |own| own.node.text()) {
        "" => Some(1),
        own => (own == if request.tls { "tls" } else { "raw_buffer" }).then_some(0),
    }
}

fn by_protocol(chain: Part<'_>, request: &Request<'_>) -> Option<usize> {
    let own = list(chain, "application_protocols");
    let fits = request.tls && own.iter().any(|p| p.node.text() == "http/1.1");
    if own.is_empty() { Some(1) } else { fits.then_some(0) }
}

/// A list of a filter chain's match.
fn list<'n>(chain: Part<'n>, key: &str) -> Vec<Part<'n>> {
    chain.get("filter_chain_match").map(|own| own.items(key).collect()).unwrap_or_default()
}

/// How many labels a pattern of a server name leaves open; `None` where it does not fit.
fn nearness(pattern: &str, host: &str, tls: bool) -> Option<usize> {
    let pattern = pattern.to_ascii_lowercase();
    if !tls {
        return None;
    }
    match pattern.strip_prefix('*') {
        Some("") => Some(usize::MAX - 1),
        Some(end) if host.ends_with(end) && host.len() > end.len() => Some(host.len() - end.len()),
        Some(_) => None,
        None => (pattern == host).then_some(0),
    }
}

/// The place of a key of a part, and the line as one would show it.
pub(super) fn at(part: Part<'_>, key: &str) -> (Place, String) {
    let own = part.get(key).unwrap_or(part);
    (own.place(), format!("{key}: {}", shown(own.node)))
}

/// A value on one line, not too long.
pub(super) fn shown(node: &Node) -> String {
    use wss_bundle::structured::Value;
    match &node.value {
        Value::Scalar(text, _) => text.clone(),
        Value::List(all) if all.len() > 3 => format!("[{}, …]", shown(&all[0])),
        Value::List(all) => format!("[{}]", all.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Map(all) if all.len() > 3 => "{…}".to_owned(),
        Value::Map(all) => {
            let all: Vec<String> =
                all.iter().map(|(key, n)| format!("{key}: {}", shown(n))).collect();
            format!("{{ {} }}", all.join(", "))
        }
    }
}
