//! A path that nobody knows as it is spelled, and the server knows otherwise: then a
//! hop before the server changes it, or keeps it from the server, whether or not that
//! hop leaves a mark.

use super::{Reply, ReplyKind, RouteView};
use wss_bundle::Step;
use wss_bundle::observation::probe;

/// A spelling with which the server was reached.
pub struct Otherwise<'v, 'a> {
    /// What was answered to it.
    pub reply: &'v Reply<'a>,
    /// As it was asked for.
    pub spelled: &'a str,
    /// The path that it stands for.
    pub path: &'v str,
    /// What a hop takes away from the beginning; `None` where the spelling is the same
    /// path, percent-encoded.
    pub taken: Option<&'a str>,
}

impl<'a> RouteView<'a> {
    /// The other spelling of one of these paths that reached the server.
    #[must_use]
    pub fn known_otherwise<'v>(&'v self, paths: &'v [String]) -> Option<Otherwise<'v, 'a>> {
        let reached = |reply: &&Reply<'a>| {
            reply.observation.probe == probe::PATH_TWIN
                && matches!(reply.kind, ReplyKind::Switched | ReplyKind::NotAnUpgrade)
        };
        let reply = self.replies().find(reached)?;
        let spelled = reply.observation.path.as_deref()?;
        let own = |path: &&String| probe::other_spellings(path).iter().any(|one| one == spelled);
        let path = paths.iter().find(own)?;
        let taken = spelled.strip_suffix(path.as_str()).filter(|taken| !taken.is_empty());
        Some(Otherwise { reply, spelled, path, taken })
    }

    /// Whether other spellings were asked for, and each was answered.
    #[must_use]
    pub fn asked_otherwise(&self) -> bool {
        let mut all = self.of(probe::PATH_TWIN).filter(|o| matches!(o.step, Step::Upgrade(_)));
        let answered = |o: &'a wss_bundle::Observation| match &o.step {
            Step::Upgrade(upgrade) => upgrade.result.ok().is_some(),
            _ => false,
        };
        self.of(probe::PATH_TWIN).next().is_some() && all.all(answered)
    }
}
