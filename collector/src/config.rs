//! What a collection needs to know, after the command line was understood:
//! values only, no parsing (that is `cli`) and no sockets (that is `step`).

pub use crate::wire::tls::TlsOptions;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wss_bundle::{Route, Secret, Target};

/// The default of `--timeout`.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// One collection.
#[derive(Debug)]
pub struct Config {
    /// What to reach.
    pub target: Target,
    /// The routes to try, direct first.
    pub routes: Vec<RouteConfig>,
    /// `-u`, or the target URL's credentials: HTTP Basic to the target.
    pub auth: Option<Credentials>,
    /// `-H` lines for requests to the target: name, value.
    pub headers: Vec<(String, Secret)>,
    /// `--resolve`.
    pub resolve: Vec<ResolveOverride>,
    /// `-4`, `-6`.
    pub family: Option<Family>,
    /// `--cacert`, `--cert`, `--key`.
    pub tls: TlsOptions,
    /// Name servers to ask directly, as configured on this machine.
    pub name_servers: Vec<SocketAddr>,
    /// How the console opens its sockets, where a HAR shows it.
    pub console: Vec<wss_handed::har::ConsoleSocket>,
    /// `--proxy-negotiate`: sign on to proxies with the user's own ticket, asked or not.
    pub negotiate: bool,
    /// Secrets that nobody gave, as they come up.
    pub learned: Learned,
    /// The browser that is asked as well.
    pub browser: Option<BrowserChoice>,
    /// The most that one step may take; [`TIMEOUT`] unless given.
    pub timeout: Duration,
    /// How long to hold upgraded connections; zero skips.
    pub hold: Duration,
}

/// Secrets that a run makes or meets, to be removed like those that were given.
/// Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Learned(Arc<Mutex<Vec<Secret>>>);

impl Learned {
    /// Adds one; what is known already stays once.
    pub fn add(&self, secret: Secret) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&secret) {
            all.push(secret);
        }
    }

    /// Those so far.
    #[must_use]
    pub fn all(&self) -> Vec<Secret> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A route, and what it takes to use it.
#[derive(Debug)]
pub struct RouteConfig {
    /// As it stands in the bundle.
    pub route: Route,
    /// Credentials for the proxy (HTTP Basic, or SOCKS username/password).
    pub auth: Option<Credentials>,
    /// Whether a browser here takes it, or comes to it when what it tries
    /// before does not answer. What is held open must be held there, too.
    pub browsers: bool,
}

/// How a browser is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrowserFamily {
    /// Chrome, Chromium, Edge and what else is built on them: the DevTools protocol.
    Chromium,
    /// Firefox: WebDriver BiDi.
    Firefox,
}

/// An installed browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserProgram {
    /// The program.
    pub path: PathBuf,
    /// How it is driven.
    pub family: BrowserFamily,
    /// Where its profile must lie, when it is shut in and sees no other folder
    /// (snap, flatpak).
    pub shut_in: Option<PathBuf>,
}

/// How the browser gets to the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrowserWay {
    /// As the machine's settings say.
    System,
    /// As the options `-x` and `--noproxy` say: the selected route of the plan.
    AsPlanned,
}

/// What `--browser` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserChoice {
    /// Which browser.
    pub program: BrowserProgram,
    /// Its way.
    pub way: BrowserWay,
}

/// User name and password.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// User name (a secret too: it may be an API key).
    pub user: Secret,
    /// Password.
    pub password: Secret,
}

/// `--resolve HOST:PORT:ADDR[,ADDR]`.
#[derive(Debug, Clone)]
pub struct ResolveOverride {
    /// Host, lower case; `*` for any.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Addresses to use.
    pub addresses: Vec<IpAddr>,
}

/// Address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}
