//! What the server says to a request: a function of its configuration and the
//! request, without a socket.

use crate::lab::config::{OriginCheck, OriginConfig, OriginUpgrade, Scope};
use crate::lab::hop::WRONG_ACCEPT;
use crate::lab::http1::{Head, Response, date};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The console's page.
const SHELL: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"/>\
    <link rel=\"icon\" href=\"/favicon.ico\"/><title>BindPlane</title>\
    <script src=\"/js/_globals.js\"></script><script defer=\"defer\" src=\"/static/js/main.js\">\
    </script></head><body><noscript>You need to enable JavaScript to run this app.</noscript>\
    <div id=\"root\"></div></body></html>";
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// What becomes of a request.
pub(super) enum Decision {
    /// It is answered.
    Reply(Response),
    /// It becomes a WebSocket; this is its 101.
    Switch(Head),
}

impl Scope {
    /// Whether a request is one of those meant.
    pub(crate) fn covers(self, head: &Head) -> bool {
        match self {
            Self::All => true,
            Self::Upgrades => head.upgrades(),
            Self::SocketPaths => head.path().starts_with("/v1/"),
        }
    }
}

pub(super) fn decide(config: &OriginConfig, head: &Head, body: &[u8]) -> Decision {
    let path = head.path();
    let socket = config.socket_paths.iter().any(|own| own == path);
    if let Some(redirect) = config.redirect.as_ref().filter(|to| to.scope.covers(head)) {
        let mut response = go(redirect.status, &[("Location", &redirect.location)], "");
        response.head.remove("vary");
        return Decision::Reply(response);
    }
    if let Some(wanted) = config.answer.as_ref().filter(|answer| answer.scope.covers(head)) {
        let mut response = go(wanted.status, &[], wanted.body.as_deref().unwrap_or_default());
        for line in &wanted.headers {
            response.head.remove(line.split(':').next().unwrap_or_default());
            response.head.push_line(line);
        }
        return Decision::Reply(response);
    }
    if path.starts_with("/v1/") && !authorised(config, head) {
        return Decision::Reply(cors(head, go(401, &[], "")));
    }
    if socket {
        return upgrade(config, head, path, body);
    }
    Decision::Reply(cors(head, page(config, path)))
}

fn authorised(config: &OriginConfig, head: &Head) -> bool {
    let Some(auth) = &config.auth else { return true };
    let expected = STANDARD.encode(format!("{}:{}", auth.user, auth.password));
    let given = head.get("authorization").and_then(|value| value.split_once(' '));
    given.is_some_and(|(scheme, given)| scheme.eq_ignore_ascii_case("basic") && given == expected)
}

fn page(config: &OriginConfig, path: &str) -> Response {
    match path {
        "/health" => go(200, &[], ""),
        "/js/_globals.js" => {
            let script = format!("var __BINDPLANE_VERSION__ = \"{}\";\n", config.version);
            go(200, &[("Content-Type", "text/javascript; charset=utf-8")], &script)
        }
        "/v1/version" => {
            let version = format!("{{\"tag\":\"v{}\"}}", config.version);
            go(200, &[("Content-Type", "application/json; charset=utf-8")], &version)
        }
        "/" => go(200, &[("Content-Type", "text/html; charset=utf-8")], SHELL),
        _ if config.unknown_is_404 => {
            go(404, &[("Content-Type", "text/plain")], "404 page not found")
        }
        _ => go(200, &[("Content-Type", "text/html; charset=utf-8")], SHELL),
    }
}

/// A response as net/http writes it: the handler's headers in alphabetical
/// order, then Date and Content-Length.
fn go(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let mut response = Response::new(status, headers, body);
    response.head.push("Vary", "Origin");
    response.head.headers.sort_by(|one, other| one.0.cmp(&other.0));
    response.head.push("Date", date());
    response.head.push("Content-Length", body.len().to_string());
    response
}

/// gin-cors: an Origin is let through, whoever's it is.
fn cors(head: &Head, mut response: Response) -> Response {
    if let Some(origin) = head.get("origin") {
        let own =
            [("Access-Control-Allow-Credentials", "true"), ("Access-Control-Allow-Origin", origin)];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        response.head.headers.splice(..0, own);
    }
    response
}

/// The checks of gorilla's Upgrader, in its order.
fn upgrade(config: &OriginConfig, head: &Head, path: &str, body: &[u8]) -> Decision {
    let graphql = path == "/v1/graphql";
    let refuse = |status, graphql_says: &str| Decision::Reply(refusal(head, status, graphql_says));
    let detail = if graphql { "unable to upgrade" } else { "" };
    if graphql && !head.upgrades() {
        if head.line.starts_with("POST ") && !body.is_empty() {
            let data = r#"{"data":{"__typename":"Query"}}"#;
            return Decision::Reply(cors(head, go(200, &[("Content-Type", JSON)], data)));
        }
        // gqlgen looks for a transport before gorilla is asked.
        let says = r#"{"errors":[{"message":"transport not supported"}],"data":null}"#;
        return Decision::Reply(cors(head, go(400, &[("Content-Type", JSON)], says)));
    }
    if !head.has("connection", "upgrade") || !head.has("upgrade", "websocket") {
        return refuse(400, detail);
    }
    if !head.line.starts_with("GET ") {
        return refuse(405, detail);
    }
    if !head.has("sec-websocket-version", "13") {
        return refuse(400, detail);
    }
    if !origin_passes(config.origin_check, head) {
        return refuse(403, detail);
    }
    let key = head.get("sec-websocket-key").unwrap_or_default();
    if STANDARD.decode(key).map_or(0, |key| key.len()) != 16 {
        return refuse(400, detail);
    }
    let accept = match config.upgrade {
        OriginUpgrade::WrongAccept => WRONG_ACCEPT.to_owned(),
        _ => derive_accept_key(key.as_bytes()),
    };
    let mut switch = Head::new("HTTP/1.1 101 Switching Protocols", &[]);
    if config.upgrade != OriginUpgrade::MissingHeaders {
        switch.push("Upgrade", "websocket");
        switch.push("Connection", "Upgrade");
        switch.push("Sec-WebSocket-Accept", accept);
    }
    let spoken = ["graphql-transport-ws", "graphql-ws"];
    let spoken = spoken.iter().find(|own| head.has("sec-websocket-protocol", own));
    if let Some(spoken) = spoken.filter(|_| graphql) {
        switch.push("Sec-WebSocket-Protocol", *spoken);
    }
    Decision::Switch(switch)
}

/// gorilla's refusal; behind gqlgen, which adds its own word to it.
fn refusal(head: &Head, status: u16, detail: &str) -> Response {
    let mut text = format!("{}\n", crate::lab::http1::reason(status));
    if !detail.is_empty() {
        text.push_str(&format!("{{\"errors\":[{{\"message\":\"{detail}\"}}],\"data\":null}}"));
    }
    let headers = [
        ("Content-Type", TEXT),
        ("Sec-Websocket-Version", "13"),
        ("X-Content-Type-Options", "nosniff"),
    ];
    cors(head, go(status, &headers, &text))
}

fn origin_passes(check: OriginCheck, head: &Head) -> bool {
    let host = head.get("host").unwrap_or_default();
    let same = |origin: &str| {
        let rest = origin.split_once("://").map_or("", |(_, rest)| rest);
        rest.trim_end_matches('/').eq_ignore_ascii_case(host)
    };
    match (check, head.get("origin")) {
        (OriginCheck::None, _) | (OriginCheck::SameHost | OriginCheck::Absent, None) => true,
        (OriginCheck::SameHost | OriginCheck::Required, Some(origin)) => same(origin),
        (OriginCheck::Required, None) | (OriginCheck::Absent, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str, headers: &[(&str, &str)]) -> Head {
        Head::new(format!("GET {path} HTTP/1.1"), headers)
    }

    const UPGRADE: [(&str, &str); 5] = [
        ("Host", "h:1"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];

    fn reply(config: &OriginConfig, head: &Head) -> Response {
        match decide(config, head, b"") {
            Decision::Reply(response) => response,
            Decision::Switch(switch) => panic!("{switch:?}"),
        }
    }

    fn switch(config: &OriginConfig, head: &Head) -> Head {
        match decide(config, head, b"") {
            Decision::Switch(switch) => switch,
            Decision::Reply(response) => panic!("{response:?}"),
        }
    }

    fn without(name: &str) -> Vec<(&'static str, &'static str)> {
        UPGRADE.into_iter().filter(|(own, _)| *own != name).collect()
    }

    #[test]
    fn a_101_is_gorillas_to_the_byte() {
        let switch = switch(&OriginConfig::default(), &get("/v1/ws", &UPGRADE));
        let expected = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        assert_eq!(String::from_utf8(switch.bytes()).unwrap(), expected);
    }

    #[test]
    fn a_stripped_upgrade_gets_gorillas_400() {
        for stripped in ["Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key"] {
            let response = reply(&OriginConfig::default(), &get("/v1/ws", &without(stripped)));
            let names: Vec<_> = response.head.headers.iter().map(|(name, _)| &name[..]).collect();
            assert_eq!(response.head.line, "HTTP/1.1 400 Bad Request", "{stripped}");
            assert_eq!(response.body, b"Bad Request\n");
            assert_eq!(
                names,
                [
                    "Content-Type",
                    "Sec-Websocket-Version",
                    "Vary",
                    "X-Content-Type-Options",
                    "Date",
                    "Content-Length"
                ]
            );
            assert_eq!(response.head.get("content-length"), Some("12"));
        }
    }

    #[test]
    fn graphql_tells_what_was_stripped() {
        let config = OriginConfig::default();
        let body = |head| String::from_utf8(reply(&config, &head).body).unwrap();
        let without_upgrade = body(get("/v1/graphql", &without("Upgrade")));
        assert!(without_upgrade.contains("transport not supported"), "{without_upgrade}");
        let without_connection = body(get("/v1/graphql", &without("Connection")));
        assert!(without_connection.starts_with("Bad Request\n{"), "{without_connection}");
        let mut asked = UPGRADE.to_vec();
        asked.push(("Sec-WebSocket-Protocol", "x, graphql-transport-ws"));
        let switch = switch(&config, &get("/v1/graphql", &asked));
        assert_eq!(switch.get("sec-websocket-protocol"), Some("graphql-transport-ws"));
    }

    #[test]
    fn credentials_are_asked_for_under_v1_only_and_without_a_body() {
        let auth = crate::lab::config::BasicAuth { user: "u".into(), password: "p".into() };
        let config = OriginConfig { auth: Some(auth), ..OriginConfig::default() };
        let response = reply(&config, &get("/v1/ws", &UPGRADE));
        assert_eq!((response.head.status(), response.body.len()), (401, 0));
        assert_eq!(response.head.get("www-authenticate"), None);
        assert_eq!(reply(&config, &get("/js/_globals.js", &[])).head.status(), 200);
        let mut right = UPGRADE.to_vec();
        right.push(("Authorization", "Basic dTpw"));
        switch(&config, &get("/v1/ws", &right));
        right[5] = ("Authorization", "Basic dTpx");
        assert_eq!(reply(&config, &get("/v1/ws", &right)).head.status(), 401);
    }

    #[test]
    fn pages_are_bindplanes() {
        let config = OriginConfig::default();
        let text = |path| String::from_utf8(reply(&config, &get(path, &[])).body).unwrap();
        assert_eq!(text("/health"), "");
        assert_eq!(text("/js/_globals.js"), "var __BINDPLANE_VERSION__ = \"1.99.1\";\n");
        assert!(text("/anything").contains("<title>BindPlane</title>"));
        let strict = OriginConfig { unknown_is_404: true, ..OriginConfig::default() };
        assert_eq!(reply(&strict, &get("/anything", &[])).head.status(), 404);
        assert_eq!(reply(&strict, &get("/", &[])).head.status(), 200);
    }

    #[test]
    fn origins_pass_as_configured() {
        let status = |origin_check, origin: Option<&'static str>| {
            let config = OriginConfig { origin_check, ..OriginConfig::default() };
            let mut asked = UPGRADE.to_vec();
            asked.extend(origin.map(|origin| ("Origin", origin)));
            match decide(&config, &get("/v1/ws", &asked), b"") {
                Decision::Switch(_) => 101,
                Decision::Reply(response) => response.head.status(),
            }
        };
        let (right, wrong) = (Some("https://h:1"), Some("https://h"));
        let row = |check| [status(check, None), status(check, right), status(check, wrong)];
        assert_eq!(row(OriginCheck::None), [101, 101, 101]);
        assert_eq!(row(OriginCheck::SameHost), [101, 101, 403]);
        assert_eq!(row(OriginCheck::Required), [403, 101, 403]);
        assert_eq!(row(OriginCheck::Absent), [101, 403, 403]);
    }
}
