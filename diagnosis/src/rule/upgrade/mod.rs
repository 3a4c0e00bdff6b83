//! The response to the upgrade: who refused it, stripped it, or kept silent.
//!
//! This file asks the question; its neighbours answer it: [`pages`] where what
//! comes is not Bindplane's, [`paths`] where it is not a WebSocket's path, [`sign_on`] where
//! somebody wants to know who asks, [`proxy`] for the client's side and
//! [`server`] for the other one.

mod firewall;
mod pages;
mod paths;
mod proxy;
mod server;
mod sign_on;

pub(super) use pages::BLOCKED_PAGE;
pub(crate) use paths::answered_before;
pub(super) use paths::{PATH_ANSWERED, WRONG_PATH};
pub(super) use proxy::PROXY_BLOCKS_WEBSOCKET;
pub(super) use server::{
    BAD_GATEWAY, GATEWAY_TIMEOUT, LB_HTTP2, LB_STRIPS_UPGRADE, NO_HEALTHY_BACKEND,
};
pub(super) use sign_on::{AUTH_REQUIRED, REDIRECTED};

use crate::evidence::{Author, BundleView, Evidence, Reach, Reply, ReplyKind, RouteView, Site};
use crate::model::{Citation, Side};
use wss_bundle::{Failure, Observation};

/// What the upgrade on the deciding route came to.
struct Question<'e, 'a> {
    focus: &'e BundleView<'a>,
    route: &'e RouteView<'a>,
    path: &'a str,
    reply: Option<&'e Reply<'a>>,
    failure: Option<(&'a Observation, &'a Failure)>,
}

impl<'e, 'a> Question<'e, 'a> {
    /// `None` where the deciding route did not get as far as an upgrade.
    fn new(e: &'e Evidence<'a>) -> Option<Self> {
        let (focus, route, path) = e.deciding()?;
        if !matches!(route.reach(), Reach::Reached) {
            return None;
        }
        let reply = route.upgrade_reply(path);
        // Silence that was too short is no answer to the question.
        let failure = route.upgrade_failure(path).filter(|(o, _)| !route.is_too_short(o));
        (reply.is_some() || failure.is_some()).then_some(Self {
            focus,
            route,
            path,
            reply,
            failure,
        })
    }

    fn kind(&self) -> Option<ReplyKind> {
        self.reply.as_ref().map(|r| r.kind)
    }

    fn observation(&self) -> Option<&'a Observation> {
        self.reply.as_ref().map(|r| r.observation).or(self.failure.map(|(o, _)| o))
    }

    fn excerpt(&self) -> String {
        match (&self.reply, self.failure) {
            (Some(r), _) => r.line(),
            (None, Some((_, f))) => f.to_string(),
            (None, None) => String::new(),
        }
    }

    /// The twin without upgrade headers, and whether it fares better.
    fn plain(&self) -> Option<&'e Reply<'a>> {
        self.route.plain_reply(self.path)
    }

    fn cite_plain(&self) -> Option<Citation> {
        self.plain().map(|r| {
            self.focus.cite(r.observation, format!("{} (same GET without Upgrade)", r.line()))
        })
    }

    fn cite_pages(&self) -> Option<Citation> {
        self.route
            .pages_pass(self.path)
            .map(|r| self.focus.cite(r.observation, format!("{} (pages pass)", r.line())))
    }

    fn pages_pass(&self) -> bool {
        self.route.pages_pass(self.path).is_some()
            // An answer of the server itself, to the upgrade or to its plain twin,
            // is as good.
            || self.plain().is_some_and(|r| r.author == Author::Origin)
            || self.reply.is_some_and(|r| r.author == Author::Origin)
    }

    /// Whether an answer of success comes to the upgrade and to the same GET without it
    /// alike, on a path of Bindplane's, which is no page of Bindplane's: a rule by path
    /// gives it, and Bindplane is not asked.
    fn answered_for_it(&self, path: &str, reply: &Reply<'_>) -> bool {
        reply.kind == ReplyKind::OtherSuccess
            && reply.author != Author::Origin
            && !matches!(reply.author, Author::Device { side: Side::Client, .. })
            && self.route.site(path) == Site::Bindplane
            && self.route.plain_reply(path).is_some_and(|plain| plain.same_answer(reply))
    }

    fn by(&self) -> String {
        self.reply
            .as_ref()
            .and_then(|r| r.device_name())
            .map(|name| format!(" ({name} is on the path)"))
            .unwrap_or_default()
    }
}
