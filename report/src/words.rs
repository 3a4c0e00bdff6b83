//! Names of things, for people; and text made fit to be shown.

use chrono::{DateTime, FixedOffset, Utc};
use wss_bundle::{Bundle, Step};
use wss_diagnosis::{Confidence, ItemStatus, LayerStatus, Location, Severity, Status, Verdict};

/// `Broken` …
#[must_use]
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Working => "Working",
        Status::Unstable => "Unstable",
        Status::Broken => "Broken",
        Status::Unknown => "Cannot tell",
    }
}

/// Which colour a status has: `good`, `bad`, `warn`.
#[must_use]
pub fn tone(status: Status) -> &'static str {
    match status {
        Status::Working => "good",
        Status::Broken => "bad",
        Status::Unstable | Status::Unknown => "warn",
    }
}

/// Symbol of a status: never the colour alone.
#[must_use]
pub fn symbol(status: Status) -> &'static str {
    match status {
        Status::Working => "✓",
        Status::Unstable => "!",
        Status::Broken => "✗",
        Status::Unknown => "?",
    }
}

/// Where the fault lies: the place, and what is there.
#[must_use]
pub fn location(location: Location) -> (&'static str, &'static str) {
    match location {
        Location::ClientNetwork => ("the client's network", "proxy, firewall or VPN"),
        Location::ServerSide => ("the server's side", "load balancer or server"),
        Location::Browser => ("the browser", "its extensions or settings"),
        Location::Target => ("what was asked for", "address, path or credentials"),
        Location::None => ("nowhere", "nothing is wrong"),
        Location::Undetermined => ("cannot be told yet", "see what would settle it"),
    }
}

/// What the confidence of a verdict means.
#[must_use]
pub fn confidence(verdict: &Verdict) -> &'static str {
    match (verdict.status, verdict.confidence) {
        (Status::Working, Confidence::High) => "upgrade, Ping, Pong and a hold were seen to pass",
        (Status::Working, _) => "upgrade, Ping and Pong were seen to pass; nothing was held",
        (Status::Unknown, Confidence::High) => {
            "that this is why it cannot be told; whether it works is open"
        }
        (_, Confidence::High) => {
            "a difference between two probes, or an unmistakable sign, shows it"
        }
        (_, Confidence::Medium) => "the evidence fits; another reason is not excluded",
        (_, Confidence::Low) => "one of several explanations",
    }
}

/// How many of three dots a confidence fills.
#[must_use]
pub fn dots(confidence: Confidence) -> usize {
    match confidence {
        Confidence::High => 3,
        Confidence::Medium => 2,
        Confidence::Low => 1,
    }
}

/// Symbol of a severity.
#[must_use]
pub fn severity_symbol(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "✗",
        Severity::Warning => "!",
        Severity::Info => "i",
    }
}

/// Symbol, word and colour of a layer's status: never the colour alone.
#[must_use]
pub fn layer(status: LayerStatus) -> (&'static str, &'static str, &'static str) {
    match status {
        LayerStatus::Pass => ("✓", "pass", "good"),
        LayerStatus::Fail => ("✗", "fail", "bad"),
        LayerStatus::Skipped => ("–", "not needed", "none"),
        LayerStatus::Unknown => ("?", "unknown", "none"),
    }
}

/// Symbol, word and colour of a checklist item.
#[must_use]
pub fn item(status: ItemStatus) -> (&'static str, &'static str, &'static str) {
    match status {
        ItemStatus::Complete => ("✓", "complete", "good"),
        ItemStatus::Partial => ("◐", "partial", "warn"),
        ItemStatus::Missing => ("○", "missing", "bad"),
    }
}

/// The checklist's items, as the page has them.
#[must_use]
pub fn item_title(item: &str) -> &'static str {
    match item {
        "upgrade-test" => "Upgrade test, inside and outside",
        "proxy-or-load-balancer" => "Proxy or load balancer, and version",
        "failed-handshake" => "Status and headers of the handshake",
        "network-path" => "Network path",
        _ => "Other",
    }
}

/// The step's name in bundles.
#[must_use]
pub fn step(step: &Step) -> &'static str {
    match step {
        Step::Resolve(_) => "resolve",
        Step::Connect(_) => "connect",
        Step::Tunnel(_) => "tunnel",
        Step::Tls(_) => "tls",
        Step::Http(_) => "http",
        Step::Upgrade(_) => "upgrade",
        Step::Frames(_) => "frames",
        Step::Hold(_) => "hold",
    }
}

/// What a lookup gave: addresses, or the names of an address.
#[must_use]
pub fn found(resolved: &wss_bundle::observation::Resolved) -> String {
    let names = resolved.records.iter().filter(|r| r.kind == "PTR").map(|r| r.data.clone());
    let all: Vec<String> =
        resolved.addresses.iter().map(ToString::to_string).chain(names).take(20).collect();
    if all.is_empty() { "no name".to_owned() } else { all.join(", ") }
}

/// What came of a step, in a line.
#[must_use]
pub fn outcome(step: &Step) -> String {
    if let Some(failure) = step.failure() {
        return failure.to_string();
    }
    let line = match step {
        Step::Resolve(s) => s.result.ok().map(found),
        Step::Connect(s) => Some(s.address.to_string()),
        Step::Tunnel(s) => {
            s.result.ok().and_then(|reply| reply.head.as_ref()).map(|head| head.status_line())
        }
        Step::Tls(s) => s.result.ok().map(|session| {
            format!("{}, {}", session.version, session.alpn.as_deref().unwrap_or("no ALPN"))
        }),
        Step::Http(s) => s.result.ok().map(|reply| reply.head.status_line()),
        Step::Upgrade(s) => s.result.ok().map(|reply| reply.head.status_line()),
        Step::Frames(s) => s.result.ok().map(|seen| {
            let pong = match seen.pong_ms {
                Some(pong) => format!("Pong after {}", ms(pong)),
                None => "no Pong".to_owned(),
            };
            match &seen.message {
                Some(message) => format!("{pong}; {}", wss_bundle::transcript::said(message)),
                None => pong,
            }
        }),
        Step::Hold(s) => s.result.ok().map(|held| {
            let how = wss_bundle::transcript::ended(&held.ending);
            format!("{} held: {how}", ms(held.held_ms))
        }),
    };
    line.unwrap_or_default()
}

/// Milliseconds, with as many digits as mean something.
#[must_use]
pub fn ms(ms: f64) -> String {
    match ms {
        // A bundle can claim anything; three hundred digits help nobody.
        ms if !(0.0..1e12).contains(&ms) => "no sensible time".to_owned(),
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1e3),
    }
}

/// A time in UTC, with the local time of the machine that collected.
#[must_use]
pub fn time(at: DateTime<Utc>, offset_minutes: i32) -> String {
    let utc = at.format("%Y-%m-%d %H:%M:%S UTC");
    match FixedOffset::east_opt(offset_minutes.saturating_mul(60)) {
        Some(offset) if offset_minutes != 0 => {
            format!("{utc} ({} there)", at.with_timezone(&offset).format("%H:%M %:z"))
        }
        _ => utc.to_string(),
    }
}

/// `inside`, or `inside 2` where there are several of one vantage.
#[must_use]
pub fn name(bundle: &Bundle, all: &[&Bundle]) -> String {
    let vantage = bundle.manifest.vantage;
    let same: Vec<_> = all.iter().filter(|other| other.manifest.vantage == vantage).collect();
    match same.iter().position(|other| other.manifest.id == bundle.manifest.id) {
        Some(at) if same.len() > 1 => format!("{} {}", vantage.as_str(), at + 1),
        _ => vantage.as_str().to_owned(),
    }
}

/// Characters that would hide or reorder what is around them, made visible:
/// control characters, and those that steer the direction of text or have no
/// width. Line ends and tabs stay.
#[must_use]
pub fn visible(c: char) -> Option<String> {
    match c {
        '\n' | '\t' => None,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).map(String::from),
        '\u{7f}' => Some("\u{2421}".to_owned()),
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => Some(format!("[U+{:04X}]", c as u32)),
        _ => None,
    }
}

/// Cut to so many characters, with a sign that it was.
#[must_use]
pub fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Cut to so many characters, and how many were cut off.
#[must_use]
pub fn cut_counted(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => {
            let left_out = text[at..].chars().count();
            format!("{}… ({left_out} more characters are in the bundle)", &text[..at])
        }
        None => text.to_owned(),
    }
}

/// What a text says beyond a sentence that stands above it already: the
/// sentences after the one in which the two part. All of it where they have
/// little in common.
#[must_use]
pub fn beyond<'a>(text: &'a str, said: &str) -> &'a str {
    let common = text.bytes().zip(said.bytes()).take_while(|(a, b)| a == b).count();
    if common < 40 {
        return text;
    }
    // One back, since the full stop itself may be the last that they share.
    let from = (0..common).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    match text[from..].find(". ") {
        Some(end) => text[from + end + 2..].trim(),
        None => "",
    }
}

/// A share of the whole as an SVG length, so that drawings fit any width.
#[must_use]
pub fn percent(part: f64, whole: f64) -> String {
    let share = if whole > 0.0 && part.is_finite() { part / whole } else { 0.0 };
    format!("{:.2}%", share.clamp(0.0, 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_already_is_not_said_again() {
        let said =
            "The proxy p strips the upgrade headers: the server answered 400; outside works.";
        let text =
            "The proxy p strips the upgrade headers: the server answered 400. Because of x. So y.";
        assert_eq!(beyond(text, said), "Because of x. So y.");
        assert_eq!(beyond("Something else entirely.", said), "Something else entirely.");
        assert_eq!(beyond(said, said), "");
        assert_eq!(beyond(&format!("{said} And more."), said), "And more.");
    }

    #[test]
    fn hiding_characters_are_shown() {
        let shown = |text: &str| -> String {
            text.chars().map(|c| visible(c).unwrap_or_else(|| c.to_string())).collect()
        };
        assert_eq!(shown("a\u{202e}b\u{1b}[31m\r\n"), "a[U+202E]b\u{241b}[31m\u{240d}\n");
        assert_eq!(shown("grüße 日本"), "grüße 日本");
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(cut("äöü", 2), "äö…");
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut_counted("äöü", 1), "ä… (2 more characters are in the bundle)");
    }
}
