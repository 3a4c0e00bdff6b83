//! What only a person knows, asked on a terminal while probes run: three short
//! questions at most, each with what was found out so far as its default. And the
//! target, where the program was started by a double click.
//!
//! Only those that no option answers. Whoever gives `--vantage` has read the
//! manual, or pasted the command for the other side: nothing is asked then.

use super::err;
use super::so_far::SoFar;
use crate::cli::Cli;
use crate::cli::resolve::Job;
use crate::screen::safe;
use clap::Parser;
use clap::error::ErrorKind;
use std::io::{BufRead, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use wss_bundle::Vantage;
use wss_bundle::manifest::Answers;

/// How long an unanswered question keeps the bundle waiting. Nothing more is
/// asked after one.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer that is kept, in characters.
const LONGEST: usize = 400;

/// Whether there is somebody to ask, and something.
pub(super) fn wanted(job: &Job) -> bool {
    job.vantage.is_none() && !job.no_input && !job.json && somebody()
}

/// Whether a person sits at both ends.
fn somebody() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for the target where nothing at all was given, as by a double click; `None`
/// where that is not what is wrong, or nobody answers.
#[must_use]
pub fn target(error: &clap::Error) -> Option<Cli> {
    let alone = std::env::args_os().count() == 1;
    if error.kind() != ErrorKind::MissingRequiredArgument || !alone || !somebody() {
        return None;
    }
    err("Where is the Bindplane console? Its address, as in the browser: ");
    let _ = std::io::stderr().flush();
    let mut waiting = lines();
    let line = waiting.blocking_recv();
    put_back(waiting);
    let target = line.as_deref().map(str::trim).filter(|target| !target.is_empty())?;
    // What begins with a hyphen is no option.
    match Cli::try_parse_from(["wss-collector", "--", target]) {
        Ok(cli) => Some(cli),
        Err(error) => {
            let _ = super::misused(&error);
            None
        }
    }
}

/// Keeps the window that a double click opened, until somebody has read what it says.
pub fn before_closing() {
    // Elsewhere a double click opens no window that closes.
    if cfg!(windows) && somebody() {
        err("\nPress Enter to close this window. ");
        let _ = std::io::stderr().flush();
        let _ = lines().blocking_recv();
    }
}

/// The lines of standard input while nobody waits for one: it is read by one thread
/// for the whole program, since a read that began cannot be taken back.
static LINES: Mutex<Option<mpsc::UnboundedReceiver<String>>> = Mutex::new(None);

fn lines() -> mpsc::UnboundedReceiver<String> {
    if let Some(lines) = LINES.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return lines;
    }
    let (sender, lines) = mpsc::unbounded_channel();
    // A thread of its own: a read that never ends must not keep the program.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn put_back(lines: mpsc::UnboundedReceiver<String>) {
    *LINES.lock().unwrap_or_else(PoisonError::into_inner) = Some(lines);
}

/// The person at the terminal.
pub(super) struct Person {
    lines: mpsc::UnboundedReceiver<String>,
    cancel: watch::Receiver<bool>,
    /// Answered the last question, if only by Enter.
    there: bool,
}

impl Person {
    /// Begins to listen.
    pub(super) fn new(cancel: watch::Receiver<bool>) -> Self {
        Self { lines: lines(), cancel, there: true }
    }

    /// Asks; `None` when no answer came.
    async fn ask(&mut self, question: &str) -> Option<String> {
        if !self.there {
            return None;
        }
        err(question);
        let _ = std::io::stderr().flush();
        let cancel = &mut self.cancel;
        tokio::select! {
            line = self.lines.recv() => match line {
                Some(line) => return Some(line.trim().to_owned()),
                None => err("\n"),
            },
            _ = cancel.wait_for(|stop| *stop) => err("\n"),
            () = tokio::time::sleep(PATIENCE) => err("\nno answer: going on without\n"),
        }
        self.there = false;
        None
    }

    /// On which side this machine is. No answer means inside.
    pub(super) async fn vantage(&mut self) -> Vantage {
        let question = "Is this machine inside the corporate network, where the browser is? [Y/n] ";
        understood(&self.ask(question).await.unwrap_or_default())
    }

    /// The checklist's second and fourth item, where no option gives them. What was
    /// detected counts when it is confirmed.
    pub(super) async fn answers(&mut self, job: &Job, so_far: &SoFar, side: Vantage) -> Answers {
        let mut answers = job.answers.clone();
        if answers.load_balancer.is_none() {
            let seen = so_far.load_balancer(job, side);
            let what = "Load balancer or proxy before Bindplane, and version?";
            answers.load_balancer = self.one(what, seen.as_deref()).await;
        }
        if answers.network_path.is_none() {
            let seen = so_far.path(job, answers.load_balancer.as_deref());
            let what = "What lies between here and it (VPN, proxy, firewall)?";
            answers.network_path = self.one(what, seen.as_deref()).await;
        }
        answers
    }

    async fn one(&mut self, what: &str, seen: Option<&str>) -> Option<String> {
        let choice = seen.map_or_else(|| "Enter: not known".to_owned(), safe);
        let answer = self.ask(&format!("{what}\n  [{choice}] ")).await?;
        match (answer.is_empty(), seen) {
            (true, seen) => seen.map(|seen| format!("{seen} (as detected, confirmed)")),
            (false, _) => Some(answer.chars().take(LONGEST).collect()),
        }
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        put_back(std::mem::replace(&mut self.lines, mpsc::unbounded_channel().1));
    }
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
