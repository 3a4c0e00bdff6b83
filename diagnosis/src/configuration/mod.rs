//! What a configuration that was given (`--config`) says about the request that
//! was probed: which block takes it, and what of WebSocket gets lost there.
//!
//! Pure, and judged by the request alone: whether the probe saw the effect is
//! for `rule/configuration.rs` to say. What variables, conditions or files that
//! were not given decide is "cannot tell", and never a claim.

mod apache;
mod aws;
mod azure;
mod caddy;
mod chain;
mod clean;
mod dialect;
mod docs;
mod envoy;
mod f5;
mod fix;
mod gcp;
mod haproxy;
mod held;
mod iis;
mod kubernetes;
mod netscaler;
mod nginx;
mod notes;
mod part;
mod patch;
mod pattern;
mod source;
mod traefik;
mod varnish;

pub use dialect::{Dialect, Fix, Masked, Program, Proof, Purpose};
pub use docs::markdown;
pub use fix::fix;
pub use patch::{Edit, How, diff};
pub use source::{File, files, includes, program, refused};

use std::fmt;
use wss_bundle::Attachment;
use wss_bundle::structured::Node;

/// Every program whose files are read, a row each. A file is the first one's that
/// recognises it.
pub static DIALECTS: [&Dialect; 15] = [
    &nginx::DIALECT,
    &haproxy::DIALECT,
    &apache::DIALECT,
    &caddy::DIALECT,
    &aws::DIALECT,
    &envoy::DIALECT,
    &varnish::DIALECT,
    &caddy::JSON,
    &kubernetes::DIALECT,
    &gcp::DIALECT,
    &azure::DIALECT,
    &traefik::DIALECT,
    &iis::DIALECT,
    &f5::DIALECT,
    &netscaler::DIALECT,
];

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
    /// Whether by TLS.
    pub tls: bool,
    /// Path of the WebSocket.
    pub path: &'a str,
    /// Version of the program, where an answer told it.
    pub version: Option<(u32, u32, u32)>,
}

impl Request<'_> {
    /// `Host` as browsers send it: the port is left out where the scheme implies it.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == if self.tls { 443 } else { 80 } {
            self.host.to_owned()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// A line of a file, and what of it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Of JSON and YAML the way to the value (`TargetGroups[0].ProtocolVersion`);
    /// empty for other files, and for a whole document.
    pub path: String,
}

impl Place {
    pub(crate) fn new(file: impl Into<String>, line: u32) -> Self {
        Self { file: file.into(), line, path: String::new() }
    }

    /// A line of the file at `index` of those that were given.
    pub(crate) fn of(files: &[File], index: usize, line: u32) -> Self {
        Self::new(files.get(index).map_or_else(String::new, |f| f.name.clone()), line)
    }

    /// The place of a value of a document of JSON or YAML.
    pub(crate) fn at(file: &str, document: &Node, value: &Node) -> Self {
        Self { file: file.to_owned(), line: value.line, path: document.path_to(value) }
    }

    /// File and line alone: for where the line itself follows, which of JSON and YAML
    /// begins with the path.
    #[must_use]
    pub fn short(&self) -> String {
        format!("{} line {}", self.file, self.line)
    }

    /// The line that an [`Issue`] or [`Followed`] shows of JSON and YAML: path and value.
    pub(crate) fn with(&self, value: &Node) -> String {
        let value = if value.text().is_empty() { "…" } else { value.text() };
        format!("{}: {value}", self.path)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())?;
        if self.path.is_empty() { Ok(()) } else { write!(f, ", {}", self.path) }
    }
}

/// What a line does to WebSocket, and with that what a probe would see of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `Upgrade` or `Connection` is not sent on: the server's answer to a request
    /// that is no upgrade.
    UpgradeHeaders,
    /// HTTP/1.0 to the backend: refused by those that want 1.1 (Envoy: 426 to
    /// everything), and no upgrade by RFC 6455.
    HttpVersion,
    /// A connection without traffic is cut after these seconds.
    Timeout(f64),
    /// The time that the backend gets to take what is sent, in seconds: short,
    /// and no limit on silence.
    SendTimeout(f64),
    /// HTTP/2 to the backend: a gateway error to upgrades alone.
    Http2,
    /// Whatever passes on it, a connection is cut at this age, in seconds.
    Lifetime(f64),
    /// The backend is asked for another path.
    PathChanged,
    /// The path is not sent to the backend; with the status that is answered
    /// instead, where that is known.
    PathRule(Option<u16>),
    /// A file from disk is the answer (200): a page, or `index.html` in its place.
    Disk,
    /// Another backend takes the request: another site answers.
    OtherBackend,
    /// A redirect to the very URL that was asked for.
    RedirectLoop(u16),
    /// The backend gets another `Host` than the browser used: Origins are refused.
    Host,
    /// `Sec-WebSocket-Extensions` is taken out of the answer, while the offer is
    /// sent on: the server compresses, and the browser does not know.
    HidesGrant,
    /// Requests above a rate or a number get this status.
    Limit(u16),
    /// A PROXY header is waited for, and none is sent: the connection ends.
    ProxyHeaderAwaited,
    /// A PROXY header is sent to who does not expect it: `400` in plain text.
    ProxyHeaderSent,
    /// Several servers, and one that fails stays in the rotation.
    NotChecked,
    /// After a reload, what is open is cut after these seconds.
    Reload(f64),
    /// What is asked before the backend gets the upgrade headers as well.
    Subrequest,
    /// What was written is read by nobody: nothing comes of it.
    NoEffect,
    /// Nobody behind takes requests: with the status that is answered instead; `None`
    /// where those that fail their checks are asked all the same.
    Targets(Option<u16>),
}

/// What has to be so for a line to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provided {
    /// A file of `try_files` is there.
    FileThere,
    /// It is not.
    FileMissing,
    /// A condition holds that the files do not decide.
    Condition,
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
    /// What the probe has to have seen for it to count at all.
    pub provided: Option<Provided>,
    /// The lines that mend it, where they are few and certain.
    pub edits: Vec<Edit>,
    /// The same as a unified diff; empty where there are none.
    pub diff: String,
    /// The same as a command, of what is set by one; empty where there is none.
    pub command: String,
    /// What to do about it, where that is not what is done about every other of its kind.
    pub own_fix: Option<Fix>,
}

impl Issue {
    /// One that is sure and counts always; without what mends it.
    pub(crate) fn new(kind: Kind, place: Place, line: String, says: String) -> Self {
        Self {
            kind,
            place,
            line,
            says,
            sure: true,
            provided: None,
            edits: Vec::new(),
            diff: String::new(),
            command: String::new(),
            own_fix: None,
        }
    }
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
    /// The file that would tell it, where one was not given.
    pub file: Option<String>,
}

/// A program that writes configurations, with switches of its own for the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generator {
    /// ingress-nginx, the controller of Kubernetes.
    IngressNginx,
    /// Nginx Proxy Manager.
    NginxProxyManager,
    /// BT panel (aaPanel).
    BtPanel,
    /// Plesk.
    Plesk,
    /// The HAProxy package of pfSense, and OPNsense's.
    Firewall,
}

/// What one program's files say about a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Whose files.
    pub program: Program,
    /// What wrote them, where it shows.
    pub generator: Option<Generator>,
    /// Id of the device (`signatures/`) that the files describe, where they take the
    /// request at all.
    pub device: Option<&'static str>,
    /// The way of the request through them.
    pub followed: Vec<Followed>,
    /// What gets lost.
    pub issues: Vec<Issue>,
    /// What could not be told.
    pub untold: Vec<Untold>,
    /// Files that are included and were not given.
    pub not_given: Vec<String>,
    /// All issues mended at once, as a unified diff; empty where nothing can be.
    pub patch: String,
}

impl Reading {
    fn new(program: Program) -> Self {
        Self {
            program,
            generator: None,
            device: None,
            followed: Vec::new(),
            issues: Vec::new(),
            untold: Vec::new(),
            not_given: Vec::new(),
            patch: String::new(),
        }
    }

    /// Adds a line that the request came by, once.
    pub(crate) fn follow(&mut self, place: Place, line: String) {
        let followed = Followed { place, line };
        if !self.followed.contains(&followed) {
            self.followed.push(followed);
        }
    }

    /// Adds what could not be told, once.
    pub(crate) fn untold(&mut self, place: Option<Place>, why: String, file: Option<String>) {
        let untold = Untold { place, why, file };
        if !self.untold.contains(&untold) {
            self.untold.push(untold);
        }
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

/// What the configurations of a case say, for whoever draws it.
#[derive(Debug, Clone, PartialEq)]
pub struct Configured {
    /// The path that was asked for.
    pub path: String,
    /// What was read.
    pub checked: Checked,
    /// The issues that became findings.
    pub issues: Vec<ConfiguredIssue>,
}

/// An issue that became a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfiguredIssue {
    /// Its reading's place among the readings.
    pub reading: usize,
    /// Its place there.
    pub issue: usize,
    /// Whether the probe saw it.
    pub seen: bool,
    /// The finding's place among the diagnosis' findings.
    pub finding: usize,
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
    let mut own: Vec<Vec<File>> = DIALECTS.iter().map(|_| Vec::new()).collect();
    for mut file in all {
        let understood = source::understood(&file.text);
        let program = understood.as_ref().map(|(program, _)| *program).map_err(Clone::clone);
        file.parsed = understood.map(|(_, parsed)| parsed).unwrap_or_default();
        listed.push(Listed {
            name: file.name.clone(),
            program: program.as_ref().ok().copied(),
            lines: file.text.lines().count(),
            error: program.as_ref().err().cloned(),
        });
        let row = program.ok().and_then(|p| DIALECTS.iter().position(|d| d.id == p.0.id));
        if let Some(files) = row.and_then(|row| own.get_mut(row)) {
            files.push(file);
        }
    }
    let mut readings = Vec::new();
    let of = |dialect: &'static Dialect| {
        DIALECTS.iter().zip(&own).find(|(d, _)| d.id == dialect.id).map(|(_, files)| files)
    };
    let (nginx, haproxy) = (of(&nginx::DIALECT), of(&haproxy::DIALECT));
    let chained = match (nginx, haproxy) {
        (Some(nginx), Some(haproxy)) => chain::chained(nginx, haproxy, request),
        _ => chain::Chained::default(),
    };
    for (dialect, files) in DIALECTS.iter().zip(&own).filter(|(_, files)| !files.is_empty()) {
        let program = Program(dialect);
        let request = Request { version: version(program), ..*request };
        let mut reading = (dialect.read)(files, &request, chained.hop.as_ref());
        let chained = chained.issues.iter().filter(|(of, _)| *of == program);
        reading.issues.splice(0..0, chained.rev().map(|(_, issue)| issue.clone()));
        // What runs the file is the program itself.
        if dialect.masked == Masked::Words && !reading.followed.is_empty() {
            let own = dialect.devices.first().copied();
            let ingress =
                (reading.generator == Some(Generator::IngressNginx)).then_some("ingress-nginx");
            reading.device = reading.device.or(ingress).or(own);
        }
        edit(dialect, files, &mut reading);
        readings.push(reading);
    }
    Some(Checked { files: listed, readings })
}

/// Adds the lines that would mend each issue.
fn edit(dialect: &Dialect, files: &[File], reading: &mut Reading) {
    for issue in &mut reading.issues {
        let file = files.iter().find(|file| file.name == issue.place.file);
        let Some(file) = file else { continue };
        if issue.edits.is_empty() {
            let lines: Vec<&str> = file.text.lines().collect();
            issue.edits = (dialect.edits)(issue, &lines);
        }
        if !issue.edits.is_empty() {
            issue.diff = diff(files, [&*issue]);
        }
    }
    // What counts only under a condition is nobody's to mend before it was seen.
    let certain = reading.issues.iter().filter(|i| i.sure && i.provided.is_none());
    reading.patch = diff(files, certain);
}

#[cfg(test)]
mod tests;
