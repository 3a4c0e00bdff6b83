//! What answers at the target of a handed-over file: the real origin, alone or
//! behind a real nginx, at port 443 of an address of loopback of its own, since
//! the texts name no port.

use super::case::Recorded;
use crate::lab::config::{CertificateKind, HOST, TlsConfig};
use crate::lab::http1::Response;
use crate::lab::server::Server;
use crate::lab::wire::{Conn, relay};
use crate::lab::{Lab, LabConfig, Pki};
use crate::real::{Product, Real};
use crate::scenario::config::GorillaConfig;
use crate::scenario::{self, gorilla};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The console's page shell, as the server writes it.
const SHELL: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"/>\
    <title>BindPlane</title><script src=\"/js/_globals.js\"></script></head>\
    <body><div id=\"root\"></div></body></html>";

/// Passes requests on and says nothing of the upgrade.
const STRIPS: &str = "user root;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
    server {
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        location / { proxy_pass http://{backend}; proxy_http_version 1.1; proxy_set_header Host $http_host; }
    }
}
";

/// A running target.
pub(super) struct Target {
    lab: Lab,
    address: Ipv4Addr,
    _running: Vec<Real>,
    _relay: Server,
    _page: Option<Server>,
}

impl Target {
    /// Starts what a case names.
    pub(super) async fn start(case: &Recorded) -> Result<Self, String> {
        let text = |error: std::io::Error| format!("{}: {error}", case.server);
        let lab = Lab::start(&LabConfig::default()).await.map_err(text)?;
        let mut running = Vec::new();
        let mut page = None;
        let front = match case.server.as_str() {
            "healthy" => {
                let own = GorillaConfig { tls: true, ..GorillaConfig::default() };
                running.push(gorilla(&own, HOST, lab.dir(), &lab.pki)?);
                running[0].addr
            }
            "strips upgrade" => {
                running.push(gorilla(&GorillaConfig::default(), HOST, lab.dir(), &lab.pki)?);
                let values = scenario::values(&lab, CertificateKind::Valid, running[0].addr)?;
                running.insert(0, Real::start(Product::Nginx, STRIPS, &values)?);
                running[0].addr
            }
            "answers 200 with the console's page" => {
                let server = shell(&lab.pki).await.map_err(text)?;
                page.insert(server).addr
            }
            other => return Err(format!("server: `{other}` is none that the runner has")),
        };
        let (address, relay) = at_443(front).await?;
        Ok(Self { lab, address, _running: running, _relay: relay, _page: page })
    }

    /// The collector's arguments that lead to it.
    pub(super) fn arguments(&self) -> [String; 4] {
        let resolve = format!("{HOST}:443:{}", self.address);
        let trust = self.lab.trust_file().display().to_string();
        ["--resolve".into(), resolve, "--cacert".into(), trust]
    }

    /// A folder that goes away with it.
    pub(super) fn dir(&self) -> &Path {
        self.lab.dir()
    }
}

/// The page shell, to every request.
async fn shell(pki: &Pki) -> std::io::Result<Server> {
    let acceptor = pki.acceptor(&TlsConfig::default(), HOST, CertificateKind::Valid)?;
    let length = SHELL.len().to_string();
    let headers =
        [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", length.as_str())];
    let page = Arc::new(Response::new(200, &headers, SHELL));
    Server::start(move |conn| {
        let (acceptor, page) = (acceptor.clone(), page.clone());
        async move {
            let Ok(mut conn) = conn.accept(&acceptor).await else { return };
            while let Ok(Some((head, _))) = crate::lab::hop::receive(&mut conn).await {
                let method = head.request().map_or("GET", |(method, _)| method);
                if page.send(&mut conn, method).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

/// The collector's `--resolve` for an address where nobody listens.
pub(super) fn nobody() -> String {
    format!("{HOST}:443:{}", Ipv4Addr::new(127, 45, 0, 1))
}

/// A relay at port 443 of an address that no other case uses meanwhile.
async fn at_443(to: SocketAddr) -> Result<(Ipv4Addr, Server), String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(31);
    let mut last = String::new();
    for _ in 0..50 {
        let step = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let [_, _, high, low] = step.to_be_bytes();
        let address = Ipv4Addr::new(127, 44, high, low.clamp(1, 254));
        let relayed = Server::start_at((address, 443).into(), move |client| async move {
            if let Ok(server) = Conn::dial(to).await {
                relay(client, server, &Default::default(), true).await;
            }
        });
        match relayed.await {
            Ok(server) => return Ok((address, server)),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(format!(
                    "{address}:443: {error}: run as root, or sysctl net.ipv4.ip_unprivileged_port_start=443"
                ));
            }
            Err(error) => last = format!("{address}:443: {error}"),
        }
    }
    Err(last)
}
