//! Traefik's samples: see `configuration/samples.rs`.

use super::Sample;

pub(crate) const SECRETS: &str = r#"http:
  routers:
    console:
      rule: Host(`b.example`)
      service: console
  middlewares:
    password:
      basicAuth:
        users:
        - "kim:$apr1$Q4nary"
    key:
      headers:
        customRequestHeaders:
          X-Api-Key: Q4nary
services:
  console:
    environment:
    - TOKEN=Q4nary
    labels:
    - "traefik.http.middlewares.x.basicauth.users=kim:Q4nary"
"#;

const POINT: &str = "entryPoints:\n  websecure:\n    address: \":443\"\n    transport:\n      respondingTimeouts:\n        readTimeout: 0s\n        idleTimeout: 3600s\n";

/// A router with these lines and middlewares; the router's rule is line 11.
fn file(rule: &str, middlewares: &str) -> String {
    let (own, all) = if middlewares.is_empty() {
        (String::new(), String::new())
    } else {
        (
            "      middlewares: [own]\n".to_owned(),
            format!("  middlewares:\n    own:\n{middlewares}\n"),
        )
    };
    format!(
        "{POINT}http:\n  routers:\n    console:\n      rule: {rule}\n      service: console\n{own}{all}  services:\n    console:\n      \
         loadBalancer:\n        servers:\n        - url: http://127.0.0.1:3001\n"
    )
}

pub(crate) fn all() -> Vec<Sample> {
    let ours = "Host(`b.example`) && PathPrefix(`/v1`)";
    let with = |middleware: &str| file(ours, middleware);
    let good = with("");
    vec![
        ("all is well", good.clone(), vec![]),
        ("no router", file("PathPrefix(`/app`)", ""), vec!["path Some(404) @11 if seen"]),
        ("who asks decides", file("ClientIP(`10.0.0.0/8`)", ""), vec!["untold @11"]),
        (
            "the header goes",
            with("      headers:\n        customRequestHeaders:\n          Upgrade: \"\""),
            vec!["headers @18"],
        ),
        ("a password", with("      basicAuth:\n        usersFile: /x"), vec!["path Some(401) @17"]),
        ("who may pass", with("      forwardAuth:\n        address: http://127.0.0.1:9"), vec!["untold @17"]),
        ("a limit", with("      rateLimit:\n        average: 5"), vec!["limit 429 @17 if seen"]),
        ("it waits", with("      buffering:\n        maxRequestBodyBytes: 5"), vec!["headers @17 if seen"]),
        ("the path is cut", with("      stripPrefix:\n        prefixes: [\"/v1\"]"), vec!["moved @17"]),
        (
            "HTTP/2",
            good.replace("url: http:", "url: h2c:"),
            vec!["h2 @17"],
        ),
        (
            "the default times",
            good.replace("    transport:\n      respondingTimeouts:\n        readTimeout: 0s\n        idleTimeout: 3600s\n", ""),
            vec!["timeout 180 @3 if seen", "timeout 60 @3 if seen"],
        ),
        (
            "by priority",
            good.replace(
                "  services:\n",
                "    all:\n      rule: PathPrefix(`/`)\n      priority: 1000\n      service: nobody\n  services:\n",
            ),
            vec!["untold @0"],
        ),
        (
            "labels",
            "services:\n  console:\n    labels:\n    - \"traefik.http.routers.c.rule=Host(`b.example`)\"\n    \
             - \"traefik.http.services.c.loadbalancer.server.scheme=h2c\"\n    - \"traefik.http.services.c.loadbalancer.server.port=3001\"\n"
                .to_owned(),
            vec!["h2 @5"],
        ),
    ]
}
