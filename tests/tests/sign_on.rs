//! A proxy that asks for Negotiate: a real realm, a real Squid, and the program itself.
//! With a ticket the verdict is that of what lies behind; without one it says why, and
//! what to do. Nothing of the ticket is in any byte that is written or shown.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use wss_lab::lab::config::CertificateKind;
use wss_lab::lab::{Lab, LabConfig};
use wss_lab::real::{Kdc, Product, Real};
use wss_lab::scenario;

const REALM: &str = "CORP.TEST";
const PROXY: &str = "door.corp.test";
const WORKS: &str = "[lb]\ntls = {}\n";
const STRIPS: &str = "[lb]\ntls = {}\nupgrade = \"strip\"\nproduct = \"plain\"\n";

const SQUID: &str = "\
http_port 127.0.0.1:{port}
visible_hostname door.corp.test
hosts_file {hosts}
cache_effective_user proxy
pid_filename {dir}/squid.pid
cache_log {dir}/cache.log
access_log stdio:{dir}/access.log
cache deny all
shutdown_lifetime 0 seconds
dns_nameservers 127.0.0.1
auth_param negotiate program /usr/bin/env KRB5_CONFIG={krb5} KRB5RCACHENAME=dfl:{dir}/rcache /usr/lib/squid/negotiate_kerberos_auth -k {keytab} -s HTTP/door.corp.test@{realm}
auth_param negotiate children 4 startup=2 idle=1
auth_param negotiate keep_alive on
acl known proxy_auth REQUIRED
acl banned dstdomain {banned}
http_access deny !known
http_access deny banned
http_access allow known
";

/// A realm, the proxy, and what lies behind it.
struct Stage {
    lab: Lab,
    kdc: Kdc,
    squid: Real,
    /// The program's folder: bundles, and a home without anybody's settings.
    folder: tempfile::TempDir,
}

impl Stage {
    async fn start(lab: &str, banned: bool) -> Self {
        let lab = Lab::start(&toml::from_str::<LabConfig>(lab).unwrap()).await.unwrap();
        let kdc = Kdc::start(REALM, &[&format!("HTTP/{PROXY}")]).unwrap();
        let mut values: BTreeMap<&str, String> =
            scenario::values(&lab, CertificateKind::Valid, lab.front()).unwrap();
        values.insert("keytab", kdc.keytab().display().to_string());
        values.insert("krb5", kdc.config().display().to_string());
        values.insert("realm", REALM.to_owned());
        values.insert("banned", if banned { lab.host.clone() } else { "nobody.test".into() });
        let squid = Real::start(Product::Squid, SQUID, &values).unwrap();
        Self { lab, kdc, squid, folder: tempfile::tempdir().unwrap() }
    }

    fn port(&self) -> u16 {
        self.squid.addr.port()
    }

    fn run(&self, name: &str, cache: Option<&Path>, options: &[&str]) -> Ran {
        let mut command = Command::new(program());
        self.run_as(&mut command, PROXY, name, cache, options)
    }

    /// Runs the program by the proxy of this name; `command` may be one that starts it.
    fn run_as(
        &self,
        command: &mut Command,
        proxy: &str,
        name: &str,
        cache: Option<&Path>,
        options: &[&str],
    ) -> Ran {
        let port = self.port();
        let cache = cache.map_or(self.folder.path().join("no-cache"), Path::to_owned);
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        let bundle = self.folder.path().join(format!("{name}.zip"));
        let output = command
            .env("HOME", self.folder.path())
            .env("XDG_CURRENT_DESKTOP", "XFCE")
            .env("KRB5_CONFIG", self.kdc.config())
            .env("KRB5CCNAME", format!("FILE:{}", cache.display()))
            .args(["--json", "--no-input", "--hold", "0", "-x", &format!("http://{proxy}:{port}")])
            .args(["--resolve", &format!("{proxy}:{port}:127.0.0.1"), "--resolve"])
            .arg(self.lab.resolve())
            .arg("--cacert")
            .arg(self.lab.trust_file())
            .args(options)
            .arg("-o")
            .arg(&bundle)
            .arg(self.lab.target())
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        Ran::new(output, bundle)
    }
}

/// What a run said and wrote.
struct Ran {
    output: Output,
    bundle: PathBuf,
    verdict: Value,
    all: Value,
}

impl Ran {
    fn new(output: Output, bundle: PathBuf) -> Self {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let all: Value = serde_json::from_slice(&output.stdout).expect(&said);
        let verdict = all["diagnosis"]["verdict"].clone();
        Self { output, bundle, verdict, all }
    }

    fn cause(&self) -> &str {
        self.verdict["cause"].as_str().unwrap()
    }

    /// The summary, the remedy's steps and what is missing.
    fn words(&self) -> String {
        let finding = &self.all["diagnosis"]["findings"][0];
        format!("{} {} {}", self.verdict, finding["text"], finding["remedy"]["steps"])
    }

    /// Every byte that it wrote and showed.
    fn bytes(&self) -> Vec<u8> {
        let mut all = [self.output.stdout.clone(), self.output.stderr.clone()].concat();
        let mut zip = zip::ZipArchive::new(std::fs::File::open(&self.bundle).unwrap()).unwrap();
        for at in 0..zip.len() {
            zip.by_index(at).unwrap().read_to_end(&mut all).unwrap();
        }
        all
    }

    #[track_caller]
    fn tells_nothing(&self) {
        let bytes = self.bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // A token begins so; the realm stands in it as such.
        for word in ["YII", "Negotiate Y", "oYG", Kdc::USER, REALM, "krbtgt", "Q09SUC5URVNU"] {
            let at = text.find(word).map(|at| text[at.saturating_sub(80)..].chars().take(200));
            assert!(at.is_none(), "{word}: {:?}", at.map(Iterator::collect::<String>));
        }
    }
}

fn program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name("wss-collector");
    assert!(path.is_file(), "{} is missing: cargo build --workspace", path.display());
    path
}

/// The program under a clock that is off.
fn at_another_time(offset: &str) -> Command {
    let faketime = Path::new("/usr/bin/faketime");
    assert!(faketime.is_file(), "faketime is not installed: apt-get install faketime");
    let mut command = Command::new(faketime);
    command.args(["-f", offset]).arg(program());
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_ticket_the_verdict_is_that_of_what_lies_behind() {
    for (lab, banned, options, cause) in [
        (WORKS, false, &[][..], "none"),
        (WORKS, false, &["--proxy-negotiate"][..], "none"),
        (STRIPS, false, &[][..], "lb-strips-upgrade"),
        (WORKS, true, &[][..], "proxy-refuses-tunnel"),
    ] {
        let stage = Stage::start(lab, banned).await;
        let cache = stage.kdc.ticket("cache", "1h").unwrap();
        let ran = tokio::task::block_in_place(|| stage.run("with", Some(&cache), options));
        assert_eq!(ran.cause(), cause, "{:#}", ran.verdict);
        ran.tells_nothing();
        // One user, whom Squid knows by name; and with the option nobody was turned away first.
        let log = stage.squid.file("access.log");
        assert!(log.contains(Kdc::USER), "{log}");
        assert_eq!(log.contains(" TCP_DENIED/407 "), options.is_empty(), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_one_it_says_why_and_what_to_do() {
    let stage = Stage::start(WORKS, false).await;
    let other = Kdc::start("ELSEWHERE.TEST", &[]).unwrap();
    tokio::task::block_in_place(|| {
        let says = |ran: Ran, words: &[&str]| {
            assert_eq!(ran.cause(), "proxy-auth-required", "{:#}", ran.verdict);
            let said = ran.words();
            for word in words {
                assert!(said.contains(word), "{word}: {said}");
            }
            // A browser is installed here: it may sign on by itself.
            assert!(said.contains("--browser"), "{said}");
            ran.tells_nothing();
        };
        says(stage.run("none", None, &[]), &["has no Kerberos ticket", "kinit"]);
        says(stage.run("none-forced", None, &["--proxy-negotiate"]), &["has no Kerberos ticket"]);

        let hours = stage.kdc.ticket("hours", "2h").unwrap();
        let mut later = at_another_time("+3h");
        let ran = stage.run_as(&mut later, PROXY, "expired", Some(&hours), &[]);
        says(ran, &["ticket has expired", "kinit"]);

        let mut ahead = at_another_time("+1h");
        let ran = stage.run_as(&mut ahead, PROXY, "skew", Some(&hours), &[]);
        says(ran, &["clock", "timedatectl"]);

        // The ticket of another realm, which knows nothing of this one.
        let foreign = other.ticket("cache", "1h").unwrap();
        says(stage.run("realm", Some(&foreign), &[]), &["of another realm", "klist"]);

        let mut plain = Command::new(program());
        let ran = stage.run_as(&mut plain, "alias.corp.test", "name", Some(&hours), &[]);
        says(ran, &["HTTP/alias.corp.test", "setspn"]);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_chromium_signs_on_and_decides_where_the_collector_cannot() {
    let stage = Stage::start(WORKS, false).await;
    let cache = stage.kdc.ticket("cache", "1h").unwrap();
    let plain = Stage::start("[lb]\n", false).await;
    let chromium = ["--browser=/usr/bin/chromium", "--timeout", "20s"];
    tokio::task::block_in_place(|| {
        let sees = |ran: &Ran| {
            let bundle = wss_bundle::read::file(&ran.bundle, &Default::default()).unwrap().bundle;
            let seen = bundle.observations.browser;
            seen.iter().any(|one| one.live && one.url.starts_with("ws") && one.switched())
        };
        let ran = stage.run("both", Some(&cache), &chromium);
        assert!(sees(&ran), "{:#}", ran.all);
        assert_eq!(ran.cause(), "none", "{:#}", ran.verdict);
        ran.tells_nothing();

        // The collector finds no curl that knows Kerberos; the browser needs none.
        let bin = stage.folder.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let curl = bin.join("curl");
        std::fs::write(&curl, "#!/bin/sh\necho 'curl 8.0'; echo 'Features: SSL'\n").unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&curl, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        // Behind the sign-on it finds a certificate that it does not trust, since nobody
        // else was there to vouch for it: that is another fault than a 407.
        let mut command = Command::new(program());
        command.env("PATH", &path);
        let ran = stage.run_as(&mut command, PROXY, "refused", Some(&cache), &chromium);
        assert_eq!(ran.cause(), "tls-untrusted", "{:#}", ran.verdict);
        ran.tells_nothing();

        let mut command = Command::new(program());
        command.env("PATH", &path);
        let cache = plain.kdc.ticket("cache", "1h").unwrap();
        let ran = plain.run_as(&mut command, PROXY, "browser", Some(&cache), &chromium);
        assert!(sees(&ran), "{:#}", ran.all);
        assert_eq!(ran.verdict["status"], "working", "{:#}", ran.verdict);
        let summary = ran.verdict["summary"].as_str().unwrap();
        assert!(summary.contains("signs on"), "{summary}");
        ran.tells_nothing();

        let mut command = Command::new(program());
        command.env("PATH", &path);
        let ran = stage.run_as(&mut command, PROXY, "no-curl", Some(&cache), &[]);
        assert!(ran.words().contains("built without Kerberos"), "{}", ran.words());
    });
}

/// A proxy that repeats to everybody what it was told, in its headers and its page.
fn echo(status: &'static str) -> u16 {
    use std::io::{BufRead as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut heard = String::new();
                let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
                while reader.read_line(&mut heard).is_ok_and(|n| n > 2) {}
                let value =
                    heard.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: "));
                let (status, value) = match value {
                    Some(value) => (status, value.to_owned()),
                    None => ("407 Who are you", String::new()),
                };
                let user = format!("{} of {REALM}, {}@{REALM}", Kdc::USER, Kdc::USER);
                let percent: String = value.bytes().map(|b| format!("%{b:02X}")).collect();
                let hex: String = value.bytes().map(|b| format!("{b:02x}")).collect();
                let cut = value.chars().take(400).collect::<String>();
                let page = format!("<p>{user}</p><pre>{heard}</pre>{percent}<br>{hex}<br>{cut}");
                let answer = format!(
                    "HTTP/1.1 {status} {}\r\nProxy-Authenticate: Negotiate {cut}\r\nServer: x {cut}\r\n\
                     Via: 1.1 {user}\r\nX-User: {user}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{page}",
                    cut.chars().take(200).collect::<String>(),
                    page.len()
                );
                let mut stream = stream;
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_proxy_repeats_of_the_ticket_stays_nowhere() {
    let stage = Stage::start(WORKS, false).await;
    let cache = stage.kdc.ticket("cache", "1h").unwrap();
    for (status, cause) in [("403", "proxy-refuses-tunnel"), ("407", "proxy-auth-required")] {
        let port = echo(status);
        let proxy = format!("http://{PROXY}:{port}");
        let ran = tokio::task::block_in_place(|| {
            let output = Command::new(program())
                .env("HOME", stage.folder.path())
                .env("XDG_CURRENT_DESKTOP", "XFCE")
                .env("KRB5_CONFIG", stage.kdc.config())
                .env("KRB5CCNAME", format!("FILE:{}", cache.display()))
                .args(["--json", "--no-input", "--hold", "0", "-x", &proxy, "--resolve"])
                .arg(format!("{PROXY}:{port}:127.0.0.1"))
                .args(["--resolve", &stage.lab.resolve(), "-o", &format!("{status}.zip")])
                .arg(stage.lab.target())
                .current_dir(stage.folder.path())
                .output()
                .unwrap();
            Ran::new(output, stage.folder.path().join(format!("{status}.zip")))
        });
        assert_eq!(ran.cause(), cause, "{:#}", ran.verdict);
        ran.tells_nothing();
        assert!(String::from_utf8_lossy(&ran.bytes()).contains("proxy sign-on"));
    }
}
