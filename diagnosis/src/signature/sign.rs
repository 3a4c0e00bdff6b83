//! One sign of a device: a compiled pattern, and what it sees.

use super::Response;
use super::file::{Attribute, Field, SignEntry, Weight};
use regex::{Captures, Regex, RegexBuilder};
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
    pub(super) pattern: Pattern,
    /// Where a head shows this, the sign says nothing: another product leaves
    /// the same, and this besides.
    unless: Option<Regex>,
}

#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Header {
        name: Regex,
        value: Regex,
    },
    Cookie(Regex),
    Body {
        status: Vec<StatusClass>,
        regex: Regex,
    },
    Certificate {
        attribute: Attribute,
        regex: Regex,
    },
    Cname(Regex),
    Ptr(Regex),
    Shape101(Vec<String>),
    /// Names that their writers capitalise, in lower case over HTTP/1.1: a hop
    /// wrote them anew. So it is with `Server`, where its value fits.
    LowerCase {
        names: Vec<String>,
        server: Regex,
    },
    Reason(Regex),
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
    pub(super) fn new(label: &str, text: &str, captures: &Captures<'_>) -> Self {
        let version = captures.name("version").map(|m| m.as_str().to_owned());
        Self {
            what: format!("{label} {}", quote(text)),
            version: version.filter(|v| !v.is_empty()),
            place: Place::Unknown,
        }
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
        let compiled = || compile(&regex.ok_or("`regex` is missing")?);
        let pattern = match field {
            Field::Header => {
                let name = name.ok_or("`name` is missing")?;
                Pattern::Header { name: compile(&format!("(?i)^(?:{name})$"))?, value: compiled()? }
            }
            Field::Cookie => Pattern::Cookie(compiled()?),
            Field::Body => Pattern::Body { status: classes(status)?, regex: compiled()? },
            Field::Certificate => Pattern::Certificate {
                attribute: attribute.ok_or("`attribute` is missing")?,
                regex: compiled()?,
            },
            Field::Cname => Pattern::Cname(compiled()?),
            Field::Ptr => Pattern::Ptr(compiled()?),
            Field::Shape101 => Pattern::Shape101(names.ok_or("`names` is missing")?),
            Field::LowerCase => Pattern::LowerCase {
                names: names.ok_or("`names` is missing")?,
                server: compiled()?,
            },
            Field::Reason => Pattern::Reason(compiled()?),
        };
        let unless = unless.map(|regex| compile(&regex)).transpose()?;
        Ok(Self { weight, source, pattern, unless })
    }

    /// What it looks at, in a few words.
    pub(super) fn looks_at(&self) -> String {
        match &self.pattern {
            Pattern::Header { name, .. } => {
                let name = name.as_str().trim_start_matches("(?i)^(?:").trim_end_matches(")$");
                format!("header `{name}`")
            }
            Pattern::Cookie(_) => "cookie".into(),
            Pattern::Body { .. } => "page".into(),
            Pattern::Certificate { attribute, .. } => {
                format!("certificate's {}", attribute.label())
            }
            Pattern::Cname(_) => "CNAME".into(),
            Pattern::Ptr(_) => "PTR".into(),
            Pattern::Shape101(_) => "order of the 101's headers".into(),
            Pattern::LowerCase { .. } => "headers in lower case".into(),
            Pattern::Reason(_) => "status line".into(),
        }
    }

    pub(super) fn response(&self, seen: &Seen<'_>) -> Option<Hit> {
        if self.unless.as_ref().is_some_and(|other| other.is_match(&seen.head)) {
            return None;
        }
        match &self.pattern {
            Pattern::Header { name, value } => seen.headers.iter().find_map(|(n, v)| {
                let v = cut(v);
                let captures = name.is_match(n).then(|| value.captures(v)).flatten()?;
                Some(Hit::new(&format!("header {n}:"), v, &captures))
            }),
            Pattern::Cookie(regex) => {
                seen.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("set-cookie")).find_map(
                    |(_, v)| {
                        let captures = regex.captures(cut(v))?;
                        // The name alone: a cookie's value may be a session.
                        let name = v.split('=').next().unwrap_or_default();
                        Some(Hit::new("cookie", name, &captures))
                    },
                )
            }
            Pattern::Body { status, regex } => {
                let fits = status.is_empty()
                    || seen.status.is_some_and(|code| status.iter().any(|class| class.holds(code)));
                let captures = fits.then(|| regex.captures(seen.body)).flatten()?;
                Some(Hit::new("body", captures.get_match().as_str(), &captures))
            }
            Pattern::Shape101(names) => {
                (seen.status == Some(101) && seen.shape == *names).then(|| Hit {
                    what: format!("order of the 101's headers ({})", names.join(", ")),
                    version: None,
                    place: Place::Outer,
                })
            }
            Pattern::LowerCase { names, server } => seen.lower_case(names, server),
            Pattern::Reason(regex) => {
                let captures = regex.captures(cut(&seen.status_line))?;
                Some(Hit::new("status line", &seen.status_line, &captures))
            }
            Pattern::Certificate { .. } | Pattern::Cname(_) | Pattern::Ptr(_) => None,
        }
    }

    pub(super) fn certificate(&self, chain: &[Certificate]) -> Option<Hit> {
        let Pattern::Certificate { attribute, regex } = &self.pattern else { return None };
        chain.iter().flat_map(|certificate| attribute.values(certificate)).find_map(|value| {
            let captures = regex.captures(cut(value))?;
            Some(Hit::new(&format!("certificate {}", attribute.label()), value, &captures))
        })
    }

    pub(super) fn cname(&self, name: &str) -> Option<Hit> {
        let Pattern::Cname(regex) = &self.pattern else { return None };
        let captures = regex.captures(cut(name))?;
        Some(Hit::new("name", name, &captures))
    }

    pub(super) fn ptr(&self, name: &str) -> Option<Hit> {
        let Pattern::Ptr(regex) = &self.pattern else { return None };
        let captures = regex.captures(cut(name))?;
        Some(Hit::new("name of its address", name, &captures))
    }
}

fn compile(regex: &str) -> Result<Regex, String> {
    RegexBuilder::new(regex).size_limit(1 << 20).build().map_err(|error| error.to_string())
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

fn quote(text: &str) -> String {
    let mut short: String =
        text.chars().take(QUOTE_LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(QUOTE_LIMIT).is_some() {
        short.push('…');
    }
    format!("\"{short}\"")
}

/// A response as the patterns see it: parsed once.
pub(super) struct Seen<'a> {
    head: String,
    status: Option<u16>,
    status_line: String,
    headers: Vec<(String, String)>,
    shape: Vec<String>,
    body: &'a str,
}

impl<'a> Seen<'a> {
    pub(super) fn new(response: &Response<'a>) -> Self {
        let headers = response.head.headers();
        let shape = headers
            .iter()
            .filter(|(name, _)| !NOT_SHAPE.iter().any(|other| name.eq_ignore_ascii_case(other)))
            .map(|(name, _)| name.clone())
            .collect();
        Self {
            head: cut(&response.head.raw.text()).to_owned(),
            status: response.status.or_else(|| response.head.status()),
            status_line: response.head.status_line(),
            headers,
            shape,
            body: cut(response.body),
        }
    }

    fn lower_case(&self, names: &[String], server: &Regex) -> Option<Hit> {
        // Over HTTP/2 every name is (RFC 9113 section 8.2.1).
        if !self.status_line.starts_with("HTTP/1.") {
            return None;
        }
        let lower = |name: &str| !name.contains(|c: char| c.is_ascii_uppercase());
        let (name, _) = self.headers.iter().find(|(name, value)| {
            names.contains(name) || name == "server" && server.is_match(cut(value))
        })?;
        let all = self.headers.iter().all(|(name, _)| lower(name));
        Some(Hit {
            what: format!("lower case of the header {name}"),
            version: None,
            place: if all { Place::Outer } else { Place::Inner },
        })
    }
}
