//! Which of several rules takes a request, by host and path.

use regex::RegexBuilder;

/// How well a host fits; a larger one goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HostFit {
    /// Any host.
    Any,
    /// `*.example.com`: the more it says, the better.
    Wildcard(usize),
    /// The very name.
    Exact,
}

/// Whether a rule's host is that of the request.
pub(crate) fn host(rule: &str, asked: &str) -> Option<HostFit> {
    let asked = asked.split(':').next().unwrap_or(asked);
    if rule.is_empty() || rule == "*" {
        return Some(HostFit::Any);
    }
    if let Some(end) = rule.strip_prefix('*') {
        let front = asked.len().checked_sub(end.len())?;
        let fits = front > 0 && asked.get(front..).is_some_and(|a| a.eq_ignore_ascii_case(end));
        return fits.then_some(HostFit::Wildcard(end.len()));
    }
    rule.eq_ignore_ascii_case(asked).then_some(HostFit::Exact)
}

/// How a path of `ImplementationSpecific` is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Specific {
    /// The path begins with it, letter by letter.
    Begins,
    /// A pattern with `*` and `?`; without them the very path (ALB).
    Pattern,
    /// The very path, or what is below `/*` (GKE).
    Star,
    /// A regular expression from the beginning, whatever the case.
    Regex,
}

/// How well a path fits: the better one goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PathFit {
    exact: bool,
    length: usize,
}

/// Whether a path of an Ingress takes the request's.
pub(crate) fn path(rule: &str, kind: &str, specific: Specific, asked: &str) -> Option<PathFit> {
    let fit = |exact| PathFit { exact, length: rule.len() };
    let begins = |fits: bool| fits.then(|| fit(false));
    match kind {
        _ if specific == Specific::Regex => {
            let source = format!("^{rule}");
            let mut regex = RegexBuilder::new(&source);
            let regex = regex.case_insensitive(true).size_limit(1 << 20).build();
            begins(regex.is_ok_and(|regex| regex.is_match(asked)))
        }
        "Exact" => (rule == asked).then(|| fit(true)),
        "Prefix" => begins(below(rule, asked)),
        _ => match specific {
            Specific::Pattern => begins(wild(rule, asked)),
            Specific::Star => begins(match rule.strip_suffix("/*") {
                Some(front) => below(front, asked),
                None => rule.is_empty() || rule == asked,
            }),
            Specific::Begins | Specific::Regex => begins(asked.starts_with(rule)),
        },
    }
}

/// Whether a path is this one or below it, part by part.
pub(crate) fn below(rule: &str, asked: &str) -> bool {
    let rule = rule.trim_end_matches('/');
    asked.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `*` and `?`.
fn wild(pattern: &str, text: &str) -> bool {
    let escaped = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
    regex::Regex::new(&format!("^{escaped}$")).is_ok_and(|regex| regex.is_match(text))
}

/// A regular expression over a whole path; `None` where it is none that is known.
pub(crate) fn matches(pattern: &str, text: &str) -> Option<bool> {
    let regex = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build().ok()?;
    Some(regex.is_match(text))
}

/// What a rewrite with `$1` makes of a path; `None` where that is not known.
pub(crate) fn rewritten(pattern: &str, target: &str, asked: &str) -> Option<String> {
    let regex = RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build();
    let found = regex.ok()?.captures(asked)?;
    let mut out = String::new();
    let mut rest = target;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let digit = after.chars().next().filter(char::is_ascii_digit)?;
        let group = digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok())?;
        out.push_str(found.get(group).map_or("", |group| group.as_str()));
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_paths_as_the_documentation_has_them() {
        assert_eq!(host("b.example", "B.example:443"), Some(HostFit::Exact));
        assert_eq!(host("*.example", "b.example"), Some(HostFit::Wildcard(8)));
        assert_eq!(host("*.b.example", "b.example"), None);
        assert_eq!(host("", "b.example"), Some(HostFit::Any));
        // https://kubernetes.io/docs/concepts/services-networking/ingress/#examples
        for (kind, rule, asked, fits) in [
            ("Prefix", "/", "/foo/", true),
            ("Exact", "/foo", "/foo", true),
            ("Exact", "/foo", "/bar", false),
            ("Exact", "/foo", "/foo/", false),
            ("Exact", "/foo/", "/foo", false),
            ("Prefix", "/foo", "/foo", true),
            ("Prefix", "/foo/", "/foo", true),
            ("Prefix", "/foo/", "/foo/", true),
            ("Prefix", "/aaa/bb", "/aaa/bbb", false),
            ("Prefix", "/aaa/bbb", "/aaa/bbb", true),
            ("Prefix", "/aaa/bbb/", "/aaa/bbb", true),
            ("Prefix", "/aaa/bbb", "/aaa/bbb/ccc", true),
            ("Prefix", "/aaa/bbb", "/aaa/bbbxyz", false),
        ] {
            let own = path(rule, kind, Specific::Begins, asked).is_some();
            assert_eq!(own, fits, "{kind} {rule} {asked}");
        }
        for (specific, rule, fits) in [
            (Specific::Begins, "/v1", true),
            (Specific::Pattern, "/", false),
            (Specific::Pattern, "/*", true),
            (Specific::Star, "/", false),
            (Specific::Star, "/v1/*", true),
            (Specific::Regex, "/V1/(ws|graphql)", true),
        ] {
            assert_eq!(path(rule, "", specific, "/v1/ws").is_some(), fits, "{rule}");
        }
        assert_eq!(rewritten("/app(/|$)(.*)", "/$2", "/app/v1/ws").as_deref(), Some("/v1/ws"));
        assert_eq!(rewritten("/", "/", "/v1/ws").as_deref(), Some("/"));
        assert_eq!(rewritten("/", "/$x", "/v1/ws"), None);
    }
}
