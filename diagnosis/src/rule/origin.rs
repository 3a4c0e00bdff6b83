//! Handshakes as browsers make them, with `Origin` and subprotocol, beside the
//! one that curl sends without: refused by the server, or by somebody else.

use super::blame::{Blame, blame, from_one_vantage};
use super::compression::a_browser_works;
use super::{Answer, Check, Draft, Rule, capitalised, claim};
use crate::evidence::{Asked, Author, Evidence, ReplyKind, RouteView};
use crate::model::NextStep;
use crate::model::{Cause, Confidence, Location, Severity, Status};
use crate::remedy;
use crate::suggest::{run_again, run_outside};
use wss_bundle::observation::probe;
use wss_bundle::{FailureKind, Observation, Outcome, Step};

pub(super) const PROXY_REJECTS_NAME: Rule = Rule {
    id: "proxy-blocks-websocket-name",
    title: "On this side, handshakes in a browser's name are refused",
    looks_for: "an upgrade that works in the collector's own name each time, and with a browser's \
                `User-Agent`, and nothing else of a browser's, is refused each time; from outside or by \
                another route it is not, or a proxy's mark is on the answer",
    why: "filters go by User-Agent; the server's check of Origin has nothing to do with it",
    remedy: "let browsers pass for the WebSocket paths",
    check: Check::Evidence(|e| browsers_name(e, Cause::ProxyBlocksWebsocket)),
};
pub(super) const BROWSERS_NAME: Rule = Rule {
    id: "lb-strips-upgrade-name",
    title: "Handshakes in a browser's name are refused",
    looks_for: "the same, where nothing points to this side",
    why: "a rule against old browsers, against browsers at an address for agents, or one that sends \
          them elsewhere goes by User-Agent; the server's check of Origin has nothing to do with it",
    remedy: "let browsers pass for the WebSocket paths",
    check: Check::Evidence(|e| browsers_name(e, Cause::LbStripsUpgrade)),
};
pub(super) const ORIGIN_REJECTED: Rule = Rule {
    id: "origin-rejected",
    title: "The browser's Origin is refused",
    looks_for: "an upgrade that works without Origin and gets 403 with the browser's",
    why: "the server compares Origin with Host (or with a list); a load balancer that rewrites \
          Host breaks the comparison for browsers alone",
    remedy: "pass the Host header on, or allow the origin",
    check: Check::Evidence(origin_rejected),
};
pub(super) const PROXY_REJECTS_BROWSERS: Rule = Rule {
    id: "proxy-blocks-websocket-browsers",
    title: "On this side, the handshake as browsers make it does not get through",
    looks_for: "an upgrade that works as curl sends it, and that is refused or left without an \
                answer, again and again, with the Origin and the subprotocol that browsers send; \
                from outside or by another route it is not",
    why: "filters tell browsers from other programs by Origin and Sec-WebSocket-Protocol",
    remedy: "let the handshake through as browsers send it",
    check: Check::Evidence(|e| browsers_rejected(e, Cause::ProxyBlocksWebsocket)),
};
pub(super) const BROWSERS_REJECTED: Rule = Rule {
    id: "origin-rejected-otherwise",
    title: "The handshake as browsers make it does not get through",
    looks_for: "the same, where nothing points to this side; with another answer than 403",
    why: "a server that does not like an Origin answers 403; a filter before it answers as it is \
          told to, or hangs up",
    remedy: "let the handshake through as browsers send it",
    check: Check::Evidence(|e| browsers_rejected(e, Cause::OriginRejected)),
};

/// The handshakes in a browser's name alone, where each is refused and each in the
/// collector's own name passes.
fn refused_for_the_name<'a>(route: &RouteView<'a>, path: &'a str) -> Option<Vec<Failed<'a>>> {
    let named = failed(route, probe::UA_UPGRADE, path).filter(|all| all.len() >= OFTEN)?;
    let own = route.answers(Asked::Upgrade, path);
    let first = own.groups.first()?.first()?;
    let passes = own.groups.len() == 1 && own.count() >= OFTEN && first.switched();
    (passes && fails_as_browsers_do(route, path)).then_some(named)
}

/// How often each name has to be answered alike.
const OFTEN: usize = 2;

fn browsers_name(e: &Evidence<'_>, cause: Cause) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    if !route.socket(path).works() || a_browser_works(focus) {
        return Answer::NotApplicable;
    }
    let Some(named) = refused_for_the_name(route, path) else { return Answer::Pass };
    let (Some(shown), Some(Blame { location, confidence, because })) =
        (named.first(), whose(e, route, path))
    else {
        return Answer::NotApplicable;
    };
    if (location == Location::ClientNetwork) != (cause == Cause::ProxyBlocksWebsocket) {
        return Answer::NotApplicable;
    }
    // What a server gives for paths that it does not know: another server may have given it.
    let elsewhere = matches!(shown.how, Ok(200..=299 | 404));
    let what = match shown.how {
        Ok(_) => format!("is answered with {}", shown.excerpt),
        Err(_) => format!("gets no answer ({})", shown.excerpt),
    };
    let finding = Draft::new(Severity::Error,
        "Handshakes in a browser's name are refused",
        focus,
        shown.observation,
        shown.excerpt.clone(),
    )
    .text(format!(
        "With a browser's `User-Agent`, and nothing else of a browser's, the upgrade {what}, {} of {} \
         times; in the collector's own name it works each time. So somebody goes by User-Agent, and \
         neither Origin nor the subprotocol is why. {}.",
        named.len(),
        named.len(),
        capitalised(&because)
    ))
    .also(route.upgrade_reply(path).map(|r| focus.cite(r.observation, r.line())))
    .remedy(remedy::browsers_name(e, location))
    .done();
    let most = if elsewhere { Confidence::Low } else { Confidence::Medium };
    let mut claim = claim(
        cause,
        Status::Broken,
        location,
        confidence.min(most),
        format!(
            "The upgrade works in a program's name; with a browser's User-Agent, and no other \
             difference, it {what}."
        ),
        finding,
    );
    if elsewhere {
        claim.rivals.push((
            Cause::BackendsDiffer,
            Confidence::Low,
            "a rule by name may lead to another server, which does not know the path".into(),
        ));
    }
    claim.missing.push(run_again(e, NextStep::Browser, "--browser"));
    if e.twin().is_none() {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}

fn origin_rejected(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    if !route.socket(path).works() || refused_for_the_name(route, path).is_some() {
        return Answer::NotApplicable;
    }
    let Some(browser) = route.browser_reply(path) else {
        return Answer::CannotTell(vec![run_again(e, NextStep::Again, "")]);
    };
    if browser.kind != ReplyKind::Forbidden {
        return Answer::Pass;
    }
    let finding = Draft::new(
        Severity::Error,
        "The upgrade works without an Origin and is refused with the browser's",
        focus,
        browser.observation,
        browser.line(),
    )
    .text(format!(
        "With `Origin: {}`, as a browser sends it, the upgrade gets {}; without Origin, as curl \
         sends it, it works. The server compares the Origin with the Host that reaches it.",
        focus.bundle.manifest.target.origin(),
        browser.line()
    ))
    .also(route.upgrade_reply(path).map(|r| focus.cite(r.observation, r.line())))
    .remedy(remedy::origin(e, browser.devices.first().map(|m| m.signature.id.as_str())))
    .done();
    // Whoever goes by the name refuses the same; the server's own words, or a twin with a
    // browser's name alone that passes, tell them apart.
    let mut named = route.replies().filter(|reply| {
        reply.observation.probe == probe::UA_UPGRADE
            && reply.observation.path.as_deref() == Some(path)
    });
    let passes = |reply: &crate::evidence::Reply<'_>| reply.kind == ReplyKind::Switched;
    let first = named.next().map(passes);
    let sure = match named.all(passes) && first != Some(false) {
        _ if browser.author == Author::Origin => Confidence::High,
        true if first.is_some() => Confidence::High,
        true => Confidence::Medium,
        false => Confidence::Low,
    };
    Answer::Fail(Box::new(claim(
        Cause::OriginRejected,
        Status::Broken,
        Location::ServerSide,
        sure,
        "The server refuses the browser's Origin with 403; the same upgrade without it works.",
        finding,
    )))
}

/// How a handshake as browsers make it failed.
struct Failed<'a> {
    observation: &'a Observation,
    /// Status, or the kind of the failure.
    how: Result<u16, FailureKind>,
    excerpt: String,
}

/// The handshakes of a probe that came to no 101; `None` where one did, or where
/// there is none.
fn failed<'a>(route: &RouteView<'a>, probe: &'a str, path: &str) -> Option<Vec<Failed<'a>>> {
    let mut out = Vec::new();
    for o in route.of(probe).filter(|o| o.path.as_deref() == Some(path)) {
        let Step::Upgrade(upgrade) = &o.step else { continue };
        match &upgrade.result {
            Outcome::Ok(_) if route.is_limits(o) => {}
            Outcome::Ok(reply) => {
                let status = reply.head.status().filter(|status| *status != 101)?;
                let excerpt = reply.head.status_line();
                out.push(Failed { observation: o, how: Ok(status), excerpt });
            }
            Outcome::Failed(f) if f.kind == FailureKind::Cancelled => {}
            Outcome::Failed(_) if route.is_too_short(o) => {}
            Outcome::Failed(f) => {
                out.push(Failed { observation: o, how: Err(f.kind), excerpt: f.to_string() });
            }
        }
    }
    (!out.is_empty()).then_some(out)
}

/// Whether a handshake as browsers make it failed on a route.
pub(super) fn fails_as_browsers_do(route: &RouteView<'_>, path: &str) -> bool {
    [probe::BROWSER_UPGRADE, probe::COMPRESSED_UPGRADE]
        .into_iter()
        .any(|probe| failed(route, probe, path).is_some())
}

/// Whose it is: another way on which the same handshake passes decides.
fn whose(e: &Evidence<'_>, route: &RouteView<'_>, path: &str) -> Option<Blame> {
    let passes = |other: &RouteView<'_>, path: &str| {
        other.browser_reply(path).is_some_and(|reply| reply.kind == ReplyKind::Switched)
    };
    let (focus, ..) = e.deciding()?;
    let client = |because: String| blame(Location::ClientNetwork, Confidence::High, because);
    if let Some(twin) = e.twin().filter(|_| !e.twin_is_pasted())
        && let Some(other) = twin.selected()
    {
        if passes(other, twin.path) {
            return Some(client("from outside this network it passes".to_owned()));
        }
        if failed(other, probe::BROWSER_UPGRADE, twin.path).is_some() {
            let because = "from outside this network it is the same";
            return Some(blame(Location::ServerSide, Confidence::High, because));
        }
    }
    if let Some(other) = focus.routes.iter().find(|other| passes(other, path)) {
        return Some(client(format!("by another route ({}) it passes", other.route.id)));
    }
    Some(from_one_vantage(e, route, route.browser_reply(path)))
}

/// One failure among several connections may have another reason: it is a cause
/// only where the handshake with an offer of compression fails in the same way.
fn browsers_rejected(e: &Evidence<'_>, cause: Cause) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let named = || refused_for_the_name(route, path).is_some();
    if !route.socket(path).works() || a_browser_works(focus) || named() {
        return Answer::NotApplicable;
    }
    let Some(first) = failed(route, probe::BROWSER_UPGRADE, path) else { return Answer::Pass };
    let offered = route.compressed_reply(path).is_some_and(|r| r.kind == ReplyKind::Switched);
    let (Some(shown), false) = (first.first(), offered || first.iter().any(|f| f.how == Ok(403)))
    else {
        return Answer::Pass;
    };
    let again = failed(route, probe::COMPRESSED_UPGRADE, path)
        .is_some_and(|more| more.iter().any(|more| more.how == shown.how));
    let Some(Blame { location, confidence, because }) = whose(e, route, path) else {
        return Answer::NotApplicable;
    };
    if (location == Location::ClientNetwork) != (cause == Cause::ProxyBlocksWebsocket) {
        return Answer::NotApplicable;
    }
    let what = match shown.how {
        Ok(_) => format!("is answered with {}", shown.excerpt),
        Err(_) => format!("gets no answer ({})", shown.excerpt),
    };
    let finding = Draft::new(
        if again { Severity::Error } else { Severity::Warning },
        "The handshake as browsers make it does not get through",
        focus,
        shown.observation,
        shown.excerpt.clone(),
    )
    .text(format!(
        "With `Origin: {}` and a subprotocol, as browsers send them, the upgrade {what}{}; \
         without them, as curl sends it, it works. {}.",
        focus.bundle.manifest.target.origin(),
        if again { ", with and without an offer of compression" } else { "" },
        capitalised(&because)
    ))
    .also(route.upgrade_reply(path).map(|r| focus.cite(r.observation, r.line())))
    .remedy(remedy::as_browsers(e, location))
    .done();
    let mut claim = if again {
        let summary = format!(
            "The upgrade works as curl sends it; as browsers send it, with Origin and subprotocol, \
             it {what}."
        );
        claim(cause, Status::Broken, location, confidence.min(Confidence::Medium), summary, finding)
    } else {
        let summary = format!(
            "The upgrade works as curl sends it; as browsers send it, it {what}, once: that may \
             have another reason."
        );
        let (untold, nobody) = (Cause::Insufficient, Location::Undetermined);
        claim(untold, Status::Unknown, nobody, Confidence::Low, summary, finding)
    };
    claim.missing.push(run_again(e, NextStep::Browser, "--browser"));
    if e.twin().is_none() {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}
