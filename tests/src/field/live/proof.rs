//! What a raw client sees of a stage: checked before the collector is run, so that
//! a stage that is not what it says is never taken for a fault of the programs.

use super::event;
use super::stage::{HOST, Stage};
use crate::field::case::{self, Proof};
use crate::lab::http1::{Head, body};
use crate::lab::wire::Conn;
use std::collections::BTreeSet;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a pong may take.
const PONG: Duration = Duration::from_secs(2);
/// An empty ping, masked.
const PING: [u8; 6] = [0x89, 0x80, 1, 2, 3, 4];
/// `hi`, masked by zeros.
const TEXT: [u8; 8] = [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];

/// Checks all of a stage's proofs. Those that wait in silence wait together.
pub(super) async fn check(stage: &Stage, wanted: &case::Stage) -> Result<(), String> {
    if wanted.proofs.is_empty() {
        return Err("there are no [[stage.proofs]]: nothing shows that it is what it says".into());
    }
    let (silent, asked): (Vec<_>, Vec<_>) =
        wanted.proofs.iter().partition(|proof| proof.alive.is_some());
    for proof in asked {
        let done = match proof.event {
            Some(ends) => {
                let happens = wanted.happens.as_ref().ok_or("[stage.happens] is missing")?;
                event::proven(stage, happens, ends).await
            }
            None => one(stage, proof).await,
        };
        done.map_err(|error| format!("{proof:?}: {error}"))?;
    }
    let waits = silent.iter().map(|proof| silence(stage, proof));
    futures_util::future::try_join_all(waits).await.map(drop)
}

/// An answer, and the connection that it came by.
pub(super) struct Answer {
    pub(super) head: Head,
    pub(super) conn: Conn,
}

/// Asks once.
pub(super) async fn ask(stage: &Stage, proof: &Proof) -> Result<Option<Answer>, String> {
    let text = |error: io::Error| error.to_string();
    let place = proof.of.unwrap_or_else(|| stage.client_side());
    let addr = stage.at(place)?;
    let mut conn = Conn::dial(addr).await.map_err(text)?;
    if stage.secured(place) {
        conn = conn.secure(&stage.connector()?, HOST).await.map_err(text)?;
    }
    let request = request(stage, proof)?;
    conn.write_all(&request.bytes()).await.map_err(text)?;
    conn.flush().await.map_err(text)?;
    match Head::read(&mut conn, PATIENCE).await {
        Ok(head) => Ok(head.map(|head| Answer { head, conn })),
        // Closed without a byte, in whatever manner.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(text(error)),
    }
}

fn request(stage: &Stage, proof: &Proof) -> Result<Head, String> {
    let port = stage.at(super::stage::front())?.port();
    let host = format!("{HOST}:{port}");
    let mut headers =
        vec![("Host", host.as_str()), ("User-Agent", "Mozilla/5.0"), ("Accept", "*/*")];
    if !proof.plain {
        headers.extend([
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", "13"),
        ]);
    }
    let mut head = Head::new(format!("GET {} HTTP/1.1", proof.path), &headers);
    for line in &proof.headers {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("`{line}` is no header"))?;
        let value = value.trim().replace("{port}", &port.to_string());
        match head.headers.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
            _ if value.is_empty() => head.remove(name),
            Some((_, own)) => *own = value,
            None => head.push(name, value),
        }
    }
    Ok(head)
}

async fn one(stage: &Stage, proof: &Proof) -> Result<(), String> {
    if let Some(wanted) = &proof.handshake {
        return handshake(stage, proof, wanted).await;
    }
    let mut statuses = BTreeSet::new();
    let mut order = Vec::new();
    let (mut fits, mut kept) = (None, Vec::new());
    for time in 0..proof.times {
        if time > 0 {
            sleep(proof.pause).await;
        }
        let answer = ask(stage, proof).await?;
        let status = answer.as_ref().map_or(0, |answer| answer.head.status());
        statuses.insert(status);
        order.push(status);
        if let Some(mut answer) = answer {
            fits = Some(shape(proof, &mut answer).await);
            kept.extend(proof.keep.then_some(answer));
        }
    }
    if statuses != proof.answers.iter().copied().collect() {
        return Err(format!("the answers are {order:?}"));
    }
    fits.unwrap_or(Ok(()))
}

/// Whether the last answer is as it is said to be.
async fn shape(proof: &Proof, answer: &mut Answer) -> Result<(), String> {
    let lines = answer.head.lines();
    let fits = |expression: &str| -> Result<bool, String> {
        let regex = regex::RegexBuilder::new(expression).case_insensitive(true).build();
        let regex = regex.map_err(|error| error.to_string())?;
        Ok(lines.iter().any(|line| regex.is_match(line)))
    };
    for wanted in &proof.has {
        if !fits(wanted)? {
            return Err(format!("/{wanted}/ is in none of {lines:?}"));
        }
    }
    for unwanted in &proof.lacks {
        if fits(unwanted)? {
            return Err(format!("/{unwanted}/ is in {lines:?}"));
        }
    }
    if let Some(wanted) = &proof.body {
        let got = body(&mut answer.conn, &answer.head, true).await;
        let got = String::from_utf8_lossy(&got.map_err(|error| error.to_string())?).into_owned();
        let regex = regex::RegexBuilder::new(wanted).case_insensitive(true).build();
        if !regex.map_err(|error| error.to_string())?.is_match(&got) {
            return Err(format!("/{wanted}/ is not in {got:?}"));
        }
    }
    if proof.frames {
        let text = |error: io::Error| format!("no text comes back: {error}");
        answer.conn.write_all(&TEXT).await.map_err(text)?;
        answer.conn.flush().await.map_err(text)?;
        let mut back = [0; 4];
        let read = timeout(PONG, answer.conn.read_exact(&mut back)).await;
        read.map_err(|_| "no text comes back")?.map_err(text)?;
        if &back[2..] != b"hi" {
            return Err(format!("{back:?} came back"));
        }
    }
    Ok(())
}

/// The TLS handshake fails, and what comes in its place fits.
async fn handshake(stage: &Stage, proof: &Proof, wanted: &str) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    let place = proof.of.unwrap_or_else(|| stage.client_side());
    let conn = Conn::dial(stage.at(place)?).await.map_err(text)?;
    if conn.secure(&stage.connector()?, HOST).await.is_ok() {
        return Err("the TLS handshake succeeds".into());
    }
    // What came, for whom can read it: a hello by hand, as far as servers look.
    let mut conn = Conn::dial(stage.at(place)?).await.map_err(text)?;
    let hello = [&[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3][..], &[0; 16]].concat();
    conn.write_all(&hello).await.map_err(text)?;
    conn.flush().await.map_err(text)?;
    let mut seen = Vec::new();
    let _ = timeout(PONG, (&mut conn).take(4096).read_to_end(&mut seen)).await;
    let seen = String::from_utf8_lossy(&seen).into_owned();
    let regex = regex::RegexBuilder::new(wanted).case_insensitive(true).build();
    if regex.map_err(|error| error.to_string())?.is_match(&seen) {
        Ok(())
    } else {
        Err(format!("/{wanted}/ is not in {seen:?}"))
    }
}

/// Whether a ping is answered after some silence.
async fn silence(stage: &Stage, proof: &Proof) -> Result<(), String> {
    let Some(answer) = ask(stage, proof).await? else { return Err("no answer".into()) };
    if answer.head.status() != 101 {
        return Err(format!("no socket: {}", answer.head.line));
    }
    let mut conn = answer.conn;
    sleep(proof.silent).await;
    let alive = ping(&mut conn).await;
    if Some(alive) == proof.alive {
        Ok(())
    } else {
        Err(format!("after {:?} of silence, alive is {alive}", proof.silent))
    }
}

/// Whether a ping is answered.
pub(super) async fn ping(conn: &mut Conn) -> bool {
    if conn.write_all(&PING).await.is_err() || conn.flush().await.is_err() {
        return false;
    }
    let mut pong = [0; 2];
    matches!(timeout(PONG, conn.read_exact(&mut pong)).await, Ok(Ok(_)) if pong[0] == 0x8a)
}
