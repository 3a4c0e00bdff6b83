//! What holds for every case.

use crate::cases::{Case, cases};
use proptest::prelude::*;
use std::collections::BTreeSet;
use wss_bundle::Bundle;
use wss_bundle::manifest::GivenOption;
use wss_diagnosis::{Confidence, Diagnosis, Layer, diagnose};

fn json(bundles: &[Bundle]) -> String {
    serde_json::to_string_pretty(&diagnose(bundles)).unwrap()
}

#[test]
fn every_finding_cites_what_is_there() {
    for case in cases() {
        let diagnosis = diagnose(&case.bundles);
        let known: BTreeSet<(&str, &str)> = case
            .bundles
            .iter()
            .flat_map(|b| {
                let own = b.observations.observations.iter().map(|o| o.id.as_str());
                let browsers = b.observations.browser.iter().map(|seen| seen.id.as_str());
                own.chain(browsers).map(|id| (b.manifest.id.as_str(), id))
            })
            .collect();
        let given = |bundle: &str, entry: &str| {
            case.bundles.iter().filter(|b| b.manifest.id == bundle).any(|b| {
                // Of a paste that holds several tests the line is named as well.
                let of = |name: &str| {
                    let rest = entry.strip_prefix("attachments/")?.strip_prefix(name)?;
                    Some(rest.is_empty() || rest.starts_with(' '))
                };
                b.attachments.iter().any(|a| of(&a.name) == Some(true))
            })
        };
        for finding in &diagnosis.findings {
            for citation in finding.evidence.iter() {
                let key = (citation.bundle.as_str(), citation.observation.as_str());
                let there = known.contains(&key) || given(key.0, key.1);
                assert!(there, "{}: {} cites {key:?}", case.name, finding.rule);
            }
        }
    }
}

#[test]
fn ladders_have_every_layer_and_the_checklist_every_item() {
    for case in cases() {
        let diagnosis = diagnose(&case.bundles);
        for ladder in &diagnosis.routes {
            let layers: Vec<Layer> = ladder.layers.iter().map(|l| l.layer).collect();
            assert_eq!(layers, Layer::ALL, "{}", case.name);
        }
        let items: Vec<&str> = diagnosis.checklist.iter().map(|i| i.item).collect();
        assert_eq!(
            items,
            ["upgrade-test", "proxy-or-load-balancer", "failed-handshake", "network-path"]
        );
    }
}

#[test]
fn a_working_case_has_no_error_and_a_broken_one_has_the_cause_first() {
    for case in cases() {
        let diagnosis = diagnose(&case.bundles);
        let errors = diagnosis
            .findings
            .iter()
            .filter(|f| f.severity == wss_diagnosis::Severity::Error)
            .count();
        match case.expect.0 {
            "working" => assert_eq!(errors, 0, "{}: {:#?}", case.name, diagnosis.findings),
            "broken" | "unstable" => {
                assert!(diagnosis.findings[0].rule.starts_with(case.expect.1), "{}", case.name);
            }
            _ => {}
        }
    }
}

/// Commands are there to be pasted: a hostile bundle must not write one.
#[test]
fn nothing_of_a_bundle_leaves_its_quotes_in_a_command() {
    let hostile = "x'; rm -rf ~; '$(id)`id`";
    for case in cases() {
        let mut bundles = case.bundles.clone();
        for bundle in &mut bundles {
            bundle.manifest.case = hostile.into();
            bundle.manifest.target.host = hostile.into();
            bundle.observations.target.host = hostile.into();
            for (option, secret) in [("--cacert", false), ("-H", true), ("-x", true)] {
                let given = GivenOption::new(option, hostile);
                bundle.manifest.options.push(GivenOption { secret, ..given });
            }
            bundle.manifest.options.push(GivenOption::new(&format!("-k {hostile}"), "~/x"));
        }
        let diagnosis = diagnose(&bundles);
        let verify = diagnosis.findings.iter().filter_map(|f| Some(&f.remedy.as_ref()?.verify));
        let how = diagnosis.checklist.iter().filter_map(|item| item.how.as_ref());
        for command in diagnosis.verdict.missing.iter().chain(verify).chain(how) {
            let outside: String = command.replace(r"'\''", "").split('\'').step_by(2).collect();
            assert!(
                !outside.contains("rm -rf") && !outside.contains("id)"),
                "{}: {command}",
                case.name
            );
        }
    }
}

/// Every rule that claims a cause is heard in a case, and silent in the
/// healthy ones.
#[test]
fn every_rule_fires_somewhere() {
    let mut fired: BTreeSet<&str> = BTreeSet::new();
    for case in cases() {
        fired.extend(diagnose(&case.bundles).findings.iter().map(|f| f.rule));
    }
    // These look at parts of a bundle that the cases leave empty.
    let elsewhere = ["certificate-expires", "clock-skew", "agent-path-works"];
    let silent: Vec<&str> = wss_diagnosis::rules()
        .iter()
        .map(|r| r.id)
        .filter(|id| !fired.contains(id) && !elsewhere.contains(id))
        .collect();
    assert!(silent.is_empty(), "{silent:?}");
}

fn confident_and_wrong(case: &Case, diagnosis: &Diagnosis) -> bool {
    let verdict = &diagnosis.verdict;
    verdict.confidence == Confidence::High
        && verdict.cause.slug() != "insufficient"
        && verdict.cause.slug() != case.expect.1
}

/// Whatever one observation is lost, a verdict stays, weakens or abstains; it
/// never turns into a confident other one.
#[test]
fn a_lost_observation_never_makes_a_confident_wrong_verdict() {
    let mut wrong = Vec::new();
    for case in cases() {
        for (at, bundle) in case.bundles.iter().enumerate() {
            let observations = bundle.observations.observations.len();
            for lost in 0..observations + bundle.observations.browser.len() {
                let mut bundles = case.bundles.clone();
                let all = &mut bundles[at].observations;
                let gone = if lost < observations {
                    let gone = all.observations.remove(lost);
                    format!("{} ({} {:?} {})", gone.id, gone.probe, gone.path, gone.route)
                } else {
                    all.browser.remove(lost - observations).id
                };
                let diagnosis = diagnose(&bundles);
                if confident_and_wrong(&case, &diagnosis) {
                    wrong.push(format!(
                        "{} without {gone}: {} — {}",
                        case.name, diagnosis.verdict.cause, diagnosis.verdict.summary
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_order_of_bundles_and_observations_does_not_matter(seed in any::<u64>()) {
        for case in cases() {
            let mut shuffled = case.bundles.clone();
            let mut state = seed | 1;
            let mut next = |n: usize| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state % n as u64) as usize
            };
            for bundle in &mut shuffled {
                let list = &mut bundle.observations.observations;
                for i in (1..list.len()).rev() {
                    list.swap(i, next(i + 1));
                }
                bundle.observations.browser.reverse();
            }
            shuffled.reverse();
            prop_assert_eq!(json(&case.bundles), json(&shuffled), "{}", case.name);
        }
    }
}
