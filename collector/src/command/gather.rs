//! The engine of every command that probes: from a job to a bundle. Proxies' files are
//! asked, probes run beside the reading of the machine, and all of it becomes one
//! [`Bundle`], which [`judged`] masks and judges. What becomes of it then is the
//! command's.

use super::partial::{Place, Watching};
use super::so_far::SoFar;
use super::{ask, err};
use crate::cli::resolve::Job;
use crate::environment;
use crate::progress::Progress;
use crate::proxy::followed;
use crate::proxy::pac::load::Loader;
use crate::recorder::Recorder;
use crate::run::{Collected, run};
use crate::screen::board::Board;
use crate::screen::{Screen, safe};
use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::time::Instant;
use tokio::sync::{mpsc, watch};
use wss_bundle::manifest::{Answers, Collector, Format, StepOutcome, StepRecord};
use wss_bundle::redact::Redacted;
use wss_bundle::{Bundle, Environment, Manifest, Observation, Observations, Step, Vantage, write};
use wss_diagnosis::{Diagnosis, diagnose};

/// What is seen and kept of a collection while it runs.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    /// Nothing of its progress is shown.
    pub(super) quiet: bool,
    /// Where a file of what was gathered so far is; `None` where none is kept.
    pub(super) partial: Option<Place>,
    /// What is said when the user stops it.
    pub(super) stopping: &'static str,
}

/// Runs the whole plan, or as much of it as there is time for until `cancel` turns true.
/// Nothing that happens on the network makes it fail.
pub(super) async fn gather(
    job: &mut Job,
    cancel: watch::Receiver<bool>,
    manner: &Manner,
) -> Bundle {
    let asked = ask_pac_files(job, cancel.clone(), manner.quiet).await;
    let page = super::address::settle(job, cancel.clone()).await;
    // Observations count from here.
    let started_at = Utc::now();
    let dns = std::mem::take(&mut job.dns);
    let notes = std::mem::take(&mut job.notes);
    let reading = tokio::task::spawn_blocking(move || environment::read(dns, notes));
    let nat64 = tokio::spawn(nat64(job.config.name_servers.clone()));
    let (mut collected, vantage, answers) = probe(job, cancel, started_at, manner).await;
    collected.observations.extend(page.map(|page| numbered_after(page, &collected)));
    job.answers = answers;
    collected.steps.splice(0..0, asked);
    let mut environment = reading.await.unwrap_or_default();
    environment.nat64 = nat64.await.unwrap_or_default();
    complete(&mut environment, job, &collected, started_at);
    bundle(job, collected, environment, vantage, started_at)
}

/// A bundle without secrets, and what it shows.
pub(super) struct Judged {
    /// As it may be written.
    pub(super) redacted: Redacted<Bundle>,
    /// What the rules make of it.
    pub(super) diagnosis: Diagnosis,
}

/// Removes secrets, and judges what is left.
pub(super) fn judged(job: &Job, bundle: Bundle) -> Judged {
    let mut redactor = job.redactor();
    redactor.removed_before(&job.removed);
    let redacted = write::fitted(redactor.bundle(bundle));
    let diagnosis = diagnose(std::slice::from_ref(redacted.get()));
    Judged { redacted, diagnosis }
}

/// What was asked before all else, as the last of the observations.
fn numbered_after(mut page: Observation, collected: &Collected) -> Observation {
    page.id = format!("o{}", collected.observations.len() + 1);
    page
}

/// One line on standard error, without secrets.
fn tell(job: &Job, line: &str) {
    err(&format!("{}\n", job.redactor().text("screen", "line", &safe(line))));
}

/// Asks whether this network translates between IPv6 and IPv4.
async fn nat64(name_servers: Vec<std::net::SocketAddr>) -> Vec<String> {
    if !environment::nat64::applies(&name_servers) {
        return Vec::new();
    }
    environment::nat64::prefixes(&name_servers).await
}

/// Asks the PAC files that this machine's settings name, since the routes
/// follow from them. Gives a step for each.
async fn ask_pac_files(
    job: &mut Job,
    cancel: watch::Receiver<bool>,
    quiet: bool,
) -> Vec<StepRecord> {
    let files = std::mem::take(&mut job.pac_files);
    if files.is_empty() {
        return Vec::new();
    }
    if !quiet {
        for file in &files {
            tell(job, &format!("asking {file}"));
        }
    }
    let begun = Instant::now();
    let loader = Loader { target: &job.config.target, config: &job.config, program: None, cancel };
    let answers = loader.answers(&files).await;
    let duration_ms = crate::recorder::millis(begun.elapsed());
    let steps = answers.iter().map(|(file, answer)| StepRecord {
        name: format!("ask {file}"),
        start_ms: 0.0,
        duration_ms,
        outcome: if answer.is_ok() { StepOutcome::Done } else { StepOutcome::Failed },
        why: answer.as_ref().err().cloned(),
    });
    let steps = steps.collect();
    let failed = answers.iter().filter_map(|(f, a)| Some((f, a.as_ref().err()?)));
    for (file, why) in failed {
        tell(job, &format!("warning: {file}: {why}"));
    }
    job.settle(&answers);
    steps
}

/// Probes, shows progress, and asks meanwhile what only a person knows.
async fn probe(
    job: &Job,
    mut cancel: watch::Receiver<bool>,
    started_at: DateTime<Utc>,
    manner: &Manner,
) -> (Collected, Vantage, Answers) {
    let config = job.config.clone();
    let (progress, watching) = mpsc::unbounded_channel();
    let recorder = Recorder::new(progress);
    let seen_so_far = (recorder.clone(), watching);
    let mut watching = Watching::new(seen_so_far, job, started_at, manner.partial.clone());
    let mut running = tokio::spawn(run(config.clone(), recorder.clone(), cancel.clone()));

    // Lines that are redrawn would overwrite the question: what happens until
    // it is answered is shown after it.
    let mut seen = VecDeque::new();
    let mut side = job.vantage.unwrap_or(Vantage::Inside);
    let mut answers = job.answers.clone();
    if ask::wanted(job) {
        let mut person = ask::Person::new(cancel.clone());
        side = meanwhile(person.vantage(), &mut watching, &mut seen).await;
        let known = SoFar::new(recorder.clone());
        answers = meanwhile(person.answers(job, &known, side), &mut watching, &mut seen).await;
    }
    let routes = config.routes.iter().map(|route| &route.route);
    let board = Board::new(routes, config.target.scheme, &config.target.paths);
    let mut screen = Screen::new(manner.quiet, board, job.redactor());
    let mut so_far = SoFar::new(recorder.clone());
    let mut show = |screen: &mut Screen, progress: &Progress, at: Instant| {
        screen.progress(progress, at);
        if let Some(line) = so_far.take(progress, job, side)
            && !manner.quiet
        {
            screen.say(&line);
        }
    };
    for (progress, at) in seen {
        show(&mut screen, &progress, at);
    }
    let collected = loop {
        tokio::select! {
            biased;
            Ok(()) = cancel.changed() => screen.say(manner.stopping),
            Some(progress) = watching.recv() => show(&mut screen, &progress, Instant::now()),
            collected = &mut running => break collected,
        }
    };
    screen.finish();
    // A defect in the run itself still leaves a bundle that says so.
    let collected = collected.unwrap_or_else(|_| {
        let ((observations, steps), browser) = (recorder.finish(), recorder.finish_browser());
        Collected { observations, steps, browser, complete: false }
    });
    (collected, side, answers)
}

/// Waits for an answer, and keeps what happens until it comes.
async fn meanwhile<T>(
    asking: impl Future<Output = T>,
    watching: &mut Watching<'_>,
    seen: &mut VecDeque<(Progress, Instant)>,
) -> T {
    tokio::pin!(asking);
    loop {
        tokio::select! {
            answer = &mut asking => return answer,
            Some(progress) = watching.recv() => seen.push_back((progress, Instant::now())),
        }
    }
}

/// What the environment learns from the options and from the probes.
pub(super) fn complete(
    environment: &mut Environment,
    job: &Job,
    collected: &Collected,
    started_at: DateTime<Utc>,
) {
    environment.proxy_settings.clone_from(&job.proxy_settings);
    environment.proxy_choices.clone_from(&job.proxy_choices);
    environment.hints.extend(environment::portal(&collected.observations));
    environment.trust.extra.clone_from(&job.extra_cas);
    environment.trust.problem = environment::trust_problem(&collected.observations);
    environment.clock.skew_s = environment::skew(started_at, &collected.observations);
    environment.agents = agents(environment, job, collected);
    // Browsers sign on to proxies by themselves: whether one is there matters then.
    if collected.observations.iter().any(asks_who_is_there) {
        environment.browser = crate::browser::installed();
    }
}

/// The security agents that show themselves.
fn agents(
    environment: &Environment,
    job: &Job,
    collected: &Collected,
) -> Vec<wss_bundle::environment::Agent> {
    let settings = job.proxy_settings.iter().map(|setting| setting.value.clone());
    let routes = job.config.routes.iter().map(|route| route.route.id.0.clone());
    let proxies: Vec<String> = settings.chain(routes).collect();
    let processes = job.agents.then(environment::agents::processes);
    environment::agents::found(&environment::agents::Signs {
        interfaces: &environment.interfaces,
        resolvers: &environment.dns.name_servers,
        proxies: &proxies,
        observations: &collected.observations,
        processes: processes.as_deref(),
    })
}

/// Whether it is a proxy's 407.
fn asks_who_is_there(seen: &Observation) -> bool {
    let Step::Tunnel(tunnel) = &seen.step else { return false };
    let head = tunnel.result.ok().and_then(|reply| reply.head.as_ref());
    head.and_then(wss_bundle::ResponseHead::status) == Some(407)
}

pub(super) fn bundle(
    job: &Job,
    collected: Collected,
    mut environment: Environment,
    vantage: Vantage,
    started_at: DateTime<Utc>,
) -> Bundle {
    let target = job.config.target.clone();
    let mut routes: Vec<_> = job.config.routes.iter().map(|route| route.route.clone()).collect();
    let moved = followed::settle(&mut routes, &job.then, &collected.observations);
    environment.notes.extend(moved);
    Bundle {
        manifest: Manifest {
            format: Format::default(),
            id: uuid::Uuid::new_v4().to_string(),
            case: job.case.clone(),
            ticket: job.ticket.clone(),
            vantage,
            target: target.clone(),
            collector: Collector {
                version: env!("CARGO_PKG_VERSION").into(),
                os: std::env::consts::OS.into(),
                arch: std::env::consts::ARCH.into(),
            },
            started_at,
            finished_at: Utc::now(),
            complete: collected.complete,
            answers: job.answers.clone(),
            options: job.options.clone(),
            not_used: job.not_used.clone(),
            steps: collected.steps,
            attachments: Vec::new(),
            files: Vec::new(),
        },
        observations: Observations {
            target,
            routes,
            observations: collected.observations,
            browser: wss_handed::har::numbered(job.browser.iter().chain(&collected.browser)),
        },
        environment,
        attachments: job.attachments.clone(),
        redactions: Vec::new(),
        defects: Vec::new(),
    }
}
