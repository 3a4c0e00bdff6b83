//! `README.txt`: for the person who is about to send the bundle.

use crate::Bundle;
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn text(bundle: &Bundle) -> String {
    let manifest = &bundle.manifest;
    let target = &manifest.target;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "WebSocket diagnosis bundle\n\
         ==========================\n\n\
         Target     {}\n\
         Seen from  {} the corporate network\n\
         Case       {}\n\
         Collected  {} UTC by wss-collector {}\n\
         Complete   {}\n",
        target.origin(),
        manifest.vantage.as_str(),
        manifest.case,
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
    if !bundle.attachments.is_empty() {
        out.push_str("attachments/       files that you gave, without secrets\n");
    }
    out.push_str(
        "\nNothing else was read: no files, no processes, no browser data, no\n\
         passwords. Contacted were the target, the proxies and the name servers that\n\
         this machine is set to use, and nobody else.\n\n\
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
    out.push_str(
        "\nHost names and addresses are in here: they are what this is about. Look\n\
         through the files before you send them; all are plain text.\n",
    );
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
        other => other,
    }
}
