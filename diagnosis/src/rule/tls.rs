//! The TLS handshake and the certificate.

use super::{Answer, Check, Draft, Rule, claim};
use crate::evidence::interceptor;
use crate::evidence::{Evidence, Reach, Reply, RouteView};
use crate::model::NextStep;
use crate::model::{Cause, Confidence, Location, Severity, Status};
use crate::remedy;
use crate::said::{self, Says};
use crate::suggest::{run_again, run_at, run_outside};
use wss_bundle::Vantage;
use wss_bundle::observation::{Distrust, Peer, Verification, probe};
use wss_bundle::target::Scheme;
use wss_bundle::{Failure, FailureKind, Observation, ResponseHead};

pub(super) const TLS_FAILURE: Rule = Rule {
    id: "tls-failure",
    title: "The TLS handshake fails",
    looks_for: "an alert, a reset, plain text or silence where a TLS handshake was due",
    why: "the TCP port is open, so somebody is there; the alert's name tells what it wants \
          (RFC 8446 section 6)",
    remedy: "speak the right protocol, or let TLS through",
    check: Check::Evidence(tls_failure),
};

pub(super) const LB_HTTP2_ALPN: Rule = Rule {
    id: "lb-http2-alpn",
    title: "The front end speaks HTTP/2 only",
    looks_for: "a refusal of ALPN `http/1.1`, h2 chosen though only http/1.1 was offered, or no \
                answer to any request over HTTP/1.1 where the same one over HTTP/2 is answered",
    why: "an HTTP/1.1 upgrade needs HTTP/1.1; without RFC 8441 there is no other way in",
    remedy: "offer http/1.1 by ALPN",
    check: Check::Evidence(lb_http2_alpn),
};

pub(super) const TLS_INTERCEPTED: Rule = Rule {
    id: "tls-intercepted",
    title: "TLS is intercepted, and the interceptor is not trusted here",
    looks_for: "an untrusted chain whose issuer is a known interceptor, or whose leaf differs \
                from the one another vantage or route sees",
    why: "an interceptor re-signs every leaf; browsers without its root refuse the socket in silence",
    remedy: "exempt the host from inspection, or install the interceptor's root",
    check: Check::Evidence(tls_intercepted),
};

pub(super) const TLS_UNTRUSTED: Rule = Rule {
    id: "tls-untrusted",
    title: "The certificate is not trusted here",
    looks_for: "a chain that is expired, self-signed, for another name, or of an unknown issuer",
    why: "a WebSocket shows no certificate warning to click away: the browser just fails",
    remedy: "renew or complete the certificate",
    check: Check::Evidence(tls_untrusted),
};

fn tls_failure(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    if let Some(reply) = route.upgrade_reply(path).filter(|r| r.asks_for_certificate()) {
        return certificate_demanded(e, reply);
    }
    if let Some(reply) = route.upgrade_reply(path).filter(|r| r.wants_tls()) {
        return tls_wanted(e, reply);
    }
    let Reach::TlsFailed(observation, tls, failure) = route.reach() else { return Answer::Pass };
    // Trust in the certificate is for the rules below.
    let others = [FailureKind::TlsNoApplicationProtocol, FailureKind::TlsUntrusted];
    if tls.peer == Peer::Proxy || others.contains(&failure.kind) {
        return Answer::Pass;
    }
    let works_outside =
        e.twin().and_then(|t| t.selected()).map(|r| matches!(r.reach(), Reach::Reached));
    let works_by_another_route = focus
        .routes
        .iter()
        .any(|r| r.route.id != route.route.id && matches!(r.reach(), Reach::Reached));
    let fails_alike = e
        .twin()
        .and_then(|t| t.selected())
        .is_some_and(|r| matches!(r.reach(), Reach::TlsFailed(_, _, f) if f.kind == failure.kind));
    let (location, confidence, also) = if works_outside == Some(true) {
        (Location::ClientNetwork, Confidence::High, " From outside the same handshake succeeds.")
    } else if works_by_another_route {
        // That other route may be the one that is meant to be taken.
        let also = " By another route the same handshake succeeds.";
        (Location::ClientNetwork, Confidence::Medium, also)
    } else if fails_alike {
        (Location::ServerSide, Confidence::High, " It fails in the same way from outside.")
    } else {
        match failure.kind {
            FailureKind::TlsNotTls
            | FailureKind::TlsAlert
            | FailureKind::TlsIncompatible
            | FailureKind::TlsClientCertificateRequired => {
                (Location::ServerSide, Confidence::Medium, "")
            }
            _ => (Location::Undetermined, Confidence::Medium, ""),
        }
    };
    // Where the same handshake succeeds otherwise, it is about this way.
    let elsewhere = works_outside == Some(true) || works_by_another_route;
    let what = match failure.kind {
        FailureKind::TlsNotTls if wants_tls_itself(failure) => {
            "a port that speaks TLS answers in plain text, as one does to which something else came \
             first: the header of the PROXY protocol, or plain HTTP from the hop before it"
        }
        FailureKind::TlsNotTls => {
            "plain text comes where TLS was due: a plain-text port, or one to which the hop before it \
             sent the header of the PROXY protocol (send-proxy), which it does not expect"
        }
        FailureKind::TlsClientCertificateRequired => {
            "the server demands a client certificate (mutual TLS)"
        }
        FailureKind::TlsRevocationUnknown => {
            "Windows could not check whether the certificate is revoked: the addresses of its \
             revocation lists cannot be reached from there"
        }
        FailureKind::TlsAlert => "the other side ends the handshake with an alert",
        FailureKind::ConnectionReset if elsewhere => {
            "the connection is reset in the middle of the handshake, as firewalls do that filter \
             by server name"
        }
        FailureKind::ConnectionReset | FailureKind::Eof if !elsewhere => {
            "the connection ends in the middle of the handshake, without an alert: so do a port that \
             waits for the header of the PROXY protocol (listen … proxy_protocol, accept-proxy) and \
             does not get it, a firewall that filters by server name, and a load balancer that has \
             nobody to pass it on to"
        }
        FailureKind::ConnectionReset => "the connection is reset in the middle of the handshake",
        FailureKind::Eof => "the connection is closed in the middle of the handshake",
        FailureKind::TimedOut => "nothing comes back to the handshake",
        _ => "the handshake cannot be completed",
    };
    let finding = Draft::new(
        Severity::Error,
        "The TLS handshake fails",
        focus,
        observation,
        failure.to_string(),
    )
    .text(format!("TCP connects, but {what}: {failure}.{also}"))
    .remedy(remedy::tls_handshake(e, failure.kind, location == Location::ClientNetwork))
    .done();
    let mut claim = claim(
        Cause::TlsFailure,
        Status::Broken,
        location,
        confidence,
        format!("The TLS handshake fails: {what}.{also}"),
        finding,
    );
    if failure.kind == FailureKind::TlsClientCertificateRequired {
        claim.missing.push(run_again(
            e,
            NextStep::ClientCertificate,
            "--cert CLIENT.pem --key CLIENT.key",
        ));
    } else if works_outside.is_none() {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}

/// Whether what came in place of TLS says that this port wants TLS: then something
/// else came before the handshake.
fn wants_tls_itself(failure: &Failure) -> bool {
    let Some(received) = &failure.received else { return false };
    let text = received.text();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let head = ResponseHead::new(format!("{head}\r\n\r\n"));
    let response = crate::signature::Response { status: head.status(), head: &head, body };
    said::read(&response, &[]).is_some_and(|row| row.says == Says::WantsTls)
}

/// The handshake goes through, and the answer says what it lacked.
fn certificate_demanded(e: &Evidence<'_>, reply: &Reply<'_>) -> Answer {
    let Some(focus) = e.focus() else { return Answer::NotApplicable };
    let who = reply.device_name().unwrap_or_else(|| "The front end".into());
    let summary = format!("{who} demands a client certificate (mutual TLS), and none was given.");
    let finding = Draft::new(
        Severity::Error,
        "A client certificate is demanded",
        focus,
        reply.observation,
        reply.line(),
    )
    .text(format!("{summary} Its page says so, to every request."))
    .remedy(remedy::tls_handshake(e, FailureKind::TlsClientCertificateRequired, false))
    .done();
    let mut claim = claim(
        Cause::TlsFailure,
        Status::Broken,
        Location::ServerSide,
        Confidence::High,
        summary,
        finding,
    );
    claim.missing.push(run_again(
        e,
        NextStep::ClientCertificate,
        "--cert CLIENT.pem --key CLIENT.key",
    ));
    Answer::Fail(Box::new(claim))
}

/// Plain text was spoken to a port that wants TLS.
fn tls_wanted(e: &Evidence<'_>, reply: &Reply<'_>) -> Answer {
    let Some(focus) = e.focus() else { return Answer::NotApplicable };
    let target = &focus.bundle.manifest.target;
    if target.scheme == Scheme::Https {
        return plain_behind(e, reply);
    }
    let summary = format!("Port {} speaks TLS, and was spoken to in plain text.", target.port);
    let finding =
        Draft::new(Severity::Error, "The port wants TLS", focus, reply.observation, reply.line())
            .text(format!("{summary} Use https://{}.", target.host_port()))
            .remedy(remedy::use_https(e))
            .done();
    Answer::Fail(Box::new(claim(
        Cause::TlsFailure,
        Status::Broken,
        Location::Target,
        Confidence::High,
        summary,
        finding,
    )))
}

/// TLS was spoken to the front end, and a hop behind it got plain text.
fn plain_behind(e: &Evidence<'_>, reply: &Reply<'_>) -> Answer {
    let Some(focus) = e.focus() else { return Answer::NotApplicable };
    let who = reply.device_name().unwrap_or_else(|| "The load balancer".into());
    let summary = format!(
        "{who} ends TLS and speaks plain HTTP to what is behind it, which wants TLS ({}).",
        reply.line()
    );
    let finding = Draft::new(Severity::Error,
        "Plain HTTP is spoken to a TLS port behind the load balancer",
        focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "{summary} The request came here by https; the answer says that it arrived there without TLS."
    ))
    .remedy(remedy::tls_to_the_backend(e))
    .done();
    Answer::Fail(Box::new(claim(
        Cause::TlsFailure,
        Status::Broken,
        Location::ServerSide,
        Confidence::Medium,
        summary,
        finding,
    )))
}

/// A proxy that answers for the target with an error, while the certificate that
/// another way shows is bad: that is why (Squid: ERR_SECURE_CONNECT_FAIL).
fn untrusted_behind_a_proxy(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let Some(reply) = route.upgrade_reply(path) else { return Answer::Pass };
    let gateway = matches!(reply.status, 502 | 503) && route.pages_pass(path).is_none();
    if !gateway
        || interceptor(e, route).is_none()
            && route.trusted() == Some(true)
            && route.route.id.is_direct()
    {
        return Answer::Pass;
    }
    let direct = focus.direct().filter(|r| r.route.id != route.route.id).map(|r| (focus, r));
    let outside = e.twin().and_then(|twin| Some((twin, twin.selected()?)));
    let seen = [direct, outside].into_iter().flatten().find_map(|(view, other)| {
        let (o, reason, detail, tls) = distrust(other)?;
        let own = tls.chain.first().is_some_and(|leaf| leaf.self_issued);
        let bad = matches!(reason, Distrust::Expired | Distrust::NotYetValid | Distrust::WrongName);
        (bad || own).then_some((view, o, detail))
    });
    let Some((view, observation, detail)) = seen else { return Answer::Pass };
    let summary = "The proxy answers with an error for a server whose certificate is not valid.";
    let finding = Draft::new(
        Severity::Error,
        "The server's certificate is not valid, and the proxy does not accept it",
        view,
        observation,
        detail.to_owned(),
    )
    .text(format!("{summary} Without the proxy the certificate shows: {detail}."))
    .also(Some(focus.cite(reply.observation, reply.line())))
    .remedy(remedy::certificate(e, Distrust::Expired))
    .done();
    Answer::Fail(Box::new(claim(
        Cause::TlsUntrusted,
        Status::Broken,
        Location::ServerSide,
        Confidence::Medium,
        format!("{summary} It shows by the other way: {detail}."),
        finding,
    )))
}

/// A front end may take the TLS session without choosing a protocol (RFC 7301
/// leaves it free to), and then understand HTTP/2 alone: nothing that was sent
/// over HTTP/1.1 is answered (measured: nghttpx 1.52, HAProxy 2.6 with `proto h2`).
fn answers_h2_alone<'a>(route: &RouteView<'a>, path: &str) -> Option<(&'a Observation, String)> {
    let h2 = route.h2_reply(path)?;
    let (observation, failure) = route.upgrade_failure(path)?;
    // Of the sessions in which HTTP/1.1 alone was offered.
    let mut sessions = route.of(probe::UPGRADE).filter_map(|o| match &o.step {
        wss_bundle::Step::Tls(tls) => tls.result.ok(),
        _ => None,
    });
    let chosen = sessions.any(|session| session.alpn.is_some());
    let h1 = |reply: &Reply<'_>| reply.reply.head.version().starts_with("HTTP/1");
    (!chosen && !route.replies().any(h1))
        .then(|| (observation, format!("{failure}; over HTTP/2: {}", h2.line())))
}

fn lb_http2_alpn(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let silent = answers_h2_alone(route, path);
    // Browsers that see WebSocket over HTTP/2 announced have a way in (RFC 8441).
    let way_in = route.h2_connect(path).is_some_and(|(_, connect)| {
        let status = connect.result.ok().and_then(|reply| reply.head.status());
        status.is_some_and(|status| (200..300).contains(&status))
    });
    let refused = match route.reach() {
        Reach::TlsFailed(o, _, f) if f.kind == FailureKind::TlsNoApplicationProtocol => {
            Some((o, f.to_string()))
        }
        _ => route.of(probe::UPGRADE).find_map(|o| match &o.step {
            wss_bundle::Step::Tls(t)
                if t.result.ok().and_then(|s| s.alpn.as_deref()) == Some("h2") =>
            {
                Some((o, "ALPN: h2".to_owned()))
            }
            _ => None,
        }),
    };
    let Some((observation, excerpt)) = refused.or(silent) else { return Answer::Pass };
    let but = if way_in {
        " WebSocket over HTTP/2 (RFC 8441) is taken, so browsers that speak it get through; agents \
         and everything else do not."
    } else {
        ""
    };
    let finding = Draft::new(
        Severity::Error,
        "The front end offers HTTP/2 only",
        focus,
        observation,
        excerpt,
    )
    .text(format!(
        "An HTTP/1.1 WebSocket upgrade cannot be made here: the front end does not take \
         `http/1.1`.{but}"
    ))
    .remedy(remedy::http2(e))
    .done();
    Answer::Fail(Box::new(claim(
        Cause::LbHttp2,
        Status::Broken,
        Location::ServerSide,
        if way_in { Confidence::Medium } else { Confidence::High },
        format!(
            "The front end speaks HTTP/2 only, so a WebSocket upgrade over HTTP/1.1 is \
             impossible.{but}"
        ),
        finding,
    )))
}

fn distrust<'a>(
    route: &RouteView<'a>,
) -> Option<(&'a wss_bundle::Observation, Distrust, &'a str, &'a wss_bundle::observation::Tls)> {
    let (o, tls) = route.tls()?;
    match tls.verification.as_ref()? {
        Verification::Untrusted { reason, detail } => Some((o, *reason, detail.as_str(), tls)),
        _ => None,
    }
}

fn tls_intercepted(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let Some((observation, _, detail, tls)) = distrust(route) else {
        return if route.tls().is_some() { Answer::Pass } else { Answer::NotApplicable };
    };
    let Some(who) = interceptor(e, route) else { return Answer::Pass };
    let issuer = tls.chain.first().map_or("", |c| c.issuer.as_str());
    let sure = if e.leaf_differs() == Some(true) { Confidence::High } else { Confidence::Medium };
    let finding = Draft::new(
        Severity::Error,
        "TLS is opened on the way, by somebody this machine does not trust",
        focus,
        observation,
        format!("issuer: {issuer}"),
    )
    .text(format!(
        "The certificate that arrives here was issued by {who} ({issuer}) and is not trusted on \
         this machine: {detail}. A browser here refuses the WebSocket without a warning to click \
         away."
    ))
    .remedy(remedy::interception(e, &who))
    .done();
    Answer::Fail(Box::new(claim(
        Cause::TlsIntercepted,
        Status::Broken,
        Location::ClientNetwork,
        sure,
        format!("TLS is intercepted by {who}, whose certificate this machine does not trust."),
        finding,
    )))
}

fn tls_untrusted(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let Some((observation, reason, detail, tls)) = distrust(route) else {
        return untrusted_behind_a_proxy(e);
    };
    if interceptor(e, route).is_some() {
        return Answer::Pass;
    }
    let leaf = tls.chain.first();
    let same_outside = e.leaf_differs() == Some(false) && e.twin().is_some();
    let what = match reason {
        Distrust::Expired => "it has expired",
        Distrust::NotYetValid => "it is not valid yet (or this machine's clock is wrong)",
        Distrust::WrongName => "it is for another name",
        Distrust::UnknownIssuer if leaf.is_some_and(|c| c.self_issued) => "it is self-signed",
        Distrust::UnknownIssuer => "its issuer is unknown to this machine",
        Distrust::Revoked => "it has been revoked",
        Distrust::Other => "this machine does not accept it",
    };
    let ambiguous = reason == Distrust::UnknownIssuer && !same_outside;
    // The other side trusts what it is shown: what is shown here is another's, or
    // something is missing here.
    let trusted_there =
        e.twin().and_then(|twin| twin.selected()).is_some_and(|r| r.trusted() == Some(true));
    let (location, confidence) = if trusted_there && e.focus_is_pasted() {
        (Location::ClientNetwork, Confidence::Medium)
    } else if ambiguous && leaf.is_none_or(|c| !c.self_issued) {
        (Location::Undetermined, Confidence::Medium)
    } else if same_outside {
        (Location::ServerSide, Confidence::High)
    } else {
        (Location::ServerSide, Confidence::Medium)
    };
    let finding = Draft::new(
        Severity::Error,
        "The certificate is not trusted here",
        focus,
        observation,
        detail.to_owned(),
    )
    .text(match leaf {
        Some(leaf) => format!(
            "The server's certificate is refused because {what}. Subject: {}; issuer: {}; valid \
             until {}.",
            leaf.subject, leaf.issuer, leaf.not_after,
        ),
        None => format!(
            "The server's certificate is refused because {what}. Which certificate that is was not \
             shown: an interceptor's, or the server's own where a root is missing."
        ),
    })
    .remedy(if location == Location::ClientNetwork {
        remedy::certificate_here(e)
    } else {
        remedy::certificate(e, reason)
    })
    .done();
    let mut claim = claim(
        Cause::TlsUntrusted,
        Status::Broken,
        location,
        confidence,
        match location {
            Location::ClientNetwork => format!(
                "From {} the certificate is refused, because {what}; from the other side the \
                 certificate is trusted. Somebody on the way there opens TLS, or a root is missing.",
                focus.bundle.manifest.vantage.as_str()
            ),
            _ => format!("Browsers refuse the certificate: {what}."),
        },
        finding,
    );
    if ambiguous || location == Location::ClientNetwork {
        claim.rivals.push((
            Cause::TlsIntercepted,
            Confidence::Low,
            "the issuer is no known interceptor, and no other vantage shows a different certificate"
                .into(),
        ));
        claim.missing.push(match e.focus_is_pasted() {
            true => run_at(e, Vantage::Inside),
            false => run_outside(e),
        });
    }
    Answer::Fail(Box::new(claim))
}
