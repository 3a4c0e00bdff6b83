//! What of a BIG-IP's objects concerns an upgrade: the virtual server of the port, its
//! profiles and what may decide besides.

use super::parse::{Object, objects, short};
use crate::configuration::chain::Hop;
use crate::configuration::source::File;
use crate::configuration::{Issue, Kind, NEEDED_S, Place, Program, Provided, Reading, Request};

/// Idle timeouts of the profiles that are there from the beginning, in seconds.
const BUILT_IN: [(&str, f64); 7] = [
    ("tcp", 300.0),
    ("fastL4", 300.0),
    ("f5-tcp-progressive", 300.0),
    ("tcp-lan-optimized", 300.0),
    ("tcp-wan-optimized", 300.0),
    ("f5-tcp-lan", 300.0),
    ("f5-tcp-wan", 300.0),
];

/// Names that stand for ports.
const PORTS: [(&str, u16); 3] = [("http", 80), ("https", 443), ("webcache", 8080)];

/// Deepest chain of `defaults-from`.
const DEPTH: usize = 8;

/// An object and the file that it is in.
type Own<'o> = (usize, &'o Object);

struct Check<'t> {
    files: &'t [File],
    all: Vec<Own<'t>>,
    reading: Reading,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let parsed: Vec<Vec<Object>> = files.iter().map(|file| objects(&file.text)).collect();
    let all = parsed.iter().enumerate().flat_map(|(at, all)| all.iter().map(move |one| (at, one)));
    let reading = Reading::new(Program(&super::DIALECT));
    let mut check = Check { files, all: all.collect(), reading };
    check.run(request);
    check.reading
}

/// Whether a virtual server is for a port: `/Common/10.0.0.1:443`, `10.0.0.1:https`.
fn on_port(virtual_: &Object, port: u16) -> bool {
    let to = virtual_.get("destination").map_or("", |d| d.word(1));
    let Some(own) = to.rsplit([':', '.']).next() else { return false };
    own.parse() == Ok(port) || PORTS.contains(&(own, port))
}

impl<'t> Check<'t> {
    fn at(&self, own: Own<'_>) -> (Place, String) {
        (Place::of(self.files, own.0, own.1.line), own.1.words.join(" "))
    }

    fn issue(&mut self, kind: Kind, at: (Place, String), says: String, sure: bool) {
        let provided = (!sure).then_some(Provided::Condition);
        let issue = Issue::new(kind, at.0, at.1, says);
        self.reading.issues.push(Issue { provided, ..issue });
    }

    fn run(&mut self, request: &Request<'_>) {
        let virtuals: Vec<Own<'t>> = self
            .all
            .iter()
            .filter(|(_, one)| one.word(0) == "ltm" && one.word(1) == "virtual")
            .copied()
            .collect();
        let fits: Vec<Own<'t>> =
            virtuals.iter().filter(|(_, one)| on_port(one, request.port)).copied().collect();
        let one = match (fits.as_slice(), virtuals.as_slice()) {
            ([one], _) => *one,
            ([], []) => {
                let why = "no virtual server is in the file: tmsh list ltm virtual".to_owned();
                return self.reading.untold(None, why, None);
            }
            ([], [first, ..]) | ([first, ..], _) => {
                let why = format!(
                    "which virtual server takes port {} is not told: give the one of Bindplane's name",
                    request.port
                );
                let place = self.at(*first).0;
                return self.reading.untold(Some(place), why, None);
            }
        };
        let (place, line) = self.at(one);
        self.reading.follow(place, line);
        for decides in ["rules", "policies"] {
            if let Some(own) = one.1.get(decides).filter(|own| !own.inner.is_empty()) {
                let place = self.at((one.0, own)).0;
                let why = format!("{decides} of the virtual server may decide otherwise");
                self.reading.untold(Some(place), why, None);
            }
        }
        let profiles: Vec<&Object> =
            one.1.get("profiles").map_or(Vec::new(), |p| p.inner.iter().collect());
        for profile in &profiles {
            self.profile(one.0, profile);
        }
        self.websocket(one, &profiles);
    }

    /// The kind of a profile, by its own object.
    fn kind(&self, name: &str) -> Option<(Own<'t>, &'t str)> {
        let own = self.all.iter().find(|(_, one)| {
            one.word(0) == "ltm" && one.word(1) == "profile" && one.name() == name
        })?;
        Some((*own, own.1.word(2)))
    }

    fn profile(&mut self, file: usize, profile: &Object) {
        let name = short(profile.word(0)).to_owned();
        let (place, line) = self.at((file, profile));
        self.reading.follow(place, line);
        let (s, at) = match self.idle(&name, 0) {
            Some(found) => found,
            None => match BUILT_IN.iter().find(|(own, _)| *own == name) {
                Some((_, s)) => (*s, self.at((file, profile))),
                None => return,
            },
        };
        if s > 0.0 && s < NEEDED_S {
            let says = format!("cuts a connection on which nothing comes for {s:.0} s");
            self.issue(Kind::Timeout(s), at, says, true);
        }
    }

    /// The idle timeout of a profile, or of the one that it comes from.
    fn idle(&self, name: &str, depth: usize) -> Option<(f64, (Place, String))> {
        let ((file, own), kind) = self.kind(name)?;
        if !matches!(kind, "tcp" | "fastl4" | "fastL4" | "fasthttp") || depth > DEPTH {
            return None;
        }
        if let Some(line) = own.get("idle-timeout") {
            let s = line.word(1).parse().unwrap_or(0.0);
            return Some((s, self.at((file, line))));
        }
        let from = own.get("defaults-from")?;
        let base = short(from.word(1));
        self.idle(base, depth + 1).or_else(|| {
            let (_, s) = BUILT_IN.iter().find(|(name, _)| *name == base)?;
            Some((*s, self.at((file, from))))
        })
    }

    /// A firewall of applications reads upgrades only with a profile for them.
    fn websocket(&mut self, one: Own<'t>, profiles: &[&Object]) {
        let has = |kind: &str| {
            profiles.iter().any(|p| {
                let name = short(p.word(0));
                name == kind || self.kind(name).is_some_and(|(_, own)| own == kind)
            })
        };
        let (policy, both) = (has("websecurity"), has("websocket"));
        let only_http2 = has("http2") && !has("http");
        if policy && !both {
            let says =
                "has a security policy and no websocket profile: the policy may refuse upgrades";
            let at = self.at(one);
            self.issue(Kind::UpgradeHeaders, at, says.to_owned(), false);
        }
        if only_http2 {
            let says = "has an http2 profile and no http profile: an upgrade is HTTP/1.1's";
            let at = self.at(one);
            self.issue(Kind::Http2, at, says.to_owned(), false);
        }
    }
}
