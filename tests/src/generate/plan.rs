//! Which bundles: cases drawn by seed, each with its customer, day, device and
//! the bundles that its story has. No bundle is made here.

use chrono::{DateTime, Duration, TimeZone, Utc};
use std::collections::VecDeque;
use wss_bundle::Vantage;

/// Days that the bundles are spread over, up to the evening of 2026-10-31.
const DAYS: i64 = 182;
/// The last days, in which the planted trends show.
const RECENT: i64 = 28;
/// Customers.
const CUSTOMERS: u64 = 400;

/// A trend that is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planted {
    /// `cause`, or `device` for a product with its version.
    pub kind: &'static str,
    /// The cause's slug; the product and version.
    pub what: &'static str,
    /// Whether it rises in the last 28 days, against the 28 before them.
    pub rises: bool,
}

/// Everything that rises or falls, and by what.
pub const PLANTED: &[Planted] = &[
    // Gateway timeouts, which are HAProxy's here, come four times as often.
    Planted { kind: "cause", what: "gateway-timeout", rises: true },
    Planted { kind: "device", what: "HAProxy", rises: true },
    // A third as many proxies ask for a password: Squid 5.7 is less often blamed.
    Planted { kind: "cause", what: "proxy-auth-required", rises: false },
    Planted { kind: "device", what: "Squid 5.7", rises: false },
    // nginx 1.29.3 is new, and takes the place of two in five 1.22.1 that strip upgrades.
    Planted { kind: "device", what: "nginx 1.29.3", rises: true },
    Planted { kind: "device", what: "nginx 1.22.1", rises: false },
];

/// What becomes of a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Good,
    /// Written twice.
    Copied,
    /// Damaged, in one of four ways.
    Bad(u64),
}

/// One bundle to be made.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) kind: Kind,
    pub(super) base: &'static str,
    pub(super) id: String,
    pub(super) case: String,
    pub(super) host: String,
    pub(super) vantage: Vantage,
    pub(super) at: DateTime<Utc>,
    pub(super) version: Option<(&'static str, &'static str)>,
    pub(super) collector: &'static str,
    pub(super) os: &'static str,
    pub(super) cut_ms: Option<f64>,
    pub(super) path_said: bool,
}

/// A story that cases have.
struct Story {
    base: &'static str,
    /// Of a thousand cases.
    weight: u64,
    /// Of a hundred of these, how many work later.
    mended: u64,
    /// Whether it works from outside.
    works_outside: bool,
    /// Milliseconds of the idle limit, where there is one.
    cut_ms: Option<u64>,
}

const fn story(base: &'static str, weight: u64, mended: u64, works_outside: bool) -> Story {
    Story { base, weight, mended, works_outside, cut_ms: None }
}

const STORIES: &[Story] = &[
    story("healthy-both-sides", 140, 0, true),
    story("squid-bump-strips-inside-outside", 130, 30, true),
    story("nginx-bare-both-sides", 140, 60, false),
    Story {
        base: "nginx-idle-timeout",
        weight: 90,
        mended: 70,
        works_outside: false,
        cut_ms: Some(60_000),
    },
    Story {
        base: "haproxy-tunnel-timeout",
        weight: 30,
        mended: 70,
        works_outside: false,
        cut_ms: Some(50_000),
    },
    story("nginx-502", 60, 90, false),
    story("apache-503", 40, 60, false),
    story("haproxy-504", 80, 40, false),
    story("squid-407", 90, 50, true),
    story("squid-bump-untrusted", 50, 40, true),
    story("certificate-expired", 40, 80, false),
    story("auth-required", 50, 30, false),
    story("refused", 30, 50, false),
    story("wrong-path", 20, 60, false),
    story("envoy-refuses", 10, 40, false),
    story("zscaler-refuses", 20, 20, true),
];

/// Draws the specs, case by case.
pub(super) struct Plan {
    random: Random,
    left: usize,
    number: u64,
    waiting: VecDeque<Spec>,
    end: DateTime<Utc>,
}

impl Plan {
    pub(super) fn new(count: usize, seed: u64) -> Self {
        let end = Utc.with_ymd_and_hms(2026, 11, 1, 0, 0, 0).single().unwrap_or_default();
        Self { random: Random(seed), left: count, number: 0, waiting: VecDeque::new(), end }
    }

    /// A day: more on working days; the planted trends bend it by story.
    fn day(&mut self, base: &str) -> i64 {
        loop {
            let back = self.random.below(DAYS as u64) as i64;
            let recent = back < RECENT;
            let weekend = (back + 1) % 7 < 2;
            let keep = match (base, recent) {
                ("haproxy-504", false) => 26,
                ("squid-407", true) => 33,
                _ => 100,
            };
            if self.random.below(100) < keep && (!weekend || self.random.below(100) < 40) {
                return back;
            }
        }
    }

    fn case(&mut self) {
        self.number += 1;
        let story = self.story();
        let back = self.day(story.base);
        let at = self.end - Duration::days(back + 1)
            + Duration::seconds(6 * 3600 + self.random.below(13 * 3600) as i64);
        // Some customers have many problems, most have few.
        let customer = self.random.below(CUSTOMERS).min(self.random.below(CUSTOMERS));
        let first = Spec {
            kind: Kind::Good,
            base: story.base,
            id: self.random.uuid(),
            case: format!("case-{:07}", self.number),
            host: format!("bindplane.customer{customer:03}.example"),
            vantage: Vantage::Inside,
            at,
            version: self.version(story.base, back),
            collector: if back < 70 { "0.2.0" } else { "0.1.0" },
            os: ["linux", "windows", "windows", "macos"][self.random.below(4) as usize],
            cut_ms: story.cut_ms.map(|cut| (cut + self.random.below(900)) as f64),
            path_said: self.random.below(100) < 35,
        };
        let outside = self.random.below(100) < 30;
        let again = story.mended > 0 && self.random.below(100) < 45;
        let mended = self.random.below(100) < story.mended;
        // Minutes later, most; weeks later, some.
        let later = Duration::minutes(20 + (1_u64 << self.random.below(14)) as i64);
        self.waiting.push_back(first.clone());
        if outside {
            let base = if story.works_outside { "healthy-outside" } else { story.base };
            let id = self.random.uuid();
            let (vantage, at) = (Vantage::Outside, at + Duration::minutes(9));
            self.waiting.push_back(Spec { base, id, vantage, at, ..first.clone() });
        }
        if again && at + later < self.end {
            let base = if mended { "healthy-both-sides" } else { story.base };
            let id = self.random.uuid();
            self.waiting.push_back(Spec { base, id, at: at + later, ..first });
        }
    }

    fn story(&mut self) -> &'static Story {
        loop {
            let mut at = self.random.below(STORIES.iter().map(|s| s.weight).sum());
            for story in STORIES {
                if at < story.weight {
                    return story;
                }
                at -= story.weight;
            }
        }
    }

    fn version(&mut self, base: &str, back: i64) -> Option<(&'static str, &'static str)> {
        let draw = self.random.below(100);
        match base {
            "nginx-bare-both-sides" if back < RECENT && draw < 40 => {
                Some(("nginx/1.22.1", "nginx/1.29.3"))
            }
            // A third of what bends the others is drawn anew, all the time.
            "nginx-502" | "nginx-idle-timeout" if draw < 35 => {
                Some(("nginx/1.22.1", "nginx/1.27.5"))
            }
            "squid-bump-strips-inside-outside" | "squid-bump-untrusted" => {
                Some(("squid/5.7", "squid/6.10"))
            }
            _ => None,
        }
    }
}

impl Iterator for Plan {
    type Item = Spec;

    fn next(&mut self) -> Option<Spec> {
        if self.left == 0 {
            return None;
        }
        while self.waiting.is_empty() {
            self.case();
        }
        if self.random.below(300) == 0 {
            // In addition to those that are asked for, with an id of its own.
            let mut spec = self.waiting.front()?.clone();
            spec.id = self.random.uuid();
            spec.kind = Kind::Bad(self.random.below(4));
            return Some(spec);
        }
        self.left -= 1;
        let mut spec = self.waiting.pop_front()?;
        if self.random.below(200) == 0 {
            spec.kind = Kind::Copied;
        }
        Some(spec)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is far below what would bend the odds.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn uuid(&mut self) -> String {
        let halves = [self.next().to_be_bytes(), self.next().to_be_bytes()];
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(halves.as_flattened()).for_each(|(to, from)| *to = *from);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}
