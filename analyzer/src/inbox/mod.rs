//! Bundles that arrive, and the report of each case that they belong to: drawn when
//! the first comes, and anew when another does.
//!
//! `arrival` says what is there and whole, `case` draws, `hook` tells somebody. What was
//! taken in stands in the store, what was drawn in the folder of the case: whoever is
//! killed leaves both as they were, and the next pass does what is missing. Two passes
//! at once wait for each other, case by case.

pub mod arrival;
pub mod case;
pub mod hook;

use crate::intake::progress::{Counts, Progress};
use crate::intake::take_in::{Into, take_in};
use crate::store::{Reader, Store};
use arrival::Arrivals;
use case::{Drawn, Place};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;
use wss_bundle::sealed::Identities;
use wss_report::templates::Templates;

/// What an inbox is, for as long as it is watched.
pub struct Inbox {
    /// Folder of the store.
    pub store: PathBuf,
    /// Below it each case gets a folder.
    pub to: PathBuf,
    /// Private keys for encrypted bundles.
    pub identities: Option<Identities>,
    /// How pages look.
    pub templates: Templates,
    /// Run for each case that was drawn.
    pub on_case: Option<String>,
    /// Where each bundle was met, by its id: the store may know it by another name.
    met: HashMap<String, String>,
    /// Bundles of cases that could not be drawn or told of: these are looked at again, though
    /// nothing of theirs has come.
    again: Vec<String>,
}

/// What a pass did.
#[derive(Debug, Default)]
pub struct Pass {
    /// Bundles, taken in or not.
    pub counts: Counts,
    /// Cases that were drawn.
    pub drawn: Vec<Drawn>,
    /// What went wrong with others, a sentence each.
    pub failed: Vec<String>,
}

impl Inbox {
    /// An inbox of which nothing was seen yet.
    #[must_use]
    pub fn new(
        store: PathBuf,
        to: PathBuf,
        identities: Option<Identities>,
        templates: Templates,
        on_case: Option<String>,
    ) -> Self {
        Self { store, to, identities, templates, on_case, met: HashMap::new(), again: Vec::new() }
    }

    /// Takes in what has arrived and is whole, and draws the cases that it changes.
    ///
    /// # Errors
    /// The store's own, and a folder that cannot be made.
    pub fn pass(&mut self, arrivals: &mut Arrivals, wait: bool) -> Result<Pass, String> {
        let mut store = Store::open(&self.store)?;
        let mut pass = Pass::default();
        let new = Mutex::new(HashMap::new());
        let inputs = arrivals.inputs(&self.store, wait)?;
        let into =
            Into { store: &mut store, folder: &self.store, identities: self.identities.clone() };
        let mut progress = Progress::new(None);
        pass.counts = take_in(
            into,
            inputs,
            &mut progress,
            || None,
            |place, id| {
                if let Ok(mut new) = new.lock() {
                    new.insert(id.to_owned(), place.to_owned());
                }
            },
        )?;
        let mut new = new.into_inner().unwrap_or_default();
        let reader = Reader::open(&self.store)?;
        // Of a bucket only what is new was fetched.
        for url in arrivals.known_objects() {
            for id in reader.of_source(&url)? {
                new.insert(id, url.clone());
            }
        }
        let mut ids = std::mem::take(&mut self.again);
        ids.extend(new.keys().cloned());
        self.met.extend(new);
        for (key, members) in reader.cases_of(&ids)? {
            let place = Place::of(&self.to, &key);
            let drawn = case::draw(self, &place, &members);
            let again = match &drawn {
                Ok(Some(drawn)) => drawn.untold.is_some(),
                Ok(None) => false,
                Err(_) => true,
            };
            if again {
                self.again.extend(members.into_iter().map(|member| member.bundle_id));
            }
            match drawn {
                Ok(Some(drawn)) => pass.drawn.push(drawn),
                Ok(None) => {}
                Err(message) => pass.failed.push(message),
            }
        }
        Ok(pass)
    }

    /// Where a bundle is.
    fn source<'a>(&'a self, id: &str, known: &'a str) -> &'a str {
        self.met.get(id).map_or(known, String::as_str)
    }
}
