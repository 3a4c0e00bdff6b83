//! What a message means, in plain words, and how far the browser had come.

/// What the words of a browser, or of a library in it, mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The handshake was answered with this status.
    Status(u16),
    /// The handshake was answered with a status that is no success; which is not said.
    Refusal,
    /// The proxy refused the tunnel.
    TunnelRefused,
    /// The proxy wants credentials.
    ProxyCredentials,
    /// The proxy cannot be reached.
    ProxyUnreachable,
    /// The proxy's own certificate is not trusted, or TLS with it fails.
    ProxyTls,
    /// The PAC file, or the proxy setting that a policy demands, does not work.
    ProxySetting,
    /// The server wants credentials.
    Credentials,
    /// The certificate is not trusted.
    Untrusted,
    /// A client certificate is wanted, or the one that was given is refused.
    ClientCertificate,
    /// The TLS handshake failed.
    TlsFailed,
    /// The name does not resolve.
    Unresolved,
    /// Nobody accepts the connection.
    Refused,
    /// No route leads there.
    Unreachable,
    /// It was reset, or closed without an answer.
    Cut,
    /// Nothing came.
    TimedOut,
    /// The machine had no network.
    NoNetwork,
    /// The network changed meanwhile.
    NetworkChanged,
    /// The machine slept, or the browser put the page to sleep.
    Suspended,
    /// Something on the machine (a firewall, an antivirus) denies the network.
    Denied,
    /// HTTP/2 or HTTP/3 went wrong.
    Http2,
    /// The answer is a 101 that is not valid.
    BadHandshake,
    /// The subprotocol that was asked for was not confirmed, or another was.
    Subprotocol,
    /// Frames are not valid.
    BadFrames,
    /// A message was larger than somebody takes.
    TooLarge,
    /// An extension of the browser, or its developer tools, blocked it.
    Extension,
    /// A policy of the browser blocked it.
    Policy,
    /// Chrome's port list forbids the port.
    Port,
    /// Local-network access: the page may not reach a private address.
    LocalNetwork,
    /// The page's own security policy (CSP) forbids it.
    Page,
    /// `ws://` on an `https://` page.
    Mixed,
    /// The page was left or reloaded: no fault.
    PageLeft,
    /// An open socket was cut, or the page was left: Firefox says the same of both.
    Interrupted,
    /// The page's own script closed it, or used it wrongly.
    Script,
    /// Too many sockets, or too little memory.
    Resources,
    /// It worked, and then nothing came any more.
    Silent,
    /// It worked, and was cut.
    Lost,
    /// The server ended it itself.
    ByServer,
    /// The server does not know the session: requests of one client reach several backends.
    Session,
    /// A request of the page, and not the socket, failed.
    Fetch,
    /// A request of the page was refused for its origin.
    Cors,
    /// The `close` event's code.
    Closed(u16),
    /// That it failed, and not why.
    Unspecific,
}

/// How far the browser had come by its own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing left the browser.
    Browser,
    /// At the proxy, before it opened a way.
    Proxy,
    /// Before any connection stood.
    Network,
    /// TLS did not come about.
    Tls,
    /// A handshake was sent, and no answer came.
    Asked,
    /// An answer came, and it was no success.
    Answered,
    /// It was open.
    Open,
}

impl Meaning {
    /// What it means, as the rest of a sentence that begins with "that".
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Status(status) => return format!("the handshake was answered with {status}"),
            Self::Closed(code) => return super::code::words(code),
            Self::Refusal => "the handshake was answered with a status other than 101, which is not said",
            Self::TunnelRefused => "the proxy refused the tunnel (CONNECT)",
            Self::ProxyCredentials => "the proxy wants credentials",
            Self::ProxyUnreachable => {
                "the browser goes by a proxy, and that proxy could not be reached"
            }
            Self::ProxyTls => "the browser does not trust the proxy's own certificate",
            Self::ProxySetting => {
                "the browser's proxy setting (a PAC file, or what a policy demands) could not be used"
            }
            Self::Credentials => "the server wants credentials",
            Self::Untrusted => "the browser does not trust the certificate",
            Self::ClientCertificate => {
                "the server, or an interceptor before it, wants a client certificate and did not get \
                 one that it takes"
            }
            Self::TlsFailed => "the TLS handshake failed",
            Self::Unresolved => "the name did not resolve",
            Self::Refused => "nothing accepted the connection",
            Self::Unreachable => "no route led to the address",
            Self::Cut => "the connection was closed without an answer to the handshake",
            Self::TimedOut => "no answer came in time",
            Self::NoNetwork => "the machine had no network then, which is no fault of the server's",
            Self::NetworkChanged => {
                "the network changed meanwhile (VPN, Wi-Fi, sleep), which is no fault of the server's"
            }
            Self::Suspended => {
                "the machine or the page was put to sleep, which is no fault of the server's"
            }
            Self::Denied => {
                "something on the machine itself (a firewall, an antivirus) does not let the browser \
                 use the network"
            }
            Self::Http2 => {
                "it went over HTTP/2 or HTTP/3 (RFC 8441, RFC 9220), which something on the way does \
                 not do right"
            }
            Self::BadHandshake => "the answer to the handshake was not valid",
            Self::Subprotocol => {
                "the subprotocol that the page asked for (Sec-WebSocket-Protocol) did not come back in \
                 the 101"
            }
            Self::BadFrames => "the frames that came were not valid",
            Self::TooLarge => "a message was larger than the other side, or something between, takes",
            Self::Extension => "something in the browser itself (an extension) blocked it",
            Self::Policy => "a policy of the browser blocked it",
            Self::Port => "the port is on the browser's list of unsafe ports, so that it does not connect",
            Self::LocalNetwork => {
                "the browser does not let a public page reach a private address without permission \
                 (local-network access)"
            }
            Self::Page => "the page's own security policy (CSP, connect-src) forbids it",
            Self::Mixed => "it is ws:// on an https:// page (mixed content), which browsers block",
            Self::PageLeft => "the page was left or reloaded meanwhile, which is no fault",
            Self::Interrupted => {
                "an open connection was cut, or the page was left or reloaded meanwhile: Firefox says \
                 the same of both"
            }
            Self::Script => {
                "the page's own script closed the socket or used it when it was not open: that follows \
                 from something before it"
            }
            Self::Resources => "the browser had too many sockets, or too little memory",
            Self::Silent => {
                "the connection had worked, and then nothing came any more: it was cut in silence, or \
                 the server hung"
            }
            Self::Lost => {
                "the connection had worked and was cut: why is not said (browsers tell pages no more \
                 than code 1006)"
            }
            Self::ByServer => "the server ended the connection itself: no fault of the network",
            Self::Session => {
                "the server does not know the session: the requests of one client reach several \
                 backends (sticky sessions)"
            }
            Self::Fetch => {
                "a request of the page failed, and not the WebSocket alone: look at the requests before \
                 it"
            }
            Self::Cors => "a request of the page was refused for its origin (CORS): not the WebSocket's",
            Self::Unspecific => "it failed, and not why",
        }
        .to_owned()
    }

    /// How far the browser had come; `None` where the words do not tell.
    #[must_use]
    pub fn stage(self) -> Option<Stage> {
        Some(match self {
            Self::Extension
            | Self::Policy
            | Self::Port
            | Self::LocalNetwork
            | Self::Page
            | Self::Mixed
            | Self::Resources => Stage::Browser,
            Self::TunnelRefused
            | Self::ProxyCredentials
            | Self::ProxyUnreachable
            | Self::ProxyTls
            | Self::ProxySetting => Stage::Proxy,
            Self::Unresolved
            | Self::Refused
            | Self::Unreachable
            | Self::NoNetwork
            | Self::NetworkChanged
            | Self::Suspended
            | Self::Denied => Stage::Network,
            Self::Untrusted | Self::ClientCertificate | Self::TlsFailed | Self::Closed(1015) => {
                Stage::Tls
            }
            Self::Cut | Self::TimedOut => Stage::Asked,
            Self::Status(_)
            | Self::Refusal
            | Self::Credentials
            | Self::BadHandshake
            | Self::Subprotocol
            | Self::Session => Stage::Answered,
            // 1006 is also what a page gets of a socket that never opened.
            Self::Closed(1006) => return None,
            Self::Closed(_)
            | Self::BadFrames
            | Self::TooLarge
            | Self::Silent
            | Self::Lost
            | Self::ByServer => Stage::Open,
            Self::Http2
            | Self::PageLeft
            | Self::Interrupted
            | Self::Script
            | Self::Fetch
            | Self::Cors
            | Self::Unspecific => return None,
        })
    }

    /// Whether it speaks of nothing that somebody would have to mend in the network
    /// or at the server.
    #[must_use]
    pub fn harmless(self) -> bool {
        matches!(self, Self::PageLeft | Self::Closed(1000 | 1001))
    }
}
