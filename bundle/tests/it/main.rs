//! Bundles written and read, healthy and hostile.

mod fixture;
mod hostile;
mod round_trip;
mod secrets;
mod transcripts;
