//! Whether silence is a fact. Somebody has to stop waiting, and an answer may
//! have come a moment later: silence tells two ways or two requests apart only
//! where it lasted clearly longer than the answer to its twin took.
//!
//! What is too short is no failure in any view: the socket is untold then
//! ([`super::SocketState::Unknown`]), and no claim stands on it.

use super::{BundleView, RouteView};
use wss_bundle::observation::{EndedBy, Peer, probe};
use wss_bundle::{FailureKind, Observation, Step};

/// Silence lasts at least so many times as long as the answer took,
const TIMES: f64 = 2.0;
/// and so much longer, in milliseconds: an answer may be late by a lost segment,
/// which is sent again after one second (RFC 6298 section 2).
const MARGIN_MS: f64 = 1000.0;
/// A wait that excludes an answer which is late for all that other requests were
/// answered fast: the default of `--timeout`, in milliseconds.
const LONG_MS: f64 = 10_000.0;

/// Silence that was not waited for long enough.
#[derive(Debug, Clone)]
pub struct TooShort<'a> {
    /// The step that heard nothing.
    pub observation: &'a Observation,
    /// How long it waited, in milliseconds.
    pub waited_ms: f64,
    /// How long an answer took elsewhere, in milliseconds.
    pub took_ms: f64,
    /// What was answered, for sentences: `the same upgrade from outside`.
    pub what: String,
}

impl TooShort<'_> {
    /// What was measured, as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!(
            "No answer came within {:.1} s, and {} took {:.1} s: one may have come a moment later.",
            self.waited_ms / 1e3,
            self.what,
            self.took_ms / 1e3
        )
    }
}

/// Whether a wait was clearly longer than an answer took (milliseconds).
#[must_use]
pub fn outlasts(waited_ms: f64, took_ms: f64) -> bool {
    waited_ms >= (took_ms * TIMES).max(took_ms + MARGIN_MS)
}

/// Whether a step heard nothing for so long that no usual server is that late.
#[must_use]
pub fn is_long(o: &Observation) -> bool {
    o.duration_ms >= LONG_MS * 0.95
}

/// How long a step waited in vain, in milliseconds; `None` where it did not.
#[must_use]
pub fn waited(o: &Observation) -> Option<f64> {
    let silent = match &o.step {
        Step::Frames(frames) => match frames.result.ok() {
            Some(seen) => seen.ending.how == EndedBy::Silence,
            None => timed_out(o),
        },
        Step::Hold(hold) => {
            let held = hold.result.ok().filter(|held| held.ending.how == EndedBy::Silence)?;
            // Quiet began with the last byte, and the waiting with the Ping after it.
            let waited = match hold.ping_interval_ms {
                Some(interval) => held.quiet_ms - interval,
                None => held.held_ms - hold.planned_ms,
            };
            return (waited > 0.0).then_some(waited);
        }
        _ => timed_out(o),
    };
    silent.then_some(o.duration_ms)
}

fn timed_out(o: &Observation) -> bool {
    o.step.failure().is_some_and(|failure| failure.kind == FailureKind::TimedOut)
}

/// How long an answer took, in milliseconds; `None` where there was none.
fn took(o: &Observation) -> Option<f64> {
    match &o.step {
        Step::Http(http) => Some(http.result.ok()?.first_byte_ms),
        Step::Upgrade(upgrade) => Some(upgrade.result.ok()?.first_byte_ms),
        Step::Frames(frames) => {
            let seen = frames.result.ok()?;
            let passed = seen.message.and_then(|message| message.passed_ms);
            [seen.pong_ms, passed].into_iter().flatten().reduce(f64::max)
        }
        // Holds tell of ages, and name servers are not on the way.
        Step::Hold(_) | Step::Resolve(_) => None,
        Step::Connect(_) | Step::Tunnel(_) | Step::Tls(_) => {
            o.step.failure().is_none().then_some(o.duration_ms)
        }
    }
}

/// Whether an answer on the same way says how long one may take: requests and
/// frames of requests and frames; below them, every step that was answered.
fn of_its_own_way(silent: &Observation, other: &Observation) -> bool {
    let request = |o: &Observation| {
        matches!(o.step, Step::Http(_) | Step::Upgrade(_) | Step::Frames(_) | Step::Hold(_))
    };
    !request(silent) || request(other)
}

/// Whether a step elsewhere is the twin of one that heard nothing.
fn is_twin(silent: &Observation, other: &Observation) -> bool {
    match (&silent.step, &other.step) {
        (Step::Upgrade(_), Step::Upgrade(_)) | (Step::Frames(_), Step::Frames(_)) => {
            silent.path == other.path
                && (silent.probe == probe::H2_CONNECT) == (other.probe == probe::H2_CONNECT)
        }
        // A proxy connects to the target before it answers.
        (Step::Tunnel(_), Step::Connect(connect)) | (Step::Connect(connect), Step::Tunnel(_)) => {
            connect.peer == Peer::Target
        }
        (Step::Tunnel(_), Step::Tunnel(_)) => true,
        (Step::Tls(a), Step::Tls(b)) => a.peer == b.peer,
        (Step::Connect(a), Step::Connect(b)) => a.peer == b.peer,
        _ => false,
    }
}

/// The slowest of some answers, if a silence does not outlast it.
fn too_short<'a>(
    silent: &'a Observation,
    answers: impl Iterator<Item = &'a Observation>,
    what: impl Fn(&Observation) -> String,
) -> Option<TooShort<'a>> {
    let waited_ms = waited(silent)?;
    let slowest = answers.filter_map(|o| Some((took(o)?, o)));
    let (took_ms, other) = slowest.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    let what = what(other);
    (!outlasts(waited_ms, took_ms)).then_some(TooShort {
        observation: silent,
        waited_ms,
        took_ms,
        what,
    })
}

fn named(o: &Observation) -> &'static str {
    match &o.step {
        Step::Http(_) => "a page on the same way",
        Step::Upgrade(_) => "the upgrade",
        Step::Frames(_) => "a Ping",
        Step::Hold(_) | Step::Resolve(_) => "it",
        Step::Connect(_) => "a connection",
        Step::Tunnel(_) => "a tunnel",
        Step::Tls(_) => "a TLS handshake",
    }
}

impl<'a> RouteView<'a> {
    /// The steps that heard nothing and count: the console's own, and those of
    /// the climb to it.
    fn silences<'v>(&'v self, path: &'v str) -> impl Iterator<Item = &'a Observation> + 'v {
        self.observations.iter().copied().filter(move |o| {
            let own = o.path.as_deref().is_none_or(|own| own == path);
            own && !matches!(o.step, Step::Resolve(_) | Step::Http(_)) && waited(o).is_some()
        })
    }

    /// What was not waited for long enough, held against this route's own answers.
    pub(super) fn too_short_here(&self, path: &str) -> Vec<TooShort<'a>> {
        self.silences(path)
            .filter_map(|silent| {
                let all = self.observations.iter().copied();
                let answers = all.filter(|o| o.id != silent.id && of_its_own_way(silent, o));
                too_short(silent, answers, |o| {
                    let path = o.path.as_deref().unwrap_or_default();
                    match &o.step {
                        Step::Http(_) | Step::Upgrade(_) => format!("{path} by the same way"),
                        _ => format!("{} by the same way", named(o)),
                    }
                })
            })
            .collect()
    }

    /// The same, held against the answers to its twins on another route.
    pub(super) fn too_short_beside(
        &self,
        other: &Self,
        path: &str,
        place: &str,
    ) -> Vec<TooShort<'a>> {
        self.silences(path)
            .filter_map(|silent| {
                let twins = other.observations.iter().copied().filter(|o| is_twin(silent, o));
                too_short(silent, twins, |o| format!("{} {place}", named(o)))
            })
            .collect()
    }

    /// Whether an observation of this route is silence that was too short.
    #[must_use]
    pub fn is_too_short(&self, observation: &Observation) -> bool {
        self.too_short.iter().any(|short| short.observation.id == observation.id)
    }
}

/// Marks what was not waited for long enough, within a bundle.
pub(super) fn mark<'a>(routes: &mut [RouteView<'a>], path: &str) {
    let found: Vec<Vec<TooShort<'a>>> = routes
        .iter()
        .map(|route| {
            let others = routes.iter().filter(|other| other.route.id != route.route.id);
            let beside =
                others.flat_map(|other| route.too_short_beside(other, path, &other.route.id.way()));
            route.too_short_here(path).into_iter().chain(beside).collect()
        })
        .collect();
    for (route, found) in routes.iter_mut().zip(found) {
        route.too_short = found;
    }
}

/// Marks the same in two bundles that are compared, by the ways that decide.
pub(super) fn mark_between<'a>(a: &mut BundleView<'a>, b: &mut BundleView<'a>) {
    let of = |own: &BundleView<'a>, other: &BundleView<'a>| {
        let (Some(route), Some(beside)) = (own.selected(), other.selected()) else {
            return Vec::new();
        };
        let place = format!("from {}", other.bundle.manifest.vantage.as_str());
        route.too_short_beside(beside, own.path, &place)
    };
    let (of_a, of_b) = (of(a, b), of(b, a));
    for (view, found) in [(a, of_a), (b, of_b)] {
        if let Some(route) = view.routes.get_mut(view.deciding.at) {
            route.too_short.extend(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::outlasts;

    #[test]
    fn silence_is_twice_as_long_as_an_answer_and_a_second_longer() {
        for (waited, took, clear) in [
            (2000.0, 10.0, true),
            (3000.0, 2400.0, false),
            (3000.0, 1500.0, true),
            (1200.0, 300.0, false),
            (1200.0, 200.0, true),
            (10_000.0, 5100.0, false),
        ] {
            assert_eq!(outlasts(waited, took), clear, "{waited} {took}");
        }
    }
}
