//! Every text of a bundle, led through the redactor.
//!
//! Which rule a field gets is decided here: heads by the list of headers, bodies
//! and details as free text, names that devices and authorities gave
//! (certificates, DNS records) by the given secrets alone. Ids, enumerations
//! and the target's own host are left: nobody's secret.

use super::{Redactor, configuration, curl, rules, structured};
use crate::observation::{
    Body, Certificate, Ending, HttpReply, Observation, Outcome, Step, Tls, Verification,
};
use crate::{
    Attachment, AttachmentKind, BrowserHandshake, Bundle, Bytes, Failure, ResponseHead, RouteId,
};
use std::collections::BTreeSet;
use std::sync::Arc;

const MANIFEST: &str = "manifest.json";
const OBSERVATIONS: &str = "observations.json";
const ENVIRONMENT: &str = "environment.json";

/// Bodies with more bytes than one in this many that are no text are binary:
/// in them a secret could not be found, so they do not stay.
const BINARY_ONE_IN: usize = 20;

/// Longest path of an attachment, in characters.
const PATH_LIMIT: usize = 400;

pub(super) fn bundle(r: &mut Redactor, bundle: &mut Bundle) {
    manifest(r, bundle);
    environment(r, bundle);
    attachments(r, &mut bundle.attachments);
    let observations = &mut bundle.observations;
    for path in &mut observations.target.paths {
        text(r, OBSERVATIONS, "target path", path);
    }
    for route in &mut observations.routes {
        route_id(r, OBSERVATIONS, &mut route.id);
        for source in &mut route.sources {
            text(r, OBSERVATIONS, "route source", source);
        }
    }
    for seen in &mut observations.observations {
        observation(r, seen);
    }
    for seen in &mut observations.browser {
        browser(r, seen);
    }
}

/// Files that the user gave, line by line, under names that no two of them share.
fn attachments(r: &mut Redactor, all: &mut Vec<Attachment>) {
    for attachment in all.iter_mut() {
        attachment.name = rules::safe_name(&r.given("attachments", "file name", &attachment.name));
        if let Some(path) = &mut attachment.path {
            let given = r.given("attachments", "path", path);
            *path = given.chars().filter(|c| !c.is_control()).take(PATH_LIMIT).collect();
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    // A number may make a name that another has already: `2-a` and `a`, twice.
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut own = BTreeSet::new();
    own.extend(all.iter().map(|one| one.name.clone()));
    for (at, attachment) in all.iter_mut().enumerate() {
        let mut number = at;
        let mut name = attachment.name.clone();
        while taken.contains(&name) || (number > at && own.contains(&name)) {
            number += 1;
            name = format!("{number}-{}", attachment.name);
        }
        taken.insert(name.clone());
        attachment.name = name;
    }
    for attachment in all {
        let entry = format!("attachments/{}", attachment.name);
        let text = String::from_utf8_lossy(&attachment.bytes);
        let text = match attachment.kind {
            AttachmentKind::CurlOutput => {
                attachment.bytes = curl::output(r, &entry, &attachment.bytes).into_bytes();
                continue;
            }
            // AWS' words in place of an answer name accounts, too.
            AttachmentKind::Configuration
                if crate::structured::looks(&text) || text.contains("arn:aws") =>
            {
                structured::text(r, &entry, &text).into()
            }
            AttachmentKind::Configuration => configuration::text(r, &entry, &text).into(),
            _ => text,
        };
        let mut out = String::with_capacity(text.len());
        for (number, line) in text.split_inclusive('\n').enumerate() {
            out.push_str(&r.text(&entry, &format!("line {}", number + 1), line));
        }
        attachment.bytes = out.into_bytes();
    }
}

fn manifest(r: &mut Redactor, bundle: &mut Bundle) {
    let manifest = &mut bundle.manifest;
    given(r, MANIFEST, "case", &mut manifest.case);
    if let Some(ticket) = &mut manifest.ticket {
        given(r, MANIFEST, "ticket", ticket);
    }
    for path in &mut manifest.target.paths {
        text(r, MANIFEST, "target path", path);
    }
    let answers = &mut manifest.answers;
    for (place, answer) in [
        ("answer load_balancer", &mut answers.load_balancer),
        ("answer network_path", &mut answers.network_path),
        ("answer browser_message", &mut answers.browser_message),
    ] {
        if let Some(answer) = answer {
            text(r, MANIFEST, place, answer);
        }
    }
    for option in &mut manifest.options {
        if let Some(value) = &mut option.value {
            given(r, MANIFEST, "option", value);
        }
    }
    for one in &mut manifest.not_used {
        for (place, part) in [
            ("not used", &mut one.name),
            ("not used, why", &mut one.reason),
            ("not used, instead", &mut one.instead),
        ] {
            text(r, MANIFEST, place, part);
        }
    }
    for step in &mut manifest.steps {
        text(r, MANIFEST, "step name", &mut step.name);
        if let Some(why) = &mut step.why {
            text(r, MANIFEST, "step reason", why);
        }
    }
}

fn environment(r: &mut Redactor, bundle: &mut Bundle) {
    let environment = &mut bundle.environment;
    for setting in &mut environment.proxy_settings {
        text(r, ENVIRONMENT, "proxy setting's name", &mut setting.key);
        let place = format!("proxy setting {}", setting.key);
        text(r, ENVIRONMENT, &place, &mut setting.value);
    }
    for choice in &mut environment.proxy_choices {
        text(r, ENVIRONMENT, "proxy choice", &mut choice.route);
        text(r, ENVIRONMENT, "proxy choice", &mut choice.because);
        for route in choice.page.iter_mut().chain(&mut choice.then) {
            text(r, ENVIRONMENT, "proxy choice", route);
        }
    }
    given(r, ENVIRONMENT, "os version", &mut environment.os.version);
    for server in &mut environment.dns.name_servers {
        given(r, ENVIRONMENT, "name server", server);
    }
    for domain in &mut environment.dns.search {
        given(r, ENVIRONMENT, "search domain", domain);
    }
    for interface in &mut environment.interfaces {
        given(r, ENVIRONMENT, "interface", &mut interface.name);
        if let Some(description) = &mut interface.description {
            given(r, ENVIRONMENT, "interface", description);
        }
    }
    for line in environment.hints.iter_mut().chain(&mut environment.notes) {
        text(r, ENVIRONMENT, "note", line);
    }
    for file in &mut environment.trust.extra {
        text(r, ENVIRONMENT, "trust file", file);
    }
    for agent in &mut environment.agents {
        given(r, ENVIRONMENT, "agent", &mut agent.name);
        agent.by.iter_mut().for_each(|mark| given(r, ENVIRONMENT, "agent", mark));
    }
    if let Some(browser) = &mut environment.browser {
        given(r, ENVIRONMENT, "browser", browser);
    }
    if let Some(problem) = &mut environment.trust.problem {
        text(r, ENVIRONMENT, "trust problem", problem);
    }
}

fn observation(r: &mut Redactor, seen: &mut Observation) {
    route_id(r, OBSERVATIONS, &mut seen.route);
    if let Some(path) = &mut seen.path {
        text(r, OBSERVATIONS, "path", path);
    }
    let at = seen.id.clone();
    match &mut seen.step {
        Step::Resolve(step) => {
            given(r, OBSERVATIONS, &at, &mut step.name);
            if let Outcome::Ok(found) = &mut step.result {
                for record in &mut found.records {
                    given(r, OBSERVATIONS, &at, &mut record.name);
                    given(r, OBSERVATIONS, &at, &mut record.data);
                }
            }
            failed(r, &at, &mut step.result);
        }
        Step::Connect(step) => failed(r, &at, &mut step.result),
        Step::Tunnel(step) => {
            request(r, &at, &mut step.request);
            if let Outcome::Ok(reply) = &mut step.result {
                if let Some(found) = &mut reply.head {
                    head(r, &at, found);
                }
                body(r, &at, &mut reply.body);
            }
            failed(r, &at, &mut step.result);
        }
        Step::Tls(step) => tls(r, &at, step),
        Step::Http(step) => {
            request(r, &at, &mut step.request);
            reply(r, &at, &mut step.result);
        }
        Step::Upgrade(step) => {
            request(r, &at, &mut step.request);
            reply(r, &at, &mut step.result);
        }
        Step::Frames(step) => {
            if let Outcome::Ok(frames) = &mut step.result {
                ending(r, &at, &mut frames.ending);
            }
            failed(r, &at, &mut step.result);
        }
        Step::Hold(step) => {
            if let Outcome::Ok(held) = &mut step.result {
                ending(r, &at, &mut held.ending);
            }
            failed(r, &at, &mut step.result);
        }
    }
}

/// A HAR is cleaned while it is read; here it goes through the same rules again,
/// with the secrets that the user gave.
fn browser(r: &mut Redactor, seen: &mut BrowserHandshake) {
    let at = seen.id.clone();
    for field in [&mut seen.source, &mut seen.url] {
        text(r, OBSERVATIONS, &at, field);
    }
    let optional =
        [&mut seen.browser, &mut seen.protocol, &mut seen.error, &mut seen.route, &mut seen.remote];
    for field in optional.into_iter().flatten() {
        text(r, OBSERVATIONS, &at, field);
    }
    for line in seen.console.iter_mut().chain(&mut seen.notes) {
        text(r, OBSERVATIONS, &at, line);
    }
    if let Some(bytes) = &mut seen.request {
        request(r, &at, bytes);
    }
    for found in [&mut seen.response, &mut seen.tunnel].into_iter().flatten() {
        head(r, &at, found);
    }
    if let Some(tls) = &mut seen.tls {
        for field in [&mut tls.version, &mut tls.cipher].into_iter().flatten() {
            given(r, OBSERVATIONS, &at, field);
        }
        if let Some(certificate) = &mut tls.certificate {
            names(r, &at, certificate);
        }
    }
    for frame in &mut seen.frames {
        given(r, OBSERVATIONS, &at, &mut frame.opcode);
    }
}

fn tls(r: &mut Redactor, at: &str, step: &mut Tls) {
    given(r, OBSERVATIONS, at, &mut step.server_name);
    for certificate in Arc::make_mut(&mut step.chain) {
        names(r, at, certificate);
    }
    if let Some(Verification::Untrusted { detail, .. } | Verification::NotChecked { detail, .. }) =
        &mut step.verification
    {
        given(r, OBSERVATIONS, at, detail);
    }
    failed(r, at, &mut step.result);
}

fn names(r: &mut Redactor, at: &str, certificate: &mut Certificate) {
    let place = format!("{at} certificate");
    let optional = [
        &mut certificate.subject_cn,
        &mut certificate.issuer_cn,
        &mut certificate.issuer_o,
        &mut certificate.issuer_ou,
        &mut certificate.unparsed,
    ];
    for name in optional.into_iter().flatten() {
        given(r, OBSERVATIONS, &place, name);
    }
    for name in [&mut certificate.subject, &mut certificate.issuer] {
        given(r, OBSERVATIONS, &place, name);
    }
    for name in &mut certificate.sans {
        given(r, OBSERVATIONS, &place, name);
    }
}

fn reply(r: &mut Redactor, at: &str, result: &mut Outcome<HttpReply>) {
    if let Outcome::Ok(reply) = result {
        for interim in &mut reply.informational {
            head(r, at, interim);
        }
        head(r, at, &mut reply.head);
        body(r, at, &mut reply.body);
        if let Some(end) = &mut reply.ending {
            ending(r, at, end);
        }
    }
    failed(r, at, result);
}

fn failed<T>(r: &mut Redactor, at: &str, result: &mut Outcome<T>) {
    if let Outcome::Failed(Failure { detail, received, .. }) = result {
        text(r, OBSERVATIONS, &format!("{at} failure"), detail);
        if let Some(bytes) = received {
            message(r, &format!("{at} received"), bytes);
        }
    }
}

fn ending(r: &mut Redactor, at: &str, end: &mut Ending) {
    if let Some(detail) = &mut end.detail {
        text(r, OBSERVATIONS, &format!("{at} ending"), detail);
    }
}

fn request(r: &mut Redactor, at: &str, bytes: &mut Bytes) {
    let masked = rules::head(r, OBSERVATIONS, &format!("{at} request"), &bytes.text());
    *bytes = Bytes(masked.into_bytes());
}

fn head(r: &mut Redactor, at: &str, found: &mut ResponseHead) {
    // A head without anything to remove stays as it is, byte for byte, also
    // where it is no UTF-8.
    let before = found.raw.text().into_owned();
    let masked = rules::head(r, OBSERVATIONS, &format!("{at} response"), &before);
    if masked != before {
        found.raw = Bytes(masked.into_bytes());
    }
}

fn body(r: &mut Redactor, at: &str, found: &mut Body) {
    contents(r, &format!("{at} body"), &mut found.bytes);
}

/// Bytes that may be a response, a page, or anything else.
fn message(r: &mut Redactor, place: &str, bytes: &mut Bytes) {
    let split = bytes.0.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4);
    match split {
        Some(end) if bytes.0.starts_with(b"HTTP/") => {
            let mut rest = Bytes(bytes.0.split_off(end));
            let masked = rules::head(r, OBSERVATIONS, place, &bytes.text());
            contents(r, place, &mut rest);
            *bytes = Bytes([masked.as_bytes(), &rest.0].concat());
        }
        None if bytes.0.starts_with(b"HTTP/") => {
            let masked = rules::head(r, OBSERVATIONS, place, &bytes.text());
            *bytes = Bytes(masked.into_bytes());
        }
        _ => contents(r, place, bytes),
    }
}

fn contents(r: &mut Redactor, place: &str, bytes: &mut Bytes) {
    let before = bytes.text().into_owned();
    let strange = before
        .chars()
        .filter(|c| *c == '\u{fffd}' || (c.is_control() && !matches!(c, '\n' | '\r' | '\t')))
        .count();
    if strange > before.chars().count() / BINARY_ONE_IN {
        r.count(OBSERVATIONS, place, "binary-body");
        *bytes = Bytes::from("[removed: binary body]");
        return;
    }
    let masked = r.text(OBSERVATIONS, place, &before);
    if masked != before {
        *bytes = Bytes(masked.into_bytes());
    }
}

fn route_id(r: &mut Redactor, entry: &str, id: &mut RouteId) {
    text(r, entry, "route", &mut id.0);
}

fn text(r: &mut Redactor, entry: &str, place: &str, field: &mut String) {
    *field = r.text(entry, place, field);
}

fn given(r: &mut Redactor, entry: &str, place: &str, field: &mut String) {
    *field = r.given(entry, place, field);
}
