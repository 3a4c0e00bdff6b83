//! Which bundles are compared, which are not and why, and what changed between
//! two runs.

use crate::cases::{healthy, stripped};
use crate::fixture::*;
use wss_bundle::{Bundle, FailureKind};
use wss_diagnosis::{Cause, Confidence, Diagnosis, Finding, diagnose};

const NGINX: &str = "Server: nginx/1.22.1\r\n";

fn finding<'a>(diagnosis: &'a Diagnosis, rule: &str) -> Option<&'a Finding> {
    diagnosis.findings.iter().find(|finding| finding.rule == rule)
}

fn broken(run: Run) -> Bundle {
    stripped(run.direct(true), &Leaf::good(), STRIPPED_NGINX, NGINX).done()
}

fn works(run: Run) -> Bundle {
    healthy(run.direct(true), &Leaf::good()).done()
}

/// The verdict rests on the pair when it is told of the other side.
fn twin(diagnosis: &Diagnosis) -> Option<&str> {
    diagnosis.compared.twin.as_deref()
}

#[test]
fn of_one_case_or_of_one_day() {
    let paired = [
        (Run::outside(), true),
        (Run::outside().later(20).case("OTHER"), true),
        (Run::outside().later(30).case("OTHER"), false),
        (Run::outside().later(30), true),
        (Run::outside().host("other.example"), false),
        (Run::outside().paths(&["/elsewhere"]), false),
    ];
    for (at, (outside, together)) in paired.into_iter().enumerate() {
        let outside = works(outside);
        let diagnosis = diagnose(&[broken(Run::inside()), outside.clone()]);
        let expected = together.then_some(outside.manifest.id.as_str());
        assert_eq!(twin(&diagnosis), expected, "{at}");
        let said = finding(&diagnosis, "not-comparable");
        assert_eq!(said.is_none(), together, "{at}: {said:?}");
        if let Some(said) = said {
            assert_eq!(said.evidence.first.bundle, outside.manifest.id, "{at}");
        }
    }
}

#[test]
fn the_nearest_in_time_of_the_case_is_the_twin() {
    let far = works(Run::outside());
    let near = works(Run::outside().later(3));
    let other = works(Run::outside().later(4).case("OTHER"));
    let own = broken(Run::inside().later(4));
    let bundles = [far, near.clone(), other, own];
    assert_eq!(twin(&diagnose(&bundles)), Some(near.manifest.id.as_str()));
}

#[test]
fn another_request_is_no_twin() {
    let mut inside = broken(Run::inside());
    for observation in &mut inside.observations.observations {
        if let wss_bundle::Step::Upgrade(upgrade) = &mut observation.step {
            let head = upgrade.request.text().replace("\r\n\r\n", "\r\nCookie: [removed]\r\n\r\n");
            upgrade.request = head.as_str().into();
        }
    }
    let diagnosis = diagnose(&[inside, works(Run::outside())]);
    assert_eq!(twin(&diagnosis), None);
    let said = &finding(&diagnosis, "not-comparable").unwrap().text;
    assert!(said.contains("only the request from inside had the header \"cookie\""), "{said}");
    // What is left is one vantage, and what its answers show.
    assert_eq!(diagnosis.verdict.cause, Cause::LbStripsUpgrade);
}

#[test]
fn another_server_is_good_for_names_alone() {
    let route = Run::inside().direct(true).resolved("10.4.4.4").no_tcp(FailureKind::TimedOut);
    let outside = healthy(Run::outside().direct(true), &Leaf::other_good()).done();
    let diagnosis = diagnose(&[route.done(), outside]);
    assert_eq!(diagnosis.verdict.cause, Cause::DnsSplit);
    assert_eq!(twin(&diagnosis), None);
    let said = &finding(&diagnosis, "not-comparable").unwrap().text;
    assert!(said.contains("10.4.4.4") && said.contains("203.0.113.10"), "{said}");
}

#[test]
fn far_apart_is_said_and_is_never_of_high_confidence() {
    let bundles = |hours| {
        [
            stripped(
                Run::inside().direct(false).no_tcp(FailureKind::TimedOut).then().proxy(true),
                &Leaf::corporate(),
                STRIPPED,
                "",
            )
            .done(),
            works(Run::outside().later(hours)),
        ]
    };
    let near = diagnose(&bundles(2));
    assert_eq!(near.verdict.confidence, Confidence::High);
    assert!(finding(&near, "collected-apart").is_none());
    let far = diagnose(&bundles(100));
    assert_eq!(far.verdict.cause, near.verdict.cause);
    assert_eq!(far.verdict.confidence, Confidence::Medium);
    let said = finding(&far, "collected-apart").unwrap();
    assert!(said.title.contains("4 days"), "{}", said.title);
    // The older one, from inside, is what should be collected again.
    assert!(far.verdict.missing.iter().any(|m| m.command.contains("--vantage inside")), "{far:?}");
}

#[test]
fn before_and_after_are_told_layer_by_layer() {
    let diagnosis = diagnose(&[broken(Run::inside()), works(Run::inside().later(5))]);
    assert_eq!(diagnosis.verdict.cause, Cause::None);
    let changes = diagnosis.changes.as_ref().unwrap();
    assert_eq!(changes.verdict_before.cause, Cause::LbStripsUpgrade);
    let changed: Vec<String> =
        changes.layers.iter().filter(|c| c.changed).map(|c| c.layer.to_string()).collect();
    assert_eq!(changed, ["upgrade", "frames"]);
    let said = finding(&diagnosis, "changed-since").unwrap();
    assert!(said.text.contains("the verdict was broken (lb-strips-upgrade)"), "{}", said.text);
    assert!(said.text.contains("upgrade: was fail (HTTP/1.1 400 Bad Request), is pass"));
    assert_eq!(said.evidence.iter().count(), 2);

    // Nothing of it in a case without a before.
    let alone = diagnose(&[works(Run::inside()), works(Run::outside().later(5))]);
    assert_eq!(alone.changes, None);
}

#[test]
fn the_same_twice_is_no_change() {
    let held = |run: Run, s: f64| {
        let cut = Cut::At(s, wss_bundle::observation::EndedBy::Fin, None);
        healthy(run.direct(true), &Leaf::good()).hold(&Leaf::good(), 75.0, cut, Cut::Never).done()
    };
    let same = diagnose(&[held(Run::inside(), 60.0), held(Run::inside().later(1), 60.4)]);
    let said = finding(&same, "changed-since").unwrap();
    assert!(said.text.ends_with("No layer's outcome changed."), "{}", said.text);
    let raised = diagnose(&[held(Run::inside(), 30.0), held(Run::inside().later(1), 60.4)]);
    let said = finding(&raised, "changed-since").unwrap();
    assert!(said.text.contains("hold: was fail (cut after 30.0 s"), "{}", said.text);
}

#[test]
fn the_fault_behind_the_first_is_told() {
    let blocked = |run: Run| {
        let route = run.direct(true).resolved("203.0.113.10");
        route.no_tls(FailureKind::ConnectionReset).done()
    };
    let diagnosis = diagnose(&[blocked(Run::inside()), broken(Run::outside())]);
    assert_eq!(diagnosis.verdict.cause, Cause::TlsFailure);
    let said = finding(&diagnosis, "second-fault").unwrap();
    assert!(said.text.contains("does not forward the upgrade headers"), "{}", said.text);
    assert_eq!(said.evidence.first.bundle, Run::outside().done().manifest.id);

    // One fault seen from two sides is one.
    let same = diagnose(&[broken(Run::inside()), broken(Run::outside())]);
    assert!(finding(&same, "second-fault").is_none());
    let well = diagnose(&[blocked(Run::inside()), works(Run::outside())]);
    assert!(finding(&well, "second-fault").is_none());
}

#[test]
fn commands_to_run_again_keep_case_side_and_path() {
    let missing = |run: Run| {
        diagnose(&[works(run)])
            .verdict
            .missing
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let inside = missing(Run::inside());
    assert!(
        inside.contains("wss-collector --case K7QF-2M9D --hold 75s https://bindplane.corp.example"),
        "{inside}"
    );
    let outside = missing(Run::outside().paths(&[WS]));
    assert!(
        outside.contains(
            "--vantage outside --case K7QF-2M9D --hold 75s https://bindplane.corp.example/v1/ws"
        ),
        "{outside}"
    );
}
