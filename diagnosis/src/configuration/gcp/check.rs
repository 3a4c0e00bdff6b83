//! The way of an upgrade through Google's load balancer: URL map, backend service.

use super::url_map::{is_bucket, last, service};
use crate::configuration::chain::Hop;
use crate::configuration::notes::Notes;
use crate::configuration::part::{self, Part};
use crate::configuration::source::File;
use crate::configuration::{Kind, NEEDED_S, Program, Reading, Request};

/// `timeoutSec`, where it is not set.
const DEFAULT_S: f64 = 30.0;

struct Check<'n> {
    all: Vec<Part<'n>>,
    notes: Notes<'n>,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let files = part::of(files);
    let all = part::entries(&files);
    let mut check = Check { all, notes: Notes::new(Program(&super::DIALECT), request) };
    check.run();
    check.notes.reading
}

impl<'n> Check<'n> {
    /// What was given of a kind, by its `kind`.
    fn of(&self, kind: &str) -> Vec<Part<'n>> {
        let own = |one: &&Part<'n>| one.text("kind").strip_prefix("compute#") == Some(kind);
        self.all.iter().filter(own).copied().collect()
    }

    fn run(&mut self) {
        let maps = self.map();
        let services = self.of("backendService");
        match maps.as_slice() {
            [] => match services.as_slice() {
                [one] => self.service(*one),
                [first, ..] => {
                    let why = "which of these takes the request is not told without its URL map: gcloud \
                               compute url-maps describe NAME";
                    self.notes.untold(first.get("name"), why);
                }
                [] => {
                    let why = "nothing that was given takes requests: give the URL map and its backend \
                               services (`wss-collector config-commands gcp`)";
                    self.notes.untold(self.all.first().copied(), why);
                }
            },
            [one] => self.mapped(*one, &services),
            [first, ..] => {
                let why = "several URL maps could take this: give the one of the load balancer, or its \
                           forwarding rule and target proxy as well";
                self.notes.untold(first.get("name"), why);
            }
        }
    }

    /// The URL maps that may take the request: by the forwarding rule and proxy of the
    /// port where they were given, else by the host, else all.
    fn map(&self) -> Vec<Part<'n>> {
        let maps = self.of("urlMap");
        let port = self.notes.request.port.to_string();
        let on_port = |rule: &Part<'n>| {
            rule.text("portRange").split('-').next() == Some(port.as_str())
                || rule.items("ports").any(|own| own.node.text() == port)
        };
        let rules: Vec<Part<'n>> = self.of("forwardingRule").into_iter().filter(on_port).collect();
        let mut proxies = self.of("targetHttpsProxy");
        proxies.extend(self.of("targetHttpProxy"));
        let targets: Vec<&str> = rules.iter().map(|rule| last(rule.text("target"))).collect();
        let of_rule = proxies.iter().filter(|proxy| targets.contains(&proxy.text("name")));
        let named: Vec<&str> = of_rule.map(|proxy| last(proxy.text("urlMap"))).collect();
        let own: Vec<Part<'n>> =
            maps.iter().filter(|map| named.contains(&map.text("name"))).copied().collect();
        if !own.is_empty() {
            return own;
        }
        let host = |map: &&Part<'n>| {
            let mut hosts = map.items("hostRules").flat_map(|rule| rule.items("hosts"));
            hosts.any(|host| host.node.text().eq_ignore_ascii_case(self.notes.request.host))
        };
        let own: Vec<Part<'n>> = maps.iter().filter(host).copied().collect();
        if own.len() == 1 { own } else { maps }
    }

    fn mapped(&mut self, map: Part<'n>, services: &[Part<'n>]) {
        self.notes.device("gcp-glb");
        self.notes.follow(map.get("name").unwrap_or(map));
        let Some(at) = service(&mut self.notes, map) else { return };
        if is_bucket(at.node) {
            let says = format!("sends {} to a bucket: its files are the answer", self.notes.path());
            return self.notes.issue(Kind::PathRule(Some(404)), at, says, "");
        }
        let name = last(at.node.text());
        match services.iter().find(|own| own.text("name") == name) {
            Some(own) => self.service(*own),
            None => {
                let why = format!(
                    "the backend service was not given: gcloud compute backend-services describe {name}"
                );
                self.notes.untold(Some(at), why);
            }
        }
    }

    fn service(&mut self, service: Part<'n>) {
        self.notes.device("gcp-glb");
        self.notes.follow(service.get("name").unwrap_or(service));
        let name = service.text("name");
        let place = match service.get("region") {
            Some(region) => format!("--region={}", last(region.node.text())),
            None => "--global".to_owned(),
        };
        let update = format!("gcloud compute backend-services update {name} {place}");
        let protocol = service.text("protocol");
        if let ("HTTP2" | "H2C" | "GRPC", Some(at)) = (protocol, service.get("protocol")) {
            let says =
                "makes the load balancer speak HTTP/2 to the server, which an upgrade cannot cross";
            self.notes.issue(Kind::Http2, at, says, format!("{update} --protocol=HTTP"));
        }
        let iap = service.get("iap").and_then(|iap| iap.get("enabled"));
        if let Some(at) = iap.filter(|own| own.node.text() == "true") {
            let says = "wants requests to be signed on (Identity-Aware Proxy): what is not gets 302 or 401, \
                        and a WebSocket follows no redirect";
            self.notes.if_seen(Kind::PathRule(Some(302)), at, says);
        }
        if let Some(at) = service.get("securityPolicy").filter(|own| !own.node.text().is_empty()) {
            let says = "is asked before every request, upgrades included: it may answer 403 or 429";
            self.notes.if_seen(Kind::PathRule(Some(403)), at, says);
        }
        self.time(service, &update);
    }

    /// What `timeoutSec` is depends on the kind of load balancer.
    fn time(&mut self, service: Part<'n>, update: &str) {
        let node = service.get("timeoutSec");
        let seconds = node.and_then(|own| own.node.number()).unwrap_or(DEFAULT_S);
        if seconds >= NEEDED_S {
            return;
        }
        let at = node.or_else(|| service.get("name")).unwrap_or(service);
        let how = if node.is_some() { "" } else { "sets no timeoutSec: the load balancer " };
        let age = format!("{how}ends a connection at {seconds:.0} s, whatever passes on it");
        let silence = format!("{how}cuts a connection on which nothing comes for {seconds:.0} s");
        let command = format!("{update} --timeout=3600s");
        let http = matches!(service.text("protocol"), "HTTP" | "HTTPS" | "HTTP2" | "H2C" | "GRPC");
        let regional = service.get("region").is_some();
        match (service.text("loadBalancingScheme"), http) {
            // "Backend services overview": idle or not.
            ("EXTERNAL", true) => {
                self.notes.issue(Kind::Lifetime(seconds), at, age, command);
                self.notes.if_seen(Kind::Timeout(seconds), at, silence);
            }
            // "Internal Application Load Balancer overview": active ones live on. Older
            // documents had an age of these, too: what was seen counts.
            ("EXTERNAL_MANAGED" | "INTERNAL_MANAGED", true) => {
                self.notes.issue(Kind::Timeout(seconds), at, silence, command);
                self.notes.if_seen(Kind::Lifetime(seconds), at, age);
            }
            // A proxy of TCP or SSL: an idle timeout.
            ("EXTERNAL_MANAGED" | "INTERNAL_MANAGED", false) => {
                self.notes.issue(Kind::Timeout(seconds), at, silence, command);
            }
            ("EXTERNAL", false) if !regional && service.text("protocol") != "UDP" => {
                self.notes.issue(Kind::Timeout(seconds), at, silence, command);
            }
            // What passes packets on has no such time.
            ("INTERNAL" | "EXTERNAL" | "EXTERNAL_PASSTHROUGH", _) => {}
            (scheme, _) => {
                let why =
                    format!("what timeoutSec is of a load balancer of scheme {scheme} is not told");
                self.notes.untold(Some(at), why);
            }
        }
    }
}
