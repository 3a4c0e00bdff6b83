//! From rules' answers to one diagnosis: the lowest broken layer is the cause,
//! and what lies above it is its effect.

use crate::changes::changes;
use crate::checklist::{checklist, how_to_run};
use crate::configuration::{Configured, ConfiguredIssue};
use crate::curl_output;
use crate::device::devices;
use crate::evidence::{BundleView, By, Evidence, ReplyKind, SocketState};
use crate::idle::idle;
use crate::ladder::ladders;
use crate::model::{
    Alternative, BundleSummary, CaseSummary, Cause, Compared, Confidence, Diagnosis, Finding,
    Location, PastedOutput, ReportFormat, Severity, Status, Verdict,
};
use crate::rule::configuration::{Settled, settle};
use crate::rule::{
    AGAIN, Answer, Claim, Rule, of_one_server, rests_on_one_answer, rules, run_again, run_at,
    run_outside, speaks_against, unexplained, wait_longer, whose_way,
};
use crate::signature::Signatures;
use chrono::SecondsFormat;
use std::collections::BTreeSet;
use wss_bundle::observation::probe;
use wss_bundle::{Bundle, Step};

/// Judges one or several bundles of a case. The order of `bundles`, and of the
/// observations in them, does not matter.
#[must_use]
pub fn diagnose(bundles: &[Bundle]) -> Diagnosis {
    diagnose_with(bundles, Signatures::built_in())
}

/// The same with signatures of the caller's choice.
#[must_use]
pub fn diagnose_with(bundles: &[Bundle], signatures: &Signatures) -> Diagnosis {
    let pasted = curl_output::all(bundles);
    let e = Evidence::new(bundles, &pasted, signatures);
    let Asked { mut claims, mut notes, unsettled } = ask(&e, |_| true);
    let settled = settle(&e, &mut claims, &mut notes);
    notes.extend(settled.notes.iter().cloned());
    let (mut verdict, alternatives) = judge(&e, &claims, unsettled);
    // Where a configuration shows the very line, it is named.
    let cause = claims.first().filter(|claim| claim.cause == verdict.cause);
    let confirmed = cause.and_then(|claim| {
        let explains = |f: &&Finding| f.explains.contains(&claim.finding.rule);
        notes.iter().find(|f| f.severity == Severity::Error && explains(f))
    });
    if let Some(confirmed) = confirmed {
        verdict.summary.push_str(&format!(" The configuration shows where: {}.", confirmed.title));
        // The remedy for the cause begins with the very line.
        let line = confirmed.remedy.as_ref().and_then(|remedy| remedy.steps.first().cloned());
        let main = claims.first_mut().and_then(|claim| claim.finding.remedy.as_mut());
        if let (Some(line), Some(remedy)) = (line, main)
            && !remedy.steps.contains(&line)
        {
            remedy.steps.insert(0, line);
        }
    }
    let devices = devices(&e);
    let findings = findings(claims, notes);
    let configuration = configured(&e, settled, &findings);
    Diagnosis {
        format: ReportFormat { name: "wss-report", major: 1, minor: 0 },
        case: case(&e),
        checklist: checklist(&e, &devices, &verdict),
        findings,
        configuration,
        alternatives,
        devices,
        routes: ladders(&e),
        idle: idle(&e),
        compared: Compared {
            focus: e.focus().map(|view| view.bundle.manifest.id.clone()),
            twin: e
                .twin()
                .filter(|_| !e.twin_is_pasted())
                .map(|view| view.bundle.manifest.id.clone()),
            pasted: pasted_outputs(&e),
        },
        changes: changes(&e),
        verdict,
    }
}

/// What the configurations say, with the finding that each issue became.
fn configured(e: &Evidence<'_>, settled: Settled, findings: &[Finding]) -> Option<Configured> {
    let place = |note: usize| {
        let finding = settled.notes.get(note)?;
        findings.iter().position(|known| known == finding)
    };
    let issues = settled
        .shown
        .iter()
        .filter_map(|(reading, issue, note, seen)| {
            let (reading, issue, seen) = (*reading, *issue, *seen);
            Some(ConfiguredIssue { reading, issue, seen, finding: place(*note)? })
        })
        .collect();
    let path = e.focus().map_or("", |view| view.path).to_owned();
    Some(Configured { path, checked: settled.checked?, issues })
}

/// What was pasted, and what each says.
fn pasted_outputs(e: &Evidence<'_>) -> Vec<PastedOutput> {
    let speaks = |view: Option<&BundleView<'_>>, entry: &str| {
        view.and_then(BundleView::selected)
            .is_some_and(|route| route.observations.iter().any(|o| o.id == entry))
    };
    e.pasted
        .iter()
        .map(|output| PastedOutput {
            bundle: output.bundle.clone(),
            entry: output.entry.clone(),
            vantage: output.vantage.as_str().to_owned(),
            outcome: output.outcome.clone(),
            no_test: output.view.as_ref().err().map(|why| why.why()),
            again: output.view.as_ref().err().map(|why| how_to_run(e, Some(why))),
            beside: output.beside,
            observation: output.id.clone(),
            compared: speaks(e.focus(), &output.id) || speaks(e.twin(), &output.id),
            switched: e
                .outputs
                .iter()
                .find(|view| speaks(Some(view), &output.id))
                .and_then(|view| view.selected()?.upgrade_reply(view.path))
                .map(|reply| reply.kind == ReplyKind::Switched),
        })
        .collect()
}

/// The verdict alone.
pub(crate) fn verdict(e: &Evidence<'_>) -> Verdict {
    let Asked { claims, unsettled, .. } = ask(e, |rule| !AGAIN.contains(&rule.id));
    judge(e, &claims, unsettled).0
}

/// What the rules said.
struct Asked {
    claims: Vec<Claim>,
    notes: Vec<Finding>,
    unsettled: Vec<String>,
}

fn ask(e: &Evidence<'_>, which: impl Fn(&Rule) -> bool) -> Asked {
    let mut asked = Asked { claims: Vec::new(), notes: Vec::new(), unsettled: Vec::new() };
    // Of several servers no rule can speak that compares answers as one's.
    let one = !e.deciding().is_some_and(|(_, route, _)| route.contradicts_itself());
    for rule in rules().iter().filter(|rule| which(rule) && (one || !of_one_server(rule))) {
        match (rule.check)(e) {
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

fn judge(
    e: &Evidence<'_>,
    claims: &[Claim],
    unsettled: Vec<String>,
) -> (Verdict, Vec<Alternative>) {
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
        missing.push(run_at(e, older.bundle.manifest.vantage.as_str()));
    }
    // What somebody pasted is his word for where and against what it ran.
    if e.focus_is_pasted() {
        confidence = confidence.min(Confidence::Medium);
    }
    // Another server may give the next answer.
    if e.disagreeing_runs().is_some() {
        confidence = confidence.min(Confidence::Medium);
        missing.push(run_again(e, ""));
    }
    if rests_on_one_answer(e, first) {
        confidence = confidence.min(Confidence::Medium);
    }
    // A browser for which it works, by the same path and at the same time.
    if speaks_against(e, first) {
        confidence = Confidence::Low;
        missing.push(run_again(e, "--browser"));
    }
    let mut summary = first.summary.clone();
    let (by, whose) = ways(e);
    if let Some(whose) = whose {
        summary = format!("{summary} {whose}");
        confidence = confidence.min(Confidence::Medium);
        missing.push(run_again(e, "--browser"));
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
fn cannot_tell(summary: String, missing: Vec<String>) -> Verdict {
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
fn without_claim(e: &Evidence<'_>, unsettled: Vec<String>) -> Verdict {
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
            missing.push(run_again(e, ""));
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
    let held = e.deciding().and_then(|(_, route, _)| {
        route.hold(probe::HOLD_SILENT).map(|(_, planned, _)| planned.planned_ms / 1e3)
    });
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
        (Some(_), _) => run_again(e, "--hold 1h"),
        (None, Some(short)) => wait_longer(e, short.waited_ms, short.took_ms),
        (None, None) => run_again(e, "--hold 75s"),
    });
    if e.outside_works() == Some(true) {
        let asked = e.focus().is_some_and(|focus| !focus.browsers().is_empty());
        if !asked {
            missing.push(run_again(e, "--browser"));
        }
        missing.push(run_again(e, "--browser-message 'WHAT THE BROWSER CONSOLE SAYS'"));
    }
    let both = e.deciding().is_some_and(|(_, route, _)| route.holdings().any(|one| one.pings()));
    let sure = held.is_some() && both;
    let mut confidence = if sure { Confidence::High } else { Confidence::Medium };
    let mut summary = summary;
    if let Some(runs) = e.disagreeing_runs() {
        confidence = confidence.min(Confidence::Medium);
        summary = format!(
            "{summary} Runs of this case disagree within minutes (of {}: {}).",
            runs.all.len(),
            runs.counts()
        );
        missing.push(run_again(e, ""));
    }
    if let (by, Some(whose)) = ways(e) {
        summary = format!("{summary} {whose}");
        let most = if by == By::Untold { Confidence::Low } else { Confidence::Medium };
        confidence = confidence.min(most);
        missing.push(run_again(e, "--browser"));
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

fn dedup(items: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    items.into_iter().filter(|i| seen.insert(i.clone())).collect()
}

/// The cause first, its effects folded under it, then notes by severity.
fn findings(claims: Vec<Claim>, mut notes: Vec<Finding>) -> Vec<Finding> {
    let effects: Vec<&'static str> = claims.iter().skip(1).map(|c| c.finding.rule).collect();
    let mut out: Vec<Finding> = claims.into_iter().map(|c| c.finding).collect();
    if let Some(first) = out.first_mut() {
        first.explains = effects;
    }
    notes.sort_by_key(|f| f.severity);
    out.extend(notes);
    out
}

fn case(e: &Evidence<'_>) -> CaseSummary {
    let target = e.focus().map(|f| f.bundle.manifest.target.url(f.path)).unwrap_or_default();
    CaseSummary {
        id: e.focus().map(|v| v.bundle.manifest.case.clone()).unwrap_or_default(),
        target,
        path: e.focus().map(|f| f.path.to_owned()).unwrap_or_default(),
        bundles: e
            .bundles
            .iter()
            .map(|v| BundleSummary {
                id: v.bundle.manifest.id.clone(),
                vantage: v.bundle.manifest.vantage.as_str().into(),
                collected_at: v
                    .bundle
                    .manifest
                    .started_at
                    .to_rfc3339_opts(SecondsFormat::Secs, true),
                complete: v.bundle.manifest.complete,
                defects: v.bundle.defects.iter().map(ToString::to_string).collect(),
                not_used: v.bundle.manifest.not_used.clone(),
            })
            .collect(),
    }
}
