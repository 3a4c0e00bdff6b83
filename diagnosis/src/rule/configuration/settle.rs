//! Compares what the files say with what the probe saw and the rules claim; where
//! a line says exactly that, it settles the cause.

use super::seen::{Compared, Seen, another_hop, counts};
use super::words::{name, stops_upgrades, unconfirmed};
use super::{NOT_IN_EFFECT, UNTOLD};
use crate::configuration::{Checked, Generator, Issue, Kind, Proof, Reading};
use crate::evidence::configured::readings;
use crate::evidence::{Author, BundleView, Evidence};
use crate::model::{Cause, Confidence, Finding, Location, Severity, Status};
use crate::remedy;
use crate::rule::{Claim, Draft, claim};
use crate::signature::Signature;
use wss_bundle::Observation;
use wss_bundle::observation::probe;

/// What the configurations come to.
#[derive(Default)]
pub(crate) struct Settled {
    /// The findings, in the order of the files.
    pub(crate) notes: Vec<Finding>,
    /// What was read, where something was given.
    pub(crate) checked: Option<Checked>,
    /// For each issue that became a finding: reading, issue, place in `notes`, and
    /// whether the probe saw it.
    pub(crate) shown: Vec<(usize, usize, usize, bool)>,
}

/// Compares, and mends the claims that a line settles.
pub(crate) fn settle(
    e: &Evidence<'_>,
    claims: &mut Vec<Claim>,
    notes: &mut Vec<Finding>,
) -> Settled {
    let Some(checked) = readings(e) else { return Settled::default() };
    let mut settled = Settled { checked: Some(checked.clone()), ..Settled::default() };
    let Some(focus) = e.focus() else { return settled };
    let mut mended: Option<(Kind, Finding)> = None;
    let before = claims.clone();
    let c = Compared { e, claims: &before };
    let disk = c.page_instead();
    for (r, reading) in checked.readings.iter().enumerate() {
        let mark = another_hop(e, reading.program);
        for (i, issue) in reading.issues.iter().enumerate() {
            let mark = mark.filter(|mark| !acquitted(&c, checked, mark, issue));
            let other = mark.map(|mark| mark.name.clone());
            let seen = c.seen(reading.program, issue).filter(|_| issue.sure && other.is_none());
            let Some(finding) = finding(&c, focus, reading, issue, &seen, other.clone()) else {
                continue;
            };
            if !counts(issue, seen.is_some(), disk) {
                continue;
            }
            let proved = seen.is_some() && !hint(reading);
            if proved && mended.as_ref().is_none_or(|(kind, _)| rank(issue.kind) < rank(*kind)) {
                mended = Some((issue.kind, finding.clone()));
            }
            settled.shown.push((r, i, settled.notes.len(), proved));
            settled.notes.push(finding);
        }
    }
    let limits = settled.shown.iter().filter(|(.., seen)| *seen);
    let limits: Vec<u16> = limits
        .filter_map(|(r, i, ..)| match checked.readings.get(*r)?.issues.get(*i)?.kind {
            Kind::Limit(status) => Some(status),
            _ => None,
        })
        .collect();
    claims.retain(|claim| {
        let paced = ["rate-limited", "backends-differ"].contains(&claim.cause.slug());
        paced || !rests_on_limit(e, &claim.finding, &limits)
    });
    notes.retain(|note| !rests_on_limit(e, note, &limits));
    if let Some((kind, finding)) = &mended {
        let before = claims.first().map(|claim| claim.finding.rule);
        mend(&c, claims, *kind, finding);
        let now = claims.first().map(|claim| claim.finding.rule);
        // What explained the claim explains it under its new name.
        for note in &mut settled.notes {
            for rule in &mut note.explains {
                *rule = if Some(*rule) == before { now.unwrap_or(*rule) } else { *rule };
            }
            if before.is_none() && note == finding {
                note.explains.extend(now);
            }
        }
    }
    settled.notes.extend(not_in_effect(&c, focus, checked));
    settled.notes.extend(untold(e, focus, checked));
    settled
}

/// Whether a load balancer that left its mark has nothing to do with an issue of another's
/// files: its own were given, and none of their lines foretells what was seen.
fn acquitted(c: &Compared<'_, '_, '_>, checked: &Checked, mark: &Signature, issue: &Issue) -> bool {
    let alike =
        |own: &Issue| std::mem::discriminant(&own.kind) == std::mem::discriminant(&issue.kind);
    let own = checked.readings.iter().filter(|reading| reading.program.is_device(&mark.id));
    let mut own = own.filter(|reading| !reading.followed.is_empty()).peekable();
    own.peek().is_some()
        && own.all(|reading| {
            let mut alike = reading.issues.iter().filter(|own| alike(own));
            !alike.any(|own| c.seen(reading.program, own).is_some())
        })
}

/// Whether a claim stands on an answer of a limiter that a file names: the probes'
/// own pace made it, and it says nothing of a single browser. What was asked again
/// at a browser's pace is another matter.
fn rests_on_limit(e: &Evidence<'_>, finding: &Finding, limits: &[u16]) -> bool {
    let Some((focus, route, _)) = e.deciding() else { return false };
    let shown = &finding.evidence.first;
    shown.bundle == focus.bundle.manifest.id
        && route.replies().any(|reply| {
            reply.observation.id == shown.observation
                && limits.contains(&reply.status)
                && reply.author != Author::Origin
        })
}

/// Of several lines that say what was seen, the one that explains most.
fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::ProxyHeaderAwaited | Kind::ProxyHeaderSent => 0,
        Kind::Http2 | Kind::RedirectLoop(_) | Kind::Disk | Kind::OtherBackend => 1,
        Kind::PathRule(_)
        | Kind::PathChanged
        | Kind::Subrequest
        | Kind::Targets(_)
        | Kind::UpgradeHeaders => 2,
        Kind::HttpVersion
        | Kind::Host
        | Kind::Timeout(_)
        | Kind::Lifetime(_)
        | Kind::HidesGrant => 3,
        _ => 9,
    }
}

/// The observation that a finding stands by: the one that shows the effect, or
/// would.
fn observation<'a>(e: &Evidence<'a>, view: &BundleView<'a>, held: bool) -> Option<&'a Observation> {
    let (_, route, path) = e.deciding()?;
    let silent = route.hold(probe::HOLD_SILENT).map(|(o, ..)| o);
    silent
        .filter(|_| held)
        .or_else(|| route.upgrade_reply(path).map(|r| r.observation))
        .or_else(|| route.upgrade_failure(path).map(|(o, _)| o))
        .or_else(|| view.bundle.observations.observations.iter().min_by(|a, b| a.id.cmp(&b.id)))
}

/// Whether what files say was never held against their program.
fn hint(reading: &Reading) -> bool {
    reading.program.dialect().proof == Proof::Documents
}

fn finding(
    c: &Compared<'_, '_, '_>,
    focus: &BundleView<'_>,
    reading: &Reading,
    issue: &Issue,
    seen: &Option<Seen>,
    other: Option<String>,
) -> Option<Finding> {
    let held = matches!(
        issue.kind,
        Kind::Timeout(_) | Kind::Lifetime(_) | Kind::SendTimeout(_) | Kind::Reload(_)
    );
    let observation = observation(c.e, focus, held)?;
    let (rule, what) = name(issue.kind);
    // Without the effect, a Host of the backend's is what most files have.
    if seen.is_none() && issue.kind == Kind::Host {
        return None;
    }
    let says = format!("`{}` {}.", issue.line, issue.says);
    let (severity, text) = match seen {
        Some(seen) if hint(reading) => (Severity::Warning, format!("{says} {}", seen.saw)),
        Some(seen) => (confirmed(issue.kind), format!("{says} {}", seen.saw)),
        None => {
            let (severity, why) = unconfirmed(c, issue, other);
            (severity, format!("By the file, {says} {why}"))
        }
    };
    let text = if hint(reading) {
        format!(
            "{text} A hint: how {}'s files are read here is from documents, and unproved.",
            reading.program.name()
        )
    } else {
        text
    };
    let excerpt = format!("{}: {}", issue.place.short(), issue.line);
    let title = format!("{}: {what}", issue.place);
    let mut finding = Draft::new(severity, title, focus, observation, excerpt)
        .of_rule(rule)
        .text(text)
        .remedy(remedy::configuration(c.e, reading, issue))
        .done();
    let explains = seen.as_ref().filter(|_| !hint(reading)).map(|seen| seen.explains.clone());
    finding.explains = explains.unwrap_or_default();
    Some(finding)
}

/// A limit that the collector's own probes met, and an event that only may have
/// been one, break nothing by themselves.
fn confirmed(kind: Kind) -> Severity {
    match kind {
        Kind::Limit(_) | Kind::Reload(_) => Severity::Warning,
        _ => Severity::Error,
    }
}

/// Where a line says exactly what the probe saw, the cause is what the line does.
fn mend(c: &Compared<'_, '_, '_>, claims: &mut Vec<Claim>, kind: Kind, finding: &Finding) {
    let (cause, replaces): (Cause, &[Cause]) = match kind {
        Kind::Http2 => (Cause::LbHttp2, &[Cause::BadGateway, Cause::NoHealthyBackend]),
        Kind::HttpVersion if c.refuses_http_1_0() => (
            Cause::LbStripsUpgrade,
            &[Cause::BlockedPage, Cause::ProxyBlocksWebsocket, Cause::WrongPath],
        ),
        Kind::UpgradeHeaders if c.under_another_page().is_some() => (Cause::LbStripsUpgrade, &[]),
        Kind::Disk => (Cause::WrongPath, &[Cause::BlockedPage]),
        Kind::OtherBackend => (Cause::WrongPath, &[]),
        Kind::PathChanged => (Cause::WrongPath, &[Cause::BlockedPage]),
        Kind::PathRule(Some(status)) if !(300..400).contains(&status) => match status {
            503 => (Cause::NoHealthyBackend, &[]),
            _ => (Cause::WrongPath, &[]),
        },
        Kind::RedirectLoop(_) => (Cause::Redirected, &[]),
        Kind::Targets(Some(_)) => (Cause::NoHealthyBackend, &[]),
        Kind::Subrequest => (Cause::LbStripsUpgrade, &[Cause::BadGateway, Cause::BlockedPage]),
        Kind::ProxyHeaderAwaited | Kind::ProxyHeaderSent => (Cause::TlsFailure, &[]),
        _ => return,
    };
    let whole = match kind {
        Kind::HttpVersion => {
            "The load balancer speaks HTTP/1.0 to what is behind it, which refuses that."
        }
        Kind::UpgradeHeaders => {
            "The load balancer passes the request on without the upgrade headers, and puts a page of \
             its own in the place of the server's refusal."
        }
        Kind::Http2 => {
            "The load balancer speaks HTTP/2 to the backend, which an upgrade cannot cross."
        }
        Kind::Disk => {
            "The load balancer answers the WebSocket's path with a file from its disk; Bindplane is not asked."
        }
        Kind::OtherBackend => {
            "The load balancer sends the request to another backend: what answers is not Bindplane."
        }
        Kind::PathChanged => {
            "The load balancer asks Bindplane for another path than the WebSocket's."
        }
        Kind::PathRule(_) => {
            "The load balancer answers the WebSocket's path itself; Bindplane is not asked."
        }
        Kind::Targets(_) => {
            "Nobody behind the load balancer takes requests: it answers 503 itself."
        }
        Kind::RedirectLoop(_) => {
            "The upgrade is redirected to the same URL: a loop. What ends TLS does not say so \
             (X-Forwarded-Proto), and the next hop redirects https to https."
        }
        Kind::Subrequest => {
            "The load balancer answers upgrades itself: what it asks before the backend \
             (auth_request) gets the upgrade as well, and refuses it."
        }
        Kind::ProxyHeaderAwaited => {
            "The connection ends before TLS begins: the server's side waits for a PROXY header \
             (PROXY protocol) that nothing sends."
        }
        _ => {
            "Plain text comes where TLS was due: the server's side takes a PROXY header (PROXY \
             protocol), sent by the hop before it, for the client's first bytes."
        }
    };
    let Some(first) = claims.first_mut() else {
        let mut finding = finding.clone();
        finding.rule = cause.slug();
        let new =
            claim(cause, Status::Broken, Location::ServerSide, Confidence::Medium, whole, finding);
        return claims.push(new);
    };
    if first.cause != cause && !replaces.contains(&first.cause) {
        return;
    }
    let same = first.cause == cause;
    let tells = matches!(
        kind,
        Kind::ProxyHeaderAwaited
            | Kind::ProxyHeaderSent
            | Kind::RedirectLoop(_)
            | Kind::Disk
            | Kind::OtherBackend
            | Kind::PathChanged
            | Kind::HttpVersion
            | Kind::Subrequest
    ) || matches!(kind, Kind::PathRule(_)) && first.location == Location::Target;
    if !same || tells {
        first.summary = whole.to_owned();
        first.finding.text = format!("{whole} {}", first.finding.text);
        first.finding.remedy = finding.remedy.clone();
        first.rivals.clear();
    }
    first.cause = cause;
    first.finding.rule = cause.slug();
    first.location = Location::ServerSide;
    first.confidence = first.confidence.max(Confidence::Medium);
}

/// The upgrade was stripped, and the files would send it on.
fn not_in_effect(
    c: &Compared<'_, '_, '_>,
    focus: &BundleView<'_>,
    checked: &Checked,
) -> Vec<Finding> {
    let Some(observation) = observation(c.e, focus, false) else { return Vec::new() };
    if c.claimed(&[Cause::LbStripsUpgrade]).is_empty() {
        return Vec::new();
    }
    checked
        .readings
        .iter()
        .filter(|reading| {
            if hint(reading) {
                return false;
            }
            let stops = |i: &Issue| stops_upgrades(i.kind) && i.provided.is_none();
            reading.untold.is_empty() && !reading.issues.iter().any(stops)
        })
        .filter_map(|reading| {
            let last = reading.followed.last()?;
            let finding = Draft::new(
                Severity::Info,
                format!("{} would forward the upgrade by these files", reading.program.name()),
                focus,
                observation,
                format!("{}: {}", last.place.short(), last.line),
            )
            .of_rule(NOT_IN_EFFECT.id)
            .text(format!(
                "By the files that were given, {} sends the upgrade on ({}: `{}`), and the probe \
                 saw it stripped. Then the files are not what runs (after an edit: reload), or \
                 another hop strips it.",
                reading.program.name(),
                last.place.short(),
                last.line
            ));
            Some(finding.done())
        })
        .collect()
}

/// Most reasons in one finding.
const REASONS: usize = 8;

fn untold(e: &Evidence<'_>, focus: &BundleView<'_>, checked: &Checked) -> Option<Finding> {
    let mut reasons: Vec<String> = checked
        .files
        .iter()
        .filter_map(|file| Some(format!("{}: {}", file.name, file.error.as_ref()?)))
        .collect();
    for untold in checked.readings.iter().flat_map(|r| &r.untold) {
        reasons.push(match &untold.place {
            Some(place) => format!("{place}: {}", untold.why),
            None => untold.why.clone(),
        });
    }
    let named = |file: &String| reasons.iter().any(|reason| reason.contains(file.as_str()));
    let missing: Vec<&str> = checked
        .readings
        .iter()
        .flat_map(|r| &r.not_given)
        .filter(|file| !named(file))
        .map(String::as_str)
        .collect();
    let files = (!missing.is_empty()).then(|| {
        format!(
            "included, and not given: {} (a name with a wildcard may mean no file). `nginx -T` \
             prints all that are in effect",
            missing.join(", ")
        )
    });
    let generator = checked.readings.iter().find_map(|r| r.generator);
    let first = reasons.first().cloned().or_else(|| files.clone())?;
    let observation = observation(e, focus, false)?;
    let more = reasons.len().saturating_sub(REASONS);
    reasons.truncate(REASONS);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    reasons.extend(files);
    let hint = generator.and_then(whole_command).unwrap_or_default();
    let finding = Draft::new(
        Severity::Info,
        "The configuration alone does not tell everything",
        focus,
        observation,
        first,
    )
    .of_rule(UNTOLD.id)
    .text(format!("Not told from the files: {}.{hint}", reasons.join("; ")))
    .done();
    Some(finding)
}

/// How to get all that is in effect out of what wrote the files.
fn whole_command(generator: Generator) -> Option<&'static str> {
    match generator {
        Generator::NginxProxyManager => {
            Some(" Of Nginx Proxy Manager all is printed by `docker exec CONTAINER nginx -T`.")
        }
        Generator::IngressNginx => {
            Some(" Of ingress-nginx all is printed by `kubectl exec POD -- nginx -T`.")
        }
        Generator::BtPanel | Generator::Plesk => {
            Some(" `nginx -T` prints the panel's files as well.")
        }
        Generator::Firewall => None,
    }
}
