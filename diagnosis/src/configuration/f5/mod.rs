//! F5 BIG-IP: what `tmsh list ltm` prints, and bigip.conf. `parse` reads objects in
//! braces, `check` what of them concerns an upgrade, `row` is the row.
//!
//! Read by documents and strangers' files alone: what is said is a hint.

mod check;
mod parse;
mod row;

pub(crate) use row::DIALECT;
