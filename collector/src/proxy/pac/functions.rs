//! The functions that a PAC script may call, but for those that look names up.
//! Netscape's specification of 1996 as Chromium has it, which is stricter and
//! laxer than what is written about it; `tests/tests/browser_pac.rs` holds both
//! against each other. Pure: the time is an argument.

use chrono::{DateTime, Datelike, FixedOffset, NaiveTime, Timelike, Utc};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The time, here and in Greenwich.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// As the clock on the wall has it.
    pub local: DateTime<FixedOffset>,
}

impl Now {
    fn fields(&self, gmt: bool) -> (u32, u32, i32, NaiveTime, u32) {
        fn of<Z: chrono::TimeZone>(t: &DateTime<Z>) -> (u32, u32, i32, NaiveTime, u32) {
            (t.day(), t.month0(), t.year(), t.time(), t.weekday().num_days_from_sunday())
        }
        if gmt { of(&self.local.with_timezone(&Utc)) } else { of(&self.local) }
    }
}

/// No dots.
#[must_use]
pub fn is_plain_host_name(host: &str) -> bool {
    !host.contains(['.', ':'])
}

/// The host ends in the domain, letter by letter: a browser asks about hosts in lower
/// case, so that a domain with capitals never fits.
#[must_use]
pub fn dns_domain_is(host: &str, domain: &str) -> bool {
    host.ends_with(domain)
}

/// The same name, or its beginning up to a dot.
#[must_use]
pub fn local_host_or_domain_is(host: &str, full: &str) -> bool {
    full.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Dots in the name.
#[must_use]
pub fn dns_domain_levels(host: &str) -> u32 {
    u32::try_from(host.matches('.').count()).unwrap_or(u32::MAX)
}

/// An address within a network, given by address and mask.
#[must_use]
pub fn is_in_net(address: Ipv4Addr, pattern: &str, mask: &str) -> bool {
    let (Ok(pattern), Ok(mask)) = (pattern.parse::<Ipv4Addr>(), mask.parse::<Ipv4Addr>()) else {
        return false;
    };
    let mask = u32::from(mask);
    u32::from(address) & mask == u32::from(pattern) & mask
}

/// An address within a network, both of either family: `fe80::1` and `fe80::/10`.
/// IPv4 within IPv6 (`::ffff:10.1.2.3`) is IPv4. A name is in none.
#[must_use]
pub fn is_in_net_ex(address: &str, network: &str) -> bool {
    let Some((prefix, length)) = network.split_once('/') else { return false };
    let (Ok(address), Ok(prefix), Ok(length)) =
        (address.parse::<IpAddr>(), prefix.parse::<IpAddr>(), length.parse::<u32>())
    else {
        return false;
    };
    let wide = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    let short = u32::from(prefix.is_ipv4()) * 96;
    if length > 128 - short || address.is_ipv4() && prefix.is_ipv6() && length < 96 {
        return false;
    }
    let bits = |ip: Ipv6Addr, length: u32| u128::from(ip).checked_shr(128 - length).unwrap_or(0);
    bits(wide(address), length + short) == bits(wide(prefix), length + short)
}

/// Addresses apart by `;`, those of IPv6 first, each in its order. `None` where one is
/// no address.
#[must_use]
pub fn sort_ip_address_list(list: &str) -> Option<String> {
    let mut all: Vec<IpAddr> =
        list.split(';').map(|one| one.trim().parse().ok()).collect::<Option<_>>()?;
    all.sort_by_key(|ip| (ip.is_ipv4(), *ip));
    Some(all.iter().map(ToString::to_string).collect::<Vec<_>>().join(";"))
}

/// An address as a number, as JavaScript shifts it together: from 128.0.0.0 on it is
/// below zero, and what is missing or no number is 0.
#[must_use]
pub fn convert_addr(address: &str) -> i32 {
    let mut parts = address.split('.').map(|part| part.trim().parse::<u32>().unwrap_or(0) & 0xff);
    (0..4).fold(0u32, |sum, _| sum << 8 | parts.next().unwrap_or(0)).cast_signed()
}

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

fn index(list: &[&str], word: &str) -> Option<u32> {
    let at = list.iter().position(|known| *known == word)?;
    u32::try_from(at).ok()
}

/// Takes `GMT` off the end.
fn without_zone(arguments: &[String]) -> (&[String], bool) {
    match arguments.split_last() {
        Some((last, rest)) if last == "GMT" => (rest, true),
        _ => (arguments, false),
    }
}

fn between<T: PartialOrd>(value: &T, from: &T, to: &T) -> bool {
    if from <= to { from <= value && value <= to } else { value >= from || value <= to }
}

/// `weekdayRange(from[, to][, "GMT"])`.
#[must_use]
pub fn weekday_range(arguments: &[String], now: Now) -> bool {
    let (days, gmt) = without_zone(arguments);
    let today = now.fields(gmt).4;
    let days: Option<Vec<u32>> = days.iter().map(|day| index(&DAYS, day)).collect();
    match days.as_deref() {
        Some([day]) => *day == today,
        Some([from, to]) => between(&today, from, to),
        _ => false,
    }
}

/// `timeRange(…)`: an hour, two hours, two times with minutes, or with seconds.
#[must_use]
pub fn time_range(arguments: &[String], now: Now) -> bool {
    let (numbers, gmt) = without_zone(arguments);
    let time = now.fields(gmt).3;
    let numbers: Option<Vec<u32>> =
        numbers.iter().map(|number| number.trim().parse().ok()).collect();
    let seconds = time.num_seconds_from_midnight();
    match numbers.as_deref() {
        Some([hour]) => time.hour() == *hour,
        // To the end of the second hour, and not over midnight.
        Some([from, to]) => (*from..=*to).contains(&time.hour()),
        Some([h1, m1, h2, m2]) => {
            let at = |h: u32, m: u32| h.saturating_mul(3600).saturating_add(m.saturating_mul(60));
            between(&seconds, &at(*h1, *m1), &at(*h2, *m2).saturating_add(59))
        }
        Some([h1, m1, s1, h2, m2, s2]) => {
            let at = |h: u32, m: u32, s: u32| {
                h.saturating_mul(3600).saturating_add(m.saturating_mul(60)).saturating_add(s)
            };
            between(&seconds, &at(*h1, *m1, *s1), &at(*h2, *m2, *s2))
        }
        _ => false,
    }
}

/// One part of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Day(u32),
    Month(u32),
    Year(i32),
}

fn part(word: &str) -> Option<Part> {
    if let Some(month) = index(&MONTHS, word) {
        return Some(Part::Month(month));
    }
    match word.trim().parse::<i32>().ok()? {
        day @ 1..=31 => Some(Part::Day(day.unsigned_abs())),
        year if year > 31 => Some(Part::Year(year)),
        _ => None,
    }
}

/// `dateRange(…)`: a day, a month, a year, or from one such to another.
#[must_use]
pub fn date_range(arguments: &[String], now: Now) -> bool {
    use Part::{Day, Month, Year};
    let (words, gmt) = without_zone(arguments);
    let (day, month, year, ..) = now.fields(gmt);
    let parts: Option<Vec<Part>> = words.iter().map(|word| part(word)).collect();
    match parts.as_deref() {
        Some([Day(d)]) => *d == day,
        Some([Month(m)]) => *m == month,
        Some([Year(y)]) => *y == year,
        Some([Day(a), Day(b)]) => between(&day, a, b),
        Some([Month(a), Month(b)]) => between(&month, a, b),
        Some([Year(a), Year(b)]) => between(&year, a, b),
        Some([Day(d1), Month(m1), Day(d2), Month(m2)]) => {
            between(&(month, day), &(*m1, *d1), &(*m2, *d2))
        }
        Some([Month(m1), Year(y1), Month(m2), Year(y2)]) => {
            between(&(year, month), &(*y1, *m1), &(*y2, *m2))
        }
        Some([Day(d1), Month(m1), Year(y1), Day(d2), Month(m2), Year(y2)]) => {
            between(&(year, month, day), &(*y1, *m1, *d1), &(*y2, *m2, *d2))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A Saturday, 00:30 in Berlin and 23:30 on Friday in Greenwich.
    fn now() -> Now {
        Now { local: "2026-11-21T00:30:15+01:00".parse().unwrap() }
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn hosts() {
        assert!(is_plain_host_name("www") && !is_plain_host_name("www.example"));
        assert!(dns_domain_is("www.example", ".example") && !dns_domain_is("www", ".example"));
        assert!(!dns_domain_is("www.example", ".Example"));
        assert!(local_host_or_domain_is("www", "www.example"));
        assert!(local_host_or_domain_is("www.example", "www.example"));
        assert!(!local_host_or_domain_is("www.other", "www.example"));
        assert_eq!(dns_domain_levels("a.b.c"), 2);
        assert!(is_in_net([10, 1, 2, 3].into(), "10.0.0.0", "255.0.0.0"));
        assert!(!is_in_net([11, 1, 2, 3].into(), "10.0.0.0", "255.0.0.0"));
        assert!(!is_in_net([10, 1, 2, 3].into(), "10.0.0.0", "nonsense"));
    }

    #[test]
    fn times() {
        for (text, within) in [
            ("SAT", true),
            ("SAT GMT", false),
            ("FRI GMT", true),
            ("MON FRI", false),
            ("FRI MON", true),
            ("XYZ", false),
            ("", false),
        ] {
            assert_eq!(weekday_range(&words(text), now()), within, "{text}");
        }
        for (text, within) in [
            ("0", true),
            ("23 GMT", true),
            ("8 18", false),
            ("22 6", false),
            ("0 1", true),
            ("23 0 6 0", true),
            ("0 30 0 31", true),
            ("0 31 0 40", false),
            ("0 30 10 0 30 20", true),
            ("0 30 16 0 30 20", false),
            ("a b", false),
            ("4294967295 4294967295 4294967295 4294967295", false),
        ] {
            assert_eq!(time_range(&words(text), now()), within, "{text}");
        }
        for (text, within) in [
            ("21", true),
            ("20 GMT", true),
            ("NOV", true),
            ("OCT", false),
            ("2026", true),
            ("1 15", false),
            ("OCT DEC", true),
            ("DEC FEB", false),
            ("NOV OCT", true),
            ("nov", false),
            ("2025 2027", true),
            ("1 NOV 30 NOV", true),
            ("24 DEC 6 JAN", false),
            ("JAN 2026 DEC 2026", true),
            ("1 JAN 2026 20 NOV 2026", false),
            ("1 JAN 2026 21 NOV 2026", true),
            ("0", false),
            ("21 NOV", false),
        ] {
            assert_eq!(date_range(&words(text), now()), within, "{text}");
        }
    }
}
