//! `--dry-run`: what a collection would contact and read. Contacts nothing.

use crate::cli::resolve::Job;
use crate::config::Config;
use crate::environment::nat64;
use crate::key::Probe;
use crate::probe::addresses::LIMIT;
use crate::proxy::pac::File;
use crate::proxy::pac::engine::LOOKUPS;
use crate::run::{AGAIN_CONNECTIONS, AGAIN_LONGEST, AGAIN_WAITS, AGAIN_WINDOWS, AT_ONCE, Ladder};
use crate::run::{keepalive_every, ping_every, plan, speaks_graphql};
use crate::screen::safe;
use crate::step::dns::ADDRESSES;
use crate::step::likeness::USER_AGENT;
use crate::step::request::{given, user_agent};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use wss_bundle::target::DEFAULT_PATHS;

/// Who is contacted for a PAC file, as the browser contacts them.
fn who_for(file: &File) -> String {
    let names = format!(
        "the system's resolver, for at most {LOOKUPS} names that the script asks for; then the \
         proxies that it names"
    );
    match file.url() {
        url if url.starts_with("http") => format!("the host of {file}, which is fetched; {names}"),
        _ => format!("for {file}: {names}"),
    }
}

/// The plan, as text.
#[must_use]
pub fn text(job: &Job) -> String {
    let config = &job.config;
    let target = &config.target;
    let mut out = format!(
        "Nothing is contacted now. This is what would be done for {}.\n\nContacted:\n",
        safe(&target.origin())
    );
    let steps = plan(config);
    let mut contacts: BTreeMap<&str, u32> = BTreeMap::new();
    for step in &steps {
        *contacts.entry(&step.contacts).or_default() += step.connections;
    }
    for (who, connections) in contacts {
        let _ = match connections {
            0 => writeln!(out, "  {}", safe(who)),
            1 => writeln!(out, "  {} (1 connection)", safe(who)),
            n => writeln!(out, "  {} ({n} connections, at most 6 at a time)", safe(who)),
        };
    }
    for file in &job.pac_files {
        let _ = writeln!(out, "  {}", safe(&who_for(file)));
    }
    if nat64::applies(&config.name_servers) {
        let _ = writeln!(out, "  these name servers once more, for {} (NAT64)", nat64::NAME);
    }
    let _ = writeln!(
        out,
        "  (of a name with several addresses one after the other, up to {ADDRESSES}, until one \
         answers; without a proxy the first {LIMIT} of them once more)"
    );
    if let Some(path) = &job.address {
        let _ = writeln!(
            out,
            "  (before all else {} once more, for {path}: if it is the address of a page, then the\n   \
             console's WebSocket paths {} are tried instead)",
            safe(&target.host_port()),
            DEFAULT_PATHS.join(", ")
        );
    }
    sign_on(&mut out, config);
    out.push_str("  nobody else\n\nSteps, by route:\n");
    for step in &steps {
        let _ = writeln!(out, "  {}", safe(&step.key.to_string()));
    }
    names(&mut out, config);
    holds(&mut out, config);
    let _ = write!(
        out,
        "\nAt most {:.0} s a step.\nWhere something fails, it is asked again on its route, one at a time, {} and {} s apart: up to \
         {} connections more.\nWhere a limit refuses still, {} s and {} s later once more (or as Retry-After says, up to {} s).\n\n\
         Read on this machine:\n  \
         proxy variables (http_proxy, https_proxy, all_proxy, no_proxy)\n  \
         name servers ({})\n  \
         network interfaces, their addresses and the default route\n  \
         the clock and its time zone, name and version of the operating system\n  \
         the operating system's list of trusted certificate authorities\n",
        config.timeout.as_secs_f64(),
        AGAIN_WAITS[0].as_secs(),
        AGAIN_WAITS[1].as_secs(),
        AGAIN_CONNECTIONS,
        AGAIN_WINDOWS[0].as_secs(),
        AGAIN_WINDOWS[1].as_secs(),
        AGAIN_LONGEST.as_secs(),
        if job.dns.source.is_empty() { "none found" } else { &job.dns.source },
    );
    if let Some(name) = crate::environment::trust_variable() {
        let _ = writeln!(out, "  what {name} names, in place of that list");
    }
    for place in &job.proxies.sources.places {
        let _ = writeln!(out, "  {}", safe(place));
    }
    for file in &job.files {
        let _ = writeln!(out, "  {}", safe(&file.display().to_string()));
    }
    if job.agents {
        out.push_str(
            "  the names of running processes: of those on a list of security agents it is kept that \
             they run,\n  all other names are forgotten at once\n",
        );
    }
    written(&mut out, job);
    let processes = if job.agents { "anything else of processes" } else { "processes" };
    let _ = write!(
        out,
        "\nNever read or sent: other files of yours, {processes}, browser data, stored passwords.\n\
         Never in the bundle: credentials given here, values of cookies, tokens, queries.\n",
    );
    for note in &job.notes {
        let _ = writeln!(out, "\nNote: {}", safe(note));
    }
    // A screen is looked at by others, too: queries' values and the like go.
    job.redactor().text("screen", "dry run", &out)
}

/// Who may be asked where a proxy wants to know who is there.
fn sign_on(out: &mut String, config: &Config) {
    if config.routes.iter().all(|route| route.route.id.is_direct()) {
        return;
    }
    let when = if config.negotiate { "" } else { "where a proxy asks for Negotiate, " };
    let _ = writeln!(
        out,
        "  ({when}this machine's curl makes a token for it from your Kerberos ticket, and Kerberos may\n   \
         ask your realm's key distribution centre; the ticket itself is not read)"
    );
}

/// What is held open, and for how long.
fn holds(out: &mut String, config: &Config) {
    if config.hold.is_zero() {
        return;
    }
    let ladder = Ladder::new(config.hold, false);
    let seconds = |all: &[std::time::Duration]| {
        let all: Vec<String> = all.iter().map(|time| time.as_secs_f64().to_string()).collect();
        all.join(", ")
    };
    let _ = write!(
        out,
        "\nWhere a path works, connections are held open, {:.0} s in all, on each of the routes above that\n\
         have a hold: silent for {} s and then pinged once; one that pings every {} s",
        ladder.whole.as_secs_f64(),
        seconds(&ladder.silences()),
        ping_every(config.hold).as_secs_f64(),
    );
    if ladder.lanes.len() > 2 && ladder.rungs().any(|rung| rung.probe == Probe::HoldKeepalive) {
        let _ = write!(
            out,
            ";\none with TCP keepalive every {} s",
            keepalive_every(config.hold).as_secs()
        );
    }
    if config.target.paths.iter().any(|path| speaks_graphql(path)) {
        out.push_str(
            ";\none on which the server is asked for data (connection_init), where the path is GraphQL's",
        );
    }
    let _ = writeln!(
        out,
        ".\nThey are opened as browsers open them where that passed (browser-upgrade), but for the subprotocol;\n\
         else as curl does it.\n\
         At most {AT_ONCE} of them are open at a time, begun {} s apart or more; the others wait for their turn.",
        ladder.apart.as_secs_f64()
    );
    if !ladder.left_out.is_empty() {
        let _ = writeln!(
            out,
            "Left out, for want of a place: silent for {} s.",
            seconds(&ladder.left_out)
        );
    }
}

/// In whose name it is asked.
fn names(out: &mut String, config: &Config) {
    let own = user_agent();
    if given(config, "User-Agent") {
        out.push_str("\nSent with the User-Agent that -H gives.\n");
        return;
    }
    let _ = writeln!(
        out,
        "\nSent with a User-Agent of its own ({own}), but for what stands for a browser's\n\
         (browser-upgrade, compressed-upgrade, h2-connect, what is held): that carries a browser's\n\
         ({USER_AGENT}),\nsince filters refuse programs by their name and let browsers pass. \
         Where something is\nrefused, it is asked again in both names (ua-pages, ua-get, \
         ua-upgrade), by up to 12 connections. Where no path is known, it is asked for in other\n\
         spellings (path-twin), by up to {} more.",
        crate::run::SPELLINGS
    );
}

/// What would be left on this machine's disk.
fn written(out: &mut String, job: &Job) {
    let bundle = match job.output.as_deref() {
        Some(path) if path == Path::new("-") => "standard output".to_owned(),
        Some(path) => path.display().to_string(),
        None => "wss-HOST-VANTAGE-TIME.zip in this folder".to_owned(),
    };
    let _ = writeln!(out, "\nWritten:\n  {}: the bundle; nothing is sent", safe(&bundle));
    if let Some(to) = &job.recipients {
        let keys = to.shown().join(", ");
        let _ = writeln!(out, "    encrypted: only the owner of {} can open it", safe(&keys));
    }
    if job.obfuscate.is_some() {
        out.push_str(
            "    names and addresses in it are tokens; which is which goes into a file \
                      beside it\n",
        );
    }
}
