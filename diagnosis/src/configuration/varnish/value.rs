//! What VCL's expressions come to for the request that was probed. What the file does
//! not tell stays unknown, with why.

use super::parse::{Token, Word};
use crate::configuration::Request;
use crate::configuration::held::{Holds, Joined, joined};
use crate::configuration::pattern::begins_otherwise;
use regex::{Regex, RegexBuilder};
use std::collections::BTreeMap;

/// A value: a text, none (an unset header), or not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Unset,
    Unknown(String),
}

/// The request on its way, and what of it was changed.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// By name in lower case: `req.url`, `req.http.upgrade`, `resp.status`.
    pub(super) own: BTreeMap<String, Value>,
}

impl State {
    pub(super) fn of(request: &Request<'_>) -> Self {
        let text = |text: &str| Value::Text(text.to_owned());
        let own = [
            ("req.url", text(request.path)),
            ("req.method", text("GET")),
            ("req.proto", text("HTTP/1.1")),
            ("req.restarts", text("0")),
            ("req.esi_level", text("0")),
            ("req.is_hitmiss", Value::Unset),
            ("req.is_hitpass", Value::Unset),
            ("req.http.host", text(&request.authority())),
            ("req.http.upgrade", text("websocket")),
            ("req.http.connection", text("Upgrade")),
            ("req.http.sec-websocket-version", text("13")),
            ("req.http.content-type", Value::Unset),
            ("req.http.content-length", Value::Unset),
            ("req.http.transfer-encoding", Value::Unset),
            ("req.http.range", Value::Unset),
            ("req.http.expect", Value::Unset),
            ("req.http.surrogate-capability", Value::Unset),
        ];
        Self { own: own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
    }

    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Value {
        let name = name.to_ascii_lowercase();
        if let Some(known) = self.own.get(&name) {
            return known.clone();
        }
        // What is sent on is what came, until it is changed.
        match name.strip_prefix("be") {
            Some(came) if came.starts_with("req.") => self.get(came),
            _ => Value::Unknown(name),
        }
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.own.insert(name.to_ascii_lowercase(), value);
    }
}

/// Reads an expression.
pub(super) struct Expression<'e> {
    words: &'e [Token],
    at: usize,
    depth: usize,
    state: &'e State,
}

/// Deepest nesting of calls.
const DEPTH: usize = 60;

impl Joined for Expression<'_> {
    fn sign(&mut self, wanted: &str) -> bool {
        let is =
            matches!(self.words.get(self.at).map(|t| &t.word), Some(Word::Sign(s)) if *s == wanted);
        self.at += usize::from(is);
        is
    }

    fn single(&mut self) -> Holds {
        self.compared()
    }

    fn lost(&mut self) -> Holds {
        self.at = self.words.len() + 1;
        Err("a condition that is not read here".to_owned())
    }
}

impl<'e> Expression<'e> {
    /// Whether a condition holds.
    pub(super) fn holds(words: &'e [Token], state: &'e State) -> Holds {
        let mut own = Self { words, at: 0, depth: 0, state };
        let held = joined(&mut own)?;
        if own.at < words.len() {
            Err("a condition that is not read here".to_owned())
        } else {
            Ok(held)
        }
    }

    /// The value of texts and names in a row.
    pub(super) fn value(words: &'e [Token], state: &'e State) -> Value {
        let mut own = Self { words, at: 0, depth: 0, state };
        let value = own.joined();
        if own.at < words.len() {
            return Value::Unknown("an expression that is not read here".to_owned());
        }
        value
    }

    fn compared(&mut self) -> Holds {
        let left = self.joined();
        for op in ["==", "!=", "!~", "~", "<=", ">=", "<", ">"] {
            if !self.sign(op) {
                continue;
            }
            // A list of addresses has a bare name.
            let list = match self.words.get(self.at).map(|t| &t.word) {
                Some(Word::Name(name)) if op.contains('~') => Some(name.clone()),
                _ => None,
            };
            let right = self.joined();
            return match list {
                Some(list) => Err(format!("the list {list}")),
                None => compare(op, &left, &right),
            };
        }
        match left {
            Value::Text(text) if text == "false" => Ok(false),
            Value::Text(_) => Ok(true),
            Value::Unset => Ok(false),
            Value::Unknown(why) => Err(why),
        }
    }

    /// Texts and names in a row, with or without `+`.
    fn joined(&mut self) -> Value {
        let Some(mut out) = self.part() else {
            self.at = self.words.len() + 1;
            return Value::Unknown("an expression that is not read here".to_owned());
        };
        loop {
            self.sign("+");
            let Some(next) = self.part() else { return out };
            out = match (out, next) {
                (Value::Unknown(why), _) | (_, Value::Unknown(why)) => Value::Unknown(why),
                (Value::Text(a), Value::Text(b)) => Value::Text(a + &b),
                (Value::Unset, other) | (other, Value::Unset) => match other {
                    Value::Unset => Value::Text(String::new()),
                    other => other,
                },
            };
        }
    }

    fn part(&mut self) -> Option<Value> {
        let token = self.words.get(self.at)?;
        let value = match &token.word {
            Word::Text(text) => Value::Text(text.clone()),
            Word::Masked => Value::Unknown("a value that is masked".to_owned()),
            Word::Name(name) => {
                self.at += 1;
                if self.sign("(") {
                    return Some(self.function(name));
                }
                self.at -= 1;
                if name == "true"
                    || name == "false"
                    || name.starts_with(|c: char| c.is_ascii_digit())
                {
                    Value::Text(name.clone())
                } else {
                    self.state.get(name)
                }
            }
            Word::Sign(_) => return None,
        };
        self.at += 1;
        Some(value)
    }

    /// A function's arguments, and what it comes to.
    fn function(&mut self, name: &str) -> Value {
        let mut all = Vec::new();
        self.depth += 1;
        if self.depth > DEPTH {
            self.at = self.words.len() + 1;
        }
        while !self.sign(")") {
            all.push(self.joined());
            if self.sign(",") {
                continue;
            }
            if !self.sign(")") {
                self.at = self.words.len() + 1;
            }
            break;
        }
        self.depth -= 1;
        if let Some(Value::Unknown(why)) = all.iter().find(|v| matches!(v, Value::Unknown(_))) {
            return Value::Unknown(why.clone());
        }
        let text = |at: usize| match all.get(at) {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        };
        let own = match name.to_ascii_lowercase().as_str() {
            "regsub" => replaced(text(0), text(1), text(2), 1),
            "regsuball" => replaced(text(0), text(1), text(2), 0),
            "std.tolower" => Some(text(0).to_lowercase()),
            "std.toupper" => Some(text(0).to_uppercase()),
            // Of one parameter nothing is put in order.
            "std.querysort" if !text(0).contains('&') => Some(text(0).to_owned()),
            _ => None,
        };
        own.map_or_else(|| Value::Unknown(format!("{name}()")), Value::Text)
    }
}

fn compare(op: &str, left: &Value, right: &Value) -> Holds {
    if let Value::Unknown(why) = left {
        return Err(why.clone());
    }
    if let Value::Unknown(why) = right {
        return Err(why.clone());
    }
    let text = |value: &'_ Value| match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    let (a, b) = (text(left), text(right));
    let number = |text: &Option<String>| text.as_ref().and_then(|t| t.parse::<f64>().ok());
    Ok(match op {
        "==" => a == b,
        "!=" => a != b,
        "~" | "!~" => {
            let pattern = b.unwrap_or_default();
            let anchored = pattern.strip_prefix('^');
            let text = a.unwrap_or_default();
            if anchored.is_some_and(|own| begins_otherwise(own, &text, false)) {
                return Ok(op == "!~");
            }
            let regex = pattern_of(&pattern).ok_or_else(|| format!("the pattern {pattern}"))?;
            regex.is_match(&text) == (op == "~")
        }
        _ => match (number(&a), number(&b)) {
            (Some(a), Some(b)) => match op {
                "<" => a < b,
                ">" => a > b,
                "<=" => a <= b,
                _ => a >= b,
            },
            _ => return Err("a comparison of numbers".to_owned()),
        },
    })
}

/// A pattern, as PCRE has them, where it is one of both kinds.
fn pattern_of(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(1 << 20).build().ok()
}

fn replaced(text: &str, pattern: &str, to: &str, limit: usize) -> Option<String> {
    let regex = pattern_of(pattern)?;
    let mut out = String::new();
    let mut rest = to.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some(digit) if digit.is_ascii_digit() => out.push_str(&format!("${{{digit}}}")),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            '$' => out.push_str("$$"),
            c => out.push(c),
        }
    }
    Some(regex.replacen(text, limit, out.as_str()).into_owned())
}
