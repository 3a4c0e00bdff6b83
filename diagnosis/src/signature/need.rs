//! A pattern, and what a text must have for it to match: asked first, since most
//! patterns have nothing to do with most texts.
//!
//! What it needs is read from the pattern by the parser that compiles it: every
//! match begins, or ends, with one of a few literals. Where that says too little,
//! the pattern is always tried. Nothing is decided here: what passes is put to
//! the pattern itself, which is compiled when the first text has passed.

use memchr::memmem::Finder;
use regex::{Captures, Regex, RegexBuilder};
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use regex_syntax::hir::{Hir, Look};
use std::sync::OnceLock;

/// Most literals of one pattern that are worth looking for one by one.
const MOST: usize = 32;
/// A shorter literal is in almost any text, unless the text must begin with it.
const SHORTEST: usize = 3;

/// What a text must have.
#[derive(Debug, Clone)]
enum Need {
    /// Nothing that is known.
    Unknown,
    /// One of these, at its start.
    Start(Vec<Box<[u8]>>),
    /// One of these, anywhere.
    Within(Vec<Finder<'static>>),
}

impl Need {
    fn of(pattern: &Hir) -> Self {
        let literals = |kind: ExtractKind| {
            let found = Extractor::new().kind(kind).limit_total(MOST).extract(pattern);
            let all: Vec<Box<[u8]>> =
                Seq::literals(&found)?.iter().map(|l| l.as_bytes().into()).collect();
            (!all.is_empty() && all.len() <= MOST && all.iter().all(|l| !l.is_empty()))
                .then_some(all)
        };
        let shortest = |all: &Vec<Box<[u8]>>| all.iter().map(|l| l.len()).min().unwrap_or(0);
        let first = literals(ExtractKind::Prefix);
        if pattern.properties().look_set_prefix().contains(Look::Start)
            && let Some(all) = first
        {
            return Self::Start(all);
        }
        let last = literals(ExtractKind::Suffix);
        let better = [first, last].into_iter().flatten().max_by_key(shortest);
        match better.filter(|all| shortest(all) >= SHORTEST) {
            Some(all) => Self::Within(all.iter().map(|l| Finder::new(l).into_owned()).collect()),
            None => Self::Unknown,
        }
    }
}

/// A pattern with what it needs.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    source: String,
    need: OnceLock<Need>,
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern, not yet read.
    pub(super) fn new(source: &str) -> Self {
        Self { source: source.to_owned(), need: OnceLock::new(), regex: OnceLock::new() }
    }

    /// Reads and compiles it now.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(super) fn check(&self) -> Result<(), String> {
        compile(&self.source).map(drop)
    }

    /// As it was written.
    #[cfg(test)]
    pub(super) fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether a text has what it needs; not whether it matches.
    pub(super) fn may(&self, text: &str) -> bool {
        let text = text.as_bytes();
        match self.need() {
            Need::Unknown => true,
            Need::Start(all) => all.iter().any(|literal| text.starts_with(literal)),
            Need::Within(all) => all.iter().any(|finder| finder.find(text).is_some()),
        }
    }

    /// The literals of which any text that it matches has one; `None` where none
    /// are known.
    #[cfg(any(test, feature = "fast"))]
    pub(super) fn literals(&self) -> Option<Vec<&[u8]>> {
        match self.need() {
            Need::Unknown => None,
            Need::Start(all) => Some(all.iter().map(|literal| &**literal).collect()),
            Need::Within(all) => Some(all.iter().map(Finder::needle).collect()),
        }
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.may(text) && self.regex().is_some_and(|regex| regex.is_match(text))
    }

    pub(super) fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        if self.may(text) { self.regex()?.captures(text) } else { None }
    }

    fn need(&self) -> &Need {
        self.need.get_or_init(|| {
            regex_syntax::parse(&self.source).map_or(Need::Unknown, |parsed| Need::of(&parsed))
        })
    }

    /// What cannot be compiled matches nothing; a test compiles all of them.
    fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| compile(&self.source).ok()).as_ref()
    }
}

fn compile(source: &str) -> Result<Regex, String> {
    RegexBuilder::new(source).size_limit(1 << 20).build().map_err(|error| error.to_string())
}

/// The name of a header: letters, digits and hyphens in any case, or a pattern of them.
#[derive(Debug, Clone)]
pub(super) struct Name {
    written: String,
    /// The names that it stands for, where it is no more than names.
    names: Option<Vec<String>>,
    /// What every name begins with.
    start: String,
    pattern: Pattern,
}

impl Name {
    /// A name as a signature file has it.
    pub(super) fn new(written: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let names = written
            .split('|')
            .all(|name| !name.is_empty() && name.chars().all(plain))
            .then(|| written.split('|').map(str::to_owned).collect());
        // The last letter may be one that what follows repeats, or makes optional.
        let start = match written.find(|c| !plain(c)) {
            Some(end) if !written.contains('|') => written[..end.saturating_sub(1)].to_owned(),
            _ => String::new(),
        };
        let pattern = Pattern::new(&format!("(?i)^(?:{written})$"));
        Self { written: written.to_owned(), names, start, pattern }
    }

    /// As it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.written
    }

    /// Reads and compiles it now.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(super) fn check(&self) -> Result<(), String> {
        self.pattern.check()
    }

    /// Whether a name of so many bytes may be one of these.
    pub(super) fn may_have(&self, length: usize) -> bool {
        match &self.names {
            Some(names) => names.iter().any(|own| own.len() == length),
            None => length >= self.start.len(),
        }
    }

    pub(super) fn is_match(&self, name: &str) -> bool {
        // Beyond ASCII a letter may have a third case: that is the pattern's to know.
        if !name.is_ascii() {
            return self.pattern.is_match(name);
        }
        match &self.names {
            Some(names) => names.iter().any(|own| own.eq_ignore_ascii_case(name)),
            None => {
                name.get(..self.start.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(&self.start))
                    && self.pattern.is_match(name)
            }
        }
    }
}
