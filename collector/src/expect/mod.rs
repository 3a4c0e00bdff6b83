//! Expectations, as `check --expect` states them: a small closed grammar, each
//! understood before anything is contacted, and answered by a diagnosis with yes,
//! no, or "cannot be told". Knows no command line and no screen.
//!
//! Preflight programs that end with 0 though a test failed, or that cannot be told
//! from a misspelt test, are what strangers complain about most
//! (<https://github.com/replicatedhq/troubleshoot/issues/1131>,
//! <https://github.com/goss-org/goss/issues/317>): nothing here is ever met by default.

mod answer;
mod parse;

pub use answer::{Answer, Met};
pub(crate) use answer::{chosen, earliest_expiry};
pub use parse::{POSSIBLE, parse};

use std::time::Duration;
use wss_diagnosis::{Cause, Status};

/// One expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// As it was typed.
    pub text: String,
    /// What it means.
    pub what: What,
}

/// What is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The verdict is `working`.
    Works,
    /// The verdict is this one.
    Status(Status),
    /// The cause is this one.
    Cause(Cause),
    /// Silence of this length is survived.
    IdleAtLeast(Duration),
    /// Silence of this length is not survived.
    IdleBelow(Duration),
    /// This machine's settings choose this way.
    Via(Via),
    /// The handshake passes over HTTP/1.1.
    Http1,
    /// The certificate is trusted here.
    TlsTrusted,
    /// Every certificate of the chain is valid for so long.
    Certificate(Duration),
    /// From the lookup of the name to the 101 it takes less than this.
    OpensWithin(Duration),
}

/// A way to the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// No proxy.
    Direct,
    /// Some proxy.
    Proxy,
    /// This proxy: its URL, without a slash at the end.
    Url(String),
}

impl Expectation {
    /// That the console's WebSocket works.
    #[must_use]
    pub fn works() -> Self {
        Self { text: "works".into(), what: What::Works }
    }

    /// Whether it says by itself how the verdict is to be.
    fn of_the_verdict(&self) -> bool {
        // What is cut soon enough does not work for the console.
        matches!(self.what, What::Works | What::Status(_) | What::Cause(_) | What::IdleBelow(_))
    }

    /// How long something has to be held for an answer; `None` where nothing has to be.
    #[must_use]
    pub fn hold(&self) -> Option<Duration> {
        match self.what {
            What::IdleAtLeast(span) | What::IdleBelow(span) => Some(span),
            _ => None,
        }
    }
}

/// All that is expected: that it works, unless what was given says how the verdict is to
/// be. Whoever expects a proxy expects no broken one.
#[must_use]
pub fn whole(given: Vec<Expectation>) -> Vec<Expectation> {
    if given.iter().any(Expectation::of_the_verdict) {
        return given;
    }
    std::iter::once(Expectation::works()).chain(given).collect()
}

/// The shortest hold that answers all of them; zero where none needs one.
#[must_use]
pub fn hold_for(all: &[Expectation]) -> Duration {
    all.iter().filter_map(Expectation::hold).max().unwrap_or_default()
}

#[cfg(test)]
mod tests;
