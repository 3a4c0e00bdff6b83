//! The way of an upgrade through VCL: `vcl_recv`, then `vcl_pipe` or `vcl_synth`.

use super::edits::WANTED;
use super::parse::{Does, Parsed, Statement, Sub, Token, parse};
use super::row::pipe_timeout;
use super::value::{Expression, State, Value};
use crate::configuration::chain::Hop;
use crate::configuration::patch::Edit;
use crate::configuration::source::File;
use crate::configuration::{Issue, Kind, NEEDED_S, Place, Program, Provided, Reading, Request};

/// Deepest chain of calls.
const CALLS: usize = 20;
/// Where nothing else is set (`pipe_timeout`).
const PIPE_S: f64 = 60.0;
/// Most times that a request begins anew.
const RESTARTS: usize = 4;

pub(super) struct Check<'t> {
    pub(super) files: &'t [File],
    subs: &'t [Sub],
    request: &'t Request<'t>,
    reading: Reading,
    sure: bool,
}

/// How a block ended.
enum Ended<'t> {
    /// An action, with its arguments and its statement.
    Action(&'t str, &'t [Token], &'t Statement),
    /// The subroutine alone.
    Sub,
    /// It did not.
    Goes,
    /// That is not known, and was said.
    Unknown,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let mut reading = Reading::new(Program(&super::DIALECT));
    let parsed: Vec<Parsed> = files
        .iter()
        .enumerate()
        .map(|(at, file)| parse(&file.text, at).unwrap_or_default())
        .collect();
    let name = |file: &File| file.name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let included = |at: usize| {
        let own = files.get(at).map(name).unwrap_or_default();
        parsed
            .iter()
            .flat_map(|p| &p.includes)
            .any(|(_, path, _)| path.rsplit('/').next() == Some(&own))
    };
    let mut subs = Vec::new();
    for at in (0..parsed.len()).filter(|at| !included(*at)) {
        joined(files, &parsed, at, 0, &mut subs, &mut reading.not_given);
    }
    let sure = reading.not_given.is_empty();
    let mut check = Check { files, subs: &subs, request, reading, sure };
    check.run();
    check.reading
}

/// The subroutines of a file, with those that it includes in their places.
fn joined(
    files: &[File],
    parsed: &[Parsed],
    at: usize,
    depth: usize,
    out: &mut Vec<Sub>,
    missing: &mut Vec<String>,
) {
    let Some(own) = parsed.get(at) else { return };
    for number in 0..=own.subs.len() {
        for (_, path, _) in own.includes.iter().filter(|(before, ..)| *before == number) {
            let last = path.rsplit('/').next().unwrap_or_default();
            let given = files
                .iter()
                .position(|f| f.name.rsplit(['/', '\\']).next() == Some(last))
                .filter(|other| *other != at && depth < CALLS);
            match given {
                Some(other) => joined(files, parsed, other, depth + 1, out, missing),
                None => missing.push(path.clone()),
            }
        }
        out.extend(own.subs.get(number).cloned());
    }
}

impl<'t> Check<'t> {
    pub(super) fn line(&self, file: usize, line: u32) -> (Place, String) {
        let text = self.files.get(file).map_or("", |f| f.text.as_str());
        let own = text.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default();
        (Place::of(self.files, file, line), own.trim().to_owned())
    }

    fn follow(&mut self, file: usize, line: u32) {
        let (place, line) = self.line(file, line);
        self.reading.follow(place, line);
    }

    fn untold(&mut self, at: Option<&Statement>, why: impl Into<String>) {
        let place = at.map(|s| Place::of(self.files, s.file, s.line));
        self.reading.untold(place, why.into(), None);
    }

    fn issue(&mut self, kind: Kind, at: (usize, u32), says: impl Into<String>, edits: Vec<Edit>) {
        let (place, line) = self.line(at.0, at.1);
        let issue = Issue::new(kind, place, line, says.into());
        self.reading.issues.push(Issue { sure: self.sure, edits, ..issue });
    }

    pub(super) fn named(&self, name: &str) -> Vec<&'t Sub> {
        self.subs.iter().filter(|sub| sub.name == name).collect()
    }

    fn run(&mut self) {
        let recv = self.named("vcl_recv");
        let mut state = State::of(self.request);
        for restarts in 0..=RESTARTS {
            state.set("req.restarts", Value::Text(restarts.to_string()));
            let ended = self.subroutine(&recv, &mut state, 0);
            match ended {
                Ended::Unknown => return,
                Ended::Action("restart", ..) => {}
                Ended::Action(action, args, at) => {
                    self.follow(at.file, at.line);
                    return self.acted(action, args, at, &mut state);
                }
                Ended::Sub | Ended::Goes => {
                    let Some(last) = recv.last() else {
                        return self.untold(None, "no vcl_recv is in the files");
                    };
                    let says = "does not end an upgrade by return (pipe): Varnish drops Upgrade and \
                                Connection, and the server answers what is no upgrade";
                    let edits = self.piping(&state);
                    return self.issue(Kind::UpgradeHeaders, (last.file, last.line), says, edits);
                }
            }
        }
        self.untold(None, "the request begins anew again and again (return (restart))");
    }

    /// What `vcl_recv` ended with.
    fn acted(&mut self, action: &str, args: &'t [Token], at: &Statement, state: &mut State) {
        let path = self.request.path;
        let place = (at.file, at.line);
        match action {
            "pipe" => self.pipe(at, state),
            "pass" | "hash" | "lookup" => {
                let says = "is no return (pipe): Varnish drops Upgrade and Connection, and the server \
                            answers what is no upgrade";
                let edits = self.piping(state);
                self.issue(Kind::UpgradeHeaders, place, says, edits);
            }
            "synth" | "error" => self.synthetic(args, at, state),
            "purge" => {
                let says = format!("takes {path} out of the cache and answers 200");
                self.issue(Kind::PathRule(Some(200)), place, says, Vec::new());
            }
            "fail" => {
                let says = "ends the request with 503 (VCL failed)";
                self.issue(Kind::PathRule(Some(503)), place, says, Vec::new());
            }
            other => {
                let why = format!("what return ({other}) does with the request is not known here");
                self.untold(Some(at), why);
            }
        }
    }

    /// Statements in a row.
    fn block(&mut self, block: &'t [Statement], state: &mut State, depth: usize) -> Ended<'t> {
        for one in block {
            match &one.does {
                Does::Set { name, op, value } => {
                    let mut new = Expression::value(value, state);
                    if op != "=" {
                        new = match (state.get(name), new) {
                            (Value::Text(a), Value::Text(b)) if op == "+=" => Value::Text(a + &b),
                            (_, Value::Unknown(why)) => Value::Unknown(why),
                            _ => Value::Unknown(name.clone()),
                        };
                    }
                    if name.ends_with("backend_hint") || name == "bereq.backend" {
                        self.follow(one.file, one.line);
                    }
                    self.changed(name, state.get(name) != new, one, state);
                    state.set(name, new);
                }
                Does::Unset(name) => {
                    self.changed(name, true, one, state);
                    state.set(name, Value::Unset);
                }
                Does::Call(name) => {
                    let subs = self.named(name);
                    if subs.is_empty() || depth >= CALLS {
                        self.untold(Some(one), format!("the sub {name} was not given"));
                        return Ended::Unknown;
                    }
                    match self.subroutine(&subs, state, depth + 1) {
                        Ended::Sub | Ended::Goes => {}
                        ended => return ended,
                    }
                }
                Does::Return(None) => return Ended::Sub,
                Does::Return(Some((action, args))) => return Ended::Action(action, args, one),
                Does::If(branches) => match self.branches(one, branches, state, depth) {
                    Ended::Goes => {}
                    ended => return ended,
                },
                Does::Other => {}
            }
        }
        Ended::Goes
    }

    /// Who changed a value last: looked up where it matters.
    fn changed(&mut self, name: &str, is: bool, by: &Statement, state: &mut State) {
        if is {
            let at = format!("{}:{}", by.file, by.line);
            state.set(&format!("by {name}"), Value::Text(at));
        }
    }

    fn subroutine(&mut self, subs: &[&'t Sub], state: &mut State, depth: usize) -> Ended<'t> {
        for sub in subs {
            match self.block(&sub.block, state, depth) {
                Ended::Goes => {}
                ended => return ended,
            }
        }
        Ended::Goes
    }

    fn branches(
        &mut self,
        at: &'t Statement,
        branches: &'t [(Option<Vec<Token>>, Vec<Statement>)],
        state: &mut State,
        depth: usize,
    ) -> Ended<'t> {
        for (number, (condition, block)) in branches.iter().enumerate() {
            let held = match condition {
                Some(words) => Expression::holds(words, state),
                None => Ok(true),
            };
            match held {
                Ok(false) => {}
                Ok(true) => return self.block(block, state, depth),
                Err(why) => {
                    let rest = branches.get(number..).unwrap_or_default();
                    let mut names = Vec::new();
                    if rest.iter().any(|(_, block)| self.ends(block, &mut names, depth)) {
                        let why = format!("whether this applies depends on {why}");
                        self.untold(Some(at), why);
                        return Ended::Unknown;
                    }
                    for name in names {
                        state.set(&name, Value::Unknown(why.clone()));
                    }
                    return Ended::Goes;
                }
            }
        }
        Ended::Goes
    }

    /// Whether a block may end the request; collects what it changes.
    fn ends(&self, block: &[Statement], names: &mut Vec<String>, depth: usize) -> bool {
        block.iter().any(|one| match &one.does {
            Does::Return(_) => true,
            Does::Set { name, .. } | Does::Unset(name) => {
                names.push(name.clone());
                false
            }
            Does::Call(name) => {
                let subs = self.named(name);
                subs.is_empty()
                    || depth >= CALLS
                    || subs.iter().any(|sub| self.ends(&sub.block, names, depth + 1))
            }
            Does::If(branches) => {
                branches.iter().any(|(_, block)| self.ends(block, names, depth + 1))
            }
            Does::Other => false,
        })
    }

    /// `return (pipe)`: what `vcl_pipe` gives the backend.
    fn pipe(&mut self, at: &Statement, state: &mut State) {
        let subs = self.named("vcl_pipe");
        state.set("bereq.http.upgrade", Value::Unset);
        state.set("bereq.http.connection", Value::Text("close".to_owned()));
        match self.subroutine(&subs, state, 0) {
            Ended::Unknown => return,
            Ended::Action("pipe", ..) | Ended::Sub | Ended::Goes => {}
            Ended::Action("synth" | "error", args, by) => return self.synthetic(args, by, state),
            Ended::Action("fail", _, by) => {
                let says = "ends the request with 503 (VCL failed)";
                return self.issue(Kind::PathRule(Some(503)), (by.file, by.line), says, Vec::new());
            }
            Ended::Action(action, _, by) => {
                let why = format!("what return ({action}) does with the request is not known here");
                return self.untold(Some(by), why);
            }
        }
        for sub in &subs {
            self.follow(sub.file, sub.line);
        }
        if self.headers(at, &subs, state) {
            self.elsewhere(state);
        }
        self.times(at);
    }

    /// Whether both headers reach the backend. True where that is told.
    fn headers(&mut self, at: &Statement, subs: &[&'t Sub], state: &State) -> bool {
        let mut missing = Vec::new();
        for (name, wanted) in WANTED {
            match state.get(&format!("bereq.http.{name}")) {
                Value::Text(text) if text.to_ascii_lowercase().contains(wanted) => {}
                Value::Unknown(why) => {
                    self.untold(Some(at), format!("whether {name} is sent depends on {why}"));
                    return false;
                }
                _ => missing.push(name),
            }
        }
        if missing.is_empty() {
            return true;
        }
        let says = format!(
            "passes an upgrade on without {}: in vcl_pipe Varnish sends neither unless it is set there",
            missing.join(" and ")
        );
        let place = subs.last().map_or((at.file, at.line), |sub| (sub.file, sub.line));
        let edits = self.setting(state);
        self.issue(Kind::UpgradeHeaders, place, says, edits);
        true
    }

    /// Another path or Host.
    fn elsewhere(&mut self, state: &State) {
        let by = |name: &str| match state.own.get(&format!("by {name}")) {
            Some(Value::Text(at)) => {
                at.split_once(':').and_then(|(f, l)| Some((f.parse().ok()?, l.parse().ok()?)))
            }
            _ => None,
        };
        for name in ["bereq.url", "req.url"] {
            let Some(place) = by(name) else { continue };
            match state.get("bereq.url") {
                Value::Text(url) if url == self.request.path => {}
                Value::Text(url) => {
                    let says = format!("asks Bindplane for {url} instead of {}", self.request.path);
                    self.issue(Kind::PathChanged, place, says, Vec::new());
                }
                _ => self.reading.untold(
                    Some(Place::of(self.files, place.0, place.1)),
                    "this line may change the path".to_owned(),
                    None,
                ),
            }
            break;
        }
        for name in ["bereq.http.host", "req.http.host"] {
            let Some(place) = by(name) else { continue };
            let wanted = self.request.authority();
            match state.get("bereq.http.host") {
                Value::Text(sent) if !sent.eq_ignore_ascii_case(&wanted) => {
                    let says = format!(
                        "sends `{sent}` as Host, where the browser said `{wanted}`: browsers name theirs \
                         in Origin, and a server that compares the two refuses"
                    );
                    self.issue(Kind::Host, place, says, Vec::new());
                }
                _ => {}
            }
            break;
        }
    }

    /// The one time that ends a socket; VCL does not have it.
    fn times(&mut self, at: &Statement) {
        let set = self.files.iter().find_map(|file| Some((file, pipe_timeout(&file.text)?)));
        let command =
            "varnishadm param.set pipe_timeout 3600   # and -p pipe_timeout=3600 in varnishd's \
                       arguments, so that it stays"
                .to_owned();
        if let Some((file, (line, s))) = set {
            if s > 0.0 && s < NEEDED_S {
                let shown = file.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
                let place = Place::new(file.name.clone(), u32::try_from(line).unwrap_or(u32::MAX));
                let says =
                    format!("pipe_timeout: cuts a connection on which nothing comes for {s:.0} s");
                let issue = Issue::new(Kind::Timeout(s), place, shown.trim().to_owned(), says);
                self.reading.issues.push(Issue { command, ..issue });
            }
            return;
        }
        let (place, line) = self.line(at.file, at.line);
        let says = format!(
            "hands the connection to a pipe, which Varnish cuts where nothing comes for {PIPE_S:.0} s: its \
             parameter pipe_timeout says otherwise or does not, and is in no VCL"
        );
        let issue = Issue::new(Kind::Timeout(PIPE_S), place, line, says);
        let provided = Some(Provided::Condition);
        self.reading.issues.push(Issue { provided, command, ..issue });
    }

    /// An answer of Varnish's own, after `vcl_synth`.
    fn synthetic(&mut self, args: &'t [Token], at: &Statement, state: &mut State) {
        let status = match Expression::value(args.get(..1).unwrap_or_default(), state) {
            Value::Text(text) => text,
            _ => return self.untold(Some(at), "the status of this answer is not in the file"),
        };
        state.set("resp.status", Value::Text(status));
        match self.subroutine(&self.named("vcl_synth"), state, 0) {
            Ended::Unknown => return,
            Ended::Action("restart", _, by) => {
                return self.untold(Some(by), "the request begins anew (return (restart))");
            }
            _ => {}
        }
        let status = match state.get("resp.status") {
            Value::Text(text) => {
                text.parse::<u32>().ok().and_then(|s| u16::try_from(s % 1000).ok())
            }
            _ => None,
        };
        let place = (at.file, at.line);
        let path = self.request.path;
        if status.is_some_and(|s| (300..400).contains(&s)) {
            let scheme = if self.request.tls { "https" } else { "http" };
            let own = format!("{scheme}://{}{path}", self.request.authority());
            let to = state.get("resp.http.location");
            let code = status.unwrap_or(301);
            if to == Value::Text(own) {
                let says = "redirects to the very URL that was asked for";
                return self.issue(Kind::RedirectLoop(code), place, says, Vec::new());
            }
            let says = format!("redirects {path} ({code}), which a WebSocket does not follow");
            return self.issue(Kind::PathRule(status), place, says, Vec::new());
        }
        let says = format!("answers {path} itself, and sends nothing to Bindplane");
        self.issue(Kind::PathRule(status), place, says, Vec::new());
    }
}
