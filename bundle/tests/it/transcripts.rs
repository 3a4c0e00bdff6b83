use crate::fixture::*;
use wss_bundle::redact::Redactor;
use wss_bundle::{Step, Vantage, transcript};

#[test]
fn reads_as_curl_prints_it() {
    let redacted = Redactor::new().bundle(bundle("v4lue"));
    let all = transcript::all(redacted.get());
    assert_eq!(all.len(), 2);
    assert_eq!(all[1].path, "transcripts/browser-b1-websocket-v1-ws.txt");
    let one = &all[0];
    let expected = [
        "$ curl -i -v -N --http1.1 --noproxy '*' -k -u USER:PASSWORD -H 'Connection: Upgrade' \
         -H 'Cookie: a=[removed]; b=[removed]' https://bindplane.corp.example:8443/v1/ws",
        "*   Trying 127.0.0.1:8443...",
        "* Connected to bindplane.corp.example (127.0.0.1) port 8443",
        "* ALPN: offers http/1.1",
        "* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384",
        "*  SSL certificate verify result: unknown issuer, continuing anyway.",
        "> GET /v1/ws HTTP/1.1",
        "> Connection: Upgrade",
        "< HTTP/1.1 400 Bad Request",
        "< ",
        "HTTP/1.1 400 Bad Request",
        "Sec-Websocket-Version: 13",
        "Bad Request",
        "* Connection closed by the peer (FIN), after a TLS close_notify: why v4lue",
    ];
    let mut lines = one.text.lines();
    for line in expected {
        assert!(
            lines.any(|l| l.trim_end_matches('\r') == line),
            "{line:?} not (in this order) in\n{}",
            one.text
        );
    }
    assert!(one.response.starts_with("HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\n"));
}

#[test]
fn a_hostile_path_stays_one_word_of_the_command() {
    let mut given = bundle("x");
    given.manifest.vantage = Vantage::Outside;
    for seen in &mut given.observations.observations {
        if matches!(seen.step, Step::Upgrade(_)) {
            seen.path = Some("/v1/ws'; rm -rf ~ #\n$(id)".into());
        }
    }
    let command = &transcript::all(&given)[0].command;
    assert!(command.ends_with(r"8443/v1/ws'\''; rm -rf ~ #$(id)'"), "{command}");
    assert!(!transcript::all(&given)[0].path.contains(['\'', ' ', '\n', '$']));
}
