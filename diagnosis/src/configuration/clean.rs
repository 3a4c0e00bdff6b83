//! What stands around a configuration that went through a terminal or a mail:
//! prompts, what the program said while it printed, quoting, fences. Lines keep
//! their numbers.

use regex::Regex;
use std::sync::OnceLock;
use wss_bundle::pasted;

/// The text without what stands around it.
pub(crate) fn text(bytes: &[u8]) -> String {
    let text = pasted::text(bytes);
    // `>` is no configuration's word; only then is it a mail's.
    let quoted = text.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with('>')
            || line.starts_with("```")
            || line.starts_with("~~~")
            || line.starts_with("{code")
            || line.starts_with("{noformat")
    });
    let mut out = String::with_capacity(text.len());
    if !quoted {
        for line in text.lines() {
            out.push_str(if is_said(line) { "" } else { line });
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
    }
}
