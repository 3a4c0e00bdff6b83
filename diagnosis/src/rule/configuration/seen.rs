//! Whether the probe saw what a line foretells.

use crate::configuration::{Issue, Kind, Program, Provided};
use crate::evidence::compression::Compression;
use crate::evidence::holding::Picture;
use crate::evidence::{Author, Evidence, Reply, ReplyKind, RouteView};
use crate::model::{Cause, Confidence, DeviceRole, Location};
use crate::rule::Claim;
use crate::signature::Signature;
use wss_bundle::ResponseHead;

/// What the probe saw of an issue: a sentence, and the rules whose claims it
/// explains.
pub(super) struct Seen {
    pub(super) saw: String,
    pub(super) explains: Vec<&'static str>,
}

/// The load balancer whose mark the answer to the upgrade bears, where it is certainly
/// another program's: then these files need not be to blame.
pub(super) fn another_hop<'e>(e: &'e Evidence<'_>, program: Program) -> Option<&'e Signature> {
    let (_, route, path) = e.deciding()?;
    let devices = &route.upgrade_reply(path)?.devices;
    let in_front = || {
        devices.iter().filter(|m| {
            m.signature.role == DeviceRole::LoadBalancer && m.confidence == Confidence::High
        })
    };
    if in_front().any(|m| program.is_device(&m.signature.id)) {
        return None;
    }
    in_front().next().map(|m| m.signature)
}

/// Whether a response is a file from a disk: what sends files dates and tags them.
pub(super) fn from_disk(head: &ResponseHead) -> bool {
    let has = |name: &str| head.header(name).is_some();
    has("last-modified") && (has("etag") || has("accept-ranges"))
}

/// The whole of what is compared.
pub(super) struct Compared<'c, 'e, 'a> {
    pub(super) e: &'e Evidence<'a>,
    pub(super) claims: &'c [Claim],
}

impl<'e, 'a> Compared<'_, 'e, 'a> {
    fn deciding(&self) -> Option<(&'e RouteView<'a>, &'a str)> {
        let (_, route, path) = self.e.deciding()?;
        Some((route, path))
    }

    pub(super) fn reply(&self) -> Option<&'e Reply<'a>> {
        let (route, path) = self.deciding()?;
        route.upgrade_reply(path)
    }

    /// The rules that claim one of these causes. A fault on the client's side is
    /// not this file's.
    pub(super) fn claimed(&self, causes: &[Cause]) -> Vec<&'static str> {
        self.claims
            .iter()
            .filter(|c| causes.contains(&c.cause) && c.location != Location::ClientNetwork)
            .map(|c| c.finding.rule)
            .collect()
    }

    /// The client's side is to blame: then no file of the server's is.
    fn elsewhere(&self) -> bool {
        self.claims.first().is_some_and(|c| c.location == Location::ClientNetwork)
    }

    fn answered(&self, causes: &[Cause]) -> Option<Seen> {
        let explains = self.claimed(causes);
        let line = self.reply()?.line();
        (!explains.is_empty()).then(|| Seen { saw: format!("The probe saw it: {line}."), explains })
    }

    /// 426 to pages, too, and not as a WebSocket server says it.
    pub(super) fn refuses_http_1_0(&self) -> bool {
        let Some((route, path)) = self.deciding() else { return false };
        let too_old = |r: &Reply<'_>| {
            matches!(r.status, 426 | 505) && r.reply.head.header("sec-websocket-version").is_none()
        };
        let plain = route.plain_reply(path).or_else(|| route.page("/health"));
        self.reply().is_some_and(too_old) && plain.is_some_and(too_old)
    }

    /// The page shell, or a file, in the place of an answer to the upgrade.
    pub(super) fn page_instead(&self) -> bool {
        self.reply().is_some_and(|r| {
            r.status == 200
                && (r.kind == ReplyKind::PageShell
                    || from_disk(&r.reply.head)
                    || r.reply.body.bytes.text().trim_start().starts_with('<'))
        })
    }

    /// A redirect to the URL that was asked for.
    fn to_itself(&self) -> bool {
        let Some(focus) = self.e.focus() else { return false };
        let target = &focus.bundle.manifest.target;
        let Some(reply) = self.reply().filter(|r| r.kind == ReplyKind::Redirect) else {
            return false;
        };
        let asked = target.url(focus.path);
        let Some(to) = reply.reply.head.header("location") else { return false };
        let plain = |url: &str| {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            rest.replacen(&format!("{}:{}", target.host, target.port), &target.host, 1)
        };
        let same_scheme = to.starts_with("https:") == asked.starts_with("https:")
            || to.starts_with("https:") == asked.starts_with("wss:");
        same_scheme && plain(&to) == plain(&asked)
    }

    /// The server's refusal of what is no upgrade, of which somebody before it kept the
    /// status alone (nginx: proxy_intercept_errors): upgrade and GET alike, while pages
    /// are the server's.
    pub(super) fn under_another_page(&self) -> Option<Seen> {
        let (route, path) = self.deciding()?;
        let reply = self.reply().filter(|r| matches!(r.status, 400 | 426))?;
        let plain = route.plain_reply(path).filter(|plain| plain.same_answer(reply))?;
        let own = reply.wants_tls() || reply.asks_for_certificate();
        let others = !self.claims.is_empty() || own || reply.author == Author::Origin;
        route.pages_pass(path).filter(|_| !others)?;
        let saw = format!(
            "The probe saw it: {} to the upgrade and to the same GET without it, under a page that \
             is not the server's, while pages pass.",
            plain.line()
        );
        Some(Seen { saw, explains: Vec::new() })
    }

    /// Upgrades alone fail: the same request without its headers passes.
    fn upgrades_alone(&self) -> bool {
        let Some((route, path)) = self.deciding() else { return false };
        let server = |r: &&Reply<'_>| r.author == Author::Origin || r.status < 400;
        route.plain_reply(path).filter(server).is_some()
            || route.pages_pass(path).is_some() && route.plain_reply(path).is_none()
    }

    /// Compares. `None` where the probe did not see it.
    pub(super) fn seen(&self, program: Program, issue: &Issue) -> Option<Seen> {
        if self.elsewhere() {
            return None;
        }
        let reply = self.reply();
        let line = |why: &str, explains| {
            let line = reply.map(Reply::line).unwrap_or_default();
            Some(Seen { saw: format!("The probe saw it: {line}{why}."), explains })
        };
        match issue.kind {
            Kind::UpgradeHeaders => {
                self.answered(&[Cause::LbStripsUpgrade]).or_else(|| self.under_another_page())
            }
            Kind::HttpVersion if self.refuses_http_1_0() => line(
                " to every request: what is behind refuses HTTP/1.0",
                self.claimed(&[Cause::LbStripsUpgrade]),
            ),
            // Some servers take an upgrade by HTTP/1.0 (gorilla/websocket 1.5.0 behind
            // nginx 1.22, as measured): that it was stripped does not show this.
            Kind::HttpVersion | Kind::SendTimeout(_) => None,
            Kind::Http2 => {
                let causes = [
                    Cause::LbHttp2,
                    Cause::LbStripsUpgrade,
                    Cause::BadGateway,
                    Cause::NoHealthyBackend,
                ];
                self.answered(&causes)
            }
            // What decides is the answer to the browser's Origin, and not that without.
            Kind::Host => {
                let rejected = |c: &&Claim| c.cause == Cause::OriginRejected;
                let shown = self.claims.iter().find(rejected).map(|c| &c.finding.evidence.first);
                let saw = shown.map(|shown| format!("The probe saw it: {}.", shown.excerpt));
                self.answered(&[Cause::OriginRejected])
                    .map(|seen| Seen { saw: saw.unwrap_or(seen.saw), ..seen })
            }
            // The server's own answer to a path that it does not have.
            Kind::PathChanged => {
                let own = reply.is_some_and(|r| {
                    r.author == Author::Origin && (r.status == 404 || r.status == 200)
                });
                own.then(|| self.claimed(&[Cause::WrongPath, Cause::BlockedPage])).and_then(
                    |rules| {
                        line(": the server does not know the path that it was asked for", rules)
                    },
                )
            }
            Kind::PathRule(status) => {
                let status = status.filter(|s| reply.is_some_and(|r| r.status == *s))?;
                // The server's own words show that the request came to it.
                let own = reply?.author == Author::Origin || reply?.kind == ReplyKind::Switched;
                let causes = [
                    Cause::WrongPath,
                    Cause::Redirected,
                    Cause::NoHealthyBackend,
                    Cause::LbStripsUpgrade,
                    Cause::BlockedPage,
                    Cause::BadGateway,
                    Cause::AuthRequired,
                ];
                let saw = format!("The probe saw it: it was answered {status}.");
                (!own).then(|| Seen { saw, explains: self.claimed(&causes) })
            }
            Kind::Targets(status) => {
                let causes = [Cause::NoHealthyBackend, Cause::BadGateway, Cause::GatewayTimeout];
                let own = reply?.author == Author::Origin || reply?.kind == ReplyKind::Switched;
                let told = status.is_none_or(|status| reply.is_some_and(|r| r.status == status));
                self.answered(&causes).filter(|_| told && !own)
            }
            Kind::Disk if self.page_instead() => {
                line(" with a page", self.claimed(&[Cause::WrongPath, Cause::BlockedPage]))
            }
            Kind::Disk => None,
            Kind::OtherBackend => {
                let (route, path) = self.deciding()?;
                let foreign = route.bindplane_page(path).is_none()
                    && reply.is_some_and(|r| {
                        r.kind != ReplyKind::Switched && r.author != Author::Origin
                    });
                let causes = [Cause::WrongPath, Cause::BlockedPage, Cause::Redirected];
                foreign
                    .then(|| self.claimed(&causes))
                    .and_then(|rules| line(", and nothing that answers is Bindplane's", rules))
            }
            Kind::RedirectLoop(_) if self.to_itself() => {
                line(" to the URL that was asked for", self.claimed(&[Cause::Redirected]))
            }
            Kind::RedirectLoop(_) => None,
            Kind::Timeout(seconds) => self.cut_at(seconds),
            Kind::Lifetime(seconds) => self.cut_at_age(seconds),
            Kind::HidesGrant => self.grant_hidden(),
            Kind::Limit(status) => {
                // nginx' own 503 is no dead backend; HAProxy's may be.
                let alone =
                    issue.provided.is_none() && (program.dialect().id == "nginx" || status != 503);
                self.limited(status, alone)
            }
            Kind::ProxyHeaderAwaited | Kind::ProxyHeaderSent => {
                let causes = [Cause::TlsFailure, Cause::GatewayTimeout, Cause::BadGateway];
                let explains = self.claimed(&causes);
                let how = if issue.kind == Kind::ProxyHeaderSent {
                    "the server answered in another language than it was spoken to"
                } else {
                    "the connection was ended before it was answered"
                };
                (!explains.is_empty() && reply.is_none_or(|r| r.kind != ReplyKind::Switched))
                    .then(|| Seen { saw: format!("The probe saw it: {how}."), explains })
            }
            Kind::NotChecked => {
                let differs = |c: &&Claim| c.cause.slug() == "backends-differ";
                let rule = self.claims.iter().find(differs)?.finding.rule;
                let saw = "The probe saw it: the same request got contradicting answers.";
                Some(Seen { saw: saw.to_owned(), explains: vec![rule] })
            }
            Kind::Reload(_) => self.cut_together(),
            Kind::NoEffect => None,
            Kind::Subrequest => {
                let refused = reply.is_some_and(|r| {
                    matches!(r.status, 400 | 401 | 403 | 500) && r.author != Author::Origin
                });
                (refused && self.upgrades_alone())
                    .then(|| line(" to upgrades alone", self.claimed(&[Cause::LbStripsUpgrade])))
                    .flatten()
            }
        }
    }

    fn cut_at(&self, seconds: f64) -> Option<Seen> {
        let (route, _) = self.deciding()?;
        // Where nobody was seen to end it, the time is the collector's own.
        let cut = route.silence_survived().cut.filter(|cut| !cut.unseen())?.age_s();
        let near = (cut - seconds).abs() <= (seconds * 0.05).max(1.5);
        let explains = self.claimed(&[Cause::IdleTimeout]);
        let saw = format!("The probe saw it: the silent connection was cut after {cut:.1} s.");
        (near && !explains.is_empty()).then_some(Seen { saw, explains })
    }

    /// Cut at an age, whatever passed.
    fn cut_at_age(&self, seconds: f64) -> Option<Seen> {
        let (route, _) = self.deciding()?;
        let cut = route.silence_survived().cut.filter(|cut| !cut.unseen())?.age_s();
        let near = (cut - seconds).abs() <= (seconds * 0.05).max(1.5);
        let explains = self.claimed(&[Cause::LifetimeLimit]);
        let saw = format!("The probe saw it: the connection was cut after {cut:.1} s.");
        (near && !explains.is_empty()).then_some(Seen { saw, explains })
    }

    fn grant_hidden(&self) -> Option<Seen> {
        let (route, path) = self.deciding()?;
        let explains = self.claimed(&[Cause::FramesBlocked]);
        match route.compression(path) {
            Compression::Breaks(broken) if !broken.granted && !explains.is_empty() => Some(Seen {
                saw: "The probe saw it: compression was offered, the answer that came does not \
                      grant it, and frames could not be read."
                    .to_owned(),
                explains,
            }),
            _ => None,
        }
    }

    /// Some handshakes got that status, and another was accepted; or nobody else
    /// says that status (`alone`).
    fn limited(&self, status: u16, alone: bool) -> Option<Seen> {
        let (route, _) = self.deciding()?;
        let own = |r: &&Reply<'_>| r.author != Author::Origin;
        let refused = route.replies().filter(own).filter(|r| r.status == status).count();
        let passed = route.replies().any(|r| r.kind == ReplyKind::Switched);
        let rule = |c: &&Claim| matches!(c.cause.slug(), "rate-limited" | "no-healthy-backend");
        let explains = self.claims.iter().filter(rule).map(|c| c.finding.rule).collect();
        (refused > 0 && (passed || alone)).then(|| Seen {
            saw: format!(
                "The probe saw it: {refused} of its own requests got {status}{}. The collector opens \
                 more sockets in a second than a browser does.",
                if passed { ", and others passed" } else { "" }
            ),
            explains,
        })
    }

    /// Both connections that were held ended at about the same time.
    fn cut_together(&self) -> Option<Seen> {
        let (route, _) = self.deciding()?;
        let close = matches!(route.picture()?, Picture::Event(_) | Picture::AgeOrEvent);
        let explains =
            self.claimed(&[Cause::LifetimeLimit, Cause::IdleTimeout, Cause::Insufficient]);
        close.then(|| Seen {
            saw: "The probe saw what a reload looks like: both connections ended, the silent one and \
                  the one that pings. Whether there was a reload at that time, nginx' or HAProxy's log \
                  says; a limit on age looks the same in one run."
                .to_owned(),
            explains,
        })
    }
}

/// Whether an issue counts at all, by what it is provided on.
pub(super) fn counts(issue: &Issue, seen: bool, disk: bool) -> bool {
    match issue.provided {
        None => true,
        Some(Provided::Condition | Provided::FileThere) => seen,
        Some(Provided::FileMissing) => !disk,
    }
}
