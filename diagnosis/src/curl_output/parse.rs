//! From what was pasted to what curl received. Reads any mixture of `-i`, `-v`,
//! progress meter, prompts and messages; guesses nothing that is not there.

use wss_bundle::pasted;

/// Heads of one output: a proxy's, interim ones, redirects, the last.
const RESPONSES: usize = 20;

/// What an output shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Parsed {
    /// Every response head in order, as lines; a body behind the last.
    pub(crate) responses: Vec<Response>,
    /// Request heads (`-v`), in order.
    pub(crate) requests: Vec<Vec<String>>,
    /// `curl: (NN) …`: its exit code and words.
    pub(crate) error: Option<(u32, String)>,
    /// URLs in a pasted command.
    pub(crate) urls: Vec<String>,
    /// Whether a pasted command has `--http1.1`, and whether there is a command.
    pub(crate) command: Option<Command>,
    /// Whether `-v` says that a TCP connection was made.
    pub(crate) connected: bool,
    /// Whether this is PowerShell's own command of that name.
    pub(crate) invoke_web_request: bool,
}

/// A pasted command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Command {
    /// It asks for HTTP/1.1.
    pub(crate) http1: bool,
    /// It sends `Upgrade: websocket`.
    pub(crate) upgrade: bool,
}

/// One response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Response {
    /// `1.1`, `2` …
    pub(crate) version: String,
    /// Status code.
    pub(crate) status: u16,
    /// Status line and header lines, without line ends.
    pub(crate) lines: Vec<String>,
    /// What came after the head.
    pub(crate) body: String,
}

impl Response {
    /// The first line.
    pub(crate) fn line(&self) -> &str {
        self.lines.first().map_or("", String::as_str)
    }

    /// As bytes of a message head.
    pub(crate) fn raw(&self) -> Vec<u8> {
        let mut raw = self.lines.join("\r\n").into_bytes();
        raw.extend_from_slice(b"\r\n\r\n");
        raw
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Nothing,
    Request,
    Head,
    Body,
    Command,
}

/// Reads an output.
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    let text = pasted::text(bytes);
    // With `-v`, heads stand there twice where `-i` is given as well, and the
    // two streams may be interleaved: the marked ones are whole.
    let verbose = text
        .lines()
        .any(|line| status(line.trim_start().strip_prefix("< ").unwrap_or("")).is_some());
    let mut reader = Reader { verbose, out: Parsed::default(), at: At::Nothing };
    for line in text.lines() {
        reader.line(line.trim_end());
    }
    reader.out
}

struct Reader {
    verbose: bool,
    out: Parsed,
    at: At,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let bare = line.trim_start();
        if self.at == At::Command || is_command(bare) {
            return self.command(bare);
        }
        if is_meter(bare) {
            return;
        }
        if let Some(rest) = bare.strip_prefix("* ") {
            self.out.connected |=
                rest.starts_with("Connected to ") || rest.starts_with("Established connection to");
            return;
        }
        if bare.starts_with("{ [") || bare.starts_with("} [") {
            return;
        }
        if let Some((code, words)) = error(bare) {
            self.out.error = Some((code, words));
            return;
        }
        if bare.starts_with("StatusCode        :") || bare.starts_with("curl : ") {
            self.out.invoke_web_request = true;
            return;
        }
        match bare.strip_prefix('<') {
            // A line of a head has a blank after the mark, or nothing; HTML has not.
            Some(rest) if self.verbose && (rest.is_empty() || rest.starts_with(' ')) => {
                return self.head(rest.trim_start());
            }
            _ => {}
        }
        let rest = bare.strip_prefix("> ").or_else(|| (bare == ">").then_some(""));
        if let Some(rest) = rest.filter(|rest| status(rest).is_none()) {
            return self.request(rest);
        }
        let rest = rest.unwrap_or(bare);
        if self.verbose {
            // The same lines by `-i`, and the body.
            if !rest.is_empty() && !self.is_known(rest) {
                self.body(line);
            }
            return;
        }
        match self.at {
            At::Head => self.head(rest),
            _ => match after_meter(rest) {
                Some(rest) => self.head(rest),
                None => self.body(line),
            },
        }
    }

    /// A line of a response head.
    fn head(&mut self, line: &str) {
        if let Some((version, status)) = status(line) {
            self.at = At::Head;
            if self.out.responses.len() < RESPONSES {
                let lines = vec![line.to_owned()];
                self.out.responses.push(Response { version, status, lines, body: String::new() });
            }
            return;
        }
        if self.at != At::Head {
            return;
        }
        if line.is_empty() {
            self.at = At::Body;
            return;
        }
        let Some(last) = self.out.responses.last_mut() else { return };
        let field = line.split_once(':').is_some_and(|(name, _)| {
            !name.is_empty() && !name.contains([' ', '\t', '<', '"', '/'])
        });
        match last.lines.last_mut() {
            // A console's width cut the line before in two.
            Some(before) if !field => before.push_str(line),
            _ => last.lines.push(line.to_owned()),
        }
    }

    fn request(&mut self, line: &str) {
        let begins = line.split(' ').nth(2).is_some_and(|v| v.starts_with("HTTP/"));
        if begins {
            self.out.requests.push(Vec::new());
            self.at = At::Request;
        }
        if self.at == At::Request && !line.is_empty() {
            self.out.requests.last_mut().into_iter().for_each(|r| r.push(line.to_owned()));
        }
    }

    fn is_known(&self, line: &str) -> bool {
        status(line).is_some()
            || self.out.responses.iter().any(|r| r.lines.iter().any(|known| known == line))
    }

    fn body(&mut self, line: &str) {
        if let Some(last) = self.out.responses.last_mut()
            && self.at != At::Nothing
        {
            last.body.push_str(line);
            last.body.push('\n');
        }
    }

    fn command(&mut self, line: &str) {
        let command = self.out.command.get_or_insert_default();
        let lower = line.to_ascii_lowercase();
        command.http1 |= lower.contains("--http1.1") || lower.contains("--http1.0");
        let blanks_gone: String = lower.chars().filter(|c| *c != ' ').collect();
        command.upgrade |= blanks_gone.contains("upgrade:websocket");
        let words = line.split(|c: char| c.is_whitespace() || "\"'^`".contains(c));
        let urls = words.filter(|word| {
            ["http://", "https://", "ws://", "wss://"].iter().any(|scheme| word.starts_with(scheme))
        });
        self.out.urls.extend(urls.map(str::to_owned));
        let goes_on = line.ends_with(['\\', '^', '`']);
        self.at = if goes_on { At::Command } else { At::Nothing };
    }
}

/// Version and status of a status line.
fn status(line: &str) -> Option<(String, u16)> {
    let rest = line.strip_prefix("HTTP/")?;
    let (version, rest) = rest.split_once(' ')?;
    let plain = !version.is_empty()
        && version.len() <= 3
        && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let code = rest.get(..3)?;
    let ends = rest.len() == 3 || rest.as_bytes().get(3) == Some(&b' ');
    let version = version.trim_end_matches(".0");
    let version = if version == "1" { "1.0" } else { version };
    (plain && ends && code.bytes().all(|b| b.is_ascii_digit()))
        .then(|| Some((version.to_owned(), code.parse().ok()?)))?
}

/// A status line, also where the progress meter stands before it on the line.
fn after_meter(line: &str) -> Option<&str> {
    if status(line).is_some() {
        return Some(line);
    }
    let at = line.find("HTTP/")?;
    let (before, rest) = line.split_at(at);
    let meter = before.chars().all(|c| c.is_ascii_digit() || " .:-kMG%|".contains(c));
    (meter && status(rest).is_some()).then_some(rest)
}

fn is_meter(line: &str) -> bool {
    line.starts_with("% Total") || line.starts_with("Dload  Upload") || {
        line.len() > 40
            && line.contains("--:--:--")
            && line.chars().all(|c| c.is_ascii_digit() || " .:-kMG%".contains(c))
    }
}

/// `curl: (52) Empty reply from server`.
fn error(line: &str) -> Option<(u32, String)> {
    let at = line.find("curl: (")?;
    let (code, words) = line.get(at + 7..)?.split_once(')')?;
    Some((code.parse().ok()?, words.trim().chars().take(200).collect()))
}

fn is_command(line: &str) -> bool {
    // Most lines are none, and there may be many.
    let named = line.as_bytes().windows(4).any(|four| four.eq_ignore_ascii_case(b"curl"));
    if !named || line.starts_with("curl: ") || line.starts_with("curl : ") {
        return false;
    }
    line.split_whitespace().enumerate().take(6).any(|(at, word)| {
        let name = word.rsplit(['/', '\\', '$', '#', '>']).next().unwrap_or_default();
        let call = name.eq_ignore_ascii_case("curl") || name.eq_ignore_ascii_case("curl.exe");
        let follows = line.split_whitespace().nth(at + 1);
        call && follows
            .is_some_and(|next| next.starts_with(['-', '"', '\'']) || next.contains("://"))
    })
}
