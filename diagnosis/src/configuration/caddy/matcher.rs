//! Matchers of a Caddyfile, for the request that was probed: `/path*`, `@name`.

use super::parse::Directive;
use crate::configuration::Request;
use crate::configuration::held::Holds;
use regex::Regex;

/// What matchers see.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'c> {
    pub(super) request: &'c Request<'c>,
    /// The path as it is now.
    pub(super) path: &'c str,
}

/// The matcher of a directive: the word, where it has one.
pub(super) fn of(directive: &Directive) -> Option<&str> {
    let word = directive.word(1);
    let is = word.starts_with('@') || word.starts_with('/') || word == "*";
    is.then_some(word)
}

/// A path by which directives are ordered: that of a matcher with a single one.
pub(super) fn path<'m>(word: &'m str, named: &[&'m Directive]) -> Option<&'m str> {
    if word.starts_with('/') {
        return Some(word);
    }
    let definition = named.iter().find(|d| d.name() == word)?;
    let mut paths = conditions(definition).into_iter().filter(|c| c.first() == Some(&"path"));
    match paths.next()?.as_slice() {
        ["path", one] => Some(one),
        _ => None,
    }
}

/// `@name path /x` or a block with one condition a line.
fn conditions(definition: &Directive) -> Vec<Vec<&str>> {
    let words = |from: &'_ [String]| -> Vec<String> { from.to_vec() };
    let _ = words;
    if definition.block.is_some() && definition.words.len() == 1 {
        return definition
            .inner()
            .iter()
            .map(|d| d.words.iter().map(String::as_str).collect())
            .collect();
    }
    vec![definition.words.iter().skip(1).map(String::as_str).collect()]
}

/// Whether a directive's matcher holds.
pub(super) fn holds(word: &str, named: &[&Directive], seen: &Seen<'_>) -> Holds {
    if word == "*" {
        return Ok(true);
    }
    if word.starts_with('/') {
        return Ok(path_fits(word, seen.path));
    }
    let Some(definition) = named.iter().find(|d| d.name() == word) else {
        return Err(format!("{word}, which is not in the file"));
    };
    if definition.block.is_some() && definition.words.len() == 1 {
        return all(definition.inner(), seen);
    }
    let words: Vec<&str> = definition.words.iter().skip(1).map(String::as_str).collect();
    if words.first() == Some(&"not") && definition.block.is_some() {
        return all(definition.inner(), seen).map(|held| !held);
    }
    one(&words, seen)
}

/// Conditions of a block: all have to hold; those on one header's values are one.
pub(super) fn all(block: &[Directive], seen: &Seen<'_>) -> Holds {
    let mut unknown = None;
    let mut done: Vec<String> = Vec::new();
    for line in block {
        let words: Vec<&str> = line.words.iter().map(String::as_str).collect();
        let held = match words.as_slice() {
            ["not"] => all(line.inner(), seen).map(|held| !held),
            ["header", field, _] => {
                let field = field.to_ascii_lowercase();
                if done.contains(&field) {
                    continue;
                }
                let same =
                    |d: &&Directive| d.name() == "header" && d.word(1).eq_ignore_ascii_case(&field);
                done.push(field.clone());
                let mut any = Ok(false);
                for other in block.iter().filter(same) {
                    let words: Vec<&str> = other.words.iter().map(String::as_str).collect();
                    any = either(any, one(&words, seen));
                }
                any
            }
            // Lines of one kind are one matcher with all their values.
            [kind @ ("path" | "host" | "method"), ..] => {
                if done.iter().any(|d| d == kind) {
                    continue;
                }
                done.push((*kind).to_owned());
                let mut any = Ok(false);
                for other in block.iter().filter(|d| d.name() == *kind) {
                    let words: Vec<&str> = other.words.iter().map(String::as_str).collect();
                    any = either(any, one(&words, seen));
                }
                any
            }
            words => one(words, seen),
        };
        match held {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    unknown.map_or(Ok(true), Err)
}

pub(super) fn either(a: Holds, b: Holds) -> Holds {
    match (a, b) {
        (Ok(true), _) | (_, Ok(true)) => Ok(true),
        (Err(why), _) | (_, Err(why)) => Err(why),
        _ => Ok(false),
    }
}

fn one(words: &[&str], seen: &Seen<'_>) -> Holds {
    let request = seen.request;
    let Some((kind, args)) = words.split_first() else { return Ok(true) };
    Ok(match *kind {
        "path" => args.iter().any(|p| path_fits(p, seen.path)),
        "path_regexp" => {
            let pattern = args.last().copied().unwrap_or_default();
            let regex = Regex::new(pattern).map_err(|_| format!("the pattern {pattern}"))?;
            regex.is_match(&merged(seen.path))
        }
        "host" => args.iter().any(|h| host_fits(h, request.host)),
        "method" => args.contains(&"GET"),
        "protocol" => match args.first().copied().unwrap_or_default() {
            "https" => request.tls,
            "http" => !request.tls,
            "http/1.1" | "http/1.0+" | "http/1.1+" => true,
            _ => false,
        },
        "query" => {
            let query = request.path.split_once('?').map_or("", |(_, q)| q);
            args.iter().any(|wanted| match wanted.split_once('=') {
                Some((key, "*")) => query.split('&').any(|p| p.split('=').next() == Some(key)),
                _ => query.split('&').any(|p| p == *wanted),
            })
        }
        "header" => header(args, request)?,
        "header_regexp" => {
            let (field, pattern) = match args {
                [field, pattern] | [_, field, pattern] => (*field, *pattern),
                _ => return Err("a pattern over headers".to_owned()),
            };
            let regex = Regex::new(pattern).map_err(|_| format!("the pattern {pattern}"))?;
            sent(field, request)?.is_some_and(|value| regex.is_match(&value))
        }
        "not" => !one(args, seen)?,
        // No file is named as the path of a WebSocket.
        "file"
            if args.is_empty()
                || args.iter().all(|a| a.contains("{path}") || a.contains("{uri}")) =>
        {
            false
        }
        other => return Err(format!("`{other} {}`", args.join(" "))),
    })
}

fn header(args: &[&str], request: &Request<'_>) -> Holds {
    let Some((field, values)) = args.split_first() else { return Ok(true) };
    if let Some(absent) = field.strip_prefix('!') {
        return Ok(sent(absent, request)?.is_none());
    }
    let Some(value) = sent(field, request)? else { return Ok(false) };
    if values.is_empty() {
        return Ok(true);
    }
    Ok(values.iter().any(|wanted| match (wanted.strip_prefix('*'), wanted.strip_suffix('*')) {
        (Some(rest), Some(_)) => value.contains(rest.trim_end_matches('*')),
        (Some(end), None) => value.ends_with(end),
        (None, Some(start)) => value.starts_with(start),
        (None, None) => value == *wanted,
    }))
}

/// The value of a header that the upgrade has; an error where it may have it.
fn sent(field: &str, request: &Request<'_>) -> Result<Option<String>, String> {
    Ok(match field.to_ascii_lowercase().as_str() {
        "upgrade" => Some("websocket".to_owned()),
        "connection" => Some("Upgrade".to_owned()),
        "sec-websocket-version" => Some("13".to_owned()),
        "sec-websocket-key" => Some("dGhlIHNhbXBsZSBub25jZQ==".to_owned()),
        "host" => Some(request.authority()),
        "sec-websocket-protocol" | "content-type" | "content-length" | "expect" => None,
        _ => return Err(format!("the header {field}")),
    })
}

/// A path whose slashes stand alone.
pub(super) fn merged(path: &str) -> String {
    let mut path = path.to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    path
}

/// Paths compare without regard to case; `*` stands at either end.
pub(super) fn path_fits(pattern: &str, path: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    let mut path = path.split('?').next().unwrap_or_default().to_ascii_lowercase();
    if !pattern.contains("//") {
        path = merged(&path);
    }
    let inner = pattern.trim_start_matches('*').trim_end_matches('*');
    match (pattern.starts_with('*'), pattern.ends_with('*')) {
        _ if pattern == "*" => true,
        _ if inner.contains('*') => {
            let escaped = regex::escape(&pattern).replace(r"\*", "[^/]*");
            Regex::new(&format!("^{escaped}$")).is_ok_and(|r| r.is_match(&path))
        }
        (true, true) => path.contains(inner),
        (true, false) => path.ends_with(inner),
        (false, true) => path.starts_with(inner),
        (false, false) => path == pattern,
    }
}

/// `*` stands for one label.
pub(super) fn host_fits(pattern: &str, host: &str) -> bool {
    let (mut a, mut b) = (pattern.split('.'), host.split('.'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
            _ => return false,
        }
    }
}
