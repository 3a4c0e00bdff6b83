//! The zip itself: which entries there are, and their bytes, within limits.
//! What the entries mean is not known here.

use super::deadline::Deadline;
use super::inflate::{self, Budget, Inflated, Stop};
use super::{EntryInfo, Limits, NoBundle, defect, defect_at, layout, salvage, shown};
use crate::Defect;
use crate::format::entry;
use std::collections::BTreeMap;

/// The bytes of an archive's entries.
#[derive(Debug, Default)]
pub(super) struct Archive {
    pub(super) contents: BTreeMap<String, Vec<u8>>,
    /// Where the header of each stands.
    pub(super) offsets: BTreeMap<String, u64>,
    pub(super) infos: Vec<EntryInfo>,
    pub(super) defects: Vec<Defect>,
    /// Whether the directory names what cannot be read.
    pub(super) damaged: bool,
}

/// An entry that can be read.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) name: Vec<u8>,
    /// Where its header stands.
    pub(super) offset: u64,
    pub(super) data: &'a [u8],
    pub(super) deflated: bool,
    /// CRC-32 and size that it should have, where that is known.
    pub(super) crc: Option<u32>,
    pub(super) bytes: Option<u64>,
    /// Whether the archive may end before the entry does.
    pub(super) cut: bool,
}

/// Reads every entry that a bundle may have.
///
/// # Errors
/// Why it is no zip.
pub(super) fn read(content: &[u8], limits: &Limits) -> Result<Archive, NoBundle> {
    if content.is_empty() {
        return Err(NoBundle::Empty);
    }
    let mut budget = Budget { limits, until: Deadline::within(limits.time), total: 0 };
    let mut out = Archive::default();
    let why = match layout::entries(content, limits, &mut out) {
        Ok(sources) => {
            for source in sources {
                if out.take(source, &mut budget, false).is_none() {
                    break;
                }
            }
            // Without the manifest nothing can be judged: perhaps it is there all the same.
            if !out.damaged || out.contents.keys().any(|path| path.ends_with(entry::MANIFEST)) {
                return Ok(out);
            }
            "its directory does not fit it".to_owned()
        }
        Err(error) => error,
    };
    let mut salvaged = Archive::default();
    salvage::entries(content, limits, &mut budget, &mut salvaged);
    if salvaged.contents.is_empty() {
        return if out.infos.is_empty() { Err(NoBundle::NoZip(why)) } else { Ok(out) };
    }
    let detail = format!("{why}; the entries that are whole were read, as far as there are any");
    salvaged.defects.insert(0, defect(None, "damaged-archive", detail));
    Ok(salvaged)
}

impl Archive {
    /// Reads one entry. Gives the bytes of its data, where it is whole; `None`
    /// in `None`'s place when a limit of the whole archive is reached.
    #[allow(clippy::option_option, reason = "what goes on, and what it took, are two things")]
    pub(super) fn take(
        &mut self,
        source: Source<'_>,
        budget: &mut Budget<'_>,
        first_counts: bool,
    ) -> Option<Option<usize>> {
        let Source { name: raw, offset, data, deflated, crc, bytes, cut } = source;
        let name = shown(&raw);
        let mut say = |kind: &str, detail: String| {
            self.defects.push(defect_at(&name, offset, kind, detail));
        };
        let Ok(path) = String::from_utf8(raw) else {
            say("unsafe-entry", "left out: its name is no UTF-8".to_owned());
            return Some(None);
        };
        if let Some(why) = unsafe_name(&path) {
            say("unsafe-entry", format!("left out: {why}"));
            return Some(None);
        }
        if path.ends_with('/') {
            return Some(None);
        }
        let came =
            if deflated { inflate::deflated(data, budget) } else { inflate::stored(data, budget) };
        let Inflated { content, used, whole, crc: crc_here } = match came {
            Ok(came) => came,
            Err(Stop::Damaged(why)) => {
                say("unreadable-entry", why);
                return Some(None);
            }
            Err(Stop::Entry(why)) => {
                say("too-large", format!("left out: {why}"));
                return Some(None);
            }
            Err(Stop::Archive(why)) => {
                say("too-large", why);
                return None;
            }
        };
        let length = content.len() as u64;
        let complete = whole && bytes.is_none_or(|claimed| claimed == length);
        if complete && crc.is_some_and(|crc| crc != crc_here) {
            say("unreadable-entry", "damaged: its CRC-32 is another".to_owned());
            return Some(None);
        }
        if !complete {
            // What was cut off is right up to there; what was changed is not.
            if !cut {
                let claimed = bytes.unwrap_or_default();
                say("unreadable-entry", format!("damaged: {length} of {claimed} bytes"));
                return Some(None);
            }
            say("cut-off-entry", format!("its first {length} bytes were read"));
        } else if deflated && used < data.len() && bytes.is_some() {
            say("stray-data", format!("{} bytes behind its data", data.len() - used));
        }
        if self.contents.contains_key(&path) {
            let counts = if first_counts { "first" } else { "last" };
            say("duplicate-entry", format!("it is there already; the {counts} one counts"));
            if first_counts {
                return Some(Some(used));
            }
            self.infos.retain(|known| known.path != path);
        }
        self.infos.push(EntryInfo { path: path.clone(), bytes: length, compressed: used as u64 });
        self.offsets.insert(path.clone(), offset);
        self.contents.insert(path, content);
        Some(Some(used))
    }

    /// Undoes what happens when somebody unpacks a bundle, looks into it, and
    /// packs the folder again. Then drops what no bundle has.
    pub(super) fn strip_common_folder(&mut self) {
        if !self.contents.contains_key(entry::MANIFEST) {
            let suffix = format!("/{}", entry::MANIFEST);
            let mut folders = self.contents.keys().filter_map(|path| path.strip_suffix(&suffix));
            if let (Some(folder), None) = (folders.next(), folders.next()) {
                let folder = format!("{folder}/");
                let detail = format!("all entries are in {}", shown(folder.as_bytes()));
                self.contents = without(&folder, std::mem::take(&mut self.contents));
                self.offsets = without(&folder, std::mem::take(&mut self.offsets));
                self.defects.push(defect(None, "repacked", detail));
            }
        }
        let defects = &mut self.defects;
        self.contents.retain(|path, _| {
            let known = entry::is_known(path);
            if !known {
                let detail = "no entry of a bundle has this name; ignored";
                defects.push(defect(Some(&shown(path.as_bytes())), "unknown-entry", detail));
            }
            known
        });
    }
}

/// The same, with names that do not begin with this folder any more.
fn without<T>(folder: &str, all: BTreeMap<String, T>) -> BTreeMap<String, T> {
    let mut out = BTreeMap::new();
    for (path, value) in all {
        let inner = path.strip_prefix(folder).map(str::to_owned);
        out.insert(inner.unwrap_or(path), value);
    }
    out
}

fn unsafe_name(name: &str) -> Option<&'static str> {
    if name.len() > 512 {
        Some("its name is too long")
    } else if name.starts_with(['/', '\\']) || name.contains(':') {
        Some("an absolute path")
    } else if name.split(['/', '\\']).any(|part| part == "..") {
        Some("it leaves its folder")
    } else if name.chars().any(char::is_control) {
        Some("control characters in its name")
    } else {
        None
    }
}
