//! `no_proxy`, as curl reads it.

use ipnet::IpNet;
use std::net::IpAddr;

// Of IPv6 curl 7.88 compares nothing but the text, since it takes the brackets
// off too early (its `Curl_check_noproxy`); here networks work as documented.

/// Whether `list` exempts `host` (without brackets). Entries are separated by
/// commas or blanks. `*` alone exempts all. A name exempts itself and what ends
/// in it after a dot, with or without a dot before it; an address or a network
/// in CIDR form exempts addresses alone, since no name is resolved for this.
#[must_use]
pub fn exempt(host: &str, list: &str) -> bool {
    if list == "*" {
        return true;
    }
    let host = host.trim_matches(['[', ']']);
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()).any(|entry| match address {
        Some(address) => covers(entry, address),
        None => names(entry, &host),
    })
}

fn covers(entry: &str, address: IpAddr) -> bool {
    let (network, bits) = entry.split_once('/').unwrap_or((entry, ""));
    let Ok(network) = network.trim_matches(['[', ']']).parse::<IpAddr>() else { return false };
    // As `atoi` has it: what is no number is 0. And 0 stands for all bits, so
    // that `0.0.0.0/0` exempts nobody.
    let digits = bits.find(|c: char| !c.is_ascii_digit()).unwrap_or(bits.len());
    match bits[..digits].parse::<u8>() {
        Ok(0) => network == address,
        Ok(bits) => IpNet::new(network, bits).is_ok_and(|network| network.contains(&address)),
        Err(_) => digits == 0 && !bits.starts_with('-') && network == address,
    }
}

fn names(entry: &str, host: &str) -> bool {
    let entry = entry.strip_prefix('.').unwrap_or(entry);
    let entry = entry.strip_suffix('.').unwrap_or(entry).to_ascii_lowercase();
    !entry.is_empty()
        && (host == entry || host.strip_suffix(&entry).is_some_and(|before| before.ends_with('.')))
}
