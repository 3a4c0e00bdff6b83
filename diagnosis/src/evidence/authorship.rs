//! Who answered: for each response of a bundle, whether the server, a load
//! balancer, a proxy or an interceptor wrote it, who passed it on, and why that
//! is believed.
//!
//! The judgement is [`Author`]'s, which the rules use; here it is put into words,
//! with the signs that speak for it: the product's own page, headers in their
//! order and case, `Via`, cookies by name, certificates, names in DNS, and how
//! soon the answer came.

use super::BundleView;
use super::reply::{Author, Reply, ReplyKind};
use super::route::RouteView;
use crate::model::{Confidence, DeviceRole};
use crate::signature::{Match, Response, Signatures, by_route};
use wss_bundle::observation::{Resolver, probe};
use wss_bundle::{Bundle, Observation, ResponseHead, Step};

/// Most reasons for one response.
const REASONS: usize = 8;

/// Who wrote one response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorship {
    /// The observation that it stands in.
    pub observation: String,
    /// Its status line.
    pub line: String,
    /// Who wrote it, by name; `None` where that cannot be told.
    pub who: Option<String>,
    /// What that one does on the path.
    pub role: Option<DeviceRole>,
    /// How sure.
    pub confidence: Confidence,
    /// Why that is believed, or what little is known.
    pub because: Vec<String>,
    /// Who else left a mark on it, and so passed it on, each with its sign.
    pub passed_on: Vec<String>,
}

/// Who wrote each response of a bundle: those to CONNECT, to upgrades and to plain
/// requests, in the order of the observations.
#[must_use]
pub fn authorships(bundle: &Bundle, signatures: &Signatures) -> Vec<Authorship> {
    let view = BundleView::new(bundle, signatures);
    let mut out: Vec<(usize, Authorship)> = Vec::new();
    let place = |o: &Observation| {
        bundle.observations.observations.iter().position(|other| other.id == o.id)
    };
    for route in &view.routes {
        let of_route = RouteSigns::new(route, signatures);
        for reply in route.replies() {
            out.extend(place(reply.observation).map(|at| (at, of_route.judge(route, reply))));
        }
        for o in &route.observations {
            let answer = connect_answer(o, signatures);
            out.extend(answer.and_then(|answer| Some((place(o)?, answer))));
        }
    }
    out.sort_by_key(|(at, _)| *at);
    out.into_iter().map(|(_, authorship)| authorship).collect()
}

/// What a route shows of whoever stands on it, whatever was asked.
struct RouteSigns {
    /// Who re-signed the certificate.
    interceptor: Option<String>,
    /// Whose names the address leads by.
    names: Vec<String>,
    /// The soonest answer of Bindplane's own pages, in milliseconds.
    page_ms: Option<f64>,
    version: Option<String>,
}

impl RouteSigns {
    fn new(route: &RouteView<'_>, signatures: &Signatures) -> Self {
        let chain = route.tls().map(|(_, tls)| &tls.chain[..]).unwrap_or_default();
        let interceptor = signatures
            .match_certificate(chain)
            .into_iter()
            .find(|m| m.signature.intercepts() && m.confidence >= Confidence::Medium)
            .map(|m| format!("{} ({})", m.signature.name, m.because));
        let names = route
            .observations
            .iter()
            .filter_map(|o| match &o.step {
                Step::Resolve(r)
                    if !matches!(r.resolver, Resolver::Override | Resolver::Literal) =>
                {
                    r.result.ok()
                }
                _ => None,
            })
            .flat_map(|found| &found.records)
            .filter(|record| matches!(record.kind.as_str(), "CNAME" | "PTR"))
            .flat_map(|record| {
                let matches = signatures.match_cname(&record.data);
                let kind = record.kind.clone();
                matches
                    .into_iter()
                    .map(move |m| format!("{} ({kind} {})", m.signature.name, m.because))
            })
            .fold(Vec::new(), |mut all: Vec<String>, name| {
                if !all.contains(&name) && all.len() < REASONS {
                    all.push(name);
                }
                all
            });
        let page_ms = ["/health", "/js/_globals.js", "/"]
            .into_iter()
            .filter_map(|page| route.page(page))
            .filter(|reply| {
                matches!(reply.status, 200..=299) && reply.devices.iter().all(|m| !m.by_body)
            })
            .map(|reply| reply.reply.first_byte_ms)
            .min_by(f64::total_cmp);
        let version = route.server_version().map(|(_, version)| version);
        Self { interceptor, names, page_ms, version }
    }

    fn judge(&self, route: &RouteView<'_>, reply: &Reply<'_>) -> Authorship {
        let head = &reply.reply.head;
        let mut because = Vec::new();
        let author = match &reply.author {
            Author::Device { name, .. } => reply.devices.iter().find(|m| m.signature.name == *name),
            _ => None,
        };
        let (who, role, confidence) = match (&reply.author, author) {
            (Author::Origin, _) => {
                because.extend(of_origin(reply));
                let who = match &self.version {
                    Some(version) => format!("Bindplane {version}"),
                    None => "Bindplane".to_owned(),
                };
                let sure = match reply.kind {
                    ReplyKind::Unauthorized => Confidence::Medium,
                    _ => Confidence::High,
                };
                (Some(who), Some(DeviceRole::Origin), sure)
            }
            (Author::Device { role, name, .. }, found) => {
                because.extend(found.map(|m| m.because.clone()));
                because.extend(gateway_words(reply));
                let version = found.and_then(|m| m.version.as_deref());
                let who = version.map_or_else(|| name.clone(), |v| format!("{name} {v}"));
                (Some(who), Some(*role), found.map_or(Confidence::Low, |m| m.confidence))
            }
            (Author::Unknown, _) => {
                because.push("no page, header order or status of a known author".to_owned());
                (None, None, Confidence::Low)
            }
        };
        because.extend(spelling(head));
        because.extend(self.soon(route, reply));
        because.truncate(REASONS);
        Authorship {
            observation: reply.observation.id.clone(),
            line: reply.line(),
            passed_on: self.passed_on(reply, author),
            who,
            role,
            confidence,
            because,
        }
    }

    /// Who left a mark without having written it.
    fn passed_on(&self, reply: &Reply<'_>, author: Option<&Match<'_>>) -> Vec<String> {
        let mut out: Vec<String> = reply
            .devices
            .iter()
            .filter(|m| {
                m.signature.role != DeviceRole::Origin && m.confidence >= Confidence::Medium
            })
            .filter(|m| author.is_none_or(|a| a.signature.id != m.signature.id))
            .map(|m| format!("{} ({})", name_of(m), m.because))
            .collect();
        let mut via: Vec<String> = reply
            .reply
            .head
            .headers()
            .into_iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("via"))
            .map(|(_, value)| format!("Via: {}", value.chars().take(120).collect::<String>()))
            .filter(|via| !out.iter().any(|known| known.contains(via.trim_start_matches("Via: "))))
            .collect();
        out.append(&mut via);
        out.extend(self.interceptor.iter().map(|who| format!("{who}, which opens TLS")));
        out.extend(self.names.iter().cloned());
        out.truncate(REASONS);
        out
    }

    /// An answer that came much sooner than the server's pages did came from
    /// nearer. Four times and 5 ms: within a data centre nothing can be told.
    fn soon(&self, route: &RouteView<'_>, reply: &Reply<'_>) -> Option<String> {
        if reply.author == Author::Origin || matches!(reply.status, 200..=299) {
            return None;
        }
        let (page, own) = (self.page_ms?, reply.reply.first_byte_ms);
        let by_proxy = if route.route.id.is_direct() { "" } else { ", perhaps the proxy itself" };
        (own * 4.0 + 5.0 < page).then(|| {
            format!(
                "it came after {own:.0} ms, where the server's pages take {page:.0} ms: from nearer \
                 than the server{by_proxy}"
            )
        })
    }
}

fn name_of(m: &Match<'_>) -> String {
    match &m.version {
        Some(version) => format!("{} {version}", m.signature.name),
        None => m.signature.name.clone(),
    }
}

/// Why a response is believed to be the server's own.
fn of_origin(reply: &Reply<'_>) -> Vec<String> {
    let head = &reply.reply.head;
    let mut out = Vec::new();
    match reply.kind {
        ReplyKind::Switched => {
            out.push(
                "it computed Sec-WebSocket-Accept from the key that was sent (RFC 6455 section 4.2.2)"
                    .to_owned(),
            );
            let names: Vec<String> = head.headers().into_iter().map(|(name, _)| name).collect();
            if names.iter().take(3).map(String::as_str).eq(["Upgrade", "Connection", "Sec-WebSocket-Accept"]) {
                out.push(
                    "the order of its headers is that of the server's library, so nobody on the way \
                     wrote them anew"
                        .to_owned(),
                );
            }
        }
        ReplyKind::NotAnUpgrade => out.push(match head.header("sec-websocket-version") {
            Some(version) => format!(
                "Sec-WebSocket-Version: {version} is what a WebSocket server says to a request that \
                 is no upgrade (RFC 6455 section 4.4)"
            ),
            None => "its body has the console's own words for a request that is no upgrade".to_owned(),
        }),
        ReplyKind::PageShell => out.push("its body is the console's page".to_owned()),
        ReplyKind::Forbidden => {
            out.push("403 with Sec-WebSocket-Version is the server's check of Origin".to_owned());
        }
        ReplyKind::Unauthorized => out.push(
            "401 without a body, Server and Via is how Bindplane answers, and few others do".to_owned(),
        ),
        _ => {}
    }
    out
}

/// What the status table knows of it; of other gateway errors: nobody behind has
/// written them.
fn gateway_words(reply: &Reply<'_>) -> Option<String> {
    if let Some(row) = reply.said {
        return Some(format!("{} says so: {}", row.program, row.means));
    }
    let words = match reply.kind {
        ReplyKind::BadGateway => "502 is written by who asks a backend and gets no valid answer",
        ReplyKind::Unavailable => "503 is written by who has no backend to ask",
        ReplyKind::GatewayTimeout => "504 is written by who waited for a backend in vain",
        ReplyKind::ProtocolMismatch => "464 is AWS ALB's own status",
        _ => return None,
    };
    Some(words.to_owned())
}

/// What the spelling of header names says: HAProxy and Envoy write all of them in
/// lower case, and Go as `Sec-Websocket-Accept` (facts: lab, point 8).
fn spelling(head: &ResponseHead) -> Option<String> {
    let names: Vec<String> = head.headers().into_iter().map(|(name, _)| name).collect();
    if names.is_empty() || head.version().starts_with("HTTP/2") {
        return None;
    }
    if names.iter().any(|name| name == "Sec-Websocket-Accept") {
        return Some("`Sec-Websocket-Accept` is spelled as Go's proxies spell it".to_owned());
    }
    let lower = names.len() > 1 && names.iter().all(|n| !n.chars().any(|c| c.is_ascii_uppercase()));
    lower.then(|| {
        "its headers are all in lower case: HAProxy, Envoy or a hop by HTTP/2 wrote them anew"
            .to_owned()
    })
}

/// The answer to CONNECT: a proxy's, or what stands before it.
fn connect_answer(o: &Observation, signatures: &Signatures) -> Option<Authorship> {
    let Step::Tunnel(tunnel) = &o.step else { return None };
    let reply = tunnel.result.ok()?;
    let head = reply.head.as_ref()?;
    let body = reply.body.bytes.text();
    let found = by_route(
        signatures.match_response(&Response { status: head.status(), head, body: &body }),
        true,
    );
    let best = found.first();
    let mut because: Vec<String> =
        vec!["CONNECT is answered by the proxy that is asked (RFC 9110 section 9.3.6)".to_owned()];
    because.extend(best.map(|m| m.because.clone()));
    because.extend(spelling(head));
    Some(Authorship {
        observation: o.id.clone(),
        line: head.status_line(),
        who: Some(best.map_or_else(|| "the proxy".to_owned(), name_of)),
        role: Some(DeviceRole::ForwardProxy),
        // That it is the proxy is sure; which product, only as far as it tells.
        confidence: Confidence::High,
        because,
        passed_on: Vec::new(),
    })
}

/// Whether a probe's answers are worth a line in a list: a hold's 101 is the
/// upgrade's again.
#[must_use]
pub fn worth_listing(observation: &Observation) -> bool {
    observation.probe != probe::HOLD_SILENT && observation.probe != probe::HOLD_CHATTY
}
