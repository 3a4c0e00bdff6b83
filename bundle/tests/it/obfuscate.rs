//! Names and addresses become tokens, everywhere, and still tell what they must.

use crate::fixture::*;
use wss_bundle::obfuscate::Obfuscator;
use wss_bundle::redact::Redactor;
use wss_bundle::{Attachment, AttachmentKind, Bundle, Bytes, Outcome, Step, write};

fn obfuscated(bundle: Bundle) -> (Bundle, Obfuscator) {
    let mut map = Obfuscator::new();
    let done = map.bundle(&Redactor::new().bundle(bundle)).unwrap();
    (done.into_inner(), map)
}

/// A text as it comes out, beside a bundle whose target is `bindplane.corp.com`.
fn texts(texts: &[&str]) -> Vec<String> {
    let mut bundle = crate::fixture::bundle("s3cret-value");
    for target in [&mut bundle.manifest.target, &mut bundle.observations.target] {
        target.host = "bindplane.corp.com".into();
    }
    bundle.environment.dns.search = vec!["corp.com".into(), "emea.corp.com".into()];
    bundle.environment.notes = texts.iter().map(|text| (*text).to_owned()).collect();
    obfuscated(bundle).0.environment.notes
}

#[test]
fn relations_stay_and_names_go() {
    let out = texts(&[
        "bindplane.corp.com",
        "BINDPLANE.Corp.COM:443",
        "webgw01.emea.corp.com and emea.corp.com",
        "https://bindplane.corp.com/x?y",
        "mail to ann@corp.com",
        "/etc/nginx/bindplane.corp.com.conf",
        "*.corp.com",
        "otherbindplane.corp.com",
    ]);
    let name = &out[0];
    let domain = name.split_once('.').unwrap().1;
    assert!(!out.join(" ").to_lowercase().contains("corp"), "{out:#?}");
    assert_eq!(out[1], format!("{name}:443"));
    let (first, second) = out[2].split_once(" and ").unwrap();
    assert!(first.ends_with(&format!(".{second}")) && second.ends_with(domain), "{out:#?}");
    assert_eq!(out[3], format!("https://{name}/x?y=[removed]").replace("?y=[removed]", "?y"));
    assert!(out[4].ends_with(&format!("@{domain}")), "{out:#?}");
    assert_eq!(out[5], format!("/etc/nginx/{name}.conf"));
    assert_eq!(out[6], format!("*.{domain}"));
    assert_ne!(&out[7], name);
}

#[test]
fn a_number_in_a_hosts_place_takes_no_ports_along() {
    let out = texts(&["http://14446", "127.0.0.1:14446"]);
    assert_eq!(out, ["http://14446", "127.0.0.1:14446"]);
}

#[test]
fn addresses_stay_addresses_of_their_kind_and_subnet() {
    let out = texts(&[
        "10.1.2.3",
        "10.1.2.4",
        "10.1.9.1",
        "10.7.2.3",
        "192.168.5.9/24",
        "172.16.3.4",
        "100.64.9.9",
        "203.0.113.10:443",
        "203.0.113.77",
        "198.51.100.10",
        "127.0.0.1",
        "8.8.8.8",
        "169.254.7.7",
        "fe80::dead:beef%eth0",
        "2001:DB8:1:2:0:0:0:9",
        "2001:db8:1:2::a",
        "fd12:3456:789a:1::1",
        "[::ffff:10.1.2.3]:443",
        "10.0.0.0/8",
        "Chrome/120.0.0.0",
        "nginx/1.22.1.4",
        "08:15:30",
    ]);
    let v4 = |at: usize| -> std::net::Ipv4Addr {
        out[at].split(['/', ':']).next().unwrap().parse().unwrap()
    };
    assert_eq!(v4(0).octets()[..3], v4(1).octets()[..3], "one /24");
    assert_eq!(v4(0).octets()[..2], v4(2).octets()[..2], "one /16");
    assert_ne!(v4(0).octets()[..2], v4(3).octets()[..2]);
    assert!([0, 1, 2, 3, 4, 5].into_iter().all(|at| v4(at).is_private()), "{out:#?}");
    assert!(out[4].starts_with("192.168.") && out[4].ends_with("/24"), "{out:#?}");
    assert!(v4(6).octets()[0] == 100 && (64..128).contains(&v4(6).octets()[1]), "{out:#?}");
    assert_eq!(v4(7).octets()[..3], v4(8).octets()[..3], "one public /24");
    assert_ne!(v4(7).octets()[..3], v4(9).octets()[..3]);
    assert!([7, 8, 9].into_iter().all(|at| !v4(at).is_private() && v4(at).octets()[0] == 198));
    assert_eq!(out[10..13], ["127.0.0.1", "8.8.8.8", "169.254.7.7"]);
    assert!(out[13].starts_with("fe80::") && out[13].ends_with("%eth0"), "{out:#?}");
    assert_ne!(out[13], "fe80::dead:beef%eth0");
    let site = |text: &str| text.rsplit_once(':').unwrap().0.to_owned();
    assert_eq!(site(&out[14]), site(&out[15]), "one /64, whatever the spelling");
    assert!(out[16].starts_with("fd"), "{out:#?}");
    assert_eq!(out[17], format!("[::ffff:{}]:443", out[0]));
    assert_eq!(out[18..], ["10.0.0.0/8", "Chrome/120.0.0.0", "nginx/1.22.1.4", "08:15:30"]);
}

#[test]
fn what_tells_a_device_or_a_cloud_stays() {
    let keep = [
        "https://gateway.zscaler.net:443/auD?origurl=x",
        "http://www.squid-cache.org/ and nginx.org",
        "window.location.host = document.domain.com",
        "Via: 1.1 varnish (Varnish/7.1), squid/5.7",
        "app.bindplane.com",
    ];
    let out = texts(&keep);
    assert!(out[0].starts_with("https://gateway.zscaler.net:443/"), "{out:#?}");
    assert_eq!(out[1], keep[1]);
    assert_eq!(out[2..], keep[2..]);
    let out = texts(&[
        "acme-lb-1234.eu-central-1.elb.amazonaws.com",
        "d111111abcdef8.cloudfront.net",
        "acme.blob.core.windows.net",
    ]);
    assert!(
        out[0].ends_with(".eu-central-1.elb.amazonaws.com") && !out[0].contains("acme"),
        "{out:?}"
    );
    assert!(out[1].ends_with(".cloudfront.net") && !out[1].contains("d1111"), "{out:?}");
    assert!(out[2].ends_with(".blob.core.windows.net") && !out[2].contains("acme"), "{out:?}");
}

/// In every byte of the zip, in any form in which a name can appear.
#[test]
fn nothing_of_a_name_is_left_anywhere() {
    use base64::Engine as _;
    let mut bundle = crate::fixture::bundle("s3cret-value");
    let (host, address) = ("bindplane.secretcorp.com", "10.77.88.99");
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("u:{host}/"));
    for target in [&mut bundle.manifest.target, &mut bundle.observations.target] {
        target.host = host.into();
    }
    bundle.attachments.push(Attachment {
        name: "bindplane.secretcorp.com.conf".into(),
        path: Some("/etc/nginx/bindplane.secretcorp.com.conf".into()),
        kind: AttachmentKind::Configuration,
        vantage: None,
        bytes: format!("server_name {};\nproxy_pass http://{address}:3001;", host.to_uppercase())
            .into_bytes(),
    });
    for observation in &mut bundle.observations.observations {
        if let Step::Upgrade(step) = &mut observation.step
            && let Outcome::Ok(reply) = &mut step.result
        {
            let page = format!("<p>{host} at {address}, {encoded}, SECRETCORP.COM \u{e9}");
            // Latin-1: no UTF-8.
            reply.body.bytes = Bytes(page.chars().map(|c| c as u8).collect());
            let head = format!(
                "HTTP/1.1 400 Bad\r\nLocation: https://sso.secretcorp.com/\r\nVia: 1.1 \
                 webgw.secretcorp.com\r\nSet-Cookie: BIGipServerpool={}.36895.0000\r\n\r\n",
                u32::from_le_bytes([10, 77, 88, 99])
            );
            reply.head.raw = Bytes(head.into_bytes());
        }
    }
    let mut map = Obfuscator::new();
    let done = map.bundle(&Redactor::new().bundle(bundle)).unwrap();
    let zip = write::bytes(&done).unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&zip)).unwrap();
    let mut all = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        all.extend_from_slice(file.name().unwrap().as_bytes());
        std::io::Read::read_to_end(&mut file, &mut all).unwrap();
    }
    let shown = String::from_utf8_lossy(&all).to_lowercase();
    let number = u32::from_le_bytes([10, 77, 88, 99]).to_string();
    for trace in ["secretcorp", "10.77.88.99", &encoded.to_lowercase()[4..20], &number] {
        assert!(!shown.contains(trace), "{trace} in\n{}", &shown[..4000.min(shown.len())]);
    }
    let body = done.get().observations.observations.iter().find_map(|o| match &o.step {
        Step::Upgrade(step) => Some(step.result.ok()?.body.bytes.clone()),
        _ => None,
    });
    let body = body.unwrap();
    assert!(!body.text().to_lowercase().contains("secretcorp") && body.text().contains("10."));
    assert!(done.get().redactions.iter().any(|r| r.kind == "obfuscated-name" && r.count > 3));
    let json = String::from_utf8(map.to_json().unwrap()).unwrap();
    assert!(json.contains("secretcorp.com") && json.contains("10.77.88.99"), "{json}");
}

/// The other machine goes on with the same map.
#[test]
fn a_map_goes_on_where_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (first, map) = obfuscated(bundle("s3cret-value"));
    let path = folder.path().join("map.json");
    std::fs::write(&path, map.to_json().unwrap()).unwrap();
    let mut again = Obfuscator::load(&path).unwrap();
    let mut other = bundle("s3cret-value");
    other.environment.notes = vec!["https://new.elsewhere.org/".into()];
    let second = again.bundle(&Redactor::new().bundle(other)).unwrap().into_inner();
    assert_eq!(first.manifest.target, second.manifest.target);
    assert_eq!(first.observations, second.observations);
    assert!(!second.environment.notes[0].contains("elsewhere"));
    std::fs::write(&path, "{}").unwrap();
    assert!(Obfuscator::load(&path).unwrap_err().contains("map.json"));
}
