//! What the program does: one module a command.

mod address;
pub mod ask;
pub mod check;
pub mod collect;
pub mod config_commands;
pub mod dry_run;
pub mod extra;
mod gather;
pub mod inspect;
mod partial;
mod signals;
mod so_far;
mod store;
pub mod upload;
mod warm;
pub mod watch;

use clap::error::ErrorKind;
use std::io::Write;
use wss_bundle::redact::Redactor;
use wss_diagnosis::Status;

/// Exit code: the bundle was written, and WebSocket works.
pub const WORKS: u8 = 0;
/// Exit code: the bundle was written, and it does not, or that could not be told.
pub const FAILS: u8 = 1;
/// Exit code: no bundle.
pub const NO_BUNDLE: u8 = 2;
/// Exit code: given up by a second Ctrl-C (128 + SIGINT).
pub const GIVEN_UP: i32 = 130;

/// The exit code that goes with a verdict, once the bundle is written.
#[must_use]
pub fn exit_code(status: Status) -> u8 {
    if status == Status::Working { WORKS } else { FAILS }
}

/// Writes to standard output; gives the exit code. A reader that went away is
/// no error, since it has read what it wanted.
pub(crate) fn out(text: &str) -> u8 {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            fail(&format!("cannot write to standard output: {error}"))
        }
        _ => WORKS,
    }
}

/// What network and timers run on.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build();
    runtime.map_err(|error| format!("cannot start: {error}"))
}

/// Writes to standard error.
pub(crate) fn err(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Says what is wrong, and gives the exit code for it.
pub(crate) fn fail(message: &str) -> u8 {
    err(&format!("error: {}\n", crate::screen::safe(message)));
    NO_BUNDLE
}

/// Says what clap found wrong (or the help that was asked for); gives the exit
/// code. clap repeats arguments: what in them may be a secret is masked.
#[must_use]
pub fn misused(error: &clap::Error) -> u8 {
    // Help and version repeat nothing of what was given; looking for secrets in
    // them was all that took time.
    if !error.use_stderr() {
        let _ = error.print();
        return WORKS;
    }
    let text = error.render().to_string();
    if error.kind() == ErrorKind::ArgumentConflict && text.contains("the subcommand '") {
        return fail(
            "one target at a time; commands go first, and have options of their own (`wss-collector COMMAND --help`); --browser and --obfuscate take their value after a `=` (--browser=firefox)",
        );
    }
    let masked = Redactor::new().text("screen", "usage", &text);
    if masked == text {
        // With clap's colours.
        let _ = error.print();
    } else {
        err(&masked);
    }
    NO_BUNDLE
}
