//! `docs/commands.md` is what both programs' command lines say.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use clap::{Arg, Command, CommandFactory};
use std::fmt::Write as _;
use std::path::Path;

/// A program or a command, and what its commands are.
fn page(command: &Command, depth: usize, out: &mut String) {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    writeln!(out, "\n{} {name}\n", "#".repeat(depth)).unwrap();
    let about = command.get_long_about().or(command.get_about());
    writeln!(out, "{}\n", shown(&about.expect("every command says what it does").to_string()))
        .unwrap();
    let usage = command.clone().render_usage().to_string();
    writeln!(out, "```\n{}\n```", usage.trim_start_matches("Usage: ").replace("       ", ""))
        .unwrap();
    let options: Vec<&Arg> = command.get_arguments().filter(|arg| !arg.is_hide_set()).collect();
    if !options.is_empty() {
        out.push_str("\n| option | meaning |\n|---|---|\n");
    }
    for option in options {
        let help = option.get_long_help().or(option.get_help());
        let help = help.map(ToString::to_string).unwrap_or_default();
        assert!(!help.is_empty(), "{name}: {} says nothing", option.get_id());
        let default = option.get_default_values().iter().map(|v| v.to_string_lossy());
        let default: Vec<_> = default.filter(|value| !value.is_empty()).collect();
        let default = match default.as_slice() {
            [] => String::new(),
            some if option.get_action().takes_values() => {
                format!(" [default: {}]", some.join(" "))
            }
            _ => String::new(),
        };
        writeln!(out, "| `{}` | {}{default} |", cell(option).replace('|', "\\|"), shown(&help))
            .unwrap();
    }
    for one in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        page(one, depth + 1, out);
    }
}

/// An option as one would type it.
fn cell(option: &Arg) -> String {
    let values = || {
        let names = option.get_value_names().unwrap_or_default();
        names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ")
    };
    let short = option.get_short().map(|short| format!("-{short}"));
    let long = option.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let takes = option.get_action().takes_values();
    match (names.is_empty(), takes) {
        (true, _) => values(),
        (false, false) => names.join(", "),
        (false, true) => {
            let optional = option.get_num_args().is_some_and(|range| range.min_values() == 0);
            let value =
                if optional { format!("[={}]", values()) } else { format!(" {}", values()) };
            format!("{}{value}", names.join(", "))
        }
    }
}

/// Text in a table's cell.
fn shown(text: &str) -> String {
    let one = text.split_whitespace().collect::<Vec<_>>().join(" ");
    one.replace('|', "\\|").replace('<', "&lt;")
}

#[test]
fn the_page_of_commands_is_current() {
    let mut wanted = "# Commands and options\n\nMade from the programs' own definitions (`wss-collector --help`, `wss-analyzer --help`); \
         a test fails when it is stale (`UPDATE_DOCS=1 cargo test -p wss-lab --test commands` writes it anew).\n"
        .to_owned();
    for mut program in [wss_collector::cli::Cli::command(), wss_analyzer::cli::Cli::command()] {
        program = program.disable_help_subcommand(true);
        // Gives the commands their full names.
        program.build();
        page(&program, 2, &mut wanted);
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/commands.md is stale: UPDATE_DOCS=1 cargo test -p wss-lab --test commands"
    );
}
