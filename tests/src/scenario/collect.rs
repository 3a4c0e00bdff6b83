//! One collection of a scenario, by the collector's own library.

use super::config::{Run, Scenario, Trust};
use super::desktop::Settings;
use super::dns::NameServer;
use super::program;
use crate::lab::Lab;
use crate::real::{Real, closed_port};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use wss_bundle::manifest::{Collector, Format};
use wss_bundle::redact::Redactor;
use wss_bundle::{
    Attachment, Bundle, Environment, Manifest, Observations, RouteId, Vantage, read, write,
};
use wss_collector::browser;
use wss_collector::cli::parse;
use wss_collector::command::exit_code;
use wss_collector::config::{Config, ResolveOverride, TlsOptions};
use wss_collector::configuration::Given;
use wss_collector::proxy::pac::Answers;
use wss_collector::proxy::{Variables, find_by_variables, followed};
use wss_diagnosis::diagnose;

/// Collects, and takes the bundle through redactor, writer and reader; gives
/// it with the collector's exit code.
pub(super) async fn collect(
    scenario: &Scenario,
    lab: &Lab,
    via: Option<&Real>,
    given: &[PathBuf],
    vantage: Vantage,
    wanted: &Run,
) -> Result<(Bundle, u8), String> {
    let closed = || closed_port().map_err(|error| error.to_string());
    let port = if wanted.closed_port { closed()? } else { lab.addr().port() };
    let nobody = closed()?.to_string();
    let url = format!("{}://{}:{port}", scenario.scheme, lab.host);
    let (target, _) = parse::target(&url, &scenario.paths)?;
    let place = |text: &String| {
        let via = via.map(|real| format!("http://{}", real.addr)).unwrap_or_default();
        let proxy = lab.proxy_url().unwrap_or_default();
        let port = |url: &str| url.rsplit(':').next().unwrap_or_default().to_owned();
        text.replace("{proxy-port}", &port(&proxy))
            .replace("{via-port}", &port(&via))
            .replace("{proxy}", &proxy)
            .replace("{via}", &via)
            .replace("{closed}", &nobody)
            .replace("{via-address}", via.trim_start_matches("http://"))
    };
    let env: Vec<(String, String)> =
        wanted.env.iter().map(|(name, value)| (name.clone(), place(value))).collect();
    let trust = match wanted.trust {
        Trust::Managed => lab.trust_file(),
        Trust::Lab => lab.pki.ca_file(),
    };
    if wanted.hosts.is_some() {
        if wanted.pac.is_some() || !wanted.gnome.is_empty() {
            return Err("gnome and pac are not for a run with hosts".into());
        }
        let (scenario, wanted) = (scenario.clone(), wanted.clone());
        let running = tokio::task::spawn_blocking(move || {
            program::collect(&scenario, &wanted, vantage, &url, &trust, &env)
        });
        return running.await.map_err(|error| error.to_string())?;
    }
    let name_server = match &wanted.dns {
        Some(table) => Some(NameServer::start(table).await?),
        None => None,
    };
    let given = Given::read(given);
    let machine = Settings::start(wanted, env, place).await?;
    let found = machine.find(&target, &Answers::new())?;
    let extra_roots = CertificateDer::pem_file_iter(&trust)
        .and_then(|list| list.collect::<Result<Vec<_>, _>>())
        .map_err(|error| format!("{}: {error}", trust.display()))?;
    let mut config = Config {
        target,
        routes: Vec::new(),
        auth: wanted.user.as_deref().map(parse::credentials),
        headers: Vec::new(),
        resolve: vec![ResolveOverride {
            host: lab.host.clone(),
            port,
            addresses: vec![[127, 0, 0, 1].into()],
        }],
        family: None,
        tls: TlsOptions { extra_roots, client: None },
        name_servers: name_server.iter().map(|server| server.addr).collect(),
        console: Vec::new(),
        negotiate: false,
        learned: wss_collector::config::Learned::default(),
        // What the scenario sets is this process', and no setting of this machine.
        browser: browser::choose(wanted.browser.as_deref(), true)?.0,
        timeout: parse::timeout(&scenario.timeout)?,
        hold: parse::duration(&scenario.hold)?,
    };
    let found = machine.settled(found, &config).await?;
    config.routes = found.routes;
    let settings = Environment {
        proxy_settings: found.settings,
        proxy_choices: found.choices,
        ..Environment::default()
    };
    let (config, then) = (Arc::new(config), found.then);
    let bundle = finish(config, &then, vantage, settings, given.attachments).await?;
    let code = exit_code(diagnose(std::slice::from_ref(&bundle)).verdict.status);
    Ok((bundle, code))
}

/// Collects directly, and trusts whom the system trusts.
pub(super) async fn plain(url: &str, path: &str) -> Result<Bundle, String> {
    let (target, _) = parse::target(url, &[path.to_owned()])?;
    let found = find_by_variables(&target, None, None, &Variables::default())?;
    let config = Arc::new(Config {
        target,
        routes: found.routes,
        auth: None,
        headers: Vec::new(),
        resolve: Vec::new(),
        family: None,
        tls: TlsOptions::default(),
        name_servers: Vec::new(),
        console: Vec::new(),
        negotiate: false,
        learned: wss_collector::config::Learned::default(),
        browser: None,
        timeout: Duration::from_secs(5),
        hold: Duration::ZERO,
    });
    finish(config, &[], Vantage::Inside, Environment::default(), Vec::new()).await
}

/// Runs the probes; then redactor, writer, reader.
async fn finish(
    config: Arc<Config>,
    then: &[RouteId],
    vantage: Vantage,
    mut environment: Environment,
    attachments: Vec<Attachment>,
) -> Result<Bundle, String> {
    let target = config.target.clone();
    let mut routes: Vec<_> = config.routes.iter().map(|route| route.route.clone()).collect();
    let started_at = chrono::Utc::now();
    let (progress, watching) = mpsc::unbounded_channel();
    drop(watching);
    let recorder = wss_collector::recorder::Recorder::new(progress);
    let (_never, cancel) = watch::channel(false);
    let collected = wss_collector::run::run(config, recorder, cancel).await;
    environment.notes.extend(followed::settle(&mut routes, then, &collected.observations));
    environment.clock.skew_s =
        wss_collector::environment::skew(started_at, &collected.observations);
    let bundle = Bundle {
        manifest: Manifest {
            format: Format::default(),
            id: uuid::Uuid::new_v4().to_string(),
            case: "scenario".into(),
            ticket: None,
            vantage,
            target: target.clone(),
            collector: Collector {
                version: env!("CARGO_PKG_VERSION").into(),
                os: std::env::consts::OS.into(),
                arch: std::env::consts::ARCH.into(),
            },
            started_at,
            finished_at: chrono::Utc::now(),
            complete: collected.complete,
            answers: Default::default(),
            options: Vec::new(),
            not_used: Vec::new(),
            steps: collected.steps,
            attachments: Vec::new(),
            files: Vec::new(),
        },
        observations: Observations {
            target,
            routes,
            observations: collected.observations,
            browser: wss_handed::har::numbered(&collected.browser),
        },
        environment,
        attachments,
        redactions: Vec::new(),
        defects: Vec::new(),
    };
    let redacted = Redactor::new().bundle(bundle);
    let zip = write::bytes(&redacted).map_err(|error| error.to_string())?;
    let opened = read::bytes(&zip, Path::new("scenario.zip"), &read::Limits::default())
        .map_err(|error| error.to_string())?;
    if !opened.bundle.defects.is_empty() {
        return Err(format!("the bundle has defects: {:?}", opened.bundle.defects));
    }
    Ok(opened.bundle)
}
