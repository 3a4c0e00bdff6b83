//! `README.txt`: for the person who is about to send the bundle.

use crate::obfuscate::{ADDRESS, NAME};
use crate::{AttachmentKind, Bundle};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn text(bundle: &Bundle, left_out: usize) -> String {
    let manifest = &bundle.manifest;
    let target = &manifest.target;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "WebSocket diagnosis bundle\n\
         ==========================\n\n\
         Target     {}\n\
         Seen from  {} the corporate network\n\
         Case       {}\n{}\
         Collected  {} UTC by wss-collector {}\n\
         Complete   {}\n",
        target.origin(),
        manifest.vantage.as_str(),
        manifest.case,
        manifest.ticket.as_deref().map(|t| format!("Ticket     {t}\n")).unwrap_or_default(),
        manifest.started_at.format("%Y-%m-%d %H:%M:%S"),
        manifest.collector.version,
        if manifest.complete { "yes" } else { "no: the collection was interrupted" },
    );
    out.push_str(
        "What is in here\n\
         ---------------\n\
         manifest.json      what was run when, and a checksum of every other file\n\
         observations.json  what each step on the network did: names, addresses,\n\
         \x20                  certificates, responses of the server and of proxies\n\
         transcripts/       each WebSocket handshake as curl -i -v would show it\n\
         environment.json   this machine's proxy and DNS settings, network\n\
         \x20                  interfaces, clock and operating system\n\
         redactions.json    what was removed: where and how often, never the value\n",
    );
    if left_out > 0 {
        let _ = writeln!(
            out,
            "                   ({left_out} transcripts are left out for their size; what they\n\
             \x20                  would show is in observations.json)"
        );
    }
    if !bundle.attachments.is_empty() {
        out.push_str("attachments/       files that you gave, without secrets:\n");
    }
    for given in &bundle.attachments {
        let what = match given.kind {
            AttachmentKind::Configuration => "a configuration",
            AttachmentKind::CurlOutput => "what curl printed",
            AttachmentKind::Har => "a browser's recording",
            AttachmentKind::Other => "a file",
        };
        let place = given.vantage.map(|v| format!(", {}", v.as_str())).unwrap_or_default();
        let _ = writeln!(out, "                   {} ({what}{place})", given.name);
    }
    if !bundle.observations.browser.is_empty() {
        out.push_str(
            "\nobservations.json also has the WebSocket handshakes of a browser: of the\n\
             recording that you gave, or of one that was started for it with an empty\n\
             profile. No payload, no cookie and no history is among them.\n",
        );
    }
    out.push_str(
        "\nRead were this machine's network and proxy settings, also those that\n\
         policies set for its browsers, and the files that you named; no other files,\n\
         no processes, no stored passwords. Contacted were the target, and the proxies,\n\
         name servers and proxy configuration files that this machine is set to use;\n\
         nobody else.\n\n\
         What was removed\n\
         ----------------\n",
    );
    if bundle.redactions.is_empty() {
        out.push_str("Nothing: there was nothing that looked like a secret.\n");
    }
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for removal in &bundle.redactions {
        *kinds.entry(&removal.kind).or_default() += removal.count;
    }
    for (kind, count) in kinds {
        let _ = writeln!(out, "{count:>5} x {}", in_words(kind));
    }
    let replaced = bundle.redactions.iter().any(|r| r.kind == NAME || r.kind == ADDRESS);
    out.push_str(if replaced {
        "\nHost names and addresses stand in here as tokens (host-1, domain-1); which is\n\
         which is in a file that stays with you. Organisation names in certificates,\n\
         the names of network interfaces and the case's id were left. Look through the\n\
         files before you send them; all are plain text.\n"
    } else {
        "\nHost names and addresses are in here: they are what this is about. Look\n\
         through the files before you send them; all are plain text. With --obfuscate\n\
         they would stand here as tokens.\n"
    });
    out
}

/// A kind of removal, for people.
#[must_use]
pub(super) fn in_words(kind: &str) -> &str {
    match kind {
        "cookie-value" => "value of a cookie (its name stays)",
        "header-value" => "value of a header that may hold a credential",
        "query-value" => "value in a URL's query",
        "userinfo" => "user name and password in a URL",
        "form-value" => "value of a form's field in a page",
        "secret-named" => "value named as a secret (password, token, key ...)",
        "token-like" => "text that looks like a token",
        "challenge-data" => "data of an authentication challenge (its scheme stays)",
        "binary-body" => "response body that is no text",
        NAME => "host name replaced by a token",
        ADDRESS => "address replaced by a token",
        other => other,
    }
}
