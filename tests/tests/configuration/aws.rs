//! AWS: load balancers of each kind in a moto server, described by the real command
//! line with the row's very commands, and given to the collector before a server with
//! that fault. And every field that is read is one of botocore's service models.

use crate::server::{Server, installed};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use wss_bundle::read::{self, Limits};
use wss_diagnosis::configuration::DIALECTS;
use wss_lab::lab::{Lab, LabConfig};

/// Member names of the two services' models, by the botocore that moto brings.
const SCRIPT: &str = "import json\nfrom botocore.loaders import Loader\n\
    for service in ('elbv2', 'elb'):\n    for shape in Loader().load_service_model(service, 'service-2')['shapes'].values():\n        \
    for name in shape.get('members', {}): print(name)\n        for word in shape.get('enum', []): print(word)\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn fields_that_are_read_are_in_botocores_models() {
    let output = Command::new("python3")
        .args(["-c", SCRIPT])
        .env("PYTHONPATH", installed("moto"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let known: BTreeSet<&str> = text.lines().collect();
    assert!(known.len() > 200, "{}", known.len());
    let quoted = regex::Regex::new(r#""([A-Z][A-Za-z]*[a-z][A-Za-z]*)""#).unwrap();
    let mut read = 0;
    for file in ["check.rs", "classic.rs", "gathered.rs", "groups.rs", "rules.rs"] {
        let source =
            std::fs::read_to_string(root().join("diagnosis/src/configuration/aws").join(file));
        for field in quoted.captures_iter(&source.unwrap()) {
            let field = field.get(1).unwrap().as_str();
            // A value of a header, and none of a field.
            if field == "Upgrade" {
                continue;
            }
            assert!(known.contains(field), "{file}: {field} is in no model");
            read += 1;
        }
    }
    assert!(read > 30, "{read}");
}

/// A fault: what is set at AWS, what answers in its place, and what has to be said.
struct Case {
    name: &'static str,
    /// The lab's load balancer.
    lab: &'static str,
    hold: &'static str,
    /// What is made in the moto server.
    made: Value,
    cause: &'static str,
    /// Rule, severity, the line with its path, and words of the finding; none where
    /// nothing may be found.
    found: Option<[&'static str; 4]>,
}

const WELL: &str = "";
const ANSWERS: &str = "answer = { status = STATUS, headers = [\"Server: awselb/2.0\"], body = \"\", scope = \"socket-paths\" }";

fn sockets() -> Value {
    json!([{"Field": "path-pattern", "Values": ["/v1/*"]}])
}

fn rule(priority: u32, conditions: Value, actions: Value) -> Value {
    json!({"priority": priority, "conditions": conditions, "actions": actions})
}

/// An Application Load Balancer where nothing is amiss but what is `also` said.
fn application(also: Value) -> Value {
    let mut made = json!({"kind": "application", "protocol": "HTTPS", "idle": 3600});
    made.as_object_mut().unwrap().extend(also.as_object().unwrap().clone());
    made
}

fn fixed(status: u16) -> Value {
    json!([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": status.to_string(), "ContentType": "text/plain"}}])
}

fn redirect(host: &str) -> Value {
    json!([{"Type": "redirect", "RedirectConfig": {
        "Protocol": "HTTPS", "Port": "#{port}", "Host": host, "Path": "/#{path}", "StatusCode": "HTTP_302"}}])
}

fn oidc() -> Value {
    json!([
        {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {
            "Issuer": "https://idp.example", "AuthorizationEndpoint": "https://idp.example/a",
            "TokenEndpoint": "https://idp.example/t", "UserInfoEndpoint": "https://idp.example/u",
            "ClientId": "Q4nary-client", "ClientSecret": "Q4nary-secret", "OnUnauthenticatedRequest": "authenticate"}},
        {"Type": "forward", "TargetGroupArn": "GROUP", "Order": 2},
    ])
}

fn cases() -> Vec<Case> {
    let header = json!([{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "Upgrade", "Values": ["websocket"]}}]);
    let elsewhere = json!([{"Field": "host-header", "Values": ["*.other.example"]}]);
    vec![
        Case {
            name: "http2",
            lab: "answer = { status = 464, headers = [\"Server: awselb/2.0\"], body = \"\", scope = \"upgrades\" }",
            hold: "0",
            made: application(json!({"version": "HTTP2"})),
            cause: "lb-http2",
            found: Some([
                "config-http2",
                "error",
                "TargetGroups[0].ProtocolVersion: HTTP2",
                "The probe saw it",
            ]),
        },
        Case {
            // By the answer alone it would be a bad gateway.
            name: "grpc",
            lab: "answer = { status = 502, headers = [\"Server: awselb/2.0\"], body = \"\", scope = \"upgrades\" }",
            hold: "0",
            made: application(
                json!({"version": "GRPC", "rules": [rule(7, header, json!([{"Type": "forward", "TargetGroupArn": "GROUP"}]))]}),
            ),
            cause: "lb-http2",
            found: Some([
                "config-http2",
                "error",
                "TargetGroups[0].ProtocolVersion: GRPC",
                "The probe saw it",
            ]),
        },
        Case {
            name: "idle",
            lab: "cut = { idle-ms = 3000 }",
            hold: "5s",
            made: application(json!({"idle": 3})),
            cause: "idle-timeout",
            found: Some([
                "config-timeout",
                "error",
                "Value: 3",
                "The probe saw it: the silent connection was cut after",
            ]),
        },
        Case {
            name: "another",
            lab: "cut = { idle-ms = 2000 }",
            hold: "4s",
            made: application(json!({"idle": 60})),
            cause: "idle-timeout",
            found: Some([
                "config-timeout",
                "warning",
                "Value: 60",
                "another load balancer takes the request",
            ]),
        },
        Case {
            name: "network",
            lab: WELL,
            hold: "1s",
            made: json!({"kind": "network", "protocol": "TCP", "idle": 350}),
            cause: "none",
            found: Some(["config-timeout", "warning", "Value: 350", "`--hold 6m` would show it"]),
        },
        Case {
            name: "classic",
            lab: "upgrade = \"strip\"",
            hold: "0",
            made: json!({"kind": "classic", "protocol": "HTTPS", "idle": 3600}),
            cause: "lb-strips-upgrade",
            found: Some([
                "config-upgrade-headers",
                "error",
                "LoadBalancerDescriptions[0].ListenerDescriptions[0].Listener.Protocol: HTTPS",
                "carries WebSocket by TCP or SSL alone",
            ]),
        },
        Case {
            name: "fixed",
            lab: "404",
            hold: "0",
            made: application(json!({"rules": [rule(10, sockets(), fixed(404))]})),
            cause: "wrong-path",
            found: Some([
                "config-path-rule",
                "error",
                "Rules[0].Actions[0].Type: fixed-response",
                "answered 404",
            ]),
        },
        Case {
            // What takes the pages takes neither the host nor the path of the sockets.
            name: "priorities",
            lab: "404",
            hold: "0",
            made: application(json!({
                "default": fixed(404),
                "rules": [rule(20, json!([{"Field": "path-pattern", "Values": ["/app/*"]}]), json!([{"Type": "forward", "TargetGroupArn": "GROUP"}])),
                          rule(10, elsewhere, json!([{"Type": "forward", "TargetGroupArn": "GROUP"}]))],
            })),
            cause: "wrong-path",
            found: Some([
                "config-path-rule",
                "error",
                "Rules[2].Actions[0].Type: fixed-response",
                "answered 404",
            ]),
        },
        Case {
            name: "redirect",
            lab: "302 Location: https://other.example/v1/ws",
            hold: "0",
            made: application(json!({"rules": [rule(10, sockets(), redirect("other.example"))]})),
            cause: "redirected",
            found: Some([
                "config-path-rule",
                "error",
                "Rules[0].Actions[0].Type: redirect",
                "which a WebSocket does not follow",
            ]),
        },
        Case {
            name: "loop",
            lab: "302 Location: https://{host}/v1/ws",
            hold: "0",
            made: application(json!({"rules": [rule(10, sockets(), redirect("#{host}"))]})),
            cause: "redirected",
            found: Some([
                "config-path-rule",
                "error",
                "Rules[0].Actions[0].Type: redirect",
                "the very URL",
            ]),
        },
        Case {
            name: "oidc",
            lab: "302 Location: https://idp.example/a?client_id=Q4nary-client",
            hold: "0",
            made: application(json!({"rules": [rule(10, sockets(), oidc())]})),
            cause: "redirected",
            found: Some([
                "config-path-rule",
                "error",
                "Rules[0].Actions[0].Type: authenticate-oidc",
                "signed on",
            ]),
        },
        Case {
            name: "nobody",
            lab: "503",
            hold: "0",
            made: application(json!({"target": false})),
            cause: "no-healthy-backend",
            found: Some([
                "config-targets",
                "error",
                "TargetHealthDescriptions: []",
                "no target registered",
            ]),
        },
        Case {
            // The listeners are on 80 and 8443: nothing is said of what they do.
            name: "ports",
            lab: "404",
            hold: "0",
            made: application(json!({"other_port": true, "version": "HTTP2", "more_ports": [80]})),
            cause: "wrong-path",
            found: Some([
                "config-cannot-tell",
                "info",
                "Listeners[0].Port",
                "no listener is on port",
            ]),
        },
        Case {
            // What was given would break it, and it works.
            name: "works",
            lab: WELL,
            hold: "1s",
            made: application(json!({"version": "HTTP2"})),
            cause: "none",
            found: Some([
                "config-http2",
                "info",
                "TargetGroups[0].ProtocolVersion: HTTP2",
                "another load balancer takes the request",
            ]),
        },
    ]
}

impl Case {
    /// The lab's load balancer: AWS' own answers, unless it says more.
    fn lab(&self) -> LabConfig {
        let own = match self.lab.split_once(" Location: ") {
            _ if self.lab.is_empty() || self.lab.contains(" = ") => self.lab.to_owned(),
            Some((status, to)) => ANSWERS
                .replace("STATUS", status)
                .replace("awselb/2.0\"", &format!("awselb/2.0\", \"Location: {to}\"")),
            None => ANSWERS.replace("STATUS", self.lab),
        };
        toml::from_str(&format!("[lb]\ntls = {{}}\nproduct = \"plain\"\n{own}\n")).unwrap()
    }

    /// The row's commands for a load balancer of this kind.
    fn commands(&self, arns: &Value) -> Vec<String> {
        let row = DIALECTS.iter().find(|row| row.id == "aws").unwrap();
        let kind = self.made["kind"].as_str().unwrap();
        let own = |command: &&&str| match kind {
            "classic" => command.starts_with("aws elb "),
            "network" => command.starts_with("aws elbv2 ") && !command.contains("target-health"),
            _ => command.starts_with("aws elbv2 ") && !command.contains("listener-attributes"),
        };
        let named = |command: &&str| {
            let mut command = command.replace(
                "--load-balancer-name NAME",
                &format!("--load-balancer-name {}", self.name),
            );
            for (option, arn) in arns.as_object().unwrap() {
                command = command.replace(
                    &format!("{option} ARN"),
                    &format!("{option} {}", arn.as_str().unwrap()),
                );
            }
            assert!(!command.contains("ARN ") && !command.contains("NAME "), "{command}");
            command
        };
        row.commands.iter().filter(own).map(named).collect()
    }
}

/// A command of AWS' for a shell: the real one, which asks the moto server.
fn aws(command: &mut Command, endpoint: &str, folder: &Path) {
    let tool = folder.join("aws");
    if !tool.exists() {
        std::fs::write(&tool, "#!/bin/sh\nexec python3 -m awscli \"$@\"\n").unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&tool, executable).unwrap();
    }
    let path = std::env::var("PATH").unwrap();
    command
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("PYTHONPATH", installed("awscli"))
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "x")
        .env("AWS_SECRET_ACCESS_KEY", "x")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env_remove("AWS_CA_BUNDLE");
}

/// Makes what the cases want; gives their ARNs by name.
fn make(cases: &[Case], ports: &[u16], server: &Server, folder: &Path) -> Value {
    let wanted: Vec<Value> = cases
        .iter()
        .zip(ports)
        .map(|(case, port)| {
            let mut made = case.made.clone();
            let elsewhere = made.get("other_port").is_some();
            made["name"] = case.name.into();
            made["port"] = if elsewhere { 8443 } else { *port }.into();
            made
        })
        .collect();
    let mut command = Command::new("python3");
    aws(&mut command, &server.endpoint(), folder);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configuration/aws.py");
    command.arg(script).env("PYTHONPATH", installed("moto"));
    serde_json::from_slice(&fed(&mut command, &json!(wanted).to_string())).unwrap()
}

/// The files that commands leave.
fn files(commands: &[String]) -> Vec<String> {
    let file = |command: &String| {
        command.split("> ").nth(1).unwrap().split(' ').next().unwrap().to_owned()
    };
    commands.iter().map(file).collect()
}

/// Runs the commands of each, in its folder; those of the first as they are pasted into a
/// shell.
fn describe(all: &[(PathBuf, Vec<String>)], endpoint: &str, tools: &Path) {
    let [(folder, commands), others @ ..] = all else { panic!("no case") };
    let mut shell = Command::new("sh");
    aws(&mut shell, endpoint, tools);
    let output =
        shell.args(["-e", "-c", &commands.join("\n")]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{commands:?}: {}", String::from_utf8_lossy(&output.stderr));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configuration/aws_describe.py");
    let mut command = Command::new("python3");
    aws(&mut command, endpoint, tools);
    fed(command.arg(script), &json!(others).to_string());
}

/// What a program prints that is given a text.
fn fed(command: &mut Command, text: &str) -> Vec<u8> {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn collect(folder: &Path, lab: &Lab, hold: &str, files: &[String], more: &[&str]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name("wss-collector");
    assert!(program.is_file(), "{} is missing: cargo build --workspace", program.display());
    let mut collector = Command::new(program);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        collector.env_remove(name).env_remove(name.to_uppercase());
    }
    collector.args(["--json", "--no-input", "--timeout", "2s", "--hold", hold]);
    collector
        .args(["--resolve", &lab.resolve(), "-o", "b.zip", "--force", "--cacert"])
        .arg(lab.trust_file());
    for file in files {
        collector.args(["--config", file]);
    }
    collector.args(more).arg(lab.target()).current_dir(folder).output().unwrap()
}

/// What the program said, held against what has to be.
fn judge(case: &Case, folder: &Path, output: &Output) {
    let name = case.name;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let json: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{name}: {error}: {said}"));
    let diagnosis = &json["diagnosis"];
    assert_eq!(diagnosis["verdict"]["cause"], case.cause, "{name}: {}", diagnosis["verdict"]);
    let findings = diagnosis["findings"].as_array().unwrap();
    let Some([rule, severity, line, says]) = case.found else { return };
    let found = findings.iter().find(|one| one["rule"] == rule);
    let found = found.unwrap_or_else(|| panic!("{name}: no {rule} in {diagnosis:#}"));
    assert_eq!(found["severity"], severity, "{name}: {found:#}");
    let excerpt = found["evidence"][0]["excerpt"].as_str().unwrap();
    let text = found["text"].as_str().unwrap();
    assert!(excerpt.contains(line) || text.contains(line), "{name}: {found:#}");
    assert!(text.contains(says), "{name}: {found:#}");
    if severity == "error" {
        // The line is where the value stands, in the file as it was printed.
        let (file, rest) = excerpt.split_once(" line ").unwrap();
        let number: usize = rest.split([':', ',']).next().unwrap().parse().unwrap();
        let printed = std::fs::read_to_string(folder.join(file)).unwrap();
        let key = line.rsplit_once(": ").unwrap().0.rsplit(['.', ']']).next().unwrap();
        let own = printed.lines().nth(number - 1).unwrap();
        assert!(own.contains(&format!("\"{key}\"")), "{name}: line {number} is {own}, for {key}");
        let device = match case.made["kind"].as_str().unwrap() {
            "classic" => "AWS Classic ELB",
            _ => "AWS Application Load Balancer",
        };
        let devices = diagnosis["devices"].as_array().unwrap();
        assert!(devices.iter().any(|one| one["product"] == device), "{name}: {devices:?}");
        let second = &diagnosis["checklist"][1];
        assert_eq!(second["status"], "complete", "{name}: {second}");
        let remedy = &found["remedy"]["steps"][0];
        assert!(remedy.as_str().unwrap().contains(line), "{name}: {remedy}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_real_command_line_describes_and_the_right_line_is_found() {
    let server = Server::moto();
    let work = tempfile::tempdir().unwrap();
    let cases = cases();
    let mut labs = Vec::new();
    for case in &cases {
        labs.push(Lab::start(&case.lab()).await.unwrap());
    }
    let ports: Vec<u16> = labs.iter().map(|lab| lab.addr().port()).collect();
    let made = make(&cases, &ports, &server, work.path());
    let commands = |case: &Case| {
        let folder = work.path().join(case.name);
        std::fs::create_dir_all(&folder).unwrap();
        (folder, case.commands(&made["made"][case.name]))
    };
    let described: Vec<(PathBuf, Vec<String>)> = cases.iter().map(commands).collect();
    let queue = std::sync::Mutex::new(cases.iter().zip(&labs).zip(&described));
    tokio::task::block_in_place(|| {
        describe(&described, &server.endpoint(), work.path());
        // Each waits for holds and for who does not answer.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        let next = queue.lock().unwrap().next();
                        let Some(((case, lab), (folder, commands))) = next else { break };
                        judge(
                            case,
                            folder,
                            &collect(folder, lab, case.hold, &files(commands), &[]),
                        );
                    }
                });
            }
        });
        obfuscated(&work.path().join("oidc"), &labs[0]);
        other_outputs(&server, &made["key"], &work.path().join("http2"), work.path(), &labs[0]);
    });
}

/// With `--obfuscate` no number, identifier or name of the account's stays, and what
/// refers to each other still does.
fn obfuscated(folder: &Path, lab: &Lab) {
    let listed = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut files: Vec<String> = listed.map(|name| name.to_string_lossy().into_owned()).collect();
    files.retain(|name| name.ends_with(".json"));
    let output = collect(folder, lab, "0", &files, &["--obfuscate"]);
    let opened = read::file(&folder.join("b.zip"), &Limits::default());
    let opened = opened
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let (id, vpc) = (
        regex::Regex::new(r"\b[0-9a-f]{15,17}\b").unwrap(),
        regex::Regex::new(r"\b(?:vpc|subnet)-").unwrap(),
    );
    let name = regex::Regex::new(r"([\w-]+)\.us-east-1\.elb\.amazonaws\.com").unwrap();
    let mut texts = Vec::new();
    for attachment in &opened.bundle.attachments {
        let text = String::from_utf8(attachment.bytes.clone()).unwrap();
        for secret in ["123456789012", "Q4nary", "idp.example", "/oidc/"] {
            assert!(!text.contains(secret), "{secret} in {}\n{text}", attachment.name);
        }
        assert!(!id.is_match(&text) && !vpc.is_match(&text), "{}\n{text}", attachment.name);
        // Of a DNS name what everybody's has stays.
        let own = |found: regex::Captures<'_>| found[1].starts_with("host-");
        assert!(name.captures_iter(&text).all(own), "{}\n{text}", attachment.name);
        texts.push((attachment.path.clone().unwrap_or_default(), text));
    }
    let arn = regex::Regex::new(r#""LoadBalancerArn": "([^"]+)""#).unwrap();
    let of = |name: &str| -> BTreeSet<String> {
        let (_, text) = texts.iter().find(|(path, _)| path.ends_with(name)).unwrap();
        arn.captures_iter(text).map(|found| found[1].to_owned()).collect()
    };
    let (all, own) = (of("load-balancers.json"), of("listeners.json"));
    assert!(own.len() == 1 && own.is_subset(&all) && all.len() > 10, "{own:?} {all:?}");
}

/// What the tool prints otherwise is named, with the command that helps; the run goes on.
fn other_outputs(server: &Server, key: &Value, folder: &Path, tools: &Path, lab: &Lab) {
    server.post("/moto-api/reset-auth", "0");
    let run = |line: &str| {
        let mut shell = Command::new("sh");
        aws(&mut shell, &server.endpoint(), tools);
        shell.env("AWS_ACCESS_KEY_ID", key[0].as_str().unwrap());
        shell.env("AWS_SECRET_ACCESS_KEY", key[1].as_str().unwrap());
        shell.args(["-c", line]).current_dir(folder).output().unwrap()
    };
    run("aws elbv2 describe-listeners --output json > denied.txt 2>&1");
    let denied = std::fs::read_to_string(folder.join("denied.txt")).unwrap();
    assert!(denied.contains("(AccessDenied)"), "{denied}");
    server.post("/moto-api/reset-auth", "1000000000");
    run("aws elbv2 describe-target-groups --output table > table.txt");
    run("aws elbv2 describe-target-groups --output text > text.txt");
    let whole = std::fs::read_to_string(folder.join("listeners.json")).unwrap();
    std::fs::write(folder.join("broken.json"), &whole[..whole.len() * 2 / 3]).unwrap();
    let wide =
        std::fs::read_to_string(folder.join("target-groups.json")).unwrap().replace('\n', "\r\n");
    let wide =
        [&[0xff, 0xfe][..], &wide.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()]
            .concat();
    std::fs::write(folder.join("powershell.json"), wide).unwrap();
    let files = ["denied.txt", "table.txt", "text.txt", "broken.json", "powershell.json"]
        .map(str::to_owned);
    let output = collect(folder, lab, "0", &files, &[]);
    let opened = read::file(&folder.join("b.zip"), &Limits::default()).unwrap();
    let said: Vec<String> =
        opened.bundle.manifest.not_used.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 4, "{said:?}");
    for (said, words) in said.iter().zip([
        "AccessDenied to DescribeListeners",
        "--output json",
        "--output json",
        "broken off",
    ]) {
        assert!(said.contains(words) && said.contains("config-commands"), "{said}");
    }
    for attachment in &opened.bundle.attachments {
        let text = String::from_utf8_lossy(&attachment.bytes);
        assert!(!text.contains("123456789012"), "{}: {text}", attachment.name);
    }
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["diagnosis"]["verdict"]["cause"], "lb-http2", "{json:#}");
}
