//! After the status line says 101: is it valid, do frames pass, and does the
//! way that browsers take work too?

use super::blame::of_upgrade;
use super::origin::fails_as_browsers_do;
use super::{Answer, Check, Draft, Rule, capitalised, claim};
use crate::evidence::reply::invalid_switch;
use crate::evidence::{Evidence, Reply, ReplyKind, SocketState};
use crate::model::NextStep;
use crate::model::{Cause, Confidence, Location, Severity, Status};
use crate::remedy;
use crate::suggest::{run_again, run_outside};
use wss_bundle::observation::EndedBy;
use wss_bundle::{FailureKind, Outcome};

pub(super) const BAD_HANDSHAKE: Rule = Rule {
    id: "bad-handshake",
    title: "A 101 that is not valid",
    looks_for: "101 without Upgrade or Connection, or with a Sec-WebSocket-Accept that does not \
                belong to the key that was sent; or the right Accept under another status",
    why: "RFC 6455 section 4.1 makes browsers fail the connection; a foreign Accept shows that \
          something made its own handshake",
    remedy: "find the hop that answers the handshake itself",
    check: Check::Evidence(bad_handshake),
};
pub(super) const FRAMES_BLOCKED: Rule = Rule {
    id: "frames-blocked",
    title: "A valid 101, then no frames",
    looks_for: "no Pong to a Ping after a valid 101, or frames that violate RFC 6455",
    why: "web application firewalls and HTTP/2 bridges accept the upgrade and then do not relay; \
          IIS ARR with permessage-deflate corrupts frames",
    remedy: "let frames through after the upgrade",
    check: Check::Evidence(frames_blocked),
};
pub(super) const LB_HTTP2_EXTENDED_CONNECT: Rule = Rule {
    id: "lb-http2-extended-connect",
    title: "WebSocket over HTTP/2 is announced and does not work",
    looks_for: "SETTINGS_ENABLE_CONNECT_PROTOCOL = 1 and a failing extended CONNECT, while the \
                HTTP/1.1 upgrade works",
    why: "browsers that see the setting use it (RFC 8441) and do not fall back; curl never does",
    remedy: "do not announce it, or make it work",
    check: Check::Evidence(lb_http2_extended_connect),
};

fn bad_handshake(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let (why, observation, excerpt) = match (route.upgrade_reply(path), route.upgrade_failure(path))
    {
        (Some(r), _) if r.kind == ReplyKind::BadSwitch => {
            let expected = match &r.observation.step {
                wss_bundle::Step::Upgrade(u) => u.expected_accept.as_deref(),
                _ => None,
            };
            let why = if r.status == 101 {
                invalid_switch(&r.reply.head, expected).unwrap_or_default()
            } else {
                under_another_status(r.status)
            };
            (why, r.observation, r.line())
        }
        (None, Some((o, f)))
            if f.kind == FailureKind::HttpMalformed || f.kind == FailureKind::HttpHeadTooLarge =>
        {
            ("what comes back is no HTTP/1.1 response".to_owned(), o, f.to_string())
        }
        _ => return Answer::Pass,
    };
    let blame = of_upgrade(e);
    let finding = Draft::new(
        Severity::Error,
        "The handshake's answer is not valid",
        focus,
        observation,
        excerpt,
    )
    .text(format!("The answer to the upgrade is not valid: {why}. Browsers refuse it."))
    .remedy(remedy::transparent_upgrade(e, blame.location))
    .done();
    let mut claim = claim(
        Cause::BadHandshake,
        Status::Broken,
        blame.location,
        blame.confidence,
        format!("The answer to the upgrade is not valid: {why}."),
        finding,
    );
    if e.twin().is_none() {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}

/// The server's 101 with another number on it.
fn under_another_status(status: u16) -> String {
    format!(
        "its status is {status} in place of 101, and its Sec-WebSocket-Accept belongs to the key that \
         was sent. Nobody can compute that without the key, so the upgrade arrived and the server \
         switched protocols; something on the way rewrote the status line"
    )
}

fn frames_blocked(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    if route.socket(path) != SocketState::NoFrames {
        return match route.socket(path) {
            SocketState::Works => Answer::Pass,
            _ => Answer::NotApplicable,
        };
    }
    let Some((observation, frames)) = route.frames(path) else {
        return Answer::CannotTell(vec![run_again(e, NextStep::Again, "")]);
    };
    let (excerpt, ended_by_tls_owner) = match &frames.result {
        Outcome::Ok(seen) => {
            let how = match seen.ending.how {
                EndedBy::Silence => "no Pong came",
                EndedBy::Fin => "the connection was closed at once",
                EndedBy::Reset => "the connection was reset at once",
                EndedBy::CloseFrame => "a close frame came at once",
                EndedBy::Garbled => "the frames were not valid",
                EndedBy::StillOpen => "no Pong came, and the connection stayed open",
            };
            (how.to_owned(), seen.ending.close_notify == Some(true))
        }
        Outcome::Failed(f) => (f.to_string(), false),
    };
    let blame = of_upgrade(e);
    let (location, confidence) = match blame.location {
        Location::ServerSide if ended_by_tls_owner => (Location::ServerSide, Confidence::High),
        location => (location, blame.confidence),
    };
    let finding = Draft::new(
        Severity::Error,
        "The upgrade succeeds, and no frames pass",
        focus,
        observation,
        excerpt.clone(),
    )
    .text(format!(
        "A valid 101 came, and then {excerpt}. A 101 alone does not make a working WebSocket. {}.",
        capitalised(&blame.because)
    ))
    .also(route.upgrade_reply(path).map(|r| focus.cite(r.observation, r.line())))
    .remedy(remedy::transparent_upgrade(e, location))
    .done();
    let mut claim = claim(
        Cause::FramesBlocked,
        Status::Broken,
        location,
        confidence,
        format!("The upgrade is answered with a valid 101, and then {excerpt}."),
        finding,
    );
    if e.twin().is_none() {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}

fn lb_http2_extended_connect(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    if !route.socket(path).works() {
        return Answer::NotApplicable;
    }
    let Some((observation, upgrade)) = route.h2_connect(path) else {
        return Answer::NotApplicable;
    };
    let excerpt = match &upgrade.result {
        Outcome::Ok(r) if r.head.status().is_some_and(|s| (200..300).contains(&s)) => {
            return Answer::Pass;
        }
        Outcome::Ok(r) => r.head.status_line(),
        Outcome::Failed(f) if f.kind == FailureKind::Cancelled => return Answer::NotApplicable,
        Outcome::Failed(f) => f.to_string(),
    };
    // It is made as browsers make it: only theirs over HTTP/1.1 is its twin.
    if fails_as_browsers_do(route, path) {
        return Answer::NotApplicable;
    }
    let switches = |reply: Option<&Reply<'_>>| reply.is_some_and(|r| r.kind == ReplyKind::Switched);
    let twin = switches(route.browser_reply(path)) || switches(route.compressed_reply(path));
    let finding = Draft::new(
        Severity::Error,
        "WebSocket over HTTP/2 is announced and fails",
        focus,
        observation,
        excerpt.clone(),
    )
    .text(format!(
        "The front end announces RFC 8441 (WebSocket over HTTP/2) and answers it with {excerpt}, \
         while the HTTP/1.1 upgrade works. Browsers that came by HTTP/2 use it and fail; curl \
         never uses it, so curl works."
    ))
    .also(route.upgrade_reply(path).map(|r| focus.cite(r.observation, r.line())))
    .remedy(remedy::http2(e))
    .done();
    Answer::Fail(Box::new(claim(
        Cause::LbHttp2,
        Status::Broken,
        Location::ServerSide,
        if twin { Confidence::High } else { Confidence::Medium },
        "WebSocket over HTTP/2 (RFC 8441) is announced and does not work, which breaks browsers \
         though HTTP/1.1 works.",
        finding,
    )))
}
