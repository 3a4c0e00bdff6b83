//! What somebody pasted of curl: a sequence of tests, each with what it shows.
//!
//! Reads any mixture of `-i`, `-v`, `-vv`, `--trace-ascii`, `--trace`, `-w`, progress meter,
//! prompts and messages, and guesses nothing that is not there. Whether a test is
//! a valid one, and what it shows of a case, is for the diagnosis; what is masked
//! of it is for the redactor, by what was understood here: both read the same.

mod command;
mod mark;
mod reader;
mod secret;
mod signs;
#[cfg(test)]
mod tests;
mod trace;

pub use command::{Command, Header};
pub(crate) use mark::{How, Joined, Kind, Mark, REST, Secret};

/// A pasted text, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paste {
    /// Every test in it, in order.
    pub tests: Vec<Test>,
    /// What each line of the text is, for the redactor.
    pub(crate) marks: Vec<Mark>,
    /// What is secret in the commands.
    pub(crate) secrets: Vec<Secret>,
}

/// Which program wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Program {
    /// curl, as far as anything shows.
    #[default]
    Curl,
    /// PowerShell's `Invoke-WebRequest`, which Windows PowerShell calls `curl`, too.
    InvokeWebRequest,
    /// GNU Wget.
    Wget,
    /// `HTTPie`, or xh.
    Httpie,
    /// websocat.
    Websocat,
    /// wscat, or another that uses Node's `ws`.
    Wscat,
    /// `openssl s_client`.
    OpenSsl,
    /// A script in Python.
    Python,
    /// Postman, or the like.
    Postman,
    /// telnet or nc.
    Telnet,
    /// .NET's `ClientWebSocket`, mostly from PowerShell.
    DotNet,
}

/// One test: what one command asked for and got.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Test {
    /// The line at which it begins, from 1.
    pub line: usize,
    /// Who made it.
    pub program: Program,
    /// The command, where it was pasted as well.
    pub command: Option<Command>,
    /// Request heads that were shown (`-v`), in order, as lines.
    pub requests: Vec<Vec<String>>,
    /// Response heads in order: a proxy's to CONNECT, interim ones, redirects, the last.
    pub responses: Vec<Response>,
    /// What curl gave up with, in order: `curl: (52) …`.
    pub errors: Vec<CurlError>,
    /// What `-v` says on the way, without its mark.
    pub messages: Vec<String>,
    /// Whether a TCP connection was made, as `-v` says.
    pub connected: bool,
    /// The proxy that was used, as option or message say.
    pub proxy: Option<String>,
    /// The status that `-w` wrote, where no head shows it; 0 for none.
    pub written: Option<u16>,
    /// What another program said that decides.
    pub said: Option<String>,
    /// It has bytes in hexadecimal (`--trace`) of which nothing was read.
    pub hex: bool,
}

/// One response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The line at which it begins, from 1.
    pub line: usize,
    /// `1.1`, `2` …
    pub version: String,
    /// Status code.
    pub status: u16,
    /// Status line and header lines, without line ends.
    pub lines: Vec<String>,
    /// What came after the head.
    pub body: String,
    /// Whether it was marked with `<`.
    marked: bool,
}

impl Response {
    /// The first line.
    #[must_use]
    pub fn status_line(&self) -> &str {
        self.lines.first().map_or("", String::as_str)
    }

    /// The value of a header field.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        field(self.lines.iter().skip(1), name)
    }

    /// As bytes of a message head.
    #[must_use]
    pub fn raw(&self) -> Vec<u8> {
        let mut raw = self.lines.join("\r\n").into_bytes();
        raw.extend_from_slice(b"\r\n\r\n");
        raw
    }

    /// Whether it may be a proxy's answer to CONNECT: a success without anything
    /// that tells of a body.
    #[must_use]
    pub fn may_answer_connect(&self) -> bool {
        let body = ["content-length", "content-type", "transfer-encoding", "sec-websocket-version"];
        let said = self.status_line().to_ascii_lowercase().contains("connection established");
        (200..300).contains(&self.status)
            && self.body.trim().is_empty()
            && (said || !body.iter().any(|name| self.header(name).is_some_and(|v| v.trim() != "0")))
    }
}

/// What curl gave up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurlError {
    /// The line that says it, from 1.
    pub line: usize,
    /// Its exit code (curl's manual, "EXIT CODES").
    pub code: u32,
    /// Its words.
    pub words: String,
}

impl std::fmt::Display for CurlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "curl: ({}) {}", self.code, self.words)
    }
}

impl Test {
    /// The head of the request that was answered last: not CONNECT's.
    #[must_use]
    pub fn request(&self) -> Option<&Vec<String>> {
        self.requests
            .iter()
            .rfind(|lines| lines.first().is_some_and(|l| !l.starts_with("CONNECT ")))
    }

    /// Whether a tunnel was asked for.
    #[must_use]
    pub fn asked_for_a_tunnel(&self) -> bool {
        let connects = |r: &Vec<String>| r.iter().any(|l| l.starts_with("CONNECT "));
        self.requests.iter().any(connects)
            || self.messages.iter().any(|said| {
                said.contains("proxy tunnel to") || said.contains("CONNECT tunnel established")
            })
    }

    /// Whether there is anything in it beside its command.
    #[must_use]
    pub fn has_an_outcome(&self) -> bool {
        !self.responses.is_empty()
            || !self.errors.is_empty()
            || !self.requests.is_empty()
            || self.written.is_some()
            || self.said.is_some()
            || self.hex
            || self.program != Program::Curl
    }
}

/// The value of a field in lines of a head.
pub fn field<'a>(lines: impl Iterator<Item = &'a String>, name: &str) -> Option<&'a str> {
    lines
        .filter_map(|line| line.split_once(':'))
        .find(|(own, _)| own.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// As [`super::text`], with dumps of bytes (`--trace`) in letters.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let text = super::text(bytes);
    match trace::in_letters(&text) {
        std::borrow::Cow::Borrowed(_) => text,
        std::borrow::Cow::Owned(letters) => letters,
    }
}

/// Reads a text from [`text`].
#[must_use]
pub fn read(text: &str) -> Paste {
    reader::read(text)
}
