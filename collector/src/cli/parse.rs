//! Single values of the command line. Each error is one sentence that says what
//! is wrong and what would be right; none repeats a credential.

pub use crate::target::target;
pub use wss_bundle::target::{left_out, path};

use crate::config::{Credentials, ResolveOverride};
use crate::target::url_credentials;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;
use wss_bundle::target::Scheme;
use wss_bundle::{Secret, Target, Vantage};

/// `inside` or `outside`.
///
/// # Errors
/// Anything else.
pub fn vantage(text: &str) -> Result<Vantage, String> {
    match text.to_ascii_lowercase().as_str() {
        "inside" => Ok(Vantage::Inside),
        "outside" => Ok(Vantage::Outside),
        _ => Err("expected inside (on the corporate network) or outside".to_owned()),
    }
}

/// `VANTAGE=FILE`.
///
/// # Errors
/// Anything else.
pub fn curl_output(text: &str) -> Result<(Vantage, PathBuf), String> {
    let wrong =
        || "expected outside=FILE or inside=FILE: where curl ran, and its output".to_owned();
    let (side, file) = text.split_once('=').ok_or_else(wrong)?;
    let side = vantage(side.trim()).map_err(|_| wrong())?;
    if file.is_empty() {
        return Err(wrong());
    }
    Ok((side, PathBuf::from(file)))
}

/// A case id: it becomes part of commands to paste, so no shell characters.
///
/// # Errors
/// Other characters, or too many.
pub fn case(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.#/".contains(c);
    if text.is_empty() || text.len() > 64 || !text.chars().all(plain) {
        return Err("expected up to 64 letters, digits, and -_.#/".to_owned());
    }
    Ok(text.to_owned())
}

/// A ticket's id: other systems write it as they like, so that spaces and more are taken.
///
/// # Errors
/// Nothing, too much, or what no name may hold.
pub fn ticket(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 64 || text.chars().any(char::is_control) {
        return Err("expected up to 64 characters".to_owned());
    }
    Ok(text.to_owned())
}

/// `500ms`, `10s`, `2m`, `1h`, or a number of seconds.
///
/// # Errors
/// Anything else, and more than a day.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a duration such as 500ms, 10s, 2m or 1h (0 to 24h)".to_owned();
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit.trim() {
        "" | "s" => number,
        "ms" => number / 1e3,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(wrong()),
    };
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err(wrong());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// A duration that leaves a step some time.
///
/// # Errors
/// As [`duration`]; less than 50 ms, or more than ten minutes.
pub fn timeout(text: &str) -> Result<Duration, String> {
    let limit = duration(text)?;
    if limit < Duration::from_millis(50) || limit > Duration::from_secs(600) {
        return Err("expected between 50ms and 10m".to_owned());
    }
    Ok(limit)
}

/// `HOST:PORT:ADDR[,ADDR]`, as curl's `--resolve`.
///
/// # Errors
/// Anything else.
pub fn resolve(text: &str) -> Result<ResolveOverride, String> {
    let wrong =
        || "expected HOST:PORT:ADDRESS, for example bindplane.corp.com:443:10.0.0.5".to_owned();
    // curl's `+` (a time limit) and `-` (removal) make no sense for one run.
    let (host, rest) = match text.trim_start_matches('+').strip_prefix('[') {
        Some(v6) => v6.split_once("]:").ok_or_else(wrong)?,
        None => text.trim_start_matches('+').split_once(':').ok_or_else(wrong)?,
    };
    let (port, addresses) = rest.split_once(':').ok_or_else(wrong)?;
    let port = port.parse().ok().filter(|p| *p != 0).ok_or_else(wrong)?;
    let addresses: Vec<IpAddr> = addresses
        .split(',')
        .map(|a| a.trim().trim_matches(['[', ']']).parse())
        .collect::<Result<_, _>>()
        .map_err(|_| wrong())?;
    if host.is_empty() || addresses.is_empty() {
        return Err(wrong());
    }
    Ok(ResolveOverride { host: host.to_ascii_lowercase(), port, addresses })
}

/// `Name: value`, or curl's `Name;` for an empty value. `Name:` removes curl's own.
///
/// # Errors
/// No colon, no name, a line break.
pub fn header(line: &str) -> Result<(String, Secret), String> {
    // Without a colon nobody knows whether it is a name or a secret: not shown.
    let (name, value) = line
        .split_once(':')
        .or_else(|| line.strip_suffix(';').map(|name| (name, "")))
        .ok_or("a header given with -H has no colon; expected 'Name: value'")?;
    let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    let wrong = |why: &str| format!("the header {shown:?} {why}; expected 'Name: value'");
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) {
        return Err(wrong("has no valid name"));
    }
    if value.chars().any(|c| c == '\r' || c == '\n' || c == '\0') {
        return Err(wrong("has a line break in its value"));
    }
    Ok((name.to_owned(), Secret::new(value.trim())))
}

/// `USER:PASSWORD`; without a colon the password is empty.
#[must_use]
pub fn credentials(text: &str) -> Credentials {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Credentials { user: Secret::new(user), password: Secret::new(password) }
}

/// Where a bundle is uploaded to.
#[derive(Debug)]
pub struct Destination {
    /// Host and port.
    pub target: Target,
    /// Path and query, as they are sent.
    pub path: String,
    /// The URL's credentials.
    pub auth: Option<Credentials>,
    /// Everything in it that is a secret.
    pub secrets: Vec<Secret>,
}

impl Destination {
    /// The URL without its query.
    #[must_use]
    pub fn shown(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let query = if self.path.contains('?') { "?[removed]" } else { "" };
        format!("{}{query}", self.target.url(path))
    }
}

/// The URL of an upload. Nothing of it stands in an error but scheme and host.
///
/// # Errors
/// Another scheme than https and http, no host, something that is no URL.
pub fn destination(text: &str) -> Result<Destination, String> {
    let expected = "expected an https:// URL, in quotes where it has a & in it";
    let url = Url::parse(text.trim()).map_err(|error| format!("--to: {error}; {expected}"))?;
    let scheme = match url.scheme() {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return Err(format!("--to: {expected}")),
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or_else(|| scheme.default_port());
    if host.is_empty() || port == 0 {
        return Err(format!("--to: it has no host or port; {expected}"));
    }
    let path = url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
    let auth = url_credentials(&url);
    let mut secrets: Vec<Secret> = url.query().map(Secret::new).into_iter().collect();
    secrets.extend(url.query_pairs().map(|(_, value)| Secret::new(value)));
    secrets.extend(auth.iter().flat_map(|a| [a.user.clone(), a.password.clone()]));
    let target = Target { scheme, host, port, paths: vec![path.clone()] };
    Ok(Destination { target, path, auth, secrets })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let ok = |text: &str| target(text, &[]).unwrap().0;
        for (text, origin, paths) in [
            ("bindplane.corp.com", "https://bindplane.corp.com", 3),
            ("BindPlane.Corp.COM.", "https://bindplane.corp.com", 3),
            ("bindplane.corp.com:3001", "https://bindplane.corp.com:3001", 3),
            ("wss://b.example/v1/ws?x=1", "https://b.example", 1),
            ("ws://b.example:8080", "http://b.example:8080", 3),
            ("http://b.example/", "http://b.example", 3),
            ("[2001:db8::1]:3001", "https://[2001:db8::1]:3001", 3),
            ("10.0.0.1", "https://10.0.0.1", 3),
            ("bücher.example", "https://xn--bcher-kva.example", 3),
            ("BÜCHER.Example/#/agents", "https://xn--bcher-kva.example", 3),
            ("https://b.example/#/agents", "https://b.example", 3),
            ("https://b.example#agents", "https://b.example", 3),
            ("b.example:3001/", "https://b.example:3001", 3),
            ("b.example/login", "https://b.example", 1),
            (" <https://b.example/agents> ", "https://b.example", 1),
            ("\u{201c}https://b.example/agents\u{201d}", "https://b.example", 1),
            ("'HTTPS://B.Example/Agents'", "https://b.example", 1),
            ("view-source:https://b.example/overview?a=b#c", "https://b.example", 1),
            ("//b.example/agents/", "https://b.example", 1),
            ("\u{feff}https://b.example/\u{200b}", "https://b.example", 3),
        ] {
            let target = ok(text);
            assert_eq!((target.origin().as_str(), target.paths.len()), (origin, paths), "{text}");
        }
        assert_eq!(ok("wss://b.example/v1/ws?x=1").paths, ["/v1/ws?x=1"]);
        assert_eq!(ok("view-source:https://b.example/overview?a=b#c").paths, ["/overview?a=b"]);
        assert!(left_out("https://b.example/#/agents").unwrap().contains("#/agents"));
        assert_eq!(left_out("https://b.example/agents"), None);
        let given = target("b.example/ignored", &["/a".into(), "/a".into(), "/b".into()]).unwrap();
        assert_eq!(given.0.paths, ["/a", "/b"]);
    }

    #[test]
    fn bad_targets_say_why_and_no_secret() {
        for (text, says) in [
            ("", "empty"),
            ("a b", "blanks"),
            ("--help", "hyphen"),
            ("ftp://x", "scheme"),
            ("https://", "understood"),
            ("https://:443", "understood"),
            ("host:0", "port is 0"),
            ("host:99999", "understood"),
            ("#x", "empty"),
            ("https://user:S3cret@", "understood"),
        ] {
            let error = target(text, &[]).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
            assert!(!error.contains("S3cret"), "{error}");
        }
    }

    #[test]
    fn credentials_leave_the_target() {
        let (target, credentials) = target("https://us%65r:p%40ss@b.example/x", &[]).unwrap();
        let credentials = credentials.unwrap();
        assert_eq!((credentials.user.expose(), credentials.password.expose()), ("user", "p@ss"));
        assert_eq!(target.url(&target.paths[0]), "https://b.example/x");
    }

    #[test]
    fn durations() {
        for (text, ms) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("7", 7000),
            ("0", 0),
        ] {
            assert_eq!(duration(text).unwrap().as_millis(), ms, "{text}");
        }
        for text in ["", "s", "-1", "1d", "25h", "1e9", "nan", "∞"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(timeout("0").is_err() && timeout("1h").is_err());
    }

    #[test]
    fn headers_and_overrides() {
        let (name, value) = header("X-Api-Key:  abc ").unwrap();
        assert_eq!((name.as_str(), value.expose()), ("X-Api-Key", "abc"));
        assert_eq!(header("X-Empty;").unwrap().1.expose(), "");
        for line in ["no colon", ": x", "a b: x", "A: b\r\nC: d"] {
            assert!(header(line).is_err(), "{line}");
        }
        for line in ["Authorization Bearer S3cret", "S3cret", "X-Key: S3cret\nx"] {
            let error = header(line).unwrap_err();
            assert!(!error.contains("S3cret"), "{error}");
        }

        let one = resolve("B.example:443:127.0.0.1,[::1]").unwrap();
        assert_eq!((one.host.as_str(), one.port, one.addresses.len()), ("b.example", 443, 2));
        for text in ["b", "b:443", "b:0:127.0.0.1", "b:443:nowhere", ":443:127.0.0.1"] {
            assert!(resolve(text).is_err(), "{text}");
        }
    }
}
