//! The holds, as the contract's `idle` object.

use crate::evidence::Evidence;
use crate::evidence::holding::Holding;
use crate::evidence::route::RouteView;
use crate::model::Idle;
use wss_bundle::Observation;
use wss_bundle::observation::{EndedBy, Held, Hold, probe};

/// Seconds after which a held connection was cut; `None` when it was not. Where nobody
/// cut it: the age at which it did not answer.
#[must_use]
pub(crate) fn cut((observation, hold, held): (&Observation, &Hold, &Held)) -> Option<f64> {
    let one = Holding { observation, hold, held };
    one.ended().then(|| round1(one.age_s()))
}

fn round1(seconds: f64) -> f64 {
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

/// What the deciding route's holds showed.
#[must_use]
pub(crate) fn idle(e: &Evidence<'_>) -> Option<Idle> {
    let (_, route, _) = e.deciding()?;
    of_route(route)
}

fn of_route(route: &RouteView<'_>) -> Option<Idle> {
    let longest = |one: &Holding<'_>| one.held.held_ms;
    let silent = || route.holdings().filter(Holding::silent);
    let whole = silent().find(|one| one.observation.probe == probe::HOLD_SILENT);
    // Killed before its end, a run has the shorter ones.
    let whole = whole.or_else(|| silent().max_by(|a, b| longest(a).total_cmp(&longest(b))))?;
    let bracket = route.silence_survived();
    let shown = bracket.cut.unwrap_or(whole);
    let cut_by = match shown.held.ending.how {
        // What answers the first byte after hours with a reset had ended it before.
        _ if shown.unseen() => Some("silence"),
        EndedBy::StillOpen => None,
        EndedBy::CloseFrame => Some("close-frame"),
        EndedBy::Fin | EndedBy::Garbled => Some("fin"),
        EndedBy::Reset => Some("reset"),
        EndedBy::Silence => Some("silence"),
    };
    let cut_after = bracket.cut.map(|one| round1(one.age_s()));
    let chatty = route.holdings().find(Holding::pings);
    let lasted = chatty.is_some_and(|one| !one.ended());
    let twin = |name: &str| {
        let one = route.holdings().find(|one| one.observation.probe == name)?;
        survives(&one, bracket.cut, lasted)
    };
    Some(Idle {
        held_s: round1(whole.age_s()),
        alive_s: bracket.alive_s.map(round1),
        cut_after_s: cut_after,
        cut_by,
        tls_closed: shown.held.ending.close_notify,
        keepalive_survives: chatty.map(|one| match (one.ended(), cut_after) {
            (false, _) => true,
            (true, Some(silent)) => one.age_s() > silent * 1.15 + 1.0,
            (true, None) => false,
        }),
        tcp_keepalive_survives: twin(probe::HOLD_KEEPALIVE),
        server_data_survives: twin(probe::HOLD_SERVER_DATA),
        picture: route.picture().map(|picture| picture.name()),
    })
}

/// Whether a twin of the silent connection outlived it; `None` where it was not held for
/// long enough to tell. `pings_last`: one that pings was not ended, so that there is no limit
/// but that of silence.
#[must_use]
pub(crate) fn survives(
    twin: &Holding<'_>,
    cut: Option<Holding<'_>>,
    pings_last: bool,
) -> Option<bool> {
    let Some(cut) = cut else { return (!twin.ended()).then_some(true) };
    if twin.ended() {
        // Asked in vain at its end, it may have been cut at any time.
        let later = twin.age_s() > cut.age_s() * 1.15 + 1.0;
        return match (twin.unseen() && later, pings_last) {
            (true, true) => Some(false),
            (true, false) => None,
            (false, _) => Some(later),
        };
    }
    let enough = if cut.unseen() { cut.age_s() * 0.98 } else { cut.age_s() + 0.25 };
    (twin.age_s() >= enough).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::between;

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
}
