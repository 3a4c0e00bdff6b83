//! Twin of `pages`: the same requests in a browser's name, which alone differs; or
//! with all headers that a browser opens a page with.

use super::Kept;
use super::pages::{PAGES, absolute, proxy_words};
use crate::step::Ctx;
use crate::step::dial::Way;
use crate::step::likeness::USER_AGENT;
use crate::step::request::{Form, get, navigation};
use std::sync::Arc;
use wss_bundle::{Failure, Secret};

/// Asks for one page alone.
///
/// # Errors
/// The step that failed.
pub async fn one(ctx: &Ctx, way: &Arc<Way>, page: &str, whole: bool) -> Result<(), Failure> {
    ask(ctx, way, page, whole, &mut Kept::default()).await
}

/// Runs the probe; `whole` for all of a browser's headers. A page that fails ends it:
/// its twin has shown already that pages are answered here.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: &Ctx, way: &Arc<Way>, whole: bool) -> Result<(), Failure> {
    let mut kept = Kept::default();
    for page in PAGES {
        ask(ctx, way, page, whole, &mut kept).await?;
    }
    Ok(())
}

async fn ask(
    ctx: &Ctx,
    way: &Arc<Way>,
    page: &str,
    whole: bool,
    kept: &mut Kept,
) -> Result<(), Failure> {
    let absolute = absolute(ctx);
    let ctx = Ctx { path: Some(page.to_owned()), ..ctx.clone() };
    let said = proxy_words(&ctx, absolute).await;
    let via_proxy = said.as_ref().map(|said| said.value.as_ref().map(Secret::expose));
    let form = Form { via_proxy, agent: Some(USER_AGENT), ..Form::default() };
    let request = match whole {
        true => navigation(&ctx.net.config, page, &form),
        false => get(&ctx.net.config, page, &form),
    };
    kept.plain(&ctx, way, &request, absolute).await
}
