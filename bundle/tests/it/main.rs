//! Bundles written and read, healthy and hostile.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod fixture;
mod hostile;
mod obfuscate;
mod round_trip;
mod secrets;
mod size;
mod transcripts;
