//! What has arrived: files that nobody is writing any more, and objects of a bucket.

use crate::intake::{self, Input, bucket};
use crate::store::Reader;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// A file that did not change for so long is whole. Whoever copies writes more often.
const SETTLED: Duration = Duration::from_secs(2);
/// The longest that one pass waits for a file to settle.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder or a bucket, and what of it was seen.
pub struct Arrivals {
    source: PathBuf,
    /// Files by path, with size and time of the change: what did not change since is not
    /// read again.
    seen: HashSet<(PathBuf, u64, Option<SystemTime>)>,
    known: Arc<Mutex<Vec<String>>>,
}

impl Arrivals {
    /// Of a folder, a file or a bucket's URL.
    #[must_use]
    pub fn of(source: &Path) -> Self {
        let source = match source.to_str() {
            Some(url) if bucket::is_url(url) => source.to_owned(),
            // The store keeps it, for passes from other folders.
            _ => std::path::absolute(source).unwrap_or_else(|_| source.to_owned()),
        };
        Self { source, seen: HashSet::new(), known: Arc::default() }
    }

    /// Whether it is a bucket.
    #[must_use]
    pub fn is_bucket(&self) -> bool {
        self.source.to_str().is_some_and(bucket::is_url)
    }

    /// The folder or the URL.
    #[must_use]
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// What is new. `wait`: a file that somebody is writing is waited for; else it is left
    /// for the next time.
    ///
    /// # Errors
    /// The store does not open.
    pub fn inputs(
        &mut self,
        store: &Path,
        wait: bool,
    ) -> Result<impl Iterator<Item = Input> + Send + use<'_>, String> {
        let reader = Mutex::new(Reader::open(store)?);
        let listed = Arc::clone(&self.known);
        let reader = Arc::new(reader);
        let known = move |url: &str| {
            let known = reader.lock().is_ok_and(|reader| reader.has_source(url));
            if known && let Ok(mut all) = listed.lock() {
                all.push(url.to_owned());
            }
            known
        };
        let all = intake::inputs(std::slice::from_ref(&self.source), known);
        let seen = &mut self.seen;
        Ok(all.filter(move |input| match input {
            Input::File(path) => is_new(path, seen, wait),
            Input::Unreadable(place, _) => seen.insert((PathBuf::from(place), 0, None)),
            _ => true,
        }))
    }

    /// Forgets what was seen: a pass that ended before its time may not have taken it in.
    pub fn forget(&mut self) {
        self.seen.clear();
    }

    /// Objects that were not fetched since the store has them; each once.
    pub fn known_objects(&self) -> Vec<String> {
        self.known.lock().map(|mut all| std::mem::take(&mut *all)).unwrap_or_default()
    }
}

/// Whether a file is whole, and was not seen as it is.
fn is_new(path: &Path, seen: &mut HashSet<(PathBuf, u64, Option<SystemTime>)>, wait: bool) -> bool {
    let began = SystemTime::now();
    loop {
        // What cannot be read is for the reader to say.
        let Ok(data) = std::fs::metadata(path) else { return true };
        let changed = data.modified().ok();
        let key = (path.to_owned(), data.len(), changed);
        if seen.contains(&key) {
            return false;
        }
        // A time that has not come yet is another machine's, and says nothing.
        let age = changed.and_then(|changed| SystemTime::now().duration_since(changed).ok());
        let left = age.map_or(Duration::ZERO, |age| SETTLED.saturating_sub(age));
        if left.is_zero() {
            seen.insert(key);
            return true;
        }
        if !wait || began.elapsed().is_ok_and(|waited| waited > PATIENCE) {
            return false;
        }
        std::thread::sleep(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_being_written_is_left_and_what_is_seen_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let file = std::fs::File::create(&path).unwrap();
        let mut seen = HashSet::new();
        assert!(!is_new(&path, &mut seen, false));
        file.set_modified(SystemTime::now() - SETTLED).unwrap();
        assert!(is_new(&path, &mut seen, false));
        assert!(!is_new(&path, &mut seen, false));
        // Another file of that name.
        file.set_len(3).unwrap();
        file.set_modified(SystemTime::now() - 2 * SETTLED).unwrap();
        assert!(is_new(&path, &mut seen, false));
        // A clock that is ahead keeps nobody waiting.
        file.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
        assert!(is_new(&path, &mut seen, true));
        assert!(is_new(&folder.path().join("gone.zip"), &mut seen, true));
    }
}
