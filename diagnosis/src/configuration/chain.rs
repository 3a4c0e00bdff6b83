//! Two programs in a row, where the files of both were given: what stands before
//! nginx, and what each end of a connection expects of the other.

use super::dialect::Program;
use super::nginx::parse::Directive;
use super::nginx::parsed;
use super::nginx::server::{listens, servers};
use super::nginx::tree::forest;
use super::source::File;
use super::{Issue, Kind, Place, Request, haproxy, nginx as nginx_};
use std::collections::BTreeMap;

/// What stands before nginx.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    /// The port that it sends requests to.
    pub(crate) port: u16,
    /// Whether it sends them by TLS.
    pub(crate) tls: bool,
    /// Whether it reads HTTP; else it passes bytes on.
    pub(crate) http: bool,
    /// Headers that it sets: the value, where it can be told.
    pub(crate) headers: BTreeMap<String, Option<String>>,
}

/// What comes of two programs' files together.
#[derive(Debug, Default)]
pub(crate) struct Chained {
    /// What stands before nginx.
    pub(crate) hop: Option<Hop>,
    /// What does not fit.
    pub(crate) issues: Vec<(Program, Issue)>,
}

/// Puts HAProxy's and nginx' files together, where a server of the one is what the
/// other listens on.
pub(crate) fn chained(nginx: &[File], haproxy: &[File], request: &Request<'_>) -> Chained {
    let mut chained = Chained::default();
    if nginx.is_empty() || haproxy.is_empty() {
        return chained;
    }
    let Some(way) = haproxy::way(haproxy, request) else { return chained };
    let forest = forest(nginx, &parsed(nginx));
    let place = |d: &Directive| Place::of(nginx, d.file, d.line);
    let all = servers(&forest);
    for server in &way.servers {
        let Some(port) = server.port else { continue };
        let listen = all.iter().flat_map(|one| listens(one.server)).find(|l| l.has(port));
        let Some(listen) = listen else { continue };
        chained.hop.get_or_insert_with(|| Hop {
            port,
            tls: if way.http { server.tls } else { request.tls },
            http: way.http,
            headers: way.headers.clone(),
        });
        let Some(line) = listen.line else { continue };
        match (listen.proxy_protocol, server.sends_proxy) {
            (true, false) => {
                let says = format!(
                    "waits for a PROXY header, and `{}` ({}) does not send one: nginx ends the \
                     connection. Add send-proxy to the server line, or take proxy_protocol away",
                    server.line, server.place
                );
                let issue = Issue::new(Kind::ProxyHeaderAwaited, place(line), line.shown(), says);
                chained.issues.push((Program(&nginx_::DIALECT), issue));
            }
            (false, true) => {
                let says = format!(
                    "sends a PROXY header, and `{}` ({}) does not expect one: nginx takes it for a \
                     request and answers 400 in plain text. Add proxy_protocol to listen, or take \
                     send-proxy away",
                    line.shown(),
                    place(line)
                );
                let (at, text) = (server.place.clone(), server.line.clone());
                let issue = Issue::new(Kind::ProxyHeaderSent, at, text, says);
                chained.issues.push((Program(&haproxy::DIALECT), issue));
            }
            (true, true) | (false, false) => {}
        }
    }
    chained
}
