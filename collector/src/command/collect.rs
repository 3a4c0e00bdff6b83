//! The main job: probe, judge, write the bundle, say what was found.

use super::{FAILS, GIVEN_UP, WORKS, err, fail, out};
use crate::cli::CollectArgs;
use crate::cli::resolve::{Job, job};
use crate::environment;
use crate::run::{Collected, run};
use crate::screen::board::Board;
use crate::screen::verdict::{Written, text};
use crate::screen::{Look, Screen, safe};
use chrono::{DateTime, Utc};
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use wss_bundle::manifest::{Collector, Format};
use wss_bundle::redact::Redactor;
use wss_bundle::write::{self, WriteError};
use wss_bundle::{Bundle, Environment, Manifest, Observations, Vantage};
use wss_diagnosis::{Diagnosis, Status, diagnose};

/// How long an unanswered question keeps the bundle waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a collection; gives the exit code.
#[must_use]
pub fn collect(args: CollectArgs) -> u8 {
    let mut job = match job(args) {
        Ok(job) => job,
        Err(message) => return fail(&message),
    };
    if job.dry_run {
        out(&super::dry_run::text(&job));
        return WORKS;
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
    let started_at = Utc::now();
    let dns = std::mem::take(&mut job.dns);
    let notes = std::mem::take(&mut job.notes);
    let reading = std::thread::spawn(move || environment::read(dns, notes));
    let (collected, vantage) = runtime.block_on(probe(&job));
    // Tasks that hang in the system's resolver are not waited for.
    runtime.shutdown_background();
    let mut environment = reading.join().unwrap_or_default();
    complete(&mut environment, &job, &collected, started_at);
    let bundle = bundle(&job, collected, environment, vantage, started_at);
    finish(&job, bundle, to_stdout)
}

/// Says before probing what would go wrong after it.
fn writable(job: &Job) -> Result<(), String> {
    let path = match &job.output {
        Some(path) if path == Path::new("-") => return Ok(()),
        Some(path) => {
            write::check(path, job.force).map_err(|error| error.to_string())?;
            path.clone()
        }
        None => PathBuf::from("wss.zip"),
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    tempfile::tempfile_in(folder)
        .map(drop)
        .map_err(|error| WriteError::Io { path: folder.to_owned(), error }.to_string())
}

/// Probes, shows progress, and asks meanwhile what only a person knows.
async fn probe(job: &Job) -> (Collected, Vantage) {
    let config = job.config.clone();
    let (progress, mut watching) = mpsc::unbounded_channel();
    let (stop, cancel) = watch::channel(false);
    let signals = tokio::spawn(signals(stop));
    let mut running = tokio::spawn(run(config.clone(), progress, cancel.clone()));

    let ask = job.vantage.is_none()
        && !job.no_input
        && !job.json
        && std::io::stdin().is_terminal()
        && std::io::stderr().is_terminal();
    let vantage = match job.vantage {
        Some(vantage) => vantage,
        None if ask => ask_vantage(cancel).await,
        None => Vantage::Inside,
    };
    let routes = config.routes.iter().map(|route| &route.route);
    let mut screen =
        Screen::new(job.json, Board::new(routes, config.target.scheme, &config.target.paths));
    let collected = loop {
        tokio::select! {
            biased;
            Some(seen) = watching.recv() => screen.progress(&seen),
            collected = &mut running => break collected,
        }
    };
    screen.finish();
    signals.abort();
    // A defect in the run itself still leaves a bundle that says so.
    let collected = collected.unwrap_or_else(|_| Collected {
        observations: Vec::new(),
        steps: Vec::new(),
        complete: false,
    });
    (collected, vantage)
}

/// The first signal stops probing; the second gives up.
async fn signals(stop: watch::Sender<bool>) {
    for given_up in [false, true] {
        interrupted().await;
        if given_up {
            err("\ngiven up: no bundle was written\n");
            std::process::exit(GIVEN_UP);
        }
        err("\nstopping; the bundle is still written (Ctrl-C again gives up)\n");
        let _ = stop.send(true);
    }
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// Asks on which side this machine is. No answer means inside.
async fn ask_vantage(mut cancel: watch::Receiver<bool>) -> Vantage {
    err("Is this machine inside the corporate network, where the browser is? [Y/n] ");
    let _ = std::io::stderr().flush();
    let (answer, answered) = oneshot::channel();
    // A thread of its own: a read that never ends must not keep the program.
    std::thread::spawn(move || {
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).is_ok() {
            let _ = answer.send(line);
        }
    });
    let line = tokio::select! {
        line = answered => line.unwrap_or_default(),
        _ = cancel.wait_for(|stop| *stop) => String::new(),
        () = tokio::time::sleep(PATIENCE) => {
            err("no answer: taken as inside\n");
            String::new()
        }
    };
    match line.trim().to_ascii_lowercase().as_str() {
        "n" | "no" | "outside" => Vantage::Outside,
        _ => Vantage::Inside,
    }
}

/// What the environment learns from the options and from the probes.
fn complete(
    environment: &mut Environment,
    job: &Job,
    collected: &Collected,
    started_at: DateTime<Utc>,
) {
    environment.proxy_settings.clone_from(&job.proxy_settings);
    environment.proxy_choices.clone_from(&job.proxy_choices);
    environment.trust.extra.clone_from(&job.extra_cas);
    environment.trust.problem = environment::trust_problem(&collected.observations);
    environment.clock.skew_s = environment::skew(started_at, &collected.observations);
}

fn bundle(
    job: &Job,
    collected: Collected,
    environment: Environment,
    vantage: Vantage,
    started_at: DateTime<Utc>,
) -> Bundle {
    let target = job.config.target.clone();
    Bundle {
        manifest: Manifest {
            format: Format::default(),
            id: uuid::Uuid::new_v4().to_string(),
            case: job.case.clone(),
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
            steps: collected.steps,
            files: Vec::new(),
        },
        observations: Observations {
            target,
            routes: job.config.routes.iter().map(|route| route.route.clone()).collect(),
            observations: collected.observations,
        },
        environment,
        redactions: Vec::new(),
        defects: Vec::new(),
    }
}

/// Removes secrets, judges what is left, writes it, and says so.
fn finish(job: &Job, bundle: Bundle, to_stdout: bool) -> u8 {
    let mut redactor = Redactor::new();
    for (kind, secret) in &job.secrets {
        redactor.secret(kind, secret);
    }
    let redacted = redactor.bundle(bundle);
    let bundle = redacted.get();
    let diagnosis = diagnose(std::slice::from_ref(bundle));
    let path = job.output.clone().unwrap_or_else(|| default_name(bundle));
    let written = if to_stdout {
        write::bytes(&redacted, &[]).and_then(|bytes| {
            let io = |error| WriteError::Io { path: "standard output".into(), error };
            let mut stdout = std::io::stdout();
            stdout.write_all(&bytes).and_then(|()| stdout.flush()).map_err(io)?;
            Ok(bytes.len() as u64)
        })
    } else {
        write::file(&redacted, &[], &path, job.force)
    };
    let shown = path.display().to_string();
    say(
        job,
        &diagnosis,
        bundle,
        written.as_ref().ok().map(|bytes| (shown.as_str(), *bytes)),
        to_stdout,
    );
    match written {
        Err(error) => fail(&error.to_string()),
        Ok(_) if diagnosis.verdict.status == Status::Working => WORKS,
        Ok(_) => FAILS,
    }
}

fn say(
    job: &Job,
    diagnosis: &Diagnosis,
    bundle: &Bundle,
    written: Option<(&str, u64)>,
    to_stdout: bool,
) {
    if job.json {
        // Without a bundle there is no result for a script, only an error.
        let Some((path, _)) = written else { return };
        let all = serde_json::json!({ "bundle": path, "diagnosis": diagnosis });
        match serde_json::to_string_pretty(&all) {
            Ok(json) => out(&format!("{json}\n")),
            Err(error) => err(&format!("error: the verdict is not printable: {error}\n")),
        }
        return;
    }
    let written = written.map(|(path, bytes)| Written { path, bytes });
    if to_stdout {
        err(&text(diagnosis, bundle, written.as_ref(), Look::of(&std::io::stderr())));
    } else {
        out(&text(diagnosis, bundle, written.as_ref(), Look::of(&std::io::stdout())));
    }
}

/// `wss-<host>-<vantage>-<UTC time>.zip`, with nothing in it that a file system
/// or a shell minds.
fn default_name(bundle: &Bundle) -> PathBuf {
    let manifest = &bundle.manifest;
    let host: String = safe(&manifest.target.host)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' })
        .take(100)
        .collect();
    let time = manifest.started_at.format("%Y%m%dT%H%M%SZ");
    PathBuf::from(format!("wss-{host}-{}-{time}.zip", manifest.vantage.as_str()))
}
