//! The same question, answered in several ways; and what rests on a single answer.

use crate::cases::{Case, SHELL_OK, healthy, opamp};
use crate::fixture::*;
use wss_bundle::observation::{EndedBy, probe};
use wss_bundle::{Bundle, Step};
use wss_diagnosis::{Confidence, diagnose};

const BAD_GATEWAY: &str = "HTTP/1.1 502 Bad Gateway\r\nServer: nginx/1.22.1\r\n\r\n";
const LIMIT: &str = "HTTP/1.1 503 Service Temporarily Unavailable\r\nServer: nginx/1.22.1\r\n\r\n";
const LIMIT_BODY: &str = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
const TOO_MANY: &str = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n";

fn base(leaf: &Leaf) -> OnRoute {
    Run::inside().direct(true).resolved("203.0.113.10").plain(WS, leaf, STRIPPED, BAD)
}

/// Upgrades that get these answers in turn, a second and more apart from the third on.
fn in_turn(route: OnRoute, leaf: &Leaf, answers: &[(&str, &str)]) -> Bundle {
    at(route, leaf, &answers.iter().map(|(head, body)| (1.2, *head, *body)).collect::<Vec<_>>())
}

/// Upgrades that get these answers, each so many seconds after the one before.
fn at(route: OnRoute, leaf: &Leaf, answers: &[(f64, &str, &str)]) -> Bundle {
    let mut route = route;
    for (_, head, body) in answers {
        route = route.upgrade(WS, leaf, head, body);
    }
    let mut bundle = route.pages(leaf, "").asked_once();
    let is_one = |o: &&wss_bundle::Observation| {
        matches!(o.step, Step::Upgrade(_)) && o.probe == probe::UPGRADE
    };
    let before = bundle.observations.observations.iter().filter(is_one).count() - answers.len();
    let waits = answers.iter().map(|(wait, ..)| wait * 1000.0);
    let mut waits = std::iter::repeat_n(1200.0, before).chain(waits);
    let mut now = 1000.0;
    for o in &mut bundle.observations.observations {
        if matches!(o.step, Step::Upgrade(_)) && o.probe == probe::UPGRADE {
            now += waits.next().unwrap_or(1200.0);
            o.start_ms = now;
        }
    }
    bundle
}

/// Those that begin together, and end so many seconds after.
fn cut_at(leaf: &Leaf, silent: f64, chatty: f64) -> Bundle {
    let fin = |s| Cut::At(s, EndedBy::Fin, Some(true));
    healthy(Run::inside().direct(true), leaf).hold(leaf, 75.0, fin(silent), fin(chatty)).done()
}

const NO_SERVER: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 107\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\n";

/// One more upgrade beside a healthy one is refused, and then come these, each alone.
fn full(leaf: &Leaf, alone: &[(&str, &str)]) -> Bundle {
    let alone = alone.iter().map(|(head, body)| (1.2, *head, *body));
    let all: Vec<_> = std::iter::once((0.0, NO_SERVER, "")).chain(alone).collect();
    at(healthy(Run::inside().direct(true), leaf), leaf, &all)
}

pub(crate) fn cases() -> Vec<Case> {
    use Confidence::{Low, Medium};
    let good = Leaf::good();
    let (ok, dead, shell) = ((SWITCHED, ""), (BAD_GATEWAY, ""), (SHELL_OK, SHELL));
    let (limit, many) = ((LIMIT, LIMIT_BODY), (TOO_MANY, ""));
    let differ = ("unstable", "backends-differ", "server-side", Medium);
    let mut out = Vec::new();
    let mut case = |name, bundle, expect| out.push(Case { name, bundles: vec![bundle], expect });
    case("101 and 502 in turn", in_turn(base(&good), &good, &[ok, dead, ok, dead, ok]), differ);
    case("101 and the shell in turn", in_turn(base(&good), &good, &[shell, ok, shell, ok]), differ);
    case(
        "one 502 among 101",
        in_turn(base(&good), &good, &[ok, ok, dead, ok, ok]),
        ("unstable", "backends-differ", "server-side", Low),
    );
    case(
        "101, and 502 from then on",
        in_turn(base(&good), &good, &[ok, ok, ok, dead, dead, dead]),
        ("unstable", "insufficient", "undetermined", Low),
    );
    case(
        "429 to all that are spaced",
        in_turn(base(&good), &good, &[many, many, many]),
        ("broken", "rate-limited", "server-side", Medium),
    );
    let shut = Run::inside().direct(true).resolved("203.0.113.10");
    case(
        "503 of nginx' own to a path however it is asked for, and pages pass",
        in_turn(shut.plain(WS, &good, LIMIT, LIMIT_BODY), &good, &[limit, limit, limit]),
        ("broken", "insufficient", "server-side", Low),
    );
    case(
        "a limit lets one pass, and refuses those that are spaced",
        in_turn(base(&good), &good, &[ok, limit, limit, limit]),
        ("unstable", "rate-limited", "server-side", Medium),
    );
    let waited = |last: (&'static str, &'static str)| {
        let (soon, (head, body)) = ((1.2, TOO_MANY, ""), last);
        at(
            healthy(Run::inside().direct(true), &good),
            &good,
            &[soon, soon, soon, (5.2, head, body)],
        )
    };
    case("a window that is waited out", waited(ok), ("working", "none", "none", Medium));
    case(
        "a limit that refuses after a wait, too",
        waited(many),
        ("unstable", "rate-limited", "server-side", Medium),
    );
    case(
        "refused beside others, and passed six times alone",
        full(&good, &[ok; 6]),
        ("working", "none", "none", Medium),
    );
    case(
        "refused beside others, and once alone",
        full(&good, &[ok, ok, ok, (NO_SERVER, ""), ok, ok]),
        differ,
    );
    case(
        "a limit refuses what comes in one moment, and lets spaced ones pass",
        opamp(healthy(Run::inside().direct(true), &good), &good)
            .upgrade(WS, &good, LIMIT, LIMIT_BODY)
            .browser(WS, &good, LIMIT, LIMIT_BODY)
            .asked_once(),
        ("working", "none", "none", Medium),
    );
    case(
        "begun 2 s apart, cut in the same moment",
        cut_at(&good, 12.0, 10.0),
        ("unstable", "insufficient", "undetermined", Medium),
    );
    let mut turns = Vec::new();
    for (at, dead) in [false, true, false].into_iter().enumerate() {
        let bundle = match dead {
            true => in_turn(base(&good), &good, &[(BAD_GATEWAY, ""); 3]),
            false => healthy(Run::inside().direct(true), &good).done(),
        };
        turns.push(minutes_later(bundle, at as i64 * 3));
    }
    case(
        "the one that pings is cut, a silent one is not",
        healthy(Run::inside().direct(true), &good)
            .hold(&good, 75.0, Cut::Never, Cut::At(20.0, EndedBy::Fin, Some(true)))
            .done(),
        ("unstable", "insufficient", "undetermined", Low),
    );
    out.push(Case { name: "three runs to and fro", bundles: turns, expect: differ });
    let fixed = vec![
        in_turn(base(&good), &good, &[(BAD_GATEWAY, ""); 3]),
        minutes_later(healthy(Run::inside().direct(true), &good).done(), 4),
    ];
    let works = ("working", "none", "none", Medium);
    out.push(Case { name: "two runs that disagree", bundles: fixed, expect: works });
    out
}

/// The same case, some minutes later, as another bundle.
fn minutes_later(mut bundle: Bundle, minutes: i64) -> Bundle {
    let manifest = &mut bundle.manifest;
    manifest.started_at += chrono::Duration::minutes(minutes);
    manifest.id = format!("{:08x}{}", minutes + 0x4000_0000, &manifest.id[8..]);
    bundle
}

/// Runs that disagree within minutes are no change: the verdict is less sure, and says
/// how often which answer came; to and fro, they show several servers.
#[test]
fn runs_that_disagree_within_minutes_are_a_contradiction() {
    let good = Leaf::good();
    let works =
        healthy(Run::inside().direct(true), &good).hold(&good, 75.0, Cut::Never, Cut::Never).done();
    let dead = in_turn(base(&good), &good, &[(BAD_GATEWAY, ""); 3]);
    let rules = |bundles: &[Bundle]| {
        let diagnosis = diagnose(bundles);
        let rules: Vec<&str> = diagnosis.findings.iter().map(|f| f.rule).collect();
        (diagnosis.verdict, rules.contains(&"runs-disagree"), rules.contains(&"changed-since"))
    };
    let (verdict, disagree, changed) = rules(&[dead.clone(), minutes_later(works.clone(), 4)]);
    assert_eq!(verdict.confidence, Confidence::Medium);
    assert!(verdict.summary.contains("of 2: 1 × 502, 1 × 101"), "{}", verdict.summary);
    assert!(disagree && !changed);
    let (verdict, disagree, changed) = rules(&[dead.clone(), minutes_later(works.clone(), 60)]);
    assert_eq!(verdict.confidence, Confidence::High);
    assert!(!disagree && changed, "an hour is enough to mend it");
    let to_and_fro = [works.clone(), minutes_later(dead, 3), minutes_later(works, 6)];
    let (verdict, ..) = rules(&to_and_fro);
    assert_eq!(verdict.cause.slug(), "backends-differ");
    assert!(
        verdict.summary.contains("of 3 runs minutes apart: 2 × 101, 1 × 502"),
        "{}",
        verdict.summary
    );
}

/// Whatever is said of contradicting answers, it is how often each came, and no
/// difference between single probes.
#[test]
fn contradictions_are_counted_and_no_twin_is_believed() {
    let good = Leaf::good();
    let answers = [(SWITCHED, ""), (SHELL_OK, SHELL), (SWITCHED, ""), (SHELL_OK, SHELL)];
    let base = base(&good).browser(WS, &good, SHELL_OK, SHELL).h2_connect(WS, Ok(BAD_GATEWAY));
    let diagnosis = diagnose(&[in_turn(base, &good, &answers)]);
    let summary = &diagnosis.verdict.summary;
    assert!(
        summary.contains("of 4 upgrades of /v1/ws 2 were answered with 101, 2 with 200"),
        "{summary}"
    );
    let said = serde_json::to_string(&diagnosis).unwrap();
    for never in ["Origin", "is announced and", "offers compression"] {
        assert!(!said.contains(never), "{never}: {said}");
    }
}

/// A hold that is opened as browsers open theirs is one more answer to what they ask;
/// those of older bundles are answers to what curl asks.
#[test]
fn a_hold_is_an_answer_to_the_question_that_it_asked() {
    let good = Leaf::good();
    let browsers = "GET /v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nPragma: no-cache\r\n\
                    Cache-Control: no-cache\r\nUser-Agent: Mozilla/5.0\r\nUpgrade: websocket\r\n\
                    Origin: https://x\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let curls = "GET /v1/ws HTTP/1.1\r\nHost: x\r\nUser-Agent: wss-collector/1\r\nAccept: */*\r\n\
                 Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let held = |request: &str, refused: bool| {
        let mut bundle = healthy(Run::inside().direct(true), &good)
            .hold(&good, 75.0, Cut::Never, Cut::Never)
            .one_hold(probe::HOLD_RUNG, &good, 10.0, Cut::Never)
            .one_hold(probe::HOLD_RUNG, &good, 24.0, Cut::Never)
            .done();
        let all = bundle.observations.observations.iter_mut();
        let mut last = None;
        for o in all.filter(|o| o.probe.starts_with("hold-")) {
            if let Step::Upgrade(upgrade) = &mut o.step {
                upgrade.request = request.into();
                last = Some(upgrade);
            }
        }
        if refused && let Some(wss_bundle::Outcome::Ok(reply)) = last.map(|one| &mut one.result) {
            reply.head = wss_bundle::ResponseHead::new("HTTP/1.1 403 Forbidden\r\n\r\n");
        }
        diagnose(&[bundle]).verdict
    };
    for request in [browsers, curls] {
        let verdict = held(request, false);
        assert_eq!((verdict.cause.slug(), verdict.confidence), ("none", Confidence::High));
    }
    for (request, noun) in [(browsers, "upgrades as browsers send them"), (curls, "upgrades of")] {
        let verdict = held(request, true);
        assert_eq!(verdict.cause.slug(), "backends-differ", "{}", verdict.summary);
        assert!(verdict.summary.contains(noun), "{}", verdict.summary);
    }
}

/// A box that forgets in silence gives a bracket, never the tool's own time.
#[test]
fn silence_is_bracketed() {
    let good = Leaf::good();
    let forgotten = |planned: f64| Cut::At(planned + 10.0, EndedBy::Silence, None);
    let bundle = healthy(Run::inside().direct(true), &good)
        .one_hold(probe::HOLD_SILENT, &good, 20.0, forgotten(20.0))
        .one_hold(probe::HOLD_RUNG, &good, 10.0, forgotten(10.0))
        .one_hold(probe::HOLD_RUNG, &good, 5.0, Cut::Never)
        .one_hold(probe::HOLD_CHATTY, &good, 20.0, Cut::Never)
        .done();
    let diagnosis = diagnose(&[bundle]);
    let idle = diagnosis.idle.unwrap();
    assert_eq!((idle.alive_s, idle.cut_after_s), (Some(5.0), Some(10.0)));
    assert_eq!((idle.cut_by, idle.keepalive_survives), (Some("silence"), Some(true)));
    let summary = &diagnosis.verdict.summary;
    assert!(summary.contains("between 5 and 10 s"), "{summary}");
    assert_eq!(diagnosis.verdict.location, wss_diagnosis::Location::Undetermined);
}
