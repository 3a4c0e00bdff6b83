//! Which connections are held, for how long, and from when on: a plan as a value.
//!
//! Two are held for the whole time from the first moment on, a silent one and one that
//! pings, and twins of the silent one that differ in one thing each. Rungs are silent for
//! a part of it. Where a box forgets connections without a word, the limit lies between
//! the longest silence that was survived and the shortest that was not, so that the rungs
//! stand where products have their defaults: one between each two.
//!
//! No more than [`AT_ONCE`] are open at a time: rungs follow each other in lanes, and one
//! for which no lane has time is left out.

use crate::key::Probe;
use std::time::Duration;
use wss_bundle::target::is_agents;

/// Connections that are open at a time.
pub(crate) const AT_ONCE: usize = crate::step::CONNECTIONS_PER_HOST;
/// Lanes beside the connections that are held for the whole time.
const LANES: usize = AT_ONCE - 3;
/// Between the beginnings of two holds, at the most: what ends them in one moment
/// then ends them at different ages.
const APART: Duration = Duration::from_millis(1500);
/// Below this a part of the hold tells nothing.
const SHORTEST: Duration = Duration::from_secs(1);
/// A hold that is no longer than this has parts of itself as rungs.
const PARTS_UP_TO: Duration = Duration::from_secs(70);
/// These parts, in thousandths.
const PARTS: [u32; 5] = [150, 280, 430, 600, 850];
/// Rungs in seconds, each with the turn in which it gets a place. Idle timeouts by default
/// stand between them: 20, 30, 50, 55, 60, 100, 120, 180, 240, 270, 300, 350, 600, 900,
/// 1200, 3600 s. The last one tells whether an hour is survived where the limit is an hour.
const RUNGS: [(u64, u8); 20] = [
    (10, 3),
    (24, 2),
    (45, 2),
    (52, 4),
    (58, 1),
    (65, 1),
    (95, 3),
    (110, 2),
    (150, 2),
    (210, 1),
    (255, 1),
    (285, 2),
    (325, 1),
    (400, 1),
    (550, 1),
    (650, 1),
    (850, 2),
    (1000, 2),
    (1500, 3),
    (3500, 1),
];
/// Between the system's own signs of life.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// The system counts them in seconds, and a hold must have several.
const KEEPALIVE_FROM: Duration = Duration::from_secs(4);

/// One connection that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rung {
    /// Which probe.
    pub(crate) probe: Probe,
    /// How long it is held; the silent ones are asked for a sign of life then.
    pub(crate) length: Duration,
    /// When it begins, after the first, where those before it in its lane take no longer
    /// than they should.
    pub(crate) begins: Duration,
}

impl Rung {
    /// Whether it is silent for a part of the hold.
    pub(crate) fn is_part(&self) -> bool {
        self.probe == Probe::HoldRung
    }
}

/// Everything that is held on a route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ladder {
    /// What follows each other, lane by lane.
    pub(crate) lanes: Vec<Vec<Rung>>,
    /// Silences for which there is no place, shortest first.
    pub(crate) left_out: Vec<Duration>,
    /// Between the beginnings of two.
    pub(crate) apart: Duration,
    /// How long all of it takes.
    pub(crate) whole: Duration,
}

impl Ladder {
    /// For a hold of this length. `server_data`: whether the server may be asked to send
    /// data; where it sends none, that takes a moment only.
    pub(crate) fn new(hold: Duration, server_data: bool) -> Self {
        if hold.is_zero() {
            return Self::default();
        }
        let apart = (hold / 16).min(APART);
        let whole = hold + apart * 2;
        let at = |place: u32| apart * place;
        let one = |probe, length, begins| vec![Rung { probe, length, begins }];
        let mut lanes = vec![one(Probe::HoldSilent, hold, at(0))];
        if hold >= KEEPALIVE_FROM {
            lanes.push(one(Probe::HoldKeepalive, hold, at(1)));
        }
        lanes.push(one(Probe::HoldChatty, hold, at(2)));
        let (mut rungs, left_out) = packed(hold, apart, whole);
        if server_data && hold >= KEEPALIVE_FROM {
            // Where the server does send data, it takes the lane of the fewest.
            let begins = at(3);
            let data = Rung { probe: Probe::HoldServerData, length: whole - begins, begins };
            match rungs.first_mut() {
                Some(lane) => lane.insert(0, data),
                None => rungs.push(vec![data]),
            }
        }
        lanes.append(&mut rungs);
        Self { lanes, left_out, apart, whole }
    }

    /// All of them, lane by lane.
    pub(crate) fn rungs(&self) -> impl Iterator<Item = &Rung> {
        self.lanes.iter().flatten()
    }

    /// The silences that are tried, shortest first.
    pub(crate) fn silences(&self) -> Vec<Duration> {
        let silent = |rung: &&Rung| rung.is_part() || rung.probe == Probe::HoldSilent;
        let mut all: Vec<Duration> = self.rungs().filter(silent).map(|rung| rung.length).collect();
        all.sort();
        all
    }
}

/// Between the Pings of the one that pings: more often than any idle timeout in use.
pub(crate) fn ping_every(hold: Duration) -> Duration {
    Duration::from_secs(5).min(hold / 8)
}

/// Between the system's own signs of life.
pub(crate) fn keepalive_every(hold: Duration) -> Duration {
    let short = Duration::from_secs((hold / 8).as_secs().max(1));
    if hold >= KEEPALIVE * 4 { KEEPALIVE } else { short }
}

/// Whether a path speaks GraphQL, in whose older protocol servers send data of their own
/// accord (`ka`).
pub(crate) fn speaks_graphql(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or(path);
    !is_agents(path) && path.rsplit('/').any(|part| part.eq_ignore_ascii_case("graphql"))
}

/// The rungs for a hold, each with the turn in which it gets a place.
fn wanted(hold: Duration) -> Vec<(Duration, u8)> {
    let parts = PARTS.iter().map(|part| (hold * *part / 1000, 1));
    let known = RUNGS.iter().map(|(seconds, turn)| (Duration::from_secs(*seconds), *turn));
    let all: Vec<_> = if hold <= PARTS_UP_TO { parts.collect() } else { known.collect() };
    all.into_iter().filter(|(rung, _)| *rung >= SHORTEST && *rung < hold * 95 / 100).collect()
}

/// What goes into the lanes, and what does not.
fn packed(hold: Duration, apart: Duration, whole: Duration) -> (Vec<Vec<Rung>>, Vec<Duration>) {
    let (mut chosen, mut left_out) = (Vec::new(), Vec::new());
    let mut lanes = Vec::new();
    let mut wanted = wanted(hold);
    wanted.sort_by_key(|(rung, turn)| (*turn, *rung));
    for (rung, _) in wanted {
        chosen.push(rung);
        match in_lanes(&chosen, apart, whole) {
            Some(found) => lanes = found,
            None => left_out.extend(chosen.pop()),
        }
    }
    left_out.sort();
    (lanes, left_out)
}

/// The longest first, each into the lane that has the most time left; `None` where one
/// does not fit. In a lane the shortest begins.
fn in_lanes(lengths: &[Duration], apart: Duration, whole: Duration) -> Option<Vec<Vec<Rung>>> {
    // From one to the next: the end of one, and the handshakes of the other.
    let between = (apart / 2).min(Duration::from_millis(300));
    let mut lanes: Vec<(Duration, Vec<Duration>)> =
        (3..).take(LANES).map(|place| (whole - apart * place, Vec::new())).collect();
    let mut lengths = lengths.to_vec();
    lengths.sort_by(|a, b| b.cmp(a));
    for length in lengths {
        let (left, lane) = lanes.iter_mut().max_by_key(|(left, lane)| (*left, lane.is_empty()))?;
        let room = if lane.is_empty() { length } else { length + between };
        *left = left.checked_sub(room)?;
        lane.push(length);
    }
    let lanes = (3..).zip(lanes).map(|(place, (_, lane))| {
        let mut begins = apart * place;
        let rung = lane.into_iter().rev().map(|length| {
            let rung = Rung { probe: Probe::HoldRung, length, begins };
            begins += length + between;
            rung
        });
        rung.collect::<Vec<_>>()
    });
    Some(lanes.filter(|lane| !lane.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wss_diagnosis::signature::Signatures;

    fn seconds(all: &[Duration]) -> Vec<f64> {
        all.iter().map(Duration::as_secs_f64).collect()
    }

    fn ladder(hold: u64) -> Ladder {
        Ladder::new(Duration::from_secs(hold), false)
    }

    #[test]
    fn the_default_brackets_the_sixty_second_family_and_an_hour_brackets_all() {
        let silences = |hold| seconds(&ladder(hold).silences());
        assert_eq!(silences(75), [10.0, 24.0, 45.0, 58.0, 65.0, 75.0]);
        assert_eq!(ladder(75).left_out, [Duration::from_secs(52)], "said to be left out");
        let hour = silences(3600);
        assert!(ladder(3600).left_out.is_empty());
        let known = Signatures::built_in();
        let mut defaults: Vec<f64> =
            known.iter().filter_map(|s| s.idle_default_s).map(f64::from).collect();
        defaults.sort_by(f64::total_cmp);
        defaults.dedup();
        for two in defaults.windows(2).filter(|two| two[1] <= 3600.0) {
            let between = hour.iter().find(|rung| two[0] < **rung && **rung < two[1]);
            assert!(between.is_some(), "no rung between {} and {} s", two[0], two[1]);
        }
        for rung in &hour[..hour.len() - 1] {
            assert!(known.idle_defaults(*rung).is_empty(), "{rung} s is too near to a default");
        }
    }

    #[test]
    fn short_holds_have_parts_of_themselves() {
        assert_eq!(seconds(&ladder(15).silences()), [2.25, 4.2, 6.45, 9.0, 12.75, 15.0]);
        assert_eq!(seconds(&ladder(4).silences()), [1.12, 1.72, 2.4, 3.4, 4.0]);
        assert_eq!(seconds(&ladder(1).silences()), [1.0]);
        assert_eq!(ladder(0), Ladder::default());
        let probes: Vec<_> = ladder(2).rungs().map(|rung| rung.probe).collect();
        let parts = [Probe::HoldRung, Probe::HoldRung];
        assert_eq!(probes[..2], [Probe::HoldSilent, Probe::HoldChatty]);
        assert_eq!(probes[2..], parts);
    }

    /// Whatever the hold, by the plan alone: at a time no more than allowed, spaced, and
    /// within the time that all of it takes.
    #[test]
    fn every_ladder_keeps_to_its_limits() {
        let lengths = (1..200).chain((200..4000).step_by(37)).chain([7200, 86_400]);
        for (hold, data) in lengths.flat_map(|hold| [(hold, false), (hold, true)]) {
            let ladder = Ladder::new(Duration::from_secs(hold), data);
            assert!(ladder.lanes.len() <= AT_ONCE, "{hold}");
            assert!(ladder.whole <= Duration::from_secs(hold) + Duration::from_secs(3));
            for lane in &ladder.lanes {
                let parts: Vec<&Rung> = lane.iter().filter(|rung| rung.is_part()).collect();
                for two in parts.windows(2) {
                    assert!(two[0].begins + two[0].length < two[1].begins, "{hold}: {lane:?}");
                }
                let ends = lane.iter().map(|rung| rung.begins + rung.length).max().unwrap();
                assert!(ends <= ladder.whole, "{hold}: {lane:?}");
            }
            let mut first: Vec<Duration> = ladder.lanes.iter().map(|l| l[0].begins).collect();
            first.sort();
            assert!(first.windows(2).all(|two| two[1] - two[0] >= ladder.apart), "{hold}");
            let silences = ladder.silences();
            let left: Vec<_> = ladder.left_out.iter().filter(|l| silences.contains(l)).collect();
            assert!(left.is_empty(), "{hold}");
        }
    }

    #[test]
    fn paths_that_speak_graphql() {
        for (path, speaks) in [
            ("/v1/graphql", true),
            ("/v1/graphql?x=1", true),
            ("/v1/ws", false),
            ("/v1/opamp", false),
        ] {
            assert_eq!(speaks_graphql(path), speaks, "{path}");
        }
    }
}
