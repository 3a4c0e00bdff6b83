//! The four items that support asks for.

use crate::report::{Case, words};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Checklist {
    items: Vec<Item>,
    complete: usize,
}

#[derive(Debug, Serialize)]
struct Item {
    symbol: &'static str,
    word: &'static str,
    tone: &'static str,
    title: &'static str,
    have: Vec<String>,
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
                Item {
                    symbol,
                    word,
                    tone,
                    title: words::item_title(item.item),
                    have: item.have.clone(),
                    missing: item.missing.clone(),
                    how: item.how.clone(),
                }
            })
            .collect();
        let complete = items.iter().filter(|item| item.word == "complete").count();
        Self { items, complete }
    }
}
