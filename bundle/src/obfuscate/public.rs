//! Names that are everybody's: they tell a product or a cloud, and no customer.

/// Names under these stay whole: vendors' own sites, as their error pages name them.
const VENDORS: &[&str] = &[
    "akamai.com",
    "apache.org",
    "apple.com",
    "avast.com",
    "avg.com",
    "barracuda.com",
    "bindplane.com",
    "bitdefender.com",
    "bluecoat.com",
    "broadcom.com",
    "caddyserver.com",
    "checkpoint.com",
    "cisco.com",
    "cloudflare.com",
    "debian.org",
    "digicert.com",
    "envoyproxy.io",
    "eset.com",
    "f5.com",
    "fastly.com",
    "forcepoint.com",
    "fortiguard.com",
    "fortinet.com",
    "globalsign.com",
    "goskope.com",
    "google.com",
    "googleapis.com",
    "gstatic.com",
    "haproxy.org",
    "iana.org",
    "iboss.com",
    "ibosscloud.com",
    "ietf.org",
    "imperva.com",
    "incapsula.com",
    "jquery.com",
    "kaspersky.com",
    "lencr.org",
    "letsencrypt.org",
    "mcafee.com",
    "menlosecurity.com",
    "microsoft.com",
    "mitmproxy.org",
    "mozilla.org",
    "netskope.com",
    "nginx.com",
    "nginx.org",
    "norton.com",
    "observiq.com",
    "opendns.com",
    "openresty.org",
    "openssl.org",
    "opentelemetry.io",
    "paloaltonetworks.com",
    "rfc-editor.org",
    "skyhigh.cloud",
    "sonicwall.com",
    "sophos.com",
    "squid-cache.org",
    "symantec.com",
    "trellix.com",
    "trendmicro.com",
    "umbrella.com",
    "varnish-cache.org",
    "w3.org",
    "watchguard.com",
    "zscaler.com",
    "zscaler.net",
    "zscalerone.net",
    "zscalertwo.net",
    "zscalerthree.net",
    "zscalergov.net",
    "zscloud.net",
];

/// Groups of interfaces and annotations, which are written like names of hosts
/// (Kubernetes' API conventions; protobuf's type URLs): whose they are everybody knows,
/// and what they mean hangs on them.
const GROUPS: &[&str] = &[
    "argoproj.io",
    "cert-manager.io",
    "cilium.io",
    "cloud.google.com",
    "compute.googleapis.com",
    "containo.us",
    "envoyproxy.io",
    "haproxy-ingress.github.io",
    "haproxy.org",
    "helm.sh",
    "istio.io",
    "k8s.aws",
    "k8s.io",
    "konghq.com",
    "kubernetes.io",
    "nginx.org",
    "openshift.io",
    "projectcontour.io",
    "traefik.io",
    "type.googleapis.com",
    "www.googleapis.com",
];

/// Names under these are a customer's, at somebody who is known: the suffix stays.
const SHARED: &[&str] = &[
    "akadns.net",
    "akamai.net",
    "akamaiedge.net",
    "akamaihd.net",
    "amazonaws.com",
    "auth0.com",
    "azure-api.net",
    "azure.com",
    "azureedge.net",
    "azurefd.net",
    "azurewebsites.net",
    "cloudapp.net",
    "cloudflare.net",
    "cloudfront.net",
    "compute.internal",
    "duosecurity.com",
    "edgekey.net",
    "edgesuite.net",
    "fastly.net",
    "fastlylb.net",
    "googleusercontent.com",
    "herokuapp.com",
    "impervadns.net",
    "incapdns.net",
    "live.com",
    "microsoftonline.com",
    "ngrok.app",
    "ngrok.io",
    "okta.com",
    "onelogin.com",
    "onmicrosoft.com",
    "pingidentity.com",
    "pingone.com",
    "run.app",
    "trafficmanager.net",
    "ts.net",
    "windows.net",
];

/// Labels below a shared suffix that are the cloud's own.
const SERVICES: &[&str] = &[
    "api",
    "apigateway",
    "blob",
    "cloudapp",
    "compute",
    "compute-1",
    "core",
    "dualstack",
    "ec2",
    "elb",
    "execute-api",
    "login",
    "s3",
    "vault",
];

/// Labels that say nothing about whose they are.
const PLAIN: &[&str] = &["www", "localhost", "wpad", "arpa", "in-addr", "ip6"];

/// Resolvers and examples that everybody has.
pub(super) const ADDRESSES: &[&str] = &[
    "1.1.1.1",
    "1.0.0.1",
    "8.8.8.8",
    "8.8.4.4",
    "9.9.9.9",
    "168.63.129.16",
    "2606:4700:4700::1111",
    "2606:4700:4700::1001",
    "2001:4860:4860::8888",
    "2001:4860:4860::8844",
    "2620:fe::fe",
];

/// Last labels of names that are taken for names where they stand in a text.
const TOP: &[&str] = &[
    "ad",
    "app",
    "biz",
    "cloud",
    "co",
    "com",
    "corp",
    "dev",
    "edu",
    "eu",
    "example",
    "gov",
    "home",
    "info",
    "int",
    "internal",
    "intra",
    "intranet",
    "io",
    "lan",
    "local",
    "localdomain",
    "mil",
    "net",
    "network",
    "online",
    "org",
    "private",
    "site",
    "tech",
    "test",
    "uk",
    "us",
    "works",
    "xyz",
    "zone",
];

/// Of these, those under which two labels are enough: `module.app` is code.
const STRONG: &[&str] =
    &["com", "corp", "edu", "example", "gov", "internal", "intranet", "lan", "local", "net", "org"];

/// Countries, under which three are.
const COUNTRIES: &[&str] = &[
    "ae", "ar", "at", "au", "be", "br", "ca", "ch", "cl", "cn", "cz", "de", "dk", "es", "fi", "fr",
    "gr", "hk", "hu", "ie", "il", "in", "it", "jp", "kr", "lu", "mx", "my", "nl", "no", "nz", "ph",
    "pl", "pt", "ro", "ru", "sa", "se", "sg", "sk", "th", "tr", "tw", "ua", "vn", "za",
];

/// First words of code that has dots in it.
const CODE: &[&str] =
    &["window", "document", "this", "self", "module", "exports", "console", "math"];

/// Of these, those that are nobody's on the internet.
const INTERNAL: &[&str] = &[
    "ad",
    "corp",
    "home",
    "internal",
    "intra",
    "intranet",
    "lan",
    "local",
    "localdomain",
    "private",
];

/// Second-level labels of country domains: the name is one longer (`example.co.uk`).
const SECOND: &[&str] = &["ac", "co", "com", "edu", "go", "gob", "gov", "ne", "net", "or", "org"];

fn under(name: &str, suffixes: &'static [&'static str]) -> Option<&'static str> {
    suffixes.iter().copied().find(|suffix| {
        name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Whether a name stays as it is.
pub(super) fn stays(name: &str) -> bool {
    let known = [VENDORS, GROUPS].into_iter().any(|all| under(name, all).is_some());
    known || name == "localhost" || name.ends_with(".arpa")
}

/// The part of a name that stays because it is a cloud's, without the dot before it.
pub(super) fn shared(name: &str) -> Option<&str> {
    let suffix = under(name, SHARED)?;
    let mut from = name.len() - suffix.len();
    // Regions and services below it are the cloud's as well.
    while let Some(rest) = name[..from].strip_suffix('.') {
        let label = rest.rsplit('.').next().unwrap_or(rest);
        let region = label.split('-').count() >= 3
            && label.ends_with(|c: char| c.is_ascii_digit())
            && label.split('-').next().is_some_and(|first| first.len() == 2)
            && label.len() <= 16;
        if !SERVICES.contains(&label) && !region {
            break;
        }
        from = rest.len() - label.len();
    }
    Some(&name[from..])
}

/// Whether a label stays.
pub(super) fn plain(label: &str) -> bool {
    PLAIN.contains(&label) || label.is_empty() || label == "*" || label.starts_with('_')
}

/// Whether a dotted word in a text looks like a host's name.
pub(super) fn looks_like_a_name(word: &str) -> bool {
    let labels: Vec<&str> = word.split('.').collect();
    let Some(last) = labels.last() else { return false };
    let usual = match labels.len() {
        0 | 1 => false,
        2 => STRONG.contains(last),
        _ => TOP.contains(last) || COUNTRIES.contains(last),
    };
    usual
        && !CODE.contains(&labels[0])
        && labels.iter().all(|label| (2..=63).contains(&label.len()))
}

/// How many labels at a name's end are its domain.
pub(super) fn domain_labels(labels: &[&str]) -> usize {
    let country = |label: &str| label.len() == 2;
    match labels {
        [.., second, last] if labels.len() > 2 && country(last) && SECOND.contains(second) => 3,
        [_, _, ..] => 2,
        _ => labels.len(),
    }
}

/// Whether a domain is nobody's on the internet.
pub(super) fn internal(domain: &str) -> bool {
    domain.rsplit('.').next().is_some_and(|last| INTERNAL.contains(&last))
}
