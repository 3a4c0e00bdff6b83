//! RewriteCond and RewriteRule (`mod_rewrite`), for the request that was probed.

use super::parse::Directive;
use crate::configuration::Request;
use regex::{Regex, RegexBuilder};

/// Most times that `[N]` begins anew.
const ROUNDS: usize = 8;
/// Largest pattern, compiled.
const PATTERN: usize = 1 << 20;

/// What the rules make of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rewritten<'t> {
    /// Nothing.
    No,
    /// Another path; with `[PT]`, or in a folder, it is looked up anew.
    Path { path: String, by: &'t Directive, anew: bool },
    /// It is handed on to this URL.
    Proxy { url: String, by: &'t Directive, upgrades_alone: bool },
    /// It is answered: the status, and where it is sent.
    Answer { status: u16, to: Option<String>, by: &'t Directive },
    /// That depends on what the files do not tell.
    Unknown { by: &'t Directive, why: String },
}

/// Where rules stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) request: &'c Request<'c>,
    /// The path as it is now.
    pub(super) path: &'c str,
    /// The folder's rules see the path without it.
    pub(super) stripped: Option<&'c str>,
    /// What stands before a relative result (`RewriteBase`, or the folder's path).
    pub(super) base: &'c str,
    pub(super) document_root: Option<&'c str>,
}

/// A pattern as Apache's, unless it needs what is not here (looking around).
pub(super) fn pattern(text: &str, any_case: bool) -> Option<Regex> {
    RegexBuilder::new(text).case_insensitive(any_case).size_limit(PATTERN).build().ok()
}

/// The flags of a rule or condition: `[P,L]`, `[NC,OR]`.
fn flags(word: &str) -> Vec<(String, String)> {
    word.trim_start_matches('[')
        .trim_end_matches(']')
        .split(',')
        .map(|flag| {
            let (name, value) = flag.trim().split_once('=').unwrap_or((flag.trim(), ""));
            (name.to_ascii_uppercase(), value.to_owned())
        })
        .collect()
}

fn has(flags: &[(String, String)], names: &[&str]) -> bool {
    flags.iter().any(|(name, _)| names.iter().any(|n| n.eq_ignore_ascii_case(name)))
}

fn value<'f>(flags: &'f [(String, String)], names: &[&str]) -> Option<&'f str> {
    let found = flags.iter().find(|(name, _)| names.iter().any(|n| n.eq_ignore_ascii_case(name)));
    found.map(|(_, value)| value.as_str())
}

/// What was captured by a rule (`$1`) and its last condition (`%1`).
#[derive(Default)]
struct Captured {
    rule: Vec<String>,
    condition: Vec<String>,
}

/// Whether the rules are switched on among these directives.
pub(super) fn engine(all: &[&Directive]) -> bool {
    all.iter().rfind(|d| d.name == "rewriteengine").is_some_and(|d| d.is(0, "on"))
}

/// Applies the rules among these directives, in order.
pub(super) fn rewrite<'t>(all: &[&'t Directive], context: &Context<'_>) -> Rewritten<'t> {
    let mut path = context.stripped.unwrap_or(context.path).to_owned();
    let mut changed: Option<(&'t Directive, bool)> = None;
    let mut round = 0;
    'round: loop {
        round += 1;
        let mut conditions: Vec<&Directive> = Vec::new();
        let mut chained = true;
        let mut skip = 0_usize;
        for one in all.iter().copied() {
            match one.name.as_str() {
                "rewritecond" => {
                    conditions.push(one);
                    continue;
                }
                "rewriterule" => {}
                _ => continue,
            }
            let own = std::mem::take(&mut conditions);
            let rule = flags(one.arg(2));
            let chain = has(&rule, &["C", "chain"]);
            if skip > 0 || !chained {
                skip = skip.saturating_sub(1);
                chained = !chain || chained;
                continue;
            }
            let unknown = |why: String| Rewritten::Unknown { by: one, why };
            let now = Context { path: &path, ..*context };
            let (text, not) =
                one.arg(0).strip_prefix('!').map_or((one.arg(0), false), |t| (t, true));
            let Some(regex) = pattern(text, has(&rule, &["NC", "nocase"])) else {
                return unknown(format!("the pattern {text} is not understood"));
            };
            let mut captured = Captured::default();
            match regex.captures(&path) {
                Some(found) if !not => captured.rule = groups(&found),
                None if not => {}
                _ => {
                    chained = !chain;
                    continue;
                }
            }
            match holds(&own, &now, context, &mut captured) {
                Ok(true) => {}
                Ok(false) => {
                    chained = !chain;
                    continue;
                }
                Err(why) if matters(one, &rule) => return unknown(why),
                Err(_) => continue,
            }
            chained = true;
            if has(&rule, &["F", "forbidden"]) {
                return Rewritten::Answer { status: 403, to: None, by: one };
            }
            if has(&rule, &["G", "gone"]) {
                return Rewritten::Answer { status: 410, to: None, by: one };
            }
            let redirect = value(&rule, &["R", "redirect"]);
            let target = one.arg(1);
            if let Some(code) = redirect
                && let Some(status) = status(code).filter(|s| !(300..400).contains(s))
            {
                return Rewritten::Answer { status, to: None, by: one };
            }
            if target != "-" {
                let text = match expand(target, &now, context, &captured) {
                    Ok(text) => text,
                    Err(why) => return unknown(why),
                };
                path = text.split('?').next().unwrap_or_default().to_owned();
                changed = Some((one, has(&rule, &["PT", "passthrough"])));
            }
            let absolute = path.contains("://") || path.starts_with("balancer:");
            if has(&rule, &["P", "proxy"]) {
                let alone = own.iter().any(|c| c.arg(0).eq_ignore_ascii_case("%{HTTP:Upgrade}"));
                return Rewritten::Proxy { url: path, by: one, upgrades_alone: alone };
            }
            if redirect.is_some() || (absolute && target != "-") {
                let to = if absolute { path } else { whole(context, &path) };
                let status = redirect.and_then(status).unwrap_or(302);
                return Rewritten::Answer { status, to: Some(to), by: one };
            }
            if has(&rule, &["L", "last", "END", "PT", "passthrough"]) {
                break 'round;
            }
            if let Some(number) = value(&rule, &["S", "skip"]) {
                skip = number.parse().unwrap_or(0);
            }
            if has(&rule, &["N", "next"]) && round < ROUNDS {
                continue 'round;
            }
        }
        break;
    }
    match changed {
        None => Rewritten::No,
        Some((by, anew)) => {
            let anew = anew || context.stripped.is_some();
            let path = if path.starts_with('/') { path } else { format!("{}{path}", context.base) };
            Rewritten::Path { path, by, anew }
        }
    }
}

fn groups(found: &regex::Captures<'_>) -> Vec<String> {
    found.iter().map(|g| g.map_or_else(String::new, |m| m.as_str().to_owned())).collect()
}

/// Whether a rule that may or may not apply changes what becomes of the request.
fn matters(rule: &Directive, own: &[(String, String)]) -> bool {
    rule.arg(1) != "-"
        || has(
            own,
            &[
                "F",
                "forbidden",
                "G",
                "gone",
                "R",
                "redirect",
                "P",
                "proxy",
                "L",
                "last",
                "END",
                "S",
                "skip",
                "C",
                "chain",
            ],
        )
}

fn status(code: &str) -> Option<u16> {
    match code.to_ascii_lowercase().as_str() {
        "" | "temp" => Some(302),
        "permanent" => Some(301),
        "seeother" => Some(303),
        code => code.parse().ok(),
    }
}

/// A path as the URL that a redirect names.
fn whole(context: &Context<'_>, path: &str) -> String {
    let scheme = if context.request.tls { "https" } else { "http" };
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{scheme}://{}{slash}{path}", context.request.authority())
}

/// Whether all conditions of a rule hold; those with `[OR]` by any of a row.
fn holds(
    all: &[&Directive],
    now: &Context<'_>,
    context: &Context<'_>,
    captured: &mut Captured,
) -> Result<bool, String> {
    let mut at = 0;
    while at < all.len() {
        let mut any = Ok(false);
        loop {
            // Behind the last one `[OR]` finds nobody who could say no.
            let Some(one) = all.get(at) else {
                any = Ok(true);
                break;
            };
            at += 1;
            let own = flags(one.arg(2));
            match (condition(one, &own, now, context, captured), &any) {
                (Ok(true), _) => any = Ok(true),
                (Err(why), Ok(false)) => any = Err(why),
                _ => {}
            }
            if !has(&own, &["OR", "ornext"]) {
                break;
            }
        }
        if !any? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn condition(
    one: &Directive,
    own: &[(String, String)],
    now: &Context<'_>,
    context: &Context<'_>,
    captured: &mut Captured,
) -> Result<bool, String> {
    let (test, not) = one.arg(1).strip_prefix('!').map_or((one.arg(1), false), |t| (t, true));
    let held = match test {
        "-f" | "-d" | "-s" | "-F" | "-U" | "-l" | "-L" | "-h" | "-H" | "-x" => {
            // No file is named as the path of a WebSocket.
            let own = one.arg(0).contains("REQUEST_FILENAME") || one.arg(0).contains("REQUEST_URI");
            let asked =
                context.request.path.split('?').next().unwrap_or_default().replace("//", "/");
            if !own || !asked.ends_with(now.path.trim_start_matches('/')) {
                return Err(format!("whether {} is a file", one.arg(0)));
            }
            false
        }
        _ => {
            let text = expand(one.arg(0), now, context, captured)?;
            let any_case = has(own, &["NC", "nocase"]);
            compare(test, &text, any_case, captured)?
        }
    };
    Ok(held != not)
}

fn compare(
    test: &str,
    text: &str,
    any_case: bool,
    captured: &mut Captured,
) -> Result<bool, String> {
    if let Some(wanted) = test.strip_prefix('=') {
        let wanted = wanted.trim_matches('"');
        return Ok(if any_case { text.eq_ignore_ascii_case(wanted) } else { text == wanted });
    }
    let order = |at: &str| text.cmp(at);
    if let Some(than) = test.strip_prefix("<=") {
        return Ok(order(than).is_le());
    }
    if let Some(than) = test.strip_prefix(">=") {
        return Ok(order(than).is_ge());
    }
    if let Some(than) = test.strip_prefix('<') {
        return Ok(order(than).is_lt());
    }
    if let Some(than) = test.strip_prefix('>') {
        return Ok(order(than).is_gt());
    }
    for (word, holds) in [
        ("-eq", std::cmp::Ordering::is_eq as fn(std::cmp::Ordering) -> bool),
        ("-ne", std::cmp::Ordering::is_ne),
        ("-lt", std::cmp::Ordering::is_lt),
        ("-le", std::cmp::Ordering::is_le),
        ("-gt", std::cmp::Ordering::is_gt),
        ("-ge", std::cmp::Ordering::is_ge),
    ] {
        if let Some(number) = test.strip_prefix(word) {
            let number: i64 = number.trim().parse().unwrap_or(0);
            return Ok(holds(text.trim().parse::<i64>().unwrap_or(0).cmp(&number)));
        }
    }
    let Some(regex) = pattern(test, any_case) else {
        return Err(format!("the pattern {test} is not understood"));
    };
    match regex.captures(text) {
        Some(found) => {
            captured.condition = groups(&found);
            Ok(true)
        }
        None => Ok(false),
    }
}

/// `$1`, `%1`, `%{NAME}`, `\$`.
fn expand(
    text: &str,
    now: &Context<'_>,
    context: &Context<'_>,
    captured: &Captured,
) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match (c, next) {
            ('\\', Some(_)) => out.extend(chars.next()),
            ('$' | '%', Some(digit)) if digit.is_ascii_digit() => {
                chars.next();
                let from = if c == '$' { &captured.rule } else { &captured.condition };
                let at = digit.to_digit(10).unwrap_or(0) as usize;
                out.push_str(from.get(at).map_or("", String::as_str));
            }
            ('%', Some('{')) => {
                chars.next();
                let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                out.push_str(&variable(&name, now, context)?);
            }
            ('$', Some('{')) => return Err(format!("a map decides ({text})")),
            _ => out.push(c),
        }
    }
    Ok(out)
}

/// What a variable holds for the request of a browser.
fn variable(name: &str, now: &Context<'_>, context: &Context<'_>) -> Result<String, String> {
    let request = context.request;
    let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
    let upper = name.to_ascii_uppercase();
    let scheme = if request.tls { "https" } else { "http" };
    Ok(match upper.as_str() {
        // What follows the rules so far, but for a folder's, which is told the whole.
        "REQUEST_URI" if context.stripped.is_none() => now.path.to_owned(),
        "REQUEST_URI" => context.path.to_owned(),
        "REQUEST_FILENAME" | "SCRIPT_FILENAME" => match context.stripped {
            Some(_) => format!("{}{}", context.document_root.unwrap_or_default(), context.path),
            None => now.path.to_owned(),
        },
        "DOCUMENT_ROOT" => match context.document_root {
            Some(root) => root.to_owned(),
            None => return Err("DOCUMENT_ROOT".to_owned()),
        },
        "QUERY_STRING" => query.to_owned(),
        "THE_REQUEST" => format!("GET {} HTTP/1.1", request.path),
        "REQUEST_METHOD" => "GET".to_owned(),
        "REQUEST_SCHEME" => scheme.to_owned(),
        "HTTPS" => if request.tls { "on" } else { "off" }.to_owned(),
        "HTTP_HOST" | "HTTP:HOST" => request.authority(),
        "SERVER_PORT" => request.port.to_string(),
        "SERVER_PROTOCOL" => "HTTP/1.1".to_owned(),
        "HTTP:UPGRADE" | "HTTP_UPGRADE" => "websocket".to_owned(),
        "HTTP:CONNECTION" | "HTTP_CONNECTION" => "Upgrade".to_owned(),
        "HTTP:SEC-WEBSOCKET-VERSION" => "13".to_owned(),
        "HTTP:SEC-WEBSOCKET-KEY" => "dGhlIHNhbXBsZSBub25jZQ==".to_owned(),
        "HTTP_REFERER" | "HTTP:REFERER" | "HTTP:X-FORWARDED-PROTO" | "HTTP:X-FORWARDED-SSL" => {
            if upper.ends_with("REFERER") {
                String::new()
            } else {
                return Err(format!("the header {} of what stands before it", &name[5..]));
            }
        }
        "IS_SUBREQ" => "false".to_owned(),
        _ if upper == "SERVER_NAME" => request.host.to_owned(),
        _ => {
            let _ = path;
            return Err(format!("%{{{name}}}"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    fn of(text: &str, path: &str) -> String {
        let all = parse(text, 0).unwrap();
        let all: Vec<&Directive> = all.iter().collect();
        let request = Request { host: "b.example", port: 443, tls: true, path, version: None };
        let context =
            Context { request: &request, path, stripped: None, base: "/", document_root: None };
        match rewrite(&all, &context) {
            Rewritten::No => "no".into(),
            Rewritten::Path { path, anew, .. } => format!("{path} {anew}"),
            Rewritten::Proxy { url, .. } => url,
            Rewritten::Answer { status, to, .. } => format!("{status} {}", to.unwrap_or_default()),
            Rewritten::Unknown { why, .. } => format!("unknown: {why}"),
        }
    }

    #[test]
    fn rules_and_conditions() {
        for (text, expected) in [
            ("RewriteRule ^/x - [F]", "no"),
            ("RewriteRule ^ - [F]", "403 "),
            ("RewriteRule ^/v1/(.*)$ ws://b/$1 [P,L]", "ws://b/ws"),
            (
                "RewriteCond %{HTTP:Upgrade} =WebSocket [NC]\nRewriteRule . http://c%{REQUEST_URI} [P]",
                "http://c/v1/ws",
            ),
            ("RewriteCond %{HTTP:Connection} ^keep\nRewriteRule . - [F]", "no"),
            (
                "RewriteCond %{HTTP_HOST} ^x [OR]\nRewriteCond %{HTTP_HOST} ^(b)\\.\nRewriteRule ^ https://%1/ [R=301]",
                "301 https://b/",
            ),
            ("RewriteCond %{HTTPS} off [OR]\nRewriteRule ^ - [F]", "403 "),
            ("RewriteCond %{HTTPS} off\nRewriteRule ^ https://x/ [R]", "no"),
            ("RewriteRule ^/v1/ /app [PT]", "/app true"),
            ("RewriteCond %{REMOTE_ADDR} ^10\\.\nRewriteRule ^ - [F]", "unknown: %{REMOTE_ADDR}"),
            ("RewriteCond %{REMOTE_ADDR} ^10\\.\nRewriteRule ^ - [E=x:1]", "no"),
            ("RewriteRule ^/x - [C]\nRewriteRule ^ - [F]\nRewriteRule ^ - [G]", "410 "),
            ("RewriteRule ^ - [S=1]\nRewriteRule ^ - [F]", "no"),
            ("RewriteRule .* - [R=503,L]", "503 "),
            ("RewriteRule ^ /m.html [R=302]", "302 https://b.example/m.html"),
        ] {
            assert_eq!(of(text, "/v1/ws"), expected, "{text}");
        }
    }
}
