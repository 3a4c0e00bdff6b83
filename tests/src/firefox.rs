//! A real Firefox, driven by WebDriver BiDi, to look at a page as [`crate::browser`]
//! does with Chromium: what it says on the console, and what it asks the network for.

use crate::browser::View;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long the browser may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// What would talk to its makers.
const QUIET: &str = "user_pref('app.normandy.enabled', false);
user_pref('app.update.disabledForTesting', true);
user_pref('browser.newtabpage.enabled', false);
user_pref('browser.region.network.url', '');
user_pref('browser.safebrowsing.malware.enabled', false);
user_pref('browser.safebrowsing.phishing.enabled', false);
user_pref('browser.shell.checkDefaultBrowser', false);
user_pref('browser.startup.page', 0);
user_pref('datareporting.policy.dataSubmissionEnabled', false);
user_pref('dom.push.connection.enabled', false);
user_pref('extensions.update.enabled', false);
user_pref('network.captive-portal-service.enabled', false);
user_pref('network.connectivity-service.enabled', false);
user_pref('services.settings.server', 'data:,#remote-settings-dummy/v1');
user_pref('toolkit.telemetry.enabled', false);
";

/// A running browser with one tab.
pub struct Firefox {
    child: Child,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    context: String,
    next: u64,
    events: Vec<Value>,
    // Dropped after the child.
    _profile: tempfile::TempDir,
}

impl Drop for Firefox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(error: impl std::fmt::Display) -> String {
    format!("firefox: {error}")
}

impl Firefox {
    /// Starts one in a profile of its own, which wants light or dark colours.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub async fn start(view: View) -> Result<Self, String> {
        let profile = tempfile::tempdir().map_err(text)?;
        let dark = u8::from(view.dark);
        let wanted = format!(
            "{QUIET}user_pref('layout.css.prefers-color-scheme.content-override', {});\n",
            1 - dark
        );
        std::fs::write(profile.path().join("user.js"), wanted).map_err(text)?;
        let size = [("--width", view.width), ("--height", view.height)];
        let child = Command::new("firefox-esr")
            .args(["--headless", "--no-remote", "--remote-debugging-port=0", "--profile"])
            .arg(profile.path())
            .args(size.iter().map(|(name, value)| format!("{name}={value}")))
            .env("MOZ_CRASHREPORTER_DISABLE", "1")
            .env("MOZ_REMOTE_SETTINGS_DEVTOOLS", "1")
            .env("MOZ_HEADLESS", "1")
            .env("MOZ_DISABLE_AUTO_SAFE_MODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("firefox-esr: {error}: apt-get install firefox-esr"))?;
        let mut started = Starting { child: Some(child) };
        let port = port(&profile.path().join("WebDriverBiDiServer.json")).await?;
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let url = format!("ws://127.0.0.1:{port}/session");
        let (socket, _) = tokio_tungstenite::connect_async_with_config(url, Some(config), false)
            .await
            .map_err(text)?;
        let child = started.child.take().ok_or("firefox: it has gone")?;
        let (context, events) = (String::new(), Vec::new());
        let mut firefox = Self { child, socket, context, next: 0, events, _profile: profile };
        firefox.call("session.new", json!({ "capabilities": {} })).await?;
        let events = json!({ "events": ["log.entryAdded", "network.beforeRequestSent", "browsingContext.load"] });
        firefox.call("session.subscribe", events).await?;
        let tree = firefox.call("browsingContext.getTree", json!({})).await?;
        let context = tree["contexts"][0]["context"].as_str().ok_or("firefox: it has no tab")?;
        firefox.context = context.to_owned();
        Ok(firefox)
    }

    async fn call(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.next += 1;
        let id = self.next;
        let message = json!({ "id": id, "method": method, "params": params });
        self.socket.send(Message::text(message.to_string())).await.map_err(text)?;
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let message = next.map_err(|_| format!("firefox: no answer to {method}"))?;
            let message = message.ok_or("firefox: it has gone")?.map_err(text)?;
            let value: Value =
                serde_json::from_str(message.to_text().map_err(text)?).map_err(text)?;
            if value["id"] == id {
                return match value["type"] == "error" {
                    true => Err(format!("{method}: {} {}", value["error"], value["message"])),
                    false => Ok(value["result"].clone()),
                };
            }
            if value.get("method").is_some() {
                self.events.push(value);
            }
        }
    }

    /// Opens an address, and waits until it has loaded.
    ///
    /// # Errors
    /// It does not load.
    pub async fn open(&mut self, url: &str) -> Result<(), String> {
        self.events.clear();
        let blank = json!({ "context": self.context, "url": "about:blank", "wait": "complete" });
        self.call("browsingContext.navigate", blank).await?;
        let page = json!({ "context": self.context, "url": url, "wait": "complete" });
        self.call("browsingContext.navigate", page).await.map(drop)
    }

    /// The value of an expression, which may be a promise: it is given as JSON.
    ///
    /// # Errors
    /// It throws.
    pub async fn evaluate(&mut self, expression: &str) -> Result<Value, String> {
        let context = self.context.clone();
        self.evaluate_in(&context, expression).await
    }

    /// Runs a script, which may be statements; nothing of it is given back.
    ///
    /// # Errors
    /// It throws.
    pub async fn run(&mut self, script: &str) -> Result<(), String> {
        let params = json!({
            "expression": script, "awaitPromise": false, "resultOwnership": "none",
            "serializationOptions": { "maxObjectDepth": 0, "maxDomDepth": 0 },
            "target": { "context": self.context }
        });
        let result = self.call("script.evaluate", params).await?;
        match result["type"] == "exception" {
            true => Err(format!("{}", result["exceptionDetails"])),
            false => Ok(()),
        }
    }

    /// The same in the first frame of the page.
    ///
    /// # Errors
    /// There is none; it throws.
    pub async fn evaluate_in_frame(&mut self, expression: &str) -> Result<Value, String> {
        let root = json!({ "root": self.context });
        let tree = self.call("browsingContext.getTree", root).await?;
        let frame = tree["contexts"][0]["children"][0]["context"].as_str();
        let frame = frame.ok_or("firefox: no frame in the page")?.to_owned();
        self.evaluate_in(&frame, expression).await
    }

    async fn evaluate_in(&mut self, context: &str, expression: &str) -> Result<Value, String> {
        let wrapped = format!(
            "Promise.resolve({expression}).then((v) => JSON.stringify(v === undefined ? null : v))"
        );
        let params = json!({
            "expression": wrapped, "awaitPromise": true, "target": { "context": context }
        });
        let result = self.call("script.evaluate", params).await?;
        match result["type"] == "exception" {
            true => Err(format!("{}", result["exceptionDetails"])),
            false => serde_json::from_str(result["result"]["value"].as_str().unwrap_or("null"))
                .map_err(text),
        }
    }

    /// What the page said on the console, and whom it asked for anything but itself.
    ///
    /// # Errors
    /// The browser has gone.
    pub async fn complaints(&mut self) -> Result<Vec<String>, String> {
        // One round trip more, so that what was on its way has arrived.
        self.evaluate("1").await?;
        let said = |event: &Value| match event["method"].as_str() {
            Some("log.entryAdded") => Some(format!("log: {}", event["params"]["text"])),
            Some("network.beforeRequestSent") => {
                let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
                let navigation = !event["params"]["navigation"].is_null();
                let local = ["blob:", "data:", "about:"].iter().any(|own| url.starts_with(own));
                (!navigation && !local).then(|| format!("request: {url}"))
            }
            _ => None,
        };
        Ok(self.events.iter().filter_map(said).collect())
    }
}

/// Ends the program when it did not get ready.
struct Starting {
    child: Option<Child>,
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Where it listens: it writes that into its profile when it is ready.
async fn port(file: &std::path::Path) -> Result<u64, String> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let written = std::fs::read_to_string(file).unwrap_or_default();
        let value: Value = serde_json::from_str(&written).unwrap_or_default();
        if let Some(port) = value["ws_port"].as_u64() {
            return Ok(port);
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    Err("firefox: it did not get ready".to_owned())
}
