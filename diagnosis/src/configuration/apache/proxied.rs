//! What hands an upgrade on, and what it does to it: `upgrade=`, the scheme, the
//! worker that is shared, Host, times, the servers behind.

use super::check::Check;
use super::parse::Directive;
use super::rewrite::pattern;
use super::sections::{Section, below};
use crate::configuration::patch::Edit;
use crate::configuration::{HIDES, Kind, NEEDED_S, Provided};

/// `Timeout` where nothing sets it (core documentation).
const TIMEOUT_S: f64 = 60.0;

/// What took the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Match {
    /// ProxyPass or ProxyPassMatch.
    Pass,
    /// RewriteRule … [P]; whether it is for upgrades alone.
    Rewrite { upgrades_alone: bool },
}

/// Who hands the request on, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pass<'t> {
    pub(super) by: &'t Directive,
    pub(super) target: String,
    pub(super) matched: Match,
}

/// The ProxyPass that takes a path: the location's before the server's, whose first
/// that fits decides. An error is a line that is not understood, or (true) one that
/// keeps the path from being passed on.
pub(super) fn pass<'t>(
    all: &[&'t Directive],
    located: &[Section<'t>],
    path: &str,
) -> Result<Option<Pass<'t>>, (&'t Directive, bool)> {
    let own = located.iter().rev().find_map(|section| {
        let pass = section.inner().iter().rfind(|d| is_pass(d))?;
        Some((section, pass))
    });
    if let Some((section, by)) = own {
        if by.arg(0) == "!" {
            return Err((by, true));
        }
        let regex = section.head.name == "locationmatch" || section.head.arg(0) == "~";
        let prefix = section.head.arg(0);
        let rest = if regex { Some(path) } else { below(prefix, path) };
        let target = if regex {
            by.arg(0).to_owned()
        } else {
            format!("{}{}", by.arg(0), rest.unwrap_or_default())
        };
        return Ok(Some(Pass { by, target, matched: Match::Pass }));
    }
    for by in all.iter().copied().filter(|d| is_pass(d) && d.args.len() > 1) {
        let target = if by.name == "proxypassmatch" {
            let Some(regex) = pattern(by.arg(0), false) else { return Err((by, false)) };
            let Some(found) = regex.captures(path) else { continue };
            let mut to = by.arg(1).to_owned();
            let whole = !to.contains('$');
            for at in 0..10 {
                to = to.replace(&format!("${at}"), found.get(at).map_or("", |m| m.as_str()));
            }
            // Without a group the path is added.
            if whole && by.arg(1) != "!" { format!("{to}{path}") } else { to }
        } else {
            let Some(rest) = below(by.arg(0), path) else { continue };
            format!("{}{rest}", by.arg(1))
        };
        if by.arg(1) == "!" {
            return Err((by, true));
        }
        return Ok(Some(Pass { by, target, matched: Match::Pass }));
    }
    Ok(None)
}

fn is_pass(one: &Directive) -> bool {
    matches!(one.name.as_str(), "proxypass" | "proxypassmatch")
}

/// A worker: what holds for every URL below its own. The first that is defined for
/// a URL shares itself with those below, whose own words do not count (measured).
#[derive(Debug, Clone)]
pub(super) struct Worker<'t> {
    url: String,
    pub(super) by: &'t Directive,
    params: &'t [String],
    /// Its URL has groups of a pattern: it is shared with no other line.
    pattern: bool,
}

/// All workers, in the order of the files.
pub(super) struct Workers<'t>(Vec<Worker<'t>>);

impl<'t> Workers<'t> {
    pub(super) fn of(main: &'t [Directive], host: &'t [Directive]) -> Self {
        let mut workers = Self(Vec::new());
        workers.add(main);
        workers.add(host);
        workers
    }

    fn add(&mut self, all: &'t [Directive]) {
        for one in all {
            match one.name.as_str() {
                "proxypass" => {
                    let at = usize::from(one.arg(1).contains("://") || one.arg(1).contains(':'));
                    if one.arg(at) != "!" {
                        self.define(one.arg(at), one, one.args.get(at + 1..).unwrap_or_default());
                    }
                }
                "proxypassmatch" if one.args.len() > 1 => {
                    self.define(one.arg(1), one, one.args.get(2..).unwrap_or_default());
                }
                "proxy" => {
                    for member in one.inner().iter().filter(|d| d.name == "balancermember") {
                        self.define(
                            member.arg(0),
                            member,
                            member.args.get(1..).unwrap_or_default(),
                        );
                    }
                    if let Some(set) = one.inner().iter().find(|d| d.name == "proxyset") {
                        self.define(one.arg(0), set, &set.args);
                    }
                }
                "location" | "locationmatch" => self.add(one.inner()),
                "balancermember" => {
                    self.define(one.arg(1), one, one.args.get(2..).unwrap_or_default());
                }
                _ => {}
            }
        }
    }

    fn define(&mut self, url: &str, by: &'t Directive, params: &'t [String]) {
        let url = url.split_once('|').map_or(url, |(_, url)| url);
        if url.starts_with("balancer:") && by.name != "proxyset" {
            return;
        }
        let pattern = by.name == "proxypassmatch" && by.arg(1).contains('$');
        if pattern || self.0.iter().all(|known| known.pattern || !url.starts_with(&known.url)) {
            self.0.push(Worker { url: url.to_owned(), by, params, pattern });
        }
    }

    /// The worker of a URL: the longest that it begins with.
    fn find(&self, url: &str) -> Option<&Worker<'t>> {
        let fits = |w: &&Worker<'t>| {
            // Up to the first group, which is all that is fixed of a pattern.
            let fixed =
                if w.pattern { w.url.split('$').next().unwrap_or_default() } else { &w.url };
            url.starts_with(fixed) && w.url.len() <= url.len()
        };
        // Of two as long as each other the first.
        self.0.iter().rev().filter(fits).max_by_key(|w| w.url.len())
    }
}

impl<'t> Worker<'t> {
    fn param(&self, name: &str) -> Option<&'t str> {
        self.params.iter().find_map(|p| {
            let (own, value) = p.split_once('=')?;
            own.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    fn upgrades(&self) -> bool {
        self.param("upgrade").is_some_and(|to| {
            to.eq_ignore_ascii_case("websocket") || to.eq_ignore_ascii_case("any")
        })
    }
}

/// Seconds of `timeout=`, `ProxyTimeout`: a number, or one with a unit.
fn seconds(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: f64 = text.get(..digits)?.parse().ok()?;
    match text.get(digits..)? {
        "" | "s" => Some(number),
        "ms" => Some(number / 1000.0),
        "mi" | "min" => Some(number * 60.0),
        "h" => Some(number * 3600.0),
        _ => None,
    }
}

impl<'t> Check<'t> {
    pub(super) fn proxied(
        &mut self,
        pass: &Pass<'t>,
        all: &[&'t Directive],
        located: &[Section<'t>],
        workers: &Workers<'t>,
    ) {
        let scheme = pass.target.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let inner = || located.iter().flat_map(|s| s.inner());
        match scheme.as_str() {
            "h2" | "h2c" => {
                let says = "speaks HTTP/2 to the backend, which an upgrade cannot cross";
                self.issue(Kind::Http2, pass.by, says);
            }
            "http" | "https" | "ws" | "wss" | "unix" | "balancer" => {
                let http_1_0 = ["setenv", "setenvif", "setenvifnocase", "browsermatch"];
                let forced = all.iter().copied().chain(inner()).find(|d| {
                    http_1_0.contains(&d.name.as_str())
                        && d.args.iter().any(|a| a.starts_with("force-proxy-request-1.0"))
                });
                if let Some(by) = forced {
                    self.http_1_0(by);
                }
                self.upgrade(pass, &scheme, all, located, workers);
            }
            _ => {
                let says = format!("passes the request on by {scheme}, which has no upgrade");
                self.issue(Kind::UpgradeHeaders, pass.by, says);
            }
        }
        self.headers(all, located);
        self.host(pass, all, located);
        self.timeouts(pass, located, workers);
        self.servers(pass, all);
    }

    fn http_1_0(&mut self, by: &'t Directive) {
        let before = self.provided;
        if by.name != "setenv" {
            self.provided = Some(Provided::Condition);
        }
        let says = "makes httpd speak HTTP/1.0 to the backend, without Upgrade and Connection \
                    (force-proxy-request-1.0): an upgrade needs HTTP/1.1";
        self.issue(Kind::HttpVersion, by, says);
        self.issue(Kind::UpgradeHeaders, by, says);
        self.provided = before;
    }

    /// Whether the upgrade is sent on.
    fn upgrade(
        &mut self,
        pass: &Pass<'t>,
        scheme: &str,
        all: &[&'t Directive],
        located: &[Section<'t>],
        workers: &Workers<'t>,
    ) {
        if matches!(scheme, "ws" | "wss") {
            return;
        }
        if scheme == "balancer" {
            return self.balanced(pass, all, located);
        }
        let url = pass.target.split_once('|').map_or(pass.target.as_str(), |(_, url)| url);
        let worker = workers.find(url);
        if worker.is_some_and(Worker::upgrades) {
            return;
        }
        let own = pass.by.args.iter().any(|a| a.to_ascii_lowercase().starts_with("upgrade="));
        let fix = "httpd 2.4.47 and later sends the upgrade on by upgrade=websocket on this line, \
                   earlier ones by a ws:// target (mod_proxy_wstunnel)";
        match worker.filter(|w| own && !std::ptr::eq(w.by, pass.by)) {
            Some(worker) => {
                let says = format!(
                    "was read before `{}`, and shares its connections with it: that line's \
                     upgrade=websocket does not count. Write it here, or put the longer path first",
                    pass.by.shown
                );
                self.issue(Kind::UpgradeHeaders, worker.by, says);
                self.mend(target_edit(self.place(worker.by), worker.by, &worker.url));
            }
            None => {
                let says = format!("passes the request on without Upgrade and Connection: {fix}");
                self.issue(Kind::UpgradeHeaders, pass.by, says);
                let target = if pass.matched == Match::Pass {
                    pass.by.args.iter().find(|a| a.contains("://"))
                } else {
                    None
                };
                if let Some(target) = target {
                    self.mend(target_edit(self.place(pass.by), pass.by, target));
                }
                // The line whose words count for both.
                if let Some(shared) = worker.filter(|w| !std::ptr::eq(w.by, pass.by)) {
                    self.mend(target_edit(self.place(shared.by), shared.by, &shared.url));
                }
            }
        }
    }

    fn mend(&mut self, edit: Option<Edit>) {
        if let Some(last) = self.reading.issues.last_mut() {
            last.edits.extend(edit);
        }
    }

    /// `balancer://name`: what counts is said of each member.
    fn balanced(&mut self, pass: &Pass<'t>, all: &[&'t Directive], located: &[Section<'t>]) {
        let members = members(pass, all);
        if members.is_empty() {
            return self.untold(Some(pass.by), "the members of this balancer are not in the files");
        }
        let _ = located;
        let plain = |d: &&&Directive| {
            let own = d.args.iter().any(|a| {
                let a = a.to_ascii_lowercase();
                a == "upgrade=websocket" || a == "upgrade=any"
            });
            let http = d.args.iter().any(|a| a.starts_with("http://") || a.starts_with("https://"));
            http && !own
        };
        let first = members.iter().find(plain).copied();
        let Some(member) = first else { return };
        let before = self.provided;
        if members.iter().any(|m| !plain(&m)) {
            // Some nodes carry it, and some do not.
            self.provided = Some(Provided::Condition);
        }
        let says = "is handed upgrades without Upgrade and Connection: upgrade=websocket is missing \
                    on this line (httpd 2.4.47 and later)";
        self.issue(Kind::UpgradeHeaders, member, says);
        for member in members.iter().filter(plain) {
            if let Some(target) = member.args.iter().find(|a| a.contains("://")) {
                self.mend(target_edit(self.place(member), member, target));
            }
        }
        self.provided = before;
    }

    fn headers(&mut self, all: &[&'t Directive], located: &[Section<'t>]) {
        let lines = || all.iter().copied().chain(located.iter().flat_map(|s| s.inner()));
        let of = |d: &Directive, name: &str, header: &str| {
            let early = d
                .args
                .iter()
                .position(|a| ["unset", "set"].contains(&a.to_ascii_lowercase().as_str()));
            d.name == name && early.is_some_and(|at| d.is(at + 1, header))
        };
        if let Some(by) = lines().find(|d| of(d, "requestheader", "upgrade")) {
            let unset = by.args.iter().any(|a| a.eq_ignore_ascii_case("unset"));
            let other = !by.args.iter().any(|a| a.eq_ignore_ascii_case("websocket"));
            if unset || other {
                let conditional =
                    by.args.iter().any(|a| a.starts_with("env=") || a.starts_with("expr="));
                let before = self.provided;
                if conditional {
                    self.provided = Some(Provided::Condition);
                }
                let says = "takes from the upgrade the header that makes it one";
                self.issue(Kind::UpgradeHeaders, by, says);
                if unset {
                    self.mend(Some(Edit::delete(&self.place(by))));
                }
                self.provided = before;
            }
        }
        let offered = !lines().any(|d| of(d, "requestheader", "sec-websocket-extensions"));
        let hides = lines().find(|d| of(d, "header", "sec-websocket-extensions"));
        if let Some(by) =
            hides.filter(|d| offered && d.args.iter().any(|a| a.eq_ignore_ascii_case("unset")))
        {
            self.issue(Kind::HidesGrant, by, HIDES);
            self.mend(Some(Edit::delete(&self.place(by))));
        }
    }

    /// gorilla compares Origin with Host.
    fn host(&mut self, pass: &Pass<'t>, all: &[&'t Directive], located: &[Section<'t>]) {
        let inner = || located.iter().flat_map(|s| s.inner());
        let preserves = inner().rfind_last(|d| d.name == "proxypreservehost");
        let preserves =
            preserves.or_else(|| all.iter().copied().rfind(|d| d.name == "proxypreservehost"));
        let sets = all
            .iter()
            .copied()
            .chain(inner())
            .find(|d| d.name == "requestheader" && d.is(0, "set") && d.is(1, "host"));
        if let Some(by) = sets.filter(|d| !d.arg(2).eq_ignore_ascii_case(&self.request.authority()))
        {
            if !by.arg(2).contains('%') {
                let says = format!(
                    "sends `{}` as Host, where the browser said `{}`, which it names in Origin as well: \
                     a server that compares the two refuses",
                    by.arg(2),
                    self.request.authority()
                );
                self.issue(Kind::Host, by, says);
            }
            return;
        }
        if preserves.is_some_and(|d| d.is(0, "on")) {
            return;
        }
        let by = preserves.unwrap_or(pass.by);
        let says = "sends the backend's own name as Host, since ProxyPreserveHost is not On: browsers \
                    name the other in Origin, and a server that compares the two refuses";
        self.issue(Kind::Host, by, says);
        let place = self.place(by);
        let edit = match preserves {
            Some(off) => Edit::replace(&place, off.shown.as_str(), "ProxyPreserveHost On"),
            None => Edit::before(&place, &["ProxyPreserveHost On"]),
        };
        self.mend(Some(edit));
    }

    /// An upgraded connection lives by the longer one of both sides: `Timeout`, and
    /// `timeout=` of the worker or else ProxyTimeout (measured with 2.4.71).
    fn timeouts(&mut self, pass: &Pass<'t>, located: &[Section<'t>], workers: &Workers<'t>) {
        if self.setting("proxywebsocketfallbacktoproxyhttp").is_some_and(|d| d.is(0, "off")) {
            let by = self.setting("proxywebsocketfallbacktoproxyhttp");
            return self
                .untold(by, "what limits a socket of mod_proxy_wstunnel alone is not known");
        }
        let timeout = self.setting("timeout");
        let client = timeout.map_or(Some(TIMEOUT_S), |d| seconds(d.arg(0)));
        let worker = workers.find(&pass.target).filter(|w| w.param("timeout").is_some());
        let proxy = self.setting("proxytimeout");
        let backend = match (worker, proxy) {
            (Some(worker), _) => worker.param("timeout").and_then(seconds),
            (None, Some(proxy)) => seconds(proxy.arg(0)),
            (None, None) => client,
        };
        let (Some(client), Some(backend)) = (client, backend) else {
            return self.untold(timeout, "the timeout is not a number");
        };
        let longer = client.max(backend);
        if longer >= NEEDED_S {
            return;
        }
        // Of two that are set, the one that decides.
        let by = match (worker, proxy, timeout) {
            (Some(worker), ..) if backend >= client => worker.by,
            (None, Some(proxy), _) if backend >= client => proxy,
            (_, _, Some(timeout)) => timeout,
            _ => pass.by,
        };
        let from = if std::ptr::eq(by, pass.by) && worker.is_none() {
            format!("neither Timeout nor ProxyTimeout is set, so that it is {longer:.0} s")
        } else {
            format!(
                "of Timeout and ProxyTimeout (or timeout=) the longer one counts, {longer:.0} s"
            )
        };
        let says = format!("cuts a connection on which nothing comes for {longer:.0} s: {from}");
        self.issue(Kind::Timeout(longer), by, says);
        let place = self.place(by);
        let in_location =
            located.iter().any(|s| s.inner().iter().any(|d| std::ptr::eq(d, pass.by)));
        let edit = match (worker, proxy) {
            (Some(worker), _) => worker.param("timeout").map(|value| {
                Edit::replace(&self.place(worker.by), format!("timeout={value}"), "timeout=3600")
            }),
            (None, Some(proxy)) => {
                Some(Edit::replace(&self.place(proxy), proxy.shown.as_str(), "ProxyTimeout 3600"))
            }
            (None, None) if in_location || pass.matched != Match::Pass => None,
            (None, None) => Some(Edit::before(&self.place(pass.by), &["ProxyTimeout 3600"])),
        };
        let _ = place;
        self.mend(edit);
    }

    /// Several servers behind, which nobody checks.
    fn servers(&mut self, pass: &Pass<'t>, all: &[&'t Directive]) {
        if !pass.target.starts_with("balancer:") {
            return;
        }
        let members = members(pass, all);
        let checked = members
            .iter()
            .any(|m| m.args.iter().any(|a| a.to_ascii_lowercase().starts_with("hcmethod=")));
        if let (true, false, Some(first)) = (members.len() > 1, checked, members.first()) {
            let before = self.provided.replace(Provided::Condition);
            let says = format!(
                "is one of {} servers that share the requests, and none is asked whether it carries \
                 WebSocket (no hcmethod)",
                members.len()
            );
            self.issue(Kind::NotChecked, first, says);
            self.provided = before;
        }
    }
}

/// `upgrade=websocket` behind the target of a line.
fn target_edit(place: crate::configuration::Place, by: &Directive, target: &str) -> Option<Edit> {
    let known = by.args.iter().find(|a| a.to_ascii_lowercase().starts_with("upgrade="));
    match known {
        Some(known) => Some(Edit::replace(&place, known.as_str(), "upgrade=websocket")),
        None => by
            .shown
            .contains(target)
            .then(|| Edit::replace(&place, target, format!("{target} upgrade=websocket"))),
    }
}

/// The members of the balancer that is passed to.
fn members<'t>(pass: &Pass<'t>, all: &[&'t Directive]) -> Vec<&'t Directive> {
    let name = pass.target.trim_start_matches("balancer://").split('/').next().unwrap_or_default();
    let named = |url: &str| {
        url.trim_start_matches("balancer://").trim_end_matches('/').eq_ignore_ascii_case(name)
    };
    let mut out = Vec::new();
    for one in all.iter().copied() {
        if one.name == "proxy" && named(one.arg(0)) {
            out.extend(one.inner().iter().filter(|d| d.name == "balancermember"));
        }
        if one.name == "balancermember" && named(one.arg(0)) {
            out.push(one);
        }
    }
    out
}

/// The last of an iterator that only goes forward.
trait Last: Iterator + Sized {
    fn rfind_last(self, test: impl Fn(&Self::Item) -> bool) -> Option<Self::Item> {
        self.filter(|one| test(one)).last()
    }
}

impl<I: Iterator> Last for I {}
