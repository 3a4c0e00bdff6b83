//! A step of the plan as it runs: recorded however it ends.

use super::plan::step_name;
use crate::net::{Ctx, Net};
use crate::recorder::{Begun, Recorder};
use wss_bundle::manifest::StepOutcome;
use wss_bundle::observation::probe as name;
use wss_bundle::{Failure, FailureKind};

/// Records a step of the plan, even when its probe panics.
pub(super) struct Running {
    recorder: Recorder,
    name: String,
    begun: Begun,
    done: bool,
}

impl Running {
    pub(super) fn begin(net: &Net, name: String) -> Self {
        let recorder = net.recorder.clone();
        let begun = recorder.begin();
        Self { recorder, name, begun, done: false }
    }

    /// One that has run already, and began then.
    pub(super) fn begun(net: &Net, name: String, begun: Begun) -> Self {
        Self { recorder: net.recorder.clone(), name, begun, done: false }
    }

    pub(super) fn end<T>(mut self, result: &Result<T, Failure>, net: &Net) {
        let (outcome, why) = match result {
            Ok(_) => (StepOutcome::Done, None),
            Err(failure) => {
                let outcome = match failure.kind {
                    FailureKind::TimedOut => StepOutcome::TimedOut,
                    FailureKind::Cancelled if net.is_cancelled() => StepOutcome::Cancelled,
                    FailureKind::Cancelled => StepOutcome::Skipped,
                    _ => StepOutcome::Failed,
                };
                (outcome, Some(failure.detail.clone()))
            }
        };
        self.done = true;
        self.recorder.step_done(&self.name, &self.begun, outcome, why);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.done {
            let why = Some("the probe broke off (a defect of the collector)".to_owned());
            self.recorder.step_done(&self.name, &self.begun, StepOutcome::Failed, why);
        }
    }
}

/// What the plan calls the step that this context is of.
pub(super) fn name_of(ctx: &Ctx) -> String {
    // Named after the route alone: which path it takes turns out late.
    let late = ctx.probe.starts_with("hold-") || ctx.probe == name::COMPRESSED_UPGRADE;
    let path = ctx.path.as_deref().filter(|_| !late);
    step_name(ctx.probe, &ctx.route().route.id.0, path)
}

/// Runs a probe as a step of the plan.
pub(super) async fn step<T>(
    ctx: &Ctx,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let running = Running::begin(&ctx.net, name_of(ctx));
    let result = work.await;
    running.end(&result, &ctx.net);
    result
}

/// Records that a step was not run, unless it has a record.
pub(super) fn skip(net: &Net, step: &str, outcome: StepOutcome, why: &str) {
    if !net.recorder.has_step(step) {
        net.recorder.step_done(step, &net.recorder.begin(), outcome, Some(why.to_owned()));
    }
}
