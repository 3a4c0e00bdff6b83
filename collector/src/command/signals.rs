//! Ctrl-C, SIGTERM, and a terminal that is closed (SIGHUP): the first stops probing, the second gives up, at any
//! time until the program ends (also while a slow disk takes the bundle).

use super::partial::Place;
use super::{GIVEN_UP, err};
use crate::screen::safe;
use tokio::sync::watch;

/// Waits for signals as long as the program runs.
pub(super) async fn watch(stop: watch::Sender<bool>, partial: Place) {
    let Some(mut signals) = Signals::new() else {
        // The sender stays: its end would be taken for a stop.
        return std::future::pending().await;
    };
    signals.next().await;
    let _ = stop.send(true);
    signals.next().await;
    match partial.get() {
        Some(path) => {
            let path = safe(&path.display().to_string());
            err(&format!("\ngiven up; what was gathered until then is in {path}\n"));
        }
        None => err("\ngiven up\n"),
    }
    std::process::exit(GIVEN_UP);
}

/// All signals. Made once, so that none is lost between the first and the second.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// `None` where it is to be ignored, as `nohup` has it.
    closed: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
            closed: (!is_hangup_ignored()).then(|| signal(SignalKind::hangup()).ok()).flatten(),
        })
    }

    async fn next(&mut self) {
        let closed = async {
            match &mut self.closed {
                Some(closed) => closed.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = closed => {}
        }
    }
}

/// Whether whoever started this wants it to outlive the terminal. Where that
/// cannot be told, a closed terminal ends it as it ends any program, and what
/// was gathered stays in the partial file.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is 1, and so the lowest bit (proc(5)).
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 != 0)
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
