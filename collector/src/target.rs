//! A target as people write it, with what its URL carries besides: who signs on.

use crate::config::Credentials;
use percent_encoding::percent_decode_str;
use url::Url;
use wss_bundle::{Secret, Target, target};

/// Credentials of a URL, percent-decoded.
#[must_use]
pub fn url_credentials(url: &Url) -> Option<Credentials> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text: &str| Secret::new(percent_decode_str(text).decode_utf8_lossy());
    Some(Credentials {
        user: decode(url.username()),
        password: decode(url.password().unwrap_or("")),
    })
}

/// As [`target::parse`]; with the URL's credentials, which are no part of a [`Target`].
///
/// # Errors
/// As there.
pub fn target(text: &str, paths: &[String]) -> Result<(Target, Option<Credentials>), String> {
    let (target, url) = target::parse(text, paths)?;
    Ok((target, url_credentials(&url)))
}
