//! Which host and path a message is about.

/// Where the socket of a message leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `ws`, `wss`, `http`, `https`.
    pub scheme: String,
    /// Lower-case, without port; IPv6 without brackets.
    pub host: String,
    /// Its port, or the scheme's.
    pub port: u16,
    /// Without query and fragment, without a slash at its end; empty where none was said.
    pub path: String,
}

impl Place {
    /// As people write it.
    #[must_use]
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = usual(&self.scheme);
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// Whether a WebSocket's, and not a page's.
    #[must_use]
    pub fn is_socket(&self) -> bool {
        self.scheme.starts_with("ws")
    }
}

/// The place that a message is about: its first WebSocket address, or else its first
/// address. Where a stack follows, that is the script's and not asked for.
#[must_use]
pub(super) fn of(text: &str) -> Option<Place> {
    let all = addresses(text);
    let socket = all.iter().find(|place| place.is_socket());
    socket.or_else(|| all.iter().find(|place| !script(&place.path))).cloned()
}

/// Host, and port where it is said, of the connection that Node's error is about:
/// `connect ECONNREFUSED 192.0.2.1:8443`, `getaddrinfo ENOTFOUND b.example`.
#[must_use]
pub fn endpoint(text: &str) -> Option<(String, Option<u16>)> {
    let mut words = text.split_whitespace();
    let marks =
        ["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"];
    words.find(|word| marks.contains(&word.trim_matches(['\'', '"', ','])))?;
    let word = words.next()?.trim_matches(['\'', '"', ',', ';', ')', '(']);
    let (host, port) = match word.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse().ok()),
        _ => (word, None),
    };
    let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    let address = host.parse::<std::net::IpAddr>().is_ok();
    let named = host.contains('.') && !host.contains(':') || host == "localhost";
    ((named || address) && !host.contains('/')).then_some((host, port))
}

/// Paths of scripts stand in stacks, and are not what a message is about.
fn script(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let name = name.split(':').next().unwrap_or_default();
    [".js", ".mjs", ".ts", ".tsx", ".jsx", ".html", ".css", ".map"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn addresses(text: &str) -> Vec<Place> {
    let lower = text.to_ascii_lowercase();
    let mut out = Vec::new();
    let mut from = 0;
    while let Some(at) = lower[from..].find("://").map(|at| from + at) {
        from = at + 3;
        let scheme: String = lower[..at]
            .chars()
            .rev()
            .take_while(char::is_ascii_alphabetic)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        // `failed:wss://` runs words together in no console, but `"wss` does.
        let Some(scheme) =
            ["wss", "ws", "https", "http"].into_iter().find(|known| scheme == *known)
        else {
            continue;
        };
        let rest = &text[at + 3..];
        let end = rest.find(ends).unwrap_or(rest.len());
        out.extend(parse(scheme, rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?'])));
    }
    out
}

/// What no address has, in any console's way of quoting one.
fn ends(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || "'\"`<>()“”‘’„«»「」『』。、，（）…".contains(c)
        || !c.is_ascii()
}

fn usual(scheme: &str) -> u16 {
    if matches!(scheme, "wss" | "https") { 443 } else { 80 }
}

fn parse(scheme: &str, rest: &str) -> Option<Place> {
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let authority = authority.rsplit('@').next()?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(six) => {
            let (host, rest) = six.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let usual = usual(scheme);
    let port = match port {
        Some(digits) if !digits.is_empty() => digits.parse().ok()?,
        _ => usual,
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host.is_empty() {
        return None;
    }
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/').to_owned();
    Some(Place { scheme: scheme.to_owned(), host, port, path })
}

/// The text without its addresses: their numbers and words are no message.
pub(super) fn without_addresses(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let scheme = rest[..at].bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
        out.push_str(&rest[..at - scheme]);
        out.push('\u{1}');
        let behind = &rest[at + 3..];
        rest = &behind[behind.find(ends).unwrap_or(behind.len())..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_message() {
        for (text, host, port, path) in [
            (
                "WebSocket connection to 'wss://b.example/v1/ws' failed: ",
                "b.example",
                443,
                "/v1/ws",
            ),
            ("Firefox … at wss://B.example:8443/v1/ws?x=1.", "b.example", 8443, "/v1/ws"),
            ("到 wss://b.example/v1/ws 服务器的连接", "b.example", 443, "/v1/ws"),
            ("wss://b.example/v1/ws へのネットワーク", "b.example", 443, "/v1/ws"),
            ("wss://b.example/v1/wsへの接続", "b.example", 443, "/v1/ws"),
            ("„wss://b.example”", "b.example", 443, ""),
            ("ws://[2001:db8::1]:3000/a", "2001:db8::1", 3000, "/a"),
            ("ws://user:pw@b.example", "b.example", 80, ""),
            ("at https://b.example/main.js:1:2 to wss://c.example/v1", "c.example", 443, "/v1"),
            ("https://b.example/v1/ws 502", "b.example", 443, "/v1/ws"),
        ] {
            let place = of(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((place.host.as_str(), place.port, place.path.as_str()), (host, port, path));
        }
        for text in
            ["", "://", "wss://", "wss://:1/", "ws://b:99999/", "Error at https://b/app.js:3"]
        {
            assert_eq!(of(text), None, "{text}");
        }
        let of = |text| endpoint(text).map(|(host, port)| format!("{host} {port:?}"));
        assert_eq!(
            of("Error: connect ECONNREFUSED 192.0.2.1:8443").as_deref(),
            Some("192.0.2.1 Some(8443)")
        );
        assert_eq!(of("connect ECONNREFUSED ::1:3001").as_deref(), Some("::1 Some(3001)"));
        assert_eq!(of("getaddrinfo ENOTFOUND B.example").as_deref(), Some("b.example None"));
        assert_eq!(of("code: 'ECONNREFUSED', port: 1"), None);
        assert_eq!(without_addresses("a 'wss://b:1006/x' c"), "a '\u{1}' c");
    }
}
