//! The command line: its options (curl's names where curl has the option), and
//! what they mean. Whatever is wrong with them is said in one sentence, before
//! anything is contacted.

pub mod given;
pub mod parse;
pub mod probing;
pub mod resolve;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;
use wss_bundle::Vantage;

const AFTER: &str = "\
Exit codes: 0 bundle written and WebSocket works; 1 bundle written and it does not;
2 no bundle: bad arguments, or it could not be written. Ctrl-C stops probing and
still writes the bundle; a second Ctrl-C gives up (130).

Example:
  wss-collector bindplane.corp.com
  wss-collector --vantage outside --case K7QF-2M9D bindplane.corp.com";

/// Find out which hop breaks a WebSocket, and put the evidence in one zip.
#[derive(Debug, Parser)]
#[command(
    name = "wss-collector",
    version,
    about,
    after_help = AFTER,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What to do other than collect.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of a collection.
    #[command(flatten)]
    pub collect: CollectArgs,
}

/// What to do other than collect.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say whether a console can be reached as expected, before it is used: pass or fail
    #[command(after_help = probing::AFTER_CHECK)]
    Check(Box<probing::CheckArgs>),
    /// Watch a console: rounds on a schedule, and a connection that is held; when it broke,
    /// why, and for how long
    #[command(after_help = probing::AFTER_WATCH)]
    Watch(Box<probing::WatchArgs>),
    /// Show what is in a bundle, and what was removed from it
    Inspect {
        /// The bundle
        bundle: PathBuf,
        /// File with the private key that opens an encrypted bundle (.zip.age)
        #[arg(long, value_name = "FILE")]
        identity: Option<PathBuf>,
    },
    /// Send a bundle to a URL that you were given for it: HTTP PUT, or a form
    #[command(after_help = AFTER_UPLOAD)]
    Upload(UploadArgs),
    /// Print the read-only commands that give a load balancer's own configuration
    ConfigCommands {
        /// Whose: nginx, haproxy, apache, caddy … [default: the devices in the newest bundle here]
        device: Option<String>,
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
    /// Runs a PAC script for the collector itself, in a process of its own
    #[command(name = crate::proxy::pac::load::WORKER, hide = true)]
    PacWorker,
}

const AFTER_UPLOAD: &str = "\
Exit codes: 0 it arrived, and the server said so; 1 it did not, or nobody can tell;
2 bad arguments, or no valid bundle: nothing was sent.

Example:
  wss-collector upload wss-host-inside.zip --to 'https://bucket.example/key?signature=...'";

/// Options of an upload.
#[derive(Debug, Args)]
pub struct UploadArgs {
    /// The bundle
    pub bundle: PathBuf,
    /// Where to: a presigned URL. Its query is never shown
    #[arg(long, value_name = "URL", required = true)]
    pub to: String,
    /// POST it as this field of a form, instead of PUT
    #[arg(long, value_name = "FIELD")]
    pub form: Option<String>,
    /// Another field of that form (repeatable)
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub fields: Vec<String>,
    /// Send a bundle that is damaged or was changed
    #[arg(long)]
    pub force: bool,
    /// How often to try again, with growing pauses
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u32).range(0..=20))]
    pub retries: u32,
    /// How long nothing may move
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse::timeout)]
    pub timeout: Duration,
    /// The result as JSON on standard output
    #[arg(long)]
    pub json: bool,

    /// Proxy, as curl's -x; `-x ''` uses none. Without it the way that worked in the
    /// bundle is tried first, then this machine's settings
    #[arg(short = 'x', long, value_name = "URL", help_heading = "Network (as curl's)")]
    pub proxy: Option<String>,
    /// Hosts that go without a proxy, as curl's; `*` is all
    #[arg(long, value_name = "LIST", help_heading = "Network (as curl's)")]
    pub noproxy: Option<String>,
    /// Certificate authorities to trust besides the system's (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Network (as curl's)")]
    pub cacert: Option<PathBuf>,
    /// Use these addresses for a host and port (repeatable)
    #[arg(long, value_name = "HOST:PORT:ADDR[,ADDR]", value_parser = parse::resolve, help_heading = "Network (as curl's)")]
    pub resolve: Vec<crate::config::ResolveOverride>,
    /// Header of the request (repeatable)
    #[arg(short = 'H', long = "header", value_name = "LINE", help_heading = "Network (as curl's)")]
    pub headers: Vec<String>,
}

/// Options of a collection.
#[derive(Debug, Default, Args)]
pub struct CollectArgs {
    /// host, host:port, or an https://, wss://, http://, ws:// URL
    #[arg(value_name = "TARGET", required = true)]
    pub target: Option<String>,

    /// Where the bundle goes; `-` is standard output
    /// [default: wss-HOST-VANTAGE-TIME.zip here]
    #[arg(short, long, value_name = "FILE", help_heading = "Bundle")]
    pub output: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long, help_heading = "Bundle")]
    pub force: bool,
    /// Encrypt the bundle to an age public key (age1...), or to those in @FILE
    /// (repeatable); the default name then ends in .zip.age
    #[arg(long, value_name = "RECIPIENT", help_heading = "Bundle")]
    pub encrypt_to: Vec<String>,
    /// Replace host names and addresses by tokens, everywhere in the bundle; which is which
    /// stays in a file beside it. With =FILE the tokens of an earlier run are used on
    #[arg(
        long, value_name = "FILE", num_args = 0..=1, require_equals = true,
        default_missing_value = "", help_heading = "Bundle"
    )]
    pub obfuscate: Option<String>,
    /// Which side of the corporate network this machine is on [default: asked, or inside]
    #[arg(long, value_name = "inside|outside", value_parser = parse::vantage, help_heading = "Bundle")]
    pub vantage: Option<Vantage>,
    /// Ties bundles of one problem together [default: made up]
    #[arg(long, value_name = "ID", value_parser = parse::case, help_heading = "Bundle")]
    pub case: Option<String>,
    /// The ticket that this belongs to: stands in the bundle, its name and the report
    #[arg(long, value_name = "ID", value_parser = parse::ticket, help_heading = "Bundle")]
    pub ticket: Option<String>,
    /// Proxy or load balancer in front of Bindplane, and its version, where you know it
    #[arg(long, value_name = "TEXT", help_heading = "Bundle")]
    pub lb: Option<String>,
    /// What lies between browser and server: VPN, proxy, load balancer
    #[arg(long, value_name = "TEXT", help_heading = "Bundle")]
    pub network_path: Option<String>,
    /// Look for the processes of known security agents (Zscaler, Netskope, WARP, Umbrella …),
    /// by a list; of no other process anything is kept
    #[arg(long, help_heading = "Bundle")]
    pub agents: bool,
    /// A load balancer's configuration to include and check (nginx, HAProxy, Apache, Caddy, Envoy …;
    /// `config-commands` prints how to get it), with what it includes from its own folder
    /// (repeatable)
    #[arg(long = "config", value_name = "FILE", help_heading = "Bundle")]
    pub configurations: Vec<PathBuf>,

    /// Also try from a real browser (Chrome, Chromium, Edge, Firefox), headless, in a
    /// throw-away profile; without PATH the first that is installed
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "", help_heading = "Browser")]
    pub browser: Option<String>,
    /// A HAR export of the browser's developer tools: its WebSocket handshakes go in the
    /// bundle, without secrets, and are tried from here, too (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Browser")]
    pub har: Vec<PathBuf>,
    /// What the browser's console said
    #[arg(long, value_name = "TEXT", help_heading = "Browser")]
    pub browser_message: Option<String>,
    /// Output of the page's curl command, run elsewhere: outside=FILE or inside=FILE
    /// (repeatable)
    #[arg(long, value_name = "VANTAGE=FILE", value_parser = parse::curl_output, help_heading = "Bundle")]
    pub curl_output: Vec<(Vantage, PathBuf)>,

    /// WebSocket path to try (repeatable) [default: /v1/ws, /v1/graphql, /v1/opamp]
    #[arg(long = "path", value_name = "PATH", value_parser = parse::path, help_heading = "Probing")]
    pub paths: Vec<String>,
    /// The most that one step may take
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse::timeout, help_heading = "Probing")]
    pub timeout: Duration,
    /// How long to hold upgraded connections, silent ones and one that pings; 0 skips
    #[arg(long, value_name = "DURATION", default_value = "75s", value_parser = parse::duration, help_heading = "Probing")]
    pub hold: Duration,
    /// Print what would be contacted and gathered; contact nothing
    #[arg(long, help_heading = "Probing")]
    pub dry_run: bool,

    /// How to get there.
    #[command(flatten)]
    pub network: NetworkArgs,

    /// Never ask; implied when standard input is no terminal
    #[arg(long, help_heading = "Output")]
    pub no_input: bool,
    /// The verdict as JSON on standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// How to get to the target: curl's names, for every command that probes.
#[derive(Debug, Clone, Default, Args)]
pub struct NetworkArgs {
    /// Proxy instead of the environment's, as curl's -x; `-x ''` uses none
    #[arg(short = 'x', long, value_name = "URL", help_heading = "Network (as curl's)")]
    pub proxy: Option<String>,
    /// Hosts that go without a proxy, as curl's; `*` is all
    #[arg(long, value_name = "LIST", help_heading = "Network (as curl's)")]
    pub noproxy: Option<String>,
    /// Sign on to the proxy with your own Kerberos ticket, by this machine's curl, asked or
    /// not; without it, where the proxy asks and a ticket is there
    #[arg(long, help_heading = "Network (as curl's)")]
    pub proxy_negotiate: bool,
    /// Certificate authorities to trust besides the system's (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Network (as curl's)")]
    pub cacert: Option<PathBuf>,
    /// Client certificate (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Network (as curl's)")]
    pub cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM) [default: in the --cert file]
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "Network (as curl's)")]
    pub key: Option<PathBuf>,
    /// Use these addresses for a host and port (repeatable)
    #[arg(long, value_name = "HOST:PORT:ADDR[,ADDR]", value_parser = parse::resolve, help_heading = "Network (as curl's)")]
    pub resolve: Vec<crate::config::ResolveOverride>,
    /// Header for requests to the target (repeatable); its value never reaches the bundle
    #[arg(short = 'H', long = "header", value_name = "LINE", help_heading = "Network (as curl's)")]
    pub headers: Vec<String>,
    /// Credentials for the target; they never reach the bundle
    #[arg(short, long, value_name = "USER:PASSWORD", help_heading = "Network (as curl's)")]
    pub user: Option<String>,
    /// IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6", help_heading = "Network (as curl's)")]
    pub ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long, help_heading = "Network (as curl's)")]
    pub ipv6: bool,
}
