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

/// The silence that the console's socket must survive, in seconds.
const NEEDED_S: f64 = 3600.0;

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

    /// Whether the system asks for signs of life below it.
    #[must_use]
    pub fn keeps_alive(&self) -> bool {
        self.hold.keepalive_ms.is_some()
    }

    /// Whether the server was asked to send data.
    #[must_use]
    pub fn has_server_data(&self) -> bool {
        self.observation.probe == probe::HOLD_SERVER_DATA
    }

    /// Whether nothing at all was meant to pass.
    #[must_use]
    pub fn silent(&self) -> bool {
        !self.pings() && !self.keeps_alive() && !self.has_server_data()
    }

    /// Whether it did not last.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.held.ending.how != EndedBy::StillOpen
    }

    /// Whether nothing came back any more.
    #[must_use]
    pub fn forgotten(&self) -> bool {
        self.held.ending.how == EndedBy::Silence
    }

    /// Whether it had ended before anybody saw it: it did not answer when it was asked for
    /// a sign of life, or that was refused (a box that has forgotten a flow answers its next
    /// segment with a reset). The limit lies somewhere below the time of asking.
    #[must_use]
    pub fn unseen(&self) -> bool {
        let asked = !self.pings() && self.held.held_ms >= self.hold.planned_ms;
        self.ended() && (self.forgotten() || asked)
    }

    /// Whether somebody ended it, then and there.
    fn seen(&self) -> bool {
        self.ended() && !self.unseen()
    }

    /// Seconds after which it had ended. Where nobody was seen to end it: when it was asked
    /// for a sign of life in vain, and not when the waiting for it was over.
    #[must_use]
    pub fn age_s(&self) -> f64 {
        let last = self.held.held_ms - self.held.quiet_ms;
        let ms = match (self.unseen(), self.hold.ping_interval_ms) {
            (false, _) => self.held.held_ms,
            (true, None) => self.held.held_ms.min(self.hold.planned_ms),
            (true, Some(interval)) => (last + interval).min(self.held.held_ms),
        };
        ms / 1e3
    }

    /// When that was, in seconds since the collection began.
    #[must_use]
    pub fn moment_s(&self) -> f64 {
        self.began_s() + self.age_s()
    }

    /// When it began, in seconds since the collection began.
    #[must_use]
    pub fn began_s(&self) -> f64 {
        self.observation.start_ms / 1e3
    }

    /// The age up to which it was seen to live.
    #[must_use]
    pub fn lived_s(&self) -> f64 {
        match (self.unseen(), self.pings()) {
            (false, _) => self.held.held_ms / 1e3,
            (true, true) => (self.held.held_ms - self.held.quiet_ms) / 1e3,
            (true, false) => 0.0,
        }
    }

    /// The longest silence, in seconds, after which it answered; `None` when there was
    /// none, or no answer.
    #[must_use]
    pub fn survived_s(&self) -> Option<f64> {
        match self.hold.ping_interval_ms {
            Some(interval) => (self.held.pongs > 0).then_some(interval / 1e3),
            None if self.ended() || !self.silent() => None,
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

impl Bracket<'_> {
    /// Whether the limit is shorter than the console needs. One of an hour is what it needs,
    /// and a connection that is asked after an hour may meet it.
    #[must_use]
    pub fn too_short(&self) -> bool {
        let near = |s: f64| s >= NEEDED_S * 0.97;
        self.cut.is_some_and(|cut| match cut.unseen() {
            true => !self.alive_s.is_some_and(near),
            false => cut.age_s() < NEEDED_S * 0.999,
        })
    }
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
    /// One ended, and another that was no more active outlived it: the first is one that
    /// pings, or the others were as silent for longer.
    Unlike(Holding<'a>),
}

impl Picture<'_> {
    /// Its name, as `idle.picture` has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Lasts => "lasts",
            Self::Idle => "silence",
            Self::Age => "age",
            Self::Event(_) => "event",
            Self::AgeOrEvent => "age-or-event",
            Self::Unlike(_) => "unlike",
        }
    }
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

/// Ends that lie no further apart (seconds) may be one moment's.
const MOMENT_S: f64 = 1.0;

fn spread(all: impl Iterator<Item = f64>) -> f64 {
    let (low, high) = all.fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
    (high - low).max(0.0)
}

/// Those that ended in one moment, at different ages, together with all that were open
/// then; nothing where there are none. A silent limit that counts in whole seconds ends two
/// in one moment as well, and lets the others live.
fn in_one_moment<'a>(all: &[Holding<'a>]) -> Vec<Holding<'a>> {
    let seen: Vec<Holding<'a>> = all.iter().copied().filter(Holding::seen).collect();
    for first in &seen {
        let at = first.moment_s();
        let near = |one: &&Holding<'a>| (0.0..=MOMENT_S).contains(&(one.moment_s() - at));
        let together: Vec<Holding<'a>> = seen.iter().filter(near).copied().collect();
        let (moments, ages, began) = (
            spread(together.iter().map(Holding::moment_s)),
            spread(together.iter().map(Holding::age_s)),
            spread(together.iter().map(Holding::began_s)),
        );
        // Open before it and after it. One that pings may be spared by a limit of silence:
        // of that, no three ages are seconds apart.
        let spared = |one: &Holding<'_>| {
            let open = one.began_s() < at - APART_S && one.moment_s() > at + MOMENT_S;
            let several = together.len() > 2 && ages > 2.0 * MOMENT_S;
            open && !(one.pings() && several)
        };
        if together.len() > 1
            && !all.iter().any(spared)
            && ends(began, ages, moments, true) == Ends::SameMoment
        {
            return together;
        }
    }
    Vec::new()
}

/// The probes that hold a connection.
pub(super) const HOLDS: [&str; 5] = [
    probe::HOLD_SILENT,
    probe::HOLD_RUNG,
    probe::HOLD_CHATTY,
    probe::HOLD_KEEPALIVE,
    probe::HOLD_SERVER_DATA,
];

impl<'a> RouteView<'a> {
    /// Every connection that was held, in the order in which they began.
    pub fn holdings(&self) -> impl Iterator<Item = Holding<'a>> + '_ {
        let own = self.observations.iter().copied();
        own.filter(move |o| HOLDS.contains(&o.probe.as_str()) && !self.is_too_short(o))
            .filter_map(Holding::of)
    }

    /// Between which silences the limit lies.
    #[must_use]
    pub fn silence_survived(&self) -> Bracket<'a> {
        let youngest = |seen: bool| {
            let dead = self.holdings().filter(|one| one.silent() && one.ended());
            dead.filter(|one| one.unseen() != seen).min_by(|a, b| a.age_s().total_cmp(&b.age_s()))
        };
        // Envoy answers no more a second before it ends a stream: that it was seen to end
        // one at about the same age tells more.
        let cut = match (youngest(true), youngest(false)) {
            (Some(seen), Some(unseen)) => {
                let late = seen.age_s() > unseen.age_s() && !same_age(seen.age_s(), unseen.age_s());
                Some(if late { unseen } else { seen })
            }
            (seen, unseen) => seen.or(unseen),
        };
        let survived = self.holdings().filter_map(|one| one.survived_s());
        let below = survived.filter(|s| cut.is_none_or(|cut| *s < cut.age_s()));
        Bracket { alive_s: below.reduce(f64::max), cut }
    }

    /// The longest time, in seconds, for which a connection was silent and answered then.
    #[must_use]
    pub fn silent_for_s(&self) -> Option<f64> {
        self.holdings().filter(Holding::silent).filter_map(|one| one.survived_s()).reduce(f64::max)
    }

    /// What the holds look like together; `None` where nothing was held.
    #[must_use]
    pub fn picture(&self) -> Option<Picture<'a>> {
        let all: Vec<Holding<'a>> = self.holdings().collect();
        all.first()?;
        let silent: Vec<_> =
            all.iter().copied().filter(|one| one.silent() && one.ended()).collect();
        let pinging = all.iter().copied().find(|one| one.pings() && one.ended());
        if silent.is_empty() && pinging.is_none() {
            return Some(Picture::Lasts);
        }
        let together = in_one_moment(&all);
        if !together.is_empty() && !limit_before(&silent, &together) {
            return Some(Picture::Event(together));
        }
        let shortest = silent.iter().copied().min_by(|a, b| a.age_s().total_cmp(&b.age_s()));
        Some(match (shortest, pinging) {
            (None, None) => Picture::Lasts,
            (Some(cut), None) => without_pings(&all, cut),
            (_, Some(pinging)) if pinging.unseen() => pings_unseen(&all, &silent, pinging),
            (_, Some(pinging)) => pings_seen(&all, &silent, pinging),
        })
    }
}

/// Whether silent ones had ended alike before that moment, and younger than the one that
/// pings: then there is a limit of silence, whatever happened later.
fn limit_before(silent: &[Holding<'_>], together: &[Holding<'_>]) -> bool {
    let at = together.iter().map(Holding::moment_s).fold(f64::MAX, f64::min);
    let oldest = together.iter().map(Holding::age_s).fold(0.0, f64::max);
    let before: Vec<f64> = silent
        .iter()
        .filter(|one| one.seen() && one.moment_s() < at - MOMENT_S)
        .map(Holding::age_s)
        .collect();
    before.len() > 1
        && spread(before.iter().copied()) <= MOMENT_S
        && before.iter().all(|age| *age < oldest && !same_age(*age, oldest))
}

/// The one that pings lasted, or there was none.
fn without_pings<'a>(all: &[Holding<'a>], cut: Holding<'a>) -> Picture<'a> {
    let longer = all.iter().any(|one| {
        one.silent() && one.survived_s().is_some_and(|alive| alive > cut.age_s() * 1.15 + 0.5)
    });
    if longer { Picture::Unlike(cut) } else { Picture::Idle }
}

/// The one that pings got no answer any more: some time between two Pings. That is a
/// moment which lies in the time of all that died, and of none that did not; or an age which
/// all that died would have come to, and no other; or both.
fn pings_unseen<'a>(
    all: &[Holding<'a>],
    silent: &[Holding<'a>],
    pinging: Holding<'a>,
) -> Picture<'a> {
    let (young, old) = (pinging.lived_s() - APART_S, pinging.age_s() + APART_S);
    let (before, after) = (pinging.began_s() + young, pinging.began_s() + old);
    let others = || all.iter().filter(|one| one.observation.id != pinging.observation.id);
    let a_moment = others().all(|one| match one.ended() {
        true => one.began_s() < after && one.moment_s() > before,
        false => one.moment_s() < after || one.began_s() > before,
    });
    let an_age = others().all(|one| match one.ended() {
        true => one.age_s() > young,
        false => one.lived_s() < old,
    });
    match (a_moment, an_age) {
        (true, false) if silent.is_empty() => Picture::Unlike(pinging),
        (true, false) => Picture::Event(silent.iter().copied().chain([pinging]).collect()),
        (false, true) => Picture::Age,
        (true, true) => Picture::AgeOrEvent,
        // At that age the one that pings was still answered.
        (false, false) if silent.iter().any(|one| one.age_s() < young) => Picture::Idle,
        (false, false) => Picture::Unlike(pinging),
    }
}

/// Somebody ended the one that pings.
fn pings_seen<'a>(
    all: &[Holding<'a>],
    silent: &[Holding<'a>],
    pinging: Holding<'a>,
) -> Picture<'a> {
    let seen: Vec<Holding<'a>> = silent.iter().copied().filter(Holding::seen).collect();
    let how: Vec<Ends> = seen.iter().map(|one| compare(one, &pinging)).collect();
    let younger = |one: &Holding<'_>| {
        one.age_s() < pinging.age_s() && !same_age(one.age_s(), pinging.age_s())
    };
    let one_moment = how.contains(&Ends::SameMoment);
    let before = seen.iter().zip(&how).any(|(one, how)| younger(one) && *how != Ends::SameMoment);
    if one_moment && !how.contains(&Ends::SameAge) && !before {
        let same = seen.iter().zip(&how).filter(|(_, ends)| **ends == Ends::SameMoment);
        return Picture::Event(same.map(|(one, _)| *one).chain([pinging]).collect());
    }
    if silent.iter().any(|one| younger(one) && !how_of(one, &seen, &how, Ends::SameMoment)) {
        return Picture::Idle;
    }
    if how.contains(&Ends::SameAge) {
        return Picture::Age;
    }
    if how.contains(&Ends::Both) || one_moment {
        return Picture::AgeOrEvent;
    }
    // Only it was held for so long.
    let outlived = all
        .iter()
        .any(|one| one.silent() && !one.ended() && one.lived_s() > pinging.age_s() * 1.15);
    if outlived { Picture::Unlike(pinging) } else { Picture::AgeOrEvent }
}

fn how_of(one: &Holding<'_>, seen: &[Holding<'_>], how: &[Ends], wanted: Ends) -> bool {
    let at = seen.iter().position(|other| other.observation.id == one.observation.id);
    at.is_some_and(|at| how[at] == wanted)
}

/// Seconds after which a held connection was cut; `None` when it was not. Where nobody
/// cut it: the age at which it did not answer.
#[must_use]
pub(crate) fn cut((observation, hold, held): (&Observation, &Hold, &Held)) -> Option<f64> {
    let one = Holding { observation, hold, held };
    one.ended().then(|| round1(one.age_s()))
}

pub(crate) fn round1(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// What ended a silent connection, in a few words; `alive` is the longest silence that was
/// survived.
#[must_use]
pub(crate) fn after(one: &Holding<'_>, alive: Option<f64>) -> String {
    if one.unseen() && one.silent() {
        return format!("forgotten in silence: the limit is {}", between(alive, one.age_s()));
    }
    if one.forgotten() {
        return format!("no answer any more after {}", words(one.age_s()));
    }
    format!("cut after {:.1} s{}", one.age_s(), if one.silent() { " of silence" } else { "" })
}

/// Seconds as people say them: tenths where they count.
#[must_use]
pub fn words(seconds: f64) -> String {
    if seconds < 5.0 && (seconds - seconds.round()).abs() > 0.05 {
        format!("{seconds:.1} s")
    } else {
        format!("{seconds:.0} s")
    }
}

/// A limit that nobody told, as far as it is known: `between 5 and 10 s`, rounded
/// outwards.
#[must_use]
pub fn between(alive: Option<f64>, dead: f64) -> String {
    let (low, high) = if dead < 5.0 {
        let tenth = |s: f64| (s * 10.0).round() / 10.0;
        (alive.map(tenth).map(|s| format!("{s}")), format!("{}", tenth(dead)))
    } else {
        (alive.map(|s| format!("{:.0}", s.floor())), format!("{:.0}", dead.ceil()))
    };
    match low {
        Some(low) => format!("between {low} and {high} s"),
        None => format!("at most {high} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ends, between, ends};

    #[test]
    fn a_bracket_is_rounded_outwards() {
        for (alive, dead, text) in [
            (Some(2.5), 5.0, "between 2 and 5 s"),
            (Some(18.75), 37.5, "between 18 and 38 s"),
            (None, 20.0, "at most 20 s"),
            (Some(0.5), 2.0, "between 0.5 and 2 s"),
        ] {
            assert_eq!(between(alive, dead), text);
        }
    }

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
