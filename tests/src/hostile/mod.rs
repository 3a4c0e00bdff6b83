//! What strangers could send: forged zips, a measuring stick for programs that
//! read them, and servers that do not keep to any protocol.

pub mod certificates;
pub mod forge;
mod frames;
pub mod h2;
pub mod measure;
pub mod server;
