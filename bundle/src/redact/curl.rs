//! Pasted output of curl: read first, then masked by what was understood
//! ([`crate::pasted::curl`]). Fields go by the list of headers, commands by their
//! options, everything else is free text. What is masked reads as before: the
//! diagnosis reads what stands in the bundle.

use super::{Redactor, rules};
use crate::pasted;
use crate::pasted::curl::{self, How, Kind, Mark, Secret};
use regex::{Captures, Regex};
use std::sync::OnceLock;

/// The output as text, without secrets.
pub(super) fn output(r: &mut Redactor, entry: &str, bytes: &[u8]) -> String {
    let text = pasted::text(bytes);
    let read = curl::read(&text);
    let mut out = String::with_capacity(text.len());
    let mut before = Before::default();
    let mut wrapped = false;
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
        let clean = match mark.kind {
            Kind::Command => command(r, (entry, &place), bare, here),
            _ => one(r, (entry, &place), bare, &mark, &mut before),
        };
        let clean = whatever_it_is(r, (entry, &place), bare, clean, &mut wrapped);
        // What was given is searched for wherever it stands.
        out.push_str(&r.given(entry, &place, &clean));
        if line.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

/// What names itself a secret goes, whatever the line was taken for: a paste that is
/// torn apart is read in many ways. `wrapped` says whether the line before ended in a
/// secret that may go on.
fn whatever_it_is(
    r: &mut Redactor,
    at: (&str, &str),
    line: &str,
    clean: String,
    wrapped: &mut bool,
) -> String {
    let bare = clean.trim();
    let token = bare.len() >= TOKEN && !bare.contains([' ', ':', '[', '<', '=']);
    if std::mem::take(wrapped) && token {
        r.count(at.0, at.1, "header-value");
        return REST.to_owned();
    }
    let clean = named_credentials(r, at, &clean);
    let Some(from) = secret_header(&clean) else { return clean };
    *wrapped = line.chars().count() >= WRAP;
    if clean[from..].contains("[removed") {
        return clean;
    }
    let (before, rest) = clean.split_at(from);
    format!("{before}{}", rules::header_line(r, at.0, at.1, rest))
}

/// The rest of a value that was cut is no shorter.
const TOKEN: usize = 6;

/// What became of the line before: of a value that was removed the rest goes, too.
#[derive(Default)]
struct Before {
    /// It was a field, and was removed.
    removed: bool,
    /// It looked like a field that names a secret, and was long enough to be cut.
    cut: bool,
}

/// A wrapped value begins on a line at least so long: narrower consoles are rare.
const WRAP: usize = 40;

fn one(r: &mut Redactor, at: (&str, &str), line: &str, mark: &Mark, was: &mut Before) -> String {
    let (entry, place) = at;
    let (before, rest) = line.split_at_checked(mark.from).unwrap_or(("", line));
    let cut = std::mem::take(&mut was.cut);
    match mark.kind {
        Kind::Other if cut && !line.is_empty() && !line.contains([' ', ':']) => {
            if line != REST {
                r.count(entry, place, "header-value");
            }
            REST.to_owned()
        }
        Kind::Field => {
            let clean = rules::header_line(r, entry, place, rest);
            was.removed = clean != rest;
            was.cut = line.chars().count() >= WRAP && secret_header(line).is_some();
            // Of one that may stay nothing but a URL can hold a secret.
            let clean = if !was.removed { rules::urls(r, entry, place, rest) } else { clean };
            format!("{before}{clean}")
        }
        Kind::Wrapped if secret_header(rest).is_some() => other(r, at, line),
        // What looks like the rest of a field may be a line of curl's own.
        Kind::Wrapped if !was.removed => {
            let clean = options(r, at, rest);
            let clean = named_credentials(r, at, &clean);
            format!("{before}{}", rules::urls(r, entry, place, &clean))
        }
        Kind::Wrapped => {
            if rest != REST {
                r.count(entry, place, "header-value");
            }
            format!("{before}{REST}")
        }
        Kind::Hex => {
            if rest != REST {
                r.count(entry, place, "hexadecimal");
            }
            format!("{before}{REST}")
        }
        Kind::StartLine => {
            was.removed = false;
            format!("{before}{}", rules::free_text(r, entry, place, rest))
        }
        Kind::Said => {
            let clean = named_credentials(r, at, rest);
            format!("{before}{}", rules::free_text(r, entry, place, &clean))
        }
        Kind::Other | Kind::Command => {
            was.cut = line.chars().count() >= WRAP && secret_header(line).is_some();
            other(r, at, line)
        }
    }
}

/// In place of the rest of a removed value.
const REST: &str = "[removed]";

/// Where a header begins whose name says that its value is a secret.
fn secret_header(line: &str) -> Option<usize> {
    static NAMED: OnceLock<Option<Regex>> = OnceLock::new();
    let name = r"(?i)(?:^|[^A-Za-z0-9_-])([a-z0-9_-]*(?:cookie|authorization|token|secret|api-?key|password)[a-z0-9_-]*)\s*:";
    let found = rules::regex(&NAMED, name)?.captures(line)?.get(1)?;
    rules::names_a_secret(found.as_str()).then_some(found.start())
}

/// Bodies and prose; a header that names a secret is one wherever it stands.
fn other(r: &mut Redactor, at: (&str, &str), line: &str) -> String {
    if let Some(from) = secret_header(line) {
        let (before, rest) = line.split_at(from);
        return format!("{before}{}", rules::header_line(r, at.0, at.1, rest));
    }
    let clean = options(r, at, line);
    let clean = named_credentials(r, at, &clean);
    rules::free_text(r, at.0, at.1, &clean)
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
        let between = options(r, at, between);
        out.push_str(&rules::free_text(r, at.0, at.1, &between));
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
    let rest = options(r, at, line.get(from..).unwrap_or_default());
    out.push_str(&rules::free_text(r, at.0, at.1, &rest));
    out
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
