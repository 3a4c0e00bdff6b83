//! Objects in braces, each with its words and line: `ltm virtual /Common/x { … }`.

/// Deepest nesting.
const DEPTH: usize = 40;

/// An object, or a line of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) words: Vec<String>,
    pub(super) line: u32,
    pub(super) inner: Vec<Object>,
}

impl Object {
    pub(super) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    /// The line of a name.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.inner.iter().find(|one| one.word(0) == name)
    }

    /// The last word, without its folder: `/Common/x` is `x`.
    pub(super) fn name(&self) -> &str {
        self.words.last().map_or("", |word| short(word))
    }
}

/// A name without its folder.
pub(super) fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// The objects of a text; scripts (`ltm rule`) are left out.
pub(super) fn objects(text: &str) -> Vec<Object> {
    let mut open: Vec<Object> = Vec::new();
    let mut out = Vec::new();
    let mut script = 0_usize;
    for (number, line) in text.lines().enumerate() {
        let line_number = u32::try_from(number + 1).unwrap_or(u32::MAX);
        let trimmed = line.trim();
        if script > 0 {
            script += trimmed.matches('{').count();
            script = script.saturating_sub(trimmed.matches('}').count());
            continue;
        }
        if trimmed.starts_with("ltm rule") || trimmed.starts_with("ltm data-group") {
            script = trimmed.matches('{').count().saturating_sub(trimmed.matches('}').count());
            continue;
        }
        let mut words: Vec<String> = Vec::new();
        for word in trimmed.split_whitespace() {
            match word {
                "{" if open.len() < DEPTH => {
                    open.push(Object {
                        words: std::mem::take(&mut words),
                        line: line_number,
                        inner: Vec::new(),
                    });
                }
                "}" => {
                    put(&mut open, &mut out, std::mem::take(&mut words), line_number);
                    close(&mut open, &mut out);
                }
                word => words.push(word.to_owned()),
            }
        }
        put(&mut open, &mut out, words, line_number);
    }
    while !open.is_empty() {
        close(&mut open, &mut out);
    }
    out
}

fn put(open: &mut [Object], out: &mut Vec<Object>, words: Vec<String>, line: u32) {
    if words.is_empty() {
        return;
    }
    let own = Object { words, line, inner: Vec::new() };
    match open.last_mut() {
        Some(parent) => parent.inner.push(own),
        None => out.push(own),
    }
}

fn close(open: &mut Vec<Object>, out: &mut Vec<Object>) {
    let Some(own) = open.pop() else { return };
    match open.last_mut() {
        Some(parent) => parent.inner.push(own),
        None => out.push(own),
    }
}
