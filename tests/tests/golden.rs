//! Golden pages: bundles recorded from scenarios (`tests/golden/NAME/*.zip`),
//! the page and the draft reply that are made of them today (`page.html`,
//! `reply.md`), and what the scenario's expert says of them. A change of rules
//! or templates shows here as a difference that a person reads and accepts:
//!
//! ```text
//! UPDATE_GOLDEN=1 cargo nextest run -p wss-lab --test golden
//! ```
//!
//! Recorded anew are the bundles only when the format changes, so that those
//! of earlier collectors stay readable:
//! `wss-lab scenario tests/scenarios/NAME --record tests/golden/NAME`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use wss_bundle::Bundle;
use wss_bundle::read::{self, Limits};
use wss_diagnosis::{Cause, diagnose};
use wss_lab::field::replaced::replaced;
use wss_lab::scenario;
use wss_report::{Case, html, markdown};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn recorded() -> Vec<PathBuf> {
    scenario::all(&root().join("golden")).unwrap()
}

fn bundles(folder: &Path) -> Vec<Bundle> {
    let mut zips: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "zip"))
        .collect();
    zips.sort();
    assert!(!zips.is_empty(), "{}: no bundle in it", folder.display());
    zips.iter()
        .map(|zip| {
            let bundle = read::file(zip, &Limits::default()).unwrap().bundle;
            assert_eq!(bundle.defects, [], "{}", zip.display());
            bundle
        })
        .collect()
}

/// What a reviewer reads: without style and script, which have files of their
/// own, and without the two sections that list what was recorded as it is.
fn normalised(page: &str) -> String {
    let mut out = page.to_owned();
    for (from, to) in [
        ("<style", "</style>"),
        ("<script", "</script>"),
        ("<meta http-equiv=\"Content-Security-Policy\"", ">"),
        ("<section id=\"observations\"", "</section>"),
        ("<section id=\"timeline\"", "</section>"),
    ] {
        while let Some(start) = out.find(from) {
            let end = out[start..].find(to).expect("an end") + start + to.len();
            out.replace_range(start..end, "");
        }
    }
    // A line for each piece, so that a difference is short.
    out.replace("><", ">\n<").lines().map(str::trim).filter(|line| !line.is_empty()).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    )
}

/// Compares with a file, or writes it; gives a complaint.
fn compare(file: &Path, now: &str) -> Option<String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(file, now).unwrap();
        return None;
    }
    let then = std::fs::read_to_string(file).unwrap_or_default();
    if then == now {
        return None;
    }
    let differs = then.lines().zip(now.lines()).position(|(a, b)| a != b);
    let at = differs.unwrap_or_else(|| then.lines().count().min(now.lines().count()));
    Some(format!(
        "{} line {}:\n  was {:?}\n  is  {:?}",
        file.display(),
        at + 1,
        then.lines().nth(at).unwrap_or("(nothing)"),
        now.lines().nth(at).unwrap_or("(nothing)")
    ))
}

#[test]
fn pages_and_replies_are_as_they_were_accepted() {
    let mut changed = Vec::new();
    for folder in recorded() {
        let bundles = bundles(&folder);
        let diagnosis = diagnose(&bundles);
        let case = Case::new(&diagnosis, &bundles);
        let page = html::render(&case).unwrap();
        changed.extend(compare(&folder.join("page.html"), &normalised(&page)));
        changed.extend(compare(&folder.join("reply.md"), &markdown::render(&case)));
    }
    assert!(
        changed.is_empty(),
        "read the differences, and accept them with UPDATE_GOLDEN=1:\n{}",
        changed.join("\n")
    );
}

/// A bundle collected then is judged by the rules of today as the expert judged it.
#[test]
fn recorded_bundles_get_the_experts_verdict() {
    let mut wrong = Vec::new();
    for folder in recorded() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let expected = scenario::read(&root().join("scenarios").join(name)).unwrap().expect;
        let verdict = diagnose(&bundles(&folder)).verdict;
        let location = serde_json::to_value(verdict.location).unwrap();
        let told = format!("{} {}", verdict.cause.slug(), location.as_str().unwrap());
        let meant = format!("{} {}", expected.cause, expected.location);
        if told != meant {
            wrong.push(format!("{name}: expected {meant}, got {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every cause that a scenario shows has a golden page.
#[test]
fn every_cause_of_the_scenarios_is_there() {
    let mut causes: Vec<&str> = Vec::new();
    let all: Vec<_> =
        recorded().iter().map(|folder| diagnose(&bundles(folder)).verdict.cause).collect();
    causes.extend(all.iter().map(|cause| Cause::slug(*cause)));
    let mut missing: Vec<String> = scenario::all(&root().join("scenarios"))
        .unwrap()
        .iter()
        .map(|folder| scenario::read(folder).unwrap().expect.cause)
        .filter(|cause| !causes.contains(&cause.as_str()))
        .collect();
    missing.sort();
    missing.dedup();
    assert!(missing.is_empty(), "no golden page for {missing:?}");
}

/// Every bundle that is recorded: the goldens', and those that many are made of.
fn every_bundle() -> Vec<(String, Vec<Bundle>)> {
    let named = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut all: Vec<_> =
        recorded().iter().map(|folder| (named(folder), bundles(folder))).collect();
    let mut bases: Vec<PathBuf> = std::fs::read_dir(root().join("src/generate/base"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "zip"))
        .collect();
    bases.sort();
    all.extend(bases.iter().map(|zip| {
        let bundle = read::file(zip, &Limits::default()).unwrap().bundle;
        (named(zip), vec![bundle])
    }));
    all
}

/// Two parts, on two cores.
fn half(part: usize) {
    let (mut wrong, mut answers, mut among_others) = (Vec::new(), 0, 0);
    for (name, bundles) in every_bundle().into_iter().skip(part).step_by(2) {
        let told = replaced(&bundles, 1, 0);
        answers += told.answers;
        among_others += told.among_others;
        wrong.extend(told.wrong.iter().map(|complaint| format!("{name}: {complaint}")));
    }
    assert!(answers > 200 && among_others > 2, "{answers}, {among_others}");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_single_answer_that_is_another_makes_a_confident_other_verdict_in_the_first_half() {
    half(0);
}

#[test]
fn no_single_answer_that_is_another_makes_a_confident_other_verdict_in_the_second_half() {
    half(1);
}
