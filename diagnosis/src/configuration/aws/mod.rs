//! AWS' load balancers, as `aws elbv2 describe-*` and `aws elb describe-*` print them
//! (JSON or YAML, one call a file or several in one). `gathered` puts the calls
//! together, `check` finds load balancer and listener, `rules` follows a request to a
//! target group, `groups` judges that, `classic` the older kind; `row` is the row.
//!
//! Fields are those of botocore's service models (`elbv2`, `elb`).

mod check;
mod classic;
mod gathered;
mod groups;
mod row;
mod rules;

pub(crate) use row::DIALECT;
