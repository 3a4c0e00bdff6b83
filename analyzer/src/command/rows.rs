//! `rows`: bundles in, NDJSON out, for any engine.

use super::{DONE, NOTHING, SOME_BAD, complain, identities};
use crate::cli::RowsArgs;
use crate::intake::{self, Input, Output, reader::Reader, tarball};
use crate::pool;
use crate::rows::Row;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Bundles that may wait between the tar stream and the judges.
const WAITING: usize = 32;

/// Prints the rows of bundles; gives the exit code.
#[must_use]
pub fn rows(args: &RowsArgs) -> u8 {
    let stream = args.paths.iter().any(|path| path == Path::new("-"));
    if !stream && args.paths.is_empty() {
        complain("no bundle is named; give files, folders, or - for a tar stream");
        return NOTHING;
    }
    let files: Vec<PathBuf> =
        args.paths.iter().filter(|path| *path != Path::new("-")).cloned().collect();
    let identities = match identities(args.identity.as_deref()) {
        Ok(identities) => identities,
        Err(message) => {
            complain(&message);
            return NOTHING;
        }
    };
    let mut printer = Printer::default();
    let mut broken = None;
    let outcome = std::thread::scope(|scope| {
        let (send, receive) = sync_channel(WAITING);
        let reader = scope.spawn(move || feed(&files, stream, &send));
        let outcome = pool::run(
            receive.into_iter(),
            pool::threads(),
            || Reader::new(identities.clone()),
            |reader, input| intake::judge(reader, input, |_| true),
            |output| printer.print(output),
        );
        broken = reader.join().ok().and_then(Result::err);
        outcome
    });
    let outcome = outcome.and_then(|()| printer.flush());
    if let Some(error) = &broken {
        complain(&format!("standard input: {error}; expected a tar stream of bundles"));
    }
    match outcome {
        // The reader has gone, and so has its interest.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => DONE,
        Err(error) => {
            complain(&format!("cannot write to standard output: {error}"));
            NOTHING
        }
        Ok(()) if printer.good == 0 => {
            if printer.bad == 0 && broken.is_none() {
                complain("no bundle was found there");
            }
            NOTHING
        }
        Ok(()) if printer.bad > 0 || broken.is_some() => SOME_BAD,
        Ok(()) => DONE,
    }
}

/// Gives files first, then the tar stream; ends when nobody takes them any more.
fn feed(files: &[PathBuf], stream: bool, to: &SyncSender<Input>) -> Result<(), String> {
    for input in intake::inputs(files, |_| false) {
        if to.send(input).is_err() {
            return Ok(());
        }
    }
    if stream {
        tarball::each(std::io::stdin().lock(), |input| to.send(input).is_ok())
    } else {
        Ok(())
    }
}

struct Printer {
    out: BufWriter<std::io::Stdout>,
    good: u64,
    bad: u64,
}

impl Default for Printer {
    fn default() -> Self {
        Self { out: BufWriter::with_capacity(1 << 16, std::io::stdout()), good: 0, bad: 0 }
    }
}

impl Printer {
    fn print(&mut self, output: Output) -> std::io::Result<()> {
        match output {
            Output::Judged(judged, _) => {
                self.good += 1;
                judged.rows.iter().try_for_each(|row| self.row(row))
            }
            Output::Known => Ok(()),
            Output::Bad(row, message) => {
                self.bad += 1;
                complain(&message);
                self.row(&row)
            }
        }
    }

    fn row(&mut self, row: &Row) -> std::io::Result<()> {
        serde_json::to_writer(&mut self.out, row)?;
        self.out.write_all(b"\n")
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
