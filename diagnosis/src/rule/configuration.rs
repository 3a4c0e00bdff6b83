//! What the configurations that were given say about the request that was
//! probed, beside what the probe saw.
//!
//! "Confirmed" only where the probe saw the effect: then the finding is an error
//! and explains the rule that claims the cause. A file alone claims nothing: it
//! may not be the one that runs, and another hop may do the same.

use super::{Answer, Draft, Rule, compression, hold, origin, upgrade};
use crate::configuration::{Checked, Issue, Kind, Program, Reading, Request, check};
use crate::evidence::compression::Compression;
use crate::evidence::{BundleView, Evidence, ReplyKind, SocketState};
use crate::model::{Confidence, DeviceRole, Finding, Location, Severity};
use crate::remedy;
use wss_bundle::observation::probe;
use wss_bundle::{Attachment, AttachmentKind, Observation};

pub(super) const HEADERS: Rule = Rule {
    id: "config-upgrade-headers",
    title: "The configuration does not send the upgrade on",
    looks_for: "in the location or backend that takes the WebSocket's path (--config): no Upgrade \
                or Connection, HTTP/1.0, headers lost because a nested location sets its own",
    why: "nginx drops Upgrade and Connection unless proxy_set_header sends them, inherits \
          proxy_set_header only where a block has none of its own, and speaks HTTP/1.0 to backends \
          before 1.29.7",
    remedy: "the lines to write, and where",
    check: |e| of(e, |kind| matches!(kind, Kind::UpgradeHeaders | Kind::HttpVersion)),
};
pub(super) const HTTP2: Rule = Rule {
    id: "config-http2",
    title: "The configuration speaks HTTP/2 to the backend",
    looks_for: "proxy_http_version 2, grpc_pass, or a HAProxy server with proto h2 or alpn h2 and \
                without ws h1",
    why: "an upgrade cannot cross to an HTTP/2 backend without RFC 8441",
    remedy: "HTTP/1.1 to the backend",
    check: |e| of(e, |kind| matches!(kind, Kind::Http2)),
};
pub(super) const TIMEOUT: Rule = Rule {
    id: "config-timeout",
    title: "The configuration cuts silent connections",
    looks_for: "proxy_read_timeout, proxy_send_timeout, timeout tunnel, client or server under \
                3600 s, set or by default",
    why: "the console's socket may be silent for long; nginx' default is 60 s",
    remedy: "3600 s",
    check: |e| of(e, |kind| matches!(kind, Kind::Timeout(_) | Kind::SendTimeout(_))),
};
pub(super) const PATH_RULE: Rule = Rule {
    id: "config-path-rule",
    title: "The configuration does not send the path to Bindplane",
    looks_for: "the location that takes the WebSocket's path as nginx finds it, or HAProxy's \
                use_backend, deny and default_backend, ending the request with a status of its own",
    why: "a path rule for the pages alone leaves the WebSocket's path to whatever comes next",
    remedy: "send the path to Bindplane, too",
    check: |e| of(e, |kind| matches!(kind, Kind::PathRule(_))),
};
pub(super) const HOST: Rule = Rule {
    id: "config-host",
    title: "The configuration hides the browser's Host",
    looks_for: "no proxy_set_header Host, where the server refused the browser's Origin",
    why: "gorilla/websocket compares Origin with Host, and nginx sends the backend's name unless told",
    remedy: "pass the Host on",
    check: |e| of(e, |kind| matches!(kind, Kind::Host)),
};
pub(super) const EXTENSIONS: Rule = Rule {
    id: "config-extensions",
    title: "The configuration hides what was agreed about compression",
    looks_for: "proxy_hide_header Sec-WebSocket-Extensions (nginx), or http-response del-header of it \
                (HAProxy), where the offer is sent on",
    why: "the server grants compression and compresses; a browser that does not see the grant fails \
          the connection at the first compressed frame (RFC 7692 section 6)",
    remedy: "let the header through, or remove it from requests as well",
    check: |e| of(e, |kind| matches!(kind, Kind::HidesGrant)),
};
pub(super) const NOT_IN_EFFECT: Rule = Rule {
    id: "config-not-in-effect",
    title: "The configuration would forward the upgrade",
    looks_for: "a configuration that sends the upgrade on, where the probe saw it stripped",
    why: "the file that was given is then not the one that runs, or another hop strips",
    remedy: "compare with what runs (nginx -T), or look at the next hop",
    check: not_in_effect,
};
pub(super) const UNTOLD: Rule = Rule {
    id: "config-cannot-tell",
    title: "What the configuration does cannot be told",
    looks_for: "files that are not understood or were not given, variables, conditions and rewrites \
                that decide",
    why: "a guess would be worse than none",
    remedy: "give the missing files",
    check: untold,
};

/// The files of a case: those of the bundle that decides, else of its twin, else
/// the newest. Never of several bundles: before and after a change they differ.
fn given<'a>(e: &Evidence<'a>) -> Option<&'a [Attachment]> {
    let first = e.focus().into_iter().chain(e.twin()).chain(e.bundles.iter().rev());
    first
        .map(|view| view.bundle.attachments.as_slice())
        .find(|all| all.iter().any(|a| a.kind == AttachmentKind::Configuration))
}

/// What the configurations of a case say; read once for all rules.
fn readings<'e>(e: &'e Evidence<'_>) -> Option<&'e Checked> {
    e.configuration.get_or_init(|| read(e)).as_ref()
}

fn read(e: &Evidence<'_>) -> Option<Checked> {
    let focus = e.focus()?;
    let given = given(e)?;
    let target = &focus.bundle.manifest.target;
    let request =
        Request { host: &target.host, port: target.port, path: focus.path, version: None };
    check(given, &request, |program| version(e, program))
}

/// The program's version, where an answer told it.
fn version(e: &Evidence<'_>, program: Program) -> Option<(u32, u32, u32)> {
    let (_, route, _) = e.deciding()?;
    let text = route
        .replies()
        .flat_map(|r| r.devices.iter())
        .filter(|m| is_device(program, &m.signature.id))
        .find_map(|m| m.version.clone())?;
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}

fn is_device(program: Program, id: &str) -> bool {
    match program {
        Program::Nginx => matches!(id, "nginx" | "openresty" | "ingress-nginx"),
        Program::Haproxy => matches!(id, "haproxy" | "openshift-router"),
    }
}

/// Whether the answer to the upgrade bears the mark of a load balancer that is
/// certainly another program's: then these files need not be to blame.
fn another_hop(e: &Evidence<'_>, program: Program) -> Option<String> {
    let (_, route, path) = e.deciding()?;
    let devices = &route.upgrade_reply(path)?.devices;
    let in_front = || {
        devices.iter().filter(|m| {
            m.signature.role == DeviceRole::LoadBalancer && m.confidence == Confidence::High
        })
    };
    if in_front().any(|m| is_device(program, &m.signature.id)) {
        return None;
    }
    in_front().next().map(|m| m.signature.name.clone())
}

fn claims(rule: &Rule, e: &Evidence<'_>) -> bool {
    // A cut on the client's side is not this file's, whatever its timeout.
    matches!((rule.check)(e), Answer::Fail(claim) if claim.location != Location::ClientNetwork)
}

/// What the probe saw of an issue: the rules whose claims it explains, and a
/// sentence.
fn seen(e: &Evidence<'_>, issue: &Issue) -> Option<(Vec<&'static str>, String)> {
    let (_, route, path) = e.deciding()?;
    let reply = route.upgrade_reply(path);
    let answered = |rules: &[&Rule]| -> Option<(Vec<&'static str>, String)> {
        let explained: Vec<_> = rules.iter().filter(|r| claims(r, e)).map(|r| r.id).collect();
        let line = reply?.line();
        (!explained.is_empty()).then(|| (explained, format!("The probe saw it: {line}.")))
    };
    match issue.kind {
        Kind::UpgradeHeaders => answered(&[&upgrade::LB_STRIPS_UPGRADE]),
        Kind::Http2 => answered(&[
            &upgrade::LB_HTTP2,
            &upgrade::LB_STRIPS_UPGRADE,
            &upgrade::BAD_GATEWAY,
            &upgrade::NO_HEALTHY_BACKEND,
        ]),
        Kind::Host => answered(&[&origin::ORIGIN_REJECTED]),
        Kind::PathRule(status) => {
            let status = status.filter(|s| reply.is_some_and(|r| r.status == *s))?;
            let found = answered(&[
                &upgrade::WRONG_PATH,
                &upgrade::REDIRECTED,
                &upgrade::NO_HEALTHY_BACKEND,
                &upgrade::LB_STRIPS_UPGRADE,
            ])?;
            Some((found.0, format!("The probe saw it: it was answered {status}.")))
        }
        Kind::Timeout(seconds) => {
            let cut = crate::idle::idle(e)?.cut_after_s?;
            let near = (cut - seconds).abs() <= (seconds * 0.05).max(1.5);
            (near && claims(&hold::IDLE_TIMEOUT, e)).then(|| {
                (
                    vec![hold::IDLE_TIMEOUT.id],
                    format!("The probe saw it: the silent connection was cut after {cut:.1} s."),
                )
            })
        }
        Kind::HidesGrant => match route.compression(path) {
            Compression::Breaks(broken)
                if !broken.granted && claims(&compression::FRAMES_BLOCKED_COMPRESSED, e) =>
            {
                let saw = "The probe saw it: compression was offered, the answer that came does not \
                           grant it, and frames could not be read.";
                Some((vec![compression::FRAMES_BLOCKED_COMPRESSED.id], saw.to_owned()))
            }
            _ => None,
        },
        // Some servers take an upgrade by HTTP/1.0 (gorilla/websocket 1.5.0 behind
        // nginx 1.22, as measured): that it was stripped does not show this.
        Kind::HttpVersion | Kind::SendTimeout(_) => None,
    }
}

/// The observation that a finding stands by: the one that shows the effect, or
/// would.
fn observation<'a>(
    e: &Evidence<'a>,
    view: &BundleView<'a>,
    timeout: bool,
) -> Option<&'a Observation> {
    let (_, route, path) = e.deciding()?;
    let held = route.hold(probe::HOLD_SILENT).map(|(o, ..)| o);
    held.filter(|_| timeout)
        .or_else(|| route.upgrade_reply(path).map(|r| r.observation))
        .or_else(|| route.upgrade_failure(path).map(|(o, _)| o))
        .or_else(|| view.bundle.observations.observations.iter().min_by(|a, b| a.id.cmp(&b.id)))
}

fn of(e: &Evidence<'_>, wanted: impl Fn(Kind) -> bool) -> Answer {
    let Some(checked) = readings(e) else { return Answer::NotApplicable };
    let findings: Vec<Finding> = checked
        .readings
        .iter()
        .flat_map(|reading| reading.issues.iter().map(move |issue| (reading, issue)))
        .filter(|(_, issue)| wanted(issue.kind))
        .filter_map(|(reading, issue)| finding(e, reading, issue))
        .collect();
    if findings.is_empty() { Answer::Pass } else { Answer::Note(findings) }
}

fn finding(e: &Evidence<'_>, reading: &Reading, issue: &Issue) -> Option<Finding> {
    let focus = e.focus()?;
    let timeout = matches!(issue.kind, Kind::Timeout(_) | Kind::SendTimeout(_));
    let observation = observation(e, focus, timeout)?;
    let (rule, what) = name(issue.kind);
    let other = another_hop(e, reading.program);
    let effect = seen(e, issue).filter(|_| issue.sure && other.is_none());
    // Without the effect, a Host of the backend's is what most files have.
    if effect.is_none() && issue.kind == Kind::Host {
        return None;
    }
    let says = format!("`{}` {}.", issue.line, issue.says);
    let (severity, text) = match &effect {
        Some((_, saw)) => (Severity::Error, format!("{says} {saw}")),
        None => {
            let (severity, why) = unconfirmed(e, issue, other);
            (severity, format!("By the file, {says} {why}"))
        }
    };
    let excerpt = format!("{}: {}", issue.place, issue.line);
    let mut finding =
        Draft::new(rule, severity, format!("{}: {what}", issue.place), focus, observation, excerpt)
            .text(text)
            .remedy(remedy::configuration(e, reading.program, issue))
            .done();
    finding.explains = effect.map(|(rules, _)| rules).unwrap_or_default();
    Some(finding)
}

fn name(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::UpgradeHeaders => (HEADERS.id, "the upgrade headers are not sent on"),
        Kind::HttpVersion => (HEADERS.id, "HTTP/1.0 to the backend"),
        Kind::Http2 => (HTTP2.id, "HTTP/2 to the backend"),
        Kind::Timeout(_) => (TIMEOUT.id, "silent connections are cut early"),
        Kind::SendTimeout(_) => (TIMEOUT.id, "a short proxy_send_timeout"),
        Kind::PathRule(_) => (PATH_RULE.id, "the path is not sent to Bindplane"),
        Kind::Host => (HOST.id, "the browser's Host is not sent on"),
        Kind::HidesGrant => (EXTENSIONS.id, "the grant of compression is hidden"),
    }
}

/// How serious it is that a file says something that the probe did not show, and
/// why it may not have.
fn unconfirmed(e: &Evidence<'_>, issue: &Issue, other: Option<String>) -> (Severity, String) {
    let did_not = "The probe did not show it";
    if let Some(other) = other {
        return (
            Severity::Warning,
            format!("{did_not} of this hop: {other} left its mark on the answer."),
        );
    }
    let (status, works) = e.deciding().map_or((None, false), |(_, route, path)| {
        let reply = route.upgrade_reply(path);
        (
            reply.map(|r| (r.kind, r.line())),
            matches!(route.socket(path), SocketState::Works)
                || reply.is_some_and(|r| r.kind == ReplyKind::Switched),
        )
    });
    match issue.kind {
        Kind::SendTimeout(_) => (
            Severity::Info,
            format!("{did_not}, nor can it: this time runs only while something waits to be sent."),
        ),
        Kind::Timeout(seconds) => {
            let held = crate::idle::idle(e);
            let why = match held {
                Some(idle) if idle.cut_after_s.is_some() => {
                    "the connection was cut at another age".to_owned()
                }
                Some(idle) if idle.held_s < seconds => {
                    format!("it held a silent connection for {:.0} s only", idle.held_s)
                }
                Some(idle) => format!(
                    "a silent connection outlived it ({:.0} s): the server may send Pings, or the \
                     file is not the one that runs",
                    idle.held_s
                ),
                None => "no silent connection was held".to_owned(),
            };
            (Severity::Warning, format!("{did_not}: {why}."))
        }
        Kind::HttpVersion if claims(&upgrade::LB_STRIPS_UPGRADE, e) => (
            Severity::Warning,
            "The probe saw the upgrade stripped, and cannot tell whether this has a part in it: \
             RFC 6455 wants HTTP/1.1, and some servers take HTTP/1.0."
                .to_owned(),
        ),
        Kind::HidesGrant if works => (
            Severity::Info,
            format!("{did_not}: frames pass. It matters where the server compresses."),
        ),
        _ if works => (
            Severity::Info,
            format!(
                "{did_not}: the upgrade passed. Then the file is not the one that runs, or another \
                 server takes the request."
            ),
        ),
        _ => {
            let what = match status {
                Some((_, line)) => format!("the upgrade was answered {line}"),
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

/// The upgrade was stripped, and the files would send it on.
fn not_in_effect(e: &Evidence<'_>) -> Answer {
    let Some(checked) = readings(e) else { return Answer::NotApplicable };
    let Some(focus) = e.focus() else { return Answer::NotApplicable };
    if !claims(&upgrade::LB_STRIPS_UPGRADE, e) {
        return Answer::Pass;
    }
    let Some(observation) = observation(e, focus, false) else { return Answer::NotApplicable };
    let findings: Vec<Finding> = checked
        .readings
        .iter()
        .filter(|reading| {
            let strips = |i: &Issue| {
                !matches!(
                    i.kind,
                    Kind::Timeout(_) | Kind::SendTimeout(_) | Kind::Host | Kind::HidesGrant
                )
            };
            reading.untold.is_empty() && !reading.issues.iter().any(strips)
        })
        .filter_map(|reading| {
            let last = reading.followed.last()?;
            let finding = Draft::new(
                NOT_IN_EFFECT.id,
                Severity::Info,
                format!("{} would forward the upgrade by these files", reading.program.name()),
                focus,
                observation,
                format!("{}: {}", last.place, last.line),
            )
            .text(format!(
                "By the files that were given, {} sends the upgrade on ({}: `{}`), and the probe \
                 saw it stripped. Then the files are not what runs (after an edit: reload), or \
                 another hop strips it.",
                reading.program.name(),
                last.place,
                last.line
            ));
            Some(finding.done())
        })
        .collect();
    if findings.is_empty() { Answer::Pass } else { Answer::Note(findings) }
}

/// Most reasons in one finding.
const REASONS: usize = 8;

fn untold(e: &Evidence<'_>) -> Answer {
    let Some(checked) = readings(e) else { return Answer::NotApplicable };
    let Some(focus) = e.focus() else { return Answer::NotApplicable };
    let mut reasons: Vec<String> = checked
        .files
        .iter()
        // Of several nginx files one may be a part without a word of its own.
        .filter(|_| checked.readings.is_empty())
        .filter_map(|file| Some(format!("{}: {}", file.name, file.error.as_ref()?)))
        .collect();
    for untold in checked.readings.iter().flat_map(|r| &r.untold) {
        reasons.push(match &untold.place {
            Some(place) => format!("{place}: {}", untold.why),
            None => untold.why.clone(),
        });
    }
    let (Some(first), Some(observation)) = (reasons.first().cloned(), observation(e, focus, false))
    else {
        return Answer::Pass;
    };
    let more = reasons.len().saturating_sub(REASONS);
    reasons.truncate(REASONS);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let finding = Draft::new(
        UNTOLD.id,
        Severity::Info,
        "The configuration alone does not tell everything",
        focus,
        observation,
        first,
    )
    .text(format!("Not told from the files: {}{more}.", reasons.join("; ")))
    .done();
    Answer::Note(vec![finding])
}
