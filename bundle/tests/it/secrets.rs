use crate::fixture::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wss_bundle::redact::Redactor;
use wss_bundle::{Attachment, AttachmentKind, Secret, write};

/// In every place of a bundle, in each form in which it can travel.
#[test]
fn a_given_secret_is_nowhere_in_the_zip() {
    let secret = "C4nary/Passw0rd+42&x";
    let base64 = STANDARD.encode(format!("user:{secret}"));
    for form in
        [secret, base64.as_str(), "C4nary%2FPassw0rd%2B42%26x", "C4nary%2fPassw0rd%2b42%26x"]
    {
        let mut redactor = Redactor::new();
        redactor.secret("password", &Secret::new(secret));
        let mut bundle = bundle(form);
        bundle.attachments.push(Attachment {
            name: format!("{form}.conf"),
            kind: AttachmentKind::Configuration,
            vantage: None,
            path: Some(format!("/etc/{form}.conf")),
            bytes: format!("p {form}\n").into_bytes(),
        });
        let zip = write::bytes(&redactor.bundle(bundle)).unwrap();
        for (name, content) in entries(&zip) {
            let text = String::from_utf8_lossy(&content);
            for trace in ["C4nary", "Passw0rd", &base64[..base64.len() - 6]] {
                assert!(!text.contains(trace), "{trace} of {form} in {name}:\n{text}");
                assert!(!name.contains(trace), "{name}");
            }
        }
    }
}

/// Nobody gave these: they stand in responses, where only structure shows them.
#[test]
fn credentials_of_the_servers_go_by_structure() {
    let mut all = String::new();
    for (name, content) in entries(&zipped(bundle("v4lue"))) {
        if name == "observations.json" {
            all = String::from_utf8(content).unwrap();
        }
    }
    for gone in [
        "Basic v4lue",
        "sid=v4lue",
        "a=v4lue",
        "X-Internal: v4lue",
        "folded v4lue",
        "state=v4lue",
        "u:v4lue@",
        "token=v4lue",
        "k=v4lue",
        "X-Auth: v4lue",
    ] {
        assert!(!all.contains(gone), "{gone} in\n{all}");
    }
    for stays in [
        "nginx/1.22.1",
        "Set-Cookie: sid=[removed]; Path=/",
        "Sec-Websocket-Version: 13",
        "400 Bad Request",
    ] {
        assert!(all.contains(stays), "{stays} not in\n{all}");
    }
}

#[test]
fn removals_are_listed_by_place() {
    let opened = open(&zipped(bundle("v4lue"))).unwrap();
    let places: Vec<String> = opened
        .bundle
        .redactions
        .iter()
        .map(|r| format!("{} {} {}", r.entry, r.place, r.kind))
        .collect();
    assert!(
        places.contains(&"observations.json o3 response set-cookie cookie-value".to_owned()),
        "{places:#?}"
    );
    let readme = &entries(&zipped(bundle("v4lue")))[1].1;
    let readme = String::from_utf8_lossy(readme);
    assert!(readme.contains("value of a cookie (its name stays)"), "{readme}");
}

/// Redacting what is redacted changes nothing: the analyzer sees what the
/// collector's screen saw.
#[test]
fn redaction_is_idempotent() {
    let once = Redactor::new().bundle(bundle("S3cretValue12345678901234"));
    let twice = Redactor::new().bundle(once.get().clone());
    assert_eq!(once.get().observations, twice.get().observations);
    assert_eq!(once.get().environment, twice.get().environment);
}
