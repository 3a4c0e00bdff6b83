//! What came out of a scenario against what an expert would say, and what holds
//! for every one of them.

use super::Outcome;
use wss_diagnosis::{Confidence, Layer, Severity, Status, diagnose};

impl Outcome {
    /// What differs from what an expert would say; empty when nothing does.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let (expect, verdict) = (&self.scenario.expect, &self.diagnosis.verdict);
        let json = serde_json::to_value(verdict).unwrap_or_default();
        let mut out = Vec::new();
        for (what, wanted) in
            [("status", &expect.status), ("cause", &expect.cause), ("location", &expect.location)]
        {
            if json[what] != wanted.as_str() {
                out.push(format!("{what}: expected {wanted}, got {}", json[what]));
            }
        }
        let least = match expect.confidence.as_str() {
            "high" => Confidence::High,
            "medium" => Confidence::Medium,
            _ => Confidence::Low,
        };
        if verdict.confidence < least {
            out.push(format!(
                "confidence: expected {}, got {}",
                expect.confidence, json["confidence"]
            ));
        }
        if let Some(limit) = expect.within_s.filter(|limit| self.took_s > *limit) {
            out.push(format!("it took {:.1} s, more than {limit}", self.took_s));
        }
        self.device(&mut out);
        for rule in &expect.rules {
            if !self.diagnosis.findings.iter().any(|finding| finding.rule == rule) {
                out.push(format!("rule {rule} has nothing to say"));
            }
        }
        self.invariants(&mut out);
        if !out.is_empty() {
            out.push(format!("summary: {}", verdict.summary));
        }
        out
    }

    fn device(&self, out: &mut Vec<String>) {
        let Some(product) = &self.scenario.expect.device else { return };
        let devices = &self.diagnosis.devices;
        let found = devices.iter().find(|device| device.product.as_deref() == Some(product));
        let Some(found) = found else {
            let names: Vec<_> =
                devices.iter().map(|d| d.product.clone().unwrap_or_default()).collect();
            out.push(format!("device {product} not in {names:?}"));
            return;
        };
        let real = self.versions.first().and_then(|(_, version)| version.clone());
        if self.scenario.expect.version && found.version != real {
            out.push(format!("version: expected {real:?}, got {:?}", found.version));
        }
    }

    /// What holds for every scenario.
    fn invariants(&self, out: &mut Vec<String>) {
        for finding in &self.diagnosis.findings {
            for citation in finding.evidence.iter() {
                let there = self.bundles.iter().any(|bundle| {
                    bundle.manifest.id == citation.bundle
                        && bundle
                            .observations
                            .observations
                            .iter()
                            .any(|o| o.id == citation.observation)
                });
                if !there {
                    out.push(format!("{} cites {citation:?}, which is not there", finding.rule));
                }
            }
            if self.diagnosis.verdict.status == Status::Working
                && finding.severity == Severity::Error
            {
                out.push(format!("it works, and {} is an error", finding.rule));
            }
        }
        for ladder in &self.diagnosis.routes {
            if ladder.layers.iter().map(|l| l.layer).ne(Layer::ALL.iter().copied()) {
                out.push(format!("the ladder of {} lacks a layer", ladder.route));
            }
        }
        let again = diagnose(&self.bundles);
        if again != self.diagnosis {
            out.push("the same bundles gave another diagnosis".to_owned());
        }
    }

    /// Removes each observation in turn: the verdict stays, weakens or abstains,
    /// and never turns into a confident other one.
    #[must_use]
    pub fn confident_and_wrong(&self) -> Vec<String> {
        let mut out = Vec::new();
        for (at, bundle) in self.bundles.iter().enumerate() {
            for lost in 0..bundle.observations.observations.len() {
                let mut bundles = self.bundles.clone();
                let gone = bundles[at].observations.observations.remove(lost);
                let verdict = diagnose(&bundles).verdict;
                let same = verdict.cause == self.diagnosis.verdict.cause;
                if verdict.confidence == Confidence::High
                    && !same
                    && verdict.cause.slug() != "insufficient"
                {
                    out.push(format!(
                        "without {} ({} by {}): {}: {}",
                        gone.id, gone.probe, gone.route, verdict.cause, verdict.summary
                    ));
                }
            }
        }
        out
    }
}
