//! Bundles in, verdicts out: from files, folders, tar streams and buckets.
//!
//! `find` walks, `fast` reads, `pool` uses all cores, `progress` tells how far
//! it is. What becomes of the verdicts is the caller's: `rows` prints them, the
//! store keeps them.

pub mod fast;
pub mod find;
pub mod pool;
pub mod progress;
pub mod tarball;

use crate::rows::{self, Judged, Row};
use fast::{Kept, Reader};
use std::path::{Path, PathBuf};
use wss_bundle::read::{self, Limits, ReadError};
use wss_diagnosis::signature::Signatures;

/// Something that should be a bundle.
#[derive(Debug)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// What was read already, with its name.
    Bytes(String, Vec<u8>),
    /// Nothing can be read there, and why.
    Unreadable(String, String),
}

/// What came of an input.
#[derive(Debug)]
pub enum Output {
    /// A verdict, and what is needed to judge again.
    Judged(Box<Judged>, Kept),
    /// Its id is known: not judged.
    Known,
    /// No bundle: its row in `bad`, and the message for people.
    Bad(Row, String),
}

/// Files and folders as inputs.
pub fn inputs(paths: &[PathBuf]) -> impl Iterator<Item = Input> + Send + use<> {
    find::Walk::new(paths).map(|found| match found {
        Ok(path) => Input::File(path),
        Err(error) => {
            Input::Unreadable(error.split(": ").next().unwrap_or_default().to_owned(), error)
        }
    })
}

/// Reads and judges one input. `wanted` says whether a bundle's id is new.
pub fn judge(reader: &mut Reader, input: Input, wanted: impl Fn(&str) -> bool) -> Output {
    let (source, read) = match input {
        Input::File(path) => {
            let read = read::content(&path, &Limits::default())
                .and_then(|bytes| reader.read(&bytes, &path, wanted));
            (path.display().to_string(), read)
        }
        Input::Bytes(name, bytes) => {
            let read = reader.read(&bytes, Path::new(&name), wanted);
            (name, read)
        }
        Input::Unreadable(name, message) => {
            let error = ReadError::Io {
                path: PathBuf::from(&name),
                error: std::io::Error::other(message.clone()),
            };
            return Output::Bad(rows::bad(&name, &error), message);
        }
    };
    match read {
        Ok(Some(facts)) => {
            let judged = rows::judge(&facts.bundle, &source, Signatures::built_in());
            Output::Judged(Box::new(judged), facts.kept)
        }
        Ok(None) => Output::Known,
        Err(error) => Output::Bad(rows::bad(&source, &error), error.to_string()),
    }
}

/// How many threads judge: one a core.
#[must_use]
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
