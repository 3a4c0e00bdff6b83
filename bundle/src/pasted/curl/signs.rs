//! How the lines of programs look.

use super::Program;
use super::mark::REST;

/// Version and status of a status line.
pub(super) fn status(line: &str) -> Option<(String, u16)> {
    let rest = line.strip_prefix("HTTP/")?;
    let (version, rest) = rest.split_once(' ')?;
    let plain = !version.is_empty()
        && version.len() <= 3
        && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let rest = rest.trim_start();
    let code = rest.get(..3)?;
    let ends = rest.len() == 3 || rest.as_bytes().get(3) == Some(&b' ');
    let version = version.trim_end_matches(".0");
    let version = if version == "1" { "1.0" } else { version };
    (plain && ends && code.bytes().all(|b| b.is_ascii_digit()))
        .then(|| Some((version.to_owned(), code.parse().ok()?)))?
}

/// Where a status line begins that stands behind the progress meter on the line.
pub(super) fn behind_meter(line: &str) -> Option<usize> {
    let at = line.find("HTTP/")?;
    let (before, rest) = line.split_at(at);
    (before.chars().all(is_meters) && status(rest).is_some()).then_some(at)
}

fn is_meters(c: char) -> bool {
    c.is_ascii_digit() || " .:-kMGTP%|".contains(c)
}

/// The progress meter: its two head lines, and its numbers.
pub(super) fn is_meter(line: &str) -> bool {
    line.starts_with("% Total")
        || line.starts_with("Dload")
        || line.starts_with("DL% UL%")
        || line.len() > 30 && line.contains("--:--") && line.chars().all(is_meters)
        || line.len() > 40 && line.matches(':').count() >= 4 && line.chars().all(is_meters)
        || line.len() > 3
            && line.chars().all(|c| "#=O- .%".contains(c) || c.is_ascii_digit())
            && line.ends_with('%')
}

/// `curl: (52) Empty reply from server`, wherever it stands in the line.
pub(super) fn error(line: &str) -> Option<(u32, String)> {
    // PowerShell says it again, cut short, behind what it makes of it.
    if line.contains("CategoryInfo") {
        return None;
    }
    let mut from = 0;
    while let Some(at) = line.get(from..)?.find("curl") {
        let rest = &line[from + at + 4..];
        let rest = rest.strip_prefix(".exe").unwrap_or(rest);
        // Wide ones, of keyboards of East Asia, as well.
        if let Some(rest) = rest.trim_start().strip_prefix([':', '\u{ff1a}'])
            && let Some(rest) = rest.trim_start().strip_prefix(['(', '\u{ff08}'])
            && let Some((code, words)) = rest.split_once([')', '\u{ff09}'])
            && let Ok(code) = code.trim().parse()
        {
            let words = words.trim().trim_end_matches(['`', '*', '_']);
            return Some((code, words.chars().take(300).collect()));
        }
        from += at + 4;
    }
    None
}

/// What stands before a line of `-vv` and more: a time, `[0-0]`; and where what
/// follows begins. 0 where there is none.
pub(super) fn behind_time(line: &str) -> usize {
    let mut rest = line;
    let skip = |rest: &mut &str, n: usize| *rest = rest[n..].trim_start();
    let time = rest.bytes().take_while(|b| b.is_ascii_digit() || b":.".contains(b)).count();
    if time >= 8 && rest[..time].matches(':').count() == 2 && rest[time..].starts_with(' ') {
        skip(&mut rest, time);
    }
    // `[0-0]`, `[1-x]`: transfer and connection.
    if let Some(inner) = rest.strip_prefix('[')
        && let Some(end) = inner.find(']')
        && inner[..end].contains('-')
        && inner[..end].bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'x')
    {
        skip(&mut rest, end + 2);
    }
    line.len() - rest.len()
}

/// `0040: …` of `--trace-ascii`: where the text begins, and whether it is
/// hexadecimal as well (`--trace`).
pub(super) fn traced(line: &str) -> Option<(usize, bool)> {
    let digits = line.bytes().take_while(u8::is_ascii_hexdigit).count();
    let rest = line.get(digits..)?.strip_prefix(':')?;
    let text = rest.strip_prefix(' ').unwrap_or(rest);
    let hex = text == REST || dumped(text).count() >= 2;
    (digits == 4 || digits == 5).then(|| (line.len() - text.len(), hex))
}

/// The bytes at the beginning of a line of a dump in hexadecimal.
pub(super) fn dumped(text: &str) -> impl Iterator<Item = u8> {
    let pair = |word: &str| (word.len() == 2).then(|| u8::from_str_radix(word, 16).ok())?;
    text.split_ascii_whitespace().map_while(pair).take(16)
}

/// What comes next in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Sent,
    Received,
    /// What came behind a head.
    Content,
    Bytes,
}

/// `=> Send header, 180 bytes (0xb4)`.
pub(super) fn block(line: &str) -> Option<Block> {
    let rest = line.strip_prefix("=> ").or_else(|| line.strip_prefix("<= "))?;
    match rest.split(',').next()? {
        "Send header" => Some(Block::Sent),
        "Recv header" => Some(Block::Received),
        "Recv data" => Some(Block::Content),
        "Send data" | "Send SSL data" | "Recv SSL data" => Some(Block::Bytes),
        _ => None,
    }
}

/// How many bytes such a line says that the block has.
pub(super) fn block_bytes(line: &str) -> Option<usize> {
    line.split_once(", ")?.1.split_once(" bytes")?.0.parse().ok()
}

/// Whether a line is a call of curl, with or without a prompt before it.
pub(super) fn is_call(line: &str) -> bool {
    // Most lines are none, and there may be many.
    let named = line.as_bytes().windows(4).any(|four| four.eq_ignore_ascii_case(b"curl"));
    if !named || error(line).is_some() || line.starts_with("curl: ") || line.starts_with("curl : ")
    {
        return false;
    }
    let mut words = line.split_whitespace().peekable();
    for _ in 0..6 {
        let Some(word) = words.next() else { return false };
        let call = super::command::is_curl(word);
        let follows = words.peek().is_some_and(|next| {
            next.starts_with(['-', '"', '\'', '\u{2013}', '\u{2014}', '\u{201c}', '\u{201d}'])
                || next.contains("://")
                || *next == "\\"
                || *next == "^"
                || *next == "`"
        });
        if call && follows {
            return true;
        }
    }
    false
}

/// Programs by the first word of their commands.
pub(super) fn called(command: &str) -> Option<Program> {
    if ["ClientWebSocket", "System.Net.WebSockets", ".ConnectAsync("]
        .iter()
        .any(|own| command.contains(own))
    {
        return Some(Program::DotNet);
    }
    let mut words = command.split_whitespace();
    let first = words.next()?.rsplit(['/', '\\']).next()?.trim_end_matches(".exe");
    let second = words.next().unwrap_or_default();
    Some(match first {
        "wget" => Program::Wget,
        "http" | "https" | "xh" | "xhs" if !second.is_empty() => Program::Httpie,
        "websocat" => Program::Websocat,
        "wscat" => Program::Wscat,
        "npx" if second == "wscat" => Program::Wscat,
        "openssl" => Program::OpenSsl,
        "python" | "python3" | "py" => Program::Python,
        "telnet" | "nc" | "ncat" => Program::Telnet,
        _ if ["invoke-webrequest", "iwr", "invoke-restmethod", "irm"]
            .contains(&first.to_ascii_lowercase().as_str()) =>
        {
            Program::InvokeWebRequest
        }
        _ => return None,
    })
}

/// The same without a prompt before it, where nothing else looks so.
pub(super) fn called_plainly(line: &str) -> Option<Program> {
    let program = called(line)?;
    let rest = line.split_once(' ').map_or("", |(_, rest)| rest);
    let like = rest.contains("://") || rest.starts_with('-') || rest.starts_with("s_client");
    (like && (program != Program::Httpie || !line.contains("://") || rest.contains("://")))
        .then_some(program)
}

/// Programs by what they print; and whether the line decides.
pub(super) fn printed(line: &str) -> Option<(Program, bool)> {
    const SIGNS: &[(&str, Program, bool)] = &[
        // Windows PowerShell: not localised are names of types and commands.
        ("InvokeWebRequestCommand", Program::InvokeWebRequest, false),
        ("InvokeRestMethodCommand", Program::InvokeWebRequest, false),
        ("[Invoke-WebRequest]", Program::InvokeWebRequest, false),
        ("Invoke-WebRequest :", Program::InvokeWebRequest, true),
        ("Invoke-WebRequest:", Program::InvokeWebRequest, true),
        ("Invoke-RestMethod :", Program::InvokeWebRequest, true),
        ("Invoke-RestMethod:", Program::InvokeWebRequest, true),
        ("ParameterBindingException", Program::InvokeWebRequest, false),
        ("System.Net.WebSockets", Program::DotNet, false),
        ("ClientWebSocket", Program::DotNet, false),
        ("HTTP request sent, awaiting response", Program::Wget, true),
        ("wget: ", Program::Wget, true),
        ("http: error: ", Program::Httpie, true),
        ("https: error: ", Program::Httpie, true),
        ("http: LogLevel.ERROR: ", Program::Httpie, true),
        ("https: LogLevel.ERROR: ", Program::Httpie, true),
        ("resolve the given hostname. Please check the URL", Program::Httpie, true),
        ("HTTPie/", Program::Httpie, false),
        ("websocat: ", Program::Websocat, true),
        ("WebSocketError: ", Program::Websocat, true),
        ("rror: Unexpected server response: ", Program::Wscat, true),
        ("error: socket hang up", Program::Wscat, true),
        ("error: getaddrinfo ", Program::Wscat, true),
        ("error: connect E", Program::Wscat, true),
        ("error: read ECONNRESET", Program::Wscat, true),
        ("error: Opening handshake has timed out", Program::Wscat, true),
        ("error: Client network socket disconnected before secure TLS", Program::Wscat, true),
        ("error: self-signed certificate", Program::Wscat, true),
        ("error: self signed certificate", Program::Wscat, true),
        ("error: unable to verify the first certificate", Program::Wscat, true),
        ("error: unable to get local issuer certificate", Program::Wscat, true),
        ("error: certificate has expired", Program::Wscat, true),
        ("Disconnected (code: ", Program::Wscat, true),
        ("Connected (press CTRL+C to quit)", Program::Wscat, true),
        ("websockets.exceptions.", Program::Python, true),
        ("websocket._exceptions.", Program::Python, true),
        ("requests.exceptions.", Program::Python, true),
        ("aiohttp.client_exceptions.", Program::Python, true),
        ("Traceback (most recent call last)", Program::Python, false),
        ("Could not connect to wss://", Program::Postman, true),
        ("Could not connect to ws://", Program::Postman, true),
        ("PostmanRuntime/", Program::Postman, false),
        ("Escape character is '^]'", Program::Telnet, false),
    ];
    if line.starts_with("curl : ") || line.starts_with("iwr : ") || line.starts_with("curl.exe : (")
    {
        return Some((Program::InvokeWebRequest, true));
    }
    let key = |name: &str| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(' ') && rest.trim_start().starts_with(": "))
    };
    if key("StatusCode") || key("RawContent") || key("StatusDescription") || key("RawContentLength")
    {
        return Some((Program::InvokeWebRequest, false));
    }
    // wget's first line, in every language: `--2026-01-01 10:00:00--  https://…`.
    if line.strip_prefix("--20").is_some_and(|rest| {
        rest.split_once("--  ").is_some_and(|(time, url)| time.len() == 17 && url.contains("://"))
    }) {
        return Some((Program::Wget, false));
    }
    if line.starts_with("CONNECTED(") || line.starts_with("verify error:num=") {
        return Some((Program::OpenSsl, false));
    }
    SIGNS
        .iter()
        .find(|(sign, ..)| line.contains(sign))
        .map(|(_, program, decides)| (*program, *decides))
}
