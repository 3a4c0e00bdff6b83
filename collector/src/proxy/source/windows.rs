//! Windows' settings, from the registry: those of WinINET (of this user, or of
//! the machine where group policy says so) and those of WinHTTP. What the
//! values mean is portable and tested everywhere; reading them is Windows'.

use super::{Kind, Manual, Says, Source, Sources, setting};
use crate::proxy::address::credentials_in;
use crate::proxy::bypass::entries;
use std::collections::BTreeMap;
use wss_bundle::environment::ProxySetting;

/// A value of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `REG_SZ`, `REG_EXPAND_SZ`.
    Text(String),
    /// `REG_DWORD`.
    Number(u32),
    /// `REG_BINARY`.
    Bytes(Vec<u8>),
}

/// The values of one key, by name in lower case: the registry knows no case.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<String, Value>);

impl Values {
    /// Those given.
    pub fn new<N: AsRef<str>>(list: impl IntoIterator<Item = (N, Value)>) -> Self {
        Self(list.into_iter().map(|(name, v)| (name.as_ref().to_ascii_lowercase(), v)).collect())
    }

    /// A value of any kind.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(&name.to_ascii_lowercase())
    }

    /// A text, when it is there and not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// A number; people write them as text, too.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u32> {
        match self.get(name)? {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Bytes(_) => None,
        }
    }

    fn bytes(&self, name: &str) -> Option<&[u8]> {
        match self.get(name)? {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// What separates entries of `ProxyOverride`.
const SEPARATORS: [char; 6] = [';', ',', ' ', '\t', '\r', '\n'];

/// `DefaultConnectionSettings` and `WinHttpSettings`: a version, a counter,
/// flags (1 direct, 2 proxy, 4 PAC file, 8 detect), then texts with their
/// lengths before them; little-endian, undocumented, the same since Windows 2000.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Connection {
    flags: u32,
    proxy: String,
    bypass: String,
    pac: String,
}

impl Connection {
    fn parse(bytes: &[u8]) -> Option<Self> {
        fn number(bytes: &[u8], at: usize) -> Option<u32> {
            let four = bytes.get(at..at.checked_add(4)?)?;
            Some(u32::from_le_bytes(four.try_into().ok()?))
        }
        let flags = number(bytes, 8)?;
        let mut at = 12;
        let mut texts: [String; 3] = Default::default();
        for text in &mut texts {
            let Some(length) = number(bytes, at) else { break };
            let end = (at + 4).checked_add(usize::try_from(length).ok()?)?;
            *text = String::from_utf8_lossy(bytes.get(at + 4..end)?).into_owned();
            at = end;
        }
        let [proxy, bypass, pac] = texts;
        Some(Self { flags, proxy, bypass, pac })
    }
}

/// Understands the values of an `Internet Settings` key and of its
/// `Connections` key. `id` is `windows-user` or `windows-machine`.
#[must_use]
pub fn internet_settings(id: &'static str, values: &Values, connections: &Values) -> Source {
    let connection = connections.bytes("DefaultConnectionSettings").and_then(Connection::parse);
    let flag = |bit: u32| connection.as_ref().is_some_and(|c| c.flags & bit != 0);
    let manual = match (values.number("ProxyEnable"), values.text("ProxyServer")) {
        (Some(1..), Some(server)) => {
            let list = values.text("ProxyOverride").unwrap_or_default();
            Some(Manual::from_list(server, entries(list, &SEPARATORS)))
        }
        // Set by a program that writes the connection alone.
        (None, _) => connection
            .as_ref()
            .filter(|c| c.flags & 2 != 0 && !c.proxy.is_empty())
            .map(|c| Manual::from_list(&c.proxy, entries(&c.bypass, &SEPARATORS))),
        _ => None,
    };
    let pac = values
        .text("AutoConfigURL")
        .map(str::to_owned)
        .or_else(|| connection.as_ref().filter(|c| c.flags & 4 != 0).map(|c| c.pac.clone()))
        .filter(|url| !url.is_empty());
    let auto_detect = flag(8) || values.number("AutoDetect") == Some(1);
    let mut shown: Vec<ProxySetting> = Vec::new();
    for key in ["ProxyEnable", "ProxyServer", "ProxyOverride", "AutoConfigURL", "AutoDetect"] {
        match values.get(key) {
            Some(Value::Text(text)) => shown.push(setting(id, key, text)),
            Some(Value::Number(number)) => shown.push(setting(id, key, &number.to_string())),
            _ => {}
        }
    }
    if let Some(connection) = &connection {
        shown.push(setting(id, "DefaultConnectionSettings", &said(connection)));
    }
    let credentials = [values.text("ProxyServer"), values.text("AutoConfigURL")]
        .into_iter()
        .flatten()
        .chain(connection.iter().flat_map(|c| [c.proxy.as_str(), c.pac.as_str()]))
        .filter_map(credentials_in)
        .collect();
    let says = Says {
        none: manual.is_none() && pac.is_none() && !auto_detect,
        auto_detect,
        pac,
        manual: manual
            .filter(|manual| !manual.is_empty())
            .map(|manual| Manual { patterns: true, ..manual }),
    };
    let name = match id {
        "windows-machine" => "Windows' settings of the machine (group policy)",
        _ => "Windows' settings of this user",
    };
    Source { id, name: name.into(), kind: Kind::System, says, shown, credentials }
}

fn said(connection: &Connection) -> String {
    let named = [(1, "direct"), (2, "proxy"), (4, "PAC file"), (8, "detect")];
    let flags: Vec<&str> =
        named.iter().filter(|(bit, _)| connection.flags & bit != 0).map(|(_, n)| *n).collect();
    let mut text = flags.join(", ");
    for (what, value) in
        [("proxy", &connection.proxy), ("bypass", &connection.bypass), ("PAC", &connection.pac)]
    {
        if !value.is_empty() {
            text.push_str(&format!(
                "; {what} {}",
                super::super::address::without_credentials(value)
            ));
        }
    }
    text
}

/// Understands `WinHttpSettings` (`netsh winhttp set proxy`). Services and
/// some programs follow it; browsers and curl do not.
#[must_use]
pub fn winhttp(connections: &Values) -> Option<Source> {
    let connection = connections.bytes("WinHttpSettings").and_then(Connection::parse)?;
    let manual = (connection.flags & 2 != 0 && !connection.proxy.is_empty())
        .then(|| Manual::from_list(&connection.proxy, entries(&connection.bypass, &SEPARATORS)));
    Some(Source {
        id: "windows-winhttp",
        name: "WinHTTP's settings".into(),
        kind: Kind::System,
        says: Says { none: manual.is_none(), manual, ..Says::default() },
        shown: vec![setting("windows-winhttp", "WinHttpSettings", &said(&connection))],
        credentials: credentials_in(&connection.proxy).into_iter().collect(),
    })
}

/// Whether group policy makes the machine's settings everybody's.
#[must_use]
pub fn per_machine(policy: &Values) -> bool {
    policy.number("ProxySettingsPerUser") == Some(0)
}

/// A key's path below its root.
#[cfg_attr(not(windows), allow(dead_code))]
pub(crate) const INTERNET_SETTINGS: &str =
    r"Software\Microsoft\Windows\CurrentVersion\Internet Settings";
#[cfg_attr(not(windows), allow(dead_code))]
const POLICY: &str = r"Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings";

/// Which half of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// `HKEY_LOCAL_MACHINE`.
    Machine,
    /// `HKEY_CURRENT_USER`.
    User,
}

/// The values of a key; `None` where there is no such key.
#[cfg(windows)]
#[must_use]
pub fn key(root: Root, path: &str) -> Option<Values> {
    use winreg::RegKey;
    use winreg::enums::{HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, RegType};
    use winreg::types::FromRegValue;
    let root = match root {
        Root::Machine => HKEY_LOCAL_MACHINE,
        Root::User => HKEY_CURRENT_USER,
    };
    let key = RegKey::predef(root).open_subkey(path).ok()?;
    let values = key.enum_values().filter_map(Result::ok).filter_map(|(name, value)| {
        let value = match value.vtype {
            RegType::REG_SZ | RegType::REG_EXPAND_SZ => {
                Value::Text(String::from_reg_value(&value).ok()?)
            }
            RegType::REG_MULTI_SZ => {
                Value::Text(Vec::<String>::from_reg_value(&value).ok()?.join(" "))
            }
            RegType::REG_DWORD => Value::Number(u32::from_reg_value(&value).ok()?),
            RegType::REG_BINARY => Value::Bytes(value.bytes.to_vec()),
            _ => return None,
        };
        Some((name, value))
    });
    Some(Values::new(values))
}

/// The names of the keys below a key.
#[cfg(windows)]
#[must_use]
pub fn subkeys(root: Root, path: &str) -> Vec<String> {
    use winreg::RegKey;
    use winreg::enums::{HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE};
    let root = match root {
        Root::Machine => HKEY_LOCAL_MACHINE,
        Root::User => HKEY_CURRENT_USER,
    };
    let Ok(key) = RegKey::predef(root).open_subkey(path) else { return Vec::new() };
    key.enum_keys().filter_map(Result::ok).take(256).collect()
}

#[cfg(windows)]
pub(super) fn read(found: &mut Sources) {
    found.places.push(format!(r"Windows' proxy settings (registry, {INTERNET_SETTINGS})"));
    found.places.push(r"WinHTTP's proxy settings (registry)".to_owned());
    let of = |root, path: &str| key(root, path).unwrap_or_default();
    let below = |root| {
        let connections = format!(r"{INTERNET_SETTINGS}\Connections");
        (of(root, INTERNET_SETTINGS), of(root, &connections))
    };
    let (machine, machine_connections) = below(Root::Machine);
    if per_machine(&of(Root::Machine, POLICY)) {
        found.list.push(internet_settings("windows-machine", &machine, &machine_connections));
    } else {
        let (user, connections) = below(Root::User);
        found.list.push(internet_settings("windows-user", &user, &connections));
    }
    found.list.extend(winhttp(&machine_connections));
}

#[cfg(not(windows))]
pub(super) fn read(_: &mut Sources) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Value {
        Value::Text(value.into())
    }

    fn blob(flags: u32, texts: &[&str]) -> Value {
        let mut bytes = Vec::new();
        for number in [0x46, 7, flags] {
            bytes.extend(u32::to_le_bytes(number));
        }
        for text in texts {
            bytes.extend(u32::to_le_bytes(text.len() as u32));
            bytes.extend(text.as_bytes());
        }
        bytes.extend([0; 32]);
        Value::Bytes(bytes)
    }

    fn user(values: &[(&str, Value)], connections: &[(&str, Value)]) -> Source {
        internet_settings(
            "windows-user",
            &Values::new(values.iter().cloned()),
            &Values::new(connections.iter().cloned()),
        )
    }

    #[test]
    fn a_proxy_for_everything() {
        let source = user(
            &[
                ("ProxyEnable", Value::Number(1)),
                ("ProxyServer", text("proxy.corp.example:8080")),
                ("ProxyOverride", text("*.corp.example;10.*;<local>")),
            ],
            &[],
        );
        let manual = source.says.manual.unwrap();
        assert_eq!(manual.all, ["proxy.corp.example:8080"]);
        assert_eq!(manual.bypass, ["*.corp.example", "10.*", "<local>"]);
    }

    #[test]
    fn switched_off_though_a_server_is_written_down() {
        let values =
            [("ProxyEnable", Value::Number(0)), ("ProxyServer", text("proxy.corp.example:8080"))];
        let source = user(&values, &[("DefaultConnectionSettings", blob(1, &["p:1", "", ""]))]);
        assert!(source.says.none && source.says.manual.is_none());
        assert!(source.shown.iter().any(|s| s.key == "ProxyServer"));
    }

    #[test]
    fn pac_and_detection() {
        let source = user(&[("AutoConfigURL", text("http://p.example/x.pac"))], &[]);
        assert_eq!(source.says.pac.as_deref(), Some("http://p.example/x.pac"));
        let source = user(&[], &[("DefaultConnectionSettings", blob(9, &["", "", ""]))]);
        assert!(source.says.auto_detect && !source.says.none);
        let source =
            user(&[], &[("DefaultConnectionSettings", blob(5, &["", "", "http://p/x.pac"]))]);
        assert_eq!(source.says.pac.as_deref(), Some("http://p/x.pac"));
        let source = user(&[], &[("DefaultConnectionSettings", blob(3, &["p:1", "a;b", ""]))]);
        let manual = source.says.manual.unwrap();
        assert_eq!(
            (manual.all, manual.bypass),
            (vec!["p:1".to_owned()], vec!["a".into(), "b".into()])
        );
    }

    #[test]
    fn winhttps_own() {
        let values = Values::new([("WinHttpSettings", blob(3, &["p.example:8080", "<local>"]))]);
        let source = winhttp(&values).unwrap();
        assert_eq!(source.says.manual.unwrap().all, ["p.example:8080"]);
        let direct = Values::new([("WinHttpSettings", blob(1, &["", ""]))]);
        assert!(winhttp(&direct).unwrap().says.none);
        assert!(winhttp(&Values::default()).is_none());
    }

    #[test]
    fn damaged_values_break_nothing() {
        for bytes in [
            Vec::new(),
            vec![0x46, 0, 0],
            vec![0xff; 12],
            vec![0xff; 40],
            [[0x46, 0, 0, 0], [0; 4], [2, 0, 0, 0], [0xff; 4]].concat(),
        ] {
            let source = user(&[], &[("DefaultConnectionSettings", Value::Bytes(bytes.clone()))]);
            assert!(source.says.manual.is_none(), "{bytes:?}");
        }
        let odd = user(&[("ProxyEnable", text("1")), ("ProxyServer", Value::Number(7))], &[]);
        assert!(odd.says.manual.is_none());
    }

    #[test]
    fn group_policy() {
        assert!(per_machine(&Values::new([("ProxySettingsPerUser", Value::Number(0))])));
        assert!(!per_machine(&Values::new([("ProxySettingsPerUser", Value::Number(1))])));
        assert!(!per_machine(&Values::default()));
    }

    #[test]
    fn credentials_are_kept_apart() {
        let source = user(
            &[
                ("ProxyEnable", Value::Number(1)),
                ("ProxyServer", text("http://us:S3cret@p.example:8080")),
            ],
            &[("DefaultConnectionSettings", blob(3, &["http://us:S3cret@p.example:8080", "", ""]))],
        );
        assert!(!format!("{:?}", source.shown).contains("S3cret"));
        assert_eq!(source.credentials[0].password.expose(), "S3cret");
    }
}
