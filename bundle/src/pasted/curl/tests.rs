//! What people paste, and what is read from it.

use super::*;

const OK: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const BAD: &str =
    "HTTP/1.1 400 Bad Request\nSec-Websocket-Version: 13\nContent-Length: 12\n\nBad Request\n";
const CALL: &str = "curl -i -N --http1.1 -H \"Connection: Upgrade\" -H \"Upgrade: websocket\" -H \
                    \"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\" -H \"Sec-WebSocket-Version: 13\" \
                    https://b.example/v1/ws";

fn tests(pasted: &str) -> Vec<Test> {
    read(&text(pasted.as_bytes())).tests
}

fn one(pasted: &str) -> Test {
    let mut all = tests(pasted);
    assert_eq!(all.len(), 1, "{pasted}: {all:#?}");
    all.remove(0)
}

fn statuses(test: &Test) -> Vec<u16> {
    test.responses.iter().map(|r| r.status).collect()
}

#[test]
fn an_error_alone_is_an_error() {
    for (pasted, code, words) in [
        ("curl: (52) Empty reply from server", 52, "Empty reply from server"),
        (
            "curl: (28) Connection timed out after 10002 milliseconds",
            28,
            "Connection timed out after 10002 milliseconds",
        ),
        (
            "I get this: curl: (7) Failed to connect to b port 443 after 3 ms: Connection refused",
            7,
            "Failed to connect to b port 443 after 3 ms: Connection refused",
        ),
        ("`curl: (6) Could not resolve host: b.example`", 6, "Could not resolve host: b.example"),
        ("> curl: (52) Empty reply from server\n> thanks", 52, "Empty reply from server"),
        ("curl.exe: (35) schannel: x", 35, "schannel: x"),
        (
            "curl : (56) Recv failure: Connection was reset",
            56,
            "Recv failure: Connection was reset",
        ),
        ("\u{feff}curl: (52)\u{a0}Empty reply from server\r\n", 52, "Empty reply from server"),
    ] {
        let test = one(pasted);
        assert_eq!((test.errors[0].code, test.errors[0].words.as_str()), (code, words), "{pasted}");
    }
}

#[test]
fn commands_are_taken_apart() {
    for pasted in [
        CALL.to_owned(),
        format!("$ {CALL}"),
        format!("PS C:\\> {}", CALL.replace("curl", "curl.exe")),
        format!("C:\\Users\\kim>{CALL}"),
        CALL.replace('"', "'"),
        CALL.replace('"', "\u{201d}"),
        CALL.replace('"', "^\""),
        CALL.replace(" -H", " \\\n  -H"),
        CALL.replace(" -H", " ^\r\n  -H"),
        CALL.replace(" -H", " `\n>>  -H"),
        CALL.replace(" -H", " \\\n>  -H"),
        CALL.replace(" -H \"Sec-WebSocket-Key", "\n-H \"Sec-WebSocket-Key"),
        // As a mail program breaks it at blanks, and a terminal of 80 columns where it may.
        CALL.replace("Upgrade: websocket", "Upgrade:\nwebsocket"),
        format!("{}\n{}", &CALL[..80], &CALL[80..]),
        format!("time {CALL}"),
        format!("{CALL} 2>&1 | tee out.txt"),
        CALL.replace("-H \"", "-H\"").replace("-i -N", "-iN"),
        CALL.replace("-H", "--header"),
        CALL.replace("-H ", "--header="),
        format!("{} --url {}", CALL.rsplit_once(' ').unwrap().0, "https://b.example/v1/ws"),
    ] {
        let test = one(&format!("{pasted}\n{OK}"));
        let command = test.command.clone().unwrap_or_else(|| panic!("{pasted}: {test:#?}"));
        assert_eq!(command.urls, ["https://b.example/v1/ws"], "{pasted}");
        for (name, value) in [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", "13"),
        ] {
            assert_eq!(command.header(name), Some(value), "{pasted}");
        }
        assert!(command.http1 && !command.follows && command.proxy.is_none(), "{pasted}");
        assert_eq!(statuses(&test), [101], "{pasted}");
    }
    let test = one("$ curl -sSiLNkx http://p:x@proxy:3128 -X GET -w '%{http_code}' b.example\n101");
    let command = test.command.unwrap();
    assert_eq!(command.proxy.as_deref(), Some("http://proxy:3128"));
    assert!(command.follows && command.insecure);
    assert_eq!((command.urls, test.written), (vec!["b.example".to_owned()], Some(101)));
}

#[test]
fn each_command_has_its_own_answer() {
    let page = "$ curl -sI https://b.example/\nHTTP/2 200 \nserver: nginx\n\n";
    let all = tests(&format!("$ {CALL}\n{OK}^C\n{page}"));
    assert_eq!(all.iter().map(statuses).collect::<Vec<_>>(), [[101], [200]]);
    let all = tests(&format!("$ {CALL}\n{BAD}$ {CALL}\ncurl: (52) Empty reply from server\n"));
    assert_eq!(all.len(), 2);
    assert_eq!((statuses(&all[0]), all[1].errors[0].code), (vec![400], 52));
    assert!(all[0].responses[0].body.contains("Bad Request"));
    // Without the commands: what ends a transfer ends a test.
    assert_eq!(tests(&format!("{OK}^C\n\n{BAD}")).len(), 2);
    assert_eq!(tests(&format!("{OK}{BAD}")).len(), 2);
    assert_eq!(tests(&format!("curl: (52) x\n{OK}")).len(), 2);
    assert_eq!(tests("curl: (7) a\nand from the other machine:\ncurl: (28) b\n").len(), 2);
    // What belongs together stays together.
    for (pasted, all) in [
        (format!("HTTP/1.1 200 Connection established\n\n{BAD}"), vec![200, 400]),
        (format!("$ {CALL} -x http://p:1\nHTTP/1.1 200 OK\n\n{BAD}"), vec![200, 400]),
        (format!("HTTP/1.1 200 OK\n\n{BAD}"), vec![200, 400]),
        (format!("HTTP/1.1 100 Continue\n\n{BAD}"), vec![100, 400]),
        (format!("HTTP/1.1 401 Unauthorized\nWWW-Authenticate: NTLM\n\n{OK}"), vec![401, 101]),
        (format!("HTTP/1.1 301 Moved\nLocation: https://b/\n\n{BAD}"), vec![301, 400]),
        (
            format!("HTTP/1.1 407 Proxy Authentication Required\n\nHTTP/1.1 200 OK\n\n{BAD}"),
            vec![407, 200, 400],
        ),
    ] {
        assert_eq!(statuses(&one(&pasted)), all, "{pasted}");
    }
}

#[test]
fn dialects_of_verbose_runs() {
    let sent = [
        "GET /v1/ws HTTP/1.1",
        "Host: b.example",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    let received: Vec<&str> = OK.split("\r\n").filter(|l| !l.is_empty()).collect();
    let verbose = |before: &str| {
        let mut out = format!("{before}* Connected to b.example (192.0.2.1) port 443\n");
        for line in sent {
            out.push_str(&format!("{before}> {line}\n"));
        }
        out.push_str(&format!("{before}> \n"));
        for line in &received {
            out.push_str(&format!("{before}< {line}\n"));
        }
        out + &format!("{before}< \n")
    };
    let trace = {
        let mut out = String::from(
            "== Info: Connected to b.example (192.0.2.1) port 443\n=> Send SSL data, 5 bytes (0x5)\n0000: .....\n=> Send header, 90 bytes (0x5a)\n",
        );
        let mut at = 0;
        for line in sent {
            out.push_str(&format!("{at:04x}: {line}\n"));
            at += line.len() + 2;
        }
        out.push_str(&format!("{at:04x}: \n"));
        for line in &received {
            out.push_str(&format!(
                "<= Recv header, {} bytes (0x1)\n0000: {line}\n",
                line.len() + 2
            ));
        }
        out + "<= Recv header, 2 bytes (0x2)\n0000: \n"
    };
    let plain = verbose("");
    let quoted = |mark: &str| {
        format!("{mark}Hi,\n") + &plain.lines().map(|l| format!("{mark}{l}\n")).collect::<String>()
    };
    for pasted in [
        plain.clone(),
        verbose("09:14:02.10000 [0-0] "),
        verbose("09:14:02.100000 "),
        verbose("[0-0] "),
        trace,
        quoted("> "),
        quoted("| "),
        quoted(">"),
        format!("{OK}{plain}"),
        format!("{plain}{OK}"),
        plain.replace("> ", "&gt; ").replace("< ", "&lt; "),
    ] {
        let test = one(&pasted);
        assert_eq!(statuses(&test), [101], "{pasted}");
        assert_eq!(test.requests, [sent], "{pasted}");
        assert!(test.connected, "{pasted}");
        assert_eq!(
            test.responses[0].header("sec-websocket-accept"),
            Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            "{pasted}"
        );
    }
}

/// As `--trace` writes a block.
fn dumped(begin: &str, text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = format!("{begin}, {} bytes ({:#x})\n", bytes.len(), bytes.len());
    for (at, row) in bytes.chunks(16).enumerate() {
        let hex: String = row.iter().map(|b| format!("{b:02x} ")).collect();
        let letter = |b: &u8| if (0x20..0x7f).contains(b) { char::from(*b) } else { '.' };
        let letters: String = row.iter().map(letter).collect();
        out.push_str(&format!("{:04x}: {hex:<48}{letters}\n", at * 16));
    }
    out
}

#[test]
fn a_dump_of_bytes_reads_like_letters() {
    // The letters of the last row look like bytes, and are none.
    let sent = "GET /v1/ws HTTP/1.1\r\nHost: b.example\r\nUpgrade: websocket\r\nX-A: be ef ca fe ab cd\r\n\r\n";
    let head = "=> Send header";
    let dump = dumped(head, sent)
        + &dumped("<= Recv header", "HTTP/1.1 400 Bad Request\r\n")
        + &dumped("<= Recv header", "Sec-Websocket-Version: 13\r\n")
        + &dumped("<= Recv header", "\r\n")
        + &dumped("<= Recv data", "Bad Request\n")
        + "== Info: Connection #0 to host b.example left intact\n";
    let quoted: String = dump.lines().map(|line| format!("> {line}\n")).collect();
    for pasted in [
        dump.clone(),
        quoted,
        dump.replace('\n', "\r\n"),
        dump.replace("   ", " "),
        dump.replace("=> Send", "09:14:02.100000 => Send"),
        format!("== Info: Trying\n{}{dump}", dumped("=> Send SSL data", "\u{16}\u{3}\u{1}")),
    ] {
        let test = one(&pasted);
        let lines: Vec<&str> = sent.split("\r\n").filter(|line| !line.is_empty()).collect();
        assert_eq!(test.requests, [lines], "{pasted}");
        assert_eq!(statuses(&test), [400], "{pasted}");
        assert_eq!(test.responses[0].body, "Bad Request\n", "{pasted}");
        let letters = text(pasted.as_bytes());
        assert_eq!(text(letters.as_bytes()), letters);
    }
    // Torn apart: what is left of a dump is no evidence.
    let torn = "0010: 43 6f 6f 6b 69 65 3a 20 61 3d 68 75 6e 74 65 72 Cookie: a=hunter\n";
    assert!(one(torn).hex);
}

#[test]
fn other_programs_name_themselves() {
    for (pasted, program) in [
        (
            "PS C:\\> curl -H \"Connection: Upgrade\" https://b/v1/ws\nInvoke-WebRequest : Cannot bind parameter 'Headers'. Cannot convert\n",
            Program::InvokeWebRequest,
        ),
        (
            "Invoke-WebRequest : Der Parameter \"Headers\" kann nicht gebunden werden.\n    + FullyQualifiedErrorId : CannotConvertArgumentNoMessage,Microsoft.PowerShell.Commands.InvokeWebRequestCommand\n",
            Program::InvokeWebRequest,
        ),
        (
            "curl : Der Remoteserver hat einen Fehler zur\u{fc}ckgegeben: (400) Ung\u{fc}ltige Anforderung.\n",
            Program::InvokeWebRequest,
        ),
        ("StatusCode        : 200\nStatusDescription : OK\n", Program::InvokeWebRequest),
        (
            "$ wget --header='Upgrade: websocket' https://b/v1/ws\n--2026-01-01 10:00:00--  https://b/v1/ws\nHTTP request sent, awaiting response... 400 Bad Request\n",
            Program::Wget,
        ),
        ("$ http https://b/v1/ws Upgrade:websocket\nHTTP/1.1 400 Bad Request\n\n", Program::Httpie),
        (
            "websocat: WebSocketError: WebSocketError: Received unexpected status code (403 Forbidden)\n",
            Program::Websocat,
        ),
        ("$ wscat -c wss://b/v1/ws\nerror: Unexpected server response: 403\n", Program::Wscat),
        ("$ openssl s_client -connect b:443\nCONNECTED(00000003)\n", Program::OpenSsl),
        (
            "Traceback (most recent call last):\n  File \"x.py\", line 3\nwebsockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 403\n",
            Program::Python,
        ),
        (
            "Could not connect to wss://b/v1/ws\nError: Unexpected server response: 400\n",
            Program::Postman,
        ),
    ] {
        let all = tests(pasted);
        assert!(all.iter().all(|test| test.program == program), "{pasted}: {all:#?}");
        assert_eq!(all.len(), 1, "{pasted}: {all:#?}");
    }
}

#[test]
fn nothing_panics_at_any_cut() {
    for whole in [
        OK.to_owned(),
        format!("$ {CALL}\n{BAD}"),
        "=> Send header, 1\n0000: GET / HTTP/1.1\n".into(),
    ] {
        for at in 0..whole.len() {
            let _ = read(&text(&whole.as_bytes()[..at]));
            let _ = read(&text(&whole.as_bytes()[at..]));
        }
    }
}
