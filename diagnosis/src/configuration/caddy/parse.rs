//! Tokens, blocks and snippets of a Caddyfile (`caddyfile.lexer`, `parse.go`):
//! quotes, heredocs, `{$NAME:default}`, `import`.
//!
//! Written here: there is no crate for it, and `caddy adapt` is not on the machine
//! where the collector runs.

/// Deepest nesting of blocks.
const DEPTH: usize = 40;
/// Most directives of one file, snippets put in.
const DIRECTIVES: usize = 50_000;
/// Deepest chain of `import`.
const IMPORTS: usize = 8;

/// A word, with the line that it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    line: u32,
    /// Quoted words open no blocks.
    quoted: bool,
}

/// One directive, with its block where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    /// Its words, the first of which is its name.
    pub(crate) words: Vec<String>,
    /// Line, from 1.
    pub(crate) line: u32,
    /// Which file, by its place in the list of files.
    pub(crate) file: usize,
    /// Of JSON the way to it; empty in a Caddyfile.
    pub(crate) path: String,
    /// What is between its braces.
    pub(crate) block: Option<Vec<Directive>>,
}

impl Directive {
    pub(crate) fn name(&self) -> &str {
        self.word(0)
    }

    /// A word, or nothing.
    pub(crate) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    pub(crate) fn inner(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }

    /// As one would write it, on one line.
    pub(crate) fn shown(&self) -> String {
        let words: Vec<String> =
            self.words
                .iter()
                .map(|w| {
                    if w.is_empty() || w.contains([' ', '\n']) {
                        format!("{w:?}")
                    } else {
                        w.clone()
                    }
                })
                .collect();
        let path = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        format!("{path}{}{}", words.join(" "), if self.block.is_some() { " { … }" } else { "" })
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

/// The blocks of one file: global options, snippets, sites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// Blocks with the words before their braces.
    pub(crate) blocks: Vec<Directive>,
    /// Files that are imported.
    pub(crate) imports: Vec<String>,
}

/// Reads the text of one file.
pub(crate) fn parse(text: &str, file: usize) -> Result<Parsed, Broken> {
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens, at: 0, file, count: 0 };
    let mut blocks = Vec::new();
    while reader.at < tokens.len() {
        blocks.push(reader.top(blocks.is_empty())?);
    }
    let mut out = Parsed { blocks: Vec::new(), imports: Vec::new() };
    let (snippets, sites): (Vec<Directive>, Vec<Directive>) = blocks
        .into_iter()
        .partition(|b| b.words.len() == 1 && b.name().starts_with('(') && b.name().ends_with(')'));
    let mut budget = DIRECTIVES;
    for site in sites {
        if site.name() == "import" && site.block.is_none() {
            out.imports.push(site.word(1).to_owned());
            continue;
        }
        let inner = site
            .block
            .as_ref()
            .map(|block| imported(block, &snippets, &mut out.imports, 0, &mut budget));
        out.blocks.push(Directive { block: inner, ..site });
    }
    Ok(out)
}

/// Puts snippets in the place of `import`.
fn imported(
    all: &[Directive],
    snippets: &[Directive],
    files: &mut Vec<String>,
    depth: usize,
    budget: &mut usize,
) -> Vec<Directive> {
    let mut out = Vec::new();
    for one in all {
        if *budget == 0 {
            break;
        }
        *budget -= 1;
        if one.name() == "import" {
            let name = format!("({})", one.word(1));
            match snippets.iter().find(|s| s.name() == name).filter(|_| depth < IMPORTS) {
                Some(snippet) => {
                    let args = one.words.get(2..).unwrap_or_default();
                    let own: Vec<Directive> =
                        snippet.inner().iter().map(|d| with_args(d, args)).collect();
                    out.extend(imported(&own, snippets, files, depth + 1, budget));
                }
                None => {
                    files.push(one.word(1).to_owned());
                    out.push(one.clone());
                }
            }
            continue;
        }
        let block = one.block.as_ref().map(|b| imported(b, snippets, files, depth, budget));
        out.push(Directive { block, ..one.clone() });
    }
    out
}

/// `{args[0]}` and the older `{args.0}`.
fn with_args(one: &Directive, args: &[String]) -> Directive {
    let fill = |word: &String| {
        let mut word = word.clone();
        for (at, arg) in args.iter().enumerate() {
            word = word
                .replace(&format!("{{args[{at}]}}"), arg)
                .replace(&format!("{{args.{at}}}"), arg);
        }
        word
    };
    Directive {
        words: one.words.iter().map(fill).collect(),
        block: one.block.as_ref().map(|b| b.iter().map(|d| with_args(d, args)).collect()),
        path: one.path.clone(),
        line: one.line,
        file: one.file,
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    file: usize,
    count: usize,
}

impl Reader<'_> {
    fn is(&self, at: usize, brace: &str) -> bool {
        self.tokens.get(at).is_some_and(|t| !t.quoted && t.text == brace)
    }

    fn broken<T>(&self, why: impl Into<String>) -> Result<T, Broken> {
        let last = self.tokens.get(self.at).or_else(|| self.tokens.last());
        Err(Broken { line: last.map_or(1, |t| t.line), why: why.into() })
    }

    /// Global options, a snippet, or a site with its addresses. A file whose first
    /// site has no braces is that site alone.
    fn top(&mut self, first: bool) -> Result<Directive, Broken> {
        let line = self.tokens.get(self.at).map_or(1, |t| t.line);
        let (start, mut words, mut here) = (self.at, Vec::new(), line);
        while let Some(token) = self.tokens.get(self.at) {
            if self.is(self.at, "{") {
                self.at += 1;
                let block = Some(self.block(1)?);
                return Ok(Directive { words, line, file: self.file, path: String::new(), block });
            }
            // Addresses may go over several lines, each but the last with a comma.
            let goes_on = words.last().is_some_and(|w: &String| w.ends_with(','));
            if token.line != here && !goes_on {
                break;
            }
            here = token.line;
            words.push(token.text.clone());
            self.at += 1;
        }
        if words.first().is_some_and(|w| w == "import") {
            return Ok(Directive {
                words,
                line,
                file: self.file,
                path: String::new(),
                block: None,
            });
        }
        if !first {
            self.at = start;
            return self
                .broken("a block was expected: addresses, and \"{\" at the end of their line");
        }
        let mut block = Vec::new();
        while self.at < self.tokens.len() {
            block.push(self.directive(1)?);
        }
        Ok(Directive { words, line, file: self.file, path: String::new(), block: Some(block) })
    }

    /// Directives up to the closing brace.
    fn block(&mut self, depth: usize) -> Result<Vec<Directive>, Broken> {
        if depth > DEPTH {
            return self.broken(format!("blocks are nested more than {DEPTH} deep"));
        }
        let mut out = Vec::new();
        loop {
            if self.at >= self.tokens.len() {
                return self.broken("the file ends within a block: a \"}\" is missing");
            }
            if self.is(self.at, "}") {
                self.at += 1;
                return Ok(out);
            }
            out.push(self.directive(depth)?);
        }
    }

    fn directive(&mut self, depth: usize) -> Result<Directive, Broken> {
        self.count += 1;
        if self.count > DIRECTIVES {
            return self.broken(format!("more than {DIRECTIVES} directives"));
        }
        let line = self.tokens.get(self.at).map_or(1, |t| t.line);
        let mut words = Vec::new();
        while let Some(token) = self.tokens.get(self.at).filter(|t| t.line == line) {
            let ends = self.tokens.get(self.at + 1).is_none_or(|next| next.line != line);
            if self.is(self.at, "{") && (ends || self.is(self.at + 1, "}")) && !words.is_empty() {
                self.at += 1;
                let block = Some(self.block(depth + 1)?);
                return Ok(Directive { words, line, file: self.file, path: String::new(), block });
            }
            if self.is(self.at, "}") {
                if words.is_empty() {
                    return self.broken("unexpected \"}\"");
                }
                break;
            }
            words.push(token.text.clone());
            self.at += 1;
        }
        Ok(Directive { words, line, file: self.file, path: String::new(), block: None })
    }
}

/// The words of a text.
fn tokens(text: &str) -> Result<Vec<Token>, Broken> {
    let mut out: Vec<Token> = Vec::new();
    let mut chars = text.chars().peekable();
    let mut line = 1_u32;
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            c if c.is_whitespace() => {}
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            // The line goes on, and counts as the same.
            '\\' if chars.peek() == Some(&'\n') => {
                chars.next();
            }
            '"' | '`' => {
                let (mut word, start) = (String::new(), line);
                let mut closed = false;
                while let Some(next) = chars.next() {
                    match next {
                        next if next == c => {
                            closed = true;
                            break;
                        }
                        '\\' if c == '"' && chars.peek() == Some(&'"') => word.extend(chars.next()),
                        next => {
                            line += u32::from(next == '\n');
                            word.push(next);
                        }
                    }
                }
                if !closed {
                    return Err(Broken { line: start, why: "a quote is not closed".to_owned() });
                }
                // A word of several lines ends where it ends.
                out.push(Token { text: word, line: start, quoted: true });
                if line != start {
                    if let Some(last) = out.last_mut() {
                        last.line = line;
                    }
                    for token in out.iter_mut().rev().skip(1).take_while(|t| t.line == start) {
                        token.line = line;
                    }
                }
            }
            c => {
                let mut word = c.to_string();
                while let Some(next) = chars.next_if(|c| !c.is_whitespace()) {
                    word.push(next);
                }
                if let Some(marker) = word.strip_prefix("<<").filter(|m| !m.is_empty()) {
                    let start = line;
                    let body: String = heredoc(&mut chars, marker, &mut line);
                    for token in out.iter_mut().rev().take_while(|t| t.line == start) {
                        token.line = line;
                    }
                    out.push(Token { text: body, line, quoted: true });
                } else {
                    out.push(Token { text: environment(&word), line, quoted: false });
                }
            }
        }
    }
    Ok(out)
}

fn heredoc(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    marker: &str,
    line: &mut u32,
) -> String {
    let mut body = String::new();
    let mut own = String::new();
    for c in chars.by_ref() {
        if c == '\n' {
            *line += 1;
            if own.trim() == marker {
                break;
            }
            body.push_str(&own);
            body.push('\n');
            own.clear();
        } else {
            own.push(c);
            if own.trim() == marker {
                break;
            }
        }
    }
    body
}

/// `{$NAME:default}`: the default; without one, the environment decides, and it stays.
fn environment(word: &str) -> String {
    let Some(at) = word.find("{$") else { return word.to_owned() };
    let Some(end) = word[at..].find('}') else { return word.to_owned() };
    let inner = &word[at + 2..at + end];
    match inner.split_once(':') {
        Some((_, default)) => {
            format!("{}{default}{}", &word[..at], environment(&word[at + end + 1..]))
        }
        None => format!("{}{}", &word[..=at + end], environment(&word[at + end + 1..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_snippets_and_quotes() {
        let text = "{\n admin off\n}\n(p) {\n reverse_proxy {args[0]} # c\n}\na.example, b.example:{$PORT:8443} {\n\
                    \timport p x:1\n respond \"a {\nb\" 200\n @m path /a /b\n}\n";
        let parsed = parse(text, 0).unwrap();
        assert_eq!(parsed.blocks.len(), 2);
        let site = &parsed.blocks[1];
        assert_eq!(site.words, ["a.example,", "b.example:8443"]);
        let shown: Vec<String> = site.inner().iter().map(Directive::shown).collect();
        assert_eq!(shown, ["reverse_proxy x:1", "respond \"a {\\nb\" 200", "@m path /a /b"]);
        assert_eq!(site.inner()[0].line, 5);
        let bare = parse("b.example\nreverse_proxy x:1 {\n lb_policy first\n}\n", 0).unwrap();
        assert_eq!(bare.blocks[0].inner()[0].inner()[0].name(), "lb_policy");
        for (text, line) in [("a {\n", 1), ("a {\n b \"x\n}\n", 2), ("a {\n}\n}\n", 3)] {
            assert_eq!(parse(text, 0).unwrap_err().line, line, "{text}");
        }
    }
}
