//! What only a person knows, asked on a terminal while probes run.

use super::err;
use crate::cli::resolve::Job;
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use wss_bundle::Vantage;

/// How long an unanswered question keeps the bundle waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether there is somebody to ask, and something.
pub(super) fn wanted(job: &Job) -> bool {
    job.vantage.is_none()
        && !job.no_input
        && !job.json
        && std::io::stdin().is_terminal()
        && std::io::stderr().is_terminal()
}

/// Asks on which side this machine is. No answer means inside.
pub(super) async fn vantage(mut cancel: watch::Receiver<bool>) -> Vantage {
    err("Is this machine inside the corporate network, where the browser is? [Y/n] ");
    let _ = std::io::stderr().flush();
    let (answer, answered) = oneshot::channel();
    // A thread of its own: a read that never ends must not keep the program.
    std::thread::spawn(move || {
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).is_ok() {
            let _ = answer.send(line);
        }
    });
    let line = tokio::select! {
        line = answered => line.unwrap_or_default(),
        _ = cancel.wait_for(|stop| *stop) => {
            err("\n");
            String::new()
        }
        () = tokio::time::sleep(PATIENCE) => {
            err("\nno answer: taken as inside\n");
            String::new()
        }
    };
    understood(&line)
}

fn understood(line: &str) -> Vantage {
    match line.trim().to_ascii_lowercase().as_str() {
        "n" | "no" | "o" | "out" | "outside" => Vantage::Outside,
        _ => Vantage::Inside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        for line in ["", "\n", "y\n", "Yes", "inside"] {
            assert_eq!(understood(line), Vantage::Inside, "{line:?}");
        }
        for line in ["n\n", "No\r\n", "outside"] {
            assert_eq!(understood(line), Vantage::Outside, "{line:?}");
        }
    }
}
