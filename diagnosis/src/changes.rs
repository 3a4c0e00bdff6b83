//! Before and after: what changed between two runs from the same side, layer
//! by layer. Facts about the pair; whether that is good news is for the reader.

use crate::evidence::holding::cut;
use crate::evidence::holding::same_age;
use crate::evidence::{BundleView, Evidence, RouteView};
use crate::judge::verdict;
use crate::ladder::ladder;
use crate::model::{Change, Changes, Layer, LayerState};
use wss_bundle::observation::probe;

/// What changed since the run before; `None` when there was none.
#[must_use]
pub(crate) fn changes(e: &Evidence<'_>) -> Option<Changes> {
    let (after, before) = (e.focus()?, e.before()?);
    let (new, old) = (after.selected()?, before.selected()?);
    // What the verdict was before the newer run came in.
    let then = e.as_of(before);
    let layers = ladder(before, old, before.path)
        .layers
        .into_iter()
        .zip(ladder(after, new, after.path).layers)
        .map(|(old_state, new_state)| change(old, old_state, new, new_state))
        .collect();
    Some(Changes {
        before: before.bundle.manifest.id.clone(),
        after: after.bundle.manifest.id.clone(),
        verdict_before: verdict(&then),
        routes: (old.route.id.to_string(), new.route.id.to_string()),
        resolved: (leads_to(before), leads_to(after)),
        layers,
    })
}

fn leads_to(view: &BundleView<'_>) -> Option<String> {
    let found = crate::evidence::pairing::addresses(view.direct()?);
    (!found.is_empty())
        .then(|| found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

fn change(
    old_route: &RouteView<'_>,
    before: LayerState,
    new_route: &RouteView<'_>,
    after: LayerState,
) -> Change {
    let layer = after.layer;
    let cuts = |route: &RouteView<'_>| route.hold(probe::HOLD_SILENT).and_then(cut);
    let changed = match (before.status == after.status, layer) {
        (false, _) => true,
        // No two cuts are of the same millisecond.
        (true, Layer::Hold) => match (cuts(old_route), cuts(new_route)) {
            (Some(a), Some(b)) => !same_age(a, b),
            _ => false,
        },
        (true, _) => before.detail != after.detail,
    };
    Change { layer, before, after, changed }
}
