//! What mends an issue of a file, where that is a line: of YAML and of JSON alike.

use crate::configuration::patch::Edit;
use crate::configuration::{Issue, Kind, Place};

/// The lines that mend an issue.
pub(super) fn edits(issue: &Issue, lines: &[&str]) -> Vec<Edit> {
    let Some(line) = lines.get((issue.place.line as usize).saturating_sub(1)) else {
        return Vec::new();
    };
    // A dump is no file that Envoy reads.
    let printed = lines.iter().find(|line| !line.trim().is_empty());
    if printed.is_some_and(|first| first.starts_with('['))
        || lines.iter().take(20).any(|line| line.contains("ConfigDump"))
    {
        return Vec::new();
    }
    let place = &issue.place;
    let (key, value) = issue.line.split_once(": ").unwrap_or((issue.line.as_str(), ""));
    let edit = match issue.kind {
        Kind::UpgradeHeaders => match key {
            "enabled" => set(place, line, key, value, "true"),
            "stat_prefix" => {
                before(place, line, key, "upgrade_configs", "[{\"upgrade_type\": \"websocket\"}]")
            }
            "upgrade_type" => another(place, line),
            "request_headers_to_remove" => alone(place, line, value),
            _ => None,
        },
        Kind::Timeout(_) if key == "stat_prefix" => {
            before(place, line, key, "stream_idle_timeout", "\"3600s\"")
        }
        Kind::Timeout(_) => set(place, line, key, value, "3600s"),
        Kind::Lifetime(_) => set(place, line, key, value, "86400s"),
        Kind::Http2 if key == "http2_protocol_options" && value == "{  }" => {
            once(line, key).then(|| Edit::replace(place, key, "http_protocol_options"))
        }
        Kind::PathChanged | Kind::Host => without(place, line, key),
        _ => None,
    };
    edit.into_iter().collect()
}

/// Whether a text stands in a line once.
fn once(line: &str, text: &str) -> bool {
    line.matches(text).count() == 1
}

/// Whether a line is of JSON: then keys are quoted, and a comma ends it.
fn json(line: &str) -> bool {
    line.trim_start().starts_with('"')
}

/// A value becomes another, however it is quoted.
fn set(place: &Place, line: &str, key: &str, value: &str, to: &str) -> Option<Edit> {
    for key in [format!("\"{key}\""), key.to_owned()] {
        for quote in ["\"", "'", ""] {
            let from = format!("{key}: {quote}{value}{quote}");
            if once(line, &from) {
                return Some(Edit::replace(place, from, format!("{key}: {quote}{to}{quote}")));
            }
        }
    }
    None
}

/// A key more, before another on a line of its own or within one.
fn before(place: &Place, line: &str, key: &str, new: &str, value: &str) -> Option<Edit> {
    let trimmed = line.trim_start();
    if trimmed.starts_with(&format!("\"{key}\":")) {
        return Some(Edit::before(place, &[&format!("\"{new}\": {value},")]));
    }
    // As people write it in YAML.
    let value = value.replace("\"upgrade_type\": \"websocket\"", "upgrade_type: websocket");
    let value = value.trim_matches('"');
    if trimmed.starts_with(&format!("{key}:")) {
        return Some(Edit::before(place, &[&format!("{new}: {value}")]));
    }
    let within = format!("{key}:");
    let opened = line.contains('{') && once(line, &within);
    opened.then(|| Edit::replace(place, within.as_str(), format!("{new}: {value}, {within}")))
}

/// Another kind of upgrade beside those that are listed.
fn another(place: &Place, line: &str) -> Option<Edit> {
    let own = line.trim_start().starts_with("- upgrade_type:");
    own.then(|| Edit::before(place, &["- upgrade_type: websocket"]))
}

/// An entry of a list that has a line for itself.
fn alone(place: &Place, line: &str, value: &str) -> Option<Edit> {
    let bare = line.trim().strip_prefix("- ")?.trim_matches(['"', '\'']);
    (bare == value).then(|| Edit::delete(place))
}

/// A key goes: where it has a line for itself, and something follows it in JSON.
fn without(place: &Place, line: &str, key: &str) -> Option<Edit> {
    let trimmed = line.trim();
    if json(line) {
        let own = trimmed.starts_with(&format!("\"{key}\":")) && trimmed.ends_with(',');
        return (own && once(trimmed, "\":")).then(|| Edit::delete(place));
    }
    let own = trimmed.starts_with(&format!("{key}:")) && !trimmed.contains('{');
    if own {
        return Some(Edit::delete(place));
    }
    // Within a line: `{ cluster: x, key: value, … }`.
    let from = line.find(&format!(", {key}: "))?;
    let rest = line.get(from + 2..)?;
    let end = rest.find([',', '}', '{', '['])?;
    let ends = rest.get(end..)?.starts_with([',', '}']);
    let text = format!(", {}", rest.get(..end)?.trim_end());
    (ends && once(line, &text)).then(|| Edit::replace(place, text.as_str(), ""))
}
