//! `config-commands`: the read-only commands that print a load balancer's own words,
//! ready to paste. Without a name: for the devices that the newest bundle here shows.

use super::{fail, out};
use crate::screen::safe;
use std::fmt::Write as _;
use std::path::Path;
use wss_bundle::read::{self, Limits};
use wss_diagnosis::configuration::{DIALECTS, Dialect};
use wss_diagnosis::diagnose;
use wss_diagnosis::signature::Signatures;

/// Prints them; gives the exit code.
#[must_use]
pub fn config_commands(device: Option<&str>) -> u8 {
    match device {
        Some(name) => match known(name).as_slice() {
            [] => fail(&format!(
                "no commands are known for {name}; known are {}",
                DIALECTS.iter().map(|dialect| dialect.id).collect::<Vec<_>>().join(", ")
            )),
            found => out(&text(found)),
        },
        None => newest(Path::new(".")),
    }
}

/// The rows of a name: the row's own word, its program's name, or a device's. Who says
/// nginx means its files, though objects of Kubernetes may be what sets it: those are
/// named after it.
fn known(name: &str) -> Vec<&'static Dialect> {
    let name = name.to_ascii_lowercase();
    if let Some(own) = DIALECTS.into_iter().find(|one| one.id == name) {
        return vec![own];
    }
    DIALECTS
        .into_iter()
        .filter(|one| {
            one.id == name
                || one.name.eq_ignore_ascii_case(&name)
                || one.devices.contains(&name.as_str())
                || one
                    .devices
                    .iter()
                    .filter_map(|id| Signatures::built_in().get(id))
                    .any(|device| device.name.eq_ignore_ascii_case(&name))
        })
        .collect()
}

/// For the devices of the newest bundle in a folder; for all where there is none,
/// or it shows none that is known.
fn newest(folder: &Path) -> u8 {
    let bundle = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?;
            (name.starts_with("wss-") && name.ends_with(".zip")).then_some(())?;
            Some((path.metadata().ok()?.modified().ok()?, path))
        })
        .max();
    let found = bundle.map(|(_, path)| (rows(&path), path));
    match found {
        Some((rows, path)) if !rows.is_empty() => out(&format!(
            "# For the devices in {}\n{}",
            safe(&path.display().to_string()),
            text(&rows)
        )),
        _ => out(&text(&DIALECTS)),
    }
}

/// The rows of the devices that a bundle shows.
fn rows(path: &Path) -> Vec<&'static Dialect> {
    let Ok(opened) = read::file_with(path, &Limits::default(), None) else { return Vec::new() };
    let diagnosis = diagnose(&[opened.bundle]);
    let mut rows: Vec<&'static Dialect> = Vec::new();
    for device in &diagnosis.devices {
        for row in known(device.product.as_deref().unwrap_or_default()) {
            if !rows.iter().any(|other| other.id == row.id) {
                rows.push(row);
            }
        }
    }
    rows
}

fn text(rows: &[&'static Dialect]) -> String {
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "# {}: run where it runs; each only reads", row.name);
        for command in row.commands {
            let _ = writeln!(text, "{command}");
        }
    }
    // What sets the same devices in another way.
    let others = DIALECTS.into_iter().filter(|other| {
        let is = |row: &&Dialect| row.id == other.id;
        let shared = |row: &&Dialect| row.devices.iter().any(|id| other.devices.contains(id));
        !rows.iter().any(is) && rows.iter().any(shared)
    });
    for other in others {
        let _ =
            writeln!(text, "# Is it {}'s? wss-collector config-commands {}", other.name, other.id);
    }
    text.push_str("# Then: wss-collector --config FILE TARGET (repeatable); secrets are masked before anything is written\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_by_any_of_their_names() {
        for (name, id) in [
            ("nginx", "nginx"),
            ("ingress-nginx", "nginx"),
            ("HAProxy", "haproxy"),
            ("Apache", "apache"),
        ] {
            assert_eq!(known(name).first().map(|row| row.id), Some(id), "{name}");
        }
        assert!(known("toaster").is_empty());
        let nginx = text(&known("nginx"));
        assert!(nginx.contains("nginx -T") && !nginx.contains("kubectl"), "{nginx}");
        assert!(nginx.contains("config-commands kubernetes"), "{nginx}");
        for row in DIALECTS {
            let text = text(&[row]);
            assert!(row.commands.iter().all(|command| text.contains(command)), "{text}");
            // What is printed to be pasted changes nothing but files of its own.
            let words = ["delete", "rm ", "update ", "create", "set ", "apply", "patch "];
            assert!(!row.commands.iter().any(|c| words.iter().any(|w| c.contains(w))), "{text}");
        }
    }
}
