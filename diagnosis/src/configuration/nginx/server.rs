//! Which `server` a request comes to, as nginx finds it: by the port that it
//! listens on, then by name (ngx_http_core_module, `server_name`).

use super::include::missing;
use super::location::pcre;
use super::parse::Directive;
use super::tree::{Forest, Tree};
use crate::configuration::Request;
use crate::configuration::chain::Hop;

/// A `listen` line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listen<'t> {
    /// The line; `None` for port 80 of a server without one.
    pub(crate) line: Option<&'t Directive>,
    /// First and last port.
    pub(crate) ports: (u16, u16),
    /// Whether it says `ssl`.
    pub(crate) tls: bool,
    /// Whether it waits for a PROXY header.
    pub(crate) proxy_protocol: bool,
}

impl Listen<'_> {
    pub(crate) fn has(&self, port: u16) -> bool {
        (self.ports.0..=self.ports.1).contains(&port)
    }
}

/// How the request comes to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    /// The port that nginx sees.
    pub(super) port: Option<u16>,
    /// Whether nginx itself ends TLS.
    pub(super) tls: Option<bool>,
}

/// The server that takes a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picked<'t> {
    /// The directives of `http`; of the part, where no `http` was given.
    pub(super) http: &'t [Directive],
    /// Whether an `http` block was given.
    pub(super) whole: bool,
    /// The server.
    pub(super) server: &'t Directive,
    /// How the request comes there.
    pub(super) arrival: Arrival,
    /// False where nothing but its being the only one speaks for it.
    pub(super) sure: bool,
}

/// It cannot be told: where, and why.
pub(super) type Lost<'t> = (Option<&'t Directive>, String);

/// One server with the `http` that it stands in.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'t> {
    pub(crate) http: &'t [Directive],
    pub(crate) whole: bool,
    pub(crate) server: &'t Directive,
}

/// Every `server` of HTTP with the `http` level that it stands in.
pub(crate) fn servers(forest: &Forest) -> Vec<Candidate<'_>> {
    fn https(tree: &Tree) -> impl Iterator<Item = &[Directive]> {
        tree.directives.iter().filter(|d| d.name == "http").filter_map(|d| d.block.as_deref())
    }
    let main = forest.trees.iter().flat_map(https).next();
    let mut out = Vec::new();
    for tree in &forest.trees {
        let mut levels: Vec<_> = https(tree).map(|block| (block, block, true)).collect();
        // A part by itself stands in the one `http` that was given, if any.
        if levels.is_empty() {
            levels.push((main.unwrap_or(&tree.directives), &tree.directives, main.is_some()));
        }
        for (http, holder, whole) in levels {
            let servers = holder.iter().filter(|d| d.name == "server" && d.block.is_some());
            out.extend(servers.map(|server| Candidate { http, whole, server }));
        }
    }
    out
}

fn inside(server: &Directive) -> &[Directive] {
    server.block.as_deref().unwrap_or_default()
}

/// The `listen` lines of a server; port 80 where there is none.
pub(crate) fn listens(server: &Directive) -> Vec<Listen<'_>> {
    let block = inside(server);
    let all_tls = block.iter().any(|d| d.name == "ssl" && d.arg(0) == "on");
    let lines = || block.iter().filter(|d| d.name == "listen");
    let mut out: Vec<Listen<'_>> = lines()
        .filter(|d| !d.arg(0).starts_with("unix:"))
        .map(|d| {
            let says = |word: &str| d.args.iter().skip(1).any(|arg| arg == word);
            Listen {
                line: Some(d),
                ports: ports(d.arg(0)),
                tls: all_tls || says("ssl") || says("quic"),
                proxy_protocol: says("proxy_protocol"),
            }
        })
        .collect();
    if lines().next().is_none() {
        out.push(Listen { line: None, ports: (80, 80), tls: all_tls, proxy_protocol: false });
    }
    out
}

/// `443`, `*:443`, `[::]:443`, `8000-8010`; an address alone means port 80.
fn ports(word: &str) -> (u16, u16) {
    let last = match word.rsplit_once(']') {
        Some((_, after)) => after.strip_prefix(':').unwrap_or("80"),
        None => word.rsplit(':').next().unwrap_or(word),
    };
    let one = |text: &str| text.parse().ok();
    match last.split_once('-') {
        Some((from, to)) => (one(from).unwrap_or(80), one(to).unwrap_or(80)),
        None => one(last).map_or((80, 80), |port| (port, port)),
    }
}

fn is_default(server: &Directive) -> bool {
    inside(server).iter().any(|d| {
        d.name == "listen" && d.args.iter().any(|a| a == "default_server" || a == "default")
    })
}

/// How well a server's names fit a host: nginx prefers exact names, then the
/// longest wildcard in front, then behind, then the first pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum NameFit {
    None,
    Pattern,
    Behind(usize),
    Front(usize),
    Exact,
}

/// How a name with wildcards in front or behind, or none, fits; not patterns.
fn plain_fit(name: &str, host: &str) -> NameFit {
    let name = name.to_ascii_lowercase();
    if name == host {
        return NameFit::Exact;
    }
    let below = |tail: &str| host.ends_with(&format!(".{tail}"));
    let (fits, fit) = if let Some(tail) = name.strip_prefix("*.") {
        (below(tail), NameFit::Front(tail.len()))
    } else if let Some(tail) = name.strip_prefix('.') {
        (host == tail || below(tail), NameFit::Front(tail.len()))
    } else if let Some(head) = name.strip_suffix(".*") {
        (host.starts_with(&format!("{head}.")), NameFit::Behind(head.len()))
    } else {
        (false, NameFit::None)
    };
    if fits { fit } else { NameFit::None }
}

/// Whether a name of a `map` with `hostnames` fits.
pub(super) fn hostname_rank(name: &str, host: &str) -> Option<usize> {
    match plain_fit(name, host) {
        NameFit::None | NameFit::Pattern => None,
        NameFit::Behind(length) => Some(length),
        NameFit::Front(length) => Some(1_000 + length),
        NameFit::Exact => Some(1_000_000),
    }
}

fn name_fit(server: &Directive, host: &str) -> Result<NameFit, String> {
    let host = host.to_ascii_lowercase();
    let mut best = NameFit::None;
    for name in inside(server).iter().filter(|d| d.name == "server_name").flat_map(|d| &d.args) {
        let fit = match name.strip_prefix('~') {
            None => plain_fit(name, &host),
            Some(pattern) => match pcre(pattern, false) {
                Some(regex) if regex.is_match(&host) => NameFit::Pattern,
                Some(_) => NameFit::None,
                None => return Err(format!("the pattern {name} of a server_name is PCRE's own")),
            },
        };
        best = best.max(fit);
    }
    Ok(best)
}

/// Finds the server for a request; `hop` is what stands before nginx, where its
/// files were given, too.
pub(super) fn pick<'t>(
    forest: &'t Forest,
    request: &Request<'_>,
    hop: Option<&Hop>,
) -> Result<Picked<'t>, Lost<'t>> {
    let all = servers(forest);
    if all.is_empty() {
        return Err((None, "no `server` of HTTP is in the files that were given".into()));
    }
    let port = hop.map_or(request.port, |hop| hop.port);
    let on_port: Vec<Candidate<'t>> = all
        .iter()
        .filter(|one| listens(one.server).iter().any(|listen| listen.has(port)))
        .copied()
        .collect();
    let candidates = if on_port.is_empty() { &all } else { &on_port };
    let mut rated = Vec::new();
    for one in candidates {
        let fit = name_fit(one.server, request.host).map_err(|why| (Some(one.server), why))?;
        rated.push((fit, *one));
    }
    let best = rated.iter().map(|(fit, _)| *fit).max().unwrap_or(NameFit::None);
    if best == NameFit::None
        && let Some(include) = all.iter().find_map(|one| missing(one.http).next())
    {
        let why = format!("the server for {} may be in files that were not given", request.host);
        return Err((Some(include), why));
    }
    let fitting: Vec<_> =
        rated.into_iter().filter(|(fit, _)| *fit == best).map(|(_, c)| c).collect();
    if on_port.is_empty() {
        return elsewhere(&all, &fitting, best > NameFit::None, request, port);
    }
    // A part of a configuration, and for other names: the server for this one may
    // be in another part.
    let others = |one: &Candidate<'t>| {
        let names = inside(one.server).iter().filter(|d| d.name == "server_name");
        let mut names = names.flat_map(|d| &d.args).peekable();
        names.peek().is_some() && names.all(|name| !matches!(name.as_str(), "_" | "" | "localhost"))
    };
    if best == NameFit::None && fitting.iter().all(|one| !one.whole && others(one)) {
        let why = format!(
            "no server for the name {} is in the files that were given; `nginx -T` prints all that \
             are in effect",
            request.host
        );
        return Err((fitting.first().map(|one| one.server), why));
    }
    // By name nginx takes the first of several; without one, the port's default.
    let default = fitting.iter().find(|one| best == NameFit::None && is_default(one.server));
    let Some(one) = default.or(fitting.first()) else {
        return Err((None, "no server fits".into()));
    };
    let arrival = Arrival { port: Some(port), tls: Some(hop.map_or(request.tls, |hop| hop.tls)) };
    Ok(picked(one, arrival, true))
}

fn picked<'t>(one: &Candidate<'t>, arrival: Arrival, sure: bool) -> Picked<'t> {
    Picked { http: one.http, whole: one.whole, server: one.server, arrival, sure }
}

/// No server listens on the port. Between client and nginx it may be translated:
/// then the one that takes requests for this name and hands them on is meant.
fn elsewhere<'t>(
    all: &[Candidate<'t>],
    fitting: &[Candidate<'t>],
    by_name: bool,
    request: &Request<'_>,
    port: u16,
) -> Result<Picked<'t>, Lost<'t>> {
    let lost = |at: Option<&Candidate<'t>>| {
        let what = match at {
            _ if by_name => format!(
                "no server for port {port} is in the files that were given: this one is for {}, \
                 and does not listen there",
                request.host
            ),
            _ => format!(
                "no server for port {port}, or for the name {}, is in the files that were given",
                request.host
            ),
        };
        Err((at.map(|one| one.server), format!("{what}; `nginx -T` prints all that are in effect")))
    };
    let chosen = match fitting {
        [one] => Some(one),
        // One that only sends visitors to https is not what they come to.
        several => {
            match several.iter().filter(|one| hands_on(one.server)).collect::<Vec<_>>()[..] {
                [one] if by_name => Some(one),
                _ => None,
            }
        }
    };
    let Some(one) = chosen else { return lost(fitting.first()) };
    let anonymous =
        !inside(one.server).iter().any(|d| d.name == "listen" || d.name == "server_name");
    let alone = all.len() == 1;
    let listens = listens(one.server);
    let arrival = match listens.as_slice() {
        _ if anonymous => Arrival { port: Some(request.port), tls: Some(request.tls) },
        [only] if only.ports.0 == only.ports.1 => {
            Arrival { port: Some(only.ports.0), tls: Some(only.tls) }
        }
        several => {
            let tls = several.iter().all(|l| l.tls);
            let same = tls || several.iter().all(|l| !l.tls);
            Arrival { port: None, tls: same.then_some(tls) }
        }
    };
    let passes = hands_on(one.server);
    let same_way = arrival.tls == Some(request.tls);
    if by_name && (passes || same_way) || alone && (anonymous || one.whole && passes) {
        return Ok(picked(one, arrival, true));
    }
    if alone && passes && !by_name {
        return Ok(picked(one, arrival, false));
    }
    // Another port's server: not its to answer.
    lost(Some(one))
}

/// Whether a server hands any request on.
fn hands_on(server: &Directive) -> bool {
    fn any(block: &[Directive]) -> bool {
        block.iter().any(|d| {
            d.name.ends_with("_pass")
                || d.name == "include"
                || any(d.block.as_deref().unwrap_or_default())
        })
    }
    any(inside(server))
}
