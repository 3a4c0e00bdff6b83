//! What goes over the wire: values in; what was seen, or a failure, out. Every read
//! is bounded in bytes and in time. Knows no configuration, no recorder and no plan:
//! who does a step says where to, what to say, and how long to wait.

pub mod classify;
pub mod deflate;
pub mod hold;
pub mod http1;
pub mod message;
pub mod socks4;
pub mod socks5;
pub mod tap;
pub mod tcp;
pub mod tls;
pub mod ws;

use tokio::io::{AsyncRead, AsyncWrite};

/// Any byte stream.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A byte stream whose layers below are of no interest.
pub type BoxIo = Box<dyn Io>;

/// Milliseconds, rounded to three decimals.
#[must_use]
pub fn millis(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
