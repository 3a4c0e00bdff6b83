//! What people paste, and what is read from it.

use super::*;
use wss_bundle::manifest::{Answers, Collector, Format};
use wss_bundle::pasted::curl::Program;
use wss_bundle::target::{DEFAULT_PATHS, Scheme};
use wss_bundle::{Environment, Observations, Outcome, Step, Target};

const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const OK: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn bundle(host: &str, paths: &[&str], pasted: &[u8]) -> Bundle {
    let target = Target {
        scheme: Scheme::Https,
        host: host.into(),
        port: 443,
        paths: paths.iter().map(|p| (*p).to_owned()).collect(),
    };
    let at = "2026-03-01T08:15:30Z".parse().unwrap();
    let collector = Collector { version: "0".into(), os: "linux".into(), arch: "x".into() };
    let attachment = Attachment {
        name: "curl-output.txt".into(),
        path: None,
        kind: AttachmentKind::CurlOutput,
        vantage: Some(Vantage::Outside),
        bytes: pasted.to_vec(),
    };
    Bundle {
        manifest: wss_bundle::Manifest {
            format: Format::default(),
            id: "b".into(),
            case: "C".into(),
            ticket: None,
            vantage: Vantage::Inside,
            target: target.clone(),
            collector,
            started_at: at,
            finished_at: at,
            complete: true,
            answers: Answers::default(),
            options: Vec::new(),
            not_used: Vec::new(),
            steps: Vec::new(),
            attachments: Vec::new(),
            files: Vec::new(),
        },
        observations: Observations {
            target,
            routes: Vec::new(),
            observations: Vec::new(),
            browser: Vec::new(),
        },
        environment: Environment::default(),
        attachments: vec![attachment],
        redactions: Vec::new(),
        defects: Vec::new(),
    }
}

fn output(pasted: impl AsRef<[u8]>) -> Output {
    let bundle = bundle("b.example", &DEFAULT_PATHS, pasted.as_ref());
    all(std::slice::from_ref(&bundle)).remove(0)
}

/// The status of the upgrade's response; 0 for a failure, with its kind.
fn seen(pasted: impl AsRef<[u8]>) -> (u16, String) {
    let output = output(pasted);
    let view = output.view.unwrap_or_else(|why| panic!("{}: {why:?}", output.outcome));
    let observation = &view.observations.observations[0];
    assert_eq!(observation.id, "attachments/curl-output.txt");
    match &observation.step {
        Step::Upgrade(upgrade) => match &upgrade.result {
            Outcome::Ok(reply) => {
                (reply.head.status().unwrap(), reply.body.bytes.text().into_owned())
            }
            Outcome::Failed(failure) => (0, failure.kind.name()),
        },
        Step::Tunnel(tunnel) => {
            (tunnel.result.ok().unwrap().head.as_ref().unwrap().status().unwrap(), "proxy".into())
        }
        step => (0, step.failure().unwrap().kind.name()),
    }
}

#[test]
fn whatever_went_on_the_way_of_the_text() {
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(OK.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let meter = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n\
                 \x20                                Dload  Upload   Total   Spent    Left  Speed\n\
                 \r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0";
    let coloured = OK.replace("Upgrade:", "\u{1b}[1mUpgrade\u{1b}[0m:");
    for pasted in [
        OK.as_bytes().to_vec(),
        OK.replace("\r\n", "\n").into(),
        utf16,
        format!("{meter}{OK}").into(),
        format!("{meter}\r{OK}").into(),
        coloured.into(),
        // Cut off behind the head, and within it.
        OK.trim_end().as_bytes().to_vec(),
        format!("{OK}curl: (52) Empty reply from server\n").into(),
        format!("{OK}^C\nuser@shell:~$ ").into(),
        format!(
            "user@shell:~$ curl -i -N \\\n  -H \"Connection: Upgrade\" \\\n  -H \"Upgrade: \
                 websocket\" \\\n  -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -H \
                 'Sec-WebSocket-Version: 13' https://b.example/v1/ws\n{OK}"
        )
        .into(),
        format!(
            "C:\\> curl.exe -i -N ^\r\n -H \"Upgrade: websocket\" ^\r\n -H \"Connection: \
                 Upgrade\" -H \"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\" -H \
                 \"Sec-WebSocket-Version: 13\" ^\r\n https://b.example/v1/ws\r\n{OK}"
        )
        .into(),
        // As code in a ticket, as quoted mail.
        OK.lines().map(|l| format!("    {l}\n")).collect::<String>().into(),
        OK.lines().map(|l| format!("> {l}\n")).collect::<String>().into(),
        // A console of 20 columns.
        OK.replace("Switching Protocols", "Switching\r\nProtocols")
            .replace("k+xOo", "k\r\n+xOo")
            .into(),
        format!("HTTP/1.1 200 Connection established\r\n\r\n{OK}").into(),
        format!("HTTP/1.1 100 Continue\r\n\r\n{OK}").into(),
        format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest\r\n\r\n{OK}").into(),
    ] {
        let (status, _) = seen(&pasted);
        assert_eq!(status, 101, "{}", String::from_utf8_lossy(&pasted));
    }
}

#[test]
fn a_verbose_run_is_read_from_its_marked_lines() {
    let pasted = "*   Trying 192.0.2.1:443...\n* Connected to b.example (192.0.2.1) port 443 (#0)\n\
                  > GET /v1/graphql HTTP/1.1\n> Host: b.example\n> Upgrade: websocket\n\
                  > Connection: Upgrade\n> Sec-WebSocket-Version: 13\n\
                  > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n> \n\
                  < HTTP/1.1 502 Bad Gateway\nHTTP/1.1 502 Bad Gateway\n< Server: nginx\n\
                  Server: nginx\n< \n\n{ [150 bytes data]\n<html>\n<h1>502</h1>\n</html>\n\
                  * Connection #0 to host b.example left intact\n";
    let output = output(pasted);
    let view = output.view.unwrap();
    assert_eq!(view.manifest.target.paths, ["/v1/graphql"]);
    let Step::Upgrade(upgrade) = &view.observations.observations[0].step else { panic!() };
    let reply = upgrade.result.ok().unwrap();
    assert_eq!(reply.head.headers(), [("Server".to_owned(), "nginx".to_owned())]);
    assert_eq!(reply.body.bytes.text(), "<html>\n<h1>502</h1>\n</html>\n");
    assert!(upgrade.request.text().starts_with("GET /v1/graphql HTTP/1.1\r\nHost:"));
    assert_eq!(upgrade.expected_accept.as_deref(), Some(ACCEPT));
}

#[test]
fn failures_stay_what_they_were() {
    for (pasted, status, what) in [
        ("curl: (6) Could not resolve host: b.example\n", 0, "dns_nxdomain"),
        (
            "curl: (7) Failed to connect to b.example port 443 after 3 ms: Connection refused",
            0,
            "connection_refused",
        ),
        (
            "curl: (28) Failed to connect to b.example port 443 after 9 ms: Connection timed out",
            0,
            "timed_out",
        ),
        (
            "* Connected to b.example (192.0.2.1)\ncurl: (28) Operation timed out after 9 ms with 0 bytes received",
            0,
            "timed_out",
        ),
        (
            "curl: (35) OpenSSL SSL_connect: Connection reset by peer in connection to b:443",
            0,
            "connection_reset",
        ),
        ("curl: (60) SSL certificate problem: self-signed certificate", 0, "tls_untrusted"),
        ("curl: (52) Empty reply from server", 0, "eof"),
        ("curl: (56) Recv failure: Connection reset by peer", 0, "connection_reset"),
        (
            "HTTP/1.1 403 Forbidden\nServer: squid/5.7\n\ncurl: (56) CONNECT tunnel failed, response 403",
            403,
            "proxy",
        ),
        (
            "> CONNECT b.example:443 HTTP/1.1\n>\n< HTTP/1.1 407 Proxy Authentication Required\n< \n",
            407,
            "proxy",
        ),
        (
            "HTTP/1.1 301 Moved\nLocation: https://b.example/v1/ws\n\nHTTP/1.1 404 Not Found\n\nx\n",
            301,
            "",
        ),
        ("HTTP/1.1 200 OK\n\n<title>BindPlane</title>\n", 200, "<title>BindPlane</title>\n"),
        ("HTTP/1.0 502 Bad Gateway\n\n", 502, ""),
    ] {
        assert_eq!(seen(pasted), (status, what.to_owned()), "{pasted}");
    }
}

const INVOKE: NoTest = NoTest::Program(Program::InvokeWebRequest, None);

#[test]
fn what_is_no_test_says_why() {
    for (pasted, why) in [
        ("HTTP/2 200 \r\nserver: nginx\r\n\r\n<html>", NoTest::Http2),
        ("HTTP/2.0 400\n\n", NoTest::Http2),
        ("HTTP/3 200\n\n", NoTest::Http2),
        ("> GET /v1/ws HTTP/2\n> Upgrade: websocket\n>\n< HTTP/2 400 \n< \n", NoTest::Http2),
        ("HTTP/1.1 200 Connection established\n\nHTTP/2 200\n\n", NoTest::Http2),
        (
            "> GET /v1/ws HTTP/1.1\n> Host: b.example\n>\n< HTTP/1.1 400 Bad Request\n< \n",
            NoTest::NoUpgrade,
        ),
        ("$ curl -i https://b.example/v1/ws\nHTTP/1.1 400 Bad Request\n\n", NoTest::NoUpgrade),
        ("", NoTest::NoResponse),
        ("<html>only a page</html>\n", NoTest::NoResponse),
        ("Upgrade: websocket\nConnection: Upgrade\n", NoTest::NoResponse),
        ("\u{0}\u{1}\u{2}", NoTest::NoResponse),
        ("curl : The remote server returned an error: (502) Bad Gateway.\n", INVOKE),
        ("StatusCode        : 200\nStatusDescription : OK\n", INVOKE),
    ] {
        let found = output(pasted).view.unwrap_err();
        let found = match found {
            NoTest::Program(program, _) => NoTest::Program(program, None),
            other => other,
        };
        assert_eq!(found, why, "{pasted}");
    }
}

/// The page's command about a URL.
fn call(url: &str) -> String {
    format!(
        "$ curl -i -N --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H \
         'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -H 'Sec-WebSocket-Version: 13' {url}\n"
    )
}

fn all_of(pasted: &str) -> Vec<Output> {
    let bundle = bundle("b.example", &DEFAULT_PATHS, pasted.as_bytes());
    all(std::slice::from_ref(&bundle))
}

#[test]
fn target_and_path_are_read_where_they_are_shown() {
    let target = |paths: &[&str], pasted: &str| {
        let bundle = bundle("b.example", paths, pasted.as_bytes());
        all(std::slice::from_ref(&bundle)).remove(0).view.map(|view| view.manifest.target)
    };
    let page = |url: &str| target(&DEFAULT_PATHS, &(call(url) + OK));
    for there in [
        "https://other.example/v1/ws",
        "https://b.example:8443/v1/ws",
        "http://b.example/v1/ws",
        "https://b.example/live",
        "https://b.example",
        "b.example/v1/ws",
    ] {
        let found = page(there).unwrap_err();
        assert!(matches!(&found, NoTest::Elsewhere { .. }), "{there}: {found:?}");
    }
    for here in [
        "https://b.example/v1/ws",
        "https://B.EXAMPLE:443/v1/ws",
        "wss://b.example/v1/ws?x=1",
        "https://u:p@b.example/v1/ws",
        "\"https://b.example/v1/ws\"",
        // The page's placeholder was pasted as it is.
        "https://<bindplane-host>/v1/ws",
    ] {
        assert_eq!(page(here).unwrap().paths, ["/v1/ws"], "{here}");
        assert_eq!(page(here).unwrap().host, "b.example", "{here}");
    }
    assert_eq!(page("https://b.example/v1/graphql").unwrap().paths, ["/v1/graphql"]);
    assert_eq!(target(&DEFAULT_PATHS, OK).unwrap().paths, ["/v1/ws"]);
    assert_eq!(target(&["/own/socket"], OK).unwrap().paths, ["/own/socket"]);
}

#[test]
fn a_test_that_lacks_something_says_what() {
    let whole = call("https://b.example/v1/ws");
    let refused = "HTTP/1.1 400 Bad Request\nSec-Websocket-Version: 13\n\nBad Request\n";
    for (lacking, why) in [
        (" -H 'Connection: Upgrade'", NoTest::Lacks("Connection: Upgrade")),
        (" -H 'Upgrade: websocket'", NoTest::NoUpgrade),
        (" -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='", NoTest::Lacks("Sec-WebSocket-Key")),
        (" -H 'Sec-WebSocket-Version: 13'", NoTest::Lacks("Sec-WebSocket-Version: 13")),
    ] {
        let pasted = whole.replace(lacking, "") + refused;
        assert_eq!(output(&pasted).view.unwrap_err(), why, "{pasted}");
    }
    for (from, to, why) in [
        ("$ curl", "$ curl -I", NoTest::Method("HEAD".into())),
        ("$ curl", "$ curl -X POST", NoTest::Method("POST".into())),
        (
            "$ curl",
            "$ curl -H 'Origin: https://evil.example'",
            NoTest::Origin("https://evil.example".into()),
        ),
        ("dGhlIHNhbXBsZSBub25jZQ==", "SGVsbG8sIHdvcmxkIQ==", NoTest::Key),
    ] {
        let pasted = whole.replace(from, to) + refused;
        assert_eq!(output(&pasted).view.unwrap_err(), why, "{pasted}");
    }
    let followed = whole.replace("$ curl", "$ curl -L")
        + "HTTP/1.1 302 Found\nLocation: https://idp.example/\n\nHTTP/1.1 200 OK\nServer: x\n\n";
    assert_eq!(output(&followed).view.unwrap_err(), NoTest::Followed);
    for fine in ["$ curl -L", "$ curl -H 'Origin: https://b.example'"] {
        assert!(output(whole.replace("$ curl", fine) + refused).view.is_ok(), "{fine}");
    }
}

#[test]
fn a_101_is_checked_against_its_own_key() {
    let switched = |pasted: &str| {
        let view = output(pasted).view.unwrap();
        let Step::Upgrade(upgrade) = &view.observations.observations[0].step else { panic!() };
        upgrade.expected_accept.clone()
    };
    let whole = call("https://b.example/v1/ws") + OK;
    assert_eq!(switched(&whole).as_deref(), Some(ACCEPT));
    let own = whole.replace("dGhlIHNhbXBsZSBub25jZQ==", "SzlkVzNhUXB0MnZOYjhSeA==");
    assert_eq!(switched(&own).as_deref(), Some("o1EWwfA3IaRlr33u5sEEobBToXE="));
    // Neither the answer alone nor a key that the shell made tells which it was.
    assert_eq!(switched(OK), None);
    let made = whole.replace("dGhlIHNhbXBsZSBub25jZQ==", "$(openssl rand -base64 16)");
    assert_eq!(switched(&made), None);
}

#[test]
fn of_several_tests_each_is_judged() {
    let here = call("https://b.example/v1/ws") + OK;
    let other = call("https://chat.example/live") + OK;
    for pasted in [
        format!("{here}^C\n$ curl -sI https://b.example/\nHTTP/2 200 \nserver: nginx\n\n"),
        format!("{other}^C\n{here}"),
        format!("{here}^C\n{other}"),
    ] {
        let all = all_of(&pasted);
        assert_eq!(all.len(), 2, "{pasted}");
        let (good, bad): (Vec<_>, Vec<_>) = all.iter().partition(|output| output.view.is_ok());
        assert_eq!((good.len(), bad.len()), (1, 1), "{pasted}");
        assert!(bad[0].beside && !good[0].beside);
        assert_ne!(good[0].id, bad[0].id);
    }
}

#[test]
fn words_that_were_taken_for_hosts() {
    for (words, why) in [
        ("Could not resolve host: Upgrade\u{201d}", NoTest::Words("Upgrade\u{201d}".into())),
        ("Could not resolve host: websocket'", NoTest::Words("websocket".into())),
    ] {
        let pasted = format!("curl: (6) {words}\n");
        assert_eq!(output(&pasted).view.unwrap_err(), why);
    }
    assert!(output("curl: (6) Could not resolve host: b.example\n").view.is_ok());
    assert!(matches!(
        output("curl: (6) Could not resolve host: c.example\n").view.unwrap_err(),
        NoTest::Elsewhere { .. }
    ));
}

#[test]
fn the_way_of_a_proxy() {
    let proxied =
        call("https://b.example/v1/ws").replace("$ curl", "$ curl -x http://u:p@proxy:3128");
    let refused = "HTTP/1.1 400 Bad Request\nSec-Websocket-Version: 13\n\nBad Request\n";
    let view = |pasted: &str| *output(pasted).view.unwrap();
    let last = |bundle: &Bundle| bundle.observations.observations.last().unwrap().clone();
    let answered = view(&format!("{proxied}HTTP/1.1 200 OK\n\n{refused}"));
    assert_eq!(answered.observations.routes[0].id.0, "proxy http://proxy:3128");
    let Step::Upgrade(upgrade) = last(&answered).step else { panic!() };
    assert_eq!(upgrade.result.ok().unwrap().head.status(), Some(400));
    // CONNECT was answered, the upgrade was not.
    let closed = view(&format!("{proxied}HTTP/1.1 200 OK\n\ncurl: (52) Empty reply from server\n"));
    let Step::Upgrade(upgrade) = last(&closed).step else { panic!() };
    assert!(upgrade.result.failure().is_some());
    for (error, status) in [
        ("curl: (56) CONNECT tunnel failed, response 407", 407),
        ("curl: (56) Received HTTP code 403 from proxy after CONNECT", 403),
    ] {
        let Step::Tunnel(tunnel) = last(&view(error)).step else { panic!() };
        assert_eq!(tunnel.result.ok().unwrap().head.as_ref().unwrap().status(), Some(status));
    }
    let dead = view(&format!(
        "{proxied}curl: (7) Failed to connect to proxy port 3128 after 2 ms: Connection refused\n"
    ));
    let Step::Connect(connect) = last(&dead).step else { panic!() };
    assert_eq!(connect.peer, wss_bundle::observation::Peer::Proxy);
}

#[test]
fn no_input_panics() {
    let all =
        [OK, "> GET / HTTP/1.1\n", "curl: (", "HTTP/1.1 1", "< HTTP/1.1 101\n<", "* ", "\u{1b}["];
    for a in all {
        for b in all {
            for at in 0..b.len() {
                let _ = output(format!("{a}{}", b.get(..at).unwrap_or(b)));
            }
        }
    }
}
