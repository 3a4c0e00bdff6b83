//! Silence beside answers: it counts where it was waited for clearly longer.

use crate::cases::{Case, SHELL_OK, healthy, stripped};
use crate::fixture::*;
use wss_bundle::observation::{EndedBy, Ending, probe};
use wss_bundle::{Bundle, FailureKind};
use wss_diagnosis::{Confidence, diagnose};

/// The upgrade is given up after `waited`; pages take `page`.
fn given_up(route: OnRoute, leaf: &Leaf, waited: f64, page: f64) -> OnRoute {
    route
        .resolved("203.0.113.10")
        .no_answer(WS, leaf, FailureKind::TimedOut)
        .after(waited)
        .upgrade(GRAPHQL, leaf, SHELL_OK, SHELL)
        .plain(WS, leaf, STRIPPED, BAD)
        .after(page)
        .pages(leaf, "")
}

/// It works, and the upgrade takes its time.
fn answered_late(route: OnRoute, leaf: &Leaf, took: f64) -> OnRoute {
    route
        .resolved("203.0.113.10")
        .upgrade(WS, leaf, SWITCHED, "")
        .after(took)
        .pong(WS, Some(1.5), EndedBy::StillOpen)
        .browser(WS, leaf, SWITCHED, "")
        .after(took)
        .plain(WS, leaf, STRIPPED, BAD)
        .upgrade(GRAPHQL, leaf, SHELL_OK, SHELL)
        .pages(leaf, "")
}

pub(crate) fn cases() -> Vec<Case> {
    use Confidence::{High, Low, Medium};
    let good = Leaf::good();
    let corp = Leaf::corporate();
    let inside = Run::inside;
    let outside = Run::outside;
    let untold = ("unknown", "insufficient", "undetermined", Low);
    let mut out = Vec::new();
    let mut case = |name, bundles: Vec<Bundle>, expect| out.push(Case { name, bundles, expect });

    // The upgrade.
    let from_outside = |took| answered_late(outside().direct(true), &good, took).done();
    case(
        "given up inside after 3 s, answered outside after 2.9 s",
        vec![given_up(inside().direct(true), &good, 3000.0, 5.0).done(), from_outside(2900.0)],
        untold,
    );
    case(
        "given up inside after 3 s, answered outside after 1.4 s",
        vec![given_up(inside().direct(true), &good, 3000.0, 5.0).done(), from_outside(1400.0)],
        ("broken", "proxy-blocks-websocket", "client-network", High),
    );
    case(
        "given up inside after 800 ms, answered outside after 100 ms: one lost segment does that",
        vec![given_up(inside().direct(true), &good, 800.0, 5.0).done(), from_outside(100.0)],
        untold,
    );
    case(
        "given up by the proxy's way after 10 s, answered directly after 9 s",
        vec![
            given_up(
                answered_late(inside().direct(false), &good, 9000.0).then().proxy(true),
                &corp,
                10_000.0,
                5.0,
            )
            .done(),
        ],
        untold,
    );
    case(
        "given up after 2 s where pages take 1.5 s",
        vec![given_up(inside().direct(true), &good, 2000.0, 1500.0).done()],
        untold,
    );
    case(
        "given up on both sides, where pages take half the time",
        vec![
            given_up(inside().direct(true), &good, 2000.0, 1500.0).done(),
            given_up(outside().direct(true), &good, 2000.0, 1500.0).done(),
        ],
        untold,
    );
    case(
        "works inside after 2 s; given up outside after 2.5 s",
        vec![
            answered_late(inside().direct(true), &good, 2000.0).done(),
            given_up(outside().direct(true), &good, 2500.0, 5.0).done(),
        ],
        ("working", "none", "none", Medium),
    );

    // HTTP/2.
    case(
        "no answer over HTTP/1.1 for 3 s, one over HTTP/2 after 2 s",
        vec![
            inside()
                .direct(true)
                .resolved("203.0.113.10")
                .no_answer(WS, &good, FailureKind::TimedOut)
                .after(3000.0)
                .h2(WS, &good, "HTTP/2 400 \r\nsec-websocket-version: 13\r\n\r\n", BAD)
                .after(2000.0)
                .done(),
        ],
        untold,
    );
    case(
        "an extended CONNECT given up after 2 s, the upgrade answered after 1.9 s",
        vec![
            answered_late(inside().direct(true), &good, 1900.0)
                .h2(WS, &good, "HTTP/2 200 \r\nserver: envoy\r\n\r\n", SHELL)
                .h2_connect(WS, Err(FailureKind::TimedOut))
                .after(2000.0)
                .done(),
        ],
        ("working", "none", "none", Medium),
    );
    case(
        "an extended CONNECT given up after 10 s, the upgrade answered at once",
        vec![
            healthy(inside().direct(true), &good)
                .h2(WS, &good, "HTTP/2 200 \r\nserver: envoy\r\n\r\n", SHELL)
                .h2_connect(WS, Err(FailureKind::TimedOut))
                .done(),
        ],
        ("broken", "lb-http2", "server-side", High),
    );

    // Frames and messages.
    case(
        "no Pong for 2 s, after a 101 that took 1.8 s",
        vec![
            inside()
                .direct(true)
                .resolved("203.0.113.10")
                .upgrade(WS, &good, SWITCHED, "")
                .after(1800.0)
                .pong(WS, None, EndedBy::Silence)
                .after(2000.0)
                .pages(&good, "")
                .done(),
        ],
        untold,
    );
    case(
        "no Pong inside for 2 s; outside one after 1.9 s",
        vec![
            inside()
                .direct(true)
                .resolved("203.0.113.10")
                .upgrade(WS, &good, SWITCHED, "")
                .pong(WS, None, EndedBy::Silence)
                .after(2000.0)
                .pages(&good, "")
                .done(),
            outside()
                .direct(true)
                .resolved("203.0.113.10")
                .upgrade(WS, &good, SWITCHED, "")
                .pong(WS, Some(1.0), EndedBy::StillOpen)
                .after(1900.0)
                .pages(&good, "")
                .done(),
        ],
        untold,
    );
    let compressed = |plain_ms: f64, waited_ms: f64| {
        let granting = SWITCHED
            .replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
        healthy(inside().direct(true), &good)
            .says(probe::BROWSER_UPGRADE, WS, false, Ending::new(EndedBy::StillOpen))
            .after(plain_ms)
            .offers(WS, &good, &granting)
            .says(probe::COMPRESSED_UPGRADE, WS, true, Ending::new(EndedBy::Silence))
            .after(waited_ms)
            .done()
    };
    case(
        "nothing more after a compressed message; the plain one was answered at once",
        vec![compressed(2.0, 2000.0)],
        ("broken", "frames-blocked", "server-side", Medium),
    );
    case(
        "nothing for 2 s after a compressed message; the plain one took 1.9 s",
        vec![compressed(1900.0, 2000.0)],
        ("working", "none", "none", Medium),
    );
    let at_the_end = |pong_ms: f64, waited_s: f64| {
        let cut = Cut::At(75.0 + waited_s, EndedBy::Silence, None);
        answered_late(inside().direct(true), &good, 5.0)
            .upgrade(OPAMP, &good, SHELL_OK, SHELL)
            .after(pong_ms)
            .one_hold(probe::HOLD_SILENT, &good, 75.0, cut)
            .done()
    };
    case(
        "the Ping after a silent hold is not answered for 10 s",
        vec![at_the_end(5.0, 10.0)],
        ("unstable", "idle-timeout", "undetermined", Medium),
    );
    case(
        "the Ping after a silent hold is not answered for 2 s, and answers take 1.5 s",
        vec![at_the_end(1500.0, 2.0)],
        ("working", "none", "none", Medium),
    );

    // Below HTTP.
    let no_tls = |waited: f64| {
        let route = inside().direct(true).resolved("203.0.113.10");
        route.no_tls(FailureKind::TimedOut).after(waited).done()
    };
    let slow_tls = |took: f64| {
        let mut bundle = healthy(outside().direct(true), &good).done();
        for o in &mut bundle.observations.observations {
            if matches!(o.step, wss_bundle::Step::Tls(_)) {
                o.duration_ms = took;
            }
        }
        bundle
    };
    case(
        "no TLS inside within 2 s, and outside it takes 1.8 s",
        vec![no_tls(2000.0), slow_tls(1800.0)],
        untold,
    );
    case(
        "no TLS inside within 2 s, and outside it takes 20 ms",
        vec![no_tls(2000.0), slow_tls(20.0)],
        ("broken", "tls-failure", "client-network", High),
    );
    let no_tcp = |waited: f64, connect: f64| {
        let route = inside().direct(true).resolved("203.0.113.10");
        let route = route.no_tcp(FailureKind::TimedOut).after(waited).then().proxy(false);
        let mut bundle = healthy(route, &good).done();
        for o in &mut bundle.observations.observations {
            if matches!(o.step, wss_bundle::Step::Tunnel(_)) {
                o.duration_ms = connect;
            }
        }
        bundle
    };
    case(
        "no TCP directly within 10 s; by a proxy that is not used it works",
        vec![no_tcp(10_000.0, 30.0)],
        ("broken", "proxy-required", "client-network", High),
    );
    case(
        "no TCP directly within 1 s; the proxy took 900 ms to connect there",
        vec![no_tcp(1000.0, 900.0)],
        untold,
    );
    // What was answered is no silence, however late.
    case(
        "stripped inside after 2.9 s; outside it works after 2.9 s",
        vec![
            stripped(
                inside().direct(false).no_tcp(FailureKind::ConnectionReset).then().proxy(true),
                &corp,
                STRIPPED,
                "",
            )
            .after(2900.0)
            .done(),
            from_outside(2900.0),
        ],
        ("broken", "proxy-blocks-websocket", "client-network", High),
    );
    out
}

/// A server that is slow to upgrade alone looks like one that never answers, from
/// whichever side: until it was waited for long.
#[test]
fn silence_alone_is_sure_only_after_a_long_wait() {
    let good = Leaf::good();
    let both = |waited: f64| {
        let [a, b] = [Run::inside(), Run::outside()]
            .map(|run| given_up(run.direct(true), &good, waited, 5.0).done());
        diagnose(&[a, b]).verdict
    };
    let short = both(3000.0);
    assert_eq!(short.cause.slug(), "gateway-timeout");
    assert_eq!(short.confidence, Confidence::Medium);
    assert!(
        short.missing.iter().any(|line| line.command.contains("--timeout 1m")),
        "{:?}",
        short.missing
    );
    let long = both(10_000.0);
    assert_eq!(long.confidence, Confidence::High);
    assert!(
        !long.missing.iter().any(|line| line.command.contains("--timeout")),
        "{:?}",
        long.missing
    );
}

/// What is too short says so, once, and how to wait longer.
#[test]
fn what_was_too_short_is_said_and_how_to_wait_longer() {
    let good = Leaf::good();
    let inside = given_up(Run::inside().direct(true), &good, 3000.0, 5.0).done();
    let outside = answered_late(Run::outside().direct(true), &good, 2900.0).done();
    let diagnosis = diagnose(&[inside, outside]);
    let found: Vec<_> =
        diagnosis.findings.iter().filter(|f| f.rule == "waited-too-short").collect();
    assert_eq!(found.len(), 1);
    assert!(found[0].text.contains("within 3.0 s"), "{}", found[0].text);
    assert!(found[0].text.contains("the upgrade from outside took 2.9 s"), "{}", found[0].text);
    let missing = &diagnosis.verdict.missing;
    assert_eq!(missing.len(), 1);
    assert!(missing[0].command.contains("--timeout 1m"), "{missing:?}");
}
