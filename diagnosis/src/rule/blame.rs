//! Whose an upgrade's failure is, from the differences between twins.

use crate::evidence::{Author, BundleView, Evidence, ReplyKind, RouteView, interceptor, silence};
use crate::model::{Confidence, DeviceRole, Location, Side};
use crate::signature::Match;
use wss_bundle::Vantage;

/// Whose it is, how sure, and why, as a clause for a sentence.
pub(super) struct Blame {
    pub(super) location: Location,
    pub(super) confidence: Confidence,
    pub(super) because: String,
}

pub(super) fn blame(
    location: Location,
    confidence: Confidence,
    because: impl Into<String>,
) -> Blame {
    Blame { location, confidence, because: because.into() }
}

/// Whose the failure of the upgrade on the deciding route is.
///
/// A difference between twins weighs most: the same request from outside, or
/// by another route. From one vantage, what was seen in the response decides
/// (a proxy's own page, a re-signed certificate), and over trusted TLS nobody
/// on the client's side can have touched the request.
pub(super) fn of_upgrade(e: &Evidence<'_>) -> Blame {
    use Confidence::{High, Low, Medium};
    use Location::{ClientNetwork, ServerSide, Undetermined};
    let Some((focus, route, path)) = e.deciding() else {
        return blame(Undetermined, Low, "nothing was tried");
    };
    if e.twin_is_pasted()
        && let Some(blame) = of_pasted(e, route, path)
    {
        return blame;
    }
    if e.outside_works() == Some(true) {
        return blame(ClientNetwork, High, "the same upgrade from outside this network works");
    }
    if let Some(other) = focus.other_working().next() {
        return blame(
            ClientNetwork,
            High,
            format!("the same upgrade by another route ({}) works", other.route.id),
        );
    }
    let own = route.upgrade_reply(path);
    if e.twin().is_none() && fails_directly_alike(focus, route, path) {
        return blame(ServerSide, High, "the direct way, without the proxy, gets the same answer");
    }
    if let Some(twin) = e.twin() {
        let theirs = twin.selected().and_then(|r| r.upgrade_reply(twin.path));
        if e.outside_fails_alike() {
            return blame(ServerSide, High, "it fails in the same way from outside this network");
        }
        // Its own fate is not told either: then it is no twin.
        let no_word = theirs.is_none_or(|reply| reply.kind == ReplyKind::Switched);
        if e.outside_works().is_none() && no_word {
            return from_one_vantage(e, route, own);
        }
        let reaches = |kind: ReplyKind| {
            matches!(kind, ReplyKind::Unauthorized | ReplyKind::NotAnUpgrade | ReplyKind::Switched)
        };
        if theirs.is_some_and(|r| reaches(r.kind)) && !own.as_ref().is_some_and(|r| reaches(r.kind))
        {
            return blame(
                ClientNetwork,
                Medium,
                "from outside, the same request gets an answer from the server itself",
            );
        }
        return blame(Undetermined, Low, "inside and outside fail in different ways");
    }
    from_one_vantage(e, route, own)
}

/// The same with a pasted output of curl for the other side. It is somebody's
/// word for where and against what it ran: alone it makes fairly sure, and sure
/// where what was collected here says the same.
fn of_pasted(e: &Evidence<'_>, route: &RouteView<'_>, path: &str) -> Option<Blame> {
    use Confidence::{High, Medium};
    use Location::{ClientNetwork, ServerSide};
    let own = route.upgrade_reply(path);
    let here = from_one_vantage(e, route, own);
    // Nobody knows how long a pasted answer took: it may have come later than was waited here.
    let silent = route.upgrade_failure(path).is_some_and(|(o, _)| silence::waited(o).is_some());
    let sure = |location| if here.location == location && !silent { High } else { Medium };
    let other = match e.focus()?.bundle.manifest.vantage {
        Vantage::Inside => "outside",
        Vantage::Outside => "inside",
    };
    if e.outside_works() == Some(true) {
        let because = "the same upgrade from outside this network works (pasted curl output)";
        return Some(blame(ClientNetwork, sure(ClientNetwork), because));
    }
    e.outside_fails_alike().then(|| {
        let because = format!("it fails in the same way from {other} (pasted curl output)");
        blame(ServerSide, sure(ServerSide), because)
    })
}

/// Whether the deciding route goes through a proxy, and the direct one gets as
/// far and is answered in the same way: that clears the proxy.
fn fails_directly_alike(focus: &BundleView<'_>, route: &RouteView<'_>, path: &str) -> bool {
    let (Some(own), Some(direct)) = (route.upgrade_reply(path), focus.direct()) else {
        return false;
    };
    !route.route.id.is_direct()
        && direct.upgrade_reply(path).is_some_and(|reply| reply.same_answer(own))
}

/// Whose it is, as far as one vantage and one route show.
pub(super) fn from_one_vantage(
    e: &Evidence<'_>,
    route: &RouteView<'_>,
    own: Option<&crate::evidence::Reply<'_>>,
) -> Blame {
    use Confidence::{High, Medium};
    use Location::{ClientNetwork, ServerSide};
    if let Some(name) = interceptor(e, route) {
        return blame(
            ClientNetwork,
            Medium,
            format!("the certificate was issued by {name}, which opens TLS on this side"),
        );
    }
    if let Some(reply) = own {
        if let Author::Device { side: Side::Client, name, .. } = &reply.author {
            return blame(ClientNetwork, Medium, format!("the answer is {name}'s own page"));
        }
        let forward = reply.devices.iter().find(|m| m.signature.side == Side::Client);
        if let (Some(m), false) = (forward, route.route.id.is_direct()) {
            return blame(
                ClientNetwork,
                Medium,
                format!(
                    "{} left its mark on an answer that came through a proxy",
                    m.signature.name
                ),
            );
        }
        // Through a proxy, trusted TLS may be the proxy's own, with its root
        // installed here: then the sign is only as good as the next one.
        if route.trusted() == Some(true)
            && route.route.id.is_direct()
            && reply.devices.iter().any(|m| stands_before_server(m) && m.confidence >= Medium)
        {
            return blame(
                ServerSide,
                High,
                "TLS is trusted from here to the device that answered, so nothing on this side \
                 can have touched the request",
            );
        }
    }
    match route.trusted() {
        Some(true) => blame(
            ServerSide,
            Medium,
            "TLS is trusted from here to whoever answered, by no issuer that is known to intercept",
        ),
        _ if route.route.id.is_direct() => blame(
            ServerSide,
            Medium,
            "it was sent directly, and no proxy left a mark on the answer",
        ),
        _ => blame(ClientNetwork, Medium, "it went through a proxy that could see and change it"),
    }
}

/// A load balancer, CDN or WAF that can only be on the server's side.
fn stands_before_server(m: &Match<'_>) -> bool {
    m.signature.side == Side::Server && m.signature.role != DeviceRole::Origin
}
