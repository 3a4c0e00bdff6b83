//! The browser's handshake beside the collector's own. The browser is to blame
//! only where both asked for the same by the same way, and the collector's
//! probes, its browser-like twin among them, work.

use super::compression::FRAMES_BLOCKED_COMPRESSED;
use super::{Answer, Claim, Draft, Rule, claim, run_again};
use crate::evidence::browser::{Difference, Taken, compare, heard, meaning, taken};
use crate::evidence::compression::Compression;
use crate::evidence::{BrowserView, BundleView, Evidence, Fate, Meaning, ReplyKind, RouteView};
use crate::idle::cut;
use crate::model::{Cause, Confidence, Location, Severity, Status};
use crate::remedy;
use wss_bundle::observation::probe;
use wss_bundle::transcript::quote;
use wss_bundle::{Outcome, ResponseHead, Step};

pub(super) const BROWSER_HTTP2: Rule = Rule {
    id: "lb-http2-browser",
    title: "The browser's WebSocket goes over HTTP/2 and fails",
    looks_for: "a browser whose handshake was an extended CONNECT (RFC 8441) that failed, while the \
                HTTP/1.1 upgrade works",
    why: "browsers use it where the front end announces it, and do not fall back; curl never uses it",
    remedy: "do not announce it, or make it work",
    check: browser_http2,
};
pub(super) const BROWSER_ONLY: Rule = Rule {
    id: "browser-only",
    title: "Only the browser fails",
    looks_for: "a browser (run by the collector, or in a HAR of the same day) whose handshake fails \
                by the same route and path, while the collector's own handshakes work, also with \
                the browser's Origin, subprotocol and extensions",
    why: "what is left that differs is the browser: its extensions, its own proxy settings, its \
          policies, its trust store",
    remedy: "extensions, proxy settings and policies of the browser",
    check: browser_only,
};
pub(super) const BROWSER_AGREES: Rule = Rule {
    id: "browser-agrees",
    title: "The browser meets the same fault",
    looks_for: "a browser whose handshake fails where the collector's fails, too",
    why: "it shows that the fault is not the collector's, nor the browser's",
    remedy: "none: see the cause",
    check: browser_agrees,
};
pub(super) const BROWSER_WORKS: Rule = Rule {
    id: "browser-works",
    title: "The browser's WebSocket works, the collector's does not",
    looks_for: "a browser whose handshake succeeds where the collector's fails",
    why: "then something differs between the two that is not known yet, and the verdict is only as \
          good as the comparison",
    remedy: "none: look at the differences",
    check: browser_works,
};
pub(super) const BROWSER_CUT: Rule = Rule {
    id: "browser-cut",
    title: "The browser's WebSocket was cut",
    looks_for: "a browser's socket that worked and ended without a close frame (code 1006)",
    why: "it is what the console's user sees of an idle timeout",
    remedy: "none: see the holds",
    check: browser_cut,
};
pub(super) const BROWSER_OTHER_WAY: Rule = Rule {
    id: "browser-other-way",
    title: "The browser takes another way",
    looks_for: "a browser that goes by a proxy, or directly, where this machine's settings say \
                otherwise",
    why: "browsers may have proxy settings of their own, and a route that works says nothing about \
          another",
    remedy: "try the browser's way, or set the browser to the machine's",
    check: browser_other_way,
};
pub(super) const BROWSER_MESSAGE: Rule = Rule {
    id: "browser-message",
    title: "What the browser's console says",
    looks_for: "a text that a person pasted, among those that Chrome, Firefox and Safari write",
    why: "it tells at which layer a browser failed; it is somebody's word, from an unknown time, so \
          that it supports a verdict and never makes one",
    remedy: "none",
    check: browser_message,
};

/// Who says so, for sentences.
pub(super) fn who(view: &BrowserView<'_>) -> String {
    let seen = view.seen;
    match (seen.live, &seen.browser) {
        (true, _) => seen.source.clone(),
        (false, Some(browser)) => format!("{browser} ({})", seen.source),
        (false, None) => seen.source.clone(),
    }
}

/// How it went, for sentences and citations.
pub(super) fn how(view: &BrowserView<'_>) -> String {
    let seen = view.seen;
    match view.fate {
        Fate::Works => "it works".into(),
        Fate::CutLater => {
            let at = seen.closed.as_ref().and_then(|closed| closed.at_ms);
            let at = at.map_or(String::new(), |ms| format!(" after {:.1} s", ms / 1e3));
            format!("it was cut{at}")
        }
        Fate::NoFrames => match meaning(seen) {
            Some(meaning) if meaning != Meaning::Unspecific => {
                format!("it opened, and {}", meaning.words())
            }
            _ => "it opened, and ended at once without a frame".into(),
        },
        Fate::Answered(status) => match &seen.response {
            Some(head) => head.status_line(),
            None => format!("status {status}"),
        },
        Fate::Failed(meaning) => match &seen.error {
            Some(error) => format!("{} ({error})", meaning.words()),
            None => meaning.words(),
        },
        Fate::NotTold => "it cannot be told how it went".into(),
    }
}

pub(super) fn draft(
    rule: &'static str,
    severity: Severity,
    title: impl Into<String>,
    focus: &BundleView<'_>,
    view: &BrowserView<'_>,
) -> Draft {
    Draft::browser(rule, severity, title, focus, view.seen, how(view))
}

/// Cites the collector's handshake that a browser's is compared with.
fn counterpart(focus: &BundleView<'_>, view: &BrowserView<'_>) -> Option<crate::model::Citation> {
    let id = compare(focus.bundle, view.seen)?.observation;
    let own = focus.bundle.observations.observations.iter().find(|o| o.id == id)?;
    let Step::Upgrade(upgrade) = &own.step else { return None };
    let excerpt = match &upgrade.result {
        Outcome::Ok(reply) => reply.head.status_line(),
        Outcome::Failed(failure) => failure.to_string(),
    };
    Some(focus.cite(own, excerpt))
}

fn differences(focus: &BundleView<'_>, view: &BrowserView<'_>) -> Vec<Difference> {
    compare(focus.bundle, view.seen).map(|compared| compared.differences).unwrap_or_default()
}

/// The differences as sentences; of the answers themselves the text tells already.
fn listed(differences: &[Difference]) -> String {
    let shown: Vec<String> = differences
        .iter()
        .filter(|one| one.what != "answer" && !one.what.starts_with("response"))
        .take(8)
        .map(|one| {
            let cut = |text: &str| text.chars().take(120).collect::<String>();
            format!(
                "{}: {} (browser), {} (collector)",
                one.what,
                cut(&one.browser),
                cut(&one.collector)
            )
        })
        .collect();
    match shown.as_slice() {
        [] => "Nothing else differs between the two requests.".to_owned(),
        some => format!("What differs between the two: {}.", some.join("; ")),
    }
}

pub(super) fn ask_a_browser(e: &Evidence<'_>) -> Vec<String> {
    vec![run_again(e, "--browser")]
}

/// What the failing browser says, when there is one that tells: the first, since
/// those run by the collector come before recordings. One that works speaks for
/// all, unless the collector ran the failing one itself.
pub(super) fn failing<'a>(focus: &BundleView<'a>) -> Option<BrowserView<'a>> {
    let all = focus.browsers();
    let told = all.iter().find(|view| view.fate != Fate::NotTold)?;
    told.fate.fails().then_some(*told)
}

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
        "lb-http2-browser",
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
) -> Option<Vec<String>> {
    if !view.fresh {
        return Some(ask_a_browser(e));
    }
    match taken(focus, view.seen) {
        Some(Taken::NotTried(way)) => {
            return Some(vec![match way.strip_prefix("proxy ") {
                Some(url) => run_again(e, &format!("--browser -x {}", quote(url))),
                None => run_again(e, "--browser --noproxy '*'"),
            }]);
        }
        // It fails there for the collector, too, or was not told: the way is the matter.
        Some(Taken::Route(way)) if !way.socket(path).works() => {
            return Some(match way.route.id.0.strip_prefix("proxy ") {
                Some(url) => vec![run_again(e, &format!("-x {}", quote(url)))],
                None => vec![run_again(e, "--noproxy '*'")],
            });
        }
        _ => {}
    }
    // Without the browser-like twin, Origin and subprotocol may be the reason.
    let twin = route.browser_reply(path);
    if twin.is_none_or(|twin| twin.kind != ReplyKind::Switched) {
        return Some(vec![run_again(e, "")]);
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
        || matches!((FRAMES_BLOCKED_COMPRESSED.check)(e), Answer::Fail(_));
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
    if view.fate == Fate::NoFrames && held.is_some_and(|(_, _, held)| cut(held).is_some()) {
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
        Fate::Failed(meaning @ (Meaning::Extension | Meaning::Policy | Meaning::Untrusted)) => {
            Some(meaning)
        }
        _ => None,
    };
    let finding = draft(
        "browser-only",
        Severity::Error,
        "Only the browser fails",
        focus,
        view,
    )
    .text(format!(
        "{}: {}. By the same route ({}) the collector's own handshakes on {path} work, also with a \
         browser's Origin and subprotocol. {} Look at the browser: its extensions, its own proxy \
         settings, its policies.",
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

fn browser_agrees(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let twin_fails = route.browser_reply(path).is_some_and(|t| t.kind != ReplyKind::Switched)
        || route.trusted() == Some(false);
    let Some(view) = failing(focus) else { return Answer::NotApplicable };
    if route.socket(path).works() && !twin_fails {
        return Answer::NotApplicable;
    }
    let finding =
        draft("browser-agrees", Severity::Info, "The browser meets the same fault", focus, &view)
            .text(format!("{}: {}.", who(&view), how(&view)))
            .also(counterpart(focus, &view))
            .done();
    Answer::Note(vec![finding])
}

/// A browser that works where the collector's probes fail.
fn working<'a>(e: &Evidence<'a>) -> Option<BrowserView<'a>> {
    let (focus, route, path) = e.deciding()?;
    if route.socket(path).works() {
        return None;
    }
    let all = focus.browsers();
    let told = all.into_iter().find(|view| view.fate != Fate::NotTold)?;
    (matches!(told.fate, Fate::Works | Fate::CutLater) && told.fresh).then_some(told)
}

/// Whether what a browser saw speaks against a claim that the socket does not
/// work: then nobody can be sure.
pub(crate) fn speaks_against(e: &Evidence<'_>, claim: &Claim) -> bool {
    let later = matches!(claim.cause, Cause::IdleTimeout | Cause::LifetimeLimit);
    // An open socket on which nothing came says nothing about frames.
    let frames = claim.cause == Cause::FramesBlocked;
    !later && working(e).is_some_and(|view| !frames || heard(view.seen))
}

/// A browser that fails now, where the collector's probes work and nobody can
/// say why: how it failed.
pub(crate) fn unexplained(e: &Evidence<'_>) -> Option<String> {
    let (focus, ..) = e.deciding()?;
    let view = failing(focus).filter(|view| view.fresh)?;
    Some(format!("{}: {}", who(&view), how(&view)))
}

fn browser_works(e: &Evidence<'_>) -> Answer {
    let (Some((focus, ..)), Some(view)) = (e.deciding(), working(e)) else {
        return Answer::NotApplicable;
    };
    let differences = differences(focus, &view);
    let finding = draft(
        "browser-works",
        Severity::Warning,
        "The browser's WebSocket works, the collector's does not",
        focus,
        &view,
    )
    .text(format!(
        "{} opened the WebSocket, and the collector's own handshake fails. {}",
        who(&view),
        listed(&differences)
    ))
    .also(counterpart(focus, &view))
    .done();
    Answer::Note(vec![finding])
}

fn browser_cut(e: &Evidence<'_>) -> Answer {
    let Some((focus, ..)) = e.deciding() else { return Answer::NotApplicable };
    let notes = focus
        .browsers()
        .into_iter()
        .filter(|view| view.fate == Fate::CutLater)
        .map(|view| {
            let code = view.seen.closed.as_ref().and_then(|closed| closed.code);
            let code = code.map_or("no code".into(), |code| format!("code {code}"));
            draft("browser-cut", Severity::Info, "The browser's WebSocket was cut", focus, &view)
                .text(format!(
                    "{}: {} ({code}: no close frame came). That is all that a browser shows of a \
                     connection that something on the way ends.",
                    who(&view),
                    how(&view)
                ))
                .done()
        })
        .collect::<Vec<_>>();
    if notes.is_empty() { Answer::NotApplicable } else { Answer::Note(notes) }
}

fn browser_other_way(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let notes = focus
        .browsers()
        .into_iter()
        .filter_map(|view| {
            let way = match taken(focus, view.seen)? {
                Taken::Route(way) if way.route.id == route.route.id => return None,
                Taken::Route(way) => way.route.id.to_string(),
                Taken::NotTried(way) => way.to_owned(),
            };
            let title = format!("The browser goes by {way}, and not by {}", route.route.id);
            let note =
                draft("browser-other-way", Severity::Warning, title, focus, &view).text(format!(
                    "{} took {way}; this machine's settings choose {}. A browser may have a proxy \
                     setting or a policy of its own.",
                    who(&view),
                    route.route.id
                ));
            Some(note.done())
        })
        .collect::<Vec<_>>();
    if notes.is_empty() { Answer::NotApplicable } else { Answer::Note(notes) }
}

fn browser_message(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let Some(text) = &focus.bundle.manifest.answers.browser_message else {
        return Answer::NotApplicable;
    };
    let observation = route
        .upgrade_reply(path)
        .map(|r| r.observation)
        .or_else(|| route.upgrade_failure(path).map(|(o, _)| o))
        .or_else(|| route.observations.first().copied());
    let Some(observation) = observation else { return Answer::NotApplicable };
    let shown: String = text.chars().take(300).collect();
    let Some(meaning) = Meaning::of(text) else {
        return Answer::Note(vec![
            Draft::new(
                "browser-message",
                Severity::Info,
                "The browser's message is none that is known here",
                focus,
                observation,
                format!("pasted: {shown}"),
            )
            .text("It is shown as it was given, and was not used.")
            .done(),
        ]);
    };
    let works = route.socket(path).works();
    let beside = match (works, meaning) {
        (_, Meaning::PageLeft) => "",
        (true, _) => {
            " What was measured now works: ask a browser with --browser, or record it with --har."
        }
        (false, _) => " It is somebody's word, and supports what was measured.",
    };
    let finding = Draft::new(
        "browser-message",
        Severity::Info,
        "What the browser's console said",
        focus,
        observation,
        format!("pasted: {shown}"),
    )
    .text(format!("The message means that {}.{beside}", meaning.words()))
    .done();
    Answer::Note(vec![finding])
}
