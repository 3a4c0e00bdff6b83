//! The server's side: a load balancer that strips or refuses the upgrade, or
//! gets no answer from behind it.

use super::Question;
use crate::evidence::{Author, Evidence, Reply, ReplyKind, silence};
use crate::model::NextStep;
use crate::model::{Cause, Confidence, DeviceRole, Location, Severity, Status};
use crate::remedy;
use crate::rule::blame::{Blame, of_upgrade};
use crate::rule::{Answer, Check, Draft, Rule, claim};
use crate::said::Says;
use crate::suggest::{run_again, run_at, run_outside, wait_longer};
use wss_bundle::Vantage;

pub(in crate::rule) const LB_HTTP2: Rule = Rule {
    id: "lb-http2",
    title: "HTTP/2 to the backend",
    looks_for: "464, or a gateway error that names a protocol error, while pages pass",
    why: "an upgrade cannot cross to an HTTP/2 target group without RFC 8441",
    remedy: "speak HTTP/1.1 to the backend",
    check: Check::Evidence(lb_http2),
};
pub(in crate::rule) const BAD_GATEWAY: Rule = Rule {
    id: "bad-gateway",
    title: "502 from the load balancer",
    looks_for: "502 to the upgrade on the server's side",
    why: "the load balancer reached for a backend and got no valid answer",
    remedy: "repair the backend connection",
    check: Check::Evidence(bad_gateway),
};
pub(in crate::rule) const NO_HEALTHY_BACKEND: Rule = Rule {
    id: "no-healthy-backend",
    title: "503 from the load balancer",
    looks_for: "503 to the upgrade on the server's side",
    why: "the load balancer has no backend that it considers healthy",
    remedy: "start the backend, or correct the health check (/health answers 200)",
    check: Check::Evidence(no_healthy_backend),
};
pub(in crate::rule) const GATEWAY_TIMEOUT: Rule = Rule {
    id: "gateway-timeout",
    title: "504, or no answer to the upgrade",
    looks_for: "504, silence, or an end of the connection without a byte, on the server's side",
    why: "the backend does not answer the upgrade in time",
    remedy: "find out why the backend is silent",
    check: Check::Evidence(gateway_timeout),
};
pub(in crate::rule) const LB_STRIPS_UPGRADE: Rule = Rule {
    id: "lb-strips-upgrade",
    title: "The load balancer does not forward the upgrade",
    looks_for: "the server's answer to a request without upgrade headers (400 or 426 with \
                Sec-WebSocket-Version), a refusal of upgrades alone (who refuses has seen them), or \
                a 426 to whatever is asked by HTTP/1.0 (Envoy's, as a rule), on the server's side",
    why: "Connection and Upgrade are hop-by-hop (RFC 9110 section 7.6.1): a proxy drops them \
          unless it is told to forward them; Envoy without upgrade_configs answers 403 itself, \
          nginx 500 where an auth_request sub-request fails",
    remedy: "forward Upgrade and Connection, over HTTP/1.1; where they are refused, its own log",
    check: Check::Evidence(lb_strips_upgrade),
};

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
    let finding = Draft::new(Severity::Error, title, q.focus, observation, q.excerpt())
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
            run_at(e, Vantage::Inside)
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
            reply.says(Says::OtherVersion) || body.contains("protocol error") && q.pages_pass()
        }
        _ => false,
    };
    if !shown {
        return behind_refuses(e, &q);
    }
    let summary = format!(
        "The load balancer speaks HTTP/2 to the backend, which an upgrade cannot cross ({}).",
        reply.line()
    );
    server_side(e, &q, Cause::LbHttp2, "HTTP/2 to the backend", summary, remedy::http2(e))
}

/// A hop behind the one that answers refuses the upgrade as malformed (400 on
/// its own page), though over HTTP/1.1 it was well formed and the same GET
/// without it reaches the server: so it looks when the first hop hands it on as
/// an extended CONNECT over HTTP/2 (measured: Envoy 1.40 before nginx 1.22.1).
fn behind_refuses(e: &Evidence<'_>, q: &Question<'_, '_>) -> Answer {
    let Some(reply) = q.reply.filter(|r| r.status == 400 && !r.wants_tls()) else {
        return Answer::Pass;
    };
    let Author::Device { name, role: DeviceRole::LoadBalancer, .. } = &reply.author else {
        return Answer::Pass;
    };
    let first = reply
        .devices
        .iter()
        .find(|m| m.signature.name != *name && !m.by_body && m.confidence == Confidence::High);
    let reaches = q.plain().is_some_and(|plain| plain.author == Author::Origin);
    let Some(first) = first.filter(|_| reaches && !reply.asks_for_certificate()) else {
        return Answer::Pass;
    };
    let summary = format!(
        "{} hands the upgrade to {name} in a form that it refuses as malformed (400), as an upgrade \
         over HTTP/2 is; the same GET without it passes.",
        first.signature.name
    );
    let answer =
        server_side(e, q, Cause::LbHttp2, "HTTP/2 to the backend", summary, remedy::http2(e));
    let Answer::Fail(mut claim) = answer else { return answer };
    claim.confidence = claim.confidence.min(Confidence::Medium);
    claim.rivals.push((
        Cause::LbStripsUpgrade,
        Confidence::Low,
        format!("{name} may refuse upgrades for a reason of its own; its log says which"),
    ));
    Answer::Fail(claim)
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
    if reply.says(Says::OtherVersion) {
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
            return Answer::CannotTell(vec![run_again(e, NextStep::Again, "")]);
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
    let said = reply.said;
    let what = said.map_or(what, |row| row.means);
    let summary = format!("{who} answers {}{scope}: {what}.", reply.status);
    let own = said.is_some_and(|row| !row.says.of_the_backend());
    let title = if own {
        format!("{} of the load balancer's own", reply.status)
    } else if (500..=504).contains(&reply.status) {
        title.to_owned()
    } else {
        format!("{} from the load balancer", reply.status)
    };
    // The way to the backend is at fault, and not its health.
    let towards = match said.map(|row| row.says) {
        Some(Says::NoConnection) => Cause::BadGateway,
        _ => cause,
    };
    let remedy = remedy::gateway(e, towards, said);
    blamed(e, &q, (cause, &title), summary, remedy, blame)
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
    let Some((observation, failure)) = q.failure.filter(|_| q.reply.is_none()) else {
        return Answer::Pass;
    };
    // Garbage is an answer of its own kind; silence and a bare end are this rule's.
    if failure.received.as_ref().is_some_and(|r| !r.is_empty()) {
        return Answer::Pass;
    }
    if !q.pages_pass() {
        return Answer::CannotTell(vec![run_outside(e)]);
    }
    let summary = format!("Pages pass, and nothing comes back to the upgrade ({failure}).");
    let answer = server_side(
        e,
        &q,
        Cause::GatewayTimeout,
        "No answer to the upgrade",
        summary,
        remedy::gateway(e, Cause::GatewayTimeout, None),
    );
    match (answer, silence::waited(observation)) {
        // A server that is slow to upgrade, and to nothing else, looks the same.
        (Answer::Fail(mut claim), Some(waited)) if !silence::is_long(observation) => {
            claim.confidence = claim.confidence.min(Confidence::Medium);
            claim.missing.push(wait_longer(e, waited, 0.0));
            Answer::Fail(claim)
        }
        (answer, _) => answer,
    }
}

/// What an answer that is no gateway's error says of the upgrade.
enum Upgrade {
    /// It did not arrive: the answer is that to a request without it.
    Lost(String),
    /// It was seen, and refused.
    Refused(String),
    /// Nothing that is asked by HTTP/1.0 gets an answer.
    AskedByHttp10,
}

fn what_became_of_it(q: &Question<'_, '_>, reply: &Reply<'_>) -> Option<Upgrade> {
    if reply.says(Says::RefusesHttp10) {
        return Some(Upgrade::AskedByHttp10);
    }
    let plain = q.plain();
    if reply.kind == ReplyKind::NotAnUpgrade {
        return Some(Upgrade::Lost(format!(
            "the server answered {} as if it had never seen `Upgrade: websocket`, which was sent",
            reply.status
        )));
    }
    let others = plain.is_some_and(|p| !p.same_answer(reply));
    let refuses = matches!(
        reply.kind,
        ReplyKind::Forbidden | ReplyKind::Other | ReplyKind::NotFound | ReplyKind::Unauthorized
    );
    // A document in place of the upgrade, where the same GET without it is refused.
    let document = reply.kind == ReplyKind::OtherSuccess
        && plain.is_some_and(|p| p.kind == ReplyKind::NotAnUpgrade);
    let by_origin = reply.author == Author::Origin && !reply.says(Says::CannotHandOver);
    if others && (refuses || document) && !by_origin {
        let otherwise = plain.map(|p| p.line()).unwrap_or_default();
        let means = reply.said.map(|row| format!(": {}", row.means)).unwrap_or_default();
        return Some(Upgrade::Refused(format!(
            "it answers {} to upgrades, and {otherwise} to the same GET without them{means}",
            reply.status
        )));
    }
    let ignores = reply.kind == ReplyKind::OtherSuccess
        && reply.from_disk().is_none()
        && !q.answered_for_it(q.path, reply)
        && plain.is_some_and(|p| p.same_answer(reply));
    ignores.then(|| {
        Upgrade::Lost(format!(
            "it answers {} to the upgrade and to the same GET without upgrade headers alike",
            reply.status
        ))
    })
}

/// Whether one of these left its mark.
fn named(reply: &Reply<'_>, ids: &[&str]) -> bool {
    reply.devices.iter().any(|m| ids.contains(&m.signature.id.as_str()))
}

fn lb_strips_upgrade(e: &Evidence<'_>) -> Answer {
    let Some(q) = on_server_side(e) else { return Answer::NotApplicable };
    let Some(reply) = q.reply else { return Answer::Pass };
    let Some(became) = what_became_of_it(&q, reply) else { return Answer::Pass };
    let who = reply.device_name();
    let (title, summary, remedy) = match became {
        Upgrade::Lost(what) => {
            let who = who.unwrap_or_else(|| "Whatever stands before the server".into());
            (
                "The upgrade headers do not arrive",
                format!("{who} does not forward the upgrade headers: {what}."),
                remedy::forward_upgrade(e),
            )
        }
        Upgrade::Refused(what) => {
            let log = who.as_deref().unwrap_or("each hop before the server, and of the server,");
            let remedy = remedy::refused_upgrade(e, log, reply.said);
            let who = who.unwrap_or_else(|| "Somebody before the server, or in it,".into());
            (
                "Upgrades alone are refused",
                format!(
                    "{who} refuses the upgrade: {what}. Whoever answers so has seen the upgrade \
                     headers: they arrive there."
                ),
                remedy,
            )
        }
        Upgrade::AskedByHttp10 => {
            let scope = if q.pages_pass() { "the upgrade" } else { "pages and upgrade alike" };
            let who = who.map_or_else(
                || "the hop before it".to_owned(),
                |who| format!("the hop before it ({who})"),
            );
            (
                "What is behind the load balancer refuses HTTP/1.0",
                format!(
                    "{} comes to {scope}, without Sec-WebSocket-Version: so says {} to HTTP/1.0. So \
                     {who} asks by HTTP/1.0: nginx does without proxy_http_version 1.1. No filter is \
                     in the way.",
                    reply.line(),
                    match named(reply, &["envoy", "istio"]) {
                        true => "Envoy",
                        false => "who takes no HTTP/1.0 (a sidecar of a service mesh, for one),",
                    }
                ),
                remedy::http10(e),
            )
        }
    };
    server_side(
        e,
        &q,
        Cause::LbStripsUpgrade,
        title,
        summary.trim_end_matches("..").to_owned(),
        remedy,
    )
}
