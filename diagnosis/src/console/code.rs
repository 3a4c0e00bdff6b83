//! Codes of close events: RFC 6455 section 7.4 and IANA's registry of them, and
//! those of the protocols that consoles speak on top.

/// What a code means, as the rest of a sentence that begins with "that".
pub(super) fn words(code: u16) -> String {
    let meaning = match code {
        1000 => "it was closed in the ordinary way: no fault",
        1001 => "the page was left, or the server is going down: no fault of the network",
        1002 => {
            "one side found the other's frames not valid: something on the way may have changed them"
        }
        1003 => "one side got a kind of data that it does not take",
        1005 => "it was closed by a close frame without a code: an orderly end",
        1006 => {
            "it ended without a close frame, or never opened: refused, reset or cut on the way; \
             browsers tell no more"
        }
        1007 => "a message was not valid (no UTF-8): something on the way may have changed it",
        1008 => "the server ended it for its own policy (a login, an Origin, a limit)",
        1009 => "a message was larger than the other side takes",
        1010 => "the server did not grant an extension that the client needs",
        1011 => "the server met an error of its own",
        1012 => "the server restarts: no fault of the network",
        1013 => "the server is overloaded and asks to come later",
        1014 => "a gateway before the server got a bad answer from it",
        1015 => "TLS did not come about: the certificate is not trusted, or the handshake failed",
        3000 => "the server ended it for want of a login (3000, IANA: unauthorized)",
        3003 => {
            "the server ended it, since this is forbidden to this login (3003, IANA: forbidden)"
        }
        3008 => "the server ended it, since something took too long (3008, IANA: timeout)",
        4400 => "the server did not understand a message (4400 of graphql-ws: bad request)",
        4401 => {
            "the server closed it itself, for want of a login (4401, as graphql-ws has it): frames had \
             passed, so it is no fault of the network"
        }
        4403 => {
            "the server closed it itself, since this is forbidden to this login (4403, as graphql-ws \
             has it): no fault of the network"
        }
        4406 => "server and page have no subprotocol in common (4406 of graphql-ws)",
        4408 => {
            "the page's first message did not reach the server in time (4408 of graphql-ws: connection \
             initialisation timeout)"
        }
        4409 => "a subscription was made twice (4409 of graphql-ws)",
        4429 => "the page sent its first message twice (4429 of graphql-ws)",
        4499 => "the page ended it itself (4499 of graphql-ws)",
        4500 => "the server met an error of its own (4500 of graphql-ws)",
        4504 => {
            "the server's first answer did not come in time (4504 of graphql-ws: acknowledgement \
             timeout)"
        }
        3001..=3999 => {
            return format!(
                "a library or framework closed it with its own code {code} after it was open: no fault \
                 of the network"
            );
        }
        4000..=4999 => {
            return format!(
                "the server or the page closed it with its own code {code} (4000 to 4999 are the \
                 application's): frames had passed, so it is no fault of the network"
            );
        }
        _ => return format!("it was closed with code {code}"),
    };
    if (1000..=1015).contains(&code) { format!("{meaning} ({code})") } else { meaning.to_owned() }
}

/// Whether a number can be a close event's code in somebody's message.
fn possible(number: u16) -> bool {
    matches!(number, 1000..=1015 | 3000..=4999)
}

/// Words that stand before a code, in the languages that consoles are seen in.
const BEFORE: &[&str] = &[
    "code",
    "clos",
    "disconnect",
    "event",
    "status",
    "reason",
    "socket",
    "error",
    "ended",
    "terminated",
    "lost",
    "abnormal",
    "getrennt",
    "geschlossen",
    "beendet",
    "ferm",
    "déconnect",
    "cerr",
    "desconect",
    "chius",
    "disconness",
    "fechad",
    "encerrad",
    "zamkn",
    "rozłącz",
    "закры",
    "разорв",
    "отключ",
    "код",
    "código",
    "codice",
    "kod",
    "切断",
    "閉じ",
    "コード",
    "关闭",
    "断开",
    "代码",
    "代碼",
    "關閉",
    "斷開",
    "닫",
    "끊",
    "코드",
];

/// Words that stand after a code.
const AFTER: &[&str] = &[
    "abnormal",
    "going away",
    "normal",
    "policy",
    "protocol error",
    "unauthorized",
    "forbidden",
    "internal",
    "no status",
    "unsupported",
    "invalid",
    "too big",
    "too large",
    "try again",
    "restart",
    "bad gateway",
    "tls",
    "bad request",
    "unexpected",
    "server error",
    "clos",
    "timeout",
];

/// The code in a text (lower-case, without addresses), where it is one: a number of
/// the right size beside a word that says so; ports, lines and times are none.
pub(super) fn find(text: &str) -> Option<u16> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        if end - at == 4
            && let Ok(number) = text[at..end].parse::<u16>()
            && possible(number)
            && alone(&text[..at], &text[end..])
            && beside(&text[..at], &text[end..])
        {
            return Some(number);
        }
        at = end;
    }
    None
}

/// No part of a name, a time, a place in a file.
fn alone(before: &str, after: &str) -> bool {
    let mut back = before.chars().rev();
    let bad_before = match back.next() {
        Some(c) if c.is_alphanumeric() || "._-/".contains(c) => true,
        // `main.js:1006`, `:8080:1006`, `[::1]:3000`; but `code:1006` and `"code":1006`.
        Some(':') => match back.next() {
            Some(c) if c.is_ascii_digit() || c == ']' => true,
            Some(c) if c.is_alphabetic() => {
                let word: String = before[..before.len() - 1]
                    .chars()
                    .rev()
                    .take_while(|c| !c.is_whitespace())
                    .collect();
                word.contains('.') || word.contains('/')
            }
            _ => false,
        },
        _ => false,
    };
    let mut ahead = after.chars();
    let bad_after = match ahead.next() {
        Some(':' | '.' | '-' | '/' | ',') => ahead.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) if c.is_alphanumeric() => true,
        Some(' ') => {
            let rest = after.trim_start();
            ["ms", "s ", "sec", "bytes", "kb", "millis"].iter().any(|unit| rest.starts_with(unit))
        }
        _ => false,
    };
    !(bad_before || bad_after)
}

fn beside(before: &str, after: &str) -> bool {
    let near: String =
        before.chars().rev().take(28).collect::<Vec<_>>().into_iter().rev().collect();
    let next: String = after.chars().take(28).collect();
    let next = next.trim_start_matches([' ', ':', '(', '-', '"', '\'', ',', ')', '–', '—', '/']);
    BEFORE.iter().any(|word| near.contains(word)) || AFTER.iter().any(|word| next.starts_with(word))
}
