//! The work: everything that was handed over is read, judged and drawn. Pure: the time
//! and the ids come with the request.

use crate::ask::{Answer, Item, Live, Report, Request, Role, Saved, Told};
use crate::target;
use chrono::{DateTime, Utc};
use std::io::Cursor;
use std::path::Path;
use wss_bundle::browser::{BrowserHandshake, BrowserRequest};
use wss_bundle::manifest::Collector;
use wss_bundle::read::{self, Limits, Opened};
use wss_bundle::redact::Redactor;
use wss_bundle::sealed::Identities;
use wss_bundle::{Bundle, Redaction, ResponseHead, Target, Vantage, pasted, write};
use wss_diagnosis::diagnose;
use wss_handed::bundle::{About, Given};
use wss_handed::kind::{Kind, kind};
use wss_handed::{curl, har};
use wss_report::Case;

/// Does what is asked. `files` are the items' contents. The second value is the
/// bundle's bytes, where one is wanted.
#[must_use]
pub fn work(request: &Request, files: Vec<Vec<u8>>) -> (Answer, Vec<u8>) {
    let mut answer = Answer { rules: wss_diagnosis::rules_version(), ..Answer::default() };
    let identities = match identities(&request.identity) {
        Ok(identities) => identities,
        Err(why) => return (Answer { problem: Some(why), ..answer }, Vec::new()),
    };
    let mut files: Vec<(Role, Vec<u8>)> = request
        .items
        .iter()
        .zip(files)
        .map(|(item, content)| (role(item, &content), content))
        .collect();
    answer.items = files.iter().map(|(role, _)| Told { role: *role, ..Told::default() }).collect();
    let mut bundles: Vec<Bundle> = Vec::new();
    for (at, (role, content)) in files.iter_mut().enumerate() {
        if *role != Role::Bundle {
            continue;
        }
        // Its bytes are of no use after this.
        let content = std::mem::take(content);
        let told = &mut answer.items[at];
        match open(&request.items[at].name, &content, identities.as_ref()) {
            Ok(opened) if bundles.iter().any(|b| b.manifest.id == opened.bundle.manifest.id) => {
                told.problem = Some("given twice; counted once".to_owned());
            }
            Ok(opened) => {
                told.notes = wss_report::verified(&opened).lines().map(str::to_owned).collect();
                told.defects = opened.bundle.defects.iter().map(ToString::to_string).collect();
                bundles.push(opened.bundle);
            }
            Err(why) => told.problem = Some(why),
        }
    }
    let target = match about(request, &files, &bundles) {
        Ok(target) => target,
        Err(why) => return (Answer { problem: Some(why), ..answer }, Vec::new()),
    };
    let Some(target) = target else {
        // With bundles alone there is nothing to ask for.
        answer.problem = nothing(&files, &bundles);
        return (answer, Vec::new());
    };
    answer.target = Some(target.origin());
    let given = given(request, files, &target, &mut answer.items);
    let mut removed: Vec<Redaction> = Vec::new();
    if !given.is_empty() {
        removed = given.removed().to_vec();
        put(given, request, target, &mut bundles);
    }
    if bundles.is_empty() {
        answer.problem.get_or_insert_with(|| "nothing of this can be judged".to_owned());
        return (answer, Vec::new());
    }
    if !removed.is_empty() || changed(request, &answer.items) {
        bundles = masked(bundles, &removed);
    }
    match report(&bundles) {
        Ok(report) => answer.report = Some(report),
        Err(why) => answer.problem = Some(why),
    }
    let mut zip = Vec::new();
    if request.save {
        match saved(&bundles, &removed) {
            Ok((saved, bytes)) => (answer.saved, zip) = (Some(saved), bytes),
            Err(why) => answer.problem = Some(why),
        }
    }
    (answer, zip)
}

/// Whether anything but bundles was handed over.
fn changed(request: &Request, items: &[Told]) -> bool {
    items.iter().any(|told| told.role != Role::Bundle)
        || !request.live.is_empty()
        || [&request.load_balancer, &request.network_path].iter().any(|text| !text.is_empty())
}

fn identities(text: &str) -> Result<Option<Identities>, String> {
    match text.trim() {
        "" => Ok(None),
        text => Identities::text(Path::new("the key"), text).map(Some),
    }
}

fn open(name: &str, content: &[u8], identities: Option<&Identities>) -> Result<Opened, String> {
    read::bytes_with(content, Path::new(name), &Limits::default(), identities).map_err(|error| {
        match error {
            read::ReadError::Encrypted(_) => format!(
                "{name}: encrypted with age; paste the private key (AGE-SECRET-KEY-1…) under \"Encrypted \
                 bundles\""
            ),
            error => error.to_string(),
        }
    })
}

fn role(item: &Item, content: &[u8]) -> Role {
    if item.role != Role::Any {
        return item.role;
    }
    match kind(&item.name, content) {
        Kind::Bundle | Kind::Sealed => Role::Bundle,
        Kind::Har => Role::Har,
        Kind::Curl(Some(Vantage::Outside)) => Role::CurlOutside,
        Kind::Curl(_) => Role::CurlInside,
        Kind::Configuration => Role::Configuration,
        Kind::Console => Role::Console,
    }
}

/// What it is about: what somebody says, else the bundle's, else what is in the texts.
fn about(
    request: &Request,
    files: &[(Role, Vec<u8>)],
    bundles: &[Bundle],
) -> Result<Option<Target>, String> {
    if let Some(main) = bundles.get(main(bundles)) {
        return Ok(Some(main.manifest.target.clone()));
    }
    if !request.target.trim().is_empty() {
        return target::typed(&request.target).map(Some);
    }
    let texts = |wanted: &[Role], find: fn(&[u8]) -> Option<Target>| {
        files.iter().filter(|(role, _)| wanted.contains(role)).find_map(|(_, text)| find(text))
    };
    let live = request.live.iter().find_map(|live| target::typed(&live.url).ok());
    Ok(live
        .or_else(|| texts(&[Role::CurlInside, Role::CurlOutside], target::of_curl))
        .or_else(|| texts(&[Role::Console, Role::Har], target::of_text)))
}

/// Why there is nothing to judge, where that is for want of an address.
fn nothing(files: &[(Role, Vec<u8>)], bundles: &[Bundle]) -> Option<String> {
    let texts = files.iter().any(|(role, _)| *role != Role::Bundle);
    (texts && bundles.is_empty()).then(|| {
        "which server is this about? Type the address of its console: nothing here names it"
            .to_owned()
    })
}

/// Reads every text. What cannot be used is told at its item.
fn given(
    request: &Request,
    files: Vec<(Role, Vec<u8>)>,
    target: &Target,
    items: &mut [Told],
) -> Given {
    let mut given = Given { hars: har::Given::of(target), ..Given::default() };
    let filled = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    given.answers.load_balancer = filled(&request.load_balancer);
    given.answers.network_path = filled(&request.network_path);
    given.seen = request.live.iter().map(|live| seen(live, &request.agent)).collect();
    for (at, (role, content)) in files.into_iter().enumerate() {
        let name = request.items[at].name.as_str();
        let before = given.not_used().len();
        match role {
            Role::Bundle | Role::Any => continue,
            Role::Har => {
                let warned = given.hars.warnings.len();
                given.hars.add(har::packed(Cursor::new(content), name, name, target));
                items[at].notes.extend(given.hars.warnings[warned..].iter().cloned());
            }
            Role::CurlInside | Role::CurlOutside => {
                let side =
                    if role == Role::CurlInside { Vantage::Inside } else { Vantage::Outside };
                match curl::attachment(side, name, content) {
                    Ok(attachment) => given.curl.push(attachment),
                    Err(why) => given.curl_not_used.push(why),
                }
            }
            Role::Configuration => {
                let text =
                    given.configurations.room().and_then(|()| given.configurations.text(&content));
                match text {
                    Ok(text) => given.configurations.add(name, text),
                    Err(why) => given.configurations.refuse(name, why),
                }
            }
            Role::Console => {
                let text = pasted::text(&content);
                let all = given.answers.browser_message.get_or_insert_default();
                if !all.is_empty() {
                    all.push('\n');
                }
                all.push_str(text.trim());
            }
        }
        let all = given.not_used();
        if all.len() > before
            && let Some(why) = all.iter().find(|one| one.name.ends_with(name))
        {
            items[at].problem = Some(match why.instead.is_empty() {
                true => why.reason.clone(),
                false => format!("{}; {}", why.reason, why.instead),
            });
        }
    }
    given
}

/// What the page's own WebSocket showed. Of an answer a page is told nothing, but that a
/// socket that opens was agreed to (RFC 6455 section 4.1).
fn seen(live: &Live, agent: &str) -> BrowserHandshake {
    let url = live.url.clone();
    let mut seen = BrowserHandshake::new("the page's own test", BrowserRequest::Websocket, url);
    seen.browser = har::by_user_agent(agent);
    seen.at = time(&live.at);
    (seen.opened_ms, seen.watched_ms) = (live.opened_ms, live.watched_ms);
    seen.closed.clone_from(&live.closed);
    if live.opened_ms.is_some() {
        seen.response = Some(ResponseHead::new("HTTP/1.1 101 \r\n\r\n"));
    }
    seen.notes.push(
        "a page sees neither status nor headers of a WebSocket: a HAR, or the collector with --browser, \
         shows them"
            .to_owned(),
    );
    seen
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

/// The bundle that speaks: the newest from inside, where the browser is, else the newest.
fn main(bundles: &[Bundle]) -> usize {
    let key =
        |bundle: &Bundle| (bundle.manifest.vantage == Vantage::Inside, bundle.manifest.started_at);
    (0..bundles.len()).max_by_key(|at| key(&bundles[*at])).unwrap_or_default()
}

/// What was given beside bundles goes in the one that speaks, as if its run had had it
/// as options; alone it becomes one.
fn put(given: Given, request: &Request, target: Target, bundles: &mut Vec<Bundle>) {
    let at = main(bundles);
    if let Some(bundle) = bundles.get_mut(at) {
        return given.add_to(bundle);
    }
    let by = Collector {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        os: "page".to_owned(),
        arch: har::by_user_agent(&request.agent).unwrap_or_else(|| "browser".to_owned()),
    };
    let ticket = Some(request.ticket.trim().to_owned()).filter(|ticket| !ticket.is_empty());
    let at = time(&request.now).unwrap_or_default();
    let (id, case) = (request.id.clone(), request.case.clone());
    bundles.push(given.bundle(About { id, case, ticket, target, by, at }));
}

/// Removes secrets from what goes into a report or a bundle.
fn masked(bundles: Vec<Bundle>, removed: &[Redaction]) -> Vec<Bundle> {
    let at = main(&bundles);
    let each = bundles.into_iter().enumerate().map(|(own, bundle)| {
        if own != at {
            return bundle;
        }
        let mut redactor = Redactor::new();
        redactor.removed_before(&bundle.redactions);
        redactor.removed_before(removed);
        write::fitted(redactor.bundle(bundle)).into_inner()
    });
    each.collect()
}

fn report(bundles: &[Bundle]) -> Result<Report, String> {
    let diagnosis = diagnose(bundles);
    let case = Case::new(&diagnosis, bundles);
    Ok(Report {
        html: wss_report::html::render(&case)?,
        json: wss_report::json(&diagnosis)?,
        markdown: wss_report::markdown::render(&case),
    })
}

/// The bundle that speaks, as a file.
fn saved(bundles: &[Bundle], removed: &[Redaction]) -> Result<(Saved, Vec<u8>), String> {
    let bundle = bundles[main(bundles)].clone();
    let name = write::file_name(&bundle, "wss-", 1, false);
    let mut redactor = Redactor::new();
    redactor.removed_before(&bundle.redactions);
    let _ = removed;
    let redacted = write::fitted(redactor.bundle(bundle));
    let bytes = write::bytes(&redacted).map_err(|error| error.to_string())?;
    let opened = read::bytes(&bytes, Path::new(&name), &Limits::default())
        .map_err(|error| error.to_string())?;
    let entries = opened.entries.iter().map(|entry| (entry.path.clone(), entry.bytes)).collect();
    Ok((Saved { name, entries, removed: opened.bundle.redactions }, bytes))
}
