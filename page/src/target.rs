//! What it is about, where nobody says so: the address in what was handed over.

use wss_bundle::pasted::curl;
use wss_bundle::{Target, target};

/// How much of a recording is looked at, in bytes.
const LOOKED_AT: usize = 64 << 20;

/// What a person typed. The path of a page's address is none of a socket's: the
/// console's paths are meant, unless the address is a WebSocket's or names one of them.
///
/// # Errors
/// As [`target::parse`].
pub fn typed(text: &str) -> Result<Target, String> {
    let (mut found, _) = target::parse(text, &[])?;
    let socket = ["ws://", "wss://"].iter().any(|scheme| {
        text.trim().get(..scheme.len()).is_some_and(|own| own.eq_ignore_ascii_case(scheme))
    });
    let known =
        |path: &String| target::DEFAULT_PATHS.contains(&path.split('?').next().unwrap_or_default());
    if !socket && !found.paths.iter().all(known) {
        found.paths = target::DEFAULT_PATHS.map(str::to_owned).to_vec();
    }
    Ok(found)
}

/// The address that a curl command was called with.
#[must_use]
pub fn of_curl(content: &[u8]) -> Option<Target> {
    let tests = curl::read(&curl::text(content)).tests;
    let urls = tests.iter().filter_map(|test| test.command.as_ref()).flat_map(|c| &c.urls);
    urls.filter_map(|url| typed(url).ok()).next()
}

/// The address of the first WebSocket in a text: a console's message, a recording.
#[must_use]
pub fn of_text(content: &[u8]) -> Option<Target> {
    let content = &content[..content.len().min(LOOKED_AT)];
    let at = |scheme: &[u8]| content.windows(scheme.len()).position(|window| window == scheme);
    let start = [at(b"wss://"), at(b"ws://")].into_iter().flatten().min()?;
    let rest = &content[start..content.len().min(start + 2000)];
    let end = rest.iter().position(|byte| !byte.is_ascii_graphic() || b"\"'<>\\,".contains(byte));
    let url = String::from_utf8_lossy(&rest[..end.unwrap_or(rest.len())]).into_owned();
    // What closes a sentence is no part of it.
    typed(url.trim_end_matches([':', '.', ')'])).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_the_paths_of_the_console() {
        for (text, origin, paths) in [
            ("b.example", "https://b.example", 3),
            ("https://b.example/agents?x=1", "https://b.example", 3),
            ("wss://b.example/socket", "https://b.example", 1),
            ("https://b.example/v1/graphql", "https://b.example", 1),
        ] {
            let found = typed(text).unwrap();
            assert_eq!((found.origin().as_str(), found.paths.len()), (origin, paths), "{text}");
        }
    }

    #[test]
    fn addresses_are_found_in_what_is_handed_over() {
        let curl = b"$ curl -i -N --http1.1 -H 'Upgrade: websocket' https://b.example/v1/ws\nHTTP/1.1 400 Bad Request\n\n";
        assert_eq!(of_curl(curl).unwrap().url("/v1/ws"), "https://b.example/v1/ws");
        assert_eq!(of_curl(b"HTTP/1.1 400 Bad Request\n\n"), None);
        for text in [
            "WebSocket connection to 'wss://b.example/v1/ws' failed: ",
            "Firefox can\u{2019}t establish a connection to the server at wss://b.example/v1/ws.",
            "{\"url\": \"wss://b.example/v1/ws?token=x\", \"a\": 1}",
        ] {
            let found = of_text(text.as_bytes()).unwrap();
            assert_eq!(found.host, "b.example", "{text}");
        }
        assert_eq!(of_text(b"nothing here"), None);
    }
}
