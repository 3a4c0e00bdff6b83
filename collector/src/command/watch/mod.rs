//! `watch`: rounds of the engine on a schedule, and one connection that is held as the
//! console holds its own. Says when something broke, why, and for how long; writes a bundle
//! when the verdict changes; tells monitoring.
//!
//! There is no second way to a verdict: when the held connection breaks, a round begins
//! that holds connections for longer than it lived, and the rules say what that shows.

mod held;
mod keep;
mod measure;
mod notice;
mod otlp;
mod round;
mod schedule;
mod seen;
mod serve;
mod watcher;

use super::{NO_BUNDLE, WORKS, err, fail, runtime, signals, warm};
use crate::cli::probing::WatchArgs;
use crate::cli::resolve::{self, job};
use crate::command::check::folder_takes_files;
use crate::command::store::folder_of;
use crate::screen::safe;
use crate::wire::tls::TlsSetup;
use otlp::Exporter;
use tokio::net::TcpListener;
use tokio::sync::watch;
use watcher::Watcher;

/// Watches until it is stopped; gives the exit code.
#[must_use]
pub fn watch(mut args: WatchArgs) -> u8 {
    // What is wrong with the options is said before anything is contacted.
    let first = match job(args.probe.collection(args.hold)) {
        Ok(job) => job,
        Err(message) => return fail(&message),
    };
    if let Err(message) = writable(&args) {
        return fail(&message);
    }
    // All bundles of one watch are one case.
    args.probe.case.get_or_insert(first.case.clone());
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(message) => return fail(&message),
    };
    for warning in &first.warnings {
        err(&format!("warning: {}\n", safe(warning)));
    }
    warm::up();
    let code = runtime.block_on(run(args, first));
    runtime.shutdown_background();
    code
}

async fn run(args: WatchArgs, first: resolve::Job) -> u8 {
    let client = args.otlp.as_deref().map(|url| {
        let tls = TlsSetup::new(&resolve::trust(args.probe.network.cacert.as_deref())?);
        Exporter::client(url, &args.otlp_headers, &tls)
    });
    let client = match client.transpose() {
        Ok(client) => client,
        Err(message) => return fail(&message),
    };
    let listener = match args.metrics_listen {
        None => None,
        Some(address) => match TcpListener::bind(address).await {
            Ok(listener) => Some(listener),
            Err(error) => return fail(&format!("--metrics-listen {address}: {error}")),
        },
    };
    let (stop, cancel) = watch::channel(false);
    tokio::spawn(signals::watch(stop, super::partial::Place::default()));
    let target = first.config.target.origin();
    let exporter = client.map(|client| Exporter::start(client, &target));
    let mut watcher = Watcher::new(args, &first, exporter, cancel);
    match watcher.begin(listener) {
        Ok(()) => {}
        Err(message) => return fail(&message),
    }
    watcher.run().await;
    if watcher.end().await { WORKS } else { NO_BUNDLE }
}

/// Says before probing what would go wrong after it.
fn writable(args: &WatchArgs) -> Result<(), String> {
    let folders = args.bundles.as_deref().into_iter();
    for folder in folders.chain(args.metrics_file.as_deref().map(folder_of)) {
        folder_takes_files(folder)?;
    }
    match &args.metrics_file {
        Some(path) if path.is_dir() => {
            Err(format!("--metrics-file: {} is a folder", path.display()))
        }
        _ => Ok(()),
    }
}
