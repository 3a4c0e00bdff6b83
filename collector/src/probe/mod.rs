//! The probes: each composes steps, one file each, named like the probe. They
//! decide what to ask next; how it is asked is `step`'s.

pub mod absolute_form;
pub mod addresses;
pub mod browser_upgrade;
pub mod compressed_upgrade;
pub mod h2_connect;
pub mod h2_get;
pub mod hold_silent;
pub mod pages;
pub mod path_twin;
pub mod plain_get;
pub mod recorded_upgrade;
pub mod resolve;
pub mod reverse_names;
pub mod ua_get;
pub mod ua_pages;
pub mod ua_upgrade;
pub mod upgrade;

use crate::step::dial::{Conn, Way, dial, first, secure};
use crate::step::http1::{Answer, Exchange, exchange};
use crate::step::origin_auth::Turn;
use crate::step::patience::no_answer;
use crate::step::request::{self, Request};
use crate::step::{Ctx, h2};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wss_bundle::observation::{Http, HttpReply, Upgrade};
use wss_bundle::{Failure, FailureKind, Operation, Outcome, Step};

/// How long to watch a connection whose end was announced.
const WATCH_END: Duration = Duration::from_millis(200);

/// What a probe sends over HTTP/1.1, and how it is recorded.
enum Kind {
    Plain,
    /// As `Plain`, on a connection that had answers before: its end may cross the
    /// request. That says nothing of the request, which is sent again on a new one
    /// (RFC 9112 section 9.3.1), and is not recorded.
    Next,
    Opening,
}

/// A connection that speaks HTTP/1.1 to the target, by the route. Its ALPN
/// offer is `http/1.1` alone: over h2 the upgrade headers would be dropped.
async fn open(ctx: &Ctx, way: &Arc<Way>, counted: bool) -> Result<Conn, Failure> {
    secure(dial(ctx, way, counted).await?, &["http/1.1"]).await
}

/// Sends an opening handshake and records it.
async fn opening(conn: &mut Conn, request: &Request) -> Result<HttpReply, Failure> {
    send(conn, request, Kind::Opening).await.map(|answer| answer.reply)
}

/// A connection on which one request follows another, as browsers do it.
#[derive(Default)]
pub struct Kept(Option<Conn>);

impl Kept {
    /// Sends a request that is no upgrade on the connection that is there, or
    /// else on a new one: to the proxy for a request in absolute form, to the
    /// target for any other.
    pub(crate) async fn plain(
        &mut self,
        ctx: &Ctx,
        way: &Arc<Way>,
        request: &Request,
        absolute: bool,
    ) -> Result<(), Failure> {
        let mut kept = self.0.take();
        if let Some(conn) = &mut kept
            && !conn.still_open().await
        {
            kept = None;
        }
        if let Some(conn) = kept {
            let ctx = Ctx { connection: conn.ctx.connection, ..ctx.clone() };
            let mut conn = Conn { ctx, ..conn };
            let handle = conn.stream.handle();
            let before = handle.received();
            match Box::pin(send(&mut conn, request, Kind::Next)).await {
                Err(failure) if crossed(&failure, handle.received() - before) => {}
                answer => {
                    self.0 = answer?.reusable.then_some(conn);
                    return Ok(());
                }
            }
        }
        // On the heap: without optimisation what the steps hold between them is more
        // than a worker's stack has.
        let mut conn = match absolute {
            true => Box::pin(first(ctx, way, true)).await?,
            false => Box::pin(open(ctx, way, true)).await?,
        };
        let answer = Box::pin(send(&mut conn, request, Kind::Plain)).await?;
        self.0 = answer.reusable.then_some(conn);
        Ok(())
    }
}

/// Whether a request may have been crossed by its connection's end: no byte came.
fn crossed(failure: &Failure, came: u64) -> bool {
    let ended = matches!(
        failure.kind,
        FailureKind::Eof | FailureKind::ConnectionReset | FailureKind::ConnectionAborted
    );
    ended && came == 0
}

async fn send(conn: &mut Conn, request: &Request, kind: Kind) -> Result<Answer, Failure> {
    let ctx = conn.ctx.clone();
    let mut request = request.clone();
    if !conn.trusted {
        request.drop_secrets();
    }
    let mut first = None;
    if request.has_credentials()
        && let Some(auth) = ctx.net.origin_auth(ctx.route)
    {
        match auth.turn(ctx.path.as_deref().unwrap_or("/")).await {
            Turn::First(turn) => first = Some(turn),
            Turn::Yes => {}
            Turn::No => request.drop_credentials(),
        }
    }
    let result = ask(conn, &ctx, &request, kind).await;
    if let Some(first) = first
        && !ctx.net.is_cancelled()
    {
        first.end(result.as_ref().ok().and_then(|answer| answer.reply.head.status()));
    }
    result
}

async fn ask(conn: &mut Conn, ctx: &Ctx, request: &Request, kind: Kind) -> Result<Answer, Failure> {
    let limit = ctx.timeout();
    let how = Exchange {
        body_until: Instant::now() + h2::body_time(limit),
        watch_end: if matches!(kind, Kind::Opening) { WATCH_END } else { Duration::ZERO },
        connect: false,
    };
    let handle = conn.stream.handle();
    handle.restart_log();
    let before = handle.received();
    let wrap = |result: Outcome<HttpReply>| {
        let result = handle.with_received(result);
        let (version, request) = ("1.1".to_owned(), request.shown());
        match kind {
            Kind::Plain | Kind::Next => {
                Step::Http(Http { version, request, extended_connect: None, result })
            }
            Kind::Opening => {
                let expected_accept = Some(request::ACCEPT.to_owned());
                Step::Upgrade(Upgrade { version, request, expected_accept, result })
            }
        }
    };
    let begun = Instant::now();
    let work = async {
        let answer = exchange(&mut conn.stream, &request.wire(), how).await?;
        let took = Duration::from_secs_f64(answer.reply.first_byte_ms / 1e3);
        ctx.net.patience.answered(ctx.route, took);
        Ok((answer.reply.clone(), answer))
    };
    let expired = async {
        let silent = ctx.net.patience.silence(ctx.route, begun, limit).await;
        if handle.received() == before {
            return no_answer(silent);
        }
        // What has begun to come may take the whole of its time.
        tokio::time::sleep_until(begun + limit).await;
        format!("no end within {:.1} s", limit.as_secs_f64())
    };
    let unrecorded = |failure: &Failure| {
        matches!(kind, Kind::Next) && crossed(failure, handle.received() - before)
    };
    ctx.step_unless(unrecorded, Operation::Read, expired, wrap, work).await
}
