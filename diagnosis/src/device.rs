//! Devices on the path, nearest to the client first.

use crate::evidence::configured::described;
use crate::evidence::{BundleView, Evidence, ReplyKind, RouteView};
use crate::model::{Confidence, Device, DeviceRole};
use crate::signature::{Match, Place};
use std::collections::BTreeMap;
use wss_bundle::observation::{Body, Resolver};
use wss_bundle::{ResponseHead, Step};

/// The server's name in the list of devices.
const BINDPLANE: &str = "Bindplane";

/// Path order: the client's proxy, who opens TLS, and then what stands before the server.
fn order(role: DeviceRole) -> u8 {
    match role {
        DeviceRole::ForwardProxy => 0,
        DeviceRole::TlsInterceptor => 1,
        DeviceRole::Cdn => 2,
        DeviceRole::Waf => 3,
        DeviceRole::LoadBalancer => 4,
        DeviceRole::Origin => 5,
    }
}

#[derive(Default)]
struct Found {
    by_key: BTreeMap<(u8, String), Device>,
    /// Who stands before or behind others of its role.
    places: BTreeMap<(u8, String), Place>,
}

impl Found {
    fn add(&mut self, device: Device) {
        let key = (order(device.role), device.product.clone().unwrap_or_default());
        match self.by_key.get_mut(&key) {
            Some(known) => {
                known.confidence = known.confidence.max(device.confidence);
                known.version = known.version.take().or(device.version);
                for because in device.because {
                    if !known.because.contains(&because) && known.because.len() < 6 {
                        known.because.push(because);
                    }
                }
            }
            None => {
                self.by_key.insert(key, device);
            }
        }
    }

    /// Devices in path order: by role, and within a role by what the responses show.
    fn in_path_order(self) -> Vec<Device> {
        let Self { by_key, places } = self;
        let mut devices: Vec<_> = by_key
            .into_iter()
            .map(|(key, device)| ((key.0, places.get(&key).copied().unwrap_or_default()), device))
            .collect();
        // Already by name, and the sort is stable.
        devices.sort_by_key(|(key, _)| *key);
        devices.into_iter().map(|(_, device)| device).collect()
    }

    fn place(&mut self, m: &Match<'_>) {
        let key = (order(m.signature.role), m.signature.name.clone());
        let place = self.places.entry(key).or_default();
        // Nobody wrote after it: that is seen once for all.
        *place = match (*place, m.place) {
            (Place::Outer, _) | (_, Place::Outer) => Place::Outer,
            (own, Place::Unknown) => own,
            (_, other) => other,
        };
    }

    fn add_match(&mut self, m: &Match<'_>, view: &BundleView<'_>) {
        self.add(Device {
            role: m.signature.role,
            product: Some(m.signature.name.clone()),
            version: m.version.clone(),
            confidence: m.confidence,
            because: vec![format!("{} ({})", m.because, view.bundle.manifest.vantage.as_str())],
        });
    }
}

/// Every device that left a mark, in path order.
#[must_use]
pub(crate) fn devices(e: &Evidence<'_>) -> Vec<Device> {
    let mut found = Found::default();
    // Who decides first: of two versions of one product, that one's is told.
    let first = |view: &&BundleView<'_>| {
        e.focus().is_none_or(|focus| !std::ptr::eq::<BundleView<'_>>(focus, *view))
    };
    let mut views: Vec<&BundleView<'_>> = e.bundles.iter().collect();
    views.sort_by_key(first);
    for view in views {
        for route in &view.routes {
            of_route(e, view, route, &mut found);
        }
    }
    unknown_interceptor(e, &mut found);
    by_configuration(e, &mut found);
    let mut devices = found.in_path_order();
    drop_namesakes(&mut devices);
    devices
}

/// Somebody who opens TLS leaves a certificate, even where no signature knows it.
fn unknown_interceptor(e: &Evidence<'_>, found: &mut Found) {
    let Some((_, route, _)) = e.deciding() else { return };
    let known = |d: &Device| d.role == DeviceRole::TlsInterceptor;
    if found.by_key.values().any(known) {
        return;
    }
    if let Some(issuer) = crate::evidence::interceptor(e, route)
        && route.issuers.is_empty()
    {
        found.add(Device {
            role: DeviceRole::TlsInterceptor,
            product: None,
            version: None,
            confidence: Confidence::Medium,
            because: vec![format!("the server's certificate here was issued by {issuer}")],
        });
    }
}

/// A load balancer that shows no mark may still be described by what was given, where
/// anything answered at all.
fn by_configuration(e: &Evidence<'_>, found: &mut Found) {
    if e.deciding().is_none_or(|(_, route, _)| route.replies().next().is_none()) {
        return;
    }
    for (id, reading) in described(e) {
        let Some(signature) = e.signatures.get(id) else { continue };
        let key = (order(signature.role), signature.name.clone());
        let known = found.by_key.get(&key).is_some_and(|d| d.confidence >= Confidence::Medium);
        let Some(first) = reading.followed.first().filter(|_| !known) else { continue };
        found.add(Device {
            role: signature.role,
            product: Some(signature.name.clone()),
            version: None,
            confidence: Confidence::Medium,
            because: vec![format!(
                "what was given of {} takes the request ({})",
                reading.program.name(),
                first.place.short()
            )],
        });
    }
}

/// One product may have a signature as a forward and as a reverse proxy; the
/// stronger one stays, and a weak guess beside a strong one of the same role goes.
fn drop_namesakes(devices: &mut Vec<Device>) {
    let strong: Vec<DeviceRole> = devices
        .iter()
        .filter(|d| d.confidence == Confidence::High && d.product.is_some())
        .map(|d| d.role)
        .collect();
    devices.retain(|d| d.confidence > Confidence::Low || !strong.contains(&d.role));
    // What Bindplane is built with is not another server.
    let bindplane = |d: &Device| d.product.as_deref() == Some(BINDPLANE);
    if devices.iter().any(bindplane) {
        devices.retain(|d| d.role != DeviceRole::Origin || bindplane(d));
    }
}

fn of_route(e: &Evidence<'_>, view: &BundleView<'_>, route: &RouteView<'_>, found: &mut Found) {
    if let Some(proxy) = &route.route.proxy {
        let mut named = false;
        for o in &route.observations {
            if let Step::Tunnel(tunnel) = &o.step
                && let Some(reply) = tunnel.result.ok()
                && let Some(head) = &reply.head
            {
                for m in crate::signature::by_route(matches_of(e, head, &reply.body), true) {
                    named = true;
                    // Whoever answers CONNECT is a forward proxy, whatever else it can be.
                    found.add(Device {
                        role: DeviceRole::ForwardProxy,
                        product: Some(m.signature.name.clone()),
                        version: m.version.clone(),
                        confidence: m.confidence,
                        because: vec![format!("it answers CONNECT: {}", m.because)],
                    });
                }
            }
        }
        if !named {
            found.add(Device {
                role: DeviceRole::ForwardProxy,
                product: None,
                version: None,
                confidence: Confidence::High,
                because: vec![format!(
                    "{}:{} is set as proxy ({})",
                    proxy.host,
                    proxy.port,
                    route.route.sources.join(", ")
                )],
            });
        }
    }
    for m in &route.issuers {
        found.add_match(m, view);
    }
    let by_proxy = route.route.proxy.is_some();
    // What was seen in the replies holds here too, unless the bundle contradicts itself.
    let same = by_proxy != route.route.id.is_direct();
    let mut replies = route.replies().peekable();
    for o in &route.observations {
        let reply = replies.next_if(|reply| std::ptr::eq(reply.observation, *o));
        let (head, body) = match &o.step {
            Step::Resolve(r) if !matches!(r.resolver, Resolver::Override | Resolver::Literal) => {
                for record in r.result.ok().map(|ok| ok.records.as_slice()).unwrap_or_default() {
                    let mut named = Vec::new();
                    if matches!(record.kind.as_str(), "CNAME" | "PTR") {
                        named = e.signatures.match_cname(&record.data);
                    }
                    if record.kind == "PTR" {
                        named.extend(e.signatures.match_ptr(&record.data));
                    }
                    for m in named {
                        found.add_match(&m, view);
                    }
                }
                continue;
            }
            Step::Http(h) => match h.result.ok() {
                Some(r) => (&r.head, &r.body),
                None => continue,
            },
            Step::Upgrade(u) => match u.result.ok() {
                Some(r) => (&r.head, &r.body),
                None => continue,
            },
            _ => continue,
        };
        let own;
        let matches = match reply {
            Some(reply) if same => &reply.devices,
            _ => {
                own = crate::signature::by_route(matches_of(e, head, body), by_proxy);
                &own
            }
        };
        // What a proxy on the client's side wrote anew shows no more who wrote before it.
        let rewritten = matches.iter().any(|m| m.signature.role == DeviceRole::ForwardProxy);
        for m in matches {
            found.add_match(m, view);
            if !rewritten {
                found.place(m);
            }
        }
    }
    origin(view, route, found);
}

fn matches_of<'a>(e: &Evidence<'a>, head: &ResponseHead, body: &Body) -> Vec<Match<'a>> {
    let text = body.bytes.text();
    e.signatures.match_response(&crate::signature::Response {
        status: head.status(),
        head,
        body: &text,
    })
}

fn origin(view: &BundleView<'_>, route: &RouteView<'_>, found: &mut Found) {
    let version = route.server_version();
    let answers = version.is_some()
        || view.bundle.observations.target.paths.iter().any(|p| {
            matches!(
                route.upgrade_reply(p).map(|r| r.kind),
                Some(ReplyKind::Switched | ReplyKind::NotAnUpgrade | ReplyKind::PageShell)
            )
        });
    if answers {
        let because = if version.is_some() {
            "/js/_globals.js tells its version"
        } else {
            "it answers as a WebSocket server"
        };
        found.add(Device {
            role: DeviceRole::Origin,
            product: Some(BINDPLANE.into()),
            confidence: if version.is_some() { Confidence::High } else { Confidence::Medium },
            version: version.map(|(_, v)| v),
            because: vec![because.into()],
        });
    }
}
