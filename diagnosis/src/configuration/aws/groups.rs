//! A target group: the protocol to the targets, and whether anybody is there.

use super::check::Check;
use super::gathered::{Call, Part, Whose, whose};
use crate::configuration::{Fix, Kind};

/// What an answer of `describe-target-health` says of all targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    /// None is registered.
    Nobody,
    /// None is in use: stopped, not registered, or in a zone that is not enabled.
    Unused,
    /// None passes its checks: the load balancer asks them all the same.
    Failing,
    /// Somebody is there, or it cannot be told.
    Fine,
}

fn health(call: &Call) -> Option<Health> {
    let all = call.root().get("TargetHealthDescriptions")?.items();
    let every = |state: &str| {
        all.iter().all(|one| one.get("TargetHealth").is_some_and(|h| h.text_of("State") == state))
    };
    Some(match all {
        [] => Health::Nobody,
        _ if every("unused") => Health::Unused,
        _ if every("unhealthy") => Health::Failing,
        _ => Health::Fine,
    })
}

impl<'n> Check<'n> {
    pub(super) fn group(&mut self, group: &Part<'n>) {
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
            let fix = Fix::new(
                "Forward the WebSocket's paths to a target group without TargetControlPort.",
            );
            let at = group.at("TargetControlPort");
            self.fixed_by(Some(fix), Kind::UpgradeHeaders, at, says, String::new());
        }
        self.health(&[*group]);
    }

    /// Whether anybody takes what is forwarded to these groups.
    pub(super) fn health(&mut self, groups: &[Part<'n>]) {
        let arn = groups.first().map_or("", |group| group.text("TargetGroupArn"));
        let (call, health) = match whose(self.calls, health, "--target-group-arn", arn) {
            Whose::Its(call, health) => (call, health),
            Whose::NotGiven => return,
            Whose::Untold(count) => {
                let why = format!(
                    "{count} answers of aws elbv2 describe-target-health differ, and nothing says which of \
                     them is this group's: give its own alone, or leave the command above it"
                );
                return self.untold(groups.first().map(|group| group.at("TargetGroupName").0), why);
            }
        };
        self.targets(call, health);
    }

    fn targets(&mut self, call: &'n Call, health: Health) {
        let Some(list) = call.root().get("TargetHealthDescriptions") else { return };
        let first = list.items().first().and_then(|one| one.get("TargetHealth"));
        let part = Part { node: list, call };
        let reason = first.map_or("", |h| h.text_of("Reason"));
        let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
        let (place, line) = part.value(first.and_then(|h| h.get("State")).unwrap_or(list));
        let register =
            "aws elbv2 register-targets --target-group-arn GROUP --targets Id=TARGET".to_owned();
        let check =
            "aws elbv2 modify-target-group --target-group-arn GROUP --health-check-path /health"
                .to_owned();
        match health {
            Health::Fine => {}
            Health::Nobody => {
                let line = format!("{}: []", place.path);
                let says = "has no target registered: the load balancer answers 503 itself";
                self.issue(Kind::Targets(Some(503)), (place, line), says, register);
            }
            Health::Unused => {
                let says = "is true of every target: none is in use, and the load balancer answers 503 \
                            itself";
                let at = (place, format!("{line}{reason}"));
                self.issue(Kind::Targets(Some(503)), at, says, String::new());
            }
            Health::Failing => {
                let says = "is true of every target: the load balancer then asks them all the same, and \
                            answers 502, 503 or 504 where they do not answer";
                self.issue(Kind::Targets(None), (place, format!("{line}{reason}")), says, check);
            }
        }
    }
}
