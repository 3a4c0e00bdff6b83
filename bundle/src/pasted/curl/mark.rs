//! What each line of a pasted text is: the redactor masks by this.

use std::ops::Range;

/// In place of what was taken out: of the rest of a value, of bytes.
pub(crate) const REST: &str = "[removed]";

/// A line of the text as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    pub(crate) kind: Kind,
    /// Byte at which what `kind` means begins: behind marks of quoting, times, `< `.
    pub(crate) from: usize,
    /// Of a part of a command: the next line belongs to it, and nothing on this one says so.
    pub(crate) joined: Option<Joined>,
}

/// How a line of a command that somebody's width cut goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// With another word.
    Apart,
    /// In the middle of a word.
    Glued,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    /// A body, a message, prose.
    #[default]
    Other,
    /// What curl or another program says: evidence.
    Said,
    /// A request line or a status line.
    StartLine,
    /// A header field.
    Field,
    /// The rest of the field before, cut off by somebody's width.
    Wrapped,
    /// The rest of a secret.
    Rest,
    /// A part of a command: see [`Secret`].
    Command,
    /// Bytes in hexadecimal.
    Hex,
}

/// A part of a line of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    /// Which line, from 0.
    pub(crate) line: usize,
    /// Where in it.
    pub(crate) range: Range<usize>,
    /// What becomes of it.
    pub(crate) how: How,
}

/// What becomes of a part of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum How {
    /// Taken out, with this in its place; counted as this kind.
    Replace(String, &'static str),
    /// The rest of such a part on a further line: taken out.
    Drop,
    /// A header that may stay, a format: as it is, but for URLs in it.
    Keep,
}
