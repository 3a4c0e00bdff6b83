//! The loop of a watch: what is due, what happened, and who is told of it.

use super::held::{Event, Held, Line};
use super::keep;
use super::measure::State;
use super::notice::{Level, Notice, spoken};
use super::otlp::Exporter;
use super::round::{Round, round};
use super::schedule::Schedule;
use super::seen::Seen;
use super::serve::{Told, file, serve};
use crate::cli::probing::WatchArgs;
use crate::cli::resolve::Job;
use crate::command::{WORKS, out};
use crate::screen::Look;
use crate::step::clock::{self, Moment};
use chrono::{DateTime, Utc};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use wss_bundle::redact::Redactor;
use wss_diagnosis::{Cause, Layer, LayerStatus, Status};

/// The longest hold that a break sets by itself.
const LONGEST_HOLD: Duration = Duration::from_secs(600);
/// How often the clocks are looked at, for a sleep of the machine.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long the end may wait for an OpenTelemetry collector.
const LAST: Duration = Duration::from_secs(3);

type Running = Pin<Box<dyn Future<Output = Result<Round, String>>>>;

pub(super) struct Watcher {
    args: WatchArgs,
    look: Look,
    redactor: Redactor,
    state: State,
    schedule: Schedule,
    held: Option<Held>,
    tell: mpsc::UnboundedSender<Event>,
    events: mpsc::UnboundedReceiver<Event>,
    cancel: watch::Receiver<bool>,
    exporter: Option<Exporter>,
    told: watch::Sender<Arc<Told>>,
    labels: Vec<(&'static str, String)>,
    /// How long rounds hold connections by now.
    hold: Duration,
    /// For the next bundle: how the held connection broke.
    notes: Vec<String>,
    /// How it last broke, while that is no news.
    said: Option<String>,
    moment: Moment,
    /// The metrics file could not be written.
    unwritten: bool,
    /// Nobody reads standard output any more.
    deaf: bool,
}

impl Watcher {
    pub(super) fn new(
        args: WatchArgs,
        job: &Job,
        exporter: Option<Exporter>,
        cancel: watch::Receiver<bool>,
    ) -> Self {
        let (tell, events) = mpsc::unbounded_channel();
        let labels = vec![("target", job.config.target.origin())];
        let (told, _) = watch::channel(Arc::new(Told::default()));
        Self {
            look: Look::of(&std::io::stdout()),
            redactor: job.redactor(),
            state: State { running: true, ..State::default() },
            schedule: Schedule::new(args.every, Instant::now()),
            held: None,
            tell,
            events,
            cancel,
            exporter,
            told,
            labels,
            hold: args.hold,
            notes: Vec::new(),
            said: None,
            moment: clock::now(),
            unwritten: false,
            deaf: false,
            args,
        }
    }

    /// Says what begins, and opens the page of metrics.
    pub(super) fn begin(&mut self, listener: Option<TcpListener>) -> Result<(), String> {
        let target = self.labels[0].1.clone();
        let every = spoken(self.args.every);
        let text = format!(
            "watching {target}: a round every {every}, at most two in that time; Ctrl-C ends it"
        );
        let mut notice = Notice::new("watching", Level::Info, text)
            .with("target", target)
            .with("every_s", self.args.every.as_secs_f64());
        if let Some(listener) = listener {
            let address = listener.local_addr().map_err(|error| error.to_string())?;
            let url = format!("http://{address}/metrics");
            notice.text.push_str(&format!("; metrics at {url}"));
            notice = notice.with("metrics", url);
            tokio::spawn(serve(listener, self.told.subscribe()));
        }
        self.publish();
        if self.unwritten {
            return Err("the metrics file cannot be written".to_owned());
        }
        self.say(&notice);
        Ok(())
    }

    /// Until it is stopped.
    pub(super) async fn run(&mut self) {
        let mut running: Option<Running> = None;
        while !*self.cancel.borrow() && !self.deaf {
            let next = self.schedule.next;
            tokio::select! {
                biased;
                _ = self.cancel.changed() => {}
                Some(event) = self.events.recv() => self.happened(event),
                result = async {
                    match running.as_mut() {
                        Some(running) => running.await,
                        None => std::future::pending().await,
                    }
                } => {
                    running = None;
                    self.ended(result);
                }
                () = tokio::time::sleep_until(next), if running.is_none() => {
                    let notes = std::mem::take(&mut self.notes);
                    let (args, cancel) = (self.args.probe.clone(), self.cancel.clone());
                    // What is due meanwhile is due after it.
                    self.schedule.next = Instant::now() + self.args.every;
                    running = Some(Box::pin(round(args, self.hold, notes, cancel)));
                }
                () = tokio::time::sleep(HEARTBEAT) => {}
            }
            self.look_at_the_clocks();
            self.publish();
        }
    }

    /// The last words; false where nobody could be told.
    pub(super) async fn end(mut self) -> bool {
        self.held = None;
        self.state.running = false;
        self.state.open_since = None;
        let (rounds, breaks) = (self.state.rounds, self.state.breaks);
        let text =
            format!("stopped, after {rounds} rounds; the held connection broke {breaks} times");
        let notice =
            Notice::new("stopped", Level::Info, text).with("rounds", rounds).with("breaks", breaks);
        self.say(&notice);
        self.publish();
        if let Some(exporter) = self.exporter.take() {
            exporter.metrics(&self.state.families(), &self.labels);
            exporter.end(LAST).await;
        }
        !self.unwritten
    }

    fn ended(&mut self, result: Result<Round, String>) {
        let now = Instant::now();
        let chance = chance();
        let round = match result {
            Ok(round) => round,
            Err(message) => {
                self.schedule.ended(now, false, chance);
                let text = format!("no round: {message}");
                return self.say(&Notice::new("error", Level::Error, text));
            }
        };
        if !round.complete {
            return;
        }
        if round.slept.is_some() {
            // It tells nothing; the clocks are looked at next.
            return self.schedule.settle(now);
        }
        let works = round.seen.verdict.status == Status::Working;
        self.schedule.ended(now, works, chance);
        self.state.rounds += 1;
        let before = self.state.last.replace(round.seen.clone());
        self.judge(&round, before.map(|seen| (seen.verdict.status, seen.verdict.cause)));
        self.follow(&round);
        if works {
            self.hold = self.args.hold;
        } else if round.hold > self.hold {
            self.hold = round.hold;
        }
        if let Some(exporter) = &self.exporter {
            exporter.metrics(&self.state.families(), &self.labels);
        }
    }

    /// Whether the verdict is another one; who is told, and what is kept.
    fn judge(&mut self, round: &Round, before: Option<(Status, Cause)>) {
        let verdict = &round.seen.verdict;
        let now: (Status, Cause) = (verdict.status, verdict.cause);
        if before == Some(now) {
            return;
        }
        self.said = None;
        let lasted =
            self.state.since.map(|since| (round.seen.at - since).to_std().unwrap_or_default());
        self.state.since = Some(round.seen.at);
        if before.is_some() {
            self.state.changes += 1;
        }
        let bundle = self.bundle(round, before.is_none());
        let mut notice = changed(&round.seen, before, lasted);
        if let Some(path) = bundle {
            notice.text.push_str(&format!(" Bundle: {path}"));
            notice = notice.with("bundle", path);
        }
        self.say(&notice);
    }

    /// Keeps a bundle of it, where there is a folder for them; none of a beginning at which
    /// all is well.
    fn bundle(&mut self, round: &Round, first: bool) -> Option<String> {
        let folder = self.args.bundles.clone()?;
        if first && round.seen.verdict.status == Status::Working {
            return None;
        }
        match keep::bundle(&round.job, &round.judged, &folder, self.args.keep) {
            Ok(path) => {
                self.state.bundles += 1;
                Some(path.display().to_string())
            }
            Err(error) => {
                self.say(&Notice::new("error", Level::Error, format!("no bundle: {error}")));
                None
            }
        }
    }

    /// Holds a connection where the round showed that one can be held.
    fn follow(&mut self, round: &Round) {
        let (seen, config) = (&round.seen, &round.job.config);
        let passes = |layer: Layer| {
            let state = seen.layers.iter().find(|state| state.layer == layer);
            state.is_some_and(|state| state.status == LayerStatus::Pass)
        };
        let index = config.routes.iter().position(|one| one.route.id.0 == seen.route);
        let Some(route) = index.filter(|_| passes(Layer::Frames)) else { return };
        if self.held.as_ref().is_some_and(|held| held.is(config, route, &seen.path)) {
            return;
        }
        self.state.open_since = None;
        let line = Line {
            config: config.clone(),
            route,
            path: seen.path.clone(),
            ping: (!self.args.ping.is_zero()).then_some(self.args.ping),
            patience: self.args.every,
        };
        self.held = Some(Held::start(line, self.tell.clone()));
    }

    /// Something about the held connection.
    fn happened(&mut self, event: Event) {
        match event {
            Event::Open(at) => self.opened(at),
            Event::Broke { at, after, by } => {
                self.state.open_since = None;
                self.state.breaks += 1;
                self.state.broke = Some((at, after));
                self.broke(at, after, &by);
            }
            Event::Refused(why) => {
                self.state.open_since = None;
                let why = self.redactor.text("screen", "watch", &why);
                // A round says more about it than this.
                self.news(format!("the held connection cannot be opened: {why}"), |text| {
                    Notice::new("refused", Level::Warn, text)
                });
                self.schedule.add(Instant::now());
            }
            Event::Renewed => self.state.open_since = None,
        }
    }

    fn opened(&mut self, at: DateTime<Utc>) {
        self.state.open_since = Some(at);
        // It is open again: whether all is well a round says.
        let works = self.state.last.as_ref().is_some_and(|s| s.verdict.status == Status::Working);
        if !works && self.state.last.is_some() {
            self.schedule.add(Instant::now());
        }
    }

    fn broke(&mut self, at: DateTime<Utc>, after: Duration, by: &str) {
        let by = self.redactor.text("screen", "watch", by);
        let longer = after.mul_f64(1.3) + Duration::from_secs(1);
        if longer <= LONGEST_HOLD && longer > self.hold {
            self.hold = longer;
        }
        let pings = match self.args.ping {
            ping if ping.is_zero() => "silent".to_owned(),
            ping => format!("silent but for a Ping every {}", spoken(ping)),
        };
        let lived = spoken(after);
        let time = at.format("%Y-%m-%d %H:%M:%S UTC");
        self.notes.push(format!(
            "wss-collector watch: the connection that it held, {pings}, broke at {time} after {lived}: {by}"
        ));
        let seconds = (after.as_secs_f64() * 10.0).round() / 10.0;
        self.news(format!("BROKE  the held connection: {by}"), |_| {
            let text = format!("BROKE  the held connection, after {lived}: {by}. Asking why.");
            Notice::new("broke", Level::Error, text)
                .at(at)
                .with("after_s", seconds)
                .with("by", by.clone())
        });
        self.schedule.add(Instant::now());
    }

    /// Says it, unless it is what was said last and nothing changed since.
    fn news(&mut self, text: String, notice: impl FnOnce(&str) -> Notice) {
        if self.said.as_ref() != Some(&text) {
            let notice = notice(&text);
            self.said = Some(text);
            self.say(&notice);
        }
    }

    fn look_at_the_clocks(&mut self) {
        let now = clock::now();
        if let Some(slept) = clock::slept(&self.moment, &now) {
            self.state.sleeps += 1;
            self.schedule.settle(Instant::now());
            // What was open across it may be dead, and is opened anew: how it ends tells
            // nothing of the network.
            if let Some(held) = self.held.take() {
                self.state.open_since = None;
                self.held = Some(Held::start(held.line.clone(), self.tell.clone()));
            }
            let text = format!("the machine slept for {}: no fault", spoken(slept));
            let notice = Notice::new("slept", Level::Info, text);
            self.say(&notice.with("slept_s", slept.as_secs_f64().round()));
        }
        self.moment = now;
    }

    fn say(&mut self, notice: &Notice) {
        // Whoever reads it may scrape at once.
        self.publish();
        let text = if self.args.json { notice.json() } else { notice.line(self.look) };
        // A service goes on where nobody reads; what cannot be written at all ends it.
        if out(&text) != WORKS {
            self.deaf = true;
        }
        if let Some(exporter) = &self.exporter {
            exporter.log(notice);
        }
    }

    /// Tells whoever scrapes, where anything is new.
    fn publish(&mut self) {
        if let Some(exporter) = &self.exporter {
            self.state.unsent = exporter.unsent.load(Ordering::Relaxed);
        }
        let families = self.state.families();
        if self.told.borrow().families == families {
            return;
        }
        let told = Arc::new(Told { families, labels: self.labels.clone() });
        let written = match &self.args.metrics_file {
            Some(path) => file(&told, path).map_err(|error| (path.display().to_string(), error)),
            None => Ok(()),
        };
        self.told.send_replace(told);
        let failed = written.is_err();
        if let Err((path, error)) = written
            && !self.unwritten
        {
            let text = format!("the metrics are not written: {path}: {error}");
            self.say(&Notice::new("error", Level::Error, text));
        }
        self.unwritten = failed;
    }
}

/// The verdict, with what it was before.
fn changed(seen: &Seen, before: Option<(Status, Cause)>, lasted: Option<Duration>) -> Notice {
    let verdict = &seen.verdict;
    let (word, level) = match verdict.status {
        Status::Working => ("WORKS", Level::Info),
        Status::Unstable => ("UNSTABLE", Level::Warn),
        Status::Broken => ("BROKEN", Level::Error),
        Status::Unknown => ("CANNOT TELL", Level::Warn),
    };
    let again = match (before, lasted) {
        (Some((Status::Working, _)), Some(lasted)) => {
            format!(" It had worked for {}.", spoken(lasted))
        }
        (Some((status, cause)), Some(lasted)) => {
            format!(" It was {status} ({cause}) for {}.", spoken(lasted))
        }
        _ => String::new(),
    };
    let cause = match verdict.status {
        Status::Working => String::new(),
        _ => format!(" ({})", verdict.cause),
    };
    let text = format!("{word}  {}{cause}{again}", verdict.summary);
    let mut notice = Notice::new("verdict", level, text)
        .with("status", verdict.status.slug())
        .with("cause", verdict.cause.slug())
        .with("location", verdict.location.slug())
        .with("confidence", verdict.confidence.slug())
        .with("route", seen.route.clone());
    if let Some((status, cause)) = before {
        notice = notice.with("status_before", status.slug()).with("cause_before", cause.slug());
    }
    match lasted {
        Some(lasted) => notice.with("before_lasted_s", lasted.as_secs_f64()),
        None => notice,
    }
}

/// Something between 0 and 1.
fn chance() -> f64 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    // The version stands in the low half of these bits.
    f64::from(u32::try_from(high >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}
