//! Cases written by hand, one for each cause and more for those that resemble
//! each other, with what an expert would say. What real servers do is checked
//! by the lab's scenarios; here it is the judgement alone.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod abstain;
mod answers;
mod browser;
mod cases;
mod commands;
mod configuration;
mod docs;
mod fixture;
mod holds;
mod invariants;
mod likeness;
mod obfuscated;
mod origin;
mod pairing;
mod pasted;
mod proxies;
mod repeat;
mod said;
mod silence;
