//! What a program's part of the check consists of: a row of the table in `mod.rs`.
//!
//! A row says how a text is recognised and read, what of it may stay in a bundle,
//! which devices it belongs to, and how what it says is changed. Whoever asks
//! (rules, remedies, the collector) goes by the row and knows no program by name.

use super::chain::Hop;
use super::patch::Edit;
use super::source::File;
use super::{Issue, Reading, Request};
use std::any::Any;
use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;
use wss_bundle::redact::listed::Listed;
use wss_bundle::structured::{Broken, Node, documents, looks};

/// What recognising a text has already made of it, for its program to read on: a
/// file may be long, and many bundles are judged.
#[derive(Clone, Default)]
pub(crate) struct Parsed(pub(crate) Option<Arc<dyn Any + Send + Sync>>);

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "parsed" } else { "not parsed" })
    }
}

/// The text alone makes a file what it is.
impl PartialEq for Parsed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Parsed {}

/// A text that every row is asked about. What it is as JSON, YAML or TOML is found out once.
pub(crate) struct Text<'t> {
    pub(crate) text: &'t str,
    documents: OnceCell<Option<Result<Arc<Vec<Node>>, Broken>>>,
}

impl<'t> Text<'t> {
    pub(crate) const fn new(text: &'t str) -> Self {
        Self { text, documents: OnceCell::new() }
    }

    /// Its documents; `None` where it does not look like any of them.
    pub(crate) fn documents(&self) -> Option<&Result<Arc<Vec<Node>>, Broken>> {
        let parsed = || looks(self.text).then(|| documents(self.text).map(Arc::new));
        self.documents.get_or_init(parsed).as_ref()
    }
}

/// Whether a text is a program's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recognised {
    /// It is, by words that no other program has.
    Yes(Parsed),
    /// It may be a part of one, which says nothing by itself.
    Part(Parsed),
    /// It looks like one and is not understood: why, as half a sentence.
    Broken(String),
    /// It is not.
    No,
}

/// What of a file may stay in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Masked {
    /// Everything but what its words announce as secret: the redactor has the words.
    Words,
    /// Numbers, switches and the values of listed keys alone.
    Listed(&'static Listed),
}

/// How it is known that files are read as their program reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// They were held against the program itself.
    Program,
    /// Every field that is read is one of its maker's own descriptions.
    Models,
    /// Of documents and strangers' files alone: what is said is a hint, and never
    /// confirmed.
    Documents,
}

/// What a text that is pasted is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The upgrade passes.
    Forward,
    /// Connections stay open for an hour.
    Timeout,
    /// The browser's `Host` arrives.
    Host,
    /// HTTP/1.1 to the backend.
    Http1,
    /// No offer of compression reaches the server, so that nothing is compressed.
    Compression,
}

/// What to do about an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fix {
    /// As sentences.
    pub step: &'static str,
    /// The kind of text that could be pasted.
    pub paste: Option<Purpose>,
}

impl Fix {
    pub(crate) const fn new(step: &'static str) -> Self {
        Self { step, paste: None }
    }

    pub(crate) const fn pasting(step: &'static str, purpose: Purpose) -> Self {
        Self { step, paste: Some(purpose) }
    }
}

/// The lines that an issue's fix changes: none where that takes more than the
/// line itself tells.
pub(crate) type Edits = fn(&Issue, &[&str]) -> Vec<Edit>;

/// One program's configurations.
pub struct Dialect {
    /// A word for it: its folder here, its fuzz target, its rows in tests.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Ids of the devices (`signatures/`) that are set by it.
    pub devices: &'static [&'static str],
    /// What is recognised, as part of a sentence.
    pub expected: &'static str,
    /// How to get all that is in effect, as part of a sentence.
    pub whole: &'static str,
    /// The read-only commands that print it.
    pub commands: &'static [&'static str],
    /// How a change is checked and put in effect.
    pub reload: &'static str,
    /// What of it may stay in a bundle.
    pub masked: Masked,
    /// How it is known that files are read as the program reads them.
    pub proof: Proof,
    /// Recognises a text.
    pub(crate) recognise: fn(&Text<'_>) -> Recognised,
    /// Reads the files for a request.
    pub(crate) read: fn(&[File], &Request<'_>, Option<&Hop>) -> Reading,
    /// Patterns of files that a text includes.
    pub(crate) includes: fn(&str) -> Vec<String>,
    /// What to do about an issue, where this program has its own way.
    pub(crate) fix: fn(&Issue) -> Option<Fix>,
    /// The same as lines.
    pub(crate) edits: Edits,
}

/// No file includes another.
pub(crate) fn no_includes(_: &str) -> Vec<String> {
    Vec::new()
}

/// Whose configuration a file is: a row of the table.
#[derive(Clone, Copy)]
pub struct Program(pub(crate) &'static Dialect);

impl Program {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Whether a device is set by such files.
    #[must_use]
    pub fn is_device(self, signature: &str) -> bool {
        self.0.devices.contains(&signature)
    }

    /// Its row.
    #[must_use]
    pub fn dialect(self) -> &'static Dialect {
        self.0
    }
}

impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Program {}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id)
    }
}
