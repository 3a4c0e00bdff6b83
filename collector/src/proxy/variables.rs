//! The environment variables that name proxies, and what belongs to them.

use std::collections::BTreeMap;

/// Variables that name proxies or exemptions, as they are recorded.
const RECORDED: [&str; 11] = [
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "HTTP_PROXY",
    "auto_proxy",
    "SOCKS_SERVER",
    "SOCKS_VERSION",
];
/// Variables that tell the desktop, and where its settings are; read, not recorded.
const DESKTOP: [&str; 6] = [
    "XDG_CURRENT_DESKTOP",
    "DESKTOP_SESSION",
    "GNOME_DESKTOP_SESSION_ID",
    "KDE_FULL_SESSION",
    "KDEHOME",
    "HOME",
];

/// The proxy variables of an environment; empty ones count as unset, as for curl.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    list: BTreeMap<String, String>,
    desktop: BTreeMap<String, String>,
}

impl Variables {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let names = RECORDED.iter().chain(&DESKTOP);
        Self::new(names.filter_map(|name| Some((*name, std::env::var(name).ok()?))))
    }

    /// Those given.
    pub fn new<N: Into<String>, V: Into<String>>(list: impl IntoIterator<Item = (N, V)>) -> Self {
        let list = list.into_iter().map(|(name, value)| (name.into(), value.into()));
        let (list, desktop) = list
            .filter(|(_, value): &(String, String)| !value.is_empty())
            .partition(|(name, _)| !DESKTOP.contains(&name.as_str()));
        Self { list, desktop }
    }

    /// One variable, by exactly this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.list.get(name).or_else(|| self.desktop.get(name)).map(String::as_str)
    }

    /// The first of several that is set.
    #[must_use]
    pub fn first(&self, names: &[&'static str]) -> Option<(&'static str, &str)> {
        names.iter().find_map(|name| Some((*name, self.list.get(*name)?.as_str())))
    }

    /// A variable in lower case, or else in upper case, as browsers read them.
    #[must_use]
    pub fn either_case(&self, name: &'static str) -> Option<(String, &str)> {
        [name.to_owned(), name.to_ascii_uppercase()]
            .into_iter()
            .find_map(|name| Some((name.clone(), self.list.get(&name)?.as_str())))
    }

    /// What is recorded, by name.
    pub fn recorded(&self) -> impl Iterator<Item = (&str, &str)> {
        self.list.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Whether a variable lists hosts, and names no proxy.
#[must_use]
pub fn is_list(key: &str) -> bool {
    key.eq_ignore_ascii_case("no_proxy")
}
