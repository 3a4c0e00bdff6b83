//! The lab: servers with faults, real servers, scenarios, and the demo.

pub mod bench;
pub mod browser;
pub mod demo;
pub mod field;
pub mod firefox;
pub mod floor;
pub mod generate;
pub mod hostile;
pub mod lab;
pub mod page;
pub mod real;
pub mod scenario;
