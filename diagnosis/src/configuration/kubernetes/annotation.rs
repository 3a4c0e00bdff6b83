//! Values of annotations, and those that nobody reads.

use super::controller::{Known, owner};
use super::object::Object;
use super::read::Check;

/// Seconds out of `30`, `90s`, `1h30m`, `500ms`; a bare number is in `unit` seconds.
pub(super) fn seconds(text: &str, unit: f64) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(number * unit);
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..end)?.parse().ok()?;
        let tail = rest.get(end..)?;
        let word = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let unit = match tail.get(..word)?.trim() {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        total += number * unit;
        rest = tail.get(word..)?;
    }
    (!text.is_empty()).then_some(total)
}

/// `a=1,b=2`, as the AWS Load Balancer Controller reads it.
pub(super) fn attribute<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(own, value)| (own.trim() == key).then(|| value.trim()))
}

/// What is about sockets, by its name.
fn about_sockets(name: &str) -> bool {
    const WORDS: [&str; 12] = [
        "websocket",
        "upgrade",
        "timeout",
        "load-balancer-attributes",
        "backend-protocol",
        "backend-config",
        "http-version",
        "snippet",
        "rewrite-target",
        "set-headers",
        "custom-headers",
        "keepalive",
    ];
    WORDS.iter().any(|word| name.contains(word))
}

/// Names that ingress-nginx has among those, by its table of them ("Annotations Scope and
/// Risk"). What else stands in its ConfigMap alone does nothing here.
const INGRESS_NGINX: [&str; 18] = [
    "proxy-connect-timeout",
    "proxy-send-timeout",
    "proxy-read-timeout",
    "proxy-next-upstream-timeout",
    "proxy-http-version",
    "backend-protocol",
    "configuration-snippet",
    "server-snippet",
    "stream-snippet",
    "auth-snippet",
    "modsecurity-snippet",
    "rewrite-target",
    "auth-keepalive",
    "auth-keepalive-share-vars",
    "auth-keepalive-requests",
    "auth-keepalive-timeout",
    "auth-proxy-set-headers",
    "custom-headers",
];

/// Names the annotations that stand there for sockets and are read by nobody, of an
/// Ingress that `known` reads.
pub(super) fn unread(check: &mut Check<'_>, ingress: &Object<'_>, known: &Known) {
    let nginx = known.controller == super::controller::Controller::IngressNginx;
    for (name, node) in ingress.annotations() {
        let Some((prefix, own)) = name.rsplit_once('/') else { continue };
        if !about_sockets(own) {
            continue;
        }
        let says = match owner(name) {
            Some(other) if other.controller != known.controller => format!(
                "is read by {} alone; what reads this Ingress is {}",
                other.name, known.name
            ),
            Some(_) if nginx && !INGRESS_NGINX.contains(&own) => {
                let why =
                    if own.contains("websocket") { "; it needs none for WebSocket" } else { "" };
                format!("is none of ingress-nginx' annotations: it does nothing{why}")
            }
            None if matches!(prefix, "ingress.kubernetes.io" | "kubernetes.io") => format!(
                "has a prefix that {} does not read (its own: {}): it does nothing",
                known.name,
                known.prefixes.first().unwrap_or(&"none")
            ),
            _ => continue,
        };
        let gke = known.controller == super::controller::Controller::Gke;
        if gke && own == "backend-config" {
            continue;
        }
        check.idle(ingress.at(node), says);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_attributes() {
        for (text, unit, expected) in [
            ("60", 1.0, Some(60.0)),
            ("60000", 0.001, Some(60.0)),
            ("1h30m", 1.0, Some(5400.0)),
            ("500ms", 1.0, Some(0.5)),
            ("1 hour", 1.0, None),
            ("", 1.0, None),
            ("inf", 1.0, None),
        ] {
            assert_eq!(seconds(text, unit), expected, "{text}");
        }
        let text = "a=b, idle_timeout.timeout_seconds=60";
        assert_eq!(attribute(text, "idle_timeout.timeout_seconds"), Some("60"));
    }
}
