//! Bundle → rows: the verdict on one bundle, flat, for any engine that counts.
//!
//! `schema` declares the tables, `project` fills them. Reading is the bundle
//! crate's, judging the diagnosis', keeping the store's.

mod project;
pub mod schema;

pub use project::{bad, judge};

use schema::Table;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Not known.
    Null,
    /// A count, a flag.
    Integer(i64),
    /// A measure; always finite.
    Real(f64),
    /// A text.
    Text(Cow<'static, str>),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Integer(i64::from(flag))
    }
}

impl From<f64> for Value {
    /// What is not finite is not known.
    fn from(measure: f64) -> Self {
        if measure.is_finite() { Self::Real(measure) } else { Self::Null }
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Integer(n) => serializer.serialize_i64(*n),
            Self::Real(n) => serializer.serialize_f64(*n),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// One row: as many values as its table has columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    table: &'static str,
    values: Vec<Value>,
}

impl Row {
    fn new(table: &'static Table, values: Vec<Value>) -> Self {
        debug_assert_eq!(table.columns.len(), values.len(), "{}", table.name);
        Self { table: table.name, values }
    }

    /// Its table.
    #[must_use]
    pub fn table(&self) -> &'static Table {
        let found = schema::TABLES.iter().find(|table| table.name == self.table);
        found.copied().unwrap_or(&schema::BUNDLES)
    }

    /// Puts another value into a column: for rows made of others, as those of tests
    /// are. A column that the table lacks changes nothing.
    pub fn set(&mut self, column: &str, value: impl Into<Value>) {
        let at = self.table().columns.iter().position(|own| own.name == column);
        if let Some(own) = at.and_then(|at| self.values.get_mut(at)) {
            *own = value.into();
        }
    }

    /// The value of a column, where the table has it.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Value> {
        let at = self.table().columns.iter().position(|own| own.name == column)?;
        self.values.get(at)
    }

    /// The values, in the order of the table's columns.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

/// As NDJSON has it: `table`, then every column.
impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let table = self.table();
        let mut map = serializer.serialize_map(Some(self.values.len() + 1))?;
        map.serialize_entry("table", table.name)?;
        for (column, value) in table.columns.iter().zip(&self.values) {
            map.serialize_entry(column.name, value)?;
        }
        map.end()
    }
}

/// A bundle's verdict, ready to be counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The bundle's id.
    pub id: String,
    /// Its rows; the first is that of `bundles`.
    pub rows: Vec<Row>,
}
