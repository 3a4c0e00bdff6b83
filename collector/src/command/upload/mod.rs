//! `upload`: sends a bundle to a URL that somebody was given for it: HTTP PUT to
//! a presigned one, or POST to a form.
//!
//! Success is what can be shown: every byte was sent, over TLS to somebody who
//! is trusted where the URL says https, and the answer is a 2xx that is no
//! page of somebody else's. Anything less is said to be less. The query of such a
//! URL is a password; it is never shown.

mod form;
mod outcome;

use super::{FAILS, GIVEN_UP, err, fail, out};
use crate::cli::UploadArgs;
use crate::cli::parse::{self, Destination};
use crate::cli::resolve;
use crate::config::{Config, RouteConfig};
use crate::net::send::{self, NotSent, Sent};
use crate::net::{Ctx, Net};
use crate::proxy::pac::Answers as PacAnswers;
use crate::proxy::source::Sources;
use crate::proxy::{self, Question, Variables};
use crate::recorder::Recorder;
use crate::screen::{Look, safe};
use form::Form;
use indicatif::{ProgressBar, ProgressStyle};
use outcome::{Verdict, judge};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use wss_bundle::observation::{ProxyEndpoint, RouteKind};
use wss_bundle::read::{self, Limits};
use wss_bundle::redact::Redactor;
use wss_bundle::{Bundle, RouteId, Secret, sealed};

/// First pause before another attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest pause, also where a server asks for more (`Retry-After`).
const LONGEST: Duration = Duration::from_secs(30);

/// What is to be sent, and where.
struct Job {
    destination: Destination,
    form: Form,
    content: Vec<u8>,
    config: Arc<Config>,
    args: UploadArgs,
    headers: Vec<(String, Secret)>,
    secrets: Vec<Secret>,
}

impl Job {
    /// Text for a screen: nothing of the URL's query, of headers or passwords.
    fn safe(&self, text: &str) -> String {
        let mut redactor = Redactor::new();
        for secret in &self.secrets {
            redactor.secret("upload", secret);
        }
        safe(&redactor.text("screen", "upload", text))
    }
}

/// Uploads; gives the exit code.
#[must_use]
pub fn upload(args: UploadArgs) -> u8 {
    let job = match job(args) {
        Ok(job) => job,
        Err(message) => return fail(&message),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    let code = runtime.block_on(async {
        tokio::select! {
            ended = attempts(&job) => say(&job, &ended),
            _ = tokio::signal::ctrl_c() => {
                err("\nstopped: the upload is not complete\n");
                u8::try_from(GIVEN_UP).unwrap_or(FAILS)
            }
        }
    });
    runtime.shutdown_background();
    code
}

/// Understands the options, and reads the bundle.
fn job(args: UploadArgs) -> Result<Job, String> {
    let destination = parse::destination(&args.to)?;
    let limits = Limits::default();
    let content = read::content(&args.bundle, &limits).map_err(|error| error.to_string())?;
    let bundle = checked(&args, &content)?;
    let headers: Vec<(String, Secret)> =
        args.headers.iter().map(|line| parse::header(line)).collect::<Result<_, _>>()?;
    let variables = Variables::of_process();
    // PAC files are not asked anew: the route that they named is in the bundle.
    let found = proxy::find(&Question {
        target: &destination.target,
        option: args.proxy.as_deref(),
        noproxy: args.noproxy.as_deref(),
        variables: &variables,
        sources: &Sources::of_machine(&variables),
        answers: &PacAnswers::new(),
    })?;
    for note in &found.notes {
        err(&format!("warning: {}\n", safe(note)));
    }
    let mut secrets = destination.secrets.clone();
    secrets.extend(headers.iter().map(|(_, value)| value.clone()));
    secrets.extend(found.credentials.iter().map(|c| c.password.clone()));
    let form = Form::new(&args)?;
    secrets.extend(form.secrets());
    // A route that somebody names goes alone; else the one that the bundle shows
    // to work goes first.
    let routes = match args.proxy {
        Some(_) => found.routes.into_iter().filter(|r| r.route.selected).take(1).collect(),
        None => order(found.routes, bundle.as_ref()),
    };
    let config = Arc::new(config(&args, &destination, routes)?);
    Ok(Job { destination, form, content, config, args, headers, secrets })
}

fn config(
    args: &UploadArgs,
    destination: &Destination,
    routes: Vec<RouteConfig>,
) -> Result<Config, String> {
    if routes.is_empty() {
        return Err("the proxy given with -x is not for this URL (--noproxy)".to_owned());
    }
    Ok(Config {
        target: destination.target.clone(),
        routes,
        auth: None,
        headers: Vec::new(),
        resolve: args.resolve.clone(),
        family: None,
        tls: resolve::trust(args.cacert.as_deref())?,
        name_servers: Vec::new(),
        console: Vec::new(),
        browser: None,
        timeout: args.timeout,
        hold: Duration::ZERO,
    })
}

/// Only what is a bundle leaves. What is encrypted can only be checked from outside.
fn checked(args: &UploadArgs, content: &[u8]) -> Result<Option<Bundle>, String> {
    let name = args.bundle.display();
    if sealed::is_sealed(content) {
        return sealed::check(content).map(|()| None).map_err(|error| format!("{name}: {error}"));
    }
    let opened = read::bytes(content, &args.bundle, &Limits::default())
        .map_err(|error| error.to_string())?;
    match opened.bundle.defects.first() {
        Some(defect) if !args.force => Err(format!(
            "{name} is damaged or was changed ({defect}); nothing was sent. --force sends it all \
             the same"
        )),
        _ => Ok(Some(opened.bundle)),
    }
}

/// The route of the bundle that works first, then the one that this machine's
/// settings choose, then the others.
fn order(mut routes: Vec<RouteConfig>, bundle: Option<&Bundle>) -> Vec<RouteConfig> {
    let worked = bundle.map(worked).unwrap_or_default();
    for known in &worked {
        if !routes.iter().any(|r| r.route.id == known.id) {
            // Not set here any more, or only for the target: without its password.
            routes.push(RouteConfig { route: known.clone(), auth: None, browsers: false });
        }
    }
    wss_bundle::order::sort_by_key(&mut routes, |r| {
        let seen = worked.iter().position(|known| known.id == r.route.id);
        (seen.is_none(), !r.route.selected, seen)
    });
    routes
}

/// Routes on which the target answered, the chosen one first.
fn worked(bundle: &Bundle) -> Vec<wss_bundle::Route> {
    use wss_bundle::Step;
    let answered = |id: &RouteId| {
        bundle.observations.observations.iter().any(|seen| {
            seen.route == *id
                && match &seen.step {
                    Step::Http(step) => step.result.ok().is_some(),
                    Step::Upgrade(step) => step.result.ok().is_some(),
                    _ => false,
                }
        })
    };
    let mut found: Vec<_> = bundle
        .observations
        .routes
        .iter()
        .filter(|route| answered(&route.id) && usable(route.kind, route.proxy.as_ref()))
        .cloned()
        .collect();
    wss_bundle::order::sort_by_key(&mut found, |route| !route.selected);
    found
}

fn usable(kind: RouteKind, proxy: Option<&ProxyEndpoint>) -> bool {
    (kind == RouteKind::Direct) == proxy.is_none()
}

/// How it ended.
struct Ended {
    verdict: Verdict,
    route: String,
    attempts: u32,
}

/// Tries until it is sent, refused for good, or out of attempts. Each attempt goes
/// by the first route that leads there.
async fn attempts(job: &Job) -> Ended {
    let (content_type, body) = job.form.body(&job.args.bundle, &job.content);
    let bar = progress(job, body.len());
    note(job, &bar, &format!("sending {} bytes to {}", body.len(), job.destination.shown()));
    let mut first = 0;
    let mut number = 0;
    loop {
        number += 1;
        let (route, verdict) = attempt(job, &mut first, (&content_type, &body), &bar).await;
        let left = (job.args.retries + 1).saturating_sub(number);
        match verdict {
            Verdict::Again { why, after } if left > 0 => {
                let pause = after.unwrap_or_else(|| pause(number)).min(LONGEST);
                let seconds = pause.as_secs_f64();
                note(job, &bar, &format!("{why}; again in {seconds:.1} s ({left} more)"));
                tokio::time::sleep(pause).await;
            }
            verdict => {
                bar.finish_and_clear();
                return Ended { verdict, route, attempts: number };
            }
        }
    }
}

/// One attempt: what never got as far as the server may get there by another way.
/// `first` is where to begin, and becomes the route that led there.
async fn attempt(
    job: &Job,
    first: &mut usize,
    request: (&str, &[u8]),
    bar: &ProgressBar,
) -> (String, Verdict) {
    let routes = &job.config.routes;
    let mut again = false;
    let mut said = Vec::new();
    for at in *first..routes.len() {
        let id = routes[at].route.id.to_string();
        let result = once(job, at, request, bar).await;
        let lost = matches!(&result, Err(NotSent { whole: false, .. }));
        let verdict = judge(job, &result);
        if !lost {
            *first = at;
            return (id, verdict);
        }
        if let Verdict::Again { why, .. } | Verdict::Failed { why } = &verdict {
            again |= matches!(verdict, Verdict::Again { .. });
            said.push(format!("{id}: {why}"));
            if let Some(next) = routes.get(at + 1) {
                note(job, bar, &format!("{id}: {why}; trying {}", next.route.id));
            }
        }
    }
    let why = said.join("; ");
    let last = routes.last().map_or_else(String::new, |r| r.route.id.to_string());
    (last, if again { Verdict::Again { why, after: None } } else { Verdict::Failed { why } })
}

/// Exponential, with jitter: a crowd that was turned away must not come back together.
fn pause(attempt: u32) -> Duration {
    let full = PAUSE * 2_u32.saturating_pow(attempt.saturating_sub(1).min(6));
    let random = f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 255.0;
    full.mul_f64(0.5 + random / 2.0)
}

async fn once(
    job: &Job,
    route: usize,
    (content_type, body): (&str, &[u8]),
    bar: &ProgressBar,
) -> Result<Sent, NotSent> {
    let (progress, _watching) = mpsc::unbounded_channel();
    let (_stop, cancel) = watch::channel(false);
    let net = Arc::new(Net::new(job.config.clone(), Recorder::new(progress), cancel));
    let ctx = Ctx::new(&net, route, "upload", None);
    bar.set_position(0);
    let request = send::Request {
        head: &|to, more| head(job, to, content_type, body.len(), more),
        path: &job.destination.path,
        body,
        progress: &|sent| bar.set_position(sent as u64),
    };
    send::send(&ctx, &request, job.args.timeout).await
}

fn head(job: &Job, to: &str, content_type: &str, length: usize, more: &str) -> Vec<u8> {
    let target = &job.destination.target;
    let method = job.form.method();
    let mut head = format!(
        "{method} {to} HTTP/1.1\r\nHost: {}\r\n{more}User-Agent: {}\r\nAccept: */*\r\n",
        target.authority(),
        crate::net::request::user_agent()
    );
    let given = |name: &str| job.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    if let Some(auth) = job.destination.auth.as_ref().filter(|_| !given("authorization")) {
        head.push_str(&format!("Authorization: {}\r\n", crate::net::request::basic(auth)));
    }
    if !given("content-type") {
        head.push_str(&format!("Content-Type: {content_type}\r\n"));
    }
    // Azure's PUT asks for it, and a URL with a signature cannot bring it along.
    if method == "PUT"
        && target.host.ends_with(".blob.core.windows.net")
        && !given("x-ms-blob-type")
    {
        head.push_str("x-ms-blob-type: BlockBlob\r\n");
    }
    for (name, value) in &job.headers {
        let own = ["content-length", "transfer-encoding", "host", "connection"];
        if !value.expose().is_empty() && !own.contains(&name.to_ascii_lowercase().as_str()) {
            head.push_str(&format!("{name}: {}\r\n", value.expose()));
        }
    }
    head.push_str(&format!("Content-Length: {length}\r\nConnection: close\r\n\r\n"));
    head.into_bytes()
}

fn progress(job: &Job, bytes: usize) -> ProgressBar {
    let look = Look::of(&std::io::stderr());
    if job.args.json || !look.live {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(bytes as u64);
    let style = ProgressStyle::with_template("  {bar:24} {bytes}/{total_bytes} {bytes_per_sec}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A line above the bar; on standard error where there is none.
fn note(job: &Job, bar: &ProgressBar, text: &str) {
    let text = job.safe(text);
    if job.args.json {
        return;
    }
    if bar.is_hidden() {
        err(&format!("{text}\n"));
    } else {
        bar.println(&text);
    }
}

fn say(job: &Job, ended: &Ended) -> u8 {
    let shown = job.safe(&job.destination.shown());
    let (done, text, reference) = match &ended.verdict {
        Verdict::Done { status, reference } => (true, status.clone(), reference.clone()),
        Verdict::Failed { why } | Verdict::Again { why, .. } => (false, why.clone(), Vec::new()),
    };
    let reference: Vec<(String, String)> =
        reference.into_iter().map(|(name, value)| (name, job.safe(&value))).collect();
    if job.args.json {
        let mut found = serde_json::Map::new();
        for (name, value) in reference {
            found.insert(name, value.into());
        }
        let json = serde_json::json!({
            "uploaded": done,
            "to": shown,
            "route": ended.route,
            "bytes": job.content.len(),
            "sha256": wss_bundle::write::sha256(&job.content),
            "attempts": ended.attempts,
            "status": job.safe(&text),
            "reference": found,
        });
        let code = out(&format!("{json:#}\n"));
        return if done { code } else { FAILS };
    }
    if !done {
        let tries = match ended.attempts {
            0 | 1 => String::new(),
            n => format!(" ({n} attempts)"),
        };
        err(&format!("error: not uploaded to {shown}: {}{tries}\n", job.safe(&text)));
        return FAILS;
    }
    let mut said =
        format!("Uploaded {} bytes to {shown} ({})\n", job.content.len(), job.safe(&text));
    for (name, value) in reference {
        said.push_str(&format!("{name}: {value}\n"));
    }
    out(&said)
}
