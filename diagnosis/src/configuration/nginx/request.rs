//! Which `server` and `location` a request comes to, as nginx finds them
//! (ngx_http_core_module, `server_name`, `location`). Where variables, rewrites
//! or patterns that only PCRE knows decide, it says so instead of guessing.

use super::parse::Directive;
use super::tree::Forest;
use crate::configuration::Request;
use regex::{Regex, RegexBuilder};

/// The blocks around the place where a request ends up, outermost first: `http`,
/// `server`, `location` …
#[derive(Debug, Clone)]
pub(super) struct Scope<'t> {
    /// Directives of each level.
    pub(super) levels: Vec<&'t [Directive]>,
    /// The `server` directive.
    pub(super) server: &'t Directive,
    /// The `location` directives, outermost first; none where none matches.
    pub(super) locations: Vec<&'t Directive>,
}

/// Where the search ended.
#[derive(Debug)]
pub(super) enum Found<'t> {
    /// There.
    Scope(Scope<'t>),
    /// nginx appends the slash that only the location has (301).
    Slash(&'t Directive),
    /// It cannot be told: where, and why.
    Unknown(Option<&'t Directive>, String),
}

/// Every `server` of HTTP with the `http` level that it stands in.
fn servers<'t>(forest: &'t Forest) -> Vec<(&'t [Directive], &'t Directive)> {
    let https = |tree: &'t super::tree::Tree| {
        tree.directives
            .iter()
            .filter(|d| d.name == "http")
            .filter_map(|d| d.block.as_deref())
            .collect::<Vec<_>>()
    };
    let mut main: Option<&'t [Directive]> = None;
    for tree in &forest.trees {
        main = main.or_else(|| https(tree).into_iter().next());
    }
    let mut out = Vec::new();
    for tree in &forest.trees {
        let blocks = https(tree);
        // A part by itself stands in the one `http` that was given, if any.
        let levels: Vec<(&'t [Directive], &'t [Directive])> = if blocks.is_empty() {
            vec![(main.unwrap_or(&tree.directives), &tree.directives)]
        } else {
            blocks.into_iter().map(|block| (block, block)).collect()
        };
        for (http, holder) in levels {
            let servers = holder.iter().filter(|d| d.name == "server" && d.block.is_some());
            out.extend(servers.map(|server| (http, server)));
        }
    }
    out
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

fn name_fit(server: &Directive, host: &str) -> Result<NameFit, String> {
    let host = host.to_ascii_lowercase();
    let block = server.block.as_deref().unwrap_or_default();
    let mut best = NameFit::None;
    for name in block.iter().filter(|d| d.name == "server_name").flat_map(|d| &d.args) {
        let lower = name.to_ascii_lowercase();
        let fit = if lower == host {
            NameFit::Exact
        } else if let Some(pattern) = name.strip_prefix('~') {
            match pcre(pattern, false) {
                Some(regex) if regex.is_match(&host) => NameFit::Pattern,
                Some(_) => NameFit::None,
                None => return Err(format!("the pattern {name} of a server_name is PCRE's own")),
            }
        } else if let Some(tail) = lower.strip_prefix("*.") {
            if host.ends_with(&format!(".{tail}")) {
                NameFit::Front(tail.len())
            } else {
                NameFit::None
            }
        } else if let Some(tail) = lower.strip_prefix('.') {
            if host == tail || host.ends_with(&format!(".{tail}")) {
                NameFit::Front(tail.len())
            } else {
                NameFit::None
            }
        } else if let Some(head) = lower.strip_suffix(".*") {
            if host.starts_with(&format!("{head}.")) {
                NameFit::Behind(head.len())
            } else {
                NameFit::None
            }
        } else {
            NameFit::None
        };
        best = best.max(fit);
    }
    Ok(best)
}

/// Ports of the `listen` lines; 80 where there is none.
fn ports(server: &Directive) -> Vec<u16> {
    let block = server.block.as_deref().unwrap_or_default();
    let mut found: Vec<u16> = block
        .iter()
        .filter(|d| d.name == "listen")
        .filter_map(|d| {
            let word = d.arg(0);
            let last = word.rsplit(':').next().unwrap_or(word);
            match last.parse() {
                Ok(port) => Some(port),
                Err(_) if word.starts_with("unix:") => None,
                Err(_) => Some(80),
            }
        })
        .collect();
    if found.is_empty() && !block.iter().any(|d| d.name == "listen") {
        found.push(80);
    }
    found
}

fn is_default(server: &Directive) -> bool {
    let block = server.block.as_deref().unwrap_or_default();
    block.iter().any(|d| {
        d.name == "listen" && d.args.iter().any(|a| a == "default_server" || a == "default")
    })
}

/// Finds the place for a request.
pub(super) fn find<'t>(forest: &'t Forest, request: &Request<'_>) -> Found<'t> {
    let all = servers(forest);
    if all.is_empty() {
        return Found::Unknown(None, "no `server` of HTTP is in the files that were given".into());
    }
    // Those that listen on the port that was asked, where there are any: between
    // client and nginx the port may be translated.
    let on_port: Vec<_> = all.iter().filter(|(_, s)| ports(s).contains(&request.port)).collect();
    let candidates: Vec<_> =
        if on_port.is_empty() { all.iter().collect() } else { on_port.clone() };
    let mut rated = Vec::new();
    for (http, server) in &candidates {
        match name_fit(server, request.host) {
            Ok(fit) => rated.push((fit, *http, *server)),
            Err(why) => return Found::Unknown(Some(server), why),
        }
    }
    let best = rated.iter().map(|(fit, ..)| *fit).max().unwrap_or(NameFit::None);
    if best == NameFit::None
        && let Some(include) = all.iter().find_map(|(http, _)| not_given(http))
    {
        return Found::Unknown(
            Some(include),
            format!("the server for {} may be in files that were not given", request.host),
        );
    }
    let fitting: Vec<_> = rated.iter().filter(|(fit, ..)| *fit == best).collect();
    let (_, http, server) = match fitting.as_slice() {
        [one] => *one,
        // No name fits: the port's default server, else the first.
        several if best == NameFit::None && !on_port.is_empty() => {
            let Some(one) = several.iter().find(|(.., s)| is_default(s)).or(several.first()) else {
                return Found::Unknown(None, "no server fits".into());
            };
            *one
        }
        several => {
            let same_port = several.windows(2).all(|w| ports(w[0].2) == ports(w[1].2));
            match several.first() {
                // Of two of the same name and port nginx takes the first.
                Some(first) if same_port && best > NameFit::None => *first,
                _ => {
                    return Found::Unknown(
                        several.first().map(|(.., s)| *s),
                        format!(
                            "several servers could take {}:{}, and none listens on that port",
                            request.host, request.port
                        ),
                    );
                }
            }
        }
    };
    in_server(http, server, request)
}

fn in_server<'t>(http: &'t [Directive], server: &'t Directive, request: &Request<'_>) -> Found<'t> {
    let block = server.block.as_deref().unwrap_or_default();
    let path = normal(request.path);
    if let Some(rewrite) = rewritten(block, &path) {
        return Found::Unknown(Some(rewrite), "a rewrite may change the path".into());
    }
    let mut scope = Scope { levels: vec![http, block], server, locations: Vec::new() };
    if block.iter().any(|d| d.name == "return") {
        return Found::Scope(scope);
    }
    let mut visited = 0;
    match locate(block, &path, &mut visited) {
        Located::Here(chain) => {
            scope.levels.extend(chain.iter().filter_map(|d| d.block.as_deref()));
            scope.locations = chain;
            Found::Scope(scope)
        }
        Located::Nowhere => Found::Scope(scope),
        Located::Slash(directive) => Found::Slash(directive),
        Located::Unknown(directive, why) => Found::Unknown(Some(directive), why),
    }
}

/// A `rewrite` that may change this path, within an `if` or not.
pub(super) fn rewritten<'t>(block: &'t [Directive], path: &str) -> Option<&'t Directive> {
    let ifs = block.iter().filter(|d| d.name == "if");
    let inner = ifs.flat_map(|d| d.block.as_deref().unwrap_or_default());
    block.iter().chain(inner).filter(|d| d.name == "rewrite").find(|d| {
        // A pattern that is not understood may match.
        pcre(d.arg(0), false).is_none_or(|regex| regex.is_match(path))
    })
}

/// Files that hold no server and no header to a backend.
fn harmless(include: &Directive) -> bool {
    let pattern = include.arg(0);
    let last = pattern.rsplit('/').next().unwrap_or(pattern);
    matches!(
        last,
        "mime.types" | "fastcgi_params" | "fastcgi.conf" | "uwsgi_params" | "scgi_params"
    ) || last.contains("ssl")
        || pattern.contains("letsencrypt")
        || pattern.contains("modules")
}

/// An `include` at this level whose files were not given.
pub(super) fn not_given(level: &[Directive]) -> Option<&Directive> {
    level.iter().find(|d| d.name == "include" && d.block.is_none() && !harmless(d))
}

/// Without query, without `//`, `/./` and `/../`, decoded once, as nginx compares it.
pub(super) fn normal(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let decoded = percent_decoded(path);
    let mut parts: Vec<&str> = Vec::new();
    for part in decoded.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    let slash = if decoded.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    format!("/{}{slash}", parts.join("/"))
}

fn percent_decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        if bytes[at] == b'%'
            && let (Some(a), Some(b)) =
                (bytes.get(at + 1).copied().and_then(hex), bytes.get(at + 2).copied().and_then(hex))
        {
            out.push(a * 16 + b);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

enum Located<'t> {
    Here(Vec<&'t Directive>),
    Nowhere,
    Slash(&'t Directive),
    Unknown(&'t Directive, String),
}

/// What a `location` compares with.
enum Kind<'t> {
    Exact(&'t str),
    Prefix { text: &'t str, no_regex: bool },
    Pattern { text: &'t str, any_case: bool },
    Named,
}

fn kind(location: &Directive) -> Kind<'_> {
    match (location.arg(0), location.args.len()) {
        ("=", 2) => Kind::Exact(location.arg(1)),
        ("^~", 2) => Kind::Prefix { text: location.arg(1), no_regex: true },
        ("~", 2) => Kind::Pattern { text: location.arg(1), any_case: false },
        ("~*", 2) => Kind::Pattern { text: location.arg(1), any_case: true },
        (word, _) => {
            // nginx takes the modifier without a blank, too.
            if let Some(text) = word.strip_prefix("~*") {
                Kind::Pattern { text, any_case: true }
            } else if let Some(text) = word.strip_prefix('~') {
                Kind::Pattern { text, any_case: false }
            } else if let Some(text) = word.strip_prefix("^~") {
                Kind::Prefix { text, no_regex: true }
            } else if let Some(text) = word.strip_prefix('=') {
                Kind::Exact(text)
            } else if word.starts_with('@') {
                Kind::Named
            } else {
                Kind::Prefix { text: word, no_regex: false }
            }
        }
    }
}

/// nginx' order: an exact location ends it; of prefixes the longest; then the
/// nested ones of that; then patterns in the order of the file, unless the
/// prefix said `^~`.
fn locate<'t>(block: &'t [Directive], path: &str, visited: &mut usize) -> Located<'t> {
    *visited += 1;
    let locations = || block.iter().filter(|d| d.name == "location" && d.block.is_some());
    let mut best: Option<(&'t Directive, usize, bool)> = None;
    for location in locations() {
        match kind(location) {
            Kind::Exact(text) if text == path => return Located::Here(vec![location]),
            Kind::Prefix { text, no_regex }
                if path.starts_with(text)
                    && best.is_none_or(|(_, length, _)| text.len() > length) =>
            {
                best = Some((location, text.len(), no_regex));
            }
            _ => {}
        }
    }
    // A location with a slash at its end that proxies takes the path without it
    // by redirecting, where no location has that very path.
    let exactly = best.is_some_and(|(_, length, _)| length == path.len());
    if !exactly
        && let Some(location) = locations().find(|location| {
            let text = match kind(location) {
                Kind::Exact(text) | Kind::Prefix { text, .. } => text,
                Kind::Pattern { .. } | Kind::Named => return false,
            };
            text.strip_suffix('/') == Some(path) && passes(location)
        })
    {
        return Located::Slash(location);
    }
    let mut no_regex = false;
    let mut nested = None;
    if let Some((location, _, caret)) = best {
        no_regex = caret;
        match locate(location.block.as_deref().unwrap_or_default(), path, visited) {
            Located::Here(mut chain) => {
                let settled =
                    chain.iter().any(|d| matches!(kind(d), Kind::Exact(_) | Kind::Pattern { .. }));
                chain.insert(0, location);
                if settled {
                    return Located::Here(chain);
                }
                nested = Some(chain);
            }
            Located::Nowhere => nested = Some(vec![location]),
            other => return other,
        }
    }
    if !no_regex {
        for location in locations() {
            let Kind::Pattern { text, any_case } = kind(location) else { continue };
            let Some(regex) = pcre(text, any_case) else {
                return Located::Unknown(
                    location,
                    format!("the pattern {text} is PCRE's own, and may take the path"),
                );
            };
            if regex.is_match(path) {
                return match locate(location.block.as_deref().unwrap_or_default(), path, visited) {
                    Located::Here(mut chain) => {
                        chain.insert(0, location);
                        Located::Here(chain)
                    }
                    Located::Nowhere => Located::Here(vec![location]),
                    other => other,
                };
            }
        }
    }
    nested.map_or(Located::Nowhere, Located::Here)
}

/// Whether a location hands requests on.
fn passes(location: &Directive) -> bool {
    location.block.as_deref().unwrap_or_default().iter().any(|d| {
        matches!(
            d.name.as_str(),
            "proxy_pass"
                | "grpc_pass"
                | "fastcgi_pass"
                | "uwsgi_pass"
                | "scgi_pass"
                | "memcached_pass"
        )
    })
}

/// A pattern of PCRE, where this program's own expressions mean the same.
pub(super) fn pcre(pattern: &str, any_case: bool) -> Option<Regex> {
    let dialect = pattern.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!");
    RegexBuilder::new(&dialect).case_insensitive(any_case).size_limit(1 << 18).build().ok()
}
