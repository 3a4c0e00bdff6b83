//! What a HAProxy configuration does to an upgrade.

use super::condition::holds;
use super::parse::{Line, Section, seconds, sections};
use crate::configuration::{
    Followed, HIDES, Issue, Kind, NEEDED_S, Place, Program, Reading, Request, Untold, source::File,
};

struct Check<'t> {
    files: &'t [File],
    sections: &'t [Section],
    request: &'t Request<'t>,
    reading: Reading,
}

/// Reads the files for a request.
pub(crate) fn read(files: &[File], request: &Request<'_>) -> Reading {
    let sections = sections(files);
    let mut check =
        Check { files, sections: &sections, request, reading: Reading::new(Program::Haproxy) };
    check.all();
    check.reading
}

/// Where a proxy's rules come to for the request.
enum Verdict {
    /// They let it pass.
    Passes,
    /// One of them ends it, or nothing more can be told.
    Ends,
}

impl<'t> Check<'t> {
    fn place(&self, line: &Line) -> Place {
        let file = self.files.get(line.file).map_or_else(String::new, |f| f.name.clone());
        Place { file, line: line.line }
    }

    fn follow(&mut self, line: &Line) {
        let followed = Followed { place: self.place(line), line: line.shown() };
        self.reading.followed.push(followed);
    }

    fn untold(&mut self, at: Option<&Line>, why: impl Into<String>) {
        let place = at.map(|l| self.place(l));
        self.reading.untold.push(Untold { place, why: why.into() });
    }

    fn issue(&mut self, kind: Kind, at: &Line, says: impl Into<String>) {
        let (place, line) = (self.place(at), at.shown());
        self.reading.issues.push(Issue { kind, place, line, says: says.into(), sure: true });
    }

    fn all(&mut self) {
        let conditional = self
            .sections
            .iter()
            .flat_map(|s| &s.lines)
            .find(|l| matches!(l.word(0), ".if" | ".elif" | ".else"));
        if let Some(line) = conditional {
            return self.untold(Some(line), "conditions at start-up decide which lines count");
        }
        let front = match self.frontend() {
            Ok(front) => front,
            Err((at, why)) => return self.untold(at, why),
        };
        self.follow(&front.head);
        if self.mode(front) == "tcp" {
            // Bytes are passed through: nothing to lose but time.
            let back = self.backend(front);
            return self.timeouts(front, back.unwrap_or(front));
        }
        if matches!(self.rules(front), Verdict::Ends) {
            return;
        }
        let Some(back) = self.backend(front) else { return };
        if !std::ptr::eq(back, front) {
            self.follow(&back.head);
            if self.mode(back) == "tcp" {
                return self.untold(Some(&back.head), "an HTTP frontend with a TCP backend");
            }
            if matches!(self.rules(back), Verdict::Ends) {
                return;
            }
        }
        self.servers(back);
        self.hides_grant(front, back);
        self.timeouts(front, back);
    }

    /// A 101 without the grant, of a server that was offered compression.
    fn hides_grant(&mut self, front: &'t Section, back: &'t Section) {
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
            match holds(line, section, self.request) {
                Some(false) => {}
                Some(true) => return self.issue(Kind::HidesGrant, line, HIDES),
                None => self.untold(Some(line), "whether this line applies cannot be told"),
            }
        }
    }

    /// The frontend that the request comes to.
    fn frontend(&self) -> Result<&'t Section, (Option<&'t Line>, String)> {
        let fronts: Vec<&Section> = self
            .sections
            .iter()
            .filter(|s| matches!(s.kind(), "frontend" | "listen"))
            .filter(|s| !binds(s).is_empty())
            .filter(|s| !s.lines.iter().any(|l| l.is(&["stats", "enable"])))
            .collect();
        let on_port: Vec<&&Section> =
            fronts.iter().filter(|s| binds(s).contains(&Some(self.request.port))).collect();
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

    /// The `defaults` of a section: named by `from`, else the nearest before it.
    fn defaults(&self, section: &Section) -> Option<&'t Section> {
        let from = section.head.words.iter().position(|w| w == "from");
        if let Some(at) = from {
            let name = section.head.word(at + 1);
            return self.sections.iter().find(|s| s.kind() == "defaults" && s.name() == name);
        }
        let at = self.sections.iter().position(|s| std::ptr::eq(s, section))?;
        self.sections[..at].iter().rfind(|s| s.kind() == "defaults")
    }

    /// The last line of a section, or else of its defaults, that begins so.
    fn setting(&self, section: &'t Section, words: &[&str]) -> Option<&'t Line> {
        section
            .lines
            .iter()
            .rfind(|l| l.is(words))
            .or_else(|| self.defaults(section)?.lines.iter().rfind(|l| l.is(words)))
    }

    fn mode(&self, section: &'t Section) -> &'t str {
        self.setting(section, &["mode"]).map_or("tcp", |l| l.word(1))
    }

    /// `http-request` and `redirect` rules, in order.
    fn rules(&mut self, section: &'t Section) -> Verdict {
        // Rules of a named defaults section run first (2.6 and later).
        let inherited = self.defaults(section).map(|d| d.lines.as_slice()).unwrap_or_default();
        let lines: Vec<&Line> = inherited
            .iter()
            .chain(&section.lines)
            .filter(|l| matches!(l.word(0), "http-request" | "redirect"))
            .collect();
        for line in lines {
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
            match holds(line, section, self.request) {
                Some(false) => {}
                Some(true) if strips => self.issue(
                    Kind::UpgradeHeaders,
                    line,
                    "takes from the upgrade the header that makes it one",
                ),
                Some(true) if ends => {
                    let status = status_of(line, action);
                    self.issue(
                        Kind::PathRule(status),
                        line,
                        format!("ends the request for {} here", self.request.path),
                    );
                    return Verdict::Ends;
                }
                _ if moves => {
                    self.untold(Some(line), "this line may change the path");
                    return Verdict::Ends;
                }
                _ => self.untold(Some(line), "whether this line applies cannot be told"),
            }
        }
        Verdict::Passes
    }

    /// The backend that the frontend chooses; the section itself for `listen`.
    fn backend(&mut self, front: &'t Section) -> Option<&'t Section> {
        let named = |name: &str| {
            self.sections
                .iter()
                .find(|s| matches!(s.kind(), "backend" | "listen") && s.name() == name)
        };
        for line in front.lines.iter().filter(|l| l.word(0) == "use_backend") {
            match holds(line, front, self.request) {
                Some(false) => {}
                Some(true) if line.word(1).contains("%[") => {
                    self.untold(Some(line), "the backend's name is computed");
                    return None;
                }
                Some(true) => {
                    let found = named(line.word(1));
                    self.follow(line);
                    if found.is_none() {
                        self.untold(Some(line), "this backend is not in the files");
                    }
                    return found;
                }
                None => {
                    self.untold(Some(line), "whether this condition holds cannot be told");
                    return None;
                }
            }
        }
        if let Some(line) = self.setting(front, &["default_backend"]) {
            let found = named(line.word(1));
            self.follow(line);
            if found.is_none() {
                self.untold(Some(line), "this backend is not in the files");
            }
            return found;
        }
        if front.kind() == "listen" && front.lines.iter().any(|l| l.word(0) == "server") {
            return Some(front);
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

    /// HTTP/2 to the servers.
    fn servers(&mut self, back: &'t Section) {
        let default = self.setting(back, &["default-server"]);
        let servers: Vec<&Line> = back
            .lines
            .iter()
            .filter(|l| matches!(l.word(0), "server" | "server-template"))
            .collect();
        for server in servers {
            let option = |name: &str| {
                let of = |line: &Line| {
                    let at = line.words.iter().rposition(|w| w == name)?;
                    Some(line.word(at + 1).to_owned())
                };
                of(server).or_else(|| of(default?))
            };
            let ws = option("ws");
            let proto = option("proto").is_some_and(|p| p == "h2");
            let alpn = option("alpn").is_some_and(|a| a.split(',').any(|p| p == "h2"));
            // `ws auto` chooses HTTP/1.1 where ALPN leaves the choice.
            if (proto && ws.as_deref() != Some("h1"))
                || (alpn && ws.as_deref() == Some("h2"))
                || (alpn && option("alpn").as_deref() == Some("h2") && ws.as_deref() != Some("h1"))
            {
                return self.issue(
                    Kind::Http2,
                    server,
                    "speaks HTTP/2 to the backend, which an upgrade cannot cross unless the \
                     backend knows RFC 8441",
                );
            }
        }
    }

    /// An upgraded connection is a tunnel: `timeout tunnel` of the backend, or
    /// else the shorter of `client` and `server`.
    fn timeouts(&mut self, front: &'t Section, back: &'t Section) {
        if let Some(line) = self.setting(back, &["timeout", "tunnel"]) {
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

/// Ports of the `bind` lines; `None` for one that is no single port.
fn binds(section: &Section) -> Vec<Option<u16>> {
    section
        .lines
        .iter()
        .filter(|l| l.word(0) == "bind")
        .flat_map(|l| l.word(1).split(','))
        .map(|address| address.rsplit(':').next().and_then(|port| port.parse().ok()))
        .collect()
}

fn hands_on(section: &Section) -> bool {
    section.lines.iter().any(|l| matches!(l.word(0), "use_backend" | "default_backend" | "server"))
        && !section.lines.iter().any(|l| {
            (l.is(&["http-request", "redirect"]) || l.word(0) == "redirect")
                && !l.words.iter().any(|w| w == "if" || w == "unless")
        })
}

/// The status that ends a request.
fn status_of(line: &Line, action: &str) -> Option<u16> {
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
