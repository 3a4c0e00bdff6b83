//! Upgrade probes as `curl -i -v` would have shown them, with the curl command
//! that repeats each: the form in which support and network teams read a
//! handshake. Everything shown comes from the observations; nothing is added.

mod browser;

pub use crate::shell::quote;

use crate::observation::{
    Body, EndedBy, Ending, HttpReply, MessageSent, Peer, Resolver, Tls, Upgrade, Verification,
    probe,
};
use crate::target::Scheme;
use crate::{Bundle, Observation, Outcome, ResponseHead, Step};
use std::fmt::Write as _;

/// One transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// Name of its entry: `transcripts/o12-upgrade-direct-v1-ws.txt`.
    pub path: String,
    /// Id of the observation (or of what a browser saw) with the request and
    /// its response.
    pub observation: String,
    /// The curl command that repeats it.
    pub command: String,
    /// The response as `curl -i` prints it: head byte for byte, then the body.
    pub response: String,
    /// All of it.
    pub text: String,
}

/// One transcript for each upgrade, and each of its twins over HTTP/2, in the
/// order of the observations. Holds are repetitions and have none. After them
/// what browsers saw.
#[must_use]
pub fn all(bundle: &Bundle) -> Vec<Transcript> {
    each(bundle).collect()
}

/// The same, one at a time.
pub fn each(bundle: &Bundle) -> impl Iterator<Item = Transcript> {
    bundle
        .observations
        .observations
        .iter()
        .filter(|o| !probe::is_hold(&o.probe))
        .filter_map(|o| of(bundle, o))
        .chain(bundle.observations.browser.iter().map(browser::of))
}

/// The transcript of one observation; `None` where it is no upgrade and no
/// twin of one over HTTP/2.
#[must_use]
pub fn of(bundle: &Bundle, observation: &Observation) -> Option<Transcript> {
    let (request, result) = match &observation.step {
        Step::Upgrade(Upgrade { request, result, .. }) => (request, result),
        Step::Http(http) if observation.probe == probe::H2_GET => (&http.request, &http.result),
        _ => return None,
    };
    let command = command(bundle, observation);
    let mut text = format!("$ {command}\n");
    before(&mut text, bundle, observation);
    for line in request.text().lines() {
        let _ = writeln!(text, "> {line}");
    }
    let mut response = String::new();
    match result {
        Outcome::Ok(reply) => {
            for head in reply.informational.iter().chain([&reply.head]) {
                received(&mut text, head);
            }
            response = as_curl_i(reply);
        }
        Outcome::Failed(failure) => {
            if let Some(bytes) = &failure.received {
                response = bytes.text().into_owned();
            }
            let _ = writeln!(text, "* {failure}");
        }
    }
    text.push_str(&response);
    if !response.is_empty() && !response.ends_with('\n') {
        text.push('\n');
    }
    if let Outcome::Ok(reply) = result {
        left_out(&mut text, &reply.body);
        if let Some(ending) = &reply.ending {
            let _ = writeln!(text, "* {}", ended(ending));
        }
    }
    after(&mut text, bundle, observation);
    Some(Transcript {
        path: format!("transcripts/{}.txt", name(observation)),
        observation: observation.id.clone(),
        command,
        response,
        text,
    })
}

/// What `curl -i` writes to standard output.
fn as_curl_i(reply: &HttpReply) -> String {
    let mut out = String::new();
    for head in reply.informational.iter().chain([&reply.head]) {
        out.push_str(&head.raw.text());
    }
    out.push_str(&reply.body.bytes.text());
    out
}

fn received(text: &mut String, head: &ResponseHead) {
    for line in head.raw.text().split_inclusive('\n') {
        let _ = writeln!(text, "< {}", line.trim_end_matches(['\r', '\n']));
    }
    if head.left_out > 0 {
        let _ = writeln!(text, "* {} more header lines came, and are left out", head.left_out);
    }
}

fn left_out(text: &mut String, body: &Body) {
    let _ = match body.truncated {
        true => writeln!(text, "* body cut here; at least {} bytes arrived", body.length),
        false => Ok(()),
    };
}

/// The steps that came before on the same connection.
fn before(text: &mut String, bundle: &Bundle, observation: &Observation) {
    let Some(connection) = observation.connection else { return };
    for earlier in on_connection(bundle, connection) {
        if earlier.id == observation.id {
            return;
        }
        match &earlier.step {
            Step::Connect(step) => {
                let _ = writeln!(text, "*   Trying {}...", step.address);
                let _ = match &step.result {
                    Outcome::Ok(_) => writeln!(
                        text,
                        "* Connected to {} ({}) port {}",
                        match step.peer {
                            Peer::Proxy => "the proxy",
                            Peer::Target => &bundle.observations.target.host,
                        },
                        step.address.ip(),
                        step.address.port()
                    ),
                    Outcome::Failed(failure) => writeln!(text, "* {failure}"),
                };
            }
            Step::Tunnel(step) => {
                for line in step.request.text().lines() {
                    let _ = writeln!(text, "> {line}");
                }
                match &step.result {
                    Outcome::Ok(reply) => match &reply.head {
                        Some(head) => received(text, head),
                        None => {
                            let _ = writeln!(text, "* SOCKS5 connection to {}", step.to);
                        }
                    },
                    Outcome::Failed(failure) => {
                        let _ = writeln!(text, "* {failure}");
                    }
                }
            }
            Step::Tls(step) => handshake(text, step),
            _ => {}
        }
    }
}

fn handshake(text: &mut String, step: &Tls) {
    let _ = writeln!(text, "* ALPN: offers {}", step.alpn_offered.join(","));
    match &step.result {
        Outcome::Ok(session) => {
            let _ =
                writeln!(text, "* SSL connection using {} / {}", session.version, session.cipher);
            let _ = match &session.alpn {
                Some(alpn) => writeln!(text, "* ALPN: server accepted {alpn}"),
                None => {
                    writeln!(text, "* ALPN: server did not agree on a protocol. Uses default.")
                }
            };
        }
        Outcome::Failed(failure) => {
            let _ = writeln!(text, "* {failure}");
        }
    }
    if let Some(leaf) = step.chain.first() {
        let _ = writeln!(text, "* Server certificate:");
        for (what, value) in [
            ("subject", &leaf.subject),
            ("start date", &leaf.not_before),
            ("expire date", &leaf.not_after),
            ("issuer", &leaf.issuer),
        ] {
            let _ = writeln!(text, "*  {what}: {value}");
        }
    }
    let _ = match &step.verification {
        Some(Verification::Trusted) => writeln!(text, "*  SSL certificate verify ok."),
        Some(Verification::Untrusted { detail, .. }) => {
            writeln!(text, "*  SSL certificate verify result: {detail}, continuing anyway.")
        }
        Some(Verification::NotChecked { detail }) => {
            writeln!(text, "*  SSL certificate not verified: {detail}")
        }
        None => Ok(()),
    };
}

/// Frames and their end, on the same connection.
fn after(text: &mut String, bundle: &Bundle, observation: &Observation) {
    let Some(connection) = observation.connection else { return };
    for later in on_connection(bundle, connection).skip_while(|o| o.id != observation.id) {
        let Step::Frames(frames) = &later.step else { continue };
        match &frames.result {
            Outcome::Ok(seen) => {
                let _ = match seen.pong_ms {
                    Some(ms) => writeln!(text, "* WebSocket: Ping sent, its Pong after {ms:.1} ms"),
                    None => writeln!(text, "* WebSocket: Ping sent, no Pong came"),
                };
                if let Some(message) = &seen.message {
                    let _ = writeln!(text, "* WebSocket: {}", said(message));
                }
                let _ = writeln!(text, "* {}", ended(&seen.ending));
            }
            Outcome::Failed(failure) => {
                let _ = writeln!(text, "* WebSocket: {failure}");
            }
        }
    }
}

/// What became of a message, in a few words.
#[must_use]
pub fn said(message: &MessageSent) -> String {
    let how = if message.compressed { "compressed" } else { "uncompressed" };
    let what = format!("{} bytes of text sent, {how}", message.bytes);
    match message.passed_ms {
        Some(ms) => format!("{what}; read by the server ({ms:.1} ms)"),
        None => format!("{what}; nothing shows that the server read them"),
    }
}

fn on_connection(bundle: &Bundle, connection: u32) -> impl Iterator<Item = &Observation> {
    bundle.observations.observations.iter().filter(move |o| o.connection == Some(connection))
}

/// Who closed and how, in a sentence.
#[must_use]
pub fn ended(ending: &Ending) -> String {
    let mut out = match ending.how {
        EndedBy::StillOpen => "Connection left open by the peer; closed here".to_owned(),
        EndedBy::CloseFrame => match ending.close_code {
            Some(code) => format!("Closed by the peer with a close frame, code {code}"),
            None => "Closed by the peer with a close frame without a code".to_owned(),
        },
        EndedBy::Fin => "Connection closed by the peer (FIN)".to_owned(),
        EndedBy::Reset => "Connection reset by the peer (RST)".to_owned(),
        EndedBy::Silence => "Nothing came any more; given up here".to_owned(),
        EndedBy::Garbled => "What came was no valid WebSocket frame".to_owned(),
    };
    match ending.close_notify {
        Some(true) => out.push_str(", after a TLS close_notify"),
        Some(false) => out.push_str(", without a TLS close_notify"),
        None => {}
    }
    if let Some(detail) = &ending.detail {
        let _ = write!(out, ": {detail}");
    }
    out
}

/// Headers that curl sends by itself.
const CURLS_OWN: [&str; 5] = ["host", "user-agent", "accept", "proxy-connection", ":protocol"];

/// Whether curl has to be told a header: one that it does not send, or a name that is
/// not a program's own but a browser's.
fn to_be_told(name: &str, value: &str) -> bool {
    !CURLS_OWN.contains(&name) || name == "user-agent" && value.starts_with("Mozilla/")
}

/// The curl command that repeats an observation, for a POSIX shell. Removed
/// values stand in it as placeholders.
#[must_use]
pub fn command(bundle: &Bundle, observation: &Observation) -> String {
    let target = &bundle.observations.target;
    let path = observation.path.as_deref().unwrap_or("/");
    let (request, version) = match &observation.step {
        Step::Upgrade(step) => (step.request.text(), step.version.as_str()),
        Step::Http(step) => (step.request.text(), step.version.as_str()),
        _ => ("".into(), "1.1"),
    };
    if request.starts_with("CONNECT ") {
        return format!(
            "# curl cannot send an extended CONNECT (RFC 8441); what it can send of it: \
             curl -i -v -N --http2 {}",
            quote(&target.url(path))
        );
    }
    let mut words = vec!["curl".to_owned(), "-i".into(), "-v".into(), "-N".into()];
    words.push(if version == "2" { "--http2".into() } else { "--http1.1".into() });
    match observation.route.0.strip_prefix("proxy ") {
        Some(url) => {
            words.extend(["-x".into(), quote(url)]);
            if target.scheme == Scheme::Http && observation.probe != probe::ABSOLUTE_FORM {
                words.push("--proxytunnel".into());
            }
        }
        None => words.extend(["--noproxy".into(), quote("*")]),
    }
    words.extend(trust(bundle, observation));
    words.extend(overrides(bundle, observation));
    for (name, value) in ResponseHead::new(request.as_bytes()).headers() {
        let lower = name.to_ascii_lowercase();
        if lower == "authorization" && value.starts_with("Basic") {
            words.extend(["-u".into(), "USER:PASSWORD".into()]);
        } else if lower == "proxy-authorization" {
            words.extend(["-U".into(), "USER:PASSWORD".into()]);
        } else if to_be_told(&lower, &value) {
            words.extend(["-H".into(), quote(&format!("{name}: {value}"))]);
        }
    }
    words.push(quote(&target.url(path)));
    words.join(" ")
}

/// What curl must be told to get past the certificate as the probe did.
fn trust(bundle: &Bundle, observation: &Observation) -> Vec<String> {
    let verification = observation.connection.and_then(|connection| {
        on_connection(bundle, connection).find_map(|o| match &o.step {
            Step::Tls(tls) if tls.peer == Peer::Target => tls.verification.as_ref(),
            _ => None,
        })
    });
    let extra = &bundle.environment.trust.extra;
    match verification {
        None => Vec::new(),
        Some(Verification::Trusted) => match extra.first() {
            Some(file) => vec!["--cacert".into(), quote(file)],
            None => Vec::new(),
        },
        Some(_) => vec!["-k".into()],
    }
}

fn overrides(bundle: &Bundle, observation: &Observation) -> Vec<String> {
    if !observation.route.is_direct() {
        return Vec::new();
    }
    let target = &bundle.observations.target;
    bundle
        .observations
        .observations
        .iter()
        .filter(|o| o.route == observation.route)
        .find_map(|o| match &o.step {
            Step::Resolve(step) if step.resolver == Resolver::Override => {
                let found = step.result.ok()?;
                let list: Vec<String> = found.addresses.iter().map(ToString::to_string).collect();
                let rule = format!("{}:{}:{}", target.host, target.port, list.join(","));
                Some(vec!["--resolve".to_owned(), quote(&rule)])
            }
            _ => None,
        })
        .unwrap_or_default()
}

fn name(observation: &Observation) -> String {
    let route = observation.route.0.replace("proxy ", "proxy-").replace("://", "-");
    let path = observation.path.as_deref().unwrap_or_default();
    file_name(&format!("{}-{}-{route}{path}", observation.id, observation.probe))
}

fn file_name(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in raw.chars() {
        let keep = c.is_ascii_alphanumeric() || c == '.';
        match (keep, out.ends_with('-')) {
            (true, _) => out.push(c),
            (false, false) => out.push('-'),
            (false, true) => {}
        }
    }
    out.truncate(96);
    out.trim_end_matches(['-', '.']).to_owned()
}
