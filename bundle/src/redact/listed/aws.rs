//! AWS: what `aws elbv2` and `aws elb` describe.

use super::{Finer, Listed};

/// Lists at the root of an answer.
const LISTS: [&str; 6] = [
    "LoadBalancers",
    "Listeners",
    "Rules",
    "TargetGroups",
    "TargetHealthDescriptions",
    "LoadBalancerDescriptions",
];

/// Answers of the command line's `describe-…`.
pub static AWS: Listed = Listed {
    whose: |node| {
        LISTS.iter().any(|list| node.get(list).is_some())
            || node.items_of("Attributes").iter().any(|one| one.get("Key").is_some())
            || node
                .get("LoadBalancerAttributes")
                .is_some_and(|own| own.get("ConnectionSettings").is_some())
    },
    keys: &[
        "LoadBalancerArn",
        "LoadBalancerArns",
        "LoadBalancerName",
        "DNSName",
        "Type",
        "Code",
        "Scheme",
        "ListenerArn",
        "Protocol",
        "AlpnPolicy",
        "SslPolicy",
        "TargetGroupArn",
        "TargetGroupName",
        "ProtocolVersion",
        "TargetType",
        "HealthCheckProtocol",
        "HealthCheckPort",
        "HealthCheckPath",
        "HttpCode",
        "GrpcCode",
        "RuleArn",
        "Priority",
        "Field",
        "Values",
        "HttpHeaderName",
        "StatusCode",
        "ContentType",
        "Host",
        "Path",
        "Port",
        "OnUnauthenticatedRequest",
        "State",
        "Reason",
        "Key",
        "IpAddressType",
        "InstanceProtocol",
        "PolicyNames",
    ],
    pairs: &["idle_timeout", "timeout_seconds", "idle_timeout.seconds", "type", "enabled"],
    finer: &Finer::NONE,
};
