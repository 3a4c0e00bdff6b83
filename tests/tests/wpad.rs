//! Auto-detection on a network of its own: the name `wpad` leads to a PAC file
//! on port 80, the file to a real Squid, and Squid to the target. KDE's settings
//! say "detect", since they are a file in the user's folder.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use wss_bundle::read::{self, Limits};

const SQUID: &str = "http_port 127.0.0.1:3128\n\
    visible_hostname webgw.corp.example\n\
    cache_effective_user proxy\n\
    pid_filename none\n\
    cache_log /dev/null\n\
    access_log none\n\
    cache deny all\n\
    shutdown_lifetime 0 seconds\n\
    hosts_file /etc/hosts\n\
    dns_nameservers 127.0.0.1\n\
    http_access allow all\n";
/// Looks the name up, as scripts of companies do.
const SCRIPT: &str = "function FindProxyForURL(url, host) {\n\
    return isInNet(dnsResolve(host), '127.0.0.0', '255.0.0.0') ? 'PROXY 127.0.0.1:3128' : 'DIRECT';\n}\n";
/// The PAC file's server, and a WebSocket origin: 101, Pongs, a page for the rest.
const SERVERS: &str = r#"
import base64, hashlib, socket, threading
def head(c):
    seen = b''
    while b'\r\n\r\n' not in seen:
        more = c.recv(4096)
        if not more: return b''
        seen += more
    return seen
def pac(c):
    head(c)
    body = open('wpad.dat', 'rb').read()
    c.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n' % len(body) + body)
    c.close()
def origin(c):
    while True:
        asked = head(c)
        if not asked: return
        if b'pgrade: websocket' not in asked:
            c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
            continue
        lines = asked.split(b'\r\n')
        key = [l.split(b': ')[1] for l in lines if l.lower().startswith(b'sec-websocket-key')][0]
        accept = base64.b64encode(hashlib.sha1(key + b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest())
        c.sendall(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                  b'Sec-WebSocket-Accept: ' + accept + b'\r\n\r\n')
        while True:
            first = c.recv(2)
            if len(first) < 2: return
            size, mask = first[1] & 127, c.recv(4)
            text = bytes(b ^ mask[i % 4] for i, b in enumerate(c.recv(size) if size else b''))
            answer = {9: 0x8a, 8: 0x88}.get(first[0] & 15)
            if answer: c.sendall(bytes([answer, len(text)]) + text)
            if answer == 0x88: return
def serve(port, what):
    s = socket.create_server(('127.0.0.1', port), backlog=64)
    while True: threading.Thread(target=what, args=(s.accept()[0],), daemon=True).start()
threading.Thread(target=serve, args=(80, pac), daemon=True).start()
serve(8443, origin)
"#;
/// Everything ends with the shell that started it.
const RUN: &str = r#"set -e
ip link set lo up
mount --bind hosts /etc/hosts
mount --bind nsswitch.conf "$(readlink -f /etc/nsswitch.conf)"
python3 servers.py & servers=$!
"$SQUID" -N -f "$PWD/squid.conf" & squid=$!
trap 'kill $servers $squid 2>/dev/null || true' EXIT
until python3 -c 'import socket
for port in (80, 3128, 8443): socket.create_connection(("127.0.0.1", port), 1)' 2>/dev/null; do
  kill -0 $servers $squid
  sleep 0.1
done
code=0
"$@" || code=$?
exit $code
"#;

/// A program of the workspace, beside this one.
fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    found
        .into_iter()
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} is not built: cargo build --workspace"))
}

fn squid() -> &'static str {
    ["/usr/sbin/squid", "/usr/bin/squid"]
        .into_iter()
        .find(|path| Path::new(path).is_file())
        .expect("squid is missing: apt-get install squid-openssl")
}

#[test]
fn detection_leads_by_a_pac_file_to_squid() {
    let work = tempfile::tempdir().unwrap();
    fs::create_dir_all(work.path().join("home/.config")).unwrap();
    for (name, content) in [
        ("hosts", "127.0.0.1 localhost wpad bindplane.corp.example\n"),
        ("nsswitch.conf", "hosts: files\n"),
        ("squid.conf", SQUID),
        ("wpad.dat", SCRIPT),
        ("servers.py", SERVERS),
        ("home/.config/kioslaverc", "[Proxy Settings]\nProxyType=3\n"),
    ] {
        fs::write(work.path().join(name), content).unwrap();
    }
    let mut command = Command::new("timeout");
    command.args(["120", "unshare", "--net", "--mount", "sh", "-c", RUN, "sh"]);
    command.arg(program("wss-collector"));
    command.args(["--no-input", "--json", "--vantage", "inside", "--hold", "1s"]);
    command.args(["--timeout", "10s", "-o", "out.zip", "http://bindplane.corp.example:8443"]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    let output = command
        .env("SQUID", squid())
        .env("HOME", work.path().join("home"))
        .env("XDG_CURRENT_DESKTOP", "KDE")
        .current_dir(work.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {said}", output.status);
    let bundle = read::file(&work.path().join("out.zip"), &Limits::default()).unwrap().bundle;
    let chosen: Vec<_> = bundle.observations.routes.iter().filter(|r| r.selected).collect();
    assert_eq!(chosen.len(), 1);
    assert_eq!(chosen[0].id.0, "proxy http://127.0.0.1:3128");
    let chrome = bundle.environment.proxy_choices.iter().find(|c| c.client == "chrome").unwrap();
    assert!(chrome.certain && chrome.because.contains("auto-detection"), "{chrome:?}");
    let diagnosis = wss_diagnosis::diagnose(&[bundle]);
    assert_eq!(diagnosis.verdict.status.slug(), "working");
    assert!(diagnosis.devices.iter().any(|device| device.product.as_deref() == Some("Squid")));
}
