//! Name servers that keep to no protocol.

use super::run::{Case, program, run};
use std::process::Command;

/// A namespace with nothing in it but a name server of this behaviour.
const NAME_SERVER: &str = include_str!("dns.py");

#[test]
fn hostile_name_servers() {
    let work = tempfile::tempdir().unwrap();
    let script = work.path().join("dns.py");
    std::fs::write(&script, NAME_SERVER).unwrap();
    let resolv = work.path().join("resolv.conf");
    std::fs::write(&resolv, "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n").unwrap();
    let switch = work.path().join("nsswitch.conf");
    std::fs::write(&switch, "hosts: dns\n").unwrap();
    let hosts = work.path().join("hosts");
    std::fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
    let mount = r#"set -e
        for pair in "$1:/etc/hosts" "$2:/etc/resolv.conf" "$3:/etc/nsswitch.conf"; do
            mount --bind "${pair%%:*}" "$(readlink -f "${pair#*:}")"
        done
        behaviour=$4; script=$5; shift 5
        exec python3 -I -S "$script" "$behaviour" "$@""#;
    let mut cases = Vec::new();
    for (behaviour, sensible) in NAMES {
        let unshare =
            ["unshare", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child"];
        let mut wrap: Vec<String> = unshare.map(String::from).to_vec();
        wrap.extend(["sh", "-c", mount, "sh"].map(String::from));
        for file in [&hosts, &resolv, &switch] {
            wrap.push(file.display().to_string());
        }
        wrap.extend([behaviour.to_string(), script.display().to_string()]);
        let args = ["http://console.example:4444", "-x", ""].map(String::from).to_vec();
        let connections = printed(&args);
        let mut case = Case::new((*behaviour).into(), args, sensible, Vec::new());
        (case.wrap, case.connections) = (wrap, connections);
        cases.push(case);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(run(cases));
}

/// Connections that `--dry-run` prints: those of each contact, and what it says
/// of names with several addresses.
fn printed(args: &[String]) -> usize {
    let ran = Command::new(program("wss-collector")).args(args).arg("--dry-run").output().unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    let number = |words: &str, after: &str| -> Option<usize> {
        let rest = &words[words.find(after)? + after.len()..];
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    let contacts: usize = text
        .lines()
        .filter(|line| line.contains(" connections, at most"))
        .filter_map(|line| number(line, "("))
        .sum();
    let of_several = text.lines().find(|line| line.contains("several addresses")).unwrap();
    let each = number(of_several, "up to ").unwrap() + number(of_several, "the first ").unwrap();
    assert!(contacts > 3 && each > 20, "{text}");
    contacts + each
}

/// What a name server does, and what is said then. Behind a name that resolves
/// nobody listens, where it is not said otherwise.
const NAMES: &[(&str, &str)] = &[
    ("one-address", "broken unreachable"),
    ("nxdomain", "broken dns-failure"),
    ("thousand-addresses", "broken unreachable"),
    ("thousand-addresses-one-listens", "working none"),
    ("pointer-loop", "broken dns-failure"),
    ("alias-loop", "broken dns-failure"),
    ("endless-aliases", "broken dns-failure"),
    ("garbage", "broken dns-failure"),
    ("other-id", "broken dns-failure"),
    ("truncated-without-end", "broken dns-failure"),
    // Among them is an address.
    ("huge-texts", "broken unreachable"),
    ("silence", "broken dns-failure"),
];
