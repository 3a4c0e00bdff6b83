//! What came out against what an expert would say. Texts are compared without
//! regard to case and to how lines are broken.

use super::case::{Expect, Expected, Level};
use super::run::Ran;
use regex::{Regex, RegexBuilder};
use serde_json::Value;

/// Roles of devices that stand on the client's side.
const CLIENTS: [&str; 2] = ["forward-proxy", "tls-interceptor"];

/// Collects complaints about one run.
struct Check<'a> {
    ran: &'a Ran,
    out: Vec<String>,
}

/// What is wrong with a run of a handed-over file.
pub(super) fn recorded(ran: &Ran, expected: &Expected, says: &[String]) -> Vec<String> {
    let mut check = Check { ran, out: ran.defects.clone() };
    let page = one_line(&ran.page);
    let (screen, reply) = (one_line(&ran.screen), one_line(&ran.reply));
    let all = [("screen", &screen), ("reply", &reply), ("report", &page)];
    if check.bundle(&expected.exit) {
        check.verdict(&expected.status, &expected.cause, &expected.location);
        check.sure(expected.confidence_at_most);
        check.rules(&expected.rules);
    }
    check.says(expected.says_text.iter().chain(says), &all);
    check.never(&expected.never_text, &all);
    check.never(&expected.never_screen, &all[..2]);
    let bundle = [("bundle", &ran.bundle)];
    check.says(expected.bundle_keeps.iter(), &bundle);
    let [screen, reply, page] = all;
    check.never(&expected.bundle_lacks, &[bundle[0], screen, reply, page]);
    check.removed(&expected.removed_never);
    check.out
}

/// What is wrong with a run before a load balancer.
pub(super) fn live(ran: &Ran, expect: &Expect) -> Vec<String> {
    let mut check = Check { ran, out: ran.defects.clone() };
    let (screen, reply) = (one_line(&ran.screen), one_line(&ran.reply));
    let all = [("screen", &screen), ("reply", &reply)];
    if check.bundle(&[]) {
        check.verdict(&expect.status, &expect.cause, &expect.location);
        check.sure(expect.confidence_at_most);
        check.devices(&expect.devices);
        check.confirmed(&expect.confirmed);
        check.rules(&expect.rules);
        check.idle(expect.idle_limit_s);
    }
    check.says(expect.says.iter(), &all);
    check.never(&expect.never, &all);
    check.out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn expression(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .case_insensitive(true)
        .build()
        .map_err(|error| format!("`{text}` is no expression: {error}"))
}

/// Whether every expression of a case is one.
pub(super) fn expressions<'a>(mut list: impl Iterator<Item = &'a String>) -> Result<(), String> {
    list.try_for_each(|text| expression(text).map(drop))
}

impl Check<'_> {
    /// Whether there is a bundle, and the exit code is one of these.
    fn bundle(&mut self, wanted: &[i32]) -> bool {
        let exit = self.ran.exit;
        let fits = match wanted {
            [] => matches!(exit, Some(0 | 1)),
            wanted => exit.is_some_and(|code| wanted.contains(&code)),
        };
        if !fits {
            self.out.push(format!("exit: expected {wanted:?}, got {exit:?}"));
        }
        let there = !self.ran.report.is_null();
        if !there && matches!(exit, Some(0 | 1)) {
            self.out.push(format!("exit {exit:?}, and no bundle"));
        }
        if there {
            let works = self.ran.report["verdict"]["status"] == "working";
            if exit != Some(i32::from(!works)) {
                self.out.push(format!("exit {exit:?}, and working is {works}"));
            }
        }
        there
    }

    fn verdict(&mut self, status: &[String], cause: &[String], location: &[String]) {
        let verdict = &self.ran.report["verdict"];
        let before = self.out.len();
        for (what, wanted) in [("status", status), ("cause", cause), ("location", location)] {
            let found = verdict[what].as_str().unwrap_or_default();
            if !wanted.is_empty() && !wanted.iter().any(|one| one == found) {
                self.out.push(format!("{what}: expected {}, got {found}", wanted.join(" or ")));
            }
        }
        if self.out.len() > before {
            self.out.push(format!("summary: {}", verdict["summary"].as_str().unwrap_or_default()));
        }
    }

    fn sure(&mut self, most: Option<Level>) {
        let verdict = &self.ran.report["verdict"];
        let Some(most) = most.filter(|_| verdict["cause"] != "none") else { return };
        let found = verdict["confidence"].as_str().and_then(Level::read);
        if found.is_none_or(|found| found > most) {
            self.out.push(format!("confidence: at most {most:?}, got {}", verdict["confidence"]));
        }
    }

    fn devices(&mut self, wanted: &[String]) {
        let nothing = Vec::new();
        let devices = self.ran.report["devices"].as_array().unwrap_or(&nothing);
        for product in wanted {
            let found = devices.iter().any(|device| {
                device["product"] == product.as_str()
                    && device["role"].as_str().is_some_and(|role| !CLIENTS.contains(&role))
            });
            if !found {
                let names: Vec<String> =
                    devices.iter().map(|d| format!("{} ({})", d["product"], d["role"])).collect();
                self.out.push(format!("device {product}: got {}", names.join(", ")));
            }
        }
    }

    fn confirmed(&mut self, wanted: &[String]) {
        let nothing = Vec::new();
        let findings = self.ran.report["findings"].as_array().unwrap_or(&nothing);
        for rule in wanted {
            let own = findings.iter().find(|finding| finding["rule"] == rule.as_str());
            let seen = own.is_some_and(|finding| {
                finding["severity"] == "error"
                    && finding["explains"].as_array().is_some_and(|list| !list.is_empty())
            });
            match own {
                Some(_) if seen => {}
                Some(finding) => self.out.push(format!(
                    "{rule} is found, and not that the probe saw it: {}: {}",
                    finding["title"], finding["text"]
                )),
                None => self.out.push(format!("{rule} is not found")),
            }
        }
    }

    fn rules(&mut self, wanted: &[String]) {
        let spoke = super::rules(self.ran);
        let silent = wanted.iter().filter(|rule| !spoke.contains(&rule.as_str()));
        self.out.extend(silent.map(|rule| format!("{rule} has nothing to say")));
    }

    fn idle(&mut self, limit: Option<f64>) {
        let Some(limit) = limit else { return };
        let idle = &self.ran.report["idle"];
        let alive = idle["alive_s"].as_f64().unwrap_or(0.0);
        let cut = idle["cut_after_s"].as_f64();
        if alive > limit || cut.is_none_or(|cut| cut < limit) {
            self.out.push(format!("the silent limit of {limit} s is not in it: {idle}"));
        }
    }

    fn says<'a>(
        &mut self,
        wanted: impl Iterator<Item = &'a String>,
        texts: &[(&'static str, &String)],
    ) {
        for text in wanted {
            match expression(text) {
                Ok(regex) if texts.iter().any(|(_, found)| regex.is_match(found)) => {}
                Ok(_) => {
                    let names: Vec<_> = texts.iter().map(|(name, _)| *name).collect();
                    self.out.push(format!("says: /{text}/ is not in {}", names.join(", ")));
                }
                Err(error) => self.out.push(error),
            }
        }
    }

    fn never(&mut self, unwanted: &[String], texts: &[(&'static str, &String)]) {
        for text in unwanted {
            let regex = match expression(text) {
                Ok(regex) => regex,
                Err(error) => {
                    self.out.push(error);
                    continue;
                }
            };
            for (name, found) in texts {
                if let Some(at) = regex.find(found) {
                    let around = around(found, at.start(), at.end());
                    self.out.push(format!("never: /{text}/ is in the {name}: …{around}…"));
                }
            }
        }
    }

    fn removed(&mut self, unwanted: &[String]) {
        let list: Value = serde_json::from_str(&self.ran.removed).unwrap_or_default();
        let text = list.to_string();
        for unwanted in unwanted {
            match expression(unwanted) {
                Ok(regex) if regex.is_match(&text) => {
                    self.out.push(format!("removed: /{unwanted}/ is in redactions.json: {text}"));
                }
                Ok(_) => {}
                Err(error) => self.out.push(error),
            }
        }
    }
}

/// What was found, with some words on both sides.
fn around(text: &str, start: usize, end: usize) -> &str {
    let from = (0..=start.saturating_sub(60)).rev().find(|at| text.is_char_boundary(*at));
    let to =
        (end.saturating_add(60).min(text.len())..=text.len()).find(|at| text.is_char_boundary(*at));
    &text[from.unwrap_or(0)..to.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran() -> Ran {
        Ran {
            exit: Some(1),
            screen: "It is cut\n   after 5 s.".into(),
            report: serde_json::json!({"verdict": {"status": "broken", "cause": "idle-timeout",
                "location": "server-side", "confidence": "high", "summary": "S"},
                "devices": [{"product": "nginx", "role": "forward-proxy"}],
                "findings": [{"rule": "config-idle", "severity": "warning", "explains": []}],
                "idle": {"alive_s": 4.0, "cut_after_s": 6.0}}),
            ..Ran::default()
        }
    }

    #[test]
    fn what_is_right_is_not_complained_about() {
        let expect = Expect {
            status: vec!["unstable".into(), "broken".into()],
            cause: vec!["idle-timeout".into()],
            confidence_at_most: Some(Level::High),
            says: vec!["CUT AFTER \\d+ s".into()],
            never: vec!["lifetime".into()],
            idle_limit_s: Some(5.0),
            ..Expect::default()
        };
        assert_eq!(live(&ran(), &expect), Vec::<String>::new());
    }

    #[test]
    fn everything_that_is_wrong_is_complained_about() {
        let expect = Expect {
            status: vec!["working".into()],
            confidence_at_most: Some(Level::Medium),
            devices: vec!["nginx".into()],
            confirmed: vec!["config-idle".into(), "config-host".into()],
            says: vec!["lifetime".into()],
            never: vec!["cut after".into()],
            idle_limit_s: Some(7.0),
            ..Expect::default()
        };
        let complaints = live(&ran(), &expect).join("\n");
        for what in [
            "status: expected working, got broken",
            "confidence: at most Medium",
            "device nginx",
            "config-idle is found, and not that the probe saw it",
            "config-host is not found",
            "says: /lifetime/",
            "never: /cut after/ is in the screen",
            "the silent limit of 7 s",
        ] {
            assert!(complaints.contains(what), "{what}: {complaints}");
        }
        let none = Ran { exit: Some(2), ..Ran::default() };
        assert!(live(&none, &Expect::default())[0].contains("exit"));
        assert!(
            recorded(&none, &Expected { exit: vec![2], ..Expected::default() }, &[]).is_empty()
        );
    }
}
