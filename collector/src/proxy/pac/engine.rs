//! Runs a PAC script: QuickJS, with no file, no network, no module loader; only
//! the functions of `functions`, and look-ups, which the caller makes.
//!
//! Memory and stack are bounded here, and so is time as far as the engine lets
//! itself be interrupted. It does not within some loops of its own
//! (`Array.prototype.reverse` on an object that claims 2^53 elements), and it
//! is written in C. That is why the script runs in a process of its own
//! ([`worker`]), which `load` ends at its deadline whatever it is doing.

use super::functions::{self as f, Now};
use rquickjs::context::{EvalOptions, intrinsic};
use rquickjs::convert::Coerced;
use rquickjs::function::{Opt, Rest};
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, FromJs, Function, Runtime, Value};
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Heap of the script. PAC files of the largest companies have a few hundred
/// kilobytes of names.
const MEMORY: usize = 32 << 20;
/// Stack of the script.
const STACK: usize = 256 << 10;
/// Names that a script may look up. Most look up the host alone.
pub const LOOKUPS: usize = 20;
/// Arguments of the longest call of `dateRange`, with `GMT`.
const RANGE_ARGUMENTS: usize = 7;

/// What a script is run with.
#[derive(Debug)]
pub struct Job {
    /// The file.
    pub script: String,
    /// What `FindProxyForURL` is asked about: URL and host.
    pub questions: Vec<(String, String)>,
    /// For `myIpAddress`.
    pub my_address: IpAddr,
    /// The time.
    pub now: Now,
    /// How long the engine may take.
    pub limit: Duration,
}

/// Looks names up for a script.
struct Lookups<R> {
    resolve: R,
    known: BTreeMap<String, Vec<IpAddr>>,
}

impl<R: FnMut(&str) -> Vec<IpAddr>> Lookups<R> {
    /// The addresses of a name; an error once the script has asked for too many.
    fn of(&mut self, name: &str) -> Result<Vec<IpAddr>, String> {
        if let Ok(address) = name.trim_matches(['[', ']']).parse() {
            return Ok(vec![address]);
        }
        if name.is_empty() || name.len() > 253 {
            return Ok(Vec::new());
        }
        let name = name.to_ascii_lowercase();
        if let Some(known) = self.known.get(&name) {
            return Ok(known.clone());
        }
        if self.known.len() >= LOOKUPS {
            return Err(format!("the script looks up more than {LOOKUPS} names"));
        }
        let found = (self.resolve)(&name);
        self.known.insert(name, found.clone());
        Ok(found)
    }
}

/// What of the language there is, beside its base: all that scripts of this kind use.
/// Typed arrays, proxies and promises are left out: no PAC file needs them, and most
/// of what was ever wrong with engines was in there.
type Language = (
    intrinsic::Eval,
    intrinsic::Date,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::MapSet,
);

/// Runs a script on every question; gives what it returned for each.
///
/// # Errors
/// Why there is no answer, in a sentence.
pub fn run<R>(job: &Job, resolve: R) -> Result<Vec<String>, String>
where
    R: FnMut(&str) -> Vec<IpAddr> + 'static,
{
    let start = |error: rquickjs::Error| format!("the script engine could not start: {error}");
    let runtime = Runtime::new().map_err(start)?;
    runtime.set_memory_limit(MEMORY);
    runtime.set_max_stack_size(STACK);
    let until = Instant::now() + job.limit;
    runtime.set_interrupt_handler(Some(Box::new(move || Instant::now() >= until)));
    let context = Context::custom::<Language>(&runtime).map_err(start)?;
    let lookups = Rc::new(RefCell::new(Lookups { resolve, known: BTreeMap::new() }));
    // Why a look-up ended the script; the script could swallow the exception.
    let ended: Rc<RefCell<Option<String>>> = Rc::default();
    let result = context.with(|ctx| {
        pure(&ctx, job.now).map_err(start)?;
        looking_up(&ctx, &lookups, &ended, job.my_address).map_err(start)?;
        evaluate(&ctx, job)
    });
    if let Some(why) = ended.borrow_mut().take() {
        return Err(why);
    }
    if result.is_err() && Instant::now() >= until {
        return Err(too_long(job.limit));
    }
    result
}

/// The sentence for a script that does not end.
#[must_use]
pub fn too_long(limit: Duration) -> String {
    format!("the script was stopped after {:.0} s", limit.as_secs_f64().max(1.0))
}

fn evaluate(ctx: &Ctx<'_>, job: &Job) -> Result<Vec<String>, String> {
    // As browsers load it: an undeclared variable is a global.
    let mut options = EvalOptions::default();
    options.strict = false;
    ctx.eval_with_options::<(), _>(job.script.as_str(), options)
        .catch(ctx)
        .map_err(|error| said(ctx, "the script does not load", error))?;
    let find: Value = ctx
        .globals()
        .get("FindProxyForURL")
        .catch(ctx)
        .map_err(|error| said(ctx, "FindProxyForURL cannot be had", error))?;
    let Some(find) = find.into_function() else {
        return Err("it defines no function FindProxyForURL".to_owned());
    };
    job.questions
        .iter()
        .map(|(url, host)| {
            let value: Value = find
                .call((url.as_str(), host.as_str()))
                .catch(ctx)
                .map_err(|error| said(ctx, "FindProxyForURL failed", error))?;
            if value.is_null() || value.is_undefined() {
                return Ok(String::new());
            }
            // Browsers make no text of a list or an object, and go directly.
            let kind = value.type_name();
            let text = value.into_string().ok_or_else(|| {
                format!("FindProxyForURL returned no text ({kind}), which browsers take for DIRECT")
            })?;
            text.to_string()
                .catch(ctx)
                .map_err(|error| said(ctx, "FindProxyForURL returned no text", error))
        })
        .collect()
}

/// What a script threw, in a few words.
fn said<'js>(ctx: &Ctx<'js>, what: &str, error: CaughtError<'js>) -> String {
    let detail = match error {
        CaughtError::Exception(exception) => exception.message().unwrap_or_default(),
        // So it looks when there is no memory left for an exception.
        CaughtError::Value(value) if value.is_null() => "out of memory".to_owned(),
        CaughtError::Value(value) => {
            Coerced::<String>::from_js(ctx, value).map_or_else(|_| String::new(), |text| text.0)
        }
        CaughtError::Error(error) => error.to_string(),
    };
    let detail: String = detail.chars().filter(|c| !c.is_control()).take(200).collect();
    if detail.is_empty() { what.to_owned() } else { format!("{what}: {detail}") }
}

type Text = Opt<Coerced<String>>;

fn text(argument: Text) -> String {
    argument.0.map(|text| text.0).unwrap_or_default()
}

/// The arguments of the range functions. Their number is checked before they
/// become texts: those are outside the script's bounded memory.
fn range<'js>(arguments: Rest<Value<'js>>) -> rquickjs::Result<Vec<String>> {
    if arguments.0.len() > RANGE_ARGUMENTS {
        return Ok(Vec::new());
    }
    arguments
        .0
        .into_iter()
        .map(|value| Ok(Coerced::<String>::from_js(&value.ctx().clone(), value)?.0))
        .collect()
}

/// What browsers have in the language itself. In `shExpMatch` they give a meaning to `*`,
/// `?` and `.` alone: whatever else a regular expression knows works as well, and people
/// write `(a|b)`. A console swallows what it is told.
const IN_THE_LANGUAGE: &str = r#"
function shExpMatch(text, shell) {
    var expression = shell.replace(/[.*?]/g, function (c) {
        return c === "*" ? ".*" : c === "?" ? "." : "\\.";
    });
    return new RegExp("^" + expression + "$").test(text);
}
var console = {};
["log", "info", "warn", "error", "debug"].forEach(function (name) { console[name] = function () {}; });
"#;

/// The functions that look nothing up.
fn pure<'js>(ctx: &Ctx<'js>, now: Now) -> rquickjs::Result<()> {
    let globals = ctx.globals();
    let set = |name: &str, function: Function<'js>| globals.set(name, function);
    set("isPlainHostName", Function::new(ctx.clone(), |h: Text| f::is_plain_host_name(&text(h)))?)?;
    set(
        "dnsDomainIs",
        Function::new(ctx.clone(), |h: Text, d: Text| f::dns_domain_is(&text(h), &text(d)))?,
    )?;
    set(
        "localHostOrDomainIs",
        Function::new(ctx.clone(), |h: Text, d: Text| {
            f::local_host_or_domain_is(&text(h), &text(d))
        })?,
    )?;
    set("dnsDomainLevels", Function::new(ctx.clone(), |h: Text| f::dns_domain_levels(&text(h)))?)?;
    set(
        "weekdayRange",
        Function::new(ctx.clone(), move |a: Rest<Value<'js>>| {
            range(a).map(|a| f::weekday_range(&a, now))
        })?,
    )?;
    set(
        "timeRange",
        Function::new(ctx.clone(), move |a: Rest<Value<'js>>| {
            range(a).map(|a| f::time_range(&a, now))
        })?,
    )?;
    set(
        "dateRange",
        Function::new(ctx.clone(), move |a: Rest<Value<'js>>| {
            range(a).map(|a| f::date_range(&a, now))
        })?,
    )?;
    set("convert_addr", Function::new(ctx.clone(), |a: Text| f::convert_addr(&text(a)))?)?;
    set(
        "isInNetEx",
        Function::new(ctx.clone(), |a: Text, n: Text| f::is_in_net_ex(&text(a), &text(n)))?,
    )?;
    let sort = |ctx: Ctx<'js>, list: Text| -> rquickjs::Result<Value<'js>> {
        match f::sort_ip_address_list(&text(list)) {
            Some(sorted) => Ok(rquickjs::String::from_str(ctx, &sorted)?.into_value()),
            None => Ok(Value::new_bool(ctx, false)),
        }
    };
    set("sortIpAddressList", Function::new(ctx.clone(), sort)?)?;
    set("alert", Function::new(ctx.clone(), |_: Text| ())?)?;
    ctx.eval::<(), _>(IN_THE_LANGUAGE)
}

/// The functions that look names up, and `myIpAddress`.
fn looking_up<'js, R>(
    ctx: &Ctx<'js>,
    lookups: &Rc<RefCell<Lookups<R>>>,
    ended: &Rc<RefCell<Option<String>>>,
    my_address: IpAddr,
) -> rquickjs::Result<()>
where
    R: FnMut(&str) -> Vec<IpAddr> + 'static,
{
    let globals = ctx.globals();
    // A `FnMut` for each function, on the same look-ups.
    let look = || {
        let (lookups, ended) = (lookups.clone(), ended.clone());
        move |ctx: &Ctx<'js>, name: &str| -> rquickjs::Result<Vec<IpAddr>> {
            if let Some(why) = ended.borrow().as_deref() {
                return Err(rquickjs::Exception::throw_message(ctx, why));
            }
            lookups.borrow_mut().of(name).map_err(|why| {
                *ended.borrow_mut() = Some(why.clone());
                rquickjs::Exception::throw_message(ctx, &why)
            })
        }
    };
    fn v4(addresses: &[IpAddr]) -> Option<Ipv4Addr> {
        addresses.iter().find_map(|address| match address {
            IpAddr::V4(v4) => Some(*v4),
            IpAddr::V6(_) => None,
        })
    }
    let find = look();
    let resolve = move |ctx: Ctx<'js>, host: Text| -> rquickjs::Result<Value<'js>> {
        match v4(&find(&ctx, &text(host))?) {
            Some(address) => {
                Ok(rquickjs::String::from_str(ctx, &address.to_string())?.into_value())
            }
            // Scripts ask `=== null`.
            None => Ok(Value::new_null(ctx)),
        }
    };
    globals.set("dnsResolve", Function::new(ctx.clone(), resolve)?)?;
    let find = look();
    let resolvable = move |ctx: Ctx<'js>, host: Text| -> rquickjs::Result<bool> {
        Ok(v4(&find(&ctx, &text(host))?).is_some())
    };
    globals.set("isResolvable", Function::new(ctx.clone(), resolvable)?)?;
    let find = look();
    let in_net =
        move |ctx: Ctx<'js>, host: Text, pattern: Text, mask: Text| -> rquickjs::Result<bool> {
            let found = v4(&find(&ctx, &text(host))?);
            Ok(found.is_some_and(|address| f::is_in_net(address, &text(pattern), &text(mask))))
        };
    globals.set("isInNet", Function::new(ctx.clone(), in_net)?)?;
    // Microsoft's additions, which Chromium has, too: of both families.
    let find = look();
    let all = move |ctx: Ctx<'js>, host: Text| -> rquickjs::Result<String> {
        let found = find(&ctx, &text(host))?;
        Ok(found.iter().map(ToString::to_string).collect::<Vec<_>>().join(";"))
    };
    globals.set("dnsResolveEx", Function::new(ctx.clone(), all)?)?;
    let find = look();
    let any = move |ctx: Ctx<'js>, host: Text| -> rquickjs::Result<bool> {
        Ok(!find(&ctx, &text(host))?.is_empty())
    };
    globals.set("isResolvableEx", Function::new(ctx.clone(), any)?)?;
    for name in ["myIpAddress", "myIpAddressEx"] {
        let mine = my_address.to_string();
        globals.set(name, Function::new(ctx.clone(), move || mine.clone())?)?;
    }
    Ok(())
}

/// The other process: a job on standard input, look-ups and the result on
/// standard output, a JSON object a line. Gives the exit code.
#[must_use]
pub fn worker() -> u8 {
    let mut line = String::new();
    // Not in the `match`, which would hold the lock that `ask` wants.
    let read = std::io::stdin().lock().read_line(&mut line);
    let answer = match read {
        Ok(_) => job_of(&line).and_then(|job| run(&job, ask)),
        Err(error) => Err(error.to_string()),
    };
    let done = match answer {
        Ok(answers) => json!({ "answers": answers }),
        Err(why) => json!({ "error": why }),
    };
    u8::from(tell(&done).is_err())
}

fn tell(message: &serde_json::Value) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{message}")?;
    stdout.flush()
}

/// Asks the process that started this one to look a name up.
fn ask(name: &str) -> Vec<IpAddr> {
    let mut line = String::new();
    let asked = tell(&json!({ "resolve": name }));
    if asked.is_err() || std::io::stdin().lock().read_line(&mut line).is_err() {
        return Vec::new();
    }
    serde_json::from_str(&line).unwrap_or_default()
}

/// A job as it goes to the other process.
#[must_use]
pub fn line_of(job: &Job) -> String {
    let job = json!({
        "script": job.script,
        "questions": job.questions,
        "my_address": job.my_address,
        "now": job.now.local.to_rfc3339(),
        "limit_ms": job.limit.as_millis() as u64,
    });
    format!("{job}\n")
}

fn job_of(line: &str) -> Result<Job, String> {
    let wrong = |what: &str| format!("this command is for the collector's own use ({what})");
    let value: serde_json::Value =
        serde_json::from_str(line).map_err(|error| wrong(&error.to_string()))?;
    let of = |key: &str| value.get(key).cloned().unwrap_or_default();
    let parse = |error: serde_json::Error| wrong(&error.to_string());
    Ok(Job {
        script: serde_json::from_value(of("script")).map_err(parse)?,
        questions: serde_json::from_value(of("questions")).map_err(parse)?,
        my_address: serde_json::from_value(of("my_address")).map_err(parse)?,
        now: Now {
            local: of("now")
                .as_str()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| wrong("no time"))?,
        },
        limit: Duration::from_millis(of("limit_ms").as_u64().unwrap_or(1000)),
    })
}

#[cfg(test)]
mod tests;
