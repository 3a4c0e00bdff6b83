//! AWS' load balancers, as `aws elbv2 describe-*` and `aws elb describe-*` print them
//! (JSON or YAML, one call a file or several in one). `gathered` puts the calls
//! together, `check` follows a request, `row` is the row.
//!
//! Fields are those of botocore's service models (`elbv2`, `elb`).

mod check;
mod gathered;
mod row;

pub(crate) use row::DIALECT;
