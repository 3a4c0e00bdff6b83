//! F5's samples: see `configuration/samples.rs`.

use super::Sample;

pub(crate) const SECRETS: &str = r#"ltm virtual /Common/console {
    destination /Common/10.0.0.1:443
}
ltm profile client-ssl /Common/own {
    passphrase $M$Q4nary
}
ltm monitor https /Common/health {
    password Q4nary
    send "GET /health HTTP/1.1\r\nAuthorization: Basic Q4naryQ4nary==\r\n\r\n"
}
auth radius-server /Common/system {
    secret $M$Q4nary
}
"#;

/// A virtual server with these profiles, of which the first is line 5, and more objects.
fn file(profiles: &[&str], more: &str) -> String {
    let profiles: String =
        profiles.iter().map(|p| format!("        /Common/{p} {{ }}\n")).collect();
    format!(
        "ltm virtual /Common/console {{\n    destination /Common/10.0.0.1:443\n    pool /Common/console\n    profiles {{\n{profiles}    }}\n}}\n{more}"
    )
}

const LONG: &str =
    "ltm profile tcp /Common/long {\n    defaults-from /Common/tcp\n    idle-timeout 3600\n}\n";

pub(crate) fn all() -> Vec<Sample> {
    vec![
        ("all is well", file(&["http", "long"], LONG), vec![]),
        ("the default time", file(&["http", "tcp"], ""), vec!["timeout 300 @6"]),
        ("a minute", file(&["http", "long"], &LONG.replace("3600", "60")), vec!["timeout 60 @11"]),
        (
            "a time that comes from another",
            file(
                &["own"],
                &format!(
                    "ltm profile tcp /Common/own {{\n    defaults-from /Common/long\n}}\n{}",
                    LONG.replace("3600", "90")
                ),
            ),
            vec!["timeout 90 @13"],
        ),
        (
            "a time that comes from the first",
            file(&["own"], "ltm profile tcp /Common/own {\n    defaults-from /Common/tcp\n}\n"),
            vec!["timeout 300 @9"],
        ),
        ("no limit", file(&["long"], &LONG.replace("3600", "indefinite")), vec![]),
        ("layer 4", file(&["fastL4"], ""), vec!["timeout 300 @5"]),
        (
            "a policy and no profile",
            file(&["http", "long", "websecurity"], LONG),
            vec!["headers @1 if seen"],
        ),
        (
            "a policy and a profile",
            file(&["http", "long", "websecurity", "websocket"], LONG),
            vec![],
        ),
        ("HTTP/2 alone", file(&["http2", "long"], LONG), vec!["h2 @1 if seen"]),
        (
            "a rule decides",
            file(&["long"], LONG)
                .replace("    profiles {", "    rules {\n        /Common/x\n    }\n    profiles {"),
            vec!["untold @4"],
        ),
        (
            "two on one port",
            format!("{}{}", file(&["long"], ""), file(&["long"], LONG)),
            vec!["untold @1"],
        ),
        (
            "by the port's name",
            file(&["long"], &LONG.replace("3600", "60")).replace(":443", ":https"),
            vec!["timeout 60 @10"],
        ),
    ]
}
