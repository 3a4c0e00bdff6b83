//! Varnish's row of the table: how VCL is recognised, and what mends an issue.

use super::check::read;
use super::parse::parse;
use crate::configuration::dialect::{Dialect, Fix, Masked, Parsed, Proof, Recognised, Text};
use crate::configuration::{Issue, Kind, Purpose};
use regex::Regex;
use std::sync::OnceLock;

/// Varnish.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "varnish",
    name: "Varnish",
    devices: &["varnish"],
    expected: "a VCL (sub vcl_recv)",
    whole: "Varnish: give its VCL and what `varnishadm param.show pipe_timeout` prints",
    commands: &[
        "varnishadm vcl.show \"$(varnishadm vcl.list | awk '$1 == \"active\" { print $NF }')\" > varnish.vcl",
        "varnishadm param.show pipe_timeout > varnish-parameters.txt",
    ],
    reload: "varnishd -C -f FILE > /dev/null && systemctl reload varnish",
    masked: Masked::Words,
    proof: Proof::Program,
    recognise,
    read,
    includes: |text| {
        let parsed = parse(text, 0).map(|parsed| parsed.includes).unwrap_or_default();
        parsed.into_iter().map(|(_, path, _)| path).collect()
    },
    fix,
    edits: |_, _| Vec::new(),
};

fn recognise(&Text { text, .. }: &Text<'_>) -> Recognised {
    let begins = |line: &str| {
        let line = line.trim_start();
        let word = |word: &str| {
            line.strip_prefix(word).is_some_and(|rest| rest.starts_with([' ', '\t', '\n']))
        };
        (word("vcl") && line.ends_with(';') && line.contains(['4', '5', '9']))
            || line.starts_with("sub vcl_")
    };
    if text.lines().any(begins) {
        return match parse(text, 0) {
            Ok(_) => Recognised::Yes(Parsed::default()),
            Err(broken) => Recognised::Broken(format!(
                "it looks like a VCL, and line {} is not understood: {}",
                broken.line, broken.why
            )),
        };
    }
    if pipe_timeout(text).is_some() {
        return Recognised::Part(Parsed::default());
    }
    // A part that others include: whole subs and backends.
    match parse(text, 0) {
        Ok(parsed) if !parsed.subs.is_empty() || parsed.backends > 0 => {
            Recognised::Part(Parsed::default())
        }
        _ => Recognised::No,
    }
}

/// The parameter and its line, where a text has it: what `varnishadm param.show` prints,
/// or the arguments of varnishd.
pub(super) fn pipe_timeout(text: &str) -> Option<(usize, f64)> {
    static FOUND: OnceLock<Option<Regex>> = OnceLock::new();
    if !text.contains("pipe_timeout") {
        return None;
    }
    let found = FOUND.get_or_init(|| {
        Regex::new(r"(?m)(?:-p\s*pipe_timeout=|^pipe_timeout\s+(?:Value is:\s*)?)(\d+(?:\.\d+)?)")
            .ok()
    });
    let own = found.as_ref()?.captures(text)?.get(1)?;
    let line = text.get(..own.start())?.matches('\n').count() + 1;
    Some((line, own.as_str().parse().ok()?))
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::UpgradeHeaders => Fix::pasting(
            "In vcl_recv, end upgrades by return (pipe) before anything else; in vcl_pipe, set \
             bereq.http.Upgrade and bereq.http.Connection from the request.",
            Purpose::Forward,
        ),
        Kind::Timeout(_) => {
            Fix::pasting("Raise the parameter pipe_timeout to 3600 s.", Purpose::Timeout)
        }
        Kind::PathChanged | Kind::Host => {
            Fix::new("Change path and Host for what is no upgrade alone: behind return (pipe).")
        }
        Kind::PathRule(_) => Fix::new(
            "End upgrades for /v1/ by return (pipe) before the line that answers: the first return \
             decides.",
        ),
        _ => return None,
    })
}
