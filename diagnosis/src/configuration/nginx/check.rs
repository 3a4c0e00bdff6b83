//! What an nginx configuration does to an upgrade.

use super::parse::Directive;
use super::request::{Found, Scope, find, normal, not_given, pcre, rewritten};
use super::tree::{Forest, forest};
use super::value::{Value, seconds, value};
use crate::configuration::{
    Followed, HIDES, Issue, Kind, NEEDED_S, Place, Program, Reading, Request, Untold, source::File,
};

/// nginx speaks HTTP/1.1 to backends by itself from here on (changes of 1.29.7).
const HTTP_1_1_BY_DEFAULT: (u32, u32, u32) = (1, 29, 7);

struct Check<'t> {
    files: &'t [File],
    request: &'t Request<'t>,
    reading: Reading,
}

/// Reads the files for a request, each with what it holds.
pub(crate) fn read(files: &[File], parsed: &[Vec<Directive>], request: &Request<'_>) -> Reading {
    let forest: Forest = forest(files, parsed);
    let mut check = Check { files, request, reading: Reading::new(Program::Nginx) };
    match find(&forest, request) {
        Found::Scope(scope) => check.scope(&scope),
        Found::Slash(location) => {
            check.follow(location);
            check.issue(
                Kind::PathRule(Some(301)),
                location,
                format!(
                    "takes {} with a slash at its end alone: without one, nginx redirects (301), \
                     and a WebSocket does not follow",
                    request.path
                ),
                true,
            );
        }
        Found::Unknown(at, why) => check.untold(at, why),
    }
    check.reading
}

impl<'t> Check<'t> {
    fn place(&self, directive: &Directive) -> Place {
        let file = self.files.get(directive.file).map_or_else(String::new, |f| f.name.clone());
        Place { file, line: directive.line }
    }

    fn follow(&mut self, directive: &Directive) {
        let followed = Followed { place: self.place(directive), line: directive.shown() };
        self.reading.followed.push(followed);
    }

    fn untold(&mut self, at: Option<&Directive>, why: impl Into<String>) {
        let place = at.map(|d| self.place(d));
        self.reading.untold.push(Untold { place, why: why.into() });
    }

    fn issue(&mut self, kind: Kind, at: &Directive, says: impl Into<String>, sure: bool) {
        let (place, line) = (self.place(at), at.shown());
        self.reading.issues.push(Issue { kind, place, line, says: says.into(), sure });
    }

    fn scope(&mut self, scope: &Scope<'t>) {
        self.follow(scope.server);
        for location in scope.locations.clone() {
            self.follow(location);
        }
        let path = normal(self.request.path);
        let block = scope.levels.last().copied().unwrap_or_default();
        let holder = scope.locations.last().copied().unwrap_or(scope.server);
        if let Some(rewrite) = rewritten(block, &path) {
            return self.untold(Some(rewrite), "a rewrite may change the path");
        }
        if let Some(lua) = scope.levels.iter().skip(1).flat_map(|l| l.iter()).find(|d| {
            d.name.contains("_by_lua") || d.name.starts_with("js_") || d.name.starts_with("perl")
        }) {
            return self.untold(Some(lua), "code decides what becomes of the request");
        }
        if let Some(inner) = pass_in_if(block) {
            return self.untold(Some(inner), "an `if` decides where the request goes");
        }
        if self.conditions(scope) {
            return;
        }
        self.handler(scope, block, holder);
    }

    /// What an `if` or an access rule does before the request is handed on.
    /// True where it ends there.
    fn conditions(&mut self, scope: &Scope<'t>) -> bool {
        let inner = scope.levels.iter().skip(1).flat_map(|level| level.iter());
        for one in inner {
            match one.name.as_str() {
                "if" => {
                    let block = one.block.as_deref().unwrap_or_default();
                    let Some(back) = block.iter().find(|d| d.name == "return") else { continue };
                    match condition(&one.args, scope) {
                        Some(false) => {}
                        Some(true) => {
                            self.follow(one);
                            self.issue(
                                Kind::PathRule(back.arg(0).parse().ok()),
                                back,
                                "answers every upgrade itself, by the `if` around it",
                                true,
                            );
                            return true;
                        }
                        None => {
                            self.untold(Some(one), "whether this condition holds cannot be told")
                        }
                    }
                }
                "deny" | "auth_request" | "limit_except" | "modsecurity" => {
                    self.untold(Some(one), "whether this lets the request pass cannot be told");
                }
                _ => {}
            }
        }
        false
    }

    /// What takes the request in the innermost block.
    fn handler(&mut self, scope: &Scope<'t>, block: &'t [Directive], holder: &'t Directive) {
        let named = |name: &str| block.iter().find(|d| d.name == name);
        if let Some(back) = named("return") {
            let status = back.arg(0).parse().ok();
            return self.issue(
                Kind::PathRule(status),
                back,
                format!("answers {} itself and sends nothing to Bindplane", self.request.path),
                true,
            );
        }
        if let Some(pass) = named("proxy_pass") {
            self.follow(pass);
            return self.proxied(scope, pass);
        }
        if let Some(pass) = named("grpc_pass") {
            self.follow(pass);
            return self.issue(
                Kind::Http2,
                pass,
                "speaks HTTP/2 to the backend (gRPC), which an upgrade cannot cross",
                true,
            );
        }
        let others = ["fastcgi_pass", "uwsgi_pass", "scgi_pass", "memcached_pass"];
        if let Some(pass) = others.iter().find_map(|name| named(name)) {
            self.follow(pass);
            return self.issue(
                Kind::UpgradeHeaders,
                pass,
                "passes the request on by a protocol that has no upgrade",
                true,
            );
        }
        if let Some(try_files) = named("try_files") {
            return self.try_files(scope, try_files);
        }
        if let Some(include) = not_given(block) {
            return self
                .untold(Some(include), "this file was not given, and may pass the request on");
        }
        self.issue(
            Kind::PathRule(Some(404)),
            holder,
            format!(
                "has no proxy_pass{}: nginx looks for a file named {}",
                if scope.locations.is_empty() { ", and no location takes the path" } else { "" },
                self.request.path
            ),
            true,
        );
    }

    fn try_files(&mut self, scope: &Scope<'t>, try_files: &'t Directive) {
        self.follow(try_files);
        let last = try_files.args.last().map_or("", String::as_str);
        if last.starts_with('@') {
            let server = scope.server.block.as_deref().unwrap_or_default();
            let to = server.iter().find(|d| d.name == "location" && d.arg(0) == last);
            let Some(to) = to else {
                return self.untold(Some(try_files), format!("the location {last} was not found"));
            };
            let block = to.block.as_deref().unwrap_or_default();
            let mut inner = scope.clone();
            // A named location stands in the server, whatever led to it.
            inner.levels.truncate(2);
            inner.levels.push(block);
            inner.locations = vec![to];
            self.follow(to);
            if block.iter().any(|d| d.name == "try_files") || rewritten(block, "").is_some() {
                return self.untold(Some(to), "it goes on from here by more rules");
            }
            return self.handler(&inner, block, to);
        }
        if let Some(code) = last.strip_prefix('=') {
            return self.issue(
                Kind::PathRule(code.parse().ok()),
                try_files,
                format!("looks for files, and answers {code} for {}", self.request.path),
                true,
            );
        }
        self.untold(Some(try_files), "try_files sends what is no file elsewhere");
    }

    fn proxied(&mut self, scope: &Scope<'t>, pass: &'t Directive) {
        let http2 = self.http_version(scope, pass);
        if !http2 {
            self.headers(scope, pass);
            self.hides_grant(scope);
        }
        self.timeouts(scope, pass);
    }

    /// The innermost level that sets it, and whether a file that was not given
    /// may set it further in.
    fn inherited(&self, scope: &Scope<'t>, name: &str) -> (Option<&'t Directive>, bool) {
        let mut open = false;
        for level in scope.levels.iter().rev() {
            open |= not_given(level).is_some();
            if let Some(found) = level.iter().rfind(|d| d.name == name) {
                return (Some(found), open);
            }
        }
        (None, open)
    }

    /// Whether it is HTTP/2, where the headers no longer matter.
    fn http_version(&mut self, scope: &Scope<'t>, pass: &'t Directive) -> bool {
        let (set, open) = self.inherited(scope, "proxy_http_version");
        match set.map(|d| (d, d.arg(0))) {
            Some((d, "2" | "2.0")) => {
                self.issue(
                    Kind::Http2,
                    d,
                    "speaks HTTP/2 to the backend, which an upgrade cannot cross",
                    !open,
                );
                return true;
            }
            Some((d, "1.0")) => self.issue(
                Kind::HttpVersion,
                d,
                "speaks HTTP/1.0 to the backend: an upgrade needs HTTP/1.1",
                !open,
            ),
            Some(_) => {}
            None => match self.request.version {
                Some(version) if version >= HTTP_1_1_BY_DEFAULT => {}
                known => self.issue(
                    Kind::HttpVersion,
                    pass,
                    "passes requests on by HTTP/1.0, since no proxy_http_version applies here \
                     (before nginx 1.29.7 that is the default): an upgrade needs HTTP/1.1",
                    known.is_some() && !open,
                ),
            },
        }
        false
    }

    fn headers(&mut self, scope: &Scope<'t>, pass: &'t Directive) {
        let sets = |level: &'t [Directive]| -> Vec<&'t Directive> {
            level.iter().filter(|d| d.name == "proxy_set_header").collect()
        };
        let mut open = None;
        let mut own: (usize, Vec<&'t Directive>) = (0, Vec::new());
        for (depth, level) in scope.levels.iter().enumerate().rev() {
            open = open.or_else(|| not_given(level));
            own = (depth, sets(level));
            if !own.1.is_empty() {
                break;
            }
        }
        let (depth, own) = own;
        let outer: Vec<&'t Directive> =
            scope.levels.iter().take(depth).flat_map(|level| sets(level)).collect();
        let mut missing: Vec<&str> = Vec::new();
        let mut wrong: Option<(&'t Directive, String)> = None;
        for (name, wanted) in [("Upgrade", "websocket"), ("Connection", "upgrade")] {
            let set = own.iter().rfind(|d| d.arg(0).eq_ignore_ascii_case(name)).copied();
            let Some(set) = set else {
                missing.push(name);
                continue;
            };
            match value(set.arg(1), scope) {
                Value::Known(value) if has_token(&value, wanted) => {}
                Value::Known(value) => {
                    let value =
                        if value.is_empty() { "nothing".to_owned() } else { format!("`{value}`") };
                    wrong = wrong.or(Some((
                        set,
                        format!(
                            "sends {value} as {name} for an upgrade, where `{wanted}` is needed"
                        ),
                    )));
                }
                Value::Unknown(variable) => self.untold(
                    Some(set),
                    format!("what {variable} holds for an upgrade cannot be told from the files"),
                ),
            }
        }
        if let (Some(include), false) = (open, missing.is_empty()) {
            self.untold(Some(include), "this file was not given, and may set the headers");
            missing.clear();
        }
        if !missing.is_empty() {
            let (at, says) = missing_words(&missing, &own, &outer, pass, |d| self.place(d));
            self.issue(Kind::UpgradeHeaders, at, says, true);
        } else if let Some((at, says)) = wrong {
            self.issue(Kind::UpgradeHeaders, at, says, true);
        }
        self.host(&own, pass, open.is_some());
    }

    /// A 101 without the grant, of a server that was offered compression.
    fn hides_grant(&mut self, scope: &Scope<'t>) {
        const NAME: &str = "Sec-WebSocket-Extensions";
        let of = |d: &Directive, name: &str| {
            d.name == name && d.args.iter().any(|header| header.eq_ignore_ascii_case(NAME))
        };
        // Each of these lists is inherited as a whole, where a level has none of its own.
        let level = |name: &str| {
            scope.levels.iter().rev().find(|level| level.iter().any(|d| d.name == name))
        };
        let named = |name: &str| level(name)?.iter().find(|d| of(d, name));
        let offered = level("proxy_set_header").is_none_or(|level| {
            !level
                .iter()
                .any(|d| d.name == "proxy_set_header" && d.arg(0).eq_ignore_ascii_case(NAME))
        });
        // What is passed on by name is not hidden.
        let Some(hides) = named("proxy_hide_header").filter(|_| offered) else { return };
        if named("proxy_pass_header").is_none() {
            let open = scope.levels.iter().any(|level| not_given(level).is_some());
            self.issue(Kind::HidesGrant, hides, HIDES, !open);
        }
    }

    /// gorilla compares Origin with Host (facts: point 3).
    fn host(&mut self, own: &[&'t Directive], pass: &'t Directive, open: bool) {
        let set = own.iter().find(|d| d.arg(0).eq_ignore_ascii_case("Host"));
        match set {
            None if !open => self.issue(
                Kind::Host,
                pass,
                "sends the backend's own name as Host, since no proxy_set_header Host applies here",
                true,
            ),
            Some(set) if set.arg(1) == "$proxy_host" => {
                self.issue(Kind::Host, set, "sends the backend's own name as Host", true)
            }
            _ => {}
        }
    }

    fn timeouts(&mut self, scope: &Scope<'t>, pass: &'t Directive) {
        let (read, open) = self.inherited(scope, "proxy_read_timeout");
        let (send, _) = self.inherited(scope, "proxy_send_timeout");
        let Some(read_s) = read.map_or(Some(60.0), |d| seconds(d.arg(0))) else {
            return self.untold(read, "the timeout is not a number");
        };
        let send_s = send.map_or(Some(60.0), |d| seconds(d.arg(0)));
        let send_short = send_s.is_some_and(|s| s < NEEDED_S);
        if read_s < NEEDED_S {
            let from = match read {
                Some(_) => format!("proxy_read_timeout is {read_s:.0} s"),
                None => "no proxy_read_timeout applies here, so that it is 60 s".to_owned(),
            };
            let also = if send_short { "; proxy_send_timeout is short, too" } else { "" };
            self.issue(
                Kind::Timeout(read_s),
                read.unwrap_or(pass),
                format!("cuts a connection on which nothing comes for {read_s:.0} s: {from}{also}"),
                !open || read.is_some(),
            );
        } else if send_short && let Some(send_s) = send_s {
            // It counts only while something waits to be sent: no silence is cut by it.
            self.issue(
                Kind::SendTimeout(send_s),
                send.unwrap_or(pass),
                format!(
                    "gives the backend {send_s:.0} s to take what is sent (proxy_send_timeout); \
                     3600 s is recommended"
                ),
                !open,
            );
        }
    }
}

/// A pass or a code path that an `if` decides.
fn pass_in_if(block: &[Directive]) -> Option<&Directive> {
    block.iter().filter(|d| d.name == "if").find(|d| {
        d.block.as_deref().unwrap_or_default().iter().any(|inner| inner.name.ends_with("_pass"))
    })
}

/// Whether the condition of an `if` holds for an upgrade: a variable alone, or
/// compared with `=`, `!=`, `~`, `~*` and their negations.
fn condition(args: &[String], scope: &Scope<'_>) -> Option<bool> {
    let joined = args.join(" ");
    let inner = joined.trim().strip_prefix('(')?.strip_suffix(')')?.trim().to_owned();
    let mut words = inner.splitn(3, ' ');
    let Value::Known(left) = value(words.next()?, scope) else { return None };
    let operator = words.next();
    let right = words.next().map(str::trim);
    match (operator, right) {
        (None, _) => Some(!left.is_empty() && left != "0"),
        (Some("="), Some(right)) => Some(left == right),
        (Some("!="), Some(right)) => Some(left != right),
        (Some("~"), Some(right)) => Some(pcre(right, false)?.is_match(&left)),
        (Some("~*"), Some(right)) => Some(pcre(right, true)?.is_match(&left)),
        (Some("!~"), Some(right)) => Some(!pcre(right, false)?.is_match(&left)),
        (Some("!~*"), Some(right)) => Some(!pcre(right, true)?.is_match(&left)),
        _ => None,
    }
}

fn has_token(value: &str, wanted: &str) -> bool {
    value.split(',').any(|token| token.trim().eq_ignore_ascii_case(wanted))
}

/// Where headers are missing, and why: never set, or set further out and lost.
fn missing_words<'t>(
    missing: &[&str],
    own: &[&'t Directive],
    outer: &[&'t Directive],
    pass: &'t Directive,
    place: impl Fn(&Directive) -> Place,
) -> (&'t Directive, String) {
    let names = missing.join(" and ");
    let lost = outer.iter().find(|d| missing.iter().any(|m| d.arg(0).eq_ignore_ascii_case(m)));
    match (own.first(), lost) {
        (Some(first), Some(lost)) => (
            first,
            format!(
                "is a proxy_set_header of this block, which therefore inherits none from further \
                 out: {names}, set at {}, {} not sent on",
                place(lost),
                if missing.len() > 1 { "are" } else { "is" },
            ),
        ),
        _ => (
            pass,
            format!(
                "passes the request on without {names}: nginx drops them unless proxy_set_header sends them"
            ),
        ),
    }
}
