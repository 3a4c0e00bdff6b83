//! The judgement: a pure function from bundles to a diagnosis.
//!
//! No sockets, no files, no clock, no randomness: the same bundles give the
//! same bytes, on the customer's terminal and in a report made years later.

pub mod model;

pub use model::*;
