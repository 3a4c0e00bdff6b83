//! PAC files: what they answer, and how an answer is read. `engine` runs the
//! script, which is nobody's friend; `functions` is what it may call; `load`
//! is the only part that touches the network.

pub mod engine;
pub mod functions;
pub mod load;

use super::client::Hop;
use std::collections::BTreeMap;
use std::fmt;

/// Proxies kept of one answer: browsers try them one after another, and nobody
/// writes more.
const HOPS: usize = 5;

/// Where a PAC file is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// At `http://wpad/wpad.dat`, where auto-detection by DNS looks.
    Wpad,
    /// At this URL.
    Url(String),
}

/// What auto-detection by DNS fetches; the resolver's search list completes the name.
pub const WPAD_URL: &str = "http://wpad/wpad.dat";

impl File {
    /// Its URL. A path alone is a file, as for Chrome.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Wpad => WPAD_URL.to_owned(),
            Self::Url(path) if path.starts_with('/') => format!("file://{path}"),
            Self::Url(url) => url.clone(),
        }
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wpad => write!(f, "the PAC file of auto-detection ({WPAD_URL})"),
            Self::Url(url) if url.starts_with("data:") => {
                f.write_str("the PAC file in the setting")
            }
            Self::Url(url) => {
                write!(f, "the PAC file {}", super::address::without_credentials(url))
            }
        }
    }
}

/// What `FindProxyForURL` returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Word for word, cut to a sensible length.
    pub text: String,
    /// The same, understood.
    pub hops: Vec<Hop>,
}

/// A PAC file's answers for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// For the WebSocket's URL.
    pub socket: Said,
    /// For the page's URL.
    pub page: Said,
    /// Size of the file in bytes.
    pub bytes: usize,
    /// Its SHA-256, so that support can compare two machines' files.
    pub sha256: String,
    /// Names that the script looked up, and what could not be done.
    pub notes: Vec<String>,
}

/// What became of each PAC file.
pub type Answers = BTreeMap<File, Result<Answer, String>>;

/// Understands what `FindProxyForURL` returned: `PROXY a:8080; SOCKS5 b; DIRECT`.
/// What cannot be understood is left out, as browsers do; nothing left is direct.
#[must_use]
pub fn understand(text: &str) -> Said {
    let mut hops = Vec::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let mut words = part.split_whitespace();
        let kind = words.next().unwrap_or_default().to_ascii_uppercase();
        let hop = match (kind.as_str(), words.next()) {
            ("DIRECT", _) => Some(Hop::Direct),
            ("PROXY" | "HTTP", Some(place)) => Some(Hop::Proxy(format!("http://{place}"))),
            ("HTTPS", Some(place)) => Some(Hop::Proxy(format!("https://{place}"))),
            ("SOCKS5", Some(place)) => Some(Hop::Proxy(format!("socks5://{place}"))),
            // SOCKS 4 for Chrome; Firefox takes it for 5.
            ("SOCKS" | "SOCKS4", Some(place)) => Some(Hop::Proxy(format!("socks4://{place}"))),
            _ => None,
        };
        if let Some(hop) = hop
            && !hops.contains(&hop)
            && hops.len() < HOPS
        {
            hops.push(hop);
        }
    }
    if hops.is_empty() {
        hops.push(Hop::Direct);
    }
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    if shown.trim().is_empty() {
        shown = "nothing, which is DIRECT".to_owned();
    }
    Said { text: super::address::without_credentials(&shown), hops }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let hops = |text: &str| understand(text).hops;
        let proxy = |text: &str| Hop::Proxy(text.to_owned());
        assert_eq!(hops("DIRECT"), [Hop::Direct]);
        assert_eq!(
            hops("PROXY a:8080; HTTPS b:443 ;SOCKS5 c;socks d:1080; DIRECT"),
            [
                proxy("http://a:8080"),
                proxy("https://b:443"),
                proxy("socks5://c"),
                proxy("socks4://d:1080"),
                Hop::Direct
            ]
        );
        assert_eq!(hops(""), [Hop::Direct]);
        assert_eq!(hops("undefined"), [Hop::Direct]);
        assert_eq!(hops("PROXY"), [Hop::Direct]);
        let many: String = (0..1000).map(|n| format!("PROXY p{n}:1;")).collect();
        assert_eq!(hops(&many).len(), HOPS);
        assert!(understand(&many).text.len() <= 300);
    }

    #[test]
    fn names_hide_credentials() {
        let file = File::Url("http://user:S3cret@p.example/x.pac".into());
        assert!(!file.to_string().contains("S3cret"));
        assert_eq!(File::Url("/etc/x.pac".into()).url(), "file:///etc/x.pac");
    }
}
