//! A real Kerberos realm on loopback: Debian's key distribution centre with a database,
//! a configuration and ticket caches of its own, all in one folder.

use super::free_port;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take until it answers.
const READY: Duration = Duration::from_secs(30);

/// A running realm. Its user is [`Kdc::USER`].
pub struct Kdc {
    /// Its name.
    pub realm: String,
    child: Child,
    // Dropped after the child.
    folder: tempfile::TempDir,
}

impl Kdc {
    /// The name of the user that has a password here: no word of any page.
    pub const USER: &str = "zanzibarkanarie";
    const PASSWORD: &str = "passwort-der-kanarie";

    /// Starts the realm, with a service of each of these names (`HTTP/proxy.example`),
    /// whose keys are in [`Kdc::keytab`].
    ///
    /// # Errors
    /// A program is missing, or it does not start; what it said is in the message.
    pub fn start(realm: &str, services: &[&str]) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        super::open_to_all(folder.path()).map_err(|error| error.to_string())?;
        let port = free_port().map_err(|error| error.to_string())?;
        write_settings(folder.path(), realm, port).map_err(|error| error.to_string())?;
        let at = folder.path();
        run(at, "kdb5_util", &["create", "-s", "-r", realm, "-P", "master-of-the-lab"])?;
        let admin = |query: &str| run(at, "kadmin.local", &["-r", realm, "-q", query]);
        admin(&format!("addprinc -pw {} {}", Self::PASSWORD, Self::USER))?;
        let keytab = at.join("services.keytab");
        for service in services {
            admin(&format!("addprinc -randkey {service}"))?;
            admin(&format!("ktadd -k {} {service}", keytab.display()))?;
        }
        if !services.is_empty() {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&keytab, std::fs::Permissions::from_mode(0o644))
                .map_err(|error| format!("no keytab: {error}"))?;
        }
        let log = std::fs::File::create(at.join("output.log")).map_err(|e| e.to_string())?;
        let child = command(at, "krb5kdc")?
            .args(["-n", "-r", realm, "-P"])
            .arg(at.join("kdc.pid"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("krb5kdc: {error}"))?;
        let mut running = Self { realm: realm.to_owned(), child, folder };
        let until = Instant::now() + READY;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
            let ended = running.child.try_wait().is_ok_and(|ended| ended.is_some());
            if ended || Instant::now() > until {
                return Err(format!("krb5kdc does not start: {}", running.said()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(running)
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("output.log")).unwrap_or_default()
    }

    /// The keys of its services.
    #[must_use]
    pub fn keytab(&self) -> PathBuf {
        self.folder.path().join("services.keytab")
    }

    /// Its `krb5.conf`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("krb5.conf")
    }

    /// Gets a ticket for the user into a cache of this name; gives the cache.
    ///
    /// # Errors
    /// `kinit` says so.
    pub fn ticket(&self, cache: &str, lifetime: &str) -> Result<PathBuf, String> {
        let path = self.folder.path().join(cache);
        let mut child = command(self.folder.path(), "kinit")?
            .args(["-l", lifetime, &format!("{}@{}", Self::USER, self.realm)])
            .env("KRB5CCNAME", format!("FILE:{}", path.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("kinit: {error}"))?;
        if let Some(mut input) = child.stdin.take() {
            let _ = writeln!(input, "{}", Self::PASSWORD);
        }
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(path),
            false => Err(format!("kinit: {}", String::from_utf8_lossy(&output.stderr))),
        }
    }
}

impl Drop for Kdc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of Kerberos with this realm's settings.
fn command(folder: &Path, name: &str) -> Result<Command, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/bin".into()])
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .ok_or_else(|| {
            format!(
                "{name} is not installed: apt-get install krb5-kdc krb5-admin-server krb5-user \
                 (./tests/run does)"
            )
        })?;
    let mut command = Command::new(program);
    command
        .env("KRB5_CONFIG", folder.join("krb5.conf"))
        .env("KRB5_KDC_PROFILE", folder.join("kdc.conf"))
        .env("LC_ALL", "C");
    Ok(command)
}

fn run(folder: &Path, name: &str, arguments: &[&str]) -> Result<(), String> {
    let output = command(folder, name)?.args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{name}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

fn write_settings(folder: &Path, realm: &str, port: u16) -> std::io::Result<()> {
    let at = folder.display();
    let domain = realm.to_ascii_lowercase();
    let client = format!(
        "[libdefaults]\n default_realm = {realm}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n \
         dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n\
         [realms]\n {realm} = {{\n  kdc = 127.0.0.1:{port}\n }}\n\
         [domain_realm]\n .{domain} = {realm}\n"
    );
    let server = format!(
        "[kdcdefaults]\n kdc_listen = \"\"\n kdc_tcp_listen = 127.0.0.1:{port}\n\
         [realms]\n {realm} = {{\n  database_name = {at}/principal\n  key_stash_file = {at}/stash\n  \
         acl_file = {at}/acl\n }}\n[logging]\n kdc = FILE:{at}/output.log\n"
    );
    std::fs::write(folder.join("krb5.conf"), client)?;
    std::fs::write(folder.join("kdc.conf"), server)
}
