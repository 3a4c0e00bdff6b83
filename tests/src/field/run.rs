//! The real programs: `wss-collector` collects, `wss-analyzer` reports what it
//! wrote. Nothing of this machine's proxy settings reaches them.

use crate::scenario::program::program;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use tokio::process::Command;

/// No run of a case takes longer than this.
const PATIENCE: Duration = Duration::from_secs(150);
/// Bytes of one entry that are looked at.
const ENTRY: u64 = 16 * 1024 * 1024;

/// What the programs made of a case.
#[derive(Debug, Default)]
pub struct Ran {
    /// The collector's exit code.
    pub exit: Option<i32>,
    /// What the collector said.
    pub screen: String,
    /// The report as JSON; `null` without a bundle.
    pub report: Value,
    /// The draft reply.
    pub reply: String,
    /// The report's page, as a browser shows its text.
    pub page: String,
    /// All entries of the bundle, as text.
    pub bundle: String,
    /// Its `redactions.json`.
    pub removed: String,
    /// Seconds that the collection took.
    pub took_s: f64,
    /// What the analyzer complained about.
    pub defects: Vec<String>,
}

/// Tags that part no words.
const INLINE: [&str; 9] = ["a", "b", "code", "em", "i", "kbd", "mark", "span", "strong"];

/// What is run.
pub(super) struct Job {
    /// Where: relative file names are from here.
    pub(super) work: PathBuf,
    /// The collector's arguments.
    pub(super) arguments: Vec<String>,
    /// Variables.
    pub(super) env: Vec<(String, String)>,
}

impl Job {
    fn command(&self, name: &str) -> Result<Command, String> {
        let path = program(name)?;
        fresh(&path)?;
        let mut command = Command::new(path);
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command.env_remove("XDG_CURRENT_DESKTOP").env_remove("DESKTOP_SESSION");
        command.current_dir(&self.work).stdin(Stdio::null()).kill_on_drop(true);
        Ok(command)
    }

    async fn output(command: &mut Command, what: &str) -> Result<Output, String> {
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.map_err(|_| format!("{what}: not done after {PATIENCE:?}"))?;
        output.map_err(|error| format!("{what}: {error}"))
    }

    /// Collects; the bundle is `bundle.zip`.
    pub(super) async fn collect(&self) -> Result<Ran, String> {
        let began = Instant::now();
        let mut collect = self.command("wss-collector")?;
        collect.args(["--no-input", "--case", "field", "--force", "-o", "bundle.zip"]);
        collect.args(&self.arguments).envs(self.env.iter().cloned());
        let output = Self::output(&mut collect, "wss-collector").await?;
        Ok(Ran {
            exit: output.status.code(),
            screen: text(&output),
            took_s: began.elapsed().as_secs_f64(),
            ..Ran::default()
        })
    }

    /// Collects, and reports.
    pub(super) async fn run(&self) -> Result<Ran, String> {
        let mut ran = self.collect().await?;
        let bundle = self.work.join("bundle.zip");
        if !bundle.is_file() {
            return Ok(ran);
        }
        let (json, reply, page) = tokio::join!(
            self.report(&["--format", "json"]),
            self.report(&["--format", "markdown"]),
            self.report(&["--format", "html", "-o", "-"]),
        );
        for (output, to) in [(&reply, &mut ran.reply), (&page, &mut ran.page)] {
            let output = output.as_ref().map_err(String::clone)?;
            *to = String::from_utf8_lossy(&output.stdout).into_owned();
            if !output.status.success() {
                ran.defects.push(format!("wss-analyzer report: {}", text(output)));
            }
        }
        ran.page = shown(&ran.page);
        let json = json?;
        ran.report = serde_json::from_slice(&json.stdout)
            .map_err(|error| format!("wss-analyzer report: {error}: {}", text(&json)))?;
        (ran.bundle, ran.removed) = entries(&bundle)?;
        std::fs::remove_file(&bundle).map_err(|error| error.to_string())?;
        Ok(ran)
    }

    async fn report(&self, options: &[&str]) -> Result<Output, String> {
        let mut command = self.command("wss-analyzer")?;
        command.arg("report").args(options).arg("bundle.zip");
        Self::output(&mut command, "wss-analyzer").await
    }
}

/// What was built must be what is written: cargo lists beside a program what it
/// was made of.
fn fresh(program: &Path) -> Result<(), String> {
    let changed = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    let list = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let (_, sources) = list.split_once(": ").unwrap_or_default();
    let built = changed(program);
    let newer = sources.split_whitespace().find(|source| changed(Path::new(source)) > built);
    match newer {
        Some(source) => Err(format!(
            "{} is older than {source}: cargo build --workspace",
            program.file_name().unwrap_or_default().to_string_lossy()
        )),
        None => Ok(()),
    }
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// A page's text: no tags, styles and scripts; entities as what they stand for.
fn shown(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let hidden = ["style", "script"].into_iter().find(|name| after.starts_with(name));
        rest = match hidden {
            Some(name) => after.split_once(&format!("</{name}>")).unwrap_or_default().1,
            None => after.split_once('>').unwrap_or_default().1,
        };
        let name = after.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next();
        if !name.is_some_and(|name| INLINE.contains(&name)) {
            out.push(' ');
        }
    }
    out.push_str(rest);
    for (entity, stands_for) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#x60;", "`"),
        ("&#x3D;", "="),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        out = out.replace(entity, stands_for);
    }
    out
}

/// Everything in a bundle, and its `redactions.json`.
fn entries(path: &Path) -> Result<(String, String), String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = std::fs::File::open(path).map_err(|error| wrong(&error))?;
    let mut zip = zip::ZipArchive::new(file).map_err(|error| wrong(&error))?;
    let (mut all, mut removed) = (String::new(), String::new());
    for at in 0..zip.len() {
        let entry = zip.by_index(at).map_err(|error| wrong(&error))?;
        let name = entry.name().map_err(|error| wrong(&error))?.into_owned();
        let mut bytes = Vec::new();
        entry.take(ENTRY).read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
        let text = String::from_utf8_lossy(&bytes);
        if name == "redactions.json" {
            removed = text.clone().into_owned();
        }
        all.push_str(&format!("== {name}\n{text}\n"));
    }
    Ok((all, removed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pages_text_is_what_a_browser_shows() {
        let page = "<style>a{b<c}</style><p>It <b>is</b> &lt;so&gt;</p><script>x</script><p>end";
        assert_eq!(shown(page).split_whitespace().collect::<Vec<_>>().join(" "), "It is <so> end");
    }
}
