//! What the collector says that a browser would do with this machine's proxy
//! settings, against what a real Chromium and a real Firefox do: they open a
//! WebSocket, and listeners on loopback tell who came.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use wss_collector::cli::parse;
use wss_collector::proxy::source::{Sources, gnome};
use wss_collector::proxy::{Question, Variables, find};

/// Variables, and lines of GNOME's settings (then the desktop is GNOME). `@P`
/// and `@Q` stand for two proxies' addresses, `@R` and `@S` for their ports.
type Row = (&'static [(&'static str, &'static str)], &'static [&'static str]);

const BOTH: &[&str] = &[
    "[system/proxy]",
    "mode='manual'",
    "[system/proxy/http]",
    "host='127.0.0.1'",
    "port=@R",
    "[system/proxy/https]",
    "host='127.0.0.1'",
    "port=@S",
];
const SOCKS: &[&str] = &[
    "[system/proxy]",
    "mode='manual'",
    "[system/proxy/socks]",
    "host='127.0.0.1'",
    "port=@R",
    "[system/proxy/https]",
    "host='127.0.0.1'",
    "port=@S",
];
const HTTP: &[&str] =
    &["[system/proxy]", "mode='manual'", "[system/proxy/http]", "host='127.0.0.1'", "port=@R"];
const EXEMPT: &[&str] = &[
    "[system/proxy]",
    "mode='manual'",
    "ignore-hosts=['*.example']",
    "[system/proxy/https]",
    "host='127.0.0.1'",
    "port=@R",
];
const NONE: &[&str] = &["[system/proxy]", "mode='none'"];

const ROWS: &[Row] = &[
    (&[], &[]),
    (&[("https_proxy", "http://@P")], &[]),
    (&[("HTTPS_PROXY", "http://@P")], &[]),
    (&[("all_proxy", "http://@P"), ("https_proxy", "http://@Q")], &[]),
    (&[("http_proxy", "http://@P")], &[]),
    (&[("https_proxy", "@P")], &[]),
    (&[("https_proxy", "socks5://@P")], &[]),
    (&[("https_proxy", "http://@P"), ("no_proxy", "ample")], &[]),
    (&[("https_proxy", "http://@P"), ("no_proxy", "c.example")], &[]),
    (&[("SOCKS_SERVER", "@P")], &[]),
    (&[], BOTH),
    (&[], SOCKS),
    (&[], HTTP),
    (&[], EXEMPT),
    (&[("https_proxy", "http://@P")], NONE),
];

/// Listeners of the target and of two proxies, and who was asked for the target.
struct Listeners {
    ports: [u16; 3],
    came: mpsc::Receiver<usize>,
}

impl Listeners {
    fn start() -> Self {
        let (sender, came) = mpsc::channel();
        let ports = [0, 1, 2].map(|who: usize| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let sender = sender.clone();
            // Ends with the test's process.
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let sender = sender.clone();
                    std::thread::spawn(move || {
                        if asks_for_the_target(stream, who == 0) {
                            let _ = sender.send(who);
                        }
                    });
                }
            });
            port
        });
        Self { ports, came }
    }

    fn place(&self, text: &str) -> String {
        let [_, p, q] = self.ports;
        text.replace("@P", &format!("127.0.0.1:{p}"))
            .replace("@Q", &format!("127.0.0.1:{q}"))
            .replace("@R", &p.to_string())
            .replace("@S", &q.to_string())
    }
}

/// Browsers ask for other things as well.
fn asks_for_the_target(mut stream: TcpStream, direct: bool) -> bool {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut buffer = [0; 2048];
    let mut n = stream.read(&mut buffer).unwrap_or(0);
    if direct {
        return n > 0;
    }
    if n > 0 && buffer[0] == 5 && stream.write_all(&[5, 0]).is_ok() {
        n = stream.read(&mut buffer).unwrap_or(0);
    }
    buffer[..n].windows(9).any(|window| window == b"b.example")
}

/// A running browser, ended with its handle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars() {
        let lower = name.to_lowercase();
        if lower.contains("proxy") || lower.contains("desktop") || lower.starts_with("xdg_") {
            command.env_remove(name);
        }
    }
}

fn chromium(folder: &Path, page: &str) -> Command {
    let mut command = Command::new("chromium");
    command
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update"])
        .arg("--host-resolver-rules=MAP b.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(page);
    command
}

fn firefox(folder: &Path, page: &str) -> Command {
    const PREFERENCES: [(&str, &str); 9] = [
        ("network.dns.localDomains", "\"b.example\""),
        ("network.captive-portal-service.enabled", "false"),
        ("network.connectivity-service.enabled", "false"),
        ("network.dns.disablePrefetch", "true"),
        ("app.update.enabled", "false"),
        ("browser.safebrowsing.update.enabled", "false"),
        ("datareporting.policy.dataSubmissionEnabled", "false"),
        ("services.settings.server", "\"http://127.0.0.1:1/\""),
        ("dom.push.connection.enabled", "false"),
    ];
    let profile = folder.join("profile");
    std::fs::create_dir(&profile).unwrap();
    let lines: String = PREFERENCES
        .iter()
        .map(|(name, value)| format!("user_pref(\"{name}\", {value});\n"))
        .collect();
    std::fs::write(profile.join("user.js"), lines).unwrap();
    let mut command = Command::new("firefox-esr");
    command.args(["--headless", "--no-remote", "--profile"]).arg(profile).arg(page);
    command
}

/// The route that the collector says, and the one that the browser takes.
fn compare(client: &str, row: &Row) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let listeners = Listeners::start();
    let [target_port, p, q] = listeners.ports;
    let mut env: Vec<(String, String)> =
        row.0.iter().map(|(name, value)| ((*name).to_owned(), listeners.place(value))).collect();
    if row.1.is_empty() {
        env.push(("XDG_CURRENT_DESKTOP".into(), "XFCE".into()));
    } else {
        let settings = folder.path().join("config/glib-2.0/settings");
        std::fs::create_dir_all(&settings).unwrap();
        let lines: String = row.1.iter().map(|line| listeners.place(line) + "\n").collect();
        std::fs::write(settings.join("keyfile"), lines).unwrap();
        env.push(("XDG_CURRENT_DESKTOP".into(), "GNOME".into()));
        env.push(("XDG_CONFIG_HOME".into(), folder.path().join("config").display().to_string()));
    }
    // Without a file of its own it knows defaults alone.
    env.push(("GSETTINGS_BACKEND".into(), "keyfile".into()));
    env.push(("HOME".into(), folder.path().display().to_string()));

    let mut gsettings = Command::new("gsettings");
    without_settings(&mut gsettings);
    let said = gsettings
        .args(["list-recursively", "org.gnome.system.proxy"])
        .envs(env.iter().cloned())
        .output()
        .expect("gsettings is needed: apt-get install libglib2.0-bin gsettings-desktop-schemas");
    assert!(said.status.success(), "apt-get install gsettings-desktop-schemas");
    let list = gnome::parse(&String::from_utf8_lossy(&said.stdout)).into_iter().collect();
    let (target, _) = parse::target(&format!("https://b.example:{target_port}"), &[]).unwrap();
    let found = find(&Question {
        target: &target,
        option: None,
        noproxy: None,
        variables: &Variables::new(env.iter().cloned()),
        sources: &Sources { list, ..Sources::default() },
        answers: &Default::default(),
    })
    .unwrap();
    let choice = found.choices.iter().find(|choice| choice.client == client).unwrap();
    let port = choice.route.rsplit(':').next().and_then(|port| port.parse().ok());
    let says = [None, Some(p), Some(q)].iter().position(|known| *known == port).unwrap();

    let page = folder.path().join("page.html");
    let script = format!("<script>new WebSocket('wss://b.example:{target_port}/v1/ws')</script>");
    std::fs::write(&page, script).unwrap();
    let page = format!("file://{}", page.display());
    let mut command = match client {
        "chrome" => chromium(folder.path(), &page),
        _ => firefox(folder.path(), &page),
    };
    without_settings(&mut command);
    command.envs(env).stdout(Stdio::null()).stderr(Stdio::null());
    let running = Running(command.spawn().expect("apt-get install chromium firefox-esr"));
    let came = listeners.came.recv_timeout(Duration::from_secs(60));
    drop(running);
    match came {
        Ok(came) if came == says => Ok(()),
        came => Err(format!("{client} {row:?}: expected {says}, got {came:?}: {}", choice.because)),
    }
}

fn every_row(client: &str) {
    let wrong: Vec<String> = ROWS.iter().filter_map(|row| compare(client, row).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn chromium_does_what_is_said_of_chrome() {
    every_row("chrome");
}

#[test]
fn firefox_does_what_is_said_of_it() {
    every_row("firefox");
}
