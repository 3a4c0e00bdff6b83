//! What a header's value comes to for an upgrade: variables of the request,
//! `map`, `set`. What cannot be told is not guessed.

use super::parse::Directive;
use super::request::{Scope, pcre};

/// Deepest chain of variables.
const DEPTH: usize = 8;

/// What is known of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// This.
    Known(String),
    /// It cannot be told, because of this variable.
    Unknown(String),
}

/// What the upgrade carries, as a browser sends it.
fn of_request(variable: &str) -> Option<&'static str> {
    match variable {
        "http_upgrade" => Some("websocket"),
        "http_connection" => Some("Upgrade"),
        "request_method" => Some("GET"),
        "server_protocol" => Some("HTTP/1.1"),
        _ => None,
    }
}

/// The value of a text with variables.
pub(super) fn value(text: &str, scope: &Scope<'_>) -> Value {
    expand(text, scope, 0)
}

fn expand(text: &str, scope: &Scope<'_>, depth: usize) -> Value {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (name, after) = match rest.strip_prefix('{') {
            Some(inner) => match inner.split_once('}') {
                Some((name, after)) => (name, after),
                None => return Value::Unknown(text.to_owned()),
            },
            None => {
                let end = rest
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(rest.len());
                rest.split_at(end)
            }
        };
        match variable(name, scope, depth) {
            Value::Known(value) => out.push_str(&value),
            unknown @ Value::Unknown(_) => return unknown,
        }
        rest = after;
    }
    out.push_str(rest);
    Value::Known(out)
}

fn variable(name: &str, scope: &Scope<'_>, depth: usize) -> Value {
    let unknown = || Value::Unknown(format!("${name}"));
    if depth >= DEPTH {
        return unknown();
    }
    if let Some(value) = of_request(name) {
        return Value::Known(value.to_owned());
    }
    let dollar = format!("${name}");
    let http = scope.levels.first().copied().unwrap_or_default();
    // Of two maps for one variable the later counts.
    if let Some(map) = http.iter().rfind(|d| d.name == "map" && d.arg(1) == dollar) {
        return mapped(map, scope, depth).unwrap_or_else(unknown);
    }
    // `set` runs in the order of the file, server before location; within an
    // `if` it may not run at all.
    let within_if = |level: &[Directive]| {
        level.iter().filter(|d| d.name == "if").any(|d| {
            let inner = d.block.as_deref().unwrap_or_default();
            inner.iter().any(|s| s.name == "set" && s.arg(0) == dollar)
        })
    };
    if scope.levels.iter().any(|level| within_if(level)) {
        return unknown();
    }
    let set = scope.levels.iter().skip(1).flat_map(|level| level.iter());
    match set.rev().find(|d| d.name == "set" && d.arg(0) == dollar) {
        Some(set) => expand(set.arg(1), scope, depth + 1),
        None => unknown(),
    }
}

/// A `map` for the value that its source has: exact text without regard to
/// case, then patterns in order, then the default.
fn mapped(map: &Directive, scope: &Scope<'_>, depth: usize) -> Option<Value> {
    let Value::Known(source) = expand(map.arg(0), scope, depth + 1) else { return None };
    let entries = map.block.as_deref().unwrap_or_default();
    // Names with wildcards, and entries of a file that was not given, are not known.
    if entries.iter().any(|d| d.name == "hostnames" || d.name == "include") {
        return None;
    }
    let unescaped = |name: &str| name.strip_prefix('\\').unwrap_or(name).to_owned();
    let plain =
        |d: &&Directive| !d.name.starts_with('~') && d.name != "default" && d.name != "volatile";
    let exact =
        entries.iter().filter(plain).find(|d| unescaped(&d.name).eq_ignore_ascii_case(&source));
    if let Some(found) = exact {
        return Some(expand(found.arg(0), scope, depth + 1));
    }
    for entry in entries {
        let Some(pattern) = entry.name.strip_prefix('~') else { continue };
        let (pattern, any_case) = match pattern.strip_prefix('*') {
            Some(pattern) => (pattern, true),
            None => (pattern, false),
        };
        if pcre(pattern, any_case)?.is_match(&source) {
            return Some(expand(entry.arg(0), scope, depth + 1));
        }
    }
    let default = entries.iter().find(|d| d.name == "default");
    Some(match default {
        Some(default) => expand(default.arg(0), scope, depth + 1),
        None => Value::Known(String::new()),
    })
}

/// Seconds of a time as nginx writes it: `60`, `60s`, `1m`, `1h 30m`, `500ms`.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().ok()?;
        let tail = &rest[digits..];
        let unit_end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let factor = match &tail[..unit_end] {
            "" | "s" => 1.0,
            "ms" => 0.001,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            _ => return None,
        };
        total += number * factor;
        rest = tail[unit_end..].trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in [
            ("60", Some(60.0)),
            ("60s", Some(60.0)),
            ("1h", Some(3600.0)),
            ("1h30m", Some(5400.0)),
            ("500ms", Some(0.5)),
            ("1d", Some(86_400.0)),
            ("", None),
            ("$timeout", None),
            ("1x", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
