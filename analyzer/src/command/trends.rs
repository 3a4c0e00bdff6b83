//! `trends`: bundles into the store, and the page of what is in it.

use super::{DONE, NOTHING, SOME_BAD, complain, identities};
use crate::cli::TrendsArgs;
use crate::files;
use crate::intake::progress::{Counts, Progress};
use crate::intake::take_in::{self, Into};
use crate::intake::{self, Counter};
use crate::store::query::Answers;
use crate::store::{self, Store};
use std::path::Path;
use std::sync::{Arc, Mutex};
use wss_bundle::sealed::Identities;
use wss_report::templates::Templates;

/// Bytes of a file with query results. Over ten years and every device there are some 50 MB.
const RESULTS: u64 = 512 << 20;

/// Takes bundles in and draws the page; gives the exit code.
#[must_use]
pub fn trends(args: &TrendsArgs) -> u8 {
    match run(args) {
        Ok(code) => code,
        Err(message) => {
            complain(&message);
            NOTHING
        }
    }
}

fn run(args: &TrendsArgs) -> Result<u8, String> {
    let mut code = DONE;
    if args.results.is_none() {
        let identities = identities(args.identity.as_deref())?;
        // Without anything to take in, a wrong folder must not become an empty store.
        if !args.paths.is_empty() || args.rejudge {
            let mut store = Store::open(&args.store)?;
            if !args.paths.is_empty() {
                let counts = take_in(&mut store, args, identities)?;
                if counts.bad > 0 {
                    code = if counts.new + counts.known == 0 { NOTHING } else { SOME_BAD };
                }
            }
            if args.rejudge {
                rejudge(&mut store)?;
            }
        }
    }
    let templates = args.template.as_deref().map_or_else(
        || Ok(Templates::default()),
        |folder| Templates::with_own(folder).map_err(|error| format!("--template {error}")),
    )?;
    let (answers, store) = match &args.results {
        Some(file) => (results(file)?, None),
        None => (store::Reader::open(&args.store)?.named()?, args.store.to_str()),
    };
    let text = crate::trends::page(&answers, store, &templates)
        .map_err(|error| format!("the page could not be made: {error}"))?;
    if args.output == Path::new("-") {
        super::out(&text)?;
    } else {
        files::replace(&args.output, &text)?;
        super::out(&format!("{}\n", args.output.display()))?;
    }
    Ok(code)
}

/// Answers that a fleet has computed.
fn results(file: &Path) -> Result<Answers, String> {
    let at = |error: &dyn std::fmt::Display| format!("--results {}: {error}", file.display());
    let size = std::fs::metadata(file).map_err(|error| at(&error))?.len();
    if size > RESULTS {
        return Err(at(&format!("{size} bytes are more than the {RESULTS} that are read")));
    }
    let text = std::fs::read(file).map_err(|error| at(&error))?;
    serde_json::from_slice(&text)
        .map_err(|error| at(&format!("not what the fleet writes: {error}")))
}

fn take_in(
    store: &mut Store,
    args: &TrendsArgs,
    identities: Option<Identities>,
) -> Result<Counts, String> {
    let counter = Counter::start(&args.paths);
    let places = Arc::new(Mutex::new(store::Reader::open(&args.store)?));
    let known = move |url: &str| places.lock().is_ok_and(|store| store.has_source(url));
    let inputs = intake::inputs(&args.paths, known);
    let mut progress = Progress::new(counter.total());
    let into = Into { store, folder: &args.store, identities };
    let counts = take_in::take_in(into, inputs, &mut progress, || counter.total(), |_, _| ())?;
    let Counts { new, known, bad } = counts;
    progress.say(&format!("{new} new, {known} known already, {bad} bad"));
    Ok(counts)
}

fn rejudge(store: &mut Store) -> Result<(), String> {
    let mut progress = Progress::new(None);
    let done = store.rejudge(|done, all| {
        progress.of(all);
        progress.tell(Counts { new: done, ..Counts::default() });
    })?;
    progress.done();
    progress.say(&format!(
        "{} judged again by rules {}, {} of them differently{}",
        done.again,
        wss_diagnosis::rules_version(),
        done.changed,
        if done.left > 0 {
            format!("; {} could not be read and stay", done.left)
        } else {
            String::new()
        }
    ));
    Ok(())
}
