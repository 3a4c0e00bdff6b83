//! `report`: one case in, one report out.

use super::{DONE, NOT_WORKING, NOTHING, SOME_BAD, complain, identities, out};
use crate::cli::{Format, ReportArgs};
use crate::files;
use std::path::{Path, PathBuf};
use wss_bundle::read::{self, Limits, Opened};
use wss_bundle::sealed::Identities;
use wss_diagnosis::signature::Signatures;
use wss_diagnosis::{Status, diagnose_with};
use wss_report::templates::Templates;
use wss_report::{self as report, Case};

/// Writes a report; gives the exit code.
#[must_use]
pub fn report(args: &ReportArgs) -> u8 {
    let signatures = match signatures(args.signatures.as_deref()) {
        Ok(signatures) => signatures,
        Err(message) => {
            complain(&message);
            return NOTHING;
        }
    };
    let templates = args.template.as_deref().map_or_else(
        || Ok(Templates::default()),
        |folder| Templates::with_own(folder).map_err(|error| format!("--template {error}")),
    );
    let templates = match templates {
        Ok(templates) => templates,
        Err(message) => {
            complain(&message);
            return NOTHING;
        }
    };
    let identities = match identities(args.identity.as_deref()) {
        Ok(identities) => identities,
        Err(message) => {
            complain(&message);
            return NOTHING;
        }
    };
    let (opened, bad) = open(&args.bundles, identities.as_ref());
    if opened.is_empty() {
        complain("no bundle could be read; nothing was written");
        return NOTHING;
    }
    let bundles: Vec<_> = opened.into_iter().map(|one| one.bundle).collect();
    let signatures = signatures.as_ref().unwrap_or(Signatures::built_in());
    let diagnosis = diagnose_with(&bundles, signatures);
    let case = Case::with(&diagnosis, &bundles, signatures);
    let text = match args.format {
        Format::Html => report::html::render_with(&case, &templates),
        Format::Json => report::json(&diagnosis),
        Format::Markdown => Ok(report::markdown::render(&case)),
        Format::Patch => {
            let patch = report::patch(&diagnosis);
            if patch.is_empty() {
                complain(
                    "nothing to mend in configurations: none was given, or no line of theirs that a \
                     diff could change",
                );
            }
            Ok(patch)
        }
    };
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            complain(&format!("the report could not be made: {error}"));
            return NOTHING;
        }
    };
    if let Err(message) = write(args, &text) {
        complain(&message);
        return NOTHING;
    }
    if args.check && diagnosis.verdict.status != Status::Working {
        return NOT_WORKING;
    }
    if bad { SOME_BAD } else { DONE }
}

/// The built-in signatures, unless a folder adds some.
fn signatures(folder: Option<&Path>) -> Result<Option<Signatures>, String> {
    let Some(folder) = folder else { return Ok(None) };
    let at = |error: &dyn std::fmt::Display| format!("--signatures {}: {error}", folder.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|error| at(&error))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(at(&"no *.toml in it"));
    }
    let texts = files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            Ok((path.display().to_string(), text))
        })
        .collect::<Result<Vec<_>, String>>()?;
    let texts: Vec<(&str, &str)> =
        texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Signatures::with_extra(&texts).map(Some).map_err(|error| at(&error))
}

/// Reads what can be read, one of each; the rest is said. True when some was bad.
fn open(paths: &[PathBuf], identities: Option<&Identities>) -> (Vec<Opened>, bool) {
    let mut opened: Vec<Opened> = Vec::new();
    let mut bad = false;
    for path in paths {
        match read::file_with(path, &Limits::default(), identities) {
            Ok(one) => {
                let id = &one.bundle.manifest.id;
                if opened.iter().any(|other| other.bundle.manifest.id == *id) {
                    complain(&format!("{}: given twice; counted once", path.display()));
                    bad = true;
                } else {
                    say_what_is_damaged(path, &one);
                    opened.push(one);
                }
            }
            Err(error) => {
                complain(&error.to_string());
                bad = true;
            }
        }
    }
    (opened, bad)
}

/// The page names every defect; here one line says that there are some.
fn say_what_is_damaged(path: &Path, opened: &Opened) {
    let defects = &opened.bundle.defects;
    let Some(first) = defects.first() else { return };
    let more = match defects.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more: wss-analyzer verify lists them)"),
    };
    complain(&format!("{}: judged by what could be read: {first}{more}", path.display()));
}

fn write(args: &ReportArgs, text: &str) -> Result<(), String> {
    let default = (args.format == Format::Html).then(|| PathBuf::from("report.html"));
    let Some(path) = args.output.clone().or(default).filter(|path| path != Path::new("-")) else {
        if args.open {
            return Err("--open needs a file to open: name one with -o".to_owned());
        }
        return out(text);
    };
    files::replace(&path, text)?;
    out(&format!("{}\n", path.display()))?;
    if args.open {
        open_in_browser(&path)?;
    }
    Ok(())
}

fn open_in_browser(path: &Path) -> Result<(), String> {
    let (program, first): (&str, &[&str]) = if cfg!(target_os = "windows") {
        ("explorer", &[])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    std::process::Command::new(program)
        .args(first)
        .arg(path)
        .spawn()
        .map(drop)
        .map_err(|error| format!("{program}: {error}; open {} yourself", path.display()))
}
