//! Tunnels through SOCKS 4 and 4a proxies (Y. Lee's two memos; there is no RFC).

use super::tap::Tap;
use super::{BoxIo, classify};
use std::net::Ipv4Addr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wss_bundle::{Failure, FailureKind, Operation, Target};

fn failure(kind: FailureKind, detail: impl Into<String>) -> Failure {
    Failure::new(Operation::Tunnel, kind, detail)
}

/// Asks for a tunnel as `user`: to an address, or (4a) by name.
///
/// # Errors
/// No answer, one that is no SOCKS, or a refusal.
pub async fn ask(
    stream: &mut Tap<BoxIo>,
    target: &Target,
    user: &str,
    address: Option<Ipv4Addr>,
    by_name: bool,
) -> Result<(), Failure> {
    let message = request(target, user, address, by_name)?;
    let io = |error: std::io::Error| classify::io(Operation::Tunnel, &error);
    stream.write_all(&message).await.map_err(io)?;
    stream.flush().await.map_err(io)?;
    let mut reply = [0; 8];
    stream.read_exact(&mut reply).await.map_err(io)?;
    match reply {
        [0, 0x5a, ..] => Ok(()),
        [0, code @ 0x5b..=0x5d, ..] => {
            let detail = format!("reply {code:#04x}: {}", refusal(code));
            let kind = if code == 0x5b {
                FailureKind::SocksRefused
            } else {
                FailureKind::SocksAuthentication
            };
            Err(failure(kind, detail))
        }
        _ => Err(failure(FailureKind::ProxyMalformed, "the answer is not SOCKS 4")),
    }
}

fn request(
    target: &Target,
    user: &str,
    address: Option<Ipv4Addr>,
    by_name: bool,
) -> Result<Vec<u8>, Failure> {
    if user.contains('\0') || target.host.contains('\0') {
        return Err(failure(FailureKind::Other, "SOCKS 4 has no way to send a zero byte"));
    }
    let mut message = vec![4, 1];
    message.extend(target.port.to_be_bytes());
    match address {
        Some(address) if !by_name => message.extend(address.octets()),
        // An address of this form says that a name follows.
        _ if by_name => message.extend([0, 0, 0, 1]),
        _ => {
            let detail = "SOCKS 4 reaches IPv4 addresses alone, and the target has none here";
            return Err(failure(FailureKind::DnsNoAddress, detail));
        }
    }
    message.extend(user.as_bytes());
    message.push(0);
    if by_name {
        message.extend(target.host.as_bytes());
        message.push(0);
    }
    Ok(message)
}

fn refusal(code: u8) -> &'static str {
    match code {
        0x5b => "request rejected or failed",
        0x5c => "the proxy cannot reach this machine's identd",
        _ => "identd and the request name different users",
    }
}
