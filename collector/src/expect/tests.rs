//! The grammar, and answers to what the idle part of a diagnosis says.

use super::{Expectation, Via, What, hold_for, parse, whole};
use std::time::Duration;
use wss_diagnosis::{Cause, Status};

fn what(text: &str) -> What {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).what
}

#[test]
fn what_can_be_expected() {
    let s = Duration::from_secs;
    for (text, expected) in [
        ("works", What::Works),
        ("status=broken", What::Status(Status::Broken)),
        ("cause=proxy-auth-required", What::Cause(Cause::ProxyAuthRequired)),
        ("idle>=3600s", What::IdleAtLeast(s(3600))),
        ("idle >= 1h", What::IdleAtLeast(s(3600))),
        ("idle<65s", What::IdleBelow(s(65))),
        ("via=direct", What::Via(Via::Direct)),
        ("via=proxy", What::Via(Via::Proxy)),
        ("via=Proxy.corp:3128/", What::Via(Via::Url("http://proxy.corp:3128".into()))),
        ("via=socks5h://p:1080", What::Via(Via::Url("socks5h://p:1080".into()))),
        ("HTTP1", What::Http1),
        ("tls=trusted", What::TlsTrusted),
        ("certificate>=14d", What::Certificate(s(14 * 86_400))),
        ("opens<500ms", What::OpensWithin(Duration::from_millis(500))),
    ] {
        assert_eq!(what(text), expected, "{text}");
    }
}

#[test]
fn what_cannot_is_answered_with_what_can() {
    for (text, says) in [
        ("", "expected one of: works"),
        ("work", "expected one of: works"),
        ("idle=60s", "idle>=3600s"),
        ("idle>=soon", "such as 500ms"),
        ("idle>=25h", "between 1s and 24h"),
        ("idle>=0", "between 1s and 24h"),
        ("cause=proxy", "proxy-auth-required, proxy-refuses-tunnel"),
        ("status=fine", "working, unstable, broken, unknown"),
        ("via=", "via=direct"),
        ("via=http://me:hunter2@p:1", "leave them out"),
        ("tls=1.3", "tls=trusted"),
        ("certificate>=-1d", "such as"),
        ("opens<1y", "such as"),
        ("opens<\u{221e}", "such as"),
        ("\u{1b}[2J=x", "expected one of"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
        assert!(!error.contains("hunter2"));
    }
}

#[test]
fn it_works_is_expected_unless_the_verdict_is_named() {
    let given = |texts: &[&str]| -> Vec<String> {
        let all: Vec<Expectation> = texts.iter().map(|text| parse(text).unwrap()).collect();
        whole(all).into_iter().map(|one| one.text).collect()
    };
    assert_eq!(given(&[]), ["works"]);
    assert_eq!(given(&["via=proxy"]), ["works", "via=proxy"]);
    assert_eq!(given(&["idle>=60s"]), ["works", "idle>=60s"]);
    for alone in ["works", "cause=none", "status=unstable", "idle<65s"] {
        assert_eq!(given(&[alone]), [alone]);
    }
    let all = [parse("works").unwrap(), parse("idle>=60s").unwrap(), parse("idle<90s").unwrap()];
    assert_eq!(hold_for(&all), Duration::from_secs(90));
    assert_eq!(hold_for(&all[..1]), Duration::ZERO);
}
