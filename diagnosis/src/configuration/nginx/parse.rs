//! Words and blocks of an nginx configuration, as nginx reads them
//! (`ngx_conf_read_token`): quotes, escapes, comments, `${…}`.
//!
//! Written here, because no kept library serves: `nginx-config` is no longer
//! maintained (it stands on `failure`) and refuses directives that it does not
//! know; `nginx-lint-parser` keeps a lossless tree for a linter and bounds no
//! nesting, which a hostile bundle would use. The grammar is these two hundred
//! lines.

/// Deepest nesting of blocks. nginx' own configurations stay below ten.
const DEPTH: usize = 40;
/// Most directives of one file.
const DIRECTIVES: usize = 50_000;

/// One directive, with its block where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    /// Its first word.
    pub(crate) name: String,
    /// The other words, without quotes.
    pub(crate) args: Vec<String>,
    /// Line of its first word, from 1.
    pub(crate) line: u32,
    /// Which file, by its place in the list of files.
    pub(crate) file: usize,
    /// What is between its braces.
    pub(crate) block: Option<Vec<Directive>>,
}

impl Directive {
    /// An argument, or nothing.
    pub(crate) fn arg(&self, at: usize) -> &str {
        self.args.get(at).map_or("", String::as_str)
    }

    /// As one would write it, on one line.
    pub(crate) fn shown(&self) -> String {
        let mut out = self.name.clone();
        for arg in &self.args {
            out.push(' ');
            if arg.is_empty() || arg.contains([' ', ';', '{', '}']) {
                out.push_str(&format!("\"{arg}\""));
            } else {
                out.push_str(arg);
            }
        }
        out.push_str(if self.block.is_some() { " { … }" } else { ";" });
        out
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

enum Token {
    /// `;`
    End,
    /// `{`
    Open,
    /// `}`
    Close,
    /// No more text.
    Eof,
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    file: usize,
    directives: usize,
}

/// Reads the text of one file.
pub(crate) fn parse(text: &[u8], file: usize) -> Result<Vec<Directive>, Broken> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = Reader { text, at: 0, line: 1, file, directives: 0 };
    reader.block(0)
}

impl Reader<'_> {
    fn broken<T>(&self, why: impl Into<String>) -> Result<T, Broken> {
        Err(Broken { line: self.line, why: why.into() })
    }

    /// Directives up to the end of the block, or of the text at depth 0.
    fn block(&mut self, depth: usize) -> Result<Vec<Directive>, Broken> {
        if depth > DEPTH {
            return self.broken(format!("blocks are nested more than {DEPTH} deep"));
        }
        let mut out = Vec::new();
        loop {
            let mut words = Vec::new();
            let mut line = self.line;
            let token = self.statement(&mut words, &mut line)?;
            let mut words = words.into_iter();
            let Some(name) = words.next() else {
                return match token {
                    Token::Close if depth > 0 => Ok(out),
                    Token::Close => self.broken("unexpected \"}\""),
                    Token::Eof if depth == 0 => Ok(out),
                    Token::Eof => self.broken("the file ends within a block: a \"}\" is missing"),
                    Token::End | Token::Open => self.broken("a \";\" or \"{\" without a directive"),
                };
            };
            self.directives += 1;
            if self.directives > DIRECTIVES {
                return self.broken(format!("more than {DIRECTIVES} directives"));
            }
            let block = match token {
                Token::End => None,
                Token::Open if name.ends_with("_by_lua_block") => {
                    self.skip_lua()?;
                    Some(Vec::new())
                }
                Token::Open => Some(self.block(depth + 1)?),
                Token::Close | Token::Eof => {
                    return self.broken("a \";\" is missing after a directive");
                }
            };
            out.push(Directive { name, args: words.collect(), line, file: self.file, block });
        }
    }

    /// Lua code up to the closing brace: not nginx' grammar. Braces in its
    /// strings and comments do not count.
    fn skip_lua(&mut self) -> Result<(), Broken> {
        let mut open = 1_usize;
        let mut quote = None;
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            self.line += u32::from(byte == b'\n');
            match (byte, quote) {
                (b'\\', Some(_)) => self.at += 1,
                (_, Some(q)) if byte == q || byte == b'\n' => quote = None,
                (_, Some(_)) => {}
                (b'"' | b'\'', None) => quote = Some(byte),
                (b'-', None) if self.text.get(self.at) == Some(&b'-') => {
                    while self.text.get(self.at).is_some_and(|b| *b != b'\n') {
                        self.at += 1;
                    }
                }
                (b'{', None) => open += 1,
                (b'}', None) => open -= 1,
                _ => {}
            }
            if open == 0 {
                return Ok(());
            }
        }
        self.broken("the file ends within a block of Lua")
    }

    /// The words up to `;`, `{`, `}` or the end.
    fn statement(&mut self, words: &mut Vec<String>, line: &mut u32) -> Result<Token, Broken> {
        loop {
            self.blanks();
            let Some(&byte) = self.text.get(self.at) else {
                if words.is_empty() {
                    return Ok(Token::Eof);
                }
                return self.broken("the file ends within a directive: a \";\" is missing");
            };
            let token = match byte {
                b';' => Token::End,
                b'{' => Token::Open,
                b'}' => Token::Close,
                _ => {
                    if words.is_empty() {
                        *line = self.line;
                    }
                    words.push(self.word()?);
                    continue;
                }
            };
            self.at += 1;
            if matches!(token, Token::Close) && !words.is_empty() {
                return self.broken("unexpected \"}\": a \";\" is missing before it");
            }
            return Ok(token);
        }
    }

    fn blanks(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                b'#' => {
                    while self.text.get(self.at + 1).is_some_and(|b| *b != b'\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
            self.at += 1;
        }
    }

    fn word(&mut self) -> Result<String, Broken> {
        let quote = match self.text.get(self.at) {
            Some(q @ (b'"' | b'\'')) => {
                self.at += 1;
                Some(*q)
            }
            _ => None,
        };
        let mut out = Vec::new();
        let mut variable = false;
        while let Some(&byte) = self.text.get(self.at) {
            if byte == b'\n' {
                self.line += 1;
            }
            match (byte, quote) {
                (b'\\', _) => {
                    variable = false;
                    self.escape(&mut out);
                    continue;
                }
                (b'{', None) if variable => {}
                (_, Some(q)) if byte == q => {
                    self.at += 1;
                    return self.after_quote(out);
                }
                (b' ' | b'\t' | b'\r' | b'\n', None) => {
                    self.line -= u32::from(byte == b'\n');
                    return Ok(text(out));
                }
                (b';' | b'{', None) => return Ok(text(out)),
                _ => {}
            }
            variable = byte == b'$';
            out.push(byte);
            self.at += 1;
        }
        match quote {
            Some(_) => self.broken("the file ends within quotes"),
            None => self.broken("the file ends within a directive: a \";\" is missing"),
        }
    }

    /// As nginx: `\"`, `\'` and `\\` lose the backslash, `\t`, `\r` and `\n`
    /// are characters, and any other pair stays.
    fn escape(&mut self, out: &mut Vec<u8>) {
        let next = self.text.get(self.at + 1).copied();
        match next {
            Some(q @ (b'"' | b'\'' | b'\\')) => out.push(q),
            Some(b't') => out.push(b'\t'),
            Some(b'r') => out.push(b'\r'),
            Some(b'n') => out.push(b'\n'),
            Some(other) => {
                self.line += u32::from(other == b'\n');
                out.extend([b'\\', other]);
            }
            None => out.push(b'\\'),
        }
        self.at += 1 + usize::from(next.is_some());
    }

    /// After quotes nginx wants a blank, `;`, `{` or `)`.
    fn after_quote(&mut self, out: Vec<u8>) -> Result<String, Broken> {
        match self.text.get(self.at) {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b')') => Ok(text(out)),
            Some(_) => self.broken("a blank or \";\" is missing after quotes"),
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let all = parse(text.as_bytes(), 0).unwrap();
        let first = all.first().unwrap();
        std::iter::once(first.name.clone()).chain(first.args.clone()).collect()
    }

    #[test]
    fn words_as_nginx_reads_them() {
        assert_eq!(words("a b\tc\n d;"), ["a", "b", "c", "d"]);
        assert_eq!(words("a \"b c\" 'd;e' \"\";"), ["a", "b c", "d;e", ""]);
        assert_eq!(words(r#"a "b\"c" 'd\'e' f\ g;"#), ["a", "b\"c", "d'e", "f\\ g"]);
        assert_eq!(words(r"location ~ \.php$ {}"), ["location", "~", r"\.php$"]);
        assert_eq!(words("a ${b}c$d;"), ["a", "${b}c$d"]);
        assert_eq!(words("a b#c # d;\n e;"), ["a", "b#c", "e"]);
        assert_eq!(words("if ($a = \"b\") {}"), ["if", "($a", "=", "b", ")"]);
    }

    #[test]
    fn blocks_and_lines() {
        let all = parse(b"# one\nhttp {\n  server {\n listen 80; }\n}\nx\n y;\nz;", 3).unwrap();
        assert_eq!(all.len(), 3);
        let server = &all[0].block.as_ref().unwrap()[0];
        let listen = &server.block.as_ref().unwrap()[0];
        assert_eq!((server.line, listen.line, listen.file), (3, 4, 3));
        assert_eq!((all[1].line, all[2].line), (6, 8));
        assert_eq!(all[1].shown(), "x y;");
    }

    #[test]
    fn lua_is_left_alone() {
        let all =
            parse(b"content_by_lua_block { if x then y = {1; '}'} end -- }\n }\na;", 0).unwrap();
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, says) in [
            ("a b", 1, "\";\" is missing"),
            ("http {\n a;", 2, "\"}\" is missing"),
            ("a;\n}", 2, "unexpected \"}\""),
            ("a {\n b }", 2, "\";\" is missing before it"),
            ("a \"b\"c;", 1, "after quotes"),
            ("a 'b", 1, "within quotes"),
            ("\n;", 2, "without a directive"),
        ] {
            let error = parse(text.as_bytes(), 0).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error:?}");
            assert!(error.why.contains(says), "{text}: {error:?}");
        }
        let deep = "a {".repeat(100_000);
        assert!(parse(deep.as_bytes(), 0).unwrap_err().why.contains("nested"));
    }
}
