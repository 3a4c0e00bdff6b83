//! What each product is called, where it is, and how it stays in the foreground.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// nginx
    Nginx,
    /// HAProxy
    Haproxy,
    /// Squid, with TLS
    Squid,
    /// Apache httpd
    Apache,
    /// Caddy
    Caddy,
    /// Varnish
    Varnish,
    /// tinyproxy
    Tinyproxy,
    /// lighttpd
    Lighttpd,
    /// nghttpx
    Nghttpx,
    /// Dante
    Dante,
    /// stunnel
    Stunnel,
    /// Envoy
    Envoy,
    /// H2O
    H2o,
    /// mitmproxy's sibling without a screen
    Mitmdump,
    /// The origin: Go and gorilla/websocket (`tests/origin/gorilla/`)
    Gorilla,
}

impl Product {
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Squid => "squid",
            Self::Apache => "apache2",
            Self::Caddy => "caddy",
            Self::Varnish => "varnishd",
            Self::Tinyproxy => "tinyproxy",
            Self::Lighttpd => "lighttpd",
            Self::Nghttpx => "nghttpx",
            Self::Dante => "danted",
            Self::Stunnel => "stunnel4",
            Self::Envoy => "envoy",
            Self::H2o => "h2o",
            Self::Mitmdump => "mitmdump",
            Self::Gorilla => "gorilla",
        }
    }

    /// Its Debian package; `None` for what `tests/run` puts into `target/`.
    fn package(self) -> Option<&'static str> {
        Some(match self {
            Self::Nginx => "nginx-light",
            Self::Squid => "squid-openssl",
            Self::Varnish => "varnish",
            Self::Nghttpx => "nghttp2-proxy",
            Self::Dante => "dante-server",
            Self::Mitmdump => "mitmproxy",
            other if other.fetched().is_some() => return None,
            other => other.program(),
        })
    }

    /// Where `tests/run` puts what is no Debian package, below `target/`.
    fn fetched(self) -> Option<&'static str> {
        match self {
            Self::Envoy => Some("envoy/envoy/_bin/envoy"),
            Self::Gorilla => Some("gorilla/origin"),
            _ => None,
        }
    }

    /// The program's path. Daemons are in `sbin`, which is not in everybody's PATH.
    #[must_use]
    pub fn find(self) -> Option<PathBuf> {
        if let Some(place) = self.fetched() {
            let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target").join(place);
            return program.canonicalize().ok();
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .chain(["/usr/sbin".into(), "/usr/bin".into(), "/usr/local/sbin".into()])
            .map(|folder| folder.join(self.program()))
            .find(|program| program.is_file())
    }

    /// What to do when it is not there.
    #[must_use]
    pub fn how_to_get(self) -> String {
        let name = self.program();
        match (self.package(), self.fetched()) {
            (Some(package), _) => {
                format!("{name} is not installed: apt-get install {package} (./tests/run does)")
            }
            (None, place) => {
                let place = place.unwrap_or_default();
                format!("{name} is not there (target/{place}): ./tests/run install fetches it")
            }
        }
    }

    /// The name of its configuration file, for those that go by it.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Envoy => "lab.yaml",
            Self::Mitmdump => "config.yaml",
            _ => "lab.conf",
        }
    }

    /// Arguments with which it stays in the foreground.
    pub(super) fn arguments(self, config: &Path, folder: &Path, port: u16) -> Vec<String> {
        let config = config.display().to_string();
        let folder = folder.display().to_string();
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Nginx => {
                let log = format!("{folder}/error.log");
                words(&["-p", &folder, "-e", &log, "-c", &config, "-g", "daemon off;"])
            }
            Self::Haproxy => words(&["-db", "-f", &config]),
            Self::Squid => words(&["-N", "-f", &config, "-n", &format!("lab{port}")]),
            Self::Apache => words(&["-D", "FOREGROUND", "-d", &folder, "-f", &config]),
            Self::Caddy => words(&["run", "--adapter", "caddyfile", "--config", &config]),
            Self::Varnish => {
                let listen = format!("127.0.0.1:{port}");
                words(&["-F", "-n", &folder, "-a", &listen, "-f", &config, "-s", "malloc,16m"])
            }
            Self::Tinyproxy => words(&["-d", "-c", &config]),
            Self::Lighttpd => words(&["-D", "-f", &config]),
            Self::Nghttpx => words(&["--conf", &config]),
            Self::Dante => words(&["-N", "1", "-f", &config]),
            Self::Stunnel | Self::Gorilla => vec![config],
            // Without hot restart several can run beside each other.
            Self::Envoy => words(&["-c", &config, "--disable-hot-restart", "--concurrency", "1"]),
            Self::H2o => words(&["-m", "worker", "-c", &config]),
            Self::Mitmdump => words(&["--set", &format!("confdir={folder}")]),
        }
    }

    fn version_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Caddy => &["version"],
            Self::Varnish => &["-V"],
            Self::Nghttpx | Self::Envoy | Self::H2o | Self::Mitmdump => &["--version"],
            Self::Stunnel => &["-version"],
            _ => &["-v"],
        }
    }

    /// Version as the program tells it; `None` where it does not.
    #[must_use]
    pub fn version(self) -> Option<String> {
        if self == Self::Gorilla {
            return None;
        }
        let output = Command::new(self.find()?).args(self.version_arguments()).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        first_version(&String::from_utf8_lossy(&text))
    }
}

/// The first number with a dot in it.
fn first_version(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|word| word.trim_matches('.'))
        .find(|word| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_programs_say() {
        for (text, version) in [
            ("nginx version: nginx/1.22.1", "1.22.1"),
            ("nghttpx nghttp2/1.52.0", "1.52.0"),
            ("envoy  version: b5a4a3ce3d/1.40.0/Clean/RELEASE/BoringSSL", "1.40.0"),
            ("varnishd (varnish-7.1.1 revision 7cee1c58", "7.1.1"),
            ("HAProxy version 2.6.12-1+deb12u3 2025/10/03 - https://haproxy.org/", "2.6.12"),
        ] {
            assert_eq!(first_version(text).as_deref(), Some(version));
        }
        assert_eq!(first_version("no version 7"), None);
    }
}
