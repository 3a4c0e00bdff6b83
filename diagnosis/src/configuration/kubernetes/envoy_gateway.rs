//! What Envoy Gateway makes of a route: its policies, and times without them.
//!
//! A stream may be silent for five minutes (Envoy's `stream_idle_timeout`), for an hour
//! or more where a request timeout is set for the route, unless a policy says otherwise
//! (envoyproxy/gateway, `idleTimeout` of the translator; envoyproxy/gateway#8454).

use super::annotation::seconds;
use super::object::Object;
use super::read::Check;
use crate::configuration::{Kind, NEEDED_S, Place};
use wss_bundle::structured::Node;

/// Envoy's own `stream_idle_timeout`.
const IDLE_S: f64 = 300.0;

/// Whether a policy is for this object.
fn targets(policy: &Object<'_>, object: &Object<'_>) -> bool {
    let one = policy.get(&["spec", "targetRef"]).into_iter();
    let mut all = one.chain(policy.items(&["spec", "targetRefs"]));
    let own = |r: &Node| r.text_of("kind") == object.kind && r.text_of("name") == object.name;
    policy.beside(object) && all.any(own)
}

/// A time of a policy.
fn time<'n>(policy: &Object<'n>, key: &str) -> Option<(f64, (Place, String))> {
    let node = policy.get(&["spec", "timeout", "http", key])?;
    Some((seconds(node.text(), 1.0)?, policy.at(node)))
}

/// What holds for a route of a Gateway.
pub(super) fn settings(
    check: &mut Check<'_>,
    route: &Object<'_>,
    gateway: Option<&Object<'_>>,
    rule: &Node,
) {
    let policies = check.of("BackendTrafficPolicy");
    // The more exact one counts, whole.
    let policy = policies.iter().find(|p| targets(p, route)).or_else(|| {
        let gateway = gateway?;
        policies.iter().find(|p| targets(p, gateway))
    });
    let client = check.of("ClientTrafficPolicy");
    let client = client.iter().find(|p| gateway.is_some_and(|gateway| targets(p, gateway)));
    if let Some(policy) = policy {
        upgrades(check, policy);
        if let Some((life, at)) = time(policy, "maxStreamDuration") {
            let says = format!("ends a socket at {life:.0} s, whatever passes on it");
            let command =
                policy.patch(r#"{"spec":{"timeout":{"http":{"maxStreamDuration":null}}}}"#);
            check.short(Kind::Lifetime(life), at, says, command);
        }
    }
    let request = request(route, rule, policy);
    if let Some((limit, at)) =
        request.clone().filter(|(limit, _)| *limit > 0.0 && *limit < NEEDED_S)
    {
        let says = format!(
            "is Envoy's route timeout: older versions end upgraded sockets at {limit:.0} s, too"
        );
        check.if_seen(Kind::Lifetime(limit), at, says);
    }
    let of_policy = policy.and_then(|policy| time(policy, "streamIdleTimeout"));
    let of_client = client.and_then(|client| time(client, "streamIdleTimeout"));
    let (idle, at, set) = match (of_policy, of_client, request) {
        (Some((idle, at)), ..) | (None, Some((idle, at)), _) => (idle, at, true),
        (None, None, Some((limit, at))) if limit > 0.0 => (limit.max(NEEDED_S), at, true),
        (None, None, Some(_)) => return,
        (None, None, None) => (IDLE_S, route.itself(), false),
    };
    let says = if set {
        format!("cuts a connection on which nothing comes for {idle:.0} s")
    } else {
        format!(
            "has no time of its own: Envoy Gateway cuts a connection on which nothing comes for {idle:.0} s \
             (what ingress-nginx' annotations said does not move along)"
        )
    };
    let command = match policy.or(client) {
        Some(policy) => {
            policy.patch(r#"{"spec":{"timeout":{"http":{"streamIdleTimeout":"3600s"}}}}"#)
        }
        None => format!(
            "{} apply -f - <<'END'\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy\n\
             metadata:\n  name: websocket\nspec:\n  targetRefs:\n  - group: gateway.networking.k8s.io\n    kind: \
             HTTPRoute\n    name: {}\n  timeout:\n    http:\n      streamIdleTimeout: 3600s\nEND",
            route.kubectl(),
            route.name
        ),
    };
    check.short(Kind::Timeout(idle), at, says, command);
}

/// The time for a request: the route's own, else a policy's.
fn request(
    route: &Object<'_>,
    rule: &Node,
    policy: Option<&Object<'_>>,
) -> Option<(f64, (Place, String))> {
    let node = rule.get("timeouts").and_then(|timeouts| timeouts.get("request"));
    let own = node.and_then(|node| Some((seconds(node.text(), 1.0)?, route.at(node))));
    own.or_else(|| time(policy?, "requestTimeout"))
}

/// Upgrades that a policy names are all that pass.
fn upgrades(check: &mut Check<'_>, policy: &Object<'_>) {
    let Some(node) = policy.get(&["spec", "httpUpgrade"]) else { return };
    let websocket = |one: &Node| one.text_of("type").eq_ignore_ascii_case("websocket");
    if !node.items().is_empty() && !node.items().iter().any(websocket) {
        let says = "names the upgrades that pass, and websocket is not among them";
        let command = policy.patch(r#"{"spec":{"httpUpgrade":[{"type":"websocket"}]}}"#);
        check.issue(Kind::UpgradeHeaders, policy.at(node), says, command);
    }
}
