//! The reading of one request through the objects: what all parts of it share.

use super::object::{Object, objects};
use super::{contour, front, gateway, ingress, istio, openshift, traefik};
use crate::configuration::chain::Hop;
use crate::configuration::part;
use crate::configuration::source::File;
use crate::configuration::{Fix, Issue, Kind, Place, Program, Provided, Reading, Request};
use wss_bundle::structured::Node;

/// One reading.
pub(super) struct Check<'n> {
    pub(super) all: Vec<Object<'n>>,
    pub(super) request: &'n Request<'n>,
    pub(super) reading: Reading,
    /// Whether what is found certainly takes part.
    pub(super) sure: bool,
    /// Whether a cloud's own load balancer takes the Ingress: nothing stands before it.
    pub(super) direct: bool,
    /// What the next issues count on.
    pub(super) provided: Option<Provided>,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let documents = part::of(files);
    let reading = Reading::new(Program(&super::DIALECT));
    let all = objects(&documents);
    let (direct, provided) = (false, None);
    let mut check = Check { all, request, reading, sure: true, direct, provided };
    check.run();
    check.reading
}

impl<'n> Check<'n> {
    fn run(&mut self) {
        self.types();
        // Each looks for its own; none keeps another from looking.
        let any = [
            ingress::read(self),
            gateway::read(self),
            istio::read(self),
            traefik::read(self),
            contour::read(self),
            openshift::read(self),
        ];
        let any = any.contains(&true);
        front::read(self, any);
    }

    /// The objects of a kind.
    pub(super) fn of(&self, kind: &str) -> Vec<Object<'n>> {
        self.all.iter().filter(|object| object.kind == kind).copied().collect()
    }

    /// The path without its query.
    pub(super) fn path(&self) -> &'n str {
        self.request.path.split('?').next().unwrap_or_default()
    }

    /// The objects set this device, which takes the request.
    pub(super) fn device(&mut self, id: &'static str) {
        if self.sure {
            self.reading.device = self.reading.device.or(Some(id));
        }
    }

    pub(super) fn follow(&mut self, at: (Place, String)) {
        self.reading.follow(at.0, at.1);
    }

    pub(super) fn untold(&mut self, at: Option<(Place, String)>, why: impl Into<String>) {
        self.reading.untold(at.map(|at| at.0), why.into(), None);
    }

    pub(super) fn issue(
        &mut self,
        kind: Kind,
        at: (Place, String),
        says: impl Into<String>,
        command: impl Into<String>,
    ) {
        let issue = Issue::new(kind, at.0, at.1, says.into());
        let (sure, provided, command) = (self.sure, self.provided, command.into());
        let issue = Issue { sure, provided, command, ..issue };
        let same = |other: &Issue| other.kind == issue.kind && other.place == issue.place;
        if !self.reading.issues.iter().any(same) {
            self.reading.issues.push(issue);
        }
    }

    /// One that counts only where the probe saw it.
    pub(super) fn if_seen(&mut self, kind: Kind, at: (Place, String), says: impl Into<String>) {
        let before = self.provided.replace(Provided::Condition);
        self.issue(kind, at, says, "");
        self.provided = before;
    }

    /// The issue that was noted last is mended by this, and not as others of its kind.
    pub(super) fn mended_by(&mut self, fix: Fix, command: String) {
        if let Some(last) = self.reading.issues.last_mut() {
            (last.own_fix, last.command) = (Some(fix), command);
        }
    }

    /// What is written and does nothing.
    pub(super) fn idle(&mut self, at: (Place, String), says: impl Into<String>) {
        self.issue(Kind::NoEffect, at, says, "");
    }

    /// A silence, age or other time, where it is less than the console needs.
    pub(super) fn short(
        &mut self,
        kind: Kind,
        at: (Place, String),
        says: impl Into<String>,
        command: impl Into<String>,
    ) {
        let seconds = match kind {
            Kind::Timeout(s) | Kind::Lifetime(s) | Kind::SendTimeout(s) => s,
            _ => return,
        };
        // Nought is none.
        if seconds > 0.0 && seconds < crate::configuration::NEEDED_S {
            self.issue(kind, at, says, command);
        }
    }

    /// Annotations are texts: a number or a switch without quotes is refused by the API,
    /// and with it the whole object.
    fn types(&mut self) {
        let mut found = Vec::new();
        for object in &self.all {
            let bare = |node: &Node| match &node.value {
                wss_bundle::structured::Value::Scalar(text, false) => {
                    // `inf` and `nan` are words here.
                    let number = !text.contains(|c: char| c.is_alphabetic() && c != 'e');
                    number && text.parse::<f64>().is_ok()
                        || matches!(text.as_str(), "true" | "false")
                }
                _ => false,
            };
            let bare = object.annotations().iter().find(|(_, node)| bare(node));
            found.extend(bare.map(|(_, node)| object.at(node)));
        }
        for at in found {
            let says = "is no text: annotations have to be quoted, the API refuses the object, and \
                        what was there before stays in effect";
            self.idle(at, says);
        }
    }
}
