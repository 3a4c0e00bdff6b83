//! Pasted output of the page's curl command (`--curl-output`), as a vantage of
//! its own: what an upgrade from there came to.
//!
//! Such an output becomes a small bundle, so that the rules can use it as the
//! twin from the other side. It has one response and nothing else: no lookup, no
//! TLS, no frames. A real bundle from the same side always goes before it.
//! What is no valid test (HTTP/2, no upgrade sent, nothing in it) becomes no
//! bundle, and says why.

mod parse;
#[cfg(test)]
mod tests;

use parse::{Parsed, Response};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use wss_bundle::manifest::Answers;
use wss_bundle::observation::{
    Body, Connect, HttpReply, Peer, Resolve, Resolver, RouteKind, Tls, Tunnel, TunnelReply,
    Upgrade, probe,
};
use wss_bundle::target::{DEFAULT_PATHS, Scheme};
use wss_bundle::{
    Attachment, AttachmentKind, Bundle, Bytes, Environment, Failure, FailureKind, Observation,
    Observations, Operation, Outcome, ResponseHead, Route, RouteId, Step, Target, Vantage,
};

/// What a server answers to the key in the page's command (RFC 6455 section 1.3).
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// That key.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// One pasted output.
#[derive(Debug, Clone)]
pub struct Output {
    /// Id of the bundle that it is attached to.
    pub bundle: String,
    /// Its entry: `attachments/curl-output.txt`.
    pub entry: String,
    /// Where it was made.
    pub vantage: Vantage,
    /// What it shows, in a few words: a status line, or curl's error.
    pub outcome: String,
    /// The bundle that it is good for, or why it is none.
    pub view: Result<Box<Bundle>, NoTest>,
}

/// Why an output says nothing about WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTest {
    /// It went over HTTP/2 or 3, in which curl drops the upgrade headers.
    Http2,
    /// The request that was made has no `Upgrade: websocket`.
    NoUpgrade,
    /// PowerShell's `curl` is another program.
    InvokeWebRequest,
    /// The beginning is missing: there is no status line in it.
    NoResponse,
}

impl NoTest {
    /// In words, as a clause after "because".
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::Http2 => {
                "it went over HTTP/2, in which curl drops Connection and Upgrade: it tells nothing \
                 about WebSocket"
            }
            Self::NoUpgrade => "the request that was made has no `Upgrade: websocket`",
            Self::InvokeWebRequest => {
                "it is of PowerShell's Invoke-WebRequest, which is called curl there; curl itself is \
                 curl.exe"
            }
            Self::NoResponse => {
                "there is neither a status line nor an error of curl's in it: its beginning is \
                 missing, or it was made without -i"
            }
        }
    }
}

/// Every output attached to these bundles, in a fixed order.
#[must_use]
pub fn all(bundles: &[Bundle]) -> Vec<Output> {
    let mut found: Vec<Output> = bundles
        .iter()
        .flat_map(|bundle| {
            let outputs =
                bundle.attachments.iter().filter(|a| a.kind == AttachmentKind::CurlOutput);
            outputs.map(move |attachment| read(bundle, attachment))
        })
        .collect();
    found.sort_by(|a, b| (&a.bundle, &a.entry).cmp(&(&b.bundle, &b.entry)));
    found
}

fn read(bundle: &Bundle, attachment: &Attachment) -> Output {
    let parsed = parse::parse(&attachment.bytes);
    let vantage = attachment.vantage.unwrap_or(bundle.manifest.vantage);
    let entry = format!("attachments/{}", attachment.name);
    let answer = answer(&parsed);
    let outcome = match (&answer, &parsed.error) {
        (Some((_, response)), _) => response.line().chars().take(120).collect(),
        (None, Some((code, words))) => format!("curl: ({code}) {words}"),
        (None, None) => "no response in it".to_owned(),
    };
    let view = judge(bundle, &entry, vantage, &parsed, answer).map(Box::new);
    Output { bundle: bundle.manifest.id.clone(), entry, vantage, outcome, view }
}

/// The response to the upgrade, and its position. Before it may stand a proxy's
/// answer to CONNECT, interim responses, and a demand for credentials that
/// curl then fulfilled; after it what redirects led to.
fn answer(parsed: &Parsed) -> Option<(usize, &Response)> {
    let all = &parsed.responses;
    let connects = parsed.requests.iter().filter(|r| r.iter().any(|l| l.starts_with("CONNECT ")));
    let tunnelled = connects.count() > 0;
    all.iter().enumerate().find(|(at, response)| {
        let last = at + 1 == all.len();
        match response.status {
            100 | 102..=199 => false,
            200..=299 if !last && is_established(response, tunnelled && *at == 0) => false,
            401 | 407 => last,
            _ => true,
        }
    })
}

/// Whether a 2xx is a proxy's answer to CONNECT: a head without a body, before
/// another one.
fn is_established(response: &Response, tunnelled: bool) -> bool {
    let line = response.line().to_ascii_lowercase();
    response.body.trim().is_empty() && (tunnelled || line.contains("connection established"))
}

fn judge(
    bundle: &Bundle,
    entry: &str,
    vantage: Vantage,
    parsed: &Parsed,
    answer: Option<(usize, &Response)>,
) -> Result<Bundle, NoTest> {
    if parsed.invoke_web_request && answer.is_none() {
        return Err(NoTest::InvokeWebRequest);
    }
    let upgrade = |lines: &Vec<String>| {
        lines
            .iter()
            .any(|line| line.to_ascii_lowercase().replace(' ', "").starts_with("upgrade:websocket"))
    };
    let request = parsed
        .requests
        .iter()
        .rfind(|lines| lines.first().is_some_and(|line| !line.starts_with("CONNECT ")));
    if let Some((_, response)) = answer
        && !response.version.starts_with("1")
    {
        return Err(NoTest::Http2);
    }
    let sent = request.map(upgrade).or_else(|| parsed.command.as_ref().map(|c| c.upgrade));
    if sent == Some(false) {
        return Err(NoTest::NoUpgrade);
    }
    let made = Made { bundle, parsed, request };
    let proxy_said_no = answer.is_some_and(|(_, r)| made.refused_by_proxy(r));
    let step = match answer {
        Some((_, response)) if proxy_said_no => tunnel(&made, response),
        Some((at, response)) => made.upgrade(Outcome::Ok(reply(parsed, at, response))),
        None => match &parsed.error {
            Some((code, words)) => made.failed(*code, words),
            None => return Err(NoTest::NoResponse),
        },
    };
    Ok(made.bundle(entry, vantage, step, proxy_said_no))
}

fn reply(parsed: &Parsed, at: usize, response: &Response) -> HttpReply {
    let interim = parsed.responses[..at].iter().filter(|r| (100..200).contains(&r.status));
    HttpReply {
        informational: interim.map(|r| ResponseHead::new(r.raw())).collect(),
        head: ResponseHead::new(response.raw()),
        body: Body {
            bytes: Bytes::from(response.body.as_str()),
            length: response.body.len() as u64,
            truncated: false,
        },
        first_byte_ms: 0.0,
        ending: None,
    }
}

fn tunnel(made: &Made<'_>, response: &Response) -> Step {
    Step::Tunnel(Tunnel {
        to: made.bundle.manifest.target.host_port(),
        request: Bytes::default(),
        result: Outcome::Ok(TunnelReply {
            head: Some(ResponseHead::new(response.raw())),
            body: Body {
                bytes: Bytes::from(response.body.as_str()),
                length: response.body.len() as u64,
                truncated: false,
            },
        }),
    })
}

/// What an output is made into a bundle from.
struct Made<'a> {
    bundle: &'a Bundle,
    parsed: &'a Parsed,
    request: Option<&'a Vec<String>>,
}

impl Made<'_> {
    /// Whether the answer is a proxy's, to CONNECT: curl says so, or no other
    /// request was made.
    fn refused_by_proxy(&self, response: &Response) -> bool {
        let connects = self.parsed.requests.iter().flatten().any(|l| l.starts_with("CONNECT "));
        let said = self.parsed.error.as_ref().is_some_and(|(_, words)| words.contains("CONNECT"));
        response.status >= 300 && (said || connects && self.request.is_none())
    }

    fn path(&self) -> String {
        let of_request = self.request.and_then(|lines| {
            let path = lines.first()?.split(' ').nth(1)?;
            path.starts_with('/').then(|| path.to_owned())
        });
        let of_command = || {
            let (_, rest) = self.parsed.urls.last()?.split_once("://")?;
            Some(rest.find('/').map_or_else(|| "/".to_owned(), |at| rest[at..].to_owned()))
        };
        let paths = &self.bundle.manifest.target.paths;
        // The page's own, where it is not shown and not out of the question.
        let assumed = || {
            let page = DEFAULT_PATHS[0];
            match paths.first() {
                Some(first) if !paths.iter().any(|path| path == page) => first.clone(),
                _ => page.to_owned(),
            }
        };
        of_request.or_else(of_command).unwrap_or_else(assumed)
    }

    /// The target as the output shows it; the bundle's where it shows none.
    fn target(&self) -> Target {
        let own = &self.bundle.manifest.target;
        let mut target = Target { paths: vec![self.path()], ..own.clone() };
        let Some((scheme, rest)) = self.parsed.urls.last().and_then(|url| url.split_once("://"))
        else {
            return target;
        };
        let scheme = match scheme {
            "https" | "wss" => Scheme::Https,
            _ => Scheme::Http,
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let authority = authority.rsplit('@').next().unwrap_or_default();
        // `<bindplane-host>` of the page, or what a redactor left.
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        if authority.is_empty() || !authority.chars().all(plain) {
            return target;
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
            _ => (authority, None),
        };
        target.scheme = scheme;
        target.port = port.unwrap_or_else(|| scheme.default_port());
        target.host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        target
    }

    /// The request as shown; else the page's, which is the collector's as well.
    fn sent(&self) -> (String, bool) {
        if let Some(lines) = self.request {
            let ours = lines.iter().any(|line| line.contains(KEY));
            return (format!("{}\r\n\r\n", lines.join("\r\n")), ours);
        }
        let target = self.target();
        let text = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\nConnection: Upgrade\r\nUpgrade: \
             websocket\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n",
            self.path(),
            target.authority()
        );
        (text, true)
    }

    fn upgrade(&self, result: Outcome<HttpReply>) -> Step {
        let (request, ours) = self.sent();
        Step::Upgrade(Upgrade {
            version: "1.1".to_owned(),
            request: Bytes::from(request.as_str()),
            expected_accept: ours.then(|| ACCEPT.to_owned()),
            result,
        })
    }

    /// The step at which curl gave up, by its exit code (curl's manual, "EXIT CODES").
    fn failed(&self, code: u32, words: &str) -> Step {
        use FailureKind as K;
        let lower = words.to_ascii_lowercase();
        let target = self.target();
        let failure =
            |operation, kind| Failure::new(operation, kind, format!("curl: ({code}) {words}"));
        let connect = |kind| {
            // curl does not always say which address it tried.
            let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), target.port);
            let result = Outcome::Failed(failure(Operation::Connect, kind));
            Step::Connect(Connect { peer: Peer::Target, address, result })
        };
        match code {
            5 | 6 => Step::Resolve(Resolve {
                name: target.host.clone(),
                peer: if code == 5 { Peer::Proxy } else { Peer::Target },
                resolver: Resolver::System,
                result: Outcome::Failed(failure(Operation::Resolve, K::DnsNxdomain)),
            }),
            7 if lower.contains("unreachable") => connect(K::HostUnreachable),
            7 => connect(K::ConnectionRefused),
            28 if lower.contains("connect") && !self.parsed.connected => connect(K::TimedOut),
            35 | 51 | 58 | 59 | 60 | 77 | 83 | 90 | 91 => Step::Tls(Tls {
                peer: Peer::Target,
                server_name: target.host.clone(),
                alpn_offered: Vec::new(),
                chain: [].into(),
                verification: None,
                result: Outcome::Failed(failure(Operation::TlsHandshake, K::TlsProtocol)),
            }),
            28 => self.upgrade(Outcome::Failed(failure(Operation::Read, K::TimedOut))),
            52 => self.upgrade(Outcome::Failed(failure(Operation::Read, K::Eof))),
            56 if lower.contains("reset") => {
                self.upgrade(Outcome::Failed(failure(Operation::Read, K::ConnectionReset)))
            }
            55 | 56 => self.upgrade(Outcome::Failed(failure(Operation::Read, K::Other))),
            _ => connect(K::Other),
        }
    }

    fn bundle(&self, entry: &str, vantage: Vantage, step: Step, by_proxy: bool) -> Bundle {
        let target = self.target();
        let path = self.path();
        let id = if by_proxy { RouteId::proxy("(of curl's machine)") } else { RouteId::direct() };
        let kind = if by_proxy { RouteKind::HttpProxy } else { RouteKind::Direct };
        let route = Route {
            id: id.clone(),
            kind,
            proxy: None,
            sources: vec![entry.to_owned()],
            selected: true,
        };
        let observation = Observation {
            id: entry.to_owned(),
            probe: probe::UPGRADE.to_owned(),
            route: id,
            path: Some(path),
            connection: None,
            start_ms: 0.0,
            duration_ms: 0.0,
            step,
        };
        let own = &self.bundle.manifest;
        Bundle {
            manifest: wss_bundle::Manifest {
                vantage,
                target: target.clone(),
                answers: Answers::default(),
                options: Vec::new(),
                not_used: Vec::new(),
                steps: Vec::new(),
                attachments: Vec::new(),
                files: Vec::new(),
                ..own.clone()
            },
            observations: Observations {
                target,
                routes: vec![route],
                observations: vec![observation],
                browser: Vec::new(),
            },
            environment: Environment::default(),
            attachments: Vec::new(),
            redactions: Vec::new(),
            defects: Vec::new(),
        }
    }
}
