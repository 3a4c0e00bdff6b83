//! The same settings given to curl: whom does it connect to?

use super::*;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;
use wss_bundle::target::DEFAULT_PATHS;

/// Who should get the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    Direct,
    /// The first proxy (`P` in a row).
    P,
    /// The second (`Q`).
    Q,
    /// The third (`S`).
    S,
}
use To::{Direct, P, Q, S};

/// Scheme, host, variables, options; `P` and `Q` stand for proxies' addresses.
type Row = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
    To,
);

const ROWS: &[Row] = &[
    ("https", "b.example", &[], &[], Direct),
    ("https", "b.example", &[("https_proxy", "http://P")], &[], P),
    ("https", "b.example", &[("https_proxy", "P")], &[], P),
    ("https", "b.example", &[("https_proxy", "http://user:pass@P")], &[], P),
    ("https", "b.example", &[("https_proxy", "http://P/")], &[], P),
    ("https", "b.example", &[("HTTPS_PROXY", "http://P")], &[], P),
    ("https", "b.example", &[("HTTPS_PROXY", "http://Q"), ("https_proxy", "http://P")], &[], P),
    ("https", "b.example", &[("http_proxy", "http://P")], &[], Direct),
    ("https", "b.example", &[("https_proxy", ""), ("all_proxy", "http://P")], &[], P),
    ("https", "b.example", &[("all_proxy", "http://P")], &[], P),
    ("https", "b.example", &[("ALL_PROXY", "http://P")], &[], P),
    ("https", "b.example", &[("ALL_PROXY", "http://Q"), ("all_proxy", "http://P")], &[], P),
    ("https", "b.example", &[("all_proxy", "http://Q"), ("https_proxy", "http://P")], &[], P),
    ("http", "b.example", &[("http_proxy", "http://P")], &[], P),
    ("http", "b.example", &[("HTTP_PROXY", "http://P")], &[], Direct),
    ("http", "b.example", &[("HTTP_PROXY", "http://Q"), ("http_proxy", "http://P")], &[], P),
    ("http", "b.example", &[("https_proxy", "http://P")], &[], Direct),
    ("http", "b.example", &[("all_proxy", "http://P")], &[], P),
    ("https", "b.example", &[("https_proxy", "http://Q")], &["-x", "http://P"], P),
    ("https", "b.example", &[("https_proxy", "http://P")], &["-x", ""], Direct),
    ("https", "b.example", &[("https_proxy", "socks5h://P")], &[], P),
    // no_proxy
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "*")], &[], Direct),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "x,*")], &[], P),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "b.example")], &[], Direct),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "B.EXAMPLE")], &[], Direct),
    ("https", "b.example", &[("https_proxy", "http://P"), ("NO_PROXY", "b.example")], &[], Direct),
    (
        "https",
        "b.example",
        &[("https_proxy", "http://P"), ("no_proxy", "x"), ("NO_PROXY", "b.example")],
        &[],
        P,
    ),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "example")], &[], Direct),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", ".example")], &[], Direct),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", ".b.example")], &[], Direct),
    (
        "https",
        "a.b.example",
        &[("https_proxy", "http://P"), ("no_proxy", "b.example")],
        &[],
        Direct,
    ),
    ("https", "ab.example", &[("https_proxy", "http://P"), ("no_proxy", "b.example")], &[], P),
    (
        "https",
        "b.example",
        &[("https_proxy", "http://P"), ("no_proxy", "a.example, b.example")],
        &[],
        Direct,
    ),
    (
        "https",
        "b.example",
        &[("https_proxy", "http://P"), ("no_proxy", "a.example b.example")],
        &[],
        Direct,
    ),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "b.example.")], &[], Direct),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "b.example:443")], &[], P),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "127.0.0.0/8")], &[], P),
    (
        "https",
        "127.0.0.1",
        &[("https_proxy", "http://P"), ("no_proxy", "127.0.0.0/8")],
        &[],
        Direct,
    ),
    ("https", "127.0.0.1", &[("https_proxy", "http://P"), ("no_proxy", "127.0.0.1")], &[], Direct),
    (
        "https",
        "127.0.0.1",
        &[("https_proxy", "http://P"), ("no_proxy", "127.0.0.1/32")],
        &[],
        Direct,
    ),
    ("https", "127.0.0.1", &[("https_proxy", "http://P"), ("no_proxy", "10.0.0.0/8")], &[], P),
    (
        "https",
        "127.0.0.1",
        &[("https_proxy", "http://P"), ("no_proxy", "127.9.9.9/8")],
        &[],
        Direct,
    ),
    ("https", "127.0.0.1", &[("https_proxy", "http://P"), ("no_proxy", "127/8")], &[], P),
    ("https", "127.0.0.1", &[("https_proxy", "http://P"), ("no_proxy", "0.0.0.0/0")], &[], P),
    (
        "https",
        "127.0.0.1",
        &[("https_proxy", "http://P"), ("no_proxy", "127.0.0.1/0")],
        &[],
        Direct,
    ),
    ("https", "127.0.0.1", &[("https_proxy", "http://P"), ("no_proxy", "127.0.0.1/33")], &[], P),
    ("https", "127.0.0.1", &[("https_proxy", "http://P"), ("no_proxy", "127.0.0.1/-1")], &[], P),
    (
        "https",
        "127.0.0.1",
        &[("https_proxy", "http://P"), ("no_proxy", "127.0.0.1/x")],
        &[],
        Direct,
    ),
    ("https", "127.0.0.1", &[("https_proxy", "http://P"), ("no_proxy", "127.0.0.1:443")], &[], P),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "*.example")], &[], P),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "* ")], &[], P),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", ",b.example")], &[], Direct),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "a;b.example")], &[], P),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "b.example..")], &[], P),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", "..example")], &[], P),
    ("https", "b.example", &[("https_proxy", "http://P"), ("no_proxy", ".")], &[], P),
    ("https", "127.0.0.1", &[("https_proxy", "http://P"), ("no_proxy", "0.0.1")], &[], P),
    (
        "https",
        "b.example",
        &[("https_proxy", "http://P"), ("no_proxy", "b.example")],
        &["--noproxy", "x"],
        P,
    ),
    ("https", "b.example", &[("https_proxy", "http://P")], &["--noproxy", "b.example"], Direct),
    (
        "https",
        "b.example",
        &[("https_proxy", "http://P"), ("no_proxy", "b.example")],
        &["--noproxy", ""],
        P,
    ),
    ("https", "b.example", &[("no_proxy", "b.example")], &["-x", "http://P"], Direct),
    ("https", "b.example", &[], &["-x", "http://P", "--noproxy", "*"], Direct),
];

fn option<'a>(options: &'a [String], name: &str) -> Option<&'a str> {
    options.iter().position(|o| o == name).map(|at| options[at + 1].as_str())
}

fn ours(row: &Row, p: u16, q: u16, port: u16) -> To {
    let place = |text: &str| {
        text.replace('P', &format!("127.0.0.1:{p}")).replace('Q', &format!("127.0.0.1:{q}"))
    };
    let (scheme, host, variables, options, _) = row;
    let target = Target {
        scheme: if *scheme == "http" { Scheme::Http } else { Scheme::Https },
        host: (*host).into(),
        port,
        paths: DEFAULT_PATHS.map(str::to_owned).to_vec(),
    };
    let variables =
        Variables::new(variables.iter().map(|(name, value)| (*name, value_of(value, &place))));
    let options: Vec<String> = options.iter().map(|o| value_of(o, &place)).collect();
    let found = find_by_variables(
        &target,
        option(&options, "-x"),
        option(&options, "--noproxy"),
        &variables,
    )
    .unwrap();
    let selected: Vec<_> = found.routes.iter().filter(|r| r.route.selected).collect();
    assert_eq!(selected.len(), 1, "{row:?}");
    match &selected[0].route.proxy {
        None => Direct,
        Some(proxy) if proxy.port == p => P,
        Some(proxy) if proxy.port == q => Q,
        Some(other) => panic!("{other:?}"),
    }
}

/// `P` and `Q` are placeholders only where a proxy stands, not in `-x` or names.
fn value_of(text: &str, place: &dyn Fn(&str) -> String) -> String {
    let is_proxy = text.ends_with(['P', 'Q']) || text.ends_with("P/");
    if is_proxy { place(text) } else { text.to_owned() }
}

fn curls(row: &Row) -> To {
    ask_curl(row.0, row.1, row.2, row.3)
}

/// Whom curl connects to.
pub(super) fn ask_curl(
    scheme: &str,
    host: &str,
    variables: &[(&str, &str)],
    options: &[&str],
) -> To {
    let listeners: Vec<TcpListener> =
        (0..4).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<u16> = listeners.iter().map(|l| l.local_addr().unwrap().port()).collect();
    let (sender, receiver) = mpsc::channel();
    for (listener, who) in listeners.into_iter().zip([Direct, P, Q, S]) {
        let sender = sender.clone();
        // Ends with its first connection, or with the test's process.
        std::thread::spawn(move || {
            if let Ok((mut stream, _)) = listener.accept() {
                let _ = sender.send(who);
                let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
                let _ = stream.read(&mut [0; 512]);
            }
        });
    }
    let place = |text: &str| {
        text.replace('P', &format!("127.0.0.1:{}", ports[1]))
            .replace('Q', &format!("127.0.0.1:{}", ports[2]))
            .replace('S', &format!("127.0.0.1:{}", ports[3]))
    };
    let mut curl = Command::new("curl");
    curl.env_clear().args(["-s", "-o", "/dev/null", "--max-time", "5", "--resolve"]);
    curl.arg(format!("{host}:{}:127.0.0.1", ports[0]));
    for (name, value) in variables {
        curl.env(name, value_of(value, &place));
    }
    for o in options {
        curl.arg(value_of(o, &place));
    }
    curl.arg(format!("{scheme}://{host}:{}/", ports[0]));
    let mut child = curl.spawn().expect("curl is needed for this test: apt-get install curl");
    let who = receiver.recv_timeout(Duration::from_secs(10)).expect("curl connected to nobody");
    child.wait().unwrap();
    for port in ports {
        // Lets the listeners that nobody came to end.
        let _ = TcpStream::connect(("127.0.0.1", port));
    }
    who
}

#[test]
fn every_row_is_read_as_written_down() {
    for row in ROWS {
        assert_eq!(ours(row, 3128, 3129, 443), row.4, "{row:?}");
    }
}

#[test]
fn curl_reads_every_row_in_the_same_way() {
    let different: Vec<String> = ROWS
        .iter()
        .filter_map(|row| {
            let curls = curls(row);
            (curls != row.4).then(|| format!("curl goes {curls:?}: {row:?}"))
        })
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

fn https(host: &str) -> Target {
    Target { scheme: Scheme::Https, host: host.into(), port: 443, paths: vec!["/".into()] }
}

#[test]
fn every_proxy_is_a_route_and_no_credential_is_shown() {
    let variables = Variables::new([
        ("https_proxy", "http://us%40er:S3cret@Proxy.Corp.example:3128"),
        ("all_proxy", "socks5h://other.example"),
        ("no_proxy", "localhost"),
    ]);
    let found = find_by_variables(&https("b.example"), None, None, &variables).unwrap();
    let ids: Vec<&str> = found.routes.iter().map(|r| r.route.id.0.as_str()).collect();
    assert_eq!(
        ids,
        [
            "direct",
            "proxy http://proxy.corp.example:3128",
            "proxy socks5h://other.example:1080",
            // So Chrome reads the same variable.
            "proxy http://other.example:80"
        ]
    );
    let auth = found.routes[1].auth.as_ref().unwrap();
    assert_eq!((auth.user.expose(), auth.password.expose()), ("us@er", "S3cret"));
    let shown = format!("{:?} {:?} {:?}", found.settings, found.choices, found.notes);
    assert!(!shown.contains("S3cret"), "{shown}");
    assert_eq!(found.routes[1].route.sources, ["environment https_proxy"]);
}

#[test]
fn one_proxy_of_two_sources_is_one_route() {
    let variables = Variables::new([
        ("https_proxy", "p.example:3128"),
        ("all_proxy", "http://p.example:3128/"),
    ]);
    let found =
        find_by_variables(&https("b.example"), Some("http://P.example:3128"), None, &variables)
            .unwrap();
    assert_eq!(found.routes.len(), 2);
    assert_eq!(
        found.routes[1].route.sources,
        ["option --proxy", "environment https_proxy", "environment all_proxy"]
    );
}

#[test]
fn a_setting_that_cannot_be_used_is_noted_and_an_option_refused() {
    let variables = Variables::new([("https_proxy", "gopher://user:S3cret@p.example:70")]);
    let found = find_by_variables(&https("b.example"), None, None, &variables).unwrap();
    // Chrome leaves the scheme out, and takes it for an HTTP proxy.
    let ids: Vec<&str> = found.routes.iter().map(|r| r.route.id.0.as_str()).collect();
    assert_eq!(ids, ["direct", "proxy http://p.example:70"]);
    assert!(
        found.notes[0].contains("gopher") && !found.notes[0].contains("S3cret"),
        "{:?}",
        found.notes
    );
    // The route is direct, and nobody is told that no proxy was set.
    assert_eq!(found.choices[0].because, "environment https_proxy cannot be used");
    assert_eq!(found.credentials[0].password.expose(), "S3cret");
    for bad in ["gopher://p", "http://", "http://u:S3cret@:1", "http://p:0", "socks6://p"] {
        let error = find_by_variables(&https("b.example"), Some(bad), None, &Variables::default())
            .unwrap_err();
        assert!(error.starts_with("--proxy") && !error.contains("S3cret"), "{error}");
    }
}

#[test]
fn credentials_of_settings_for_other_targets_are_secrets_too() {
    let variables = Variables::new([
        ("http_proxy", "http://us%65r:p%40ss@p.example"),
        ("HTTPS_PROXY", "second:pa:ss@p.example"),
        ("no_proxy", "not@a-credential"),
    ]);
    let found =
        find_by_variables(&https("b.example"), Some("http://third@p.example"), None, &variables)
            .unwrap();
    let mut all: Vec<(&str, &str)> =
        found.credentials.iter().map(|c| (c.user.expose(), c.password.expose())).collect();
    all.sort_unstable();
    assert_eq!(all, [("second", "pa:ss"), ("third", ""), ("user", "p@ss")]);
}

#[test]
fn networks_of_ipv6() {
    assert!(exempt("2001:db8::7", "2001:db8::/32"));
    assert!(exempt("2001:db8::7", "[2001:db8::7]"));
    assert!(!exempt("2001:db9::7", "2001:db8::/32"));
    assert!(!exempt("b.example", "2001:db8::/32"));
}

#[test]
fn ways_of_browsers_are_known_where_settings_or_a_desktop_speak() {
    let gnome = source::gnome::parse(
        "org.gnome.system.proxy mode 'manual'\n\
         org.gnome.system.proxy.https host 'gnome.example'\n\
         org.gnome.system.proxy.https port 8080\n",
    );
    let with = |list: Vec<source::Source>, desktop: Option<(&'static str, &str)>| {
        let pairs = [("https_proxy", "http://shell.example:3128")].into_iter().chain(desktop);
        let (variables, answers) = (Variables::new(pairs), Answers::new());
        let sources = Sources { list, ..Sources::default() };
        let target = https("b.example");
        let (option, noproxy) = (None, None);
        let question = Question {
            target: &target,
            option,
            noproxy,
            variables: &variables,
            sources: &sources,
            answers: &answers,
        };
        let found = find(&question).unwrap();
        let certain: Vec<bool> = found.choices.iter().map(|choice| choice.certain).collect();
        let browsers: Vec<String> = found
            .routes
            .iter()
            .filter(|route| route.browsers)
            .map(|route| route.route.id.0.clone())
            .collect();
        (certain, browsers)
    };
    assert_eq!(with(Vec::new(), None), (vec![false; 3], vec![]));
    let shell = "proxy http://shell.example:3128".to_owned();
    let xfce = Some(("XDG_CURRENT_DESKTOP", "XFCE"));
    assert_eq!(with(Vec::new(), xfce), (vec![false, true, true], vec![shell]));
    let named = "proxy http://gnome.example:8080".to_owned();
    let gnome: Vec<_> = gnome.into_iter().collect();
    assert_eq!(with(gnome, None), (vec![false, true, true], vec![named]));
}
