//! The report and the commands, from outside.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod answers;
mod commands;
mod fixture;
mod hostile;
mod page;
mod parse;
mod reader;
mod reply;
mod rows;
mod templates;
