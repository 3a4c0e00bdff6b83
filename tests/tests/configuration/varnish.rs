//! Varnish: every sample is taken, and requests end where the check says, by the real
//! varnishd.

use super::{Dice, accepted, backend, read, samples, status};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use wss_diagnosis::configuration::{Kind, Reading};
use wss_lab::real::{Product, Real};

/// Whether Varnish compiles a file.
pub(super) fn takes(folder: &Path, text: &str) {
    let config = folder.join("lab.vcl");
    std::fs::write(&config, text).unwrap();
    accepted("varnishd", &["-C", "-f", &config.display().to_string()], text);
}

#[test]
fn varnish_takes_every_sample() {
    let folder = tempfile::tempdir().unwrap();
    for (_, text, _) in samples::varnish::all() {
        takes(folder.path(), &text);
    }
}

const CONDITIONS: [&str; 24] = [
    "req.http.Upgrade ~ \"(?i)websocket\"",
    "req.http.upgrade ~ \"WebSocket\"",
    "req.http.Upgrade == \"websocket\"",
    "req.http.Upgrade",
    "!req.http.Upgrade",
    "req.http.Connection ~ \"(?i)upgrade\"",
    "req.http.Content-Type",
    "req.http.Content-Type == \"\"",
    "req.http.Content-Type ~ \"^$\"",
    "req.url ~ \"^/v1/\"",
    "req.url ~ \"(?i)^/v1/\"",
    "req.url == \"/v1/ws\"",
    "req.url != \"/v1/ws\"",
    "req.url ~ \"x=1\" && req.method == \"GET\"",
    "req.url ~ \"graphql\" || req.url ~ \"^/$\"",
    "req.url !~ \"^/app/\"",
    "!(req.url ~ \"^/v1\" && req.http.Upgrade)",
    "req.method != \"GET\" && req.method != \"HEAD\"",
    "req.restarts > 0",
    "req.restarts == 0",
    "req.http.X-Set == \"1\"",
    "req.http.X-Set",
    "regsub(req.url, \"^/v1/(.*)$\", \"\\1\") == \"ws\"",
    "std.toupper(req.url) == {\"/V1/WS\"}",
];

/// Statements at random: branches, calls, answers with statuses of their own.
fn statements(dice: &mut Dice, depth: usize, next: &mut u16) -> String {
    let mut out = String::new();
    for _ in 0..=dice.roll(3) {
        let condition = dice.pick(&CONDITIONS);
        let _ = match dice.roll(9) {
            0 | 1 if depth < 3 => {
                let one = statements(dice, depth + 1, next);
                let two = statements(dice, depth + 1, next);
                let word = dice.pick(&["else if", "elseif", "elsif"]);
                let other = dice.pick(&CONDITIONS);
                writeln!(out, "if ({condition}) {{\n{one}}} {word} ({other}) {{\n{two}}}")
            }
            2 if depth < 3 => {
                let one = statements(dice, depth + 1, next);
                writeln!(out, "if ({condition}) {{\n{one}}} else {{ set req.http.X-Set = \"1\"; }}")
            }
            3 => writeln!(out, "if ({condition}) {{ return (pipe); }}"),
            4 => writeln!(
                out,
                "if ({condition}) {{ return ({}); }}",
                dice.pick(&["pass", "hash", "fail"])
            ),
            5 => {
                *next += 1;
                writeln!(out, "if ({condition}) {{ return (synth({next}, \"own\")); }}")
            }
            6 => writeln!(
                out,
                "if ({condition}) {{ {} }}",
                dice.pick(&[
                    "set req.http.X-Set = \"1\";",
                    "set req.http.X-Set = \"1\" + req.http.X-None;",
                    "unset req.http.X-Set;",
                    "unset req.http.Upgrade;",
                    "set req.http.Upgrade = \"websocket\";",
                    "set req.url = \"/app\" + req.url;",
                    "set req.url = regsuball(req.url, \"/+\", \"/\");",
                    "return (restart);",
                ])
            ),
            7 => writeln!(out, "call shared{};", dice.roll(4)),
            _ => Ok(()),
        };
    }
    out
}

const HOSTS: usize = 30;

fn vcl(dice: &mut Dice) -> String {
    let mut out = "vcl 4.1;\nimport std;\nbackend default { .host = \"127.0.0.1\"; .port = \"{backend-port}\"; }\n".to_owned();
    for (number, inner) in [
        "if (req.http.Upgrade) { return (pipe); }",
        "if (req.url ~ \"^/app\") { return (synth(481)); }",
        "set req.http.X-Set = \"1\"; return;",
        "if (req.restarts == 0) { return (restart); }",
    ]
    .iter()
    .enumerate()
    {
        let _ = writeln!(out, "sub shared{number} {{ {inner} }}");
    }
    let mut recv = String::new();
    for host in 0..HOSTS {
        let mut next = 409;
        let inner = statements(dice, 0, &mut next);
        let _ = writeln!(out, "sub host{host} {{\n{inner}\n}}");
        let _ =
            writeln!(recv, "if (req.http.host ~ \"^w{host}\\.example\") {{ call host{host}; }}");
    }
    let _ = writeln!(
        out,
        "sub vcl_recv {{\nif (req.restarts == 0) {{ unset req.http.X-Set; unset req.http.X-None; }}\n{recv}}}"
    );
    out.push_str(
        "sub vcl_recv { if (req.http.Upgrade && req.url ~ \"ws\") { return (pipe); } return (pass); }\n\
         sub vcl_pipe {\nif (req.http.host ~ \"[02468]\\.\") { return (synth(499)); }\n\
         if (req.http.upgrade) { set bereq.http.upgrade = req.http.upgrade; }\n\
         if (req.http.host !~ \"[37]\\.\") { set bereq.http.connection = req.http.connection; }\n}\n\
         sub vcl_synth {\nif (resp.status == 411) { set resp.status = 307; set resp.http.Location = \"https://other.example/\"; }\n\
         elsif (resp.reason == \"own\" && resp.status == 412) { set resp.status = 1471; }\n}\n",
    );
    out
}

fn foretold(reading: &Reading) -> Result<u16, String> {
    if !reading.untold.is_empty() {
        return Err(format!("{:?}", reading.untold));
    }
    for issue in &reading.issues {
        match issue.kind {
            Kind::PathRule(Some(status)) => return Ok(status),
            Kind::UpgradeHeaders => return Ok(400),
            _ => {}
        }
    }
    Ok(101)
}

/// Thirty names with statements of their own, each asked for nine paths.
#[test]
fn varnish_sends_requests_where_the_check_says() {
    let mut dice = Dice(0xa076_1d64_78bd_642f);
    let template = vcl(&mut dice);
    let values = BTreeMap::from([("backend-port", backend().port().to_string())]);
    let varnish = Real::start(Product::Varnish, &template, &values).unwrap();
    let text = std::fs::read_to_string(varnish.config_file()).unwrap();
    let (mut wrong, mut statuses, mut restarts) = (Vec::new(), BTreeMap::new(), 0);
    for number in 0..HOSTS {
        let host = format!("w{number}.example");
        for path in super::PATHS {
            let real = status(varnish.addr, &host, path);
            let checked = read(&text, &host, varnish.addr.port(), path);
            let reading = &checked.readings[0];
            *statuses.entry(real).or_insert(0) += 1;
            // Restarts without an end are said to be untold; Varnish makes 503 of them.
            if real == 503 && reading.untold.iter().any(|u| u.why.contains("again and again")) {
                restarts += 1;
                continue;
            }
            match foretold(reading) {
                Ok(said) if said == real => {}
                said => {
                    let own = text.split("sub host").find(|v| v.starts_with(&format!("{number} ")));
                    wrong.push(format!(
                        "{host}{path}: {real}, and {said:?} by {:?}\n{}",
                        reading.followed,
                        own.unwrap_or_default()
                    ));
                }
            }
        }
    }
    assert!(statuses.len() > 6 && statuses.contains_key(&101), "{statuses:?} {restarts}");
    assert!(
        wrong.is_empty(),
        "{} wrong of {statuses:?}\n{}",
        wrong.len(),
        wrong[..wrong.len().min(6)].join("\n")
    );
}
