//! Any single answer is replaced by one that contradicts it: what was granted is refused,
//! and what was refused is granted. A verdict then stays, weakens, or names the
//! contradiction; it never turns into a confident other one. Where the same handshake has
//! other answers on the way that is taken, a confident verdict does not stay confident
//! without a word of the contradiction.

use wss_bundle::observation::{Body, HttpReply};
use wss_bundle::{Bundle, Observation, Outcome, ResponseHead, Step};
use wss_diagnosis::evidence::Asked;
use wss_diagnosis::{Cause, Confidence, Diagnosis, diagnose};

/// What a hop says that fails, and what a server says that refuses.
const REFUSED: [&str; 3] = [
    "HTTP/1.1 502 Bad Gateway\r\nServer: nginx/1.22.1\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
];
const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n";

/// Another answer in the place of the one that is there; `None` where a step is no answer.
fn contradict(step: &mut Step, kind: usize) -> Option<&'static str> {
    let (result, granted) = match step {
        Step::Upgrade(upgrade) => {
            let accept = upgrade.expected_accept.as_deref().unwrap_or_default();
            let switched = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            let over_2 = "HTTP/2 200\r\n\r\n".to_owned();
            let granted = if upgrade.version.starts_with('2') { over_2 } else { switched };
            (&mut upgrade.result, granted)
        }
        Step::Http(http) => (&mut http.result, PAGE.to_owned()),
        _ => return None,
    };
    let passes = result.ok().and_then(|reply| reply.head.status()).is_some_and(|s| s < 300);
    let head = if passes { REFUSED[kind % REFUSED.len()].to_owned() } else { granted };
    *result = Outcome::Ok(HttpReply {
        informational: Vec::new(),
        head: ResponseHead::new(head),
        body: Body::default(),
        first_byte_ms: 1.0,
        ending: None,
    });
    Some(if passes { "refused" } else { "granted" })
}

/// What came of replacing answers.
#[derive(Debug, Default)]
pub struct Replaced {
    /// How many were replaced, one at a time.
    pub answers: usize,
    /// How many of these have others to the same handshake, where the verdict was sure.
    pub among_others: usize,
    /// What is wrong with the verdicts.
    pub wrong: Vec<String>,
}

/// Judges a case of which one answer is another: each answer in turn, or every so many of
/// them from one on.
#[must_use]
pub fn replaced(bundles: &[Bundle], every: usize, from: usize) -> Replaced {
    let before = diagnose(bundles);
    let mut out = Replaced::default();
    let mut answers = 0;
    for at in 0..bundles.len() {
        for number in 0..bundles[at].observations.observations.len() {
            let mut bundles = bundles.to_vec();
            let replaced = &mut bundles[at].observations.observations[number];
            let Some(how) = contradict(&mut replaced.step, answers) else { continue };
            answers += 1;
            if !(answers + from).is_multiple_of(every) {
                continue;
            }
            let what = named(replaced);
            let others = has_others(&bundles[at], number);
            out.answers += 1;
            let sure = before.verdict.confidence == Confidence::High;
            out.among_others += usize::from(others && sure);
            let after = diagnose(&bundles);
            if let Some(wrong) = wrong(&before, &after, others) {
                let vantage = bundles[at].manifest.vantage.as_str();
                out.wrong
                    .push(format!("{vantage} {what} {how}: {wrong}; {}", after.verdict.summary));
            }
        }
    }
    out
}

fn named(o: &Observation) -> String {
    format!("{} {} {} by {}", o.id, o.probe, o.path.as_deref().unwrap_or("-"), o.route)
}

/// Whether an answer is one of several to the same handshake, by the way that is taken.
fn has_others(bundle: &Bundle, number: usize) -> bool {
    let all = &bundle.observations.observations;
    let question = |o: &Observation| {
        let handshake = matches!(o.step, Step::Upgrade(_));
        let asked = Asked::of(&o.probe).filter(|_| handshake)?;
        Some((asked, o.route.clone(), o.path.clone()))
    };
    let own = question(&all[number]);
    let taken = bundle.observations.routes.iter().any(|r| r.selected && r.id == all[number].route);
    own.is_some() && taken && all.iter().filter(|o| question(o) == own).count() > 1
}

/// What is said where answers contradict each other, or a limit set one aside.
const NAMES_IT: [&str; 4] =
    ["backends-differ", "insufficient-turned", "limit-met", "changed-since"];

/// Whether a verdict is a confident other one, or says nothing of a contradiction.
fn wrong(before: &Diagnosis, after: &Diagnosis, others: bool) -> Option<String> {
    let (was, is) = (&before.verdict, &after.verdict);
    let high = Confidence::High;
    let honest = [Cause::Insufficient, Cause::BackendsDiffer].contains(&is.cause);
    let another = is.confidence == high && is.cause != was.cause && !honest;
    let named = after.findings.iter().any(|f| NAMES_IT.contains(&f.rule));
    let silent = others && was.confidence == high && is.confidence == high && !named && !honest;
    (another || silent).then(|| {
        format!("{} ({:?}) became {} ({:?})", was.cause, was.confidence, is.cause, is.confidence)
    })
}
