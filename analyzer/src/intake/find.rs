//! What the command line names: files, and the bundles in folders.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// A place where a bundle should be, or why there is none.
pub type Found = Result<PathBuf, String>;

/// Walks files and folders, folder by folder and by name, so that memory is
/// bounded by the largest folder. In folders only files `*.zip` and `*.zip.age`
/// count, and what bears such a name and is no file is said; what is named itself
/// counts whatever its name. Links to folders are not followed: they can go round in
/// circles.
pub struct Walk {
    waiting: VecDeque<(PathBuf, bool)>,
}

impl Walk {
    /// Starts with what was named.
    #[must_use]
    pub fn new(paths: &[PathBuf]) -> Self {
        Self { waiting: paths.iter().map(|path| (path.clone(), true)).collect() }
    }

    fn folder(&mut self, folder: &Path) -> Result<(), String> {
        let at = |error: std::io::Error| format!("{}: {error}", folder.display());
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(at)? {
            let entry = entry.map_err(at)?;
            let path = entry.path();
            if entry.file_type().map_err(at)?.is_dir() || is_bundle(&path.to_string_lossy()) {
                entries.push((path, false));
            }
        }
        entries.sort();
        for entry in entries.into_iter().rev() {
            self.waiting.push_front(entry);
        }
        Ok(())
    }
}

/// Whether a name found in a folder or a bucket is that of a bundle.
pub(super) fn is_bundle(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".zip") || name.ends_with(".zip.age")
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let (path, named) = self.waiting.pop_front()?;
            let folder = match std::fs::symlink_metadata(&path) {
                Ok(data) if data.is_symlink() => named && path.is_dir(),
                Ok(data) => data.is_dir(),
                Err(error) => return Some(Err(format!("{}: {error}", path.display()))),
            };
            if !folder {
                // Whoever opens a pipe that nobody writes to waits for ever.
                let odd = |data: std::fs::Metadata| !data.is_file() && !data.is_dir();
                if !named && std::fs::metadata(&path).is_ok_and(odd) {
                    let what = "no regular file (a pipe, a socket or a device): left out";
                    return Some(Err(format!("{}: {what}", path.display())));
                }
                return Some(Ok(path));
            }
            if let Err(error) = self.folder(&path) {
                return Some(Err(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_by_name_and_what_is_named_counts() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir_all(at("b/c")).unwrap();
        for name in ["a.zip", "b/c/x.ZIP", "b/y.zip.age", "b/notes.txt", "odd"] {
            std::fs::write(at(name), "").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.path(), at("b/round")).unwrap();
        let given = [root.path().to_owned(), at("odd"), at("gone.zip")];
        let found: Vec<Found> = Walk::new(&given).collect();
        let good: Vec<PathBuf> = found.iter().filter_map(|one| one.clone().ok()).collect();
        assert_eq!(good, [at("a.zip"), at("b/c/x.ZIP"), at("b/y.zip.age"), at("odd")]);
        assert!(found[4].as_ref().unwrap_err().contains("gone.zip"));
    }
}
