//! What ingress-nginx' annotations and ConfigMap make of a request.
//!
//! Its template sends Upgrade and Connection on by itself; times are bare numbers of
//! seconds (<https://kubernetes.github.io/ingress-nginx>, "Custom timeouts").

use super::ingress::Taken;
use super::object::Object;
use super::path;
use super::read::Check;
use crate::configuration::{Kind, NEEDED_S, Place};
use wss_bundle::structured::Node;

const PREFIX: &str = "nginx.ingress.kubernetes.io/";
/// Of proxy-read-timeout and proxy-send-timeout.
const DEFAULT_S: f64 = 60.0;

fn annotation<'n>(ingress: &Object<'n>, name: &str) -> Option<&'n Node> {
    ingress.annotation(&format!("{PREFIX}{name}"))
}

/// Whether it makes regular expressions of all paths of its host.
pub(super) fn regex(ingress: &Object<'_>) -> bool {
    annotation(ingress, "use-regex").is_some_and(|node| node.text() == "true")
        || annotation(ingress, "rewrite-target").is_some()
}

/// What is set for the request.
pub(super) fn settings(check: &mut Check<'_>, taken: &Taken<'_>) {
    let ingress = taken.ingress;
    if annotation(&ingress, "canary").is_some_and(|node| node.text() == "true") {
        let why = "it is a canary: which requests it takes is decided by weight, header or cookie";
        check.untold(Some(ingress.itself()), why);
    }
    snippets(check, &ingress);
    protocol(check, &ingress);
    redirects(check, &ingress);
    access(check, &ingress);
    rewrite(check, taken);
    times(check, &ingress);
    global(check);
}

/// Texts that are put into nginx' configuration as they are.
fn snippets(check: &mut Check<'_>, ingress: &Object<'_>) {
    for name in ["configuration-snippet", "server-snippet"] {
        let Some(node) = annotation(ingress, name) else { continue };
        let why = format!(
            "{name} is nginx' own language, put in as it is: it may answer in the server's place, change \
             headers (any proxy_set_header is in addition) or times, and does nothing where the \
             controller forbids snippets (allow-snippet-annotations, off since 1.9). `nginx -T` in the \
             controller's pod shows what is in effect"
        );
        check.untold(Some(ingress.at(node)), why);
    }
}

fn protocol(check: &mut Check<'_>, ingress: &Object<'_>) {
    if let Some(node) = annotation(ingress, "backend-protocol") {
        let command = ingress.annotate(&[(&format!("{PREFIX}backend-protocol"), "HTTP")]);
        match node.text().to_ascii_uppercase().as_str() {
            protocol @ ("GRPC" | "GRPCS") => {
                let says = format!(
                    "makes ingress-nginx speak {protocol} (HTTP/2) to the server, which an upgrade cannot \
                     cross"
                );
                check.issue(Kind::Http2, ingress.at(node), says, command);
            }
            "FCGI" => {
                let says = "makes ingress-nginx speak FastCGI, which knows no upgrade";
                check.issue(Kind::UpgradeHeaders, ingress.at(node), says, command);
            }
            _ => {}
        }
    }
    if let Some(node) = annotation(ingress, "proxy-http-version").filter(|n| n.text() == "1.0") {
        let command = ingress.annotate(&[(&format!("{PREFIX}proxy-http-version"), "1.1")]);
        check.issue(Kind::HttpVersion, ingress.at(node), "speaks HTTP/1.0 to the server", command);
    }
    if let Some(node) = annotation(ingress, "connection-proxy-header")
        && !node.text().eq_ignore_ascii_case("upgrade")
    {
        let says = "takes the place of `Connection: upgrade` on the way to the server";
        let command = format!(
            "{} annotate ingress {} {PREFIX}connection-proxy-header-",
            ingress.kubectl(),
            ingress.name
        );
        check.issue(Kind::UpgradeHeaders, ingress.at(node), says, command);
    }
    if let Some(node) = annotation(ingress, "upstream-vhost") {
        let says = "gives the server this Host in the place of the browser's";
        check.issue(Kind::Host, ingress.at(node), says, "");
    }
}

fn redirects(check: &mut Check<'_>, ingress: &Object<'_>) {
    for (name, status) in [("permanent-redirect", 301), ("temporal-redirect", 302)] {
        if let Some(node) = annotation(ingress, name) {
            let says = "redirects all of it, which a WebSocket does not follow";
            check.issue(Kind::PathRule(Some(status)), ingress.at(node), says, "");
        }
    }
    if let Some(node) = annotation(ingress, "force-ssl-redirect").filter(|n| n.text() == "true") {
        let says = "redirects to https what did not come by it: where a hop before ends TLS and does not \
                    say so (X-Forwarded-Proto, use-forwarded-headers), that is a loop";
        check.if_seen(Kind::RedirectLoop(308), ingress.at(node), says);
    }
}

fn access(check: &mut Check<'_>, ingress: &Object<'_>) {
    if let Some(node) = annotation(ingress, "auth-url") {
        let signin = annotation(ingress, "auth-signin").is_some();
        let status = if signin { 302 } else { 401 };
        let says = format!(
            "asks a service of its own before every request, upgrades included: {status} where that knows \
             no session"
        );
        check.if_seen(Kind::PathRule(Some(status)), ingress.at(node), says);
    }
    for (name, status) in [
        ("auth-type", 401),
        ("whitelist-source-range", 403),
        ("allowlist-source-range", 403),
        ("denylist-source-range", 403),
    ] {
        if let Some(node) = annotation(ingress, name) {
            let says = format!("refuses whom it does not name ({status})");
            check.if_seen(Kind::PathRule(Some(status)), ingress.at(node), says);
        }
    }
    let status = limit_status(check);
    for name in ["limit-connections", "limit-rps", "limit-rpm"] {
        if let Some(node) = annotation(ingress, name) {
            let says = format!("refuses what is above it, by address, with {status}");
            check.issue(Kind::Limit(status), ingress.at(node), says, "");
        }
    }
}

fn rewrite(check: &mut Check<'_>, taken: &Taken<'_>) {
    let Some(node) = annotation(&taken.ingress, "rewrite-target") else { return };
    let Some(entry) = taken.entry else { return };
    let (rule, target, asked) = (entry.text_of("path"), node.text(), check.path());
    match path::rewritten(rule, target, asked) {
        Some(new) if new == asked => {}
        Some(new) => {
            let says = format!("asks the server for {new} in the place of {asked} (path {rule})");
            let command = format!(
                "{} annotate ingress {} {PREFIX}rewrite-target-",
                taken.ingress.kubectl(),
                taken.ingress.name
            );
            check.issue(Kind::PathChanged, taken.ingress.at(node), says, command);
        }
        None => {
            let why = format!("what {target} makes of {asked} cannot be told");
            check.untold(Some(taken.ingress.at(node)), why);
        }
    }
}

/// A time, where it is set, and whether the controller understands it.
enum Time {
    /// Seconds, by the Ingress.
    Set(f64),
    /// The value is none: what holds without.
    Refused(f64),
    /// Not set: what holds, and where the ConfigMap says so.
    Default(f64, Option<(Place, String)>),
}

fn time(check: &Check<'_>, ingress: &Object<'_>, name: &str) -> Time {
    let default = default(check, name);
    let seconds = default.as_ref().map_or(DEFAULT_S, |(seconds, _)| *seconds);
    match annotation(ingress, name).map(|node| node.text().parse::<u32>()) {
        Some(Ok(seconds)) => Time::Set(f64::from(seconds)),
        Some(Err(_)) => Time::Refused(seconds),
        None => Time::Default(seconds, default.map(|(_, at)| at)),
    }
}

const BARE: &str = "is no bare number of seconds, as ingress-nginx wants it, and does nothing";

fn times(check: &mut Check<'_>, ingress: &Object<'_>) {
    let names = ["proxy-read-timeout", "proxy-send-timeout"].map(|name| format!("{PREFIX}{name}"));
    let command = ingress.annotate(&[(&names[0], "3600"), (&names[1], "3600")]);
    let own = annotation(ingress, "proxy-read-timeout").map(|node| ingress.at(node));
    let cuts = "cuts a connection on which nothing comes from the server for";
    let (read, at, says) = match (time(check, ingress, "proxy-read-timeout"), own) {
        (Time::Set(read), Some(at)) => (read, at, format!("{cuts} {read:.0} s")),
        (Time::Refused(read), Some(at)) => {
            if read >= NEEDED_S {
                check.idle(at.clone(), BARE);
            }
            (read, at, format!("{BARE}: ingress-nginx {cuts} {read:.0} s"))
        }
        (Time::Default(read, Some(at)), _) => {
            let says = format!(
                "holds for {}, which sets none of its own: ingress-nginx {cuts} {read:.0} s",
                ingress.title()
            );
            (read, at, says)
        }
        (Time::Default(read, None) | Time::Set(read) | Time::Refused(read), _) => {
            let says = format!(
                "sets no proxy-read-timeout: ingress-nginx {cuts} {read:.0} s (unless its ConfigMap says \
                 otherwise)"
            );
            (read, ingress.itself(), says)
        }
    };
    check.short(Kind::Timeout(read), at, says, command.clone());
    let Some(node) = annotation(ingress, "proxy-send-timeout") else { return };
    match time(check, ingress, "proxy-send-timeout") {
        Time::Refused(_) => check.idle(ingress.at(node), BARE),
        Time::Set(send) if read >= NEEDED_S => {
            let says = format!("gives the server {send:.0} s to take what is sent");
            check.short(Kind::SendTimeout(send), ingress.at(node), says, command);
        }
        _ => {}
    }
}

/// The controller's ConfigMap: by its name, or by keys that no other has.
fn config_map<'n>(check: &Check<'n>) -> Option<Object<'n>> {
    let own = |map: &Object<'n>| {
        let named =
            ["ingress-nginx", "nginx-ingress", "nginx-configuration", "nginx-load-balancer"];
        let keys = ["proxy-read-timeout", "use-forwarded-headers", "allow-snippet-annotations"];
        let data = map.get(&["data"]);
        named.iter().any(|name| map.name.contains(name))
            || data.is_some_and(|data| keys.iter().any(|key| data.get(key).is_some()))
    };
    check.of("ConfigMap").into_iter().find(own)
}

fn default(check: &Check<'_>, name: &str) -> Option<(f64, (Place, String))> {
    let map = config_map(check)?;
    let node = map.get(&["data", name])?;
    let seconds: u32 = node.text().parse().ok()?;
    Some((f64::from(seconds), map.at(node)))
}

fn limit_status(check: &Check<'_>) -> u16 {
    config_map(check)
        .and_then(|map| map.get(&["data", "limit-req-status-code"])?.text().parse().ok())
        .unwrap_or(503)
}

/// What the ConfigMap sets for all.
fn global(check: &mut Check<'_>) {
    let Some(map) = config_map(check) else { return };
    let get = |key: &str| map.get(&["data", key]);
    if let Some(node) = get("hide-headers") {
        let hidden = node
            .text()
            .split(',')
            .any(|h| h.trim().eq_ignore_ascii_case("sec-websocket-extensions"));
        if hidden {
            check.issue(Kind::HidesGrant, map.at(node), crate::configuration::HIDES, "");
        }
    }
    if let Some(node) = get("worker-shutdown-timeout")
        && let Some(seconds) = super::annotation::seconds(node.text(), 1.0)
    {
        let says = format!(
            "ends every connection {seconds:.0} s after a reload, which any change of an Ingress may be"
        );
        if seconds < NEEDED_S {
            let command = map.patch(r#"{"data":{"worker-shutdown-timeout":"3600s"}}"#);
            check.issue(Kind::Reload(seconds), map.at(node), says, command);
        }
    }
    for key in ["proxy-read-timeout", "proxy-send-timeout"] {
        if let Some(node) = get(key).filter(|node| node.text().parse::<u32>().is_err()) {
            let says = "is no bare number of seconds, as ingress-nginx wants it: it does nothing";
            check.idle(map.at(node), says);
        }
    }
}
