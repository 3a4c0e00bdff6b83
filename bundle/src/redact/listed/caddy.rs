//! Caddy's own JSON.

use super::{Finer, Listed};

/// What `caddy adapt` and `/config/` print.
pub static CADDY: Listed = Listed {
    whose: |node| {
        let servers = node.get("apps").and_then(|apps| apps.get("http")?.get("servers"));
        servers.or_else(|| node.get("servers")).is_some_and(|all| {
            matches!(&all.value, crate::structured::Value::Map(all) if all.iter().any(|(_, one)| one.get("listen").is_some()))
        })
    },
    keys: &[
        "handler",
        "group",
        "listen",
        "host",
        "path",
        "method",
        "protocol",
        "pattern",
        "name",
        "try_files",
        "dial",
        "uri",
        "strip_path_prefix",
        "strip_path_suffix",
        "find",
        "replace",
        "versions",
        "read_timeout",
        "stream_timeout",
        "stream_close_delay",
        "delete",
        "Location",
        "Host",
        "Connection",
        "Upgrade",
    ],
    pairs: &[],
    finer: &Finer::NONE,
};
