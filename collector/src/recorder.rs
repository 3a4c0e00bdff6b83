//! Collects what the probes see: times every step, numbers connections, and
//! tells whoever watches. Owns the order of observations, nothing else.

pub use crate::wire::millis;

use crate::key::{Probe, StepKey};
use crate::progress::Progress;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::Instant;
use wss_bundle::manifest::{StepOutcome, StepRecord};
use wss_bundle::observation::Body;
use wss_bundle::{BrowserHandshake, Observation, Outcome, RouteId, Step};

/// Bytes of bodies that one collection keeps whole. What is asked again brings the
/// same page again, and each kept byte costs about ten while the bundle is written
/// (measured: 40 pages of 64 KiB, 26 MiB).
const BODIES: u64 = 1 << 20;
/// What is kept of each body after that.
const SHORT_BODY: usize = 4 << 10;

/// Shared by every probe of one collection; cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Instant,
    began: AtomicU64,
    connections: AtomicU32,
    observations: Mutex<Vec<(u64, Observation)>>,
    steps: Mutex<Vec<(StepKey, StepRecord)>>,
    browser: Mutex<Vec<BrowserHandshake>>,
    /// Bytes of bodies so far.
    bodies: AtomicU64,
    progress: UnboundedSender<Progress>,
    /// Told of every observation.
    changes: watch::Sender<()>,
}

/// Whose step it is.
#[derive(Debug, Clone)]
pub struct Label {
    /// Which probe.
    pub probe: Probe,
    /// Which route.
    pub route: RouteId,
    /// Which path.
    pub path: Option<String>,
    /// Which TCP connection.
    pub connection: Option<u32>,
}

/// A step that has begun.
#[derive(Debug)]
pub struct Begun {
    order: u64,
    at: Instant,
}

/// A lock whose holder panicked still has good data: every write to it is a push.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body that a step brought.
fn body(step: &mut Step) -> Option<&mut Body> {
    let reply = match step {
        Step::Http(http) => &mut http.result,
        Step::Upgrade(upgrade) => &mut upgrade.result,
        _ => return None,
    };
    match reply {
        Outcome::Ok(reply) => Some(&mut reply.body),
        Outcome::Failed(_) => None,
    }
}

impl Recorder {
    /// Starts the clock of a collection.
    #[must_use]
    pub fn new(progress: UnboundedSender<Progress>) -> Self {
        Self(Arc::new(Inner {
            start: Instant::now(),
            began: AtomicU64::new(0),
            connections: AtomicU32::new(0),
            observations: Mutex::default(),
            steps: Mutex::default(),
            browser: Mutex::default(),
            bodies: AtomicU64::new(0),
            progress,
            changes: watch::Sender::new(()),
        }))
    }

    /// The number of a new TCP connection.
    #[must_use]
    pub fn connection(&self) -> u32 {
        self.0.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Marks the beginning of a step.
    #[must_use]
    pub fn begin(&self) -> Begun {
        Begun { order: self.0.began.fetch_add(1, Ordering::Relaxed) + 1, at: Instant::now() }
    }

    /// Records how a step ended.
    pub fn end(&self, begun: &Begun, label: &Label, mut step: Step) {
        self.keep_bodies_small(&mut step);
        let observation = Observation {
            id: format!("o{}", begun.order),
            probe: label.probe.name().to_owned(),
            route: label.route.clone(),
            path: label.path.clone(),
            connection: label.connection,
            start_ms: millis(begun.at - self.0.start),
            duration_ms: millis(begun.at.elapsed()),
            step,
        };
        lock(&self.0.observations).push((begun.order, observation.clone()));
        self.0.changes.send_replace(());
        // Nobody watching is no reason to stop.
        let _ = self.0.progress.send(Progress::Observation(Box::new(observation)));
    }

    fn keep_bodies_small(&self, step: &mut Step) {
        let Some(Body { bytes, truncated, .. }) = body(step) else { return };
        let length = bytes.0.len();
        let before = self.0.bodies.fetch_add(length as u64, Ordering::Relaxed);
        if length > SHORT_BODY && before + length as u64 > BODIES {
            bytes.0.truncate(SHORT_BODY);
            bytes.0.shrink_to_fit();
            *truncated = true;
        }
    }

    /// Records how a step of the plan ended.
    pub fn step_done(
        &self,
        key: &StepKey,
        begun: &Begun,
        outcome: StepOutcome,
        why: Option<String>,
    ) {
        let record = StepRecord {
            name: key.to_string(),
            start_ms: millis(begun.at - self.0.start),
            duration_ms: millis(begun.at.elapsed()),
            outcome,
            why,
        };
        lock(&self.0.steps).push((key.clone(), record.clone()));
        let _ = self.0.progress.send(Progress::StepDone(key.clone(), record));
    }

    /// The first observation so far of which `pick` makes something.
    pub fn find<T>(&self, pick: impl Fn(&Observation) -> Option<T>) -> Option<T> {
        lock(&self.0.observations).iter().find_map(|(_, seen)| pick(seen))
    }

    /// The first observation of which `pick` makes something, once there is one.
    pub async fn until<T>(&self, pick: impl Fn(&Observation) -> Option<T>) -> T {
        let mut changes = self.0.changes.subscribe();
        loop {
            if let Some(found) = self.find(&pick) {
                return found;
            }
            // The sender lives as long as this recorder does.
            let _ = changes.changed().await;
        }
    }

    /// What `pick` makes of the observations so far.
    pub fn all<T>(&self, pick: impl Fn(&Observation) -> Option<T>) -> Vec<T> {
        lock(&self.0.observations).iter().filter_map(|(_, seen)| pick(seen)).collect()
    }

    /// Records what a browser saw.
    pub fn browser(&self, seen: Vec<BrowserHandshake>) {
        lock(&self.0.browser).extend(seen);
    }

    /// What browsers saw, without ids.
    #[must_use]
    pub fn finish_browser(&self) -> Vec<BrowserHandshake> {
        std::mem::take(&mut *lock(&self.0.browser))
    }

    /// Whether a step of the plan has a record already.
    #[must_use]
    pub fn has_step(&self, key: &StepKey) -> bool {
        lock(&self.0.steps).iter().any(|(own, _)| own == key)
    }

    /// Tells whoever watches.
    pub fn tell(&self, progress: Progress) {
        let _ = self.0.progress.send(progress);
    }

    /// Everything recorded so far, as [`Recorder::finish`] would give it now.
    #[must_use]
    pub fn snapshot(&self) -> (Vec<Observation>, Vec<StepRecord>) {
        let observations = lock(&self.0.observations).clone();
        let steps = lock(&self.0.steps).clone();
        (numbered(observations), in_order(steps))
    }

    /// Everything recorded, in the order in which it began, numbered without gaps.
    #[must_use]
    pub fn finish(&self) -> (Vec<Observation>, Vec<StepRecord>) {
        let observations = std::mem::take(&mut *lock(&self.0.observations));
        let steps = std::mem::take(&mut *lock(&self.0.steps));
        (numbered(observations), in_order(steps))
    }
}

fn numbered(mut observations: Vec<(u64, Observation)>) -> Vec<Observation> {
    observations.sort_by_key(|(order, _)| *order);
    let numbered = observations.into_iter().zip(1..);
    numbered.map(|((_, seen), n)| Observation { id: format!("o{n}"), ..seen }).collect()
}

fn in_order(steps: Vec<(StepKey, StepRecord)>) -> Vec<StepRecord> {
    let mut steps: Vec<StepRecord> = steps.into_iter().map(|(_, record)| record).collect();
    steps.sort_by(|a, b| a.start_ms.total_cmp(&b.start_ms));
    steps
}
