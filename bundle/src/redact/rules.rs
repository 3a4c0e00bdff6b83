//! What may stay, by list: header values, cookies, queries, page texts.

pub use crate::header::header_may_stay;
pub(crate) use crate::header::secret_header;

use super::Redactor;
use regex::{Captures, Regex};
use std::sync::OnceLock;

pub(super) fn regex(
    cell: &'static OnceLock<Option<Regex>>,
    pattern: &str,
) -> Option<&'static Regex> {
    cell.get_or_init(|| Regex::new(pattern).ok()).as_ref()
}

pub(super) fn mask(
    r: &mut Redactor,
    at: (&str, &str),
    kind: &str,
    re: Option<&Regex>,
    text: &str,
    keep: impl Fn(&Captures<'_>) -> Option<String>,
) -> String {
    let Some(re) = re else { return text.to_owned() };
    let mut hits = 0;
    let out = re.replace_all(text, |c: &Captures<'_>| match keep(c) {
        Some(masked) => {
            hits += 1;
            masked
        }
        None => c[0].to_owned(),
    });
    for _ in 0..hits {
        r.count(at.0, at.1, kind);
    }
    out.into_owned()
}

/// `user:password@` in URLs.
fn userinfo(r: &mut Redactor, at: (&str, &str), text: &str) -> String {
    static USERINFO: OnceLock<Option<Regex>> = OnceLock::new();
    let re = regex(&USERINFO, r"(?i)\b([a-z][a-z0-9+.-]{1,15}://)[^/\s@\x22'<>]+@");
    mask(r, at, "userinfo", re, text, |c| Some(c[1].to_owned()))
}

/// The values of queries: behind a `?`, and behind every `&` (a URL may be cut, a
/// form has no `?`). A `;` alone begins a parameter (`text/html;q=0.9`), which is
/// none.
fn queries(r: &mut Redactor, at: (&str, &str), text: &str) -> String {
    static QUERY: OnceLock<Option<Regex>> = OnceLock::new();
    static PAIR: OnceLock<Option<Regex>> = OnceLock::new();
    const NAME: &str = r"(?:amp;)?[A-Za-z0-9_.\-\[\]%]{1,64}=";
    let pair = format!(r"([?&;]{NAME})([^&\s\x22'<>#;]+)");
    let Some(pair) = regex(&PAIR, &pair) else { return text.to_owned() };
    let mut hits = 0;
    let query = regex(&QUERY, r"[?&][^\s\x22'<>]+");
    let out = query.map(|re| {
        re.replace_all(text, |run: &Captures<'_>| {
            pair.replace_all(&run[0], |c: &Captures<'_>| {
                if c[2].starts_with("[removed") {
                    return c[0].to_owned();
                }
                hits += 1;
                format!("{}[removed]", &c[1])
            })
            .into_owned()
        })
    });
    let out = out.map_or_else(|| text.to_owned(), std::borrow::Cow::into_owned);
    for _ in 0..hits {
        r.count(at.0, at.1, "query-value");
    }
    out
}

/// What may be secret in a text that is harmless but for URLs in it.
pub(super) fn urls(r: &mut Redactor, entry: &str, place: &str, text: &str) -> String {
    let text = userinfo(r, (entry, place), text);
    queries(r, (entry, place), &text)
}

/// Queries' values, userinfo, and what looks like a token, in any text.
pub(super) fn free_text(r: &mut Redactor, entry: &str, place: &str, text: &str) -> String {
    static HIDDEN: OnceLock<Option<Regex>> = OnceLock::new();
    static NAMED: OnceLock<Option<Regex>> = OnceLock::new();
    static TOKEN: OnceLock<Option<Regex>> = OnceLock::new();
    let at = (entry, place);
    let text = userinfo(r, at, text);
    let text = queries(r, at, &text);
    let text = mask(
        r,
        at,
        "form-value",
        regex(&HIDDEN, r#"(?i)(<input\b[^>]{0,300}?\bvalue\s*=\s*)("[^"]*"|'[^']*'|[^\s>]+)"#),
        &text,
        |c| Some(format!("{}\"[removed]\"", &c[1])),
    );
    let text = mask(
        r,
        at,
        "secret-named",
        regex(
            &NAMED,
            r#"(?i)\b((?:[a-z0-9]*[_-]?)?(?:password|passwd|secret|token|api[_-]?key|secret[_-]?key|session[_-]?id|authorization|private[_-]?key)["']?\s*[:=]\s*)("[^"]{1,}"|'[^']{1,}'|(?:(?:basic|bearer|secret-key|digest)\s+)?[^\s"',;<>&]{3,})"#,
        ),
        &text,
        |c| (!c[2].contains("[removed")).then(|| format!("{}[removed]", &c[1])),
    );
    mask(
        r,
        at,
        "token-like",
        regex(&TOKEN, r"[A-Za-z0-9_\-+/]{16,}(?:\.[A-Za-z0-9_\-+/]{8,}){0,2}={0,2}"),
        &text,
        |c| looks_like_a_token(&c[0]).then(|| "[removed: token-like]".to_owned()),
    )
}

/// Long runs that mix cases and digits, or are long hex: a session, a key. Words
/// joined by `-`, `_` or `/` are no tokens (paths, CSS classes, header names).
pub(super) fn looks_like_a_token(run: &str) -> bool {
    if run == "dGhlIHNhbXBsZSBub25jZQ==" || run == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
        return false;
    }
    let longest = run.split(['-', '_', '/', '.']).map(str::len).max().unwrap_or(0);
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let upper = run.bytes().any(|b| b.is_ascii_uppercase());
    let lower = run.bytes().any(|b| b.is_ascii_lowercase());
    let hex = run.len() >= 32 && run.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let jwt = run.starts_with("eyJ");
    jwt || (hex && digits >= 6) || (longest >= 16 && digits >= 2 && upper && lower)
}

/// A message head, line by line; ends of lines stay as they are. A folded line
/// (RFC 9112 section 5.2) belongs to the header before it.
pub(super) fn head(r: &mut Redactor, entry: &str, place: &str, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut folded_may_stay = true;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim_end_matches(['\r', '\n']);
        let end = &line[bare.len()..];
        let bare = r.given(entry, place, bare);
        let masked = if number == 0 {
            free_text(r, entry, place, &bare)
        } else if bare.starts_with([' ', '\t']) {
            if folded_may_stay { bare } else { " [removed]".to_owned() }
        } else {
            let masked = header_line(r, entry, place, &bare);
            folded_may_stay = masked == bare;
            masked
        };
        out.push_str(&masked);
        out.push_str(end);
    }
    out
}

/// One header's value, for those that have name and value apart.
pub(super) fn header_value(
    r: &mut Redactor,
    entry: &str,
    place: &str,
    name: &str,
    value: &str,
) -> String {
    // HTTP/2's pseudo-headers begin with a colon: `:path` may have a query.
    if name.starts_with(':') {
        return free_text(r, entry, place, value);
    }
    let name = name.replace(':', "");
    let line = header_line(r, entry, place, &format!("{name}: {value}"));
    line.split_once(':').map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

/// RFC 9113 section 8.3, and `:protocol` of RFC 8441.
const PSEUDO: [&str; 6] = ["authority", "method", "path", "protocol", "scheme", "status"];

/// One header line (without its end).
pub(super) fn header_line(r: &mut Redactor, entry: &str, place: &str, line: &str) -> String {
    // HTTP/2's pseudo-headers begin with a colon: `:path` may have a query.
    if let Some((name, value)) = line.strip_prefix(':').and_then(|rest| rest.split_once(':'))
        && PSEUDO.contains(&name)
    {
        // A URL's form, which names no user in HTTP/2 (RFC 9113 section 8.3.1).
        let value =
            if name == "authority" { value.rsplit('@').next().unwrap_or("") } else { value };
        return format!(":{name}: {}", free_text(r, entry, place, value.trim()));
    }
    let Some((name, value)) = line.split_once(':') else {
        return free_text(r, entry, place, line);
    };
    let lower = name.trim().to_ascii_lowercase();
    // What stands before the colon is the server's to choose: kept short.
    let shown: String = lower.chars().filter(char::is_ascii_graphic).take(64).collect();
    let at = format!("{place} {shown}");
    match lower.as_str() {
        "set-cookie" => format!("{name}:{}", set_cookie(r, entry, &at, value)),
        "cookie" => {
            let masked: Vec<String> = value
                .split(';')
                .map(|pair| {
                    r.count(entry, &at, "cookie-value");
                    format!("{}=[removed]", pair.split('=').next().unwrap_or_default())
                })
                .collect();
            format!("{name}:{}", masked.join(";"))
        }
        "authorization" | "proxy-authorization" => {
            let scheme = value.split_whitespace().next().unwrap_or_default();
            r.count(entry, &at, "header-value");
            if value.split_whitespace().nth(1).is_some() {
                format!("{name}: {scheme} [removed]")
            } else {
                format!("{name}: [removed]")
            }
        }
        "www-authenticate" | "proxy-authenticate" => {
            format!("{name}:{}", challenge(r, entry, &at, value))
        }
        "sec-websocket-protocol" => {
            format!("{name}:{}", subprotocols(r, entry, &at, value))
        }
        "location" | "content-location" | "referer" | "refresh" => {
            format!("{name}:{}", free_text(r, entry, &at, value))
        }
        _ if header_may_stay(&lower) => line.to_owned(),
        _ => {
            r.count(entry, &at, "header-value");
            format!("{name}: [removed: header value]")
        }
    }
}

/// Subprotocols that are known (IANA's registry, and what consoles use). Browsers can
/// set no header on a WebSocket, so some put a token here instead.
const SUBPROTOCOLS: &[&str] = &[
    "graphql-transport-ws",
    "graphql-ws",
    "mqtt",
    "soap",
    "stomp",
    "v10.stomp",
    "v11.stomp",
    "v12.stomp",
    "wamp.2.json",
    "wamp.2.msgpack",
    "xmpp",
    "sip",
    "jsonrpc",
    "binary",
    "base64",
    "chat",
    "opamp",
];

fn subprotocols(r: &mut Redactor, entry: &str, place: &str, value: &str) -> String {
    let each = value.split(',').map(|one| {
        if one.trim().is_empty() || SUBPROTOCOLS.contains(&one.trim()) {
            return one.to_owned();
        }
        r.count(entry, place, "header-value");
        let blank = if one.starts_with(' ') { " " } else { "" };
        format!("{blank}[removed]")
    });
    each.collect::<Vec<_>>().join(",")
}

/// The cookie's name and attributes stay. `BIGipServer…` values stay as well:
/// they hold a pool member's address, not a session (facts: devices).
fn set_cookie(r: &mut Redactor, entry: &str, place: &str, value: &str) -> String {
    let mut parts = value.splitn(2, ';');
    let pair = parts.next().unwrap_or_default();
    let rest = parts.next().map(|rest| format!(";{rest}")).unwrap_or_default();
    let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
    if name.trim().starts_with("BIGipServer") {
        return value.to_owned();
    }
    r.count(entry, place, "cookie-value");
    format!("{name}=[removed]{rest}")
}

/// Scheme and realm stay; blobs of NTLM and Negotiate, nonces and the like go.
fn challenge(r: &mut Redactor, entry: &str, place: &str, value: &str) -> String {
    static REALM: OnceLock<Option<Regex>> = OnceLock::new();
    let scheme = value.split_whitespace().next().unwrap_or_default().trim_end_matches(',');
    let realm = regex(&REALM, r#"(?i)realm="[^"]{0,200}""#)
        .and_then(|re| re.find(value))
        .map(|m| format!(" {}", m.as_str()))
        .unwrap_or_default();
    let kept = format!(" {scheme}{realm}");
    if kept.trim() != value.trim() {
        r.count(entry, place, "challenge-data");
    }
    kept
}

/// A file name without folders, controls or surprises.
pub(super) fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .take(80)
        .collect();
    let clean = clean.trim_start_matches('.').to_owned();
    if clean.is_empty() { "file".into() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        header_line(&mut Redactor::new(), "e", "p", text)
    }

    #[test]
    fn headers_by_list() {
        assert_eq!(line("Server: nginx/1.22.1"), "Server: nginx/1.22.1");
        assert_eq!(line("X-Api-Key: abc"), "X-Api-Key: [removed: header value]");
        assert_eq!(line(":protocol: websocket"), ":protocol: websocket");
        assert_eq!(line(":path: /v1/ws?token=abc"), ":path: /v1/ws?token=[removed]");
        assert_eq!(line(":authority: u:s3cret@b.example"), ":authority: b.example");
        assert_eq!(line(":x-api-key: abc"), ": [removed: header value]");
        assert_eq!(
            line("Set-Cookie: BP=v4lue; Path=/; Secure"),
            "Set-Cookie: BP=[removed]; Path=/; Secure"
        );
        assert_eq!(
            line("Set-Cookie: BIGipServerpool=1.2.0000"),
            "Set-Cookie: BIGipServerpool=1.2.0000"
        );
        assert_eq!(
            line("Sec-WebSocket-Protocol: graphql-ws, myT0ken"),
            "Sec-WebSocket-Protocol: graphql-ws, [removed]"
        );
        assert_eq!(line("Authorization: Basic Zm9v"), "Authorization: Basic [removed]");
        assert_eq!(
            line("Proxy-Authenticate: Basic realm=\"x\""),
            "Proxy-Authenticate: Basic realm=\"x\""
        );
        assert_eq!(line("WWW-Authenticate: NTLM TlRMTVNTUAAB"), "WWW-Authenticate: NTLM");
        assert_eq!(
            line("Location: https://u:p@idp/login?state=abc&x=1"),
            "Location: https://idp/login?state=[removed]&x=[removed]"
        );
        assert_eq!(
            line("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn values_by_the_same_list() {
        let value = |name, value| header_value(&mut Redactor::new(), "e", "p", name, value);
        assert_eq!(value("Server", "nginx/1.22.1"), "nginx/1.22.1");
        assert_eq!(value(":path", "/v1/ws?token=abc"), "/v1/ws?token=[removed]");
        assert_eq!(value("Cookie", "sid=abc; x=y"), "sid=[removed]; x=[removed]");
        assert_eq!(value("X-Api-Key", "abc"), "[removed: header value]");
        assert_eq!(value("Host", "b.example:8443"), "b.example:8443");
    }

    #[test]
    fn texts_keep_what_tells_the_device() {
        let mut r = Redactor::new();
        for keep in [
            "<center><h1>502 Bad Gateway</h1></center><hr><center>nginx/1.22.1</center>",
            "var __BINDPLANE_VERSION__ = \"1.99.1\";",
            "<title>BindPlane</title><div id=\"root\"></div>",
            "Stylesheet for Squid Error pages ERR_ACCESS_DENIED",
        ] {
            assert_eq!(free_text(&mut r, "e", "p", keep), keep);
        }
        let gone = free_text(
            &mut r,
            "e",
            "p",
            "t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefgh1234ABCD",
        );
        assert!(!gone.contains("eyJ"), "{gone}");
        let gone = free_text(&mut r, "e", "p", "<input type=hidden name=csrf value=\"abc\">");
        assert!(!gone.contains("abc"), "{gone}");
    }
}
