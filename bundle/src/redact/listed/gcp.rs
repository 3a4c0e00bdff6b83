//! Google Cloud: what `gcloud compute` describes.

use super::{Finer, Listed};
use crate::structured::Node;

fn is_compute(node: &Node) -> bool {
    node.text_of("kind").starts_with("compute#")
}

/// Resources of the Compute API, one or a list.
pub static GCP: Listed = Listed {
    whose: |node| is_compute(node) || node.items().first().is_some_and(is_compute),
    keys: &[
        "kind",
        "name",
        "selfLink",
        "region",
        "target",
        "urlMap",
        "defaultService",
        "service",
        "backendService",
        "securityPolicy",
        "loadBalancingScheme",
        "protocol",
        "IPProtocol",
        "portName",
        "portRange",
        "hosts",
        "paths",
        "pathMatcher",
        "fullPathMatch",
        "prefixMatch",
        "regexMatch",
        "pathTemplateMatch",
        "headerName",
        "hostRedirect",
        "pathRedirect",
        "prefixRedirect",
        "redirectResponseCode",
        "pathPrefixRewrite",
        "hostRewrite",
    ],
    pairs: &[],
    finer: &Finer {
        attributes: &[],
        strict: &["labels", "oauth2ClientSecretSha256", "oauth2ClientId", "customRequestHeaders"],
        hidden: &[],
        except: &[],
        named: false,
    },
};
