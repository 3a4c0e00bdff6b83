//! What readers of JSON and YAML note while they follow a request: the way that it came,
//! what gets lost, and what cannot be told.

use super::dialect::{Fix, Program};
use super::part::Part;
use super::{Issue, Kind, Provided, Reading, Request};

/// One reading, of a request.
pub(crate) struct Notes<'n> {
    pub(crate) request: &'n Request<'n>,
    pub(crate) reading: Reading,
}

impl<'n> Notes<'n> {
    pub(crate) fn new(program: Program, request: &'n Request<'n>) -> Self {
        Self { request, reading: Reading::new(program) }
    }

    /// The path without its query.
    pub(crate) fn path(&self) -> &'n str {
        self.request.path.split('?').next().unwrap_or_default()
    }

    /// A part that the request came by.
    pub(crate) fn follow(&mut self, at: Part<'_>) {
        let place = at.place();
        let line = place.with(at.node);
        self.reading.follow(place, line);
    }

    pub(crate) fn untold<'p>(&mut self, at: impl Into<Option<Part<'p>>>, why: impl Into<String>) {
        self.reading.untold(at.into().map(Part::place), why.into(), None);
    }

    /// The files describe this device, which takes the request.
    pub(crate) fn device(&mut self, id: &'static str) {
        self.reading.device = self.reading.device.or(Some(id));
    }

    /// What gets lost at a part; the command that mends it, or nothing.
    pub(crate) fn issue(
        &mut self,
        kind: Kind,
        at: Part<'_>,
        says: impl Into<String>,
        command: impl Into<String>,
    ) {
        self.reading.issues.push(Issue { command: command.into(), ..of(kind, at, says.into()) });
    }

    /// One that counts only where the probe saw it.
    pub(crate) fn if_seen(&mut self, kind: Kind, at: Part<'_>, says: impl Into<String>) {
        let provided = Some(Provided::Condition);
        self.reading.issues.push(Issue { provided, ..of(kind, at, says.into()) });
    }

    /// One of a rule: under its conditions, where it has some.
    pub(crate) fn ruled(
        &mut self,
        conditional: bool,
        kind: Kind,
        at: Part<'_>,
        says: impl Into<String>,
    ) {
        if conditional { self.if_seen(kind, at, says) } else { self.issue(kind, at, says, "") }
    }

    /// The issue that was noted last is mended by this, and not as others of its kind.
    pub(crate) fn mended_by(&mut self, fix: Fix) {
        if let Some(last) = self.reading.issues.last_mut() {
            last.own_fix = Some(fix);
        }
    }
}

fn of(kind: Kind, at: Part<'_>, says: String) -> Issue {
    let place = at.place();
    let line = place.with(at.node);
    Issue::new(kind, place, line, says)
}
