//! From lines to tests: whose each line is. What belongs to a command is in `calls`, to a
//! head or a body in `heads`.

mod calls;
mod heads;

use super::command::Piece;
use super::mark::{Kind, Mark};
use super::signs::{self, Block};
use super::{CurlError, Paste, Program, Test, secret};
use crate::pasted::{Line, lines};
use heads::merge;

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
    /// The line before ended in a secret, of which the rest may stand on this one.
    before: Option<Cut>,
    /// The same of this line, for the next.
    secret: Option<Cut>,
}

/// What is known of a secret at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// It is a field's: whatever is no field goes on in it.
    Field,
    /// It stands somewhere in a line.
    Anywhere,
}

impl<'a> Reader<'a> {
    fn mark(&mut self, line: &Line<'_>, kind: Kind, from: usize) {
        if let Some(mark) = self.out.marks.get_mut(line.number - 1) {
            *mark = Mark { kind, from, joined: None };
        }
    }

    /// A field, or the rest of the one before it; whether it is the rest of a secret, or
    /// names one, and tells nothing.
    fn field(&mut self, line: &Line<'_>, from: usize, text: &str, whole: bool) -> bool {
        let rest = !whole && self.before == Some(Cut::Field);
        let kind = match (whole, rest) {
            (true, _) => Kind::Field,
            (false, true) => Kind::Rest,
            (false, false) => Kind::Wrapped,
        };
        self.mark(line, kind, from);
        self.in_field = true;
        self.secret = match whole {
            true => secret::goes_on_in_secret(text).then_some(Cut::Field),
            false => self.before,
        };
        rest || !whole && secret::is_in(text)
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
        let bare = without_code_mark(text.trim_start());
        let indent = text.len() - bare.len();
        let from = line.start + indent;
        if !self.command.is_empty() && self.continues(line, bare) {
            return self.more(line, from, bare);
        }
        self.end_command();
        let in_field = std::mem::take(&mut self.in_field);
        self.before = self.secret.take();
        // The rest of a secret tells nothing of anything else.
        let rest = self.before == Some(Cut::Anywhere) && secret::is_rest(bare);
        if rest || secret::was_a_rest(bare) {
            (self.in_field, self.secret) = (in_field, self.before);
            return self.mark(line, Kind::Rest, from);
        }
        self.told(line, bare, from, in_field);
        if self.secret.is_none() && secret::may_be_cut(text) {
            self.secret = Some(Cut::Anywhere);
        }
    }

    /// A line that is no part of a command.
    fn told(&mut self, line: &Line<'a>, bare: &'a str, from: usize, in_field: bool) {
        if signs::is_meter(bare) {
            return self.mark(line, Kind::Said, from);
        }
        if let Some((code, words)) = signs::error(bare)
            && !bare.starts_with("* ")
        {
            return self.error(line, from, code, words);
        }
        if self.shell(line, bare, from) || self.program(line, bare, from) {
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
        let open = self.trace.is_some();
        // A dump whose beginning was not pasted may hold anything.
        let Some((offset, hex)) = signs::traced(bare).filter(|(_, hex)| open || *hex) else {
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
            Some(Block::Content) => self.content(line.number, text),
            _ => {}
        }
        true
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

/// A line of curl's without a mark of code or quoting that stands before it, of which the other
/// stands lines below.
fn without_code_mark(line: &str) -> &str {
    let rest = line.trim_start_matches(['`', '|', ' ']);
    let curls = ["* ", "> ", "< ", "== ", "=> ", "<= "].iter().any(|mark| rest.starts_with(mark));
    if curls { rest } else { line }
}

fn shortened(line: &str) -> String {
    line.chars().take(200).collect()
}
