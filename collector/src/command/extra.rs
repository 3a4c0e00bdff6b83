//! Completions and the manual page, from the same definition as `--help`.

use super::fail;
use crate::cli::Cli;
use clap::CommandFactory;

/// Prints completions for a shell; gives the exit code.
#[must_use]
pub fn completions(shell: clap_complete::Shell) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wss-collector", &mut text);
    super::out(&String::from_utf8_lossy(&text))
}

/// Prints the manual page; gives the exit code.
#[must_use]
pub fn man() -> u8 {
    let mut text = Vec::new();
    match clap_mangen::Man::new(Cli::command()).render(&mut text) {
        Ok(()) => super::out(&String::from_utf8_lossy(&text)),
        Err(error) => fail(&format!("the manual page cannot be made: {error}")),
    }
}
