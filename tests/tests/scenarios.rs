//! Every folder of `tests/scenarios/` is a test.

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wss_lab::scenario;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let trials = match scenario::all(&root) {
        Ok(folders) => folders.into_iter().map(trial).collect(),
        Err(error) => vec![Trial::test("scenarios", move || Err(Failed::from(error)))],
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(folder: PathBuf) -> Trial {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Trial::test(name, move || {
        let runtime = tokio::runtime::Runtime::new()?;
        let outcome = runtime.block_on(scenario::run(&folder)).map_err(Failed::from)?;
        runtime.shutdown_background();
        let mut complaints = outcome.complaints();
        complaints.extend(outcome.confident_and_wrong());
        if complaints.is_empty() {
            return Ok(());
        }
        Err(Failed::from(format!("{}\n{}", outcome.scenario.about, complaints.join("\n"))))
    })
}
