//! What programs put around lines that somebody quotes, sends or copies.

use std::borrow::Cow;

/// Marks before a line that are taken away at most: nobody answers more often.
const LEVELS: usize = 32;

/// A line without what was put around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Which line of the whole text it is, from 1.
    pub number: usize,
    /// Byte of that line at which `text` begins.
    pub start: usize,
    /// What it says.
    pub text: &'a str,
}

impl<'a> Line<'a> {
    fn cut(&mut self, rest: &'a str) {
        // `rest` is a part of `text`, up to its end or not.
        self.start += rest.as_ptr() as usize - self.text.as_ptr() as usize;
        self.text = rest;
    }
}

/// The lines of a text from [`super::text`] without marks of quoting (`> `,
/// `>> `, `| `), fences and code marks (Markdown, Jira, Slack). curl marks what it
/// sends with `> ` as well: that stays.
#[must_use]
pub fn lines(text: &str) -> Vec<Line<'_>> {
    let mut all: Vec<Line<'_>> = text
        .lines()
        .enumerate()
        .map(|(at, text)| Line { number: at + 1, start: 0, text })
        .collect();
    unnumber(&mut all);
    for _ in 0..LEVELS {
        let quoted = unquote(&mut all);
        let before = all.len();
        all.retain(|line| !is_fence(line.text));
        let coded = all.iter_mut().fold(false, |any, line| uncode(line) | any);
        if !quoted && !coded && all.len() == before {
            break;
        }
    }
    all
}

/// Takes an editor's numbers before lines away: at least four in a row that count.
fn unnumber(all: &mut [Line<'_>]) {
    const ROW: usize = 4;
    let number = |line: &str| -> Option<(usize, usize)> {
        let bare = line.trim_start();
        let digits = bare.bytes().take_while(u8::is_ascii_digit).count();
        let behind = &bare[digits..];
        let mark = behind.strip_prefix([':', '|', '.', ')']).unwrap_or(behind);
        // A number alone stands before an empty line.
        let rest =
            mark.strip_prefix(['\t', ' ', '|', '\u{2502}']).or(mark.is_empty().then_some(""))?;
        let rest = rest.strip_prefix("| ").unwrap_or(rest);
        let value = bare.get(..digits).filter(|_| digits < 6)?.parse().ok()?;
        Some((value, line.len() - rest.len()))
    };
    let mut at = 0;
    while at < all.len() {
        let first = number(all[at].text).map(|(value, _)| value);
        let row = first.map_or(0, |first| {
            let counts = |(n, line): &(usize, &Line<'_>)| {
                number(line.text).is_some_and(|(value, _)| value == first + n)
            };
            all[at..].iter().enumerate().take_while(counts).count()
        });
        if row >= ROW {
            for line in &mut all[at..at + row] {
                if let Some((_, from)) = number(line.text) {
                    line.cut(&line.text[from..]);
                }
            }
        }
        at += row.max(1);
    }
}

/// Takes one level of quoting away wherever there is one.
fn unquote(all: &mut [Line<'_>]) -> bool {
    let mut changed = false;
    let mut at = 0;
    while at < all.len() {
        let Some(mark) = mark(all[at].text) else {
            at += 1;
            continue;
        };
        let run = all[at..].iter().take_while(|line| self::mark(line.text) == Some(mark)).count();
        let block = &mut all[at..at + run];
        let enough = mark == '>' || block.len() > 1;
        if enough && !is_curls(mark, block) {
            for line in block {
                line.cut(behind(line.text, mark));
            }
            changed = true;
        }
        at += run;
    }
    changed
}

fn mark(line: &str) -> Option<char> {
    let line = line.trim_start();
    let first = line.chars().next()?;
    let apart = || line.len() == 1 || line[1..].starts_with([' ', '|']);
    (first == '>' || first == '|' && apart()).then_some(first)
}

fn behind(line: &str, mark: char) -> &str {
    let rest = line.trim_start();
    let rest = rest.strip_prefix(mark).unwrap_or(rest);
    rest.strip_prefix(' ').unwrap_or(rest)
}

/// Whether these lines with `>` are a request as curl shows it: nothing but a
/// request line and fields. Nor are marks without anything behind them quotes.
fn is_curls(mark: char, block: &[Line<'_>]) -> bool {
    let mut said = block.iter().map(|line| behind(line.text, mark).trim_end());
    said.clone().all(str::is_empty)
        || mark == '>'
            && said.all(|rest| {
                // `> > GET`, `> < HTTP`: the second mark is curl's.
                rest.is_empty() || is_request_line(rest) || field_name(rest).is_some()
            })
}

/// `GET /v1/ws HTTP/1.1`.
pub(super) fn is_request_line(line: &str) -> bool {
    let mut words = line.split(' ');
    let method = words.next().unwrap_or_default();
    (3..=7).contains(&method.len())
        && method.bytes().all(|b| b.is_ascii_uppercase())
        && words.nth(1).is_some_and(|version| version.starts_with("HTTP/"))
}

/// The name of a header field, where the line is one: `Name: value`, without a
/// blank before the colon. `curl: (52) …` is none.
pub(super) fn field_name(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once(':')?;
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let message = name.eq_ignore_ascii_case("curl") || rest.starts_with("//");
    (!message && !name.is_empty() && name.len() <= 80 && name.chars().all(token)).then_some(name)
}

/// A line that only begins or ends code: Markdown, Jira, BBCode, HTML.
fn is_fence(line: &str) -> bool {
    let line = line.trim();
    let word = |rest: &str| rest.chars().all(|c| c.is_ascii_alphanumeric() || "-+_.".contains(c));
    ["```", "~~~"].iter().any(|fence| line.strip_prefix(fence).is_some_and(word))
        || ["{code", "{noformat"].iter().any(|open| {
            let rest = line.strip_prefix(open);
            rest.is_some_and(|rest| rest.ends_with('}') && rest.find('}') == Some(rest.len() - 1))
        })
        || [
            "[code]",
            "[/code]",
            "<pre>",
            "</pre>",
            "<code>",
            "</code>",
            "<pre><code>",
            "</code></pre>",
        ]
        .iter()
        .any(|tag| line.eq_ignore_ascii_case(tag))
}

/// Takes code marks at both ends of a line away, or a fence before or behind it.
fn uncode(line: &mut Line<'_>) -> bool {
    let bare = line.text.trim();
    for (open, close) in [("```", "```"), ("`", "`"), ("{{", "}}"), ("{code}", "{code}")] {
        if let Some(inner) = bare.strip_prefix(open).and_then(|rest| rest.strip_suffix(close))
            && !inner.is_empty()
            && !inner.contains(open)
        {
            line.cut(inner);
            return true;
        }
    }
    for fence in ["```", "{code}", "{noformat}"] {
        let begins = bare.strip_prefix(fence);
        let ends = || bare.strip_suffix(fence);
        if let Some(inner) = begins.or_else(ends)
            && inner.contains(' ')
        {
            line.cut(inner);
            return true;
        }
    }
    false
}

/// Quotes and dashes as a keyboard has them: word processors, mail and chat
/// programs make others of them.
#[must_use]
pub fn straight(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(keyed).collect())
}

/// One character of [`straight`].
pub(super) fn keyed(c: char) -> char {
    match c {
        '\u{201c}'..='\u{201f}' | '\u{00ab}' | '\u{00bb}' | '\u{2033}' | '\u{ff02}' => '"',
        '\u{2018}'..='\u{201b}' | '\u{2039}' | '\u{203a}' | '\u{2032}' | '\u{ff07}' => '\'',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => '-',
        '\u{2026}' => '.',
        other => other,
    }
}

/// A line behind a shell's prompt: `$ `, `# `, `% `, `user@host:~$ `, `[root@host ~]# `,
/// `C:\Users\kim>`, `PS C:\> `. `None` where it has none.
#[must_use]
pub fn after_prompt(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let windows = |rest: &str| {
        let mut chars = rest.chars();
        let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
        drive && chars.as_str().starts_with(":\\") || rest.starts_with("\\\\")
    };
    let at = line.strip_prefix("PS").map(str::trim_start);
    if at.is_some_and(|rest| windows(rest) || rest.starts_with(['/', '~', '>'])) || windows(line) {
        let end = line.find('>')?;
        return line[..end]
            .chars()
            .all(|c| !"\"|<*?".contains(c))
            .then(|| line[end + 1..].trim_start());
    }
    if let Some(rest) = line.strip_prefix(['\u{276f}', '\u{279c}', '\u{3bb}']) {
        // The folder stands behind the mark, or the command at once.
        let rest = rest.trim_start();
        let folder = rest.split(' ').next().unwrap_or_default();
        let is_folder = folder.starts_with(['~', '/']) && !folder.contains(':');
        return Some(if is_folder { rest[folder.len()..].trim_start() } else { rest });
    }
    // fish: `kim@mac ~/src>`.
    if let Some((before, rest)) = line.split_once("> ").or(line.strip_suffix('>').map(|b| (b, "")))
        && let Some((user, folder)) = before.split_once(' ')
        && user.contains('@')
        && folder.starts_with(['~', '/'])
        && !folder.contains([' ', ':', '<', '"'])
    {
        return Some(rest.trim_start());
    }
    let end = line.find(['$', '#', '%', '\u{276f}', '\u{279c}'])?;
    let (before, rest) = line.split_at(end);
    let mut chars = rest.chars();
    chars.next();
    let rest = chars.as_str();
    let ended = rest.is_empty() || rest.starts_with([' ', '\t']);
    let name = |c: char| c.is_alphanumeric() || "@:~/._-[]() ".contains(c);
    let plain = before.is_empty()
        || before.len() <= 120
            && before.chars().all(name)
            && (before.contains(['@', '~', '/'])
                || before.starts_with("bash-")
                || before.starts_with("sh-"))
            && !before.contains("://");
    (ended && plain).then(|| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        lines(text).iter().map(|line| format!("{}\n", line.text)).collect()
    }

    #[test]
    fn quoting_goes_and_curls_own_marks_stay() {
        let sent = "> GET /v1/ws HTTP/1.1\n> Host: b.example\n>\n< HTTP/1.1 101 X\n< \n";
        assert_eq!(plain(sent), sent);
        let quoted = |mark: &str| sent.lines().map(|l| format!("{mark}{l}\n")).collect::<String>();
        for mark in ["> ", ">", "| ", "> > ", ">> ", " > "] {
            assert_eq!(
                plain(&format!("{mark}Hi,\n{}", quoted(mark))),
                format!("Hi,\n{sent}"),
                "{mark}"
            );
        }
        for (text, left) in [
            ("> HTTP/1.1 101 X\n> Upgrade: websocket\n", "HTTP/1.1 101 X\nUpgrade: websocket\n"),
            ("> $ curl -v https://b\n* Trying\n", "$ curl -v https://b\n* Trying\n"),
            ("> curl: (52) Empty reply from server\n", "curl: (52) Empty reply from server\n"),
            ("```bash\ncurl: (52) x\n```\n", "curl: (52) x\n"),
            ("```curl: (52) x y```\n", "curl: (52) x y\n"),
            ("{code:bash}\nHTTP/1.1 400 Bad\n{code}\n", "HTTP/1.1 400 Bad\n"),
            ("{noformat}HTTP/1.1 400 Bad\nVia: x\n{noformat}\n", "HTTP/1.1 400 Bad\nVia: x\n"),
            ("`curl: (7) x y`\n", "curl: (7) x y\n"),
            (">\n>\n", ">\n>\n"),
            (
                "   9\t$ curl x\n  10\tHTTP/1.1 400 Bad\n  11\t\n  12\tBad\n",
                "$ curl x\nHTTP/1.1 400 Bad\n\nBad\n",
            ),
            ("1: a\n2: b\n3:\n4: d\n", "a\nb\n\nd\n"),
            ("1 a\n2 b\n3 c\nd\n", "1 a\n2 b\n3 c\nd\n"),
            ("a | b\n", "a | b\n"),
        ] {
            assert_eq!(plain(text), left);
        }
    }

    #[test]
    fn every_line_knows_where_it_stands() {
        let text = "Hi\n```\n> > `a b`\n> c\n```\n";
        let given: Vec<&str> = text.lines().collect();
        let found = lines(text);
        assert_eq!(found.len(), 3);
        for line in &found {
            assert!(given[line.number - 1][line.start..].starts_with(line.text), "{line:?}");
        }
        assert_eq!((found[1].number, found[1].text), (3, "a b"));
    }

    #[test]
    fn prompts_of_shells() {
        for prompt in [
            "$ ",
            "# ",
            "% ",
            "user@shell:~$ ",
            "[root@host ~]# ",
            "kim@mac ~ % ",
            "C:\\>",
            "C:\\Users\\kim>",
            "PS C:\\> ",
            "PS C:\\Users\\kim> ",
            "PS /home/kim> ",
            "bash-5.1$ ",
            "~/src $ ",
            "(base) kim@mac:~$ ",
            "\u{276f} ",
            "\u{279c}  ~ ",
            "~ \u{276f} ",
            "kim@mac ~/Desktop> ",
        ] {
            assert_eq!(after_prompt(&format!("{prompt}curl -i x")), Some("curl -i x"), "{prompt}");
            assert_eq!(after_prompt(prompt), Some(""), "{prompt}");
        }
        for none in
            ["curl -i x", "HTTP/1.1 101", "* 100% done", "a: $x", "Via: 1.1 p (squid)", "50% of it"]
        {
            assert_eq!(after_prompt(none), None, "{none}");
        }
    }

    #[test]
    fn typography_is_undone() {
        assert_eq!(
            straight("\u{201c}a\u{201d} \u{2013}x \u{2018}b\u{2019} \u{201e}c\u{201c}"),
            "\"a\" -x 'b' \"c\""
        );
        assert_eq!(straight("plain"), "plain");
    }
}
