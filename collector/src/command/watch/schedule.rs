//! When a round is due: at intervals with jitter, more seldom while a fault lasts, and once
//! more when the connection that is held breaks or comes back. Pure: the moment and the
//! chance are arguments.

use std::time::Duration;
use tokio::time::Instant;

/// The longest, however long a fault lasts.
const MOST: Duration = Duration::from_secs(3600);
/// By how much an interval is longer or shorter: many machines that are started together do
/// not ask together.
const JITTER: f64 = 0.1;
/// A fault that lasts is asked about so many times more seldom, at the most.
const SELDOM: u32 = 4;

/// What is due next.
#[derive(Debug)]
pub(super) struct Schedule {
    every: Duration,
    /// When the next round begins.
    pub(super) next: Instant,
    /// When a round was last added to the planned ones.
    added: Option<Instant>,
    /// Rounds in a row that did not work.
    failed: u32,
}

impl Schedule {
    pub(super) fn new(every: Duration, now: Instant) -> Self {
        Self { every, next: now, added: None, failed: 0 }
    }

    /// A round has ended; `chance` is between 0 and 1.
    pub(super) fn ended(&mut self, now: Instant, works: bool, chance: f64) {
        self.failed = if works { 0 } else { self.failed.saturating_add(1) };
        let times = 1 << self.failed.saturating_sub(1).min(8);
        let wait = (self.every * SELDOM.min(times)).min(MOST.max(self.every));
        self.next = now + wait.mul_f64(1.0 + JITTER * (2.0 * chance - 1.0));
    }

    /// Something happened that a round would explain: one begins now, unless one was added
    /// within the interval.
    pub(super) fn add(&mut self, now: Instant) {
        if self.added.is_none_or(|last| now.duration_since(last) >= self.every) {
            self.added = Some(now);
            self.next = self.next.min(now);
        }
    }

    /// The machine woke up: its network takes a while.
    pub(super) fn settle(&mut self, now: Instant) {
        self.next = now + self.every.min(Duration::from_secs(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_two_rounds_in_an_interval() {
        let every = Duration::from_secs(60);
        let begun = Instant::now();
        let (mut now, mut rounds) = (begun, Vec::new());
        let mut schedule = Schedule::new(every, begun);
        // Something breaks every second, for an hour.
        while now < begun + Duration::from_secs(3600) {
            schedule.add(now);
            if schedule.next <= now {
                rounds.push(now);
                schedule.ended(now, true, 0.0);
            }
            now += Duration::from_secs(1);
        }
        assert!(rounds.len() > 60);
        for three in rounds.windows(3) {
            assert!(three[2] - three[0] >= every.mul_f64(0.85), "{:?}", three[2] - three[0]);
        }
    }

    #[test]
    fn a_fault_that_lasts_is_asked_about_more_seldom_and_jitter_stays_within_its_part() {
        let every = Duration::from_secs(300);
        let now = Instant::now();
        let mut schedule = Schedule::new(every, now);
        let mut waits = Vec::new();
        for works in [true, false, false, false, false, true] {
            schedule.ended(now, works, 0.5);
            waits.push((schedule.next - now).as_secs());
        }
        assert_eq!(waits, [300, 300, 600, 1200, 1200, 300]);
        for chance in [0.0, 0.25, 1.0] {
            schedule.ended(now, true, chance);
            let wait = (schedule.next - now).as_secs_f64();
            assert!((270.0..=330.0).contains(&wait), "{wait}");
        }
        // Longer than an hour stays as it is, and grows no more.
        let mut slow = Schedule::new(Duration::from_secs(7200), now);
        (0..4).for_each(|_| slow.ended(now, false, 0.5));
        assert_eq!((slow.next - now).as_secs(), 7200);
    }
}
