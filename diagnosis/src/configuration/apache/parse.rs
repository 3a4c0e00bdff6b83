//! Lines and sections of an Apache configuration (`ap_cfg_getline`,
//! `ap_getword_conf`): continued lines, quotes, `${…}`, sections within sections.
//! What `apache2ctl -t -D DUMP_CONFIG` prints is the same, with comments that say
//! where each line stood.
//!
//! Written here: the crates for it either write configurations, or stop at lines.

use std::collections::BTreeMap;

/// Deepest nesting of sections.
const DEPTH: usize = 40;
/// Most directives of one file.
const DIRECTIVES: usize = 50_000;

/// One directive, with its section where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    /// Its first word, in lower case, without `<`.
    pub(crate) name: String,
    /// The other words, without quotes.
    pub(crate) args: Vec<String>,
    /// The line, as it stands there.
    pub(crate) shown: String,
    /// Line, from 1.
    pub(crate) line: u32,
    /// Which file, by its place in the list of files.
    pub(crate) file: usize,
    /// Where it stood, of what was printed with such remarks.
    pub(crate) printed: Option<(String, u32)>,
    /// What is in its section.
    pub(crate) block: Option<Vec<Directive>>,
}

impl Directive {
    /// An argument, or nothing.
    pub(crate) fn arg(&self, at: usize) -> &str {
        self.args.get(at).map_or("", String::as_str)
    }

    /// Whether an argument is this word, in any case.
    pub(crate) fn is(&self, at: usize, word: &str) -> bool {
        self.arg(at).eq_ignore_ascii_case(word)
    }

    /// What is in its section.
    pub(crate) fn inner(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }
}

/// Why a file is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Line, from 1.
    pub(crate) line: u32,
    /// What is wrong there.
    pub(crate) why: String,
}

/// A section that is not closed yet: its head, and what was in it so far.
type Open = (Directive, Vec<Directive>);

/// Reads the text of one file.
pub(crate) fn parse(text: &str, file: usize) -> Result<Vec<Directive>, Broken> {
    let mut open: Vec<Open> = Vec::new();
    let mut top: Vec<Directive> = Vec::new();
    let mut defined: BTreeMap<String, String> = BTreeMap::new();
    let mut printed = Printed::default();
    let mut count = 0;
    let mut lines = text.lines().enumerate();
    while let Some((at, first)) = lines.next() {
        let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let broken = |why: String| Broken { line, why };
        let mut whole = first.trim_end().to_owned();
        if first.trim_start().starts_with('#') {
            printed.remark(first.trim());
            continue;
        }
        while whole.ends_with('\\') && !whole.ends_with("\\\\") {
            whole.pop();
            let Some((_, next)) = lines.next() else { break };
            whole.push_str(next.trim_end());
        }
        let shown = whole.trim().to_owned();
        if shown.is_empty() {
            continue;
        }
        count += 1;
        if count > DIRECTIVES {
            return Err(broken(format!("more than {DIRECTIVES} lines")));
        }
        if let Some(closing) = shown.strip_prefix("</") {
            let name = closing.trim_end_matches('>').trim().to_ascii_lowercase();
            let Some((mut head, inner)) = open.pop() else {
                return Err(broken(format!("</{name}> closes nothing")));
            };
            if head.name != name {
                let why = format!("</{name}> closes <{}> of line {}", head.name, head.line);
                return Err(broken(why));
            }
            head.block = Some(inner);
            open.last_mut().map_or(&mut top, |(_, inner)| inner).push(head);
            continue;
        }
        let section = shown.starts_with('<');
        let own = if section {
            shown.trim_start_matches('<').trim_end().trim_end_matches('>')
        } else {
            &shown
        };
        let mut words = words(own).into_iter().map(|word| expanded(&word, &defined));
        let name = words.next().unwrap_or_default().to_ascii_lowercase();
        let args: Vec<String> = words.collect();
        if name == "define"
            && let [variable, value] = args.as_slice()
        {
            defined.insert(variable.clone(), value.clone());
        }
        let printed = printed.place();
        let directive = Directive { name, args, shown, line, file, printed, block: None };
        if section {
            if open.len() >= DEPTH {
                return Err(broken(format!("sections are nested more than {DEPTH} deep")));
            }
            open.push((directive, Vec::new()));
        } else {
            open.last_mut().map_or(&mut top, |(_, inner)| inner).push(directive);
        }
    }
    match open.pop() {
        None => Ok(top),
        Some((head, _)) => {
            Err(Broken { line: head.line, why: format!("<{}> is not closed", head.name) })
        }
    }
}

/// `# In file: /etc/apache2/apache2.conf`, `#   12:`.
#[derive(Default)]
struct Printed {
    file: Option<String>,
    line: Option<u32>,
}

impl Printed {
    fn remark(&mut self, comment: &str) {
        if let Some(file) = comment.strip_prefix("# In file: ") {
            self.file = Some(file.trim().to_owned());
        } else if let Some(number) = comment.trim_start_matches('#').trim().strip_suffix(':') {
            self.line = number.parse().ok().or(self.line);
        }
    }

    fn place(&self) -> Option<(String, u32)> {
        Some((self.file.clone()?, self.line?))
    }
}

/// The words of a line: quotes keep blanks, and `\` within them takes a quote as it is.
fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let Some(first) = chars.peek().copied() else { return out };
        let mut word = String::new();
        if matches!(first, '"' | '\'') {
            chars.next();
            while let Some(c) = chars.next() {
                match c {
                    c if c == first => break,
                    // Patterns keep their other escapes.
                    '\\' if chars.peek().is_some_and(|n| *n == first || *n == '\\') => {
                        word.extend(chars.next());
                    }
                    c => word.push(c),
                }
            }
        } else {
            while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
                word.push(c);
                if c == '\\' {
                    chars.next_if_eq(&'\\');
                }
            }
        }
        out.push(word);
    }
}

/// `${NAME}` by what `Define` said; others (the environment's) stay.
fn expanded(word: &str, defined: &BTreeMap<String, String>) -> String {
    if !word.contains("${") {
        return word.to_owned();
    }
    let mut out = String::new();
    let mut rest = word;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('}') else { break };
        let name = &rest[at + 2..at + end];
        match defined.get(name) {
            Some(value) => out.push_str(value),
            None => out.push_str(&rest[at..=at + end]),
        }
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lines_and_sections() {
        assert_eq!(
            words(r#"RewriteRule "^/a b$" 'x y' [P]"#),
            ["RewriteRule", "^/a b$", "x y", "[P]"]
        );
        assert_eq!(words(r#"a "b\"c" ^/\d+$"#), ["a", "b\"c", r"^/\d+$"]);
        let text = "Define B 10.0.0.1\n<VirtualHost *:443>\n  ProxyPass / http://${B}/ \\\n    timeout=3\n \
                    <IfModule x>\n  </IfModule>\n</VirtualHost>\n";
        let all = parse(text, 0).unwrap();
        let pass = &all[1].inner()[0];
        assert_eq!((pass.line, pass.arg(1), pass.arg(2)), (3, "http://10.0.0.1/", "timeout=3"));
        for (text, line) in [("<a>\n<b>\n</a>", 3), ("</a>", 1), ("x\n<a>\n", 2)] {
            assert_eq!(parse(text, 0).unwrap_err().line, line, "{text}");
        }
        let dump = "# In file: /etc/apache2/x.conf\n#   1:\n<VirtualHost *:80>\n  #   4:\n  ServerName a\n</VirtualHost>\n";
        let all = parse(dump, 0).unwrap();
        assert_eq!(all[0].inner()[0].printed, Some(("/etc/apache2/x.conf".into(), 4)));
    }
}
