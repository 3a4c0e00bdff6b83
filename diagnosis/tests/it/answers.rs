//! Who answered: the author of each response, and why that is believed.

use crate::cases::{healthy, stripped};
use crate::fixture::*;
use wss_bundle::{Bundle, Step};
use wss_diagnosis::evidence::{Authorship, authorships};
use wss_diagnosis::signature::Signatures;
use wss_diagnosis::{Confidence, DeviceRole};

const NGINX: &str = "Server: nginx/1.22.1\r\n";

fn of(bundle: &Bundle, probe: &str) -> Authorship {
    let observations = &bundle.observations.observations;
    authorships(bundle, Signatures::built_in())
        .into_iter()
        .find(|one| {
            let o = observations.iter().find(|o| o.id == one.observation).unwrap();
            o.probe == probe && o.path.as_deref() == Some(WS)
        })
        .unwrap()
}

fn said(texts: &[String], part: &str) -> bool {
    texts.iter().any(|text| text.contains(part))
}

#[test]
fn the_server_answers_and_the_load_balancer_passes_it_on() {
    let bundle = stripped(Run::inside().direct(true), &Leaf::good(), STRIPPED_NGINX, NGINX).done();
    let one = of(&bundle, "upgrade");
    assert_eq!(one.who.as_deref(), Some("Bindplane 1.99.1"));
    assert_eq!((one.role, one.confidence), (Some(DeviceRole::Origin), Confidence::High));
    assert!(said(&one.because, "Sec-WebSocket-Version"), "{one:?}");
    assert!(said(&one.passed_on, "nginx 1.22.1"), "{one:?}");
}

#[test]
fn a_valid_101_is_the_servers_and_its_order_tells_who_touched_it() {
    let bundle = healthy(Run::inside().direct(true), &Leaf::good()).done();
    let one = of(&bundle, "upgrade");
    assert_eq!(one.role, Some(DeviceRole::Origin));
    assert!(said(&one.because, "computed Sec-WebSocket-Accept"), "{one:?}");
    assert!(
        said(&one.because, "the order of its headers is that of the server's library"),
        "{one:?}"
    );
    assert!(one.passed_on.is_empty(), "{one:?}");

    let through = SWITCHED
        .replace(
            "Upgrade: websocket\r\nConnection: Upgrade",
            "upgrade: websocket\r\nconnection: Upgrade",
        )
        .replace("Sec-WebSocket-Accept", "sec-websocket-accept");
    let leaf = Leaf::good();
    let bundle = Run::inside().direct(true).upgrade(WS, &leaf, &through, "").done();
    let one = of(&bundle, "upgrade");
    assert!(said(&one.because, "all in lower case"), "{one:?}");
    assert!(!said(&one.because, "server's library"), "{one:?}");
    assert!(said(&one.passed_on, "HAProxy"), "{one:?}");
}

#[test]
fn a_load_balancers_own_page_is_its_own() {
    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 107\r\ncache-control: no-cache\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n";
    let body = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n";
    let leaf = Leaf::good();
    let bundle = Run::inside().direct(true).upgrade(WS, &leaf, head, body).pages(&leaf, "").done();
    let one = of(&bundle, "upgrade");
    assert_eq!((one.who.as_deref(), one.role), (Some("HAProxy"), Some(DeviceRole::LoadBalancer)));
    for part in ["No server is available", "HAProxy says so: it has no server", "lower case"] {
        assert!(said(&one.because, part), "{part}: {one:?}");
    }
}

#[test]
fn what_nobody_signs_cannot_be_told() {
    let leaf = Leaf::good();
    let head = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nVia: 1.1 gate-7\r\n\r\n";
    let bundle = Run::inside().direct(true).upgrade(WS, &leaf, head, "no").done();
    let one = of(&bundle, "upgrade");
    assert_eq!((one.who.as_deref(), one.role), (None, None));
    assert!(said(&one.because, "no page, header order or status of a known author"), "{one:?}");
    assert!(said(&one.passed_on, "Via: 1.1 gate-7"), "{one:?}");
}

#[test]
fn an_interceptor_passes_on_what_it_opens() {
    let leaf = Leaf::zscaler_trusted();
    let bundle = stripped(Run::inside().direct(true), &leaf, STRIPPED, "").done();
    let one = of(&bundle, "upgrade");
    assert_eq!(one.role, Some(DeviceRole::Origin));
    assert!(said(&one.passed_on, "which opens TLS"), "{one:?}");
}

#[test]
fn connect_is_answered_by_the_proxy() {
    let refused =
        "HTTP/1.1 403 Forbidden\r\nServer: squid/5.7\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n";
    let bundle = Run::inside().proxy(true).tunnel_reply(refused, "").done();
    let observations = &bundle.observations.observations;
    let tunnel = observations.iter().find(|o| matches!(o.step, Step::Tunnel(_))).unwrap();
    let all = authorships(&bundle, Signatures::built_in());
    let one = all.iter().find(|one| one.observation == tunnel.id).unwrap();
    assert_eq!(one.role, Some(DeviceRole::ForwardProxy));
    assert!(one.who.as_deref().unwrap().starts_with("Squid"), "{one:?}");
    assert!(said(&one.because, "RFC 9110"), "{one:?}");
}

/// An answer that is there long before the server's own came from nearer.
#[test]
fn an_answer_that_comes_too_soon_is_said_to() {
    let leaf = Leaf::good();
    let head = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n\r\n";
    let mut bundle =
        Run::inside().direct(true).upgrade(WS, &leaf, head, "no").pages(&leaf, "").done();
    for o in &mut bundle.observations.observations {
        match &mut o.step {
            Step::Http(h) => {
                if let wss_bundle::Outcome::Ok(reply) = &mut h.result {
                    reply.first_byte_ms = 80.0;
                }
            }
            Step::Upgrade(u) => {
                if let wss_bundle::Outcome::Ok(reply) = &mut u.result {
                    reply.first_byte_ms = 2.0;
                }
            }
            _ => {}
        }
    }
    assert!(said(&of(&bundle, "upgrade").because, "from nearer than the server"));
    let quick: Bundle =
        Run::inside().direct(true).upgrade(WS, &leaf, head, "no").pages(&leaf, "").done();
    assert!(!said(&of(&quick, "upgrade").because, "from nearer"));
}
