//! Pasted output of curl: read first, then masked by what was understood
//! ([`crate::pasted::curl`]). Fields go by the list of headers, commands by their
//! options, everything else is free text. What is masked reads as before: the
//! diagnosis reads what stands in the bundle.

use super::{Redactor, rules};
use crate::pasted::curl::{self, How, Joined, Kind, Mark, REST, Secret};
use regex::{Captures, Regex};
use std::sync::OnceLock;

/// The output as text, without secrets.
pub(super) fn output(r: &mut Redactor, entry: &str, bytes: &[u8]) -> String {
    let text = curl::text(bytes);
    let read = curl::read(&text);
    let mut out = String::with_capacity(text.len());
    let mut secrets = read.secrets;
    secrets.sort_by_key(|secret| (secret.line, secret.range.start));
    let mut secrets = secrets.as_slice();
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let place = format!("line {}", at + 1);
        let bare = line.trim_end_matches('\n');
        let own = secrets.iter().take_while(|secret| secret.line == at).count();
        let (here, later) = secrets.split_at(own);
        secrets = later;
        let mark = read.marks.get(at).cloned().unwrap_or_default();
        let clean = one(r, (entry, &place), bare, &mark, here);
        // What was given is searched for wherever it stands.
        out.push_str(&r.given(entry, &place, &clean));
        if line.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

/// One line, by what it is; and what names itself a secret goes, whatever the line was
/// taken for.
fn one(r: &mut Redactor, at: (&str, &str), line: &str, mark: &Mark, secrets: &[Secret]) -> String {
    let (entry, place) = at;
    let (before, rest) = line.split_at_checked(mark.from).unwrap_or(("", line));
    match mark.kind {
        Kind::Field => {
            let clean = rules::header_line(r, entry, place, rest);
            // Of one that may stay nothing but a URL can hold a secret.
            let clean = if clean == rest { rules::urls(r, entry, place, rest) } else { clean };
            format!("{before}{clean}")
        }
        Kind::Rest | Kind::Hex => {
            if rest != REST {
                let kind = if mark.kind == Kind::Hex { "hexadecimal" } else { "header-value" };
                r.count(entry, place, kind);
            }
            format!("{before}{REST}")
        }
        Kind::Command => {
            let clean = command(r, at, line, secrets);
            let clean = match rules::secret_header(&clean) {
                Some(from) if !clean[from..].contains("[removed") => {
                    let (before, header) = clean.split_at(from);
                    format!("{before}{}", rules::header_line(r, entry, place, header))
                }
                _ => clean,
            };
            // It is no longer as wide as it was: that it goes on must be said.
            match mark.joined.filter(|_| clean != line) {
                Some(Joined::Apart) => format!("{clean} \\"),
                Some(Joined::Glued) => format!("{clean}\\"),
                None => clean,
            }
        }
        Kind::Wrapped | Kind::StartLine | Kind::Said | Kind::Other => {
            let (said, header) = line.split_at(rules::secret_header(line).unwrap_or(line.len()));
            let said = match mark.kind {
                // What looks like the rest of a field may be a line of curl's own.
                Kind::Wrapped => {
                    let said = options(r, at, said);
                    let said = named_credentials(r, at, &said);
                    rules::urls(r, entry, place, &said)
                }
                _ => text_in(r, at, said),
            };
            match header {
                "" => said,
                header => format!("{said}{}", rules::header_line(r, entry, place, header)),
            }
        }
    }
}

/// Options of curl's that hold a secret, where a command was torn apart: `-b sid=x`,
/// `-u ann:x`, `-H 'X-Own: x'`.
fn options(r: &mut Redactor, at: (&str, &str), line: &str) -> String {
    static OPTION: OnceLock<Option<Regex>> = OnceLock::new();
    let value = r#"("[^"]*"?|'[^']*'?|\S+)"#;
    let names = "-b|--cookie|-u|--user|-U|--proxy-user|--pass|--proxy-pass|--oauth2-bearer|-H|--header|--proxy-header";
    let pattern = format!(r"((?:^|\s)(?:{names})[ =]){value}");
    rules::mask(r, at, "credentials", rules::regex(&OPTION, &pattern), line, |c: &Captures<'_>| {
        let bare = c[2].trim_matches(['"', '\'']);
        let name = bare.split(':').next().unwrap_or_default();
        let header = c[1].contains('H') || c[1].contains("header");
        let stays = bare.contains("[removed") || header && rules::header_may_stay(name);
        (!stays).then(|| format!("{}[removed]", &c[1]))
    })
}

/// A part of a command: what its options' values are was read; the rest is text.
fn command(r: &mut Redactor, at: (&str, &str), line: &str, secrets: &[Secret]) -> String {
    let mut out = String::with_capacity(line.len());
    let mut from = 0;
    for secret in secrets {
        let (Some(between), Some(own)) =
            (line.get(from..secret.range.start), line.get(secret.range.clone()))
        else {
            continue;
        };
        out.push_str(&text_in(r, at, between));
        match &secret.how {
            How::Replace(by, kind) => {
                r.count(at.0, at.1, kind);
                out.push_str(by);
            }
            How::Drop => out.push_str(REST),
            How::Keep => out.push_str(&rules::urls(r, at.0, at.1, own)),
        }
        from = secret.range.end;
    }
    out.push_str(&text_in(r, at, line.get(from..).unwrap_or_default()));
    out
}

/// What is no field: options, curl's own words, queries, tokens.
fn text_in(r: &mut Redactor, at: (&str, &str), text: &str) -> String {
    let text = options(r, at, text);
    let text = named_credentials(r, at, &text);
    rules::free_text(r, at.0, at.1, &text)
}

/// `* Server auth using Basic with user 'ann'`, `* Added cookie A="b"`, fields of
/// HTTP/2 (`* [HTTP/2] [1] [cookie: a=b]`).
fn named_credentials(r: &mut Redactor, at: (&str, &str), line: &str) -> String {
    static USER: OnceLock<Option<Regex>> = OnceLock::new();
    static COOKIE: OnceLock<Option<Regex>> = OnceLock::new();
    static FIELD: OnceLock<Option<Regex>> = OnceLock::new();
    let kept = |value: &str| value.contains("[removed");
    let line = rules::mask(
        r,
        at,
        "credentials",
        rules::regex(&USER, r"(?i)(\bwith user )('[^']*'|\S+)"),
        line,
        |c: &Captures<'_>| (!kept(&c[2])).then(|| format!("{}[removed]", &c[1])),
    );
    let line = rules::mask(
        r,
        at,
        "cookie-value",
        rules::regex(&COOKIE, r#"(?i)((?:added|replaced) cookie [^=\s"]{1,80}=)("[^"]*"|\S+)"#),
        &line,
        |c: &Captures<'_>| (!kept(&c[2])).then(|| format!("{}\"[removed]\"", &c[1])),
    );
    rules::mask(
        r,
        at,
        "header-value",
        rules::regex(&FIELD, r"(\[([a-z][a-z0-9-]{1,60}): )([^\]]*)\]"),
        &line,
        |c: &Captures<'_>| {
            let stays = rules::header_may_stay(&c[2]) || kept(&c[3]);
            (!stays).then(|| format!("{}[removed]]", &c[1]))
        },
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
