//! What runs behind the page: files and texts that a person handed over go in, the
//! report and what else the page shows come out. No own rule, parser or template: it
//! puts together `wss-handed`, `wss-bundle`, `wss-diagnosis` and `wss-report`.
//!
//! [`ask`] has what the page asks and is answered, as JSON; [`work`] does it, a pure
//! function; [`target`] finds out what it is about where nobody says so. `boundary` is
//! how JavaScript calls it. Files, clipboard and sockets are the page's script's
//! (`page/www`).

pub mod ask;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod boundary;
pub mod target;
pub mod work;
