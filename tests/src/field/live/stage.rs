//! Who stands where: every place has its port first, so that the files can name
//! each other; then the places are filled, the server first.

use super::hop::{self, Hop};
use crate::field::case::{self, At, Behaviour, Place};
use crate::lab::config::{CertificateKind, Subject};
use crate::lab::server::Server;
use crate::lab::{Pki, ca};
use crate::real::{Product, Real, closed_port};
use crate::scenario::config::GorillaConfig;
use crate::scenario::readable;
use chrono::{SecondsFormat, Utc};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The name under which people know the console.
pub(super) const HOST: &str = "console.example.com";
/// Apache's modules, as Debian has them.
const MODULES: &str = "/usr/lib/apache2/modules";
/// The console's page shell, for the front's disk.
const SHELL: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"/>\
    <title>BindPlane</title><script src=\"/js/_globals.js\"></script></head>\
    <body><div id=\"root\"></div></body></html>";
/// Ports are handed out before they are bound; how often others are tried.
const TRIES: usize = 3;

/// A stage that is set. What runs on it ends with it.
pub(super) struct Stage {
    places: BTreeMap<Place, SocketAddr>,
    secured: BTreeMap<Place, bool>,
    reals: BTreeMap<Place, Real>,
    _servers: Vec<Server>,
    values: BTreeMap<String, String>,
    pub(super) pki: Pki,
    // Dropped last: its files are in use.
    dir: tempfile::TempDir,
}

/// Everybody who stands on it, the front and the server in any case.
fn everybody(stage: &case::Stage) -> Result<BTreeMap<Place, At>, String> {
    let mut all = stage.at.clone();
    let bindplane = || At { behaviour: Some(Behaviour::Bindplane), ..At::default() };
    all.entry(Place::Backend).or_insert_with(bindplane);
    let front = all.entry(Place::Front).or_default();
    if front.behaviour.is_none() && front.file.is_none() {
        front.file = Some(stage.front.clone());
    }
    if let (Some(inner), Some(file)) = (all.get_mut(&Place::Inner), &stage.inner) {
        inner.file.get_or_insert_with(|| file.clone());
    }
    for (place, at) in &mut all {
        if at.behaviour.is_none() && at.program.is_none() {
            let file = at.file.clone().unwrap_or_default();
            let product = by_file(&file);
            at.program = Some(product.ok_or(format!("{place:?}: whose file is `{file}`?"))?);
        }
    }
    Ok(all)
}

/// Whose configuration a file is, by its name.
fn by_file(name: &str) -> Option<Product> {
    Some(match name {
        _ if name.starts_with("nginx") => Product::Nginx,
        _ if name.starts_with("haproxy") => Product::Haproxy,
        _ if name.starts_with("apache") || name.starts_with("httpd") => Product::Apache,
        _ if name.starts_with("Caddyfile") => Product::Caddy,
        _ if name.ends_with(".vcl") => Product::Varnish,
        _ if name.starts_with("envoy") => Product::Envoy,
        _ if name.starts_with("lighttpd") => Product::Lighttpd,
        _ if name.starts_with("stunnel") => Product::Stunnel,
        _ => return None,
    })
}

pub(super) fn front() -> Place {
    Place::Front
}

fn text(error: std::io::Error) -> String {
    format!("stage: {error}")
}

impl Stage {
    /// Starts everybody.
    pub(super) async fn set(folder: &Path, stage: &case::Stage) -> Result<Self, String> {
        let mut last = String::new();
        for _ in 0..TRIES {
            match Self::try_set(folder, stage).await {
                Ok(set) => return Ok(set),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn try_set(folder: &Path, stage: &case::Stage) -> Result<Self, String> {
        let all = everybody(stage)?;
        let dir = tempfile::tempdir().map_err(text)?;
        let pki = Pki::new(dir.path(), &Subject::default()).map_err(text)?;
        let mut set = Self {
            places: BTreeMap::new(),
            secured: BTreeMap::new(),
            reals: BTreeMap::new(),
            _servers: Vec::new(),
            values: BTreeMap::new(),
            pki,
            dir,
        };
        set.name(&all)?;
        set.hand_out(folder, stage, &all)?;
        for (place, at) in &all {
            set.fill(folder, *place, at, &all).await?;
        }
        Ok(set)
    }

    /// Gives everybody an address, and names them for the files.
    fn name(&mut self, all: &BTreeMap<Place, At>) -> Result<(), String> {
        for place in all.keys().filter(|place| **place != Place::Inside) {
            let port = closed_port().map_err(text)?;
            self.places.insert(*place, SocketAddr::from(([127, 0, 0, 1], port)));
        }
        if all.contains_key(&Place::Inside) {
            // The same port as the front's, which those outside see.
            let port = self.at(Place::Front)?.port();
            self.places.insert(Place::Inside, SocketAddr::from(([127, 0, 0, 2], port)));
        }
        let identity = self.pki.write_identity("front", HOST, CertificateKind::Valid);
        let (cert, key) = identity.map_err(text)?;
        let pem = self.dir.path().join("front-both.pem");
        let both = [&cert, &key].map(|file| std::fs::read_to_string(file).unwrap_or_default());
        std::fs::write(&pem, both.concat()).map_err(text)?;
        readable(self.dir.path()).map_err(text)?;
        let dead = closed_port().map_err(text)?;
        let mut values: BTreeMap<String, String> = [
            ("cert", cert.display().to_string()),
            ("key", key.display().to_string()),
            ("pem", pem.display().to_string()),
            ("modules", MODULES.to_owned()),
            ("dead", format!("127.0.0.1:{dead}")),
            ("dead_port", dead.to_string()),
            ("now", Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for (place, addr) in &self.places {
            let port = addr.port().to_string();
            let name = match place {
                Place::Front => {
                    values.insert("port".into(), port);
                    continue;
                }
                Place::Inner => {
                    values.insert("inner".into(), port.clone());
                    "inner"
                }
                Place::Backend => "backend",
                Place::Other => "other",
                Place::Session => "session",
                Place::Sidecar => "sidecar",
                Place::Inside => continue,
            };
            values.entry(name.into()).or_insert_with(|| addr.to_string());
            values.insert(format!("{name}_port"), port);
        }
        self.values = values;
        Ok(())
    }

    /// The folder's files as the person has them, where the collector is run; and
    /// what is on the front's disk.
    fn hand_out(
        &self,
        folder: &Path,
        stage: &case::Stage,
        all: &BTreeMap<Place, At>,
    ) -> Result<(), String> {
        std::fs::create_dir(self.work()).map_err(text)?;
        for place in all.keys() {
            std::fs::create_dir(self.place_dir(*place)).map_err(text)?;
            open_to_all(&self.place_dir(*place))?;
        }
        if stage.site.is_some() {
            let site = self.place_dir(Place::Front).join("site");
            std::fs::create_dir(&site).map_err(text)?;
            std::fs::write(site.join("index.html"), SHELL).map_err(text)?;
        }
        for entry in std::fs::read_dir(folder).map_err(text)? {
            let path = entry.map_err(text)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_file() && name != "case.toml" {
                let own = all.iter().find(|(_, at)| at.file.as_deref() == Some(&name));
                let place = own.map_or(Place::Front, |(place, _)| *place);
                let content = self.filled(&path, place)?;
                std::fs::write(self.work().join(&name), content).map_err(text)?;
            }
        }
        Ok(())
    }

    /// A file of the folder's with values in the place of names.
    fn filled(&self, file: &Path, place: Place) -> Result<String, String> {
        let content = std::fs::read_to_string(file)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let content = content.replace("{dir}", &self.place_dir(place).display().to_string());
        Ok(self.replaced(&content))
    }

    fn replaced(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    async fn fill(
        &mut self,
        folder: &Path,
        place: Place,
        at: &At,
        all: &BTreeMap<Place, At>,
    ) -> Result<(), String> {
        let addr = self.at(place)?;
        let nothing = BTreeMap::new();
        if let Some(product) = at.program {
            let file = at.file.as_ref().ok_or(format!("{place:?}: no file is named"))?;
            let config = self.filled(&folder.join(file), place)?;
            let arguments: Vec<String> = at.arguments.iter().map(|a| self.replaced(a)).collect();
            let real = Real::start_at(product, addr.port(), &arguments, &config, &nothing)?;
            self.reals.insert(place, real);
            self.secured.insert(place, at.secured.unwrap_or(place == Place::Front));
            return Ok(());
        }
        let behaviour = at.behaviour.ok_or(format!("{place:?}: who stands there?"))?;
        if behaviour == Behaviour::Bindplane {
            let config = self.bindplane(at, addr)?;
            let real = Real::start_at(Product::Gorilla, addr.port(), &[], &config, &nothing)?;
            self.reals.insert(place, real);
            self.secured.insert(place, at.tls);
            return Ok(());
        }
        let to = at.to.unwrap_or_else(|| behind(place, all));
        let hop = Hop::new(behaviour, at, folder, &self.pki, self.at(to)?)?;
        let secured = match behaviour {
            Behaviour::Forget => self.secured.get(&to).copied().unwrap_or_default(),
            _ => hop.secured(),
        };
        self.secured.insert(place, secured);
        self._servers.push(hop::start(hop, addr).await.map_err(text)?);
        Ok(())
    }

    /// The real origin's configuration.
    fn bindplane(&self, at: &At, addr: SocketAddr) -> Result<String, String> {
        let own = GorillaConfig::default();
        let value = |name: &str| self.values.get(name).cloned().unwrap_or_default();
        let (cert, key) = if at.tls { (value("cert"), value("key")) } else { Default::default() };
        let config = serde_json::json!({
            "listen": addr.to_string(), "cert": cert, "key": key, "newer": at.newer,
            "paths": at.paths.as_ref().unwrap_or(&own.paths), "version": own.version,
            "origin": at.origin.as_ref().unwrap_or(&own.origin),
        });
        Ok(config.to_string())
    }

    /// Where somebody stands.
    pub(super) fn at(&self, place: Place) -> Result<SocketAddr, String> {
        self.places.get(&place).copied().ok_or_else(|| format!("nobody stands at {place:?}"))
    }

    /// Whether TLS is spoken there.
    pub(super) fn secured(&self, place: Place) -> bool {
        self.secured.get(&place).copied().unwrap_or_default()
    }

    /// Whom the collector asks.
    pub(super) fn client_side(&self) -> Place {
        let inside = self.places.contains_key(&Place::Inside);
        if inside { Place::Inside } else { Place::Front }
    }

    /// The real program there.
    pub(super) fn real(&self, place: Place) -> Result<&Real, String> {
        self.reals.get(&place).ok_or_else(|| format!("no program stands at {place:?}"))
    }

    /// A client's side of TLS that trusts both of the lab's authorities.
    pub(super) fn connector(&self) -> Result<tokio_rustls::TlsConnector, String> {
        let mut roots = self.pki.roots().map_err(text)?;
        roots.add(self.pki.corporate.der()).map_err(|error| error.to_string())?;
        ca::connector(roots, &["http/1.1"]).map_err(text)
    }

    /// Where the collector is run.
    pub(super) fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    fn place_dir(&self, place: Place) -> PathBuf {
        self.dir.path().join(format!("{place:?}").to_lowercase())
    }

    /// The collector's arguments.
    pub(super) fn arguments(&self, run: &case::Run, target: &str) -> Vec<String> {
        let client_side = self.places.get(&self.client_side());
        let resolve = client_side
            .map(|addr| format!("{HOST}:{}:{}", addr.port(), addr.ip()))
            .unwrap_or_default();
        let trust = self.pki.trust_file().display().to_string();
        let mut out: Vec<String> = ["--vantage", "inside", "--timeout", "5s", "--hold", &run.hold]
            .into_iter()
            .chain(["--resolve", &resolve, "--cacert", &trust])
            .map(str::to_owned)
            .collect();
        out.extend(run.options.iter().map(|option| self.replaced(option)));
        out.push(self.replaced(target));
        out
    }

    /// What the programs have said, for somebody who looks for a stage's fault.
    pub(super) fn logs(&self) -> String {
        self.reals.iter().fold(String::new(), |mut out, (place, real)| {
            let file = |name| {
                std::fs::read_to_string(self.place_dir(*place).join(name)).unwrap_or_default()
            };
            out.push_str(&format!("{place:?}: {}{}", real.log(), file("error.log")));
            out
        })
    }
}

/// The next place behind one.
fn behind(place: Place, all: &BTreeMap<Place, At>) -> Place {
    let order = [Place::Inside, Place::Front, Place::Inner, Place::Sidecar, Place::Backend];
    let own = order.iter().position(|one| *one == place).map_or(0, |at| at + 1);
    order[own..].iter().copied().find(|one| all.contains_key(one)).unwrap_or(Place::Backend)
}

/// Daemons that give up root must still reach their files.
fn open_to_all(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).map_err(text)
}
