//! The files of one Apache configuration as one list: includes are replaced by what
//! the included files hold, and conditions that the files decide by what holds.

use super::parse::{Directive, parse};
use crate::configuration::source::{File, matching};

/// Deepest chain of includes.
const INCLUDES: usize = 12;
/// Most directives of a whole configuration: a file may be included many times.
const TOTAL: usize = 100_000;

/// Patterns of the `Include` lines of a text.
pub(super) fn includes(text: &str) -> Vec<String> {
    fn walk(all: &[Directive], out: &mut Vec<String>) {
        for one in all {
            if is_include(one) {
                out.push(one.arg(0).to_owned());
            }
            walk(one.inner(), out);
        }
    }
    let mut out = Vec::new();
    walk(&parse(text, 0).unwrap_or_default(), &mut out);
    // A folder means every file in it.
    out.into_iter().map(|pattern| folder(&pattern)).collect()
}

fn folder(pattern: &str) -> String {
    if pattern.ends_with('/') { format!("{pattern}*") } else { pattern.to_owned() }
}

fn is_include(one: &Directive) -> bool {
    matches!(one.name.as_str(), "include" | "includeoptional") && !one.arg(0).is_empty()
}

/// What the files hold together, and what they include that was not given.
pub(super) fn joined(files: &[File]) -> (Vec<Directive>, Vec<String>) {
    let parsed: Vec<Vec<Directive>> = files
        .iter()
        .enumerate()
        .map(|(at, file)| in_folder(file, at, parse(&file.text, at).unwrap_or_default()))
        .collect();
    let mut included = vec![false; files.len()];
    for (at, own) in parsed.iter().enumerate() {
        mark(own, files, at, &mut included);
    }
    let roots: Vec<usize> = (0..files.len()).filter(|at| !included[*at]).collect();
    let roots = if roots.is_empty() { (0..files.len().min(1)).collect() } else { roots };
    let mut modules: Vec<String> = Vec::new();
    for own in &parsed {
        loaded(own, &mut modules);
    }
    let mut joiner =
        Joiner { files, parsed: &parsed, main: 0, budget: TOTAL, modules, not_given: Vec::new() };
    let mut out = Vec::new();
    for root in roots {
        joiner.main = root;
        out.extend(joiner.join(&parsed[root], 0));
    }
    (out, joiner.not_given)
}

/// What a `.htaccess` holds counts for its folder.
fn in_folder(file: &File, at: usize, own: Vec<Directive>) -> Vec<Directive> {
    let path = file.path.as_deref().unwrap_or(&file.name);
    let Some(folder) = path.strip_suffix(".htaccess") else { return own };
    vec![Directive {
        name: "directory".to_owned(),
        args: vec![folder.to_owned()],
        shown: "(.htaccess)".to_owned(),
        line: 1,
        file: at,
        printed: None,
        block: Some(own),
    }]
}

fn loaded(all: &[Directive], out: &mut Vec<String>) {
    for one in all {
        if one.name == "loadmodule" {
            out.push(one.arg(0).to_ascii_lowercase());
            out.extend(one.arg(1).rsplit('/').next().map(str::to_ascii_lowercase));
        }
        loaded(one.inner(), out);
    }
}

fn mark(all: &[Directive], files: &[File], from: usize, included: &mut [bool]) {
    for one in all {
        if is_include(one) {
            for at in matching(files, from, from, &folder(one.arg(0))) {
                included[at] |= at != from;
            }
        }
        mark(one.inner(), files, from, included);
    }
}

struct Joiner<'a> {
    files: &'a [File],
    parsed: &'a [Vec<Directive>],
    main: usize,
    budget: usize,
    modules: Vec<String>,
    not_given: Vec<String>,
}

impl Joiner<'_> {
    fn join(&mut self, all: &[Directive], depth: usize) -> Vec<Directive> {
        let mut out = Vec::new();
        for one in all {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            if is_include(one) && depth < INCLUDES {
                let found = matching(self.files, self.main, one.file, &folder(one.arg(0)));
                let found: Vec<usize> = found.into_iter().filter(|at| *at != one.file).collect();
                if found.is_empty() && !harmless(one) {
                    self.not_given.push(one.arg(0).to_owned());
                }
                for at in found {
                    if let Some(inner) = self.parsed.get(at) {
                        out.extend(self.join(inner, depth + 1));
                    }
                }
                continue;
            }
            match one.name.as_str() {
                "ifmodule" if !self.has(one.arg(0)) => {}
                // A condition on versions or names given at start-up: what is in it counts.
                "ifmodule" | "ifversion" | "iffile" | "ifdirective" | "ifsection" => {
                    out.extend(self.join(one.inner(), depth));
                }
                "ifdefine" if one.arg(0).starts_with('!') => {
                    out.extend(self.join(one.inner(), depth));
                }
                "ifdefine" => {}
                "limit" if one.args.iter().any(|method| method == "GET") => {
                    out.extend(self.join(one.inner(), depth));
                }
                "limitexcept" if !one.args.iter().any(|method| method == "GET") => {
                    out.extend(self.join(one.inner(), depth));
                }
                "limit" | "limitexcept" => {}
                _ => {
                    let block = one.block.as_ref().map(|block| self.join(block, depth));
                    out.push(Directive { block, ..one.clone() });
                }
            }
        }
        out
    }

    /// Whether a module is there. Where no file loads any, all are: a site's file
    /// alone does not say, and is written for what its server has.
    fn has(&self, test: &str) -> bool {
        let (wanted, not) = test.strip_prefix('!').map_or((test, false), |name| (name, true));
        let name = wanted.to_ascii_lowercase();
        let short =
            name.trim_start_matches("mod_").trim_end_matches(".c").trim_end_matches("_module");
        let known = self.modules.iter().any(|module| {
            module.trim_start_matches("mod_").trim_end_matches(".so").trim_end_matches("_module")
                == short
        });
        let core = matches!(
            short,
            "core" | "http" | "so" | "log_config" | "unixd" | "version" | "watchdog"
        );
        (known || core || self.modules.is_empty()) != not
    }
}

/// Files that say nothing of proxying.
fn harmless(include: &Directive) -> bool {
    let pattern = include.arg(0);
    include.name == "includeoptional" && pattern.contains('*')
        || ["mods-enabled", "conf-enabled", "letsencrypt", "ssl", "charset", "modules"]
            .iter()
            .any(|part| pattern.contains(part))
        || pattern.ends_with("ports.conf")
}
