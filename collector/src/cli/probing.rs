//! What `check` and `watch` take: what is probed is what a collection probes.

use super::{CollectArgs, NetworkArgs, parse};
use crate::expect::{self, Expectation};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;
use wss_bundle::Vantage;

/// What to probe, and how: for commands that write no bundle of their own accord.
#[derive(Debug, Clone, Args)]
pub struct ProbeArgs {
    /// host, host:port, or an https://, wss://, http://, ws:// URL
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// WebSocket path to try (repeatable) [default: /v1/ws, /v1/graphql, /v1/opamp]
    #[arg(long = "path", value_name = "PATH", value_parser = parse::path, help_heading = "Probing")]
    pub paths: Vec<String>,
    /// The most that one step may take
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse::timeout, help_heading = "Probing")]
    pub timeout: Duration,

    /// Which side of the corporate network this machine is on [default: inside]
    #[arg(long, value_name = "inside|outside", value_parser = parse::vantage, help_heading = "Bundle")]
    pub vantage: Option<Vantage>,
    /// Ties bundles of one problem together [default: made up]
    #[arg(long, value_name = "ID", value_parser = parse::case, help_heading = "Bundle")]
    pub case: Option<String>,
    /// The ticket that this belongs to: stands in the bundle, its name and the report
    #[arg(long, value_name = "ID", value_parser = parse::ticket, help_heading = "Bundle")]
    pub ticket: Option<String>,
    /// Encrypt bundles to an age public key (age1...), or to those in @FILE (repeatable)
    #[arg(long, value_name = "RECIPIENT", help_heading = "Bundle")]
    pub encrypt_to: Vec<String>,

    /// How to get there.
    #[command(flatten)]
    pub network: NetworkArgs,
}

impl ProbeArgs {
    /// The same as a collection, which asks nobody anything.
    #[must_use]
    pub fn collection(&self, hold: Duration) -> CollectArgs {
        CollectArgs {
            agents: false,
            target: Some(self.target.clone()),
            paths: self.paths.clone(),
            timeout: self.timeout,
            hold,
            vantage: self.vantage,
            case: self.case.clone(),
            ticket: self.ticket.clone(),
            encrypt_to: self.encrypt_to.clone(),
            network: self.network.clone(),
            no_input: true,
            ..CollectArgs::default()
        }
    }
}

pub(super) const AFTER_CHECK: &str = "\
Expectations:
  works                  the verdict is `working`; expected in any case, unless an
                         expectation names the verdict (works, status, cause, idle<)
  status=STATUS          working, unstable, broken or unknown
  cause=SLUG             one of the causes that `wss-analyzer explain` lists
  idle>=1h               so much silence is survived (held for that long)
  idle<65s               so much silence is not survived
  via=direct|proxy|URL   this machine's settings choose this way
  http1                  the handshake passes over HTTP/1.1
  tls=trusted            the certificate is trusted here
  certificate>=14d       every certificate is valid for so long
  opens<2s               from the lookup of the name to the open socket

Exit codes: 0 all are met; 1 one is not, or cannot be told; 2 bad arguments, or a file
that cannot be written: nothing was told.

Example:
  wss-collector check bindplane.corp.com --expect via=proxy --expect 'idle>=60s'";

/// Options of a check.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// What is expected (repeatable) [default: works]
    #[arg(long = "expect", value_name = "EXPECTATION", value_parser = expect::parse, help_heading = "Expectations")]
    pub expect: Vec<Expectation>,
    /// How long to hold upgraded connections [default: what the expectations need, or not at all]
    #[arg(long, value_name = "DURATION", value_parser = parse::duration, help_heading = "Probing")]
    pub hold: Option<Duration>,
    /// Write a bundle into this folder when one is not met
    #[arg(long, value_name = "DIR", help_heading = "Bundle")]
    pub bundle_on_failure: Option<PathBuf>,
    /// The result as JUnit XML in this file, for pipelines; it is written anew
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub junit: Option<PathBuf>,
    /// The result as JSON on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// What to probe.
    #[command(flatten)]
    pub probe: ProbeArgs,
}
