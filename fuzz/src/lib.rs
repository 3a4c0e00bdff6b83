//! The entry points that are fuzzed. The suite runs the same ones
//! (`tests/tests/fuzz.rs`), by their corpora and by seeded mutations.

pub mod targets;
