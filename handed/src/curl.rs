//! Output of curl, as it was saved or pasted.

use wss_bundle::manifest::NotUsed;
use wss_bundle::{Attachment, AttachmentKind, Vantage, pasted};

/// Largest output that is taken, in bytes: a head, and some page.
pub const LIMIT: u64 = 1 << 20;

const PAGE: &str = "save what the page's command prints, with -i and --http1.1";

/// Why the output of one side, called `name`, is of no use, and what would be.
#[must_use]
pub fn not_used(side: Vantage, name: &str, reason: String, instead: &str) -> NotUsed {
    NotUsed {
        option: "--curl-output".to_owned(),
        name: format!("{}={name}", side.as_str()),
        reason,
        instead: instead.to_owned(),
    }
}

/// An output as an attachment, as it is: secrets are removed with the rest.
///
/// # Errors
/// It is too large, empty, or no text.
pub fn attachment(side: Vantage, name: &str, bytes: Vec<u8>) -> Result<Attachment, NotUsed> {
    let wrong = |reason: String| Err(not_used(side, name, reason, PAGE));
    if bytes.len() as u64 > LIMIT {
        return wrong(format!("more than {LIMIT} bytes are no output of the page's command"));
    }
    let text = pasted::text(&bytes);
    if text.trim().is_empty() {
        return wrong("it is empty".to_owned());
    }
    if is_binary(&bytes, &text) {
        return wrong("it is no text".to_owned());
    }
    // The file's own name may tell more than it should, and two may have the same.
    let name = format!("curl-output-{}.txt", side.as_str());
    let kind = AttachmentKind::CurlOutput;
    Ok(Attachment { name, path: None, kind, vantage: Some(side), bytes })
}

/// Whether a file is an image, an archive, a document: little of it is left when
/// what no text has is taken away.
fn is_binary(bytes: &[u8], text: &str) -> bool {
    let begins = [
        &b"PK\x03\x04"[..],
        b"\x89PNG",
        b"\xff\xd8\xff",
        b"GIF8",
        b"%PDF",
        b"\x1f\x8b",
        b"\xd0\xcf\x11\xe0",
    ];
    let odd = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    begins.iter().any(|magic| bytes.starts_with(magic)) || odd * 10 > text.chars().count()
}
