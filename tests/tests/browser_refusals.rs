//! What a real browser refuses by itself is named in its own words and is the
//! browser's; and what is due to the page that the collector puts in the place of
//! one that cannot be had is nobody's.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use wss_lab::real::{Product, Real, closed_port};

const BROWSERS: [&str; 2] = ["chromium", "firefox-esr"];
/// Ports above 1024 to which no browser connects (Fetch standard, "bad port").
const UNSAFE: [u16; 6] = [10080, 6000, 6667, 6697, 5061, 4190];

fn origin(port: u16) -> Result<Real, String> {
    let config = serde_json::json!({
        "listen": format!("127.0.0.1:{port}"), "cert": "", "key": "", "newer": false,
        "paths": ["/v1/ws", "/v1/graphql", "/v1/opamp"], "version": "1.90.0", "origin": "any",
    });
    Real::start_at(Product::Gorilla, port, &[], &config.to_string(), &BTreeMap::new())
}

/// Collects with a browser, with what `before` does in a mount namespace of its own.
fn collected(port: u16, browser: &str, before: Option<&str>) -> Value {
    let program = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name("wss-collector");
    let work = tempfile::tempdir().unwrap();
    let mut command = match before {
        None => Command::new(&program),
        Some(before) => {
            let mut command = Command::new("unshare");
            let script = format!("set -e\n{before}\nexec \"$@\"");
            command.args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"]).arg(&program);
            command
        }
    };
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.env_remove("XDG_CURRENT_DESKTOP").env_remove("DESKTOP_SESSION");
    command.current_dir(work.path()).stdin(Stdio::null());
    command.args(["--json", "--no-input", "--vantage", "inside", "--hold", "1s"]);
    command.args(["--timeout", "20s", "-o", "bundle.zip"]);
    command.arg(format!("--browser={browser}")).arg(format!("http://127.0.0.1:{port}"));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn verdict(json: &Value) -> (&str, &str) {
    let verdict = &json["diagnosis"]["verdict"];
    (verdict["cause"].as_str().unwrap(), verdict["location"].as_str().unwrap())
}

fn summary(json: &Value) -> &str {
    json["diagnosis"]["verdict"]["summary"].as_str().unwrap()
}

#[test]
fn an_unsafe_port_is_the_browsers_own_refusal() {
    let (port, _origin) =
        UNSAFE.into_iter().find_map(|port| Some((port, origin(port).ok()?))).unwrap();
    for (browser, word) in BROWSERS.into_iter().zip(["net::ERR_UNSAFE_PORT", "deniedPortAccess"]) {
        let json = collected(port, browser, None);
        assert_eq!(verdict(&json), ("browser-only", "browser"), "{browser}: {}", summary(&json));
        assert!(summary(&json).contains("unsafe ports"), "{browser}: {}", summary(&json));
        assert!(summary(&json).contains(word), "{browser}: {}", summary(&json));
    }
}

/// The policy lies in a mount namespace of its own: no other browser sees it.
#[test]
fn a_policy_is_the_browsers_own_refusal() {
    let port = closed_port().unwrap();
    let _origin = origin(port).unwrap();
    let before = format!(
        "mount -t tmpfs none /etc/chromium\nmkdir -p /etc/chromium/policies/managed\n\
         echo '{{\"URLBlocklist\": [\"127.0.0.1:{port}\"]}}' > /etc/chromium/policies/managed/p.json"
    );
    let json = collected(port, "chromium", Some(&before));
    assert_eq!(verdict(&json), ("browser-only", "browser"), "{}", summary(&json));
    assert!(summary(&json).contains("net::ERR_BLOCKED_BY_ADMINISTRATOR"), "{}", summary(&json));
}

/// Pages are cut, sockets pass: the collector's own page stands in, and what a browser
/// holds against that page is no word about the console.
#[test]
fn the_collectors_own_page_is_never_taken_for_the_consoles() {
    let (inner, port) = (closed_port().unwrap(), closed_port().unwrap());
    let _origin = origin(inner).unwrap();
    let config = format!(
        "defaults\n mode http\n timeout connect 2s\n timeout client 60s\n timeout server 60s\n\
         frontend console\n bind 127.0.0.1:{port}\n http-request reject if {{ path / }}\n \
         default_backend console\nbackend console\n server one 127.0.0.1:{inner}\n"
    );
    let _front = Real::start_at(Product::Haproxy, port, &[], &config, &BTreeMap::new()).unwrap();
    for browser in BROWSERS {
        let json = collected(port, browser, None);
        let (cause, location) = verdict(&json);
        assert_ne!(cause, "browser-only", "{browser}: {}", summary(&json));
        assert_ne!(location, "browser", "{browser}: {}", summary(&json));
    }
}
