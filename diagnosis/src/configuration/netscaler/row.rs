//! NetScaler's row of the table.

use super::check::read;
use crate::configuration::dialect::{
    Dialect, Fix, Masked, Parsed, Proof, Recognised, Text, no_includes,
};
use crate::configuration::{Issue, Kind, Purpose};

/// NetScaler.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "netscaler",
    name: "NetScaler",
    devices: &["netscaler"],
    expected: "a NetScaler's ns.conf",
    whole: "NetScaler: give what `show ns runningConfig` prints",
    commands: &["show ns runningConfig   # on its command line; save what it prints"],
    reload: "save ns config",
    masked: Masked::Words,
    proof: Proof::Documents,
    recognise,
    read,
    includes: no_includes,
    fix,
    edits: |_, _| Vec::new(),
};

fn recognise(&Text { text, .. }: &Text<'_>) -> Recognised {
    let words =
        ["add lb vserver ", "add cs vserver ", "set ns httpProfile ", "add ns httpProfile "];
    let own = |line: &str| words.iter().any(|word| line.trim_start().starts_with(word));
    if text.lines().any(own) { Recognised::Yes(Parsed::default()) } else { Recognised::No }
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::UpgradeHeaders => Fix::new(
            "Set -webSocket ENABLED in the virtual server's HTTP profile (set ns httpProfile NAME \
             -webSocket ENABLED).",
        ),
        Kind::Timeout(_) => Fix::pasting(
            "Raise cltTimeout of the virtual server and svrTimeout of its services to 3600.",
            Purpose::Timeout,
        ),
        _ => return None,
    })
}
