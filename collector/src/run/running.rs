//! A step of the plan as it runs: recorded however it ends.

use crate::key::{Part, Probe, StepKey};
use crate::recorder::{Begun, Recorder};
use crate::step::{Ctx, Net};
use wss_bundle::manifest::StepOutcome;
use wss_bundle::{Failure, FailureKind};

/// Records a step of the plan, even when its probe panics.
pub(super) struct Running {
    recorder: Recorder,
    key: StepKey,
    begun: Begun,
    done: bool,
}

impl Running {
    pub(super) fn begin(net: &Net, key: StepKey) -> Self {
        let recorder = net.recorder.clone();
        let begun = recorder.begin();
        Self { recorder, key, begun, done: false }
    }

    /// One that has run already, and began then.
    pub(super) fn begun(net: &Net, key: StepKey, begun: Begun) -> Self {
        Self { recorder: net.recorder.clone(), key, begun, done: false }
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
        self.recorder.step_done(&self.key, &self.begun, outcome, why);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.done {
            let why = Some("the probe broke off (a defect of the collector)".to_owned());
            self.recorder.step_done(&self.key, &self.begun, StepOutcome::Failed, why);
        }
    }
}

/// The step that this context is of.
pub(super) fn key_of(ctx: &Ctx) -> StepKey {
    let key = StepKey::new(ctx.probe, ctx.route().route.id.0.as_str());
    // Named after the route alone: which path it takes turns out late.
    let late = ctx.probe.is_hold() || ctx.probe == Probe::CompressedUpgrade;
    match ctx.path.as_ref().filter(|_| !late) {
        Some(path) => key.part(Part::Path(path.clone())),
        None => key,
    }
}

/// Runs a probe as a step of the plan.
pub(super) async fn step<T>(
    ctx: &Ctx,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let running = Running::begin(&ctx.net, key_of(ctx));
    let result = work.await;
    running.end(&result, &ctx.net);
    result
}

/// Records that a step was not run, unless it has a record.
pub(super) fn skip(net: &Net, step: &StepKey, outcome: StepOutcome, why: &str) {
    if !net.recorder.has_step(step) {
        net.recorder.step_done(step, &net.recorder.begin(), outcome, Some(why.to_owned()));
    }
}
