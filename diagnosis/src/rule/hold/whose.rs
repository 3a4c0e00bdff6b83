//! Whose a cut is: another way, or the other side, decides; from one way, how it ended.

use crate::evidence::holding::{Bracket, Holding, same_age};
use crate::evidence::{Evidence, RouteView};
use crate::model::{Confidence, Location};

/// Whether the same silence was survived by another way: one so long that this way
/// did not survive it.
fn survives_elsewhere(own: &Bracket<'_>, other: &RouteView<'_>) -> bool {
    let theirs = other.silence_survived();
    let Some(cut) = own.cut else { return false };
    theirs.alive_s.is_some_and(|alive| alive >= cut.age_s() * 0.99)
}

/// Whether another way was cut as well, after a silence that fits.
fn cut_alike(own: &Bracket<'_>, other: &RouteView<'_>) -> bool {
    let theirs = other.silence_survived();
    let (Some(a), Some(b)) = (own.cut, theirs.cut) else { return false };
    if a.unseen() && b.unseen() {
        let overlap = |low: Option<f64>, high: f64| low.is_none_or(|low| low <= high);
        return overlap(own.alive_s, b.age_s()) && overlap(theirs.alive_s, a.age_s());
    }
    a.unseen() == b.unseen() && same_age(a.age_s(), b.age_s())
}

/// Whose a cut is: another way, or the other side, decides. From one: with a trusted
/// TLS session that was closed in order (close_notify), it was the TLS terminator;
/// FIN alone was somebody who does not own the session (facts: lab, point 5); and
/// silence has no author.
pub(super) fn location(e: &Evidence<'_>) -> (Location, Confidence, String) {
    let Some((focus, route, _)) = e.deciding() else {
        return (Location::Undetermined, Confidence::Low, String::new());
    };
    let own = route.silence_survived();
    let told = |location, text: &str| (location, Confidence::High, text.to_owned());
    if let Some(theirs) = e.twin().and_then(|t| t.selected()) {
        if survives_elsewhere(&own, theirs) {
            let text = " From outside, the same silence is survived.";
            return told(Location::ClientNetwork, text);
        }
        if cut_alike(&own, theirs) {
            return told(Location::ServerSide, " From outside it is cut at the same age.");
        }
    }
    // The direct way is held beside a proxy, as its twin.
    if let Some(direct) = (!route.route.id.is_direct()).then(|| focus.direct()).flatten() {
        if survives_elsewhere(&own, direct) {
            let text = " The direct way, without the proxy, survives the same silence.";
            return told(Location::ClientNetwork, text);
        }
        if cut_alike(&own, direct) {
            let text = " The direct way, without the proxy, is cut at the same age.";
            return told(Location::ServerSide, text);
        }
    }
    from_one_way(e, route, own.cut)
}

/// The same, as far as one way shows.
fn from_one_way(
    e: &Evidence<'_>,
    route: &RouteView<'_>,
    cut: Option<Holding<'_>>,
) -> (Location, Confidence, String) {
    if cut.is_some_and(|cut| cut.unseen()) {
        let why = " Nobody was seen to end it, so nothing shows whose it is: any hop that keeps track of \
                   connections can forget one (a firewall, NAT, a balancer of TCP connections), on \
                   either side.";
        return (Location::Undetermined, Confidence::Medium, why.into());
    }
    let close_notify = cut.and_then(|cut| cut.held.ending.close_notify);
    let direct = route.route.id.is_direct();
    // Whoever opens TLS on this side ends its sessions in order, too.
    if let Some(name) = crate::evidence::interceptor(e, route) {
        let why = format!(" TLS is opened on this side, by {name}, and the session was its own.");
        return (Location::ClientNetwork, Confidence::Medium, why);
    }
    match (close_notify, direct) {
        (Some(true), false) if route.trusted() == Some(true) => (
            Location::ServerSide,
            Confidence::Medium,
            " The TLS session was closed in order (close_notify), so it was whoever terminates \
             TLS, and nothing shows that the proxy does."
                .into(),
        ),
        (Some(true), true) if route.trusted() == Some(true) => (
            Location::ServerSide,
            Confidence::High,
            " The TLS session was closed in order (close_notify), so it was whoever terminates TLS."
                .into(),
        ),
        (Some(false), false) => (
            Location::Undetermined,
            Confidence::Medium,
            " The end came without close_notify: a hop that does not own the TLS session, the proxy \
             or a balancer of TCP connections before the server."
                .into(),
        ),
        (_, true) => (Location::ServerSide, Confidence::Medium, String::new()),
        _ => (Location::Undetermined, Confidence::Medium, String::new()),
    }
}
