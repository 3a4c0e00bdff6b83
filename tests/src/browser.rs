//! A real Chromium, driven by its own protocol (Chrome DevTools Protocol), to
//! look at a page as a person would: what it says on the console, what it asks
//! the network for, how it looks at a width, in the dark, and on paper.

use base64::Engine as _;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long the browser may take for anything.
const PATIENCE: Duration = Duration::from_secs(40);

/// A running browser with one tab.
pub struct Browser {
    child: Child,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    next: u64,
    events: Vec<Value>,
    // Dropped after the child.
    _profile: tempfile::TempDir,
}

/// What a tab looks like.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// CSS pixels.
    pub width: u32,
    /// CSS pixels.
    pub height: u32,
    /// Whether the user wants dark colours.
    pub dark: bool,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(error: impl std::fmt::Display) -> String {
    format!("chromium: {error}")
}

impl Browser {
    /// Starts one in a profile of its own.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub async fn start() -> Result<Self, String> {
        let profile = tempfile::tempdir().map_err(text)?;
        let child = Command::new("chromium")
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update"])
            .args(["--remote-debugging-port=0", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("chromium: {error}: apt-get install chromium"))?;
        let endpoint = endpoint(&profile.path().join("DevToolsActivePort")).await?;
        let (socket, _) = tokio_tungstenite::connect_async(endpoint).await.map_err(text)?;
        let mut browser =
            Self { child, socket, session: None, next: 0, events: Vec::new(), _profile: profile };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" })).await?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach).await?;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({})).await?;
        }
        Ok(browser)
    }

    /// Calls a method; events that come meanwhile are kept.
    ///
    /// # Errors
    /// The browser's own, or no answer in time.
    pub async fn call(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.next += 1;
        let id = self.next;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(message.to_string())).await.map_err(text)?;
        loop {
            let message = self.receive(method).await?;
            if message["id"] == id {
                return match message.get("error") {
                    Some(error) => Err(format!("{method}: {error}")),
                    None => Ok(message["result"].clone()),
                };
            }
        }
    }

    async fn receive(&mut self, during: &str) -> Result<Value, String> {
        let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
        let message = next.map_err(|_| format!("chromium: no answer to {during}"))?;
        let message = message.ok_or("chromium: it has gone")?.map_err(text)?;
        let value: Value = serde_json::from_str(message.to_text().map_err(text)?).map_err(text)?;
        if value.get("method").is_some() {
            self.events.push(value.clone());
        }
        Ok(value)
    }

    /// What has happened since a page was opened last.
    #[must_use]
    pub fn events(&self) -> &[Value] {
        &self.events
    }

    /// Opens a page from a file, and waits until it has loaded.
    ///
    /// # Errors
    /// It does not load.
    pub async fn open(&mut self, page: &Path, view: View) -> Result<(), String> {
        self.open_url(&format!("file://{}", page.display()), view).await
    }

    /// Opens an address, and waits until it has loaded.
    ///
    /// # Errors
    /// It does not load.
    pub async fn open_url(&mut self, url: &str, view: View) -> Result<(), String> {
        self.look(view).await?;
        self.events.clear();
        self.call("Page.navigate", json!({ "url": url })).await?;
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            self.receive("Page.navigate").await?;
        }
        Ok(())
    }

    /// Changes what the tab looks like.
    ///
    /// # Errors
    /// The browser's own.
    pub async fn look(&mut self, view: View) -> Result<(), String> {
        let metrics = json!({
            "width": view.width, "height": view.height, "deviceScaleFactor": 1, "mobile": false
        });
        self.call("Emulation.setDeviceMetricsOverride", metrics).await?;
        let scheme = if view.dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await?;
        Ok(())
    }

    /// What the page said on the console and in the log, and whom it asked for
    /// anything but itself.
    ///
    /// # Errors
    /// The browser has gone.
    pub async fn complaints(&mut self) -> Result<Vec<String>, String> {
        // One round trip more, so that what was on its way has arrived.
        self.evaluate("1").await?;
        let said = |event: &Value| match event["method"].as_str() {
            Some("Runtime.consoleAPICalled") => {
                Some(format!("console: {}", event["params"]["args"]))
            }
            Some("Runtime.exceptionThrown") => {
                Some(format!("exception: {}", event["params"]["exceptionDetails"]))
            }
            Some("Log.entryAdded") => Some(format!("log: {}", event["params"]["entry"]["text"])),
            Some("Network.requestWillBeSent") => {
                let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
                let itself = url.starts_with("file://") && event["params"]["type"] == "Document";
                let local = ["data:", "blob:", "about:"].iter().any(|own| url.starts_with(own));
                (!itself && !local).then(|| format!("request: {url}"))
            }
            _ => None,
        };
        Ok(self.events.iter().filter_map(said).collect())
    }

    /// The value of an expression; of a promise, what it comes to.
    ///
    /// # Errors
    /// It throws.
    pub async fn evaluate(&mut self, expression: &str) -> Result<Value, String> {
        let params =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let result = self.call("Runtime.evaluate", params).await?;
        match result.get("exceptionDetails") {
            Some(thrown) => Err(format!("{thrown}")),
            None => Ok(result["result"]["value"].clone()),
        }
    }

    /// A picture of the tab (PNG); of the whole page, or what fits the view.
    ///
    /// # Errors
    /// The browser's own.
    pub async fn picture(&mut self, whole: bool) -> Result<Vec<u8>, String> {
        let params = json!({ "format": "png", "captureBeyondViewport": whole });
        bytes(&self.call("Page.captureScreenshot", params).await?)
    }

    /// The page on paper (PDF).
    ///
    /// # Errors
    /// The browser's own.
    pub async fn print(&mut self) -> Result<Vec<u8>, String> {
        bytes(&self.call("Page.printToPDF", json!({ "printBackground": true })).await?)
    }
}

fn bytes(result: &Value) -> Result<Vec<u8>, String> {
    let data = result["data"].as_str().unwrap_or_default();
    base64::engine::general_purpose::STANDARD.decode(data).map_err(text)
}

/// Where it listens: it writes that into its profile when it is ready.
async fn endpoint(file: &PathBuf) -> Result<String, String> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if let Ok(content) = std::fs::read_to_string(file)
            && let Some((port, path)) = content.trim().split_once('\n')
        {
            return Ok(format!("ws://127.0.0.1:{port}{path}"));
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    Err("chromium: it did not get ready".to_owned())
}
