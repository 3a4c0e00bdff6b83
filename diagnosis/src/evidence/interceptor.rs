//! Who re-signs certificates on the way.

use super::{Evidence, RouteView};
use crate::model::Confidence;
use wss_bundle::observation::Certificate;

/// The interceptor that re-signed the deciding route's certificate, if any:
/// known by its issuer, or shown by a leaf that differs from another route's
/// or vantage's.
pub(crate) fn interceptor(e: &Evidence<'_>, route: &RouteView<'_>) -> Option<String> {
    let (_, tls) = route.tls()?;
    let known = route
        .issuers
        .iter()
        .find(|m| m.signature.intercepts() && m.confidence >= Confidence::Medium)
        .map(|m| m.signature.name.clone());
    known.or_else(|| {
        let leaf = tls.chain.first()?;
        if says_so_itself(leaf) {
            return Some(leaf.issuer_cn.clone().unwrap_or_else(|| leaf.issuer.clone()));
        }
        // A differing leaf alone may be a farm with several certificates; with
        // another issuer it is another authority's word for the same name.
        let differs = e.leaf_differs()? && issuer_differs(e, &leaf.issuer);
        differs.then(|| leaf.issuer_cn.clone().unwrap_or_else(|| leaf.issuer.clone()))
    })
}

/// Whether the issuer's name says that it is for inspection: what an
/// administrator calls the authority of a web gateway, and no public authority
/// is called.
fn says_so_itself(leaf: &Certificate) -> bool {
    const WORDS: [&str; 10] = [
        "inspection",
        "interception",
        "decrypt",
        "ssl proxy",
        "tls proxy",
        "web proxy",
        "proxy ca",
        "web gateway",
        "firewall",
        "ssl-inspect",
    ];
    let issuer = leaf.issuer.to_lowercase();
    WORDS.iter().any(|word| issuer.contains(word))
}

fn issuer_differs(e: &Evidence<'_>, issuer: &str) -> bool {
    let Some((focus, route, _)) = e.deciding() else { return false };
    focus
        .routes
        .iter()
        .filter(|r| r.route.id != route.route.id)
        .chain(e.twin().into_iter().flat_map(|t| t.routes.iter()))
        .filter_map(RouteView::leaf)
        .any(|leaf| leaf.issuer != issuer)
}
