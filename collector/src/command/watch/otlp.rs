//! OTLP over HTTP (protobuf): metrics after each round, and a log record for each notice,
//! to the collector that was named and to nobody else. A collector that is away holds up
//! nothing: what it does not take is counted.

use super::notice::{Level, Notice};
use crate::cli::parse;
use crate::metrics::{Family, Kind};
use crate::wire::tls::TlsSetup;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, redirect};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use wss_bundle::Secret;

/// How long one message may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Messages that wait; what comes on top is counted as not sent.
const WAITING: usize = 64;

/// What is sent.
enum Parcel {
    Metrics(Vec<u8>),
    Logs(Vec<u8>),
}

/// Sends on a task of its own.
pub(super) struct Exporter {
    send: mpsc::Sender<Parcel>,
    task: tokio::task::JoinHandle<()>,
    started: u64,
    target: String,
    pub(super) unsent: Arc<AtomicU64>,
}

impl Exporter {
    /// Understands the collector's address and headers (`Name: value`).
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn client(
        url: &str,
        headers: &[String],
        tls: &TlsSetup,
    ) -> Result<(String, Client), String> {
        let wrong = "--otlp: expected the collector's http:// or https:// URL, such as http://127.0.0.1:4318";
        let parsed = url::Url::parse(url).map_err(|_| wrong.to_owned())?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err(wrong.to_owned());
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err("--otlp: credentials go into --otlp-header".to_owned());
        }
        let mut all = HeaderMap::new();
        for line in headers {
            let (name, value): (String, Secret) = parse::header(line)?;
            let value = HeaderValue::from_bytes(value.expose().as_bytes());
            let name = HeaderName::from_bytes(name.as_bytes());
            let (Ok(name), Ok(mut value)) = (name, value) else {
                return Err("--otlp-header: it cannot stand in a request".to_owned());
            };
            value.set_sensitive(true);
            all.append(name, value);
        }
        let strict = tls.strict().map_err(|error| format!("--otlp: {error}"))?;
        let client = Client::builder()
            .no_proxy()
            .http1_only()
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .default_headers(all)
            .tls_backend_preconfigured(strict)
            .build()
            .map_err(|error| format!("--otlp: {error}"))?;
        Ok((parsed.as_str().trim_end_matches('/').to_owned(), client))
    }

    /// Starts to send; `target` stands with everything.
    pub(super) fn start((base, client): (String, Client), target: &str) -> Self {
        let (send, receive) = mpsc::channel(WAITING);
        let unsent = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(run(base, client, receive, unsent.clone()));
        Self { send, task, started: now(), target: target.to_owned(), unsent }
    }

    fn post(&self, parcel: Parcel) {
        if self.send.try_send(parcel).is_err() {
            self.unsent.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Metrics as they are now.
    pub(super) fn metrics(&self, families: &[Family], labels: &[(&'static str, String)]) {
        let request = metrics(families, labels, self.started, now());
        self.post(Parcel::Metrics(request.encode_to_vec()));
    }

    /// One thing that happened.
    pub(super) fn log(&self, notice: &Notice) {
        self.post(Parcel::Logs(logs(notice, &self.target).encode_to_vec()));
    }

    /// Waits until what waits is sent, for a while.
    pub(super) async fn end(self, limit: Duration) {
        drop(self.send);
        let _ = tokio::time::timeout(limit, self.task).await;
    }
}

async fn run(
    base: String,
    client: Client,
    mut receive: mpsc::Receiver<Parcel>,
    unsent: Arc<AtomicU64>,
) {
    while let Some(parcel) = receive.recv().await {
        let (path, body) = match parcel {
            Parcel::Metrics(body) => ("metrics", body),
            Parcel::Logs(body) => ("logs", body),
        };
        let request = client.post(format!("{base}/v1/{path}"));
        let sent = request.header(CONTENT_TYPE, "application/x-protobuf").body(body).send().await;
        if !sent.is_ok_and(|answer| answer.status().is_success()) {
            unsent.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Nanoseconds since 1970.
fn now() -> u64 {
    nanos(chrono::Utc::now())
}

fn nanos(at: chrono::DateTime<chrono::Utc>) -> u64 {
    at.timestamp_nanos_opt().and_then(|ns| u64::try_from(ns).ok()).unwrap_or_default()
}

fn text(value: &str) -> Option<AnyValue> {
    Some(AnyValue { value: Some(Any::StringValue(value.to_owned())) })
}

fn pair(key: &str, value: Option<AnyValue>) -> KeyValue {
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn resource() -> Option<Resource> {
    let attributes = vec![
        pair("service.name", text("wss-collector")),
        pair("service.version", text(env!("CARGO_PKG_VERSION"))),
    ];
    Some(Resource { attributes, ..Resource::default() })
}

fn scope() -> Option<InstrumentationScope> {
    let (name, version) = ("wss-collector".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    Some(InstrumentationScope { name, version, ..InstrumentationScope::default() })
}

fn metrics(
    families: &[Family],
    labels: &[(&'static str, String)],
    started: u64,
    time: u64,
) -> ExportMetricsServiceRequest {
    let metrics = families.iter().filter(|family| !family.samples.is_empty()).map(|family| {
        let data_points = family.samples.iter().map(|sample| NumberDataPoint {
            attributes: labels
                .iter()
                .chain(&sample.labels)
                .map(|(name, value)| pair(name, text(value)))
                .collect(),
            start_time_unix_nano: started,
            time_unix_nano: time,
            value: Some(Number::AsDouble(sample.value)),
            ..NumberDataPoint::default()
        });
        let data_points = data_points.collect();
        let data = match family.kind {
            Kind::Gauge => Data::Gauge(Gauge { data_points }),
            Kind::Counter => Data::Sum(Sum {
                data_points,
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
                is_monotonic: true,
            }),
        };
        Metric {
            name: family.name.to_owned(),
            description: family.help.to_owned(),
            // UCUM, as OpenTelemetry has it.
            unit: if family.unit == "seconds" { "s".to_owned() } else { String::new() },
            data: Some(data),
            ..Metric::default()
        }
    });
    let scope_metrics =
        vec![ScopeMetrics { scope: scope(), metrics: metrics.collect(), ..Default::default() }];
    let resource_metrics =
        vec![ResourceMetrics { resource: resource(), scope_metrics, ..Default::default() }];
    ExportMetricsServiceRequest { resource_metrics }
}

fn logs(notice: &Notice, target: &str) -> ExportLogsServiceRequest {
    let (number, word) = match notice.level {
        Level::Info => (SeverityNumber::Info, "INFO"),
        Level::Warn => (SeverityNumber::Warn, "WARN"),
        Level::Error => (SeverityNumber::Error, "ERROR"),
    };
    let mut attributes = vec![pair("wss.target", text(target))];
    attributes.extend(notice.fields.iter().map(|(name, value)| {
        let value = match value {
            Value::String(value) => text(value),
            Value::Bool(value) => Some(AnyValue { value: Some(Any::BoolValue(*value)) }),
            Value::Number(number) => {
                let value = Any::DoubleValue(number.as_f64().unwrap_or_default());
                Some(AnyValue { value: Some(value) })
            }
            Value::Null => None,
            other => text(&other.to_string()),
        };
        pair(&format!("wss.{name}"), value)
    }));
    let record = LogRecord {
        time_unix_nano: nanos(notice.at),
        observed_time_unix_nano: now(),
        severity_number: number.into(),
        severity_text: word.to_owned(),
        body: text(&notice.text),
        attributes,
        event_name: format!("wss.{}", notice.event),
        ..LogRecord::default()
    };
    let scope_logs =
        vec![ScopeLogs { scope: scope(), log_records: vec![record], ..Default::default() }];
    let resource_logs =
        vec![ResourceLogs { resource: resource(), scope_logs, ..Default::default() }];
    ExportLogsServiceRequest { resource_logs }
}
