//! One round: a collection by the engine, without a file and without a person.

use super::seen::Seen;
use crate::cli::probing::ProbeArgs;
use crate::cli::resolve::{Job, job};
use crate::command::gather::{Judged, Manner, gather, judged};
use crate::step::clock;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What a round gave.
pub(super) struct Round {
    pub(super) job: Job,
    pub(super) judged: Judged,
    pub(super) seen: Seen,
    /// How long it held connections.
    pub(super) hold: Duration,
    /// How long the machine slept meanwhile: then it tells nothing.
    pub(super) slept: Option<Duration>,
    /// False when it was stopped.
    pub(super) complete: bool,
}

/// Probes and judges. Options are understood anew: settings of this machine may have
/// changed. `notes` go into the bundle.
///
/// # Errors
/// What is wrong with the options by now: a file that is gone.
pub(super) async fn round(
    args: ProbeArgs,
    hold: Duration,
    notes: Vec<String>,
    cancel: watch::Receiver<bool>,
) -> Result<Round, String> {
    let (begun, moment) = (Instant::now(), clock::now());
    let mut job = job(args.collection(hold))?;
    let stopping = "stopping";
    let manner = Manner { quiet: true, partial: None, stopping };
    let mut bundle = gather(&mut job, cancel, &manner).await;
    bundle.environment.notes.extend(notes);
    let complete = bundle.manifest.complete;
    let judged = judged(&job, bundle);
    let seen = Seen::of(&judged, begun.elapsed().as_secs_f64());
    let slept = clock::slept(&moment, &clock::now());
    Ok(Round { job, judged, seen, hold, slept, complete })
}
