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

/// What ended a silent connection, in a few words.
#[must_use]
pub(crate) fn after(one: &Holding<'_>) -> String {
    if one.forgotten() {
        return format!("no answer after {} of silence", words(one.age_s()));
    }
    format!("cut after {:.1} s of silence", one.age_s())
}

/// Seconds as people say them: tenths where they count.
#[must_use]
pub(crate) fn words(seconds: f64) -> String {
    if seconds < 5.0 && (seconds - seconds.round()).abs() > 0.05 {
        format!("{seconds:.1} s")
    } else {
        format!("{seconds:.0} s")
    }
}

/// A limit that nobody told, as far as it is known: `between 5 and 10 s`, rounded
/// outwards.
#[must_use]
pub(crate) fn between(alive: Option<f64>, dead: f64) -> String {
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
    let (observation, hold, held) = route.hold(probe::HOLD_SILENT)?;
    let whole = Holding { observation, hold, held };
    let bracket = route.silence_survived();
    let shown = bracket.cut.unwrap_or(whole);
    let cut_by = match shown.held.ending.how {
        EndedBy::StillOpen => None,
        EndedBy::CloseFrame => Some("close-frame"),
        EndedBy::Fin | EndedBy::Garbled => Some("fin"),
        EndedBy::Reset => Some("reset"),
        EndedBy::Silence => Some("silence"),
    };
    let cut_after = bracket.cut.map(|one| round1(one.age_s()));
    let chatty = route.hold(probe::HOLD_CHATTY);
    Some(Idle {
        held_s: round1(whole.age_s()),
        alive_s: bracket.alive_s.map(round1),
        cut_after_s: cut_after,
        cut_by,
        tls_closed: shown.held.ending.close_notify,
        keepalive_survives: chatty.map(|c| match (cut(c), cut_after) {
            (None, _) => true,
            (Some(chatty), Some(silent)) => chatty > silent * 1.15 + 1.0,
            (Some(_), None) => false,
        }),
    })
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
