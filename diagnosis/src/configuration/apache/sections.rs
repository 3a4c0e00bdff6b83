//! `<Location>` and `<Directory>`: which apply, who may pass, what is rewritten in
//! them, and where on the disk a path is looked for.

use super::parse::Directive;
use super::rewrite::{engine, pattern};

/// A section that applies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section<'t> {
    pub(super) head: &'t Directive,
}

impl<'t> Section<'t> {
    pub(super) fn inner(self) -> &'t [Directive] {
        self.head.inner()
    }

    /// `RewriteBase`.
    pub(super) fn rewrite_base(self) -> Option<&'t str> {
        self.inner().iter().rfind(|d| d.name == "rewritebase").map(|d| d.arg(0))
    }

    /// What rules in it see of a path.
    pub(super) fn stripped(self, path: &str, root: &str) -> String {
        if self.head.name.starts_with("location") {
            return path.to_owned();
        }
        let whole = format!("{}{path}", root.trim_end_matches('/'));
        let own = self.head.args.iter().find(|a| *a != "~").map_or("", String::as_str);
        let rest = whole.strip_prefix(own.trim_end_matches('/')).unwrap_or(path);
        rest.trim_start_matches('/').to_owned()
    }
}

/// What of a path is below a prefix, by whole segments.
pub(super) fn below<'p>(prefix: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.strip_prefix(prefix)?;
    (prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Shell patterns, in which `*` does not cross a `/`.
fn glob(pattern: &str, text: &str) -> bool {
    super::vhost::glob(pattern, text, |c| c != '/')
}

fn applies(section: &Directive, names: [&str; 2], text: &str) -> bool {
    let regex = section.name == names[1] || section.arg(0) == "~";
    if section.name != names[0] && !regex || !names.contains(&section.name.as_str()) {
        return false;
    }
    let own = if section.arg(0) == "~" { section.arg(1) } else { section.arg(0) };
    if regex {
        return pattern(own, false).is_some_and(|r| r.is_match(text));
    }
    if own.contains(['*', '?', '[']) {
        // A pattern of folders means what is below them as well.
        return glob(own, text) || glob(&format!("{own}/*"), text);
    }
    below(own, text).is_some()
        || below(own.trim_end_matches('/'), text).is_some()
            && own.len() > 1
            && names[0] == "directory"
}

/// The locations of a path, in the order of the files.
pub(super) fn locations<'t>(all: &[&'t Directive], path: &str) -> Vec<Section<'t>> {
    let names = ["location", "locationmatch"];
    let fits = |d: &&&'t Directive| {
        if d.name == "location" && d.arg(0) != "~" && d.arg(0).contains(['*', '?', '[']) {
            return glob(d.arg(0), path);
        }
        applies(d, names, path)
    };
    all.iter().filter(fits).map(|head| Section { head }).collect()
}

/// The folders of a path on the disk, the shortest first.
pub(super) fn directories<'t>(all: &[&'t Directive], folder: &str) -> Vec<Section<'t>> {
    let names = ["directory", "directorymatch"];
    let mut found: Vec<Section<'t>> =
        all.iter().filter(|d| applies(d, names, folder)).map(|head| Section { head }).collect();
    found.sort_by_key(|section| section.head.arg(0).trim_end_matches('/').len());
    found
}

/// Where a path is looked for: the folder, and the Alias that says so.
pub(super) fn folder<'t>(all: &[&'t Directive], path: &str) -> (String, Option<&'t Directive>) {
    for one in all.iter().filter(|d| matches!(d.name.as_str(), "alias" | "scriptalias")) {
        if below(one.arg(0), path).is_some() {
            return (one.arg(1).to_owned(), Some(one));
        }
    }
    let root = all.iter().rfind(|d| d.name == "documentroot");
    (root.map_or_else(|| "/var/www/html".to_owned(), |d| d.arg(0).to_owned()), None)
}

/// The rules in effect: those of the last section that has any.
pub(super) fn rules<'t>(applies: &[Section<'t>]) -> Option<(Vec<&'t Directive>, Section<'t>)> {
    let section = applies.iter().rfind(|s| s.inner().iter().any(|d| d.name == "rewriterule"))?;
    let on: Vec<&Directive> = applies.iter().flat_map(|s| s.inner()).collect();
    let own: Vec<&'t Directive> = section.inner().iter().collect();
    engine(&on).then_some((own, *section))
}

/// Who may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access<'t> {
    /// Everybody, as far as the files tell.
    Granted,
    /// Nobody, or only who signs on: the status, and the line.
    Refused(u16, &'t Directive),
    /// Some.
    Unknown(&'t Directive),
}

/// Of what applies, the last section with a word on it decides.
pub(super) fn access<'t>(applies: &[Section<'t>]) -> Access<'t> {
    let requires = |d: &Directive| {
        matches!(d.name.as_str(), "require" | "requireall" | "requireany" | "requirenone")
    };
    if let Some(section) = applies.iter().rfind(|s| s.inner().iter().any(requires)) {
        let all: Vec<&'t Directive> = section.inner().iter().filter(|d| requires(d)).collect();
        return any(&all);
    }
    let old = |d: &Directive| matches!(d.name.as_str(), "order" | "deny" | "allow");
    let Some(section) = applies.iter().rfind(|s| s.inner().iter().any(old)) else {
        return Access::Granted;
    };
    let inner = section.inner();
    let named = |name: &'static str| inner.iter().filter(move |d| d.name == name);
    let from_all = |d: &&Directive| d.is(1, "all");
    let deny_last = named("order")
        .next_back()
        .is_some_and(|d| d.arg(0).to_ascii_lowercase().starts_with("allow"));
    let (allow, deny) = (named("allow").next(), named("deny").find(from_all));
    match (named("allow").find(from_all), deny, allow) {
        (Some(_), None, _) => Access::Granted,
        (Some(_), Some(deny), _) if deny_last => Access::Refused(403, deny),
        (Some(_), ..) => Access::Granted,
        (None, Some(deny), None) => Access::Refused(403, deny),
        (None, _, Some(allow)) if deny.is_some() || deny_last => Access::Unknown(allow),
        _ => match named("deny").next() {
            Some(deny) => Access::Unknown(deny),
            None => Access::Granted,
        },
    }
}

fn any<'t>(all: &[&'t Directive]) -> Access<'t> {
    let mut refused: Option<Access<'t>> = None;
    for one in all {
        match of(one) {
            Access::Granted => return Access::Granted,
            Access::Unknown(by) => refused = Some(Access::Unknown(by)),
            other => refused = refused.or(Some(other)),
        }
    }
    refused.unwrap_or(Access::Granted)
}

fn of(one: &Directive) -> Access<'_> {
    let inner: Vec<&Directive> = one.inner().iter().collect();
    match one.name.as_str() {
        "requireany" => any(&inner),
        "requireall" => {
            let mut known = Access::Granted;
            for part in &inner {
                match of(part) {
                    Access::Granted => {}
                    refused @ Access::Refused(..) => return refused,
                    unknown => known = unknown,
                }
            }
            known
        }
        "requirenone" => Access::Unknown(one),
        _ => match one.arg(0).to_ascii_lowercase().as_str() {
            "all" if one.is(1, "granted") => Access::Granted,
            "all" => Access::Refused(403, one),
            "valid-user" | "user" | "group" => Access::Refused(401, one),
            "method" if one.args.iter().any(|m| m == "GET") => Access::Granted,
            _ => Access::Unknown(one),
        },
    }
}
