//! Caddy: the language of its Caddyfile, the way of a request through it, and what
//! becomes of an upgrade there. `parse` reads, `site` and `matcher` find, `check`
//! follows, `proxied` judges; `row` is its row.

mod check;
mod matcher;
mod parse;
mod proxied;
mod row;
mod site;

pub(crate) use row::DIALECT;
