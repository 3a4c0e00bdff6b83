//! `wss-lab`: for development. `cargo demo` runs `wss-lab demo`.
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "this is the program's screen")]

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
    /// Run one scenario, and show what was seen and judged
    Scenario {
        /// Its folder
        folder: std::path::PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo => wss_lab::demo::run(),
        Command::Scenario { folder } => scenario(&folder),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn scenario(folder: &std::path::Path) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let outcome = runtime.block_on(wss_lab::scenario::run(folder))?;
    println!("{}", outcome.scenario.about);
    for bundle in &outcome.bundles {
        println!("\n{}", bundle.manifest.vantage.as_str());
        for o in &bundle.observations.observations {
            let step = serde_json::to_string(&o.step).unwrap_or_default();
            let step: String = step.chars().take(700).collect();
            println!("{} {} {} {:?} {step}", o.id, o.probe, o.route, o.path);
        }
    }
    let json = serde_json::to_string_pretty(&outcome.diagnosis.verdict).unwrap_or_default();
    println!("\n{json}");
    for complaint in outcome.complaints() {
        println!("{complaint}");
    }
    Ok(())
}
