//! Progress where there is no terminal: one line for each layer that turns out.

use super::board::{Board, Cell};
use super::{again, held, safe};
use crate::progress::Progress;
use std::io::Write;
use wss_bundle::redact::Redactor;

/// Lines on standard error.
pub struct Plain {
    board: Board,
    /// Reasons quote what the other side said, which may be a secret come back.
    redactor: Redactor,
}

impl Plain {
    pub(super) fn new(board: Board, redactor: Redactor) -> Self {
        Self { board, redactor }
    }

    pub(super) fn progress(&mut self, progress: &Progress) {
        let line = match progress {
            Progress::Observation(seen) => match self.board.note(seen) {
                Some(change) => {
                    let route = &self.board.lines[change.line].route;
                    let what = match (change.cell, change.why) {
                        (Cell::Fail, Some(why)) => format!("FAILED: {why}"),
                        (Cell::Fail, None) => "FAILED".to_owned(),
                        _ => format!("ok ({:.1} ms)", change.ms),
                    };
                    format!("{route}: {} {what}", change.layer)
                }
                None => match held::line(seen) {
                    Some(line) => line,
                    None => return,
                },
            },
            Progress::HoldStarted { planned, connections } => format!(
                "holding {connections} connections open, at most six at a time, for {:.0} s in all",
                planned.as_secs_f64()
            ),
            Progress::AskingAgain { route, .. } => match self.board.lines.get(*route) {
                Some(line) => again(&line.route),
                None => return,
            },
            Progress::SelectedRoutesDone | Progress::OnlyHoldsLeft | Progress::StepDone(..) => {
                return;
            }
        };
        let line = self.redactor.text("screen", "progress", &line);
        // Nobody may be listening any more; that is no reason to stop.
        let _ = writeln!(std::io::stderr(), "{}", safe(&line));
    }
}
