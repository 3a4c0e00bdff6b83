//! Completions and the manual pages, from the same definition as `--help`.

use super::{DONE, NOTHING, complain, say};
use crate::cli::Cli;
use clap::CommandFactory;

/// Prints completions for a shell; gives the exit code.
#[must_use]
pub fn completions(shell: clap_complete::Shell) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wss-analyzer", &mut text);
    say(&String::from_utf8_lossy(&text), DONE)
}

/// Prints the program's manual page, or a command's; gives the exit code.
#[must_use]
pub fn man(command: Option<&str>) -> u8 {
    let mut page = Cli::command().disable_help_subcommand(true);
    // Gives the commands their full names.
    page.build();
    if let Some(name) = command {
        page = match page.find_subcommand(name) {
            Some(found) => found.clone(),
            None => {
                complain(&format!("there is no command {:?}", name.escape_debug().to_string()));
                return NOTHING;
            }
        };
    }
    let mut text = Vec::new();
    match clap_mangen::Man::new(page).render(&mut text) {
        Ok(()) => say(&String::from_utf8_lossy(&text), DONE),
        Err(error) => {
            complain(&format!("the manual page cannot be made: {error}"));
            NOTHING
        }
    }
}
