//! The holds, as the contract's `idle` object.

use crate::evidence::Evidence;
use crate::model::Idle;
use wss_bundle::observation::{EndedBy, Held, probe};

/// Seconds after which a held connection was cut; `None` when it was not.
#[must_use]
pub(crate) fn cut(held: &Held) -> Option<f64> {
    (held.ending.how != EndedBy::StillOpen).then(|| round1(held.held_ms / 1e3))
}

fn round1(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// What the deciding route's holds showed.
#[must_use]
pub(crate) fn idle(e: &Evidence<'_>) -> Option<Idle> {
    let (_, route, _) = e.deciding()?;
    let (_, _, silent) = route.hold(probe::HOLD_SILENT)?;
    let chatty = route.hold(probe::HOLD_CHATTY).map(|(_, _, held)| held);
    let cut_by = match silent.ending.how {
        EndedBy::StillOpen => None,
        EndedBy::CloseFrame => Some("close-frame"),
        EndedBy::Fin | EndedBy::Garbled => Some("fin"),
        EndedBy::Reset => Some("reset"),
        EndedBy::Silence => Some("silence"),
    };
    let cut_after = cut(silent);
    Some(Idle {
        held_s: round1(silent.held_ms / 1e3),
        cut_after_s: cut_after,
        cut_by,
        tls_closed: silent.ending.close_notify,
        keepalive_survives: chatty.map(|c| match (cut(c), cut_after) {
            (None, _) => true,
            (Some(chatty), Some(silent)) => chatty > silent * 1.15 + 1.0,
            (Some(_), None) => false,
        }),
    })
}
