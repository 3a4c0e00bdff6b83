//! One attempt by one route, which reqwest makes: the bundle as it is, or a form
//! with the bundle as its last field (RFC 7578). Knows no retries.

use super::Job;
use crate::cli::UploadArgs;
use crate::step::request::user_agent;
use crate::wire::classify;
use hyper::ext::ReasonPhrase;
use reqwest::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Client, Proxy, Request, redirect};
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use wss_bundle::observation::RouteKind;
use wss_bundle::{Operation, Secret};

/// Bytes handed on at a time: progress is seen in these steps.
const CHUNK: usize = 4 * 1024;
/// How much of an answer's body is read, and how long that may take.
const BODY: (usize, Duration) = (64 * 1024, Duration::from_secs(5));

/// `--form` and `--field`: the name of the bundle's field, and the others.
pub(super) type Fields = Option<(String, Vec<(String, Secret)>)>;

/// Understands `--form` and `--field`.
pub(super) fn form(args: &UploadArgs) -> Result<Fields, String> {
    let plain = |name: &str| {
        !name.is_empty() && name.len() <= 200 && !name.chars().any(|c| c.is_control() || c == '"')
    };
    let Some(file) = &args.form else {
        return match args.fields.is_empty() {
            true => Ok(None),
            false => Err("--field goes with --form, which names the bundle's own field".into()),
        };
    };
    if !plain(file) {
        return Err("--form: expected the name of a field, such as file".to_owned());
    }
    // What a field says may be a secret: not shown.
    let field = |field: &String| match field.split_once('=') {
        None => Err("--field: expected NAME=VALUE"),
        Some((name, value)) if plain(name) => Ok((name.to_owned(), Secret::new(value))),
        Some(_) => Err("--field: the name is empty, or has characters that it may not have"),
    };
    Ok(Some((file.clone(), args.fields.iter().map(field).collect::<Result<_, _>>()?)))
}

/// How many bytes of the bundle were handed on.
type Moved = Arc<watch::Sender<usize>>;

/// What the server said.
pub(super) struct Answer {
    pub(super) status: u16,
    /// The status line, as it came.
    pub(super) line: String,
    headers: HeaderMap,
    /// The body's beginning.
    pub(super) body: String,
    /// Whether every byte had been sent before it came.
    pub(super) whole: bool,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why it said nothing.
pub(super) struct NotSent {
    pub(super) why: String,
    /// Whether every byte had been sent by then: it may have arrived.
    pub(super) whole: bool,
    /// Whether trying again could help.
    pub(super) again: bool,
}

/// Sends it by a route, and reads the answer. `progress` is told how many bytes of
/// the bundle are sent.
pub(super) async fn send(
    job: &Job,
    route: usize,
    progress: impl Fn(u64),
) -> Result<Answer, NotSent> {
    let (moved, mut moving) = watch::channel(0);
    let moved = Arc::new(moved);
    let wrong = |error| not_sent(&error, false);
    let client = client(job, route).map_err(wrong)?;
    let request = request(job, &client, &moved).map_err(wrong)?;
    let whole = || *moved.borrow() == job.content.len();
    let mut sending = std::pin::pin!(client.execute(request));
    let answer = loop {
        // Until then it connects, which has its own limit.
        let begun = *moving.borrow_and_update() > 0;
        let stall = if begun { job.args.timeout } else { Duration::MAX };
        tokio::select! {
            biased;
            answer = &mut sending => break answer,
            step = timeout(stall, moving.changed()) => {
                if step.is_err() {
                    let what = if whole() { "no answer within" } else { "nothing was taken for" };
                    let why = format!("{what} {:.0} s", stall.as_secs_f64());
                    return Err(NotSent { why, whole: whole(), again: true });
                }
                progress(*moving.borrow() as u64);
            }
        }
    };
    let whole = whole();
    let mut answer = answer.map_err(|error| not_sent(&error, whole))?;
    let status = answer.status();
    let reason = match answer.extensions().get::<ReasonPhrase>() {
        Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    };
    let line = format!("{:?} {} {reason}", answer.version(), status.as_u16()).trim_end().to_owned();
    let mut body = Vec::new();
    let reading = async {
        while let (true, Ok(Some(part))) = (body.len() < BODY.0, answer.chunk().await) {
            body.extend_from_slice(&part);
        }
    };
    let _ = timeout(BODY.1, reading).await;
    let (status, body) = (status.as_u16(), String::from_utf8_lossy(&body).into_owned());
    Ok(Answer { status, line, headers: answer.headers().clone(), body, whole })
}

/// A client that knows one way.
fn client(job: &Job, route: usize) -> reqwest::Result<Client> {
    let (used, target) = (&job.routes[route], &job.destination.target);
    let mut builder = Client::builder()
        .user_agent(user_agent())
        .no_proxy()
        .http1_only()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(job.args.timeout)
        .tls_backend_preconfigured(job.tls.clone());
    let mut hosts = vec![(&target.host, target.port)];
    if let Some(proxy) = &used.route.proxy {
        let scheme = match used.route.kind {
            RouteKind::HttpsProxy => "https",
            RouteKind::Socks5 => "socks5",
            RouteKind::Socks5h => "socks5h",
            RouteKind::Socks4 => "socks4",
            RouteKind::Socks4a => "socks4a",
            RouteKind::Direct | RouteKind::HttpProxy => "http",
        };
        let v6 = proxy.host.contains(':');
        let host = if v6 { format!("[{}]", proxy.host) } else { proxy.host.clone() };
        let mut named = Proxy::all(format!("{scheme}://{host}:{}", proxy.port))?;
        if let Some(auth) = &used.auth {
            named = named.basic_auth(auth.user.expose(), auth.password.expose());
        }
        builder = builder.proxy(named);
        hosts.push((&proxy.host, proxy.port));
    }
    for (host, port) in hosts {
        let mut given = job.args.resolve.iter().filter(|given| given.port == port);
        if let Some(given) = given.find(|given| given.host == *host || given.host == "*") {
            let addresses = given.addresses.iter().map(|address| (*address, port).into());
            builder = builder.resolve_to_addrs(host, &addresses.collect::<Vec<SocketAddr>>());
        }
    }
    builder.build()
}

fn request(job: &Job, client: &Client, moved: &Moved) -> reqwest::Result<Request> {
    let to = &job.destination;
    let (length, moved) = (job.content.len() as u64, moved.clone());
    let chunks: Vec<_> = job.content.chunks(CHUNK).map(<[u8]>::to_vec).collect();
    let body =
        Body::wrap_stream(futures_util::stream::iter(chunks.into_iter().map(move |chunk| {
            moved.send_modify(|sent| *sent += chunk.len());
            Ok::<_, io::Error>(chunk)
        })));
    let sealed = !job.content.starts_with(b"PK");
    let kind = if sealed { "application/octet-stream" } else { "application/zip" };
    let url = to.target.url(&to.path);
    let mut request = match &job.form {
        None => {
            let put = client.put(url).header(CONTENT_TYPE, kind).header(CONTENT_LENGTH, length);
            // Azure asks for it, and a URL with a signature cannot bring it along.
            let azure = to.target.host.ends_with(".blob.core.windows.net");
            let put = if azure { put.header("x-ms-blob-type", "BlockBlob") } else { put };
            put.body(body)
        }
        Some((file, fields)) => {
            let mut form = Form::new().percent_encode_noop();
            for (name, value) in fields {
                form = form.text(name.clone(), value.expose().to_owned());
            }
            let name = job.args.bundle.file_name().unwrap_or_default().to_string_lossy();
            let part = Part::stream_with_length(body, length).file_name(name.into_owned());
            // The file comes last: S3 passes over what stands behind it.
            client.post(url).multipart(form.part(file.clone(), part.mime_str(kind)?))
        }
    };
    if let Some(auth) = &to.auth {
        request = request.basic_auth(auth.user.expose(), Some(auth.password.expose()));
    }
    let mut request = request.header(CONNECTION, "close").build()?;
    let own = ["content-length", "transfer-encoding", "host", "connection"];
    let given = || job.headers.iter().filter(|(name, _)| !own.contains(&&*name.to_lowercase()));
    for (name, _) in given() {
        request.headers_mut().remove(name);
    }
    for (name, value) in given().filter(|(_, value)| !value.expose().is_empty()) {
        let value = HeaderValue::from_bytes(value.expose().as_bytes());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
            request.headers_mut().append(name, value);
        }
    }
    Ok(request)
}

/// What broke, in the words of the probes where they know it.
fn not_sent(error: &reqwest::Error, whole: bool) -> NotSent {
    let not = |why: String, again| NotSent { why, whole, again };
    let mut last = error as &dyn Error;
    let mut resolving = false;
    while let Some(cause) = last.source() {
        last = cause;
        resolving |= last.to_string() == "dns error";
        let Some(io) = last.downcast_ref::<io::Error>() else { continue };
        let inner = innermost(io);
        return match inner.get_ref().and_then(|error| error.downcast_ref()) {
            // Of the verifier: it stays so.
            Some(rustls::Error::General(why)) => not(why.clone(), false),
            _ if resolving => not(classify::system_resolver(inner).to_string(), true),
            _ => not(classify::io(Operation::Read, inner).to_string(), true),
        };
    }
    // A proxy's refusal does not change by asking again.
    match last.to_string().as_str() {
        "tunnel error: proxy authorization required" => not(
            "the proxy wants credentials (407); those that it was given were Basic, or none".into(),
            false,
        ),
        "tunnel error: unsuccessful" => not("the proxy refuses the tunnel".into(), false),
        text if error.is_timeout() => not(format!("timed out: no connection ({text})"), true),
        text => not(text.to_owned(), !text.to_lowercase().contains("socks")),
    }
}

fn innermost(error: &io::Error) -> &io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(inner) => innermost(inner),
        None => error,
    }
}
