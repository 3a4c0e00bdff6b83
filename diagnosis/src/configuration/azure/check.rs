//! What the readers of Azure's three load balancers share: the files, names, patterns.

use super::{api, front_door, gateway};
use crate::configuration::chain::Hop;
pub(super) use crate::configuration::notes::Notes as Check;
use crate::configuration::part::{self, Part};
use crate::configuration::source::File;
use crate::configuration::{Program, Reading, Request};
use wss_bundle::structured::Value;

/// Reads the files for a request. Where several kinds were given, the first of Front
/// Door, Application Gateway and API Management names the device.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let files = part::of(files);
    let (mut routes, mut gateways, mut apis) = (Vec::new(), Vec::new(), Vec::new());
    for one in part::entries(&files) {
        let kind = one.text("type").to_ascii_lowercase();
        if one.get("requestRoutingRules").is_some() || kind.ends_with("/applicationgateways") {
            gateways.push(one);
        } else if one.get("patternsToMatch").is_some() || kind.ends_with("/routes") {
            routes.push(one);
        } else if kind.ends_with("/apis") {
            apis.push(one);
        }
    }
    let mut check = Check::new(Program(&super::DIALECT), request);
    front_door::read(&mut check, &routes);
    gateway::read(&mut check, &gateways);
    api::read(&mut check, &apis);
    check.reading
}

/// The value of a key, where it is an object: `az` prints `null` for what is not set.
pub(super) fn object<'n>(of: Part<'n>, key: &str) -> Option<Part<'n>> {
    of.get(key).filter(|own| matches!(own.node.value, Value::Map(_)))
}

/// The name of what a key refers to; nothing where it refers to nothing.
pub(super) fn named<'n>(of: Part<'n>, key: &str) -> &'n str {
    last(object(of, key).map_or("", |own| own.text("id")))
}

/// The last part of an id.
pub(super) fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// Whether a path is a pattern's: the very path, or what begins as it does before its
/// `*`. Case does not matter.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(front) => path.get(..front.len()).is_some_and(|own| own.eq_ignore_ascii_case(front)),
        None => pattern.eq_ignore_ascii_case(path),
    }
}

/// The path with what a pattern has before its `*` replaced.
pub(super) fn replaced(pattern: &str, by: &str, path: &str) -> String {
    let front = pattern.trim_end_matches('*').trim_end_matches('/');
    let rest = path.get(front.len()..).unwrap_or_default();
    if rest.is_empty() {
        return by.to_owned();
    }
    format!("{}/{}", by.trim_end_matches('/'), rest.trim_start_matches('/'))
}
