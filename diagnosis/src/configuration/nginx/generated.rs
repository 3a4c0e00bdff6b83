//! Programs that write nginx configurations, told by what only they write.

use super::parse::Directive;
use super::tree::Forest;
use crate::configuration::Generator;
use crate::configuration::source::File;

/// What wrote the files, where it shows.
pub(super) fn of(files: &[File], forest: &Forest) -> Option<Generator> {
    let directive = |test: &dyn Fn(&Directive) -> bool| {
        forest.trees.iter().any(|tree| any(&tree.directives, test))
    };
    let path =
        |part: &str| files.iter().any(|f| f.path.as_deref().unwrap_or(&f.name).contains(part));
    if directive(&|d| {
        d.name == "lua_shared_dict" && d.arg(0) == "configuration_data"
            || d.name == "proxy_pass" && d.arg(0).ends_with("://upstream_balancer")
            || d.name == "set" && d.arg(0) == "$proxy_upstream_name"
    }) {
        return Some(Generator::IngressNginx);
    }
    if directive(&|d| {
        d.name == "set" && d.arg(0) == "$forward_scheme"
            || d.name == "include" && d.arg(0).contains("conf.d/include/proxy.conf")
    }) {
        return Some(Generator::NginxProxyManager);
    }
    let panel = |d: &Directive| d.args.iter().any(|a| a.contains("/www/server/panel/"));
    let text = |part: &str| files.iter().any(|f| f.text.contains(part));
    if directive(&panel) || path("/www/server/panel/") || text("#SSL-START") {
        return Some(Generator::BtPanel);
    }
    let plesk = |d: &Directive| d.args.iter().any(|a| a.contains("/var/www/vhosts/system/"));
    (directive(&plesk) || path("/etc/nginx/plesk.conf.d/")).then_some(Generator::Plesk)
}

fn any(block: &[Directive], test: &dyn Fn(&Directive) -> bool) -> bool {
    block.iter().any(|d| test(d) || any(d.block.as_deref().unwrap_or_default(), test))
}
