//! Windows' network settings, from the registry: name servers, gateways, MTU and
//! descriptions of adapters, and the system's version. What the values mean is
//! portable and tested everywhere; reading them is Windows'.

use crate::proxy::source::windows::Values;
use std::net::{IpAddr, SocketAddr};
use wss_bundle::environment::Interface;

/// One adapter, as far as the registry knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adapter {
    /// `{4F1B…}`.
    pub guid: String,
    /// `Ethernet 2`, as people see it.
    pub name: Option<String>,
    /// `PANGP Virtual Ethernet Adapter`.
    pub description: Option<String>,
    /// Name servers: those set by hand, or else those of DHCP.
    pub name_servers: Vec<SocketAddr>,
    /// Search domains.
    pub search: Vec<String>,
    /// Whether it has a gateway.
    pub gateway: bool,
    /// Where one is set.
    pub mtu: Option<u32>,
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', ';']).map(str::trim).filter(|word| !word.is_empty())
}

/// Understands the values of `Tcpip\Parameters\Interfaces\{GUID}`.
#[must_use]
pub fn adapter(guid: &str, values: &Values) -> Adapter {
    let either = |by_hand: &str, by_dhcp: &str| -> Vec<String> {
        let text = values.text(by_hand).or_else(|| values.text(by_dhcp)).unwrap_or_default();
        words(text).map(str::to_owned).collect()
    };
    let addresses = |list: Vec<String>| -> Vec<IpAddr> {
        let parsed = list.iter().filter_map(|word| word.parse().ok());
        parsed.filter(|address: &IpAddr| !address.is_unspecified()).collect()
    };
    Adapter {
        guid: guid.to_owned(),
        name_servers: addresses(either("NameServer", "DhcpNameServer"))
            .into_iter()
            .map(|address| SocketAddr::new(address, 53))
            .collect(),
        search: either("Domain", "DhcpDomain"),
        gateway: !addresses(either("DefaultGateway", "DhcpDefaultGateway")).is_empty(),
        mtu: values.number("MTU").filter(|mtu| (68..=65_535).contains(mtu)),
        ..Adapter::default()
    }
}

/// `Windows 11 Pro 23H2 (build 22631)`. Windows 11 still calls itself 10 there.
#[must_use]
pub fn version(values: &Values) -> Option<String> {
    let build = values.text("CurrentBuildNumber").or_else(|| values.text("CurrentBuild"));
    let mut name = values.text("ProductName")?.to_owned();
    if build.and_then(|b| b.parse::<u32>().ok()).is_some_and(|build| build >= 22_000) {
        name = name.replace("Windows 10", "Windows 11");
    }
    if let Some(release) = values.text("DisplayVersion") {
        name.push_str(&format!(" {release}"));
    }
    if let Some(build) = build {
        name.push_str(&format!(" (build {build})"));
    }
    Some(name)
}

/// Fills in what the registry knows of interfaces. Matched by name or GUID:
/// which of them the system's list of addresses gives differs.
pub fn describe(interfaces: &mut [Interface], adapters: &[Adapter]) {
    for interface in interfaces {
        let known = adapters.iter().find(|adapter| {
            adapter.guid.eq_ignore_ascii_case(&interface.name)
                || adapter.name.as_deref() == Some(interface.name.as_str())
        });
        let Some(adapter) = known else { continue };
        interface.description.clone_from(&adapter.description);
        interface.default_route = adapter.gateway;
        interface.default_v4 = adapter.gateway;
        interface.mtu = interface.mtu.or(adapter.mtu);
        if let Some(name) = &adapter.name {
            interface.name.clone_from(name);
        }
    }
}

/// The adapters of this machine.
#[cfg(windows)]
#[must_use]
pub fn adapters() -> Vec<Adapter> {
    use crate::proxy::source::windows::{Root, key, subkeys};
    const SETTINGS: &str = r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces";
    const CLASS: &str = r"{4D36E972-E325-11CE-BFC1-08002BE10318}";
    let network = format!(r"SYSTEM\CurrentControlSet\Control\Network\{CLASS}");
    let class = format!(r"SYSTEM\CurrentControlSet\Control\Class\{CLASS}");
    let drivers: Vec<Values> = subkeys(Root::Machine, &class)
        .iter()
        .filter_map(|name| key(Root::Machine, &format!(r"{class}\{name}")))
        .collect();
    subkeys(Root::Machine, SETTINGS)
        .iter()
        .filter_map(|guid| {
            let values = key(Root::Machine, &format!(r"{SETTINGS}\{guid}"))?;
            let connection = key(Root::Machine, &format!(r"{network}\{guid}\Connection"));
            let driver = drivers.iter().find(|driver| {
                driver.text("NetCfgInstanceId").is_some_and(|id| id.eq_ignore_ascii_case(guid))
            });
            Some(Adapter {
                name: connection.and_then(|c| c.text("Name").map(str::to_owned)),
                description: driver.and_then(|d| d.text("DriverDesc").map(str::to_owned)),
                ..adapter(guid, &values)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::source::windows::Value;

    fn values(list: &[(&str, &str)]) -> Values {
        Values::new(list.iter().map(|(name, value)| (*name, Value::Text((*value).into()))))
    }

    #[test]
    fn by_hand_before_dhcp() {
        let both = values(&[
            ("NameServer", "10.0.0.53,10.0.0.54"),
            ("DhcpNameServer", "192.168.1.1"),
            ("DhcpDomain", "corp.example"),
            ("DhcpDefaultGateway", "192.168.1.1"),
        ]);
        let found = adapter("{1}", &both);
        let servers: Vec<String> = found.name_servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["10.0.0.53:53", "10.0.0.54:53"]);
        assert_eq!(found.search, ["corp.example"]);
        assert!(found.gateway);
        let nothing = values(&[("NameServer", ""), ("DefaultGateway", "0.0.0.0"), ("MTU", "7")]);
        let nothing = adapter("{1}", &nothing);
        assert!(nothing.name_servers.is_empty() && !nothing.gateway && nothing.mtu.is_none());
        assert!(
            adapter("{1}", &values(&[("NameServer", "nonsense 1.2.3")])).name_servers.is_empty()
        );
    }

    #[test]
    fn eleven_is_eleven() {
        let of = |build: &str| {
            version(&values(&[
                ("ProductName", "Windows 10 Pro"),
                ("DisplayVersion", "23H2"),
                ("CurrentBuildNumber", build),
            ]))
        };
        assert_eq!(of("22631").as_deref(), Some("Windows 11 Pro 23H2 (build 22631)"));
        assert_eq!(of("19045").as_deref(), Some("Windows 10 Pro 23H2 (build 19045)"));
        assert!(version(&Values::default()).is_none());
    }

    #[test]
    fn interfaces_get_their_names() {
        let adapters = [Adapter {
            guid: "{AB}".into(),
            name: Some("Ethernet 3".into()),
            description: Some("PANGP Virtual Ethernet Adapter".into()),
            gateway: true,
            ..Adapter::default()
        }];
        let named = |name: &str| Interface { name: name.into(), ..Interface::default() };
        let mut interfaces = [named("{ab}"), named("Ethernet 3"), named("lo")];
        describe(&mut interfaces, &adapters);
        for interface in &interfaces[..2] {
            assert_eq!(interface.name, "Ethernet 3");
            assert!(interface.default_route && interface.description.is_some());
        }
        assert!(!interfaces[2].default_route);
    }
}
