//! The client's side: a proxy or interceptor that refuses, strips or swallows
//! the upgrade.

use super::Question;
use crate::evidence::interceptor;
use crate::evidence::{BundleView, Evidence, ReplyKind, RouteView};
use crate::model::{Cause, Citation, Confidence, Location, Severity, Status};
use crate::remedy;
use crate::rule::blame::{Blame, of_upgrade};
use crate::rule::{Answer, Check, Draft, Rule, claim};
use crate::suggest::{run_at, run_outside};
use wss_bundle::Vantage;

pub(in crate::rule) const PROXY_BLOCKS_WEBSOCKET: Rule = Rule {
    id: "proxy-blocks-websocket",
    title: "A proxy or interceptor does not let the upgrade through",
    looks_for: "pages that pass while the upgrade is refused, stripped or swallowed on the \
                client's side: it works from outside or by another route, or the answer or the \
                certificate is a proxy's",
    why: "Squid's ssl-bump, for one, drops Upgrade unless http_upgrade_request_protocols allows \
          it; the origin then answers 400 with Sec-WebSocket-Version",
    remedy: "let Upgrade: websocket through, or bypass inspection for this host",
    check: Check::Evidence(proxy_blocks_websocket),
};

fn proxy_blocks_websocket(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    if matches!(q.kind(), Some(ReplyKind::Switched | ReplyKind::Redirect | ReplyKind::BadSwitch)) {
        return Answer::Pass;
    }
    let Blame { location, confidence, because } = of_upgrade(e);
    if location != Location::ClientNetwork || q.reply.as_ref().is_some_and(|r| r.status == 407) {
        return Answer::Pass;
    }
    if e.focus_is_pasted() {
        return from_pasted(e, &q);
    }
    if !q.pages_pass() {
        return Answer::CannotTell(vec![run_outside(e)]);
    }
    let Some(observation) = q.observation() else { return Answer::NotApplicable };
    // "Pages pass" is certain only of pages that are Bindplane's beyond doubt.
    let confidence = match q.route.bindplane_page(q.path) {
        Some(_) => confidence,
        None => confidence.min(Confidence::Medium),
    };
    let how = match (&q.reply, q.failure) {
        (Some(r), _) if r.kind == ReplyKind::NotAnUpgrade => format!(
            "strips the upgrade headers: the server answered {} as if it had never seen them",
            r.status
        ),
        (Some(r), _) => format!("refuses the upgrade with {}", r.line()),
        (None, Some((_, f))) => format!("swallows the upgrade: no answer came ({f})"),
        (None, None) => "does not let the upgrade through".into(),
    };
    let who = if let Some(name) = interceptor(e, q.route) {
        if q.route.route.id.is_direct() {
            format!("{name}, which intercepts TLS here,")
        } else {
            format!("The {}, which intercepts TLS as {name},", q.route.route.id)
        }
    } else if q.route.route.id.is_direct() {
        "Something on the client's network".to_owned()
    } else {
        format!("The {}", q.route.route.id)
    };
    let finding = Draft::new(
        Severity::Error,
        "Pages pass, and the WebSocket upgrade does not",
        q.focus,
        observation,
        q.excerpt(),
    )
    .text(format!(
        "{who} {how}. It lies on the client's side, because {because}. Pages pass on the same \
         route, so the host itself is not blocked.{}",
        q.by()
    ))
    .also(q.cite_pages())
    .also(cite_success(e))
    .remedy(remedy::proxy_websocket(e))
    .done();
    let mut claim = claim(
        Cause::ProxyBlocksWebsocket,
        Status::Broken,
        Location::ClientNetwork,
        confidence,
        format!("{who} {how}; {because}."),
        finding,
    );
    if confidence < Confidence::High {
        claim.rivals.push((
            Cause::LbStripsUpgrade,
            Confidence::Low,
            format!("{because}; a run from outside would settle it"),
        ));
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}

/// Inside is known by a pasted response alone, and outside it works: the page's
/// first row. Whether pages pass inside is not known, and with it not whether it
/// is about WebSocket at all.
fn from_pasted(e: &Evidence<'_>, q: &Question<'_, '_>) -> Answer {
    let Some(observation) = q.observation() else { return Answer::NotApplicable };
    let gateway = |kind| {
        matches!(kind, ReplyKind::BadGateway | ReplyKind::Unavailable | ReplyKind::GatewayTimeout)
    };
    let sure = if q.kind().is_some_and(gateway) { Confidence::Low } else { Confidence::Medium };
    let way = match q.route.route.id.is_direct() {
        true => String::new(),
        false => format!(" {}", q.route.route.id.way()),
    };
    let summary = format!(
        "From inside, curl's upgrade{way} gets {}; from outside, the same upgrade works.",
        q.excerpt()
    );
    let title = "Something on the client's network does not let the upgrade through";
    let finding = Draft::new(Severity::Error, title, q.focus, observation, q.excerpt())
        .text(format!(
            "{summary} What was pasted does not show whether pages pass there, nor who is on the \
             way: a bundle from inside does."
        ))
        .also(cite_success(e))
        .remedy(remedy::proxy_websocket(e))
        .done();
    let mut claim = claim(
        Cause::ProxyBlocksWebsocket,
        Status::Broken,
        Location::ClientNetwork,
        sure,
        summary,
        finding,
    );
    claim.missing.push(run_at(e, Vantage::Inside));
    Answer::Fail(Box::new(claim))
}

/// The same upgrade where it works, to cite beside the failure.
fn cite_success(e: &Evidence<'_>) -> Option<Citation> {
    let from = |view: &BundleView<'_>, route: &RouteView<'_>| {
        route
            .upgrade_reply(view.path)
            .map(|r| view.cite(r.observation, format!("{} ({})", r.line(), route.route.id)))
    };
    if let Some(twin) = e.twin()
        && e.outside_works() == Some(true)
    {
        return from(twin, twin.selected()?);
    }
    let focus = e.focus()?;
    let other = focus.other_working().next()?;
    from(focus, other)
}
