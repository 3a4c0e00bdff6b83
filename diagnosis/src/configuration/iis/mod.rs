//! IIS with Application Request Routing: `web.config` and `applicationHost.config`.
//! `tags` reads their tags, `check` what of them concerns an upgrade, `row` is the row.
//!
//! Read by documents and strangers' files alone: what is said is a hint.

mod check;
mod row;
mod tags;

pub(crate) use row::DIALECT;
