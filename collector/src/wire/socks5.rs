//! Tunnels through SOCKS 5 proxies (RFC 1928, RFC 1929).

use super::tap::Tap;
use super::{BoxIo, classify};
use std::net::IpAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wss_bundle::{Failure, FailureKind, Operation, Target};

fn failure(kind: FailureKind, detail: impl Into<String>) -> Failure {
    Failure::new(Operation::Tunnel, kind, detail)
}

/// Asks for a tunnel, to an address or else by name; `auth` is user name and password.
///
/// # Errors
/// No answer, one that is no SOCKS, or a refusal.
pub async fn ask(
    stream: &mut Tap<BoxIo>,
    target: &Target,
    auth: Option<(&str, &str)>,
    address: Option<IpAddr>,
) -> Result<(), Failure> {
    let io = |error: std::io::Error| classify::io(Operation::Tunnel, &error);
    let methods: &[u8] = if auth.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
    stream.write_all(methods).await.map_err(io)?;
    stream.flush().await.map_err(io)?;
    let mut reply = [0; 2];
    stream.read_exact(&mut reply).await.map_err(io)?;
    match (reply, auth) {
        ([5, 0], _) => {}
        ([5, 2], Some((user, password))) => {
            let (Ok(u), Ok(p)) = (u8::try_from(user.len()), u8::try_from(password.len())) else {
                let detail = "user name or password is longer than 255 bytes";
                return Err(failure(FailureKind::SocksAuthentication, detail));
            };
            let message = [&[1, u], user.as_bytes(), &[p], password.as_bytes()].concat();
            stream.write_all(&message).await.map_err(io)?;
            stream.flush().await.map_err(io)?;
            stream.read_exact(&mut reply).await.map_err(io)?;
            if reply[1] != 0 {
                let detail = format!("user name and password refused (status {})", reply[1]);
                return Err(failure(FailureKind::SocksAuthentication, detail));
            }
        }
        ([5, method], _) => {
            let detail = format!("no acceptable authentication method (answer {method:#04x})");
            return Err(failure(FailureKind::SocksAuthentication, detail));
        }
        _ => return Err(failure(FailureKind::ProxyMalformed, "the answer is not SOCKS 5")),
    }

    let mut message = vec![5, 1, 0];
    match address.or_else(|| target.host.parse().ok()) {
        Some(IpAddr::V4(v4)) => {
            message.push(1);
            message.extend(v4.octets());
        }
        Some(IpAddr::V6(v6)) => {
            message.push(4);
            message.extend(v6.octets());
        }
        None => {
            let length = u8::try_from(target.host.len())
                .map_err(|_| failure(FailureKind::Other, "the host name is too long"))?;
            message.extend([3, length]);
            message.extend(target.host.as_bytes());
        }
    }
    message.extend(target.port.to_be_bytes());
    stream.write_all(&message).await.map_err(io)?;
    stream.flush().await.map_err(io)?;

    let mut head = [0; 4];
    stream.read_exact(&mut head).await.map_err(io)?;
    if head[0] != 5 {
        return Err(failure(FailureKind::ProxyMalformed, "the answer is not SOCKS 5"));
    }
    if head[1] != 0 {
        let detail = format!("reply {}: {}", head[1], refusal(head[1]));
        return Err(failure(FailureKind::SocksRefused, detail));
    }
    let length = match head[3] {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await.map_err(io)?),
        _ => return Err(failure(FailureKind::ProxyMalformed, "unknown address type")),
    };
    let mut bound = vec![0; length + 2];
    stream.read_exact(&mut bound).await.map_err(io)?;
    Ok(())
}

/// RFC 1928 section 6.
fn refusal(code: u8) -> &'static str {
    match code {
        1 => "general failure",
        2 => "not allowed by the rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "unassigned",
    }
}
