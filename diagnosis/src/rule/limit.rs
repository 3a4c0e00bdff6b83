//! What is to be said of a limit: whether it meets a browser, or met the collector alone,
//! is [`Limit`]'s to tell.

use super::{Answer, Check, Draft, Rule, capitalised, claim};
use crate::evidence::answers::{Limit, LimitMet, Refuses};
use crate::evidence::{Author, Evidence, Reply, ReplyKind, RouteView};
use crate::model::NextStep;
use crate::model::{Cause, Confidence, DeviceRole, Location, Severity, Status};
use crate::remedy;
use crate::suggest::run_again;

pub(super) const RATE_LIMITED: Rule = Rule {
    id: "rate-limited",
    title: "A limit refuses handshakes",
    looks_for: "429, or a limiter's own 503, to handshakes that are spaced as a browser's are, and to \
                one that was asked long after the last",
    why: "one browser opens one or two sockets; a limit that refuses even these is too tight, or \
          counts everybody behind one address as one. Asked a second or two after a dozen others, a \
          handshake still falls into the window that these filled",
    remedy: "raise the limit for the WebSocket paths, or count by something else than the address",
    check: Check::Evidence(rate_limited),
};
pub(super) const OR_CLOSED: Rule = Rule {
    id: "insufficient-limit-or-closed",
    title: "A 503 that may be a limit's",
    looks_for: "a 503 of nginx' own to every handshake and to the same path without an upgrade, \
                while pages pass",
    why: "nginx answers so where a limit is full (limit_req, limit_conn), and where a location is \
          closed on purpose; with a backend down it answers 502. Its answer is the same, and where \
          none passes nothing else tells",
    remedy: "look into its error.log, or run it again after a while",
    check: Check::Evidence(or_closed),
};
pub(super) const LIMIT_HIDES: Rule = Rule {
    id: "insufficient-limit",
    title: "A limit hides what becomes of a browser's handshake",
    looks_for: "handshakes as browsers send them, of which none passed because a limit refused all, \
                while others pass",
    why: "what a limit refuses says nothing about the console, and nothing else tells",
    remedy: "run it again after a while",
    check: Check::Evidence(limit_hides),
};
pub(super) const LIMIT_MET: Rule = Rule {
    id: "limit-met",
    title: "The collector's own handshakes met a limit",
    looks_for: "429, or a limiter's own 503, to some of the handshakes, while those pass that are \
                spaced as a browser's are",
    why: "the collector opens a dozen sockets within a second, a browser one or two: what is refused \
          then says nothing about the console, and is compared with nothing",
    remedy: "none, unless many people share one address",
    check: Check::Evidence(limit_met),
};

/// What is known of the limit, for sentences.
fn whose(met: &[&Reply<'_>]) -> (String, Location) {
    let device = met.iter().find_map(|reply| reply.device_name());
    let by_proxy = met
        .iter()
        .any(|reply| matches!(reply.author, Author::Device { role: DeviceRole::ForwardProxy, .. }));
    let location = if by_proxy { Location::ClientNetwork } else { Location::ServerSide };
    (device.unwrap_or_else(|| "Something on the way".to_owned()), location)
}

fn rate_limited(e: &Evidence<'_>) -> Answer {
    let Some((_, route, path)) = e.deciding() else { return Answer::NotApplicable };
    match route.limit(path) {
        Limit::MeetsBrowsers(refuses) => meets_browsers(e, &refuses),
        _ => Answer::Pass,
    }
}

fn meets_browsers(e: &Evidence<'_>, refuses: &Refuses<'_, '_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let Refuses { met, refused, passed, generous } = refuses;
    let Some(first) = met.first() else { return Answer::Pass };
    let (who, location) = whose(met);
    let of = refused + passed;
    let what = format!(
        "of {of} handshakes that were a second or more apart, {refused} were refused with {}",
        first.status
    );
    let some = route.replies().any(|reply| {
        reply.kind == ReplyKind::Switched && reply.observation.path.as_deref() == Some(path)
    });
    let finding = Draft::new(
        Severity::Error,
        "A limit refuses handshakes that are spaced as a browser's",
        focus,
        first.observation,
        first.line(),
    )
    .text(format!(
        "{}. One browser that opens one socket, or opens it again after a while, meets it as well.",
        capitalised(&what)
    ))
    .remedy(remedy::limit(e))
    .done();
    let mut claim = claim(
        Cause::RateLimited,
        if some { Status::Unstable } else { Status::Broken },
        location,
        if *generous { Confidence::Low } else { Confidence::Medium },
        format!("{who} refuses handshakes by a limit: {what}."),
        finding,
    );
    if *generous {
        claim.rivals.push((
            Cause::None,
            Confidence::Low,
            "at first more passed than one browser opens: alone behind its address it may never meet \
             the limit, whose window is longer than was waited"
                .into(),
        ));
    }
    claim.missing.push(run_again(e, NextStep::Again, ""));
    Answer::Fail(Box::new(claim))
}

fn or_closed(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let Limit::OrClosed(reply) = route.limit(path) else { return Answer::Pass };
    let who = reply.device_name().unwrap_or_else(|| "The load balancer".to_owned());
    let finding = Draft::new(Severity::Error,
        "A limit, or closed on purpose",
        focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "{who} answers {} of its own to {path}, with upgrade headers and without, and pages pass. So \
         it answers where a limit is full (limit_req, limit_conn: its error.log says `limiting`), and \
         where a location is closed (`return 503`, maintenance). With a backend down it answers 502; \
         only ingress-nginx answers so for a service without endpoints.",
        reply.status
    ))
    .remedy(remedy::gateway(e, Cause::NoHealthyBackend, reply.said))
    .done();
    let mut claim = claim(
        Cause::Insufficient,
        Status::Broken,
        Location::ServerSide,
        Confidence::Low,
        format!(
            "{who} answers {} of its own to {path}, while pages pass: a limit that was full all the \
             time, or a path that is closed on purpose. Which of the two cannot be told.",
            reply.status
        ),
        finding,
    );
    for (cause, why_not) in [
        (
            Cause::RateLimited,
            "none passed, also after a wait: a limit would let one pass in the end",
        ),
        (Cause::NoHealthyBackend, "it does not say why it answers 503"),
    ] {
        claim.rivals.push((cause, Confidence::Low, why_not.into()));
    }
    claim.missing.push(run_again(e, NextStep::Again, ""));
    Answer::Fail(Box::new(claim))
}

fn limit_hides(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let Limit::Hides(_, refused) = route.limit(path) else { return Answer::Pass };
    let finding = Draft::new(
        Severity::Warning,
        "A limit refused the handshake as browsers make it",
        focus,
        refused.observation,
        refused.line(),
    )
    .text(
        "As curl sends it, the upgrade works; as browsers send it, it was refused by a limit each \
         time, so what becomes of it is not known.",
    )
    .done();
    let mut claim = claim(
        Cause::Insufficient,
        Status::Unknown,
        Location::Undetermined,
        Confidence::Low,
        "The upgrade works as curl sends it; as browsers send it, a limit refused it, so that cannot \
         be told.",
        finding,
    );
    claim.missing.push(run_again(e, NextStep::Again, ""));
    Answer::Fail(Box::new(claim))
}

fn limit_met(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let limit = route.limit(path);
    let Some(LimitMet { refused, of, at_a_time }) = limit.beside_others() else {
        return Answer::Pass;
    };
    let Some(first) = refused.first() else { return Answer::Pass };
    let replies: Vec<&Reply<'_>> = refused.iter().filter_map(|one| one.reply).collect();
    let (who, _) = whose(&replies);
    let counts = format!("{} of {of} handshakes", refused.len());
    let did = match replies.first() {
        Some(reply) => format!("{who} answered {counts} with {}", reply.status),
        None => format!("{who} ended {counts} without an answer"),
    };
    let (title, text) = match at_a_time {
        true => ("The collector's own handshakes were too many at a time", full(&did)),
        false => ("The collector's own handshakes met a rate limit", burst(route, &did)),
    };
    let observation = first.observation;
    let line = first.reply.map_or_else(|| "ended without an answer".to_owned(), |r| r.line());
    let draft = Draft::new(Severity::Warning, title, focus, observation, line);
    Answer::Note(vec![draft.text(text).done()])
}

/// What a limit on how much is open at a time did.
fn full(did: &str) -> String {
    format!(
        "{did}, all of them while others of the collector's were open or under way; each that was \
         asked alone passed. So it takes only so many at a time, and what is more is refused, at once \
         or after a wait (HAProxy: maxconn on the server line, and timeout queue; nginx: max_conns; \
         Envoy: circuit_breakers; Apache: max= of ProxyPass; Varnish: max_connections). \
         Every WebSocket takes one of these places for as long as it is open: several browsers at \
         once may meet it, one does not."
    )
}

/// What a limit on how much comes in a while did.
fn burst(route: &RouteView<'_>, did: &str) -> String {
    let (_, passed) = route.spaced_fared();
    let passed = match route.passed_after_the_window() {
        Some(true) => ", also the one that was asked alone after a while",
        None if passed > 0 => ", also those that were a second or more apart",
        _ => "",
    };
    format!(
        "{did}, and let others pass{passed}: a limit on handshakes or connections for each address (nginx: limit_req, limit_conn; HAProxy: \
         a stick-table; Envoy: local_rate_limit; Traefik: rateLimit). The collector opens more at a \
         time than a browser does; what was refused is compared with nothing. Where many people \
         share one address, they may meet it too."
    )
}
