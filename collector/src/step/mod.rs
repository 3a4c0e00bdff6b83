//! Steps: one thing done on the network, one observation out. What a step shares
//! with the others (context, recorder, patience, slots, both authentications) is
//! here; what goes over the wire is [`crate::wire`]'s. Knows nothing of probes or of
//! the plan.

pub mod clock;
pub mod dial;
pub mod dns;
pub mod h2;
pub mod hold;
pub mod likeness;
pub mod message;
mod negotiate;
pub mod origin_auth;
pub mod patience;
pub mod proxy_auth;
pub mod request;
pub mod tcp;
pub mod tls;
pub mod tunnel;
pub mod ws;

pub use crate::wire::{BoxIo, classify, deflate, http1, tap};

use crate::config::{Config, RouteConfig};
use crate::key::Probe;
use crate::recorder::{Label, Recorder};
use crate::wire::tls::TlsSetup;
use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use wss_bundle::{Failure, FailureKind, Operation, Outcome, Step};

/// Connections at a time to one host and port: what a browser opens, so that
/// no intrusion prevention system takes the collector for a scanner.
pub(crate) const CONNECTIONS_PER_HOST: usize = 6;

/// What a connection of the second turn waits for those of the first, at most.
const MOMENT: Duration = Duration::from_millis(100);

/// Sets up TLS.
type SetUp = Box<dyn FnOnce() -> TlsSetup + Send>;

/// What all steps of one collection share.
pub struct Net {
    /// What to do.
    pub config: Arc<Config>,
    /// Trust store and client certificate, set up once, beside the first lookup.
    pub tls: Arc<LazyLock<TlsSetup, SetUp>>,
    /// Where observations go.
    pub recorder: Recorder,
    /// What tells the time, and whether the machine slept.
    pub clock: fn() -> clock::Moment,
    cancel: watch::Receiver<bool>,
    /// Routes on which something got no answer at all.
    silent: Vec<AtomicBool>,
    /// What each route's proxy wants to be told.
    proxy_auth: Vec<proxy_auth::ProxyAuth>,
    /// What the target said to the user's credentials, by each route.
    origin_auth: Vec<origin_auth::OriginAuth>,
    /// Routes on which a filter refuses requests that carry the collector's name.
    filtered: Vec<AtomicBool>,
    /// Routes on which a connection was opened.
    reached: Vec<AtomicBool>,
    /// The address that answered first on each route.
    good: Vec<OnceLock<SocketAddr>>,
    /// Whose turn it is to try further addresses, on each route.
    further: Vec<Arc<Semaphore>>,
    /// How long silence is waited for.
    pub patience: patience::Patience,
    slots: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// How many connections each route has asked for.
    asked: watch::Sender<Vec<usize>>,
}

impl Net {
    /// Sets up what is shared.
    #[must_use]
    pub fn new(config: Arc<Config>, recorder: Recorder, cancel: watch::Receiver<bool>) -> Self {
        // The system's store may be hundreds of files: whoever needs it first
        // waits for what is left of reading them.
        let options = config.clone();
        let set_up: SetUp = Box::new(move || TlsSetup::new(&options.tls));
        let tls = Arc::new(LazyLock::new(set_up));
        let reading = tls.clone();
        std::thread::spawn(move || _ = LazyLock::force(&reading));
        let flags = || config.routes.iter().map(|_| AtomicBool::default()).collect();
        let (silent, reached, filtered) = (flags(), flags(), flags());
        let good = config.routes.iter().map(|_| OnceLock::new()).collect();
        let further = config.routes.iter().map(|_| Arc::new(Semaphore::new(1))).collect();
        let proxy_auth = config.routes.iter().map(|_| proxy_auth::ProxyAuth::default()).collect();
        let patience = patience::Patience::new(config.routes.len());
        let origin_auth = config.routes.iter().map(|_| Default::default()).collect();
        let slots = Mutex::default();
        let asked = watch::Sender::new(vec![0; config.routes.len()]);
        let clock = clock::now;
        Self {
            config,
            tls,
            recorder,
            clock,
            cancel,
            silent,
            proxy_auth,
            origin_auth,
            filtered,
            reached,
            good,
            further,
            patience,
            slots,
            asked,
        }
    }

    /// Notes that nothing answers on a route: connections that wait for their
    /// turn would only wait again.
    pub fn note_silence(&self, route: usize) {
        if let Some(silent) = self.silent.get(route) {
            silent.store(true, Ordering::Relaxed);
        }
    }

    /// Whether [`Net::note_silence`] was called for a route.
    #[must_use]
    pub fn is_silent(&self, route: usize) -> bool {
        self.silent.get(route).is_some_and(|silent| silent.load(Ordering::Relaxed))
    }

    /// Notes that requests in a browser's name pass on a route, and others do not.
    pub fn note_filtered(&self, route: usize) {
        if let Some(filtered) = self.filtered.get(route) {
            filtered.store(true, Ordering::Relaxed);
        }
    }

    /// The name in which requests are sent that are to pass on a route; `None` for
    /// the collector's own.
    #[must_use]
    pub fn agent(&self, route: usize) -> Option<&'static str> {
        let filtered = self.filtered.get(route)?.load(Ordering::Relaxed);
        filtered.then_some(likeness::USER_AGENT)
    }

    /// Notes that a connection was opened on a route, and to which address.
    pub fn note_reached(&self, route: usize, address: Option<SocketAddr>) {
        if let Some(reached) = self.reached.get(route) {
            reached.store(true, Ordering::Relaxed);
        }
        if let (Some(good), Some(address)) = (self.good.get(route), address) {
            let _ = good.set(address);
        }
    }

    /// Returns when it is a connection's turn to try more than one address.
    pub async fn further(&self, route: usize) -> Option<OwnedSemaphorePermit> {
        self.further.get(route)?.clone().acquire_owned().await.ok()
    }

    /// The addresses of a route's first hop, in the order in which a connection
    /// tries them: the one that has answered goes first. Of a name with dozens of
    /// dead addresses each connection would try them all again.
    #[must_use]
    pub fn by_merit(&self, route: usize, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        let good = self.good.get(route).and_then(OnceLock::get);
        let first = addresses.iter().filter(|address| Some(*address) == good);
        first.chain(addresses.iter().filter(|address| Some(*address) != good)).copied().collect()
    }

    /// Whether [`Net::note_reached`] was called for a route.
    #[must_use]
    pub fn is_reached(&self, route: usize) -> bool {
        self.reached.get(route).is_some_and(|reached| reached.load(Ordering::Relaxed))
    }

    /// Whether the user has stopped the collection.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.cancel.borrow()
    }

    /// Returns once the user stops the collection; never, when nobody can.
    pub async fn cancelled(&self) {
        if self.cancel.clone().wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// What is known of the user's credentials on a route.
    #[must_use]
    pub fn origin_auth(&self, route: usize) -> Option<&origin_auth::OriginAuth> {
        self.origin_auth.get(route)
    }

    /// A permit for one of a route's connections, to `host_port`; `None` once cancelled.
    pub async fn slot(&self, route: usize, host_port: &str) -> Option<OwnedSemaphorePermit> {
        let semaphore = self
            .slots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(host_port.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(CONNECTIONS_PER_HOST)))
            .clone();
        let at_once = semaphore.clone().try_acquire_owned();
        self.asked.send_modify(|asked| {
            if let Some(asked) = asked.get_mut(route) {
                *asked += 1;
            }
        });
        if let Ok(permit) = at_once {
            return Some(permit);
        }
        tokio::select! {
            permit = semaphore.acquire_owned() => permit.ok(),
            () = self.cancelled() => None,
        }
    }

    /// Returns once a route has asked for that many connections, or after a
    /// moment: what comes first is a matter of speed alone.
    pub async fn asked(&self, route: usize, connections: usize) {
        let mut asked = self.asked.subscribe();
        let enough = asked.wait_for(|asked| asked.get(route).is_none_or(|n| *n >= connections));
        let _ = tokio::time::timeout(MOMENT, enough).await;
    }
}

/// On whose behalf a step runs.
#[derive(Clone)]
pub struct Ctx {
    /// The collection.
    pub net: Arc<Net>,
    /// Index of the route in the configuration.
    pub route: usize,
    /// Which probe.
    pub probe: Probe,
    /// The path that the probe is about.
    pub path: Option<String>,
    /// Number of the TCP connection, once there is one.
    pub connection: Option<u32>,
    /// How often the system is to ask for signs of life on it (TCP keepalive).
    pub keepalive: Option<Duration>,
}

impl Ctx {
    /// A probe's context, not yet on a connection.
    #[must_use]
    pub fn new(net: &Arc<Net>, route: usize, probe: Probe, path: Option<&str>) -> Self {
        let path = path.map(str::to_owned);
        Self { net: net.clone(), route, probe, path, connection: None, keepalive: None }
    }

    /// The route's configuration.
    #[must_use]
    pub fn route(&self) -> &RouteConfig {
        &self.net.config.routes[self.route]
    }

    /// What this route's proxy wants to be told.
    #[must_use]
    pub fn proxy_auth(&self) -> &proxy_auth::ProxyAuth {
        &self.net.proxy_auth[self.route]
    }

    /// The most that a step may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.net.config.timeout
    }

    /// The same, on a TCP connection.
    #[must_use]
    pub fn on(&self, connection: u32) -> Self {
        Self { connection: Some(connection), ..self.clone() }
    }

    fn label(&self) -> Label {
        Label {
            probe: self.probe,
            route: self.route().route.id.clone(),
            path: self.path.clone(),
            connection: self.connection,
        }
    }

    /// Runs one step: `work` gives what was seen and what to go on with;
    /// `wrap` makes the observation, which is recorded whatever happens.
    ///
    /// # Errors
    /// The failure that was recorded: the work's own, the deadline, or the user.
    pub async fn step<S, R>(
        &self,
        operation: Operation,
        limit: Duration,
        wrap: impl FnOnce(Outcome<S>) -> Step,
        work: impl Future<Output = Result<(S, R), Failure>>,
    ) -> Result<R, Failure> {
        let expired = async {
            tokio::time::sleep(limit).await;
            format!("no end within {:.1} s", limit.as_secs_f64())
        };
        self.step_until(operation, expired, wrap, work).await
    }

    /// [`Ctx::step`] that fails once `expired` says why it takes too long.
    ///
    /// # Errors
    /// The failure that was recorded: the work's own, the deadline, or the user.
    pub async fn step_until<S, R>(
        &self,
        operation: Operation,
        expired: impl Future<Output = String>,
        wrap: impl FnOnce(Outcome<S>) -> Step,
        work: impl Future<Output = Result<(S, R), Failure>>,
    ) -> Result<R, Failure> {
        self.step_unless(|_| false, operation, expired, wrap, work).await
    }

    /// [`Ctx::step_until`], of which nothing is recorded where the work fails in a
    /// way that says nothing.
    ///
    /// # Errors
    /// The failure, recorded or not: the work's own, the deadline, or the user.
    pub async fn step_unless<S, R>(
        &self,
        unrecorded: impl FnOnce(&Failure) -> bool,
        operation: Operation,
        expired: impl Future<Output = String>,
        wrap: impl FnOnce(Outcome<S>) -> Step,
        work: impl Future<Output = Result<(S, R), Failure>>,
    ) -> Result<R, Failure> {
        let begun = self.net.recorder.begin();
        let moment = (self.net.clock)();
        let result = tokio::select! {
            biased;
            () = self.net.cancelled() => Err(cancelled(operation)),
            result = work => result,
            why = expired => Err(Failure::new(operation, FailureKind::TimedOut, why)),
        };
        let (outcome, result) = match result {
            Ok((seen, rest)) => (Outcome::Ok(seen), Ok(rest)),
            Err(failure) if unrecorded(&failure) => return Err(failure),
            Err(failure) => {
                let failure = self.asleep(&moment, operation).unwrap_or(failure);
                (Outcome::Failed(failure.clone()), Err(failure))
            }
        };
        self.net.recorder.end(&begun, &self.label(), wrap(outcome));
        result
    }
}

impl Ctx {
    /// The failure of a step during which the machine slept: whatever ended it,
    /// the network is not to blame. `None` when it was awake.
    #[must_use]
    pub fn asleep(&self, since: &clock::Moment, operation: Operation) -> Option<Failure> {
        let slept = clock::slept(since, &(self.net.clock)())?;
        let detail = format!("the machine slept for {:.0} s meanwhile", slept.as_secs_f64());
        Some(Failure::new(operation, FailureKind::Cancelled, detail))
    }
}

/// The failure of a step that the user stopped.
#[must_use]
pub fn cancelled(operation: Operation) -> Failure {
    Failure::new(operation, FailureKind::Cancelled, "stopped by the user")
}
