//! Traefik: YAML, and the labels and options in a composition of containers.

use super::{Finer, Listed};
use crate::structured::{Node, Value};

/// Whether a key is there, however it is written.
fn has(node: &Node, key: &str) -> bool {
    matches!(&node.value, Value::Map(all) if all.iter().any(|(own, _)| own.eq_ignore_ascii_case(key)))
}

/// Whether a service of a composition is Traefik's, or has labels for it.
fn labelled(service: &Node) -> bool {
    let texts = |key: &str| {
        service.items_of(key).iter().any(|one| {
            one.text().starts_with("traefik.")
                || one.text().to_ascii_lowercase().starts_with("--entrypoints")
        })
    };
    let map = service.get("labels").is_some_and(|labels| {
        matches!(&labels.value, Value::Map(all) if all.iter().any(|(key, _)| key.starts_with("traefik.")))
    });
    texts("labels") || texts("command") || map
}

/// Static and dynamic files, and compositions.
pub static TRAEFIK: Listed = Listed {
    whose: |node| {
        let http = node.get("http").is_some_and(|http| {
            ["routers", "services", "middlewares"].iter().any(|key| has(http, key))
        });
        let services = node.get("services").is_some_and(
            |all| matches!(&all.value, Value::Map(all) if all.iter().any(|(_, one)| labelled(one))),
        );
        http || services || has(node, "entryPoints")
    },
    keys: &[
        "rule",
        "service",
        "middlewares",
        "entryPoints",
        "entrypoints",
        "address",
        "url",
        "scheme",
        "port",
        "prefix",
        "prefixes",
        "path",
        "to",
        "readTimeout",
        "idleTimeout",
        "writeTimeout",
        "readtimeout",
        "idletimeout",
    ],
    pairs: &[],
    // What is compared may be a key.
    finer: &Finer { except: &["Header", "Query"], ..Finer::NONE },
};
