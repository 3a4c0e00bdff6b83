//! What can be said while connections are still held: everything but the hold
//! takes seconds, and nobody should have to wait for the rest to know the cause.

use crate::cli::resolve::Job;
use crate::run::{Collected, Progress};
use crate::screen::safe;
use chrono::Utc;
use wss_bundle::{Environment, Observation, Vantage};
use wss_diagnosis::{Status, diagnose};

/// Gathers what turns out.
#[derive(Default)]
pub(super) struct SoFar {
    observations: Vec<Observation>,
}

impl SoFar {
    /// Takes in what happened; gives a line once only holds are left.
    pub(super) fn take(
        &mut self,
        progress: &Progress,
        job: &Job,
        vantage: Vantage,
    ) -> Option<String> {
        match progress {
            Progress::Observation(observation) => {
                self.observations.push(observation.as_ref().clone());
                None
            }
            Progress::OnlyHoldsLeft => Some(self.line(job, vantage)),
            Progress::HoldStarted { .. } | Progress::StepDone(_) => None,
        }
    }

    fn line(&self, job: &Job, vantage: Vantage) -> String {
        let collected = Collected {
            observations: self.observations.clone(),
            steps: Vec::new(),
            browser: Vec::new(),
            complete: true,
        };
        let partial =
            super::collect::bundle(job, collected, Environment::default(), vantage, Utc::now());
        let redacted = job.redactor().bundle(partial);
        let verdict = diagnose(std::slice::from_ref(redacted.get())).verdict;
        match verdict.status {
            Status::Working => {
                "So far: it works. Whether it lasts shows when the hold ends.".to_owned()
            }
            Status::Unknown => format!("So far it cannot be told: {}", safe(&verdict.summary)),
            Status::Broken | Status::Unstable => {
                format!("So far: {} ({})", safe(&verdict.summary), verdict.cause)
            }
        }
    }
}
