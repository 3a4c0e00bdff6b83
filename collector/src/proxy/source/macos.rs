//! macOS' settings, as `scutil --proxy` prints them. Unverified on a Mac: the
//! parser is tested with output in the form that Apple's tool has.

use super::{Kind, Manual, Says, Source, Sources, setting};
use std::collections::BTreeMap;

#[cfg(target_os = "macos")]
pub(super) fn read(found: &mut Sources) {
    found.places.push("macOS' proxy settings (scutil --proxy)".to_owned());
    match super::output_of("/usr/sbin/scutil", &["--proxy"]) {
        Some(Ok(text)) => found.list.extend(parse(&text)),
        Some(Err(why)) => found.notes.push(format!("macOS' proxy settings: {why}")),
        None => found.notes.push("scutil was not found; macOS' settings are unread".to_owned()),
    }
}

#[cfg(not(target_os = "macos"))]
pub(super) fn read(_: &mut Sources) {}

/// Understands `scutil --proxy`.
#[must_use]
pub fn parse(text: &str) -> Option<Source> {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut exceptions = Vec::new();
    let mut list: Option<String> = None;
    let mut depth = 0_u32;
    for line in text.lines().map(str::trim) {
        if line == "}" {
            depth = depth.saturating_sub(1);
            list = None;
            continue;
        }
        let Some((key, value)) = line.split_once(" : ") else {
            depth += u32::from(line.ends_with('{'));
            continue;
        };
        if value.ends_with('{') {
            depth += 1;
            list = value.starts_with("<array>").then(|| key.to_owned());
        } else if list.as_deref() == Some("ExceptionsList") && depth == 2 {
            exceptions.push(value.to_owned());
        } else if depth == 1 {
            values.insert(key.to_owned(), value.to_owned());
        }
    }
    if values.is_empty() {
        return None;
    }
    let on = |key: &str| values.get(key).is_some_and(|value| value == "1");
    let proxy = |name: &str, scheme: &str| -> Vec<String> {
        let host = values.get(&format!("{name}Proxy")).filter(|_| on(&format!("{name}Enable")));
        host.map(|host| match values.get(&format!("{name}Port")) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        })
        .into_iter()
        .collect()
    };
    let mut bypass = exceptions.clone();
    if on("ExcludeSimpleHostnames") {
        bypass.push("<local>".to_owned());
    }
    let manual = Manual {
        http: proxy("HTTP", "http"),
        https: proxy("HTTPS", "http"),
        socks: proxy("SOCKS", "socks5"),
        bypass,
        patterns: true,
        ..Manual::default()
    };
    let pac = values.get("ProxyAutoConfigURLString").filter(|_| on("ProxyAutoConfigEnable"));
    let says = Says {
        auto_detect: on("ProxyAutoDiscoveryEnable"),
        pac: pac.cloned(),
        manual: (!manual.is_empty()).then_some(manual),
        none: false,
    };
    let mut shown: Vec<_> =
        values.iter().map(|(key, value)| setting("macos", key, value)).collect();
    if !exceptions.is_empty() {
        shown.push(setting("macos", "ExceptionsList", &exceptions.join(", ")));
    }
    let none = !says.names_something();
    Some(Source {
        id: "macos",
        name: "macOS' settings".into(),
        kind: Kind::System,
        says: Says { none, ..says },
        shown,
        credentials: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
<dictionary> {
  ExceptionsList : <array> {
    0 : *.local
    1 : 169.254/16
  }
  ExcludeSimpleHostnames : 1
  FTPPassive : 1
  HTTPEnable : 1
  HTTPPort : 8080
  HTTPProxy : proxy.corp.example
  HTTPSEnable : 1
  HTTPSPort : 8443
  HTTPSProxy : proxy.corp.example
  ProxyAutoConfigEnable : 0
  ProxyAutoConfigURLString : http://proxy.corp.example/x.pac
  ProxyAutoDiscoveryEnable : 0
  SOCKSEnable : 0
  SOCKSPort : 1080
  SOCKSProxy : socks.corp.example
  __SCOPED__ : <dictionary> {
    en0 : <dictionary> {
      HTTPProxy : other.corp.example
      ExceptionsList : <array> {
        0 : nothing
      }
    }
  }
}
";

    #[test]
    fn manual_and_pac() {
        let says = parse(TEXT).unwrap().says;
        let manual = says.manual.unwrap();
        assert_eq!(manual.http, ["http://proxy.corp.example:8080"]);
        assert_eq!(manual.https, ["http://proxy.corp.example:8443"]);
        assert!(manual.socks.is_empty() && says.pac.is_none() && !says.auto_detect);
        assert_eq!(manual.bypass, ["*.local", "169.254/16", "<local>"]);
        let auto = TEXT.replace("AutoConfigEnable : 0", "AutoConfigEnable : 1");
        assert_eq!(
            parse(&auto).unwrap().says.pac.as_deref(),
            Some("http://proxy.corp.example/x.pac")
        );
    }

    #[test]
    fn nothing_set() {
        let says = parse("<dictionary> {\n  FTPPassive : 1\n}\n").unwrap().says;
        assert!(says.none && !says.names_something());
        assert!(parse("No proxy\n").is_none() && parse("").is_none());
        assert!(parse("} } }\n{ {\n : \n").is_none());
    }
}
