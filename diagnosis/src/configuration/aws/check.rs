//! Which load balancer and which listener take an upgrade, and after what silence they
//! cut it.

use super::gathered::{Call, Part, Whose, all, calls, whose};
use crate::configuration::chain::Hop;
use crate::configuration::source::File;
use crate::configuration::{
    Fix, Issue, Kind, NEEDED_S, Place, Program, Provided, Reading, Request,
};
use wss_bundle::structured::Node;

/// What a TLS listener of a Network Load Balancer has, whatever is set.
const NETWORK_TLS_S: f64 = 350.0;

pub(super) struct Check<'n> {
    pub(super) calls: &'n [Call],
    pub(super) request: &'n Request<'n>,
    pub(super) reading: Reading,
    /// False where the listener is not the port's that was asked.
    pub(super) sure: bool,
    pub(super) provided: Option<Provided>,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let calls = calls(files);
    let reading = Reading::new(Program(&super::DIALECT));
    let mut check = Check { calls: &calls, request, reading, sure: true, provided: None };
    check.run();
    check.reading
}

impl<'n> Check<'n> {
    pub(super) fn all(&self, list: &str) -> Vec<Part<'n>> {
        all(self.calls, list)
    }

    pub(super) fn follow(&mut self, part: &Part<'n>, key: &str) {
        let (place, line) = part.at(key);
        self.reading.follow(place, line);
    }

    pub(super) fn untold(&mut self, place: Option<Place>, why: impl Into<String>) {
        self.reading.untold(place, why.into(), None);
    }

    pub(super) fn issue(
        &mut self,
        kind: Kind,
        at: (Place, String),
        says: impl Into<String>,
        command: String,
    ) {
        self.fixed_by(None, kind, at, says, command);
    }

    /// One that has a fix of its own.
    pub(super) fn fixed_by(
        &mut self,
        own_fix: Option<Fix>,
        kind: Kind,
        at: (Place, String),
        says: impl Into<String>,
        command: String,
    ) {
        let issue = Issue::new(kind, at.0, at.1, says.into());
        let (sure, provided) = (self.sure, self.provided);
        let issue = Issue { sure, provided, command, own_fix, ..issue };
        if !self.reading.issues.contains(&issue) {
            self.reading.issues.push(issue);
        }
    }

    fn run(&mut self) {
        let classic = self.all("LoadBalancerDescriptions");
        let balancers = self.all("LoadBalancers");
        let listeners = self.all("Listeners");
        let newer = !listeners.is_empty() || !self.all("Rules").is_empty();
        // A list of all load balancers of an account is long, and says nothing alone.
        if !classic.is_empty() && !newer {
            return self.classic(&classic);
        }
        if balancers.is_empty() && !newer {
            return self.groups_alone();
        }
        let balancer = match self.balancer(&balancers, &listeners) {
            Ok(balancer) => balancer,
            Err(why) => {
                return self.untold(balancers.first().map(|b| b.at("LoadBalancerName").0), why);
            }
        };
        if let Some(balancer) = &balancer {
            self.follow(balancer, "LoadBalancerName");
        }
        let network = balancer.is_some_and(|b| b.text("Type") == "network");
        let of = |l: &&Part<'n>| {
            balancer.is_none_or(|b| l.text("LoadBalancerArn") == b.text("LoadBalancerArn"))
        };
        let own: Vec<Part<'n>> = listeners.iter().filter(of).copied().collect();
        match self.listener(&own) {
            None => {}
            Some(None) if network => self.network_idle(None, balancer.as_ref()),
            Some(None) => {
                self.rules(None);
                self.idle(None, balancer.as_ref());
            }
            Some(Some(listener)) => {
                self.follow(&listener, "Port");
                let tcp = matches!(listener.text("Protocol"), "TCP" | "TLS" | "UDP" | "TCP_UDP");
                let device = if network || tcp { "aws-nlb" } else { "aws-alb" };
                self.reading.device = Some(device).filter(|_| self.sure);
                if network || tcp {
                    return self.network(&listener, balancer.as_ref());
                }
                self.rules(Some(&listener));
                self.idle(Some(&listener), balancer.as_ref());
            }
        }
    }

    /// The load balancer: the one of the name that was asked for, the one with a
    /// listener on the port, the one whose listeners were given, or the only one.
    fn balancer(
        &self,
        all: &[Part<'n>],
        listeners: &[Part<'n>],
    ) -> Result<Option<Part<'n>>, String> {
        let port = f64::from(self.request.port);
        let own = |b: &Part<'n>, on_port: bool| {
            listeners.iter().any(|l| {
                l.text("LoadBalancerArn") == b.text("LoadBalancerArn")
                    && (!on_port || l.node.get("Port").and_then(Node::number) == Some(port))
            })
        };
        let only = |holds: &dyn Fn(&Part<'n>) -> bool| {
            let mut found = all.iter().filter(|b| holds(b));
            found.next().filter(|_| found.next().is_none()).copied()
        };
        let named = |b: &Part<'n>| b.text("DNSName").eq_ignore_ascii_case(self.request.host);
        let found = only(&named)
            .or_else(|| only(&|b| own(b, true)))
            .or_else(|| only(&|b| own(b, false)))
            .or_else(|| only(&|_| true));
        match (found, all) {
            (Some(one), _) => Ok(Some(one)),
            (None, []) => Ok(None),
            (None, _) => Err(format!(
                "several load balancers could take port {port}: give the listeners of one \
                 (aws elbv2 describe-listeners --load-balancer-arn ARN)"
            )),
        }
    }

    /// The listener of the port; where what stands before it may change the port, the
    /// only one. `None` where none takes the request, which is said; `Some(None)` where
    /// listeners were not given.
    fn listener(&mut self, own: &[Part<'n>]) -> Option<Option<Part<'n>>> {
        let number = |l: &Part<'n>| l.node.get("Port").and_then(Node::number);
        let port = f64::from(self.request.port);
        if let Some(listener) = own.iter().find(|l| number(l) == Some(port)) {
            return Some(Some(*listener));
        }
        match own {
            [] => Some(None),
            [one] => {
                self.sure = false;
                Some(Some(*one))
            }
            [first, ..] => {
                let ports: Vec<&str> = own.iter().map(|l| l.text("Port")).collect();
                let why = format!(
                    "no listener is on port {port}, which was asked for, but on {}: what stands before \
                     it changes the port, or it is another load balancer",
                    ports.join(", ")
                );
                self.untold(Some(first.at("Port").0), why);
                None
            }
        }
    }

    /// The entry of `describe-*-attributes` with a key, of those of one thing.
    fn attribute(
        &mut self,
        key: &str,
        option: &str,
        arn: &str,
        command: &str,
    ) -> Option<Setting<'n>> {
        let of = |call: &'n Call| {
            let mut entries = call.root().items_of("Attributes").iter();
            entries.find(|one| one.text_of("Key") == key)?.get("Value")?.number()
        };
        match whose(self.calls, of, option, arn) {
            Whose::Its(call, s) => {
                let mut entries = call.root().items_of("Attributes").iter();
                let node = entries.find(|one| one.text_of("Key") == key)?;
                Some(Setting { part: Part { node, call }, s })
            }
            Whose::NotGiven => None,
            Whose::Untold(count) => {
                let why = format!(
                    "{count} answers of {command} say different things of {key}, and nothing says which \
                     of them is this load balancer's: give its own alone, or leave the command above it"
                );
                self.untold(None, why);
                None
            }
        }
    }

    fn idle(&mut self, listener: Option<&Part<'n>>, balancer: Option<&Part<'n>>) {
        let (key, command) =
            ("idle_timeout.timeout_seconds", "aws elbv2 describe-load-balancer-attributes");
        let arn = listener.or(balancer).map_or("", |l| l.text("LoadBalancerArn"));
        let before = self.reading.untold.len();
        let Some(Setting { part, s }) = self.attribute(key, "--load-balancer-arn", arn, command)
        else {
            if self.reading.untold.len() == before {
                let why =
                    format!("the idle timeout was not given (60 s unless it is set): {command}");
                self.untold(listener.map(|l| l.at("Port").0), why);
            }
            return;
        };
        if s >= NEEDED_S {
            return;
        }
        let says = format!("({key}) cuts a connection on which nothing comes for {s:.0} s");
        let command = format!(
            "aws elbv2 modify-load-balancer-attributes --attributes Key={key},Value=3600 --load-balancer-arn {}",
            arn_of(balancer)
        );
        self.issue(Kind::Timeout(s), part.at("Value"), says, command);
    }

    fn network(&mut self, listener: &Part<'n>, balancer: Option<&Part<'n>>) {
        if listener.text("Protocol") == "TLS" {
            let says = format!(
                "forgets a connection on which nothing comes for {NETWORK_TLS_S:.0} s: of a Network Load \
                 Balancer's TLS listener that cannot be changed, of a TCP listener it can"
            );
            return self.issue(
                Kind::Timeout(NETWORK_TLS_S),
                listener.at("Protocol"),
                says,
                String::new(),
            );
        }
        self.network_idle(Some(listener), balancer);
    }

    fn network_idle(&mut self, listener: Option<&Part<'n>>, balancer: Option<&Part<'n>>) {
        let (key, command) = ("tcp.idle_timeout.seconds", "aws elbv2 describe-listener-attributes");
        let arn = listener.map_or("", |l| l.text("ListenerArn"));
        let before = self.reading.untold.len();
        let Some(Setting { part, s }) = self.attribute(key, "--listener-arn", arn, command) else {
            if self.reading.untold.len() == before {
                let why =
                    format!("the idle timeout was not given (350 s unless it is set): {command}");
                self.untold(listener.map(|l| l.at("Port").0), why);
            }
            return;
        };
        if s < NEEDED_S {
            let says = format!("({key}) forgets a connection on which nothing comes for {s:.0} s");
            let command = format!(
                "aws elbv2 modify-listener-attributes --attributes Key={key},Value=3600 --listener-arn \
                 \"$(aws elbv2 describe-listeners --load-balancer-arn {} --query 'Listeners[?Port==`{}`].ListenerArn' --output text)\"",
                arn_of(balancer),
                listener.map_or("443", |l| l.text("Port"))
            );
            self.issue(Kind::Timeout(s), part.at("Value"), says, command);
        }
    }

    /// Target groups or attributes without the rest: which of them takes the request
    /// is not told, so that one alone counts, and of several none.
    fn groups_alone(&mut self) {
        let groups = self.all("TargetGroups");
        match groups.as_slice() {
            [one] => self.group(one),
            [first, ..] => {
                let why = "which of these groups takes the request is not told without aws elbv2 \
                           describe-rules and describe-listeners";
                self.untold(Some(first.at("TargetGroupName").0), why);
            }
            [] => self.health(&[]),
        }
        let has = |key: &str| self.all("Attributes").iter().any(|one| one.text("Key") == key);
        if has("idle_timeout.timeout_seconds") {
            self.idle(None, None);
        } else if has("tcp.idle_timeout.seconds") {
            self.network_idle(None, None);
        }
    }
}

/// A number that is set.
struct Setting<'n> {
    part: Part<'n>,
    s: f64,
}

/// The load balancer's ARN, as a command that asks for it: that in the bundle is masked.
fn arn_of(balancer: Option<&Part<'_>>) -> String {
    let name = balancer.map_or("NAME", |b| b.text("LoadBalancerName"));
    format!(
        "\"$(aws elbv2 describe-load-balancers --names {name} --query 'LoadBalancers[0].LoadBalancerArn' --output text)\""
    )
}
