//! What a sample expression of HAProxy (`hdr(host),lower`, `var(txn.x)`,
//! `ssl_fc`) gives for the request that was probed, and texts with `%[…]` in them.
//! `Err` names what it depends on.

use crate::configuration::Request;
use std::collections::BTreeMap;

/// A value: `None` where there is none, `Err` where it cannot be told.
pub(super) type Fetched = Result<Option<String>, String>;

/// The request as a frontend sees it.
#[derive(Debug, Clone)]
pub(super) struct Client<'a> {
    pub(super) request: &'a Request<'a>,
    /// Whether HAProxy itself ends TLS.
    pub(super) tls: Option<bool>,
    /// The port that it came to.
    pub(super) port: Option<u16>,
    /// False in `mode tcp`, where nothing is known of HTTP.
    pub(super) http: bool,
    /// `Host` as it would be without a port: to see what a port changes.
    pub(super) bare_host: bool,
    /// What `set-var` gave.
    pub(super) variables: BTreeMap<String, Fetched>,
}

impl<'a> Client<'a> {
    pub(super) fn new(
        request: &'a Request<'a>,
        tls: Option<bool>,
        port: Option<u16>,
        http: bool,
    ) -> Self {
        Self { request, tls, port, http, bare_host: false, variables: BTreeMap::new() }
    }

    fn host(&self) -> String {
        if self.bare_host { self.request.host.to_owned() } else { self.request.authority() }
    }
}

/// The parts of `a(b,c),d(e),f`: names with their arguments.
fn parts(text: &str) -> Vec<(&str, Vec<String>)> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['(', ',']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let mut arguments = Vec::new();
        let mut left = after;
        if let Some(inner) = after.strip_prefix('(') {
            let (inside, behind) = arguments_of(inner);
            arguments = inside;
            left = behind;
        }
        out.push((name.trim(), arguments));
        rest = left.strip_prefix(',').unwrap_or(left);
        if rest.len() == left.len() && !left.is_empty() {
            // Nothing that this knows.
            out.push((left, Vec::new()));
            break;
        }
    }
    out
}

/// The arguments up to the closing parenthesis, and what is behind it.
fn arguments_of(inner: &str) -> (Vec<String>, &str) {
    let mut out = vec![String::new()];
    let mut depth = 0_usize;
    let mut quote = None;
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        let mut push = |c| out.last_mut().into_iter().for_each(|last: &mut String| last.push(c));
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            (c, Some(_)) => push(c),
            ('"' | '\'', None) => quote = Some(c),
            ('\\', None) => {
                if let Some((_, next)) = chars.next() {
                    push(next);
                }
            }
            ('(', None) => {
                depth += 1;
                push(c);
            }
            (')', None) if depth == 0 => return (out, &inner[at + 1..]),
            (')', None) => {
                depth -= 1;
                push(c);
            }
            (',', None) if depth == 0 => out.push(String::new()),
            (c, None) => push(c),
        }
    }
    (out, "")
}

/// What an expression gives.
pub(super) fn value(expression: &str, client: &Client<'_>) -> Fetched {
    let all = parts(expression);
    let Some(((name, arguments), converters)) = all.split_first() else {
        return Err(expression.to_owned());
    };
    let mut value = fetch(name, arguments, client)?;
    for (name, arguments) in converters {
        let Some(text) = value else { return Ok(None) };
        value = converted(name, arguments, text, client)?;
    }
    Ok(value)
}

fn fetch(name: &str, arguments: &[String], client: &Client<'_>) -> Fetched {
    let some = |text: &str| Ok(Some(text.to_owned()));
    let flag = |on: bool| Ok(Some(if on { "1" } else { "0" }.to_owned()));
    let argument = arguments.first().map_or("", String::as_str);
    let shown = || match arguments {
        [] => name.to_owned(),
        _ => format!("{name}({})", arguments.join(",")),
    };
    let unknown = || Err(shown());
    let (path, query) = client.request.path.split_once('?').unwrap_or((client.request.path, ""));
    match name.to_ascii_lowercase().as_str() {
        "var" => client.variables.get(argument).cloned().unwrap_or(Ok(None)),
        "str" | "int" => some(argument),
        "bool" => flag(matches!(argument, "1" | "true")),
        "always_true" => flag(true),
        "always_false" => flag(false),
        "ssl_fc" => client.tls.map_or_else(unknown, flag),
        "ssl_fc_sni" | "req.ssl_sni" | "req_ssl_sni" if client.request.tls => {
            some(client.request.host)
        }
        "req.ssl_hello_type" | "req_ssl_hello_type" if client.request.tls => some("1"),
        "ssl_fc_alpn" | "req.ssl_alpn" if client.request.tls => some("http/1.1"),
        "dst_port" => client.port.map_or_else(unknown, |port| some(&port.to_string())),
        _ if !client.http => unknown(),
        "path" => some(path),
        "pathq" | "url" => some(client.request.path),
        "query" => some(query),
        "base" => some(&format!("{}{path}", client.host())),
        "method" => some("GET"),
        "req.ver" => some("1.1"),
        "url_param" | "urlp" => Ok(query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key == argument).then(|| value.to_owned())
        })),
        "hdr" | "req.hdr" | "req.fhdr" | "hdr_val" | "hdr_cnt" | "req.hdr_cnt" => {
            let counted = name.ends_with("_cnt");
            let found = match argument.to_ascii_lowercase().as_str() {
                "host" => client.host(),
                "upgrade" => "websocket".to_owned(),
                "connection" => "Upgrade".to_owned(),
                "sec-websocket-version" => "13".to_owned(),
                "sec-websocket-key" if counted => String::new(),
                _ => return unknown(),
            };
            if counted { some("1") } else { Ok(Some(found)) }
        }
        _ => unknown(),
    }
}

fn converted(name: &str, arguments: &[String], text: String, client: &Client<'_>) -> Fetched {
    let argument = |at: usize| arguments.get(at).map_or("", String::as_str);
    let some = |text: &str| Ok(Some(text.to_owned()));
    match name {
        "lower" => Ok(Some(text.to_lowercase())),
        "upper" => Ok(Some(text.to_uppercase())),
        "host_only" => some(without_port(&text)),
        "port_only" => {
            let port = text.get(without_port(&text).len()..).unwrap_or_default();
            some(port.strip_prefix(':').unwrap_or("0"))
        }
        "field" => {
            let delimiters: Vec<char> = argument(1).chars().collect();
            let fields: Vec<&str> = text.split(delimiters.as_slice()).collect();
            let Ok(number) = argument(0).parse::<i64>() else { return Err(name.to_owned()) };
            if arguments.len() > 2 {
                return Err(format!("{name} of several fields"));
            }
            let at = match number {
                1.. => usize::try_from(number - 1).ok(),
                _ => usize::try_from(-number).ok().and_then(|back| fields.len().checked_sub(back)),
            };
            Ok(at.and_then(|at| fields.get(at)).map(|field| (*field).to_owned()))
        }
        "iif" => {
            let truth = !matches!(text.as_str(), "0" | "");
            some(argument(usize::from(!truth)))
        }
        "concat" if arguments.len() <= 1 => Ok(Some(format!("{text}{}", argument(0)))),
        "bool" => some(if matches!(text.as_str(), "0" | "") { "0" } else { "1" }),
        "not" => some(if matches!(text.as_str(), "0" | "") { "1" } else { "0" }),
        _ if name.starts_with("map") => Err(format!("the map {}", argument(0))),
        _ => {
            let _ = client;
            Err(format!("the converter {name}"))
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// A text with `%[…]` in it. Other `%` mean values of logs, which are not known.
pub(super) fn format(text: &str, client: &Client<'_>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let Some(inner) = rest.strip_prefix('[') else { return Err(format!("%{rest}")) };
        let Some((expression, after)) = inner.split_once(']') else {
            return Err(text.to_owned());
        };
        out.push_str(&value(expression, client)?.unwrap_or_default());
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_give_what_haproxy_gives() {
        let request =
            Request { host: "b.example", port: 8443, tls: true, path: "/v1/ws?a=1", version: None };
        let mut client = Client::new(&request, Some(true), Some(8443), true);
        client.variables.insert("txn.h".into(), Ok(Some("x".into())));
        for (expression, expected) in [
            ("path", Some("/v1/ws")),
            ("hdr(Host)", Some("b.example:8443")),
            ("hdr(host),field(1,:),upper", Some("B.EXAMPLE")),
            ("hdr(host),field(-1,:)", Some("8443")),
            ("req.hdr(host),host_only", Some("b.example")),
            ("hdr(host),port_only", Some("8443")),
            ("path,field(2,/)", Some("v1")),
            ("var(txn.h)", Some("x")),
            ("var(txn.none)", None),
            ("ssl_fc,iif(https,http)", Some("https")),
            ("ssl_fc", Some("1")),
            ("urlp(a)", Some("1")),
            ("str(\"a,b\")", Some("a,b")),
            ("ssl_fc_sni", Some("b.example")),
            ("base", Some("b.example:8443/v1/ws")),
        ] {
            assert_eq!(value(expression, &client), Ok(expected.map(str::to_owned)), "{expression}");
        }
        for (expression, why) in [
            ("src", "src"),
            ("hdr(x-a)", "hdr(x-a)"),
            ("hdr(host),map(/etc/h.map,d)", "the map /etc/h.map"),
            ("path,regsub(a,b)", "the converter regsub"),
            ("sc_http_req_rate(0)", "sc_http_req_rate(0)"),
        ] {
            assert_eq!(value(expression, &client), Err(why.to_owned()), "{expression}");
        }
        assert_eq!(format("bk_%[hdr(host),field(1,.)]", &client), Ok("bk_b".into()));
        assert!(format("%ci", &client).is_err());
    }
}
