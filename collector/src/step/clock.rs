//! Whether the machine slept. Durations come from a clock that stands still
//! meanwhile (`CLOCK_MONOTONIC`), so that a lid that is closed for an hour makes
//! no step slow; but the network goes on, and cuts what is idle. What ended
//! across a sleep tells nothing of the network.

use std::time::{Duration, Instant, SystemTime};

/// What the clocks said at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Stands still while the machine sleeps.
    pub awake: Instant,
    /// Time since the machine was started, with sleep; `None` where only the
    /// time of day tells.
    pub running: Option<Duration>,
    /// The time of day, which people and NTP set.
    pub day: SystemTime,
}

/// Clocks are not read at one instant, and Linux tells hundredths of a second.
const MARGIN: Duration = Duration::from_secs(2);
/// By the time of day alone: less than this may be NTP's doing.
const DAY_MARGIN: Duration = Duration::from_secs(30);

/// Reads the clocks.
#[must_use]
pub fn now() -> Moment {
    Moment { awake: Instant::now(), running: running(), day: SystemTime::now() }
}

/// `/proc/uptime` counts sleep (`CLOCK_BOOTTIME`; proc(5)).
fn running() -> Option<Duration> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// How long the machine slept from one moment to the other; `None` when it did not.
#[must_use]
pub fn slept(from: &Moment, to: &Moment) -> Option<Duration> {
    let awake = to.awake.saturating_duration_since(from.awake);
    let (whole, margin) = match (from.running, to.running) {
        (Some(from), Some(to)) => (to.saturating_sub(from), MARGIN),
        _ => (to.day.duration_since(from.day).unwrap_or_default(), DAY_MARGIN),
    };
    whole.checked_sub(awake).filter(|gap| *gap > margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(moment: &Moment, awake: u64, running: Option<u64>, day: i64) -> Moment {
        let shift = Duration::from_secs(day.unsigned_abs());
        Moment {
            awake: moment.awake + Duration::from_secs(awake),
            running: running.and_then(|s| Some(moment.running? + Duration::from_secs(s))),
            day: if day < 0 { moment.day - shift } else { moment.day + shift },
        }
    }

    #[test]
    fn sleep_is_told_and_a_set_clock_is_not() {
        let linux = Moment { running: Some(Duration::from_secs(500)), ..now() };
        let told = |awake, running, day| slept(&linux, &later(&linux, awake, running, day));
        assert_eq!(told(10, Some(10), 10), None);
        assert_eq!(told(10, Some(3610), 3610), Some(Duration::from_secs(3600)));
        // Somebody sets the clock, forward and back.
        assert_eq!(told(10, Some(10), 86_400), None);
        assert_eq!(told(10, Some(10), -86_400), None);
        let other = Moment { running: None, ..linux };
        let told = |awake, day| slept(&other, &later(&other, awake, None, day));
        assert_eq!(told(10, 11), None);
        assert_eq!(told(10, 610), Some(Duration::from_secs(600)));
        assert_eq!(told(10, -610), None);
    }

    #[test]
    fn this_machine_is_awake() {
        let before = now();
        assert_eq!(before.running.is_some(), cfg!(target_os = "linux"));
        assert_eq!(slept(&before, &now()), None);
    }

    /// One route to a port that nobody is asked on.
    fn config() -> crate::config::Config {
        use crate::config::{Config, RouteConfig, TlsOptions};
        use wss_bundle::observation::RouteKind;
        use wss_bundle::{Route, RouteId, Target, target::Scheme};
        let paths = vec!["/v1/ws".into()];
        let (kind, sources) = (RouteKind::Direct, Vec::new());
        let id = RouteId::direct();
        Config {
            target: Target { scheme: Scheme::Http, host: "127.0.0.1".into(), port: 1, paths },
            routes: vec![RouteConfig {
                route: Route { id, kind, proxy: None, sources, selected: true },
                auth: None,
                browsers: false,
            }],
            auth: None,
            headers: vec![],
            resolve: vec![],
            family: None,
            tls: TlsOptions::default(),
            name_servers: vec![],
            console: vec![],
            negotiate: false,
            learned: crate::config::Learned::default(),
            browser: None,
            timeout: Duration::from_secs(2),
            hold: Duration::from_secs(600),
        }
    }

    /// A hold that is cut at once, told by these clocks.
    async fn cut(clock: fn() -> Moment) -> wss_bundle::Outcome<wss_bundle::observation::Held> {
        use crate::step::{BoxIo, Ctx, Net, hold, tap::Tap};
        use wss_bundle::Step;
        let (progress, _watching) = tokio::sync::mpsc::unbounded_channel();
        let (_stop, cancel) = tokio::sync::watch::channel(false);
        let recorder = crate::recorder::Recorder::new(progress);
        let mut net = Net::new(std::sync::Arc::new(config()), recorder, cancel);
        net.clock = clock;
        let ctx =
            Ctx::new(&std::sync::Arc::new(net), 0, crate::key::Probe::HoldSilent, Some("/v1/ws"));
        let (near, far) = tokio::io::duplex(1 << 10);
        drop(far);
        let stream = Tap::new(Box::new(near) as BoxIo, false);
        let _ = hold::hold(&ctx, stream, Duration::from_secs(600), Default::default()).await;
        let (observations, _) = ctx.net.recorder.finish();
        match observations.into_iter().next().unwrap().step {
            Step::Hold(hold) => hold.result,
            step => panic!("{step:?}"),
        }
    }

    /// Each look at the clocks is an hour of sleep after the one before.
    fn sleepy() -> Moment {
        use std::sync::atomic::{AtomicU64, Ordering};
        static HOURS: AtomicU64 = AtomicU64::new(0);
        let hours = HOURS.fetch_add(1, Ordering::Relaxed);
        Moment { running: Some(Duration::from_secs(3600 * hours)), ..now() }
    }

    #[tokio::test]
    async fn a_hold_that_a_sleep_cut_is_no_idle_limit() {
        use wss_bundle::{FailureKind, Outcome, observation::EndedBy};
        match cut(now).await {
            Outcome::Ok(held) => assert_ne!(held.ending.how, EndedBy::StillOpen),
            other => panic!("{other:?}"),
        }
        match cut(sleepy).await {
            Outcome::Failed(failure) => {
                assert_eq!(failure.kind, FailureKind::Cancelled);
                assert!(failure.detail.contains("the machine slept for"), "{failure}");
            }
            other => panic!("{other:?}"),
        }
    }
}
