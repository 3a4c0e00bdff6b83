//! How far it is: a line that renews itself on a terminal, a line now and then
//! without one.

use crate::files::clean;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// What was counted so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken in.
    pub new: u64,
    /// Known already.
    pub known: u64,
    /// No bundles.
    pub bad: u64,
}

impl Counts {
    /// All inputs looked at.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.new + self.known + self.bad
    }
}

/// The display.
pub struct Progress {
    bar: ProgressBar,
    terminal: bool,
    began: Instant,
    told: Instant,
}

impl Progress {
    /// Starts it; `total` where it is known.
    #[must_use]
    pub fn new(total: Option<u64>) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal {
            ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(5))
        } else {
            ProgressBar::hidden()
        };
        let now = Instant::now();
        let mut progress = Self { bar, terminal, began: now, told: now };
        progress.style("{spinner} {human_pos} bundles, {per_sec}, {msg}");
        if let Some(total) = total {
            progress.of(total);
        }
        progress
    }

    /// Says how many there are, once it is known.
    pub fn of(&mut self, total: u64) {
        if self.bar.length() != Some(total) {
            self.bar.set_length(total);
            self.style("{bar:24} {human_pos}/{human_len} bundles, {per_sec}, {eta} left, {msg}");
        }
    }

    fn style(&mut self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    /// Tells how far it is.
    pub fn tell(&mut self, counts: Counts) {
        if self.terminal {
            self.bar.set_position(counts.all());
            self.bar.set_message(format!("{} bad", counts.bad));
        } else if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            let line = self.line(counts);
            note(&line);
        }
    }

    /// Writes a line that stays, above the one that renews itself; without what would
    /// steer a terminal.
    pub fn say(&self, line: &str) {
        let line = &clean(line);
        if self.terminal {
            self.bar.suspend(|| note(line));
        } else {
            note(line);
        }
    }

    fn line(&self, counts: Counts) -> String {
        let rate = counts.all() as f64 / self.began.elapsed().as_secs_f64().max(1e-3);
        let left = match self.bar.length() {
            Some(total) if rate > 0.0 => {
                let seconds = total.saturating_sub(counts.all()) as f64 / rate;
                format!(" of {total}, {seconds:.0} s left")
            }
            _ => String::new(),
        };
        format!("{} bundles{left}, {rate:.0}/s, {} bad", counts.all(), counts.bad)
    }

    /// Clears the display.
    pub fn done(&self) {
        self.bar.finish_and_clear();
    }
}

#[allow(clippy::print_stderr, reason = "this is the screen")]
fn note(line: &str) {
    eprintln!("{line}");
}
