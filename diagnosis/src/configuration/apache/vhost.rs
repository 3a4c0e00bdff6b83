//! Which VirtualHost takes a request (`vhost.c`): by port first, then by name; where
//! no name fits, the first one.

use super::parse::Directive;
use crate::configuration::Request;

/// The VirtualHost that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picked<'t> {
    /// `None`: what stands outside of all.
    pub(super) host: Option<&'t Directive>,
    /// Another one has names, and this one took the request as the first.
    pub(super) by_default: bool,
    /// False where its port is another one than the request's.
    pub(super) sure: bool,
}

/// A port of `*:443`, `_default_:443`, `10.0.0.1:443`, `[::1]:443`; `*` is any.
fn port(address: &str) -> Option<Option<u16>> {
    let (host, last) = address.rsplit_once(':')?;
    if host.starts_with('[') && !host.ends_with(']') {
        return None;
    }
    if last == "*" { Some(None) } else { last.parse().ok().map(Some) }
}

fn on_port(host: &Directive, wanted: u16) -> bool {
    host.args.iter().any(|address| match port(address) {
        Some(Some(own)) => own == wanted,
        Some(None) | None => true,
    })
}

/// Whether an address is one of a machine, rather than all of them.
fn is_address(host: &Directive) -> bool {
    host.args
        .iter()
        .all(|a| !a.starts_with('*') && !a.to_ascii_lowercase().starts_with("_default_"))
}

/// Whether a VirtualHost ends TLS.
pub(super) fn tls(host: &Directive) -> bool {
    host.inner().iter().rfind(|d| d.name == "sslengine").is_some_and(|d| d.is(0, "on"))
}

/// Finds it, or says why that cannot be told.
pub(super) fn pick<'t>(
    all: &'t [Directive],
    request: &Request<'_>,
) -> Result<Picked<'t>, (Option<&'t Directive>, String)> {
    let hosts: Vec<&Directive> = all.iter().filter(|d| d.name == "virtualhost").collect();
    if hosts.is_empty() {
        return Ok(Picked { host: None, by_default: false, sure: true });
    }
    let listens = |wanted: u16| {
        all.iter()
            .filter(|d| d.name == "listen")
            .any(|d| d.arg(0).rsplit(':').next().and_then(|port| port.parse().ok()) == Some(wanted))
    };
    let mut own: Vec<&Directive> =
        hosts.iter().copied().filter(|host| on_port(host, request.port)).collect();
    let sure = !own.is_empty();
    if own.is_empty() && listens(request.port) {
        return Ok(Picked { host: None, by_default: false, sure: true });
    }
    if own.is_empty() {
        // The port may be translated on the way.
        own = hosts.iter().copied().filter(|host| tls(host) == request.tls).collect();
        let named: Vec<&Directive> =
            own.iter().copied().filter(|host| has_name(host, request.host)).collect();
        match (own.as_slice(), named.as_slice()) {
            ([one], _) | (_, [one]) => {
                return Ok(Picked { host: Some(one), by_default: false, sure });
            }
            _ => {
                let why = format!("no VirtualHost is for port {}", request.port);
                return Err((hosts.first().copied(), why));
            }
        }
    }
    let (exact, any): (Vec<&Directive>, Vec<&Directive>) =
        own.into_iter().partition(|host| is_address(host));
    let set = match (exact.as_slice(), any.as_slice()) {
        ([], any) => any,
        (exact, []) => exact,
        (exact, _) => {
            // Addresses come before `*`: which one is asked, the file does not tell.
            let named = any.iter().chain(exact).filter(|h| has_name(h, request.host)).count();
            let one = any.iter().chain(exact).find(|h| has_name(h, request.host));
            return match one.filter(|_| named == 1) {
                Some(one) => Ok(Picked { host: Some(one), by_default: false, sure: false }),
                None => Err((
                    exact.first().copied(),
                    "which VirtualHost takes the request depends on the address that is asked"
                        .into(),
                )),
            };
        }
    };
    if let Some(one) = set.iter().find(|host| has_name(host, request.host)) {
        return Ok(Picked { host: Some(one), by_default: false, sure });
    }
    let first = set.first().copied();
    let by_default = set.len() > 1;
    Ok(Picked { host: first, by_default, sure })
}

/// Whether ServerName or a ServerAlias is this name.
pub(super) fn has_name(host: &Directive, wanted: &str) -> bool {
    let wanted = wanted.to_ascii_lowercase();
    host.inner().iter().any(|d| match d.name.as_str() {
        "servername" => {
            let name = d.arg(0).rsplit("://").next().unwrap_or_default();
            name.split(':').next().unwrap_or_default().eq_ignore_ascii_case(&wanted)
        }
        "serveralias" => d.args.iter().any(|name| wild(&name.to_ascii_lowercase(), &wanted)),
        _ => false,
    })
}

/// `*` and `?`, as `ap_strcasecmp_match` has them.
fn wild(pattern: &str, text: &str) -> bool {
    glob(pattern, text, |_| true)
}

/// A pattern with `*` and `?`, which take what `may` allows.
pub(super) fn glob(pattern: &str, text: &str, may: impl Fn(char) -> bool) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last `*` was, and how far it has taken the text.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some('?') if may(text[t]) => (p, t) = (p + 1, t + 1),
            Some(c) if *c == text[t] && *c != '?' => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, taken)) if may(text[taken]) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                _ => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    #[test]
    fn by_port_and_name() {
        let two = "<VirtualHost *:443>\nServerName a\n</VirtualHost>\n\
                   <VirtualHost _default_:443 [::]:443>\nServerName https://B.example:8443\nServerAlias *.c\n</VirtualHost>\n\
                   <VirtualHost *:80>\nServerName b.example\n</VirtualHost>\n";
        let all = parse(two, 0).unwrap();
        for (host, port, line, by_default) in [
            ("b.example", 443, 4, false),
            ("x.c", 443, 4, false),
            ("z", 443, 1, true),
            ("b.example", 80, 8, false),
        ] {
            let request = Request { host, port, tls: true, path: "/", version: None };
            let picked = pick(&all, &request).unwrap();
            assert_eq!(
                (picked.host.map(|h| h.line), picked.by_default),
                (Some(line), by_default),
                "{host}"
            );
        }
    }
}
