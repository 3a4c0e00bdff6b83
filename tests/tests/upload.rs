//! `upload` to a real nginx, through a real Squid.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use wss_lab::lab::config::CertificateKind;
use wss_lab::lab::{Lab, LabConfig};
use wss_lab::real::{Product, Real, closed_port};
use wss_lab::scenario;

/// A store: PUT into a folder, behind TLS; and what it refuses.
const STORE: &str = "
user root;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        root {store};
        location / { dav_methods PUT; create_full_put_path on; client_max_body_size 10m; }
        location /small/ { dav_methods PUT; client_max_body_size 100; }
        location /denied/ { return 403; }
    }
}";

/// A proxy with Basic authentication, which writes down what it was asked for.
const PROXY: &str = "
http_port 127.0.0.1:{port}
visible_hostname webgw.corp.example
hosts_file {hosts}
cache_effective_user proxy
pid_filename {dir}/squid.pid
cache_log {dir}/cache.log
access_log stdio:{dir}/access.log
cache deny all
shutdown_lifetime 0 seconds
dns_nameservers 127.0.0.1
auth_param basic program /usr/lib/squid/basic_ncsa_auth {passwords}
auth_param basic realm Corp
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
";

fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name(name);
    assert!(path.is_file(), "{} is missing: cargo build --workspace", path.display());
    path
}

fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&both).into_owned();
    assert!(!said.contains("C4nary"), "{said}");
    said
}

/// Where everything is.
struct Site {
    work: tempfile::TempDir,
    nginx: Real,
    squid: Real,
    host: String,
    resolve: String,
    trust: PathBuf,
}

impl Site {
    fn new(lab: &Lab) -> Self {
        let work = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = work.path().join(name);
            std::fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        let store = work.path().join("store");
        std::fs::create_dir(&store).unwrap();
        let mut values: BTreeMap<&str, String> =
            scenario::values(lab, CertificateKind::Valid, lab.front()).unwrap();
        values.insert("store", store.display().to_string());
        let nginx = Real::start(Product::Nginx, STORE, &values).unwrap();
        values.insert("hosts", file("hosts", &format!("127.0.0.1 {}\n", lab.host)));
        // openssl passwd -apr1 would do; plain SHA is understood as well.
        values.insert("passwords", file("passwords", &format!("ann:{}\n", sha("C4naryProxy"))));
        open_to_all(work.path());
        let squid = Real::start(Product::Squid, PROXY, &values).unwrap();
        let port = nginx.addr.port();
        Self {
            nginx,
            squid,
            host: lab.host.clone(),
            resolve: format!("{}:{port}:127.0.0.1", lab.host),
            trust: lab.trust_file(),
            work,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}:{}{path}?sig=C4narySignature", self.host, self.nginx.addr.port())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(program("wss-collector"));
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command.current_dir(self.work.path());
        command
    }

    fn upload(&self, path: &str, env: &[(&str, &str)], more: &[&str]) -> Output {
        let mut command = self.command();
        command.envs(env.iter().copied());
        command.args(["upload", "b.zip", "--timeout", "5s", "--to", &self.url(path)]);
        command.args(["--resolve", &self.resolve, "--cacert"]).arg(&self.trust).args(more);
        command.output().unwrap()
    }

    /// A bundle that was collected with these settings.
    fn collect(&self, env: &[(&str, &str)], target: &str) {
        let mut command = self.command();
        command.envs(env.iter().copied());
        command.args([target, "--hold", "0", "--timeout", "2s", "--no-input", "--force"]);
        command.args(["-o", "b.zip", "--resolve", &self.resolve, "--cacert"]).arg(&self.trust);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    }

    fn stored(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.work.path().join("store").join(path)).ok()
    }

    fn tunnels(&self) -> usize {
        let log = self.squid.file("access.log");
        log.lines().filter(|l| l.contains("CONNECT") && l.contains("/200")).count()
    }
}

/// `{SHA}`, as htpasswd -s writes it.
fn sha(password: &str) -> String {
    let output = Command::new("openssl").args(["passwd", "-apr1", password]).output();
    let output = output.expect("openssl is needed: apt-get install openssl");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_takes_it_and_what_it_refuses_is_said() {
    let lab = Lab::start(&LabConfig::default()).await.unwrap();
    let site = Site::new(&lab);
    tokio::task::spawn_blocking(move || {
        site.collect(&[], &format!("127.0.0.1:{}", closed_port().unwrap()));
        let zip = std::fs::read(site.work.path().join("b.zip")).unwrap();
        let done = site.upload("/case/b.zip", &[], &[]);
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        assert!(said(&done).contains("201 Created"), "{}", said(&done));
        assert_eq!(site.stored("case/b.zip").unwrap(), zip);

        for (path, says) in [("/small/b.zip", "413"), ("/denied/b.zip", "403")] {
            let refused = site.upload(path, &[], &["--retries", "0"]);
            assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
            assert!(said(&refused).contains(says), "{}", said(&refused));
        }
        // Whom nobody trusts gets nothing.
        let mut command = site.command();
        command.args(["upload", "b.zip", "--to", &site.url("/untrusted.zip")]);
        let untrusted = command.args(["--resolve", &site.resolve]).output().unwrap();
        assert_eq!(untrusted.status.code(), Some(1), "{}", said(&untrusted));
        assert!(said(&untrusted).contains("not trusted here"), "{}", said(&untrusted));
        assert!(site.stored("untrusted.zip").is_none() && site.stored("small/b.zip").is_none());
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_goes_by_the_proxy_that_is_set_or_that_worked() {
    let lab = Lab::start(&LabConfig::default()).await.unwrap();
    let site = Site::new(&lab);
    tokio::task::spawn_blocking(move || {
        let proxy = format!("http://ann:C4naryProxy@{}", site.squid.addr);
        let set = [("https_proxy", proxy.as_str())];
        // nginx is no WebSocket server, but answers: that route works.
        site.collect(&set, &format!("https://{}:{}", site.host, site.nginx.addr.port()));
        let before = site.tunnels();
        let done = site.upload("/by-env.zip", &set, &[]);
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        assert!(site.stored("by-env.zip").is_some());
        assert_eq!(site.tunnels(), before + 1);

        let done = site.upload("/by-option.zip", &[], &["-x", &proxy, "--json"]);
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        let json: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(json["route"], format!("proxy http://{}", site.squid.addr));

        // The proxy of the bundle is gone: what is set now says no, the direct way works.
        let wrong = proxy.replace("C4naryProxy", "C4naryWrong");
        let done = site.upload("/elsewhere.zip", &[("https_proxy", &wrong)], &[]);
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        assert!(said(&done).contains("407") && said(&done).contains("trying"), "{}", said(&done));
        assert!(site.stored("elsewhere.zip").is_some());
    })
    .await
    .unwrap();
}
