//! The ways in for what strangers wrote, as `fuzz/` has them: the corpus and
//! whatever fuzzing ever found are read again, and then seeded mutations.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![allow(clippy::print_stdout, reason = "the seed, and how much was tried")]

#[path = "../../fuzz/src/targets.rs"]
#[allow(unreachable_pub, reason = "the same file is a library in fuzz/")]
mod targets;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use targets::{ALL, Entry};

/// For each way in, after what is known was read.
const TIME: Duration = Duration::from_millis(1500);
/// One input; a thousand times what any takes.
const HANG: Duration = Duration::from_secs(20);

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn run(name: &str, entry: Entry, input: &[u8], origin: &str) {
    let begun = Instant::now();
    if std::panic::catch_unwind(|| entry(input)).is_err() {
        let path = std::env::temp_dir().join(format!("wss-fuzz-{name}"));
        std::fs::write(&path, input).unwrap();
        panic!("{name}: {origin}; the input is in {}", path.display());
    }
    assert!(begun.elapsed() < HANG, "{name}: {origin} took {:?}", begun.elapsed());
}

fn mutated(known: &[Vec<u8>], next: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut out = known[next(known.len())].clone();
    for _ in 0..=next(6) {
        let at = next(out.len() + 1);
        match next(6) {
            0 if at < out.len() => out[at] ^= 1 << next(8),
            1 if at < out.len() => out[at] = next(256) as u8,
            2 => drop(out.drain(at..(at + next(64)).min(out.len()))),
            3 => {
                let other = &known[next(known.len())];
                let from = next(other.len() + 1);
                let part = other[from..(from + next(300)).min(other.len())].to_vec();
                out.splice(at..at, part);
            }
            4 => {
                const WORDS: [&[u8]; 10] = [
                    b"\0",
                    b"\r\n\r\n",
                    b"{",
                    b"\"",
                    b"\\",
                    b"<script>",
                    b"\xff\xff\xff\xff",
                    b"99999999999999999999",
                    b"\xe2\x80\xae",
                    b"\x1b[",
                ];
                out.splice(
                    at..at,
                    WORDS[next(WORDS.len())].iter().copied().cycle().take(1 + next(40)),
                );
            }
            _ => out.truncate(at.max(1)),
        }
    }
    out
}

fn try_all(some: impl Fn(usize) -> bool) {
    let seed = std::env::var("WSS_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()) ^ 0xf0dd);
    println!("WSS_SEED={seed} does the same again");
    for (_, (name, entry)) in ALL.into_iter().enumerate().filter(|(at, _)| some(*at)) {
        let mut known = files(&fuzz().join("corpus").join(name));
        assert!(!known.is_empty(), "{name} has no corpus");
        known.extend(files(&fuzz().join("regressions").join(name)));
        for (at, input) in known.iter().enumerate() {
            run(name, entry, input, &format!("known input {at}"));
        }
        let mut state = seed;
        let mut next = |most: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((state >> 33) % most.max(1) as u64).unwrap()
        };
        let (begun, mut tried) = (Instant::now(), 0);
        while begun.elapsed() < TIME {
            let input = mutated(&known, &mut next);
            run(name, entry, &input, &format!("seed {seed}, mutation {tried}"));
            tried += 1;
        }
        println!("{name}: {tried} mutations");
        assert!(tried > 0);
    }
}

#[test]
fn every_way_in_stands_mutations() {
    try_all(|at| at % 2 == 0);
}

#[test]
fn every_other_way_in_stands_mutations() {
    try_all(|at| at % 2 == 1);
}

/// A program and a corpus for each.
#[test]
fn every_way_in_is_fuzzed() {
    let names: BTreeSet<String> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    let listed = |folder: &str, ending: &str| -> BTreeSet<String> {
        std::fs::read_dir(fuzz().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| name.trim_end_matches(ending).to_owned())
            .collect()
    };
    assert_eq!(listed("fuzz_targets", ".rs"), names);
    assert_eq!(listed("corpus", ""), names);
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in &names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
