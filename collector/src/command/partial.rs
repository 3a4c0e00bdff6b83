//! What a collection has gathered so far, in a file beside the one that the
//! bundle will be: a run that is killed, or a machine that is switched off,
//! loses the last seconds and not the hour before.
//!
//! It holds a whole bundle, marked incomplete, without secrets, obfuscated and
//! encrypted as the bundle will be. Whoever runs in the same folder later is
//! told of it; a run that ends by itself removes its own.

use super::gather;
use super::store::{cleaned, folder_of};
use crate::cli::resolve::Job;
use crate::progress::Progress;
use crate::recorder::Recorder;
use crate::run::Collected;
use crate::screen::safe;
use chrono::{DateTime, Utc};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use wss_bundle::{Environment, Vantage, write};

/// From the first observation to the first file: most of a collection takes
/// place in the first second.
const FIRST: Duration = Duration::from_millis(300);
/// Between two of them, at least.
const EVERY: Duration = Duration::from_secs(2);
/// Names tried before giving up.
const NAMES: u32 = 100;
/// What follows the bundle's name.
const ENDING: &str = "partial";

/// Where the file is, once there is one; shared with whoever gives up.
#[derive(Debug, Clone, Default)]
pub(super) struct Place(Arc<Mutex<Option<PathBuf>>>);

impl Place {
    /// The file, when there is one.
    pub(super) fn get(&self) -> Option<PathBuf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, path: &Path) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.to_owned());
    }

    /// Removes the file: what was in it is in the bundle.
    pub(super) fn forget(&self) {
        if let Some(path) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The progress of a collection on its way to the screen, and into the file.
pub(super) struct Watching<'j> {
    progress: UnboundedReceiver<Progress>,
    recorder: Recorder,
    job: &'j Job,
    started_at: DateTime<Utc>,
    /// When the file is to be written next; `None` when nothing is new.
    due: Option<Instant>,
    last: Option<Instant>,
    writer: Option<Writer>,
}

impl<'j> Watching<'j> {
    pub(super) fn new(
        (recorder, progress): (Recorder, UnboundedReceiver<Progress>),
        job: &'j Job,
        started_at: DateTime<Utc>,
        place: Option<Place>,
    ) -> Self {
        let writer = place.and_then(|place| Some(Writer::start(name(job, started_at)?, place)));
        Self { progress, recorder, job, started_at, due: None, last: None, writer }
    }

    /// What happens next.
    pub(super) async fn recv(&mut self) -> Option<Progress> {
        loop {
            let due = self.due;
            let wait = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                progress = self.progress.recv() => {
                    self.note(progress.as_ref()?);
                    return progress;
                }
                () = wait => self.write(),
            }
        }
    }

    fn note(&mut self, progress: &Progress) {
        let new = matches!(progress, Progress::Observation(_) | Progress::StepDone(..));
        if new && self.due.is_none() && self.writer.is_some() {
            let now = Instant::now();
            self.due = Some(self.last.map_or(now + FIRST, |last| now.max(last + EVERY)));
        }
    }

    fn write(&mut self) {
        (self.due, self.last) = (None, Some(Instant::now()));
        let (Some(content), Some(writer)) = (self.content(), &self.writer) else { return };
        // A disk that is busy with the last one gets the next one.
        if let Err(TrySendError::Disconnected(_)) = writer.send.try_send(content) {
            self.writer = None;
        }
    }

    /// A bundle of what there is; nothing where it cannot be made, which is said
    /// when the real one cannot.
    fn content(&self) -> Option<Vec<u8>> {
        let (observations, steps) = self.recorder.snapshot();
        let collected = Collected { observations, steps, browser: Vec::new(), complete: false };
        let mut environment = Environment::default();
        gather::complete(&mut environment, self.job, &collected, self.started_at);
        let why = "the collection was killed; this is what it had gathered until then";
        environment.notes.push(why.to_owned());
        let vantage = self.job.vantage.unwrap_or(Vantage::Inside);
        let bundle = gather::bundle(self.job, collected, environment, vantage, self.started_at);
        let mut redactor = self.job.redactor();
        redactor.removed_before(&self.job.removed);
        let redacted = redactor.bundle(bundle);
        let sent = match self.job.obfuscate.clone() {
            Some(mut map) => Some(map.bundle(&redacted).ok()?),
            None => None,
        };
        let to = self.job.recipients.as_ref();
        write::bytes_to(sent.as_ref().unwrap_or(&redacted), to).ok()
    }
}

/// Writes on a thread of its own: a slow disk holds up nobody.
struct Writer {
    send: SyncSender<Vec<u8>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    fn start(path: PathBuf, place: Place) -> Self {
        let (send, receive) = sync_channel::<Vec<u8>>(1);
        let thread = std::thread::spawn(move || {
            // The lock tells that somebody is still at it.
            let mut held = None;
            for content in receive {
                let old = held.take();
                match replace(&path, &content, old) {
                    Ok(file) => held = Some(file),
                    // The same would happen to the bundle, which says so then.
                    Err(_) => return,
                }
                place.set(&path);
            }
        });
        Self { send, thread: Some(thread) }
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        // Not while it is written can it be removed.
        if let Some(Writer { send, thread }) = self.writer.take() {
            drop(send);
            let _ = thread.map(JoinHandle::join);
        }
    }
}

/// Puts a new file in an old one's place, so that there is a whole one always.
fn replace(path: &Path, content: &[u8], old: Option<File>) -> std::io::Result<File> {
    let new = with(path, ".new");
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    let written = file.write_all(content).and_then(|()| file.sync_data());
    // Without a lock nobody is misled for longer than this run takes.
    let _ = file.try_lock();
    drop(old);
    written.and_then(|()| std::fs::rename(&new, path)).inspect_err(|_| {
        let _ = std::fs::remove_file(&new);
    })?;
    Ok(file)
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A name that nobody has; `None` where the bundle goes to standard output.
fn name(job: &Job, started_at: DateTime<Utc>) -> Option<PathBuf> {
    let bundle = match &job.output {
        Some(path) if path == Path::new("-") => return None,
        Some(path) => path.clone(),
        None => {
            // Names are tokens in an obfuscated bundle, and so in its name.
            let host = match job.obfuscate {
                Some(_) => "obfuscated".to_owned(),
                None => cleaned(&job.config.target.host),
            };
            let ending = if job.recipients.is_some() { "zip.age" } else { "zip" };
            format!("wss-{host}-{}.{ending}", started_at.format("%Y%m%dT%H%M%SZ")).into()
        }
    };
    (1..=NAMES)
        .map(|number| match number {
            1 => with(&bundle, &format!(".{ENDING}")),
            _ => with(&bundle, &format!("-{number}.{ENDING}")),
        })
        .find(|path| !path.exists() && !with(path, ".new").exists())
}

/// A line for each file that a run left in the bundle's folder that was killed.
pub(super) fn left_behind(job: &Job) -> Vec<String> {
    if job.output.as_deref() == Some(Path::new("-")) {
        return Vec::new();
    }
    let folder = job.output.as_deref().map_or(Path::new("."), folder_of);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| if job.output.is_some() { entry.path() } else { entry.file_name().into() })
        .filter(|path| is_one(path) && !in_use(path))
        .collect();
    found.sort();
    let more = found.len().saturating_sub(3);
    let mut lines: Vec<String> = found
        .iter()
        .take(3)
        .map(|path| {
            format!(
                "{} is what a collection that was killed had gathered; support can read it \
                 (wss-analyzer report), and it can be deleted",
                safe(&path.display().to_string())
            )
        })
        .collect();
    if more > 0 {
        lines
            .push(format!("{more} more such files are in {}", safe(&folder.display().to_string())));
    }
    lines
}

fn is_one(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // What stands behind the last: a new one that was being written, or (hidden)
    // a bundle that was.
    ["zip.partial", "zip.age.partial"].iter().any(|end| name.ends_with(end))
        || name.ends_with(".partial.new")
        || name.contains(".zip.partial-")
        || name.contains(".zip.age.partial-")
        || name.strip_suffix(".partial").is_some_and(|stem| stem.contains(".zip"))
}

/// Whether a run holds it that still goes on.
fn in_use(path: &Path) -> bool {
    let file = File::open(path);
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_partial_files() {
        for yes in [
            "wss-h-20260301T081530Z.zip.partial",
            "a.zip.age.partial",
            "a.zip-2.partial",
            "a.zip.partial.new",
            ".a.zip.partial-x8Kd21",
        ] {
            assert!(is_one(Path::new(yes)), "{yes}");
        }
        for no in ["a.zip", "partial", "x.partial.txt", "movie.mkv.partial", "a.zip.age"] {
            assert!(!is_one(Path::new(no)), "{no}");
        }
    }

    #[test]
    fn a_file_is_replaced_whole_and_told_apart_while_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.zip.partial");
        let first = replace(&path, b"one", None).unwrap();
        assert!(in_use(&path));
        let second = replace(&path, b"two", Some(first)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert!(in_use(&path));
        drop(second);
        assert!(!in_use(&path));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
