//! What a limit refused: one that says so, and one that shows only in that whatever
//! is asked alone passes. What it refused is no answer to what was asked.

use super::super::{Reply, ReplyKind};
use super::Asked;
use crate::said::Says;
use std::collections::BTreeMap;
use wss_bundle::{Failure, FailureKind, Observation, Step};

/// Words of those who limit: standard reason phrases, and the pages of nginx, Apache,
/// HAProxy, Envoy, Traefik, Kong, Cloudflare and the clouds' own.
const LIMITS: [&str; 8] = [
    "too many requests",
    "too many connections",
    "rate limit",
    "rate_limit",
    "ratelimit",
    "limit exceeded",
    "throttl",
    "slow down",
];

/// Whether a response may be a limit's: 429 (RFC 6585 section 4), or 503 with a
/// limiter's words, with `Retry-After`, or as nginx writes it. nginx without a
/// live upstream answers 502; its own 503 is `limit_req`, `limit_conn` or
/// `return 503`.
pub(super) fn may_be_limit(reply: &Reply<'_>) -> bool {
    // Whose words are known says which of the two it is.
    if let Some(row) = reply.said {
        return matches!(row.says, Says::Limited | Says::OwnUnavailable);
    }
    match reply.status {
        429 => true,
        503 | 509 => {
            let head = &reply.reply.head;
            let body = reply.reply.body.bytes.text().to_ascii_lowercase();
            let own = |name: &str| body.contains(&format!("<hr><center>{name}"));
            head.header("retry-after").is_some()
                || LIMITS.iter().any(|words| body.contains(words))
                || ["nginx", "openresty"].into_iter().any(own)
        }
        _ => false,
    }
}

/// Ids of the answers that a limit gave, beside handshakes that it let pass.
pub(in crate::evidence) fn set_aside(seen: &[&Observation], replies: &[Reply<'_>]) -> Vec<String> {
    if !replies.iter().any(|reply| reply.kind == ReplyKind::Switched) {
        return Vec::new();
    }
    let mut ids = by_its_words(replies);
    ids.extend(by_number(seen, replies).map(|o| o.id.clone()));
    ids
}

/// Those of which the answer says so.
fn by_its_words(replies: &[Reply<'_>]) -> Vec<String> {
    if !replies.iter().any(may_be_limit) {
        return Vec::new();
    }
    let by_kind = refused_by_kind(replies);
    let own_kind = |reply: &Reply<'_>| question(reply).is_some_and(|own| by_kind.contains(&own));
    let refused = replies.iter().filter(|reply| may_be_limit(reply) && !own_kind(reply));
    refused.map(|reply| reply.observation.id.clone()).collect()
}

type Question<'a> = (Asked, Option<&'a str>);

fn question<'a>(reply: &Reply<'a>) -> Option<Question<'a>> {
    Some((Asked::by(reply.observation)?, reply.observation.path.as_deref()))
}

/// The questions that are refused each time, as a limit refuses, however long after the
/// last one they are asked, while another passes each time that it is asked so. A limit
/// counts, and does not tell kinds of request apart: that is something else.
pub(in crate::evidence) fn refused_by_kind<'a>(replies: &[Reply<'a>]) -> Vec<Question<'a>> {
    let handshakes = || {
        let all = replies.iter().filter(|r| matches!(r.observation.step, Step::Upgrade(_)));
        all.filter_map(|reply| Some((question(reply)?, reply)))
    };
    let all: Vec<&Observation> = handshakes().map(|(_, reply)| reply.observation).collect();
    let quiet: Vec<&str> = spaced(&all, QUIET_MS).map(|o| o.id.as_str()).collect();
    let mut fared: BTreeMap<Question<'a>, Fared> = BTreeMap::new();
    for (question, reply) in handshakes() {
        let own = fared.entry(question).or_default();
        let refused = may_be_limit(reply);
        own.each_time &= refused;
        if quiet.contains(&reply.observation.id.as_str()) {
            own.refused += usize::from(refused);
            own.passed += usize::from(reply.kind == ReplyKind::Switched);
        }
    }
    let passes = |own: &Fared| own.refused == 0 && own.passed > 1;
    if !fared.values().any(passes) {
        return Vec::new();
    }
    let refused = fared.into_iter().filter(|(_, own)| own.each_time && own.refused > 1);
    refused.map(|(question, _)| question).collect()
}

/// How a question fared: all of its answers, and those before which it was quiet.
struct Fared {
    /// Whether each of all was refused.
    each_time: bool,
    refused: usize,
    passed: usize,
}

impl Default for Fared {
    fn default() -> Self {
        Self { each_time: true, refused: 0, passed: 0 }
    }
}

/// Handshakes that were refused beside other requests of the collector's, where every
/// one that was asked alone passed: a queue before the server (HAProxy: `maxconn` and
/// `timeout queue`), a circuit breaker, or whatever takes only so many at a time. The
/// words are those of a dead server, or there are none (Varnish with `max_connections`
/// ends what it was to pipe). Of several servers one that differs is met by what is asked
/// alone as well.
fn by_number<'a>(
    seen: &[&'a Observation],
    replies: &[Reply<'a>],
) -> impl Iterator<Item = &'a Observation> {
    let handshake = |o: &Observation| matches!(o.step, Step::Upgrade(_));
    let alone: Vec<&Observation> =
        seen.iter().copied().filter(|o| handshake(o) && is_alone(o, seen)).collect();
    let passed = |o: &Observation| {
        let own = |reply: &&Reply<'_>| reply.observation.id == o.id;
        replies.iter().find(own).is_some_and(|reply| reply.kind == ReplyKind::Switched)
    };
    let unknown = |o: &Observation| {
        replies.iter().any(|reply| {
            reply.observation.id == o.id && reply.status < 500 && reply.kind != ReplyKind::Switched
        })
    };
    let failed = |o: &Observation| {
        let own = |reply: &&Reply<'_>| reply.observation.id == o.id;
        ended(o) || replies.iter().find(own).is_some_and(|reply| reply.status >= 500)
    };
    let mut all = Vec::new();
    for refused in seen.iter().copied().filter(|o| handshake(o) && failed(o)) {
        // Whoever counts what is open counts it on all paths; what a path is refused for
        // besides is no matter of numbers.
        let own = || alone.iter().copied().filter(|o| Asked::by(o).is_some() && !unknown(o));
        let question = |o: &Observation| (Asked::by(o), o.path.clone());
        let the_same = own().any(|o| question(o) == question(refused));
        if own().count() >= ENOUGH && the_same && own().all(passed) {
            all.push(refused);
        }
    }
    all.into_iter()
}

/// Whether somebody ended the connection in place of an answer to a handshake.
pub(super) fn ended(o: &Observation) -> bool {
    let Step::Upgrade(upgrade) = &o.step else { return false };
    let bare = |failure: &Failure| failure.received.as_ref().is_none_or(|bytes| bytes.is_empty());
    let kinds = [FailureKind::Eof, FailureKind::ConnectionReset, FailureKind::ConnectionAborted];
    upgrade.result.failure().is_some_and(|failure| kinds.contains(&failure.kind) && bare(failure))
}

/// Whether nothing else of the collector's was under way, nor just before: a server
/// takes a moment to see that a connection ended.
fn is_alone(o: &Observation, seen: &[&Observation]) -> bool {
    let end = |o: &Observation| o.start_ms + o.duration_ms;
    let takes_room =
        |o: &&&Observation| matches!(o.step, Step::Upgrade(_) | Step::Http(_) | Step::Hold(_));
    seen.iter()
        .filter(takes_room)
        .filter(|other| other.id != o.id)
        .all(|other| other.start_ms >= end(o) || end(other) + QUIET_MS <= o.start_ms)
}

/// Of some handshakes, those before which it was quiet for so many milliseconds, as it
/// is before those of a person's browser.
pub(super) fn spaced<'s, 'a>(
    all: &'s [&'a Observation],
    quiet: f64,
) -> impl Iterator<Item = &'a Observation> + 's {
    all.iter().copied().filter(move |o| {
        let before = all.iter().filter(|other| other.id != o.id && other.start_ms <= o.start_ms);
        before.map(|other| o.start_ms - other.start_ms - other.duration_ms).all(|ms| ms >= quiet)
    })
}

/// Quiet, in milliseconds: the collector waits a second, and a connection takes time.
pub(super) const QUIET_MS: f64 = 900.0;
/// The collector waits five seconds and more before it takes a refusal for a limit's
/// that a browser meets.
pub(super) const WINDOW_MS: f64 = 4500.0;

/// Handshakes that are asked alone and pass, before those that failed beside others are
/// put down to their number: of four servers in turn, or by lot, they would have met each.
const ENOUGH: usize = 6;
