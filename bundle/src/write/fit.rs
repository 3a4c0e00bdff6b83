//! What a bundle may have at most, so that no reader refuses what was written
//! here (`docs/bundle-format.md`, "Reading"). Each part has its own room, and all
//! of them together are less than a zip may have, however little it compresses.
//!
//! A usual bundle is a hundredth of it. What does not fit is left out in the
//! order of what it is worth, and a note in `environment.json` says so.

use crate::observation::{Body, Outcome, Step};
use crate::read::{self, Limits};
use crate::{Bundle, Failure, Observation};
use serde::Serialize;

/// Bytes of `observations.json`.
const OBSERVATIONS: usize = 12 << 20;
/// Bytes of the files that the user gave, together.
const ATTACHMENTS: usize = 8 << 20;
/// How many of them.
const FILES: usize = 1000;
/// Bytes of the transcripts, together: they say what the observations say.
pub(super) const TRANSCRIPTS: usize = 4 << 20;
/// How many of them.
pub(super) const TRANSCRIPTS_COUNT: usize = 1000;
/// Bytes of `environment.json`.
const ENVIRONMENT: usize = 2 << 20;
/// Elements of a list of the environment's, where they do not fit.
const LINES: usize = 500;
/// Addresses of an interface, where they do not fit.
const ADDRESSES: usize = 16;
/// Bytes of a body or of what came before a failure, where they do not fit:
/// first this much of each, then less.
const CUT: [usize; 3] = [4096, 1024, 256];

/// Limits with something to spare: those of a reader are not to be met.
fn limits() -> Limits {
    let own = Limits::default();
    Limits {
        json_string: own.json_string / 4 * 3,
        json_values: own.json_values / 4 * 3,
        elements: own.elements / 4 * 3,
        ..own
    }
}

fn fits<T: Serialize>(part: &T, most: usize) -> bool {
    // The same text as is written.
    super::json(part).is_ok_and(|text| text.len() <= most && read::json_fits(&text, &limits()))
}

/// The bundle without what would be too much; `None` where all of it fits.
pub(super) fn fitted(bundle: &Bundle) -> Option<Bundle> {
    let mut notes = Vec::new();
    let mut smaller = None;
    if !few_bytes(bundle) && !observations_fit(bundle) {
        observations(smaller.get_or_insert_with(|| bundle.clone()), &mut notes);
    }
    let given = &bundle.attachments;
    if given.len() > FILES || given.iter().map(|one| one.bytes.len()).sum::<usize>() > ATTACHMENTS {
        attachments(smaller.get_or_insert_with(|| bundle.clone()), &mut notes);
    }
    if !fits(&bundle.environment, ENVIRONMENT) {
        environment(smaller.get_or_insert_with(|| bundle.clone()), &mut notes);
    }
    let mut smaller = smaller?;
    smaller.environment.notes.extend(notes);
    Some(smaller)
}

fn observations_fit(bundle: &Bundle) -> bool {
    let seen = &bundle.observations;
    let most = limits().elements;
    seen.observations.len() <= most && seen.browser.len() <= most && fits(seen, OBSERVATIONS)
}

/// Whether there is so little that it need not be measured.
fn few_bytes(bundle: &Bundle) -> bool {
    let seen = &bundle.observations;
    let bytes = |o: &Observation| match &o.step {
        Step::Http(step) => of(&step.request.0, &step.result, |reply| {
            reply.head.raw.len() + reply.body.bytes.len() + interim(&reply.informational)
        }),
        Step::Upgrade(step) => of(&step.request.0, &step.result, |reply| {
            reply.head.raw.len() + reply.body.bytes.len() + interim(&reply.informational)
        }),
        Step::Tunnel(step) => of(&step.request.0, &step.result, |reply| {
            reply.head.as_ref().map_or(0, |head| head.raw.len()) + reply.body.bytes.len()
        }),
        other => other.failure().map_or(0, received),
    };
    // Certificates, records and frames are bounded where they are taken in.
    seen.browser.len() <= 50
        && seen.observations.len() <= 500
        && seen.observations.iter().map(bytes).sum::<usize>() <= OBSERVATIONS / 12
}

fn of<T>(request: &[u8], result: &Outcome<T>, reply: impl Fn(&T) -> usize) -> usize {
    request.len()
        + match result {
            Outcome::Ok(seen) => reply(seen),
            Outcome::Failed(failure) => received(failure),
        }
}

fn interim(heads: &[crate::ResponseHead]) -> usize {
    heads.iter().map(|head| head.raw.len()).sum()
}

fn received(failure: &Failure) -> usize {
    failure.received.as_ref().map_or(0, crate::Bytes::len)
}

/// Less of each body, and then fewer observations: the later ones go.
fn observations(bundle: &mut Bundle, notes: &mut Vec<String>) {
    for most in CUT {
        for seen in &mut bundle.observations.observations {
            cut(seen, most);
        }
        if observations_fit(bundle) {
            notes.push(format!(
                "the bundle would have been too large: of what came back, no more than the first \
                 {most} bytes of each body are kept"
            ));
            return;
        }
    }
    let before = (bundle.observations.observations.len(), bundle.observations.browser.len());
    while !observations_fit(bundle) {
        let seen = &mut bundle.observations;
        if seen.observations.is_empty() && seen.browser.is_empty() {
            break;
        }
        seen.observations.truncate(seen.observations.len() / 4 * 3);
        seen.browser.truncate(seen.browser.len() / 4 * 3);
    }
    let now = (bundle.observations.observations.len(), bundle.observations.browser.len());
    notes.push(format!(
        "the bundle would have been too large: the last {} of {} observations and {} of {} of the \
         browser's are left out, and of what came back all but the first {} bytes of each body",
        before.0 - now.0,
        before.0,
        before.1 - now.1,
        before.1,
        CUT[CUT.len() - 1]
    ));
}

fn cut(seen: &mut Observation, most: usize) {
    let body = |body: &mut Body| {
        let had = body.bytes.len();
        shorten(&mut body.bytes.0, most);
        body.truncated |= body.bytes.len() < had;
    };
    let failed = |failure: &mut Failure| {
        let Some(bytes) = &mut failure.received else { return };
        let had = bytes.len();
        shorten(&mut bytes.0, most);
        if bytes.len() < had {
            failure.detail.push_str("; what came is cut here");
        }
    };
    match &mut seen.step {
        Step::Http(step) => match &mut step.result {
            Outcome::Ok(reply) => body(&mut reply.body),
            Outcome::Failed(failure) => failed(failure),
        },
        Step::Upgrade(step) => match &mut step.result {
            Outcome::Ok(reply) => body(&mut reply.body),
            Outcome::Failed(failure) => failed(failure),
        },
        Step::Tunnel(step) => match &mut step.result {
            Outcome::Ok(reply) => body(&mut reply.body),
            Outcome::Failed(failure) => failed(failure),
        },
        Step::Tls(step) => {
            if let Outcome::Failed(failure) = &mut step.result {
                failed(failure);
            }
        }
        Step::Resolve(_) | Step::Connect(_) | Step::Frames(_) | Step::Hold(_) => {}
    }
}

/// Cuts a text between two characters: half of one would make it no text.
fn shorten(bytes: &mut Vec<u8>, most: usize) {
    if bytes.len() > most {
        let text = std::str::from_utf8(bytes).ok();
        let end = text.map_or(most, |text| boundary(text, most));
        bytes.truncate(end);
    }
}

/// The last place up to `most` that is between two characters.
fn boundary(text: &str, most: usize) -> usize {
    let most = most.min(text.len());
    (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// Whole files are left out, those that take most room first: half a
/// configuration would be read as another one.
fn attachments(bundle: &mut Bundle, notes: &mut Vec<String>) {
    let mut by_size: Vec<usize> = (0..bundle.attachments.len()).collect();
    by_size.sort_by_key(|at| (bundle.attachments[*at].bytes.len(), *at));
    let mut room = ATTACHMENTS;
    let mut kept = vec![false; bundle.attachments.len()];
    for at in by_size.into_iter().take(FILES) {
        let bytes = bundle.attachments[at].bytes.len();
        kept[at] = bytes <= room;
        room = room.saturating_sub(bytes);
    }
    let all = std::mem::take(&mut bundle.attachments).into_iter().zip(kept);
    let (stay, go): (Vec<_>, Vec<_>) = all.partition(|(_, kept)| *kept);
    bundle.attachments = stay.into_iter().map(|(given, _)| given).collect();
    let names: Vec<String> = go.iter().take(5).map(|(given, _)| given.name.clone()).collect();
    let more = if go.len() > names.len() {
        format!(" and {} more files", go.len() - names.len())
    } else {
        String::new()
    };
    notes.push(format!(
        "the bundle would have been too large: {}{more} are left out; another bundle could have them",
        names.join(", ")
    ));
}

fn environment(bundle: &mut Bundle, notes: &mut Vec<String>) {
    let machine = &mut bundle.environment;
    let clip = |text: &mut String| {
        text.truncate(boundary(text, CUT[0]));
    };
    machine.interfaces.truncate(LINES);
    machine.interfaces.iter_mut().for_each(|one| one.addresses.truncate(ADDRESSES));
    machine.dns.name_servers.truncate(LINES);
    machine.dns.search.truncate(LINES);
    machine.trust.extra.truncate(LINES);
    machine.proxy_settings.truncate(LINES);
    machine.proxy_choices.truncate(LINES);
    machine.hints.truncate(LINES);
    machine.agents.truncate(LINES);
    machine.notes.truncate(LINES);
    for setting in &mut machine.proxy_settings {
        clip(&mut setting.key);
        clip(&mut setting.value);
    }
    for choice in &mut machine.proxy_choices {
        clip(&mut choice.route);
        clip(&mut choice.because);
        choice.then.truncate(LINES);
        choice.page.iter_mut().chain(&mut choice.then).for_each(clip);
    }
    machine.hints.iter_mut().chain(&mut machine.notes).for_each(clip);
    notes.push(format!(
        "the bundle would have been too large: of this machine's settings and interfaces the first \
         {LINES} of each kind are kept"
    ));
}
