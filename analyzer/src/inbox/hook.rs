//! The command that is run for each case (`--on-case`), so that any ticket system can be
//! told. What it needs to know stands in its environment; nothing of a bundle is a part
//! of the command.

use super::case::Place;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wss_report::Case;

/// The longest that a command may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It ended well.
    Done,
    /// It did not, and why.
    Failed(String),
}

/// Runs it, by the system's shell.
pub(super) fn run(command: &str, place: &Place, case: &Case<'_>, bundles: &[String]) -> Told {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let verdict = &case.diagnosis.verdict;
    let mut run = Command::new(shell);
    run.arg(flag).arg(command).stdin(Stdio::null()).stdout(Stdio::null());
    for (name, value) in [
        ("WSS_CASE", case.diagnosis.case.id.as_str()),
        ("WSS_TARGET", &case.diagnosis.case.target),
        ("WSS_TICKETS", &case.tickets().join("\n")),
        ("WSS_STATUS", verdict.status.slug()),
        ("WSS_CAUSE", verdict.cause.slug()),
        ("WSS_LOCATION", verdict.location.slug()),
        ("WSS_CONFIDENCE", verdict.confidence.slug()),
        ("WSS_SUMMARY", &verdict.summary),
        ("WSS_BUNDLES", &bundles.join("\n")),
    ] {
        // What no environment may hold; it comes from a file.
        run.env(name, value.replace('\0', ""));
    }
    for (name, file) in
        [("WSS_REPORT", "report.html"), ("WSS_REPLY", "reply.md"), ("WSS_JSON", "report.json")]
    {
        run.env(name, place.file(file));
    }
    let mut child = match run.spawn() {
        Ok(child) => child,
        Err(error) => return Told::Failed(format!("--on-case: {shell} cannot be run: {error}")),
    };
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Told::Done,
            Ok(Some(status)) => return Told::Failed(format!("--on-case ended with {status}")),
            Ok(None) if began.elapsed() < PATIENCE => std::thread::sleep(LOOK),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                let s = PATIENCE.as_secs();
                return Told::Failed(format!("--on-case did not end in {s} s, and was ended"));
            }
            Err(error) => return Told::Failed(format!("--on-case: {error}")),
        }
    }
}
