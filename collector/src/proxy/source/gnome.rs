//! GNOME's settings (also Cinnamon's, Unity's, MATE's), as `gsettings` prints
//! them. That program knows the profile, the administrator's databases and
//! their locks, and needs no running session; the database's own format is an
//! implementation detail of dconf.

use super::{Kind, Manual, Says, Source, Sources, setting};
use crate::config::Credentials;
use std::collections::BTreeMap;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use wss_bundle::Secret;

const SCHEMA: &str = "org.gnome.system.proxy";

#[cfg(unix)]
pub(super) fn read(found: &mut Sources) {
    let place = format!("GNOME's proxy settings (gsettings list-recursively {SCHEMA})");
    if !anything_set(&Places::of_process()) {
        found.places.push(format!("{place}; not asked: nobody has set anything"));
        return;
    }
    match super::output_of("gsettings", &["list-recursively", SCHEMA]) {
        None => {}
        Some(Ok(text)) => {
            found.places.push(place);
            found.list.extend(parse(&text));
        }
        // Without the schema there are no such settings.
        Some(Err(_)) => found.places.push(place),
    }
}

/// Where GLib and dconf look for settings.
#[cfg(unix)]
struct Places {
    /// Whether a variable says where settings are.
    told: bool,
    /// The user's folder of settings.
    config: Option<PathBuf>,
    /// Folders of dconf's databases and profiles.
    system: PathBuf,
    /// Folders of what the system shares: schemas, and profiles again.
    shared: Vec<PathBuf>,
}

#[cfg(unix)]
impl Places {
    fn of_process() -> Self {
        let told = ["DCONF_PROFILE", "GSETTINGS_BACKEND", "GSETTINGS_SCHEMA_DIR"];
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let home = path("HOME").map(PathBuf::from);
        let config = path("XDG_CONFIG_HOME").map(PathBuf::from);
        let shared = path("XDG_DATA_DIRS").unwrap_or_else(|| "/usr/local/share:/usr/share".into());
        Self {
            told: told.iter().any(|name| path(name).is_some()),
            config: config.or_else(|| Some(home?.join(".config"))),
            system: PathBuf::from("/etc/dconf"),
            shared: std::env::split_paths(&shared).collect(),
        }
    }
}

/// Whether there is a database, a profile or an override of defaults; without, every
/// value is the schema's own, and no program need be started to learn it.
#[cfg(unix)]
fn anything_set(places: &Places) -> bool {
    let Some(config) = &places.config else { return true };
    let filled =
        |folder: &Path| std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    let overridden = |shared: &Path| {
        let schemas = std::fs::read_dir(shared.join("glib-2.0/schemas")).into_iter().flatten();
        schemas.flatten().any(|entry| {
            entry.path().extension().is_some_and(|e| e == "override")
                && std::fs::read(entry.path())
                    .map_or(true, |text| String::from_utf8_lossy(&text).contains(SCHEMA))
        })
    };
    places.told
        || filled(&config.join("dconf"))
        || config.join("glib-2.0/settings/keyfile").exists()
        || filled(&places.system.join("db"))
        || filled(&places.system.join("profile"))
        || places.shared.iter().any(|s| filled(&s.join("dconf/profile")) || overridden(s))
}

#[cfg(not(unix))]
pub(super) fn read(_: &mut Sources) {}

/// Understands what `gsettings list-recursively org.gnome.system.proxy` prints:
/// a schema, a key and a GVariant a line.
#[must_use]
pub fn parse(text: &str) -> Option<Source> {
    let mut values: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, ' ');
        if let (Some(schema), Some(key), Some(value)) = (parts.next(), parts.next(), parts.next())
            && let Some(child) = schema.strip_prefix(SCHEMA)
        {
            values.insert((child.trim_start_matches('.'), key), value.trim());
        }
    }
    let string = |child: &str, key: &str| {
        values.get(&(child, key)).map(|value| unquoted(value)).filter(|value| !value.is_empty())
    };
    let port = |child: &str| {
        let value = values.get(&(child, "port"))?;
        value.rsplit(' ').next()?.parse::<u16>().ok().filter(|port| *port != 0)
    };
    let mode = string("", "mode")?;
    let proxy = |child: &str, scheme: &str| {
        let host = string(child, "host")?;
        let host = host.split_once("://").map_or(host.as_str(), |(_, rest)| rest);
        let host = super::super::address::without_credentials(host.trim_end_matches('/'));
        // An address of IPv6 without brackets.
        let host =
            if host.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{host}]") } else { host };
        Some(match port(child) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        })
    };
    let pac = string("", "autoconfig-url");
    let ignored = values.get(&("", "ignore-hosts")).map(|list| strings(list)).unwrap_or_default();
    let manual = Manual {
        http: proxy("http", "http").into_iter().collect(),
        https: proxy("https", "http").into_iter().collect(),
        socks: proxy("socks", "socks5").into_iter().collect(),
        bypass: ignored.clone(),
        ..Manual::default()
    };
    let says = match mode.as_str() {
        "manual" => Says { manual: (!manual.is_empty()).then_some(manual), ..Says::default() },
        "auto" => Says { auto_detect: pac.is_none(), pac: pac.clone(), ..Says::default() },
        "none" => Says { none: true, ..Says::default() },
        _ => Says::default(),
    };
    let mut shown = vec![setting("gnome", "mode", &mode)];
    let mut show = |key: &str, value: Option<String>| {
        shown.extend(value.map(|value| setting("gnome", key, &value)));
    };
    show("autoconfig-url", pac);
    for child in ["http", "https", "socks"] {
        show(&format!("{child} host"), string(child, "host"));
        show(&format!("{child} port"), port(child).map(|port| port.to_string()));
    }
    show("ignore-hosts", (!ignored.is_empty()).then(|| ignored.join(", ")));
    let secret = |key: &str| Secret::new(string("http", key).unwrap_or_default());
    let auth = Credentials {
        user: secret("authentication-user"),
        password: secret("authentication-password"),
    };
    let given = !auth.user.expose().is_empty() || !auth.password.expose().is_empty();
    let in_hosts = ["http", "https", "socks"]
        .iter()
        .filter_map(|child| super::super::address::credentials_in(&string(child, "host")?));
    Some(Source {
        id: "gnome",
        name: "GNOME's settings".into(),
        kind: Kind::System,
        says,
        shown,
        credentials: given.then_some(auth).into_iter().chain(in_hosts).collect(),
    })
}

/// A GVariant string without its quotes and escapes.
fn unquoted(value: &str) -> String {
    let inner =
        value.strip_prefix(['\'', '"']).and_then(|v| v.strip_suffix(['\'', '"'])).unwrap_or(value);
    let mut out = String::new();
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            escaped = false;
            out.push(c);
        }
    }
    out
}

/// The strings of a GVariant `as`: `['localhost', '127.0.0.0/8']`, `@as []`.
fn strings(value: &str) -> Vec<String> {
    let Some((_, inner)) = value.split_once('[') else { return Vec::new() };
    let inner = inner.trim_end().strip_suffix(']').unwrap_or(inner);
    inner.split(", ").map(|entry| unquoted(entry.trim())).filter(|e| !e.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn gsettings_is_asked_where_anything_may_be_set() {
        let with = |file: &str, text: &str| {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
            anything_set(&Places {
                told: false,
                config: Some(root.path().join("home")),
                system: root.path().join("etc"),
                shared: vec![root.path().join("local"), root.path().join("share")],
            })
        };
        assert!(!with("unrelated", ""), "nobody");
        assert!(!with("home/gtk-3.0/settings.ini", ""), "of another kind");
        let schemas = "share/glib-2.0/schemas";
        assert!(
            !with(&format!("{schemas}/org.gnome.system.proxy.gschema.xml"), SCHEMA),
            "defaults"
        );
        assert!(!with(&format!("{schemas}/10_x.gschema.override"), "[org.gnome.desktop]"));
        assert!(with(&format!("{schemas}/10_x.gschema.override"), "[org.gnome.system.proxy]\n"));
        for there in [
            "home/dconf/user",
            "home/glib-2.0/settings/keyfile",
            "etc/db/local",
            "etc/profile/user",
            "local/dconf/profile/user",
        ] {
            assert!(with(there, ""), "{there}");
        }
        let nowhere =
            Places { told: false, config: None, system: "/nowhere".into(), shared: Vec::new() };
        assert!(anything_set(&nowhere), "a user without a home");
        assert!(anything_set(&Places { told: true, config: Some("/nowhere".into()), ..nowhere }));
    }

    const MANUAL: &str = "\
org.gnome.system.proxy autoconfig-url ''
org.gnome.system.proxy ignore-hosts ['localhost', '127.0.0.0/8', '::1', '*.corp.example']
org.gnome.system.proxy mode 'manual'
org.gnome.system.proxy use-same-proxy true
org.gnome.system.proxy.http authentication-password 'S3cret'
org.gnome.system.proxy.http authentication-user 'someone'
org.gnome.system.proxy.http enabled false
org.gnome.system.proxy.http host 'proxy.corp.example'
org.gnome.system.proxy.http port 8080
org.gnome.system.proxy.http use-authentication false
org.gnome.system.proxy.https host 'proxy.corp.example'
org.gnome.system.proxy.https port 8443
org.gnome.system.proxy.socks host ''
org.gnome.system.proxy.socks port 0
";

    #[test]
    fn manual() {
        let source = parse(MANUAL).unwrap();
        let manual = source.says.manual.unwrap();
        assert_eq!(manual.http, ["http://proxy.corp.example:8080"]);
        assert_eq!(manual.https, ["http://proxy.corp.example:8443"]);
        assert!(manual.socks.is_empty());
        assert_eq!(manual.bypass.last().unwrap(), "*.corp.example");
        let shown = format!("{:?}", source.shown);
        assert!(!shown.contains("S3cret") && !shown.contains("someone"), "{shown}");
        assert_eq!(source.credentials[0].password.expose(), "S3cret");
    }

    #[test]
    fn other_modes() {
        let with = |mode: &str, url: &str| {
            parse(
                &MANUAL
                    .replace("'manual'", mode)
                    .replace("autoconfig-url ''", &format!("autoconfig-url '{url}'")),
            )
            .unwrap()
            .says
        };
        assert!(with("'none'", "").none);
        assert!(with("'auto'", "").auto_detect);
        let auto = with("'auto'", "http://p.example/x.pac");
        assert!(!auto.auto_detect && auto.pac.as_deref() == Some("http://p.example/x.pac"));
        assert!(!with("'whatever'", "").names_something());
        assert!(parse("").is_none() && parse("garbage\n\n \n").is_none());
    }
}
