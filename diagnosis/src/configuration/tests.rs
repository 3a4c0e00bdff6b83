//! Tables of configurations, each with what it says about one request.

use super::*;
use proptest::prelude::*;
use samples::nginx::GOOD;
use wss_bundle::AttachmentKind;

#[allow(dead_code, reason = "not everybody needs all of them")]
#[path = "samples.rs"]
mod samples;

fn attachment(path: &str, text: &str) -> Attachment {
    Attachment {
        name: path.rsplit('/').next().unwrap_or(path).to_owned(),
        kind: AttachmentKind::Configuration,
        vantage: None,
        path: Some(path.to_owned()),
        bytes: text.as_bytes().to_vec(),
    }
}

fn reading_of(files: &[(&str, &str)], path: &str, version: Option<(u32, u32, u32)>) -> Reading {
    let given: Vec<_> = files.iter().map(|(path, text)| attachment(path, text)).collect();
    let request = Request { host: "b.example", port: 443, tls: true, path, version: None };
    let checked = check(&given, &request, |_| version).unwrap();
    assert_eq!(checked.readings.len(), 1, "{checked:?}");
    checked.readings.into_iter().next().unwrap()
}

fn reading(text: &str) -> Reading {
    reading_of(&[("/etc/x.conf", text)], "/v1/ws", Some((1, 22, 1)))
}

/// Kinds with their lines, for a table.
fn shown(reading: &Reading) -> Vec<String> {
    let mut out: Vec<String> = reading
        .issues
        .iter()
        .filter(|i| i.kind != Kind::Host)
        .map(|i| {
            let kind = match i.kind {
                Kind::UpgradeHeaders => "headers".to_owned(),
                Kind::HttpVersion => "version".to_owned(),
                Kind::Timeout(s) => format!("timeout {s}"),
                Kind::SendTimeout(s) => format!("send {s}"),
                Kind::Lifetime(s) => format!("life {s}"),
                Kind::PathChanged => "moved".to_owned(),
                Kind::Http2 => "h2".to_owned(),
                Kind::PathRule(status) => format!("path {status:?}"),
                Kind::Host => "host".to_owned(),
                Kind::HidesGrant => "hides".to_owned(),
                Kind::Disk => "disk".to_owned(),
                Kind::OtherBackend => "other".to_owned(),
                Kind::RedirectLoop(status) => format!("loop {status}"),
                Kind::Limit(status) => format!("limit {status}"),
                Kind::ProxyHeaderAwaited => "awaits".to_owned(),
                Kind::ProxyHeaderSent => "sends".to_owned(),
                Kind::NotChecked => "unchecked".to_owned(),
                Kind::Reload(s) => format!("reload {s}"),
                Kind::Subrequest => "asks".to_owned(),
                Kind::NoEffect => "idle".to_owned(),
                Kind::Targets(status) => format!("targets {status:?}"),
            };
            let provided = match i.provided {
                None => "",
                Some(Provided::FileThere) => " if there",
                Some(Provided::FileMissing) => " if not there",
                Some(Provided::Condition) => " if seen",
            };
            format!("{kind} @{}{}{provided}", i.place.line, if i.sure { "" } else { "?" })
        })
        .collect();
    out.extend(
        reading
            .untold
            .iter()
            .map(|u| format!("untold @{}", u.place.as_ref().map_or(0, |p| p.line))),
    );
    out.sort();
    out
}

#[test]
fn nginx_versions_decide_what_the_default_is() {
    let text = format!(
        "server {{\nlocation / {{\nproxy_pass http://b;\n{}}} }}",
        GOOD.replace("proxy_http_version 1.1;", "")
    );
    let of = |version| shown(&reading_of(&[("/x.conf", &text)], "/v1/ws", version));
    assert_eq!(of(Some((1, 29, 6))), ["version @3"]);
    assert_eq!(of(None), ["version @3?"]);
    assert_eq!(of(Some((1, 29, 7))), Vec::<String>::new());
    assert_eq!(of(Some((1, 31, 0))), Vec::<String>::new());
}

#[test]
fn nginx_locations_as_nginx_finds_them() {
    // The status that the matching location answers names it.
    for (locations, path, expected) in [
        ("location / { return 1; } location /v1/ { return 2; }", "/v1/ws", 2),
        ("location / { return 1; } location = /v1/ws { return 2; }", "/v1/ws", 2),
        ("location /v1/ { return 1; } location ~ ws$ { return 2; }", "/v1/ws", 2),
        ("location ^~ /v1/ { return 1; } location ~ ws$ { return 2; }", "/v1/ws", 1),
        (
            "location ^~ / { return 1; } location /v1/ { return 3; } location ~ ws$ { return 2; }",
            "/v1/ws",
            2,
        ),
        ("location ~ ws$ { return 1; } location ~ ^/v1 { return 2; }", "/v1/ws", 1),
        ("location ~* WS$ { return 1; } location / { return 2; }", "/v1/ws", 1),
        ("location ~ WS$ { return 1; } location / { return 2; }", "/v1/ws", 2),
        (
            "location /v1/ { location ~ ws$ { return 3; } return 1; } location ~ ws$ { return 2; }",
            "/v1/ws",
            3,
        ),
        (
            "location /v1/ { location /v1/w { return 3; } return 1; } location ~ ws$ { return 2; }",
            "/v1/ws",
            2,
        ),
        (
            "location ^~ /v1/ { location /v1/w { return 3; } return 1; } location ~ ws$ { return 2; }",
            "/v1/ws",
            3,
        ),
        (
            "location /v1/ { location = /v1/ws { return 3; } return 1; } location ~ ws$ { return 2; }",
            "/v1/ws",
            3,
        ),
        ("location / { return 1; } location /v1/ws { return 2; }", "/v1/ws?token=1", 2),
        ("location / { return 1; } location /v1/ws { return 2; }", "/v1//./x/../ws", 2),
        (
            "location / { return 1; } location /v1/w%73 { return 2; } location /v1/ws { return 3; }",
            "/v1/%77s",
            3,
        ),
        ("location / { return 1; } location /v1/ws/ { proxy_pass http://b; }", "/v1/ws", 301),
        ("location /v1/ws { return 2; } location /v1/ws/ { proxy_pass http://b; }", "/v1/ws", 2),
        ("location / { return 1; } location /v1/ws/ { return 2; }", "/v1/ws", 1),
        ("location @x { return 1; } location / { try_files $uri @x; }", "/v1/ws", 1),
        ("location / { try_files $uri =404; }", "/v1/ws", 404),
        ("location /other { proxy_pass http://b; }", "/v1/ws", 404),
        ("return 444; location / { return 1; }", "/v1/ws", 444),
    ] {
        let text = format!("server {{ {locations} }}");
        let reading = reading_of(&[("/x.conf", &text)], path, None);
        let status = match reading.issues.as_slice() {
            [Issue { kind: Kind::PathRule(Some(status)), .. }] => *status,
            other => panic!("{text}: {other:?} {:?}", reading.untold),
        };
        assert_eq!(status, expected, "{text} for {path}");
    }
    for unclear in [
        "location ~ ^/v1/(?!x) { return 1; }",
        "rewrite ^/v1/(.*) /api/$cookie_a; location / { return 1; }",
        "if ($cookie_a) { rewrite ^ /x; } location / { return 1; }",
        "location / { try_files $uri /$cookie_a.html; }",
        "location / { content_by_lua_block { ngx.say('}') } }",
    ] {
        let reading = reading(&format!("server {{ {unclear} }}"));
        assert!(reading.issues.is_empty(), "{unclear}: {:?}", reading.issues);
        assert!(!reading.untold.is_empty(), "{unclear}");
    }
}

#[test]
fn nginx_servers_by_port_and_name() {
    for (servers, expected) in [
        ("server { return 1; } server { listen 443; return 2; }", 2),
        (
            "server { listen 443; server_name a; return 1; } server { listen 443; server_name b.example; return 2; }",
            2,
        ),
        ("server { listen 443; return 1; } server { listen 443 default_server; return 2; }", 2),
        (
            "server { listen 443; server_name *.example; return 1; } server { listen 443; server_name b.example; return 2; }",
            2,
        ),
        (
            "server { listen 443; server_name ~^b\\.; return 1; } server { listen 443 default_server; server_name x; return 2; }",
            1,
        ),
        (
            "server { listen [::]:443 ssl; server_name .b.example; return 1; } server { listen 443; server_name b.*; return 2; }",
            1,
        ),
        (
            "server { listen 8443 ssl; server_name b.example; return 1; } server { listen 8443 ssl; server_name c; return 2; }",
            1,
        ),
        (
            "server { listen 443; server_name b.example; return 1; } server { listen 443; server_name b.example; return 2; }",
            1,
        ),
    ] {
        let reading = reading_of(&[("/x.conf", servers)], "/v1/ws", None);
        assert!(
            matches!(reading.issues.as_slice(), [Issue { kind: Kind::PathRule(Some(s)), .. }] if *s == expected),
            "{servers}: {reading:?}"
        );
    }
    let unclear = reading("server { listen 81; return 1; } server { listen 82; return 2; }");
    assert!(unclear.issues.is_empty() && unclear.untold.len() == 1, "{unclear:?}");
    let elsewhere = reading("http { include conf.d/*.conf; server { listen 443; return 1; } }");
    assert!(elsewhere.issues.is_empty() && elsewhere.untold.len() == 1, "{elsewhere:?}");
}

#[test]
fn nginx_includes_join_the_files() {
    let main = "http {\n include /etc/nginx/mime.types;\n include conf.d/*.conf;\n}\n";
    let site =
        "server {\n location / {\n  include snippets/ws.conf;\n  proxy_pass http://b;\n }\n}\n";
    let snippet = format!("{GOOD}\n");
    let files = [
        ("/etc/nginx/nginx.conf", main),
        ("/etc/nginx/conf.d/site.conf", site),
        ("/etc/nginx/snippets/ws.conf", snippet.as_str()),
    ];
    assert_eq!(shown(&reading_of(&files, "/v1/ws", None)), Vec::<String>::new());
    let without = reading_of(&files[..2], "/v1/ws", Some((1, 22, 1)));
    assert!(without.issues.iter().all(|i| !i.sure || i.kind == Kind::Host), "{without:?}");
    assert!(!without.untold.is_empty());
    let bare = [
        files[0],
        ("/etc/nginx/conf.d/site.conf", "server {\n location / {\n proxy_pass http://b;\n }\n}\n"),
    ];
    let reading = reading_of(&bare, "/v1/ws", Some((1, 22, 1)));
    let headers = reading.issues.iter().find(|i| i.kind == Kind::UpgradeHeaders).unwrap();
    assert_eq!(headers.place.to_string(), "/etc/nginx/conf.d/site.conf line 3");
    // A file that includes itself ends.
    let ring = [
        ("/a.conf", "http { include a.conf; include b.conf; server { return 1; } }"),
        ("/b.conf", "include a.conf;"),
    ];
    reading_of(&ring, "/v1/ws", None);
}

#[test]
fn every_row_has_samples_that_it_reads_as_they_say() {
    let all = samples::all();
    let mut wrong = Vec::new();
    for dialect in DIALECTS {
        let own = all.iter().find(|(id, _)| *id == dialect.id);
        let (_, own) = own.unwrap_or_else(|| panic!("{} has no samples", dialect.id));
        assert!(own.len() >= 10, "{} has few samples", dialect.id);
        for (about, text, expected) in own {
            let program = super::program(text).map(|p| p.dialect().id);
            assert_eq!(program, Ok(dialect.id), "{about}\n{text}");
            let said = shown(&reading(text));
            if said != *expected {
                wrong.push(format!("{about}: {said:?} instead of {expected:?}\n{text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Whoever asks goes by the row: what is in it has to be there.
#[test]
fn every_row_is_whole() {
    for dialect in DIALECTS {
        assert!(!dialect.commands.is_empty() && !dialect.whole.is_empty(), "{}", dialect.id);
        let place = Place::new("x", 1);
        for kind in [Kind::UpgradeHeaders, Kind::Timeout(60.0), Kind::PathRule(None), Kind::Http2] {
            let issue = Issue::new(kind, place.clone(), String::new(), String::new());
            assert!(!fix(Program(dialect), &issue).step.is_empty(), "{}", dialect.id);
        }
    }
}

#[test]
fn haproxy_without_a_tunnel() {
    let no_tunnel = reading(
        "defaults\n mode http\n timeout client 50s\n timeout server 30000\nfrontend f\n bind :443\n default_backend b\nbackend b\n server s x:1\n",
    );
    assert_eq!(shown(&no_tunnel), ["timeout 30 @4"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let _ = super::program(&text);
        let request = Request { host: "b", port: 1, tls: true, path: &text, version: None };
        let given = [attachment("/a/x.conf", &text)];
        let _ = check(&given, &request, |_| None);
    }

    /// Words of both languages in any order: deep enough to reach the checks.
    #[test]
    fn shuffled_words_never_panic(words in proptest::collection::vec(0_usize..38, 0..120)) {
        const WORDS: [&str; 38] = [
            "http", "server", "location", "{", "}", ";", "\n", " ", "/v1/", "=", "~", "^~", "@x",
            "proxy_pass", "proxy_set_header", "Upgrade", "$http_upgrade", "map", "default", "include",
            "x.conf", "set", "$a", "${a", "if", "try_files", "frontend f\n", "bind :443\n",
            "use_backend", "acl a", "path_beg", "!", "||", "{ path", "timeout tunnel", "defaults\n",
            "\"", "\\",
        ];
        let text: String = words.iter().map(|w| format!("{} ", WORDS[*w])).collect();
        let request = Request { host: "b", port: 443, tls: true, path: "/v1/ws", version: None };
        for start in ["", "server {", "defaults\n", "http { server { location / {"] {
            let given = [attachment("/a/x.conf", &format!("{start}{text}")), attachment("/a/y.conf", &text)];
            let _ = check(&given, &request, |_| None);
        }
    }
}

/// What `show` and `list` printed both is one thing.
#[test]
fn what_was_printed_twice_is_read_once() {
    let twice = |show: &str, list: &str| {
        let alone = shown(&reading(show));
        let both = shown(&reading_of(&[("/a.json", show), ("/b.json", list)], "/v1/ws", None));
        assert_eq!(both, alone, "{list}");
    };
    let of = |id: &str| {
        let all = samples::all();
        let (_, own) = all.into_iter().find(|(own, _)| *own == id).unwrap();
        let json = own.into_iter().filter(|(_, text, _)| text.trim_start().starts_with(['{', '[']));
        json.map(|(_, text, _)| text).collect::<Vec<_>>()
    };
    for text in of("azure").iter().filter(|text| text.trim_start().starts_with('{')) {
        twice(text, &format!("[\n{text}\n]\n"));
    }
    for text in of("aws") {
        twice(&text, &text);
    }
    let gateway = of("azure").into_iter().find(|text| text.contains("requestTimeout")).unwrap();
    let newer = gateway.replace("\"requestTimeout\": ", "\"requestTimeout\": 1");
    let both = reading_of(&[("/a.json", &gateway), ("/b.json", &newer)], "/v1/ws", None);
    assert!(both.untold.iter().any(|u| u.why.contains("given twice")), "{both:?}");
}

/// The place of a value says the way to it, from JSON and YAML alike.
#[test]
fn places_in_structured_files_have_a_path() {
    let json = "{\n \"TargetGroups\": [\n  {\"TargetGroupName\": \"a\", \"ProtocolVersion\": \"HTTP2\"}\n ]\n}\n";
    let yaml = "TargetGroups:\n- TargetGroupName: a\n  ProtocolVersion: HTTP2\n";
    for text in [json, yaml] {
        let reading = reading(text);
        let [issue] = reading.issues.as_slice() else { panic!("{reading:?}") };
        assert_eq!(issue.place.to_string(), "/etc/x.conf line 3, TargetGroups[0].ProtocolVersion");
        assert_eq!(issue.place.short(), "/etc/x.conf line 3");
        assert_eq!(issue.line, "TargetGroups[0].ProtocolVersion: HTTP2");
    }
    let nginx = reading("server { location / { return 404; } }");
    assert_eq!(nginx.issues[0].place.to_string(), "/etc/x.conf line 1");
}

#[test]
fn what_aws_says_in_place_of_an_answer_is_named() {
    for (text, says) in [
        (
            "\nAn error occurred (AccessDenied) when calling the DescribeListeners operation: User: x is not authorized\n",
            "AccessDenied to DescribeListeners",
        ),
        ("-----\n|  DescribeTargetGroups  |\n+----+\n", "--output json"),
        (
            "\nAn error occurred (ListenerNotFound) when calling the DescribeRules operation: x\n",
            "ListenerNotFound to DescribeRules: the command names what is not there",
        ),
        ("TARGETGROUPS\tTrue\t30\t/\ttraffic-port\n", "--output json"),
        (
            "{\n  \"TargetGroups\": [\n    {\n      \"TargetGroupArn\": \"arn:aws:x\",\n",
            "broken off",
        ),
    ] {
        let error = super::program(text).map(|p| p.dialect().id).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
    let state = "{\n  \"version\": 4,\n  \"terraform_version\": \"1.9\",\n  \"lineage\": \"x\"\n}";
    assert!(refused(state).unwrap().contains("config-commands"));
    assert!(refused("{\"TargetGroups\": []}").is_none());
}

#[test]
fn what_kubectl_says_in_place_of_objects_is_named() {
    for (text, says) in [
        (
            "NAME      CLASS   HOSTS       ADDRESS     PORTS     AGE\nconsole   nginx   b.example   10.1.1.1   80, 443   3d\n",
            "-o yaml",
        ),
        ("Name:             console\nNamespace:        bindplane\nRules:\n", "-o yaml"),
        (
            "Error from server (Forbidden): ingresses.networking.k8s.io is forbidden: User \"x\" cannot list resource\n",
            "answered Forbidden",
        ),
        ("No resources found in default namespace.\n", "-A for all"),
        (
            "apiVersion: v1\nkind: Ingress\nmetadata:\n  name: {{ .Release.Name }}\n",
            "template of Helm",
        ),
        ("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: [\n", "broken off"),
    ] {
        let error = super::program(text).map(|p| p.dialect().id).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
}
