//! What the page asks, and what it is answered, as JSON. The bytes of files and of a
//! bundle go beside it.

use serde::{Deserialize, Serialize};
use wss_bundle::Redaction;
use wss_bundle::browser::BrowserClose;

/// What is asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Whether the bundle itself is wanted, and not the report alone.
    pub save: bool,
    /// What was handed over: item by item, in the order of the files beside this.
    pub items: Vec<Item>,
    /// What a person says is to be reached; empty where nobody did.
    pub target: String,
    /// Identities of age, as they stand in a file of keys.
    pub identity: String,
    /// Proxy or load balancer, and version.
    pub load_balancer: String,
    /// What lies between browser and server.
    pub network_path: String,
    /// The ticket's id.
    pub ticket: String,
    /// Tests that the page itself ran.
    pub live: Vec<Live>,
    /// Now, RFC 3339.
    pub now: String,
    /// A UUID for a bundle that is put together here.
    pub id: String,
    /// An id for its case.
    pub case: String,
    /// Which browser this is (`navigator.userAgent`).
    pub agent: String,
}

/// One thing that was handed over.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Item {
    /// Its file's name, or what a field is called.
    pub name: String,
    /// What a person says it is; [`Role::Any`] where its content tells.
    pub role: Role,
}

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Its content tells.
    #[default]
    Any,
    /// A bundle, encrypted or not.
    Bundle,
    /// A browser's recording.
    Har,
    /// Output of curl from inside.
    CurlInside,
    /// Output of curl from outside.
    CurlOutside,
    /// Lines of a browser's console.
    Console,
    /// A configuration.
    Configuration,
}

/// A WebSocket that the page opened.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Live {
    /// Where to.
    pub url: String,
    /// When, RFC 3339.
    pub at: String,
    /// Milliseconds to the `open` event.
    pub opened_ms: Option<f64>,
    /// Milliseconds for which it was watched.
    pub watched_ms: Option<f64>,
    /// The `close` event.
    pub closed: Option<BrowserClose>,
}

/// What is answered.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Answer {
    /// The version of the rules.
    pub rules: &'static str,
    /// What became of each item, in their order.
    pub items: Vec<Told>,
    /// What it is about.
    pub target: Option<String>,
    /// Why nothing is judged, where nothing is.
    pub problem: Option<String>,
    /// The report.
    pub report: Option<Report>,
    /// The bundle whose bytes stand beside this.
    pub saved: Option<Saved>,
}

/// What became of an item.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Told {
    /// What it was taken for.
    pub role: Role,
    /// Why it cannot be used, and the way out.
    pub problem: Option<String>,
    /// What else to know: of a bundle, what `wss-analyzer verify` says.
    pub notes: Vec<String>,
    /// What is wrong with a bundle that could be read all the same.
    pub defects: Vec<String>,
}

/// The report, in each of its forms.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// As `wss-analyzer report` writes it.
    pub html: String,
    /// As `wss-analyzer report --format json`.
    pub json: String,
    /// As `wss-analyzer report --format markdown`: the draft reply.
    pub markdown: String,
}

/// A bundle that can be saved.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Saved {
    /// A name for its file.
    pub name: String,
    /// Its entries: name and bytes.
    pub entries: Vec<(String, u64)>,
    /// What was removed: never the value.
    pub removed: Vec<Redaction>,
}
