//! Chromium and its kin, by the DevTools protocol; what the protocol leaves out
//! (order of headers, the proxy, its answer, control frames) from the network
//! log that the browser writes into its profile.

use super::process::{Running, profile};
use super::quiet::{self, FEATURES_OFF, QUIET};
use super::record::{self, frame, head, opcode, path_of, request_head, response_head, round};
use super::wire::{Incoming, Wire};
use super::{END, OWN_PAGE, START, Session, fixed_proxy, is_root, netlog, script, sockets};
use base64::Engine as _;
use chrono::DateTime;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::time::Instant;
use wss_bundle::browser::{BrowserRequest, BrowserTls};
use wss_bundle::observation::Certificate;

/// Name of the network log in the profile.
const NET_LOG: &str = "wss-collector-netlog.json";
/// Name of the page's way to tell us something.
const BINDING: &str = "wssCollectorTell";

fn command(s: &mut Session<'_>, folder: &Path) -> Command {
    let (config, choice) = (&s.net.config, s.choice);
    let mut command = Command::new(&choice.program.path);
    command
        .arg("--headless=new")
        .args(QUIET)
        .arg(format!("--disable-features={FEATURES_OFF}"))
        .arg("--remote-debugging-port=0")
        .arg(format!("--user-data-dir={}", folder.display()))
        .arg(format!("--log-net-log={}", folder.join(NET_LOG).display()))
        // With the bytes: Chromium keeps the head of a refused handshake from
        // everybody else. The log goes with the profile.
        .arg("--net-log-capture-mode=Everything");
    let mut notes = Vec::new();
    if is_root() {
        command.arg("--no-sandbox");
        notes.push("Chromium ran without its sandbox, since root cannot use it".to_owned());
    }
    let proxy = fixed_proxy(config, choice);
    // Names that are not the target's do not resolve in it.
    let mut rules = vec!["MAP * ~NOTFOUND".to_owned()];
    let mut known = vec![config.target.host.as_str()];
    match &proxy {
        Some(Some(proxy)) => {
            command.arg(format!("--proxy-server={}", proxy.url));
            // The option means this target, also where it is this machine.
            command.arg("--proxy-bypass-list=<-loopback>");
            known.push(proxy.host);
        }
        Some(None) => {
            command.arg("--no-proxy-server");
        }
        None => known.extend(
            config.routes.iter().filter_map(|r| r.route.proxy.as_ref()).map(|p| p.host.as_str()),
        ),
    }
    // The user's ticket is for the proxy alone: no origin is told a token.
    command.arg(format!("--auth-server-allowlist={}", quiet::may_sign_on(&known[1..])));
    let mut places = vec![(config.target.host.as_str(), config.target.port)];
    places.extend(proxy.iter().flatten().map(|proxy| (proxy.host, proxy.port)));
    let mut pinned = Vec::new();
    for (host, port) in places {
        let over =
            config.resolve.iter().find(|o| (o.host == host || o.host == "*") && o.port == port);
        if let Some(address) = over.and_then(|over| over.addresses.first()) {
            let address = match address {
                std::net::IpAddr::V4(v4) => v4.to_string(),
                std::net::IpAddr::V6(v6) => format!("[{v6}]"),
            };
            rules.insert(0, format!("MAP {host} {address}"));
            pinned.push(host);
        }
    }
    // An exclusion would undo the override of `--resolve`.
    known.retain(|host| !pinned.contains(host));
    rules.extend(known.into_iter().map(|host| format!("EXCLUDE {host}")));
    // Behind a PAC script the proxies' names are the script's to know.
    if proxy.is_some()
        || !config.routes.is_empty() && s.choice.way == super::Way::System && !pac(config)
    {
        command.arg(format!("--host-resolver-rules={}", rules.join(", ")));
    }
    if let Some(key) = s.vouched.as_deref().and_then(base64_of_hex) {
        command.arg(format!("--ignore-certificate-errors-spki-list={key}"));
    }
    if config.tls.client.is_some() {
        notes.push("the client certificate was not handed to this browser".to_owned());
    }
    if !config.headers.is_empty() {
        notes.push("headers given with -H were not handed to this browser".to_owned());
    }
    command.arg("about:blank");
    s.record.notes.extend(notes);
    command
}

fn base64_of_hex(hex: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok())
        .collect();
    Some(base64::engine::general_purpose::STANDARD.encode(bytes?))
}

/// Whether `--resolve` gives the address of the proxy that the browser is told.
fn pinned(config: &crate::config::Config, choice: &super::Choice) -> bool {
    let proxy = fixed_proxy(config, choice).flatten();
    proxy.is_some_and(|proxy| {
        let of = |o: &&crate::config::ResolveOverride| o.host == proxy.host || o.host == "*";
        config.resolve.iter().filter(of).any(|o| o.port == proxy.port)
    })
}

/// Whether a proxy may come from a script or a setting that only the browser
/// follows: then its name, and the script's place, are its own to look up.
fn pac(config: &crate::config::Config) -> bool {
    let plain = |source: &String| source.starts_with("environment") || source.starts_with("option");
    config
        .routes
        .iter()
        .filter(|route| !route.route.id.is_direct())
        .any(|route| !route.route.sources.iter().all(plain))
}

pub(super) async fn run(s: &mut Session<'_>) -> Result<(), String> {
    let folder = profile(&s.choice.program)?;
    quiet::prepare(folder.path(), pinned(s.config(), s.choice))?;
    let command = command(s, folder.path());
    let mut running = Running::start(command, folder, &s.choice.program)?;
    let active = running.ready("DevToolsActivePort", s.config().timeout * START).await?;
    let mut lines = active.lines();
    let port = lines.next().and_then(|port| port.trim().parse().ok());
    let port = port.ok_or("its debugging port is not known")?;
    let path = lines.next().unwrap_or("/devtools/browser").trim().to_owned();
    let mut tab = Tab {
        wire: Wire::connect(port, &path).await?,
        session: None,
        frame: String::new(),
        blank: false,
        loaded: false,
    };
    let result = drive(&mut tab, s).await;
    s.record.freeze();
    // In order, so that its log is complete; else it is ended.
    let _ = tab.wire.send("Browser.close", json!({}), None).await;
    running.ended(END).await;
    netlog::enrich(&mut s.record, &running.folder().join(NET_LOG));
    result
}

/// Chromium calls itself Chrome.
fn name(program: &Path, product: &str) -> &'static str {
    let file = program.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match file.as_str() {
        _ if product.starts_with("Edg") => "Edge",
        name if name.contains("chromium") => "Chromium",
        name if name.contains("brave") => "Brave",
        _ => "Chrome",
    }
}

/// The name by which a browser with a window goes, with the hints that belong to it;
/// `None` where it has that name already. Filters refuse `HeadlessChrome`, which no
/// person's browser calls itself.
fn as_with_a_window(agent: &str, name: &str, number: &str) -> Option<Value> {
    let plain = agent.replace("HeadlessChrome/", "Chrome/");
    if plain == agent {
        return None;
    }
    let major = number.split('.').next().unwrap_or_default();
    let brand = |brand: &str, version: &str| json!({ "brand": brand, "version": version });
    let mut brands = vec![brand("Not:A-Brand", "8"), brand("Chromium", major)];
    match name {
        "Chrome" => brands.push(brand("Google Chrome", major)),
        "Edge" => brands.push(brand("Microsoft Edge", major)),
        "Brave" => brands.push(brand("Brave", major)),
        _ => {}
    }
    let platform = match std::env::consts::OS {
        "windows" => "Windows",
        "macos" => "macOS",
        _ => "Linux",
    };
    Some(json!({
        "userAgent": plain,
        "userAgentMetadata": {
            "brands": brands, "platform": platform, "platformVersion": "", "architecture": "",
            "model": "", "mobile": false,
        },
    }))
}

async fn drive(tab: &mut Tab, s: &mut Session<'_>) -> Result<(), String> {
    let version = tab.call(s, "Browser.getVersion", json!({})).await?;
    let product = version["product"].as_str().unwrap_or_default();
    let number = product.split_once('/').map_or("?", |(_, number)| number);
    let agent = version["userAgent"].as_str().unwrap_or_default();
    s.record.browser = wss_handed::har::by_user_agent(agent);
    let name = name(&s.choice.program.path, product);
    s.record.source = format!("{name} {number} headless");
    let target = tab.call(s, "Target.createTarget", json!({ "url": "about:blank" })).await?;
    let attach = json!({ "targetId": target["targetId"], "flatten": true });
    let attached = tab.call(s, "Target.attachToTarget", attach).await?;
    tab.session = attached["sessionId"].as_str().map(str::to_owned);
    tab.frame = target["targetId"].as_str().unwrap_or_default().to_owned();
    for domain in ["Page", "Network", "Log", "Runtime"] {
        tab.call(s, &format!("{domain}.enable"), json!({})).await?;
    }
    let all = json!({ "patterns": [{ "urlPattern": "*" }], "handleAuthRequests": true });
    tab.call(s, "Fetch.enable", all).await?;
    if let Some(name) = as_with_a_window(agent, name, number) {
        tab.call(s, "Emulation.setUserAgentOverride", name).await?;
    }
    tab.call(s, "Runtime.addBinding", json!({ "name": BINDING })).await?;
    let refused = tab.page(s).await?;
    let list = sockets(s.net).await;
    if let Some(why) = refused {
        for (at, socket) in list.iter().enumerate() {
            let key = format!("refused {at}");
            s.record.begin(&key, BrowserRequest::Websocket, &socket.url, 0.0, None);
            if let Some(draft) = s.record.of(&key) {
                draft.seen.error = Some(why.clone());
            }
        }
        return Ok(());
    }
    s.record.sockets = list.iter().map(|socket| socket.url.clone()).collect();
    s.record.protocol_frames = true;
    let expression = format!("{}(text => {BINDING}(text))", script(&list));
    tab.call(s, "Runtime.evaluate", json!({ "expression": expression })).await?;
    let watch = s.watch();
    let patience = s.patience() + watch;
    tab.until(s, patience, |_, s| s.record.settled(watch)).await
}

/// The one tab.
struct Tab {
    wire: Wire,
    session: Option<String>,
    frame: String,
    /// The page is ours: nothing is asked for it.
    blank: bool,
    /// The page has been read to its end.
    loaded: bool,
}

impl Tab {
    /// Calls a method; what happens meanwhile is recorded.
    async fn call(
        &mut self,
        s: &mut Session<'_>,
        method: &str,
        params: Value,
    ) -> Result<Value, String> {
        let id = self.wire.send(method, params, self.session.as_deref()).await?;
        let until = Instant::now() + s.patience();
        loop {
            let next = tokio::time::timeout_at(until, self.wire.next()).await;
            match next.map_err(|_| format!("no answer to {method}"))?? {
                Incoming::Reply(of, result) if of == id => {
                    return result.map_err(|why| format!("{method}: {why}"));
                }
                Incoming::Reply(..) => {}
                Incoming::Event(name, params) => self.event(s, &name, params).await?,
            }
        }
    }

    /// Records what happens until `done`, or until the time is over.
    async fn until(
        &mut self,
        s: &mut Session<'_>,
        limit: Duration,
        done: impl Fn(&Self, &Session<'_>) -> bool,
    ) -> Result<(), String> {
        let until = Instant::now() + limit;
        while Instant::now() < until && !done(self, s) {
            // `done` may become true by time alone.
            let tick = until.min(Instant::now() + Duration::from_millis(100));
            if let Ok(next) = tokio::time::timeout_at(tick, self.wire.next()).await
                && let Incoming::Event(name, params) = next?
            {
                self.event(s, &name, params).await?;
            }
        }
        Ok(())
    }

    /// Loads the target's page; when it cannot be had, one of our own at the
    /// same address, so that sockets have the right origin. Gives the browser's word
    /// where it refuses even that.
    async fn page(&mut self, s: &mut Session<'_>) -> Result<Option<String>, String> {
        let url = s.config().target.url("/");
        // A page's own scripts may do as they like: they are not run.
        self.scripts(s, false).await?;
        let result = self.call(s, "Page.navigate", json!({ "url": url })).await;
        let failed = match &result {
            Ok(result) => result["errorText"].as_str().map(str::to_owned),
            Err(why) => Some(why.clone()),
        };
        if let Some(why) = failed {
            // What the browser refuses itself is no request to the network.
            let known = |draft: &&record::Draft| draft.seen.kind == BrowserRequest::Document;
            if !s.record.drafts.iter().any(|draft| known(&draft)) {
                s.record.begin("page", BrowserRequest::Document, &url, 0.0, None);
                if let Some(draft) = s.record.of("page") {
                    draft.seen.error = Some(why);
                }
            }
            self.blank = true;
            self.loaded = false;
            s.record.notes.push(OWN_PAGE.to_owned());
            self.let_own_page_pass(s).await;
            let own = self.call(s, "Page.navigate", json!({ "url": url })).await?;
            // It asks for no page at this address at all, and opens no socket there.
            if let Some(why) = own["errorText"].as_str() {
                return Ok(Some(why.to_owned()));
            }
        }
        // Scripts that stand in it must have been passed over by then.
        let patience = s.patience();
        self.until(s, patience, |tab, _| tab.loaded).await?;
        self.scripts(s, true).await.map(|()| None)
    }

    /// A page that no network gave is of no network's address space, so that Chromium
    /// takes every private address for one that it must ask about. The target's own page
    /// would be of the address that it came from.
    async fn let_own_page_pass(&mut self, s: &mut Session<'_>) {
        let origin = s.config().target.origin();
        // By their newer names, and by the older one.
        for permissions in [&["localNetwork", "loopbackNetwork"][..], &["localNetworkAccess"]] {
            let params = json!({ "origin": origin, "permissions": permissions });
            let id = self.wire.send("Browser.grantPermissions", params, None).await;
            let Ok(id) = id else { return };
            let until = Instant::now() + s.patience();
            // A name that this version does not know is an error, and no harm.
            while let Ok(Ok(next)) = tokio::time::timeout_at(until, self.wire.next()).await {
                match next {
                    Incoming::Reply(of, Ok(_)) if of == id => return,
                    Incoming::Reply(of, Err(_)) if of == id => break,
                    Incoming::Reply(..) => {}
                    Incoming::Event(name, params) => {
                        if self.event(s, &name, params).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }

    async fn scripts(&mut self, s: &mut Session<'_>, run: bool) -> Result<(), String> {
        let value = json!({ "value": !run });
        self.call(s, "Emulation.setScriptExecutionDisabled", value).await.map(|_| ())
    }

    async fn event(&mut self, s: &mut Session<'_>, name: &str, p: Value) -> Result<(), String> {
        match name {
            "Page.loadEventFired" => self.loaded = true,
            "Fetch.requestPaused" => self.paused(s, &p).await?,
            "Fetch.authRequired" => self.challenged(s, &p).await?,
            "Runtime.bindingCalled" if p["name"] == BINDING => {
                s.record.page(p["payload"].as_str().unwrap_or_default());
            }
            "Log.entryAdded" => {
                s.record.console(p["entry"]["text"].as_str().unwrap_or_default());
            }
            _ if name.starts_with("Network.webSocket") => socket(s, name, &p),
            _ if name.starts_with("Network.") && !self.blank => document(s, name, &p, &self.frame),
            _ => {}
        }
        Ok(())
    }

    /// Only the target's own page is asked for.
    async fn paused(&mut self, s: &Session<'_>, p: &Value) -> Result<(), String> {
        let id = &p["requestId"];
        let url = p["request"]["url"].as_str().unwrap_or_default();
        let page = p["resourceType"] == "Document" && p["frameId"] == self.frame.as_str();
        let host = url::Url::parse(url).ok();
        let host = host.as_ref().and_then(|u| u.host_str()).unwrap_or_default();
        let own = host.trim_matches(['[', ']']).eq_ignore_ascii_case(&s.config().target.host);
        let (method, params) = match (page && own, self.blank) {
            (true, false) => ("Fetch.continueRequest", json!({ "requestId": id })),
            (true, true) => {
                let html = base64::engine::general_purpose::STANDARD.encode("<!doctype html>");
                let headers = json!([{ "name": "Content-Type", "value": "text/html" }]);
                let params = json!({ "requestId": id, "responseCode": 200,
                                     "responseHeaders": headers, "body": html });
                ("Fetch.fulfillRequest", params)
            }
            _ => {
                let params = json!({ "requestId": id, "errorReason": "BlockedByClient" });
                ("Fetch.failRequest", params)
            }
        };
        self.wire.send(method, params, self.session.as_deref()).await.map(|_| ())
    }

    /// Credentials that the user gave, for whom they were given; asked once.
    async fn challenged(&mut self, s: &Session<'_>, p: &Value) -> Result<(), String> {
        let config = s.config();
        let credentials = if p["authChallenge"]["source"] == "Proxy" {
            fixed_proxy(config, s.choice).flatten().and_then(|proxy| proxy.auth)
        } else {
            config.auth.as_ref()
        };
        let response = match credentials {
            Some(known) => json!({ "response": "ProvideCredentials",
                "username": known.user.expose(), "password": known.password.expose() }),
            None => json!({ "response": "CancelAuth" }),
        };
        let params = json!({ "requestId": p["requestId"], "authChallengeResponse": response });
        self.wire.send("Fetch.continueWithAuth", params, self.session.as_deref()).await.map(|_| ())
    }
}

/// Milliseconds of the browser's clock.
fn clock(p: &Value) -> f64 {
    p["timestamp"].as_f64().unwrap_or(0.0) * 1e3
}

fn wall(p: &Value) -> Option<DateTime<chrono::Utc>> {
    DateTime::from_timestamp_micros((p["wallTime"].as_f64()? * 1e6) as i64)
}

/// Names and values; Chromium joins repeated headers by line breaks.
fn listed(headers: &Value) -> Vec<(String, String)> {
    let all = headers.as_object().into_iter().flatten();
    all.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn socket(s: &mut Session<'_>, name: &str, p: &Value) {
    let key = p["requestId"].as_str().unwrap_or_default();
    if name == "Network.webSocketCreated" {
        let url = p["url"].as_str().unwrap_or_default();
        if s.record.sockets.iter().any(|known| record::same_address(known, url)) {
            s.record.begin(key, BrowserRequest::Websocket, url, 0.0, None);
        }
        return;
    }
    let Some(draft) = s.record.of(key) else { return };
    let since = round(clock(p) - draft.began_ms);
    let seen = &mut draft.seen;
    match name {
        "Network.webSocketWillSendHandshakeRequest" => {
            draft.began_ms = clock(p);
            seen.at = wall(p);
            let line = format!("GET {} HTTP/1.1", path_of(&seen.url));
            seen.request = request_head(head(&line, &listed(&p["request"]["headers"])));
        }
        "Network.webSocketHandshakeResponseReceived" => {
            let response = &p["response"];
            let status = response["status"].as_u64().unwrap_or(0);
            let reason = response["statusText"].as_str().unwrap_or_default();
            // HTTP/2 has no head as text.
            seen.response = match text(&response["headersText"]) {
                Some(text) => response_head(text),
                None => response_head(head(
                    &format!("HTTP/1.1 {status} {reason}"),
                    &listed(&response["headers"]),
                )),
            };
            seen.answered_ms = Some(since);
        }
        "Network.webSocketFrameSent" | "Network.webSocketFrameReceived" => {
            let response = &p["response"];
            let number = response["opcode"].as_f64().unwrap_or(0.0) as i64;
            let payload = response["payloadData"].as_str().unwrap_or_default();
            let bytes = if number == 1 {
                payload.len()
            } else {
                let padding = payload.bytes().rev().take_while(|b| *b == b'=').count();
                (payload.len() / 4 * 3).saturating_sub(padding)
            };
            frame(seen, name.ends_with("Sent"), &opcode(number), bytes as u64, Some(since));
        }
        "Network.webSocketFrameError" => {
            if let Some(error) = text(&p["errorMessage"]) {
                seen.error.get_or_insert(error);
            }
        }
        _ => {}
    }
}

fn document(s: &mut Session<'_>, name: &str, p: &Value, frame: &str) {
    let key = p["requestId"].as_str().unwrap_or_default();
    if name == "Network.requestWillBeSent" {
        if p["type"] != "Document" || p["frameId"] != frame {
            return;
        }
        let own = s.config().target.host.clone();
        if let Some(draft) = s.record.of(key)
            && !p["redirectResponse"].is_null()
        {
            answered(draft, &p["redirectResponse"]);
        }
        let url = p["request"]["url"].as_str().unwrap_or_default();
        let host = url::Url::parse(url).ok();
        let host = host.as_ref().and_then(|u| u.host_str()).unwrap_or_default();
        if !host.trim_matches(['[', ']']).eq_ignore_ascii_case(&own) {
            if let Some(draft) = s.record.of(key) {
                draft.seen.notes.push("it leads to another host, which was not contacted".into());
                draft.key.clear();
            }
            return;
        }
        s.record.begin(key, BrowserRequest::Document, url, clock(p), wall(p));
        return;
    }
    let Some(draft) = s.record.of(key) else { return };
    let seen = &mut draft.seen;
    match name {
        "Network.requestWillBeSentExtraInfo" => {
            let line = format!("GET {} HTTP/1.1", path_of(&seen.url));
            seen.request = request_head(head(&line, &listed(&p["headers"])));
        }
        "Network.responseReceivedExtraInfo" => {
            if let Some(text) = text(&p["headersText"]) {
                seen.response = response_head(text);
            }
        }
        "Network.responseReceived" => answered(draft, &p["response"]),
        "Network.loadingFailed" => seen.error = text(&p["errorText"]),
        _ => {}
    }
}

fn answered(draft: &mut record::Draft, response: &Value) {
    let seen = &mut draft.seen;
    seen.protocol = text(&response["protocol"]);
    if let Some(address) = text(&response["remoteIPAddress"]) {
        let port = response["remotePort"].as_u64().unwrap_or(0);
        seen.remote = Some(format!("{address}:{port}"));
    }
    if seen.response.is_none() {
        let version = if seen.multiplexed() { "HTTP/2" } else { "HTTP/1.1" };
        let status = response["status"].as_u64().unwrap_or(0);
        let reason = response["statusText"].as_str().unwrap_or_default();
        let line = format!("{version} {status} {reason}");
        seen.response = response_head(head(&line, &listed(&response["headers"])));
    }
    let timing = &response["timing"];
    seen.answered_ms = timing["receiveHeadersEnd"].as_f64().filter(|ms| *ms >= 0.0).map(round);
    let security = &response["securityDetails"];
    if security.is_object() {
        let date = |value: &Value| {
            let at = value.as_f64().and_then(|at| DateTime::from_timestamp(at as i64, 0));
            at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)).unwrap_or_default()
        };
        let names = security["sanList"].as_array().into_iter().flatten();
        seen.tls = Some(BrowserTls {
            version: text(&security["protocol"]),
            cipher: text(&security["cipher"]),
            certificate: Some(Certificate {
                subject: format!("CN={}", security["subjectName"].as_str().unwrap_or_default()),
                subject_cn: text(&security["subjectName"]),
                issuer: format!("CN={}", security["issuer"].as_str().unwrap_or_default()),
                issuer_cn: text(&security["issuer"]),
                sans: names.filter_map(|name| Some(name.as_str()?.to_owned())).collect(),
                not_before: date(&security["validFrom"]),
                not_after: date(&security["validTo"]),
                ..Certificate::default()
            }),
        });
    }
}
