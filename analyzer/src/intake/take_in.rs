//! Bundles into a store: judged on all cores, put in batch by batch.

use super::progress::{Counts, Progress};
use super::reader::Reader;
use super::{Input, Output, judge};
use crate::pool;
use crate::store::{self, Batch, Store};
use std::path::Path;
use std::time::{Duration, Instant};
use wss_bundle::sealed::Identities;

/// Bundles that go in with one transaction.
const BATCH: usize = 1000;
/// The longest that the first verdicts wait for their batch, and any others:
/// what is killed soon after its start has not been for nothing.
const WAIT: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];
/// Bad inputs that are named one by one.
const NAMED: u64 = 50;

/// Where bundles go.
pub struct Into<'a> {
    /// The store.
    pub store: &'a mut Store,
    /// Its folder, for those who ask it while it is written to.
    pub folder: &'a Path,
    /// Private keys for encrypted bundles.
    pub identities: Option<Identities>,
}

/// What every judging thread has.
struct Judge {
    reader: Reader,
    store: Option<store::Reader>,
}

/// Takes inputs in. `total` says how many there are, once that is known; `met` is told
/// each bundle's place and id, whether it is new or not.
///
/// # Errors
/// The store's own; bad inputs are counted and said.
pub fn take_in(
    into: Into<'_>,
    inputs: impl Iterator<Item = Input> + Send,
    progress: &mut Progress,
    total: impl Fn() -> Option<u64>,
    met: impl Fn(&str, &str) + Sync,
) -> Result<Counts, String> {
    let Into { store, folder, identities } = into;
    let mut writer = Writer::new(store, progress);
    pool::run(
        inputs,
        pool::threads(),
        || Judge {
            reader: Reader::new(identities.clone()),
            store: store::Reader::open(folder).ok(),
        },
        |judging: &mut Judge, input: Input| {
            let known = judging.store.as_ref();
            let place = input.place();
            judge(&mut judging.reader, input, |id| {
                met(&place, id);
                !known.is_some_and(|store| store.has(id))
            })
        },
        |output| {
            if let Some(total) = total() {
                writer.progress.of(total);
            }
            writer.take(output)
        },
    )?;
    writer.flush()?;
    let counts = writer.counts;
    progress.done();
    Ok(counts)
}

/// Collects verdicts into batches.
struct Writer<'a> {
    store: &'a mut Store,
    batch: Batch,
    began: Instant,
    wait: Duration,
    counts: Counts,
    progress: &'a mut Progress,
}

impl<'a> Writer<'a> {
    fn new(store: &'a mut Store, progress: &'a mut Progress) -> Self {
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
                    self.progress.say(&format!("bad: {message}"));
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
