//! Caddy: every sample is taken, and requests end where the check says.

use super::{Dice, PATHS, accepted, backend, read, samples, status};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wss_diagnosis::configuration::{Kind, Reading};
use wss_lab::real::{Product, Real};

#[test]
fn caddy_takes_every_sample() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("Caddyfile");
    for (_, text, _) in samples::caddy::all() {
        let text = text.replace("x:1", "127.0.0.1:1").replace("x:2", "127.0.0.1:2");
        std::fs::write(&config, &text).unwrap();
        let file = config.display().to_string();
        accepted("caddy", &["adapt", "--adapter", "caddyfile", "--config", &file], &text);
    }
}

const MATCHERS: [&str; 14] = [
    "", "/v1/*", "/v1/ws", "/v1*", "@end", "/app/*", "/V1/*", "@ws", "@host", "@two", "@not",
    "@query", "@pattern", "@block",
];

const NAMED: &str = "@end path */ws\n@ws header Connection *Upgrade*\n@host host w1.example w2.example\n@two path /v1/ws /app/*\n\
                     @not not path /v1/*\n@query query x=1\n@pattern path_regexp ws ^/v1/(ws|graphql)$\n\
                     @block {\npath /v1/*\nmethod GET\nnot header Upgrade h2c\n}\n";

/// Handlers at random, each that answers with a status of its own.
fn handlers(dice: &mut Dice, depth: usize, next: &mut u16) -> String {
    let mut out = String::new();
    for _ in 0..=dice.roll(4) {
        let matcher = dice.pick(&MATCHERS);
        *next += 1;
        let _ = match dice.roll(12) {
            0 | 1 if depth < 2 => {
                let inner = handlers(dice, depth + 1, next);
                writeln!(out, "handle {matcher} {{\n{inner}}}")
            }
            2 if depth < 2 => {
                let path = dice.pick(&["/v1/*", "/app/*", "/v1/ws"]);
                let inner = handlers(dice, depth + 1, next);
                writeln!(out, "handle_path {path} {{\n{inner}}}")
            }
            3 if depth < 2 => {
                let inner = handlers(dice, depth + 1, next);
                writeln!(out, "route {matcher} {{\n{inner}}}")
            }
            4 => writeln!(
                out,
                "redir {} https://other.example{{uri}} {}",
                if matcher.is_empty() { "*" } else { matcher },
                300 + dice.roll(9)
            ),
            5 => writeln!(out, "error {matcher} \"no\" {next}"),
            6 => writeln!(out, "uri {matcher} strip_prefix /v1"),
            7 => writeln!(
                out,
                "rewrite {} /app{{path}}",
                if matcher.is_empty() { "*" } else { matcher }
            ),
            8 => writeln!(out, "request_header {matcher} -Upgrade"),
            9 => writeln!(out, "reverse_proxy {matcher} {{backend}}"),
            _ => writeln!(out, "respond {matcher} {next}"),
        };
    }
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

/// A Caddyfile as Caddy's own JSON, by the real program.
fn adapted(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("Caddyfile");
    std::fs::write(&config, text).unwrap();
    let output = std::process::Command::new("caddy")
        .args(["adapt", "--adapter", "caddyfile", "--pretty", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn caddy_takes_every_sample_of_json() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("caddy.json");
    for (about, text, _) in samples::caddy_json::all() {
        // Debian's Caddy does not have it yet.
        if about == "an age" {
            continue;
        }
        let text = text.replace("x:1", "127.0.0.1:1");
        std::fs::write(&config, &text).unwrap();
        accepted("caddy", &["validate", "--config", &config.display().to_string()], &text);
    }
}

/// Both readings of a site are equal: that of its Caddyfile, and that of the JSON which
/// Caddy makes of it.
#[test]
fn caddys_json_says_what_its_caddyfile_says() {
    let mut dice = Dice(0x9ae1_6a3b_2f90_404f);
    let mut compared = BTreeMap::new();
    for number in 0..48 {
        let mut next = 599;
        let site = format!(
            "{{\nadmin off\nauto_https off\n}}\nhttp://b.example:8080 {{\n{NAMED}{}}}\n",
            handlers(&mut dice, 0, &mut next).replace("{backend}", "127.0.0.1:1")
        );
        let json = adapted(&site);
        for path in PATHS {
            let one = read(&site, "b.example", 8080, path);
            let two = read(&json, "b.example", 8080, path);
            let (one, two) = (&one.readings[0], &two.readings[0]);
            assert_eq!(one.program.name(), "Caddy");
            assert_eq!(two.program.name(), "Caddy (JSON)");
            assert_eq!(
                foretold(two),
                foretold(one),
                "{number} {path}: {:?}\n{:?}\n{site}\n{json}",
                two.followed,
                one.followed
            );
            *compared.entry(format!("{:?}", foretold(one))).or_insert(0) += 1;
        }
    }
    assert!(compared.len() > 6, "{compared:?}");
}

/// Sixty-four sites, told apart by name, each asked for nine paths.
#[test]
fn caddy_sends_requests_where_the_check_says() {
    let mut dice = Dice(0x9ae1_6a3b_2f90_404f);
    let mut sites = "{\nadmin off\nauto_https off\n}\n".to_owned();
    for number in 0..64 {
        let mut next = 599;
        let host = if number % 5 == 0 {
            format!("*.w{number}.example")
        } else {
            format!("w{number}.example")
        };
        let _ = writeln!(
            sites,
            "http://{host}:{{port}} {{\n{NAMED}{}}}",
            handlers(&mut dice, 0, &mut next)
        );
    }
    let values = BTreeMap::from([("backend", backend().to_string())]);
    let caddy = Real::start(Product::Caddy, &sites, &values).unwrap();
    let text = std::fs::read_to_string(caddy.config_file()).unwrap();
    let (mut wrong, mut statuses) = (Vec::new(), BTreeMap::new());
    for number in 0..64 {
        let host = if number % 5 == 0 {
            format!("a.w{number}.example")
        } else {
            format!("w{number}.example")
        };
        for path in PATHS {
            let real = status(caddy.addr, &host, path);
            let checked = read(&text, &host, caddy.addr.port(), path);
            *statuses.entry(real).or_insert(0) += 1;
            match foretold(&checked.readings[0]) {
                Ok(said) if said == real => {}
                said => {
                    let own =
                        text.split("http://").find(|v| v.contains(&format!("w{number}.example:")));
                    let own = own.unwrap_or_default().replace(NAMED, "");
                    wrong.push(format!(
                        "{host}{path}: {real}, and {said:?} by {:?}\n{own}",
                        checked.readings[0].followed
                    ));
                }
            }
        }
    }
    assert!(statuses.len() > 6, "{statuses:?}");
    assert!(
        wrong.is_empty(),
        "{} wrong of {statuses:?}\n{}",
        wrong.len(),
        wrong[..wrong.len().min(6)].join("\n")
    );
}
