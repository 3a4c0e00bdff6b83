//! `trends`: bundles into the store, and the page of what is in it.

use super::{DONE, NOTHING, SOME_BAD, complain, identities};
use crate::cli::TrendsArgs;
use crate::intake::progress::{Counts, Progress};
use crate::intake::reader::Reader;
use crate::intake::{self, Counter, Input, Output};
use crate::pool;
use crate::report::templates::Templates;
use crate::store::query::Answers;
use crate::store::{self, Batch, Store};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wss_bundle::sealed::Identities;

/// Bundles that go in with one transaction.
const BATCH: usize = 1000;
/// The longest that the first verdicts wait for their batch, and any others:
/// what is killed soon after its start has not been for nothing.
const WAIT: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];
/// Bad inputs that are named one by one.
const NAMED: u64 = 50;
/// Bytes of a file with query results. Over ten years and every device there are some 50 MB.
const RESULTS: u64 = 512 << 20;

/// Takes bundles in and draws the page; gives the exit code.
#[must_use]
pub fn trends(args: &TrendsArgs) -> u8 {
    match run(args) {
        Ok(code) => code,
        Err(message) => {
            complain(&message);
            NOTHING
        }
    }
}

fn run(args: &TrendsArgs) -> Result<u8, String> {
    let mut code = DONE;
    if args.results.is_none() {
        let identities = identities(args.identity.as_deref())?;
        // Without anything to take in, a wrong folder must not become an empty store.
        if !args.paths.is_empty() || args.rejudge {
            let mut store = Store::open(&args.store)?;
            if !args.paths.is_empty() {
                let counts = take_in(&mut store, args, identities)?;
                if counts.bad > 0 {
                    code = if counts.new + counts.known == 0 { NOTHING } else { SOME_BAD };
                }
            }
            if args.rejudge {
                rejudge(&mut store)?;
            }
        }
    }
    let templates = args.template.as_deref().map_or_else(
        || Ok(Templates::default()),
        |folder| Templates::with_own(folder).map_err(|error| format!("--template {error}")),
    )?;
    let (answers, store) = match &args.results {
        Some(file) => (results(file)?, None),
        None => (store::Reader::open(&args.store)?.named()?, args.store.to_str()),
    };
    let text = crate::trends::page(&answers, store, &templates)
        .map_err(|error| format!("the page could not be made: {error}"))?;
    if args.output == Path::new("-") {
        super::out(&text)?;
    } else {
        super::report::replace(&args.output, &text)?;
        super::out(&format!("{}\n", args.output.display()))?;
    }
    Ok(code)
}

/// Answers that a fleet has computed.
fn results(file: &Path) -> Result<Answers, String> {
    let at = |error: &dyn std::fmt::Display| format!("--results {}: {error}", file.display());
    let size = std::fs::metadata(file).map_err(|error| at(&error))?.len();
    if size > RESULTS {
        return Err(at(&format!("{size} bytes are more than the {RESULTS} that are read")));
    }
    let text = std::fs::read(file).map_err(|error| at(&error))?;
    serde_json::from_slice(&text)
        .map_err(|error| at(&format!("not what the fleet writes: {error}")))
}

/// What every judging thread has.
struct Judge {
    reader: Reader,
    store: Option<store::Reader>,
}

fn take_in(
    store: &mut Store,
    args: &TrendsArgs,
    identities: Option<Identities>,
) -> Result<Counts, String> {
    let counter = Counter::start(&args.paths);
    let mut writer = Writer::new(store, Progress::new(counter.total()));
    let places = Arc::new(Mutex::new(store::Reader::open(&args.store)?));
    let known = move |url: &str| places.lock().is_ok_and(|store| store.has_source(url));
    pool::run(
        intake::inputs(&args.paths, known),
        pool::threads(),
        || Judge {
            reader: Reader::new(identities.clone()),
            store: store::Reader::open(&args.store).ok(),
        },
        |judge: &mut Judge, input: Input| {
            let known = judge.store.as_ref();
            intake::judge(&mut judge.reader, input, |id| !known.is_some_and(|store| store.has(id)))
        },
        |output| {
            if let Some(total) = counter.total() {
                writer.progress.of(total);
            }
            writer.take(output)
        },
    )?;
    writer.flush()?;
    writer.progress.done();
    let Counts { new, known, bad } = writer.counts;
    writer.progress.say(&format!("{new} new, {known} known already, {bad} bad"));
    Ok(writer.counts)
}

/// Collects verdicts into batches.
struct Writer<'a> {
    store: &'a mut Store,
    batch: Batch,
    began: Instant,
    wait: Duration,
    counts: Counts,
    progress: Progress,
}

impl<'a> Writer<'a> {
    fn new(store: &'a mut Store, progress: Progress) -> Self {
        let counts = Counts::default();
        Self {
            store,
            batch: Batch::default(),
            began: Instant::now(),
            wait: WAIT[0],
            counts,
            progress,
        }
    }

    fn take(&mut self, output: Output) -> Result<(), String> {
        match output {
            Output::Judged(judged, kept) => self.batch.judged.push((*judged, kept)),
            Output::Known => self.counts.known += 1,
            Output::Bad(row, message) => {
                self.counts.bad += 1;
                if self.counts.bad <= NAMED {
                    self.progress.say(&format!("bad: {}", super::clean(&message)));
                } else if self.counts.bad == NAMED + 1 {
                    let how = "SELECT source, reason FROM bad";
                    self.progress.say(&format!("more are bad; wss-analyzer sql '{how}' lists all"));
                }
                self.batch.bad.push(row);
            }
        }
        if self.batch.judged.len() >= BATCH || self.began.elapsed() > self.wait {
            self.flush()?;
        }
        self.progress.tell(self.counts);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), String> {
        self.began = Instant::now();
        self.wait = (self.wait * 2).min(WAIT[1]);
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        let new = self.store.add(&batch)?;
        self.counts.new += new;
        // Taken in by somebody else meanwhile, or named twice.
        self.counts.known += batch.judged.len() as u64 - new;
        Ok(())
    }
}

fn rejudge(store: &mut Store) -> Result<(), String> {
    let mut progress = Progress::new(None);
    let done = store.rejudge(|done, all| {
        progress.of(all);
        progress.tell(Counts { new: done, ..Counts::default() });
    })?;
    progress.done();
    progress.say(&format!(
        "{} judged again by rules {}, {} of them differently{}",
        done.again,
        wss_diagnosis::rules_version(),
        done.changed,
        if done.left > 0 {
            format!("; {} could not be read and stay", done.left)
        } else {
            String::new()
        }
    ));
    Ok(())
}
