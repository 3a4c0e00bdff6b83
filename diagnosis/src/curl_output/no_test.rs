//! Why what was pasted says nothing about WebSocket, each with its reason in words.

use wss_bundle::pasted::curl::Program;

/// Why a pasted test is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoTest {
    /// It went over HTTP/2 or 3, in which curl drops the upgrade headers.
    Http2,
    /// The request that was made has no `Upgrade: websocket`.
    NoUpgrade,
    /// It lacks another header without which a server must refuse it.
    Lacks(&'static str),
    /// Its key is none (RFC 6455 section 4.1).
    Key,
    /// Its method is not GET.
    Method(String),
    /// It asked for something else than the case is about.
    Elsewhere {
        /// What it asked for.
        there: String,
        /// What the case is about.
        here: String,
    },
    /// It was sent with an Origin of its own.
    Origin(String),
    /// It followed redirects, as no browser's WebSocket does.
    Followed,
    /// Another program made it.
    Program(Program, Option<String>),
    /// There is nothing in it that could be read.
    NoResponse,
    /// curl's error says not where it ended.
    Unclear(u32),
    /// Only the command was pasted.
    CommandAlone,
    /// `--trace` writes bytes.
    Hexadecimal,
    /// curl ended on its own machine.
    Here(&'static str),
    /// curl took a word of the command for a host.
    Words(String),
}

impl NoTest {
    /// In words, as a clause after "because".
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Http2 => "it went over HTTP/2, in which curl drops Connection and Upgrade: it \
                            tells nothing about WebSocket"
                .into(),
            Self::NoUpgrade => "the request that was made has no `Upgrade: websocket`".into(),
            Self::Lacks(header) => format!(
                "the request that was made has no `{header}`, and a server must refuse a WebSocket \
                 handshake without it (RFC 6455 section 4.2.1)"
            ),
            Self::Key => "its Sec-WebSocket-Key is none: 16 bytes in base64 are asked for (RFC \
                          6455 section 4.1), and servers refuse another"
                .into(),
            Self::Method(method) => {
                format!("its method is {method}, and a WebSocket handshake is a GET")
            }
            Self::Elsewhere { there, here } => {
                format!("it did not ask for what was asked for here: {there} there, {here} here")
            }
            Self::Origin(origin) => format!(
                "it was sent with `Origin: {origin}`, which no request here has: a server may \
                 refuse that alone"
            ),
            Self::Followed => {
                "it followed redirects (-L), which browsers do not do for a WebSocket".into()
            }
            Self::Program(program, said) => by_program(*program, said.as_deref()),
            Self::NoResponse => "there is neither a status line nor an error of curl's in it: its \
                                 beginning is missing, or it was made without -i"
                .into(),
            Self::Unclear(code) => {
                format!("curl's error {code} does not tell how the upgrade was answered")
            }
            Self::CommandAlone => "only the command is in it, without what it printed".into(),
            Self::Hexadecimal => {
                "it is --trace's, in bytes: -v or --trace-ascii can be read".into()
            }
            Self::Here(why) => (*why).into(),
            Self::Words(host) => format!(
                "curl took {host:?} for a host: the quotes around the headers were changed on the \
                 way, or are another shell's (Windows' cmd knows \" alone)"
            ),
        }
    }

    /// Whether it was no attempt at this WebSocket at all, so that nothing is missing
    /// where another test is there.
    #[must_use]
    pub fn is_something_else(&self) -> bool {
        matches!(
            self,
            Self::NoUpgrade | Self::Method(_) | Self::Elsewhere { .. } | Self::CommandAlone
        )
    }
}

fn by_program(program: Program, said: Option<&str>) -> String {
    let name = match program {
        Program::Curl => "curl",
        Program::InvokeWebRequest => {
            return "it is of PowerShell's Invoke-WebRequest, which is called curl there; curl \
                    itself is curl.exe"
                .into();
        }
        Program::Wget => "wget",
        Program::Httpie => "HTTPie",
        Program::Websocat => "websocat",
        Program::Wscat => "wscat",
        Program::OpenSsl => "openssl s_client",
        Program::Python => "a Python script",
        Program::Postman => "Postman",
        Program::Telnet => "telnet or nc",
        Program::DotNet => ".NET's ClientWebSocket",
    };
    let said = said.map_or(String::new(), |said| format!(" ({said})"));
    format!("it is of {name}{said}, whose request is not known: curl's can be compared")
}
