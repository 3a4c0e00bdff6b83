//! Bundles by hand: a collection written down as what each route met.

use chrono::{Duration, Utc};
use wss_bundle::manifest::{Collector, Format};
use wss_bundle::observation::*;
use wss_bundle::target::{DEFAULT_PATHS, Scheme};
use wss_bundle::*;

pub(crate) const WS: &str = "/v1/ws";
pub(crate) const GRAPHQL: &str = "/v1/graphql";
pub(crate) const OPAMP: &str = "/v1/opamp";
pub(crate) const PROXY: &str = "http://proxy.corp.example:3128";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The origin's own 101, and nginx's in front of it.
pub(crate) const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// gorilla's answer to a request whose upgrade headers were lost, through nginx.
pub(crate) const STRIPPED_NGINX: &str = "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nDate: Sun, 01 Mar 2026 08:15:30 GMT\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 12\r\nConnection: keep-alive\r\nSec-Websocket-Version: 13\r\nX-Content-Type-Options: nosniff\r\n\r\n";
/// The same without an intermediary's mark.
pub(crate) const STRIPPED: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nSec-Websocket-Version: 13\r\nX-Content-Type-Options: nosniff\r\nDate: Sun, 01 Mar 2026 08:15:30 GMT\r\nContent-Length: 12\r\n\r\n";
pub(crate) const BAD: &str = "Bad Request\n";
pub(crate) const SHELL: &str = "<!doctype html><html><head><title>BindPlane</title></head><body><div id=\"root\"></div></body></html>";

/// A collection under construction.
#[derive(Clone)]
pub(crate) struct Run {
    bundle: Bundle,
    connection: u32,
}

impl Run {
    pub(crate) fn inside() -> Self {
        Self::new(Vantage::Inside, "11111111-1111-4111-8111-111111111111", Scheme::Https)
    }

    pub(crate) fn outside() -> Self {
        Self::new(Vantage::Outside, "22222222-2222-4222-8222-222222222222", Scheme::Https)
    }

    fn new(vantage: Vantage, id: &str, scheme: Scheme) -> Self {
        let target = Target {
            scheme,
            host: "bindplane.corp.example".into(),
            port: scheme.default_port(),
            paths: DEFAULT_PATHS.map(str::to_owned).to_vec(),
        };
        let started_at: chrono::DateTime<Utc> = "2026-03-01T08:15:30Z".parse().unwrap();
        Self {
            bundle: Bundle {
                manifest: Manifest {
                    format: Format::default(),
                    id: id.into(),
                    case: "K7QF-2M9D".into(),
                    ticket: None,
                    vantage,
                    target: target.clone(),
                    collector: Collector {
                        version: "0.1.0".into(),
                        os: "linux".into(),
                        arch: "x86_64".into(),
                    },
                    started_at,
                    finished_at: started_at + Duration::seconds(4),
                    complete: true,
                    answers: Default::default(),
                    options: Vec::new(),
                    not_used: Vec::new(),
                    steps: Vec::new(),
                    attachments: Vec::new(),
                    files: Vec::new(),
                },
                observations: Observations {
                    target,
                    routes: Vec::new(),
                    observations: Vec::new(),
                    browser: Vec::new(),
                },
                environment: Environment::default(),
                attachments: Vec::new(),
                redactions: Vec::new(),
                defects: Vec::new(),
            },
            connection: 0,
        }
    }

    pub(crate) fn plain_text(mut self) -> Self {
        for target in [&mut self.bundle.manifest.target, &mut self.bundle.observations.target] {
            target.scheme = Scheme::Http;
            target.port = 80;
        }
        self
    }

    pub(crate) fn paths(mut self, paths: &[&str]) -> Self {
        let paths: Vec<String> = paths.iter().map(|p| (*p).to_owned()).collect();
        self.bundle.manifest.target.paths = paths.clone();
        self.bundle.observations.target.paths = paths;
        self
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        self.bundle.manifest.target.host = host.into();
        self.bundle.observations.target.host = host.into();
        self
    }

    /// Collected that many hours after the others, as another bundle.
    pub(crate) fn later(mut self, hours: i64) -> Self {
        let manifest = &mut self.bundle.manifest;
        manifest.started_at += Duration::hours(hours);
        manifest.finished_at += Duration::hours(hours);
        manifest.id = format!("{:08x}{}", hours + 0x3000_0000, &manifest.id[8..]);
        self
    }

    pub(crate) fn case(mut self, id: &str) -> Self {
        self.bundle.manifest.case = id.into();
        self
    }

    /// The direct route, chosen by this machine's settings unless a later
    /// route says otherwise.
    pub(crate) fn direct(self, selected: bool) -> OnRoute {
        self.route(RouteId::direct(), RouteKind::Direct, selected)
    }

    pub(crate) fn proxy(self, selected: bool) -> OnRoute {
        self.route(RouteId::proxy(PROXY), RouteKind::HttpProxy, selected)
    }

    fn route(mut self, id: RouteId, kind: RouteKind, selected: bool) -> OnRoute {
        self.bundle.observations.routes.push(Route {
            id: id.clone(),
            kind,
            proxy: (kind != RouteKind::Direct)
                .then(|| ProxyEndpoint { host: "proxy.corp.example".into(), port: 3128 }),
            sources: vec!["environment https_proxy".into()],
            selected,
        });
        OnRoute { run: self, route: id }
    }

    pub(crate) fn done(mut self) -> Bundle {
        self.ask_again();
        self.bundle
    }

    /// As it was asked, once.
    pub(crate) fn asked_once(self) -> Bundle {
        self.bundle
    }

    /// What is refused is asked again, a second later and two more, and what passed
    /// beside it; both get the same answer.
    fn ask_again(&mut self) {
        let all = &mut self.bundle.observations.observations;
        let handshakes: Vec<Observation> = all
            .iter()
            .filter(|o| !o.probe.starts_with("hold-"))
            .filter(|o| o.path.as_deref() == Some(WS))
            .filter(|o| matches!(o.step, Step::Upgrade(_)))
            .cloned()
            .collect();
        let passes = |o: &Observation| match &o.step {
            Step::Upgrade(upgrade) => upgrade.result.ok().is_some_and(|reply| {
                let connect = o.probe == probe::H2_CONNECT;
                matches!((reply.head.status(), connect), (Some(101), _) | (Some(200), true))
            }),
            _ => false,
        };
        for o in &handshakes {
            let mut own = handshakes.iter().filter(|other| other.route == o.route);
            if own.clone().all(&passes) || handshakes.is_empty() {
                continue;
            }
            let alone = own.all(|other| other.id == o.id || other.probe != o.probe);
            if !alone {
                continue;
            }
            for _ in 0..2 {
                let mut again = o.clone();
                again.id = format!("o{}", all.len() + 1);
                let last = all.iter().map(|o| o.start_ms + o.duration_ms);
                again.start_ms = last.fold(0.0, f64::max) + 1100.0;
                self.connection += 1;
                again.connection = Some(self.connection);
                all.push(again);
            }
        }
    }
}

/// One route of a collection.
#[derive(Clone)]
pub(crate) struct OnRoute {
    run: Run,
    route: RouteId,
}

/// How a hold ended.
#[derive(Clone, Copy)]
pub(crate) enum Cut {
    Never,
    At(f64, EndedBy, Option<bool>),
}

impl OnRoute {
    pub(crate) fn then(self) -> Run {
        self.run
    }

    pub(crate) fn asked_once(self) -> Bundle {
        self.run.asked_once()
    }

    pub(crate) fn done(self) -> Bundle {
        self.run.done()
    }

    fn direct(&self) -> bool {
        self.route.is_direct()
    }

    fn add(mut self, probe: &str, path: Option<&str>, step: Step) -> Self {
        let list = &mut self.run.bundle.observations.observations;
        let number = list.len() + 1;
        // Silence is waited for until the deadline.
        let silent = match &step {
            Step::Frames(frames) => {
                frames.result.ok().is_some_and(|seen| seen.ending.how == EndedBy::Silence)
            }
            step => step.failure().is_some_and(|f| f.kind == FailureKind::TimedOut),
        };
        list.push(Observation {
            id: format!("o{number}"),
            probe: probe.into(),
            route: self.route.clone(),
            path: path.map(str::to_owned),
            connection: Some(self.run.connection),
            start_ms: number as f64 * 10.0,
            duration_ms: if silent { 10_000.0 } else { 4.0 },
            step,
        });
        self
    }

    /// The last step took that long: until its answer, or until it was given up.
    pub(crate) fn after(mut self, ms: f64) -> Self {
        let last = self.run.bundle.observations.observations.last_mut().unwrap();
        last.duration_ms = ms;
        match &mut last.step {
            Step::Http(Http { result: Outcome::Ok(reply), .. })
            | Step::Upgrade(Upgrade { result: Outcome::Ok(reply), .. }) => reply.first_byte_ms = ms,
            Step::Frames(Frames { result: Outcome::Ok(seen) }) => {
                seen.pong_ms = seen.pong_ms.map(|_| ms);
                if let Some(message) = &mut seen.message {
                    message.passed_ms = message.passed_ms.map(|_| ms);
                }
            }
            _ => {}
        }
        self
    }

    fn peer(&self) -> Peer {
        if self.direct() { Peer::Target } else { Peer::Proxy }
    }

    /// Where this route's connections go: to what was resolved.
    fn address(&self) -> std::net::SocketAddr {
        if !self.direct() {
            return "10.0.0.8:3128".parse().unwrap();
        }
        let all = self.run.bundle.observations.observations.iter().rev();
        let resolved = all.filter(|o| o.route == self.route).find_map(|o| match &o.step {
            Step::Resolve(r) => r.result.ok()?.addresses.first().copied(),
            _ => None,
        });
        (resolved.unwrap_or([203, 0, 113, 10].into()), 443).into()
    }

    pub(crate) fn resolved(self, address: &str) -> Self {
        let step = Step::Resolve(Resolve {
            name: if self.direct() { "bindplane.corp.example" } else { "proxy.corp.example" }
                .into(),
            peer: self.peer(),
            resolver: Resolver::System,
            result: Outcome::Ok(Resolved {
                addresses: vec![address.parse().unwrap()],
                records: Vec::new(),
            }),
        });
        self.add(probe::RESOLVE, None, step)
    }

    pub(crate) fn unresolved(self) -> Self {
        let step = Step::Resolve(Resolve {
            name: "bindplane.corp.example".into(),
            peer: self.peer(),
            resolver: Resolver::System,
            result: failed(Operation::Resolve, FailureKind::DnsNxdomain, "no such name"),
        });
        self.add(probe::RESOLVE, None, step)
    }

    fn tcp(mut self, probe: &str, path: Option<&str>) -> Self {
        self.run.connection += 1;
        let step = Step::Connect(Connect {
            peer: self.peer(),
            address: self.address(),
            result: Outcome::Ok(Connected { local: "10.1.2.3:50000".parse().unwrap() }),
        });
        self.add(probe, path, step)
    }

    pub(crate) fn no_tcp(mut self, kind: FailureKind) -> Self {
        self.run.connection += 1;
        let step = Step::Connect(Connect {
            peer: self.peer(),
            address: self.address(),
            result: failed(Operation::Connect, kind, "no connection"),
        });
        self.add(probe::UPGRADE, Some(WS), step)
    }

    /// CONNECT, answered with this.
    pub(crate) fn tunnel_reply(self, head: &str, body: &str) -> Self {
        let this = self.tcp(probe::UPGRADE, Some(WS));
        this.tunnel(probe::UPGRADE, Some(WS), head, body)
    }

    fn tunnel(self, probe: &str, path: Option<&str>, head: &str, body: &str) -> Self {
        let step = Step::Tunnel(Tunnel {
            to: "bindplane.corp.example:443".into(),
            request: "CONNECT bindplane.corp.example:443 HTTP/1.1\r\n\r\n".into(),
            sign_on: None,
            result: Outcome::Ok(TunnelReply {
                head: Some(ResponseHead::new(head)),
                body: body_of(body),
            }),
        });
        self.add(probe, path, step)
    }

    fn tls(self, probe: &str, path: Option<&str>, leaf: &Leaf) -> Self {
        if self.run.bundle.manifest.target.scheme == Scheme::Http {
            return self;
        }
        let step = Step::Tls(Tls {
            peer: Peer::Target,
            server_name: "bindplane.corp.example".into(),
            alpn_offered: vec!["http/1.1".into()],
            chain: [leaf.certificate.clone()].into(),
            verification: Some(leaf.verification.clone()),
            result: Outcome::Ok(TlsSession {
                version: "TLSv1.3".into(),
                cipher: "TLS_AES_128_GCM_SHA256".into(),
                alpn: Some("http/1.1".into()),
            }),
        });
        self.add(probe, path, step)
    }

    pub(crate) fn no_tls(self, kind: FailureKind) -> Self {
        let this = self.tcp(probe::UPGRADE, Some(WS));
        let this = if this.direct() {
            this
        } else {
            this.tunnel(probe::UPGRADE, Some(WS), "HTTP/1.1 200 OK\r\n\r\n", "")
        };
        let step = Step::Tls(Tls {
            peer: Peer::Target,
            server_name: "bindplane.corp.example".into(),
            alpn_offered: vec!["http/1.1".into()],
            chain: [].into(),
            verification: None,
            result: failed(Operation::TlsHandshake, kind, "handshake failed"),
        });
        this.add(probe::UPGRADE, Some(WS), step)
    }

    /// A connection of its own, as far as HTTP.
    fn connected(self, probe: &str, path: Option<&str>, leaf: &Leaf) -> Self {
        let this = self.tcp(probe, path);
        let plain_http = this.run.bundle.manifest.target.scheme == Scheme::Http;
        let this = if this.direct() || (plain_http && probe == probe::ABSOLUTE_FORM) {
            this
        } else {
            this.tunnel(probe, path, "HTTP/1.1 200 Connection established\r\n\r\n", "")
        };
        this.tls(probe, path, leaf)
    }

    pub(crate) fn upgrade(self, path: &str, leaf: &Leaf, head: &str, body: &str) -> Self {
        self.handshake(probe::UPGRADE, path, leaf, Ok((head, body)))
    }

    /// A twin of the upgrade that comes to no answer.
    pub(crate) fn unanswered(
        self,
        probe: &str,
        path: &str,
        leaf: &Leaf,
        kind: FailureKind,
    ) -> Self {
        self.handshake(probe, path, leaf, Err(kind))
    }

    pub(crate) fn no_answer(self, path: &str, leaf: &Leaf, kind: FailureKind) -> Self {
        self.handshake(probe::UPGRADE, path, leaf, Err(kind))
    }

    pub(crate) fn browser(self, path: &str, leaf: &Leaf, head: &str, body: &str) -> Self {
        self.handshake(probe::BROWSER_UPGRADE, path, leaf, Ok((head, body)))
    }

    pub(crate) fn absolute(self, path: &str, leaf: &Leaf, head: &str, body: &str) -> Self {
        self.handshake(probe::ABSOLUTE_FORM, path, leaf, Ok((head, body)))
    }

    pub(crate) fn handshake(
        self,
        probe: &str,
        path: &str,
        leaf: &Leaf,
        answer: Result<(&str, &str), FailureKind>,
    ) -> Self {
        let this = self.connected(probe, Some(path), leaf);
        let step = Step::Upgrade(Upgrade {
            version: "1.1".into(),
            request: "GET / HTTP/1.1\r\n\r\n".into(),
            expected_accept: Some(ACCEPT.into()),
            result: answer_of(answer),
        });
        this.add(probe, Some(path), step)
    }

    /// A valid 101, Ping and Pong; and the same for the browser's twin.
    pub(crate) fn works(self, path: &str, leaf: &Leaf) -> Self {
        self.upgrade(path, leaf, SWITCHED, "")
            .pong(path, Some(1.5), EndedBy::StillOpen)
            .browser(path, leaf, SWITCHED, "")
    }

    /// A Pong on a probe's connection.
    pub(crate) fn pong_of(self, probe: &str, path: &str, how: EndedBy) -> Self {
        let step = Step::Frames(Frames {
            result: Outcome::Ok(FramesSeen {
                pong_ms: Some(1.5),
                received: Vec::new(),
                ending: Ending::new(how),
                message: None,
            }),
        });
        self.add(probe, Some(path), step)
    }

    /// The answer to a probe that is no upgrade.
    pub(crate) fn asked(
        self,
        probe: &str,
        path: &str,
        leaf: &Leaf,
        head: &str,
        body: &str,
    ) -> Self {
        self.http(probe, path, leaf, "1.1", head, body)
    }

    pub(crate) fn pong(self, path: &str, pong_ms: Option<f64>, how: EndedBy) -> Self {
        let step = Step::Frames(Frames {
            result: Outcome::Ok(FramesSeen {
                pong_ms,
                received: Vec::new(),
                ending: Ending::new(how),
                message: None,
            }),
        });
        self.add(probe::UPGRADE, Some(path), step)
    }

    /// A handshake that offers compression.
    pub(crate) fn offers(self, path: &str, leaf: &Leaf, head: &str) -> Self {
        self.handshake(probe::COMPRESSED_UPGRADE, path, leaf, Ok((head, "")))
    }

    /// The message that follows a browser-like handshake, and how it ended.
    pub(crate) fn says(self, probe: &str, path: &str, compressed: bool, ending: Ending) -> Self {
        let passed_ms = (ending.how == EndedBy::StillOpen).then_some(2.0);
        let message = Some(MessageSent { compressed, bytes: 26, passed_ms });
        let seen = FramesSeen { pong_ms: Some(1.0), received: Vec::new(), ending, message };
        self.add(probe, Some(path), Step::Frames(Frames { result: Outcome::Ok(seen) }))
    }

    pub(crate) fn plain(self, path: &str, leaf: &Leaf, head: &str, body: &str) -> Self {
        self.http(probe::PLAIN_GET, path, leaf, "1.1", head, body)
    }

    pub(crate) fn page(self, path: &str, leaf: &Leaf, head: &str, body: &str) -> Self {
        self.http(probe::PAGES, path, leaf, "1.1", head, body)
    }

    pub(crate) fn h2(self, path: &str, leaf: &Leaf, head: &str, body: &str) -> Self {
        self.http(probe::H2_GET, path, leaf, "2", head, body)
    }

    fn http(
        self,
        probe: &str,
        path: &str,
        leaf: &Leaf,
        version: &str,
        head: &str,
        body: &str,
    ) -> Self {
        let this = self.connected(probe, Some(path), leaf);
        let step = Step::Http(Http {
            version: version.into(),
            request: "GET / HTTP/1.1\r\n\r\n".into(),
            extended_connect: None,
            result: answer_of(Ok((head, body))),
        });
        this.add(probe, Some(path), step)
    }

    pub(crate) fn h2_connect(self, path: &str, answer: Result<&str, FailureKind>) -> Self {
        let step = Step::Upgrade(Upgrade {
            version: "2".into(),
            request: "CONNECT / HTTP/2\r\n\r\n".into(),
            expected_accept: None,
            result: answer_of(answer.map(|head| (head, ""))),
        });
        self.add(probe::H2_CONNECT, Some(path), step)
    }

    /// Bindplane's pages, as they come through `server` (a header line, or nothing).
    pub(crate) fn pages(self, leaf: &Leaf, server: &str) -> Self {
        let ok = |kind: &str| {
            format!("HTTP/1.1 200 OK\r\n{server}Content-Type: {kind}\r\nVary: Origin\r\n\r\n")
        };
        self.page("/health", leaf, &ok("text/plain"), "")
            .page(
                "/js/_globals.js",
                leaf,
                &ok("text/javascript"),
                "var __BINDPLANE_VERSION__ = \"1.99.1\";",
            )
            .page("/", leaf, &ok("text/html"), SHELL)
    }

    pub(crate) fn hold(self, leaf: &Leaf, planned_s: f64, silent: Cut, chatty: Cut) -> Self {
        self.one_hold(probe::HOLD_SILENT, leaf, planned_s, silent).one_hold(
            probe::HOLD_CHATTY,
            leaf,
            planned_s,
            chatty,
        )
    }

    pub(crate) fn one_hold(self, probe: &str, leaf: &Leaf, planned_s: f64, cut: Cut) -> Self {
        let chatty = probe == probe::HOLD_CHATTY;
        let this = self.handshake(probe, WS, leaf, Ok((SWITCHED, "")));
        let (held_s, ending) = match cut {
            Cut::Never => (planned_s, Ending::new(EndedBy::StillOpen)),
            Cut::At(s, how, close_notify) => (s, Ending { close_notify, ..Ending::new(how) }),
        };
        let pings = if chatty { (held_s / 5.0) as u32 } else { 0 };
        let step = Step::Hold(Hold {
            ping_interval_ms: chatty.then_some(5000.0),
            keepalive_ms: (probe == probe::HOLD_KEEPALIVE).then_some(15_000.0),
            planned_ms: planned_s * 1e3,
            result: Outcome::Ok(Held {
                held_ms: held_s * 1e3,
                pings,
                pongs: pings,
                server_frames: 0,
                quiet_ms: 0.0,
                ending,
            }),
        });
        let mut this = this.add(probe, Some(WS), step);
        // They begin some seconds apart.
        if chatty && let Some(last) = this.run.bundle.observations.observations.last_mut() {
            last.start_ms += 2000.0;
        }
        this
    }
}

/// The certificate that a route sees.
#[derive(Clone)]
pub(crate) struct Leaf {
    certificate: Certificate,
    verification: Verification,
}

impl Leaf {
    fn new(issuer: &str, organisation: &str, key: &str, verification: Verification) -> Self {
        Self {
            certificate: Certificate {
                subject: "CN=bindplane.corp.example".into(),
                subject_cn: Some("bindplane.corp.example".into()),
                issuer: format!("CN={issuer},O={organisation}"),
                issuer_cn: Some(issuer.into()),
                issuer_o: Some(organisation.into()),
                sans: vec!["bindplane.corp.example".into()],
                not_before: "2026-01-01T00:00:00Z".into(),
                not_after: "2027-01-01T00:00:00Z".into(),
                sha256: key.repeat(32),
                spki_sha256: key.repeat(32),
                self_issued: issuer == "bindplane.corp.example",
                ..Default::default()
            },
            verification,
        }
    }

    /// The server's own, trusted.
    pub(crate) fn good() -> Self {
        Self::new("R10", "Let's Encrypt", "aa", Verification::Trusted)
    }

    /// Another server's.
    pub(crate) fn other_good() -> Self {
        Self::new("R10", "Let's Encrypt", "ff", Verification::Trusted)
    }

    /// A private authority that this machine trusts.
    pub(crate) fn corporate() -> Self {
        Self::new("Corp Issuing CA 2", "Corp Example", "bb", Verification::Trusted)
    }

    /// One that says itself what it is for.
    pub(crate) fn inspection() -> Self {
        Self::new("Corp TLS Inspection CA", "Corp Example", "ee", Verification::Trusted)
    }

    /// The same where it is not trusted.
    pub(crate) fn corporate_untrusted() -> Self {
        Self { verification: untrusted(Distrust::UnknownIssuer), ..Self::corporate() }
    }

    pub(crate) fn zscaler_untrusted() -> Self {
        Self::new(
            "Zscaler Intermediate Root CA (zscaler.net)",
            "Zscaler Inc.",
            "cc",
            untrusted(Distrust::UnknownIssuer),
        )
    }

    /// An interceptor with a vendor's name whose root is installed here.
    pub(crate) fn zscaler_trusted() -> Self {
        Self { verification: Verification::Trusted, ..Self::zscaler_untrusted() }
    }

    pub(crate) fn expired() -> Self {
        Self { verification: untrusted(Distrust::Expired), ..Self::good() }
    }

    pub(crate) fn self_signed() -> Self {
        let verification = untrusted(Distrust::UnknownIssuer);
        Self::new("bindplane.corp.example", "", "dd", verification)
    }
}

fn untrusted(reason: Distrust) -> Verification {
    Verification::Untrusted { reason, detail: "not trusted".into() }
}

fn body_of(body: &str) -> Body {
    Body { bytes: body.into(), length: body.len() as u64, truncated: false }
}

fn failed<T>(operation: Operation, kind: FailureKind, detail: &str) -> Outcome<T> {
    Outcome::Failed(Failure::new(operation, kind, detail))
}

fn answer_of(answer: Result<(&str, &str), FailureKind>) -> Outcome<HttpReply> {
    match answer {
        Ok((head, body)) => Outcome::Ok(HttpReply {
            informational: Vec::new(),
            head: ResponseHead::new(head),
            body: body_of(body),
            first_byte_ms: 1.0,
            ending: None,
        }),
        Err(kind) => failed(Operation::Read, kind, "no answer"),
    }
}
