//! How long reading may take, by the wall clock where there is one.

use std::time::Duration;

/// A moment after which nothing more is read.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
#[derive(Debug)]
pub(super) struct Deadline(std::time::Instant);

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
impl Deadline {
    pub(super) fn within(time: Duration) -> Self {
        Self(std::time::Instant::now() + time)
    }

    pub(super) fn passed(&self) -> bool {
        std::time::Instant::now() > self.0
    }
}

/// A page's worker has no clock of Rust's; the page itself ends a worker that takes too
/// long, and the limits of bytes and entries hold there as well.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
#[derive(Debug)]
pub(super) struct Deadline;

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
impl Deadline {
    pub(super) fn within(_: Duration) -> Self {
        Self
    }

    pub(super) fn passed(&self) -> bool {
        false
    }
}
