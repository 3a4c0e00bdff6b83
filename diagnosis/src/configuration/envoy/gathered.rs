//! Listeners, route configurations and clusters, wherever a file has them: the
//! bootstrap, a file of resources, a dump of the admin port, a list of `istioctl`.

use crate::configuration::part::{Documents, Part, get};
use wss_bundle::structured::{Node, Value};

/// All of them, of all files.
#[derive(Debug, Default)]
pub(super) struct Gathered<'n> {
    pub(super) listeners: Vec<Part<'n>>,
    pub(super) routes: Vec<Part<'n>>,
    pub(super) clusters: Vec<Part<'n>>,
    /// A server that gives more than the files have, by a key that names it.
    pub(super) elsewhere: Vec<Part<'n>>,
}

/// Where a dump has them: section, list, the way within an entry.
const DUMPED: [(&str, &str, &[&str]); 6] = [
    ("ListenersConfigDump", "static_listeners", &["listener"]),
    ("ListenersConfigDump", "dynamic_listeners", &["active_state", "listener"]),
    ("ClustersConfigDump", "static_clusters", &["cluster"]),
    ("ClustersConfigDump", "dynamic_active_clusters", &["cluster"]),
    ("RoutesConfigDump", "static_route_configs", &["route_config"]),
    ("RoutesConfigDump", "dynamic_route_configs", &["route_config"]),
];

impl<'n> Gathered<'n> {
    pub(super) fn of(files: &'n [Documents]) -> Self {
        let mut out = Self::default();
        for file in files {
            for root in file.all.iter() {
                out.document(Part { node: root, file: &file.file, root });
            }
        }
        out
    }

    fn document(&mut self, part: Part<'n>) {
        if let Value::List(all) = &part.node.value {
            all.iter().for_each(|one| self.resource(part.with(one)));
            return;
        }
        self.bootstrap(part);
        part.items("resources").for_each(|one| self.resource(one));
        for section in part.items("configs") {
            let kind = kind(section);
            if kind == "BootstrapConfigDump" {
                // Listed again by their own sections, where the dump is whole.
                if let Some(own) = section.get("bootstrap") {
                    self.bootstrap(own);
                }
            }
            for (_, list, way) in DUMPED.iter().filter(|(own, ..)| *own == kind) {
                let entries = section.items(list).filter_map(|entry| entry.deep(way));
                entries.for_each(|one| self.resource(one));
            }
        }
        if part.get("configs").is_none() {
            self.resource(part);
        }
    }

    fn bootstrap(&mut self, part: Part<'n>) {
        let Some(own) = part.get("static_resources") else { return };
        own.items("listeners").for_each(|one| add(&mut self.listeners, one));
        own.items("clusters").for_each(|one| add(&mut self.clusters, one));
        if let Some(dynamic) = part.get("dynamic_resources") {
            self.elsewhere.extend(
                ["lds_config", "cds_config", "ads_config"]
                    .iter()
                    .filter_map(|key| dynamic.get(key)),
            );
        }
    }

    /// A listener, a route configuration or a cluster by what it has.
    fn resource(&mut self, part: Part<'n>) {
        let has = |key: &str| part.get(key).is_some();
        if has("filter_chains") || has("default_filter_chain") {
            add(&mut self.listeners, part);
        } else if has("virtual_hosts") {
            add(&mut self.routes, part);
        } else if has("name")
            && (has("connect_timeout") || has("load_assignment") || has("lb_policy"))
        {
            add(&mut self.clusters, part);
        }
    }

    /// The route configuration of a name.
    pub(super) fn route(&self, name: &str) -> Option<Part<'n>> {
        self.routes.iter().find(|one| one.text("name") == name).copied()
    }

    /// The cluster of a name.
    pub(super) fn cluster(&self, name: &str) -> Option<Part<'n>> {
        self.clusters.iter().find(|one| one.text("name") == name).copied()
    }
}

/// A later one of the same name is the same in another section of a dump.
fn add<'n>(to: &mut Vec<Part<'n>>, part: Part<'n>) {
    let name = part.text("name");
    if name.is_empty() || !to.iter().any(|one| one.text("name") == name) {
        to.push(part);
    }
}

/// The last word of a message's `@type`.
pub(super) fn kind(part: Part<'_>) -> &str {
    part.text("@type").rsplit('.').next().unwrap_or_default()
}

/// Seconds of a duration: `300s`, `0.5s`, or `{ seconds: 300 }`.
pub(super) fn seconds(node: &Node) -> Option<f64> {
    if let Value::Map(_) = node.value {
        let whole = get(node, "seconds").and_then(Node::number).unwrap_or(0.0);
        let rest = get(node, "nanos").and_then(Node::number).unwrap_or(0.0);
        return Some(whole + rest / 1e9);
    }
    node.text().strip_suffix('s')?.parse().ok()
}
