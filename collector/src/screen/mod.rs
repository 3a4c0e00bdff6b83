//! What people see while probes run and after. Text from the network is made
//! harmless here, once, before it meets a terminal.

pub mod board;
pub(crate) mod fit;
mod held;
mod live;
mod plain;
pub mod verdict;

use crate::progress::Progress;
use board::Board;
use std::io::{IsTerminal, Write};
use std::time::Instant;
use wss_bundle::redact::Redactor;

/// How to show things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// A terminal that can redraw lines.
    pub live: bool,
    /// ANSI colours.
    pub colour: bool,
    /// Columns, where lines must fit.
    pub width: Option<usize>,
}

impl Look {
    /// What a stream can do, and what the user wants (<https://no-color.org>).
    pub fn of(stream: &impl IsTerminal) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let live = stream.is_terminal() && !dumb;
        let width = stream.is_terminal().then(fit::columns).flatten();
        Self { live, colour: live && !plain, width }
    }
}

/// Shows progress on standard error.
pub enum Screen {
    /// Lines that are redrawn.
    Live(Box<live::Live>),
    /// One line for each thing that turns out.
    Plain(plain::Plain),
    /// Nothing.
    Quiet,
}

impl Screen {
    /// The screen that fits standard error; `quiet` for scripts.
    #[must_use]
    pub fn new(quiet: bool, board: Board, redactor: Redactor) -> Self {
        let look = Look::of(&std::io::stderr());
        if quiet {
            Self::Quiet
        } else if look.live {
            Self::Live(Box::new(live::Live::new(board, look)))
        } else {
            Self::Plain(plain::Plain::new(board, redactor))
        }
    }

    /// Takes in what happened, and when.
    pub fn progress(&mut self, progress: &Progress, at: Instant) {
        match self {
            Self::Live(live) => live.progress(progress, at),
            Self::Plain(plain) => plain.progress(progress),
            Self::Quiet => {}
        }
    }

    /// Says something that is no progress.
    pub fn say(&self, text: &str) {
        match self {
            Self::Live(live) => live.say(&fit::wrapped(text, 2, fit::columns())),
            Self::Plain(_) | Self::Quiet => {
                let _ = writeln!(std::io::stderr(), "{text}");
            }
        }
    }

    /// Clears what is redrawn: the verdict takes its place.
    pub fn finish(&mut self) {
        if let Self::Live(live) = self {
            live.finish();
        }
    }
}

/// What is said when a route's failures are asked again.
fn again(route: &wss_bundle::RouteId) -> String {
    safe(&format!("{route}: asking again what failed, a second or two apart"))
}

/// Text without control characters, without those that change the direction of
/// what follows (Unicode's BiDi controls), and without invisible ones.
#[must_use]
pub fn safe(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            c if c.is_control() => '\u{fffd}',
            '\u{061c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_the_cursor_or_turns_the_text() {
        let nasty = "a\u{1b}[2J\u{1b}]0;title\u{7}b\r\nc\u{202e}d\u{200b}e\u{9b}31m";
        let clean = safe(nasty);
        assert!(!clean.chars().any(char::is_control), "{clean:?}");
        assert!(!clean.contains(['\u{202e}', '\u{200b}']));
        assert!(clean.starts_with('a') && clean.contains('c'));
    }
}
