//! Bundles of a watch in their folder: at most so many, the oldest out first. Only what has
//! the name of this watch's own is ever removed: the folder may have others.

use crate::cli::resolve::Job;
use crate::command::gather::Judged;
use crate::command::store::{cleaned, store_in};
use std::path::{Path, PathBuf};
use wss_bundle::write::WriteError;

/// What their names begin with.
const PREFIX: &str = "wss-watch-";

/// Writes a bundle, and removes the oldest beyond `most`.
///
/// # Errors
/// [`WriteError`]; nothing is removed then.
pub(super) fn bundle(
    job: &Job,
    judged: &Judged,
    folder: &Path,
    most: usize,
) -> Result<PathBuf, WriteError> {
    let stored = store_in(job, &judged.redacted, folder, PREFIX)?;
    let own = format!("{}-", cleaned(&judged.redacted.get().manifest.target.host));
    for path in old(folder, &own, most) {
        // What cannot be removed is no reason to stop; it is tried again the next time.
        let _ = std::fs::remove_file(path);
    }
    Ok(stored.path)
}

/// The oldest of this target beyond `most`: names end in the time.
fn old(folder: &Path, own: &str, most: usize) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut all: Vec<(String, PathBuf)> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let rest = name.strip_prefix(PREFIX)?;
            let whole = rest.ends_with(".zip") || rest.ends_with(".zip.age");
            let ours = rest.starts_with(own) || rest.contains(&format!("-{own}"));
            (whole && ours).then(|| (moment(&name), entry.path()))
        })
        .collect();
    all.sort();
    let surplus = all.len().saturating_sub(most);
    all.truncate(surplus);
    all.into_iter().map(|(_, path)| path).collect()
}

/// The part of a name that tells when: `20261130T194721Z`, and what tells two of a second
/// apart.
fn moment(name: &str) -> String {
    let stem = name.trim_end_matches(".age").trim_end_matches(".zip");
    let parts: Vec<&str> = stem.split('-').collect();
    let is_time = |part: &&str| part.len() == 16 && part.ends_with('Z') && part.contains('T');
    match parts.iter().rposition(is_time) {
        Some(at) => {
            let number: u32 = parts.get(at + 1).and_then(|n| n.parse().ok()).unwrap_or(1);
            format!("{}-{number:06}", parts[at])
        }
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_this_target_and_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "wss-watch-a.example-inside-20260101T000000Z.zip",
            "wss-watch-a.example-outside-20250101T000000Z.zip",
            "wss-watch-T-1-a.example-inside-20240101T000000Z.zip.age",
            "wss-watch-a.example-inside-20260101T000000Z-2.zip",
            "wss-watch-a.example-inside-20260101T000000Z-10.zip",
            "wss-watch-other.example-inside-20200101T000000Z.zip",
            "wss-a.example-inside-20200101T000000Z.zip",
            "wss-watch-a.example-notes.txt",
        ];
        for name in names {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let gone = |most| -> Vec<String> {
            let old = old(folder.path(), "a.example-", most);
            old.iter().map(|p| p.file_name().unwrap().to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(gone(3), [names[2], names[1]]);
        assert_eq!(gone(1), [names[2], names[1], names[0], names[3]]);
        assert!(gone(5).is_empty() && gone(50).is_empty());
    }
}
