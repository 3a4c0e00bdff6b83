//! Lines of a command: where one begins, what belongs to it, where it ends.

use super::super::command::{self, Piece};
use super::super::mark::{Joined, Kind};
use super::super::{secret, signs};
use super::{Cut, Reader, shortened};
use crate::pasted::around::{field_name, is_request_line};
use crate::pasted::{Line, after_prompt};

/// Lines of one command.
const COMMAND: usize = 60;
/// A line that a program cut is at least so long.
const CUT: usize = 60;
/// Columns that terminals have: what fills one of these may go on.
const WIDTHS: [usize; 10] = [80, 100, 110, 120, 128, 132, 140, 150, 160, 200];
/// Mail cuts lines before this (RFC 5322 section 2.1.1), terminals never.
pub(super) const MAIL: usize = 79;

impl<'a> Reader<'a> {
    pub(super) fn shell(&mut self, line: &Line<'a>, bare: &'a str, start: usize) -> bool {
        let prompted = after_prompt(bare);
        let command = prompted.unwrap_or(bare);
        let offset = bare.len() - command.len();
        let from = start + offset;
        if signs::is_call(bare) || prompted.is_some() && signs::is_call(command) {
            self.begin(line.number);
            self.trace = None;
            self.mark(line, Kind::Command, from);
            self.command.push(Piece {
                line: line.number - 1,
                start: from,
                text: command,
                glued: false,
            });
            return true;
        }
        if let Some(program) = match prompted {
            Some(command) => signs::called(command),
            None => signs::called_plainly(bare),
        } {
            self.begin(line.number);
            self.test(line.number).program = program;
            self.test(line.number).said = Some(shortened(command));
            return true;
        }
        let marked = bare.starts_with(['<', '>', '*']);
        if let Some(at) = command::first_option(bare).filter(|_| !marked) {
            let from = start + at;
            self.mark(line, Kind::Command, from);
            let piece =
                Piece { line: line.number - 1, start: from, text: &bare[at..], glued: false };
            command::options(piece, &mut self.out.secrets);
            return true;
        }
        let interrupted = bare == "^C" || bare.ends_with("^C") && bare.len() < 12;
        if prompted.is_some() && !bare.starts_with('#') && !bare.starts_with('%') || interrupted {
            self.ended = true;
            self.close();
            return true;
        }
        false
    }

    /// Whether a line belongs to the command before it.
    pub(super) fn continues(&self, line: &Line<'_>, bare: &str) -> bool {
        let Some(last) = self.command.last() else { return false };
        if self.command.len() >= COMMAND || line.number > last.line + 2 {
            return false;
        }
        let open = command::is_open(&self.command);
        if command::wants_a_value(&self.command) {
            return signs::status(bare).is_none() && signs::error(bare).is_none();
        }
        let head = |mark| {
            let rest = bare.strip_prefix(mark);
            rest.is_some_and(|rest| is_request_line(rest) || field_name(rest).is_some())
        };
        if command::goes_on(last.text) && !open {
            // A quote's or a code mark's is before curl's own.
            let said = after_prompt(bare).unwrap_or(bare);
            let said = said.trim_start_matches(['`', '|', '<', '>', ' ']);
            let said = after_prompt(said).unwrap_or(said);
            let other = field_name(said).is_some() || said.starts_with("* ");
            return !other && !head("> ") && !head("< ") && signs::status(bare).is_none();
        }
        let output = bare.is_empty()
            || signs::status(bare).is_some()
            || signs::error(bare).is_some()
            || signs::is_meter(bare)
            || signs::printed(bare).is_some()
            || ["* ", "< ", "> ", "== Info", "{ [", "<html", "<!"]
                .iter()
                .any(|sign| bare.starts_with(sign))
            || signs::behind_time(bare) > 0
            || after_prompt(bare).is_some()
            || is_request_line(bare);
        if output {
            return false;
        }
        if open || command::goes_on(last.text) {
            return true;
        }
        // Cut by somebody's width: an option, or the rest of a word. What was masked is no
        // longer as wide, and says itself how it goes on.
        let masked = self.command.iter().any(|piece| secret::was_masked(piece.text));
        let columns = if masked { 0 } else { last.start + secret::width(last.text) };
        let dashed = bare.starts_with(['-', '\u{2013}', '\u{2014}']);
        let quoted = bare.starts_with(['"', '\'', '\u{201c}', '\u{201d}']);
        let no_url = || !self.command.iter().any(|piece| piece.text.contains("://"));
        let word =
            !bare.contains(' ') && field_name(bare).is_none() && !bare.starts_with(['<', '{']);
        dashed
            || quoted && columns >= CUT
            || bare.contains("://") && no_url() && !bare.contains(": ")
            || word && WIDTHS.contains(&columns)
    }

    pub(super) fn more(&mut self, line: &Line<'a>, from: usize, bare: &'a str) {
        let at_once = from == line.start && !bare.starts_with('-');
        let mut joined = None;
        let mut glued = false;
        if let Some(last) = self.command.last() {
            if command::goes_on(last.text) {
                // As shells have it: `web\` and `socket` are one word.
                let before = last.text.trim_end();
                glued = at_once && !before[..before.len() - 1].ends_with([' ', '\t']);
            } else {
                glued = at_once && last.start + secret::width(last.text) >= MAIL;
                joined = Some((last.line, if glued { Joined::Glued } else { Joined::Apart }));
            }
        }
        if let Some((line, how)) = joined
            && let Some(mark) = self.out.marks.get_mut(line)
        {
            mark.joined = Some(how);
        }
        self.mark(line, Kind::Command, from);
        self.secret = secret::may_be_cut(line.text).then_some(Cut::Anywhere);
        // The prompt of the second line: `> `, `>> `, `More? `.
        let rest = bare.strip_prefix("More? ").unwrap_or(bare);
        let text = rest.trim_start_matches("> ");
        let start = from + bare.len() - text.len();
        self.command.push(Piece { line: line.number - 1, start, text, glued });
    }

    pub(super) fn end_command(&mut self) {
        if self.command.is_empty() {
            return;
        }
        let pieces = std::mem::take(&mut self.command);
        let command = command::read(&pieces, &mut self.out.secrets);
        let Some(test) = self.out.tests.last_mut() else { return };
        if let Some(command) = command {
            if test.proxy.is_none() {
                test.proxy.clone_from(&command.proxy);
            }
            test.command = Some(command);
        }
    }
}
