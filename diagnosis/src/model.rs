//! The diagnosis as data: the JSON of the contract, field for field.
//!
//! A key with nothing to say is `null` or `[]`, never absent. What is skipped when
//! serialised is for the programs that draw it: said as data, so that nobody parses
//! a sentence for it.

use serde::Serialize;
use wss_bundle::manifest::NotUsed;

/// An enum whose values have names in the contract.
macro_rules! slugs {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident => $slug:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant,)* }
        impl $name {
            /// Every value, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The name in the contract.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)* }
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.slug())
            }
        }
        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let all: Vec<&str> = Self::ALL.iter().map(|one| one.slug()).collect();
                schemars::json_schema!({ "type": "string", "enum": all })
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.slug())
            }
        }
    };
}

/// What `wss-analyzer report --format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Diagnosis {
    /// Name and version of this format.
    pub format: ReportFormat,
    /// The bundles judged together.
    pub case: CaseSummary,
    /// What is broken, whose it is, how sure.
    pub verdict: Verdict,
    /// Other causes that fit, and what speaks against each.
    pub alternatives: Vec<Alternative>,
    /// Everything noticed, most serious first.
    pub findings: Vec<Finding>,
    /// The four items that support asks for, in the page's order.
    pub checklist: Vec<ChecklistItem>,
    /// Devices on the path, nearest to the client first.
    pub devices: Vec<Device>,
    /// How far each route climbed.
    pub routes: Vec<RouteLadder>,
    /// What the holds showed; `null` when nothing was held.
    pub idle: Option<Idle>,
    /// Which bundles were compared. For the report's tables; scripts read the findings.
    #[serde(skip)]
    pub compared: Compared,
    /// What changed since the run before. As [`Diagnosis::compared`].
    #[serde(skip)]
    pub changes: Option<Changes>,
    /// What the configurations say that were given. As [`Diagnosis::compared`].
    #[serde(skip)]
    pub configuration: Option<crate::configuration::Configured>,
}

/// Which bundles were compared, by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compared {
    /// The one that decides.
    pub focus: Option<String>,
    /// Its twin from the other side.
    pub twin: Option<String>,
    /// Pasted outputs of curl, compared or not.
    pub pasted: Vec<PastedOutput>,
}

/// A pasted output of the page's curl command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastedOutput {
    /// Id of the bundle that it is attached to.
    pub bundle: String,
    /// Its entry there.
    pub entry: String,
    /// The observation that it is cited as.
    pub observation: String,
    /// `inside` or `outside`: where it was made.
    pub vantage: String,
    /// What it shows, in a few words.
    pub outcome: String,
    /// Why it is no valid test, when it is none.
    pub no_test: Option<String>,
    /// The command that gives output that can be used, when this cannot.
    pub again: Option<String>,
    /// Whether it is something else that was tried beside a valid test.
    pub beside: bool,
    /// Whether it speaks for its side.
    pub compared: bool,
    /// Whether the upgrade was accepted there; `None` where no answer came to it.
    pub switched: Option<bool>,
}

/// Two runs from the same side.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// Id of the earlier bundle.
    pub before: String,
    /// Id of the later bundle, which decides.
    pub after: String,
    /// What was said before the later one was there.
    pub verdict_before: Verdict,
    /// The route that the settings chose, before and after.
    pub routes: (String, String),
    /// The addresses that the name led to, before and after.
    pub resolved: (Option<String>, Option<String>),
    /// Every layer.
    pub layers: Vec<Change>,
}

/// A layer, before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which.
    pub layer: Layer,
    /// How it was.
    pub before: LayerState,
    /// How it is.
    pub after: LayerState,
    /// Whether that is a difference, times apart.
    pub changed: bool,
}

/// Name and version of the report's JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportFormat {
    /// `wss-report`.
    pub name: &'static str,
    /// 1.
    pub major: u32,
    /// 0.
    pub minor: u32,
}

/// The bundles of one problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CaseSummary {
    /// Case id (the first bundle's).
    pub id: String,
    /// URL of the WebSocket that decides.
    pub target: String,
    /// Its path. For whoever looks for it in the bundles; scripts have the URL.
    #[serde(skip)]
    pub path: String,
    /// The bundles, inside first, then by time.
    pub bundles: Vec<BundleSummary>,
}

/// One bundle of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BundleSummary {
    /// Its UUID.
    pub id: String,
    /// `inside` or `outside`.
    pub vantage: String,
    /// RFC 3339, UTC.
    pub collected_at: String,
    /// False when interrupted.
    pub complete: bool,
    /// What is wrong with the zip.
    pub defects: Vec<String>,
    /// What was given to the collector and could not be used.
    pub not_used: Vec<NotUsed>,
}

slugs! {
    /// `working`, `unstable`, `broken`, `unknown`.
    Status {
        /// Upgrade, frames and hold pass.
        Working => "working",
        /// It works, not for long.
        Unstable => "unstable",
        /// It does not work.
        Broken => "broken",
        /// Cannot be told.
        Unknown => "unknown",
    }
}

slugs! {
    /// Where the fault lies.
    Location {
        /// Between the client and the edge of its network.
        ClientNetwork => "client-network",
        /// The load balancer, the server, or their network.
        ServerSide => "server-side",
        /// The browser alone.
        Browser => "browser",
        /// What was asked for: address, path, credentials.
        Target => "target",
        /// Nothing is wrong.
        None => "none",
        /// Cannot be told.
        Undetermined => "undetermined",
    }
}

slugs! {
    /// How sure.
    Confidence {
        /// One of several explanations.
        Low => "low",
        /// The evidence fits; a twin is missing.
        Medium => "medium",
        /// A difference between twins shows it.
        High => "high",
    }
}

slugs! {
    /// How serious a finding is.
    Severity {
        /// It breaks the console.
        Error => "error",
        /// It may, or makes it unstable.
        Warning => "warning",
        /// Worth knowing.
        Info => "info",
    }
}

slugs! {
    /// The contract's causes.
    Cause {
        /// Upgrade, frames and hold all pass.
        None => "none",
        /// The name does not resolve here.
        DnsFailure => "dns-failure",
        /// Inside and outside resolve it differently.
        DnsSplit => "dns-split",
        /// TCP fails on every route.
        Unreachable => "unreachable",
        /// A proxy is set and cannot be reached.
        ProxyUnreachable => "proxy-unreachable",
        /// 407.
        ProxyAuthRequired => "proxy-auth-required",
        /// CONNECT answered with an error.
        ProxyRefusesTunnel => "proxy-refuses-tunnel",
        /// Direct is blocked, and a known proxy that is not used works.
        ProxyRequired => "proxy-required",
        /// Pages pass, the upgrade does not, and a proxy or interceptor is why.
        ProxyBlocksWebsocket => "proxy-blocks-websocket",
        /// The certificate itself is bad.
        TlsUntrusted => "tls-untrusted",
        /// An interceptor's certificate is not trusted here.
        TlsIntercepted => "tls-intercepted",
        /// The handshake fails.
        TlsFailure => "tls-failure",
        /// 3xx to the upgrade.
        Redirected => "redirected",
        /// Somebody answers in the server's place.
        BlockedPage => "blocked-page",
        /// The load balancer does not forward the upgrade.
        LbStripsUpgrade => "lb-strips-upgrade",
        /// HTTP/2 is in the way.
        LbHttp2 => "lb-http2",
        /// 502.
        BadGateway => "bad-gateway",
        /// 503.
        NoHealthyBackend => "no-healthy-backend",
        /// 504, or silence.
        GatewayTimeout => "gateway-timeout",
        /// The server answers 401/403.
        AuthRequired => "auth-required",
        /// 403 that goes away with the right Origin.
        OriginRejected => "origin-rejected",
        /// Every path is unknown.
        WrongPath => "wrong-path",
        /// An invalid 101.
        BadHandshake => "bad-handshake",
        /// A valid 101, then no frames.
        FramesBlocked => "frames-blocked",
        /// Cut after a silence.
        IdleTimeout => "idle-timeout",
        /// Cut after a fixed time.
        LifetimeLimit => "lifetime-limit",
        /// Several backends behind one address contradict each other.
        BackendsDiffer => "backends-differ",
        /// A limit refuses handshakes that are spaced as a browser's.
        RateLimited => "rate-limited",
        /// Only the browser fails.
        BrowserOnly => "browser-only",
        /// Cannot be told.
        Insufficient => "insufficient",
    }
}

/// What is broken, whose it is, how sure.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Verdict {
    /// Whether it works.
    pub status: Status,
    /// Why not.
    pub cause: Cause,
    /// Whose it is.
    pub location: Location,
    /// How sure.
    pub confidence: Confidence,
    /// One sentence.
    pub summary: String,
    /// What would settle it, the best first.
    pub missing: Vec<Next>,
}

/// A command that would settle what is open. In JSON it is the command alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Next {
    /// What it is for.
    pub step: NextStep,
    /// The command, ready to paste.
    pub command: String,
}

impl std::fmt::Display for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.command)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Next {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Next".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

impl Serialize for Next {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.command)
    }
}

slugs! {
    /// What a suggested command does, or adds to the run before.
    NextStep {
        /// A run from outside the network.
        RunOutside => "run-outside",
        /// A run from inside the network.
        RunInside => "run-inside",
        /// A longer hold of silent connections.
        LongerHold => "longer-hold",
        /// More time for each step.
        LongerTimeout => "longer-timeout",
        /// Credentials for the target.
        Credentials => "credentials",
        /// A client certificate.
        ClientCertificate => "client-certificate",
        /// Credentials for the proxy.
        ProxyCredentials => "proxy-credentials",
        /// What the load balancer's own tools print.
        Configuration => "configuration",
        /// Another path.
        Path => "path",
        /// The way without a proxy.
        WithoutProxy => "without-proxy",
        /// What a real browser sees.
        Browser => "browser",
        /// What the browser's console says.
        BrowserMessage => "browser-message",
        /// The same again.
        Again => "run-again",
    }
}

/// Another cause that fits.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alternative {
    /// Which.
    pub cause: Cause,
    /// How well it fits.
    pub confidence: Confidence,
    /// What speaks against it.
    pub why_not: String,
}

/// Something noticed, with the observations that show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// Id of the rule that noticed it.
    pub rule: &'static str,
    /// How serious.
    pub severity: Severity,
    /// A few words.
    pub title: String,
    /// What was seen and what it means.
    pub text: String,
    /// What shows it.
    pub evidence: Citations,
    /// Rules whose findings are effects of this one.
    pub explains: Vec<&'static str>,
    /// What to do about it.
    pub remedy: Option<Remedy>,
}

/// One citation, and maybe more: a finding without any does not compile.
#[derive(Debug, Clone, PartialEq)]
pub struct Citations {
    /// The first.
    pub first: Citation,
    /// The rest.
    pub rest: Vec<Citation>,
}

impl LayerState {
    /// In a few words: the status, and the detail where there is one.
    #[must_use]
    pub fn words(&self) -> String {
        match self.detail.as_deref() {
            Some(detail) if !detail.is_empty() => format!("{} ({detail})", self.status),
            _ => self.status.to_string(),
        }
    }
}

impl Citations {
    /// All citations.
    pub fn iter(&self) -> impl Iterator<Item = &Citation> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Citations {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Citations".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<Citation>::json_schema(generator)
    }
}

impl Serialize for Citations {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter())
    }
}

/// An observation that shows something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Citation {
    /// UUID of the bundle.
    pub bundle: String,
    /// Id of the observation in it.
    pub observation: String,
    /// The telling part.
    pub excerpt: String,
}

/// What a citation points at, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cited<'a> {
    /// An observation of the collector's (`o12`).
    Observation(&'a str),
    /// What a browser saw (`b3`).
    Browser(&'a str),
    /// A test that somebody pasted, by the id of its output (`attachments/…`).
    Pasted(&'a str),
}

impl Citation {
    /// What it points at.
    #[must_use]
    pub fn cited(&self) -> Cited<'_> {
        let id = self.observation.as_str();
        if id.starts_with("attachments/") {
            // Of a test through a proxy there is the answer to CONNECT as well.
            return Cited::Pasted(id.strip_suffix(crate::curl_output::TUNNEL).unwrap_or(id));
        }
        if id.starts_with('b') { Cited::Browser(id) } else { Cited::Observation(id) }
    }
}

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Remedy {
    /// A few words.
    pub title: String,
    /// In order.
    pub steps: Vec<String>,
    /// Those of the steps that only say where the others are known from.
    #[serde(skip)]
    pub sources: Vec<String>,
    /// Configuration to paste.
    pub snippet: Option<Snippet>,
    /// The command that shows that it worked.
    pub verify: String,
}

impl Remedy {
    /// A last step that says where those before it are known from.
    pub(crate) fn known_from(&mut self, source: &str) {
        let step = format!("Source: {source}");
        self.sources.push(step.clone());
        self.steps.push(step);
    }

    /// What to do, without where it is known from.
    pub fn to_do(&self) -> impl Iterator<Item = &String> {
        self.steps.iter().filter(|step| !self.sources.contains(step))
    }
}

/// Configuration to paste.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Snippet {
    /// `nginx`, `haproxy`, `squid`, `text` …
    pub language: String,
    /// The text.
    pub text: String,
}

/// One of the four items that support asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChecklistItem {
    /// `upgrade-test`, `proxy-or-load-balancer`, `failed-handshake`, `network-path`.
    pub item: &'static str,
    /// `complete`, `partial`, `missing`.
    pub status: ItemStatus,
    /// What is there.
    pub have: Vec<String>,
    /// What is not.
    pub missing: Vec<String>,
    /// The command that completes it; `null` when complete.
    pub how: Option<String>,
}

slugs! {
    /// How complete an item is.
    ItemStatus {
        /// Nothing to add.
        Complete => "complete",
        /// Something to add.
        Partial => "partial",
        /// Nothing there.
        Missing => "missing",
    }
}

slugs! {
    /// What a device does on the path.
    DeviceRole {
        /// The client's proxy.
        ForwardProxy => "forward-proxy",
        /// Somebody who re-signs certificates.
        TlsInterceptor => "tls-interceptor",
        /// A reverse proxy or load balancer.
        LoadBalancer => "load-balancer",
        /// A web application firewall.
        Waf => "waf",
        /// A content delivery network.
        Cdn => "cdn",
        /// The server itself.
        Origin => "origin",
    }
}

slugs! {
    /// On whose side a product stands. What a role does not say: a firewall's page
    /// may be the client's web filter's or the server's own.
    Side {
        /// Between the client and the internet: the customer's network.
        Client => "client",
        /// Before the server: whoever runs the console.
        Server => "server",
        /// Either; the route has to tell.
        Either => "either",
    }
}

/// A device on the path.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Device {
    /// What it does.
    pub role: DeviceRole,
    /// Its name; `null` when unknown.
    pub product: Option<String>,
    /// Its version; `null` when it does not tell.
    pub version: Option<String>,
    /// How sure.
    pub confidence: Confidence,
    /// Why.
    pub because: Vec<String>,
}

/// How far one route climbed, for one path.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteLadder {
    /// UUID of the bundle.
    pub bundle: String,
    /// `inside` or `outside`.
    pub vantage: String,
    /// `direct`, or `proxy <url>`.
    pub route: String,
    /// The WebSocket path.
    pub path: String,
    /// Always all eight, in order.
    pub layers: Vec<LayerState>,
    /// Whether its bundle is judged by this route: browsers there take it.
    #[serde(skip)]
    pub chosen: bool,
}

slugs! {
    /// The layers, from the bottom.
    Layer {
        /// Name resolution.
        Dns => "dns",
        /// TCP, to the target or to the proxy.
        Tcp => "tcp",
        /// CONNECT or SOCKS.
        Proxy => "proxy",
        /// TLS.
        Tls => "tls",
        /// A plain request.
        Http => "http",
        /// The opening handshake.
        Upgrade => "upgrade",
        /// Ping and Pong.
        Frames => "frames",
        /// The silent hold.
        Hold => "hold",
    }
}

/// One layer of a ladder.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LayerState {
    /// Which.
    pub layer: Layer,
    /// How it went.
    pub status: LayerStatus,
    /// Milliseconds; `null` when not run.
    pub ms: Option<f64>,
    /// A few words.
    pub detail: Option<String>,
    /// How it failed, where it did. For tables; scripts read the detail.
    #[serde(skip)]
    pub failure: Option<LayerFailure>,
}

/// How a layer failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerFailure {
    /// A step did not come to its end.
    Step(wss_bundle::FailureKind),
    /// An answer that is a refusal; `None` where it has no status.
    Answer(Option<u16>),
    /// The certificate is not trusted.
    Untrusted,
    /// No Pong came to a Ping.
    NoPong,
    /// Compressed messages do not get through.
    Compressed,
    /// The hold was cut.
    Cut,
}

impl LayerFailure {
    /// A stable name, without addresses and words.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Step(kind) => kind.name(),
            Self::Answer(Some(status)) => format!("status {status}"),
            Self::Answer(None) => "status".to_owned(),
            Self::Untrusted => "untrusted".to_owned(),
            Self::NoPong => "no_pong".to_owned(),
            Self::Compressed => "other".to_owned(),
            Self::Cut => "cut".to_owned(),
        }
    }
}

slugs! {
    /// How a layer went.
    LayerStatus {
        /// Well.
        Pass => "pass",
        /// Badly.
        Fail => "fail",
        /// Not needed on this route.
        Skipped => "skipped",
        /// Not run, or it cannot be told.
        Unknown => "unknown",
    }
}

/// What the holds showed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Idle {
    /// Seconds that the silent hold lasted.
    pub held_s: f64,
    /// The longest silence, in seconds, after which a connection still answered; `null`
    /// when none did.
    pub alive_s: Option<f64>,
    /// The shortest silence, in seconds, after which one was cut, or did not answer;
    /// `null` when there was none. With `silence` the limit lies between `alive_s` and it.
    pub cut_after_s: Option<f64>,
    /// `fin`, `reset`, `close-frame`, `silence` (nobody was seen to end it: when it was asked
    /// for a sign of life, there was none, or a refusal); `null` when it was not cut.
    pub cut_by: Option<&'static str>,
    /// Whether a close_notify came before the FIN; `null` without TLS.
    pub tls_closed: Option<bool>,
    /// Whether the chatty hold outlived it; `null` when not held.
    pub keepalive_survives: Option<bool>,
    /// Whether a silent one outlived it below which the system asks for signs of life (TCP
    /// keepalive); `null` when not held, or not for long enough to tell.
    pub tcp_keepalive_survives: Option<bool>,
    /// Whether one outlived it on which the server sends data; `null` as above.
    pub server_data_survives: Option<bool>,
    /// What the ends look like together: `lasts`, `silence`, `age`, `event`,
    /// `age-or-event`, `unlike`; `null` when nothing was held.
    pub picture: Option<&'static str>,
}
