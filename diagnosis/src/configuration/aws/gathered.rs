//! What the calls printed, together: load balancers, listeners, rules, groups; and of
//! which of them an answer speaks that does not say so itself.

use crate::configuration::source::File;
use crate::configuration::{Place, part};
use std::sync::Arc;
use wss_bundle::structured::{Node, commands};

/// One call's answer.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) file: String,
    /// The documents of its file, and which of them it is.
    documents: Arc<Vec<Node>>,
    number: usize,
    /// The command that printed it, where that stands above it.
    command: Option<String>,
}

/// A document that is not there.
static NOTHING: Node = Node::nothing();

impl Call {
    pub(super) fn root(&self) -> &Node {
        self.documents.get(self.number).unwrap_or(&NOTHING)
    }

    /// The value of an option of its command.
    pub(super) fn named(&self, option: &str) -> Option<&str> {
        let mut words = self.command.as_deref()?.split([' ', '=']);
        words.find(|word| *word == option)?;
        Some(words.next()?.trim_matches(['"', '\'']))
    }
}

/// A part of a description, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'n> {
    pub(super) node: &'n Node,
    pub(super) call: &'n Call,
}

impl<'n> Part<'n> {
    pub(super) fn text(&self, key: &str) -> &'n str {
        self.node.text_of(key)
    }

    /// The place of a key of it, and the line as one would show it.
    pub(super) fn at(&self, key: &str) -> (Place, String) {
        self.value(self.node.get(key).unwrap_or(self.node))
    }

    /// The same of any value within it.
    pub(super) fn value(&self, node: &Node) -> (Place, String) {
        let place = Place::at(&self.call.file, self.call.root(), node);
        let line = place.with(node);
        (place, line)
    }
}

/// All files' answers.
pub(super) fn calls(files: &[File]) -> Vec<Call> {
    let mut out = Vec::new();
    for (file, own) in files.iter().zip(part::of(files)) {
        let of = commands(&file.text, &own.all);
        out.extend(of.into_iter().enumerate().map(|(number, command)| Call {
            file: own.file.clone(),
            documents: Arc::clone(&own.all),
            number,
            command: command.map(str::to_owned),
        }));
    }
    out
}

/// Every entry of a list, of all answers: each once.
pub(super) fn all<'n>(calls: &'n [Call], list: &str) -> Vec<Part<'n>> {
    let entries = calls
        .iter()
        .flat_map(|call| call.root().items_of(list).iter().map(move |node| Part { node, call }));
    part::once(entries.collect(), |part| part.node)
}

/// Which of several answers speaks of one thing.
pub(super) enum Whose<'n, T> {
    /// This one.
    Its(&'n Call, T),
    /// Some do, and nothing says which: how many.
    Untold(usize),
    /// None does.
    NotGiven,
}

/// The answer that speaks of `arn`, of those that say something of the kind (`of`):
/// by the option of its command, or as the only one. Several that say the same are one.
pub(super) fn whose<'n, T: PartialEq>(
    calls: &'n [Call],
    of: impl Fn(&'n Call) -> Option<T>,
    option: &str,
    arn: &str,
) -> Whose<'n, T> {
    let mut unnamed: Vec<(&'n Call, T)> = Vec::new();
    for call in calls {
        let Some(said) = of(call) else { continue };
        match call.named(option) {
            Some(named) if !arn.is_empty() && named == arn => return Whose::Its(call, said),
            Some(_) if !arn.is_empty() => {}
            _ => unnamed.push((call, said)),
        }
    }
    let count = unnamed.len();
    let alike = unnamed.windows(2).all(|pair| pair[0].1 == pair[1].1);
    match unnamed.into_iter().next() {
        None => Whose::NotGiven,
        Some((call, said)) if alike => Whose::Its(call, said),
        Some(_) => Whose::Untold(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(command: Option<&str>, seconds: u32) -> Call {
        let text = format!("{{\"Attributes\": [{{\"Key\": \"a\", \"Value\": \"{seconds}\"}}]}}");
        let documents = Arc::new(wss_bundle::structured::documents(&text).unwrap());
        Call { file: "x".into(), documents, number: 0, command: command.map(str::to_owned) }
    }

    #[test]
    fn answers_are_told_apart_by_their_commands_and_never_by_guessing() {
        let value = |call: &Call| call.root().items_of("Attributes")[0].get("Value")?.number();
        let of = |calls: &[Call], arn: &str| match whose(calls, value, "--load-balancer-arn", arn) {
            Whose::Its(_, s) => format!("{s}"),
            Whose::Untold(count) => format!("untold {count}"),
            Whose::NotGiven => "not given".to_owned(),
        };
        let (a, b) = ("aws elbv2 x --load-balancer-arn A > a", "aws elbv2 x --load-balancer-arn=B");
        let two = [call(Some(a), 60), call(Some(b), 3600)];
        assert_eq!(of(&two, "A"), "60");
        assert_eq!(of(&two, "B"), "3600");
        assert_eq!(of(&two, "C"), "not given");
        assert_eq!(of(&[call(None, 60), call(None, 3600)], "A"), "untold 2");
        assert_eq!(of(&[call(None, 60), call(None, 60)], "A"), "60");
        assert_eq!(of(&[call(None, 60), call(Some(b), 3600)], "A"), "60");
        assert_eq!(of(&[], "A"), "not given");
    }
}
