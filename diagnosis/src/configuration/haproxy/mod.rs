//! HAProxy: its language, the way of a request through it, and what becomes of an
//! upgrade there. `parse` and `start_up` read, `fetch` and `condition` evaluate,
//! `check` follows, `servers` judges what is behind; `row` is its row.

mod check;
mod condition;
mod fetch;
mod parse;
mod row;
mod servers;
mod start_up;

pub(crate) use check::way;
pub(crate) use row::DIALECT;
