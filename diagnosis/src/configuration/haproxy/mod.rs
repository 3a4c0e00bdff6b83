//! HAProxy: which frontend and backend a request comes to, and what is done to it.

mod check;
mod condition;
mod parse;

pub(super) use check::read;
