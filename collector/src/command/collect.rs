//! The main job: probe, judge, write the bundle, say what was found.

use super::gather::{Judged, Manner, gather, judged};
use super::partial::{Place, left_behind};
use super::store::{Stored, folder_of, map_path, store};
use super::{err, exit_code, fail, out, runtime, signals, warm};
use crate::cli::CollectArgs;
use crate::cli::resolve::{Job, job};
use crate::screen::verdict::{Written, text};
use crate::screen::{Look, safe};
use std::path::{Path, PathBuf};
use tokio::sync::watch;
use wss_bundle::Bundle;
use wss_bundle::sealed::Recipients;
use wss_bundle::write::{self, WriteError};
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
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(message) => return fail(&message),
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
    let manner = Manner {
        quiet: job.json,
        partial: Some(partial.clone()),
        stopping: "stopping; the bundle is still written (Ctrl-C again gives up)",
    };
    let bundle = runtime.block_on(gather(&mut job, cancel, &manner));
    let code = finish(&job, bundle, to_stdout, &partial);
    // Till here for the second Ctrl-C. Tasks that hang in the system's resolver
    // are not waited for.
    runtime.shutdown_background();
    code
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

/// Removes secrets, judges what is left, writes it, and says so.
fn finish(job: &Job, bundle: Bundle, to_stdout: bool, partial: &Place) -> u8 {
    let Judged { redacted, diagnosis } = judged(job, bundle);
    // The user sees the names; what is sent, and what a script passes on, has tokens.
    let bundle = redacted.get();
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
