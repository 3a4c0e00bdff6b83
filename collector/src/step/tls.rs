//! The step of a TLS handshake.

use super::{BoxIo, Ctx};
use crate::wire::tls::Secured;
use wss_bundle::observation::{Peer, Tls, TlsSession};
use wss_bundle::{Failure, Operation, Outcome, Step};

/// Makes a handshake, and records it.
///
/// # Errors
/// The failure that was recorded.
pub async fn handshake(
    ctx: &Ctx,
    stream: BoxIo,
    host: &str,
    alpn: &[&str],
    peer: Peer,
) -> Result<Secured, Failure> {
    let (handshake, shown) = ctx.net.tls.begin(stream);
    let wrap = |result: Outcome<TlsSession>| {
        let (chain, verification) = shown.take();
        Step::Tls(Tls {
            peer,
            server_name: host.to_owned(),
            alpn_offered: alpn.iter().map(|&p| p.to_owned()).collect(),
            chain: chain.into(),
            verification,
            result,
        })
    };
    let work = async {
        let secured = handshake.make(host, alpn).await?;
        Ok((secured.session.clone(), secured))
    };
    ctx.step(Operation::TlsHandshake, ctx.timeout(), wrap, work).await
}
