//! Devices on the path, in path order.

use crate::report::{Case, words};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Devices {
    devices: Vec<Device>,
}

#[derive(Debug, Serialize)]
struct Device {
    role: &'static str,
    product: String,
    version: Option<String>,
    confidence: &'static str,
    because: Vec<String>,
}

impl Devices {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let devices = case
            .diagnosis
            .devices
            .iter()
            .map(|device| Device {
                role: device.role.slug(),
                product: device.product.clone().unwrap_or_else(|| "unknown product".into()),
                version: device.version.clone(),
                confidence: words::level(device.confidence),
                because: device.because.clone(),
            })
            .collect();
        Self { devices }
    }
}
