//! The four items that support asks for.

use crate::part::limited;
use crate::{Case, words};
use serde::Serialize;

/// Lines shown of what is there.
const LINES: usize = 3;
/// Longest line.
const LINE: usize = 150;

#[derive(Debug, Serialize)]
pub(super) struct Checklist {
    items: Vec<Item>,
    complete: usize,
    of: usize,
}

#[derive(Debug, Serialize)]
struct Item {
    anchor: String,
    symbol: &'static str,
    word: &'static str,
    tone: &'static str,
    title: &'static str,
    have: Vec<String>,
    more: usize,
    missing: Vec<String>,
    how: Option<String>,
}

impl Checklist {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let items: Vec<Item> = case
            .diagnosis
            .checklist
            .iter()
            .map(|item| {
                let (symbol, word, tone) = words::item(item.status);
                let (have, more) = limited(item.have.iter().map(|h| words::cut(h, LINE)), LINES);
                Item {
                    anchor: format!("item-{}", item.item),
                    symbol,
                    word,
                    tone,
                    title: words::item_title(item.item),
                    have,
                    more,
                    missing: item.missing.clone(),
                    how: item.how.clone(),
                }
            })
            .collect();
        // One command for two items stands with the later one.
        let mut items = items;
        for at in 0..items.len() {
            if items[at + 1..].iter().any(|later| later.how == items[at].how) {
                items[at].how = None;
            }
        }
        let complete = items.iter().filter(|item| item.word == "complete").count();
        Self { complete, of: items.len(), items }
    }
}
