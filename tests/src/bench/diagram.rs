//! Where a collection's time goes, in round trips: a row for each connection,
//! drawn from the observations of a real run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use wss_bundle::observation::{Observation, Observations, Step};

/// Columns of a round trip.
const COLUMNS: f64 = 6.0;

/// Draws a run on a path of this round trip (above zero).
#[must_use]
pub fn draw(seen: &Observations, round_trip: Duration) -> String {
    let column = |ms: f64| (ms * COLUMNS / (round_trip.as_secs_f64() * 1e3)).round() as usize;
    let end = seen.observations.iter().map(|o| o.start_ms + o.duration_ms).fold(0.0, f64::max);
    let mut rows: BTreeMap<(u32, String), Vec<&Observation>> = BTreeMap::new();
    for observation in &seen.observations {
        let name = match observation.connection {
            Some(_) => String::new(),
            None => observation.probe.clone(),
        };
        rows.entry((observation.connection.unwrap_or(0), name)).or_default().push(observation);
    }
    let mut text = String::from("round trips     ");
    for n in 0..=column(end).div_ceil(COLUMNS as usize) {
        let _ = write!(text, "{n:<width$}", width = COLUMNS as usize);
    }
    for ((connection, name), steps) in rows {
        let label = if connection == 0 { name } else { format!("connection {connection}") };
        let mut line = vec![' '; column(end) + 1];
        for step in &steps {
            let from = column(step.start_ms);
            let to = column(step.start_ms + step.duration_ms).max(from + 1).min(line.len());
            line[from.min(to)..to].fill(letter(&step.step));
        }
        let line: String = line.into_iter().collect();
        let _ = write!(text, "\n{label:<16}{}  {}", line.trim_end(), told(&steps));
    }
    text.push_str(
        "\n\nd name lookup, c TCP connection, t tunnel, s TLS handshake, g request, u upgrade, \
         f Ping and Pong, h hold\n",
    );
    text
}

fn letter(step: &Step) -> char {
    match step {
        Step::Resolve(_) => 'd',
        Step::Connect(_) => 'c',
        Step::Tunnel(_) => 't',
        Step::Tls(_) => 's',
        Step::Http(_) => 'g',
        Step::Upgrade(_) => 'u',
        Step::Frames(_) => 'f',
        Step::Hold(_) => 'h',
    }
}

/// The probes of a row, each with its paths.
fn told(steps: &[&Observation]) -> String {
    let mut names: Vec<String> = Vec::new();
    for step in steps.iter().filter(|step| step.connection.is_some()) {
        let path = step.path.as_deref().unwrap_or_default();
        let name = format!("{} {path}", step.probe).trim_end().to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}
