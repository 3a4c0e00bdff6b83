//! A web application firewall's page: who refuses, by which number its log has the
//! request, and on whose side it stands.

use super::Question;
use crate::evidence::interceptor;
use crate::evidence::{Author, Evidence, Reply};
use crate::model::NextStep;
use crate::model::{Cause, Confidence, DeviceRole, Location, Severity, Side, Status};
use crate::remedy;
use crate::rule::blame::of_upgrade;
use crate::rule::{Answer, Draft, claim};
use crate::said;
use crate::suggest::{run_again, run_outside};

/// A web application firewall's page, to everything or to upgrades alone.
pub(super) fn firewall(
    e: &Evidence<'_>,
    q: &Question<'_, '_>,
    reply: &Reply<'_>,
) -> Option<Answer> {
    let Author::Device { role: DeviceRole::Waf, name, side } = &reply.author else { return None };
    let by_words_alone = reply.said.is_some_and(|row| row.id == said::FIREWALLS_WORDS);
    let reader = Reader::on(e, q).filter(|_| *side == Side::Server);
    if let Some(reader) = reader
        && (e.outside_works() == Some(true) || by_words_alone && e.twin().is_none())
    {
        return Some(on_which_side(e, q, reply, (name, &reader), by_words_alone));
    }
    // Without a name the page may be of a filter that stands on the client's side.
    if by_words_alone && of_upgrade(e).location == Location::ClientNetwork {
        return None;
    }
    let location = match side {
        Side::Client => return None,
        Side::Server => Location::ServerSide,
        Side::Either => match of_upgrade(e).location {
            Location::ClientNetwork => return None,
            location => location,
        },
    };
    let (trusted, direct) = (q.route.trusted() == Some(true), q.route.route.id.is_direct());
    let sure = trusted && direct && interceptor(e, q.route).is_none();
    let confidence = if sure && !by_words_alone { Confidence::High } else { Confidence::Medium };
    let body = reply.reply.body.bytes.text();
    let ids = incident_ids(&body);
    let alone = q.pages_pass();
    let (scope, pass) =
        if alone { ("upgrades", ", while pages pass") } else { ("pages and upgrades alike", "") };
    let shown =
        if ids.is_empty() { String::new() } else { format!(" Its page names {}.", ids.join(", ")) };
    let outside = if e.outside_works() == Some(true) {
        " From outside it lets the same request pass, so its rule is about where it comes from."
    } else {
        ""
    };
    let summary = format!(
        "{name}, a web application firewall before the server, refuses {scope} with {}{pass}.{outside}",
        reply.line()
    );
    let look = reply.said.map(|row| row.look);
    let finding = Draft::new(Severity::Error,
        format!("{name} refuses the upgrade"),
        q.focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "{summary}{shown} It stands on the server's side: it is for whoever runs it to let WebSocket \
         pass for this host."
    ))
    .also(q.cite_plain())
    .also(q.cite_pages())
    .remedy(remedy::firewall(e, name, look, &ids, alone))
    .done();
    let mut claim =
        claim(Cause::BlockedPage, Status::Broken, location, confidence, summary, finding);
    if confidence < Confidence::High && e.twin().is_none() {
        claim.missing.push(run_outside(e));
    }
    Some(Answer::Fail(Box::new(claim)))
}

/// Who on this side could have written what came.
enum Reader {
    /// Somebody opens TLS.
    Opens(String),
    /// It went in plain text.
    Anybody,
}

impl Reader {
    fn on(e: &Evidence<'_>, q: &Question<'_, '_>) -> Option<Self> {
        let plain = || q.route.tls().is_none().then_some(Self::Anybody);
        interceptor(e, q.route).map(Self::Opens).or_else(plain)
    }

    /// As the middle of a sentence about the page.
    fn way(&self) -> String {
        match self {
            Self::Opens(name) => format!("through {name}, which opens TLS on this side"),
            Self::Anybody => "by plain HTTP, where anybody on the way may write it".to_owned(),
        }
    }
}

/// A firewall's page that somebody on this side may have written, and that does not come
/// outside. F5 and others are used for either: as the server's firewall, whose rule goes
/// by where a request comes from or by what was added to it on the way, and to open TLS
/// for an office. The page looks the same.
fn on_which_side(
    e: &Evidence<'_>,
    q: &Question<'_, '_>,
    reply: &Reply<'_>,
    (name, reader): (&str, &Reader),
    by_words_alone: bool,
) -> Answer {
    let ids = incident_ids(&reply.reply.body.bytes.text());
    let shown =
        if ids.is_empty() { String::new() } else { format!(" Its page names {}.", ids.join(", ")) };
    let outside = match e.outside_works() {
        Some(true) => ", and does not come outside",
        _ => "",
    };
    let summary = format!(
        "{} of {} comes {}{outside}. Whether the firewall before the server wrote it, or one on this \
         side, cannot be told.",
        if by_words_alone { "A page" } else { "The page" },
        if by_words_alone { "a web application firewall" } else { name },
        reader.way()
    );
    let finding = Draft::new(Severity::Error,
        "A firewall's page, and two who may have written it",
        q.focus,
        reply.observation,
        reply.line(),
    )
    .text(format!(
        "{summary}{shown} The firewall that has the request in its log wrote the page. One before the \
         server may go by the address that requests from here have, or by what was added to them on \
         the way."
    ))
    .also(q.cite_plain())
    .also(q.cite_pages())
    .remedy(remedy::either_firewall(e, name, matches!(reader, Reader::Opens(_)), &ids))
    .done();
    let confidence = if by_words_alone { Confidence::Low } else { Confidence::Medium };
    let mut claim = claim(
        Cause::BlockedPage,
        Status::Broken,
        Location::Undetermined,
        confidence,
        summary,
        finding,
    );
    claim.missing.push(match e.twin() {
        None => run_outside(e),
        Some(_) => run_again(e, NextStep::Again, ""),
    });
    Answer::Fail(Box::new(claim))
}

/// The numbers on a firewall's page by which its log has the request.
fn incident_ids(page: &str) -> Vec<String> {
    const NAMES: [&str; 12] = [
        "Attack ID",
        "Message ID",
        "support ID",
        "Support ID",
        "incident ID",
        "Incident ID",
        "Ray ID",
        "Event ID",
        "Case Number",
        "Transaction id",
        "Reference",
        "Request ID",
    ];
    let page = decoded(page);
    let mut out = Vec::new();
    for name in NAMES {
        let Some((_, rest)) = page.split_once(name) else { continue };
        let value: String = rest
            .trim_start_matches(|c: char| !c.is_ascii_alphanumeric())
            .trim_start_matches("is: ")
            .trim_start()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
            .take(64)
            .collect();
        if value.bytes().any(|b| b.is_ascii_digit()) {
            out.push(format!("{name} {value}"));
        }
    }
    out
}

/// A page's text with its numeric character references replaced (HTML 13.2.5.80):
/// Akamai writes every mark of its reference so.
fn decoded(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("&#") {
        out.push_str(before);
        let known = after.split_once(';').and_then(|(number, after)| {
            let value = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            };
            Some((char::from_u32(value?)?, after))
        });
        rest = match known {
            Some((c, after)) => {
                out.push(c);
                after
            }
            None => {
                out.push_str("&#");
                after
            }
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::incident_ids;

    #[test]
    fn the_numbers_on_a_page() {
        for (page, ids) in [
            (
                "<p>Attack ID: 20000051</p><p>Message ID: 000113542098</p>",
                &["Attack ID 20000051", "Message ID 000113542098"][..],
            ),
            ("rejected.<br><br>Your support ID is: 123456789<br>", &["support ID 123456789"]),
            ("Incapsula incident ID: 12-34", &["incident ID 12-34"]),
            ("Reference&#32;&#35;18&#46;2d&#x36;", &["Reference 18.2d6"]),
            ("Reference &#nothing", &[]),
            ("no number here: Attack ID", &[]),
        ] {
            let found = incident_ids(page);
            assert_eq!(found, ids, "{page}");
        }
    }
}
