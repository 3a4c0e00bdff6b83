//! Progress on a terminal: a line for each route on which the layers fill in,
//! and a bar while connections are held. No line is wider than the terminal.

use super::board::{Board, Cell, LAYERS, Line};
use super::fit::{columns, shortened};
use super::held::{Held, left};
use super::{Look, again, safe};
use crate::progress::Progress;
use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// Longest route name that is shown whole where there is room.
const NAME: usize = 40;
/// Columns of a terminal that does not tell.
const USUAL: usize = 80;
/// The spinner, the blank after it, and the last column, in which some
/// terminals break the line already.
const MARGIN: usize = 3;

/// Lines that are redrawn.
pub struct Live {
    board: Board,
    look: Look,
    all: MultiProgress,
    lines: Vec<ProgressBar>,
    hold: Option<ProgressBar>,
    /// Below it, what the held ones showed so far.
    known: Option<ProgressBar>,
    held: Held,
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
        let mut live =
            Self { board, look, all, lines, hold: None, known: None, held: Held::default() };
        for line in 0..live.lines.len() {
            live.draw(line);
        }
        live
    }

    pub(super) fn progress(&mut self, progress: &Progress, at: Instant) {
        let news = self.held.note(progress);
        match progress {
            Progress::Observation(seen) => {
                if let Some(change) = self.board.note(seen) {
                    self.draw(change.line);
                }
            }
            Progress::HoldStarted { planned, .. } if self.hold.is_none() => {
                self.start_hold(*planned, at);
            }
            Progress::AskingAgain { route, .. } => {
                if let Some(line) = self.board.lines.get(*route) {
                    self.say(&again(&line.route));
                }
            }
            Progress::HoldStarted { .. }
            | Progress::SelectedRoutesDone
            | Progress::OnlyHoldsLeft
            | Progress::StepDone(..) => {}
        }
        if news && let Some(known) = &self.known {
            let room = columns().unwrap_or(USUAL).saturating_sub(MARGIN);
            known.set_message(shortened(&safe(&self.held.text()), room));
        }
    }

    fn start_hold(&mut self, planned: Duration, at: Instant) {
        let style = ProgressStyle::with_template("  {bar:12} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let bar = self.all.add(ProgressBar::new(millis(planned)).with_style(style));
        let ticking = bar.clone();
        // Position is time: a thread moves it, and ends with the bar.
        std::thread::spawn(move || {
            while !ticking.is_finished() {
                let elapsed = at.elapsed().min(planned);
                let left = left(planned - elapsed);
                ticking.set_message(format!("holding connections: {left} (Ctrl-C: stop)"));
                ticking.set_position(millis(elapsed));
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        self.hold = Some(bar);
        let plain = ProgressStyle::with_template("  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        self.known = Some(self.all.add(ProgressBar::new_spinner().with_style(plain)));
    }

    fn draw(&mut self, line: usize) {
        let Some(shown) = self.board.lines.get(line) else { return };
        let text = row(shown, &self.board.lines, columns().unwrap_or(USUAL), self.look.colour);
        if let Some(bar) = self.lines.get(line) {
            bar.set_message(text);
        }
    }

    /// A line of its own above those that are redrawn.
    pub(super) fn say(&self, text: &str) {
        let _ = self.all.println(text);
    }

    pub(super) fn finish(&mut self) {
        if let Some(hold) = self.hold.take() {
            hold.finish_and_clear();
        }
        if let Some(known) = self.known.take() {
            known.finish_and_clear();
        }
        for bar in &self.lines {
            bar.finish_and_clear();
        }
        let _ = self.all.clear();
    }
}

/// One route's line. Layers stand below each other; where a terminal is narrow,
/// first the blank before each mark goes, then parts of the name.
fn row(shown: &Line, all: &[Line], columns: usize, colour: bool) -> String {
    let here = |layer: usize| all.iter().any(|line| line.cells[layer] != Cell::Absent);
    let layers: Vec<usize> = (0..LAYERS.len()).filter(|layer| here(*layer)).collect();
    let longest = all.iter().map(|line| line.route.0.chars().count()).max().unwrap_or(0);
    let cells = |gap: usize| layers.iter().map(|l| LAYERS[*l].len() + gap + 2).sum::<usize>();
    let room = |gap: usize| columns.saturating_sub(MARGIN + cells(gap));
    let gap = usize::from(room(1) >= longest.min(NAME));
    let width = longest.min(NAME).min(room(gap));
    let name = safe(&shown.route.0);
    let brief = name.strip_prefix("proxy ").filter(|_| name.chars().count() > width);
    let mut text = format!("{:width$}", shortened(brief.unwrap_or(&name), width));
    for layer in layers {
        let label = LAYERS[layer];
        let (mark, style) = match shown.cells[layer] {
            Cell::Absent => (' ', Style::new()),
            Cell::Open => ('·', Style::new().dimmed()),
            Cell::Pass => ('✓', Style::new().fg_color(Some(AnsiColor::Green.into()))),
            Cell::Fail => ('✗', Style::new().fg_color(Some(AnsiColor::Red.into())).bold()),
        };
        let cell = match shown.cells[layer] {
            Cell::Absent => " ".repeat(label.len() + gap + 1),
            _ => format!("{label}{}{mark}", " ".repeat(gap)),
        };
        if colour {
            text.push_str(&format!(" {style}{cell}{style:#}"));
        } else {
            text.push_str(&format!(" {cell}"));
        }
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wss_bundle::RouteId;

    fn line(route: &str) -> Line {
        let mut cells = [Cell::Pass; LAYERS.len()];
        if route == "direct" {
            cells[2] = Cell::Absent;
        }
        Line { route: RouteId(route.into()), selected: false, cells }
    }

    #[test]
    fn a_row_fits_and_its_layers_stand_below_each_other() {
        let proxy = "proxy http://proxy-with-a-rather-long-name.corp.example:3128";
        let all = [line("direct"), line("proxy http://p:80"), line(proxy)];
        for columns in [60, 72, 80, 100, 120, 200] {
            let rows: Vec<String> = all.iter().map(|l| row(l, &all, columns, false)).collect();
            for text in &rows {
                assert!(text.chars().count() + MARGIN <= columns.max(56), "{columns}: {text}");
                assert_eq!(
                    text.chars().position(|c| c == '✓'),
                    rows[0].chars().position(|c| c == '✓'),
                    "{rows:?}"
                );
            }
            assert!(columns < 80 || rows[2].contains(":3128"), "{}", rows[2]);
        }
    }

    #[test]
    fn without_colour_there_is_no_escape() {
        let all = [line("direct")];
        assert!(!row(&all[0], &all, 80, false).contains('\u{1b}'));
        assert!(row(&all[0], &all, 80, true).contains('\u{1b}'));
        assert!(!row(&all[0], &all, 80, false).contains("proxy"));
    }
}
