//! Host names: finding them, and their tokens. A label has one token wherever
//! it stands, and so has a domain: `a.b.corp.com` and `b.corp.com` stay each
//! other's relatives.

use super::public;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::OnceLock;

/// Names, found and to be found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Names {
    /// `corp.com` → `domain-1.example`.
    domains: BTreeMap<String, String>,
    /// Labels below a domain, and hosts without one → `host-1`.
    labels: BTreeMap<String, String>,
    /// Hosts without a domain.
    #[serde(default)]
    single: BTreeSet<String>,
    /// Whole names, for whoever reads the map.
    hosts: BTreeMap<String, String>,
    #[serde(skip)]
    found: BTreeSet<String>,
}

fn dotted() -> Option<&'static Regex> {
    static WORDS: OnceLock<Option<Regex>> = OnceLock::new();
    WORDS.get_or_init(|| Regex::new(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*").ok()).as_ref()
}

impl Names {
    /// A field that is a host, with or without a port and brackets.
    pub(super) fn host(&mut self, text: &str) {
        if text.contains(char::is_whitespace) {
            return self.find(text);
        }
        let host = text.rsplit_once(':').map_or(text, |(host, port)| {
            if port.bytes().all(|b| b.is_ascii_digit()) && !host.contains(':') {
                host
            } else {
                text
            }
        });
        let host = host.trim_start_matches("*.").trim_end_matches('.').to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        // A number is nobody's name: replaced, it would take ports along.
        let number = host.bytes().all(|b| b.is_ascii_digit());
        if host.parse::<IpAddr>().is_err() && !number && host.chars().all(plain) {
            self.found.insert(host);
        }
    }

    /// Names in a text: of URLs, of mail addresses, and what looks like one.
    pub(super) fn find(&mut self, text: &str) {
        let Some(words) = dotted() else { return };
        for word in words.find_iter(text) {
            let before = &text[..word.start()];
            let addressed = before.ends_with("//") || before.ends_with('@');
            let lower = word.as_str().to_ascii_lowercase();
            // `//user:password@host` has lost its beginning by now.
            if addressed || public::looks_like_a_name(&lower) {
                self.host(&lower);
            }
        }
    }

    /// Gives a token to what was found.
    pub(super) fn settle(&mut self) {
        for name in std::mem::take(&mut self.found) {
            if public::stays(&name) {
                continue;
            }
            let labels: Vec<&str> = name.split('.').collect();
            if labels.len() == 1 {
                if !public::plain(&name) {
                    self.label(&name);
                    self.single.insert(name.clone());
                }
            } else if public::shared(&name).is_none() {
                let at = labels.len() - public::domain_labels(&labels);
                let domain = labels[at..].join(".");
                let number = self.domains.len() + 1;
                let top = if public::internal(&domain) { "internal" } else { "example" };
                self.domains.entry(domain).or_insert_with(|| format!("domain-{number}.{top}"));
            }
            if let Some(token) = self.token(&name) {
                self.hosts.insert(name, token);
            }
        }
    }

    /// Every name that has a token.
    pub(super) fn known(&self) -> impl Iterator<Item = &str> {
        self.hosts.keys().map(String::as_str)
    }

    /// The token of a field that is a host, or `host:port`.
    pub(super) fn exact(&mut self, text: &str) -> Option<String> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port))
                if !host.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) =>
            {
                (host, format!(":{port}"))
            }
            _ => (text, String::new()),
        };
        let (star, host) = host.strip_prefix("*.").map_or(("", host), |host| ("*.", host));
        let (host, dot) = host.strip_suffix('.').map_or((host, ""), |host| (host, "."));
        let token = self.token(&host.to_ascii_lowercase())?;
        Some(format!("{star}{token}{dot}{port}"))
    }

    /// The text with tokens, and how many.
    pub(super) fn rewrite(&mut self, text: &str) -> (String, u64) {
        let Some(words) = dotted() else { return (text.to_owned(), 0) };
        let mut out = String::with_capacity(text.len());
        let (mut last, mut count) = (0, 0);
        for word in words.find_iter(text) {
            let lower = word.as_str().to_ascii_lowercase();
            let token = if lower.contains('.') {
                self.token(&lower)
            } else {
                self.alone(&lower, &text[..word.start()], &text[word.end()..])
            };
            if let Some(token) = token.filter(|token| *token != lower) {
                out.push_str(&text[last..word.start()]);
                out.push_str(&token);
                last = word.end();
                count += 1;
            }
        }
        out.push_str(&text[last..]);
        (out, count)
    }

    /// A host without a domain: where nothing else can be meant. `proxy` is a word
    /// like any other; `webgw01` is none.
    fn alone(&mut self, word: &str, before: &str, after: &str) -> Option<String> {
        if !self.single.contains(word) {
            return None;
        }
        let addressed = before.ends_with("//") || before.ends_with('@');
        let port =
            after.strip_prefix(':').is_some_and(|p| p.starts_with(|c: char| c.is_ascii_digit()));
        let odd = word.bytes().any(|b| b.is_ascii_digit() || b == b'-');
        (addressed || port || odd).then(|| self.label(word))
    }

    /// The token of a name, or of a known one within it; `None` where there is none.
    fn token(&mut self, name: &str) -> Option<String> {
        if name.parse::<IpAddr>().is_ok() || public::stays(name) {
            return None;
        }
        let labels: Vec<&str> = name.split('.').collect();
        if labels.len() == 1 {
            return self.single.contains(name).then(|| self.label(name));
        }
        if let Some(suffix) = public::shared(name) {
            let rest = name[..name.len() - suffix.len()].trim_end_matches('.');
            if rest.is_empty() {
                return None;
            }
            let rest: Vec<String> = rest.split('.').map(|label| self.label(label)).collect();
            return Some(format!("{}.{suffix}", rest.join(".")));
        }
        // The domain may stand before something else: `corp.com.conf`.
        let (from, to, domain) = (0..labels.len()).find_map(|from| {
            (from + 1..=labels.len()).rev().find_map(|to| {
                let token = self.domains.get(&labels[from..to].join("."))?;
                Some((from, to, token.clone()))
            })
        })?;
        let mut out: Vec<String> = labels[..from].iter().map(|label| self.label(label)).collect();
        out.push(domain);
        out.extend(labels[to..].iter().map(|label| (*label).to_owned()));
        Some(out.join("."))
    }

    fn label(&mut self, label: &str) -> String {
        if public::plain(label) {
            return label.to_owned();
        }
        let number = self.labels.len() + 1;
        self.labels.entry(label.to_owned()).or_insert_with(|| format!("host-{number}")).clone()
    }
}
