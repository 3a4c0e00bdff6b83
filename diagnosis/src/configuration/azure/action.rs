//! What a rule of an Application Gateway does with a request: redirect, rewrite, backend
//! pool and backend settings.

use super::check::{Check, named, object, replaced};
use super::gateway::find;
use crate::configuration::part::Part;
use crate::configuration::{HIDES, Kind, NEEDED_S};

/// Keys of a rule, of what a path map does by default: pool, settings, redirect, rewrite.
pub(super) type Keys = [&'static str; 4];

pub(super) const PLAIN: Keys =
    ["backendAddressPool", "backendHttpSettings", "redirectConfiguration", "rewriteRuleSet"];
pub(super) const DEFAULT: Keys = [
    "defaultBackendAddressPool",
    "defaultBackendHttpSettings",
    "defaultRedirectConfiguration",
    "defaultRewriteRuleSet",
];

/// The rule that takes a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way<'n> {
    pub(super) gateway: Part<'n>,
    pub(super) listener: Part<'n>,
    pub(super) of: Part<'n>,
    pub(super) keys: &'static Keys,
    /// The pattern of the path rule, where there is one.
    pub(super) pattern: Option<&'n str>,
}

/// Reads what it does.
pub(super) fn read(check: &mut Check<'_>, way: Way<'_>) {
    let [pool, settings, redirect, rewrite] = way.keys.map(|key| named(way.of, key));
    if !redirect.is_empty() {
        return match find(way.gateway, "redirectConfigurations", redirect) {
            Some(to) => redirected(check, way, to),
            None => missing(check, way, redirect),
        };
    }
    if !rewrite.is_empty() {
        match find(way.gateway, "rewriteRuleSets", rewrite) {
            Some(set) => rewritten(check, set),
            None => missing(check, way, rewrite),
        }
    }
    if let Some(pool) = find(way.gateway, "backendAddressPools", pool) {
        empty(check, pool);
    }
    match find(way.gateway, "backendHttpSettingsCollection", settings) {
        Some(own) => backend(check, way, own),
        None => missing(check, way, settings),
    }
}

fn missing(check: &mut Check<'_>, way: Way<'_>, name: &str) {
    let why = match name {
        "" => "this rule names neither backend settings nor a redirect".to_owned(),
        name => format!("{name} is not in what was given"),
    };
    check.untold(way.of.get("name").unwrap_or(way.of), why);
}

fn redirected(check: &mut Check<'_>, way: Way<'_>, to: Part<'_>) {
    let status = match to.text("redirectType") {
        "Found" => 302,
        "SeeOther" => 303,
        "Temporary" => 307,
        _ => 301,
    };
    let at = to.get("redirectType").unwrap_or(to);
    let with_path = to.text("includePath") == "true";
    let asked = check.path();
    let url = to.text("targetUrl");
    let own = if url.is_empty() {
        let own = named(to, "targetListener").eq_ignore_ascii_case(way.listener.text("name"));
        own && with_path
    } else {
        let path = if with_path { asked } else { "" };
        let url = format!("{}{path}", if with_path { url.trim_end_matches('/') } else { url });
        let scheme = if check.request.tls { "https" } else { "http" };
        url.eq_ignore_ascii_case(&format!("{scheme}://{}{asked}", check.request.authority()))
    };
    if own {
        let says = "redirects to the very URL that was asked for";
        return check.issue(Kind::RedirectLoop(status), at, says, "");
    }
    let says = format!("redirects {asked} ({status}), which a WebSocket does not follow");
    check.issue(Kind::PathRule(Some(status)), at, says, "");
}

/// A pool without anybody in it: neither addresses nor network cards.
fn empty(check: &mut Check<'_>, pool: Part<'_>) {
    let lists = ["backendAddresses", "backendIPConfigurations", "backendIpConfigurations"];
    let Some(at) = pool.get("backendAddresses") else { return };
    if lists.iter().all(|list| pool.items(list).next().is_none()) {
        let says = "has nobody in it: the load balancer answers 502";
        check.issue(Kind::Targets(Some(502)), at, says, "");
    }
}

fn rewritten(check: &mut Check<'_>, set: Part<'_>) {
    for rule in set.items("rewriteRules") {
        let conditional = rule.items("conditions").next().is_some();
        let Some(actions) = rule.get("actionSet") else { continue };
        for header in actions.items("requestHeaderConfigurations") {
            request_header(check, conditional, header);
        }
        for header in actions.items("responseHeaderConfigurations") {
            response_header(check, conditional, header);
        }
        let path = object(actions, "urlConfiguration").and_then(|url| url.get("modifiedPath"));
        let Some(at) = path.filter(|path| !path.node.text().is_empty()) else { continue };
        let (new, asked) = (at.node.text(), check.path());
        if new.contains('{') {
            check.untold(at, "what the path becomes depends on what a condition captures");
        } else if new != asked {
            let says = format!("asks the server for {new} in the place of {asked}");
            check.ruled(conditional, Kind::PathChanged, at, says);
        }
    }
}

const OWN: &str = "cannot be rewritten: the load balancer sets this header itself";

fn request_header(check: &mut Check<'_>, conditional: bool, header: Part<'_>) {
    let Some(at) = header.get("headerName") else { return };
    match at.node.text().to_ascii_lowercase().as_str() {
        "upgrade" | "connection" => check.issue(Kind::NoEffect, at, OWN, ""),
        "sec-websocket-key" | "sec-websocket-version" => {
            let says = "is set anew or taken away: the server does not get a whole upgrade";
            check.ruled(conditional, Kind::UpgradeHeaders, at, says);
        }
        "host" => {
            let says = "gives the server another Host than the browser's";
            check.ruled(conditional, Kind::Host, at, says);
        }
        "origin" => {
            check.untold(at, "whether the server takes the Origin that is set here is not told");
        }
        _ => {}
    }
}

fn response_header(check: &mut Check<'_>, conditional: bool, header: Part<'_>) {
    let Some(at) = header.get("headerName") else { return };
    match at.node.text().to_ascii_lowercase().as_str() {
        "upgrade" | "connection" => check.issue(Kind::NoEffect, at, OWN, ""),
        "sec-websocket-extensions" => check.ruled(conditional, Kind::HidesGrant, at, HIDES),
        "sec-websocket-accept" | "sec-websocket-protocol" => {
            check.untold(
                at,
                "whether the browser takes the answer that is changed here is not told",
            );
        }
        _ => {}
    }
}

/// The settings by which a backend is spoken to.
fn backend(check: &mut Check<'_>, way: Way<'_>, settings: Part<'_>) {
    let name = settings.text("name");
    check.follow(settings.get("name").unwrap_or(settings));
    let update = format!(
        "az network application-gateway http-settings update -g GROUP --gateway-name {} -n {name}",
        way.gateway.text("name")
    );
    time(check, settings, &update);
    let host = check.request.host;
    let mend = format!("{update} --host-name-from-backend-pool false --host-name {host}");
    let pick = settings.get("pickHostNameFromBackendAddress");
    if let Some(at) = pick.filter(|own| own.node.text() == "true") {
        let says = "gives the server its own name as Host in the place of the browser's";
        check.issue(Kind::Host, at, says, mend);
    } else if let Some(at) = settings.get("hostName").filter(|own| {
        let name = own.node.text();
        !name.is_empty() && !name.eq_ignore_ascii_case(host)
    }) {
        let says = "gives the server this Host in the place of the browser's";
        check.issue(Kind::Host, at, says, mend);
    }
    let Some(at) = settings.get("path").filter(|own| !own.node.text().is_empty()) else { return };
    let asked = check.path();
    let new = replaced(way.pattern.unwrap_or("/*"), at.node.text(), asked);
    if new != asked {
        let says = format!("asks the server for {new} in the place of {asked}");
        check.issue(Kind::PathChanged, at, says, "");
    }
}

/// `requestTimeout` ends sockets that are in use as well
/// (application-gateway-kubernetes-ingress#491, #1277).
fn time(check: &mut Check<'_>, settings: Part<'_>, update: &str) {
    let node = settings.get("requestTimeout");
    let Some((at, seconds)) = node.and_then(|own| Some((own, own.node.number()?))) else {
        let at = settings.get("name").unwrap_or(settings);
        return check
            .untold(at, "requestTimeout is not in what was given: how long a connection lives");
    };
    if seconds >= NEEDED_S {
        return;
    }
    let age = format!("ends a connection at {seconds:.0} s, whatever passes on it");
    check.issue(Kind::Lifetime(seconds), at, age, format!("{update} --timeout 3600"));
    let silence = format!("cuts a connection on which nothing comes for {seconds:.0} s");
    check.if_seen(Kind::Timeout(seconds), at, silence);
}
