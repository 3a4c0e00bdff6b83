//! Somebody wants to know who asks: credentials, and redirects to a sign-on.

use super::Question;
use crate::evidence::{Author, Evidence, Reply, ReplyKind};
use crate::model::{Cause, Confidence, DeviceRole, Location, Severity, Status};
use crate::remedy;
use crate::rule::{Answer, Draft, Rule, claim, run_again, run_outside};
use wss_bundle::{ResponseHead, Step};

pub(in crate::rule) const AUTH_REQUIRED: Rule = Rule {
    id: "auth-required",
    title: "The server asks for credentials",
    looks_for: "401 or 403 to the upgrade and to its plain twin alike",
    why: "the server checks credentials before it looks at the upgrade headers, so a stripped \
          and an intact upgrade get the same answer",
    remedy: "give credentials to the collector",
    check: auth_required,
};
pub(in crate::rule) const REDIRECTED: Rule = Rule {
    id: "redirected",
    title: "The upgrade is redirected",
    looks_for: "3xx to the upgrade",
    why: "browsers do not follow redirects of a WebSocket handshake (WHATWG fetch, redirect mode error)",
    remedy: "exempt the WebSocket path from sign-on, or use the final address",
    check: redirected,
};

fn auth_required(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    let Some(reply) = &q.reply else { return Answer::Pass };
    if !matches!(reply.kind, ReplyKind::Unauthorized | ReplyKind::Forbidden) {
        return Answer::Pass;
    }
    let plain = q.plain();
    let same = plain.as_ref().is_none_or(|p| p.status == reply.status);
    let elsewhere = e.outside_works() == Some(true) || q.focus.other_working().next().is_some();
    if !same || elsewhere {
        return Answer::Pass;
    }
    if reply.kind == ReplyKind::Forbidden
        && (!q.pages_pass() || reply.author != Author::Origin && !reply.devices.is_empty())
    {
        return Answer::Pass;
    }
    let refused = refused(&q);
    let finding = Draft::new(
        "auth-required",
        Severity::Warning,
        "The server asks for credentials before it looks at the upgrade",
        q.focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "The upgrade and the same GET without upgrade headers both get {}. So requests reach the \
         server; whether the upgrade headers reach it cannot be told without credentials.{}",
        reply.status,
        if refused.is_some() {
            " It was told credentials, and refuses them; they were not sent again, since too many \
             wrong ones lock an account."
        } else {
            ""
        }
    ))
    .also(q.cite_plain())
    .also(refused.map(|r| q.focus.cite(r.observation, r.line())))
    .remedy(remedy::credentials(e))
    .done();
    let mut claim = claim(
        Cause::AuthRequired,
        Status::Unknown,
        Location::Target,
        // Without the twin, a 401 to upgrades alone is not excluded.
        if plain.is_some() { Confidence::High } else { Confidence::Medium },
        format!(
            "Requests reach the server, which answers {} {}: whether the upgrade gets through \
             cannot be told yet.",
            reply.status,
            if refused.is_some() { "to the credentials given" } else { "without credentials" }
        ),
        finding,
    );
    claim.missing.push(run_again(e, "-u USER:PASSWORD"));
    claim.missing.push(run_again(e, "-H 'Cookie: BP_OP_AUTH=…'"));
    claim.rivals.push((
        Cause::LbStripsUpgrade,
        Confidence::Low,
        "a stripped upgrade would get the same answer; only credentials tell them apart".into(),
    ));
    Answer::Fail(Box::new(claim))
}

/// A request with credentials that was answered 401, on the deciding route.
fn refused<'e, 'a>(q: &Question<'e, 'a>) -> Option<&'e Reply<'a>> {
    q.route.replies().filter(|reply| reply.status == 401).find(|reply| {
        let request = match &reply.observation.step {
            Step::Upgrade(upgrade) => &upgrade.request,
            Step::Http(http) => &http.request,
            _ => return false,
        };
        let head = ResponseHead::new(request.0.clone());
        head.headers().iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
    })
}

fn redirected(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    let Some(reply) = q.reply.as_ref().filter(|r| r.kind == ReplyKind::Redirect) else {
        return Answer::Pass;
    };
    let to = reply.reply.head.header("location").unwrap_or_default();
    let target = &q.focus.bundle.manifest.target;
    let authority = to.split_once("://").map_or("", |(_, rest)| rest);
    let host = authority.split(['/', '?', '#']).next().unwrap_or("");
    let host = host
        .rsplit_once(':')
        .map_or(host, |(h, p)| if p.chars().all(|c| c.is_ascii_digit()) { h } else { host });
    let same_host = host.is_empty() || host.eq_ignore_ascii_case(&target.host);
    let to_https = to.starts_with("https://") && target.scheme.as_str() == "http" && same_host;
    let by_swg = reply.devices.iter().any(|m| {
        m.signature.role == DeviceRole::ForwardProxy && m.confidence >= Confidence::Medium
    });
    let (location, what) = if by_swg || e.outside_works() == Some(true) {
        (Location::ClientNetwork, "a filter on this side sends it elsewhere")
    } else if to_https {
        (Location::Target, "the server wants https")
    } else if same_host {
        (Location::ServerSide, "it is sent to another page of the same host, usually a sign-on")
    } else {
        (Location::ServerSide, "it is sent to another host, usually for a sign-on")
    };
    let finding = Draft::new(
        "redirected",
        Severity::Error,
        "The upgrade is redirected",
        q.focus,
        reply.observation,
        format!("{} → {to}", reply.line()),
    )
    .text(format!(
        "The upgrade gets {} to {to}: {what}. Browsers do not follow redirects of a WebSocket; they \
         report code 1006.",
        reply.status
    ))
    .also(q.cite_plain())
    .remedy(remedy::redirect(e, to_https))
    .done();
    let mut claim = claim(
        Cause::Redirected,
        Status::Broken,
        location,
        if to_https || e.twin().is_some() { Confidence::High } else { Confidence::Medium },
        format!("The upgrade is redirected to {to}: {what}."),
        finding,
    );
    if e.twin().is_none() && !to_https {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}
