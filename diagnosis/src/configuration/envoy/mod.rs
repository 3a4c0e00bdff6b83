//! Envoy: its bootstrap file (YAML or JSON), files of its dynamic resources, and what
//! its admin port and `istioctl proxy-config` print of what is in effect. `gathered`
//! finds listeners, routes and clusters in them, `check` follows a request, `route`
//! finds the route as Envoy does, `filters` knows what stands before the router,
//! `forwarded` what a route does to an upgrade, `edits` what mends it, `row` is the row.
//!
//! Names of fields are those of Envoy's API, version 3; what they do to an upgrade was
//! asked of Envoy 1.40 itself (`tests/tests/configuration/envoy.rs`).

mod check;
mod edits;
mod filters;
mod forwarded;
mod gathered;
mod route;
mod row;

pub(crate) use row::DIALECT;
