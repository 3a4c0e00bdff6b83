//! A call of curl as a shell would take it apart: words, options, their values.
//! POSIX shells, cmd and PowerShell alike; quotes that a chat program made
//! typographic are quotes.

use super::mark::{How, Secret};
use super::secret;
use crate::pasted::around::keyed;

/// Longest command that is taken apart, in characters.
const LONGEST: usize = 1 << 16;

/// A call of curl.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    /// The line at which it begins, from 1.
    pub line: usize,
    /// The name it was called by: `curl`, `curl.exe`.
    pub name: String,
    /// What is fetched: a URL or a host.
    pub urls: Vec<String>,
    /// `-H`, in order.
    pub headers: Vec<Header>,
    /// `-x`.
    pub proxy: Option<String>,
    /// `--http1.1` or `--http1.0`.
    pub http1: bool,
    /// `-L`.
    pub follows: bool,
    /// `-I`.
    pub head_only: bool,
    /// `-k`.
    pub insecure: bool,
    /// `-X`, or what other options make of it (`-d`: POST).
    pub method: Option<String>,
    /// `--resolve` or `--connect-to`: where the name leads is its own choice.
    pub elsewhere: bool,
    /// `-w`.
    pub write_out: Option<String>,
    /// Whether single quotes were written where cmd does not take them.
    pub single_quotes: bool,
}

/// A header that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value; empty where `-H 'Name:'` takes it away.
    pub value: String,
}

impl Command {
    /// The value of a header that was given.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let own = self.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
        own.map(|h| h.value.as_str())
    }

    /// Whether the URL is a WebSocket's: then curl sends the upgrade by itself.
    #[must_use]
    pub fn is_websocket(&self) -> bool {
        self.urls.iter().any(|url| {
            let lower = url.to_ascii_lowercase();
            lower.starts_with("ws://") || lower.starts_with("wss://")
        })
    }
}

/// One line of a command, or a part of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    /// Which line of the text, from 0.
    pub(super) line: usize,
    /// Byte of that line at which `text` begins.
    pub(super) start: usize,
    pub(super) text: &'a str,
    /// Whether the line before ends in the middle of a word.
    pub(super) glued: bool,
}

#[derive(Debug, Clone, Copy)]
struct Char {
    c: char,
    line: usize,
    at: usize,
    len: usize,
}

#[derive(Debug, Clone, Default)]
struct Word {
    text: String,
    /// Where it stands, quotes included: a range in each line.
    spans: Vec<(usize, usize, usize)>,
}

/// Whether these pieces end within quotes.
pub(super) fn is_open(pieces: &[Piece<'_>]) -> bool {
    words(&chars(pieces)).1
}

/// Whether the last word is an option that still wants its value: somebody's width
/// cut the line behind it.
pub(super) fn wants_a_value(pieces: &[Piece<'_>]) -> bool {
    let (words, open) = words(&chars(pieces));
    let Some(last) = words.last().filter(|_| !open && words.len() > 1) else { return false };
    match last.text.strip_prefix("--") {
        Some(long) => LONG_VALUED.contains(&long),
        None => ["-H", "-x", "-u", "-U", "-o", "-w", "-X"].contains(&last.text.as_str()),
    }
}

/// Takes a command apart; `false` where it is no call of curl.
pub(super) fn read(pieces: &[Piece<'_>], secrets: &mut Vec<Secret>) -> Option<Command> {
    let (words, _) = words(&chars(pieces));
    let call = words.iter().position(|word| is_curl(&word.text))?;
    let mut reading = Reading {
        out: Command {
            line: pieces.first()?.line + 1,
            name: name(&words[call].text).to_owned(),
            ..Command::default()
        },
        secrets,
    };
    reading.out.single_quotes = pieces.iter().any(|piece| piece.text.contains('\''));
    reading.words(&words[call + 1..]);
    Some(reading.out)
}

/// What is secret in a line of options whose beginning was not pasted.
pub(super) fn options(piece: Piece<'_>, secrets: &mut Vec<Secret>) {
    let (words, _) = words(&chars(&[piece]));
    Reading { out: Command::default(), secrets }.words(&words);
}

/// Where the first of curl's options stands that may hold a secret, in a line that
/// is surely a part of a command: it begins with one, or has a URL or two of them.
pub(super) fn first_option(line: &str) -> Option<usize> {
    let is_option = |word: &str| {
        let first = word.split('=').next().unwrap_or_default();
        let long = first.strip_prefix("--").is_some_and(|option| LONG_VALUED.contains(&option));
        long || ["-H", "-u", "-U", "-b", "-x", "-d", "-F", "-E"].contains(&first)
    };
    let all = line.split_whitespace().filter(|word| is_option(word));
    let at = all.clone().next().map(|word| word.as_ptr() as usize - line.as_ptr() as usize)?;
    (at == 0 || line.contains("://") || all.count() > 1).then_some(at)
}

/// Whether a word calls curl.
pub(super) fn is_curl(word: &str) -> bool {
    let name = name(word);
    name.eq_ignore_ascii_case("curl") || name.eq_ignore_ascii_case("curl.exe")
}

fn name(word: &str) -> &str {
    word.rsplit(['/', '\\', '$', '#', '>', '(', '`', ';']).next().unwrap_or_default()
}

/// The characters of a command with what continues a line taken away.
fn chars(pieces: &[Piece<'_>]) -> Vec<Char> {
    let mut all = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let last = at + 1 == pieces.len();
        let text = if last { piece.text } else { without_continuation(piece.text) };
        if at > 0 && !piece.glued {
            all.push(Char { c: ' ', line: piece.line, at: piece.start, len: 0 });
        }
        let mut offset = 0;
        while let Some(first) = text[offset..].chars().next() {
            let (c, len) = entity(&text[offset..]).unwrap_or((keyed(first), first.len_utf8()));
            all.push(Char { c, line: piece.line, at: piece.start + offset, len });
            offset += len;
        }
        if all.len() > LONGEST {
            all.truncate(LONGEST);
            break;
        }
    }
    all
}

/// A character as a page's source has it, and how long that is.
fn entity(text: &str) -> Option<(char, usize)> {
    const ALL: [(&str, char); 5] =
        [("&quot;", '"'), ("&#34;", '"'), ("&#39;", '\''), ("&apos;", '\''), ("&amp;", '&')];
    let (name, c) = ALL.iter().find(|(name, _)| text.starts_with(name))?;
    Some((*c, name.len()))
}

/// Whether a line says that the command goes on.
pub(super) fn goes_on(line: &str) -> bool {
    let line = line.trim_end();
    line.ends_with(['\\', '^', '`']) && !line.ends_with("\\\\")
}

fn without_continuation(line: &str) -> &str {
    let bare = line.trim_end();
    if goes_on(bare) { bare[..bare.len() - 1].trim_end() } else { bare }
}

fn words(chars: &[Char]) -> (Vec<Word>, bool) {
    let mut out: Vec<Word> = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote: Option<char> = None;
    let mut rest = chars.iter().peekable();
    while let Some(one) = rest.next() {
        let next = rest.peek().map(|next| next.c);
        let blank = one.c == ' ' || one.c == '\t';
        if quote.is_none() && blank {
            out.extend(word.take());
            continue;
        }
        let current = word.get_or_insert_default();
        current.covers(one);
        match (quote, one.c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(one.c),
            // `$'…'` of bash; `^"` of cmd; `` `" `` of PowerShell; `\"`.
            (None, '$') if next == Some('\'') => {}
            (None | Some('"'), '^' | '`' | '\\')
                if next.is_some_and(|c| "\"'\\$`^&%!".contains(c)) =>
            {
                if let Some(escaped) = rest.next() {
                    current.covers(escaped);
                    // cmd: `^"` begins and ends a quoted word as `"` does.
                    match (one.c, escaped.c) {
                        ('^', '"') if quote == Some('"') => quote = None,
                        ('^', '"') => quote = Some('"'),
                        (_, c) => current.text.push(c),
                    }
                }
            }
            (_, c) => current.text.push(c),
        }
    }
    out.extend(word);
    (out, quote.is_some())
}

impl Word {
    fn covers(&mut self, one: &Char) {
        match self.spans.last_mut() {
            Some((line, _, end)) if *line == one.line => *end = one.at + one.len,
            _ => self.spans.push((one.line, one.at, one.at + one.len)),
        }
    }
}

/// Options of one letter that stand alone.
const FLAGS: &str = "0123456789#aBfgGiIjJklLMnNOpqRsSvVZ:";
/// Options of one letter with a value.
const VALUED: &str = "AbcCdDeEFhHKmoPQrtTuUwxXyYz";
/// Long options that stand alone and end like one with a value are few; those
/// with a value are known by name.
const LONG_VALUED: &[&str] = &[
    "abstract-unix-socket",
    "alt-svc",
    "aws-sigv4",
    "cacert",
    "capath",
    "cert",
    "cert-type",
    "ciphers",
    "config",
    "connect-timeout",
    "connect-to",
    "continue-at",
    "cookie",
    "cookie-jar",
    "crlfile",
    "curves",
    "data",
    "data-ascii",
    "data-binary",
    "data-raw",
    "data-urlencode",
    "delegation",
    "dns-interface",
    "dns-ipv4-addr",
    "dns-servers",
    "doh-url",
    "dump-header",
    "ech",
    "egd-file",
    "engine",
    "expect100-timeout",
    "form",
    "form-string",
    "happy-eyeballs-timeout-ms",
    "header",
    "hostpubmd5",
    "hsts",
    "interface",
    "json",
    "keepalive-time",
    "key",
    "key-type",
    "limit-rate",
    "local-port",
    "login-options",
    "max-filesize",
    "max-redirs",
    "max-time",
    "noproxy",
    "oauth2-bearer",
    "output",
    "output-dir",
    "pass",
    "pinnedpubkey",
    "preproxy",
    "proto",
    "proto-default",
    "proto-redir",
    "proxy",
    "proxy-cacert",
    "proxy-cert",
    "proxy-header",
    "proxy-key",
    "proxy-pass",
    "proxy-user",
    "proxy1.0",
    "random-file",
    "range",
    "rate",
    "referer",
    "request",
    "request-target",
    "resolve",
    "retry",
    "retry-delay",
    "retry-max-time",
    "socks4",
    "socks4a",
    "socks5",
    "socks5-hostname",
    "speed-limit",
    "speed-time",
    "stderr",
    "time-cond",
    "tls-max",
    "tls13-ciphers",
    "tlspassword",
    "tlsuser",
    "trace",
    "trace-ascii",
    "trace-config",
    "unix-socket",
    "upload-file",
    "url",
    "url-query",
    "user",
    "user-agent",
    "variable",
    "write-out",
];

struct Reading<'a> {
    out: Command,
    secrets: &'a mut Vec<Secret>,
}

impl Reading<'_> {
    fn words(&mut self, all: &[Word]) {
        let mut rest = all.iter();
        while let Some(word) = rest.next() {
            let text = word.text.as_str();
            if is_end(text) {
                return self.next_call(rest.as_slice());
            }
            if let Some(long) = text.strip_prefix("--") {
                let (option, inline) = match long.split_once('=') {
                    Some((option, value)) if LONG_VALUED.contains(&option) => (option, Some(value)),
                    _ => (long, None),
                };
                match (LONG_VALUED.contains(&option), inline) {
                    (true, Some(value)) => {
                        self.valued(option, value, word, &format!("--{option} "));
                    }
                    (true, None) => {
                        let Some(value) = rest.next() else { return };
                        self.valued(option, &value.text, value, "");
                    }
                    (false, _) => self.flag(option),
                }
            } else if text.len() > 1 && text.starts_with('-') {
                self.short(text, word, &mut rest);
            } else {
                self.out.urls.push(plain_url(text).to_owned());
            }
        }
    }

    /// What is secret in another call behind a pipe or a `;`.
    fn next_call(&mut self, rest: &[Word]) {
        if let Some(call) = rest.iter().position(|word| is_curl(&word.text)) {
            let own = std::mem::take(&mut self.out);
            self.words(&rest[call + 1..]);
            self.out = own;
        }
    }

    fn short<'w>(&mut self, text: &str, word: &Word, rest: &mut impl Iterator<Item = &'w Word>) {
        for (at, c) in text.char_indices().skip(1) {
            if VALUED.contains(c) {
                let value = &text[at + c.len_utf8()..];
                let option = long_of(c);
                if value.is_empty() {
                    let Some(value) = rest.next() else { return };
                    self.valued(option, &value.text, value, "");
                } else {
                    let before = format!("{} ", &text[..at + c.len_utf8()]);
                    self.valued(option, value, word, &before);
                }
                return;
            }
            if !FLAGS.contains(c) {
                return;
            }
            self.flag(match c {
                'L' => "location",
                'I' => "head",
                'k' => "insecure",
                '0' => "http1.0",
                'G' => "get",
                _ => "",
            });
        }
    }

    fn flag(&mut self, option: &str) {
        match option {
            "http1.1" | "http1.0" => self.out.http1 = true,
            "location" | "location-trusted" => self.out.follows = true,
            "head" => self.out.head_only = true,
            "insecure" => self.out.insecure = true,
            "get" => self.out.method = Some("GET".to_owned()),
            _ => {}
        }
    }

    /// `before` stands in the same word, before the value.
    fn valued(&mut self, option: &str, value: &str, word: &Word, before: &str) {
        let credentials = |this: &mut Self| {
            this.replace(word, &format!("{before}[removed]"), "credentials");
        };
        match option {
            "header" | "proxy-header" => self.header(option, value, word, before),
            "url" => self.out.urls.push(plain_url(value).to_owned()),
            "proxy" | "proxy1.0" | "preproxy" | "socks4" | "socks4a" | "socks5"
            | "socks5-hostname" => {
                self.out.proxy = Some(without_user(value));
                // Without a scheme nothing else shows that there are credentials in it.
                if value.contains('@') {
                    let clean = without_user(value);
                    self.replace(word, &format!("{before}{clean}"), "userinfo");
                }
            }
            "request" => self.out.method = Some(value.to_owned()),
            "resolve" | "connect-to" => self.out.elsewhere = true,
            "write-out" => {
                self.out.write_out = Some(value.to_owned());
                self.keep(word);
            }
            "data" | "data-ascii" | "data-binary" | "data-raw" | "data-urlencode" | "json"
            | "form" | "form-string" => {
                self.out.method.get_or_insert_with(|| "POST".to_owned());
                credentials(self);
            }
            "user" | "proxy-user" | "cookie" | "oauth2-bearer" | "pass" | "proxy-pass" | "cert"
            | "proxy-cert" | "aws-sigv4" | "tlspassword" | "tlsuser" | "login-options"
            | "url-query" | "variable" => credentials(self),
            _ => {}
        }
    }

    fn header(&mut self, option: &str, line: &str, word: &Word, before: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line.trim_end_matches(';'), ""));
        let name = name.trim();
        if option == "header" {
            let (name, value) = (name.to_owned(), value.trim().to_owned());
            self.out.headers.push(Header { name, value });
        }
        if secret::stays(name) {
            self.keep(word);
            return;
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let shown: String = name.chars().filter(|c| plain(*c)).take(64).collect();
        self.replace(word, &format!("{before}'{shown}: [removed]'"), "header given");
    }

    fn replace(&mut self, word: &Word, by: &str, kind: &'static str) {
        // What was masked before is masked no second time.
        let again = word.text.trim_matches('\'').ends_with("[removed]");
        for (at, (line, start, end)) in word.spans.iter().enumerate() {
            let how = match at {
                _ if again => How::Keep,
                0 => How::Replace(by.to_owned(), kind),
                _ => How::Drop,
            };
            self.secrets.push(Secret { line: *line, range: *start..*end, how });
        }
    }

    fn keep(&mut self, word: &Word) {
        for (line, start, end) in &word.spans {
            self.secrets.push(Secret { line: *line, range: *start..*end, how: How::Keep });
        }
    }
}

/// What ends a call: a pipe, a redirection, the next command.
fn is_end(word: &str) -> bool {
    matches!(word, "|" | "||" | "&&" | ";" | "&" | ">" | ">>" | "2>&1" | "2>" | "<" | "|&")
        || word.starts_with("2>")
        || word.starts_with('>')
}

/// A URL without what mail and chat programs make of a link: `URL<URL>` (Outlook),
/// `<URL>`, `<URL|text>` (Slack), `[text](URL)` (Markdown), `[text|URL]` (Jira).
fn plain_url(word: &str) -> &str {
    let inner = word.strip_prefix('<').unwrap_or(word);
    if let Some(rest) = word.strip_prefix('[')
        && rest.contains("://")
    {
        let (text, url) =
            rest.split_once("](").or_else(|| rest.split_once('|')).unwrap_or(("", rest));
        let url = if url.contains("://") { url } else { text };
        return url.split([')', ']', '|']).next().unwrap_or(url);
    }
    if !inner.contains("://") {
        return word;
    }
    // `https://<host>/` is a placeholder and stays.
    let link = ["<http://", "<https://", "<ws://", "<wss://", "<mailto:"];
    let end = link.iter().filter_map(|link| inner.find(link)).min().unwrap_or(inner.len());
    let inner_end = (inner.len() < word.len()).then(|| inner.find(['>', '|'])).flatten();
    &inner[..inner_end.unwrap_or(end).min(end)]
}

fn without_user(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{rest}")
        }
        None => url.rsplit('@').next().unwrap_or_default().to_owned(),
    }
}

fn long_of(c: char) -> &'static str {
    match c {
        'b' => "cookie",
        'd' => "data",
        'E' => "cert",
        'F' => "form",
        'H' => "header",
        'u' => "user",
        'U' => "proxy-user",
        'w' => "write-out",
        'x' => "proxy",
        'X' => "request",
        _ => "",
    }
}
