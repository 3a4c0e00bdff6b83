//! How findings of configurations are said.

use super::seen::Compared;
use super::{
    EXTENSIONS, HEADERS, HOST, HTTP2, LIMIT, NO_EFFECT, NODES, PATH_RULE, PROXY_PROTOCOL, RELOAD,
    SUBREQUEST, TARGETS, TIMEOUT,
};
use crate::configuration::{Issue, Kind};
use crate::evidence::{Reply, ReplyKind, SocketState};
use crate::idle;
use crate::model::{Cause, Severity};

/// The rule and the title of a kind.
pub(super) fn name(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::UpgradeHeaders => (HEADERS.id, "the upgrade headers are not sent on"),
        Kind::HttpVersion => (HEADERS.id, "HTTP/1.0 to the backend"),
        Kind::Http2 => (HTTP2.id, "HTTP/2 to the backend"),
        Kind::Timeout(_) => (TIMEOUT.id, "silent connections are cut early"),
        Kind::SendTimeout(_) => (TIMEOUT.id, "a short proxy_send_timeout"),
        Kind::Lifetime(_) => (TIMEOUT.id, "connections are cut at an age"),
        Kind::PathChanged => (PATH_RULE.id, "Bindplane is asked for another path"),
        Kind::PathRule(_) => (PATH_RULE.id, "the path is not sent to Bindplane"),
        Kind::Disk => (PATH_RULE.id, "a file from disk answers in Bindplane's place"),
        Kind::OtherBackend => (PATH_RULE.id, "another backend takes the request"),
        Kind::RedirectLoop(_) => (PATH_RULE.id, "a redirect to the same URL"),
        Kind::Host => (HOST.id, "the browser's Host is not sent on"),
        Kind::HidesGrant => (EXTENSIONS.id, "the grant of compression is hidden"),
        Kind::Limit(_) => (LIMIT.id, "a limit on requests or connections"),
        Kind::ProxyHeaderAwaited => {
            (PROXY_PROTOCOL.id, "a PROXY header is awaited (PROXY protocol) and not sent")
        }
        Kind::ProxyHeaderSent => {
            (PROXY_PROTOCOL.id, "a PROXY header is sent (PROXY protocol) and not expected")
        }
        Kind::NotChecked => (NODES.id, "nobody checks the servers for WebSocket"),
        Kind::Reload(_) => (RELOAD.id, "a reload ends every connection"),
        Kind::Subrequest => (SUBREQUEST.id, "what is asked first gets the upgrade as well"),
        Kind::NoEffect => (NO_EFFECT.id, "read by nobody"),
        Kind::Targets(Some(_)) => (TARGETS.id, "nobody behind takes requests"),
        Kind::Targets(None) => (TARGETS.id, "nobody behind passes the checks"),
    }
}

/// Whether a kind keeps upgrades from being sent on.
pub(super) fn stops_upgrades(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::UpgradeHeaders
            | Kind::HttpVersion
            | Kind::Http2
            | Kind::PathRule(_)
            | Kind::PathChanged
            | Kind::Disk
            | Kind::OtherBackend
            | Kind::RedirectLoop(_)
            | Kind::Subrequest
            | Kind::Targets(_)
            | Kind::ProxyHeaderAwaited
            | Kind::ProxyHeaderSent
    )
}

/// How serious it is that a file says something that the probe did not show, and
/// why it may not have.
pub(super) fn unconfirmed(
    c: &Compared<'_, '_, '_>,
    issue: &Issue,
    other: Option<String>,
) -> (Severity, String) {
    let did_not = "The probe did not show it";
    match issue.kind {
        Kind::Reload(_) => {
            return (Severity::Info, format!("{did_not}: nothing was reloaded while it ran."));
        }
        Kind::NotChecked => {
            return (
                Severity::Info,
                format!(
                    "{did_not}: its requests were answered alike. Where one in several fails, \
                         look here."
                ),
            );
        }
        Kind::Limit(_) => return (Severity::Info, format!("{did_not}: it met no limit.")),
        Kind::NoEffect => {
            return (Severity::Info, "There is nothing in it that a probe could see.".to_owned());
        }
        _ => {}
    }
    if let Some(other) = other {
        return (
            Severity::Warning,
            format!("{did_not} of this hop: {other} left its mark on the answer."),
        );
    }
    let deciding = c.e.deciding();
    let works = deciding.is_some_and(|(_, route, path)| {
        matches!(route.socket(path), SocketState::Works)
            || c.reply().is_some_and(|r| r.kind == ReplyKind::Switched)
    });
    match issue.kind {
        Kind::SendTimeout(_) => (
            Severity::Info,
            format!("{did_not}, nor can it: this time runs only while something waits to be sent."),
        ),
        Kind::Timeout(seconds) | Kind::Lifetime(seconds) => {
            (Severity::Warning, format!("{did_not}: {}.", held(c, seconds)))
        }
        Kind::HttpVersion if !c.claimed(&[Cause::LbStripsUpgrade]).is_empty() => (
            Severity::Warning,
            "The probe saw the upgrade stripped, and cannot tell whether this has a part in it: \
             RFC 6455 wants HTTP/1.1, and some servers take HTTP/1.0."
                .to_owned(),
        ),
        Kind::HidesGrant if works => (
            Severity::Info,
            format!("{did_not}: frames pass. It matters where the server compresses."),
        ),
        Kind::Subrequest if works => {
            (Severity::Info, format!("{did_not}: the upgrade passed; what is asked takes it."))
        }
        _ if works => (
            Severity::Info,
            format!(
                "{did_not}: the upgrade passed. Then this is not what runs (not applied, or changed \
                 since), or another load balancer takes the request."
            ),
        ),
        _ => {
            let what = match c.reply().map(Reply::line) {
                Some(line) => format!("the upgrade was answered {line}"),
                None => "the upgrade got no answer".to_owned(),
            };
            let sure = if issue.sure {
                ""
            } else {
                " It also depends on the version, or on files that were not given."
            };
            (Severity::Warning, format!("{did_not}: {what}.{sure}"))
        }
    }
}

/// Why a short timeout was not seen.
fn held(c: &Compared<'_, '_, '_>, seconds: f64) -> String {
    match idle::idle(c.e) {
        Some(idle) if idle.cut_after_s.is_some_and(|cut| cut < seconds) => format!(
            "the connection was cut sooner, after {:.1} s. Then something else cuts it first, or this \
             is not what runs (not applied, or another load balancer takes the request)",
            idle.cut_after_s.unwrap_or_default()
        ),
        Some(idle) if idle.held_s < seconds => {
            format!(
                "it held a silent connection for {:.0} s only; `--hold {}` would show it",
                idle.held_s,
                hold_for(seconds)
            )
        }
        Some(idle) if idle.cut_after_s.is_some() => {
            "the connection was cut at another age".to_owned()
        }
        Some(idle) => format!(
            "a silent connection outlived it ({:.0} s): the server may send Pings, or the file is \
             not the one that runs",
            idle.held_s
        ),
        None => {
            format!("no silent connection was held; `--hold {}` would show it", hold_for(seconds))
        }
    }
}

/// The hold that shows a cut after these seconds, in words of `--hold`: a little more.
fn hold_for(seconds: f64) -> String {
    let enough = (seconds * 1.01 + 2.0).ceil();
    if enough < 120.0 { format!("{enough:.0}s") } else { format!("{:.0}m", (enough / 60.0).ceil()) }
}

#[cfg(test)]
mod tests {
    use super::hold_for;

    #[test]
    fn a_hold_is_longer_than_the_limit() {
        for (seconds, hold) in [
            (2.0, "5s"),
            (30.0, "33s"),
            (60.0, "63s"),
            (350.0, "6m"),
            (600.0, "11m"),
            (3599.0, "61m"),
        ] {
            assert_eq!(hold_for(seconds), hold, "{seconds}");
        }
    }
}
