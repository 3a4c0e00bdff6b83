//! What names of interfaces and adapters, and a few other signs, tell of VPNs,
//! security agents and captive portals. Guesses, worded as such: a name is what
//! its maker chose. No process is looked at here.

use wss_bundle::environment::Interface;
use wss_bundle::{Observation, ResponseHead, Step};

/// Interface names, as they begin, followed by digits or nothing.
const NAMES: [(&str, &str); 17] = [
    ("tun", "a VPN (OpenVPN, AnyConnect or another tun device)"),
    ("tap", "a VPN or a virtual machine (tap device)"),
    ("wg", "WireGuard"),
    ("ppp", "a PPP link, often a VPN"),
    ("utun", "a VPN (macOS tunnel)"),
    ("ipsec", "an IPsec VPN"),
    ("xfrm", "an IPsec VPN"),
    ("vpn", "a VPN"),
    ("gpd", "Palo Alto GlobalProtect"),
    ("cscotun", "Cisco AnyConnect"),
    ("zcctun", "Zscaler Client Connector"),
    ("tailscale", "Tailscale"),
    ("zt", "ZeroTier"),
    ("nordlynx", "NordVPN"),
    ("proton", "Proton VPN"),
    ("mullvad", "Mullvad VPN"),
    ("outline-tun", "Outline VPN"),
];

/// Words within names and descriptions, in lower case.
const WORDS: [(&str, &str); 29] = [
    ("zscaler", "Zscaler Client Connector"),
    ("netskope", "Netskope Client"),
    ("anyconnect", "Cisco AnyConnect"),
    ("cisco secure client", "Cisco Secure Client"),
    ("pangp", "Palo Alto GlobalProtect"),
    ("globalprotect", "Palo Alto GlobalProtect"),
    ("fortinet", "Fortinet FortiClient"),
    ("forticlient", "Fortinet FortiClient"),
    ("fctvpn", "Fortinet FortiClient"),
    ("check point", "Check Point Endpoint VPN"),
    ("checkpoint", "Check Point Endpoint VPN"),
    ("juniper", "Juniper or Pulse Secure"),
    ("pulse secure", "Pulse Secure (Ivanti)"),
    ("ivanti", "Ivanti Secure Access"),
    ("sonicwall", "SonicWall NetExtender"),
    ("f5 networks", "F5 BIG-IP Edge Client"),
    ("citrix", "Citrix Secure Access"),
    ("sophos", "Sophos Connect"),
    ("watchguard", "WatchGuard Mobile VPN"),
    ("barracuda", "Barracuda VPN Client"),
    ("forcepoint", "Forcepoint Endpoint"),
    ("cloudflarewarp", "Cloudflare WARP"),
    ("cloudflare warp", "Cloudflare WARP"),
    ("tap-windows", "OpenVPN"),
    ("openvpn", "OpenVPN"),
    ("wireguard", "WireGuard"),
    ("wintun", "a VPN (Wintun adapter)"),
    ("tailscale", "Tailscale"),
    ("nordvpn", "NordVPN"),
];

/// The smallest MTU of a link without a tunnel: PPPoE leaves 1492 bytes of
/// Ethernet's 1500 (RFC 2516 section 7).
const PLAIN_MTU: u32 = 1492;

/// What a name looks like. Bridges and cables of containers and virtual
/// machines (`docker0`, `veth…`, `virbr0`) are none of it.
fn meaning(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let numbered = |prefix: &str| {
        lower.strip_prefix(prefix).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
    };
    if let Some((_, what)) = NAMES.iter().find(|(prefix, _)| numbered(prefix)) {
        return Some(what);
    }
    // ZeroTier appends letters, too: zt7nnig26.
    if lower.starts_with("zt")
        && lower.len() >= 8
        && lower.chars().all(|c| c.is_ascii_alphanumeric())
    {
        return Some("ZeroTier");
    }
    WORDS.iter().find(|(word, _)| lower.contains(word)).map(|(_, what)| *what)
}

/// What an interface tells.
pub(super) fn of(interface: &Interface) -> Vec<String> {
    let mut out = Vec::new();
    let way = if interface.default_route { ", and the default route leaves by it" } else { "" };
    let described = interface.description.as_deref();
    let what = meaning(&interface.name).or_else(|| described.and_then(meaning));
    if let Some(what) = what {
        let also = described.map(|text| format!(" ({text})")).unwrap_or_default();
        out.push(format!("interface {}{also} looks like {what}{way}", interface.name));
    }
    if let Some(mtu) = interface.mtu.filter(|mtu| interface.default_route && *mtu < PLAIN_MTU) {
        out.push(format!(
            "interface {} takes packets of {mtu} bytes only, and the default route leaves by it: a \
             tunnel lies on the way",
            interface.name
        ));
    }
    out
}

/// What the answers tell of a captive portal: 511 is for nothing else (RFC 6585
/// section 6).
#[must_use]
pub fn portal(observations: &[Observation]) -> Option<String> {
    let asks = |head: &ResponseHead| head.status() == Some(511);
    observations.iter().find_map(|o| {
        let head = match &o.step {
            Step::Http(http) => &http.result.ok()?.head,
            Step::Upgrade(upgrade) => &upgrade.result.ok()?.head,
            Step::Tunnel(tunnel) => tunnel.result.ok()?.head.as_ref()?,
            _ => return None,
        };
        asks(head).then(|| format!("a captive portal: {} by {}", head.status_line(), o.route))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, says) in [
            ("tun0", "VPN"),
            ("tun", "VPN"),
            ("tap3", "tap device"),
            ("utun4", "macOS tunnel"),
            ("wg0", "WireGuard"),
            ("ppp0", "PPP"),
            ("ipsec0", "IPsec"),
            ("gpd0", "GlobalProtect"),
            ("cscotun0", "AnyConnect"),
            ("zcctun0", "Zscaler"),
            ("tailscale0", "Tailscale"),
            ("zt7nnig26", "ZeroTier"),
            ("nordlynx", "NordVPN"),
            ("CloudflareWARP", "WARP"),
            ("fctvpn3a4b", "FortiClient"),
            ("Cisco AnyConnect Secure Mobility Client Virtual Miniport Adapter", "AnyConnect"),
            ("PANGP Virtual Ethernet Adapter #2", "GlobalProtect"),
            ("Zscaler Network Adapter 1.0.2.0", "Zscaler"),
            ("Netskope Virtual Adapter", "Netskope"),
            ("TAP-Windows Adapter V9", "OpenVPN"),
            ("Wintun Userspace Tunnel", "Wintun"),
            ("Fortinet SSL VPN Virtual Ethernet Adapter", "FortiClient"),
            ("Juniper Networks Virtual Adapter", "Juniper"),
            ("Check Point Virtual Network Adapter For Endpoint VPN Client", "Check Point"),
        ] {
            assert!(
                meaning(name).is_some_and(|what| what.contains(says)),
                "{name}: {:?}",
                meaning(name)
            );
        }
        for name in [
            "lo",
            "eth0",
            "ens18",
            "enp0s31f6",
            "wlan0",
            "wlp2s0",
            "en0",
            "docker0",
            "veth1a2b3c",
            "br-0123456789ab",
            "virbr0",
            "vnet3",
            "vmnet8",
            "lxcbr0",
            "cni0",
            "flannel.1",
            "tunnelbroker",
            "tunl",
            "awdl0",
            "bond0",
            "eth0.100",
            "ztx",
            "Ethernet",
            "Wi-Fi",
            "Intel(R) Ethernet Connection (7) I219-LM",
            "Hyper-V Virtual Ethernet Adapter",
            "VirtualBox Host-Only Ethernet Adapter",
            "WAN Miniport (IKEv2)",
        ] {
            assert!(meaning(name).is_none(), "{name}: {:?}", meaning(name));
        }
    }

    #[test]
    fn the_description_and_the_default_route_count() {
        let one = |name: &str, description: Option<&str>, default_route, mtu| {
            of(&Interface {
                name: name.into(),
                description: description.map(str::to_owned),
                default_route,
                mtu: Some(mtu),
                ..Interface::default()
            })
        };
        let said = one("Ethernet 3", Some("PANGP Virtual Ethernet Adapter"), true, 1500);
        assert!(said[0].contains("GlobalProtect") && said[0].contains("default route"), "{said:?}");
        assert!(one("eth0", None, true, 1500).is_empty());
        assert!(one("eth0", None, true, 1492).is_empty());
        assert!(one("eth1", None, false, 1280).is_empty());
        assert!(one("eth0", None, true, 1400)[0].contains("1400"));
        assert_eq!(one("tun0", None, true, 1400).len(), 2);
    }
}
