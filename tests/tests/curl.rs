//! The upgrade probe against curl on the same real servers: the same bytes are
//! sent, and the transcript shows what curl prints.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wss_bundle::{Bundle, Step, transcript};
use wss_lab::lab::{Lab, LabConfig};
use wss_lab::real::{Product, Real};

/// The page's command, with `--http1.1`.
const PAGE: [&str; 12] = [
    "-i",
    "-N",
    "--http1.1",
    "--noproxy",
    "-H",
    "Connection: Upgrade",
    "-H",
    "Upgrade: websocket",
    "-H",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "-H",
    "Sec-WebSocket-Version: 13",
];

const SERVERS: [(Product, &str); 5] = [
    (
        Product::Nginx,
        "user root; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
         events {} http { access_log off; client_body_temp_path {dir}/a; proxy_temp_path {dir}/b;
         fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;
         server { listen 127.0.0.1:{port}; location / { proxy_pass http://{backend}; } } }",
    ),
    (
        Product::Haproxy,
        "defaults\n mode http\n timeout connect 2s\n timeout client 9s\n timeout server 9s\n\
         frontend f\n bind 127.0.0.1:{port}\n default_backend b\nbackend b\n server one {backend}\n",
    ),
    (
        Product::Apache,
        "ServerRoot {dir}\nServerName localhost\nPidFile {dir}/httpd.pid\nErrorLog {dir}/error.log\n\
         Listen 127.0.0.1:{port}\n\
         LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n\
         LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n\
         LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so\n\
         LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so\n\
         ProxyPass / http://{backend}/\n",
    ),
    (
        Product::Caddy,
        "{\n admin off\n auto_https off\n storage file_system {dir}/caddy\n}\n\
         http://127.0.0.1:{port} {\n bind 127.0.0.1\n reverse_proxy {backend}\n}\n",
    ),
    (
        Product::Varnish,
        "vcl 4.1;\nbackend default { .host = \"127.0.0.1\"; .port = \"{backend-port}\"; }\n\
         sub vcl_recv { return (pass); }\n",
    ),
];

/// A relay that writes down the first request of each connection.
async fn recorder(to: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let shared = heads.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let heads = shared.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match client.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => return,
                    }
                }
                heads.lock().unwrap().push(head.clone());
                let Ok(mut server) = TcpStream::connect(to).await else { return };
                if server.write_all(&head).await.is_ok() {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    (address, heads)
}

/// Without what may differ: the name of the program, the time of day, and ids
/// that a server makes anew for each request.
fn comparable(head: &str) -> String {
    let noise = ["user-agent:", "date:", "x-varnish:", "age:"];
    head.split("\r\n")
        .filter(|line| !noise.iter().any(|n| line.to_ascii_lowercase().starts_with(n)))
        .collect::<Vec<_>>()
        .join("\r\n")
}

async fn curl(url: String) -> String {
    let output = tokio::task::spawn_blocking(move || {
        let mut curl = std::process::Command::new("curl");
        curl.args(&PAGE[..4]).arg("*").args(&PAGE[4..]).args(["-s", "--max-time", "3"]);
        curl.arg(url).output().expect("curl is needed: apt-get install curl")
    });
    String::from_utf8_lossy(&output.await.unwrap().stdout).into_owned()
}

async fn probe(address: SocketAddr) -> Bundle {
    wss_lab::scenario::collect_plain(&format!("http://{address}"), "/v1/ws").await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_go_out_and_the_transcript_shows_what_curl_prints() {
    for (product, template) in SERVERS {
        let lab = Lab::start(&LabConfig::default()).await.unwrap();
        let values = BTreeMap::from([
            ("backend", lab.origin.addr.to_string()),
            ("backend-port", lab.origin.addr.port().to_string()),
        ]);
        let real = Real::start(product, template, &values).unwrap();
        let (address, heads) = recorder(real.addr).await;

        let printed = curl(format!("http://{address}/v1/ws")).await;
        let sent_by_curl = String::from_utf8(heads.lock().unwrap().remove(0)).unwrap();
        heads.lock().unwrap().clear();
        let bundle = probe(address).await;
        let sent: Vec<String> = heads
            .lock()
            .unwrap()
            .iter()
            .map(|head| String::from_utf8_lossy(head).into_owned())
            .collect();

        assert!(sent_by_curl.contains("Upgrade: websocket"), "{sent_by_curl}");
        assert!(
            sent.iter().any(|head| comparable(head) == comparable(&sent_by_curl)),
            "{product:?}: curl sent\n{sent_by_curl}\nthe probes sent\n{}",
            sent.join("\n")
        );
        let upgrade = bundle
            .observations
            .observations
            .iter()
            .find(|o| o.probe == "upgrade" && matches!(o.step, Step::Upgrade(_)))
            .unwrap();
        let shown = transcript::of(&bundle, upgrade).unwrap();
        assert!(printed.starts_with("HTTP/1.1 "), "{product:?}: {printed}");
        assert_eq!(comparable(&shown.response), comparable(&printed), "{product:?}");
        assert!(shown.text.contains("> Upgrade: websocket"), "{}", shown.text);
    }
}
