//! One collection of a scenario by the program itself, on a machine whose
//! names are the scenario's: a mount namespace with a hosts file of its own,
//! and a name server that is not there.

use super::config::{Run, Scenario};
use std::path::{Path, PathBuf};
use std::process::Command;
use wss_bundle::{Bundle, Vantage, read};

/// What lies below: a script for `sh` that puts files in the place of the
/// machine's, and becomes the program.
const SCRIPT: &str = r#"set -e
    for pair in "$1:/etc/hosts" "$2:/etc/resolv.conf" "$3:/etc/nsswitch.conf"; do
        mount --bind "${pair%%:*}" "$(readlink -f "${pair#*:}")"
    done
    shift 3
    exec "$@""#;

/// A program of the workspace, beside the one that runs.
pub(crate) fn program(name: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{name} is not built: cargo build --workspace"))
}

/// Collects with `wss-collector`; gives the bundle and the exit code.
pub(super) fn collect(
    scenario: &Scenario,
    wanted: &Run,
    vantage: Vantage,
    url: &str,
    trust: &Path,
    env: &[(String, String)],
) -> Result<(Bundle, u8), String> {
    let text = |error: std::io::Error| error.to_string();
    let work = tempfile::tempdir().map_err(text)?;
    let hosts = wanted.hosts.clone().unwrap_or_default().join("\n") + "\n127.0.0.1 localhost\n";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh"]);
    for (name, content) in [
        ("hosts", hosts.as_str()),
        ("resolv.conf", "nameserver 127.0.0.97\noptions timeout:1 attempts:1\n"),
        ("nsswitch.conf", "hosts: files dns\n"),
    ] {
        let path = work.path().join(name);
        std::fs::write(&path, content).map_err(text)?;
        command.arg(path);
    }
    command.arg(program("wss-collector")?);
    command.args(["--json", "--no-input", "--case", "scenario", "-o", "bundle.zip"]);
    command.args(["--vantage", vantage.as_str(), "--hold", &scenario.hold]);
    command.args(["--timeout", &scenario.timeout, "--cacert"]).arg(trust);
    for path in &scenario.paths {
        command.args(["--path", path]);
    }
    if let Some(user) = &wanted.user {
        command.args(["-u", user]);
    }
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    let output = command
        .envs(env.iter().map(|(name, value)| (name, value)))
        .arg(url)
        .current_dir(work.path())
        .output()
        .map_err(|error| format!("unshare: {error}: apt-get install util-linux"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code().and_then(|code| u8::try_from(code).ok());
    let code = code.ok_or_else(|| format!("wss-collector: {}: {said}", output.status))?;
    let opened = read::file(&work.path().join("bundle.zip"), &read::Limits::default())
        .map_err(|error| format!("{error}\n{said}"))?;
    Ok((opened.bundle, code))
}
