//! The collector: probes, and the program around them.
//!
//! `cli` understands the command line, `proxy` and `environment` read this
//! machine's settings, `run` composes probes from steps (`probe`, `step`, over `wire`),
//! `command` puts it all together, and `screen` shows it.

pub mod browser;
pub mod cli;
pub mod command;
pub mod config;
pub mod configuration;
pub mod environment;
pub mod expect;
pub mod key;
pub mod metrics;
pub mod probe;
pub mod progress;
pub mod proxy;
pub mod recorder;
pub mod run;
pub mod screen;
pub mod step;
pub mod target;
pub mod wire;
