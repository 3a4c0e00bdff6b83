//! `--obfuscate`: host names and addresses become tokens, the same one for the
//! same name, in everything that a bundle holds. What tells something stays
//! visible: which names are subdomains of which, which addresses are private
//! and in one subnet, whose cloud a name belongs to. The map from tokens to
//! names is for the user alone.
//!
//! One stage behind the redactor: [`Obfuscator::bundle`] takes what was redacted,
//! turns it into JSON, rewrites every string in it, and makes a bundle of it again,
//! so that a field that is added later is rewritten like the others. Transcripts, the
//! README and names of entries are made from the result.
//!
//! Names are found in two ways: where the format says that a field is a host, and
//! in texts by their look (URLs, mail addresses, dotted names under a usual top-level
//! domain). What is found anywhere is replaced everywhere, in any case, within
//! longer names, and in base64. Organisation names in certificates stay: they tell who
//! intercepts. So do interface names, which tell a VPN, and the case's id.

mod address;
mod name;
mod public;
mod resource;

use crate::bundle::Redaction;
use crate::redact::{Redacted, base64_forms};
use crate::{Attachment, AttachmentKind, Bundle, Bytes};
use address::Addresses;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use name::Names;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// Kind of the records in `redactions.json` that tell of replaced names.
pub const NAME: &str = "obfuscated-name";
/// The same for addresses.
pub const ADDRESS: &str = "obfuscated-address";

/// Names shorter than this are not looked for in base64: too much looks alike.
const IN_BASE64: usize = 8;

/// The map between names and tokens; grows with every bundle that it is used for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Obfuscator {
    /// What this file is, for whoever finds it.
    #[serde(default)]
    about: String,
    names: Names,
    addresses: Addresses,
    /// Certificates' fingerprints: public logs know whose they are.
    #[serde(default)]
    fingerprints: BTreeMap<String, String>,
    /// Names of a cloud's resources, in what its tools print.
    #[serde(default)]
    resources: BTreeMap<String, String>,
    /// What names look like in base64, wherever they begin.
    #[serde(skip)]
    forms: Vec<String>,
}

/// Fields that are a host, or `host:port`, and nothing else.
const HOSTS: [&str; 6] = ["host", "server_name", "subject_cn", "sans", "search", "to"];
/// Fields whose value is a fingerprint of a certificate.
const FINGERPRINTS: [&str; 2] = ["sha256", "spki_sha256"];
/// Fields that are no text: identifiers of the format's own.
const IDS: [&str; 7] = ["case", "probe", "connection", "version", "os", "arch", "family"];

impl Obfuscator {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self {
            about: "Which names and addresses the tokens of an obfuscated bundle stand for. Keep \
                    this file to yourself; give it to --obfuscate=FILE on the other machine, so \
                    that both bundles use the same tokens."
                .to_owned(),
            ..Self::default()
        }
    }

    /// Reads a map that an earlier run wrote.
    ///
    /// # Errors
    /// One sentence that names the file.
    pub fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_slice(&text)
            .map_err(|error| format!("{}: no map of --obfuscate ({error})", path.display()))
    }

    /// The map as a file's content.
    ///
    /// # Errors
    /// It cannot be turned into JSON, which means a defect here.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Replaces every name and address of a bundle.
    ///
    /// # Errors
    /// A part cannot be turned into JSON and back, which means a defect here; there
    /// is no bundle then.
    pub fn bundle(
        &mut self,
        redacted: &Redacted<Bundle>,
    ) -> Result<Redacted<Bundle>, serde_json::Error> {
        let mut bundle = redacted.get().clone();
        let mut parts = [
            serde_json::to_value(&bundle.manifest)?,
            serde_json::to_value(&bundle.observations)?,
            serde_json::to_value(&bundle.environment)?,
            serde_json::to_value(&bundle.redactions)?,
        ];
        // First everything is found, then everything replaced: what one field tells
        // to be a name stands in the text of another that comes before it.
        for part in &parts {
            self.find(part, "");
        }
        for given in &bundle.attachments {
            self.names.find(&String::from_utf8_lossy(&given.bytes));
            self.names.find(given.path.as_deref().unwrap_or_default());
        }
        self.names.settle();
        let long = self.names.known().filter(|name| name.len() >= IN_BASE64);
        self.forms = long.flat_map(|name| base64_forms(name.as_bytes())).collect();
        let mut counted = Counted::default();
        for part in &mut parts {
            self.replace(part, "", &mut counted);
        }
        let [manifest, observations, environment, redactions] = parts;
        bundle.manifest = back(manifest)?;
        bundle.observations = back(observations)?;
        bundle.environment = back(environment)?;
        bundle.redactions = back(redactions)?;
        for given in &mut bundle.attachments {
            self.attachment(given, &mut counted);
        }
        bundle.redactions.extend(counted.records());
        Ok(Redacted::obfuscated(bundle))
    }

    /// Replaces what is known by now in a text: for messages beside a bundle.
    #[must_use]
    pub fn text(&mut self, text: &str) -> String {
        self.rewrite(text, &mut Counted::default())
    }

    fn find(&mut self, value: &Value, key: &str) {
        match value {
            Value::String(text) if HOSTS.contains(&key) => self.names.host(text),
            Value::String(text) if !IDS.contains(&key) => self.names.find(text),
            Value::Array(list) => list.iter().for_each(|item| self.find(item, key)),
            Value::Object(fields) => {
                if let Some(text) = encoded(fields) {
                    return self.names.find(&text);
                }
                // A lookup's name is a host; a route's name and a step's are texts.
                let lookup = fields.contains_key("resolver") || fields.contains_key("ttl");
                for (key, item) in fields {
                    let host = lookup && ["name", "data"].contains(&key.as_str());
                    self.find(item, if host { "host" } else { key });
                }
            }
            _ => {}
        }
    }

    fn replace(&mut self, value: &mut Value, key: &str, counted: &mut Counted) {
        match value {
            Value::String(text) if FINGERPRINTS.contains(&key) => {
                *text = self.fingerprint(text);
            }
            Value::String(text) if HOSTS.contains(&key) => {
                let whole = self.names.exact(text);
                *text = match whole {
                    Some(token) => {
                        counted.names += 1;
                        token
                    }
                    None => self.rewrite(text, counted),
                };
            }
            Value::String(text) if !IDS.contains(&key) => *text = self.rewrite(text, counted),
            Value::Array(list) => {
                list.iter_mut().for_each(|item| self.replace(item, key, counted));
            }
            Value::Object(fields) => {
                if let Some(text) = encoded(fields) {
                    let text = self.rewrite(&text, counted);
                    // As it came: one character a byte.
                    let bytes: Vec<u8> =
                        text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
                    fields.insert("base64".to_owned(), STANDARD.encode(bytes).into());
                    return;
                }
                let lookup = fields.contains_key("resolver") || fields.contains_key("ttl");
                for (key, item) in fields.iter_mut() {
                    let host = lookup && ["name", "data"].contains(&key.as_str());
                    self.replace(item, if host { "host" } else { key }, counted);
                }
            }
            _ => {}
        }
    }

    fn attachment(&mut self, given: &mut Attachment, counted: &mut Counted) {
        let mut text = Bytes(given.bytes.clone()).text().into_owned();
        if given.kind == AttachmentKind::Configuration {
            text = resource::rewrite(&text, |name| {
                let made = format!("resource-{}", self.resources.len() + 1);
                counted.names += 1;
                self.resources.entry(name.to_owned()).or_insert(made).clone()
            });
        }
        given.bytes = self.rewrite(&text, counted).into_bytes();
        given.name = self.rewrite(&given.name, counted);
        if let Some(path) = &mut given.path {
            *path = self.rewrite(path, counted);
        }
    }

    /// Addresses first: a dotted name may have one in it, and none is one.
    fn rewrite(&mut self, text: &str, counted: &mut Counted) -> String {
        let (text, addresses) = self.addresses.rewrite(text);
        let (mut text, names) = self.names.rewrite(&text);
        counted.addresses += addresses;
        counted.names += names;
        for form in &self.forms {
            if text.contains(form) {
                text = text.replace(form, "[removed: obfuscated]");
                counted.names += 1;
            }
        }
        text
    }

    fn fingerprint(&mut self, hash: &str) -> String {
        if hash.is_empty() {
            return String::new();
        }
        let number = self.fingerprints.len();
        let made = || {
            let token = Sha256::digest(format!("obfuscated fingerprint {number}"));
            token.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        self.fingerprints.entry(hash.to_owned()).or_insert_with(made).clone()
    }
}

/// How much was replaced in one bundle.
#[derive(Default)]
struct Counted {
    names: u64,
    addresses: u64,
}

impl Counted {
    fn records(&self) -> Vec<Redaction> {
        [(NAME, self.names), (ADDRESS, self.addresses)]
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(kind, count)| Redaction {
                entry: "every entry".to_owned(),
                place: "names and addresses".to_owned(),
                kind: kind.to_owned(),
                count,
            })
            .collect()
    }
}

/// Bytes that are no UTF-8, as one character a byte.
fn encoded(fields: &serde_json::Map<String, Value>) -> Option<String> {
    let (1, Some(Value::String(text))) = (fields.len(), fields.get("base64")) else { return None };
    let bytes = STANDARD.decode(text).ok()?;
    Some(bytes.into_iter().map(char::from).collect())
}

/// By way of a text: so there is one way only from JSON to these types, and half of
/// the code for it.
fn back<T: DeserializeOwned>(value: Value) -> Result<T, serde_json::Error> {
    serde_json::from_slice(&serde_json::to_vec(&value)?)
}
