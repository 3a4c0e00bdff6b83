//! Which browser: the one that was named, or the first that is installed.

use std::path::{Path, PathBuf};

/// How a browser is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Chrome, Chromium, Edge and what else is built on them: the DevTools protocol.
    Chromium,
    /// Firefox: WebDriver BiDi.
    Firefox,
}

/// An installed browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// How it is driven.
    pub family: Family,
}

/// Names in the search path, those first that people use most at work.
const NAMES: [&str; 9] = [
    "google-chrome-stable",
    "google-chrome",
    "microsoft-edge-stable",
    "microsoft-edge",
    "chromium",
    "chromium-browser",
    "firefox",
    "firefox-esr",
    "brave-browser",
];

/// Where macOS keeps them (not tried on a Mac yet).
const APPLICATIONS: [&str; 4] = [
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "Chromium.app/Contents/MacOS/Chromium",
    "Firefox.app/Contents/MacOS/firefox",
];

/// Where Windows keeps them, below each folder of programs (not tried on Windows yet).
const PROGRAMS: [&str; 4] = [
    r"Google\Chrome\Application\chrome.exe",
    r"Microsoft\Edge\Application\msedge.exe",
    r"Chromium\Application\chrome.exe",
    r"Mozilla Firefox\firefox.exe",
];

/// The browser that `--browser` asks for: `None` when none is installed.
///
/// # Errors
/// One was named, and is not there.
pub fn program(named: &str) -> Result<Option<Program>, String> {
    if named.is_empty() {
        return Ok(installed().map(of));
    }
    let path = Path::new(named);
    let found = if path.components().count() > 1 || path.is_absolute() {
        path.is_file().then(|| path.to_owned())
    } else {
        in_path(named)
    };
    match found {
        Some(path) => Ok(Some(of(path))),
        None => Err(format!(
            "--browser={named}: no such program; name one, for example --browser=/usr/bin/firefox, \
             or leave the path out to use one that is installed"
        )),
    }
}

fn of(path: PathBuf) -> Program {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let firefox = ["firefox", "librewolf", "waterfox"].iter().any(|other| name.contains(other));
    Program { path, family: if firefox { Family::Firefox } else { Family::Chromium } }
}

fn installed() -> Option<PathBuf> {
    if cfg!(windows) {
        let folders = ["ProgramFiles", "ProgramFiles(x86)", "LocalAppData"];
        let folders: Vec<PathBuf> = folders
            .iter()
            .filter_map(|name| Some(PathBuf::from(std::env::var_os(name)?)))
            .collect();
        return PROGRAMS
            .iter()
            .flat_map(|program| folders.iter().map(move |folder| folder.join(program)))
            .find(|path| path.is_file());
    }
    let applications = || {
        let programs = APPLICATIONS.iter().map(|name| Path::new("/Applications").join(name));
        programs.into_iter().find(|path| path.is_file())
    };
    if cfg!(target_os = "macos") {
        return applications();
    }
    NAMES.iter().find_map(|name| in_path(name))
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_by_name() {
        for (path, family) in [
            ("/usr/bin/firefox-esr", Family::Firefox),
            ("/opt/google/chrome/chrome", Family::Chromium),
            (r"/x/Firefox.app/Contents/MacOS/firefox", Family::Firefox),
            ("/usr/bin/microsoft-edge", Family::Chromium),
        ] {
            assert_eq!(of(PathBuf::from(path)).family, family, "{path}");
        }
    }

    #[test]
    fn one_that_is_named_must_be_there() {
        let error = program("/no/such/browser").unwrap_err();
        assert!(error.contains("/no/such/browser"), "{error}");
        let error = program("no-such-browser-anywhere").unwrap_err();
        assert!(error.contains("no such program"), "{error}");
    }
}
