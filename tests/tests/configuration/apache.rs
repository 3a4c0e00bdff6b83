//! Apache: every sample is taken, and requests end where the check says.

use super::{Dice, PATHS, accepted, backend, read, samples, status};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wss_diagnosis::configuration::{Kind, Reading};
use wss_lab::real::{Product, Real};

const MODULES: [&str; 17] = [
    "mpm_event",
    "authz_core",
    "authz_host",
    "authn_core",
    "authn_file",
    "authz_user",
    "auth_basic",
    "proxy",
    "proxy_http",
    "proxy_wstunnel",
    "proxy_http2",
    "proxy_balancer",
    "slotmem_shm",
    "lbmethod_byrequests",
    "rewrite",
    "headers",
    "env",
];

pub(super) fn whole(inner: &str) -> String {
    let mut out =
        "ServerRoot {dir}\nServerName lab.example\nMutex file:{dir}\nPidFile {dir}/apache.pid\n\
                   ErrorLog {dir}/error.log\nTypesConfig /etc/mime.types\n"
            .to_owned();
    for module in MODULES.iter().chain(&["alias", "dir", "mime", "setenvif"]) {
        let _ =
            writeln!(out, "LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so");
    }
    format!("{out}Listen 127.0.0.1:{{port}}\n{inner}")
}

#[test]
fn apache_takes_every_sample() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("apache.conf");
    for (_, text, _) in samples::apache::all() {
        let text = whole(&text).replace("{dir}", &folder.path().display().to_string());
        let text = text.replace("{port}", "12345");
        std::fs::write(&config, &text).unwrap();
        accepted("apache2", &["-t", "-f", &config.display().to_string()], &text);
    }
}

/// Lines of a VirtualHost, at random.
fn site(dice: &mut Dice) -> String {
    let mut out = String::new();
    let paths = ["/", "/v1", "/v1/", "/v1/ws", "/v1/graphql", "/app/", "/v"];
    let rewrites = dice.roll(3);
    if rewrites > 0 {
        out.push_str("RewriteEngine On\n");
    }
    for _ in 0..rewrites {
        for _ in 0..dice.roll(3) {
            let test = dice.pick(&[
                "%{HTTP:Upgrade} =websocket [NC]",
                "%{HTTP:Upgrade} !^WebSocket$ [NC]",
                "%{HTTP:Connection} upgrade [NC,OR]",
                "%{HTTP_HOST} ^s1",
                "%{HTTP_HOST} ^s[2-5]\\. [OR]",
                "%{REQUEST_URI} !^/v1/",
                "%{REQUEST_URI} ^/app [NC]",
                "%{REQUEST_METHOD} ^(GET|HEAD)$",
                "%{HTTPS} off",
                "%{QUERY_STRING} x=1",
                "%{SERVER_PORT} >0",
                "%{REQUEST_FILENAME} !-f",
            ]);
            let _ = writeln!(out, "RewriteCond {test}");
        }
        let rule = dice.pick(&[
            "^/v1/(.*)$ ws://{backend}/v1/$1 [P,L]",
            "^/(.*)$ http://{backend}/$1 [P]",
            "^/v1/graphql - [F]",
            "^/app - [G]",
            "ws$ - [R=503,L]",
            "^/v1/(.*)$ /app/$1 [PT]",
            "^/v1/(.*)$ /app/$1",
            "!^/v1 - [F]",
            "^/V1/ - [NC,F]",
            "^ https://other.example%{REQUEST_URI} [R=301]",
            "^/app - [L]",
            "^/v1 - [S=1]",
            "^/v1/ws$ - [C]",
        ]);
        let _ = writeln!(out, "RewriteRule {rule}");
    }
    for _ in 0..dice.roll(4) {
        let path = dice.pick(&paths);
        let line = match dice.roll(9) {
            0 => format!("ProxyPass {path} !"),
            1 => format!("ProxyPass {path} ws://{{backend}}{path}"),
            2 | 3 => format!("ProxyPass {path} http://{{backend}}{path} upgrade=websocket"),
            4 => "ProxyPassMatch ^/(v1/.*)$ http://{backend}/$1 upgrade=websocket".to_owned(),
            5 => "ProxyPassMatch ws$ ws://{backend}".to_owned(),
            6 => format!("ProxyPass {path} http://{{backend}}/ upgrade=websocket"),
            _ => format!("ProxyPass {path} http://{{backend}}{path}"),
        };
        let _ = writeln!(out, "{line}");
    }
    for _ in 0..dice.roll(3) {
        let head = dice.pick(&[
            "Location /v1",
            "Location /v1/",
            "Location /",
            "Location /v1/*",
            "LocationMatch ws$",
            "Location ~ ^/v1",
            "Location /app",
        ]);
        let line = dice.pick(&[
            "Require all denied",
            "Require all granted",
            "<RequireAll>\nRequire all granted\nRequire method GET\n</RequireAll>",
            "SetEnv force-proxy-request-1.0 1",
            "RequestHeader unset Upgrade",
            "ProxyPreserveHost On",
        ]);
        let name = head.split(' ').next().unwrap();
        let _ = writeln!(out, "<{head}>\n{line}\n</{name}>");
    }
    if dice.roll(4) == 0 {
        let line = dice.pick(&[
            "<Location /v1/>\nProxyPass http://{backend}/v1/ upgrade=websocket\n</Location>",
            "<Location /v1/>\nProxyPass !\n</Location>",
            "<Location /v1/ws>\nProxyPass http://{backend}/v1/ws\n</Location>",
        ]);
        let _ = writeln!(out, "{line}");
    }
    if dice.roll(3) == 0 {
        let line = dice.pick(&[
            "Redirect /v1 https://other.example/v1",
            "Redirect permanent /app https://other.example/",
            "RedirectMatch 303 ^/v1/(ws)$ https://other.example/$1",
            "Redirect gone /v1/graphql",
        ]);
        let _ = writeln!(out, "{line}");
    }
    if dice.roll(2) == 0 {
        let line = dice.pick(&[
            "FallbackResource /index.html",
            "RewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule . /index.html [L]",
            "RewriteEngine On\nRewriteRule ^v1/ - [F]",
            "Require all denied",
        ]);
        let _ = writeln!(out, "<Directory {{site}}>\n{line}\n</Directory>");
    }
    out
}

/// What would be answered, by what the check says.
fn foretold(reading: &Reading) -> Result<u16, String> {
    if !reading.untold.is_empty() {
        return Err(format!("{:?}", reading.untold));
    }
    for issue in reading.issues.iter().filter(|issue| issue.provided.is_none()) {
        match issue.kind {
            Kind::PathRule(Some(status)) => return Ok(status),
            Kind::Disk => return Ok(200),
            Kind::UpgradeHeaders => return Ok(400),
            _ => {}
        }
    }
    Ok(101)
}

/// Sixty-four VirtualHosts, told apart by name, each asked for nine paths.
#[test]
fn apache_sends_requests_where_the_check_says() {
    let site_folder = tempfile::tempdir().unwrap();
    std::fs::write(site_folder.path().join("index.html"), "<html>").unwrap();
    #[allow(clippy::permissions_set_readonly_false, reason = "for whom httpd runs as")]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(site_folder.path(), open).unwrap();
    }
    let mut dice = Dice(0x6c62_272e_07bb_0142);
    let mut hosts = String::new();
    for number in 0..64 {
        let _ = writeln!(
            hosts,
            "<VirtualHost *:{{port}}>\nServerName s{number}.example\nServerAlias *.w{number}.example\n\
             DocumentRoot {{site}}\n{}</VirtualHost>",
            site(&mut dice)
        );
    }
    let values = BTreeMap::from([
        ("backend", backend().to_string()),
        ("site", site_folder.path().display().to_string()),
    ]);
    let apache = Real::start(Product::Apache, &whole(&hosts), &values).unwrap();
    let text = std::fs::read_to_string(apache.config_file()).unwrap();
    let (mut wrong, mut statuses) = (Vec::new(), BTreeMap::new());
    for number in 0..64 {
        let host = if number % 3 == 0 {
            format!("x.w{number}.example")
        } else {
            format!("s{number}.example")
        };
        for path in PATHS {
            let real = status(apache.addr, &host, path);
            let checked = read(&text, &host, apache.addr.port(), path);
            *statuses.entry(real).or_insert(0) += 1;
            match foretold(&checked.readings[0]) {
                Ok(said) if said == real => {}
                // The folder itself is there, and has an index.
                Ok(404 | 200) if path == "/" && real == 200 => {}
                said => {
                    let own =
                        text.split("<VirtualHost").find(|v| v.contains(&format!(" s{number}.")));
                    wrong.push(format!(
                        "{host}{path}: {real}, and {said:?} by {:?}\n{}",
                        checked.readings[0].followed,
                        own.unwrap_or_default()
                    ));
                }
            }
        }
    }
    assert!(statuses.len() > 6, "{statuses:?}");
    assert!(
        wrong.is_empty(),
        "{} wrong of {statuses:?}\n{}",
        wrong.len(),
        wrong[..wrong.len().min(6)].join("\n")
    );
}
