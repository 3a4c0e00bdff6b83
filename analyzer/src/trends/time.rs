//! What happens over time, and what rose and fell: the sections that the
//! filters count anew.

use super::chart;
use super::model::{Key, Names, Time, date, device, largest, records};
use super::part::{Behind, Cell, Section, Table};
use super::statistics::{Compared, changes, compare};
use crate::store::query::Answers;
use chrono::{Days, NaiveDate};
use serde::Serialize;
use std::collections::BTreeMap;

/// Causes that a chart over time tells apart.
const SERIES: usize = 7;
/// Devices that the filter names.
const DEVICES: usize = 40;
/// The longest period compared with the one before it, in days.
const PERIOD: i64 = 28;
/// The characters of one line of the filters' counts; the page's text is cut
/// where it is much longer.
const LINE: usize = 4_000;

/// What the filters offer, and what they count.
#[derive(Debug, Default, Serialize)]
pub(super) struct Filters {
    unit: &'static str,
    buckets: Vec<String>,
    causes: Vec<String>,
    devices: Vec<String>,
    vantages: Vec<String>,
    /// `bucket,cause,device,vantage,count` and so on, with blanks between.
    counts: Vec<String>,
    /// The series of the chart that each cause is in.
    series: String,
}

/// Everything that is counted by day.
pub(super) struct Cases {
    time: Time,
    causes: Names,
    devices: Names,
    vantages: Names,
    cells: BTreeMap<Key, u64>,
    /// By kind and name: before, and now.
    periods: BTreeMap<(&'static str, String), (u64, u64)>,
    /// The two periods, as words.
    compared: Option<(String, String)>,
    /// Of each cause, cases in all.
    totals: BTreeMap<String, u64>,
}

/// The two periods of one length up to the last day.
fn periods(first: NaiveDate, last: NaiveDate) -> Option<(NaiveDate, NaiveDate, i64)> {
    let days = (last - first).num_days() + 1;
    let length = PERIOD.min(days / 2);
    if length < 7 {
        return None;
    }
    let now = last.checked_sub_days(Days::new(length.unsigned_abs() - 1))?;
    let before = now.checked_sub_days(Days::new(length.unsigned_abs()))?;
    Some((before, now, length))
}

impl Cases {
    pub(super) fn new(answers: &Answers) -> Result<Option<Self>, String> {
        let columns = ["day", "vantage", "cause", "device", "device_version", "n"];
        let rows = records(answers, "cases", &columns)?;
        let days = || rows.iter().filter_map(|row| date(row.text("day")));
        let (Some(first), Some(last)) = (days().min(), days().max()) else { return Ok(None) };
        let period = periods(first, last);
        let mut out = Self {
            time: Time::new(first, last),
            causes: Names::default(),
            devices: Names::default(),
            vantages: Names::default(),
            cells: BTreeMap::new(),
            periods: BTreeMap::new(),
            compared: period.map(|(before, now, _)| {
                let day = |at: NaiveDate| at.format("%Y-%m-%d").to_string();
                let end = now.pred_opt().unwrap_or(now);
                (
                    format!("{} to {}", day(before), day(end)),
                    format!("{} to {}", day(now), day(last)),
                )
            }),
            totals: BTreeMap::new(),
        };
        let mut by_device: BTreeMap<String, u64> = BTreeMap::new();
        for row in &rows {
            *out.totals.entry(row.text("cause").to_owned()).or_default() += row.count("n");
            let name = device(row.text("device"), row.text("device_version"));
            *by_device.entry(name).or_default() += row.count("n");
        }
        // Offered whether or not a case begins there.
        for vantage in ["inside", "outside"] {
            out.vantages.number(vantage);
        }
        for (cause, _) in largest(out.totals.clone()) {
            out.causes.number(&cause);
        }
        let named: Vec<String> =
            largest(by_device).into_iter().take(DEVICES).map(|(name, _)| name).collect();
        for row in &rows {
            let Some(day) = date(row.text("day")) else { continue };
            let own = device(row.text("device"), row.text("device_version"));
            let shown = match own.as_str() {
                "" => "none to blame",
                name if named.iter().any(|known| known == name) => name,
                _ => "any other",
            };
            let key = Key {
                bucket: out.time.bucket(day),
                cause: out.causes.number(row.text("cause")),
                device: out.devices.number(shown),
                vantage: out.vantages.number(row.text("vantage")),
            };
            *out.cells.entry(key).or_default() += row.count("n");
            let Some((before, now, _)) = period else { continue };
            if day < before {
                continue;
            }
            let mut count = |kind, name: String| {
                let (earlier, later) = out.periods.entry((kind, name)).or_default();
                *(if day < now { earlier } else { later }) += row.count("n");
            };
            count("cause", row.text("cause").to_owned());
            if !own.is_empty() {
                count("device", own);
            }
        }
        Ok(Some(out))
    }

    pub(super) fn filters(&self) -> Filters {
        let mut counts = vec![String::new()];
        for (key, n) in &self.cells {
            let cell = format!("{},{},{},{},{n} ", key.bucket, key.cause, key.device, key.vantage);
            if let Some(line) = counts.last_mut().filter(|line| line.len() + cell.len() < LINE) {
                line.push_str(&cell);
            } else {
                counts.push(cell);
            }
        }
        let series: Vec<String> =
            (0..self.causes.list.len()).map(|cause| cause.min(SERIES).to_string()).collect();
        Filters {
            unit: self.time.unit,
            buckets: self.time.names.clone(),
            causes: self.causes.list.clone(),
            devices: self.devices.list.clone(),
            vantages: self.vantages.list.clone(),
            counts,
            series: series.join(","),
        }
    }

    pub(super) fn over_time(&self, behind: &mut Behind) -> Section {
        let mut series: Vec<String> = self.causes.list.iter().take(SERIES).cloned().collect();
        if self.causes.list.len() > SERIES {
            series.push("any other".to_owned());
        }
        let mut counts = vec![vec![0; series.len()]; self.time.names.len()];
        for (key, n) in &self.cells {
            if let Some(cell) =
                counts.get_mut(key.bucket).and_then(|b| b.get_mut(key.cause.min(SERIES)))
            {
                *cell += n;
            }
        }
        let unit = self.time.unit;
        let label = format!("Cases by cause, a bar a {unit}; the table below has the figures");
        let mut columns = vec![unit.to_owned()];
        columns.extend(series.iter().map(|name| format!("#{name}")));
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let rows = counts.iter().enumerate().map(|(b, bucket)| {
            let mut cells = vec![Cell::head(&self.time.names[b])];
            cells.extend(bucket.iter().enumerate().map(|(s, n)| {
                let link = self.causes.list.get(s).filter(|_| s < SERIES && *n > 0);
                let link = link.and_then(|cause| behind.link("cause", cause));
                Cell::number(n).link(link).at(Some(b), Some(s))
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
            filtered: true,
            chart: Some(chart::stacked(label, &self.time.names, &series, &counts)),
            tables: vec![table],
        }
    }

    pub(super) fn causes(&self, behind: &mut Behind) -> Section {
        let all: u64 = self.totals.values().sum();
        let rows = self.causes.list.iter().enumerate().map(|(number, cause)| {
            let n = self.totals.get(cause).copied().unwrap_or_default();
            let link = behind.link("cause", cause);
            vec![
                Cell::head(cause),
                Cell::number(n).link(link).at(None, Some(number)),
                Cell::number(percent(n, all)),
            ]
        });
        let table =
            Table::new("Cases by cause", &["cause", "#cases", "#share of all"]).fill(rows, 100);
        Section {
            id: "causes",
            title: "Causes",
            lead: "What breaks. The share is of all cases, whatever the filters say.".to_owned(),
            filtered: true,
            chart: None,
            tables: vec![table],
        }
    }

    pub(super) fn changes(&self, behind: &mut Behind) -> Section {
        let mut section =
            Section { id: "changes", title: "What rose and fell", ..Section::default() };
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
            let link = behind.link(kind, name);
            let (word, tone) = match (told, one.now > one.before) {
                (true, true) => ("▲ rises", "bad"),
                (true, false) => ("▼ falls", "good"),
                (false, _) => ("no change to tell", "none"),
            };
            vec![
                Cell::head(name),
                Cell::new(if *kind == "cause" { "cause" } else { "device to blame" }),
                Cell::number(one.before),
                Cell::number(one.now).link(link),
                Cell::number(ratio(one)),
                Cell::number(interval(one)),
                Cell::new(word).tone(tone),
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
            let rows: Vec<_> = sure.iter().map(|at| row(&tested[*at], true)).collect();
            section.tables.push(Table::new("Changed", &columns).fill(rows, 60));
        }
        let rows: Vec<_> = rest.iter().map(|at| row(&tested[*at], false)).collect();
        let mut all = Table::new("Everything else that was compared", &columns).fill(rows, 60);
        all.folded = true;
        section.tables.push(all);
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
