//! Answers that are not Bindplane's, or not a WebSocket's path.

use super::Question;
use crate::evidence::{Author, Evidence, ReplyKind};
use crate::model::{Cause, Confidence, Location, Severity, Side, Status};
use crate::remedy;
use crate::rule::blame::{Blame, of_upgrade};
use crate::rule::{Answer, Draft, Rule, claim, run_again, run_outside};
use wss_bundle::target::AGENT_PATH;

pub(in crate::rule) const BLOCKED_PAGE: Rule = Rule {
    id: "blocked-page",
    title: "Somebody answers in the server's place",
    looks_for: "pages and upgrade alike answered by a filter's, portal's or firewall's own page",
    why: "where not even the pages are Bindplane's, nothing can be said about WebSocket",
    remedy: "allow the host in the filter",
    check: blocked_page,
};
pub(in crate::rule) const WRONG_PATH: Rule = Rule {
    id: "wrong-path",
    title: "No path that was tried is known",
    looks_for: "404 or the console's page shell for every WebSocket path",
    why: "the server answers unknown paths with its page shell, and a load balancer without a \
          rule for them with 404",
    remedy: "use the path that the browser uses, or route it",
    check: wrong_path,
};

fn blocked_page(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    if q.pages_pass() || q.kind() == Some(ReplyKind::Switched) {
        return Answer::Pass;
    }
    let Some(reply) = &q.reply else { return Answer::Pass };
    if matches!(
        reply.kind,
        ReplyKind::BadGateway | ReplyKind::Unavailable | ReplyKind::GatewayTimeout
    ) {
        return Answer::Pass;
    }
    let Author::Device { side, name, .. } = &reply.author else { return foreign_page(e, &q) };
    let in_front = *side != Side::Client;
    // A load balancer may ask for credentials in the server's name, or for a
    // certificate: those have causes of their own.
    if reply.wants_tls() {
        return Answer::Pass;
    }
    if in_front && (reply.kind == ReplyKind::Unauthorized || reply.asks_for_certificate()) {
        return Answer::Pass;
    }
    // The same author on the pages: it stands in the server's place for everything.
    let everywhere = ["/health", "/js/_globals.js", "/"].into_iter().any(|p| {
        q.route.page(p).is_some_and(
            |r| matches!(&r.author, Author::Device { name: other, .. } if other == name),
        )
    });
    if !everywhere {
        return Answer::Pass;
    }
    let (location, confidence) = match side {
        Side::Client => (Location::ClientNetwork, Confidence::High),
        Side::Server => (Location::ServerSide, Confidence::High),
        // Its page alone does not say on whose side it stands.
        Side::Either => match of_upgrade(e) {
            Blame { confidence: Confidence::High, location, .. } => (location, Confidence::High),
            _ => (Location::Undetermined, Confidence::Medium),
        },
    };
    let finding = Draft::new(
        "blocked-page",
        Severity::Error,
        format!("{name} answers in the server's place"),
        q.focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "Pages and upgrade alike get {name}'s own page ({}), so no request reaches Bindplane.",
        reply.line()
    ))
    .remedy(remedy::network_team(e, "Allow this host in the filter that answers in its place"))
    .done();
    Answer::Fail(Box::new(claim(
        Cause::BlockedPage,
        Status::Broken,
        location,
        confidence,
        format!("{name} answers every request with its own page; none reaches Bindplane."),
        finding,
    )))
}

/// Pages of somebody who is not known by name.
fn foreign_page(e: &Evidence<'_>, q: &Question<'_, '_>) -> Answer {
    let (Some(reply), Some(page)) = (q.reply, q.route.foreign_page(q.path)) else {
        return Answer::Pass;
    };
    if !matches!(reply.kind, ReplyKind::OtherSuccess | ReplyKind::Forbidden | ReplyKind::Other) {
        return Answer::Pass;
    }
    let theirs = e.twin().and_then(|t| t.selected()?.bindplane_page(t.path));
    let (location, confidence, also) = match (theirs, e.twin()) {
        (Some(_), _) => (
            Location::ClientNetwork,
            Confidence::High,
            "; from outside, the same address gives Bindplane's pages",
        ),
        // A pasted output has no pages; its upgrade may have reached the server.
        (None, Some(_)) if e.twin_is_pasted() => match e.outside_works() {
            Some(true) => (
                Location::ClientNetwork,
                Confidence::High,
                "; from outside, the upgrade at the same address is accepted",
            ),
            _ => (Location::Undetermined, Confidence::Medium, ""),
        },
        (None, Some(_)) => {
            (Location::Target, Confidence::Medium, ", nor does any that comes outside")
        }
        (None, None) => (Location::Undetermined, Confidence::Medium, ""),
    };
    let finding = Draft::new(
        "blocked-page",
        Severity::Error,
        "What answers is not Bindplane",
        q.focus,
        page.observation,
        page.line(),
    )
    .text(format!(
        "{} gets a document, which Bindplane does not give there, and no page bears Bindplane's \
         mark{also}. A captive portal, a web filter, or another server stands in its \
         place.",
        page.observation.path.as_deref().unwrap_or_default()
    ))
    .also(Some(q.focus.cite(reply.observation, format!("{} (upgrade)", reply.line()))))
    .also(e.twin().zip(theirs).map(|(t, r)| t.cite(r.observation, r.line())))
    .remedy(remedy::network_team(e, "Allow this host in the filter that answers in its place"))
    .done();
    let mut claim = claim(
        Cause::BlockedPage,
        Status::Broken,
        location,
        confidence,
        format!("Something answers in the server's place: no page bears Bindplane's mark{also}."),
        finding,
    );
    if e.twin().is_none() {
        claim.missing.push(run_outside(e));
        claim.rivals.push((
            Cause::WrongPath,
            Confidence::Low,
            "the address may be of another server; from outside it would answer the same".into(),
        ));
    }
    Answer::Fail(Box::new(claim))
}

fn wrong_path(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    let paths = &q.focus.bundle.observations.target.paths;
    let unknown = |p: &String| {
        matches!(
            q.route.upgrade_reply(p).map(|r| r.kind),
            Some(ReplyKind::NotFound | ReplyKind::PageShell)
        )
    };
    let console: Vec<_> =
        paths.iter().filter(|p| p.as_str() != AGENT_PATH || paths.len() == 1).collect();
    if !console.iter().all(|p| unknown(p)) {
        return Answer::Pass;
    }
    let Some(reply) = &q.reply else { return Answer::Pass };
    let tried = console.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(", ");
    let by_device = matches!(reply.author, Author::Device { .. });
    // A server that answers unknown paths with its shell does not answer 404;
    // where it does for other pages, the 404 comes from a rule before it.
    let shell_elsewhere = reply.kind == ReplyKind::NotFound
        && q.route.page("/").is_some_and(|r| r.kind == ReplyKind::PageShell)
        && !reply.devices.is_empty();
    let (location, whose) = if by_device || shell_elsewhere {
        (Location::ServerSide, "a load balancer's path rule does not send them to the server")
    } else {
        (Location::Target, "the server does not know them")
    };
    let finding = Draft::new(
        "wrong-path",
        Severity::Error,
        "No WebSocket path that was tried is known",
        q.focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "{tried}: {}{}. This is no fault of a proxy: {whose}.",
        if reply.kind == ReplyKind::PageShell {
            "the console's page shell, which this server gives for every unknown path"
        } else {
            "404"
        },
        q.by()
    ))
    .also(q.cite_plain())
    .remedy(remedy::right_path(e))
    .done();
    let mut claim = claim(
        Cause::WrongPath,
        Status::Broken,
        location,
        if location == Location::Target { Confidence::Medium } else { Confidence::High },
        format!("No WebSocket path that was tried exists ({tried}): {whose}."),
        finding,
    );
    claim.missing.push(run_again(e, "--path PATH-FROM-DEVTOOLS"));
    Answer::Fail(Box::new(claim))
}
