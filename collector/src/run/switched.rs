//! Which of the paths that browsers open gave a 101, for the probe that needs
//! one that does. Which paths a server knows depends on what it is.

use std::sync::Arc;
use tokio::sync::watch;

/// What is told of one path.
#[derive(Debug, Clone)]
struct Told {
    path: String,
    /// Handshakes that are still to tell.
    awaited: usize,
    switched: bool,
}

/// What is told of all of them, in order of preference.
#[derive(Debug, Clone)]
pub(super) struct Switched(Arc<watch::Sender<Vec<Told>>>);

/// One handshake, which tells whether it switched protocols; that it did not,
/// when it is dropped.
pub(super) struct Telling {
    switched: Switched,
    path: String,
    told: bool,
}

impl Telling {
    pub(super) fn tell(mut self, switched: bool) {
        self.told = true;
        self.switched.note(&self.path, switched);
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if !self.told {
            self.switched.note(&self.path, false);
        }
    }
}

impl Switched {
    pub(super) fn new<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        let told = paths.map(|path| Told { path: path.to_owned(), awaited: 0, switched: false });
        Self(Arc::new(watch::Sender::new(told.collect())))
    }

    /// A handshake that is going to tell of a path.
    pub(super) fn telling(&self, path: &str) -> Telling {
        self.change(path, |told| told.awaited += 1);
        Telling { switched: self.clone(), path: path.to_owned(), told: false }
    }

    fn note(&self, path: &str, switched: bool) {
        self.change(path, |told| {
            told.awaited = told.awaited.saturating_sub(1);
            told.switched |= switched;
        });
    }

    fn change(&self, path: &str, change: impl FnOnce(&mut Told)) {
        self.0.send_modify(|all| {
            if let Some(told) = all.iter_mut().find(|told| told.path == path) {
                change(told);
            }
        });
    }

    /// The first path that switched, once every better one is known not to.
    pub(super) async fn first(&self) -> Option<String> {
        let mut all = self.0.subscribe();
        let known = all.wait_for(|all| choose(all).is_ok()).await;
        known.ok().and_then(|all| choose(&all).ok().flatten())
    }
}

/// `Err` as long as it cannot be told.
fn choose(all: &[Told]) -> Result<Option<String>, ()> {
    for told in all {
        match told {
            Told { switched: true, path, .. } => return Ok(Some(path.clone())),
            Told { awaited: 0, .. } => {}
            _ => return Err(()),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_path_that_switches_is_chosen_when_better_ones_are_known_not_to() {
        let paths = Switched::new(["/a", "/b"].into_iter());
        let (first, again, second) =
            (paths.telling("/a"), paths.telling("/a"), paths.telling("/b"));
        second.tell(true);
        first.tell(false);
        assert!(choose(&paths.0.borrow()).is_err(), "the other handshake on /a may switch");
        drop(again);
        assert_eq!(paths.first().await.as_deref(), Some("/b"));
    }

    #[tokio::test]
    async fn none_is_chosen_where_none_switches() {
        let paths = Switched::new(["/a"].into_iter());
        paths.telling("/a").tell(false);
        assert_eq!(paths.first().await, None);
    }
}
