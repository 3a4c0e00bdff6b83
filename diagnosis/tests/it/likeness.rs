//! Requests that look like a program, and addresses that are a page's.

use crate::cases::{Case, SHELL_OK, opamp};
use crate::fixture::*;
use wss_bundle::observation::{EndedBy, Ending, probe};
use wss_diagnosis::{Confidence, diagnose};

const REFUSED: &str =
    "HTTP/1.1 403 Forbidden\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\n\r\n";
const PAGE: &str = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n\
                    <center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n\
                    </body>\r\n</html>\r\n";
const HEALTHY: &str = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Length: 0\r\n\r\n";

/// What is refused in the collector's name, on every path and page.
fn refused(route: OnRoute, leaf: &Leaf) -> OnRoute {
    let route = route.resolved("203.0.113.10");
    let route = [WS, GRAPHQL, OPAMP]
        .into_iter()
        .fold(route, |route, path| route.upgrade(path, leaf, REFUSED, PAGE));
    let pages = ["/health", "/js/_globals.js", "/", "/health", "/health", "/health"];
    let route = route.plain(WS, leaf, REFUSED, PAGE);
    pages.into_iter().fold(route, |route, page| route.page(page, leaf, REFUSED, PAGE))
}

/// The same in a browser's name; `answers` to `/health` in turn.
fn in_a_browsers_name(route: OnRoute, leaf: &Leaf, answers: &[&str]) -> OnRoute {
    let route = answers
        .iter()
        .fold(route, |route, head| route.asked(probe::UA_PAGES, "/health", leaf, head, ""));
    let stripped = STRIPPED.replacen("\r\n", "\r\nServer: nginx/1.22.1\r\n", 1);
    let route = route.asked(probe::UA_PAGES, "/", leaf, SHELL_OK, SHELL).asked(
        probe::UA_GET,
        WS,
        leaf,
        &stripped,
        BAD,
    );
    let route = route.handshake(probe::UA_UPGRADE, WS, leaf, Ok((SWITCHED, "")));
    route.pong_of(probe::UA_UPGRADE, WS, EndedBy::StillOpen).browser(WS, leaf, SWITCHED, "").says(
        probe::BROWSER_UPGRADE,
        WS,
        false,
        Ending::new(EndedBy::StillOpen),
    )
}

pub(crate) fn cases() -> Vec<Case> {
    let good = Leaf::good();
    let filtered = refused(Run::inside().direct(true), &good);
    let filtered = in_a_browsers_name(filtered, &good, &[HEALTHY, HEALTHY, HEALTHY]);
    let page = Run::inside().direct(true).resolved("203.0.113.10").works(WS, &good);
    let page = opamp(page.plain(WS, &good, STRIPPED, BAD), &good)
        .pages(&good, "")
        .page("/agents", &good, SHELL_OK, SHELL);
    let working = ("working", "none", "none", Confidence::Medium);
    let named = |head: &str, body: &str| {
        let run = Run::inside().direct(true).resolved("203.0.113.10");
        let run = run.upgrade(WS, &good, SWITCHED, "").pong(WS, Some(20.0), EndedBy::StillOpen);
        let run = run.upgrade(WS, &good, SWITCHED, "").upgrade(WS, &good, SWITCHED, "");
        let run = run.browser(WS, &good, head, body).browser(WS, &good, head, body);
        let run = (0..3)
            .fold(run, |run, _| run.handshake(probe::UA_UPGRADE, WS, &good, Ok((head, body))));
        opamp(run, &good).pages(&good, "").done()
    };
    let elsewhere = ("broken", "lb-strips-upgrade", "server-side", Confidence::Low);
    let through_a_proxy = |head: &str, body: &str| {
        let run = Run::inside()
            .proxy(true)
            .tunnel_reply("HTTP/1.1 200 Connection established\r\n\r\n", "");
        let run = run.upgrade(WS, &Leaf::zscaler_trusted(), SWITCHED, "").pong(
            WS,
            Some(20.0),
            EndedBy::StillOpen,
        );
        let run = run.upgrade(WS, &Leaf::zscaler_trusted(), SWITCHED, "").upgrade(
            WS,
            &Leaf::zscaler_trusted(),
            SWITCHED,
            "",
        );
        let run = run.browser(WS, &Leaf::zscaler_trusted(), head, body).browser(
            WS,
            &Leaf::zscaler_trusted(),
            head,
            body,
        );
        let run = (0..3).fold(run, |run, _| {
            run.handshake(probe::UA_UPGRADE, WS, &Leaf::zscaler_trusted(), Ok((head, body)))
        });
        opamp(run, &Leaf::zscaler_trusted()).pages(&Leaf::zscaler_trusted(), "").done()
    };
    vec![
        Case {
            name: "a proxy refuses browsers by their name",
            bundles: vec![through_a_proxy(REFUSED, PAGE)],
            expect: ("broken", "proxy-blocks-websocket", "client-network", Confidence::Medium),
        },
        Case {
            name: "browsers are refused by their name",
            bundles: vec![named(REFUSED, PAGE)],
            expect: ("broken", "lb-strips-upgrade", "server-side", Confidence::Medium),
        },
        Case {
            name: "browsers are led elsewhere by their name",
            bundles: vec![named(SHELL_OK, SHELL)],
            expect: elsewhere,
        },
        Case { name: "user-agent-filter", bundles: vec![filtered.done()], expect: working },
        Case { name: "address-of-a-page", bundles: vec![page.done()], expect: working },
    ]
}

/// A second backend or a limit makes a difference as well: it has to hold each time.
#[test]
fn one_lucky_answer_is_no_filter() {
    let good = Leaf::good();
    let rules = |answers: &[&str]| -> Vec<&'static str> {
        let run = in_a_browsers_name(refused(Run::inside().direct(true), &good), &good, answers);
        diagnose(&[run.asked_once()]).findings.iter().map(|finding| finding.rule).collect()
    };
    assert!(rules(&[HEALTHY, HEALTHY]).contains(&"user-agent-filter"));
    assert!(!rules(&[HEALTHY]).contains(&"user-agent-filter"), "once");
    assert!(!rules(&[HEALTHY, REFUSED, HEALTHY]).contains(&"user-agent-filter"), "now and then");
}

/// Behind the filter the upgrade may be stripped all the same: what browsers meet decides.
#[test]
fn behind_the_filter_it_is_judged_as_browsers_meet_it() {
    let good = Leaf::good();
    let run = refused(Run::inside().direct(true), &good);
    let stripped = STRIPPED.replacen("\r\n", "\r\nServer: nginx/1.22.1\r\n", 1);
    let run = [HEALTHY, HEALTHY]
        .into_iter()
        .fold(run, |run, head| run.asked(probe::UA_PAGES, "/health", &good, head, ""))
        .asked(probe::UA_PAGES, "/", &good, SHELL_OK, SHELL)
        .asked(probe::UA_GET, WS, &good, &stripped, BAD)
        .handshake(probe::UA_UPGRADE, WS, &good, Ok((&stripped, BAD)))
        .browser(WS, &good, &stripped, BAD);
    let diagnosis = diagnose(&[run.done()]);
    assert_eq!(diagnosis.verdict.cause.slug(), "lb-strips-upgrade");
    assert!(diagnosis.findings.iter().any(|finding| finding.rule == "user-agent-filter"));
}
