//! Somebody wants to know who asks: credentials, and redirects to a sign-on.

use super::Question;
use crate::evidence::redirect::{self, Redirect};
use crate::evidence::{Author, Evidence, Reply, ReplyKind};
use crate::model::NextStep;
use crate::model::{Cause, Confidence, Location, Severity, Side, Status};
use crate::remedy;
use crate::rule::{Answer, Check, Draft, Rule, claim};
use crate::suggest::{run_again, run_outside};
use wss_bundle::{ResponseHead, Step};

pub(in crate::rule) const AUTH_REQUIRED: Rule = Rule {
    id: "auth-required",
    title: "The server asks for credentials",
    looks_for: "401 or 403 to the upgrade and to its plain twin alike",
    why: "the server checks credentials before it looks at the upgrade headers, so a stripped \
          and an intact upgrade get the same answer",
    remedy: "give credentials to the collector",
    check: Check::Evidence(auth_required),
};
pub(in crate::rule) const REDIRECTED: Rule = Rule {
    id: "redirected",
    title: "The upgrade is redirected",
    looks_for: "3xx to the upgrade, and where it leads: to itself, to https, to a slash, to another \
                host, to a sign-on",
    why: "browsers do not follow redirects of a WebSocket handshake (WHATWG fetch, redirect mode error)",
    remedy: "what the redirect is about: X-Forwarded-Proto, the path rule, the address, or the \
             sign-on",
    check: Check::Evidence(redirected),
};

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
    let refused = refused(&q);
    let finding = Draft::new(
        Severity::Warning,
        "The server asks for credentials before it looks at the upgrade",
        q.focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "The upgrade and the same GET without upgrade headers both get {}. So requests reach the \
         server; whether the upgrade headers reach it cannot be told without credentials.{}",
        reply.status,
        if refused.is_some() {
            " It was told credentials, and refuses them; they were not sent again, since too many \
             wrong ones lock an account."
        } else {
            ""
        }
    ))
    .also(q.cite_plain())
    .also(refused.map(|r| q.focus.cite(r.observation, r.line())))
    .remedy(remedy::credentials(e))
    .done();
    let mut claim = claim(
        Cause::AuthRequired,
        Status::Unknown,
        Location::Target,
        // Without the twin, a 401 to upgrades alone is not excluded.
        if plain.is_some() { Confidence::High } else { Confidence::Medium },
        format!(
            "Requests reach the server, which answers {} {}: whether the upgrade gets through \
             cannot be told yet.",
            reply.status,
            if refused.is_some() { "to the credentials given" } else { "without credentials" }
        ),
        finding,
    );
    claim.missing.push(run_again(e, NextStep::Credentials, "-u USER:PASSWORD"));
    claim.missing.push(run_again(e, NextStep::Credentials, "-H 'Cookie: BP_OP_AUTH=…'"));
    claim.rivals.push((
        Cause::LbStripsUpgrade,
        Confidence::Low,
        "a stripped upgrade would get the same answer; only credentials tell them apart".into(),
    ));
    Answer::Fail(Box::new(claim))
}

/// A request with credentials that was answered 401, on the deciding route.
fn refused<'e, 'a>(q: &Question<'e, 'a>) -> Option<&'e Reply<'a>> {
    q.route.replies().filter(|reply| reply.status == 401).find(|reply| {
        let request = match &reply.observation.step {
            Step::Upgrade(upgrade) => &upgrade.request,
            Step::Http(http) => &http.request,
            _ => return false,
        };
        let head = ResponseHead::new(request.0.clone());
        head.headers().iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
    })
}

fn redirected(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    let Some(reply) = q.reply.filter(|r| r.kind == ReplyKind::Redirect) else {
        return Answer::Pass;
    };
    let to = reply.reply.head.header("location").unwrap_or_default();
    let target = &q.focus.bundle.manifest.target;
    let redirect = redirect::read(target, q.path, &to);
    let by_filter = reply
        .devices
        .iter()
        .any(|m| m.signature.side == Side::Client && m.confidence >= Confidence::Medium);
    let client = by_filter || e.outside_works() == Some(true);
    let location = if client {
        Location::ClientNetwork
    } else if redirect == Redirect::ToHttps {
        Location::Target
    } else {
        Location::ServerSide
    };
    let what = if client {
        "a filter on this side sends it elsewhere".to_owned()
    } else {
        meaning(&redirect, &to)
    };
    let remedy = if client {
        remedy::network_team(e, "Let the request pass instead of redirecting it")
    } else {
        remedy::redirect(e, &redirect)
    };
    let finding = Draft::new(Severity::Error,
        title(&redirect, client),
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
    .remedy(remedy)
    .done();
    let sure = redirect == Redirect::ToHttps || e.twin().is_some();
    let mut claim = claim(
        Cause::Redirected,
        Status::Broken,
        location,
        if sure { Confidence::High } else { Confidence::Medium },
        format!("The upgrade is redirected to {to}: {what}."),
        finding,
    );
    if !sure {
        claim.missing.push(run_outside(e));
    }
    if matches!(redirect, Redirect::SignOn { .. }) {
        claim.missing.push(run_again(e, NextStep::Credentials, "-H 'Cookie: …'"));
    }
    Answer::Fail(Box::new(claim))
}

fn title(redirect: &Redirect, client: bool) -> &'static str {
    match redirect {
        _ if client => "The upgrade is redirected",
        Redirect::Itself => "The upgrade is redirected to itself",
        Redirect::ToHttp | Redirect::OtherPort => "The upgrade is redirected to another port",
        Redirect::Slash { .. } => "The upgrade is redirected for a slash",
        Redirect::SignOn { .. } => "The upgrade is redirected to a sign-on",
        _ => "The upgrade is redirected",
    }
}

/// What a redirect means, as a clause.
fn meaning(redirect: &Redirect, to: &str) -> String {
    match redirect {
        Redirect::Itself => "that is the very URL that was asked for, so it goes round in a loop. A \
             rule about https (or about the host) does not know that it is met: the hop that ends TLS \
             does not tell the next one (X-Forwarded-Proto), or is not believed"
            .to_owned(),
        Redirect::ToHttps => "the server wants https".to_owned(),
        Redirect::ToHttp => "that is the same address by http, though https was asked for: the hop \
             that ends TLS does not tell the next one (X-Forwarded-Proto)"
            .to_owned(),
        Redirect::OtherPort => "that is the same address at another port: who redirects does not know \
             the port that clients use (X-Forwarded-Port, or Host without the port)"
            .to_owned(),
        Redirect::Slash { added: true } => "it adds a slash at the end of the path and nothing else, \
             as a rule for the path with a slash does (nginx: `location /v1/ws/`)"
            .to_owned(),
        Redirect::Slash { added: false } => {
            "it takes the slash at the end of the path away, and nothing else".to_owned()
        }
        Redirect::Www => "the same address with or without www., its canonical name".to_owned(),
        Redirect::OtherHost => "the same path at another host: a canonical name, or a host that has \
             moved"
            .to_owned(),
        Redirect::SignOn { provider: Some(provider) } => {
            format!("that is a sign-on ({provider}): nobody is signed in, or the session has ended")
        }
        Redirect::SignOn { provider: None } => {
            "that looks like a sign-on: nobody is signed in, or the session has ended".to_owned()
        }
        Redirect::OtherPage if to.trim() == "/" || to.ends_with("://") => {
            "it is sent to the start page".to_owned()
        }
        Redirect::OtherPage => "it is sent to another page of the same host".to_owned(),
        Redirect::Elsewhere => "it is sent to another page of another host".to_owned(),
        Redirect::Nowhere => "it names no place (no Location)".to_owned(),
    }
}
