//! What the pairing of bundles itself tells: what could not be compared, what
//! lies far apart, and what changed between two runs.

use super::{Answer, Check, Draft, Judged, Rule};
use crate::checklist::how_to_run;
use crate::evidence::{BundleView, Evidence};
use crate::model::{Finding, Location, Severity, Status};
use crate::suggest::run_at;
use wss_bundle::Observation;

pub(super) const NOT_COMPARABLE: Rule = Rule {
    id: "not-comparable",
    title: "Inside and outside cannot be compared",
    looks_for: "bundles of one case that tried different targets or paths, sent different \
                requests, were led to different servers, or lie too far apart",
    why: "the page's table holds only for the same request to the same server from two places",
    remedy: "run the collector for the same target from both sides",
    check: Check::Evidence(not_comparable),
};
pub(super) const COLLECTED_APART: Rule = Rule {
    id: "collected-apart",
    title: "Inside and outside were collected far apart in time",
    looks_for: "bundles of one case with more than a day between them",
    why: "something may have been changed in between, and then the difference between them shows \
          the change and not the place; no verdict that could rest on it is of high confidence",
    remedy: "run the collector again from the side that is older",
    check: Check::Evidence(collected_apart),
};
pub(super) const CHANGED_SINCE: Rule = Rule {
    id: "changed-since",
    title: "What changed since the run before",
    looks_for: "an earlier bundle from the same side and for the same target",
    why: "before and after a change are twins, too: the layers that differ are what the change did",
    remedy: "none: for comparison",
    check: Check::Judged(changed_since),
};
pub(super) const SECOND_FAULT: Rule = Rule {
    id: "second-fault",
    title: "From the other side it fails as well, for another reason",
    looks_for: "a bundle from the other side whose own verdict names a cause that the deciding \
                side's does not",
    why: "two faults in a row hide one another: when the first is mended, the second shows",
    remedy: "mend both, the one nearer to the browser first",
    check: Check::Judged(second_fault),
};
pub(super) const CURL_OUTPUT_NO_TEST: Rule = Rule {
    id: "curl-output-no-test",
    title: "A pasted curl output is no valid test",
    looks_for: "curl output given with --curl-output that went over HTTP/2, that lacks a header \
                without which a server must refuse a handshake (Upgrade, Connection, \
                Sec-WebSocket-Key, Sec-WebSocket-Version), that asked another host, port or path, \
                that another program made, or that has no response in it",
    why: "on https, curl offers h2; where it is taken, Connection and Upgrade are dropped, and the \
          answer says nothing about WebSocket (measured: curl 7.88.1 with nginx 1.22.1). Without a \
          key HAProxy since 2.4 and gorilla refuse by themselves (haproxy#1642)",
    remedy: "run the page's command again with --http1.1",
    check: Check::Evidence(curl_output_no_test),
};

fn not_comparable(e: &Evidence<'_>) -> Answer {
    let notes: Vec<_> = e
        .aside()
        .filter_map(|(view, why)| {
            let observation = view.selected()?.observations.first().copied()?;
            let title = "Two bundles cannot be compared";
            let draft = Draft::new(Severity::Warning, title, view, observation, why);
            let at = view.bundle.manifest.started_at.format("%Y-%m-%d %H:%M UTC");
            Some(
                draft
                    .text(format!(
                        "The bundle from {} of {at} is left out of the comparison, because {why}.",
                        view.bundle.manifest.vantage.as_str()
                    ))
                    .done(),
            )
        })
        .collect();
    if notes.is_empty() { Answer::NotApplicable } else { Answer::Note(notes) }
}

fn curl_output_no_test(e: &Evidence<'_>) -> Answer {
    let Some(focus) = e.focus() else { return Answer::NotApplicable };
    let speaks = |id: &str| {
        let views = [e.focus(), e.twin()].into_iter().flatten();
        views.flat_map(|v| v.selected()).flat_map(|r| &r.observations).any(|o| o.id == id)
    };
    let notes: Vec<_> = e
        .pasted
        .iter()
        .filter_map(|output| {
            let side = output.vantage.as_str();
            let (title, why) = match &output.view {
                Err(why) if output.beside => ("has more in it, which is left aside", why.why()),
                Err(why) => ("is no valid test", why.why()),
                // Beside a bundle of the same side it is not needed.
                Ok(_) if speaks(&output.id) || e.twin().is_some() => return None,
                Ok(view) if view.manifest.vantage == focus.bundle.manifest.vantage => return None,
                Ok(view) => (
                    "cannot be compared",
                    format!(
                        "it did not ask for what was asked for here in the same way: {} there, {} \
                         here",
                        view.manifest.target.url(view.manifest.target.paths.first()?),
                        focus.bundle.manifest.target.url(focus.path)
                    ),
                ),
            };
            let title = format!("The pasted curl output from {side} {title}");
            let severity = if output.beside { Severity::Info } else { Severity::Warning };
            let draft = Draft::pasted(severity, title, output);
            let again = match output.beside {
                true => String::new(),
                false => {
                    format!(" Run it again there: {}", how_to_run(e, output.view.as_ref().err()))
                }
            };
            let text = format!(
                "{} shows {:?}, and cannot be used: {why}.{again}",
                output.id, output.outcome
            );
            Some(draft.text(text).done())
        })
        .collect();
    if notes.is_empty() { Answer::NotApplicable } else { Answer::Note(notes) }
}

fn collected_apart(e: &Evidence<'_>) -> Answer {
    let Some((span, older)) = e.far_apart() else { return Answer::NotApplicable };
    let Some(observation) = older.selected().and_then(|r| r.observations.first().copied()) else {
        return Answer::NotApplicable;
    };
    let title = format!("Inside and outside were collected {span} apart");
    let at = older.bundle.manifest.started_at.format("%Y-%m-%d %H:%M UTC").to_string();
    Answer::Note(vec![
        Draft::new(Severity::Warning, title, older, observation, at)
            .text(format!(
                "Something may have been changed in between. A new run settles it: {}",
                run_at(e, older.bundle.manifest.vantage)
            ))
            .done(),
    ])
}

fn changed_since(e: &Evidence<'_>, judged: &Judged<'_>) -> Vec<Finding> {
    let found = || {
        // Within minutes it is a contradiction, and told as one.
        let found = judged.changes.filter(|_| e.disagreeing_runs().is_none())?;
        let (before, after) = (e.before()?, e.focus()?);
        Some((found, before, after, shows(after)?, shows(before)?))
    };
    let Some((found, before, after, (first, new), (second, old))) = found() else {
        return Vec::new();
    };
    let at = before.bundle.manifest.started_at.format("%Y-%m-%d %H:%M UTC");
    let mut lines: Vec<String> = Vec::new();
    if found.routes.0 != found.routes.1 {
        lines.push(format!("the route was {} and is {}", found.routes.0, found.routes.1));
    }
    for change in found.layers.iter().filter(|change| change.changed) {
        let (was, is) = (change.before.words(), change.after.words());
        lines.push(format!("{}: was {was}, is {is}", change.layer));
    }
    let what = if lines.is_empty() {
        "No layer's outcome changed.".to_owned()
    } else {
        format!("Changed: {}.", lines.join("; "))
    };
    let then = &found.verdict_before;
    vec![
        Draft::new(Severity::Info, format!("What changed since {at}"), after, first, new)
            .text(format!("At {at} the verdict was {} ({}). {what}", then.status, then.cause))
            .also(Some(before.cite(second, old)))
            .done(),
    ]
}

fn second_fault(e: &Evidence<'_>, judged: &Judged<'_>) -> Vec<Finding> {
    let own = judged.verdict;
    // One pasted response is not enough for a verdict of its own; and where it works
    // from there, or the fault here is not the client's, there is nothing to find.
    let twin = e.twin().filter(|_| {
        !e.twin_is_pasted()
            && e.outside_works() != Some(true)
            && own.location == Location::ClientNetwork
    });
    let Some(twin) = twin else { return Vec::new() };
    let theirs = (judged.judge)(&e.alone(twin));
    // Whatever stands between is the twin's own: a proxy there is not on the path here.
    let at_server = matches!(theirs.location, Location::ServerSide | Location::Target);
    if !matches!(theirs.status, Status::Broken | Status::Unstable)
        || !at_server
        || own.cause == theirs.cause
    {
        return Vec::new();
    }
    let Some((observation, excerpt)) = shows(twin) else { return Vec::new() };
    let side = twin.bundle.manifest.vantage.as_str();
    let title = format!("From {side} it fails as well, for another reason");
    vec![
        Draft::new(Severity::Error, title, twin, observation, excerpt)
            .text(format!(
                "{} When what breaks it here is mended, this is what comes next.",
                theirs.summary
            ))
            .done(),
    ]
}

/// What a run came to: the answer to its upgrade, or how its last step ended.
fn shows<'a>(view: &BundleView<'a>) -> Option<(&'a Observation, String)> {
    let route = view.selected()?;
    if let Some(reply) = route.upgrade_reply(view.path) {
        return Some((reply.observation, reply.line()));
    }
    let last = route.observations.last()?;
    Some((last, last.step.failure().map(ToString::to_string).unwrap_or_default()))
}
