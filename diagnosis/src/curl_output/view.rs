//! From a valid pasted test to the small bundle that the rules can read.

use super::TUNNEL;
use super::errors::{self, At};
use super::judge::{End, Valid};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use wss_bundle::manifest::Answers;
use wss_bundle::observation::{
    Body, Certificate, Connect, HttpReply, Peer, Resolve, Resolver, RouteKind, Tls, Tunnel,
    TunnelReply, Upgrade, Verification, probe,
};
use wss_bundle::pasted::curl::Response;
use wss_bundle::{
    Bundle, Bytes, Environment, Failure, FailureKind, Observation, Observations, Operation,
    Outcome, ResponseHead, Route, RouteId, Step, Vantage,
};

/// The key in the page's command, which the collector sends as well.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

pub(super) fn bundle(own: &Bundle, id: &str, vantage: Vantage, valid: &Valid<'_>) -> Bundle {
    let made = Made { own, valid };
    let route_id = match &valid.proxy {
        Some(url) if url.is_empty() => RouteId::proxy("(of curl's machine)"),
        Some(url) => RouteId::proxy(url),
        None => RouteId::direct(),
    };
    let kind = if valid.proxy.is_some() { RouteKind::HttpProxy } else { RouteKind::Direct };
    let route = Route {
        id: route_id.clone(),
        kind,
        proxy: None,
        sources: vec!["the pasted command".to_owned()],
        selected: true,
    };
    let took = valid.test.errors.iter().find_map(|error| errors::took_ms(&error.words));
    let observation = |id: String, step: Step, ms: f64| Observation {
        id,
        probe: probe::UPGRADE.to_owned(),
        route: route_id.clone(),
        path: valid.target.paths.first().cloned(),
        connection: Some(1),
        start_ms: 0.0,
        duration_ms: ms,
        step,
    };
    let mut observations = Vec::new();
    if valid.proxy.is_some() && made.is_behind_the_proxy() {
        observations.push(observation(format!("{id}{TUNNEL}"), made.tunnel(Ok(None)), 0.0));
    }
    observations.push(observation(id.to_owned(), made.step(), took.unwrap_or(0.0)));
    Bundle {
        manifest: wss_bundle::Manifest {
            vantage,
            target: valid.target.clone(),
            answers: Answers::default(),
            options: Vec::new(),
            not_used: Vec::new(),
            steps: Vec::new(),
            attachments: Vec::new(),
            files: Vec::new(),
            ..own.manifest.clone()
        },
        observations: Observations {
            target: valid.target.clone(),
            routes: vec![route],
            observations,
            browser: Vec::new(),
        },
        environment: Environment::default(),
        attachments: Vec::new(),
        redactions: Vec::new(),
        defects: Vec::new(),
    }
}

struct Made<'a> {
    own: &'a Bundle,
    valid: &'a Valid<'a>,
}

impl Made<'_> {
    /// Whether it got through the proxy.
    fn is_behind_the_proxy(&self) -> bool {
        match self.valid.end {
            End::Answered(..) | End::Status(_) => true,
            End::Failed(at, _) => matches!(at, At::Tls | At::Trust(_) | At::Answer),
            End::Refused(..) => false,
        }
    }

    fn step(&self) -> Step {
        match &self.valid.end {
            End::Answered(at, response) => self.upgrade(Outcome::Ok(self.reply(*at, response))),
            End::Status(status) => self.upgrade(Outcome::Ok(reply_of(status_alone(*status), ""))),
            End::Refused(response, status) => self.tunnel(Ok(Some((*response, *status)))),
            End::Failed(at, kind) => self.failed(*at, *kind),
        }
    }

    fn reply(&self, at: usize, response: &Response) -> HttpReply {
        let interim = &self.valid.test.responses[..at];
        let interim = interim.iter().filter(|r| (100..200).contains(&r.status));
        let informational = interim.map(|r| ResponseHead::new(r.raw())).collect();
        HttpReply { informational, ..reply_of(ResponseHead::new(response.raw()), &response.body) }
    }

    /// CONNECT: accepted, answered so, or not answered.
    fn tunnel(&self, answer: Result<Option<(Option<&Response>, u16)>, Failure>) -> Step {
        let result = match answer {
            Err(failure) => Outcome::Failed(failure),
            Ok(answer) => {
                let (shown, status) = answer.unwrap_or((None, 200));
                let head =
                    shown.map_or_else(|| status_alone(status), |r| ResponseHead::new(r.raw()));
                let body = shown.map_or("", |r| r.body.as_str());
                Outcome::Ok(TunnelReply { head: Some(head), body: body_of(body) })
            }
        };
        let to = self.own.manifest.target.host_port();
        Step::Tunnel(Tunnel { to, request: Bytes::default(), sign_on: None, result })
    }

    /// The request as shown; else the page's, which is the collector's as well.
    fn sent(&self) -> String {
        if let Some(lines) = self.valid.test.request() {
            return format!("{}\r\n\r\n", lines.join("\r\n"));
        }
        let path = self.valid.target.paths.first().map_or("/", String::as_str);
        let mut out = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\n",
            self.valid.target.authority()
        );
        let given = self.valid.test.command.as_ref().filter(|command| !command.headers.is_empty());
        match given {
            Some(command) => {
                let own = ["host", "accept"];
                for header in &command.headers {
                    if !own.iter().any(|name| header.name.eq_ignore_ascii_case(name)) {
                        out.push_str(&format!("{}: {}\r\n", header.name, header.value));
                    }
                }
            }
            None => out.push_str(&format!(
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: {KEY}\r\n\
                 Sec-WebSocket-Version: 13\r\n"
            )),
        }
        out + "\r\n"
    }

    fn upgrade(&self, result: Outcome<HttpReply>) -> Step {
        Step::Upgrade(Upgrade {
            version: "1.1".to_owned(),
            request: Bytes::from(self.sent().as_str()),
            // Of a key that is not known, or of a head that is not shown, nothing can
            // be expected.
            expected_accept: match self.valid.end {
                End::Status(_) => None,
                _ => self.valid.key.as_deref().map(wss_bundle::accept::accept),
            },
            result,
        })
    }

    fn failed(&self, at: At, kind: FailureKind) -> Step {
        let words = self.valid.test.errors.last().map(ToString::to_string).unwrap_or_default();
        let failure = |operation| Failure::new(operation, kind, words.clone());
        let target = &self.valid.target;
        let peer = if self.valid.proxy.is_some() { Peer::Proxy } else { Peer::Target };
        let resolve = |peer| {
            Step::Resolve(Resolve {
                name: target.host.clone(),
                peer,
                resolver: Resolver::System,
                result: Outcome::Failed(failure(Operation::Resolve)),
            })
        };
        match at {
            At::Name => resolve(Peer::Target),
            At::ProxyName => resolve(Peer::Proxy),
            At::Tcp => {
                // curl does not always say which address it tried.
                let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), target.port);
                let result = Outcome::Failed(failure(Operation::Connect));
                Step::Connect(Connect { peer, address, result })
            }
            At::Tunnel => self.tunnel(Err(failure(Operation::Tunnel))),
            At::Tls | At::Trust(_) => Step::Tls(Tls {
                peer: Peer::Target,
                server_name: target.host.clone(),
                alpn_offered: Vec::new(),
                chain: self.certificate().into_iter().collect(),
                verification: match at {
                    At::Trust(reason) => {
                        Some(Verification::Untrusted { reason, detail: words.clone() })
                    }
                    _ => None,
                },
                result: Outcome::Failed(failure(Operation::TlsHandshake)),
            }),
            At::Answer | At::Status | At::TunnelStatus | At::Here(_) => {
                self.upgrade(Outcome::Failed(failure(Operation::Read)))
            }
        }
    }

    /// The leaf as `-v` tells of it: names, and no key.
    fn certificate(&self) -> Option<Certificate> {
        let said = |what: &str| {
            let messages = &self.valid.test.messages;
            messages
                .iter()
                .find_map(|m| m.trim_start().strip_prefix(what))
                .map(|v| v.trim().to_owned())
        };
        let issuer = said("issuer: ")?;
        let part = |name: &str| {
            issuer.split([';', ',']).find_map(|part| {
                let (own, value) = part.split_once('=')?;
                own.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let subject = said("subject: ").unwrap_or_default();
        Some(Certificate {
            issuer_cn: part("CN"),
            issuer_o: part("O"),
            issuer_ou: part("OU"),
            self_issued: subject == issuer,
            not_after: said("expire date: ").unwrap_or_default(),
            not_before: said("start date: ").unwrap_or_default(),
            subject,
            issuer,
            ..Certificate::default()
        })
    }
}

fn reply_of(head: ResponseHead, body: &str) -> HttpReply {
    HttpReply {
        informational: Vec::new(),
        head,
        body: body_of(body),
        first_byte_ms: 0.0,
        ending: None,
    }
}

fn body_of(body: &str) -> Body {
    Body { bytes: Bytes::from(body), length: body.len() as u64, truncated: false }
}

/// The head of an answer of which the status alone is known. A 101 has these two
/// fields, or curl would not have called it one (RFC 9110 section 7.8).
fn status_alone(status: u16) -> ResponseHead {
    let switched = match status {
        101 => "Upgrade: websocket\r\nConnection: Upgrade\r\n",
        _ => "",
    };
    ResponseHead::new(format!("HTTP/1.1 {status}\r\n{switched}\r\n"))
}
