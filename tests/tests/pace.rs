//! How fast the collector is, in what does not depend on the machine: round
//! trips, connections, requests. The times are in `docs/performance.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::process::Command;

/// A case's round trips, connections, connections at a time, requests, seconds.
struct Counts {
    round_trips: f64,
    connections: u32,
    at_once: u32,
    requests: u32,
    seconds: f64,
}

/// `wss-lab bench --counts`, on a path so slow that a busy machine adds less
/// than a round trip.
fn counts(round_trip_ms: u32, cases: &str) -> BTreeMap<String, Counts> {
    let output = Command::new(env!("CARGO_BIN_EXE_wss-lab"))
        .args(["bench", "--counts", "--round-trips", &round_trip_ms.to_string(), "--case", cases])
        .output()
        .expect("wss-lab runs");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{table}{}", String::from_utf8_lossy(&output.stderr));
    let rows = table.lines().skip(2).map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let counts = Counts {
            round_trips: cells[2].parse().unwrap(),
            connections: cells[3].parse().unwrap(),
            at_once: cells[4].parse().unwrap(),
            requests: cells[5].parse().unwrap(),
            seconds: cells[6].parse().unwrap(),
        };
        (cells[0].to_owned(), counts)
    });
    rows.collect()
}

#[test]
fn a_route_takes_eight_round_trips_and_eight_connections() {
    // One upgrade by curl is four: the name, TCP, TLS, the request.
    for (case, requests) in [("healthy, direct", 11), ("h2 offered", 13)] {
        // A busy machine can add to the time, and cannot take from it.
        let mut least = f64::MAX;
        for _ in 0..3 {
            for (case, seen) in &counts(400, case) {
                assert!(seen.connections <= 8, "{case}: {} connections", seen.connections);
                assert!(seen.at_once <= 6, "{case}: {} connections at a time", seen.at_once);
                assert!(seen.requests <= requests, "{case}: {} requests", seen.requests);
                least = least.min(seen.round_trips);
            }
            if least < 9.0 {
                break;
            }
        }
        assert!(least < 9.0, "{case}: {least} round trips");
    }
}

/// What fails is asked again, a second later and two more: that is all that it costs.
#[test]
fn what_fails_is_asked_again_within_three_seconds_more() {
    let seen = &counts(10, "balancer strips")["balancer strips"];
    assert!(seen.connections <= 14, "{} connections", seen.connections);
    assert!(seen.at_once <= 6, "{} connections at a time", seen.at_once);
    assert!(seen.requests <= 17, "{} requests", seen.requests);
    assert!((3.0..6.0).contains(&seen.seconds), "it took {} s", seen.seconds);
}

#[test]
fn silence_is_told_after_three_seconds_where_the_rest_is_quick() {
    let seen = &counts(10, "swallowed")["upgrades swallowed"];
    // Told once, and once more a second later.
    assert!((3.0..9.0).contains(&seen.seconds), "--timeout is 10 s; it took {} s", seen.seconds);
}
