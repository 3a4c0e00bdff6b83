//! A load balancer as people run it: the stage is set with real programs, a raw
//! client checks that it does what its proof says, and the collector is run.

mod event;
mod hop;
mod proof;
mod stage;

use super::case::Live;
use super::run::Job;
use super::{Outcome, check};
use stage::Stage;
use std::path::Path;

pub(super) async fn run(folder: &Path, case: &Live) -> Result<Outcome, String> {
    check::expressions(case.expect.says.iter().chain(&case.expect.never))?;
    let stage = Stage::set(folder, &case.stage).await?;
    proof::check(&stage, &case.stage).await.map_err(|error| {
        format!("stage: {error}\nproof: {}\n{}", case.stage.proof, stage.logs())
    })?;
    let mut outcome = Outcome::default();
    for target in &case.run.target {
        for time in 1..=case.run.times {
            tokio::time::sleep(case.stage.rest).await;
            let mut what = target.clone();
            if case.run.times > 1 {
                what = format!("{what} ({time} of {})", case.run.times);
            }
            let job = Job {
                work: stage.work(),
                arguments: stage.arguments(&case.run, target),
                env: Vec::new(),
            };
            let happening = event::during(&stage, case.stage.happens.as_ref());
            let (ran, happened) = tokio::join!(job.run(), happening);
            happened.map_err(|error| format!("stage: {error}"))?;
            let ran = ran?;
            let complaints = check::live(&ran, &case.expect);
            let one = case.run.times == 1 && case.run.target.len() == 1;
            outcome.add(if one { "" } else { &what }, ran, complaints);
        }
    }
    Ok(outcome)
}
