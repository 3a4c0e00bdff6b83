//! What the held connections showed so far, in a few words: somebody who waits for an hour
//! wants to know what is known by now. The diagnosis has the last word.

use crate::progress::Progress;
use std::time::Duration;
use wss_bundle::{Observation, RouteId};
use wss_diagnosis::evidence::holding::{Holding, between, words};

/// What is known of one route's.
#[derive(Debug, Clone, Default)]
struct OnRoute {
    alive_s: Option<f64>,
    /// The shortest silence that was not survived, and whether nobody was seen to end it.
    cut: Option<(f64, bool)>,
    /// The age at which the one that pings ended.
    pings_ended_s: Option<f64>,
}

/// All that is held.
#[derive(Debug, Default)]
pub(super) struct Held {
    routes: Vec<(RouteId, OnRoute)>,
    planned: usize,
    done: usize,
}

impl Held {
    /// Takes in what happened; says whether it is about holds.
    pub(super) fn note(&mut self, progress: &Progress) -> bool {
        match progress {
            Progress::HoldStarted { connections, .. } => self.planned += connections,
            Progress::StepDone(step, _) if step.probe.is_hold() => self.done += 1,
            Progress::Observation(seen) => return self.see(seen),
            _ => return false,
        }
        true
    }

    fn see(&mut self, seen: &Observation) -> bool {
        let Some(one) = Holding::of(seen) else { return false };
        let at = self.routes.iter().position(|(id, _)| *id == seen.route);
        let at = at.unwrap_or_else(|| {
            self.routes.push((seen.route.clone(), OnRoute::default()));
            self.routes.len() - 1
        });
        let route = &mut self.routes[at].1;
        if one.pings() {
            route.pings_ended_s = one.ended().then(|| one.age_s());
        } else if one.silent() && one.ended() {
            let cut = (one.age_s(), one.unseen());
            route.cut = Some(route.cut.filter(|known| known.0 <= cut.0).unwrap_or(cut));
        } else if one.silent() {
            route.alive_s =
                [route.alive_s, one.survived_s()].into_iter().flatten().reduce(f64::max);
        }
        true
    }

    /// How far it is, and what is known, by each route.
    pub(super) fn text(&self) -> String {
        let mut out = format!("{} of {} done", self.done.min(self.planned), self.planned);
        let several = self.routes.len() > 1;
        for (id, route) in &self.routes {
            let Some(known) = route.known() else { continue };
            let name = id.0.split("://").last().unwrap_or_default();
            match several {
                true => out.push_str(&format!("; {name}: {known}")),
                false => out.push_str(&format!("; so far: {known}")),
            }
        }
        out
    }
}

impl OnRoute {
    fn known(&self) -> Option<String> {
        let below = self.alive_s.filter(|alive| self.cut.is_none_or(|cut| *alive < cut.0));
        let silence = match (self.cut, below) {
            (Some((dead, true)), alive) => {
                format!("the limit of silence is {}", between(alive, dead))
            }
            (Some((age, false)), _) => format!("cut after {age:.1} s of silence"),
            (None, Some(alive)) => format!("{} of silence survived", words(alive)),
            (None, None) => String::new(),
        };
        let pings = self.pings_ended_s.map(|age| format!("the pinging one cut after {age:.1} s"));
        let both = [Some(silence).filter(|text| !text.is_empty()), pings];
        let text = both.into_iter().flatten().collect::<Vec<_>>().join(", ");
        (!text.is_empty()).then_some(text)
    }
}

/// What became of one connection, as a line.
pub(super) fn line(seen: &Observation) -> Option<String> {
    let one = Holding::of(seen)?;
    let what = match (one.pings(), one.keeps_alive(), one.has_server_data()) {
        (true, ..) => "held with Pings",
        (_, true, _) => "held with TCP keepalive",
        (_, _, true) => "held with data of the server",
        _ => "held in silence",
    };
    let how = match (one.ended(), one.unseen()) {
        (false, _) => format!("for {}: still open", words(one.age_s())),
        (true, true) => format!("for {}: no answer any more", words(one.age_s())),
        (true, false) => format!("and cut after {:.1} s", one.age_s()),
    };
    Some(format!("{}: {what} {how}", seen.route))
}

/// A time that is left, as people say it.
pub(super) fn left(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil();
    if seconds > 180.0 {
        format!("{:.0} min left", seconds / 60.0)
    } else {
        format!("{seconds:.0} s left")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wss_bundle::observation::{EndedBy, Ending, Held as Seen, Hold, probe};
    use wss_bundle::{Outcome, Step};

    fn hold(name: &str, planned_s: f64, held_s: f64, how: EndedBy) -> Progress {
        let pings = name == probe::HOLD_CHATTY;
        Progress::Observation(Box::new(Observation {
            id: "o1".into(),
            probe: name.into(),
            route: RouteId::direct(),
            path: Some("/v1/ws".into()),
            connection: Some(1),
            start_ms: 0.0,
            duration_ms: held_s * 1e3,
            step: Step::Hold(Hold {
                ping_interval_ms: pings.then_some(5e3),
                keepalive_ms: None,
                planned_ms: planned_s * 1e3,
                result: Outcome::Ok(Seen {
                    held_ms: held_s * 1e3,
                    pings: 1,
                    pongs: 1,
                    server_frames: 0,
                    quiet_ms: 0.0,
                    ending: Ending::new(how),
                }),
            }),
        }))
    }

    #[test]
    fn the_line_narrows_with_each_that_ends_and_fits() {
        let mut held = Held::default();
        held.note(&Progress::HoldStarted { planned: Duration::from_secs(78), connections: 8 });
        assert_eq!(held.text(), "0 of 8 done");
        let mut after = |progress: Progress| {
            assert!(held.note(&progress));
            held.text()
        };
        let rung = |planned, held, how| hold(probe::HOLD_RUNG, planned, held, how);
        let open = EndedBy::StillOpen;
        assert_eq!(after(rung(24.0, 24.0, open)), "0 of 8 done; so far: 24 s of silence survived");
        after(rung(65.0, 75.0, EndedBy::Silence));
        let narrowed = after(rung(45.0, 45.0, open));
        assert_eq!(narrowed, "0 of 8 done; so far: the limit of silence is between 45 and 65 s");
        let pings = after(hold(probe::HOLD_CHATTY, 75.0, 70.0, EndedBy::Fin));
        assert!(pings.ends_with("and 65 s, the pinging one cut after 70.0 s"), "{pings}");
        assert_eq!(left(Duration::from_secs(3601)), "60 min left");
    }
}
