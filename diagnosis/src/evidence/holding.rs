//! What became of all the connections that were held on a route: how much silence
//! they survived, at which age and in which moment they ended.
//!
//! A limit of age ends each at the same age, an event all in the same moment: the
//! two look alike unless the connections began apart. A box that forgets a flow
//! ends nothing; the limit then lies between two silences, one survived and one not.

use super::RouteView;
use wss_bundle::observation::{EndedBy, Held, Hold, probe};
use wss_bundle::{Observation, Step};

/// Holds that begin within so many seconds of each other do not tell age from moment.
const APART_S: f64 = 0.3;

/// One held connection.
#[derive(Clone, Copy)]
pub struct Holding<'a> {
    /// Its observation.
    pub observation: &'a Observation,
    /// What was planned.
    pub hold: &'a Hold,
    /// What came of it.
    pub held: &'a Held,
}

impl<'a> Holding<'a> {
    /// Reads an observation; `None` for one of another step, or that came to no end.
    #[must_use]
    pub fn of(observation: &'a Observation) -> Option<Self> {
        let Step::Hold(hold) = &observation.step else { return None };
        hold.result.ok().map(|held| Self { observation, hold, held })
    }

    /// Whether it pings.
    #[must_use]
    pub fn pings(&self) -> bool {
        self.hold.ping_interval_ms.is_some()
    }

    /// Whether it did not last.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.held.ending.how != EndedBy::StillOpen
    }

    /// Whether nobody ended it: nothing came back any more.
    #[must_use]
    pub fn forgotten(&self) -> bool {
        self.held.ending.how == EndedBy::Silence
    }

    /// Seconds after which it had ended. Where nobody ended it: when it was asked for
    /// a sign of life in vain, and not when the waiting for it was over.
    #[must_use]
    pub fn age_s(&self) -> f64 {
        let last = self.held.held_ms - self.held.quiet_ms;
        let ms = match (self.forgotten(), self.hold.ping_interval_ms) {
            (false, _) => self.held.held_ms,
            (true, None) => self.held.held_ms.min(self.hold.planned_ms),
            (true, Some(interval)) => (last + interval).min(self.held.held_ms),
        };
        ms / 1e3
    }

    /// When that was, in seconds since the collection began.
    fn moment_s(&self) -> f64 {
        self.began_s() + self.age_s()
    }

    fn began_s(&self) -> f64 {
        self.observation.start_ms / 1e3
    }

    /// The longest silence, in seconds, after which it answered; `None` when there was
    /// none, or no answer.
    fn survived_s(&self) -> Option<f64> {
        match self.hold.ping_interval_ms {
            Some(interval) => (self.held.pongs > 0).then_some(interval / 1e3),
            None if self.ended() => None,
            // A server that talks makes it less than silent.
            None if self.held.server_frames > 0 => Some(self.held.quiet_ms / 1e3),
            None => Some(self.held.held_ms.min(self.hold.planned_ms) / 1e3),
        }
    }
}

/// The silence that ends connections, as far as the holds narrow it.
#[derive(Clone, Copy)]
pub struct Bracket<'a> {
    /// The longest that was survived, in seconds.
    pub alive_s: Option<f64>,
    /// The connection that did not survive the shortest.
    pub cut: Option<Holding<'a>>,
}

/// What the holds look like together.
pub enum Picture<'a> {
    /// None ended.
    Lasts,
    /// Silent ones ended, and the one that pings did not, or much later.
    Idle,
    /// They ended at the same age, apart in time.
    Age,
    /// They ended in the same moment, at different ages.
    Event(Vec<Holding<'a>>),
    /// They ended at the same age and in the same moment: begun together, or one alone
    /// was held long enough.
    AgeOrEvent,
    /// One that pings ended, and a silent one outlived it.
    PingsAlone(Holding<'a>),
}

/// Two ages (seconds) that count as one: within 15 %, and a second at least.
#[must_use]
pub fn same_age(a: f64, b: f64) -> bool {
    (a - b).abs() <= (a.max(b) * 0.15).max(1.0)
}

/// How two ends lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    SameMoment,
    SameAge,
    Both,
    Neither,
}

/// Of two connections that ended: the smaller of the two differences decides, and
/// where neither is clearly smaller it cannot be told.
fn ends(began_apart: f64, ages_apart: f64, moments_apart: f64, near: bool) -> Ends {
    if !near {
        return Ends::Neither;
    }
    if began_apart < APART_S {
        return Ends::Both;
    }
    let share = moments_apart / (moments_apart + ages_apart).max(f64::MIN_POSITIVE);
    match share {
        ..0.35 => Ends::SameMoment,
        0.65.. => Ends::SameAge,
        _ => Ends::Both,
    }
}

fn compare(a: &Holding<'_>, b: &Holding<'_>) -> Ends {
    let ages = (a.age_s() - b.age_s()).abs();
    let moments = (a.moment_s() - b.moment_s()).abs();
    let near = moments <= 1.0 || same_age(a.age_s(), b.age_s());
    ends((a.began_s() - b.began_s()).abs(), ages, moments, near)
}

impl<'a> RouteView<'a> {
    /// Every connection that was held, in the order in which they began.
    pub fn holdings(&self) -> impl Iterator<Item = Holding<'a>> + '_ {
        let holds = [probe::HOLD_SILENT, probe::HOLD_RUNG, probe::HOLD_CHATTY];
        let own = self.observations.iter().copied();
        own.filter(move |o| holds.contains(&o.probe.as_str()) && !self.is_too_short(o))
            .filter_map(Holding::of)
    }

    /// Between which silences the limit lies.
    #[must_use]
    pub fn silence_survived(&self) -> Bracket<'a> {
        let cut = self
            .holdings()
            .filter(|one| !one.pings() && one.ended())
            .min_by(|a, b| a.age_s().total_cmp(&b.age_s()));
        let survived = self.holdings().filter_map(|one| one.survived_s());
        let below = survived.filter(|s| cut.is_none_or(|cut| *s < cut.age_s()));
        Bracket { alive_s: below.reduce(f64::max), cut }
    }

    /// What the holds look like together; `None` where nothing was held.
    #[must_use]
    pub fn picture(&self) -> Option<Picture<'a>> {
        let all: Vec<Holding<'a>> = self.holdings().collect();
        let (first, _) = all.split_first()?;
        let _ = first;
        let silent: Vec<_> = all.iter().filter(|one| !one.pings() && one.ended()).collect();
        let pinging = all.iter().find(|one| one.pings() && one.ended());
        let Some(pinging) = pinging else {
            return Some(if silent.is_empty() { Picture::Lasts } else { Picture::Idle });
        };
        let how: Vec<Ends> = silent.iter().map(|one| compare(one, pinging)).collect();
        let in_one_moment = how.iter().filter(|ends| **ends == Ends::SameMoment).count();
        if in_one_moment > 0 && !how.contains(&Ends::SameAge) {
            let same = silent.iter().zip(&how).filter(|(_, ends)| **ends == Ends::SameMoment);
            let ended = same.map(|(one, _)| **one).chain([*pinging]).collect();
            return Some(Picture::Event(ended));
        }
        if how.contains(&Ends::SameAge) {
            return Some(Picture::Age);
        }
        if how.contains(&Ends::Both) || in_one_moment > 0 {
            return Some(Picture::AgeOrEvent);
        }
        if silent.iter().any(|one| one.age_s() < pinging.age_s()) {
            return Some(Picture::Idle);
        }
        // Only it was held for so long.
        let outlived = all.iter().any(|one| {
            !one.pings() && !one.ended() && one.held.held_ms / 1e3 > pinging.age_s() * 1.15
        });
        Some(if outlived { Picture::PingsAlone(*pinging) } else { Picture::AgeOrEvent })
    }
}

#[cfg(test)]
mod tests {
    use super::{Ends, ends};

    #[test]
    fn a_moment_and_an_age_look_different_when_connections_begin_apart() {
        for (began, ages, moments, expected) in [
            (2.0, 2.0, 0.01, Ends::SameMoment),
            (2.0, 0.02, 2.0, Ends::SameAge),
            (0.01, 0.02, 0.03, Ends::Both),
            (2.0, 1.0, 1.0, Ends::Both),
        ] {
            assert_eq!(ends(began, ages, moments, true), expected, "{began} {ages} {moments}");
        }
        assert_eq!(ends(2.0, 20.0, 18.0, false), Ends::Neither);
    }
}
