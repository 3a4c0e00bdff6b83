//! How far each route climbed, layer by layer: the heart of every report.

use crate::evidence::compression::Compression;
use crate::evidence::holding::{Holding, Picture};
use crate::evidence::holding::{after, words};
use crate::evidence::{BundleView, Evidence, Reach, ReplyKind, RouteView, SocketState};
use crate::model::{Layer, LayerFailure, LayerState, LayerStatus, RouteLadder};
use wss_bundle::observation::{Peer, Resolver, Tunnel, Verification, probe};
use wss_bundle::{Failure, FailureKind, Observation, Step};

/// One ladder for each bundle, route and WebSocket path.
#[must_use]
pub(crate) fn ladders(e: &Evidence<'_>) -> Vec<RouteLadder> {
    e.bundles
        .iter()
        .flat_map(|view| {
            view.routes.iter().flat_map(move |route| {
                view.bundle
                    .observations
                    .target
                    .paths
                    .iter()
                    .map(move |path| ladder(view, route, path))
            })
        })
        .collect()
}

/// How far one route climbed for one path.
#[must_use]
pub(crate) fn ladder(view: &BundleView<'_>, route: &RouteView<'_>, path: &str) -> RouteLadder {
    RouteLadder {
        bundle: view.bundle.manifest.id.clone(),
        vantage: view.bundle.manifest.vantage.as_str().into(),
        route: route.route.id.to_string(),
        path: path.to_owned(),
        layers: vec![
            dns(route),
            tcp(route),
            proxy(route),
            tls(view, route),
            http(route, path),
            upgrade(route, path),
            frames(route, path),
            hold(route, path),
        ],
        chosen: view.selected().is_some_and(|chosen| chosen.route.id == route.route.id),
    }
}

fn state(
    layer: Layer,
    status: LayerStatus,
    ms: Option<f64>,
    detail: impl Into<Option<String>>,
) -> LayerState {
    LayerState { layer, status, ms, detail: detail.into(), failure: None }
}

/// A layer that fails by what was seen at it.
fn failed(
    layer: Layer,
    how: LayerFailure,
    ms: f64,
    detail: impl Into<Option<String>>,
) -> LayerState {
    LayerState { failure: Some(how), ..state(layer, LayerStatus::Fail, Some(ms), detail) }
}

/// A layer at which a step did not come to its end.
fn ended(layer: Layer, status: LayerStatus, o: &Observation, failure: &Failure) -> LayerState {
    let state = state(layer, status, Some(o.duration_ms), failure.to_string());
    LayerState { failure: Some(LayerFailure::Step(failure.kind)), ..state }
}

/// The outcome of the steps of one kind: the first success, or else the first failure.
fn best<'a>(
    layer: Layer,
    route: &RouteView<'a>,
    pick: impl Fn(&'a Step) -> bool,
    describe: impl Fn(&'a Observation) -> Option<String>,
) -> LayerState {
    let steps: Vec<_> = route.observations.iter().copied().filter(|o| pick(&o.step)).collect();
    if let Some(o) = steps.iter().find(|o| o.step.failure().is_none()) {
        return state(layer, LayerStatus::Pass, Some(o.duration_ms), describe(o));
    }
    match steps.iter().find_map(|o| o.step.failure().map(|f| (o, f))) {
        Some((_, f)) if f.kind == FailureKind::Cancelled => {
            state(layer, LayerStatus::Unknown, None, "cancelled".to_owned())
        }
        Some((o, f)) => ended(layer, LayerStatus::Fail, o, f),
        None => state(layer, LayerStatus::Unknown, None, None),
    }
}

fn dns(route: &RouteView<'_>) -> LayerState {
    let own = if route.route.id.is_direct() { Peer::Target } else { Peer::Proxy };
    let own_name = |s: &Step| matches!(s, Step::Resolve(r) if r.peer == own && !matches!(r.resolver, Resolver::NameServer(_)));
    let layer = best(Layer::Dns, route, own_name, |o| match &o.step {
        Step::Resolve(r) => r
            .result
            .ok()
            .map(|ok| ok.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        _ => None,
    });
    let literal = route.observations.iter().any(|o| {
        matches!(&o.step, Step::Resolve(r) if r.peer == own && matches!(r.resolver, Resolver::Literal))
    });
    if literal && layer.status == LayerStatus::Pass {
        return state(Layer::Dns, LayerStatus::Skipped, None, "an address: no lookup".to_owned());
    }
    layer
}

fn tcp(route: &RouteView<'_>) -> LayerState {
    best(
        Layer::Tcp,
        route,
        |s| matches!(s, Step::Connect(_)),
        |o| match &o.step {
            Step::Connect(c) => Some(c.address.to_string()),
            _ => None,
        },
    )
}

fn proxy(route: &RouteView<'_>) -> LayerState {
    if route.route.id.is_direct() {
        return state(Layer::Proxy, LayerStatus::Skipped, None, None);
    }
    if let Reach::TunnelStatus(o, tunnel, _) = route.reach() {
        let head = tunnel.result.ok().and_then(|r| r.head.as_ref());
        let line = head.map(wss_bundle::ResponseHead::status_line);
        let how = LayerFailure::Answer(head.and_then(wss_bundle::ResponseHead::status));
        return failed(Layer::Proxy, how, o.duration_ms, line);
    }
    best(
        Layer::Proxy,
        route,
        |s| matches!(s, Step::Tunnel(t) if !refused(t)),
        |o| match &o.step {
            Step::Tunnel(t) => t
                .result
                .ok()
                .and_then(|r| r.head.as_ref())
                .map(wss_bundle::ResponseHead::status_line),
            _ => None,
        },
    )
}

/// Whether the proxy answered, and did not open the tunnel (which it may have
/// done when it was asked once more, with credentials).
fn refused(tunnel: &Tunnel) -> bool {
    let head = tunnel.result.ok().and_then(|reply| reply.head.as_ref());
    head.and_then(wss_bundle::ResponseHead::status).is_some_and(|s| !(200..300).contains(&s))
}

fn tls(view: &BundleView<'_>, route: &RouteView<'_>) -> LayerState {
    if view.bundle.manifest.target.scheme == wss_bundle::target::Scheme::Http {
        return state(Layer::Tls, LayerStatus::Skipped, None, None);
    }
    let Some((o, tls)) = route.tls() else {
        return state(Layer::Tls, LayerStatus::Unknown, None, None);
    };
    match (&tls.verification, tls.result.ok(), tls.result.failure()) {
        (_, _, Some(f)) if f.kind == FailureKind::Cancelled => {
            state(Layer::Tls, LayerStatus::Unknown, None, "cancelled".to_owned())
        }
        (_, _, Some(f)) => ended(Layer::Tls, LayerStatus::Fail, o, f),
        (Some(Verification::Untrusted { detail, .. }), _, _) => failed(
            Layer::Tls,
            LayerFailure::Untrusted,
            o.duration_ms,
            format!("not trusted: {detail}"),
        ),
        (_, Some(session), _) => state(
            Layer::Tls,
            LayerStatus::Pass,
            Some(o.duration_ms),
            format!(
                "{}, {}",
                session.version,
                tls.chain.first().and_then(|c| c.issuer_cn.clone()).unwrap_or_default()
            ),
        ),
        _ => state(Layer::Tls, LayerStatus::Unknown, None, None),
    }
}

fn http(route: &RouteView<'_>, path: &str) -> LayerState {
    if let Some(r) = route.pages_pass(path) {
        return state(Layer::Http, LayerStatus::Pass, Some(r.observation.duration_ms), r.line());
    }
    let any = ["/health", "/js/_globals.js", "/"]
        .into_iter()
        .filter_map(|p| route.page(p))
        .chain(route.plain_reply(path))
        .next();
    match any {
        // An answer that is no gateway's shows that HTTP itself passes.
        Some(r) if r.status < 500 => {
            state(Layer::Http, LayerStatus::Pass, Some(r.observation.duration_ms), r.line())
        }
        Some(r) => {
            let how = LayerFailure::Answer(Some(r.status));
            failed(Layer::Http, how, r.observation.duration_ms, r.line())
        }
        None => best(Layer::Http, route, |s| matches!(s, Step::Http(_)), |_| None),
    }
}

fn upgrade(route: &RouteView<'_>, path: &str) -> LayerState {
    if let Some(r) = route.upgrade_reply(path) {
        let ms = r.observation.duration_ms;
        let status = match r.kind {
            ReplyKind::Switched => LayerStatus::Pass,
            ReplyKind::Unauthorized => LayerStatus::Unknown,
            _ => {
                return failed(Layer::Upgrade, LayerFailure::Answer(Some(r.status)), ms, r.line());
            }
        };
        return state(Layer::Upgrade, status, Some(ms), r.line());
    }
    match route.upgrade_failure(path) {
        Some((o, f)) => {
            let too_short = route.is_too_short(o);
            let status = if too_short { LayerStatus::Unknown } else { LayerStatus::Fail };
            ended(Layer::Upgrade, status, o, f)
        }
        None => state(Layer::Upgrade, LayerStatus::Unknown, None, None),
    }
}

fn frames(route: &RouteView<'_>, path: &str) -> LayerState {
    let Some((o, frames)) = route.frames(path) else {
        return state(Layer::Frames, LayerStatus::Unknown, None, None);
    };
    match route.socket(path) {
        SocketState::Works => {
            if let Compression::Breaks(broken) = route.compression(path) {
                let o = broken.observation;
                let detail =
                    format!("Pong; compressed: {}", wss_bundle::transcript::ended(broken.ending));
                return failed(Layer::Frames, LayerFailure::Compressed, o.duration_ms, detail);
            }
            let pong = frames.result.ok().and_then(|s| s.pong_ms);
            state(Layer::Frames, LayerStatus::Pass, pong.or(Some(o.duration_ms)), "Pong".to_owned())
        }
        SocketState::NoFrames => {
            let no_pong = || "no Pong came".to_owned();
            match frames.result.failure() {
                Some(f) => ended(Layer::Frames, LayerStatus::Fail, o, f),
                None => failed(Layer::Frames, LayerFailure::NoPong, o.duration_ms, no_pong()),
            }
        }
        _ => state(Layer::Frames, LayerStatus::Unknown, None, None),
    }
}

fn hold(route: &RouteView<'_>, path: &str) -> LayerState {
    let own = |one: &Holding<'_>| one.observation.path.as_deref() == Some(path);
    let bracket = route.silence_survived();
    let idle = matches!(route.picture(), Some(Picture::Idle));
    if let Some(cut) = bracket.cut.filter(own)
        && (bracket.too_short() || !idle)
    {
        let ms = cut.observation.duration_ms;
        return failed(Layer::Hold, LayerFailure::Cut, ms, after(&cut, bracket.alive_s));
    }
    let whole = route.holdings().find(|one| one.observation.probe == probe::HOLD_SILENT);
    match whole.filter(own) {
        Some(one) => {
            let alive = if one.ended() { bracket.alive_s } else { None };
            let detail = format!("still open after {}", words(alive.unwrap_or(one.age_s())));
            state(Layer::Hold, LayerStatus::Pass, Some(one.observation.duration_ms), detail)
        }
        None => state(Layer::Hold, LayerStatus::Unknown, None, None),
    }
}
