//! Azure Front Door, Standard and Premium: the route of a request, and whether it caches.
//! Which domains a route is for stands elsewhere, so that routes that contradict each
//! other about a path are not judged.

use super::check::{Check, fits, object, replaced};
use crate::configuration::part::Part;
use crate::configuration::{Fix, Kind};

/// What ends a socket that is silent; nobody can change it.
const IDLE_S: f64 = 300.0;

/// Reads the routes that were given.
pub(super) fn read(check: &mut Check<'_>, all: &[Part<'_>]) {
    let Some(first) = all.first() else { return };
    let asked = check.path();
    let mut taken = Vec::new();
    for route in all.iter().filter(|route| route.text("enabledState") != "Disabled") {
        let own = route.items("patternsToMatch").filter(|own| fits(own.node.text(), asked));
        // The very path goes first, then the longest.
        let rank = |own: &Part<'_>| (!own.node.text().ends_with('*'), own.node.text().len());
        taken.extend(own.max_by_key(rank).map(|own| (rank(&own), own, *route)));
    }
    let Some(best) = taken.iter().map(|(rank, ..)| *rank).max() else {
        let why = format!(
            "none of these routes takes {asked}: give all of the endpoint's (az afd route list)"
        );
        return check.untold(first.get("patternsToMatch").unwrap_or(*first), why);
    };
    let own: Vec<_> = taken.iter().filter(|(rank, ..)| *rank == best).collect();
    let Some((_, pattern, route)) = own.first() else { return };
    let endpoint = route.text("endpointName");
    let several = taken.iter().any(|(.., other)| other.text("endpointName") != endpoint);
    if own.len() > 1 || several {
        let why = "several routes could take this, by the domain: give the one of the name that was asked for";
        return check.untold(*pattern, why);
    }
    check.device("azure-frontdoor");
    check.follow(route.get("name").unwrap_or(*route));
    check.follow(*pattern);
    judged(check, *route, pattern.node.text());
}

fn judged(check: &mut Check<'_>, route: Part<'_>, pattern: &str) {
    if let Some(cache) = object(route, "cacheConfiguration") {
        let says = "makes the route cache: then Upgrade is not sent on to the origin";
        let command = format!("{} --enable-caching false", update(route));
        let at = cache.get("queryStringCachingBehavior").unwrap_or(cache);
        check.issue(Kind::UpgradeHeaders, at, says, command);
        check.mended_by(Fix::new(
            "Give /v1/* a route of its own without caching, or switch this one's caching off.",
        ));
    }
    let asked = check.path();
    if let Some(at) = route.get("originPath").filter(|own| !own.node.text().is_empty()) {
        let new = replaced(pattern, at.node.text(), asked);
        if new != asked {
            let says = format!("asks the origin for {new} in the place of {asked}");
            check.issue(Kind::PathChanged, at, says, "");
        }
    }
    let redirect = route.get("httpsRedirect").filter(|own| own.node.text() == "Enabled");
    if let Some(at) = redirect.filter(|_| !check.request.tls) {
        let says = "redirects http:// to https://, which a WebSocket does not follow";
        check.issue(Kind::PathRule(None), at, says, "");
    }
    if let Some(set) = route.items("ruleSets").next() {
        let why =
            "what these rules do (redirect, rewrite, cache) is not in a route: az afd rule list";
        check.untold(set, why);
    }
    let at = route.get("name").unwrap_or(route);
    let says =
        format!("is Front Door's: it cuts a connection on which nothing comes for {IDLE_S:.0} s");
    check.if_seen(Kind::Timeout(IDLE_S), at, says);
    check.mended_by(Fix::new("Front Door's time is fixed: send something more often."));
}

/// The command that changes a route.
fn update(route: Part<'_>) -> String {
    format!(
        "az afd route update -g GROUP --profile-name PROFILE --endpoint-name {} --route-name {}",
        route.text("endpointName"),
        route.text("name")
    )
}
