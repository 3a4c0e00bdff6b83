//! Firefox, by WebDriver BiDi. It tells requests, responses and errors; frames
//! and the end of a socket come from the page's own events.

use super::process::{Running, profile};
use super::record::{head, path_of, request_head, response_head, round};
use super::wire::{Incoming, Wire};
use super::{END, OWN_PAGE, START, Session, fixed_proxy, script, sockets};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::time::Instant;
use wss_bundle::browser::BrowserRequest;
use wss_bundle::observation::RouteKind;

/// Background traffic off, beside what the remote agent turns off by itself
/// (`RecommendedPreferences.sys.mjs`).
const QUIET: &[(&str, &str)] = &[
    ("app.normandy.enabled", "false"),
    ("app.update.disabledForTesting", "true"),
    ("browser.newtabpage.enabled", "false"),
    ("browser.region.network.url", "\"\""),
    ("browser.region.update.enabled", "false"),
    ("browser.safebrowsing.malware.enabled", "false"),
    ("browser.safebrowsing.phishing.enabled", "false"),
    ("browser.search.update", "false"),
    ("browser.shell.checkDefaultBrowser", "false"),
    ("browser.startup.page", "0"),
    ("datareporting.policy.dataSubmissionEnabled", "false"),
    ("dom.push.connection.enabled", "false"),
    ("extensions.getAddons.cache.enabled", "false"),
    ("extensions.update.enabled", "false"),
    ("media.gmp-manager.updateEnabled", "false"),
    ("network.captive-portal-service.enabled", "false"),
    ("network.connectivity-service.enabled", "false"),
    ("network.dns.disablePrefetch", "true"),
    ("network.prefetch-next", "false"),
    ("services.settings.server", "\"data:,#remote-settings-dummy/v1\""),
    ("signon.rememberSignons", "false"),
    ("toolkit.telemetry.enabled", "false"),
    ("toolkit.telemetry.server", "\"\""),
];

/// What the page's script tells comes by this name.
const CHANNEL: &str = "wss-collector";
/// The file that Firefox writes once it listens.
const READY: &str = "WebDriverBiDiServer.json";

fn preferences(s: &mut Session<'_>) -> String {
    let (config, choice) = (&s.net.config, s.choice);
    let mut all: Vec<(String, String)> =
        QUIET.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let mut set = |name: &str, value: String| all.push((name.to_owned(), value));
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_else(|_| "\"\"".into());
    let mut direct = false;
    match fixed_proxy(config, choice) {
        None => set("network.proxy.type", "5".into()),
        Some(None) => {
            direct = true;
            set("network.proxy.type", "0".into());
        }
        Some(Some(proxy)) => {
            set("network.proxy.type", "1".into());
            set("network.proxy.allow_hijacking_localhost", "true".into());
            set("network.proxy.no_proxies_on", "\"\"".into());
            let names: &[&str] = match proxy.kind {
                RouteKind::Socks5 | RouteKind::Socks5h => &["socks"],
                _ => &["http", "ssl"],
            };
            for name in names {
                set(&format!("network.proxy.{name}"), quoted(proxy.host));
                set(&format!("network.proxy.{name}_port"), proxy.port.to_string());
            }
            set("network.proxy.socks_version", "5".into());
            set("network.proxy.socks_remote_dns", (proxy.kind == RouteKind::Socks5h).to_string());
        }
    }
    direct |= config.routes.iter().all(|route| route.route.id.is_direct());
    let over = config
        .resolve
        .iter()
        .find(|o| (o.host == config.target.host || o.host == "*") && o.port == config.target.port);
    if let Some(address) = over.and_then(|o| o.addresses.first()).filter(|_| direct) {
        // For every name, of which only the target's is looked up.
        set("network.dns.forceResolve", quoted(&address.to_string()));
    }
    let mut text = String::new();
    for (name, value) in all {
        let _ = writeln!(text, "user_pref({}, {value});", quoted(&name));
    }
    text
}

fn command(s: &mut Session<'_>, folder: &Path) -> Command {
    let mut command = Command::new(&s.choice.program.path);
    command
        .args(["--headless", "--no-remote", "--remote-debugging-port=0", "--profile"])
        .arg(folder)
        .env("MOZ_CRASHREPORTER_DISABLE", "1")
        // Without it release builds do not honour services.settings.server.
        .env("MOZ_REMOTE_SETTINGS_DEVTOOLS", "1")
        .env("MOZ_HEADLESS", "1")
        .env("MOZ_DISABLE_AUTO_SAFE_MODE", "1");
    let config = &s.net.config;
    if config.tls.client.is_some() {
        s.record.notes.push("the client certificate was not handed to this browser".into());
    }
    if !config.headers.is_empty() {
        s.record.notes.push("headers given with -H were not handed to this browser".into());
    }
    command
}

pub(super) async fn run(s: &mut Session<'_>) -> Result<(), String> {
    let folder = profile(&s.choice.program)?;
    let written = std::fs::write(folder.path().join("user.js"), preferences(s));
    written.map_err(|error| format!("its profile cannot be written: {error}"))?;
    let command = command(s, folder.path());
    let mut running = Running::start(command, folder, &s.choice.program)?;
    let ready = running.ready(READY, s.config().timeout * START).await?;
    let ready: Value = serde_json::from_str(&ready).unwrap_or_default();
    let port = ready["ws_port"].as_u64().and_then(|port| u16::try_from(port).ok());
    let wire = Wire::connect(port.ok_or("its debugging port is not known")?, "/session").await?;
    let mut tab = Tab { wire, context: String::new(), page: false };
    let result = drive(&mut tab, s).await;
    s.record.freeze();
    let _ = tab.wire.send("browser.close", json!({}), None).await;
    // It takes seconds to end in order, and has nothing left to write for us.
    running.ended(END.min(Duration::from_millis(300))).await;
    result
}

async fn drive(tab: &mut Tab, s: &mut Session<'_>) -> Result<(), String> {
    let insecure = s.vouched.is_some();
    let wanted = json!({ "capabilities": { "alwaysMatch": { "acceptInsecureCerts": insecure } } });
    let session = tab.call(s, "session.new", wanted).await?;
    let version = session["capabilities"]["browserVersion"].as_str().unwrap_or("?");
    s.record.browser = Some(format!("Firefox {}", version.split('.').next().unwrap_or("?")));
    s.record.source = format!("Firefox {version} headless");
    let events = json!({ "events": ["network", "log", "script.message"] });
    tab.call(s, "session.subscribe", events).await?;
    let tree = tab.call(s, "browsingContext.getTree", json!({})).await?;
    tab.context = tree["contexts"][0]["context"].as_str().unwrap_or_default().to_owned();
    let phases = json!({ "phases": ["beforeRequestSent", "authRequired"] });
    tab.call(s, "network.addIntercept", phases).await?;
    let url = s.config().target.url("/");
    let page = json!({ "context": tab.context, "url": url, "wait": "interactive" });
    tab.page = true;
    let loaded = tab.call(s, "browsingContext.navigate", page).await;
    tab.page = false;
    let own_page = match &loaded {
        Ok(_) => Ok(()),
        Err(_) => tab.own_page(s, &url).await,
    };
    let list = sockets(s.net).await;
    if let Err(why) = own_page {
        return refused_itself(s, &url, &list, why);
    }
    if loaded.is_err() {
        s.record.notes.push(OWN_PAGE.to_owned());
    }
    s.record.sockets = list.iter().map(|socket| socket.url.clone()).collect();
    let call = json!({
        "functionDeclaration": script(&list), "awaitPromise": false,
        "target": { "context": tab.context },
        "arguments": [{ "type": "channel", "value": { "channel": CHANNEL } }],
    });
    tab.call(s, "script.callFunction", call).await?;
    let watch = s.watch();
    let until = Instant::now() + s.patience() + watch;
    while Instant::now() < until && !s.record.settled(watch) {
        let tick = until.min(Instant::now() + Duration::from_millis(100));
        if let Ok(next) = tokio::time::timeout_at(tick, tab.wire.next()).await
            && let Incoming::Event(name, params) = next?
        {
            tab.event(s, &name, &params).await?;
        }
    }
    Ok(())
}

/// What Firefox says of an address to which it makes no connection at all, be it for a
/// page or for a socket: `nsIOService` refuses a port, a policy a site.
const REFUSED_ITSELF: [(&str, &str); 2] = [
    ("deniedPortAccess", "NS_ERROR_PORT_ACCESS_NOT_ALLOWED"),
    ("blockedByPolicy", "NS_ERROR_BLOCKED_BY_POLICY"),
];

/// Notes that Firefox refuses the address itself, where that is why there is no page.
fn refused_itself(
    s: &mut Session<'_>,
    page: &str,
    sockets: &[super::Socket],
    why: String,
) -> Result<(), String> {
    let Some((word, name)) = REFUSED_ITSELF.iter().find(|(word, _)| why.contains(word)) else {
        return Err(why);
    };
    let pages = std::iter::once((BrowserRequest::Document, page));
    let all = sockets.iter().map(|socket| (BrowserRequest::Websocket, socket.url.as_str()));
    for (at, (kind, url)) in pages.chain(all).enumerate() {
        let key = format!("refused {at}");
        s.record.begin(&key, kind, url, 0.0, None);
        if let Some(draft) = s.record.of(&key) {
            draft.seen.error = Some(format!("{word} ({name})"));
        }
    }
    Ok(())
}

struct Tab {
    wire: Wire,
    context: String,
    /// The target's page is being loaded.
    page: bool,
}

impl Tab {
    async fn call(
        &mut self,
        s: &mut Session<'_>,
        method: &str,
        params: Value,
    ) -> Result<Value, String> {
        let id = self.wire.send(method, params, None).await?;
        // It listens before it has started up, and answers this one afterwards.
        let times = if method == "session.new" { START } else { 1 };
        let until = Instant::now() + s.patience() * times;
        loop {
            let next = tokio::time::timeout_at(until, self.wire.next()).await;
            match next.map_err(|_| format!("no answer to {method}"))?? {
                Incoming::Reply(of, result) if of == id => {
                    return result.map_err(|why| format!("{method}: {why}"));
                }
                Incoming::Reply(..) => {}
                Incoming::Event(name, params) => self.event(s, &name, &params).await?,
            }
        }
    }

    /// A page of our own at the target's address, so that sockets have the right
    /// origin where the target's page cannot be had.
    async fn own_page(&mut self, s: &mut Session<'_>, url: &str) -> Result<(), String> {
        let page = json!({ "context": self.context, "url": url, "wait": "interactive" });
        let id = self.wire.send("browsingContext.navigate", page, None).await?;
        let until = Instant::now() + s.patience();
        loop {
            let next = tokio::time::timeout_at(until, self.wire.next()).await;
            match next.map_err(|_| "no page could be opened".to_owned())?? {
                Incoming::Reply(of, result) if of == id => return result.map(|_| ()),
                Incoming::Reply(..) => {}
                Incoming::Event(name, p)
                    if name == "network.beforeRequestSent" && !p["navigation"].is_null() =>
                {
                    let response = json!({
                        "request": p["request"]["request"], "statusCode": 200, "reasonPhrase": "OK",
                        "headers": [{ "name": "Content-Type",
                                      "value": { "type": "string", "value": "text/html" } }],
                        "body": { "type": "string", "value": "<!doctype html>" },
                    });
                    self.wire.send("network.provideResponse", response, None).await?;
                }
                Incoming::Event(name, _) if name.starts_with("network.") => {}
                Incoming::Event(name, params) => self.event(s, &name, &params).await?,
            }
        }
    }

    async fn event(&mut self, s: &mut Session<'_>, name: &str, p: &Value) -> Result<(), String> {
        match name {
            "script.message" if p["channel"] == CHANNEL => {
                s.record.page(p["data"]["value"].as_str().unwrap_or_default());
            }
            "log.entryAdded" => s.record.console(p["text"].as_str().unwrap_or_default()),
            "network.beforeRequestSent" => self.before(s, p).await?,
            "network.authRequired" if p["isBlocked"] == true => self.challenged(s, p).await?,
            "network.responseStarted" | "network.responseCompleted" => responded(s, p),
            "network.fetchError" => {
                let key = p["request"]["request"].as_str().unwrap_or_default();
                if let Some(draft) = s.record.of(key) {
                    draft.seen.error = p["errorText"].as_str().map(str::to_owned);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Only the target's page, and the sockets that we open, are asked for.
    async fn before(&mut self, s: &mut Session<'_>, p: &Value) -> Result<(), String> {
        let request = &p["request"];
        let url = request["url"].as_str().unwrap_or_default();
        let parsed = url::Url::parse(url).ok();
        let host = parsed.as_ref().and_then(|u| u.host_str()).unwrap_or_default();
        let own = host.trim_matches(['[', ']']).eq_ignore_ascii_case(&s.config().target.host)
            && p["context"] == self.context.as_str();
        let socket = listed(&request["headers"])
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
        // A page's own scripts run: what they open is not ours, and is held back.
        let ours =
            socket && s.record.sockets.iter().any(|known| super::record::same_address(known, url));
        let page = self.page && !p["navigation"].is_null();
        let allowed = own && (ours || page);
        let key = request["request"].as_str().unwrap_or_default();
        if allowed {
            let kind = if page { BrowserRequest::Document } else { BrowserRequest::Websocket };
            let at = p["timestamp"].as_i64().and_then(chrono::DateTime::from_timestamp_millis);
            let began = request["timings"]["requestTime"].as_f64().unwrap_or(0.0);
            // A socket is known by the address that the page gave it.
            let mut known = s.record.sockets.iter();
            let shown = known.find(|known| super::record::same_address(known, url));
            let shown = shown.filter(|_| ours).cloned().unwrap_or_else(|| url.to_owned());
            s.record.begin(key, kind, &shown, began, at);
            requested(s, p);
        } else if page
            && !own
            && let Some(draft) = s.record.of(key)
        {
            draft.seen.notes.push("it leads to another host, which was not contacted".into());
            draft.key.clear();
        }
        if p["isBlocked"] == true {
            let method = if allowed { "network.continueRequest" } else { "network.failRequest" };
            self.wire.send(method, json!({ "request": key }), None).await?;
        }
        Ok(())
    }

    async fn challenged(&mut self, s: &Session<'_>, p: &Value) -> Result<(), String> {
        let config = s.config();
        let credentials = if p["response"]["status"] == 407 {
            fixed_proxy(config, s.choice).flatten().and_then(|proxy| proxy.auth)
        } else {
            config.auth.as_ref()
        };
        let mut params = json!({ "request": p["request"]["request"], "action": "cancel" });
        if let Some(known) = credentials {
            params["action"] = json!("provideCredentials");
            params["credentials"] = json!({ "type": "password",
                "username": known.user.expose(), "password": known.password.expose() });
        }
        self.wire.send("network.continueWithAuth", params, None).await.map(|_| ())
    }
}

fn listed(headers: &Value) -> Vec<(String, String)> {
    let all = headers.as_array().into_iter().flatten();
    all.filter_map(|one| {
        let value = one["value"]["value"].as_str().unwrap_or_default();
        Some((one["name"].as_str()?.to_owned(), value.to_owned()))
    })
    .collect()
}

/// The request as it stands now: Firefox adds to it until it is sent.
fn requested(s: &mut Session<'_>, p: &Value) {
    let request = &p["request"];
    let Some(draft) = s.record.of(request["request"].as_str().unwrap_or_default()) else { return };
    let version = if draft.seen.multiplexed() { "HTTP/2" } else { "HTTP/1.1" };
    let method = request["method"].as_str().unwrap_or("GET");
    let line = format!("{method} {} {version}", path_of(&draft.seen.url));
    draft.seen.request = request_head(head(&line, &listed(&request["headers"])));
}

fn responded(s: &mut Session<'_>, p: &Value) {
    let (request, response) = (&p["request"], &p["response"]);
    let key = request["request"].as_str().unwrap_or_default();
    if let Some(draft) = s.record.of(key) {
        let seen = &mut draft.seen;
        seen.protocol = response["protocol"].as_str().filter(|p| !p.is_empty()).map(alpn);
        let version = if seen.multiplexed() { "HTTP/2" } else { "HTTP/1.1" };
        let status = response["status"].as_u64().unwrap_or(0);
        let reason = response["statusText"].as_str().unwrap_or_default();
        if status > 0 {
            let line = format!("{version} {status} {reason}");
            seen.response = response_head(head(&line, &listed(&response["headers"])));
        }
        let timings = &request["timings"];
        let began = timings["requestTime"].as_f64().filter(|at| *at > 0.0);
        let answered = timings["responseStart"].as_f64().filter(|at| *at > 0.0);
        seen.answered_ms = answered.zip(began).map(|(at, began)| round((at - began).max(0.0)));
    }
    requested(s, p);
}

/// Firefox's names of protocols are ALPN's but for `http/1.1` in other cases.
fn alpn(name: &str) -> String {
    name.to_ascii_lowercase()
}
