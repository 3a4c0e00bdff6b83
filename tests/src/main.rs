//! `wss-lab`: for development. `cargo demo` runs `wss-lab demo`.
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "this is the program's screen")]

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use wss_lab::bench::{self, Options, Show};
use wss_lab::generate::Like;

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
    /// Run the network of the demo until Ctrl-C, to try things by hand
    Serve,
    /// Run every scenario, and print the confusion matrix
    Scenarios {
        /// The folder that they are in
        #[arg(default_value = "tests/scenarios")]
        root: std::path::PathBuf,
    },
    /// Time the collector beside curl and beside a script, on paths with a delay
    Bench {
        /// Round trips of the paths, in milliseconds
        #[arg(long, value_name = "MS", value_delimiter = ',', default_value = "0,20,50,150")]
        round_trips: Vec<u64>,
        /// Runs of each
        #[arg(long, value_name = "N", default_value_t = 7)]
        runs: usize,
        /// Only cases whose names contain this
        #[arg(long, value_name = "TEXT", default_value = "")]
        case: String,
        /// Draw where the time of one run of each case goes, instead
        #[arg(long)]
        diagrams: bool,
        /// Show round trips, connections and requests of one run of each case, instead
        #[arg(long, conflicts_with = "diagrams")]
        counts: bool,
    },
    /// Write realistic bundles, with planted trends, for tests and benchmarks
    Generate {
        /// How many
        #[arg(long, value_name = "N")]
        count: usize,
        /// The same seed gives the same bundles
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// Bytes of the pages that devices answer with; as in the lab when not given
        #[arg(long, value_name = "BYTES")]
        page_bytes: Option<usize>,
        /// As large as the field's: a HAR, pasted output of curl, configurations, block pages
        #[arg(long, conflicts_with = "page_bytes")]
        rich: bool,
        /// An empty folder
        #[arg(long, value_name = "DIR")]
        out: std::path::PathBuf,
    },
    /// Fill a store with the verdicts of so many bundles, without the bundles
    Fill {
        /// How many
        #[arg(long, value_name = "N")]
        count: usize,
        /// The same seed gives the same rows
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// The store's folder
        #[arg(long, value_name = "DIR")]
        store: std::path::PathBuf,
    },
    /// Inflate every entry of a folder's bundles with libdeflate, and check its sum
    Floor {
        /// The folder
        folder: std::path::PathBuf,
        /// How often; nought reads the files alone
        #[arg(long, value_name = "N", default_value_t = 1)]
        times: usize,
    },
    /// Run cases of the field, and show what was said and what is wrong with it
    Field {
        /// Their folders; several, or the folder of all (`tests/field`)
        #[arg(required = true)]
        folders: Vec<std::path::PathBuf>,
        /// Only what is wrong, in a line
        #[arg(long)]
        brief: bool,
        /// Cases at a time
        #[arg(long, value_name = "N", default_value_t = 1)]
        jobs: usize,
        /// Run each live case so many times at the least
        #[arg(long, value_name = "N", default_value_t = 1)]
        times: u32,
        /// Draw what was answered against what is true, at the end
        #[arg(long)]
        matrix: bool,
        /// Add what is of no use to the recorded ones, and say what it changes
        #[arg(long, conflicts_with_all = ["brief", "jobs", "times", "matrix"])]
        useless: bool,
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
        Command::Bench { round_trips, runs, case, diagrams, counts } => {
            let show = match (diagrams, counts) {
                (true, _) => Show::Diagrams,
                (_, true) => Show::Counts,
                _ => Show::Times,
            };
            bench::run(&Options { round_trips_ms: round_trips, runs, case, show })
        }
        Command::Serve => wss_lab::demo::serve(),
        Command::Scenarios { root } => scenarios(&root),
        Command::Generate { count, seed, page_bytes, rich, out } => {
            let like = match page_bytes {
                _ if rich => Like::Field,
                Some(bytes) => Like::Pages(bytes),
                None => Like::Lab,
            };
            generate(count, seed, like, &out)
        }
        Command::Fill { count, seed, store } => wss_lab::generate::fill(&store, count, seed),
        Command::Floor { folder, times } => {
            wss_lab::floor::inflate(&folder, times).map(|bytes| println!("{bytes} bytes"))
        }
        Command::Field { folders, useless: true, .. } => useless(&folders),
        Command::Field { folders, brief, jobs, times, matrix, .. } => {
            field(&folders, brief, jobs, times, matrix)
        }
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

fn generate(count: usize, seed: u64, like: Like, out: &std::path::Path) -> Result<(), String> {
    let written = wss_lab::generate::generate_with(count, seed, like, out)?;
    let wss_lab::generate::Written { bundles, copies, bad } = written;
    println!("{bundles} bundles, {copies} of them twice, and {bad} files that are none");
    Ok(())
}

fn record(outcome: &wss_lab::scenario::Outcome, to: &std::path::Path) -> Result<(), String> {
    use wss_bundle::redact::Redactor;
    use wss_report::{Case, html};
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
    let complaints = outcome.complaints();
    for complaint in &complaints {
        println!("{complaint}");
    }
    if !complaints.is_empty() {
        return Err(format!("{} of what was expected is otherwise", complaints.len()));
    }
    Ok(())
}

fn cases(folders: &[std::path::PathBuf]) -> Result<Vec<wss_lab::field::Case>, String> {
    let mut cases = Vec::new();
    for folder in folders {
        cases.extend(match folder.join("case.toml").is_file() {
            true => wss_lab::field::Case::read(folder)?,
            false => wss_lab::field::Case::below(folder)?,
        });
    }
    Ok(cases)
}

fn useless(folders: &[std::path::PathBuf]) -> Result<(), String> {
    use wss_lab::field::property::{Probed, complaints};
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let (mut probed, mut wrong) = (Probed::default(), 0);
    for case in cases(folders)? {
        for complaint in runtime.block_on(complaints(&case, &mut probed))? {
            wrong += 1;
            println!("{}: {complaint}", case.name);
        }
    }
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} complaints")) }
}

fn field(
    folders: &[std::path::PathBuf],
    brief: bool,
    jobs: usize,
    times: u32,
    draw: bool,
) -> Result<(), String> {
    let mut cases = cases(folders)?;
    cases.iter_mut().for_each(|case| case.at_least(times));
    let matrix = std::sync::Mutex::new(wss_lab::field::matrix::Matrix::default());
    let wrong = std::sync::atomic::AtomicUsize::new(0);
    let all = cases.len();
    wss_lab::field::each(cases, jobs, |case, outcome, took_s| {
        if let Ok(mut matrix) = matrix.lock() {
            match &outcome {
                Ok(outcome) => matrix.add(case, &outcome.answered),
                Err(_) => matrix.fail(case),
            }
        }
        let (text, complaints) = match outcome {
            Ok(outcome) => (outcome.text(), outcome.complaints),
            Err(error) => (String::new(), vec![format!("ERROR {error}")]),
        };
        if !complaints.is_empty() {
            wrong.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        let right = if complaints.is_empty() { "right" } else { "WRONG" };
        match brief {
            true => println!("{right} {} ({took_s:.1} s) {}", case.name, complaints.join(" | ")),
            false => println!("{text}\n── {right} {}\n{}", case.name, complaints.join("\n")),
        }
    })?;
    if draw && let Ok(matrix) = matrix.into_inner() {
        println!("\n{}", matrix.markdown());
    }
    match wrong.into_inner() {
        0 => Ok(()),
        wrong => Err(format!("{wrong} of {all} are not right")),
    }
}

fn scenarios(root: &std::path::Path) -> Result<(), String> {
    let summary = wss_lab::scenario::summary::Summary::of(root)?;
    println!("{}", summary.text(root)?);
    match summary.not_right() {
        0 => Ok(()),
        count => Err(format!("{count} are not right")),
    }
}
