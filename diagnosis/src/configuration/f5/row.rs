//! F5's row of the table.

use super::check::read;
use super::parse::objects;
use crate::configuration::dialect::{
    Dialect, Fix, Masked, Parsed, Proof, Recognised, Text, no_includes,
};
use crate::configuration::{Issue, Kind, Purpose};

/// F5 BIG-IP.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "f5",
    name: "F5 BIG-IP",
    devices: &["f5-bigip", "f5-asm"],
    expected: "what `tmsh list ltm` prints",
    whole: "F5: give what `tmsh list ltm virtual NAME` and `tmsh list ltm profile` print",
    commands: &[
        "tmsh -q list ltm virtual > ltm.txt",
        "tmsh -q list ltm profile tcp >> ltm.txt",
        "tmsh -q list ltm profile websocket >> ltm.txt",
    ],
    reload: "tmsh save sys config",
    masked: Masked::Words,
    proof: Proof::Documents,
    recognise,
    read,
    includes: no_includes,
    fix,
    edits: |_, _| Vec::new(),
};

fn recognise(&Text { text, .. }: &Text<'_>) -> Recognised {
    let begins = |line: &str| {
        let line = line.trim_start();
        ["ltm virtual ", "ltm profile ", "ltm pool "].iter().any(|word| line.starts_with(word))
            && line.ends_with(['{', '}'])
    };
    if !text.lines().any(begins) {
        return Recognised::No;
    }
    let virtual_ = objects(text).iter().any(|one| one.word(1) == "virtual");
    if virtual_ { Recognised::Yes(Parsed::default()) } else { Recognised::Part(Parsed::default()) }
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::UpgradeHeaders => {
            Fix::pasting("Give the virtual server a websocket profile.", Purpose::Forward)
        }
        Kind::Timeout(_) => Fix::pasting(
            "Give the virtual server a TCP profile with idle-timeout 3600, on both sides.",
            Purpose::Timeout,
        ),
        _ => return None,
    })
}
