//! The Bindplane server's faults.

use super::*;

#[tokio::test]
async fn after_a_101_things_go_wrong_as_configured() {
    let cases: [(&str, End); 4] = [
        ("silence", End::Silence(vec![])),
        ("end", End::Fin(vec![])),
        ("close-frame", End::Fin(b"\x88\x02\x03\xf3".to_vec())),
        ("garbage", End::Silence(b"\xff\x13\x37HTTP/0.9 no frames here\r\n\r\n".to_vec())),
    ];
    for (fault, expected) in cases {
        let lab = lab(&format!("[origin]\nupgrade = \"{fault}\"")).await;
        let (mut conn, head, _) = upgrade(lab.addr()).await;
        assert_eq!(head.status(), 101, "{fault}");
        assert_eq!(end(&mut conn, QUIET).await, expected, "{fault}");
    }
}

#[tokio::test]
async fn a_silent_socket_answers_no_ping() {
    let lab = lab("[origin]\nupgrade = \"silence\"").await;
    let (mut conn, _, _) = upgrade(lab.addr()).await;
    assert!(!alive(&mut conn).await);
}

#[tokio::test]
async fn a_101_can_be_invalid() {
    let rekeyed = lab("[origin]\nupgrade = \"wrong-accept\"").await;
    let (_, head, _) = upgrade(rekeyed.addr()).await;
    assert_eq!(head.get("sec-websocket-accept"), Some(crate::lab::hop::WRONG_ACCEPT));
    let bare = lab("[origin]\nupgrade = \"missing-headers\"").await;
    let (mut conn, head, _) = upgrade(bare.addr()).await;
    assert_eq!((head.status(), head.headers.len()), (101, 0));
    assert!(alive(&mut conn).await);
}

#[tokio::test]
async fn an_upgrade_can_go_unanswered_while_pages_pass() {
    for (fault, expected) in [("swallow", End::Silence(vec![])), ("hangup", End::Fin(vec![]))] {
        let lab = lab(&format!("[origin]\nupgrade = \"{fault}\"")).await;
        let mut conn = dial(lab.addr()).await;
        let (page, _) = ask(&mut conn, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!(page.status(), 200);
        send(&mut conn, UPGRADE).await;
        assert_eq!(end(&mut conn, QUIET).await, expected, "{fault}");
    }
}

#[tokio::test]
async fn silence_is_cut_in_every_way_and_activity_keeps_it_up() {
    let cases: [(&str, End); 4] = [
        ("fin", End::Fin(vec![])),
        ("reset", End::Reset),
        ("close-frame", End::Fin(b"\x88\x02\x03\xe9".to_vec())),
        ("blackhole", End::Silence(vec![])),
    ];
    // Side by side, since most of it is waiting.
    let cases = cases.map(async |(by, expected)| {
        let lab = lab(&format!("[origin.cut]\nidle-ms = 600\nby = \"{by}\"")).await;
        let (mut conn, head, _) = upgrade(lab.addr()).await;
        assert_eq!(head.status(), 101);
        assert!(chat(&mut conn, Duration::from_millis(1200)).await, "{by}");
        let began = Instant::now();
        assert_eq!(end(&mut conn, Duration::from_millis(1500)).await, expected, "{by}");
        assert!(began.elapsed() >= Duration::from_millis(500), "{by}");
        assert!(!alive(&mut conn).await, "{by}");
    });
    futures_util::future::join_all(cases).await;
}

#[tokio::test]
async fn a_lifetime_ends_whatever_the_activity() {
    let lab = lab("[origin.cut]\nlifetime-ms = 500").await;
    let (mut conn, _, _) = upgrade(lab.addr()).await;
    let began = Instant::now();
    assert!(!chat(&mut conn, LIMIT).await);
    assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
    assert!(began.elapsed() < LIMIT / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn with_tls_an_orderly_cut_says_goodbye_and_a_reset_does_not() {
    for (by, expected) in [("fin", End::Fin(vec![])), ("reset", End::Reset)] {
        let lab = lab(&format!("[origin.tls]\n[origin.cut]\nidle-ms = 100\nby = \"{by}\"")).await;
        let mut conn = secure(&lab, dial(lab.addr()).await, false).await.unwrap();
        assert_eq!(ask(&mut conn, UPGRADE).await.0.status(), 101);
        assert_eq!(end(&mut conn, LIMIT).await, expected, "{by}");
    }
}

#[tokio::test]
async fn redirects_and_answers_have_their_scope() {
    let away = lab("[origin.redirect]\nstatus = 307\nlocation = \"https://sso.example/\"").await;
    let (mut conn, head, _) = upgrade(away.addr()).await;
    assert_eq!((head.status(), head.get("location")), (307, Some("https://sso.example/")));
    let (page, _) = ask(&mut conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(page.status(), 200);

    let busy = lab(
        "[origin.answer]\nstatus = 429\nscope = \"upgrades\"\nheaders = [\"Retry-After: 30\"]\n\
         body = \"slow down\"",
    )
    .await;
    let (mut conn, head, body) = upgrade(busy.addr()).await;
    assert_eq!((head.status(), head.get("retry-after")), (429, Some("30")));
    assert_eq!(body, "slow down");
    let (plain, _) = ask(&mut conn, "GET /v1/ws HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(plain.status(), 400);
}

#[tokio::test]
async fn the_port_itself_can_be_wrong() {
    let silent = lab("[origin]\ntransport = \"silent\"").await;
    let mut conn = dial(silent.addr()).await;
    send(&mut conn, UPGRADE).await;
    assert_eq!(end(&mut conn, QUIET).await, End::Silence(vec![]));

    let closes = lab("[origin]\ntransport = \"closes\"").await;
    let mut conn = dial(closes.addr()).await;
    assert_eq!(end(&mut conn, LIMIT).await, End::Fin(vec![]));

    let plain = lab("[origin]\ntransport = \"plain-text\"\ntls = {}").await;
    let error = secure(&plain, dial(plain.addr()).await, false).await.err().unwrap();
    assert!(format!("{error:?}").contains("InvalidMessage"), "{error:?}");
    assert!(plain.target().starts_with("https://"));

    let tls = lab("[origin.tls]").await;
    let mut conn = dial(tls.addr()).await;
    send(&mut conn, UPGRADE).await;
    let End::Fin(said) = end(&mut conn, LIMIT).await else { panic!("no end") };
    let said = String::from_utf8(said).unwrap();
    assert!(said.ends_with("Client sent an HTTP request to an HTTPS server.\n"), "{said}");
}

#[tokio::test]
async fn certificates_are_bad_as_configured() {
    let cases = [
        ("expired", "Expired"),
        ("not-yet-valid", "NotValidYet"),
        ("self-signed", "UnknownIssuer"),
        ("wrong-name", "NotValidForName"),
        ("unknown-issuer", "UnknownIssuer"),
        ("corporate", "UnknownIssuer"),
    ];
    for (kind, expected) in cases {
        let lab = lab(&format!("[origin.tls]\ncertificate = \"{kind}\"")).await;
        let error = secure(&lab, dial(lab.addr()).await, false).await.err().unwrap();
        assert!(format!("{error:?}").contains(expected), "{kind}: {error:?}");
    }
}

#[tokio::test]
async fn a_client_certificate_can_be_demanded() {
    let lab = lab("[origin.tls]\nclient-certificate = true").await;
    // TLS 1.3 lets the client finish first: the alert comes with the first read.
    let outcome = match secure(&lab, dial(lab.addr()).await, false).await {
        Err(error) => error,
        Ok(mut conn) => timeout(LIMIT, conn.read_u8()).await.unwrap().unwrap_err(),
    };
    assert!(format!("{outcome:?}").contains("CertificateRequired"), "{outcome:?}");
}

#[tokio::test]
async fn tls_1_2_can_be_refused() {
    for (only_tls13, refused) in [(false, false), (true, true)] {
        let lab = lab(&format!("[origin.tls]\nonly-tls13 = {only_tls13}")).await;
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .with_root_certificates(lab.pki.roots().unwrap())
            .with_no_client_auth();
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
        let outcome = dial(lab.addr()).await.secure(&connector, &lab.host).await;
        let error = outcome.err().map(|error| format!("{error:?}"));
        assert_eq!(error.is_some(), refused, "{error:?}");
        assert!(error.is_none_or(|error| error.contains("ProtocolVersion")));
    }
}

#[tokio::test]
async fn a_delay_is_kept() {
    let lab = lab("[origin]\ndelay-ms = 300").await;
    let began = Instant::now();
    upgrade(lab.addr()).await;
    assert!(began.elapsed() >= Duration::from_millis(300));
}
