//! Ctrl-C and SIGTERM: the first stops probing, the second gives up, at any
//! time until the program ends (also while a slow disk takes the bundle).

use super::{GIVEN_UP, err};
use tokio::sync::watch;

/// What is said after the first.
pub(super) const STOPPING: &str = "stopping; the bundle is still written (Ctrl-C again gives up)";

/// Waits for signals as long as the program runs.
pub(super) async fn watch(stop: watch::Sender<bool>) {
    let Some(mut signals) = Signals::new() else {
        // The sender stays: its end would be taken for a stop.
        return std::future::pending().await;
    };
    signals.next().await;
    let _ = stop.send(true);
    signals.next().await;
    err("\ngiven up\n");
    std::process::exit(GIVEN_UP);
}

/// Both signals. Made once, so that none is lost between the first and the second.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> Option<Self> {
        tokio::signal::windows::ctrl_c().ok().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
