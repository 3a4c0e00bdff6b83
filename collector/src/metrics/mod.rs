//! Measurements as values, and as text: what `watch` tells monitoring. Knows no clock, no
//! files and no sockets; who measures, and who is told, is the command's.

mod text;

pub use text::{Format, render};

/// What kind of measurement it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A count since the start; its name ends in `_total`.
    Counter,
}

/// One value, with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Names and values, in the order in which they are written.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: f64,
}

/// All values of one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The name; a counter's ends in `_total`.
    pub name: &'static str,
    /// Gauge or counter.
    pub kind: Kind,
    /// The unit in which the name ends: `seconds`; empty where there is none.
    pub unit: &'static str,
    /// What it says, in one sentence.
    pub help: &'static str,
    /// The values; none where nothing was measured.
    pub samples: Vec<Sample>,
}

impl Family {
    /// A gauge without values.
    #[must_use]
    pub fn gauge(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, unit, help, samples: Vec::new() }
    }

    /// A counter with its value.
    #[must_use]
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        let unit = "";
        let family = Self { name, kind: Kind::Counter, unit, help, samples: Vec::new() };
        // Far below what a double counts exactly.
        #[allow(clippy::cast_precision_loss, reason = "rounds and breaks of one run")]
        family.with(value as f64)
    }

    /// With a value that has no labels of its own.
    #[must_use]
    pub fn with(self, value: f64) -> Self {
        self.labelled(&[], value)
    }

    /// With a value, where there is one.
    #[must_use]
    pub fn maybe(self, value: Option<f64>) -> Self {
        match value {
            Some(value) => self.with(value),
            None => self,
        }
    }

    /// With a value that has labels.
    #[must_use]
    pub fn labelled(mut self, labels: &[(&'static str, &str)], value: f64) -> Self {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.samples.push(Sample { labels, value });
        self
    }
}

#[cfg(test)]
mod tests;
