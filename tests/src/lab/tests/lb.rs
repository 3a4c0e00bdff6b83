//! The load balancer's faults.

use super::*;

fn names(head: &Head) -> Vec<&str> {
    head.headers.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn a_101_shows_whose_it_is() {
    let cases: [(&str, &[&str]); 4] = [
        ("nginx", &["Server", "Date", "Connection", "Upgrade", "Sec-WebSocket-Accept"]),
        ("haproxy", &["upgrade", "connection", "sec-websocket-accept"]),
        ("envoy", &["upgrade", "connection", "sec-websocket-accept", "date", "server"]),
        ("plain", &["Upgrade", "Connection", "Sec-WebSocket-Accept"]),
    ];
    for (product, expected) in cases {
        let lab = lab(&format!("[lb]\nproduct = \"{product}\"")).await;
        let (mut conn, head, _) = upgrade(lab.addr()).await;
        assert_eq!(head.status(), 101, "{product}");
        assert_eq!(names(&head), expected);
        assert!(alive(&mut conn).await, "{product}");
    }
}

#[tokio::test]
async fn a_stripped_upgrade_is_the_origins_400() {
    for (fault, gone, kept) in [
        ("strip", &["upgrade"][..], &["sec-websocket-key"][..]),
        ("strip-upgrade", &["upgrade"], &["sec-websocket-key"]),
        ("strip-connection", &[], &["upgrade", "sec-websocket-key"]),
        ("strip-all", &["upgrade", "sec-websocket-key", "sec-websocket-version"], &[]),
    ] {
        let lab = lab(&format!("[lb]\nupgrade = \"{fault}\"")).await;
        let (mut conn, head, body) = upgrade(lab.addr()).await;
        assert_eq!((head.status(), body.as_str()), (400, "Bad Request\n"), "{fault}");
        assert_eq!(head.get("sec-websocket-version"), Some("13"));
        assert_eq!(
            names(&head),
            [
                "Server",
                "Date",
                "Content-Type",
                "Content-Length",
                "Connection",
                "Sec-Websocket-Version",
                "Vary",
                "X-Content-Type-Options"
            ]
        );
        let seen = lab.origin.requests()[0].join("\n").to_ascii_lowercase();
        let has = |name: &str| seen.contains(&format!("\n{name}:"));
        assert!(gone.iter().all(|name| !has(name)), "{fault}: {seen}");
        assert!(kept.iter().all(|name| has(name)), "{fault}: {seen}");
        assert_eq!(seen.contains("connection: upgrade"), fault == "strip-upgrade", "{seen}");
        // The client's connection goes on.
        let page = ask(&mut conn, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.0;
        assert_eq!(page.status(), 200, "{fault}");
    }
}

#[tokio::test]
async fn upgrades_are_lost_as_configured() {
    for (fault, expected, reaches) in [
        ("swallow", End::Silence(vec![]), false),
        ("drop-101", End::Silence(vec![]), true),
        ("close-on-101", End::Fin(vec![]), true),
    ] {
        let lab = lab(&format!("[lb]\nupgrade = \"{fault}\"")).await;
        let mut conn = dial(lab.addr()).await;
        send(&mut conn, UPGRADE).await;
        assert_eq!(end(&mut conn, QUIET).await, expected, "{fault}");
        assert_eq!(!lab.origin.requests().is_empty(), reaches, "{fault}");
    }
}

#[tokio::test]
async fn frames_can_be_swallowed_and_keys_changed() {
    let swallows = lab("[lb]\nupgrade = \"swallow-frames\"").await;
    let (mut conn, head, _) = upgrade(swallows.addr()).await;
    assert_eq!(head.get("sec-websocket-accept"), Some(ACCEPT));
    assert!(!alive(&mut conn).await);

    let rekeys = lab("[lb]\nupgrade = \"rekey\"").await;
    let (mut conn, head, _) = upgrade(rekeys.addr()).await;
    assert_eq!(head.get("sec-websocket-accept"), Some(crate::lab::hop::WRONG_ACCEPT));
    assert!(alive(&mut conn).await);
}

#[tokio::test]
async fn refusals_are_the_products_own_pages() {
    for (product, body) in [
        (
            "nginx",
            "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n\
             <center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n\
             </body>\r\n</html>\r\n",
        ),
        (
            "haproxy",
            "<html><body><h1>403 Forbidden</h1>\n\
             Request forbidden by administrative rules.\n</body></html>\n",
        ),
        ("envoy", ""),
    ] {
        let lab = lab(&format!("[lb]\nproduct = \"{product}\"\nupgrade = \"refuse\"")).await;
        let (_, head, said) = upgrade(lab.addr()).await;
        assert_eq!((head.status(), said.as_str()), (403, body), "{product}");
    }
}

#[tokio::test]
async fn gateway_errors_are_the_products_own_pages() {
    let cases = [
        ("nginx", 502, "HTTP/1.1 502 Bad Gateway", 157),
        ("nginx", 504, "HTTP/1.1 504 Gateway Time-out", 167),
        ("haproxy", 502, "HTTP/1.1 502 Bad Gateway", 107),
        ("haproxy", 503, "HTTP/1.1 503 Service Unavailable", 107),
        ("haproxy", 504, "HTTP/1.1 504 Gateway Time-out", 92),
    ];
    for (product, status, line, length) in cases {
        let text = format!("[lb]\nproduct = \"{product}\"\nanswer = {{ status = {status} }}");
        let (_, head, body) = upgrade(lab(&text).await.addr()).await;
        assert_eq!((head.line.as_str(), body.len()), (line, length), "{product} {status}");
        assert_eq!(head.get("content-length"), Some(&*length.to_string()));
    }
}

#[tokio::test]
async fn an_answer_for_upgrades_leaves_pages_alone() {
    let lab = lab("[lb]\nproduct = \"plain\"\n[lb.answer]\nstatus = 464\nscope = \"upgrades\"\n\
         headers = [\"Server: awselb/2.0\"]\nbody = \"\"")
    .await;
    let (mut conn, head, body) = upgrade(lab.addr()).await;
    assert_eq!((head.status(), head.get("server")), (464, Some("awselb/2.0")));
    assert_eq!(body, "");
    let page = ask(&mut conn, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.0;
    assert_eq!((page.status(), page.get("server")), (200, None));
}

#[tokio::test]
async fn a_backend_that_fails_is_told_in_the_products_way() {
    for (product, hangup, late) in [("nginx", 502, 504), ("haproxy", 502, 504), ("envoy", 503, 504)]
    {
        let text = format!("[lb]\nproduct = \"{product}\"\n[origin]\nupgrade = \"hangup\"");
        assert_eq!(upgrade(lab(&text).await.addr()).await.1.status(), hangup, "{product}");
        let text = format!(
            "[lb]\nproduct = \"{product}\"\npatience-ms = 100\n[origin]\nupgrade = \"swallow\""
        );
        assert_eq!(upgrade(lab(&text).await.addr()).await.1.status(), late, "{product}");
    }
    let mistaken = "[lb]\n[origin]\ntls = {}\ntransport = \"plain-text\"";
    assert_eq!(upgrade(lab(mistaken).await.addr()).await.1.status(), 502);
}

#[tokio::test]
async fn some_paths_lead_nowhere() {
    let lab = lab("[lb]\nunrouted = [\"/v1/\"]").await;
    let (mut conn, head, body) = upgrade(lab.addr()).await;
    assert_eq!(head.status(), 404);
    assert!(body.contains("nginx/1.22.1"), "{body}");
    let page = ask(&mut conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.1;
    assert!(page.contains("<title>BindPlane</title>"), "{page}");
}

#[tokio::test]
async fn another_host_upsets_the_origin_check() {
    let lab = lab("[lb]\nhost = \"be\"\n[origin]\norigin-check = \"same-host\"").await;
    let (mut conn, head, _) = upgrade(lab.addr()).await;
    assert_eq!(head.status(), 101);
    assert!(alive(&mut conn).await);
    let browser = UPGRADE.replace("\r\n\r\n", "\r\nOrigin: http://bindplane.corp.example\r\n\r\n");
    let mut conn = dial(lab.addr()).await;
    let (head, body) = ask(&mut conn, &browser).await;
    assert_eq!((head.status(), body.as_str()), (403, "Forbidden\n"));
}

#[tokio::test]
async fn its_cuts_end_the_tls_that_it_owns() {
    // Side by side, since most of it is waiting.
    let cases = [
        ("fin", End::Fin(vec![])),
        ("reset", End::Reset),
        ("close-frame", End::Fin(b"\x88\x02\x03\xe9".to_vec())),
        ("blackhole", End::Silence(vec![])),
    ]
    .map(async |(by, expected)| {
        let text = format!("[lb]\ntls = {{}}\ncut = {{ idle-ms = 600, by = \"{by}\" }}");
        let lab = lab(&text).await;
        let mut conn = secure(&lab, dial(lab.addr()).await, false).await.unwrap();
        assert_eq!(ask(&mut conn, UPGRADE).await.0.status(), 101);
        assert!(chat(&mut conn, Duration::from_millis(1200)).await, "{by}");
        assert_eq!(end(&mut conn, Duration::from_millis(1500)).await, expected, "{by}");
    });
    futures_util::future::join_all(cases).await;
}

#[tokio::test]
async fn a_middlebox_stands_inside_only_and_shows_its_own_certificate() {
    let text = "[lb]\ntls = {}\n[middlebox]\nproduct = \"plain\"\ntls = {}\nupgrade = \"strip\"";
    let lab = lab(text).await;
    assert!(secure(&lab, dial(lab.addr()).await, false).await.is_err());
    let mut inside = secure(&lab, dial(lab.addr()).await, true).await.unwrap();
    assert_eq!(ask(&mut inside, UPGRADE).await.0.status(), 400);
    lab.stand(crate::lab::Side::Outside).await.unwrap();
    assert!(secure(&lab, dial(lab.addr()).await, true).await.is_err());
    let mut outside = secure(&lab, dial(lab.addr()).await, false).await.unwrap();
    assert_eq!(ask(&mut outside, UPGRADE).await.0.status(), 101);
}

#[tokio::test]
async fn plain_http_on_the_tls_port_gets_nginxs_page() {
    let lab = lab("[lb]\ntls = {}").await;
    let (_, head, body) = upgrade(lab.addr()).await;
    assert_eq!((head.status(), body.len()), (400, 255));
    assert!(body.contains("The plain HTTP request was sent to HTTPS port"), "{body}");
}
