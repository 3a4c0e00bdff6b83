//! What each operating system keeps in a place of its own. On those where a
//! part is not read yet, a note in the bundle says so.

use wss_bundle::environment::{DnsConfig, Interface};

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
    if cfg!(target_os = "macos") {
        return vec!["the interfaces' MTU is not read on this kind of system".to_owned()];
    }
    if cfg!(windows) {
        let what = "the interfaces' MTU is known where one is set by hand alone; default routes of \
                    IPv6 are not read on this kind of system";
        return vec![what.to_owned()];
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

/// The name servers of every adapter that has a gateway, or else of all.
#[cfg(windows)]
pub(super) fn dns() -> (DnsConfig, Vec<String>) {
    let adapters = super::windows::adapters();
    let routed = adapters.iter().any(|adapter| adapter.gateway);
    let mut config = DnsConfig { source: "Windows adapters".into(), ..DnsConfig::default() };
    for adapter in adapters.iter().filter(|adapter| adapter.gateway || !routed) {
        for server in adapter.name_servers.iter().map(ToString::to_string) {
            if !config.name_servers.contains(&server) {
                config.name_servers.push(server);
            }
        }
        for domain in &adapter.search {
            if !config.search.contains(domain) {
                config.search.push(domain.clone());
            }
        }
    }
    let note = "no name server was found in the registry; names are resolved by the system alone";
    let notes = if config.name_servers.is_empty() { vec![note.to_owned()] } else { Vec::new() };
    (config, notes)
}

/// Name and version of the system, for people.
pub(super) fn os_version() -> Option<String> {
    #[cfg(windows)]
    {
        use crate::proxy::source::windows::{Root, key};
        let values = key(Root::Machine, r"SOFTWARE\Microsoft\Windows NT\CurrentVersion")?;
        super::windows::version(&values)
    }
    #[cfg(not(windows))]
    if cfg!(target_os = "macos") {
        let file = "/System/Library/CoreServices/SystemVersion.plist";
        mac_version(&std::fs::read_to_string(file).ok()?)
    } else {
        let content = std::fs::read_to_string("/etc/os-release").ok()?;
        let line = content.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(line.trim_matches('"').to_owned())
    }
}

/// The version in macOS' `SystemVersion.plist`.
#[cfg_attr(windows, allow(dead_code))]
fn mac_version(plist: &str) -> Option<String> {
    let (_, rest) = plist.split_once("<key>ProductVersion</key>")?;
    let (_, rest) = rest.split_once("<string>")?;
    let (version, _) = rest.split_once("</string>")?;
    Some(format!("macOS {version}"))
}

/// The interface in what macOS' `route -n get default` prints.
#[cfg_attr(not(target_os = "macos"), allow(dead_code))]
fn mac_default(text: &str) -> Option<String> {
    text.lines().find_map(|line| line.trim().strip_prefix("interface: ")).map(str::to_owned)
}

/// The interfaces by which a default route leaves: for IPv4, and for IPv6.
#[cfg(not(windows))]
fn default_routes() -> (Vec<String>, Vec<String>) {
    #[cfg(target_os = "macos")]
    {
        use crate::proxy::source::output_of;
        let of = |family: &str| {
            let text = output_of("/sbin/route", &["-n", "get", family, "default"]);
            text.and_then(Result::ok).and_then(|text| mac_default(&text)).into_iter().collect()
        };
        (of("-inet"), of("-inet6"))
    }
    #[cfg(not(target_os = "macos"))]
    {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        (linux_v4(&read("/proc/net/route")), linux_v6(&read("/proc/net/ipv6_route")))
    }
}

/// Default routes in Linux' `/proc/net/route`: interface, destination … mask in
/// field 7 (all hexadecimal).
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn linux_v4(table: &str) -> Vec<String> {
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let default = fields.get(1) == Some(&"00000000") && fields.get(7) == Some(&"00000000");
        default.then(|| fields.first().map(|name| (*name).to_owned())).flatten()
    };
    table.lines().skip(1).filter_map(line).collect()
}

/// The same for IPv6: destination, its prefix length … interface last. `lo`
/// carries the unreachable default.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn linux_v6(table: &str) -> Vec<String> {
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let zero = fields.first().is_some_and(|d| d.bytes().all(|b| b == b'0'));
        let name = fields.last().filter(|name| **name != "lo")?;
        (zero && fields.get(1) == Some(&"00")).then(|| (*name).to_owned())
    };
    table.lines().filter_map(line).collect()
}

/// Whether there is a default route for IPv6.
pub(super) fn has_ipv6_default() -> bool {
    #[cfg(windows)]
    return false;
    #[cfg(not(windows))]
    !default_routes().1.is_empty()
}

/// Fills in what else is known of each interface.
pub(super) fn describe(interfaces: &mut [Interface]) {
    #[cfg(windows)]
    super::windows::describe(interfaces, &super::windows::adapters());
    #[cfg(not(windows))]
    {
        let (v4, v6) = default_routes();
        for interface in interfaces {
            interface.default_v4 = v4.contains(&interface.name);
            interface.default_v6 = v6.contains(&interface.name);
            interface.default_route = interface.default_v4 || interface.default_v6;
            interface.mtu = mtu(&interface.name);
        }
    }
}

/// Maximum transmission unit of an interface, in bytes (Linux; nothing elsewhere).
#[cfg(not(windows))]
fn mtu(interface: &str) -> Option<u32> {
    if interface.contains('/') || interface.starts_with('.') {
        return None;
    }
    std::fs::read_to_string(format!("/sys/class/net/{interface}/mtu")).ok()?.trim().parse().ok()
}

/// A captive portal that announced itself by DHCP (RFC 8910), where systemd's
/// leases, which everybody may read, say so.
pub(super) fn portal() -> Vec<String> {
    let Ok(leases) = std::fs::read_dir("/run/systemd/netif/leases") else { return Vec::new() };
    let texts = leases.flatten().take(64).filter_map(|l| std::fs::read_to_string(l.path()).ok());
    texts.filter_map(|text| announced(&text)).collect()
}

fn announced(lease: &str) -> Option<String> {
    let url = lease.lines().find_map(|line| line.strip_prefix("CAPTIVE_PORTAL="))?;
    // Networks may say in so many words that there is none (section 2).
    (!url.is_empty() && !url.starts_with("urn:ietf:params:capport:unrestricted"))
        .then(|| format!("a captive portal announces itself by DHCP: {url}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_routes_of_each_family() {
        let v4 = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n\
            eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
            tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n";
        assert_eq!(linux_v4(v4), ["eth0"]);
        let zero = "00000000000000000000000000000000";
        let v6 = format!(
            "{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 1 0 00000003 wlan0\n\
             {zero} 00 {zero} 00 {zero} ffffffff 1 0 00200200 lo\n\
             fe800000000000000000000000000000 40 {zero} 00 {zero} 00000100 1 0 00000001 eth0\n"
        );
        assert_eq!(linux_v6(&v6), ["wlan0"]);
        assert!(linux_v4("").is_empty() && linux_v6("garbage\n").is_empty());
    }

    #[test]
    fn macos_answers() {
        let text =
            "   route to: default\ndestination: default\n  interface: en0\n      flags: <UP>\n";
        assert_eq!(mac_default(text).as_deref(), Some("en0"));
        assert!(mac_default("route: writing to routing socket: not in table\n").is_none());
        let plist = "<dict>\n<key>ProductVersion</key>\n<string>15.1</string>\n</dict>";
        assert_eq!(mac_version(plist).as_deref(), Some("macOS 15.1"));
        assert!(mac_version("").is_none());
    }

    #[test]
    fn portals_announce_themselves() {
        let lease = "ADDRESS=10.0.0.7\nCAPTIVE_PORTAL=https://portal.example/api\n";
        assert!(announced(lease).unwrap().contains("portal.example"));
        assert!(announced("CAPTIVE_PORTAL=urn:ietf:params:capport:unrestricted\n").is_none());
        assert!(announced("ADDRESS=10.0.0.7\n").is_none());
    }
}
