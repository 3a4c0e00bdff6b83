//! What a diagnosis says to an expectation. Reads what the rules judged, and never
//! judges by itself; the one thing that it reads from the bundle are dates of
//! certificates, which no rule has a word for until they are near.

use super::parse::plain;
use super::{Expectation, Via, What};
use chrono::{DateTime, Utc};
use std::time::Duration;
use wss_bundle::observation::Peer;
use wss_bundle::{Bundle, Step};
use wss_diagnosis::{Diagnosis, Idle, Layer, LayerState, LayerStatus, RouteLadder, Status};

/// Whether an expectation is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// Nothing that was seen tells.
    Unknown,
}

impl Met {
    /// The name for scripts.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Yes => "met",
            Self::No => "not-met",
            Self::Unknown => "unknown",
        }
    }
}

/// An expectation, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// As it was typed.
    pub expected: String,
    /// Whether it is met.
    pub met: Met,
    /// Why, in one sentence or a part of one.
    pub reason: String,
}

type Said = (Met, String);

impl Expectation {
    /// What the diagnosis of one bundle says to it.
    #[must_use]
    pub fn answer(&self, diagnosis: &Diagnosis, bundle: &Bundle) -> Answer {
        let chosen = chosen(diagnosis);
        let (met, reason) = match &self.what {
            What::Works => works(diagnosis),
            What::Status(wanted) => {
                let verdict = &diagnosis.verdict;
                (yes(verdict.status == *wanted), format!("{}: {}", verdict.status, verdict.summary))
            }
            What::Cause(wanted) => {
                let verdict = &diagnosis.verdict;
                (yes(verdict.cause == *wanted), format!("{}: {}", verdict.cause, verdict.summary))
            }
            What::IdleAtLeast(span) => idle(diagnosis, *span, true),
            What::IdleBelow(span) => idle(diagnosis, *span, false),
            What::Via(via) => way(via, chosen),
            What::Http1 => http1(chosen),
            What::TlsTrusted => trusted(chosen),
            What::Certificate(span) => certificate(chosen, bundle, *span),
            What::OpensWithin(span) => opens(chosen, *span),
        };
        Answer { expected: self.text.clone(), met, reason }
    }
}

fn yes(is: bool) -> Met {
    if is { Met::Yes } else { Met::No }
}

/// The ladder that decides: the way that this machine's settings choose, on the path of
/// the console's socket.
#[must_use]
pub(crate) fn chosen(diagnosis: &Diagnosis) -> Option<&RouteLadder> {
    let own = |ladder: &&RouteLadder| ladder.chosen;
    let all = || diagnosis.routes.iter().filter(own);
    all().find(|ladder| ladder.path == diagnosis.case.path).or_else(|| all().next())
}

/// A layer of a ladder.
#[must_use]
pub(crate) fn layer(ladder: &RouteLadder, wanted: Layer) -> Option<&LayerState> {
    ladder.layers.iter().find(|state| state.layer == wanted)
}

fn works(diagnosis: &Diagnosis) -> Said {
    let verdict = &diagnosis.verdict;
    let held = match &diagnosis.idle {
        None if verdict.status == Status::Working => {
            " Nothing was held: how long it lasts is not told."
        }
        _ => "",
    };
    match verdict.status {
        Status::Working => (Met::Yes, format!("{}{held}", verdict.summary)),
        Status::Unknown => (Met::Unknown, verdict.summary.clone()),
        Status::Unstable | Status::Broken => {
            (Met::No, format!("{} (cause: {})", verdict.summary, verdict.cause))
        }
    }
}

/// Whether silence of `span` is survived (`at_least`), or is not.
fn idle(diagnosis: &Diagnosis, span: Duration, at_least: bool) -> Said {
    let Some(idle) = &diagnosis.idle else {
        let why = match diagnosis.verdict.status {
            Status::Working => "nothing was held: --hold 0".to_owned(),
            _ => format!("nothing could be held (cause: {})", diagnosis.verdict.cause),
        };
        return (Met::Unknown, why);
    };
    let wanted = span.as_secs_f64();
    let reason = seen(idle);
    match (survives(idle, wanted), at_least) {
        (Some(true), true) | (Some(false), false) => (Met::Yes, reason),
        (Some(_), _) => (Met::No, reason),
        (None, _) => (Met::Unknown, format!("{reason}; --hold {wanted}s would tell")),
    }
}

/// Whether so many seconds of silence are survived.
fn survives(idle: &Idle, wanted: f64) -> Option<bool> {
    // Tenths of seconds are what the diagnosis tells.
    if idle.alive_s.is_some_and(|alive| alive + 0.05 >= wanted) {
        return Some(true);
    }
    match (idle.cut_after_s, idle.cut_by) {
        // The limit lies before that.
        (Some(cut), Some("silence")) => (cut <= wanted + 0.05).then_some(false),
        (Some(cut), _) => Some(cut + 0.05 >= wanted),
        (None, _) => None,
    }
}

fn seen(idle: &Idle) -> String {
    let alive = idle.alive_s.unwrap_or_default();
    match (idle.cut_after_s, idle.cut_by) {
        (Some(cut), Some("silence")) => {
            format!("a silent connection answered after {alive} s, and not after {cut} s")
        }
        (Some(cut), by) => {
            format!("a silent connection was ended after {cut} s ({})", by.unwrap_or("unknown"))
        }
        (None, _) => format!("a silent connection answered after {alive} s"),
    }
}

fn way(via: &Via, chosen: Option<&RouteLadder>) -> Said {
    let Some(chosen) = chosen else {
        return (Met::Unknown, "no way was chosen".to_owned());
    };
    let proxy = chosen.route.strip_prefix("proxy ");
    let met = match (via, proxy) {
        (Via::Direct, proxy) => proxy.is_none(),
        (Via::Proxy, proxy) => proxy.is_some(),
        (Via::Url(wanted), proxy) => proxy.is_some_and(|url| plain(url) == *wanted),
    };
    (yes(met), format!("this machine's settings choose: {}", chosen.route))
}

fn detail(state: &LayerState) -> String {
    match state.detail.as_deref() {
        Some(detail) if !detail.is_empty() => detail.to_owned(),
        _ => format!("{}: {}", state.layer, state.status),
    }
}

/// What broke below, where something did.
fn below(chosen: &RouteLadder) -> String {
    let broken = chosen.layers.iter().find(|state| state.status == LayerStatus::Fail);
    match broken {
        Some(state) => format!("not reached: {} failed ({})", state.layer, detail(state)),
        None => "not reached".to_owned(),
    }
}

fn of_layer(chosen: Option<&RouteLadder>, wanted: Layer) -> Option<(&RouteLadder, &LayerState)> {
    let chosen = chosen?;
    Some((chosen, layer(chosen, wanted)?))
}

fn http1(chosen: Option<&RouteLadder>) -> Said {
    let Some((chosen, state)) = of_layer(chosen, Layer::Upgrade) else {
        return (Met::Unknown, "no handshake was tried".to_owned());
    };
    match state.status {
        LayerStatus::Pass => (Met::Yes, format!("the handshake was answered: {}", detail(state))),
        LayerStatus::Fail => (Met::No, format!("the handshake was answered: {}", detail(state))),
        LayerStatus::Skipped => (Met::Unknown, below(chosen)),
        LayerStatus::Unknown if state.detail.is_some() => (Met::Unknown, detail(state)),
        LayerStatus::Unknown => (Met::Unknown, below(chosen)),
    }
}

fn trusted(chosen: Option<&RouteLadder>) -> Said {
    let Some((chosen, state)) = of_layer(chosen, Layer::Tls) else {
        return (Met::Unknown, "no handshake was tried".to_owned());
    };
    match state.status {
        LayerStatus::Pass => (Met::Yes, detail(state)),
        LayerStatus::Fail => (Met::No, detail(state)),
        LayerStatus::Skipped => (Met::No, "the target is http://: there is no TLS".to_owned()),
        LayerStatus::Unknown => (Met::Unknown, below(chosen)),
    }
}

/// The first moment at which a certificate of the target's chain runs out, as this route
/// was shown it.
#[must_use]
pub(crate) fn earliest_expiry(chosen: &RouteLadder, bundle: &Bundle) -> Option<DateTime<Utc>> {
    let chain = bundle.observations.observations.iter().find_map(|seen| match &seen.step {
        Step::Tls(tls) if tls.peer == Peer::Target && seen.route.0 == chosen.route => {
            (!tls.chain.is_empty()).then_some(&tls.chain)
        }
        _ => None,
    })?;
    let date = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
    chain.iter().filter_map(|one| date(&one.not_after)).min()
}

fn certificate(chosen: Option<&RouteLadder>, bundle: &Bundle, span: Duration) -> Said {
    let Some((chosen, state)) = of_layer(chosen, Layer::Tls) else {
        return (Met::Unknown, "no handshake was tried".to_owned());
    };
    if state.status == LayerStatus::Skipped {
        return (Met::No, "the target is http://: there is no certificate".to_owned());
    }
    let Some(expiry) = earliest_expiry(chosen, bundle) else {
        return (Met::Unknown, below(chosen));
    };
    let left = expiry - bundle.manifest.started_at;
    let span = chrono::Duration::from_std(span).unwrap_or(chrono::Duration::MAX);
    let when = expiry.format("%Y-%m-%d %H:%M UTC");
    let text = match left.num_days() {
        _ if left < chrono::Duration::zero() => format!("expired on {when}"),
        0 => format!("expires on {when}, in {} h", left.num_hours()),
        days => format!("expires on {when}, in {days} days"),
    };
    (yes(left >= span), text)
}

/// Milliseconds from the lookup to the 101; `None` where there was no 101.
#[must_use]
pub(crate) fn opened_ms(chosen: &RouteLadder) -> Option<f64> {
    let before = [Layer::Dns, Layer::Tcp, Layer::Proxy, Layer::Tls, Layer::Upgrade];
    layer(chosen, Layer::Upgrade).filter(|state| state.status == LayerStatus::Pass)?;
    Some(before.iter().filter_map(|one| layer(chosen, *one)?.ms).sum())
}

fn opens(chosen: Option<&RouteLadder>, span: Duration) -> Said {
    match (chosen, chosen.and_then(opened_ms)) {
        (_, Some(ms)) => (yes(ms < span.as_secs_f64() * 1e3), format!("it took {ms:.0} ms")),
        (Some(chosen), None) => (Met::No, format!("it did not open: {}", below(chosen))),
        (None, None) => (Met::Unknown, "no way was chosen".to_owned()),
    }
}
