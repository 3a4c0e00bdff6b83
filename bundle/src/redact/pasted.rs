//! Whatever is handed over: nothing panics, and what is clean stays as it is.

use crate::pasted::*;
use proptest::prelude::*;

/// Bytes as people's programs make them, and some that none makes.
fn handed_over() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        "[ -~\u{a0}\u{201c}\u{2013}\r\n]{0,12}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

const PIECES: &[&str] = &[
    "> ",
    ">> ",
    "| ",
    "> > ",
    "```\n",
    "{code}\n",
    "`",
    "\n",
    "\r\n",
    "\n\n",
    "$ ",
    "PS C:\\> ",
    "C:\\>",
    "\u{1b}[1m",
    "\u{feff}",
    "\\\n",
    "^\n",
];

proptest! {
    #[test]
    fn cleaning_twice_is_cleaning_once(bytes in handed_over()) {
        let once = text(&bytes);
        prop_assert_eq!(&text(once.as_bytes()), &once);
        let joined: String = lines(&once).iter().map(|l| format!("{}\n", l.text)).collect();
        let again: String = lines(&joined).iter().map(|l| format!("{}\n", l.text)).collect();
        prop_assert_eq!(again, joined);
    }

    #[test]
    fn a_line_is_a_part_of_the_line_that_it_names(bytes in handed_over()) {
        let whole = text(&bytes);
        let all: Vec<&str> = whole.lines().collect();
        for line in lines(&whole) {
            prop_assert_eq!(all[line.number - 1].get(line.start..line.start + line.text.len()), Some(line.text));
            let _ = (after_prompt(line.text), straight(line.text));
        }
    }
}

/// Lines of pastes, with secrets in every place where curl shows one.
const CURLS: &[&str] = &[
    "$ curl -i -N -H \"Connection: Upgrade\" -H 'X-Own: hunter2hunter2' -u ann:hunter2hunter2 \\\n",
    "  -b sid=hunter2hunter2 -H \"Upgrade: websocket\" https://a:hunter2hunter2@b.example/v1/ws?t=hunter2hunter2\n",
    "C:\\>curl.exe -sv -x http://u:hunter2hunter2@proxy:1 \"https://b.example/\"\n",
    "curl -H \u{201d}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\u{201d} https://b.example/v1/ws\n",
    "> GET /v1/ws?token=hunter2hunter2 HTTP/1.1\n",
    "> Authorization: Bearer hunter2hunter2\n",
    "> Accept: text/plain;q=0.9\n",
    "> Upgrade: websocket\n> \n",
    "< HTTP/1.1 101 Switching Protocols\n",
    "< Set-Cookie: s=hunter2hunter2; Path=/\n",
    "< Content-Type: text/html;charset=utf-8\n< \n",
    "HTTP/1.1 400 Bad Request\n",
    "Sec-Websocket-Version: 13\n\n",
    "Set-Cookie: BP=hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2\nhunter2hunter2\n",
    "HTTP/2 200 \n",
    "Location: https://idp.example/?code=hunter2hunter2\n",
    "curl: (52) Empty reply from server\n",
    "* Server auth using Basic with user 'hunter2hunter2'\n",
    "* Connected to b.example (192.0.2.1) port 443\n",
    "== Info: Trying\n=> Send header, 20 bytes (0x14)\n0000: GET / HTTP/1.1\n0010: Cookie: a=hunter2hunter2\n",
    "=> Send header, 41 bytes (0x29)\n0000: 47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a GET / HTTP/1.1..\n0010: 43 6f 6f 6b 69 65 3a 20 61 3d 68 75 6e 74 65 72 Cookie: a=hunter\n0020: 32 68 75 6e 74 65 72 32 0d                      2hunter2.\n",
    "^C\n",
    "Invoke-WebRequest : Cannot bind parameter 'Headers'.\n",
    "<html>\n",
    "\n",
];

/// What is read of a paste, but for what a redactor may take away.
fn facts(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    // A query goes wherever a URL stands.
    let start = |line: &str| line.split('?').next().unwrap_or_default().to_owned();
    let names = |lines: &[String]| -> String {
        let own = |line: &String| match line.split_once(':') {
            Some((name, value)) if crate::redact::header_may_stay(name) => {
                format!("{name}:{}", start(value))
            }
            Some((name, _)) => name.to_owned(),
            None => String::new(),
        };
        lines.iter().skip(1).map(own).collect::<Vec<_>>().join("|")
    };
    for test in curl::read(&curl::text(bytes)).tests {
        let _ = write!(out, "test {} {:?} {:?}", test.line, test.program, test.errors);
        if let Some(c) = &test.command {
            let urls: Vec<String> = c
                .urls
                .iter()
                .map(|url| {
                    // A torn cookie among the words of a command is masked as one.
                    let url = start(url).replace("hunter2hunter2", "[removed]");
                    url.split_once("://").map_or(url.clone(), |(s, rest)| {
                        format!("{s}://{}", rest.rsplit('@').next().unwrap_or_default())
                    })
                })
                .collect();
            let headers: Vec<String> = c
                .headers
                .iter()
                .map(|h| names(&[String::new(), format!("{}: {}", h.name, h.value)]))
                .collect();
            let _ = write!(out, " {urls:?} {headers:?} {:?} {} {:?}", c.proxy, c.follows, c.method);
        }
        for request in &test.requests {
            let _ = write!(out, " sent {} {}", start(&request[0]), names(request));
        }
        for response in &test.responses {
            let _ = write!(
                out,
                " got {} {} {}",
                response.line,
                response.status,
                names(&response.lines)
            );
        }
        let _ = writeln!(out, " {:?} {} {}", test.written, test.connected, test.hex);
    }
    out
}

/// Tests as curl and a shell show them, from command to answer.
const WHOLE: &[&str] = &[
    "$ curl -i -N -H \"Connection: Upgrade\" -H 'X-Own: hunter2hunter2' -u ann:hunter2hunter2 \\\n  \
     -b sid=hunter2hunter2 -H \"Upgrade: websocket\" https://a:hunter2hunter2@b.example/v1/ws?t=hunter2hunter2\n\
     HTTP/1.1 400 Bad Request\nSec-Websocket-Version: 13\nSet-Cookie: BP=hunter2hunter2\n\nBad Request\n",
    "C:\\>curl.exe -sv -x http://u:hunter2hunter2@proxy:1 \"https://b.example/\"\n\
     > GET /v1/ws?token=hunter2hunter2 HTTP/1.1\n> Authorization: Bearer hunter2hunter2\n\
     > Accept: text/plain;q=0.9\n> Upgrade: websocket\n> \n< HTTP/1.1 101 Switching Protocols\n\
     < Set-Cookie: s=hunter2hunter2; Path=/\n< Content-Type: text/html;charset=utf-8\n< \n",
    "$ curl -v https://b.example/\n* Connected to b.example (192.0.2.1) port 443\n\
     * Server auth using Basic with user 'hunter2hunter2'\n> GET / HTTP/2\n> Cookie: a=hunter2hunter2\n\
     > \n< HTTP/2 302 \n< location: https://idp.example/?code=hunter2hunter2\n< \n",
    "$ curl https://b.example/\ncurl: (52) Empty reply from server\n",
    "curl: (7) Failed to connect to b.example port 443: Connection refused\n",
    "Invoke-WebRequest : Cannot bind parameter 'Headers'.\n",
];

fn whole() -> impl Strategy<Value = String> {
    let one = proptest::sample::select(WHOLE);
    proptest::collection::vec(one, 0..8).prop_map(|tests| tests.concat())
}

fn pasted() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => proptest::sample::select(CURLS),
        1 => proptest::sample::select(PIECES),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// However a paste was torn apart.
    #[test]
    fn no_secret_is_left(given in pasted()) {
        let masked = crate::redact::Redactor::new().curl_output("e", given.as_bytes());
        prop_assert!(!masked.contains("hunter2"), "{}", masked);
    }

    /// Of whole tests: what is torn apart may be read in more than one way, and what
    /// is masked is shorter than what stood there.
    #[test]
    fn what_is_masked_reads_as_before(given in whole()) {
        let bytes = given.as_bytes();
        let mut redactor = crate::redact::Redactor::new();
        let masked = redactor.curl_output("e", bytes);
        prop_assert_eq!(facts(masked.as_bytes()), facts(bytes), "{}", masked);
        // What is masked is masked once.
        let mut again = crate::redact::Redactor::new();
        prop_assert_eq!(&again.curl_output("e", masked.as_bytes()), &masked);
    }

    /// However it was torn apart.
    #[test]
    fn what_is_torn_reads_as_before(given in pasted()) {
        let bytes = given.as_bytes();
        let masked = crate::redact::Redactor::new().curl_output("e", bytes);
        prop_assert_eq!(facts(masked.as_bytes()), facts(bytes), "{}", masked);
        let mut again = crate::redact::Redactor::new();
        prop_assert_eq!(&again.curl_output("e", masked.as_bytes()), &masked);
    }

    #[test]
    fn nothing_panics(bytes in handed_over()) {
        let _ = curl::read(&curl::text(&bytes));
        let _ = crate::redact::Redactor::new().curl_output("e", &bytes);
    }
}

/// A header that ends up among a command's words, where a line's end was taken for the
/// command's own.
#[test]
fn a_header_among_the_words_of_a_command_is_masked_once() {
    let given = "$ curl -i -N -H 'X-Own: hunter2hunter2' -u ann:hunter2hunter2 \\\n\
                 $ C:\\>< Set-Cookie: s=hunter2hunter2; Path=/\n";
    let masked = crate::redact::Redactor::new().curl_output("e", given.as_bytes());
    assert!(!masked.contains("hunter2"), "{masked}");
    assert_eq!(facts(masked.as_bytes()), facts(given.as_bytes()), "{masked}");
    let mut again = crate::redact::Redactor::new();
    assert_eq!(masked, again.curl_output("e", masked.as_bytes()));
}
