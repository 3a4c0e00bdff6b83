//! Every folder of `tests/field/` is a test: what people hand over, and load
//! balancers as they run them. What is known to be wrong is in a list that only
//! gets shorter.

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use wss_lab::field::{Case, Known};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("field");
    let trials = match trials(&root) {
        Ok(trials) => trials,
        Err(error) => vec![Trial::test("field", move || Err(Failed::from(error)))],
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(root: &Path) -> Result<Vec<Trial>, String> {
    let cases = Case::all(root)?;
    let known = Arc::new(Known::read(root)?);
    let strangers: Vec<String> = known.strangers(&cases).into_iter().map(str::to_owned).collect();
    let list = Trial::test("known-wrong", move || {
        if strangers.is_empty() {
            return Ok(());
        }
        Err(Failed::from(format!("in known-wrong.txt, and no case: {}", strangers.join(", "))))
    });
    let trials = cases.into_iter().map(|case| {
        let known = known.clone();
        Trial::test(case.name.clone(), move || {
            let runtime = tokio::runtime::Runtime::new()?;
            let outcome = runtime.block_on(case.run()).map_err(Failed::from)?;
            runtime.shutdown_background();
            match known.judge(&case.name, &outcome.complaints) {
                None => Ok(()),
                Some(complaints) => Err(Failed::from(format!(
                    "{complaints}\nsee all: cargo run -p wss-lab -- field {}",
                    case.folder.display()
                ))),
            }
        })
    });
    Ok(trials.chain([list]).collect())
}
