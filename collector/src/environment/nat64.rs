//! Whether this network translates between IPv6 and IPv4 (NAT64), found as RFC
//! 7050 has it: a name that has IPv4 addresses alone is asked for IPv6 ones.
//! Only the configured name servers are asked, and only where a default route
//! for IPv6 is there: elsewhere nobody could use the answer.

use crate::step::dns;
use hickory_proto::rr::RecordType;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// The well-known name (RFC 7050 section 2.2).
pub const NAME: &str = "ipv4only.arpa";
/// How long to wait for a name server.
const LIMIT: Duration = Duration::from_secs(2);
/// Its addresses.
const ADDRESSES: [[u8; 4]; 2] = [[192, 0, 0, 170], [192, 0, 0, 171]];
/// Prefix lengths, and where in the address the bytes of IPv4 stand (RFC 6052
/// section 2.2; byte 8 is left out).
const PLACES: [(u8, [usize; 4]); 6] = [
    (96, [12, 13, 14, 15]),
    (64, [9, 10, 11, 12]),
    (56, [7, 9, 10, 11]),
    (48, [6, 7, 9, 10]),
    (40, [5, 6, 7, 9]),
    (32, [4, 5, 6, 7]),
];

/// Whether a machine is to be asked about: a name server, and a way for IPv6.
#[must_use]
pub fn applies(name_servers: &[SocketAddr]) -> bool {
    !name_servers.is_empty() && super::platform::has_ipv6_default()
}

/// The prefixes that the first name server that answers gives.
pub async fn prefixes(name_servers: &[SocketAddr]) -> Vec<String> {
    for server in name_servers.iter().take(2) {
        let asked = dns::query(*server, NAME, RecordType::AAAA, LIMIT);
        let Ok(Ok(answer)) = tokio::time::timeout(LIMIT, asked).await else { continue };
        let mut found: Vec<String> = Vec::new();
        for address in answer.addresses {
            if let IpAddr::V6(address) = address
                && let Some(prefix) = prefix(address)
                && !found.contains(&prefix)
            {
                found.push(prefix);
            }
        }
        return found;
    }
    Vec::new()
}

/// The prefix of an address in which one of the well-known ones stands.
fn prefix(address: Ipv6Addr) -> Option<String> {
    let bytes = address.octets();
    let (length, _) = PLACES.iter().find(|(_, places)| {
        let v4 = places.map(|at| bytes[at]);
        ADDRESSES.contains(&v4)
    })?;
    let network = ipnet::Ipv6Net::new(address, *length).ok()?.trunc();
    Some(network.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_every_length() {
        for (address, expected) in [
            ("64:ff9b::c000:aa", Some("64:ff9b::/96")),
            ("64:ff9b::192.0.0.171", Some("64:ff9b::/96")),
            ("2001:db8:122:344:c0:0:aa00::", Some("2001:db8:122:344::/64")),
            ("2001:db8:122:3c0:0:aa::", Some("2001:db8:122:300::/56")),
            ("2001:db8:122:c000:0:aa00::", Some("2001:db8:122::/48")),
            ("2001:db8:1c0:0:aa::", Some("2001:db8:100::/40")),
            ("2001:db8:c000:aa::", Some("2001:db8::/32")),
            ("2001:db8::1", None),
            ("::ffff:10.0.0.1", None),
        ] {
            assert_eq!(prefix(address.parse().unwrap()).as_deref(), expected, "{address}");
        }
    }
}
