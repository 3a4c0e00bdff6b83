//! The folder of a case: `report.html`, `reply.md` and `report.json`, of all its bundles.
//!
//! `case.json` beside them says of which bundles they were drawn. It is written last:
//! where it is missing or says less than the store, the case is drawn again.

use super::Inbox;
use super::hook::{self, Told};
use crate::files;
use crate::intake::{self, Input};
use crate::store::query::{CaseKey, Member};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use wss_bundle::Bundle;
use wss_bundle::read::{self, Limits};
use wss_diagnosis::signature::Signatures;
use wss_diagnosis::{Diagnosis, diagnose};
use wss_report::{self as report, Case};

/// A case's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(PathBuf);

impl Place {
    /// Its folder below another. Two cases never share one: what a file system might not
    /// take is written as its number.
    #[must_use]
    pub fn of(to: &Path, key: &CaseKey) -> Self {
        Self(to.join(format!("{}-{}", plain(&key.case), plain(&key.host))))
    }

    /// One of its files.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(100) {
        match c {
            c if c.is_ascii_alphanumeric() || c == '-' || (c == '.' && !out.is_empty()) => {
                out.push(c)
            }
            c => {
                let _ = write!(out, "_{:x}_", u32::from(c));
            }
        }
    }
    out
}

/// What was drawn.
#[derive(Debug)]
pub struct Drawn {
    /// The case's id.
    pub case: String,
    /// The verdict, as in the report.
    pub diagnosis: Diagnosis,
    /// `report.html`.
    pub report: PathBuf,
    /// Bundles of it that cannot be read any more, and why.
    pub gone: Vec<String>,
    /// Why the command that is run for a case failed, where it did.
    pub untold: Option<String>,
}

/// What `case.json` says.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    /// Ids of the bundles that were drawn, sorted.
    bundles: Vec<String>,
    /// Version of the rules that judged.
    rules: String,
    /// Whether the command was run, or none was given.
    told: bool,
}

/// Draws a case where its bundles are others than before, and tells of it; `None` where
/// nothing was to be done.
///
/// # Errors
/// One sentence: no bundle can be read any more, or a file cannot be written.
pub(super) fn draw(
    inbox: &Inbox,
    place: &Place,
    members: &[Member],
) -> Result<Option<Drawn>, String> {
    std::fs::create_dir_all(&place.0).map_err(|error| format!("{}: {error}", place.0.display()))?;
    // Held until it is dropped, or whoever holds it dies.
    let _lock = lock(&place.file(".lock"))?;
    clear(place);
    let mut ids: Vec<String> = members.iter().map(|member| member.bundle_id.clone()).collect();
    ids.sort();
    let before = state(place);
    let whole =
        ["report.html", "reply.md", "report.json"].iter().all(|name| place.file(name).is_file());
    let current = whole && before.as_ref().is_some_and(|before| before.bundles == ids);
    if current && before.is_some_and(|before| before.told) {
        return Ok(None);
    }
    let (bundles, gone) = read_all(inbox, members)?;
    let diagnosis = diagnose(&bundles);
    let case = Case::with(&diagnosis, &bundles, Signatures::built_in());
    if !current {
        let page = report::html::render_with(&case, &inbox.templates)
            .map_err(|error| format!("{}: the page cannot be made: {error}", place.0.display()))?;
        files::replace(&place.file("report.html"), &page)?;
        files::replace(&place.file("reply.md"), &report::markdown::render(&case))?;
        files::replace(&place.file("report.json"), &report::json(&diagnosis)?)?;
    }
    let mut now = State {
        bundles: ids,
        rules: wss_diagnosis::rules_version().to_owned(),
        told: inbox.on_case.is_none(),
    };
    write(place, &now)?;
    let mut untold = None;
    if let Some(command) = &inbox.on_case {
        let sources = members.iter().map(|m| inbox.source(&m.bundle_id, &m.source).to_owned());
        let sources: Vec<String> = sources.collect();
        match hook::run(command, place, &case, &sources) {
            Told::Done => {
                now.told = true;
                write(place, &now)?;
            }
            Told::Failed(why) => untold = Some(why),
        }
    }
    let (case, report) = (diagnosis.case.id.clone(), place.file("report.html"));
    Ok(Some(Drawn { case, diagnosis, report, gone, untold }))
}

fn lock(path: &Path) -> Result<File, String> {
    let at = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(at)?;
    file.lock().map_err(at)?;
    Ok(file)
}

/// What somebody was writing who was killed: while the lock is held nobody else writes.
fn clear(place: &Place) {
    for entry in std::fs::read_dir(&place.0).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(files::PARTIAL) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn state(place: &Place) -> Option<State> {
    let text = std::fs::read(place.file("case.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

fn write(place: &Place, state: &State) -> Result<(), String> {
    let text = serde_json::to_string_pretty(state).map_err(|error| error.to_string())?;
    files::replace(&place.file("case.json"), &format!("{text}\n"))
}

/// The bundles of a case that can still be read, and why others cannot.
fn read_all(inbox: &Inbox, members: &[Member]) -> Result<(Vec<Bundle>, Vec<String>), String> {
    let (mut out, mut gone) = (Vec::new(), Vec::new());
    for member in members {
        let source = inbox.source(&member.bundle_id, &member.source);
        match bundle(inbox, source) {
            Ok(bundle) if bundle.manifest.id == member.bundle_id => out.push(bundle),
            Ok(_) => gone.push(format!("{source}: another bundle is there now")),
            Err(message) => gone.push(message),
        }
    }
    if out.is_empty() {
        let why = gone.first().map_or("", String::as_str);
        return Err(format!("no bundle of a case that was taken in can be read any more: {why}"));
    }
    Ok((out, gone))
}

fn bundle(inbox: &Inbox, source: &str) -> Result<Bundle, String> {
    let (limits, path) = (Limits::default(), Path::new(source));
    let identities = inbox.identities.as_ref();
    if !intake::bucket::is_url(source) {
        let opened = read::file_with(path, &limits, identities);
        return opened.map(|opened| opened.bundle).map_err(|error| error.to_string());
    }
    // An object is a prefix of its own name, and of others'.
    for input in intake::inputs(&[path.to_owned()], |_| false) {
        match input {
            Input::Object(url, bytes, _held) if url == source => {
                let opened = read::bytes_with(&bytes, path, &limits, identities);
                return opened.map(|opened| opened.bundle).map_err(|error| error.to_string());
            }
            Input::Unreadable(_, message) => return Err(message),
            _ => {}
        }
    }
    Err(format!("{source}: it is gone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_cases_share_a_folder_and_none_leaves_it() {
        let of = |case: &str, host: &str| {
            let key = CaseKey { case: case.into(), host: host.into() };
            Place::of(Path::new("to"), &key).0.display().to_string()
        };
        assert_eq!(of("K7QF-2M9D", "b.example"), "to/K7QF-2M9D-b.example");
        assert_eq!(of("../x", "b"), "to/_2e_._2f_x-b");
        assert_ne!(of("a/b", "h"), of("a_b", "h"));
        assert_ne!(of("a", "h"), of("A/", "h"));
        assert!(!of("..", "..").contains("/.."));
    }
}
