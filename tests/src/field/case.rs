//! What a `case.toml` says. Unknown keys are errors: a misspelt expectation would
//! otherwise expect nothing. `tests/field/README.md` and `live/README.md` say what
//! each key means.

use crate::real::Product;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// A handed-over file or text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The kind of fault.
    pub kind: String,
    /// What it is.
    pub title: String,
    /// What the person did.
    pub did: String,
    /// What the collector is given.
    pub target: String,
    /// Where the collector runs.
    pub vantage: String,
    /// What answers at the target.
    pub server: String,
    /// Further arguments of the collector.
    pub options: Vec<String>,
    /// How long before now a HAR begins.
    #[serde(default = "ten_minutes", deserialize_with = "duration")]
    pub recorded: Duration,
    /// The PAC file that the desktop's settings name.
    pub pac: Option<String>,
    /// What is true of it.
    pub expected: Expected,
    /// Texts that were pasted, each for a run of its own.
    #[serde(default)]
    pub message: Vec<Message>,
}

/// What is true of a handed-over file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    /// Causes, one of which must be the verdict's.
    pub cause: Vec<String>,
    /// As `cause`.
    pub location: Vec<String>,
    /// As `cause`.
    pub status: Vec<String>,
    /// The collector's exit code.
    pub exit: Vec<i32>,
    /// The most that the verdict may be sure.
    pub confidence_at_most: Option<Level>,
    /// Rules that must have something to say.
    pub rules: Vec<String>,
    /// What is to be said, for people.
    pub says: String,
    /// What must not be said, for people.
    pub never: String,
    /// Why that is the truth.
    pub why: String,
    /// Expressions of which each must be found in screen, reply or report.
    pub says_text: Vec<String>,
    /// Expressions that none of them may have.
    pub never_text: Vec<String>,
    /// The same for the screen and the reply alone.
    pub never_screen: Vec<String>,
    /// Must be somewhere in the bundle.
    pub bundle_keeps: Vec<String>,
    /// Must be nowhere in the bundle, the screen, the reply or the report.
    pub bundle_lacks: Vec<String>,
    /// What `redactions.json` must not tell of (entry, place, kind).
    pub removed_never: Vec<String>,
}

/// A pasted text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// As pasted.
    pub text: String,
    /// What it means, for people.
    pub means: String,
    /// Expressions that must be said of it.
    #[serde(default)]
    pub means_text: Vec<String>,
}

/// How sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
}

impl Level {
    /// From a verdict's word.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High].into_iter().find(|level| level.word() == word)
    }

    /// As a verdict has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A load balancer as people run it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// The kind of fault.
    pub kind: String,
    /// This one.
    pub title: String,
    /// What the person did.
    pub did: String,
    /// Who stands where.
    pub stage: Stage,
    /// How the collector runs.
    #[serde(default)]
    pub run: Run,
    /// What an expert would say.
    pub expect: Expect,
}

/// Who stands where. The words are for people; `at` and `proofs` are what is run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// What clients reach.
    pub front: String,
    /// Behind it.
    pub inner: Option<String>,
    /// Beside the server.
    pub sidecar: Option<String>,
    /// The server.
    pub backend: String,
    /// Another one.
    pub other: Option<String>,
    /// A port on which nobody listens.
    pub dead: Option<String>,
    /// A service that a load balancer asks.
    pub session: Option<String>,
    /// What is on the front's disk.
    pub site: Option<String>,
    /// What stands before the front for those inside.
    pub inside: Option<String>,
    /// What was pasted.
    pub pasted: Option<String>,
    /// What a browser saved.
    pub har: Option<String>,
    /// What happens meanwhile, in words.
    pub event: Option<String>,
    /// What a raw client sees, in words.
    pub proof: String,
    /// Who stands at each place.
    #[serde(default)]
    pub at: BTreeMap<Place, At>,
    /// What a raw client must see before the collector is run.
    #[serde(default)]
    pub proofs: Vec<Proof>,
    /// What happens meanwhile.
    pub happens: Option<Happens>,
    /// How long nobody asks anything between the proofs and the collector.
    #[serde(default, deserialize_with = "duration")]
    pub rest: Duration,
}

/// A place on the stage, in the order in which they are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The server.
    Backend,
    /// Another server.
    Other,
    /// A service that is asked.
    Session,
    /// Beside the server.
    Sidecar,
    /// Behind the front.
    Inner,
    /// What clients reach.
    Front,
    /// Before it, for those inside.
    Inside,
}

/// Who stands there: a real program with a file of the folder's, or one of the
/// lab's servers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct At {
    /// A real program.
    pub program: Option<Product>,
    /// Its configuration.
    pub file: Option<String>,
    /// More arguments.
    pub arguments: Vec<String>,
    /// One of the lab's servers.
    pub behaviour: Option<Behaviour>,
    /// What it passes on to; the next place behind it when left out.
    pub to: Option<Place>,
    /// `bindplane`: its WebSocket paths. The console's and the agents' when left out.
    pub paths: Option<Vec<String>>,
    /// `bindplane`: gorilla's own check (`same-host`), or `any`.
    pub origin: Option<String>,
    /// `bindplane`: 426 in the place of 400, as newer gorilla.
    pub newer: bool,
    /// `bindplane` speaks TLS itself; a hop speaks TLS to what is behind it.
    pub tls: bool,
    /// `page-to-upgrades`: the status.
    pub status: Option<u16>,
    /// `page-to-upgrades`: the page, a file of the folder's.
    pub page: Option<String>,
    /// `page-to-upgrades`: header lines.
    pub headers: Vec<String>,
    /// `forget`: after so much silence.
    #[serde(deserialize_with = "duration")]
    pub after: Duration,
    /// `website`: the first that fits is given; else 404.
    pub answers: Vec<Answer>,
    /// `website`, and hops: TLS ends here, with a trusted certificate.
    pub secured: Option<bool>,
}

/// What one of the lab's servers does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// The real origin: Go and gorilla/websocket with Bindplane's paths and pages.
    Bindplane,
    /// A website: gives the answers that it is told.
    Website,
    /// Ends TLS, and passes every byte.
    Pass,
    /// The same, but for the status line of a 101, which becomes `200 OK`.
    #[serde(rename = "200-for-101")]
    OkFor101,
    /// Ends TLS, and drops Upgrade and Connection; adds no header of its own.
    Strip,
    /// Opens TLS with the corporate certificate, and drops Upgrade and Connection.
    Intercept,
    /// Ends TLS, and answers upgrades with a page; all else passes.
    PageToUpgrades,
    /// Relays TCP, and drops everything after some silence, without a word.
    Forget,
}

/// An answer of a website.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// To requests with (without) an Upgrade header alone.
    pub upgrade: Option<bool>,
    /// To paths that begin like this.
    #[serde(default)]
    pub path: String,
    /// The status.
    pub status: u16,
    /// Header lines.
    #[serde(default)]
    pub headers: Vec<String>,
    /// The body.
    #[serde(default)]
    pub body: String,
}

/// What happens while the collector holds its connections.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Happens {
    /// A signal to the program there, without SIG.
    pub signal: String,
    /// To whom.
    #[serde(default = "front")]
    pub to: Place,
    /// How long after the holds are open.
    #[serde(deserialize_with = "duration")]
    pub after: Duration,
}

fn front() -> Place {
    Place::Front
}

/// What a raw client must see.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Whom it asks; whom the collector asks when left out.
    pub of: Option<Place>,
    /// The path.
    #[serde(default = "console")]
    pub path: String,
    /// A GET without upgrade headers.
    #[serde(default)]
    pub plain: bool,
    /// Header lines in the place of those of that name; without a value: none.
    #[serde(default)]
    pub headers: Vec<String>,
    /// How often it asks.
    #[serde(default = "once")]
    pub times: u32,
    /// How long it waits in between.
    #[serde(default, deserialize_with = "duration")]
    pub pause: Duration,
    /// The statuses that it gets: all of these, and no other. 0: it is closed
    /// without a byte.
    #[serde(default)]
    pub answers: Vec<u16>,
    /// Expressions that a header line (`Name: value`) must fit.
    #[serde(default)]
    pub has: Vec<String>,
    /// Expressions that none may fit.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// An expression that the body must fit.
    pub body: Option<String>,
    /// A text comes back after the answer.
    #[serde(default)]
    pub frames: bool,
    /// The TLS handshake fails; what comes in its place must fit this.
    pub handshake: Option<String>,
    /// After so much silence on an open socket …
    #[serde(default, deserialize_with = "duration")]
    pub silent: Duration,
    /// … a ping is (not) answered.
    pub alive: Option<bool>,
    /// Two sockets begun 2 s apart end together when it happens, and one begun
    /// after it lives on; `false`: all live on.
    pub event: Option<bool>,
    /// Connections stay open until the last one has its answer.
    #[serde(default)]
    pub keep: bool,
}

fn console() -> String {
    "/v1/ws".into()
}

fn once() -> u32 {
    1
}

/// How the collector runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Run {
    /// Further arguments.
    pub options: Vec<String>,
    /// As `--hold`.
    pub hold: String,
    /// How often.
    pub times: u32,
    /// What it is given; each of them.
    pub target: Vec<String>,
}

impl Default for Run {
    fn default() -> Self {
        let target = vec!["https://console.example.com:{port}".into()];
        Self { options: Vec::new(), hold: "2s".into(), times: 1, target }
    }
}

/// What an expert would say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// One of these must be the verdict's.
    pub status: Vec<String>,
    /// As `status`.
    pub cause: Vec<String>,
    /// As `status`.
    pub location: Vec<String>,
    /// The most that the verdict may be sure, but for a right `none`.
    pub confidence_at_most: Option<Level>,
    /// Products that must be found, in a role on the server's side.
    pub devices: Vec<String>,
    /// Rules that are found in the files, and that the probe saw.
    pub confirmed: Vec<String>,
    /// Rules that must have something to say.
    pub rules: Vec<String>,
    /// Expressions that the screen or the reply must have.
    pub says: Vec<String>,
    /// Expressions that neither may have.
    pub never: Vec<String>,
    /// Each run is right alone.
    pub same_each_time: bool,
    /// About the silent holds, in words.
    pub idle: Option<String>,
    /// Seconds that lie in the bracket of the silent holds.
    pub idle_limit_s: Option<f64>,
    /// What an expert would tell the person.
    pub plain: String,
    /// Why that is the truth.
    pub why: String,
}

impl Recorded {
    /// What a folder's `case.toml` says.
    ///
    /// # Errors
    /// It is not there, or not understood.
    pub fn read(folder: &Path) -> Result<Self, String> {
        read(folder)
    }
}

impl Live {
    /// As [`Recorded::read`].
    ///
    /// # Errors
    /// It is not there, or not understood.
    pub fn read(folder: &Path) -> Result<Self, String> {
        read(folder)
    }
}

fn read<T: for<'de> Deserialize<'de>>(folder: &Path) -> Result<T, String> {
    let file = folder.join("case.toml");
    let text =
        std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}

fn ten_minutes() -> Duration {
    Duration::from_secs(600)
}

fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    let wrong =
        || serde::de::Error::custom(format!("`{text}` is no duration: 500ms, 8s, 10m, 400d"));
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let count: u64 = text[..at].parse().map_err(|_| wrong())?;
    let unit = match &text[at..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    Ok(Duration::from_millis(count * unit))
}
