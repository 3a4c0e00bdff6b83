//! Apache httpd: its language, the way of a request through it, and what becomes of
//! an upgrade there. `parse` and `tree` read, `vhost`, `sections` and `rewrite` find,
//! `check` follows, `proxied` judges; `row` is its row.

mod check;
mod parse;
mod proxied;
mod rewrite;
mod row;
mod sections;
mod tree;
mod vhost;

pub(crate) use row::DIALECT;
