//! What people hand over: recordings of browsers, output of curl, configurations,
//! console messages. Read here once, from bytes, for the collector's options and for
//! the page alike; of what there is, [`mod@bundle`] makes a bundle without a probe.
//!
//! Which files those are, and what includes of theirs are followed, is the collector's
//! to say; judging is the diagnosis'; removing secrets the redactor's.

pub mod bundle;
pub mod configuration;
pub mod curl;
pub mod har;
pub mod kind;
