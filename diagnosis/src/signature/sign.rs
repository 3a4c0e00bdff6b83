//! One sign of a device: a compiled pattern, and what it sees.

use super::Response;
use super::file::{Attribute, Field, SignEntry, Weight};
use super::need::{Name, Pattern};
use regex::Captures;
use std::borrow::Cow;
use wss_bundle::head::fields;
use wss_bundle::observation::Certificate;

/// Texts are cut here before any pattern sees them: error pages are short, and
/// what a hostile bundle holds must not cost time.
pub(super) const TEXT_LIMIT: usize = 64 * 1024;

/// Longest quotation in [`Match::because`], in characters.
const QUOTE_LIMIT: usize = 80;

/// Headers of a 101 that depend on the request or the session, not on the hop.
const NOT_SHAPE: [&str; 3] = ["set-cookie", "sec-websocket-protocol", "sec-websocket-extensions"];

/// One compiled `[[match]]`.
#[derive(Debug, Clone)]
pub(super) struct Sign {
    pub(super) weight: Weight,
    /// Where the pattern was found: `lab`, `waf`, `gk` …
    pub(super) source: String,
    pub(super) look: Look,
    /// Where a head shows this, the sign says nothing: another product leaves
    /// the same, and this besides.
    unless: Option<Pattern>,
}

/// Where a sign looks, and for what.
#[derive(Debug, Clone)]
pub(super) enum Look {
    Header {
        name: Name,
        value: Pattern,
    },
    Cookie(Pattern),
    Body {
        status: Vec<StatusClass>,
        regex: Pattern,
    },
    Certificate {
        attribute: Attribute,
        regex: Pattern,
    },
    Cname(Pattern),
    Ptr(Pattern),
    Shape101(Vec<String>),
    /// Names that their writers capitalise, in lower case over HTTP/1.1: a hop
    /// wrote them anew. So it is with `Server`, where its value fits.
    LowerCase {
        names: Vec<String>,
        server: Pattern,
    },
    Reason(Pattern),
}

/// `404`, `4xx`, `52x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatusClass(String);

impl StatusClass {
    pub(super) fn new(text: &str) -> Option<Self> {
        let good = text.len() == 3
            && text.starts_with(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_digit() || c == 'x');
        good.then(|| Self(text.to_owned()))
    }

    fn holds(&self, status: u16) -> bool {
        let status = status.to_string();
        status.len() == self.0.len()
            && self
                .0
                .chars()
                .zip(status.chars())
                .all(|(class, digit)| class == 'x' || class == digit)
    }
}

/// What one sign saw.
pub(super) struct Hit {
    pub(super) what: String,
    pub(super) version: Option<String>,
    pub(super) place: Place,
}

/// Where a sign shows its device to stand among others of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Place {
    /// Nobody wrote the response after it.
    Outer,
    /// It does not show.
    #[default]
    Unknown,
    /// Somebody did.
    Inner,
}

impl Hit {
    fn new(mut what: String, text: &str, captures: &Captures<'_>) -> Self {
        let version = captures.name("version").map(|m| m.as_str().to_owned());
        what.push(' ');
        quote(text, &mut what);
        Self { what, version: version.filter(|v| !v.is_empty()), place: Place::Unknown }
    }
}

impl Sign {
    pub(super) fn new(entry: SignEntry) -> Result<Self, String> {
        let SignEntry { field, name, attribute, regex, names, status, unless, source, weight } =
            entry;
        let unwanted = [
            ("name", name.is_some() && field != Field::Header),
            ("attribute", attribute.is_some() && field != Field::Certificate),
            ("names", names.is_some() && !matches!(field, Field::Shape101 | Field::LowerCase)),
            (
                "unless",
                unless.is_some() && matches!(field, Field::Certificate | Field::Cname | Field::Ptr),
            ),
            ("regex", regex.is_some() && field == Field::Shape101),
            ("status", status.is_some() && field != Field::Body),
        ];
        if let Some((key, _)) = unwanted.iter().find(|(_, bad)| *bad) {
            return Err(format!("`{key}` has no meaning for this field"));
        }
        let read = || Ok::<_, String>(Pattern::new(&regex.ok_or("`regex` is missing")?));
        let look = match field {
            Field::Header => {
                let name = name.ok_or("`name` is missing")?;
                Look::Header { name: Name::new(&name), value: read()? }
            }
            Field::Cookie => Look::Cookie(read()?),
            Field::Body => Look::Body { status: classes(status)?, regex: read()? },
            Field::Certificate => Look::Certificate {
                attribute: attribute.ok_or("`attribute` is missing")?,
                regex: read()?,
            },
            Field::Cname => Look::Cname(read()?),
            Field::Ptr => Look::Ptr(read()?),
            Field::Shape101 => Look::Shape101(names.ok_or("`names` is missing")?),
            Field::LowerCase => {
                Look::LowerCase { names: names.ok_or("`names` is missing")?, server: read()? }
            }
            Field::Reason => Look::Reason(read()?),
        };
        let unless = unless.map(|regex| Pattern::new(&regex));
        Ok(Self { weight, source, look, unless })
    }

    /// Compiles its patterns now.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Look::Header { name, .. } = &self.look {
            name.check()?;
        }
        self.pattern().into_iter().chain(&self.unless).try_for_each(Pattern::check)
    }

    /// What is put to the text that it looks at.
    pub(super) fn pattern(&self) -> Option<&Pattern> {
        match &self.look {
            Look::Header { value: regex, .. }
            | Look::Cookie(regex)
            | Look::Body { regex, .. }
            | Look::Certificate { regex, .. }
            | Look::Cname(regex)
            | Look::Ptr(regex)
            | Look::LowerCase { server: regex, .. }
            | Look::Reason(regex) => Some(regex),
            Look::Shape101(_) => None,
        }
    }

    /// What it looks at, in a few words.
    pub(super) fn looks_at(&self) -> String {
        match &self.look {
            Look::Header { name, .. } => format!("header `{}`", name.as_str()),
            Look::Cookie(_) => "cookie".into(),
            Look::Body { .. } => "page".into(),
            Look::Certificate { attribute, .. } => {
                format!("certificate's {}", attribute.label())
            }
            Look::Cname(_) => "CNAME".into(),
            Look::Ptr(_) => "PTR".into(),
            Look::Shape101(_) => "order of the 101's headers".into(),
            Look::LowerCase { .. } => "headers in lower case".into(),
            Look::Reason(_) => "status line".into(),
        }
    }

    pub(super) fn response(&self, seen: &Seen<'_>) -> Option<Hit> {
        let hit = self.hit(seen)?;
        let other = self.unless.as_ref().is_some_and(|other| other.is_match(seen.head));
        (!other).then_some(hit)
    }

    fn hit(&self, seen: &Seen<'_>) -> Option<Hit> {
        match &self.look {
            Look::Header { name, value } => seen.headers.iter().find_map(|(n, v)| {
                let v = cut(v);
                let captures = name.is_match(n).then(|| value.captures(v)).flatten()?;
                Some(Hit::new(format!("header {n}:"), v, &captures))
            }),
            Look::Cookie(regex) => {
                seen.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("set-cookie")).find_map(
                    |(_, v)| {
                        let captures = regex.captures(cut(v))?;
                        // The name alone: a cookie's value may be a session.
                        let name = v.split('=').next().unwrap_or_default();
                        Some(Hit::new("cookie".into(), name, &captures))
                    },
                )
            }
            Look::Body { status, regex } => {
                let fits = status.is_empty()
                    || seen.status.is_some_and(|code| status.iter().any(|class| class.holds(code)));
                let captures = fits.then(|| regex.captures(seen.body)).flatten()?;
                Some(Hit::new("body".into(), captures.get_match().as_str(), &captures))
            }
            Look::Shape101(names) => {
                (seen.status == Some(101) && seen.is_shaped(names)).then(|| Hit {
                    what: format!("order of the 101's headers ({})", names.join(", ")),
                    version: None,
                    place: Place::Outer,
                })
            }
            Look::LowerCase { names, server } => seen.lower_case(names, server),
            Look::Reason(regex) => {
                let captures = regex.captures(cut(seen.status_line))?;
                Some(Hit::new("status line".into(), seen.status_line, &captures))
            }
            Look::Certificate { .. } | Look::Cname(_) | Look::Ptr(_) => None,
        }
    }

    pub(super) fn certificate(&self, chain: &[Certificate]) -> Option<Hit> {
        let Look::Certificate { attribute, regex } = &self.look else { return None };
        chain.iter().flat_map(|certificate| attribute.values(certificate)).find_map(|value| {
            let captures = regex.captures(cut(value))?;
            Some(Hit::new(format!("certificate {}", attribute.label()), value, &captures))
        })
    }

    pub(super) fn cname(&self, name: &str) -> Option<Hit> {
        let Look::Cname(regex) = &self.look else { return None };
        let captures = regex.captures(cut(name))?;
        Some(Hit::new("name".into(), name, &captures))
    }

    pub(super) fn ptr(&self, name: &str) -> Option<Hit> {
        let Look::Ptr(regex) = &self.look else { return None };
        let captures = regex.captures(cut(name))?;
        Some(Hit::new("name of its address".into(), name, &captures))
    }
}

fn classes(status: Option<Vec<String>>) -> Result<Vec<StatusClass>, String> {
    let parse = |text: String| {
        StatusClass::new(&text)
            .ok_or_else(|| format!("`{text}` is no status class (404, 4xx, 52x)"))
    };
    status.unwrap_or_default().into_iter().map(parse).collect()
}

pub(super) fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn quote(text: &str, to: &mut String) {
    to.push('"');
    let mut rest = text.chars();
    to.extend(rest.by_ref().take(QUOTE_LIMIT).map(|c| if c.is_control() { ' ' } else { c }));
    if rest.next().is_some() {
        to.push('…');
    }
    to.push('"');
}

/// A response as the patterns see it: parsed once.
pub(super) struct Seen<'a> {
    head: &'a str,
    status: Option<u16>,
    status_line: &'a str,
    headers: Vec<(&'a str, Cow<'a, str>)>,
    body: &'a str,
}

impl<'a> Seen<'a> {
    /// `head` is the response's, as text.
    pub(super) fn new(response: &Response<'a>, head: &'a str) -> Self {
        Self {
            head: cut(head),
            status: response.status.or_else(|| response.head.status()),
            status_line: head.lines().next().unwrap_or_default().trim_end_matches('\r'),
            headers: fields(head).collect(),
            body: cut(response.body),
        }
    }

    pub(super) fn headers(&self) -> &[(&'a str, Cow<'a, str>)] {
        &self.headers
    }

    pub(super) fn body(&self) -> &'a str {
        self.body
    }

    /// Whether the names of the headers are these, in this order.
    fn is_shaped(&self, names: &[String]) -> bool {
        let of_the_hop =
            |name: &&str| !NOT_SHAPE.iter().any(|other| name.eq_ignore_ascii_case(other));
        self.headers
            .iter()
            .map(|(name, _)| *name)
            .filter(of_the_hop)
            .eq(names.iter().map(String::as_str))
    }

    fn lower_case(&self, names: &[String], server: &Pattern) -> Option<Hit> {
        // Over HTTP/2 every name is (RFC 9113 section 8.2.1).
        if !self.status_line.starts_with("HTTP/1.") {
            return None;
        }
        let lower = |name: &str| !name.contains(|c: char| c.is_ascii_uppercase());
        let (name, _) = self.headers.iter().find(|(name, value)| {
            names.iter().any(|own| own == name) || *name == "server" && server.is_match(cut(value))
        })?;
        let all = self.headers.iter().all(|(name, _)| lower(name));
        Some(Hit {
            what: format!("lower case of the header {name}"),
            version: None,
            place: if all { Place::Outer } else { Place::Inner },
        })
    }
}
