//! What stands outside of `http`, and what belongs to the socket that is listened
//! on.

use super::check::Check;
use super::server::listens;
use super::tree::Forest;
use super::value::seconds;
use crate::configuration::{Kind, Provided};

/// Adds what these say.
pub(super) fn look<'t>(check: &mut Check<'t>, forest: &'t Forest) {
    let Some(picked) = check.picked else { return };
    let all = forest.trees.iter().flat_map(|tree| &tree.directives);
    if let Some(line) = all.clone().find(|d| d.name == "worker_shutdown_timeout")
        && let Some(s) = seconds(line.arg(0))
    {
        let says = format!(
            "cuts every connection that is open {s:.0} s after a reload of nginx, all of them in the \
             same moment"
        );
        check.issue(Kind::Reload(s), line, says, true);
    }
    let awaits = listens(picked.server).into_iter().find(|listen| listen.proxy_protocol);
    // Where what sends to it is known, `chain` compares the two.
    if let Some(line) = awaits.and_then(|listen| listen.line).filter(|_| check.hop.is_none()) {
        check.provided = Some(Provided::Condition);
        let says = "waits for a PROXY header before anything else: what does not send one \
                    (`send-proxy` in HAProxy, `proxy_protocol on` in nginx' stream) is cut off";
        check.issue(Kind::ProxyHeaderAwaited, line, says, true);
        check.provided = None;
    }
}
