//! The contract between the two programs: what was observed, and the zip it
//! travels in.
//!
//! This crate owns the words ([`Observation`], [`Failure`], [`Manifest`],
//! [`Environment`]), the [`mod@format`], the removal of secrets ([`redact`]), the reading and
//! writing of bundles ([`read`], [`mod@write`]) and their encryption ([`sealed`]). It knows no sockets (that is the
//! collector's) and no rules (that is the diagnosis').

pub mod accept;
pub mod browser;
pub mod bundle;
pub mod certificate;
pub mod environment;
pub mod failure;
pub mod format;
pub mod head;
pub mod header;
pub mod manifest;
pub mod obfuscate;
pub mod observation;
pub mod pasted;
pub mod read;
pub mod redact;
pub mod sealed;
pub mod secret;
pub mod shell;
pub mod structured;
pub mod target;
pub mod transcript;
pub mod write;

pub use browser::BrowserHandshake;
pub use bundle::{Attachment, Bundle, Defect, Redaction};
pub use environment::Environment;
pub use failure::{Failure, FailureKind, Operation};
pub use head::{Bytes, ResponseHead};
pub use manifest::{AttachmentKind, Manifest, Vantage};
pub use observation::{Observation, Observations, Outcome, Route, RouteId, Step};
pub use secret::Secret;
pub use target::Target;
