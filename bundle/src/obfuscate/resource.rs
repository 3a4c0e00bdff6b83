//! Names of a cloud's resources in what its tools print: in ARNs, with their region,
//! and in the fields beside them.

use regex::{Captures, Regex};
use std::sync::OnceLock;

/// Parts of an ARN that every account has.
const KINDS: [&str; 7] =
    ["loadbalancer", "targetgroup", "listener", "listener-rule", "app", "net", "gwy"];

fn found() -> Option<&'static [Regex; 2]> {
    static FOUND: OnceLock<Option<[Regex; 2]>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let arn = r#"(arn:aws[a-z-]*:[a-z0-9-]+:)([a-z0-9-]*)(:[^:\s"']*:)([^\s"',}]+)"#;
            let field = r#"((?:LoadBalancerName|TargetGroupName|--load-balancer-names?|--names)["']?[:\s=]\s*["']?)([A-Za-z0-9][A-Za-z0-9-]*)"#;
            Some([Regex::new(arn).ok()?, Regex::new(field).ok()?])
        })
        .as_ref()
}

/// The text with a token for each name; that of one name is the same everywhere.
pub(super) fn rewrite(text: &str, mut token: impl FnMut(&str) -> String) -> String {
    if !text.contains("arn:aws") && !text.contains("LoadBalancerName") {
        return text.to_owned();
    }
    let Some([arn, field]) = found() else { return String::new() };
    let text = arn.replace_all(text, |all: &Captures<'_>| {
        let own = |part: &str| {
            let stays = KINDS.contains(&part) || part.starts_with("id-") || part == "[removed]";
            if stays { part.to_owned() } else { token(part) }
        };
        let resource: Vec<String> = all[4].split('/').map(own).collect();
        let region = if all[2].is_empty() { "" } else { "[removed]" };
        format!("{}{region}{}{}", &all[1], &all[3], resource.join("/"))
    });
    field
        .replace_all(&text, |all: &Captures<'_>| format!("{}{}", &all[1], token(&all[2])))
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_is_one_token_in_arns_and_fields() {
        let mut known: Vec<String> = Vec::new();
        let mut token = |name: &str| {
            let at = known.iter().position(|one| one == name).unwrap_or_else(|| {
                known.push(name.to_owned());
                known.len() - 1
            });
            format!("resource-{at}")
        };
        let text = "{\"LoadBalancerArn\": \"arn:aws:elasticloadbalancing:eu-west-1:[removed]:loadbalancer/app/console/id-12345678\",\n \"LoadBalancerName\": \"console\", \"Type\": \"application\"}\n- TargetGroupName: ws\n- TargetGroupArn: arn:aws-cn:elasticloadbalancing:cn-north-1:[removed]:targetgroup/ws/id-9abcdef0\n";
        assert_eq!(
            rewrite(text, &mut token),
            "{\"LoadBalancerArn\": \"arn:aws:elasticloadbalancing:[removed]:[removed]:loadbalancer/app/resource-0/id-12345678\",\n \"LoadBalancerName\": \"resource-0\", \"Type\": \"application\"}\n- TargetGroupName: resource-1\n- TargetGroupArn: arn:aws-cn:elasticloadbalancing:[removed]:[removed]:targetgroup/resource-1/id-9abcdef0\n"
        );
        let other = "server { listen 443; }\n";
        assert_eq!(rewrite(other, |_| String::new()), other);
    }
}
