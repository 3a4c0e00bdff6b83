//! Bundles as large as the field's: what a customer gives along, and what
//! browsers, second proxies and real pages add to the lab's few lines.
//!
//! To every bundle: pages as large as a proxy's block page, with its logo; an
//! export of the browser's network panel, in which the console tries again and
//! again, read by the collector's own reader; the page's curl command, pasted.
//! To those behind nginx what `nginx -T` prints; to those with a proxy a second
//! one, as PAC files name them.

use super::pages;
use serde_json::{Value, json};
use wss_bundle::observation::probe;
use wss_bundle::{
    Attachment, AttachmentKind, Bundle, Outcome, ResponseHead, RouteId, Step, transcript,
};

/// Bytes of a page, of which a half is the logo, which nothing makes smaller.
const PAGE: usize = 9_000;
/// Bytes of the console's own page and script, which are made small already.
const SHELL: usize = 28_000;
/// Times that the console tries again while somebody records it: for a few minutes.
const TRIES: usize = 20;

/// Adds to a bundle what the field has; the same `seed` gives the same.
pub(super) fn enrich(bundle: &mut Bundle, seed: &str) -> Result<(), String> {
    second_proxy(bundle);
    pages::grow(bundle, PAGE, seed);
    pages::logo(bundle, PAGE / 2, seed);
    pages::shell(bundle, SHELL, seed);
    // Before what the browser saw: a browser's transcript is nothing to paste.
    pasted(bundle);
    har(bundle)?;
    if bundle_of_nginx(bundle) {
        bundle.attachments.push(Attachment {
            name: "lb.conf".to_owned(),
            kind: AttachmentKind::Configuration,
            vantage: None,
            path: Some("/tmp/lb.conf".to_owned()),
            bytes: nginx(&bundle.manifest.target.host).into_bytes(),
        });
    }
    Ok(())
}

fn head(step: &Step) -> Option<&ResponseHead> {
    let result = match step {
        Step::Upgrade(upgrade) => &upgrade.result,
        Step::Http(http) => &http.result,
        _ => return None,
    };
    result.ok().map(|reply| &reply.head)
}

fn bundle_of_nginx(bundle: &Bundle) -> bool {
    let is = |head: &ResponseHead| {
        head.header("server").is_some_and(|server| server.starts_with("nginx"))
    };
    bundle.observations.observations.iter().filter_map(|o| head(&o.step)).any(is)
}

/// A second proxy that behaves as the first one does.
fn second_proxy(bundle: &mut Bundle) {
    let seen = &mut bundle.observations;
    let Some(first) = seen.routes.iter().find(|route| route.proxy.is_some()) else { return };
    let mut second = first.clone();
    let id = first.id.clone();
    second.id = RouteId::proxy("http://proxy-b.corp.example:3128");
    second.selected = false;
    second.sources = vec!["PAC http://wpad.corp.example/wpad.dat".to_owned()];
    let connections = seen.observations.iter().filter_map(|o| o.connection).max().unwrap_or(0) + 1;
    let mut more: Vec<_> = seen.observations.iter().filter(|o| o.route == id).cloned().collect();
    for one in &mut more {
        one.route = second.id.clone();
        one.connection = one.connection.map(|number| number + connections);
    }
    seen.routes.push(second);
    seen.observations.extend(more);
    for (number, one) in seen.observations.iter_mut().enumerate() {
        one.id = format!("o{}", number + 1);
    }
}

/// The page's curl command and what it printed, as somebody pastes it.
fn pasted(bundle: &mut Bundle) {
    let all = transcript::all(bundle);
    let upgrades = bundle.observations.observations.iter().filter(|o| o.probe == probe::UPGRADE);
    let texts = upgrades.filter_map(|o| {
        let own = all.iter().find(|one| one.observation == o.id)?;
        Some((o.path.clone().unwrap_or_default(), own.text.clone()))
    });
    let given: Vec<Attachment> = texts
        .take(2)
        .map(|(path, text)| Attachment {
            name: format!("curl{}.txt", path.replace('/', "-")),
            kind: AttachmentKind::CurlOutput,
            vantage: None,
            path: None,
            bytes: text.into_bytes(),
        })
        .collect();
    bundle.attachments.extend(given);
}

/// An export of Chrome's network panel: the console's socket, tried again and
/// again, with the answer that the probe like a browser's had.
fn har(bundle: &mut Bundle) -> Result<(), String> {
    let target = bundle.manifest.target.clone();
    let answer = bundle
        .observations
        .observations
        .iter()
        .find(|o| o.probe == probe::BROWSER_UPGRADE && matches!(o.step, Step::Upgrade(_)))
        .map(|o| match &o.step {
            Step::Upgrade(upgrade) => match &upgrade.result {
                Outcome::Ok(reply) => Some(reply.head.clone()),
                Outcome::Failed(_) => None,
            },
            _ => None,
        });
    // Nothing was asked where no connection came to be.
    let Some(answer) = answer else { return Ok(()) };
    let entries: Vec<Value> = (0..TRIES)
        .map(|number| {
            let at = bundle.manifest.started_at + chrono::Duration::seconds(number as i64 * 11);
            entry(&target.authority(), answer.as_ref(), &at.to_rfc3339())
        })
        .collect();
    let log = json!({ "log": {
        "version": "1.2", "creator": { "name": "WebInspector", "version": "537.36" },
        "pages": [], "entries": entries,
    }});
    let read =
        wss_handed::har::read(log.to_string().as_bytes(), "console.har", "console.har", &target)
            .map_err(|why| why.to_string())?;
    let begun = bundle.observations.browser.len();
    let numbered = read.seen.into_iter().enumerate().map(|(number, mut one)| {
        one.id = format!("b{}", begun + number + 1);
        one
    });
    bundle.observations.browser.extend(numbered);
    bundle.attachments.push(read.attachment);
    Ok(())
}

/// One try; `host` with its port.
fn entry(host: &str, answer: Option<&ResponseHead>, at: &str) -> Value {
    let headers = |list: &[(&str, &str)]| -> Vec<Value> {
        list.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    let origin = format!("https://{host}");
    let request = headers(&[
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Accept-Language", "en-US,en;q=0.9"),
        ("Cache-Control", "no-cache"),
        ("Connection", "Upgrade"),
        ("Host", host),
        ("Origin", &origin),
        ("Pragma", "no-cache"),
        ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
        ("Sec-WebSocket-Key", "aGFuZC1jaGVja2VkLWtleQ=="),
        ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
        ("Sec-WebSocket-Version", "13"),
        ("Upgrade", "websocket"),
        (
            "User-Agent",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/126.0.0.0 Safari/537.36",
        ),
    ]);
    let list = answer.map(ResponseHead::headers).unwrap_or_default();
    let list: Vec<(&str, &str)> =
        list.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let status = answer.and_then(ResponseHead::status).unwrap_or(0);
    let switched = status == 101;
    let messages: Vec<Value> = (0..if switched { 24 } else { 0 })
        .map(|number| {
            let kind = if number % 2 == 0 { "send" } else { "receive" };
            let time = 1_790_000_000.0 + f64::from(number);
            json!({ "type": kind, "time": time, "opcode": 1, "data": "{\"type\":\"ping\"}" })
        })
        .collect();
    json!({
        "_initiator": { "type": "script", "stack": { "callFrames": [] } }, "_priority": null,
        "_resourceType": "websocket", "_webSocketMessages": messages, "cache": {}, "connection": "702",
        "request": {
            "method": "GET", "url": format!("wss://{host}/v1/ws"), "httpVersion": "http/1.1", "headers": request,
            "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0,
        },
        "response": {
            "status": status, "statusText": "", "httpVersion": "http/1.1", "headers": headers(&list), "cookies": [],
            "content": { "size": 0, "mimeType": "x-unknown" }, "redirectURL": "", "headersSize": -1, "bodySize": -1,
            "_transferSize": 0,
            "_error": if switched { Value::Null } else { "net::ERR_INVALID_HTTP_RESPONSE".into() },
        },
        "serverIPAddress": "127.0.0.1", "startedDateTime": at, "time": 2_048.5,
        "timings": { "blocked": 1.0, "dns": -1, "ssl": -1, "connect": -1, "send": 0.2, "wait": 9.0, "receive": 0.1 },
    })
}

/// What `nginx -T` prints of a load balancer with a few applications, types and all.
fn nginx(host: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::from(
        "# configuration file /etc/nginx/nginx.conf:\nuser www-data;\nworker_processes auto;\npid /run/nginx.pid;\n\
         events { worker_connections 768; }\nhttp {\n    sendfile on;\n    tcp_nopush on;\n    types_hash_max_size \
         2048;\n    include /etc/nginx/mime.types;\n    default_type application/octet-stream;\n    gzip on;\n    \
         include /etc/nginx/sites-enabled/*;\n}\n# configuration file /etc/nginx/mime.types:\ntypes {\n",
    );
    for number in 0..90 {
        let _ = writeln!(
            out,
            "    application/vnd.office-{number}.document{number:>12}  x{number} y{number};"
        );
    }
    out.push_str("}\n");
    for number in 0..12 {
        let _ = write!(
            out,
            "# configuration file /etc/nginx/sites-enabled/app{number}.conf:\nupstream app{number} {{\n    server \
             10.0.{number}.11:8080 max_fails=3 fail_timeout=10s;\n    server 10.0.{number}.12:8080 max_fails=3 \
             fail_timeout=10s;\n    keepalive 16;\n}}\nserver {{\n    listen 443 ssl;\n    server_name \
             app{number}.corp.example;\n    ssl_certificate /etc/ssl/app{number}.pem;\n    ssl_certificate_key \
             /etc/ssl/app{number}.key;\n    access_log /var/log/nginx/app{number}.log;\n    location / {{\n        \
             proxy_pass http://app{number};\n        proxy_http_version 1.1;\n        proxy_set_header Connection \
             \"\";\n        proxy_set_header Host $host;\n        proxy_set_header X-Forwarded-For \
             $proxy_add_x_forwarded_for;\n        proxy_read_timeout 90s;\n    }}\n}}\n"
        );
    }
    let _ = write!(
        out,
        "# configuration file /etc/nginx/sites-enabled/bindplane.conf:\nserver {{\n    listen 443 ssl;\n    \
         server_name {host};\n    ssl_certificate /etc/ssl/bindplane.pem;\n    ssl_certificate_key \
         /etc/ssl/bindplane.key;\n    location / {{\n        proxy_pass http://127.0.0.1:3001;\n        \
         proxy_set_header Host $host;\n    }}\n}}\n"
    );
    out
}
