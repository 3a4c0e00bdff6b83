//! Servers, proxies and name servers that keep to no protocol, met by the real
//! collector: it ends in time and memory, writes a bundle that is whole, never
//! calls it working when it is not, and blames nobody without reason.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![allow(clippy::print_stdout, reason = "what was found and measured")]

mod names;
mod run;
mod size;
mod tls;

use run::{Case, run};
use std::net::SocketAddr;
use tls::trust;
use wss_lab::hostile::server::{Behaviour, Hostile};

fn plain(address: SocketAddr) -> Vec<String> {
    vec![format!("http://{address}"), "-x".into(), String::new()]
}

fn all() -> impl Iterator<Item = Behaviour> {
    std::iter::once(Behaviour::Healthy).chain(Behaviour::HOSTILE)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_servers_plain() {
    let mut cases = Vec::new();
    for behaviour in all() {
        let server = Hostile::server(behaviour, None).await.unwrap();
        let args = plain(server.address);
        cases.push(Case::new(format!("{behaviour:?}"), args, sensible(behaviour), vec![server]));
    }
    run(cases).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_servers_in_tls() {
    let trust = trust();
    let mut cases = Vec::new();
    for behaviour in all() {
        let server = Hostile::server(behaviour, Some(trust.tls.clone())).await.unwrap();
        let args = trust.args(server.address.port(), &["-x", ""]);
        cases.push(Case::new(format!("{behaviour:?}"), args, sensible(behaviour), vec![server]));
    }
    run(cases).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_servers_behind_a_proxy() {
    let mut cases = Vec::new();
    for behaviour in all() {
        let server = Hostile::server(behaviour, None).await.unwrap();
        let proxy = Hostile::honest_proxy().await.unwrap();
        let args = vec![
            format!("http://{}", server.address),
            "-x".into(),
            format!("http://{}", proxy.address),
        ];
        let servers = vec![server, proxy];
        cases.push(Case::new(format!("{behaviour:?}"), args, sensible(behaviour), servers));
    }
    run(cases).await;
}

/// The proxy is the hostile one; the server behind it is never reached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_proxies() {
    let mut cases = Vec::new();
    let good = Hostile::server(Behaviour::Healthy, None).await.unwrap();
    let proxy = Hostile::honest_proxy().await.unwrap();
    let by = |address: SocketAddr, scheme: &str, target: SocketAddr| {
        vec![format!("http://{target}"), "-x".into(), format!("{scheme}://{address}")]
    };
    let target = good.address;
    let args = by(proxy.address, "http", target);
    cases.push(Case::new("honest".into(), args, "working none", vec![good, proxy]));
    for behaviour in Behaviour::HOSTILE.into_iter().filter(|b| !b.upgrades()) {
        let proxy = Hostile::server(behaviour, None).await.unwrap();
        let args = by(proxy.address, "http", target);
        cases.push(Case::new(format!("{behaviour:?}"), args, blamed(behaviour), vec![proxy]));
    }
    let opened = b"HTTP/1.1 200 Connection established\r\n\r\n".to_vec();
    for (name, scheme, first, again, sensible) in [
        (
            "TunnelOfGarbage",
            "http",
            [opened.clone(), vec![0xee; 3000]].concat(),
            vec![],
            "broken proxy-blocks-websocket",
        ),
        (
            "TunnelOfEndlessGarbage",
            "http",
            opened,
            vec![0xee; 8192],
            "broken proxy-blocks-websocket",
        ),
        ("SocksOfGarbage", "socks5", vec![0xee; 300], vec![], "broken proxy-refuses-tunnel"),
        ("SocksWithoutEnd", "socks5", vec![5, 0], vec![5; 4096], "broken proxy-refuses-tunnel"),
        ("SocksOfNoMethod", "socks5h", vec![5, 0xff], vec![], "broken proxy-auth-required"),
        (
            "SocksOfHugeName",
            "socks5h",
            [vec![5, 0, 5, 0, 0, 3, 255], vec![b'a'; 100]].concat(),
            vec![],
            "broken proxy-refuses-tunnel",
        ),
        ("Socks4OfGarbage", "socks4", vec![0xee; 8], vec![], "broken proxy-refuses-tunnel"),
    ] {
        let proxy = Hostile::saying(first, again).await.unwrap();
        let args = by(proxy.address, scheme, target);
        cases.push(Case::new(name.into(), args, sensible, vec![proxy]));
    }
    run(cases).await;
}

/// What is sensible to say of each.
fn sensible(behaviour: Behaviour) -> &'static str {
    use Behaviour as B;
    match behaviour {
        B::Healthy => "working none",
        // The same refusal to everything: by whoever ends TLS, or nobody knows.
        B::HugeRefusal => "unknown insufficient | broken blocked-page",
        // Nothing whole ever comes back, to no request: a proxy, a server, a
        // firewall could each be why.
        B::DrippingHead | B::HalfHead | B::ManyInterim | B::Silence | B::Goodbye | B::Reset => {
            "unknown insufficient"
        }
        // What comes back is no answer, or no valid one.
        B::EndlessHeaders
        | B::HugeHeader
        | B::Http09
        | B::Garbage
        | B::NoStatus
        | B::SwitchesAlways
        | B::WrongAccept => "broken bad-handshake",
        B::OddHeaders => "broken bad-gateway",
        B::RedirectLoop => "broken redirected",
        B::EndlessChallenge => "unknown auth-required",
        // Once, and then it goes on as it should.
        B::InflatesWithoutEnd => "working none",
        // Whether a Pong would have come between them cannot always be told.
        B::InflatesAgainAndAgain => "broken frames-blocked | working none",
        frames if frames.upgrades() => "broken frames-blocked",
        // A page, however odd, to everything, and no mark of Bindplane in any.
        _ => "broken wrong-path",
    }
}

/// What is said of a proxy that does so.
fn blamed(behaviour: Behaviour) -> &'static str {
    use Behaviour as B;
    match behaviour {
        // It says 200, and then answers all that is sent into the tunnel itself: for
        // who looks in from outside, another site.
        B::ManyHeaders | B::HugeCookie => "broken wrong-path",
        // It says 200, and what then comes is no tunnel.
        B::EndlessBody
        | B::DrippingBody
        | B::EndlessChunks
        | B::HugeChunk
        | B::BrokenLength
        | B::TwoLengths
        | B::GzipBomb
        | B::BrotliBomb
        | B::ZipBomb => "broken proxy-blocks-websocket",
        _ => "broken proxy-refuses-tunnel",
    }
}
