//! What a limit means for one browser: the one place that decides it.
//!
//! The collector asks for a dozen sockets within a second, and holds several at a time; a
//! page of the console opens one or two. So a limit that refuses some of the collector's
//! handshakes may be one that no browser ever meets. Which answers are a limit's at all is
//! told beside this (`limits`); what is to be said of one is the rules'.

use super::super::holding::HOLDS;
use super::super::{Reply, ReplyKind, RouteView};
use super::{Asked, limits};
use crate::said::Says;
use wss_bundle::{Observation, Step};

/// A handshake that a limit refused.
pub struct Refused<'v, 'a> {
    /// What was asked.
    pub observation: &'a Observation,
    /// What was answered; `None` where the connection was ended in its place.
    pub reply: Option<&'v Reply<'a>>,
}

/// Handshakes that a limit refused beside others that passed it.
pub struct LimitMet<'v, 'a> {
    /// Those that were refused, in the order of time.
    pub refused: Vec<Refused<'v, 'a>>,
    /// How many handshakes were asked for in all.
    pub of: usize,
    /// Whether it takes only so many at a time, as far as their number alone tells: all
    /// were refused while others were open, and whatever was asked alone passed.
    pub at_a_time: bool,
}

/// Handshakes before which the route was quiet, that a limit refused.
pub struct Refuses<'v, 'a> {
    /// Every handshake that it refused, quiet before it or not.
    pub met: Vec<&'v Reply<'a>>,
    /// Of those before which it was quiet: how many it refused.
    pub refused: usize,
    /// And how many it let pass.
    pub passed: usize,
    /// Whether it let more pass at first than a browser opens, and says itself that it is
    /// a limit: then its window is longer than was waited, and one browser alone behind its
    /// address may never meet it.
    pub generous: bool,
}

/// What a limit means for one browser.
pub enum Limit<'v, 'a> {
    /// No handshake met one.
    NotMet,
    /// It met the collector, which asks for more than a browser does.
    Collectors(LimitMet<'v, 'a>),
    /// It refused each handshake as browsers send it, while others passed: the first of
    /// these. What becomes of them is not known.
    Hides(LimitMet<'v, 'a>, &'v Reply<'a>),
    /// It refused most, and with them every connection that was to be held: whether it
    /// works for one browser is not known.
    LeavesLittle(LimitMet<'v, 'a>),
    /// None passed: every handshake, and the same path without an upgrade, got a 503 that
    /// its program gives for a limit as for a path that is closed, while pages pass.
    OrClosed(&'v Reply<'a>),
    /// It refuses handshakes that are spaced as a browser's.
    MeetsBrowsers(Refuses<'v, 'a>),
}

impl<'v, 'a> Limit<'v, 'a> {
    /// The handshakes that it refused beside others, where it is not the fault itself.
    #[must_use]
    pub fn beside_others(&self) -> Option<&LimitMet<'v, 'a>> {
        match self {
            Self::NotMet | Self::OrClosed(_) | Self::MeetsBrowsers(_) => None,
            Self::Collectors(met) | Self::Hides(met, _) | Self::LeavesLittle(met) => Some(met),
        }
    }
}

/// A page of the console opens one socket or two; a limit that lets pass these and one
/// more does not meet it.
const MORE: usize = 3;

impl<'a> RouteView<'a> {
    /// What the limit that handshakes met means for one browser, on the console's path.
    #[must_use]
    pub fn limit(&self, path: &'a str) -> Limit<'_, 'a> {
        if let Some(refuses) = self.refuses_browsers() {
            return Limit::MeetsBrowsers(refuses);
        }
        let Some(met) = self.limit_met() else {
            return self.or_closed(path).map_or(Limit::NotMet, Limit::OrClosed);
        };
        if let Some(refused) = self.hidden(&met, path) {
            return Limit::Hides(met, refused);
        }
        if self.leaves_little(&met) {
            return Limit::LeavesLittle(met);
        }
        Limit::Collectors(met)
    }

    /// How the last handshake fared that was asked after the window of most limits.
    #[must_use]
    pub fn passed_after_the_window(&self) -> Option<bool> {
        self.fared(&self.late()).last().map(|refused| !refused)
    }

    /// How many handshakes that were spaced as a browser's were refused by the limit, and
    /// how many passed.
    #[must_use]
    pub fn spaced_fared(&self) -> (usize, usize) {
        let fared = self.fared(&self.spaced());
        let refused = fared.iter().filter(|refused| **refused).count();
        (refused, fared.len() - refused)
    }

    /// The limit that some of the handshakes met and others did not.
    fn limit_met(&self) -> Option<LimitMet<'_, 'a>> {
        let reply = |o: &Observation| self.replies().find(|reply| reply.observation.id == o.id);
        let mut refused: Vec<Refused<'_, 'a>> = Vec::new();
        let mut of = 0;
        for o in self.observations.iter().copied() {
            let reply = reply(o).filter(|_| matches!(o.step, Step::Upgrade(_)));
            if reply.is_none() && !limits::ended(o) {
                continue;
            }
            of += 1;
            if self.is_limits(o) {
                refused.push(Refused { observation: o, reply });
            }
        }
        let by_words = |one: &Refused<'_, '_>| one.reply.is_some_and(limits::may_be_limit);
        let at_a_time = !refused.iter().any(by_words);
        (!refused.is_empty()).then_some(LimitMet { refused, of, at_a_time })
    }

    /// The first answer of a program that may refuse by a limit, or be closed on purpose.
    fn or_closed(&self, path: &str) -> Option<&Reply<'a>> {
        let own = |reply: &Reply<'a>| {
            // Of an Ingress it is the one for a service without endpoints.
            let ingress = reply.devices.iter().any(|m| m.signature.id == "ingress-nginx");
            reply.says(Says::OwnUnavailable) && !ingress
        };
        let mut all =
            self.handshakes().filter(|reply| reply.observation.path.as_deref() == Some(path));
        let first = all.next().filter(|reply| own(reply))?;
        let alike = all.all(own) && self.plain_reply(path).is_some_and(own);
        (alike && self.pages_pass(path).is_some()).then_some(first)
    }

    fn refuses_browsers(&self) -> Option<Refuses<'_, 'a>> {
        if !limits::refused_by_kind(&self.replies).is_empty() {
            return None;
        }
        let (refused, passed) = self.spaced_fared();
        // The first handshake of all is as spaced as any; two refusals are no chance.
        if refused < 2 || refused <= passed || self.only_the_burst() {
            return None;
        }
        let met: Vec<_> = self.handshakes().filter(|reply| self.by_a_limit(reply)).collect();
        let generous = self.generous(&met);
        (!met.is_empty()).then_some(Refuses { met, refused, passed, generous })
    }

    /// Whether the limit only met the collector's own burst: what was asked last, alone and
    /// after a while, passed; or so many passed at first as no browser opens.
    fn only_the_burst(&self) -> bool {
        // Asked again after its window, or at least as long after as was waited.
        if let Some(passed) = self.passed_after_the_window() {
            return passed;
        }
        let fared = self.fared(&self.spaced());
        fared.len() > 1 && fared.last() == Some(&false)
    }

    /// Whether a limiter in so many words let more of the first burst pass than a browser
    /// opens.
    fn generous(&self, met: &[&Reply<'a>]) -> bool {
        let (mut burst, spaced) = (self.observations.clone(), self.spaced());
        burst.retain(|o| !spaced.iter().skip(1).any(|other| other.id == o.id));
        let passed = self.fared(&burst).iter().filter(|refused| !**refused).count();
        met.iter().all(|reply| reply.status == 429) && passed >= MORE
    }

    /// The first handshake as browsers send it, where a limit refused them all.
    fn hidden<'v>(&'v self, met: &LimitMet<'v, 'a>, path: &'a str) -> Option<&'v Reply<'a>> {
        let as_browsers = [Asked::Browser, Asked::Compressed];
        let answered = as_browsers.iter().any(|asked| self.answers(*asked, path).count() > 0);
        if answered || !self.socket(path).works() {
            return None;
        }
        let own = |reply: &&Reply<'a>| {
            reply.observation.path.as_deref() == Some(path)
                && Asked::by(reply.observation).is_some_and(|asked| as_browsers.contains(&asked))
        };
        met.refused.iter().filter_map(|one| one.reply).find(own)
    }

    /// Whether it refused most handshakes, and with them every connection that was to be
    /// held.
    fn leaves_little(&self, met: &LimitMet<'_, 'a>) -> bool {
        let held = |one: &Refused<'_, '_>| HOLDS.contains(&one.observation.probe.as_str());
        met.refused.len() * 2 > met.of
            && self.holdings().next().is_none()
            && met.refused.iter().any(held)
    }

    /// Which of some handshakes the limit refused, of those that it refused or let pass.
    fn fared(&self, all: &[&Observation]) -> Vec<bool> {
        let among = |id: &str| all.iter().any(|o| o.id == id);
        self.handshakes()
            .filter(|reply| among(&reply.observation.id))
            .filter_map(|reply| {
                let refused = self.by_a_limit(reply);
                (refused || reply.kind == ReplyKind::Switched).then_some(refused)
            })
            .collect()
    }

    /// Whether a limit gave this answer, or says so itself, whatever else passes.
    fn by_a_limit(&self, reply: &Reply<'a>) -> bool {
        self.is_limits(reply.observation)
            || reply.status == 429 && self.may_be_limits(&reply.observation.id)
    }

    fn handshakes(&self) -> impl Iterator<Item = &Reply<'a>> {
        self.replies().filter(|reply| matches!(reply.observation.step, Step::Upgrade(_)))
    }

    /// The handshakes before which the route was quiet for about a second.
    fn spaced(&self) -> Vec<&'a Observation> {
        self.after(limits::QUIET_MS)
    }

    /// The handshakes before which it was quiet for so long that the window of most limits
    /// is over.
    fn late(&self) -> Vec<&'a Observation> {
        let first = self.observations.iter().find(|o| matches!(o.step, Step::Upgrade(_)));
        let mut late = self.after(limits::WINDOW_MS);
        late.retain(|o| first.is_some_and(|first| first.id != o.id));
        late
    }

    fn after(&self, quiet: f64) -> Vec<&'a Observation> {
        let all = self.observations.iter().copied();
        let all: Vec<_> = all.filter(|o| matches!(o.step, Step::Upgrade(_))).collect();
        limits::spaced(&all, quiet).collect()
    }
}
