//! Azure API Management: which API takes the path, and whether it is one for WebSocket.

use super::check::Check;
use crate::configuration::part::Part;
use crate::configuration::{Fix, Kind};

/// Reads the APIs that were given.
pub(super) fn read(check: &mut Check<'_>, all: &[Part<'_>]) {
    let Some(first) = all.first() else { return };
    let asked = check.path().trim_start_matches('/');
    let takes = |api: &&Part<'_>| {
        let own = api.text("path").trim_matches('/');
        let rest = asked.get(own.len()..).filter(|_| {
            asked.get(..own.len()).is_some_and(|front| front.eq_ignore_ascii_case(own))
        });
        api.text("isCurrent") != "false"
            && rest.is_some_and(|rest| own.is_empty() || rest.is_empty() || rest.starts_with('/'))
    };
    let mut own: Vec<&Part<'_>> = all.iter().filter(takes).collect();
    own.sort_by_key(|api| std::cmp::Reverse(api.text("path").trim_matches('/').len()));
    let Some(longest) = own.first().map(|api| api.text("path").trim_matches('/').len()) else {
        let why = "none of these APIs takes the path: give all of them (az apim api list)";
        return check.untold(first.get("path").unwrap_or(*first), why);
    };
    own.retain(|api| api.text("path").trim_matches('/').len() == longest);
    // One path may have an API of each kind: upgrades are the WebSocket's.
    let socket = own.iter().find(|api| is_socket(api)).copied();
    let Some(api) = socket.or_else(|| own.first().copied()) else { return };
    check.device("azure-apim");
    check.follow(api.get("name").unwrap_or(*api));
    judged(check, *api);
}

fn is_socket(api: &Part<'_>) -> bool {
    api.text("apiType").eq_ignore_ascii_case("websocket")
        || api.items("protocols").any(|own| matches!(own.node.text(), "ws" | "wss"))
}

fn judged(check: &mut Check<'_>, api: Part<'_>) {
    if !is_socket(&api) {
        let set = api.get("apiType").filter(|own| !own.node.text().is_empty());
        let at = set.or_else(|| api.get("path")).unwrap_or(api);
        let says = "is an API for plain requests: it does not carry an upgrade. WebSocket wants an API of \
                    its own kind, which the Consumption tier does not have";
        let command = format!(
            "az apim api create -g GROUP --service-name SERVICE --api-id bindplane-ws --display-name \
             bindplane-ws --api-type websocket --path {} --protocols wss --service-url wss://BINDPLANE{}",
            check.path().trim_start_matches('/'),
            check.path()
        );
        check.issue(Kind::UpgradeHeaders, at, says, command);
        return check.mended_by(Fix::new("Add an API of the kind WebSocket for the path."));
    }
    let scheme = if check.request.tls { "wss" } else { "ws" };
    let mut protocols = api.items("protocols").peekable();
    if let Some(one) = protocols.peek().copied()
        && !protocols.any(|own| own.node.text() == scheme)
    {
        let says = format!("does not have {scheme}: the API takes no such connection");
        check.issue(Kind::PathRule(None), one, says, "");
    }
    if let Some(at) = api.get("subscriptionRequired").filter(|own| own.node.text() == "true") {
        let says = "wants a subscription's key: a browser's WebSocket has none, and gets 401";
        check.if_seen(Kind::PathRule(Some(401)), at, says);
    }
}
