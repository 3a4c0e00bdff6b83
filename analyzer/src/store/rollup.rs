//! Roll-ups: what the page counts, kept up to date in the transaction that
//! changes it.
//!
//! A roll-up is defined once, by its file in `analyzer/sql/rollup/`, with
//! `{bundles}` or `{cases}` for what it counts. Over everything, that is a view
//! (the fleet makes it so); over the bundles that a transaction touches, it is
//! what must be taken away before and added after.

use rusqlite::Connection;

/// How a definition is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// One row a case.
    Cases,
    /// Counts of bundles.
    OfBundles,
    /// Counts of cases.
    OfCases,
    /// The newest few of a kind.
    Newest,
}

/// A roll-up.
#[derive(Debug)]
pub struct Rollup {
    /// Its table.
    pub name: &'static str,
    /// Its definition, in what SQLite and Spark both understand.
    pub sql: &'static str,
    /// How it is kept.
    pub way: Way,
}

macro_rules! rollups {
    ($($name:ident: $way:ident,)*) => {
        /// All of them, each after those that it is made from.
        pub static ROLLUPS: &[Rollup] = &[$(Rollup {
            name: stringify!($name),
            sql: include_str!(concat!("../../sql/rollup/", stringify!($name), ".sql")),
            way: Way::$way,
        },)*];
    };
}

rollups! {
    cases: Cases,
    case_days: OfCases,
    case_outcomes: OfCases,
    device_totals: OfBundles,
    device_periods: OfBundles,
    layer_periods: OfBundles,
    hold_periods: OfBundles,
    fingerprint_hosts: OfBundles,
    fingerprint_periods: OfBundles,
    checklist_periods: OfBundles,
    unsettled_periods: OfBundles,
    collector_periods: OfBundles,
    newest: Newest,
}

/// The quarter of a month that a bundle `b` is of, by its first day. Weeks would
/// not fit into months.
const PERIOD: &str = "(SUBSTR(b.day, 1, 8) || CASE WHEN SUBSTR(b.day, 9, 2) < '08' THEN '01' \
    WHEN SUBSTR(b.day, 9, 2) < '15' THEN '08' WHEN SUBSTR(b.day, 9, 2) < '22' THEN '15' ELSE '22' END)";

/// The device to blame of a bundle or a case `b`; empty where there is none. Without its version: what
/// the page reads would grow with the number of versions.
const TO_BLAME: &str = "COALESCE(b.device, '')";

/// Tables of a connection in which a transaction notes what it touches.
pub(super) const TOUCHED: &str = "
    CREATE TEMP TABLE touched (n INTEGER PRIMARY KEY);
    CREATE TEMP TABLE touched_cases (case_id TEXT PRIMARY KEY) WITHOUT ROWID;";

const BUNDLES: &str = "(SELECT * FROM bundle_data WHERE n IN (SELECT n FROM touched))";
const CASES: &str = "(SELECT * FROM cases WHERE case_id IN (SELECT case_id FROM touched_cases))";
const BUNDLES_OF_CASES: &str =
    "(SELECT * FROM bundle_data WHERE case_id IN (SELECT case_id FROM touched_cases))";

impl Rollup {
    /// The definition over other tables.
    fn over(&self, bundles: &str, cases: &str) -> String {
        let tables = self.sql.replace("{bundles}", bundles).replace("{cases}", cases);
        // The same stand in analyzer/fleet/trends.py.
        tables.replace("{text}", "TEXT").replace("{period}", PERIOD).replace("{to_blame}", TO_BLAME)
    }

    /// Adds what is touched (`sign` 1), or takes it away (-1).
    fn count(&self, db: &Connection, sign: i32) -> rusqlite::Result<()> {
        let names = columns(db, self.name)?;
        let keys: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| *name != "n").collect();
        let keys = keys.join(", ");
        let sql = format!(
            "INSERT INTO {name} ({keys}, n) SELECT {keys}, {sign} * n FROM ({definition}) WHERE TRUE
             ON CONFLICT ({keys}) DO UPDATE SET n = n + excluded.n",
            name = self.name,
            definition = self.over(BUNDLES, CASES),
        );
        db.prepare_cached(&sql)?.execute([])?;
        Ok(())
    }
}

fn columns(db: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let statement = db.prepare_cached(&format!("SELECT * FROM {table}"))?;
    Ok(statement.column_names().map(str::to_owned).collect())
}

fn of(way: Way) -> impl Iterator<Item = &'static Rollup> {
    ROLLUPS.iter().filter(move |rollup| rollup.way == way)
}

/// Before touched bundles that were in already change: takes them away.
pub(super) fn take_bundles(db: &Connection) -> rusqlite::Result<()> {
    of(Way::OfBundles).try_for_each(|rollup| rollup.count(db, -1))?;
    db.prepare_cached(
        "DELETE FROM newest WHERE bundle_id IN
         (SELECT bundle_id FROM bundle_data WHERE n IN (SELECT n FROM touched))",
    )?
    .execute([])?;
    Ok(())
}

/// After touched bundles changed: brings everything up to date.
pub(super) fn update(db: &Connection) -> rusqlite::Result<()> {
    of(Way::OfBundles).try_for_each(|rollup| rollup.count(db, 1))?;
    of(Way::OfCases).try_for_each(|rollup| rollup.count(db, -1))?;
    db.prepare_cached("DELETE FROM cases WHERE case_id IN (SELECT case_id FROM touched_cases)")?
        .execute([])?;
    for rollup in of(Way::Cases) {
        let sql = format!("INSERT INTO {} {}", rollup.name, rollup.over(BUNDLES_OF_CASES, "cases"));
        db.prepare_cached(&sql)?.execute([])?;
    }
    of(Way::OfCases).try_for_each(|rollup| rollup.count(db, 1))?;
    for rollup in of(Way::Newest) {
        let sql = format!("INSERT OR REPLACE INTO newest {}", rollup.over(BUNDLES, "cases"));
        db.prepare_cached(&sql)?.execute([])?;
    }
    prune(db)?;
    for rollup in of(Way::OfBundles).chain(of(Way::OfCases)) {
        let sql = format!("DELETE FROM {} WHERE n = 0", rollup.name);
        db.prepare_cached(&sql)?.execute([])?;
    }
    Ok(())
}

/// The newest five of each kind and name stay.
fn prune(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM newest WHERE (kind, name, bundle_id) IN (
           SELECT kind, name, bundle_id FROM (
             SELECT kind, name, bundle_id,
               ROW_NUMBER() OVER (PARTITION BY kind, name ORDER BY collected_at DESC, bundle_id) AS place
             FROM newest
           ) WHERE place > 5)",
    )?
    .execute([])?;
    Ok(())
}

/// Makes every roll-up anew, from everything.
pub(super) fn renew(db: &Connection) -> rusqlite::Result<()> {
    for rollup in ROLLUPS {
        let (name, all) = (rollup.name, rollup.over("bundle_data", "cases"));
        db.execute(&format!("DELETE FROM {name}"), [])?;
        db.execute(&format!("INSERT INTO {name} {all}"), [])?;
    }
    Ok(())
}

/// Makes the list of the newest bundles anew: judging again moves bundles
/// between names, and what takes an empty place is not among the touched.
pub(super) fn renew_newest(db: &Connection) -> rusqlite::Result<()> {
    db.execute("DELETE FROM newest", [])?;
    for rollup in of(Way::Newest) {
        let sql = format!("INSERT INTO newest {}", rollup.over("bundle_data", "cases"));
        db.execute(&sql, [])?;
    }
    Ok(())
}

/// Where a roll-up differs from its definition over everything: its name, and
/// how many rows. Nothing, unless the program is wrong or the file damaged.
///
/// # Errors
/// The database's own.
pub fn differences(db: &Connection) -> rusqlite::Result<Vec<(&'static str, i64)>> {
    let mut out = Vec::new();
    for rollup in ROLLUPS {
        let (name, all) = (rollup.name, rollup.over("bundle_data", "cases"));
        let sql = format!(
            "SELECT (SELECT COUNT(*) FROM (SELECT * FROM {name} EXCEPT {all}))
                  + (SELECT COUNT(*) FROM ({all} EXCEPT SELECT * FROM {name}))"
        );
        let rows: i64 = db.query_row(&sql, [], |row| row.get(0))?;
        if rows > 0 {
            out.push((name, rows));
        }
    }
    Ok(out)
}
