//! Firefox's policies about proxies: `policies.json` of the administrator's,
//! and on Windows the registry. Never the user's profile: what is set in
//! Firefox itself stays unknown. Keys as
//! <https://mozilla.github.io/policy-templates/#proxy> has them.

use super::{Kind, Manual, Says, Source, Sources, setting};
use crate::proxy::address::credentials_in;
use crate::proxy::bypass::entries;
use serde_json::{Map, Value};
use std::path::Path;

/// Where Firefox looks, in its order: the system's folder, then its own.
const FILES: &[&str] = if cfg!(windows) {
    &[r"C:\Program Files\Mozilla Firefox\distribution\policies.json"]
} else if cfg!(target_os = "macos") {
    &["/Applications/Firefox.app/Contents/Resources/distribution/policies.json"]
} else {
    &[
        "/etc/firefox/policies/policies.json",
        "/usr/lib/firefox/distribution/policies.json",
        "/usr/lib64/firefox/distribution/policies.json",
        "/usr/lib/firefox-esr/distribution/policies.json",
        "/opt/firefox/distribution/policies.json",
    ]
};

const ID: &str = "firefox-policy";

pub(super) fn read(found: &mut Sources) {
    #[cfg(windows)]
    {
        use super::windows::{Root, key};
        const KEY: &str = r"Software\Policies\Mozilla\Firefox\Proxy";
        found.places.push(format!("Firefox's policies (registry, {KEY})"));
        let values = [Root::Machine, Root::User].into_iter().find_map(|root| key(root, KEY));
        if let Some(source) = values.and_then(|values| parse(&from_registry(&values))) {
            found.list.push(source);
            return;
        }
    }
    for path in FILES {
        let Some(text) = found.file(Path::new(path)) else { continue };
        found.places.push(format!("Firefox's policies ({path})"));
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => {
                let proxy = value.pointer("/policies/Proxy").and_then(Value::as_object);
                found.list.extend(proxy.and_then(parse));
            }
            Err(error) => found.notes.push(format!("{path} could not be understood: {error}")),
        }
        return;
    }
}

/// The policy's values from the registry.
#[cfg_attr(not(windows), allow(dead_code))]
fn from_registry(values: &super::windows::Values) -> Map<String, Value> {
    let texts = ["Mode", "HTTPProxy", "SSLProxy", "SOCKSProxy", "Passthrough", "AutoConfigURL"];
    let mut out = Map::new();
    for key in texts {
        if let Some(text) = values.text(key) {
            out.insert(key.into(), text.into());
        }
    }
    if let Some(number) = values.number("SOCKSVersion") {
        out.insert("SOCKSVersion".into(), number.into());
    }
    for key in ["UseHTTPProxyForAllProtocols", "UseProxyForDNS"] {
        if let Some(number) = values.number(key) {
            out.insert(key.into(), (number != 0).into());
        }
    }
    out
}

/// Understands the policy `Proxy`; `None` when it sets no mode.
#[must_use]
pub fn parse(policy: &Map<String, Value>) -> Option<Source> {
    let text = |key: &str| {
        let text = policy.get(key).and_then(Value::as_str)?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let yes = |key: &str| policy.get(key).and_then(Value::as_bool).unwrap_or_default();
    let mode = text("Mode")?;
    let http = text("HTTPProxy");
    let https = if yes("UseHTTPProxyForAllProtocols") { http.clone() } else { text("SSLProxy") };
    let version = policy.get("SOCKSVersion").and_then(Value::as_u64).unwrap_or(5);
    let socks = text("SOCKSProxy").map(|proxy| {
        if version == 4 { format!("socks4://{proxy}") } else { format!("socks5://{proxy}") }
    });
    let pac = text("AutoConfigURL");
    let bypass = text("Passthrough");
    let manual = Manual {
        http: http.clone().into_iter().collect(),
        https: https.clone().into_iter().collect(),
        socks: socks.clone().into_iter().collect(),
        bypass: entries(bypass.as_deref().unwrap_or_default(), &[',', ' ']),
        ..Manual::default()
    };
    let says = match mode.as_str() {
        "none" => Says { none: true, ..Says::default() },
        "manual" => Says { manual: (!manual.is_empty()).then_some(manual), ..Says::default() },
        "autoDetect" => Says { auto_detect: true, ..Says::default() },
        "autoConfig" => Says { pac: pac.clone(), ..Says::default() },
        // `system`, and what a newer version may know.
        _ => Says::default(),
    };
    let credentials =
        [&http, &https, &socks, &pac].into_iter().flatten().filter_map(|t| credentials_in(t));
    let credentials = credentials.collect();
    let shown = [
        ("Mode", Some(mode)),
        ("HTTPProxy", http),
        ("SSLProxy", https),
        ("SOCKSProxy", socks),
        ("Passthrough", bypass),
        ("AutoConfigURL", pac),
    ];
    let shown =
        shown.into_iter().filter_map(|(key, value)| Some(setting(ID, key, &value?))).collect();
    Some(Source {
        id: ID,
        name: "Firefox's policies".into(),
        kind: Kind::Firefox,
        says,
        shown,
        credentials,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(json: &str) -> Option<Says> {
        parse(&serde_json::from_str(json).unwrap()).map(|source| source.says)
    }

    #[test]
    fn modes() {
        assert!(says(r#"{"Mode": "none"}"#).unwrap().none);
        assert!(says(r#"{"Mode": "autoDetect"}"#).unwrap().auto_detect);
        assert_eq!(says(r#"{"Mode": "system"}"#).unwrap(), Says::default());
        assert!(says(r#"{"Locked": true}"#).is_none());
        let manual = says(
            r#"{"Mode": "manual", "HTTPProxy": "p:1", "UseHTTPProxyForAllProtocols": true,
                "SOCKSProxy": "s:2", "SOCKSVersion": 4, "Passthrough": "<local>, .corp.example"}"#,
        );
        let manual = manual.unwrap().manual.unwrap();
        assert_eq!(
            (manual.https, manual.socks),
            (vec!["p:1".to_owned()], vec!["socks4://s:2".into()])
        );
        assert_eq!(manual.bypass, ["<local>", ".corp.example"]);
        let pac = says(r#"{"Mode": "autoConfig", "AutoConfigURL": "http://p/x.pac"}"#).unwrap();
        assert_eq!(pac.pac.as_deref(), Some("http://p/x.pac"));
        assert!(says(r#"{"Mode": "manual"}"#).unwrap().manual.is_none());
    }
}
