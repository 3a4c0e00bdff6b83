//! `--trace` dumps bytes in hexadecimal: what is said in them becomes the lines that
//! `--trace-ascii` would have written, which are read, and masked, like any others.

use super::signs::{self, Block};
use crate::pasted::lines;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Bytes of one block: a request of nobody is larger.
const MOST: usize = 1 << 20;

/// The text with heads and bodies in letters. Of what is TLS's own nothing is undone.
pub(super) fn in_letters(text: &str) -> Cow<'_, str> {
    // Most pastes have no such line.
    if !text.contains("> Send ") && !text.contains("= Recv ") {
        return Cow::Borrowed(text);
    }
    let raw: Vec<&str> = text.lines().collect();
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    let mut found = false;
    let mut dump: Option<Dump> = None;
    for line in lines(text) {
        let bare = line.text.trim();
        let said = &bare[signs::behind_time(bare)..];
        let block = signs::block(said);
        let bytes = match (&dump, block, signs::traced(said)) {
            (Some(open), None, Some((at, true))) => open.more(&said[at..]),
            _ => None,
        };
        if let (Some(open), Some(bytes)) = (&mut dump, bytes) {
            // What stands between is of no dump.
            (from..line.number - 1).for_each(|at| push(&mut out, raw[at]));
            open.before = raw[line.number - 1][..line.start].to_owned();
            open.bytes.extend(bytes);
            from = line.number;
            found = true;
            continue;
        }
        if let Some(open) = dump.take() {
            open.write(&mut out);
        }
        (from..line.number).for_each(|at| push(&mut out, raw[at]));
        from = line.number;
        dump = block.filter(|block| *block != Block::Bytes).map(|_| Dump {
            left: signs::block_bytes(said).unwrap_or(MOST).min(MOST),
            bytes: Vec::new(),
            before: String::new(),
        });
    }
    if let Some(open) = dump {
        open.write(&mut out);
    }
    (from..raw.len()).for_each(|at| push(&mut out, raw[at]));
    if found { Cow::Owned(out) } else { Cow::Borrowed(text) }
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

/// A block that is being collected.
struct Dump {
    /// How many bytes it has, as its first line says.
    left: usize,
    bytes: Vec<u8>,
    /// What somebody put before its lines.
    before: String,
}

impl Dump {
    /// The bytes of one more line; `None` where there are none that can be its own.
    fn more(&self, text: &str) -> Option<Vec<u8>> {
        let left = self.left.checked_sub(self.bytes.len()).filter(|left| *left > 0)?;
        // Behind a line's last byte stand its letters, which may look like bytes.
        let bytes: Vec<u8> = signs::dumped(text).take(left).collect();
        (!bytes.is_empty()).then_some(bytes)
    }

    fn write(self, out: &mut String) {
        let text = String::from_utf8_lossy(&self.bytes);
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let plain = line.trim_end_matches(['\r', '\n']);
            let shown: String =
                plain.chars().map(|c| if c.is_control() && c != '\t' { '.' } else { c }).collect();
            let _ = writeln!(out, "{}{at:04x}: {shown}", self.before);
            at += line.len();
        }
    }
}
