//! The analyzer: bundles in, a verdict and a report out.
//!
//! `cli` understands the command line, `command` does what it says, `report`
//! turns a diagnosis into HTML, JSON or Markdown. Judging is the diagnosis
//! crate's; reading and checking bundles the bundle crate's.

pub mod cli;
pub mod command;
pub mod report;
