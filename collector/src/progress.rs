//! What whoever watches a collection gets to know of it while it runs.

use crate::key::StepKey;
use std::time::Duration;
use wss_bundle::Observation;
use wss_bundle::manifest::StepRecord;

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Progress {
    /// A step on the network has ended. Its `id` is provisional: the final one is in
    /// what the collection gives at its end.
    Observation(Box<Observation>),
    /// Holds have begun; what else is done takes far less time.
    HoldStarted {
        /// How long they take.
        planned: Duration,
        /// How many connections it are, one after the other in part.
        connections: usize,
    },
    /// What failed on a route is asked again, which takes some seconds.
    AskingAgain {
        /// Index of the route in the configuration.
        route: usize,
        /// Whether all that was asked failed alike so far.
        alike: bool,
    },
    /// The routes that this machine's settings choose are done with, and the
    /// others take their time.
    SelectedRoutesDone,
    /// Every route is done with; what is left are the holds.
    OnlyHoldsLeft,
    /// A step of the plan has ended.
    StepDone(StepKey, StepRecord),
}
