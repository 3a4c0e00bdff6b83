//! Filters that go by the name of the program.

use super::{Answer, Check, Draft, Rule};
use crate::evidence::likeness::{Met, met};
use crate::evidence::{BundleView, Evidence, RouteView};
use crate::model::{Finding, Severity};
use wss_bundle::observation::probe;
use wss_bundle::{Observation, Outcome, Step};

pub(super) const USER_AGENT_FILTER: Rule = Rule {
    id: "user-agent-filter",
    title: "A filter refuses programs by their User-Agent",
    looks_for: "requests that carry the collector's own `User-Agent`, refused each time, and the same \
                with a browser's, answered each time by the console",
    why: "filters before servers refuse curl, scripts and headless browsers by their name (nginx \
          `map` and `if`, HAProxy `hdr(user-agent)`, Apache `RewriteCond`, bot control of AWS WAF and \
          FortiWeb); that says nothing about WebSocket, so what browsers meet is judged by the \
          requests in a browser's name",
    remedy: "none for browsers; a name of its own for programs that need one",
    check: Check::Evidence(user_agent_filter),
};

fn user_agent_filter(e: &Evidence<'_>) -> Answer {
    let mut found = Vec::new();
    let focus = e.deciding().map(|(focus, route, _)| (focus, route));
    let others =
        e.bundles.iter().flat_map(|view| view.routes.iter().map(move |route| (view, route)));
    for (view, route) in focus.into_iter().chain(others) {
        // Once for all routes: it is the same filter.
        if found.is_empty()
            && let Some(finding) = on_route(view, route)
        {
            found.push(finding);
        }
    }
    if found.is_empty() { Answer::Pass } else { Answer::Note(found) }
}

/// What came of a request, in a few words.
fn outcome(o: &Observation) -> String {
    let result = match &o.step {
        Step::Upgrade(upgrade) => &upgrade.result,
        Step::Http(http) => &http.result,
        _ => return String::new(),
    };
    match result {
        Outcome::Ok(reply) => reply.head.status_line(),
        Outcome::Failed(failure) => failure.to_string(),
    }
}

fn on_route(view: &BundleView<'_>, route: &RouteView<'_>) -> Option<Finding> {
    let filter = route.filter?;
    let reply = route.replies().find(|reply| reply.observation.id == filter.refused.id);
    let by = reply.and_then(|reply| reply.device_name());
    let by = by.map(|name| format!(" ({name} is on the path)")).unwrap_or_default();
    let what = match &filter.refused.step {
        Step::Upgrade(_) => "the upgrade",
        _ => "a page",
    };
    let path = filter.refused.path.as_deref().unwrap_or("/");
    let text = format!(
        "In the name `{}` {what} ({path}) got {} each time{by}; {} got {} each time. The filter goes \
         by {}, and says nothing about WebSocket: what is said here of the console rests on \
         requests in a browser's name. Other programs by the same way may be refused as well: curl, \
         scripts, monitoring, and headless browsers.{}",
        name_of(filter.refused),
        outcome(filter.refused),
        match filter.alone {
            true => "the same request with a browser's User-Agent, and no other difference,",
            false => "a request with a browser's User-Agent and its other headers",
        },
        outcome(filter.passed),
        match filter.alone {
            true => "User-Agent",
            false => "User-Agent or other headers of browsers",
        },
        agents(route).unwrap_or_default(),
    );
    let finding =
        Draft::new(
            Severity::Warning,
            "A filter goes by User-Agent: programs are refused, browsers pass",
            view,
            filter.refused,
            outcome(filter.refused),
        )
        .text(text)
        .also(Some(view.cite(
            filter.passed,
            format!("{} (with a browser's User-Agent)", outcome(filter.passed)),
        )));
    Some(finding.done())
}

/// The agents have a name of their own, which nobody tried here.
fn agents(route: &RouteView<'_>) -> Option<String> {
    let refused = route.observations.iter().any(|o| {
        let path = o.path.as_deref().unwrap_or_default();
        let agents = o.probe == probe::UPGRADE && wss_bundle::target::is_agents(path);
        agents && met(o) == Some(Met::Refused)
    });
    refused.then(|| {
        " Bindplane's agents have a name of their own (`observiq-otel-collector/…`): whether the \
         filter lets it pass is for whoever runs it to say."
            .to_owned()
    })
}

fn name_of(o: &Observation) -> String {
    let request = match &o.step {
        Step::Upgrade(upgrade) => upgrade.request.text().into_owned(),
        Step::Http(http) => http.request.text().into_owned(),
        _ => String::new(),
    };
    let name = request.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("user-agent").then(|| value.trim().to_owned())
    });
    name.unwrap_or_else(|| "wss-collector".to_owned())
}
