//! Every rule can say that it cannot tell: of nothing, and of a collection that
//! was stopped at any moment.

use crate::cases::cases;
use wss_diagnosis::evidence::Evidence;
use wss_diagnosis::rule::{Answer, Check};
use wss_diagnosis::signature::Signatures;
use wss_diagnosis::{Confidence, Status, diagnose, rules};

#[test]
fn no_rule_claims_anything_of_nothing() {
    for case in cases() {
        let mut bundles = case.bundles.clone();
        for bundle in &mut bundles {
            bundle.observations.observations.clear();
            bundle.attachments.clear();
            bundle.observations.browser.clear();
        }
        let evidence = Evidence::new(&bundles, &[], Signatures::built_in());
        for rule in rules() {
            let answer = match rule.check {
                Check::Evidence(check) => check(&evidence),
                Check::Settled | Check::Judged(_) => continue,
            };
            assert!(!matches!(answer, Answer::Fail(_)), "{}: {} claims", case.name, rule.id);
        }
        let verdict = diagnose(&bundles).verdict;
        assert_eq!(verdict.status, Status::Unknown, "{}", case.name);
        assert!(!verdict.missing.is_empty(), "{}", case.name);
    }
}

#[test]
fn a_collection_that_was_stopped_makes_no_confident_wrong_verdict() {
    let mut wrong = Vec::new();
    for case in cases() {
        for at in 0..case.bundles.len() {
            let all = case.bundles[at].observations.observations.len();
            // Connect, TLS, exchange: every moment of one connection comes up somewhere.
            for kept in (0..all).step_by(2) {
                let mut bundles = case.bundles.clone();
                bundles[at].observations.observations.truncate(kept);
                bundles[at].manifest.complete = false;
                let verdict = diagnose(&bundles).verdict;
                let cause = verdict.cause.slug();
                if verdict.confidence == Confidence::High
                    && cause != case.expect.1
                    && cause != "insufficient"
                {
                    wrong.push(format!(
                        "{} after {kept} of {all}: {cause}: {}",
                        case.name, verdict.summary
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
