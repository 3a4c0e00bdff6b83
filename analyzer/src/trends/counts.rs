//! What the filters count: the same numbers as the tables', by period, cause,
//! device and vantage, small enough to be in the page.
//!
//! A section sums its numbers in slots; each slot has its counts by *who*
//! (cause, device to blame, vantage) and period. A figure of the page names the
//! slots that it is made of ([`Counts::figure`]); the page's script adds those
//! that the filters leave (`templates/trends.js`).

use super::model::{Names, Record, largest};
use crate::store::query::Answers;
use serde::Serialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The characters of one piece of counts; the page's text is cut where it is
/// much longer.
const PIECE: usize = 4_000;
/// Periods that the filters offer; more are counted by month.
const PERIODS: usize = 80;

/// How fine the filters are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detail {
    /// Months instead of quarters of months.
    months: bool,
    /// Devices that have a name of their own.
    devices: usize,
}

/// From fine to coarse: the first whose counts the page has room for is taken.
pub(super) const DETAILS: [Detail; 4] = [
    Detail { months: false, devices: 40 },
    Detail { months: true, devices: 40 },
    Detail { months: true, devices: 12 },
    Detail { months: true, devices: 3 },
];

/// Whom a count is of, and when: the numbers of a triple and of a period.
pub(super) type At = (usize, usize);

/// What the filters choose from.
#[derive(Debug)]
pub(super) struct Dims {
    detail: Detail,
    pub(super) causes: Names,
    pub(super) devices: Names,
    pub(super) vantages: Names,
    /// Cause, device and vantage, where anything is counted.
    whos: BTreeMap<(usize, usize, usize), usize>,
    /// The same, by number.
    listed: Vec<(usize, usize, usize)>,
    periods: Vec<String>,
    named: BTreeSet<String>,
}

/// The first day of a day's quarter of the month, as `analyzer/sql/rollup` has it.
fn period(day: &str) -> String {
    let first = match day.get(8..10).unwrap_or_default() {
        of if of < "08" => "01",
        of if of < "15" => "08",
        of if of < "22" => "15",
        _ => "22",
    };
    format!("{}{first}", day.get(..8).unwrap_or_default())
}

impl Dims {
    /// What there is to choose from in all answers.
    pub(super) fn new(answers: &Answers, cases: &[Record<'_>], detail: Detail) -> Self {
        let mut causes = BTreeMap::<String, u64>::new();
        let mut by_device = BTreeMap::<String, u64>::new();
        let mut found = BTreeSet::new();
        for row in cases {
            *causes.entry(row.text("cause").to_owned()).or_default() += row.count("n");
            *by_device.entry(row.text("device").to_owned()).or_default() += row.count("n");
            found.insert(period(row.text("day")));
        }
        for answer in answers.values() {
            let Some(at) = answer.columns.iter().position(|name| name == "period") else {
                continue;
            };
            let texts = answer.rows.iter().filter_map(|row| row.get(at)?.as_str());
            found.extend(texts.map(str::to_owned));
        }
        let months = detail.months || found.len() > PERIODS;
        let detail = Detail { months, ..detail };
        by_device.remove("");
        let named = largest(by_device).into_iter().take(detail.devices).map(|(name, _)| name);
        let mut dims = Self {
            detail,
            causes: Names::default(),
            devices: Names::default(),
            vantages: Names::default(),
            whos: BTreeMap::new(),
            listed: Vec::new(),
            periods: Vec::new(),
            named: named.collect(),
        };
        let periods: BTreeSet<String> = found.iter().map(|at| dims.shown(at)).collect();
        dims.periods = periods.into_iter().collect();
        // Offered whether or not a case begins there.
        for vantage in ["inside", "outside"] {
            dims.vantages.number(vantage);
        }
        for (cause, _) in largest(causes) {
            dims.causes.number(&cause);
        }
        dims
    }

    fn shown(&self, period: &str) -> String {
        let end = if self.detail.months { 7 } else { 10 };
        period.get(..end).unwrap_or(period).to_owned()
    }

    /// Whom a row is of; a row of cases has its day, others have their period.
    pub(super) fn at(&mut self, row: &Record<'_>) -> At {
        let (when, own) = match row.text("period") {
            "" => (period(row.text("day")), row.text("device")),
            at => (at.to_owned(), row.text("to_blame")),
        };
        let shown = match own {
            "" => "none to blame",
            name if self.named.contains(name) => name,
            _ => "any other",
        };
        let who = (
            self.causes.number(row.text("cause")),
            self.devices.number(shown),
            self.vantages.number(row.text("vantage")),
        );
        let who = *self.whos.entry(who).or_insert_with(|| {
            self.listed.push(who);
            self.listed.len() - 1
        });
        let when = self.periods.binary_search(&self.shown(&when)).unwrap_or_default();
        (who, when)
    }

    /// The device to blame, as the filters name it.
    pub(super) fn device_of(&self, at: At) -> &str {
        let who = self.whos.iter().find(|(_, number)| **number == at.0);
        who.and_then(|((_, device, _), _)| self.devices.list.get(*device))
            .map_or("", String::as_str)
    }

    pub(super) fn filters(&self) -> Filters {
        let mut whos: Vec<_> = self.whos.iter().collect();
        whos.sort_by_key(|(_, number)| **number);
        let texts =
            whos.iter().map(|((cause, device, vantage), _)| format!("{cause},{device},{vantage}"));
        Filters {
            periods: self.periods.clone(),
            causes: self.causes.list.clone(),
            devices: self.devices.list.clone(),
            vantages: self.vantages.list.clone(),
            whos: pieces(texts),
        }
    }
}

/// What the filters offer.
#[derive(Debug, Default, Serialize)]
pub(super) struct Filters {
    periods: Vec<String>,
    causes: Vec<String>,
    devices: Vec<String>,
    vantages: Vec<String>,
    /// `cause,device,vantage` and so on, with blanks between.
    whos: Vec<String>,
}

/// Words with blanks between them, in pieces.
fn pieces(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in words {
        match out.last_mut().filter(|piece| piece.len() + word.len() < PIECE) {
            Some(piece) => {
                piece.push(' ');
                piece.push_str(&word);
            }
            None => out.push(word),
        }
    }
    out
}

/// A piece of a slot's counts.
#[derive(Debug, Serialize)]
pub(super) struct Piece {
    slot: String,
    text: String,
}

impl Piece {
    /// Its bytes in the page, about.
    pub(super) fn room(&self) -> usize {
        self.text.len() + 22
    }
}

/// The counts of a section.
#[derive(Debug, Default)]
pub(super) struct Counts {
    slots: Vec<BTreeMap<At, u64>>,
    numbers: BTreeMap<String, usize>,
    /// Slots that a figure is made of: only these are in the page.
    used: RefCell<BTreeSet<usize>>,
}

impl Counts {
    /// Adds to a slot, by its name.
    pub(super) fn add(&mut self, slot: &str, at: At, n: u64) {
        let number = match self.numbers.get(slot) {
            Some(number) => *number,
            None => {
                self.numbers.insert(slot.to_owned(), self.slots.len());
                self.slots.push(BTreeMap::new());
                self.slots.len() - 1
            }
        };
        if let Some(counts) = self.slots.get_mut(number) {
            *counts.entry(at).or_default() += n;
        }
    }

    fn list<S: AsRef<str>>(&self, slots: &[S]) -> String {
        let known = slots.iter().filter_map(|slot| self.numbers.get(slot.as_ref()));
        let known: Vec<usize> = known.copied().collect();
        self.used.borrow_mut().extend(&known);
        known.iter().map(usize::to_string).collect::<Vec<_>>().join(" ")
    }

    /// How the script makes a figure of these slots; `of` is what it is a share of.
    pub(super) fn figure<S: AsRef<str>>(&self, kind: &str, slots: &[S], of: &[S]) -> String {
        match of {
            [] => format!("{kind}|{}", self.list(slots)),
            of => format!("{kind}|{}|{}", self.list(slots), self.list(of)),
        }
    }

    /// How the script sums these slots.
    pub(super) fn sum<S: AsRef<str>>(&self, slots: &[S]) -> String {
        self.figure("sum", slots, &[])
    }

    /// How the script names the most frequent of these slots.
    pub(super) fn names<S: AsRef<str>>(&self, slots: &[(S, String)]) -> String {
        let one = |(slot, name): &(S, String)| {
            let number = self.numbers.get(slot.as_ref())?;
            self.used.borrow_mut().insert(*number);
            Some(format!("{number}={}", name.replace([';', '|'], " ")))
        };
        format!("names|{}", slots.iter().filter_map(one).collect::<Vec<_>>().join(";"))
    }

    /// The counts as text, after every figure was made: of each slot, `who:first period,count,count…`.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let mut out = Vec::new();
        let used = self.used.borrow();
        for (slot, counts) in self.slots.iter().enumerate().filter(|(slot, _)| used.contains(slot))
        {
            let mut words: Vec<String> = Vec::new();
            let mut last: Option<At> = None;
            for (at, n) in counts {
                let run = last.filter(|last| last.0 == at.0 && at.1 - last.1 < 12);
                match (run, words.last_mut()) {
                    (Some(before), Some(word)) => {
                        word.push_str(&",".repeat(at.1 - before.1));
                        word.push_str(&n.to_string());
                    }
                    _ => words.push(format!("{}:{},{n}", at.0, at.1)),
                }
                last = Some(*at);
            }
            let texts = pieces(words.into_iter());
            out.extend(texts.into_iter().map(|text| Piece { slot: slot.to_string(), text }));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_as_runs() {
        let mut counts = Counts::default();
        for (slot, at, n) in [
            ("a", (0, 3), 5),
            ("a", (0, 5), 1),
            ("a", (0, 40), 2),
            ("b", (1, 0), 7),
            ("a", (2, 4), 9),
        ] {
            counts.add(slot, at, n);
        }
        assert_eq!(counts.sum(&["b", "none", "a"]), "sum|1 0");
        let texts: Vec<(String, String)> =
            counts.pieces().into_iter().map(|piece| (piece.slot, piece.text)).collect();
        assert_eq!(texts[0], ("0".to_owned(), "0:3,5,,1 0:40,2 2:4,9".to_owned()));
        assert_eq!(texts[1], ("1".to_owned(), "1:0,7".to_owned()));
        assert_eq!(counts.figure("share", &["b"], &["a", "b"]), "share|1|0 1");
        assert_eq!(counts.names(&[("a", "x;y".to_owned())]), "names|0=x y");
    }

    #[test]
    fn quarters_of_months() {
        let days =
            ["2026-10-01", "2026-10-07", "2026-10-08", "2026-10-14", "2026-10-21", "2026-10-31"];
        let ends = ["01", "01", "08", "08", "15", "22"];
        for (day, end) in days.into_iter().zip(ends) {
            assert_eq!(period(day), format!("2026-10-{end}"));
        }
    }
}
