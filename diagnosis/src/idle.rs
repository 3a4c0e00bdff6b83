//! The holds, as the contract's `idle` object.

use crate::evidence::Evidence;
use crate::evidence::holding::{Holding, round1};
use crate::evidence::route::RouteView;
use crate::model::Idle;
use wss_bundle::observation::{EndedBy, probe};

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
