//! The way of an upgrade through an AWS load balancer: listener, rules, target group.

use super::gathered::{Part, all, parsed};
use crate::configuration::chain::Hop;
use crate::configuration::source::File;
use crate::configuration::{Issue, Kind, NEEDED_S, Place, Program, Provided, Reading, Request};
use wss_bundle::structured::Node;

/// Idle timeouts where nothing else is set (the services' own documents).
const CLASSIC_S: f64 = 60.0;

struct Check<'n> {
    documents: &'n [(String, Node)],
    request: &'n Request<'n>,
    reading: Reading,
    sure: bool,
    provided: Option<Provided>,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let documents = parsed(files);
    let reading = Reading::new(Program(&super::DIALECT));
    let mut check = Check { documents: &documents, request, reading, sure: true, provided: None };
    check.run();
    check.reading
}

/// A load balancer's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Application,
    Network,
    Unknown,
}

impl<'n> Check<'n> {
    fn all(&self, list: &'static str) -> Vec<Part<'n>> {
        all(self.documents, list)
    }

    fn follow(&mut self, part: &Part<'n>, key: &str) {
        let (place, line) = part.at(key);
        self.reading.follow(place, line);
    }

    fn untold(&mut self, place: Option<Place>, why: impl Into<String>) {
        self.reading.untold(place, why.into(), None);
    }

    fn issue(&mut self, kind: Kind, at: (Place, String), says: impl Into<String>, command: String) {
        let issue = Issue::new(kind, at.0, at.1, says.into());
        let (sure, provided) = (self.sure, self.provided);
        self.reading.issues.push(Issue { sure, provided, command, ..issue });
    }

    fn run(&mut self) {
        let classic = self.all("LoadBalancerDescriptions");
        if !classic.is_empty() {
            self.classic(&classic);
        }
        let balancers = self.all("LoadBalancers");
        let listeners = self.all("Listeners");
        if balancers.is_empty() && listeners.is_empty() && self.all("Rules").is_empty() {
            // Groups or attributes alone.
            if classic.is_empty() {
                self.groups_alone();
            }
            return;
        }
        let balancer = match self.balancer(&balancers, &listeners) {
            Ok(balancer) => balancer,
            Err(why) => {
                return self.untold(balancers.first().map(|b| b.at("LoadBalancerName").0), why);
            }
        };
        let sort = match balancer.map(|b| b.text("Type")) {
            Some("application") => Sort::Application,
            Some("network") => Sort::Network,
            _ => Sort::Unknown,
        };
        if let Some(balancer) = &balancer {
            self.follow(balancer, "LoadBalancerName");
        }
        let of = |l: &&Part<'n>| {
            balancer.is_none_or(|b| l.text("LoadBalancerArn") == b.text("LoadBalancerArn"))
        };
        let own: Vec<Part<'n>> = listeners.iter().filter(of).copied().collect();
        let port = |l: &&Part<'n>| {
            l.node.get("Port").and_then(Node::number) == Some(f64::from(self.request.port))
        };
        let listener = match (own.iter().find(port), own.as_slice()) {
            (Some(listener), _) => Some(*listener),
            (None, [one]) => {
                self.sure = false;
                Some(*one)
            }
            _ => None,
        };
        let network = sort == Sort::Network
            || listener
                .is_some_and(|l| matches!(l.text("Protocol"), "TCP" | "TLS" | "UDP" | "TCP_UDP"));
        if let Some(listener) = &listener {
            self.follow(listener, "Port");
        }
        if network {
            return self.network(balancer.as_ref());
        }
        self.rules(listener.as_ref());
        self.idle(balancer.as_ref());
    }

    /// The load balancer: the one of the name that was asked for, or the only one.
    fn balancer(
        &self,
        all: &[Part<'n>],
        listeners: &[Part<'n>],
    ) -> Result<Option<Part<'n>>, String> {
        let named = |b: &&Part<'n>| b.text("DNSName").eq_ignore_ascii_case(self.request.host);
        let listens = |b: &&Part<'n>| {
            listeners.iter().any(|l| {
                l.text("LoadBalancerArn") == b.text("LoadBalancerArn")
                    && l.node.get("Port").and_then(Node::number)
                        == Some(f64::from(self.request.port))
            })
        };
        if let Some(one) = all.iter().find(named) {
            return Ok(Some(*one));
        }
        let on_port: Vec<&Part<'n>> = all.iter().filter(listens).collect();
        match (all, on_port.as_slice()) {
            ([], _) => Ok(None),
            ([one], _) => Ok(Some(*one)),
            (_, [one]) => Ok(Some(**one)),
            _ => Err(format!(
                "several load balancers could take port {}: give the answers for one of them (--names)",
                self.request.port
            )),
        }
    }

    /// The rules of a listener, by their priority; the default last.
    fn rules(&mut self, listener: Option<&Part<'n>>) {
        let id = |arn: &str| arn.split_once("listener/").map(|(_, rest)| rest.to_owned());
        let own = listener.and_then(|l| id(l.text("ListenerArn")));
        let mut rules: Vec<Part<'n>> = self
            .all("Rules")
            .into_iter()
            .filter(|rule| {
                let arn = rule.text("RuleArn").split_once("listener-rule/").map(|(_, rest)| rest);
                own.as_deref().is_none_or(|own| arn.is_none_or(|arn| arn.starts_with(own)))
            })
            .collect();
        if rules.is_empty() {
            let why = "the listener's rules were not given (aws elbv2 describe-rules): its default \
                       action is what was followed";
            self.untold(listener.map(|l| l.at("DefaultActions").0), why);
            if let Some(listener) = listener {
                self.actions(listener, listener.node.items_of("DefaultActions"));
            }
            return;
        }
        rules.sort_by_key(|rule| rule.text("Priority").parse::<u32>().unwrap_or(u32::MAX));
        for rule in &rules {
            match self.holds(rule.node) {
                Ok(false) => {}
                Ok(true) => {
                    self.follow(rule, "Priority");
                    return self.actions(rule, rule.node.items_of("Actions"));
                }
                Err(why) => {
                    let why = format!("whether this rule applies depends on {why}");
                    return self.untold(Some(rule.at("Priority").0), why);
                }
            }
        }
        if let Some(listener) = listener {
            self.actions(listener, listener.node.items_of("DefaultActions"));
        }
    }

    fn holds(&self, rule: &Node) -> Result<bool, String> {
        let (path, query) = self.request.path.split_once('?').unwrap_or((self.request.path, ""));
        let mut unknown = None;
        for one in rule.items_of("Conditions") {
            let config = |key: &str| one.get(key).map(|c| c.items_of("Values")).unwrap_or_default();
            let values = |key: &str| {
                let own = config(key);
                if own.is_empty() { one.items_of("Values") } else { own }
            };
            let any = |all: &[Node], text: &str| all.iter().any(|v| wild(v.text(), text));
            let host = self.request.host.to_ascii_lowercase();
            let held = match one.text_of("Field") {
                _ if one.get("RegexValues").is_some() => Err("a pattern".to_owned()),
                "path-pattern" => Ok(any(values("PathPatternConfig"), path)),
                "host-header" => Ok(values("HostHeaderConfig")
                    .iter()
                    .any(|v| wild(&v.text().to_ascii_lowercase(), &host))),
                "http-request-method" => Ok(any(values("HttpRequestMethodConfig"), "GET")),
                "query-string" if query.is_empty() => Ok(false),
                "http-header" => {
                    let name =
                        one.get("HttpHeaderConfig").map_or("", |c| c.text_of("HttpHeaderName"));
                    match name.to_ascii_lowercase().as_str() {
                        "upgrade" => Ok(any(config("HttpHeaderConfig"), "websocket")),
                        "connection" => Ok(any(config("HttpHeaderConfig"), "Upgrade")),
                        name => Err(format!("the header {name}")),
                    }
                }
                other => Err(other.to_owned()),
            };
            match held {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(why) => unknown = Some(why),
            }
        }
        unknown.map_or(Ok(true), Err)
    }

    /// What a rule does; who signs on comes first.
    fn actions(&mut self, of: &Part<'n>, actions: &'n [Node]) {
        for action in actions {
            let shown = |key: &str| of.value(action.get(key).unwrap_or(action));
            let path = self.request.path;
            match action.text_of("Type") {
                kind @ ("authenticate-oidc" | "authenticate-cognito" | "jwt-validation") => {
                    let status = if kind == "jwt-validation" { 401 } else { 302 };
                    let says = format!(
                        "wants {path} to be signed on ({status} to what is not): a WebSocket follows no \
                         redirect, and has the session of the page's cookie or none"
                    );
                    let before = self.provided.replace(Provided::Condition);
                    self.issue(Kind::PathRule(Some(status)), shown("Type"), says, String::new());
                    self.provided = before;
                }
                "fixed-response" => {
                    let config = action.get("FixedResponseConfig");
                    let status = config.and_then(|c| c.text_of("StatusCode").parse().ok());
                    let says = format!("answers {path} itself, and sends nothing to Bindplane");
                    let command = "aws elbv2 create-rule --listener-arn LISTENER --priority 1 \
                                   --conditions Field=path-pattern,Values='/v1/*' \
                                   --actions Type=forward,TargetGroupArn=GROUP"
                        .to_owned();
                    return self.issue(Kind::PathRule(status), shown("Type"), says, command);
                }
                "redirect" => return self.redirect(action, shown("Type")),
                "forward" => return self.forward(action, shown("TargetGroupArn")),
                _ => {}
            }
        }
    }

    fn redirect(&mut self, action: &Node, at: (Place, String)) {
        let config = action.get("RedirectConfig");
        let of = |key: &str, default: &str| {
            let own = config.map_or("", |c| c.text_of(key));
            if own.is_empty() { default.to_owned() } else { own.to_owned() }
        };
        let status = if of("StatusCode", "").contains("301") { 301 } else { 302 };
        let plain = |key: &str, variable: &str| of(key, variable) == variable;
        let scheme = if self.request.tls { "HTTPS" } else { "HTTP" };
        let same = matches!(of("Protocol", "#{protocol}").as_str(), p if p == scheme || p == "#{protocol}")
            && (plain("Port", "#{port}") || of("Port", "") == self.request.port.to_string())
            && plain("Host", "#{host}")
            && plain("Path", "/#{path}");
        if same {
            let says = "redirects to the very URL that was asked for";
            return self.issue(Kind::RedirectLoop(status), at, says, String::new());
        }
        let says = format!(
            "redirects {} ({status}), which a WebSocket does not follow",
            self.request.path
        );
        self.issue(Kind::PathRule(Some(status)), at, says, String::new());
    }

    fn forward(&mut self, action: &'n Node, at: (Place, String)) {
        let several =
            action.get("ForwardConfig").map(|c| c.items_of("TargetGroups")).unwrap_or_default();
        let arns: Vec<&str> = match action.text_of("TargetGroupArn") {
            "" => several.iter().map(|g| g.text_of("TargetGroupArn")).collect(),
            one => vec![one],
        };
        let groups: Vec<Part<'n>> = self.all("TargetGroups");
        let mut found = false;
        for arn in arns {
            let Some(group) = groups.iter().find(|g| g.text("TargetGroupArn") == arn) else {
                continue;
            };
            found = true;
            self.group(group);
        }
        if !found {
            let why = "the target group was not given: aws elbv2 describe-target-groups";
            self.untold(Some(at.0), why);
        }
        self.health();
    }

    fn group(&mut self, group: &Part<'n>) {
        self.follow(group, "TargetGroupName");
        let version = group.text("ProtocolVersion");
        if matches!(version, "HTTP2" | "GRPC") {
            let says = format!(
                "makes the load balancer speak {} to the targets, which an upgrade cannot cross",
                if version == "GRPC" { "gRPC" } else { "HTTP/2" }
            );
            let command = format!(
                "# a group's version cannot be changed: a new one, and the rule that forwards to it\n\
                 aws elbv2 create-target-group --name {}-http1 --protocol {} --protocol-version HTTP1 \
                 --port {} --target-type {} --vpc-id VPC\n\
                 aws elbv2 modify-rule --rule-arn RULE --actions Type=forward,TargetGroupArn=GROUP",
                group.text("TargetGroupName"),
                group.text("Protocol"),
                group.text("Port"),
                group.text("TargetType"),
            );
            self.issue(Kind::Http2, group.at("ProtocolVersion"), says, command);
        }
        if !group.text("TargetControlPort").is_empty() {
            let says = "switches the target optimizer on, which carries no WebSocket";
            self.issue(Kind::UpgradeHeaders, group.at("TargetControlPort"), says, String::new());
        }
    }

    /// Targets that may be asked; the answer does not say of which group.
    fn health(&mut self) {
        let all = self.all("TargetHealthDescriptions");
        let state = |p: &Part<'n>| p.node.get("TargetHealth").map_or("", |h| h.text_of("State"));
        let Some(first) = all.first() else { return };
        if all
            .iter()
            .any(|p| matches!(state(p), "healthy" | "unused" | "initial" | "draining" | ""))
        {
            return;
        }
        let reason = first.node.get("TargetHealth").map_or("", |h| h.text_of("Reason"));
        let own = first.node.get("TargetHealth").and_then(|h| h.get("State"));
        let (at, line) = first.value(own.unwrap_or(first.node));
        let line = format!("{line} ({reason})");
        let says = format!("is true of all {} targets: the load balancer answers 503", all.len());
        let command =
            "aws elbv2 modify-target-group --target-group-arn GROUP --health-check-path /health"
                .to_owned();
        self.issue(Kind::PathRule(Some(503)), (at, line), says, command);
    }

    /// An entry of `describe-*-attributes`.
    fn attribute(&self, key: &str) -> Option<(Part<'n>, f64)> {
        let all = self.all("Attributes");
        let found = all.into_iter().find(|one| one.text("Key") == key)?;
        Some((found, found.node.get("Value")?.number()?))
    }

    fn idle(&mut self, balancer: Option<&Part<'n>>) {
        let key = "idle_timeout.timeout_seconds";
        let Some((part, s)) = self.attribute(key) else {
            let why = "the idle timeout was not given (60 s unless it is set): aws elbv2 \
                       describe-load-balancer-attributes";
            return self.untold(balancer.map(|b| b.at("LoadBalancerArn").0), why);
        };
        if s >= NEEDED_S {
            return;
        }
        let says = format!("{key}: cuts a connection on which nothing comes for {s:.0} s");
        let command = format!(
            "aws elbv2 modify-load-balancer-attributes --attributes Key={key},Value=3600 --load-balancer-arn {}",
            arn_of(balancer)
        );
        self.issue(Kind::Timeout(s), part.at("Value"), says, command);
    }

    fn network(&mut self, balancer: Option<&Part<'n>>) {
        let key = "tcp.idle_timeout.seconds";
        let Some((part, s)) = self.attribute(key) else {
            let why = "the idle timeout was not given (350 s unless it is set): aws elbv2 \
                       describe-listener-attributes";
            return self.untold(balancer.map(|b| b.at("LoadBalancerArn").0), why);
        };
        if s < NEEDED_S {
            let says = format!("{key}: forgets a connection on which nothing comes for {s:.0} s");
            let command = format!(
                "aws elbv2 modify-listener-attributes --attributes Key={key},Value=3600 --listener-arn \
                 \"$(aws elbv2 describe-listeners --load-balancer-arn {} --query 'Listeners[0].ListenerArn' --output text)\"",
                arn_of(balancer)
            );
            self.issue(Kind::Timeout(s), part.at("Value"), says, command);
        }
    }

    /// A Classic Load Balancer: by HTTP it carries no upgrade, by TCP it does.
    fn classic(&mut self, all: &[Part<'n>]) {
        let named = |b: &&Part<'n>| b.text("DNSName").eq_ignore_ascii_case(self.request.host);
        let balancer = match (all.iter().find(named), all) {
            (Some(one), _) | (None, [one]) => *one,
            _ => {
                let place = all.first().map(|b| b.at("LoadBalancerName").0);
                return self.untold(
                    place,
                    "several load balancers were given: give one (--load-balancer-names)",
                );
            }
        };
        self.follow(&balancer, "LoadBalancerName");
        let port = f64::from(self.request.port);
        for one in balancer.node.items_of("ListenerDescriptions") {
            let Some(listener) = one.get("Listener") else { continue };
            if listener.get("LoadBalancerPort").and_then(Node::number) != Some(port) {
                continue;
            }
            let Some(protocol) = listener.get("Protocol") else { continue };
            if matches!(protocol.text(), "HTTP" | "HTTPS") {
                let at = balancer.value(protocol);
                let says = "drops Upgrade: a Classic Load Balancer carries WebSocket by TCP or SSL alone. \
                            An Application Load Balancer carries it as it is";
                let (name, tls) = (balancer.text("LoadBalancerName"), protocol.text() == "HTTPS");
                let (front, certificate) =
                    if tls { ("SSL", ",SSLCertificateId=CERTIFICATE") } else { ("TCP", "") };
                let command = format!(
                    "aws elb delete-load-balancer-listeners --load-balancer-name {name} --load-balancer-ports {port}\n\
                     aws elb create-load-balancer-listeners --load-balancer-name {name} --listeners \
                     Protocol={front},LoadBalancerPort={port},InstanceProtocol=TCP,InstancePort={}{certificate}",
                    listener.text_of("InstancePort"),
                );
                self.issue(Kind::UpgradeHeaders, at, says, command);
            }
        }
        let settings = self.documents.iter().find_map(|(file, node)| {
            let idle = node
                .get("LoadBalancerAttributes")?
                .get("ConnectionSettings")?
                .get("IdleTimeout")?;
            Some((Part { node, file, root: node }, idle))
        });
        let Some((part, idle)) = settings else {
            let why = format!(
                "the idle timeout was not given ({CLASSIC_S:.0} s unless it is set): aws elb \
                 describe-load-balancer-attributes"
            );
            return self.untold(Some(balancer.at("LoadBalancerName").0), why);
        };
        if let Some(s) = idle.number().filter(|s| *s < NEEDED_S) {
            let says = format!("cuts a connection on which nothing comes for {s:.0} s");
            let command = format!(
                "aws elb modify-load-balancer-attributes --load-balancer-name {} --load-balancer-attributes \
                 '{{\"ConnectionSettings\":{{\"IdleTimeout\":3600}}}}'",
                balancer.text("LoadBalancerName")
            );
            self.issue(Kind::Timeout(s), part.value(idle), says, command);
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
            [] => {}
        }
        self.health();
        if self.attribute("idle_timeout.timeout_seconds").is_some() {
            self.idle(None);
        } else if self.attribute("tcp.idle_timeout.seconds").is_some() {
            self.network(None);
        }
    }
}

/// The load balancer's ARN, as a command that asks for it: that in the bundle is masked.
fn arn_of(balancer: Option<&Part<'_>>) -> String {
    let name = balancer.map_or("NAME", |b| b.text("LoadBalancerName"));
    format!(
        "\"$(aws elbv2 describe-load-balancers --names {name} --query 'LoadBalancers[0].LoadBalancerArn' --output text)\""
    )
}

/// `*` and `?`.
fn wild(pattern: &str, text: &str) -> bool {
    let escaped = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
    regex::Regex::new(&format!("^{escaped}$")).is_ok_and(|r| r.is_match(text))
}
