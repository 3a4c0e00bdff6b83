//! Traefik's row of the table.

use super::check::read;
use super::flat::is;
use crate::configuration::dialect::{Dialect, Fix, Masked, Proof, Recognised, Text, no_includes};
use crate::configuration::part::{Documents, left};
use crate::configuration::{Issue, Kind, Purpose};
use std::sync::Arc;
use wss_bundle::redact::listed::TRAEFIK;

/// Traefik.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "traefik",
    name: "Traefik",
    devices: &["traefik"],
    expected: "a Traefik one in YAML or TOML (http, routers; entryPoints)",
    whole: "Traefik: give traefik.yml (or traefik.toml) and the dynamic files",
    commands: &[
        "cat /etc/traefik/traefik.yml > traefik.yml   # or traefik.toml",
        "cat /etc/traefik/dynamic/*.yml > traefik-dynamic.yml   # or *.toml",
    ],
    reload: "dynamic files are in effect when they are saved; the static one after a restart",
    masked: Masked::Listed(&TRAEFIK),
    proof: Proof::Documents,
    recognise,
    read,
    includes: no_includes,
    fix,
    edits: |_, _| Vec::new(),
};

fn recognise(text: &Text<'_>) -> Recognised {
    let lower = text.text.to_ascii_lowercase();
    if !(lower.contains("entrypoints") || lower.contains("routers")) {
        return Recognised::No;
    }
    match text.documents() {
        Some(Ok(all)) => {
            let files = [Documents { file: String::new(), all: Arc::clone(all) }];
            if is(&files) { Recognised::Yes(left(all)) } else { Recognised::No }
        }
        Some(Err(broken))
            if lower.contains("[entrypoints.") || lower.contains("[http.routers.") =>
        {
            Recognised::Broken(format!(
                "it looks like Traefik's TOML, and is broken off or changed at line {}: {}",
                broken.line, broken.why
            ))
        }
        _ => Recognised::No,
    }
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::UpgradeHeaders => Fix::new(
            "Take the middleware off the router of /v1/: Traefik sends upgrades on by itself.",
        ),
        Kind::Timeout(_) => Fix::pasting(
            "Set the entry point's respondingTimeouts (readTimeout, idleTimeout) to 3600s.",
            Purpose::Timeout,
        ),
        Kind::Host => Fix::pasting("Set passHostHeader to true.", Purpose::Host),
        Kind::PathRule(_) => Fix::pasting(
            "Write a router for PathPrefix(`/v1/`) to Bindplane, of a greater priority.",
            Purpose::Forward,
        ),
        _ => return None,
    })
}
