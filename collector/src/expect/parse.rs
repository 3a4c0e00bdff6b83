//! From what was typed to an [`Expectation`]. What is wrong is answered with what is
//! possible.

use super::{Expectation, Via, What};
use std::time::Duration;
use wss_diagnosis::{Cause, Status};

/// What can be expected, for people who typed something else.
pub const POSSIBLE: &str = "works, status=working (or unstable, broken, unknown), cause=SLUG, idle>=3600s, idle<65s, via=direct, \
     via=proxy, via=http://proxy:3128, http1, tls=trusted, certificate>=14d, opens<2s";

/// The longest silence that can be asked for: `--hold` takes no more.
const LONGEST_HOLD: Duration = Duration::from_secs(24 * 3600);

/// Understands one expectation.
///
/// # Errors
/// What is possible instead.
pub fn parse(text: &str) -> Result<Expectation, String> {
    let typed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let split = typed.find(['=', '<', '>']).unwrap_or(typed.len());
    let (name, rest) = typed.split_at(split);
    let operator = rest.chars().take_while(|c| "=<>".contains(*c)).count();
    let (operator, value) = rest.split_at(operator);
    let what = match (name.to_ascii_lowercase().as_str(), operator, value) {
        ("works", "", "") => What::Works,
        ("http1", "", "") => What::Http1,
        ("status", "=", value) => What::Status(status(value)?),
        ("cause", "=", value) => What::Cause(cause(value)?),
        ("idle", ">=" | ">", value) => What::IdleAtLeast(silence(value)?),
        ("idle", "<" | "<=", value) => What::IdleBelow(silence(value)?),
        ("via", "=", value) => What::Via(via(value)?),
        ("tls", "=", "trusted") => What::TlsTrusted,
        ("certificate", ">=" | ">", value) => What::Certificate(span(value)?),
        ("opens", "<" | "<=", value) => What::OpensWithin(span(value)?),
        _ => return Err(format!("expected one of: {POSSIBLE}")),
    };
    Ok(Expectation { text: typed, what })
}

fn status(text: &str) -> Result<Status, String> {
    let all = Status::ALL;
    all.iter().copied().find(|one| one.slug() == text).ok_or_else(|| {
        format!("expected one of: {}", all.iter().map(|s| s.slug()).collect::<Vec<_>>().join(", "))
    })
}

fn cause(text: &str) -> Result<Cause, String> {
    let all = Cause::ALL;
    all.iter().copied().find(|one| one.slug() == text).ok_or_else(|| {
        let all: Vec<&str> = all.iter().map(|one| one.slug()).collect();
        format!("expected one of: {}", all.join(", "))
    })
}

/// A silence that can be held.
fn silence(text: &str) -> Result<Duration, String> {
    match span(text)? {
        span if span < Duration::from_secs(1) || span > LONGEST_HOLD => {
            Err("expected between 1s and 24h of silence".to_owned())
        }
        span => Ok(span),
    }
}

/// A duration that may be days long.
fn span(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a duration such as 500ms, 30s, 10m, 1h or 14d".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "ms" => number / 1e3,
        "" | "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        "d" => number * 86_400.0,
        _ => return Err(wrong()),
    };
    if !(0.0..=86_400.0 * 36_500.0).contains(&seconds) {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

fn via(text: &str) -> Result<Via, String> {
    match text {
        "direct" => Ok(Via::Direct),
        "proxy" => Ok(Via::Proxy),
        "" => Err("expected via=direct, via=proxy, or via= and the proxy's URL".to_owned()),
        _ if text.contains('@') => {
            Err("a way is compared without user and password: leave them out".to_owned())
        }
        // As curl has it: http, where nothing is said.
        _ if !text.contains("://") => Ok(Via::Url(format!("http://{}", plain(text)))),
        _ => Ok(Via::Url(plain(text))),
    }
}

/// A URL without what makes no difference.
pub(super) fn plain(url: &str) -> String {
    url.trim_end_matches('/').to_ascii_lowercase()
}
