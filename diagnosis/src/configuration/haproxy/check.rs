//! What a HAProxy configuration does to an upgrade.

use super::condition::{acls, holds};
use super::fetch::{Client, format, value};
use super::parse::{Line, Section, seconds, sections};
use super::servers::{Way, servers};
use crate::configuration::chain::Hop;
use crate::configuration::{
    Generator, HIDES, Issue, Kind, NEEDED_S, Place, Program, Reading, Request, source::File,
};

/// Longest chain of `defaults … from …`.
const CHAIN: usize = 8;

pub(super) struct Check<'t> {
    files: &'t [File],
    sections: &'t [Section],
    pub(super) request: &'t Request<'t>,
    pub(super) reading: Reading,
    way: Option<Way>,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    looked(files, request).0
}

/// What arrives behind HAProxy, where that can be told.
pub(crate) fn way(files: &[File], request: &Request<'_>) -> Option<Way> {
    looked(files, request).1
}

fn looked(files: &[File], request: &Request<'_>) -> (Reading, Option<Way>) {
    let sections = sections(files, request.version);
    let reading = Reading::new(Program(&super::DIALECT));
    let mut check = Check { files, sections: &sections, request, reading, way: None };
    let firewall = |f: &File| {
        f.text.contains("Automatically generated, do not edit manually")
            || f.text.contains("# Automatically generated configuration.")
    };
    check.reading.generator = files.iter().any(firewall).then_some(Generator::Firewall);
    check.all();
    check.global();
    (check.reading, check.way)
}

/// Where a proxy's rules come to for the request.
enum Verdict {
    /// They let it pass.
    Passes,
    /// One of them ends it, or nothing more can be told.
    Ends,
}

impl<'t> Check<'t> {
    pub(super) fn place(&self, line: &Line) -> Place {
        Place::of(self.files, line.file, line.line)
    }

    fn follow(&mut self, line: &Line) {
        self.reading.follow(self.place(line), line.shown());
    }

    fn untold(&mut self, at: Option<&Line>, why: impl Into<String>) {
        let place = at.map(|l| self.place(l));
        self.reading.untold(place, why.into(), None);
    }

    pub(super) fn issue(&mut self, kind: Kind, at: &Line, says: impl Into<String>) {
        let issue = Issue::new(kind, self.place(at), at.shown(), says.into());
        self.reading.issues.push(Issue { sure: at.maybe.is_none(), ..issue });
    }

    fn all(&mut self) {
        let front = match self.frontend() {
            Ok(front) => front,
            Err((at, why)) => return self.untold(at, why),
        };
        self.follow(&front.head);
        self.maybe(&front.head);
        let http = self.mode(front) != "tcp";
        let bound = bound(front, self.request.port);
        let mut client = Client::new(self.request, self.ends_tls(front, http), bound, http);
        if !http {
            // Bytes are passed through: nothing to lose but time.
            self.variables(front, &mut client);
            let back = self.backend(front, &client);
            if let Some(back) = back {
                self.servers(back);
            }
            let back = back.unwrap_or(front);
            self.way = Some(self.arrives(front, back, &client));
            self.awaits(front);
            return self.timeouts(front, back);
        }
        self.awaits(front);
        if matches!(self.rules(front, &mut client), Verdict::Ends) {
            return;
        }
        let Some(back) = self.backend(front, &client) else { return };
        if !std::ptr::eq(back, front) {
            self.follow(&back.head);
            self.maybe(&back.head);
            if self.mode(back) == "tcp" {
                return self.untold(Some(&back.head), "an HTTP frontend with a TCP backend");
            }
            if matches!(self.rules(back, &mut client), Verdict::Ends) {
                return;
            }
        }
        self.way = Some(self.arrives(front, back, &client));
        self.host(front, back, &client);
        self.servers(back);
        self.hides_grant(front, back, &client);
        self.timeouts(front, back);
    }

    /// Says that a line counts only if its `.if` holds. True where it may not.
    fn maybe(&mut self, line: &Line) -> bool {
        if let Some(at) = line.maybe {
            self.untold(
                Some(line),
                format!("this counts only if the .if of line {at} holds at start-up"),
            );
        }
        line.maybe.is_some()
    }

    /// Whether a frontend ends TLS for the request, where its `bind` tells.
    fn ends_tls(&self, front: &Section, http: bool) -> Option<bool> {
        let lines = || front.lines.iter().filter(|l| l.word(0) == "bind");
        let tls = |l: &Line| l.from(2).iter().any(|w| w == "ssl");
        let on_port =
            lines().find(|l| ports(l).any(|(from, to)| (from..=to).contains(&self.request.port)));
        match on_port {
            Some(line) if tls(line) => Some(true),
            // Plain text on the very port that was asked by TLS cannot be.
            Some(_) => (!self.request.tls || !http).then_some(false),
            None if lines().all(tls) => Some(true),
            None => (!lines().any(tls)).then_some(false),
        }
    }

    /// A `bind` that waits for a PROXY header.
    fn awaits(&mut self, front: &'t Section) {
        let line = front
            .lines
            .iter()
            .find(|l| l.word(0) == "bind" && l.words.iter().any(|w| w == "accept-proxy"));
        if let Some(line) = line {
            let says = "waits for a PROXY header before anything else: what does not send one is cut \
                        off";
            self.issue_if(Kind::ProxyHeaderAwaited, line, says);
        }
    }

    /// What holds for the whole process.
    fn global(&mut self) {
        let line = self
            .sections
            .iter()
            .filter(|s| s.kind() == "global")
            .flat_map(|s| &s.lines)
            .rfind(|l| l.word(0) == "hard-stop-after");
        if let Some(line) = line
            && let Some(s) = seconds(line.word(1))
        {
            let says = format!(
                "ends every connection that is open {s:.0} s after a reload of HAProxy, all of them \
                 in the same moment"
            );
            self.issue(Kind::Reload(s), line, says);
        }
    }

    /// gorilla compares Origin with Host, port and all (facts: point 3).
    fn host(&mut self, front: &'t Section, back: &'t Section, client: &Client<'_>) {
        let wanted = self.request.authority();
        for section in [front, back] {
            let sets = section.lines.iter().filter(|l| {
                l.is(&["http-request", "set-header"]) && l.word(2).eq_ignore_ascii_case("host")
            });
            for line in sets {
                if holds(line, section, client) != Ok(true) {
                    continue;
                }
                let Ok(sent) = format(line.word(3), client) else { continue };
                if !sent.eq_ignore_ascii_case(&wanted) {
                    let says = format!(
                        "sends `{sent}` as Host, where the browser said `{wanted}`, which it names \
                         in Origin as well: a server that compares the two refuses"
                    );
                    return self.issue(Kind::Host, line, says);
                }
            }
            if std::ptr::eq(front, back) {
                break;
            }
        }
    }

    /// `set-var` in the order of the file.
    fn variables(&self, section: &'t Section, client: &mut Client<'_>) {
        for line in &section.lines {
            set_variable(line, section, client);
        }
    }

    /// A 101 without the grant, of a server that was offered compression.
    fn hides_grant(&mut self, front: &'t Section, back: &'t Section, client: &Client<'_>) {
        let mut sections = vec![front];
        if !std::ptr::eq(front, back) {
            sections.push(back);
        }
        let takes = |line: &Line, rules: &[&str]| {
            rules.contains(&line.word(0))
                && line.word(1) == "del-header"
                && line.word(2).eq_ignore_ascii_case("sec-websocket-extensions")
        };
        let lines =
            || sections.iter().flat_map(|section| section.lines.iter().map(|l| (*section, l)));
        // Without an offer there is no grant.
        if lines().any(|(_, line)| takes(line, &["http-request"])) {
            return;
        }
        let answers = ["http-response", "http-after-response"];
        let found: Vec<_> = lines().filter(|(_, line)| takes(line, &answers)).collect();
        for (section, line) in found {
            match holds(line, section, client) {
                Ok(false) => {}
                Ok(true) => return self.issue(Kind::HidesGrant, line, HIDES),
                Err(why) => {
                    self.untold(Some(line), format!("whether this applies depends on {why}"))
                }
            }
        }
    }

    /// The frontend that the request comes to.
    fn frontend(&self) -> Result<&'t Section, (Option<&'t Line>, String)> {
        let fronts: Vec<&Section> = self
            .sections
            .iter()
            .filter(|s| matches!(s.kind(), "frontend" | "listen"))
            .filter(|s| s.lines.iter().any(|l| l.word(0) == "bind"))
            .filter(|s| !s.lines.iter().any(|l| l.is(&["stats", "enable"])))
            .collect();
        let on_port: Vec<&&Section> =
            fronts.iter().filter(|s| bound(s, self.request.port).is_some()).collect();
        match (fronts.as_slice(), on_port.as_slice()) {
            (_, [one]) => Ok(one),
            ([one], []) => Ok(one),
            ([], _) => Err((None, "no frontend with a `bind` line is in the files".into())),
            (several, _) => {
                // The port may be translated on the way: of those that end TLS
                // for HTTP there is often only one that hands requests on.
                let passing: Vec<&&Section> = several.iter().filter(|s| hands_on(s)).collect();
                match passing.as_slice() {
                    [one] => Ok(one),
                    _ => Err((
                        several.first().map(|s| &s.head),
                        format!("several frontends could take port {}", self.request.port),
                    )),
                }
            }
        }
    }

    /// The `defaults` of a section, nearest first: named by `from`, else the
    /// nearest before it; and those that they are made from.
    pub(super) fn defaults(&self, section: &Section) -> Vec<&'t Section> {
        let named = |head: &Line| {
            let at = head.words.iter().position(|w| w == "from")?;
            Some(head.word(at + 1).to_owned())
        };
        let find = |name: String| {
            self.sections.iter().find(|s| s.kind() == "defaults" && s.name() == name)
        };
        let mut next = match named(&section.head) {
            Some(name) => find(name),
            None => self
                .sections
                .iter()
                .position(|s| std::ptr::eq(s, section))
                .and_then(|at| self.sections[..at].iter().rfind(|s| s.kind() == "defaults")),
        };
        let mut out: Vec<&'t Section> = Vec::new();
        while let Some(one) = next.filter(|_| out.len() < CHAIN) {
            out.push(one);
            next = named(&one.head).and_then(find);
        }
        out
    }

    /// The last line of a section, or else of its defaults, that begins so.
    pub(super) fn setting(&self, section: &'t Section, words: &[&str]) -> Option<&'t Line> {
        let off = |line: &Line| {
            line.word(0) == "no" && line.from(1).iter().zip(words).all(|(a, b)| a == b)
        };
        for one in std::iter::once(section).chain(self.defaults(section)) {
            if let Some(line) = one.lines.iter().rfind(|l| l.is(words) || off(l)) {
                return Some(line).filter(|line| !off(line));
            }
        }
        None
    }

    pub(super) fn mode(&self, section: &'t Section) -> &'t str {
        self.setting(section, &["mode"]).map_or("tcp", |l| l.word(1))
    }

    /// `http-request` and `redirect` rules, in order.
    fn rules(&mut self, section: &'t Section, client: &mut Client<'_>) -> Verdict {
        // Rules of a named defaults section run first (2.6 and later).
        let inherited = self.defaults(section);
        let own = inherited.iter().rev().copied().chain([section]);
        let lines: Vec<(&'t Section, &'t Line)> = own
            .flat_map(|s| s.lines.iter().map(move |l| (s, l)))
            .filter(|(_, l)| {
                matches!(l.word(0), "http-request" | "redirect" | "tcp-request")
                    && !l.is(&["tcp-request", "inspect-delay"])
            })
            .collect();
        for (section, line) in lines {
            if set_variable(line, section, client) {
                continue;
            }
            if line.word(0) == "tcp-request" {
                self.on_connection(line, section, client);
                continue;
            }
            let action = if line.word(0) == "redirect" { "redirect" } else { line.word(1) };
            let name = line.word(2);
            let strips = match action {
                "del-header" => {
                    ["upgrade", "connection"].contains(&name.to_ascii_lowercase().as_str())
                }
                "set-header" | "replace-header" => {
                    (name.eq_ignore_ascii_case("upgrade")
                        && !line.word(3).eq_ignore_ascii_case("websocket"))
                        || (name.eq_ignore_ascii_case("connection")
                            && !line.word(3).to_ascii_lowercase().contains("upgrade"))
                }
                _ => false,
            };
            let ends = matches!(
                action,
                "deny"
                    | "reject"
                    | "silent-drop"
                    | "tarpit"
                    | "return"
                    | "redirect"
                    | "auth"
                    | "use-service"
            );
            let moves = matches!(
                action,
                "set-path"
                    | "set-pathq"
                    | "replace-path"
                    | "replace-pathq"
                    | "set-uri"
                    | "replace-uri"
                    | "lua"
            ) || action.starts_with("lua.");
            if !(strips || ends || moves) {
                continue;
            }
            let held = match line.maybe {
                None => holds(line, section, client),
                Some(at) => Err(format!("the .if of line {at}")),
            };
            match held {
                Ok(false) => {}
                Ok(true) if strips => self.issue(
                    Kind::UpgradeHeaders,
                    line,
                    "takes from the upgrade the header that makes it one",
                ),
                Ok(true) if ends => {
                    self.ended(line, action, client);
                    return Verdict::Ends;
                }
                Ok(_) | Err(_) if moves => {
                    self.untold(Some(line), "this line may change the path");
                    return Verdict::Ends;
                }
                Ok(_) => {}
                Err(why) if ends && counts_rates(&why) => self.limit(line, action, &why),
                Err(why) => {
                    self.untold(Some(line), format!("whether this applies depends on {why}"));
                    if action == "redirect"
                        && why.to_ascii_lowercase().contains("x-forwarded-proto")
                    {
                        self.loops(line, true);
                    }
                }
            }
        }
        Verdict::Passes
    }

    /// Rules on connections: limits, or what lists of addresses decide.
    fn on_connection(&mut self, line: &'t Line, section: &'t Section, client: &Client<'_>) {
        if !matches!(line.word(2), "reject" | "silent-drop") {
            return;
        }
        match holds(line, section, client) {
            Ok(false) => {}
            Ok(true) => self.untold(Some(line), "this refuses every connection"),
            Err(why) => self.untold(Some(line), format!("this refuses connections by {why}")),
        }
    }

    /// A rule that ends the request.
    fn ended(&mut self, line: &'t Line, action: &str, client: &Client<'_>) {
        if action == "redirect" && self.to_itself(line, client) {
            return self.loops(line, false);
        }
        let status = status_of(line, action);
        let says = format!("ends the request for {} here", self.request.path);
        self.issue(Kind::PathRule(status), line, says);
    }

    /// Whether a redirect leads to the URL that was asked for.
    fn to_itself(&self, line: &Line, client: &Client<'_>) -> bool {
        let after = |name: &str| {
            let at = line.words.iter().position(|w| w == name)?;
            Some(line.word(at + 1).to_owned())
        };
        let scheme = if self.request.tls { "https" } else { "http" };
        let own = format!("{scheme}://{}", self.request.authority());
        let whole = format!("{own}{}", self.request.path);
        if let Some(to) = after("scheme") {
            return to == scheme;
        }
        if let Some(prefix) = after("prefix") {
            return format(&prefix, client).is_ok_and(|p| p.trim_end_matches('/') == own);
        }
        after("location").is_some_and(|to| format(&to, client).is_ok_and(|to| to == whole))
    }

    fn loops(&mut self, line: &'t Line, only_if: bool) {
        let status = status_of(line, "redirect").unwrap_or(302);
        let says = "redirects to the very URL that was asked for, although the request came by TLS: \
                    what ends TLS has to say so (X-Forwarded-Proto: https)";
        if only_if {
            self.issue_if(Kind::RedirectLoop(status), line, says);
        } else {
            self.issue(Kind::RedirectLoop(status), line, says);
        }
    }

    /// The backend that the frontend chooses; the section itself for `listen`.
    fn backend(&mut self, front: &'t Section, client: &Client<'_>) -> Option<&'t Section> {
        let named = |name: &str| {
            self.sections
                .iter()
                .find(|s| matches!(s.kind(), "backend" | "listen") && s.name() == name)
        };
        for line in front.lines.iter().filter(|l| l.word(0) == "use_backend") {
            let held = match line.maybe {
                None => holds(line, front, client),
                Some(at) => Err(format!("the .if of line {at}")),
            };
            match held {
                Ok(false) => {}
                Ok(true) => {
                    self.follow(line);
                    let name = match format(line.word(1), client) {
                        Ok(name) => name,
                        Err(why) => {
                            self.untold(
                                Some(line),
                                format!("which backend this is depends on {why}"),
                            );
                            return None;
                        }
                    };
                    let found = named(&name);
                    // A name that is computed and not there falls to the default.
                    if found.is_some() || !line.word(1).contains('%') {
                        if found.is_none() {
                            self.untold(
                                Some(line),
                                format!("the backend {name} is not in the files"),
                            );
                        }
                        return found;
                    }
                }
                Err(why) => {
                    self.untold(
                        Some(line),
                        format!("whether this backend is taken depends on {why}"),
                    );
                    return None;
                }
            }
        }
        let by_port = self.missed_by_port(front, client);
        if let Some(line) = self.setting(front, &["default_backend"]) {
            let found = named(line.word(1));
            self.follow(line);
            self.maybe(line);
            if let Some((acl, rule)) = by_port {
                let says = format!(
                    "compares the whole Host, and the request's is `{}`: with its port it does not \
                     match, so that `{}` is passed over and default_backend {} takes the request. \
                     Write hdr_dom(host), or hdr(host),field(1,:)",
                    self.request.authority(),
                    rule.shown(),
                    line.word(1)
                );
                self.issue(Kind::OtherBackend, acl, says);
            }
            if found.is_none() {
                self.untold(
                    Some(line),
                    format!("the backend {} is not in the files", line.word(1)),
                );
            }
            return found;
        }
        if front.kind() == "listen" && servers(front).next().is_some() {
            return Some(front);
        }
        if let Some((acl, rule)) = by_port {
            let says = format!(
                "compares the whole Host, and the request's is `{}`: with its port it does not match, \
                 `{}` is passed over, and HAProxy answers 503",
                self.request.authority(),
                rule.shown()
            );
            self.issue(Kind::PathRule(Some(503)), acl, says);
            return None;
        }
        self.issue(
            Kind::PathRule(Some(503)),
            &front.head,
            format!(
                "has no use_backend whose condition holds for {}, and no default_backend: HAProxy \
                 answers 503",
                self.request.path
            ),
        );
        None
    }

    /// A `use_backend` that would hold if Host had no port, with the line that
    /// compares.
    fn missed_by_port(
        &self,
        front: &'t Section,
        client: &Client<'_>,
    ) -> Option<(&'t Line, &'t Line)> {
        let mut bare = client.clone();
        bare.bare_host = true;
        for line in &front.lines {
            set_variable(line, front, &mut bare);
        }
        let rules = front.lines.iter().filter(|l| l.word(0) == "use_backend");
        let line = rules.clone().find(|line| holds(line, front, &bare) == Ok(true))?;
        let acl = acls(line, front).into_iter().find(|acl| {
            let text = acl.shown().to_ascii_lowercase();
            text.contains("hdr(host)") || text.contains("var(")
        });
        Some((acl.unwrap_or(line), line))
    }

    /// An upgraded connection is a tunnel: `timeout tunnel` of the backend, or
    /// else the shorter of `client` and `server`.
    fn timeouts(&mut self, front: &'t Section, back: &'t Section) {
        if let Some(line) = self.setting(back, &["timeout", "tunnel"]) {
            if self.maybe(line) {
                return;
            }
            match seconds(line.word(2)) {
                Some(s) if s < NEEDED_S => self.issue(
                    Kind::Timeout(s),
                    line,
                    format!("cuts an upgraded connection on which nothing comes for {s:.0} s"),
                ),
                Some(_) => {}
                None => self.untold(Some(line), "the timeout is not a number"),
            }
            return;
        }
        let client = self.setting(front, &["timeout", "client"]);
        let server = self.setting(back, &["timeout", "server"]);
        let mut shortest: Option<(f64, &Line)> = None;
        for line in [client, server].into_iter().flatten() {
            if self.maybe(line) {
                return;
            }
            let Some(s) = seconds(line.word(2)) else {
                return self.untold(Some(line), "the timeout is not a number");
            };
            if shortest.is_none_or(|(known, _)| s < known) {
                shortest = Some((s, line));
            }
        }
        if let Some((s, line)) = shortest.filter(|(s, _)| *s < NEEDED_S) {
            self.issue(
                Kind::Timeout(s),
                line,
                format!(
                    "cuts an upgraded connection on which nothing comes for {s:.0} s, since no \
                     `timeout tunnel` applies here"
                ),
            );
        }
    }
}

/// First and last port of each address of a `bind` line.
fn ports(line: &Line) -> impl Iterator<Item = (u16, u16)> {
    line.word(1).split(',').filter_map(|address| {
        let port = address.rsplit(':').next()?;
        let (from, to) = port.split_once('-').unwrap_or((port, port));
        Some((from.parse().ok()?, to.parse().ok()?))
    })
}

/// The port that a section listens on, where it is this one.
fn bound(section: &Section, port: u16) -> Option<u16> {
    let lines = section.lines.iter().filter(|l| l.word(0) == "bind");
    lines.flat_map(ports).any(|(from, to)| (from..=to).contains(&port)).then_some(port)
}

/// Takes a `set-var` line; false where it is none.
fn set_variable(line: &Line, section: &Section, client: &mut Client<'_>) -> bool {
    let Some(at) = line.words.iter().take(3).position(|w| w.starts_with("set-var")) else {
        return false;
    };
    let word = line.word(at);
    let Some((how, name)) = word.split_once('(') else { return true };
    let name = name.trim_end_matches(')').split(',').next().unwrap_or_default().to_owned();
    let fetched = match holds(line, section, client) {
        Ok(false) => return true,
        Ok(true) if how == "set-var-fmt" => format(line.word(at + 1), client).map(Some),
        Ok(true) => value(line.word(at + 1), client),
        Err(why) => Err(why),
    };
    client.variables.insert(name, fetched);
    true
}

/// Whether a condition hangs on what stick tables count.
fn counts_rates(why: &str) -> bool {
    [
        "sc_",
        "sc0_",
        "sc1_",
        "sc2_",
        "src_http_req",
        "src_conn",
        "src_http_err",
        "src_get_gpc",
        "fe_conn",
        "be_conn",
        "fe_sess_rate",
        "be_sess_rate",
        "table_",
        "the converter table_",
    ]
    .iter()
    .any(|start| why.starts_with(start))
}

fn hands_on(section: &Section) -> bool {
    section.lines.iter().any(|l| matches!(l.word(0), "use_backend" | "default_backend" | "server"))
        && !section.lines.iter().any(|l| {
            (l.is(&["http-request", "redirect"]) || l.word(0) == "redirect")
                && !l.words.iter().any(|w| w == "if" || w == "unless")
        })
}

/// The status that ends a request.
pub(super) fn status_of(line: &Line, action: &str) -> Option<u16> {
    let after = |name: &str| {
        let at = line.words.iter().position(|w| w == name)?;
        line.word(at + 1).parse().ok()
    };
    match action {
        "deny" => after("deny_status").or_else(|| after("status")).or(Some(403)),
        "tarpit" => after("deny_status").or(Some(500)),
        "return" => after("status").or(Some(200)),
        "redirect" => after("code").or(Some(302)),
        "auth" => Some(401),
        _ => None,
    }
}
