//! Every signature against every sample, and what files may hold.

use super::file::{Sample, SampleCertificate, Weight};
use super::sign::{TEXT_LIMIT, cut};
use super::*;
use crate::model::Side;

fn head(text: &str) -> ResponseHead {
    ResponseHead::new(format!("{}\r\n\r\n", text.trim().replace('\n', "\r\n")))
}

/// The files as they stand in the folder, with their samples.
fn files() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("signatures");
    let texts = std::fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, std::fs::read_to_string(entry.path()).unwrap())
    });
    let mut files: Vec<_> = texts.filter(|(name, _)| name.ends_with(".toml")).collect();
    files.sort();
    files
}

/// All of them, with their samples.
pub(super) fn whole() -> &'static Signatures {
    static WHOLE: OnceLock<Signatures> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let mut all = Signatures::of(Vec::new());
        for (name, text) in files() {
            let signature = Signature::parse(&text);
            signature
                .and_then(|one| all.add(one))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        all
    })
}

fn certificate(names: &SampleCertificate) -> Certificate {
    Certificate {
        subject: String::new(),
        subject_cn: names.subject_cn.clone(),
        issuer: String::new(),
        issuer_cn: names.issuer_cn.clone(),
        issuer_o: names.issuer_o.clone(),
        issuer_ou: names.issuer_ou.clone(),
        sans: names.sans.clone(),
        not_before: String::new(),
        not_after: String::new(),
        sha256: String::new(),
        spki_sha256: String::new(),
        self_issued: false,
        unparsed: None,
    }
}

fn judge<'a>(all: &'a Signatures, sample: &Sample) -> Vec<Match<'a>> {
    if let Some(names) = &sample.certificate {
        return all.match_certificate(&[certificate(names)]);
    }
    if let Some(name) = &sample.cname {
        return all.match_cname(name);
    }
    if let Some(name) = &sample.ptr {
        return all.match_ptr(name);
    }
    let head = head(sample.head.as_deref().expect("a sample has a head, a certificate or a name"));
    all.match_response(&Response { status: None, head: &head, body: &sample.body })
}

fn matches(head_text: &str, body: &str) -> Vec<(String, Confidence)> {
    let head = head(head_text);
    Signatures::built_in()
        .match_response(&Response { status: None, head: &head, body })
        .into_iter()
        .map(|m| (m.signature.id.clone(), m.confidence))
        .collect()
}

#[test]
fn every_file_parses_and_is_named_after_its_id() {
    let all = whole();
    for (name, _) in files() {
        let id = name.trim_end_matches(".toml");
        assert!(all.get(id).is_some(), "{name}: the id differs from the file name");
    }
    assert!(all.all.len() >= 69, "{} signatures", all.all.len());
    let bare = |all: &Signatures| {
        let mut all = all.all.clone();
        all.iter_mut().for_each(|one| one.samples.clear());
        format!("{all:#?}")
    };
    assert_eq!(bare(Signatures::built_in()), bare(all), "what is compiled in");
}

#[test]
fn every_signature_has_samples() {
    for signature in whole().iter() {
        let positive = signature.samples.iter().any(|sample| sample.matches);
        let negative = signature.samples.iter().any(|sample| !sample.matches);
        assert!(negative, "{}: no sample that it must not match", signature.id);
        assert!(positive || signature.signs.is_empty(), "{}: no positive sample", signature.id);
    }
}

/// A client's gateway is not before the server, nor a server's before the client:
/// whose fault it is follows the side.
#[test]
fn every_device_stands_on_a_side_that_fits_its_role() {
    for signature in Signatures::built_in().iter() {
        let wrong = match signature.role {
            DeviceRole::ForwardProxy | DeviceRole::TlsInterceptor => Side::Server,
            DeviceRole::Waf | DeviceRole::LoadBalancer | DeviceRole::Cdn | DeviceRole::Origin => {
                Side::Client
            }
        };
        assert_ne!(signature.side, wrong, "{}", signature.id);
    }
    let without = "id = \"x\"\nname = \"X\"\nrole = \"waf\"\n";
    let error = Signatures::with_extra(&[("a.toml", without)]).unwrap_err();
    assert!(error.starts_with("a.toml: ") && error.contains("`side`"), "{error}");
    let elsewhere = format!("{without}side = \"left\"\n");
    let error = Signatures::with_extra(&[("a.toml", &elsewhere)]).unwrap_err();
    assert!(error.contains("client, server or either"), "{error}");
}

/// What protects servers is no filter of the client's, whoever makes both.
#[test]
fn makers_of_both_are_told_apart() {
    let side = |head_text: &str, body: &str| -> Vec<(String, Side)> {
        let head = head(head_text);
        let found =
            Signatures::built_in().match_response(&Response { status: None, head: &head, body });
        let found = found.into_iter().filter(|m| m.confidence > Confidence::Low);
        found.map(|m| (m.signature.id.clone(), m.signature.side)).collect()
    };
    let forti = "<h1>Web Page Blocked!</h1><p>Attack ID: 20000010</p><p>Message ID: 0000123</p>";
    assert_eq!(side("HTTP/1.1 500 X", forti), [("fortiweb".to_owned(), Side::Server)]);
    let cookie = "HTTP/1.1 403 Forbidden\nSet-Cookie: barra_counter_session=1; path=/";
    assert_eq!(side(cookie, ""), [("barracuda-waf".to_owned(), Side::Server)]);
    let sophos = "Access to the requested URL was blocked. Inbound Anomaly Score exceeded. \
                  This incident was logged with the following log identifier: x";
    assert_eq!(side("HTTP/1.1 403 Forbidden", sophos), [("sophos-waf".to_owned(), Side::Server)]);
    // What a gateway adds to requests, echoed by a server.
    let echo = "HTTP/1.1 200 OK\nX-BlueCoat-Via: 1234";
    assert_eq!(side(echo, ""), []);
}

#[test]
fn every_sign_comes_from_somewhere_and_hearsay_is_weak() {
    for signature in Signatures::built_in().iter() {
        for sign in &signature.signs {
            assert!(!sign.source.is_empty(), "{}: no source", signature.id);
            let hearsay = sign.source == "gk";
            assert!(!hearsay || sign.weight == Weight::Weak, "{}: {sign:?}", signature.id);
        }
    }
}

#[test]
fn every_signature_against_every_sample() {
    let all = whole();
    let mut wrong = Vec::new();
    for owner in all.iter() {
        for sample in &owner.samples {
            let found = judge(all, sample);
            let own = found.iter().any(|m| m.signature.id == owner.id);
            if own != sample.matches {
                wrong.push(format!("{} / {}: matched: {own}", owner.id, sample.name));
            }
            for other in found.iter().filter(|m| {
                sample.matches
                    && m.signature.id != owner.id
                    && m.confidence == Confidence::High
                    && !sample.also.contains(&m.signature.id)
            }) {
                let (id, because) = (&other.signature.id, &other.because);
                wrong.push(format!("{} / {}: also {id}: {because}", owner.id, sample.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn weights_add_up_and_ceilings_hold() {
    let file = |extra: &str| {
        format!(
            "id = \"x\"\nname = \"X\"\nrole = \"waf\"\nside = \"server\"\n{extra}\n\
             [[match]]\nfield = \"header\"\nname = \"A\"\nregex = \"1\"\nsource = \"t\"\nweight = \"weak\"\n\
             [[match]]\nfield = \"header\"\nname = \"B\"\nregex = \"1\"\nsource = \"t\"\nweight = \"weak\"\n\
             [[match]]\nfield = \"header\"\nname = \"C\"\nregex = '(?P<version>\\d)'\nsource = \"t\"\nweight = \"strong\"\n"
        )
    };
    let judge = |extra: &str, text: &str| {
        let text = head(text);
        let own = file(extra);
        let all = Signatures::with_extra(&[("x.toml", &own)]).unwrap();
        let found = all.match_response(&Response { status: None, head: &text, body: "" });
        found.first().map(|m| (m.confidence, m.version.clone()))
    };
    assert_eq!(judge("", "HTTP/1.1 200 OK\nA: 1"), Some((Confidence::Low, None)));
    assert_eq!(judge("", "HTTP/1.1 200 OK\nA: 1\nB: 1"), Some((Confidence::Medium, None)));
    assert_eq!(judge("", "HTTP/1.1 200 OK\nc: 7"), Some((Confidence::High, Some("7".into()))));
    assert_eq!(judge("", "HTTP/1.1 200 OK"), None);
    let capped = judge("at_most = \"medium\"", "HTTP/1.1 200 OK\nA: 1\nC: 7");
    assert_eq!(capped.map(|c| c.0), Some(Confidence::Medium));
}

#[test]
fn errors_name_the_file_and_the_place() {
    let start = "id = \"x\"\nname = \"X\"\nrole = \"waf\"\nside = \"server\"\n";
    let bad = [
        ("id = ", "a.toml"),
        (&*format!("{start}colour = 1\n"), "colour"),
        ("id = \"x\"\nname = \"X\"\nrole = \"toaster\"\nside = \"server\"\n", "toaster"),
        (
            &format!(
                "{start}[[match]]\nfield = \"body\"\nregex = \"(\"\nsource = \"t\"\nweight = \"weak\"\n"
            ),
            "match 1 (Body)",
        ),
        (
            &format!(
                "{start}[[match]]\nfield = \"body\"\nregex = \"a\"\nstatus = [\"any\"]\nsource = \"t\"\nweight = \"weak\"\n"
            ),
            "status class",
        ),
        (
            &format!(
                "{start}[[match]]\nfield = \"header\"\nregex = \"a\"\nsource = \"t\"\nweight = \"weak\"\n"
            ),
            "`name` is missing",
        ),
        (
            &format!(
                "{start}[[match]]\nfield = \"cname\"\nregex = \"a\"\nname = \"b\"\nsource = \"t\"\nweight = \"weak\"\n"
            ),
            "no meaning",
        ),
        ("id = \"nginx\"\nname = \"X\"\nrole = \"waf\"\nside = \"server\"\n", "taken"),
    ];
    for (text, expected) in bad {
        let error = Signatures::with_extra(&[("a.toml", text)]).unwrap_err();
        assert!(error.starts_with("a.toml: ") && error.contains(expected), "{error}");
    }
}

#[test]
fn an_error_page_of_alb_is_not_nginx() {
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";
    let found = matches("HTTP/1.1 502 Bad Gateway\nServer: awselb/2.0", page);
    assert_eq!(found, [("aws-alb".to_owned(), Confidence::High)]);
    let found = matches("HTTP/1.1 502 Bad Gateway\nServer: nginx", page);
    assert_eq!(found[0], ("nginx".to_owned(), Confidence::High));
    assert!(found.contains(&("aws-alb".to_owned(), Confidence::Low)));
}

#[test]
fn subprotocol_and_cookies_do_not_change_the_shape() {
    let found = matches(
        "HTTP/1.1 101 Switching Protocols\nupgrade: websocket\nsec-websocket-protocol: opamp\n\
         connection: Upgrade\nsec-websocket-accept: x\nset-cookie: a=b",
        "",
    );
    assert_eq!(found, [("haproxy".to_owned(), Confidence::Medium)]);
}

#[test]
fn nothing_matches_nothing() {
    assert!(matches("HTTP/1.1 200 OK\nContent-Type: text/html", "<h1>hello</h1>").is_empty());
    assert!(matches("", "").is_empty());
    assert!(Signatures::built_in().match_certificate(&[]).is_empty());
    assert!(Signatures::built_in().match_cname("").is_empty());
}

#[test]
fn long_bodies_are_cut() {
    let hidden = format!("{}<hr><center>nginx</center>", "ä".repeat(TEXT_LIMIT));
    assert!(matches("HTTP/1.1 502 Bad Gateway", &hidden).is_empty());
    assert_eq!(cut(&format!("x{hidden}")).len(), TEXT_LIMIT - 1);
}

/// A page that comes again is not read again: it still says the same, also to other signatures.
#[test]
fn a_page_that_comes_again_says_the_same_to_everybody() {
    let ids = |all: &Signatures, body: &str| -> Vec<String> {
        let head = head("HTTP/1.1 502 Bad Gateway");
        let found = all.match_response(&Response { status: None, head: &head, body });
        found.iter().map(|m| m.signature.id.clone()).collect()
    };
    let page = |n: usize| {
        let filler = "-".repeat(600);
        format!(
            "<!-- {filler} {n} --><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center>"
        )
    };
    let others = Signatures::built_in().without("nginx");
    for n in [1, 1, 2, 3, 4, 5, 6, 1, 6, 2] {
        let found = ids(Signatures::built_in(), &page(n));
        assert!(found.contains(&"nginx".to_owned()), "{n}: {found:?}");
        let rest: Vec<_> = found.into_iter().filter(|id| id != "nginx").collect();
        assert_eq!(ids(&others, &page(n)), rest, "{n}");
        assert!(ids(Signatures::built_in(), &page(n).replace("nginx", "ngimx")).is_empty(), "{n}");
    }
}

#[test]
fn idle_defaults_are_found_within_their_slack() {
    let names = |seconds| idle_defaults(seconds).into_iter().map(|d| d.0).collect::<Vec<_>>();
    assert!(names(60.05).contains(&"nginx"));
    assert!(names(61.6).contains(&"lighttpd"));
    assert!(!names(64.0).contains(&"nginx"));
    assert!(names(350.2).contains(&"AWS Network Load Balancer"));
    assert!(names(47.0).is_empty());
    assert!(names(f64::NAN).is_empty());
    // A file of one's own counts as well.
    let own = "id = \"x\"\nname = \"Our box\"\nrole = \"load-balancer\"\nside = \"server\"\n\
               idle_default_s = 47\nidle_setting = \"idle-time\"\n";
    let all = Signatures::with_extra(&[("x.toml", own)]).unwrap();
    assert_eq!(all.idle_defaults(47.0), [("Our box", 47, "idle-time")]);
    assert!(
        Signatures::built_in().lifetime_limits(7201.0).iter().any(|l| l.0 == "Amazon API Gateway")
    );
}
