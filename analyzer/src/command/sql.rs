//! `sql`: anybody's own question to a store. It reads, and can do nothing else.

use super::{DONE, NOTHING, clean, complain};
use crate::cli::{SqlArgs, SqlFormat};
use crate::store::Reader;
use crate::store::query::value;
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use serde_json::Value;
use std::io::{BufWriter, Write};

/// Rows of a table for people; the other formats have no limit.
const TABLE_ROWS: usize = 1000;
/// Characters of a cell in a table for people.
const TABLE_CELL: usize = 60;

/// Answers a query; gives the exit code.
#[must_use]
pub fn sql(args: &SqlArgs) -> u8 {
    let mut out = BufWriter::new(std::io::stdout().lock());
    match answer(args, &mut out) {
        Ok(()) => DONE,
        Err(Trouble::Said(message)) => {
            complain(&message);
            NOTHING
        }
        Err(Trouble::Query(lines)) => {
            let _ = writeln!(std::io::stderr(), "error: {lines}");
            NOTHING
        }
        // The reader has gone, and so has its interest.
        Err(Trouble::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => DONE,
        Err(Trouble::Output(error)) => {
            complain(&format!("cannot write to standard output: {error}"));
            NOTHING
        }
    }
}

enum Trouble {
    Said(String),
    /// Several lines, clean already.
    Query(String),
    Output(std::io::Error),
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

fn answer(args: &SqlArgs, out: &mut impl Write) -> Result<(), Trouble> {
    let mut store = Reader::open(&args.store).map_err(Trouble::Said)?;
    let db = store.connection();
    guard(db).map_err(|error| Trouble::Said(error.to_string()))?;
    let wrong = |error: rusqlite::Error| Trouble::Query(explained(&args.query, &error));
    if args.query.trim().is_empty() {
        return Err(Trouble::Said("the query is empty".to_owned()));
    }
    let mut statement = db.prepare(&args.query).map_err(wrong)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([]).map_err(wrong)?;
    let mut next = || -> Result<Option<Vec<Value>>, Trouble> {
        let Some(row) = rows.next().map_err(wrong)? else { return Ok(None) };
        let cells = (0..columns.len()).map(|at| row.get_ref(at).map(value));
        cells.collect::<rusqlite::Result<Vec<Value>>>().map(Some).map_err(wrong)
    };
    match args.format {
        SqlFormat::Table => table(&columns, &mut next, out)?,
        SqlFormat::Csv => csv(&columns, &mut next, out)?,
        SqlFormat::Json => json(&columns, &mut next, out)?,
    }
    out.flush()?;
    Ok(())
}

/// Reading alone: the file is open for reading, and no statement can attach
/// another one, load code, or change how the connection works.
fn guard(db: &mut Connection) -> rusqlite::Result<()> {
    db.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Function { function_name: "load_extension" } => Authorization::Deny,
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Function { .. }
        | AuthAction::Recursive => Authorization::Allow,
        _ => Authorization::Deny,
    }))
}

/// What is wrong with a query, with a caret under the place.
fn explained(query: &str, error: &rusqlite::Error) -> String {
    let (message, offset) = match error {
        rusqlite::Error::SqlInputError { msg, offset, .. } => {
            (msg.clone(), usize::try_from(*offset).ok())
        }
        rusqlite::Error::MultipleStatement => ("one statement at a time".to_owned(), None),
        rusqlite::Error::SqliteFailure(failure, _)
            if failure.code == rusqlite::ErrorCode::AuthorizationForStatementDenied =>
        {
            ("only SELECT is allowed: the store is open for reading".to_owned(), None)
        }
        rusqlite::Error::SqliteFailure(_, Some(message)) => (message.clone(), None),
        other => (other.to_string(), None),
    };
    let message = match message.as_str() {
        "not authorized" => "only SELECT is allowed: the store is open for reading".to_owned(),
        other => clean(other),
    };
    // Some versions count from the statement, which begins after blanks.
    let Some(offset) = offset.filter(|at| *at <= query.len() && query.is_char_boundary(*at)) else {
        return message;
    };
    let start = query[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = query[offset..].find('\n').map_or(query.len(), |at| offset + at);
    let line = clean(&query[start..end]);
    let column = query[start..offset].chars().count();
    let number = query[..offset].matches('\n').count() + 1;
    format!(
        "{message}, at line {number}, column {}\n  {line}\n  {}^",
        column + 1,
        " ".repeat(column)
    )
}

type Next<'a> = dyn FnMut() -> Result<Option<Vec<Value>>, Trouble> + 'a;

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn table(columns: &[String], next: &mut Next<'_>, out: &mut impl Write) -> Result<(), Trouble> {
    let mut rows: Vec<Vec<String>> = vec![columns.iter().map(|name| clean(name)).collect()];
    let mut numbers = vec![true; columns.len()];
    let mut more = false;
    while let Some(row) = next()? {
        if rows.len() > TABLE_ROWS {
            more = true;
            break;
        }
        for (number, value) in numbers.iter_mut().zip(&row) {
            *number &= value.is_number() || value.is_null();
        }
        let cell = |value: &Value| wss_report::words::cut(&clean(&shown(value)), TABLE_CELL);
        rows.push(row.iter().map(cell).collect());
    }
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for (line, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .zip(widths.iter().zip(&numbers))
            .map(
                |(cell, (width, number))| {
                    if *number { format!("{cell:>width$}") } else { format!("{cell:width$}") }
                },
            )
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
        if line == 0 {
            let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            writeln!(out, "{}", rule.join("  "))?;
        }
    }
    if more {
        writeln!(out, "more rows are not shown; add LIMIT, or --format csv")?;
    }
    Ok(())
}

fn csv(columns: &[String], next: &mut Next<'_>, out: &mut impl Write) -> Result<(), Trouble> {
    let header: Vec<String> = columns.iter().map(|name| field(name)).collect();
    write!(out, "{}\r\n", header.join(","))?;
    while let Some(row) = next()? {
        let fields: Vec<String> = row
            .iter()
            .map(|value| match value {
                Value::String(text) => field(text),
                other => shown(other),
            })
            .collect();
        write!(out, "{}\r\n", fields.join(","))?;
    }
    Ok(())
}

/// A text as a CSV field (RFC 4180), which no spreadsheet takes for a formula
/// (OWASP, "CSV Injection"): such a text gets an apostrophe before it.
fn field(text: &str) -> String {
    let runs = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    // First what is dropped: it must not hide what stands behind it.
    let text: String = text.chars().filter(|c| *c != '\0').collect();
    let unseen = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}')
    };
    let first = text.trim_start_matches(unseen);
    let guard = if first.starts_with(runs) || text.starts_with(runs) { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', '\r', '\n', ';', '\t']) {
        return text;
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

fn json(columns: &[String], next: &mut Next<'_>, out: &mut impl Write) -> Result<(), Trouble> {
    let names = unique(columns);
    write!(out, "[")?;
    let mut first = true;
    while let Some(row) = next()? {
        write!(out, "{}\n  {{", if first { "" } else { "," })?;
        first = false;
        for (at, (name, value)) in names.iter().zip(&row).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(out, "{comma}{}: {value}", Value::from(name.as_str()))?;
        }
        write!(out, "}}")?;
    }
    writeln!(out, "{}]", if first { "" } else { "\n" })?;
    Ok(())
}

/// Names of which none stands twice: an object would lose one.
fn unique(columns: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for name in columns {
        let mut own = name.clone();
        let mut number = 2;
        while out.contains(&own) {
            own = format!("{name}_{number}");
            number += 1;
        }
        out.push(own);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("=1+1"), "\"'=1+1\"");
        assert_eq!(field(" @SUM(A1)"), "\"' @SUM(A1)\"");
        assert_eq!(field("-2"), "\"'-2\"");
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(field("\u{feff}=x"), "\"'\u{feff}=x\"");
        assert_eq!(field("\0=1+1"), "\"'=1+1\"");
        assert_eq!(field("\u{200b}\u{1}=1"), "\"'\u{200b}\u{1}=1\"");
    }

    #[test]
    fn names_that_stand_twice_are_told_apart() {
        let names = ["a", "b", "a"].map(str::to_owned);
        assert_eq!(unique(&names), ["a", "b", "a_2"]);
    }
}
