//! Which lines hold what nobody should see, and how long a line is for whoever masks it
//! later. Every question here has the same answer before and after masking: so a torn
//! paste is read in one way, whether its secrets are still in it or not.

use super::mark::REST;
use crate::header::{header_may_stay, names_a_secret, secret_header};

/// Nobody's window cuts a line that is shorter.
const NARROW: usize = 40;
/// Headers of which a part alone is removed: what a URL asks with.
const URLS: [&str; 4] = ["location", "content-location", "referer", "refresh"];

/// Whether the rest of this field on a further line is a part of a secret.
pub(super) fn goes_on_in_secret(field: &str) -> bool {
    let Some((name, value)) = field.split_once(':') else { return false };
    let name = name.trim().to_ascii_lowercase();
    match URLS.contains(&name.as_str()) {
        true => value.contains('?'),
        false => !header_may_stay(&name) || name == "sec-websocket-protocol",
    }
}

/// Whether a line of any kind names a secret at its end, and may have been cut there.
pub(super) fn may_be_cut(line: &str) -> bool {
    line.chars().count() >= NARROW && !line.contains("[removed") && is_in(line)
}

/// Whether a line names a secret.
pub(super) fn is_in(line: &str) -> bool {
    secret_header(line).is_some()
}

/// Whether a line can be the rest of a value that was cut.
pub(super) fn is_rest(bare: &str) -> bool {
    !bare.is_empty() && !bare.contains([' ', ':']) && !bare.starts_with(['<', '[', '{'])
}

/// Whether a line is what masking leaves of a rest.
pub(super) fn was_a_rest(bare: &str) -> bool {
    bare == REST
}

/// Whether something was taken out of a line: it is no longer as wide as it was.
pub(super) fn was_masked(line: &str) -> bool {
    line.contains("[removed")
}

/// Characters of a line, but for what masking may change: user and password in a URL,
/// and a query.
pub(super) fn width(line: &str) -> usize {
    let before_query = line.split('?').next().unwrap_or_default();
    let mut rest = before_query;
    let mut count = 0;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        count += before.chars().count();
        let end = behind.find(['/', ' ', '"', '\'']).unwrap_or(behind.len());
        rest = match behind[..end].rfind('@') {
            Some(user) => &behind[user + 1..],
            None => behind,
        };
    }
    count + rest.chars().count()
}

/// Whether a field's last line is too short to have been cut, or whole: what follows is
/// no rest of it.
pub(super) fn is_whole(field: &str, spaced: bool) -> bool {
    let Some((name, value)) = field.split_once(':') else { return spaced };
    let whole = name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim().len() == 28;
    header_may_stay(name) && (spaced || whole || width(field) < NARROW)
}

/// Whether a name before a colon is surely a header's: prose has colons, too.
pub(super) fn is_header(name: &str) -> bool {
    name.contains('-') || header_may_stay(name) || names_a_secret(name)
}

/// Whether a header that was given to curl stays as it is.
pub(super) fn stays(name: &str) -> bool {
    header_may_stay(name)
}

pub(super) use crate::header::names_a_secret as names;
