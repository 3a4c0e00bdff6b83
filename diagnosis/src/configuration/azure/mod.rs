//! Azure's load balancers, as `az` prints them (JSON or YAML, one or a list).
//! `gateway` finds what an Application Gateway does with a request, `action` says what
//! that does to a socket; `front_door` reads routes of Front Door, `api` the APIs of API
//! Management; `check` is what they share, `row` is the row.
//!
//! Fields are those of the models `azure-mgmt-network`, `azure-mgmt-cdn` and
//! `azure-mgmt-apimanagement`, which `az` prints without their `properties`.

mod action;
mod api;
mod check;
mod front_door;
mod gateway;
mod row;

pub(crate) use row::DIALECT;
