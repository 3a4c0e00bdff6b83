//! What happens to a program while connections are held through it.

use super::proof::{ask, ping};
use super::stage::Stage;
use crate::field::case::{Happens, Proof};
use crate::lab::wire::Conn;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep, timeout};

/// A connection that is open for so long is held, and asks for no page.
const HELD: Duration = Duration::from_millis(2500);
/// How long it may take until the holds are open.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(100);
/// How long a program may be away that is restarted.
const AWAY: Duration = Duration::from_secs(10);
/// Two ends that lie no further apart are one.
const TOGETHER: Duration = Duration::from_millis(700);

/// Makes it happen, some time after two connections are held.
pub(super) async fn during(stage: &Stage, happens: Option<&Happens>) -> Result<(), String> {
    let Some(happens) = happens else { return Ok(()) };
    let port = stage.at(stage.client_side())?.port();
    let began = Instant::now();
    let mut seen: BTreeMap<String, Instant> = BTreeMap::new();
    let opened = loop {
        let now = Instant::now();
        let open = established(port)?;
        seen.retain(|one, _| open.contains(one));
        for one in open {
            seen.entry(one).or_insert(now);
        }
        let mut held: Vec<Instant> =
            seen.values().copied().filter(|since| now.duration_since(*since) >= HELD).collect();
        held.sort();
        if held.len() >= 2 {
            break held[1];
        }
        if began.elapsed() > PATIENCE {
            return Err("the collector holds no two connections".into());
        }
        sleep(LOOK).await;
    };
    tokio::time::sleep_until(opened + happens.after).await;
    stage.real(happens.to)?.signal(&happens.signal)
}

/// Clients' ends of connections to a port of loopback, from the kernel's table.
fn established(port: u16) -> Result<Vec<String>, String> {
    let table = std::fs::read_to_string("/proc/net/tcp").map_err(|error| error.to_string())?;
    let to = format!(":{port:04X}");
    let mut out = Vec::new();
    for line in table.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, local, remote, state, ..] = words[..] else { continue };
        if remote.ends_with(&to) && state == "01" {
            out.push(local.to_owned());
        }
    }
    Ok(out)
}

/// Two sockets begun 2 s apart end together (or not at all, as is said); one begun
/// after it lives on.
pub(super) async fn proven(stage: &Stage, happens: &Happens, ends: bool) -> Result<(), String> {
    let mut first = open(stage).await?;
    sleep(Duration::from_secs(2)).await;
    let mut second = open(stage).await?;
    stage.real(happens.to)?.signal(&happens.signal)?;
    if !ends {
        sleep(Duration::from_secs(4)).await;
        let alive = [ping(&mut first).await, ping(&mut second).await];
        return if alive == [true; 2] { Ok(()) } else { Err(format!("they live on: {alive:?}")) };
    }
    let (first, second) = tokio::try_join!(end(first), end(second))?;
    let apart = first.max(second) - first.min(second);
    if apart > TOGETHER {
        return Err(format!("they end {apart:?} apart"));
    }
    // A program that restarts is away for a moment.
    let began = Instant::now();
    let mut third = loop {
        match open(stage).await {
            Err(_) if began.elapsed() < AWAY => sleep(LOOK).await,
            opened => break opened?,
        }
    };
    sleep(Duration::from_secs(3)).await;
    if ping(&mut third).await { Ok(()) } else { Err("the one begun after it ended, too".into()) }
}

async fn open(stage: &Stage) -> Result<Conn, String> {
    let proof: Proof = toml::from_str("").map_err(|error| error.to_string())?;
    match ask(stage, &proof).await? {
        Some(answer) if answer.head.status() == 101 => Ok(answer.conn),
        Some(answer) => Err(format!("no socket: {}", answer.head.line)),
        None => Err("no socket: closed".into()),
    }
}

/// When a connection ends.
async fn end(mut conn: Conn) -> Result<Instant, String> {
    let mut bytes = [0; 256];
    let read = async { while let Ok(1..) = conn.read(&mut bytes).await {} };
    timeout(PATIENCE, read).await.map_err(|_| "it does not end")?;
    Ok(Instant::now())
}
