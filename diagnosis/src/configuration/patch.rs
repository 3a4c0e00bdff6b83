//! Changes of files as unified diffs, which `patch -p1` takes.
//!
//! What is masked is shown to nobody: neither a line that holds a mask is changed,
//! nor does one stand in a diff as context.

use super::source::File;
use super::{Issue, Place};

/// What a mask looks like.
const MASK: &str = "[removed";
/// What a diff says of a last line that does not end.
const UNENDED: &str = "\\ No newline at end of file\n";
/// Lines of context around a change.
const CONTEXT: usize = 3;

/// A change of one line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where.
    pub place: Place,
    /// What becomes of it.
    pub how: How,
}

/// What becomes of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// A part of it becomes another.
    Replace {
        /// The part.
        from: String,
        /// The other.
        to: String,
    },
    /// These follow it, on lines of their own where nothing else stands on it.
    After {
        /// The part of the line that they follow.
        anchor: String,
        /// Statements.
        lines: Vec<String>,
    },
    /// These stand before it.
    Before(Vec<String>),
    /// It goes.
    Delete,
}

impl How {
    /// Whether it would write a mask into the file.
    fn masked(&self) -> bool {
        match self {
            Self::Replace { to, .. } => to.contains(MASK),
            Self::After { lines, .. } | Self::Before(lines) => {
                lines.iter().any(|line| line.contains(MASK))
            }
            Self::Delete => false,
        }
    }
}

impl Edit {
    pub(crate) fn replace(at: &Place, from: impl Into<String>, to: impl Into<String>) -> Self {
        Self { place: at.clone(), how: How::Replace { from: from.into(), to: to.into() } }
    }

    pub(crate) fn before(at: &Place, lines: &[&str]) -> Self {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Self { place: at.clone(), how: How::Before(lines) }
    }

    pub(crate) fn delete(at: &Place) -> Self {
        Self { place: at.clone(), how: How::Delete }
    }
}

/// The edits of several issues as one diff; empty where nothing can be changed.
#[must_use]
pub fn diff<'i>(files: &[File], issues: impl IntoIterator<Item = &'i Issue>) -> String {
    let mut edits: Vec<&Edit> = Vec::new();
    for edit in issues.into_iter().flat_map(|issue| &issue.edits) {
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
    files.iter().map(|file| of_file(file, &edits)).collect()
}

/// A line of the file after the change: which it was, and what it is now.
struct Changed {
    from: usize,
    to: Vec<String>,
}

fn of_file(file: &File, edits: &[&Edit]) -> String {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut changed: Vec<Changed> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let number = at + 1;
        let own: Vec<&How> = edits
            .iter()
            .filter(|e| e.place.file == file.name && e.place.line as usize == number)
            .filter(|e| !e.how.masked())
            .map(|e| &e.how)
            .collect();
        if own.is_empty() || line.contains(MASK) {
            continue;
        }
        let to = edited(line, &own);
        if to.len() != 1 || to[0] != *line {
            changed.push(Changed { from: at, to });
        }
    }
    if changed.is_empty() {
        return String::new();
    }
    let path = file.path.as_deref().unwrap_or(&file.name).replace('\\', "/");
    let path = path.trim_start_matches('/');
    let mut out = format!("--- a/{path}\n+++ b/{path}\n");
    let mut shift: isize = 0;
    let mut rest = changed.as_slice();
    while let Some(first) = rest.first() {
        // Changes whose contexts touch are one hunk.
        let near = |pair: &&[Changed]| pair[1].from - pair[0].from <= 2 * CONTEXT;
        let many = 1 + rest.windows(2).take_while(near).count();
        let (hunk, after) = rest.split_at(many);
        rest = after;
        let last = hunk.last().map_or(first.from, |c| c.from);
        let plain = |at: &usize| !lines[*at].contains(MASK);
        let start = (first.from.saturating_sub(CONTEXT)..first.from)
            .rev()
            .take_while(plain)
            .last()
            .unwrap_or(first.from);
        let end = (last + 1..lines.len().min(last + 1 + CONTEXT))
            .take_while(plain)
            .last()
            .unwrap_or(last);
        if (first.from..=last).any(|at| !plain(&at)) {
            continue;
        }
        let mut body = String::new();
        let (mut old, mut new) = (0_usize, 0_usize);
        for (at, line) in lines.iter().enumerate().take(end + 1).skip(start) {
            old += 1;
            let ends =
                if at + 1 == lines.len() && !file.text.ends_with('\n') { UNENDED } else { "" };
            let Some(change) = hunk.iter().find(|c| c.from == at) else {
                new += 1;
                body.push_str(&format!(" {line}\n{ends}"));
                continue;
            };
            new += change.to.len();
            // What stays as it is need not go and come back.
            let kept = change.to.iter().position(|to| to == line).filter(|_| ends.is_empty());
            if kept.is_none() {
                body.push_str(&format!("-{line}\n{ends}"));
            }
            for (number, to) in change.to.iter().enumerate() {
                let sign = if kept == Some(number) { ' ' } else { '+' };
                let ends = if number + 1 == change.to.len() { ends } else { "" };
                body.push_str(&format!("{sign}{to}\n{ends}"));
            }
        }
        let to = (start + 1).saturating_add_signed(shift);
        out.push_str(&format!("@@ -{},{old} +{to},{new} @@\n{body}", start + 1));
        shift += isize::try_from(new).unwrap_or(0) - isize::try_from(old).unwrap_or(0);
    }
    out
}

fn edited(line: &str, edits: &[&How]) -> Vec<String> {
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut inline: Vec<(String, Vec<String>)> = Vec::new();
    let mut own = Some(line.to_owned());
    let add = |to: &mut Vec<String>, lines: &[String]| {
        for one in lines {
            let one = format!("{indent}{one}");
            if !to.contains(&one) {
                to.push(one);
            }
        }
    };
    for edit in edits {
        match edit {
            How::Delete => own = None,
            How::Before(lines) => add(&mut before, lines),
            How::Replace { from, to } => {
                own = own.map(|text| text.replacen(from.as_str(), to, 1));
            }
            How::After { anchor, lines } if line.trim() == anchor.trim() => add(&mut after, lines),
            How::After { anchor, lines } => {
                let known = inline.iter_mut().find(|(known, _)| known == anchor);
                match known {
                    Some((_, all)) => {
                        all.extend(
                            lines
                                .iter()
                                .filter(|one| !all.contains(one))
                                .cloned()
                                .collect::<Vec<_>>(),
                        );
                    }
                    None => inline.push((anchor.clone(), lines.clone())),
                }
            }
        }
    }
    for (anchor, lines) in inline {
        let with = format!("{anchor} {}", lines.join(" "));
        own = own.map(|text| text.replacen(anchor.as_str(), &with, 1));
    }
    before.extend(own);
    before.extend(after);
    before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Kind;

    fn issue(edits: Vec<Edit>) -> Issue {
        let place = Place::new("/etc/x.conf", 1);
        Issue { edits, ..Issue::new(Kind::UpgradeHeaders, place, String::new(), String::new()) }
    }

    fn of(text: &str, edits: &[(u32, How)]) -> String {
        let name = "/etc/x.conf".to_owned();
        let file = File {
            name: name.clone(),
            path: Some(name),
            text: text.into(),
            dumped: false,
            parsed: Default::default(),
        };
        let edits = edits
            .iter()
            .map(|(line, how)| Edit { place: Place::new("/etc/x.conf", *line), how: how.clone() });
        diff(&[file], &[issue(edits.collect())])
    }

    fn after(anchor: &str, line: &str) -> How {
        How::After { anchor: anchor.into(), lines: vec![line.into()] }
    }

    fn replace(from: &str, to: &str) -> How {
        How::Replace { from: from.into(), to: to.into() }
    }

    #[test]
    fn edits_become_hunks() {
        let text = "a\n  b;\nc\nd\ne\nf\ng\nh\ni\nj\nk\n";
        assert_eq!(
            of(text, &[(2, after("b;", "x;")), (2, after("b;", "x;"))]),
            "--- a/etc/x.conf\n+++ b/etc/x.conf\n@@ -1,5 +1,6 @@\n a\n   b;\n+  x;\n c\n d\n e\n"
        );
        let two = of(text, &[(1, How::Delete), (11, replace("k", "l"))]);
        assert!(two.contains("@@ -1,4 +1,3 @@\n-a\n"), "{two}");
        assert!(two.contains("@@ -8,4 +7,4 @@\n h\n i\n j\n-k\n+l\n"), "{two}");
        let within = of("l { b; }\n", &[(1, after("b;", "x;"))]);
        assert!(within.contains("-l { b; }\n+l { b; x; }\n"), "{within}");
        let before = of("a\n b\n", &[(2, How::Before(vec!["x".into()]))]);
        assert!(before.contains("@@ -1,2 +1,3 @@\n a\n+ x\n  b\n"), "{before}");
        assert_eq!(of(text, &[(2, replace("b", "b"))]), "");
    }

    #[test]
    fn what_is_masked_is_in_no_diff() {
        let text = "set x [removed];\nb;\nc [removed: token];\nd;\n";
        let shown = of(text, &[(2, after("b;", "x;"))]);
        assert!(shown.contains("@@ -2,1 +2,2 @@\n b;\n+x;\n"), "{shown}");
        assert_eq!(of(text, &[(1, How::Delete)]), "");
    }
}
