//! What stands in front of it, and the corporate proxy.

use super::{AnswerConfig, CutConfig, ExtendedConnect, Subject, TlsConfig};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;

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
    /// Reads frames and knows no extension: closes at the first with RSV1.
    CloseOnCompressed,
    /// Writes every frame anew without its RSV1, whoever sent it.
    ClearCompressed,
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
