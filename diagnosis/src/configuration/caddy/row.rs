//! Caddy's row of the table: how its texts are recognised, and what mends an issue.

use super::check::read;
use super::parse::parse;
use crate::configuration::Kind;
use crate::configuration::dialect::{Dialect, Fix, Masked, Parsed, Proof, Recognised, Text};
use crate::configuration::{Issue, Purpose};

/// Caddy, by its Caddyfile.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "caddy",
    name: "Caddy",
    devices: &["caddy"],
    expected: "a Caddyfile (reverse_proxy)",
    whole: "Caddy: give /etc/caddy/Caddyfile",
    commands: &["cat /etc/caddy/Caddyfile > Caddyfile.txt"],
    reload: "caddy validate --config FILE --adapter caddyfile && systemctl reload caddy",
    masked: Masked::Words,
    proof: Proof::Program,
    recognise,
    read,
    includes: |text| parse(text, 0).map(|parsed| parsed.imports).unwrap_or_default(),
    fix,
    edits: |_, _| Vec::new(),
};

/// Words that begin lines of nobody else's files.
const WORDS: [&str; 12] = [
    "reverse_proxy",
    "handle_path",
    "handle",
    "file_server",
    "php_fastcgi",
    "redir",
    "respond",
    "forward_auth",
    "header_up",
    "auto_https",
    "encode",
    "basic_auth",
];

fn recognise(&Text { text, .. }: &Text<'_>) -> Recognised {
    let first = |line: &str| {
        let mut words = line.split_whitespace();
        let word = words.next()?;
        // nginx has none of these, and ends its lines with `;`.
        Some(WORDS.contains(&word) && !line.trim_end().ends_with(';'))
    };
    if !text.lines().any(|line| first(line) == Some(true)) || text.trim_start().starts_with('<') {
        return Recognised::No;
    }
    match parse(text, 0) {
        Ok(_) => Recognised::Yes(Parsed::default()),
        Err(broken) => Recognised::Broken(format!(
            "it looks like a Caddyfile, and line {} is not understood: {}",
            broken.line, broken.why
        )),
    }
}

pub(super) fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::UpgradeHeaders => {
            Fix::new("Remove the line: reverse_proxy sends upgrades on by itself.")
        }
        Kind::Http2 => Fix::new("Speak HTTP/1.1 to the backend: http://, or versions 1.1."),
        Kind::Host => Fix::new("Remove the line: Caddy passes on the Host that the browser sent."),
        Kind::Timeout(_) => Fix::pasting(
            "Raise read_timeout to an hour, or leave it out: Caddy has no limit of its own.",
            Purpose::Timeout,
        ),
        Kind::PathRule(_) | Kind::Disk => Fix::pasting(
            "Write `handle /v1/* { reverse_proxy … }` for Bindplane: of several handles the one with \
             the longest path is taken.",
            Purpose::Forward,
        ),
        _ => return None,
    })
}
