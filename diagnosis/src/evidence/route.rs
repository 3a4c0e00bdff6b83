//! One route of one bundle: how far it climbed, probe by probe.

use super::likeness::{self, Met, NameFilter};
use super::reply::{Author, Reply, ReplyKind};
use super::silence::TooShort;
use crate::signature::{Match, Signatures};
use wss_bundle::observation::{
    Certificate, EndedBy, Frames, FramesSeen, Held, Hold, Peer, Tls, Tunnel, Upgrade, Verification,
    probe,
};
use wss_bundle::{Bundle, Failure, FailureKind, Observation, Outcome, Route, Step};

/// How well a path is known to the server, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knowledge {
    /// It switches protocols.
    Switches,
    /// The server answers as a WebSocket endpoint, or asks for credentials.
    Endpoint,
    /// An answer that says nothing about the path.
    Unclear,
    /// 404 or the page shell.
    Unknown,
    /// No answer.
    Nothing,
}

/// How a route's climb to the target ended, below HTTP.
pub enum Reach<'a> {
    /// The target's (or proxy's) name did not resolve.
    Dns(&'a Observation, Peer, &'a Failure),
    /// No TCP connection to the target (or proxy).
    Tcp(Vec<&'a Observation>, Peer, &'a Failure),
    /// The proxy answered the tunnel request with this status.
    TunnelStatus(&'a Observation, &'a Tunnel, u16),
    /// The tunnel request came to no answer (or SOCKS said no).
    TunnelFailed(&'a Observation, &'a Failure),
    /// The TLS handshake failed.
    TlsFailed(&'a Observation, &'a Tls, &'a Failure),
    /// Requests could be sent.
    Reached,
    /// Nothing was tried.
    NotTried,
}

impl Reach<'_> {
    /// A short name, to compare two climbs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dns(..) => "dns",
            Self::Tcp(..) => "tcp",
            Self::TunnelStatus(..) | Self::TunnelFailed(..) => "proxy",
            Self::TlsFailed(..) => "tls",
            Self::Reached => "reached",
            Self::NotTried => "not tried",
        }
    }
}

impl<'a> Reach<'a> {
    /// The step with which it ended, where that is a failure.
    #[must_use]
    pub fn observation(&self) -> Option<&'a Observation> {
        match self {
            Self::Tcp(attempts, ..) => attempts.first().copied(),
            Self::Dns(o, ..)
            | Self::TunnelStatus(o, ..)
            | Self::TunnelFailed(o, _)
            | Self::TlsFailed(o, ..) => Some(*o),
            Self::Reached | Self::NotTried => None,
        }
    }

    /// Why it ended there, where that is a failure.
    #[must_use]
    pub fn failure(&self) -> Option<&'a Failure> {
        match self {
            Self::Dns(_, _, failure)
            | Self::Tcp(_, _, failure)
            | Self::TunnelFailed(_, failure)
            | Self::TlsFailed(_, _, failure) => Some(failure),
            Self::TunnelStatus(..) | Self::Reached | Self::NotTried => None,
        }
    }
}

/// Whether the console's socket works on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketState {
    /// A valid 101 and a Pong.
    Works,
    /// A valid 101, then no Pong.
    NoFrames,
    /// No valid 101.
    Fails,
    /// It could not be told (credentials missing, cancelled, not tried).
    Unknown,
}

impl SocketState {
    /// Whether it works.
    #[must_use]
    pub fn works(self) -> bool {
        self == Self::Works
    }
}

/// One route of one bundle.
pub struct RouteView<'a> {
    /// The route.
    pub route: &'a Route,
    /// Its observations, in the order in which they began.
    pub observations: Vec<&'a Observation>,
    /// Every response, read once: matching signatures is most of a diagnosis' work.
    pub(super) replies: Vec<Reply<'a>>,
    /// Devices that could have issued or presented the target's certificates.
    pub issuers: Vec<Match<'a>>,
    /// Silence that was not waited for long enough to be a fact.
    pub too_short: Vec<TooShort<'a>>,
    /// Who refuses requests in the collector's name: then those in a browser's name stand
    /// for them.
    pub filter: Option<NameFilter<'a>>,
    /// Questions that were asked more than once.
    pub(super) repeated: Vec<(super::answers::Asked, &'a str)>,
    /// Ids of the answers that a limit gave.
    pub(super) set_aside: Vec<String>,
}

/// The status with which a proxy answered a tunnel request.
fn status(tunnel: &Tunnel) -> Option<u16> {
    tunnel.result.ok()?.head.as_ref()?.status()
}

impl<'a> RouteView<'a> {
    pub(super) fn new(bundle: &'a Bundle, route: &'a Route, signatures: &'a Signatures) -> Self {
        let mut observations: Vec<&Observation> =
            bundle.observations.observations.iter().filter(|o| o.route == route.id).collect();
        // The order in the file must not matter; ids are unique in a bundle.
        observations.sort_by(|a, b| {
            a.start_ms.total_cmp(&b.start_ms).then_with(|| id_key(&a.id).cmp(&id_key(&b.id)))
        });
        let by_proxy = !route.id.is_direct();
        let replies: Vec<Reply<'a>> = observations
            .iter()
            .filter_map(|o| match &o.step {
                Step::Upgrade(u) => {
                    let accept = u.expected_accept.as_deref();
                    Some(Reply::new(o, u.result.ok()?, accept, by_proxy, signatures))
                }
                Step::Http(h) => Some(Reply::new(o, h.result.ok()?, None, by_proxy, signatures)),
                _ => None,
            })
            .collect();
        let filter = likeness::filter(&observations);
        let repeated = super::answers::repeated(&observations);
        let set_aside = super::answers::set_aside(&observations, &replies);
        let mut view = Self {
            route,
            observations,
            replies,
            issuers: Vec::new(),
            too_short: Vec::new(),
            filter,
            repeated,
            set_aside,
        };
        if let Some((_, tls)) = view.tls() {
            view.issuers = signatures.match_certificate(&tls.chain);
        }
        view
    }

    /// Every response on this route, in the order of the observations.
    pub fn replies(&self) -> impl Iterator<Item = &Reply<'a>> {
        self.replies.iter()
    }

    /// Observations of one probe.
    pub fn of(&self, probe: &'a str) -> impl Iterator<Item = &'a Observation> + '_ {
        self.observations.iter().copied().filter(move |o| o.probe == probe)
    }

    /// How the climb to the target ended, below HTTP. The best connection of
    /// the route speaks: one that got through shows that the way is open.
    #[must_use]
    pub fn reach(&self) -> Reach<'a> {
        // What is tried over HTTP/2 says nothing about the way of an upgrade.
        let own = || {
            self.observations
                .iter()
                .copied()
                .filter(|o| o.probe != probe::H2_GET && o.probe != probe::H2_CONNECT)
        };
        // A request in absolute form says nothing about the tunnel that browsers
        // ask for: on a proxy's route only what went through one counts.
        let by_proxy = !self.route.id.is_direct();
        let tunnelled = |connection: Option<u32>| {
            own().any(|o| o.connection == connection && matches!(&o.step, Step::Tunnel(_)))
        };
        let requests = || {
            own()
                .filter(|o| matches!(&o.step, Step::Http(_) | Step::Upgrade(_)))
                .filter(|o| !by_proxy || tunnelled(o.connection))
        };
        if requests().any(|o| !o.step.failure().is_some_and(is_tls)) {
            return Reach::Reached;
        }
        // In TLS 1.3 a server may refuse the client after the client's side of
        // the handshake is done (RFC 8446 section 4.4.2.4).
        if let Some((o, failure)) = requests().find_map(|o| Some((o, o.step.failure()?)))
            && let Some(tls) = own().find_map(|other| match &other.step {
                Step::Tls(tls) if other.connection == o.connection => Some(tls),
                _ => None,
            })
        {
            return Reach::TlsFailed(o, tls, failure);
        }
        if own().any(
            |o| matches!(&o.step, Step::Tls(t) if t.peer == Peer::Target && t.result.ok().is_some()),
        ) {
            return Reach::Reached;
        }
        for o in &self.observations {
            if let Step::Tls(tls) = &o.step
                && let Some(failure) = tls.result.failure()
                && failure.kind != FailureKind::Cancelled
            {
                return Reach::TlsFailed(o, tls, failure);
            }
        }
        // A 407 that was answered is not how it ended.
        let asked =
            |o: &&&Observation| !matches!(&o.step, Step::Tunnel(t) if status(t) == Some(407));
        let later = self.observations.iter().filter(asked);
        let once_more = later.clone().any(|o| matches!(&o.step, Step::Tunnel(_)));
        let all = self.observations.iter();
        let tunnels: Vec<_> = if once_more { later.collect() } else { all.collect() };
        for o in tunnels {
            if let Step::Tunnel(tunnel) = &o.step {
                match &tunnel.result {
                    Outcome::Ok(_) => {
                        if let Some(status) = status(tunnel)
                            && !(200..300).contains(&status)
                        {
                            return Reach::TunnelStatus(o, tunnel, status);
                        }
                    }
                    Outcome::Failed(f) if f.kind != FailureKind::Cancelled => {
                        return Reach::TunnelFailed(o, f);
                    }
                    Outcome::Failed(_) => {}
                }
            }
        }
        self.reach_below_tunnel()
    }

    fn reach_below_tunnel(&self) -> Reach<'a> {
        let connects: Vec<_> = self
            .observations
            .iter()
            .copied()
            .filter(|o| matches!(&o.step, Step::Connect(_)))
            .collect();
        // What only connects says that somebody is there; where every connection
        // that was to be used failed beside it, the way is no better for that.
        let used: Vec<_> =
            connects.iter().copied().filter(|o| o.probe != probe::ADDRESSES).collect();
        let connects = if used.is_empty() { connects } else { used };
        if connects.iter().any(|o| o.step.failure().is_none()) {
            return Reach::NotTried;
        }
        let first = connects
            .iter()
            .find_map(|o| o.step.failure().filter(|f| f.kind != FailureKind::Cancelled));
        if let (Some(failure), Some(Step::Connect(c))) = (first, connects.first().map(|o| &o.step))
        {
            return Reach::Tcp(connects.clone(), c.peer, failure);
        }
        // Name servers asked directly are witnesses; what the system's
        // resolver says is what clients get.
        for o in &self.observations {
            if let Step::Resolve(r) = &o.step
                && !matches!(r.resolver, wss_bundle::observation::Resolver::NameServer(_))
                && let Some(failure) = r.result.failure()
                && failure.kind != FailureKind::Cancelled
            {
                return Reach::Dns(o, r.peer, failure);
            }
        }
        Reach::NotTried
    }

    fn upgrade_of(&self, probe: &'a str, path: &str) -> Option<(&'a Observation, &'a Upgrade)> {
        let probe = self.stands_for(probe, path);
        let mut own = self.of(probe).filter(|o| o.path.as_deref() == Some(path));
        own.find_map(|o| match &o.step {
            Step::Upgrade(u) if !self.is_limits(o) => Some((o, u)),
            _ => None,
        })
    }

    /// The first response of a probe about a path, but for a limit's. In a browser's name
    /// the first that the console gives: what it was asked with before did not do.
    pub(super) fn reply_of(&self, probe: &'a str, path: &str) -> Option<&Reply<'a>> {
        if self.is_filtered(probe) {
            return None;
        }
        let instead = self.stands_for(probe, path);
        let own = |r: &&Reply<'a>| {
            r.observation.probe == instead
                && r.observation.path.as_deref() == Some(path)
                && !self.is_limits(r.observation)
        };
        let welcome = |r: &&Reply<'a>| likeness::met(r.observation) == Some(Met::Welcome);
        let first = || self.replies.iter().find(own);
        match instead == probe {
            true => first(),
            false => self.replies.iter().filter(own).find(welcome).or_else(first),
        }
    }

    /// The response to the upgrade.
    #[must_use]
    pub fn upgrade_reply(&self, path: &str) -> Option<&Reply<'a>> {
        self.reply_of(probe::UPGRADE, path)
    }

    /// Why the upgrade got no response.
    #[must_use]
    pub fn upgrade_failure(&self, path: &str) -> Option<(&'a Observation, &'a Failure)> {
        let (o, u) = self.upgrade_of(probe::UPGRADE, path)?;
        u.result.failure().filter(|f| f.kind != FailureKind::Cancelled).map(|f| (o, f))
    }

    /// The response to the handshake of a recording, sent as it stands.
    #[must_use]
    pub fn recorded_reply(&self, path: &str) -> Option<&Reply<'a>> {
        self.reply_of(probe::RECORDED_UPGRADE, path)
    }

    /// The response to the upgrade with the browser's Origin and subprotocol.
    #[must_use]
    pub fn browser_reply(&self, path: &str) -> Option<&Reply<'a>> {
        self.reply_of(probe::BROWSER_UPGRADE, path)
    }

    /// The extended CONNECT over HTTP/2 and its outcome, where it was tried.
    #[must_use]
    pub fn h2_connect(&self, path: &str) -> Option<(&'a Observation, &'a Upgrade)> {
        self.upgrade_of(probe::H2_CONNECT, path)
    }

    /// The plain twin: the same GET without upgrade headers.
    #[must_use]
    pub fn plain_reply(&self, path: &str) -> Option<&Reply<'a>> {
        self.reply_of(probe::PLAIN_GET, path)
    }

    /// The same over HTTP/2, as plain curl goes.
    #[must_use]
    pub fn h2_reply(&self, path: &str) -> Option<&Reply<'a>> {
        self.reply_of(probe::H2_GET, path).filter(|r| r.reply.head.version().starts_with("HTTP/2"))
    }

    /// The request that `curl` sends for `ws://` through an HTTP proxy.
    #[must_use]
    pub fn absolute_reply(&self, path: &str) -> Option<&Reply<'a>> {
        self.reply_of(probe::ABSOLUTE_FORM, path)
    }

    /// A page: `/health`, `/js/_globals.js`, `/`.
    #[must_use]
    pub fn page(&self, path: &str) -> Option<&Reply<'a>> {
        self.reply_of(probe::PAGES, path)
    }

    /// A response of the server's own pages, if any passed: one with
    /// Bindplane's mark, or else a success that no known device wrote.
    #[must_use]
    pub fn pages_pass(&self, path: &str) -> Option<&Reply<'a>> {
        self.bindplane_page(path).or_else(|| {
            if self.foreign_page(path).is_some() {
                return None;
            }
            self.pages()
                .chain(self.plain_reply(path))
                .find(|r| r.kind == ReplyKind::OtherSuccess && !r.devices.iter().any(|m| m.by_body))
        })
    }

    fn pages(&self) -> impl Iterator<Item = &Reply<'a>> {
        ["/health", "/js/_globals.js", "/"].into_iter().filter_map(|p| self.page(p))
    }

    /// A page that bears Bindplane's mark.
    #[must_use]
    pub fn bindplane_page(&self, path: &str) -> Option<&Reply<'a>> {
        self.pages().chain(self.plain_reply(path)).find(|r| {
            r.kind == ReplyKind::NotAnUpgrade
                || (r.kind == ReplyKind::PageShell && r.author == Author::Origin)
                || (r.kind == ReplyKind::Unauthorized && r.author == Author::Origin)
                || r.reply.body.bytes.text().contains("__BINDPLANE_VERSION__")
        })
    }

    /// A page of somebody else's: no page bears Bindplane's mark, and where
    /// Bindplane answers with nothing (`/health`) or with a script, a document comes.
    #[must_use]
    pub fn foreign_page(&self, path: &str) -> Option<&Reply<'a>> {
        if self.bindplane_page(path).is_some() {
            return None;
        }
        ["/health", "/js/_globals.js"].into_iter().filter_map(|p| self.page(p)).find(|r| {
            r.kind == ReplyKind::OtherSuccess
                && r.reply.body.bytes.text().trim_start().starts_with('<')
        })
    }

    /// The server's version, from `/js/_globals.js`.
    #[must_use]
    pub fn server_version(&self) -> Option<(&'a Observation, String)> {
        let page = self.page("/js/_globals.js")?;
        let body = page.reply.body.bytes.text();
        let (_, rest) = body.split_once("__BINDPLANE_VERSION__")?;
        let version = rest.split('"').nth(1)?;
        Some((page.observation, version.chars().take(40).collect()))
    }

    /// The TLS handshake with the target that got furthest.
    #[must_use]
    pub fn tls(&self) -> Option<(&'a Observation, &'a Tls)> {
        let all = || {
            self.observations.iter().copied().filter_map(|o| match &o.step {
                Step::Tls(t) if t.peer == Peer::Target => Some((o, t)),
                _ => None,
            })
        };
        all().find(|(_, t)| t.result.ok().is_some() && !t.chain.is_empty()).or_else(|| all().next())
    }

    /// The target's leaf certificate as seen on this route.
    #[must_use]
    pub fn leaf(&self) -> Option<&'a Certificate> {
        self.tls()?.1.chain.first()
    }

    /// Whether the chain is trusted here; `None` without TLS or without a chain.
    #[must_use]
    pub fn trusted(&self) -> Option<bool> {
        match self.tls()?.1.verification.as_ref()? {
            Verification::Trusted => Some(true),
            Verification::Untrusted { .. } => Some(false),
            Verification::NotChecked { .. } => None,
        }
    }

    /// Ping and Pong after the plain upgrade.
    #[must_use]
    pub fn frames(&self, path: &str) -> Option<(&'a Observation, &'a Frames)> {
        let upgrades = self.of(self.stands_for(probe::UPGRADE, path));
        upgrades.filter(|o| o.path.as_deref() == Some(path)).find_map(|o| match &o.step {
            Step::Frames(f) => Some((o, f)),
            _ => None,
        })
    }

    /// A hold: `probe::HOLD_SILENT` or `probe::HOLD_CHATTY`. One whose end is
    /// silence that may have been too short tells nothing.
    #[must_use]
    pub fn hold(&self, probe: &'a str) -> Option<(&'a Observation, &'a Hold, &'a Held)> {
        self.of(probe).filter(|o| !self.is_too_short(o)).find_map(|o| match &o.step {
            Step::Hold(h) => h.result.ok().map(|held| (o, h, held)),
            _ => None,
        })
    }

    /// Whether the socket at `path` works on this route.
    #[must_use]
    pub fn socket(&self, path: &str) -> SocketState {
        // Of several servers no single answer tells.
        if self.contradicts_itself() {
            return SocketState::Unknown;
        }
        let Some((observation, upgrade)) = self.upgrade_of(probe::UPGRADE, path) else {
            return match self.reach() {
                Reach::Reached | Reach::NotTried => SocketState::Unknown,
                reach if reach.observation().is_some_and(|o| self.is_too_short(o)) => {
                    SocketState::Unknown
                }
                _ => SocketState::Fails,
            };
        };
        match &upgrade.result {
            Outcome::Failed(f) if f.kind == FailureKind::Cancelled => SocketState::Unknown,
            Outcome::Failed(_) if self.is_too_short(observation) => SocketState::Unknown,
            Outcome::Failed(_) => SocketState::Fails,
            Outcome::Ok(_) => match self.upgrade_reply(path).map(|r| r.kind) {
                Some(ReplyKind::Switched) => match self.frames(path).map(|(o, f)| (o, &f.result)) {
                    Some((_, Outcome::Ok(seen))) if frames_pass(seen) => SocketState::Works,
                    Some((_, Outcome::Failed(f))) if f.kind == FailureKind::Cancelled => {
                        SocketState::Unknown
                    }
                    None => SocketState::Unknown,
                    Some((o, _)) if self.is_too_short(o) => SocketState::Unknown,
                    Some(_) => SocketState::NoFrames,
                },
                Some(ReplyKind::Unauthorized) => SocketState::Unknown,
                _ => SocketState::Fails,
            },
        }
    }

    /// How well `path` is known to the server, as far as this route tells.
    #[must_use]
    pub fn knowledge_of(&self, path: &str) -> Knowledge {
        match self.upgrade_reply(path).map(|r| r.kind) {
            Some(ReplyKind::Switched | ReplyKind::BadSwitch) => Knowledge::Switches,
            Some(ReplyKind::NotAnUpgrade | ReplyKind::Unauthorized | ReplyKind::Forbidden) => {
                Knowledge::Endpoint
            }
            Some(ReplyKind::PageShell | ReplyKind::NotFound) => Knowledge::Unknown,
            Some(_) => Knowledge::Unclear,
            // Swallowed upgrades: the plain twin may tell what the path is.
            None => match self.plain_reply(path).map(|r| r.kind) {
                Some(ReplyKind::NotAnUpgrade | ReplyKind::Unauthorized) => Knowledge::Endpoint,
                Some(ReplyKind::PageShell | ReplyKind::NotFound) => Knowledge::Unknown,
                Some(_) => Knowledge::Unclear,
                None => Knowledge::Nothing,
            },
        }
    }
}

/// A Pong is the proof. A frame of the server's own followed by an orderly close
/// frame shows at least that frames pass; a close frame alone shows nothing.
#[must_use]
pub fn frames_pass(seen: &FramesSeen) -> bool {
    let orderly = matches!(seen.ending.close_code, None | Some(1000 | 1001));
    let data = seen.received.iter().any(|frame| frame.opcode != "close");
    seen.pong_ms.is_some() || (seen.ending.how == EndedBy::CloseFrame && orderly && data)
}

/// Whether a failure is the TLS layer's, wherever it showed.
fn is_tls(failure: &Failure) -> bool {
    matches!(
        failure.kind,
        FailureKind::TlsAlert
            | FailureKind::TlsClientCertificateRequired
            | FailureKind::TlsProtocol
    )
}

fn id_key(id: &str) -> (u64, &str) {
    (id.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(u64::MAX), id)
}
