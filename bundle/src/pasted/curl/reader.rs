//! From lines to tests.

use super::command::{self, Piece};
use super::mark::{Kind, Mark};
use super::signs::{self, Block};
use super::{CurlError, Paste, Program, Response, Test};
use crate::pasted::around::{field_name, is_request_line};
use crate::pasted::{Line, after_prompt, lines};
use crate::redact::{header_may_stay, names_a_secret};

/// Tests of one paste: somebody's whole afternoon.
const TESTS: usize = 40;
/// Heads of one test: a proxy's, interim ones, redirects, the last.
const RESPONSES: usize = 20;
/// Lines of one head.
const FIELDS: usize = 300;
/// Messages of one test.
const MESSAGES: usize = 200;
/// Bytes of one body.
const BODY: usize = 1 << 18;
/// Lines of one command.
const COMMAND: usize = 60;
/// A line that a program cut is at least so long.
const CUT: usize = 60;
/// Nobody's window cuts a line that is shorter.
const NARROW: usize = 40;
/// Columns that terminals have: what fills one of these may go on.
const WIDTHS: [usize; 10] = [80, 100, 110, 120, 128, 132, 140, 150, 160, 200];
/// Mail cuts lines before this (RFC 5322 section 2.1.1), terminals never.
const MAIL: usize = 79;

pub(super) fn read(text: &str) -> Paste {
    let mut reader = Reader {
        out: Paste {
            tests: Vec::new(),
            marks: vec![Mark::default(); text.lines().count()],
            secrets: Vec::new(),
        },
        ..Reader::default()
    };
    for line in lines(text) {
        reader.line(&line);
    }
    reader.end_command();
    reader.finish()
}

/// In which part of a head or body the last line stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum At {
    #[default]
    Nothing,
    Request,
    /// A head whose lines are marked with `<`, or stand in a trace.
    Marked,
    /// A head as `-i` writes it.
    Plain,
    Body,
}

#[derive(Default)]
struct Reader<'a> {
    out: Paste,
    /// The last test goes on.
    goes_on: bool,
    /// It ended: what shows another beginning is another's.
    ended: bool,
    at: At,
    /// The plain head that is being read, beside a marked one.
    plain: Option<usize>,
    marked: Option<usize>,
    /// Its end has not come yet.
    plain_open: bool,
    /// An empty line stood behind the plain head's first.
    spaced: bool,
    command: Vec<Piece<'a>>,
    trace: Option<Block>,
    /// Whether the line before was a field or the rest of one.
    in_field: bool,
}

impl<'a> Reader<'a> {
    fn mark(&mut self, line: &Line<'_>, kind: Kind, from: usize) {
        if let Some(mark) = self.out.marks.get_mut(line.number - 1) {
            *mark = Mark { kind, from };
        }
    }

    /// The test that goes on, or a new one.
    fn test(&mut self, line: usize) -> &mut Test {
        if !self.goes_on || self.out.tests.is_empty() {
            self.begin(line);
        }
        let last = self.out.tests.len() - 1;
        &mut self.out.tests[last]
    }

    fn begin(&mut self, line: usize) {
        // Of too many the first are no worse than the last.
        if self.out.tests.len() >= TESTS {
            self.out.tests.pop();
        }
        self.out.tests.push(Test { line, ..Test::default() });
        (self.goes_on, self.ended) = (true, false);
        self.close();
        self.trace = None;
    }

    /// No head or body goes on.
    fn close(&mut self) {
        (self.at, self.plain, self.marked, self.plain_open) = (At::Nothing, None, None, false);
    }

    /// Something that begins a test, if the one before has ended.
    fn begins(&mut self, line: usize) {
        if self.ended {
            self.begin(line);
        }
    }

    fn line(&mut self, line: &Line<'a>) {
        let text = line.text.trim_end();
        let indent = text.len() - text.trim_start().len();
        let bare = &text[indent..];
        let from = line.start + indent;
        if !self.command.is_empty() && self.continues(line, bare) {
            return self.more(line, from, bare);
        }
        self.end_command();
        let in_field = std::mem::take(&mut self.in_field);
        if signs::is_meter(bare) {
            return self.mark(line, Kind::Said, from);
        }
        if let Some((code, words)) = signs::error(bare)
            && !bare.starts_with("* ")
        {
            return self.error(line, from, code, words);
        }
        if self.shell(line, bare) || self.program(line, bare, from) {
            return;
        }
        let time = signs::behind_time(bare);
        let (bare, from) = (&bare[time..], from + time);
        if self.traced(line, bare, from)
            || self.message(line, bare, from)
            || self.marked(line, bare, from)
        {
            return;
        }
        self.plain(line, bare, from, in_field);
    }

    // ---- commands

    fn shell(&mut self, line: &Line<'a>, bare: &'a str) -> bool {
        let prompted = after_prompt(bare);
        let command = prompted.unwrap_or(bare);
        let offset = bare.len() - command.len();
        let from = line.start + (line.text.len() - line.text.trim_start().len()) + offset;
        if signs::is_call(bare) || prompted.is_some() && signs::is_call(command) {
            self.begin(line.number);
            self.mark(line, Kind::Command, from);
            self.command.push(Piece {
                line: line.number - 1,
                start: from,
                text: command,
                glued: false,
            });
            return true;
        }
        if let Some(program) = match prompted {
            Some(command) => signs::called(command),
            None => signs::called_plainly(bare),
        } {
            self.begin(line.number);
            self.test(line.number).program = program;
            self.test(line.number).said = Some(shortened(command));
            return true;
        }
        let marked = bare.starts_with(['<', '>', '*']);
        if let Some(at) = command::first_option(bare).filter(|_| !marked) {
            let from = line.start + (line.text.len() - line.text.trim_start().len()) + at;
            self.mark(line, Kind::Command, from);
            let piece =
                Piece { line: line.number - 1, start: from, text: &bare[at..], glued: false };
            command::options(piece, &mut self.out.secrets);
            return true;
        }
        let interrupted = bare == "^C" || bare.ends_with("^C") && bare.len() < 12;
        if prompted.is_some() && !bare.starts_with('#') && !bare.starts_with('%') || interrupted {
            self.ended = true;
            self.close();
            return true;
        }
        false
    }

    /// Whether a line belongs to the command before it.
    fn continues(&self, line: &Line<'_>, bare: &str) -> bool {
        let Some(last) = self.command.last() else { return false };
        if self.command.len() >= COMMAND || line.number > last.line + 2 {
            return false;
        }
        let open = command::is_open(&self.command);
        if command::wants_a_value(&self.command) {
            return signs::status(bare).is_none() && signs::error(bare).is_none();
        }
        let head = |mark| {
            let rest = bare.strip_prefix(mark);
            rest.is_some_and(|rest| is_request_line(rest) || field_name(rest).is_some())
        };
        if command::goes_on(last.text) && !open {
            // A quote's or a code mark's is before curl's own.
            let said = after_prompt(bare).unwrap_or(bare);
            let said = said.trim_start_matches(['`', '|', '<', '>', ' ']);
            let said = after_prompt(said).unwrap_or(said);
            let other = field_name(said).is_some() || bare.starts_with("* ");
            return !other && !head("> ") && !head("< ") && signs::status(bare).is_none();
        }
        let output = bare.is_empty()
            || signs::status(bare).is_some()
            || signs::error(bare).is_some()
            || signs::is_meter(bare)
            || signs::printed(bare).is_some()
            || ["* ", "< ", "> ", "== Info", "{ [", "<html", "<!"]
                .iter()
                .any(|sign| bare.starts_with(sign))
            || signs::behind_time(bare) > 0
            || after_prompt(bare).is_some()
            || is_request_line(bare);
        if output {
            return false;
        }
        if open || command::goes_on(last.text) {
            return true;
        }
        // Cut by somebody's width: an option, or the rest of a word.
        let columns = last.start + last.text.chars().count();
        let dashed = bare.starts_with(['-', '\u{2013}', '\u{2014}']);
        let quoted = bare.starts_with(['"', '\'', '\u{201c}', '\u{201d}']);
        let no_url = || !self.command.iter().any(|piece| piece.text.contains("://"));
        let word =
            !bare.contains(' ') && field_name(bare).is_none() && !bare.starts_with(['<', '{']);
        dashed
            || quoted && columns >= CUT
            || bare.contains("://") && no_url() && !bare.contains(": ")
            || word && WIDTHS.contains(&columns)
    }

    fn more(&mut self, line: &Line<'a>, from: usize, bare: &'a str) {
        let glued = self.command.last().is_some_and(|last| {
            let cut = last.text.chars().count() + last.start >= MAIL;
            cut && !command::goes_on(last.text) && !bare.starts_with('-')
        });
        self.mark(line, Kind::Command, from);
        // The prompt of the second line: `> `, `>> `, `More? `.
        let rest = bare.strip_prefix("More? ").unwrap_or(bare);
        let text = rest.trim_start_matches("> ");
        let start = from + bare.len() - text.len();
        self.command.push(Piece { line: line.number - 1, start, text, glued });
    }

    fn end_command(&mut self) {
        if self.command.is_empty() {
            return;
        }
        let pieces = std::mem::take(&mut self.command);
        let command = command::read(&pieces, &mut self.out.secrets);
        let Some(test) = self.out.tests.last_mut() else { return };
        if let Some(command) = command {
            if test.proxy.is_none() {
                test.proxy.clone_from(&command.proxy);
            }
            test.command = Some(command);
        }
    }

    // ---- what programs say

    fn error(&mut self, line: &Line<'_>, from: usize, code: u32, words: String) {
        // Of one command there may be several; without one each is a test's end.
        let of_command = self.out.tests.last().is_some_and(|test| test.command.is_some());
        if self.ended && !of_command && !self.again(code) {
            self.begin(line.number);
        }
        let number = line.number;
        let test = self.test(number);
        if test.errors.len() < RESPONSES {
            test.errors.push(CurlError { line: number, code, words });
        }
        self.ended = true;
        self.close();
        self.mark(line, Kind::Said, from);
    }

    /// The same error once more (`--retry`), or of the next word that curl took
    /// for a URL.
    fn again(&self, code: u32) -> bool {
        let Some(test) = self.out.tests.last() else { return false };
        test.errors.last().is_some_and(|last| last.code == code || last.code == 6 || last.code == 3)
    }

    fn program(&mut self, line: &Line<'_>, bare: &str, from: usize) -> bool {
        // A page may speak of any program.
        if matches!(self.at, At::Body) || bare.starts_with("* ") {
            return false;
        }
        let Some((program, decides)) = signs::printed(bare) else { return false };
        // Postman shows the words of Node's `ws`, too.
        let postman = self.out.tests.last().is_some_and(|t| t.program == Program::Postman);
        let program = if postman && program == Program::Wscat { Program::Postman } else { program };
        let other = self.out.tests.last().is_some_and(|test| {
            test.program != program && (test.program != Program::Curl || !test.responses.is_empty())
        });
        if other {
            self.begin(line.number);
        }
        let number = line.number;
        let test = self.test(number);
        test.program = program;
        if decides || test.said.is_none() {
            test.said = Some(shortened(bare));
        }
        self.mark(line, Kind::Said, from);
        true
    }

    fn message(&mut self, line: &Line<'_>, bare: &str, from: usize) -> bool {
        if bare.starts_with("{ [") || bare.starts_with("} [") {
            return true;
        }
        let said = bare.strip_prefix("* ").or_else(|| bare.strip_prefix("== Info: "));
        let Some(said) = said else { return bare == "*" };
        let starts = ["Trying ", "  Trying ", "Host ", "Could not resolve", "About to connect"];
        if starts.iter().any(|start| said.starts_with(start)) {
            self.begins(line.number);
        }
        let test = self.test(line.number);
        test.connected |=
            said.starts_with("Connected to ") || said.starts_with("Established connection to");
        if let Some((_, proxy)) = said.split_once("Uses proxy env variable ") {
            test.proxy = proxy.split_once("== ").map(|(_, url)| url.trim_matches('\'').to_owned());
        }
        if test.messages.len() < MESSAGES {
            test.messages.push(said.trim().chars().take(400).collect());
        }
        self.mark(line, Kind::Said, from);
        true
    }

    /// Lines of `--trace-ascii`.
    fn traced(&mut self, line: &Line<'_>, bare: &str, from: usize) -> bool {
        if let Some(block) = signs::block(bare) {
            self.trace = Some(block);
            self.mark(line, Kind::Said, from);
            return true;
        }
        let Some((offset, hex)) = signs::traced(bare).filter(|_| self.trace.is_some()) else {
            return false;
        };
        let (text, from) = (&bare[offset..], from + offset);
        if hex {
            self.test(line.number).hex = true;
            self.mark(line, Kind::Hex, from);
            return true;
        }
        match self.trace {
            Some(Block::Sent) => self.request(line, text, from),
            Some(Block::Received) => self.head(line, text, from, true),
            _ => {}
        }
        true
    }

    // ---- heads

    /// Lines with `> ` and `< `.
    fn marked(&mut self, line: &Line<'_>, bare: &str, from: usize) -> bool {
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
            self.mark(line, Kind::Field, from);
            self.in_field = true;
            return true;
        }
        false
    }

    fn request(&mut self, line: &Line<'_>, text: &str, from: usize) {
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
        self.mark(line, if field { Kind::Field } else { Kind::Wrapped }, from);
        self.in_field = true;
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
    fn head(&mut self, line: &Line<'_>, text: &str, from: usize, marked: bool) {
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
        self.mark(line, if field { Kind::Field } else { Kind::Wrapped }, from);
        self.in_field = true;
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

    /// Whether what follows a head's last line is no rest of it: it is too short to
    /// have been cut, or whole. What may be a secret's rest stays one.
    fn ends_a_head(&self, open: usize) -> bool {
        let response = self.out.tests.last().and_then(|test| test.responses.get(open));
        let Some(last) = response.and_then(|response| response.lines.last()) else { return false };
        let Some((name, value)) = last.split_once(':') else { return self.spaced };
        let whole = name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim().len() == 28;
        header_may_stay(name) && (self.spaced || whole || last.chars().count() < NARROW)
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

    fn plain(&mut self, line: &Line<'_>, bare: &str, from: usize, in_field: bool) {
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
        if self.at == At::Request
            && in_field
            && !bare.is_empty()
            && !bare.starts_with('<')
            && field_name(bare).is_none()
        {
            // A request's field that a console cut: the rest has no mark.
            return self.request(line, bare, from);
        }
        if self.at == At::Marked
            && self.marked.is_some()
            && in_field
            && field_name(bare).is_none()
            && !bare.is_empty()
            && !bare.starts_with('<')
        {
            return self.head(line, bare, from, true);
        }
        // A cut-off paste begins within a head.
        let said = bare.trim_start_matches(['|', '`', ' ']);
        let from = from + bare.len() - said.len();
        let bare = said;
        let field = field_name(bare).is_some_and(is_header);
        let rest = in_field && !bare.is_empty() && field_name(bare).is_none();
        if self.at == At::Nothing && (field || rest) {
            self.mark(line, if field { Kind::Field } else { Kind::Wrapped }, from);
            self.in_field = true;
            return;
        }
        // A secret stands in what is no head as well, and its rest below it.
        if self.at == At::Body && (rest || field_name(bare).is_some_and(names_a_secret)) {
            self.mark(line, if rest { Kind::Wrapped } else { Kind::Field }, from);
            self.in_field = true;
        }
        self.body(line, bare);
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

    fn finish(mut self) -> Paste {
        for test in &mut self.out.tests {
            merge(test);
        }
        self.out.tests.retain(|test| {
            test.command.is_some() || test.has_an_outcome() || !test.messages.is_empty()
        });
        self.out
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
fn merge(test: &mut Test) {
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
            if value.contains(' ') && before.chars().count() < MAIL && !before.ends_with(' ') {
                before.push(' ');
            }
            before.push_str(text);
        }
        _ => lines.push(text.to_owned()),
    }
}

/// Whether a name before a colon is surely a header's: prose has colons, too.
fn is_header(name: &str) -> bool {
    name.contains('-') || header_may_stay(name) || names_a_secret(name)
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

fn shortened(line: &str) -> String {
    line.chars().take(200).collect()
}
