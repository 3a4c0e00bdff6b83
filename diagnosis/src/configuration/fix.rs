//! What to do about an issue, in words.

use super::{Fix, Issue, Kind, Program, Purpose};

/// What to do about an issue of a program's files.
#[must_use]
pub fn fix(program: Program, issue: &Issue) -> Fix {
    let own = issue.own_fix.or_else(|| (program.dialect().fix)(issue));
    own.unwrap_or_else(|| common(issue.kind))
}

/// What is the same for every program.
fn common(kind: Kind) -> Fix {
    match kind {
        Kind::UpgradeHeaders | Kind::HttpVersion => {
            Fix::new("Forward Upgrade and Connection by HTTP/1.1.")
        }
        Kind::Http2 => Fix::new("Speak HTTP/1.1 to the backend."),
        Kind::Timeout(_) | Kind::SendTimeout(_) => {
            Fix::pasting("Raise the timeout to 3600 s where it applies.", Purpose::Timeout)
        }
        Kind::Lifetime(_) => Fix::new(
            "Raise the limit to hours, or take it away: the console's socket lives as long as the \
             page is open.",
        ),
        Kind::PathChanged => Fix::new("Pass the path on as it came: /v1/ws, not a part of it."),
        Kind::PathRule(_) => {
            Fix::new("Send all of /v1/ to Bindplane, before the rule that takes it now.")
        }
        Kind::HidesGrant => Fix::new("Remove the line, or take the offer away as well."),
        Kind::Host => Fix::pasting("Pass the browser's Host on.", Purpose::Host),
        Kind::Disk => Fix::pasting(
            "Give /v1/ a location of its own that passes requests to Bindplane, before the one that \
             serves files.",
            Purpose::Forward,
        ),
        Kind::OtherBackend => Fix::new(
            "Compare the name alone: hdr_dom(host) -i NAME, or hdr(host),field(1,:) -i NAME.",
        ),
        Kind::RedirectLoop(_) => Fix::new(
            "Let what ends TLS say so: X-Forwarded-Proto: https (HAProxy: http-request set-header \
             X-Forwarded-Proto https if { ssl_fc }; nginx: proxy_set_header X-Forwarded-Proto \
             $scheme;).",
        ),
        Kind::Limit(_) => Fix::new("Leave room for a browser's handshakes."),
        Kind::ProxyHeaderAwaited => Fix::new(
            "Make both sides alike: add send-proxy to the server line of what stands before it, or \
             take proxy_protocol (accept-proxy) away here.",
        ),
        Kind::ProxyHeaderSent => Fix::new(
            "Make both sides alike: add proxy_protocol to nginx' listen (accept-proxy to HAProxy's \
             bind), or take send-proxy away here.",
        ),
        Kind::NotChecked => Fix::new(
            "Check every server on a path of Bindplane's, and ask each by itself (--resolve \
             HOST:PORT:ADDRESS) whether it carries WebSocket.",
        ),
        Kind::Reload(_) => {
            Fix::new("Raise it to hours, or leave it out: then connections outlive a reload.")
        }
        Kind::NoEffect => Fix::new("Take it away, or write what is read."),
        Kind::Targets(_) => Fix::new(
            "Put a Bindplane server behind it that passes the checks (/health answers 200).",
        ),
        Kind::Subrequest => Fix::new(
            "In that location, write proxy_set_header Upgrade \"\"; and proxy_set_header Connection \
             \"\"; the load balancer's error log names the subrequest.",
        ),
    }
}
