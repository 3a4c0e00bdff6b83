//! The Windows executables, run by wine, beside this system's own programs:
//! the same real servers, the same verdicts. The registry says what the
//! environment says here. `packaging/check-windows` builds what is needed and
//! runs these; the tests of every day leave them out, as the toolchain is heavy.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use wss_lab::lab::Lab;
use wss_lab::real::{Real, closed_port};
use wss_lab::scenario;

/// Where Windows keeps a user's proxy settings.
const SETTINGS: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings";

/// A program of the workspace, beside the lab's.
fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name(name);
    assert!(path.is_file(), "{} is missing: cargo build --workspace", path.display());
    path
}

/// A Windows program, as it is run here.
fn wine(name: &str) -> Command {
    let folder = std::env::var_os("WSS_WINDOWS").expect("packaging/check-windows runs this");
    let path = Path::new(&folder).join(name).with_extension("exe");
    assert!(path.is_file(), "{} is missing: packaging/check-windows builds it", path.display());
    let mut command = Command::new("wine");
    command.arg(path);
    command
}

fn without_proxies(command: &mut Command) -> &mut Command {
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// The user's proxy settings in wine's registry; as they were before, when dropped.
struct Registry;

impl Registry {
    /// No proxy.
    fn empty() -> Self {
        let registry = Self;
        registry.clear();
        registry
    }

    /// What the dialogue of Windows writes for "use a proxy server".
    fn with_proxy(server: &str, except: &str) -> Self {
        let registry = Self::empty();
        for (name, kind, data) in [
            ("ProxyServer", "REG_SZ", server),
            ("ProxyOverride", "REG_SZ", except),
            ("ProxyEnable", "REG_DWORD", "1"),
        ] {
            let args = ["reg", "add", SETTINGS, "/v", name, "/t", kind, "/d", data, "/f"];
            let output = Command::new("wine").args(args).output().unwrap();
            assert!(output.status.success(), "reg add {name}: {}", text(&output));
        }
        registry
    }

    fn clear(&self) {
        for name in ["ProxyServer", "ProxyOverride", "ProxyEnable"] {
            // Fails where there is none.
            let args = ["reg", "delete", SETTINGS, "/v", name, "/f"];
            let _ = Command::new("wine").args(args).output();
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.clear();
    }
}

/// What of a verdict must not depend on the system.
fn essence(diagnosis: &Value) -> Value {
    let verdict = &diagnosis["verdict"];
    let mut devices: Vec<_> = diagnosis["devices"]
        .as_array()
        .unwrap_or_else(|| panic!("no diagnosis: {diagnosis}"))
        .iter()
        .map(|device| [&device["role"], &device["product"], &device["version"]])
        .collect();
    devices.sort_by_key(|device| format!("{device:?}"));
    serde_json::json!({
        "status": verdict["status"], "cause": verdict["cause"],
        "location": verdict["location"], "confidence": verdict["confidence"],
        "devices": devices,
    })
}

/// One collection: exit code and diagnosis. The bundle is `name` in `folder`.
fn collect(mut command: Command, folder: &Path, name: &str, args: &[String]) -> (i32, Value) {
    without_proxies(&mut command).args(["--json", "--no-input", "--force", "-o", name]);
    for (name, value) in args.iter().filter_map(|arg| arg.strip_prefix("env:")?.split_once('=')) {
        command.env(name, value);
    }
    command.args(args.iter().filter(|arg| !arg.starts_with("env:"))).current_dir(folder);
    let output = command.output().expect("wine is needed: packaging/check-windows installs it");
    let json: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{name}: {error}: {}", text(&output)));
    (output.status.code().unwrap(), json["diagnosis"].clone())
}

/// What an analyzer says about a bundle.
fn judged(mut analyzer: Command, folder: &Path, bundle: &str) -> Value {
    let args = ["report", "--format", "json", bundle];
    let output = analyzer.args(args).current_dir(folder).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{bundle}: {}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn entry(bundle: &Path, name: &str) -> Value {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(bundle).unwrap()).unwrap();
    serde_json::from_reader(zip.by_name(name).unwrap()).unwrap()
}

/// A scenario's servers.
struct Stage {
    lab: Lab,
    /// Ends with the stage.
    _origin: Option<Real>,
    front: Vec<Real>,
    via: Option<Real>,
    hold: String,
    cause: String,
}

impl Stage {
    async fn of(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
        let scenario = scenario::read(&folder).unwrap();
        let (lab, origin) = scenario::lab_of(&scenario).await.unwrap();
        let start = |real: &scenario::config::RealConfig| {
            scenario::start_real(&folder, real.server, &real.config, &lab).unwrap()
        };
        let front = scenario.front.iter().map(start).collect();
        let via = scenario.via.as_ref().map(start);
        Self { lab, _origin: origin, front, via, hold: scenario.hold, cause: scenario.expect.cause }
    }

    fn addr(&self) -> SocketAddr {
        self.front.first().map_or_else(|| self.lab.addr(), |real| real.addr)
    }

    /// What both programs are told, with the proxy as it is said to each.
    fn arguments(&self) -> Vec<String> {
        let (host, port) = (&self.lab.host, self.addr().port());
        ["--resolve", &format!("{host}:{port}:127.0.0.1"), "--hold", &self.hold, "--cacert"]
            .map(str::to_owned)
            .into_iter()
            .chain([self.lab.trust_file().display().to_string()])
            .chain([format!("https://{host}:{port}")])
            .collect()
    }

    /// Collects with both, and compares. `proxy` is host:port, or nothing.
    fn compare(&self, proxy: Option<&str>) {
        let work = tempfile::tempdir().unwrap();
        let folder = work.path();
        let arguments = self.arguments();
        let mut here = arguments.clone();
        here.extend(proxy.map(|proxy| format!("env:https_proxy=http://{proxy}")));
        let (linux, expected) =
            collect(Command::new(program("wss-collector")), folder, "linux.zip", &here);

        let registry = match proxy {
            Some(proxy) => Registry::with_proxy(proxy, "<local>"),
            None => Registry::empty(),
        };
        let (windows, found) = collect(wine("wss-collector"), folder, "windows.zip", &arguments);
        drop(registry);

        assert_eq!(essence(&found), essence(&expected), "{}", found["findings"]);
        assert_eq!(found["verdict"]["cause"], self.cause, "{}", found["verdict"]);
        assert_eq!(windows, linux, "exit codes");

        // It was the Windows program, and it has read what only Windows has.
        let bundle = folder.join("windows.zip");
        assert_eq!(entry(&bundle, "manifest.json")["collector"]["os"], "windows");
        let settings = entry(&bundle, "environment.json")["proxy_settings"].clone();
        let told = settings.as_array().unwrap().iter().any(|setting| {
            setting["source"] == "windows-user" && setting.to_string().contains(proxy.unwrap_or(""))
        });
        assert_eq!(told, proxy.is_some(), "{settings}");

        // Both analyzers read both bundles alike.
        for bundle in ["linux.zip", "windows.zip"] {
            let here = judged(Command::new(program("wss-analyzer")), folder, bundle);
            assert_eq!(here["verdict"]["cause"], self.cause, "{bundle}");
            assert_eq!(judged(wine("wss-analyzer"), folder, bundle), here, "{bundle}");
        }
    }
}

/// Compares on a scenario's servers.
async fn compare(name: &str) {
    let stage = Stage::of(name).await;
    let proxy = stage.via.as_ref().map(|real| real.addr.to_string());
    tokio::task::spawn_blocking(move || stage.compare(proxy.as_deref())).await.unwrap();
}

/// A test for each scenario, as they are named.
macro_rules! same_verdict {
    ($($name:ident: $scenario:literal,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        #[ignore = "packaging/check-windows runs it"]
        async fn $name() {
            compare($scenario).await;
        }
    )*};
}

same_verdict! {
    nginx_with_the_right_headers: "nginx-healthy-h2",
    nginx_without_them: "nginx-bare",
    nginx_that_cuts_idle_connections: "nginx-idle-timeout",
    nginx_with_nobody_behind: "nginx-502",
    nginx_that_sends_to_sign_on: "nginx-sign-on",
    a_certificate_that_has_expired: "certificate-expired",
    a_proxy_in_the_registry_that_tunnels: "squid-tunnel-healthy",
    a_proxy_in_the_registry_that_wants_credentials: "squid-407",
    a_proxy_in_the_registry_that_strips: "squid-bump-strips",
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "packaging/check-windows runs it"]
async fn a_proxy_in_the_registry_that_is_not_there() {
    let mut stage = Stage::of("squid-tunnel-healthy").await;
    stage.cause = "proxy-unreachable".into();
    let nobody = format!("127.0.0.1:{}", closed_port().unwrap());
    tokio::task::spawn_blocking(move || stage.compare(Some(&nobody))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "packaging/check-windows runs it"]
async fn an_exception_in_the_registry_goes_direct() {
    let stage = Stage::of("nginx-healthy-h2").await;
    let nobody = format!("127.0.0.1:{}", closed_port().unwrap());
    let run = move || {
        let work = tempfile::tempdir().unwrap();
        let _registry = Registry::with_proxy(&nobody, &format!("*.nowhere;{}", stage.lab.host));
        let arguments = stage.arguments();
        let (code, found) = collect(wine("wss-collector"), work.path(), "b.zip", &arguments);
        assert_eq!(found["verdict"]["cause"], "none", "{}", found["verdict"]);
        assert_eq!(code, 0);
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

/// The customer's way: the executable alone, its bundle where it was started.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "packaging/check-windows runs it"]
async fn without_options_it_asks_nothing_and_leaves_one_file() {
    let work = tempfile::tempdir().unwrap();
    let target = format!("127.0.0.1:{}", closed_port().unwrap());
    let mut command = wine("wss-collector");
    command.args(["--hold", "0", "--timeout", "3s", &target]).current_dir(work.path());
    let output = without_proxies(&mut command).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let files: Vec<String> = std::fs::read_dir(work.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    assert!(file.starts_with("wss-127.0.0.1-inside-") && file.ends_with(".zip"), "{file}");
    assert!(!file.contains(':'), "{file}");
    let verified = wine("wss-analyzer").arg("verify").arg(file).current_dir(work.path()).output();
    let verified = verified.unwrap();
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified));
}
