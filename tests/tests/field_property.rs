//! Over all recorded cases of the field: what is of no use changes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::Path;
use wss_lab::field::Case;
use wss_lab::field::property::{Probed, complaints};

/// Parts of the cases, so that they run beside each other.
const PARTS: usize = 4;

fn part(number: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("field");
    // Several messages of one case are one kind of input: the first stands for them.
    let mut folders = BTreeMap::new();
    for case in Case::all(&root).unwrap() {
        if case.recorded().is_some() {
            folders.entry(case.folder.clone()).or_insert(case);
        }
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut probed = Probed::default();
    let mut wrong = Vec::new();
    for (at, case) in folders.values().enumerate().filter(|(at, _)| at % PARTS == number) {
        let said = runtime.block_on(complaints(case, &mut probed));
        let said = said.unwrap_or_else(|error| vec![error]);
        wrong.extend(said.into_iter().map(|line| format!("{at} {}: {line}", case.name)));
    }
    runtime.shutdown_background();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_of_no_use_changes_nothing_in_the_first_part() {
    part(0);
}

#[test]
fn what_is_of_no_use_changes_nothing_in_the_second_part() {
    part(1);
}

#[test]
fn what_is_of_no_use_changes_nothing_in_the_third_part() {
    part(2);
}

#[test]
fn what_is_of_no_use_changes_nothing_in_the_fourth_part() {
    part(3);
}
