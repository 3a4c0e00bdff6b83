//! Rules of routers: functions of the request, joined by `&&`, `||` and `!`.

use crate::configuration::Request;
use crate::configuration::held::{Holds, Joined, joined};
use regex::{Regex, RegexBuilder};

/// Reads a rule for a request.
pub(crate) fn holds(rule: &str, request: &Request<'_>) -> Holds {
    let mut own = Reader { rest: rule, request };
    let held = joined(&mut own)?;
    if own.rest.trim().is_empty() { Ok(held) } else { Err(format!("the rule {rule}")) }
}

struct Reader<'r> {
    rest: &'r str,
    request: &'r Request<'r>,
}

impl Joined for Reader<'_> {
    fn sign(&mut self, sign: &str) -> bool {
        match self.rest.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn single(&mut self) -> Holds {
        self.function()
    }

    fn lost(&mut self) -> Holds {
        self.rest = "?";
        Err("a rule that is not read here".to_owned())
    }
}

impl Reader<'_> {
    fn function(&mut self) -> Holds {
        let rest = self.rest.trim_start();
        let Some((name, after)) = rest.split_once('(') else { return self.lost() };
        let mut args: Vec<&str> = Vec::new();
        let mut rest = after;
        loop {
            rest = rest.trim_start_matches([' ', ',']);
            if let Some(after) = rest.strip_prefix(')') {
                self.rest = after;
                return self.of(name.trim(), &args);
            }
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '`' | '"' | '\'')) else {
                return self.lost();
            };
            let Some((arg, after)) = rest.get(1..).and_then(|r| r.split_once(quote)) else {
                return self.lost();
            };
            args.push(arg);
            rest = after;
        }
    }

    fn of(&self, name: &str, args: &[&str]) -> Holds {
        let path = self.request.path.split('?').next().unwrap_or_default();
        let host = self.request.host.to_ascii_lowercase();
        let matches = |pattern: &str, text: &str| -> Holds {
            let regex: Option<Regex> = RegexBuilder::new(pattern).size_limit(1 << 20).build().ok();
            regex.map(|r| r.is_match(text)).ok_or_else(|| format!("the pattern {pattern}"))
        };
        // `{name:pattern}` is of version 2.
        if args.iter().any(|arg| arg.contains('{')) {
            return Err(format!("{name}({})", args.join(", ")));
        }
        let first = args.first().copied().unwrap_or_default();
        match name {
            "Host" => Ok(args.iter().any(|arg| arg.eq_ignore_ascii_case(&host))),
            "HostRegexp" => matches(first, &host),
            "Path" => Ok(args.contains(&path)),
            "PathPrefix" => Ok(args.iter().any(|arg| path.starts_with(arg))),
            "PathRegexp" => matches(first, path),
            "Method" => Ok(args.contains(&"GET")),
            "Header" | "Headers" => match (first.to_ascii_lowercase().as_str(), args.get(1)) {
                ("upgrade", Some(value)) => Ok(value.eq_ignore_ascii_case("websocket")),
                ("connection", Some(value)) => Ok(value.eq_ignore_ascii_case("upgrade")),
                (other, _) => Err(format!("the header {other}")),
            },
            other => Err(format!("{other}({})", args.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let request =
            Request { host: "b.example", port: 443, tls: true, path: "/v1/ws?x=1", version: None };
        for (rule, expected) in [
            ("Host(`b.example`) && PathPrefix(`/v1`)", Ok(true)),
            ("Host(`a`, `B.example`)", Ok(true)),
            ("(Path(`/v1/ws`) || Path(`/`)) && !Method(`POST`)", Ok(true)),
            ("PathPrefix(`/app`)", Ok(false)),
            ("PathRegexp(`^/v1/(ws|graphql)$`) && Header(`Upgrade`, `websocket`)", Ok(true)),
            ("ClientIP(`10.0.0.0/8`) && Host(`c`)", Ok(false)),
        ] {
            assert_eq!(holds(rule, &request), expected, "{rule}");
        }
        let deep = "!(".repeat(10_000);
        for rule in [
            "ClientIP(`10.0.0.0/8`)",
            "Host(`b.example`",
            "Host(`b.example`) || Host(b)",
            "PathPrefix(`/{a:x}`)",
            "[removed]",
            &deep,
        ] {
            assert!(holds(rule, &request).is_err(), "{rule}");
        }
    }
}
