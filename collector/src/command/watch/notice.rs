//! What is told of a watch, once: as a line for people, as JSON for scripts, and as a log
//! record for an OpenTelemetry collector.

use crate::screen::fit::wrapped;
use crate::screen::{Look, safe};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};
use std::time::Duration;

/// How serious it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Info,
    Warn,
    Error,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    pub(super) at: DateTime<Utc>,
    /// What kind: `watching`, `verdict`, `open`, `broke`, `slept`, `stopped`, `error`.
    pub(super) event: &'static str,
    pub(super) level: Level,
    /// For people.
    pub(super) text: String,
    /// For programs.
    pub(super) fields: Vec<(&'static str, Value)>,
}

impl Notice {
    pub(super) fn new(event: &'static str, level: Level, text: impl Into<String>) -> Self {
        Self { at: Utc::now(), event, level, text: text.into(), fields: Vec::new() }
    }

    pub(super) fn at(self, at: DateTime<Utc>) -> Self {
        Self { at, ..self }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// A line that fits the terminal.
    pub(super) fn line(&self, look: Look) -> String {
        let line = format!("{}  {}", self.at.format("%Y-%m-%d %H:%M:%SZ"), safe(&self.text));
        format!("{}\n", wrapped(&line, 4, look.width))
    }

    /// A line of JSON.
    pub(super) fn json(&self) -> String {
        let mut all = Map::new();
        let at = self.at.to_rfc3339_opts(SecondsFormat::Millis, true);
        all.insert("at".into(), at.into());
        all.insert("event".into(), self.event.into());
        all.insert("text".into(), self.text.clone().into());
        all.extend(self.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        format!("{}\n", Value::Object(all))
    }
}

/// A span as people say it: `2 h 10 min`, `61.2 s`.
pub(super) fn spoken(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..=119 if span.subsec_millis() < 50 => format!("{seconds} s"),
        0..=119 => format!("{:.1} s", span.as_secs_f64()),
        120..=7199 => format!("{} min {} s", seconds / 60, seconds % 60),
        7200..=172_799 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_as_people_say_them() {
        for (seconds, text) in [
            (0.04, "0 s"),
            (5.0, "5 s"),
            (61.24, "61.2 s"),
            (150.0, "2 min 30 s"),
            (7260.0, "2 h 1 min"),
            (200_000.0, "2 days 7 h"),
        ] {
            assert_eq!(spoken(Duration::from_secs_f64(seconds)), text);
        }
    }

    #[test]
    fn a_line_for_each_reader() {
        let notice = Notice::new("broke", Level::Error, "it\u{1b}[2Jbroke").with("after_s", 1.5);
        let look = Look { live: false, colour: false, width: Some(80) };
        assert!(!notice.line(look).contains('\u{1b}'));
        let json: Value = serde_json::from_str(&notice.json()).unwrap();
        assert_eq!((&json["event"], &json["after_s"]), (&"broke".into(), &1.5.into()));
    }
}
