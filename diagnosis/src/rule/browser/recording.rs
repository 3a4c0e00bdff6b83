//! What a recording shows beyond one handshake: a status that somebody answered, a
//! page that connects again and again, and that it is of another day.

use super::{ask_a_browser, counterpart, differences, draft, failing, how, listed, who};
use crate::evidence::browser::{Limit, Sequence, seconds, sequences};
use crate::evidence::{BrowserView, BundleView, Evidence, Fate};
use crate::model::Severity;
use crate::model::{Next, NextStep};
use crate::rule::{Answer, Check, Draft, Rule};
use crate::suggest::run_again;
use wss_bundle::browser::{BrowserHandshake, BrowserRequest};

pub(in crate::rule) const BROWSER_ANSWERED: Rule = Rule {
    id: "browser-answered",
    title: "The browser got an answer that the collector does not get",
    looks_for: "a recording in which the handshake was answered with an error, while the collector's \
                own handshakes work",
    why: "a status is an answer of something on the way or of the server, and nothing in the browser \
          gives one: it comes and goes, or hangs on what differs between the two requests",
    remedy: "none: catch it while it is there",
    check: Check::Evidence(browser_answered),
};
pub(in crate::rule) const BROWSER_RECONNECTS: Rule = Rule {
    id: "browser-reconnects",
    title: "The browser connects again and again",
    looks_for: "a recording of the same day with sockets that opened, ended, and were followed by \
                others without a page that was loaded between them",
    why: "a console keeps one socket; what a user calls \"it stops updating\" or \"it flickers\" is a \
          socket that ends and is opened anew. Ends at one age, or at one time after the last message, \
          show a limit",
    remedy: "see the holds, or the server's log at these times",
    check: Check::Evidence(browser_reconnects),
};
pub(in crate::rule) const BROWSER_RECORDING_OLD: Rule = Rule {
    id: "browser-recording-old",
    title: "The recording is of another day",
    looks_for: "a HAR whose handshakes are further than a day from the collection, or have no date",
    why: "it tells of its own time alone, and whoever sent it will ask why it was not used",
    remedy: "record it anew while it fails, and collect right after it",
    check: Check::Evidence(recording_old),
};

/// How long before the collection, for a sentence.
fn before(focus: &BundleView<'_>, seen: &BrowserHandshake) -> Option<String> {
    let gap = focus.bundle.manifest.started_at - seen.at?;
    let s = gap.num_milliseconds() as f64 / 1e3;
    Some(match s {
        s if s.abs() < 1.0 => "at the time of".to_owned(),
        s if s > 0.0 => format!("{} before", seconds(s)),
        s => format!("{} after the beginning of", seconds(-s)),
    })
}

/// Who says so with a status, as far as it tells by itself.
fn said_by(status: u16) -> &'static str {
    match status {
        502..=504 => "a load balancer or a proxy says so that gets no good answer from behind it",
        407 => "a proxy says so that wants a login",
        429 => "a limit says so",
        300..=399 => "something on the way or the server leads elsewhere (a sign-on, mostly)",
        401 | 403 => {
            "something on the way or the server refuses the login, the Origin or the client"
        }
        404 => "something on the way or the server does not know the path",
        400 | 426 => {
            "something on the way or the server does not take it for a WebSocket handshake"
        }
        _ => "something on the way or the server says so",
    }
}

/// A fresh recording that was answered with an error, where the collector's own
/// handshakes work.
fn answered<'a>(e: &Evidence<'a>) -> Option<(BrowserView<'a>, u16)> {
    let (focus, route, path) = e.deciding()?;
    let view = failing(focus).filter(|view| view.fresh && !view.seen.live)?;
    let Fate::Answered(status) = view.fate else { return None };
    route.socket(path).works().then_some((view, status))
}

fn browser_answered(e: &Evidence<'_>) -> Answer {
    let (Some((focus, ..)), Some((view, status))) = (e.deciding(), answered(e)) else {
        return Answer::NotApplicable;
    };
    let when = before(focus, view.seen).unwrap_or_else(|| "at another time than".to_owned());
    let finding = draft(Severity::Warning,
        format!("The browser got {status}; the collector's handshakes are answered with 101"),
        focus,
        &view,
    )
    .text(format!(
        "{}: {}, {when} the probes here, which work. A status is an answer: {}. It comes and goes, or \
         hangs on what differs. {}",
        who(&view),
        how(&view),
        said_by(status),
        listed(&differences(focus, &view))
    ))
    .also(counterpart(focus, &view))
    .done();
    Answer::Note(vec![finding])
}

/// Fresh recordings whose page connects again and again, though the page did not
/// close them itself.
fn loops<'a>(focus: &BundleView<'a>) -> Vec<Sequence<'a>> {
    let started = focus.bundle.manifest.started_at;
    sequences(focus.bundle, focus.path)
        .into_iter()
        .filter(|s| s.first.at.is_some_and(|at| crate::evidence::browser::fresh(started, at)))
        .filter(Sequence::again_and_again)
        .collect()
}

/// Whether the page closed them itself, by their codes.
fn by_the_page(s: &Sequence<'_>) -> bool {
    !s.codes.is_empty() && s.codes.iter().all(|code| matches!(code, 1000 | 1001))
}

/// `opened 10 sockets in 38.0 s, and each ended after 0.78 to 4.2 s`.
fn told(s: &Sequence<'_>) -> String {
    let each = if s.ended == s.opened { "each" } else { "all but the last" };
    let each =
        if s.opened > s.ended + 1 { format!("{} of them", s.ended) } else { each.to_owned() };
    let lives = s.between().map_or(String::new(), |(shortest, longest)| {
        match (seconds(shortest), seconds(longest)) {
            (a, b) if a == b => format!(" after {a}"),
            (a, b) => format!(" after {a} to {b}"),
        }
    });
    let codes: Vec<String> = s.codes.iter().map(u16::to_string).collect();
    let codes = match codes.as_slice() {
        [] => String::new(),
        some => format!(" with code {}", some.join(", ")),
    };
    let failed = match s.failed {
        0 => String::new(),
        n => format!("; {n} more did not open"),
    };
    format!(
        "it opened {} sockets in {}, and {each} was cut or closed{lives}{codes}{failed}",
        s.opened,
        seconds(s.span_s)
    )
}

fn of_the_limit(limit: Limit) -> String {
    let s = seconds(limit.seconds());
    match limit {
        Limit::Age(_) => format!(
            " All ended at the same age (about {s}), whatever went over them: that is a limit of the \
             connection's age on the way or at the server."
        ),
        Limit::Silence(_) => format!(
            " All ended about {s} after their last message: that is an idle timeout on the way or at \
             the server."
        ),
        Limit::Either(_) => format!(
            " All ended at the same age (about {s}), and were silent before it: that is an idle timeout, \
             or a limit of the connection's age."
        ),
    }
}

fn catch_it(e: &Evidence<'_>, s: &Sequence<'_>) -> Vec<Next> {
    match s.limit {
        Some(limit) => {
            vec![run_again(
                e,
                NextStep::LongerHold,
                &format!("--hold {:.0}s", (limit.seconds() * 1.5 + 15.0).max(75.0)),
            )]
        }
        None => ask_a_browser(e),
    }
}

fn browser_reconnects(e: &Evidence<'_>) -> Answer {
    let Some((focus, ..)) = e.deciding() else { return Answer::NotApplicable };
    let notes: Vec<_> = loops(focus)
        .into_iter()
        .map(|s| {
            let limit = s.limit.map(of_the_limit).unwrap_or_default();
            let own = if by_the_page(&s) {
                " By their codes the page or the server closed them in the ordinary way."
            } else {
                " A console does not do that when all is well."
            };
            Draft::browser(
                if by_the_page(&s) { Severity::Info } else { Severity::Warning },
                "The browser connects again and again",
                focus,
                s.first,
                told(&s),
            )
            .text(format!("{}: {}.{limit}{own}", s.first.source, told(&s)))
            .done()
        })
        .collect();
    if notes.is_empty() { Answer::NotApplicable } else { Answer::Note(notes) }
}

/// A browser that fails now, where the collector's probes work and nobody can say
/// why: the verdict's sentence, and what would tell.
pub(crate) fn unexplained(e: &Evidence<'_>) -> Option<(String, Vec<Next>)> {
    let (focus, ..) = e.deciding()?;
    if let Some((view, status)) = answered(e) {
        let when = before(focus, view.seen).unwrap_or_else(|| "at another time than".to_owned());
        return Some((
            format!(
                "The collector's own handshakes work now, and the browser's was answered with {status} \
                 ({}), {when} them: {}. It comes and goes, and who gives it cannot be told from here.",
                view.seen.source,
                said_by(status)
            ),
            ask_a_browser(e),
        ));
    }
    if let Some(view) = failing(focus).filter(|view| view.fresh) {
        return Some((
            format!(
                "The collector's own handshakes work, and a browser's does not ({}: {}); the two cannot \
                 be compared.",
                who(&view),
                how(&view)
            ),
            Vec::new(),
        ));
    }
    let s = loops(focus).into_iter().find(|s| !by_the_page(s))?;
    let limit = s.limit.map(of_the_limit).unwrap_or_default();
    Some((
        format!(
            "The collector's own handshakes work, and the browser connects again and again ({}): {}.{limit}",
            s.first.source,
            told(&s)
        ),
        catch_it(e, &s),
    ))
}

fn recording_old(e: &Evidence<'_>) -> Answer {
    let Some((focus, ..)) = e.deciding() else { return Answer::NotApplicable };
    let started = focus.bundle.manifest.started_at;
    let mut notes: Vec<crate::model::Finding> = Vec::new();
    let mut sources: Vec<&str> = Vec::new();
    let recorded = focus.bundle.observations.browser.iter();
    let sockets = recorded.filter(|seen| !seen.live && seen.kind == BrowserRequest::Websocket);
    let mut all: Vec<&BrowserHandshake> = sockets.collect();
    all.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    for seen in all {
        // The newest of a recording speaks for it.
        if sources.contains(&seen.source.as_str()) {
            continue;
        }
        sources.push(&seen.source);
        if seen.at.is_some_and(|at| crate::evidence::browser::fresh(started, at)) {
            continue;
        }
        let (title, of) = match seen.at {
            Some(at) => {
                let day = at.format("%Y-%m-%d");
                let days = (started - at).num_hours() as f64 / 24.0;
                let apart = match days.abs() {
                    d if d >= 60.0 => format!("{:.0} days, about {:.0} months,", d, d / 30.44),
                    d => format!("{d:.0} days"),
                };
                let way = if days >= 0.0 { "before" } else { "after" };
                (
                    format!("The recording is of {day}"),
                    format!("is of {day}, {apart} {way} this collection"),
                )
            }
            None => {
                ("The recording has no date".to_owned(), "does not say when it was made".to_owned())
            }
        };
        let view = BrowserView { seen, fate: crate::evidence::browser::fate(seen), fresh: false };
        notes.push(
            draft(Severity::Warning, title, focus, &view)
                .text(format!(
                    "{} {of}: it tells of its own time alone, and was not used. It counts when it is made \
                     within 24 hours of a collection: record it anew while it fails (--har), and collect \
                     right after it, or let the collector ask a browser itself (--browser).",
                    seen.source
                ))
                .done(),
        );
    }
    if notes.is_empty() { Answer::NotApplicable } else { Answer::Note(notes) }
}
