//! What programs say with a status and a few words: the status table.
//!
//! A number alone says little: nginx answers 502 where HAProxy answers 503, and
//! an nginx that answers 503 was told to. Each row of the table is one answer of
//! one program, by its status and by what tells it from others, with what it
//! means, the cause that it leads to, where that is known from, and an answer as
//! the program writes it, with which the row is tested.
//!
//! Who wrote a response is [`crate::evidence`]'s to say, and whose fault it is
//! the rules'. `docs/status.md` is generated from here.

mod table;

pub use table::ROWS;

use crate::model::Cause;
use crate::signature::{Match, Response};

/// What an answer means, whoever gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// No connection to the backend can be made.
    NoConnection,
    /// The backend was asked, and gave no valid answer; why is not told.
    NoValidAnswer,
    /// The backend ended the connection in place of an answer.
    HangsUp,
    /// TLS with the backend fails.
    BackendTls,
    /// The backend did not answer in time.
    Slow,
    /// There is no backend, or none that is considered healthy.
    NoBackend,
    /// It has as many requests under way as it may.
    Full,
    /// The backend speaks another HTTP version.
    OtherVersion,
    /// A limit on requests or connections.
    Limited,
    /// Closed on purpose.
    Closed,
    /// A 503 by a program that answers 502 where its backend fails.
    OwnUnavailable,
    /// No rule leads this host or path to a backend.
    NoRoute,
    /// No site of this name here.
    UnknownHost,
    /// Plain HTTP was spoken to a port, or a site, that wants TLS.
    WantsTls,
    /// A client certificate is wanted.
    WantsCertificate,
    /// The hop before it asked by HTTP/1.0, which it refuses.
    RefusesHttp10,
    /// It refuses upgrades itself.
    RefusesUpgrades,
    /// It saw the upgrade, and cannot hand over the connection.
    CannotHandOver,
    /// It cannot read, or does not like, the request.
    Unreadable,
    /// The request did not come in time, or the client left.
    ClientLeft,
    /// An access rule refuses it.
    Denied,
    /// A web application firewall refuses it.
    Filtered,
    /// It wants to know who asks, or failed to find out.
    SignOn,
    /// An error inside the program itself.
    Crashed,
}

impl Says {
    /// Whether a backend was asked, or would have been.
    #[must_use]
    pub fn of_the_backend(self) -> bool {
        matches!(
            self,
            Self::NoConnection
                | Self::NoValidAnswer
                | Self::HangsUp
                | Self::BackendTls
                | Self::Slow
                | Self::NoBackend
                | Self::Full
                | Self::OtherVersion
        )
    }

    /// As in the documentation.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NoConnection => "no connection to the backend",
            Self::NoValidAnswer => "no valid answer from the backend",
            Self::HangsUp => "the backend hangs up",
            Self::BackendTls => "TLS with the backend fails",
            Self::Slow => "the backend is too slow",
            Self::NoBackend => "no healthy backend",
            Self::Full => "too many requests under way",
            Self::OtherVersion => "another HTTP version",
            Self::Limited => "a limit",
            Self::Closed => "closed on purpose",
            Self::OwnUnavailable => "its own 503",
            Self::NoRoute => "no route",
            Self::UnknownHost => "no such site",
            Self::WantsTls => "wants TLS",
            Self::WantsCertificate => "wants a client certificate",
            Self::RefusesHttp10 => "refuses HTTP/1.0",
            Self::RefusesUpgrades => "refuses upgrades",
            Self::CannotHandOver => "cannot hand over the connection",
            Self::Unreadable => "does not take the request",
            Self::ClientLeft => "the request did not come in time",
            Self::Denied => "an access rule",
            Self::Filtered => "a web application firewall",
            Self::SignOn => "sign-on",
            Self::Crashed => "an error inside",
        }
    }
}

/// What tells a row's answer from others with the same status.
#[derive(Debug, Clone, Copy)]
pub enum Sign {
    /// One of these texts stands in the body.
    Body(&'static [&'static str]),
    /// The body is one of these texts and nothing else.
    Whole(&'static [&'static str]),
    /// Each of these texts stands in the body.
    Every(&'static [&'static str]),
    /// A header of this name whose value contains this (any case).
    Header(&'static str, &'static str),
    /// One of these devices left its mark, by its signature's id.
    By(&'static [&'static str]),
    /// The same, and this header is there.
    ByWith(&'static [&'static str], &'static str),
    /// The same, and there is no body.
    ByEmpty(&'static [&'static str]),
    /// One of these devices' own page.
    Page(&'static [&'static str]),
    /// There is neither a body nor `Server` nor `Via`.
    Bare,
    /// The body is one of these texts, and no header is Bindplane's.
    NotOrigins(&'static [&'static str]),
    /// 426 that asks for no other protocol than HTTP itself.
    Http10,
    /// An error of Squid by its name, in its header or its page.
    Squid(&'static str),
    /// Words that filters before a server use, and filters before clients do not.
    FirewallsWords,
    /// The status is nobody else's.
    Status,
}

/// What a row rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The real program answered so; its answer is in `tests/status/answers/ID.http`, and
    /// the program is asked again by this project's tests.
    Measured,
    /// The maker's documentation or source, or what people report.
    Documents,
}

/// One answer of one program.
#[derive(Debug)]
pub struct Row {
    /// Stable id.
    pub id: &'static str,
    /// Whose answer it is.
    pub program: &'static str,
    /// The status codes that it comes with.
    pub status: &'static [u16],
    /// What tells it from others.
    pub sign: Sign,
    /// What it means.
    pub says: Says,
    /// The cause that it leads to where everything is answered so.
    pub leads: Cause,
    /// The rest of a sentence about the program.
    pub means: &'static str,
    /// Where to look, in the program's own words; may be empty.
    pub look: &'static str,
    /// Where it is known from.
    pub source: &'static str,
    /// What it rests on.
    pub basis: Basis,
    /// An answer as the program writes it: head without the last empty line, and body.
    pub sample: (&'static str, &'static str),
}

/// The row that a response is, if any: the first that fits.
#[must_use]
pub fn read(response: &Response<'_>, devices: &[Match<'_>]) -> Option<&'static Row> {
    let status = response.status.or_else(|| response.head.status())?;
    ROWS.iter()
        .copied()
        .flatten()
        .find(|row| row.status.contains(&status) && fits(row, response, devices))
}

fn fits(row: &Row, response: &Response<'_>, devices: &[Match<'_>]) -> bool {
    let by = |ids: &[&str], page: bool| {
        devices.iter().any(|m| ids.contains(&m.signature.id.as_str()) && (m.by_body || !page))
    };
    let header = |name: &str, part: &str| {
        response.head.headers().iter().any(|(own, value)| {
            own.eq_ignore_ascii_case(name)
                && value.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
        })
    };
    match row.sign {
        Sign::Body(texts) => texts.iter().any(|text| response.body.contains(text)),
        Sign::Whole(texts) => texts.contains(&response.body.trim()),
        Sign::Every(texts) => texts.iter().all(|text| response.body.contains(text)),
        Sign::Header(name, part) => header(name, part),
        Sign::By(ids) => by(ids, false),
        Sign::ByWith(ids, name) => by(ids, false) && header(name, ""),
        Sign::ByEmpty(ids) => response.body.trim().is_empty() && by(ids, false),
        Sign::Page(ids) => by(ids, true),
        Sign::Bare => {
            response.body.trim().is_empty()
                && response.head.header("server").is_none()
                && response.head.header("via").is_none()
        }
        Sign::NotOrigins(texts) => {
            texts.contains(&response.body.trim()) && !header("vary", "origin")
        }
        Sign::Http10 => {
            response.head.header("sec-websocket-version").is_none()
                && response
                    .head
                    .header("upgrade")
                    .is_none_or(|to| to.trim().starts_with("HTTP/1.1"))
        }
        Sign::Squid(error) => header("x-squid-error", error) || response.body.contains(error),
        Sign::FirewallsWords => {
            let body = response.body.to_ascii_lowercase();
            WORDS_OF_FIREWALLS.iter().any(|words| body.contains(words))
        }
        Sign::Status => true,
    }
}

/// The row of a firewall that is not known by name.
pub const FIREWALLS_WORDS: &str = "firewalls-words";

/// In lower case.
const WORDS_OF_FIREWALLS: [&str; 9] = [
    "web application firewall",
    "mod_security",
    "modsecurity",
    "owasp",
    "anomaly score",
    "attack id",
    "waf policy",
    "support id",
    "blocked by waf",
];

/// The table as a page (`docs/status.md`).
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(
        "# What a status means, by who says it\n\nGenerated from `diagnosis/src/said/`; a test fails \
         when it is stale (`UPDATE_DOCS=1 cargo test -p wss-diagnosis docs` writes it anew). The \
         first row that fits is taken. *Leads to* is the cause where pages and upgrade alike are \
         answered so; where upgrades alone are, who stands where decides (`docs/rules.md`). Rows \
         marked *documents* rest on the maker's documents or on what people report. Of the others the \
         real program's answer is in `tests/status/answers/` under the row's id, and a test asks the \
         programs again (`tests/tests/status.rs`).\n\n\
         | id | program | status | it says | means | leads to | rests on | source |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in ROWS.iter().copied().flatten() {
        let status: Vec<String> = row.status.iter().map(ToString::to_string).collect();
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
            row.id,
            row.program,
            status.join(", "),
            row.says.words(),
            row.means,
            row.leads,
            match row.basis {
                Basis::Measured => "measured",
                Basis::Documents => "documents",
            },
            row.source.replace('|', "\\|"),
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Signatures;
    use wss_bundle::ResponseHead;

    /// Each row's own answer is read as that row, whatever comes before it.
    #[test]
    fn every_row_reads_its_own_answer() {
        let mut seen = std::collections::BTreeSet::new();
        let mut wrong = Vec::new();
        for row in ROWS.iter().copied().flatten() {
            assert!(seen.insert(row.id), "{}: twice", row.id);
            assert!(!row.source.is_empty() && !row.means.is_empty(), "{}", row.id);
            let (head, body) = row.sample;
            let head = ResponseHead::new(format!("{}\r\n\r\n", head.replace('\n', "\r\n")));
            let response = Response { status: None, head: &head, body };
            let devices = Signatures::built_in().match_response(&response);
            let found = read(&response, &devices).map(|found| found.id);
            if found != Some(row.id) {
                wrong.push(format!("{}: read as {found:?}", row.id));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// The server's own answers are nobody's in the table.
    #[test]
    fn the_servers_own_answers_are_in_no_row() {
        for (head, body) in [
            (
                "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nSec-Websocket-Version: 13\r\n\r\n",
                "Bad Request\n",
            ),
            (
                "HTTP/1.1 426 Upgrade Required\r\nSec-Websocket-Version: 13\r\nUpgrade: websocket\r\n\r\n",
                "Upgrade Required\n",
            ),
            ("HTTP/1.1 403 Forbidden\r\nSec-Websocket-Version: 13\r\n\r\n", "Forbidden\n"),
            ("HTTP/1.1 401 Unauthorized\r\nVary: Origin\r\n\r\n", ""),
            ("HTTP/1.1 200 OK\r\nVary: Origin\r\n\r\n", "<title>BindPlane</title>"),
        ] {
            let head = ResponseHead::new(head.to_owned());
            let response = Response { status: None, head: &head, body };
            let devices = Signatures::built_in().match_response(&response);
            assert!(read(&response, &devices).is_none(), "{head:?}");
        }
    }
}
