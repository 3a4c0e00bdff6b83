//! Samples of Caddy's JSON, as `caddy adapt` prints it: see `configuration/samples.rs`.

use super::Sample;

pub(crate) const SECRETS: &str = r#"{
 "apps": {
  "http": {
   "servers": {
    "srv0": {
     "listen": [":443"],
     "routes": [
      {
       "match": [
        {
         "header": {
          "X-Api-Key": ["Q4nary"]
         }
        }
       ],
       "handle": [
        {
         "handler": "authentication",
         "providers": { "http_basic": { "accounts": [
          { "password": "Q4nary" }
         ] } }
        },
        {
         "handler": "headers",
         "request": { "set": {
          "Authorization": ["Basic Q4nary=="]
         } }
        },
        {
         "handler": "static_response",
         "body": "Q4nary"
        }
       ]
      }
     ]
    }
   }
  },
  "tls": { "automation": { "policies": [ { "issuers": [ { "challenges": { "dns": { "provider": {
   "api_token": "Q4nary"
  } } } } ] } ] } }
 }
}
"#;

/// A server with these routes, of which the first is line 3.
fn server(routes: &[&str]) -> String {
    format!(
        "{{\"apps\": {{\"http\": {{\"servers\": {{\"srv0\": {{\"listen\": [\":443\"],\n\"routes\": [\n{}\n]}}}}}}}}}}\n",
        routes.join(",\n")
    )
}

const PROXY: &str = r#"{"handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": "x:1"}]}]}"#;

fn proxied(more: &str) -> String {
    server(&[&format!(
        "{{\"match\": [{{\"host\": [\"b.example\"]}}], \"handle\": [{{\"handler\": \"subroute\", \"routes\": [\n{{\"handle\": [{{\"handler\": \"reverse_proxy\", \
         {more}, \"upstreams\": [{{\"dial\": \"x:1\"}}]}}]}}]}}], \"terminal\": true}}"
    )])
}

pub(crate) fn all() -> Vec<Sample> {
    let answer = |path: &str| {
        format!(
            "{{\"match\": [{{\"path\": [\"{path}\"]}}], \"handle\": [{{\"handler\": \"static_response\", \"status_code\": 404}}]}}"
        )
    };
    let (ours, theirs) = (answer("/v1/*"), answer("/v2/*"));
    let grouped = |route: &str| route.replacen('{', "{\"group\": \"g\", ", 1);
    vec![
        ("all is well", server(&[PROXY]), vec![]),
        (
            "the header goes on its way up",
            proxied("\"headers\": {\"request\": {\"delete\": [\"Upgrade\"]}}"),
            vec!["headers @4"],
        ),
        (
            "HTTP/2",
            proxied("\"transport\": {\"protocol\": \"http\", \"versions\": [\"h2c\", \"2\"]}"),
            vec!["h2 @4"],
        ),
        (
            "a time to read",
            proxied("\"transport\": {\"protocol\": \"http\", \"read_timeout\": 90000000000}"),
            vec!["timeout 90 @4"],
        ),
        ("an age", proxied("\"stream_timeout\": \"10m\""), vec!["life 600 @4"]),
        ("FastCGI", proxied("\"transport\": {\"protocol\": \"fastcgi\"}"), vec!["headers @4"]),
        ("an answer by path", server(&[&ours, PROXY]), vec!["path Some(404) @3"]),
        ("an answer to another path", server(&[&theirs, PROXY]), vec![]),
        ("the first of a group", server(&[&grouped(PROXY), &grouped(&ours)]), vec![]),
        (
            "the header goes before",
            server(&[
                r#"{"handle": [{"handler": "headers", "request": {"delete": ["Upgrade"]}}]}"#,
                PROXY,
            ]),
            vec!["headers @3"],
        ),
        (
            "the path is cut",
            server(&[r#"{"handle": [{"handler": "rewrite", "strip_path_prefix": "/v1"}]}"#, PROXY]),
            vec!["moved @3"],
        ),
        (
            "a page for everything",
            server(&[
                r#"{"match": [{"file": {"try_files": ["{http.request.uri.path}", "/index.html"]}}], "handle": [{"handler": "rewrite", "uri": "{http.matchers.file.relative}"}]}"#,
                r#"{"handle": [{"handler": "file_server"}]}"#,
            ]),
            vec!["disk @3"],
        ),
        (
            "sent elsewhere",
            server(&[
                r#"{"handle": [{"handler": "static_response", "headers": {"Location": ["https://c.example/"]}, "status_code": 302}]}"#,
            ]),
            vec!["path Some(302) @3"],
        ),
        ("nobody takes it", server(&[&theirs]), vec!["path Some(200) @1"]),
        (
            "who asks decides",
            server(&[
                r#"{"match": [{"remote_ip": {"ranges": ["10.0.0.0/8"]}}], "handle": [{"handler": "static_response", "abort": true}]}"#,
                PROXY,
            ]),
            vec!["untold @3"],
        ),
        (
            "one of two sets",
            server(&[
                r#"{"match": [{"path": ["/v2/*"]}, {"header": {"Upgrade": ["websocket"]}, "not": [{"method": ["POST"]}]}], "handle": [{"handler": "error", "error": "no", "status_code": 410}]}"#,
                PROXY,
            ]),
            vec!["path Some(410) @3"],
        ),
    ]
}
