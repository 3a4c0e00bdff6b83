//! Traefik: its static and dynamic configuration in YAML, TOML or JSON, labels of containers
//! and options of its command line. `flat` makes one list of keys of all of them,
//! `rule` reads routers' rules, `check` follows a request, `row` is the row.
//!
//! There is no package of Traefik where this is tested: read by its documents and by
//! strangers' files alone, so that what is said is a hint.

mod check;
mod flat;
mod row;
pub(crate) mod rule;

pub(crate) use row::DIALECT;
