//! `inspect`: what is in a bundle, for the person who is about to send it.

use super::{fail, out};
use crate::screen::safe;
use std::fmt::Write as _;
use std::path::Path;
use wss_bundle::read::{self, Limits, Opened, ReadError};
use wss_bundle::sealed::Identities;

/// Shows a bundle; gives the exit code.
#[must_use]
pub fn inspect(path: &Path, identity: Option<&Path>) -> u8 {
    let identities = match identity.map(Identities::file).transpose() {
        Ok(identities) => identities,
        Err(message) => return fail(&format!("--identity {message}")),
    };
    match read::file_with(path, &Limits::default(), identities.as_ref()) {
        Ok(opened) => out(&text(&opened)),
        Err(ReadError::Encrypted(path)) => fail(&format!(
            "{}: encrypted: only who has the private key can look in (--identity FILE). To see \
             what would be sent, collect without --encrypt-to",
            path.display()
        )),
        Err(error) => fail(&error.to_string()),
    }
}

fn text(opened: &Opened) -> String {
    let manifest = &opened.bundle.manifest;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "Target     {}\nSeen from  {} the corporate network\nCase       {}\n{}Collected  {} by \
         wss-collector {} on {}\nComplete   {}\n\nEntries ({}):",
        safe(&manifest.target.origin()),
        manifest.vantage.as_str(),
        safe(&manifest.case),
        manifest.ticket.as_deref().map(|t| format!("Ticket     {}\n", safe(t))).unwrap_or_default(),
        manifest.started_at.format("%Y-%m-%d %H:%M:%S UTC"),
        safe(&manifest.collector.version),
        safe(&manifest.collector.os),
        if manifest.complete { "yes" } else { "no: it was interrupted" },
        opened.entries.len()
    );
    for entry in &opened.entries {
        let _ = writeln!(out, "  {:>9}  {}", entry.bytes, safe(&entry.path));
    }
    for given in &opened.bundle.attachments {
        let kind = serde_json::to_value(given.kind).unwrap_or_default();
        let from = given.vantage.map(|v| format!(", from {}", v.as_str())).unwrap_or_default();
        let _ = writeln!(
            out,
            "  attachments/{}: {}{from}",
            safe(&given.name),
            kind.as_str().unwrap_or_default()
        );
    }
    out.push_str("\nRemoved (never the value, only where it was):\n");
    if opened.bundle.redactions.is_empty() {
        out.push_str("  nothing had to be\n");
    }
    for removal in &opened.bundle.redactions {
        let _ = writeln!(
            out,
            "  {:>3} x {:14} {}, {}",
            removal.count,
            safe(&removal.kind),
            safe(&removal.entry),
            safe(&removal.place)
        );
    }
    let observations = &opened.bundle.observations;
    let _ = writeln!(
        out,
        "\n{} observations by {} routes: {}",
        observations.observations.len(),
        observations.routes.len(),
        safe(&observations.routes.iter().map(|r| r.id.0.as_str()).collect::<Vec<_>>().join(", "))
    );
    for defect in &opened.bundle.defects {
        let _ = writeln!(out, "Defect: {}", safe(&defect.to_string()));
    }
    out.push_str("\nEverything in it is plain text; any unzip program opens it.\n");
    out
}
