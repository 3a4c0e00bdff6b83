//! AWS' samples: see `configuration/samples.rs`. Answers as `aws` printed them for load
//! balancers of a moto server; each stands for several calls into one file.

use super::Sample;

pub(crate) const SECRETS: &str = r#"{
    "LoadBalancers": [
        {
            "LoadBalancerName": "console",
            "CanonicalHostedZoneId": "Q4nary",
            "Tags": {"Owner": "Q4nary"},
            "Type": "application"
        }
    ]
}
{
    "Attributes": [
        {
            "Key": "access_logs.s3.bucket",
            "Value": "Q4nary"
        }
    ],
    "Rules": [
        {
            "Priority": "1",
            "Actions": [
                {
                    "Type": "authenticate-oidc",
                    "AuthenticateOidcConfig": {
                        "ClientId": "Q4nary",
                        "ClientSecret": "Q4nary"
                    }
                }
            ]
        }
    ]
}
"#;

const ARN: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012";
const LB: &str = "app/console/ac30c4e25086366f";

fn balancer(kind: &str) -> String {
    format!(
        "{{\"LoadBalancers\": [{{\n\"LoadBalancerArn\": \"{ARN}:loadbalancer/{LB}\",\n\"DNSName\": \"console-1.us-east-1.elb.amazonaws.com\",\n\"LoadBalancerName\": \"console\",\n\"Type\": \"{kind}\"\n}}]}}\n"
    )
}

fn listener(protocol: &str, action: &str) -> String {
    format!(
        "{{\"Listeners\": [{{\n\"ListenerArn\": \"{ARN}:listener/{LB}/2a47dd08d34325c7\",\n\"LoadBalancerArn\": \"{ARN}:loadbalancer/{LB}\",\n\"Port\": 443,\n\"Protocol\": \"{protocol}\",\n\"DefaultActions\": [{action}]\n}}]}}\n"
    )
}

fn forward(group: &str) -> String {
    format!("{{\"Type\": \"forward\", \"TargetGroupArn\": \"{ARN}:targetgroup/{group}\"}}")
}

/// Rules, each with its conditions and actions; line 12 is the first one's.
fn rules(all: &[(&str, &str, &str)]) -> String {
    let all: Vec<String> = all
        .iter()
        .map(|(priority, conditions, actions)| {
            format!(
                "{{\"RuleArn\": \"{ARN}:listener-rule/{LB}/2a47dd08d34325c7/1cff4f77c1668f2d\", \"Priority\": \"{priority}\",\n\"Conditions\": [{conditions}],\n\"Actions\": [{actions}]}}"
            )
        })
        .collect();
    format!("{{\"Rules\": [\n{}\n]}}\n", all.join(",\n"))
}

fn path(pattern: &str) -> String {
    format!("{{\"Field\": \"path-pattern\", \"Values\": [\"{pattern}\"]}}")
}

const ONE: &str = "console/3ef7e67dabcc9a00";
const TWO: &str = "console-h2/a4b15d48209c188f";

fn groups() -> String {
    let group = |id: &str, version: &str| {
        format!(
            "{{\"TargetGroupArn\": \"{ARN}:targetgroup/{id}\", \"TargetGroupName\": \"{}\",\n\"Protocol\": \"HTTP\", \"Port\": 3001, \"TargetType\": \"instance\",\n\"ProtocolVersion\": \"{version}\"}}",
            id.split('/').next().unwrap_or_default()
        )
    };
    format!("{{\"TargetGroups\": [\n{},\n{}\n]}}\n", group(ONE, "HTTP1"), group(TWO, "HTTP2"))
}

fn attributes(key: &str, value: &str) -> String {
    format!("{{\"Attributes\": [{{\n\"Key\": \"{key}\",\n\"Value\": \"{value}\"\n}}]}}\n")
}

const IDLE: &str = "idle_timeout.timeout_seconds";

/// An Application Load Balancer with these rules, and nothing else amiss.
fn application(all: &[(&str, &str, &str)]) -> String {
    [
        balancer("application"),
        listener("HTTPS", &forward(ONE)),
        rules(all),
        groups(),
        attributes(IDLE, "3600"),
    ]
    .concat()
}

fn classic(protocol: &str, idle: u32) -> String {
    format!(
        "{{\"LoadBalancerDescriptions\": [{{\n\"LoadBalancerName\": \"classic\",\n\"ListenerDescriptions\": [{{\"Listener\": {{\n\"Protocol\": \"{protocol}\",\n\"LoadBalancerPort\": 443, \"InstanceProtocol\": \"HTTP\", \"InstancePort\": 3001}}}}]\n}}]}}\n\
         {{\"LoadBalancerAttributes\": {{\"ConnectionSettings\": {{\n\"IdleTimeout\": {idle}\n}}}}}}\n"
    )
}

pub(crate) fn all() -> Vec<Sample> {
    let (sockets, other) = (path("/v1/*"), path("/app/*"));
    let fixed =
        "{\"Type\": \"fixed-response\", \"FixedResponseConfig\": {\"StatusCode\": \"404\"}}";
    let oidc = format!("{{\"Type\": \"authenticate-oidc\", \"Order\": 1}},\n{}", forward(ONE));
    let away = "{\"Type\": \"redirect\", \"RedirectConfig\": {\"Protocol\": \"HTTPS\", \"Port\": \"443\", \"Host\": \"other.example\", \"Path\": \"/#{path}\", \"StatusCode\": \"HTTP_301\"}}";
    let itself = "{\"Type\": \"redirect\", \"RedirectConfig\": {\"Protocol\": \"HTTPS\", \"Port\": \"443\", \"Host\": \"#{host}\", \"Path\": \"/#{path}\", \"StatusCode\": \"HTTP_302\"}}";
    let host = "{\"Field\": \"host-header\", \"Values\": [\"*.other.example\"]}";
    let header = "{\"Field\": \"http-header\", \"HttpHeaderConfig\": {\"HttpHeaderName\": \"Upgrade\", \"Values\": [\"websocket\"]}}";
    let address = "{\"Field\": \"source-ip\", \"SourceIpConfig\": {\"Values\": [\"10.0.0.0/8\"]}}";
    let (one, two) = (forward(ONE), forward(TWO));
    let of = |conditions: &str, action: &str| {
        application(&[("10", conditions, action), ("default", "", &one)])
    };
    let health = "{\"TargetHealthDescriptions\": [{\n\"TargetHealth\": {\n\"State\": \"unhealthy\",\n\"Reason\": \"Target.ResponseCodeMismatch\"}\n}]}\n";
    vec![
        ("all is well", of(&sockets, &one), vec![]),
        ("HTTP/2 to the targets", of(&sockets, &two), vec!["h2 @28"]),
        ("HTTP/2 by a header's rule", of(header, &two), vec!["h2 @28"]),
        ("HTTP/2 for another path", of(&other, &two), vec![]),
        ("a fixed answer", of(&sockets, fixed), vec!["path Some(404) @17"]),
        ("a fixed answer for another host", of(host, fixed), vec![]),
        (
            "the smaller number goes first",
            application(&[("20", &sockets, fixed), ("10", &sockets, &one)]),
            vec![],
        ),
        ("who signs on", of(&sockets, &oidc), vec!["path Some(302) @17 if seen"]),
        ("sent elsewhere", of(&sockets, away), vec!["path Some(301) @17"]),
        ("sent to itself", of(&sockets, itself), vec!["loop 302 @17"]),
        ("who asks decides", of(address, fixed), vec!["untold @15"]),
        (
            "a minute of silence",
            [
                balancer("application"),
                listener("HTTPS", &one),
                rules(&[("default", "", &one)]),
                groups(),
                attributes(IDLE, "60"),
            ]
            .concat(),
            vec!["timeout 60 @29"],
        ),
        (
            "no target is healthy",
            [of(&sockets, &one), health.to_owned()].concat(),
            vec!["targets None @36"],
        ),
        (
            "no target is in use",
            [of(&sockets, &one), health.replace("unhealthy", "unused")].concat(),
            vec!["targets Some(503) @36"],
        ),
        (
            "no target is registered",
            [of(&sockets, &one), "{\n\"TargetHealthDescriptions\": []\n}\n".to_owned()].concat(),
            vec!["targets Some(503) @35"],
        ),
        (
            "one of two targets passes",
            [of(&sockets, &one), health.replace("}\n}]", "}\n}, {\"TargetHealth\": {\"State\": \"healthy\"}}]")].concat(),
            vec![],
        ),
        (
            "who is not signed on may pass",
            of(&sockets, &oidc.replace("\"Order\"", "\"AuthenticateOidcConfig\": {\"OnUnauthenticatedRequest\": \"allow\"}, \"Order\"")),
            vec![],
        ),
        (
            "who is not signed on is refused",
            of(&sockets, &oidc.replace("\"Order\"", "\"AuthenticateOidcConfig\": {\"OnUnauthenticatedRequest\": \"deny\"}, \"Order\"")),
            vec!["path Some(401) @17 if seen"],
        ),
        (
            "some requests go to HTTP/2",
            of(&sockets, &format!("{{\"Type\": \"forward\", \"ForwardConfig\": {{\"TargetGroups\": [{{\"TargetGroupArn\": \"{ARN}:targetgroup/{ONE}\", \"Weight\": 9}}, {{\"TargetGroupArn\": \"{ARN}:targetgroup/{TWO}\", \"Weight\": 1}}]}}}}")),
            vec!["h2 @28 if seen"],
        ),
        (
            "no request goes to HTTP/2",
            of(&sockets, &format!("{{\"Type\": \"forward\", \"ForwardConfig\": {{\"TargetGroups\": [{{\"TargetGroupArn\": \"{ARN}:targetgroup/{ONE}\", \"Weight\": 1}}, {{\"TargetGroupArn\": \"{ARN}:targetgroup/{TWO}\", \"Weight\": 0}}]}}}}")),
            vec![],
        ),
        (
            "a rule that writes the path anew",
            of(&sockets, &format!("{one}],\n\"Transforms\": [{{\"Type\": \"url-rewrite\", \"UrlRewriteConfig\": {{\"Rewrites\": [{{\"Regex\": \"^/v1\", \"Replace\": \"/\"}}]}}}}")),
            vec!["untold @18"],
        ),
        (
            "listeners on other ports",
            application(&[]).replace("\"Port\": 443,", "\"Port\": 80,").replace("}]}\n{\"Rules\"", &format!("}}, {{\"LoadBalancerArn\": \"{ARN}:loadbalancer/{LB}\", \"Port\": 8443, \"Protocol\": \"HTTP\"}}]}}\n{{\"Rules\"")),
            vec!["untold @10"],
        ),
        (
            "two load balancers' attributes, and nothing says whose",
            [application(&[("default", "", &one)]), attributes(IDLE, "60")].concat(),
            vec!["untold @0"],
        ),
        (
            "two load balancers' attributes, by their commands",
            [
                balancer("application"),
                listener("HTTPS", &one),
                rules(&[("default", "", &one)]),
                groups(),
                format!("$ aws elbv2 describe-load-balancer-attributes --load-balancer-arn {ARN}:loadbalancer/{LB} --output json\n"),
                attributes(IDLE, "60"),
                format!("$ aws elbv2 describe-load-balancer-attributes --load-balancer-arn {ARN}:loadbalancer/app/other/bc30c4e25086366f --output json\n"),
                attributes(IDLE, "3600"),
            ]
            .concat(),
            vec!["timeout 60 @30"],
        ),
        (
            "a Network Load Balancer",
            [
                balancer("network"),
                listener("TCP", &one),
                attributes("tcp.idle_timeout.seconds", "350"),
            ]
            .concat(),
            vec!["timeout 350 @16"],
        ),
        (
            "a Network Load Balancer that ends TLS",
            [balancer("network"), listener("TLS", &one)].concat(),
            vec!["timeout 350 @11"],
        ),
        ("a Classic by HTTP", classic("HTTPS", 3600), vec!["headers @4"]),
        ("a Classic by TCP, and a minute", classic("SSL", 60), vec!["timeout 60 @8"]),
        (
            "YAML, and without rules",
            format!(
                "Listeners:\n- DefaultActions:\n  - TargetGroupArn: {ARN}:targetgroup/{TWO}\n    Type: forward\n  ListenerArn: {ARN}:listener/{LB}/2a47dd08d34325c7\n  Port: 443\n  Protocol: HTTPS\n---\nTargetGroups:\n- ProtocolVersion: HTTP2\n  TargetGroupArn: {ARN}:targetgroup/{TWO}\n  TargetGroupName: console-h2\n---\nAttributes:\n- Key: {IDLE}\n  Value: '3600'\n"
            ),
            vec!["h2 @10", "untold @3"],
        ),
    ]
}
