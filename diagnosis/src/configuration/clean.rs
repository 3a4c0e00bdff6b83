//! What stands around a configuration that went through a terminal or a mail:
//! prompts, what the program said while it printed, quoting, fences, an editor's
//! numbers, a patch, a ConfigMap, times of a log. Lines keep their numbers.

use regex::Regex;
use std::sync::OnceLock;
use wss_bundle::{pasted, structured};

/// The text without what stands around it.
pub(crate) fn text(bytes: &[u8]) -> String {
    let text = undressed(pasted::text(bytes));
    // `>` is no configuration's word; only then is it a mail's.
    let quoted = text.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with('>')
            || line.starts_with("```")
            || line.starts_with("~~~")
            || line.starts_with("{code")
            || line.starts_with("{noformat")
    });
    // `cat -n`: no configuration begins with a number.
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let quoted = quoted || first.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let mut out = String::with_capacity(text.len());
    if !quoted {
        // Which of the clouds' commands printed what is a part of it.
        let printed = structured::looks(&text);
        let goes = |line: &str| is_said(line) && !(printed && structured::call(line).is_some());
        for line in text.lines() {
            out.push_str(if goes(line) { "" } else { line });
            out.push('\n');
        }
        // A diff has to know whether the last line ends.
        if !text.ends_with('\n') {
            out.pop();
        }
        return out;
    }
    let mut number = 1;
    for line in pasted::lines(&text) {
        while number < line.number {
            out.push('\n');
            number += 1;
        }
        out.push_str(if is_said(line.text) { "" } else { line.text });
        out.push('\n');
        number += 1;
    }
    out
}

/// The file out of what it was sent in, where that is one of a few forms; line by line.
fn undressed(text: String) -> String {
    let has = |start: &str| text.lines().any(|line| line.starts_with(start));
    if has("@@ ") && has("+++ ") {
        return each(&text, |line| {
            const HEADS: [&str; 8] =
                ["diff ", "index ", "--- ", "+++ ", "@@", "new file ", "similarity ", "rename "];
            let head = HEADS.iter().any(|head| line.starts_with(head)) || line.starts_with('-');
            if head { "" } else { line.strip_prefix(['+', ' ']).unwrap_or(line) }
        });
    }
    if has("apiVersion:") || has("kind:") {
        return config_map(&text).unwrap_or(text);
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
    let timed = text.lines().filter(|line| behind_time(line).is_some()).count();
    if timed > 3 && timed * 10 > lines * 8 {
        return each(&text, |line| behind_time(line).unwrap_or(line));
    }
    text
}

fn each<'a>(text: &'a str, of: impl Fn(&'a str) -> &'a str) -> String {
    text.lines().flat_map(|line| [of(line), "\n"]).collect()
}

/// `2026-11-30T09:14:02.1Z server {`, as `docker logs -t` and `kubectl logs --timestamps`.
fn behind_time(line: &str) -> Option<&str> {
    let (time, rest) = line.split_once(' ').unwrap_or((line, ""));
    let bytes = time.as_bytes();
    let is = bytes.len() >= 20
        && bytes.get(4) == Some(&b'-')
        && bytes.get(10) == Some(&b'T')
        && bytes.get(13) == Some(&b':')
        && time.ends_with('Z');
    is.then_some(rest)
}

/// The texts of a ConfigMap (`nginx.conf: |`), everything else empty; `None` where it
/// holds no configuration.
fn config_map(text: &str) -> Option<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut out = String::with_capacity(text.len());
    let mut key: Option<usize> = None;
    let mut inner = None;
    let mut found = false;
    for line in text.lines() {
        let blank = line.trim().is_empty();
        if key.is_some_and(|key| !blank && indent(line) <= key) {
            (key, inner) = (None, None);
        }
        if key.is_some() {
            let from = *inner.get_or_insert_with(|| indent(line));
            out.push_str(line.get(from..).unwrap_or_else(|| line.trim_start()));
        } else if structured::opens_a_file(line) {
            key = Some(indent(line));
            found = true;
        }
        out.push('\n');
    }
    found.then_some(out)
}

/// A prompt with or without a command, or a program's own message.
fn is_said(line: &str) -> bool {
    static PROMPT: OnceLock<Option<Regex>> = OnceLock::new();
    let prompt = PROMPT.get_or_init(|| {
        // `root@lb1:~# cat x`, `[kim@lb1 ~]$ `, `PS C:\> type x`, `C:\nginx>`,
        // `$ cat x`, `# nginx -T`; a `#` alone begins comments.
        Regex::new(
            r"^\s*(?:(?:\([\w.-]+\)\s*)?\[?[\w.-]+@[\w.-]+(?::|\s|\])[^{};]*[#$%>]\s?(?:\S.*)?|(?:PS )?[A-Za-z]:\\[^<>|]*>.*|[#$%]\s*(?:sudo\s+)?(?:cat|nginx|haproxy|aws|gcloud|az|kubectl|docker|podman|less|more|type|exit|ls|cd|grep|tail|head|vi|vim|nano)(?:\s[^;{}]*)?)$",
        )
        .ok()
    });
    let line = line.trim_end();
    let trimmed = line.trim_start();
    if trimmed.is_empty() {
        return false;
    }
    let message = ["nginx: ", "[NOTICE]", "[WARNING]", "[ALERT]", "[emerg]", "[warn]"]
        .iter()
        .any(|start| trimmed.starts_with(start))
        || matches!(trimmed, "Configuration file is valid" | "--More--" | "(END)" | "EOF")
        || trimmed.starts_with("Defaulted container ")
        || trimmed.starts_with("command terminated with exit code");
    message || prompt.as_ref().is_some_and(|prompt| prompt.is_match(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_and_messages_go_and_lines_stay() {
        for said in [
            "root@lb1:~# ",
            "root@lb1:~# nginx -T",
            "[kim@lb1 ~]$ cat /etc/haproxy/haproxy.cfg",
            "[kim@lb1 ~]$",
            "(venv) kim@lb1:/etc/nginx$ exit",
            "PS C:\\nginx\\conf> type nginx.conf",
            "C:\\nginx>",
            "$ sudo nginx -T",
            "# cat nginx.conf",
            "nginx: configuration file /etc/nginx/nginx.conf test is successful",
            "nginx: [warn] conflicting server name \"b\" on 0.0.0.0:80, ignored",
            "[WARNING]  (1234) : config : missing timeouts",
            "Configuration file is valid",
        ] {
            assert!(is_said(said), "{said}");
        }
        for kept in [
            "# configuration file /etc/nginx/nginx.conf:",
            "# a comment about cats",
            "server {",
            "}",
            "    bind ipv4@127.0.0.1:443 ssl crt x",
            "    set $a b;",
            "    stats auth admin:x@y",
            "  acl a hdr(host) -i b.example # kim@lb1",
            "    ~^/v1/ upgrade;",
            "defaults",
            "$scheme;",
        ] {
            assert!(!is_said(kept), "{kept}");
        }
        assert_eq!(text(b"\xff\xfea\0;\0\n\0"), "a;\n");
        let mail = "Hi,\n> http {\n>   server {}\n> }\n";
        assert_eq!(text(mail.as_bytes()).lines().count(), 4);
        assert_eq!(text(b"```nginx\nhttp { }\n```\n"), "\nhttp { }\n");
        for (sent, file) in [
            ("     1\thttp {\n     2\t  a b;\n     3\t\n     4\t}\n", "http {\n  a b;\n\n}\n"),
            (
                "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n http {\n-  a b;\n+  a c;\n }\n",
                "\n\n\nhttp {\n\n  a c;\n}\n",
            ),
            (
                "apiVersion: v1\ndata:\n  a.conf: |\n    http {\n      a b;\n    }\nkind: X\n",
                "\n\n\nhttp {\n  a b;\n}\n\n",
            ),
        ] {
            assert_eq!(text(sent.as_bytes()), file);
        }
    }
}
