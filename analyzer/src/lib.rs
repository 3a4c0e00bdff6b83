//! The analyzer: bundles in, a verdict and a report out.
//!
//! `cli` understands the command line, `command` does what it says; a diagnosis
//! becomes HTML, JSON or Markdown by `wss-report`. For many bundles, `intake`
//! finds and reads them, `rows` makes verdicts flat, `store` keeps them, `trends`
//! draws what they come to, `inbox` does both for what arrives; `pool` works on all
//! cores. Judging is the diagnosis crate's; reading and checking bundles the bundle
//! crate's.

pub mod cli;
pub mod command;
pub mod files;
pub mod inbox;
pub mod intake;
pub mod pool;
pub mod rows;
pub mod store;
pub mod trends;
