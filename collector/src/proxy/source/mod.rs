//! What each place on this machine says about proxies. Reading is here and in
//! the modules below, one a place; what a program makes of it is `client`'s.
//! Nothing here opens a socket. Every parser is portable, so that all of them
//! are tested everywhere; only the reading itself belongs to one system.

pub mod chrome_policy;
pub mod firefox_policy;
pub mod gnome;
pub mod kde;
pub mod macos;
pub mod windows;

use super::variables::Variables;
use crate::config::Credentials;
use wss_bundle::environment::ProxySetting;

/// Most of a settings file that is read.
pub(crate) const FILE_LIMIT: u64 = 1 << 20;

/// Who a source speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The desktop or the operating system.
    System,
    /// Chrome's and Chromium's policies.
    Chrome,
    /// Edge's policies.
    Edge,
    /// Firefox's policies.
    Firefox,
}

/// One source.
#[derive(Debug, Clone)]
pub struct Source {
    /// As in [`ProxySetting::source`]: `gnome`, `windows-user`, `chrome-policy` …
    pub id: &'static str,
    /// For people: `GNOME's settings`.
    pub name: String,
    /// Who it speaks to.
    pub kind: Kind,
    /// What it says.
    pub says: Says,
    /// The same, verbatim but for credentials.
    pub shown: Vec<ProxySetting>,
    /// Credentials that stand in it.
    pub credentials: Vec<Credentials>,
}

/// What a source says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Says {
    /// Look for a PAC file by WPAD.
    pub auto_detect: bool,
    /// A PAC file's URL.
    pub pac: Option<String>,
    /// Proxies by name.
    pub manual: Option<Manual>,
    /// It says in so many words that there is none.
    pub none: bool,
}

impl Says {
    /// Whether it leads anywhere but straight to the target.
    #[must_use]
    pub fn names_something(&self) -> bool {
        self.auto_detect || self.pac.is_some() || self.manual.is_some()
    }
}

/// Proxies by the scheme of what is fetched. Values are as for
/// [`super::address::parse`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manual {
    /// For every scheme.
    pub all: Vec<String>,
    /// For `http`.
    pub http: Vec<String>,
    /// For `https`.
    pub https: Vec<String>,
    /// For what has none of its own.
    pub socks: Vec<String>,
    /// Hosts that go without.
    pub bypass: Vec<String>,
    /// A name in `bypass` stands for all that ends in it.
    pub suffix: bool,
    /// Firefox, too, reads an entry as a pattern with `*` anywhere (Windows, macOS).
    pub patterns: bool,
    /// `bypass` lists those that go by proxy, and no others.
    pub reversed: bool,
}

impl Manual {
    /// Whether it names any proxy.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [&self.all, &self.http, &self.https, &self.socks].iter().all(|list| list.is_empty())
    }

    /// `proxy:8080`, or `http=a:1;https=b:2;socks=c:3`, as Windows and Chrome's
    /// policies write it (Chromium's `ProxyRules::ParseFromString`).
    #[must_use]
    pub fn from_list(text: &str, bypass: Vec<String>) -> Self {
        let mut manual = Self { bypass, ..Self::default() };
        for part in text.split([';', ' ']).map(str::trim).filter(|part| !part.is_empty()) {
            let (scheme, list) = match part.split_once('=') {
                Some((scheme, list)) => (Some(scheme.trim().to_ascii_lowercase()), list),
                None => (None, part),
            };
            let proxies = list.split(',').map(str::trim).filter(|proxy| !proxy.is_empty());
            let proxies = proxies.map(str::to_owned);
            match scheme.as_deref() {
                None => {
                    manual.all.extend(proxies);
                    break;
                }
                Some("http") => manual.http.extend(proxies),
                Some("https") => manual.https.extend(proxies),
                // SOCKS 4, where it does not say which.
                Some("socks") => manual.socks.extend(proxies.map(|proxy| {
                    if proxy.contains("://") { proxy } else { format!("socks4://{proxy}") }
                })),
                Some(_) => {}
            }
        }
        manual
    }
}

/// A setting as it is recorded.
pub(crate) fn setting(source: &str, key: &str, value: &str) -> ProxySetting {
    ProxySetting {
        source: source.into(),
        key: key.into(),
        value: super::address::without_credentials(value),
    }
}

/// What was found on a machine.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Every source that says something, the system's first.
    pub list: Vec<Source>,
    /// What could not be read or understood, and why.
    pub notes: Vec<String>,
    /// Every place that was looked into, for `--dry-run`.
    pub places: Vec<String>,
}

impl Sources {
    /// Those of this machine. Starts `gsettings` (Linux) or `scutil` (macOS)
    /// where they are installed, and nothing else.
    #[must_use]
    pub fn of_machine(variables: &Variables) -> Self {
        let mut found = Self::default();
        if cfg!(windows) {
            windows::read(&mut found);
        } else if cfg!(target_os = "macos") {
            macos::read(&mut found);
        } else {
            gnome::read(&mut found);
            kde::read(&mut found, variables);
        }
        chrome_policy::read(&mut found);
        firefox_policy::read(&mut found);
        found
    }

    /// Reads a small text file; what is not there is no news.
    pub(crate) fn file(&mut self, path: &std::path::Path) -> Option<String> {
        use std::io::Read as _;
        let mut content = Vec::new();
        let read = std::fs::File::open(path)
            .and_then(|file| file.take(FILE_LIMIT + 1).read_to_end(&mut content));
        match read {
            Ok(_) if content.len() as u64 > FILE_LIMIT => {
                self.notes.push(format!("{} is larger than 1 MiB; not read", path.display()));
                None
            }
            Ok(_) => Some(String::from_utf8_lossy(&content).into_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                self.notes.push(format!("{} could not be read: {error}", path.display()));
                None
            }
        }
    }
}

/// Runs a program of the system that prints settings, for at most two seconds.
/// `None` where it is not installed.
#[cfg(unix)]
pub(crate) fn output_of(program: &str, arguments: &[&str]) -> Option<Result<String, String>> {
    use std::io::Read as _;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C");
    // Without a session, dconf would leave `.cache/dconf` in the user's home:
    // nothing but the bundle is to be left anywhere.
    let scratch = tempfile::tempdir().ok();
    if std::env::var_os("XDG_RUNTIME_DIR").is_none()
        && let Some(scratch) = &scratch
    {
        command.env("XDG_RUNTIME_DIR", scratch.path());
    }
    let mut child =
        match command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => return Some(Err(format!("{program} could not be started: {error}"))),
        };
    let stdout = child.stdout.take();
    let until = Instant::now() + Duration::from_secs(2);
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(stdout) = stdout {
            let _ = stdout.take(FILE_LIMIT).read_to_string(&mut text);
        }
        let _ = ended.send(text);
    });
    // What it prints ends with it, and that is seen at once.
    let text = end.recv_timeout(Duration::from_secs(2)).unwrap_or_default();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_micros(200)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Some(Err(format!("{program} did not end within 2 s")));
            }
        }
    };
    if status.success() {
        Some(Ok(text))
    } else {
        Some(Err(format!("{program} ended with {status}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_windows_and_chrome_write_them() {
        let one = Manual::from_list("proxy:8080", Vec::new());
        assert_eq!((one.all.len(), one.https.len()), (1, 0));
        let each = Manual::from_list("http=a:1;https=b:2; socks=c:3;ftp=d:4", Vec::new());
        assert_eq!(
            (each.http, each.https, each.socks, each.all.len()),
            (vec!["a:1".to_owned()], vec!["b:2".to_owned()], vec!["socks4://c:3".to_owned()], 0)
        );
        let several = Manual::from_list("https://a:1,direct://", Vec::new());
        assert_eq!(several.all, ["https://a:1", "direct://"]);
        assert!(Manual::from_list(" ; = ;", Vec::new()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_hangs_is_ended() {
        let started = std::time::Instant::now();
        let answer = output_of("sleep", &["600"]);
        assert!(matches!(answer, Some(Err(why)) if why.contains("2 s")));
        assert!(started.elapsed().as_secs() < 60);
        assert!(output_of("no-such-program-here", &[]).is_none());
        assert!(matches!(output_of("false", &[]), Some(Err(_))));
        assert_eq!(output_of("echo", &["x"]), Some(Ok("x\n".to_owned())));
    }
}
