//! What the program does: one module a command.

pub mod explain;
pub mod extra;
pub mod inbox;
pub mod report;
pub mod rows;
pub mod sql;
pub mod trends;
pub mod verify;

use crate::files::clean;
use std::io::Write;
use std::path::Path;
use wss_bundle::sealed::Identities;

/// Exit code: done.
pub const DONE: u8 = 0;
/// Exit code: some inputs were bad.
pub const SOME_BAD: u8 = 1;
/// Exit code: nothing done.
pub const NOTHING: u8 = 2;
/// Exit code of `--check`: the verdict is not `working`.
pub const NOT_WORKING: u8 = 3;

/// Writes to standard output. A reader that went away is no error; a full disk is.
fn out(text: &str) -> Result<(), String> {
    let mut to = std::io::stdout().lock();
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// The same as a command's last act: what cannot be written was not done.
fn say(text: &str, code: u8) -> u8 {
    match out(text) {
        Ok(()) => code,
        Err(message) => {
            complain(&message);
            NOTHING
        }
    }
}

/// `--identity`: the private keys that open encrypted bundles.
fn identities(file: Option<&Path>) -> Result<Option<Identities>, String> {
    file.map(Identities::file).transpose().map_err(|error| format!("--identity {error}"))
}

/// Says something on standard error.
fn note(message: &str) {
    let _ = writeln!(std::io::stderr(), "{}", clean(message));
}

/// Says what is wrong, on standard error.
fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "error: {}", clean(message));
}
