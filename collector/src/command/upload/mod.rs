//! `upload`: sends a bundle to a URL that somebody was given for it: HTTP PUT to
//! a presigned one, or POST to a form.
//!
//! Success is what can be shown: every byte was sent, over TLS to somebody who
//! is trusted where the URL says https, and the answer is a 2xx that is no
//! page of somebody else's. Anything less is said to be less. The query of such a
//! URL is a password; it is never shown.

mod outcome;
mod request;

use super::{FAILS, GIVEN_UP, err, fail, out};
use crate::cli::UploadArgs;
use crate::cli::parse::{self, Destination};
use crate::cli::resolve;
use crate::config::RouteConfig;
use crate::proxy::pac::Answers as PacAnswers;
use crate::proxy::source::Sources;
use crate::proxy::{self, Question, Variables};
use crate::screen::{Look, safe};
use crate::wire::tls::TlsSetup;
use indicatif::{ProgressBar, ProgressStyle};
use outcome::{Verdict, judge};
use request::{Fields, NotSent};
use std::time::Duration;
use wss_bundle::observation::RouteKind;
use wss_bundle::read::{self, Limits};
use wss_bundle::redact::Redactor;
use wss_bundle::{Bundle, RouteId, Secret, Step, sealed};

/// First pause before another attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest pause, also where a server asks for more (`Retry-After`).
const LONGEST: Duration = Duration::from_secs(30);

/// What is to be sent, and where.
struct Job {
    destination: Destination,
    form: Fields,
    content: Vec<u8>,
    routes: Vec<RouteConfig>,
    tls: rustls::ClientConfig,
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
    let form = request::form(&args)?;
    secrets.extend(form.iter().flat_map(|(_, fields)| fields).map(|(_, value)| value.clone()));
    // A route that somebody names goes alone; else the one that the bundle shows
    // to work goes first.
    let routes: Vec<_> = match args.proxy {
        Some(_) => found.routes.into_iter().filter(|r| r.route.selected).take(1).collect(),
        None => order(found.routes, bundle.as_ref()),
    };
    if routes.is_empty() {
        return Err("the proxy given with -x is not for this URL (--noproxy)".to_owned());
    }
    let tls = TlsSetup::new(&resolve::trust(args.cacert.as_deref())?).strict();
    let tls = tls.map_err(|error| error.to_string())?;
    Ok(Job { destination, form, content, routes, tls, args, headers, secrets })
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
    routes.sort_by_key(|r| {
        let seen = worked.iter().position(|known| known.id == r.route.id);
        (seen.is_none(), !r.route.selected, seen)
    });
    routes
}

/// Routes on which the target answered, the chosen one first.
fn worked(bundle: &Bundle) -> Vec<wss_bundle::Route> {
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
        .filter(|route| (route.kind == RouteKind::Direct) == route.proxy.is_none())
        .filter(|route| answered(&route.id))
        .cloned()
        .collect();
    found.sort_by_key(|route| !route.selected);
    found
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
    let bytes = job.content.len();
    let bar = progress(job, bytes);
    note(job, &bar, &format!("sending {bytes} bytes to {}", job.destination.shown()));
    let mut first = 0;
    let mut number = 0;
    loop {
        number += 1;
        let (route, verdict) = attempt(job, &mut first, &bar).await;
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
async fn attempt(job: &Job, first: &mut usize, bar: &ProgressBar) -> (String, Verdict) {
    let routes = &job.routes;
    let mut again = false;
    let mut said = Vec::new();
    for at in *first..routes.len() {
        let id = routes[at].route.id.to_string();
        bar.set_position(0);
        let result = request::send(job, at, |sent| bar.set_position(sent)).await;
        let lost = matches!(&result, Err(NotSent { whole: false, .. }));
        let verdict = judge(job, result);
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
    let reference = reference.into_iter().map(|(name, value)| (name, job.safe(&value)));
    if job.args.json {
        let json = serde_json::json!({
            "uploaded": done,
            "to": shown,
            "route": ended.route,
            "bytes": job.content.len(),
            "sha256": wss_bundle::format::sha256(&job.content),
            "attempts": ended.attempts,
            "status": job.safe(&text),
            "reference": reference.collect::<std::collections::BTreeMap<_, _>>(),
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
