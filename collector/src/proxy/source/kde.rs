//! KDE's settings: the section `Proxy Settings` of `kioslaverc`, as Chrome
//! reads it (Chromium's `SettingGetterImplKDE`). Firefox does not read it.

use super::{Kind, Manual, Says, Source, Sources, setting};
use crate::proxy::address::credentials_in;
use crate::proxy::bypass::entries;
use crate::proxy::variables::Variables;
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) fn read(found: &mut Sources, variables: &Variables) {
    let path = match (variables.get("KDEHOME"), variables.get("HOME")) {
        (Some(kde), _) => PathBuf::from(kde).join("share/config/kioslaverc"),
        (None, Some(home)) => PathBuf::from(home).join(".config/kioslaverc"),
        (None, None) => return,
    };
    if let Some(text) = found.file(&path) {
        found.places.push(format!("KDE's proxy settings ({})", path.display()));
        let (source, notes) = parse(&text, variables);
        found.list.extend(source);
        found.notes.extend(notes);
    }
}

/// Understands `kioslaverc`.
#[must_use]
pub fn parse(text: &str, variables: &Variables) -> (Option<Source>, Vec<String>) {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut within = false;
    for line in text.lines() {
        if line.starts_with('[') {
            within = line.starts_with("[Proxy Settings]");
        } else if within && let Some((key, value)) = line.split_once('=') {
            // `key[$e]` and `key[de]` are the same key.
            let key = key.split('[').next().unwrap_or_default().trim();
            values.insert(key.to_owned(), value.trim().to_owned());
        }
    }
    if values.is_empty() {
        return (None, Vec::new());
    }
    let value = |key: &str| values.get(key).map(String::as_str).filter(|value| !value.is_empty());
    let kind = value("ProxyType").and_then(|number| number.parse::<u8>().ok()).unwrap_or(0);
    let mut notes = Vec::new();
    let mut proxy = |key: &str, scheme: &str| -> Vec<String> {
        let Some(written) = value(key) else { return Vec::new() };
        // Of type 4, the value names a variable.
        let written = match kind {
            4 => match variables.get(written) {
                Some(named) => named,
                None => {
                    notes.push(format!("KDE's {key} names the variable {written}, which is unset"));
                    return Vec::new();
                }
            },
            _ => written,
        };
        if written.starts_with("//:") {
            return Vec::new();
        }
        // `http://host 8080`: newer versions put a blank where the colon was.
        let joined = written.trim().replacen(' ', ":", 1);
        let rest = joined.split_once("://").map_or(joined.as_str(), |(_, rest)| rest);
        let scheme = if joined.starts_with("socks4://") { "socks4" } else { scheme };
        vec![format!("{scheme}://{}", rest.trim_end_matches('/'))]
    };
    let manual = Manual {
        http: proxy("httpProxy", "http"),
        https: proxy("httpsProxy", "http"),
        socks: proxy("socksProxy", "socks5"),
        bypass: value("NoProxyFor")
            .and_then(|list| if kind == 4 { variables.get(list) } else { Some(list) })
            .map(|list| entries(list, &[',', ' ']))
            .unwrap_or_default(),
        suffix: true,
        reversed: value("ReversedException").is_some_and(|v| v != "false" && v != "0"),
        ..Manual::default()
    };
    let pac = value("Proxy Config Script").map(str::to_owned);
    let says = match kind {
        1 | 4 => Says { manual: (!manual.is_empty()).then_some(manual), ..Says::default() },
        2 => Says { auto_detect: pac.is_none(), pac, ..Says::default() },
        3 => Says { auto_detect: true, ..Says::default() },
        _ => Says { none: true, ..Says::default() },
    };
    let keys = [
        "ProxyType",
        "httpProxy",
        "httpsProxy",
        "socksProxy",
        "Proxy Config Script",
        "NoProxyFor",
        "ReversedException",
    ];
    let shown = keys.iter().filter_map(|key| Some(setting("kde", key, value(key)?))).collect();
    let credentials = ["httpProxy", "httpsProxy", "socksProxy", "Proxy Config Script"]
        .iter()
        .filter_map(|key| credentials_in(value(key)?))
        .collect();
    let source = Source {
        id: "kde",
        name: "KDE's settings".into(),
        kind: Kind::System,
        says,
        shown,
        credentials,
    };
    (Some(source), notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> Says {
        parse(text, &Variables::default()).0.unwrap().says
    }

    const MANUAL: &str = "[General]\nProxyType=3\n[Proxy Settings]\nNoProxyFor=localhost,corp.example\n\
        Proxy Config Script[$e]=http://p.example/x.pac\nProxyType=1\nReversedException=false\n\
        httpProxy=http://user:S3cret@p.example 8080\nhttpsProxy=http://p.example:8443/\n\
        socksProxy=socks://p.example 1080\nftpProxy=\n";

    #[test]
    fn types() {
        let manual = says(MANUAL).manual.unwrap();
        assert_eq!(manual.https, ["http://p.example:8443"]);
        assert_eq!(manual.socks, ["socks5://p.example:1080"]);
        assert_eq!(manual.bypass, ["localhost", "corp.example"]);
        assert!(manual.suffix && !manual.reversed);
        let pac = says(&MANUAL.replace("ProxyType=1", "ProxyType=2"));
        assert_eq!(pac.pac.as_deref(), Some("http://p.example/x.pac"));
        let wpad = says(&MANUAL.replace("ProxyType=1", "ProxyType=3"));
        assert!(wpad.auto_detect && wpad.pac.is_none());
        assert!(says(&MANUAL.replace("ProxyType=1", "ProxyType=0")).none);
        assert!(says(&MANUAL.replace("ProxyType=1", "ProxyType=x")).none);
        assert!(parse("[Other]\nProxyType=1\n", &Variables::default()).0.is_none());
    }

    #[test]
    fn variables_by_name() {
        let variables = Variables::new([("https_proxy", "http://p.example:3128")]);
        let text = "[Proxy Settings]\nProxyType=4\nhttpsProxy=https_proxy\nhttpProxy=MY_PROXY\n";
        let (source, notes) = parse(text, &variables);
        assert_eq!(source.unwrap().says.manual.unwrap().https, ["http://p.example:3128"]);
        assert!(notes[0].contains("MY_PROXY"), "{notes:?}");
    }

    #[test]
    fn no_credential_is_shown() {
        let source = parse(MANUAL, &Variables::default()).0.unwrap();
        assert!(!format!("{:?}", source.shown).contains("S3cret"));
        assert_eq!(source.credentials[0].password.expose(), "S3cret");
    }
}
