//! What holds for every case.

use crate::cases::{Case, cases};
use crate::fixture::SWITCHED;
use proptest::prelude::*;
use std::collections::BTreeSet;
use wss_bundle::manifest::GivenOption;
use wss_bundle::observation::{Body, HttpReply};
use wss_bundle::{Bundle, Outcome, ResponseHead, Step};
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
        for command in
            diagnosis.verdict.missing.iter().map(|next| &next.command).chain(verify).chain(how)
        {
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

/// Another answer than the one that is there: what was granted is refused, and what was
/// refused is granted.
fn contradict(step: &mut Step) -> bool {
    let (result, granted) = match step {
        Step::Upgrade(upgrade) => (&mut upgrade.result, SWITCHED),
        Step::Http(http) => {
            (&mut http.result, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        }
        _ => return false,
    };
    let passes = result.ok().and_then(|reply| reply.head.status()).is_some_and(|s| s < 300);
    let head =
        if passes { "HTTP/1.1 502 Bad Gateway\r\nServer: nginx/1.22.1\r\n\r\n" } else { granted };
    *result = Outcome::Ok(HttpReply {
        informational: Vec::new(),
        head: ResponseHead::new(head),
        body: Body::default(),
        first_byte_ms: 1.0,
        ending: None,
    });
    true
}

/// Whatever one answer is another, a verdict weakens, or names the contradiction; it
/// never turns into a confident other one.
#[test]
fn a_contradicting_answer_never_makes_a_confident_wrong_verdict() {
    let mut wrong = Vec::new();
    for case in cases() {
        for (at, bundle) in case.bundles.iter().enumerate() {
            for other in 0..bundle.observations.observations.len() {
                let mut bundles = case.bundles.clone();
                let replaced = &mut bundles[at].observations.observations[other];
                if !contradict(&mut replaced.step) {
                    continue;
                }
                let which = format!(
                    "{} {} {:?} {}",
                    replaced.id, replaced.probe, replaced.path, replaced.route
                );
                let diagnosis = diagnose(&bundles);
                if confident_and_wrong(&case, &diagnosis) {
                    wrong.push(format!(
                        "{} with another {which}: {} — {}",
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
            let (a, b) = (json(&case.bundles), json(&shuffled));
            let differ = a.lines().zip(b.lines()).find(|(a, b)| a != b);
            prop_assert!(a == b, "{}: {differ:?}", case.name);
        }
    }
}
