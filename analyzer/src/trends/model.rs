//! The named queries' answers, as the page needs them: typed, and bounded.

use crate::store::query::{Answer, Answers};
use chrono::{Datelike, Days, NaiveDate};
use serde_json::Value;
use std::collections::BTreeMap;

/// Buckets of time that a chart may have.
const BUCKETS: i64 = 62;

/// A row of an answer, by the names of its columns.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    answer: &'a Answer,
    row: &'a [Value],
}

impl<'a> Record<'a> {
    fn get(&self, name: &str) -> &'a Value {
        let at = self.answer.columns.iter().position(|column| column == name);
        at.and_then(|at| self.row.get(at)).unwrap_or(&Value::Null)
    }

    /// A text; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &'a str {
        self.get(name).as_str().unwrap_or_default()
    }

    /// A count; nought where there is none.
    pub(super) fn count(&self, name: &str) -> u64 {
        u64::try_from(self.number(name)).unwrap_or_default()
    }

    /// A number, which may be negative.
    pub(super) fn number(&self, name: &str) -> i64 {
        let value = self.get(name);
        value.as_i64().or_else(|| value.as_f64().map(|n| n as i64)).unwrap_or_default()
    }
}

/// The rows of a query.
///
/// # Errors
/// The query is not among the answers, or a column that the page needs is not.
pub(super) fn records<'a>(
    answers: &'a Answers,
    name: &str,
    columns: &[&str],
) -> Result<Vec<Record<'a>>, String> {
    let answer = answers.get(name).ok_or_else(|| format!("the query {name} is missing"))?;
    for column in columns {
        if !answer.columns.iter().any(|known| known == column) {
            return Err(format!("the query {name} has no column {column}"));
        }
    }
    Ok(answer.rows.iter().map(|row| Record { answer, row }).collect())
}

/// How time is cut: days, weeks that end with the last day, or months.
#[derive(Debug, Clone)]
pub(super) struct Time {
    /// Names of the buckets: their first days.
    pub(super) names: Vec<String>,
    /// `day`, `week`, `month`.
    pub(super) unit: &'static str,
    first: NaiveDate,
    last: NaiveDate,
}

pub(super) fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

impl Time {
    /// From the first day of anything to the last.
    pub(super) fn new(first: NaiveDate, last: NaiveDate) -> Self {
        let days = (last - first).num_days() + 1;
        let unit = match days {
            ..=BUCKETS => "day",
            days if days <= BUCKETS * 7 => "week",
            _ => "month",
        };
        let mut time = Self { names: Vec::new(), unit, first, last };
        let mut at = first;
        while at <= last {
            let bucket = time.bucket(at);
            if bucket == time.names.len() {
                time.names.push(match unit {
                    "month" => at.format("%Y-%m").to_string(),
                    _ => at.format("%Y-%m-%d").to_string(),
                });
            }
            let Some(next) = at.checked_add_days(Days::new(1)) else { break };
            // A bundle's clock may be off by centuries.
            if time.names.len() > 1_200 {
                break;
            }
            at = next;
        }
        time
    }

    /// The bucket of a day.
    pub(super) fn bucket(&self, day: NaiveDate) -> usize {
        let days = |from: NaiveDate, to: NaiveDate| (to - from).num_days();
        let bucket = match self.unit {
            "day" => days(self.first, day),
            "week" => {
                // The last bucket is a whole week; the first is what is left.
                let weeks = |to: NaiveDate| (days(to, self.last)) / 7;
                weeks(self.first) - weeks(day)
            }
            _ => {
                let months = |at: NaiveDate| i64::from(at.year()) * 12 + i64::from(at.month());
                months(day) - months(self.first)
            }
        };
        usize::try_from(bucket).unwrap_or_default()
    }
}

/// Names with numbers, in the order of their first appearance.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) list: Vec<String>,
    numbers: BTreeMap<String, usize>,
}

impl Names {
    /// The number of a name.
    pub(super) fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.list.len();
        self.list.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// Product and version, as one name.
pub(super) fn device(product: &str, version: &str) -> String {
    format!("{product} {version}").trim().to_owned()
}

/// Counts by name, the largest first, then by name.
pub(super) fn largest(counts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut out: Vec<_> = counts.into_iter().collect();
    out.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_end_with_the_last_day() {
        let day = |text| date(text).unwrap();
        let time = Time::new(day("2026-05-03"), day("2026-10-31"));
        assert_eq!(time.unit, "week");
        assert_eq!(time.bucket(day("2026-10-31")), time.names.len() - 1);
        assert_eq!(time.bucket(day("2026-10-25")), time.names.len() - 1);
        assert_eq!(time.bucket(day("2026-10-24")), time.names.len() - 2);
        assert_eq!(time.bucket(day("2026-05-03")), 0);
        let days = Time::new(day("2026-10-01"), day("2026-10-31"));
        assert_eq!((days.unit, days.names.len()), ("day", 31));
        let months = Time::new(day("2020-01-15"), day("2026-10-31"));
        assert_eq!((months.unit, months.names.len()), ("month", 82));
        assert_eq!(months.names[1], "2020-02");
    }
}
