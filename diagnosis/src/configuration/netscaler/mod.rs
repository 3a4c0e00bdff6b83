//! NetScaler (Citrix ADC): ns.conf, and what `show ns runningConfig` prints. `check`
//! reads its lines, `row` is the row.
//!
//! Read by documents and strangers' files alone: what is said is a hint.

mod check;
mod row;

pub(crate) use row::DIALECT;
