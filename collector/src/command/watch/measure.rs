//! The state of a watch as metrics. Names that blackbox_exporter has
//! (<https://github.com/prometheus/blackbox_exporter/pull/1278> for WebSocket) mean what
//! they mean there; what it has no name for begins with `wss_`. Moments are told, not ages:
//! a scrape is right whenever it comes.

use super::seen::Seen;
use crate::metrics::Family;
use chrono::{DateTime, Utc};
use std::time::Duration;
use wss_diagnosis::{Layer, LayerStatus, Status};

/// What is known and counted.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// False once it has ended.
    pub(super) running: bool,
    pub(super) rounds: u64,
    pub(super) changes: u64,
    pub(super) bundles: u64,
    pub(super) sleeps: u64,
    pub(super) breaks: u64,
    /// Messages that no OpenTelemetry collector took.
    pub(super) unsent: u64,
    /// The last round with a verdict.
    pub(super) last: Option<Seen>,
    /// Since when the verdict is what it is.
    pub(super) since: Option<DateTime<Utc>>,
    /// Since when the connection is open; `None` where it is not.
    pub(super) open_since: Option<DateTime<Utc>>,
    /// When it last broke, and how long it had lived.
    pub(super) broke: Option<(DateTime<Utc>, Duration)>,
}

fn bit(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double exactly")]
fn stamp(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1e3
}

impl State {
    /// All of it.
    pub(super) fn families(&self) -> Vec<Family> {
        let mut all = Vec::new();
        if let Some(seen) = &self.last {
            all.extend(as_blackbox(seen));
            all.extend(verdict(seen));
            all.extend(layers(seen));
            all.extend(idle(seen));
        }
        all.extend(self.held());
        all.extend(self.own());
        all
    }

    fn held(&self) -> Vec<Family> {
        let opened = "wss_held_connection_opened_timestamp_seconds";
        let broke = "wss_held_connection_last_break_timestamp_seconds";
        let lived = "wss_held_connection_last_lifetime_seconds";
        let (at, after) = self.broke.unzip();
        vec![
            Family::gauge("wss_held_connection_up", "", "Whether the held connection is open.")
                .with(bit(self.open_since.is_some())),
            Family::gauge(opened, "seconds", "When the held connection was opened, while it is.")
                .maybe(self.open_since.map(stamp)),
            Family::counter(
                "wss_held_connection_breaks_total",
                "How often the held connection broke.",
                self.breaks,
            ),
            Family::gauge(broke, "seconds", "When the held connection last broke.")
                .maybe(at.map(stamp)),
            Family::gauge(lived, "seconds", "How long it had lived when it last broke.")
                .maybe(after.map(|after| after.as_secs_f64())),
        ]
    }

    fn own(&self) -> Vec<Family> {
        let last = self.last.as_ref();
        let round = "wss_last_round_timestamp_seconds";
        vec![
            Family::gauge(round, "seconds", "When the last round with a verdict began.")
                .maybe(last.map(|seen| stamp(seen.at))),
            Family::gauge(
                "wss_verdict_since_timestamp_seconds",
                "seconds",
                "Since when the verdict is what it is.",
            )
            .maybe(self.since.map(stamp)),
            Family::counter("wss_rounds_total", "Rounds that gave a verdict.", self.rounds),
            Family::counter("wss_verdict_changes_total", "Changes of verdict.", self.changes),
            Family::counter("wss_bundles_total", "Bundles written.", self.bundles),
            Family::counter("wss_sleeps_total", "How often the machine slept.", self.sleeps),
            Family::counter(
                "wss_otlp_unsent_total",
                "Messages that the OpenTelemetry collector did not take.",
                self.unsent,
            ),
            Family::gauge("wss_watch_running", "", "1 while it watches, 0 once it has ended.")
                .with(bit(self.running)),
            Family::gauge("wss_build_info", "", "The version of the program.")
                .labelled(&[("version", env!("CARGO_PKG_VERSION"))], 1.0),
        ]
    }
}

/// Milliseconds as seconds, to the microsecond.
fn seconds(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e6
}

fn ms(seen: &Seen, layer: Layer) -> Option<f64> {
    seen.layers.iter().find(|state| state.layer == layer)?.ms.map(seconds)
}

fn passes(seen: &Seen, layer: Layer) -> bool {
    let passed = LayerStatus::Pass;
    seen.layers.iter().any(|state| state.layer == layer && state.status == passed)
}

/// What blackbox_exporter's probers tell.
fn as_blackbox(seen: &Seen) -> Vec<Family> {
    let mut phases =
        Family::gauge("probe_http_duration_seconds", "seconds", "Duration of each phase.");
    for (phase, layer) in [
        ("resolve", Layer::Dns),
        ("connect", Layer::Tcp),
        ("tls", Layer::Tls),
        ("processing", Layer::Http),
    ] {
        if let Some(took) = ms(seen, layer) {
            phases = phases.labelled(&[("phase", phase)], took);
        }
    }
    let upgraded = "probe_websocket_connection_upgraded";
    let tls = seen.tls_version.as_deref();
    let mut version = Family::gauge("probe_tls_version_info", "", "The version of TLS.");
    if let Some(tls) = tls {
        version = version.labelled(&[("version", tls)], 1.0);
    }
    vec![
        Family::gauge("probe_success", "", "Whether the verdict is that it works.")
            .with(bit(seen.verdict.status == Status::Working)),
        Family::gauge("probe_duration_seconds", "seconds", "How long the round took.")
            .with(seconds(seen.seconds * 1e3)),
        Family::gauge("probe_dns_lookup_time_seconds", "seconds", "How long the lookup took.")
            .maybe(ms(seen, Layer::Dns)),
        phases,
        Family::gauge("probe_http_status_code", "", "Status of the answer to a page.")
            .maybe(seen.page_status.map(f64::from)),
        Family::gauge("probe_http_ssl", "", "Whether TLS was used.").with(bit(tls.is_some())),
        version,
        Family::gauge("probe_ip_protocol", "", "4 or 6.").maybe(seen.ip),
        Family::gauge(
            "probe_ssl_earliest_cert_expiry",
            "",
            "When the first certificate of the chain runs out, in seconds since 1970.",
        )
        .maybe(seen.expiry.map(stamp)),
        Family::gauge(upgraded, "", "Whether the handshake was answered with a valid 101.")
            .with(bit(passes(seen, Layer::Upgrade))),
        Family::gauge("probe_websocket_status_code", "", "Status of the answer to the handshake.")
            .maybe(seen.upgrade_status.map(f64::from)),
    ]
}

fn verdict(seen: &Seen) -> Vec<Family> {
    let mut status = Family::gauge("wss_verdict", "", "1 for the verdict, 0 for the others.");
    for one in Status::ALL {
        status = status.labelled(&[("status", one.slug())], bit(*one == seen.verdict.status));
    }
    let labels = [
        ("cause", seen.verdict.cause.slug()),
        ("location", seen.verdict.location.slug()),
        ("confidence", seen.verdict.confidence.slug()),
        ("route", &*seen.route),
    ];
    let cause = Family::gauge("wss_cause_info", "", "Why, whose it is, how sure, and which way.");
    vec![status, cause.labelled(&labels, 1.0)]
}

fn layers(seen: &Seen) -> Vec<Family> {
    let mut time =
        Family::gauge("wss_layer_duration_seconds", "seconds", "How long each layer took.");
    let mut pass = Family::gauge(
        "wss_layer_pass",
        "",
        "1 where a layer passes, 0 where it fails; nothing where it was not reached.",
    );
    for state in &seen.layers {
        let labels = [("layer", state.layer.slug())];
        if let Some(ms) = state.ms {
            time = time.labelled(&labels, seconds(ms));
        }
        if let LayerStatus::Pass | LayerStatus::Fail = state.status {
            pass = pass.labelled(&labels, bit(state.status == LayerStatus::Pass));
        }
    }
    vec![time, pass]
}

fn idle(seen: &Seen) -> Vec<Family> {
    let idle = seen.idle.as_ref();
    vec![
        Family::gauge(
            "wss_idle_alive_seconds",
            "seconds",
            "The longest silence that the last round's holds survived.",
        )
        .maybe(idle.and_then(|idle| idle.alive_s)),
        Family::gauge(
            "wss_idle_cut_seconds",
            "seconds",
            "The shortest silence that they did not survive.",
        )
        .maybe(idle.and_then(|idle| idle.cut_after_s)),
    ]
}
