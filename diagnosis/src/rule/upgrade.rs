//! The response to the upgrade: who refused it, stripped it, or kept silent.

use super::blame::{Blame, interceptor, of_upgrade};
use super::{Answer, Draft, Rule, claim, run_again, run_at, run_outside};
use crate::evidence::{Author, BundleView, Evidence, Reach, Reply, ReplyKind, RouteView};
use crate::model::{Cause, Citation, Confidence, DeviceRole, Location, Severity, Status};
use crate::remedy;
use wss_bundle::target::AGENT_PATH;
use wss_bundle::{Failure, Observation};

pub(super) const BLOCKED_PAGE: Rule = Rule {
    id: "blocked-page",
    title: "Somebody answers in the server's place",
    looks_for: "pages and upgrade alike answered by a filter's, portal's or firewall's own page",
    why: "where not even the pages are Bindplane's, nothing can be said about WebSocket",
    remedy: "allow the host in the filter",
    check: blocked_page,
};
pub(super) const WRONG_PATH: Rule = Rule {
    id: "wrong-path",
    title: "No path that was tried is known",
    looks_for: "404 or the console's page shell for every WebSocket path",
    why: "the server answers unknown paths with its page shell, and a load balancer without a \
          rule for them with 404",
    remedy: "use the path that the browser uses, or route it",
    check: wrong_path,
};
pub(super) const AUTH_REQUIRED: Rule = Rule {
    id: "auth-required",
    title: "The server asks for credentials",
    looks_for: "401 or 403 to the upgrade and to its plain twin alike",
    why: "the server checks credentials before it looks at the upgrade headers, so a stripped \
          and an intact upgrade get the same answer",
    remedy: "give credentials to the collector",
    check: auth_required,
};
pub(super) const REDIRECTED: Rule = Rule {
    id: "redirected",
    title: "The upgrade is redirected",
    looks_for: "3xx to the upgrade",
    why: "browsers do not follow redirects of a WebSocket handshake (WHATWG fetch, redirect mode error)",
    remedy: "exempt the WebSocket path from sign-on, or use the final address",
    check: redirected,
};
pub(super) const PROXY_BLOCKS_WEBSOCKET: Rule = Rule {
    id: "proxy-blocks-websocket",
    title: "A proxy or interceptor does not let the upgrade through",
    looks_for: "pages that pass while the upgrade is refused, stripped or swallowed on the \
                client's side: it works from outside or by another route, or the answer or the \
                certificate is a proxy's",
    why: "Squid's ssl-bump, for one, drops Upgrade unless http_upgrade_request_protocols allows \
          it; the origin then answers 400 with Sec-WebSocket-Version",
    remedy: "let Upgrade: websocket through, or bypass inspection for this host",
    check: proxy_blocks_websocket,
};
pub(super) const LB_HTTP2: Rule = Rule {
    id: "lb-http2",
    title: "HTTP/2 to the backend",
    looks_for: "464, or a gateway error that names a protocol error, while pages pass",
    why: "an upgrade cannot cross to an HTTP/2 target group without RFC 8441",
    remedy: "speak HTTP/1.1 to the backend",
    check: lb_http2,
};
pub(super) const BAD_GATEWAY: Rule = Rule {
    id: "bad-gateway",
    title: "502 from the load balancer",
    looks_for: "502 to the upgrade on the server's side",
    why: "the load balancer reached for a backend and got no valid answer",
    remedy: "repair the backend connection",
    check: bad_gateway,
};
pub(super) const NO_HEALTHY_BACKEND: Rule = Rule {
    id: "no-healthy-backend",
    title: "503 from the load balancer",
    looks_for: "503 to the upgrade on the server's side",
    why: "the load balancer has no backend that it considers healthy",
    remedy: "start the backend, or correct the health check (/health answers 200)",
    check: no_healthy_backend,
};
pub(super) const GATEWAY_TIMEOUT: Rule = Rule {
    id: "gateway-timeout",
    title: "504, or no answer to the upgrade",
    looks_for: "504, silence, or an end of the connection without a byte, on the server's side",
    why: "the backend does not answer the upgrade in time",
    remedy: "find out why the backend is silent",
    check: gateway_timeout,
};
pub(super) const LB_STRIPS_UPGRADE: Rule = Rule {
    id: "lb-strips-upgrade",
    title: "The load balancer does not forward the upgrade",
    looks_for: "the server's answer to a request without upgrade headers (400 or 426 with \
                Sec-WebSocket-Version), or a refusal of upgrades alone, on the server's side",
    why: "Connection and Upgrade are hop-by-hop (RFC 9110 section 7.6.1): a proxy drops them \
          unless it is told to forward them; Envoy without upgrade_configs answers 403 itself",
    remedy: "forward Upgrade and Connection, over HTTP/1.1",
    check: lb_strips_upgrade,
};

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
        let failure = route.upgrade_failure(path);
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
            // An answer of the server itself to the plain twin is as good.
            || self.plain().is_some_and(|r| r.author == Author::Origin)
    }

    fn by(&self) -> String {
        self.reply
            .as_ref()
            .and_then(|r| r.device_name())
            .map(|name| format!(" ({name} is on the path)"))
            .unwrap_or_default()
    }
}

/// The same upgrade where it works, to cite beside the failure.
fn cite_success(e: &Evidence<'_>) -> Option<Citation> {
    let from = |view: &BundleView<'_>, route: &RouteView<'_>| {
        route
            .upgrade_reply(view.path)
            .map(|r| view.cite(r.observation, format!("{} ({})", r.line(), route.route.id)))
    };
    if let Some(twin) = e.twin()
        && e.outside_works() == Some(true)
    {
        return from(twin, twin.selected()?);
    }
    let focus = e.focus()?;
    let other = focus.other_working().next()?;
    from(focus, other)
}

fn blocked_page(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    if q.pages_pass() || q.kind() == Some(ReplyKind::Switched) {
        return Answer::Pass;
    }
    let Some(reply) = &q.reply else { return Answer::Pass };
    if matches!(
        reply.kind,
        ReplyKind::BadGateway | ReplyKind::Unavailable | ReplyKind::GatewayTimeout
    ) {
        return Answer::Pass;
    }
    let Author::Device { role, name } = &reply.author else { return foreign_page(e, &q) };
    let in_front = !matches!(role, DeviceRole::ForwardProxy | DeviceRole::TlsInterceptor);
    // A load balancer may ask for credentials in the server's name, or for a
    // certificate: those have causes of their own.
    if reply.wants_tls() {
        return Answer::Pass;
    }
    if in_front && (reply.kind == ReplyKind::Unauthorized || reply.asks_for_certificate()) {
        return Answer::Pass;
    }
    // The same author on the pages: it stands in the server's place for everything.
    let everywhere = ["/health", "/js/_globals.js", "/"].into_iter().any(|p| {
        q.route.page(p).is_some_and(
            |r| matches!(&r.author, Author::Device { name: other, .. } if other == name),
        )
    });
    if !everywhere {
        return Answer::Pass;
    }
    let location = match role {
        DeviceRole::ForwardProxy | DeviceRole::TlsInterceptor => Location::ClientNetwork,
        _ => Location::ServerSide,
    };
    let finding = Draft::new(
        "blocked-page",
        Severity::Error,
        format!("{name} answers in the server's place"),
        q.focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "Pages and upgrade alike get {name}'s own page ({}), so no request reaches Bindplane.",
        reply.line()
    ))
    .remedy(remedy::network_team(e, "Allow this host in the filter that answers in its place"))
    .done();
    Answer::Fail(Box::new(claim(
        Cause::BlockedPage,
        Status::Broken,
        location,
        Confidence::High,
        format!("{name} answers every request with its own page; none reaches Bindplane."),
        finding,
    )))
}

/// Pages of somebody who is not known by name.
fn foreign_page(e: &Evidence<'_>, q: &Question<'_, '_>) -> Answer {
    let (Some(reply), Some(page)) = (q.reply, q.route.foreign_page(q.path)) else {
        return Answer::Pass;
    };
    if !matches!(reply.kind, ReplyKind::OtherSuccess | ReplyKind::Forbidden | ReplyKind::Other) {
        return Answer::Pass;
    }
    let theirs = e.twin().and_then(|t| t.selected()?.bindplane_page(t.path));
    let (location, confidence, also) = match (theirs, e.twin()) {
        (Some(_), _) => (
            Location::ClientNetwork,
            Confidence::High,
            "; from outside, the same address gives Bindplane's pages",
        ),
        (None, Some(_)) => {
            (Location::Target, Confidence::Medium, ", nor does any that comes outside")
        }
        (None, None) => (Location::Undetermined, Confidence::Medium, ""),
    };
    let finding = Draft::new(
        "blocked-page",
        Severity::Error,
        "What answers is not Bindplane",
        q.focus,
        page.observation,
        page.line(),
    )
    .text(format!(
        "{} gets a document, which Bindplane does not give there, and no page bears Bindplane's \
         mark{also}. A captive portal, a web filter, or another server stands in its \
         place.",
        page.observation.path.as_deref().unwrap_or_default()
    ))
    .also(Some(q.focus.cite(reply.observation, format!("{} (upgrade)", reply.line()))))
    .also(e.twin().zip(theirs).map(|(t, r)| t.cite(r.observation, r.line())))
    .remedy(remedy::network_team(e, "Allow this host in the filter that answers in its place"))
    .done();
    let mut claim = claim(
        Cause::BlockedPage,
        Status::Broken,
        location,
        confidence,
        format!("Something answers in the server's place: no page bears Bindplane's mark{also}."),
        finding,
    );
    if e.twin().is_none() {
        claim.missing.push(run_outside(e));
        claim.rivals.push((
            Cause::WrongPath,
            Confidence::Low,
            "the address may be of another server; from outside it would answer the same".into(),
        ));
    }
    Answer::Fail(Box::new(claim))
}

fn wrong_path(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    let paths = &q.focus.bundle.observations.target.paths;
    let unknown = |p: &String| {
        matches!(
            q.route.upgrade_reply(p).map(|r| r.kind),
            Some(ReplyKind::NotFound | ReplyKind::PageShell)
        )
    };
    let console: Vec<_> =
        paths.iter().filter(|p| p.as_str() != AGENT_PATH || paths.len() == 1).collect();
    if !console.iter().all(|p| unknown(p)) {
        return Answer::Pass;
    }
    let Some(reply) = &q.reply else { return Answer::Pass };
    let tried = console.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(", ");
    let by_device = matches!(reply.author, Author::Device { .. });
    // A server that answers unknown paths with its shell does not answer 404;
    // where it does for other pages, the 404 comes from a rule before it.
    let shell_elsewhere = reply.kind == ReplyKind::NotFound
        && q.route.page("/").is_some_and(|r| r.kind == ReplyKind::PageShell)
        && !reply.devices.is_empty();
    let (location, whose) = if by_device || shell_elsewhere {
        (Location::ServerSide, "a load balancer's path rule does not send them to the server")
    } else {
        (Location::Target, "the server does not know them")
    };
    let finding = Draft::new(
        "wrong-path",
        Severity::Error,
        "No WebSocket path that was tried is known",
        q.focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "{tried}: {}{}. This is no fault of a proxy: {whose}.",
        if reply.kind == ReplyKind::PageShell {
            "the console's page shell, which this server gives for every unknown path"
        } else {
            "404"
        },
        q.by()
    ))
    .also(q.cite_plain())
    .remedy(remedy::right_path(e))
    .done();
    let mut claim = claim(
        Cause::WrongPath,
        Status::Broken,
        location,
        if location == Location::Target { Confidence::Medium } else { Confidence::High },
        format!("No WebSocket path that was tried exists ({tried}): {whose}."),
        finding,
    );
    claim.missing.push(run_again(e, "--path PATH-FROM-DEVTOOLS"));
    Answer::Fail(Box::new(claim))
}

fn auth_required(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    let Some(reply) = &q.reply else { return Answer::Pass };
    if !matches!(reply.kind, ReplyKind::Unauthorized | ReplyKind::Forbidden) {
        return Answer::Pass;
    }
    let plain = q.plain();
    let same = plain.as_ref().is_none_or(|p| p.status == reply.status);
    let elsewhere = e.outside_works() == Some(true) || q.focus.other_working().next().is_some();
    if !same || elsewhere {
        return Answer::Pass;
    }
    if reply.kind == ReplyKind::Forbidden
        && (!q.pages_pass() || reply.author != Author::Origin && !reply.devices.is_empty())
    {
        return Answer::Pass;
    }
    let finding = Draft::new(
        "auth-required",
        Severity::Warning,
        "The server asks for credentials before it looks at the upgrade",
        q.focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "The upgrade and the same GET without upgrade headers both get {}. So requests reach the \
         server; whether the upgrade headers reach it cannot be told without credentials.",
        reply.status
    ))
    .also(q.cite_plain())
    .remedy(remedy::credentials(e))
    .done();
    let mut claim = claim(
        Cause::AuthRequired,
        Status::Unknown,
        Location::Target,
        // Without the twin, a 401 to upgrades alone is not excluded.
        if plain.is_some() { Confidence::High } else { Confidence::Medium },
        format!(
            "Requests reach the server, which answers {} without credentials: whether the upgrade \
             gets through cannot be told yet.",
            reply.status
        ),
        finding,
    );
    claim.missing.push(run_again(e, "-u USER:PASSWORD"));
    claim.missing.push(run_again(e, "-H 'Cookie: BP_OP_AUTH=…'"));
    claim.rivals.push((
        Cause::LbStripsUpgrade,
        Confidence::Low,
        "a stripped upgrade would get the same answer; only credentials tell them apart".into(),
    ));
    Answer::Fail(Box::new(claim))
}

fn redirected(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    let Some(reply) = q.reply.as_ref().filter(|r| r.kind == ReplyKind::Redirect) else {
        return Answer::Pass;
    };
    let to = reply.reply.head.header("location").unwrap_or_default();
    let target = &q.focus.bundle.manifest.target;
    let authority = to.split_once("://").map_or("", |(_, rest)| rest);
    let host = authority.split(['/', '?', '#']).next().unwrap_or("");
    let host = host
        .rsplit_once(':')
        .map_or(host, |(h, p)| if p.chars().all(|c| c.is_ascii_digit()) { h } else { host });
    let same_host = host.is_empty() || host.eq_ignore_ascii_case(&target.host);
    let to_https = to.starts_with("https://") && target.scheme.as_str() == "http" && same_host;
    let by_swg = reply.devices.iter().any(|m| {
        m.signature.role == DeviceRole::ForwardProxy && m.confidence >= Confidence::Medium
    });
    let (location, what) = if by_swg || e.outside_works() == Some(true) {
        (Location::ClientNetwork, "a filter on this side sends it elsewhere")
    } else if to_https {
        (Location::Target, "the server wants https")
    } else if same_host {
        (Location::ServerSide, "it is sent to another page of the same host, usually a sign-on")
    } else {
        (Location::ServerSide, "it is sent to another host, usually for a sign-on")
    };
    let finding = Draft::new(
        "redirected",
        Severity::Error,
        "The upgrade is redirected",
        q.focus,
        reply.observation,
        format!("{} → {to}", reply.line()),
    )
    .text(format!(
        "The upgrade gets {} to {to}: {what}. Browsers do not follow redirects of a WebSocket; they \
         report code 1006.",
        reply.status
    ))
    .also(q.cite_plain())
    .remedy(remedy::redirect(e, to_https))
    .done();
    let mut claim = claim(
        Cause::Redirected,
        Status::Broken,
        location,
        if to_https || e.twin().is_some() { Confidence::High } else { Confidence::Medium },
        format!("The upgrade is redirected to {to}: {what}."),
        finding,
    );
    if e.twin().is_none() && !to_https {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}

fn proxy_blocks_websocket(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    if matches!(q.kind(), Some(ReplyKind::Switched | ReplyKind::Redirect | ReplyKind::BadSwitch)) {
        return Answer::Pass;
    }
    let Blame { location, confidence, because } = of_upgrade(e);
    if location != Location::ClientNetwork || q.reply.as_ref().is_some_and(|r| r.status == 407) {
        return Answer::Pass;
    }
    if !q.pages_pass() {
        return Answer::CannotTell(vec![run_outside(e)]);
    }
    let Some(observation) = q.observation() else { return Answer::NotApplicable };
    // "Pages pass" is certain only of pages that are Bindplane's beyond doubt.
    let confidence = match q.route.bindplane_page(q.path) {
        Some(_) => confidence,
        None => confidence.min(Confidence::Medium),
    };
    let how = match (&q.reply, q.failure) {
        (Some(r), _) if r.kind == ReplyKind::NotAnUpgrade => format!(
            "strips the upgrade headers: the server answered {} as if it had never seen them",
            r.status
        ),
        (Some(r), _) => format!("refuses the upgrade with {}", r.line()),
        (None, Some((_, f))) => format!("swallows the upgrade: no answer came ({f})"),
        (None, None) => "does not let the upgrade through".into(),
    };
    let who = if let Some(name) = interceptor(e, q.route) {
        if q.route.route.id.is_direct() {
            format!("{name}, which intercepts TLS here,")
        } else {
            format!("The {}, which intercepts TLS as {name},", q.route.route.id)
        }
    } else if q.route.route.id.is_direct() {
        "Something on the client's network".to_owned()
    } else {
        format!("The {}", q.route.route.id)
    };
    let finding = Draft::new(
        "proxy-blocks-websocket",
        Severity::Error,
        "Pages pass, and the WebSocket upgrade does not",
        q.focus,
        observation,
        q.excerpt(),
    )
    .text(format!(
        "{who} {how}. It lies on the client's side, because {because}. Pages pass on the same \
         route, so the host itself is not blocked.{}",
        q.by()
    ))
    .also(q.cite_pages())
    .also(cite_success(e))
    .remedy(remedy::proxy_websocket(e))
    .done();
    let mut claim = claim(
        Cause::ProxyBlocksWebsocket,
        Status::Broken,
        Location::ClientNetwork,
        confidence,
        format!("{who} {how}; {because}."),
        finding,
    );
    if confidence < Confidence::High {
        claim.rivals.push((
            Cause::LbStripsUpgrade,
            Confidence::Low,
            format!("{because}; a run from outside would settle it"),
        ));
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}

/// A server-side claim about the upgrade's response, with what all of them share.
fn server_side(
    e: &Evidence<'_>,
    q: &Question<'_, '_>,
    cause: Cause,
    title: &str,
    summary: String,
    remedy: crate::model::Remedy,
) -> Answer {
    blamed(e, q, (cause, title), summary, remedy, of_upgrade(e))
}

/// The same, where it is known better whose it is.
fn blamed(
    e: &Evidence<'_>,
    q: &Question<'_, '_>,
    (cause, title): (Cause, &str),
    summary: String,
    remedy: crate::model::Remedy,
    blame: Blame,
) -> Answer {
    let Some(observation) = q.observation() else { return Answer::NotApplicable };
    let Blame { location, confidence, because } = blame;
    let finding =
        Draft::new(cause.slug(), Severity::Error, title, q.focus, observation, q.excerpt())
            .text(format!("{summary} As to whose it is: {because}."))
            .also(q.cite_plain())
            .also(q.cite_pages())
            .remedy(remedy)
            .done();
    let mut claim = claim(cause, Status::Broken, location, confidence, summary, finding);
    if e.twin().is_none() {
        claim.missing.push(if q.focus.bundle.manifest.vantage == wss_bundle::Vantage::Inside {
            run_outside(e)
        } else {
            run_at(e, "inside")
        });
        if q.kind() == Some(ReplyKind::NotAnUpgrade) {
            claim.rivals.push((
                Cause::ProxyBlocksWebsocket,
                Confidence::Low,
                format!("{because}; a run from outside would exclude it"),
            ));
        }
    }
    Answer::Fail(Box::new(claim))
}

/// The question, where the server's side is to be asked.
fn on_server_side<'e, 'a>(e: &'e Evidence<'a>) -> Option<Question<'e, 'a>> {
    let q = Question::new(e)?;
    (of_upgrade(e).location != Location::ClientNetwork || !q.pages_pass()).then_some(q)
}

fn lb_http2(e: &Evidence<'_>) -> Answer {
    let Some(q) = on_server_side(e) else { return Answer::NotApplicable };
    let Some(reply) = &q.reply else { return Answer::Pass };
    let body = reply.reply.body.bytes.text();
    let shown = match reply.kind {
        ReplyKind::ProtocolMismatch => true,
        ReplyKind::BadGateway | ReplyKind::Unavailable => {
            body.contains("protocol error") && q.pages_pass()
        }
        _ => false,
    };
    if !shown {
        return Answer::Pass;
    }
    let summary = format!(
        "The load balancer speaks HTTP/2 to the backend, which an upgrade cannot cross ({}).",
        reply.line()
    );
    server_side(e, &q, Cause::LbHttp2, "HTTP/2 to the backend", summary, remedy::http2(e))
}

fn gateway(e: &Evidence<'_>, kind: ReplyKind, cause: Cause, title: &str, what: &str) -> Answer {
    let Some(q) = on_server_side(e) else { return Answer::NotApplicable };
    // Where nothing comes back to the upgrade, and no page passes, the pages'
    // answer tells what is wrong (Varnish pipes upgrades into the void).
    let of_pages = || {
        let pages = ["/health", "/js/_globals.js", "/"];
        (q.reply.is_none() && !q.pages_pass())
            .then(|| pages.into_iter().find_map(|page| q.route.page(page)))?
            .filter(|reply| reply.kind == kind)
    };
    let Some(reply) = q.reply.filter(|r| r.kind == kind).or_else(of_pages) else {
        return Answer::Pass;
    };
    if reply.reply.body.bytes.text().contains("protocol error") && q.pages_pass() {
        return Answer::Pass;
    }
    let mut blame = of_upgrade(e);
    if blame.location == Location::ClientNetwork && !q.pages_pass() {
        // A gateway error to everything from this side: a load balancer's own
        // page came from behind; anything else is the proxy's, and it says no
        // more than that the proxy got nowhere.
        let Author::Device {
            role: DeviceRole::LoadBalancer | DeviceRole::Cdn | DeviceRole::Waf,
            ..
        } = &reply.author
        else {
            return Answer::CannotTell(vec![run_outside(e)]);
        };
        if e.outside_works() == Some(true) {
            return Answer::CannotTell(vec![run_again(e, "")]);
        }
        blame = Blame {
            location: Location::ServerSide,
            confidence: Confidence::Low,
            because: "the page is a load balancer's, passed on by an interceptor".to_owned(),
        };
    }
    let who = reply.device_name().unwrap_or_else(|| "The load balancer".into());
    let scope = if q.pages_pass() {
        " to the upgrade, while pages pass"
    } else {
        " to pages and upgrade alike, so this is no matter of WebSocket"
    };
    let summary = format!("{who} answers {}{scope}: {what}.", reply.status);
    blamed(e, &q, (cause, title), summary, remedy::gateway(e, cause), blame)
}

fn bad_gateway(e: &Evidence<'_>) -> Answer {
    gateway(
        e,
        ReplyKind::BadGateway,
        Cause::BadGateway,
        "502 from the load balancer",
        "it gets no valid answer from the backend",
    )
}

fn no_healthy_backend(e: &Evidence<'_>) -> Answer {
    gateway(
        e,
        ReplyKind::Unavailable,
        Cause::NoHealthyBackend,
        "503 from the load balancer",
        "it has no backend to send the request to",
    )
}

fn gateway_timeout(e: &Evidence<'_>) -> Answer {
    let Some(q) = on_server_side(e) else { return Answer::NotApplicable };
    if q.kind() == Some(ReplyKind::GatewayTimeout) {
        return gateway(
            e,
            ReplyKind::GatewayTimeout,
            Cause::GatewayTimeout,
            "504 from the load balancer",
            "the backend does not answer in time",
        );
    }
    let Some((_, failure)) = q.failure.filter(|_| q.reply.is_none()) else { return Answer::Pass };
    // Garbage is an answer of its own kind; silence and a bare end are this rule's.
    if failure.received.as_ref().is_some_and(|r| !r.is_empty()) {
        return Answer::Pass;
    }
    if !q.pages_pass() {
        return Answer::CannotTell(vec![run_outside(e)]);
    }
    let summary = format!("Pages pass, and nothing comes back to the upgrade ({failure}).");
    server_side(
        e,
        &q,
        Cause::GatewayTimeout,
        "No answer to the upgrade",
        summary,
        remedy::gateway(e, Cause::GatewayTimeout),
    )
}

fn lb_strips_upgrade(e: &Evidence<'_>) -> Answer {
    let Some(q) = on_server_side(e) else { return Answer::NotApplicable };
    let Some(reply) = &q.reply else { return Answer::Pass };
    let plain = q.plain();
    let refuses_upgrades_alone = plain.as_ref().is_some_and(|p| p.status != reply.status)
        && matches!(reply.kind, ReplyKind::Forbidden | ReplyKind::Other | ReplyKind::NotFound)
        && reply.author != Author::Origin;
    let ignores_upgrade = matches!(reply.kind, ReplyKind::OtherSuccess)
        && plain.as_ref().is_some_and(|p| p.same_answer(reply));
    let what = match reply.kind {
        ReplyKind::NotAnUpgrade => format!(
            "the server answered {} as if it had never seen `Upgrade: websocket`, which was sent",
            reply.status
        ),
        _ if refuses_upgrades_alone => {
            format!("it answers {} to upgrades, and otherwise to the same GET", reply.status)
        }
        _ if ignores_upgrade => format!(
            "it answers {} to the upgrade and to the same GET without upgrade headers alike",
            reply.status
        ),
        _ => return Answer::Pass,
    };
    let device = reply.devices.iter().find(|m| m.signature.role != DeviceRole::Origin);
    let who = reply.device_name().unwrap_or_else(|| "Whatever stands before the server".into());
    let verb = if refuses_upgrades_alone {
        "refuses the upgrade"
    } else {
        "does not forward the upgrade headers"
    };
    let remedy = remedy::forward_upgrade(e, device.map(|m| m.signature.id.as_str()));
    server_side(
        e,
        &q,
        Cause::LbStripsUpgrade,
        "The upgrade headers do not arrive",
        format!("{who} {verb}: {what}."),
        remedy,
    )
}
