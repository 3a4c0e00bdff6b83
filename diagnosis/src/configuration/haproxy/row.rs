//! HAProxy's row of the table: how its texts are recognised, and what mends an issue.

use super::check::read;
use crate::configuration::dialect::{
    Dialect, Fix, Masked, Parsed, Proof, Purpose, Recognised, Text, no_includes,
};
use crate::configuration::patch::Edit;
use crate::configuration::{Issue, Kind};

/// HAProxy.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "haproxy",
    name: "HAProxy",
    devices: &["haproxy", "openshift-router"],
    expected: "a HAProxy one (sections frontend, backend)",
    whole: "HAProxy: give /etc/haproxy/haproxy.cfg",
    commands: &["cat /etc/haproxy/haproxy.cfg > haproxy.cfg"],
    reload: "haproxy -c -f FILE && systemctl reload haproxy",
    masked: Masked::Words,
    proof: Proof::Program,
    recognise,
    read,
    includes: no_includes,
    fix,
    edits,
};

/// Sections of HAProxy (configuration manual, section 2.1).
const SECTIONS: [&str; 5] = ["global", "defaults", "frontend", "backend", "listen"];

fn recognise(&Text { text, .. }: &Text<'_>) -> Recognised {
    let first_words = || {
        text.lines()
            .filter_map(|line| line.split_whitespace().next())
            .filter(|w| !w.starts_with('#'))
    };
    let section = |word: &str| SECTIONS.contains(&word);
    let looks = first_words().next().is_some_and(section)
        || (!text.contains(['{', ';']) && first_words().any(section));
    if looks { Recognised::Yes(Parsed::default()) } else { Recognised::No }
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::UpgradeHeaders | Kind::HttpVersion => Fix::new(
            "Remove the line, or exempt upgrades from it: HAProxy forwards them by itself in \
             `mode http`.",
        ),
        Kind::Http2 => {
            Fix::new("Add `ws h1` to the server line, or leave `proto h2` and `alpn h2` out.")
        }
        Kind::HidesGrant => Fix::pasting(
            "Remove the line, or take the offer away as well: http-request del-header \
             sec-websocket-extensions.",
            Purpose::Compression,
        ),
        Kind::Limit(_) => {
            Fix::new("Leave room for a browser's handshakes, or exempt the WebSocket's paths.")
        }
        Kind::NotChecked => Fix::new(
            "Check every server on a path of Bindplane's: option httpchk GET /health, and `check` on \
             each server line; ask each by itself (--resolve HOST:PORT:ADDRESS) whether it carries \
             WebSocket.",
        ),
        _ => return None,
    })
}

fn edits(issue: &Issue, lines: &[&str]) -> Vec<Edit> {
    let at = &issue.place;
    let line = lines.get(at.line.saturating_sub(1) as usize).copied().unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    let kept = |kind: &str| line.trim_start().starts_with(kind);
    match issue.kind {
        Kind::UpgradeHeaders | Kind::HidesGrant if kept("http-re") || kept("http-after") => {
            vec![Edit::delete(at)]
        }
        Kind::Host if kept("http-request set-header") => vec![Edit::delete(at)],
        Kind::Http2 if kept("server") && !line.contains('#') => {
            vec![Edit::replace(at, line.trim_end(), format!("{} ws h1", line.trim_end()))]
        }
        Kind::Timeout(_) => match words.as_slice() {
            ["timeout", "tunnel", value, ..] => {
                vec![Edit::replace(at, format!("tunnel {value}"), "tunnel 1h")]
            }
            ["timeout", "client" | "server", ..] => vec![Edit::before(at, &["timeout tunnel 1h"])],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
