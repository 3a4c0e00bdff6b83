//! Addresses: their tokens are addresses again, private ones private, public ones
//! of ranges that belong to nobody (RFC 2544, RFC 3849). What is in one subnet
//! stays so, octet by octet; of public IPv4 the /24.

use super::public;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;

/// Addresses and their tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Addresses {
    known: BTreeMap<IpAddr, IpAddr>,
    /// Numbers of networks and of hosts in them: prefix, as text → real → token.
    numbers: BTreeMap<String, BTreeMap<u64, u64>>,
}

impl Addresses {
    /// The text with tokens, and how many.
    pub(super) fn rewrite(&mut self, text: &str) -> (String, u64) {
        static CANDIDATES: OnceLock<Option<Regex>> = OnceLock::new();
        let candidates = CANDIDATES.get_or_init(|| {
            // IPv6 in any of its forms (`::ffff:10.0.0.1` too), or IPv4.
            Regex::new(r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?:\d{0,3}(?:\.\d{1,3}){3})?|\d{1,3}(?:\.\d{1,3}){3}")
                .ok()
        });
        let Some(candidates) = candidates else { return (text.to_owned(), 0) };
        let mut out = String::with_capacity(text.len());
        let (mut last, mut count) = (0, 0);
        for found in candidates.find_iter(text) {
            let (before, after) = (&text[..found.start()], &text[found.end()..]);
            let Some((address, rest)) = understood(found.as_str(), before, after) else { continue };
            let token = self.token(address);
            if token == address {
                continue;
            }
            out.push_str(&text[last..found.start()]);
            out.push_str(&token.to_string());
            out.push_str(rest);
            last = found.end();
            count += 1;
        }
        out.push_str(&text[last..]);
        (self.pool_members(&out), count)
    }

    /// F5's persistence cookie is the member's address as a little-endian number
    /// (its article K6917): it stays, with the token's.
    fn pool_members(&mut self, text: &str) -> String {
        static COOKIE: OnceLock<Option<Regex>> = OnceLock::new();
        let cookie = COOKIE.get_or_init(|| {
            Regex::new(r"(BIGipServer[^=\s;]{0,128}=)(\d{6,10})(\.\d{1,5}\.\d{4})").ok()
        });
        let Some(cookie) = cookie else { return text.to_owned() };
        let rewritten = cookie.replace_all(text, |c: &regex::Captures<'_>| {
            let Ok(number) = c[2].parse::<u32>() else { return c[0].to_owned() };
            let address = IpAddr::V4(Ipv4Addr::from(number.to_le_bytes()));
            let IpAddr::V4(token) = self.token(address) else { return c[0].to_owned() };
            format!("{}{}{}", &c[1], u32::from_le_bytes(token.octets()), &c[3])
        });
        rewritten.into_owned()
    }

    /// The token of an address; itself where it says nothing about anybody.
    fn token(&mut self, address: IpAddr) -> IpAddr {
        if public::ADDRESSES.iter().any(|known| known.parse() == Ok(address)) {
            return address;
        }
        if let Some(token) = self.known.get(&address) {
            return *token;
        }
        let token = match address {
            IpAddr::V4(v4) => IpAddr::V4(self.v4(v4)),
            IpAddr::V6(v6) => IpAddr::V6(self.v6(v6)),
        };
        if token != address {
            self.known.insert(address, token);
        }
        token
    }

    fn v4(&mut self, real: Ipv4Addr) -> Ipv4Addr {
        let [a, b, c, d] = real.octets();
        match (a, b) {
            (0 | 127 | 224..=255, _) | (169, 254) => real,
            (10, _) => {
                let second = self.octet("10", b, 0);
                self.below(&[a, b, c, d], [10, second])
            }
            (172, 16..=31) => {
                let second = self.number("172", u64::from(b), 16) % 16 + 16;
                self.below(&[a, b, c, d], [172, low(second)])
            }
            (192, 168) => self.below(&[a, b, c, d], [192, 168]),
            (100, 64..=127) => {
                let second = self.number("100", u64::from(b), 64) % 64 + 64;
                self.below(&[a, b, c, d], [100, low(second)])
            }
            _ => {
                let network = self.number("public", u64::from(u32::from(real) >> 8), 0);
                let host = self.octet(&format!("{a}.{b}.{c}"), d, 0);
                let [second, third] = [18 + low(network >> 8 & 1), low(network)];
                Ipv4Addr::new(198, second, third, host)
            }
        }
    }

    fn below(&mut self, real: &[u8; 4], [first, second]: [u8; 2]) -> Ipv4Addr {
        let [a, b, c, d] = real;
        let third = self.octet(&format!("{a}.{b}"), *c, 0);
        let fourth = self.octet(&format!("{a}.{b}.{c}"), *d, 0);
        Ipv4Addr::new(first, second, third, fourth)
    }

    /// Zero and 255 stay what they are: a network's own address, its broadcast.
    fn octet(&mut self, prefix: &str, real: u8, first: u64) -> u8 {
        match real {
            0 | 255 => real,
            _ => low(self.number(prefix, u64::from(real), first + 1) % 255),
        }
    }

    fn v6(&mut self, real: Ipv6Addr) -> Ipv6Addr {
        let s = real.segments();
        if real.is_loopback() || real.is_unspecified() || real.is_multicast() {
            return real;
        }
        if let Some(v4) = real.to_ipv4_mapped() {
            return self.v4(v4).to_ipv6_mapped();
        }
        if s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
            let [a, b] = [s[6], s[7]].map(u16::to_be_bytes);
            let [a, b, c, d] = self.v4(Ipv4Addr::new(a[0], a[1], b[0], b[1])).octets();
            let [x, y] = [[a, b], [c, d]].map(u16::from_be_bytes);
            return Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, x, y);
        }
        let part = |from: usize, to: usize| {
            s[from..to].iter().fold(0, |all: u64, one| all << 16 | u64::from(*one))
        };
        let host = self.number(&format!("{:x}:", part(0, 4)), part(4, 8), 1);
        let host = [48, 32, 16, 0].map(|shift| (host >> shift & 0xffff) as u16);
        let [e, f, g, h] = if part(4, 8) == 0 { [0; 4] } else { host };
        if s[0] & 0xffc0 == 0xfe80 {
            return Ipv6Addr::new(0xfe80, 0, 0, 0, e, f, g, h);
        }
        let site = self.number("sites", part(0, 3), 1) as u16;
        let subnet = match s[3] {
            0 => 0,
            _ => self.number(&format!("{:x}/48", part(0, 3)), u64::from(s[3]), 1) as u16,
        };
        match s[0] & 0xfe00 {
            0xfc00 => Ipv6Addr::new(0xfd00, 0, site, subnet, e, f, g, h),
            _ => Ipv6Addr::new(0x2001, 0xdb8, site, subnet, e, f, g, h),
        }
    }

    /// The number of something below a prefix: counted up from `first`.
    fn number(&mut self, prefix: &str, real: u64, first: u64) -> u64 {
        let below = self.numbers.entry(prefix.to_owned()).or_default();
        let next = first + below.len() as u64;
        *below.entry(real).or_insert(next)
    }
}

fn low(number: u64) -> u8 {
    (number & 0xff) as u8
}

/// An address where one is meant, and what of the match stands behind it.
fn understood<'t>(found: &'t str, before: &str, after: &str) -> Option<(IpAddr, &'t str)> {
    let joined = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let begins = !before.ends_with(joined);
    let ends = !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && !after
            .strip_prefix('.')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if !begins || !ends {
        return None;
    }
    if let Ok(v4) = found.parse::<Ipv4Addr>() {
        // `Chrome/120.0.0.0` is a version; `//10.0.0.1` is none.
        let version = before.ends_with('/') && !before.ends_with("//");
        return (!version).then_some((IpAddr::V4(v4), ""));
    }
    // `[…]:443` and a text's own colon: what is too much goes back.
    let mut text = found;
    loop {
        if let Ok(v6) = text.parse::<Ipv6Addr>() {
            return Some((IpAddr::V6(v6), &found[text.len()..]));
        }
        text = text.strip_suffix(':')?;
    }
}
