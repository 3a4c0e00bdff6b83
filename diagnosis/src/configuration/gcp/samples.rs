//! Google Cloud's samples: see `configuration/samples.rs`. Written by hand as `gcloud`
//! prints them, a file each.

use super::Sample;

pub(crate) const SECRETS: &str = include_str!("samples/secrets.yaml");

pub(crate) fn all() -> Vec<Sample> {
    let of =
        |about, text: &str, expected: &[&'static str]| (about, text.to_owned(), expected.to_vec());
    vec![
        of("all is well", include_str!("samples/good.yaml"), &[]),
        of(
            "a classic one, by its default",
            include_str!("samples/classic.yaml"),
            &["life 30 @37", "timeout 30 @37 if seen"],
        ),
        of(
            "a managed one, by its default",
            include_str!("samples/managed.yaml"),
            &["life 30 @37 if seen", "timeout 30 @37"],
        ),
        of("HTTP/2 to the server", include_str!("samples/http2.yaml"), &["h2 @34"]),
        of("another path alone", include_str!("samples/other-path.yaml"), &["untold @11"]),
        of("sent to itself", include_str!("samples/loop.yaml"), &["loop 301 @17"]),
        of("the path is rewritten", include_str!("samples/rewrite.yaml"), &["moved @19"]),
        of("a header decides", include_str!("samples/header.yaml"), &["untold @14"]),
        of("who signs on", include_str!("samples/iap.yaml"), &["path Some(302) @30 if seen"]),
        of("a proxy of TCP", include_str!("samples/tcp.yaml"), &["timeout 30 @19"]),
        of("what passes packets on", include_str!("samples/passthrough.yaml"), &[]),
        of(
            "lists, and a policy",
            include_str!("samples/list.json"),
            &["life 600 @38", "path Some(403) @37 if seen", "timeout 600 @38 if seen"],
        ),
        of("files of a bucket", include_str!("samples/bucket.yaml"), &["path Some(404) @14"]),
        of(
            "shares of servers, one with none",
            include_str!("samples/weighted.yaml"),
            &["life 120 @47 if seen", "timeout 120 @47"],
        ),
        of("the forwarding rule tells which map", include_str!("samples/rules.yaml"), &["h2 @51"]),
        of("sent to sign on", include_str!("samples/redirect.yaml"), &["path Some(302) @16"]),
        of("without its service", include_str!("samples/no-service.yaml"), &["untold @14"]),
        of("two maps for one host", include_str!("samples/two-maps.yaml"), &["untold @7"]),
        of(
            "a pattern",
            include_str!("samples/regex.yaml"),
            &["life 60 @29 if seen", "timeout 60 @29"],
        ),
        of(
            "a regional one that sets no time",
            include_str!("samples/regional.json"),
            &["life 30 @10 if seen", "timeout 30 @10"],
        ),
    ]
}
