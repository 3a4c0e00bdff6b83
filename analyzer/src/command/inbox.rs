//! `inbox`: reports for what arrives.

use super::{DONE, NOTHING, SOME_BAD, complain, identities, out};
use crate::cli::InboxArgs;
use crate::inbox::arrival::Arrivals;
use crate::inbox::{Inbox, Pass};
use std::time::Duration;
use wss_report::templates::Templates;

/// Takes in and draws, once or for ever; gives the exit code.
#[must_use]
pub fn inbox(args: &InboxArgs) -> u8 {
    match run(args) {
        Ok(code) => code,
        Err(message) => {
            complain(&message);
            NOTHING
        }
    }
}

fn run(args: &InboxArgs) -> Result<u8, String> {
    let mut arrivals = Arrivals::of(&args.source);
    let to = match &args.to {
        Some(to) => to.clone(),
        None if arrivals.is_bucket() => {
            return Err("a bucket takes no reports: name a folder for them with --to".to_owned());
        }
        None => arrivals.source().to_owned(),
    };
    if !arrivals.is_bucket() && !arrivals.source().is_dir() {
        return Err(format!("{}: it is no folder", args.source.display()));
    }
    let templates = args.template.as_deref().map_or_else(
        || Ok(Templates::default()),
        |folder| Templates::with_own(folder).map_err(|error| format!("--template {error}")),
    )?;
    let identities = identities(args.identity.as_deref())?;
    let mut inbox = Inbox::new(args.store.clone(), to, identities, templates, args.on_case.clone());
    if !args.follow {
        let pass = inbox.pass(&mut arrivals, true)?;
        let code = told(&pass)?;
        let counts = pass.counts;
        let cases = pass.drawn.len();
        super::note(&format!(
            "{} new, {} known already, {} bad; {cases} cases drawn",
            counts.new, counts.known, counts.bad
        ));
        return Ok(code);
    }
    loop {
        // A store or a bucket that does not answer now may answer later.
        match inbox.pass(&mut arrivals, false) {
            Ok(pass) => {
                told(&pass)?;
            }
            Err(message) => {
                complain(&message);
                arrivals.forget();
            }
        }
        std::thread::sleep(Duration::from_secs(args.every));
    }
}

/// Says what a pass did: a line for each case on standard output, what failed on standard
/// error.
fn told(pass: &Pass) -> Result<u8, String> {
    let mut code = if pass.counts.bad > 0 { SOME_BAD } else { DONE };
    for drawn in &pass.drawn {
        let verdict = &drawn.diagnosis.verdict;
        let line = format!(
            "{}  {}  {}  {}",
            drawn.case,
            verdict.status.slug(),
            verdict.cause.slug(),
            drawn.report.display()
        );
        out(&format!("{}\n", super::clean(&line)))?;
        for why in &drawn.gone {
            complain(&format!("{}: drawn without {why}", drawn.case));
            code = SOME_BAD;
        }
        if let Some(why) = &drawn.untold {
            complain(&format!("{}: {why}; it is run again with the next pass", drawn.case));
            code = SOME_BAD;
        }
    }
    for message in &pass.failed {
        complain(message);
        code = SOME_BAD;
    }
    Ok(code)
}
