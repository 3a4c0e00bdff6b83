//! The files of one nginx configuration as one tree: includes are replaced by
//! what the included files hold, where they were given.

use super::parse::{self, Broken, Directive};
use crate::configuration::source::{File, matching};

/// Deepest chain of includes: nginx itself has no limit but the open files.
const INCLUDES: usize = 12;
/// Most directives of a whole tree: a file may be included many times.
const TOTAL: usize = 100_000;

/// One configuration: a file that no other one includes, with its includes.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Its directives.
    pub(crate) directives: Vec<Directive>,
}

/// What became of the files.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    /// Every file that no other one includes.
    pub(crate) trees: Vec<Tree>,
}

/// The patterns of a file's `include` lines.
pub(crate) fn includes(text: &[u8]) -> Result<Vec<String>, Broken> {
    fn walk(directives: &[Directive], out: &mut Vec<String>) {
        for one in directives {
            if one.name == "include" && one.block.is_none() {
                out.push(one.arg(0).to_owned());
            }
            walk(one.block.as_deref().unwrap_or_default(), out);
        }
    }
    let mut out = Vec::new();
    walk(&parse::parse(text, 0)?, &mut out);
    Ok(out)
}

/// Puts the files together, of each what it holds.
pub(crate) fn forest(files: &[File], parsed: &[Vec<Directive>]) -> Forest {
    let mut forest = Forest::default();
    let mut included = vec![false; files.len()];
    for directives in parsed {
        mark(directives, files, &mut included);
    }
    // A ring of files that include each other still has somewhere to begin.
    let roots: Vec<usize> = (0..files.len()).filter(|at| !included[*at]).collect();
    let roots = if roots.is_empty() { (0..files.len().min(1)).collect() } else { roots };
    let mut budget = TOTAL;
    for root in roots {
        let Some(directives) = parsed.get(root) else { continue };
        let mut joiner = Joiner { files, parsed, main: root, budget: &mut budget };
        forest.trees.push(Tree { directives: joiner.join(directives, 0) });
    }
    forest
}

fn mark(directives: &[Directive], files: &[File], included: &mut [bool]) {
    for one in directives {
        if one.name == "include" {
            for at in matching(files, one.file, one.file, one.arg(0)) {
                if at != one.file {
                    included[at] = true;
                }
            }
        }
        mark(one.block.as_deref().unwrap_or_default(), files, included);
    }
}

struct Joiner<'a> {
    files: &'a [File],
    parsed: &'a [Vec<Directive>],
    /// The file that nginx is started with: relative includes begin there.
    main: usize,
    budget: &'a mut usize,
}

impl Joiner<'_> {
    fn join(&mut self, directives: &[Directive], depth: usize) -> Vec<Directive> {
        let mut out = Vec::new();
        for one in directives {
            if *self.budget == 0 {
                break;
            }
            *self.budget -= 1;
            if one.name == "include" && one.block.is_none() && depth < INCLUDES {
                let found = matching(self.files, self.main, one.file, one.arg(0));
                let found: Vec<usize> = found.into_iter().filter(|at| *at != one.file).collect();
                // `nginx -T` prints all there is: a pattern that took none is empty.
                let empty = one.arg(0).contains(['*', '?', '['])
                    && self.files.get(one.file).is_some_and(|file| file.dumped);
                if found.is_empty() && !empty {
                    out.push(one.clone());
                }
                for at in found {
                    if let Some(inner) = self.parsed.get(at) {
                        out.extend(self.join(inner, depth + 1));
                    }
                }
                continue;
            }
            let block = one.block.as_ref().map(|block| self.join(block, depth));
            let (name, args) = (one.name.clone(), one.args.clone());
            out.push(Directive { name, args, line: one.line, file: one.file, block });
        }
        out
    }
}
