//! The sockets of one recording as a sequence: how many there were, how long each
//! lived, and whether the page connects again and again.

use chrono::{DateTime, Utc};
use wss_bundle::Bundle;
use wss_bundle::browser::{BrowserClose, BrowserHandshake, BrowserRequest};

/// A socket that follows another's end within this time was opened because of it, in seconds.
const AGAIN_S: f64 = 60.0;
/// Sockets that came again before it is called a habit.
const HABIT: usize = 3;
/// Ages that differ by no more than this are one age, in seconds, or this part of it.
const SAME_S: f64 = 1.5;
const SAME_PART: f64 = 0.05;
/// A limit that is shorter than this would be no limit but a fault, in seconds.
const LIMIT_S: f64 = 5.0;

/// The sockets of one recording on one path.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence<'a> {
    /// The first of them, to cite.
    pub first: &'a BrowserHandshake,
    /// How many there were.
    pub sockets: u64,
    /// How many were opened.
    pub opened: usize,
    /// How many did not open; pages that were left do not count.
    pub failed: usize,
    /// How many were opened and had ended.
    pub ended: usize,
    /// From the beginning of the first to the end of the last, in seconds.
    pub span_s: f64,
    /// How long those lived that were opened and ended, in seconds, in their order.
    pub lives_s: Vec<f64>,
    /// How often another was opened because one had ended.
    pub reopened: usize,
    /// Codes of their close events, each once.
    pub codes: Vec<u16>,
    /// What their ends have in common.
    pub limit: Option<Limit>,
}

/// What the ends of sockets have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// All ended at this age, in seconds.
    Age(f64),
    /// All ended this long after their last message, in seconds.
    Silence(f64),
    /// Both fit.
    Either(f64),
}

impl Limit {
    /// Its length in seconds.
    #[must_use]
    pub fn seconds(self) -> f64 {
        match self {
            Self::Age(s) | Self::Silence(s) | Self::Either(s) => s,
        }
    }
}

impl Sequence<'_> {
    /// Whether the page connects again and again: a console does not when all is well.
    #[must_use]
    pub fn again_and_again(&self) -> bool {
        self.reopened >= HABIT
    }

    /// Shortest and longest life, in seconds.
    #[must_use]
    pub fn between(&self) -> Option<(f64, f64)> {
        let shortest = self.lives_s.iter().copied().reduce(f64::min)?;
        Some((shortest, self.lives_s.iter().copied().fold(shortest, f64::max)))
    }
}

/// One socket, as far as it counts here. Times are milliseconds since 1970.
struct Socket<'a> {
    begun: f64,
    opened: bool,
    left: bool,
    end: Option<f64>,
    last_frame: Option<f64>,
    closed: Option<&'a BrowserClose>,
}

fn millis(at: DateTime<Utc>) -> f64 {
    at.timestamp_micros() as f64 / 1e3
}

fn socket<'a>(
    at: Option<DateTime<Utc>>,
    closed: Option<&'a BrowserClose>,
    last_frame_ms: Option<f64>,
    (opened, left): (bool, bool),
) -> Option<Socket<'a>> {
    let begun = millis(at?);
    let end = closed.and_then(|closed| closed.at_ms).map(|ms| begun + ms);
    Some(Socket {
        begun,
        opened,
        left,
        end,
        last_frame: last_frame_ms.map(|ms| begun + ms),
        closed,
    })
}

/// What the recordings of a bundle have on a path, one of each.
#[must_use]
pub fn sequences<'a>(bundle: &'a Bundle, path: &str) -> Vec<Sequence<'a>> {
    let path = path.split('?').next().unwrap_or_default();
    let all = &bundle.observations.browser;
    let recorded = all.iter().filter(|seen| !seen.live);
    let mut sources: Vec<&str> = Vec::new();
    for seen in recorded.clone() {
        if !sources.contains(&seen.source.as_str()) {
            sources.push(&seen.source);
        }
    }
    sources.sort();
    let of = |source: &&str| {
        let source: &str = source;
        let own = recorded.clone().filter(|seen| seen.source == source);
        let pages: Vec<f64> = own
            .clone()
            .filter(|seen| seen.kind == BrowserRequest::Document)
            .filter_map(|seen| seen.at.map(millis))
            .collect();
        let mut sockets: Vec<&BrowserHandshake> = own
            .filter(|seen| seen.kind == BrowserRequest::Websocket && seen.path() == path)
            .collect();
        sockets.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        sequence(&sockets, &pages)
    };
    sources.iter().filter_map(of).collect()
}

fn sequence<'a>(seen: &[&'a BrowserHandshake], pages: &[f64]) -> Option<Sequence<'a>> {
    let first = *seen.first()?;
    let mut all: Vec<Socket<'a>> = Vec::new();
    for one in seen {
        let told = (one.switched(), super::left(one));
        all.extend(socket(one.at, one.closed.as_ref(), one.last_frame_ms, told));
        all.extend(one.alike.iter().filter_map(|other| {
            let told = (one.switched(), other.left);
            socket(other.at, other.closed.as_ref(), other.last_frame_ms, told)
        }));
    }
    all.sort_by(|a, b| a.begun.total_cmp(&b.begun));
    let ended: Vec<&Socket<'_>> = all.iter().filter(|s| s.opened && s.end.is_some()).collect();
    let lives_s: Vec<f64> =
        ended.iter().filter_map(|s| s.end.map(|end| (end - s.begun) / 1e3)).collect();
    let begun = all.first().map_or(0.0, |s| s.begun);
    let last = all.iter().map(|s| s.end.unwrap_or(s.begun)).fold(begun, f64::max);
    let mut codes: Vec<u16> = all.iter().filter_map(|s| s.closed?.code).collect();
    codes.sort();
    codes.dedup();
    let more: u64 = seen.iter().map(|one| 1 + one.alike.len() as u64 + one.alike_more).sum();
    Some(Sequence {
        first,
        sockets: more,
        opened: all.iter().filter(|s| s.opened).count(),
        failed: all.iter().filter(|s| !s.opened && !s.left).count(),
        ended: ended.len(),
        span_s: (last - begun) / 1e3,
        reopened: reopened(&all, pages),
        codes,
        limit: limit(&ended, &lives_s),
        lives_s,
    })
}

/// How often a socket follows the end of one that was open, without a page that was
/// loaded between them.
fn reopened(all: &[Socket<'_>], pages: &[f64]) -> usize {
    let follows = |at: usize, end: f64| {
        let next = all[at + 1..].iter().find(|next| next.begun >= end - 1e3);
        next.is_some_and(|next| {
            let loaded = pages.iter().any(|page| (end - 2e3..=next.begun).contains(page));
            next.begun - end <= AGAIN_S * 1e3 && !loaded
        })
    };
    all.iter()
        .enumerate()
        .filter(|(at, s)| s.opened && s.end.is_some_and(|end| follows(*at, end)))
        .count()
}

fn limit(ended: &[&Socket<'_>], lives_s: &[f64]) -> Option<Limit> {
    if ended.len() < HABIT {
        return None;
    }
    let silences: Vec<f64> =
        ended.iter().filter_map(|s| Some((s.end? - s.last_frame?) / 1e3)).collect();
    let age = same(lives_s);
    let silence = same(&silences).filter(|_| silences.len() == ended.len());
    match (age, silence) {
        (Some(age), Some(silence)) if (age - silence).abs() <= SAME_S * 2.0 => {
            Some(Limit::Either(age))
        }
        (Some(age), _) => Some(Limit::Age(age)),
        (None, Some(silence)) => Some(Limit::Silence(silence)),
        (None, None) => None,
    }
}

/// What numbers have in common, where they do and it is long enough.
fn same(numbers: &[f64]) -> Option<f64> {
    let mean = numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
    let near = |n: &f64| (n - mean).abs() <= SAME_S.max(mean * SAME_PART);
    (mean >= LIMIT_S && numbers.iter().all(near)).then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(at_s: i64, life_s: f64, last_s: f64) -> BrowserHandshake {
        let url = "wss://b.example/v1/ws".to_owned();
        let mut seen = BrowserHandshake::new("har:x", BrowserRequest::Websocket, url);
        seen.at = DateTime::from_timestamp(1_700_000_000 + at_s, 0);
        seen.response = Some(wss_bundle::ResponseHead::new("HTTP/1.1 101 x\r\n\r\n"));
        let at_ms = Some(life_s * 1e3);
        seen.closed = Some(BrowserClose { code: None, clean: None, at_ms });
        seen.last_frame_ms = Some(last_s * 1e3);
        seen
    }

    fn of(all: &[BrowserHandshake], pages: &[f64]) -> (usize, Option<Limit>, u64) {
        let all: Vec<&BrowserHandshake> = all.iter().collect();
        let found = sequence(&all, pages).unwrap();
        (found.reopened, found.limit, found.sockets)
    }

    #[test]
    fn again_and_again_and_what_the_ends_have_in_common() {
        let at_age: Vec<_> = (0..5).map(|n| seen(n * 32, 30.2, 29.0)).collect();
        assert_eq!(of(&at_age, &[]), (4, Some(Limit::Age(30.2)), 5));
        let idle: Vec<_> =
            (0..5).map(|n| seen(n * 130, 70.0 + n as f64 * 9.0, 10.0 + n as f64 * 9.0)).collect();
        assert_eq!(of(&idle, &[]), (4, Some(Limit::Silence(60.0)), 5));
        let silent: Vec<_> = (0..4).map(|n| seen(n * 62, 60.4, 0.4)).collect();
        assert_eq!(of(&silent, &[]).1, Some(Limit::Either(60.4)));
        let flicker: Vec<_> = (0..4).map(|n| seen(n * 4, 1.0 + n as f64 * 0.5, 0.5)).collect();
        assert_eq!(of(&flicker, &[]), (3, None, 4));
        // Each page opens its own.
        let pages: Vec<f64> =
            (0..4).map(|n| (1_700_000_000.0 + n as f64 * 4.0 - 0.2) * 1e3).collect();
        assert_eq!(of(&flicker, &pages).0, 0);
        // An hour apart is no loop.
        let rare: Vec<_> = (0..4).map(|n| seen(n * 3600, 50.0, 0.5)).collect();
        assert_eq!(of(&rare, &[]).0, 0);
    }

    #[test]
    fn those_that_went_alike_count() {
        let mut one = seen(0, 2.0, 0.5);
        one.alike = (1..5)
            .map(|n| wss_bundle::browser::Alike {
                at: DateTime::from_timestamp(1_700_000_000 + n * 3, 0),
                closed: one.closed.clone(),
                last_frame_ms: Some(500.0),
                left: false,
            })
            .collect();
        one.alike_more = 7;
        assert_eq!(of(&[one], &[]), (4, None, 12));
    }
}
