//! nginx' row of the table: how its texts are recognised, and what mends an issue.

use super::check::read;
use super::parse::{self, Directive};
use super::tree;
use crate::configuration::dialect::{
    Dialect, Fix, Masked, Parsed, Proof, Purpose, Recognised, Text,
};
use crate::configuration::patch::{Edit, How};
use crate::configuration::source::File;
use crate::configuration::{Issue, Kind};
use std::sync::Arc;

/// nginx, and what is built on it.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "nginx",
    name: "nginx",
    devices: &["nginx", "openresty", "ingress-nginx"],
    expected: "an nginx configuration (server { … })",
    whole: "nginx: `nginx -T > nginx.txt` prints all that is in effect",
    commands: &["nginx -T > nginx.txt"],
    reload: "nginx -t && systemctl reload nginx",
    masked: Masked::Words,
    proof: Proof::Program,
    recognise,
    read,
    includes: |text| tree::includes(text.as_bytes()).unwrap_or_default(),
    fix,
    edits,
};

/// Directives that an nginx file, or a part of one, has.
const WORDS: [&str; 14] = [
    "http",
    "server",
    "location",
    "upstream",
    "map",
    "events",
    "worker_processes",
    "proxy_pass",
    "proxy_set_header",
    "proxy_http_version",
    "proxy_read_timeout",
    "grpc_pass",
    "listen",
    "include",
];

fn recognise(&Text { text, .. }: &Text<'_>) -> Recognised {
    let known = |word: &str| WORDS.contains(&word);
    let word = |d: &Directive| {
        d.name.starts_with(|c: char| c.is_ascii_lowercase())
            && d.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    match parse::parse(text.as_bytes(), 0) {
        Ok(directives) if directives.iter().any(|d| known(&d.name)) => {
            Recognised::Yes(Parsed(Some(Arc::new(directives))))
        }
        // A part may hold words of one module alone: of no use by itself, and no error.
        Ok(directives) if !directives.is_empty() && directives.iter().all(word) => {
            Recognised::Part(Parsed(Some(Arc::new(directives))))
        }
        Ok(_) => Recognised::No,
        Err(broken) => {
            let first = |line: &str| {
                let word = line.split_whitespace().next()?;
                word.split(['{', ';']).next().map(known)
            };
            if text.lines().any(|line| first(line) == Some(true)) {
                let why = format!(
                    "it looks like an nginx configuration, and line {} is not understood: {}",
                    broken.line, broken.why
                );
                return Recognised::Broken(why);
            }
            Recognised::No
        }
    }
}

/// What each file holds.
pub(crate) fn parsed(files: &[File]) -> Vec<Vec<Directive>> {
    let of = |(at, file): (usize, &File)| {
        let known = file.parsed.0.as_ref().and_then(|p| p.downcast_ref::<Vec<Directive>>());
        match known {
            Some(known) => {
                let mut own = known.clone();
                belongs(&mut own, at);
                own
            }
            None => parse::parse(file.text.as_bytes(), at).unwrap_or_default(),
        }
    };
    files.iter().enumerate().map(of).collect()
}

/// Says which file directives are of.
fn belongs(all: &mut [Directive], file: usize) {
    for one in all {
        one.file = file;
        belongs(one.block.as_deref_mut().unwrap_or_default(), file);
    }
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::UpgradeHeaders | Kind::HttpVersion => Fix::pasting(
            "In the block that passes the request on, write proxy_http_version and the \
             proxy_set_header lines of the snippet. A block with one proxy_set_header of its own \
             inherits none: repeat them there, or move its own further out.",
            Purpose::Forward,
        ),
        Kind::Http2 => {
            Fix::pasting("Pass to the backend by proxy_pass and HTTP/1.1.", Purpose::Forward)
        }
        Kind::PathRule(_) => Fix::pasting(
            "Send all of /v1/ to Bindplane, before the rule that takes it now.",
            Purpose::Forward,
        ),
        Kind::HidesGrant => Fix::pasting(
            "Remove the line, or take the offer away as well: proxy_set_header \
             Sec-WebSocket-Extensions \"\"; beside the other proxy_set_header lines.",
            Purpose::Compression,
        ),
        Kind::Host => Fix::pasting(
            "Pass the browser's Host on as it came, with its port: proxy_set_header Host \
             $http_host; ($host drops the port).",
            Purpose::Host,
        ),
        Kind::Limit(_) => Fix::new(
            "Leave room for a browser's handshakes: burst=20 nodelay, or no limit on the \
             WebSocket's paths.",
        ),
        Kind::NotChecked => Fix::new(
            "Leave max_fails at its default and proxy_next_upstream on, and ask each server by \
             itself (--resolve HOST:PORT:ADDRESS) whether it carries WebSocket.",
        ),
        _ => return None,
    })
}

/// Upgrade headers are mended where they are read (`proxied`), since which are
/// inherited decides.
fn edits(issue: &Issue, lines: &[&str]) -> Vec<Edit> {
    let at = &issue.place;
    let line = lines.get(at.line.saturating_sub(1) as usize).copied().unwrap_or_default();
    let Some(statement) = statement(line, &issue.line) else { return Vec::new() };
    let after = |lines: &[&str]| Edit {
        place: at.clone(),
        how: How::After {
            anchor: statement.to_owned(),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        },
    };
    let name = issue.line.split(' ').next().unwrap_or_default();
    match (issue.kind, name) {
        (Kind::HttpVersion | Kind::Http2, "proxy_http_version") => {
            vec![Edit::replace(at, statement, "proxy_http_version 1.1;")]
        }
        (Kind::HttpVersion, "proxy_pass") => vec![after(&["proxy_http_version 1.1;"])],
        (Kind::Timeout(_), "proxy_read_timeout") => {
            vec![Edit::replace(at, statement, "proxy_read_timeout 3600s;")]
        }
        (Kind::Timeout(_), "proxy_pass") => {
            vec![after(&["proxy_read_timeout 3600s;"])]
        }
        (Kind::Host, "proxy_set_header") => {
            vec![Edit::replace(at, statement, "proxy_set_header Host $http_host;")]
        }
        (Kind::UpgradeHeaders, "proxy_set_header") => {
            let header = issue.line.split_whitespace().nth(1).unwrap_or_default();
            match header.to_ascii_lowercase().as_str() {
                "upgrade" => {
                    vec![Edit::replace(at, statement, "proxy_set_header Upgrade $http_upgrade;")]
                }
                "connection" => {
                    vec![Edit::replace(at, statement, "proxy_set_header Connection \"upgrade\";")]
                }
                _ => Vec::new(),
            }
        }
        (Kind::HidesGrant, _) => vec![Edit::replace(at, statement, "")],
        _ => Vec::new(),
    }
}

/// A directive as it stands on its line, told from others of its name by its first
/// argument; `None` where it goes over several.
fn statement<'l>(line: &'l str, shown: &str) -> Option<&'l str> {
    let word = |text: &str, at: usize| {
        text.split_whitespace().nth(at).map(|w| w.trim_end_matches(';').to_owned())
    };
    let name = word(shown, 0)?;
    line.match_indices(&name).find_map(|(start, _)| {
        let end = start + line.get(start..)?.find(';')?;
        let found = line.get(start..=end)?;
        (word(found, 1) == word(shown, 1)).then_some(found)
    })
}
