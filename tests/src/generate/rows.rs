//! A store of any number of bundles without the bundles: the verdicts on the
//! base bundles, moved in time and to other customers and versions, put in by
//! the store's own code. For what is drawn of a store, not for how it is filled.

use super::plan::{Kind, Plan, Spec};
use super::{bases, bundle};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use wss_analyzer::rows::{self, Judged, Value};
use wss_analyzer::store::kept::Kept;
use wss_analyzer::store::{Batch, Store};
use wss_diagnosis::signature::Signatures;

/// Bundles in one transaction.
const BATCH: usize = 5_000;
/// Half years that the bundles are spread over, so many times the plan's days.
const HALVES: u64 = 6;
/// Versions that a product has.
const VERSIONS: u64 = 25;
/// Customers.
const CUSTOMERS: u64 = 20_000;

/// What says how a base is judged.
type Key = (&'static str, Option<(&'static str, &'static str)>, wss_bundle::Vantage, bool);

/// Fills the store in a folder with so many bundles, spread over three years, 20,000
/// customers and 25 versions a product. The same seed gives the same rows.
///
/// # Errors
/// The store's.
pub fn fill(folder: &Path, bundles: usize, seed: u64) -> Result<(), String> {
    let bases = bases()?;
    let mut judged: HashMap<Key, Judged> = HashMap::new();
    let mut store = Store::open(folder)?;
    let mut batch = Batch::default();
    for spec in Plan::new(bundles, seed) {
        if matches!(spec.kind, Kind::Bad(_)) {
            let name = format!("in/{}.zip", spec.id);
            batch.bad.push(rows::bad(&name, &empty(&name)));
            continue;
        }
        let key = (spec.base, spec.version, spec.vantage, spec.path_said);
        let verdict = match judged.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(none) => {
                let base = bases.get(spec.base).ok_or_else(|| format!("no base {}", spec.base))?;
                let bundle = bundle(&spec, base)?;
                none.insert(rows::judge(&bundle, "", Signatures::built_in()))
            }
        };
        batch.judged.push((moved(verdict, spec), Kept::default()));
        if batch.judged.len() == BATCH {
            store.add(&std::mem::take(&mut batch))?;
        }
    }
    store.add(&batch)?;
    Ok(())
}

fn empty(name: &str) -> wss_bundle::read::ReadError {
    let reason = wss_bundle::read::NoBundle::Empty;
    wss_bundle::read::ReadError::NotABundle { path: name.into(), reason }
}

/// A verdict as that of another bundle.
fn moved(verdict: &Judged, spec: Spec) -> Judged {
    // A case stays together: all that is drawn for it is drawn from its name.
    let drawn = spec.case.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let drawn = drawn ^ (drawn >> 29);
    let at = spec.at - chrono::Duration::days(182 * (drawn % HALVES) as i64);
    let (day, number) = (at.format("%Y-%m-%d").to_string(), drawn / HALVES);
    let version = |product: &str| {
        // Old versions are seen more often than new ones.
        let draw = (number % VERSIONS).min(number / VERSIONS % VERSIONS);
        format!("{}.{draw}", product.len())
    };
    let mut out = verdict.clone();
    out.id.clone_from(&spec.id);
    for row in &mut out.rows {
        row.set("bundle_id", spec.id.clone());
        row.set("day", day.clone());
        for (product, column) in [("device", "device_version"), ("product", "version")] {
            let name = match (row.get(product), row.get(column)) {
                (Some(Value::Text(name)), Some(Value::Text(_))) => name.clone().into_owned(),
                _ => continue,
            };
            row.set(column, version(&name));
        }
        if let Some(cut) = spec.cut_ms {
            let is_cut = matches!(row.get("cut_after_s"), Some(Value::Real(_)));
            if is_cut {
                row.set("cut_after_s", (cut / 100.0).round() / 10.0);
            }
        }
    }
    if let Some(first) = out.rows.first_mut() {
        first.set("case_id", spec.case);
        first.set("collected_at", at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        first.set("collected_unix", Value::Integer(at.timestamp()));
        first.set("host", format!("bindplane.customer{:05}.example", number % CUSTOMERS));
        first.set("collector_version", spec.collector);
        first.set("collector_os", spec.os);
        first.set("source", format!("in/{}.zip", spec.id));
    }
    out
}
