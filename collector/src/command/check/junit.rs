//! A check as JUnit XML: a test case for each expectation. What is not met is a failure,
//! what cannot be told an error, as pipelines count them. Attributes and elements are those
//! that the strictest of the readers' schemas (Ant's) asks for; no name of this machine.

use super::Outcome;
use crate::expect::Met;
use std::fmt::Write as _;

/// The whole file.
pub(super) fn text(outcome: &Outcome) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let target = escaped(&outcome.target());
    let (tests, failures) = (outcome.answers.len(), outcome.count(Met::No));
    let (errors, seconds) = (outcome.count(Met::Unknown), outcome.seconds);
    let time = outcome.started_at.format("%Y-%m-%dT%H:%M:%S");
    let counts = format!(
        "tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.3}\""
    );
    let _ = writeln!(out, "<testsuites name=\"wss-collector check\" {counts}>");
    let _ = writeln!(
        out,
        "  <testsuite name=\"{target}\" package=\"wss-collector\" id=\"0\" hostname=\"localhost\" \
         timestamp=\"{time}\" skipped=\"0\" {counts}>"
    );
    let verdict = &outcome.judged.diagnosis.verdict;
    let properties = [
        ("status", verdict.status.slug()),
        ("cause", verdict.cause.slug()),
        ("location", verdict.location.slug()),
        ("confidence", verdict.confidence.slug()),
        ("version", env!("CARGO_PKG_VERSION")),
    ];
    out.push_str("    <properties>\n");
    for (name, value) in properties {
        let _ = writeln!(out, "      <property name=\"{name}\" value=\"{value}\"/>");
    }
    out.push_str("    </properties>\n");
    for answer in &outcome.answers {
        let (name, reason) = (escaped(&answer.expected), escaped(&answer.reason));
        let case = format!("    <testcase name=\"{name}\" classname=\"{target}\" time=\"0\"");
        let (element, kind) = match answer.met {
            Met::Yes => {
                let _ = writeln!(out, "{case}/>");
                continue;
            }
            Met::No => ("failure", Met::No.slug()),
            Met::Unknown => ("error", Met::Unknown.slug()),
        };
        let _ = writeln!(
            out,
            "{case}>\n      <{element} message=\"{reason}\" type=\"{kind}\">{reason}</{element}>\n    \
             </testcase>"
        );
    }
    let bundle = outcome.bundle.as_ref().map(|path| format!("\nBundle: {}", path.display()));
    let said = escaped(&format!("{}{}", verdict.summary, bundle.unwrap_or_default()));
    let _ = writeln!(out, "    <system-out>{said}</system-out>\n    <system-err></system-err>");
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// Text for an element or an attribute. Characters that XML 1.0 has no place for (section
/// 2.2) are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_leaves_its_attribute() {
        assert_eq!(
            escaped("a<b & \"c\"\u{1b}\u{0}\n"),
            "a&lt;b &amp; &quot;c&quot;\u{fffd}\u{fffd}&#10;"
        );
    }
}
