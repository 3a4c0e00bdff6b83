//! What the lab's servers can be told to be: the words of a scenario's TOML.
//!
//! Every struct has defaults for a healthy server, so that a scenario names
//! only its fault. Unknown keys are errors: a misspelt fault would otherwise
//! be a healthy server, and the scenario would test nothing.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;

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

/// A Bindplane-like server.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct OriginConfig {
    /// TLS of its own; plain when left out.
    pub tls: Option<TlsConfig>,
    /// What answers on the port at all.
    pub transport: Transport,
    /// What `/js/_globals.js` says.
    pub version: String,
    /// Paths that can be upgraded. Others get the page shell.
    pub socket_paths: Vec<String>,
    /// Whether other paths get a 404 instead of the page shell.
    pub unknown_is_404: bool,
    /// Whether `/v1/` paths ask for credentials.
    pub auth: Option<BasicAuth>,
    /// Whose `Origin` may upgrade.
    pub origin_check: OriginCheck,
    /// What it does to upgrades.
    pub upgrade: OriginUpgrade,
    /// When it cuts them.
    pub cut: CutConfig,
    /// Sends requests elsewhere.
    pub redirect: Option<RedirectConfig>,
    /// Answers with this instead.
    pub answer: Option<AnswerConfig>,
    /// How long it thinks before each response.
    pub delay_ms: u64,
    /// WebSocket over HTTP/2 (RFC 8441), where `tls.alpn` has `h2`.
    pub extended_connect: ExtendedConnect,
}

impl Default for OriginConfig {
    fn default() -> Self {
        Self {
            tls: None,
            transport: Transport::default(),
            version: "1.99.1".into(),
            socket_paths: ["/v1/ws", "/v1/graphql", "/v1/opamp"].map(String::from).into(),
            unknown_is_404: false,
            auth: None,
            origin_check: OriginCheck::default(),
            upgrade: OriginUpgrade::default(),
            cut: CutConfig::default(),
            redirect: None,
            answer: None,
            delay_ms: 0,
            extended_connect: ExtendedConnect::default(),
        }
    }
}

/// What answers on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// The server.
    #[default]
    Serves,
    /// Connections are taken, and nothing is ever said.
    Silent,
    /// A plain-text server, whatever `tls` says: on a port where clients
    /// expect TLS.
    PlainText,
    /// Connections are closed at once.
    Closes,
}

/// A user name and a password.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BasicAuth {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// Whose `Origin` may upgrade; others get gorilla's 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OriginCheck {
    /// Anybody's.
    #[default]
    None,
    /// As gorilla: no `Origin`, or one whose host is the request's `Host`.
    SameHost,
    /// There must be one, and its host must be the request's `Host`.
    Required,
    /// Nobody who has one: a server that believes it is called otherwise.
    Absent,
}

/// What the server does to a proper upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OriginUpgrade {
    /// 101, and answers frames.
    #[default]
    Accept,
    /// 101 with a `Sec-WebSocket-Accept` that fits another key.
    WrongAccept,
    /// 101 without `Upgrade`, `Connection`, `Sec-WebSocket-Accept`.
    MissingHeaders,
    /// 101, then nothing: no Pong.
    Silence,
    /// 101, then bytes that are no frames.
    Garbage,
    /// 101, then the end of the stream.
    End,
    /// 101, then a close frame (1011).
    CloseFrame,
    /// No answer, ever.
    Swallow,
    /// The end of the stream without a byte.
    Hangup,
}

/// WebSocket over HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExtendedConnect {
    /// Not announced.
    #[default]
    Absent,
    /// Announced, and it works.
    Works,
    /// Announced, and answered 400 as Envoy with `allow_connect` in front of
    /// an HTTP/1.1 backend.
    Fails,
}

/// Sends requests elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RedirectConfig {
    /// 301, 302, 307, 308.
    pub status: u16,
    /// Where to.
    pub location: String,
    /// Which requests.
    pub scope: Scope,
}

impl Default for RedirectConfig {
    fn default() -> Self {
        Self {
            status: 302,
            location: "https://login.corp.example/authorize?client_id=bindplane".into(),
            scope: Scope::SocketPaths,
        }
    }
}

/// A fixed response.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AnswerConfig {
    /// Status code.
    pub status: u16,
    /// Header lines (`Name: value`), besides Date and Content-Length.
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

/// Whose manners a hop has: header order and case, error pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// nginx 1.22.1.
    #[default]
    Nginx,
    /// HAProxy 2.6.
    Haproxy,
    /// Envoy.
    Envoy,
    /// Nobody's in particular: passes headers on as they are.
    Plain,
}

/// A reverse proxy or load balancer.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct LbConfig {
    /// Whose manners it has.
    pub product: Product,
    /// TLS that ends here; plain when left out.
    pub tls: Option<TlsConfig>,
    /// What it does to upgrades.
    pub upgrade: HopUpgrade,
    /// When it cuts them.
    pub cut: CutConfig,
    /// Answers with this itself.
    pub answer: Option<AnswerConfig>,
    /// Paths (prefixes) that its rules send nowhere: 404.
    pub unrouted: Vec<String>,
    /// The `Host` that the backend gets; the client's when left out.
    pub host: Option<String>,
    /// How long the backend may take to answer; then 504. A minute if not said.
    pub patience_ms: Option<u64>,
    /// WebSocket over HTTP/2 (RFC 8441), where `tls.alpn` has `h2`.
    pub extended_connect: ExtendedConnect,
}

/// What a hop that reads HTTP does to upgrades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HopUpgrade {
    /// Passes them on.
    #[default]
    Forward,
    /// Removes `Upgrade` and `Connection`, as every hop must that does not
    /// know them: the server sees a plain GET.
    Strip,
    /// Removes `Upgrade` alone.
    StripUpgrade,
    /// Removes `Connection: upgrade` alone.
    StripConnection,
    /// Removes every WebSocket header, `Sec-WebSocket-*` included.
    StripAll,
    /// Answers 403 with its page.
    Refuse,
    /// Takes them, and never answers.
    Swallow,
    /// Passes them on, and then drops the 101: the client hears nothing.
    #[serde(rename = "drop-101")]
    Drop101,
    /// Passes them on, and closes without a byte when the 101 comes.
    #[serde(rename = "close-on-101")]
    CloseOn101,
    /// Passes the 101 on, and then no byte any more.
    SwallowFrames,
    /// Answers the client's key itself with an Accept that fits another.
    Rekey,
}

/// A forward proxy.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProxyConfig {
    /// Whether and how it asks for credentials.
    pub auth: Option<ProxyAuth>,
    /// What it does to CONNECT.
    pub tunnel: TunnelMode,
    /// Reads what is inside the tunnels, with the corporate CA.
    pub intercept: Option<InterceptConfig>,
    /// What it does to upgrades that it can read: absolute-form ones, and
    /// those in intercepted tunnels.
    pub upgrade: HopUpgrade,
    /// When it cuts tunnels and upgraded connections.
    pub cut: CutConfig,
    /// Header lines added to every response that it writes or passes on, but
    /// for the 200 that opens a tunnel and the 101.
    pub headers: Vec<String>,
    /// Where names are: `host` or `host:port`. Other names are not found.
    pub hosts: BTreeMap<String, SocketAddr>,
}

/// How a proxy asks for credentials.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProxyAuth {
    /// What it announces; only Basic credentials are ever accepted.
    #[serde(default)]
    pub scheme: ProxyAuthScheme,
    /// Who may pass.
    pub user: String,
    /// With what.
    pub password: String,
}

/// What a 407 announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyAuthScheme {
    /// `Basic`
    #[default]
    Basic,
    /// `NTLM`
    Ntlm,
    /// `Negotiate`, then `NTLM`
    Negotiate,
}

/// What a proxy does to CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TunnelMode {
    /// Opens the tunnel.
    #[default]
    Allow,
    /// 403 with a block page.
    #[serde(rename = "refuse-403")]
    Refuse403,
    /// 502.
    #[serde(rename = "refuse-502")]
    Refuse502,
    /// 503.
    #[serde(rename = "refuse-503")]
    Refuse503,
    /// Never answers.
    Swallow,
    /// Closes without a byte.
    Close,
}

/// TLS interception.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct InterceptConfig {
    /// The corporate CA's name.
    pub subject: Subject,
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
