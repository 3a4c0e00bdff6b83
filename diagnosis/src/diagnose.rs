//! From bundles to one diagnosis: the judgement, and all that is told beside it.

use crate::changes::changes;
use crate::checklist::{checklist, how_to_run};
use crate::configuration::{Configured, ConfiguredIssue};
use crate::curl_output;
use crate::device::devices;
use crate::evidence::{BundleView, Evidence, ReplyKind};
use crate::idle::idle;
use crate::judge::{Judgement, judge};
use crate::ladder::ladders;
use crate::model::{
    BundleSummary, CaseSummary, Compared, Diagnosis, Finding, PastedOutput, ReportFormat,
};
use crate::rule::configuration::Settled;
use crate::rule::{Check, Claim, Judged, rules};
use crate::signature::Signatures;
use crate::suggest;
use chrono::SecondsFormat;
use wss_bundle::Bundle;

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
    let stood_in = curl_output::in_place_of_probes(bundles, &pasted);
    let e = Evidence::new(stood_in.as_deref().unwrap_or(bundles), &pasted, signatures);
    let Judgement { mut verdict, alternatives, claims, mut notes, settled } = judge(&e);
    let changes = changes(&e);
    let judged =
        Judged { verdict: &verdict, changes: changes.as_ref(), judge: &crate::judge::verdict };
    look_at_the_judged(&e, &judged, &mut notes);
    let devices = devices(&e);
    verdict.missing.extend(suggest::configuration(&e, &devices, &verdict));
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
        changes,
        verdict,
    }
}

/// Asks the rules that look at what was judged; their findings stand where the rules do.
fn look_at_the_judged(e: &Evidence<'_>, judged: &Judged<'_>, notes: &mut Vec<Finding>) {
    let place = |id: &str| rules().iter().position(|rule| rule.id == id);
    for (at, rule) in rules().iter().enumerate() {
        let Check::Judged(check) = rule.check else { continue };
        let before = notes.iter().position(|note| place(note.rule) > Some(at));
        let before = before.unwrap_or(notes.len());
        let found = check(e, judged).into_iter().map(|found| Finding { rule: rule.id, ..found });
        notes.splice(before..before, found);
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
