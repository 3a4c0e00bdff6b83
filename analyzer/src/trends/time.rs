//! What happens over time, and what rose and fell: the sections that the
//! filters count anew.

use super::chart;
use super::counts::{At, Counts, Detail, Dims};
use super::model::{Time, date, device, records};
use super::part::{Behind, Cell, Section, Table};
use super::statistics::{Compared, changes, compare};
use crate::store::query::Answers;
use chrono::{Days, NaiveDate};
use std::collections::BTreeMap;

/// Causes that a chart over time tells apart.
const SERIES: usize = 7;
/// The longest period compared with the one before it, in days; `analyzer/sql/case_versions.sql` gives
/// as many days as two of them have.
const PERIOD: i64 = 28;

/// Everything that is counted by day.
pub(super) struct Cases {
    pub(super) dims: Dims,
    time: Time,
    /// By bucket of time, cause, and who and when for the filters.
    cells: BTreeMap<(usize, usize, At), u64>,
    /// By kind and name: before, and now.
    periods: BTreeMap<(&'static str, String), (u64, u64)>,
    /// The same for the filters.
    compared_counts: Counts,
    /// The two periods, as words.
    compared: Option<(String, String)>,
    /// Of each cause, cases in all.
    totals: BTreeMap<String, u64>,
}

/// The first days of two periods.
type Periods = (NaiveDate, NaiveDate);

/// The two periods of one length up to the last day.
fn periods(first: NaiveDate, last: NaiveDate) -> Option<Periods> {
    let days = (last - first).num_days() + 1;
    let length = PERIOD.min(days / 2);
    if length < 7 {
        return None;
    }
    let now = last.checked_sub_days(Days::new(length.unsigned_abs() - 1))?;
    let before = now.checked_sub_days(Days::new(length.unsigned_abs()))?;
    Some((before, now))
}

impl Cases {
    pub(super) fn new(answers: &Answers, detail: Detail) -> Result<Option<Self>, String> {
        let columns = ["day", "vantage", "cause", "device", "n"];
        let rows = records(answers, "cases", &columns)?;
        let days = || rows.iter().filter_map(|row| date(row.text("day")));
        let (Some(first), Some(last)) = (days().min(), days().max()) else { return Ok(None) };
        let period = periods(first, last);
        let mut out = Self {
            dims: Dims::new(answers, &rows, detail),
            time: Time::new(first, last),
            cells: BTreeMap::new(),
            periods: BTreeMap::new(),
            compared_counts: Counts::default(),
            compared: period.map(|(before, now)| {
                let day = |at: NaiveDate| at.format("%Y-%m-%d").to_string();
                let end = now.pred_opt().unwrap_or(now);
                (
                    format!("{} to {}", day(before), day(end)),
                    format!("{} to {}", day(now), day(last)),
                )
            }),
            totals: BTreeMap::new(),
        };
        for row in &rows {
            let Some(day) = date(row.text("day")) else { continue };
            let (n, cause) = (row.count("n"), row.text("cause"));
            *out.totals.entry(cause.to_owned()).or_default() += n;
            let at = out.dims.at(row);
            let key = (out.time.bucket(day), out.dims.causes.number(cause), at);
            *out.cells.entry(key).or_default() += n;
            out.compare(period, day, ("case", cause.to_owned()), at, n);
        }
        let columns = ["day", "vantage", "cause", "device", "device_version", "n"];
        for row in records(answers, "case_versions", &columns)? {
            let Some(day) = date(row.text("day")) else { continue };
            let name = device(row.text("device"), row.text("device_version"));
            let at = out.dims.at(&row);
            out.compare(period, day, ("case-device", name), at, row.count("n"));
        }
        Ok(Some(out))
    }

    /// Counts for the comparison of the two periods what is of one of them.
    fn compare(
        &mut self,
        of: Option<Periods>,
        day: NaiveDate,
        what: (&'static str, String),
        at: At,
        n: u64,
    ) {
        let Some((before, now)) = of.filter(|(before, _)| day >= *before) else { return };
        debug_assert!(before < now);
        let which = if day < now { "before" } else { "now" };
        // By whom alone: the periods are this section's own.
        self.compared_counts.add(&format!("{} {} {which}", what.0, what.1), (at.0, 0), n);
        let (earlier, later) = self.periods.entry(what).or_default();
        *(if day < now { earlier } else { later }) += n;
    }

    pub(super) fn over_time(&self, behind: &mut Behind) -> Section {
        let causes = &self.dims.causes.list;
        let mut series: Vec<String> = causes.iter().take(SERIES).cloned().collect();
        if causes.len() > SERIES {
            series.push("any other".to_owned());
        }
        let mut figures = vec![vec![0; series.len()]; self.time.names.len()];
        let mut counts = Counts::default();
        for ((bucket, cause, at), n) in &self.cells {
            let series = (*cause).min(SERIES);
            if let Some(cell) = figures.get_mut(*bucket).and_then(|b| b.get_mut(series)) {
                *cell += n;
                counts.add(&format!("{bucket} {series}"), *at, *n);
            }
        }
        let sum = |b: usize, s: usize| counts.sum(&[format!("{b} {s}")]);
        let unit = self.time.unit;
        let label = format!("Cases by cause, a bar a {unit}; the table below has the figures");
        let mut columns = vec![unit.to_owned()];
        columns.extend(series.iter().map(|name| format!("#{name}")));
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let rows = figures.iter().enumerate().map(|(b, bucket)| {
            let mut cells = vec![Cell::head(&self.time.names[b])];
            cells.extend(bucket.iter().enumerate().map(|(s, n)| {
                let link = match causes.get(s).filter(|_| s < SERIES) {
                    Some(cause) => behind.link("case", &[cause]),
                    // Many causes: their own table has them one by one.
                    None => Some("#causes".to_owned()),
                };
                Cell::number(n).link(link.filter(|_| *n > 0)).figure(sum(b, s))
            }));
            cells
        });
        let mut table =
            Table::new(format!("Cases by {unit} and cause"), &columns).fill(rows, 2_000);
        table.folded = true;
        Section {
            id: "time",
            title: "Cases over time",
            lead: format!(
                "A case counts once, on the day of its first bundle, with that bundle's cause. A {unit} \
                 is named by its first day."
            ),
            filtered: "all",
            chart: Some(chart::stacked(label, &self.time.names, &series, &figures, sum)),
            tables: vec![table],
            counts: counts.pieces(),
        }
    }

    pub(super) fn causes(&self, behind: &mut Behind) -> Section {
        let all: u64 = self.totals.values().sum();
        let mut counts = Counts::default();
        for ((_, cause, at), n) in &self.cells {
            counts.add(&cause.to_string(), *at, *n);
        }
        let list = &self.dims.causes.list;
        let slots: Vec<String> = (0..list.len()).map(|cause| cause.to_string()).collect();
        let rows = list.iter().zip(&slots).map(|(cause, slot)| {
            let n = self.totals.get(cause).copied().unwrap_or_default();
            let link = behind.link("case", &[cause]);
            let own = std::slice::from_ref(slot);
            vec![
                Cell::head(cause),
                Cell::number(n).link(link).figure(counts.sum(own)),
                Cell::number(percent(n, all)).figure(counts.figure("share", own, &slots)),
            ]
        });
        let table =
            Table::new("Cases by cause", &["cause", "#cases", "#share of all"]).fill(rows, 100);
        Section {
            id: "causes",
            title: "Causes",
            lead: "What breaks.".to_owned(),
            filtered: "all",
            tables: vec![table],
            counts: counts.pieces(),
            ..Section::default()
        }
    }

    pub(super) fn changes(&self, behind: &mut Behind) -> Section {
        let mut section = Section {
            id: "changes",
            title: "What rose and fell",
            filtered: "who",
            ..Section::default()
        };
        let Some((before, now)) = &self.compared else {
            section.lead = "Two periods of a week at least are needed for a comparison.".to_owned();
            return section;
        };
        // What works, and what cannot be told, rises when more is tried.
        let tested: Vec<(&(&'static str, String), Compared)> = self
            .periods
            .iter()
            .filter(|((_, name), _)| name != "none" && name != "insufficient")
            .map(|(key, (before, now))| (key, compare(*before, *now)))
            .collect();
        let compared: Vec<Compared> = tested.iter().map(|(_, compared)| compared.clone()).collect();
        let told = changes(&compared);
        let columns =
            ["what", "kind", "#before", "#now", "#times as many", "#95 % interval", "change"];
        let mut row = |((kind, name), one): &(&(&'static str, String), Compared), told: bool| {
            let link = behind.link(kind, &[name]);
            let (word, tone) = match (told, one.now > one.before) {
                (true, true) => ("▲ rises", "bad"),
                (true, false) => ("▼ falls", "good"),
                (false, _) => ("no change to tell", "none"),
            };
            let slot = |which: &str| [format!("{kind} {name} {which}")];
            let (earlier, later) = (slot("before"), slot("now"));
            let sum = |slot: &[String]| self.compared_counts.sum(slot);
            vec![
                Cell::head(name),
                Cell::new(if *kind == "case" { "cause" } else { "device to blame" }),
                Cell::number(one.before).link(link.clone()).figure(sum(&earlier)),
                Cell::number(one.now).link(link).figure(sum(&later)),
                Cell::number(ratio(one))
                    .figure(self.compared_counts.figure("ratio", &later, &earlier)),
                // What is told rests on all comparisons together.
                Cell::number(interval(one)).figure("none".to_owned()),
                Cell::new(word).tone(tone).figure("none".to_owned()),
            ]
        };
        let mut order: Vec<usize> = (0..tested.len()).collect();
        order.sort_by(|a, b| compared[*a].p.total_cmp(&compared[*b].p));
        let (sure, rest): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|at| told[*at]);
        section.lead = format!(
            "{now}, against {before}: {} of {} counts changed by more than chance explains (of a hundred \
             such lists without any change, one would name something), and by a tenth at least; fewer \
             than ten cases are never told. One customer with many cases counts as many.",
            sure.len(),
            tested.len()
        );
        if !sure.is_empty() {
            let rows = sure.iter().map(|at| row(&tested[*at], true));
            section.tables.push(Table::new("Changed", &columns).fill(rows, 60));
        }
        let rows = rest.iter().map(|at| row(&tested[*at], false));
        let mut all = Table::new("Everything else that was compared", &columns).fill(rows, 60);
        all.folded = true;
        section.tables.push(all);
        section.counts = self.compared_counts.pieces();
        section
    }
}

fn ratio(one: &Compared) -> String {
    match one.before {
        0 => "new".to_owned(),
        before => format!("{:.2}", one.now as f64 / before as f64),
    }
}

fn interval(one: &Compared) -> String {
    let end = |x: f64| if x > 999.0 { "∞".to_owned() } else { format!("{x:.2}") };
    format!("{} to {}", end(one.ratio.0), end(one.ratio.1))
}

/// A share in per cent; of nothing, a dash.
pub(super) fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "–".to_owned(),
        whole => format!("{:.1} %", part as f64 / whole as f64 * 100.0),
    }
}
