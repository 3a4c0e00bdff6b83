//! What to write in a configuration that was given, and where.

use super::snippets::{self, Purpose};
use super::{remedy, with_found};
use crate::configuration::{Issue, Kind, Program};
use crate::evidence::Evidence;
use crate::model::Remedy;

/// What to write in a file that was given, and where.
pub(crate) fn configuration(e: &Evidence<'_>, program: Program, issue: &Issue) -> Remedy {
    let (device, check) = match program {
        Program::Nginx => ("nginx", "nginx -t && systemctl reload nginx"),
        Program::Haproxy => ("haproxy", "haproxy -c -f FILE && systemctl reload haproxy"),
    };
    let (step, purpose) = match (issue.kind, program) {
        (Kind::UpgradeHeaders | Kind::HttpVersion, Program::Nginx) => (
            "In the block that passes the request on, write proxy_http_version and the \
             proxy_set_header lines of the snippet. A block with one proxy_set_header of its own \
             inherits none: repeat them there, or move its own further out.",
            Some(Purpose::Forward),
        ),
        (Kind::UpgradeHeaders | Kind::HttpVersion, Program::Haproxy) => (
            "Remove the line, or exempt upgrades from it: HAProxy forwards them by itself in \
             `mode http`.",
            None,
        ),
        (Kind::Timeout(_) | Kind::SendTimeout(_), _) => {
            ("Raise the timeout to 3600 s where it applies.", Some(Purpose::Timeout))
        }
        (Kind::Http2, Program::Nginx) => {
            ("Pass to the backend by proxy_pass and HTTP/1.1.", Some(Purpose::Forward))
        }
        (Kind::Http2, Program::Haproxy) => {
            ("Add `ws h1` to the server line, or leave `proto h2` and `alpn h2` out.", None)
        }
        (Kind::PathRule(_), _) => (
            "Send all of /v1/ to Bindplane, before the rule that takes it now.",
            Some(Purpose::Forward).filter(|_| program == Program::Nginx),
        ),
        (Kind::HidesGrant, Program::Nginx) => (
            "Remove the line, or take the offer away as well: proxy_set_header \
             Sec-WebSocket-Extensions \"\"; beside the other proxy_set_header lines.",
            Some(Purpose::Compression),
        ),
        (Kind::HidesGrant, Program::Haproxy) => (
            "Remove the line, or take the offer away as well: http-request del-header \
             sec-websocket-extensions.",
            Some(Purpose::Compression),
        ),
        (Kind::Host, _) => ("Pass the browser's Host on.", Some(Purpose::Host)),
    };
    let steps = [format!("{}: `{}`. {step}", issue.place, issue.line), format!("Then: {check}")];
    let base = remedy(e, &format!("Change {}", issue.place), &steps);
    with_found(base, purpose.and_then(|purpose| snippets::of(device, purpose)))
}
