//! Handshakes as browsers make them, where the one that curl sends works.

use crate::cases::Case;
use crate::fixture::*;
use wss_bundle::observation::{EndedBy, Ending, probe};
use wss_bundle::{Bundle, FailureKind};
use wss_diagnosis::Confidence;

const TOO_MANY: &str = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n";

fn works(run: Run, leaf: &Leaf) -> OnRoute {
    run.direct(true)
        .resolved("203.0.113.10")
        .plain(WS, leaf, STRIPPED, BAD)
        .pages(leaf, "")
        .upgrade(WS, leaf, SWITCHED, "")
        .pong(WS, Some(1.5), EndedBy::StillOpen)
}

pub(crate) fn cases() -> Vec<Case> {
    use Confidence::{Low, Medium};
    let good = Leaf::good();
    let mut out = Vec::new();
    let mut case = |name, bundles: Vec<Bundle>, expect| out.push(Case { name, bundles, expect });
    let reset = FailureKind::ConnectionReset;
    let twice = |run: Run| {
        works(run, &good).unanswered(probe::BROWSER_UPGRADE, WS, &good, reset).unanswered(
            probe::COMPRESSED_UPGRADE,
            WS,
            &good,
            reset,
        )
    };
    case(
        "browsers' handshakes are reset, with and without an offer",
        vec![twice(Run::inside()).done()],
        ("broken", "origin-rejected", "server-side", Medium),
    );
    case(
        "browsers' handshakes are reset, also over HTTP/2",
        vec![
            twice(Run::inside())
                .h2(WS, &good, "HTTP/2 400 \r\nsec-websocket-version: 13\r\n\r\n", BAD)
                .h2_connect(WS, Err(FailureKind::Http2Error))
                .done(),
        ],
        ("broken", "origin-rejected", "server-side", Medium),
    );
    let fine_outside = works(Run::outside(), &good).browser(WS, &good, SWITCHED, "").done();
    case(
        "browsers' handshakes are reset inside alone",
        vec![twice(Run::inside()).done(), fine_outside],
        ("broken", "proxy-blocks-websocket", "client-network", Medium),
    );
    case(
        "a browser's handshake is answered 429, once",
        vec![works(Run::inside(), &good).browser(WS, &good, TOO_MANY, "").asked_once()],
        ("unknown", "insufficient", "undetermined", Low),
    );
    case(
        "a browser's handshake is answered 429, and 101 with an offer",
        vec![
            works(Run::inside(), &good)
                .browser(WS, &good, TOO_MANY, "")
                .offers(WS, &good, SWITCHED)
                .says(probe::COMPRESSED_UPGRADE, WS, false, Ending::new(EndedBy::StillOpen))
                .done(),
        ],
        ("working", "none", "none", Medium),
    );
    case(
        "a browser's handshake was given up after 1 s, where another request took that long",
        vec![
            works(Run::inside(), &good)
                .upgrade(GRAPHQL, &good, crate::cases::SHELL_OK, SHELL)
                .after(900.0)
                .unanswered(probe::BROWSER_UPGRADE, WS, &good, FailureKind::TimedOut)
                .after(1000.0)
                .done(),
        ],
        ("working", "none", "none", Medium),
    );
    out
}
