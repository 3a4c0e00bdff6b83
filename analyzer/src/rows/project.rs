//! What of a diagnosis goes into which column.

use super::schema::{BAD, BUNDLES, DEVICES, FINDINGS, HOLDS, LAYERS};
use super::{Judged, Row, Value};
use chrono::SecondsFormat;
use wss_bundle::Bundle;
use wss_bundle::read::{NoBundle, ReadError};
use wss_diagnosis::signature::Signatures;
use wss_diagnosis::{
    Confidence, Device, DeviceRole, Diagnosis, Layer, LayerFailure, LayerState, LayerStatus,
    Location, RouteLadder, Status, diagnose_with, rules_version,
};
use wss_report::words;

/// Longest text in a column, in characters. A hostile bundle's megabyte of
/// host name is counted, not kept.
const LONGEST: usize = 400;
/// Rows of one table that one bundle may have. A usual one has twenty.
const MOST: usize = 200;

/// Judges one bundle alone.
#[must_use]
pub fn judge(bundle: &Bundle, source: &str, signatures: &Signatures) -> Judged {
    let diagnosis = diagnose_with(std::slice::from_ref(bundle), signatures);
    let id = cut(&bundle.manifest.id);
    let day = bundle.manifest.started_at.format("%Y-%m-%d").to_string();
    let view = Verdict::new(bundle, &diagnosis);
    let mut rows = vec![bundle_row(bundle, &diagnosis, &view, &id, &day, source)];
    let key =
        |number: usize| -> [Value; 3] { [id.clone().into(), day.clone().into(), number.into()] };
    rows.extend(findings(&diagnosis, key));
    rows.extend(devices(&diagnosis, &view, key));
    rows.extend(layers(&diagnosis, &view, key));
    if let Some(idle) = &diagnosis.idle {
        rows.push(Row::new(
            &HOLDS,
            vec![
                id.clone().into(),
                day.into(),
                idle.held_s.into(),
                idle.cut_after_s.into(),
                idle.cut_by.into(),
                idle.tls_closed.into(),
                idle.keepalive_survives.into(),
                idle.alive_s.into(),
                idle.tcp_keepalive_survives.into(),
                idle.server_data_survives.into(),
                idle.picture.into(),
            ],
        ));
    }
    Judged { id, rows }
}

/// The row of an input that cannot be read.
#[must_use]
pub fn bad(source: &str, error: &ReadError) -> Row {
    let reason = match error {
        ReadError::Io { .. } => "unreadable",
        ReadError::TooBig { .. } => "too-big",
        ReadError::Encrypted(_) | ReadError::Sealed { .. } => "encrypted",
        ReadError::Newer { .. } => "newer",
        ReadError::NotABundle { reason, .. } => match reason {
            NoBundle::Empty => "empty",
            NoBundle::NoZip(_) => "not-a-zip",
            NoBundle::NoManifest => "no-manifest",
            NoBundle::Folder | NoBundle::BadManifest(_) | NoBundle::OtherFormat(_) => {
                "not-a-bundle"
            }
        },
    };
    Row::new(&BAD, vec![cut(source).into(), reason.into(), cut(&error.to_string()).into()])
}

fn cut(text: &str) -> String {
    words::cut(text, LONGEST)
}

/// What several tables need of a verdict.
struct Verdict<'a> {
    ladder: Option<&'a RouteLadder>,
    broken: Option<&'a LayerState>,
    device: Option<&'a Device>,
    path: &'a str,
}

impl<'a> Verdict<'a> {
    fn new(bundle: &'a Bundle, diagnosis: &'a Diagnosis) -> Self {
        let path = diagnosis.case.path.as_str();
        let ladder = diagnosis.routes.iter().find(|ladder| {
            ladder.chosen && ladder.bundle == bundle.manifest.id && ladder.path == path
        });
        let works = diagnosis.verdict.status == Status::Working;
        let broken = ladder
            .and_then(|ladder| ladder.layers.iter().find(|l| l.status == LayerStatus::Fail))
            .filter(|_| !works);
        Self { ladder, broken, device: device(diagnosis), path }
    }
}

/// The product on the side where the fault lies: the surest, and of equals the
/// nearest to the client.
fn device(diagnosis: &Diagnosis) -> Option<&Device> {
    let roles: &[DeviceRole] = match diagnosis.verdict.location {
        Location::ClientNetwork => &[DeviceRole::ForwardProxy, DeviceRole::TlsInterceptor],
        Location::ServerSide => &[DeviceRole::Cdn, DeviceRole::Waf, DeviceRole::LoadBalancer],
        Location::Browser | Location::Target | Location::None | Location::Undetermined => &[],
    };
    let on_side = diagnosis.devices.iter().filter(|device| roles.contains(&device.role));
    let named = on_side.filter(|d| d.product.is_some() && d.confidence >= Confidence::Medium);
    named.reduce(|best, next| if next.confidence > best.confidence { next } else { best })
}

fn bundle_row(
    bundle: &Bundle,
    diagnosis: &Diagnosis,
    view: &Verdict<'_>,
    id: &str,
    day: &str,
    source: &str,
) -> Row {
    let (manifest, verdict) = (&bundle.manifest, &diagnosis.verdict);
    let took = (manifest.finished_at - manifest.started_at).num_milliseconds().max(0);
    let item = |name: &str| -> Value {
        let status = diagnosis.checklist.iter().find(|item| item.item == name);
        status.map_or("missing", |item| item.status.slug()).into()
    };
    Row::new(
        &BUNDLES,
        vec![
            id.to_owned().into(),
            cut(&manifest.case).into(),
            manifest.vantage.as_str().into(),
            manifest.started_at.to_rfc3339_opts(SecondsFormat::Secs, true).into(),
            Value::Integer(manifest.started_at.timestamp()),
            day.to_owned().into(),
            cut(&diagnosis.case.target).into(),
            cut(&manifest.target.host).into(),
            cut(&manifest.collector.version).into(),
            cut(&manifest.collector.os).into(),
            manifest.complete.into(),
            Value::Real(took as f64 / 1e3),
            verdict.status.slug().into(),
            verdict.cause.slug().into(),
            verdict.location.slug().into(),
            verdict.confidence.slug().into(),
            cut(&verdict.summary).into(),
            view.ladder.map(|ladder| cut(&ladder.route)).into(),
            view.broken.map(|layer| layer.layer.slug()).into(),
            view.device.and_then(|d| d.product.as_deref()).map(cut).into(),
            view.device.and_then(|d| d.version.as_deref()).map(cut).into(),
            fingerprint(diagnosis, view).into(),
            unsettled(diagnosis).into(),
            item("upgrade-test"),
            item("proxy-or-load-balancer"),
            item("failed-handshake"),
            item("network-path"),
            bundle.defects.len().into(),
            rules_version().into(),
            cut(source).into(),
        ],
    )
}

/// How it fails, without whom.
fn fingerprint(diagnosis: &Diagnosis, view: &Verdict<'_>) -> Option<String> {
    if diagnosis.verdict.status == Status::Working {
        return None;
    }
    let mut parts = vec![diagnosis.verdict.cause.slug().to_owned()];
    if let Some(layer) = view.broken {
        parts.push(format!("{} {}", layer.layer.slug(), failure(layer).unwrap_or_default()));
    }
    if let Some(device) = view.device {
        let version = device.version.as_deref().map(|v| format!(" {v}")).unwrap_or_default();
        parts.push(format!("{}{version}", device.product.as_deref().unwrap_or_default()));
    }
    Some(cut(&parts.join("; ")))
}

/// What would settle a verdict that settles nothing: what the first command is for.
fn unsettled(diagnosis: &Diagnosis) -> Option<&'static str> {
    let verdict = &diagnosis.verdict;
    let settled = verdict.status != Status::Unknown && verdict.confidence > Confidence::Low;
    let next = verdict.missing.first().filter(|_| !settled)?;
    Some(next.step.slug())
}

/// A failure's stable name.
fn failure(layer: &LayerState) -> Option<String> {
    layer.failure.filter(|_| layer.status == LayerStatus::Fail).map(LayerFailure::name)
}

fn findings(diagnosis: &Diagnosis, key: impl Fn(usize) -> [Value; 3]) -> Vec<Row> {
    let claimed = !matches!(diagnosis.verdict.cause.slug(), "none" | "insufficient");
    let row = |(number, finding): (usize, &wss_diagnosis::Finding)| {
        let mut values = key(number).to_vec();
        values.extend([
            finding.rule.into(),
            finding.severity.slug().into(),
            (claimed && number == 0).into(),
            cut(&finding.title).into(),
            finding.evidence.iter().count().into(),
        ]);
        Row::new(&FINDINGS, values)
    };
    diagnosis.findings.iter().enumerate().take(MOST).map(row).collect()
}

fn devices(
    diagnosis: &Diagnosis,
    view: &Verdict<'_>,
    key: impl Fn(usize) -> [Value; 3],
) -> Vec<Row> {
    let row = |(number, device): (usize, &Device)| {
        let mut values = key(number).to_vec();
        values.extend([
            device.role.slug().into(),
            device.product.as_deref().map(cut).into(),
            device.version.as_deref().map(cut).into(),
            device.confidence.slug().into(),
            view.device.is_some_and(|blamed| std::ptr::eq(blamed, device)).into(),
        ]);
        Row::new(&DEVICES, values)
    };
    diagnosis.devices.iter().enumerate().take(MOST).map(row).collect()
}

fn layers(
    diagnosis: &Diagnosis,
    view: &Verdict<'_>,
    key: impl Fn(usize) -> [Value; 3],
) -> Vec<Row> {
    let of_its_own = [Layer::Upgrade, Layer::Frames, Layer::Hold];
    let told = diagnosis.routes.iter().flat_map(|ladder| {
        let decides = view.ladder.is_some_and(|deciding| std::ptr::eq(deciding, ladder));
        let shown = move |layer: &&LayerState| {
            matches!(layer.status, LayerStatus::Pass | LayerStatus::Fail)
                && (ladder.path == view.path || of_its_own.contains(&layer.layer))
        };
        ladder.layers.iter().filter(shown).map(move |layer| (ladder, decides, layer))
    });
    let row = |(number, (ladder, decides, layer)): (usize, (&RouteLadder, bool, &LayerState))| {
        let mut values = key(number).to_vec();
        values.extend([
            cut(&ladder.route).into(),
            cut(&ladder.path).into(),
            decides.into(),
            layer.layer.slug().into(),
            layer.status.slug().into(),
            layer.ms.into(),
            failure(layer).into(),
        ]);
        Row::new(&LAYERS, values)
    };
    told.take(MOST).enumerate().map(row).collect()
}
