//! The connection that is held as the console holds its own: opened as browsers do it, on
//! the way and path that decide the verdict, silent but for a Ping now and then. It is the
//! engine's own hold, with no end; when it breaks, it is opened again.

use crate::config::Config;
use crate::key::Probe;
use crate::probe::hold_silent::{Manner, Opening, held};
use crate::probe::resolve;
use crate::progress::Progress;
use crate::recorder::Recorder;
use crate::step::{Ctx, Net};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use wss_bundle::observation::EndedBy;
use wss_bundle::{FailureKind, Outcome, Step};

/// After so long it is opened anew: recordings of one connection are bounded.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Until it is opened again; each further time twice as long.
const PAUSE: Duration = Duration::from_secs(1);
/// What lived for so long counts as opened well: the pause begins anew.
const LIVED: Duration = Duration::from_secs(600);

/// What is held, and how.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) config: Arc<Config>,
    /// Index of the route.
    pub(super) route: usize,
    pub(super) path: String,
    /// Between two Pings; none where it is silent.
    pub(super) ping: Option<Duration>,
    /// The longest pause before it is opened again.
    pub(super) patience: Duration,
}

/// What happens to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    /// It is open.
    Open(DateTime<Utc>),
    /// It broke after so long; by what, in a few words.
    Broke { at: DateTime<Utc>, after: Duration, by: String },
    /// It could not be opened, and why.
    Refused(String),
    /// It ended for a reason that is no fault: the machine slept, or it was its time.
    Renewed,
}

/// A connection that is held, until this is dropped.
pub(super) struct Held {
    pub(super) line: Line,
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.task.abort();
    }
}

impl Held {
    /// Starts to hold, and tells what happens.
    pub(super) fn start(line: Line, tell: mpsc::UnboundedSender<Event>) -> Self {
        let (stop, cancel) = watch::channel(false);
        let task = tokio::spawn(keep(line.clone(), cancel, tell));
        Self { line, task, stop }
    }

    /// Whether it is this way and path that are held.
    pub(super) fn is(&self, config: &Config, route: usize, path: &str) -> bool {
        let id = |config: &Config, route: usize| {
            config.routes.get(route).map(|one| one.route.id.clone())
        };
        self.line.path == path && id(&self.line.config, self.line.route) == id(config, route)
    }
}

async fn keep(line: Line, cancel: watch::Receiver<bool>, tell: mpsc::UnboundedSender<Event>) {
    let mut pause = PAUSE;
    loop {
        let (event, lived) = once(&line, cancel.clone(), &tell).await;
        if tell.send(event).is_err() {
            return;
        }
        if lived >= LIVED {
            pause = PAUSE;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(line.patience);
    }
}

/// Opens it, and holds it to its end; gives how long it lived.
async fn once(
    line: &Line,
    cancel: watch::Receiver<bool>,
    tell: &mpsc::UnboundedSender<Event>,
) -> (Event, Duration) {
    let (progress, mut watching) = mpsc::unbounded_channel();
    let recorder = Recorder::new(progress);
    let net = Arc::new(Net::new(line.config.clone(), recorder.clone(), cancel));
    let ctx = Ctx::new(&net, line.route, Probe::HoldChatty, Some(&line.path));
    let way = match resolve::run(ctx.clone()).await {
        Ok(way) => Arc::new(way),
        Err(failure) => return (Event::Refused(failure.to_string()), Duration::ZERO),
    };
    let manner = Manner { interval: line.ping, ..Manner::default() };
    let holding = held(ctx, way, LONGEST, manner, Opening::AsBrowsers);
    tokio::pin!(holding);
    let result = loop {
        tokio::select! {
            result = &mut holding => break result,
            Some(progress) = watching.recv() => {
                if is_open(&progress) {
                    let _ = tell.send(Event::Open(Utc::now()));
                }
            }
        }
    };
    let ended = recorder.find(|seen| match &seen.step {
        Step::Hold(hold) => Some(hold.result.clone()),
        _ => None,
    });
    match (ended, result) {
        (Some(Outcome::Ok(seen)), _) if seen.ending.how == EndedBy::StillOpen => {
            (Event::Renewed, LONGEST)
        }
        (Some(Outcome::Ok(seen)), _) => {
            let ms = |ms: f64| Duration::try_from_secs_f64(ms.max(0.0) / 1e3).unwrap_or_default();
            // What nobody ended was last heard of before it was asked.
            let silent = seen.ending.how == EndedBy::Silence;
            let quiet = if silent { ms(seen.quiet_ms) } else { Duration::ZERO };
            let after = ms(seen.held_ms).saturating_sub(quiet);
            let by = wss_bundle::transcript::ended(&seen.ending);
            (Event::Broke { at: Utc::now() - quiet, after, by }, after)
        }
        // The machine slept, or this is the end.
        (Some(Outcome::Failed(failure)), _) if failure.kind == FailureKind::Cancelled => {
            (Event::Renewed, Duration::ZERO)
        }
        (Some(Outcome::Failed(failure)), _) if failure.kind == FailureKind::TooMuchData => {
            (Event::Renewed, LIVED)
        }
        (_, Err(failure)) => (Event::Refused(failure.to_string()), Duration::ZERO),
        (_, Ok((_, lived))) => (Event::Renewed, lived),
    }
}

fn is_open(progress: &Progress) -> bool {
    let Progress::Observation(seen) = progress else { return false };
    match &seen.step {
        Step::Upgrade(step) => step.result.ok().is_some_and(|r| r.head.status() == Some(101)),
        _ => false,
    }
}
