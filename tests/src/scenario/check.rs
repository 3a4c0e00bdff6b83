//! What came out of a scenario against what an expert would say, and what holds
//! for every one of them.

use super::Outcome;
use super::config::Level;
use wss_bundle::Step;
use wss_bundle::obfuscate::Obfuscator;
use wss_bundle::observation::Upgrade;
use wss_bundle::redact::{Redacted, Redactor};
use wss_diagnosis::evidence::authorships;
use wss_diagnosis::evidence::reply::invalid_switch;
use wss_diagnosis::signature::Signatures;
use wss_diagnosis::{Confidence, DeviceRole, Layer, Severity, Status, diagnose};

fn sure(level: Level) -> Confidence {
    match level {
        Level::High => Confidence::High,
        Level::Medium => Confidence::Medium,
        Level::Low => Confidence::Low,
    }
}

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
        let (least, most) = (sure(expect.confidence), sure(expect.at_most));
        if verdict.confidence < least || verdict.confidence > most {
            out.push(format!(
                "confidence: expected {:?} to {:?}, got {}",
                expect.confidence, expect.at_most, json["confidence"]
            ));
        }
        if let Some(code) = expect.exit.filter(|code| *code != self.exit) {
            out.push(format!("the collector's exit code: expected {code}, got {}", self.exit));
        }
        for words in &expect.missing {
            if !verdict.missing.iter().any(|next| next.command.contains(words)) {
                out.push(format!("`{words}` is not in `missing`: {:?}", verdict.missing));
            }
        }
        for words in expect.says.iter().filter(|words| !verdict.summary.contains(*words)) {
            out.push(format!("`{words}` is not in the summary: {}", verdict.summary));
        }
        if let Some(limit) = expect.within_s.filter(|limit| self.took_s > *limit) {
            out.push(format!("it took {:.1} s, more than {limit}", self.took_s));
        }
        self.device(&mut out);
        self.row(&mut out);
        self.layers(&mut out);
        self.cut(&mut out);
        let speaks = |rule| self.diagnosis.findings.iter().any(|finding| finding.rule == rule);
        for rule in expect.rules.iter().filter(|rule| !speaks(rule.as_str())) {
            out.push(format!("rule {rule} has nothing to say"));
        }
        for rule in expect.silent.iter().filter(|rule| speaks(rule.as_str())) {
            out.push(format!("rule {rule} speaks"));
        }
        for rule in &expect.confirmed {
            let found = self.diagnosis.findings.iter().any(|finding| {
                finding.rule == rule
                    && finding.severity == Severity::Error
                    && finding.explains.iter().any(|rule| rule.starts_with(&expect.cause))
                    && verdict.summary.contains(&finding.title)
            });
            if !found {
                out.push(format!("rule {rule} does not confirm the cause"));
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

    /// The products that must be found, in path order.
    fn row(&self, out: &mut Vec<String>) {
        let wanted = &self.scenario.expect.devices;
        let all: Vec<&str> =
            self.diagnosis.devices.iter().map(|d| d.product.as_deref().unwrap_or("?")).collect();
        let found: Vec<&str> =
            all.iter().copied().filter(|name| wanted.iter().any(|w| w == name)).collect();
        if found != *wanted {
            out.push(format!("devices: expected {wanted:?} in this order, got {all:?}"));
        }
    }

    /// How far the routes climbed on the console's path.
    fn layers(&self, out: &mut Vec<String>) {
        for (key, wanted) in &self.scenario.expect.layers {
            let words: Vec<&str> = key.split(' ').collect();
            let vantage = if words.contains(&"outside") { "outside" } else { "inside" };
            let kind = words.last().copied().unwrap_or_default();
            let path = words.iter().find(|word| word.starts_with('/'));
            let ladder = self.diagnosis.routes.iter().find(|ladder| {
                let route = match kind {
                    "proxy" => ladder.route.starts_with("proxy"),
                    _ => ladder.route == "direct",
                };
                let own = path.map_or_else(
                    || self.diagnosis.case.target.ends_with(&ladder.path),
                    |path| ladder.path == *path,
                );
                ladder.vantage == vantage && route && own
            });
            let Some(ladder) = ladder else {
                out.push(format!("layers: there is no route {key}"));
                continue;
            };
            let ladder = serde_json::to_value(ladder).unwrap_or_default();
            let states = ladder["layers"].as_array().cloned().unwrap_or_default();
            for (layer, status) in wanted {
                let state = states.iter().find(|state| state["layer"] == layer.as_str());
                let found = state.map(|state| state["status"].clone()).unwrap_or_default();
                if found != status.as_str() {
                    out.push(format!("{key}, {layer}: expected {status}, got {found}"));
                }
            }
        }
    }

    /// How the silent hold ended.
    fn cut(&self, out: &mut Vec<String>) {
        let expect = &self.scenario.expect;
        let idle = serde_json::to_value(&self.diagnosis.idle).unwrap_or_default();
        if let Some(how) = expect.cut_by.as_ref().filter(|how| idle["cut_by"] != how.as_str()) {
            out.push(format!("cut by: expected {how}, got {}", idle["cut_by"]));
        }
        if let Some(closed) = expect.tls_closed.filter(|closed| idle["tls_closed"] != *closed) {
            out.push(format!("close_notify: expected {closed}, got {}", idle["tls_closed"]));
        }
    }

    /// No product is found that is not there, where real servers alone are.
    fn invented(&self, out: &mut Vec<String>) {
        let lab = &self.scenario.lab;
        let imitated = lab.lb.is_some() || lab.middlebox.is_some() || lab.proxy.is_some();
        // A name server says what it is told to.
        let told = self.scenario.inside.as_ref().is_some_and(|run| run.dns.is_some());
        if imitated || told || !self.scenario.real() {
            return;
        }
        let there: Vec<&str> = self
            .scenario
            .signatures()
            .into_iter()
            .filter_map(|id| Signatures::built_in().get(id))
            .map(|signature| signature.name.as_str())
            .chain(["Bindplane"])
            .collect();
        for device in &self.diagnosis.devices {
            let name = device.product.as_deref().unwrap_or("Bindplane");
            if device.confidence > Confidence::Low && !there.contains(&name) {
                out.push(format!("{name} is found and not there: {:?}", device.because));
            }
        }
    }

    /// What holds for every scenario.
    fn invariants(&self, out: &mut Vec<String>) {
        for finding in &self.diagnosis.findings {
            for citation in finding.evidence.iter() {
                let there =
                    self.bundles.iter().filter(|b| b.manifest.id == citation.bundle).any(|b| {
                        let name = citation.observation.strip_prefix("attachments/");
                        b.observations.observations.iter().any(|o| o.id == citation.observation)
                            || b.observations.browser.iter().any(|s| s.id == citation.observation)
                            || b.attachments.iter().any(|a| Some(a.name.as_str()) == name)
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
        self.authors(out);
        for ladder in &self.diagnosis.routes {
            if ladder.layers.iter().map(|l| l.layer).ne(Layer::ALL.iter().copied()) {
                out.push(format!("the ladder of {} lacks a layer", ladder.route));
            }
        }
        self.without_names(out);
        self.invented(out);
        if self.bundles.len() == 1 {
            let code = u8::from(self.diagnosis.verdict.status != Status::Working);
            if self.exit != code {
                out.push(format!("the collector ended with {}, and it is {code}", self.exit));
            }
        }
        let again = diagnose(&self.bundles);
        if again != self.diagnosis {
            out.push("the same bundles gave another diagnosis".to_owned());
        }
    }

    /// With tokens for names and addresses the verdict stays.
    fn without_names(&self, out: &mut Vec<String>) {
        let mut map = Obfuscator::new();
        let replaced: Result<Vec<_>, _> = self
            .bundles
            .iter()
            .map(|bundle| map.bundle(&Redactor::new().bundle(bundle.clone())))
            .map(|bundle| bundle.map(Redacted::into_inner))
            .collect();
        let replaced = match replaced {
            Ok(replaced) => replaced,
            Err(error) => return out.push(format!("the names could not be replaced: {error}")),
        };
        let (own, other) = (&self.diagnosis.verdict, diagnose(&replaced).verdict);
        if (own.cause, own.location, own.status, own.confidence)
            != (other.cause, other.location, other.status, other.confidence)
        {
            out.push(format!(
                "obfuscated: {} ({:?}, {:?}): {}",
                other.cause, other.location, other.confidence, other.summary
            ));
        }
    }

    /// Every answer is judged once, and none without a reason; a valid 101 is the
    /// server's own, and an answer to CONNECT a proxy's.
    fn authors(&self, out: &mut Vec<String>) {
        for bundle in &self.bundles {
            let all = authorships(bundle, Signatures::built_in());
            for (at, one) in all.iter().enumerate() {
                let o = bundle.observations.observations.iter().find(|o| o.id == one.observation);
                let role = match o.map(|o| &o.step) {
                    Some(Step::Tunnel(_)) => Some(DeviceRole::ForwardProxy),
                    Some(Step::Upgrade(u)) if valid(u) => Some(DeviceRole::Origin),
                    _ => one.role,
                };
                let twice = all[..at].iter().any(|other| other.observation == one.observation);
                if one.role != role || one.because.is_empty() || twice || o.is_none() {
                    out.push(format!("who answered {}: {one:?}", one.observation));
                }
            }
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

/// Whether the answer is a 101 that fulfils RFC 6455 section 4.1.
fn valid(upgrade: &Upgrade) -> bool {
    upgrade.version == "1.1"
        && upgrade.result.ok().is_some_and(|reply| {
            reply.head.status() == Some(101)
                && invalid_switch(&reply.head, upgrade.expected_accept.as_deref()).is_none()
        })
}
