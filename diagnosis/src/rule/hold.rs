//! Connections that are cut after a while: by silence, by age, or by an event.

use super::{Answer, Check, Claim, Draft, Rule, claim};
use crate::evidence::holding::{Bracket, Holding, Picture, same_age};
use crate::evidence::{BundleView, Evidence, RouteView};
use crate::idle::{after, between, words};
use crate::model::NextStep;
use crate::model::{Cause, Confidence, Location, Severity, Status};
use crate::remedy;
use crate::suggest::{run_again, run_outside};

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
    looks_for: "a pinging connection that ends, and a silent one that outlives it",
    why: "no limit of silence or age does that; one of several servers may have been restarted, or \
          somebody takes offence at Pings",
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

/// Whether the same silence was survived by another way: one so long that this way
/// did not survive it.
fn survives_elsewhere(own: &Bracket<'_>, other: &RouteView<'_>) -> bool {
    let theirs = other.silence_survived();
    let Some(cut) = own.cut else { return false };
    theirs.alive_s.is_some_and(|alive| alive >= cut.age_s() * 0.99)
}

/// Whether another way was cut as well, after a silence that fits.
fn cut_alike(own: &Bracket<'_>, other: &RouteView<'_>) -> bool {
    let theirs = other.silence_survived();
    let (Some(a), Some(b)) = (own.cut, theirs.cut) else { return false };
    if a.forgotten() && b.forgotten() {
        let overlap = |low: Option<f64>, high: f64| low.is_none_or(|low| low <= high);
        return overlap(own.alive_s, b.age_s()) && overlap(theirs.alive_s, a.age_s());
    }
    a.forgotten() == b.forgotten() && same_age(a.age_s(), b.age_s())
}

/// Whose a cut is: another way, or the other side, decides. From one: with a trusted
/// TLS session that was closed in order (close_notify), it was the TLS terminator;
/// FIN alone was somebody who does not own the session (facts: lab, point 5); and
/// silence has no author.
fn location(e: &Evidence<'_>) -> (Location, Confidence, String) {
    let Some((focus, route, _)) = e.deciding() else {
        return (Location::Undetermined, Confidence::Low, String::new());
    };
    let own = route.silence_survived();
    let told = |location, text: &str| (location, Confidence::High, text.to_owned());
    if let Some(theirs) = e.twin().and_then(|t| t.selected()) {
        if survives_elsewhere(&own, theirs) {
            let text = " From outside, the same silence is survived.";
            return told(Location::ClientNetwork, text);
        }
        if cut_alike(&own, theirs) {
            return told(Location::ServerSide, " From outside it is cut at the same age.");
        }
    }
    // The direct way is held beside a proxy, as its twin.
    if let Some(direct) = (!route.route.id.is_direct()).then(|| focus.direct()).flatten() {
        if survives_elsewhere(&own, direct) {
            let text = " The direct way, without the proxy, survives the same silence.";
            return told(Location::ClientNetwork, text);
        }
        if cut_alike(&own, direct) {
            let text = " The direct way, without the proxy, is cut at the same age.";
            return told(Location::ServerSide, text);
        }
    }
    from_one_way(e, route, own.cut)
}

/// The same, as far as one way shows.
fn from_one_way(
    e: &Evidence<'_>,
    route: &RouteView<'_>,
    cut: Option<Holding<'_>>,
) -> (Location, Confidence, String) {
    if cut.is_some_and(|cut| cut.forgotten()) {
        let why = " Nobody ended it, so nothing shows whose it is: any hop that keeps track of \
                   connections can forget one (a firewall, NAT, a balancer of TCP connections), on \
                   either side.";
        return (Location::Undetermined, Confidence::Medium, why.into());
    }
    let close_notify = cut.and_then(|cut| cut.held.ending.close_notify);
    let direct = route.route.id.is_direct();
    // Whoever opens TLS on this side ends its sessions in order, too.
    if let Some(name) = crate::evidence::interceptor(e, route) {
        let why = format!(" TLS is opened on this side, by {name}, and the session was its own.");
        return (Location::ClientNetwork, Confidence::Medium, why);
    }
    match (close_notify, direct) {
        (Some(true), false) if route.trusted() == Some(true) => (
            Location::ServerSide,
            Confidence::Medium,
            " The TLS session was closed in order (close_notify), so it was whoever terminates \
             TLS, and nothing shows that the proxy does."
                .into(),
        ),
        (Some(true), true) if route.trusted() == Some(true) => (
            Location::ServerSide,
            Confidence::High,
            " The TLS session was closed in order (close_notify), so it was whoever terminates TLS."
                .into(),
        ),
        (Some(false), false) => (
            Location::Undetermined,
            Confidence::Medium,
            " The end came without close_notify: a hop that does not own the TLS session, the proxy \
             or a balancer of TCP connections before the server."
                .into(),
        ),
        (_, true) => (Location::ServerSide, Confidence::Medium, String::new()),
        _ => (Location::Undetermined, Confidence::Medium, String::new()),
    }
}

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
        (Some(Picture::Idle), Some(cut)) => {
            Answer::Fail(Box::new(idle_claim(e, focus, route, bracket.alive_s, cut)))
        }
        _ => Answer::Pass,
    }
}

/// Which limit, as title, sentence, and what is known of it.
fn limit(e: &Evidence<'_>, alive: Option<f64>, cut: Holding<'_>) -> (String, String, String) {
    let seconds = cut.age_s();
    if !cut.forgotten() {
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
    let text = format!(
        "{survived} {} nothing came back, and nobody ended it: the limit is {range}",
        words(seconds)
    );
    (title, text, String::new())
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
    let mut draft =
        Draft::new("idle-timeout", Severity::Error, title, focus, cut.observation, after(&cut))
            .text(format!(
                "{what}{beside}. The console's socket is silent for longer than that, and needs \
                 3600 s.{known}{also}"
            ))
            .remedy(match cut.forgotten() {
                true => remedy::forgotten(e, seconds),
                false => remedy::timeout(e, seconds),
            });
    if let Pinging::Lasted(one) | Pinging::CutLater(one) = &pinging {
        draft = draft.also(Some(focus.cite(one.observation, pings(one))));
    }
    let kept = match pinging {
        Pinging::NotHeld => "",
        Pinging::Lasted(_) => "; activity keeps it up",
        Pinging::CutLater(_) => "; activity keeps it up for longer, and not for good",
    };
    let summary = if cut.forgotten() {
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
    let silent = route.holdings().find(|one| !one.pings() && one.ended());
    let (b, a) = (chatty.age_s(), silent.map(|one| one.age_s()));
    let (location, confidence, also) = location(e);
    let counts = if together {
        "They began together and ended together, so a limit of age and one event (a reload, a \
         restart, a failover) look alike here."
    } else {
        "They began some seconds apart and each ended at the same age: it is the age that counts, \
         not the silence."
    };
    let ages = match a {
        Some(a) => format!(
            "The silent connection was cut after {a:.1} s and the one that pings after {b:.1} s."
        ),
        None => format!("The connection that pings was cut after {b:.1} s."),
    };
    let finding = Draft::new(
        "lifetime-limit",
        Severity::Error,
        format!("Connections are cut after {b:.1} s, whatever the activity"),
        focus,
        chatty.observation,
        format!("chatty: cut after {b:.1} s in spite of {} Pongs", chatty.held.pongs),
    )
    .text(format!("{ages} {counts}{}{also}", known_defaults(e, b)))
    .also(silent.map(|one| focus.cite(one.observation, format!("silent: {}", after(&one)))))
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
    let oldest = ended.iter().map(Holding::age_s).fold(0.0, f64::max);
    // Begun after the event, or on another server: whoever outlives that age shows more.
    let outlived =
        route.holdings().any(|one| !one.ended() && one.held.held_ms / 1e3 > oldest * 1.1);
    let also = if outlived {
        " Another one, of which this was not the moment, lived longer: so it is no limit of age."
    } else {
        ""
    };
    let mut draft = Draft::new(
        "insufficient-cut-together",
        Severity::Warning,
        "Several connections were cut in the same moment",
        focus,
        first.observation,
        format!("cut after {:.1} s", first.age_s()),
    )
    .text(format!(
        "Connections that began some seconds apart ended in the same moment, at the ages of {}. \
         That is one event: a reload (nginx ends what is left after worker_shutdown_timeout, \
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
        Some(Picture::PingsAlone(one)) => one,
        Some(_) => return Answer::Pass,
    };
    let seconds = one.age_s();
    let finding = Draft::new(
        "insufficient-pings-alone",
        Severity::Warning,
        "The connection that pings was cut, and a silent one outlived it",
        focus,
        one.observation,
        format!("chatty: cut after {seconds:.1} s, {} Pongs", one.held.pongs),
    )
    .text(format!(
        "It was cut after {seconds:.1} s; a silent connection by the same way lived longer. Neither \
         a limit of silence nor one of age does that: one of several servers may have been \
         restarted, or somebody takes offence at Pings."
    ))
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
