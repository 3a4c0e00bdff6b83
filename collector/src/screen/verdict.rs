//! The end of a collection, as text: one plain verdict, how far each route
//! climbed, where the bundle is, what was removed, and what to run next.

use super::{Look, safe};
use anstyle::{AnsiColor, Style};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wss_bundle::{Bundle, Vantage};
use wss_diagnosis::{Confidence, Diagnosis, LayerStatus, Location, RouteLadder, Status};

/// What became of the bundle.
pub struct Written<'a> {
    /// Its path; `-` for standard output.
    pub path: &'a str,
    /// Its size.
    pub bytes: u64,
}

/// Everything that is said at the end. `written` is `None` when it could not be.
#[must_use]
pub fn text(
    diagnosis: &Diagnosis,
    bundle: &Bundle,
    written: Option<&Written<'_>>,
    look: Look,
) -> String {
    let mut out = String::new();
    verdict(&mut out, diagnosis, look);
    ladders(&mut out, diagnosis, bundle, look);
    next(&mut out, diagnosis);
    devices(&mut out, diagnosis);
    if let Some(written) = written {
        the_bundle(&mut out, bundle, written);
    }
    outside(&mut out, diagnosis, bundle);
    out
}

fn paint(out: &mut String, look: Look, style: Style, text: &str) {
    let _ = if look.colour { write!(out, "{style}{text}{style:#}") } else { write!(out, "{text}") };
}

fn bold(colour: AnsiColor) -> Style {
    Style::new().bold().fg_color(Some(colour.into()))
}

fn verdict(out: &mut String, diagnosis: &Diagnosis, look: Look) {
    let verdict = &diagnosis.verdict;
    let (word, colour) = match verdict.status {
        Status::Working => ("WORKS", AnsiColor::Green),
        Status::Unstable => ("UNSTABLE", AnsiColor::Yellow),
        Status::Broken => ("BROKEN", AnsiColor::Red),
        Status::Unknown => ("CANNOT TELL", AnsiColor::Yellow),
    };
    out.push('\n');
    paint(out, look, bold(colour), word);
    let _ = writeln!(out, "  {}", safe(&verdict.summary));
    let place = match verdict.location {
        Location::ClientNetwork => "on this side: the corporate network",
        Location::ServerSide => "on the server's side: the load balancer or the server",
        Location::Browser => "in the browser",
        Location::Target => "in what was asked for: address, path or credentials",
        Location::None => "",
        Location::Undetermined => "it cannot be told yet on which side",
    };
    let sure = match verdict.confidence {
        Confidence::High => "sure",
        Confidence::Medium => "fairly sure",
        Confidence::Low => "a guess",
    };
    if !place.is_empty() {
        let _ = writeln!(out, "Where: {place} ({sure}; cause: {})", verdict.cause);
    }
}

fn ladders(out: &mut String, diagnosis: &Diagnosis, bundle: &Bundle, look: Look) {
    let shown: Vec<&RouteLadder> = diagnosis
        .routes
        .iter()
        .filter(|ladder| diagnosis.case.target.ends_with(&ladder.path))
        .collect();
    let width = shown.iter().map(|l| l.route.chars().count()).max().unwrap_or(6).clamp(6, 48);
    let _ = write!(out, "\n  {:width$}", "route");
    for layer in shown.first().map(|l| l.layers.as_slice()).unwrap_or_default() {
        let _ = write!(out, "  {:7}", layer.layer.slug());
    }
    while out.ends_with(' ') {
        out.pop();
    }
    out.push('\n');
    for ladder in shown {
        let selected = bundle
            .observations
            .routes
            .iter()
            .any(|route| route.selected && route.id.0 == ladder.route);
        let name: String = safe(&ladder.route).chars().take(width).collect();
        let _ = write!(out, "{} {name:width$}", if selected { ">" } else { " " });
        for layer in &ladder.layers {
            let (word, style) = match layer.status {
                LayerStatus::Pass => ("ok", Style::new().fg_color(Some(AnsiColor::Green.into()))),
                LayerStatus::Fail => ("FAILED", bold(AnsiColor::Red)),
                LayerStatus::Skipped => ("-", Style::new().dimmed()),
                LayerStatus::Unknown => ("?", Style::new().dimmed()),
            };
            out.push_str("  ");
            paint(out, look, style, &format!("{word:7}"));
        }
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
    }
    if bundle.observations.routes.len() > 1 {
        out.push_str("  (> is the way that this machine's settings choose)\n");
    }
}

fn next(out: &mut String, diagnosis: &Diagnosis) {
    let remedy = diagnosis.findings.iter().find_map(|finding| finding.remedy.as_ref());
    if diagnosis.verdict.status != Status::Working
        && let Some(remedy) = remedy
    {
        let _ = writeln!(out, "\nDo this next: {}", safe(&remedy.title));
        for step in remedy.steps.iter().take(3) {
            let _ = writeln!(out, "  - {}", safe(step));
        }
    }
    if diagnosis.verdict.status == Status::Unknown {
        for command in diagnosis.verdict.missing.iter().take(2) {
            let _ = writeln!(out, "  This would tell: {}", safe(command));
        }
    }
}

fn devices(out: &mut String, diagnosis: &Diagnosis) {
    let known: Vec<String> = diagnosis
        .devices
        .iter()
        .filter(|device| device.confidence >= Confidence::Medium)
        .filter_map(|device| {
            let product = device.product.as_deref()?;
            let version = device.version.as_deref().unwrap_or_default();
            Some(format!("{} ({})", format!("{product} {version}").trim(), device.role))
        })
        .collect();
    if !known.is_empty() {
        let _ = writeln!(out, "\nOn the path: {}", safe(&known.join(", ")));
    }
}

fn the_bundle(out: &mut String, bundle: &Bundle, written: &Written<'_>) {
    let size = match written.bytes {
        bytes if bytes < 1024 => format!("{bytes} bytes"),
        bytes => format!("{} KB", bytes.div_ceil(1024)),
    };
    let place = if written.path == "-" { "standard output" } else { written.path };
    let _ = writeln!(out, "\nBundle:  {} ({size})", safe(place));
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for removal in &bundle.redactions {
        *kinds.entry(&removal.kind).or_default() += removal.count;
    }
    let list: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let removed = if list.is_empty() { "nothing had to be".to_owned() } else { list.join(", ") };
    let _ = writeln!(out, "Removed: {}", safe(&removed));
    if written.path != "-" {
        let _ = writeln!(out, "Look in: wss-collector inspect {}", safe(written.path));
    }
}

fn outside(out: &mut String, diagnosis: &Diagnosis, bundle: &Bundle) {
    let manifest = &bundle.manifest;
    let other = match manifest.vantage {
        Vantage::Inside if diagnosis.verdict.status == Status::Working => return,
        Vantage::Inside => Vantage::Outside,
        Vantage::Outside => Vantage::Inside,
    };
    let target = &manifest.target;
    let mut command =
        format!("wss-collector --vantage {} --case {}", other.as_str(), manifest.case);
    if target.paths != wss_bundle::target::DEFAULT_PATHS {
        for path in &target.paths {
            let _ = write!(command, " --path '{path}'");
        }
    }
    let (where_from, why) = match other {
        Vantage::Outside => (
            "outside the corporate network (a telephone's hotspot, a cloud shell)",
            " The difference tells whose fault it is.",
        ),
        Vantage::Inside => ("inside the corporate network, where the browser is", ""),
    };
    let _ = writeln!(out, "\nNow run this {where_from}.{why}");
    let _ = writeln!(out, "  {} {}", safe(&command), safe(&target.origin()));
}
