//! What is left out is what would not have matched: the index and the needs of
//! patterns against every pattern tried on every text.

use super::need::Pattern;
use super::sign::{Look, Sign};
use super::*;
use proptest::prelude::*;
use proptest::string::string_regex_parsed;
use regex::Regex;
use regex_syntax::hir::{Capture, Hir, HirKind, Repetition};
use std::sync::LazyLock;

fn signs() -> impl Iterator<Item = &'static Sign> {
    Signatures::built_in().iter().flat_map(|signature| &signature.signs)
}

/// Every pattern, and the same by the regex crate alone.
static PLAIN: LazyLock<Vec<(&Pattern, Regex)>> = LazyLock::new(|| {
    let patterns = signs().filter_map(Sign::pattern);
    patterns.map(|pattern| (pattern, Regex::new(pattern.as_str()).unwrap())).collect()
});

/// The same without `^`, `$` and `\b`, of which no text can be made.
fn without_looks(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Look(_) => Hir::empty(),
        HirKind::Repetition(r) => Hir::repetition(Repetition {
            // Long runs say no more.
            max: Some(r.max.unwrap_or(r.min + 3)),
            sub: Box::new(without_looks(&r.sub)),
            ..r.clone()
        }),
        HirKind::Capture(c) => {
            Hir::capture(Capture { sub: Box::new(without_looks(&c.sub)), ..c.clone() })
        }
        HirKind::Concat(all) => Hir::concat(all.iter().map(without_looks).collect()),
        HirKind::Alternation(all) => Hir::alternation(all.iter().map(without_looks).collect()),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) => hir.clone(),
    }
}

/// Texts that a pattern of the signatures matches, if they stand at its place.
fn fitting() -> impl Strategy<Value = String> {
    let sources: Vec<&str> = signs().filter_map(|s| Some(s.pattern()?.as_str())).collect();
    prop::sample::select(sources).prop_flat_map(|source| {
        let hir = without_looks(&regex_syntax::parse(source).unwrap());
        string_regex_parsed(&hir).unwrap()
    })
}

/// Heads and pages of the samples.
fn seen() -> (Vec<String>, Vec<String>) {
    let samples: Vec<_> =
        super::tests::whole().iter().flat_map(|signature| &signature.samples).collect();
    let heads = samples.iter().filter_map(|sample| sample.head.clone());
    (heads.collect(), samples.iter().map(|sample| sample.body.clone()).collect())
}

/// As it would be with every sign asked.
fn all_asked<'a>(all: &'a Signatures, response: &Response<'_>) -> Vec<Match<'a>> {
    let head = response.head.raw.text();
    let seen = Seen::new(response, &head);
    all.matches(all.index().all(), |sign| sign.response(&seen))
}

fn told(matches: &[Match<'_>]) -> Vec<String> {
    matches
        .iter()
        .map(|m| {
            let Match { signature, version, confidence, because, by_body, place } = m;
            format!("{} {version:?} {confidence:?} {because} {by_body} {place:?}", signature.id)
        })
        .collect()
}

#[test]
fn most_patterns_need_something() {
    let patterns: Vec<_> = signs().filter_map(Sign::pattern).collect();
    let idle: Vec<_> =
        patterns.iter().filter(|p| p.literals().is_none()).map(|p| p.as_str()).collect();
    assert!(idle.len() * 5 < patterns.len(), "{} of {}: {idle:?}", idle.len(), patterns.len());
    let pages = signs().filter(|s| matches!(s.look, Look::Body { .. }));
    let slow: Vec<_> =
        pages.filter(|s| s.pattern().is_some_and(|p| p.literals().is_none())).collect();
    assert!(slow.is_empty(), "each of these is tried on every page: {slow:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_matches_has_what_the_pattern_needs(
        before in prop_oneof![Just(String::new()), "[ -~]{0,3}"],
        text in fitting(),
        after in prop_oneof![Just(String::new()), "[ -~\n]{0,3}"],
    ) {
        let text = format!("{before}{text}{after}");
        for (pattern, plain) in PLAIN.iter() {
            let (may, does) = (pattern.may(&text), plain.is_match(&text));
            prop_assert!(may || !does, "{} matches {text:?}", pattern.as_str());
            prop_assert_eq!(pattern.is_match(&text), does);
        }
    }

    #[test]
    fn the_index_leaves_nothing_out(
        head in prop::sample::select(seen().0),
        other in prop::sample::select(seen().0),
        body in prop::sample::select(seen().1),
        name in prop::sample::select(vec!["Server", "via", "ſerver", "X-Cache", "set-cookie", "x-envoy-a", "x-envoy-", "X-KONG-b", "Location"]),
        value in fitting(),
        in_body in any::<bool>(),
        lower in any::<bool>(),
    ) {
        let mut lines: Vec<String> = head.lines().map(str::to_owned).collect();
        lines.extend(other.lines().skip(1).map(str::to_owned));
        if lower {
            lines.iter_mut().skip(1).for_each(|line| line.make_ascii_lowercase());
        }
        let body = if in_body { format!("{body}{value}") } else {
            lines.push(format!("{name}: {}", value.replace(['\r', '\n'], " ")));
            body
        };
        let head = ResponseHead::new(format!("{}\r\n\r\n", lines.join("\r\n")));
        let response = Response { status: None, head: &head, body: &body };
        let all = Signatures::built_in();
        prop_assert_eq!(told(&all.match_response(&response)), told(&all_asked(all, &response)));
    }
}
