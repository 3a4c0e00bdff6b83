//! nginx: which server and location a request comes to, and what is sent on.

mod check;
pub(super) mod parse;
mod request;
pub(super) mod tree;
mod value;

pub(super) use check::read;
