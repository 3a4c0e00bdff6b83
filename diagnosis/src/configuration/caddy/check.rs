//! The way of an upgrade through a Caddyfile: the site, then its handlers in
//! Caddy's own order, and what the one that hands the request on does to it.
//!
//! Directives are sorted before they run (`httpcaddyfile/directives.go`): by their
//! kind, and of one kind by the length of their path. `route` keeps the file's order.

use super::matcher::{self, Seen};
use super::parse::{Directive, parse};
use super::site::pick;
use crate::configuration::chain::Hop;
use crate::configuration::held::Holds;
use crate::configuration::source::File;
use crate::configuration::{Issue, Kind, Place, Program, Provided, Reading, Request};

/// The order of directives, of those that matter here.
const ORDER: [&str; 25] = [
    "map",
    "vars",
    "root",
    "header",
    "request_body",
    "redir",
    "method",
    "rewrite",
    "uri",
    "try_files",
    "basicauth",
    "basic_auth",
    "forward_auth",
    "request_header",
    "encode",
    "templates",
    "invoke",
    "handle",
    "handle_path",
    "route",
    "abort",
    "error",
    "respond",
    "reverse_proxy",
    "php_fastcgi",
];

/// What comes last.
const LAST: [&str; 3] = ["php_fastcgi", "file_server", "acme_server"];

/// Directives that answer nothing and change nothing of a request.
const PLAIN: [&str; 24] = [
    "tls",
    "bind",
    "log",
    "log_skip",
    "skip_log",
    "log_append",
    "log_name",
    "tracing",
    "map",
    "vars",
    "root",
    "fs",
    "header",
    "copy_response_headers",
    "request_body",
    "encode",
    "push",
    "templates",
    "handle_errors",
    "acme_server",
    "method",
    "intercept",
    "metrics",
    "import",
];

pub(super) struct Check<'t> {
    pub(super) files: &'t [File],
    pub(super) request: &'t Request<'t>,
    pub(super) reading: Reading,
    pub(super) provided: Option<Provided>,
    /// Directives that the global options put elsewhere in the order.
    moved: Vec<(String, String, String)>,
    pub(super) sure: bool,
}

/// What is known of the request on its way.
#[derive(Debug, Clone)]
pub(super) struct State<'t> {
    /// The path as it is now.
    pub(super) path: String,
    /// Who changed it.
    pub(super) moved: Option<&'t Directive>,
    /// Who took the upgrade's headers.
    pub(super) stripped: Option<&'t Directive>,
    /// What sets another Host.
    pub(super) host: Option<(&'t Directive, String)>,
    /// The named matchers in sight.
    pub(super) named: Vec<&'t Directive>,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let mut blocks: Vec<Directive> = Vec::new();
    let mut not_given = Vec::new();
    let names: Vec<&str> =
        files.iter().map(|f| f.name.rsplit('/').next().unwrap_or_default()).collect();
    for (at, file) in files.iter().enumerate() {
        let Ok(parsed) = parse(&file.text, at) else { continue };
        blocks.extend(parsed.blocks);
        let given = |import: &&String| {
            let last = import.rsplit('/').next().unwrap_or_default();
            !(names.contains(&last) || last.contains('*') && files.len() > 1)
        };
        not_given.extend(parsed.imports.iter().filter(given).cloned());
    }
    let mut check = Check::new(files, request, Program(&super::DIALECT));
    check.reading.not_given = not_given;
    check.run(&blocks);
    check.reading
}

impl<'t> Check<'t> {
    pub(super) fn new(files: &'t [File], request: &'t Request<'t>, program: Program) -> Self {
        let reading = Reading::new(program);
        Self { files, request, reading, provided: None, moved: Vec::new(), sure: true }
    }

    pub(super) fn place(&self, directive: &Directive) -> Place {
        let place = Place::of(self.files, directive.file, directive.line);
        Place { path: directive.path.clone(), ..place }
    }

    pub(super) fn follow(&mut self, directive: &Directive) {
        self.reading.follow(self.place(directive), directive.shown());
    }

    pub(super) fn untold(&mut self, at: Option<&Directive>, why: impl Into<String>) {
        let place = at.map(|d| self.place(d));
        self.reading.untold(place, why.into(), None);
    }

    pub(super) fn issue(&mut self, kind: Kind, at: &Directive, says: impl Into<String>) {
        let issue = Issue::new(kind, self.place(at), at.shown(), says.into());
        self.reading.issues.push(Issue { sure: self.sure, provided: self.provided, ..issue });
    }

    fn run(&mut self, blocks: &'t [Directive]) {
        let global = blocks.iter().find(|b| b.words.is_empty());
        for one in global.into_iter().flat_map(Directive::inner).filter(|d| d.name() == "order") {
            let word = |at: usize| one.word(at).to_owned();
            self.moved.push((word(1), word(2), word(3)));
        }
        let sites: Vec<&'t Directive> =
            blocks.iter().filter(|b| !b.words.is_empty() && !b.name().starts_with('&')).collect();
        let (site, sure) = match pick(&sites, self.request) {
            Ok(Some(picked)) => picked,
            Ok(None) => {
                let Some(first) = sites.first() else {
                    return self.untold(None, "no site is in the files");
                };
                if !self.reading.not_given.is_empty() {
                    let files = self.reading.not_given.join(", ");
                    let why = format!(
                        "no site here is for {}, and {files} was not given: send it, too",
                        self.request.host
                    );
                    return self.untold(Some(first), why);
                }
                let says = format!(
                    "is for another name than {}, as is every site of this file: Caddy answers with \
                     an empty 200",
                    self.request.host
                );
                let before = self.provided.replace(Provided::Condition);
                self.issue(Kind::PathRule(Some(200)), first, says);
                self.provided = before;
                return;
            }
            Err((at, why)) => return self.untold(at, why),
        };
        self.sure = sure;
        self.follow(site);
        if !sure {
            let why = format!(
                "this site is not for port {}: what it does counts only if the request comes to it all \
                 the same",
                self.request.port
            );
            self.untold(Some(site), why);
        }
        let path = self.request.path.split('?').next().unwrap_or_default().to_owned();
        let mut state = State { path, moved: None, stripped: None, host: None, named: Vec::new() };
        if self.block(site.inner(), &mut state, true) {
            let before = self.reading.issues.iter().any(|i| matches!(i.kind, Kind::PathRule(_)));
            if before {
                return;
            }
            if let Some(import) = find(site.inner(), "import") {
                let why = format!(
                    "{} was not given, and may pass the request on: send it, too",
                    import.word(1)
                );
                return self.untold(Some(import), why);
            }
            let says = format!(
                "has no handler whose matcher takes {}: Caddy answers with an empty 200, and Bindplane \
                 is not asked",
                self.request.path
            );
            self.issue(Kind::PathRule(Some(200)), site, says);
        }
    }

    /// The handlers of a block. True where none ended the request.
    fn block(&mut self, block: &'t [Directive], state: &mut State<'t>, sorted: bool) -> bool {
        let before = state.named.len();
        state.named.extend(block.iter().filter(|d| d.name().starts_with('@')));
        let mut all: Vec<&'t Directive> =
            block.iter().filter(|d| !d.name().starts_with('@')).collect();
        if sorted {
            let named = state.named.clone();
            let mut keyed: Vec<(usize, Specific<'t>, &'t Directive)> = all
                .iter()
                .map(|one| (self.position(one.name()), Specific::of(one, &named), *one))
                .collect();
            in_order(&mut keyed, |a, b| if a.0 == b.0 { a.1.goes_before(&b.1) } else { a.0 < b.0 });
            all = keyed.into_iter().map(|(.., one)| one).collect();
        }
        let mut handled = false;
        let mut goes_on = true;
        for one in all {
            let group = matches!(one.name(), "handle" | "handle_path");
            if PLAIN.contains(&one.name()) || (group && handled) {
                continue;
            }
            match self.applies(one, state) {
                Ok(false) => continue,
                Ok(true) => {}
                Err(why) => {
                    self.untold(Some(one), format!("whether this applies depends on {why}"));
                    // What comes behind it may not be reached.
                    if one.name() != "request_header" {
                        goes_on = false;
                        break;
                    }
                    continue;
                }
            }
            handled |= group;
            if !self.handler(one, state) {
                goes_on = false;
                break;
            }
        }
        state.named.truncate(before);
        goes_on
    }

    fn applies(&self, one: &Directive, state: &State<'t>) -> Holds {
        let seen = Seen { request: self.request, path: &state.path };
        // It has a path, and no matcher.
        if one.name() == "handle_path" {
            return Ok(matcher::path_fits(one.word(1), &state.path));
        }
        match matcher::of(one).filter(|_| takes_matcher(one)) {
            Some(word) => matcher::holds(word, &state.named, &seen),
            None => Ok(true),
        }
    }

    fn position(&self, name: &str) -> usize {
        let name = if name == "handle_path" { "handle" } else { name };
        let plain = |name: &str| {
            let last = LAST.iter().position(|n| *n == name).map(|at| 2 * (at + ORDER.len()));
            last.or_else(|| ORDER.iter().position(|n| *n == name).map(|at| 2 * at)).unwrap_or(99)
        };
        match self.moved.iter().find(|(own, ..)| own == name) {
            Some((_, how, _)) if how == "first" => 0,
            Some((_, how, _)) if how == "last" => 98,
            Some((_, how, of)) if how == "before" => plain(of).saturating_sub(1),
            Some((_, _, of)) => plain(of) + 1,
            None => plain(name) + 2,
        }
    }

    /// One handler. False where it ends the request.
    pub(super) fn handler(&mut self, one: &'t Directive, state: &mut State<'t>) -> bool {
        // Words behind the matcher.
        let skip = 1 + usize::from(matcher::of(one).is_some() && takes_matcher(one));
        let args: Vec<&str> = one.words.iter().skip(skip).map(String::as_str).collect();
        match one.name() {
            "handle" | "route" => {
                self.follow(one);
                return self.block(one.inner(), state, one.name() == "handle");
            }
            "handle_path" => {
                self.follow(one);
                let prefix = one.word(1).trim_end_matches('*').trim_end_matches('/').to_owned();
                self.strip(one, &prefix, state);
                return self.block(one.inner(), state, true);
            }
            "uri" => match args.as_slice() {
                ["strip_prefix", prefix] => self.strip(one, prefix, state),
                ["strip_suffix", suffix] if state.path.ends_with(suffix) => {
                    let kept = state.path.len() - suffix.len();
                    self.to(one, state.path.get(..kept).unwrap_or_default().to_owned(), state);
                }
                ["strip_suffix", _] | ["query", ..] => {}
                ["replace", from, to, ..] => self.to(one, state.path.replace(from, to), state),
                _ => {
                    self.untold(Some(one), "this line may change the path");
                    return false;
                }
            },
            "rewrite" => match self.expanded(args.first().copied().unwrap_or_default(), state) {
                Some(to) => {
                    self.to(one, to.split('?').next().unwrap_or_default().to_owned(), state)
                }
                None => {
                    self.untold(Some(one), "this line may change the path");
                    return false;
                }
            },
            "try_files" => return self.try_files(one, &args, state),
            "request_header" => self.request_header(one, &args, state),
            "redir" => self.redirected(one, &args, state),
            "respond" | "error" | "abort" | "basicauth" | "basic_auth" => self.answered(one, &args),
            "forward_auth" => {
                self.follow(one);
                let why = "who may pass is decided by what is asked first (forward_auth)";
                self.untold(Some(one), why);
            }
            "reverse_proxy" => {
                self.follow(one);
                self.proxied(one, &args, state);
                return false;
            }
            "php_fastcgi" => {
                self.follow(one);
                let says = "passes the request on by FastCGI, which has no upgrade";
                self.issue(Kind::UpgradeHeaders, one, says);
                return false;
            }
            "file_server" => {
                self.follow(one);
                self.disk(one, state);
                return false;
            }
            other => {
                let why = format!("what `{other}` does with the request is not known here");
                self.untold(Some(one), why);
                return false;
            }
        }
        !matches!(one.name(), "redir" | "respond" | "error" | "abort" | "basicauth" | "basic_auth")
    }

    fn to(&mut self, by: &'t Directive, path: String, state: &mut State<'t>) {
        if path != state.path {
            self.follow(by);
            state.path = path;
            state.moved = Some(by);
        }
    }

    fn strip(&mut self, by: &'t Directive, prefix: &str, state: &mut State<'t>) {
        let prefix = format!("/{}", prefix.trim_start_matches('/'));
        // Without regard to case, as paths match.
        let path = matcher::merged(&state.path);
        let begins = path.get(..prefix.len()).is_some_and(|own| own.eq_ignore_ascii_case(&prefix));
        if begins && prefix != "/" {
            let rest = path.get(prefix.len()..).unwrap_or_default();
            let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
            self.to(by, rest, state);
        }
    }

    /// Placeholders of the request; `None` where one is not known.
    pub(super) fn expanded(&self, text: &str, state: &State<'_>) -> Option<String> {
        let (path, query) = self.request.path.split_once('?').unwrap_or((self.request.path, ""));
        let uri =
            if query.is_empty() { state.path.clone() } else { format!("{}?{query}", state.path) };
        let mut out = text.to_owned();
        for (name, value) in [
            ("{uri}", uri.as_str()),
            ("{http.request.uri}", uri.as_str()),
            ("{path}", state.path.as_str()),
            ("{http.request.uri.path}", state.path.as_str()),
            ("{http.request.orig_uri.path}", path),
            ("{query}", query),
            ("{host}", self.request.host),
            ("{http.request.host}", self.request.host),
            ("{hostport}", &self.request.authority()),
            ("{http.request.hostport}", &self.request.authority()),
            ("{http.request.header.Host}", &self.request.authority()),
            ("{header.Host}", &self.request.authority()),
            ("{scheme}", if self.request.tls { "https" } else { "http" }),
            ("{port}", &self.request.port.to_string()),
        ] {
            out = out.replace(name, value);
        }
        (!out.contains('{')).then_some(out)
    }

    /// No file is named as the path of a WebSocket; whether one of a fixed name is
    /// there, the probe tells.
    fn try_files(&mut self, one: &'t Directive, args: &[&str], state: &mut State<'t>) -> bool {
        for arg in args {
            if let Some(code) = arg.strip_prefix('=') {
                self.follow(one);
                let says = format!("looks for files, and answers {code} for {}", self.request.path);
                self.issue(Kind::PathRule(code.parse().ok()), one, says);
                return false;
            }
            if arg.contains("{path}") || arg.contains("{uri}") || arg.contains("{file}") {
                continue;
            }
            let to = arg.split('?').next().unwrap_or_default();
            let to = if to.starts_with('/') { to.to_owned() } else { format!("/{to}") };
            self.to(one, to, state);
            return true;
        }
        true
    }

    fn request_header(&mut self, one: &'t Directive, args: &[&str], state: &mut State<'t>) {
        let Some(field) = args.first() else { return };
        let bare = field.trim_start_matches(['-', '+', '?', '>']);
        let gone = field.starts_with('-');
        let value = args.get(1).copied().unwrap_or_default();
        let kept = |wanted: &str| value.to_ascii_lowercase().contains(wanted);
        match bare.to_ascii_lowercase().as_str() {
            "upgrade" if gone || !kept("websocket") && !value.contains('{') => {
                state.stripped = Some(one)
            }
            "connection" if gone || !kept("upgrade") && !value.contains('{') => {
                state.stripped = Some(one)
            }
            "host" if !gone => state.host = Some((one, value.to_owned())),
            _ => {}
        }
    }

    fn redirected(&mut self, one: &'t Directive, args: &[&str], state: &State<'t>) {
        self.follow(one);
        let status = match args.get(1).copied() {
            None | Some("temporary") => 302,
            Some("permanent") => 301,
            Some("html") => 200,
            Some(code) => code.parse().unwrap_or(302),
        };
        let to = self.expanded(args.first().copied().unwrap_or_default(), state);
        let scheme = if self.request.tls { "https" } else { "http" };
        let own = format!("{scheme}://{}", self.request.authority());
        let whole = to
            .as_deref()
            .map(|to| if to.starts_with('/') { format!("{own}{to}") } else { to.to_owned() });
        if whole == Some(format!("{own}{}", self.request.path)) {
            let says = "redirects to the very URL that was asked for";
            return self.issue(Kind::RedirectLoop(status), one, says);
        }
        let slash = match &to {
            Some(to) if to.trim_end_matches('/') == self.request.path.trim_end_matches('/') => {
                ": a slash more or less, and a WebSocket does not follow"
            }
            _ => "",
        };
        let says = format!(
            "answers {} with a redirect ({status}) and sends nothing to Bindplane{slash}",
            self.request.path
        );
        self.issue(Kind::PathRule(Some(status)), one, says);
    }

    fn answered(&mut self, one: &'t Directive, args: &[&str]) {
        self.follow(one);
        let code = |text: Option<&&str>| text.filter(|t| t.len() == 3).and_then(|t| t.parse().ok());
        let status: Option<u16> = match one.name() {
            "abort" => None,
            "basicauth" | "basic_auth" => Some(401),
            "error" => code(args.last()).or(Some(500)),
            _ => match args {
                [_, status] => status.parse().ok(),
                [only] => code(Some(only)).or(Some(200)),
                _ => Some(200),
            },
        };
        let says = match one.name() {
            "abort" => format!("ends the connection of {} without an answer", self.request.path),
            "basicauth" | "basic_auth" => "asks for a password of its own".to_owned(),
            _ => format!("answers {} itself and sends nothing to Bindplane", self.request.path),
        };
        self.issue(Kind::PathRule(status), one, says);
    }

    fn disk(&mut self, one: &'t Directive, state: &State<'t>) {
        match state.moved.filter(|_| state.path.rsplit('/').next().is_some_and(|l| l.contains('.')))
        {
            Some(by) => {
                let says = format!(
                    "answers {} with the file {} from disk, and sends nothing to Bindplane",
                    self.request.path, state.path
                );
                self.issue(Kind::Disk, by, says);
            }
            None => {
                let says = format!("looks for a file named {} (404)", state.path);
                self.issue(Kind::PathRule(Some(404)), one, says);
            }
        }
    }
}

/// Whether the first word behind the name is a matcher: those that take none.
fn takes_matcher(one: &Directive) -> bool {
    match one.name() {
        "handle_path" | "tls" | "log" | "bind" | "import" => false,
        // `redir /to` has no matcher, nor has `rewrite /to`.
        "redir" | "rewrite" => one.words.len() > 2 || one.word(1).starts_with('@'),
        _ => true,
    }
}

/// How exactly a directive says what it is for.
struct Specific<'m> {
    /// The one path of its matcher.
    path: Option<&'m str>,
    has_matcher: bool,
}

impl<'m> Specific<'m> {
    fn of(one: &'m Directive, named: &[&'m Directive]) -> Self {
        let own = one.name() == "handle_path";
        let word = if own { Some(one.word(1)) } else { matcher::of(one) };
        let word = word.filter(|w| *w != "*");
        let path = word.and_then(|word| matcher::path(word, named));
        Self { path, has_matcher: word.is_some() }
    }

    /// Of two paths the longer one; else one with a matcher before one without.
    fn goes_before(&self, other: &Self) -> bool {
        match (self.path, other.path) {
            (Some(a), Some(b)) if a.trim_end_matches('*') == b.trim_end_matches('*') => {
                a.len() < b.len()
            }
            (Some(a), Some(b)) => a.len() > b.len(),
            _ => self.has_matcher && !other.has_matcher,
        }
    }
}

/// Most directives of a block that are put in order: it takes their square.
const IN_ORDER: usize = 1000;

/// Caddy's order is none that a sort may ask for (of three, each may go before the
/// next): done as Go's stable sort does it for so few.
fn in_order<T>(all: &mut [T], before: impl Fn(&T, &T) -> bool) {
    for at in 1..all.len().min(IN_ORDER) {
        let mut now = at;
        while now > 0 && before(&all[now], &all[now - 1]) {
            all.swap(now, now - 1);
            now -= 1;
        }
    }
}

fn find<'t>(block: &'t [Directive], name: &str) -> Option<&'t Directive> {
    block.iter().find_map(|d| if d.name() == name { Some(d) } else { find(d.inner(), name) })
}
