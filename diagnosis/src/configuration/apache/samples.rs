//! Apache's samples: see `configuration/samples.rs`.

use super::Sample;

pub(crate) const SECRETS: &str = r#"
<VirtualHost *:443>
    RequestHeader set Authorization "Basic Q4naryQ4nary=="
    RequestHeader set X-Api-Key Q4nary
    Header always set Set-Cookie "id=Q4nary"
    AuthLDAPBindPassword Q4nary
    SessionCryptoPassphrase Q4nary
    OIDCClientSecret "Q4nary"
    DBDParams "host=h user=u pass=Q4nary"
    Define API_TOKEN Q4nary
    SetEnv DB_PASSWORD Q4nary
    ProxyPass / ajp://b:8009/ secret=Q4nary
    ProxyPass /x http://kim:Q4nary@b.example/
    RewriteCond %{HTTP:Authorization} !="Bearer Q4naryQ4nary"
</VirtualHost>
"#;

/// What every one of them has around its own lines. The socket's are lines 4 and on.
fn site(inner: &str) -> String {
    format!(
        "ProxyTimeout 3600\n<VirtualHost *:443>\nServerName b.example\n{inner}\n</VirtualHost>\n"
    )
}

pub(crate) fn all() -> Vec<Sample> {
    let all = [
        (
            "all is well",
            "ProxyPreserveHost On\nProxyPass / http://127.0.0.1:1/ upgrade=websocket",
            vec![],
        ),
        (
            "by mod_proxy_wstunnel",
            "ProxyPreserveHost On\nProxyPass /v1/ ws://127.0.0.1:1/v1/",
            vec![],
        ),
        ("no upgrade", "ProxyPass / http://127.0.0.1:1/", vec!["headers @4"]),
        (
            "the first that fits",
            "ProxyPass /v1 http://127.0.0.1:1/v1\nProxyPass /v1/ws ws://127.0.0.1:1/v1/ws",
            vec!["headers @4"],
        ),
        (
            "by whole segments",
            "ProxyPass /v http://127.0.0.1:1/v\nProxyPass /v1/ws ws://127.0.0.1:1/v1/ws",
            vec![],
        ),
        (
            "kept from it",
            "ProxyPass /v1/ !\nProxyPass / http://127.0.0.1:1/ upgrade=websocket",
            vec!["path Some(404) @4"],
        ),
        (
            "a worker that is shared",
            "ProxyPass /app http://127.0.0.1:1/\nProxyPass /v1/ http://127.0.0.1:1/v1/ upgrade=websocket",
            vec!["headers @4"],
        ),
        (
            "the longest worker counts",
            "ProxyPass /v1/ http://127.0.0.1:1/v1/\nProxyPass / http://127.0.0.1:1/ upgrade=websocket",
            vec!["headers @4"],
        ),
        (
            "by rewriting",
            "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} =websocket [NC]\nRewriteRule ^/(.*) ws://127.0.0.1:1/$1 [P,L]\nProxyPass / http://127.0.0.1:1/",
            vec![],
        ),
        (
            "by rewriting to http",
            "RewriteEngine On\nRewriteRule ^/(.*) http://127.0.0.1:1/$1 [P]",
            vec!["headers @5"],
        ),
        (
            "by rewriting to http, and a worker upgrades",
            "RewriteEngine On\nRewriteRule ^/(.*) http://127.0.0.1:1/$1 [P]\nProxyPass / http://127.0.0.1:1/ upgrade=websocket",
            vec![],
        ),
        (
            "a condition on who asks",
            "RewriteEngine On\nRewriteCond %{REMOTE_ADDR} ^10\\.\nRewriteRule ^ - [F]\nProxyPass / ws://127.0.0.1:1/",
            vec!["untold @6"],
        ),
        (
            "closed on purpose",
            "RewriteEngine On\nRewriteRule .* - [R=503,L]\nProxyPass / ws://127.0.0.1:1/",
            vec!["path Some(503) @5"],
        ),
        (
            "the header goes",
            "RequestHeader unset Upgrade\nProxyPass / ws://127.0.0.1:1/",
            vec!["headers @4"],
        ),
        (
            "what is of no account",
            "RequestHeader unset Connection\nProxyPass / ws://127.0.0.1:1/",
            vec![],
        ),
        (
            "HTTP/1.0",
            "SetEnv force-proxy-request-1.0 1\nProxyPass / ws://127.0.0.1:1/",
            vec!["headers @4", "version @4"],
        ),
        ("HTTP/2", "ProxyPass / h2c://127.0.0.1:1/", vec!["h2 @4"]),
        ("a worker's own time", "ProxyPass / ws://127.0.0.1:1/ timeout=90", vec!["timeout 90 @4"]),
        ("a longer Timeout", "Timeout 7200\nProxyPass / ws://127.0.0.1:1/ timeout=90", vec![]),
        (
            "a location",
            "ProxyPass / ws://127.0.0.1:1/\n<Location /v1/>\nProxyPass !\n</Location>",
            vec!["path Some(404) @6"],
        ),
        (
            "refused",
            "ProxyPass / ws://127.0.0.1:1/\n<Location /v1>\nRequire all denied\n</Location>",
            vec!["path Some(403) @6"],
        ),
        (
            "asks who it is",
            "ProxyPass / ws://127.0.0.1:1/\n<Location />\nAuthType Basic\nAuthName x\nAuthUserFile /etc/passwd\nRequire valid-user\n</Location>",
            vec!["path Some(401) @9"],
        ),
        (
            "a page for everything",
            "DocumentRoot /tmp\n<Directory /tmp>\nRequire all granted\nFallbackResource /index.html\n</Directory>",
            vec!["disk @7"],
        ),
        (
            "rewritten to a page",
            "DocumentRoot /tmp\n<Directory /tmp>\nRequire all granted\nRewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule . /index.html [L]\n</Directory>\nProxyPass /js/ http://127.0.0.1:1/js/",
            vec!["disk @9"],
        ),
        (
            "sent elsewhere",
            "Redirect permanent / https://other.example/",
            vec!["path Some(301) @4"],
        ),
        (
            "the grant is hidden",
            "Header unset Sec-WebSocket-Extensions\nProxyPass / ws://127.0.0.1:1/",
            vec!["hides @4"],
        ),
        (
            "a balancer",
            "<Proxy balancer://c>\nBalancerMember http://127.0.0.1:1\nBalancerMember http://127.0.0.1:2\n</Proxy>\nProxyPass / balancer://c/",
            vec!["headers @5", "unchecked @5 if seen"],
        ),
        (
            "within a condition",
            "<If \"%{HTTP_HOST} == 'x'\">\nRequire all denied\n</If>\nProxyPass / ws://127.0.0.1:1/",
            vec!["untold @4"],
        ),
    ];
    let mut all: Vec<Sample> =
        all.into_iter().map(|(about, inner, expected)| (about, site(inner), expected)).collect();
    all.push((
        "no name fits",
        "ProxyTimeout 3600\n<VirtualHost *:443>\nServerName a\nProxyPass / ws://127.0.0.1:1/\n</VirtualHost>\n<VirtualHost *:443>\nServerName c\n</VirtualHost>\n".to_owned(),
        vec!["other @3 if seen"],
    ));
    all
}
