//! How long it takes to mask and to read a large file of each structured dialect, and how
//! that grows: `cargo run --release -p wss-diagnosis --example reading [MEGABYTES]`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, run by hand")]

use std::path::Path;
use std::time::Instant;
use wss_bundle::read::{self, Limits};
use wss_bundle::redact::Redactor;
use wss_bundle::{Attachment, AttachmentKind};
use wss_diagnosis::configuration::{Request, check};

#[allow(dead_code, reason = "not everybody needs all of them")]
#[path = "../src/configuration/samples.rs"]
mod samples;

/// Any bundle: what is given is put into it.
const GOOD: &[u8] = include_bytes!("../../tests/golden/demo/inside.zip");

fn main() {
    let most: usize = std::env::args().nth(1).map_or(5, |text| text.parse().unwrap());
    println!("| dialect | MB | masking s | reading s |\n|---|---|---|---|");
    for id in ["aws", "kubernetes", "gcp", "azure", "envoy", "traefik", "caddy_json"] {
        for megabytes in [1, most] {
            let text = samples::large(id, megabytes << 20);
            let opened = read::bytes(GOOD, Path::new("good.zip"), &Limits::default());
            let mut bundle = opened.unwrap().bundle;
            bundle.attachments = vec![Attachment {
                name: "x".into(),
                kind: AttachmentKind::Configuration,
                vantage: None,
                path: None,
                bytes: text.clone().into_bytes(),
            }];
            let begin = Instant::now();
            let redacted = Redactor::new().bundle(bundle);
            let masking = begin.elapsed().as_secs_f64();
            let given = &redacted.get().attachments;
            let request =
                Request { host: "b.example", port: 443, tls: true, path: "/v1/ws", version: None };
            let begin = Instant::now();
            let checked = check(given, &request, |_| None).unwrap();
            let reading = begin.elapsed().as_secs_f64();
            let size = text.len() as f64 / f64::from(1 << 20);
            println!(
                "| {id} ({}) | {size:.1} | {masking:.2} | {reading:.2} |",
                checked.files[0].program.map_or("none", |p| p.name())
            );
        }
    }
}
