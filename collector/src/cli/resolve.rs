//! From options to a job: files read, proxies found, secrets set apart. All that
//! can be wrong is found here, before anything is contacted.

use super::{CollectArgs, given, parse};
use crate::browser;
use crate::config::{Config, Credentials, Family, Learned, TlsOptions};
use crate::configuration;
use crate::environment;
use crate::proxy::pac::{Answers as PacAnswers, File};
use crate::proxy::source::Sources;
use crate::proxy::{self, Found, Question, Variables};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wss_bundle::environment::{DnsConfig, ProxyChoice, ProxySetting};
use wss_bundle::manifest::{Answers, GivenOption, NotUsed};
use wss_bundle::obfuscate::Obfuscator;
use wss_bundle::redact::{Redactor, header_may_stay};
use wss_bundle::sealed::Recipients;
use wss_bundle::{Attachment, BrowserHandshake, Redaction, RouteId, Secret, Target, Vantage};
use wss_handed::curl;
use wss_handed::har::Given;

/// Largest file of certificates or keys that is read.
const PEM_LIMIT: u64 = 8 << 20;

/// One collection, understood.
#[derive(Debug)]
pub struct Job {
    /// For the probes.
    pub config: Arc<Config>,
    /// `--output`; the default name needs the vantage, which may be asked.
    pub output: Option<PathBuf>,
    /// `--force`.
    pub force: bool,
    /// `--obfuscate`: the map to go on with.
    pub obfuscate: Option<Obfuscator>,
    /// `--encrypt-to`.
    pub recipients: Option<Recipients>,
    /// `--vantage`.
    pub vantage: Option<Vantage>,
    /// `--case`, or a made-up one.
    pub case: String,
    /// `--ticket`.
    pub ticket: Option<String>,
    /// What a person said.
    pub answers: Answers,
    /// Options without which the same command would not do the same again.
    pub options: Vec<GivenOption>,
    /// `--no-input`.
    pub no_input: bool,
    /// `--json`.
    pub json: bool,
    /// `--agents`.
    pub agents: bool,
    /// `--dry-run`.
    pub dry_run: bool,
    /// Every secret that was given, with the kind under which its removal is listed.
    pub secrets: Vec<(&'static str, Secret)>,
    /// Proxy settings by source.
    pub proxy_settings: Vec<ProxySetting>,
    /// Which route each client would take.
    pub proxy_choices: Vec<ProxyChoice>,
    /// What the routes follow from, to be decided again once PAC files are asked.
    pub proxies: Proxies,
    /// Where browsers go on to from the chosen route, when its proxy is dead.
    pub then: Vec<RouteId>,
    /// PAC files that this machine's settings name.
    pub pac_files: Vec<File>,
    /// This machine's name servers.
    pub dns: DnsConfig,
    /// `--cacert`, by name.
    pub extra_cas: Vec<String>,
    /// Files that the user gave, as they are: secrets are removed with the rest.
    pub attachments: Vec<Attachment>,
    /// What browsers saw, from HAR exports, without ids.
    pub browser: Vec<BrowserHandshake>,
    /// What was removed while files were read.
    pub removed: Vec<Redaction>,
    /// Files given by options, for `--dry-run`.
    pub files: Vec<PathBuf>,
    /// What could not be read or used, and why.
    pub notes: Vec<String>,
    /// Of these, what the user should know now: it can be put right.
    pub warnings: Vec<String>,
    /// The path of the target's URL, where nothing says yet that it is a socket's: it may
    /// be the address of a page.
    pub address: Option<String>,
    /// What was given and could not be used; it never ends a run.
    pub not_used: Vec<NotUsed>,
}

/// Everything on this machine that names a proxy.
#[derive(Debug)]
pub struct Proxies {
    option: Option<String>,
    noproxy: Option<String>,
    variables: Variables,
    /// The system's settings and the policies.
    pub sources: Sources,
}

impl Proxies {
    fn find(&self, target: &Target, answers: &PacAnswers) -> Result<Found, String> {
        proxy::find(&Question {
            target,
            option: self.option.as_deref(),
            noproxy: self.noproxy.as_deref(),
            variables: &self.variables,
            sources: &self.sources,
            answers,
        })
    }
}

impl Job {
    /// Decides the routes again, with what PAC files say.
    pub fn settle(&mut self, answers: &PacAnswers) {
        let Some(config) = Arc::get_mut(&mut self.config) else { return };
        // It was understood before; what PAC files say cannot make it an error.
        let Ok(found) = self.proxies.find(&config.target, answers) else { return };
        config.routes = found.routes;
        self.secrets.extend(secrets(&[], &[], &found.credentials));
        self.proxy_settings = found.settings;
        self.proxy_choices = found.choices;
        self.then = found.then;
        for note in found.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    /// A redactor that knows every secret of this job.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        let mut redactor = Redactor::new();
        for (kind, secret) in &self.secrets {
            redactor.secret(kind, secret);
        }
        for secret in self.config.learned.all() {
            redactor.secret("proxy sign-on", &secret);
        }
        redactor
    }
}

/// Whether a path is one of those that are tried where none is given.
fn is_known(path: &str) -> bool {
    let own = path.split('?').next().unwrap_or_default();
    wss_bundle::target::DEFAULT_PATHS.contains(&own)
}

/// Understands the options of a collection.
///
/// # Errors
/// One sentence: what is wrong, and what would be right.
pub fn job(args: CollectArgs) -> Result<Job, String> {
    let text = args.target.as_deref().ok_or("no target was given")?;
    let (mut target, url_auth) = parse::target(text, &args.paths)?;
    let address = match target.paths.as_slice() {
        [path] if args.paths.is_empty() && !is_known(path) => Some(path.clone()),
        _ => None,
    };
    let left_out = parse::left_out(text);
    let options = given::options(&args, url_auth.is_some());
    let hars = Given::read(&args.har, &target);
    hars.add_paths(&mut target);
    let configurations = configuration::Given::read(&args.configurations);
    let (browser, no_browser) = browser::choose(
        args.browser.as_deref(),
        args.network.proxy.is_some() || args.network.noproxy.is_some(),
    )?;
    let user = args.network.user.as_deref().map(parse::credentials);
    let headers: Vec<(String, Secret)> =
        args.network.headers.iter().map(|line| parse::header(line)).collect::<Result<_, _>>()?;
    let tls = TlsOptions {
        extra_roots: args
            .network
            .cacert
            .as_deref()
            .map(certificates)
            .transpose()?
            .unwrap_or_default(),
        client: args
            .network
            .cert
            .as_deref()
            .map(|cert| client(cert, args.network.key.as_deref()))
            .transpose()?,
    };
    let variables = Variables::of_process();
    let proxies = Proxies {
        sources: Sources::of_machine(&variables),
        option: args.network.proxy,
        noproxy: args.network.noproxy,
        variables,
    };
    let found = proxies.find(&target, &PacAnswers::new())?;
    let (dns, mut notes) = environment::dns();
    notes.extend(found.notes.iter().cloned());
    notes.extend(configurations.notes.iter().cloned());
    notes.extend(no_browser.iter().cloned());
    let warnings = found.notes.into_iter().chain(hars.warnings).chain(configurations.notes);
    let warnings = warnings.chain(no_browser);
    let warnings = warnings.chain(left_out);
    let mut not_used: Vec<NotUsed> = hars.not_used;
    not_used.extend(configurations.not_used);
    let mut attachments = hars.attachments;
    for output in args.curl_output.iter().map(curl_output) {
        match output {
            Ok(attachment) => attachments.push(attachment),
            Err(one) => not_used.push(one),
        }
    }
    let warnings = warnings.chain(not_used.iter().map(ToString::to_string));
    let mine: Vec<&Credentials> = user.iter().chain(&url_auth).collect();
    let secrets = secrets(&mine, &headers, &found.credentials);
    attachments.extend(configurations.attachments);
    let given_outputs = args.curl_output.into_iter().map(|(_, path)| path);
    let name = |path: &PathBuf| path.file_name().map(|n| n.to_string_lossy().into_owned());
    Ok(Job {
        extra_cas: args.network.cacert.iter().filter_map(name).collect(),
        attachments,
        browser: hars.seen,
        removed: hars.removed,
        files: [args.network.cacert, args.network.cert, args.network.key]
            .into_iter()
            .flatten()
            .chain(args.har)
            .chain(configurations.files)
            .chain(given_outputs)
            .collect(),
        config: Arc::new(Config {
            target,
            routes: found.routes,
            auth: user.or(url_auth),
            headers,
            resolve: args.network.resolve,
            family: match (args.network.ipv4, args.network.ipv6) {
                (true, _) => Some(Family::V4),
                (_, true) => Some(Family::V6),
                _ => None,
            },
            tls,
            name_servers: dns.name_servers.iter().filter_map(|s| s.parse().ok()).collect(),
            console: hars.console,
            negotiate: args.network.proxy_negotiate,
            learned: Learned::default(),
            browser,
            timeout: args.timeout,
            hold: args.hold,
        }),
        address,
        output: args.output,
        force: args.force,
        obfuscate: match &args.obfuscate {
            None => None,
            Some(path) if path.is_empty() => Some(Obfuscator::new()),
            Some(path) => {
                let map = Obfuscator::load(Path::new(path));
                Some(map.map_err(|error| format!("--obfuscate={error}"))?)
            }
        },
        recipients: match args.encrypt_to.as_slice() {
            [] => None,
            given => Some(Recipients::parse(given)?),
        },
        vantage: args.vantage,
        case: args.case.unwrap_or_else(made_up_case),
        ticket: args.ticket,
        answers: Answers {
            load_balancer: args.lb,
            network_path: args.network_path,
            browser_message: args.browser_message,
        },
        options,
        no_input: args.no_input,
        json: args.json,
        agents: args.agents,
        dry_run: args.dry_run,
        secrets,
        proxy_settings: found.settings,
        proxy_choices: found.choices,
        proxies,
        then: found.then,
        pac_files: found.files,
        dns,
        notes,
        warnings: warnings.collect(),
        not_used,
    })
}

/// Everything that must never reach the bundle.
fn secrets(
    given: &[&Credentials],
    headers: &[(String, Secret)],
    proxies: &[Credentials],
) -> Vec<(&'static str, Secret)> {
    let mut out = Vec::new();
    let given = given.iter().map(|given| ("credentials", *given));
    let proxies = proxies.iter().map(|proxy| ("proxy credentials", proxy));
    for (kind, credentials) in given.chain(proxies) {
        out.push((kind, credentials.password.clone()));
        out.push((kind, credentials.user.clone()));
        let pair = format!("{}:{}", credentials.user.expose(), credentials.password.expose());
        out.push((kind, Secret::new(pair)));
    }
    for (name, value) in headers {
        // `Accept: text/html` is no secret; masking it would shred every page.
        if header_may_stay(name) {
            continue;
        }
        out.push(("header given", value.clone()));
        // Of `Bearer abc` and `Cookie: a=b; c=d` the parts are secrets, too.
        for part in value.expose().split([' ', ';', '=', ',']).filter(|part| part.len() >= 8) {
            out.push(("header given", Secret::new(part)));
        }
    }
    out
}

/// `--curl-output`: kept as it is; secrets are removed with the rest. What cannot be
/// read ends no run.
fn curl_output((vantage, path): &(Vantage, PathBuf)) -> Result<Attachment, NotUsed> {
    use std::io::Read as _;
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(curl::LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|error| {
        let reason = format!("cannot be read: {error}");
        curl::not_used(*vantage, &name, reason, "check its name and place")
    })?;
    curl::attachment(*vantage, &name, bytes)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let why = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let mut content = Vec::new();
    std::fs::File::open(path)
        .map_err(why)?
        .take(PEM_LIMIT)
        .read_to_end(&mut content)
        .map_err(why)?;
    Ok(content)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{}: not valid PEM: {error}", path.display()))?;
    for (number, certificate) in found.iter().enumerate() {
        if let Err(error) = x509_parser::parse_x509_certificate(certificate) {
            let number = number + 1;
            return Err(format!("{}: certificate {number} is damaged: {error}", path.display()));
        }
    }
    if found.is_empty() {
        return Err(format!(
            "{}: no certificate in it; expected PEM (-----BEGIN CERTIFICATE-----)",
            path.display()
        ));
    }
    Ok(found)
}

/// `--cacert` alone.
///
/// # Errors
/// As for a collection.
pub fn trust(cacert: Option<&Path>) -> Result<TlsOptions, String> {
    let extra_roots = cacert.map(certificates).transpose()?.unwrap_or_default();
    Ok(TlsOptions { extra_roots, client: None })
}

type Client = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client(cert: &Path, key: Option<&Path>) -> Result<Client, String> {
    let chain = certificates(cert)?;
    let path = key.unwrap_or(cert);
    let key = PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| {
        format!(
            "{}: no private key in it that can be read; expected unencrypted PEM \
             (-----BEGIN PRIVATE KEY-----)",
            path.display()
        )
    })?;
    rustls::sign::CertifiedKey::from_der(
        chain.clone(),
        key.clone_key(),
        &rustls::crypto::ring::default_provider(),
    )
    .map_err(|error| format!("{} and {}: {error}", cert.display(), path.display()))?;
    Ok((chain, key))
}

/// Short enough to be read out on the telephone: no 0/O, no 1/I.
fn made_up_case() -> String {
    const LETTERS: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let random = uuid::Uuid::new_v4();
    let letters: Vec<char> = random
        .as_bytes()
        .iter()
        // Bytes 6 and 8 carry the UUID's version and variant.
        .enumerate()
        .filter(|(at, _)| *at != 6 && *at != 8)
        .take(8)
        .map(|(_, byte)| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect();
    let (a, b) = letters.split_at(4);
    format!("{}-{}", a.iter().collect::<String>(), b.iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_cases_can_be_given_back() {
        for _ in 0..50 {
            let case = made_up_case();
            assert_eq!(case.len(), 9);
            assert_eq!(parse::case(&case).unwrap(), case);
        }
    }

    #[test]
    fn parts_of_a_header_are_secrets_and_harmless_headers_are_none() {
        let headers = [
            parse::header("Authorization: Bearer abcdefgh12345").unwrap(),
            parse::header("Origin: https://b.example").unwrap(),
        ];
        let found: Vec<String> =
            secrets(&[], &headers, &[]).iter().map(|(_, s)| s.expose().to_owned()).collect();
        assert_eq!(found, ["Bearer abcdefgh12345", "abcdefgh12345"]);
    }
}
