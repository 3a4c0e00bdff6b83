//! Policies of Chrome, Chromium, Edge and Brave: JSON files of the
//! administrator's on Linux, keys of the registry on Windows. (On macOS they
//! are managed preferences, which are not read.) Keys and precedence as
//! <https://chromeenterprise.google/policies/#ProxySettings> has them.

use super::{Kind, Manual, Says, Source, Sources, setting};
use crate::proxy::address::credentials_in;
use crate::proxy::bypass::entries;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// A program that has policies.
struct Product {
    id: &'static str,
    name: &'static str,
    kind: Kind,
    #[cfg_attr(windows, allow(dead_code))]
    folder: &'static str,
    #[cfg_attr(not(windows), allow(dead_code))]
    key: &'static str,
}

const PRODUCTS: [Product; 4] = [
    Product {
        id: "chrome-policy",
        name: "Chrome's policies",
        kind: Kind::Chrome,
        folder: "/etc/opt/chrome/policies",
        key: r"Software\Policies\Google\Chrome",
    },
    Product {
        id: "chromium-policy",
        name: "Chromium's policies",
        kind: Kind::Chrome,
        folder: "/etc/chromium/policies",
        key: r"Software\Policies\Chromium",
    },
    Product {
        id: "edge-policy",
        name: "Edge's policies",
        kind: Kind::Edge,
        folder: "/etc/opt/edge/policies",
        key: r"Software\Policies\Microsoft\Edge",
    },
    Product {
        id: "brave-policy",
        name: "Brave's policies",
        kind: Kind::Chrome,
        folder: "/etc/brave/policies",
        key: r"Software\Policies\BraveSoftware\Brave",
    },
];

const KEYS: [&str; 6] = [
    "ProxySettings",
    "ProxyMode",
    "ProxyServerMode",
    "ProxyServer",
    "ProxyPacUrl",
    "ProxyBypassList",
];

pub(super) fn read(found: &mut Sources) {
    for product in &PRODUCTS {
        #[cfg(windows)]
        {
            use super::windows::{Root, key};
            found.places.push(format!("{} (registry, {})", product.name, product.key));
            // The machine's policies come before the user's.
            let policies = [Root::Machine, Root::User]
                .into_iter()
                .filter_map(|root| key(root, product.key))
                .map(|values| from_registry(&values))
                .find(|policies| !policies.is_empty());
            found
                .list
                .extend(policies.and_then(|p| parse(product.id, product.name, product.kind, &p)));
        }
        #[cfg(not(windows))]
        if let Some(policies) = from_folder(found, Path::new(product.folder)) {
            found.places.push(format!("{} ({})", product.name, product.folder));
            let source = parse(product.id, product.name, product.kind, &policies);
            found.list.extend(source);
        }
    }
}

/// The proxy policies of a key.
#[cfg_attr(not(windows), allow(dead_code))]
fn from_registry(values: &super::windows::Values) -> Map<String, Value> {
    let mut out = Map::new();
    for key in KEYS {
        if let Some(text) = values.text(key) {
            // `ProxySettings` is a dictionary, written as JSON.
            let value = serde_json::from_str(text).ok().filter(Value::is_object);
            out.insert(key.into(), value.unwrap_or_else(|| Value::String(text.into())));
        } else if let Some(number) = values.number(key) {
            out.insert(key.into(), number.into());
        }
    }
    out
}

/// The proxy policies of a folder: what is managed before what is recommended;
/// of several files the last one by name (Chromium's `ConfigDirPolicyLoader`).
#[cfg_attr(windows, allow(dead_code))]
fn from_folder(found: &mut Sources, folder: &Path) -> Option<Map<String, Value>> {
    let mut there = false;
    for level in ["managed", "recommended"] {
        let Ok(list) = std::fs::read_dir(folder.join(level)) else { continue };
        there = true;
        let mut files: Vec<PathBuf> = list
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .take(64)
            .collect();
        files.sort();
        let mut policies = Map::new();
        for path in files {
            let Some(text) = found.file(&path) else { continue };
            match serde_json::from_str::<Map<String, Value>>(&text) {
                Ok(map) => {
                    policies.extend(map.into_iter().filter(|(k, _)| KEYS.contains(&k.as_str())))
                }
                Err(error) => {
                    found.notes.push(format!("{} could not be understood: {error}", path.display()))
                }
            }
        }
        if !policies.is_empty() {
            return Some(policies);
        }
    }
    there.then(Map::new)
}

/// Understands policies about proxies; `None` when there are none.
#[must_use]
pub fn parse(
    id: &'static str,
    name: &str,
    kind: Kind,
    policies: &Map<String, Value>,
) -> Option<Source> {
    let dictionary = policies.get("ProxySettings").and_then(Value::as_object);
    let value = |key: &str| match dictionary {
        Some(dictionary) => dictionary.get(key),
        None => policies.get(key),
    };
    let text = |key: &str| {
        let text = value(key).and_then(Value::as_str)?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let mode = text("ProxyMode").or_else(|| {
        // The old form, by number.
        let modes = ["direct", "auto_detect", "fixed_servers", "system"];
        let number = value("ProxyServerMode")?.as_u64()?;
        modes.get(usize::try_from(number).ok()?).map(|mode| (*mode).to_owned())
    });
    let (server, pac) = (text("ProxyServer"), text("ProxyPacUrl"));
    let bypass = text("ProxyBypassList");
    let manual = server.as_deref().map(|server| {
        Manual::from_list(server, entries(bypass.as_deref().unwrap_or_default(), &[',', ';']))
    });
    let manual = manual.filter(|manual| !manual.is_empty());
    let mode = mode.or_else(|| {
        let guessed = if pac.is_some() { "pac_script" } else { "fixed_servers" };
        (pac.is_some() || manual.is_some()).then(|| guessed.to_owned())
    })?;
    let says = match mode.as_str() {
        "direct" => Says { none: true, ..Says::default() },
        "auto_detect" => Says { auto_detect: true, ..Says::default() },
        "pac_script" => Says { pac: pac.clone(), ..Says::default() },
        "fixed_servers" => Says { manual, ..Says::default() },
        // `system`: they leave it to the system.
        _ => Says::default(),
    };
    let shown = [("ProxyMode", Some(mode)), ("ProxyServer", server.clone())]
        .into_iter()
        .chain([("ProxyPacUrl", pac.clone()), ("ProxyBypassList", bypass)])
        .filter_map(|(key, value)| Some(setting(id, key, &value?)))
        .collect();
    let credentials = [server, pac].iter().flatten().filter_map(|t| credentials_in(t)).collect();
    Some(Source { id, name: name.into(), kind, says, shown, credentials })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::source::windows::{Value as Registry, Values};

    fn says(json: &str) -> Option<Says> {
        let map = serde_json::from_str(json).unwrap();
        parse("chrome-policy", "Chrome's policies", Kind::Chrome, &map).map(|source| source.says)
    }

    #[test]
    fn modes() {
        assert!(says(r#"{"ProxyMode": "direct"}"#).unwrap().none);
        assert!(says(r#"{"ProxyMode": "auto_detect"}"#).unwrap().auto_detect);
        assert!(says(r#"{"ProxyServerMode": 1}"#).unwrap().auto_detect);
        assert_eq!(says(r#"{"ProxyMode": "system"}"#).unwrap(), Says::default());
        let pac =
            says(r#"{"ProxySettings": {"ProxyMode": "pac_script", "ProxyPacUrl": "http://p/x"}}"#);
        assert_eq!(pac.unwrap().pac.as_deref(), Some("http://p/x"));
        let fixed = says(
            r#"{"ProxyMode": "fixed_servers", "ProxyServer": "https://p:8443", "ProxyBypassList": "a, .b;<local>"}"#,
        );
        let manual = fixed.unwrap().manual.unwrap();
        assert_eq!((manual.all, manual.bypass.len()), (vec!["https://p:8443".to_owned()], 3));
        assert!(says("{}").is_none());
        assert!(says(r#"{"ProxyMode": 7, "ProxyServer": []}"#).is_none());
    }

    #[test]
    fn a_server_alone_and_the_dictionary_first() {
        let alone = says(r#"{"ProxyServer": "p:1"}"#).unwrap();
        assert_eq!(alone.manual.unwrap().all, ["p:1"]);
        let both = says(
            r#"{"ProxyMode": "direct", "ProxySettings": {"ProxyMode": "fixed_servers", "ProxyServer": "p:1"}}"#,
        );
        assert!(both.unwrap().manual.is_some());
    }

    #[test]
    fn files_of_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let managed = folder.path().join("managed");
        std::fs::create_dir(&managed).unwrap();
        let write = |name: &str, text: &str| std::fs::write(managed.join(name), text).unwrap();
        write("a.json", r#"{"ProxyMode": "direct", "HomepageLocation": "http://x"}"#);
        write("b.json", r#"{"ProxyMode": "fixed_servers", "ProxyServer": "p:1"}"#);
        write("c.json", "{ no json");
        write("d.txt", r#"{"ProxyMode": "direct"}"#);
        let mut found = Sources::default();
        let policies = from_folder(&mut found, folder.path()).unwrap();
        assert_eq!(policies["ProxyMode"], "fixed_servers");
        assert!(!policies.contains_key("HomepageLocation"));
        assert!(found.notes[0].contains("c.json"), "{:?}", found.notes);
        assert!(from_folder(&mut found, &folder.path().join("none")).is_none());
    }

    #[test]
    fn keys_of_the_registry() {
        let values = Values::new([(
            "ProxySettings",
            Registry::Text(r#"{"ProxyMode":"fixed_servers","ProxyServer":"u:S3cret@p:1"}"#.into()),
        )]);
        let source =
            parse("edge-policy", "Edge's policies", Kind::Edge, &from_registry(&values)).unwrap();
        assert_eq!(source.says.manual.as_ref().unwrap().all.len(), 1);
        assert!(!format!("{:?}", source.shown).contains("S3cret"));
        assert_eq!(source.credentials[0].password.expose(), "S3cret");
        let old = Values::new([("ProxyServerMode", Registry::Number(0))]);
        assert!(parse("edge-policy", "", Kind::Edge, &from_registry(&old)).unwrap().says.none);
    }
}
