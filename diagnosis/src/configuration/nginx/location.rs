//! Which `location` a path comes to, as nginx finds it (ngx_http_core_module).
//! Patterns that only PCRE knows are said to be that.

use super::parse::Directive;
use regex::{Regex, RegexBuilder};

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

/// Where the search ended.
pub(super) enum Located<'t> {
    /// In these, outermost first.
    Here(Vec<&'t Directive>),
    /// In none.
    Nowhere,
    /// nginx appends the slash that only the location has (301).
    Slash(&'t Directive),
    /// It cannot be told: where, and why.
    Unknown(&'t Directive, String),
}

/// What a `location` compares with.
pub(super) enum Kind<'t> {
    Exact(&'t str),
    Prefix { text: &'t str, no_regex: bool },
    Pattern { text: &'t str, any_case: bool },
    Named,
}

pub(super) fn kind(location: &Directive) -> Kind<'_> {
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
pub(super) fn locate<'t>(block: &'t [Directive], path: &str) -> Located<'t> {
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
        match locate(location.block.as_deref().unwrap_or_default(), path) {
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
                return match locate(location.block.as_deref().unwrap_or_default(), path) {
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
