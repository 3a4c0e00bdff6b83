//! Includes whose files were not given, and what they may hold.

use super::parse::Directive;

/// Files that hold no server, no location and no header to a backend.
fn harmless(include: &Directive) -> bool {
    let pattern = include.arg(0);
    let last = pattern.rsplit('/').next().unwrap_or(pattern);
    matches!(
        last,
        "mime.types" | "fastcgi_params" | "fastcgi.conf" | "uwsgi_params" | "scgi_params"
    ) || last.contains("ssl")
        || pattern.contains("letsencrypt")
        || pattern.contains("modules")
        || KNOWN.iter().any(|known| pattern.ends_with(known))
}

/// Parts that Nginx Proxy Manager brings along; none has to do with a socket that
/// came by TLS.
const KNOWN: [&str; 4] = [
    "conf.d/include/block-exploits.conf",
    "conf.d/include/force-ssl.conf",
    "conf.d/include/assets.conf",
    "conf.d/include/ip_ranges.conf",
];

fn of(level: &[Directive]) -> impl Iterator<Item = &Directive> {
    level.iter().filter(|d| d.name == "include" && d.block.is_none())
}

/// The `include` lines of a level whose files were not given and may matter.
pub(super) fn missing(level: &[Directive]) -> impl Iterator<Item = &Directive> {
    of(level).filter(|d| !harmless(d))
}

/// All whose files were not given, but for what every nginx has.
pub(super) fn all_missing(level: &[Directive]) -> impl Iterator<Item = &Directive> {
    let plain = ["mime.types", "modules-enabled/*.conf"];
    of(level).filter(move |d| !plain.iter().any(|known| d.arg(0).ends_with(known)))
}
