//! Security agents on this machine that leave no header: their clients take connections
//! on the machine itself, and pass them on opened or by a way of their own. Owns the list
//! of them and the marks by which each is known; a mark is what its makers chose, so what
//! is found is a guess, worded as such.
//!
//! Without rights and without looking at processes: interfaces, resolvers' addresses,
//! proxies and PAC files by name, and authorities that signed what was seen. With
//! `--agents` also the names of running processes, of which those on the list are kept
//! and all others forgotten at once.
//!
//! Known from `microsoft/W365ConnectivityTool` (processes), makers' manuals and
//! `diagnosis/signatures` (authorities). Tried: Linux' `/proc`, over names that were made
//! up for it; with the agents themselves nothing was.

use wss_bundle::environment::{Agent, Interface};
use wss_bundle::observation::Verification;
use wss_bundle::{Observation, Step};

/// How one agent is known. All words in lower case.
struct Known {
    name: &'static str,
    /// In names and descriptions of interfaces.
    interfaces: &'static [&'static str],
    /// Addresses of resolvers.
    resolvers: &'static [&'static str],
    /// In proxies and in the addresses of PAC files.
    proxies: &'static [&'static str],
    /// In the name of the authority that signed what was seen.
    authorities: &'static [&'static str],
    /// Names of processes, without `.exe`.
    processes: &'static [&'static str],
}

const NONE: Known = Known {
    name: "",
    interfaces: &[],
    resolvers: &[],
    proxies: &[],
    authorities: &[],
    processes: &[],
};

const KNOWN: &[Known] = &[
    Known {
        name: "Zscaler Client Connector",
        interfaces: &["zscaler", "zcctun"],
        // Its local proxy listens on 9000 unless told otherwise.
        proxies: &[
            "127.0.0.1:9000",
            "localhost:9000",
            ".zscaler.net",
            ".zscalerone.net",
            ".zscalertwo.net",
            ".zscalerthree.net",
            ".zscloud.net",
            ".zscalergov.net",
        ],
        authorities: &["zscaler"],
        processes: &["zsatunnel", "zsatraymanager", "zsatray", "zstunnel", "zsaservice", "zscaler"],
        ..NONE
    },
    Known {
        name: "Netskope Client",
        interfaces: &["netskope"],
        proxies: &[".goskope.com"],
        authorities: &["goskope", "netskope"],
        processes: &["stagentsvc", "stagentui", "stagent", "nsproxy", "netskopeclientmacappproxy"],
        ..NONE
    },
    Known {
        name: "Cloudflare WARP",
        interfaces: &["cloudflarewarp", "cloudflare warp"],
        resolvers: &["127.0.2.2", "127.0.2.3", "fd01:db8:1111::2", "fd01:db8:1111::3"],
        // Its local proxy's port, unless told otherwise; and Gateway's proxy endpoints.
        proxies: &["127.0.0.1:40000", "localhost:40000", ".proxy.cloudflare-gateway.com"],
        authorities: &["gateway ca - cloudflare", "cloudflare for teams"],
        processes: &["warp-svc", "warp-taskbar", "cloudflare warp"],
    },
    Known {
        name: "Cisco Umbrella",
        resolvers: &[
            "208.67.222.222",
            "208.67.220.220",
            "208.67.222.220",
            "208.67.220.222",
            "2620:119:35::35",
            "2620:119:53::53",
        ],
        proxies: &["umbrella.com"],
        authorities: &["cisco umbrella"],
        processes: &[
            "acumbrellaagent",
            "csc_umbrellaagent",
            "acswgagent",
            "csc_swgagent",
            "ercservice",
            "umbrella_rc",
        ],
        ..NONE
    },
    Known {
        name: "Cisco Secure Client",
        interfaces: &["anyconnect", "cisco secure client", "cscotun"],
        authorities: &["cisco secure access"],
        processes: &["csc_ui", "vpnui", "vpnagent", "vpnagentd", "csc_vpnagent"],
        ..NONE
    },
    Known {
        name: "Palo Alto GlobalProtect",
        interfaces: &["pangp", "globalprotect"],
        proxies: &[".prismaaccess.com"],
        authorities: &["prisma access"],
        processes: &["pangps", "pangpa", "pangpsvc", "globalprotect"],
        ..NONE
    },
    Known {
        name: "Microsoft Global Secure Access",
        interfaces: &["global secure access", "globalsecureaccess"],
        proxies: &[".globalsecureaccess.microsoft.com"],
        authorities: &["global secure access", "microsoft global secure access"],
        processes: &[
            "globalsecureaccessclient",
            "globalsecureaccesstunnelingservice",
            "globalsecureaccessengineservice",
            "globalsecureaccessclientmanagerservice",
            "globalsecureaccessforwardingprofileservice",
        ],
        ..NONE
    },
    Known {
        name: "Forcepoint",
        interfaces: &["forcepoint"],
        proxies: &[".blackspider.com", ".forcepoint.net", "proxy-pac.forcepoint"],
        authorities: &["forcepoint", "websense"],
        processes: &["fppsvc", "fpeca", "wepsvc", "dserui", "proxyconnect", "fpneonetworksvc"],
        ..NONE
    },
    Known {
        name: "Symantec WSS Agent",
        interfaces: &["wss agent"],
        proxies: &[".threatpulse.net", "pfms.wss.symantec.com"],
        authorities: &["cloud services ca", "blue coat", "symantec web security"],
        processes: &["wssad", "wssa-ui", "bcua-service", "bcua-notifier"],
        ..NONE
    },
    Known {
        name: "Cato Client",
        interfaces: &["cato networks", "catonetworks"],
        resolvers: &["10.254.254.1"],
        authorities: &["cato networks"],
        processes: &[
            "catoclient",
            "catowinservice",
            "catovpnservice",
            "cato-clientd",
            "cato-client",
        ],
        ..NONE
    },
    Known {
        name: "Fortinet FortiClient",
        interfaces: &["fortinet", "forticlient", "fctvpn"],
        processes: &[
            "fortitray",
            "fortivpn",
            "forticlient",
            "fortisslvpndaemon",
            "fctservctl",
            "fortiproxy",
        ],
        ..NONE
    },
    Known {
        name: "iboss agent",
        proxies: &[".ibosscloud.com", ".iboss.com"],
        authorities: &["iboss"],
        processes: &["ibsawindowsservice", "ibsa", "ibossagent"],
        ..NONE
    },
    Known {
        name: "Menlo Security",
        proxies: &[".menlosecurity.com"],
        authorities: &["menlo security"],
        ..NONE
    },
];

/// What is looked at.
pub struct Signs<'s> {
    /// Of this machine.
    pub interfaces: &'s [Interface],
    /// Addresses of name servers, with or without a port.
    pub resolvers: &'s [String],
    /// Proxies and PAC files that settings name.
    pub proxies: &'s [String],
    /// What was seen on the network.
    pub observations: &'s [Observation],
    /// Names of running processes; `None` where nobody asked for that.
    pub processes: Option<&'s [String]>,
}

/// The agents that show themselves, each by what.
#[must_use]
pub fn found(signs: &Signs<'_>) -> Vec<Agent> {
    KNOWN
        .iter()
        .filter_map(|known| {
            let by = known.by(signs);
            (!by.is_empty()).then(|| Agent { name: known.name.to_owned(), by })
        })
        .collect()
}

impl Known {
    fn by(&self, signs: &Signs<'_>) -> Vec<String> {
        let mut by = Vec::new();
        let mut add = |sign: String| {
            if !by.contains(&sign) {
                by.push(sign);
            }
        };
        let within = |words: &[&str], text: &str| {
            let text = text.to_ascii_lowercase();
            words.iter().any(|word| text.contains(word))
        };
        for interface in signs.interfaces {
            let described = interface.description.as_deref().unwrap_or_default();
            if within(self.interfaces, &interface.name) || within(self.interfaces, described) {
                add(format!("interface {}", interface.name));
            }
        }
        for server in signs.resolvers {
            let address = server.parse().map_or_else(
                |_| server.clone(),
                |address: std::net::SocketAddr| address.ip().to_string(),
            );
            if self.resolvers.contains(&address.as_str()) {
                add(format!("name server {address}"));
            }
        }
        if signs.proxies.iter().any(|proxy| within(self.proxies, proxy)) {
            add("a proxy or PAC file of its makers, or of its own on this machine".to_owned());
        }
        for authority in signs.observations.iter().filter_map(trusted_authority) {
            if within(self.authorities, authority) {
                add("certificates of its authority, which this machine trusts".to_owned());
            }
        }
        for process in signs.processes.unwrap_or_default() {
            if let Some(name) = self.process(process) {
                add(format!("process {name}"));
            }
        }
        by
    }

    /// The name on the list that a process has. Linux keeps fifteen characters of a name.
    fn process(&self, process: &str) -> Option<&'static str> {
        const KEPT: usize = 15;
        let process = process.to_ascii_lowercase();
        let process = process.strip_suffix(".exe").unwrap_or(&process);
        self.processes.iter().copied().find(|name| {
            *name == process
                || cfg!(target_os = "linux") && process.len() == KEPT && name.starts_with(process)
        })
    }
}

/// The authority that signed a leaf of the target's, where this machine trusts it.
fn trusted_authority(seen: &Observation) -> Option<&str> {
    let Step::Tls(tls) = &seen.step else { return None };
    let trusted = tls.verification == Some(Verification::Trusted);
    tls.chain.first().filter(|_| trusted)?.issuer_cn.as_deref()
}

/// The names of the processes that run here; of no process anything else.
#[must_use]
pub fn processes() -> Vec<String> {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
    let mut system = System::new();
    let names = ProcessRefreshKind::nothing().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, names);
    let all = system.processes().values();
    all.map(|process| process.name().to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with an interface, a resolver, a proxy and a process.
    fn machine(interface: &str, resolver: &str, proxy: &str, process: &str) -> Vec<Agent> {
        found(&Signs {
            interfaces: &[Interface { name: interface.to_owned(), ..Interface::default() }],
            resolvers: &[resolver.to_owned()],
            proxies: &[proxy.to_owned()],
            observations: &[],
            processes: Some(&[process.to_owned(), "bash".to_owned()]),
        })
    }

    const PLAIN: [&str; 4] = ["eth0", "10.0.0.1:53", "http://proxy.corp.example:3128", "sshd"];

    #[test]
    fn each_is_known_by_each_of_its_marks_alone() {
        let [interface, resolver, proxy, process] = PLAIN;
        assert!(machine(interface, resolver, proxy, process).is_empty());
        for known in KNOWN {
            let only = |agents: Vec<Agent>, mark: &str| {
                let names: Vec<&str> = agents.iter().map(|agent| agent.name.as_str()).collect();
                assert_eq!(names, [known.name], "{mark}");
                assert_eq!(agents[0].by.len(), 1, "{mark}");
            };
            for mark in known.interfaces {
                only(machine(&format!("{mark}0"), resolver, proxy, process), mark);
            }
            for mark in known.resolvers {
                let at =
                    if mark.contains(':') { format!("[{mark}]:53") } else { format!("{mark}:53") };
                only(machine(interface, &at, proxy, process), mark);
                only(machine(interface, mark, proxy, process), mark);
            }
            for mark in known.proxies {
                only(machine(interface, resolver, &format!("http://x{mark}/"), process), mark);
            }
            for mark in known.processes {
                only(machine(interface, resolver, proxy, mark), mark);
                only(
                    machine(interface, resolver, proxy, &format!("{mark}.EXE").to_uppercase()),
                    mark,
                );
            }
        }
    }

    #[test]
    fn what_is_not_on_the_list_is_nobody() {
        let [interface, resolver, proxy, _] = PLAIN;
        for process in ["warp", "warp-svc2", "vpn", "proxy", "my-zsatunnel", "systemd", ""] {
            assert!(machine(interface, resolver, proxy, process).is_empty(), "{process}");
        }
        for proxy in ["http://127.0.0.1:3128", "http://umbrella.corp.example:8080", "DIRECT"] {
            assert!(machine(interface, resolver, proxy, "sshd").is_empty(), "{proxy}");
        }
        let not_asked = Signs {
            interfaces: &[],
            resolvers: &[],
            proxies: &[],
            observations: &[],
            processes: None,
        };
        assert!(found(&not_asked).is_empty());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn names_that_linux_has_cut_off() {
        let agents = machine("eth0", "10.0.0.1", "", "globalsecureacc");
        assert_eq!(agents[0].name, "Microsoft Global Secure Access");
        assert!(machine("eth0", "10.0.0.1", "", "globalsecureac").is_empty());
    }

    #[test]
    fn this_test_is_among_the_processes() {
        let own = std::env::current_exe().unwrap();
        let own = own.file_name().unwrap().to_string_lossy().into_owned();
        let cut = |name: &str| name.chars().take(15).collect::<String>();
        assert!(processes().iter().any(|name| cut(name) == cut(&own)), "{own}");
    }
}
