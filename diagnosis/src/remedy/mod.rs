//! What to do about each cause, for the device where it is known.
//!
//! Sources: the troubleshooting page, corrected where it is wrong (it names a
//! toggle that Azure Application Gateway does not have, and an HTTP/2 listener
//! that ALB does not have), the products' manuals, and measurements on real
//! servers. Every remedy ends with the command that shows whether it worked.

//!
//! `snippets` has what to paste, by device and purpose; `bypass` the exemption
//! from inspection, by product; the others what to do, by layer.

mod bypass;
mod configuration;
mod network;
mod products;
mod server;
mod sign_on;
pub mod snippets;
mod tls;
mod upgrade;

pub use bypass::{Bypass, EVERY as BYPASSES};
pub(crate) use configuration::configuration;
pub(crate) use network::*;
pub(crate) use server::*;
pub(crate) use sign_on::*;
pub(crate) use tls::*;
pub(crate) use upgrade::*;

use crate::evidence::Evidence;
use crate::model::NextStep;
use crate::model::{Remedy, Snippet};
use crate::suggest::run_again;

fn remedy(e: &Evidence<'_>, title: &str, steps: &[String]) -> Remedy {
    Remedy {
        title: title.into(),
        steps: steps.to_vec(),
        sources: Vec::new(),
        snippet: None,
        verify: run_again(e, NextStep::Again, "").command,
    }
}

fn with_snippet(mut remedy: Remedy, language: &str, text: impl Into<String>) -> Remedy {
    remedy.snippet = Some(Snippet { language: language.into(), text: text.into() });
    remedy
}

fn target(e: &Evidence<'_>) -> (String, u16, Vec<String>) {
    e.focus().map_or_else(
        || ("bindplane.example.com".into(), 443, vec!["/v1/ws".into()]),
        |f| {
            let t = &f.bundle.manifest.target;
            (t.host.clone(), t.port, t.paths.clone())
        },
    )
}

/// The request to hand to whoever runs the proxy or firewall.
fn request(e: &Evidence<'_>) -> String {
    let (host, port, paths) = target(e);
    format!(
        "Please allow WebSocket (wss://) for the Bindplane console:\n\
         - host {host}, TCP port {port}\n\
         - paths {}\n\
         - HTTP/1.1 requests with the headers `Connection: Upgrade` and `Upgrade: websocket` \
         (RFC 6455) must be forwarded with these headers, and the answer 101 passed back\n\
         - no TLS inspection for this host, or an inspection that forwards upgrades\n\
         - connections stay open: idle timeout and lifetime of at least 3600 seconds\n\
         Bindplane has no long-poll or server-sent-events fallback: without WebSocket the console \
         does not update.",
        paths.join(", ")
    )
}

pub(crate) fn network_team(e: &Evidence<'_>, title: &str) -> Remedy {
    with_snippet(
        remedy(
            e,
            title,
            &["Hand this request to the team that runs the proxy or firewall.".into()],
        ),
        "text",
        request(e),
    )
}

fn with_found(mut remedy: Remedy, found: Option<&snippets::Known>) -> Remedy {
    if let Some(found) = found {
        remedy.steps.extend(found.steps.iter().map(|step| (*step).to_owned()));
        remedy.known_from(found.source);
        if !found.text.is_empty() {
            remedy = with_snippet(remedy, found.language, found.text);
        }
    }
    remedy
}
