//! The confusion matrix: what is true of cases against what was answered, and how
//! surely. A case's truth is the first cause that it expects; others that it takes
//! as well are honest ways of not telling, and stand beside the diagonal.

use super::Case;
use super::case::Level;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// One run: what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The verdict's cause; `no bundle` where there is none.
    pub cause: String,
    /// How sure it is; `None` without a verdict.
    pub confidence: Option<Level>,
    /// Whether an expert would have said so.
    pub right: bool,
}

/// Runs by truth and answer.
#[derive(Debug, Default)]
pub struct Matrix {
    cells: BTreeMap<(String, String), Cell>,
    /// Cases that answered a cause which is not theirs, with how sure it was.
    wrong: Vec<(String, Answered)>,
    /// Cases that could not be run.
    failed: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Cell {
    high: usize,
    medium: usize,
    low: usize,
    wrong: usize,
}

impl Matrix {
    /// Counts the runs of a case.
    pub fn add(&mut self, case: &Case, runs: &[Answered]) {
        let (name, causes) = (&case.name, case.expected_causes());
        self.count(name, causes, runs);
    }

    /// Counts a case that could not be run.
    pub fn fail(&mut self, case: &Case) {
        self.failed.push(case.name.clone());
    }

    fn count(&mut self, name: &str, causes: &[String], runs: &[Answered]) {
        let truth = causes.first().map_or("(any)", String::as_str);
        for run in runs {
            let cell = self.cells.entry((truth.to_owned(), run.cause.clone())).or_default();
            match run.confidence {
                Some(Level::High) => cell.high += 1,
                Some(Level::Medium) => cell.medium += 1,
                Some(Level::Low) | None => cell.low += 1,
            }
            cell.wrong += usize::from(!run.right);
            let cause_fits = causes.is_empty() || causes.contains(&run.cause);
            if !cause_fits {
                self.wrong.push((name.to_owned(), run.clone()));
            }
        }
    }

    /// Runs that named a cause which is not theirs, and were surer of it than `low`.
    #[must_use]
    pub fn confidently_wrong(&self) -> usize {
        let sure = |run: &Answered| run.confidence > Some(Level::Low);
        self.wrong.iter().filter(|(_, run)| sure(run)).count()
    }

    /// As a page: a row for each truth, a column for each answer.
    #[must_use]
    pub fn markdown(&self) -> String {
        let truths: BTreeSet<&str> = self.cells.keys().map(|(truth, _)| truth.as_str()).collect();
        let answers: BTreeSet<&str> = self.cells.keys().map(|(_, cause)| cause.as_str()).collect();
        let mut out = String::from("| true ↓ answered → |");
        answers.iter().for_each(|cause| _ = write!(out, " {cause} |"));
        out.push_str(" runs |\n|---|");
        answers.iter().for_each(|_| out.push_str("---|"));
        out.push_str("---|\n");
        for truth in truths {
            let _ = write!(out, "| {truth} |");
            let mut runs = 0;
            for cause in &answers {
                let cell = self.cells.get(&(truth.to_owned(), (*cause).to_owned()));
                let text = cell.map(|cell| {
                    runs += cell.high + cell.medium + cell.low;
                    cell.text()
                });
                let _ = write!(out, " {} |", text.unwrap_or_default());
            }
            let _ = writeln!(out, " {runs} |");
        }
        out.push_str(
            "\n3h 2m 1l: runs answered so with high, medium, low confidence; !2: of these, two in \
             which something else was amiss with what was said.\n",
        );
        let _ = writeln!(
            out,
            "\nWith another cause than an expert's: {} runs, {} of them surer than low.",
            self.wrong.len(),
            self.confidently_wrong()
        );
        for (name, run) in &self.wrong {
            let sure = run.confidence.map_or("", Level::word);
            let _ = writeln!(out, "- {name}: {} {sure}", run.cause);
        }
        if !self.failed.is_empty() {
            let _ = writeln!(out, "\nNot run: {}", self.failed.join(", "));
        }
        out
    }
}

impl Cell {
    fn text(self) -> String {
        let parts = [(self.high, "h"), (self.medium, "m"), (self.low, "l")];
        let some = parts.into_iter().filter(|(count, _)| *count > 0);
        let mut all: Vec<String> = some.map(|(count, sure)| format!("{count}{sure}")).collect();
        if self.wrong > 0 {
            all.push(format!("!{}", self.wrong));
        }
        all.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(cause: &str, confidence: Level, right: bool) -> Answered {
        Answered { cause: cause.to_owned(), confidence: Some(confidence), right }
    }

    #[test]
    fn what_was_answered_stands_by_what_is_true() {
        let mut matrix = Matrix::default();
        let causes = ["backends-differ", "insufficient"].map(str::to_owned);
        matrix.count(
            "live/nodes",
            &causes,
            &[
                run("backends-differ", Level::Medium, true),
                run("backends-differ", Level::Medium, true),
                run("insufficient", Level::Low, true),
                run("wrong-path", Level::Medium, false),
                run("bad-gateway", Level::Low, false),
            ],
        );
        let none = ["none".to_owned()];
        matrix.count("live/well", &none, &[run("none", Level::High, false)]);
        let page = matrix.markdown();
        let lines: Vec<&str> = page.lines().collect();
        assert_eq!(
            lines[0],
            "| true ↓ answered → | backends-differ | bad-gateway | insufficient | none | \
             wrong-path | runs |"
        );
        assert_eq!(lines[2], "| backends-differ | 2m | 1l !1 | 1l |  | 1m !1 | 5 |");
        assert_eq!(lines[3], "| none |  |  |  | 1h !1 |  | 1 |");
        assert_eq!(matrix.confidently_wrong(), 1);
        assert!(page.contains("2 runs, 1 of them surer than low"), "{page}");
        assert!(page.contains("- live/nodes: wrong-path medium"), "{page}");
        // Amiss in what was said, and not in the cause.
        assert!(!page.contains("- live/well"), "{page}");
    }
}
