//! `scenario.toml`: what runs, who collects, and what an expert would say.

use crate::lab::LabConfig;
use crate::lab::config::CertificateKind;
use crate::real::Product;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// `scenario.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    /// What it is about, in a sentence.
    pub about: String,
    /// `https` or `http`.
    #[serde(default = "https")]
    pub scheme: String,
    /// Paths to try; the collector's own when empty.
    #[serde(default)]
    pub paths: Vec<String>,
    /// As `--hold`.
    #[serde(default = "zero")]
    pub hold: String,
    /// As `--timeout`.
    #[serde(default = "two_seconds")]
    pub timeout: String,
    /// Servers in this process.
    #[serde(default)]
    pub lab: LabConfig,
    /// The real origin in place of the lab's.
    pub gorilla: Option<GorillaConfig>,
    /// Real servers in front of them, at the address that both sides see: one,
    /// or several in path order, the nearest to the client first.
    #[serde(default, deserialize_with = "one_or_many")]
    pub front: Vec<RealConfig>,
    /// A real server between those inside and the rest, named by no setting,
    /// as an interceptor stands; `{forged}` is its certificate.
    pub middle: Option<RealConfig>,
    /// A real forward proxy.
    pub via: Option<RealConfig>,
    /// The run from inside.
    pub inside: Option<Run>,
    /// The run from outside.
    pub outside: Option<Run>,
    /// What an expert would say.
    pub expect: Expect,
}

fn https() -> String {
    "https".into()
}

fn zero() -> String {
    "0".into()
}

fn two_seconds() -> String {
    "2s".into()
}

fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RealConfig>, D::Error> {
    use serde::de::Error;
    // Not an untagged enum: its errors would not say which key is wrong.
    match toml::Value::deserialize(from)? {
        toml::Value::Array(list) => {
            list.into_iter().map(|one| one.try_into().map_err(D::Error::custom)).collect()
        }
        one => Ok(vec![one.try_into().map_err(D::Error::custom)?]),
    }
}

/// A real server.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RealConfig {
    /// Which.
    pub server: Product,
    /// Its configuration, a file in the scenario's folder.
    pub config: String,
    /// Whether the collector is given it, as by `--config`.
    #[serde(default)]
    pub given: bool,
    /// What is the matter with its certificate (`{cert}`).
    #[serde(default)]
    pub certificate: CertificateKind,
    /// What it is told beside its configuration.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// A signal that it gets while connections are held.
    #[serde(default)]
    pub signal: Option<Signal>,
    /// Whether its names (`{hosts}`) lead it around the packet filter, as a
    /// proxy stands that is the only way out.
    #[serde(default)]
    pub around: bool,
}

/// A signal to a server.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Signal {
    /// Its name without SIG.
    pub name: String,
    /// So many milliseconds after the collection began.
    pub after_ms: u64,
}

/// The real origin: Go's net/http and gorilla/websocket.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct GorillaConfig {
    /// TLS of its own, with a valid certificate; plain when left out.
    pub tls: bool,
    /// Its WebSocket paths; any other path gets the page shell.
    pub paths: Vec<String>,
    /// `same-host` (gorilla's own check) or `any`; `/v1/graphql` takes any Origin.
    pub origin: String,
    /// `user:password`; nobody is asked when left out.
    pub user: Option<String>,
    /// Answers as gorilla from 1.5.1 on: 426 where Upgrade is missing.
    pub newer: bool,
    /// In `/js/_globals.js`.
    pub version: String,
    /// Before it answers an upgrade.
    pub delay_ms: u32,
    /// Closes the connection in place of answering an upgrade.
    pub hangup: bool,
    /// Grants permessage-deflate, and compresses what it sends.
    pub compress: bool,
}

impl Default for GorillaConfig {
    fn default() -> Self {
        Self {
            tls: false,
            paths: ["/v1/ws", "/v1/graphql", "/v1/opamp"].map(str::to_owned).to_vec(),
            origin: "same-host".into(),
            user: None,
            newer: false,
            version: "1.99.1".into(),
            delay_ms: 0,
            hangup: false,
            compress: false,
        }
    }
}

/// One collection.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Run {
    /// Variables; `{proxy}` and `{via}` stand for the proxies' addresses, and
    /// `{closed}` for a port on which nobody listens.
    pub env: BTreeMap<String, String>,
    /// Lines of GNOME's proxy settings, without `org.gnome.system.proxy`; the
    /// session is GNOME's then. `{via-port}` and `{proxy-port}` stand for
    /// ports on 127.0.0.1, beside what stands in variables.
    pub gnome: Vec<String>,
    /// A PAC file, which GNOME's settings name and a server on loopback has;
    /// the same stands in it.
    pub pac: Option<String>,
    /// Whom this machine trusts.
    pub trust: Trust,
    /// As `--browser=`: a real browser is asked as well.
    pub browser: Option<String>,
    /// `-u`
    pub user: Option<String>,
    /// The port that is tried, where it is not the lab's: nobody listens on it.
    pub closed_port: bool,
    /// The lines of this machine's hosts file, by which alone it resolves
    /// names: the program itself runs then, in a mount namespace of its own.
    /// Without it, names are given as by `--resolve`.
    pub hosts: Option<Vec<String>>,
    /// What this machine's name server knows: name, then its records as
    /// `TYPE DATA`. It runs on loopback; names that it does not know do not exist.
    pub dns: Option<BTreeMap<String, Vec<String>>>,
}

/// Whom a machine trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// The lab's authority and the corporate one, as a managed machine does.
    #[default]
    Managed,
    /// The lab's alone.
    Lab,
}

/// What an expert would say.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expect {
    /// `working`, `unstable`, `broken`, `unknown`.
    pub status: String,
    /// The cause's slug.
    pub cause: String,
    /// Whose it is.
    pub location: String,
    /// At least so sure.
    #[serde(default = "low")]
    pub confidence: Level,
    /// At most so sure, where an expert would not be.
    #[serde(default = "high")]
    pub at_most: Level,
    /// A product on the path, with the real server's version where it shows it.
    pub device: Option<String>,
    /// Products that must be found, in path order.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Whether the device's version must be the real server's.
    #[serde(default)]
    pub version: bool,
    /// Rules that say that a configuration shows the very line: errors that
    /// explain the cause, named in the verdict.
    #[serde(default)]
    pub confirmed: Vec<String>,
    /// Rules that must have something to say.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Rules that must be silent.
    #[serde(default)]
    pub silent: Vec<String>,
    /// The collector's exit code after the first collection.
    pub exit: Option<u8>,
    /// Words of which each must be in one of the verdict's `missing`.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Words of which each must be in the verdict's summary.
    #[serde(default)]
    pub says: Vec<String>,
    /// How far a route climbed on the console's path: `direct`, `proxy`,
    /// `outside direct` …, then layer, then status.
    #[serde(default)]
    pub layers: BTreeMap<String, BTreeMap<String, String>>,
    /// What must be in the verdict's `idle`.
    pub cut_by: Option<String>,
    /// Whether the end of the silent hold came with a close_notify.
    pub tls_closed: Option<bool>,
    /// The most that the collection from inside may take, in seconds.
    pub within_s: Option<f64>,
}

/// How sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Hardly.
    Low,
    /// Fairly.
    Medium,
    /// As good as certain.
    High,
}

fn low() -> Level {
    Level::Low
}

fn high() -> Level {
    Level::High
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECT: &str = "[expect]\nstatus = \"working\"\ncause = \"none\"\nlocation = \"none\"\n";

    fn parse(text: &str) -> Result<Scenario, toml::de::Error> {
        toml::from_str(&format!("about = \"x\"\n{text}\n{EXPECT}"))
    }

    #[test]
    fn one_server_or_several_in_a_row() {
        let one = parse("[front]\nserver = \"nginx\"\nconfig = \"a\"").unwrap();
        assert_eq!(one.front.len(), 1);
        let row = "[[front]]\nserver = \"haproxy\"\nconfig = \"a\"\n\
                   [[front]]\nserver = \"nginx\"\nconfig = \"b\"";
        let several = parse(row).unwrap();
        assert_eq!(several.front[1].server, Product::Nginx);
        assert!(parse("").unwrap().front.is_empty());
    }

    #[test]
    fn misspelt_keys_are_errors() {
        for text in [
            "[front]\nserver = \"nginx\"\nconfg = \"a\"",
            "[front]\nserver = \"ngin\"\nconfig = \"a\"",
            "[gorilla]\ntl = true",
            "[inside]\nhost = []",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
