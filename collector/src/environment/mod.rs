//! The machine, as far as it matters for the network path. What cannot be read
//! becomes a note; nothing here fails, and nothing is contacted.
//!
//! Read are interfaces with their addresses, the default route, name servers,
//! the clock's offset and the operating system's name; with `--agents` the names of
//! processes, of which those on a list are kept ([`agents`]). Not read are files of the
//! user, and browser data.

pub mod agents;
mod hints;
pub mod nat64;
mod platform;
pub mod windows;

pub use hints::portal;

use wss_bundle::environment::{Clock, DnsConfig, Interface, Os, TrustStore};
use wss_bundle::{Environment, Observation, ResponseHead, Step};

/// The configured name servers, and what could not be read.
#[must_use]
pub fn dns() -> (DnsConfig, Vec<String>) {
    platform::dns()
}

/// The variable that replaces the operating system's list of trusted
/// authorities, when one does.
#[must_use]
pub fn trust_variable() -> Option<&'static str> {
    platform::TRUST_VARIABLES
        .iter()
        .find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
        .copied()
}

/// The machine. `dns` was read before; skew and proxies are filled in by others.
#[must_use]
pub fn read(dns: DnsConfig, mut notes: Vec<String>) -> Environment {
    notes.extend(platform::unread());
    let interfaces = interfaces(&mut notes);
    let hints = interfaces.iter().flat_map(hints::of).chain(platform::portal()).collect();
    Environment {
        os: Os {
            family: std::env::consts::OS.into(),
            version: platform::os_version().unwrap_or_default(),
            arch: std::env::consts::ARCH.into(),
        },
        dns,
        interfaces,
        hints,
        clock: Clock {
            utc_offset_minutes: chrono::Local::now().offset().local_minus_utc() / 60,
            skew_s: None,
        },
        trust: TrustStore {
            source: trust_variable().unwrap_or("operating system").into(),
            ..TrustStore::default()
        },
        notes,
        ..Environment::default()
    }
}

fn interfaces(notes: &mut Vec<String>) -> Vec<Interface> {
    let found = match if_addrs::get_if_addrs() {
        Ok(found) => found,
        Err(error) => {
            notes.push(format!("network interfaces could not be read: {error}"));
            return Vec::new();
        }
    };
    let mut out: Vec<Interface> = Vec::new();
    for one in found {
        let address = match &one.addr {
            if_addrs::IfAddr::V4(v4) => format!("{}/{}", v4.ip, v4.prefixlen),
            if_addrs::IfAddr::V6(v6) => format!("{}/{}", v6.ip, v6.prefixlen),
        };
        match out.iter_mut().find(|known| known.name == one.name) {
            Some(known) => known.addresses.push(address),
            None => out.push(Interface {
                addresses: vec![address],
                name: one.name,
                ..Interface::default()
            }),
        }
    }
    platform::describe(&mut out);
    out.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

/// This machine's clock minus the server's, in seconds, from the first response
/// with a `Date` (RFC 9110 section 6.6.1), which has a resolution of one second.
#[must_use]
pub fn skew(
    started_at: chrono::DateTime<chrono::Utc>,
    observations: &[Observation],
) -> Option<f64> {
    observations.iter().find_map(|o| {
        let head: &ResponseHead = match &o.step {
            Step::Http(http) => &http.result.ok()?.head,
            Step::Upgrade(upgrade) => &upgrade.result.ok()?.head,
            _ => return None,
        };
        let date = chrono::DateTime::parse_from_rfc2822(&head.header("date")?).ok()?;
        let ended_ms = (o.start_ms + o.duration_ms) as i64;
        let here = started_at + chrono::Duration::milliseconds(ended_ms);
        let seconds = (here - date.to_utc()).num_milliseconds() as f64 / 1e3;
        Some(if seconds.abs() < 2.0 { 0.0 } else { seconds })
    })
}

/// Why no trust store could be used, as the first TLS handshake has it.
#[must_use]
pub fn trust_problem(observations: &[Observation]) -> Option<String> {
    observations.iter().find_map(|o| match &o.step {
        Step::Tls(tls) => match &tls.verification {
            Some(wss_bundle::observation::Verification::NotChecked { detail }) => {
                Some(detail.clone())
            }
            _ => None,
        },
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_loopback_interface() {
        let environment = read(DnsConfig::default(), Vec::new());
        let all = environment.interfaces.iter().flat_map(|i| &i.addresses);
        assert!(all.clone().any(|a| a == "127.0.0.1/8"), "{:?}", environment.interfaces);
        assert!(!environment.os.family.is_empty());
    }
}
