//! The judgement: a pure function from bundles to a diagnosis.
//!
//! No sockets, no files, no clock, no randomness: the same bundles give the
//! same bytes, on the customer's terminal and in a report made years later.
//!
//! [`diagnose`] derives [`evidence`], asks every [`rule`], and answers with the
//! contract's JSON ([`model`]).

mod changes;
mod checklist;
mod device;
mod diagnose;
pub mod evidence;
mod idle;
mod ladder;
pub mod model;
pub mod remedy;
pub mod rule;
pub mod signature;

pub use diagnose::{diagnose, diagnose_with};
pub use model::*;
pub use rule::{Rule, rules};
