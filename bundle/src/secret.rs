//! A secret: a value that can be used, but neither printed nor serialised.

use std::fmt;

/// A password, token or key that the user gave.
///
/// It has no `Serialize` and no `Display`, and its `Debug` shows only that it
/// is there, so that it cannot reach a bundle, a log or an error message by
/// accident. [`Secret::expose`] is the one way to the value; every call of it
/// is a place to review.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes ownership of a secret value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that must send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
