//! The row of Caddy's JSON: how it is recognised.

use super::json_check::read;
use super::row::fix;
use crate::configuration::dialect::{Dialect, Masked, Proof, Recognised, Text, no_includes};
use crate::configuration::part::recognised;
use wss_bundle::redact::listed::CADDY;

/// Caddy, by its JSON.
pub(crate) const JSON: Dialect = Dialect {
    id: "caddy_json",
    name: "Caddy (JSON)",
    devices: &["caddy"],
    expected: "Caddy's JSON (apps, http, servers)",
    whole: "Caddy's JSON: give what `curl http://127.0.0.1:2019/config/` prints",
    commands: &[
        "curl -s http://127.0.0.1:2019/config/ > caddy.json   # what is in effect",
        "caddy adapt --pretty --config /etc/caddy/Caddyfile > caddy.json   # what a Caddyfile becomes",
    ],
    reload: "caddy validate --config FILE && caddy reload --config FILE",
    masked: Masked::Listed(&CADDY),
    proof: Proof::Program,
    recognise,
    read,
    includes: no_includes,
    fix,
    edits: |_, _| Vec::new(),
};

fn recognise(text: &Text<'_>) -> Recognised {
    if !["\"servers\"", "\"listen\""].iter().all(|word| text.text.contains(word)) {
        return Recognised::No;
    }
    recognised(text, &CADDY, |text| text.contains("\"handler\""), "Caddy's JSON")
}
