//! `wss-analyzer`: see `--help`.

use clap::Parser;
use std::process::ExitCode;
use wss_analyzer::cli::{Cli, Command};
use wss_analyzer::command::{explain, extra, inbox, report, rows, sql, trends, verify};

/// Bundles are made of many short texts, which the system's allocator is slow at
/// (musl's above all).
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(match Cli::parse().command {
        Command::Report(args) => report::report(&args),
        Command::Rows(args) => rows::rows(&args),
        Command::Trends(args) => trends::trends(&args),
        Command::Inbox(args) => inbox::inbox(&args),
        Command::Sql(args) => sql::sql(&args),
        Command::Verify { bundle, identity } => verify::verify(&bundle, identity.as_deref()),
        Command::Explain { rule } => explain::explain(rule.as_deref()),
        Command::Completions { shell } => extra::completions(shell),
        Command::Man { command } => extra::man(command.as_deref()),
    })
}
