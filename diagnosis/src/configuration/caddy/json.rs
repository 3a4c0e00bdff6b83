//! Caddy's own JSON, as `caddy adapt` and `/config/` print it: routes with the very
//! directives that a Caddyfile would have, so that both are read by the same rules.

use super::parse::Directive;
use wss_bundle::structured::{Node, Value};

/// Deepest nesting of routes.
const DEPTH: usize = 20;

/// A server: where it listens, and its routes.
#[derive(Debug)]
pub(super) struct Server {
    /// Its name and place, as a directive.
    pub(super) at: Directive,
    /// `:443`
    pub(super) listen: Vec<String>,
    pub(super) routes: Vec<Route>,
}

/// A route.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) at: Directive,
    /// Of the routes of one group the first that fits is taken.
    pub(super) group: Option<String>,
    /// Nothing comes behind it.
    pub(super) terminal: bool,
    /// Sets of conditions, of which one has to hold; each as a matcher's block.
    pub(super) sets: Vec<Directive>,
    pub(super) handlers: Vec<Handler>,
}

/// What a route does.
#[derive(Debug)]
pub(super) enum Handler {
    Plain(Directive),
    Routes(Vec<Route>),
}

/// Handlers that answer nothing and change nothing of a request.
const PLAIN: [&str; 12] = [
    "encode",
    "templates",
    "vars",
    "map",
    "push",
    "tracing",
    "request_body",
    "copy_response",
    "copy_response_headers",
    "metrics",
    "log_append",
    "intercept",
];

/// A node on the way down, with its path.
#[derive(Clone)]
struct At<'n> {
    node: &'n Node,
    file: usize,
    path: String,
}

impl<'n> At<'n> {
    fn get(&self, key: &str) -> Option<Self> {
        let node = self.node.get(key)?;
        Some(Self { node, file: self.file, path: format!("{}.{key}", self.path) })
    }

    fn items(&self, key: &str) -> Vec<Self> {
        let path = |at| format!("{}.{key}[{at}]", self.path);
        let all = self.node.items_of(key).iter().enumerate();
        all.map(|(at, node)| Self { node, file: self.file, path: path(at) }).collect()
    }

    fn directive(&self, words: Vec<String>, block: Option<Vec<Directive>>) -> Directive {
        let path = self.path.clone();
        Directive { words, line: self.node.line, file: self.file, path, block }
    }

    fn words(&self, words: &[&str]) -> Directive {
        self.directive(words.iter().map(|w| (*w).to_owned()).collect(), None)
    }
}

/// The servers of a document.
pub(super) fn servers(root: &Node, file: usize) -> Vec<Server> {
    let all = root.get("apps").and_then(|apps| apps.get("http")?.get("servers"));
    let Some(Value::Map(all)) = all.or_else(|| root.get("servers")).map(|all| &all.value) else {
        return Vec::new();
    };
    all.iter()
        .map(|(name, node)| {
            let at = At { node, file, path: format!("apps.http.servers.{name}") };
            let listen = node.items_of("listen").iter().map(|one| one.text().to_owned()).collect();
            let mut shown = vec!["listen".to_owned()];
            shown.extend(node.items_of("listen").iter().map(|one| one.text().to_owned()));
            let routes = routes(&at, "routes", 0);
            Server { at: at.directive(shown, None), listen, routes }
        })
        .collect()
}

fn routes(of: &At<'_>, key: &str, depth: usize) -> Vec<Route> {
    if depth > DEPTH {
        return Vec::new();
    }
    of.items(key).iter().map(|at| route(at, depth)).collect()
}

fn route(at: &At<'_>, depth: usize) -> Route {
    let node = at.node;
    let tries = tries(node);
    let mut handlers = Vec::new();
    for one in at.items("handle") {
        if one.node.text_of("handler") == "subroute" {
            handlers.push(Handler::Routes(routes(&one, "routes", depth + 1)));
        } else if let Some(files) = tries.as_ref().filter(|_| is_try(one.node)) {
            let mut words = vec!["try_files".to_owned(), "*".to_owned()];
            words.extend(files.iter().cloned());
            handlers.push(Handler::Plain(one.directive(words, None)));
        } else {
            handlers.extend(handler(&one).into_iter().map(Handler::Plain));
        }
    }
    let sets = if tries.is_some() && node.items_of("handle").iter().any(is_try) {
        Vec::new()
    } else {
        at.items("match").iter().map(set).collect()
    };
    let group = node.get("group").map(|group| group.text().to_owned());
    let terminal = node.text_of("terminal") == "true";
    Route { at: at.words(&["route"]), group, terminal, sets, handlers }
}

/// The files of `try_files`, where a route is what it becomes.
fn tries(route: &Node) -> Option<Vec<String>> {
    let [one] = route.items_of("match") else { return None };
    let files = one.get("file")?.items_of("try_files");
    (!files.is_empty()).then(|| files.iter().map(|file| file.text().to_owned()).collect())
}

fn is_try(handler: &Node) -> bool {
    handler.text_of("uri").contains("http.matchers.file.relative")
}

/// A set of conditions, as a named matcher's block.
fn set(at: &At<'_>) -> Directive {
    let mut block = Vec::new();
    if let Value::Map(all) = &at.node.value {
        for (kind, node) in all {
            let own = At { node, file: at.file, path: format!("{}.{kind}", at.path) };
            condition(kind, &own, at, &mut block);
        }
    }
    at.directive(vec!["@match".to_owned()], Some(block))
}

fn condition(kind: &str, own: &At<'_>, set_: &At<'_>, out: &mut Vec<Directive>) {
    let texts = |node: &Node| -> Vec<String> {
        match &node.value {
            Value::List(all) => all.iter().map(|one| one.text().to_owned()).collect(),
            _ => vec![node.text().to_owned()],
        }
    };
    let named = |out: &mut Vec<Directive>, of: &dyn Fn(&str, &Node) -> Vec<Vec<String>>| {
        if let Value::Map(all) = &own.node.value {
            for words in all.iter().flat_map(|(key, node)| of(key, node)) {
                out.push(own.directive(words, None));
            }
        }
    };
    let word = |text: &str| text.to_owned();
    match kind {
        "not" => {
            let sets = set_.items("not");
            out.extend(sets.iter().map(|one| {
                let inner = set(one).block.unwrap_or_default();
                one.directive(vec![word("not")], Some(inner))
            }));
        }
        "path_regexp" => out.push(own.words(&["path_regexp", own.node.text_of("pattern")])),
        // Of one key the values are alternatives; of several keys all are wanted.
        "query" => named(out, &|key, node| {
            let pairs = texts(node).into_iter().map(|value| format!("{key}={value}"));
            vec![std::iter::once(word("query")).chain(pairs).collect()]
        }),
        "header" => named(out, &|key, node| match &node.value {
            Value::List(all) => {
                all.iter().map(|v| vec![word("header"), word(key), v.text().to_owned()]).collect()
            }
            _ => vec![vec![word("header"), format!("!{key}")]],
        }),
        "header_regexp" => named(out, &|key, node| {
            vec![vec![word("header_regexp"), word(key), node.text_of("pattern").to_owned()]]
        }),
        _ => {
            let mut words = vec![word(kind)];
            match &own.node.value {
                Value::Map(_) => words.push(word("{…}")),
                _ => words.extend(texts(own.node)),
            }
            out.push(own.directive(words, None));
        }
    }
}

/// A handler as directives.
fn handler(at: &At<'_>) -> Vec<Directive> {
    let node = at.node;
    let text = |key: &str| node.text_of(key);
    match text("handler") {
        known if PLAIN.contains(&known) => Vec::new(),
        "static_response" => {
            let status = if text("status_code").is_empty() { "200" } else { text("status_code") };
            let to = node.get("headers").and_then(|h| h.get("Location")?.items().first());
            match to {
                _ if text("abort") == "true" => vec![at.words(&["abort", "*"])],
                Some(to) => vec![at.words(&["redir", "*", to.text(), status])],
                None => vec![at.words(&["respond", "*", "", status])],
            }
        }
        "error" => vec![at.words(&["error", "*", text("error"), text("status_code")])],
        "rewrite" => rewritten(at),
        "headers" => {
            node.get("request").map_or_else(Vec::new, |_| headers(at, "request", "request_header"))
        }
        "authentication"
            if node.get("providers").is_some_and(|p| p.get("http_basic").is_some()) =>
        {
            vec![at.words(&["basicauth", "*"])]
        }
        "reverse_proxy" => vec![proxied(at)],
        "file_server" => vec![at.words(&["file_server", "*"])],
        other => vec![at.words(&[other, "*"])],
    }
}

fn rewritten(at: &At<'_>) -> Vec<Directive> {
    let text = |key: &str| at.node.text_of(key);
    let mut out = Vec::new();
    for (key, word) in
        [("strip_path_prefix", "strip_prefix"), ("strip_path_suffix", "strip_suffix")]
    {
        if !text(key).is_empty() {
            out.push(at.words(&["uri", "*", word, text(key)]));
        }
    }
    for one in at.items("uri_substring") {
        let (find, replace) = (one.node.text_of("find"), one.node.text_of("replace"));
        out.push(one.words(&["uri", "*", "replace", find, replace]));
    }
    if at.node.get("path_regexp").is_some() {
        out.push(at.words(&["uri", "*", "path_regexp"]));
    }
    if !text("uri").is_empty() {
        out.push(at.words(&["rewrite", "*", text("uri")]));
    }
    out
}

/// What is set and taken away of a request's headers.
fn headers(at: &At<'_>, key: &str, word: &str) -> Vec<Directive> {
    let Some(own) = at.get(key) else { return Vec::new() };
    let mut words: Vec<Vec<String>> = Vec::new();
    let matcher = if word == "request_header" { vec!["*".to_owned()] } else { Vec::new() };
    let mut add = |rest: Vec<String>| {
        words.push(std::iter::once(word.to_owned()).chain(matcher.clone()).chain(rest).collect());
    };
    own.node.items_of("delete").iter().for_each(|name| add(vec![format!("-{}", name.text())]));
    for (kind, sign) in [("set", ""), ("add", "+")] {
        let Some(Value::Map(all)) = own.node.get(kind).map(|all| &all.value) else { continue };
        for (name, values) in all {
            let value = values.items().first().map_or("", Node::text);
            add(vec![format!("{sign}{name}"), value.to_owned()]);
        }
    }
    words.into_iter().map(|words| own.directive(words, None)).collect()
}

fn proxied(at: &At<'_>) -> Directive {
    let node = at.node;
    // What `forward_auth` becomes: a question first, and on with the request after it.
    if node.get("handle_response").is_some()
        && node.get("rewrite").is_some_and(|r| r.text_of("method") == "GET")
    {
        return at.words(&["forward_auth", "*"]);
    }
    let mut words = vec!["reverse_proxy".to_owned(), "*".to_owned()];
    words.extend(node.items_of("upstreams").iter().map(|one| one.text_of("dial").to_owned()));
    let mut block =
        at.get("headers").map(|own| headers(&own, "request", "header_up")).unwrap_or_default();
    if let Some(rewrite) = at.get("rewrite").filter(|r| !r.node.text_of("uri").is_empty()) {
        block.push(rewrite.words(&["rewrite", rewrite.node.text_of("uri")]));
    }
    for key in ["stream_timeout", "stream_close_delay"] {
        if let Some(own) = at.get(key) {
            block.push(own.words(&[key, &duration(own.node)]));
        }
    }
    if at.get("health_checks").is_some() {
        block.push(at.words(&["health_uri"]));
    }
    if let Some(transport) = at.get("transport") {
        let mut inner = Vec::new();
        if let Some(versions) = transport.get("versions") {
            let all = versions.node.items().iter().map(|v| v.text().to_owned());
            let all = std::iter::once("versions".to_owned()).chain(all).collect();
            inner.push(versions.directive(all, None));
        }
        if let Some(read) = transport.get("read_timeout") {
            inner.push(read.words(&["read_timeout", &duration(read.node)]));
        }
        let words = vec!["transport".to_owned(), transport.node.text_of("protocol").to_owned()];
        block.push(transport.directive(words, Some(inner)));
    }
    at.directive(words, Some(block))
}

/// Nanoseconds, or a duration as text.
fn duration(node: &Node) -> String {
    if node.number().is_some() { format!("{}ns", node.text()) } else { node.text().to_owned() }
}
