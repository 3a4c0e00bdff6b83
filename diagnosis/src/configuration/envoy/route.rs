//! Virtual hosts and routes as Envoy finds them: the name first, the very one before
//! patterns; then the first route whose match holds.

use crate::configuration::Request;
use crate::configuration::part::Part;
use crate::configuration::pattern::begins_otherwise;
use regex::{Regex, RegexBuilder};

/// What decides that the files do not tell, and where.
pub(super) type Unknown<'n> = (Part<'n>, String);

/// The request as the connection manager has it.
#[derive(Debug)]
pub(super) struct Asked<'n> {
    pub(super) request: &'n Request<'n>,
    /// `Host`, after what the manager takes of it.
    pub(super) authority: String,
    /// The path without its query, after what the manager makes of it.
    pub(super) path: String,
    query: String,
}

impl<'n> Asked<'n> {
    pub(super) fn of(manager: Part<'n>, request: &'n Request<'n>) -> Result<Self, Unknown<'n>> {
        let yes = |key: &str| manager.text(key) == "true";
        let mut authority = request.authority().to_ascii_lowercase();
        if yes("strip_any_host_port") || yes("strip_matching_host_port") {
            authority = request.host.to_ascii_lowercase();
        }
        let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
        let mut path = path.to_owned();
        if let Some(by) = manager.get("path_normalization_options") {
            return Err((by, "how the path is made plain is not known here".to_owned()));
        }
        if yes("normalize_path") {
            path = dotless(&path);
        }
        while yes("merge_slashes") && path.contains("//") {
            path = path.replace("//", "/");
        }
        Ok(Self { request, authority, path, query: query.to_owned() })
    }

    /// The virtual host: the very name, then patterns, of which the longer; then `*`.
    pub(super) fn host(&self, routes: Part<'n>) -> Result<Option<Part<'n>>, Unknown<'n>> {
        if let Some(vhds) = routes.get("vhds") {
            return Err((vhds, "virtual hosts come from a server (vhds)".to_owned()));
        }
        let bare = self.authority.rsplit_once(':').map_or(self.authority.as_str(), |(h, _)| h);
        let ignore = routes.text("ignore_port_in_host_matching") == "true";
        let host = if ignore { bare } else { self.authority.as_str() };
        let mut best: Option<(usize, Part<'n>)> = None;
        for one in routes.items("virtual_hosts") {
            let fits = one.items("domains").filter_map(|d| domain(d.node.text(), host)).max();
            if let Some(rank) = fits.filter(|rank| best.is_none_or(|(known, _)| *rank > known)) {
                best = Some((rank, one));
            }
        }
        match best {
            Some((_, host)) if host.get("matcher").is_some() => {
                Err((host, "its routes are a tree of matchers, which is not read".to_owned()))
            }
            other => Ok(other.map(|(_, host)| host)),
        }
    }

    /// The first route that takes the request.
    pub(super) fn route(&self, host: Part<'n>) -> Result<Option<Part<'n>>, Unknown<'n>> {
        for route in host.items("routes") {
            let Some(own) = route.get("match") else { continue };
            if self.holds(own)? {
                return Ok(Some(route));
            }
        }
        Ok(None)
    }

    fn holds(&self, own: Part<'n>) -> Result<bool, Unknown<'n>> {
        if !self.by_path(own)? {
            return Ok(false);
        }
        let mut unknown = None;
        let headers = own.items("headers").map(|one| self.header(one));
        let queries = own.items("query_parameters").map(|one| self.query(one));
        for held in headers.chain(queries).chain([self.others(own)]) {
            match held {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(why) => unknown = unknown.or(Some(why)),
            }
        }
        unknown.map_or(Ok(true), Err)
    }

    fn by_path(&self, own: Part<'n>) -> Result<bool, Unknown<'n>> {
        let any_case = own.text("case_sensitive") == "false";
        let fold = |text: &str| if any_case { text.to_ascii_lowercase() } else { text.to_owned() };
        let path = fold(&self.path);
        if let Some(prefix) = own.get("prefix") {
            return Ok(path.starts_with(&fold(prefix.node.text())));
        }
        if let Some(whole) = own.get("path") {
            return Ok(path == fold(whole.node.text()));
        }
        if let Some(prefix) = own.get("path_separated_prefix") {
            let rest = path.strip_prefix(&fold(prefix.node.text())).map(str::to_owned);
            return Ok(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        }
        if let Some(pattern) = own.get("safe_regex") {
            if begins_otherwise(pattern.text("regex"), &self.path, false) {
                return Ok(false);
            }
            let regex = whole(pattern.text("regex")).ok_or((pattern, "this pattern".to_owned()))?;
            return Ok(regex.is_match(&self.path));
        }
        // An upgrade is no CONNECT.
        if own.get("connect_matcher").is_some() {
            return Ok(false);
        }
        match own.get("path_match_policy") {
            Some(policy) => Err((policy, "a template of paths".to_owned())),
            None => Ok(true),
        }
    }

    /// What a match asks for besides path, headers and query.
    fn others(&self, own: Part<'n>) -> Result<bool, Unknown<'n>> {
        if own.get("grpc").is_some() {
            return Ok(false);
        }
        if let Some(fraction) = own.get("runtime_fraction") {
            let default = fraction.get("default_value");
            let number = |key: &str| default.and_then(|d| d.get(key)?.node.number()).unwrap_or(0.0);
            let whole = match default.map_or("", |d| d.text("denominator")) {
                "TEN_THOUSAND" => 10_000.0,
                "MILLION" => 1_000_000.0,
                _ => 100.0,
            };
            match number("numerator") {
                0.0 => return Ok(false),
                some if some < whole => return Err((fraction, "chance".to_owned())),
                _ => {}
            }
        }
        let other = ["tls_context", "dynamic_metadata", "filter_state", "cookies"];
        match other.iter().find_map(|key| Some((*key, own.get(key)?))) {
            Some((key, part)) => Err((part, format!("{key}, which the files do not tell"))),
            None => Ok(true),
        }
    }

    /// A matcher of a header; those of the upgrade are known.
    pub(super) fn header(&self, own: Part<'n>) -> Result<bool, Unknown<'n>> {
        let name = own.text("name").to_ascii_lowercase();
        let value = match self.sent(&name) {
            Ok(value) => value,
            Err(()) => return Err((own, format!("the header {name}"))),
        };
        let inverted = own.text("invert_match") == "true";
        if let Some(present) = own.get("present_match") {
            let wanted = present.node.text() != "false";
            return Ok((value.is_some() == wanted) != inverted);
        }
        if !has_value(own) {
            return Ok(value.is_some() != inverted);
        }
        // What is missing fits nothing, nor what is inverted.
        let empty = own.text("treat_missing_header_as_empty") == "true";
        let Some(value) = value.or_else(|| empty.then(String::new)) else { return Ok(false) };
        let held = matches(own, &value).map_err(|why| (own, why))?;
        Ok(held != inverted)
    }

    fn query(&self, own: Part<'n>) -> Result<bool, Unknown<'n>> {
        let name = own.text("name");
        let value = self.query.split('&').filter(|p| !p.is_empty()).find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then_some(value)
        });
        if let Some(present) = own.get("present_match") {
            return Ok(value.is_some() == (present.node.text() != "false"));
        }
        match (value, own.get("string_match")) {
            (None, _) => Ok(false),
            (Some(_), None) => Ok(true),
            (Some(value), Some(matcher)) => text(matcher, value).map_err(|why| (own, why)),
        }
    }

    /// The value of a header that the upgrade has; an error where it may have it.
    fn sent(&self, name: &str) -> Result<Option<String>, ()> {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        Ok(Some(match name {
            ":method" => "GET".to_owned(),
            ":path" => format!("{}{query}", self.path),
            ":authority" | "host" => self.authority.clone(),
            "upgrade" => "websocket".to_owned(),
            "connection" => "Upgrade".to_owned(),
            "sec-websocket-version" => "13".to_owned(),
            "content-type" | "content-length" | "expect" => return Ok(None),
            _ => return Err(()),
        }))
    }
}

/// Whether a matcher compares a value.
fn has_value(own: Part<'_>) -> bool {
    const KEYS: [&str; 7] = [
        "exact_match",
        "safe_regex_match",
        "range_match",
        "prefix_match",
        "suffix_match",
        "contains_match",
        "string_match",
    ];
    KEYS.iter().any(|key| own.get(key).is_some())
}

/// Compares as a matcher of a header says.
fn matches(own: Part<'_>, value: &str) -> Result<bool, String> {
    if let Some(matcher) = own.get("string_match") {
        return text(matcher, value);
    }
    if let Some(range) = own.get("range_match") {
        let of = |key: &str| range.get(key).and_then(|n| n.node.number()).unwrap_or(0.0);
        return Ok(value.parse().is_ok_and(|n: f64| n >= of("start") && n < of("end")));
    }
    let of = |key: &str| own.get(key).map(|part| (part, plain(part.node.text())));
    if let Some((pattern, _)) = of("safe_regex_match") {
        return whole(pattern.text("regex")).map(|r| r.is_match(value)).ok_or("a pattern".into());
    }
    for (key, compare) in COMPARED {
        if let Some((_, wanted)) = of(&format!("{key}_match")) {
            return Ok(compare(value, wanted?));
        }
    }
    Err("a comparison that is not known here".to_owned())
}

/// How texts are compared, by the word for it.
type Compare = fn(&str, &str) -> bool;
const COMPARED: [(&str, Compare); 4] = [
    ("exact", |value, wanted| value == wanted),
    ("prefix", |value, wanted| value.starts_with(wanted)),
    ("suffix", |value, wanted| value.ends_with(wanted)),
    ("contains", |value, wanted| value.contains(wanted)),
];

/// A matcher of texts.
fn text(own: Part<'_>, value: &str) -> Result<bool, String> {
    if let Some(pattern) = own.get("safe_regex") {
        return whole(pattern.text("regex")).map(|r| r.is_match(value)).ok_or("a pattern".into());
    }
    let any_case = own.text("ignore_case") == "true";
    for (key, compare) in COMPARED {
        let Some(wanted) = own.get(key) else { continue };
        let wanted = plain(wanted.node.text())?;
        return Ok(if any_case {
            compare(&value.to_ascii_lowercase(), &wanted.to_ascii_lowercase())
        } else {
            compare(value, wanted)
        });
    }
    Err("a comparison that is not known here".to_owned())
}

/// A text that was not masked.
fn plain(text: &str) -> Result<&str, String> {
    if text.starts_with("[removed") { Err("a value that is masked".to_owned()) } else { Ok(text) }
}

/// A pattern for the whole of a text, as RE2 has them.
pub(super) fn whole(pattern: &str) -> Option<Regex> {
    plain(pattern).ok()?;
    RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build().ok()
}

/// How near a domain is: the very one, `*.x` and `x.*` by their length, `*`.
fn domain(pattern: &str, host: &str) -> Option<usize> {
    let pattern = pattern.to_ascii_lowercase();
    if pattern == "*" {
        return Some(0);
    }
    if pattern == host {
        return Some(usize::MAX);
    }
    // All ends go before all beginnings.
    const ENDS: usize = 1 << 20;
    if let Some(end) = pattern.strip_prefix('*') {
        return (host.ends_with(end) && host.len() > end.len()).then_some(ENDS + end.len());
    }
    let start = pattern.strip_suffix('*')?;
    (host.starts_with(start) && host.len() > start.len()).then_some(start.len())
}

/// A path without `.` and `..`.
fn dotless(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let all: Vec<&str> = path.split('/').skip(1).collect();
    for (at, part) in all.iter().enumerate() {
        let last = at + 1 == all.len();
        match *part {
            "." if last => parts.push(""),
            "." => {}
            ".." => {
                parts.pop();
                if last {
                    parts.push("");
                }
            }
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths_without_dots() {
        for (path, plain) in [
            ("/v1/ws", "/v1/ws"),
            ("/v1/./ws", "/v1/ws"),
            ("/v1/x/../ws", "/v1/ws"),
            ("/v1/x/..", "/v1/"),
            ("/v1//ws", "/v1//ws"),
        ] {
            assert_eq!(super::dotless(path), plain, "{path}");
        }
    }
}
