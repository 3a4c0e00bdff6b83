//! The handshake of a recording, sent from here header by header: where it is refused
//! and the collector's browser-like one is not, a header that differs is why.

use super::failing;
use crate::evidence::Evidence;
use crate::model::{Cause, Confidence, Location, Severity, Status};
use crate::remedy;
use crate::rule::{Answer, Check, Draft, Rule, claim};
use wss_bundle::{ResponseHead, Step};

pub(in crate::rule) const RECORDED_REFUSED: Rule = Rule {
    id: "lb-strips-upgrade-header",
    title: "One browser's handshake is refused for a header",
    looks_for: "the handshake of a recording, sent from here header by header, that is refused, while the \
                collector's browser-like one works, and Connection or Upgrade differ between the two",
    why: "Connection is a list of words (RFC 9110 section 7.6.1), and Upgrade is compared without regard to \
          case (section 7.8): Firefox before 115 sends `Connection: keep-alive, Upgrade`, and a condition \
          that wants the whole header to be `Upgrade` refuses it",
    remedy: "match the word, and not the whole header",
    check: Check::Evidence(recorded_refused),
};

fn recorded_refused(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let Some(reply) = route.recorded_reply(path) else { return Answer::NotApplicable };
    let Some(twin) = route.browser_reply(path) else { return Answer::NotApplicable };
    if reply.status == 101 {
        return Answer::Pass;
    }
    if !route.socket(path).works() || twin.status != 101 {
        return Answer::NotApplicable;
    }
    let head = |observation: &wss_bundle::Observation| match &observation.step {
        Step::Upgrade(upgrade) => Some(ResponseHead::new(upgrade.request.0.clone())),
        _ => None,
    };
    let (Some(its), Some(own)) = (head(reply.observation), head(twin.observation)) else {
        return Answer::NotApplicable;
    };
    let other = ["Connection", "Upgrade"].into_iter().find_map(|name| {
        let (a, b) = (its.header(name)?, own.header(name)?);
        (a != b).then_some((name, a, b))
    });
    let Some((name, its, own)) = other else { return Answer::NotApplicable };
    let status = reply.status;
    let seen_too = failing(focus)
        .filter(|view| view.fresh && view.fate == crate::evidence::Fate::Answered(status));
    let finding = Draft::new(Severity::Error,
        format!("The handshake with `{name}: {its}` is refused, with `{name}: {own}` it works"),
        focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "The handshake of the recording, sent from here header by header, gets {status}; the collector's \
         browser-like one, with `{name}: {own}`, gets 101. Both are right: {name} is a list of words in any \
         case (RFC 9110 sections 7.6.1 and 7.8), and some browsers send `{its}` (Firefox did for long). A \
         load balancer or server compares the whole header. The browser is not at fault."
    ))
    .also(Some(focus.cite(twin.observation, twin.line())))
    .also(seen_too.as_ref().map(|view| focus.cite_browser(view.seen, super::how(view))))
    .remedy(remedy::whole_header(e, name, &its))
    .done();
    Answer::Fail(Box::new(claim(
        Cause::LbStripsUpgrade,
        Status::Broken,
        Location::ServerSide,
        if seen_too.is_some() { Confidence::High } else { Confidence::Medium },
        format!(
            "The server's side refuses handshakes with `{name}: {its}`, which one browser sends, and takes \
             those with `{name}: {own}`: it compares the whole header and not the word."
        ),
        finding,
    )))
}
