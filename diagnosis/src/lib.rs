//! The judgement: a pure function from bundles to a diagnosis.
//!
//! No sockets, no files, no clock, no randomness: the same bundles give the
//! same bytes, on the customer's terminal and in a report made years later.
//!
//! [`diagnose`] derives [`evidence`], asks every [`rule`], and answers with the
//! contract's JSON ([`model`]).

mod changes;
mod checklist;
pub mod configuration;
pub mod console;
pub mod curl_output;
mod device;
mod diagnose;
pub mod evidence;
pub mod idle;
mod judge;
mod ladder;
pub mod model;
pub mod remedy;
pub mod rule;
pub mod said;
pub mod signature;
mod suggest;

pub use diagnose::{diagnose, diagnose_with};
pub use model::*;
pub use rule::{Rule, rules};

/// The version of the rules: this crate's, and a hash of its sources and
/// signatures. It moves whenever a verdict may; a verdict that was stored with
/// another one is worth judging again.
#[must_use]
pub fn rules_version() -> &'static str {
    concat!(env!("CARGO_PKG_VERSION"), "-", env!("WSS_RULES_HASH"))
}
