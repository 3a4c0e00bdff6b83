//! Real servers, each run in the foreground with a configuration of its own in
//! a folder of its own, on loopback, and stopped by its handle. One that is not
//! installed is an error that says how to get it, never a test left out.

mod kdc;
mod product;

pub use kdc::Kdc;
pub use product::Product;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take until it accepts connections.
const READY: Duration = Duration::from_secs(30);
/// Ports are handed out before the server binds them; how often another is tried.
const TRIES: usize = 3;

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
        Self::start_with(product, &[], template, values)
    }

    /// The same with arguments of its own.
    ///
    /// # Errors
    /// As [`Real::start`].
    pub fn start_with(
        product: Product,
        arguments: &[String],
        template: &str,
        values: &BTreeMap<&str, String>,
    ) -> Result<Self, String> {
        let mut last = String::new();
        for _ in 0..TRIES {
            let port = free_port().map_err(|error| format!("{}: {error}", product.program()))?;
            match Self::start_at(product, port, arguments, template, values) {
                Ok(running) => return Ok(running),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The same at a port of the caller's choosing (see [`closed_port`]), with
    /// arguments of its own.
    ///
    /// # Errors
    /// As [`Real::start`].
    pub fn start_at(
        product: Product,
        port: u16,
        arguments: &[String],
        template: &str,
        values: &BTreeMap<&str, String>,
    ) -> Result<Self, String> {
        let program = product.find().ok_or_else(|| product.how_to_get())?;
        let text = |error: io::Error| format!("{}: {error}", product.program());
        let folder = tempfile::tempdir().map_err(text)?;
        open_to_all(folder.path()).map_err(text)?;
        let mut config = template.replace("{port}", &port.to_string());
        config = config.replace("{dir}", &folder.path().display().to_string());
        for (name, value) in values {
            config = config.replace(&format!("{{{name}}}"), value);
        }
        let file = folder.path().join(product.file());
        std::fs::write(&file, &config).map_err(text)?;
        if product == Product::Squid {
            prepare_squid(folder.path(), &config).map_err(text)?;
        }
        let log = folder.path().join("output.log");
        let out = File::create(&log).map_err(text)?;
        let child = Command::new(program)
            .args(product.arguments(&file, folder.path(), port))
            .args(arguments)
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

    /// Sends it a signal, by its name without SIG.
    ///
    /// # Errors
    /// It is gone.
    pub fn signal(&self, name: &str) -> Result<(), String> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status();
        match sent {
            Ok(status) if status.success() => Ok(()),
            other => Err(format!("{}: SIG{name}: {other:?}", self.product.program())),
        }
    }

    /// Its configuration, as it runs.
    #[must_use]
    pub fn config_file(&self) -> std::path::PathBuf {
        self.folder.path().join(self.product.file())
    }

    /// A file in its folder; empty where there is none.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
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
