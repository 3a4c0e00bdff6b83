//! Which signs may fit a page, by the literals of their patterns. Owns how they are
//! looked for: together where many bundles are judged (`fast`), each on its own
//! in the collector, which has a dozen pages and should be small.

#[cfg(not(feature = "fast"))]
pub(super) use apart::Bodies;
#[cfg(feature = "fast")]
pub(super) use together::Bodies;

#[cfg(feature = "fast")]
mod together {
    //! The literals of all patterns, looked for together. The same page comes again
    //! and again in a bundle (the console's own on each path and route, a proxy's
    //! block page): it is compared with the last few, which is faster than to read it.

    use super::super::index::Found;
    use super::super::need::Pattern;
    use aho_corasick::{AhoCorasick, AhoCorasickKind, StartKind};
    use std::cell::RefCell;
    use std::collections::{BTreeSet, VecDeque};
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Pages that a thread remembers.
    const REMEMBERED: usize = 4;
    /// Bytes of a page that is worth it.
    const LONG: usize = 512;

    /// A page, by whose signs it was read, and which of them may fit.
    struct Known {
        by: u64,
        body: String,
        owners: BTreeSet<usize>,
    }

    thread_local! {
        static LAST: RefCell<VecDeque<Known>> = const { RefCell::new(VecDeque::new()) };
    }

    /// Signs of pages.
    #[derive(Debug, Clone)]
    pub(in super::super) struct Bodies {
        /// `None` where it could not be built: then every sign is tried.
        literals: Option<AhoCorasick>,
        /// Whose each literal is.
        owners: Vec<usize>,
        /// Signs without literals.
        others: Vec<usize>,
        /// What tells these signs from others; copies are the same.
        id: u64,
    }

    impl Bodies {
        pub(in super::super) fn new(signs: &[(usize, &Pattern)]) -> Self {
            let (mut literals, mut owners, mut others) = (Vec::new(), Vec::new(), Vec::new());
            for (number, pattern) in signs {
                match pattern.literals() {
                    Some(own) => {
                        owners.extend(own.iter().map(|_| *number));
                        literals.extend(own);
                    }
                    None => others.push(*number),
                }
            }
            // The form that reads large pages fastest, for more memory.
            let built = AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::DFA))
                .start_kind(StartKind::Unanchored)
                .build(&literals)
                .ok();
            if built.is_none() {
                others.append(&mut owners);
            }
            static MADE: AtomicU64 = AtomicU64::new(0);
            let id = MADE.fetch_add(1, Ordering::Relaxed);
            Self { literals: built, owners, others, id }
        }

        pub(in super::super) fn find(&self, body: &str, found: &mut Found) {
            self.others.iter().for_each(|number| found.add(*number));
            let Some(literals) = self.literals.as_ref().filter(|_| !body.is_empty()) else {
                return;
            };
            if body.len() < LONG {
                return self.read(literals, body).iter().for_each(|owner| found.add(*owner));
            }
            LAST.with_borrow_mut(|last| {
                let known = last.iter().position(|one| one.by == self.id && one.body == body);
                let one = match known.and_then(|at| last.remove(at)) {
                    Some(one) => one,
                    None => {
                        last.truncate(REMEMBERED - 1);
                        let owners = self.read(literals, body);
                        Known { by: self.id, body: body.to_owned(), owners }
                    }
                };
                one.owners.iter().for_each(|owner| found.add(*owner));
                last.push_front(one);
            });
        }

        /// The owners of every literal in it.
        fn read(&self, literals: &AhoCorasick, body: &str) -> BTreeSet<usize> {
            let hits = literals.find_overlapping_iter(body);
            hits.filter_map(|hit| self.owners.get(hit.pattern().as_usize()).copied()).collect()
        }
    }
}

#[cfg(not(feature = "fast"))]
mod apart {
    //! Each pattern looks for its own literals: enough for a dozen pages.

    use super::super::index::Found;
    use super::super::need::Pattern;

    /// Signs of pages.
    #[derive(Debug, Clone)]
    pub(in super::super) struct Bodies(Vec<usize>);

    impl Bodies {
        pub(in super::super) fn new(signs: &[(usize, &Pattern)]) -> Self {
            Self(signs.iter().map(|(number, _)| *number).collect())
        }

        pub(in super::super) fn find(&self, _: &str, found: &mut Found) {
            self.0.iter().for_each(|number| found.add(*number));
        }
    }
}
