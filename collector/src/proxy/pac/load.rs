//! Fetches PAC files and has them evaluated. Contacted are the file's own host
//! and, for the names that the script asks for, the system's resolver: nobody
//! whom the browser would not contact, too.

use super::engine::{self, Job};
use super::functions::Now;
use super::{Answer, Answers, File, understand};
use crate::config::{Config, ResolveOverride, RouteConfig, TlsOptions};
use crate::key::Probe;
use crate::recorder::Recorder;
use crate::step::http1::{Exchange, exchange_keeping};
use crate::step::{Ctx, Net, dial, request};
use percent_encoding::percent_decode_str;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use wss_bundle::observation::{Route, RouteKind, Verification};
use wss_bundle::target::Scheme;
use wss_bundle::{Observation, RouteId, Step, Target};

/// Largest PAC file that is read (Chrome's limit, `kDefaultMaxResponseBytes`).
const FILE_LIMIT: usize = 1 << 20;
/// The most that fetching may take.
const FETCH: Duration = Duration::from_secs(5);
/// The most that evaluating may take, look-ups included.
const EVALUATE: Duration = Duration::from_secs(5);
/// The most that one look-up may take.
const LOOKUP: Duration = Duration::from_secs(2);
/// Redirections that are followed.
const REDIRECTS: usize = 3;
/// Longest line of the other process.
const LINE: u64 = 64 << 10;
/// The hidden command that runs [`engine::worker`].
pub const WORKER: &str = "pac-worker";

/// What fetching and evaluating needs to know.
pub struct Loader<'a> {
    /// Whose proxy is asked for.
    pub target: &'a Target,
    /// `--resolve`, `-4`, `-6`, `--timeout`, `--cacert`: they hold here as well.
    pub config: &'a Config,
    /// The program that has [`WORKER`]; this one, but for tests.
    pub program: Option<PathBuf>,
    /// True once the user wants to stop.
    pub cancel: watch::Receiver<bool>,
}

impl Loader<'_> {
    /// Fetches and evaluates every file, side by side.
    pub async fn answers(&self, files: &[File]) -> Answers {
        let each = files.iter().map(|file| async {
            let mut cancel = self.cancel.clone();
            let answer = tokio::select! {
                answer = self.answer(file) => answer,
                _ = cancel.wait_for(|stop| *stop) => Err("stopped by the user".to_owned()),
            };
            (file.clone(), answer)
        });
        let mut answers = Answers::new();
        for (file, answer) in futures_util::future::join_all(each).await {
            answers.insert(file, answer);
        }
        answers
    }

    async fn answer(&self, file: &File) -> Result<Answer, String> {
        let limit = FETCH.min(self.config.timeout);
        let late = |_| format!("it could not be fetched within {:.0} s", limit.as_secs_f64());
        let (body, charset) = timeout(limit, self.fetch(&file.url())).await.map_err(late)??;
        let script = super::script(&body, charset.as_deref());
        let mut lookups = Vec::new();
        let answers = self.evaluate(script, &mut lookups).await?;
        let mut said = answers.iter().map(|text| understand(text));
        let (Some(socket), Some(page)) = (said.next(), said.next()) else {
            return Err("the script engine gave no answer".to_owned());
        };
        Ok(Answer {
            socket,
            page,
            bytes: body.len(),
            sha256: wss_bundle::format::sha256(&body),
            notes: lookups,
        })
    }

    /// The file, and the `charset` that its server names.
    async fn fetch(&self, url: &str) -> Result<(Vec<u8>, Option<String>), String> {
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTS {
            let scheme = url.split(':').next().unwrap_or_default().to_ascii_lowercase();
            match scheme.as_str() {
                "file" => return Ok((read_file(&url)?, None)),
                "data" => return data(&url),
                "http" | "https" => match self.get(&url).await? {
                    Got::Body(body, charset) => return Ok((body, charset)),
                    Got::Elsewhere(next) => url = next,
                },
                _ => return Err(format!("the scheme {scheme:?} is unknown")),
            }
        }
        Err(format!("more than {REDIRECTS} redirections"))
    }

    async fn get(&self, url: &str) -> Result<Got, String> {
        let (target, auth) = crate::target::target(url, &[])?;
        // A URL without a path has the root's.
        let parsed = url::Url::parse(url).map_err(|error| error.to_string())?;
        let path = parsed[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
        let route = Route {
            id: RouteId::direct(),
            kind: RouteKind::Direct,
            proxy: None,
            sources: Vec::new(),
            selected: true,
        };
        let secure = target.scheme == Scheme::Https;
        let config = Arc::new(Config {
            target: Target { paths: vec![path.clone()], ..target },
            routes: vec![RouteConfig { route, auth: None, browsers: false }],
            auth,
            headers: Vec::new(),
            resolve: self.config.resolve.clone(),
            family: self.config.family,
            tls: TlsOptions { extra_roots: self.config.tls.extra_roots.clone(), client: None },
            name_servers: Vec::new(),
            timeout: FETCH.min(self.config.timeout),
            hold: Duration::ZERO,
            negotiate: false,
            learned: crate::config::Learned::default(),
            browser: None,
            console: Vec::new(),
        });
        let (progress, _nobody) = mpsc::unbounded_channel();
        let recorder = Recorder::new(progress);
        let net = Arc::new(Net::new(config.clone(), recorder.clone(), self.cancel.clone()));
        let ctx = Ctx::new(&net, 0, Probe::ProxyScript, None);
        let said = |failure: wss_bundle::Failure| failure.to_string();
        let way = Arc::new(dial::find(&ctx).await.map_err(said)?);
        let conn = dial::dial(&ctx, &way, false).await.map_err(said)?;
        let mut conn = dial::secure(conn, &["http/1.1"]).await.map_err(said)?;
        if secure && let Some(why) = distrust(&recorder.finish().0) {
            return Err(format!("its server's certificate is not trusted: {why}"));
        }
        let how = Exchange {
            body_until: Instant::now() + FETCH,
            watch_end: Duration::ZERO,
            connect: false,
        };
        let wire = request::get(&config, &path, &request::Form::default()).wire();
        let answer = exchange_keeping(&mut conn.stream, &wire, how, Some(FILE_LIMIT + 1))
            .await
            .map_err(said)?;
        let reply = answer.reply;
        match (reply.head.status(), reply.head.header("location")) {
            (Some(200), _) if reply.body.length > FILE_LIMIT as u64 => {
                Err("it is larger than 1 MiB".to_owned())
            }
            (Some(200), _) if reply.body.truncated => Err("it broke off".to_owned()),
            (Some(200), _) => {
                let charset = reply.head.header("content-type").and_then(|kind| charset(&kind));
                Ok(Got::Body(reply.body.bytes.0, charset))
            }
            (Some(301 | 302 | 303 | 307 | 308), Some(place)) => parsed
                .join(&place)
                .map(|next| Got::Elsewhere(next.into()))
                .map_err(|error| error.to_string()),
            _ => Err(format!("the answer was {}", reply.head.status_line())),
        }
    }

    /// Runs the script in a process of its own, which ends at the deadline
    /// whatever it is doing.
    async fn evaluate(
        &self,
        script: String,
        lookups: &mut Vec<String>,
    ) -> Result<Vec<String>, String> {
        let program = match &self.program {
            Some(program) => program.clone(),
            None => std::env::current_exe().map_err(|error| error.to_string())?,
        };
        let host = self.target.host.clone();
        let (socket, page) = match self.target.scheme {
            Scheme::Https => ("wss", "https"),
            Scheme::Http => ("ws", "http"),
        };
        // Browsers leave the path out of what is encrypted.
        let authority = self.target.authority();
        let questions = [socket, page]
            .map(|scheme| (format!("{scheme}://{authority}/"), host.clone()))
            .to_vec();
        let limit = EVALUATE.min(self.config.timeout);
        let job = Job {
            script,
            questions,
            my_address: my_address(&self.config.name_servers),
            now: Now { local: chrono::Local::now().fixed_offset() },
            // A little less, so that the engine can say itself what was too much.
            limit: limit.mul_f64(0.9),
        };
        let mut child = Command::new(program)
            .arg(WORKER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the script engine could not be started: {error}"))?;
        let talk = self.talk(&mut child, &job, lookups);
        let answer = timeout(limit, talk).await.unwrap_or_else(|_| Err(engine::too_long(limit)));
        // Also where it hangs in a loop that nothing interrupts.
        let _ = child.kill().await;
        answer
    }

    async fn talk(
        &self,
        child: &mut tokio::process::Child,
        job: &Job,
        lookups: &mut Vec<String>,
    ) -> Result<Vec<String>, String> {
        let gone = || "the script engine broke off".to_owned();
        let mut stdin = child.stdin.take().ok_or_else(gone)?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or_else(gone)?);
        stdin.write_all(engine::line_of(job).as_bytes()).await.map_err(|_| gone())?;
        loop {
            let mut line = String::new();
            let read = (&mut stdout).take(LINE).read_line(&mut line).await.map_err(|_| gone())?;
            if read == 0 {
                return Err(gone());
            }
            let message: serde_json::Value = serde_json::from_str(&line).map_err(|_| gone())?;
            if let Some(name) = message.get("resolve").and_then(serde_json::Value::as_str) {
                // The other process counts, too; it is not believed.
                if lookups.len() >= engine::LOOKUPS {
                    return Err("the script looks up too many names".to_owned());
                }
                let addresses = self.look_up(name).await;
                lookups.push(format!("the script looked up {name}: {}", list(&addresses)));
                let reply = serde_json::to_string(&addresses).unwrap_or_default();
                stdin.write_all(format!("{reply}\n").as_bytes()).await.map_err(|_| gone())?;
            } else if let Some(why) = message.get("error").and_then(serde_json::Value::as_str) {
                return Err(why.to_owned());
            } else {
                let answers = message.get("answers").cloned().unwrap_or_default();
                return serde_json::from_value(answers).map_err(|_| gone());
            }
        }
    }

    async fn look_up(&self, name: &str) -> Vec<IpAddr> {
        let named = |o: &&ResolveOverride| o.host == "*" || o.host.eq_ignore_ascii_case(name);
        if let Some(given) = self.config.resolve.iter().find(named) {
            return given.addresses.clone();
        }
        match timeout(LOOKUP, tokio::net::lookup_host((name, 0))).await {
            Ok(Ok(found)) => found.map(|address| address.ip()).take(16).collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        }
    }
}

enum Got {
    Body(Vec<u8>, Option<String>),
    Elsewhere(String),
}

fn list(addresses: &[IpAddr]) -> String {
    if addresses.is_empty() {
        return "no address".to_owned();
    }
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Why the server's certificate is not trusted, when it is not.
fn distrust(observations: &[Observation]) -> Option<String> {
    observations.iter().find_map(|o| match &o.step {
        Step::Tls(tls) => match &tls.verification {
            Some(Verification::Trusted) => None,
            Some(Verification::Untrusted { detail, .. } | Verification::NotChecked { detail }) => {
                Some(detail.clone())
            }
            None => Some("it was not checked".to_owned()),
        },
        _ => None,
    })
}

fn read_file(url: &str) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let path = url::Url::parse(url)
        .ok()
        .and_then(|url| url.to_file_path().ok())
        .ok_or("it is no path of this machine")?;
    let mut content = Vec::new();
    open(&path)
        .and_then(|file| file.take(FILE_LIMIT as u64 + 1).read_to_end(&mut content))
        .map_err(|error| format!("it could not be read: {error}"))?;
    if content.len() > FILE_LIMIT { Err("it is larger than 1 MiB".to_owned()) } else { Ok(content) }
}

/// Opens a file; a pipe or a device would wait for ever.
fn open(path: &Path) -> std::io::Result<std::fs::File> {
    if std::fs::metadata(path)?.is_file() {
        std::fs::File::open(path)
    } else {
        Err(std::io::Error::other("it is no file"))
    }
}

/// The parameter of a media type: `text/plain; charset=utf-8`.
fn charset(kind: &str) -> Option<String> {
    kind.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("charset").then(|| value.to_owned())
    })
}

/// The content of a `data:` URL (RFC 2397), as policies may hold one, and its `charset`.
///
/// # Errors
/// What is wrong with the URL, in a few words.
pub fn data(url: &str) -> Result<(Vec<u8>, Option<String>), String> {
    use base64::Engine as _;
    let (kind, content) = url.split_once(',').ok_or("the data URL has no comma")?;
    let content: Vec<u8> = percent_decode_str(content).collect();
    if content.len() > 2 * FILE_LIMIT {
        return Err("it is larger than 1 MiB".to_owned());
    }
    let content = if kind.to_ascii_lowercase().ends_with(";base64") {
        let text: Vec<u8> = content.into_iter().filter(|b| !b.is_ascii_whitespace()).collect();
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .map_err(|error| format!("the data URL is damaged: {error}"))?
    } else {
        content
    };
    Ok((content, charset(kind)))
}

/// The address by which this machine would speak to a name server. Connecting
/// a datagram socket sends nothing.
fn my_address(name_servers: &[SocketAddr]) -> IpAddr {
    let outwards = |server: &SocketAddr| -> Option<IpAddr> {
        let any: SocketAddr = if server.is_ipv4() {
            (Ipv4Addr::UNSPECIFIED, 0).into()
        } else {
            (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
        };
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(server).ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_loopback())
    };
    let interfaces = || {
        let found = if_addrs::get_if_addrs().ok()?;
        found.iter().map(|one| one.ip()).find(|ip| ip.is_ipv4() && !ip.is_loopback())
    };
    name_servers.iter().find_map(outwards).or_else(interfaces).unwrap_or(Ipv4Addr::LOCALHOST.into())
}
