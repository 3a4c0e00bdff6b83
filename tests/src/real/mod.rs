//! Real servers, each run in the foreground with a configuration of its own in
//! a folder of its own, on loopback, and stopped by its handle. One that is not
//! installed is an error that names its Debian package, never a test left out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take until it accepts connections.
const READY: Duration = Duration::from_secs(30);
/// Ports are handed out before the server binds them; how often another is tried.
const TRIES: usize = 3;

/// A product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// nginx
    Nginx,
    /// HAProxy
    Haproxy,
    /// Squid, with TLS
    Squid,
    /// Apache httpd
    Apache,
    /// Caddy
    Caddy,
    /// Varnish
    Varnish,
    /// tinyproxy
    Tinyproxy,
    /// lighttpd
    Lighttpd,
    /// nghttpx
    Nghttpx,
    /// Dante
    Dante,
    /// stunnel
    Stunnel,
}

impl Product {
    fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Squid => "squid",
            Self::Apache => "apache2",
            Self::Caddy => "caddy",
            Self::Varnish => "varnishd",
            Self::Tinyproxy => "tinyproxy",
            Self::Lighttpd => "lighttpd",
            Self::Nghttpx => "nghttpx",
            Self::Dante => "danted",
            Self::Stunnel => "stunnel4",
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Nginx => "nginx-light",
            Self::Squid => "squid-openssl",
            Self::Varnish => "varnish",
            Self::Nghttpx => "nghttp2-proxy",
            Self::Dante => "dante-server",
            other => other.program(),
        }
    }

    /// Arguments with which it stays in the foreground.
    fn arguments(self, config: &Path, folder: &Path, port: u16) -> Vec<String> {
        let config = config.display().to_string();
        let folder = folder.display().to_string();
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Nginx => {
                let log = format!("{folder}/error.log");
                words(&["-p", &folder, "-e", &log, "-c", &config, "-g", "daemon off;"])
            }
            Self::Haproxy => words(&["-db", "-f", &config]),
            Self::Squid => words(&["-N", "-f", &config, "-n", &format!("lab{port}")]),
            Self::Apache => words(&["-D", "FOREGROUND", "-d", &folder, "-f", &config]),
            Self::Caddy => words(&["run", "--adapter", "caddyfile", "--config", &config]),
            Self::Varnish => {
                let listen = format!("127.0.0.1:{port}");
                words(&["-F", "-n", &folder, "-a", &listen, "-f", &config, "-s", "malloc,16m"])
            }
            Self::Tinyproxy => words(&["-d", "-c", &config]),
            Self::Lighttpd => words(&["-D", "-f", &config]),
            Self::Nghttpx => words(&["--conf", &config]),
            Self::Dante => words(&["-N", "1", "-f", &config]),
            Self::Stunnel => vec![config],
        }
    }

    fn version_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Caddy => &["version"],
            Self::Varnish => &["-V"],
            Self::Nghttpx => &["--version"],
            Self::Stunnel => &["-version"],
            _ => &["-v"],
        }
    }

    /// Version as the program tells it; `None` where it does not.
    #[must_use]
    pub fn version(self) -> Option<String> {
        let output = Command::new(find(self)?).args(self.version_arguments()).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let start = text.find(|c: char| c.is_ascii_digit())?;
        let version: String =
            text[start..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        Some(version.trim_end_matches('.').to_owned())
    }
}

/// Daemons are in `sbin`, which is not in everybody's PATH.
fn find(product: Product) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/bin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(product.program()))
        .find(|program| program.is_file())
}

/// A running server.
pub struct Real {
    /// Which.
    pub product: Product,
    /// Where it listens.
    pub addr: SocketAddr,
    child: Child,
    // Dropped after the child: its files are still in use.
    folder: tempfile::TempDir,
}

impl Real {
    /// Starts a product with a configuration in which `{name}` stands for the
    /// value of `name`. `{port}` and `{dir}` are added here.
    ///
    /// # Errors
    /// It is not installed, or it does not start; its log is in the message.
    pub fn start(
        product: Product,
        template: &str,
        values: &BTreeMap<&str, String>,
    ) -> Result<Self, String> {
        let program = find(product).ok_or_else(|| {
            let (name, package) = (product.program(), product.package());
            format!("{name} is not installed: apt-get install {package} (./tests/run does)")
        })?;
        let mut last = String::new();
        for _ in 0..TRIES {
            match Self::try_start(product, &program, template, values) {
                Ok(running) => return Ok(running),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn try_start(
        product: Product,
        program: &Path,
        template: &str,
        values: &BTreeMap<&str, String>,
    ) -> Result<Self, String> {
        let text = |error: io::Error| format!("{}: {error}", product.program());
        let folder = tempfile::tempdir().map_err(text)?;
        open_to_all(folder.path()).map_err(text)?;
        let port = free_port().map_err(text)?;
        let mut config = template.replace("{port}", &port.to_string());
        config = config.replace("{dir}", &folder.path().display().to_string());
        for (name, value) in values {
            config = config.replace(&format!("{{{name}}}"), value);
        }
        let file = folder.path().join("lab.conf");
        std::fs::write(&file, &config).map_err(text)?;
        if product == Product::Squid {
            prepare_squid(folder.path(), &config).map_err(text)?;
        }
        let log = folder.path().join("output.log");
        let out = File::create(&log).map_err(text)?;
        let child = Command::new(program)
            .args(product.arguments(&file, folder.path(), port))
            .current_dir(folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(out.try_clone().map_err(text)?)
            .stderr(out)
            .spawn()
            .map_err(text)?;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut running = Self { product, addr, child, folder };
        running.wait_until_ready()?;
        Ok(running)
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        let until = Instant::now() + READY;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!(
                    "{}: ended with {status}\n{}",
                    self.product.program(),
                    self.log()
                ));
            }
            if TcpStream::connect_timeout(&self.addr, Duration::from_millis(200)).is_ok() {
                return Ok(());
            }
            if Instant::now() > until {
                let name = self.product.program();
                return Err(format!("{name}: not ready after {READY:?}\n{}", self.log()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it has said.
    #[must_use]
    pub fn log(&self) -> String {
        ["output.log", "error.log", "cache.log"]
            .iter()
            .filter_map(|name| std::fs::read_to_string(self.folder.path().join(name)).ok())
            .collect()
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        // By the handle: first as the daemon expects it, so that its own
        // children end with it, and then for certain.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Daemons that give up root must still reach their files.
fn open_to_all(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777))
}

/// Where ports are tried from. Below what Linux hands out by itself (from 32768
/// on), so that no listener or connection of a test beside this one comes between
/// choosing a port and its server's binding it.
const FIRST_PORT: u32 = 12_000;
/// How many ports there are to try.
const PORTS: u32 = 18_000;

fn free_port() -> io::Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Tests run in processes of their own, whose ids are neighbours.
    let start = std::process::id().wrapping_mul(31);
    for _ in 0..200 {
        let step = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST_PORT + step % PORTS).map_err(io::Error::other)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::from(io::ErrorKind::AddrInUse))
}

/// Squid's helper that forges certificates wants its database first.
fn prepare_squid(folder: &Path, config: &str) -> io::Result<()> {
    if !config.contains("ssl-bump") {
        return Ok(());
    }
    let database = folder.join("forged");
    let status = Command::new("/usr/lib/squid/security_file_certgen")
        .args(["-c", "-s", &database.display().to_string(), "-M", "4MB"])
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(io::Error::other(format!("security_file_certgen: {status}")));
    }
    // Squid serves as `proxy`, whoever started it.
    let owned = Command::new("chown").args(["-R", "proxy:proxy"]).arg(folder).status()?;
    if owned.success() { Ok(()) } else { Err(io::Error::other("chown proxy:proxy failed")) }
}

/// A port on which nobody listens (now; and nobody is given it soon).
///
/// # Errors
/// No port is free.
pub fn closed_port() -> io::Result<u16> {
    free_port()
}
