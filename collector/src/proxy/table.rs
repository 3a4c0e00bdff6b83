//! The table of choices: environment × system × PAC × URL, and what curl,
//! Chrome and Firefox make of each. For every row that sets variables, curl
//! itself is asked.
//!
//! `P`, `Q` and `S` stand for three proxies' addresses.

use super::source::{Source, chrome_policy, firefox_policy, gnome, kde, macos, windows};
use super::tests::{To, ask_curl};
use super::*;
use To::{Direct, P, Q, S};
use pac::engine;
use pac::{Answer, understand};
use source::windows::{Value, Values};
use std::time::Duration;

/// What the machine is set to, besides variables.
#[derive(Debug, Clone, Copy)]
enum System {
    Nothing,
    /// The desktop is GNOME; `gsettings`' lines without the schema's name.
    Gnome(&'static [&'static str]),
    /// The desktop is KDE; lines of `kioslaverc`.
    Kde(&'static [&'static str]),
    /// `scutil`'s lines.
    Mac(&'static [&'static str]),
    /// `ProxyServer`, `ProxyOverride`.
    Windows(&'static str, &'static str),
    /// `AutoConfigURL`, which is where the row's script is.
    WindowsPac,
    /// Chrome's policies.
    Chrome(&'static str),
    /// Firefox's policy `Proxy`.
    Firefox(&'static str),
}
use System::{Chrome, Firefox, Gnome, Kde, Mac, Nothing, Windows, WindowsPac};

const MANUAL: &str = " mode 'manual'";
const HTTP: [&str; 2] = [".http host '@PH'", ".http port @PP"];
const URL: &str = "http://pac.example/x.pac";

/// URL, variables, the system, a PAC script; curl, Chrome, Firefox, and which
/// route is taken for the machine's.
struct Row {
    url: &'static str,
    env: &'static [(&'static str, &'static str)],
    system: System,
    pac: &'static str,
    curl: To,
    chrome: To,
    firefox: To,
    selected: To,
}

const fn row(
    url: &'static str,
    env: &'static [(&'static str, &'static str)],
    system: System,
    pac: &'static str,
    [curl, chrome, firefox, selected]: [To; 4],
) -> Row {
    Row { url, env, system, pac, curl, chrome, firefox, selected }
}

const B: &str = "https://b.example";
const PLAIN: &str = "http://b.example";
const ADDRESS: &str = "https://10.1.2.3";
const SCRIPT: &str = "function FindProxyForURL(url, host) { return 'PROXY P'; }";
const AUTO: System = Gnome(&[" mode 'auto'", " autoconfig-url 'http://pac.example/x.pac'"]);
const GNOME_P: System = Gnome(&[MANUAL, HTTP[0], HTTP[1], ".https host '@PH'", ".https port @PP"]);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Variables alone.
    row(B, &[], Nothing, "", [Direct; 4]),
    row(B, &[("https_proxy", "http://P")], Nothing, "", [P; 4]),
    row(B, &[("HTTPS_PROXY", "http://P")], Nothing, "", [P; 4]),
    row(B, &[("https_proxy", "http://Q"), ("all_proxy", "http://P")], Nothing, "", [Q, P, Q, Q]),
    row(B, &[("all_proxy", "http://P")], Nothing, "", [P; 4]),
    row(B, &[("http_proxy", "http://P")], Nothing, "", [Direct, P, Direct, Direct]),
    row(PLAIN, &[("http_proxy", "http://P")], Nothing, "", [P; 4]),
    row(PLAIN, &[("HTTP_PROXY", "http://P")], Nothing, "", [Direct, P, P, Direct]),
    row(PLAIN, &[("https_proxy", "http://P")], Nothing, "", [Direct, P, Direct, Direct]),
    row(B, &[("https_proxy", "http://P"), ("http_proxy", "http://Q")], Nothing, "", [P; 4]),
    row(B, &[("https_proxy", "P")], Nothing, "", [P, P, Direct, P]),
    row(B, &[("https_proxy", "socks5h://P")], Nothing, "", [P, P, Direct, P]),
    row(B, &[("https_proxy", "http://P"), ("no_proxy", "example")], Nothing, "", [Direct; 4]),
    row(B, &[("https_proxy", "http://P"), ("no_proxy", "ample")], Nothing, "", [P, Direct, Direct, P]),
    row(B, &[("https_proxy", "http://P"), ("no_proxy", "*.example")], Nothing, "", [P, Direct, P, P]),
    row(B, &[("https_proxy", "http://P"), ("no_proxy", "c.example")], Nothing, "", [P; 4]),
    row(B, &[("https_proxy", "http://P"), ("no_proxy", "*")], Nothing, "", [Direct; 4]),
    row(B, &[("https_proxy", "http://P"), ("no_proxy", "a.example b.example")], Nothing, "", [Direct, P, P, Direct]),
    row(B, &[("https_proxy", "http://P"), ("no_proxy", "x;b.example")], Nothing, "", [P, Direct, P, P]),
    row(ADDRESS, &[("https_proxy", "http://P"), ("no_proxy", "10.0.0.0/8")], Nothing, "", [Direct, Direct, P, Direct]),
    row(ADDRESS, &[("https_proxy", "http://P"), ("no_proxy", "10.1.2.3")], Nothing, "", [Direct; 4]),
    row("https://127.0.0.1", &[("https_proxy", "http://P")], Nothing, "", [P, Direct, P, P]),
    row("https://localhost", &[("https_proxy", "http://P")], Nothing, "", [P, Direct, P, P]),
    row(B, &[("SOCKS_SERVER", "P")], Nothing, "", [Direct, P, Direct, Direct]),
    row(B, &[("no_proxy", "b.example")], Nothing, "", [Direct; 4]),
    // GNOME.
    row(B, &[], GNOME_P, "", [Direct, P, P, P]),
    row(B, &[("https_proxy", "http://Q")], GNOME_P, "", [Q, P, P, Q]),
    row(B, &[("https_proxy", "http://Q")], Gnome(&[" mode 'none'"]), "", [Q, Direct, Q, Q]),
    row(B, &[("http_proxy", "http://Q")], GNOME_P, "", [Direct, P, P, P]),
    row(B, &[("no_proxy", "b.example")], GNOME_P, "", [Direct, P, P, P]),
    row(B, &[], Gnome(&[MANUAL, HTTP[0], HTTP[1]]), "", [Direct, P, P, P]),
    row(B, &[], Gnome(&[MANUAL, ".https host '@QH'", ".https port @QP", ".socks host '@SH'", ".socks port @SP"]), "", [Direct, S, S, S]),
    row(B, &[], Gnome(&[MANUAL, ".https host '@PH'", ".https port @PP", " ignore-hosts ['b.example']"]), "", [Direct; 4]),
    row(B, &[], Gnome(&[MANUAL, ".https host '@PH'", ".https port @PP", " ignore-hosts ['*.example']"]), "", [Direct; 4]),
    row(B, &[], Gnome(&[MANUAL, ".https host '@PH'", ".https port @PP", " ignore-hosts ['example']"]), "", [Direct, P, P, P]),
    row(ADDRESS, &[], Gnome(&[MANUAL, ".https host '@PH'", ".https port @PP", " ignore-hosts ['10.0.0.0/8']"]), "", [Direct; 4]),
    row(B, &[], Gnome(&[MANUAL]), "", [Direct; 4]),
    // PAC.
    row(B, &[], AUTO, SCRIPT, [Direct, P, P, P]),
    row(B, &[("https_proxy", "http://Q")], AUTO, SCRIPT, [Q, P, P, Q]),
    row(B, &[("https_proxy", "http://Q"), ("no_proxy", "b.example")], AUTO, SCRIPT, [Direct, P, P, Direct]),
    row(B, &[], AUTO, "function FindProxyForURL(u, h) { return h == 'b.example' ? 'DIRECT' : 'PROXY P'; }", [Direct; 4]),
    row(B, &[], AUTO, "function FindProxyForURL(u, h) { return u.substring(0, 6) == 'https:' ? 'PROXY P' : 'DIRECT'; }", [Direct; 4]),
    row(B, &[], AUTO, "function FindProxyForURL(u, h) { return shExpMatch(u, 'wss:*') ? 'PROXY Q; PROXY P' : 'PROXY P'; }", [Direct, Q, Q, Q]),
    row(B, &[], AUTO, "function FindProxyForURL(u, h) { return isInNet(h, '10.0.0.0', '255.0.0.0') ? 'DIRECT' : 'PROXY P'; }", [Direct; 4]),
    row(B, &[], AUTO, "function FindProxyForURL(u, h) { return 'SOCKS5 S'; }", [Direct, S, S, S]),
    row(B, &[], AUTO, "this is no script", [Direct; 4]),
    row("https://127.0.0.1", &[], AUTO, SCRIPT, [Direct, Direct, P, Direct]),
    row(PLAIN, &[], AUTO, SCRIPT, [Direct, P, P, P]),
    row(B, &[], WindowsPac, SCRIPT, [Direct, P, P, P]),
    // KDE: Firefox does not read it.
    row(B, &[], Kde(&["ProxyType=1", "httpsProxy=http://@PH @PP"]), "", [Direct, P, Direct, P]),
    row(B, &[("https_proxy", "http://Q")], Kde(&["ProxyType=1", "httpsProxy=http://@PH @PP"]), "", [Q, P, Q, Q]),
    row(B, &[], Kde(&["ProxyType=1", "httpsProxy=http://@PH @PP", "NoProxyFor=ample"]), "", [Direct; 4]),
    row(B, &[], Kde(&["ProxyType=1", "httpsProxy=http://@PH @PP", "NoProxyFor=example", "ReversedException=true"]), "", [Direct, P, Direct, P]),
    row(B, &[], Kde(&["ProxyType=2", "Proxy Config Script=http://pac.example/x.pac"]), SCRIPT, [Direct, P, Direct, P]),
    row(B, &[("MINE", "http://P"), ("https_proxy", "http://Q")], Kde(&["ProxyType=4", "httpsProxy=https_proxy"]), "", [Q; 4]),
    row(B, &[("https_proxy", "http://Q")], Kde(&["ProxyType=0"]), "", [Q, Direct, Q, Q]),
    // Windows and macOS, where browsers read no variable.
    row(B, &[], Windows("P", ""), "", [Direct, P, P, P]),
    row(B, &[("https_proxy", "http://Q")], Windows("P", ""), "", [Q, P, P, Q]),
    row(B, &[], Windows("http=Q;https=P", ""), "", [Direct, P, P, P]),
    row(B, &[], Windows("P", "*.example"), "", [Direct; 4]),
    row("https://intranet", &[], Windows("P", "<local>"), "", [Direct; 4]),
    row(B, &[], Windows("P", "<local>;10.*"), "", [Direct, P, P, P]),
    row(ADDRESS, &[], Windows("P", "<local>;10.*"), "", [Direct; 4]),
    row(B, &[], Mac(&["HTTPSEnable : 1", "HTTPSProxy : @PH", "HTTPSPort : @PP"]), "", [Direct, P, P, P]),
    row(B, &[], Mac(&["HTTPSEnable : 0", "HTTPSProxy : @PH", "HTTPSPort : @PP"]), "", [Direct; 4]),
    // Policies.
    row(B, &[], Chrome(r#"{"ProxyMode": "fixed_servers", "ProxyServer": "P"}"#), "", [Direct, P, Direct, P]),
    row(B, &[("https_proxy", "http://Q")], Chrome(r#"{"ProxyMode": "fixed_servers", "ProxyServer": "P"}"#), "", [Q, P, Q, Q]),
    row(B, &[("https_proxy", "http://Q")], Chrome(r#"{"ProxyMode": "direct"}"#), "", [Q, Direct, Q, Q]),
    row(B, &[("https_proxy", "http://Q")], Chrome(r#"{"ProxyMode": "system"}"#), "", [Q; 4]),
    row(B, &[], Chrome(r#"{"ProxyMode": "pac_script", "ProxyPacUrl": "http://pac.example/x.pac"}"#), SCRIPT, [Direct, P, Direct, P]),
    row(B, &[], Firefox(r#"{"Mode": "manual", "SSLProxy": "P"}"#), "", [Direct, Direct, P, P]),
    row(B, &[("https_proxy", "http://Q")], Firefox(r#"{"Mode": "none"}"#), "", [Q, Q, Direct, Q]),
    row(B, &[("https_proxy", "http://Q")], Firefox(r#"{"Mode": "manual", "HTTPProxy": "P"}"#), "", [Q, Q, Direct, Q]),
    row(B, &[], Firefox(r#"{"Mode": "autoConfig", "AutoConfigURL": "http://pac.example/x.pac"}"#), SCRIPT, [Direct, Direct, P, P]),
];

const PORTS: [u16; 3] = [3128, 3129, 3130];

/// Puts addresses in the place of `P`, `Q` and `S`.
fn place(text: &str) -> String {
    let mut out = text.to_owned();
    for (letter, port) in ["P", "Q", "S"].iter().zip(PORTS) {
        out = out
            .replace(&format!("@{letter}H"), "127.0.0.1")
            .replace(&format!("@{letter}P"), &port.to_string());
        for before in ["http://", "socks5h://", "PROXY ", "SOCKS5 ", "\"", "=", "https="] {
            let (from, to) = (format!("{before}{letter}"), format!("{before}127.0.0.1:{port}"));
            for after in ["\"", ";", "'", ""] {
                let from = format!("{from}{after}");
                let to = format!("{to}{after}");
                // Only where nothing of a word follows.
                out = match after {
                    "" if out.ends_with(&from) => format!("{}{to}", &out[..out.len() - from.len()]),
                    "" => out,
                    _ => out.replace(&from, &to),
                };
            }
        }
        if out == *letter {
            out = format!("127.0.0.1:{port}");
        }
    }
    out
}

fn sources(system: System, variables: &Variables) -> Vec<Source> {
    let lines = |list: &[&str]| list.iter().map(|line| place(line)).collect::<Vec<_>>().join("\n");
    let json = |text: &str| serde_json::from_str(&place(text)).unwrap();
    match system {
        Nothing => Vec::new(),
        Gnome(list) => {
            let line = |line: &&str| format!("org.gnome.system.proxy{}\n", place(line));
            gnome::parse(&list.iter().map(line).collect::<String>()).into_iter().collect()
        }
        Kde(list) => kde::parse(&format!("[Proxy Settings]\n{}", lines(list)), variables)
            .0
            .into_iter()
            .collect(),
        Mac(list) => {
            macos::parse(&format!("<dictionary> {{\n{}\n}}", lines(list))).into_iter().collect()
        }
        Windows(server, bypass) => {
            let values = Values::new([
                ("ProxyEnable", Value::Number(1)),
                ("ProxyServer", Value::Text(place(server))),
                ("ProxyOverride", Value::Text(bypass.into())),
            ]);
            vec![windows::internet_settings("windows-user", &values, &Values::default())]
        }
        WindowsPac => {
            let values = Values::new([("AutoConfigURL", Value::Text(URL.into()))]);
            vec![windows::internet_settings("windows-user", &values, &Values::default())]
        }
        Chrome(text) => {
            chrome_policy::parse("chrome-policy", "Chrome's policies", Kind::Chrome, &json(text))
                .into_iter()
                .collect()
        }
        Firefox(text) => firefox_policy::parse(&json(text)).into_iter().collect(),
    }
}

/// What the row's script says, by the engine that runs every script.
fn answers(row: &Row, target: &Target) -> Answers {
    if row.pac.is_empty() {
        return Answers::new();
    }
    let questions = goals(target)
        .iter()
        .map(|goal| (format!("{}://{}/", goal.scheme, goal.host), goal.host.to_owned()))
        .collect();
    let job = engine::Job {
        script: place(row.pac),
        questions,
        my_address: [10, 0, 0, 1].into(),
        now: pac::functions::Now { local: "2026-11-21T10:00:00+00:00".parse().unwrap() },
        limit: Duration::from_secs(10),
    };
    let answer = engine::run(&job, |_: &str| vec![[10, 0, 0, 7].into()]).map(|said| Answer {
        socket: understand(&said[0]),
        page: understand(&said[1]),
        bytes: job.script.len(),
        sha256: "0".repeat(64),
        notes: Vec::new(),
    });
    Answers::from([(File::Url(URL.into()), answer)])
}

fn which(route: &str) -> To {
    if route == "direct" {
        return Direct;
    }
    let port = route.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
    match PORTS.iter().position(|known| Some(*known) == port) {
        Some(at) => [P, Q, S][at],
        None => panic!("a route to nobody: {route}"),
    }
}

fn target(url: &str) -> Target {
    crate::target::target(url, &[]).unwrap().0
}

#[test]
fn every_row_of_environment_system_pac_and_url() {
    let mut wrong = Vec::new();
    for (number, row) in ROWS.iter().enumerate() {
        let target = target(row.url);
        let desktop = match row.system {
            Gnome(_) => "GNOME",
            Kde(_) => "KDE",
            _ => "",
        };
        let variables = Variables::new(
            row.env
                .iter()
                .map(|(name, value)| (*name, place(value)))
                .chain([("XDG_CURRENT_DESKTOP", desktop.to_owned())]),
        );
        let sources = Sources { list: sources(row.system, &variables), ..Sources::default() };
        let question = |answers| Question {
            target: &target,
            option: None,
            noproxy: None,
            variables: &variables,
            sources: &sources,
            answers,
        };
        // Before the PAC file is asked, nobody guesses; and it is named.
        let none = Answers::new();
        let before = find(&question(&none)).unwrap();
        assert!(row.pac.is_empty() || target.host == "127.0.0.1" || !before.files.is_empty());
        let answers = answers(row, &target);
        let found = find(&question(&answers)).unwrap();
        let client = |name: &str| {
            which(&found.choices.iter().find(|choice| choice.client == name).unwrap().route)
        };
        let selected: Vec<_> = found.routes.iter().filter(|r| r.route.selected).collect();
        assert_eq!(selected.len(), 1, "row {number}");
        let got =
            [client("curl"), client("chrome"), client("firefox"), which(&selected[0].route.id.0)];
        let wanted = [row.curl, row.chrome, row.firefox, row.selected];
        if got != wanted {
            wrong.push(format!(
                "row {number}: {} {:?} {:?} {}\n  got    {got:?}\n  wanted {wanted:?}\n  {:#?}",
                row.url, row.env, row.system, row.pac, found.choices
            ));
        }
    }
    assert!(ROWS.len() >= 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn curl_itself_does_so_in_every_row_with_variables() {
    let rows = ROWS.iter().filter(|row| !row.env.is_empty());
    let different: Vec<String> = rows
        .filter_map(|row| {
            let target = target(row.url);
            let scheme = row.url.split(':').next().unwrap();
            let curls = ask_curl(scheme, &target.host, row.env, &[]);
            (curls != row.curl).then(|| format!("curl goes {curls:?}: {} {:?}", row.url, row.env))
        })
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}
