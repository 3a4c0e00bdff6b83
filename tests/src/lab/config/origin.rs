//! The Bindplane server.

use super::{AnswerConfig, CutConfig, Scope, TlsConfig};
use serde::Deserialize;

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
