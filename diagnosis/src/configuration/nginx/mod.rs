//! nginx: its language, the way of a request through it, and what becomes of an
//! upgrade there. `parse` and `tree` read, `server` and `location` find, `flow`
//! rewrites, `check` follows, `proxied` and `access` judge; `row` is its row.

mod access;
pub(crate) mod check;
mod flow;
mod generated;
mod include;
mod location;
mod main_level;
pub(crate) mod parse;
mod proxied;
mod row;
pub(crate) mod server;
pub(crate) mod tree;
mod value;

pub(crate) use row::{DIALECT, parsed};
