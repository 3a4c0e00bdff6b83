//! Azure: what `az network application-gateway`, `az afd route` and `az apim api` show.

use super::{Finer, Listed};
use crate::structured::Node;

/// Kinds of resources, as their `type` has them.
const TYPES: [&str; 3] = [
    "microsoft.network/applicationgateways",
    "microsoft.cdn/profiles/afdendpoints/routes",
    "microsoft.apimanagement/service/apis",
];

fn is_azure(node: &Node) -> bool {
    let has = |key: &str| node.get(key).is_some();
    TYPES.iter().any(|own| node.text_of("type").eq_ignore_ascii_case(own))
        || has("httpListeners") && has("requestRoutingRules")
        || has("patternsToMatch") && has("forwardingProtocol")
}

/// Application Gateways, routes of Front Door and APIs of API Management, one or a list.
pub static AZURE: Listed = Listed {
    whose: |node| is_azure(node) || node.items().first().is_some_and(is_azure),
    keys: &[
        "type",
        ".name",
        "frontendPorts.name",
        "httpListeners.name",
        "listeners.name",
        "requestRoutingRules.name",
        "urlPathMaps.name",
        "pathRules.name",
        "redirectConfigurations.name",
        "rewriteRuleSets.name",
        "backendAddressPools.name",
        "backendHttpSettingsCollection.name",
        "frontendPort.id",
        "httpListener.id",
        "targetListener.id",
        "urlPathMap.id",
        "backendAddressPool.id",
        "backendHttpSettings.id",
        "redirectConfiguration.id",
        "rewriteRuleSet.id",
        "defaultBackendAddressPool.id",
        "defaultBackendHttpSettings.id",
        "defaultRedirectConfiguration.id",
        "defaultRewriteRuleSet.id",
        "protocol",
        "hostName",
        "hostNames",
        "ruleType",
        "paths",
        "path",
        "redirectType",
        "targetUrl",
        "headerName",
        "modifiedPath",
        "firewallMode",
        "endpointName",
        "enabledState",
        "patternsToMatch",
        "originPath",
        "queryStringCachingBehavior",
        "httpsRedirect",
        "forwardingProtocol",
        "supportedProtocols",
        "apiType",
        "protocols",
    ],
    pairs: &[],
    finer: &Finer {
        attributes: &[],
        strict: &["tags", "headerValue", "backendAddresses", "description"],
        hidden: &[],
        except: &[],
        named: true,
    },
};
