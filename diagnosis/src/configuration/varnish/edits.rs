//! What mends a VCL: the lines that make an upgrade a pipe, and those that give the
//! backend its headers.

use super::check::Check;
use super::parse::{Does, Statement, Sub};
use super::value::{State, Value};
use crate::configuration::Place;
use crate::configuration::patch::{Edit, How};

/// The headers of an upgrade, and what of each makes it one.
pub(super) const WANTED: [(&str, &str); 2] = [("upgrade", "websocket"), ("connection", "upgrade")];

impl Check<'_> {
    /// The lines that make an upgrade a pipe.
    pub(super) fn piping(&self, state: &State) -> Vec<Edit> {
        let mut edits = self.setting(state);
        let Some(recv) = self.named("vcl_recv").first().copied() else { return Vec::new() };
        let lines =
            ["    if (req.http.Upgrade ~ \"(?i)websocket\") {", "        return (pipe);", "    }"];
        edits.extend(self.within(recv, &lines));
        edits
    }

    /// The lines that set both headers in `vcl_pipe`, where it does not.
    pub(super) fn setting(&self, state: &State) -> Vec<Edit> {
        let lines = [
            "    set bereq.http.Upgrade = req.http.Upgrade;",
            "    set bereq.http.Connection = req.http.Connection;",
        ];
        let subs = self.named("vcl_pipe");
        let mut edits = Vec::new();
        // What takes them away again.
        for sub in &subs {
            self.undone(&sub.block, &mut edits);
        }
        match subs.first() {
            Some(sub) => {
                let set = |name: &str| {
                    subs.iter().any(|sub| sets(&sub.block, &format!("bereq.http.{name}")))
                };
                let wanted = lines.iter().zip(WANTED).filter(|(_, (name, _))| !set(name));
                let wanted: Vec<&str> = wanted.map(|(line, _)| *line).collect();
                edits.extend(self.within(sub, &wanted));
            }
            None => {
                let Some(recv) = self.named("vcl_recv").first().copied() else { return edits };
                let place = Place::of(self.files, recv.file, recv.line);
                let all = ["sub vcl_pipe {", lines[0], lines[1], "}"];
                edits.push(Edit::before(&place, &all));
            }
        }
        // What is gone before the pipe cannot be set from it.
        let gone = |name: &str| state.get(&format!("req.http.{name}")) == Value::Unset;
        if gone("upgrade") || gone("connection") { Vec::new() } else { edits }
    }

    /// Lines at the beginning of a subroutine.
    fn within(&self, sub: &Sub, lines: &[&str]) -> Vec<Edit> {
        let (place, line) = self.line(sub.file, sub.line);
        let Some(open) = line.find('{').filter(|_| line.starts_with("sub")) else {
            return Vec::new();
        };
        if lines.is_empty() {
            return Vec::new();
        }
        let anchor = line.get(..=open).unwrap_or_default().to_owned();
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        vec![Edit { place, how: How::After { anchor, lines } }]
    }

    /// Lines that set a header to nothing of use: to what came instead.
    fn undone(&self, block: &[Statement], edits: &mut Vec<Edit>) {
        for one in block {
            match &one.does {
                Does::If(branches) => {
                    branches.iter().for_each(|(_, block)| self.undone(block, edits));
                }
                Does::Set { name, value, .. } => {
                    let (place, line) = self.line(one.file, one.line);
                    let lower = name.to_ascii_lowercase();
                    if lower != "bereq.http.connection" || value.len() != 1 {
                        continue;
                    }
                    let from = "\"close\"";
                    if line.matches(from).count() == 1 {
                        edits.push(Edit::replace(&place, from, "req.http.Connection"));
                    }
                }
                Does::Unset(name) => {
                    let lower = name.to_ascii_lowercase();
                    let (place, line) = self.line(one.file, one.line);
                    let alone = line.ends_with(';') && line.matches(';').count() == 1;
                    if WANTED.iter().any(|(own, _)| lower == format!("bereq.http.{own}")) && alone {
                        edits.push(Edit::delete(&place));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether a block sets a name, under whatever condition.
fn sets(block: &[Statement], name: &str) -> bool {
    block.iter().any(|one| match &one.does {
        Does::Set { name: own, .. } => own.eq_ignore_ascii_case(name),
        Does::If(branches) => branches.iter().any(|(_, block)| sets(block, name)),
        _ => false,
    })
}
