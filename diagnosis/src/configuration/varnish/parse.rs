//! VCL as text: words, and of them declarations and statements.

/// Deepest nesting of blocks and parentheses.
const DEPTH: usize = 60;

/// A word of the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// A name with its dots, or a number with its unit.
    Name(String),
    /// A text without its quotes.
    Text(String),
    /// What was masked.
    Masked,
    /// An operator or a bracket.
    Sign(&'static str),
}

/// A word and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) word: Word,
    pub(super) line: u32,
    /// The file, by its place among those given.
    pub(super) file: usize,
}

impl Token {
    fn is(&self, sign: &str) -> bool {
        matches!(self.word, Word::Sign(own) if own == sign)
    }
}

/// A statement, with the line that it begins at.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) line: u32,
    pub(super) file: usize,
    pub(super) does: Does,
}

/// What a statement does.
#[derive(Debug, Clone)]
pub(super) enum Does {
    /// Conditions with their blocks; the last may have none.
    If(Vec<(Option<Vec<Token>>, Vec<Statement>)>),
    Set {
        name: String,
        op: String,
        value: Vec<Token>,
    },
    Unset(String),
    Call(String),
    /// The action and its arguments; none returns from the subroutine alone.
    Return(Option<(String, Vec<Token>)>),
    /// Neither changes nor ends a request.
    Other,
}

/// A subroutine; those of one name are one.
#[derive(Debug, Clone)]
pub(super) struct Sub {
    pub(super) name: String,
    pub(super) line: u32,
    pub(super) file: usize,
    pub(super) block: Vec<Statement>,
}

/// What a file declares.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) subs: Vec<Sub>,
    /// Files that it includes, each with the number of subroutines before it.
    pub(super) includes: Vec<(usize, String, u32)>,
    /// Whether it says `vcl 4.x;`.
    pub(super) versioned: bool,
    /// Whether a backend is declared.
    pub(super) backends: usize,
}

/// Why a text is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: u32,
    pub(super) why: String,
}

const SIGNS: [&str; 26] = [
    "&&", "||", "==", "!=", "!~", "<=", ">=", "+=", "-=", "*=", "/=", "++", "--", "{", "}", "(",
    ")", ";", ",", "!", "~", "=", "<", ">", "+", "-",
];

/// The words of a text.
pub(super) fn words(text: &str, file: usize) -> Result<Vec<Token>, Broken> {
    let mut out = Vec::new();
    let (mut rest, mut line) = (text, 1_u32);
    while let Some(first) = rest.chars().next() {
        let (word, length) = first_word(rest, first).map_err(|why| Broken { line, why })?;
        let (own, after) = rest.split_at(length.min(rest.len()));
        out.extend(word.map(|word| Token { word, line, file }));
        let lines = own.matches('\n').count();
        line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        rest = after;
    }
    Ok(out)
}

/// The word at the beginning of a text, if it is none to be left out, and its bytes.
fn first_word(rest: &str, first: char) -> Result<(Option<Word>, usize), String> {
    let unended = |what: &str| format!("{what} does not end");
    if first.is_whitespace() {
        return Ok((None, first.len_utf8()));
    }
    if first == '#' || rest.starts_with("//") {
        return Ok((None, rest.find('\n').unwrap_or(rest.len())));
    }
    for (open, end, what) in [("/*", "*/", "a comment"), ("C{", "}C", "C code")] {
        if rest.starts_with(open) {
            return Ok((None, rest.find(end).ok_or_else(|| unended(what))? + 2));
        }
    }
    if let Some((open, end)) = long(rest) {
        let inner = rest.get(open.len()..).unwrap_or_default();
        let length = inner.find(end).ok_or_else(|| unended("a text"))?;
        let own = inner.get(..length).unwrap_or_default().to_owned();
        return Ok((Some(Word::Text(own)), open.len() + length + end.len()));
    }
    if let Some(inner) = rest.strip_prefix('"') {
        let end = inner.find(['"', '\n']).filter(|at| inner[*at..].starts_with('"'));
        let end = end.ok_or_else(|| unended("a text"))?;
        return Ok((Some(Word::Text(inner[..end].to_owned())), end + 2));
    }
    if rest.starts_with("[removed") {
        return Ok((Some(Word::Masked), rest.find(']').map_or(rest.len(), |at| at + 1)));
    }
    if first.is_ascii_alphanumeric() || first == '_' {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "._-:%".contains(c)));
        let end = end.unwrap_or(rest.len());
        return Ok((Some(Word::Name(rest[..end].to_owned())), end));
    }
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok((Some(Word::Sign(sign)), sign.len()));
    }
    if "*/%.&|^:".contains(first) {
        return Ok((Some(Word::Sign("*")), 1));
    }
    Err(format!("`{first}` is not expected here"))
}

/// How a long text begins and ends.
fn long(rest: &str) -> Option<(&'static str, &'static str)> {
    [("{\"", "\"}"), ("\"\"\"", "\"\"\"")].into_iter().find(|(open, _)| rest.starts_with(open))
}

/// The declarations of a text.
pub(super) fn parse(text: &str, file: usize) -> Result<Parsed, Broken> {
    let tokens = words(&without_builtin(text), file)?;
    let mut own = Reader { tokens: &tokens, at: 0, depth: 0 };
    let mut out = Parsed::default();
    while let Some(token) = own.next() {
        let Word::Name(name) = &token.word else {
            return Err(own.broken("a declaration was expected"));
        };
        match name.as_str() {
            "sub" => {
                let Some(Word::Name(name)) = own.next().map(|t| t.word.clone()) else {
                    return Err(own.broken("the name of a sub was expected"));
                };
                let block = own.block()?;
                out.subs.push(Sub { name, line: token.line, file, block });
            }
            "include" => {
                if let Some(Word::Text(path)) = own.next().map(|t| t.word.clone()) {
                    out.includes.push((out.subs.len(), path, token.line));
                }
                own.until(";")?;
            }
            "vcl" | "import" => {
                out.versioned |= name == "vcl";
                own.until(";")?;
            }
            "backend" | "probe" | "acl" | "director" => {
                out.backends += usize::from(name == "backend");
                own.declared()?;
            }
            other => return Err(own.broken(&format!("`{other}` begins no declaration"))),
        }
    }
    Ok(out)
}

/// `varnishadm vcl.show -v` prints the built-in subroutines behind the file.
fn without_builtin(text: &str) -> String {
    let Some(at) = text.lines().position(|l| l.starts_with("// VCL.SHOW") && l.contains("Builtin"))
    else {
        return text.to_owned();
    };
    let mut kept: String = text.lines().take(at).flat_map(|line| [line, "\n"]).collect();
    kept.push_str(&"\n".repeat(text.lines().count().saturating_sub(at)));
    kept
}

struct Reader<'w> {
    tokens: &'w [Token],
    at: usize,
    depth: usize,
}

impl<'w> Reader<'w> {
    fn next(&mut self) -> Option<&'w Token> {
        let token = self.tokens.get(self.at);
        self.at += usize::from(token.is_some());
        token
    }

    fn peek(&self) -> Option<&'w Token> {
        self.tokens.get(self.at)
    }

    fn broken(&self, why: &str) -> Broken {
        let near = self.tokens.get(self.at.saturating_sub(1)).or(self.tokens.last());
        Broken { line: near.map_or(1, |t| t.line), why: why.to_owned() }
    }

    fn expect(&mut self, sign: &str) -> Result<(), Broken> {
        match self.next() {
            Some(token) if token.is(sign) => Ok(()),
            _ => Err(self.broken(&format!("`{sign}` was expected"))),
        }
    }

    /// The words up to a sign, which goes, too.
    fn until(&mut self, sign: &str) -> Result<Vec<Token>, Broken> {
        let mut out = Vec::new();
        let mut open = 0_usize;
        while let Some(token) = self.next() {
            if open == 0 && token.is(sign) {
                return Ok(out);
            }
            if token.is("{") || open == 0 && token.is("}") {
                return Err(self.broken(&format!("`{sign}` was expected")));
            }
            open += usize::from(token.is("("));
            open = open.saturating_sub(usize::from(token.is(")")));
            out.push(token.clone());
        }
        Err(self.broken(&format!("`{sign}` was expected")))
    }

    /// The rest of a backend, a probe or a list.
    fn declared(&mut self) -> Result<(), Broken> {
        let mut open = 0_usize;
        while let Some(token) = self.next() {
            if token.is("{") {
                open += 1;
            } else if token.is("}") {
                open = open.saturating_sub(1);
                if open == 0 {
                    return Ok(());
                }
            } else if open == 0 && token.is(";") {
                return Ok(());
            }
        }
        Err(self.broken("`}` was expected"))
    }

    fn block(&mut self) -> Result<Vec<Statement>, Broken> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.broken("blocks are nested too deep"));
        }
        self.expect("{")?;
        let mut out = Vec::new();
        loop {
            match self.peek() {
                None => return Err(self.broken("`}` was expected")),
                Some(token) if token.is("}") => break,
                Some(token) if token.is(";") => {}
                Some(_) => {
                    out.push(self.statement()?);
                    continue;
                }
            }
            self.at += 1;
        }
        self.at += 1;
        self.depth -= 1;
        Ok(out)
    }

    fn statement(&mut self) -> Result<Statement, Broken> {
        let Some(token) = self.next() else { return Err(self.broken("a statement was expected")) };
        let Word::Name(name) = &token.word else {
            return Err(self.broken("a statement was expected"));
        };
        let does = match name.as_str() {
            "if" => self.branches()?,
            "set" => self.set()?,
            "unset" | "remove" => {
                let own = self.until(";")?;
                Does::Unset(own.first().map(text_of).unwrap_or_default())
            }
            "call" => {
                let own = self.until(";")?;
                Does::Call(own.first().map(text_of).unwrap_or_default())
            }
            "return" => self.returned()?,
            _ => {
                self.until(";")?;
                Does::Other
            }
        };
        Ok(Statement { line: token.line, file: token.file, does })
    }

    fn set(&mut self) -> Result<Does, Broken> {
        let own = self.until(";")?;
        let name = own.first().map(text_of).unwrap_or_default();
        let (op, from) = match own.get(1).map(|t| &t.word) {
            Some(Word::Sign(sign)) => ((*sign).to_owned(), 2),
            _ => ("=".to_owned(), 1),
        };
        Ok(Does::Set { name, op, value: own.get(from..).unwrap_or_default().to_vec() })
    }

    fn returned(&mut self) -> Result<Does, Broken> {
        let own = self.until(";")?;
        let inner: Vec<Token> = match own.as_slice() {
            [first, rest @ .., last] if first.is("(") && last.is(")") => rest.to_vec(),
            _ => own,
        };
        Ok(Does::Return(inner.split_first().map(|(action, rest)| {
            let rest = match rest {
                [first, rest @ .., last] if first.is("(") && last.is(")") => rest.to_vec(),
                rest => rest.to_vec(),
            };
            (text_of(action), rest)
        })))
    }

    fn branches(&mut self) -> Result<Does, Broken> {
        let mut out = Vec::new();
        self.expect("(")?;
        let condition = self.until(")")?;
        out.push((Some(condition), self.block()?));
        loop {
            let word = |token: Option<&Token>| token.map(text_of).unwrap_or_default();
            match word(self.peek()).as_str() {
                "elseif" | "elsif" | "elif" => self.at += 1,
                "else" => {
                    self.at += 1;
                    if word(self.peek()) != "if" {
                        out.push((None, self.block()?));
                        return Ok(Does::If(out));
                    }
                    self.at += 1;
                }
                _ => return Ok(Does::If(out)),
            }
            self.expect("(")?;
            let condition = self.until(")")?;
            out.push((Some(condition), self.block()?));
        }
    }
}

/// A word as text.
pub(super) fn text_of(token: &Token) -> String {
    match &token.word {
        Word::Name(text) | Word::Text(text) => text.clone(),
        Word::Masked => "[removed]".to_owned(),
        Word::Sign(sign) => (*sign).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_and_statements() {
        let text = "vcl 4.1; # x\nimport std;\nbackend a { .host = \"h\"; .probe = { .url = \"/\"; } }\nbackend n none;\n\
                    acl in { \"10.0.0.0\"/8; ! \"10.1.0.0\"/16; }\nsub vcl_recv {\n if (req.url ~ \"^/(a|b)\" && !req.http.x) { call x; } else if (client.ip ~ in) { } \
                    elsif (req.http.y == {\"a\"b\"}) { return; } else { return (synth(404, \"no\")); }\n set req.http.x = [removed];\n /* c */ synthetic(\"x\");\n}\n";
        let parsed = parse(text, 0).unwrap();
        assert!(parsed.versioned && parsed.backends == 2 && parsed.subs.len() == 1);
        let [Statement { does: Does::If(branches), .. }, ..] = parsed.subs[0].block.as_slice()
        else {
            panic!("{parsed:?}");
        };
        assert_eq!(branches.len(), 4);
        for (text, line) in [("sub x {\n if (a) {\n", 2), ("sub x {\n set a = \"b;\n}\n", 2)] {
            assert_eq!(parse(text, 0).unwrap_err().line, line, "{text}");
        }
    }
}
