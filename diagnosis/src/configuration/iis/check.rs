//! What of IIS' files concerns an upgrade: the WebSocket role, ARR's proxy, rules of
//! URL Rewrite.

use super::tags::{Tag, tags};
use crate::configuration::chain::Hop;
use crate::configuration::pattern::begins_otherwise;
use crate::configuration::source::File;
use crate::configuration::{Issue, Kind, NEEDED_S, Place, Program, Provided, Reading, Request};
use regex::{Captures, RegexBuilder};

/// ARR's limit where a file names none (`proxy`, `timeout`), in seconds.
const ARR_S: f64 = 120.0;

struct Check<'t> {
    files: &'t [File],
    request: &'t Request<'t>,
    reading: Reading,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let mut check = Check { files, request, reading: Reading::new(Program(&super::DIALECT)) };
    for (at, file) in files.iter().enumerate() {
        check.file(at, &tags(&file.text));
    }
    check.reading
}

/// A rule of URL Rewrite.
#[derive(Default)]
struct Rule<'t> {
    pattern: Option<&'t Tag>,
    conditions: Option<&'t Tag>,
    action: Option<&'t Tag>,
    stops: bool,
    off: bool,
}

impl Check<'_> {
    fn at(&self, file: usize, tag: &Tag) -> (Place, String) {
        let text = self.files.get(file).map_or("", |f| f.text.as_str());
        let line = text.lines().nth((tag.line as usize).saturating_sub(1)).unwrap_or_default();
        (Place::of(self.files, file, tag.line), line.trim().to_owned())
    }

    fn issue(&mut self, kind: Kind, at: (Place, String), says: impl Into<String>) {
        self.reading.issues.push(Issue::new(kind, at.0, at.1, says.into()));
    }

    fn file(&mut self, file: usize, all: &[Tag]) {
        for tag in all {
            match tag.name.as_str() {
                "websocket" if tag.get("enabled").eq_ignore_ascii_case("false") => {
                    let says = "switches WebSocket off: ARR passes upgrades on only where it is on, and \
                                its feature is installed";
                    self.issue(Kind::UpgradeHeaders, self.at(file, tag), says);
                }
                "proxy" | "protocol" => self.proxy(file, tag),
                _ => {}
            }
        }
        self.rules(file, all);
    }

    fn proxy(&mut self, file: usize, tag: &Tag) {
        let at = self.at(file, tag);
        self.reading.follow(at.0.clone(), at.1.clone());
        if tag.name == "proxy" && tag.get("enabled").eq_ignore_ascii_case("false") {
            let says = "switches ARR's proxy off";
            return self.issue(Kind::PathRule(Some(404)), at, says);
        }
        let set = tag.get("timeout");
        let s = if set.is_empty() { Some(ARR_S) } else { seconds(set) };
        if let Some(s) = s.filter(|s| *s > 0.0 && *s < NEEDED_S) {
            let of = if set.is_empty() { " unless it says otherwise (timeout)" } else { "" };
            let says = format!("ends a connection on which nothing comes for {s:.0} s{of}");
            let issue = Issue::new(Kind::Timeout(s), at.0.clone(), at.1.clone(), says);
            let provided = set.is_empty().then_some(Provided::Condition);
            self.reading.issues.push(Issue { provided, ..issue });
        }
        if tag.get("httpversion").eq_ignore_ascii_case("Http10") {
            let says = "speaks HTTP/1.0 to the backend, which has no upgrade";
            self.issue(Kind::HttpVersion, at.clone(), says);
        }
        if tag.name == "proxy" && !tag.get("preservehostheader").eq_ignore_ascii_case("true") {
            let says = "sends the backend's own name as Host (preserveHostHeader is not true): browsers \
                        name theirs in Origin, and a server that compares the two refuses";
            self.issue(Kind::Host, at, says);
        }
    }

    fn rules(&mut self, file: usize, all: &[Tag]) {
        let mut rule: Option<Rule<'_>> = None;
        let mut path = self.request.path.split('?').next().unwrap_or_default().to_owned();
        let mut outbound = false;
        for tag in all {
            match tag.name.as_str() {
                "outboundrules" => outbound = true,
                "/outboundrules" => outbound = false,
                _ if outbound => {}
                "rule" => {
                    let stops = tag.get("stopprocessing").eq_ignore_ascii_case("true");
                    let off = tag.get("enabled").eq_ignore_ascii_case("false");
                    rule = Some(Rule { stops, off, ..Rule::default() });
                }
                "match" => rule.iter_mut().for_each(|r| r.pattern = Some(tag)),
                "add" => rule
                    .iter_mut()
                    .filter(|r| r.action.is_none())
                    .for_each(|r| r.conditions = Some(tag)),
                "action" => rule.iter_mut().for_each(|r| r.action = Some(tag)),
                "/rule" => {
                    let Some(own) = rule.take().filter(|own| !own.off) else { continue };
                    if !self.rule(file, &own, &mut path) {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    /// False where nothing behind it counts.
    fn rule(&mut self, file: usize, rule: &Rule<'_>, path: &mut String) -> bool {
        let (Some(pattern), Some(action)) = (rule.pattern, rule.action) else { return true };
        let bare = path.trim_start_matches('/').to_owned();
        let case = !pattern.get("ignorecase").eq_ignore_ascii_case("false");
        let anchored = pattern.get("url").strip_prefix('^');
        let negated = pattern.get("negate").eq_ignore_ascii_case("true");
        if !negated && anchored.is_some_and(|own| begins_otherwise(own, &bare, case)) {
            return true;
        }
        let regex = RegexBuilder::new(pattern.get("url"))
            .case_insensitive(case)
            .size_limit(1 << 20)
            .build();
        let at = self.at(file, action);
        let Ok(regex) = regex else {
            self.reading.untold(Some(at.0), "this rule's pattern is not read here".into(), None);
            return false;
        };
        let found = regex.captures(&bare);
        if found.is_some() == negated {
            return true;
        }
        if let Some(condition) = rule.conditions {
            let place = self.at(file, condition).0;
            let why = format!("whether this rule applies depends on {}", condition.get("input"));
            self.reading.untold(Some(place), why, None);
            return false;
        }
        self.acts(at, rule, found.as_ref(), path)
    }

    /// What the action of a rule that applies does.
    fn acts(
        &mut self,
        at: (Place, String),
        rule: &Rule<'_>,
        found: Option<&Captures<'_>>,
        path: &mut String,
    ) -> bool {
        let Some(action) = rule.action else { return true };
        self.reading.follow(at.0.clone(), at.1.clone());
        let kind = action.get("type").to_ascii_lowercase();
        let status = action.get("statuscode").parse().ok();
        let asked = self.request.path;
        match kind.as_str() {
            "redirect" => {
                let word = action.get("redirecttype").to_ascii_lowercase();
                let status = match word.as_str() {
                    "found" => 302,
                    "seeother" => 303,
                    "temporary" => 307,
                    _ => 301,
                };
                let says =
                    format!("redirects {asked} ({status}), which a WebSocket does not follow");
                self.issue(Kind::PathRule(Some(status)), at, says);
                false
            }
            "customresponse" | "abortrequest" => {
                let says = format!("answers {asked} itself, and sends nothing to Bindplane");
                self.issue(Kind::PathRule(status), at, says);
                false
            }
            "rewrite" => {
                let mut to = action.get("url").to_owned();
                for number in 0..10 {
                    let part = found.and_then(|f| f.get(number)).map_or("", |m| m.as_str());
                    to = to.replace(&format!("{{R:{number}}}"), part);
                }
                self.rewritten(at, &to, path);
                !rule.stops
            }
            _ => true,
        }
    }

    fn rewritten(&mut self, at: (Place, String), to: &str, path: &mut String) {
        let Some((_, rest)) = to.split_once("://") else {
            *path = format!("/{}", to.trim_start_matches('/'));
            return;
        };
        let new = rest.split_once('/').map_or_else(|| "/".to_owned(), |(_, p)| format!("/{p}"));
        let new = new.split('?').next().unwrap_or_default().to_owned();
        if new.contains('{') {
            return self.reading.untold(Some(at.0), "this line may change the path".into(), None);
        }
        if new != self.request.path.split('?').next().unwrap_or_default() {
            let says = format!("asks Bindplane for {new} instead of {}", self.request.path);
            self.issue(Kind::PathChanged, at, says);
        }
    }
}

/// `00:02:00`, `1.00:00:00`.
fn seconds(text: &str) -> Option<f64> {
    let (days, rest) = text.split_once('.').unwrap_or(("0", text));
    let days: f64 = days.parse().ok()?;
    let mut parts = rest.split(':').map(|part| part.parse::<f64>().ok());
    let (hours, minutes, own) = (parts.next()??, parts.next()??, parts.next()??);
    Some(((days * 24.0 + hours) * 60.0 + minutes) * 60.0 + own)
}

#[cfg(test)]
mod tests {
    #[test]
    fn times() {
        for (text, expected) in
            [("00:02:00", Some(120.0)), ("1.00:00:05", Some(86_405.0)), ("30", None), ("", None)]
        {
            assert_eq!(super::seconds(text), expected, "{text}");
        }
    }
}
