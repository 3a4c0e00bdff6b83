//! What a browser's console says, as somebody pasted it: which lines of it are
//! messages about a WebSocket, what each means in plain words, and which host and
//! path it is about.
//!
//! Pure: a text goes in, [`Message`]s come out. Whether they fit what was measured
//! is for [`crate::rule`] to say. To teach it a text, add a row to `table.rs` (a
//! sentence; Firefox' two in each language: `languages.rs`), `names.rs` (a name like `net::ERR_…`) or `code.rs` (a close code).

mod code;
mod languages;
mod meaning;
mod names;
mod place;
mod table;
#[cfg(test)]
mod tests;

pub use meaning::{Meaning, Stage};
pub use place::{Place, endpoint};
use table::{ROWS, Row, SOCKET_WORDS, TROUBLE_WORDS};
use wss_bundle::pasted;

/// Messages taken of one text.
const MESSAGES: usize = 40;
/// Characters taken of one message, and of the whole text.
const CHARACTERS: usize = 600;
const TEXT: usize = 64 << 10;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// As it was pasted, on one line.
    pub text: String,
    /// What it means; `None` where no such text is known.
    pub meaning: Option<Meaning>,
    /// Who writes so: `Firefox (de)`; `None` where that is not known.
    pub who: Option<&'static str>,
    /// Where the socket leads that it is about.
    pub place: Option<Place>,
}

impl Message {
    fn new(text: &str) -> Self {
        let text: String = text.chars().take(CHARACTERS).collect();
        let (meaning, who) = understood(&text).unzip();
        Self { meaning, who: who.flatten(), place: place::of(&text), text }
    }

    /// Whether it tells more than that something failed.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.meaning.is_some_and(|meaning| meaning != Meaning::Unspecific)
    }
}

/// The messages of a text, in its order; what says the same twice is there once.
#[must_use]
pub fn read(text: &str) -> Vec<Message> {
    let clipped: String = text.chars().take(TEXT).collect();
    let plain = pasted::text(clipped.as_bytes());
    let mut out: Vec<Message> = Vec::new();
    for line in pasted::lines(&plain) {
        let line = line.text.trim();
        if line.is_empty() || is_stack(line) {
            continue;
        }
        let next = Message::new(line);
        let full = out.len() == MESSAGES;
        match out.last_mut() {
            Some(last) if goes_on(last, &next) => {
                *last = Message::new(&format!("{} {line}", last.text));
            }
            _ if full => break,
            _ => out.push(next),
        }
    }
    // Lines around a message that is understood are talk, or of other things.
    if out.iter().any(|one| one.meaning.is_some()) {
        out.retain(|one| one.meaning.is_some());
    }
    let mut seen = Vec::new();
    out.retain(|one| {
        let key = (one.meaning, one.place.clone(), one.meaning.is_none().then(|| one.text.clone()));
        let new = !seen.contains(&key);
        if new {
            seen.push(key);
        }
        new
    });
    out
}

/// What a single text means; `None` when it is none that is known.
#[must_use]
pub fn meaning(text: &str) -> Option<Meaning> {
    understood(text).map(|(meaning, _)| meaning)
}

/// A line of a stack below a message: whence it was called, and no message.
fn is_stack(line: &str) -> bool {
    let call =
        |rest: &str| rest.contains("://") || rest.contains(".js") || rest.contains("(anonymous)");
    match line.split_once(' ') {
        Some(("at", rest)) => call(rest) || rest.len() < 40,
        _ => {
            line.starts_with('@')
                || line == "(anonymous)"
                || line.contains("@http") && !line.contains(' ')
        }
    }
}

/// Whether a line is what the message before it goes on with: mails and terminals
/// break lines, and consoles put the reason on the next.
fn goes_on(last: &Message, next: &Message) -> bool {
    let open = last.place.is_some() && !last.tells();
    let own = next.text.to_lowercase();
    let begins = ["websocket", "firefox", "[", "uncaught", "error:", "socket", "refused", "mixed"];
    open && next.place.is_none()
        && next.meaning.is_some()
        && !begins.iter().any(|word| own.starts_with(word))
}

/// Meaning, and whose words these are.
fn understood(text: &str) -> Option<(Meaning, Option<&'static str>)> {
    let text = pasted::straight(text).to_lowercase();
    let bare = place::without_addresses(&text);
    if let Some(status) = status(&bare) {
        return Some((status, None));
    }
    let named = names::find(&bare);
    if let Some(meaning) = named.filter(|meaning| *meaning != Meaning::Unspecific) {
        return Some((meaning, None));
    }
    let rows: Vec<&Row> =
        ROWS.iter().chain(languages::ROWS).filter(|row| says(&bare, row.words)).collect();
    if let Some(row) = rows.iter().find(|row| row.meaning != Meaning::Unspecific) {
        return Some((row.meaning, Some(row.who)));
    }
    if let Some(code) = code::find(&bare) {
        return Some((Meaning::Closed(code), None));
    }
    if let Some(row) = rows.first() {
        return Some((row.meaning, Some(row.who)));
    }
    let of = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let failed = named.is_some()
        || of(SOCKET_WORDS) && of(TROUBLE_WORDS)
        || text.contains("istrusted")
        || text.contains("[object event]");
    failed.then_some((Meaning::Unspecific, None))
}

/// Whether the pieces of a row stand in a text, in their order.
fn says(text: &str, words: &str) -> bool {
    let mut rest = text;
    for piece in words.split('*') {
        match rest.find(piece.trim()) {
            Some(at) => rest = &rest[at + piece.trim().len()..],
            None => return false,
        }
    }
    true
}

/// A status that the handshake was answered with: Chrome's `Unexpected response
/// code: 502`, `Unexpected server response: 502` of the npm package ws.
fn status(text: &str) -> Option<Meaning> {
    let marks = [
        "wsserverhandshakeerror:",
        "unexpected response code",
        "unexpected server response",
        "unexpected status code",
        "unexpected response status",
        "invalid response status",
        "handshake status",
        "bad status code",
        "expected 101, got",
        "expected http 101 response but was",
        "server rejected websocket connection: http",
        "server returned status code",
        "tungstenite::error: http error",
        "bad handshake: http",
    ];
    let rest = marks.iter().find_map(|mark| text.split_once(mark))?.1;
    let digits: String = rest
        .trim_start_matches([':', ' ', '\'', '"', '('])
        .chars()
        .take_while(char::is_ascii_digit)
        .take(3)
        .collect();
    Some(match digits.parse() {
        Ok(status @ 100..=599) => Meaning::Status(status),
        _ => Meaning::Refusal,
    })
}
