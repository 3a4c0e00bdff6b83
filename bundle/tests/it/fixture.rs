//! A bundle with something in every place that can hold text.

use std::io::{Cursor, Write};
use std::path::Path;
use wss_bundle::environment::{Interface, ProxyChoice, ProxySetting};
use wss_bundle::manifest::{Answers, Collector, GivenOption, StepOutcome, StepRecord};
use wss_bundle::observation::*;
use wss_bundle::read::{self, Limits, Opened, ReadError};
use wss_bundle::redact::Redactor;
use wss_bundle::target::Scheme;
use wss_bundle::*;
use zip::write::SimpleFileOptions;

/// Where the fixture puts `secret`: everywhere.
pub(crate) fn bundle(secret: &str) -> Bundle {
    let target = Target {
        scheme: Scheme::Https,
        host: "bindplane.corp.example".into(),
        port: 8443,
        paths: vec!["/v1/ws".into(), format!("/v1/graphql?token={secret}")],
    };
    let started_at = "2026-03-01T08:15:30.250Z".parse().unwrap();
    Bundle {
        manifest: Manifest {
            format: Default::default(),
            id: "0f9a1c9e-6f0e-4f3e-9d0c-7a2f7c7d9b11".into(),
            case: format!("CASE {secret}"),
            ticket: None,
            vantage: Vantage::Inside,
            target: target.clone(),
            collector: Collector {
                version: "0.1.0".into(),
                os: "linux".into(),
                arch: "x86_64".into(),
            },
            started_at,
            finished_at: "2026-03-01T08:15:33Z".parse().unwrap(),
            complete: true,
            answers: Answers {
                load_balancer: Some(format!("F5 with password={secret}")),
                network_path: None,
                browser_message: Some(format!("failed: wss://x/v1/ws?t={secret}")),
            },
            options: vec![GivenOption::new("--cacert", "corp-ca.pem")],
            not_used: Vec::new(),
            steps: vec![StepRecord {
                name: "upgrade /v1/ws, direct".into(),
                start_ms: 1.0,
                duration_ms: 2.5,
                outcome: StepOutcome::Failed,
                why: Some(format!("said {secret}")),
            }],
            attachments: Vec::new(),
            files: Vec::new(),
        },
        observations: Observations {
            target,
            routes: vec![route("direct"), route("proxy http://proxy.corp.example:3128")],
            observations: observations(secret),
            browser: vec![browser(secret)],
        },
        environment: Environment {
            proxy_settings: vec![ProxySetting {
                source: "environment".into(),
                key: "https_proxy".into(),
                value: format!("http://user:{secret}@proxy.corp.example:3128"),
            }],
            proxy_choices: vec![ProxyChoice {
                client: "curl".into(),
                route: "proxy http://proxy.corp.example:3128".into(),
                because: format!("https_proxy={secret}"),
                page: Some(format!("proxy http://u:{secret}@proxy.corp.example:8080")),
                then: vec![format!("proxy http://u:{secret}@proxy.corp.example:8081")],
                certain: false,
            }],
            interfaces: vec![Interface { name: format!("tun-{secret}"), ..Default::default() }],
            hints: vec![format!("hint {secret}")],
            notes: vec![format!("note {secret}")],
            ..Default::default()
        },
        attachments: Vec::new(),
        redactions: Vec::new(),
        defects: Vec::new(),
    }
}

fn route(id: &str) -> Route {
    Route {
        id: RouteId(id.into()),
        kind: if id == "direct" { RouteKind::Direct } else { RouteKind::HttpProxy },
        proxy: None,
        sources: vec!["environment https_proxy".into()],
        selected: id == "direct",
    }
}

fn observation(number: usize, route: &str, step: Step) -> Observation {
    Observation {
        id: format!("o{number}"),
        probe: probe::UPGRADE.into(),
        route: RouteId(route.into()),
        path: Some("/v1/ws".into()),
        connection: Some(if route == "direct" { 1 } else { 2 }),
        start_ms: number as f64,
        duration_ms: 0.5,
        step,
    }
}

fn observations(secret: &str) -> Vec<Observation> {
    const PROXY: &str = "proxy http://proxy.corp.example:3128";
    let request = format!(
        "GET /v1/ws HTTP/1.1\r\nHost: bindplane.corp.example:8443\r\nAuthorization: Basic {secret}\r\n\
         User-Agent: wss-collector/0.1.0\r\nAccept: */*\r\nConnection: Upgrade\r\nCookie: a={secret}; b=2\r\n\r\n"
    );
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nSet-Cookie: sid={secret}; Path=/\r\n\
         X-Internal: {secret}\r\n folded {secret}\r\nLocation: https://u:{secret}@idp/login?state={secret}\r\n\
         Sec-Websocket-Version: 13\r\n\r\n"
    );
    let steps = vec![
        ("direct", Step::Connect(Connect {
            peer: Peer::Target,
            address: "127.0.0.1:8443".parse().unwrap(),
            result: Outcome::Ok(Connected { local: "127.0.0.1:50000".parse().unwrap() }),
        })),
        ("direct", Step::Tls(Tls {
            peer: Peer::Target,
            server_name: "bindplane.corp.example".into(),
            alpn_offered: vec!["http/1.1".into()],
            chain: [Certificate {
                subject: format!("CN=bindplane.corp.example, OU={secret}"),
                issuer: "CN=Corp Root".into(),
                sha256: "ab".repeat(32),
                spki_sha256: "cd".repeat(32),
                ..Default::default()
            }]
            .into(),
            verification: Some(Verification::Untrusted {
                reason: Distrust::UnknownIssuer,
                detail: "unknown issuer".into(),
            }),
            result: Outcome::Ok(TlsSession {
                version: "TLSv1.3".into(),
                cipher: "TLS_AES_256_GCM_SHA384".into(),
                alpn: Some("http/1.1".into()),
            }),
        })),
        ("direct", Step::Upgrade(Upgrade {
            version: "1.1".into(),
            request: Bytes(request.into_bytes()),
            expected_accept: Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into()),
            result: Outcome::Ok(HttpReply {
                informational: Vec::new(),
                head: ResponseHead::new(head),
                body: Body {
                    bytes: Bytes(format!("Bad Request\n<a href='/x?k={secret}'>{secret}</a>\n").into_bytes()),
                    length: 12,
                    truncated: false,
                },
                first_byte_ms: 1.25,
                ending: Some(Ending {
                    how: EndedBy::Fin,
                    close_notify: Some(true),
                    close_code: None,
                    detail: Some(format!("why {secret}")),
                }),
            }),
        })),
        (PROXY, Step::Tunnel(Tunnel {
            to: "bindplane.corp.example:8443".into(),
            request: Bytes(format!("CONNECT bindplane.corp.example:8443 HTTP/1.1\r\nProxy-Authorization: Basic {secret}\r\n\r\n").into_bytes()),
            sign_on: None,
            result: Outcome::Failed(Failure {
                operation: Operation::Tunnel,
                kind: FailureKind::ProxyMalformed,
                detail: format!("not understood: {secret}"),
                received: Some(Bytes(format!("HTTP/1.1 200 OK\r\nX-Auth: {secret}\r\n\r\n{secret}").into_bytes())),
            }),
        })),
        (PROXY, Step::Frames(Frames {
            result: Outcome::Failed(Failure::new(Operation::Frames, FailureKind::TimedOut, secret)),
        })),
    ];
    steps
        .into_iter()
        .enumerate()
        .map(|(n, (route, step))| observation(n + 1, route, step))
        .collect()
}

/// The zip of a bundle, through a redactor that knows no secret.
pub(crate) fn zipped(bundle: Bundle) -> Vec<u8> {
    wss_bundle::write::bytes(&Redactor::new().bundle(bundle)).unwrap()
}

/// Reads with the usual limits.
pub(crate) fn open(zip: &[u8]) -> Result<Opened, ReadError> {
    read::bytes(zip, Path::new("test.zip"), &Limits::default())
}

/// The entries of a zip, in order.
pub(crate) fn entries(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

/// A zip of any entries.
pub(crate) fn zip_of(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The healthy zip with its entries changed.
pub(crate) fn changed(change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
    let mut list = entries(&zipped(bundle("x")));
    change(&mut list);
    zip_of(&list)
}

/// The kinds of defects.
pub(crate) fn kinds(opened: &Opened) -> Vec<&str> {
    opened.bundle.defects.iter().map(|defect| defect.kind.as_str()).collect()
}

fn browser(secret: &str) -> BrowserHandshake {
    let url = format!("wss://bindplane.corp.example:8443/v1/ws?token={secret}");
    let kind = wss_bundle::browser::BrowserRequest::Websocket;
    let mut seen = BrowserHandshake::new("har:console.har", kind, url);
    seen.id = "b1".into();
    seen.request = Some(Bytes(
        format!(
            "GET /v1/ws?token={secret} HTTP/1.1\r\nHost: bindplane.corp.example:8443\r\n\
             Cookie: a={secret}\r\nX-Auth: {secret}\r\n\r\n"
        )
        .into_bytes(),
    ));
    seen.response = Some(ResponseHead::new(format!(
        "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nSet-Cookie: sid={secret}; Path=/\r\n\r\n"
    )));
    seen.console = vec![format!("WebSocket connection to 'wss://x/?token={secret}' failed")];
    seen.route = Some(format!("proxy http://u:{secret}@proxy.corp.example:3128"));
    seen.notes = vec![format!("password={secret}")];
    seen
}
