//! The path from browser to server, with what is known of each hop, and the
//! broken one marked.

use crate::report::Case;
use serde::Serialize;
use wss_diagnosis::{Cause, Device, DeviceRole, Location, Status};

#[derive(Debug, Serialize)]
pub(super) struct Path {
    hops: Vec<Hop>,
    summary: String,
}

#[derive(Debug, Serialize)]
struct Hop {
    what: &'static str,
    name: Option<String>,
    detail: String,
    broken: bool,
    fine: bool,
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
        let diagnosis = case.diagnosis;
        let verdict = &diagnosis.verdict;
        let broken = match (verdict.location, verdict.cause) {
            (Location::ClientNetwork, _) => Some(Part::ClientNetwork),
            (Location::Browser, _) => Some(Part::Client),
            (Location::ServerSide, Cause::OriginRejected) => Some(Part::Server),
            (Location::ServerSide, _) => Some(Part::Front),
            (Location::Target, _) => Some(Part::Server),
            (Location::None | Location::Undetermined, _) => None,
        };
        let fine = verdict.status == Status::Working;
        let role = |roles: &[DeviceRole]| -> Vec<&Device> {
            diagnosis.devices.iter().filter(|d| roles.contains(&d.role)).collect()
        };
        let near = role(&[DeviceRole::ForwardProxy, DeviceRole::TlsInterceptor]);
        let front = role(&[DeviceRole::Cdn, DeviceRole::Waf, DeviceRole::LoadBalancer]);
        let origin = role(&[DeviceRole::Origin]);
        let mut hops = vec![hop("Browser", None, "or the machine that collected", false, fine)];
        let mut push = |part: Part, what: &'static str, found: &[&Device], nothing: &str| {
            let mut marked = broken == Some(part);
            if found.is_empty() {
                hops.push(hop(what, None, nothing, marked, fine));
            }
            for device in found {
                hops.push(of_device(device, marked, fine));
                // Of several, the nearest to the client is looked at first.
                marked = false;
            }
        };
        push(Part::ClientNetwork, "Client's network", &near, "no proxy shows itself");
        push(Part::Front, "Load balancer", &front, "none shows itself");
        push(Part::Server, "Bindplane", &origin, "no answer of its own was seen");
        if let Some(first) = hops.first_mut() {
            first.broken = broken == Some(Part::Client);
        }
        let summary = hops
            .iter()
            .map(|hop| {
                let name = hop.name.as_deref().unwrap_or(hop.what);
                if hop.broken { format!("{name} (here it breaks)") } else { name.to_owned() }
            })
            .collect::<Vec<_>>()
            .join(", then ");
        Self { hops, summary }
    }
}

fn hop(what: &'static str, name: Option<String>, detail: &str, broken: bool, fine: bool) -> Hop {
    Hop { what, name, detail: detail.to_owned(), broken, fine: fine && !broken }
}

fn of_device(device: &Device, broken: bool, fine: bool) -> Hop {
    let what = match device.role {
        DeviceRole::ForwardProxy => "Proxy",
        DeviceRole::TlsInterceptor => "TLS interceptor",
        DeviceRole::LoadBalancer => "Load balancer",
        DeviceRole::Waf => "Web application firewall",
        DeviceRole::Cdn => "CDN",
        DeviceRole::Origin => "Server",
    };
    let name = device.product.as_ref().map(|product| match &device.version {
        Some(version) => format!("{product} {version}"),
        None => product.clone(),
    });
    // Enough to recognise it; the whole reason is in the table of devices.
    let because = device.because.first().map_or("", String::as_str);
    hop(what, name, &crate::report::words::cut(because, 72), broken, fine)
}
