//! The proxy asks who is there: what it asks for, what it was told, why that was not
//! enough; and what a browser saw that signed on by itself.

use super::browser::{how, who};
use super::{Answer, Check, Claim, Draft, Rule, claim};
use crate::evidence::{BrowserView, BundleView, Evidence, Fate, Meaning, Reach, RouteView};
use crate::model::{Cause, Confidence, Finding, Location, Next, NextStep, Severity, Status};
use crate::remedy;
use crate::suggest::{run_again, run_outside};
use wss_bundle::observation::SignOn;
use wss_bundle::{FailureKind, Observation, ResponseHead, Step};

pub(super) const PROXY_AUTH_REQUIRED: Rule = Rule {
    id: "proxy-auth-required",
    title: "The proxy asks for credentials",
    looks_for: "407 to CONNECT (RFC 9110 section 15.5.8), or SOCKS authentication refused; why the \
                user's own ticket did not answer it, and whether a browser here got through",
    why: "browsers often answer this in silence (Negotiate, NTLM); programs without the \
          credentials are stopped",
    remedy: "give the credentials or a ticket, or exempt the host",
    check: Check::Evidence(proxy_auth_required),
};

/// What a proxy asked for.
struct Asks<'a> {
    focus: &'a BundleView<'a>,
    route: &'a RouteView<'a>,
    observation: &'a Observation,
    /// Its answer, in a line.
    excerpt: String,
    /// `Negotiate`, `Basic` …
    schemes: Vec<String>,
    /// What became of the user's ticket.
    sign_on: Option<SignOn>,
    /// Seconds by which this machine's clock is ahead of the proxy's.
    ahead_s: Option<i64>,
}

impl Asks<'_> {
    fn offers(&self, scheme: &str) -> bool {
        self.schemes.iter().any(|own| own.eq_ignore_ascii_case(scheme))
    }

    /// The schemes, in brackets.
    fn how(&self) -> String {
        match self.schemes.as_slice() {
            [] => String::new(),
            all => format!(" ({})", all.join(", ")),
        }
    }

    /// Whether it takes nothing but what Windows answers by itself.
    fn integrated(&self) -> bool {
        let own =
            |s: &String| s.eq_ignore_ascii_case("negotiate") || s.eq_ignore_ascii_case("ntlm");
        !self.schemes.is_empty() && self.schemes.iter().all(own)
    }
}

/// Kerberos takes clocks that are no further apart (MIT's and Windows' default).
const SKEW_S: i64 = 300;

fn asks<'a>(
    focus: &'a BundleView<'a>,
    route: &'a RouteView<'a>,
    path: &'a str,
) -> Option<Asks<'a>> {
    let of = |observation, excerpt, schemes, sign_on, head: Option<&ResponseHead>| Asks {
        focus,
        route,
        observation,
        excerpt,
        schemes,
        sign_on,
        ahead_s: head.and_then(|head| ahead(focus, observation, head)),
    };
    match route.reach() {
        Reach::TunnelStatus(o, tunnel, 407) => {
            let head = tunnel.result.ok().and_then(|r| r.head.as_ref());
            let line = head.map_or_else(|| "407".into(), ResponseHead::status_line);
            Some(of(o, line, head.map(schemes).unwrap_or_default(), tunnel.sign_on, head))
        }
        Reach::TunnelFailed(o, f) if f.kind == FailureKind::SocksAuthentication => {
            Some(of(o, f.to_string(), vec!["SOCKS username/password".to_owned()], None, None))
        }
        // ws:// through an interception-free HTTP proxy may meet 407 on the request itself.
        Reach::Reached => {
            let reply = route.upgrade_reply(path).filter(|r| r.status == 407)?;
            Some(of(reply.observation, reply.line(), Vec::new(), None, None))
        }
        _ => None,
    }
}

fn schemes(head: &ResponseHead) -> Vec<String> {
    let all = head.headers().into_iter();
    all.filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authenticate"))
        .filter_map(|(_, value)| value.split([' ', ',']).next().map(str::to_owned))
        .collect()
}

fn ahead(focus: &BundleView<'_>, o: &Observation, head: &ResponseHead) -> Option<i64> {
    let there = chrono::DateTime::parse_from_rfc2822(&head.header("date")?).ok()?;
    let ended = chrono::TimeDelta::milliseconds((o.start_ms + o.duration_ms) as i64);
    Some((focus.bundle.manifest.started_at + ended - there.to_utc()).num_seconds())
}

fn proxy_auth_required(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    if route.route.id.is_direct() {
        return Answer::NotApplicable;
    }
    let Some(asks) = asks(focus, route, path) else { return Answer::Pass };
    let behind = focus.browsers().into_iter().find(|view| got_through(&asks, view));
    let claim = match behind {
        Some(view) => by_the_browser(e, &asks, &view),
        None => not_signed_on(e, &asks),
    };
    Answer::Fail(Box::new(claim))
}

/// Whether a browser got through this proxy by itself, in this collection.
fn got_through(asks: &Asks<'_>, view: &BrowserView<'_>) -> bool {
    let route = view.seen.route.as_deref();
    view.seen.live
        && route.is_none_or(|route| route == asks.route.route.id.0)
        && match view.fate {
            Fate::Works | Fate::CutLater | Fate::NoFrames => true,
            Fate::Answered(status) => status != 407,
            // The certificate is the target's, or an interceptor's: behind the proxy.
            Fate::Failed(meaning) => meaning == Meaning::Untrusted,
            Fate::NotTold => false,
        }
}

/// What a browser saw behind the sign-on is all that is known of what lies there.
fn by_the_browser(e: &Evidence<'_>, asks: &Asks<'_>, view: &BrowserView<'_>) -> Claim {
    let (focus, route) = (asks.focus, &asks.route.route.id);
    let what = format!("{}: {}", who(view), how(view));
    let about = format!(
        "The {route} asks who is there{}. {} The browser signed on by itself, and it alone saw what lies \
         behind: {what}.",
        asks.how(),
        told(asks)
    );
    let works = matches!(view.fate, Fate::Works);
    let severity = if works { Severity::Info } else { Severity::Error };
    let title = "The browser signs on to the proxy by itself";
    let finding = Draft::browser(severity, title, focus, view.seen, how(view))
        .text(about)
        .also(Some(focus.cite(asks.observation, asks.excerpt.clone())));
    let (cause, status, location, summary) = match view.fate {
        Fate::Works => (
            Cause::None,
            Status::Working,
            Location::None,
            format!(
                "The WebSocket works in {}, which signs on to the {route} by itself.",
                who(view)
            ),
        ),
        Fate::CutLater => (
            Cause::Insufficient,
            Status::Unstable,
            Location::Undetermined,
            format!(
                "Behind the sign-on at the {route} the browser's WebSocket opens and is cut: {what}."
            ),
        ),
        Fate::NoFrames => (
            Cause::FramesBlocked,
            Status::Broken,
            Location::Undetermined,
            format!(
                "Behind the sign-on at the {route} the WebSocket opens, and no frames pass: {what}."
            ),
        ),
        Fate::Failed(_) => (
            Cause::TlsUntrusted,
            Status::Broken,
            Location::Undetermined,
            format!(
                "Behind the sign-on at the {route} the browser refuses the certificate: {what}."
            ),
        ),
        _ => (
            Cause::Insufficient,
            Status::Broken,
            Location::Undetermined,
            format!(
                "Behind the sign-on at the {route} the browser's WebSocket is not let through: {what}. \
                 Whose answer that is, is told by what the collector sees there."
            ),
        ),
    };
    let finding = if works { finding.done() } else { finding.remedy(remedy_of(e, asks)).done() };
    let mut claim = claim(cause, status, location, Confidence::Medium, summary, finding);
    if !works {
        claim.missing.extend(sign_on_again(e, asks));
        claim.missing.push(run_outside(e));
    }
    claim
}

fn not_signed_on(e: &Evidence<'_>, asks: &Asks<'_>) -> Claim {
    let route = &asks.route.route.id;
    let how = asks.how();
    let told = told(asks);
    let finding: Finding = Draft::new(
        Severity::Error,
        "The proxy asks for credentials",
        asks.focus,
        asks.observation,
        asks.excerpt.clone(),
    )
    .text(format!(
        "The {route} answers CONNECT with 407{how}. {told} Nothing behind it can be judged until it lets \
         the tunnel through."
    ).replace("  ", " "))
    .remedy(remedy_of(e, asks))
    .done();
    let summary = match asks.sign_on {
        Some(SignOn::Sent) => format!("The {route} refuses the user's ticket{how}."),
        Some(_) => format!("The {route} asks for a sign-on{how}. {told}"),
        None if credentials_given(asks.observation) => {
            format!("The {route} refuses the credentials that it was given{how}.")
        }
        None => format!("The {route} asks for credentials{how} before it opens a tunnel."),
    };
    let mut claim = claim(
        Cause::ProxyAuthRequired,
        Status::Broken,
        Location::ClientNetwork,
        Confidence::High,
        summary,
        finding,
    );
    claim.missing.extend(sign_on_again(e, asks));
    claim
}

fn remedy_of(e: &Evidence<'_>, asks: &Asks<'_>) -> crate::model::Remedy {
    let skewed = asks.ahead_s.is_some_and(|ahead| ahead.abs() > SKEW_S);
    remedy::proxy_credentials(e, &asks.schemes, asks.sign_on, skewed)
}

/// What would get further: a browser, where it may sign on and none was asked; what was
/// missing; and credentials, where the proxy takes such.
fn sign_on_again(e: &Evidence<'_>, asks: &Asks<'_>) -> Vec<Next> {
    let mut out = Vec::new();
    let asked = asks.focus.browsers().iter().any(|view| view.seen.live);
    let installed = asks.focus.bundle.environment.browser.is_some();
    if asks.integrated() && installed && !asked {
        out.push(run_again(e, NextStep::Browser, "--browser"));
    }
    if asks.offers("negotiate") && asks.sign_on.is_some() {
        // Kerberos knows services by their names: the same option again would fail again.
        let option = match asks.sign_on {
            Some(SignOn::NamedByAddress) => "--proxy http://PROXY-NAME:PORT --proxy-negotiate",
            _ => "--proxy-negotiate",
        };
        out.push(run_again(e, NextStep::ProxyCredentials, option));
    }
    if !asks.integrated() || out.is_empty() {
        let given = "--proxy http://USER:PASSWORD@PROXY:PORT";
        out.push(run_again(e, NextStep::ProxyCredentials, given));
    }
    out
}

/// Whether the request for the tunnel carried credentials.
fn credentials_given(o: &Observation) -> bool {
    match &o.step {
        Step::Tunnel(tunnel) => {
            tunnel.request.text().to_ascii_lowercase().contains("\nproxy-authorization:")
        }
        _ => false,
    }
}

/// What it was told, and why that was not enough; a sentence or none.
fn told(asks: &Asks<'_>) -> String {
    let Some(sign_on) = asks.sign_on else {
        return match (credentials_given(asks.observation), asks.integrated()) {
            (true, _) => "It was told credentials, and refuses them.".to_owned(),
            (false, true) if asks.offers("negotiate") => {
                "That is integrated Windows authentication: a browser on a machine of the domain \
                 answers it by itself."
                    .to_owned()
            }
            (false, true) => {
                "That is integrated Windows authentication: a browser on a machine of the \
                              domain answers it by itself. NTLM is not answered here: it takes the \
                              password or Windows' own code, and is being switched off."
                    .to_owned()
            }
            (false, false) => String::new(),
        };
    };
    if sign_on == SignOn::Sent {
        return refused(asks);
    }
    let host = asks.route.route.proxy.as_ref().map_or("the proxy", |proxy| proxy.host.as_str());
    reason(sign_on, host)
}

/// Why a proxy may refuse a token.
fn refused(asks: &Asks<'_>) -> String {
    match asks.ahead_s {
                Some(ahead) if ahead.abs() > SKEW_S => format!(
                    "It was told a token made from the user's Kerberos ticket, and refuses it. This \
                     machine's clock is {} min {} the proxy's; Kerberos takes 5.",
                    ahead.abs() / 60,
                    if ahead > 0 { "ahead of" } else { "behind" }
                ),
                _ => "It was told a token made from the user's Kerberos ticket, and refuses it: the \
                      ticket is of a realm that the proxy does not take, or the proxy's own key is not \
                      the one that the realm has."
                    .to_owned(),
            }
}

/// Why no token could be made.
fn reason(sign_on: SignOn, host: &str) -> String {
    match sign_on {
        SignOn::Sent => String::new(),
        SignOn::NoTicket => "The user has no Kerberos ticket here.".to_owned(),
        SignOn::TicketExpired => "The user's Kerberos ticket has expired.".to_owned(),
        SignOn::ServerUnknown => format!(
            "The user's realm knows no service HTTP/{host}: the ticket is of another realm than the \
             proxy's, or the proxy has no service principal (SPN) by this name."
        ),
        SignOn::NamedByAddress => format!(
            "The proxy is set by its address ({host}), and Kerberos knows services by name alone."
        ),
        SignOn::KdcUnreachable => {
            "No key distribution centre (KDC, a domain controller) of the user's realm answers from \
             here."
                .to_owned()
        }
        SignOn::ClockSkew => "This machine's clock is more than 5 minutes off the realm's, and Kerberos \
                              takes no more."
            .to_owned(),
        SignOn::NoCurl => "There is no curl on this machine, which makes the token.".to_owned(),
        SignOn::CurlWithoutKerberos => {
            "This machine's curl was built without Kerberos (GSS-API or SSPI).".to_owned()
        }
        SignOn::OnlyNtlm => "There is no Kerberos ticket for this proxy: all that Windows offers is NTLM, \
                             which is not answered here."
            .to_owned(),
        SignOn::TimedOut => "No token was made in time: the key distribution centre may be slow or out \
                             of reach."
            .to_owned(),
        SignOn::Other => "No token could be made, for a reason that is not known.".to_owned(),
    }
}
