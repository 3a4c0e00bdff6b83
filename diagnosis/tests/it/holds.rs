//! What held connections tell: brackets, what keeps one up, and whose a cut is.

use crate::fixture::{Cut, Leaf, OnRoute, Run};
use wss_bundle::observation::{EndedBy, probe};
use wss_diagnosis::{Cause, Diagnosis, Location, Status, diagnose};

fn healthy(route: OnRoute, leaf: &Leaf) -> OnRoute {
    route.works(crate::fixture::WS, leaf).pages(leaf, "")
}

/// Nobody ended it: no answer came to the Ping at the end.
fn forgotten(planned: f64) -> Cut {
    Cut::At(planned + 10.0, EndedBy::Silence, None)
}

/// The first byte after so long was answered with a reset.
fn reset_when_asked(planned: f64) -> Cut {
    Cut::At(planned + 0.01, EndedBy::Reset, None)
}

fn held(run: Run, all: &[(&str, f64, Cut)]) -> wss_bundle::Bundle {
    let good = Leaf::good();
    let route = healthy(run.direct(true), &good);
    let route = all
        .iter()
        .fold(route, |route, (name, planned, cut)| route.one_hold(name, &good, *planned, *cut));
    route.done()
}

fn inside(all: &[(&str, f64, Cut)]) -> Diagnosis {
    diagnose(&[held(Run::inside(), all)])
}

fn text(diagnosis: &Diagnosis) -> String {
    let finding = &diagnosis.findings[0];
    let steps = finding.remedy.as_ref().map(|cure| cure.steps.join(" ")).unwrap_or_default();
    format!("{} {} {steps}", finding.title, finding.text)
}

#[test]
fn a_reset_in_answer_to_the_last_ping_is_no_time_of_a_cut() {
    let said = inside(&[
        (probe::HOLD_SILENT, 75.0, reset_when_asked(75.0)),
        (probe::HOLD_RUNG, 65.0, Cut::Never),
        (probe::HOLD_CHATTY, 75.0, Cut::Never),
    ]);
    let idle = said.idle.clone().unwrap();
    assert_eq!(
        (idle.alive_s, idle.cut_after_s, idle.cut_by),
        (Some(65.0), Some(75.0), Some("silence"))
    );
    assert!(said.verdict.summary.contains("between 65 and 75 s"), "{}", said.verdict.summary);
    assert_eq!(said.verdict.location, Location::Undetermined);
}

#[test]
fn the_collectors_own_time_matches_no_default_and_those_in_the_bracket_are_named() {
    let own = inside(&[
        (probe::HOLD_SILENT, 50.0, forgotten(50.0)),
        (probe::HOLD_RUNG, 24.0, Cut::Never),
        (probe::HOLD_CHATTY, 50.0, Cut::Never),
    ]);
    let text_of_own = text(&own);
    assert!(!text_of_own.contains("known default"), "{text_of_own}");
    assert!(text_of_own.contains("between 24 and 50 s"), "{text_of_own}");
    let balancer = inside(&[
        (probe::HOLD_SILENT, 3600.0, forgotten(3600.0)),
        (probe::HOLD_RUNG, 400.0, forgotten(400.0)),
        (probe::HOLD_RUNG, 325.0, Cut::Never),
        (probe::HOLD_CHATTY, 3600.0, Cut::Never),
    ]);
    let balancer = text(&balancer);
    assert!(balancer.contains("AWS Network Load Balancer (350 s)"), "{balancer}");
    assert!(
        !balancer.contains("Azure Load Balancer and NAT gateway, 4 minutes (240 s)"),
        "{balancer}"
    );
}

#[test]
fn twins_at_the_same_age_tell_what_keeps_it_up() {
    let with = |keepalive: Cut, data: Cut| {
        inside(&[
            (probe::HOLD_SILENT, 75.0, forgotten(75.0)),
            (probe::HOLD_RUNG, 45.0, Cut::Never),
            (probe::HOLD_CHATTY, 75.0, Cut::Never),
            (probe::HOLD_KEEPALIVE, 75.0, keepalive),
            (probe::HOLD_SERVER_DATA, 75.0, data),
        ])
    };
    let below = with(Cut::Never, forgotten(75.0));
    let idle = below.idle.as_ref().unwrap();
    assert_eq!((idle.tcp_keepalive_survives, idle.server_data_survives), (Some(true), Some(false)));
    let said = text(&below);
    assert!(said.contains("(TCP keepalive) stayed up"), "{said}");
    assert!(said.contains("Data that the server alone sends did not keep one up"), "{said}");
    let above = with(forgotten(75.0), Cut::Never);
    let idle = above.idle.as_ref().unwrap();
    assert_eq!((idle.tcp_keepalive_survives, idle.server_data_survives), (Some(false), Some(true)));
    let said = text(&above);
    assert!(said.contains("TCP keepalive did not stay up either"), "{said}");
    assert!(said.contains("Only Pings or data of the application do"), "{said}");
}

#[test]
fn an_hour_is_what_the_console_needs() {
    for cut in [Cut::At(3599.99, EndedBy::Fin, Some(true)), forgotten(3600.0)] {
        let said = inside(&[
            (probe::HOLD_SILENT, 3600.0, cut),
            (probe::HOLD_RUNG, 3500.0, Cut::Never),
            (probe::HOLD_CHATTY, 3600.0, Cut::Never),
        ]);
        assert_eq!((said.verdict.status, said.verdict.cause), (Status::Working, Cause::None));
    }
}

#[test]
fn what_was_silent_for_longer_and_answered_speaks_against_a_limit() {
    let said = inside(&[
        (probe::HOLD_SILENT, 75.0, Cut::Never),
        (probe::HOLD_RUNG, 24.0, forgotten(24.0)),
        (probe::HOLD_CHATTY, 75.0, Cut::Never),
    ]);
    assert_eq!((said.verdict.status, said.verdict.cause), (Status::Unstable, Cause::Insufficient));
    assert_eq!(said.idle.as_ref().unwrap().picture, Some("unlike"));
    assert!(text(&said).contains("was silent for longer, and answered"), "{}", text(&said));
}

/// A run that was killed has the rungs that were done.
#[test]
fn a_part_of_a_ladder_has_its_bracket() {
    let said = inside(&[
        (probe::HOLD_RUNG, 10.0, Cut::Never),
        (probe::HOLD_RUNG, 24.0, Cut::Never),
        (probe::HOLD_RUNG, 45.0, forgotten(45.0)),
    ]);
    let idle = said.idle.as_ref().unwrap();
    assert_eq!((idle.alive_s, idle.cut_after_s), (Some(24.0), Some(45.0)));
    assert_eq!(said.verdict.cause, Cause::IdleTimeout);
    let open =
        inside(&[(probe::HOLD_RUNG, 10.0, Cut::Never), (probe::HOLD_RUNG, 24.0, Cut::Never)]);
    assert_eq!(open.idle.as_ref().unwrap().alive_s, Some(24.0));
    assert_eq!(open.verdict.status, Status::Working);
    assert!(open.verdict.summary.contains("after 24 s"), "{}", open.verdict.summary);
}

#[test]
fn what_outside_survives_and_inside_does_not_is_on_the_clients_side() {
    let lost = [
        (probe::HOLD_SILENT, 75.0, forgotten(75.0)),
        (probe::HOLD_RUNG, 58.0, forgotten(58.0)),
        (probe::HOLD_RUNG, 45.0, Cut::Never),
        (probe::HOLD_CHATTY, 75.0, Cut::Never),
    ];
    let lasts = [(probe::HOLD_SILENT, 75.0, Cut::Never), (probe::HOLD_CHATTY, 75.0, Cut::Never)];
    let alone = inside(&lost);
    assert_eq!(alone.verdict.location, Location::Undetermined);
    let inside = held(Run::inside(), &lost);
    let both = diagnose(&[inside.clone(), held(Run::outside(), &lasts)]);
    assert_eq!(both.verdict.location, Location::ClientNetwork);
    let alike = diagnose(&[inside, held(Run::outside(), &lost)]);
    assert_eq!(alike.verdict.location, Location::ServerSide);
}

#[test]
fn pings_that_are_cut_as_well_did_not_stay_up() {
    let said = inside(&[
        (probe::HOLD_SILENT, 75.0, Cut::At(20.0, EndedBy::Fin, Some(true))),
        (probe::HOLD_CHATTY, 75.0, Cut::At(60.0, EndedBy::Fin, Some(true))),
    ]);
    assert_eq!(said.verdict.cause, Cause::IdleTimeout);
    assert!(said.alternatives.iter().any(|rival| rival.cause == Cause::LifetimeLimit));
    let said = text(&said);
    assert!(
        said.contains("there may be a limit of age beside") && !said.contains("stayed up"),
        "{said}"
    );
}
