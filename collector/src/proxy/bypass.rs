//! Lists of hosts that go without a proxy, as browsers read them (curl's is
//! `no_proxy`). Sources: Chromium's `net/docs/proxy.md` and
//! `net/proxy_resolution/proxy_bypass_rules.cc`; Firefox's
//! `nsUnixSystemProxySettings.cpp` and `nsProtocolProxyService.cpp`.

use ipnet::IpNet;
use std::net::IpAddr;

/// Who is to be reached.
#[derive(Debug, Clone, Copy)]
pub struct Goal<'a> {
    /// `wss`, `ws`, `https` or `http`.
    pub scheme: &'a str,
    /// Host, without brackets.
    pub host: &'a str,
    /// Port.
    pub port: u16,
}

impl Goal<'_> {
    fn address(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }

    fn host(&self) -> String {
        self.host.trim_end_matches('.').to_ascii_lowercase()
    }
}

/// Entries of a list, however they are separated.
#[must_use]
pub fn entries(list: &str, separators: &[char]) -> Vec<String> {
    list.split(|c: char| separators.contains(&c))
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether every browser leaves proxies out for this host, whatever the list
/// says: this machine itself, and link-local addresses.
#[must_use]
pub fn implicit(goal: &Goal<'_>) -> bool {
    let host = goal.host();
    match goal.address() {
        Some(IpAddr::V4(v4)) => v4.is_loopback() || v4.is_link_local(),
        Some(IpAddr::V6(v6)) => {
            v6.is_loopback()
                || v6.is_unicast_link_local()
                || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        }
        None => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Chrome's reading. `suffix` says that a name stands for all that ends in it,
/// dot or no dot (variables and KDE).
#[must_use]
pub fn chrome(goal: &Goal<'_>, list: &[String], suffix: bool) -> bool {
    // The last rule that speaks decides; `<-loopback>` takes back the implicit ones.
    for rule in list.iter().rev() {
        let rule = rule.trim().to_ascii_lowercase();
        if rule == "<-loopback>" {
            if implicit(goal) {
                return false;
            }
        } else if rule == "<local>" {
            if goal.address().is_none() && !goal.host().contains('.') {
                return true;
            }
        } else if matches_chrome(goal, &rule, suffix) {
            return true;
        }
    }
    implicit(goal)
}

fn matches_chrome(goal: &Goal<'_>, rule: &str, suffix: bool) -> bool {
    let rule = match rule.split_once("://") {
        Some((scheme, _)) if scheme != goal.scheme => return false,
        Some((_, rest)) => rest,
        None => rule,
    };
    if let Ok(network) = rule.parse::<IpNet>() {
        return goal.address().is_some_and(|address| network.contains(&address));
    }
    let (host, port) = host_and_port(rule);
    if port.is_some_and(|port| port != goal.port) {
        return false;
    }
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return goal.address() == Some(address);
    }
    let pattern = if host.starts_with('.') || (suffix && !host.starts_with('*')) {
        format!("*{host}")
    } else {
        host.to_owned()
    };
    !host.is_empty() && glob(&pattern, &goal.host())
}

/// Splits a port off the end; colons of an IPv6 address are none.
fn host_and_port(rule: &str) -> (&str, Option<u16>) {
    match rule.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            port.parse().map_or((rule, None), |port| (host, Some(port)))
        }
        _ => (rule, None),
    }
}

/// `*` for any run of characters and `?` for one, as `base::MatchPattern` and
/// `shExpMatch` have it. Linear in memory, and quadratic in time at worst.
#[must_use]
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Firefox's reading of `no_proxy`: names by their end, dot or no dot; no networks.
#[must_use]
pub fn firefox_variable(goal: &Goal<'_>, list: &str) -> bool {
    if list == "*" {
        return true;
    }
    let host = goal.host();
    list.split(',').map(|entry| entry.split_whitespace().collect::<String>()).any(|entry| {
        let (name, port) = match entry.split_once(':') {
            Some((name, port)) => match port.parse::<u16>() {
                Ok(port) => (name, Some(port)),
                Err(_) => return false,
            },
            None => (entry.as_str(), None),
        };
        port.is_none_or(|port| port == goal.port)
            && !name.is_empty()
            && host.ends_with(&name.to_ascii_lowercase())
    })
}

/// Firefox's reading of GNOME's `ignore-hosts`: equal names, `*` at the
/// beginning, and networks.
#[must_use]
pub fn firefox_gnome(goal: &Goal<'_>, list: &[String]) -> bool {
    let host = goal.host();
    list.iter().any(|entry| {
        let entry = entry.to_ascii_lowercase();
        if entry == host || entry.strip_prefix('*').is_some_and(|end| host.ends_with(end)) {
            return true;
        }
        in_network(goal, &entry)
    })
}

/// Firefox's reading of its own list (`network.proxy.no_proxies_on`, the
/// policy's `Passthrough`): names by their end, networks, `<local>`.
#[must_use]
pub fn firefox(goal: &Goal<'_>, list: &[String]) -> bool {
    let host = goal.host();
    implicit(goal)
        || list.iter().any(|entry| {
            let entry = entry.to_ascii_lowercase();
            if entry == "<local>" {
                return goal.address().is_none() && !host.contains('.');
            }
            if in_network(goal, &entry) {
                return true;
            }
            let (name, port) = host_and_port(entry.strip_prefix('*').unwrap_or(&entry));
            goal.address().is_none()
                && port.is_none_or(|port| port == goal.port)
                && !name.is_empty()
                && host.ends_with(name)
        })
}

fn in_network(goal: &Goal<'_>, entry: &str) -> bool {
    let Some(address) = goal.address() else { return false };
    match entry.parse::<IpNet>() {
        Ok(network) => network.contains(&address),
        Err(_) => entry.trim_matches(['[', ']']).parse() == Ok(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(host: &str) -> Goal<'_> {
        Goal { scheme: "wss", host, port: 443 }
    }

    fn list(text: &str) -> Vec<String> {
        entries(text, &[',', ';'])
    }

    #[test]
    fn chromes_rules() {
        // Rows of net/docs/proxy.md, and of what people write.
        for (host, rules, exempt) in [
            ("foobar.com", "foobar.com", true),
            ("a.foobar.com", "foobar.com", false),
            ("blahfoobar.com", "*foobar.com", true),
            ("a.foo.com", ".foo.com", true),
            ("foo.com", ".foo.com", false),
            ("a.org", "*.org:443", true),
            ("a.org", "*.org:80", false),
            ("x.1.y.com", "wss://x.*.y.com", true),
            ("x.1.y.com", "http://x.*.y.com", false),
            ("192.168.7.7", "192.168.1.1/16", true),
            ("192.169.7.7", "192.168.1.1/16", false),
            ("b.example", "192.168.0.0/16", false),
            ("intranet", "<local>", true),
            ("b.example", "<local>", false),
            ("localhost", "", true),
            ("x.localhost", "", true),
            ("127.1.2.3", "", true),
            ("::1", "", true),
            ("169.254.1.1", "", true),
            ("127.0.0.1", "<-loopback>", false),
            ("127.0.0.1", "<-loopback>;127.0.0.1", true),
            ("fe80::1", "", true),
            ("2001:db8::7", "2001:db8::/32", true),
            ("2001:db8::7", "[2001:db8::7]:443", true),
            ("2001:db8::7", "[2001:db8::7]:80", false),
            ("b.example", "*", true),
            ("B.Example.", "b.example", true),
        ] {
            assert_eq!(chrome(&goal(host), &list(rules), false), exempt, "{host} {rules}");
        }
        assert!(chrome(&goal("notexample.com"), &list("example.com"), true));
        assert!(!chrome(&goal("notexample.com"), &list("example.com"), false));
    }

    #[test]
    fn firefoxes_rules() {
        assert!(firefox_variable(&goal("notexample.com"), "a, example.com"));
        assert!(firefox_variable(&goal("b.example"), "b.example:443"));
        assert!(!firefox_variable(&goal("b.example"), "b.example:80"));
        assert!(!firefox_variable(&goal("10.0.0.1"), "10.0.0.0/8"));
        assert!(firefox_gnome(&goal("10.0.0.1"), &list("10.0.0.0/8")));
        assert!(firefox_gnome(&goal("a.example"), &list("*.example")));
        assert!(!firefox_gnome(&goal("a.b.example"), &list("b.example")));
        assert!(firefox(&goal("a.b.example"), &list(".example")));
        assert!(firefox(&goal("intranet"), &list("<local>")));
        assert!(firefox(&goal("127.0.0.1"), &[]));
        assert!(!firefox(&goal("b.example"), &list("c.example")));
    }

    #[test]
    fn globs() {
        assert!(glob("*a*b*c", "xxaxxbxxc") && !glob("*a*b*c", "xxaxxbxx"));
        assert!(glob("?.example", "b.example") && !glob("?.example", "bb.example"));
        let started = std::time::Instant::now();
        assert!(!glob(&"*a".repeat(200), &"a".repeat(199)));
        assert!(started.elapsed().as_secs() < 5);
    }
}
