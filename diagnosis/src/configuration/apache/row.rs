//! Apache's row of the table: how its texts are recognised, and what mends an issue.

use super::check::read;
use super::parse::parse;
use super::tree;
use crate::configuration::dialect::{
    Dialect, Fix, Masked, Parsed, Proof, Purpose, Recognised, Text,
};
use crate::configuration::patch::Edit;
use crate::configuration::{Issue, Kind};

/// Apache httpd.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "apache",
    name: "Apache",
    devices: &["apache"],
    expected: "an Apache one (<VirtualHost …>, ProxyPass)",
    whole: "Apache: `apache2ctl -t -D DUMP_CONFIG > apache.txt` prints all that is in effect (needs \
            mod_info; httpd on Red Hat's), or give the site's file",
    commands: &[
        "apache2ctl -t -D DUMP_CONFIG > apache.txt",
        "httpd -t -D DUMP_CONFIG > apache.txt   # Red Hat and its kin",
    ],
    reload: "apache2ctl configtest && systemctl reload apache2",
    masked: Masked::Words,
    proof: Proof::Program,
    recognise,
    read,
    includes: tree::includes,
    fix,
    edits,
};

/// Words that begin lines of nobody else's files.
const WORDS: [&str; 26] = [
    "proxypass",
    "proxypassmatch",
    "proxypassreverse",
    "proxypreservehost",
    "proxyrequests",
    "proxytimeout",
    "rewriteengine",
    "rewriterule",
    "rewritecond",
    "loadmodule",
    "servername",
    "serveralias",
    "serverroot",
    "documentroot",
    "requestheader",
    "fallbackresource",
    "sslengine",
    "sslproxyengine",
    "sslcertificatefile",
    "includeoptional",
    "customlog",
    "errorlog",
    "setenvif",
    "allowoverride",
    "balancermember",
    "keepalivetimeout",
];

/// Sections.
const SECTIONS: [&str; 12] = [
    "<virtualhost",
    "<ifmodule",
    "<ifdefine",
    "<ifversion",
    "<location",
    "<locationmatch",
    "<directory",
    "<directorymatch",
    "<proxy",
    "<proxymatch",
    "<files",
    "<filesmatch",
];

fn recognise(&Text { text, .. }: &Text<'_>) -> Recognised {
    let first = |line: &str| {
        let word = line.split_whitespace().next()?.to_ascii_lowercase();
        let word = word.trim_end_matches('>');
        Some(WORDS.contains(&word) || SECTIONS.contains(&word))
    };
    if !text.lines().any(|line| first(line) == Some(true)) {
        return Recognised::No;
    }
    // nginx' lines end with `;`, HAProxy's never begin like these.
    let ends = |line: &&str| line.trim_end().ends_with([';', '{', '}']);
    let all = text.lines().filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#'));
    if all.clone().filter(ends).count() * 2 > all.count() {
        return Recognised::No;
    }
    match parse(text, 0) {
        Ok(_) => Recognised::Yes(Parsed::default()),
        Err(broken) => Recognised::Broken(format!(
            "it looks like an Apache configuration, and line {} is not understood: {}",
            broken.line, broken.why
        )),
    }
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::HttpVersion => Fix::new(
            "Take force-proxy-request-1.0 away, or keep it from the WebSocket's paths: httpd then \
             speaks HTTP/1.1 to the backend.",
        ),
        Kind::UpgradeHeaders if issue.line.contains("force-proxy-request-1.0") => {
            Fix::new("Take force-proxy-request-1.0 away, or keep it from the WebSocket's paths.")
        }
        Kind::UpgradeHeaders if issue.line.to_ascii_lowercase().starts_with("requestheader") => {
            Fix::new("Remove the line: httpd sends Upgrade on by upgrade=websocket.")
        }
        Kind::UpgradeHeaders => Fix::pasting(
            "Add upgrade=websocket to the line that passes the WebSocket's paths on (httpd 2.4.47 \
             and later; before, a ws:// target of mod_proxy_wstunnel).",
            Purpose::Forward,
        ),
        Kind::Http2 => Fix::new("Pass to http:// (or https://) instead of h2c:// (or h2://)."),
        Kind::Host => Fix::pasting("Write ProxyPreserveHost On.", Purpose::Host),
        Kind::Timeout(_) => Fix::pasting(
            "Write ProxyTimeout 3600: of Timeout and ProxyTimeout the longer one counts for a \
             socket.",
            Purpose::Timeout,
        ),
        Kind::PathRule(_) | Kind::Disk => Fix::pasting(
            "Write a ProxyPass for /v1/ before the line that takes it now: the first that fits \
             decides.",
            Purpose::Forward,
        ),
        Kind::OtherBackend => Fix::new(
            "Write the name that browsers use as ServerName or ServerAlias of the VirtualHost that \
             is for Bindplane.",
        ),
        Kind::HidesGrant => Fix::new(
            "Remove the line, or take the offer away as well: RequestHeader unset \
             Sec-WebSocket-Extensions.",
        ),
        _ => return None,
    })
}

/// Most are mended where they are read (`proxied`).
fn edits(issue: &Issue, _: &[&str]) -> Vec<Edit> {
    let own = issue.line.to_ascii_lowercase();
    match issue.kind {
        Kind::HttpVersion | Kind::UpgradeHeaders
            if own.starts_with("setenv ") && own.contains("force-proxy-request-1.0") =>
        {
            vec![Edit::delete(&issue.place)]
        }
        _ => Vec::new(),
    }
}
