//! Azure's samples: see `configuration/samples.rs`. Written by hand as `az` prints them,
//! a file each.

use super::Sample;

pub(crate) const SECRETS: &str = include_str!("samples/secrets.json");

pub(crate) fn all() -> Vec<Sample> {
    let of =
        |about, text: &str, expected: &[&'static str]| (about, text.to_owned(), expected.to_vec());
    vec![
        of("all is well", include_str!("samples/good.json"), &[]),
        of(
            "a short request timeout",
            include_str!("samples/short.json"),
            &["life 30 @48", "timeout 30 @48 if seen"],
        ),
        of(
            "the same as YAML",
            include_str!("samples/short.yaml"),
            &["life 30 @35", "timeout 30 @35 if seen"],
        ),
        of("a path of its own", include_str!("samples/path-map.yaml"), &[]),
        of(
            "the wrong path first",
            include_str!("samples/order.json"),
            &["life 20 @74", "timeout 20 @74 if seen"],
        ),
        of(
            "another path alone",
            include_str!("samples/default.yaml"),
            &["life 20 @56", "timeout 20 @56 if seen"],
        ),
        of("sent to itself", include_str!("samples/loop.json"), &["loop 301 @151"]),
        of("sent elsewhere", include_str!("samples/redirect.json"), &["path Some(302) @166"]),
        of("another path and Host", include_str!("samples/override.yaml"), &["moved @27"]),
        of(
            "nobody in the pool",
            include_str!("samples/empty-pool.json"),
            &["targets Some(502) @12"],
        ),
        of(
            "headers are rewritten",
            include_str!("samples/rewrites.json"),
            &["headers @228", "hides @234", "idle @224", "moved @249 if seen"],
        ),
        of(
            "a name with a star, and a policy",
            include_str!("samples/wildcard-waf.json"),
            &["path Some(403) @57 if seen"],
        ),
        of("another host alone", include_str!("samples/other-host.yaml"), &["untold @89"]),
        of("priority against names", include_str!("samples/priority.json"), &["untold @240"]),
        of(
            "Front Door: a route of its own",
            include_str!("samples/front-door.json"),
            &["timeout 300 @62 if seen"],
        ),
        of(
            "Front Door: caching",
            include_str!("samples/front-door-caching.yaml"),
            &["headers @7", "timeout 300 @19 if seen"],
        ),
        of(
            "Front Door: another path",
            include_str!("samples/front-door-origin.json"),
            &["moved @22", "timeout 300 @17 if seen", "untold @29"],
        ),
        of("API Management: plain HTTP", include_str!("samples/apim.json"), &["headers @4"]),
        of(
            "API Management: both kinds",
            include_str!("samples/apim-both.yaml"),
            &["path Some(401) @56 if seen"],
        ),
        of(
            "API Management: another path",
            include_str!("samples/apim-other.json"),
            &["untold @21"],
        ),
    ]
}
