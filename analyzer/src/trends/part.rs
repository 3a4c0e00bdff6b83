//! What all sections of the page are made of: a drawing, a table, and links to
//! the bundles behind the numbers.

use super::chart::Chart;
use crate::report::words;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use wss_bundle::transcript::quote;

/// Longest text in a cell, in characters.
const CELL: usize = 160;

/// A section.
#[derive(Debug, Default, Serialize)]
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What it shows, in a sentence or two.
    pub(super) lead: String,
    /// Whether its counts follow the filters.
    pub(super) filtered: bool,
    pub(super) chart: Option<Chart>,
    pub(super) tables: Vec<Table>,
}

/// A table.
#[derive(Debug, Default, Serialize)]
pub(super) struct Table {
    pub(super) caption: String,
    /// Folded away: the drawing above it says the same.
    pub(super) folded: bool,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// How many rows are left out.
    pub(super) more: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Column {
    name: String,
    number: bool,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Cell {
    text: String,
    link: Option<String>,
    number: bool,
    /// The first cell of a row names it.
    head: bool,
    tone: &'static str,
    /// Where a filter finds it: bucket and series.
    bucket: Option<String>,
    series: Option<String>,
}

impl Cell {
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        Self { text: words::cut(text.as_ref(), CELL), ..Self::default() }
    }

    pub(super) fn head(text: impl AsRef<str>) -> Self {
        Self { head: true, ..Self::new(text) }
    }

    pub(super) fn number(text: impl ToString) -> Self {
        Self { number: true, ..Self::new(text.to_string()) }
    }

    pub(super) fn link(mut self, link: Option<String>) -> Self {
        self.link = link;
        self
    }

    pub(super) fn tone(mut self, tone: &'static str) -> Self {
        self.tone = tone;
        self
    }

    pub(super) fn at(mut self, bucket: Option<usize>, series: Option<usize>) -> Self {
        self.bucket = bucket.map(|b| b.to_string());
        self.series = series.map(|s| s.to_string());
        self
    }
}

impl Table {
    /// A table with these columns; a `#` before a name means numbers.
    pub(super) fn new(caption: impl Into<String>, columns: &[&str]) -> Self {
        let column = |name: &&str| match name.strip_prefix('#') {
            Some(name) => Column { name: name.to_owned(), number: true },
            None => Column { name: (*name).to_owned(), number: false },
        };
        Self {
            caption: caption.into(),
            columns: columns.iter().map(column).collect(),
            ..Self::default()
        }
    }

    /// Adds rows, no more than `most` in all.
    pub(super) fn fill(mut self, rows: impl IntoIterator<Item = Vec<Cell>>, most: usize) -> Self {
        for row in rows {
            if self.rows.len() < most {
                self.rows.push(row);
            } else {
                self.more += 1;
            }
        }
        self
    }
}

/// The bundles behind the numbers: a list for each kind and name that the page
/// links to.
#[derive(Debug, Default)]
pub(super) struct Behind {
    newest: BTreeMap<(String, String), Vec<(String, String)>>,
    linked: BTreeSet<(String, String)>,
    store: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Listed {
    anchor: String,
    what: String,
    newest: Vec<Bundle>,
    command: String,
}

#[derive(Debug, Serialize)]
struct Bundle {
    id: String,
    at: String,
}

fn anchor(kind: &str, name: &str) -> String {
    // Names are anybody's words; an anchor has none of them but a sum.
    let sum = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("behind-{kind}-{sum:016x}")
}

impl Behind {
    pub(super) fn new(store: Option<&str>) -> Self {
        Self { store: store.map(str::to_owned), ..Self::default() }
    }

    pub(super) fn add(&mut self, kind: &str, name: &str, id: &str, at: &str) {
        let list = self.newest.entry((kind.to_owned(), name.to_owned())).or_default();
        list.push((id.to_owned(), at.to_owned()));
    }

    /// A link to the bundles of a kind and name.
    pub(super) fn link(&mut self, kind: &str, name: &str) -> Option<String> {
        self.linked.insert((kind.to_owned(), name.to_owned()));
        Some(format!("#{}", anchor(kind, name)))
    }

    /// What was linked to, with its newest bundles and the query for all.
    pub(super) fn listed(&self) -> Vec<Listed> {
        let list = |(kind, name): &(String, String)| {
            let newest = self.newest.get(&(kind.clone(), name.clone()));
            Listed {
                anchor: anchor(kind, name),
                what: words::cut(&format!("{}: {name}", title(kind)), CELL),
                newest: newest
                    .into_iter()
                    .flatten()
                    .take(5)
                    .map(|(id, at)| Bundle { id: words::cut(id, 64), at: words::cut(at, 32) })
                    .collect(),
                command: self.command(kind, name),
            }
        };
        self.linked.iter().map(list).collect()
    }

    fn command(&self, kind: &str, name: &str) -> String {
        let store = match &self.store {
            Some(store) => format!("--store {} ", quote(store)),
            None => String::new(),
        };
        // Nothing of a bundle leaves the quotes of the query, and the query not its own.
        format!("wss-analyzer sql {store}{}", quote(&query(kind, &name.replace('\'', "''"))))
    }
}

fn title(kind: &str) -> &'static str {
    match kind {
        "cause" => "cause",
        "device" => "device to blame",
        "product" => "device seen",
        "layer" => "lowest layer that fails",
        "fingerprint" => "way of failing",
        "unsettled" => "would be settled by",
        "collector" => "collector",
        "cut" => "cut after seconds",
        "item" => "checklist item incomplete",
        "mended" => "cases with a later bundle, by cause",
        _ => "bad, by reason",
    }
}

/// All bundles behind a number; `name` has its quotes doubled.
fn query(kind: &str, name: &str) -> String {
    let of = |condition: String| {
        format!(
            "SELECT bundle_id, collected_at, source FROM bundles WHERE {condition} ORDER BY collected_at DESC"
        )
    };
    let name_of = |product: &str, version: &str| {
        format!("TRIM({product} || ' ' || COALESCE({version}, '')) = '{name}'")
    };
    match kind {
        "cause" => of(format!("cause = '{name}'")),
        "device" => of(name_of("device", "device_version")),
        "product" => of(format!(
            "bundle_id IN (SELECT bundle_id FROM devices WHERE {})",
            name_of("product", "version")
        )),
        "layer" => of(format!("broken_layer = '{name}'")),
        "fingerprint" => of(format!("fingerprint = '{name}'")),
        "unsettled" => of(format!("unsettled = '{name}'")),
        "collector" => of(format!("collector_version = '{name}'")),
        "cut" => of(format!(
            "bundle_id IN (SELECT bundle_id FROM holds WHERE ROUND(cut_after_s) = {})",
            name.parse::<i64>().unwrap_or_default()
        )),
        "item" => of(format!("{} <> 'complete'", name.replace('-', "_"))),
        "mended" => format!(
            "SELECT case_id, first_bundle, last_cause, last_status FROM cases WHERE bundles > 1 AND cause = '{name}'"
        ),
        _ => format!("SELECT source, detail FROM bad WHERE reason = '{name}'"),
    }
}
