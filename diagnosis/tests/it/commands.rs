//! Commands that the verdict names do what the run did, and something more.

use crate::cases::{healthy, stripped};
use crate::fixture::*;
use wss_bundle::manifest::GivenOption;
use wss_bundle::{Bundle, FailureKind};
use wss_diagnosis::{NextStep, diagnose};

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
    // What prints commands for another program asks nobody.
    let missing = diagnosis.verdict.missing.iter().filter(|n| n.step != NextStep::Configuration);
    missing.map(ToString::to_string).chain(verify).chain(how).collect()
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
        // A proxy is this place's; a public address is everybody's.
        let ours = command.starts_with("wss-collector");
        let here = !command.contains("--vantage outside") && ours;
        let proxy = "-x http://USER:PASSWORD@proxy.corp.example:3128";
        assert_eq!(command.contains(proxy), here, "{command}");
        assert_eq!(command.contains("--resolve"), ours, "{command}");
    }
}

#[test]
fn an_inside_address_is_not_pinned_for_a_run_from_outside() {
    let good = Leaf::good();
    for (address, inside) in [
        ("10.1.2.3", true),
        ("127.0.0.1", true),
        ("[fd00::1]", true),
        ("[redacted]", true),
        ("203.0.113.10", false),
        ("[2001:db8::1]", false),
    ] {
        let mut bundle = stripped(Run::inside().direct(true), &good, STRIPPED_NGINX, "").done();
        let pin = format!("bindplane.corp.example:443:{address}");
        bundle.manifest.options = vec![GivenOption::new("--resolve", &pin)];
        let diagnosis = diagnose(std::slice::from_ref(&bundle));
        let test = &diagnosis.checklist[0];
        let how = test.how.as_deref().unwrap();
        assert!(how.contains("--vantage outside"), "{how}");
        assert_eq!(how.contains("--resolve"), !inside, "{address}: {how}");
        let said = test.missing[0].contains("without --resolve");
        assert_eq!(said, inside, "{address}: {:?}", test.missing);
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
