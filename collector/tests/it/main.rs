//! The program as its users run it, against listeners on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod arguments;
mod configuration;
mod har;
mod manual;
mod obfuscate;
mod output;
#[cfg(target_os = "linux")]
mod pac;
mod server;
mod stopping;
#[cfg(target_os = "linux")]
mod terminal;
mod upload;
