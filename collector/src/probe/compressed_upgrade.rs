//! Twin of `browser-upgrade`: it offers permessage-deflate, as every browser
//! does, and differs in nothing else. A hop that passes the offer on and does not
//! understand compressed frames breaks browsers alone.

use super::browser_upgrade::{Asked, asked};
use crate::key::Probe;
use crate::step::Ctx;
use crate::step::deflate::OFFER;
use crate::step::dial::Way;
use std::sync::Arc;
use wss_bundle::Failure;
use wss_bundle::observation::{EndedBy, FramesSeen};

/// Runs the probe. Where its frames break off, the twin without the offer is tried
/// once more, and then this one again: any connection may fail once, and the latest
/// of many may be one too many. A refusal is asked for again when all else is done.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: Ctx, way: Arc<Way>) -> Result<(), Failure> {
    let again = match asked(&ctx, &way, Some(OFFER)).await? {
        Asked::Refused => false,
        Asked::Switched(seen) => seen.is_some_and(|seen| broke(&seen)),
    };
    if again {
        let plain = Ctx { probe: Probe::BrowserUpgrade, ..ctx.clone() };
        asked(&plain, &way, None).await?;
        asked(&ctx, &way, Some(OFFER)).await?;
    }
    Ok(())
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
