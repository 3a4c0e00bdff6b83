//! Collector library.
pub mod config;
