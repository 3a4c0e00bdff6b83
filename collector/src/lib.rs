//! Collector library.
pub mod config;
pub mod net;
pub mod probe;
pub mod recorder;
pub mod run;
