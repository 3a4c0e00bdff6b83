//! Name resolution: as the browser sees it (getaddrinfo), and by asking each
//! configured name server directly, so that a split horizon shows; and the other
//! way round, from an address to its name.

use super::{Ctx, classify};
use crate::config::Family;
use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use wss_bundle::observation::{DnsRecord, Peer, Resolve, Resolved, Resolver};
use wss_bundle::{Failure, FailureKind, Operation, Outcome, Step};

/// Addresses kept of one answer: more is an attack, or of no use.
pub const ADDRESSES: usize = 64;
/// Records kept of one answer.
const RECORDS: usize = 128;
/// Name servers asked: more than any machine really uses.
const NAME_SERVERS: usize = 8;

fn failure(kind: FailureKind, detail: impl Into<String>) -> Failure {
    Failure::new(Operation::Resolve, kind, detail)
}

/// The name as an address, when it is one.
fn literal(name: &str) -> Option<IpAddr> {
    name.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn overridden(ctx: &Ctx, name: &str, port: u16) -> Option<Vec<IpAddr>> {
    ctx.net
        .config
        .resolve
        .iter()
        .find(|o| o.port == port && (o.host == "*" || o.host.eq_ignore_ascii_case(name)))
        .map(|o| o.addresses.clone())
}

fn of_family(mut addresses: Vec<IpAddr>, family: Option<Family>) -> Result<Vec<IpAddr>, Failure> {
    let mut seen = std::collections::HashSet::new();
    addresses.retain(|address| {
        seen.insert(*address)
            && match family {
                Some(Family::V4) => address.is_ipv4(),
                Some(Family::V6) => address.is_ipv6(),
                None => true,
            }
    });
    addresses.truncate(ADDRESSES);
    if addresses.is_empty() {
        return Err(failure(FailureKind::DnsNoAddress, "no address of the wanted family"));
    }
    Ok(addresses)
}

/// Looks a name up as a browser would, and records it.
///
/// # Errors
/// The failure that was recorded.
pub async fn resolve(ctx: &Ctx, name: &str, port: u16, peer: Peer) -> Result<Vec<IpAddr>, Failure> {
    let family = ctx.net.config.family;
    let given = literal(name)
        .map(|address| (Resolver::Literal, vec![address]))
        .or_else(|| overridden(ctx, name, port).map(|list| (Resolver::Override, list)));
    let resolver = given.as_ref().map_or(Resolver::System, |(resolver, _)| resolver.clone());
    let wrap = |result| {
        Step::Resolve(Resolve { name: name.to_owned(), peer, resolver: resolver.clone(), result })
    };
    let work = async {
        let addresses = match given {
            Some((_, addresses)) => addresses,
            None => tokio::net::lookup_host((name, port))
                .await
                .map_err(|error| classify::system_resolver(&error))?
                .map(|address| address.ip())
                .collect(),
        };
        let addresses = of_family(addresses, family)?;
        Ok((Resolved { addresses: addresses.clone(), records: Vec::new() }, addresses))
    };
    ctx.step(Operation::Resolve, ctx.timeout(), wrap, work).await
}

/// Asks every configured name server, side by side, and records each answer.
/// Asks nobody for addresses, overridden names and `localhost`.
pub async fn ask_name_servers(ctx: &Ctx, name: &str, port: u16, peer: Peer) {
    let local = name.eq_ignore_ascii_case("localhost") || name.ends_with(".localhost");
    if local || literal(name).is_some() || overridden(ctx, name, port).is_some() {
        return;
    }
    let servers = ctx.net.config.name_servers.iter().take(NAME_SERVERS);
    futures_util::future::join_all(servers.map(|server| ask_one(ctx, name, peer, *server))).await;
}

async fn ask_one(ctx: &Ctx, name: &str, peer: Peer, server: SocketAddr) {
    let limit = ctx.timeout();
    let family = ctx.net.config.family;
    let wrap = |result: Outcome<Resolved>| {
        Step::Resolve(Resolve {
            name: name.to_owned(),
            peer,
            resolver: Resolver::NameServer(server),
            result,
        })
    };
    let work = async {
        // A little less than the step, so that one family's answer is not lost
        // when the other's never comes.
        let each = limit.mul_f64(0.9);
        let ask = async |kind: RecordType, wanted: bool| {
            if !wanted {
                return None;
            }
            Some(tokio::time::timeout(each, query(server, name, kind, each)).await.unwrap_or_else(
                |_| Err(failure(FailureKind::DnsUnreachable, format!("no answer from {server}"))),
            ))
        };
        let (a, aaaa) = tokio::join!(
            ask(RecordType::A, family != Some(Family::V6)),
            ask(RecordType::AAAA, family != Some(Family::V4))
        );
        combine([a, aaaa]).map(|resolved| (resolved, ()))
    };
    let _ = ctx.step(Operation::Resolve, limit, wrap, work).await;
}

/// Asks one name server what an address is called, and records the answer; no
/// record is an answer too.
pub async fn reverse(ctx: &Ctx, address: IpAddr, peer: Peer, server: SocketAddr) {
    let limit = ctx.timeout();
    let name = Name::from(address).to_string();
    let wrap = |result: Outcome<Resolved>| {
        Step::Resolve(Resolve {
            name: name.trim_end_matches('.').to_owned(),
            peer,
            resolver: Resolver::NameServer(server),
            result,
        })
    };
    let work = async {
        match query(server, &name, RecordType::PTR, limit.mul_f64(0.9)).await {
            Ok(found) => Ok((found, ())),
            Err(nobody) if nobody.kind == FailureKind::DnsNxdomain => Ok((Resolved::default(), ())),
            Err(error) => Err(error),
        }
    };
    let _ = ctx.step(Operation::Resolve, limit, wrap, work).await;
}

fn combine(answers: [Option<Result<Resolved, Failure>>; 2]) -> Result<Resolved, Failure> {
    let mut resolved = Resolved::default();
    let mut failed = None;
    for answer in answers.into_iter().flatten() {
        match answer {
            Ok(part) => {
                resolved.addresses.extend(part.addresses);
                for record in part.records {
                    if !resolved.records.contains(&record) && resolved.records.len() < RECORDS {
                        resolved.records.push(record);
                    }
                }
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        _ if !resolved.addresses.is_empty() => {
            resolved.addresses.truncate(ADDRESSES);
            Ok(resolved)
        }
        Some(error) => Err(error),
        None => Err(failure(FailureKind::DnsNoAddress, "the name has no address")),
    }
}

/// Asks one name server one question.
///
/// # Errors
/// Why there is no answer, or the answer that there is no such record.
pub(crate) async fn query(
    server: SocketAddr,
    name: &str,
    kind: RecordType,
    limit: Duration,
) -> Result<Resolved, Failure> {
    let mut name = Name::from_utf8(name)
        .map_err(|error| failure(FailureKind::DnsMalformed, error.to_string()))?;
    name.set_fqdn(true);
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, kind));
    let wire =
        message.to_vec().map_err(|error| failure(FailureKind::DnsMalformed, error.to_string()))?;
    let io = |error: std::io::Error| failure(FailureKind::DnsUnreachable, error.to_string());
    let id = message.metadata.id;
    let mut answer = over_udp(server, &wire, id, limit).await.map_err(io)?;
    if answer.as_ref().is_ok_and(|answer| answer.metadata.truncation) {
        answer = over_tcp(server, &wire).await.map_err(io)?;
    }
    let answer = answer.map_err(|detail| failure(FailureKind::DnsMalformed, detail))?;
    if answer.metadata.id != id || answer.metadata.message_type != MessageType::Response {
        return Err(failure(FailureKind::DnsMalformed, "the answer is to another question"));
    }
    read(&answer)
}

/// What an answer says, as it came over the network.
///
/// # Errors
/// That it cannot be understood, or the answer that there is no such record.
pub fn answer(bytes: &[u8]) -> Result<Resolved, Failure> {
    let parsed = parse(bytes).map_err(|detail| failure(FailureKind::DnsMalformed, detail))?;
    read(&parsed)
}

fn read(answer: &Message) -> Result<Resolved, Failure> {
    match answer.metadata.response_code {
        ResponseCode::NoError => {}
        ResponseCode::NXDomain => {
            return Err(failure(FailureKind::DnsNxdomain, "NXDOMAIN: the name does not exist"));
        }
        code => return Err(failure(FailureKind::DnsServerFailure, code.to_string())),
    }
    let mut resolved = Resolved::default();
    for record in answer.answers.iter().take(RECORDS) {
        match &record.data {
            RData::A(a) => resolved.addresses.push(a.0.into()),
            RData::AAAA(aaaa) => resolved.addresses.push(aaaa.0.into()),
            _ => {}
        }
        resolved.records.push(DnsRecord {
            name: record.name.to_string(),
            kind: record.record_type().to_string(),
            ttl: record.ttl,
            data: record.data.to_string(),
        });
    }
    Ok(resolved)
}

type Answer = Result<Message, String>;

fn parse(bytes: &[u8]) -> Answer {
    Message::from_vec(bytes).map_err(|error| error.to_string())
}

async fn over_udp(
    server: SocketAddr,
    wire: &[u8],
    id: u16,
    limit: Duration,
) -> std::io::Result<Answer> {
    let any: IpAddr = match server.ip() {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    let mut buffer = vec![0; 4096];
    // Datagrams get lost: three tries share the time.
    for _ in 0..3 {
        socket.send(wire).await?;
        let wait = async {
            loop {
                let n = socket.recv(&mut buffer).await?;
                if n >= 2 && buffer[..2] == id.to_be_bytes() {
                    return Ok::<_, std::io::Error>(n);
                }
            }
        };
        if let Ok(received) = tokio::time::timeout(limit / 3, wait).await {
            let n = received?;
            return Ok(parse(&buffer[..n]));
        }
    }
    Err(std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer from {server}")))
}

async fn over_tcp(server: SocketAddr, wire: &[u8]) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(wire.len()).unwrap_or(u16::MAX);
    stream.write_all(&[&length.to_be_bytes(), wire].concat()).await?;
    let length = stream.read_u16().await?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await?;
    Ok(parse(&buffer))
}
