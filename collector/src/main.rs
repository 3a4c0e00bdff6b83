//! `wss-collector`: see `--help`.

use clap::Parser;
use std::process::ExitCode;
use wss_collector::cli::{Cli, Command};
use wss_collector::command::{
    ask, check, collect, config_commands, extra, inspect, misused, upload, watch,
};

fn main() -> ExitCode {
    let (cli, asked) = match Cli::try_parse() {
        Ok(cli) => (cli, false),
        Err(error) => match ask::target(&error) {
            Some(cli) => (cli, true),
            None => return ExitCode::from(misused(&error)),
        },
    };
    let code = ExitCode::from(match cli.command {
        Some(Command::Check(args)) => check::check(*args),
        Some(Command::Watch(args)) => watch::watch(*args),
        Some(Command::Inspect { bundle, identity }) => {
            inspect::inspect(&bundle, identity.as_deref())
        }
        Some(Command::ConfigCommands { device }) => {
            config_commands::config_commands(device.as_deref())
        }
        Some(Command::Upload(args)) => upload::upload(args),
        Some(Command::Completions { shell }) => extra::completions(shell),
        Some(Command::Man { command }) => extra::man(command.as_deref()),
        Some(Command::PacWorker) => wss_collector::proxy::pac::engine::worker(),
        None => collect::collect(cli.collect),
    });
    if asked {
        ask::before_closing();
    }
    code
}
