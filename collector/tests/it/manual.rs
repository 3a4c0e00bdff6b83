//! `packaging/man` is what the command line says, and what `wss-collector man` prints.

use clap::CommandFactory as _;
use std::collections::BTreeMap;
use std::path::Path;
use wss_collector::cli::Cli;

/// The program's page and one of each command, by file name.
fn pages() -> BTreeMap<String, String> {
    let mut program = Cli::command().disable_help_subcommand(true);
    // Gives the commands their full names.
    program.build();
    let commands = program.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let all: Vec<_> = commands.chain([program.clone()]).collect();
    let pages = all.into_iter().map(|page| {
        let name = page.get_display_name().unwrap_or(page.get_name()).to_owned();
        let mut text = Vec::new();
        clap_mangen::Man::new(page).render(&mut text).unwrap();
        (format!("{name}.1"), String::from_utf8(text).unwrap())
    });
    pages.collect()
}

#[test]
fn manual_pages_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/man");
    let wanted = pages();
    assert!(wanted.len() > 3 && wanted["wss-collector-inspect.1"].contains("identity"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &wanted {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let found: BTreeMap<String, String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    assert!(
        found == wanted,
        "packaging/man is stale: UPDATE_DOCS=1 cargo test -p wss-collector manual"
    );
}

#[test]
fn the_program_prints_each_of_them() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in pages() {
        let command = name.trim_start_matches("wss-collector").trim_matches(['-', '.', '1']);
        let args = ["man", command];
        let args = if command.is_empty() { &args[..1] } else { &args[..] };
        let output = crate::server::collector(folder.path()).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), text, "{args:?}");
    }
    let output =
        crate::server::collector(folder.path()).args(["man", "nothing\u{1b}"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("there is no command") && !said.contains('\u{1b}'), "{said:?}");
}
