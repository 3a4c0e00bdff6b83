//! JSON of which one bad element does not spoil the rest.

use super::defect;
use crate::Defect;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// How many elements of a list are named as defects one by one.
const NAMED: usize = 20;
/// Bytes that may be parsed again to find the bad elements: each is tried with
/// everything that is in no list.
const WORK: usize = 64 << 20;

/// Parses `content`; when that fails, again without those elements of the
/// top-level lists `lists` that are why.
///
/// # Errors
/// The first parser's, when leaving elements out does not help.
pub(super) fn parse<T: DeserializeOwned>(
    content: &[u8],
    lists: &[&str],
    entry: &str,
    defects: &mut Vec<Defect>,
) -> Result<T, serde_json::Error> {
    let first = match serde_json::from_slice(content) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let Ok(Value::Object(mut whole)) = serde_json::from_slice::<Value>(content) else {
        return Err(first);
    };
    // With one element alone in its list, the whole parses or it does not:
    // so no knowledge of the elements' types is needed here.
    let kept: Vec<(&str, Vec<Value>)> = lists
        .iter()
        .filter_map(|list| match whole.get_mut(*list) {
            Some(Value::Array(items)) => Some((*list, std::mem::take(items))),
            _ => None,
        })
        .collect();
    if of::<T>(&whole).is_err() {
        return Err(first);
    }
    let rest = serde_json::to_vec(&whole).map_or(usize::MAX, |text| text.len());
    let elements: usize = kept.iter().map(|(_, items)| items.len()).sum();
    if rest.saturating_mul(elements) > WORK {
        return Err(first);
    }
    let mut good: Vec<(&str, Vec<Value>)> = Vec::new();
    for (list, items) in kept {
        let mut fine = Vec::new();
        let mut bad = 0;
        for (number, item) in items.into_iter().enumerate() {
            let mut alone = whole.clone();
            alone.insert(list.to_owned(), Value::Array(vec![item.clone()]));
            match of::<T>(&alone) {
                Ok(_) => fine.push(item),
                Err(error) => {
                    bad += 1;
                    if bad <= NAMED {
                        let detail = format!("{list}[{number}] is left out: {}", what(&error));
                        defects.push(defect(Some(entry), "unreadable-element", detail));
                    }
                }
            }
        }
        if bad > NAMED {
            let detail = format!("{} more elements of {list} are left out", bad - NAMED);
            defects.push(defect(Some(entry), "unreadable-element", detail));
        }
        good.push((list, fine));
    }
    for (list, items) in good {
        whole.insert(list.to_owned(), Value::Array(items));
    }
    of(&whole)
}

/// By way of a text, as everything else is parsed: the types' own code is large, and
/// would be needed once more for values.
fn of<T: DeserializeOwned>(whole: &Map<String, Value>) -> Result<T, serde_json::Error> {
    serde_json::from_slice(&serde_json::to_vec(whole)?)
}

/// What is wrong, without the place in a text that nobody has seen.
fn what(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
}
