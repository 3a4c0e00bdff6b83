//! A reader that keeps JSON of unknown origin within bounds, before a parser
//! sees it: whole files, nesting, and the length of strings.
//!
//! A HAR of 200 MB is nearly all bodies. What is longer than a string may be is
//! skipped here, so that nothing above ever holds it; its length is kept, since
//! that is what is recorded of a frame.

use std::cell::Cell;
use std::io::{Error, ErrorKind, Read};
use std::rc::Rc;

/// Bytes of a file. Browsers give up at a tenth of that.
pub(super) const FILE_LIMIT: u64 = 4 << 30;
/// Nesting. A HAR's deepest value is at 12 (an initiator's stack, without its parents).
const DEPTH_LIMIT: u32 = 100;
/// Bytes of one string that are let through.
const STRING_LIMIT: u64 = 16 << 10;

/// What is known of the string that was read last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastString {
    /// Bytes of UTF-8, after the escapes are resolved.
    pub(super) bytes: u64,
    /// Padding at its end, for base64.
    pub(super) padding: u64,
}

/// Where [`Guard`] leaves what it knows; cheap to clone.
pub(super) type Strings = Rc<Cell<LastString>>;

/// The reader. It gives out one byte at a time, so that [`Strings`] is about
/// the string that the parser has just finished.
pub(super) struct Guard<R> {
    inner: R,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    total: u64,
    depth: u32,
    string: Option<InString>,
    strings: Strings,
}

#[derive(Default)]
struct InString {
    bytes: u64,
    padding: u64,
    dropping: bool,
    escape: Escape,
    /// The escape just read was the first half of a surrogate pair.
    half: bool,
}

#[derive(Default, Clone, Copy)]
enum Escape {
    #[default]
    None,
    Begun,
    Unicode {
        digits: u8,
        code: u32,
    },
}

impl<R: Read> Guard<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; 64 << 10],
            at: 0,
            end: 0,
            total: 0,
            depth: 0,
            string: None,
            strings: Strings::default(),
        }
    }

    pub(super) fn strings(&self) -> Strings {
        self.strings.clone()
    }

    /// Whether there was a byte more to take in.
    fn refill(&mut self) -> Result<bool, Error> {
        self.at = 0;
        self.end = loop {
            match self.inner.read(&mut self.buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.total += self.end as u64;
        if self.total > FILE_LIMIT {
            return Err(Error::new(ErrorKind::InvalidData, "it is larger than 4 GiB"));
        }
        Ok(self.end > 0)
    }

    /// Skips what is dropped anyway, up to the next quote or backslash.
    fn skip(&mut self) {
        let Some(string) = &mut self.string else { return };
        if !string.dropping || !matches!(string.escape, Escape::None) {
            return;
        }
        let rest = &self.buffer[self.at..self.end];
        let length = rest.iter().position(|b| matches!(b, b'"' | b'\\')).unwrap_or(rest.len());
        for byte in &rest[length.saturating_sub(2)..length] {
            string.pad(*byte);
        }
        string.bytes += length as u64;
        self.at += length;
    }

    /// Takes one byte; whether it is let through.
    fn step(&mut self, byte: u8) -> Result<bool, Error> {
        let Some(string) = &mut self.string else {
            match byte {
                b'"' => self.string = Some(InString::default()),
                b'{' | b'[' => {
                    self.depth += 1;
                    if self.depth > DEPTH_LIMIT {
                        let detail = format!("it is nested more than {DEPTH_LIMIT} deep");
                        return Err(Error::new(ErrorKind::InvalidData, detail));
                    }
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            return Ok(true);
        };
        if byte == b'"' && matches!(string.escape, Escape::None) {
            self.strings.set(LastString { bytes: string.bytes, padding: string.padding });
            self.string = None;
            return Ok(true);
        }
        Ok(string.step(byte))
    }
}

impl InString {
    fn pad(&mut self, byte: u8) {
        self.padding = if byte == b'=' { self.padding + 1 } else { 0 };
    }

    fn step(&mut self, byte: u8) -> bool {
        // Nothing is cut within a character, an escape, or a surrogate pair.
        let boundary = matches!(self.escape, Escape::None)
            && byte & 0xC0 != 0x80
            && !(self.half && byte == b'\\');
        if boundary && self.bytes >= STRING_LIMIT {
            self.dropping = true;
        }
        let let_through = !self.dropping;
        self.escape = match (self.escape, byte) {
            (Escape::None, b'\\') => Escape::Begun,
            (Escape::None, _) => {
                self.bytes += 1;
                self.half = false;
                self.pad(byte);
                Escape::None
            }
            (Escape::Begun, b'u') => Escape::Unicode { digits: 0, code: 0 },
            (Escape::Begun, _) => {
                self.bytes += 1;
                self.half = false;
                self.pad(byte);
                Escape::None
            }
            (Escape::Unicode { digits, code }, _) => {
                let code = code * 16 + char::from(byte).to_digit(16).unwrap_or(0);
                if digits < 3 {
                    Escape::Unicode { digits: digits + 1, code }
                } else {
                    self.bytes += match code {
                        0..0x80 => 1,
                        // Each half of a pair stands for two of its four bytes.
                        0x80..0x800 | 0xD800..0xE000 => 2,
                        _ => 3,
                    };
                    self.half = (0xD800..0xDC00).contains(&code);
                    self.pad(if code == u32::from(b'=') { b'=' } else { 0 });
                    Escape::None
                }
            }
        };
        let_through
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let Some(slot) = out.first_mut() else { return Ok(0) };
        loop {
            if self.at == self.end && !self.refill()? {
                return Ok(0);
            }
            self.skip();
            if self.at == self.end {
                continue;
            }
            let byte = self.buffer[self.at];
            self.at += 1;
            if self.step(byte)? {
                *slot = byte;
                return Ok(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(text: &str) -> (String, LastString) {
        let mut guard = Guard::new(text.as_bytes());
        let mut out = String::new();
        guard.read_to_string(&mut out).unwrap();
        (out, guard.strings().get())
    }

    #[test]
    fn short_strings_pass_and_are_measured() {
        for text in ["abc", "", "ä€😀", "tab\tquote\"back\\slash", "YQ==", "\u{7f}\u{80}\u{fffd}"]
        {
            let json = serde_json::to_string(text).unwrap();
            let (out, last) = through(&json);
            assert_eq!(out, json);
            assert_eq!(last.bytes, text.len() as u64, "{json}");
        }
        let (_, last) = through(r#""\u0041\u00e4\u20ac\ud83d\ude00""#);
        assert_eq!(last.bytes, "Aä€😀".len() as u64);
        assert_eq!(through("\"YQ==\"").1.padding, 2);
        assert_eq!(through("\"YQ==a\"").1.padding, 0);
    }

    #[test]
    fn long_strings_are_cut_to_valid_json_and_measured_whole() {
        for piece in ["a", "ä", "€", "😀", "\\u20ac", "\\ud83d\\ude00", "\\\\", "\\\"", "\\n"]
        {
            for shift in 0..5 {
                let lead = "x".repeat(STRING_LIMIT as usize - 6 + shift);
                let json = format!("{{\"l\":1,\"k\":\"{lead}{}=\"}}", piece.repeat(9000));
                let whole: serde_json::Value = serde_json::from_str(&json).unwrap();
                let (out, last) = through(&json);
                let cut: serde_json::Value = serde_json::from_str(&out).unwrap();
                let (whole, cut_text) = (whole["k"].as_str().unwrap(), cut["k"].as_str().unwrap());
                assert!(whole.starts_with(cut_text) && cut_text.len() < STRING_LIMIT as usize + 8);
                assert_eq!(last, LastString { bytes: whole.len() as u64, padding: 1 }, "{piece}");
                assert_eq!(cut["l"], 1);
            }
        }
    }

    #[test]
    fn nesting_has_a_limit_and_brackets_in_strings_do_not_count() {
        let mut guard = Guard::new(std::io::repeat(b'['));
        let error = guard.read_to_end(&mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("nested"), "{error}");
        let json = format!("\"{}\"", "[".repeat(500));
        assert_eq!(through(&json).0, json);
    }
}
