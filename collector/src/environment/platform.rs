//! What each operating system keeps in a place of its own. On those where a
//! part is not read yet, a note in the bundle says so.

use wss_bundle::environment::DnsConfig;

#[cfg(unix)]
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Variables that replace the list of trusted authorities (as OpenSSL and
/// `rustls-native-certs` read them). Windows and macOS verify by themselves.
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(super) const TRUST_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
pub(super) const TRUST_VARIABLES: [&str; 0] = [];

/// What the bundle should have and this machine does not tell.
pub(super) fn unread() -> Vec<String> {
    if !cfg!(target_os = "linux") {
        let parts = "the system's version, the default route and the interfaces' MTU";
        return vec![format!("{parts} are not read on this kind of system")];
    }
    let files = [
        ("/etc/os-release", "the system's version"),
        ("/proc/net/route", "the default route"),
        ("/sys/class/net/lo/mtu", "the interfaces' MTU"),
    ];
    files
        .iter()
        .filter_map(|(path, what)| {
            let error = std::fs::read(path).err()?;
            Some(format!("{what} could not be read: {path}: {error}"))
        })
        .collect()
}

/// The configured name servers, and what could not be read.
#[cfg(unix)]
pub(super) fn dns() -> (DnsConfig, Vec<String>) {
    let nothing =
        |why: String| (DnsConfig { source: RESOLV_CONF.into(), ..DnsConfig::default() }, vec![why]);
    let content = match std::fs::read(RESOLV_CONF) {
        Ok(content) => content,
        Err(error) => return nothing(format!("{RESOLV_CONF} could not be read: {error}")),
    };
    let parsed = match resolv_conf::Config::parse(&content) {
        Ok(parsed) => parsed,
        Err(error) => return nothing(format!("{RESOLV_CONF} could not be understood: {error}")),
    };
    let name_servers = parsed
        .nameservers
        .iter()
        .map(|server| std::net::SocketAddr::new(server.into(), 53).to_string())
        .collect();
    let search = parsed.get_last_search_or_domain().map(ToString::to_string).collect();
    (DnsConfig { name_servers, search, source: RESOLV_CONF.into() }, Vec::new())
}

#[cfg(not(unix))]
pub(super) fn dns() -> (DnsConfig, Vec<String>) {
    let note = "name servers are not read on this system; names are resolved by the system alone";
    (DnsConfig::default(), vec![note.to_owned()])
}

/// Name and version of the system, for people.
pub(super) fn os_version() -> Option<String> {
    let content = std::fs::read_to_string("/etc/os-release").ok()?;
    let line = content.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(line.trim_matches('"').to_owned())
}

/// Names of the interfaces by which a default route leaves (Linux; nothing elsewhere).
pub(super) fn default_route_interfaces() -> Vec<String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    // Columns: interface, destination … mask in field 7 (all hexadecimal).
    let v4 = read("/proc/net/route");
    let v4 = v4.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let default = fields.get(1) == Some(&"00000000") && fields.get(7) == Some(&"00000000");
        default.then(|| fields.first().map(|name| (*name).to_owned())).flatten()
    });
    // Columns: destination, its prefix length … interface last. `lo` carries
    // the unreachable default.
    let v6 = read("/proc/net/ipv6_route");
    let v6 = v6.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let zero = fields.first().is_some_and(|d| d.bytes().all(|b| b == b'0'));
        let name = fields.last().filter(|name| **name != "lo")?;
        (zero && fields.get(1) == Some(&"00")).then(|| (*name).to_owned())
    });
    v4.chain(v6).collect()
}

/// Maximum transmission unit of an interface, in bytes (Linux; nothing elsewhere).
pub(super) fn mtu(interface: &str) -> Option<u32> {
    if interface.contains(['/', '.']) {
        return None;
    }
    std::fs::read_to_string(format!("/sys/class/net/{interface}/mtu")).ok()?.trim().parse().ok()
}
