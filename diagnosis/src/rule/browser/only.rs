//! A browser that fails where the collector's own probes work: when the browser is
//! to blame, and when HTTP/2 is.

use super::{ask_a_browser, counterpart, differences, draft, failing, how, listed, who};
use crate::evidence::browser::{Taken, taken};
use crate::evidence::compression::Compression;
use crate::evidence::holding::cut;
use crate::evidence::{BrowserView, BundleView, Evidence, Fate, Meaning, ReplyKind, RouteView};
use crate::model::{Cause, Confidence, Location, Severity, Status};
use crate::model::{Next, NextStep};
use crate::remedy;
use crate::rule::compression::breaks_frames;
use crate::rule::{Answer, Check, Claim, Rule, claim};
use crate::suggest::run_again;
use wss_bundle::observation::probe;
use wss_bundle::transcript::quote;
use wss_bundle::{Outcome, ResponseHead, Step};

pub(in crate::rule) const BROWSER_HTTP2: Rule = Rule {
    id: "lb-http2-browser",
    title: "The browser's WebSocket goes over HTTP/2 and fails",
    looks_for: "a browser whose handshake was an extended CONNECT (RFC 8441) that failed, while the \
                HTTP/1.1 upgrade works",
    why: "browsers use it where the front end announces it, and do not fall back; curl never uses it",
    remedy: "do not announce it, or make it work",
    check: Check::Evidence(browser_http2),
};
pub(in crate::rule) const BROWSER_ONLY: Rule = Rule {
    id: "browser-only",
    title: "Only the browser fails",
    looks_for: "a browser (run by the collector, or in a HAR of the same day) whose handshake fails \
                by the same route and path, while the collector's own handshakes work, also with \
                the browser's Origin, subprotocol and extensions",
    why: "what is left that differs is the browser: its extensions, its own proxy settings, its \
          policies, its trust store",
    remedy: "extensions, proxy settings and policies of the browser",
    check: Check::Evidence(browser_only),
};

fn over_http2(view: &BrowserView<'_>) -> bool {
    let connect = view.seen.request.as_ref().is_some_and(|r| r.text().starts_with("CONNECT "));
    view.seen.multiplexed() || connect
}

fn browser_http2(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let Some(view) = failing(focus).filter(over_http2) else { return Answer::NotApplicable };
    if !route.socket(path).works() || !view.fresh {
        return Answer::NotApplicable;
    }
    // Where the collector's own extended CONNECT works, the browser has another reason.
    let own = route.h2_connect(path).map(|(_, upgrade)| &upgrade.result);
    if let Some(Outcome::Ok(reply)) = own
        && reply.head.status() == Some(200)
    {
        return Answer::NotApplicable;
    }
    let finding = draft(
        Severity::Error,
        "The browser's WebSocket goes over HTTP/2, and fails",
        focus,
        &view,
    )
    .text(format!(
        "{} opened the WebSocket over HTTP/2 (RFC 8441), since the front end announces it: {}. The \
         HTTP/1.1 upgrade works; browsers do not fall back to it.",
        who(&view),
        how(&view)
    ))
    .also(route.upgrade_reply(path).map(|r| focus.cite(r.observation, r.line())))
    .remedy(remedy::http2(e))
    .done();
    Answer::Fail(Box::new(claim(
        Cause::LbHttp2,
        Status::Broken,
        Location::ServerSide,
        if view.seen.live { Confidence::High } else { Confidence::Medium },
        "The browser opens the WebSocket over HTTP/2 (RFC 8441), which is announced and does not \
         work; over HTTP/1.1 it works.",
        finding,
    )))
}

/// Why a browser's failure cannot be laid beside the collector's success, with
/// what would settle it.
fn not_comparable(
    e: &Evidence<'_>,
    focus: &BundleView<'_>,
    route: &RouteView<'_>,
    path: &str,
    view: &BrowserView<'_>,
) -> Option<Vec<Next>> {
    if !view.fresh {
        return Some(ask_a_browser(e));
    }
    // A status is somebody's answer, and a recording's is from another moment: what
    // answered then may answer otherwise now.
    if matches!(view.fate, Fate::Answered(_)) && !view.seen.live {
        return Some(ask_a_browser(e));
    }
    // What passes by itself, or is the page's own.
    if let Fate::Failed(meaning) = view.fate
        && matches!(
            meaning,
            Meaning::NoNetwork
                | Meaning::NetworkChanged
                | Meaning::Suspended
                | Meaning::Script
                | Meaning::Mixed
                | Meaning::Cors
        )
    {
        return Some(ask_a_browser(e));
    }
    match taken(focus, view.seen) {
        Some(Taken::NotTried(way)) => {
            return Some(vec![match way.strip_prefix("proxy ") {
                Some(url) => {
                    run_again(e, NextStep::Browser, &format!("--browser -x {}", quote(url)))
                }
                None => run_again(e, NextStep::Browser, "--browser --noproxy '*'"),
            }]);
        }
        // It fails there for the collector, too, or was not told: the way is the matter.
        Some(Taken::Route(way)) if !way.socket(path).works() => {
            return Some(match way.route.id.0.strip_prefix("proxy ") {
                Some(url) => vec![run_again(e, NextStep::Again, &format!("-x {}", quote(url)))],
                None => vec![run_again(e, NextStep::WithoutProxy, "--noproxy '*'")],
            });
        }
        _ => {}
    }
    // Without the browser-like twin, Origin and subprotocol may be the reason.
    let twin = route.browser_reply(path);
    if twin.is_none_or(|twin| twin.kind != ReplyKind::Switched) {
        return Some(vec![run_again(e, NextStep::Again, "")]);
    }
    // What only the collector was given may be what made it work.
    let given = twin.is_some_and(|twin| match &twin.observation.step {
        Step::Upgrade(upgrade) => {
            let request = ResponseHead::new(upgrade.request.0.clone());
            request.headers().iter().any(|(name, value)| {
                value.contains("[removed") && !name.eq_ignore_ascii_case("proxy-authorization")
            })
        }
        _ => false,
    });
    let asked = matches!(view.fate, Fate::Answered(300..=403))
        || view.fate == Fate::Failed(Meaning::Credentials);
    if given && asked {
        return Some(ask_a_browser(e));
    }
    // A subprotocol that the server leaves out of its 101 fails browsers alone;
    // it does so for the collector's twin as well, which does not mind.
    let asked_in_vain = |sent: Option<String>, got: Option<String>| sent.is_some() && got.is_none();
    let name = "sec-websocket-protocol";
    if view.seen.switched() && asked_in_vain(view.seen.sent(name), view.seen.received(name)) {
        return Some(ask_a_browser(e));
    }
    // The page's own policy, and a page that was left, say nothing about the network.
    match view.fate {
        Fate::Failed(Meaning::Page | Meaning::PageLeft) => Some(ask_a_browser(e)),
        _ => None,
    }
}

fn browser_only(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let all = focus.browsers();
    // An untrusted certificate, or an Origin that is refused, is not the browser's.
    let twin = route.browser_reply(path);
    let others = route.trusted() == Some(false)
        || twin.is_some_and(|twin| twin.kind != ReplyKind::Switched)
        || matches!(route.compression(path), Compression::Breaks(_) | Compression::Refused { .. })
        || breaks_frames(e);
    if all.is_empty() || !route.socket(path).works() || others {
        return Answer::NotApplicable;
    }
    let Some(view) = failing(focus) else {
        return match all.iter().any(|view| view.fate != Fate::NotTold) {
            true => Answer::Pass,
            false => Answer::CannotTell(ask_a_browser(e)),
        };
    };
    // What cuts the collector's idle connection cuts the browser's.
    let held = route.hold(probe::HOLD_SILENT);
    if view.fate == Fate::NoFrames && held.and_then(cut).is_some() {
        return Answer::NotApplicable;
    }
    // Both say the same first; a server that does not like it hangs up on both.
    if view.fate == Fate::NoFrames && route.message_unwelcome(path) {
        return Answer::NotApplicable;
    }
    let own_h2 = route.h2_connect(path).map(|(_, upgrade)| &upgrade.result);
    let own_h2_works = matches!(own_h2, Some(Outcome::Ok(r)) if r.head.status() == Some(200));
    if over_http2(&view) && !own_h2_works {
        return Answer::NotApplicable;
    }
    if let Some(missing) = not_comparable(e, focus, route, path, &view) {
        return Answer::CannotTell(missing);
    }
    Answer::Fail(Box::new(blame_the_browser(e, focus, route, path, &view)))
}

fn blame_the_browser(
    e: &Evidence<'_>,
    focus: &BundleView<'_>,
    route: &RouteView<'_>,
    path: &str,
    view: &BrowserView<'_>,
) -> Claim {
    let differences = differences(focus, view);
    let why = match view.fate {
        Fate::Failed(
            meaning @ (Meaning::Extension
            | Meaning::Policy
            | Meaning::Untrusted
            | Meaning::Port
            | Meaning::LocalNetwork),
        ) => Some(meaning),
        _ => None,
    };
    // A status is an answer of something on the way, or of the server: no extension
    // gives one, and what differs between the two requests is why.
    let look = match view.fate {
        Fate::Answered(_) => {
            "A status is somebody's answer, on the way or at the server: whoever gives it takes the \
             two requests for different ones."
        }
        _ => "Look at the browser: its extensions, its own proxy settings, its policies.",
    };
    let finding = draft(Severity::Error,
        "Only the browser fails",
        focus,
        view,
    )
    .text(format!(
        "{}: {}. By the same route ({}) the collector's own handshakes on {path} work, also with a \
         browser's Origin and subprotocol. {} {look}",
        who(view),
        how(view),
        route.route.id,
        listed(&differences)
    ))
    .also(counterpart(focus, view))
    .also(route.upgrade_reply(path).map(|r| focus.cite(r.observation, r.line())))
    .remedy(remedy::browser(e, why))
    .done();
    let confidence = match (view.seen.live, why) {
        (true, Some(_)) => Confidence::High,
        (true, None) | (false, Some(_)) => Confidence::Medium,
        (false, None) => Confidence::Low,
    };
    let mut claim = claim(
        Cause::BrowserOnly,
        Status::Broken,
        Location::Browser,
        confidence,
        format!(
            "The network and the server let WebSocket through, and the browser fails: {}.",
            how(view)
        ),
        finding,
    );
    if !view.seen.live {
        claim.missing.extend(ask_a_browser(e));
    }
    claim
}
