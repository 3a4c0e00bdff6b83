//! What all sections of the page are made of: a drawing, a table, and links to
//! the bundles behind the numbers.

use super::chart::Chart;
use super::counts::{At, Piece};
use super::model::Record;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use wss_bundle::transcript::quote;
use wss_report::words;

/// Longest text in a cell, in characters.
const CELL: usize = 160;

/// A section.
#[derive(Debug, Default, Serialize)]
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What it shows, in a sentence or two.
    pub(super) lead: String,
    /// How its counts follow the filters: `all`, `who` (not by period), or not at all.
    pub(super) filtered: &'static str,
    /// What the filters count.
    pub(super) counts: Vec<Piece>,
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
    /// How the filters make it anew.
    figure: Option<String>,
    /// Counts everything, whatever the filters say.
    whole: bool,
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

    pub(super) fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// How the filters make it anew; see [`super::counts::Counts::figure`].
    pub(super) fn figure(mut self, figure: String) -> Self {
        self.figure = Some(figure);
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

    /// Adds rows, no more than `most` in all; what is left out is not made.
    pub(super) fn fill<R>(mut self, rows: R, most: usize) -> Self
    where
        R: IntoIterator<Item = Vec<Cell>, IntoIter: ExactSizeIterator>,
    {
        let mut rows = rows.into_iter();
        self.rows.extend(rows.by_ref().take(most.saturating_sub(self.rows.len())));
        self.more += rows.len();
        self
    }
}

/// The bundles behind the numbers: a list for each kind and name that the page
/// links to.
#[derive(Debug, Default)]
pub(super) struct Behind {
    newest: BTreeMap<(String, String), Vec<Bundle>>,
    linked: BTreeSet<(String, Vec<String>)>,
    store: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Listed {
    anchor: String,
    what: String,
    newest: Vec<Bundle>,
    /// The command up to where the filters' conditions go, and what follows.
    command: [String; 2],
    /// Whether filters reach it.
    filtered: bool,
    /// What stands before the columns that they ask of.
    of: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct Bundle {
    id: String,
    at: String,
    /// Who and when, as the filters count it.
    who: usize,
    period: usize,
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

    /// A bundle of the newest, and whom and when it is of.
    pub(super) fn add(&mut self, row: &Record<'_>, (who, period): At) {
        let key = (row.text("kind").to_owned(), row.text("name").to_owned());
        self.newest.entry(key).or_default().push(Bundle {
            id: words::cut(row.text("bundle_id"), 64),
            at: words::cut(row.text("collected_at"), 32),
            who,
            period,
        });
    }

    /// A link to the bundles of a kind, by the texts that its query asks for.
    pub(super) fn link(&mut self, kind: &str, parts: &[&str]) -> Option<String> {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let link = format!("#{}", anchor(kind, &parts.join("\u{1f}")));
        self.linked.insert((kind.to_owned(), parts));
        Some(link)
    }

    /// What was linked to, with its newest bundles and the query for all.
    pub(super) fn listed(&self) -> Vec<Listed> {
        let list = |(kind, parts): &(String, Vec<String>)| {
            let name = parts.join(" ").trim().to_owned();
            // Cases are behind by the bundles of the same cause or device.
            let of = match kind.as_str() {
                "case" => "cause",
                "case-device" => "device",
                kind => kind,
            };
            let newest = self.newest.get(&(of.to_owned(), name.clone()));
            Listed {
                anchor: anchor(kind, &parts.join("\u{1f}")),
                what: words::cut(&format!("{}: {name}", title(kind)), CELL),
                newest: newest.into_iter().flatten().take(5).cloned().collect(),
                command: self.command(kind, parts),
                filtered: kind != "bad",
                of: if matches!(kind.as_str(), "product" | "layer") { "b." } else { "" },
            }
        };
        self.linked.iter().map(list).collect()
    }

    fn command(&self, kind: &str, parts: &[String]) -> [String; 2] {
        let store = match &self.store {
            Some(store) => format!("--store {} ", quote(store)),
            None => String::new(),
        };
        // Nothing of a bundle leaves the quotes of the query, and the query not its own.
        let parts: Vec<String> = parts.iter().map(|part| part.replace('\'', "''")).collect();
        let [head, tail] = query(kind, &parts).map(|text| quote(&text));
        // Both are quoted; between them the quotes are left out.
        let head = head.strip_suffix('\'').unwrap_or(&head);
        let tail = tail.strip_prefix('\'').unwrap_or(&tail);
        [format!("wss-analyzer sql {store}{head}"), tail.to_owned()]
    }
}

fn title(kind: &str) -> &'static str {
    match kind {
        "case" => "cases by cause",
        "case-device" => "cases by device to blame",
        "product" => "device seen",
        "layer" => "layer that fails",
        "fingerprint" => "way of failing",
        "unsettled" => "would be settled by",
        "collector" => "collector",
        "cut" => "cut after seconds",
        "item" => "checklist item incomplete",
        "mended" => "cases with a later bundle, by cause",
        _ => "bad, by reason",
    }
}

/// Everything behind a number, a row for each bundle or case that it counts: up
/// to the end of its conditions, and what follows. `parts` have their quotes doubled.
fn query(kind: &str, parts: &[String]) -> [String; 2] {
    let part = |at: usize| parts.get(at).map_or("", String::as_str);
    let of = |columns: &str, condition: String| {
        [
            format!(
                "SELECT bundle_id, collected_at, {columns}source FROM bundles WHERE {condition}"
            ),
            " ORDER BY collected_at DESC".to_owned(),
        ]
    };
    let joined = |text: String| [text, " ORDER BY b.collected_at DESC".to_owned()];
    let case = |condition: String| {
        [
            format!(
                "SELECT case_id, first_bundle, day, vantage, last_cause, last_status, took_hours FROM cases WHERE \
                 {condition}"
            ),
            " ORDER BY day DESC".to_owned(),
        ]
    };
    match kind {
        "case" => case(format!("cause = '{}'", part(0))),
        "case-device" => case(format!("TRIM(device || ' ' || device_version) = '{}'", part(0))),
        "mended" => case(format!("bundles > 1 AND status <> 'working' AND cause = '{}'", part(0))),
        "product" => joined(format!(
            "SELECT b.bundle_id, b.collected_at, b.status, b.cause, d.confidence, b.source FROM devices d JOIN \
             bundles b ON b.bundle_id = d.bundle_id WHERE d.role = '{}' AND TRIM(COALESCE(d.product, '') || ' ' || \
             COALESCE(d.version, '')) = '{}'",
            part(0),
            part(1)
        )),
        "layer" => joined(format!(
            "SELECT b.bundle_id, b.collected_at, b.vantage, b.source FROM layers l JOIN bundles b ON b.bundle_id = \
             l.bundle_id WHERE l.decides = 1 AND l.status = 'fail' AND l.layer = '{}' AND COALESCE(l.failure, '') = \
             '{}'",
            part(0),
            part(1)
        )),
        "fingerprint" => of("host, ", format!("fingerprint = '{}'", part(0))),
        "unsettled" => of(
            "",
            format!(
                "unsettled = '{}' AND status = '{}' AND cause = '{}'",
                part(0),
                part(1),
                part(2)
            ),
        ),
        "collector" => of(
            "complete, defects, ",
            format!(
                "collector_version = '{}' AND collector_os = '{}' AND rules_version = '{}'",
                part(0),
                part(1),
                part(2)
            ),
        ),
        "cut" => of(
            "",
            format!(
                "bundle_id IN (SELECT bundle_id FROM holds WHERE CAST(CASE WHEN cut_by = 'silence' \
                 THEN cut_after_s + 0.95 ELSE ROUND(cut_after_s) END AS INTEGER) = {})",
                part(0).parse::<i64>().unwrap_or_default()
            ),
        ),
        "item" => {
            let column = part(0).replace('-', "_");
            of(&format!("{column}, "), format!("{column} <> 'complete'"))
        }
        _ => [
            format!("SELECT source, detail FROM bad WHERE reason = '{}'", part(0)),
            " ORDER BY source".to_owned(),
        ],
    }
}
