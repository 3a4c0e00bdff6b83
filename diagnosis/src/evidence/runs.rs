//! Runs of one case from one side within minutes: what each was answered. Nothing
//! is mended and broken again within minutes; where they disagree, that is evidence
//! of its own.

use super::{BundleView, Evidence, ReplyKind};
use chrono::TimeDelta;

/// Runs that lie no further apart show the same state of things.
const MINUTES: i64 = 15;

/// What one run came to.
pub struct Run<'e, 'a> {
    /// The run.
    pub view: &'e BundleView<'a>,
    /// What the upgrade was answered, in a few words.
    pub answer: String,
}

/// Runs of one case, in the order of time.
pub struct Runs<'e, 'a> {
    /// All of them; the last one decides.
    pub all: Vec<Run<'e, 'a>>,
}

/// What the upgrade on the console's path came to; `None` where nothing was tried.
fn answer(view: &BundleView<'_>) -> Option<String> {
    let route = view.selected()?;
    if route.contradicts_itself() {
        return Some("contradicting answers".to_owned());
    }
    if let Some(reply) = route.upgrade_reply(view.path) {
        return Some(match reply.kind {
            ReplyKind::Switched => "101".to_owned(),
            ReplyKind::PageShell => format!("{} (the console's page shell)", reply.status),
            _ => reply.status.to_string(),
        });
    }
    let (o, _) = route.upgrade_failure(view.path)?;
    (!route.is_too_short(o)).then(|| "no answer".to_owned())
}

impl Runs<'_, '_> {
    /// How often the answer was another than in the run before.
    #[must_use]
    pub fn turns(&self) -> usize {
        self.all.windows(2).filter(|two| two[0].answer != two[1].answer).count()
    }

    /// `2 × 101, 1 × 502`, the most frequent first.
    #[must_use]
    pub fn counts(&self) -> String {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for run in &self.all {
            match counts.iter_mut().find(|(answer, _)| *answer == run.answer) {
                Some((_, count)) => *count += 1,
                None => counts.push((&run.answer, 1)),
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let all: Vec<String> =
            counts.iter().map(|(answer, count)| format!("{count} × {answer}")).collect();
        all.join(", ")
    }
}

impl<'a> Evidence<'a> {
    /// The runs of the focus's case and side within minutes of each other, where they
    /// disagree.
    #[must_use]
    pub fn disagreeing_runs(&self) -> Option<Runs<'_, 'a>> {
        let focus = self.focus().filter(|_| !self.focus_is_pasted())?;
        let own = &focus.bundle.manifest;
        let mut all: Vec<Run<'_, 'a>> = Vec::new();
        // Views of one side are in the order of time; back from the one that decides.
        for view in self.bundles.iter().rev() {
            let other = &view.bundle.manifest;
            if other.vantage != own.vantage
                || other.case != own.case
                || other.target != own.target
                || view.path != focus.path
                || other.started_at > own.started_at
            {
                continue;
            }
            let next = all.last().map_or(own.started_at, |run| run.view.bundle.manifest.started_at);
            if next.signed_duration_since(other.started_at) > TimeDelta::minutes(MINUTES) {
                break;
            }
            all.extend(answer(view).map(|answer| Run { view, answer }));
        }
        all.reverse();
        let runs = Runs { all };
        (runs.turns() > 0).then_some(runs)
    }
}
