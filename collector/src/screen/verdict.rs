//! The end of a collection, as text: one plain verdict, how far each route
//! climbed, where the bundle is, what was removed, and what to run next.

use super::fit::{shortened, wrapped};
use super::{Look, safe};
use anstyle::{AnsiColor, Style};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wss_bundle::obfuscate::{ADDRESS, NAME};
use wss_bundle::{Bundle, Vantage};
use wss_diagnosis::{
    Cause, Confidence, Diagnosis, LayerStatus, Location, PastedOutput, RouteLadder, Status,
};

/// Notes about browsers that are shown: a paste may have many lines.
const BROWSER_NOTES: usize = 6;

/// What became of the bundle.
pub struct Written<'a> {
    /// Its path; `-` for standard output.
    pub path: &'a str,
    /// Its size.
    pub bytes: u64,
    /// The public keys that it is encrypted to, if it is.
    pub sealed_to: &'a [String],
    /// The map of its tokens, where names were replaced.
    pub names: Option<&'a str>,
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
    pasted(&mut out, diagnosis, look);
    browser(&mut out, diagnosis, look);
    not_used(&mut out, bundle, look);
    next(&mut out, diagnosis, look);
    devices(&mut out, diagnosis, look);
    if let Some(written) = written {
        the_bundle(&mut out, bundle, written, look);
    }
    let names = written.and_then(|written| written.names);
    outside(&mut out, diagnosis, bundle, names, look);
    out
}

/// One paragraph that fits; lines after the first are indented.
fn line(out: &mut String, look: Look, indent: usize, text: &str) {
    let _ = writeln!(out, "{}", wrapped(&safe(text), indent, look.width));
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
    let summary = wrapped(&format!("{word}  {}", safe(&verdict.summary)), 2, look.width);
    paint(out, look, bold(colour), word);
    let _ = writeln!(out, "{}", summary.strip_prefix(word).unwrap_or(&summary));
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
        line(out, look, 2, &format!("Where: {place} ({sure}; cause: {})", verdict.cause));
    }
}

/// Columns of one layer in the table; `FAIL` is the longest word in it.
fn column(slug: &str) -> usize {
    slug.len().max(4)
}

fn ladders(out: &mut String, diagnosis: &Diagnosis, bundle: &Bundle, look: Look) {
    let judged =
        |ladder: &&RouteLadder| bundle.manifest.target.url(&ladder.path) == diagnosis.case.target;
    let shown: Vec<&RouteLadder> = diagnosis.routes.iter().filter(judged).collect();
    let Some(first) = shown.first() else { return };
    let layers: usize = first.layers.iter().map(|l| column(l.layer.slug()) + 1).sum();
    let longest = shown.iter().map(|l| l.route.chars().count()).max().unwrap_or(0);
    let room = look.width.map_or(longest, |width| width.saturating_sub(layers + 3).max(6));
    let width = longest.clamp(6, room.max(6));
    let mut rows = vec![format!("  {:width$}", "route")];
    for layer in &first.layers {
        let slug = layer.layer.slug();
        let _ = write!(rows[0], " {slug:0$}", column(slug));
    }
    for ladder in shown {
        let name = shortened(&safe(&ladder.route), width);
        let mut row = format!("{} {name:width$}", if ladder.chosen { ">" } else { " " });
        for layer in &ladder.layers {
            let (word, style) = match layer.status {
                LayerStatus::Pass => ("ok", Style::new().fg_color(Some(AnsiColor::Green.into()))),
                LayerStatus::Fail => ("FAIL", bold(AnsiColor::Red)),
                LayerStatus::Skipped => ("-", Style::new().dimmed()),
                LayerStatus::Unknown => ("?", Style::new().dimmed()),
            };
            row.push(' ');
            paint(&mut row, look, style, word);
            let rest = column(layer.layer.slug()) - word.len();
            row.extend(std::iter::repeat_n(' ', rest));
        }
        rows.push(row);
    }
    for row in &rows {
        let _ = write!(out, "\n{}", row.trim_end());
    }
    out.push('\n');
    if bundle.observations.routes.len() > 1 {
        out.push_str("  (> is the way that this machine's settings choose)\n");
    }
}

/// What was pasted of curl's output, and whether it is a test.
fn pasted(out: &mut String, diagnosis: &Diagnosis, look: Look) {
    for output in &diagnosis.compared.pasted {
        let (side, shown) = (&output.vantage, &output.outcome);
        let text = match &output.no_test {
            Some(_) if output.beside => format!("  curl, {side}: {shown} (left aside)"),
            Some(why) => format!("  curl, {side}: {shown}. No test: {why}"),
            None if output.compared => format!("  curl, {side}: {shown}"),
            None => format!("  curl, {side}: {shown} (not compared)"),
        };
        line(out, look, 4, &text);
    }
}

/// What a browser saw, or its console said, beside the verdict's own finding.
fn browser(out: &mut String, diagnosis: &Diagnosis, look: Look) {
    let main = usize::from(!matches!(diagnosis.verdict.cause, Cause::None | Cause::Insufficient));
    let notes = diagnosis.findings.iter().skip(main);
    for note in notes.filter(|note| note.rule.starts_with("browser-")).take(BROWSER_NOTES) {
        let quoted = match note.rule {
            "browser-message" => format!(" ({})", note.evidence.first.excerpt),
            _ => String::new(),
        };
        line(out, look, 4, &format!("  {}{quoted}: {}", note.title, note.text));
    }
}

/// What was given in vain, with the way out.
fn not_used(out: &mut String, bundle: &Bundle, look: Look) {
    let all = &bundle.manifest.not_used;
    if !all.is_empty() {
        out.push_str("\nGiven and not used:\n");
    }
    for one in all {
        line(out, look, 4, &format!("  {one}"));
    }
}

fn next(out: &mut String, diagnosis: &Diagnosis, look: Look) {
    let remedy = diagnosis.findings.iter().find_map(|finding| finding.remedy.as_ref());
    if diagnosis.verdict.status != Status::Working
        && let Some(remedy) = remedy
    {
        out.push('\n');
        line(out, look, 2, &format!("Do this next: {}", remedy.title));
        for step in remedy.steps.iter().take(3) {
            line(out, look, 4, &format!("  - {step}"));
        }
    }
    if diagnosis.verdict.status == Status::Unknown {
        for next in diagnosis.verdict.missing.iter().take(2) {
            let _ = writeln!(out, "  This would tell: {}", safe(&next.command));
        }
    }
}

fn devices(out: &mut String, diagnosis: &Diagnosis, look: Look) {
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
        out.push('\n');
        line(out, look, 2, &format!("On the path: {}", known.join(", ")));
    }
}

/// A kind of removal, for people; `count` of them.
fn removed(kind: &str, count: u64) -> String {
    let what = match kind {
        "cookie-value" => "cookie value",
        "header-value" => "header value",
        "query-value" => "query value",
        "userinfo" => "password in a URL",
        "form-value" => "form field",
        "secret-named" => "value named as a secret",
        "token-like" => "token",
        "challenge-data" => "authentication challenge",
        "binary-body" => "binary body",
        "header given" => "header given with -H",
        "credentials" => "credential",
        "proxy credentials" => "proxy credential",
        NAME => "name replaced",
        ADDRESS => "address replaced",
        other => return format!("{count} x {other}"),
    };
    match (count, what.split_once(' ')) {
        (1, _) => format!("1 {what}"),
        (_, Some((noun @ ("password" | "value" | "header"), rest)))
            if !rest.starts_with("value") =>
        {
            format!("{count} {noun}s {rest}")
        }
        _ => format!("{count} {what}s"),
    }
}

fn the_bundle(out: &mut String, bundle: &Bundle, written: &Written<'_>, look: Look) {
    let size = match written.bytes {
        bytes if bytes < 1024 => format!("{bytes} bytes"),
        bytes => format!("{} KB", bytes.div_ceil(1024)),
    };
    let place = if written.path == "-" { "standard output" } else { written.path };
    let part = if bundle.manifest.complete { "" } else { "; incomplete: stopped early" };
    let _ = writeln!(out, "\nBundle:  {} ({size}{part})", safe(place));
    let _ = writeln!(out, "Case:    {}", safe(&bundle.manifest.case));
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for removal in &bundle.redactions {
        *kinds.entry(&removal.kind).or_default() += removal.count;
    }
    let list: Vec<String> = kinds.iter().map(|(kind, count)| removed(kind, *count)).collect();
    let list = if list.is_empty() { "nothing had to be".to_owned() } else { list.join(", ") };
    line(out, look, 9, &format!("Removed: {list}"));
    if let Some(names) = written.names {
        let text =
            format!("Names:   replaced by tokens; which is which is in {names}, for you alone");
        line(out, look, 9, &text);
    }
    if !written.sealed_to.is_empty() {
        let keys = written.sealed_to.join(", ");
        line(out, look, 9, &format!("Sealed:  only the owner of {keys} can open it"));
    } else if written.path != "-" {
        let _ = writeln!(out, "Look in: wss-collector inspect {}", quoted(&safe(written.path)));
    }
}

/// As one word for a shell. Commands are not wrapped: they are copied.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn outside(
    out: &mut String,
    diagnosis: &Diagnosis,
    bundle: &Bundle,
    names: Option<&str>,
    look: Look,
) {
    let manifest = &bundle.manifest;
    let other = match manifest.vantage {
        Vantage::Inside if diagnosis.verdict.status == Status::Working => return,
        Vantage::Inside => Vantage::Outside,
        Vantage::Outside => Vantage::Inside,
    };
    // The page's own command has been run there, and compared.
    let told = |output: &PastedOutput| output.compared && output.vantage == other.as_str();
    if diagnosis.compared.pasted.iter().any(told) {
        return;
    }
    let target = &manifest.target;
    let mut command =
        format!("wss-collector --vantage {} --case {}", other.as_str(), manifest.case);
    if target.paths != wss_bundle::target::DEFAULT_PATHS {
        for path in &target.paths {
            let _ = write!(command, " --path {}", quoted(path));
        }
    }
    for option in manifest.options.iter().filter(|option| option.of_the_request()) {
        let _ = write!(command, " {}", option.words());
    }
    if let Some(names) = names {
        // The same tokens on both sides, or nothing could be compared.
        let _ = write!(command, " --obfuscate={}", quoted(names));
    }
    let (where_from, why) = match other {
        Vantage::Outside => (
            "outside the corporate network (a telephone's hotspot, a cloud shell)",
            " The difference tells whose fault it is.",
        ),
        Vantage::Inside => ("inside the corporate network, where the browser is", ""),
    };
    out.push('\n');
    line(out, look, 0, &format!("Now run this {where_from}.{why}"));
    let _ = writeln!(out, "  {} {}", safe(&command), safe(&target.origin()));
}
