//! permessage-deflate (RFC 7692), which every browser offers and curl does not.

use super::blame::{Blame, blame, from_one_vantage};
use super::browser::{ask_a_browser, draft, failing, how, who};
use super::{Answer, Check, Claim, Draft, Rule, claim};
use crate::evidence::browser::heard;
use crate::evidence::compression::{Broken, Compression};
use crate::evidence::holding::cut;
use crate::evidence::{BundleView, Evidence, Fate, Reply, RouteView};
use crate::model::{Cause, Confidence, Location, Severity, Status};
use crate::remedy;
use crate::suggest::run_outside;
use wss_bundle::observation::{EndedBy, Ending, probe};

const EXTENSIONS: &str = "sec-websocket-extensions";

pub(super) const FRAMES_BLOCKED_COMPRESSED: Rule = Rule {
    id: "frames-blocked-compressed",
    title: "Frames pass uncompressed, and not compressed",
    looks_for: "the same message after the same handshake, with and without an offer of \
                permessage-deflate: read by the server uncompressed, and not compressed; or a \
                browser that was granted it and got no valid frame, while the collector exchanges \
                frames",
    why: "every browser offers permessage-deflate (RFC 7692); a hop that passes the offer on and \
          does not understand compressed frames, or that removes the header from the answer alone, \
          breaks them (IIS ARR: a 101, then nothing or \"Invalid frame header\")",
    remedy: "remove Sec-WebSocket-Extensions from requests at that hop, or let header and frames \
             through untouched",
    check: Check::Evidence(frames_blocked_compressed),
};
pub(super) const PROXY_REFUSES_OFFER: Rule = Rule {
    id: "proxy-blocks-websocket-offer",
    title: "On this side, a handshake that offers compression is refused",
    looks_for: "a handshake that is answered with 101, and with something else when it offers \
                permessage-deflate as every browser does; from outside or by another route it is \
                not, or a proxy's mark is on the answer",
    why: "a server that does not know an extension leaves it out of its answer (RFC 6455 section \
          9.1); refusing is a filter's way",
    remedy: "the proxy must let the header through, or remove it",
    check: Check::Evidence(|e| offer_refused(e, Cause::ProxyBlocksWebsocket)),
};
pub(super) const LB_REFUSES_OFFER: Rule = Rule {
    id: "lb-strips-upgrade-offer",
    title: "A handshake that offers compression is refused",
    looks_for: "the same, where nothing points to this side",
    why: "a server that does not know an extension leaves it out of its answer (RFC 6455 section \
          9.1); refusing is a filter's way",
    remedy: "remove Sec-WebSocket-Extensions from requests before whoever refuses them",
    check: Check::Evidence(|e| offer_refused(e, Cause::LbStripsUpgrade)),
};

fn frames_blocked_compressed(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    if !route.socket(path).works() {
        return Answer::NotApplicable;
    }
    match route.compression(path) {
        // A browser that exchanges frames by the same way has the last word.
        Compression::Breaks(_) if a_browser_works(focus) => Answer::NotApplicable,
        Compression::Breaks(broken) => {
            Answer::Fail(Box::new(broken_here(e, focus, route, path, &broken)))
        }
        Compression::Passes => Answer::Pass,
        Compression::NotGranted | Compression::Refused { .. } | Compression::Untold => {
            as_a_browser_saw_it(e, focus, route, path)
        }
    }
}

/// Whether compressed frames are what does not pass.
pub(super) fn breaks_frames(e: &Evidence<'_>) -> bool {
    matches!(frames_blocked_compressed(e), Answer::Fail(_))
}

pub(super) fn a_browser_works(focus: &BundleView<'_>) -> bool {
    let all = focus.browsers();
    let told = all.iter().find(|view| view.fate != Fate::NotTold);
    told.is_some_and(|view| view.seen.live && view.fate == Fate::Works && heard(view.seen))
}

/// How it ended, as the rest of a sentence.
fn ended(ending: &Ending) -> String {
    let detail = ending.detail.as_deref().map_or(String::new(), |detail| format!(": {detail}"));
    match ending.how {
        EndedBy::Fin => "the connection was closed at once".to_owned(),
        EndedBy::Reset => "the connection was reset at once".to_owned(),
        EndedBy::Silence | EndedBy::StillOpen => "nothing came any more".to_owned(),
        EndedBy::CloseFrame => format!(
            "a close frame came (code {}{detail})",
            ending.close_code.map_or("none".to_owned(), |code| code.to_string())
        ),
        EndedBy::Garbled => format!("what came back was not valid{detail}"),
    }
}

fn broken_here(
    e: &Evidence<'_>,
    focus: &BundleView<'_>,
    route: &RouteView<'_>,
    path: &str,
    broken: &Broken<'_>,
) -> Claim {
    let how = ended(broken.ending);
    let (text, summary) = if broken.granted {
        (
            format!(
                "The offer of permessage-deflate, which every browser makes, is granted. A \
                 compressed message was sent then, and {how}. The same message after the same \
                 handshake without the offer was read by the server."
            ),
            format!(
                "Compressed frames do not get through, uncompressed ones do: {how}. Every browser \
                 compresses where it is granted."
            ),
        )
    } else {
        (
            format!(
                "permessage-deflate was offered, as every browser does, and the answer that \
                 arrives here grants none; then {how}. The same message after the same handshake \
                 without the offer was answered properly: something takes Sec-WebSocket-Extensions \
                 out of the answer, and lets the offer and the compressed frames through."
            ),
            format!(
                "With permessage-deflate, which every browser offers, frames cannot be read: {how}. \
                 Without the offer they pass."
            ),
        )
    };
    let blame = whose(e, focus, route, path);
    let reply = route.compressed_reply(path);
    let device = reply.and_then(|r| r.devices.first()).map(|m| m.signature.id.as_str());
    let finding = Draft::new(
        Severity::Error,
        "Frames pass uncompressed, and not compressed",
        focus,
        broken.observation,
        how.clone(),
    )
    .text(format!("{text} {}.", super::capitalised(&blame.because)))
    .also(reply.map(|r| focus.cite(r.observation, extensions(r))))
    .also(route.browser_reply(path).map(|r| focus.cite(r.observation, r.line())))
    .remedy(remedy::compression(e, device, blame.location))
    .done();
    let mut claim = claim(
        Cause::FramesBlocked,
        Status::Broken,
        blame.location,
        blame.confidence,
        summary,
        finding,
    );
    if e.twin().is_none() {
        claim.missing.push(run_outside(e));
    }
    if focus.browsers().is_empty() {
        claim.missing.extend(ask_a_browser(e));
    }
    claim
}

/// What an answer says about extensions.
fn extensions(reply: &Reply<'_>) -> String {
    let granted = reply.reply.head.header(EXTENSIONS);
    granted.map_or_else(|| reply.line(), |value| format!("Sec-WebSocket-Extensions: {value}"))
}

/// Whose it is: the same pair of handshakes from outside or by another way
/// decides, and otherwise what one vantage shows.
fn whose(e: &Evidence<'_>, focus: &BundleView<'_>, route: &RouteView<'_>, path: &str) -> Blame {
    use Confidence::{High, Medium};
    use Location::{ClientNetwork, ServerSide};
    let outside =
        e.twin().filter(|_| !e.twin_is_pasted()).and_then(|t| Some((t.selected()?, t.path)));
    let elsewhere = outside.map(|(route, path)| route.compression(path));
    match elsewhere {
        Some(Compression::Passes | Compression::NotGranted) => {
            return blame(ClientNetwork, High, "from outside this network the same passes");
        }
        Some(Compression::Breaks(_)) => {
            return blame(ServerSide, High, "from outside this network it is the same");
        }
        _ => {}
    }
    for other in focus.routes.iter().filter(|other| other.route.id != route.route.id) {
        match other.compression(path) {
            Compression::Passes | Compression::NotGranted if !route.route.id.is_direct() => {
                let because = format!("by another route ({}) the same passes", other.route.id);
                return blame(ClientNetwork, High, because);
            }
            Compression::Breaks(_) if other.route.id.is_direct() => {
                return blame(ServerSide, High, "directly, without the proxy, it is the same");
            }
            _ => {}
        }
    }
    let here = from_one_vantage(e, route, route.compressed_reply(path));
    // A hop that changes no header leaves no mark: one vantage is never sure.
    Blame { confidence: here.confidence.min(Medium), ..here }
}

/// Without a twin of the collector's own: a browser that was granted
/// compression beside a collector that was not.
fn as_a_browser_saw_it(
    e: &Evidence<'_>,
    focus: &BundleView<'_>,
    route: &RouteView<'_>,
    path: &str,
) -> Answer {
    let granted_to = |head: Option<String>| {
        head.is_some_and(|value| value.to_ascii_lowercase().contains("permessage-deflate"))
    };
    let Some(view) = failing(focus) else { return Answer::NotApplicable };
    let granted = granted_to(view.seen.received(EXTENSIONS));
    let held = route.hold(probe::HOLD_SILENT).and_then(cut).is_some();
    if view.fate != Fate::NoFrames || !granted || !view.fresh || held {
        return Answer::NotApplicable;
    }
    let own = route.upgrade_reply(path);
    if own.is_none_or(|own| granted_to(own.reply.head.header(EXTENSIONS))) {
        return Answer::NotApplicable;
    }
    let finding = draft(
        Severity::Error,
        "Frames pass uncompressed, and not compressed",
        focus,
        &view,
    )
    .text(format!(
        "{}: {}. It was granted permessage-deflate; the collector's handshake without the offer \
         exchanges frames. Something between browser and server passes the offer on and does not \
         let compressed frames through.",
        who(&view),
        how(&view)
    ))
    .also(own.map(|r| focus.cite(r.observation, r.line())))
    .remedy(remedy::compression(e, None, Location::Undetermined))
    .done();
    let mut claim = claim(
        Cause::FramesBlocked,
        Status::Broken,
        Location::Undetermined,
        Confidence::Medium,
        "With permessage-deflate, which every browser asks for, no frames pass; without it they do.",
        finding,
    );
    if e.twin().is_none() {
        claim.missing.push(run_outside(e));
    }
    claim.missing.extend(ask_a_browser(e));
    Answer::Fail(Box::new(claim))
}

/// Whether a refusal says that there is too much of something.
fn busy(reply: &Reply<'_>) -> bool {
    reply.reply.head.status().is_none_or(|status| status == 429 || status >= 500)
}

/// One refusal among several connections may have another reason, such as a
/// limit on their number: it is a cause only where it happens again after the
/// same without the offer passed, or where a browser is refused as well.
fn offer_refused(e: &Evidence<'_>, cause: Cause) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let works = route.socket(path).works();
    let Compression::Refused { reply, again } = route.compression(path) else {
        return Answer::NotApplicable;
    };
    if !works {
        return Answer::NotApplicable;
    }
    let status = reply.reply.head.status();
    let browser = failing(focus)
        .filter(|view| view.fresh && status.is_some_and(|own| view.fate == Fate::Answered(own)));
    let blame = whose(e, focus, route, path);
    let here = blame.location == Location::ClientNetwork;
    if here != (cause == Cause::ProxyBlocksWebsocket) {
        return Answer::NotApplicable;
    }
    let device = reply.devices.first().map(|m| m.signature.id.as_str());
    let sure = (again && !busy(reply) && !a_browser_works(focus)) || browser.is_some();
    let severity = if sure { Severity::Error } else { Severity::Warning };
    let finding = Draft::new(
        severity,
        "A handshake that offers compression is refused",
        focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "With `Sec-WebSocket-Extensions: permessage-deflate`, as every browser sends it, the \
         upgrade gets {}; without it, 101.",
        reply.line()
    ))
    .also(route.browser_reply(path).map(|r| focus.cite(r.observation, r.line())))
    .also(browser.as_ref().map(|view| focus.cite_browser(view.seen, how(view))))
    .remedy(remedy::compression(e, device, blame.location))
    .done();
    if !sure {
        return Answer::Note(vec![finding]);
    }
    Answer::Fail(Box::new(claim(
        cause,
        Status::Broken,
        blame.location,
        blame.confidence,
        format!(
            "Upgrades that offer compression, as every browser's do, are answered with {}; others \
             with 101.",
            reply.line()
        ),
        finding,
    )))
}
