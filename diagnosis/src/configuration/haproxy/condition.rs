//! Conditions of HAProxy (`if`, `unless`, `acl`) for the request that was
//! probed: true, false, or not to be told.

use super::parse::{Line, Section};
use crate::configuration::Request;
use regex::RegexBuilder;

/// Most terms of a condition that are looked at.
const TERMS: usize = 200;

/// Whether the condition that follows `if` or `unless` in a line holds; `None`
/// where it cannot be told. A line without one always holds.
pub(super) fn holds(line: &Line, section: &Section, request: &Request<'_>) -> Option<bool> {
    let at = line.words.iter().position(|w| w == "if" || w == "unless");
    let Some(at) = at else { return Some(true) };
    let result = condition(line.from(at + 1), section, request);
    if line.word(at) == "unless" { result.map(|b| !b) } else { result }
}

/// Terms are and-ed; `||` and `or` separate alternatives.
fn condition(words: &[String], section: &Section, request: &Request<'_>) -> Option<bool> {
    let mut any = Some(false);
    let mut all = Some(true);
    let mut at = 0;
    let mut terms = 0;
    while at < words.len() {
        terms += 1;
        if terms > TERMS {
            return None;
        }
        let word = words[at].as_str();
        if word == "||" || word == "or" {
            any = or(any, all);
            all = Some(true);
            at += 1;
            continue;
        }
        let (negated, word) = match word.strip_prefix('!') {
            // `! { … }` has a blank between.
            Some("") => {
                at += 1;
                (true, words.get(at).map_or("", String::as_str))
            }
            Some(rest) => (true, rest),
            None => (false, word),
        };
        let value = if word == "{" {
            let end = words[at..].iter().position(|w| w == "}").map_or(words.len(), |n| at + n);
            let value = test(words.get(at + 1..end).unwrap_or_default(), request);
            at = end + 1;
            value
        } else {
            at += 1;
            named(word, section, request)
        };
        all = and(all, if negated { value.map(|b| !b) } else { value });
    }
    or(any, all)
}

fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    and(a.map(|b| !b), b.map(|b| !b)).map(|b| !b)
}

/// An `acl` by name: several lines of one name are or-ed. Those that HAProxy
/// brings along are known as well.
fn named(name: &str, section: &Section, request: &Request<'_>) -> Option<bool> {
    let lines = section.lines.iter().filter(|l| l.is(&["acl", name]));
    let mut result = None;
    for line in lines {
        let value = test(line.from(2), request);
        result = Some(result.map_or(value, |known| or(known, value)));
    }
    result.unwrap_or(match name {
        "TRUE" | "HTTP" | "METH_GET" | "HTTP_1.1" | "HTTP_URL_SLASH" => Some(true),
        "FALSE" | "METH_POST" | "METH_PUT" | "METH_HEAD" | "METH_CONNECT" | "METH_OPTIONS"
        | "METH_DELETE" | "METH_TRACE" | "HTTP_1.0" | "HTTP_2.0" | "HTTP_CONTENT" => Some(false),
        _ => None,
    })
}

/// One test: a fetch, flags, values.
fn test(words: &[String], request: &Request<'_>) -> Option<bool> {
    let fetch = words.first()?.to_ascii_lowercase();
    let mut method = None;
    let mut any_case = false;
    let mut at = 1;
    while let Some(flag) = words.get(at) {
        match flag.as_str() {
            "-i" => any_case = true,
            "-m" => {
                at += 1;
                method = words.get(at).cloned();
            }
            "--" => {
                at += 1;
                break;
            }
            // Values from files, and flags that are not known.
            other if other.starts_with('-') => return None,
            _ => break,
        }
        at += 1;
    }
    let values = words.get(at..).unwrap_or_default();
    let (subject, by_name) = subject(&fetch, request)?;
    let method = method.or(by_name).unwrap_or_else(|| "str".to_owned());
    if method == "found" {
        return Some(subject.is_some());
    }
    let Some(subject) = subject else { return Some(false) };
    let mut result = Some(false);
    for value in values {
        result = or(result, compare(&method, &subject, value, any_case));
    }
    result
}

/// What a fetch gives for the request: the value (`None`: there is none), and
/// the method in its name. Nothing at all where it is not known.
fn subject(fetch: &str, request: &Request<'_>) -> Option<(Option<String>, Option<String>)> {
    let (base, argument) = match fetch.split_once('(') {
        Some((base, rest)) => (base, rest.strip_suffix(')')?),
        None => (fetch, ""),
    };
    // Converters (`path,lower`) are not followed.
    if base.contains(',') || argument.contains(')') {
        return None;
    }
    let path = request.path.split('?').next().unwrap_or_default().to_owned();
    let (stem, method) = match base.rsplit_once('_') {
        Some((stem, m @ ("beg" | "end" | "sub" | "dir" | "reg" | "dom" | "len"))) => {
            (stem, Some(m.to_owned()))
        }
        _ => (base, None),
    };
    let host = if matches!(request.port, 80 | 443) {
        request.host.to_owned()
    } else {
        format!("{}:{}", request.host, request.port)
    };
    let value = match stem {
        "path" | "pathq" if argument.is_empty() => Some(path),
        "url" if argument.is_empty() => Some(request.path.to_owned()),
        "method" => Some("GET".to_owned()),
        "hdr" | "req.hdr" | "req.fhdr" | "hdr_cnt" => {
            match argument.split(',').next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "host" => Some(host),
                "upgrade" => Some("websocket".to_owned()),
                "connection" => Some("Upgrade".to_owned()),
                "sec-websocket-version" => Some("13".to_owned()),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some((value, method))
}

fn compare(method: &str, subject: &str, value: &str, any_case: bool) -> Option<bool> {
    if method == "reg" {
        return RegexBuilder::new(value)
            .case_insensitive(any_case)
            .size_limit(1 << 18)
            .build()
            .ok()
            .map(|regex| regex.is_match(subject));
    }
    let (subject, value) = if any_case {
        (subject.to_ascii_lowercase(), value.to_ascii_lowercase())
    } else {
        (subject.to_owned(), value.to_owned())
    };
    let within = |separators: &[char]| {
        let trimmed = value.trim_matches(separators);
        !trimmed.is_empty()
            && format!("{0}{subject}{0}", separators[0])
                .replace(separators, "\u{0}")
                .contains(&format!("\u{0}{}\u{0}", trimmed.replace(separators, "\u{0}")))
    };
    match method {
        "str" => Some(subject == value),
        "beg" => Some(subject.starts_with(&value)),
        "end" => Some(subject.ends_with(&value)),
        "sub" => Some(subject.contains(&value)),
        "dir" => Some(within(&['/', '?'])),
        "dom" => Some(within(&['.', ':', '/', '?'])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::haproxy::parse::sections;
    use crate::configuration::source::File;

    #[test]
    fn conditions_have_three_values() {
        let text = "frontend f\n acl ws hdr(Upgrade) -i WebSocket\n acl api path_beg /v2 /v1\n \
                    acl api path /x\n acl src src 192.0.2.0/24\n acl host hdr(host) -i b.example\n \
                    acl re path_reg ^/v1/(ws|graphql)$\n";
        let files = [File { name: "x".into(), path: None, text: text.into() }];
        let all = sections(&files);
        let request = Request { host: "b.example", port: 443, path: "/v1/ws?x=1", version: None };
        for (line, expected) in [
            ("use_backend b", Some(true)),
            ("use_backend b if ws api", Some(true)),
            ("use_backend b if ws !api", Some(false)),
            ("use_backend b unless api", Some(false)),
            ("use_backend b if src", None),
            ("use_backend b if src || ws", Some(true)),
            ("use_backend b if src !ws", Some(false)),
            ("use_backend b if src api", None),
            ("use_backend b if { path_end /ws } host", Some(true)),
            ("use_backend b if { path -m beg /v1/graphql }", Some(false)),
            ("use_backend b if ! { path /v1/ws }", Some(false)),
            ("use_backend b if re", Some(true)),
            ("use_backend b if { path_dir v1 }", Some(true)),
            ("use_backend b if { hdr(upgrade) -m found }", Some(true)),
            ("use_backend b if { path_beg -f /etc/list }", None),
            ("use_backend b if { ssl_fc }", None),
            ("use_backend b if METH_GET", Some(true)),
            ("use_backend b if nobody", None),
        ] {
            let words = line.split(' ').map(str::to_owned).collect();
            let line_ = Line { words, line: 1, file: 0 };
            assert_eq!(holds(&line_, &all[0], &request), expected, "{line}");
        }
    }
}
