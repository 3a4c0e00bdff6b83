//! Caddy's samples: see `configuration/samples.rs`.

use super::Sample;

pub(crate) const SECRETS: &str = r#"
b.example {
    tls {
        dns cloudflare Q4nary
        eab keyid Q4nary
    }
    basicauth {
        kim $2a$14$Q4nary0123456789abcdefghijk
    }
    @key header X-Api-Key Q4nary
    request_header Authorization "Basic Q4naryQ4nary=="
    reverse_proxy https://kim:Q4nary@b.example {
        header_up X-Token Q4nary
        header_up +X-Other "Q4nary"
    }
}
"#;

/// A site with these lines, the first of which is line 5.
fn site(inner: &str) -> String {
    format!("{{\n auto_https off\n}}\nhttps://b.example {{\n{inner}\n}}\n")
}

pub(crate) fn all() -> Vec<Sample> {
    let all = [
        ("all is well", "reverse_proxy x:1", vec![]),
        ("the header goes", "request_header -Upgrade\nreverse_proxy x:1", vec!["headers @5"]),
        (
            "the header goes on its way up",
            "reverse_proxy x:1 {\nheader_up -Connection\n}",
            vec!["headers @6"],
        ),
        (
            "it is set as it was",
            "reverse_proxy x:1 {\nheader_up Connection {http.request.header.Connection}\nheader_up Upgrade websocket\n}",
            vec![],
        ),
        ("HTTP/2", "reverse_proxy h2c://x:1", vec!["h2 @5"]),
        (
            "HTTP/2 by the transport",
            "reverse_proxy x:1 {\ntransport http {\nversions h2c 2\n}\n}",
            vec!["h2 @7"],
        ),
        (
            "a time to read",
            "reverse_proxy x:1 {\ntransport http {\nread_timeout 90s\n}\n}",
            vec!["timeout 90 @7"],
        ),
        ("two servers", "reverse_proxy x:1 x:2", vec!["unchecked @5 if seen"]),
        (
            "two servers, and they are checked",
            "reverse_proxy x:1 x:2 {\nhealth_uri /health\n}",
            vec![],
        ),
        ("an answer by path", "respond /v1/* 404\nreverse_proxy x:1", vec!["path Some(404) @5"]),
        ("an answer to another path", "respond /v2/* 404\nreverse_proxy x:1", vec![]),
        (
            "the longest path",
            "handle /v1/* {\nrespond 404\n}\nhandle /v1/ws {\nreverse_proxy x:1\n}\nhandle {\nrespond 403\n}",
            vec![],
        ),
        (
            "the path is cut",
            "handle_path /v1/* {\nreverse_proxy x:1\n}\nhandle {\nreverse_proxy x:1\n}",
            vec!["moved @5"],
        ),
        ("the path is cut by uri", "uri strip_prefix /v1\nreverse_proxy x:1", vec!["moved @5"]),
        ("nobody takes it", "handle /app/* {\nreverse_proxy x:1\n}", vec!["path Some(200) @4"]),
        ("a slash", "redir /v1/ws /v1/ws/ 308\nreverse_proxy x:1", vec!["path Some(308) @5"]),
        (
            "a page for everything",
            "root * /tmp\ntry_files {path} /index.html\nfile_server",
            vec!["disk @6"],
        ),
        ("files alone", "root * /tmp\nfile_server", vec!["path Some(404) @6"]),
        (
            "by headers",
            "@ws {\nheader Connection *Upgrade*\nheader Upgrade websocket\n}\nhandle @ws {\nreverse_proxy x:1\n}\nhandle {\nrespond 403\n}",
            vec![],
        ),
        (
            "another name",
            "@own host c.example\nhandle @own {\nreverse_proxy x:1\n}",
            vec!["path Some(200) @4"],
        ),
        (
            "who asks decides",
            "@in remote_ip 10.0.0.0/8\nabort @in\nreverse_proxy x:1",
            vec!["untold @6"],
        ),
        (
            "a password",
            "basicauth {\nkim JDJhJDE0JHh4eA==\n}\nreverse_proxy x:1",
            vec!["path Some(401) @5"],
        ),
        (
            "the order is Caddy's",
            "reverse_proxy x:1\nrespond /v1/ws 410",
            vec!["path Some(410) @6"],
        ),
        ("a route keeps its own", "route {\nreverse_proxy x:1\nrespond /v1/ws 410\n}", vec![]),
    ];
    let mut all: Vec<Sample> =
        all.into_iter().map(|(about, inner, expected)| (about, site(inner), expected)).collect();
    all.push((
        "a snippet",
        "(up) {\n reverse_proxy {args.0} {\n  header_up -Upgrade\n }\n}\nb.example {\n import up x:1\n}\n".to_owned(),
        vec!["headers @3"],
    ));
    all.push((
        "one site without braces",
        "b.example\nrespond /v1/* 503\nreverse_proxy x:1\n".to_owned(),
        vec!["path Some(503) @2"],
    ));
    all
}
