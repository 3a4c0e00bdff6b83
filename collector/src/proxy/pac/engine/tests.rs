//! Scripts that mean well, and scripts that do not.

use super::*;

fn job(script: &str) -> Job {
    Job {
        script: script.to_owned(),
        questions: vec![("wss://b.example/".into(), "b.example".into())],
        my_address: [10, 1, 2, 3].into(),
        now: Now { local: "2026-11-21T10:00:00+01:00".parse().unwrap() },
        limit: Duration::from_millis(500),
    }
}

fn answer(script: &str) -> Result<String, String> {
    run(&job(script), |name: &str| match name {
        "b.example" => vec!["2001:db8::1".parse().unwrap(), [10, 0, 0, 7].into()],
        "six.example" => vec!["2001:db8::1".parse().unwrap()],
        _ => Vec::new(),
    })
    .map(|answers| answers[0].clone())
}

fn body(body: &str) -> Result<String, String> {
    answer(&format!("function FindProxyForURL(url, host) {{ {body} }}"))
}

#[test]
fn every_function_answers() {
    for (expression, value) in [
        ("url", "wss://b.example/"),
        ("host", "b.example"),
        ("isPlainHostName('www')", "true"),
        ("dnsDomainIs(host, '.example')", "true"),
        ("localHostOrDomainIs('b', host)", "true"),
        ("dnsDomainLevels(host)", "1"),
        ("isResolvable(host)", "true"),
        ("isResolvable('no.example')", "false"),
        ("isInNet(host, '10.0.0.0', '255.0.0.0')", "true"),
        ("isInNet(myIpAddress(), '10.1.0.0', '255.255.0.0')", "true"),
        ("dnsResolve(host)", "10.0.0.7"),
        ("dnsResolve('no.example') === null", "true"),
        ("dnsResolve('six.example') === null", "true"),
        ("dnsResolve('192.168.1.1')", "192.168.1.1"),
        ("shExpMatch(host, '*.example')", "true"),
        ("shExpMatch(host, '*.corp')", "false"),
        ("weekdayRange('SAT')", "true"),
        ("timeRange(8, 18)", "true"),
        ("dateRange('NOV')", "true"),
        ("convert_addr('10.0.0.1')", "167772161"),
        ("alert('x') === undefined", "true"),
        (
            "typeof require + typeof fetch + typeof std + typeof os",
            "undefinedundefinedundefinedundefined",
        ),
    ] {
        assert_eq!(
            body(&format!("return '' + ({expression});")).as_deref(),
            Ok(value),
            "{expression}"
        );
    }
}

#[test]
fn scripts_as_people_write_them() {
    // An undeclared variable, an octal number, a byte order mark, a global table.
    let text = "\u{feff}var hosts = ['b.example'];\nfunction FindProxyForURL(url, host) {\n\
                ip = dnsResolve(host);\nfor (i = 0; i < hosts.length; i++)\n\
                if (hosts[i] == host && 010 == 8) return 'PROXY p:8080; DIRECT';\nreturn 'DIRECT'; }";
    assert_eq!(answer(text).as_deref(), Ok("PROXY p:8080; DIRECT"));
    assert_eq!(body("return null;").as_deref(), Ok(""));
    assert_eq!(body("").as_deref(), Ok(""));
    assert_eq!(answer("FindProxyForURL = (u, h) => 'DIRECT'").as_deref(), Ok("DIRECT"));
}

#[test]
fn what_is_wrong_is_said() {
    for (script, says) in [
        ("", "no function"),
        ("var FindProxyForURL = 1;", "no function"),
        ("function FindProxyForURL(url, host) {", "does not load"),
        ("function FindProxyForURL(url, host) { return nothing(); }", "nothing"),
        ("function FindProxyForURL() { throw 'so be it'; }", "so be it"),
        ("<html>404</html>", "does not load"),
        ("\0\0\0", "does not load"),
    ] {
        let error = answer(script).unwrap_err();
        assert!(error.contains(says), "{script}: {error}");
    }
}

#[test]
fn endless_scripts_are_stopped() {
    let started = Instant::now();
    for script in [
        "for (;;) {}",
        "return /^(([a-z])+.)+[A-Z]([a-z])+$/.test('a'.repeat(100)) + '';",
        "for (;;) { try { for (;;) {} } catch (e) {} }",
        "return '' + Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1);",
    ] {
        let error = body(script).unwrap_err();
        assert!(error.contains("stopped after"), "{script}: {error}");
    }
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn memory_and_stack_are_bounded() {
    for script in [
        "var a = []; for (;;) a.push('x'.repeat(1000) + a.length);",
        "var s = 'x'; for (;;) s += s;",
        "return new Uint8Array(2 ** 30) + '';",
        "var p = {}; for (;;) p = { p: p };",
        "return (function g() { return g() + 1; })();",
        "var s = ''; for (var i = 0; i < 1e6; i++) s = '(' + s; return eval(s);",
    ] {
        assert!(body(script).is_err(), "{script}");
    }
}

#[test]
fn ten_thousand_names_are_not_looked_up() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    // It swallows the exception, and goes on asking.
    let script = "function FindProxyForURL(url, host) { for (var i = 0; i < 10000; i++) \
                  { try { dnsResolve('n' + i + '.example'); } catch (e) {} } return 'DIRECT'; }";
    let error = run(&job(script), |_: &str| {
        ASKED.fetch_add(1, Ordering::Relaxed);
        Vec::new()
    })
    .unwrap_err();
    assert!(error.contains("more than 20 names"), "{error}");
    assert_eq!(ASKED.load(Ordering::Relaxed), LOOKUPS);
    // The same name again and again is one look-up.
    let script = "for (var i = 0; i < 1000; i++) dnsResolve(host); return 'DIRECT';";
    assert_eq!(body(script).as_deref(), Ok("DIRECT"));
}

#[test]
fn jobs_survive_the_way_to_the_other_process() {
    let sent = job("function FindProxyForURL() { return \"a\\n\\u2028\"; }");
    let received = job_of(&line_of(&sent)).unwrap();
    assert_eq!(received.script, sent.script);
    assert_eq!(received.questions, sent.questions);
    assert_eq!(received.now.local, sent.now.local);
    assert!(job_of("nonsense").is_err() && job_of("{}").is_err());
}
