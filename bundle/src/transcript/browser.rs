//! What a browser saw, in the same form; `>` and `<` stand for what the browser
//! says it sent and received.

use super::{Transcript, file_name, quote, received};
use crate::browser::{BrowserFrame, BrowserHandshake, BrowserRequest};
use crate::head::ResponseHead;
use std::fmt::Write as _;

/// The transcript of one request of a browser.
pub(super) fn of(seen: &BrowserHandshake) -> Transcript {
    let command = command(seen);
    let mut text = format!("# As seen by {}", seen.source);
    if let Some(browser) = &seen.browser {
        let _ = write!(text, " ({browser})");
    }
    if let Some(at) = seen.at {
        let _ = write!(text, " at {}", at.format("%Y-%m-%d %H:%M:%S UTC"));
    }
    let _ = writeln!(text, "\n$ {command}");
    for note in &seen.notes {
        let _ = writeln!(text, "* Note: {note}");
    }
    connection(&mut text, seen);
    match &seen.request {
        Some(request) => {
            for line in request.text().lines() {
                let _ = writeln!(text, "> {line}");
            }
        }
        None => text.push_str("* The browser shows no request\n"),
    }
    let mut response = String::new();
    if let Some(head) = &seen.response {
        received(&mut text, head);
        response = head.raw.text().into_owned();
    }
    if (seen.request.is_some() || seen.response.is_some()) && !seen.exact {
        text.push_str("* Headers as the browser lists them, not as they were on the wire\n");
    }
    outcome(&mut text, seen);
    let kind = match seen.kind {
        BrowserRequest::Document => "document",
        BrowserRequest::Websocket => "websocket",
    };
    Transcript {
        path: format!(
            "transcripts/{}.txt",
            file_name(&format!("browser-{}-{kind}{}", seen.id, seen.path()))
        ),
        observation: seen.id.clone(),
        command,
        response,
        text,
    }
}

fn connection(text: &mut String, seen: &BrowserHandshake) {
    if let Some(route) = &seen.route {
        let _ = writeln!(text, "* Route: {route}");
    }
    if let Some(remote) = &seen.remote {
        let _ = writeln!(text, "* Connected to {remote}");
    }
    if let Some(head) = &seen.tunnel {
        text.push_str("* The proxy's answer to CONNECT:\n");
        received(text, head);
    }
    if let Some(tls) = &seen.tls {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "unknown".into());
        let _ =
            writeln!(text, "* SSL connection using {} / {}", part(&tls.version), part(&tls.cipher));
        if let Some(leaf) = &tls.certificate {
            let _ = writeln!(text, "* Server certificate: {}", leaf.subject);
            let _ = writeln!(text, "*  issuer: {}", leaf.issuer);
        }
    }
    if let Some(protocol) = &seen.protocol {
        let _ = writeln!(text, "* Protocol: {protocol}");
    }
}

fn outcome(text: &mut String, seen: &BrowserHandshake) {
    if let Some(ms) = seen.answered_ms {
        let _ = writeln!(text, "* Answered after {ms:.1} ms");
    }
    if let Some(error) = &seen.error {
        let _ = writeln!(text, "* {error}");
    }
    for line in &seen.console {
        let _ = writeln!(text, "* Console: {line}");
    }
    if let Some(ms) = seen.opened_ms {
        let _ = writeln!(text, "* WebSocket: open after {ms:.1} ms");
    }
    for frame in &seen.frames {
        let _ = writeln!(text, "{}", line(frame));
    }
    let all = seen.frames_sent + seen.frames_received;
    if all > seen.frames.len() as u64 {
        let _ = writeln!(
            text,
            "* {} frames sent and {} received in all",
            seen.frames_sent, seen.frames_received
        );
    }
    match (&seen.closed, seen.watched_ms) {
        (Some(closed), _) => {
            let code = closed.code.map_or("no code".into(), |code| format!("code {code}"));
            let clean = match closed.clean {
                Some(true) => ", clean",
                Some(false) => ", not clean",
                None => "",
            };
            let at = closed.at_ms.map_or(String::new(), |ms| format!(" after {:.1} s", ms / 1e3));
            let _ = writeln!(text, "* WebSocket: closed{at}, {code}{clean}");
        }
        (None, Some(ms)) if seen.opened_ms.is_some() => {
            let _ = writeln!(text, "* WebSocket: still open after {:.1} s", ms / 1e3);
        }
        _ => {}
    }
}

fn line(frame: &BrowserFrame) -> String {
    let at = frame.at_ms.map_or(String::new(), |ms| format!(" at {ms:.0} ms"));
    let way = if frame.sent { "sent" } else { "received" };
    format!("* Frame {way}{at}: {}, {} bytes", frame.opcode, frame.bytes)
}

/// Headers that curl sends by itself, or that no command should repeat.
const LEFT_OUT: [&str; 7] = [
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "cookie",
    "authorization",
    "content-length",
];

/// The curl command that sends the same, as far as curl can.
fn command(seen: &BrowserHandshake) -> String {
    let mut words = vec!["curl".to_owned(), "-i".into(), "-v".into(), "-N".into()];
    words.push(if seen.multiplexed() { "--http2".into() } else { "--http1.1".into() });
    let request = seen.request.as_ref().map_or(Vec::new(), |bytes| bytes.0.clone());
    for (name, value) in ResponseHead::new(request).headers() {
        let lower = name.to_ascii_lowercase();
        let left_out = LEFT_OUT.contains(&lower.as_str()) || lower.starts_with("sec-ch-");
        if !left_out && !name.starts_with(':') && !name.is_empty() && !value.contains("[removed") {
            words.extend(["-H".into(), quote(&format!("{name}: {value}"))]);
        }
    }
    let url = match seen.url.split_once("://") {
        Some(("wss", rest)) => format!("https://{rest}"),
        Some(("ws", rest)) => format!("http://{rest}"),
        _ => seen.url.clone(),
    };
    words.push(quote(&url));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::BrowserClose;
    use crate::head::Bytes;

    #[test]
    fn reads_like_a_handshake() {
        let url = "wss://b.example/v1/ws?t=[removed]".to_owned();
        let mut seen = BrowserHandshake::new("har:x.har", BrowserRequest::Websocket, url);
        seen.id = "b2".into();
        seen.request = Some(Bytes::from(
            "GET /v1/ws HTTP/1.1\r\nHost: b.example\r\nOrigin: https://b.example\r\n\
             Cookie: a=[removed]\r\n\r\n",
        ));
        seen.response =
            Some(ResponseHead::new("HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n"));
        seen.error = Some("net::ERR_INVALID_HTTP_RESPONSE".into());
        seen.closed =
            Some(BrowserClose { code: Some(1006), clean: Some(false), at_ms: Some(90.0) });
        let transcript = of(&seen);
        assert_eq!(transcript.path, "transcripts/browser-b2-websocket-v1-ws.txt");
        assert_eq!(
            transcript.command,
            "curl -i -v -N --http1.1 -H 'Origin: https://b.example' \
             'https://b.example/v1/ws?t=[removed]'"
        );
        for part in [
            "> GET /v1/ws",
            "< HTTP/1.1 400 Bad Request",
            "closed after 0.1 s, code 1006, not clean",
        ] {
            assert!(transcript.text.contains(part), "{part} in\n{}", transcript.text);
        }
    }
}
