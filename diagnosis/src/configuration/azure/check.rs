//! What the readers of Azure's three load balancers share: the files, and how an issue
//! is said.

use super::{api, front_door, gateway};
use crate::configuration::chain::Hop;
use crate::configuration::part::{self, Part};
use crate::configuration::source::File;
use crate::configuration::{Kind, Program, Provided, Reading, Request};
use wss_bundle::structured::Value;

pub(super) struct Check<'n> {
    pub(super) request: &'n Request<'n>,
    pub(super) reading: Reading,
}

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
    let mut check = Check { request, reading: Reading::new(Program(&super::DIALECT)) };
    front_door::read(&mut check, &routes);
    gateway::read(&mut check, &gateways);
    api::read(&mut check, &apis);
    check.reading
}

impl<'n> Check<'n> {
    /// The path without its query.
    pub(super) fn path(&self) -> &'n str {
        self.request.path.split('?').next().unwrap_or_default()
    }

    pub(super) fn follow(&mut self, at: Part<'_>) {
        self.reading.follow_part(at);
    }

    pub(super) fn untold(&mut self, at: Part<'_>, why: impl Into<String>) {
        self.reading.untold(Some(at.place()), why.into(), None);
    }

    /// The files describe this device, which takes the request.
    pub(super) fn device(&mut self, id: &'static str) {
        self.reading.device = self.reading.device.or(Some(id));
    }

    pub(super) fn issue(
        &mut self,
        kind: Kind,
        at: Part<'_>,
        says: impl Into<String>,
        command: impl Into<String>,
    ) {
        self.reading.found(kind, at, says.into(), None, command.into());
    }

    /// One that counts only where the probe saw it.
    pub(super) fn if_seen(&mut self, kind: Kind, at: Part<'_>, says: impl Into<String>) {
        self.reading.found(kind, at, says.into(), Some(Provided::Condition), String::new());
    }

    /// One of a rule: under its conditions, where it has some.
    pub(super) fn ruled(
        &mut self,
        conditional: bool,
        kind: Kind,
        at: Part<'_>,
        says: impl Into<String>,
    ) {
        if conditional { self.if_seen(kind, at, says) } else { self.issue(kind, at, says, "") }
    }
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
