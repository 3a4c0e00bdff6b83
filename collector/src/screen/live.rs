//! Progress on a terminal: a line for each route on which the layers fill in,
//! and a bar while connections are held.

use super::board::{Board, Cell, LAYERS};
use super::{Look, safe};
use crate::run::Progress;
use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::time::Duration;

/// Longest route name that is shown whole.
const NAME: usize = 36;

/// Lines that are redrawn.
pub struct Live {
    board: Board,
    look: Look,
    all: MultiProgress,
    lines: Vec<ProgressBar>,
    hold: Option<ProgressBar>,
}

impl Live {
    pub(super) fn new(board: Board, look: Look) -> Self {
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("{spinner} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let lines = board
            .lines
            .iter()
            .map(|_| {
                let bar = all.add(ProgressBar::new_spinner().with_style(style.clone()));
                bar.enable_steady_tick(Duration::from_millis(100));
                bar
            })
            .collect();
        let mut live = Self { board, look, all, lines, hold: None };
        for line in 0..live.lines.len() {
            live.draw(line);
        }
        live
    }

    pub(super) fn progress(&mut self, progress: &Progress) {
        match progress {
            Progress::Observation(seen) => {
                if let Some(change) = self.board.note(seen) {
                    self.draw(change.line);
                }
            }
            Progress::HoldStarted { planned } if self.hold.is_none() => self.start_hold(*planned),
            Progress::HoldStarted { .. } | Progress::StepDone(_) => {}
        }
    }

    fn start_hold(&mut self, planned: Duration) {
        let seconds = planned.as_secs_f64().round();
        let template = format!(
            "  {{bar:30}} holding connections open, {{elapsed}} of {seconds:.0} s (Ctrl-C ends it \
             early)"
        );
        let style = ProgressStyle::with_template(&template)
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let millis = u64::try_from(planned.as_millis()).unwrap_or(u64::MAX);
        let bar = self.all.add(ProgressBar::new(millis).with_style(style));
        let ticking = bar.clone();
        // Position is time: a thread moves it, and ends with the bar.
        std::thread::spawn(move || {
            while !ticking.is_finished() {
                let elapsed = u64::try_from(ticking.elapsed().as_millis()).unwrap_or(u64::MAX);
                ticking.set_position(elapsed.min(millis));
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        self.hold = Some(bar);
    }

    fn draw(&mut self, line: usize) {
        let Some(shown) = self.board.lines.get(line) else { return };
        let name: String = safe(&shown.route.0).chars().take(NAME).collect();
        let mut text = format!("{name:NAME$}");
        for (layer, cell) in LAYERS.iter().zip(shown.cells) {
            let (mark, style) = match cell {
                Cell::Absent => continue,
                Cell::Open => ("·", Style::new().dimmed()),
                Cell::Pass => ("✓", Style::new().fg_color(Some(AnsiColor::Green.into()))),
                Cell::Fail => ("✗", Style::new().fg_color(Some(AnsiColor::Red.into())).bold()),
            };
            if self.look.colour {
                text.push_str(&format!(" {style}{layer} {mark}{style:#}"));
            } else {
                text.push_str(&format!(" {layer} {mark}"));
            }
        }
        if let Some(bar) = self.lines.get(line) {
            bar.set_message(text);
        }
    }

    pub(super) fn finish(&mut self) {
        if let Some(hold) = self.hold.take() {
            hold.finish_and_clear();
        }
        for bar in &self.lines {
            bar.finish_and_clear();
        }
        let _ = self.all.clear();
    }
}
