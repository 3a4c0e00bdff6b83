//! Google Cloud's load balancers, as `gcloud compute … describe` and `list` print
//! them (YAML or JSON, one call a file or several in one). `url_map` finds the backend
//! service of a request, `check` says what it does to a socket, `row` is the row.
//!
//! Fields are those of the discovery document `compute.v1`.

mod check;
mod row;
mod url_map;

pub(crate) use row::DIALECT;
