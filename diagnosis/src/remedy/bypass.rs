//! The exemption from inspection, in the words of each product that opens TLS.
//!
//! Menu paths only where a maker's own page gives them; elsewhere what is to be
//! done, and no more.

use crate::device::devices;
use crate::evidence::Evidence;
use crate::model::{Confidence, DeviceRole, Remedy};

/// How one product exempts a host from inspection.
#[derive(Debug)]
pub struct Bypass {
    /// Ids of its signatures.
    pub devices: &'static [&'static str],
    /// What to do; `{host}` is the console's host.
    pub steps: &'static [&'static str],
    /// Where it is known from.
    pub source: &'static str,
}

/// Every product whose exemption is known.
pub static EVERY: &[Bypass] = &[
    Bypass {
        devices: &["zscaler"],
        steps: &[
            "Put {host} in a custom URL category, and add an SSL inspection rule for it with the \
             action Do Not Inspect, before the rules that inspect (Policies > Common Configuration > \
             SSL/TLS Inspection > SSL/TLS Inspection Policy).",
            "Then activate the change. The certificate that clients see is the server's own again.",
        ],
        source: "https://help.zscaler.com/unified/configuring-ssl-inspection-policy",
    },
    Bypass {
        devices: &["paloalto"],
        steps: &[
            "Add a decryption policy rule for {host} (Policies > Decryption) whose action is No \
             Decrypt, and move it to the top: the first rule that matches counts.",
            "Where security policy goes by App-ID, allow the application websocket, too \
             (unverified); then commit.",
        ],
        source: "https://docs.paloaltonetworks.com/network-security/decryption/administration/decryption-exclusions/create-policy-based-decryption-exclusions",
    },
    Bypass {
        devices: &["bluecoat"],
        steps: &[
            "Cloud SWG: add a rule for {host} with the verdict Do Not Intercept (Policy > TLS/SSL \
             Interception > TLS/SSL Interception Policy), above the rules that intercept; then Activate \
             Policy.",
            "ProxySG, Edge SWG: exempt {host} in the SSL intercept layer of the policy. SGOS before 7.2 \
             does not complete WebSocket handshakes where it intercepts; 7.2 and 7.3 do for HTTP/1.1.",
        ],
        source: "https://knowledge.broadcom.com/external/article/169172, https://knowledge.broadcom.com/external/article/259520",
    },
    Bypass {
        devices: &["fortinet"],
        steps: &[
            "Add an address object for {host} to the list of exemptions of the SSL/SSH inspection \
             profile (full SSL inspection) that the policy uses. A wildcard FQDN is compared with the \
             SNI.",
        ],
        source: "https://community.fortinet.com/t5/FortiGate/Technical-Tip-Exempting-applications-domains-websites-from-Deep/ta-p/191170",
    },
    Bypass {
        devices: &["netskope"],
        steps: &[
            "Add a policy for the domain {host} with the action Do Not Decrypt (Policies > SSL \
             Decryption), enable it, and move it above the others. Real-time Protection policies go on \
             being matched.",
        ],
        source: "https://docs.netskope.com/en/add-a-policy-for-ssl-decryption.html",
    },
    Bypass {
        devices: &["cisco"],
        steps: &[
            "Secure Web Appliance: put {host} in a custom URL category, and give that category the \
             action Pass Through (Web Security Manager > Decryption Policies, URL Categories); then \
             Submit and Commit Changes.",
            "Umbrella, Secure Access: put {host} on the list of destinations that are not decrypted.",
        ],
        source: "https://www.cisco.com/c/en/us/support/docs/security/secure-web-appliance-virtual/220557-configure-custom-url-categories-in-secur.html, https://developer.cisco.com/docs/cloud-security/",
    },
    Bypass {
        devices: &["skyhigh"],
        steps: &[
            "Exempt {host} in the first of the HTTPS Scanning rule sets, which lets requests bypass \
             HTTPS scanning; on an appliance, in the criteria of the SSL scanner's rule set.",
        ],
        source: "https://success.skyhighsecurity.com/Skyhigh_Secure_Web_Gateway_(Cloud)/WSGS_Concepts/Configure_Trust_between_WGCS_and_Endpoints, https://community.mcafee.com/t5/Web-Gateway-Documents/Web-Gateway-Considerations-when-Whitelisting-Blacklisting-HTTPS/ta-p/554067",
    },
    Bypass {
        devices: &["sophos"],
        steps: &[
            "Add an SSL/TLS inspection rule for {host} with the action Don't decrypt, at the top (Rules \
             and policies > SSL/TLS inspection rules).",
            "These rules do not affect what the web proxy decrypts: where a firewall rule uses the web \
             proxy instead of the DPI engine, exempt {host} from its HTTPS decryption, too.",
        ],
        source: "https://docs.sophos.com/nsg/sophos-firewall/21.0/Help/en-us/webhelp/onlinehelp/AdministratorHelp/RulesAndPolicies/SSL/TLSInspectionRules/",
    },
    Bypass {
        devices: &["checkpoint"],
        steps: &[
            "Add a rule for {host} to the HTTPS Inspection policy with the action Bypass, above the \
             rules that inspect; then install the policy.",
        ],
        source: "https://sc1.checkpoint.com/documents/R82/WebAdminGuides/EN/CP_R82_ThreatPrevention_AdminGuide/Content/Topics-TPG/Using_Threat_Prevention_with_HTTPS_Traffic.htm",
    },
    Bypass {
        devices: &["cato"],
        steps: &[
            "Add a TLS Inspection rule for {host} with the action Bypass, above the rules that inspect: \
             they are read in order, and what none of them names is inspected. Untried.",
        ],
        source: "https://support.catonetworks.com/hc/en-us/articles/4413273491857-Configuring-TLS-Inspection-Policy-for-the-Account",
    },
    Bypass {
        devices: &["cisco-secure-access"],
        steps: &[
            "Put {host} on a Do Not Decrypt list, and choose that list in the security profile of the rule \
             that applies (Secure > Security Profiles, Decryption). Untried.",
        ],
        source: "https://docs.sse.cisco.com/sse-user-guide/docs/add-web-profile",
    },
    Bypass {
        devices: &["cloudflare-gateway"],
        steps: &[
            "Add an HTTP policy for {host} with the action Do Not Inspect. Untried.",
            "Where an HTTP policy blocks by response code, let 101 pass: Gateway does not look into a \
             WebSocket, and such a policy is how it is filtered.",
        ],
        source: "https://developers.cloudflare.com/cloudflare-one/policies/gateway/http-policies/websocket/, https://developers.cloudflare.com/cloudflare-one/traffic-policies/http-policies/tls-decryption/index.md",
    },
    Bypass {
        devices: &["global-secure-access"],
        steps: &[
            "Add a rule for the destination {host} with the action bypass to the TLS inspection policy, with \
             a priority before the rules that inspect: the first that matches counts. Untried.",
        ],
        source: "https://learn.microsoft.com/en-us/graph/api/resources/networkaccess-tlsInspectionRule?view=graph-rest-beta",
    },
    Bypass {
        devices: &["forcepoint"],
        steps: &[
            "Web Security Cloud: add {host} to the policy's SSL Decryption Bypass (Web > Policies > the \
             policy > Web Categories), or as a non-proxied destination (Proxy Bypass), which the proxy then \
             never sees. Untried.",
        ],
        source: "https://help.forcepoint.com/websec/en-us/cloud/sso_guide/68957af6-c3a8-4f29-94cf-6b989d6dbfc9.html",
    },
    Bypass {
        devices: &["kaspersky", "eset", "avast-avg-norton", "bitdefender"],
        steps: &[
            "This interceptor is a program on the computer itself, not on the network: exempt {host} \
             from its scan of encrypted connections, and compare with a run while the scan is off.",
        ],
        source: "https://github.com/overleaf/overleaf/issues/401",
    },
];

/// The exemption in the words of a product, if they are known.
#[must_use]
pub(super) fn of(device: &str) -> Option<&'static Bypass> {
    EVERY.iter().find(|known| known.devices.contains(&device))
}

/// Adds the steps for every product on the client's side that is known by name.
pub(super) fn add(remedy: &mut Remedy, e: &Evidence<'_>, host: &str) {
    for device in devices(e) {
        let client_side =
            matches!(device.role, DeviceRole::ForwardProxy | DeviceRole::TlsInterceptor);
        let Some(product) = device.product.filter(|_| client_side) else { continue };
        let found = e
            .signatures
            .iter()
            .filter(|s| s.name == product && device.confidence >= Confidence::Medium)
            .find_map(|s| of(&s.id));
        if let Some(found) = found {
            let steps = found.steps.iter().map(|step| step.replace("{host}", host));
            remedy.steps.extend(steps.map(|step| format!("{product}: {step}")));
            remedy.known_from(found.source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Signatures;

    /// The interceptors of the list, each by the id of its signature.
    #[test]
    fn every_interceptor_has_its_exemption() {
        for id in [
            "zscaler",
            "paloalto",
            "bluecoat",
            "fortinet",
            "netskope",
            "cisco",
            "skyhigh",
            "sophos",
            "checkpoint",
            "cato",
            "cisco-secure-access",
            "cloudflare-gateway",
            "global-secure-access",
            "forcepoint",
        ] {
            let known = of(id).unwrap_or_else(|| panic!("{id}: no exemption"));
            assert!(!known.steps.is_empty() && known.source.starts_with("https://"), "{id}");
        }
        for id in EVERY.iter().flat_map(|known| known.devices) {
            assert!(Signatures::built_in().get(id).is_some(), "{id}: no signature names it");
        }
    }
}
