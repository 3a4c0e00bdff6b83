//! The way of an upgrade through an nginx configuration: server, rewrites,
//! location, what answers there. What the block that passes it on does to it is
//! for `proxied`.

use super::flow::{Answered, Step};
use super::include::{all_missing, missing};
use super::location::{Located, locate, normal};
use super::parse::Directive;
use super::server::{Picked, pick};
use super::tree::{Forest, forest};
use super::value::{Eval, State, Value};
use super::{generated, main_level};
use crate::configuration::chain::Hop;
use crate::configuration::{
    Generator, Issue, Kind, Place, Program, Provided, Reading, Request, source::File,
};

/// Most times that a path is searched anew: nginx' own limit on internal redirects.
const SEARCHES: usize = 10;

pub(super) struct Check<'t> {
    pub(super) files: &'t [File],
    pub(super) request: &'t Request<'t>,
    pub(super) hop: Option<&'t Hop>,
    pub(super) reading: Reading,
    pub(super) picked: Option<Picked<'t>>,
    /// What holds for everything that is found from here on.
    pub(super) provided: Option<Provided>,
    searches: usize,
}

/// The blocks around the place where a request ends up, outermost first: `http`,
/// `server`, `location` …
#[derive(Debug, Clone)]
pub(super) struct Scope<'t> {
    /// Directives of each level.
    pub(super) levels: Vec<&'t [Directive]>,
    /// The innermost block's directive.
    pub(super) holder: &'t Directive,
}

impl<'t> Scope<'t> {
    /// The innermost level's directive of that name; an `if` that holds has what
    /// its location has.
    fn own(&self, name: &str) -> Option<&'t Directive> {
        let mut levels = self.levels.iter().rev();
        let innermost = levels.next()?;
        let found = innermost.iter().rfind(|d| d.name == name);
        if found.is_some() || self.holder.name != "if" || name == "try_files" {
            return found;
        }
        levels.next()?.iter().rfind(|d| d.name == name)
    }
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, hop: Option<&Hop>) -> Reading {
    let forest: Forest = forest(files, &super::parsed(files));
    let mut check = Check {
        files,
        request,
        hop,
        reading: Reading::new(Program(&super::DIALECT)),
        picked: None,
        provided: None,
        searches: 0,
    };
    check.reading.generator = generated::of(files, &forest);
    check.run(&forest);
    main_level::look(&mut check, &forest);
    check.reading.not_given.dedup();
    check.reading
}

impl<'t> Check<'t> {
    pub(super) fn place(&self, directive: &Directive) -> Place {
        Place::of(self.files, directive.file, directive.line)
    }

    pub(super) fn follow(&mut self, directive: &Directive) {
        self.reading.follow(self.place(directive), directive.shown());
    }

    pub(super) fn untold(
        &mut self,
        at: Option<&Directive>,
        why: impl Into<String>,
        file: Option<&str>,
    ) {
        let place = at.map(|d| self.place(d));
        self.reading.untold(place, why.into(), file.map(str::to_owned));
    }

    pub(super) fn issue(
        &mut self,
        kind: Kind,
        at: &Directive,
        says: impl Into<String>,
        sure: bool,
    ) {
        let sure = sure && self.picked.is_none_or(|picked| picked.sure);
        let issue = Issue::new(kind, self.place(at), at.shown(), says.into());
        self.reading.issues.push(Issue { sure, provided: self.provided, ..issue });
    }

    pub(super) fn eval<'e>(&'e self, state: &'e State<'t>) -> Eval<'e, 't> {
        Eval { request: self.request, hop: self.hop, state }
    }

    fn run(&mut self, forest: &'t Forest)
    where
        't: 't,
    {
        let picked = match pick(forest, self.request, self.hop) {
            Ok(picked) => picked,
            Err((at, why)) => {
                let file = at.filter(|d| d.name == "include").map(|d| d.arg(0).to_owned());
                return self.untold(at, why, file.as_deref());
            }
        };
        self.picked = Some(picked);
        self.follow(picked.server);
        if !picked.sure {
            let why = format!(
                "this server is not for port {} nor for the name {}: what it does counts only if \
                 the request comes to it all the same",
                self.request.port, self.request.host
            );
            self.untold(Some(picked.server), why, None);
        }
        let mut state = State::new(picked.http, picked.server, picked.arrival);
        state.uri = normal(self.request.path);
        self.search(&mut state);
    }

    /// From the server's own rewrites on, for the path as it is now.
    fn search(&mut self, state: &mut State<'t>) {
        let server = state.server;
        let block = server.block.as_deref().unwrap_or_default();
        for include in all_missing(block) {
            self.reading.not_given.push(include.arg(0).to_owned());
        }
        if self.code(block) {
            return;
        }
        let around = Scope { levels: vec![state.http, block], holder: server };
        match self.rewrites(block, state).0 {
            Step::Answered(answered) => return self.answered(&answered, &around, state, None),
            Step::Lost => return,
            Step::On | Step::Changed => {}
        }
        loop {
            self.searches += 1;
            if self.searches > SEARCHES {
                return self.untold(Some(server), "the path is rewritten again and again", None);
            }
            let chain = match locate(block, &state.uri.clone()) {
                Located::Here(chain) => chain,
                Located::Nowhere => Vec::new(),
                Located::Slash(location) => return self.slash(location),
                Located::Unknown(at, why) => return self.untold(Some(at), why, None),
            };
            let mut scope = around.clone();
            for location in &chain {
                self.follow(location);
                scope.levels.push(location.block.as_deref().unwrap_or_default());
                scope.holder = location;
            }
            self.captured(&chain, state);
            let Some(inner) = scope.levels.last().copied() else { return };
            if self.code(inner) {
                return;
            }
            if chain.is_empty() {
                return self.handler(&scope, state);
            }
            match self.located(&mut scope, inner, state) {
                Some(true) => {}
                Some(false) => return self.handler(&scope, state),
                None => return,
            }
        }
    }

    /// The rewrites of a location. True where the path has to be searched anew,
    /// `None` where it ends here.
    fn located(
        &mut self,
        scope: &mut Scope<'t>,
        inner: &'t [Directive],
        state: &mut State<'t>,
    ) -> Option<bool> {
        for include in all_missing(inner) {
            self.reading.not_given.push(include.arg(0).to_owned());
        }
        let (step, taken) = self.rewrites(inner, state);
        match step {
            Step::Answered(answered) => {
                self.answered(&answered, &scope.clone(), state, None);
                None
            }
            Step::Lost => None,
            Step::Changed => Some(true),
            Step::On => {
                if let Some(taken) = taken {
                    self.follow(taken);
                    scope.levels.push(taken.block.as_deref().unwrap_or_default());
                    scope.holder = taken;
                }
                Some(false)
            }
        }
    }

    /// What the pattern of a location captured.
    fn captured(&self, chain: &[&'t Directive], state: &mut State<'t>) {
        let Some(last) = chain.last() else { return };
        if let super::location::Kind::Pattern { text, any_case } = super::location::kind(last)
            && let Some(regex) = super::location::pcre(text, any_case)
            && let Some(found) = regex.captures(&state.uri.clone())
        {
            state.capture(&regex, &found);
        }
    }

    fn slash(&mut self, location: &'t Directive) {
        self.follow(location);
        let says = format!(
            "takes {} with a slash at its end alone: without one, nginx redirects (301), and a \
             WebSocket does not follow",
            self.request.path
        );
        self.issue(Kind::PathRule(Some(301)), location, says, true);
    }

    /// Code that decides what becomes of the request. What a controller writes
    /// beside the directives picks the server behind, and leaves them as they are.
    fn code(&mut self, block: &'t [Directive]) -> bool {
        let own = self.reading.generator == Some(Generator::IngressNginx);
        let decides = |d: &&Directive| {
            let lua = ["rewrite_by_lua", "access_by_lua", "server_rewrite_by_lua"];
            d.name.starts_with("content_by_lua")
                || matches!(d.name.as_str(), "js_content" | "js_access" | "perl")
                || !own && lua.iter().any(|phase| d.name.starts_with(phase))
        };
        match block.iter().find(decides) {
            Some(code) => {
                self.untold(Some(code), "code decides what becomes of the request", None);
                true
            }
            None => false,
        }
    }

    /// An answer that counts only where a condition holds which the files do not
    /// decide.
    pub(super) fn answers_if(&mut self, answered: &Answered<'t>, by: &'t Directive) {
        let (kind, says) = self.answer_of(answered);
        if matches!(kind, Kind::RedirectLoop(_)) {
            let before = self.provided.replace(Provided::Condition);
            self.follow(by);
            self.issue(kind, answered.at, says, true);
            self.provided = before;
        }
    }

    /// An answer of nginx' own, after `error_page`.
    fn answered(
        &mut self,
        answered: &Answered<'t>,
        scope: &Scope<'t>,
        state: &mut State<'t>,
        within: Option<u16>,
    ) {
        if let Some(by) = answered.by {
            self.follow(by);
        }
        if within.is_none()
            && let Some(status) = answered.status
            && let Some(page) = error_page(scope, status)
        {
            return self.error_page(answered, page, status, state);
        }
        let (mut kind, says) = self.answer_of(answered);
        if let (Kind::PathRule(status), Some(kept)) = (&mut kind, within) {
            *status = Some(kept);
        }
        self.issue(kind, answered.at, says, true);
    }

    fn answer_of(&self, answered: &Answered<'t>) -> (Kind, String) {
        let url =
            |scheme: &str| format!("{scheme}://{}{}", self.request.authority(), self.request.path);
        let itself = if self.request.tls { url("https") } else { url("http") };
        match (&answered.to, answered.status) {
            (Some(Value::Known(to)), Some(status)) if *to == itself => {
                let who = match answered.by {
                    Some(by) => {
                        format!("`{}` holds although the request came by TLS: ", by.shown())
                    }
                    None => String::new(),
                };
                (
                    Kind::RedirectLoop(status),
                    format!(
                        "redirects to the very URL that was asked for. {who}what ends TLS has to \
                         say so (X-Forwarded-Proto: https)"
                    ),
                )
            }
            (_, status) => {
                let says = match answered.by {
                    Some(_) => "answers every upgrade itself, by the `if` around it".to_owned(),
                    None => format!(
                        "answers {} itself and sends nothing to Bindplane",
                        self.request.path
                    ),
                };
                (Kind::PathRule(status), says)
            }
        }
    }

    /// `error_page 503 @closed`, `error_page 404 =200 /index.html`.
    fn error_page(
        &mut self,
        answered: &Answered<'t>,
        page: &'t Directive,
        status: u16,
        state: &mut State<'t>,
    ) {
        self.follow(page);
        let to = page.args.last().map_or("", String::as_str);
        let changed = page.args.iter().find_map(|arg| arg.strip_prefix('='));
        let kept = match changed {
            None => Some(status),
            Some("") => None,
            Some(code) => code.parse().ok(),
        };
        if let (Some(named), None) = (self.named(to, state), changed) {
            // The status stays whatever the page is.
            let block = named.block.as_deref().unwrap_or_default();
            if !block.iter().any(|d| d.name.ends_with("_pass")) {
                self.follow(named);
                let (kind, says) = self.answer_of(answered);
                return self.issue(kind, answered.at, says, true);
            }
        }
        if let Some(named) = self.named(to, state) {
            return self.at_named(named, state);
        }
        let kind = match kept {
            Some(200) => Kind::Disk,
            kept => Kind::PathRule(kept.or(Some(status))),
        };
        let says = format!("answers {} with the page of `{}`", self.request.path, page.shown());
        self.issue(kind, answered.at, says, true);
    }

    fn named(&self, name: &str, state: &State<'t>) -> Option<&'t Directive> {
        let server = state.server.block.as_deref().unwrap_or_default();
        name.starts_with('@')
            .then(|| server.iter().find(|d| d.name == "location" && d.arg(0) == name))
            .flatten()
    }

    /// A named location stands in the server, whatever led to it.
    fn at_named(&mut self, to: &'t Directive, state: &mut State<'t>) {
        self.follow(to);
        self.searches += 1;
        if self.searches > SEARCHES {
            return self.untold(Some(to), "named locations lead to each other", None);
        }
        let block = to.block.as_deref().unwrap_or_default();
        let server = state.server.block.as_deref().unwrap_or_default();
        let mut scope = Scope { levels: vec![state.http, server, block], holder: to };
        if self.code(block) {
            return;
        }
        match self.located(&mut scope, block, state) {
            Some(false) => self.handler(&scope, state),
            Some(true) => self.search(state),
            None => {}
        }
    }

    /// What takes the request in the innermost block.
    fn handler(&mut self, scope: &Scope<'t>, state: &mut State<'t>) {
        self.access(scope, state);
        let named = |name: &str| scope.own(name);
        if let Some(try_files) = named("try_files") {
            return self.try_files(scope, try_files, state);
        }
        if let Some(pass) = named("proxy_pass") {
            self.follow(pass);
            return self.proxied(scope, pass, state);
        }
        if let Some(pass) = named("grpc_pass") {
            self.follow(pass);
            let says = "speaks HTTP/2 to the backend (gRPC), which an upgrade cannot cross";
            return self.issue(Kind::Http2, pass, says, true);
        }
        let others = ["fastcgi_pass", "uwsgi_pass", "scgi_pass", "memcached_pass"];
        if let Some(pass) = others.iter().find_map(|name| named(name)) {
            self.follow(pass);
            let says = "passes the request on by a protocol that has no upgrade";
            return self.issue(Kind::UpgradeHeaders, pass, says, true);
        }
        let inner = scope.levels.last().copied().unwrap_or_default();
        let server = state.server.block.as_deref().unwrap_or_default();
        if let Some(include) = missing(inner).chain(missing(server)).next() {
            let file = include.arg(0);
            let why = format!("{file} was not given, and may pass the request on: send it, too");
            return self.untold(Some(include), why, Some(file));
        }
        self.file(scope, state);
    }

    /// Nothing passes it on: nginx looks for a file of that name.
    fn file(&mut self, scope: &Scope<'t>, state: &mut State<'t>) {
        let holder = scope.holder;
        if state.uri != normal(self.request.path) {
            let says = format!(
                "answers {} with the file {} from disk, and sends nothing to Bindplane",
                self.request.path, state.uri
            );
            return self.issue(Kind::Disk, holder, says, true);
        }
        if let Some(page) = error_page(scope, 404) {
            let answered = Answered { at: page, status: Some(404), to: None, by: None };
            return self.error_page(&answered, page, 404, state);
        }
        let nowhere = if holder.name == "server" { ", and no location takes the path" } else { "" };
        let says = format!(
            "has no proxy_pass{nowhere}: nginx looks for a file named {}",
            self.request.path
        );
        self.issue(Kind::PathRule(Some(404)), holder, says, true);
    }

    /// All but the last argument are files to look for. None is named as the path
    /// of a WebSocket; whether one of a fixed name is there, the probe tells.
    fn try_files(&mut self, scope: &Scope<'t>, try_files: &'t Directive, state: &mut State<'t>) {
        self.follow(try_files);
        let Some((last, files)) = try_files.args.split_last() else { return };
        let fixed = files.iter().find(|file| !file.contains('$') && !file.ends_with('/'));
        let before = self.provided;
        if let Some(file) = fixed {
            self.provided = Some(Provided::FileThere);
            let says = format!(
                "looks for the file {file} before it goes on to {last}: where that is there, it is \
                 the answer for {}, and Bindplane is not asked",
                self.request.path
            );
            self.issue(Kind::Disk, try_files, says, true);
            self.provided = Some(Provided::FileMissing);
        }
        self.fallback(scope, try_files, last, state);
        self.provided = before;
    }

    fn fallback(
        &mut self,
        scope: &Scope<'t>,
        try_files: &'t Directive,
        last: &str,
        state: &mut State<'t>,
    ) {
        if last.starts_with('@') {
            return match self.named(last, state) {
                Some(to) => self.at_named(to, state),
                None => {
                    let why = format!("the location {last} is not in the files");
                    self.untold(Some(try_files), why, None);
                }
            };
        }
        if let Some(code) = last.strip_prefix('=') {
            let answered =
                Answered { at: try_files, status: code.parse().ok(), to: None, by: None };
            if let Some(status) = answered.status
                && let Some(page) = error_page(scope, status)
            {
                return self.error_page(&answered, page, status, state);
            }
            let says = format!("looks for files, and answers {code} for {}", self.request.path);
            return self.issue(Kind::PathRule(answered.status), try_files, says, true);
        }
        let to = match self.eval(state).value(last) {
            Value::Known(to) => normal(&to),
            Value::Unknown(variable) => {
                let why = format!("where this leads depends on {variable}");
                return self.untold(Some(try_files), why, None);
            }
        };
        // The location that holds the page is where the search would end.
        let page = to.rsplit('/').next().unwrap_or_default();
        if page.contains('.') && !page.ends_with(".php") && self.plain_file(&to, state) {
            let says = format!(
                "ends at {to}: no file is named {}, so that page is the answer (200). Bindplane is \
                 not asked: send /v1/ to it",
                self.request.path
            );
            return self.issue(Kind::Disk, try_files, says, true);
        }
        state.uri = to;
        self.search(state);
    }

    /// Whether a path is answered from disk.
    fn plain_file(&self, path: &str, state: &State<'t>) -> bool {
        let block = state.server.block.as_deref().unwrap_or_default();
        let chain = match locate(block, path) {
            Located::Here(chain) => chain,
            Located::Nowhere => return true,
            Located::Slash(_) | Located::Unknown(..) => return false,
        };
        let inner = chain.last().and_then(|d| d.block.as_deref()).unwrap_or_default();
        let else_ = |d: &Directive| {
            d.name.ends_with("_pass") || matches!(d.name.as_str(), "return" | "rewrite" | "if")
        };
        !inner.iter().any(else_)
    }
}

/// The `error_page` for a status; the list is inherited as a whole.
fn error_page<'t>(scope: &Scope<'t>, status: u16) -> Option<&'t Directive> {
    let level = scope.levels.iter().rev().find(|l| l.iter().any(|d| d.name == "error_page"))?;
    let code = status.to_string();
    level.iter().find(|d| d.name == "error_page" && d.args.contains(&code))
}
