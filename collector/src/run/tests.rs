//! Whole collections against listeners on loopback.

mod credentials;

use super::*;
use crate::config::{Credentials, RouteConfig, TlsOptions};
use base64::Engine as _;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use wss_bundle::observation::RouteKind;
use wss_bundle::observation::probe as name;
use wss_bundle::observation::{EndedBy, HttpReply, ProxyEndpoint, Verification};
use wss_bundle::target::Scheme;
use wss_bundle::{Failure, FailureKind};
use wss_bundle::{Outcome, Route, RouteId, Secret, Step, Target};

/// The page's request, as curl 7.88.1 sends it but for its own name.
const CURL: &str = "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nUser-Agent: UA\r\n\
    Accept: */*\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn config(port: u16) -> Config {
    Config {
        target: Target {
            scheme: Scheme::Http,
            host: "127.0.0.1".into(),
            port,
            paths: vec!["/v1/ws".into()],
        },
        routes: vec![RouteConfig {
            route: Route {
                id: RouteId::direct(),
                kind: RouteKind::Direct,
                proxy: None,
                sources: vec![],
                selected: true,
            },
            auth: None,
            browsers: false,
        }],
        auth: None,
        headers: vec![],
        resolve: vec![],
        family: None,
        tls: TlsOptions::default(),
        name_servers: vec![],
        console: vec![],
        negotiate: false,
        learned: crate::config::Learned::default(),
        browser: None,
        timeout: Duration::from_secs(2),
        hold: Duration::ZERO,
    }
}

fn via_proxy(mut config: Config, kind: RouteKind, port: u16) -> Config {
    config.routes[0] = RouteConfig {
        route: Route {
            id: RouteId::proxy(&format!("http://127.0.0.1:{port}")),
            kind,
            proxy: Some(ProxyEndpoint { host: "127.0.0.1".into(), port }),
            sources: vec![],
            selected: true,
        },
        auth: Some(Credentials { user: Secret::new("u"), password: Secret::new("hidden") }),
        browsers: false,
    };
    config
}

async fn collect(config: Config) -> Collected {
    let (progress, mut watching) = mpsc::unbounded_channel();
    tokio::spawn(async move { while watching.recv().await.is_some() {} });
    let (_stop, cancel) = watch::channel(false);
    let collected = run(Arc::new(config), Recorder::new(progress), cancel).await;
    for (index, observation) in collected.observations.iter().enumerate() {
        assert_eq!(observation.id, format!("o{}", index + 1));
    }
    collected
}

/// A server that hands every connection to `serve`.
async fn server<F, Fut>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut out = Vec::new();
    while !out.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => out.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(out).unwrap()
}

/// Answers each request with `body` and says goodbye.
async fn answering(reply: &'static str) -> SocketAddr {
    server(move |mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(reply.as_bytes()).await;
        let _ = stream.shutdown().await;
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await
}

/// A WebSocket origin: 101 to upgrades, Pong to Ping, a page to the rest.
async fn origin(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let request = head(&mut stream).await;
    if !request.contains("Upgrade: websocket") {
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            .await;
        let _ = stream.shutdown().await;
        return;
    }
    let _ = stream.write_all(SWITCH.as_bytes()).await;
    echo(stream).await;
}

async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    loop {
        let mut frame = [0; 6];
        if stream.read_exact(&mut frame).await.is_err() {
            return;
        }
        let mut payload = vec![0; usize::from(frame[1] & 0x7f)];
        stream.read_exact(&mut payload).await.unwrap();
        for (index, byte) in payload.iter_mut().enumerate() {
            *byte ^= frame[2 + index % 4];
        }
        let opcode = if frame[0] == 0x89 { 0x8a } else { frame[0] };
        let reply = [&[opcode, payload.len() as u8], &payload[..]].concat();
        let _ = stream.write_all(&reply).await;
        if opcode == 0x88 {
            return;
        }
    }
}

/// What is promised before is what is done: not one connection more.
#[tokio::test]
async fn as_many_connections_as_the_plan_says() {
    let count = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counter = count.clone();
    let address = server(move |mut stream| {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async move {
            loop {
                let request = head(&mut stream).await;
                if request.is_empty() {
                    return;
                }
                if request.contains("Upgrade: websocket") {
                    let _ = stream.write_all(SWITCH.as_bytes()).await;
                    return echo(stream).await;
                }
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                let _ = stream.write_all(answer).await;
            }
        }
    })
    .await;
    let mut config = config(address.port());
    config.target.paths = ["/v1/ws", "/v1/graphql", "/v1/opamp"].map(str::to_owned).to_vec();
    // Plain requests share a connection, and `addresses` is for a name with several.
    let left_out = [Probe::PlainGet, Probe::Pages, Probe::Addresses];
    let own = plan(&config).into_iter().filter(|step| !left_out.contains(&step.key.probe));
    let promised: u32 = own.map(|step| step.connections).sum::<u32>() + 1;
    let collected = collect(config).await;
    assert!(collected.complete);
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), promised);
}

fn upgrade(collected: &Collected) -> &Outcome<HttpReply> {
    collected
        .observations
        .iter()
        .find_map(|o| match &o.step {
            Step::Upgrade(upgrade) if o.probe == name::UPGRADE => Some(&upgrade.result),
            _ => None,
        })
        .expect("an upgrade step")
}

fn upgrade_failure(collected: &Collected) -> &Failure {
    upgrade(collected).failure().expect("a failure")
}

#[tokio::test]
async fn a_working_socket_is_upgraded_pinged_and_held() {
    let address = server(origin).await;
    let collected =
        collect(Config { hold: Duration::from_millis(600), ..config(address.port()) }).await;
    assert!(collected.complete);
    assert_eq!(upgrade(&collected).ok().unwrap().head.raw.text(), SWITCH);
    let request = collected.observations.iter().find_map(|o| match &o.step {
        Step::Upgrade(upgrade) if o.probe == name::UPGRADE => Some(upgrade.request.text()),
        _ => None,
    });
    let ua = format!("wss-collector/{}", env!("CARGO_PKG_VERSION"));
    let expected = CURL.replace("PORT", &address.port().to_string()).replace("UA", &ua);
    assert_eq!(request.unwrap(), expected);
    let frames: Vec<_> = collected
        .observations
        .iter()
        .filter_map(|o| match &o.step {
            Step::Frames(frames) => frames.result.ok(),
            _ => None,
        })
        .collect();
    // The page's, the browser's, and the browser's with its offer of compression.
    assert_eq!(frames.len(), 3);
    assert_eq!(frames.iter().filter(|f| f.message.is_some()).count(), 2);
    assert!(frames.iter().all(|f| f.pong_ms.is_some() && f.ending.how == EndedBy::StillOpen));
    let holds: Vec<_> = collected
        .observations
        .iter()
        .filter_map(|o| match &o.step {
            Step::Hold(hold) => Some((hold.ping_interval_ms, hold.result.ok().unwrap())),
            _ => None,
        })
        .collect();
    assert_eq!(holds.len(), 2, "{:#?}", collected.steps);
    for (interval, held) in holds {
        assert_eq!(held.ending.how, EndedBy::StillOpen);
        assert!(held.held_ms >= 590.0, "{held:?}");
        assert_eq!(held.pings, held.pongs);
        assert_eq!(held.pings > 1, interval.is_some());
    }
    assert_eq!(collected.steps.len(), plan(&config(address.port())).len() + 2);
    let done = |s: &&StepRecord| s.outcome == StepOutcome::Done;
    let others: Vec<_> = collected.steps.iter().filter(|s| !done(s)).collect();
    // There is one address, and every probe connects to it; and nothing failed.
    let names: Vec<&str> = others.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["addresses, direct", "again, direct"], "{others:#?}");
}

/// How connections were opened that were held.
fn openings(collected: &Collected) -> Vec<String> {
    let held = collected.observations.iter().filter(|o| name::is_hold(&o.probe));
    held.filter_map(|o| match &o.step {
        Step::Upgrade(upgrade) => Some(upgrade.request.text().into_owned()),
        _ => None,
    })
    .collect()
}

/// Each is one more sample of what a browser gets, where browsers get through at all.
#[tokio::test]
async fn what_is_held_is_opened_as_browsers_open_it_where_that_passed() {
    let held =
        |address: SocketAddr| Config { hold: Duration::from_millis(600), ..config(address.port()) };
    let all = openings(&collect(held(server(origin).await)).await);
    assert_eq!(all.len(), 2);
    for request in all {
        for header in ["Origin: http://", "User-Agent: Mozilla/", "Cache-Control: no-cache"] {
            assert!(request.contains(header), "{header}: {request}");
        }
        assert!(!request.contains("Sec-WebSocket-Protocol"), "{request}");
    }
    let refuses_origin = server(|mut stream| async move {
        let request = head(&mut stream).await;
        if request.contains("Origin:") {
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
            let _ = stream.shutdown().await;
            return;
        }
        let _ = stream.write_all(SWITCH.as_bytes()).await;
        echo(stream).await;
    });
    let all = openings(&collect(held(refuses_origin.await)).await);
    assert_eq!(all.len(), 2);
    for request in all {
        assert!(!request.contains("Origin:"), "{request}");
        assert!(request.contains("User-Agent: wss-collector/"), "{request}");
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_body() {
    let address = answering(
        "HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
         4\r\nBad \r\n8;x=y\r\nRequest\n\r\n0\r\n\r\n",
    )
    .await;
    let collected = collect(config(address.port())).await;
    let reply = upgrade(&collected).ok().unwrap();
    assert_eq!(reply.body.bytes.text(), "Bad Request\n");
    assert!(!reply.body.truncated);
    assert_eq!(reply.ending.as_ref().unwrap().how, EndedBy::Fin);
}

#[tokio::test]
async fn interim_responses_are_kept_apart() {
    let address = answering(
        "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let collected = collect(config(address.port())).await;
    let reply = upgrade(&collected).ok().unwrap();
    assert_eq!(reply.informational.len(), 1);
    assert_eq!(reply.head.status(), Some(403));
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure_of_its_kind() {
    for (reply, kind) in [
        ("", FailureKind::Eof),
        ("HTTP/1.1 200 OK\r\nHalf", FailureKind::Eof),
        ("SSH-2.0-OpenSSH_9.2\r\n", FailureKind::HttpMalformed),
        ("<html>who needs a head</html>", FailureKind::HttpMalformed),
    ] {
        let collected = collect(config(answering(reply).await.port())).await;
        let failure = upgrade_failure(&collected);
        assert_eq!(failure.kind, kind, "{reply}");
        let received = failure.received.as_ref().map_or("".into(), |bytes| bytes.text());
        assert_eq!(received, reply);
    }
}

#[tokio::test]
async fn a_head_without_end_is_cut() {
    let address = server(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream
            .write_all(b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
            .await
            .is_ok()
        {}
    })
    .await;
    let collected = collect(config(address.port())).await;
    let failure = upgrade_failure(&collected);
    assert_eq!(failure.kind, FailureKind::HttpHeadTooLarge);
    let kept = failure.received.as_ref().unwrap().text().lines().count();
    assert_eq!(kept, 1 + wss_bundle::head::LINES_KEPT);
    assert!(failure.detail.contains("header lines are left out"), "{}", failure.detail);
}

/// Answers the first plain request on each connection, and says `last` to the
/// second before it ends; gives what a collection saw of each page, and whether
/// a connection was kept.
async fn kept_once(last: &'static str) -> (Vec<(String, bool)>, bool) {
    let connections = Arc::new(std::sync::Mutex::new(Vec::<usize>::new()));
    let log = connections.clone();
    let address = server(move |mut stream| {
        let log = log.clone();
        async move {
            let place = {
                let mut log = log.lock().unwrap();
                log.push(0);
                log.len() - 1
            };
            loop {
                let request = head(&mut stream).await;
                if request.is_empty() || request.contains("Upgrade: websocket") {
                    return;
                }
                let second = {
                    let asked = &mut log.lock().unwrap()[place];
                    *asked += 1;
                    *asked == 2
                };
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                let answer = if second { last } else { answer };
                let _ = stream.write_all(answer.as_bytes()).await;
                if second {
                    return;
                }
            }
        }
    })
    .await;
    let collected = collect(config(address.port())).await;
    let pages = collected.observations.iter().filter_map(|o| match &o.step {
        Step::Http(http) => Some((o.path.clone().unwrap(), http.result.ok().is_some())),
        _ => None,
    });
    let kept = connections.lock().unwrap().contains(&2);
    (pages.collect(), kept)
}

#[tokio::test]
async fn a_kept_connection_that_ends_is_replaced_and_not_blamed() {
    let (pages, kept) = kept_once("").await;
    assert!(kept, "the second request never came on the same connection");
    let all = ["/v1/ws", "/health", "/js/_globals.js", "/"];
    assert_eq!(pages, all.map(|path| (path.to_owned(), true)), "each once, and each answered");
}

#[tokio::test]
async fn an_answer_that_began_on_a_kept_connection_is_recorded_and_not_asked_for_again() {
    let (pages, kept) = kept_once("HTTP/1.1 102 Processing\r\n\r\n").await;
    assert!(kept, "the second request never came on the same connection");
    let seen = [("/v1/ws", true), ("/health", false), ("/js/_globals.js", true), ("/", false)];
    let seen = seen.map(|(path, answered)| (path.to_owned(), answered));
    assert_eq!(pages[..4], seen, "each once");
    // What broke is a question with two answers, and counted when all else is done.
    assert!(pages[4..].iter().all(|page| *page == ("/health".to_owned(), true)), "{pages:?}");
}

#[tokio::test]
async fn one_header_without_end_is_cut() {
    let address = server(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Filler: ").await;
        while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
    })
    .await;
    let collected = collect(config(address.port())).await;
    let failure = upgrade_failure(&collected);
    assert_eq!(failure.kind, FailureKind::HttpHeadTooLarge);
    assert_eq!(failure.received.as_ref().unwrap().len(), 64 * 1024);
}

#[tokio::test]
async fn of_thousands_of_headers_the_first_are_kept_and_what_decides() {
    let address = server(|mut stream| async move {
        head(&mut stream).await;
        let many = "X-Filler: a\r\n".repeat(5000);
        let _ = stream
            .write_all(format!("HTTP/1.1 400 No\r\n{many}Content-Length: 3\r\n\r\nabc").as_bytes())
            .await;
    })
    .await;
    let collected = collect(config(address.port())).await;
    let reply = upgrade(&collected).ok().unwrap();
    assert_eq!(reply.head.left_out, (5000 - wss_bundle::head::LINES_KEPT) as u64);
    assert_eq!(reply.head.header("content-length").unwrap(), "3");
    assert!(reply.body.bytes.text() == "abc" && !reply.body.truncated);
}

#[tokio::test]
async fn a_body_without_end_is_an_answer() {
    let address = server(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
    })
    .await;
    let collected = collect(config(address.port())).await;
    let reply = upgrade(&collected).ok().unwrap();
    assert!(reply.body.truncated);
    assert_eq!(reply.body.bytes.len(), 4096);
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let address = server(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream.set_zero_linger();
    })
    .await;
    let collected = collect(config(address.port())).await;
    assert_eq!(upgrade_failure(&collected).kind, FailureKind::ConnectionReset);
}

#[tokio::test]
async fn a_refused_port_ends_the_route_and_says_so() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let collected = collect(config(port)).await;
    assert!(
        collected.observations.iter().any(|o| {
            o.step.failure().is_some_and(|f| f.kind == FailureKind::ConnectionRefused)
        })
    );
    let done: Vec<_> = collected.steps.iter().filter(|s| s.outcome == StepOutcome::Done).collect();
    assert!(matches!(done.as_slice(), [one] if one.name.starts_with("resolve")), "{done:#?}");
    assert_eq!(collected.steps.len(), plan(&config(port)).len());
}

#[tokio::test]
async fn silence_times_out() {
    let address = server(|mut stream| async move {
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink).await;
    })
    .await;
    let begun = Instant::now();
    let timeout = Duration::from_millis(300);
    let collected = collect(Config { timeout, ..config(address.port()) }).await;
    assert_eq!(upgrade_failure(&collected).kind, FailureKind::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn cancelling_ends_it_soon_and_keeps_what_there_is() {
    let address = server(origin).await;
    let (progress, mut watching) = mpsc::unbounded_channel();
    let (stop, cancel) = watch::channel(false);
    let config = Config { hold: Duration::from_secs(60), ..config(address.port()) };
    let running = tokio::spawn(run(Arc::new(config), Recorder::new(progress), cancel));
    while let Some(progress) = watching.recv().await {
        if matches!(progress, Progress::HoldStarted { .. }) {
            break;
        }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.send(true).unwrap();
    let collected = tokio::time::timeout(Duration::from_secs(2), running).await.unwrap().unwrap();
    assert!(!collected.complete);
    assert!(upgrade(&collected).ok().is_some());
    let held = |o: &&Observation| matches!(o.step, Step::Hold(_));
    // The others would have begun some seconds later.
    assert_eq!(collected.observations.iter().filter(held).count(), 1);
    assert_eq!(
        collected.steps.iter().filter(|s| s.outcome == StepOutcome::Cancelled).count(),
        ladder::Ladder::new(Duration::from_secs(60), false).rungs().count(),
        "{:#?}",
        collected.steps
    );
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_ends_the_route() {
    let proxy = answering(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n\
         Content-Length: 4\r\n\r\nnope",
    )
    .await;
    let config = via_proxy(config(1), RouteKind::HttpProxy, proxy.port());
    let collected = collect(config).await;
    let tunnels: Vec<_> = collected
        .observations
        .iter()
        .filter_map(|o| match &o.step {
            Step::Tunnel(tunnel) => Some(tunnel),
            _ => None,
        })
        .collect();
    assert_eq!(tunnels.len(), 1);
    let reply = tunnels[0].result.ok().unwrap();
    assert_eq!(reply.head.as_ref().unwrap().status(), Some(407));
    assert_eq!(reply.body.bytes.text(), "nope");
    assert!(tunnels[0].request.text().contains("Proxy-Authorization: [removed]\r\n"));
    // In absolute form the target is still tried, as browsers fetch plain pages.
    assert!(collected.observations.iter().any(|o| o.probe == name::PAGES));
    assert!(collected.observations.iter().any(|o| o.probe == name::ABSOLUTE_FORM));
    let json = serde_json::to_string(&collected.observations).unwrap();
    let secret = base64::engine::general_purpose::STANDARD.encode("u:hidden");
    assert!(!json.contains("hidden") && !json.contains(&secret));
}

#[tokio::test]
async fn a_tunnel_carries_the_upgrade() {
    let target = server(origin).await;
    let proxy = server(|mut stream| async move {
        let request = head(&mut stream).await;
        let Some(to) = request.strip_prefix("CONNECT ").and_then(|r| r.split(' ').next()) else {
            let _ = stream.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n").await;
            return;
        };
        let mut onward = TcpStream::connect(to).await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
    })
    .await;
    let config = via_proxy(config(target.port()), RouteKind::HttpProxy, proxy.port());
    let collected = collect(config).await;
    assert_eq!(upgrade(&collected).ok().unwrap().head.status(), Some(101));
}

#[tokio::test]
async fn socks_by_name_with_a_password() {
    let target = server(origin).await;
    let proxy = server(|mut stream| async move {
        let mut hello = [0; 4];
        stream.read_exact(&mut hello).await.unwrap();
        assert_eq!(hello, [5, 2, 0, 2]);
        stream.write_all(&[5, 2]).await.unwrap();
        let mut auth = [0; 10];
        stream.read_exact(&mut auth).await.unwrap();
        assert_eq!(&auth, b"\x01\x01u\x06hidden");
        stream.write_all(&[1, 0]).await.unwrap();
        let mut ask = [0; 10];
        stream.read_exact(&mut ask).await.unwrap();
        assert_eq!(ask[..4], [5, 1, 0, 1]);
        let port = u16::from_be_bytes([ask[8], ask[9]]);
        let mut onward = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
    })
    .await;
    let config = via_proxy(config(target.port()), RouteKind::Socks5h, proxy.port());
    let collected = collect(config).await;
    assert_eq!(upgrade(&collected).ok().unwrap().head.status(), Some(101));
}

fn tls_server_config(alpn: &[&str]) -> Arc<rustls::ServerConfig> {
    let signed = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key =
        rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|p| p.as_bytes().to_vec()).collect();
    Arc::new(config)
}

#[tokio::test]
async fn an_untrusted_chain_is_recorded_and_gone_past() {
    let acceptor = tokio_rustls::TlsAcceptor::from(tls_server_config(&["http/1.1"]));
    let address = server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                origin(stream).await;
            }
        }
    })
    .await;
    let mut config = config(address.port());
    config.target.scheme = Scheme::Https;
    let collected = collect(config).await;
    let tls = collected
        .observations
        .iter()
        .find_map(|o| match &o.step {
            Step::Tls(tls) => Some(tls),
            _ => None,
        })
        .unwrap();
    assert_eq!(tls.chain.len(), 1);
    assert_eq!(tls.chain[0].sans, ["127.0.0.1"]);
    assert!(tls.chain[0].self_issued);
    match tls.verification.as_ref().unwrap() {
        Verification::Untrusted { reason, .. } => {
            assert_eq!(*reason, wss_bundle::observation::Distrust::UnknownIssuer);
        }
        Verification::NotChecked { .. } => {}
        Verification::Trusted => panic!("nobody trusts this"),
    }
    let session = tls.result.ok().unwrap();
    assert_eq!((session.version.as_str(), session.alpn.as_deref()), ("TLSv1.3", Some("http/1.1")));
    assert_eq!(upgrade(&collected).ok().unwrap().head.status(), Some(101));
}

#[tokio::test]
async fn a_plain_text_port_is_not_tls() {
    let address = server(|mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\nplain HTTP only").await;
    })
    .await;
    let mut config = config(address.port());
    config.target.scheme = Scheme::Https;
    let collected = collect(config).await;
    let failure = collected
        .observations
        .iter()
        .find(|o| matches!(o.step, Step::Tls(_)))
        .unwrap()
        .step
        .failure();
    assert_eq!(failure.unwrap().kind, FailureKind::TlsNotTls);
    assert!(failure.unwrap().received.as_ref().unwrap().text().starts_with("HTTP/1.1 400"));
}

/// A name server that calls every address `name`, or never answers; it tells
/// what it is asked.
async fn name_server(name: Option<&'static str>) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    use hickory_proto::op::{Message, MessageType};
    use hickory_proto::rr::{Name, RData, Record, rdata::PTR};
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (tell, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((n, from)) = socket.recv_from(&mut buffer).await {
            let mut message = Message::from_vec(&buffer[..n]).unwrap();
            let query = message.queries[0].clone();
            let _ = tell.send(format!("{} {}", query.query_type(), query.name()));
            let Some(name) = name else { continue };
            let mut to = Name::from_utf8(name).unwrap();
            to.set_fqdn(true);
            message.answers.push(Record::from_rdata(query.name().clone(), 60, RData::PTR(PTR(to))));
            message.metadata.message_type = MessageType::Response;
            let _ = socket.send_to(&message.to_vec().unwrap(), from).await;
        }
    });
    (address, asked)
}

fn reverse_names(collected: &Collected) -> Vec<&wss_bundle::observation::Resolve> {
    let all = collected.observations.iter().filter(|o| o.probe == name::REVERSE_NAMES);
    all.filter_map(|o| match &o.step {
        Step::Resolve(resolve) => Some(resolve),
        _ => None,
    })
    .collect()
}

fn step_of<'a>(collected: &'a Collected, name: &str) -> &'a StepRecord {
    collected.steps.iter().find(|step| step.name.starts_with(name)).expect("a step")
}

#[tokio::test]
async fn the_name_of_an_address_is_asked_of_the_name_server() {
    let (server_address, mut asked) = name_server(Some("lb-7.example")).await;
    // Slow enough for the lookup to be done before all else is.
    let address = server(|stream| async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        origin(stream).await;
    })
    .await;
    let name_servers = vec![server_address];
    let collected = collect(Config { name_servers, ..config(address.port()) }).await;
    let found = reverse_names(&collected);
    assert_eq!(found.len(), 1, "{:#?}", collected.steps);
    assert_eq!(found[0].name, "1.0.0.127.in-addr.arpa");
    let records = &found[0].result.ok().unwrap().records;
    assert_eq!((records[0].kind.as_str(), records[0].data.as_str()), ("PTR", "lb-7.example."));
    assert_eq!(step_of(&collected, name::REVERSE_NAMES).outcome, StepOutcome::Done);
    assert_eq!(asked.recv().await.unwrap(), "PTR 1.0.0.127.in-addr.arpa.");
    assert!(asked.try_recv().is_err(), "one question for one address");
}

#[tokio::test]
async fn nobody_waits_for_the_name_of_an_address() {
    let (server_address, _asked) = name_server(None).await;
    let address = server(origin).await;
    let begun = Instant::now();
    let timeout = Duration::from_secs(30);
    let name_servers = vec![server_address];
    let collected = collect(Config { name_servers, timeout, ..config(address.port()) }).await;
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert!(collected.complete && reverse_names(&collected).is_empty());
    assert_eq!(step_of(&collected, name::REVERSE_NAMES).outcome, StepOutcome::Skipped);
    assert_eq!(upgrade(&collected).ok().unwrap().head.status(), Some(101));
}

#[tokio::test]
async fn four_addresses_are_asked_for_at_most() {
    let (server_address, mut asked) = name_server(None).await;
    let address = server(|stream| async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        origin(stream).await;
    })
    .await;
    let mut config = config(address.port());
    config.name_servers = vec![server_address];
    config.target.host = "many.example".into();
    let addresses = (1..=7).map(|last| std::net::IpAddr::from([127, 0, 0, last])).collect();
    let port = address.port();
    config.resolve =
        vec![crate::config::ResolveOverride { host: "many.example".into(), port, addresses }];
    let collected = collect(config).await;
    assert_eq!(upgrade(&collected).ok().unwrap().head.status(), Some(101));
    // Datagrams are sent again where no answer comes.
    let mut names = std::collections::BTreeSet::new();
    while let Ok(name) = asked.try_recv() {
        names.insert(name);
    }
    assert_eq!(names.len(), 4, "{names:?}");
}
