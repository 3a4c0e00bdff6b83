//! Which backend service an URL map sends a request to: host rule, path matcher, then
//! path rules (the longest) or route rules (the smallest priority).

use crate::configuration::Kind;
use crate::configuration::kubernetes::path;
use crate::configuration::notes::Notes;
use crate::configuration::part::Part;
use wss_bundle::structured::Node;

/// Follows a request; gives the backend service's own words.
pub(super) fn service<'n>(check: &mut Notes<'n>, map: Part<'n>) -> Option<Part<'n>> {
    let host = check.request.host;
    let rules = map.items("hostRules").filter_map(|rule| {
        let fits = rule.items("hosts").filter_map(|own| path::host(own.node.text(), host)).max();
        Some((fits?, rule))
    });
    let Some((_, rule)) = rules.max_by_key(|(fit, _)| *fit) else { return action(check, map) };
    check.follow(rule.get("pathMatcher").unwrap_or(rule));
    let name = rule.text("pathMatcher");
    let matcher = map.items("pathMatchers").find(|own| own.text("name") == name)?;
    let asked = check.path();
    let fits = |rule: &str| match rule.strip_suffix("/*") {
        Some(front) => path::below(front, asked),
        None => rule == asked,
    };
    let best = matcher
        .items("pathRules")
        .flat_map(|rule| rule.items("paths").map(move |own| (own, rule)))
        .filter(|(own, _)| fits(own.node.text()))
        .max_by_key(|(own, _)| own.node.text().len());
    if let Some((own, rule)) = best {
        check.follow(own);
        return action(check, rule);
    }
    let mut routes: Vec<Part<'n>> = matcher.items("routeRules").collect();
    routes.sort_by_key(|rule| rule.text("priority").parse::<u64>().unwrap_or(u64::MAX));
    for rule in routes {
        match holds(check, rule) {
            Some(false) => {}
            Some(true) => {
                check.follow(rule.get("priority").unwrap_or(rule));
                return action(check, rule);
            }
            None => {
                let why = "whether this rule applies depends on headers, a query or a pattern";
                check.untold(Some(rule), why);
                return None;
            }
        }
    }
    action(check, matcher)
}

/// Whether one of a route's matches takes the request; `None` where that is not known.
fn holds(check: &Notes<'_>, rule: Part<'_>) -> Option<bool> {
    let asked = check.path();
    let mut unknown = false;
    for one in rule.items("matchRules") {
        let other = ["headerMatches", "queryParameterMatches", "metadataFilters"];
        let fits = match (one.get("fullPathMatch"), one.get("prefixMatch"), one.get("regexMatch")) {
            (Some(own), ..) => Some(own.node.text() == asked),
            (None, Some(own), _) => Some(asked.starts_with(own.node.text())),
            (None, None, Some(own)) => path::matches(own.node.text(), asked),
            _ if one.get("pathTemplateMatch").is_some() => None,
            _ => Some(true),
        };
        match fits {
            Some(false) => {}
            Some(true) if !other.iter().any(|key| one.get(key).is_some()) => return Some(true),
            _ => unknown = true,
        }
    }
    if unknown { None } else { Some(false) }
}

/// What a rule, a matcher or the map itself does.
fn action<'n>(check: &mut Notes<'n>, of: Part<'n>) -> Option<Part<'n>> {
    if let Some(to) = of.get("urlRedirect").or_else(|| of.get("defaultUrlRedirect")) {
        redirect(check, to);
        return None;
    }
    let route = of.get("routeAction").or_else(|| of.get("defaultRouteAction"));
    if let Some(rewrite) = route.and_then(|route| route.get("urlRewrite")) {
        if let Some(to) = rewrite.get("hostRewrite") {
            let says = "gives the server this Host in the place of the browser's";
            check.issue(Kind::Host, to, says, "");
        }
        if let Some(to) = rewrite.get("pathPrefixRewrite") {
            let asked = check.path();
            // Of which prefix it takes the place is not always one alone.
            let prefixes = of.items("paths").map(|own| own.node.text().trim_end_matches("/*"));
            let matched = of.items("matchRules").map(|own| own.text("prefixMatch"));
            let prefix = prefixes
                .chain(matched)
                .filter(|own| asked.starts_with(own))
                .max_by_key(|own| own.len());
            let rest = asked.strip_prefix(prefix.unwrap_or_default()).unwrap_or(asked);
            let new = format!("{}{rest}", to.node.text());
            if new != asked {
                let says = format!("asks the server for {new} in the place of {asked}");
                check.issue(Kind::PathChanged, to, says, "");
            }
        }
    }
    let weighted = route.into_iter().flat_map(|route| {
        let all = route.items("weightedBackendServices");
        all.filter(|own| own.text("weight") != "0").filter_map(|own| own.get("backendService"))
    });
    let found = of.get("service").or_else(|| of.get("defaultService"));
    let found = found.or_else(|| weighted.into_iter().next());
    if let Some(service) = found {
        check.follow(service);
    }
    found
}

fn redirect(check: &mut Notes<'_>, to: Part<'_>) {
    let status = match to.text("redirectResponseCode") {
        "FOUND" => 302,
        "SEE_OTHER" => 303,
        "TEMPORARY_REDIRECT" => 307,
        "PERMANENT_REDIRECT" => 308,
        _ => 301,
    };
    let elsewhere = ["hostRedirect", "pathRedirect", "prefixRedirect"];
    let empty = |key: &&str| to.get(key).map_or("", |own| own.node.text()).is_empty();
    let own = elsewhere.iter().all(empty) && check.request.tls;
    let at = to.get("httpsRedirect").or_else(|| to.get("redirectResponseCode")).unwrap_or(to);
    if own {
        let says = "redirects to the very URL that was asked for";
        return check.issue(Kind::RedirectLoop(status), at, says, "");
    }
    let says = format!("redirects {} ({status}), which a WebSocket does not follow", check.path());
    check.issue(Kind::PathRule(Some(status)), at, says, "");
}

/// The last part of an URL of a resource.
pub(super) fn last(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

/// Whether an URL is a bucket's.
pub(super) fn is_bucket(node: &Node) -> bool {
    node.text().contains("/backendBuckets/")
}
