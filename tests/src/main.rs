//! `wss-lab`: for development. `cargo demo` runs `wss-lab demo`.
#![allow(clippy::print_stderr, reason = "this is the program's screen")]

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The lab of wss-support.
#[derive(Debug, Parser)]
#[command(name = "wss-lab", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Collect inside and outside of a small lab network, and write the report
    Demo,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Demo => match wss_lab::demo::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
    }
}
