//! Varnish: its VCL. `parse` reads the language, `value` what expressions come to for
//! the request that was probed, `check` follows `vcl_recv`, `vcl_pipe` and
//! `vcl_synth`, `edits` what mends it, `row` is the row.
//!
//! An upgrade passes by `return (pipe)` alone, and needs both headers set in
//! `vcl_pipe`; the one time that ends it is a parameter of the program and in no VCL
//! (`pipe_timeout`, 60 s). All three as measured with Varnish 7.1.

mod check;
mod edits;
mod parse;
mod row;
mod value;

pub(crate) use row::DIALECT;
