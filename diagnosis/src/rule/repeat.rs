//! One question, several answers: several servers behind one address, a limit, or
//! a change in between. What rests on a single answer is less sure.

use super::{Answer, Check, Claim, Draft, Rule, capitalised, claim};
use crate::evidence::answers::LimitMet;
use crate::evidence::{Answers, Asked, Author, BundleView, Evidence, ReplyKind, RouteView};
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
fn cited(
    rule: &'static str,
    title: &str,
    focus: &BundleView<'_>,
    found: &[Answers<'_, '_>],
) -> Option<Draft> {
    let mut cites = found.iter().take(3).flat_map(|answers| {
        answers.groups.iter().filter_map(|group| {
            let first = group.first()?;
            let excerpt = format!("{} ({} of {})", first.words(), group.len(), answers.count());
            Some((first.observation, excerpt))
        })
    });
    let (observation, excerpt) = cites.next()?;
    let mut draft = Draft::new(rule, Severity::Error, title, focus, observation, excerpt);
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
    let Some(draft) = cited(BACKENDS_DIFFER.id, title, focus, &found) else { return Answer::Pass };
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
    let Some(draft) = cited(TURNED.id, title, focus, &found) else { return Answer::Pass };
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
    let (id, severity) = match in_turns {
        true => (RUNS_TAKE_TURNS.id, Severity::Error),
        false => (RUNS_DISAGREE.id, Severity::Warning),
    };
    let mut draft = Draft::new(id, severity, title, view, observation, excerpt);
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

/// How the handshakes fared that were spaced as a browser's are: refused by the
/// limit, and let pass.
fn spaced(route: &RouteView<'_>) -> (usize, usize) {
    let fared = fared(route, &route.spaced());
    let refused = fared.iter().filter(|refused| **refused).count();
    (refused, fared.len() - refused)
}

/// Which of some handshakes the limit refused, of those that it refused or let pass.
fn fared(route: &RouteView<'_>, all: &[&wss_bundle::Observation]) -> Vec<bool> {
    let among = |id: &str| all.iter().any(|o| o.id == id);
    let handshakes = route.replies().filter(|reply| {
        matches!(reply.observation.step, wss_bundle::Step::Upgrade(_))
            && among(&reply.observation.id)
    });
    handshakes
        .filter_map(|reply| {
            let refused = route.is_limits(reply.observation) || too_many(route, reply);
            (refused || reply.kind == ReplyKind::Switched).then_some(refused)
        })
        .collect()
}

/// Whether the limit only met the collector's own burst: what was asked last, alone and
/// after a while, passed; or so many passed at first as no browser opens.
fn only_the_burst(route: &RouteView<'_>) -> bool {
    // Asked again after its window, or at least as long after as was waited.
    if let Some(refused) = fared(route, &route.late()).last() {
        return !refused;
    }
    let fared = fared(route, &route.spaced());
    fared.len() > 1 && fared.last() == Some(&false)
}

/// Whether a limiter in so many words let more of the first burst pass than a browser
/// opens.
fn generous(route: &RouteView<'_>) -> bool {
    let (mut burst, spaced) = (route.observations.clone(), route.spaced());
    burst.retain(|o| !spaced.iter().skip(1).any(|other| other.id == o.id));
    let passed = fared(route, &burst).iter().filter(|refused| !**refused).count();
    let says_so = route
        .replies()
        .filter(|reply| route.is_limits(reply.observation) || too_many(route, reply))
        .all(|reply| reply.status == 429);
    says_so && passed >= MORE
}

/// A page of the console opens one socket or two; a limit that lets pass these and one
/// more does not meet it.
const MORE: usize = 3;

/// Whether a limit says so itself, whatever else passes.
fn too_many(route: &RouteView<'_>, reply: &crate::evidence::Reply<'_>) -> bool {
    reply.status == 429 && route.may_be_limits(&reply.observation.id)
}

/// What is known of the limit, for sentences.
fn whose(met: &[&crate::evidence::Reply<'_>]) -> (String, Location) {
    let device = met.iter().find_map(|reply| reply.device_name());
    let by_proxy = met
        .iter()
        .any(|reply| matches!(reply.author, Author::Device { role: DeviceRole::ForwardProxy, .. }));
    let location = if by_proxy { Location::ClientNetwork } else { Location::ServerSide };
    (device.unwrap_or_else(|| "Something on the way".to_owned()), location)
}

fn rate_limited(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    if route.goes_by_kind() {
        return Answer::Pass;
    }
    let (refused, passed) = spaced(route);
    let of_limit: Vec<_> = route
        .replies()
        .filter(|reply| matches!(reply.observation.step, wss_bundle::Step::Upgrade(_)))
        .filter(|reply| route.is_limits(reply.observation) || too_many(route, reply))
        .collect();
    // The first handshake of all is as spaced as any; two refusals are no chance.
    let met = refused > 1 && refused > passed && !only_the_burst(route);
    let (Some(first), true) = (of_limit.first(), met) else { return Answer::Pass };
    let (who, location) = whose(&of_limit);
    let of = refused + passed;
    let what = format!(
        "of {of} handshakes that were a second or more apart, {refused} were refused with {}",
        first.status
    );
    let some = route.replies().any(|reply| {
        reply.kind == ReplyKind::Switched && reply.observation.path.as_deref() == Some(path)
    });
    let finding = Draft::new(
        RATE_LIMITED.id,
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
    let generous = generous(route);
    let mut claim = claim(
        Cause::RateLimited,
        if some { Status::Unstable } else { Status::Broken },
        location,
        if generous { Confidence::Low } else { Confidence::Medium },
        format!("{who} refuses handshakes by a limit: {what}."),
        finding,
    );
    if generous {
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

fn limit_hides(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let Some(met) = route.limit_met().filter(|_| route.socket(path).works()) else {
        return Answer::NotApplicable;
    };
    let as_browsers = [Asked::Browser, Asked::Compressed];
    if as_browsers.iter().any(|asked| route.answers(*asked, path).count() > 0) {
        return Answer::Pass;
    }
    let of_browsers = met.refused.iter().find(|reply| {
        let own = reply.observation.path.as_deref() == Some(path);
        own && Asked::of(&reply.observation.probe).is_some_and(|asked| as_browsers.contains(&asked))
    });
    let Some(refused) = of_browsers else { return Answer::Pass };
    let finding = Draft::new(
        LIMIT_HIDES.id,
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
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let Some(LimitMet { refused, of }) = route.limit_met() else { return Answer::Pass };
    if matches!(rate_limited(e), Answer::Fail(_)) {
        return Answer::Pass;
    }
    let Some(first) = refused.first() else { return Answer::Pass };
    let (who, _) = whose(&refused);
    let by_number = refused.iter().all(|reply| route.is_by_number(reply));
    let (title, text) = match by_number {
        true => (
            "The collector's own handshakes were too many at a time",
            full(&who, first.status, refused.len(), of),
        ),
        false => (
            "The collector's own handshakes met a rate limit",
            burst(route, &who, first.status, refused.len(), of),
        ),
    };
    let (observation, line) = (first.observation, first.line());
    let draft = Draft::new(LIMIT_MET.id, Severity::Warning, title, focus, observation, line);
    Answer::Note(vec![draft.text(text).done()])
}

/// What a limit on how much is open at a time did.
fn full(who: &str, status: u16, refused: usize, of: usize) -> String {
    format!(
        "{who} answered {refused} of {of} handshakes with {status}, all of them while others of the \
         collector's were open or under way; each that was asked alone passed. So it takes only so \
         many at a time, and what is more waits in a queue until it is refused (HAProxy: maxconn on \
         the server line, and timeout queue; Envoy: circuit_breakers; Apache: max= of ProxyPass). \
         Every WebSocket takes one of these places for as long as it is open: several browsers at \
         once may meet it, one does not."
    )
}

/// What a limit on how much comes in a while did.
fn burst(route: &RouteView<'_>, who: &str, status: u16, refused: usize, of: usize) -> String {
    let (_, passed) = spaced(route);
    let late = fared(route, &route.late());
    let passed = match late.last() {
        Some(false) => ", also the one that was asked alone after a while",
        None if passed > 0 => ", also those that were a second or more apart",
        _ => "",
    };
    format!(
        "{who} answered {refused} of {of} handshakes with {status}, and let others pass{passed}: a \
         limit on handshakes or connections for each address (nginx: limit_req, limit_conn; HAProxy: \
         a stick-table; Envoy: local_rate_limit; Traefik: rateLimit). The collector opens more at a \
         time than a browser does; what was refused is compared with nothing. Where many people \
         share one address, they may meet it too."
    )
}
