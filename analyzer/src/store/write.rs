//! Bundles into the store, and what was kept of them judged again.

use super::kept::{Kept, restore};
use super::{Store, rollup, said};
use crate::pool;
use crate::rows::schema::TABLES;
use crate::rows::{self, Judged, Row, Value};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Transaction, TransactionBehavior, params_from_iter};
use std::sync::LazyLock;
use wss_diagnosis::rules_version;
use wss_diagnosis::signature::Signatures;

/// Bundles judged again in one transaction.
const REJUDGED: usize = 500;

/// What goes in together.
#[derive(Debug, Default)]
pub struct Batch {
    /// Verdicts, each with what is needed to judge again.
    pub judged: Vec<(Judged, Kept)>,
    /// Rows of `bad`.
    pub bad: Vec<Row>,
}

impl Batch {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.judged.is_empty() && self.bad.is_empty()
    }
}

/// What came of judging again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rejudged {
    /// Bundles judged by the rules of now.
    pub again: u64,
    /// Of these, how many have another cause or status than before.
    pub changed: u64,
    /// Bundles of which nothing was kept, or nothing that can be read.
    pub left: u64,
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(n) => ValueRef::Integer(*n),
            Self::Real(n) => ValueRef::Real(*n),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl Store {
    fn begin(&mut self) -> rusqlite::Result<Transaction<'_>> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch("DELETE FROM touched; DELETE FROM touched_cases;")?;
        Ok(transaction)
    }

    /// Puts a batch in, all of it or nothing. Gives how many bundles were new;
    /// the others were in already, or twice in the batch.
    ///
    /// # Errors
    /// The database's own: a full disk, another writer that does not end.
    pub fn add(&mut self, batch: &Batch) -> Result<u64, String> {
        let path = self.path.clone();
        self.try_add(batch).map_err(said(&path))
    }

    fn try_add(&mut self, batch: &Batch) -> rusqlite::Result<u64> {
        let transaction = self.begin()?;
        let mut new = 0;
        for (judged, kept) in &batch.judged {
            new += u64::from(insert(&transaction, judged, kept)?);
        }
        if new > 0 {
            rollup::update(&transaction)?;
        }
        for row in &batch.bad {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO bad VALUES (?1, ?2, ?3)")?
                .execute(params_from_iter(row.values()))?;
        }
        transaction.commit()?;
        Ok(new)
    }

    /// Judges again what other rules have judged, from what was kept. `tell` is
    /// called with how many are done, and of how many.
    ///
    /// # Errors
    /// The database's own.
    pub fn rejudge(&mut self, mut tell: impl FnMut(u64, u64)) -> Result<Rejudged, String> {
        let path = self.path.clone();
        self.try_rejudge(&mut tell).map_err(said(&path))
    }

    fn try_rejudge(&mut self, tell: &mut impl FnMut(u64, u64)) -> rusqlite::Result<Rejudged> {
        let sql = "SELECT COUNT(*) FROM bundle_data WHERE rules_version <> ?1";
        let all: i64 = self.db.query_row(sql, [rules_version()], |row| row.get(0))?;
        let (mut after, mut out) = (0, Rejudged::default());
        loop {
            let stale = stale(&self.db, after)?;
            let Some(last) = stale.last() else { break };
            after = last.n;
            let mut fresh = Vec::new();
            pool::run(
                stale.into_iter(),
                pool::threads(),
                || (),
                |(), old| {
                    let bundle = restore(&old.kept).ok();
                    let judged =
                        bundle.map(|b| rows::judge(&b, &old.source, Signatures::built_in()));
                    (old, judged)
                },
                |(old, judged)| {
                    match judged {
                        Some(judged) => fresh.push((old, judged)),
                        None => out.left += 1,
                    }
                    Ok::<(), rusqlite::Error>(())
                },
            )?;
            let transaction = self.begin()?;
            replace(&transaction, &fresh, &mut out)?;
            transaction.commit()?;
            tell(out.again + out.left, all.unsigned_abs());
        }
        if out.again > 0 {
            let transaction = self.begin()?;
            rollup::renew_newest(&transaction)?;
            transaction.commit()?;
        }
        Ok(out)
    }
}

/// The place of a column of `bundles` in its row.
fn column(row: &Row, name: &str) -> Value {
    let at = row.table().columns.iter().position(|column| column.name == name);
    at.and_then(|at| row.values().get(at)).cloned().unwrap_or(Value::Null)
}

/// Puts one bundle in; false when its id is in already.
fn insert(db: &Connection, judged: &Judged, kept: &Kept) -> rusqlite::Result<bool> {
    let Some(first) = judged.rows.first() else { return Ok(false) };
    let marks = vec!["?"; first.values().len()].join(", ");
    let sql = format!("INSERT OR IGNORE INTO bundle_data VALUES (NULL, {marks})");
    if db.prepare_cached(&sql)?.execute(params_from_iter(first.values()))? == 0 {
        return Ok(false);
    }
    let n = db.last_insert_rowid();
    db.prepare_cached("INSERT INTO kept VALUES (?1, ?2)")?.execute((n, &kept.0))?;
    db.prepare_cached("DELETE FROM bad WHERE source = ?1")?.execute([column(first, "source")])?;
    children(db, n, judged)?;
    touch(db, n, first)?;
    Ok(true)
}

fn touch(db: &Connection, n: i64, first: &Row) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO touched VALUES (?1)")?.execute([n])?;
    db.prepare_cached("INSERT OR IGNORE INTO touched_cases VALUES (?1)")?
        .execute([column(first, "case_id")])?;
    Ok(())
}

/// Leading columns of a row (id, day) that the bundle's number stands for.
const OF_BUNDLE: usize = 2;

/// The tables that have rows of a bundle: their views, and where the rows are.
const CHILDREN: [(&str, &str); 4] = [
    ("findings", "finding_data"),
    ("devices", "device_data"),
    ("layers", "layer_data"),
    ("holds", "hold_data"),
];

/// How a row of each of them is put in.
static INSERTS: LazyLock<[String; CHILDREN.len()]> = LazyLock::new(|| {
    CHILDREN.map(|(name, table)| {
        let columns = TABLES.iter().find(|one| one.name == name).map_or(0, |one| one.columns.len());
        let marks = vec!["?"; columns - OF_BUNDLE + 1].join(", ");
        format!("INSERT INTO {table} VALUES ({marks})")
    })
});

fn children(db: &Connection, n: i64, judged: &Judged) -> rusqlite::Result<()> {
    let number = Value::Integer(n);
    // Rows of a table come together.
    let mut last: Option<(usize, CachedStatement<'_>)> = None;
    for row in &judged.rows[1..] {
        let name = row.table().name;
        let Some(at) = CHILDREN.iter().position(|(view, _)| *view == name) else { continue };
        let statement = match &mut last {
            Some((table, statement)) if *table == at => statement,
            _ => &mut last.insert((at, db.prepare_cached(&INSERTS[at])?)).1,
        };
        let own = &row.values()[OF_BUNDLE..];
        statement.execute(params_from_iter(std::iter::once(&number).chain(own)))?;
    }
    Ok(())
}

/// A bundle that other rules have judged.
struct Stale {
    n: i64,
    source: String,
    rules: String,
    verdict: (String, String),
    kept: Vec<u8>,
}

fn stale(db: &Connection, after: i64) -> rusqlite::Result<Vec<Stale>> {
    let mut statement = db.prepare_cached(
        "SELECT b.n, b.source, b.rules_version, b.status, b.cause, k.facts
         FROM bundle_data b JOIN kept k ON k.n = b.n
         WHERE b.n > ?1 AND b.rules_version <> ?2 ORDER BY b.n LIMIT ?3",
    )?;
    let limit = i64::try_from(REJUDGED).unwrap_or(i64::MAX);
    let found = statement.query_map((after, rules_version(), limit), |row| {
        Ok(Stale {
            n: row.get(0)?,
            source: row.get(1)?,
            rules: row.get(2)?,
            verdict: (row.get(3)?, row.get(4)?),
            kept: row.get(5)?,
        })
    })?;
    found.collect()
}

fn replace(db: &Connection, fresh: &[(Stale, Judged)], out: &mut Rejudged) -> rusqlite::Result<()> {
    let mut own = Vec::new();
    for (old, judged) in fresh {
        let Some(first) = judged.rows.first() else { continue };
        // Somebody else may have been here meanwhile.
        let untouched = db
            .prepare_cached("SELECT 1 FROM bundle_data WHERE n = ?1 AND rules_version = ?2")?
            .exists((old.n, &old.rules))?;
        if untouched {
            touch(db, old.n, first)?;
            own.push((old, judged, first));
        }
    }
    rollup::take_bundles(db)?;
    for (old, judged, first) in own {
        for (_, table) in CHILDREN {
            db.prepare_cached(&format!("DELETE FROM {table} WHERE n = ?1"))?.execute([old.n])?;
        }
        // The id stays: it is what the bundle is known by.
        let names = first.table().columns.iter().map(|column| column.name);
        let sets: Vec<String> =
            names.enumerate().map(|(at, name)| format!("{name} = ?{}", at + 2)).collect();
        let number = Value::Integer(old.n);
        db.prepare_cached(&format!("UPDATE bundle_data SET {} WHERE n = ?1", sets.join(", ")))?
            .execute(params_from_iter(std::iter::once(&number).chain(first.values())))?;
        children(db, old.n, judged)?;
        out.again += 1;
        let verdict = [&old.verdict.0, &old.verdict.1].map(|text| Value::from(text.clone()));
        if [column(first, "status"), column(first, "cause")] != verdict {
            out.changed += 1;
        }
    }
    rollup::update(db)
}
