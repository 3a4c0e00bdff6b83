//! What browsers saw: when it makes a verdict, when it only supports one, and
//! when nobody can tell.

use crate::cases::{Case, healthy, stripped};
use crate::fixture::*;
use wss_bundle::browser::{BrowserClose, BrowserHandshake, BrowserRequest};
use wss_bundle::observation::{EndedBy, Ending, probe};
use wss_bundle::{Bundle, Bytes, ResponseHead};
use wss_diagnosis::{Confidence, Diagnosis, Status, diagnose};

const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nServer: nginx/1.22.1\r\n\
                         Sec-Websocket-Version: 13\r\n\r\n";

/// A socket that a browser opened during the collection.
fn live() -> BrowserHandshake {
    let url = "wss://bindplane.corp.example/v1/ws".to_owned();
    let mut seen = BrowserHandshake::new("Chromium 156 headless", BrowserRequest::Websocket, url);
    seen.id = "b1".into();
    seen.live = true;
    seen.browser = Some("Chrome 156".into());
    seen.at = Some("2026-03-01T08:15:31Z".parse().unwrap());
    seen.protocol = Some("http/1.1".into());
    seen.route = Some("direct".into());
    seen.remote = Some("203.0.113.10:443".into());
    seen.request = Some(Bytes::from(
        "GET /v1/ws HTTP/1.1\r\nHost: bindplane.corp.example\r\nUpgrade: websocket\r\n\
         Origin: https://bindplane.corp.example\r\n\r\n",
    ));
    seen
}

/// The same from a HAR that was made on the day of the collection.
fn har() -> BrowserHandshake {
    BrowserHandshake { source: "har:console.har".into(), live: false, route: None, ..live() }
}

fn answered(mut seen: BrowserHandshake, head: &str) -> BrowserHandshake {
    seen.response = Some(ResponseHead::new(head));
    seen
}

fn failed(mut seen: BrowserHandshake, error: &str) -> BrowserHandshake {
    seen.error = Some(error.into());
    seen.closed = Some(BrowserClose { code: Some(1006), clean: Some(false), at_ms: Some(20.0) });
    seen
}

fn works(mut seen: BrowserHandshake) -> BrowserHandshake {
    seen.opened_ms = Some(30.0);
    seen.watched_ms = Some(1500.0);
    answered(seen, SWITCHED)
}

fn saw(mut bundle: Bundle, seen: BrowserHandshake) -> Bundle {
    let list = &mut bundle.observations.browser;
    list.push(BrowserHandshake { id: format!("b{}", list.len() + 1), ..seen });
    bundle
}

fn fine() -> Bundle {
    healthy(Run::inside().direct(true), &Leaf::good()).done()
}

/// The handshake of a recording, sent as it stands, is refused.
fn recorded_refused() -> Bundle {
    let mut bundle = fine();
    let own = |o: &&mut wss_bundle::Observation| {
        o.probe == probe::BROWSER_UPGRADE
            && o.path.as_deref() == Some(WS)
            && matches!(o.step, wss_bundle::Step::Upgrade(_))
    };
    let all = &mut bundle.observations.observations;
    let mut twin = {
        let o = all.iter_mut().find(own).unwrap();
        let wss_bundle::Step::Upgrade(upgrade) = &mut o.step else { unreachable!() };
        upgrade.request = Bytes::from("GET /v1/ws HTTP/1.1\r\nConnection: Upgrade\r\n\r\n");
        o.clone()
    };
    let wss_bundle::Step::Upgrade(upgrade) = &mut twin.step else { unreachable!() };
    upgrade.request = Bytes::from("GET /v1/ws HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\n\r\n");
    let wss_bundle::Outcome::Ok(reply) = &mut upgrade.result else { unreachable!() };
    reply.head = ResponseHead::new("HTTP/1.1 400 Bad Request\r\nSec-Websocket-Version: 13\r\n\r\n");
    twin.probe = probe::RECORDED_UPGRADE.into();
    twin.id = format!("o{}", all.len() + 1);
    all.push(twin);
    bundle
}

fn said(mut bundle: Bundle, text: &str) -> Bundle {
    bundle.manifest.answers.browser_message = Some(text.into());
    bundle
}

pub(crate) fn cases() -> Vec<Case> {
    use Confidence::{High, Low, Medium};
    let good = Leaf::good();
    let mut out = Vec::new();
    let mut case = |name, bundle, expect| out.push(Case { name, bundles: vec![bundle], expect });
    case("a browser works, too", saw(fine(), works(live())), ("working", "none", "none", Medium));
    case(
        "an extension blocks it",
        saw(fine(), failed(live(), "net::ERR_BLOCKED_BY_CLIENT")),
        ("broken", "browser-only", "browser", High),
    );
    case(
        "the browser alone is refused",
        saw(fine(), answered(live(), FORBIDDEN)),
        ("broken", "browser-only", "browser", Medium),
    );
    case(
        "the browser alone is refused, says a recording",
        saw(fine(), failed(har(), "net::ERR_CONNECTION_RESET")),
        ("broken", "browser-only", "browser", Low),
    );
    case(
        "a recording that was answered with an error, while the probes work",
        saw(fine(), answered(har(), "HTTP/1.1 503 Service Unavailable\r\n\r\n")),
        ("unknown", "insufficient", "undetermined", Low),
    );
    let at = |seconds: i64, life_s: f64| {
        let mut seen = answered(har(), SWITCHED);
        seen.at = Some(
            "2026-03-01T08:10:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap()
                + chrono::TimeDelta::seconds(seconds),
        );
        let at_ms = Some(life_s * 1e3);
        seen.closed = Some(BrowserClose { code: None, clean: None, at_ms });
        seen
    };
    let recorded = |all: Vec<BrowserHandshake>| all.into_iter().fold(fine(), saw);
    case(
        "a page that connects again and again",
        recorded((0..10).map(|n| at(n * 4, 1.0 + n as f64 * 0.3)).collect()),
        ("unknown", "insufficient", "undetermined", Low),
    );
    case(
        "two sockets, one after the other",
        recorded(vec![at(0, 20.0), at(22, 30.0)]),
        ("working", "none", "none", Medium),
    );
    case(
        "the recorded handshake is refused for its Connection header",
        saw(recorded_refused(), answered(har(), "HTTP/1.1 400 Bad Request\r\n\r\n")),
        ("broken", "lb-strips-upgrade", "server-side", High),
    );
    case(
        "a recording of another day",
        saw(
            fine(),
            BrowserHandshake {
                at: Some("2025-01-01T08:00:00Z".parse().unwrap()),
                ..answered(har(), "HTTP/1.1 503 Service Unavailable\r\n\r\n")
            },
        ),
        ("working", "none", "none", Medium),
    );
    case(
        "the browser's trust store",
        saw(fine(), failed(live(), "net::ERR_CERT_AUTHORITY_INVALID")),
        ("broken", "browser-only", "browser", High),
    );
    let over_http2 = |status: &str| {
        let mut seen = answered(live(), status);
        seen.protocol = Some("h2".into());
        seen.request = Some(Bytes::from("CONNECT /v1/ws HTTP/2\r\n:protocol: websocket\r\n\r\n"));
        seen
    };
    case(
        "over HTTP/2, which the collector did not get to try",
        saw(fine(), over_http2("HTTP/2 400\r\n\r\n")),
        ("broken", "lb-http2", "server-side", High),
    );
    let announced =
        || healthy(Run::inside().direct(true), &good).h2_connect(WS, Ok("HTTP/2 400\r\n\r\n"));
    case(
        "over HTTP/2, for the collector as well",
        saw(announced().done(), over_http2("HTTP/2 400\r\n\r\n")),
        ("broken", "lb-http2", "server-side", High),
    );
    let deflate =
        SWITCHED.replacen("\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n", 1);
    let mut garbled = answered(failed(live(), ""), &deflate);
    garbled.error = None;
    garbled.console = vec!["WebSocket connection to 'x' failed: Invalid frame header".into()];
    case(
        "compressed frames do not pass",
        saw(fine(), garbled),
        ("broken", "frames-blocked", "undetermined", Medium),
    );
    // The collector's own pair of handshakes, with and without the offer.
    let fin = || Ending::new(EndedBy::Fin);
    let open = || Ending::new(EndedBy::StillOpen);
    let closed = |code| Ending { close_code: Some(code), ..Ending::new(EndedBy::CloseFrame) };
    let (plain, offer) = (probe::BROWSER_UPGRADE, probe::COMPRESSED_UPGRADE);
    let pair =
        |ending: Ending| healthy(Run::inside().direct(true), &good).says(plain, WS, false, ending);
    let granted = || pair(open()).offers(WS, &good, &deflate);
    let twice = |ending: Ending, between: Ending| {
        granted()
            .says(offer, WS, true, ending.clone())
            .says(plain, WS, false, between)
            .says(offer, WS, true, ending)
            .done()
    };
    case(
        "compressed frames pass",
        granted().says(offer, WS, true, open()).done(),
        ("working", "none", "none", Medium),
    );
    case(
        "compressed frames are not read by the server",
        twice(closed(1002), open()),
        ("broken", "frames-blocked", "server-side", Medium),
    );
    case(
        "a connection ends once on a compressed message",
        granted()
            .says(offer, WS, true, fin())
            .says(plain, WS, false, open())
            .says(offer, WS, true, open())
            .done(),
        ("working", "none", "none", Medium),
    );
    case(
        "the last of many connections end, compressed or not",
        twice(fin(), fin()),
        ("working", "none", "none", Medium),
    );
    case(
        "compressed frames come though none were granted",
        pair(open())
            .offers(WS, &good, SWITCHED)
            .says(offer, WS, false, Ending::new(EndedBy::Garbled))
            .done(),
        ("broken", "frames-blocked", "server-side", Medium),
    );
    case(
        "the server does not like the message, compressed or not",
        pair(closed(1002)).offers(WS, &good, &deflate).says(offer, WS, true, closed(1002)).done(),
        ("working", "none", "none", Medium),
    );
    case(
        "the server says farewell in its own words to both",
        pair(closed(4401)).offers(WS, &good, &deflate).says(offer, WS, true, closed(4401)).done(),
        ("working", "none", "none", Medium),
    );
    case(
        "compressed frames do not pass, and a browser's do",
        saw(twice(fin(), open()), BrowserHandshake { frames_received: 3, ..works(live()) }),
        ("working", "none", "none", Medium),
    );
    case(
        "the offer is refused, once",
        pair(open()).offers(WS, &good, FORBIDDEN).asked_once(),
        ("working", "none", "none", Medium),
    );
    case(
        "the offer is refused, and so is the browser's",
        saw(pair(open()).offers(WS, &good, FORBIDDEN).done(), answered(live(), FORBIDDEN)),
        ("broken", "lb-strips-upgrade", "server-side", Medium),
    );
    case(
        "the offer is refused again and again",
        pair(open())
            .offers(WS, &good, FORBIDDEN)
            .browser(WS, &good, SWITCHED, "")
            .says(plain, WS, false, open())
            .offers(WS, &good, FORBIDDEN)
            .done(),
        ("broken", "lb-strips-upgrade", "server-side", Medium),
    );
    let directly = |bundle: OnRoute| {
        let direct = healthy(bundle.then().direct(false), &good).says(plain, WS, false, open());
        direct.offers(WS, &good, SWITCHED).says(offer, WS, false, open()).done()
    };
    case(
        "the offer is refused by the proxy alone",
        saw(
            directly(
                healthy(Run::inside().proxy(true), &good)
                    .says(plain, WS, false, open())
                    .offers(WS, &good, FORBIDDEN),
            ),
            BrowserHandshake {
                route: Some(format!("proxy {PROXY}")),
                ..answered(live(), FORBIDDEN)
            },
        ),
        ("broken", "proxy-blocks-websocket", "client-network", High),
    );
    // Only the twin with the browser's Origin tells.
    let refuses_origin = || {
        let route = Run::inside().direct(true).resolved("203.0.113.10");
        let route = route.upgrade(WS, &good, SWITCHED, "").pong(WS, Some(1.0), EndedBy::StillOpen);
        route.browser(WS, &good, FORBIDDEN, "").done()
    };
    case(
        "the Origin is refused, for the browser as well",
        saw(refuses_origin(), answered(live(), FORBIDDEN)),
        ("broken", "origin-rejected", "server-side", High),
    );
    let broken = || stripped(Run::inside().direct(true), &good, STRIPPED_NGINX, "").done();
    case(
        "stripped, for the browser as well",
        saw(broken(), answered(live(), STRIPPED_NGINX)),
        ("broken", "lb-strips-upgrade", "server-side", Medium),
    );
    case(
        "stripped, and the browser works",
        saw(broken(), works(live())),
        ("broken", "lb-strips-upgrade", "server-side", Low),
    );
    case(
        "a browser that was cut later",
        saw(
            fine(),
            BrowserHandshake {
                closed: Some(BrowserClose { code: Some(1006), clean: None, at_ms: Some(60_030.0) }),
                ..works(live())
            },
        ),
        ("working", "none", "none", Medium),
    );
    case(
        "a browser by a proxy that was not tried",
        saw(
            fine(),
            BrowserHandshake {
                route: Some("proxy http://own.corp.example:8080".into()),
                ..failed(live(), "net::ERR_TUNNEL_CONNECTION_FAILED")
            },
        ),
        ("unknown", "insufficient", "undetermined", Low),
    );
    case(
        "works, and somebody pasted a message",
        said(fine(), "WebSocket connection to 'wss://x/' failed: Unexpected response code: 502"),
        ("working", "none", "none", Medium),
    );
    out
}

fn judged(bundle: Bundle) -> Diagnosis {
    diagnose(&[bundle])
}

/// What a browser saw is no evidence against it, where the two cannot be compared.
#[test]
fn what_cannot_be_compared_makes_no_verdict() {
    let good = Leaf::good();
    // Without the twin that sends an Origin, the Origin may be the reason.
    let route = Run::inside().direct(true).resolved("203.0.113.10");
    let no_twin = route.upgrade(WS, &good, SWITCHED, "").pong(WS, Some(1.0), EndedBy::StillOpen);
    // The collector was given credentials, the browser was not.
    let mut given = fine();
    for o in &mut given.observations.observations {
        if let wss_bundle::Step::Upgrade(u) = &mut o.step {
            u.request = "GET / HTTP/1.1\r\nAuthorization: Basic [removed]\r\n\r\n".into();
        }
    }
    let page = "Refused to connect because it violates the Content Security Policy";
    for (name, bundle) in [
        ("no twin", saw(no_twin.done(), answered(live(), FORBIDDEN))),
        ("credentials", saw(given, answered(live(), "HTTP/1.1 401 Unauthorized\r\n\r\n"))),
        ("the page forbids it", saw(fine(), failed(live(), page))),
    ] {
        let diagnosis = judged(bundle);
        assert_eq!(diagnosis.verdict.status, Status::Unknown, "{name}: {:?}", diagnosis.verdict);
        assert_eq!(diagnosis.verdict.cause.slug(), "insufficient", "{name}");
        assert!(!diagnosis.verdict.missing.is_empty(), "{name}");
    }
}

/// A recording of another day does not speak about today.
#[test]
fn an_old_recording_is_not_compared() {
    let old = BrowserHandshake {
        at: Some("2026-02-20T08:15:31Z".parse().unwrap()),
        ..failed(har(), "net::ERR_CONNECTION_RESET")
    };
    let verdict = judged(saw(fine(), old)).verdict;
    assert_eq!(verdict.status, Status::Working);
    let undated = BrowserHandshake { at: None, ..failed(har(), "net::ERR_CONNECTION_RESET") };
    assert_eq!(judged(saw(fine(), undated)).verdict.status, Status::Working);
}

/// Consoles try again: one that came to work speaks before those that did not.
#[test]
fn of_one_browser_the_socket_that_works_speaks() {
    let bundle = saw(saw(fine(), failed(har(), "net::ERR_CONNECTION_RESET")), works(har()));
    assert_eq!(judged(bundle).verdict.status, Status::Working);
    // And of another path nothing is said.
    let elsewhere = BrowserHandshake {
        url: "wss://bindplane.corp.example/v1/opamp".into(),
        ..failed(live(), "net::ERR_CONNECTION_RESET")
    };
    assert_eq!(judged(saw(fine(), elsewhere)).verdict.status, Status::Working);
}

#[test]
fn a_message_alone_changes_no_verdict() {
    let good = Leaf::good();
    let text = "net::ERR_BLOCKED_BY_CLIENT";
    for bundle in [
        fine(),
        stripped(Run::inside().direct(true), &good, STRIPPED_NGINX, "").done(),
        Run::inside().direct(true).done(),
    ] {
        let plain = judged(bundle.clone());
        let with = judged(said(bundle, text));
        assert_eq!(plain.verdict, with.verdict);
    }
}

#[test]
fn the_checklist_says_which_browser() {
    let nothing = Run::inside().direct(true).done();
    let item = |bundle: Bundle| {
        let diagnosis = judged(bundle);
        let item = diagnosis.checklist.iter().find(|i| i.item == "failed-handshake").unwrap();
        (serde_json::to_value(item.status).unwrap(), item.have.join("; "))
    };
    assert_eq!(item(nothing.clone()).0, "missing");
    let (status, have) = item(saw(nothing.clone(), answered(har(), FORBIDDEN)));
    assert_eq!(status, "complete");
    assert!(have.contains("har:console.har (Chrome 156): HTTP/1.1 403 Forbidden with 2"), "{have}");
    let (status, have) = item(saw(nothing.clone(), failed(live(), "net::ERR_CONNECTION_REFUSED")));
    assert_eq!(status, "complete");
    assert!(have.contains("Chromium 156 headless: no response"), "{have}");
    let (status, have) = item(said(nothing.clone(), "failed: Unexpected response code: 502"));
    assert_eq!(status, "complete");
    assert!(have.contains("as pasted: the handshake was answered with 502"), "{have}");
    // Words that tell nothing complete nothing.
    for words in ["WebSocket connection to 'wss://b/' failed: ", "it is broken"] {
        assert_eq!(item(said(nothing.clone(), words)).0, "missing", "{words}");
    }
}

#[test]
fn differences_are_listed_and_nothing_else() {
    let mut seen = answered(live(), FORBIDDEN);
    seen.remote = Some("198.51.100.7:443".into());
    let bundle = saw(fine(), seen);
    let seen = &bundle.observations.browser[0];
    let compared = wss_diagnosis::evidence::browser::compare(&bundle, seen).unwrap();
    let what: Vec<&str> = compared.differences.iter().map(|d| d.what.as_str()).collect();
    assert!(what.contains(&"address") && what.contains(&"answer"), "{what:?}");
    assert!(!what.contains(&"route") && !what.contains(&"protocol (ALPN)"), "{what:?}");
    let own = bundle.observations.observations.iter().find(|o| o.id == compared.observation);
    assert_eq!(own.unwrap().probe, "browser-upgrade");
}

/// A subprotocol that is not known may be a token, and is masked: that it differs
/// from the collector's own is then not known.
#[test]
fn what_is_masked_is_not_said_to_differ() {
    let mut seen = answered(live(), FORBIDDEN);
    seen.request = Some(Bytes::from(
        "GET /v1/ws HTTP/1.1\r\nHost: bindplane.corp.example\r\n\
         Sec-WebSocket-Protocol: [removed]\r\n\r\n",
    ));
    let mut bundle = saw(fine(), seen);
    let compare = |bundle: &Bundle| {
        let seen = &bundle.observations.browser[0];
        wss_diagnosis::evidence::browser::compare(bundle, seen).unwrap().differences
    };
    for sent in ["graphql-ws", "[removed]"] {
        for o in &mut bundle.observations.observations {
            if let wss_bundle::Step::Upgrade(upgrade) = &mut o.step {
                let head = format!("GET /v1/ws HTTP/1.1\r\nSec-WebSocket-Protocol: {sent}\r\n\r\n");
                upgrade.request = head.as_str().into();
            }
        }
        let found: Vec<_> =
            compare(&bundle).into_iter().filter(|d| d.what.contains("Protocol")).collect();
        match sent {
            "graphql-ws" => {
                assert!(found[0].what.contains("not to be compared"), "{found:?}");
                assert_eq!((found[0].browser.as_str(), found.len()), ("masked", 1));
            }
            _ => assert!(found.is_empty(), "{found:?}"),
        }
    }
}
