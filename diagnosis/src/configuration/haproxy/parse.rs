//! Lines and sections of a HAProxy configuration (configuration manual, sections
//! 2.1 and 2.2: quoting and escaping).
//!
//! Written here: `haproxy-config`, the one library that there is, models a few
//! keywords of frontends and backends, and neither conditions nor timeouts,
//! which are what is asked here.

use super::start_up::StartUp;
use crate::configuration::source::File;

/// Most lines of one file.
const LINES: usize = 50_000;

/// One line with something on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Its words, without quotes.
    pub(super) words: Vec<String>,
    /// Number, from 1.
    pub(super) line: u32,
    /// Which file, by its place in the list.
    pub(super) file: usize,
    /// Line of the `.if` that may leave it out, where the files do not tell.
    pub(super) maybe: Option<u32>,
}

impl Line {
    /// A word, or nothing.
    pub(super) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    /// Words from one on.
    pub(super) fn from(&self, at: usize) -> &[String] {
        self.words.get(at..).unwrap_or_default()
    }

    /// Whether it begins with these words.
    pub(super) fn is(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(at, word)| self.word(at) == *word)
    }

    /// As one would write it.
    pub(super) fn shown(&self) -> String {
        self.words.join(" ")
    }
}

/// `defaults`, `frontend`, `backend` …
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Its first line.
    pub(super) head: Line,
    /// The lines in it.
    pub(super) lines: Vec<Line>,
}

impl Section {
    pub(super) fn kind(&self) -> &str {
        self.head.word(0)
    }

    pub(super) fn name(&self) -> &str {
        self.head.word(1)
    }
}

const SECTIONS: [&str; 16] = [
    "global",
    "defaults",
    "frontend",
    "backend",
    "listen",
    "peers",
    "mailers",
    "userlist",
    "resolvers",
    "cache",
    "program",
    "ring",
    "log-forward",
    "http-errors",
    "fcgi-app",
    "crt-store",
];

/// The sections of all files, in the order of the files. Text that is no
/// configuration gives sections that nothing refers to; nothing is refused.
/// `.if` is followed as far as the files and the version tell.
pub(super) fn sections(files: &[File], version: Option<(u32, u32, u32)>) -> Vec<Section> {
    let mut out: Vec<Section> = Vec::new();
    for (file, content) in files.iter().enumerate() {
        let mut start_up = StartUp::new(version);
        for (at, text) in content.text.lines().take(LINES).enumerate() {
            let words = words(text);
            if words.is_empty() {
                continue;
            }
            let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            if start_up.takes(&words, number) {
                continue;
            }
            let Some(maybe) = start_up.counts() else { continue };
            let line = Line { words, line: number, file, maybe };
            if SECTIONS.contains(&line.word(0)) {
                out.push(Section { head: line, lines: Vec::new() });
            } else if let Some(section) = out.last_mut() {
                section.lines.push(line);
            }
        }
    }
    out
}

/// The words of a line: `\` takes the next character as it is, `"` keeps blanks
/// and lets `\` work, `'` keeps everything, `#` begins a comment.
fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\'', None) | ('"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(q)) if c == q => quote = None,
            ('\\', None | Some('"')) => {
                if let Some(next) = chars.next() {
                    let word = word.get_or_insert_default();
                    match next {
                        ' ' | '#' | '\\' | '"' | '\'' => word.push(next),
                        other => word.extend(['\\', other]),
                    }
                }
            }
            ('#', None) => break,
            (c, None) if c.is_whitespace() => out.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    out
}

/// Seconds of a time as HAProxy writes it: without a unit, milliseconds.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let factor = match &text[digits..] {
        "" | "ms" => 0.001,
        "us" => 0.000_001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_times() {
        assert_eq!(words("  acl a path_beg /v1 # c"), ["acl", "a", "path_beg", "/v1"]);
        assert_eq!(words(r#"a "b c" 'd # e' f\ g "h\"i""#), ["a", "b c", "d # e", "f g", "h\"i"]);
        assert_eq!(words(r"path_reg ^/v1/\d+$"), ["path_reg", r"^/v1/\d+$"]);
        assert!(words("# only").is_empty());
        for (text, expected) in [
            ("50000", Some(50.0)),
            ("1h", Some(3600.0)),
            ("30s", Some(30.0)),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
