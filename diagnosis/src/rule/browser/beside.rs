//! What a browser saw beside what the collector measured, where it makes no cause.

use super::{counterpart, differences, draft, failing, how, listed, who};
use crate::evidence::browser::{Taken, heard, taken};
use crate::evidence::{BrowserView, Evidence, Fate, ReplyKind};
use crate::model::{Cause, Severity};
use crate::rule::{Answer, Check, Claim, Rule};

pub(in crate::rule) const BROWSER_AGREES: Rule = Rule {
    id: "browser-agrees",
    title: "The browser meets the same fault",
    looks_for: "a browser whose handshake fails where the collector's fails, too",
    why: "it shows that the fault is not the collector's, nor the browser's",
    remedy: "none: see the cause",
    check: Check::Evidence(browser_agrees),
};
pub(in crate::rule) const BROWSER_WORKS: Rule = Rule {
    id: "browser-works",
    title: "The browser's WebSocket works, the collector's does not",
    looks_for: "a browser whose handshake succeeds where the collector's fails",
    why: "then something differs between the two that is not known yet, and the verdict is only as \
          good as the comparison",
    remedy: "none: look at the differences",
    check: Check::Evidence(browser_works),
};
pub(in crate::rule) const BROWSER_CUT: Rule = Rule {
    id: "browser-cut",
    title: "The browser's WebSocket was cut",
    looks_for: "a browser's socket that worked and ended without a close frame (code 1006)",
    why: "it is what the console's user sees of an idle timeout",
    remedy: "none: see the holds",
    check: Check::Evidence(browser_cut),
};
pub(in crate::rule) const BROWSER_OTHER_WAY: Rule = Rule {
    id: "browser-other-way",
    title: "The browser takes another way",
    looks_for: "a browser that goes by a proxy, or directly, where this machine's settings say \
                otherwise",
    why: "browsers may have proxy settings of their own, and a route that works says nothing about \
          another",
    remedy: "try the browser's way, or set the browser to the machine's",
    check: Check::Evidence(browser_other_way),
};

fn browser_agrees(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let twin_fails = route.browser_reply(path).is_some_and(|t| t.kind != ReplyKind::Switched)
        || route.trusted() == Some(false);
    let Some(view) = failing(focus).filter(|view| view.fresh) else {
        return Answer::NotApplicable;
    };
    if route.socket(path).works() && !twin_fails {
        return Answer::NotApplicable;
    }
    let finding = draft(Severity::Info, "The browser meets the same fault", focus, &view)
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

fn browser_works(e: &Evidence<'_>) -> Answer {
    let (Some((focus, ..)), Some(view)) = (e.deciding(), working(e)) else {
        return Answer::NotApplicable;
    };
    let differences = differences(focus, &view);
    let finding = draft(
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
        .filter(|view| view.fate == Fate::CutLater && view.fresh)
        .map(|view| {
            let code = view.seen.closed.as_ref().and_then(|closed| closed.code);
            let code = code.map_or("no code".into(), |code| format!("code {code}"));
            draft(Severity::Info, "The browser's WebSocket was cut", focus, &view)
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
            let note = draft(Severity::Warning, title, focus, &view).text(format!(
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
