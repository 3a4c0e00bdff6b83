//! The rules of an Application Load Balancer's listener: which one takes a request, and
//! what it does with it.

use super::check::Check;
use super::gathered::Part;
use crate::configuration::{Kind, Place, Provided};
use wss_bundle::structured::Node;

impl<'n> Check<'n> {
    /// The rules of a listener, by their priority; the default last.
    pub(super) fn rules(&mut self, listener: Option<&Part<'n>>) {
        let id = |arn: &str| arn.split_once("listener/").map(|(_, rest)| format!("{rest}/"));
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
                    self.transforms(rule);
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
        let mut unknown = None;
        for one in rule.items_of("Conditions") {
            match self.held(one) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(why) => unknown = Some(why),
            }
        }
        unknown.map_or(Ok(true), Err)
    }

    fn held(&self, one: &Node) -> Result<bool, String> {
        let (path, query) = self.request.path.split_once('?').unwrap_or((self.request.path, ""));
        let config = |key: &str| one.get(key).map(|c| c.items_of("Values")).unwrap_or_default();
        let values = |key: &str| {
            let own = config(key);
            if own.is_empty() { one.items_of("Values") } else { own }
        };
        let any = |all: &[Node], text: &str| all.iter().any(|v| wild(v.text(), text));
        let patterns = ["PathPatternConfig", "HostHeaderConfig", "HttpHeaderConfig"]
            .iter()
            .filter_map(|key| one.get(key))
            .any(|config| !config.items_of("RegexValues").is_empty());
        let host = self.request.host.to_ascii_lowercase();
        match one.text_of("Field") {
            _ if patterns || !one.items_of("RegexValues").is_empty() => {
                Err("a regular expression".to_owned())
            }
            "path-pattern" => Ok(any(values("PathPatternConfig"), path)),
            "host-header" => Ok(values("HostHeaderConfig")
                .iter()
                .any(|v| wild(&v.text().to_ascii_lowercase(), &host))),
            "http-request-method" => Ok(any(values("HttpRequestMethodConfig"), "GET")),
            "query-string" if query.is_empty() => Ok(false),
            "http-header" => {
                let name = one.get("HttpHeaderConfig").map_or("", |c| c.text_of("HttpHeaderName"));
                match name.to_ascii_lowercase().as_str() {
                    "upgrade" => Ok(any(config("HttpHeaderConfig"), "websocket")),
                    "connection" => Ok(any(config("HttpHeaderConfig"), "Upgrade")),
                    name => Err(format!("the header {name}")),
                }
            }
            "query-string" => Err("the query string".to_owned()),
            "source-ip" => Err("the address that asks".to_owned()),
            other => Err(format!("a condition that is not known here ({other})")),
        }
    }

    /// A rule may write path or host anew, by patterns.
    fn transforms(&mut self, rule: &Part<'n>) {
        for one in rule.node.items_of("Transforms") {
            let what = match one.text_of("Type") {
                "url-rewrite" => "path",
                "host-header-rewrite" => "Host",
                _ => continue,
            };
            let place = rule.value(one.get("Type").unwrap_or(one)).0;
            let why = format!("the {what} that the targets get depends on a regular expression");
            self.untold(Some(place), why);
        }
    }

    /// What a rule does; who signs on comes first.
    fn actions(&mut self, of: &Part<'n>, actions: &'n [Node]) {
        for action in actions {
            let shown = |key: &str| of.value(action.get(key).unwrap_or(action));
            let path = self.request.path;
            match action.text_of("Type") {
                "authenticate-oidc" | "authenticate-cognito" | "jwt-validation" => {
                    self.sign_on(action, shown("Type"));
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

    /// Signing on counts where it was seen: a session of the page's may be there.
    fn sign_on(&mut self, action: &Node, at: (Place, String)) {
        let path = self.request.path;
        let config = ["AuthenticateOidcConfig", "AuthenticateCognitoConfig"]
            .iter()
            .find_map(|key| action.get(key));
        let status = match config.map_or("", |c| c.text_of("OnUnauthenticatedRequest")) {
            "allow" => return,
            "deny" => 401,
            _ if action.text_of("Type") == "jwt-validation" => 401,
            _ => 302,
        };
        let says = format!(
            "wants {path} to be signed on ({status} to what is not): a WebSocket follows no redirect, and \
             has the session of the page's cookie or none"
        );
        let before = self.provided.replace(Provided::Condition);
        self.issue(Kind::PathRule(Some(status)), at, says, String::new());
        self.provided = before;
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

    /// To one group, or by weights to several: then each counts where it was seen.
    fn forward(&mut self, action: &'n Node, at: (Place, String)) {
        let several =
            action.get("ForwardConfig").map(|c| c.items_of("TargetGroups")).unwrap_or_default();
        let weighed =
            several.iter().filter(|g| g.get("Weight").and_then(Node::number) != Some(0.0));
        let mut arns: Vec<&str> = weighed.map(|g| g.text_of("TargetGroupArn")).collect();
        let one = action.text_of("TargetGroupArn");
        if arns.is_empty() && !one.is_empty() {
            arns.push(one);
        }
        let groups: Vec<Part<'n>> = self.all("TargetGroups");
        let own: Vec<&Part<'n>> = arns
            .iter()
            .filter_map(|arn| groups.iter().find(|g| g.text("TargetGroupArn") == *arn))
            .collect();
        if own.len() < arns.len() {
            let why = "the target group was not given: aws elbv2 describe-target-groups";
            self.untold(Some(at.0), why);
        }
        let before = self.provided;
        if arns.len() > 1 {
            self.provided = Some(Provided::Condition);
        }
        for group in own {
            self.group(group);
        }
        self.provided = before;
    }
}

/// `*` and `?`.
fn wild(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut p) = (0, 0);
    // Where the last star stood, and how far it reaches.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, at));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == text[at] => {
                at += 1;
                p += 1;
            }
            _ => {
                let Some((after, reach)) = star else { return false };
                star = Some((after, reach + 1));
                (at, p) = (reach + 1, after);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::wild;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn wildcards_mean_what_an_expression_would(pattern in "[ab*?/]{0,8}", text in "[ab/]{0,10}") {
            let escaped = regex::escape(&pattern).replace(r"\*", ".*").replace(r"\?", ".");
            let expression = regex::Regex::new(&format!("^{escaped}$")).unwrap();
            prop_assert_eq!(wild(&pattern, &text), expression.is_match(&text));
        }
    }
}
