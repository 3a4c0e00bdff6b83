//! IIS' row of the table.

use super::check::read;
use crate::configuration::dialect::{
    Dialect, Fix, Masked, Parsed, Proof, Recognised, Text, no_includes,
};
use crate::configuration::{Issue, Kind, Purpose};

/// IIS with ARR.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "iis",
    name: "IIS with ARR",
    devices: &["iis-arr"],
    expected: "a web.config or applicationHost.config of IIS",
    whole: "IIS: give applicationHost.config and the site's web.config",
    commands: &[
        "type %windir%\\System32\\inetsrv\\config\\applicationHost.config > applicationHost.config.txt",
        "type C:\\inetpub\\wwwroot\\web.config > web.config.txt   # the site's folder",
    ],
    reload: "it is in effect when the file is saved",
    masked: Masked::Words,
    proof: Proof::Documents,
    recognise,
    read,
    includes: no_includes,
    fix,
    edits: |_, _| Vec::new(),
};

fn recognise(&Text { text, .. }: &Text<'_>) -> Recognised {
    let lower = text.to_ascii_lowercase();
    let begins = lower.trim_start().starts_with('<') && lower.contains("<configuration");
    let words = ["<system.webserver", "<webfarm", "<rewrite"];
    if begins && words.iter().any(|word| lower.contains(word)) {
        Recognised::Yes(Parsed::default())
    } else {
        Recognised::No
    }
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::UpgradeHeaders => Fix::pasting(
            "Install the feature WebSocket Protocol, and set webSocket enabled to true.",
            Purpose::Forward,
        ),
        Kind::Timeout(_) => Fix::pasting("Set the proxy's timeout to 01:00:00.", Purpose::Timeout),
        Kind::Host => Fix::new("Set the proxy's preserveHostHeader to true."),
        Kind::PathRule(_) => Fix::new(
            "Write a rule for ^v1/ that rewrites to Bindplane before the one that takes it now.",
        ),
        _ => return None,
    })
}
