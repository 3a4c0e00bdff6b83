//! From rules' answers to one verdict: the lowest broken layer is the cause, and
//! what lies above it is its effect. What two runs or two sides show of each other
//! is asked above this ([`crate::diagnose()`]).

use crate::evidence::answers::Limit;
use crate::evidence::{By, Evidence, SocketState};
use crate::model::{
    Alternative, Cause, Confidence, Finding, Location, Next, NextStep, Severity, Status, Verdict,
};
use crate::rule::configuration::{Settled, settle};
use crate::rule::{
    Answer, Check, Claim, answered_before, of_one_server, rests_on_one_answer, rules,
    speaks_against, unexplained, whose_way,
};
use crate::suggest::{run_again, run_at, run_outside, wait_longer};
use std::collections::BTreeSet;
use wss_bundle::Step;

/// What was judged of a case.
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    pub(crate) alternatives: Vec<Alternative>,
    /// The cause first.
    pub(crate) claims: Vec<Claim>,
    /// Findings that claim nothing, in the order of the rules.
    pub(crate) notes: Vec<Finding>,
    /// What the configurations came to; their findings are in `notes`.
    pub(crate) settled: Settled,
}

/// Asks every rule of the evidence, then the configurations with what was claimed,
/// and chooses.
pub(crate) fn judge(e: &Evidence<'_>) -> Judgement {
    let Asked { mut claims, mut notes, unsettled } = ask(e);
    let settled = settle(e, &mut claims, &mut notes);
    notes.extend(settled.notes.iter().cloned());
    let (mut verdict, alternatives) = choose(e, &claims, unsettled);
    name_the_line(&mut verdict, &mut claims, &notes);
    Judgement { verdict, alternatives, claims, notes, settled }
}

/// The verdict without the configurations.
pub(crate) fn verdict(e: &Evidence<'_>) -> Verdict {
    let Asked { claims, unsettled, .. } = ask(e);
    choose(e, &claims, unsettled).0
}

/// Where a configuration shows the very line, it is named, and the remedy begins
/// with it.
fn name_the_line(verdict: &mut Verdict, claims: &mut [Claim], notes: &[Finding]) {
    let cause = claims.first().filter(|claim| claim.cause == verdict.cause);
    let confirmed = cause.and_then(|claim| {
        let explains = |f: &&Finding| f.explains.contains(&claim.finding.rule);
        notes.iter().find(|f| f.severity == Severity::Error && explains(f))
    });
    let Some(confirmed) = confirmed else { return };
    verdict.summary.push_str(&format!(" The configuration shows where: {}.", confirmed.title));
    let line = confirmed.remedy.as_ref().and_then(|remedy| remedy.steps.first().cloned());
    let main = claims.first_mut().and_then(|claim| claim.finding.remedy.as_mut());
    if let (Some(line), Some(remedy)) = (line, main)
        && !remedy.steps.contains(&line)
    {
        remedy.steps.insert(0, line);
    }
}

/// What the rules said.
struct Asked {
    claims: Vec<Claim>,
    notes: Vec<Finding>,
    unsettled: Vec<Next>,
}

fn ask(e: &Evidence<'_>) -> Asked {
    let mut asked = Asked { claims: Vec::new(), notes: Vec::new(), unsettled: Vec::new() };
    // Of several servers no rule can speak that compares answers as one's.
    let one = !e.deciding().is_some_and(|(_, route, _)| route.contradicts_itself());
    for rule in rules().iter().filter(|rule| one || !of_one_server(rule)) {
        let Check::Evidence(check) = rule.check else { continue };
        match check(e).stamped(rule) {
            // What was given up too early shows nothing.
            Answer::Fail(claim) if rests_on_too_little(e, &claim) => {}
            Answer::Fail(claim) => asked.claims.push(*claim),
            Answer::Note(findings) => asked.notes.extend(findings),
            Answer::CannotTell(missing) => asked.unsettled.extend(missing),
            Answer::Pass | Answer::NotApplicable => {}
        }
    }
    asked
}

/// Whether a claim stands on silence that was not waited for long enough.
fn rests_on_too_little(e: &Evidence<'_>, claim: &Claim) -> bool {
    let shown = &claim.finding.evidence.first;
    e.deciding().is_some_and(|(focus, route, _)| {
        shown.bundle == focus.bundle.manifest.id
            && route.too_short.iter().any(|short| short.observation.id == shown.observation)
    })
}

fn choose(e: &Evidence<'_>, claims: &[Claim], unsettled: Vec<Next>) -> (Verdict, Vec<Alternative>) {
    let Some(first) = claims.first() else {
        return (without_claim(e, unsettled), Vec::new());
    };
    let mut alternatives: Vec<Alternative> = first
        .rivals
        .iter()
        .map(|(cause, confidence, why_not)| Alternative {
            cause: *cause,
            confidence: *confidence,
            why_not: why_not.clone(),
        })
        .collect();
    for later in &claims[1..] {
        if later.cause != first.cause && !alternatives.iter().any(|a| a.cause == later.cause) {
            alternatives.push(Alternative {
                cause: later.cause,
                confidence: later.confidence.min(Confidence::Medium),
                why_not: format!(
                    "it shows as well, and {} comes before it on the path: mend that first",
                    first.cause
                ),
            });
        }
    }
    let mut missing = first.missing.clone();
    let mut confidence = first.confidence;
    // What lies far apart in time may differ for other reasons than the place.
    if let Some((_, older)) = e.far_apart() {
        confidence = confidence.min(Confidence::Medium);
        missing.push(run_at(e, older.bundle.manifest.vantage));
    }
    // What somebody pasted is his word for where and against what it ran.
    if e.focus_is_pasted() {
        confidence = confidence.min(Confidence::Medium);
    }
    // Another server may give the next answer.
    if e.disagreeing_runs().is_some() {
        confidence = confidence.min(Confidence::Medium);
        missing.push(run_again(e, NextStep::Again, ""));
    }
    if rests_on_one_answer(e, first) {
        confidence = confidence.min(Confidence::Medium);
    }
    // A browser for which it works, by the same path and at the same time.
    if speaks_against(e, first) {
        confidence = Confidence::Low;
        missing.push(run_again(e, NextStep::Browser, "--browser"));
    }
    let mut summary = first.summary.clone();
    let (by, whose) = ways(e);
    if let Some(whose) = whose {
        summary = format!("{summary} {whose}");
        confidence = confidence.min(Confidence::Medium);
        missing.push(run_again(e, NextStep::Browser, "--browser"));
    }
    let own = e.deciding().is_some_and(|(_, route, _)| route.route.selected);
    if by == By::Divided && !own {
        alternatives.insert(0, some_browsers(first));
        let verdict = cannot_tell(
            format!("It works in one browser here and not in another. {summary}"),
            missing,
        );
        return (verdict, alternatives);
    }
    let verdict = Verdict {
        status: first.status,
        cause: first.cause,
        location: first.location,
        confidence,
        summary,
        missing: dedup(missing),
    };
    (verdict, alternatives)
}

/// How the deciding route was found, and what to say of the ways that clients
/// take, where it matters.
fn ways(e: &Evidence<'_>) -> (By, Option<String>) {
    let focus = e.focus();
    (focus.map_or(By::Settings, |view| view.deciding.by), focus.and_then(whose_way))
}

/// What is claimed of a way that some browsers take and others do not.
fn some_browsers(claim: &Claim) -> Alternative {
    Alternative {
        cause: claim.cause,
        confidence: claim.confidence.min(Confidence::Medium),
        why_not:
            "it is so on the way of one browser, and another takes a way that works; which is \
                  in use is not known"
                .into(),
    }
}

/// That it cannot be told, why, and what would tell.
fn cannot_tell(summary: String, missing: Vec<Next>) -> Verdict {
    Verdict {
        status: Status::Unknown,
        cause: Cause::Insufficient,
        location: Location::Undetermined,
        confidence: Confidence::Low,
        summary,
        missing: dedup(missing),
    }
}

/// No rule claims a cause: it works, or it cannot be told.
fn without_claim(e: &Evidence<'_>, unsettled: Vec<Next>) -> Verdict {
    let state = e.deciding().map(|(_, route, path)| route.socket(path));
    if state != Some(SocketState::Works) {
        if let Some(short) = e.too_short() {
            return cannot_tell(
                format!(
                    "Whether the WebSocket works cannot be told: it was not waited for long enough. {}",
                    short.sentence()
                ),
                vec![wait_longer(e, short.waited_ms, short.took_ms)],
            );
        }
        let mut missing = unsettled;
        if e.twin().is_none() && e.focus().is_some() {
            missing.push(run_outside(e));
        }
        if missing.is_empty() {
            missing.push(run_again(e, NextStep::Again, ""));
        }
        return cannot_tell(
            "What was collected does not tell whether the WebSocket works.".into(),
            missing,
        );
    }
    if let Some((summary, mut missing)) = unexplained(e) {
        missing.extend(unsettled);
        return cannot_tell(summary, missing);
    }
    // One that gets through now and then is no console.
    let limit = e.deciding().map(|(_, route, path)| route.limit(path));
    if let Some(Limit::LeavesLittle(met)) = &limit {
        let (refused, of) = (met.refused.len(), met.of);
        return cannot_tell(
            format!(
                "Whether the WebSocket works cannot be told: a rate limit refused {refused} of {of} \
                 handshakes, and with them every connection that was to be held. What it let through \
                 works."
            ),
            vec![run_again(e, NextStep::Again, "")],
        );
    }
    let held = e.deciding().and_then(|(_, route, _)| route.silent_for_s());
    let hold = e.too_short().filter(|short| matches!(short.observation.step, Step::Hold(_)));
    let mut missing = Vec::new();
    let summary = match held {
        Some(s) => format!(
            "The WebSocket works: upgrade and frames pass, and a silent connection was still open \
             after {s:.0} s; a limit above that is unknown."
        ),
        None => format!(
            "The WebSocket works: upgrade and frames pass. {}, so an idle timeout is not excluded.",
            match hold {
                Some(short) => format!("Of the connection that was held: {}", short.sentence()),
                None => "No connection was held".to_owned(),
            }
            .trim_end_matches('.')
        ),
    };
    missing.push(match (held, hold) {
        (Some(_), _) => run_again(e, NextStep::LongerHold, "--hold 1h"),
        (None, Some(short)) => wait_longer(e, short.waited_ms, short.took_ms),
        (None, None) => run_again(e, NextStep::LongerHold, "--hold 75s"),
    });
    if e.outside_works() == Some(true) {
        let asked = e.focus().is_some_and(|focus| !focus.browsers().is_empty());
        if !asked {
            missing.push(run_again(e, NextStep::Browser, "--browser"));
        }
        missing.push(run_again(
            e,
            NextStep::BrowserMessage,
            "--browser-message 'WHAT THE BROWSER CONSOLE SAYS'",
        ));
    }
    let both = e.deciding().is_some_and(|(_, route, _)| route.holdings().any(|one| one.pings()));
    let sure = held.is_some() && both;
    // That it was their number is told by what passed alone: by lot, another server may.
    let by_number = matches!(&limit, Some(Limit::Collectors(met)) if met.at_a_time);
    let most = if by_number { Confidence::Medium } else { Confidence::High };
    let mut confidence = if sure { most } else { Confidence::Medium };
    let mut summary = summary;
    if let Some(runs) = e.disagreeing_runs() {
        confidence = confidence.min(Confidence::Medium);
        summary = format!(
            "{summary} Runs of this case disagree within minutes (of {}: {}).",
            runs.all.len(),
            runs.counts()
        );
        missing.push(run_again(e, NextStep::Again, ""));
    }
    if let Some((path, reply)) = answered_before(e) {
        confidence = confidence.min(Confidence::Medium);
        let line = reply.line();
        summary = format!(
            "{summary} {path} does not reach Bindplane ({line}): a console that opens its socket there \
             stays offline."
        );
    }
    if let (by, Some(whose)) = ways(e) {
        summary = format!("{summary} {whose}");
        let most = if by == By::Untold { Confidence::Low } else { Confidence::Medium };
        confidence = confidence.min(most);
        missing.push(run_again(e, NextStep::Browser, "--browser"));
    }
    Verdict {
        status: Status::Working,
        cause: Cause::None,
        location: Location::None,
        confidence,
        summary,
        missing: dedup(missing),
    }
}

fn dedup(items: Vec<Next>) -> Vec<Next> {
    let mut seen = BTreeSet::new();
    items.into_iter().filter(|next| seen.insert(next.command.clone())).collect()
}
