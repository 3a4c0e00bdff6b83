//! Which signs may fit a page, by the literals of their patterns. Owns how they are
//! looked for: together where many bundles are judged (`fast`), each on its own
//! in the collector, which has a dozen pages and should be small.

#[cfg(not(feature = "fast"))]
pub(super) use apart::Bodies;
#[cfg(feature = "fast")]
pub(super) use together::Bodies;

#[cfg(feature = "fast")]
mod together {
    //! The literals of all patterns, looked for together.

    use super::super::index::Found;
    use super::super::need::Pattern;
    use aho_corasick::{AhoCorasick, AhoCorasickKind, StartKind};

    /// Signs of pages.
    #[derive(Debug, Clone)]
    pub(in super::super) struct Bodies {
        /// `None` where it could not be built: then every sign is tried.
        literals: Option<AhoCorasick>,
        /// Whose each literal is.
        owners: Vec<usize>,
        /// Signs without literals.
        others: Vec<usize>,
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
            Self { literals: built, owners, others }
        }

        pub(in super::super) fn find(&self, body: &str, found: &mut Found) {
            self.others.iter().for_each(|number| found.add(*number));
            let Some(literals) = self.literals.as_ref().filter(|_| !body.is_empty()) else {
                return;
            };
            for hit in literals.find_overlapping_iter(body) {
                if let Some(owner) = self.owners.get(hit.pattern().as_usize()) {
                    found.add(*owner);
                }
            }
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
