//! The rules: each looks at the evidence and says pass, fail (with the
//! observations that show it), cannot tell (with what is missing), or not
//! applicable.
//!
//! Rules are grouped by the layer they look at, one file a layer, because the
//! rules of a layer share their questions and must not contradict each other:
//! within a file at most one cause is claimed for the deciding route.

mod blame;
mod browser;
mod comparison;
mod compression;
pub(crate) mod configuration;
mod hold;
mod likeness;
mod limit;
mod network;
mod notes;
mod origin;
mod proxies;
mod proxy_sign_on;
mod repeat;
mod socket;
mod tls;
mod upgrade;

pub(crate) use proxies::whose_way;

use crate::curl_output::Output;
use crate::evidence::{BundleView, Evidence};
use crate::model::{
    Cause, Changes, Citation, Citations, Confidence, Finding, Location, Next, Remedy, Severity,
    Status, Verdict,
};
use wss_bundle::{BrowserHandshake, Observation};

/// A cause that a rule claims, with its finding.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Which cause.
    pub cause: Cause,
    /// What it means for the console.
    pub status: Status,
    /// Whose it is.
    pub location: Location,
    /// How sure.
    pub confidence: Confidence,
    /// One sentence for the verdict.
    pub summary: String,
    /// What would settle it.
    pub missing: Vec<Next>,
    /// What shows it.
    pub finding: Finding,
    /// Rivals that the same evidence leaves open: cause, how well it fits, what speaks against it.
    pub rivals: Vec<(Cause, Confidence, String)>,
}

/// What a rule says.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Looked, and all is well.
    Pass,
    /// A cause.
    Fail(Box<Claim>),
    /// Worth telling, and no cause.
    Note(Vec<Finding>),
    /// It could not be told; what would settle it.
    CannotTell(Vec<Next>),
    /// This case has nothing for this rule to look at.
    NotApplicable,
}

/// One rule.
pub struct Rule {
    /// Stable id; the cause's slug for rules that claim one.
    pub id: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What it looks for.
    pub looks_for: &'static str,
    /// Why that shows it, and where it is known from.
    pub why: &'static str,
    /// What the remedy is about.
    pub remedy: &'static str,
    /// The check.
    pub check: Check,
}

/// What a rule looks at, and so what it may say.
#[derive(Clone, Copy)]
pub enum Check {
    /// At the evidence: it may claim a cause.
    Evidence(fn(&Evidence<'_>) -> Answer),
    /// At the claims of all other rules, beside the configurations: see `configuration`.
    Settled,
    /// At what was judged: it adds findings, and no cause.
    Judged(fn(&Evidence<'_>, &Judged<'_>) -> Vec<Finding>),
}

/// A case that has its verdict.
pub struct Judged<'a> {
    /// The verdict.
    pub verdict: &'a Verdict,
    /// What changed since the run before.
    pub changes: Option<&'a Changes>,
    /// The verdict about other evidence. It costs as much as the case itself.
    pub judge: &'a dyn Fn(&Evidence<'_>) -> Verdict,
}

pub(crate) use browser::{speaks_against, unexplained};
pub(crate) use repeat::{of_one_server, rests_on_one_answer};
pub(crate) use upgrade::answered_before;

/// Every rule, lowest layer first: the first claim on the deciding route is
/// the cause, since nothing above a broken layer can be judged.
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}

static RULES: &[Rule] = &[
    network::DNS_SPLIT,
    network::PROXY_UNREACHABLE,
    network::PROXY_REQUIRED,
    network::DNS_FAILURE,
    network::UNREACHABLE,
    proxy_sign_on::PROXY_AUTH_REQUIRED,
    network::PROXY_REFUSES_TUNNEL,
    tls::TLS_FAILURE,
    tls::LB_HTTP2_ALPN,
    tls::TLS_INTERCEPTED,
    tls::TLS_UNTRUSTED,
    limit::RATE_LIMITED,
    repeat::BACKENDS_DIFFER,
    repeat::TURNED,
    repeat::RUNS_TAKE_TURNS,
    upgrade::BLOCKED_PAGE,
    upgrade::WRONG_PATH,
    upgrade::AUTH_REQUIRED,
    upgrade::REDIRECTED,
    upgrade::PROXY_BLOCKS_WEBSOCKET,
    upgrade::LB_HTTP2,
    limit::OR_CLOSED,
    upgrade::BAD_GATEWAY,
    upgrade::NO_HEALTHY_BACKEND,
    upgrade::GATEWAY_TIMEOUT,
    upgrade::LB_STRIPS_UPGRADE,
    socket::BAD_HANDSHAKE,
    socket::FRAMES_BLOCKED,
    limit::LIMIT_HIDES,
    origin::PROXY_REJECTS_NAME,
    origin::BROWSERS_NAME,
    origin::ORIGIN_REJECTED,
    origin::PROXY_REJECTS_BROWSERS,
    origin::BROWSERS_REJECTED,
    socket::LB_HTTP2_EXTENDED_CONNECT,
    browser::BROWSER_HTTP2,
    compression::FRAMES_BLOCKED_COMPRESSED,
    compression::PROXY_REFUSES_OFFER,
    compression::LB_REFUSES_OFFER,
    browser::RECORDED_REFUSED,
    browser::BROWSER_ONLY,
    hold::CUT_TOGETHER,
    hold::IDLE_TIMEOUT,
    hold::LIFETIME_LIMIT,
    hold::PINGS_ALONE,
    browser::BROWSER_WORKS,
    browser::BROWSER_AGREES,
    browser::BROWSER_OTHER_WAY,
    browser::BROWSER_CUT,
    browser::BROWSER_ANSWERED,
    browser::BROWSER_RECONNECTS,
    browser::BROWSER_RECORDING_OLD,
    browser::BROWSER_MESSAGE,
    limit::LIMIT_MET,
    notes::WAITED_TOO_SHORT,
    notes::CURL_OVER_HTTP2,
    notes::SELECTED_ROUTE_DIFFERS,
    notes::ANOTHER_ROUTE_GETS_FURTHER,
    proxies::CLIENTS_DIFFER,
    proxies::PAGE_AND_SOCKET_DIFFER,
    likeness::USER_AGENT_FILTER,
    notes::ADDRESS_OF_A_PAGE,
    notes::AGENT_PATH_ALONE,
    upgrade::PATH_ANSWERED,
    comparison::NOT_COMPARABLE,
    comparison::COLLECTED_APART,
    comparison::CURL_OUTPUT_NO_TEST,
    comparison::CHANGED_SINCE,
    repeat::RUNS_DISAGREE,
    comparison::SECOND_FAULT,
    notes::WORKS_INSIDE_ONLY,
    notes::CERTIFICATE_EXPIRES,
    notes::CLOCK_SKEW,
    notes::SERVER_VERSION,
    configuration::HEADERS,
    configuration::HTTP2,
    configuration::TIMEOUT,
    configuration::PATH_RULE,
    configuration::HOST,
    configuration::EXTENSIONS,
    configuration::LIMIT,
    configuration::PROXY_PROTOCOL,
    configuration::NODES,
    configuration::RELOAD,
    configuration::SUBREQUEST,
    configuration::NO_EFFECT,
    configuration::TARGETS,
    configuration::NOT_IN_EFFECT,
    configuration::UNTOLD,
];

/// All rules as a page (`docs/rules.md`).
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(
        "# The rules\n\nGenerated from `diagnosis/src/rule/`; a test fails when it is stale \
         (`UPDATE_DOCS=1 cargo test -p wss-diagnosis docs` writes it anew). The first claim on the \
         deciding route, from the lowest layer up, is the cause.\n",
    );
    for rule in rules() {
        out.push_str(&format!(
            "\n## {}\n\n**{}**\n\n- Looks for: {}.\n- Why: {}.\n- Remedy: {}.\n",
            rule.id, rule.title, rule.looks_for, rule.why, rule.remedy
        ));
    }
    out
}

/// Of a finding that has not been handed on yet: who asks a rule stamps what it answers
/// with the rule's id.
const UNSTAMPED: &str = "";

impl Answer {
    /// With the id of the rule that gave it.
    pub(crate) fn stamped(mut self, rule: &Rule) -> Self {
        match &mut self {
            Self::Fail(claim) => claim.finding.rule = rule.id,
            Self::Note(findings) => findings.iter_mut().for_each(|found| found.rule = rule.id),
            Self::Pass | Self::CannotTell(_) | Self::NotApplicable => {}
        }
        self
    }
}

/// A finding with at least one citation, built step by step.
pub(crate) struct Draft {
    finding: Finding,
}

impl Draft {
    /// Starts a finding with the observation that shows it.
    pub(crate) fn new(
        severity: Severity,
        title: impl Into<String>,
        view: &BundleView<'_>,
        observation: &Observation,
        excerpt: impl Into<String>,
    ) -> Self {
        Self::of(severity, title.into(), view.cite(observation, excerpt))
    }

    /// The same with what a browser saw.
    pub(crate) fn browser(
        severity: Severity,
        title: impl Into<String>,
        view: &BundleView<'_>,
        seen: &BrowserHandshake,
        excerpt: impl Into<String>,
    ) -> Self {
        Self::of(severity, title.into(), view.cite_browser(seen, excerpt))
    }

    /// The same with what somebody pasted.
    pub(crate) fn pasted(severity: Severity, title: impl Into<String>, output: &Output) -> Self {
        let first = Citation {
            bundle: output.bundle.clone(),
            observation: output.id.clone(),
            excerpt: output.outcome.clone(),
        };
        Self::of(severity, title.into(), first)
    }

    fn of(severity: Severity, title: String, first: Citation) -> Self {
        Self {
            finding: Finding {
                rule: UNSTAMPED,
                severity,
                title,
                text: String::new(),
                evidence: Citations { first, rest: Vec::new() },
                explains: Vec::new(),
                remedy: None,
            },
        }
    }

    /// For whoever speaks for several rules at once.
    pub(crate) fn of_rule(mut self, rule: &'static str) -> Self {
        self.finding.rule = rule;
        self
    }

    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.finding.text = text.into();
        self
    }

    pub(crate) fn also(mut self, citation: Option<Citation>) -> Self {
        self.finding.evidence.rest.extend(citation);
        self
    }

    pub(crate) fn remedy(mut self, remedy: Remedy) -> Self {
        self.finding.remedy = Some(remedy);
        self
    }

    pub(crate) fn done(self) -> Finding {
        self.finding
    }
}

/// As the beginning of a sentence.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// A claim without rivals.
pub(crate) fn claim(
    cause: Cause,
    status: Status,
    location: Location,
    confidence: Confidence,
    summary: impl Into<String>,
    finding: Finding,
) -> Claim {
    Claim {
        cause,
        status,
        location,
        confidence,
        summary: summary.into(),
        missing: Vec::new(),
        finding,
        rivals: Vec::new(),
    }
}
