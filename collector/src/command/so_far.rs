//! What can be said before the end: while connections are still held, or while a
//! route that nobody here follows is still silent. Nobody should have to wait for
//! the rest to know the cause.

use crate::cli::resolve::Job;
use crate::progress::Progress;
use crate::recorder::Recorder;
use crate::run::Collected;
use crate::screen::safe;
use chrono::Utc;
use wss_bundle::{Environment, Vantage};
use wss_diagnosis::{Confidence, DeviceRole, Diagnosis, Status, diagnose};

/// What has turned out by now.
pub(super) struct SoFar {
    recorder: Recorder,
    said: Option<String>,
}

impl SoFar {
    pub(super) fn new(recorder: Recorder) -> Self {
        Self { recorder, said: None }
    }

    /// A line when something happened that lets one say something, and when that is not
    /// what was said before.
    pub(super) fn take(
        &mut self,
        progress: &Progress,
        job: &Job,
        vantage: Vantage,
    ) -> Option<String> {
        let line = match progress {
            Progress::SelectedRoutesDone => self.cause(job, vantage)?,
            // What differs from probe to probe says nothing yet.
            Progress::AskingAgain { route, alike } => {
                let chosen = job.config.routes.get(*route).is_some_and(|r| r.route.selected);
                (chosen && *alike).then(|| self.cause(job, vantage)).flatten()?
            }
            Progress::OnlyHoldsLeft => self.line(job, vantage),
            _ => return None,
        };
        (self.said.as_ref() != Some(&line)).then(|| self.said.insert(line).clone())
    }

    /// What is broken on the way that this machine follows. That it works is said
    /// later: as long as routes are still tried, it is not all that there is to say.
    fn cause(&self, job: &Job, vantage: Vantage) -> Option<String> {
        let broken = self.diagnosis(job, vantage).verdict.status == Status::Broken;
        broken.then(|| self.line(job, vantage))
    }

    /// The load balancer, as far as it shows itself by now.
    pub(super) fn load_balancer(&self, job: &Job, vantage: Vantage) -> Option<String> {
        let devices = self.diagnosis(job, vantage).devices;
        let found = devices.into_iter().find(|device| {
            matches!(device.role, DeviceRole::LoadBalancer | DeviceRole::Cdn | DeviceRole::Waf)
                && device.confidence >= Confidence::Medium
                && device.product.is_some()
        })?;
        let version = found.version.unwrap_or_default();
        Some(format!("{} {version}", found.product?).trim().to_owned())
    }

    /// The way that this machine's settings choose; `None` where it leads through nothing.
    pub(super) fn path(&self, job: &Job, load_balancer: Option<&str>) -> Option<String> {
        let routes = &job.config.routes;
        let chosen = routes.iter().find(|r| r.route.selected).map(|r| &r.route)?;
        let proxy =
            chosen.proxy.as_ref().map(|proxy| format!("proxy {}:{}", proxy.host, proxy.port));
        let balancer =
            load_balancer.map(|name| name.split(" (as").next().unwrap_or(name).to_owned());
        let hops: Vec<String> = proxy.into_iter().chain(balancer).collect();
        (!hops.is_empty()).then(|| format!("this machine > {} > Bindplane", hops.join(" > ")))
    }

    fn line(&self, job: &Job, vantage: Vantage) -> String {
        let verdict = self.diagnosis(job, vantage).verdict;
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

    fn diagnosis(&self, job: &Job, vantage: Vantage) -> Diagnosis {
        let collected = Collected {
            observations: self.recorder.snapshot().0,
            steps: Vec::new(),
            browser: Vec::new(),
            complete: true,
        };
        let partial =
            super::gather::bundle(job, collected, Environment::default(), vantage, Utc::now());
        let redacted = job.redactor().bundle(partial);
        diagnose(std::slice::from_ref(redacted.get()))
    }
}
