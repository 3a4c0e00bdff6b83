//! The path from browser to server, with what is known of each hop, the broken
//! one marked; under it, how far each vantage climbed.

use crate::{Case, words};
use serde::Serialize;
use wss_diagnosis::{Cause, Device, DeviceRole, Layer, LayerStatus, Location, Status};

/// Hops drawn between browser and server; a longer path has the rest in the
/// table of devices.
const BETWEEN: usize = 4;

#[derive(Debug, Serialize)]
pub(super) struct Path {
    hops: Vec<Hop>,
    /// Lines between neighbours.
    legs: Vec<Leg>,
    columns: usize,
    summary: String,
    strips: Vec<Strip>,
}

#[derive(Debug, Serialize)]
struct Hop {
    what: &'static str,
    name: String,
    detail: String,
    x: String,
    tone: &'static str,
    symbol: &'static str,
    broken: Option<&'static str>,
    #[serde(flatten)]
    icon: Icon,
}

/// Which drawing stands for a hop.
#[derive(Debug, Default, Serialize)]
struct Icon {
    screen: bool,
    wall: bool,
    fork: bool,
    server: bool,
}

#[derive(Debug, Serialize)]
struct Leg {
    from: String,
    to: String,
    tone: &'static str,
}

#[derive(Debug, Serialize)]
struct Strip {
    name: String,
    route: String,
    cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
struct Cell {
    layer: &'static str,
    symbol: &'static str,
    word: &'static str,
    tone: &'static str,
}

/// On which part of the path a hop stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Client,
    ClientNetwork,
    Front,
    Server,
}

impl Path {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let mut hops = hops(case);
        let columns = hops.len();
        let x = |at: f64| words::percent(at + 0.5, columns as f64);
        for (at, hop) in hops.iter_mut().enumerate() {
            hop.x = x(at as f64);
        }
        let connected = connected(case);
        let legs = (1..columns)
            .map(|at| Leg {
                from: x(at as f64 - 1.0),
                to: x(at as f64),
                tone: match (hops[at - 1].tone, hops[at].tone) {
                    ("good", "good") => "good",
                    ("good", "bad" | "warn") if connected => "good",
                    ("good", _) => "bad",
                    // What lies behind a broken hop was not reached.
                    _ => "none",
                },
            })
            .collect();
        let summary = hops
            .iter()
            .map(|hop| {
                let name =
                    if hop.name.is_empty() { hop.what.to_owned() } else { hop.name.clone() };
                match hop.broken {
                    Some(how) => format!("{name} ({how})"),
                    None => name,
                }
            })
            .collect::<Vec<_>>()
            .join(", then ");
        Self { legs, columns, summary, strips: strips(case), hops }
    }
}

/// Whether the deciding route got as far as a connection.
fn connected(case: &Case<'_>) -> bool {
    let ladder = case.focus().and_then(|view| case.deciding_ladder(view));
    ladder.is_some_and(|ladder| {
        let tcp = ladder.layers.iter().find(|layer| layer.layer == Layer::Tcp);
        tcp.is_some_and(|layer| layer.status == LayerStatus::Pass)
    })
}

fn broken(case: &Case<'_>) -> Option<Part> {
    let verdict = &case.diagnosis.verdict;
    match (verdict.location, verdict.cause) {
        (Location::ClientNetwork, _) => Some(Part::ClientNetwork),
        (Location::Browser, _) => Some(Part::Client),
        (Location::ServerSide, Cause::OriginRejected) => Some(Part::Server),
        (Location::ServerSide, _) => Some(Part::Front),
        (Location::Target, _) => Some(Part::Server),
        (Location::None | Location::Undetermined, _) => None,
    }
}

fn hops(case: &Case<'_>) -> Vec<Hop> {
    let diagnosis = case.diagnosis;
    let broken = broken(case);
    let fine = diagnosis.verdict.status == Status::Working;
    let of = |roles: &[DeviceRole]| -> Vec<&Device> {
        diagnosis.devices.iter().filter(|d| roles.contains(&d.role)).take(BETWEEN / 2).collect()
    };
    let machine = case.focus().map(|view| &view.bundle.environment.os);
    let machine = machine.map_or("", |os| os.version.as_str());
    let mut hops = vec![hop(Part::Client, "Browser", "", machine, broken, fine)];
    let mut push = |part: Part, what: &'static str, found: Vec<&Device>, nothing: &str| {
        if found.is_empty() {
            hops.push(hop(part, what, "", nothing, broken, fine));
        }
        for (at, device) in found.into_iter().enumerate() {
            // Of several, the nearest to the client is looked at first.
            let broken = broken.filter(|_| at == 0);
            let because = device.because.first().map_or("", String::as_str);
            hops.push(hop(part, role(device.role), &name(device), because, broken, fine));
        }
    };
    let mut near = of(&[DeviceRole::ForwardProxy, DeviceRole::TlsInterceptor]);
    // The setting that names a proxy and the marks that it leaves are of one box.
    if near.iter().any(|d| d.role == DeviceRole::ForwardProxy && d.product.is_some()) {
        near.retain(|d| d.product.is_some());
    }
    // A proxy that is set and an interceptor that nobody knows are of one box, as
    // far as can be told.
    let unknown = |role: DeviceRole| move |d: &&Device| d.role == role && d.product.is_none();
    let issuer = near.iter().find(|d| unknown(DeviceRole::TlsInterceptor)(d)).copied();
    if near.iter().any(|d| unknown(DeviceRole::ForwardProxy)(d)) && issuer.is_some() {
        near.retain(|d| !unknown(DeviceRole::ForwardProxy)(d));
    }
    let nothing = match diagnosis.verdict.cause {
        Cause::ProxyRequired => {
            // The proxy is where the traffic does not go.
            near.clear();
            "lets nothing through but the proxy, which is not used"
        }
        _ => "no proxy shows itself",
    };
    push(Part::ClientNetwork, "Client's network", near, nothing);
    let front = of(&[DeviceRole::Cdn, DeviceRole::Waf, DeviceRole::LoadBalancer]);
    push(Part::Front, "Load balancer", front, "none shows itself");
    let origin = of(&[DeviceRole::Origin]);
    push(Part::Server, "Server", origin, "no answer of its own was seen");
    mark(case, &mut hops);
    hops
}

fn hop(
    part: Part,
    what: &'static str,
    name: &str,
    detail: &str,
    broken: Option<Part>,
    fine: bool,
) -> Hop {
    let broken = broken == Some(part);
    let icon = Icon {
        screen: part == Part::Client,
        wall: part == Part::ClientNetwork,
        fork: part == Part::Front,
        server: part == Part::Server,
    };
    let (tone, symbol) = if fine { ("good", "✓") } else { ("none", "") };
    Hop {
        what,
        name: words::cut(name, 60),
        // Enough to recognise it; all reasons are in the table of devices.
        detail: words::cut(detail, 72),
        x: String::new(),
        tone,
        symbol,
        broken: broken.then_some("breaks here"),
        icon,
    }
}

/// Says how the marked hop is in the way; what lies before it was passed.
fn mark(case: &Case<'_>, hops: &mut [Hop]) {
    let passed = match hops.iter().position(|hop| hop.broken.is_some()) {
        Some(at) => {
            let (tone, symbol, how) = match case.diagnosis.verdict.status {
                Status::Unknown => ("warn", "?", "cannot be told here"),
                Status::Unstable => ("bad", "✗", "cuts here"),
                Status::Broken | Status::Working => ("bad", "✗", "breaks here"),
            };
            (hops[at].tone, hops[at].symbol, hops[at].broken) = (tone, symbol, Some(how));
            at
        }
        // It breaks behind the browser, and nobody can say yet where.
        None if case.diagnosis.verdict.status == Status::Broken => 1,
        None => return,
    };
    for hop in hops.iter_mut().take(passed) {
        (hop.tone, hop.symbol) = ("good", "✓");
    }
}

fn role(role: DeviceRole) -> &'static str {
    match role {
        DeviceRole::ForwardProxy => "Proxy",
        DeviceRole::TlsInterceptor => "TLS interceptor",
        DeviceRole::LoadBalancer => "Load balancer",
        DeviceRole::Waf => "Web application firewall",
        DeviceRole::Cdn => "CDN",
        DeviceRole::Origin => "Server",
    }
}

fn name(device: &Device) -> String {
    match (&device.product, &device.version) {
        (Some(product), Some(version)) => format!("{product} {version}"),
        (Some(product), None) => product.clone(),
        (None, _) => String::new(),
    }
}

fn strips(case: &Case<'_>) -> Vec<Strip> {
    case.views
        .iter()
        .take(4)
        .filter_map(|view| {
            let ladder = case.deciding_ladder(view)?;
            let cells = ladder
                .layers
                .iter()
                .map(|layer| {
                    let (symbol, word, tone) = words::layer(layer.status);
                    Cell { layer: layer.layer.slug(), symbol, word, tone }
                })
                .collect();
            Some(Strip { name: view.name.clone(), route: words::cut(&ladder.route, 60), cells })
        })
        .collect()
}
