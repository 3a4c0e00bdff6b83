//! What strangers could send: forged zips, a measuring stick for programs that
//! read them, and servers that do not keep to any protocol.

pub mod forge;
mod frames;
pub mod measure;
pub mod server;
