//! Varnish's samples: see `configuration/samples.rs`.

use super::Sample;

pub(crate) const SECRETS: &str = r#"
vcl 4.1;
backend default {
    .host = "127.0.0.1";
    .probe = {
        .request = "GET /health HTTP/1.1"
            "Authorization: Basic Q4naryQ4nary==";
    }
}
sub vcl_recv {
    if (req.http.X-Api-Key != "Q4nary") { return (synth(403)); }
    if (req.http.Cookie ~ "session=Q4nary") { return (pass); }
    set req.http.Authorization = "Basic Q4naryQ4nary==";
    set req.http.X-Token = {"Q4nary"} ;
    set req.http.X-Sign = digest.hmac_sha256("Q4nary", req.url);
}
"#;

/// A file with these subs, of which the first line is line 3.
fn file(subs: &str) -> String {
    format!("vcl 4.1;\nbackend default {{ .host = \"127.0.0.1\"; .port = \"1\"; }}\n{subs}\n")
}

const RECV: &str = "sub vcl_recv {\n    if (req.http.Upgrade ~ \"(?i)websocket\") {\n        return (pipe);\n    }\n    return (pass);\n}\n";
const PIPE: &str = "sub vcl_pipe {\n    if (req.http.upgrade) {\n        set bereq.http.upgrade = req.http.upgrade;\n        set bereq.http.connection = req.http.connection;\n    }\n}\n";

pub(crate) fn all() -> Vec<Sample> {
    let with = |recv: &str| file(&format!("sub vcl_recv {{\n{recv}\n}}\n{PIPE}"));
    let piped = |pipe: &str| file(&format!("{RECV}sub vcl_pipe {{\n{pipe}\n}}"));
    vec![
        ("all is well", file(&format!("{RECV}{PIPE}")), vec!["timeout 60 @5 if seen"]),
        ("no vcl_pipe", file(RECV), vec!["headers @5", "timeout 60 @5 if seen"]),
        ("no pipe", file("sub vcl_recv {\n    return (pass);\n}\n"), vec!["headers @4"]),
        ("no pipe, and vcl_pipe for other things", with("    return (hash);"), vec!["headers @4"]),
        ("the end without a return", with("    set req.http.X-A = \"b\";"), vec!["headers @3"]),
        (
            "one header",
            piped("    set bereq.http.Upgrade = req.http.Upgrade;"),
            vec!["headers @9", "timeout 60 @5 if seen"],
        ),
        (
            "closed behind it",
            piped(
                "    set bereq.http.upgrade = req.http.upgrade;\n    set bereq.http.connection = \"close\";",
            ),
            vec!["headers @9", "timeout 60 @5 if seen"],
        ),
        (
            "taken away again",
            piped(
                "    set bereq.http.upgrade = req.http.upgrade;\n    set bereq.http.connection = \"upgrade\";\n    unset bereq.http.upgrade;",
            ),
            vec!["headers @9", "timeout 60 @5 if seen"],
        ),
        (
            "the case of the word",
            with(
                "    if (req.http.Upgrade ~ \"WebSocket\") {\n        return (pipe);\n    }\n    return (pass);",
            ),
            vec!["headers @7"],
        ),
        (
            "by the path",
            with("    if (req.url ~ \"^/v1/(ws|graphql)\") { return (pipe); }"),
            vec!["timeout 60 @4 if seen"],
        ),
        (
            "an answer by path",
            with(
                "    if (req.url ~ \"^/v1/\") { return (synth(404, \"no\")); }\n    return (pipe);",
            ),
            vec!["path Some(404) @4"],
        ),
        (
            "a redirect by vcl_synth",
            file(&format!(
                "sub vcl_recv {{\n    if (req.http.Upgrade) {{ return (synth(750, \"to\")); }}\n}}\nsub vcl_synth {{\n    if (resp.status == 750) {{\n        set resp.status = 302;\n        set resp.http.Location = \"https://c.example/\";\n    }}\n}}\n{PIPE}"
            )),
            vec!["path Some(302) @4"],
        ),
        (
            "a redirect to itself",
            file(
                "sub vcl_recv { return (synth(301)); }\nsub vcl_synth { set resp.http.Location = \"https://\" + req.http.host + req.url; }",
            ),
            vec!["loop 301 @3"],
        ),
        (
            "subs that are called",
            file(&format!(
                "sub sockets {{\n    if (req.http.Connection ~ \"(?i)upgrade\") {{ return (pipe); }}\n}}\nsub vcl_recv {{\n    call sockets;\n    return (pass);\n}}\n{PIPE}"
            )),
            vec!["timeout 60 @4 if seen"],
        ),
        (
            "who asks decides",
            with("    if (client.ip ~ inside) { return (synth(403)); }\n    return (pipe);")
                .replace("sub vcl_recv", "acl inside { \"10.0.0.0\"/8; }\nsub vcl_recv"),
            vec!["untold @5"],
        ),
        (
            "who asks decides nothing",
            with("    if (req.http.X-Who) { set req.http.X-A = \"b\"; }\n    return (pipe);"),
            vec!["timeout 60 @5 if seen"],
        ),
        (
            "the path is cut",
            with("    set req.url = regsub(req.url, \"^/v1\", \"\");\n    return (pipe);"),
            vec!["moved @4", "timeout 60 @5 if seen"],
        ),
        (
            "the header goes",
            with("    unset req.http.Connection;\n    return (pipe);"),
            vec!["headers @7", "timeout 60 @5 if seen"],
        ),
        (
            "a password in C, a long text, and an old else",
            with(
                "    if (req.method == \"PURGE\") { return (purge); } elseif (req.url == {\"/x\"}) { return (fail); } else { return (pipe); }",
            ),
            vec!["timeout 60 @4 if seen"],
        ),
        ("it fails", with("    return (fail);"), vec!["path Some(503) @4"]),
        ("it purges", with("    return (purge);"), vec!["path Some(200) @4"]),
    ]
}
