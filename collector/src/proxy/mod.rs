//! Which ways to the target this machine's settings name, and which of them
//! each program here would take. `source` reads the settings, `curl` and
//! `client` say what curl and the browsers make of them, `pac` asks PAC files.
//! But for `pac::load`, nothing here opens a socket.
//!
//! [`find`] is pure. It is called twice where there is a PAC file: it names the
//! files to ask, and once they are asked, it decides.

pub mod address;
pub mod bypass;
pub mod client;
pub mod curl;
pub mod followed;
mod no_proxy;
pub mod pac;
pub mod source;
pub mod variables;

use crate::config::{Credentials, RouteConfig};
use address::{Reader, credentials_in, without_credentials};
use bypass::Goal;
use client::{Decision, Hop};
use pac::{Answers, File};
use source::{Kind, Sources};
use wss_bundle::environment::{ProxyChoice, ProxySetting};
use wss_bundle::observation::{Route, RouteKind};
use wss_bundle::target::Scheme;
use wss_bundle::{RouteId, Target};

pub use no_proxy::exempt;
pub use variables::Variables;

/// Proxies that are tried: each costs as much as the whole direct route.
const PROXIES: usize = 8;

/// All that [`find`] goes by.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What to reach.
    pub target: &'a Target,
    /// `--proxy`.
    pub option: Option<&'a str>,
    /// `--noproxy`.
    pub noproxy: Option<&'a str>,
    /// The environment.
    pub variables: &'a Variables,
    /// The system's settings and the policies.
    pub sources: &'a Sources,
    /// What PAC files have said so far.
    pub answers: &'a Answers,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// Every route to try: direct, then each proxy.
    pub routes: Vec<RouteConfig>,
    /// What each source says, without credentials.
    pub settings: Vec<ProxySetting>,
    /// Which route curl, Chrome, Edge and Firefox would take.
    pub choices: Vec<ProxyChoice>,
    /// What could not be used, and why.
    pub notes: Vec<String>,
    /// Credentials of every setting, also of those that are not used here.
    pub credentials: Vec<Credentials>,
    /// PAC files that are still to be asked.
    pub files: Vec<File>,
    /// Where the chosen route's source goes on to when its proxy does not answer.
    pub then: Vec<RouteId>,
}

struct Builder {
    routes: Vec<RouteConfig>,
    notes: Vec<String>,
    files: Vec<File>,
    left_out: usize,
}

impl Builder {
    fn new() -> Self {
        let direct = Route {
            id: RouteId::direct(),
            kind: RouteKind::Direct,
            proxy: None,
            sources: Vec::new(),
            selected: false,
        };
        let routes = vec![RouteConfig { route: direct, auth: None, browsers: false }];
        Self { routes, notes: Vec::new(), files: Vec::new(), left_out: 0 }
    }

    /// Adds a route, or a source to one that is there. Gives its id.
    fn add(&mut self, text: &str, reader: Reader, source: &str) -> Option<RouteId> {
        let parsed = match address::parse(text, reader) {
            Ok(parsed) => parsed,
            Err(why) => {
                let shown = without_credentials(text);
                let note = format!("proxy of {source} not tried: {shown:?}: {why}");
                if !self.notes.contains(&note) {
                    self.notes.push(note);
                }
                return None;
            }
        };
        let id = RouteId::proxy(&parsed.shown);
        let full = self.routes.len() > PROXIES;
        match self.routes.iter_mut().find(|r| r.route.id == id) {
            Some(known) => {
                if !known.route.sources.iter().any(|known| known.contains(source)) {
                    known.route.sources.push(source.to_owned());
                }
                known.auth = known.auth.take().or(parsed.auth);
            }
            None if full => {
                self.left_out += 1;
                return None;
            }
            None => self.routes.push(RouteConfig {
                route: Route {
                    id: id.clone(),
                    kind: parsed.kind,
                    proxy: Some(parsed.endpoint),
                    sources: vec![source.to_owned()],
                    selected: false,
                },
                auth: parsed.auth,
                browsers: false,
            }),
        }
        Some(id)
    }

    fn hop(&mut self, hop: &Hop, source: &str) -> RouteId {
        match hop {
            Hop::Direct => RouteId::direct(),
            // Named even where it is not tried: a browser would take it.
            Hop::Proxy(text) => self.add(text, Reader::Browser, source).unwrap_or_else(|| {
                RouteId::proxy(
                    &address::parse(text, Reader::Browser)
                        .map_or_else(|_| without_credentials(text), |parsed| parsed.shown),
                )
            }),
        }
    }

    /// Notes which routes browsers here take.
    fn follow<'n>(&mut self, names: impl Iterator<Item = &'n String>) {
        for name in names {
            for known in self.routes.iter_mut().filter(|known| known.route.id.0 == *name) {
                known.browsers = true;
            }
        }
    }

    /// Turns a decision into routes; gives them in order, and why.
    fn settle(&mut self, decision: Decision) -> (Vec<RouteId>, String) {
        match decision {
            Decision::Takes { hops, source, because } => {
                (hops.iter().map(|hop| self.hop(hop, &source)).collect(), because)
            }
            Decision::Asks(file) => {
                let because = format!("{file} decides");
                if !self.files.contains(&file) {
                    self.files.push(file);
                }
                (Vec::new(), because)
            }
        }
    }
}

/// The goals of a target: its WebSocket, and its page.
fn goals(target: &Target) -> [Goal<'_>; 2] {
    let schemes = match target.scheme {
        Scheme::Https => ["wss", "https"],
        Scheme::Http => ["ws", "http"],
    };
    schemes.map(|scheme| Goal { scheme, host: &target.host, port: target.port })
}

/// Finds every route to the target, which of them this machine's settings
/// choose, and which each program would take.
///
/// The choice: options and environment as curl reads them; where they say
/// nothing about the target, the system's settings; where these say nothing,
/// the policies of a browser. A PAC file speaks for whoever names it.
///
/// # Errors
/// A proxy given by `--proxy` that cannot be understood, in a sentence.
pub fn find(question: &Question<'_>) -> Result<Found, String> {
    let Question { target, option, variables, .. } = *question;
    let mut builder = Builder::new();
    let given = option.filter(|text| !text.is_empty());
    if let Some(text) = given {
        address::parse(text, Reader::Curl)
            .map_err(|why| format!("--proxy {:?}: {why}", without_credentials(text)))?;
        builder.add(text, Reader::Curl, "option --proxy");
    }
    for name in curl::variables_for(target.scheme) {
        if let Some((_, text)) = variables.first(&[name]) {
            builder.add(text, Reader::Curl, &format!("environment {name}"));
        }
    }
    let curls = curl::choose(target, option, question.noproxy, variables);
    let curls_route = match &curls.proxy {
        Some(text) => RouteId::proxy(
            &address::parse(text, Reader::Curl).map(|parsed| parsed.shown).unwrap_or_default(),
        ),
        None => RouteId::direct(),
    };
    let mut choices = vec![ProxyChoice {
        client: "curl".into(),
        route: curls_route.0.clone(),
        because: curls.because.clone(),
        ..ProxyChoice::default()
    }];
    let (chosen, then) = match system_choice(question, &mut builder) {
        Some((system, then)) if !curls.spoken => (system, then),
        _ => ((curls_route, curls.because), Vec::new()),
    };
    browsers(question, &mut builder, &mut choices);
    others(question, &mut builder);
    select(&mut builder, &chosen);
    if builder.left_out > 0 {
        let note = format!("{} more proxies are named here, and not tried", builder.left_out);
        builder.notes.push(note);
    }
    builder.notes.extend(question.sources.notes.iter().cloned());
    for (file, answer) in question.answers {
        match answer {
            Ok(answer) => {
                builder.notes.extend(answer.notes.iter().map(|note| format!("{file}: {note}")));
                builder.notes.extend(odd_entries(file, answer));
            }
            Err(why) => builder.notes.push(format!("{file} could not be used: {why}")),
        }
    }
    Ok(Found {
        routes: builder.routes,
        settings: settings(question),
        choices,
        notes: builder.notes,
        credentials: credentials(question),
        files: builder.files,
        then,
    })
}

/// [`find`] with options and environment alone, as on a server without a desktop.
///
/// # Errors
/// As [`find`].
pub fn find_by_variables(
    target: &Target,
    option: Option<&str>,
    noproxy: Option<&str>,
    variables: &Variables,
) -> Result<Found, String> {
    let (sources, answers) = (&Sources::default(), &Answers::new());
    find(&Question { target, option, noproxy, variables, sources, answers })
}

/// What the system's settings (or else a browser's policies) choose.
fn system_choice(
    question: &Question<'_>,
    builder: &mut Builder,
) -> Option<((RouteId, String), Vec<RouteId>)> {
    let [socket, _] = goals(question.target);
    let list = &question.sources.list;
    let desktop = client::Desktop::of(question.variables);
    let system = client::system(list, desktop).filter(|source| source.says.names_something());
    let policies = [Kind::Chrome, Kind::Edge, Kind::Firefox].into_iter().find_map(|kind| {
        list.iter().find(|source| source.kind == kind && source.says.names_something())
    });
    let source = system.or(policies)?;
    let decision = client::of_system(source, &socket, question.answers);
    let (routes, because) = builder.settle(decision);
    let mut routes = routes.into_iter();
    Some(((routes.next().unwrap_or_else(RouteId::direct), because), routes.collect()))
}

/// What each browser would do, for the WebSocket and for its page.
fn browsers(question: &Question<'_>, builder: &mut Builder, choices: &mut Vec<ProxyChoice>) {
    let Question { variables, sources, answers, .. } = *question;
    let list = &sources.list;
    let goals = goals(question.target);
    let decide = |client: &str, goal: &Goal<'_>| match client {
        "chrome" => client::chrome(Kind::Chrome, goal, list, variables, answers),
        "edge" => client::chrome(Kind::Edge, goal, list, variables, answers),
        _ => client::firefox(goal, list, variables, answers),
    };
    for (client, kind) in
        [("chrome", Kind::Chrome), ("edge", Kind::Edge), ("firefox", Kind::Firefox)]
    {
        let [(routes, because), (page, _)] =
            [0, 1].map(|index: usize| builder.settle(decide(client, &goals[index])));
        let mut routes = routes.into_iter().map(|id| id.0);
        let route = routes.next().unwrap_or_else(|| "unknown".to_owned());
        let page = page.into_iter().next().map(|id| id.0).filter(|page| *page != route);
        let then: Vec<String> = routes.collect();
        let certain = client::certain(kind, list, variables);
        if certain {
            builder.follow(std::iter::once(&route).chain(&then));
        }
        // Edge is worth a line where its policies make it differ from Chrome.
        let like_chrome = choices.iter().any(|c| c.client == "chrome" && c.route == route);
        if client != "edge" || !like_chrome {
            choices.push(ProxyChoice {
                client: client.into(),
                route,
                because,
                page,
                then,
                certain,
            });
        }
    }
}

/// Proxies that are named, and that nobody here would take for this target:
/// that one of them works is worth knowing.
fn others(question: &Question<'_>, builder: &mut Builder) {
    let goals = goals(question.target);
    for source in &question.sources.list {
        for text in client::candidates(&source.says, &goals[0]) {
            builder.add(&text, Reader::Browser, &source.name);
        }
    }
    if let Some((says, name)) = client::of_variables(question.variables)
        && !cfg!(any(windows, target_os = "macos"))
    {
        for text in client::candidates(&says, &goals[0]) {
            builder.add(&text, Reader::Browser, &name);
        }
    }
    for (file, answer) in question.answers {
        let Ok(answer) = answer else { continue };
        for hop in answer.socket.hops.iter().chain(&answer.page.hops) {
            builder.hop(hop, &file.to_string());
        }
    }
}

fn select(builder: &mut Builder, (chosen, because): &(RouteId, String)) {
    let known = builder.routes.iter().any(|r| r.route.id == *chosen);
    for route in &mut builder.routes {
        route.route.selected = if known { route.route.id == *chosen } else { false };
    }
    if !known {
        builder.notes.push(format!("the settings choose {chosen} ({because}), which is not tried"));
    }
    if let Some(direct) = builder.routes.first_mut().filter(|r| r.route.selected) {
        direct.route.sources.push(because.clone());
    }
}

fn settings(question: &Question<'_>) -> Vec<ProxySetting> {
    let options = [("--proxy", question.option), ("--noproxy", question.noproxy)];
    let mut out: Vec<ProxySetting> = options
        .iter()
        .filter_map(|(key, value)| Some(source::setting("option", key, (*value)?)))
        .collect();
    let variables = question.variables.recorded();
    out.extend(variables.map(|(key, value)| source::setting("environment", key, value)));
    for one in &question.sources.list {
        out.extend(one.shown.iter().cloned());
    }
    for setting in &mut out {
        if setting.value.starts_with("data:") {
            setting.value = format!("data: URL of {} bytes", setting.value.len());
        }
    }
    for (file, answer) in question.answers {
        if let Ok(answer) = answer {
            let key = file.to_string();
            let said =
                |what: &str, value: &str| source::setting("pac", &format!("{key}, {what}"), value);
            out.push(said("for the WebSocket", &answer.socket.text));
            out.push(said("for the page", &answer.page.text));
            // The beginning tells two files apart; all of it looks like a secret.
            let content = format!("{} bytes, SHA-256 {}", answer.bytes, &answer.sha256[..12]);
            out.push(said("content", &content));
        }
    }
    out
}

/// What Chrome leaves out of a PAC file's answer, and that it holds credentials.
fn odd_entries(file: &File, answer: &pac::Answer) -> Vec<String> {
    let mut out: Vec<String> = [&answer.socket, &answer.page]
        .into_iter()
        .filter_map(|said| said.without())
        .map(|drops| format!("{file}: {drops}"))
        .collect();
    if [&answer.socket, &answer.page].iter().any(|said| !said.credentials.is_empty()) {
        out.push(format!(
            "{file} holds a user name or password, which no browser uses and everybody who can fetch \
             the file can read: remove it there, and change it"
        ));
    }
    out.dedup();
    out
}

fn credentials(question: &Question<'_>) -> Vec<Credentials> {
    let variables =
        question.variables.recorded().filter(|(key, _)| !variables::is_list(key)).map(|(_, v)| v);
    let answers = question.answers.values().filter_map(|answer| answer.as_ref().ok());
    let named = answers.flat_map(|a| a.socket.credentials.iter().chain(&a.page.credentials));
    question
        .option
        .into_iter()
        .chain(variables)
        .filter_map(credentials_in)
        .chain(named.cloned())
        .chain(question.sources.list.iter().flat_map(|source| source.credentials.iter().cloned()))
        .collect()
}

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
