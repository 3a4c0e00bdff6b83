//! Completions, from the same definition as `--help`. (The manual pages are too, by a
//! test: they stand in `packaging/man`, so that the program need not carry them.)

use crate::cli::Cli;
use clap::CommandFactory;

/// Prints completions for a shell; gives the exit code.
#[must_use]
pub fn completions(shell: clap_complete::Shell) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wss-collector", &mut text);
    super::out(&String::from_utf8_lossy(&text))
}
