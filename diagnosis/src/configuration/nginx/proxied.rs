//! What the block that passes an upgrade on does to it: version, headers, Host,
//! times, and the servers behind.

use super::check::{Check, Scope};
use super::include::missing;
use super::parse::Directive;
use super::value::{State, Value, seconds};
use crate::configuration::patch::{Edit, How};
use crate::configuration::{Generator, HIDES, Kind, NEEDED_S, Place, Provided};

/// nginx speaks HTTP/1.1 to backends by itself from here on (changes of 1.29.7).
const HTTP_1_1_BY_DEFAULT: (u32, u32, u32) = (1, 29, 7);

/// What files that were not given may set.
#[derive(Default)]
struct Open<'t>(Vec<(&'t Directive, &'static str)>);

impl<'t> Open<'t> {
    fn add(&mut self, include: &'t Directive, what: &'static str) {
        self.0.push((include, what));
    }
}

/// A directive as it applies, or the file that may set it.
struct Applies<'t> {
    found: Option<&'t Directive>,
    /// A file that was not given and may set it further in.
    open: Option<&'t Directive>,
}

/// The innermost level that sets a directive. A file included there cannot set it
/// again, since nginx refuses duplicates; one further in can.
fn applies<'t>(scope: &Scope<'t>, name: &str) -> Applies<'t> {
    let mut open = None;
    for level in scope.levels.iter().rev() {
        if let Some(found) = level.iter().rfind(|d| d.name == name) {
            return Applies { found: Some(found), open };
        }
        open = open.or_else(|| missing(level).next());
    }
    Applies { found: None, open }
}

/// The `proxy_set_header` lines in effect.
pub(super) struct Headers<'t> {
    /// Those of the innermost level that has any.
    pub(super) own: Vec<&'t Directive>,
    /// Those further out, which it does not inherit.
    pub(super) outer: Vec<&'t Directive>,
    /// A file that was not given and may set some.
    pub(super) open: Option<&'t Directive>,
    /// Whether those in effect stand in the innermost block.
    in_block: bool,
}

impl<'t> Headers<'t> {
    pub(super) fn of(levels: &[&'t [Directive]]) -> Self {
        let sets = |level: &'t [Directive]| level.iter().filter(|d| d.name == "proxy_set_header");
        let mut headers = Self { own: Vec::new(), outer: Vec::new(), open: None, in_block: false };
        for (depth, level) in levels.iter().rev().enumerate() {
            if headers.own.is_empty() {
                headers.open = headers.open.or_else(|| missing(level).next());
                headers.own = sets(level).collect();
                headers.in_block = depth == 0;
            } else {
                headers.outer.extend(sets(level));
            }
        }
        headers
    }

    pub(super) fn named(&self, name: &str) -> Option<&'t Directive> {
        self.own.iter().rfind(|d| d.arg(0).eq_ignore_ascii_case(name)).copied()
    }
}

impl<'t> Check<'t> {
    pub(super) fn proxied(&mut self, scope: &Scope<'t>, pass: &'t Directive, state: &State<'t>) {
        let mut open = Open::default();
        if !self.http_version(scope, pass, &mut open) {
            self.headers(scope, pass, state, &mut open);
            self.hides_grant(scope);
        }
        self.timeouts(scope, pass, &mut open);
        self.servers(scope, pass, state);
        self.say_open(&open);
    }

    /// One sentence for each file, however much it may set.
    fn say_open(&mut self, open: &Open<'t>) {
        let mut files: Vec<&'t Directive> = Vec::new();
        for (include, _) in &open.0 {
            if !files.iter().any(|known| std::ptr::eq(*known, *include)) {
                files.push(include);
            }
        }
        for include in files {
            let of = open.0.iter().filter(|(file, _)| std::ptr::eq(*file, include));
            let what: Vec<&str> = of.map(|(_, what)| *what).collect();
            let file = include.arg(0);
            let why =
                format!("{file} was not given, and may set {}: send it, too", what.join(", "));
            self.untold(Some(include), why, Some(file));
        }
    }

    /// Whether it is HTTP/2, where the headers no longer matter.
    fn http_version(
        &mut self,
        scope: &Scope<'t>,
        pass: &'t Directive,
        open: &mut Open<'t>,
    ) -> bool {
        let set = applies(scope, "proxy_http_version");
        if let Some(include) = set.open {
            open.add(include, "proxy_http_version");
            return false;
        }
        match set.found.map(|d| (d, d.arg(0))) {
            Some((d, "2" | "2.0")) => {
                let says = "speaks HTTP/2 to the backend, which an upgrade cannot cross";
                self.issue(Kind::Http2, d, says, true);
                return true;
            }
            Some((d, "1.0")) => {
                let says = "speaks HTTP/1.0 to the backend: an upgrade needs HTTP/1.1";
                self.issue(Kind::HttpVersion, d, says, true);
            }
            Some(_) => {}
            None => match self.request.version {
                Some(version) if version >= HTTP_1_1_BY_DEFAULT => {}
                known => self.issue(
                    Kind::HttpVersion,
                    pass,
                    "passes requests on by HTTP/1.0, since no proxy_http_version applies here \
                     (before nginx 1.29.7 that is the default): an upgrade needs HTTP/1.1",
                    known.is_some(),
                ),
            },
        }
        false
    }

    fn headers(
        &mut self,
        scope: &Scope<'t>,
        pass: &'t Directive,
        state: &State<'t>,
        open: &mut Open<'t>,
    ) {
        let headers = Headers::of(&scope.levels);
        let mut lacks: Vec<&str> = Vec::new();
        let mut wrong: Option<(&'t Directive, String)> = None;
        for (name, wanted) in [("Upgrade", "websocket"), ("Connection", "upgrade")] {
            let Some(set) = headers.named(name) else {
                lacks.push(name);
                continue;
            };
            match self.eval(state).value(set.arg(1)) {
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
                    None,
                ),
            }
        }
        if let (Some(include), false) = (headers.open, lacks.is_empty()) {
            open.add(include, "proxy_set_header");
            lacks.clear();
        }
        if !lacks.is_empty() {
            let (at, mut says) = missing_words(&lacks, &headers, pass, |d| self.place(d));
            if self.reading.generator == Some(Generator::NginxProxyManager) {
                says.push_str(
                    " (in Nginx Proxy Manager that is the switch `Websockets Support` of the proxy \
                     host)",
                );
            }
            self.issue(Kind::UpgradeHeaders, at, says, true);
            self.mend(forwarding(&lacks, &headers), pass);
        } else if let Some((at, says)) = wrong {
            self.issue(Kind::UpgradeHeaders, at, says, true);
        }
        self.host(&headers, pass, state);
    }

    /// Lines after the one that passes the request on, for the last issue.
    fn mend(&mut self, lines: Vec<String>, pass: &'t Directive) {
        let anchor = format!("proxy_pass {};", pass.arg(0));
        let edit = Edit { place: self.place(pass), how: How::After { anchor, lines } };
        if let Some(last) = self.reading.issues.last_mut().filter(|_| pass.args.len() == 1) {
            last.edits.push(edit);
        }
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
            let open = scope.levels.iter().any(|level| missing(level).next().is_some());
            self.issue(Kind::HidesGrant, hides, HIDES, !open);
        }
    }

    /// gorilla compares Origin with Host, port and all (facts: point 3).
    fn host(&mut self, headers: &Headers<'t>, pass: &'t Directive, state: &State<'t>) {
        let wanted = self.request.authority();
        let Some(set) = headers.named("Host") else {
            if headers.open.is_none() {
                let says = "sends the backend's own name as Host, since no proxy_set_header Host applies here";
                self.issue(Kind::Host, pass, says, true);
                self.mend(repeated(headers, &["proxy_set_header Host $http_host;".into()]), pass);
            }
            return;
        };
        if matches!(set.arg(1), "$proxy_host" | "$proxy_host:$proxy_port") {
            return self.issue(Kind::Host, set, "sends the backend's own name as Host", true);
        }
        let Value::Known(value) = self.eval(state).value(set.arg(1)) else { return };
        if value.eq_ignore_ascii_case(&wanted) {
            return;
        }
        let why = if wanted.starts_with(&format!("{value}:")) {
            "it drops the port, which browsers name in Origin"
        } else if value.rsplit_once(':').is_some_and(|(host, _)| host == self.request.host) {
            "it names another port than the browser's Origin"
        } else {
            "it is another name than the browser's Origin has"
        };
        let says = format!(
            "sends `{value}` as Host, where the browser said `{wanted}`: {why}, and a server that \
             compares the two refuses. `$http_host` passes on what the browser sent"
        );
        self.issue(Kind::Host, set, says, true);
    }

    fn timeouts(&mut self, scope: &Scope<'t>, pass: &'t Directive, open: &mut Open<'t>) {
        let read = applies(scope, "proxy_read_timeout");
        let send = applies(scope, "proxy_send_timeout");
        if let Some(include) = read.open {
            return open.add(include, "proxy_read_timeout");
        }
        let Some(read_s) = read.found.map_or(Some(60.0), |d| seconds(d.arg(0))) else {
            return self.untold(read.found, "the timeout is not a number", None);
        };
        let send_s = send.found.map_or(Some(60.0), |d| seconds(d.arg(0)));
        let send_short = send.open.is_none() && send_s.is_some_and(|s| s < NEEDED_S);
        let own = self.reading.generator == Some(Generator::IngressNginx);
        let annotation = |name: &str| {
            let text =
                format!(" (ingress-nginx: the annotation nginx.ingress.kubernetes.io/{name})");
            if own { text } else { String::new() }
        };
        if read_s < NEEDED_S {
            let from = match read.found {
                Some(_) => format!("proxy_read_timeout is {read_s:.0} s"),
                None if self.picked.is_some_and(|picked| picked.whole) => {
                    "no proxy_read_timeout applies here, so that it is 60 s".to_owned()
                }
                None => {
                    "no proxy_read_timeout applies here, so that it is 60 s, unless the `http` \
                         block (not given) sets it"
                        .to_owned()
                }
            };
            let also = if send_short { "; proxy_send_timeout is short, too" } else { "" };
            let hint = annotation("proxy-read-timeout");
            let says = format!(
                "cuts a connection on which nothing comes for {read_s:.0} s: {from}{also}{hint}"
            );
            self.issue(Kind::Timeout(read_s), read.found.unwrap_or(pass), says, true);
        } else if send_short && let Some(send_s) = send_s {
            // It counts only while something waits to be sent: no silence is cut by it.
            let hint = annotation("proxy-send-timeout");
            let says = format!(
                "gives the backend {send_s:.0} s to take what is sent (proxy_send_timeout); 3600 s \
                 is recommended{hint}"
            );
            self.issue(Kind::SendTimeout(send_s), send.found.unwrap_or(pass), says, true);
        }
    }

    /// Several servers behind, of which nginx takes none out.
    fn servers(&mut self, scope: &Scope<'t>, pass: &'t Directive, state: &State<'t>) {
        let Value::Known(to) = self.eval(state).value(pass.arg(0)) else { return };
        let Some((_, rest)) = to.split_once("://") else { return };
        let name = rest.split(['/', '?']).next().unwrap_or_default();
        let upstream = state.http.iter().find(|d| d.name == "upstream" && d.arg(0) == name);
        let Some(upstream) = upstream else { return };
        let block = upstream.block.as_deref().unwrap_or_default();
        let servers: Vec<&Directive> = block
            .iter()
            .filter(|d| d.name == "server" && !d.args.iter().any(|a| a == "down" || a == "backup"))
            .collect();
        if servers.len() < 2 {
            return;
        }
        let never = servers.iter().find(|d| d.args.iter().any(|a| a == "max_fails=0"));
        let off = applies(scope, "proxy_next_upstream").found.filter(|d| d.arg(0) == "off");
        let count = servers.len();
        let (at, says) = match (never, off) {
            (Some(at), off) => (
                *at,
                format!(
                    "keeps a server that fails in the rotation (one of {count}{}): every request \
                     that lands on it fails",
                    if off.is_some() { "; proxy_next_upstream is off" } else { "" }
                ),
            ),
            (None, Some(at)) => {
                (at, format!("does not try another of the {count} servers when one fails"))
            }
            (None, None) => (
                upstream,
                format!(
                    "shares requests among {count} servers and asks none whether it carries \
                     WebSocket"
                ),
            ),
        };
        let before = self.provided;
        if never.is_none() && off.is_none() {
            self.provided = Some(Provided::Condition);
        }
        self.issue(Kind::NotChecked, at, says, true);
        self.provided = before;
    }
}

pub(super) fn has_token(value: &str, wanted: &str) -> bool {
    value.split(',').any(|token| token.trim().eq_ignore_ascii_case(wanted))
}

/// The lines that send the upgrade on.
fn forwarding(lacks: &[&str], headers: &Headers<'_>) -> Vec<String> {
    let lines: Vec<String> = lacks
        .iter()
        .map(|name| match *name {
            "Upgrade" => "proxy_set_header Upgrade $http_upgrade;".to_owned(),
            _ => "proxy_set_header Connection \"upgrade\";".to_owned(),
        })
        .collect();
    repeated(headers, &lines)
}

/// The block's first proxy_set_header costs it those from further out: they are
/// repeated.
fn repeated(headers: &Headers<'_>, lines: &[String]) -> Vec<String> {
    let inherited = !headers.in_block;
    let own = headers.own.iter().filter(|_| inherited).map(|d| d.shown());
    own.chain(lines.iter().cloned()).collect()
}

/// Where headers are missing, and why: never set, or set further out and lost.
fn missing_words<'t>(
    lacks: &[&str],
    headers: &Headers<'t>,
    pass: &'t Directive,
    place: impl Fn(&Directive) -> Place,
) -> (&'t Directive, String) {
    let names = lacks.join(" and ");
    let lost =
        headers.outer.iter().find(|d| lacks.iter().any(|m| d.arg(0).eq_ignore_ascii_case(m)));
    match (headers.own.first(), lost) {
        (Some(first), Some(lost)) => (
            first,
            format!(
                "is a proxy_set_header of this block, which therefore inherits none from further \
                 out: {names}, set at {}, {} not sent on",
                place(lost),
                if lacks.len() > 1 { "are" } else { "is" },
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
