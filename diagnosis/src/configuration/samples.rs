//! Configurations, each with what it says about an upgrade of `/v1/ws` at
//! `b.example:443`; a file for each row of the table. The real programs take them,
//! too (`tests/tests/configuration.rs`).

#[path = "apache/samples.rs"]
pub(crate) mod apache;
#[path = "aws/samples.rs"]
pub(crate) mod aws;
#[path = "azure/samples.rs"]
pub(crate) mod azure;
#[path = "caddy/samples.rs"]
pub(crate) mod caddy;
#[path = "caddy/json_samples.rs"]
pub(crate) mod caddy_json;
#[path = "envoy/samples.rs"]
pub(crate) mod envoy;
#[path = "f5/samples.rs"]
pub(crate) mod f5;
#[path = "gcp/samples.rs"]
pub(crate) mod gcp;
#[path = "haproxy/samples.rs"]
pub(crate) mod haproxy;
#[path = "iis/samples.rs"]
pub(crate) mod iis;
#[path = "kubernetes/samples.rs"]
pub(crate) mod kubernetes;
#[path = "netscaler/samples.rs"]
pub(crate) mod netscaler;
#[path = "nginx/samples.rs"]
pub(crate) mod nginx;
#[path = "traefik/samples.rs"]
pub(crate) mod traefik;
#[path = "varnish/samples.rs"]
pub(crate) mod varnish;

/// About what, the text, and what it says: kind and line, `?` where unsure.
pub(crate) type Sample = (&'static str, String, Vec<&'static str>);

/// All, by the words for the rows.
pub(crate) fn all() -> Vec<(&'static str, Vec<Sample>)> {
    vec![
        ("nginx", nginx::all()),
        ("haproxy", haproxy::all()),
        ("apache", apache::all()),
        ("caddy", caddy::all()),
        ("aws", aws::all()),
        ("envoy", envoy::all()),
        ("varnish", varnish::all()),
        ("caddy_json", caddy_json::all()),
        ("kubernetes", kubernetes::all()),
        ("gcp", gcp::all()),
        ("azure", azure::all()),
        ("netscaler", netscaler::all()),
        ("f5", f5::all()),
        ("iis", iis::all()),
        ("traefik", traefik::all()),
    ]
}

/// For each row a text full of secrets, each with `Q4nary` in it; every one of its
/// lines that has one has to lose it.
pub(crate) fn secrets() -> Vec<(&'static str, &'static str)> {
    vec![
        ("nginx", nginx::SECRETS),
        ("haproxy", haproxy::SECRETS),
        ("apache", apache::SECRETS),
        ("caddy", caddy::SECRETS),
        ("aws", aws::SECRETS),
        ("envoy", envoy::SECRETS),
        ("varnish", varnish::SECRETS),
        ("caddy_json", caddy_json::SECRETS),
        ("kubernetes", kubernetes::SECRETS),
        ("gcp", gcp::SECRETS),
        ("azure", azure::SECRETS),
        ("netscaler", netscaler::SECRETS),
        ("f5", f5::SECRETS),
        ("iis", iis::SECRETS),
        ("traefik", traefik::SECRETS),
    ]
}

/// A file of about so many bytes: a row's first sample again and again, each for a host and
/// with a name of its own, as `list` prints many; the last is the sample itself.
pub(crate) fn large(id: &str, bytes: usize) -> String {
    let all = all();
    let (_, own) = all.iter().find(|(own, _)| *own == id).unwrap_or(&all[0]);
    let text = own[0].1.trim_end();
    let json = text.starts_with('{');
    // What one call prints is a list; others stand one after the other.
    let list = id == "azure";
    let mut out = String::with_capacity(bytes + text.len() * 2);
    let mut number = 0;
    let end = match (list, json) {
        (true, _) => ",\n",
        (false, true) => "\n",
        (false, false) => "\n---\n",
    };
    while out.len() + text.len() < bytes {
        let name = |of: &str| of.replace("b.example", &format!("h{number}.example"));
        out.push_str(&name(text).replace("console", &format!("console-{number}")));
        out.push_str(end);
        number += 1;
    }
    out.push_str(text);
    if list { format!("[\n{out}\n]\n") } else { out + "\n" }
}
