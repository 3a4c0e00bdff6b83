//! HAProxy: its language, the way of a request through it, and what becomes of an
//! upgrade there. `parse` and `start_up` read, `fetch` and `condition` evaluate,
//! `check` follows, `servers` judges what is behind.

mod check;
mod condition;
mod fetch;
mod parse;
mod servers;
mod start_up;

pub(crate) use check::{read, way};
