//! A name server on loopback that knows what a scenario says.

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, PTR};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Seconds for which its answers may be kept.
const TTL: u32 = 60;

/// A running name server; it stops when dropped.
pub(crate) struct NameServer {
    /// Where it listens.
    pub(crate) addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl NameServer {
    /// Starts it with these records (`TYPE DATA` by name).
    pub(crate) async fn start(table: &BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        let text = |error: io::Error| format!("name server: {error}");
        let mut records = Vec::new();
        for (name, lines) in table {
            for line in lines {
                records.push(record(name, line)?);
            }
        }
        let socket = UdpSocket::bind("127.0.0.1:0").await.map_err(text)?;
        let addr = socket.local_addr().map_err(text)?;
        let task = tokio::spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((n, from)) = socket.recv_from(&mut buffer).await {
                if let Some(answer) = answer(&buffer[..n], &records) {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        Ok(Self { addr, task })
    }
}

fn name(text: &str) -> Result<Name, String> {
    let mut name = Name::from_utf8(text).map_err(|error| format!("{text}: {error}"))?;
    name.set_fqdn(true);
    Ok(name)
}

fn record(owner: &str, line: &str) -> Result<Record, String> {
    let bad = || format!("{owner}: {line}: expected `A ADDRESS`, `CNAME NAME` or `PTR NAME`");
    let (kind, data) = line.split_once(' ').ok_or_else(bad)?;
    let data = match kind {
        "A" => RData::A(A(data.parse().map_err(|_| bad())?)),
        "CNAME" => RData::CNAME(CNAME(name(data)?)),
        "PTR" => RData::PTR(PTR(name(data)?)),
        _ => return Err(bad()),
    };
    Ok(Record::from_rdata(name(owner)?, TTL, data))
}

/// The answer to a question, aliases followed; nobody's name is NXDOMAIN.
fn answer(question: &[u8], records: &[Record]) -> Option<Vec<u8>> {
    let mut message = Message::from_vec(question).ok()?;
    message.metadata.message_type = MessageType::Response;
    let query = message.queries.first()?.clone();
    let mut wanted = query.name().clone();
    let mut known = false;
    // No longer than the table: a loop of aliases ends.
    for _ in records {
        let own: Vec<_> = records.iter().filter(|r| r.name == wanted).cloned().collect();
        known |= !own.is_empty();
        let alias = own.iter().find_map(|r| match &r.data {
            RData::CNAME(to) => Some(to.0.clone()),
            _ => None,
        });
        message.answers.extend(own.into_iter().filter(|r| {
            r.record_type() == query.query_type() || r.record_type() == RecordType::CNAME
        }));
        match alias {
            Some(to) => wanted = to,
            None => break,
        }
    }
    if !known {
        message.metadata.response_code = ResponseCode::NXDomain;
    }
    message.to_vec().ok()
}
