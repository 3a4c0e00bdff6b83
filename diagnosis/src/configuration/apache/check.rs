//! The way of an upgrade through an Apache configuration: VirtualHost, rewrites,
//! ProxyPass, redirects, the disk. What passes it on is for `proxied`.
//!
//! The order is that of httpd's hooks: `<Location>` is known first, then
//! RewriteRule, then ProxyPass (those of the location before those of the server),
//! then Redirect and Alias, then files. Measured against 2.4.71.

use super::parse::Directive;
use super::proxied::{Match, Pass, Workers};
use super::rewrite::{self, Context, Rewritten};
use super::sections::{self, Section};
use super::tree::joined;
use super::vhost::{Picked, pick};
use crate::configuration::chain::Hop;
use crate::configuration::source::File;
use crate::configuration::{Issue, Kind, Place, Program, Provided, Reading, Request};

/// Most times that a path is looked up anew: httpd's own limit.
const LOOKUPS: usize = 10;

pub(super) struct Check<'t> {
    files: &'t [File],
    pub(super) request: &'t Request<'t>,
    pub(super) reading: Reading,
    /// Outside of every VirtualHost.
    main: &'t [Directive],
    /// The VirtualHost's.
    host: &'t [Directive],
    sure: bool,
    pub(super) provided: Option<Provided>,
    /// The `ProxyPass … !` that took the path.
    excluded: Option<&'t Directive>,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let (all, not_given) = joined(files);
    let reading = Reading::new(Program(&super::DIALECT));
    let mut check = Check {
        files,
        request,
        reading,
        main: &all,
        host: &[],
        sure: true,
        provided: None,
        excluded: None,
    };
    check.reading.not_given = not_given;
    check.run();
    check.reading
}

impl<'t> Check<'t> {
    pub(super) fn place(&self, directive: &Directive) -> Place {
        if let Some((file, line)) = &directive.printed {
            return Place::new(file.clone(), *line);
        }
        Place::of(self.files, directive.file, directive.line)
    }

    pub(super) fn follow(&mut self, directive: &Directive) {
        self.reading.follow(self.place(directive), directive.shown.clone());
    }

    pub(super) fn untold(&mut self, at: Option<&Directive>, why: impl Into<String>) {
        let place = at.map(|d| self.place(d));
        self.reading.untold(place, why.into(), None);
    }

    pub(super) fn issue(&mut self, kind: Kind, at: &Directive, says: impl Into<String>) {
        let issue = Issue::new(kind, self.place(at), at.shown.clone(), says.into());
        self.reading.issues.push(Issue { sure: self.sure, provided: self.provided, ..issue });
    }

    /// The server's directives, those outside of the VirtualHost first.
    pub(super) fn server(&self) -> impl DoubleEndedIterator<Item = &'t Directive> + use<'t> {
        self.main.iter().filter(|d| d.name != "virtualhost").chain(self.host)
    }

    /// The last of a name: the VirtualHost's goes before the others.
    pub(super) fn setting(&self, name: &str) -> Option<&'t Directive> {
        self.server().rfind(|d| d.name == name)
    }

    fn run(&mut self) {
        let picked = match pick(self.main, self.request) {
            Ok(picked) => picked,
            Err((at, why)) => return self.untold(at, why),
        };
        if let Some(host) = picked.host {
            self.host = host.inner();
            self.follow(host);
        }
        self.sure = picked.sure;
        if !picked.sure {
            let why = format!(
                "this VirtualHost is not for port {}: what it does counts only if the request comes \
                 to it all the same",
                self.request.port
            );
            self.untold(picked.host, why);
        }
        self.first_taken(&picked);
        let mut path = self.request.path.split('?').next().unwrap_or_default().to_owned();
        // `MergeSlashes`, which is on unless it is switched off.
        while path.contains("//") {
            path = path.replace("//", "/");
        }
        self.look_up(&path, None, 0);
    }

    /// No name fits, and the first VirtualHost takes the request.
    fn first_taken(&mut self, picked: &Picked<'t>) {
        let (Some(host), true) = (picked.host, picked.by_default) else { return };
        let named = host.inner().iter().find(|d| d.name == "servername").unwrap_or(host);
        let says = format!(
            "is not the name that was asked for, nor is any ServerName or ServerAlias of a \
             VirtualHost on this port: the first VirtualHost takes the request. Add {} to the one \
             that is for Bindplane",
            self.request.host
        );
        let before = self.provided.replace(Provided::Condition);
        self.issue(Kind::OtherBackend, named, says);
        self.provided = before;
    }

    /// From the rewrites on, for the path as it is now; `by` is what changed it.
    fn look_up(&mut self, path: &str, by: Option<&'t Directive>, depth: usize) {
        if depth > LOOKUPS {
            return self.untold(by, "the path is rewritten again and again");
        }
        let all: Vec<&'t Directive> = self.server().collect();
        let located = sections::locations(&all, path);
        if let Some(code) = located.iter().flat_map(|s| s.inner()).find(|d| decides(d)) {
            return self.untold(Some(code), "an expression or a macro decides what applies here");
        }
        if let Some(code) = all.iter().find(|d| decides(d)) {
            self.untold(Some(code), "an expression or a macro decides whether this applies");
        }
        match self.rewritten(path) {
            Rewritten::Answer { status, to, by } => return self.answered(status, to, by),
            Rewritten::Unknown { by, why } => {
                return self.untold(Some(by), format!("whether this applies depends on {why}"));
            }
            Rewritten::Proxy { url, by, upgrades_alone } => {
                self.follow(by);
                let pass = Pass { by, target: url, matched: Match::Rewrite { upgrades_alone } };
                return self.passed(&pass, &located);
            }
            Rewritten::Path { path, by, anew: false } => {
                self.follow(by);
                return self.disk(&path, Some(by), &located, depth);
            }
            Rewritten::Path { path, by, anew: true } => {
                self.follow(by);
                return self.mapped(&path, Some(by), depth);
            }
            Rewritten::No => {}
        }
        self.mapped(path, by, depth);
    }

    fn rewritten(&self, path: &str) -> Rewritten<'t> {
        let own: Vec<&Directive> = if self.host.is_empty() {
            self.server().collect()
        } else {
            let inherits = self.host.iter().any(|d| {
                d.name == "rewriteoptions"
                    && d.args.iter().any(|a| a.to_ascii_lowercase().starts_with("inherit"))
            });
            let own = self.host.iter().collect();
            if inherits { self.server().collect() } else { own }
        };
        if !rewrite::engine(&own) {
            return Rewritten::No;
        }
        let root = self.setting("documentroot").map(|d| d.arg(0));
        let context =
            Context { request: self.request, path, stripped: None, base: "/", document_root: root };
        rewrite::rewrite(&own, &context)
    }

    /// ProxyPass, Redirect, Alias, in that order.
    fn mapped(&mut self, path: &str, by: Option<&'t Directive>, depth: usize) {
        let all: Vec<&'t Directive> = self.server().collect();
        let located = sections::locations(&all, path);
        match super::proxied::pass(&all, &located, path) {
            Ok(Some(pass)) => {
                self.follow(pass.by);
                return self.passed(&pass, &located);
            }
            Ok(None) => {}
            Err((at, excluded)) if excluded => {
                self.follow(at);
                self.excluded = Some(at);
            }
            Err((at, _)) => return self.untold(Some(at), "this pattern is not understood"),
        }
        for one in all.iter().filter(|d| d.name.starts_with("redirect")) {
            match redirected(one, path) {
                Some(Ok((status, to))) => return self.answered(status, to, one),
                Some(Err(why)) => return self.untold(Some(one), why),
                None => {}
            }
        }
        self.disk(path, by, &located, depth);
    }

    /// An answer of httpd's own.
    fn answered(&mut self, status: u16, to: Option<String>, by: &'t Directive) {
        self.follow(by);
        let scheme = if self.request.tls { "https" } else { "http" };
        let own = format!("{scheme}://{}{}", self.request.authority(), self.request.path);
        if to.as_deref() == Some(&own) {
            let says = "redirects to the very URL that was asked for: what ends TLS has to say so \
                        (X-Forwarded-Proto: https)";
            return self.issue(Kind::RedirectLoop(status), by, says);
        }
        let where_to = to.map_or_else(String::new, |to| format!(" with a redirect to {to}"));
        let says = format!(
            "answers {} itself{where_to} ({status}) and sends nothing to Bindplane",
            self.request.path
        );
        self.issue(Kind::PathRule(Some(status)), by, says);
    }

    /// Handed on; unless somebody refuses first.
    fn passed(&mut self, pass: &Pass<'t>, located: &[Section<'t>]) {
        if self.refused(located) {
            return;
        }
        let all: Vec<&'t Directive> = self.server().collect();
        let workers = Workers::of(self.main, self.host);
        self.proxied(pass, &all, located, &workers);
    }

    /// `Require`, or Apache 2.2's `Order`, in what applies. True where it refuses.
    fn refused(&mut self, applies: &[Section<'t>]) -> bool {
        match sections::access(applies) {
            sections::Access::Granted => false,
            sections::Access::Refused(status, by) => {
                self.follow(by);
                let says = format!("refuses {} ({status})", self.request.path);
                self.issue(Kind::PathRule(Some(status)), by, says);
                true
            }
            sections::Access::Unknown(by) => {
                let why = "whether this lets the request pass depends on the client";
                self.untold(Some(by), why);
                false
            }
        }
    }

    /// A file is looked for.
    fn disk(
        &mut self,
        path: &str,
        by: Option<&'t Directive>,
        located: &[Section<'t>],
        depth: usize,
    ) {
        let all: Vec<&'t Directive> = self.server().collect();
        let (folder, alias) = sections::folder(&all, path);
        if let Some(alias) = alias {
            self.follow(alias);
        }
        let mut applies = sections::directories(&all, &folder);
        applies.extend(located.iter().copied());
        if self.refused(&applies) {
            return;
        }
        let asked = self.request.path.split('?').next().unwrap_or_default();
        if let Some(by) = by.filter(|_| path != asked && is_file(path)) {
            let says = format!(
                "answers {asked} with the file {path} from disk, and sends nothing to Bindplane: add \
                 a ProxyPass for /v1/"
            );
            return self.issue(Kind::Disk, by, says);
        }
        if let Some((rules, section)) = sections::rules(&applies) {
            let base = section.rewrite_base();
            let strip = section.stripped(path, &folder);
            let context = Context {
                request: self.request,
                path,
                stripped: Some(&strip),
                base: base.unwrap_or("/"),
                document_root: Some(&folder),
            };
            match rewrite::rewrite(&rules, &context) {
                Rewritten::No => {}
                Rewritten::Answer { status, to, by } => return self.answered(status, to, by),
                Rewritten::Unknown { by, why } => {
                    return self.untold(Some(by), format!("whether this applies depends on {why}"));
                }
                Rewritten::Proxy { url, by, upgrades_alone } => {
                    self.follow(by);
                    let pass = Pass { by, target: url, matched: Match::Rewrite { upgrades_alone } };
                    return self.passed(&pass, located);
                }
                Rewritten::Path { path: to, by, .. } => {
                    self.follow(by);
                    if to != path {
                        return self.look_up(&to, Some(by), depth + 1);
                    }
                }
            }
        }
        self.no_file(&applies, &all);
    }

    /// No file is named as the path of a WebSocket.
    fn no_file(&mut self, applies: &[Section<'t>], all: &[&'t Directive]) {
        let path = self.request.path;
        let within = applies.iter().rev().flat_map(|s| s.inner().iter().rev());
        let mut settings = within.chain(all.iter().rev().copied());
        let fallback = settings.clone().find(|d| d.name == "fallbackresource");
        if let Some(to) = fallback.filter(|d| !d.is(0, "disabled")) {
            self.follow(to);
            let says = format!(
                "gives {} for {path}, which is no file (200). Bindplane is not asked: add a ProxyPass \
                 for /v1/",
                to.arg(0)
            );
            return self.issue(Kind::Disk, to, says);
        }
        if let Some(page) = settings.find(|d| d.name == "errordocument" && d.arg(0) == "404") {
            self.follow(page);
            let to = page.arg(1);
            let status = if to.contains("://") { 302 } else { 404 };
            let says = format!("answers {path}, which is no file, with {to}");
            return self.issue(Kind::PathRule(Some(status)), page, says);
        }
        if let Some(not) = self.excluded {
            let says = format!(
                "keeps {path} from being passed on: the first ProxyPass that fits decides, and this \
                 one says `!`"
            );
            return self.issue(Kind::PathRule(Some(404)), not, says);
        }
        let at = applies.first().map(|s| s.head).or_else(|| self.setting("documentroot"));
        let at = at
            .or_else(|| self.main.iter().find(|d| d.inner() == self.host))
            .or(all.first().copied());
        let Some(at) = at else {
            return self.untold(None, "nothing in the files takes the request");
        };
        if !self.reading.not_given.is_empty() {
            let files = self.reading.not_given.join(", ");
            let why = format!("no ProxyPass takes {path}, and {files} was not given: send it, too");
            return self.untold(Some(at), why);
        }
        let says = format!("no ProxyPass takes {path}: httpd looks for a file of that name (404)");
        self.issue(Kind::PathRule(Some(404)), at, says);
    }
}

/// Whether what is in it applies depends on what is not told here.
fn decides(one: &Directive) -> bool {
    matches!(one.name.as_str(), "if" | "elseif" | "else" | "use")
        && (one.name == "use"
            || one.inner().iter().any(|d| {
                d.name.starts_with("proxy")
                    || d.name.starts_with("rewrite")
                    || d.name.starts_with("redirect")
                    || d.name == "require"
            }))
}

fn is_file(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|last| last.contains('.'))
}

/// What `Redirect`, `RedirectMatch`, `RedirectPermanent` say of a path.
fn redirected(one: &Directive, path: &str) -> Option<Result<(u16, Option<String>), String>> {
    let mut args = one.args.iter().map(String::as_str);
    let code = |word: &str| match word.to_ascii_lowercase().as_str() {
        "permanent" => Some(301),
        "temp" => Some(302),
        "seeother" => Some(303),
        "gone" => Some(410),
        word => word.parse().ok(),
    };
    let mut status = match one.name.as_str() {
        "redirectpermanent" => 301,
        _ => 302,
    };
    let mut from = args.next()?;
    if let Some(own) = code(from).filter(|_| !from.starts_with('/')) {
        status = own;
        from = args.next()?;
    }
    let to = args.next();
    if one.name == "redirectmatch" {
        let Some(regex) = rewrite::pattern(from, false) else {
            return Some(Err(format!("the pattern {from} is not understood")));
        };
        let found = regex.captures(path)?;
        let mut target = to.unwrap_or_default().to_owned();
        for at in 0..10 {
            target = target.replace(&format!("${at}"), found.get(at).map_or("", |m| m.as_str()));
        }
        return Some(Ok((status, to.map(|_| target))));
    }
    let rest = sections::below(from, path)?;
    Some(Ok((status, to.map(|to| format!("{to}{rest}")))))
}
