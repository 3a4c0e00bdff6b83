//! Facts derived from a case: which bundle and route decide, how far each
//! route climbed, who wrote each answer, and the differences between twins.
//!
//! Nothing here is a verdict. Rules read these views; they never go back to
//! raw observations to parse a header again.

pub mod reply;
pub mod route;

pub use reply::{Author, Reply, ReplyKind};
pub use route::{Reach, RouteView, SocketState};

use crate::model::Citation;
use crate::signature::Signatures;
use wss_bundle::target::AGENT_PATH;
use wss_bundle::{Bundle, Observation, Vantage};

/// One bundle, seen route by route.
pub struct BundleView<'a> {
    /// The bundle.
    pub bundle: &'a Bundle,
    /// Its routes, in the bundle's order.
    pub routes: Vec<RouteView<'a>>,
    /// The console's WebSocket path, as far as this bundle can tell.
    pub path: &'a str,
}

impl<'a> BundleView<'a> {
    fn new(bundle: &'a Bundle, signatures: &'a Signatures) -> Self {
        let routes: Vec<_> = bundle
            .observations
            .routes
            .iter()
            .map(|route| RouteView::new(bundle, route, signatures))
            .collect();
        let path = console_path(bundle, &routes);
        Self { bundle, routes, path }
    }

    /// The route that this machine's settings choose: a browser here takes it.
    #[must_use]
    pub fn selected(&self) -> Option<&RouteView<'a>> {
        self.routes.iter().find(|r| r.route.selected).or_else(|| self.routes.first())
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
        paths.iter().map(String::as_str).filter(|p| *p != AGENT_PATH).collect();
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

/// Everything known about a case.
pub struct Evidence<'a> {
    /// All bundles, inside first, then by time, then by id.
    pub bundles: Vec<BundleView<'a>>,
    /// Known devices.
    pub signatures: &'a Signatures,
    focus: Option<usize>,
    twin: Option<usize>,
    not_comparable: Option<String>,
}

impl<'a> Evidence<'a> {
    /// Derives the evidence. The order of `bundles` does not matter.
    #[must_use]
    pub fn new(bundles: &'a [Bundle], signatures: &'a Signatures) -> Self {
        let mut order: Vec<&Bundle> = bundles.iter().collect();
        order.sort_by(|a, b| {
            let key =
                |x: &Bundle| (x.manifest.vantage, x.manifest.started_at, x.manifest.id.clone());
            key(a).cmp(&key(b))
        });
        let views: Vec<_> = order.into_iter().map(|b| BundleView::new(b, signatures)).collect();
        // The newest run from each side speaks: an older one is the "before".
        let newest =
            |vantage: Vantage| views.iter().rposition(|v| v.bundle.manifest.vantage == vantage);
        let inside = newest(Vantage::Inside);
        let outside = newest(Vantage::Outside);
        let focus = inside.or(outside);
        let mut twin = if inside.is_some() { outside } else { None };
        let mut not_comparable = None;
        if let (Some(f), Some(t)) = (focus, twin)
            && let Some(why) = why_not_comparable(&views[f], &views[t])
        {
            not_comparable = Some(why);
            twin = None;
        }
        Self { bundles: views, signatures, focus, twin, not_comparable }
    }

    /// The bundle that decides: the newest from inside, where the browser is.
    #[must_use]
    pub fn focus(&self) -> Option<&BundleView<'a>> {
        self.focus.map(|i| &self.bundles[i])
    }

    /// The comparable bundle from outside, when the focus is inside.
    #[must_use]
    pub fn twin(&self) -> Option<&BundleView<'a>> {
        self.twin.map(|i| &self.bundles[i])
    }

    /// Why inside and outside cannot be compared, when there are both and they cannot.
    #[must_use]
    pub fn not_comparable(&self) -> Option<&str> {
        self.not_comparable.as_deref()
    }

    /// The route and path that decide.
    #[must_use]
    pub fn deciding(&self) -> Option<(&BundleView<'a>, &RouteView<'a>, &'a str)> {
        let focus = self.focus()?;
        Some((focus, focus.selected()?, focus.path))
    }

    /// Whether the console's socket works from outside; `None` without a
    /// comparable outside bundle, or when it cannot be told.
    #[must_use]
    pub fn outside_works(&self) -> Option<bool> {
        let twin = self.twin()?;
        match twin.selected()?.socket(twin.path) {
            SocketState::Works => Some(true),
            SocketState::Unknown => None,
            _ => Some(false),
        }
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
        match (route.upgrade_reply(path), other.upgrade_reply(twin.path)) {
            (Some(a), Some(b)) => a.status == b.status && a.kind == b.kind,
            (None, None) if matches!(route.reach(), Reach::Reached) => {
                let kind = |r: &RouteView<'_>, path: &str| {
                    r.upgrade_failure(path).map(|(_, failure)| failure.kind)
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
            if other.spki_sha256 != own.spki_sha256 {
                return Some(true);
            }
            compared = Some(false);
        }
        compared
    }
}

fn why_not_comparable(a: &BundleView<'_>, b: &BundleView<'_>) -> Option<String> {
    let (ta, tb) = (&a.bundle.manifest.target, &b.bundle.manifest.target);
    if ta.scheme != tb.scheme || ta.host != tb.host || ta.port != tb.port {
        return Some(format!("they tried different targets: {} and {}", ta.origin(), tb.origin()));
    }
    if !ta.paths.contains(&b.path.to_owned()) && a.path != b.path {
        return Some(format!("they tried different paths: {} and {}", a.path, b.path));
    }
    None
}
