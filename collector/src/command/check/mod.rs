//! `check`: the preflight. The engine of a collection, a hold of choice, and an answer to
//! each stated expectation. No bundle, unless one is not met and a folder is named.

mod junit;
mod say;

use super::gather::{Judged, Manner, gather, judged};
use super::store::{PREFIX, folder_of, store_in};
use super::{FAILS, NO_BUNDLE, WORKS, err, fail, out, runtime, signals, warm};
use crate::cli::probing::CheckArgs;
use crate::cli::resolve::{Job, job};
use crate::expect::{Answer, Met, hold_for, whole};
use crate::screen::{Look, safe};
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tokio::sync::watch;
use wss_bundle::write::{self, WriteError};

/// What a check came to.
struct Outcome {
    answers: Vec<Answer>,
    judged: Judged,
    started_at: DateTime<Utc>,
    seconds: f64,
    /// Where a bundle was written.
    bundle: Option<PathBuf>,
}

impl Outcome {
    fn count(&self, met: Met) -> usize {
        self.answers.iter().filter(|answer| answer.met == met).count()
    }

    fn code(&self) -> u8 {
        if self.count(Met::Yes) == self.answers.len() { WORKS } else { FAILS }
    }

    fn target(&self) -> String {
        match self.judged.diagnosis.case.target.as_str() {
            "" => self.judged.redacted.get().manifest.target.origin(),
            target => target.to_owned(),
        }
    }
}

/// Runs a check; gives the exit code.
#[must_use]
pub fn check(args: CheckArgs) -> u8 {
    let expected = whole(args.expect.clone());
    let hold = args.hold.unwrap_or_else(|| hold_for(&expected));
    let mut job = match job(args.probe.collection(hold)) {
        Ok(job) => job,
        Err(message) => return fail(&message),
    };
    if let Err(message) = writable(&args) {
        return fail(&message);
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(message) => return fail(&message),
    };
    for warning in &job.warnings {
        err(&format!("warning: {}\n", safe(warning)));
    }
    warm::up();
    let (stop, cancel) = watch::channel(false);
    runtime.spawn(signals::watch(stop, super::partial::Place::default()));
    let look = Look::of(&std::io::stderr());
    let manner = Manner {
        // Scripts get the answers alone.
        quiet: args.json || !look.live,
        partial: None,
        stopping: "stopping; what was not seen yet cannot be told (Ctrl-C again gives up)",
    };
    let (begun, started_at) = (Instant::now(), Utc::now());
    let bundle = runtime.block_on(gather(&mut job, cancel, &manner));
    runtime.shutdown_background();
    let judged = judged(&job, bundle);
    let answer =
        |one: &crate::expect::Expectation| one.answer(&judged.diagnosis, judged.redacted.get());
    let answers = expected.iter().map(answer).collect();
    let seconds = begun.elapsed().as_secs_f64();
    let mut outcome = Outcome { answers, judged, started_at, seconds, bundle: None };
    tell(&args, &job, &mut outcome)
}

/// Writes what was asked for, and says what was found; gives the exit code. What cannot be
/// written takes nothing away from what is said.
fn tell(args: &CheckArgs, job: &Job, outcome: &mut Outcome) -> u8 {
    let mut code = outcome.code();
    if let Some(folder) = &args.bundle_on_failure
        && code != WORKS
    {
        match store_in(job, &outcome.judged.redacted, folder, PREFIX) {
            Ok(stored) => outcome.bundle = Some(stored.path),
            Err(error) => code = fail(&error.to_string()),
        }
    }
    if let Some(path) = &args.junit
        && let Err(error) = write::private(junit::text(outcome).as_bytes(), path, true)
    {
        code = fail(&error.to_string());
    }
    let text = match args.json {
        true => say::json(outcome),
        false => say::text(outcome, Look::of(&std::io::stdout())),
    };
    match out(&text) {
        WORKS => code,
        _ => NO_BUNDLE,
    }
}

/// Says before probing what would go wrong after it.
fn writable(args: &CheckArgs) -> Result<(), String> {
    let folders = args.bundle_on_failure.as_deref().into_iter();
    let folders = folders.chain(args.junit.as_deref().map(folder_of));
    for folder in folders {
        folder_takes_files(folder)?;
    }
    match &args.junit {
        Some(path) if path.is_dir() => Err(format!("--junit: {} is a folder", path.display())),
        _ => Ok(()),
    }
}

/// Whether files can be made in a folder.
///
/// # Errors
/// Why not.
pub(super) fn folder_takes_files(folder: &Path) -> Result<(), String> {
    let why = |error| WriteError::Io { path: folder.to_owned(), error }.to_string();
    tempfile::tempfile_in(folder).map(drop).map_err(why)
}
