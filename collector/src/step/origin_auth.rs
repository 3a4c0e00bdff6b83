//! Credentials for the target. A wrong password that is sent twenty times locks
//! its account: on each route the first request that carries it goes alone, and
//! where it is refused, no other carries it. Nor does any where the certificate
//! is not trusted: curl would send nothing at all.

use tokio::sync::{Mutex, MutexGuard};
use wss_bundle::target::is_agents;

/// What is known of the credentials on one route.
#[derive(Debug, Default)]
pub struct OriginAuth {
    console: Mutex<Option<Said>>,
    /// Agents' keys are others than people's passwords: that the one path
    /// refuses says nothing about the other.
    agents: Mutex<Option<Said>>,
}

/// What the target said to the first request with credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Refused,
    Nothing,
}

/// Whether a request may carry credentials.
pub enum Turn<'a> {
    /// It is the first: the others wait for what comes of it.
    First(First<'a>),
    /// Yes.
    Yes,
    /// They were refused.
    No,
}

/// The first request's turn. Dropped without an answer, the next is the first.
pub struct First<'a>(MutexGuard<'a, Option<Said>>);

impl OriginAuth {
    /// A request's turn, once it is known.
    pub async fn turn(&self, path: &str) -> Turn<'_> {
        let agents = is_agents(path);
        let known = if agents { &self.agents } else { &self.console }.lock().await;
        match *known {
            None => Turn::First(First(known)),
            Some(Said::Nothing) => Turn::Yes,
            Some(Said::Refused) => Turn::No,
        }
    }
}

impl First<'_> {
    /// What came of it: a status, or no answer at all.
    pub fn end(mut self, status: Option<u16>) {
        *self.0 = Some(if status == Some(401) { Said::Refused } else { Said::Nothing });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_goes_alone_and_the_others_go_by_its_answer() {
        for (status, sent) in
            [(Some(401), false), (Some(101), true), (Some(403), true), (None, true)]
        {
            let auth = OriginAuth::default();
            let Turn::First(first) = auth.turn("/v1/ws").await else { panic!("nobody was first") };
            let mut waiting = Box::pin(auth.turn("/health"));
            assert!(futures_util::poll!(&mut waiting).is_pending());
            // The agents' path has a first of its own.
            assert!(matches!(auth.turn("/v1/opamp").await, Turn::First(_)));
            first.end(status);
            match waiting.await {
                Turn::Yes => assert!(sent, "{status:?}"),
                Turn::No => assert!(!sent, "{status:?}"),
                Turn::First(_) => panic!("two were first"),
            }
        }
        // Given up before it was answered.
        let auth = OriginAuth::default();
        drop(auth.turn("/v1/ws").await);
        assert!(matches!(auth.turn("/v1/ws").await, Turn::First(_)));
    }
}
