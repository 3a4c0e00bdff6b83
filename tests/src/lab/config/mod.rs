//! What the lab's servers can be told to be: the words of a scenario's TOML.
//!
//! Every struct has defaults for a healthy server, so that a scenario names
//! only its fault. Unknown keys are errors: a misspelt fault would otherwise
//! be a healthy server, and the scenario would test nothing.

mod hop;
mod origin;

pub use hop::*;
pub use origin::*;

use serde::Deserialize;

/// The name under which the lab's target is known.
pub const HOST: &str = "bindplane.corp.example";

/// A whole lab. See [`super::Lab`] for how the pieces stand to each other.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct LabConfig {
    /// The target's name; certificates are made out to it (and to 127.0.0.1).
    pub host: String,
    /// The Bindplane server.
    pub origin: OriginConfig,
    /// In front of it, when there is one.
    pub lb: Option<LbConfig>,
    /// Between the inside and the rest, seen by nobody's settings: a
    /// transparent interceptor. Its certificate is `corporate` if not said.
    pub middlebox: Option<LbConfig>,
    /// What stands at the address that both sides see.
    pub firewall: FirewallConfig,
    /// The corporate proxy.
    pub proxy: Option<ProxyConfig>,
}

impl Default for LabConfig {
    fn default() -> Self {
        Self {
            host: HOST.into(),
            origin: OriginConfig::default(),
            lb: None,
            middlebox: None,
            firewall: FirewallConfig::default(),
            proxy: None,
        }
    }
}

/// How a server does TLS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TlsConfig {
    /// Which certificate it shows; `valid` if not said.
    pub certificate: Option<CertificateKind>,
    /// What it takes by ALPN, in its order of preference.
    pub alpn: Vec<String>,
    /// Whether it demands a client certificate (which nobody in the lab has).
    pub client_certificate: bool,
    /// Whether it refuses TLS 1.2, as old Bindplane servers do.
    pub only_tls13: bool,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            certificate: None,
            alpn: vec!["http/1.1".into()],
            client_certificate: false,
            only_tls13: false,
        }
    }
}

/// What is the matter with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateKind {
    /// Nothing: issued by the lab's CA.
    #[default]
    Valid,
    /// Ran out yesterday.
    Expired,
    /// Runs out in a week.
    ExpiresSoon,
    /// Runs out twenty seconds after it was made.
    ShortLived,
    /// Begins tomorrow.
    NotYetValid,
    /// Its own issuer.
    SelfSigned,
    /// Made out to `other.example`.
    WrongName,
    /// Issued by a CA that nobody trusts and that is no known interceptor.
    UnknownIssuer,
    /// Issued by the corporate CA: an interceptor's.
    Corporate,
}

/// A certificate authority's name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Subject {
    /// O
    pub organization: Option<String>,
    /// OU
    pub unit: Option<String>,
    /// CN
    pub common_name: String,
}

impl Default for Subject {
    fn default() -> Self {
        Self {
            organization: Some("Corp Example".into()),
            unit: None,
            common_name: "Corp TLS Inspection CA".into(),
        }
    }
}

/// When and how a hop cuts upgraded connections (a proxy: also its tunnels).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct CutConfig {
    /// After so long without a byte in either direction.
    pub idle_ms: Option<u64>,
    /// After so long, whatever passes.
    pub lifetime_ms: Option<u64>,
    /// How.
    pub by: CutBy,
}

/// How a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CutBy {
    /// In order: FIN, after a close_notify where the hop owns the TLS.
    #[default]
    Fin,
    /// RST.
    Reset,
    /// A WebSocket close frame (1001), then in order.
    CloseFrame,
    /// Not at all: nothing passes any more, and nobody is told.
    Blackhole,
}

/// Which requests something holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every request.
    #[default]
    All,
    /// Those with an `Upgrade` header, or by extended CONNECT.
    Upgrades,
    /// Those to a WebSocket path, whether they ask for an upgrade or not.
    SocketPaths,
}

/// A fixed response.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AnswerConfig {
    /// Status code.
    pub status: u16,
    /// Header lines (`Name: value`), besides Date and Content-Length; a load balancer
    /// writes the request's Host for `{host}`.
    pub headers: Vec<String>,
    /// Body; the page of the server's product when left out.
    pub body: Option<String>,
    /// Which requests.
    pub scope: Scope,
}

impl Default for AnswerConfig {
    fn default() -> Self {
        Self { status: 502, headers: Vec::new(), body: None, scope: Scope::All }
    }
}

/// A packet filter at the address that both sides see.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct FirewallConfig {
    /// What it does to those inside.
    pub inside: FirewallMode,
    /// What it does to those outside.
    pub outside: FirewallMode,
    /// When it cuts connections of those inside.
    pub cut: CutConfig,
}

/// What a packet filter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirewallMode {
    /// Lets everything pass.
    #[default]
    Open,
    /// Refuses connections: RST to the SYN.
    Refuse,
    /// Lets the TCP handshake pass, and resets then.
    Reset,
    /// Drops every packet.
    Drop,
    /// Lets the TCP handshake pass, and no byte after it.
    Swallow,
    /// Reads the ClientHello's name, and resets when it is the lab's host.
    BlockName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_names_its_fault_only() {
        let config: LabConfig = toml::from_str(
            r#"
            [origin]
            upgrade = "wrong-accept"
            [lb]
            product = "haproxy"
            upgrade = "drop-101"
            tls = { alpn = ["h2", "http/1.1"] }
            [lb.cut]
            idle-ms = 300
            by = "close-frame"
            [proxy]
            tunnel = "refuse-403"
            intercept = { subject = { common-name = "X" } }
            [firewall]
            inside = "block-name"
            "#,
        )
        .unwrap();
        assert_eq!(config.host, HOST);
        assert_eq!(config.origin.upgrade, OriginUpgrade::WrongAccept);
        assert_eq!(config.origin.version, OriginConfig::default().version);
        let lb = config.lb.unwrap();
        assert_eq!((lb.product, lb.upgrade), (Product::Haproxy, HopUpgrade::Drop101));
        assert_eq!(
            lb.cut,
            CutConfig { idle_ms: Some(300), lifetime_ms: None, by: CutBy::CloseFrame }
        );
        assert_eq!(config.proxy.unwrap().tunnel, TunnelMode::Refuse403);
        assert_eq!(config.firewall.inside, FirewallMode::BlockName);
    }

    #[test]
    fn misspelt_faults_are_errors() {
        for text in ["[origin]\nupgrad = \"end\"", "[lb]\nupgrade = \"stripped\"", "[router]"] {
            assert!(toml::from_str::<LabConfig>(text).is_err(), "{text}");
        }
    }
}
