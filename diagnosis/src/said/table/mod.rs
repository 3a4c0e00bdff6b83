//! The rows, by kind of program. Within the table the first that fits is taken:
//! words that stand in one program's page come before a page that says less, and
//! filters' pages before those of who passes them on.

mod clouds;
mod edges;
mod filters;
mod gateways;
mod servers;

use super::{Basis, Row, Says, Sign};
use crate::model::Cause;

/// Every row, in the order in which they are tried.
pub static ROWS: &[&[Row]] =
    &[filters::ROWS, edges::ROWS, clouds::ROWS, gateways::ROWS, servers::ROWS];

/// What everybody who speaks HTTP by nginx' code is recognised by.
const NGINX: &[&str] = &["nginx", "openresty", "ingress-nginx"];

/// A row that the real program gave: its answer is in `tests/status/answers/ID.http`.
#[allow(clippy::too_many_arguments, reason = "a table")]
const fn measured(
    id: &'static str,
    program: &'static str,
    status: &'static [u16],
    sign: Sign,
    says: Says,
    leads: Cause,
    means: &'static str,
    look: &'static str,
    source: &'static str,
    sample: (&'static str, &'static str),
) -> Row {
    let basis = Basis::Measured;
    Row { id, program, status, sign, says, leads, means, look, source, basis, sample }
}

/// A row that rests on documents.
#[allow(clippy::too_many_arguments, reason = "a table")]
const fn documented(
    id: &'static str,
    program: &'static str,
    status: &'static [u16],
    sign: Sign,
    says: Says,
    leads: Cause,
    means: &'static str,
    look: &'static str,
    source: &'static str,
    sample: (&'static str, &'static str),
) -> Row {
    let basis = Basis::Documents;
    Row { id, program, status, sign, says, leads, means, look, source, basis, sample }
}
