//! What of a NetScaler's lines concerns an upgrade: the virtual server of the port, its
//! HTTP profile, the times of both sides.

use crate::configuration::chain::Hop;
use crate::configuration::source::File;
use crate::configuration::{Issue, Kind, NEEDED_S, Place, Program, Reading, Request};

/// The HTTP profile of who names none.
const DEFAULT: &str = "nshttp_default_profile";
/// Idle times of HTTP and SSL where nothing else is set, in seconds.
const CLIENT_S: f64 = 180.0;
const SERVER_S: f64 = 360.0;

/// A line: its words, and where it stands.
#[derive(Debug, Clone)]
struct Line<'t> {
    words: Vec<&'t str>,
    text: &'t str,
    place: Place,
}

impl Line<'_> {
    fn begins(&self, words: &[&str]) -> bool {
        self.words.len() >= words.len()
            && self.words.iter().zip(words).all(|(a, b)| a.eq_ignore_ascii_case(b))
    }

    fn word(&self, at: usize) -> &str {
        self.words.get(at).copied().unwrap_or_default().trim_matches('"')
    }

    /// The value of an option: `-cltTimeout 180`.
    fn option(&self, name: &str) -> Option<&str> {
        let at = self.words.iter().position(|word| word.eq_ignore_ascii_case(name))?;
        self.words.get(at + 1).map(|word| word.trim_matches('"'))
    }

    fn at(&self) -> (Place, String) {
        (self.place.clone(), self.text.to_owned())
    }
}

struct Check<'t> {
    lines: Vec<Line<'t>>,
    reading: Reading,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let mut lines = Vec::new();
    for (at, file) in files.iter().enumerate() {
        for (number, text) in file.text.lines().enumerate() {
            let place = Place::of(files, at, u32::try_from(number + 1).unwrap_or(u32::MAX));
            lines.push(Line { words: text.split_whitespace().collect(), text: text.trim(), place });
        }
    }
    let mut check = Check { lines, reading: Reading::new(Program(&super::DIALECT)) };
    check.run(request);
    check.reading
}

impl<'t> Check<'t> {
    fn issue(&mut self, kind: Kind, at: (Place, String), says: impl Into<String>) {
        self.reading.issues.push(Issue::new(kind, at.0, at.1, says.into()));
    }

    fn find(&self, words: &[&str]) -> Option<Line<'t>> {
        self.lines.iter().find(|line| line.begins(words)).cloned()
    }

    fn run(&mut self, request: &Request<'_>) {
        let servers = |kind: &str| -> Vec<Line<'t>> {
            let own = self.lines.iter().filter(|l| l.begins(&["add", kind, "vserver"]));
            own.filter(|l| l.word(6).parse() == Ok(request.port)).cloned().collect()
        };
        let (content, balanced) = (servers("cs"), servers("lb"));
        let one = match (content.as_slice(), balanced.as_slice()) {
            ([one], []) | ([], [one]) => one.clone(),
            ([], []) => {
                let why = format!("no virtual server is for port {}", request.port);
                return self.reading.untold(None, why, None);
            }
            ([first, ..], _) | (_, [first, ..]) => {
                let why = format!("several virtual servers are for port {}", request.port);
                return self.reading.untold(Some(first.place.clone()), why, None);
            }
        };
        let (place, text) = one.at();
        self.reading.follow(place, text);
        if matches!(one.word(4), "TCP" | "SSL_TCP" | "SSL_BRIDGE" | "ANY") {
            return self.side(&one, "-cltTimeout", 9000.0);
        }
        self.profile(&one);
        self.side(&one, "-cltTimeout", CLIENT_S);
        self.bound(&one);
    }

    /// The HTTP profile: its own, else the default one.
    fn profile(&mut self, one: &Line<'t>) {
        let name = one.option("-httpProfileName").unwrap_or(DEFAULT).to_owned();
        let add = self.find(&["add", "ns", "httpProfile", &name]);
        let set = self.find(&["set", "ns", "httpProfile", &name]);
        let says = "is without -webSocket ENABLED, and DISABLED is the default: NetScaler takes the \
                    upgrade's headers away";
        let own: Vec<&Line<'t>> = set.iter().chain(add.iter()).collect();
        match own.iter().find_map(|line| Some((*line, line.option("-webSocket")?))) {
            Some((line, value)) if value.eq_ignore_ascii_case("ENABLED") => {
                let (place, text) = line.at();
                self.reading.follow(place, text);
            }
            Some((line, _)) => {
                let says = "switches WebSocket off: NetScaler takes the upgrade's headers away";
                self.issue(Kind::UpgradeHeaders, line.at(), says);
            }
            None => {
                let at = own.first().map_or_else(|| one.at(), |line| line.at());
                self.issue(Kind::UpgradeHeaders, at, says);
            }
        }
    }

    fn side(&mut self, line: &Line<'t>, option: &str, default: f64) {
        let s = line.option(option).map_or(Some(default), |text| text.parse().ok());
        if let Some(s) = s.filter(|s| *s > 0.0 && *s < NEEDED_S) {
            let of = if line.option(option).is_none() { " (the default)" } else { "" };
            let says =
                format!("{option}: cuts a connection on which nothing comes for {s:.0} s{of}");
            self.issue(Kind::Timeout(s), line.at(), says);
        }
    }

    /// What is bound to the virtual server: services with times of their own, policies.
    fn bound(&mut self, one: &Line<'t>) {
        let kind = one.word(1).to_owned();
        let name = one.word(3).to_owned();
        let bound: Vec<Line<'t>> = self
            .lines
            .iter()
            .filter(|l| l.begins(&["bind", &kind, "vserver", &name]))
            .cloned()
            .collect();
        for line in bound {
            if let Some(policy) = line.option("-policyName") {
                let why = format!("the policy {policy} may decide otherwise");
                self.reading.untold(Some(line.place.clone()), why, None);
                continue;
            }
            let service = line.word(4).to_owned();
            let own = self
                .find(&["add", "service", &service])
                .or_else(|| self.find(&["add", "serviceGroup", &service]));
            if let Some(own) = own {
                let (place, text) = own.at();
                self.reading.follow(place, text);
                self.side(&own, "-svrTimeout", SERVER_S);
            }
        }
    }
}
