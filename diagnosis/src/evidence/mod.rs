//! Facts derived from a case: which bundle and route decide, how far each
//! route climbed, who wrote each answer, and the differences between twins.
//!
//! Nothing here is a verdict. Rules read these views; they never go back to
//! raw observations to parse a header again.

pub mod answers;
mod authorship;
pub mod browser;
pub mod compression;
pub mod configured;
mod followed;
pub mod holding;
mod interceptor;
pub mod likeness;
mod limits;
pub mod page;
pub mod pairing;
pub mod redirect;
pub mod reply;
pub mod route;
pub mod runs;
pub mod silence;
mod site;
pub mod spelling;

pub use answers::{Answers, Asked};
pub use authorship::{Authorship, authorships, worth_listing};
pub use browser::{BrowserView, Fate, Meaning};
pub use followed::{By, Deciding};
pub(crate) use followed::{browsers_of, ends_at};
pub(crate) use interceptor::interceptor;
pub use reply::{Author, Reply, ReplyKind};
pub use route::{Reach, RouteView, SocketState};
pub use silence::TooShort;
pub use site::{Site, Written};

use crate::configuration::Checked;
use crate::curl_output::Output;
use crate::model::Citation;
use crate::signature::Signatures;
use pairing::Pairing;
use std::sync::OnceLock;
use wss_bundle::target::is_agents;
use wss_bundle::{BrowserHandshake, Bundle, Observation, Vantage};

/// One bundle, seen route by route.
pub struct BundleView<'a> {
    /// The bundle.
    pub bundle: &'a Bundle,
    /// Its routes, in the bundle's order.
    pub routes: Vec<RouteView<'a>>,
    /// The console's WebSocket path, as far as this bundle can tell.
    pub path: &'a str,
    /// Which route the verdict is about.
    pub deciding: Deciding,
}

impl<'a> BundleView<'a> {
    fn new(bundle: &'a Bundle, signatures: &'a Signatures) -> Self {
        let mut routes: Vec<_> = bundle
            .observations
            .routes
            .iter()
            .map(|route| RouteView::new(bundle, route, signatures))
            .collect();
        let path = console_path(bundle, &routes);
        silence::mark(&mut routes, path);
        let deciding = followed::deciding(bundle, &routes, path);
        Self { bundle, routes, path, deciding }
    }

    /// The same about another path.
    fn at(&mut self, path: &'a str) {
        silence::mark(&mut self.routes, path);
        self.deciding = followed::deciding(self.bundle, &self.routes, path);
        self.path = path;
    }

    /// How well the server knows the console's path, by any route.
    fn knowledge(&self) -> route::Knowledge {
        let all = self.routes.iter().map(|route| route.knowledge_of(self.path));
        all.min().unwrap_or(route::Knowledge::Nothing)
    }

    /// The route that a browser here takes; where nobody knows, the one that
    /// the collector's own reading of this machine's settings chooses.
    #[must_use]
    pub fn selected(&self) -> Option<&RouteView<'a>> {
        self.routes.get(self.deciding.at)
    }

    /// The direct route.
    #[must_use]
    pub fn direct(&self) -> Option<&RouteView<'a>> {
        self.routes.iter().find(|r| r.route.id.is_direct())
    }

    /// Routes other than the selected one on which the console's socket works.
    pub fn other_working(&self) -> impl Iterator<Item = &RouteView<'a>> {
        let selected = self.selected().map(|r| &r.route.id);
        self.routes
            .iter()
            .filter(move |r| Some(&r.route.id) != selected)
            .filter(|r| r.socket(self.path).works())
    }

    /// A citation of what a browser saw.
    #[must_use]
    pub fn cite_browser(&self, seen: &BrowserHandshake, excerpt: impl Into<String>) -> Citation {
        Citation {
            bundle: self.bundle.manifest.id.clone(),
            observation: seen.id.clone(),
            excerpt: excerpt.into(),
        }
    }

    /// What browsers saw of the console's socket.
    #[must_use]
    pub fn browsers(&self) -> Vec<BrowserView<'a>> {
        browser::browsers(self.bundle, self.path)
    }

    /// A citation of one of this bundle's observations.
    #[must_use]
    pub fn cite(&self, observation: &Observation, excerpt: impl Into<String>) -> Citation {
        Citation {
            bundle: self.bundle.manifest.id.clone(),
            observation: observation.id.clone(),
            excerpt: excerpt.into(),
        }
    }
}

/// The console's socket is whichever of the console paths the server knows.
/// The agents' path decides only when the target names it alone.
fn console_path<'a>(bundle: &'a Bundle, routes: &[RouteView<'a>]) -> &'a str {
    let paths = &bundle.observations.target.paths;
    let console: Vec<&'a str> =
        paths.iter().map(String::as_str).filter(|p| !is_agents(p)).collect();
    let candidates = if console.is_empty() {
        paths.iter().map(String::as_str).collect::<Vec<_>>()
    } else {
        console
    };
    let rank = |path: &str| {
        routes.iter().map(|r| r.knowledge_of(path)).min().unwrap_or(route::Knowledge::Nothing)
    };
    candidates
        .iter()
        .copied()
        .enumerate()
        .min_by_key(|(i, path)| (rank(path), *i))
        .map_or("/v1/ws", |(_, path)| path)
}

/// Twins are compared on one path: where the one side heard nothing of any that
/// the server knows, the other side tells which is the console's.
fn same_path<'a>(a: &mut BundleView<'a>, b: &mut BundleView<'a>) {
    use route::Knowledge::{Endpoint, Unknown};
    let (known_a, known_b) = (a.knowledge(), b.knowledge());
    let tried = |view: &BundleView<'_>, path: &str| {
        view.bundle.observations.target.paths.iter().any(|own| own == path)
    };
    if known_a >= Unknown && known_b <= Endpoint && tried(a, b.path) {
        a.at(b.path);
    } else if known_b >= Unknown && known_a <= Endpoint && tried(b, a.path) {
        b.at(a.path);
    }
}

/// Everything known about a case.
pub struct Evidence<'a> {
    /// All bundles, inside first, then by time, then by id.
    pub bundles: Vec<BundleView<'a>>,
    /// Pasted outputs of curl that are valid tests, as views of their own.
    pub outputs: Vec<BundleView<'a>>,
    /// All pasted outputs of curl, valid or not.
    pub pasted: &'a [Output],
    /// Known devices.
    pub signatures: &'a Signatures,
    /// What configurations say, once a rule has asked.
    pub(crate) configuration: OnceLock<Option<Checked>>,
    pairing: Pairing,
    /// Positions in `outputs`: the focus and the twin, where no bundle is either.
    output_focus: Option<usize>,
    output_twin: Option<usize>,
}

impl<'a> Evidence<'a> {
    /// Derives the evidence. The order of `bundles` does not matter.
    #[must_use]
    pub fn new(bundles: &'a [Bundle], pasted: &'a [Output], signatures: &'a Signatures) -> Self {
        Self::of(bundles.iter().collect(), pasted, signatures)
    }

    fn of(mut order: Vec<&'a Bundle>, pasted: &'a [Output], signatures: &'a Signatures) -> Self {
        order.sort_by(|a, b| {
            let key =
                |x: &Bundle| (x.manifest.vantage, x.manifest.started_at, x.manifest.id.clone());
            key(a).cmp(&key(b))
        });
        let mut views: Vec<_> = order.into_iter().map(|b| BundleView::new(b, signatures)).collect();
        let pairing = Pairing::new(&views);
        if let (Some(focus), Some(twin)) = (pairing.focus, pairing.twin)
            && let Ok([focus, twin]) = views.get_disjoint_mut([focus, twin])
        {
            same_path(focus, twin);
            silence::mark_between(focus, twin);
        }
        let known = |output: &&Output| views.iter().any(|v| v.bundle.manifest.id == output.bundle);
        let outputs = pasted
            .iter()
            .filter(known)
            .filter_map(|output| output.view.as_deref().ok())
            .map(|bundle| BundleView::new(bundle, signatures))
            .collect();
        let (output_focus, output_twin) = (None, None);
        let mut evidence = Self {
            bundles: views,
            outputs,
            pasted,
            signatures,
            configuration: OnceLock::new(),
            pairing,
            output_focus,
            output_twin,
        };
        evidence.pair_outputs();
        evidence
    }

    /// Lets pasted outputs speak for the side from which there is no bundle.
    fn pair_outputs(&mut self) {
        let Some(focus) = self.pairing.focus else { return };
        let own = &self.bundles[focus];
        if self.pairing.twin.is_some() {
            return;
        }
        let Some(at) = self.outputs.iter().rposition(|output| {
            output.bundle.manifest.vantage != own.bundle.manifest.vantage
                && pairing::comparable(own, output)
        }) else {
            return;
        };
        if own.bundle.manifest.vantage == Vantage::Inside {
            self.output_twin = Some(at);
            return;
        }
        // The browser is inside: what was pasted from there decides, unless it
        // fails as the bundle does, which has more to tell about why.
        let reply = |view: &BundleView<'a>| {
            let reply = view.selected()?.upgrade_reply(view.path)?;
            Some((reply.status, reply.kind))
        };
        let alike = reply(own).is_some() && reply(own) == reply(&self.outputs[at]);
        if alike {
            self.output_twin = Some(at);
        } else {
            self.output_focus = Some(at);
        }
    }

    /// Whether the side that decides is known by a pasted output of curl alone.
    #[must_use]
    pub fn focus_is_pasted(&self) -> bool {
        self.output_focus.is_some() || self.focus().is_some_and(|view| self.stands_in(view))
    }

    /// Whether anything in a bundle is of a probe, and not of what was handed over.
    #[must_use]
    pub fn probed(&self, view: &BundleView<'_>) -> bool {
        !view.bundle.observations.observations.is_empty() && !self.stands_in(view)
    }

    /// Whether a pasted output stands for the probes that a bundle lacks.
    fn stands_in(&self, view: &BundleView<'_>) -> bool {
        let own = &view.bundle.observations.observations;
        self.pasted.iter().any(|output| own.iter().any(|o| o.id == output.id))
    }

    /// Whether the other side is known by a pasted output of curl alone: one
    /// response, without frames, TLS or lookups.
    #[must_use]
    pub fn twin_is_pasted(&self) -> bool {
        self.output_twin.is_some()
    }

    /// The bundle that decides: the newest from inside, where the browser is.
    #[must_use]
    pub fn focus(&self) -> Option<&BundleView<'a>> {
        match self.output_focus {
            Some(at) => self.outputs.get(at),
            None => self.pairing.focus.map(|i| &self.bundles[i]),
        }
    }

    /// The comparable bundle from outside, when the focus is inside.
    #[must_use]
    pub fn twin(&self) -> Option<&BundleView<'a>> {
        match (self.output_focus, self.output_twin) {
            (Some(_), _) => self.pairing.focus.map(|i| &self.bundles[i]),
            (None, Some(at)) => self.outputs.get(at),
            (None, None) => self.pairing.twin.map(|i| &self.bundles[i]),
        }
    }

    /// The bundle from the other side, for a comparison of names and addresses:
    /// the twin, or one whose name led to another server.
    #[must_use]
    pub fn other_side(&self) -> Option<&BundleView<'a>> {
        self.pairing.other_side.map(|i| &self.bundles[i])
    }

    /// The run from the focus's side that came before it.
    #[must_use]
    pub fn before(&self) -> Option<&BundleView<'a>> {
        self.pairing.before.map(|i| &self.bundles[i])
    }

    /// The case as it stood when `last` had just come in.
    #[must_use]
    pub fn as_of(&self, last: &BundleView<'a>) -> Self {
        let until = last.bundle.manifest.started_at;
        let known = self.bundles.iter().map(|view| view.bundle).filter(|bundle| {
            bundle.manifest.started_at < until || std::ptr::eq(*bundle, last.bundle)
        });
        Self::of(known.collect(), self.pasted, self.signatures)
    }

    /// One bundle, as if nobody had sent another.
    #[must_use]
    pub fn alone(&self, one: &BundleView<'a>) -> Self {
        Self::of(vec![one.bundle], &[], self.signatures)
    }

    /// Bundles that cannot be compared with the focus, and why.
    pub fn aside(&self) -> impl Iterator<Item = (&BundleView<'a>, &str)> {
        self.pairing.aside.iter().map(|(at, why)| (&self.bundles[*at], why.as_str()))
    }

    /// How long after one another focus and twin were collected, in words, and
    /// the older of them, when it is so long that something may have been
    /// changed in between.
    #[must_use]
    pub fn far_apart(&self) -> Option<(String, &BundleView<'a>)> {
        let (focus, twin) = (self.focus()?, self.twin()?);
        let apart = pairing::apart(focus, twin);
        let started = |view: &BundleView<'_>| view.bundle.manifest.started_at;
        let older = if started(focus) < started(twin) { focus } else { twin };
        (apart > pairing::APART).then(|| (pairing::in_words(apart), older))
    }

    /// The route and path that decide.
    #[must_use]
    pub fn deciding(&self) -> Option<(&BundleView<'a>, &RouteView<'a>, &'a str)> {
        let focus = self.focus()?;
        Some((focus, focus.selected()?, focus.path))
    }

    /// What was not waited for long enough on the deciding route: the lowest step.
    #[must_use]
    pub fn too_short(&self) -> Option<&TooShort<'a>> {
        let (_, route, _) = self.deciding()?;
        let all = route.too_short.iter();
        all.min_by(|a, b| a.observation.start_ms.total_cmp(&b.observation.start_ms))
    }

    /// Whether the console's socket works from outside; `None` without a
    /// comparable outside bundle, or when it cannot be told.
    #[must_use]
    pub fn outside_works(&self) -> Option<bool> {
        let twin = self.twin()?;
        if self.twin_is_pasted() {
            return self.pasted_works(twin);
        }
        match twin.selected()?.socket(twin.path) {
            SocketState::Works => Some(true),
            SocketState::Unknown => None,
            _ => Some(false),
        }
    }

    /// The same of a pasted output: it shows the upgrade and nothing above, so
    /// it is held against upgrades that fail, and not against frames that do.
    fn pasted_works(&self, twin: &BundleView<'_>) -> Option<bool> {
        let (_, route, path) = self.deciding()?;
        let kind = |view: &RouteView<'_>, path: &str| view.upgrade_reply(path).map(|r| r.kind);
        let theirs = kind(twin.selected()?, twin.path);
        if theirs == Some(ReplyKind::Unauthorized) {
            return None;
        }
        let passes = theirs == Some(ReplyKind::Switched);
        let no_further = kind(route, path) == Some(ReplyKind::Switched);
        (!(passes && no_further && !route.socket(path).works())).then_some(passes)
    }

    /// Whether the outside run got as far as an answer to its upgrade that
    /// fails in the same way as the focus's does.
    #[must_use]
    pub fn outside_fails_alike(&self) -> bool {
        let (Some((focus, route, path)), Some(twin)) = (self.deciding(), self.twin()) else {
            return false;
        };
        let Some(other) = twin.selected() else { return false };
        let _ = focus;
        // It does not fail: it fails now and then.
        if other.contradicts_itself() {
            return false;
        }
        match (route.upgrade_reply(path), other.upgrade_reply(twin.path)) {
            // After a 101 on both sides it is the frames that fail, or do not.
            (Some(a), Some(b)) if a.kind == ReplyKind::Switched && b.kind == a.kind => {
                other.socket(twin.path) == SocketState::NoFrames
            }
            (Some(a), Some(b)) => {
                // Of a pasted answer the status may be all that was shown.
                let bare = self.twin_is_pasted() && b.reply.head.headers().is_empty();
                a.status == b.status && (a.kind == b.kind || bare)
            }
            (None, None) if matches!(route.reach(), Reach::Reached) => {
                let kind = |r: &RouteView<'_>, path: &str| {
                    let (o, failure) = r.upgrade_failure(path)?;
                    (!r.is_too_short(o)).then_some(failure.kind)
                };
                let own = kind(route, path);
                own.is_some() && own == kind(other, twin.path)
            }
            (None, None) => route.reach().name() == other.reach().name(),
            _ => false,
        }
    }

    /// Whether the leaf certificate differs between inside and outside, or
    /// between the deciding route and another route of the same bundle.
    #[must_use]
    pub fn leaf_differs(&self) -> Option<bool> {
        let (focus, route, _) = self.deciding()?;
        let own = route.leaf()?;
        let mut compared = None;
        let others = focus
            .routes
            .iter()
            .filter(|r| r.route.id != route.route.id)
            .chain(self.twin().into_iter().flat_map(|t| t.routes.iter()));
        for other in others.filter_map(RouteView::leaf) {
            // Of one that was pasted only the names are known.
            let names = other.spki_sha256.is_empty() || own.spki_sha256.is_empty();
            if names && other.issuer_cn != own.issuer_cn
                || !names && other.spki_sha256 != own.spki_sha256
            {
                return Some(true);
            }
            compared = Some(false);
        }
        compared
    }
}
