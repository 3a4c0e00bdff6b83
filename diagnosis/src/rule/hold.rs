//! Connections that are cut after a while: by silence, by age, or by an event.

mod whose;

use super::{Answer, Check, Claim, Draft, Rule, claim};
use crate::evidence::holding::{Holding, Picture, same_age};
use crate::evidence::holding::{after, between, words};
use crate::evidence::{BundleView, Evidence, RouteView};
use crate::idle::survives;
use crate::model::NextStep;
use crate::model::{Cause, Confidence, Location, Severity, Status};
use crate::remedy;
use crate::suggest::{run_again, run_outside};
use whose::location;
use wss_bundle::observation::probe;

pub(super) const IDLE_TIMEOUT: Rule = Rule {
    id: "idle-timeout",
    title: "Cut after a silence",
    looks_for: "a silent connection that is cut, or forgotten without a word, while one that pings \
                every few seconds outlives it; where nobody ends it, the limit lies between the \
                longest silence that was survived and the shortest that was not",
    why: "the console's socket may be silent for long; intermediaries close idle connections \
          (nginx and AWS ALB after 60 s, by default), and firewalls and NAT forget them",
    remedy: "raise the idle timeout to 3600 s",
    check: Check::Evidence(idle_timeout),
};
pub(super) const LIFETIME_LIMIT: Rule = Rule {
    id: "lifetime-limit",
    title: "Cut after a fixed time, whatever the activity",
    looks_for: "silent and pinging connections, begun some seconds apart, that are cut at the same \
                age",
    why: "GCP's backend timeout and Azure Application Gateway's request timeout count from the \
          start, not from the last byte",
    remedy: "raise the limit to 3600 s",
    check: Check::Evidence(lifetime_limit),
};
pub(super) const CUT_TOGETHER: Rule = Rule {
    id: "insufficient-cut-together",
    title: "All were cut in the same moment",
    looks_for: "connections begun some seconds apart that end in the same moment",
    why: "a reload (nginx: worker_shutdown_timeout; HAProxy: hard-stop-after), a restart or a \
          failover ends all at once; a limit of age or silence ends each at its own time",
    remedy: "find out what happened then; run it again, to see whether it comes back",
    check: Check::Evidence(cut_together),
};
pub(super) const PINGS_ALONE: Rule = Rule {
    id: "insufficient-pings-alone",
    title: "One of the held connections was cut",
    looks_for: "a pinging connection that ends, and a silent one that outlives it; or a silent one that \
                ends, and one that was silent for longer and answered",
    why: "no limit of silence or age does that; one of several servers may have been restarted or have \
          another limit, or somebody takes offence at Pings",
    remedy: "run it again, to see whether it comes back",
    check: Check::Evidence(pings_alone),
};

fn known_defaults(e: &Evidence<'_>, seconds: f64) -> String {
    let known = e.signatures.idle_defaults(seconds);
    if known.is_empty() {
        return String::new();
    }
    let list: Vec<String> = known
        .iter()
        .take(4)
        .map(|(name, s, setting)| format!("{name} {s} s ({setting})"))
        .collect();
    format!(" It matches a known default: {}.", list.join("; "))
}

/// As [`known_defaults`], for ages.
fn known_lifetimes(e: &Evidence<'_>, seconds: f64) -> String {
    let known = e.signatures.lifetime_limits(seconds);
    let list: Vec<String> = known
        .iter()
        .take(4)
        .map(|(name, s, setting)| format!("{name} {s} s ({setting})"))
        .collect();
    match list.is_empty() {
        true => known_defaults(e, seconds),
        false => format!(" It matches a known default: {}.", list.join("; ")),
    }
}

/// What forgets connections without a word after a silence that lies in this bracket.
fn known_to_forget(alive: Option<f64>, dead: f64) -> String {
    let low = alive.unwrap_or(0.0);
    let known: Vec<String> = FORGETFUL
        .iter()
        .filter(|(_, seconds)| low < *seconds && *seconds <= dead)
        .map(|(name, seconds)| format!("{name} ({seconds:.0} s)"))
        .collect();
    // A bracket from seconds to an hour has them all in it, and tells nothing.
    if known.is_empty() || dead > low * 4.0 {
        return String::new();
    }
    format!(" In it lie these defaults: {}.", known.join(", "))
}

/// What keeps track of connections and says nothing when it forgets one, with its default
/// in seconds, as the makers document it.
const FORGETFUL: [(&str, f64); 10] = [
    ("Azure Load Balancer and NAT gateway, 4 minutes", 240.0),
    ("AWS Network Load Balancer", 350.0),
    ("AWS NAT gateway and security groups", 350.0),
    ("GCP's VPC firewall, 10 minutes", 600.0),
    ("IPVS, as kube-proxy uses it", 900.0),
    ("GCP's Cloud NAT, 20 minutes", 1200.0),
    ("Juniper SRX, 30 minutes", 1800.0),
    ("Cisco ASA, an hour", 3600.0),
    ("Palo Alto, an hour", 3600.0),
    ("FortiGate and Check Point, an hour", 3600.0),
];

/// What became of the connection that pings, beside silent ones that were cut.
enum Pinging<'a> {
    NotHeld,
    Lasted(Holding<'a>),
    CutLater(Holding<'a>),
}

fn pinging<'a>(route: &RouteView<'a>) -> Pinging<'a> {
    match route.holdings().find(Holding::pings) {
        None => Pinging::NotHeld,
        Some(one) if one.ended() => Pinging::CutLater(one),
        Some(one) => Pinging::Lasted(one),
    }
}

fn idle_timeout(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let bracket = route.silence_survived();
    match (route.picture(), bracket.cut) {
        (None, _) => Answer::NotApplicable,
        (Some(Picture::Idle), Some(cut)) if bracket.too_short() => {
            Answer::Fail(Box::new(idle_claim(e, focus, route, bracket.alive_s, cut)))
        }
        _ => Answer::Pass,
    }
}

/// Which limit, as title, sentence, and what is known of it.
fn limit(e: &Evidence<'_>, alive: Option<f64>, cut: Holding<'_>) -> (String, String, String) {
    let seconds = cut.age_s();
    if !cut.unseen() {
        let title = format!("A silent connection is cut after {seconds:.1} s");
        let text = format!("The silent connection was cut after {seconds:.1} s");
        return (title, text, known_defaults(e, seconds));
    }
    let range = between(alive, seconds);
    let survived = match alive {
        Some(alive) => {
            format!("After {} of silence a connection still answered; after", words(alive))
        }
        None => "After".to_owned(),
    };
    let title = format!("A silent connection is forgotten: the limit is {range}");
    let came = match cut.forgotten() {
        true => "nothing came back, and nobody ended it",
        false => {
            "its first sign of life was answered by the end of the connection, which nobody had \
             ended before"
        }
    };
    let text = format!("{survived} {} {came}: the limit is {range}", words(seconds));
    (title, text, known_to_forget(alive, seconds))
}

/// How many of the silent ones show it, and what they have in common.
fn picture_of_silence(route: &RouteView<'_>) -> String {
    let cut: Vec<Holding<'_>> =
        route.holdings().filter(|one| one.silent() && one.ended()).collect();
    let seen: Vec<Holding<'_>> = cut.iter().copied().filter(|one| !one.unseen()).collect();
    if seen.len() < 2 || seen.len() < cut.len() {
        return match cut.len() {
            0 | 1 => String::new(),
            n => format!(" {n} silent connections show it, each asked after its own time."),
        };
    }
    let (ages, apart) = (range(&seen, Holding::age_s), range(&seen, Holding::began_s));
    format!(
        " {} silent connections, begun up to {} apart, were each cut after {} of silence: it is the \
         silence that counts, and no moment.",
        seen.len(),
        words(apart.1 - apart.0),
        from_to(ages)
    )
}

fn range<'a>(all: &[Holding<'a>], of: fn(&Holding<'a>) -> f64) -> (f64, f64) {
    all.iter().map(of).fold((f64::MAX, 0.0), |(low, high), x| (low.min(x), high.max(x)))
}

/// Tenths of seconds, as one number where they are one.
fn from_to((low, high): (f64, f64)) -> String {
    if high - low < 0.15 { format!("{high:.1} s") } else { format!("{low:.1} to {high:.1} s") }
}

/// What keeps a connection up, as far as twins at the same age tell: a sentence, and what
/// an administrator can do who cannot raise the limit.
fn kept_up(route: &RouteView<'_>, cut: Holding<'_>) -> (String, Option<&'static str>) {
    let pings_last = matches!(pinging(route), Pinging::Lasted(_));
    let twin = |name: &str| {
        let one = route.holdings().find(|one| one.observation.probe == name)?;
        Some((one, survives(&one, Some(cut), pings_last)?))
    };
    let keepalive = twin(probe::HOLD_KEEPALIVE);
    let mut text = match keepalive {
        Some((one, true)) => format!(
            " A silent one on which the system asks for a sign of life every {} (TCP keepalive) stayed \
             up: that is enough.",
            words(one.hold.keepalive_ms.unwrap_or_default() / 1e3)
        ),
        Some((_, false)) => {
            " One with TCP keepalive did not stay up either: what counts are bytes of the \
             connection's own (Pings, data)."
                .to_owned()
        }
        None => String::new(),
    };
    text.push_str(match twin(probe::HOLD_SERVER_DATA) {
        Some((_, true)) => " One on which the server sends data stayed up.",
        Some((_, false)) => " Data that the server alone sends did not keep one up.",
        None => "",
    });
    let step = keepalive.map(|(_, survived)| match survived {
        true => {
            "Where it cannot be raised: TCP keepalive more often than that keeps connections up, on \
             either side of that hop (Linux: net.ipv4.tcp_keepalive_time, for programs that switch \
             SO_KEEPALIVE on; nginx: so_keepalive at listen; HAProxy: option clitcpka and srvtcpka)."
        }
        false => {
            "Where it cannot be raised, TCP keepalive of the system does not help: it is not passed \
             on by whoever cuts. Only Pings or data of the application do."
        }
    });
    (text, step)
}

fn idle_claim(
    e: &Evidence<'_>,
    focus: &BundleView<'_>,
    route: &RouteView<'_>,
    alive: Option<f64>,
    cut: Holding<'_>,
) -> Claim {
    let seconds = cut.age_s();
    let pinging = pinging(route);
    let (location, confidence, also) = location(e);
    let survives = !matches!(pinging, Pinging::NotHeld);
    let confidence = if survives { confidence } else { confidence.min(Confidence::Medium) };
    let (title, what, known) = limit(e, alive, cut);
    let beside = match &pinging {
        Pinging::NotHeld => String::new(),
        Pinging::Lasted(_) => ", while the one that pings stayed up".to_owned(),
        Pinging::CutLater(one) => format!(
            "; the one that pings was cut as well, later, after {:.1} s: there may be a limit of \
             age beside that of silence",
            one.age_s()
        ),
    };
    let (kept, step) = kept_up(route, cut);
    let mut cure = match cut.unseen() {
        true => remedy::forgotten(e, seconds),
        false => remedy::timeout(e, seconds),
    };
    cure.steps.extend(step.map(str::to_owned));
    let excerpt = after(&cut, alive);
    let picture = picture_of_silence(route);
    let mut draft = Draft::new(Severity::Error, title, focus, cut.observation, excerpt)
        .text(format!(
            "{what}{beside}. The console's socket is silent for longer than that, and needs \
                 3600 s.{known}{picture}{kept}{also}"
        ))
        .remedy(cure);
    if let Pinging::Lasted(one) | Pinging::CutLater(one) = &pinging {
        draft = draft.also(Some(focus.cite(one.observation, pings(one))));
    }
    let survivor = alive.and_then(|alive| {
        route.holdings().find(|one| one.silent() && one.survived_s() == Some(alive))
    });
    draft = draft.also(survivor.filter(|_| cut.unseen()).map(|one| {
        focus.cite(one.observation, format!("answered after {} of silence", words(one.age_s())))
    }));
    let kept = match pinging {
        Pinging::NotHeld => "",
        Pinging::Lasted(_) => "; activity keeps it up",
        Pinging::CutLater(_) => "; activity keeps it up for longer, and not for good",
    };
    let summary = if cut.unseen() {
        let range = between(alive, seconds);
        format!("It works, and a silent connection is forgotten: the limit is {range}{kept}.")
    } else {
        format!("It works, and is cut after {seconds:.0} s of silence{kept}.")
    };
    let mut claim =
        claim(Cause::IdleTimeout, Status::Unstable, location, confidence, summary, draft.done());
    if !survives {
        claim.rivals.push((
            Cause::LifetimeLimit,
            Confidence::Low,
            "no chatty connection was held beside the silent one".into(),
        ));
        claim.missing.push(run_again(e, NextStep::LongerHold, "--hold 75s"));
    }
    if matches!(pinging, Pinging::CutLater(_)) {
        claim.rivals.push((
            Cause::LifetimeLimit,
            Confidence::Low,
            "silent ones were cut long before; there may be both".into(),
        ));
    }
    if location == Location::Undetermined && !route.route.id.is_direct() {
        claim.missing.push(run_again(e, NextStep::LongerHold, "--noproxy '*' --hold 75s"));
    }
    if e.twin().is_none() {
        claim.missing.push(run_outside(e));
    }
    claim
}

fn pings(one: &Holding<'_>) -> String {
    format!("chatty: {:.1} s, {} Pongs", one.held.held_ms / 1e3, one.held.pongs)
}

fn lifetime_limit(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let together = match route.picture() {
        None => return Answer::NotApplicable,
        Some(Picture::Age) => false,
        Some(Picture::AgeOrEvent) => true,
        Some(_) => return Answer::Pass,
    };
    let mut ended = route.holdings().filter(Holding::ended);
    let Some(chatty) = ended.find(Holding::pings) else { return Answer::Pass };
    let silent = route.holdings().find(|one| one.silent() && one.ended() && !one.unseen());
    let (b, a) = (chatty.age_s(), silent.map(|one| one.age_s()));
    let (location, confidence, also) = location(e);
    let alike: Vec<Holding<'_>> =
        route.holdings().filter(|one| one.ended() && same_age(one.age_s(), b)).collect();
    let counts = if !together && chatty.unseen() {
        "All that were to grow older are gone as well, whenever they began, and none that did not: it \
         is the age that counts, not the silence."
            .to_owned()
    } else if together {
        "They began together and ended together, so a limit of age and one event (a reload, a \
         restart, a failover) look alike here."
            .to_owned()
    } else {
        let began = range(&alike, Holding::began_s);
        format!(
            "They began some seconds apart and each ended at the same age ({} of them, begun up to {} \
             apart, at {}): it is the age that counts, not the silence.",
            alike.len(),
            words(began.1 - began.0),
            from_to(range(&alike, Holding::age_s))
        )
    };
    let ages = match a {
        Some(a) => format!(
            "The silent connection was cut after {a:.1} s and the one that pings after {b:.1} s."
        ),
        None if chatty.unseen() => format!(
            "The connection that pings answered at the age of {:.1} s, and never again.",
            chatty.lived_s()
        ),
        None => format!("The connection that pings was cut after {b:.1} s."),
    };
    let finding = Draft::new(
        Severity::Error,
        format!("Connections are cut after {b:.1} s, whatever the activity"),
        focus,
        chatty.observation,
        format!("chatty: cut after {b:.1} s in spite of {} Pongs", chatty.held.pongs),
    )
    .text(format!("{ages} {counts}{}{also}", known_lifetimes(e, b)))
    .also(silent.map(|one| focus.cite(one.observation, format!("silent: {}", after(&one, None)))))
    .remedy(remedy::timeout(e, b))
    .done();
    let mut claim = claim(
        Cause::LifetimeLimit,
        Status::Unstable,
        location,
        if together { Confidence::Low } else { confidence },
        if together {
            format!(
                "It works, and connections ended after {b:.0} s: by their age, or by one event."
            )
        } else {
            format!("It works, and every connection is cut after {b:.0} s whatever the activity.")
        },
        finding,
    );
    if together {
        claim.missing.push(run_again(
            e,
            NextStep::LongerHold,
            &format!("--hold {:.0}s", (b * 1.5).ceil().max(75.0)),
        ));
    }
    if e.twin().is_none() {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}

fn cut_together(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let ended = match route.picture() {
        None => return Answer::NotApplicable,
        Some(Picture::Event(ended)) => ended,
        Some(_) => return Answer::Pass,
    };
    let ages: Vec<String> = ended.iter().map(|one| format!("{:.1} s", one.age_s())).collect();
    let Some((first, rest)) = ended.split_first() else { return Answer::Pass };
    let moments = range(&ended, Holding::moment_s);
    let within = format!("within {:.1} s of each other", (moments.1 - moments.0).max(0.1));
    let oldest = ended.iter().map(Holding::age_s).fold(0.0, f64::max);
    // Begun after the event, or on another server: whoever outlives that age shows more.
    let outlived =
        route.holdings().any(|one| !one.ended() && one.held.held_ms / 1e3 > oldest * 1.1);
    let also = if outlived {
        " Another one, of which this was not the moment, lived longer: so it is no limit of age."
    } else {
        ""
    };
    let mut draft = Draft::new(Severity::Warning,
        "Several connections were cut in the same moment",
        focus,
        first.observation,
        format!("cut after {:.1} s", first.age_s()),
    )
    .text(format!(
        "Connections that began some seconds apart ended in the same moment ({within}), at the ages of \
         {}. That is one event: a reload (nginx ends what is left after worker_shutdown_timeout, \
         HAProxy after hard-stop-after), a restart, a failover. A limit would have cut each at its \
         own time.{also}",
        ages.join(", ")
    ))
    .remedy(remedy::event(e));
    for one in rest {
        let excerpt = format!("cut after {:.1} s, {} Pongs", one.age_s(), one.held.pongs);
        draft = draft.also(Some(focus.cite(one.observation, excerpt)));
    }
    let mut claim = claim(
        Cause::Insufficient,
        Status::Unstable,
        Location::Undetermined,
        Confidence::Medium,
        format!(
            "It works, and {} connections ended in the same moment: by one event (a reload, a \
             restart), not by a limit. Whether it comes back, another run tells.",
            ended.len()
        ),
        draft.done(),
    );
    if !outlived {
        claim.rivals.push((
            Cause::LifetimeLimit,
            Confidence::Low,
            "they were of different ages when they ended".into(),
        ));
    }
    let hold = (oldest * 1.5).ceil().max(75.0);
    claim.missing.push(run_again(e, NextStep::LongerHold, &format!("--hold {hold:.0}s")));
    Answer::Fail(Box::new(claim))
}

fn pings_alone(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let one = match route.picture() {
        None => return Answer::NotApplicable,
        Some(Picture::Unlike(one)) => one,
        Some(_) => return Answer::Pass,
    };
    let seconds = one.age_s();
    let (title, what, but) = match one.pings() {
        true => (
            "The connection that pings was cut, and a silent one outlived it",
            format!("chatty: cut after {seconds:.1} s, {} Pongs", one.held.pongs),
            "a silent connection by the same way lived longer. Neither a limit of silence nor one of \
             age does that: one of several servers may have been restarted, or somebody takes offence \
             at Pings.",
        ),
        false => (
            "A silent connection did not last, and one that was silent for longer did",
            after(&one, None),
            "another by the same way was silent for longer, and answered. No limit that holds for all \
             of them does that: one of several servers or hops may have been restarted, or have \
             another limit than the rest.",
        ),
    };
    let ended = if one.unseen() { "It was gone" } else { "It was cut" };
    let finding = Draft::new(Severity::Warning, title, focus, one.observation, what)
        .text(format!("{ended} after {seconds:.1} s; {but}"))
        .remedy(remedy::event(e))
        .done();
    let mut claim = claim(
        Cause::Insufficient,
        Status::Unstable,
        Location::Undetermined,
        Confidence::Low,
        format!(
            "It works, and one of the held connections was cut after {seconds:.0} s, for no \
                 reason that shows."
        ),
        finding,
    );
    claim.missing.push(run_again(e, NextStep::LongerHold, "--hold 75s"));
    Answer::Fail(Box::new(claim))
}
