use super::*;

#[test]
fn words_of_the_browsers() {
    for (text, expected) in [
        (
            "WebSocket connection to 'wss://b/v1/ws' failed: Error during WebSocket handshake: \
                 Unexpected response code: 400",
            Meaning::Status(400),
        ),
        (
            "WebSocket connection to 'wss://b/' failed: Establishing a tunnel via proxy server \
                 failed.",
            Meaning::TunnelRefused,
        ),
        (
            "failed: Error in connection establishment: net::ERR_CERT_AUTHORITY_INVALID",
            Meaning::Untrusted,
        ),
        ("net::ERR_TUNNEL_CONNECTION_FAILED", Meaning::TunnelRefused),
        ("net::ERR_PROXY_CONNECTION_FAILED", Meaning::ProxyUnreachable),
        ("net::ERR_BLOCKED_BY_CLIENT", Meaning::Extension),
        ("net::ERR_CONNECTION_REFUSED", Meaning::Refused),
        ("WebSocket connection to 'x' failed: Invalid frame header", Meaning::BadFrames),
        (
            "WebSocket connection to 'x' failed: WebSocket is closed before the connection is \
                 established.",
            Meaning::PageLeft,
        ),
        ("Error during WebSocket handshake: 'Upgrade' header is missing", Meaning::BadHandshake),
        ("Connection closed before receiving a handshake response", Meaning::Cut),
        ("HTTP Authentication failed; no valid credentials available", Meaning::Credentials),
        (
            "Firefox can\u{2019}t establish a connection to the server at wss://b/v1/ws.",
            Meaning::Unspecific,
        ),
        (
            "The connection to wss://b/ was interrupted while the page was loading.",
            Meaning::Interrupted,
        ),
        ("NS_ERROR_UNKNOWN_HOST", Meaning::Unresolved),
        ("There was a bad response from the server.", Meaning::BadHandshake),
        ("The network connection was lost.", Meaning::Cut),
        ("WebSocket connection to 'wss://b/' failed: ", Meaning::Unspecific),
        ("net::ERR_SOMETHING_NEW", Meaning::Unspecific),
    ] {
        assert_eq!(meaning(text), Some(expected), "{text}");
    }
    assert_eq!(meaning("TypeError: x is undefined"), None);
}

/// Wordings as people paste them, each with its meaning.
#[test]
fn wordings() {
    use Meaning::*;
    for (text, expected) in [
        // Chrome, Edge.
        ("net::ERR_HTTP2_PROTOCOL_ERROR", Http2),
        (
            "(index):12 WebSocket connection to 'wss://b/v1/ws' failed: net::ERR_NETWORK_CHANGED",
            NetworkChanged,
        ),
        ("failed: Error in connection establishment: net::ERR_INTERNET_DISCONNECTED", NoNetwork),
        ("net::ERR_SSL_CLIENT_AUTH_CERT_NEEDED", ClientCertificate),
        ("net::ERR_BAD_SSL_CLIENT_AUTH_CERT", ClientCertificate),
        ("net::ERR_BLOCKED_BY_LOCAL_NETWORK_ACCESS_CHECKS", LocalNetwork),
        ("net::ERR_UNSAFE_PORT", Port),
        ("net::ERR_NETWORK_IO_SUSPENDED", Suspended),
        ("net::ERR_NETWORK_ACCESS_DENIED", Denied),
        ("net::ERR_INSUFFICIENT_RESOURCES", Resources),
        ("net::ERR_ADDRESS_UNREACHABLE", Unreachable),
        ("net::ERR_PROXY_CERTIFICATE_INVALID", ProxyTls),
        ("net::ERR_MANDATORY_PROXY_CONFIGURATION_FAILED", ProxySetting),
        ("net::ERR_PROXY_AUTH_UNSUPPORTED", ProxyCredentials),
        ("net::ERR_SOCKS_CONNECTION_HOST_UNREACHABLE", TunnelRefused),
        ("net::ERR_DNS_TIMED_OUT", Unresolved),
        ("net::ERR_ABORTED", PageLeft),
        ("net::ERR_CERT_DATE_INVALID", Untrusted),
        ("net::ERR_SSL_VERSION_OR_CIPHER_MISMATCH", TlsFailed),
        (
            "Refused to connect to 'wss://b/v1/ws' because it violates the following Content Security \
             Policy directive: \"connect-src 'self'\".",
            Page,
        ),
        (
            "Mixed Content: The page at 'https://b/' was loaded over HTTPS, but attempted to connect to the \
             insecure WebSocket endpoint 'ws://b/v1/ws'. This request has been blocked",
            Mixed,
        ),
        (
            "WebSocket connection to 'wss://b/' failed: Error during WebSocket handshake: Sent non-empty \
             'Sec-WebSocket-Protocol' header but no response was received",
            Subprotocol,
        ),
        ("WebSocket is already in CLOSING or CLOSED state.", Script),
        // Firefox in other languages.
        (
            "Firefox ne peut établir de connexion avec le serveur à l\u{2019}adresse wss://b/v1/ws.",
            Unspecific,
        ),
        (
            "La conexión a wss://b/v1/ws fue interrumpida mientras la página se cargaba.",
            Interrupted,
        ),
        ("Firefox 无法建立到 wss://b/v1/ws 服务器的连接。", Unspecific),
        ("ページの読み込み中に wss://b/v1/ws への接続が切断されました。", Interrupted),
        ("Połączenie z wss://b/v1/ws zostało przerwane podczas wczytywania strony.", Interrupted),
        // Safari.
        ("The operation couldn\u{2019}t be completed. Connection refused", Refused),
        ("The operation couldn\u{2019}t be completed. (OSStatus error -9807.)", TlsFailed),
        (
            "The operation couldn\u{2019}t be completed. Software caused connection abort",
            NetworkChanged,
        ),
        ("La connexion réseau a été perdue.", Cut),
        // Codes.
        ("WebSocket closed: code 1006, reason: , wasClean: false", Closed(1006)),
        ("Socket closed with event 4401: Unauthorized", Closed(4401)),
        ("disconnected (1001 going away)", Closed(1001)),
        ("CloseEvent {isTrusted: true, wasClean: false, code: 1011, reason: ''}", Closed(1011)),
        ("{\"code\":1012,\"reason\":\"Service Restart\"}", Closed(1012)),
        ("connection closed with 1009", Closed(1009)),
        ("WebSocket-Verbindung getrennt (1013)", Closed(1013)),
        ("onclose 1015", Closed(1015)),
        ("WebSocket connection closed: 4500 Internal server error", Closed(4500)),
        ("WebSocket closed with status code: 1006 (no reason given).", Closed(1006)),
        ("client.js:1006 WebSocket error", Unspecific),
        ("WebSocket to ws://localhost:3000/x failed", Unspecific),
        ("socket closed after 4000 ms", Unspecific),
        // Libraries.
        ("TransportError: websocket error at WS.onError", Unspecific),
        ("socket.io: disconnect, reason = transport close", Lost),
        ("disconnect: ping timeout", Silent),
        ("Error: Unexpected server response: 502", Status(502)),
        ("Error: connect ECONNREFUSED 10.0.0.1:443", Refused),
        ("Uncaught (in promise) Event {isTrusted: true, type: 'error'}", Unspecific),
        (
            "Connection disconnected with error 'Error: Server timeout elapsed without receiving a message'",
            Silent,
        ),
    ] {
        assert_eq!(meaning(text), Some(expected), "{text}");
    }
    for text in ["", "TypeError: x is undefined", "it hangs", "Hello, 1006 times", "Version 4000"] {
        assert_eq!(meaning(text), None, "{text}");
    }
}

#[test]
fn a_paste_is_a_list_of_messages() {
    let all = read(
        "> Hi, this is what I see:\n>\n> main.js:2 WebSocket connection to 'wss://b.example/v1/ws'\n> \
         failed: Error during WebSocket handshake: Unexpected response code: 400\n> n @ main.js:2\n>     at \
         e.connect (https://b.example/main.js:1:2)\n> WebSocket closed: 1006\n> WebSocket closed: 1006\n",
    );
    let told: Vec<_> = all.iter().map(|one| (one.meaning, one.place.is_some())).collect();
    assert_eq!(told, [(Some(Meaning::Status(400)), true), (Some(Meaning::Closed(1006)), false)]);
    let unknown = read("it does not work\nplease help");
    assert_eq!(unknown.len(), 2);
    assert!(unknown.iter().all(|one| one.meaning.is_none()));
    assert_eq!(read(""), []);
}

/// Each row can be met: no row before it takes all that it would say.
#[test]
fn each_row_speaks_for_itself() {
    for row in ROWS.iter().chain(languages::ROWS) {
        let text = row.words.replace('*', " x ");
        let found = meaning(&text);
        assert!(found.is_some(), "{}", row.words);
        if row.meaning != Meaning::Unspecific {
            assert_eq!(found, Some(row.meaning), "{}", row.words);
        }
        assert_eq!(row.words, row.words.to_lowercase(), "rows are compared in lower case");
    }
}

proptest::proptest! {
    /// Whatever is pasted: messages come out, bounded, and the same each time.
    #[test]
    fn nothing_panics(text in "\\PC*") {
        let all = read(&text);
        proptest::prop_assert!(all.len() <= MESSAGES);
        proptest::prop_assert_eq!(&all, &read(&text));
    }
}
