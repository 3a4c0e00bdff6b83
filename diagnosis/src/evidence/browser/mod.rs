//! What browsers saw of the console's socket: how it went, what their words
//! mean, and the same handshake of the collector's own beside it.

mod compare;
mod course;
mod sequence;

pub use crate::console::Meaning;
pub use compare::{Compared, Difference, compare};
pub use course::{course, family, seconds};
pub use sequence::{Limit, Sequence, sequences};

use super::{BundleView, RouteView};
use crate::console;
use chrono::{DateTime, TimeDelta, Utc};
use wss_bundle::Bundle;
use wss_bundle::browser::{BrowserHandshake, BrowserRequest};

/// A recording that is further from the collection than this tells of another day.
const FRESH: TimeDelta = TimeDelta::hours(24);
/// A socket that ends within this time of its opening never worked, in milliseconds.
const AT_ONCE_MS: f64 = 800.0;
/// A handshake that has waited for so long is not merely slow, in milliseconds.
const WAITED_MS: f64 = 10_000.0;

/// How a browser's socket went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The handshake succeeded, and nothing speaks against the frames.
    Works,
    /// It worked, and ended without a close frame while it was watched.
    CutLater,
    /// The handshake succeeded, and no frames passed.
    NoFrames,
    /// Another status than success.
    Answered(u16),
    /// No answer; what the browser's words mean.
    Failed(Meaning),
    /// It cannot be told.
    NotTold,
}

impl Fate {
    /// Whether the socket did not come to work.
    #[must_use]
    pub fn fails(self) -> bool {
        matches!(self, Self::NoFrames | Self::Answered(_) | Self::Failed(_))
    }
}

/// Whether anything came on an open socket, but for the frame that closes it.
#[must_use]
pub fn heard(seen: &BrowserHandshake) -> bool {
    let farewells = seen.frames.iter().filter(|frame| !frame.sent && frame.opcode == "close");
    seen.frames_received > farewells.count() as u64
}

/// How one socket of a browser went.
#[must_use]
pub fn fate(seen: &BrowserHandshake) -> Fate {
    let meaning = meaning(seen);
    if seen.switched() {
        let abnormal = seen.closed.as_ref().filter(|closed| {
            closed.code.is_some_and(|code| code == 1006 || code == 1002 || code == 1007)
        });
        let at_once = |from: Option<f64>, to: Option<f64>| {
            from.zip(to).is_some_and(|(from, to)| to - from <= AT_ONCE_MS)
        };
        return match (meaning, abnormal) {
            (Some(Meaning::BadFrames | Meaning::BadHandshake | Meaning::Subprotocol), _) => {
                Fate::NoFrames
            }
            (_, Some(closed)) => {
                // The first frame tells that it was open by then.
                let first = seen.frames.first().and_then(|frame| frame.at_ms);
                let opened = seen.opened_ms.or(seen.answered_ms).or(first);
                if !heard(seen) && at_once(opened, closed.at_ms) {
                    Fate::NoFrames
                } else {
                    Fate::CutLater
                }
            }
            _ => Fate::Works,
        };
    }
    if let Some(status) = seen.status() {
        return Fate::Answered(status);
    }
    match meaning {
        Some(Meaning::Status(status)) => Fate::Answered(status),
        Some(meaning) if is_left(meaning) => Fate::NotTold,
        Some(meaning) => Fate::Failed(meaning),
        // A browser that gave up says so by the code of its close event.
        None if seen.closed.is_some() => Fate::Failed(Meaning::Unspecific),
        None if seen.error.is_some() => Fate::Failed(Meaning::Unspecific),
        // Nothing had come for longer than a handshake may take, and it still waited.
        None if seen.watched_ms.is_some_and(|ms| ms >= WAITED_MS) => {
            Fate::Failed(Meaning::TimedOut)
        }
        None => Fate::NotTold,
    }
}

fn is_left(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::PageLeft | Meaning::Interrupted)
}

/// Whether the page was left before the socket opened: the page's own doing.
#[must_use]
pub fn left(seen: &BrowserHandshake) -> bool {
    !seen.switched() && seen.status().is_none() && meaning(seen).is_some_and(is_left)
}

/// What the browser's words about a request mean: the most telling of them.
#[must_use]
pub fn meaning(seen: &BrowserHandshake) -> Option<Meaning> {
    let all: Vec<Meaning> =
        seen.console.iter().chain(&seen.error).filter_map(|text| console::meaning(text)).collect();
    all.iter().find(|one| **one != Meaning::Unspecific).or_else(|| all.first()).copied()
}

/// What one browser saw of one path: the socket that tells most.
#[derive(Debug, Clone, Copy)]
pub struct BrowserView<'a> {
    /// What it saw.
    pub seen: &'a BrowserHandshake,
    /// How it went.
    pub fate: Fate,
    /// Whether it is from the time of the collection.
    pub fresh: bool,
}

/// Whether what was seen at a time tells of the time of a collection.
#[must_use]
pub fn fresh(started: DateTime<Utc>, at: DateTime<Utc>) -> bool {
    (started - at).abs() <= FRESH
}

/// What every browser of a bundle saw of a path: those that the collector ran
/// first, then recordings, the newest first. Of one browser a socket that works
/// speaks before those that do not, since consoles try again.
#[must_use]
pub fn browsers<'a>(bundle: &'a Bundle, path: &str) -> Vec<BrowserView<'a>> {
    let path = path.split('?').next().unwrap_or_default();
    let started = bundle.manifest.started_at;
    let mut all: Vec<BrowserView<'a>> = Vec::new();
    for seen in &bundle.observations.browser {
        if seen.kind != BrowserRequest::Websocket || seen.path() != path {
            continue;
        }
        let fresh = seen.live || seen.at.is_some_and(|at| self::fresh(started, at));
        let fate = if is_own_pages(bundle, seen) { Fate::NotTold } else { fate(seen) };
        let one = BrowserView { seen, fate, fresh };
        match all.iter_mut().find(|known| known.seen.source == seen.source) {
            Some(known) if tells_more(&one, known) => *known = one,
            Some(_) => {}
            None => all.push(one),
        }
    }
    all.sort_by(|a, b| {
        let key = |view: &BrowserView<'_>| (view.seen.live, view.seen.at);
        key(b).cmp(&key(a)).then_with(|| a.seen.id.cmp(&b.seen.id))
    });
    all
}

/// Whether a socket failed for what the page is that opened it, and that page was the
/// collector's own, since the target's could not be had: that says nothing about the
/// console's page.
fn is_own_pages(bundle: &Bundle, seen: &BrowserHandshake) -> bool {
    let no_page = |page: &&BrowserHandshake| {
        page.kind == BrowserRequest::Document && page.live && page.source == seen.source
    };
    let pages_own = matches!(
        meaning(seen),
        Some(
            Meaning::LocalNetwork
                | Meaning::Mixed
                | Meaning::Cors
                | Meaning::Page
                | Meaning::Script
        )
    );
    let mut pages = bundle.observations.browser.iter().filter(no_page);
    seen.live && pages_own && pages.any(|page| page.error.is_some())
}

fn tells_more(one: &BrowserView<'_>, known: &BrowserView<'_>) -> bool {
    let rank = |fate: Fate| match fate {
        Fate::Works | Fate::CutLater => 2,
        Fate::NotTold => 0,
        _ => 1,
    };
    let order = |view: &BrowserView<'_>| (rank(view.fate), view.seen.at);
    (order(one), &known.seen.id) > (order(known), &one.seen.id)
}

/// The collector's route that a browser took.
pub enum Taken<'v, 'a> {
    /// This one.
    Route(&'v RouteView<'a>),
    /// One that was not tried; its name.
    NotTried(&'a str),
}

/// Which of the collector's routes a browser took. One that does not tell is
/// taken to follow the machine's settings.
#[must_use]
pub fn taken<'v, 'a>(
    view: &'v BundleView<'a>,
    seen: &'a BrowserHandshake,
) -> Option<Taken<'v, 'a>> {
    let Some(route) = seen.route.as_deref() else { return view.selected().map(Taken::Route) };
    let known = view.routes.iter().find(|known| same_way(&known.route.id.0, route));
    Some(known.map_or(Taken::NotTried(route), Taken::Route))
}

/// Whether two names are of one route, as far as a browser tells.
pub(super) fn same_way(a: &str, b: &str) -> bool {
    a == b || place(a).is_some() && place(a) == place(b)
}

/// Host and port of a proxy's route.
fn place(route: &str) -> Option<&str> {
    Some(route.strip_prefix("proxy ")?.split_once("://")?.1.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wss_bundle::ResponseHead;
    use wss_bundle::browser::BrowserClose;

    fn seen(status: u16) -> BrowserHandshake {
        let url = "wss://b.example/v1/ws".to_owned();
        let mut seen = BrowserHandshake::new("har:x", BrowserRequest::Websocket, url);
        if status > 0 {
            seen.response = Some(ResponseHead::new(format!("HTTP/1.1 {status} x\r\n\r\n")));
        }
        seen
    }

    fn closed(code: u16, at_ms: f64) -> Option<BrowserClose> {
        Some(BrowserClose { code: Some(code), clean: None, at_ms: Some(at_ms) })
    }

    #[test]
    fn fates() {
        assert_eq!(fate(&seen(101)), Fate::Works);
        assert_eq!(fate(&seen(403)), Fate::Answered(403));
        assert_eq!(fate(&seen(0)), Fate::NotTold);
        let at_once =
            BrowserHandshake { opened_ms: Some(50.0), closed: closed(1006, 60.0), ..seen(101) };
        assert_eq!(fate(&at_once), Fate::NoFrames);
        let later = BrowserHandshake { closed: closed(1006, 60_050.0), ..at_once.clone() };
        assert_eq!(fate(&later), Fate::CutLater);
        // The server's own farewell is no fault of the network.
        let own = BrowserHandshake { closed: closed(4401, 60.0), ..at_once };
        assert_eq!(fate(&own), Fate::Works);
        let unspecific = BrowserHandshake { closed: closed(1006, 20.0), ..seen(0) };
        assert_eq!(fate(&unspecific), Fate::Failed(Meaning::Unspecific));
        let told = BrowserHandshake {
            console: vec!["failed: ".into(), "Unexpected response code: 502".into()],
            ..seen(0)
        };
        assert_eq!(fate(&told), Fate::Answered(502));
    }
}
