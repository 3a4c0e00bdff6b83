//! What a text with variables comes to for the request that was probed:
//! variables of the request and of the connection, `map`, `set`, captures. What
//! cannot be told is not guessed, and is named.

use super::location::{normal, pcre};
use super::parse::Directive;
use super::server::{Arrival, hostname_rank};
use crate::configuration::Request;
use crate::configuration::chain::Hop;
use regex::Captures;
use std::collections::BTreeMap;

/// Deepest chain of variables.
const DEPTH: usize = 8;
/// Longest value that is looked at.
const LENGTH: usize = 16_384;

/// What is known of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// This.
    Known(String),
    /// It cannot be told, because of this variable.
    Unknown(String),
}

/// What a request has come to on its way through a server.
#[derive(Debug, Clone)]
pub(super) struct State<'t> {
    /// `http` of the server.
    pub(super) http: &'t [Directive],
    /// The server.
    pub(super) server: &'t Directive,
    /// How it came to the server.
    pub(super) arrival: Arrival,
    /// The path as nginx compares it.
    pub(super) uri: String,
    /// What `set` and named captures gave.
    pub(super) variables: BTreeMap<String, Value>,
    /// `$1` and so on of the last pattern.
    captures: Vec<String>,
}

impl<'t> State<'t> {
    pub(super) fn new(http: &'t [Directive], server: &'t Directive, arrival: Arrival) -> Self {
        let (variables, captures) = (BTreeMap::new(), Vec::new());
        Self { http, server, arrival, uri: String::new(), variables, captures }
    }

    /// Keeps what a pattern captured.
    pub(super) fn capture(&mut self, regex: &regex::Regex, found: &Captures<'_>) {
        let text = |m: Option<regex::Match<'_>>| m.map_or(String::new(), |m| m.as_str().to_owned());
        self.captures = found.iter().map(text).collect();
        for name in regex.capture_names().flatten() {
            self.variables.insert(name.to_owned(), Value::Known(text(found.name(name))));
        }
    }
}

/// Who asks, and what for.
pub(super) struct Eval<'e, 't> {
    pub(super) request: &'e Request<'e>,
    /// What stands before nginx, where its files were given, too.
    pub(super) hop: Option<&'e Hop>,
    pub(super) state: &'e State<'t>,
}

impl<'t> Eval<'_, 't> {
    /// The value of a text with variables.
    pub(super) fn value(&self, text: &str) -> Value {
        self.expand(text, 0)
    }

    fn expand(&self, text: &str, depth: usize) -> Value {
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
                    // `$1` is one digit.
                    let digit = rest.starts_with(|c: char| c.is_ascii_digit());
                    rest.split_at(if digit { 1 } else { end })
                }
            };
            if name.is_empty() {
                out.push('$');
                continue;
            }
            match self.variable(name, depth) {
                Value::Known(value) => out.push_str(&value),
                unknown @ Value::Unknown(_) => return unknown,
            }
            if out.len() > LENGTH {
                return Value::Unknown(text.chars().take(80).collect());
            }
            rest = after;
        }
        out.push_str(rest);
        Value::Known(out)
    }

    fn variable(&self, name: &str, depth: usize) -> Value {
        let unknown = || Value::Unknown(format!("${name}"));
        if depth >= DEPTH {
            return unknown();
        }
        if let Ok(number) = name.parse::<usize>() {
            let captured = self.state.captures.get(number);
            return Value::Known(captured.cloned().unwrap_or_default());
        }
        if let Some(value) = self.of_request(name) {
            return value.map_or_else(unknown, Value::Known);
        }
        let dollar = format!("${name}");
        // Of two maps for one variable the later counts.
        if let Some(map) = self.state.http.iter().rfind(|d| d.name == "map" && d.arg(1) == dollar) {
            return self.mapped(map, depth).unwrap_or_else(unknown);
        }
        match self.state.variables.get(name) {
            Some(value) => value.clone(),
            // nginx takes what is set elsewhere and not here for empty.
            None if sets(self.state.server, &dollar) => Value::Known(String::new()),
            None => unknown(),
        }
    }

    /// What nginx itself knows of the request: nothing where it is no variable of
    /// the request's, `None` within where its value cannot be told.
    fn of_request(&self, name: &str) -> Option<Option<String>> {
        let some = |text: &str| Some(Some(text.to_owned()));
        let (path, query) = self.request.path.split_once('?').unwrap_or((self.request.path, ""));
        let arrival = self.state.arrival;
        match name {
            "request_method" => some("GET"),
            "server_protocol" => some("HTTP/1.1"),
            "host" => some(&self.request.host.to_ascii_lowercase()),
            "uri" | "document_uri" => some(&self.state.uri),
            "request_uri" => some(self.request.path),
            "request" => some(&format!("GET {} HTTP/1.1", self.request.path)),
            "args" | "query_string" => some(query),
            "is_args" => some(if query.is_empty() { "" } else { "?" }),
            "server_name" => {
                let block = self.state.server.block.as_deref().unwrap_or_default();
                some(block.iter().find(|d| d.name == "server_name").map_or("", |d| d.arg(0)))
            }
            "scheme" => Some(arrival.tls.map(|tls| if tls { "https" } else { "http" }.to_owned())),
            "https" => Some(arrival.tls.map(|tls| if tls { "on" } else { "" }.to_owned())),
            "server_port" => Some(arrival.port.map(|port| port.to_string())),
            "request_filename" => {
                let _ = path;
                Some(None)
            }
            _ => {
                if let Some(argument) = name.strip_prefix("arg_") {
                    let pair = query.split('&').find_map(|pair| {
                        let (key, value) = pair.split_once('=')?;
                        key.eq_ignore_ascii_case(argument).then(|| value.to_owned())
                    });
                    return Some(Some(pair.unwrap_or_default()));
                }
                let header = name.strip_prefix("http_")?;
                Some(self.header(header))
            }
        }
    }

    /// A header of the request, by its name as nginx writes it. Of those that were
    /// not sent, what stands in between may add some: that is known only where its
    /// files were given.
    fn header(&self, name: &str) -> Option<String> {
        let name = name.replace('_', "-");
        let set = self.hop.and_then(|hop| hop.headers.get(&name));
        if let Some(value) = set {
            return value.clone();
        }
        match name.as_str() {
            "upgrade" => Some("websocket".to_owned()),
            "connection" => Some("Upgrade".to_owned()),
            "host" => Some(self.request.authority()),
            "sec-websocket-version" => Some("13".to_owned()),
            _ if self.hop.is_some_and(|hop| hop.http) && name.starts_with("x-forwarded-") => {
                Some(String::new())
            }
            _ => None,
        }
    }

    /// A `map` for the value that its source has: exact text without regard to
    /// case, then patterns in order, then the default.
    fn mapped(&self, map: &Directive, depth: usize) -> Option<Value> {
        let source = match self.expand(map.arg(0), depth + 1) {
            Value::Known(source) => source,
            unknown => return Some(unknown),
        };
        let entries = map.block.as_deref().unwrap_or_default();
        // Entries of a file that was not given are not known.
        if let Some(include) = entries.iter().find(|d| d.name == "include") {
            return Some(Value::Unknown(format!(
                "{} (its map includes {})",
                map.arg(1),
                include.arg(0)
            )));
        }
        let unescaped = |name: &str| name.strip_prefix('\\').unwrap_or(name).to_owned();
        let special = |d: &Directive| {
            d.name.starts_with('~')
                || matches!(d.name.as_str(), "default" | "volatile" | "hostnames")
        };
        let plain = || entries.iter().filter(|d| !special(d));
        let exact = plain().find(|d| unescaped(&d.name).eq_ignore_ascii_case(&source));
        let hostnames = entries.iter().any(|d| d.name == "hostnames");
        let wildcard = || {
            let host = source.to_ascii_lowercase();
            let rank = |d: &&Directive| hostname_rank(&d.name, &host);
            plain().filter(|d| hostnames && rank(d).is_some()).max_by_key(|d| rank(d))
        };
        if let Some(found) = exact.or_else(wildcard) {
            return Some(self.expand(found.arg(0), depth + 1));
        }
        for entry in entries {
            let Some(pattern) = entry.name.strip_prefix('~') else { continue };
            let (pattern, any_case) = match pattern.strip_prefix('*') {
                Some(pattern) => (pattern, true),
                None => (pattern, false),
            };
            if pcre(pattern, any_case)?.is_match(&source) {
                return Some(self.expand(entry.arg(0), depth + 1));
            }
        }
        let default = entries.iter().find(|d| d.name == "default");
        Some(match default {
            Some(default) => self.expand(default.arg(0), depth + 1),
            None => Value::Known(String::new()),
        })
    }

    /// `-f`, `-d`, `-e` and `-x`, and their negations, of what the request names: no
    /// file bears the name of a WebSocket's path. Of any other file it is not known.
    fn file_there(&self, condition: &str) -> Option<Held<'t>> {
        let (negated, rest) = match condition.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, condition),
        };
        let (test, file) = rest.split_once(' ')?;
        let requested = ["$request_filename", "$document_root$uri", "$document_root$request_uri"];
        let file = file.trim().trim_matches(['"', '\'']);
        let asked = self.state.uri == normal(self.request.path);
        (["-f", "-d", "-e", "-x"].contains(&test) && requested.contains(&file) && asked)
            .then_some(if negated { Held::Yes(None) } else { Held::No })
    }

    /// Whether the condition of an `if` holds: a variable alone, or compared with
    /// `=`, `!=`, `~`, `~*` and their negations; of files, that none bears the
    /// path's name. What it captures is kept in a copy of the state.
    pub(super) fn condition(&self, args: &[String]) -> Held<'t> {
        let joined = args.join(" ");
        let unknown = |what: &str| Held::Unknown(what.to_owned());
        let inner = joined.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let Some(inner) = inner.map(str::trim) else { return unknown(&joined) };
        if inner.starts_with('-') || inner.starts_with("!-") {
            return self.file_there(inner).unwrap_or_else(|| unknown("whether a file is there"));
        }
        let mut words = inner.splitn(3, ' ');
        let left = match self.value(words.next().unwrap_or_default()) {
            Value::Known(left) => left,
            Value::Unknown(variable) => return Held::Unknown(variable),
        };
        let operator = words.next();
        let right = words.next().map(str::trim).map(|w| w.trim_matches(['"', '\'']));
        let compared = |right: &str| match self.value(right) {
            Value::Known(right) => Ok(left == right),
            Value::Unknown(variable) => Err(variable),
        };
        let holds = match (operator, right) {
            (None, _) => Ok(!left.is_empty() && left != "0"),
            (Some("="), right) => compared(right.unwrap_or_default()),
            (Some("!="), right) => compared(right.unwrap_or_default()).map(|equal| !equal),
            (Some(operator @ ("~" | "~*" | "!~" | "!~*")), Some(right)) => {
                let Some(regex) = pcre(right, operator.ends_with('*')) else {
                    return unknown(&format!("the pattern {right}, which is PCRE's own"));
                };
                let mut state = None;
                if let Some(found) = regex.captures(&left) {
                    let mut after = self.state.clone();
                    after.capture(&regex, &found);
                    state = Some(after);
                }
                let matched = state.is_some();
                return if operator.starts_with('!') {
                    if matched { Held::No } else { Held::Yes(None) }
                } else if matched {
                    Held::Yes(state)
                } else {
                    Held::No
                };
            }
            _ => Err(joined.clone()),
        };
        match holds {
            Ok(true) => Held::Yes(None),
            Ok(false) => Held::No,
            Err(why) => Held::Unknown(why),
        }
    }
}

/// Whether a variable is set anywhere in a block.
fn sets(directive: &Directive, dollar: &str) -> bool {
    let block = directive.block.as_deref().unwrap_or_default();
    block.iter().any(|d| d.name == "set" && d.arg(0) == dollar || sets(d, dollar))
}

/// Whether a condition holds.
#[derive(Debug)]
pub(super) enum Held<'t> {
    /// It does; with the state after what it captured.
    Yes(Option<State<'t>>),
    /// It does not.
    No,
    /// It depends on this.
    Unknown(String),
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
