//! What may stay of JSON, YAML and TOML that describe a load balancer: numbers, switches,
//! and the values of listed keys (`listed/`). Everything else is masked, whatever it is.
//!
//! Account and subscription numbers go from what stays; other identifiers become
//! short tokens, the same for the same one, since parts of a description refer to
//! each other by them. Lines keep their numbers. Of what stands around a description
//! the commands that printed it stay, as far as their words are known; comments go.

use super::Redactor;
use super::listed::{self, Listed};
use super::rules::looks_like_a_token;
use crate::structured::{Node, Value, begin, call, documents, holds_a, is_toml};
use regex::{Captures, Regex};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// Words that everybody uses.
fn plain(text: &str, quoted: bool) -> bool {
    text.is_empty()
        || text.parse::<f64>().is_ok()
        || matches!(text, "true" | "false" | "on" | "off")
        || text.eq_ignore_ascii_case("websocket")
        || text.eq_ignore_ascii_case("upgrade")
        || (!quoted && matches!(text, "null" | "~" | "yes" | "no"))
}

/// A description without what is not listed.
pub(super) fn text(r: &mut Redactor, entry: &str, text: &str) -> String {
    let Ok(all) = documents(text) else { return broken(r, entry, text) };
    let mut masks = Vec::new();
    for document in &all {
        walk(document, listed::of(document), At::default(), &mut masks);
    }
    // A table of TOML may be written in several places.
    masks.sort_by_key(|(node, _)| node.span.0);
    let characters: Vec<char> = text.chars().collect();
    let toml = is_toml(text);
    let exact = toml || begin(text).is_some_and(|at| text[at..].starts_with(['{', '[']));
    let ends: Vec<usize> = (0..characters.len()).filter(|at| characters[*at] == '\n').collect();
    let given = Given { characters: &characters, ends: &ends, documents: &all, toml };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (node, mask) in masks {
        let (from, to) = node.span;
        if from < at || to > characters.len() || from > to {
            continue;
        }
        out.push_str(&around(r, entry, &given, at..from));
        let own: String = characters[from..to].iter().collect();
        // The parser's place may reach to the end of the line.
        let end = if exact || mask == Mask::Whole { own.len() } else { end(&own) };
        let (own, behind) = own.split_at(end);
        let new = match mask {
            Mask::Whole => "\"[removed]\"".to_owned(),
            Mask::Parts => identifiers(own),
            Mask::Names => identifiers(&names(own)),
            Mask::Pairs => identifiers(&pairs(own)),
            Mask::Stays => own.to_owned(),
        };
        if new != own {
            r.count(entry, &format!("line {}", node.line), "not-listed");
        }
        out.push_str(&new);
        if mask == Mask::Whole {
            out.push_str(&"\n".repeat(own.matches('\n').count()));
            // A block's place reaches into the line that follows it.
            let next = own.rsplit_once('\n').map_or("", |(_, next)| next);
            out.push_str(if next.trim().is_empty() { next } else { "" });
        }
        out.push_str(&without_comments(behind));
        at = to;
    }
    let at = at.min(characters.len());
    out.push_str(&around(r, entry, &given, at..characters.len()));
    out
}

/// A text that is masked.
struct Given<'t> {
    characters: &'t [char],
    /// Where its lines end.
    ends: &'t [usize],
    documents: &'t [Node],
    toml: bool,
}

/// What stands between two values that are looked at: structure, keys, comments, and
/// outside of the documents what a terminal shows.
fn around(
    r: &mut Redactor,
    entry: &str,
    given: &Given<'_>,
    range: std::ops::Range<usize>,
) -> String {
    let &Given { characters, ends, documents, toml } = given;
    let mut out = String::new();
    let mut at = range.start;
    while at < range.end {
        // In the order of the text, of which many may be in one file.
        let behind = documents.partition_point(|node| node.span.1 <= at);
        let document = documents.get(behind).filter(|node| node.span.0 <= at);
        let next = documents.get(documents.partition_point(|node| node.span.0 <= at));
        let next = next.map(|node| node.span.0);
        let most = document.map(|node| node.span.1).or(next).unwrap_or(range.end).min(range.end);
        let rest = &characters[at..most];
        let line = rest.iter().position(|c| *c == '\n').map_or(rest, |end| &rest[..=end]);
        let text: String = line.iter().collect();
        let kept = match document {
            Some(node) if !toml && matches!(characters.get(node.span.0), Some('{' | '[')) => {
                text.clone()
            }
            Some(_) => without_comments(&text),
            None => outside(&text),
        };
        if kept != text {
            let number = 1 + ends.partition_point(|end| *end < at);
            r.count(entry, &format!("line {number}"), "not-listed");
        }
        out.push_str(&kept);
        at += line.len();
    }
    out
}

/// Options of the tools whose values say of what an answer speaks.
const NAMING: [&str; 8] = [
    "--load-balancer-arn",
    "--load-balancer-arns",
    "--listener-arn",
    "--target-group-arn",
    "--load-balancer-name",
    "--load-balancer-names",
    "--names",
    "--output",
];

/// A line outside of all documents: a command keeps its own words and what it names.
fn outside(text: &str) -> String {
    // What divides documents.
    if text.trim().chars().all(|c| matches!(c, '-' | '.')) {
        return text.to_owned();
    }
    let end = if text.ends_with('\n') { "\n" } else { "" };
    let Some(command) = call(text) else { return format!("# [removed]{end}") };
    let (mut out, mut option) = (vec!["$".to_owned()], None);
    for word in command.split_whitespace().take_while(|word| !word.starts_with(['>', '|'])) {
        let name = |word: &str| {
            word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        let (own, value) = word.split_once('=').unwrap_or((word, ""));
        if own.starts_with('-') && name(own) {
            option = Some(own.to_owned());
            out.push(if value.is_empty() { word.to_owned() } else { format!("{own}=[removed]") });
        } else if option.as_deref().is_some_and(|own| NAMING.contains(&own)) {
            out.push(identifiers(word));
        } else if option.is_none() && name(word) {
            out.push(word.to_owned());
        } else {
            out.push("[removed]".to_owned());
        }
    }
    out.join(" ") + end
}

/// Where a scalar of YAML ends: its quote closes, or a comment begins.
fn end(own: &str) -> usize {
    let mut all = own.char_indices();
    let Some(quote) = all.next().map(|(_, c)| c).filter(|c| matches!(c, '"' | '\'')) else {
        return own.find(" #").unwrap_or(own.len());
    };
    let mut escaped = false;
    for (at, c) in all {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            '\'' if quote == '\'' && own[at + 1..].starts_with('\'') => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    own.len()
}

/// YAML between its values: what people noted there may be anything.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let comment = line
            .find('#')
            .filter(|at| line[..*at].chars().next_back().is_none_or(char::is_whitespace));
        match comment {
            Some(at) => {
                out.push_str(&line[..at]);
                out.push_str(if line.ends_with('\n') { "#\n" } else { "#" });
            }
            None => out.push_str(line),
        }
    }
    out
}

/// `a=1,b=x` with the numbers and switches alone.
fn pairs(text: &str) -> String {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inner = text.trim_matches(['"', '\'']);
    let all: Vec<String> = inner
        .split(',')
        .map(|pair| match pair.split_once('=') {
            Some((_, value)) if plain(value.trim(), true) => pair.to_owned(),
            Some((key, _)) => format!("{key}=[removed]"),
            None => "[removed]".to_owned(),
        })
        .collect();
    let quote = quote.map(String::from).unwrap_or_default();
    format!("{quote}{}{quote}", all.join(","))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mask {
    Whole,
    /// Identifiers within it.
    Parts,
    /// The same, and what is no plain name.
    Names,
    /// All but numbers and switches of its pairs.
    Pairs,
    /// Nothing.
    Stays,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy, Default)]
struct At<'k> {
    key: Option<&'k str>,
    parent: &'k str,
    /// Whether it is the value of a pair that may stay.
    pair: bool,
    /// Whether numbers have to be listed as well.
    strict: bool,
    /// Whether nothing stays.
    hidden: bool,
}

fn mask(text: &str, quoted: bool, listed: &Listed, at: At<'_>) -> Mask {
    let finer = listed.finer;
    let key = at.key.unwrap_or_default();
    if text.is_empty() || at.hidden && matches!(key, "kind" | "apiVersion") {
        return Mask::Stays;
    }
    let stays = listed.lists(at.parent, label(text).unwrap_or(last(key))) || at.pair;
    let except = finer.except.iter().any(|word| text.contains(word));
    let plain = plain(text, quoted);
    match () {
        () if at.hidden => Mask::Whole,
        () if finer.attributes.contains(&key) => Mask::Pairs,
        () if plain && (stays || !at.strict) => Mask::Stays,
        () if stays && !except && finer.named => Mask::Names,
        () if stays && !except => Mask::Parts,
        () => Mask::Whole,
    }
}

fn walk<'n>(node: &'n Node, listed: &'static Listed, at: At<'n>, out: &mut Vec<(&'n Node, Mask)>) {
    match &node.value {
        Value::Scalar(text, quoted) => out.push((node, mask(text, *quoted, listed, at))),
        Value::List(all) => all.iter().for_each(|one| walk(one, listed, at, out)),
        Value::Map(all) => {
            let named = node.text_of("Key");
            let pairs = listed.pairs.iter().any(|end| named.ends_with(end));
            let hidden = at.hidden || listed.finer.hidden.contains(&node.text_of("kind"));
            for (own, one) in all {
                let strict = at.strict || listed.finer.strict.contains(&own.as_str());
                let (parent, pair) = (at.key.unwrap_or_default(), pairs && own == "Value");
                walk(one, listed, At { key: Some(own), parent, pair, strict, hidden }, out);
            }
        }
    }
}

/// The last word of a container's label, or of an option: `traefik.http.routers.x.rule=…`.
fn label(text: &str) -> Option<&str> {
    let is = text.starts_with("traefik.") || text.starts_with("--");
    let (key, _) = text.split_once('=').filter(|_| is)?;
    key.rsplit('.').next()
}

/// The word of a key: of a label's the last.
fn last(key: &str) -> &str {
    let label = key.starts_with("traefik.") && !key.contains('/');
    if label { key.rsplit('.').next().unwrap_or(key) } else { key }
}

/// Of a digest so much that parts of one description are told apart.
fn short(id: &str) -> String {
    let digest = Sha256::digest(id.as_bytes());
    digest.iter().take(4).fold("id-".to_owned(), |so_far, byte| format!("{so_far}{byte:02x}"))
}

/// `/subscriptions/…/frontendPorts/https` with its name alone, and names that look like
/// tokens as short ones.
fn names(text: &str) -> String {
    static FOUND: OnceLock<Option<[Regex; 2]>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let path = Regex::new(r#"(?i)/subscriptions/[^"'\s]*/"#).ok()?;
        Some([path, Regex::new(r"[A-Za-z0-9_\-+.]{16,}").ok()?])
    });
    let Some([path, name]) = found else { return "\"[removed]\"".to_owned() };
    let text = path.replace_all(text, "/subscriptions/[removed]/");
    let token = |c: &Captures<'_>| {
        if looks_like_a_token(&c[0]) { short(&c[0]) } else { c[0].to_owned() }
    };
    name.replace_all(&text, token).into_owned()
}

/// Text in which account numbers are gone and other identifiers are tokens.
fn identifiers(text: &str) -> String {
    static FOUND: OnceLock<Option<Regex>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        Regex::new(
            r"(?P<account>\b\d{12}\b)|\bprojects/(?P<project>[\w.:-]+)|(?P<id>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{15,32}\b|\b\d{15,20}\b|\b(?:vpc|subnet|sg|i|eni)-[0-9a-f]{8,17}\b)",
        )
        .ok()
    });
    let Some(found) = found else { return "\"[removed]\"".to_owned() };
    let replaced = found.replace_all(text, |c: &Captures<'_>| match c.name("id") {
        Some(id) => short(id.as_str()),
        None if c.name("project").is_some() => "projects/[removed]".to_owned(),
        None => "[removed]".to_owned(),
    });
    replaced.into_owned()
}

/// What is not understood keeps its keys, numbers and brackets alone.
fn broken(r: &mut Redactor, entry: &str, text: &str) -> String {
    let mut out = String::new();
    // Then numbers may be secrets as well.
    let secret = listed::LISTED.iter().any(|listed| holds_a(listed.finer.hidden, text));
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let (key, value) = match line.split_once(':') {
            Some((key, value))
                if key
                    .trim()
                    .trim_matches('"')
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_. ".contains(c)) =>
            {
                (format!("{key}:"), value)
            }
            _ => (String::new(), line),
        };
        let own = value.trim().trim_end_matches(',');
        let kept = own.is_empty()
            || plain(own, false) && !secret
            || own.chars().all(|c| "{}[],".contains(c));
        if kept {
            out.push_str(line);
        } else {
            r.count(entry, &format!("line {}", number + 1), "not-listed");
            out.push_str(&format!(
                "{key} \"[removed]\"{}",
                if line.ends_with('\n') { "\n" } else { "" }
            ));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn around_a_description_commands_stay_and_comments_go() {
        let arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/console/3ef7e67dabcc9a00";
        let given = format!(
            "Q4nary@lb1:~$ aws elbv2 describe-load-balancers --profile Q4nary\n{{\n \"LoadBalancers\": [{{\"LoadBalancerArn\": \"{arn}\"}}]\n}}\nQ4nary@lb1:~$ aws elbv2 describe-load-balancer-attributes --load-balancer-arn {arn} > Q4nary.json\n{{\"Attributes\": [{{\"Key\": \"idle_timeout.timeout_seconds\", \"Value\": \"60\"}}]}}\nQ4nary@lb1:~$ exit\n"
        );
        let mut r = Redactor::new();
        let out = text(&mut r, "e", &given);
        assert!(
            !out.contains("Q4nary") && !out.contains("123456789012") && !out.contains("lb1"),
            "{out}"
        );
        assert_eq!(out.lines().count(), given.lines().count(), "{out}");
        // What the command names is still what the description names.
        let all = documents(&out).unwrap();
        let printed = crate::structured::commands(&out, &all);
        let arn = all[0].items_of("LoadBalancers")[0].text_of("LoadBalancerArn");
        assert_eq!(
            printed[1],
            Some(
                format!("aws elbv2 describe-load-balancer-attributes --load-balancer-arn {arn}")
                    .as_str()
            )
        );
        assert_eq!(printed[0], Some("aws elbv2 describe-load-balancers --profile [removed]"));
        let yaml =
            "# Q4nary\nkind: X # Q4nary\n# Q4nary: b\nport: 3 # Q4nary\n---\n# Q4nary\nport: 4\n";
        let out = text(&mut r, "e", yaml);
        assert!(
            !out.contains("Q4nary") && out.contains("port: 3 #") && out.contains("port: 4"),
            "{out}"
        );
        assert_eq!(out.lines().count(), yaml.lines().count(), "{out}");
    }

    #[test]
    fn of_toml_tables_that_are_written_in_parts_nothing_stays_either() {
        let given = "# Q4nary\n[http.routers.a]\n  rule = \"Host(`b.example`)\" # Q4nary\n[http.middlewares.k.headers.customRequestHeaders]\n  X-Key = \"Q4nary\"\n[entryPoints.web]\n  address = \":443\"\n[http.routers.b]\n  rule = \"Header(`k`, `Q4nary`)\"\n[http.middlewares.p.basicAuth]\n  users = [\n    'kim:Q4nary', # Q4nary\n    \"\"\"\nQ4nary\n\"\"\",\n  ]\n";
        let mut r = Redactor::new();
        let out = text(&mut r, "e", given);
        assert!(!out.contains("Q4nary"), "{out}");
        for kept in ["b.example", ":443", "[http.routers.b]"] {
            assert!(out.contains(kept), "{kept}\n{out}");
        }
        assert_eq!(out.lines().count(), given.lines().count(), "{out}");
        assert!(documents(&out).is_ok(), "{out}");
        let out = text(&mut r, "e", "[http.routers.a]\nrule = \"a\nkey = \"Q4nary\"\n");
        assert!(!out.contains("Q4nary"), "{out}");
    }

    #[test]
    fn what_is_not_listed_goes_and_lines_stay() {
        let given = "{\n \"TargetGroups\": [],\n \"TargetGroupArn\": \"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/console/3ef7e67dabcc9a00\",\n \"ProtocolVersion\": \"HTTP2\",\n \"Port\": 3001,\n \"Secret\": \"Q4nary\",\n \"Attributes\": [{\"Key\": \"idle_timeout.timeout_seconds\", \"Value\": \"60\"}, {\"Key\": \"access_logs.s3.bucket\", \"Value\": \"Q4nary\"}],\n \"Tags\": {\"x\": [\"Q4nary\"]}\n}\n";
        let mut r = Redactor::new();
        let out = text(&mut r, "e", given);
        assert!(
            !out.contains("Q4nary")
                && !out.contains("123456789012")
                && !out.contains("3ef7e67dabcc9a00"),
            "{out}"
        );
        for kept in [
            "targetgroup/console/id-",
            "\"HTTP2\"",
            "3001",
            "idle_timeout.timeout_seconds",
            "\"60\"",
        ] {
            assert!(out.contains(kept), "{kept}\n{out}");
        }
        assert_eq!(out.lines().count(), given.lines().count());
        let yaml = "kind: X\ndata: |\n  Q4nary\n  b\nport: 3\n";
        let out = text(&mut r, "e", yaml);
        assert!(!out.contains("Q4nary") && out.contains("port: 3"), "{out}");
        assert_eq!(out.lines().count(), yaml.lines().count(), "{out}");
        // Broken off.
        let out =
            text(&mut r, "e", "{\n \"Port\": 3001,\n \"Secret\": \"Q4nary\",\n \"a\": [\"Q4na");
        assert!(!out.contains("Q4na") && out.contains("3001"), "{out}");
    }

    #[test]
    fn of_objects_of_kubernetes_no_secret_stays() {
        let given = "# token Q4nary\napiVersion: v1\nkind: List\nitems:\n- apiVersion: networking.k8s.io/v1\n  kind: Ingress\n  metadata:\n    annotations:\n      nginx.ingress.kubernetes.io/proxy-read-timeout: \"3600\"  # Q4nary\n      example.com/pin: \"31337\"\n      alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds=60,access_logs.s3.bucket=Q4nary\n      kubectl.kubernetes.io/last-applied-configuration: |\n        {\"kind\":\"Q4nary\"}\n      nginx.ingress.kubernetes.io/use-regex: \"true\"\n    name: console\n    uid: 3ef7e67d-abcc-9a00-1111-3ef7e67dabcc\n  spec:\n    rules:\n    - host: b.example\n- apiVersion: v1\n  kind: Secret\n  metadata:\n    name: Q4nary\n  data:\n    pin: 31337\n    x: UTRuYXJ5\n- apiVersion: gateway.networking.k8s.io/v1\n  kind: HTTPRoute\n  spec:\n    rules:\n    - matches:\n      - path: {type: Exact, value: /v1/ws}\n        headers:\n        - {name: X-Key, value: Q4nary}\n- apiVersion: traefik.io/v1alpha1\n  kind: IngressRoute\n  spec:\n    routes:\n    - match: Host(`b.example`) && Header(`X-Key`, `Q4nary`)\n- apiVersion: apps/v1\n  kind: Deployment\n  spec:\n    env:\n    - {name: PIN, value: 31337}\n";
        let mut r = Redactor::new();
        let out = text(&mut r, "e", given);
        for gone in ["Q4nary", "31337", "UTRuYXJ5", "3ef7e67d"] {
            assert!(!out.contains(gone), "{gone}\n{out}");
        }
        for kept in [
            "proxy-read-timeout: \"3600\"",
            "timeout_seconds=60,access_logs.s3.bucket=[removed]",
            "b.example",
            "/v1/ws",
            "kind: Secret",
            "\n      nginx.ingress.kubernetes.io/use-regex: \"true\"",
            "\n    name: console",
        ] {
            assert!(out.contains(kept), "{kept}\n{out}");
        }
        assert_eq!(out.lines().count(), given.lines().count());
        let out = text(&mut r, "e", "apiVersion: v1\nkind: Secret\ndata:\n  pin: 31337\n x: [\n");
        assert!(!out.contains("31337"), "{out}");
    }
}
