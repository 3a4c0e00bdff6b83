//! Pasted output of curl: heads by the list of headers, the command's own
//! options, everything else as free text. Errs towards removing: what the lines
//! are is guessed, since people paste what they see.

use super::{Redactor, rules};
use crate::pasted;
use regex::{Captures, Regex};
use std::sync::OnceLock;

/// A wrapped value begins on a line at least so long: narrower consoles are rare.
const WRAP: usize = 40;

/// What the line before was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// A line of a head; whether its value stayed.
    Head { stayed: bool, long: bool },
    /// A line of a command that goes on.
    Command,
    /// A body, a message of curl's.
    Other,
}

/// The output as text, without secrets.
pub(super) fn output(r: &mut Redactor, entry: &str, bytes: &[u8]) -> String {
    let text = pasted::text(bytes);
    let mut out = String::with_capacity(text.len());
    // A cut-off paste may begin within a head.
    let mut before = Before::Head { stayed: true, long: false };
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let place = format!("line {}", number + 1);
        let bare = line.trim_end_matches('\n');
        let (clean, now) = one(r, (entry, &place), bare, before);
        out.push_str(&clean);
        if line.ends_with('\n') {
            out.push('\n');
        }
        before = now;
    }
    out
}

fn one(r: &mut Redactor, at: (&str, &str), line: &str, before: Before) -> (String, Before) {
    let (entry, place) = at;
    let given = r.given(entry, place, line);
    let (mark, rest) = marked(&given);
    let in_head = matches!(before, Before::Head { .. });
    if before == Before::Command || is_command(rest) {
        let clean = command(r, at, &given);
        let goes_on = clean.trim_end().ends_with(['\\', '^', '`']);
        return (clean, if goes_on { Before::Command } else { Before::Other });
    }
    if rest.trim().is_empty() {
        return (given, Before::Other);
    }
    if rest.starts_with("HTTP/") || is_request_line(rest) {
        let clean = rules::free_text(r, entry, place, &given);
        return (clean, Before::Head { stayed: true, long: false });
    }
    if let Some(name) = header_name(rest)
        && (in_head || !mark.is_empty() || rules::names_a_secret(name))
    {
        let clean = rules::header_line(r, entry, place, rest);
        // Of a header that may stay the value is text like any other.
        let stayed = clean == rest;
        let clean = if stayed { rules::free_text(r, entry, place, rest) } else { clean };
        let long = line.chars().count() >= WRAP;
        return (format!("{mark}{clean}"), Before::Head { stayed, long });
    }
    if let Before::Head { stayed: false, long: true } = before
        && mark.is_empty()
        && !rest.starts_with("* ")
        && !rest.starts_with("curl: ")
    {
        // A console's width cut the removed value in two.
        r.count(entry, place, "header-value");
        let long = line.chars().count() >= WRAP;
        return ("[removed]".to_owned(), Before::Head { stayed: false, long });
    }
    let clean = rules::free_text(r, entry, place, &given);
    let clean = named_credentials(r, at, &clean);
    // Messages of `-v` and the meter stand between the lines of a head.
    (clean, if given.starts_with("* ") { before } else { Before::Other })
}

/// What `-v` puts before a line of a head, and the rest. Quoted mail has `> `, too.
fn marked(line: &str) -> (&str, &str) {
    let rest = line.trim_start_matches([' ', '\t', '|']);
    let rest = rest.strip_prefix(['<', '>']).map_or(rest, |rest| rest.trim_start_matches(' '));
    line.split_at(line.len() - rest.len())
}

fn header_name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(':')?;
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    (!name.is_empty() && name.len() <= 80 && name.chars().all(token)).then_some(name)
}

fn is_request_line(line: &str) -> bool {
    let mut words = line.split(' ');
    let method = words.next().unwrap_or_default();
    (3..=7).contains(&method.len())
        && method.bytes().all(|b| b.is_ascii_uppercase())
        && words.nth(1).is_some_and(|version| version.starts_with("HTTP/"))
}

/// Whether a line is a call of curl, with or without a prompt before it.
fn is_command(line: &str) -> bool {
    static CALL: OnceLock<Option<Regex>> = OnceLock::new();
    rules::regex(&CALL, r"(?i)(?:^|[\s$#>%/\\])curl(?:\.exe)?\s+\S")
        .is_some_and(|re| re.is_match(line) && !line.starts_with("curl: "))
}

/// Options whose values are credentials; headers by the list.
fn command(r: &mut Redactor, at: (&str, &str), line: &str) -> String {
    static CREDENTIAL: OnceLock<Option<Regex>> = OnceLock::new();
    static HEADER: OnceLock<Option<Regex>> = OnceLock::new();
    const VALUE: &str = r#"("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"']+)"#;
    // Short options without a value can stand before one that has one: `-iNu a:b`.
    const FLAGS: &str = "-[0-46:#aBfgGiIjJklLnNOpqRsSvVZ]*";
    const LONG: &str = "user|proxy-user|cookie|data(?:-\\w+)?|json|form|oauth2-bearer|pass|\
                        proxy-pass|cert|proxy-cert|aws-sigv4|preproxy|tlspassword|login-options";
    let credential =
        format!(r"(?P<option>(?:^|\s)(?:{FLAGS}[uUbdEF]\s*|--(?:{LONG})[\s=]+)){VALUE}");
    let text = rules::mask(
        r,
        at,
        "credentials",
        rules::regex(&CREDENTIAL, &credential),
        line,
        |c: &Captures<'_>| Some(format!("{}[removed]", &c["option"])),
    );
    let header = format!(r"(?P<option>(?:^|\s)(?:{FLAGS}H\s*|--(?:proxy-)?header[\s=]+)){VALUE}");
    let text = rules::mask(
        r,
        at,
        "header given",
        rules::regex(&HEADER, &header),
        &text,
        |c: &Captures<'_>| {
            let value = c[2].trim_matches(['"', '\'']);
            let (name, _) = value.split_once(':').unwrap_or((value, ""));
            (!rules::header_may_stay(name.trim()))
                .then(|| format!("{}'{}: [removed]'", &c["option"], name.trim()))
        },
    );
    rules::free_text(r, at.0, at.1, &text)
}

/// `* Server auth using Basic with user 'ann'`, and the like.
fn named_credentials(r: &mut Redactor, at: (&str, &str), line: &str) -> String {
    static USER: OnceLock<Option<Regex>> = OnceLock::new();
    rules::mask(
        r,
        at,
        "credentials",
        rules::regex(&USER, r"(?i)(\bwith user )('[^']*'|\S+)"),
        line,
        |c: &Captures<'_>| Some(format!("{}[removed]", &c[1])),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> String {
        output(&mut Redactor::new(), "attachments/curl.txt", text.as_bytes())
    }

    #[test]
    fn what_tells_something_stays() {
        let text = "$ curl -i -N -H \"Connection: Upgrade\" -H 'Upgrade: websocket' -H \
                    \"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\" https://b.example/v1/ws\n\
                    * Connected to b.example (192.0.2.7) port 443 (#0)\n\
                    > GET /v1/ws HTTP/1.1\n> Host: b.example\n> Upgrade: websocket\n>\n\
                    < HTTP/1.1 502 Bad Gateway\n< Server: nginx/1.22.1\n< \n\
                    <html><center>nginx/1.22.1</center></html>\ncurl: (52) Empty reply from server\n";
        assert_eq!(clean(text), text);
    }

    #[test]
    fn secrets_go_wherever_they_stand() {
        for (text, gone) in [
            ("HTTP/1.1 101 X\r\nSet-Cookie: BP=hunter2; Path=/\r\n", "hunter2"),
            ("< set-cookie: BP=hunter2\n", "hunter2"),
            ("\u{1b}[1mSet-Cookie\u{1b}[0m: BP=hunter2\n", "hunter2"),
            ("> Authorization: Basic aHVudGVyMg==\n", "aHVudGVy"),
            ("Authorization: Bearer hunter2\n", "hunter2"),
            ("> Cookie: a=hunter2; b=hunter2\n", "hunter2"),
            ("> X-Own: hunter2\n", "hunter2"),
            ("$ curl -u ann:hunter2 https://b.example/\n", "hunter2"),
            ("$ curl -uann:hunter2 https://b.example/\n", "hunter2"),
            ("$ curl -iNu ann:hunter2 https://b.example/\n", "hunter2"),
            ("$ curl --cert c.pem --pass hunter2 https://b.example/\n", "hunter2"),
            ("C:\\> curl.exe --user \"ann:hunt er2\" https://b/\n", "er2"),
            ("curl -H 'X-Own: hunter2' -H 'Accept: a/b' https://b/\n", "hunter2"),
            ("curl -i \\\n  -H \"Cookie: a=hunter2\" \\\n  https://b/\n", "hunter2"),
            ("curl https://ann:hunter2@b/v1/ws?token=hunter2\n", "hunter2"),
            ("curl -b 'sid=hunter2' -x http://p:hunter2@proxy:1 https://b/\n", "hunter2"),
            ("* Server auth using Basic with user 'hunter2'\n", "hunter2"),
            ("HTTP/1.1 302 Found\nLocation: https://idp/?code=hunter2\n", "hunter2"),
            ("HTTP/1.1 200 OK\n\n<p>\nCookie: a=hunter2\n", "hunter2"),
        ] {
            let out = clean(text);
            assert!(!out.contains(gone), "{text} -> {out}");
            assert_eq!(out.lines().count(), text.lines().count(), "{out}");
        }
        let long = "x".repeat(60);
        let wrapped =
            format!("HTTP/1.1 200 OK\nSet-Cookie: BP={long}\nhunter2; Path=/\nVia: 1.1 p\n");
        let out = clean(&wrapped);
        assert!(!out.contains("hunter2") && out.contains("Via: 1.1 p"), "{out}");
    }
}
