//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const AFTER: &str = "\
Exit codes: 0 done, whatever the verdict; 1 some inputs were bad (listed on standard
error), the rest done; 2 nothing done. With --check: 3 when the verdict is not working.";

const AFTER_INBOX: &str = "\
Each case gets a folder CASE-HOST with report.html, reply.md and report.json; case.json says of
which bundles. Whoever is killed leaves them as they were, and the next pass does what is missing.

--on-case is run by the shell, with WSS_CASE, WSS_TICKETS, WSS_TARGET, WSS_STATUS, WSS_CAUSE,
WSS_LOCATION, WSS_CONFIDENCE, WSS_SUMMARY, WSS_REPORT, WSS_REPLY, WSS_JSON and WSS_BUNDLES (a line
each) in its environment. It is run again with the next pass when it fails; after a crash it may be
run a second time.

Exit codes: 0 done, whatever the verdict; 1 some inputs were bad, or a command failed, the rest
done; 2 nothing done.

Example:
  wss-analyzer inbox /srv/bundles --to /srv/reports --on-case 'notify \"$WSS_TICKETS\" \"$WSS_REPLY\"'";

/// Turn bundles of wss-collector into a verdict and a report.
#[derive(Debug, Parser)]
#[command(name = "wss-analyzer", version, about, after_help = AFTER, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge the bundles of one case, and write a report
    #[command(after_help = AFTER)]
    Report(ReportArgs),
    /// Judge bundles, and print rows as NDJSON, for any engine (docs/tables.md)
    #[command(after_help = AFTER)]
    Rows(RowsArgs),
    /// Take bundles into a store, and draw what they come to: trends.html
    #[command(after_help = AFTER)]
    Trends(TrendsArgs),
    /// Take in the bundles that arrive in a folder or bucket: a report, a draft reply and JSON
    /// for each case, drawn anew when another bundle of it comes
    #[command(after_help = AFTER_INBOX)]
    Inbox(InboxArgs),
    /// Query a store; tables bundles, findings, devices, layers, holds, bad (docs/tables.md)
    Sql(SqlArgs),
    /// Check a bundle's integrity and safety, and nothing else
    Verify {
        /// The bundle; `-` is standard input
        bundle: PathBuf,
        /// File with the private key that opens an encrypted bundle (.zip.age)
        #[arg(long, value_name = "FILE")]
        identity: Option<PathBuf>,
    },
    /// Say what a rule looks for, why, and the remedy; without a rule, list them
    Explain {
        /// Id of a rule, or a cause
        rule: Option<String>,
    },
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or that of a command
    Man {
        /// Which command; without it, the program's own page
        command: Option<String>,
    },
}

/// Options of a report.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Bundles of one case: inside, outside, before, after; `-` is standard input
    #[arg(required = true, value_name = "BUNDLE")]
    pub bundles: Vec<PathBuf>,
    /// Where it goes; `-` is standard output. HTML goes to report.html, and
    /// overwrites it; the others to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What is written
    #[arg(long, value_enum, default_value = "html")]
    pub format: Format,
    /// File with the private key that opens encrypted bundles (.zip.age), as
    /// age-keygen writes it
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Folder with signatures of more devices (*.toml)
    #[arg(long, value_name = "DIR")]
    pub signatures: Option<PathBuf>,
    /// Folder with templates of your own, by the names of the built-in ones, and
    /// logo.svg or logo.png
    #[arg(long, value_name = "DIR")]
    pub template: Option<PathBuf>,
    /// Exit with 3 when the verdict is not `working`
    #[arg(long)]
    pub check: bool,
    /// Open the report in the browser
    #[arg(long)]
    pub open: bool,
}

/// What rows are made of.
#[derive(Debug, Args)]
pub struct RowsArgs {
    /// Bundles, folders, buckets (s3://, gs://, az://), or `-` for a tar stream on standard input
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// File with the private key for encrypted bundles (`.zip.age`)
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
}

/// Options of trends.
#[derive(Debug, Args)]
pub struct TrendsArgs {
    /// Bundles, folders and buckets (s3://, gs://, az://); without any, the page of what is in the store
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Folder of the store (wss.db in it); made where it is missing
    #[arg(long, value_name = "DIR", default_value = "./wss-store")]
    pub store: PathBuf,
    /// Where the page goes; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "trends.html")]
    pub output: PathBuf,
    /// Judge again what older rules have judged, from what the store keeps
    #[arg(long)]
    pub rejudge: bool,
    /// Draw the page from query results computed elsewhere (docs/fleet.md)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "rejudge"])]
    pub results: Option<PathBuf>,
    /// File with the private key that opens encrypted bundles (.zip.age)
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Folder with templates of your own, by the names of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub template: Option<PathBuf>,
}

/// Options of an inbox.
#[derive(Debug, Args)]
pub struct InboxArgs {
    /// Folder or bucket (s3://, gs://, az://) in which bundles arrive
    #[arg(value_name = "SOURCE")]
    pub source: PathBuf,
    /// Where the folders of the cases go [default: into SOURCE, where that is a folder]
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Folder of the store for trends; made where it is missing
    #[arg(long, value_name = "DIR", default_value = "./wss-store")]
    pub store: PathBuf,
    /// Command to run for each case that was drawn; see below
    #[arg(long, value_name = "COMMAND")]
    pub on_case: Option<String>,
    /// Go on looking; without it, one pass (for cron)
    #[arg(long)]
    pub follow: bool,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value = "10", requires = "follow", value_parser = clap::value_parser!(u64).range(1..=86400))]
    pub every: u64,
    /// File with the private key that opens encrypted bundles (.zip.age)
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Folder with templates of your own, by the names of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub template: Option<PathBuf>,
}

/// Options of sql.
#[derive(Debug, Args)]
pub struct SqlArgs {
    /// Folder of the store
    #[arg(long, value_name = "DIR", default_value = "./wss-store")]
    pub store: PathBuf,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "table")]
    pub format: SqlFormat,
    /// A query, in SQLite's SQL
    #[arg(value_name = "QUERY", allow_hyphen_values = true)]
    pub query: String,
}

/// What an answer is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SqlFormat {
    /// For people
    Table,
    /// RFC 4180; texts that a spreadsheet would run have an apostrophe before them
    Csv,
    /// An array of objects
    Json,
}

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One self-contained page
    Html,
    /// The verdict, for scripts
    Json,
    /// A draft reply to the customer
    Markdown,
    /// What mends the configurations that were given, as unified diffs for `patch -p1`
    Patch,
}
