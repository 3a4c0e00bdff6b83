//! What is left of a HAR, as a HAR: DevTools import it, and a person can see
//! that nothing else was taken.

use serde_json::{Value, json};
use wss_bundle::browser::{BrowserHandshake, BrowserRequest};
use wss_bundle::{Bytes, ResponseHead};

/// The bytes of the file.
pub(super) fn har(seen: &[BrowserHandshake], browser: Option<&str>) -> Vec<u8> {
    let har = json!({ "log": {
        "version": "1.2",
        "creator": { "name": "wss-collector", "version": env!("CARGO_PKG_VERSION"),
                     "comment": "handshakes only; bodies, payloads and credentials were removed" },
        "browser": { "name": browser.unwrap_or("unknown"), "version": "" },
        "pages": [],
        "entries": seen.iter().map(entry).collect::<Vec<_>>(),
    }});
    let mut bytes = serde_json::to_vec_pretty(&har).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn entry(seen: &BrowserHandshake) -> Value {
    let version = seen.protocol.clone().unwrap_or_default();
    let status = seen.status().unwrap_or(0);
    let line = seen.response.as_ref().map(ResponseHead::status_line).unwrap_or_default();
    let reason = line.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
    let request = seen.request.as_ref().map(|Bytes(raw)| ResponseHead::new(raw.clone()));
    let method = request.as_ref().map(ResponseHead::version).unwrap_or_else(|| "GET".into());
    let mut entry = json!({
        "startedDateTime": seen.at,
        "time": seen.closed.as_ref().and_then(|c| c.at_ms).or(seen.answered_ms).unwrap_or(0.0),
        "request": {
            "method": method, "url": seen.url, "httpVersion": version,
            "headers": headers(request.as_ref()),
            "queryString": [], "cookies": [], "headersSize": -1, "bodySize": -1,
        },
        "response": {
            "status": status, "statusText": reason, "httpVersion": version,
            "headers": headers(seen.response.as_ref()),
            "cookies": [], "content": { "size": 0, "mimeType": "x-unknown" },
            "redirectURL": "", "headersSize": -1, "bodySize": -1, "_error": seen.error,
        },
        "cache": {},
        "timings": { "send": 0, "wait": seen.answered_ms.unwrap_or(0.0), "receive": 0 },
    });
    if let Some(address) = &seen.remote {
        entry["serverIPAddress"] = json!(address);
    }
    if seen.kind == BrowserRequest::Websocket {
        entry["_resourceType"] = json!("websocket");
        entry["_webSocketMessages"] =
            seen.frames.iter().map(|frame| message(seen, frame)).collect();
    } else {
        entry["_resourceType"] = json!("document");
    }
    entry
}

fn message(seen: &BrowserHandshake, frame: &wss_bundle::browser::BrowserFrame) -> Value {
    let opcode = match frame.opcode.as_str() {
        "text" => 1,
        "binary" => 2,
        "close" => 8,
        "ping" => 9,
        "pong" => 10,
        _ => 0,
    };
    let time =
        seen.at.zip(frame.at_ms).map(|(at, ms)| at.timestamp_micros() as f64 / 1e6 + ms / 1e3);
    json!({
        "type": if frame.sent { "send" } else { "receive" },
        "time": time, "opcode": opcode,
        "data": format!("[removed: {} bytes]", frame.bytes),
    })
}

fn headers(head: Option<&ResponseHead>) -> Vec<Value> {
    let all = head.map(ResponseHead::headers).unwrap_or_default();
    all.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}
