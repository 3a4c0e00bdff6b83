//! What is of no use changes nothing: to each recorded case one more input is
//! added that is garbage, of another host, or no valid test. The collector must
//! write its bundle all the same, and cause, status and location must stay. And an
//! answer that contradicts makes no confident other verdict (`replaced`).
//!
//! The probes are run once for each server and vantage. What was handed over is
//! read by the real collector at an address where nobody listens, which takes no
//! time, and put beside those probes' observations; the judging is done here.

use super::case::Recorded;
use super::recorded::{copy, options};
use super::replaced::replaced;
use super::run::Job;
use super::server::Target;
use super::{Case, server};
use chrono::Utc;
use std::collections::BTreeMap;
use std::path::Path;
use wss_bundle::{Bundle, read};
use wss_diagnosis::{Verdict, diagnose};

/// An input that is of no use.
struct Useless {
    what: &'static str,
    /// `--curl-output`, `--har`, `--config` or `--browser-message`.
    option: &'static str,
    file: &'static str,
    content: &'static [u8],
}

impl Useless {
    /// Its option, with its file written; a pasted output is from the other side.
    fn given(&self, work: &Path, vantage: &str) -> Result<[String; 2], String> {
        let value = if self.option == MESSAGE {
            String::from_utf8_lossy(self.content).into_owned()
        } else {
            std::fs::write(work.join(self.file), self.content)
                .map_err(|error| error.to_string())?;
            let side = if vantage == "inside" { "outside=" } else { "inside=" };
            let side = if self.option == "--curl-output" { side } else { "" };
            format!("{side}{}", self.file)
        };
        Ok([self.option.to_owned(), value])
    }
}

/// Of so many answers of a case one is replaced by a contradicting one.
const EVERY: usize = 5;
/// What is not given twice.
const MESSAGE: &str = "--browser-message";
/// A picture's first bytes.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
/// An upgrade without a key, refused as every server must.
const WITHOUT_KEY: &[u8] = b"$ curl -i -N --http1.1 -H \"Connection: Upgrade\" -H \"Upgrade: websocket\" https://bindplane.corp.example/v1/ws\n\
    HTTP/1.1 400 Bad Request\nSec-Websocket-Version: 13\nContent-Type: text/plain; charset=utf-8\nContent-Length: 12\n\nBad Request\n";
/// Another system's upgrade, which works.
const ELSEWHERE: &[u8] = b"$ curl -i -N --http1.1 -H \"Connection: Upgrade\" -H \"Upgrade: websocket\" -H \"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\" -H \"Sec-WebSocket-Version: 13\" https://chat.corp.example/live\n\
    HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n\n";
/// A HAR of another system's socket, which failed.
const OTHER_HAR: &[u8] = br#"{"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "pages": [], "entries": [
    {"_resourceType": "websocket", "startedDateTime": "2026-01-01T00:00:00.000Z", "time": 12, "cache": {}, "timings": {},
     "request": {"method": "GET", "url": "wss://chat.corp.example/live", "httpVersion": "HTTP/1.1", "headers": [], "cookies": [], "queryString": [], "headersSize": -1, "bodySize": 0},
     "response": {"status": 503, "statusText": "", "httpVersion": "HTTP/1.1", "headers": [], "cookies": [], "content": {}, "redirectURL": "", "headersSize": -1, "bodySize": 0}}]}}"#;
/// A console's line about another system.
const OTHER_MESSAGE: &[u8] = b"WebSocket connection to 'wss://chat.corp.example/live' failed: Error during WebSocket handshake: Unexpected response code: 503";

const USELESS: [Useless; 11] = [
    Useless {
        what: "a picture as curl's output",
        option: "--curl-output",
        file: "shot.png",
        content: PICTURE,
    },
    Useless {
        what: "nothing as curl's output",
        option: "--curl-output",
        file: "empty.txt",
        content: b"",
    },
    Useless {
        what: "prose as curl's output",
        option: "--curl-output",
        file: "mail.txt",
        content: b"Hi,\nit does not work from here either.\nKim\n",
    },
    Useless {
        what: "a test without a key",
        option: "--curl-output",
        file: "without-key.txt",
        content: WITHOUT_KEY,
    },
    Useless {
        what: "another system's test",
        option: "--curl-output",
        file: "elsewhere.txt",
        content: ELSEWHERE,
    },
    Useless { what: "a picture as HAR", option: "--har", file: "picture.har", content: PICTURE },
    Useless {
        what: "half a HAR",
        option: "--har",
        file: "half.har",
        content: br#"{"log": {"version": "1.2", "entries": [{"#,
    },
    Useless {
        what: "another system's HAR",
        option: "--har",
        file: "other.har",
        content: OTHER_HAR,
    },
    Useless {
        what: "a picture as configuration",
        option: "--config",
        file: "picture.conf",
        content: PICTURE,
    },
    Useless {
        what: "prose as configuration",
        option: "--config",
        file: "notes.txt",
        content: b"The load balancer is in rack 4. Ask Kim.\n",
    },
    Useless { what: "another system's message", option: MESSAGE, file: "", content: OTHER_MESSAGE },
];

/// Observations of a server from a vantage, by their names.
#[derive(Default)]
pub struct Probed(BTreeMap<(String, String), Bundle>);

impl Probed {
    /// What is seen of a case's server from its vantage.
    ///
    /// # Errors
    /// It could not be collected.
    async fn of(&mut self, case: &Recorded) -> Result<Bundle, String> {
        let key = (case.server.clone(), case.vantage.clone());
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let target = Target::start(case).await?;
        let work = target.dir().join("work");
        std::fs::create_dir(&work).map_err(|error| error.to_string())?;
        let mut arguments = vec!["--vantage".into(), case.vantage.clone()];
        arguments.extend(["--hold", "0", "--timeout", "5s"].map(str::to_owned));
        arguments.extend(target.arguments());
        arguments.push(case.target.clone());
        let job = Job { work, arguments, env: Vec::new() };
        let ran = job.collect().await?;
        let bundle = opened(&job.work, &ran.screen)?;
        self.0.insert(key, bundle.clone());
        Ok(bundle)
    }
}

fn opened(work: &Path, screen: &str) -> Result<Bundle, String> {
    let opened = read::file(&work.join("bundle.zip"), &read::Limits::default());
    opened.map(|opened| opened.bundle).map_err(|error| format!("{error}: {}", screen.trim()))
}

/// What is wrong with a recorded case when something useless is added to it.
///
/// # Errors
/// Nothing could be collected at all.
pub async fn complaints(case: &Case, probed: &mut Probed) -> Result<Vec<String>, String> {
    let Some((recorded, message)) = case.recorded() else { return Ok(Vec::new()) };
    let text = message.and_then(|at| recorded.message.get(at)).map(|one| one.text.as_str());
    let own = options(recorded, text);
    let seen = probed.of(recorded).await?;
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    copy(&case.folder, dir.path(), Utc::now() - recorded.recorded)?;
    let own_bundle = match merged(dir.path(), recorded, &own, &seen).await {
        Ok(bundle) => [bundle],
        // The case itself: the field's own test says so.
        Err(error) => return Ok(vec![format!("as it is: {error}")]),
    };
    let before = diagnose(&own_bundle).verdict;
    // All at once; one by one where that is not right, to say which.
    let fitting: Vec<&Useless> = USELESS
        .iter()
        .filter(|useless| !(own.contains(&MESSAGE.into()) && useless.option == MESSAGE))
        .collect();
    let mut sets = vec![fitting.clone()];
    // Some answers of each case, others of the next.
    let from = case.name.bytes().map(usize::from).sum();
    let mut out = replaced(&own_bundle, EVERY, from).wrong;
    while let Some(set) = sets.pop() {
        let mut more = own.clone();
        for useless in &set {
            more.extend(useless.given(dir.path(), &recorded.vantage)?);
        }
        let complaint = match merged(dir.path(), recorded, &more, &seen).await {
            Err(error) => Some(error),
            Ok(after) => {
                let after = diagnose(&[after]).verdict;
                differs(&before, &after).map(|how| format!("{how}; {}", after.summary))
            }
        };
        let names: Vec<&str> = set.iter().map(|useless| useless.what).collect();
        if let Some(complaint) = complaint {
            out.push(format!("{}: {complaint}", names.join(", ")));
            if set.len() > 1 {
                sets = fitting.iter().map(|useless| vec![*useless]).collect();
            }
        }
    }
    Ok(out)
}

/// A server's observations, with what is handed over beside them.
async fn merged(
    work: &Path,
    case: &Recorded,
    options: &[String],
    seen: &Bundle,
) -> Result<Bundle, String> {
    let nobody = server::nobody();
    let mut arguments = vec!["--vantage".into(), case.vantage.clone()];
    arguments.extend(["--hold", "0", "--timeout", "1s", "--resolve"].map(str::to_owned));
    arguments.push(nobody);
    arguments.extend(options.iter().cloned());
    arguments.push(case.target.clone());
    let _ = std::fs::remove_file(work.join("bundle.zip"));
    let job = Job { work: work.to_owned(), arguments, env: Vec::new() };
    let ran = job.collect().await?;
    let handed = opened(work, &ran.screen)?;
    let mut bundle = seen.clone();
    bundle.manifest.answers = handed.manifest.answers;
    bundle.manifest.not_used = handed.manifest.not_used;
    bundle.manifest.attachments = handed.manifest.attachments;
    bundle.observations.browser = handed.observations.browser;
    bundle.attachments = handed.attachments;
    Ok(bundle)
}

/// How a verdict differs from the one before; and it must not be surer.
fn differs(before: &Verdict, after: &Verdict) -> Option<String> {
    let parts = |verdict: &Verdict| {
        format!("{:?}, {}, {:?}", verdict.status, verdict.cause.slug(), verdict.location)
    };
    let (was, is) = (parts(before), parts(after));
    if was != is {
        return Some(format!("{was} became {is}"));
    }
    (after.confidence > before.confidence)
        .then(|| format!("{:?} became {:?}", before.confidence, after.confidence))
}
