//! Devices on the path, in path order.

use crate::part::limited;
use crate::{Case, words};
use serde::Serialize;

/// Devices shown.
const COUNT: usize = 20;
/// Reasons shown of one device.
const REASONS: usize = 8;

#[derive(Debug, Serialize)]
pub(super) struct Devices {
    devices: Vec<Device>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Device {
    role: &'static str,
    product: Option<String>,
    version: Option<String>,
    confidence: &'static str,
    because: Vec<String>,
}

impl Devices {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let devices = case.diagnosis.devices.iter().map(|device| Device {
            role: device.role.slug(),
            product: device.product.as_ref().map(|product| words::cut(product, 120)),
            version: device.version.as_ref().map(|version| words::cut(version, 80)),
            confidence: device.confidence.slug(),
            because: device.because.iter().take(REASONS).map(|why| words::cut(why, 300)).collect(),
        });
        let (devices, more) = limited(devices, COUNT);
        Self { devices, more }
    }
}
