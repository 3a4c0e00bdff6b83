//! Whether what was refused was refused for the collector's name: filters refuse
//! `curl/…` and other programs, and let browsers pass. Asked only where something was
//! refused, after all else on a route, one request after the other; and what was
//! refused before is asked once more in the collector's own name, since a limit or
//! another backend makes a difference as well.

use super::Event;
use super::Events;
use super::plan::twin_paths;
use super::running::step;
use crate::key::Probe;
use crate::probe::pages::PAGES;
use crate::probe::{self, Kept};
use crate::step::dial::Way;
use crate::step::likeness::USER_AGENT;
use crate::step::request::{Form, UPGRADE, get, given};
use crate::step::{Ctx, Net};
use std::sync::Arc;
use wss_bundle::observation::probe as name;
use wss_diagnosis::evidence::likeness::{Met, met, switched};

/// What a route has shown so far.
struct Shown(Vec<(String, Option<String>, Met, bool)>);

impl Shown {
    fn new(net: &Net, index: usize) -> Self {
        let route = &net.config.routes[index].route.id;
        Self(net.recorder.all(|seen| {
            let met = (seen.route == *route).then(|| met(seen)).flatten()?;
            Some((seen.probe.clone(), seen.path.clone(), met, switched(seen)))
        }))
    }

    fn welcome(&self, probe: &str, path: &str) -> bool {
        let mut all = self.0.iter();
        all.any(|o| o.0 == probe && o.1.as_deref() == Some(path) && o.2 == Met::Welcome)
    }

    fn any(&self, probe: &str, wanted: Met) -> bool {
        self.0.iter().any(|(own, _, met, _)| own == probe && *met == wanted)
    }

    /// Whether the upgrade for a path was answered with 101; `None` where nothing is told.
    fn switched(&self, probe: &str, path: &str) -> Option<bool> {
        let mut own = self.0.iter().filter(|o| o.0 == probe && o.1.as_deref() == Some(path));
        own.next().map(|o| o.3)
    }

    /// Whether all of a question's answers hang on the name.
    fn filtered(&self, question: Question<'_>) -> bool {
        let (own, ua, path) = match question {
            Question::Page { page, .. } => (name::PAGES, name::UA_PAGES, page),
            Question::Upgrade(path) => (name::UPGRADE, name::UA_UPGRADE, path),
        };
        let of = |probe: &str| {
            let all = self.0.iter().filter(|o| o.0 == probe && o.1.as_deref() == Some(path));
            all.map(|o| o.2).collect::<Vec<_>>()
        };
        // What was tried with the name alone did not do, where more was needed.
        let tried = usize::from(matches!(question, Question::Page { whole: true, .. }));
        let (own, ua) = (of(own), of(ua));
        !own.contains(&Met::Welcome)
            && own.len() > 1
            && ua.len() > tried
            && ua.iter().skip(tried).all(|met| *met == Met::Welcome)
    }

    /// Whether nothing but refusals came.
    fn all_refused(&self) -> bool {
        !self.any(name::PAGES, Met::Welcome)
            && !self.any(name::PLAIN_GET, Met::Welcome)
            && !self.any(name::UPGRADE, Met::Welcome)
            && (self.any(name::PAGES, Met::Refused) || self.any(name::UPGRADE, Met::Refused))
    }

    /// Whether the handshake in the collector's name and that in a browser's differ.
    fn differs(&self, path: &str) -> bool {
        let own = self.switched(name::UPGRADE, path);
        let browsers = self.switched(name::BROWSER_UPGRADE, path);
        own.zip(browsers).is_some_and(|(own, browsers)| own != browsers)
    }
}

/// Asks, where something on this route was refused.
pub(super) async fn ask(net: &Arc<Net>, index: usize, way: &Arc<Way>, events: &Events) {
    let config = net.config.clone();
    // Whoever gives a name of one's own has decided.
    if net.is_cancelled() || given(&config, "User-Agent") {
        return;
    }
    let shown = Shown::new(net, index);
    let differs = twin_paths(&config).find(|path| shown.differs(path));
    let pages = if shown.all_refused() { pages(net, index, way).await } else { None };
    let (question, path) = match (pages, differs) {
        (Some((page, whole)), _) => (Question::Page { page, whole }, None),
        (None, Some(path)) => (Question::Upgrade(path), Some(path)),
        (None, None) => return,
    };
    let mut switched = Vec::new();
    // The first of a row of answers, which tells of frames as well.
    if let Some(path) = path
        && upgrade(net, index, way, path).await
    {
        switched.push(path);
    }
    if !holds_again(net, index, way, question).await {
        return;
    }
    let mut kept = Kept::default();
    for path in twin_paths(&config) {
        let ctx = Ctx::new(net, index, Probe::UaGet, Some(path));
        let _ = step(&ctx, probe::ua_get::run(&ctx, way, &mut kept)).await;
        if question != Question::Upgrade(path) && upgrade(net, index, way, path).await {
            switched.push(path);
        }
    }
    net.note_filtered(index);
    for path in switched {
        let (path, way) = (path.to_owned(), way.clone());
        let _ = events.send(Event::Upgraded { route: index, path, worked: true, way });
    }
}

async fn upgrade(net: &Arc<Net>, index: usize, way: &Arc<Way>, path: &str) -> bool {
    let ctx = Ctx::new(net, index, Probe::UaUpgrade, Some(path));
    matches!(step(&ctx, probe::ua_upgrade::run(&ctx, way)).await, Ok(true))
}

/// Which page comes in a browser's name, if any, and whether with nothing less than all
/// of its headers.
async fn pages(net: &Arc<Net>, index: usize, way: &Arc<Way>) -> Option<(&'static str, bool)> {
    for whole in [false, true] {
        let ctx = Ctx::new(net, index, Probe::UaPages, None);
        let _ = step(&ctx, probe::ua_pages::run(&ctx, way, whole)).await;
        let shown = Shown::new(net, index);
        if let Some(page) = PAGES.into_iter().find(|page| shown.welcome(name::UA_PAGES, page)) {
            return Some((page, whole));
        }
    }
    None
}

/// What is asked in both names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question<'a> {
    /// A page; whether with all of a browser's headers.
    Page { page: &'static str, whole: bool },
    /// The upgrade for a path.
    Upgrade(&'a str),
}

/// In whose name it is asked, after the browser's first time. With that one there is
/// no round of two to five backends, of which some refuse, that answers so.
const IN_BROWSERS_NAME: [bool; 5] = [true, false, true, false, false];

/// Whether every answer in the collector's name is a refusal, and every one in a
/// browser's name is none. A limit or a second backend makes a difference as well.
async fn holds_again(net: &Arc<Net>, index: usize, way: &Arc<Way>, q: Question<'_>) -> bool {
    for browsers in IN_BROWSERS_NAME {
        if net.is_cancelled() {
            return false;
        }
        let ctx = |own: Probe, ua: Probe, path: Option<&str>| {
            Ctx::new(net, index, if browsers { ua } else { own }, path)
        };
        match q {
            Question::Page { page, whole } => {
                let ctx = ctx(Probe::Pages, Probe::UaPages, Some(page));
                let _ = match browsers {
                    true => probe::ua_pages::one(&ctx, way, page, whole).await,
                    false => probe::pages::one(&ctx, way, page).await,
                };
            }
            Question::Upgrade(path) => {
                let ctx = ctx(Probe::Upgrade, Probe::UaUpgrade, Some(path));
                let agent = browsers.then_some(USER_AGENT);
                let form = Form { extra: &UPGRADE, agent, ..Form::default() };
                let request = get(&net.config, path, &form);
                let _ = probe::upgrade::answered(&ctx, way, None, &request).await;
            }
        }
    }
    Shown::new(net, index).filtered(q)
}
