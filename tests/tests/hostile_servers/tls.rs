//! What stands where TLS should be, chains of certificates beyond measure, and
//! HTTP/2 that keeps to no rule.

use super::run::{Case, run};
use tokio_rustls::TlsAcceptor;
use wss_lab::hostile::certificates::{self, Chain};
use wss_lab::hostile::h2::Flood;
use wss_lab::hostile::server::{Behaviour, Hostile};
use wss_lab::lab::ca::{Pki, acceptor};
use wss_lab::lab::config::{CertificateKind, Subject};

pub(crate) struct Trust {
    _folder: tempfile::TempDir,
    pki: Pki,
    pub(crate) tls: TlsAcceptor,
}

impl Trust {
    /// Collects from this port of `localhost`, with more options.
    pub(crate) fn args(&self, port: u16, more: &[&str]) -> Vec<String> {
        let mut args = vec![format!("https://localhost:{port}"), "-4".to_owned()];
        args.extend(["--cacert".to_owned(), self.pki.ca_file().display().to_string()]);
        args.extend(more.iter().map(ToString::to_string));
        args
    }
}

pub(crate) fn trust() -> Trust {
    let folder = tempfile::tempdir().unwrap();
    let corporate =
        Subject { organization: None, unit: None, common_name: "Nobody's Proxy".to_owned() };
    let pki = Pki::new(folder.path(), &corporate).unwrap();
    let identity = pki.identity("localhost", CertificateKind::Valid).unwrap();
    let tls = acceptor(&identity, &["http/1.1".to_owned()], false, None).unwrap();
    Trust { pki, _folder: folder, tls }
}

/// What stands where TLS should be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_tls() {
    const BLAMED: &str = "broken tls-failure";
    let trust = trust();
    let mut cases = Vec::new();
    let good = Hostile::server(Behaviour::Healthy, Some(trust.tls.clone())).await.unwrap();
    let args = |port: u16| trust.args(port, &["-x", ""]);
    cases.push(Case::new("good".into(), args(good.address.port()), "working none", vec![good]));
    let record = |kind: u8, length: u16, rest: &[u8]| {
        [&[kind, 3, 3], &length.to_be_bytes()[..], rest].concat()
    };
    for (name, first, again) in [
        ("PlainHttp", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(), vec![]),
        ("Garbage", vec![0x99; 5000], vec![]),
        ("EndlessGarbage", vec![0x99; 100], vec![0x99; 8192]),
        ("RecordWithoutEnd", record(22, 16_000, &[2, 0, 60, 0]), vec![]),
        ("OversizedRecord", record(22, 65_000, &[2; 60_000]), vec![]),
        // A handshake message of 16 MiB, in records that keep coming.
        (
            "HandshakeWithoutEnd",
            record(22, 4, &[2, 0xff, 0xff, 0xff]),
            record(22, 1000, &[0; 1000]),
        ),
        ("EmptyRecords", record(22, 0, &[]), record(22, 0, &[])),
        ("WarningsWithoutEnd", record(21, 2, &[1, 90]), record(21, 2, &[1, 90])),
        ("FatalAlert", record(21, 2, &[2, 40]), vec![]),
        ("ApplicationData", record(23, 100, &[0; 100]), vec![]),
    ] {
        let server = Hostile::saying(first, again).await.unwrap();
        let port = server.address.port();
        cases.push(Case::new(name.into(), args(port), BLAMED, vec![server]));
    }
    run(cases).await;
}

/// Chains beyond measure: the server's, the same through an HTTPS proxy, and the
/// proxy's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_certificates() {
    let trust = trust();
    let mut cases = Vec::new();
    for (chain, sensible, proxys) in [
        (Chain::Healthy, "working none", "working none"),
        // The leaf is right, and its issuer is known: the rest is of no consequence.
        (Chain::Names(2400), "working none", "working none"),
        (Chain::Stray(100), "working none", "working none"),
        (Chain::JustFits, "working none", "working none"),
        // No browser follows a path of a hundred authorities.
        (Chain::Deep(100), "broken tls-untrusted", "broken proxy-unreachable"),
        // More than is taken in of one message.
        (Chain::JustTooLarge, "broken tls-failure", "broken proxy-unreachable"),
        (Chain::Stray(1000), "broken tls-failure", "broken proxy-unreachable"),
        (Chain::Names(60_000), "broken tls-failure", "broken proxy-unreachable"),
    ] {
        let shown = certificates::shown(&trust.pki, chain, &["http/1.1"]).unwrap();
        let name = |how: &str| format!("{chain:?} {how}");
        let server =
            async |tls: &TlsAcceptor| Hostile::server(Behaviour::Healthy, Some(tls.clone())).await;

        let one = server(&shown).await.unwrap();
        let args = trust.args(one.address.port(), &["-x", ""]);
        cases.push(Case::new(name("directly"), args, sensible, vec![one]));

        let one = server(&shown).await.unwrap();
        let proxy = Hostile::honest_https_proxy(trust.tls.clone()).await.unwrap();
        let through = format!("https://localhost:{}", proxy.address.port());
        let args = trust.args(one.address.port(), &["-x", &through]);
        cases.push(Case::new(name("through a proxy"), args, sensible, vec![one, proxy]));

        let one = server(&trust.tls).await.unwrap();
        let proxy = Hostile::honest_https_proxy(shown).await.unwrap();
        let through = format!("https://localhost:{}", proxy.address.port());
        let args = trust.args(one.address.port(), &["-x", &through]);
        cases.push(Case::new(name("of a proxy"), args, proxys, vec![one, proxy]));
    }
    run(cases).await;
}

/// HTTP/2 that floods, where WebSockets by HTTP/1.1 are as they should be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_http2() {
    let trust = trust();
    let tls = certificates::shown(&trust.pki, Chain::Healthy, &["h2", "http/1.1"]).unwrap();
    let mut cases = Vec::new();
    for flood in std::iter::once(Flood::Healthy).chain(Flood::HOSTILE) {
        // No flood here announces WebSockets over HTTP/2: they go by HTTP/1.1.
        let sensible = "working none";
        let server = Hostile::flooding(flood, tls.clone()).await.unwrap();
        let args = trust.args(server.address.port(), &["-x", ""]);
        cases.push(Case::new(format!("{flood:?}"), args, sensible, vec![server]));
        let server = Hostile::flooding(flood, tls.clone()).await.unwrap();
        let proxy = Hostile::honest_https_proxy(trust.tls.clone()).await.unwrap();
        let through = format!("https://localhost:{}", proxy.address.port());
        let args = trust.args(server.address.port(), &["-x", &through]);
        let name = format!("{flood:?} through a proxy");
        cases.push(Case::new(name, args, sensible, vec![server, proxy]));
    }
    run(cases).await;
}
