//! Heads and what follows them: of requests, of responses, with a mark or without.

use super::super::mark::Kind;
use super::super::{Response, Test, secret, signs};
use super::calls::MAIL;
use super::{At, BODY, FIELDS, RESPONSES, Reader};
use crate::pasted::Line;
use crate::pasted::around::{field_name, is_request_line};

impl Reader<'_> {
    /// Lines with `> ` and `< `.
    pub(super) fn marked(&mut self, line: &Line<'_>, bare: &str, from: usize) -> bool {
        let (sent, rest) = match (bare.chars().next(), entity(bare)) {
            (Some('>'), _) => (true, &bare[1..]),
            (Some('<'), _) => (false, &bare[1..]),
            (_, Some((sent, length))) => (sent, &bare[length..]),
            _ => return false,
        };
        // A line of a head has a blank after the mark, or nothing; HTML has not.
        if !(rest.is_empty() || rest.starts_with(' ')) {
            return false;
        }
        let text = rest.trim_start();
        let from = from + bare.len() - text.len();
        // A quote's mark before curl's own.
        if text.starts_with("* ") {
            return self.message(line, text, from);
        }
        if sent && signs::status(text).is_none() {
            self.request(line, text, from);
            return true;
        }
        if !sent && (signs::status(text).is_some() || self.marked.is_some()) {
            self.head(line, text, from, true);
            return true;
        }
        if !sent && field_name(text).is_some() {
            // Its status line was not pasted.
            self.field(line, from, text, true);
            return true;
        }
        false
    }

    pub(super) fn request(&mut self, line: &Line<'_>, text: &str, from: usize) {
        if is_request_line(text) {
            let over = self.out.tests.last().is_some_and(|test| {
                test.responses.iter().rfind(|r| r.marked).is_some_and(|last| is_final(test, last))
            });
            if over || self.ended {
                self.begin(line.number);
            }
            self.mark(line, Kind::StartLine, from);
            let test = self.test(line.number);
            if test.requests.len() < RESPONSES {
                test.requests.push(vec![text.to_owned()]);
            }
            (self.at, self.marked) = (At::Request, None);
            return;
        }
        if text.is_empty() {
            if self.at == At::Request {
                self.at = At::Nothing;
            }
            return;
        }
        let field = field_name(text).is_some();
        if self.field(line, from, text, field) {
            return;
        }
        if self.at != At::Request && field {
            // The beginning was not pasted.
            self.begins(line.number);
            self.test(line.number).requests.push(vec!["GET".to_owned()]);
            self.at = At::Request;
        }
        let Some(request) = self.out.tests.last_mut().and_then(|test| test.requests.last_mut())
        else {
            return;
        };
        if request.len() < FIELDS {
            add(request, text, field);
        }
    }

    /// A line of a response head.
    pub(super) fn head(&mut self, line: &Line<'_>, text: &str, from: usize, marked: bool) {
        if let Some((version, status)) = signs::status(text) {
            self.mark(line, Kind::StartLine, from);
            return self.response(line.number, text, version, status, marked);
        }
        let open = if marked { self.marked } else { self.plain };
        if text.is_empty() {
            if marked {
                self.marked = None;
            } else if self.spaced || self.is_bare(self.plain) {
                // A mail program put an empty line behind each.
                self.spaced = true;
            } else {
                (self.at, self.plain_open) = (At::Body, false);
            }
            return;
        }
        let Some(open) = open else { return };
        let field = field_name(text).is_some();
        if !field && !marked && self.ends_a_head(open) {
            (self.at, self.plain_open) = (At::Body, false);
            return self.body(line, text);
        }
        if self.field(line, from, text, field) {
            return;
        }
        if let Some(response) =
            self.out.tests.last_mut().and_then(|test| test.responses.get_mut(open))
            && response.lines.len() < FIELDS
        {
            add(&mut response.lines, text, field);
        }
    }

    /// Whether a head is its status line alone.
    fn is_bare(&self, open: Option<usize>) -> bool {
        let test = self.out.tests.last();
        let response = open.and_then(|open| test?.responses.get(open));
        response.is_some_and(|response| response.lines.len() == 1)
    }

    /// Whether what follows a head's last line is no rest of it.
    fn ends_a_head(&self, open: usize) -> bool {
        let response = self.out.tests.last().and_then(|test| test.responses.get(open));
        let last = response.and_then(|response| response.lines.last());
        last.is_some_and(|last| secret::is_whole(last, self.spaced))
    }

    fn response(&mut self, line: usize, text: &str, version: String, status: u16, marked: bool) {
        // With `-i` beside `-v` heads stand there twice: one marked, one plain.
        let known = self.out.tests.last().is_some_and(|test| {
            let same = |m: bool| {
                test.responses.iter().filter(|r| r.marked == m && r.status_line() == text).count()
            };
            self.goes_on && same(!marked) > same(marked)
        });
        let over = self.out.tests.last().is_some_and(|test| {
            let last = test.responses.iter().rfind(|r| r.marked == marked);
            last.is_some_and(|last| is_final(test, last))
        });
        if !known && (over || self.ended) {
            self.begin(line);
        }
        let test = self.test(line);
        if test.responses.len() < RESPONSES {
            let lines = vec![text.to_owned()];
            test.responses.push(Response {
                line,
                version,
                status,
                lines,
                body: String::new(),
                marked,
            });
        }
        let at = test.responses.len() - 1;
        self.spaced = false;
        if marked {
            (self.at, self.marked) = (At::Marked, Some(at));
        } else {
            (self.at, self.plain, self.plain_open) = (At::Plain, Some(at), true);
        }
    }

    pub(super) fn plain(&mut self, line: &Line<'_>, bare: &str, from: usize, in_field: bool) {
        if let Some(at) = signs::behind_meter(bare) {
            return self.head(line, &bare[at..], from + at, false);
        }
        if bare.is_empty() && self.at == At::Plain {
            return self.head(line, bare, from, false);
        }
        // A page whose empty line before was lost.
        if bare.starts_with('<') && self.plain_open {
            (self.at, self.plain_open) = (At::Body, false);
        }
        // Both streams at once: the plain head goes on between the marked lines.
        if self.at == At::Plain || self.at == At::Marked && self.plain_open {
            return self.head(line, bare, from, false);
        }
        // A field that a console cut: the rest has no mark.
        let rest = |bare: &str| {
            in_field && !bare.is_empty() && !bare.starts_with('<') && field_name(bare).is_none()
        };
        if self.at == At::Request && rest(bare) {
            return self.request(line, bare, from);
        }
        if self.at == At::Marked && self.marked.is_some() && rest(bare) {
            return self.head(line, bare, from, true);
        }
        // A cut-off paste begins within a head.
        let said = bare.trim_start_matches(['|', '`', ' ']);
        let from = from + bare.len() - said.len();
        let bare = said;
        let named = |by: fn(&str) -> bool| field_name(bare).is_some_and(by);
        let inside = match self.at {
            At::Nothing => named(secret::is_header),
            // A secret stands in what is no head as well, and its rest below it.
            At::Body => named(secret::names),
            _ => false,
        };
        if inside || matches!(self.at, At::Nothing | At::Body) && rest(bare) {
            let nothing_more = self.field(line, from, bare, inside);
            if nothing_more || self.at == At::Nothing {
                return;
            }
        }
        self.body(line, bare);
    }

    /// A line of a body in a trace.
    pub(super) fn content(&mut self, line: usize, text: &str) {
        let test = self.test(line);
        if let Some(response) = test.responses.last_mut().filter(|r| r.body.len() < BODY) {
            response.body.push_str(text);
            response.body.push('\n');
        }
    }

    fn body(&mut self, line: &Line<'_>, bare: &str) {
        let Some(test) = self.out.tests.last_mut() else { return };
        if test.responses.is_empty() {
            let format = test.command.as_ref().and_then(|command| command.write_out.as_deref());
            if let Some(status) = format.and_then(|format| written(format, bare)) {
                test.written = Some(status);
            }
            return;
        }
        if self.ended {
            return;
        }
        let at = self.plain.or(self.marked).unwrap_or(test.responses.len() - 1);
        if let Some(response) = test.responses.get_mut(at)
            && response.body.len() < BODY
            && !(response.body.is_empty() && bare.is_empty())
        {
            response.body.push_str(line.text.trim_end());
            response.body.push('\n');
        }
        if self.marked.is_none() {
            self.at = At::Body;
        }
    }
}

/// Whether no further response can belong to the same transfer.
fn is_final(test: &Test, last: &Response) -> bool {
    let tunnel = test.proxy.is_some() || test.asked_for_a_tunnel();
    match last.status {
        101 => true,
        100..=199 | 401 | 407 => false,
        200..=299 => !(last.may_answer_connect() && (tunnel || bare_success(last))),
        300..=399 => test.command.as_ref().is_some_and(|command| !command.follows),
        _ => true,
    }
}

/// A success with nothing that an origin's would have.
fn bare_success(response: &Response) -> bool {
    let proxys =
        ["proxy-agent", "via", "connection", "proxy-connection", "x-cache", "date", "server"];
    response.lines.iter().skip(1).all(|line| {
        line.split_once(':')
            .is_some_and(|(name, _)| proxys.iter().any(|own| name.trim().eq_ignore_ascii_case(own)))
    })
}

/// Heads that stand there twice become one: the marked one is whole, the body is
/// the plain one's.
pub(super) fn merge(test: &mut Test) {
    let all = std::mem::take(&mut test.responses);
    let (mut marked, plain): (Vec<_>, Vec<_>) = all.into_iter().partition(|r| r.marked);
    if marked.is_empty() {
        test.responses = plain;
        return;
    }
    let mut used = vec![false; marked.len()];
    let mut more = Vec::new();
    for response in plain {
        let same = (0..marked.len())
            .find(|at| !used[*at] && marked[*at].status_line() == response.status_line());
        match same {
            Some(at) => {
                used[at] = true;
                if marked[at].body.is_empty() {
                    marked[at].body = response.body;
                }
            }
            None => more.push(response),
        }
    }
    marked.extend(more);
    marked.sort_by_key(|response| response.line);
    test.responses = marked;
}

/// A field, or the rest of the one before: somebody's width cut it in two.
fn add(lines: &mut Vec<String>, text: &str, field: bool) {
    match lines.last_mut() {
        Some(before) if !field => {
            // A value with blanks was cut at one.
            let value = before.split_once(':').map_or(before.as_str(), |(_, value)| value.trim());
            if value.contains(' ') && secret::width(before) < MAIL && !before.ends_with(' ') {
                before.push(' ');
            }
            before.push_str(text);
        }
        _ => lines.push(text.to_owned()),
    }
}

/// The status in what `-w` wrote.
fn written(format: &str, line: &str) -> Option<u16> {
    if !format.contains("http_code") && !format.contains("response_code") {
        return None;
    }
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .find(|word| word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|word| word.parse().ok())
}

/// `&gt; ` and `&lt; `: a page's source was pasted.
fn entity(line: &str) -> Option<(bool, usize)> {
    ["&gt;", "&lt;"].iter().position(|mark| line.starts_with(mark)).map(|at| (at == 0, 4))
}
