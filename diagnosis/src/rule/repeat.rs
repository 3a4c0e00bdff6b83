//! One question, several answers: several servers behind one address, or a change in
//! between. What rests on a single answer is less sure.

use super::{Answer, Check, Claim, Draft, Rule, capitalised, claim};
use crate::evidence::{Answers, Author, BundleView, Evidence, ReplyKind, RouteView};
use crate::model::NextStep;
use crate::model::{Cause, Confidence, DeviceRole, Location, Severity, Status};
use crate::remedy;
use crate::suggest::run_again;

pub(super) const BACKENDS_DIFFER: Rule = Rule {
    id: "backends-differ",
    title: "The same request gets contradicting answers",
    looks_for: "one kind of request, by one route and for one path, that is answered in different \
                ways: another class of status, another kind of answer, another author",
    why: "an honest server gives one answer to one question; behind one address there may be \
          several, and each request lands on the one whose turn it is (round robin is the default \
          of nginx, HAProxy and most others), so that a twin that differs shows the server and not \
          the difference",
    remedy: "find the node that differs, and have the health check ask for the socket",
    check: Check::Evidence(backends_differ),
};
pub(super) const TURNED: Rule = Rule {
    id: "insufficient-turned",
    title: "The answer changed while it was collected",
    looks_for: "one kind of request that is answered in one way up to a moment, and in another from \
                then on, more than once each",
    why: "a restart, a failover or a ban after too many requests looks like that; several servers in \
          turn do not",
    remedy: "run it again",
    check: Check::Evidence(turned),
};
pub(super) const RUNS_TAKE_TURNS: Rule = Rule {
    id: "backends-differ-by-run",
    title: "Runs of one case are answered in turns",
    looks_for: "three or more runs of one case from one side, minutes apart, whose answers go to and \
                fro",
    why: "nothing is mended and broken again within minutes: each run landed on another server",
    remedy: "find the node that differs, and have the health check ask for the socket",
    check: Check::Evidence(|e| runs(e, true)),
};
pub(super) const RUNS_DISAGREE: Rule = Rule {
    id: "runs-disagree",
    title: "Runs of one case disagree within minutes",
    looks_for: "runs of one case from one side, minutes apart, that were answered in different ways",
    why: "what changes within minutes may as well change back; only who knows that something was \
          mended in between can take the last run's word",
    remedy: "run it again",
    check: Check::Evidence(|e| runs(e, false)),
};

/// Whether a rule compares answers as if one server gave them. Rules are in the order
/// of layers: from the first answer up, but for what becomes of connections that are held.
pub(crate) fn of_one_server(rule: &Rule) -> bool {
    let at = |id: &str| super::rules().iter().position(|other| other.id == id);
    let own = at(rule.id);
    let compared = at(TURNED.id) < own && own < at(super::hold::CUT_TOGETHER.id);
    let notes = ["curl-over-http2", "agent-path-works", "browser-works", "server-version"];
    compared || notes.contains(&rule.id)
}

/// Whether a claim about an upgrade rests on a single answer, here or from the other
/// side: another server may have given the next.
pub(crate) fn rests_on_one_answer(e: &Evidence<'_>, claim: &Claim) -> bool {
    let Some((focus, route, path)) = e.deciding() else { return false };
    let shown = &claim.finding.evidence.first;
    let own = shown.bundle == focus.bundle.manifest.id && !e.focus_is_pasted();
    if own && route.agreeing(&shown.observation) == Some(1) {
        return true;
    }
    // A limiter's answer is the limit's as well as the server's.
    if own && claim.cause == Cause::NoHealthyBackend && route.may_be_limits(&shown.observation) {
        return true;
    }
    let alone = |route: &RouteView<'_>, path: &str| {
        let reply = route.upgrade_reply(path).filter(|reply| reply.kind != ReplyKind::Switched);
        reply.is_some_and(|reply| route.agreeing(&reply.observation.id) == Some(1))
    };
    let about_upgrade = route.agreeing(&shown.observation).is_some();
    // The other ways and the other side are what the blame rests on.
    let beside = focus.direct().filter(|direct| direct.route.id != route.route.id);
    let twin = e.twin().filter(|_| !e.twin_is_pasted());
    own && about_upgrade
        && (beside.is_some_and(|direct| alone(direct, path))
            || twin.and_then(|t| Some((t.selected()?, t.path))).is_some_and(|(r, p)| alone(r, p)))
}

/// What contradicts itself on the deciding route; all but one change in time, or that.
fn contradictions<'e, 'a>(
    e: &'e Evidence<'a>,
    turned: bool,
) -> Option<(&'e BundleView<'a>, &'e RouteView<'a>, Vec<Answers<'e, 'a>>)> {
    let (focus, route, path) = e.deciding()?;
    let found = route.contradictions(path);
    let all_turned = found.iter().all(|answers| answers.turned().is_some());
    (!found.is_empty() && all_turned == turned).then_some((focus, route, found))
}

/// A finding that cites the first of each kind of answer, with counts.
fn cited(title: &str, focus: &BundleView<'_>, found: &[Answers<'_, '_>]) -> Option<Draft> {
    let mut cites = found.iter().take(3).flat_map(|answers| {
        answers.groups.iter().filter_map(|group| {
            let first = group.first()?;
            let excerpt = format!("{} ({} of {})", first.words(), group.len(), answers.count());
            Some((first.observation, excerpt))
        })
    });
    let (observation, excerpt) = cites.next()?;
    let mut draft = Draft::new(Severity::Error, title, focus, observation, excerpt);
    for (observation, excerpt) in cites {
        draft = draft.also(Some(focus.cite(observation, excerpt)));
    }
    Some(draft)
}

fn counts(found: &[Answers<'_, '_>]) -> String {
    let all: Vec<String> = found.iter().take(4).map(Answers::counts).collect();
    capitalised(&all.join("; "))
}

/// Whose the answers are: a forward proxy's own page is the client's side's.
fn location(found: &[Answers<'_, '_>]) -> Location {
    let by_proxy = found.iter().flat_map(|answers| answers.groups.iter().flatten()).any(|answer| {
        let author = answer.reply.map(|reply| &reply.author);
        matches!(author, Some(Author::Device { role: DeviceRole::ForwardProxy, .. }))
    });
    if by_proxy { Location::ClientNetwork } else { Location::ServerSide }
}

fn backends_differ(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, found)) = contradictions(e, false) else { return Answer::Pass };
    let title = "The same request gets contradicting answers";
    let Some(draft) = cited(title, focus, &found) else { return Answer::Pass };
    // An answer that came once may be a moment's; one that came back is a node's.
    let again = found.iter().any(|answers| answers.rarest() > 1);
    let device = route.replies().find_map(|reply| {
        let balancer = |role| matches!(role, DeviceRole::LoadBalancer | DeviceRole::Cdn);
        let found = reply.devices.iter().find(|m| balancer(m.signature.role));
        found.map(|m| m.signature.id.clone())
    });
    let finding = draft
        .text(format!(
            "{}. The same request, by the same way, got these answers within one run: {}. So no \
             difference between single probes is taken for a cause.",
            counts(&found),
            if again {
                "behind this address are several servers, and one of them does not do what the \
                 others do"
            } else {
                "one of several servers may differ, or it was a moment's fault"
            }
        ))
        .remedy(remedy::bad_node(e, device.as_deref()))
        .done();
    let mut claim = claim(
        Cause::BackendsDiffer,
        Status::Unstable,
        location(&found),
        if again { Confidence::Medium } else { Confidence::Low },
        format!(
            "The same request gets contradicting answers: {}. One of several servers behind this \
             address differs.",
            found[0].counts()
        ),
        finding,
    );
    if !again {
        claim.rivals.push((
            Cause::Insufficient,
            Confidence::Low,
            "one of the answers came only once: it may have been a moment's fault".into(),
        ));
    }
    claim.missing.push(run_again(e, NextStep::Again, ""));
    Answer::Fail(Box::new(claim))
}

fn turned(e: &Evidence<'_>) -> Answer {
    let Some((focus, _, found)) = contradictions(e, true) else { return Answer::Pass };
    let title = "The answer changed while it was collected";
    let Some(draft) = cited(title, focus, &found) else { return Answer::Pass };
    let at = found[0].turned().map_or(0.0, |answer| answer.span().0 / 1e3);
    let finding = draft
        .text(format!(
            "{}. Up to {at:.1} s after the beginning it was the one, from then on the other: \
             something changed in between (a restart, a failover, a deployment, or a ban after so \
             many requests).",
            counts(&found)
        ))
        .remedy(remedy::event(e))
        .done();
    let mut claim = claim(
        Cause::Insufficient,
        Status::Unstable,
        Location::Undetermined,
        Confidence::Low,
        format!(
            "The answer to the same request changed while it was collected: {}.",
            found[0].counts()
        ),
        finding,
    );
    claim.rivals.push((
        Cause::BackendsDiffer,
        Confidence::Low,
        "the answers did not take turns: first the one, then the other".into(),
    ));
    claim.missing.push(run_again(e, NextStep::Again, ""));
    Answer::Fail(Box::new(claim))
}

/// Runs that disagree: in turns, or once.
fn runs(e: &Evidence<'_>, in_turns: bool) -> Answer {
    let Some(runs) = e.disagreeing_runs() else { return Answer::NotApplicable };
    if (runs.turns() > 1) != in_turns {
        return Answer::Pass;
    }
    let cited = runs.all.iter().filter_map(|run| {
        let route = run.view.selected()?;
        let reply = route.upgrade_reply(run.view.path).map(|reply| reply.observation);
        let o = reply.or_else(|| route.upgrade_failure(run.view.path).map(|(o, _)| o))?;
        Some((run.view, o, run.answer.clone()))
    });
    let mut cited = cited.collect::<Vec<_>>().into_iter();
    let Some((view, observation, excerpt)) = cited.next() else { return Answer::Pass };
    let title = "Runs of one case disagree within minutes";
    let severity = if in_turns { Severity::Error } else { Severity::Warning };
    let mut draft = Draft::new(severity, title, view, observation, excerpt);
    for (view, observation, excerpt) in cited {
        draft = draft.also(Some(view.cite(observation, excerpt)));
    }
    let count = format!("of {} runs minutes apart: {}", runs.all.len(), runs.counts());
    if !in_turns {
        let text = format!(
            "The upgrade was answered, {count}. Unless something was changed in between, several \
             servers answer behind this address, or it comes and goes; another run or two tell."
        );
        return Answer::Note(vec![draft.text(text).done()]);
    }
    let finding = draft
        .text(format!(
            "The upgrade was answered, {count}, to and fro: several servers answer behind this \
             address, and one of them does not do what the others do."
        ))
        .remedy(remedy::bad_node(e, None))
        .done();
    let mut claim = claim(
        Cause::BackendsDiffer,
        Status::Unstable,
        Location::ServerSide,
        Confidence::Medium,
        format!("The same request gets contradicting answers, {count}."),
        finding,
    );
    claim.missing.push(run_again(e, NextStep::Again, ""));
    Answer::Fail(Box::new(claim))
}
