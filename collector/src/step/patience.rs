//! How long silence is waited for. Owns what was measured of the answers; what
//! silence means is for others to say.
//!
//! A fixed deadline has to suit the slowest path, so on every other one it is a
//! wait that nothing needs. Where exchanges are answered within tens of
//! milliseconds, a request that has heard nothing for seconds will hear nothing.
//! All routes have the same patience: one that were given up sooner than its twin
//! would differ from it by our doing. `--timeout` stays the cap, and it alone counts
//! - where it is longer than the default: who gives it expects a late answer;
//! - as long as no request was answered on the route: nothing was measured;
//! - while connections are held: the collection lasts anyway, and a late answer
//!   (a gateway's 504, say) tells more than silence;
//! - for connections, TLS and tunnels: a lost SYN is sent again after one and
//!   three seconds (RFC 6298 section 2), and a proxy may take its time to connect.

use crate::config::TIMEOUT;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// No silence is told before this: two lost segments, each sent again.
const LEAST: Duration = Duration::from_secs(3);
/// How many times the slowest answer silence has to last.
const TIMES: u32 = 30;

/// What was measured.
#[derive(Debug, Clone)]
struct Measured {
    /// Of each route, the slowest answer to a request.
    slowest: Vec<Option<Duration>>,
    /// Whether a connection is held.
    held: bool,
}

impl Measured {
    fn limit(&self, route: usize, cap: Duration) -> Duration {
        let answered = self.slowest.get(route).copied().flatten().is_some();
        match self.slowest.iter().flatten().max() {
            Some(slowest) if answered && !self.held && cap <= TIMEOUT => {
                (*slowest * TIMES).max(LEAST).min(cap)
            }
            _ => cap,
        }
    }
}

/// The patience of a collection.
#[derive(Debug)]
pub struct Patience(watch::Sender<Measured>);

impl Patience {
    /// With nothing measured yet.
    #[must_use]
    pub fn new(routes: usize) -> Self {
        Self(watch::Sender::new(Measured { slowest: vec![None; routes], held: false }))
    }

    /// Notes that a request on a route was answered after `took`.
    pub fn answered(&self, route: usize, took: Duration) {
        self.0.send_modify(|seen| {
            if let Some(slowest) = seen.slowest.get_mut(route) {
                *slowest = (*slowest).max(Some(took));
            }
        });
    }

    /// Notes that connections are held from now on.
    pub fn held(&self) {
        self.0.send_modify(|seen| seen.held = true);
    }

    /// Returns once silence on a route since `since` is a fact, and says how
    /// long it lasted.
    pub async fn silence(&self, route: usize, since: Instant, cap: Duration) -> Duration {
        let mut seen = self.0.subscribe();
        loop {
            let limit = seen.borrow_and_update().limit(route, cap);
            tokio::select! {
                () = sleep_until(since + limit) => return limit,
                // The sender lives as long as `self`.
                _ = seen.changed() => {}
            }
        }
    }
}

/// What a step says that was given up after such silence.
#[must_use]
pub fn no_answer(lasted: Duration) -> String {
    format!("no answer for {:.1} s", lasted.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Duration = TIMEOUT;

    #[test]
    fn the_limit_follows_the_slowest_answer_between_floor_and_cap() {
        let after = |ms: [u64; 2]| Measured {
            slowest: ms.map(|ms| (ms > 0).then(|| Duration::from_millis(ms))).to_vec(),
            held: false,
        };
        assert_eq!(after([0, 0]).limit(0, CAP), CAP, "nothing was measured");
        assert_eq!(after([30, 0]).limit(0, CAP), LEAST);
        assert_eq!(after([30, 0]).limit(1, CAP), CAP, "nothing answered there");
        let slow = Duration::from_millis(4500);
        assert_eq!(after([30, 150]).limit(0, CAP), slow, "no sooner than its twin");
        assert_eq!(after([30, 150]).limit(1, CAP), slow);
        assert_eq!(after([2000, 0]).limit(0, CAP), CAP);
        assert_eq!(after([30, 0]).limit(0, Duration::from_secs(2)), Duration::from_secs(2));
        let minute = Duration::from_secs(60);
        assert_eq!(after([30, 0]).limit(0, minute), minute, "a late answer is expected");
        assert_eq!(Measured { held: true, ..after([30, 0]) }.limit(0, CAP), CAP);
    }

    #[tokio::test]
    async fn an_answer_shortens_a_wait_that_is_under_way_on_its_route_alone() {
        let patience = Patience::new(2);
        let since = Instant::now().checked_sub(LEAST).expect("a clock that runs for some time");
        let waits = async {
            tokio::select! {
                lasted = patience.silence(0, since, CAP) => lasted,
                _ = patience.silence(1, since, CAP) => panic!("nothing answered there"),
            }
        };
        let answer = async {
            tokio::task::yield_now().await;
            patience.answered(0, Duration::from_millis(30));
            patience.answered(0, Duration::from_millis(1));
        };
        let (lasted, ()) = tokio::join!(waits, answer);
        assert_eq!(lasted, LEAST);
    }

    #[tokio::test]
    async fn a_hold_gives_silence_its_whole_time_again() {
        let patience = Patience::new(1);
        patience.answered(0, Duration::from_millis(30));
        patience.held();
        let cap = LEAST + Duration::from_millis(50);
        let since = Instant::now().checked_sub(LEAST).expect("a clock that runs for some time");
        assert_eq!(patience.silence(0, since, cap).await, cap);
    }
}
