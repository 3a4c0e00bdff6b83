//! `.if`, `.elif`, `.else`, `.endif` (configuration manual, section 2.4): what
//! HAProxy decides when it starts. Variables of its environment are not known.

/// Deepest nesting, as HAProxy's own limit.
const DEPTH: usize = 16;

/// One `.if` that is open.
struct Open {
    /// Whether the branch that is read counts: `None` where that is not known.
    now: Option<bool>,
    /// Whether a branch before it counted.
    before: Option<bool>,
    line: u32,
}

/// The conditions around a line.
pub(super) struct StartUp {
    version: Option<(u32, u32, u32)>,
    open: Vec<Open>,
}

impl StartUp {
    pub(super) fn new(version: Option<(u32, u32, u32)>) -> Self {
        Self { version, open: Vec::new() }
    }

    /// Takes a line that is one of these; false where it is none.
    pub(super) fn takes(&mut self, words: &[String], line: u32) -> bool {
        let Some(first) = words.first() else { return false };
        let rest = words.get(1..).unwrap_or_default().join(" ");
        match first.as_str() {
            ".if" => {
                if self.open.len() < DEPTH {
                    let now = self.told(&rest);
                    self.open.push(Open { now, before: Some(false), line });
                }
            }
            ".elif" => {
                let told = self.told(&rest);
                self.branch(told);
            }
            ".else" => self.branch(Some(true)),
            ".endif" => {
                self.open.pop();
            }
            ".notice" | ".warning" | ".alert" | ".diag" => {}
            _ => return false,
        }
        true
    }

    fn branch(&mut self, told: Option<bool>) {
        let Some(open) = self.open.last_mut() else { return };
        open.before = match (open.before, open.now) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
        open.now = match (open.before, told) {
            (Some(true), _) | (_, Some(false)) => Some(false),
            (Some(false), told) => told,
            (None, _) => None,
        };
    }

    /// Whether lines count here: `None` where not, and the `.if` where that is not
    /// known.
    #[allow(clippy::option_option, reason = "outer: whether it counts, inner: because of what")]
    pub(super) fn counts(&self) -> Option<Option<u32>> {
        let mut maybe = None;
        for open in &self.open {
            match open.now {
                Some(true) => {}
                Some(false) => return None,
                None => maybe = maybe.or(Some(open.line)),
            }
        }
        Some(maybe)
    }

    /// Whether an expression holds, where that can be told.
    fn told(&self, text: &str) -> Option<bool> {
        let text = text.trim();
        if let Some((a, b)) = text.split_once("||") {
            return match (self.told(a), self.told(b)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        if let Some((a, b)) = text.split_once("&&") {
            return match (self.told(a), self.told(b)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        if let Some(rest) = text.strip_prefix('!') {
            return self.told(rest).map(|held| !held);
        }
        match text {
            "" | "0" | "false" => return Some(false),
            "true" => return Some(true),
            number if number.bytes().all(|b| b.is_ascii_digit()) => return Some(true),
            _ => {}
        }
        let (name, arguments) = text.split_once('(')?;
        let arguments: Vec<&str> = arguments.strip_suffix(')')?.split(',').map(str::trim).collect();
        let plain = arguments.iter().all(|a| !a.contains('$'));
        match (name.trim(), arguments.as_slice()) {
            ("streq", [a, b]) if plain => Some(a == b),
            ("strneq", [a, b]) if plain => Some(a != b),
            ("version_atleast", [wanted]) => Some(self.version? >= version(wanted)?),
            ("version_before", [wanted]) => Some(self.version? < version(wanted)?),
            _ => None,
        }
    }
}

fn version(text: &str) -> Option<(u32, u32, u32)> {
    let text = text.trim_matches('"');
    let mut parts = text.split(['.', '-']).map(|part| part.parse::<u32>().ok());
    Some((parts.next()??, parts.next().flatten().unwrap_or(0), parts.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_count_or_do_not_or_may() {
        let mut start_up = StartUp::new(Some((2, 6, 12)));
        let mut seen = Vec::new();
        for (number, line) in [
            ".if version_atleast(2.4)",
            "a",
            ".else",
            "b",
            ".endif",
            ".if defined(X)",
            "c",
            ".elif streq(a,b)",
            "d",
            ".else",
            "e",
            ".endif",
            ".if !streq(\"a\",\"a\") || 0",
            "f",
            ".elif 1",
            "g",
            ".endif",
            "h",
        ]
        .iter()
        .enumerate()
        {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            if !start_up.takes(&words, u32::try_from(number).unwrap()) {
                seen.push((*line, start_up.counts()));
            }
        }
        let maybe = Some(Some(5));
        assert_eq!(
            seen,
            [
                ("a", Some(None)),
                ("b", None),
                ("c", maybe),
                ("d", None),
                ("e", maybe),
                ("f", None),
                ("g", Some(None)),
                ("h", Some(None)),
            ]
        );
    }
}
