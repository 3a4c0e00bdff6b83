//! The status table, judged: each program's answer to everything, and to upgrades
//! alone, comes to its cause, its side and its words.

use crate::fixture::*;
use wss_bundle::Bundle;
use wss_diagnosis::said::{ROWS, Row, Says};
use wss_diagnosis::{Cause, Confidence, Diagnosis, Finding, Location, Severity, diagnose};

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().copied().flatten()
}

fn head_of(row: &Row) -> String {
    format!("{}\r\n\r\n", row.sample.0.replace('\n', "\r\n"))
}

/// The same answer to everything, directly and over trusted TLS.
fn everything(head: &str, body: &str) -> Bundle {
    let leaf = Leaf::good();
    let mut route = Run::inside().direct(true).resolved("203.0.113.10");
    for path in [WS, GRAPHQL, OPAMP] {
        route = route.upgrade(path, &leaf, head, body).plain(path, &leaf, head, body);
    }
    for page in ["/health", "/js/_globals.js", "/"] {
        route = route.page(page, &leaf, head, body);
    }
    route.done()
}

/// The same answer to upgrades alone; everything else is Bindplane's.
fn upgrades_alone(head: &str, body: &str) -> Bundle {
    let leaf = Leaf::good();
    let mut route = Run::inside().direct(true).resolved("203.0.113.10");
    for path in [WS, GRAPHQL, OPAMP] {
        route = route.upgrade(path, &leaf, head, body).browser(path, &leaf, head, body);
        route = route.plain(path, &leaf, STRIPPED, BAD);
    }
    route.pages(&leaf, "").done()
}

fn error(diagnosis: &Diagnosis) -> &Finding {
    diagnosis.findings.iter().find(|f| f.severity != Severity::Info).unwrap()
}

/// Everything that a person reads of the finding and its remedy.
fn read_out(diagnosis: &Diagnosis) -> String {
    let mut out = diagnosis.verdict.summary.clone();
    for finding in &diagnosis.findings {
        out.push_str(&format!("\n{}\n{}", finding.title, finding.text));
        if let Some(remedy) = &finding.remedy {
            out.push_str(&format!("\n{}\n{}", remedy.title, remedy.steps.join("\n")));
        }
    }
    out
}

#[test]
fn what_answers_everything_comes_to_its_cause() {
    let mut wrong = Vec::new();
    for row in rows() {
        // A limit is judged by several answers; what is said of upgrades, by upgrades.
        if matches!(row.says, Says::Limited | Says::RefusesUpgrades | Says::CannotHandOver) {
            continue;
        }
        let diagnosis = diagnose(&[everything(&head_of(row), row.sample.1)]);
        let verdict = &diagnosis.verdict;
        let read = read_out(&diagnosis);
        if verdict.cause != row.leads {
            wrong.push(format!("{}: {} and not {}", row.id, verdict.cause, row.leads));
        } else if verdict.location == Location::ClientNetwork {
            wrong.push(format!("{}: blamed on the client's network", row.id));
        } else if !row.program.starts_with("Squid")
            && read.contains("team that runs the proxy or firewall")
        {
            wrong.push(format!("{}: sends to the client's team", row.id));
        } else if matches!(row.says, Says::Closed | Says::OwnUnavailable)
            && (read.contains("Check that Bindplane runs") || read.contains("has no backend"))
        {
            wrong.push(format!("{}: sends to Bindplane, which was not asked", row.id));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Who refuses upgrades alone saw the headers: they arrive, and nothing has to be
/// forwarded.
#[test]
fn what_refuses_upgrades_alone_is_never_told_to_forward_them() {
    let mut wrong = Vec::new();
    let rows = rows().filter(|row| row.sample.0.as_bytes()[9] >= b'4');
    for row in rows.filter(|row| !matches!(row.says, Says::Limited)) {
        let diagnosis = diagnose(&[upgrades_alone(&head_of(row), row.sample.1)]);
        let verdict = &diagnosis.verdict;
        let read = read_out(&diagnosis);
        let forward = ["The upgrade headers do not arrive", "Forward the upgrade headers"];
        if forward.iter().any(|words| read.contains(words)) {
            wrong.push(format!("{}: {}", row.id, verdict.summary));
        }
        if verdict.location == Location::ClientNetwork && !row.program.starts_with("Squid") {
            wrong.push(format!("{}: blamed on the client's network", row.id));
        }
        let allowed: &[Cause] = match row.says {
            Says::Filtered => &[Cause::BlockedPage],
            // nginx' own 503 is a limiter's as well.
            Says::OwnUnavailable => &[Cause::RateLimited, Cause::NoHealthyBackend],
            // 404 to upgrades on every path may be a rule by path, too.
            Says::NoRoute => {
                &[Cause::WrongPath, Cause::LbStripsUpgrade, Cause::BadGateway, Cause::BlockedPage]
            }
            _ => &[
                row.leads,
                Cause::LbStripsUpgrade,
                Cause::BadGateway,
                Cause::NoHealthyBackend,
                Cause::GatewayTimeout,
                Cause::LbHttp2,
            ],
        };
        if !allowed.contains(&verdict.cause) {
            wrong.push(format!("{}: {}", row.id, verdict.cause));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const FORTIWEB: &str =
    "<title>Web Page Blocked!</title><p>Attack ID: 20000051</p><p>Message ID: 000113542098</p>";

#[test]
fn a_firewall_before_the_server_is_the_servers() {
    for status in ["500 Internal Server Error", "403 Forbidden", "200 OK"] {
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/html\r\n\r\n");
        for bundle in [everything(&head, FORTIWEB), upgrades_alone(&head, FORTIWEB)] {
            let diagnosis = diagnose(&[bundle]);
            let verdict = &diagnosis.verdict;
            assert_eq!(verdict.cause, Cause::BlockedPage, "{status}: {}", verdict.summary);
            assert_eq!(verdict.location, Location::ServerSide, "{status}");
            let read = read_out(&diagnosis);
            for part in ["FortiWeb", "000113542098"] {
                assert!(read.contains(part), "{status}: {part}: {read}");
            }
            assert!(!read.contains("FortiGate"), "{read}");
        }
    }
}

#[test]
fn a_right_accept_under_another_status_shows_that_the_upgrade_arrived() {
    for status in ["200 OK", "202 Accepted", "403 Forbidden", "502 Bad Gateway"] {
        let head = SWITCHED.replace("101 Switching Protocols", status);
        let diagnosis = diagnose(&[upgrades_alone(&head, "")]);
        assert_eq!(diagnosis.verdict.cause, Cause::BadHandshake, "{status}");
        assert!(diagnosis.verdict.summary.contains("Sec-WebSocket-Accept"));
    }
    // Another's Accept proves nothing.
    let foreign = SWITCHED
        .replace("101 Switching Protocols", "200 OK")
        .replace("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "AAAA");
    let diagnosis = diagnose(&[upgrades_alone(&foreign, "<p>hello</p>")]);
    assert_ne!(diagnosis.verdict.cause, Cause::BadHandshake);
}

/// The console's page as a file, and as the server gives it.
#[test]
fn the_same_page_from_a_disk_is_not_the_servers_word() {
    let leaf = Leaf::good();
    let origin = "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html; charset=utf-8\r\nVary: Origin\r\n\r\n";
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";
    let disks = [
        "Server: nginx/1.26.2\r\nLast-Modified: Sun, 01 Mar 2026 08:15:30 GMT\r\nETag: \"x\"\r\nAccept-Ranges: bytes\r\n",
        "Server: Caddy\r\nLast-Modified: Sun, 01 Mar 2026 08:15:30 GMT\r\nEtag: \"x\"\r\nVary: Accept-Encoding\r\n",
        "Server: AmazonS3\r\nLast-Modified: Sun, 01 Mar 2026 08:15:30 GMT\r\nx-amz-request-id: 1\r\n",
    ];
    let run = |shell: &str| {
        let mut route = Run::inside().direct(true).resolved("203.0.113.10");
        for path in [WS, GRAPHQL] {
            route = route.upgrade(path, &leaf, shell, SHELL).plain(path, &leaf, shell, SHELL);
        }
        let version = "HTTP/1.1 200 OK\r\nVary: Origin\r\n\r\n";
        route = route.page(
            "/js/_globals.js",
            &leaf,
            version,
            "var __BINDPLANE_VERSION__ = \"1.99.1\";",
        );
        diagnose(&[route.page("/", &leaf, shell, SHELL).done()])
    };
    let whose = |shell: &str| {
        let verdict = run(shell).verdict;
        (verdict.cause, verdict.location)
    };
    // Bindplane knows one of these: whoever stands between asked it for another.
    assert_eq!(whose(origin), (Cause::WrongPath, Location::ServerSide));
    assert_eq!(
        whose(&origin.replace("Server: nginx\r\n", "")),
        (Cause::WrongPath, Location::Target)
    );
    for disk in disks {
        let diagnosis = run(&format!("{ok}{disk}\r\n"));
        assert_eq!(diagnosis.verdict.cause, Cause::WrongPath, "{disk}");
        assert_eq!(diagnosis.verdict.location, Location::ServerSide, "{disk}");
        let read = read_out(&diagnosis);
        assert!(!read.contains("the server does not know them"), "{read}");
        assert!(read.contains("Last-Modified"), "{read}");
    }
    // Neither shown to be the server's nor a file: nobody is sent to the target.
    let bare = run(&format!("{ok}\r\n"));
    assert_ne!(bare.verdict.location, Location::Target, "{}", bare.verdict.summary);
}

#[test]
fn another_site_is_no_word_of_the_servers() {
    let leaf = Leaf::good();
    let lost = "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n";
    let start = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
    let mut route = Run::inside().direct(true).resolved("203.0.113.10");
    for path in [WS, GRAPHQL, OPAMP] {
        route = route.upgrade(path, &leaf, lost, "gone").plain(path, &leaf, lost, "gone");
    }
    for page in ["/health", "/js/_globals.js"] {
        route = route.page(page, &leaf, lost, "gone");
    }
    let diagnosis =
        diagnose(&[route.page("/", &leaf, start, "<title>Example GmbH</title>").done()]);
    assert_eq!(
        (diagnosis.verdict.cause, diagnosis.verdict.location),
        (Cause::WrongPath, Location::ServerSide)
    );
    let read = read_out(&diagnosis);
    for never in ["the server does not know them", "team that runs the proxy or firewall"] {
        assert!(!read.contains(never), "{read}");
    }
    assert!(read.contains("default_backend"), "{read}");
}

#[test]
fn a_refusal_of_everything_names_no_team_of_the_clients() {
    for (status, body) in
        [("400 Bad Request", "no"), ("403 Forbidden", "no"), ("421 Misdirected Request", "")]
    {
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\n\r\n");
        let diagnosis = diagnose(&[everything(&head, body)]);
        let read = read_out(&diagnosis);
        assert!(!read.contains("team that runs the proxy or firewall"), "{status}: {read}");
        assert_ne!(diagnosis.verdict.location, Location::ClientNetwork, "{status}");
        assert!(diagnosis.verdict.confidence < Confidence::High, "{status}");
    }
}

#[test]
fn the_product_that_a_person_named_is_the_one_that_is_spoken_of() {
    let leaf = Leaf::good();
    let stripped = |lb: Option<&str>| {
        let route = Run::inside().direct(true);
        let mut bundle = crate::cases::stripped(route, &leaf, STRIPPED, "").done();
        bundle.manifest.answers.load_balancer = lb.map(str::to_owned);
        diagnose(&[bundle])
    };
    let unknown = stripped(None);
    assert!(read_out(&unknown).contains("an example, for nginx"), "{}", read_out(&unknown));
    for (told, says) in [
        ("Traefik 3.2", "Traefik"),
        ("F5", "websocket"),
        ("IIS ARR", "Web-WebSockets"),
        ("Varnish", "bereq.http.connection"),
        ("Citrix NetScaler", "webSocket ENABLED"),
        ("Apache", "upgrade=websocket"),
        ("Sangfor AD", "Sangfor AD"),
    ] {
        let diagnosis = stripped(Some(told));
        let remedy = error(&diagnosis).remedy.clone().unwrap();
        let snippet = remedy.snippet.map(|s| s.text).unwrap_or_default();
        let read = format!("{}\n{snippet}", remedy.steps.join("\n"));
        assert!(read.contains(says), "{told}: {read}");
        for never in ["proxy_set_header", "nginx -t &&"] {
            assert!(!read.contains(never), "{told}: {read}");
        }
    }
}

/// A connection that ends after ClientHello has more readings than a filter's.
#[test]
fn an_end_of_the_handshake_may_be_the_proxy_protocols() {
    use wss_bundle::FailureKind;
    for kind in [FailureKind::Eof, FailureKind::ConnectionReset, FailureKind::TlsNotTls] {
        let bundle = Run::inside().direct(true).resolved("203.0.113.10").no_tls(kind).done();
        let diagnosis = diagnose(&[bundle]);
        assert_eq!(diagnosis.verdict.cause, Cause::TlsFailure);
        let read = read_out(&diagnosis);
        assert!(read.contains("PROXY protocol"), "{kind:?}: {read}");
        assert!(!read.contains("If that is meant, use http://"), "{read}");
        assert!(!read.contains("Ask the network team whether a firewall"), "{read}");
    }
}
