//! Completions, from the same definition as `--help`. The manual pages are too, by
//! a test: the program carries them as text, which is smaller than what makes them.

use crate::cli::Cli;
use clap::CommandFactory;

/// The program's page, and those of its commands.
const PAGES: [(&str, &str); 8] = [
    ("", include_str!("../../../packaging/man/wss-collector.1")),
    ("check", include_str!("../../../packaging/man/wss-collector-check.1")),
    ("watch", include_str!("../../../packaging/man/wss-collector-watch.1")),
    ("inspect", include_str!("../../../packaging/man/wss-collector-inspect.1")),
    ("upload", include_str!("../../../packaging/man/wss-collector-upload.1")),
    ("config-commands", include_str!("../../../packaging/man/wss-collector-config-commands.1")),
    ("completions", include_str!("../../../packaging/man/wss-collector-completions.1")),
    ("man", include_str!("../../../packaging/man/wss-collector-man.1")),
];

/// Prints completions for a shell; gives the exit code.
#[must_use]
pub fn completions(shell: clap_complete::Shell) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wss-collector", &mut text);
    super::out(&String::from_utf8_lossy(&text))
}

/// Prints the program's manual page, or a command's; gives the exit code.
#[must_use]
pub fn man(command: Option<&str>) -> u8 {
    let wanted = command.unwrap_or_default();
    match PAGES.iter().find(|(name, _)| *name == wanted) {
        Some((_, page)) => super::out(page),
        None => {
            super::fail(&format!("there is no command {:?}", wanted.escape_debug().to_string()))
        }
    }
}
