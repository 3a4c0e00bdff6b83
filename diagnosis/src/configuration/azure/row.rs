//! Azure's row of the table: how what `az` prints is recognised.

use super::check::read;
use crate::configuration::dialect::{Dialect, Fix, Masked, Proof, Recognised, Text, no_includes};
use crate::configuration::part::recognised;
use crate::configuration::{Issue, Kind};
use wss_bundle::redact::listed::AZURE;

/// Azure: Application Gateway, Front Door, API Management.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "azure",
    name: "Azure",
    devices: &["azure-appgw", "azure-frontdoor", "azure-apim"],
    expected: "what `az … show -o json` prints",
    whole: "Azure: `wss-collector config-commands azure-appgw` prints the read-only commands",
    commands: &[
        "az network application-gateway show -g GROUP -n NAME -o json > gateway.json",
        "az afd route list -g GROUP --profile-name PROFILE --endpoint-name ENDPOINT -o json > routes.json   # Front Door",
        "az apim api list -g GROUP --service-name SERVICE -o json > apis.json   # API Management",
    ],
    reload: "it is in effect within minutes",
    masked: Masked::Listed(&AZURE),
    proof: Proof::Models,
    recognise,
    read,
    includes: no_includes,
    fix,
    edits: |_, _| Vec::new(),
};

/// Words of the resources that are read.
const RESOURCES: [&str; 3] =
    ["microsoft.network/applicationgateways", "microsoft.cdn/", "microsoft.apimanagement/"];

fn names_one(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    RESOURCES.iter().any(|word| text.contains(word))
}

/// What the tool prints where it may not, or was not asked for JSON.
fn said(text: &str) -> Option<String> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('$'));
    let first = lines.next()?;
    let (refused, login) = ("(AuthorizationFailed)", "Please run 'az login'");
    if first.contains(refused) || first.contains(login) {
        return Some(
            "az refused it: the command has to be run by somebody who may read the load balancer (az login, \
             then with --subscription): az network application-gateway show -g GROUP -n NAME -o json"
                .to_owned(),
        );
    }
    if first.starts_with("ERROR: (ResourceNotFound)")
        || first.starts_with("ERROR: (ResourceGroupNotFound)")
    {
        return Some(
            "az did not find it: az network application-gateway list -o table prints the groups and names"
                .to_owned(),
        );
    }
    let ruled =
        |line: &str| line.starts_with("---") && line.chars().all(|c| matches!(c, '-' | ' '));
    let columns: Vec<&str> = first.split_whitespace().collect();
    let words = ["ResourceGroup", "OperationalState", "ForwardingProtocol", "ApiRevision", "Path"];
    let named = columns.contains(&"Name") && columns.iter().any(|word| words.contains(word));
    let table = named && lines.next().is_some_and(ruled);
    let values = first.contains('\t') && names_one(first);
    (table || values).then(|| "it is az's table: run the command again with -o json".to_owned())
}

fn recognise(text: &Text<'_>) -> Recognised {
    said(text.text)
        .map_or_else(|| recognised(text, &AZURE, names_one, "what az prints"), Recognised::Broken)
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::UpgradeHeaders => Fix::new("Take the rewrite of this header away."),
        Kind::Timeout(_) | Kind::Lifetime(_) => Fix::new(
            "Raise the backend settings' request timeout to 3600 s or more: it ends sockets that are in use, \
             too.",
        ),
        Kind::Host => Fix::new("Let the backend settings pass the browser's Host on."),
        Kind::PathChanged => Fix::new("Take the other path away where /v1/* goes."),
        Kind::PathRule(Some(401)) => {
            Fix::new("Take the need of a subscription away from the WebSocket's API.")
        }
        Kind::PathRule(Some(403)) => {
            Fix::new("Let the firewall's rules pass the WebSocket's paths; its log names the rule.")
        }
        Kind::PathRule(_) => Fix::new(
            "Give /v1/* a rule of its own that goes to Bindplane's servers, before the one that takes it now.",
        ),
        Kind::Targets(_) => Fix::new("Put Bindplane's servers into the backend pool."),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_az_says_in_place_of_an_answer_is_named() {
        for (text, says) in [
            (
                "ERROR: (AuthorizationFailed) The client 'x' with object id 'y' does not have authorization to perform action 'Microsoft.Network/applicationGateways/read'\nCode: AuthorizationFailed\n",
                "az refused it",
            ),
            ("ERROR: Please run 'az login' to setup account.\n", "az login"),
            (
                "ERROR: (ResourceNotFound) The Resource 'Microsoft.Network/applicationGateways/x' was not found.\n",
                "az did not find it",
            ),
            (
                "Name    OperationalState    ProvisioningState    ResourceGroup\n------  ------------------  -------------------  ---------------\nedge    Running             Succeeded            acme\n",
                "-o json",
            ),
            (
                "None\tNone\t/subscriptions/x/resourceGroups/y/providers/Microsoft.Network/applicationGateways/edge\tedge\n",
                "-o json",
            ),
            (
                "{\n  \"id\": \"/subscriptions/x/resourceGroups/y/providers/Microsoft.Network/applicationGateways/edge\",\n  \"httpListeners\": [\n",
                "broken off",
            ),
        ] {
            let Recognised::Broken(error) = recognise(&Text::new(text)) else { panic!("{text}") };
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
