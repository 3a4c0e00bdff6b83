//! What `check` and `watch` take: what is probed is what a collection probes.

use super::{CollectArgs, NetworkArgs, parse};
use crate::expect::{self, Expectation};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use wss_bundle::Vantage;

/// The shortest interval between two rounds of a watch.
pub const LEAST_EVERY: Duration = Duration::from_secs(5);

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

pub(super) const AFTER_WATCH: &str = "\
Runs until Ctrl-C or SIGTERM. At most two rounds begin within --every: the planned one, and
one more when the held connection breaks or comes back. A fault that lasts is asked about
more seldom: up to four times --every.

Exit codes: 0 stopped; 2 bad arguments, or a file that cannot be written.

Example:
  wss-collector watch bindplane.corp.com --bundles /var/lib/wss --metrics-listen 127.0.0.1:9815";

/// Options of a watch.
#[derive(Debug, Clone, Args)]
pub struct WatchArgs {
    /// Between two rounds, a tenth more or less; at least 5s
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = every, help_heading = "Schedule")]
    pub every: Duration,
    /// How long a round holds connections. When the held one breaks, the next rounds hold some
    /// for longer than it lived, up to 10m
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = parse::duration, help_heading = "Schedule")]
    pub hold: Duration,
    /// Between two Pings on the held connection; 0 sends none, and nobody sees one that is
    /// forgotten without a word
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse::duration, help_heading = "Schedule")]
    pub ping: Duration,
    /// Write a bundle into this folder when the verdict changes
    #[arg(long, value_name = "DIR", help_heading = "Bundle")]
    pub bundles: Option<PathBuf>,
    /// How many bundles of this target are kept there; the oldest is removed
    #[arg(long, value_name = "N", default_value = "20", value_parser = keep, help_heading = "Bundle")]
    pub keep: usize,
    /// Write metrics into this file: OpenMetrics, or for a name in .prom what node_exporter reads
    #[arg(long, value_name = "FILE", help_heading = "Monitoring")]
    pub metrics_file: Option<PathBuf>,
    /// Answer scrapes at this address, loopback alone: http://ADDRESS/metrics
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = watch_address, help_heading = "Monitoring")]
    pub metrics_listen: Option<SocketAddr>,
    /// Send metrics, and a log record for each thing that happens, to an OpenTelemetry collector by
    /// OTLP over HTTP (protobuf); directly, without a proxy
    #[arg(long, value_name = "URL", help_heading = "Monitoring")]
    pub otlp: Option<String>,
    /// Header of these requests, `Name: value` (repeatable)
    #[arg(
        long = "otlp-header",
        value_name = "LINE",
        requires = "otlp",
        help_heading = "Monitoring"
    )]
    pub otlp_headers: Vec<String>,
    /// A line of JSON for each thing that happens
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// What to probe.
    #[command(flatten)]
    pub probe: ProbeArgs,
}

fn every(text: &str) -> Result<Duration, String> {
    match parse::duration(text)? {
        every if every < LEAST_EVERY => Err("expected at least 5s between two rounds".to_owned()),
        every => Ok(every),
    }
}

fn keep(text: &str) -> Result<usize, String> {
    let wrong = || "expected between 1 and 10000 bundles".to_owned();
    text.parse().ok().filter(|keep| (1..=10_000).contains(keep)).ok_or_else(wrong)
}

/// A loopback address: whoever else is to read it has a file, or a proxy of their own.
fn watch_address(text: &str) -> Result<SocketAddr, String> {
    let wrong = "expected a loopback address and a port, such as 127.0.0.1:9815 (0 is any port)";
    let text = text.replace("localhost:", "127.0.0.1:");
    let address: SocketAddr = text.parse().map_err(|_| wrong.to_owned())?;
    if address.ip().is_loopback() { Ok(address) } else { Err(wrong.to_owned()) }
}
