//! Gives the rules a version: a hash of everything that a verdict depends on
//! in this crate, its sources and its signatures. Whoever stores verdicts
//! (the analyzer's trends) knows by it which ones to judge again.
//!
//! And writes all signatures into one JSON text, without their samples: what is
//! shipped has no use for these, nor for a parser of TOML.

use std::path::{Path, PathBuf};

fn main() {
    let mut files = Vec::new();
    for folder in ["src", "signatures"] {
        println!("cargo:rerun-if-changed={folder}");
        collect(Path::new(folder), &mut files);
    }
    files.sort();
    if let Err(error) = signatures(&files) {
        println!("cargo:error={error}");
    }
    // FNV-1a, 64 bits: nobody attacks it, and it needs no crate.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for file in files {
        let content = std::fs::read(&file).unwrap_or_default();
        let name = file.to_string_lossy().replace('\\', "/");
        // Line ends differ between checkouts, verdicts do not.
        for byte in name.bytes().chain([0]).chain(content).filter(|byte| *byte != b'\r') {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    println!("cargo:rustc-env=WSS_RULES_HASH={hash:016x}");
}

/// `signatures.json`: an array, by file name.
fn signatures(files: &[PathBuf]) -> Result<(), String> {
    let mut all = Vec::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|e| e == "toml")) {
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| at(&error))?;
        let mut one: toml::Table = toml::from_str(&text).map_err(|error| at(&error))?;
        one.remove("sample");
        all.push(one);
    }
    let folder = std::env::var("OUT_DIR").map_err(|error| error.to_string())?;
    let json = serde_json::to_vec(&all).map_err(|error| error.to_string())?;
    std::fs::write(Path::new(&folder).join("signatures.json"), json)
        .map_err(|error| error.to_string())
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into);
        } else {
            into.push(path);
        }
    }
}
