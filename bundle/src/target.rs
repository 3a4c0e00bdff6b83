//! The target: what the customer wants to reach, as given on the command line.

use serde::{Deserialize, Serialize};

/// The WebSocket paths that are tried when the target names none.
///
/// `/v1/ws` is the troubleshooting page's, `/v1/graphql` the public server
/// sources', and `/v1/opamp` the agents'.
pub const DEFAULT_PATHS: [&str; 3] = ["/v1/ws", "/v1/graphql", "/v1/opamp"];

/// The agents' path: told apart, since it does not make the console work.
pub const AGENT_PATH: &str = "/v1/opamp";

/// Whether a path is the agents': what stands behind `?` makes no difference.
#[must_use]
pub fn is_agents(path: &str) -> bool {
    path.split(['?', '#']).next() == Some(AGENT_PATH)
}

/// What the customer wants to reach. It never holds credentials: those of a
/// URL are split off when it is parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `https` or `http` (`wss` and `ws` are read as these).
    pub scheme: Scheme,
    /// Host name or address, without brackets, lower case.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// WebSocket paths to try, in order, each with its query.
    pub paths: Vec<String>,
}

/// Whether TLS is spoken to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Plain text (`ws://`).
    Http,
    /// TLS (`wss://`).
    Https,
}

impl Scheme {
    /// The scheme of the page: `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// 80 or 443.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Target {
    /// Host and, where it is not the scheme's default, port: the value of
    /// `Host` (RFC 9110 section 7.2). IPv6 addresses are bracketed.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.bracketed_host()
        } else {
            self.host_port()
        }
    }

    /// Host and port, always both: the form CONNECT wants (RFC 9110 section 9.3.6).
    #[must_use]
    pub fn host_port(&self) -> String {
        format!("{}:{}", self.bracketed_host(), self.port)
    }

    fn bracketed_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// `https://host[:port]`, as in an `Origin` header.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme.as_str(), self.authority())
    }

    /// The full URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }
}
