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

/// The same in TOML, static and dynamic in one; the rule is line 8.
fn good_toml() -> String {
    "[entryPoints.websecure]\n  address = \":443\"\n[entryPoints.websecure.transport.respondingTimeouts]\n  readTimeout = \"0s\"\n  \
     idleTimeout = 3600\n\n[http.routers.console]\n  rule = \"Host(`b.example`) && PathPrefix(`/v1`)\"\n  service = \"console\"\n\n\
     # the server\n[[http.services.console.loadBalancer.servers]]\n  url = \"http://127.0.0.1:3001\"\n"
        .to_owned()
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
        ("TOML, all is well", good_toml(), vec![]),
        (
            "TOML: HTTP/2, the Host, and the path",
            good_toml()
                .replace("http://", "h2c://")
                .replace("[[http.services", "[http.services.console.loadBalancer]\n  passHostHeader = false\n[http.middlewares.own.stripPrefix]\n  prefixes = [\"/v1\"]\n[[http.services")
                .replace("service = \"console\"", "service = \"console\"\n  middlewares = [\"own@file\"]"),
            vec!["h2 @18", "moved @16"],
        ),
        (
            "TOML: no router",
            good_toml().replace("PathPrefix(`/v1`)", "PathPrefix(`/app`)"),
            vec!["path Some(404) @8 if seen"],
        ),
        (
            "TOML: the default times",
            "# static\n[entryPoints]\n  [entryPoints.websecure]\n    address = \":443\"\n\n[http.routers.console]\nrule = \"PathPrefix(`/`)\"\nservice = \"console@file\"\n[http.services.console.loadBalancer]\nservers = [{ url = \"http://127.0.0.1:3001\" }]\n".to_owned(),
            vec!["timeout 180 @4 if seen", "timeout 60 @4 if seen"],
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
