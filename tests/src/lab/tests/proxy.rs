//! The forward proxy's faults.

use super::*;

fn connect(lab: &Lab) -> String {
    let authority = format!("{}:{}", lab.host, lab.addr().port());
    format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n")
}

async fn proxied(lab: &Lab) -> Conn {
    dial(lab.proxy.as_ref().unwrap().addr).await
}

/// An upgrade in absolute form, as curl sends it to a proxy.
fn absolute(lab: &Lab) -> String {
    UPGRADE.replace("/v1/ws", &format!("http://{}/v1/ws", lab.host))
}

#[tokio::test]
async fn a_tunnel_lets_everything_through() {
    let lab = lab("[proxy]\n[origin.tls]\n").await;
    let mut conn = proxied(&lab).await;
    send(&mut conn, connect(&lab)).await;
    let mut reply = [0; 39];
    conn.read_exact(&mut reply).await.unwrap();
    assert_eq!(&reply, b"HTTP/1.1 200 Connection established\r\n\r\n");
    let mut conn = secure(&lab, conn, false).await.unwrap();
    assert_eq!(ask(&mut conn, UPGRADE).await.0.status(), 101);
    assert!(alive(&mut conn).await);
}

#[tokio::test]
async fn tunnels_are_refused_as_configured() {
    for status in [403, 502, 503] {
        let text = format!(
            "[proxy]\ntunnel = \"refuse-{status}\"\nheaders = [\"Via: 1.1 gw (squid/5.7)\"]"
        );
        let lab = lab(&text).await;
        let mut conn = proxied(&lab).await;
        let (head, body) = ask(&mut conn, &connect(&lab)).await;
        assert_eq!(head.status(), status);
        assert_eq!(head.get("via"), Some("1.1 gw (squid/5.7)"));
        assert!(body.contains("Corp Web Gateway"), "{body}");
        assert!(lab.origin.requests().is_empty());
    }
    for (mode, expected) in [("swallow", End::Silence(vec![])), ("close", End::Fin(vec![]))] {
        let lab = lab(&format!("[proxy]\ntunnel = \"{mode}\"")).await;
        let mut conn = proxied(&lab).await;
        send(&mut conn, connect(&lab)).await;
        assert_eq!(end(&mut conn, QUIET).await, expected, "{mode}");
    }
}

#[tokio::test]
async fn unknown_names_are_not_looked_up() {
    let lab = lab("[proxy]").await;
    let mut conn = proxied(&lab).await;
    let request = "CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example:443\r\n\r\n";
    assert_eq!(ask(&mut conn, request).await.0.status(), 503);
}

#[tokio::test]
async fn credentials_are_asked_for() {
    let text = "[proxy.auth]\nuser = \"u\"\npassword = \"p\"";
    let basic = lab(text).await;
    let with = |value: &str| {
        connect(&basic).replace("\r\n\r\n", &format!("\r\nProxy-Authorization: {value}\r\n\r\n"))
    };
    let mut conn = proxied(&basic).await;
    let (head, _) = ask(&mut conn, &connect(&basic)).await;
    assert_eq!(head.status(), 407);
    assert_eq!(head.get("proxy-authenticate"), Some("Basic realm=\"Corp Web Gateway\""));
    assert_eq!(ask(&mut conn, &with("Basic dTpx")).await.0.status(), 407);
    send(&mut conn, with("Basic dTpw")).await;
    assert_eq!(Head::read(&mut conn, LIMIT).await.unwrap().unwrap().status(), 200);
    assert_eq!(ask(&mut conn, UPGRADE).await.0.status(), 101);

    for (scheme, expected) in [("ntlm", &["NTLM"][..]), ("negotiate", &["Negotiate", "NTLM"])] {
        let lab = lab(&format!("{text}\nscheme = \"{scheme}\"")).await;
        let (head, _) = ask(&mut proxied(&lab).await, &with("Basic dTpw")).await;
        let offered = head.headers.iter().filter(|(name, _)| name == "Proxy-Authenticate");
        let offered: Vec<_> = offered.map(|(_, value)| value.as_str()).collect();
        assert_eq!((head.status(), &offered[..]), (407, expected));
    }
}

#[tokio::test]
async fn an_interceptor_forges_the_certificate_and_strips() {
    let text = "[lb]\ntls = {}\n[proxy]\nintercept = {}\nupgrade = \"strip\"\n\
                headers = [\"Via: 1.1 gw\", \"X-Cache: MISS from gw\"]";
    let lab = lab(text).await;
    let mut conn = proxied(&lab).await;
    send(&mut conn, connect(&lab)).await;
    assert_eq!(Head::read(&mut conn, LIMIT).await.unwrap().unwrap().status(), 200);
    let mut conn = secure(&lab, conn, true).await.expect("the corporate CA's leaf");
    let (head, body) = ask(&mut conn, UPGRADE).await;
    assert_eq!((head.status(), body.as_str()), (400, "Bad Request\n"));
    assert_eq!(head.get("via"), Some("1.1 gw"));
    assert_eq!(head.get("x-cache"), Some("MISS from gw"));
    let page = ask(&mut conn, "GET /js/_globals.js HTTP/1.1\r\nHost: x\r\n\r\n").await.1;
    assert!(page.contains("__BINDPLANE_VERSION__"), "{page}");
    let seen = lab.origin.requests()[0].join("\n");
    assert!(!seen.contains("Upgrade") && seen.contains("Sec-WebSocket-Key"), "{seen}");
    assert!(seen.contains("Via: 1.1 gw"), "{seen}");
}

#[tokio::test]
async fn an_interceptor_can_bear_any_name_and_let_upgrades_pass() {
    let text = "[lb]\ntls = {}\n[proxy.intercept.subject]\norganization = \"Zscaler Inc.\"\n\
                unit = \"Zscaler Inc.\"\ncommon-name = \"Zscaler Intermediate Root CA\"";
    let lab = lab(text).await;
    let mut conn = proxied(&lab).await;
    send(&mut conn, connect(&lab)).await;
    Head::read(&mut conn, LIMIT).await.unwrap().unwrap();
    let mut conn = secure(&lab, conn, true).await.unwrap();
    assert_eq!(ask(&mut conn, UPGRADE).await.0.status(), 101);
    assert!(alive(&mut conn).await);
    let identity = lab.pki.corporate.issue(&["x"], Default::default()).unwrap();
    let der = identity.chain[0].as_ref();
    let has = |text: &str| der.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("Zscaler Inc.") && has("Zscaler Intermediate Root CA"));
}

#[tokio::test]
async fn an_interceptor_distrusts_the_target_inside_its_own_tls() {
    let lab = lab("[lb]\ntls = { certificate = \"expired\" }\n[proxy]\nintercept = {}").await;
    let mut conn = proxied(&lab).await;
    send(&mut conn, connect(&lab)).await;
    Head::read(&mut conn, LIMIT).await.unwrap().unwrap();
    let mut conn = secure(&lab, conn, true).await.unwrap();
    assert_eq!(ask(&mut conn, UPGRADE).await.0.status(), 503);
}

#[tokio::test]
async fn absolute_form_upgrades_fare_as_configured() {
    for (fault, status) in [("forward", 101), ("strip", 400), ("refuse", 403)] {
        let lab = lab(&format!("[proxy]\nupgrade = \"{fault}\"")).await;
        let mut conn = proxied(&lab).await;
        let (head, _) = ask(&mut conn, &absolute(&lab)).await;
        assert_eq!(head.status(), status, "{fault}");
        if status != 403 {
            assert_eq!(lab.origin.requests()[0][0], "GET /v1/ws HTTP/1.1");
        }
        assert_eq!(alive(&mut conn).await, status == 101, "{fault}");
    }
    let lab = lab("[proxy]\nupgrade = \"swallow\"").await;
    let mut conn = proxied(&lab).await;
    send(&mut conn, absolute(&lab)).await;
    assert_eq!(end(&mut conn, QUIET).await, End::Silence(vec![]));
}

#[tokio::test]
async fn a_tunnels_cut_is_torn_since_the_proxy_has_no_say_in_its_tls() {
    let cases = [("fin", End::Torn), ("reset", End::Reset), ("blackhole", End::Silence(vec![]))];
    // Side by side, since most of it is waiting.
    let cases = cases.map(async |(by, expected)| {
        let text = format!("[origin.tls]\n[proxy.cut]\nidle-ms = 600\nby = \"{by}\"");
        let lab = lab(&text).await;
        let mut conn = proxied(&lab).await;
        send(&mut conn, connect(&lab)).await;
        Head::read(&mut conn, LIMIT).await.unwrap().unwrap();
        let mut conn = secure(&lab, conn, false).await.unwrap();
        assert_eq!(ask(&mut conn, UPGRADE).await.0.status(), 101);
        assert!(chat(&mut conn, Duration::from_millis(1200)).await, "{by}");
        assert_eq!(end(&mut conn, Duration::from_millis(1500)).await, expected, "{by}");
    });
    futures_util::future::join_all(cases).await;
}
