//! Caddy: the language of its Caddyfile and its JSON, the way of a request through
//! them, and what becomes of an upgrade there. `parse` reads, `site` and `matcher`
//! find, `check` follows, `proxied` judges; `row` is its row. `json` makes the same
//! directives of JSON, which `json_check` follows; `json_row` is their row.

mod check;
mod json;
mod json_check;
mod json_row;
mod matcher;
mod parse;
mod proxied;
mod row;
mod site;

pub(crate) use json_row::JSON;
pub(crate) use proxied::seconds;
pub(crate) use row::DIALECT;
