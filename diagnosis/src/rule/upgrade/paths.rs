//! No WebSocket path that was tried is known: to the server itself, or to
//! whoever stands before it and does not ask the server.

use super::Question;
use crate::evidence::interceptor;
use crate::evidence::spelling::Otherwise;
use crate::evidence::{Author, Evidence, Reply, ReplyKind, Site, Written};
use crate::model::NextStep;
use crate::model::{Cause, Confidence, DeviceRole, Location, Severity, Status};
use crate::remedy;
use crate::rule::{Answer, Check, Draft, Rule, claim};
use crate::suggest::{run_again, run_outside};
use wss_bundle::target::{AGENT_PATH, DEFAULT_PATHS, is_agents};

pub(in crate::rule) const WRONG_PATH: Rule = Rule {
    id: "wrong-path",
    title: "No path that was tried is known",
    looks_for: "404, the console's page shell, a file or another site's page for every WebSocket \
                path; and who wrote it: the server's own answers have `Vary: Origin` and no date, a \
                file has Last-Modified, another site has none of Bindplane's pages",
    why: "the server answers unknown paths with its page shell, and a load balancer without a \
          rule for them with 404, with a file, or with another site",
    remedy: "send the paths to the server, or use the path that the browser uses",
    check: Check::Evidence(wrong_path),
};

pub(in crate::rule) const PATH_ANSWERED: Rule = Rule {
    id: "path-answered-before",
    title: "One of the console's paths does not reach the server",
    looks_for: "a path of the console's that a load balancer answers itself (a file, a text of its own, \
                404), while the socket at the other one works",
    why: "which of /v1/ws and /v1/graphql a console opens is for its version to say; a rule by path \
          (HAProxy's monitor-uri, nginx' return) that takes one of them leaves that console offline",
    remedy: "send the path to the server",
    check: Check::Evidence(path_answered),
};

/// A path of the console's that somebody before the server answers, while the deciding
/// one works: the path, and the answer.
pub(crate) fn answered_before<'e>(e: &'e Evidence<'_>) -> Option<(&'e str, &'e Reply<'e>)> {
    let q = Question::new(e)?;
    if !q.route.socket(q.path).works() {
        return None;
    }
    let paths = &q.focus.bundle.observations.target.paths;
    let others = paths.iter().map(String::as_str).filter(|path| *path != q.path);
    others.filter(|path| !is_agents(path)).find_map(|path| {
        let reply = q.route.upgrade_reply(path)?;
        let by_device =
            || matches!(reply.author, Author::Device { role: DeviceRole::LoadBalancer, .. });
        let own = match reply.kind {
            ReplyKind::NotFound => by_device(),
            ReplyKind::PageShell => reply.from_disk().is_some(),
            ReplyKind::OtherSuccess => {
                reply.from_disk().is_some() || q.answered_for_it(path, reply)
            }
            _ => false,
        };
        own.then_some((path, reply))
    })
}

fn path_answered(e: &Evidence<'_>) -> Answer {
    let Some((focus, _, path)) = e.deciding() else { return Answer::NotApplicable };
    let Some((other, reply)) = answered_before(e) else { return Answer::Pass };
    let who = reply.device_name();
    let finding = Draft::new(Severity::Warning,
        format!("{other} does not reach Bindplane"),
        focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "{} answers {other} itself ({}), and Bindplane is not asked; {path} works. A console that \
         opens its socket at {other} stays offline. A rule by path takes it: HAProxy's monitor-uri or \
         http-request return, nginx' return or a file, Caddy's respond.",
        who.as_deref().unwrap_or("Whatever stands before the server"),
        reply.line()
    ))
    .remedy(remedy::routing(e, false))
    .done();
    Answer::Note(vec![finding])
}

/// What the answers to the console's paths come to.
enum Finding {
    /// The server was asked, and knows none.
    Unknown,
    /// In another spelling the server knows them; what shows it, as a clause.
    Changed(String),
    /// A file was sent; its headers.
    File(Vec<&'static str>),
    /// Another site answers.
    AnotherSite,
    /// Somebody before the server answers; why that is believed.
    Before(String),
    /// Somebody before the server answers whatever comes for the path with success.
    Own,
    /// It cannot be told.
    Untold,
}

fn wrong_path(e: &Evidence<'_>) -> Answer {
    let Some(q) = Question::new(e) else { return Answer::NotApplicable };
    let paths = &q.focus.bundle.observations.target.paths;
    let console: Vec<&str> =
        paths.iter().map(String::as_str).filter(|p| !is_agents(p) || paths.len() == 1).collect();
    let site = q.route.site(q.path);
    let unknown = |p: &&str| {
        q.route.upgrade_reply(p).is_some_and(|r| match r.kind {
            ReplyKind::NotFound | ReplyKind::PageShell => true,
            // A file, an answer of somebody's own, or another site's page, where a
            // WebSocket was asked for.
            ReplyKind::OtherSuccess => {
                site == Site::Bindplane && (r.from_disk().is_some() || q.answered_for_it(p, r))
                    || site == Site::Another && q.route.foreign_page(q.path).is_none()
            }
            _ => false,
        })
    };
    if console.is_empty() || !console.iter().all(unknown) {
        return Answer::Pass;
    }
    let Some(reply) = q.reply else { return Answer::Pass };
    let otherwise = q.route.known_otherwise(paths);
    let found = match &otherwise {
        Some(known) => Finding::Changed(changed(known)),
        None => judge(&q, reply, site),
    };
    let both =
        DEFAULT_PATHS.iter().filter(|p| **p != AGENT_PATH).all(|default| console.contains(default));
    let tried = console.join(", ");
    let (location, confidence, whose) = whose(e, &q, reply, &found, both);
    let agents = agents_work(&q, &console);
    let besides = if agents && !matches!(found, Finding::Unknown) {
        format!(
            " {AGENT_PATH}, the agents' path, reaches Bindplane by the same way: a rule by path sends \
             it there, and not these."
        )
    } else {
        String::new()
    };
    let target = location == Location::Target;
    let remedy = if target {
        remedy::right_path(e)
    } else {
        remedy::routing(e, matches!(found, Finding::AnotherSite))
    };
    let title = match &found {
        Finding::AnotherSite => "Another site answers, and not Bindplane",
        Finding::File(_) => "A file answers the WebSocket paths, and not Bindplane",
        Finding::Unknown if target => "No WebSocket path that was tried is known",
        Finding::Unknown | Finding::Changed(_) => {
            "Bindplane is asked for another path than the browser asks for"
        }
        Finding::Before(_) | Finding::Own | Finding::Untold => {
            "The WebSocket paths do not reach Bindplane"
        }
    };
    let draft = Draft::new(Severity::Error, title, q.focus, reply.observation, reply.line())
        .text(format!("{tried}: {}{}. {whose}.{besides}", what(reply), q.by()))
        .also(q.cite_plain())
        .also(cite_start_page(&q, &found))
        .also(otherwise.as_ref().map(|known| {
            let line = format!("{} ({})", known.reply.line(), known.spelled);
            q.focus.cite(known.reply.observation, line)
        }))
        .remedy(remedy);
    let summary = if target {
        format!("No WebSocket path that was tried exists ({tried}): {whose}.")
    } else {
        format!("The console's WebSocket paths do not reach Bindplane ({tried}): {whose}.{besides}")
    };
    let mut claim =
        claim(Cause::WrongPath, Status::Broken, location, confidence, summary, draft.done());
    claim.missing.push(run_again(e, NextStep::Path, "--path PATH-FROM-DEVTOOLS"));
    if location == Location::Undetermined && e.twin().is_none() {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}

fn what(reply: &Reply<'_>) -> String {
    match reply.kind {
        ReplyKind::PageShell => "the console's page shell".to_owned(),
        _ => reply.line().split_once(' ').map_or(reply.status.to_string(), |(_, s)| s.to_owned()),
    }
}

fn judge(q: &Question<'_, '_>, reply: &Reply<'_>, site: Site) -> Finding {
    if site == Site::Another {
        return Finding::AnotherSite;
    }
    match q.route.written(reply) {
        _ if reply.from_disk().is_none() && q.answered_for_it(q.path, reply) => Finding::Own,
        Written::ByOrigin => Finding::Unknown,
        Written::FromDisk(headers) => Finding::File(headers),
        Written::Before(why) => Finding::Before(why),
        // A server that answers unknown paths with its shell does not answer 404;
        // where it does for other pages, the 404 comes from a rule before it.
        Written::Untold if reply.kind == ReplyKind::NotFound && shell_elsewhere(q) => {
            Finding::Before(
                "Bindplane answers unknown paths with its page shell, and not with 404".to_owned(),
            )
        }
        Written::Untold => Finding::Untold,
    }
}

fn shell_elsewhere(q: &Question<'_, '_>) -> bool {
    q.route.page("/").is_some_and(|r| r.kind == ReplyKind::PageShell)
}

/// Whose it is, how sure, and why, as a sentence without its full stop.
fn whose(
    e: &Evidence<'_>,
    q: &Question<'_, '_>,
    reply: &Reply<'_>,
    found: &Finding,
    both: bool,
) -> (Location, Confidence, String) {
    use Confidence::{High, Low, Medium};
    use Location::{ServerSide, Target, Undetermined};
    let who = reply.device_name();
    let by = who.as_deref().unwrap_or("Whatever stands before the server");
    // Somebody who opens TLS here, or a proxy that is sent plain HTTP, could have
    // answered in the server's place.
    let in_the_clear = q.route.tls().is_none() && !q.route.route.id.is_direct();
    let opened =
        interceptor(e, q.route).is_some() || q.route.trusted() == Some(false) || in_the_clear;
    match found {
        // Every Bindplane knows one of these paths: it was asked for another.
        Finding::Unknown if both && between(reply) && !opened => (
            ServerSide,
            Medium,
            format!(
                "Bindplane itself answers, as it does for a path it does not know; every Bindplane \
                 knows one of these. So {} most likely changes the path on the way (nginx: proxy_pass \
                 with a path behind the address; Caddy: handle_path; Traefik: StripPrefix; HAProxy: \
                 set-path)",
                who.as_deref().unwrap_or("the load balancer")
            ),
        ),
        Finding::Changed(shown) => {
            (if opened { Undetermined } else { ServerSide }, High, shown.clone())
        }
        // Whoever changes a path need not leave a mark; other spellings were not tried.
        Finding::Unknown if both && !q.route.asked_otherwise() => (
            Target,
            Low,
            "the server answers as it does for paths that it does not know; since every Bindplane \
             knows one of these, a hop that changes the path without a mark is as likely"
                .to_owned(),
        ),
        Finding::Unknown => (Target, Medium, "the server does not know them".to_owned()),
        Finding::File(headers) => (
            ServerSide,
            if who.is_some() { High } else { Medium },
            format!(
                "{by} sends a file from its own disk ({}), which Bindplane's own answers do not have: \
                 Bindplane was not asked. A rule for these paths is missing there",
                headers.join(", ")
            ),
        ),
        Finding::AnotherSite => {
            let whose = "nothing that answers at this address is Bindplane: neither the start page nor \
                         /js/_globals.js bears its mark. The Host, or the default, leads to another \
                         site";
            let location = if opened { Undetermined } else { ServerSide };
            (location, Medium, whose.to_owned())
        }
        Finding::Before(why) => (
            ServerSide,
            High,
            format!("a load balancer's path rule does not send them to the server ({why})"),
        ),
        Finding::Own => (
            if opened { Undetermined } else { ServerSide },
            if opened { Low } else { Medium },
            format!(
                "{by} answers {} itself, to the upgrade and to the same GET without it alike: no page of \
                 Bindplane's, which refuses such a GET on these paths or gives its page shell. A rule \
                 by path answers in its place (nginx: return; Caddy: respond; HAProxy: http-request \
                 return, monitor-uri)",
                reply.status
            ),
        ),
        Finding::Untold if both => (
            if opened { Undetermined } else { ServerSide },
            Low,
            "a Bindplane knows one of these paths, so a rule by path before it is the likeliest \
             reason; that the server itself answered is not shown"
                .to_owned(),
        ),
        Finding::Untold => (
            Undetermined,
            Low,
            "whether the server answered, or somebody before it, is not shown".to_owned(),
        ),
    }
}

/// What an answer to another spelling shows.
fn changed(known: &Otherwise<'_, '_>) -> String {
    let answered = known.reply.line();
    match known.taken {
        Some(taken) => format!(
            "for {} the server answers {answered}: so a hop before it takes {taken} away from the \
             beginning of the path, and for {} the server is asked for something else (nginx: \
             proxy_pass with a slash or a path at its end; Apache: ProxyPass; Caddy: handle_path; \
             Traefik: StripPrefix; Envoy: prefix_rewrite; HAProxy: replace-path)",
            known.spelled, known.path
        ),
        None => format!(
            "for {}, which is the same path to a server and another one to a rule that compares text, \
             the server answers {answered}: so it knows {}, and a rule by path before it changes it, \
             or keeps it from the server (HAProxy: set-path, replace-path, path_beg; Varnish: regsub of \
             req.url; Envoy: prefix_rewrite)",
            known.spelled, known.path
        ),
    }
}

/// Whether a load balancer stands between, which may change the path.
fn between(reply: &Reply<'_>) -> bool {
    reply.devices.iter().any(|m| m.signature.role == DeviceRole::LoadBalancer)
}

/// Whether another path reaches the server.
fn agents_work(q: &Question<'_, '_>, console: &[&str]) -> bool {
    !console.iter().any(|path| is_agents(path))
        && q.route.upgrade_reply(AGENT_PATH).is_some_and(|r| {
            matches!(
                r.kind,
                ReplyKind::Switched | ReplyKind::NotAnUpgrade | ReplyKind::Unauthorized
            )
        })
}

fn cite_start_page(q: &Question<'_, '_>, found: &Finding) -> Option<crate::model::Citation> {
    let page = match found {
        Finding::AnotherSite => q.route.page("/"),
        Finding::File(_) | Finding::Before(_) => q.route.page("/js/_globals.js"),
        _ => None,
    }?;
    let path = page.observation.path.as_deref().unwrap_or_default();
    Some(q.focus.cite(page.observation, format!("{} ({path})", page.line())))
}
