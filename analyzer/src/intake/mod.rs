//! Bundles in, verdicts out: from files, folders, tar streams and buckets.
//!
//! `find` walks, `bucket` lists and fetches, `reader` reads, `progress` tells how far
//! it is, `take_in` puts them into a store; all cores are used by way of [`crate::pool`].

pub mod bucket;
pub mod find;
pub mod progress;
pub mod reader;
pub mod take_in;
pub mod tarball;

use crate::rows::{self, Judged, Row};
use crate::store::kept::Kept;
use reader::Reader;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use wss_bundle::read::{self, Limits, ReadError};
use wss_diagnosis::signature::Signatures;

/// Something that should be a bundle.
#[derive(Debug)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// What was read already, with its name.
    Bytes(String, Vec<u8>),
    /// What was fetched of a bucket: its URL, its bytes, and what they hold.
    Object(String, Vec<u8>, bucket::Held),
    /// Known by its place: not even fetched.
    Known,
    /// Too big to be a bundle, and so not fetched: its URL and its bytes.
    TooBig(String, u64),
    /// Nothing can be read there, and why.
    Unreadable(String, String),
}

impl Input {
    /// Where it is from: a path, a URL, a name.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Bytes(place, _)
            | Self::Object(place, ..)
            | Self::TooBig(place, _)
            | Self::Unreadable(place, _) => place.clone(),
            Self::Known => String::new(),
        }
    }
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

/// Files, folders and buckets as inputs, one after another. `known` is asked with
/// an object's URL: what it says yes to is not fetched.
pub fn inputs(
    paths: &[PathBuf],
    known: impl Fn(&str) -> bool + Clone + Send + Sync + 'static,
) -> impl Iterator<Item = Input> + Send {
    paths.iter().cloned().flat_map(move |path| -> Box<dyn Iterator<Item = Input> + Send> {
        match path.to_str().filter(|text| bucket::is_url(text)) {
            Some(url) => match bucket::Objects::start(url, known.clone()) {
                Ok(objects) => Box::new(objects),
                Err(message) => Box::new(std::iter::once(unreadable(message))),
            },
            None => Box::new(find::Walk::new(&[path]).map(|found| match found {
                Ok(path) => Input::File(path),
                Err(message) => unreadable(message),
            })),
        }
    })
}

/// A message begins with the place that it is about.
fn unreadable(message: String) -> Input {
    Input::Unreadable(message.split(": ").next().unwrap_or_default().to_owned(), message)
}

/// Counts inputs while they are taken in: buckets are listed a second time for it.
#[derive(Debug)]
pub struct Counter {
    total: Arc<OnceLock<u64>>,
    stopped: Arc<AtomicBool>,
}

impl Counter {
    /// Counts: at once, where there are files and folders alone.
    #[must_use]
    pub fn start(paths: &[PathBuf]) -> Self {
        let total = Arc::new(OnceLock::new());
        let stopped = Arc::new(AtomicBool::new(false));
        let (urls, files): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.iter().cloned().partition(|path| path.to_str().is_some_and(bucket::is_url));
        let count_files = move || find::Walk::new(&files).count() as u64;
        if urls.is_empty() {
            let _ = total.set(count_files());
        } else {
            let (total, stopped) = (Arc::clone(&total), Arc::clone(&stopped));
            std::thread::spawn(move || {
                let mut all = count_files();
                for url in urls.iter().filter_map(|url| url.to_str()) {
                    let Some(n) = bucket::count(url, || !stopped.load(Ordering::Relaxed)) else {
                        return;
                    };
                    all += n;
                }
                let _ = total.set(all);
            });
        }
        Self { total, stopped }
    }

    /// How many there are, once that is known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total.get().copied()
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
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
        Input::Object(url, bytes, _held) => {
            let read = reader.read(&bytes, Path::new(&url), wanted);
            (url, read)
        }
        Input::Known => return Output::Known,
        Input::TooBig(url, bytes) => {
            let limit = Limits::default().archive_bytes;
            let error = ReadError::TooBig { path: PathBuf::from(&url), bytes, limit };
            return Output::Bad(rows::bad(&url, &error), error.to_string());
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
