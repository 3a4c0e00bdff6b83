//! PAC files: what they answer, and how an answer is read. `engine` runs the
//! script, which is nobody's friend; `functions` is what it may call; `load`
//! is the only part that touches the network.

pub mod engine;
pub mod functions;
pub mod load;

use super::client::Hop;
use crate::config::Credentials;
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
#[derive(Debug, Clone)]
pub struct Said {
    /// Word for word, cut to a sensible length, without credentials.
    pub text: String,
    /// The same, understood.
    pub hops: Vec<Hop>,
    /// Entries that Chrome leaves out, without credentials, and why.
    pub dropped: Vec<Dropped>,
    /// What stood before an `@`, whatever else was wrong with the entry.
    pub credentials: Vec<Credentials>,
}

/// An entry that Chrome leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The entry, without credentials.
    pub entry: String,
    /// Why.
    pub why: &'static str,
}

impl Said {
    /// What Chrome does with the entries that it leaves out; nothing where there
    /// are none.
    #[must_use]
    pub fn without(&self) -> Option<String> {
        let one = |d: &Dropped| format!("Chrome drops the entry `{}` ({})", d.entry, d.why);
        let all: Vec<String> = self.dropped.iter().map(one).collect();
        let then = match self.hops.as_slice() {
            [Hop::Direct] => " and goes directly",
            _ => "",
        };
        (!all.is_empty()).then(|| format!("{}{then}", all.join(", ")))
    }
}

/// A PAC file's answers for one target.
#[derive(Debug, Clone)]
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

/// Understands what `FindProxyForURL` returned, as Chromium does
/// (`net/base/proxy_string_util.cc`): `PROXY a:8080; SOCKS5 b; DIRECT`. What it
/// cannot use is left out; nothing left is direct. Held by a test with a real
/// Chromium.
#[must_use]
pub fn understand(text: &str) -> Said {
    let mut said = Said {
        text: String::new(),
        hops: Vec::new(),
        dropped: Vec::new(),
        credentials: Vec::new(),
    };
    let mut shown: Vec<String> = Vec::new();
    for part in text.split(';').map(trim).filter(|part| !part.is_empty()) {
        said.credentials.extend(credentials_in_entry(part));
        let plain = without_secrets(part);
        let taken = if text.is_ascii() { entry(part) } else { Err(NOT_ASCII) };
        match taken {
            Ok(hop) => {
                if !said.hops.contains(&hop) && said.hops.len() < HOPS {
                    said.hops.push(hop);
                }
            }
            Err(why) => {
                if said.dropped.len() < HOPS {
                    let entry = plain.chars().filter(|c| !c.is_control()).take(100).collect();
                    said.dropped.push(Dropped { entry, why });
                }
            }
        }
        shown.push(plain);
    }
    if said.hops.is_empty() {
        said.hops.push(Hop::Direct);
    }
    said.text = shown.join("; ").chars().filter(|c| !c.is_control()).take(300).collect();
    if said.text.trim().is_empty() {
        said.text = "nothing, which is DIRECT".to_owned();
    }
    said
}

const NOT_ASCII: &str = "there is more than ASCII in the answer, and it takes none of it";

/// A PAC file as text, as Chromium takes it: by its mark (UTF-8, UTF-16 of either order),
/// otherwise as the server's `charset` says, otherwise as ISO 8859-1, in which every byte
/// is a character.
#[must_use]
pub fn script(bytes: &[u8], charset: Option<&str>) -> String {
    let marked = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    if marked {
        return wss_bundle::pasted::text(bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return String::from_utf8_lossy(rest).into_owned();
    }
    match charset {
        Some(name) if name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8") => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Blanks as HTTP has them: an end of a line is none.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// One entry, or why Chromium leaves it out.
fn entry(part: &str) -> Result<Hop, &'static str> {
    let (kind, place) = match part.find([' ', '\t']) {
        Some(at) => (&part[..at], trim(&part[at..])),
        None => (part, ""),
    };
    let scheme = match kind.to_ascii_uppercase().as_str() {
        "DIRECT" if place.is_empty() => return Ok(Hop::Direct),
        "DIRECT" => return Err("DIRECT has no host"),
        "PROXY" => "http",
        "HTTPS" => "https",
        // SOCKS 4 for Chrome; Firefox takes it for 5.
        "SOCKS" | "SOCKS4" => "socks4",
        "SOCKS5" => "socks5",
        _ => return Err("the kind is unknown to it"),
    };
    if place.contains('@') {
        return Err("an entry with a user name or password is invalid there");
    }
    if place.is_empty() {
        return Err("it names no proxy");
    }
    if !is_place(place) {
        return Err("it is no host and port");
    }
    Ok(Hop::Proxy(format!("{scheme}://{place}")))
}

/// `host`, `host:port`, `[::1]:port`.
fn is_place(place: &str) -> bool {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, after)) if host.parse::<std::net::Ipv6Addr>().is_ok() => {
                (host, after.strip_prefix(':').or(after.is_empty().then_some("80")))
            }
            _ => return false,
        },
        None => match place.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, Some("80")),
        },
    };
    let named = |c: char| c.is_alphanumeric() || ".-_:%".contains(c);
    let name = !host.is_empty()
        && host.chars().all(named)
        && (place.starts_with('[') || !host.contains(':'));
    name && port.is_some_and(|port| {
        !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
    })
}

/// The entry without what stands before an `@`.
fn without_secrets(part: &str) -> String {
    match (part.rsplit_once('@'), part.split_once([' ', '\t'])) {
        (None, _) => part.to_owned(),
        (Some((_, host)), Some((kind, _))) if kind.chars().all(char::is_alphanumeric) => {
            format!("{kind} [removed]@{host}")
        }
        (Some((_, host)), _) => format!("[removed]@{host}"),
    }
}

fn credentials_in_entry(part: &str) -> Option<Credentials> {
    let place = part.split_once([' ', '\t']).map_or(part, |(_, place)| place);
    super::address::credentials_in(trim(place))
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
        // Real Chromium takes none of these (tests/tests/browser_pac.rs).
        for invalid in [
            "HTTP a:1",
            "PROXY u:p@a:1",
            "DIRECT a:1",
            "PROXY a:x",
            "PROXY a:1 PROXY b:2",
            "PROXY http://a:1",
            "PROXY a:",
            "PROXY a:70000",
        ] {
            assert_eq!(hops(invalid), [Hop::Direct], "{invalid}");
            assert_eq!(understand(invalid).dropped.len(), 1, "{invalid}");
        }
        assert_eq!(hops("PROXY u:p@a:1; PROXY b:2"), [proxy("http://b:2")]);
        assert_eq!(hops("proxy\ta:8080;;"), [proxy("http://a:8080")]);
        for broken in ["PROXY a:1\n", "\nPROXY a:1", "PROXY p\u{e4}.example:1; PROXY b:2"] {
            assert_eq!(hops(broken), [Hop::Direct], "{broken:?}");
            assert!(!understand(broken).dropped.is_empty(), "{broken:?}");
        }
        let said = understand("PROXY reader:Pa55@a:1; DIRECT");
        assert_eq!(said.text, "PROXY [removed]@a:1; DIRECT");
        assert!(!format!("{said:?}").contains("Pa55"), "{said:?}");
        assert_eq!(said.credentials.len(), 1);
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
