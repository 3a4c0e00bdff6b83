//! Reading: named queries for the page, and anybody's own.

use super::{Reader, said};
use rusqlite::types::ValueRef;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a query gave.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows, with a value for each column.
    pub rows: Vec<Vec<Value>>,
}

/// A query of the page.
#[derive(Debug)]
pub struct Named {
    /// Its name, and its file's in `analyzer/sql/`.
    pub name: &'static str,
    /// In what SQLite and Spark both run.
    pub sql: &'static str,
}

macro_rules! named {
    ($($name:ident,)*) => {
        /// Every query of the page.
        pub static NAMED: &[Named] = &[$(Named {
            name: stringify!($name),
            sql: include_str!(concat!("../../sql/", stringify!($name), ".sql")),
        },)*];
    };
}

named! {
    totals, cases, case_versions, outcomes, devices, holds, layers, fingerprints, fingerprint_counts, checklist, unsettled,
    collectors, bad, newest,
}

/// What the named queries gave, by name.
pub type Answers = BTreeMap<String, Answer>;

/// What bundles have in common that belong together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaseKey {
    /// The case's id.
    pub case: String,
    /// The target's host: an id that two people made up alike is no case.
    pub host: String,
}

/// A bundle of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub bundle_id: String,
    /// Where it was when it was taken in.
    pub source: String,
}

impl Reader {
    /// The cases that some of these bundles belong to, each with all of its bundles.
    ///
    /// # Errors
    /// The database's own.
    pub fn cases_of(&self, ids: &[String]) -> Result<BTreeMap<CaseKey, Vec<Member>>, String> {
        let mut out = BTreeMap::new();
        let mut run = || -> rusqlite::Result<()> {
            let sql = "SELECT case_id, host FROM bundle_data WHERE bundle_id = ?1";
            let mut key = self.db.prepare_cached(sql)?;
            let sql = "SELECT bundle_id, source FROM bundle_data WHERE case_id = ?1 AND host = ?2 \
                       ORDER BY collected_unix, bundle_id";
            let mut members = self.db.prepare_cached(sql)?;
            for id in ids {
                let found = key
                    .query_map([id], |row| Ok(CaseKey { case: row.get(0)?, host: row.get(1)? }))?;
                for key in found {
                    let key = key?;
                    if out.contains_key(&key) {
                        continue;
                    }
                    let all = members.query_map([&key.case, &key.host], |row| {
                        Ok(Member { bundle_id: row.get(0)?, source: row.get(1)? })
                    })?;
                    let all = all.collect::<rusqlite::Result<Vec<Member>>>()?;
                    out.insert(key, all);
                }
            }
            Ok(())
        };
        run().map_err(said(&self.path))?;
        Ok(out)
    }

    /// Ids of the bundles that came from a place.
    ///
    /// # Errors
    /// The database's own.
    pub fn of_source(&self, source: &str) -> Result<Vec<String>, String> {
        let run = || {
            let sql = "SELECT bundle_id FROM bundle_data WHERE source = ?1";
            let mut statement = self.db.prepare_cached(sql)?;
            statement.query_map([source], |row| row.get(0))?.collect::<rusqlite::Result<_>>()
        };
        run().map_err(said(&self.path))
    }

    /// Runs every named query over one state of the store.
    ///
    /// # Errors
    /// The database's own.
    pub fn named(&self) -> Result<Answers, String> {
        self.db.execute_batch("BEGIN").map_err(said(&self.path))?;
        let mut out = Answers::new();
        for query in NAMED {
            let answer = self.run(query.sql, usize::MAX).map_err(|e| e.to_string());
            match answer {
                Ok(answer) => out.insert(query.name.to_owned(), answer),
                Err(error) => {
                    let _ = self.db.execute_batch("COMMIT");
                    return Err(format!("the query {}: {error}", query.name));
                }
            };
        }
        self.db.execute_batch("COMMIT").map_err(said(&self.path))?;
        Ok(out)
    }

    pub(crate) fn run(&self, sql: &str, most: usize) -> rusqlite::Result<Answer> {
        let mut statement = self.db.prepare(sql)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut found = statement.query([])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            if rows.len() == most {
                break;
            }
            let values = (0..columns.len()).map(|at| row.get_ref(at).map(value));
            rows.push(values.collect::<rusqlite::Result<_>>()?);
        }
        Ok(Answer { columns, rows })
    }

    pub(crate) fn connection(&mut self) -> &mut rusqlite::Connection {
        &mut self.db
    }
}

pub(crate) fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => n.into(),
        ValueRef::Real(n) => n.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        ValueRef::Blob(blob) => format!("{} bytes", blob.len()).into(),
    }
}
