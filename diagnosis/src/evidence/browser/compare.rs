//! A browser's handshake beside the collector's own, by the same route.

use super::{Fate, fate, same_way};
use wss_bundle::browser::BrowserHandshake;
use wss_bundle::observation::{Certificate, Peer, Upgrade, probe};
use wss_bundle::{Bundle, Observation, ResponseHead, Step};

/// One thing that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub what: String,
    /// The browser's.
    pub browser: String,
    /// The collector's.
    pub collector: String,
}

/// A browser's handshake beside the collector's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The observation it is compared with.
    pub observation: String,
    /// What differs; empty when they are alike.
    pub differences: Vec<Difference>,
}

/// Lays a browser's handshake beside the collector's own, by the same route.
#[must_use]
pub fn compare(bundle: &Bundle, seen: &BrowserHandshake) -> Option<Compared> {
    let (own, upgrade) = counterpart(bundle, seen)?;
    let mut out = Vec::new();
    let mut add = |what: &str, browser: Option<String>, collector: Option<String>| {
        if browser != collector && (browser.is_some() || collector.is_some()) {
            // What the redactor masked is there, and nobody can say whether it is the same.
            let masked = |value: &Option<String>| {
                value.as_ref().is_some_and(|value| value.contains("[removed"))
            };
            let unknown = masked(&browser) || masked(&collector);
            let shown = |value: Option<String>| {
                value.map_or_else(|| "none".into(), |value| value.replace("[removed]", "masked"))
            };
            let what = if unknown && browser.is_some() && collector.is_some() {
                format!("{what} (masked here: not to be compared)")
            } else {
                what.to_owned()
            };
            out.push(Difference { what, browser: shown(browser), collector: shown(collector) });
        }
    };
    if let Some(route) = &seen.route {
        let same = same_way(&own.route.0, route);
        let collector = if same { route.clone() } else { own.route.0.clone() };
        add("route", Some(route.clone()), Some(collector));
    }
    if let Some(remote) = &seen.remote {
        let address = on_connection(bundle, own).find_map(|step| match step {
            Step::Connect(step) => Some(step.address),
            _ => None,
        });
        // Some browsers tell the address alone.
        let with_port = remote.parse::<std::net::SocketAddr>().is_ok();
        let address = address.map(|a| if with_port { a.to_string() } else { a.ip().to_string() });
        if address.is_some() {
            add("address", Some(remote.clone()), address);
        }
    }
    if let Some(protocol) = &seen.protocol {
        let own = if upgrade.version == "2" { "h2" } else { "http/1.1" };
        add("protocol (ALPN)", Some(protocol.clone()), Some(own.to_owned()));
    }
    certificates(bundle, own, seen, &mut add);
    requests(seen, upgrade, &mut add);
    answers(seen, upgrade, &mut add);
    Some(Compared { observation: own.id.clone(), differences: out })
}

type Add<'f> = &'f mut dyn FnMut(&str, Option<String>, Option<String>);

fn certificates(bundle: &Bundle, own: &Observation, seen: &BrowserHandshake, add: Add<'_>) {
    let leaf = on_connection(bundle, own).find_map(|step| match step {
        Step::Tls(step) if step.peer == Peer::Target => step.chain.first(),
        _ => None,
    });
    let browsers = seen.tls.as_ref().and_then(|tls| tls.certificate.as_ref());
    let (Some(leaf), Some(browsers)) = (leaf, browsers) else { return };
    let same = if browsers.sha256.is_empty() {
        browsers.issuer_cn == leaf.issuer_cn
    } else {
        browsers.sha256 == leaf.sha256
    };
    if !same {
        let shown = |c: &Certificate| format!("{}, issued by {}", c.subject, c.issuer);
        add("certificate", Some(shown(browsers)), Some(shown(leaf)));
    }
}

fn requests(seen: &BrowserHandshake, upgrade: &Upgrade, add: Add<'_>) {
    if seen.request.is_none() {
        return;
    }
    let ours = ResponseHead::new(upgrade.request.0.clone());
    let host = seen.sent("host").or_else(|| seen.sent(":authority"));
    add("request header Host", host, ours.header("host"));
    for name in [
        "Origin",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Version",
        "Cookie",
        "Authorization",
    ] {
        add(&format!("request header {name}"), seen.sent(name), ours.header(name));
    }
}

fn answers(seen: &BrowserHandshake, upgrade: &Upgrade, add: Add<'_>) {
    let ours = upgrade.result.ok().map(|reply| &reply.head);
    let line = |status: Option<u16>, error: Option<String>| match status {
        Some(status) => Some(format!("status {status}")),
        None => Some(error.unwrap_or_else(|| "no answer".into())),
    };
    let own_error = upgrade.result.failure().map(ToString::to_string);
    let said = seen.error.clone().or_else(|| seen.console.first().cloned());
    // A status that only the browser's words tell is as good as one in a head.
    let status = seen.status().or(match fate(seen) {
        Fate::Answered(status) => Some(status),
        _ => None,
    });
    add("answer", line(status, said), line(ours.and_then(ResponseHead::status), own_error));
    if seen.response.is_some()
        && let Some(ours) = ours
    {
        for name in
            ["Server", "Via", "Location", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"]
        {
            add(&format!("response header {name}"), seen.received(name), ours.header(name));
        }
    }
}

/// The collector's handshake as a browser sends it, by the browser's route, or
/// by the selected one where the browser's was not tried.
fn counterpart<'b>(
    bundle: &'b Bundle,
    seen: &BrowserHandshake,
) -> Option<(&'b Observation, &'b Upgrade)> {
    let routes = &bundle.observations.routes;
    let by_name = seen
        .route
        .as_deref()
        .and_then(|route| routes.iter().find(|known| same_way(&known.id.0, route)));
    let route =
        by_name.or_else(|| routes.iter().find(|r| r.selected)).or_else(|| routes.first())?;
    let of = |wanted: &str| {
        let all = bundle.observations.observations.iter().filter_map(|o| match &o.step {
            Step::Upgrade(upgrade)
                if o.probe == wanted
                    && o.route == route.id
                    && o.path.as_deref().and_then(|p| p.split('?').next()) == Some(seen.path()) =>
            {
                Some((o, upgrade))
            }
            _ => None,
        });
        // It may have been asked more than once; the order in the file must not matter.
        all.min_by(|(a, _), (b, _)| a.start_ms.total_cmp(&b.start_ms))
    };
    let own = if seen.multiplexed() { of(probe::H2_CONNECT) } else { None };
    own.or_else(|| of(probe::BROWSER_UPGRADE)).or_else(|| of(probe::UPGRADE))
}

fn on_connection<'b>(bundle: &'b Bundle, own: &Observation) -> impl Iterator<Item = &'b Step> {
    let connection = own.connection;
    bundle
        .observations
        .observations
        .iter()
        .filter(move |o| connection.is_some() && o.connection == connection)
        .map(|o| &o.step)
}
