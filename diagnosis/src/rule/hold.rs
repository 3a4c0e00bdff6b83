//! Connections that are cut after a while: by silence, or by age.

use super::{Answer, Draft, Rule, claim, run_again, run_outside};
use crate::evidence::Evidence;
use crate::idle::cut;
use crate::model::{Cause, Confidence, Location, Severity, Status};
use crate::remedy;
use wss_bundle::observation::{EndedBy, probe};

pub(super) const IDLE_TIMEOUT: Rule = Rule {
    id: "idle-timeout",
    title: "Cut after a silence",
    looks_for: "a silent connection that is cut, while one that pings every few seconds stays up",
    why: "the console's socket may be silent for long; intermediaries close idle connections \
          (nginx and AWS ALB after 60 s, by default)",
    remedy: "raise the idle timeout to 3600 s",
    check: idle_timeout,
};
pub(super) const LIFETIME_LIMIT: Rule = Rule {
    id: "lifetime-limit",
    title: "Cut after a fixed time, whatever the activity",
    looks_for: "a silent and a pinging connection that are cut at the same age",
    why: "GCP's backend timeout and Azure Application Gateway's request timeout count from the \
          start, not from the last byte",
    remedy: "raise the limit to 3600 s",
    check: lifetime_limit,
};

/// Two cuts at the same age: within 15 %, and a second at least.
pub(crate) fn same_age(a: f64, b: f64) -> bool {
    (a - b).abs() <= (a.max(b) * 0.15).max(1.0)
}

fn known_defaults(seconds: f64) -> String {
    let known = crate::signature::idle_defaults(seconds);
    if known.is_empty() {
        return String::new();
    }
    let list: Vec<String> = known
        .iter()
        .take(4)
        .map(|(name, s, setting)| format!("{name} {s} s ({setting})"))
        .collect();
    format!(" It matches a known default: {}.", list.join("; "))
}

/// Whose a cut is: with a trusted TLS session that was closed in order
/// (close_notify), it was the TLS terminator; FIN alone was somebody who does
/// not own the session (facts: lab, point 5).
fn location(e: &Evidence<'_>) -> (Location, Confidence, String) {
    let Some((focus, route, _)) = e.deciding() else {
        return (Location::Undetermined, Confidence::Low, String::new());
    };
    let own = route.hold(probe::HOLD_SILENT);
    if let Some(theirs) =
        e.twin().and_then(|t| t.selected()).and_then(|r| r.hold(probe::HOLD_SILENT))
    {
        let cut_outside = theirs.2.ending.how != EndedBy::StillOpen;
        let comparable = own.is_some_and(|o| theirs.1.planned_ms >= o.2.held_ms);
        if comparable && !cut_outside {
            return (
                Location::ClientNetwork,
                Confidence::High,
                " From outside, the same silence is survived.".into(),
            );
        }
        if cut_outside && own.is_some_and(|o| same_age(theirs.2.held_ms / 1e3, o.2.held_ms / 1e3)) {
            return (
                Location::ServerSide,
                Confidence::High,
                " From outside it is cut at the same age.".into(),
            );
        }
    }
    // The direct way is held beside a proxy, as its twin.
    let direct_hold =
        (!route.route.id.is_direct()).then(|| focus.direct()?.hold(probe::HOLD_SILENT)).flatten();
    if let (Some((_, _, own)), Some((_, planned, theirs))) = (own, direct_hold) {
        if theirs.ending.how == EndedBy::StillOpen && planned.planned_ms > own.held_ms * 1.15 {
            return (
                Location::ClientNetwork,
                Confidence::High,
                " The direct way, without the proxy, survives the same silence.".into(),
            );
        }
        if theirs.ending.how != EndedBy::StillOpen
            && same_age(theirs.held_ms / 1e3, own.held_ms / 1e3)
        {
            return (
                Location::ServerSide,
                Confidence::High,
                " The direct way, without the proxy, is cut at the same age.".into(),
            );
        }
    }
    let close_notify = own.and_then(|(_, _, held)| held.ending.close_notify);
    let direct = route.route.id.is_direct();
    // Whoever opens TLS on this side ends its sessions in order, too.
    if let Some(name) = super::blame::interceptor(e, route) {
        let why = format!(" TLS is opened on this side, by {name}, and the session was its own.");
        return (Location::ClientNetwork, Confidence::Medium, why);
    }
    match (close_notify, direct) {
        (Some(true), false) if route.trusted() == Some(true) => (
            Location::ServerSide,
            Confidence::Medium,
            " The TLS session was closed in order (close_notify), so it was whoever terminates \
             TLS, and nothing shows that the proxy does."
                .into(),
        ),
        (Some(true), true) if route.trusted() == Some(true) => (
            Location::ServerSide,
            Confidence::High,
            " The TLS session was closed in order (close_notify), so it was whoever terminates TLS."
                .into(),
        ),
        (Some(false), false) => (
            Location::Undetermined,
            Confidence::Medium,
            " The end came without close_notify: a hop that does not own the TLS session, the proxy \
             or a balancer of TCP connections before the server."
                .into(),
        ),
        (_, true) => (Location::ServerSide, Confidence::Medium, String::new()),
        _ => (Location::Undetermined, Confidence::Medium, String::new()),
    }
}

fn idle_timeout(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let Some((o, _, silent)) = route.hold(probe::HOLD_SILENT) else {
        return Answer::NotApplicable;
    };
    let Some(seconds) = cut(silent) else { return Answer::Pass };
    let chatty = route.hold(probe::HOLD_CHATTY);
    let survives = match chatty {
        Some((_, _, held)) => match cut(held) {
            Some(s) if same_age(s, seconds) => return Answer::Pass,
            Some(s) => s > seconds,
            None => true,
        },
        None => false,
    };
    let (location, confidence, also) = location(e);
    let confidence = if survives { confidence } else { Confidence::Medium };
    let mut draft = Draft::new(
        "idle-timeout",
        Severity::Error,
        format!("A silent connection is cut after {seconds:.1} s"),
        focus,
        o,
        format!("cut after {seconds:.1} s"),
    )
    .text(format!(
        "The silent connection was cut after {seconds:.1} s{}. The console's socket is silent \
         for longer than that, and needs 3600 s.{}{also}",
        if survives { ", while the one that pings stayed up" } else { "" },
        known_defaults(seconds)
    ))
    .remedy(remedy::timeout(e, seconds));
    if let Some((co, _, held)) = chatty {
        draft = draft.also(Some(
            focus.cite(co, format!("chatty: {:.1} s, {} Pongs", held.held_ms / 1e3, held.pongs)),
        ));
    }
    let mut claim = claim(
        Cause::IdleTimeout,
        Status::Unstable,
        location,
        confidence,
        format!(
            "It works, and is cut after {seconds:.0} s of silence{}.",
            if survives { "; activity keeps it up" } else { "" }
        ),
        draft.done(),
    );
    if !survives {
        claim.rivals.push((
            Cause::LifetimeLimit,
            Confidence::Low,
            "no chatty connection was held beside the silent one".into(),
        ));
        claim.missing.push(run_again(e, "--hold 75s"));
    }
    if location == Location::Undetermined && !route.route.id.is_direct() {
        claim.missing.push(run_again(e, "--noproxy '*' --hold 75s"));
    }
    if e.twin().is_none() {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}

fn lifetime_limit(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let (Some((o, _, silent)), Some((co, _, chatty))) =
        (route.hold(probe::HOLD_SILENT), route.hold(probe::HOLD_CHATTY))
    else {
        return Answer::NotApplicable;
    };
    let (Some(a), Some(b)) = (cut(silent), cut(chatty)) else { return Answer::Pass };
    if !same_age(a, b) {
        return Answer::Pass;
    }
    let (location, confidence, also) = location(e);
    let finding = Draft::new(
        "lifetime-limit",
        Severity::Error,
        format!("Connections are cut after {b:.1} s, whatever the activity"),
        focus,
        co,
        format!("chatty: cut after {b:.1} s in spite of {} Pongs", chatty.pongs),
    )
    .text(format!(
        "The silent connection was cut after {a:.1} s and the one that pings after {b:.1} s: it is \
         the age that counts, not the silence.{}{also}",
        known_defaults(b)
    ))
    .also(Some(focus.cite(o, format!("silent: cut after {a:.1} s"))))
    .remedy(remedy::timeout(e, b))
    .done();
    let mut claim = claim(
        Cause::LifetimeLimit,
        Status::Unstable,
        location,
        confidence,
        format!("It works, and every connection is cut after {b:.0} s whatever the activity."),
        finding,
    );
    if e.twin().is_none() {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}
