//! Twin of `browser-upgrade`: it offers permessage-deflate, as every browser
//! does, and differs in nothing else. A hop that passes the offer on and does not
//! understand compressed frames breaks browsers alone.

use super::browser_upgrade::{Asked, asked};
use crate::net::Ctx;
use crate::net::deflate::OFFER;
use crate::net::dial::Way;
use std::sync::Arc;
use wss_bundle::observation::{EndedBy, FramesSeen, probe as name};
use wss_bundle::{Failure, Step};

/// Runs the probe. Where it fares worse than its twin without the offer, the
/// twin is tried once more, and then this one again: any connection may fail
/// once, and the latest of many may be one too many.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: Ctx, way: Arc<Way>) -> Result<(), Failure> {
    let again = match asked(&ctx, &way, Some(OFFER)).await? {
        Asked::Refused => twin_switched(&ctx),
        Asked::Switched(seen) => seen.is_some_and(|seen| broke(&seen)),
    };
    if again {
        let plain = Ctx { probe: name::BROWSER_UPGRADE, ..ctx.clone() };
        asked(&plain, &way, None).await?;
        asked(&ctx, &way, Some(OFFER)).await?;
    }
    Ok(())
}

/// Whether the twin was answered with 101 already.
fn twin_switched(ctx: &Ctx) -> bool {
    let found = ctx.net.recorder.find(|seen| match &seen.step {
        Step::Upgrade(upgrade)
            if seen.probe == name::BROWSER_UPGRADE
                && seen.path == ctx.path
                && seen.route == ctx.route().route.id =>
        {
            upgrade.result.ok().map(|reply| reply.head.status() == Some(101))
        }
        _ => None,
    });
    found == Some(true)
}

/// Whether it broke off in a way that chance explains as well: frames that
/// cannot be read are no chance, and silence has been waited for.
fn broke(seen: &FramesSeen) -> bool {
    let ending = &seen.ending;
    match ending.how {
        EndedBy::Fin | EndedBy::Reset => true,
        // Protocol error, and data of the wrong kind (RFC 6455 section 7.4.1).
        EndedBy::CloseFrame => matches!(ending.close_code, Some(1002 | 1007)),
        EndedBy::Garbled | EndedBy::Silence | EndedBy::StillOpen => false,
    }
}
