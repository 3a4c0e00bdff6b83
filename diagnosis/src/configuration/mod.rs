//! What a configuration that was given (`--config`) says about the request that
//! was probed: which block takes it, and what of WebSocket gets lost there.
//!
//! Pure, and judged by the request alone: whether the probe saw the effect is
//! for `rule/configuration.rs` to say. What variables, conditions or files that
//! were not given decide is "cannot tell", and never a claim.

mod haproxy;
mod nginx;
mod source;

use source::understood;
pub use source::{File, Program, files, includes, program};

use std::fmt;
use wss_bundle::Attachment;

/// What Bindplane's console needs, in seconds (troubleshooting page).
pub const NEEDED_S: f64 = 3600.0;

/// What hiding the grant does.
const HIDES: &str = "takes Sec-WebSocket-Extensions out of the answer and sends the offer \
                                on: a server that compresses does so, and the browser does not know";

/// The request that was probed.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Host that was asked for.
    pub host: &'a str,
    /// Port that was asked for.
    pub port: u16,
    /// Path of the WebSocket.
    pub path: &'a str,
    /// Version of the program, where an answer told it.
    pub version: Option<(u32, u32, u32)>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}", self.file, self.line)
    }
}

/// What of WebSocket gets lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `Upgrade` or `Connection` is not sent on.
    UpgradeHeaders,
    /// HTTP/1.0 to the backend.
    HttpVersion,
    /// A connection without traffic is cut after these seconds.
    Timeout(f64),
    /// The time that the backend gets to take what is sent, in seconds: short,
    /// and no limit on silence.
    SendTimeout(f64),
    /// HTTP/2 to the backend.
    Http2,
    /// The path is not sent to the backend; with the status that is answered
    /// instead, where that is known.
    PathRule(Option<u16>),
    /// The backend gets another `Host` than the browser used.
    Host,
    /// `Sec-WebSocket-Extensions` is taken out of the answer, while the offer is
    /// sent on: the server compresses, and the browser does not know.
    HidesGrant,
}

/// One of them, with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// What.
    pub kind: Kind,
    /// Where.
    pub place: Place,
    /// The line, as it stands there.
    pub line: String,
    /// What the file says, as a sentence.
    pub says: String,
    /// False where the version or a file that was not given may change it.
    pub sure: bool,
}

/// A line that the request came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// Where.
    pub place: Place,
    /// The line.
    pub line: String,
}

/// What could not be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// Where it ended; `None` where no line is to blame.
    pub place: Option<Place>,
    /// Why.
    pub why: String,
}

/// What one program's files say about a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Whose files.
    pub program: Program,
    /// The way of the request through them.
    pub followed: Vec<Followed>,
    /// What gets lost.
    pub issues: Vec<Issue>,
    /// What could not be told.
    pub untold: Vec<Untold>,
}

impl Reading {
    fn new(program: Program) -> Self {
        Self { program, followed: Vec::new(), issues: Vec::new(), untold: Vec::new() }
    }
}

/// One file, for a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The file.
    pub name: String,
    /// Whose it is; `None` where it is not understood.
    pub program: Option<Program>,
    /// Lines in it.
    pub lines: usize,
    /// Why it is not understood.
    pub error: Option<String>,
}

/// What all files together say.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The files.
    pub files: Vec<Listed>,
    /// One for each program.
    pub readings: Vec<Reading>,
}

/// Reads the configurations among a bundle's attachments for a request; `None`
/// where there is none. `version` gives a program's version, where it is known.
#[must_use]
pub fn check(
    attachments: &[Attachment],
    request: &Request<'_>,
    version: impl Fn(Program) -> Option<(u32, u32, u32)>,
) -> Option<Checked> {
    let all = files(attachments);
    if all.is_empty() {
        return None;
    }
    let mut listed = Vec::new();
    let (mut nginx, mut parsed, mut haproxy) = (Vec::new(), Vec::new(), Vec::new());
    for file in all {
        let (program, directives) = understood(&file.text, nginx.len());
        listed.push(Listed {
            name: file.name.clone(),
            program: program.as_ref().ok().copied(),
            lines: file.text.lines().count(),
            error: program.as_ref().err().cloned(),
        });
        match (program, directives) {
            (Ok(Program::Haproxy), _) => haproxy.push(file),
            (_, Some(directives)) => {
                nginx.push(file);
                parsed.push(directives);
            }
            (_, None) => {}
        }
    }
    let mut readings = Vec::new();
    let of = |program| Request { version: version(program), ..*request };
    if listed.iter().any(|one| one.program == Some(Program::Nginx)) {
        readings.push(nginx::read(&nginx, &parsed, &of(Program::Nginx)));
    }
    if !haproxy.is_empty() {
        readings.push(haproxy::read(&haproxy, &of(Program::Haproxy)));
    }
    Some(Checked { files: listed, readings })
}

#[cfg(test)]
mod tests;
