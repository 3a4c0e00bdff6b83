//! AWS' row of the table: how answers of its command line are recognised.

use super::check::read;
use crate::configuration::dialect::{Dialect, Fix, Masked, Proof, Recognised, Text, no_includes};
use crate::configuration::part::recognised;
use crate::configuration::{Issue, Kind};
use wss_bundle::redact::listed::AWS;

/// AWS: Application, Network and Classic Load Balancers.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "aws",
    name: "AWS",
    devices: &["aws-alb", "aws-nlb", "aws-clb"],
    expected: "what `aws elbv2 describe-…` prints",
    whole: "AWS: `wss-collector config-commands aws` prints the read-only commands",
    commands: &[
        "aws elbv2 describe-load-balancers --output json > load-balancers.json",
        "aws elbv2 describe-listeners --load-balancer-arn ARN --output json > listeners.json",
        "aws elbv2 describe-rules --listener-arn ARN --output json > rules.json",
        "aws elbv2 describe-target-groups --load-balancer-arn ARN --output json > target-groups.json",
        "aws elbv2 describe-load-balancer-attributes --load-balancer-arn ARN --output json > attributes.json",
        "aws elbv2 describe-target-health --target-group-arn ARN --output json > health.json",
        "aws elbv2 describe-listener-attributes --listener-arn ARN --output json > listener-attributes.json   # NLB",
        "aws elb describe-load-balancers --output json > classic.json   # Classic",
        "aws elb describe-load-balancer-attributes --load-balancer-name NAME --output json > classic-attributes.json",
    ],
    reload: "it is in effect within a minute",
    masked: Masked::Listed(&AWS),
    proof: Proof::Models,
    recognise,
    read,
    includes: no_includes,
    fix,
    edits: |_, _| Vec::new(),
};

/// What the tool prints where it may not, or was not asked for JSON.
fn said(text: &str) -> Option<String> {
    let first = text.lines().find(|line| !line.trim().is_empty())?;
    if let Some(at) = text.find("An error occurred (") {
        let rest = text.get(at + "An error occurred (".len()..)?;
        let code = rest.split(')').next().unwrap_or_default();
        let call = rest.split("calling the ").nth(1).and_then(|r| r.split(' ').next());
        let what = if ["Denied", "Unauthorized", "Token", "Auth", "Signature"]
            .iter()
            .any(|word| code.contains(word))
        {
            "the command has to be run by somebody who may call it"
        } else {
            "the command names what is not there (another region or account?) or is not whole"
        };
        return Some(format!(
            "AWS answered {code}{}: {what}",
            call.map(|call| format!(" to {call}")).unwrap_or_default()
        ));
    }
    let title = text.lines().skip_while(|line| *line != first).nth(1).unwrap_or_default();
    let table =
        first.starts_with("---") && title.trim_start_matches(['|', ' ']).starts_with("Describe");
    let words = ["LOADBALANCERS\t", "LISTENERS\t", "TARGETGROUPS\t", "RULES\t", "ATTRIBUTES\t"];
    let plain = text.lines().any(|line| words.iter().any(|word| line.starts_with(word)));
    (table || plain).then(|| {
        "it is AWS' output as a table or as text: run the command again with --output json"
            .to_owned()
    })
}

fn recognise(text: &Text<'_>) -> Recognised {
    let like = |text: &str| text.contains("Arn") || text.contains("LoadBalancer");
    said(text.text).map_or_else(
        || recognised(text, &AWS, like, "what AWS' command line prints"),
        Recognised::Broken,
    )
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::Http2 => {
            Fix::new("Forward the WebSocket's paths to a target group of version HTTP1.")
        }
        Kind::Timeout(_) => Fix::new("Raise the idle timeout to 3600 s."),
        Kind::UpgradeHeaders => {
            Fix::new("Use listeners of TCP or SSL, or move to an Application Load Balancer.")
        }
        Kind::Targets(Some(_)) => Fix::new(
            "Register Bindplane's servers as targets, running, and in zones that are enabled for the load \
             balancer.",
        ),
        Kind::Targets(None) => Fix::new(
            "Make the targets pass: Reason says what failed; Bindplane answers /health with 200.",
        ),
        Kind::PathRule(Some(302 | 401)) => Fix::new(
            "Exempt /v1/ws and /v1/graphql from signing on by a rule of a smaller priority number, or \
             sign on by the page first.",
        ),
        Kind::PathRule(_) => Fix::new(
            "Add a rule for /v1/* that forwards to Bindplane's target group, with a smaller priority \
             number than the one that takes it now.",
        ),
        _ => return None,
    })
}
