//! What one round saw, as the numbers that monitoring asks for. The verdict is the rules';
//! the rest are facts of the way and path that decide it.

use crate::command::gather::Judged;
use crate::expect::{chosen, earliest_expiry};
use chrono::{DateTime, Utc};
use wss_bundle::observation::{Peer, probe as name};
use wss_bundle::{Bundle, Observation, Step};
use wss_diagnosis::{Idle, LayerState, Verdict};

/// One round.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) verdict: Verdict,
    /// When it began.
    pub(super) at: DateTime<Utc>,
    /// How long it took, holds included.
    pub(super) seconds: f64,
    /// The way that decides; empty where none was chosen.
    pub(super) route: String,
    pub(super) path: String,
    pub(super) layers: Vec<LayerState>,
    pub(super) idle: Option<Idle>,
    /// The status of the answer to the handshake.
    pub(super) upgrade_status: Option<u16>,
    /// The status of the answer to a page.
    pub(super) page_status: Option<u16>,
    pub(super) tls_version: Option<String>,
    /// When the first certificate of the chain runs out.
    pub(super) expiry: Option<DateTime<Utc>>,
    /// 4 or 6.
    pub(super) ip: Option<f64>,
}

impl Seen {
    pub(super) fn of(judged: &Judged, seconds: f64) -> Self {
        let (bundle, diagnosis) = (judged.redacted.get(), &judged.diagnosis);
        let ladder = chosen(diagnosis);
        let route = ladder.map(|ladder| ladder.route.clone()).unwrap_or_default();
        let path = ladder.map(|ladder| ladder.path.clone()).unwrap_or_default();
        let of = |probe: &'static str| of_probe(bundle, &route, probe);
        let upgrade = of(name::UPGRADE).filter(|seen| seen.path.as_deref() == Some(&path));
        Self {
            verdict: diagnosis.verdict.clone(),
            at: bundle.manifest.started_at,
            seconds,
            layers: ladder.map(|ladder| ladder.layers.clone()).unwrap_or_default(),
            idle: diagnosis.idle.clone(),
            upgrade_status: upgrade.filter_map(status).next(),
            page_status: of(name::PAGES).chain(of(name::PLAIN_GET)).find_map(status),
            tls_version: on(bundle, &route).find_map(tls_version),
            expiry: ladder.and_then(|ladder| earliest_expiry(ladder, bundle)),
            ip: on(bundle, &route).find_map(ip),
            route: route.clone(),
            path: path.clone(),
        }
    }
}

fn on<'b>(bundle: &'b Bundle, route: &'b str) -> impl Iterator<Item = &'b Observation> {
    bundle.observations.observations.iter().filter(move |seen| seen.route.0 == route)
}

fn of_probe<'b>(
    bundle: &'b Bundle,
    route: &'b str,
    probe: &'static str,
) -> impl Iterator<Item = &'b Observation> {
    on(bundle, route).filter(move |seen| seen.probe == probe)
}

fn status(seen: &Observation) -> Option<u16> {
    match &seen.step {
        Step::Upgrade(step) => step.result.ok()?.head.status(),
        Step::Http(step) => step.result.ok()?.head.status(),
        _ => None,
    }
}

fn tls_version(seen: &Observation) -> Option<String> {
    match &seen.step {
        Step::Tls(tls) if tls.peer == Peer::Target => Some(tls.result.ok()?.version.clone()),
        _ => None,
    }
}

fn ip(seen: &Observation) -> Option<f64> {
    match &seen.step {
        Step::Connect(step) => {
            step.result.ok()?;
            Some(if step.address.is_ipv4() { 4.0 } else { 6.0 })
        }
        _ => None,
    }
}
