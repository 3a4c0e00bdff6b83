//! Every answer to one question: the same kind of request, by one route, for one
//! path. An honest server gives one answer to it, however often it is asked;
//! where answers contradict each other there are several servers, or a change.
//!
//! What differs on purpose (with and without `Origin`, over HTTP/1.1 and HTTP/2)
//! is another question. What a limit refused is no answer to any: it is set aside
//! here, once, and no twin is compared with it.

mod limits;
mod meaning;

use super::{Author, Reply, ReplyKind, RouteView};
use limits::may_be_limit;
pub(super) use limits::set_aside;
pub use meaning::{Limit, LimitMet, Refused, Refuses};
use std::collections::BTreeMap;
use wss_bundle::observation::{Peer, probe};
use wss_bundle::{FailureKind, Observation, Outcome, Step};

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// The upgrade as curl sends it; holds begin with it, or with the next.
    Upgrade,
    /// The same as browsers send it.
    Browser,
    /// The same with an offer of compression.
    Compressed,
    /// WebSocket over HTTP/2.
    ExtendedConnect,
    /// The upgrade in absolute form.
    AbsoluteForm,
    /// The path without upgrade headers.
    Plain,
    /// The same over HTTP/2.
    OverH2,
    /// A page.
    Page,
}

impl Asked {
    /// What a probe asks; `None` for one that asks nothing of the server.
    #[must_use]
    pub fn of(probe: &str) -> Option<Self> {
        Some(match probe {
            probe::UPGRADE
            | probe::HOLD_SILENT
            | probe::HOLD_RUNG
            | probe::HOLD_CHATTY
            | probe::HOLD_KEEPALIVE => Self::Upgrade,
            probe::BROWSER_UPGRADE => Self::Browser,
            probe::COMPRESSED_UPGRADE => Self::Compressed,
            probe::H2_CONNECT => Self::ExtendedConnect,
            probe::ABSOLUTE_FORM => Self::AbsoluteForm,
            probe::PLAIN_GET => Self::Plain,
            probe::H2_GET => Self::OverH2,
            probe::PAGES => Self::Page,
            _ => return None,
        })
    }

    /// What a step asks. A hold that is opened as browsers do it asks what they ask; one
    /// that takes but their name, where programs' are refused, asks something else than
    /// the upgrade does.
    fn by(o: &Observation) -> Option<Self> {
        let own = Self::of(&o.probe)?;
        let Step::Upgrade(upgrade) = &o.step else { return Some(own) };
        if !probe::is_hold(&o.probe) {
            return Some(own);
        }
        let request = upgrade.request.text().to_ascii_lowercase();
        let has = |line: &str| request.contains(line);
        if BROWSERS.into_iter().all(has) {
            return Some(Self::Browser);
        }
        (!has("\nuser-agent: mozilla/")).then_some(own)
    }

    /// Whether it asks for a WebSocket.
    #[must_use]
    pub fn handshake(self) -> bool {
        !matches!(self, Self::Plain | Self::OverH2 | Self::Page)
    }

    /// Several of them, for sentences that begin with a number.
    fn noun(self) -> &'static str {
        match self {
            Self::Upgrade => "upgrades",
            Self::Browser => "upgrades as browsers send them",
            Self::Compressed => "upgrades that offer compression",
            Self::ExtendedConnect => "handshakes over HTTP/2",
            Self::AbsoluteForm => "upgrades in absolute form",
            Self::Plain => "requests without upgrade headers",
            Self::OverH2 => "requests over HTTP/2",
            Self::Page => "requests",
        }
    }
}

/// Headers that a handshake as browsers send it has, and one as curl sends it has not.
const BROWSERS: [&str; 3] = ["\norigin:", "\npragma: no-cache", "\ncache-control: no-cache"];

/// What tells two answers apart: the same of one server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A response: class of its status, kind, and whether a device on the way wrote it.
    Response(u16, Option<ReplyKind>),
    /// Somebody on the way wrote it, who is known by name; as above.
    By(u16, Option<ReplyKind>, String),
    /// Nothing came back.
    Nothing,
}

/// One answer.
pub struct Answer<'v, 'a> {
    /// What was asked, and what came of it.
    pub observation: &'a Observation,
    /// The response; `None` where nothing came back.
    pub reply: Option<&'v Reply<'a>>,
    told: Told,
}

impl Answer<'_, '_> {
    /// As the middle of a sentence: `101`, `502 Bad Gateway`, `nothing`.
    #[must_use]
    pub fn words(&self) -> String {
        match self.reply {
            Some(reply) if reply.kind == ReplyKind::Switched => "101".to_owned(),
            Some(reply) if reply.kind == ReplyKind::PageShell => {
                format!("{} (the console's page shell)", reply.status)
            }
            Some(reply) => {
                let line = reply.line();
                line.split_once(' ').map_or(line.clone(), |(_, rest)| rest.to_owned())
            }
            None => "nothing".to_owned(),
        }
    }

    /// Whether it grants a WebSocket.
    #[must_use]
    pub fn switched(&self) -> bool {
        self.reply.is_some_and(|reply| {
            let connect = reply.observation.probe == probe::H2_CONNECT;
            reply.kind == ReplyKind::Switched || connect && (200..300).contains(&reply.status)
        })
    }

    /// When it was asked for, and when that was over, in milliseconds.
    #[must_use]
    pub fn span(&self) -> (f64, f64) {
        (self.observation.start_ms, self.observation.start_ms + self.observation.duration_ms)
    }
}

/// All answers to one question, those that agree together: the most frequent first.
pub struct Answers<'v, 'a> {
    /// What was asked.
    pub asked: Asked,
    /// For which path.
    pub path: &'a str,
    /// The answers.
    pub groups: Vec<Vec<Answer<'v, 'a>>>,
}

impl<'v, 'a> Answers<'v, 'a> {
    /// Whether they contradict each other. Requests for pages share connections, of which
    /// any may break off once.
    #[must_use]
    pub fn contradict(&self) -> bool {
        self.groups.len() > 1 && (self.asked.handshake() || self.rarest() > 1)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.groups.iter().map(Vec::len).sum()
    }

    /// How many agree with the answer that an observation holds.
    #[must_use]
    pub fn agreeing(&self, observation: &str) -> usize {
        let holds = |group: &&Vec<Answer<'_, '_>>| {
            group.iter().any(|answer| answer.observation.id == observation)
        };
        self.groups.iter().find(holds).map_or(0, Vec::len)
    }

    /// The least that agree.
    #[must_use]
    pub fn rarest(&self) -> usize {
        self.groups.iter().map(Vec::len).min().unwrap_or_default()
    }

    /// All, in the order of time.
    #[must_use]
    pub fn in_time(&self) -> Vec<&Answer<'v, 'a>> {
        let mut all: Vec<_> = self.groups.iter().flatten().collect();
        all.sort_by(|a, b| a.span().0.total_cmp(&b.span().0));
        all
    }

    /// `of 6 upgrades of /v1/ws 3 were answered with 101, 3 with 200 OK`.
    #[must_use]
    pub fn counts(&self) -> String {
        let each = self.groups.iter().enumerate().filter_map(|(at, group)| {
            let verb = match (at, group.len()) {
                (0, 1) => " was answered",
                (0, _) => " were answered",
                _ => "",
            };
            Some(format!("{}{verb} with {}", group.len(), group.first()?.words()))
        });
        let each: Vec<String> = each.collect();
        format!("of {} {} of {} {}", self.count(), self.asked.noun(), self.path, each.join(", "))
    }

    /// Where they tell one thing up to a moment and another from then on, more than
    /// once each: the first of the later ones.
    #[must_use]
    pub fn turned(&self) -> Option<&Answer<'v, 'a>> {
        let [a, b] = self.groups.as_slice() else { return None };
        let edge = |group: &[Answer<'_, '_>]| {
            let starts = group.iter().map(|answer| answer.span().0);
            (starts.clone().fold(f64::MAX, f64::min), starts.fold(f64::MIN, f64::max))
        };
        let ((first_a, last_a), (first_b, last_b)) = (edge(a), edge(b));
        let later = match (last_a < first_b, last_b < first_a) {
            (true, _) => b,
            (_, true) => a,
            _ => return None,
        };
        (self.rarest() > 1).then(|| later.first()).flatten()
    }
}

/// A question: what was asked, and for which path.
type Question<'a> = (Asked, &'a str);

/// The questions that were asked more than once.
pub(super) fn repeated<'a>(observations: &[&'a Observation]) -> Vec<Question<'a>> {
    let mut counts: BTreeMap<Question<'a>, usize> = BTreeMap::new();
    for o in observations {
        let answer = matches!(o.step, Step::Http(_) | Step::Upgrade(_) | Step::Tls(_));
        if let (Some(asked), Some(path), true) = (Asked::by(o), o.path.as_deref(), answer) {
            *counts.entry((asked, path)).or_default() += 1;
        }
    }
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(question, _)| question).collect()
}

impl<'a> RouteView<'a> {
    /// Whether a limit gave this answer: then it is none to what was asked.
    #[must_use]
    pub fn is_limits(&self, observation: &Observation) -> bool {
        // Who is refused for a name is refused however seldom it asks: that is no limit.
        self.set_aside.contains(&observation.id) && !self.is_for_its_name(observation)
    }

    /// Whether a response looks like a limit's, whatever else passes.
    #[must_use]
    pub fn may_be_limits(&self, observation: &str) -> bool {
        self.replies().any(|reply| {
            reply.observation.id == observation
                && may_be_limit(reply)
                && !self.is_for_its_name(reply.observation)
        })
    }

    fn answer<'v>(&'v self, o: &'a Observation) -> Option<Answer<'v, 'a>> {
        let failure = match &o.step {
            Step::Upgrade(upgrade) => upgrade.result.failure(),
            Step::Http(http) => http.result.failure(),
            // The connection that was to carry it came to nothing.
            Step::Tls(tls) if tls.peer == Peer::Target => match &tls.result {
                Outcome::Failed(failure) => Some(failure),
                Outcome::Ok(_) => return None,
            },
            _ => return None,
        };
        if failure.is_some_and(|f| f.kind == FailureKind::Cancelled)
            || self.is_too_short(o)
            || self.is_limits(o)
        {
            return None;
        }
        let reply = self.replies().find(|reply| reply.observation.id == o.id);
        let told = match reply {
            Some(reply) => {
                // Whatever a gateway makes of a dead backend is one answer; a limit's is not.
                let own = reply.status < 500 || may_be_limit(reply);
                let kind = own.then_some(reply.kind);
                match &reply.author {
                    Author::Device { name, .. } => Told::By(reply.status / 100, kind, name.clone()),
                    _ => Told::Response(reply.status / 100, kind),
                }
            }
            None => Told::Nothing,
        };
        Some(Answer { observation: o, reply, told })
    }

    /// Every answer to one question.
    #[must_use]
    pub fn answers(&self, asked: Asked, path: &'a str) -> Answers<'_, 'a> {
        let mut groups: Vec<Vec<Answer<'_, 'a>>> = Vec::new();
        for o in &self.observations {
            let own = Asked::by(o) == Some(asked) && o.path.as_deref() == Some(path);
            let Some(answer) = own.then(|| self.answer(o)).flatten() else { continue };
            match groups.iter_mut().find(|group| group[0].told == answer.told) {
                Some(group) => group.push(answer),
                None => groups.push(vec![answer]),
            }
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        Answers { asked, path, groups }
    }

    /// The questions that were answered in more than one way: handshakes first, and of
    /// them what was asked most often, and of the console's path.
    #[must_use]
    pub fn contradictions(&self, path: &str) -> Vec<Answers<'_, 'a>> {
        let all = self.repeated.iter().map(|(asked, path)| self.answers(*asked, path));
        let mut found: Vec<_> = all.filter(Answers::contradict).collect();
        found.sort_by_key(|answers| {
            let shown = std::cmp::Reverse((answers.rarest(), answers.count()));
            (!answers.asked.handshake(), shown, answers.path != path, answers.asked)
        });
        found
    }

    /// Whether any question was: then no single answer tells about the server.
    #[must_use]
    pub fn contradicts_itself(&self) -> bool {
        self.repeated.iter().any(|(asked, path)| self.answers(*asked, path).contradict())
    }

    /// How many answers say the same as the one that an observation holds, to the same
    /// question; `None` where it holds no answer to a handshake.
    #[must_use]
    pub fn agreeing(&self, observation: &str) -> Option<usize> {
        let o = self.observations.iter().find(|o| o.id == observation)?;
        let asked = Asked::by(o).filter(|asked| asked.handshake())?;
        matches!(o.step, Step::Upgrade(_))
            .then(|| self.answers(asked, o.path.as_deref()?).agreeing(observation).into())
            .flatten()
    }
}
