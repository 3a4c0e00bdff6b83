//! A Classic Load Balancer: by HTTP it carries no upgrade, by TCP it does.

use super::check::Check;
use super::gathered::{Part, Whose, whose};
use crate::configuration::{Kind, NEEDED_S};
use wss_bundle::structured::Node;

/// The idle timeout where nothing else is set.
const CLASSIC_S: f64 = 60.0;

impl<'n> Check<'n> {
    pub(super) fn classic(&mut self, all: &[Part<'n>]) {
        let Some(balancer) = self.classic_balancer(all) else {
            let place = all.first().map(|b| b.at("LoadBalancerName").0);
            let why = "several load balancers could take the request: give one \
                       (aws elb describe-load-balancers --load-balancer-names NAME)";
            return self.untold(place, why);
        };
        self.follow(&balancer, "LoadBalancerName");
        let Some(listener) = self.classic_listener(&balancer) else {
            let why = format!(
                "no listener of it is on port {}, which was asked for: what stands before it changes the \
                 port, or it is another load balancer",
                self.request.port
            );
            return self.untold(Some(balancer.at("ListenerDescriptions").0), why);
        };
        self.reading.device = Some("aws-clb");
        if let Some(protocol) = listener.get("Protocol") {
            let (place, line) = balancer.value(protocol);
            self.reading.follow(place, line);
            self.classic_protocol(&balancer, listener, protocol);
        }
        self.classic_idle(&balancer);
    }

    /// The one of the name that was asked for, the one with a listener on the port, or
    /// the only one.
    fn classic_balancer(&self, all: &[Part<'n>]) -> Option<Part<'n>> {
        let only = |holds: &dyn Fn(&Part<'n>) -> bool| {
            let mut found = all.iter().filter(|b| holds(b));
            found.next().filter(|_| found.next().is_none()).copied()
        };
        only(&|b| b.text("DNSName").eq_ignore_ascii_case(self.request.host))
            .or_else(|| only(&|b| self.classic_listener(b).is_some()))
            .or_else(|| only(&|_| true))
    }

    fn classic_listener(&self, balancer: &Part<'n>) -> Option<&'n Node> {
        let port = Some(f64::from(self.request.port));
        let mut all = balancer.node.items_of("ListenerDescriptions").iter();
        all.find_map(|one| {
            let listener = one.get("Listener")?;
            (listener.get("LoadBalancerPort").and_then(Node::number) == port).then_some(listener)
        })
    }

    fn classic_protocol(&mut self, balancer: &Part<'n>, listener: &Node, protocol: &Node) {
        if !matches!(protocol.text(), "HTTP" | "HTTPS") {
            return;
        }
        let says = "drops Upgrade: a Classic Load Balancer carries WebSocket by TCP or SSL alone. \
                    An Application Load Balancer carries it as it is";
        let (name, port) = (balancer.text("LoadBalancerName"), self.request.port);
        let (front, certificate) = if protocol.text() == "HTTPS" {
            ("SSL", ",SSLCertificateId=CERTIFICATE")
        } else {
            ("TCP", "")
        };
        let command = format!(
            "aws elb delete-load-balancer-listeners --load-balancer-name {name} --load-balancer-ports {port}\n\
             aws elb create-load-balancer-listeners --load-balancer-name {name} --listeners \
             Protocol={front},LoadBalancerPort={port},InstanceProtocol=TCP,InstancePort={}{certificate}",
            listener.text_of("InstancePort"),
        );
        self.issue(Kind::UpgradeHeaders, balancer.value(protocol), says, command);
    }

    fn classic_idle(&mut self, balancer: &Part<'n>) {
        let command = "aws elb describe-load-balancer-attributes";
        let settings = whose(
            self.calls,
            |call| {
                call.root()
                    .get("LoadBalancerAttributes")?
                    .get("ConnectionSettings")?
                    .get("IdleTimeout")
            },
            "--load-balancer-name",
            balancer.text("LoadBalancerName"),
        );
        let place = balancer.at("LoadBalancerName").0;
        let (call, idle) = match settings {
            Whose::Its(call, idle) => (call, idle),
            Whose::NotGiven => {
                let why = format!(
                    "the idle timeout was not given ({CLASSIC_S:.0} s unless it is set): {command}"
                );
                return self.untold(Some(place), why);
            }
            Whose::Untold(count) => {
                let why = format!(
                    "{count} answers of {command} differ, and nothing says which of them is this load \
                     balancer's: give its own alone, or leave the command above it"
                );
                return self.untold(Some(place), why);
            }
        };
        if let Some(s) = idle.number().filter(|s| *s < NEEDED_S) {
            let says = format!("cuts a connection on which nothing comes for {s:.0} s");
            let command = format!(
                "aws elb modify-load-balancer-attributes --load-balancer-name {} --load-balancer-attributes \
                 '{{\"ConnectionSettings\":{{\"IdleTimeout\":3600}}}}'",
                balancer.text("LoadBalancerName")
            );
            self.issue(Kind::Timeout(s), Part { node: idle, call }.value(idle), says, command);
        }
    }
}
