//! Which bundles speak: the one that decides, its twin from the other side, the
//! run before it, and those that are left aside, each with why.
//!
//! Bundles pair by case, else by target and time. What a pair shows is for the
//! rules; whether two bundles may be compared at all is decided here.

use super::route::Knowledge;
use super::{BundleView, RouteView};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use wss_bundle::observation::{Peer, Resolver, Step};

/// Bundles of one problem are collected within a day: with more between them,
/// something may have been changed in the meantime.
pub const APART: TimeDelta = TimeDelta::hours(24);

/// Positions in [`super::Evidence::bundles`].
#[derive(Debug, Default)]
pub(super) struct Pairing {
    /// The newest from inside, where the browser is; else the newest of all.
    pub(super) focus: Option<usize>,
    /// The comparable one from the other side that is nearest in time.
    pub(super) twin: Option<usize>,
    /// One from the other side that tried the same name and reached another
    /// server: good for a comparison of names, and for nothing above.
    pub(super) other_side: Option<usize>,
    /// The run from the same side before the focus.
    pub(super) before: Option<usize>,
    /// Those that do not speak, and why.
    pub(super) aside: Vec<(usize, String)>,
}

impl Pairing {
    /// `views` are in the evidence's order: inside first, then by time.
    pub(super) fn new(views: &[BundleView<'_>]) -> Self {
        let Some(focus) = views
            .iter()
            .rposition(|v| v.bundle.manifest.vantage == wss_bundle::Vantage::Inside)
            .or_else(|| views.len().checked_sub(1))
        else {
            return Self::default();
        };
        let own = &views[focus];
        let mut pairing = Self { focus: Some(focus), ..Self::default() };
        let (mut others, mut same): (Vec<usize>, Vec<usize>) = (0..views.len())
            .filter(|at| *at != focus)
            .partition(|at| views[*at].bundle.manifest.vantage != own.bundle.manifest.vantage);
        // By case, else by time.
        others.sort_by_key(|at| (!same_case(own, &views[*at]), apart(own, &views[*at]), *at));
        for at in others {
            match why_not(own, &views[at]) {
                None if pairing.twin.is_none() => pairing.twin = Some(at),
                None => {}
                Some(Unlike::Elsewhere(why)) => {
                    pairing.other_side.get_or_insert(at);
                    pairing.aside.push((at, why));
                }
                Some(Unlike::Otherwise(why)) => pairing.aside.push((at, why)),
            }
        }
        if pairing.twin.is_some() {
            pairing.other_side = pairing.twin;
        }
        same.retain(|at| match different_target(own, &views[*at]) {
            None => true,
            Some(why) => {
                pairing.aside.push((*at, why));
                false
            }
        });
        // Views of one side are in the order of time.
        pairing.before = same.into_iter().rfind(|at| *at < focus);
        pairing
    }
}

/// Why two bundles cannot be compared.
enum Unlike {
    /// The name led to another server.
    Elsewhere(String),
    /// Anything else.
    Otherwise(String),
}

fn same_case(a: &BundleView<'_>, b: &BundleView<'_>) -> bool {
    a.bundle.manifest.case == b.bundle.manifest.case
}

/// How long after one another two bundles were collected.
pub(super) fn apart(a: &BundleView<'_>, b: &BundleView<'_>) -> TimeDelta {
    a.bundle.manifest.started_at.signed_duration_since(b.bundle.manifest.started_at).abs()
}

fn different_target(a: &BundleView<'_>, b: &BundleView<'_>) -> Option<String> {
    let (ta, tb) = (&a.bundle.manifest.target, &b.bundle.manifest.target);
    if ta.scheme != tb.scheme || ta.host != tb.host || ta.port != tb.port {
        return Some(format!("they tried different targets: {} and {}", ta.origin(), tb.origin()));
    }
    if !ta.paths.contains(&b.path.to_owned()) && a.path != b.path {
        return Some(format!("they tried different paths: {} and {}", a.path, b.path));
    }
    None
}

fn why_not(a: &BundleView<'_>, b: &BundleView<'_>) -> Option<Unlike> {
    if let Some(why) = different_target(a, b) {
        return Some(Unlike::Otherwise(why));
    }
    if !same_case(a, b) && apart(a, b) > APART {
        return Some(Unlike::Otherwise(format!(
            "they belong to different cases and were collected {} apart",
            in_words(apart(a, b))
        )));
    }
    if let Some(why) = different_request(a, b) {
        return Some(Unlike::Otherwise(why));
    }
    different_server(a, b).map(Unlike::Elsewhere)
}

/// Whether a pasted output of curl and a bundle tried the same.
pub(super) fn comparable(own: &BundleView<'_>, output: &BundleView<'_>) -> bool {
    different_target(own, output).is_none()
        && (own.path == output.path || knows(own, output.path))
        && !asks_for_more(own, output)
        && !asks_for_more(output, own)
}

/// Whether one request has a header that matters and the other lacks: credentials,
/// an `Origin`. What every client adds by itself is not compared, since of a pasted
/// output the request is usually not known.
fn asks_for_more(a: &BundleView<'_>, b: &BundleView<'_>) -> bool {
    // An Origin that is no test's was told apart before: what is left is the target's.
    const USUAL: [&str; 9] = [
        "host",
        "accept",
        "connection",
        "upgrade",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "pragma",
        "proxy-connection",
    ];
    let (Some(sent), Some(other)) = (sent(a), sent(b)) else { return false };
    sent.keys().any(|name| {
        !USUAL.contains(&name.as_str())
            && !name.starts_with("sec-websocket-")
            && name != "origin"
            && !other.contains_key(name)
    })
}

/// Whether a path that is not the console's here is as good: the server
/// switches, or answers as a WebSocket endpoint, on it.
fn knows(view: &BundleView<'_>, path: &str) -> bool {
    let knowledge = view.selected().map(|route| route.knowledge_of(path));
    matches!(knowledge, Some(Knowledge::Switches | Knowledge::Endpoint))
}

/// A span of time, for people.
pub(super) fn in_words(span: TimeDelta) -> String {
    match span.num_hours() {
        hours @ ..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

/// The upgrade's header fields by lower-case name, but for those that differ
/// in every request and say nothing.
fn sent(view: &BundleView<'_>) -> Option<BTreeMap<String, String>> {
    let route = view.selected()?;
    let request = route.observations.iter().find_map(|o| match &o.step {
        Step::Upgrade(upgrade)
            if o.probe == wss_bundle::observation::probe::UPGRADE
                && o.path.as_deref() == Some(view.path) =>
        {
            Some(upgrade.request.text())
        }
        _ => None,
    })?;
    let mut fields = BTreeMap::new();
    for (name, value) in request.lines().skip(1).filter_map(|line| line.split_once(':')) {
        let name = name.trim().to_lowercase();
        if !matches!(name.as_str(), "sec-websocket-key" | "user-agent") {
            fields.insert(name, value.trim().to_owned());
        }
    }
    Some(fields)
}

/// Credentials or a header given on one side alone make it another request.
fn different_request(a: &BundleView<'_>, b: &BundleView<'_>) -> Option<String> {
    let (sent_a, sent_b) = (sent(a)?, sent(b)?);
    let names = sent_a.keys().chain(sent_b.keys());
    let name = names.filter(|name| sent_a.get(*name) != sent_b.get(*name)).min()?;
    let side = |view: &BundleView<'_>| view.bundle.manifest.vantage.as_str();
    Some(match (sent_a.get(name), sent_b.get(name)) {
        (Some(_), None) => format!("only the request from {} had the header {name:?}", side(a)),
        (None, Some(_)) => format!("only the request from {} had the header {name:?}", side(b)),
        _ => format!("their requests differ in the header {name:?}"),
    })
}

/// The target's addresses: as this machine's own resolver gave them, and those
/// that were dialled (the lookup may be missing in a damaged bundle).
#[must_use]
pub fn addresses(route: &RouteView<'_>) -> BTreeSet<IpAddr> {
    let mut found = BTreeSet::new();
    for observation in &route.observations {
        match &observation.step {
            Step::Resolve(r)
                if r.peer == Peer::Target && !matches!(r.resolver, Resolver::NameServer(_)) =>
            {
                found.extend(r.result.ok().into_iter().flat_map(|r| r.addresses.iter().copied()));
            }
            Step::Connect(c) if c.peer == Peer::Target => {
                found.insert(c.address.ip());
            }
            _ => {}
        }
    }
    found
}

/// Not routed on the internet (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291).
#[must_use]
pub fn is_private(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            v6.is_loopback() || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80
        }
    }
}

/// Whether the name led inside and outside to servers that are surely not the
/// same: one private and one public. Two public answers may well be one farm
/// behind one name (a CDN, an ALB), and the same certificate key shows the
/// same server whatever its address.
fn different_server(a: &BundleView<'_>, b: &BundleView<'_>) -> Option<String> {
    let (own, theirs) = (a.direct()?, b.direct()?);
    let (x, y) = (addresses(own), addresses(theirs));
    if x.is_empty() || y.is_empty() || !x.is_disjoint(&y) {
        return None;
    }
    let private = |set: &BTreeSet<IpAddr>| set.iter().all(is_private);
    let public = |set: &BTreeSet<IpAddr>| !set.iter().any(is_private);
    if !(private(&x) && public(&y) || public(&x) && private(&y)) {
        return None;
    }
    if let (Some(p), Some(q)) = (own.leaf(), theirs.leaf())
        && p.spki_sha256 == q.spki_sha256
    {
        return None;
    }
    let list =
        |s: &BTreeSet<IpAddr>| s.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Some(format!(
        "the name leads to different servers: to {} from {}, to {} from {}",
        list(&x),
        a.bundle.manifest.vantage.as_str(),
        list(&y),
        b.bundle.manifest.vantage.as_str()
    ))
}
