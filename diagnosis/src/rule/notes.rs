//! Findings that are no cause: what misleads, what differs, what to know.

use super::{Answer, Check, Draft, Rule};
use crate::evidence::{Evidence, ReplyKind, SocketState};
use crate::model::NextStep;
use crate::model::{Finding, Severity};
use crate::suggest::run_again;
use chrono::DateTime;
use wss_bundle::target::{AGENT_PATH, is_agents};

pub(super) const WAITED_TOO_SHORT: Rule = Rule {
    id: "waited-too-short",
    title: "Silence was not waited for long enough",
    looks_for: "a step that was given up without an answer, after less than twice the time that its \
                twin's answer took by another way, from the other side, or another request by the \
                same way, or less than a second more",
    why: "the answer may have come a moment later: between two twins of which one was given up and \
          the other was not, the difference is then our deadline's",
    remedy: "wait longer, with --timeout",
    check: Check::Evidence(waited_too_short),
};
pub(super) const CURL_OVER_HTTP2: Rule = Rule {
    id: "curl-over-http2",
    title: "The page's curl command misleads here",
    looks_for: "an HTTP/2 answer that is no 101 to the request that plain curl sends, while the \
                HTTP/1.1 upgrade works",
    why: "on https, curl offers h2; where it is taken, Connection and Upgrade are dropped, and the \
          test says nothing about WebSocket (measured: curl 7.88.1 with nginx 1.22.1)",
    remedy: "add --http1.1 to the curl command",
    check: Check::Evidence(curl_over_http2),
};
pub(super) const SELECTED_ROUTE_DIFFERS: Rule = Rule {
    id: "another-route-works",
    title: "Another route works",
    looks_for: "a route that this machine's settings do not choose, on which the WebSocket works",
    why: "it shows that the target is well, and is a way around while the chosen route is repaired",
    remedy: "none: for comparison",
    check: Check::Evidence(|e| another_route(e, true)),
};
pub(super) const ANOTHER_ROUTE_GETS_FURTHER: Rule = Rule {
    id: "another-route-gets-further",
    title: "Another route gets further, and not all the way",
    looks_for: "a route that this machine's settings do not choose, on which the upgrade and a Ping \
                get through, and something else that the console needs does not: trust in the \
                certificate, a browser's handshake, messages, compressed frames, a silence",
    why: "it shows what the chosen route breaks, and is no way around",
    remedy: "none: for comparison",
    check: Check::Evidence(|e| another_route(e, false)),
};
pub(super) const AGENT_PATH_ALONE: Rule = Rule {
    id: "agent-path-works",
    title: "The agents' socket works, the console's does not",
    looks_for: "101 on /v1/opamp and none on the console's paths",
    why: "a configuration that forwards upgrades for /v1/opamp alone connects agents and leaves \
          the console broken",
    remedy: "apply the agents' rule to the console's paths",
    check: Check::Evidence(agent_path_alone),
};
pub(super) const ADDRESS_OF_A_PAGE: Rule = Rule {
    id: "address-of-a-page",
    title: "The address that was given is a page's",
    looks_for: "a path given with the target that answers a plain GET with a document, or with the \
                way to the sign-on",
    why: "what the address bar shows is the page's path; the console opens its socket at another, \
          and a page's path never switches protocols",
    remedy: "none: the console's WebSocket paths are tried in its place",
    check: Check::Evidence(address_of_a_page),
};
pub(super) const WORKS_INSIDE_ONLY: Rule = Rule {
    id: "works-inside-only",
    title: "Works inside, fails outside",
    looks_for: "a working socket inside and a failing one outside",
    why: "the row that the page's table lacks: usually the console is meant for the inside alone",
    remedy: "none, unless it should work from outside",
    check: Check::Evidence(works_inside_only),
};
pub(super) const CERTIFICATE_EXPIRES: Rule = Rule {
    id: "certificate-expires",
    title: "The certificate expires soon",
    looks_for: "a trusted leaf with less than 14 days left",
    why: "when it expires, the console fails without a warning to click away",
    remedy: "renew it",
    check: Check::Evidence(certificate_expires),
};
pub(super) const CLOCK_SKEW: Rule = Rule {
    id: "clock-skew",
    title: "This machine's clock is wrong",
    looks_for: "more than five minutes between this clock and the server's Date header",
    why: "certificates look expired or not yet valid, and logs cannot be lined up",
    remedy: "set the clock",
    check: Check::Evidence(clock_skew),
};
pub(super) const SERVER_VERSION: Rule = Rule {
    id: "server-version",
    title: "The server's version",
    looks_for: "__BINDPLANE_VERSION__ in /js/_globals.js, which needs no credentials",
    why: "it proves that requests reach Bindplane, and which release",
    remedy: "none",
    check: Check::Evidence(server_version),
};

fn note(finding: Option<Finding>) -> Answer {
    finding.map_or(Answer::Pass, |f| Answer::Note(vec![f]))
}

fn waited_too_short(e: &Evidence<'_>) -> Answer {
    let (Some(short), Some(focus)) = (e.too_short(), e.focus()) else {
        return Answer::NotApplicable;
    };
    let excerpt = short.observation.step.failure().map_or_else(
        || format!("no answer for {:.1} s", short.waited_ms / 1e3),
        ToString::to_string,
    );
    Answer::Note(vec![
        Draft::new(
            Severity::Warning,
            "Silence was not waited for long enough",
            focus,
            short.observation,
            excerpt,
        )
        .text(format!("{} So nothing is made of this silence.", short.sentence()))
        .done(),
    ])
}

fn curl_over_http2(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let (Some(h2), Some(h1)) = (route.h2_reply(path), route.upgrade_reply(path)) else {
        return Answer::NotApplicable;
    };
    if h1.kind != ReplyKind::Switched {
        return Answer::NotApplicable;
    }
    note(Some(
        Draft::new(
            Severity::Info,
            "The page's curl command shows a failure here, and there is none",
            focus,
            h2.observation,
            h2.line(),
        )
        .text(format!(
            "Plain curl takes HTTP/2 on this host, drops the upgrade headers, and prints {}. With \
             --http1.1 the same command gets {}. Output that begins with HTTP/2 is no valid test.",
            h2.line(),
            h1.line()
        ))
        .also(Some(focus.cite(h1.observation, h1.line())))
        .done(),
    ))
}

/// Of the routes that get further: those that work all the way, or the others.
fn another_route(e: &Evidence<'_>, all_the_way: bool) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    if route.socket(path).works() {
        return Answer::NotApplicable;
    }
    let mut others: Vec<_> = focus.other_working().map(|r| (r, r.limits(path))).collect();
    // One that works all the way says more than any other.
    others.sort_by_key(|(_, limits)| limits.len());
    let Some((other, limits)) = others.first().filter(|(_, l)| l.is_empty() == all_the_way) else {
        return Answer::Pass;
    };
    let Some(r) = other.upgrade_reply(path) else { return Answer::Pass };
    let (chosen, way) = (route.route.id.noun(), other.route.id.way());
    let (title, text) = if all_the_way {
        let text = format!(
            "This machine's settings choose {chosen}; {way} the same upgrade gets through, and \
             frames pass."
        );
        (format!("The WebSocket works by another route: {}", other.route.id.noun()), text)
    } else {
        let text = format!(
            "This machine's settings choose {chosen}; {way} the same upgrade gets through and a \
             Ping is answered, but {}. So it is no way around.",
            limits.join(", and ")
        );
        let title = format!(
            "By another route the upgrade gets through, and not all works: {}",
            other.route.id.noun()
        );
        (title, text)
    };
    let draft = Draft::new(Severity::Info, title, focus, r.observation, r.line());
    Answer::Note(vec![draft.text(text).done()])
}

fn address_of_a_page(e: &Evidence<'_>) -> Answer {
    let found = e.bundles.iter().find_map(|view| {
        let (_, page) = crate::evidence::page::given(&view.routes)?;
        Some((view, page))
    });
    let Some((view, page)) = found else { return Answer::NotApplicable };
    let wss_bundle::Step::Http(http) = &page.step else { return Answer::NotApplicable };
    let line = http.result.ok().map(|reply| reply.head.status_line()).unwrap_or_default();
    let path = page.path.as_deref().unwrap_or_default();
    let tried = view.bundle.observations.target.paths.join(", ");
    let finding = Draft::new(
        Severity::Warning,
        format!("{path} is the address of a page, not of the console's socket"),
        view,
        page,
        line.clone(),
    )
    .text(format!(
        "{path} answers a plain GET with {line} and a page, or the way to the sign-on, so it was \
         copied from the address bar. The console opens its socket at {}; tried were {tried}, and \
         they decide.",
        view.path
    ));
    Answer::Note(vec![finding.done()])
}

fn agent_path_alone(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let Some(agent) = route.upgrade_reply(AGENT_PATH) else { return Answer::NotApplicable };
    if is_agents(path)
        || agent.kind != ReplyKind::Switched
        || route.socket(path) != SocketState::Fails
    {
        return Answer::Pass;
    }
    note(Some(
        Draft::new(
            Severity::Info,
            "The agents' socket works, the console's does not",
            focus,
            agent.observation,
            agent.line(),
        )
        .text(format!(
            "{AGENT_PATH} switches protocols and {path} does not, on the same route: look for a \
             rule that forwards upgrades for the agents' path alone."
        ))
        .done(),
    ))
}

fn works_inside_only(e: &Evidence<'_>) -> Answer {
    let (Some((_, route, path)), Some(false)) = (e.deciding(), e.outside_works()) else {
        return Answer::NotApplicable;
    };
    if !route.socket(path).works() {
        return Answer::NotApplicable;
    }
    let Some(twin) = e.twin() else { return Answer::NotApplicable };
    note(twin.selected().and_then(|r| r.observations.last().copied()).map(|o| {
        Draft::new(
            Severity::Info,
            "It works inside and fails outside",
            twin,
            o,
            o.step.failure().map_or_else(|| "fails outside".into(), ToString::to_string),
        )
        .text(
            "The console works where it is used. The failure from outside matters only if it \
             should be reachable from there.",
        )
        .done()
    }))
}

fn certificate_expires(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let (Some((o, _)), Some(leaf)) = (route.tls(), route.leaf()) else {
        return Answer::NotApplicable;
    };
    let Ok(until) = DateTime::parse_from_rfc3339(&leaf.not_after) else { return Answer::Pass };
    // Judged by when it was collected: a diagnosis has no clock of its own.
    let left = until.signed_duration_since(focus.bundle.manifest.started_at).num_days();
    if route.trusted() != Some(true) || left >= 14 {
        return Answer::Pass;
    }
    note(Some(
        Draft::new(
            Severity::Warning,
            format!("The certificate expires in {left} days"),
            focus,
            o,
            format!("valid until {}", leaf.not_after),
        )
        .text("When it expires, browsers refuse the WebSocket without a warning to click away.")
        .done(),
    ))
}

fn clock_skew(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let Some(skew) = focus.bundle.environment.clock.skew_s.filter(|s| s.abs() > 300.0) else {
        return Answer::Pass;
    };
    let dated = ["/health", "/js/_globals.js", "/"]
        .into_iter()
        .filter_map(|p| route.page(p))
        .chain(route.upgrade_reply(path))
        .find_map(|r| r.reply.head.header("date").map(|d| (r.observation, d)));
    note(dated.map(|(o, date)| {
        Draft::new(
            Severity::Warning,
            "This machine's clock is wrong",
            focus,
            o,
            format!("Date: {date}"),
        )
        .text(format!(
            "This machine's clock is {} {:.0} minutes against the server's.",
            if skew > 0.0 { "ahead by" } else { "behind by" },
            skew.abs() / 60.0
        ))
        .done()
    }))
}

fn server_version(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let Some((o, version)) = route.server_version() else {
        return Answer::CannotTell(vec![run_again(e, NextStep::Again, "")]);
    };
    note(Some(
        Draft::new(
            Severity::Info,
            format!("Bindplane {version} answers"),
            focus,
            o,
            version.clone(),
        )
        .text(format!(
            "/js/_globals.js says version {version}: requests by this route reach Bindplane."
        ))
        .done(),
    ))
}
