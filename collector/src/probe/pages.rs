//! Plain pages of the console, one after the other on one connection, as a
//! browser fetches them: they tell who answers, and that pages pass.

use super::Kept;
use crate::step::Ctx;
use crate::step::dial::Way;
use crate::step::proxy_auth::Said;
use crate::step::request::{Form, get};
use std::sync::Arc;
use wss_bundle::observation::RouteKind;
use wss_bundle::target::Scheme;
use wss_bundle::{Failure, Secret};

/// The pages.
pub const PAGES: [&str; 3] = ["/health", "/js/_globals.js", "/"];

/// Whether pages go through the proxy in absolute form, as browsers fetch
/// plain-HTTP pages, and not through a tunnel.
#[must_use]
pub fn absolute(ctx: &Ctx) -> bool {
    ctx.net.config.target.scheme == Scheme::Http
        && matches!(ctx.route().route.kind, RouteKind::HttpProxy | RouteKind::HttpsProxy)
}

/// What the proxy is told of who asks, where pages go to it in absolute form.
pub(super) async fn proxy_words(ctx: &Ctx, absolute: bool) -> Option<Said> {
    if !absolute {
        return None;
    }
    Some(ctx.proxy_auth().said(ctx, false).await)
}

/// Asks for one page alone.
///
/// # Errors
/// The step that failed.
pub async fn one(ctx: &Ctx, way: &Arc<Way>, page: &str) -> Result<(), Failure> {
    let ctx = Ctx { path: Some(page.to_owned()), ..ctx.clone() };
    let absolute = absolute(&ctx);
    let said = proxy_words(&ctx, absolute).await;
    let via_proxy = said.as_ref().map(|said| said.value.as_ref().map(Secret::expose));
    let request = get(&ctx.net.config, page, &Form { via_proxy, ..Form::default() });
    Kept::default().plain(&ctx, way, &request, absolute).await
}

/// Runs the probe. A page that fails does not keep the next from being tried.
///
/// # Errors
/// The last failure, when no page was answered.
pub async fn run(ctx: &Ctx, way: &Arc<Way>, kept: &mut Kept) -> Result<(), Failure> {
    let mut answered = false;
    let mut failed = None;
    let absolute = absolute(ctx);
    for page in PAGES {
        let ctx = Ctx { path: Some(page.to_owned()), ..ctx.clone() };
        let said = proxy_words(&ctx, absolute).await;
        let via_proxy = said.as_ref().map(|said| said.value.as_ref().map(Secret::expose));
        let request = get(&ctx.net.config, page, &Form { via_proxy, ..Form::default() });
        match kept.plain(&ctx, way, &request, absolute).await {
            Ok(()) => answered = true,
            Err(failure) => {
                let at_an_end =
                    ctx.net.is_cancelled() || failure.kind == wss_bundle::FailureKind::TimedOut;
                failed = Some(failure);
                if at_an_end {
                    break;
                }
            }
        }
    }
    match failed {
        Some(failure) if !answered => Err(failure),
        _ => Ok(()),
    }
}
