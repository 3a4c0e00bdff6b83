//! Bundles by hand, of the cases that a report must be good at.

use wss_bundle::environment::{Interface, ProxyChoice, ProxySetting};
use wss_bundle::manifest::{Collector, StepOutcome, StepRecord};
use wss_bundle::observation::*;
use wss_bundle::target::Scheme;
use wss_bundle::*;
use wss_diagnosis::{Diagnosis, diagnose};

const WS: &str = "/v1/ws";
const HOST: &str = "bindplane.corp.example";
const PROXY: &str = "http://proxy.corp.example:3128";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nServer: nginx/1.22.1\r\nDate: Sun, 01 Mar 2026 08:15:30 GMT\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const STRIPPED: &str = "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nDate: Sun, 01 Mar 2026 08:15:30 GMT\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 12\r\nSec-Websocket-Version: 13\r\nX-Content-Type-Options: nosniff\r\n\r\n";
const REQUEST: &str = "GET /v1/ws HTTP/1.1\r\nHost: bindplane.corp.example\r\nUser-Agent: wss-collector/0.1.0\r\nAccept: */*\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A case and its verdict.
pub(crate) struct Judged {
    pub(crate) name: &'static str,
    pub(crate) bundles: Vec<Bundle>,
    pub(crate) diagnosis: Diagnosis,
}

fn judged(name: &'static str, bundles: Vec<Bundle>) -> Judged {
    let diagnosis = diagnose(&bundles);
    Judged { name, bundles, diagnosis }
}

/// Every case, each with another verdict.
pub(crate) fn cases() -> Vec<Judged> {
    let inside = || Run::new(Vantage::Inside, "1a2b3c4d-0000-4000-8000-000000000001");
    let outside = || Run::new(Vantage::Outside, "5e6f7a8b-0000-4000-8000-000000000002");
    let strips = || inside().by_proxy().pages().upgraded(STRIPPED, "Bad Request\n").done();
    let works = |run: Run| run.by_proxy().pages().upgraded(SWITCHED, "");
    let mut again = works(Run::new(Vantage::Inside, "1a2b3c4d-0000-4000-8000-000000000003")).done();
    again.manifest.started_at += chrono::Duration::hours(2);
    let mut interrupted = inside().by_proxy().done();
    interrupted.manifest.complete = false;
    vec![
        judged("healthy", vec![works(inside()).held(75.0, None, None).done()]),
        judged(
            "proxy-strips",
            vec![strips(), works(outside().direct()).held(75.0, None, None).done()],
        ),
        judged("inside-alone", vec![strips()]),
        judged(
            "load-balancer-strips",
            vec![inside().direct().pages().upgraded(STRIPPED, "Bad Request\n").done()],
        ),
        judged("idle", vec![works(inside().direct()).held(75.0, Some(60.04), None).done()]),
        judged(
            "lifetime",
            vec![works(inside().direct()).held(75.0, Some(30.0), Some(30.1)).done()],
        ),
        judged("dns", vec![inside().direct().unresolved().done()]),
        judged("before-and-after", vec![strips(), again]),
        judged("browser-only", vec![browser_alone(works(inside()).held(75.0, None, None).done())]),
        judged("interrupted", vec![interrupted]),
        judged("nothing", vec![inside().done()]),
        judged("no-bundle", vec![]),
    ]
}

/// The same, and a browser that fails.
fn browser_alone(mut bundle: Bundle) -> Bundle {
    use wss_bundle::browser::{BrowserClose, BrowserFrame, BrowserRequest};
    let twin = bundle.observations.observations.iter_mut().find(|o| o.probe == probe::UPGRADE);
    let mut twin = twin.unwrap().clone();
    twin.probe = probe::BROWSER_UPGRADE.into();
    twin.id = "o900".into();
    twin.connection = Some(900);
    bundle.observations.observations.push(twin);
    let mut seen = BrowserHandshake::new(
        "Chromium 156.0.8078.79 headless",
        BrowserRequest::Websocket,
        format!("wss://{HOST}{WS}?token=[removed]"),
    );
    seen.id = "b1".into();
    seen.live = true;
    seen.request = Some(REQUEST.into());
    seen.error = Some("net::ERR_BLOCKED_BY_CLIENT".into());
    seen.console = vec!["WebSocket connection failed <script>alert(1)</script>".into()];
    seen.closed = Some(BrowserClose { code: Some(1006), clean: Some(false), at_ms: Some(12.5) });
    seen.frames_received = 100;
    seen.frames =
        vec![BrowserFrame { sent: false, opcode: "ping".into(), bytes: 4, at_ms: Some(3.0) }];
    bundle.observations.browser = vec![seen.clone(), BrowserHandshake { id: "b2".into(), ..seen }];
    bundle
}

/// A collection under construction.
pub(crate) struct Run {
    bundle: Bundle,
    route: RouteId,
    connection: u32,
}

impl Run {
    fn new(vantage: Vantage, id: &str) -> Self {
        let target =
            Target { scheme: Scheme::Https, host: HOST.into(), port: 443, paths: vec![WS.into()] };
        let started_at = "2026-03-01T08:15:30Z".parse().unwrap();
        let step = |name: &str, outcome, why: Option<&str>| StepRecord {
            name: name.into(),
            start_ms: 0.0,
            duration_ms: 3.0,
            outcome,
            why: why.map(str::to_owned),
        };
        let bundle = Bundle {
            manifest: Manifest {
                format: Default::default(),
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
                finished_at: "2026-03-01T08:16:47Z".parse().unwrap(),
                complete: true,
                answers: Default::default(),
                options: Vec::new(),
                not_used: vec![manifest::NotUsed {
                    option: "--har".into(),
                    name: "console.har".into(),
                    reason: "it is empty".into(),
                    instead: "choose \"Save all as HAR\"".into(),
                }],
                steps: vec![
                    step("upgrade /v1/ws", StepOutcome::Done, None),
                    step("h2-get /v1/ws", StepOutcome::Skipped, Some("h2 is not offered")),
                ],
                attachments: Vec::new(),
                files: vec![manifest::FileRecord {
                    path: "observations.json".into(),
                    bytes: 12,
                    sha256: "ab".repeat(32),
                }],
            },
            observations: Observations {
                target,
                routes: Vec::new(),
                observations: Vec::new(),
                browser: Vec::new(),
            },
            environment: environment(),
            attachments: Vec::new(),
            redactions: vec![Redaction {
                entry: "observations.json".into(),
                place: "o3 response header set-cookie".into(),
                kind: "cookie-value".into(),
                count: 2,
            }],
            defects: Vec::new(),
        };
        Self { bundle, route: RouteId::direct(), connection: 0 }
    }

    fn on(mut self, id: RouteId, kind: RouteKind, source: &str) -> Self {
        if self.bundle.observations.routes.is_empty() {
            self.route = id.clone();
            self.bundle.observations.routes.push(Route {
                proxy: (kind != RouteKind::Direct)
                    .then(|| ProxyEndpoint { host: "proxy.corp.example".into(), port: 3128 }),
                id,
                kind,
                sources: vec![source.into()],
                selected: true,
            });
        }
        self
    }

    fn direct(self) -> Self {
        self.on(RouteId::direct(), RouteKind::Direct, "no proxy is set")
    }

    fn by_proxy(self) -> Self {
        let setting = "environment https_proxy";
        self.on(RouteId::proxy(PROXY), RouteKind::HttpProxy, setting).resolved()
    }

    pub(crate) fn done(self) -> Bundle {
        self.bundle
    }

    fn add(mut self, probe: &str, path: Option<&str>, ms: f64, step: Step) -> Self {
        let all = &mut self.bundle.observations.observations;
        let start_ms = all.len() as f64 * 7.0;
        all.push(Observation {
            id: format!("o{}", all.len() + 1),
            probe: probe.into(),
            route: self.route.clone(),
            path: path.map(str::to_owned),
            connection: Some(self.connection),
            start_ms,
            duration_ms: ms,
            step,
        });
        self
    }

    fn resolve(self, result: Outcome<Resolved>) -> Self {
        let direct = self.route.is_direct();
        let step = Step::Resolve(Resolve {
            name: if direct { HOST } else { "proxy.corp.example" }.into(),
            peer: if direct { Peer::Target } else { Peer::Proxy },
            resolver: Resolver::System,
            result,
        });
        self.add(probe::RESOLVE, None, 1.5, step)
    }

    fn resolved(self) -> Self {
        let address = if self.route.is_direct() { "203.0.113.10" } else { "10.0.0.8" };
        let record =
            DnsRecord { name: HOST.into(), kind: "A".into(), ttl: 60, data: address.to_owned() };
        self.resolve(Outcome::Ok(Resolved {
            addresses: vec![address.parse().unwrap()],
            records: vec![record],
        }))
    }

    fn unresolved(self) -> Self {
        self.resolve(Outcome::Failed(Failure::new(
            Operation::Resolve,
            FailureKind::DnsNxdomain,
            "no such name",
        )))
    }

    fn connected(mut self, probe: &str, path: Option<&str>) -> Self {
        self.connection += 1;
        let direct = self.route.is_direct();
        let connect = Step::Connect(Connect {
            peer: if direct { Peer::Target } else { Peer::Proxy },
            address: if direct { "203.0.113.10:443" } else { "10.0.0.8:3128" }.parse().unwrap(),
            result: Outcome::Ok(Connected { local: "10.1.2.3:50000".parse().unwrap() }),
        });
        let tunnel = Step::Tunnel(Tunnel {
            to: format!("{HOST}:443"),
            request: "CONNECT bindplane.corp.example:443 HTTP/1.1\r\n\r\n".into(),
            sign_on: None,
            result: Outcome::Ok(TunnelReply {
                head: Some(ResponseHead::new("HTTP/1.1 200 Connection established\r\n\r\n")),
                body: Body::default(),
            }),
        });
        let this = self.add(probe, path, 12.0, connect);
        let this = if direct { this } else { this.add(probe, path, 3.0, tunnel) };
        let (issuer, key) = if direct {
            ("CN=R10,O=Let's Encrypt", "aa")
        } else {
            ("CN=Corp TLS Inspection CA", "bb")
        };
        let tls = Step::Tls(Tls {
            peer: Peer::Target,
            server_name: HOST.into(),
            alpn_offered: vec!["http/1.1".into()],
            chain: [Certificate {
                subject: format!("CN={HOST}"),
                issuer: issuer.into(),
                issuer_cn: Some(issuer.trim_start_matches("CN=").into()),
                sans: vec![HOST.into()],
                not_before: "2026-01-01T00:00:00Z".into(),
                not_after: "2027-01-01T00:00:00Z".into(),
                sha256: key.repeat(32),
                spki_sha256: key.repeat(32),
                ..Default::default()
            }]
            .into(),
            verification: Some(Verification::Trusted),
            result: Outcome::Ok(TlsSession {
                version: "TLSv1.3".into(),
                cipher: "TLS_AES_128_GCM_SHA256".into(),
                alpn: Some("http/1.1".into()),
            }),
        });
        this.add(probe, path, 25.0, tls)
    }

    fn pages(self) -> Self {
        let head = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: text/javascript\r\nVary: Origin\r\n\r\n";
        let script = "var __BINDPLANE_VERSION__ = \"1.99.1\";";
        let step = Step::Http(Http {
            version: "1.1".into(),
            request: "GET /js/_globals.js HTTP/1.1\r\n\r\n".into(),
            extended_connect: None,
            result: Outcome::Ok(reply(head, script)),
        });
        let path = Some("/js/_globals.js");
        self.connected(probe::PAGES, path).add(probe::PAGES, path, 9.0, step)
    }

    fn upgraded(self, head: &str, body: &str) -> Self {
        let mut this = self;
        for probe in [probe::UPGRADE, probe::BROWSER_UPGRADE] {
            this = this.handshake(probe, head, body);
            if probe == probe::UPGRADE && head == SWITCHED {
                this = this.pong();
            }
        }
        this
    }

    fn handshake(self, probe: &str, head: &str, body: &str) -> Self {
        let step = Step::Upgrade(Upgrade {
            version: "1.1".into(),
            request: REQUEST.into(),
            expected_accept: Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into()),
            result: Outcome::Ok(reply(head, body)),
        });
        self.connected(probe, Some(WS)).add(probe, Some(WS), 16.0, step)
    }

    /// A Ping and its Pong, on the connection of the last step.
    fn pong(self) -> Self {
        let step = Step::Frames(Frames {
            result: Outcome::Ok(FramesSeen {
                pong_ms: Some(2.4),
                received: vec![FrameSeen { opcode: "pong".into(), bytes: 4, compressed: false }],
                ending: Ending::new(EndedBy::StillOpen),
                message: None,
            }),
        });
        self.add(probe::UPGRADE, Some(WS), 3.0, step)
    }

    /// Holds of so many seconds; cut after so many, silent and chatty.
    fn held(self, planned_s: f64, silent: Option<f64>, chatty: Option<f64>) -> Self {
        let mut this = self;
        for (probe, cut, pings) in
            [(probe::HOLD_SILENT, silent, None), (probe::HOLD_CHATTY, chatty, Some(5000.0))]
        {
            let ending = Ending {
                close_notify: cut.map(|_| true),
                ..Ending::new(if cut.is_some() { EndedBy::Fin } else { EndedBy::StillOpen })
            };
            let held_ms = cut.unwrap_or(planned_s) * 1e3;
            let step = Step::Hold(Hold {
                ping_interval_ms: pings,
                keepalive_ms: None,
                planned_ms: planned_s * 1e3,
                result: Outcome::Ok(Held {
                    held_ms,
                    pings: pings.map_or(0, |every: f64| (held_ms / every) as u32),
                    pongs: pings.map_or(0, |every: f64| (held_ms / every) as u32),
                    server_frames: 0,
                    quiet_ms: 0.0,
                    ending,
                }),
            });
            this = this.handshake(probe, SWITCHED, "").add(probe, Some(WS), held_ms, step);
        }
        this
    }
}

fn reply(head: &str, body: &str) -> HttpReply {
    HttpReply {
        informational: Vec::new(),
        head: ResponseHead::new(head),
        body: Body { bytes: body.into(), length: body.len() as u64, truncated: false },
        first_byte_ms: 5.5,
        ending: None,
    }
}

fn environment() -> Environment {
    let mut e = Environment::default();
    e.os.family = "linux".into();
    e.os.version = "Debian GNU/Linux 12 (bookworm)".into();
    e.os.arch = "x86_64".into();
    e.proxy_settings = vec![ProxySetting {
        source: "environment".into(),
        key: "https_proxy".into(),
        value: PROXY.into(),
    }];
    e.proxy_choices = vec![ProxyChoice {
        client: "curl".into(),
        route: format!("proxy {PROXY}"),
        because: "https_proxy is set".into(),
        ..ProxyChoice::default()
    }];
    e.dns.name_servers = vec!["10.0.0.53:53".into()];
    e.dns.search = vec!["corp.example".into()];
    e.dns.source = "/etc/resolv.conf".into();
    e.interfaces = vec![Interface {
        name: "tun0".into(),
        addresses: vec!["10.8.0.2/24".into()],
        mtu: Some(1400),
        default_route: true,
        ..Interface::default()
    }];
    e.hints = vec!["tun0 looks like a VPN".into()];
    e.clock.utc_offset_minutes = -330;
    e.clock.skew_s = Some(2.5);
    e.trust.source = "operating system".into();
    e.notes = vec!["PAC files are not read".into()];
    e
}
