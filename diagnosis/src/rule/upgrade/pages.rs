//! Answers that are not Bindplane's, or not a WebSocket's path.

use super::Question;
use super::firewall::firewall;
use crate::evidence::likeness::{Met, met};
use crate::evidence::{Author, Evidence, Reply, ReplyKind};
use crate::model::NextStep;
use crate::model::{Cause, Confidence, DeviceRole, Location, Severity, Side, Status};
use crate::remedy;
use crate::rule::blame::{Blame, of_upgrade};
use crate::rule::{Answer, Check, Draft, Rule, claim};
use crate::said::Says;
use crate::suggest::{run_again, run_outside};
use wss_bundle::observation::probe;

pub(in crate::rule) const BLOCKED_PAGE: Rule = Rule {
    id: "blocked-page",
    title: "Somebody answers in the server's place",
    looks_for: "pages and upgrade alike answered by a filter's, portal's or load balancer's own \
                page; or a web application firewall's page, to everything or to upgrades alone",
    why: "where not even the pages are Bindplane's, nothing can be said about WebSocket; and a \
          firewall's page says itself who refuses",
    remedy: "an exception in the filter or firewall that answers, on whichever side it stands",
    check: Check::Evidence(blocked_page),
};

/// The pages that are asked for beside the upgrade.
const PAGES: [&str; 3] = ["/health", "/js/_globals.js", "/"];

fn blocked_page(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    let Some(reply) = q.reply else { return Answer::Pass };
    if matches!(reply.kind, ReplyKind::Switched | ReplyKind::BadSwitch) {
        return Answer::Pass;
    }
    if let Some(answer) = firewall(e, &q, reply) {
        return answer;
    }
    if q.pages_pass() || has_a_cause_of_its_own(reply) {
        return Answer::Pass;
    }
    let (side, name) = match &reply.author {
        Author::Device { side, name, role } if *role != DeviceRole::Origin => {
            (Some(*side), name.clone())
        }
        Author::Unknown if is_own_refusal(reply) && same_everywhere(&q, reply, None) => {
            (None, reply.device_name().unwrap_or_else(|| "Whoever ends TLS".to_owned()))
        }
        _ => return foreign_page(e, &q),
    };
    // A load balancer may ask for credentials in the server's name.
    if side != Some(Side::Client) && reply.kind == ReplyKind::Unauthorized {
        return Answer::Pass;
    }
    // The same author on the pages: it stands in the server's place for everything.
    let author = side.map(|_| name.as_str());
    if !same_everywhere(&q, reply, author) {
        return Answer::Pass;
    }
    let (location, confidence) = match side {
        Some(Side::Client) => (Location::ClientNetwork, Confidence::High),
        Some(Side::Server) => (Location::ServerSide, Confidence::High),
        // Its page alone does not say on whose side it stands.
        Some(Side::Either) | None => match of_upgrade(e) {
            Blame { confidence: Confidence::High, location, .. } => (location, Confidence::High),
            Blame { location: Location::ServerSide, .. } if side.is_none() => {
                (Location::ServerSide, Confidence::Medium)
            }
            _ => (Location::Undetermined, Confidence::Medium),
        },
    };
    let (unfiltered, confidence) = match could_be_a_filter(&q, side) {
        true => (false, confidence.min(Confidence::Medium)),
        false => (true, confidence),
    };
    // What is said of upgrades is not said of pages.
    let said = reply.said.filter(|row| row.says != Says::RefusesUpgrades);
    let means = said.map(|row| format!(": {}", row.means)).unwrap_or_default();
    let summary = format!(
        "{name} answers every request itself, with {}{means}; none reaches Bindplane.",
        reply.line()
    );
    let remedy = if location == Location::ServerSide {
        remedy::own_answer(e, &name, said)
    } else {
        remedy::network_team(e, "Allow this host in the filter that answers in its place")
    };
    let finding = Draft::new(
        Severity::Error,
        format!("{name} answers in the server's place"),
        q.focus,
        reply.observation,
        reply.line(),
    )
    .text(format!("Pages and upgrade alike get the same. {summary}"))
    .remedy(remedy)
    .done();
    let mut claim =
        claim(Cause::BlockedPage, Status::Broken, location, confidence, summary, finding);
    if e.twin().is_none() && confidence < Confidence::High {
        claim.missing.push(if unfiltered {
            run_outside(e)
        } else {
            run_again(e, NextStep::Again, "")
        });
    }
    Answer::Fail(Box::new(claim))
}

/// Whether a filter on the server's side may have gone by the collector's name: the
/// collection was stopped before that could be told.
fn could_be_a_filter(q: &Question<'_, '_>, side: Option<Side>) -> bool {
    let names = [probe::UA_PAGES, probe::BROWSER_UPGRADE];
    let asked = q.route.observations.iter().filter(|o| names.contains(&o.probe.as_str()));
    let mut answers = asked.filter_map(|o| met(o)).peekable();
    let in_browsers_name = answers.peek().is_some() && answers.all(|one| one == Met::Refused);
    side != Some(Side::Client) && !q.focus.bundle.manifest.complete && !in_browsers_name
}

/// What other rules speak of, whoever wrote it.
fn has_a_cause_of_its_own(reply: &Reply<'_>) -> bool {
    let kind = matches!(
        reply.kind,
        ReplyKind::BadGateway
            | ReplyKind::Unavailable
            | ReplyKind::GatewayTimeout
            | ReplyKind::ProtocolMismatch
            | ReplyKind::Redirect
            | ReplyKind::PageShell
    );
    let said = reply.said.is_some_and(|row| {
        matches!(
            row.says,
            Says::WantsTls
                | Says::WantsCertificate
                | Says::RefusesHttp10
                | Says::NoRoute
                | Says::Limited
                | Says::CannotHandOver
        )
    });
    kind || said || reply.asks_for_certificate()
}

/// A status with which somebody refuses to do anything at all.
fn is_own_refusal(reply: &Reply<'_>) -> bool {
    let refuses = matches!(reply.status, 400 | 403 | 405 | 406 | 408 | 410 | 418 | 421 | 500 | 501);
    refuses || reply.said.is_some_and(|row| row.leads == Cause::BlockedPage)
}

/// Whether at least one page, and every one that was answered, is answered alike.
fn same_everywhere(q: &Question<'_, '_>, reply: &Reply<'_>, author: Option<&str>) -> bool {
    let alike = |page: &Reply<'_>| match (author, &page.author) {
        (Some(own), Author::Device { name, .. }) => name == own,
        (Some(_), _) => false,
        (None, other) => page.status == reply.status && *other == Author::Unknown,
    };
    let mut pages = PAGES.into_iter().filter_map(|page| q.route.page(page)).peekable();
    pages.peek().is_some() && if author.is_some() { pages.any(alike) } else { pages.all(alike) }
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
    .remedy(if location == Location::ClientNetwork {
        remedy::network_team(e, "Allow this host in the filter that answers in its place")
    } else {
        remedy::who_answers(e)
    })
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
