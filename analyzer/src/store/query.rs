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

impl Reader {
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
