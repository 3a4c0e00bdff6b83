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
    /// Run every scenario, and print the confusion matrix
    Scenarios {
        /// The folder that they are in
        #[arg(default_value = "tests/scenarios")]
        root: std::path::PathBuf,
    },
    /// Run one scenario, and show what was seen and judged
    Scenario {
        /// Its folder
        folder: std::path::PathBuf,
        /// Write its bundles and its report into this folder
        #[arg(long, value_name = "DIR")]
        record: Option<std::path::PathBuf>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo => wss_lab::demo::run(),
        Command::Scenarios { root } => scenarios(&root),
        Command::Scenario { folder, record } => scenario(&folder, record.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn record(outcome: &wss_lab::scenario::Outcome, to: &std::path::Path) -> Result<(), String> {
    use wss_analyzer::report::{Case, html};
    use wss_bundle::redact::Redactor;
    std::fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    for bundle in &outcome.bundles {
        let path = to.join(format!("{}.zip", bundle.manifest.vantage.as_str()));
        wss_bundle::write::file(&Redactor::new().bundle(bundle.clone()), &path, true)
            .map_err(|error| error.to_string())?;
    }
    let page = html::render(&Case::new(&outcome.diagnosis, &outcome.bundles))?;
    let path = to.join("report.html");
    std::fs::write(&path, page).map_err(|error| format!("{}: {error}", path.display()))
}

fn scenario(folder: &std::path::Path, to: Option<&std::path::Path>) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let outcome = runtime.block_on(wss_lab::scenario::run(folder))?;
    if let Some(to) = to {
        record(&outcome, to)?;
    }
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

/// Expected causes down, judged ones across; what is right stands on the diagonal.
fn scenarios(root: &std::path::Path) -> Result<(), String> {
    use std::collections::BTreeMap;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let mut matrix: BTreeMap<(String, String), u32> = BTreeMap::new();
    let (mut right, mut sure_and_wrong, mut all, mut real) = (0, 0, 0, 0);
    for folder in wss_lab::scenario::all(root)? {
        let outcome = runtime.block_on(wss_lab::scenario::run(&folder))?;
        let (expected, verdict) = (&outcome.scenario.expect, &outcome.diagnosis.verdict);
        *matrix.entry((expected.cause.clone(), verdict.cause.slug().to_owned())).or_default() += 1;
        all += 1;
        real += u32::from(outcome.scenario.front.is_some() || outcome.scenario.via.is_some());
        let complaints = outcome.complaints();
        right += u32::from(complaints.is_empty());
        let wrong = expected.cause != verdict.cause.slug();
        sure_and_wrong += u32::from(wrong && verdict.confidence == wss_diagnosis::Confidence::High);
        for complaint in complaints {
            println!("{}: {complaint}", folder.display());
        }
    }
    println!("{:28} {:28} {:>5}", "expected", "judged", "cases");
    for ((expected, judged), count) in &matrix {
        let mark = if expected == judged { "" } else { "  WRONG" };
        println!("{expected:28} {judged:28} {count:>5}{mark}");
    }
    println!(
        "{all} scenarios, {real} with real servers: {right} right, {sure_and_wrong} sure and wrong"
    );
    if right == all { Ok(()) } else { Err(format!("{} are not right", all - right)) }
}
