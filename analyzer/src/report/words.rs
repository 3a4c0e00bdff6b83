//! Names of things, for people; and names of places in the page, for links.

use chrono::{DateTime, FixedOffset, Utc};
use wss_bundle::Bundle;
use wss_diagnosis::{Confidence, ItemStatus, LayerStatus, Location, Severity, Status};

/// `Broken` …
#[must_use]
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Working => "Working",
        Status::Unstable => "Unstable",
        Status::Broken => "Broken",
        Status::Unknown => "Cannot tell",
    }
}

/// Which colour a status has: `good`, `bad`, `warn`.
#[must_use]
pub fn tone(status: Status) -> &'static str {
    match status {
        Status::Working => "good",
        Status::Broken => "bad",
        Status::Unstable | Status::Unknown => "warn",
    }
}

/// Where the fault lies.
#[must_use]
pub fn location(location: Location) -> &'static str {
    match location {
        Location::ClientNetwork => "the client's network: proxy, firewall or VPN",
        Location::ServerSide => "the server's side: load balancer or server",
        Location::Browser => "the browser",
        Location::Target => "what was asked for: address, path or credentials",
        Location::None => "nowhere",
        Location::Undetermined => "cannot be told yet",
    }
}

/// How sure, and what that means.
#[must_use]
pub fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high: a difference between twins, or an unmistakable sign, shows it",
        Confidence::Medium => "medium: the evidence fits, and a comparison is missing",
        Confidence::Low => "low: one of several explanations",
    }
}

/// `high`, `medium`, `low`.
#[must_use]
pub fn level(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    }
}

/// `error`, `warning`, `info`.
#[must_use]
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// Symbol, word and colour of a layer's status: never the colour alone.
#[must_use]
pub fn layer(status: LayerStatus) -> (&'static str, &'static str, &'static str) {
    match status {
        LayerStatus::Pass => ("✓", "pass", "good"),
        LayerStatus::Fail => ("✗", "fail", "bad"),
        LayerStatus::Skipped => ("–", "not needed", "none"),
        LayerStatus::Unknown => ("?", "unknown", "none"),
    }
}

/// Symbol, word and colour of a checklist item.
#[must_use]
pub fn item(status: ItemStatus) -> (&'static str, &'static str, &'static str) {
    match status {
        ItemStatus::Complete => ("✓", "complete", "good"),
        ItemStatus::Partial => ("◐", "partial", "warn"),
        ItemStatus::Missing => ("○", "missing", "bad"),
    }
}

/// The checklist's items, as the page has them.
#[must_use]
pub fn item_title(item: &str) -> &'static str {
    match item {
        "upgrade-test" => "Upgrade test, inside and outside",
        "proxy-or-load-balancer" => "Proxy or load balancer, and version",
        "failed-handshake" => "Status and headers of the handshake",
        "network-path" => "Network path",
        _ => "Other",
    }
}

/// Milliseconds, with as many digits as mean something.
#[must_use]
pub fn ms(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 10_000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1e3),
    }
}

/// A time in UTC, with the local time of the machine that collected.
#[must_use]
pub fn time(at: DateTime<Utc>, offset_minutes: i32) -> String {
    let utc = at.format("%Y-%m-%d %H:%M:%S UTC");
    match FixedOffset::east_opt(offset_minutes.saturating_mul(60)) {
        Some(offset) if offset_minutes != 0 => {
            format!("{utc} ({} there)", at.with_timezone(&offset).format("%H:%M %:z"))
        }
        _ => utc.to_string(),
    }
}

/// A bundle's short name in anchors: the first eight characters of its id that
/// may stand in one.
#[must_use]
pub fn short(bundle_id: &str) -> String {
    bundle_id.chars().filter(char::is_ascii_alphanumeric).take(8).collect()
}

/// Anchor of an observation: stable, so that a link to it lasts.
#[must_use]
pub fn anchor(bundle_id: &str, observation: &str) -> String {
    let clean: String =
        observation.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    format!("o-{}-{clean}", short(bundle_id))
}

/// `inside`, or `inside 2` where there are several of one vantage.
#[must_use]
pub fn name(bundle: &Bundle, all: &[&Bundle]) -> String {
    let vantage = bundle.manifest.vantage;
    let same: Vec<_> = all.iter().filter(|other| other.manifest.vantage == vantage).collect();
    match same.iter().position(|other| other.manifest.id == bundle.manifest.id) {
        Some(at) if same.len() > 1 => format!("{} {}", vantage.as_str(), at + 1),
        _ => vantage.as_str().to_owned(),
    }
}

/// Cut to so many characters, with a sign that it was.
#[must_use]
pub fn cut(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(characters).collect();
    format!("{kept}…")
}
