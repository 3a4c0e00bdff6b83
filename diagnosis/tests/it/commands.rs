//! Commands that the verdict names do what the run did, and something more.

use crate::cases::{healthy, stripped};
use crate::fixture::*;
use wss_bundle::manifest::GivenOption;
use wss_bundle::{Bundle, FailureKind};
use wss_diagnosis::diagnose;

fn given(bundle: &mut Bundle) {
    let secret = |option: &str, value: Option<&str>| GivenOption {
        option: option.to_owned(),
        value: value.map(str::to_owned),
        secret: true,
    };
    bundle.manifest.options = vec![
        secret("-x", Some("http://proxy.corp.example:3128")),
        GivenOption::new("--cacert", "certs/corp ca.pem"),
        GivenOption::new("--resolve", "bindplane.corp.example:443:203.0.113.10"),
        secret("-H", Some("X-Key")),
        secret("-u", None),
    ];
}

fn commands(bundle: &Bundle) -> Vec<String> {
    let diagnosis = diagnose(std::slice::from_ref(bundle));
    let verify = diagnosis.findings.iter().filter_map(|f| Some(f.remedy.as_ref()?.verify.clone()));
    let how = diagnosis.checklist.iter().filter_map(|item| item.how.clone());
    diagnosis.verdict.missing.iter().map(ToString::to_string).chain(verify).chain(how).collect()
}

#[test]
fn a_command_names_what_the_run_was_given() {
    let good = Leaf::good();
    let mut bundle = stripped(Run::inside().direct(true), &good, STRIPPED_NGINX, "").done();
    given(&mut bundle);
    let all = commands(&bundle);
    assert!(all.len() > 2, "{all:?}");
    for command in &all {
        let request = ["--cacert 'certs/corp ca.pem'", "-H 'X-Key: VALUE'", "-u USER:PASSWORD"];
        for words in request {
            assert_eq!(command.matches(words).count(), 1, "{words}: {command}");
        }
        // A proxy and an address are those of this place.
        let here = !command.contains("--vantage outside") && command.starts_with("wss-collector");
        for words in ["-x http://USER:PASSWORD@proxy.corp.example:3128", "--resolve"] {
            assert_eq!(command.contains(words), here, "{words}: {command}");
        }
    }
}

#[test]
fn what_a_suggestion_says_anew_is_said_once() {
    let good = Leaf::good();
    // It suggests `-u USER:PASSWORD`.
    let asked = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    let route = Run::inside().direct(true).resolved("203.0.113.10");
    let route = route.upgrade(WS, &good, asked, "").plain(WS, &good, asked, "").pages(&good, "");
    let mut bundle = route.done();
    given(&mut bundle);
    for command in commands(&bundle) {
        assert!(command.matches("-u USER:PASSWORD").count() <= 1, "{command}");
    }
    // It suggests another way.
    let cut = Cut::At(30.0, wss_bundle::observation::EndedBy::Fin, Some(false));
    let proxy = Run::inside().direct(false).no_tcp(FailureKind::TimedOut).then().proxy(true);
    let mut bundle = healthy(proxy, &good).hold(&good, 75.0, cut, Cut::Never).done();
    given(&mut bundle);
    let all = commands(&bundle);
    let other: Vec<_> = all.iter().filter(|command| command.contains("--noproxy '*'")).collect();
    assert!(!other.is_empty(), "{all:?}");
    for command in other {
        assert!(!command.contains("-x ") && command.contains("--cacert"), "{command}");
    }
}
