//! The machine that collected, as far as it matters for the network path
//! (`environment.json`). Every part may be empty: a locked-down machine tells
//! little, and that is recorded too, in [`Environment::notes`].

use serde::{Deserialize, Serialize};

/// The machine that collected.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// Operating system.
    pub os: Os,
    /// Proxy settings by source, verbatim but for credentials.
    pub proxy_settings: Vec<ProxySetting>,
    /// Which route each kind of client would take to the target.
    pub proxy_choices: Vec<ProxyChoice>,
    /// DNS configuration.
    pub dns: DnsConfig,
    /// Network interfaces with an address.
    pub interfaces: Vec<Interface>,
    /// Why a VPN, security agent or captive portal is suspected.
    pub hints: Vec<String>,
    /// Prefixes by which this network gives IPv4 addresses to clients that have
    /// IPv6 alone (NAT64, found as RFC 7050 has it), `64:ff9b::/96`.
    pub nat64: Vec<String>,
    /// The clock.
    pub clock: Clock,
    /// Where trusted root certificates came from.
    pub trust: TrustStore,
    /// Security agents of the collector's list that show themselves on this machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Agent>,
    /// The browser that `--browser` would ask, by its program's name; absent where none is
    /// installed, or it was not looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// What could not be read, and why.
    pub notes: Vec<String>,
}

/// A security agent on this machine, as far as its marks tell: a guess.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Agent {
    /// The product.
    pub name: String,
    /// By what it shows itself: an interface, a resolver, a proxy, an authority, a process.
    pub by: Vec<String>,
}

/// Operating system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Os {
    /// `linux`, `windows`, `macos`.
    pub family: String,
    /// Name and version, for people.
    pub version: String,
    /// `x86_64`, `aarch64` …
    pub arch: String,
}

/// One proxy setting of one source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProxySetting {
    /// `option`, `environment`, `windows-user`, `windows-winhttp`, `gnome`, `pac` …
    pub source: String,
    /// `https_proxy`, `ProxyServer`, `AutoConfigURL` …
    pub key: String,
    /// Its value without credentials.
    pub value: String,
}

/// What a kind of client would do with these settings for the target.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProxyChoice {
    /// `curl`, `chrome`, `firefox`; `edge` where it differs from Chrome.
    pub client: String,
    /// For the WebSocket: `direct`, or `proxy <url>`; `unknown` where a PAC file
    /// would say, and was not asked.
    pub route: String,
    /// Why.
    pub because: String,
    /// For the page, where that differs: browsers do not always treat a
    /// WebSocket like the page that opens it.
    pub page: Option<String>,
    /// Routes that it would try one after another when the first one does not
    /// answer, as a PAC file may list them.
    pub then: Vec<String>,
    /// Whether it surely is so for a browser here: the system's settings or a
    /// policy speak, or the session has a desktop. Otherwise it is a reading of
    /// a shell's variables, on a machine that may have no browser at all.
    pub certain: bool,
}

/// DNS configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DnsConfig {
    /// `address:port` of each name server.
    pub name_servers: Vec<String>,
    /// Search domains.
    pub search: Vec<String>,
    /// `/etc/resolv.conf`, `Windows adapters` …
    pub source: String,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its addresses with prefix length.
    pub addresses: Vec<String>,
    /// Maximum transmission unit in bytes.
    pub mtu: Option<u32>,
    /// Whether a default route leaves by it.
    pub default_route: bool,
    /// Of these, whether for IPv4.
    pub default_v4: bool,
    /// And whether for IPv6.
    pub default_v6: bool,
    /// What the adapter calls itself, where the system has a name beside the
    /// interface's (Windows): `PANGP Virtual Ethernet Adapter`.
    pub description: Option<String>,
}

/// The clock.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Clock {
    /// Local offset from UTC, in minutes.
    pub utc_offset_minutes: i32,
    /// This clock minus the server's `Date`, in seconds; `null` when no
    /// response had one.
    pub skew_s: Option<f64>,
}

/// Where trusted root certificates came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TrustStore {
    /// `operating system`, `SSL_CERT_FILE`, `built-in (webpki-roots)`.
    pub source: String,
    /// Files given by `--cacert`, by name only.
    pub extra: Vec<String>,
    /// Why the first choice could not be used.
    pub problem: Option<String>,
}
