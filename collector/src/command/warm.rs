//! What the end of a collection needs, got ready while the network is waited
//! for: patterns are compiled at their first use, and that takes as long as a
//! short round trip. Nothing depends on it.

use wss_bundle::ResponseHead;
use wss_bundle::redact::Redactor;
use wss_diagnosis::signature::{Response, Signatures};

/// Starts to get ready, beside everything else.
pub(super) fn up() {
    // Without a thread it is done later.
    let _ = std::thread::Builder::new().spawn(|| {
        let head = "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nVia: 1.1 proxy\r\n\r\n";
        let head = ResponseHead::new(head.as_bytes().to_vec());
        let body = "<html><head><title>400 Bad Request</title></head></html>";
        let _ =
            Signatures::built_in().match_response(&Response { status: None, head: &head, body });
        let text = "https://user:password@host/?token=1 Authorization: Basic QTpC";
        let _ = Redactor::new().text("start", "pattern", text);
    });
}
