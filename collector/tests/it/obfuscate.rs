//! `--obfuscate`: what is sent has tokens, and the map stays here.

use crate::server::{Server, Upgrades, collector, text};
use std::path::Path;
use std::process::Output;
use wss_bundle::read::{self, Limits};

/// Collects from a server that has a name, by `--resolve`.
fn collect(folder: &Path, server: &Server, args: &[&str]) -> Output {
    let target = format!("http://bindplane.secretcorp.com:{}", server.port);
    let resolve = format!("bindplane.secretcorp.com:{}:127.0.0.1", server.port);
    collector(folder)
        .args([&target, "--resolve", &resolve, "--hold", "0", "--timeout", "2s", "--no-input"])
        // No name server is asked.
        .args(["--resolve", "webgw01.secretcorp.com:9:127.0.0.1"])
        .args(["-x", "http://webgw01.secretcorp.com:9", "--noproxy", "secretcorp.com"])
        .args(args)
        .output()
        .unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn all_of(zip: &Path) -> String {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    let mut all = Vec::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        all.extend_from_slice(file.name().unwrap().as_bytes());
        std::io::Read::read_to_end(&mut file, &mut all).unwrap();
    }
    text(&all).to_lowercase()
}

#[test]
fn names_stay_here_and_the_verdict_stays_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Stripped);
    let plain = collect(folder.path(), &server, &["-o", "plain.zip"]);
    let hidden = collect(folder.path(), &server, &["--obfuscate", "--vantage", "inside"]);
    assert_eq!(hidden.status.code(), plain.status.code(), "{}", text(&hidden.stderr));
    let found = names(folder.path());
    let zip = found.iter().find(|name| name.starts_with("wss-") && name.ends_with(".zip")).unwrap();
    let map = zip.replace(".zip", ".names.json");
    assert!(found.contains(&map) && !zip.contains("secretcorp"), "{found:?}");
    assert!(zip.starts_with("wss-host-") && zip.contains(".domain-"), "{zip}");
    let all = all_of(&folder.path().join(zip));
    assert!(!all.contains("secretcorp") && all.contains("as tokens"), "{all}");
    let shown = text(&hidden.stdout);
    // On the screen the user sees the names, and the command for the other side.
    assert!(shown.contains(&format!("--obfuscate={map}")), "{shown}");
    assert!(shown.contains("http://bindplane.secretcorp.com"), "{shown}");
    let kept = std::fs::read_to_string(folder.path().join(&map)).unwrap();
    assert!(kept.contains("bindplane.secretcorp.com"), "{kept}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.path().join(&map)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    // The other side, with the same tokens.
    let second = collect(
        folder.path(),
        &server,
        &[&format!("--obfuscate={map}"), "-o", "second.zip", "--vantage", "outside", "--json"],
    );
    let json: serde_json::Value = serde_json::from_slice(&second.stdout).unwrap();
    assert_eq!(json["names"], "second.names.json");
    assert!(!json["diagnosis"].to_string().contains("secretcorp"), "{json}");
    let target = |name: &str| {
        let opened = read::file(&folder.path().join(name), &Limits::default()).unwrap();
        assert!(opened.bundle.defects.is_empty());
        opened.bundle.manifest.target
    };
    assert_eq!(target(zip), target("second.zip"));
}

#[test]
fn no_map_is_overwritten_and_none_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    std::fs::write(folder.path().join("b.names.json"), "precious").unwrap();
    let output = collect(folder.path(), &server, &["--obfuscate", "-o", "b.zip"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("b.names.json exists already"));
    assert_eq!(server.connections(), 0);
    assert_eq!(names(folder.path()), ["b.names.json"]);
    let output = collect(folder.path(), &server, &["--obfuscate", "-o", "b.zip", "--force"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(names(folder.path()), ["b.names.json", "b.zip"]);

    for map in ["missing.json", "b.zip"] {
        let option = format!("--obfuscate={map}");
        let output = collect(folder.path(), &server, &[&option, "-o", "c.zip"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(map), "{}", text(&output.stderr));
    }
}
