//! Which site takes a request: by port and scheme, then by the nearest name.

use super::matcher::host_fits;
use super::parse::Directive;
use crate::configuration::Request;

/// One address of a site: `https://b.example:8443/x`, `:443`, `*.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address<'t> {
    host: &'t str,
    /// `None` where neither port nor scheme says it.
    port: Option<u16>,
}

fn addresses(site: &Directive) -> Vec<Address<'_>> {
    site.words
        .iter()
        .flat_map(|word| word.split(','))
        .filter(|word| !word.is_empty())
        .map(|word| {
            let (scheme, rest) = word.split_once("://").map_or((None, word), |(s, r)| (Some(s), r));
            let rest = rest.split('/').next().unwrap_or_default();
            let (host, port) = match rest.rsplit_once(':') {
                Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
                _ => (rest, None),
            };
            let port = port.or(match scheme {
                Some("http") => Some(80),
                Some("https") => Some(443),
                _ => None,
            });
            Address { host: host.trim_matches(['[', ']']), port }
        })
        .collect()
}

/// The site, and whether its port is the request's.
type Picked<'t> = Option<(&'t Directive, bool)>;

/// Finds it; `None` where no site is for the name.
pub(super) fn pick<'t>(
    sites: &[&'t Directive],
    request: &Request<'_>,
) -> Result<Picked<'t>, (Option<&'t Directive>, String)> {
    // A name without a port is for 443, and for 80 by a redirect of Caddy's own.
    let on_port = |address: &Address<'_>| {
        address.port.unwrap_or(if request.port == 80 { 80 } else { 443 }) == request.port
    };
    // How near the name is: the very one, a pattern, any.
    let near = |address: &Address<'_>| match address.host {
        "" | "*" => Some(2),
        host if host.eq_ignore_ascii_case(request.host) => Some(0),
        host if host.contains('*') && host_fits(host, request.host) => Some(1),
        _ => None,
    };
    let best = |port: bool| {
        sites
            .iter()
            .filter_map(|site| {
                let own = addresses(site);
                let fits = own.iter().filter(|a| !port || on_port(a)).filter_map(&near);
                Some((fits.min()?, *site))
            })
            .min_by_key(|(rank, _)| *rank)
    };
    if let Some((_, site)) = best(true) {
        return Ok(Some((site, true)));
    }
    if sites.iter().any(|site| addresses(site).iter().any(&on_port)) {
        return Ok(None);
    }
    // The port may be translated on the way.
    match (best(false), sites) {
        (Some((_, site)), _) => Ok(Some((site, false))),
        (None, [one]) => Ok(Some((one, false))),
        (None, several) => {
            let why = format!("no site is for port {} or {}", request.port, request.host);
            Err((several.first().copied(), why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    #[test]
    fn by_port_and_name() {
        let text = "*.example {\n}\nb.example, c.example {\n}\n:8443 {\n}\nhttp://b.example {\n}\n";
        let parsed = parse(text, 0).unwrap();
        let sites: Vec<&Directive> = parsed.blocks.iter().collect();
        for (host, port, expected) in [
            ("b.example", 443, Some((3, true))),
            ("x.example", 443, Some((1, true))),
            ("b.example", 80, Some((3, true))),
            ("z", 8443, Some((5, true))),
            ("z", 443, None),
            ("c.example", 9443, Some((3, false))),
        ] {
            let request = Request { host, port, tls: true, path: "/", version: None };
            let found = pick(&sites, &request).unwrap().map(|(site, sure)| (site.line, sure));
            assert_eq!(found, expected, "{host}:{port}");
        }
    }
}
