//! How a socket went in time, in words: for the screen, the report and the reply.

use super::{Fate, Meaning, fate};
use wss_bundle::browser::BrowserHandshake;

/// A time for people: `0.52 s`, `15.3 s`, `12 min`.
#[must_use]
pub fn seconds(s: f64) -> String {
    match s {
        s if s < 1.0 => format!("{s:.2} s"),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} hours", s / 3600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

/// The browser's family: `Chrome`.
#[must_use]
pub fn family(seen: &BrowserHandshake) -> &str {
    seen.browser.as_deref().and_then(|name| name.split(' ').next()).unwrap_or("the browser")
}

fn no_answer(ms: f64) -> String {
    format!("no answer {} after its start, when the recording was saved", seconds(ms / 1e3))
}

/// When it was answered, how long it was open, and how it ended, as far as the
/// browser tells: phrases to be joined.
#[must_use]
pub fn course(seen: &BrowserHandshake) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(ms) = seen.answered_ms.filter(|_| seen.status().is_some()) {
        out.push(format!("answered after {}", seconds(ms / 1e3)));
    }
    let how = fate(seen);
    let failed = matches!(how, Fate::Failed(_) | Fate::Answered(_)) && !seen.switched();
    if let Some(closed) = &seen.closed {
        let what = if failed { "failed" } else { "ended" };
        let at = closed.at_ms.map_or(String::new(), |ms| format!(" after {}", seconds(ms / 1e3)));
        let code = closed.code.filter(|_| !failed);
        let code = code.map_or(String::new(), |code| format!(" with code {code}"));
        if !(at.is_empty() && code.is_empty() && !failed) {
            out.push(format!("{what}{at}{code}"));
        }
    } else if seen.switched() {
        let last = seen.last_frame_ms.filter(|ms| *ms > 0.0);
        let last = last.map(|ms| {
            format!("open at least until its last message, {} after its start", seconds(ms / 1e3))
        });
        let saved = seen
            .watched_ms
            .filter(|_| !seen.live)
            .map(|ms| format!("open until the recording was saved ({:.0} s)", (ms / 1e3).max(1.0)));
        out.extend(saved.or(last));
    } else if !seen.live && seen.status().is_none() && how == Fate::NotTold {
        out.push(match seen.watched_ms {
            Some(ms) => no_answer(ms),
            None => "no answer yet when the recording was saved; since when tells nothing".into(),
        });
    } else if let Some(ms) = seen.watched_ms.filter(|_| !seen.live && seen.status().is_none()) {
        out.push(no_answer(ms));
    }
    let told = seen.error.is_some() || seen.console.iter().any(|line| !line.trim().is_empty());
    if how == Fate::Failed(Meaning::Unspecific) && !told {
        out.push(format!("{} gives no reason", family(seen)));
    }
    out
}
