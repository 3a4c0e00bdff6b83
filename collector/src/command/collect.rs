//! The main job: probe, judge, write the bundle, say what was found.

use super::partial::{Place, Watching, left_behind};
use super::so_far::SoFar;
use super::store::{Stored, folder_of, map_path, store};
use super::{ask, err, exit_code, fail, out, signals, warm};
use crate::browser;
use crate::cli::CollectArgs;
use crate::cli::resolve::{Job, job};
use crate::environment;
use crate::proxy::followed;
use crate::proxy::pac::load::Loader;
use crate::run::{Collected, Progress, run};
use crate::screen::board::Board;
use crate::screen::verdict::{Written, text};
use crate::screen::{Look, Screen, safe};
use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tokio::sync::{mpsc, watch};
use wss_bundle::manifest::{Answers, Collector, Format, StepOutcome, StepRecord};
use wss_bundle::sealed::Recipients;
use wss_bundle::write::{self, WriteError};
use wss_bundle::{Bundle, Environment, Manifest, Observation, Observations, Vantage};
use wss_diagnosis::{Diagnosis, diagnose};

/// Runs a collection; gives the exit code.
#[must_use]
pub fn collect(args: CollectArgs) -> u8 {
    let mut job = match job(args) {
        Ok(job) => job,
        Err(message) => return fail(&message),
    };
    if job.dry_run {
        return out(&super::dry_run::text(&job));
    }
    let to_stdout = job.output.as_deref() == Some(Path::new("-"));
    if to_stdout && job.json {
        return fail("--json and --output - both want standard output; give one of them a file");
    }
    if let Err(message) = writable(&job) {
        return fail(&message);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    for warning in &job.warnings {
        err(&format!("warning: {}\n", safe(warning)));
    }
    for file in left_behind(&job) {
        err(&format!("note: {file}\n"));
    }
    warm::up();
    let (stop, cancel) = watch::channel(false);
    let partial = Place::default();
    runtime.spawn(signals::watch(stop, partial.clone()));
    let asked = runtime.block_on(ask_pac_files(&mut job, cancel.clone()));
    let page = runtime.block_on(super::address::settle(&mut job, cancel.clone()));
    // Observations count from here.
    let started_at = Utc::now();
    let dns = std::mem::take(&mut job.dns);
    let notes = std::mem::take(&mut job.notes);
    let reading = std::thread::spawn(move || environment::read(dns, notes));
    let nat64 = runtime.spawn(nat64(job.config.name_servers.clone()));
    let (mut collected, vantage, answers) =
        runtime.block_on(probe(&job, cancel, started_at, &partial));
    collected.observations.extend(page.map(|page| numbered_after(page, &collected)));
    job.answers = answers;
    collected.steps.splice(0..0, asked);
    let mut environment = reading.join().unwrap_or_default();
    environment.nat64 = runtime.block_on(nat64).unwrap_or_default();
    complete(&mut environment, &job, &collected, started_at);
    let bundle = bundle(&job, collected, environment, vantage, started_at);
    let code = finish(&job, bundle, to_stdout, &partial);
    // Till here for the second Ctrl-C. Tasks that hang in the system's resolver
    // are not waited for.
    runtime.shutdown_background();
    code
}

/// What was asked before all else, as the last of the observations.
fn numbered_after(mut page: Observation, collected: &Collected) -> Observation {
    page.id = format!("o{}", collected.observations.len() + 1);
    page
}

/// Says before probing what would go wrong after it.
fn writable(job: &Job) -> Result<(), String> {
    if let Some(path) = map_path(job) {
        write::check(&path, job.force).map_err(|error| error.to_string())?;
    }
    let path = match &job.output {
        Some(path) if path == Path::new("-") => return Ok(()),
        Some(path) => {
            write::check(path, job.force).map_err(|error| error.to_string())?;
            path.clone()
        }
        None => PathBuf::from("wss.zip"),
    };
    let folder = folder_of(&path);
    tempfile::tempfile_in(folder)
        .map(drop)
        .map_err(|error| WriteError::Io { path: folder.to_owned(), error }.to_string())
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
async fn ask_pac_files(job: &mut Job, cancel: watch::Receiver<bool>) -> Vec<StepRecord> {
    let files = std::mem::take(&mut job.pac_files);
    if files.is_empty() {
        return Vec::new();
    }
    if !job.json {
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
    for (file, why) in answers.iter().filter_map(|(f, a)| Some((f, a.as_ref().err()?))) {
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
    partial: &Place,
) -> (Collected, Vantage, Answers) {
    let config = job.config.clone();
    let (progress, watching) = mpsc::unbounded_channel();
    let mut watching = Watching::new(watching, job, started_at, partial.clone());
    let mut running = tokio::spawn(run(config.clone(), progress, cancel.clone()));

    // Lines that are redrawn would overwrite the question: what happens until
    // it is answered is shown after it.
    let mut seen = VecDeque::new();
    let mut side = job.vantage.unwrap_or(Vantage::Inside);
    let mut answers = job.answers.clone();
    if ask::wanted(job) {
        let mut person = ask::Person::new(cancel.clone());
        side = meanwhile(person.vantage(), &mut watching, &mut seen).await;
        let mut known = SoFar::default();
        seen.iter().for_each(|(progress, _)| known.note(progress));
        answers = meanwhile(person.answers(job, &known, side), &mut watching, &mut seen).await;
    }
    let routes = config.routes.iter().map(|route| &route.route);
    let board = Board::new(routes, config.target.scheme, &config.target.paths);
    let mut screen = Screen::new(job.json, board, job.redactor());
    let mut so_far = SoFar::default();
    let mut show = |screen: &mut Screen, progress: &Progress, at: Instant| {
        screen.progress(progress, at);
        if let Some(line) = so_far.take(progress, job, side)
            && !job.json
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
            Ok(()) = cancel.changed() => screen.say(signals::STOPPING),
            Some(progress) = watching.recv() => show(&mut screen, &progress, Instant::now()),
            collected = &mut running => break collected,
        }
    };
    screen.finish();
    // A defect in the run itself still leaves a bundle that says so.
    let collected = collected.unwrap_or_else(|_| Collected {
        observations: Vec::new(),
        steps: Vec::new(),
        browser: Vec::new(),
        complete: false,
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
            browser: browser::numbered(job.browser.iter().chain(&collected.browser)),
        },
        environment,
        attachments: job.attachments.clone(),
        redactions: Vec::new(),
        defects: Vec::new(),
    }
}

/// Removes secrets, judges what is left, writes it, and says so.
fn finish(job: &Job, bundle: Bundle, to_stdout: bool, partial: &Place) -> u8 {
    let mut redactor = job.redactor();
    redactor.removed_before(&job.removed);
    let redacted = write::fitted(redactor.bundle(bundle));
    // The user sees the names; what is sent, and what a script passes on, has tokens.
    let bundle = redacted.get();
    let diagnosis = diagnose(std::slice::from_ref(bundle));
    let mut map = job.obfuscate.clone();
    let sent = match map.as_mut().map(|map| map.bundle(&redacted)).transpose() {
        Ok(sent) => sent,
        Err(error) => return fail(&format!("the names could not be replaced: {error}")),
    };
    let judged = sent.as_ref().map(|sent| diagnose(std::slice::from_ref(sent.get())));
    let written = store(job, sent.as_ref().unwrap_or(&redacted), map.as_ref());
    let for_scripts = judged.as_ref().filter(|_| job.json);
    say(job, for_scripts.unwrap_or(&diagnosis), bundle, written.as_ref().ok(), to_stdout);
    match (written, partial.get()) {
        (Ok(_), _) => {
            partial.forget();
            exit_code(diagnosis.verdict.status)
        }
        (Err(error), Some(path)) => {
            fail(&format!("{error}; most of what was gathered is in {}", path.display()))
        }
        (Err(error), None) => fail(&error.to_string()),
    }
}

fn say(
    job: &Job,
    diagnosis: &Diagnosis,
    bundle: &Bundle,
    written: Option<&Stored>,
    to_stdout: bool,
) {
    if job.json {
        // Without a bundle there is no result for a script, only an error.
        let Some(stored) = written else { return };
        let mut all = serde_json::json!({
            "bundle": stored.path.display().to_string(),
            "diagnosis": diagnosis,
        });
        if let Some(names) = &stored.names {
            all["names"] = names.display().to_string().into();
        }
        match serde_json::to_string_pretty(&all) {
            Ok(json) => {
                // The exit code stays the verdict's: the bundle is there.
                let _ = out(&format!("{json}\n"));
            }
            Err(error) => err(&format!("error: the verdict is not printable: {error}\n")),
        }
        return;
    }
    let sealed_to = job.recipients.as_ref().map(Recipients::shown).unwrap_or_default();
    let path = written.map(|stored| stored.path.display().to_string()).unwrap_or_default();
    let names = written.and_then(|stored| Some(stored.names.as_ref()?.display().to_string()));
    let written = written.map(|stored| Written {
        path: &path,
        bytes: stored.bytes,
        sealed_to,
        names: names.as_deref(),
    });
    if to_stdout {
        err(&text(diagnosis, bundle, written.as_ref(), Look::of(&std::io::stderr())));
    } else {
        let _ = out(&text(diagnosis, bundle, written.as_ref(), Look::of(&std::io::stdout())));
    }
}
