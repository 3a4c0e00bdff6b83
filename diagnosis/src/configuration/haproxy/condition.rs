//! Conditions of HAProxy (`if`, `unless`, `acl`) for the request that was
//! probed: true, false, or not to be told, and then because of what.

use super::fetch::{Client, value};
use super::parse::{Line, Section};
use regex::RegexBuilder;

/// Most terms of a condition that are looked at.
const TERMS: usize = 200;

/// Whether something holds; `Err` names what it depends on.
pub(super) type Told = Result<bool, String>;

/// Whether the condition that follows `if` or `unless` in a line holds. A line
/// without one always holds.
pub(super) fn holds(line: &Line, section: &Section, client: &Client<'_>) -> Told {
    let at = line.words.iter().position(|w| w == "if" || w == "unless");
    let Some(at) = at else { return Ok(true) };
    let result = condition(line.from(at + 1), section, client);
    if line.word(at) == "unless" { result.map(|b| !b) } else { result }
}

/// The `acl` lines that a line's condition names.
pub(super) fn acls<'s>(line: &Line, section: &'s Section) -> Vec<&'s Line> {
    let at = line.words.iter().position(|w| w == "if" || w == "unless");
    let names = at.map(|at| line.from(at + 1)).unwrap_or_default();
    let named = |acl: &&Line| names.iter().any(|n| n.trim_start_matches('!') == acl.word(1));
    section.lines.iter().filter(|l| l.word(0) == "acl").filter(named).collect()
}

/// Terms are and-ed; `||` and `or` separate alternatives.
fn condition(words: &[String], section: &Section, client: &Client<'_>) -> Told {
    let mut any = Ok(false);
    let mut all = Ok(true);
    let mut at = 0;
    let mut terms = 0;
    while at < words.len() {
        terms += 1;
        if terms > TERMS {
            return Err("a very long condition".to_owned());
        }
        let word = words[at].as_str();
        if word == "||" || word == "or" {
            any = or(any, all);
            all = Ok(true);
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
            let value = test(words.get(at + 1..end).unwrap_or_default(), client);
            at = end + 1;
            value
        } else {
            at += 1;
            named(word, section, client)
        };
        all = and(all, if negated { value.map(|b| !b) } else { value });
    }
    or(any, all)
}

fn and(a: Told, b: Told) -> Told {
    match (a, b) {
        (Ok(false), _) | (_, Ok(false)) => Ok(false),
        (Ok(true), Ok(true)) => Ok(true),
        (Err(why), _) | (_, Err(why)) => Err(why),
    }
}

fn or(a: Told, b: Told) -> Told {
    and(a.map(|b| !b), b.map(|b| !b)).map(|b| !b)
}

/// An `acl` by name: several lines of one name are or-ed. Those that HAProxy
/// brings along are known as well.
fn named(name: &str, section: &Section, client: &Client<'_>) -> Told {
    let mut result: Option<Told> = None;
    for line in section.lines.iter().filter(|l| l.is(&["acl", name])) {
        let value = match line.maybe {
            None => test(line.from(2), client),
            Some(at) => Err(format!("the .if of line {at}")),
        };
        result = Some(result.map_or(value.clone(), |known| or(known, value)));
    }
    result.unwrap_or_else(|| match name {
        "TRUE" | "HTTP" | "METH_GET" | "HTTP_1.1" | "HTTP_URL_SLASH" => Ok(true),
        "FALSE" | "METH_POST" | "METH_PUT" | "METH_HEAD" | "METH_CONNECT" | "METH_OPTIONS"
        | "METH_DELETE" | "METH_TRACE" | "HTTP_1.0" | "HTTP_2.0" | "HTTP_CONTENT" => Ok(false),
        _ => Err(format!("acl {name}, which is not in this section")),
    })
}

/// The expression without the method that its name may hold: `hdr_beg(host)`,
/// `path_reg`.
fn unnamed(fetch: &str) -> (String, Option<&'static str>) {
    const METHODS: [&str; 7] = ["beg", "end", "sub", "dir", "reg", "dom", "len"];
    let end = fetch.find(['(', ',']).unwrap_or(fetch.len());
    let (name, rest) = fetch.split_at(end);
    for method in METHODS {
        if let Some(stem) = name.strip_suffix(method).and_then(|stem| stem.strip_suffix('_')) {
            return (format!("{stem}{rest}"), Some(method));
        }
    }
    (fetch.to_owned(), None)
}

/// One test: a fetch, flags, values.
fn test(words: &[String], client: &Client<'_>) -> Told {
    let Some(fetch) = words.first() else { return Err("an empty condition".to_owned()) };
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
            "-f" => {
                let file = words.get(at + 1).map_or("", String::as_str);
                return Err(format!("the file {file}"));
            }
            other if other.starts_with('-') => return Err(format!("{fetch} {other}")),
            _ => break,
        }
        at += 1;
    }
    let values = words.get(at..).unwrap_or_default();
    let (expression, by_name) = unnamed(fetch);
    let method = method.as_deref().or(by_name);
    let subject = value(&expression, client)?;
    if method == Some("found") {
        return Ok(subject.is_some());
    }
    let Some(subject) = subject else { return Ok(false) };
    let number = matches!(
        expression.split(['(', ',']).next().unwrap_or_default(),
        "dst_port"
            | "hdr_cnt"
            | "req.hdr_cnt"
            | "int"
            | "req.ssl_hello_type"
            | "req_ssl_hello_type"
    );
    if values.is_empty() && (method.is_none() || method == Some("bool")) {
        // What is a truth by itself.
        return Ok(!matches!(subject.as_str(), "0" | "" | "false"));
    }
    if method == Some("int") || number && method.is_none() {
        return numbers(&subject, values);
    }
    let mut result = Ok(false);
    for value in values {
        result = or(result, compare(method.unwrap_or("str"), &subject, value, any_case));
    }
    result
}

/// `443`, `8000:8010`, `ge 3`.
fn numbers(subject: &str, values: &[String]) -> Told {
    let unknown = || Err(format!("the number {subject}"));
    let Ok(subject_number) = subject.parse::<i64>() else { return unknown() };
    let mut operator = "eq";
    for value in values {
        if let known @ ("eq" | "ge" | "gt" | "le" | "lt") = value.as_str() {
            operator = known;
            continue;
        }
        let (low, high) = value.split_once(':').unwrap_or((value, value));
        let bound = |text: &str, open: i64| {
            if text.is_empty() { Ok(open) } else { text.parse::<i64>() }
        };
        let (Ok(low), Ok(high)) = (bound(low, i64::MIN), bound(high, i64::MAX)) else {
            return unknown();
        };
        let fits = match operator {
            "ge" => subject_number >= low,
            "gt" => subject_number > low,
            "le" => subject_number <= low,
            "lt" => subject_number < low,
            _ => (low..=high).contains(&subject_number),
        };
        if fits {
            return Ok(true);
        }
    }
    Ok(false)
}

fn compare(method: &str, subject: &str, value: &str, any_case: bool) -> Told {
    if method == "reg" {
        return RegexBuilder::new(value)
            .case_insensitive(any_case)
            .size_limit(1 << 18)
            .build()
            .map(|regex| regex.is_match(subject))
            .map_err(|_| format!("the pattern {value}"));
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
        "str" => Ok(subject == value),
        "beg" => Ok(subject.starts_with(&value)),
        "end" => Ok(subject.ends_with(&value)),
        "sub" => Ok(subject.contains(&value)),
        "dir" => Ok(within(&['/', '?'])),
        "dom" => Ok(within(&['.', ':', '/', '?'])),
        "len" => value.parse().map(|n: usize| subject.len() == n).map_err(|_| value.clone()),
        _ => Err(format!("-m {method}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Request;
    use crate::configuration::haproxy::parse::sections;
    use crate::configuration::source::File;

    #[test]
    fn conditions_have_three_values() {
        let text = "frontend f\n acl ws hdr(Upgrade) -i WebSocket\n acl api path_beg /v2 /v1\n \
                    acl api path /x\n acl src src 192.0.2.0/24\n acl host hdr(host) -i b.example\n \
                    acl re path_reg ^/v1/(ws|graphql)$\n";
        let files = [File {
            name: "x".into(),
            path: None,
            text: text.into(),
            dumped: false,
            parsed: Default::default(),
        }];
        let all = sections(&files, None);
        let request =
            Request { host: "b.example", port: 443, tls: true, path: "/v1/ws?x=1", version: None };
        let client = Client::new(&request, None, Some(443), true);
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
            ("use_backend b if { dst_port 443 }", Some(true)),
            ("use_backend b if { dst_port gt 1024 }", Some(false)),
            ("use_backend b if { hdr_dom(host) -i example }", Some(true)),
            ("use_backend b if { hdr(host),field(1,:) -i B.example }", Some(true)),
            ("use_backend b if { req.hdr_cnt(upgrade) ge 1 }", Some(true)),
        ] {
            let words = line.split(' ').map(str::to_owned).collect();
            let line_ = Line { words, line: 1, file: 0, maybe: None };
            assert_eq!(holds(&line_, &all[0], &client).ok(), expected, "{line}");
        }
    }
}
